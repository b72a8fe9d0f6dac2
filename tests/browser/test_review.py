"""The review page: questions come back when FSRS says so, mixed over the chapters, and nothing leaves the browser."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from browser_help import answer_all
from test_questions import BLOCKED

from coursekit.interactive import review
from coursekit.interactive.course import quiz

STATIC = Path(review.__file__).parent / "static"
DAY = 86_400_000


@pytest.fixture
def visit(open_page, small_book):
    """visit(answers) -> the review page of a reader who gave these answers: name -> (right, days ago)."""

    def start(answers, **options):
        page = open_page(small_book + "intro.html", **options)
        now = page.evaluate("Date.now()")
        for name, (right, days) in answers.items():
            when = page.evaluate("ms => new Date(ms).toISOString()", now - days * DAY)
            value = json.dumps({"answer": 0, "right": right, "when": when})
            page.evaluate("([name, value]) => localStorage.setItem(`coursekit:predict:${name}`, value)", [name, value])
        page.goto(small_book + "review.html")
        page.wait_for_selector(".ck-review-status")
        return page

    return start


def shown(page):
    page.wait_for_selector(".ck-review .ck-predict")
    return page.locator(".ck-review .ck-predict").get_attribute("data-name")


def give(page, right):
    """Answer the question that is shown."""
    name = shown(page)
    asked = next(q for q in quiz(name[:2]).questions if q.name == name)
    box, kind = page.locator(".ck-review .ck-predict"), asked.kind
    if asked.is_choice or kind.kind == "line":
        good = kind.texts.index(asked.answer) if asked.is_choice else kind.answer
        options = len(kind.texts) if asked.is_choice else len(kind.code)
        box.locator(f"input[value='{good if right else (good + 1) % options}']").check()
    elif kind.kind == "number":
        box.locator("input").fill(repr(kind.answer if right else kind.answer * 3 + 1))
    elif kind.kind == "several":
        for index in kind.marks if right else [i for i in range(len(kind.texts)) if i not in kind.marks]:
            box.locator(f"input[value='{index}']").check()
    elif right:
        page.evaluate(
            "count => document.querySelector('.ck-review .ck-predict').ck.kind.fill([...Array(count).keys()])",
            len(kind.items),
        )
    box.locator("button[type=submit]").click()
    return name


def card(page, name):
    return json.loads(page.evaluate("name => localStorage.getItem(`coursekit:review:${name}`)", name))


def days_to(page, name):
    return page.evaluate("due => (Date.parse(due) - Date.now()) / 86400000", card(page, name)["due"])


def status(page):
    return page.locator(".ck-review-status").inner_text()


def test_a_new_reader_is_told_what_the_page_is_for(visit):
    page = visit({})
    assert "Nothing to review yet." in page.locator(".ck-review").inner_text()


def test_what_is_due_is_asked_and_goes_to_a_later_day(visit):
    page = visit({"05-quiz-1": (False, 2), "05-quiz-2": (True, 1), "05-quiz-3": (True, 4)})
    assert status(page).startswith("2 questions are due, from 1 chapter.")
    first = give(page, True)
    assert first == "05-quiz-1", "the one that has waited longest"
    page.get_by_role("button", name="I knew it: next").click()
    assert days_to(page, first) > 1
    second = give(page, False)
    assert second == "05-quiz-3"
    page.get_by_role("button", name="Next").click()
    assert days_to(page, second) == pytest.approx(1, abs=0.01)
    assert status(page).startswith("Nothing is due. The next question comes back within a day.")
    page.reload()
    assert status(page).startswith("Nothing is due.")


def test_a_guess_counts_as_not_known(visit):
    page = visit({"05-quiz-1": (True, 10)})
    name = give(page, True)
    page.get_by_role("button", name="I guessed: next").click()
    assert days_to(page, name) == pytest.approx(1, abs=0.01)
    assert card(page, name)["lapses"] == 1


def test_intervals_grow_with_each_right_answer(visit):
    page = visit({"05-quiz-1": (True, 5)})
    gaps = []
    for _ in range(3):
        name = give(page, True)
        page.get_by_role("button", name="I knew it: next").click()
        gaps.append(days_to(page, name))
        late = card(page, name)
        for key in ("due", "last_review"):  # as if its day had come
            late[key] = page.evaluate(
                "([when, days]) => new Date(Date.parse(when) - days * 86400000).toISOString()",
                [late[key], gaps[-1] + 0.1],
            )
        page.evaluate(
            "([name, value]) => localStorage.setItem(`coursekit:review:${name}`, value)", [name, json.dumps(late)]
        )
        page.reload()
    assert gaps[0] > 3 and gaps[1] > 2 * gaps[0] and gaps[2] > 2 * gaps[1]


def test_chapters_are_mixed(visit):
    answers = {f"05-quiz-{n}": (False, 9) for n in (1, 2, 4)} | {f"06-quiz-{n}": (False, 5) for n in (3, 4, 6)}
    page = visit(answers)
    chapters = []
    for _ in range(6):
        name = shown(page)
        chapters.append(name[:2])
        give(page, False)
        page.get_by_role("button", name="Next").click()
    assert chapters in (["05", "06"] * 3, ["06", "05"] * 3)


def test_questions_of_a_begun_chapter_that_were_not_asked_are_offered(visit):
    page = visit({})
    page.evaluate("localStorage.setItem('coursekit:read:chapters/05_small.html', JSON.stringify({seen: ['draw']}))")
    page.reload()
    page.get_by_role("button", name="Ask me one of these").click()
    name = give(page, True)
    page.get_by_role("button", name="I knew it: next").click()
    assert days_to(page, name) == pytest.approx(review.FIRST["right"], abs=0.01)
    assert json.loads(page.evaluate("name => localStorage.getItem(`coursekit:predict:${name}`)", name))["right"]


def test_the_first_page_counts_as_fsrs_does(visit):
    """progress.js has FSRS's first intervals as constants, so that the first page need not load FSRS."""
    page = visit({})
    script = (STATIC / "progress.js").read_text()
    assert f"const FIRST = {{ wrong: {review.FIRST['wrong']}, right: {review.FIRST['right']} }};" in script
    days = page.evaluate("""() => {
        const now = new Date();
        const scheduler = FSRS.fsrs({ enable_short_term: false });
        const days = (rating) => scheduler.next(FSRS.createEmptyCard(now), now, rating).card.scheduled_days;
        return { wrong: days(FSRS.Rating.Again), right: days(FSRS.Rating.Good) };
    }""")
    assert days == review.FIRST


