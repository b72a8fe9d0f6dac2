"""The core of code cells and explorers in Firefox, by its own mouse and keyboard."""

from __future__ import annotations

import time

import pytest
from browser_help import give_up
from engines import Firefox
from headless import UNCOVER
from test_cells import SOLUTIONS
from test_engines import BOOK

pytestmark = pytest.mark.timeout(300)
CONTROL, END, LEFT, RIGHT = "\ue009", "\ue010", "\ue012", "\ue014"


@pytest.fixture(scope="module")
def firefox(serve):
    """A tab of Firefox, with the book's address in `.book`."""
    if not (BOOK / "intro.html").is_file():
        give_up("THE CORE IN FIREFOX IS SKIPPED: there is no book. Build it first: make build")
    try:
        started = Firefox()
    except (FileNotFoundError, ImportError) as error:
        give_up(f"no Firefox to test with (sh tools/get-engines): {error}")
    started.book = serve(BOOK)
    started.size(1280, 900)
    yield started
    started.close()


def wait(engine, condition, seconds=60):
    """Wait until an expression of the page is true; what it is then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = engine.run(f"return {condition}")
        if found:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"after {seconds} s still not: {condition}")


@pytest.fixture(scope="module")
def chapter(firefox):
    """Chapter 05 with one of its cells open; `.cell` is its selector."""
    firefox.open(firefox.book + "chapters/05_initialization.html")
    firefox.run(UNCOVER)
    id = firefox.run(
        """return [...document.querySelectorAll('.cell[data-cell]:not([data-torch])')]
        .find((cell) => cell.querySelector('.cell_input pre')?.innerText.startsWith('starts ='))?.dataset.cell"""
    )
    firefox.cell = f'[data-cell="{id}"]'
    firefox.click(f'{firefox.cell} [data-do="edit"]')
    wait(firefox, f"!!document.querySelector('{firefox.cell} .cm-content')")
    return firefox


def run_text(engine, text):
    """Type a text in place of the cell's, run it by Control and Enter; `window.ended` is what its end says."""
    engine.click(f"{engine.cell} .cm-content")
    engine.press("a", held=CONTROL)
    engine.press(text)
    engine.run(
        f"""const cell = document.querySelector('{engine.cell}');
        window.ended = null;
        cell.addEventListener('ck:ran', ({{ detail }}) => (window.ended = detail), {{ once: true }});"""
    )
    engine.press("\ue007", held=CONTROL)


def text_of(engine, selector):
    return engine.run(f"return document.querySelector('{selector}')?.innerText ?? ''")


def test_a_cell_is_edited_run_and_says_its_error(chapter):
    run_text(chapter, "print('sum', sum(range(5)))")
    assert wait(chapter, "window.ended", 90)["ok"]
    assert text_of(chapter, f"{chapter.cell} .ck-out").strip() == "sum 10"
    run_text(chapter, "a = 1\nprint(a + nothing)")
    assert not wait(chapter, "window.ended")["ok"]
    said = text_of(chapter, f"{chapter.cell} .ck-error")
    assert "NameError: name 'nothing' is not defined" in said and "line 2" in said
    assert chapter.complaints == []


def test_an_endless_loop_is_stopped_and_the_text_is_kept(chapter):
    run_text(chapter, "print('begun')\nwhile True: pass")
    wait(chapter, f"document.querySelector('{chapter.cell} .ck-out').innerText.includes('begun')", 90)
    chapter.click(f"{chapter.cell} .ck-stop")
    assert wait(chapter, "window.ended")["type"] == "stopped"
    assert "while True" in chapter.run(f"return document.querySelector('{chapter.cell}').ck.editor.text")
    run_text(chapter, "6 * 7")
    assert wait(chapter, "window.ended", 90)["ok"]
    assert text_of(chapter, f"{chapter.cell} .ck-out").strip() == "42"


