"""What a reader did is shown on the first page, kept in the browser, saved, brought back and erased."""

import json
from pathlib import Path

import pytest
from browser_help import answer_all
from test_questions import BLOCKED, FULL

ROW = "tr[data-page='chapters/05_small.html'] .ck-count"
DAY = 86_400_000


@pytest.fixture
def page(open_page, small_book):
    return first_page(open_page, small_book)


def first_page(open_page, small_book, **options):
    page = open_page(small_book + "intro.html", **options)
    page.wait_for_selector(".ck-progress button")
    return page


def counts(page):
    return [cell.inner_text() for cell in page.query_selector_all(ROW)]


def work_in_chapter(page, seconds=45):
    """Answer everything in the small chapter and scroll to its end, slowly; returns how long its quiz is."""
    start = page.url
    page.clock.install()
    page.goto(start.replace("intro.html", "chapters/05_small.html"))
    for _ in range(3):  # an answer uncovers what comes after it
        answer_all(page)
    for y in range(0, page.evaluate("document.body.scrollHeight"), 400):
        page.evaluate("y => window.scrollTo({ top: y, behavior: 'instant' })", y)
        page.clock.run_for(1000 * seconds)
    asked = page.locator(".ck-quiz .ck-predict").count()
    page.goto(start)
    return asked


def test_a_new_reader_has_done_nothing(page):
    *read, exercises = counts(page)
    assert len(read) == 3 and all(count.startswith("0 of ") for count in read)
    assert exercises == "–", "the small chapter has no sheet"
    assert not page.locator(".ck-due").is_visible()


def test_what_was_read_and_answered_is_counted_saved_erased_and_brought_back(page, tmp_path):
    asked = work_in_chapter(page)
    sections, predictions, quiz, exercises = before = counts(page)
    done, _, all_of_them = sections.partition(" of ")
    assert done == all_of_them
    assert page.query_selector("tr.ck-read")
    assert predictions == "3 of 3" and exercises == "–"
    right = page.evaluate(
        "Object.entries(localStorage).filter(([k, v]) => k.includes('-quiz-') && JSON.parse(v).right).length"
    )
    assert quiz == f"{asked} of {asked}, {right} right"

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


def test_a_chapter_that_was_only_scrolled_is_not_read(page):
    work_in_chapter(page, seconds=0.01)
    assert counts(page)[0].startswith("0 of ")
    assert not page.locator(".ck-continue").is_visible()


def test_the_first_page_leads_to_where_one_was(page):
    work_in_chapter(page)
    link = page.locator(".ck-continue a")
    assert link.inner_text() == "Small chapter: Quiz"
    assert page.locator(".bd-links a.ck-done").count() == 1, "the chapter has a tick beside its name"
    link.click()
    assert page.url.endswith("chapters/05_small.html#quiz")


def test_a_file_of_another_program_changes_nothing(page, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"other": "dark"}')
    page.set_input_files("input[type=file]", other)
    page.locator(".ck-progress [role=status]", has_text="not a file").wait_for()
    assert page.evaluate("localStorage.getItem('other')") is None


def test_the_first_page_says_how_many_questions_are_due(page):
    ago = page.evaluate("days => new Date(Date.now() - days * 86400000).toISOString()", 1.5)
    answers = {"05-quiz-1": False, "05-quiz-2": True, "05-quiz-3": False, "05-zero": False}
    for name, right in answers.items():
        value = json.dumps({"answer": 0, "right": right, "when": ago})
        page.evaluate("([name, value]) => localStorage.setItem(`coursekit:predict:${name}`, value)", [name, value])
    page.reload()
    due = page.locator(".ck-due")
    assert due.inner_text() == "2 questions are due for review.", "wrong ones after a day, predictions not at all"
    due.get_by_role("link").click()
    page.locator(".ck-review-status", has_text="2 questions are due, from 1 chapter.").wait_for()


@pytest.mark.parametrize("trouble", [BLOCKED, FULL], ids=["blocked", "full"])
def test_where_nothing_can_be_kept_each_button_says_so(open_page, small_book, tmp_path, trouble):
    page = first_page(open_page, small_book, complaints=False, before=lambda page: page.add_init_script(trouble))
    said = page.locator(".ck-progress [role=status]")
    for button in ("Save to a file", "Erase"):
        page.get_by_role("button", name=button).click()
        assert "nothing to" in said.inner_text()
    saved = Path(tmp_path, "progress.json")
    saved.write_text('{"coursekit:seed": 1}')
    page.set_input_files("input[type=file]", saved)
    page.locator(".ck-progress [role=status]", has_text="did not keep 1 of 1 entries").wait_for()
