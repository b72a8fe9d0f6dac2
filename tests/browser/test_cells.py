"""Code cells and exercises of the built book in a real browser: edit, run, error, stop, reload, export, check."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from browser_help import PHONE, SETTLED, give_up, lift_covers
from sheet_sources import solved_cells
from test_book import BOOK, DESK, artefact, axe_violations

from coursekit.grading.cases import load_sheet, sheet_ids

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]
LONG = 120_000 if os.environ.get("CI") == "true" else 90_000  # ms: the first run waits for Python
CHAPTER, SHEET = "chapters/05_initialization.html", "exercises/05_initialization.html"
SOLUTIONS = {
    "xavier_normal": "def xavier_normal(rng, shape):\n    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)",
    "xavier_uniform": "def xavier_uniform(rng, shape):\n    a = np.sqrt(6 / sum(shape))\n"
    "    return rng.uniform(-a, a, shape)",
}


@pytest.fixture(scope="module")
def address(serve):
    if not (BOOK / CHAPTER).is_file():
        give_up("there is no book. Build it first: make build")
    if "ck-cells" not in (BOOK / CHAPTER).read_text(encoding="utf-8"):
        give_up("the book was built without Pyodide, so its cells cannot run")
    return serve(BOOK)


@pytest.fixture
def visit(open_page, address):
    def start(name, **options):
        page = open_page(address + name, **{"viewport": DESK, "accept_downloads": True, **options})
        lift_covers(page)
        return page

    return start


def cell(page, text):
    """The cell whose code in the book begins so."""
    return page.locator(".cell[data-cell]", has=page.locator(".cell_input pre", has_text=text)).first


def edit(place):
    """Open a cell's editor, CodeMirror and all; gives the element that one types into."""
    button = place.get_by_role("button", name="Edit")
    if button.count() and button.is_visible():
        button.click()
    content = place.locator(".cm-content")
    content.wait_for()
    return content


def type_anew(page, place, text):
    """Replace a cell's text as a reader would."""
    edit(place).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def expect_end(place, event="ck:ran"):
    """From now on `place.ended` in the page is what the end of the next run will say."""
    place.evaluate(
        "(e, name) => { e.ended = new Promise(done => e.addEventListener(name, (said) => done(said.detail))) }",
        event,
    )


def run(place, press=None):
    """Run a cell and wait until it has ended; what the worker answered."""
    expect_end(place)
    press() if press else place.get_by_role("button", name="Run", exact=False).first.click()
    return place.evaluate("cell => cell.ended")


def check(page, exercise, question):
    expect_end(exercise, "ck:checked")
    exercise.get_by_role("button", name=f"Check {question}", exact=True).click()
    return exercise.evaluate("e => e.ended")


def open_exercise(page, question):
    page.locator(f'[data-question="{question}"]').click()
    exercise = page.locator(".ck-exercise", has=page.get_by_role("button", name=f"Check {question}", exact=True))
    exercise.locator(".cm-content").first.wait_for()
    return exercise


def stub(place, name):
    return place.locator(".cell", has=place.page.get_by_role("textbox", name=f"Code of {name}", exact=True))


def test_a_cell_is_edited_run_kept_exported_and_put_back(visit):
    page = visit("chapters/03_activations.html")
    place = (
        page.locator(".cell[data-cell]:not([data-torch])", has=page.locator(".cell_output"))
        .filter(has=page.get_by_role("button", name="Edit"))
        .first
    )
    id = place.get_attribute("data-cell")
    place = page.locator(f'[data-cell="{id}"]')
    before = place.locator(".cell_input pre").inner_text()
    type_anew(page, place, "total = 0\nfor k in range(5):\n    total += k\nprint('sum', total)\nnp.arange(3)")
    # Typed as a reader would, brackets and indents come by themselves, and Tab stays in the editor.
    answer = run(place, lambda: page.keyboard.press("Control+Enter"))
    assert answer["ok"], answer
    assert "sum 10" in place.locator(".ck-out").inner_text()
    assert "array([0, 1, 2])" in place.locator(".ck-out").inner_text()
    assert not place.locator(".cell_output:not(.ck-out)").is_visible()
    page.screenshot(path=artefact("cells-edited", ".png"))

    page.reload()
    lift_covers(page)
    page.wait_for_selector(".ck-edited")
    assert "sum" in place.locator("textarea").input_value()
    with page.expect_download() as caught:
        place.get_by_role("button", name="Save as notebook").click()
    made = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
    ours = json.loads((ROOT / "chapters" / "03_activations.ipynb").read_text(encoding="utf-8"))
    changed = [a["id"] for a, b in zip(made["cells"], ours["cells"], strict=True) if a != b]
    assert changed == [id]
    assert caught.value.suggested_filename == "03_activations.ipynb"

    place.get_by_role("button", name="Reset").click()
    assert (
        place.locator("textarea, .cm-content")
        .first.evaluate("e => e.value ?? e.cmView?.view?.state.doc.toString() ?? e.innerText")
        .strip()
        == before.strip()
    )
    assert place.locator(".cell_output:not(.ck-out)").is_visible()
    page.reload()
    lift_covers(page)
    page.wait_for_timeout(500)
    assert page.locator(".ck-edited").count() == 0