def test_ts_fsrs_is_the_published_file():
    digest = hashlib.sha256((STATIC / review.FSRS).read_bytes()).hexdigest()
    assert digest == "59b7444121d0aae5bb969097ed95df38eff4a4f878e459703c63720f6b6a176b"  # dist/index.umd.js of 5.4.2
    assert "MIT License" in (STATIC / review.FSRS).with_name("LICENSE").read_text()


def test_broken_cards_are_taken_for_none(visit):
    page = visit({"05-quiz-1": (False, 2)})
    page.evaluate("localStorage.setItem('coursekit:review:05-quiz-1', '{\"due\": \"never\"}')")
    page.reload()
    assert status(page).startswith("1 question is due")


def test_where_storage_is_blocked_the_page_says_so(open_page, small_book):
    page = open_page(small_book + "review.html", complaints=False, before=lambda page: page.add_init_script(BLOCKED))
    assert "Nothing to review yet." in page.locator(".ck-review").inner_text()


def test_a_question_that_cannot_be_loaded_is_said(visit, small_book):
    page = visit({"05-quiz-1": (False, 2)}, complaints=False)
    page.context.route("**/questions/05.js", lambda route: route.abort())
    page.reload()
    page.locator(".ck-review-place", has_text="This question is missing").wait_for()


def test_without_javascript_a_sentence_is_there(open_page, small_book):
    page = open_page(small_book + "review.html", java_script_enabled=False)
    assert "The review needs JavaScript" in page.locator(".ck-review").inner_text()


def test_other_pages_do_not_load_the_review(open_page, small_book):
    asked = []
    page = open_page(
        small_book + "chapters/05_small.html",
        before=lambda page: page.on("request", lambda request: asked.append(request.url)),
    )
    answer_all(page)
    assert not any("fsrs" in url or "review.js" in url for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_on_the_review_page(visit, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit({"05-quiz-1": (False, 2)}, color_scheme=scheme, viewport={"width": width, "height": 800})
    for turn in range(2):
        if turn:
            give(page, False)
        found = axe.Axe().run(page, context={"include": [[".ck-review"]]}, options={"preload": False})
        assert [f"{v['id']}: {n['html'][:150]}" for v in found.response["violations"] for n in v["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
