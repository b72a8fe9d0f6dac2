"""A real browser, a web server for what was built, and a small book with two explorers."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from browser_help import give_up

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import headless  # noqa: E402
from serve import Handler  # noqa: E402
from small_book import build as build_small_book  # noqa: E402


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in Path(item.fspath).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium: the one that CHROMIUM names, that is installed, or Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=headless.executable(), args=headless.ARGUMENTS)
        except playwright.Error as error:
            give_up(f"no Chromium to test with: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve():
    """serve(folder) -> address of a web server on this machine."""
    servers = []

    def start(folder):
        handler = functools.partial(Handler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def open_page(chromium):
    """open_page(address, **context options) -> page; fails afterwards if the page complained or asked another host.

    `complaints=False` is for tests that break something on purpose. The service worker is off, since nothing
    between it and the network can be broken; a test of it says `service_workers="allow"`.
    """
    opened = []

    def start(address, complaints=True, before=None, **options):
        context = chromium.new_context(**{"service_workers": "block", **options})
        page = context.new_page()
        noted = []
        if complaints:
            page.on("console", lambda message: message.type == "error" and noted.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: noted.append(f"error: {error}"))
        page.on("request", lambda request: _foreign(request.url) and noted.append(f"other host: {request.url}"))
        opened.append((context, noted))
        if before:
            before(page)
        page.goto(address)
        return page

    yield start
    for context, _ in opened:
        context.close()
    complaints = [note for _, noted in opened for note in noted]
    assert not complaints, complaints


def _foreign(address):
    return not address.startswith(("http://127.0.0.1:", "file:", "data:", "blob:"))


PAGE = """\
---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3, language: python}
---
# Demo

```{code-cell}
:tags: [remove-input]
from explorers_demo import days, draw_tones, guess, number, pull, spot, tones, wave_shape
wave_shape
```

```{code-cell}
:tags: [remove-input]
days
```

```{code-cell}
:tags: [remove-input]
spot
```

```{code-cell}
:tags: [remove-input]
pull
```

```{code-cell}
:tags: [remove-input]
guess
```

```{code-cell}
:tags: [remove-input]
number
```

```{code-cell}
:tags: [remove-input]
fig = draw_tones(tones(1, 2, "square"))
fig.alt = "A square wave."
fig
```
"""

CONFIGURATION = """\
project = "Demo"
extensions = ["myst_nb", "coursekit.interactive.sphinx_ext"]
html_theme = "sphinx_book_theme"
html_context = {{"default_mode": "auto"}}
html_favicon = "icon.svg"
nb_execution_mode = "force"
nb_ipywidgets_js = {{}}
exclude_patterns = ["_build", "jupyter_execute"]
coursekit_cache = {cache!r}
coursekit_live = {live!r}
"""


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory):
    """A book of one page with two explorers, two predictions and a plain figure, built as the course is built."""
    source = tmp_path_factory.mktemp("demo")
    out = source / "_build"
    settings = CONFIGURATION.format(cache=str(ROOT / ".cache"), live=str(ROOT / "live"))
    (source / "conf.py").write_text(settings)
    (source / "index.md").write_text(PAGE)
    (source / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    paths = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(paths))
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", str(source), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for wheel in (out / "_static" / "ck").glob("*.whl"):  # the worker must know the explorers of the tests too
        with zipfile.ZipFile(wheel, "a") as archive:
            archive.write(ROOT / "tests" / "explorers_demo.py", "explorers_demo.py")
    return out


@pytest.fixture(scope="session")
def demo(demo_site, serve):
    """The address of the small book's page."""
    return serve(demo_site) + "index.html"


@pytest.fixture(scope="session")
def small_book(tmp_path_factory, serve):
    """The address of a small book with predictions, quizzes and the review page, ending in a slash."""
    return serve(build_small_book(tmp_path_factory.mktemp("small")))
