"""The clinic in a real browser: it asks, answers, remembers, and brings cases back."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.explorers.watching_training import clinic
from coursekit.interactive.clinic import DAYS, RETRY

ROOT = Path(__file__).parent.parent.parent
KEY = "coursekit:clinic:clinic"
DAY = 86_400_000
PAGE = """\
---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3, language: python}
---
# Clinic

```{code-cell}
:tags: [remove-input]
from coursekit.explorers.watching_training import clinic
clinic
```
"""
CONFIGURATION = f"""\
project = "Clinic"
extensions = ["myst_nb", "coursekit.interactive.sphinx_ext"]
html_theme = "sphinx_book_theme"
html_context = {{"default_mode": "auto"}}
html_favicon = "icon.svg"
nb_execution_mode = "force"
nb_ipywidgets_js = {{}}
exclude_patterns = ["_build", "jupyter_execute"]
coursekit_cache = {str(ROOT / ".cache")!r}
coursekit_live = ""
"""


@pytest.fixture(scope="module")
def page_address(tmp_path_factory, serve):
    """A book of one page with the clinic on it."""
    source = tmp_path_factory.mktemp("clinic")
    (source / "conf.py").write_text(CONFIGURATION)
    (source / "index.md").write_text(PAGE)
    (source / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", str(source), str(source / "_build")]
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return serve(source / "_build") + "index.html"


def shown(page):
    """The number of the case that is asked, once picture and question agree."""
    page.wait_for_function(
        "() => { const c = document.querySelector('.ck-clinic'); return c.ck && "
        "c.querySelector('.ck-alt').innerText.startsWith(`Case ${c.ck.shown}.`); }"
    )
    return page.evaluate("document.querySelector('.ck-clinic').ck.shown")


def give(page, right):
    """Answer the case that is shown; returns its number."""
    number = shown(page)
    answer = clinic.questions[number - 1]["answer"]
    page.locator(f".ck-clinic-options input[value='{answer if right else (answer + 1) % 4}']").check()
    page.locator(".ck-clinic button[type=submit]").click()
    return number


def follow(page):
    page.get_by_role("button", name="Next case").click()


def kept(page):
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))


def reply(page):
    return page.locator(".ck-clinic .ck-reply").inner_text()


def test_a_right_answer_is_explained_and_due_again_in_a_day(open_page, page_address):
    page = open_page(page_address)
    number = give(page, True)
    assert number == 1
    assert reply(page) == clinic.reply(1, clinic.questions[0]["answer"])
    state = kept(page)
    assert state["count"] == 1 and state["cases"]["1"]["box"] == 1
    assert abs(state["cases"]["1"]["due"] - page.evaluate("Date.now()") - DAYS[0] * DAY) < 60_000
    assert "Solved: 1." in page.locator(".ck-clinic-progress").inner_text()


def test_a_wrong_answer_is_explained_and_the_case_comes_back_after_three_others(open_page, page_address):
    page = open_page(page_address)
    first = give(page, False)
    assert reply(page) == clinic.reply(first, (clinic.questions[first - 1]["answer"] + 1) % 4)
    numbers = []
    for _ in range(RETRY + 1):
        follow(page)
        numbers.append(give(page, True))
    assert numbers.index(first) == RETRY
    assert kept(page)["cases"][str(first)]["box"] == 1


def test_causes_are_mixed(open_page, page_address):
    page = open_page(page_address)
    causes = []
    for _ in range(8):
        causes.append(clinic.questions[give(page, True) - 1]["cause"])
        follow(page)
    assert all(a != b for a, b in itertools.pairwise(causes))


def test_progress_stays_in_the_browser_and_can_be_forgotten(open_page, page_address):
    page = open_page(page_address)
    give(page, True)
    page.reload()
    assert shown(page) != 1
    assert "Solved: 1." in page.locator(".ck-clinic-progress").inner_text()
    page.get_by_role("button", name="Forget my progress").click()
    assert kept(page)["count"] == 1, "one click must not forget"
    page.get_by_role("button", name="Really forget 1 case?").click()
    assert shown(page) == 1
    assert page.evaluate(f"localStorage.getItem('{KEY}')") is None


def test_forgetting_asks_afresh_when_the_reader_went_elsewhere(open_page, page_address):
    page = open_page(page_address)
    give(page, True)
    page.get_by_role("button", name="Forget my progress").click()
    page.get_by_role("button", name="Next case").focus()
    page.get_by_role("button", name="Forget my progress").click()
    assert kept(page)["count"] == 1


def test_two_tabs_lose_nothing(open_page, page_address):
    one = open_page(page_address)
    shown(one)
    two = one.context.new_page()
    two.goto(page_address)
    shown(two)
    for _ in range(3):
        give(one, True)
        follow(one)
    give(two, False)
    follow(two)
    give(one, True)
    state = kept(one)
    assert state["count"] == 5
    assert sum(case["box"] > 0 for case in state["cases"].values()) >= 3
    two.locator(".ck-clinic-progress", has_text=f"New: {40 - len(state['cases'])}").wait_for()


def test_the_next_case_comes_with_the_focus_on_its_question(open_page, page_address):
    page = open_page(page_address, viewport={"width": 1366, "height": 768})
    give(page, True)
    page.keyboard.press("Enter")
    assert shown(page) != 1
    assert page.evaluate("document.activeElement.tagName") == "LEGEND"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "radio"


@pytest.mark.parametrize("size", [{"width": 1366, "height": 768}, {"width": 390, "height": 844}])
def test_curves_question_and_answer_share_a_screen(open_page, page_address, size):
    page = open_page(page_address, viewport=size)
    give(page, False)
    follow(page)
    shown(page)

    def inside(selector):
        box = page.locator(selector).bounding_box()
        return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]

    assert (
        inside(".ck-clinic .ck-picture") and inside(".ck-clinic-options") and inside(".ck-clinic button[type=submit]")
    )
    give(page, False)
    assert inside(".ck-clinic .ck-picture") and inside(".ck-clinic legend")
    if size["width"] > 600:
        assert inside(".ck-clinic .ck-reply")
    else:
        page.locator(".ck-clinic .ck-reply").scroll_into_view_if_needed()
        assert inside(".ck-clinic .ck-reply") and inside(".ck-clinic legend")


@pytest.mark.parametrize(
    "trouble",
    [
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }",
    ],
    ids=["blocked", "full"],
)
def test_where_nothing_can_be_kept_the_clinic_goes_on_and_says_so(open_page, page_address, trouble):
    page = open_page(page_address, complaints=False, before=lambda page: page.add_init_script(trouble))
    first = give(page, True)
    assert "does not keep your progress" in page.locator(".ck-clinic-progress").inner_text()
    follow(page)
    assert shown(page) != first
    give(page, True)
    assert "Solved: 2." in page.locator(".ck-clinic-progress").inner_text()


def test_the_right_cause_is_marked(open_page, page_address):
    page = open_page(page_address)
    number = give(page, False)
    assert clinic.questions[number - 1]["cause"] in page.locator(".ck-clinic .ck-is-right").inner_text()
    assert "your answer" in page.locator(".ck-clinic .ck-is-wrong").inner_text()


def test_a_case_that_is_due_comes_before_new_ones_and_moves_up_a_box(open_page, page_address):
    page = open_page(page_address)
    shown(page)
    past = {"count": 5, "cases": {"7": {"box": 2, "due": 1}, "1": {"box": 1, "due": 4e15}}}
    page.evaluate(f"state => localStorage.setItem('{KEY}', JSON.stringify(state))", past)
    page.reload()
    assert give(page, True) == 7
    again = kept(page)["cases"]["7"]
    assert again["box"] == 3
    assert abs(again["due"] - page.evaluate("Date.now()") - DAYS[2] * DAY) < 60_000
    follow(page)
    assert shown(page) == 2


def test_when_nothing_is_due_the_page_says_so(open_page, page_address):
    page = open_page(page_address)
    shown(page)
    soon = page.evaluate("Date.now()") + 2.5 * DAY
    state = {"count": 40, "cases": {str(n): {"box": 1, "due": soon} for n in range(1, 41)}}
    page.evaluate(f"state => localStorage.setItem('{KEY}', JSON.stringify(state))", state)
    page.reload()
    page.wait_for_function("() => document.querySelector('.ck-clinic')?.ck")
    assert "Nothing is due. The next case comes back in 3 days." in reply(page)


def test_broken_progress_is_taken_for_none(open_page, page_address):
    page = open_page(page_address)
    shown(page)
    page.evaluate(f"localStorage.setItem('{KEY}', '{{\"count\": 3}}')")
    page.reload()
    assert shown(page) == 1
    give(page, True)


def test_the_question_follows_the_slider_and_works_by_keyboard(open_page, page_address):
    page = open_page(page_address)
    shown(page)
    page.locator(".ck-clinic input[type=range]:not(.ck-read)").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.ck-clinic').ck.shown === 2")
    assert shown(page) == 2
    texts = page.locator(".ck-clinic-options label").all_inner_texts()
    assert sorted(texts) == sorted(clinic.questions[1]["options"])
    page.locator(".ck-clinic-options input[value='0']").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert reply(page) == clinic.reply(2, 0)


def test_without_javascript_a_picture_and_a_note_are_there(open_page, page_address):
    page = open_page(page_address, java_script_enabled=False)
    assert page.locator(".ck-clinic .ck-picture svg").is_visible()
    assert "need JavaScript" in page.locator(".ck-clinic").inner_text()
    assert not page.locator(".ck-clinic form").is_visible()
