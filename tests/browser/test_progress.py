"""What a reader did is shown on the first page, kept in the browser, saved, brought back and erased."""

import json
from pathlib import Path

import pytest
from browser_help import give_up

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
ROW = "tr[data-page='chapters/05_initialization.html'] .ck-count"


@pytest.fixture
def page(open_page, serve):
    if not (BOOK / "intro.html").is_file():
        give_up("there is no book; build it first: make build")
    page = open_page(serve(BOOK) + "intro.html")
    page.wait_for_selector(".ck-progress button")
    return page


def counts(page):
    return [cell.inner_text() for cell in page.query_selector_all(ROW)]


def work_in_chapter(page):
    """Scroll chapter 05 to its end, and answer every question of its quiz: the first with option 1, and so on."""
    start = page.url
    page.goto(start.replace("intro.html", "chapters/05_initialization.html"))
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 400) {
            window.scrollTo({top: y, behavior: 'instant'}); await new Promise(requestAnimationFrame);
        }
    }""")
    questions = page.query_selector_all(".ck-quiz .ck-predict")
    for number, question in enumerate(questions):
        options = question.query_selector_all("input")
        options[number % len(options)].check()
        question.query_selector("button[type=submit]").click()
    page.goto(start)
    return len(questions)


def test_a_new_reader_has_done_nothing(page):
    assert len(counts(page)) == 4
    assert all(count.startswith("0 of ") for count in counts(page))


def test_what_was_read_and_answered_is_counted_saved_erased_and_brought_back(page, tmp_path):
    asked = work_in_chapter(page)
    sections, predictions, quiz, exercises = before = counts(page)
    done, _, all_of_them = sections.partition(" of ")
    assert done == all_of_them
    assert page.query_selector("tr.ck-read")
    assert predictions.startswith("0 of ") and exercises.startswith("0 of ")
    right = page.evaluate(
        "Object.entries(localStorage).filter(([k, v]) => k.includes('-quiz-') && JSON.parse(v).right).length"
    )
    assert quiz == f"{asked} of {asked}, {right} right"
    assert 0 < right < asked, "choose other options: both right and wrong answers must be counted"

    with page.expect_download() as download:
        page.click("text=Save to a file")
    saved = tmp_path / "progress.json"
    download.value.save_as(saved)
    assert sum("-quiz-" in key for key in json.loads(saved.read_text())) == asked

    page.click("text=Erase")
    assert counts(page) == before, "one click must not erase"
    page.click("text=Really erase all of it?")
    assert counts(page)[0].startswith("0 of ")
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('coursekit:')).length") == 0

    page.set_input_files("input[type=file]", saved)
    page.locator(".ck-progress [role=status]", has_text="Brought back").wait_for()
    assert counts(page) == before


def test_a_file_of_another_program_changes_nothing(page, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"other": "dark"}')
    page.set_input_files("input[type=file]", other)
    page.locator(".ck-progress [role=status]", has_text="not a file").wait_for()
    assert page.evaluate("localStorage.getItem('other')") is None
