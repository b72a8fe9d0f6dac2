"""Notebooks in the browser: a sheet is run and checked, work survives a reload, and a chapter's slider answers."""

from pathlib import Path

import pytest
from browser_help import give_up

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
SLOW = 240_000  # milliseconds; about 10 s on a quiet machine

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def notebook(open_page, serve):
    """notebook(path) -> page of JupyterLite with that notebook open."""
    if not (BOOK / "lite" / "pyodide-lock.json").is_file():
        give_up("the book was built without JupyterLite (make build says why)")

    def start(path):
        # JupyterLite complains about its own menus; that no other host is asked, `open_page` sees to.
        page = open_page(
            f"{serve(BOOK)}lite/notebooks/index.html?path={path}",
            complaints=False,
            service_workers="allow",  # a notebook's Python reads files through one
            viewport={"width": 1280, "height": 900},
        )
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=SLOW)
        return page

    return start


def run_all(page):
    page.click(".jp-Notebook .jp-Cell")
    page.click(".lm-MenuBar-item:has-text('Run')")
    page.click(".lm-Menu-item:has-text('Run All Cells') >> nth=0")


def cell_with(page, text):
    return page.locator(".jp-CodeCell", has_text=text).first


def test_a_sheet_is_checked_in_the_browser_and_work_is_still_there_after_a_reload(notebook):
    page = notebook("exercises/05_initialization.ipynb")
    run_all(page)
    cell_with(page, 'check("05.1")').locator(".jp-OutputArea-output").first.wait_for(timeout=SLOW)
    assert "Not written yet" in cell_with(page, 'check("05.1")').inner_text()

    # Write one function, wrongly at first: the usual mistake is named.
    stub = page.locator(".jp-CodeCell", has_text="NotImplementedError").first
    source = stub.locator(".cm-content").inner_text()
    name = source.split("def ", 1)[1].split("(", 1)[0]
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(f"def {name}(*given, **more):\n    return np.zeros((2, 2))  # my own work")
    page.keyboard.press("Shift+Enter")
    cell_with(page, 'check("05.1")').locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-CodeCell')].some((cell) =>
            cell.innerText.includes('check("05.1")') && /expected/i.test(cell.innerText))""",
        timeout=SLOW,
    )
    page.keyboard.press("Control+S")
    page.wait_for_timeout(1500)
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=SLOW)
    page.wait_for_function("document.body.innerText.includes('my own work')", timeout=SLOW)


def test_a_slider_of_a_chapter_answers_in_the_browser(notebook):
    page = notebook("chapters/02_losses.ipynb")
    # While one waits: what Python loads, what a collapsed cell is, which cell runs.
    line = page.locator("#ck-loading")
    line.filter(has_text="Python is starting in your browser").wait_for(timeout=SLOW)
    hint = "e => getComputedStyle(e, '::after').content"
    page.locator(".jp-InputPlaceholder.ck-shows").first.wait_for(state="attached", timeout=SLOW)
    assert "Run this cell" in page.locator(".jp-InputPlaceholder.ck-shows").first.evaluate(hint)
    numbers = page.locator(".jp-InputPlaceholder", has_text="glue(")
    assert numbers.count() and numbers.first.evaluate(hint) == "none"
    run_all(page)
    line.filter(has_text="is running").wait_for(timeout=SLOW)
    page.wait_for_selector(".jp-OutputArea .widget-slider, .jp-OutputArea .ck-widget", timeout=SLOW)
    done = page.locator(".jp-CodeCell", has=page.locator(".noUi-base")).locator(".jp-InputPlaceholder").first
    assert done.evaluate(hint) == "none"
    # With the mouse, then by the keyboard.
    track = page.locator(".jp-OutputArea .noUi-base").first
    track.wait_for(timeout=SLOW)
    page.wait_for_function(
        "![...document.querySelectorAll('.jp-InputPrompt')].some((prompt) => prompt.textContent.includes('*'))",
        timeout=SLOW,
    )
    picture = ".jp-OutputArea:has(.noUi-base) .widget-html svg"
    line.wait_for(state="hidden", timeout=5_000)  # it looks twice a second
    old = page.locator(picture).first.evaluate("picture => picture.outerHTML")
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    changed = "([picture, old]) => document.querySelector(picture).outerHTML !== old"
    page.wait_for_function(changed, arg=[picture, old], timeout=SLOW)

    old = page.locator(picture).first.evaluate("picture => picture.outerHTML")
    page.locator(".jp-OutputArea:has(.noUi-base) .noUi-handle").first.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(changed, arg=[picture, old], timeout=SLOW)