def test_an_export_without_edits_is_the_file_byte_for_byte(visit):
    for name in ("chapters/05_initialization", "exercises/05_initialization"):
        page = visit(f"{name}.html")
        if name.startswith("chapters"):
            cell(page, "small =").get_by_role("button", name="Edit").click()
            page.wait_for_selector(".ck-edit")
        else:
            page.wait_for_selector(".ck-checkbar")
        text = page.evaluate("ckCells.notebook.file_text()")
        assert text == (ROOT / f"{name}.ipynb").read_text(encoding="utf-8")


def test_errors_name_the_line_and_lead_to_it(visit):
    page = visit(CHAPTER)
    place = cell(page, "starts =")
    type_anew(page, place, "def half(x):\n    return x / nothing\n\nhalf(2)")
    assert not run(place)["ok"]
    said = place.locator(".ck-error").inner_text()
    assert "NameError: name 'nothing' is not defined" in said
    assert "line 4" in said and "then in half, line 2" in said
    page.screenshot(path=artefact("cells-error", ".png"))
    assert axe_violations(page) == []
    place.get_by_role("button", name="line 4").click()
    assert page.evaluate("getSelection().toString()") == "half(2)"

    type_anew(page, place, "a = 1\nb = = 2")
    assert not run(place)["ok"]
    assert (
        "SyntaxError" in place.locator(".ck-said").inner_text() and "line 2" in place.locator(".ck-error").inner_text()
    )


def test_a_loop_is_stopped_and_the_page_goes_on(visit):
    page = visit(CHAPTER)
    place = cell(page, "starts =")
    loop = "print('begun')\nwhile True:\n    pass"
    type_anew(page, place, loop)
    expect_end(place)
    place.get_by_role("button", name="Run", exact=False).first.click()
    place.locator(".ck-out", has_text="begun").wait_for(timeout=LONG)
    place.get_by_role("button", name="Stop").click()
    assert place.evaluate("cell => cell.ended")["type"] == "stopped"
    assert "Stopped" in place.locator(".ck-state").inner_text()
    assert place.evaluate("cell => cell.ck.editor.text") == loop
    type_anew(page, place, "6 * 7")
    assert run(place)["ok"]
    assert place.locator(".ck-out").inner_text().strip() == "42"


def test_what_a_cell_needs_runs_first(visit):
    page = visit(CHAPTER)
    place = cell(page, "factors =")
    answer = run(place)
    assert answer["ok"], answer
    assert "Xavier" in place.locator(".ck-out").inner_text()
    # As the book printed it: the same code on the same numbers.
    assert place.locator(".ck-out pre").inner_text() == place.locator(".cell_output:not(.ck-out) pre").text_content()


def test_the_keyboard_alone_does_it(visit):
    page = visit(CHAPTER)
    place = cell(page, "starts =")
    place.get_by_role("button", name="Edit").focus()
    page.keyboard.press("Enter")
    place.locator(".cm-content").wait_for()
    page.keyboard.press("Control+a")
    page.keyboard.type("if 1:")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # indents further: the editor keeps it
    page.keyboard.type("print('deep')")
    assert place.evaluate("cell => cell.ck.editor.text") == "if 1:\n        print('deep')"
    page.keyboard.press("Shift+Tab")
    assert place.evaluate("cell => cell.ck.editor.text") == "if 1:\n    print('deep')"
    answer = run(place, lambda: page.keyboard.press("Shift+Enter"))
    assert answer["ok"] and "deep" in place.locator(".ck-out").inner_text()
    there = page.evaluate("document.activeElement.closest('.cell').dataset.cell")
    assert there != place.get_attribute("data-cell")  # Shift+Enter went on to the next cell
    place.locator(".cm-content").focus()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Run"


