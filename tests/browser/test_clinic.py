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
    page.locator(".ck-clinic-options input").nth(answer if right else (answer + 1) % 4).check()
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
    assert shown(page) == 1
    assert page.evaluate(f"localStorage.getItem('{KEY}')") is None


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
    page.locator(".ck-clinic input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.ck-clinic').ck.shown === 2")
    assert shown(page) == 2
    texts = page.locator(".ck-clinic-options label").all_inner_texts()
    assert texts == clinic.questions[1]["options"]
    page.locator(".ck-clinic-options input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert reply(page) == clinic.reply(2, 0)


def test_without_javascript_a_picture_and_a_note_are_there(open_page, page_address):
    page = open_page(page_address, java_script_enabled=False)
    assert page.locator(".ck-clinic .ck-picture svg").is_visible()
    assert "need JavaScript" in page.locator(".ck-clinic").inner_text()
    assert not page.locator(".ck-clinic form").is_visible()
