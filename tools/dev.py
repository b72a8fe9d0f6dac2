"""Serve the book while you write it: `python tools/dev.py [--port 8000]`.

Whenever a file that the book is made of is saved, its notebook is brought into step, the book is built, and the pages
that are open reload themselves. Only what changed is executed and drawn; Python for the browser stays as it was, so
that sliders between two stops answer with what the last whole build (`make book`) had. Ctrl-C ends it.
"""

import argparse
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import serve

ROOT = Path(__file__).resolve().parent.parent
WATCHED = [
    "*.md", "*.yml", "references.bib", "chapters/*.md", "exercises/*.md", "exercises/tests/*.py", "ledger/*.json",
    "_static/**/*", "src/coursekit/**/*", "tools/*.py",
]  # fmt: skip
EVERY = 0.5  # seconds between two looks at the files
BUILD = "/_build-number"
SCRIPT = f"""<script>
(function () {{
  let seen = null;
  setInterval(async function () {{
    try {{
      const now = await (await fetch("{BUILD}", {{cache: "no-store"}})).text();
      if (seen !== null && now !== seen) location.reload();
      seen = now;
    }} catch (error) {{ /* the server is gone; it may come back */ }}
  }}, 700);
}})();
</script>"""
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def files():
    """What the book is made of: {path: time of its last change}."""
    found = {path for pattern in WATCHED for path in ROOT.glob(pattern)}
    return {
        path: path.stat().st_mtime_ns
        for path in found
        if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts
    }


def changes(before, now):
    """The files that came, went or changed."""
    return sorted(path for path in {*before, *now} if before.get(path) != now.get(path))


class Handler(serve.Handler):
    """Serves pages with a script that reloads them after a build; the files themselves stay as they are."""

    number = 0

    def do_GET(self):
        """Answer with the number of the build, a page with the script in it, or a file."""
        path = Path(self.translate_path(self.path))
        if self.path == BUILD:
            self._send(str(type(self).number).encode(), "text/plain")
        elif path.suffix == ".html" and path.is_file():
            page = POLICY.sub("", path.read_text(encoding="utf-8"))
            self._send(page.replace("</body>", SCRIPT + "</body>", 1).encode(), "text/html; charset=utf-8")
        else:
            super().do_GET()

    def _send(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def build(changed):
    """Bring notebooks into step and build the pages; tell whether it went well."""
    if any(path.parent.name in ("chapters", "exercises") for path in changed):
        if subprocess.run([sys.executable, "tools/make_notebooks.py"], cwd=ROOT).returncode:
            return False
    done = subprocess.run(
        [sys.executable, "tools/build_book.py", "--pages-only"], cwd=ROOT, capture_output=True, text=True
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"executed|pictures in", line)]
    print("\n".join(said) if not done.returncode else (done.stdout + done.stderr)[-4000:], flush=True)
    return not done.returncode


def watch(stop):
    """Build after each change until told to stop."""
    before = files()
    while not stop.wait(EVERY):
        now = files()
        changed = changes(before, now)
        if not changed:
            continue
        before = now
        start = time.monotonic()
        names = ", ".join(str(path.relative_to(ROOT)) for path in changed[:3])
        print(f"\nchanged: {names}{' ...' if len(changed) > 3 else ''}", flush=True)
        if build(changed):
            Handler.number += 1
            print(f"the pages are up to date after {time.monotonic() - start:.0f} s", flush=True)
        else:
            print("the book was not built; mend what is said above and save again", flush=True)
        # What the build itself wrote is no change, but what was saved meanwhile is.
        before = {path: before.get(path, when) for path, when in files().items()}


def main():
    """Build once, then serve and watch."""
    parser = argparse.ArgumentParser(description="Serve the book while you write it.")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    quick = ["--pages-only"] if (serve.BOOK / "index.html").is_file() else []
    code = subprocess.run([sys.executable, "tools/build_book.py", *quick], cwd=ROOT).returncode
    if code and not (serve.BOOK / "index.html").is_file():
        sys.exit(code)
    server = serve.bind(given.port, serve.BOOK, Handler)
    print(
        f"\nThe book is at http://127.0.0.1:{server.server_port}/ and follows what you save (Ctrl-C ends it)",
        flush=True,
    )
    stop = threading.Event()
    threading.Thread(target=watch, args=(stop,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        stop.set()
        server.server_close()


if __name__ == "__main__":
    main()
