"""Three engines behind one small interface, for what each must do alike.

Chromium has Playwright, which knows no other browser of a distribution. Firefox speaks WebDriver BiDi itself;
WebKitGTK, of one engine with Safari, comes with a driver that Selenium knows.
"""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

SCRIPT = "Promise.resolve((async () => {{ {body} }})()).then((value) => JSON.stringify(value ?? null))"


class Chromium:
    """One tab of Chromium, in a context of its own."""

    name = "chromium"

    def __init__(self, browser):
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def size(self, width, height=800):
        """Give the page a width and a height in CSS pixels."""
        self.page.set_viewport_size({"width": width, "height": height})

    def open(self, address):
        """Load a page, and wait for its fonts."""
        self.page.goto(address)
        self.run("await document.fonts.ready")

    def run(self, body):
        """Run the body of an asynchronous function; what it returns comes back by JSON."""
        return json.loads(self.page.evaluate(SCRIPT.format(body=body)))

    def picture(self, path):
        """Save what is seen."""
        self.page.screenshot(path=path)

    def close(self):
        """End it."""
        self.context.close()


class Firefox:
    """A Firefox of its own, over WebDriver BiDi; `preferences` are those of about:config."""

    name = "firefox"

    def __init__(self, **preferences):
        import websocket

        program = next(
            filter(None, map(shutil.which, filter(None, [os.environ.get("FIREFOX"), "firefox-esr", "firefox"]))), None
        )
        if program is None:
            raise FileNotFoundError("no Firefox: apt-get install firefox-esr, or name one: FIREFOX=/path/to/it")
        self.profile = tempfile.mkdtemp(prefix="firefox-")
        quiet = {
            "datareporting.policy.dataSubmissionEnabled": False,
            "app.update.enabled": False,
            "browser.shell.checkDefaultBrowser": False,
        }
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in {**quiet, **preferences}.items()
        )
        Path(self.profile, "user.js").write_text("\n".join(lines))
        command = [program, "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port=0"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._port()
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{port}/session", suppress_origin=True, timeout=60)
        self.sent, self.complaints = 0, []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self.tab = self._ask("browsingContext.create", type="tab")["context"]

    def _port(self):
        """The port that Firefox chose, from the file in which it writes it."""
        for _ in range(300):
            for path in glob.glob(f"{self.profile}/WebDriverBiDiServer.json"):
                text = Path(path).read_text()
                if text.strip():
                    return json.loads(text)["ws_port"]
            time.sleep(0.1)
        raise TimeoutError("Firefox did not open its port within 30 s")

    def _ask(self, method, **parameters):
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                text = answer["params"]["text"]
                # Of a formula that had arrived in part when the page was drawn; tests/test_book.py counts its parts.
                if not text.startswith("Incorrect number of children for <m"):
                    self.complaints.append(text)
            if answer.get("id") == self.sent:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]

    def size(self, width, height=800):
        """Give the page a width and a height in CSS pixels."""
        self._ask("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})

    def open(self, address):
        """Load a page, and wait for its fonts."""
        self._ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")
        for _ in range(100):  # it may answer while the page before is still there
            if self.run("return location.href.startsWith('http') && document.readyState === 'complete'"):
                break
            time.sleep(0.1)
        self.run("await document.fonts.ready")

    def run(self, body):
        """Run the body of an asynchronous function; what it returns comes back by JSON."""
        answer = self._ask(
            "script.evaluate", expression=SCRIPT.format(body=body), target={"context": self.tab}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def centre(self, selector):
        """Where the middle of the first such element is, after it was scrolled into view."""
        return self.run(
            f"""const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{ block: "center" }});
            await new Promise((done) => setTimeout(done, 300));
            const box = e.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);"""
        )

    def drag(self, start, *way):
        """Press the mouse at a place, go to others, and let go; without others a click."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 60} for x, y in (start, *way)]
        moves.insert(1, {"type": "pointerDown", "button": 0})
        moves.append({"type": "pointerUp", "button": 0})
        self._act({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves})

    def click(self, selector):
        """Click the first such element."""
        self.drag(self.centre(selector))

    def press(self, *keys, held=""):
        """Press keys one after the other, while another is held; or type the letters of texts."""
        actions = [{"type": "keyDown", "value": held}] if held else []
        for letter in (one for key in keys for one in key):
            actions += [{"type": kind, "value": letter} for kind in ("keyDown", "keyUp")]
        actions += [{"type": "keyUp", "value": held}] if held else []
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source):
        self._ask("input.performActions", context=self.tab, actions=[source])

    def picture(self, path):
        """Save what is seen."""
        import base64

        Path(path).write_bytes(
            base64.b64decode(self._ask("browsingContext.captureScreenshot", context=self.tab)["data"])
        )

    def close(self):
        """End it."""
        self.socket.close()
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.profile, ignore_errors=True)


class WebKit:
    """WebKitGTK's small browser in a screen of its own, which Xvfb draws nowhere.

    Its window cannot be narrower than 447 pixels: a page is narrowed as a phone's is, in a frame of that width.
    """

    name = "webkit"

    def __init__(self):
        from selenium import webdriver
        from selenium.webdriver.webkitgtk.service import Service

        driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
        browser = next(
            iter(
                glob.glob("/usr/lib*/*/webkit2gtk-4.*/MiniBrowser")
                + glob.glob("/usr/libexec/webkit2gtk-4.*/MiniBrowser")
            ),
            None,
        )
        if not (driver and screen and browser):
            raise FileNotFoundError("no WebKit: apt-get install webkit2gtk-driver xvfb")
        read, write = os.pipe()
        command = [screen, "-displayfd", str(write), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
        self.screen = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as said:  # to the end of the line: the screen would not outlive a pipe that closes early
            display = said.readline().strip()
        options = webdriver.WebKitGTKOptions()
        options.binary_location = browser
        options.add_argument("--automation")
        environment = {**os.environ, "DISPLAY": f":{display}", "GDK_BACKEND": "x11"}
        self.driver = webdriver.WebKitGTK(options=options, service=Service(driver, env=environment))
        self.driver.set_script_timeout(60)
        self.narrow, self.complaints = None, []  # its driver tells nothing of its console

    def size(self, width, height=800):
        """Give the page a width and a height in CSS pixels, from the next `open` on."""
        self.narrow = (width, height) if width < 500 else None
        self.driver.switch_to.default_content()
        self.driver.set_window_size(max(width, 500), height)
        outer = width
        for _ in range(0 if self.narrow else 50):  # the window follows a while later, and has borders of its own
            time.sleep(0.1)
            inner = self.driver.execute_script("return innerWidth")
            if inner == width:
                break
            if outer == self.driver.get_window_size()["width"]:
                outer += width - inner
                self.driver.set_window_size(outer, height)

    def open(self, address):
        """Load a page, and wait for its fonts."""
        self.driver.switch_to.default_content()
        self.driver.get(address)
        if self.narrow:
            width, height = self.narrow
            self.driver.execute_async_script(
                """const [address, width, height, done] = arguments;
                document.documentElement.innerHTML = "<head></head><body style='margin:0'></body>";
                const frame = document.createElement("iframe");
                frame.style = `border:0;width:${width}px;height:${height}px`;
                frame.onload = () => done();
                frame.src = address;
                document.body.append(frame);""",
                address,
                width,
                height,
            )
            self.driver.switch_to.frame(0)
        self.run("await document.fonts.ready")

    def run(self, body):
        """Run the body of an asynchronous function; what it returns comes back by JSON."""
        answer = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            + SCRIPT.format(body=body)
            + ".then((text) => done([text, null]), (error) => done([null, String(error)]))"
        )
        if answer[1]:
            raise RuntimeError(answer[1])
        return json.loads(answer[0])

    def picture(self, path):
        """Save what is seen."""
        self.driver.switch_to.default_content()
        self.driver.save_screenshot(str(path))

    def close(self):
        """End it."""
        self.driver.quit()
        self.screen.terminate()
        self.screen.wait(20)