def test_without_the_editor_a_text_area_works(visit):
    page = visit(CHAPTER, complaints=False)
    page.route("**/codemirror.mjs", lambda route: route.abort())
    place = cell(page, "starts =")
    place.get_by_role("button", name="Edit").click()
    area = place.locator("textarea")
    area.fill("")
    area.press_sequentially("if 1:\n")
    area.press("Tab")
    area.press_sequentially("print('plain')")
    assert area.input_value() == "if 1:\n    print('plain')"
    answer = run(place, lambda: area.press("Control+Enter"))
    assert answer["ok"] and "plain" in place.locator(".ck-out").inner_text()


def test_cells_of_pytorch_lead_to_colab(visit):
    page = visit(CHAPTER)
    place = cell(page, "import torch")
    link = place.get_by_role("link", name="Run in Colab")
    assert link.get_attribute("href").endswith("chapters/05_initialization.ipynb")
    assert not place.get_by_role("button", name="Run", exact=True).count()


def test_set_up_is_folded(visit):
    page = visit(CHAPTER)
    assert not cell(page, "import numpy as np").locator(".cell_input").is_visible()
    page.get_by_text("Set-up: import numpy").click()
    assert cell(page, "import numpy as np").locator(".cell_input").is_visible()


def test_an_exercise_is_written_checked_and_taken_home(visit):
    page = visit(CHAPTER)
    exercise = open_exercise(page, "05.1")
    report = check(page, exercise, "05.1")["report"]
    assert not report["right"]
    assert "not written yet" in exercise.locator(".ck-result").inner_text()
    type_anew(page, stub(exercise, "xavier_normal"), SOLUTIONS["xavier_normal"].replace("2 /", "1 /"))
    type_anew(page, stub(exercise, "xavier_uniform"), SOLUTIONS["xavier_uniform"])
    report = check(page, exercise, "05.1")["report"]
    assert not report["right"]
    wrong = exercise.locator(".ck-case.ck-wrong").inner_text()
    assert "standard deviation" in wrong
    page.screenshot(path=artefact("cells-wrong", ".png"))
    assert page.evaluate("JSON.parse(localStorage['coursekit:check:05.1']).right") is False

    type_anew(page, stub(exercise, "xavier_normal"), SOLUTIONS["xavier_normal"])
    again = check(page, exercise, "05.1")
    assert again["report"]["right"] and again["ms"] < 1500
    assert page.locator(".ck-done").count() == 1
    assert page.evaluate("JSON.parse(localStorage['coursekit:check:05.1']).right") is True
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-theme={scheme}]")
        page.evaluate(SETTLED)
        assert axe_violations(page) == [], scheme

    chapter = page.url
    page.goto(chapter.replace(CHAPTER, "intro.html"))
    page.wait_for_selector(".ck-progress button")
    row = page.locator("tr[data-page='chapters/05_initialization.html'] .ck-count")
    assert row.last.inner_text() == f"1 of {len(load_sheet('05').questions)}"
    page.goto(chapter)
    lift_covers(page)

    with page.expect_download() as caught:
        page.get_by_role("button", name="Download my notebook").click()
    assert caught.value.suggested_filename == "05_initialization.ipynb"
    made = json.loads(Path(caught.value.path()).read_text(encoding="utf-8"))
    sources = ["".join(each["source"]) for each in made["cells"]]
    assert all(code in sources for code in SOLUTIONS.values())

    page.goto(page.url.replace("chapters/", "exercises/"))  # the sheet has the same work
    page.locator(".ck-checkbar").first.wait_for()
    section = page.locator("section#xavier")
    assert stub(section, "xavier_uniform").evaluate("cell => cell.ck.editor.text") == SOLUTIONS["xavier_uniform"]
    assert "Right when last checked" in section.inner_text()
    assert check(page, section, "05.1")["report"]["right"]


def test_hints_come_one_by_one(visit):
    page = visit(CHAPTER)
    exercise = open_exercise(page, "05.1")
    assert exercise.locator("details").count() == 0
    exercise.get_by_role("button", name="Hint 1 of 3").click()
    assert exercise.locator("details[open]").count() == 1
    exercise.get_by_role("button", name="Hint 2 of 3").click()
    exercise.get_by_role("button", name="Hint 3 of 3").click()
    assert exercise.locator("details[open]").count() == 3
    assert not exercise.get_by_role("button", name="Hint").is_visible()


def test_a_check_of_an_endless_loop_is_stopped_and_nothing_is_lost(visit):
    page = visit(CHAPTER)
    exercise = open_exercise(page, "05.1")
    loop = "def xavier_normal(rng, shape):\n    while True:\n        pass"
    type_anew(page, stub(exercise, "xavier_normal"), loop)
    expect_end(exercise, "ck:checked")
    exercise.get_by_role("button", name="Check 05.1", exact=True).click()
    page.wait_for_timeout(6000)
    exercise.get_by_role("button", name="Stop the check of 05.1").click()
    exercise.evaluate("e => e.ended")
    assert "Stopped" in exercise.locator(".ck-state").last.inner_text()
    assert stub(exercise, "xavier_normal").evaluate("cell => cell.ck.editor.text") == loop