def test_an_exercise_is_checked_wrong_then_right(chapter):
    chapter.click('[data-question="05.1"]')
    wait(chapter, "document.querySelectorAll('.ck-exercise .cm-content').length >= 2")

    def check(**texts):
        for name, text in texts.items():
            chapter.run(
                f"""const cell = document.querySelector('.ck-exercise').ck.stubs
                .find((each) => each.known.name === '{name}');
                cell.editor.text = {text!r};"""
            )
        chapter.run(
            """window.checked = null;
            document.addEventListener('ck:checked', ({ detail }) => (window.checked = detail), { once: true });"""
        )
        chapter.click(".ck-exercise .ck-checkbar .ck-main")
        return wait(chapter, "window.checked", 90)["report"]

    wrong = SOLUTIONS | {"xavier_normal": SOLUTIONS["xavier_normal"].replace("2 /", "1 /")}
    assert not check(**wrong)["right"]
    assert "standard deviation" in text_of(chapter, ".ck-case.ck-wrong")
    assert check(**SOLUTIONS)["right"]
    assert chapter.complaints == []


def place_of(engine, root, x, y, axes=0):
    """Where a pair of numbers stands on the screen."""
    return engine.run(
        f"""const root = document.querySelector('{root}');
        root.scrollIntoView({{ block: "start" }});
        await new Promise((done) => setTimeout(done, 300));
        const ax = root.ck.reading.axes()[{axes}];
        const svg = root.querySelector(".ck-picture svg");
        const at = new DOMPoint(...ax.place({x}, {y})).matrixTransform(svg.getScreenCTM());
        return [Math.round(at.x), Math.round(at.y)];"""
    )


def test_an_explorer_plays_is_grasped_and_is_read_off(firefox):
    firefox.open(firefox.book + "chapters/07_optimizers.html")
    firefox.run(UNCOVER)
    root = "#ck-momentum-map"
    values = f"document.querySelector('{root}').ck.values()"
    grip = f"{root} .ck-handle"
    before = firefox.run(f"return {values}")
    x, y = firefox.centre(grip)
    firefox.drag((x, y), (x + 30, y - 20), (x + 60, y - 40))
    after = wait(firefox, f"JSON.stringify({values}) !== {str(before).replace(chr(39), chr(34))!r} && {values}")
    assert after != before
    firefox.run(f"document.querySelector('{grip}').focus()")
    firefox.press(LEFT)
    assert firefox.run(f"return {values}") != after

    firefox.click(f"{root} .ck-play")
    time.sleep(0.8)
    firefox.click(f"{root} .ck-play")
    share = firefox.run(f"return document.querySelector('{root}').ck.playing.share")
    assert 0 < share < 1

    firefox.run(f"document.querySelector('{root} .ck-read').focus()")
    firefox.press(RIGHT, RIGHT)
    card = text_of(firefox, f"{root} .ck-card")
    assert any(letter.isdigit() for letter in card), card
    assert firefox.complaints == []


def test_a_training_goes_on_and_a_point_is_added(firefox):
    firefox.open(firefox.book + "chapters/03_activations.html")
    firefox.run(UNCOVER)
    root = "#ck-divide"
    firefox.click(f"{root} .ck-train")
    if firefox.run(f"return !!document.querySelector('{root} .ck-start')"):
        firefox.click(f"{root} .ck-start")
    reached = f"document.querySelector('{root}').ck.training.over.reached"
    wait(firefox, f"{reached} > 110", 90)
    firefox.drag(place_of(firefox, root, 0.1, 0.1))
    wait(firefox, f"document.querySelector('{root} .ck-alt').innerText.includes('101 points')")
    firefox.click(f"{root} .ck-train")
    time.sleep(0.5)
    made = firefox.run(f"return document.querySelector('{root}').ck.training.made.map(({{ steps }}) => steps)")
    assert sum(made) == firefox.run(f"return {reached}")
    firefox.click(f"{root} .ck-closer")
    assert "Shown large: unit 1, tanh(" in text_of(firefox, f"{root} .ck-status")
    assert firefox.complaints == []
