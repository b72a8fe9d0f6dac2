"""Predictions and questions in a browser: nothing gives the answer away, each kind can be answered, and is kept."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from browser_help import answer_all

from coursekit.explorers import initialization
from coursekit.interactive._typography import words
from coursekit.interactive.answers import short
from coursekit.interactive.course import quiz
from coursekit.interactive.numbers_typed import readings

FIVE, SEVEN = "chapters/05_small.html", "chapters/07_other.html"
BLOCKED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"


def question(page, name):
    return page.locator(f"#ck-predict-{name}")


def commit(box):
    box.locator("button[type=submit]").click()


def reply(box):
    return box.locator(".ck-reply").inner_text()


def plain(page, html):
    return page.evaluate("s => new DOMParser().parseFromString(s, 'text/html').body.innerText", html)


# ---------------------------------------------------------------- nothing gives the answer away
def test_the_rest_of_a_section_is_covered_until_the_reader_commits(open_page, small_book):
    page = open_page(small_book + FIVE)
    visible = page.locator("article").inner_text()
    assert "A sentence before." in visible and "Words in front of the question." in visible
    for hidden in ("says this sentence", "smaller heading", "0.548"):
        assert hidden not in visible
    assert not page.locator(".ck-explorer").first.is_visible()
    box = question(page, "05-zero")
    box.locator("input").first.check()
    commit(box)
    assert page.get_by_text("The gradient is zero, says this sentence.").is_visible()
    assert page.locator(".ck-explorer").first.is_visible()
    assert page.get_by_role("heading", name="A smaller heading").is_visible()
    assert not page.get_by_text("A straight line, says this sentence.").is_visible(), "the next section is its own"
    page.reload()
    assert page.locator(".ck-explorer").first.is_visible(), "what was answered stays open"
    box.get_by_role("button", name="Answer again").click()
    assert not page.locator(".ck-explorer").first.is_visible()


def test_a_reader_may_look_without_answering_and_that_is_not_a_prediction(open_page, small_book):
    page = open_page(small_book + FIVE)
    question(page, "05-zero").get_by_role("button", name="Show it without answering").click()
    assert page.locator(".ck-explorer").first.is_visible()
    page.reload()
    assert page.locator(".ck-explorer").first.is_visible()
    assert page.evaluate("localStorage.getItem('coursekit:predict:05-zero')") is None


def test_a_link_to_something_covered_opens_it(open_page, small_book):
    page = open_page(small_book + FIVE + "#below-smaller")
    assert page.get_by_text("Text under the smaller heading.").is_visible()
    assert not page.get_by_text("A straight line, says this sentence.").is_visible()
    page = open_page(small_book + FIVE + "#ck-signal&signal.std=0.1")
    assert page.locator("#ck-signal").is_visible()


def test_a_covered_section_counts_as_read_only_when_it_is_open(open_page, small_book):
    page = open_page(small_book + FIVE)
    page.set_viewport_size({"width": 1280, "height": 600})
    seen = "JSON.parse(localStorage.getItem('coursekit:read:chapters/05_small.html') ?? '{\"seen\": []}').seen"
    page.wait_for_function(f"{seen}.includes('before')")
    page.evaluate(
        """() => {
      const { bottom } = document.getElementById("choose").getBoundingClientRect();
      scrollBy({ top: bottom - innerHeight + 1, behavior: "instant" });
    }"""
    )
    page.wait_for_timeout(8000)  # its 57 words take six seconds to skim
    assert "choose" not in page.evaluate(seen)
    question(page, "05-zero").get_by_role("button", name="Show it without answering").click()
    page.set_viewport_size({"width": 1280, "height": 3000})
    page.wait_for_function(f"{seen}.includes('choose')")


def test_without_javascript_and_on_paper_everything_is_shown(open_page, small_book):
    page = open_page(small_book + FIVE, java_script_enabled=False)
    assert page.get_by_text("The gradient is zero, says this sentence.").is_visible()
    assert page.locator(".ck-explorer .ck-picture svg").first.is_visible()
    page = open_page(small_book + FIVE)
    page.emulate_media(media="print")
    assert page.get_by_text("The gradient is zero, says this sentence.").is_visible()
    assert page.locator(".ck-explorer .ck-picture svg").first.is_visible()
    assert not page.get_by_text("The rest of this section").first.is_visible()
    assert question(page, "05-zero").locator(".ck-print").is_visible()


def test_no_right_answer_stands_in_plain_sight(open_page, small_book):
    page = open_page(small_book + FIVE)
    for asked in quiz("05").questions:
        shown = question(page, asked.name).inner_text()
        assert asked._more == "" or plain(page, asked._more)[:40] not in shown
        if asked.kind.kind == "number":
            assert asked.right not in shown
        if asked.is_choice:
            assert not any(told[:40] in shown for told in asked.options.values())


# ---------------------------------------------------------------- each reader's own order
def order_of(page):
    return page.evaluate(
        "[...document.querySelectorAll('.ck-options')]"
        ".map((box) => [...box.querySelectorAll('input')].map((field) => field.value).join(''))"
    )


def test_the_options_have_another_order_for_each_reader_and_keep_it(open_page, small_book):
    page = open_page(small_book + SEVEN)
    first = order_of(page)
    page.reload()
    assert order_of(page) == first
    others = [order_of(open_page(small_book + SEVEN)) for _ in range(3)]
    assert any(other != first for other in others)


def test_over_many_readers_and_questions_every_place_is_as_likely(open_page, small_book):
    page = open_page(small_book + SEVEN)
    over_readers, over_questions = Counter(), Counter()
    for seed in range(30):  # a seed is read once a page
        page.evaluate("seed => localStorage.setItem('coursekit:seed', seed)", seed)
        page.reload()
        places = "names => names.map((name) => ckQuestions.order(name, 3).indexOf(0))"
        over_readers.update(page.evaluate(places, [f"05-quiz-{n}" for n in range(20)]))
        if seed == 0:
            over_questions.update(page.evaluate(places, [f"{c:02d}-quiz-{n}" for c in range(20) for n in range(30)]))
    for counts in (over_readers, over_questions):
        assert all(160 <= counts[place] <= 240 for place in range(3)), counts


# ---------------------------------------------------------------- the kinds
def test_a_wrong_choice_shows_the_right_one(open_page, small_book):
    page = open_page(small_book + FIVE)
    asked = quiz("05").questions[0]
    box = question(page, asked.name)
    right = asked.texts.index(asked.answer)
    wrong = (right + 1) % len(asked.texts)
    box.locator(f"input[value='{wrong}']").check()
    commit(box)
    assert reply(box).startswith("Not quite.") and asked.options[asked.texts[wrong]][:30] in reply(box)
    assert box.locator(".ck-is-right").inner_text().startswith(asked.answer)
    assert "your answer" in box.locator(".ck-is-wrong").inner_text()


@pytest.mark.parametrize("typed", ["0.0707", "0,0707", "sqrt(2/400)", "7.07 %", "7.07e-2", "√(2/400)"])
def test_a_number_may_be_typed_in_many_ways(open_page, small_book, typed):
    page = open_page(small_book + FIVE)
    box = question(page, "05-quiz-3")
    box.locator("input").fill(typed)
    page.keyboard.press("Enter")
    assert reply(box).startswith("Right.")


def test_a_usual_wrong_number_is_named_and_nothing_is_said_of_a_word(open_page, small_book):
    page = open_page(small_book + FIVE)
    box = question(page, "05-quiz-3")
    box.locator("input").fill("a lot")
    page.keyboard.press("Enter")
    assert reply(box).startswith("Please give a number")
    box.locator("input").fill("0.005")
    page.keyboard.press("Enter")
    assert "That is the variance." in reply(box) and "14 times too small" in reply(box)


def test_the_page_reads_numbers_as_python_does(open_page, small_book):
    page = open_page(small_book + FIVE)
    typed = ["1/2", "50 %", "0,5", "−3", "1,216", "1 216", "307,200", "2·10^-4", "ln 10", "sqrt(2/400)", "√2", "2^-30"]
    typed += [
        "(1 + 2) * 3",
        "--3",
        "1..2",
        "()",
        "two",
        "",
        "1/0",
        "9^9^9^9",
        "π",
        "e",
        "exp 1",
        "log 100",
        "-2^2",
        "1e5",
    ]
    for text in typed:
        assert page.evaluate("ckQuestions.readings", text) == pytest.approx(readings(text)), text


def test_several_answers_are_marked_one_by_one(open_page, small_book):
    page = open_page(small_book + SEVEN)
    asked = next(q for q in quiz("06").questions if q.kind.kind == "several")
    box = question(page, asked.name)
    commit(box)
    assert reply(box) == "Please tick at least one answer."
    missing, wrong = asked.kind.marks[0], next(i for i in range(len(asked.texts)) if i not in asked.kind.marks)
    given = sorted([*asked.kind.marks[1:], wrong])
    for index in given:
        box.locator(f"input[value='{index}']").check()
    commit(box)
    assert reply(box).replace("\n", " ") == plain(page, asked.reply(given)).replace("\n", " ")
    assert "not ticked" in box.locator(f".ck-option:has(input[value='{missing}'])").inner_text()
    page.reload()
    assert box.locator(f"input[value='{wrong}']").is_checked() and reply(box).startswith("Not quite.")


def test_an_order_is_made_by_keyboard(open_page, small_book):
    page = open_page(small_book + SEVEN)
    asked = next(q for q in quiz("01").questions if q.kind.kind == "order")
    box = question(page, asked.name)
    count = len(asked.kind.items)

    def now():
        return [int(row.get_attribute("data-item")) for row in box.locator("li").all()]

    assert now() != list(range(count)), "mixed at first"
    for item in range(count):
        row = box.locator(f"li[data-item='{item}']")
        row.locator("button[data-move='-1']").focus() if now().index(item) > item else None
        while now().index(item) > item:
            page.keyboard.press("Enter")
    assert now() == list(range(count))
    commit(box)
    assert reply(box).startswith("Right.")
    page.reload()
    assert now() == list(range(count)) and box.locator("li button").first.is_disabled()


def test_a_faulty_line_is_found(open_page, small_book):
    page = open_page(small_book + SEVEN)
    asked = next(q for q in quiz("06").questions if q.kind.kind == "line")
    box = question(page, asked.name)
    assert [row.inner_text() for row in box.locator(".ck-lines code").all()] == list(asked.kind.code), "in their order"
    box.get_by_label(asked.kind.code[2]).check()
    commit(box)
    assert reply(box).startswith("Not quite.") and f"It is line {asked.kind.answer + 1}" in reply(box)
    assert asked.kind.code[asked.kind.answer] in box.locator(".ck-is-right").inner_text()


# ---------------------------------------------------------------- a curve
@pytest.fixture
def sketch(open_page, small_book):
    def start(**options):
        page = open_page(small_book + FIVE, **options)
        box = question(page, "05-relu")
        box.scroll_into_view_if_needed()
        return page, box

    return start


def points(box, line):
    return box.locator(f"polyline.ck-{line}").get_attribute("points")


def place(box, at, level):
    """A point of the picture: `at` from 0 (left end of the axis) to 1, `level` from 0 to 100."""
    from coursekit.interactive import sketch

    area = box.locator(".ck-sketch svg").bounding_box()
    across = sketch.LEFT + at * (sketch.WIDTH - sketch.LEFT - sketch.RIGHT)
    up = sketch.TOP + (1 - level / 100) * (sketch.HEIGHT - sketch.TOP - sketch.BOTTOM)
    return area["x"] + area["width"] * across / sketch.WIDTH, area["y"] + area["height"] * up / sketch.HEIGHT


def levels(box):
    return [int(field.input_value()) for field in box.locator("input").all()]


def test_one_stroke_draws_the_whole_line(sketch):
    page, box = sketch()
    assert points(box, "drawn") is None, "nothing is drawn at first"
    commit(box)
    assert "Please draw the line first" in reply(box)
    page.mouse.move(*place(box, 0, 90))
    page.mouse.down()
    page.mouse.move(*place(box, 0.5, 60), steps=4)
    page.mouse.move(*place(box, 1, 30), steps=2)
    page.mouse.up()
    assert levels(box) == pytest.approx([90, 82, 75, 68, 60, 52, 45, 38, 30], abs=2)
    assert points(box, "truth") is None
    commit(box)
    curve = initialization.predict_relu.answer
    assert len(points(box, "truth").split()) == 33
    assert reply(box).startswith(words(curve.verdict(levels(box))))
    page.reload()
    assert points(box, "truth") and levels(box)[0] == pytest.approx(90, abs=2)
    box.get_by_role("button", name="Answer again").click()
    assert points(box, "drawn") is None and points(box, "truth") is None


def test_a_finger_draws_and_the_page_does_not_scroll(sketch):
    page, box = sketch(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    before = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    way = [place(box, k / 20, 95 - 3 * k) for k in range(21)]
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": [{"x": way[0][0], "y": way[0][1]}]})
    for x, y in way[1:]:
        session.send(touch, {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})
    assert levels(box) == pytest.approx([95 - 7.5 * k for k in range(9)], abs=3)
    assert page.evaluate("scrollY") == before


def test_the_keyboard_draws_and_mends(sketch):
    page, box = sketch()
    fields = box.locator("input")
    fields.nth(0).focus()
    assert fields.nth(0).get_attribute("aria-valuetext") == "not drawn yet"
    for _ in range(7):
        page.keyboard.press("ArrowUp")
    assert levels(box) == [57] * 9, "the other points follow the only one"
    value = initialization.predict_relu.answer.value(57)
    assert fields.nth(0).get_attribute("aria-valuetext") == words(short(value))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert fields.nth(1).evaluate("field => field === document.activeElement")
    assert levels(box)[:2] == [57, 0] and levels(box)[8] == 0


# ---------------------------------------------------------------- storage
@pytest.mark.parametrize("trouble", [BLOCKED, FULL], ids=["blocked", "full"])
def test_where_nothing_can_be_kept_the_reader_is_told_and_can_go_on(open_page, small_book, trouble):
    # The theme complains where storage is blocked.
    page = open_page(small_book + FIVE, complaints=False, before=lambda page: page.add_init_script(trouble))
    box = question(page, "05-zero")
    box.locator("input").first.check()
    commit(box)
    assert "did not keep your answer" in reply(box)
    assert page.locator(".ck-explorer").first.is_visible()


# ---------------------------------------------------------------- for everyone
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_before_and_after_answers(open_page, small_book, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for name in (FIVE, SEVEN):
        page = open_page(small_book + name, viewport={"width": width, "height": 800}, color_scheme=scheme)
        for turn in range(2):
            if turn:
                answer_all(page)
            context = {"include": [[".ck-predict"]], "exclude": [[".ck-figure > svg"], [".ck-picture > svg"]]}
            found = axe.Axe().run(page, context=context, options={"preload": False, "resultTypes": ["violations"]})
            assert [f"{v['id']}: {n['html'][:150]}" for v in found.response["violations"] for n in v["nodes"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_words_of_the_script_are_those_of_python(open_page, small_book):
    """One answer to every question: the page replies what `reply` gives."""
    page = open_page(small_book + SEVEN)
    answer_all(page)
    for asked in [*quiz("06").questions, *quiz("01").questions]:
        given = json.loads(page.evaluate("name => localStorage.getItem(`coursekit:predict:${name}`)", asked.name))[
            "answer"
        ]
        said = re.sub(r"\s+", " ", reply(question(page, asked.name)))
        assert said == re.sub(
            r"\s+",
            " ",
            page.evaluate(
                """s => {
            const made = document.createElement('div'); made.innerHTML = s; document.body.append(made);
            const text = made.innerText; made.remove(); return text; }""",
                asked.reply(given),
            ),
        ), asked.name