def test_without_storage_the_page_works(visit):
    page = visit(
        CHAPTER,
        before=lambda page: page.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('denied'); } })"
        ),
        complaints=False,
    )
    exercise = open_exercise(page, "05.1")
    for name, code in SOLUTIONS.items():
        type_anew(page, stub(exercise, name), code)
    assert check(page, exercise, "05.1")["report"]["right"]


def test_it_fits_a_phone(visit):
    page = visit(CHAPTER, **PHONE)
    exercise = open_exercise(page, "05.1")
    check(page, exercise, "05.1")
    exercise.scroll_into_view_if_needed()
    page.screenshot(path=artefact("cells-phone", ".png"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["viewport"]["width"]


ADAM = """def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return w - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v"""


def test_a_prediction_does_not_hide_your_function(open_page, address):
    page = open_page(address + "chapters/07_optimizers.html", viewport=DESK)
    page.evaluate("localStorage.setItem('coursekit:check:07.3', '{\"right\": true}')")
    page.locator(".cell[data-cell] [data-do=edit]").first.evaluate("button => button.click()")
    page.wait_for_function("() => window.ckCells?.exercises?.yours")
    chosen = page.evaluate_handle(
        """() => {
          const yours = ckCells.exercises.yours.find(({ explorer: { root } }) => !root.checkVisibility());
          yours.choose(yours.slots[0]);
          return yours.explorer.root;
        }"""
    )
    assert chosen.evaluate("root => root.checkVisibility()")
    assert 0 <= chosen.evaluate("root => root.getBoundingClientRect().top") < DESK["height"] / 2


def test_your_function_drives_the_experiment(visit):
    page = visit("chapters/07_optimizers.html")
    exercise = open_exercise(page, "07.3")
    explorer = page.locator("#ck-valley")
    choice = explorer.get_by_label("optimizer", exact=True)
    assert "your adam_step" not in choice.inner_text()
    type_anew(page, stub(exercise, "adam_step"), ADAM)
    assert check(page, exercise, "07.3")["report"]["right"]
    assert "your adam_step" in choice.inner_text()
    exercise.get_by_role("button", name="See your adam_step in").first.click()
    explorer.locator(".ck-words").wait_for(timeout=LONG)
    assert "Yours and Adam agree" in explorer.locator(".ck-words").inner_text()
    assert explorer.locator(".ck-picture svg").count() == 2
    page.screenshot(path=artefact("cells-yours", ".png"))
    assert axe_violations(page) == []

    # One that fails at the present setting leaves the page working and says so.
    type_anew(
        page, stub(exercise, "adam_step"), ADAM + "\n    # after the check\n" + "adam_step = lambda *all: nothing"
    )
    slider = explorer.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    explorer.locator(".ck-status.ck-wrong", has_text="NameError").wait_for()
    choice.select_option(index=0)
    page.wait_for_function("() => !document.querySelector('#ck-valley .ck-status').innerText")
    assert explorer.locator(".ck-picture svg").count() == 1
    assert "gradient descent" in explorer.locator(".ck-settings").inner_text()


@pytest.mark.parametrize("id", sheet_ids())
def test_every_sheet_is_checked_in_its_page(visit, id):
    """The stubs are unwritten, the sheet's solutions right, and each known wrong answer gets its message."""
    path = next(BOOK.glob(f"exercises/{id}_*.html"))
    page = visit(f"exercises/{path.name}")
    page.locator(".ck-checkbar").first.wait_for()
    questions = load_sheet(id).questions
    assert page.locator(".ck-checkbar").count() == len(questions)
    solved = dict(zip(page.evaluate("ckCells.notebook.code.map(c => c.id)")[1:], solved_cells(id), strict=True))
    for question in questions:
        place = page.locator("section", has=page.get_by_role("button", name=f"Check {question.id}", exact=True)).last
        assert not check(page, place, question.id)["report"]["right"]
    for id_, source in solved.items():
        page.evaluate(
            "([id, text]) => { const c = ckCells.notebook.cells.get(id); if (c?.editor) c.editor.text = text }",
            [id_, source],
        )
    for question in questions:
        place = page.locator("section", has=page.get_by_role("button", name=f"Check {question.id}", exact=True)).last
        said = check(page, place, question.id)
        assert said["report"] and said["report"]["right"], said
