"""The built book in Chromium, Firefox and WebKit: what every engine must do alike."""

import re
from pathlib import Path

import pytest
from browser_help import give_up
from engines import Chromium, Firefox, WebKit
from formula_sheet import LONELY, MEASURE, formulas, sheet

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
ENGINES = ("chromium", "firefox", "webkit")
WIDTHS = (390, 1280)


@pytest.fixture(scope="module")
def book(serve):
    """The book's address, and beside it the page of all formulas."""
    if not (BOOK / "intro.html").is_file():
        give_up("TESTS IN THREE ENGINES SKIPPED: there is no book. Build it first: make build")
    style = re.search(r'href="(_static/book\.\w+\.css)"', (BOOK / "intro.html").read_text(encoding="utf-8"))[1]
    (BOOK / "_static" / "all-formulas.html").write_text(sheet(formulas(BOOK), f"../{style}"), encoding="utf-8")
    yield serve(BOOK)
    (BOOK / "_static" / "all-formulas.html").unlink()


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    """A tab of each engine."""
    if request.param == "chromium":
        started = Chromium(request.getfixturevalue("chromium"))
    else:
        try:
            started = {"firefox": Firefox, "webkit": WebKit}[request.param]()
        except (FileNotFoundError, ImportError) as error:
            give_up(f"no {request.param} to test with (sh tools/get-engines): {error}")
    yield started
    started.close()


def measured(engine, book, style=""):
    """What is wrong in the page of all formulas, under some more rules of style."""
    engine.size(1280)
    engine.open(book + "_static/all-formulas.html")
    engine.run(f"document.head.insertAdjacentHTML('beforeend', `<style>{style}</style>`)")
    return engine.run(MEASURE)


def test_that_formulas_are_set_well(engine, book):
    wrong = measured(engine, book)
    assert wrong.pop("formulas") > 600
    assert wrong.pop("roots") > 30
    assert wrong == {"overlap": [], "root": [], "script": [], "prime": []}


def test_that_badly_set_formulas_are_noticed(engine, book):
    assert measured(engine, book, "msqrt { padding-right: 4px } mo { margin-left: -0.7em }")["overlap"]
    assert measured(engine, book, "msqrt { padding-right: 4px }")["root"]
    if engine.name == "webkit":  # the only one that hangs punctuation, and scatters what such a cell holds
        assert measured(engine, book, "math { hanging-punctuation: first !important }")["overlap"]
        scattered = "mtd[columnalign=right] { text-align: -webkit-right !important }"
        assert measured(engine, book, scattered)["overlap"]


@pytest.mark.parametrize("name", ["chapters/07_optimizers.html", "chapters/09_regularization.html"])
def test_that_no_line_begins_with_the_punctuation_after_a_formula(engine, book, name):
    for width in WIDTHS:
        engine.size(width)
        engine.open(book + name)
        assert engine.run(LONELY) == [], width


@pytest.mark.parametrize("name", ["intro.html", "chapters/05_initialization.html", "chapters/12_convolution.html"])
def test_that_a_page_is_not_wider_than_the_window(engine, book, name):
    for width in WIDTHS:
        engine.size(width)
        engine.open(book + name)
        inner, page = engine.run("return [innerWidth, document.documentElement.scrollWidth]")
        assert inner == pytest.approx(width, abs=2)
        assert page <= inner


def test_that_an_explorer_answers_and_a_prediction_is_kept(engine, book):
    engine.size(1280)
    engine.open(book + "chapters/05_initialization.html")
    engine.run("document.querySelectorAll('.ck-cover button').forEach((button) => button.click())")
    before, after = engine.run("""
      const root = document.querySelector(".ck-explorer:has(input[type=range])");
      const picture = root.querySelector(".ck-picture");
      root.scrollIntoView();
      const before = picture.innerHTML, slider = root.querySelector("input[type=range]");
      slider.value = slider.value === slider.min ? slider.max : slider.min;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      slider.dispatchEvent(new Event("change", { bubbles: true }));
      for (let wait = 0; wait < 80 && picture.innerHTML === before; wait++)
        await new Promise((go) => setTimeout(go, 100));
      return [before.length, picture.innerHTML === before ? 0 : picture.innerHTML.length];""")
    assert before and after
    name = engine.run("""
      const radio = document.querySelector(".ck-predict form input[type=radio]"), form = radio.closest("form");
      radio.click();
      form.querySelector("button[type=submit]").click();
      return form.closest(".ck-predict").dataset.name;""")
    engine.open(book + "chapters/05_initialization.html")
    assert engine.run(f"return localStorage.getItem('coursekit:predict:{name}')")
