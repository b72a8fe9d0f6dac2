"""A training that goes on while its settings are changed, points that a reader adds, and small maps shown large."""

from __future__ import annotations

import re

import explorers_demo
import pytest
from test_book import axe_violations
from test_explorers import live_site  # noqa: F401  a fixture
from test_explorers_hold import caption, wait_for_caption
from test_explorers_read import place_of

PULL = "#ck-pull"
STEPS = 2  # of one picture at speed 1


@pytest.fixture
def page(open_page, live_site):  # noqa: F811
    return open_page(live_site)


def train(page):
    """Press "Train on", and wait until the training has come on."""
    page.locator(f"{PULL} .ck-train").click()
    if page.locator(f"{PULL} .ck-start").is_visible():
        page.locator(f"{PULL} .ck-start").click()
    page.wait_for_function("document.querySelector('#ck-pull').ck.training.over.reached > 14", timeout=90_000)


def pause(page):
    """Pause; the picture's numbers by name."""
    page.locator(f"{PULL} .ck-train").click()
    page.wait_for_timeout(400)  # the picture that was under way
    return state(page)


def state(page):
    text = caption(page, PULL)
    names = {"step": r"Step (\d+)", "goal": r"goal ([-\d.]+),", "at": r"at ([-\d.]+),", "points": r"(\d+) points"}
    return {name: float(re.search(pattern, text)[1]) for name, pattern in names.items()}


def set_rate(page, position):
    page.locator(f"{PULL}-rate").evaluate(
        "(e, to) => { e.value = to * e.max; e.dispatchEvent(new Event('input', { bubbles: true })) }", position
    )


def test_a_training_goes_on_from_its_parameters_when_the_rate_is_changed(page):
    train(page)
    set_rate(page, 1)  # 0.1, while it runs
    first = state(page)["step"]
    page.wait_for_function(
        "first => document.querySelector('#ck-pull').ck.training.over.reached > first + 12", arg=first
    )
    end = pause(page)
    made = page.evaluate("document.querySelector('#ck-pull').ck.training.made")
    assert [each["values"]["rate"] for each in made] == [0.01, 0.01, 0.1]
    assert sum(each["steps"] for each in made) == end["step"]
    result = explorers_demo.pull.results(rate=0.01, steps=10)
    for each in made[1:]:
        result = explorers_demo._pull_on(result, each["steps"], rate=each["values"]["rate"])
    assert end["at"] == pytest.approx(result["at"][0], abs=1e-4)
    assert end["at"] != pytest.approx(
        explorers_demo.pull.results(rate=0.1, steps=10)["at"][0] * 0.9 ** (end["step"] - 10)
    )


def test_paused_it_stays_and_goes_on_and_another_setting_begins_anew(page):
    train(page)
    end = pause(page)
    set_rate(page, 0)
    page.wait_for_timeout(300)
    assert state(page) == end  # the rate counts from the next step on
    assert page.locator(f"{PULL}-steps").get_attribute("aria-valuetext") == f"{end['step']:.0f}"
    page.locator(f"{PULL}-units").press("End")
    wait_for_caption(page, "Step 10,", PULL)
    assert page.locator(f"{PULL} .ck-train").inner_text() == "Train on"
    train(page)
    page.locator(PULL).get_by_role("button", name="Reset").click()
    wait_for_caption(page, "Step 10, goal 0.00, at 0.9044,", PULL)
    page.wait_for_timeout(500)
    assert state(page)["step"] == 10


def test_points_are_added_and_taken_away_by_mouse_and_keys(page):
    page.locator(PULL).scroll_into_view_if_needed()
    page.mouse.click(*place_of(page, PULL, 1.0, 0.5))
    assert "where Python runs" in page.locator(f"{PULL} .ck-status").inner_text()
    train(page)
    page.locator(f"{PULL} .ck-seeds button", has_text="orange").click()
    page.locator(PULL).scroll_into_view_if_needed()
    page.mouse.click(*place_of(page, PULL, 1.0, 0.5))
    wait_for_caption(page, "1 points", PULL)
    assert state(page)["goal"] == pytest.approx(1.0, abs=0.05)
    assert page.locator(f"{PULL} .ck-control output", has_text="1 added").count() == 1
    end = pause(page)
    page.locator(f"{PULL} .ck-adder").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")  # at (0.4, 0)
    wait_for_caption(page, "2 points", PULL)
    assert state(page)["goal"] == pytest.approx(0.7, abs=0.05)
    assert state(page)["step"] == end["step"]  # paused: the point is shown, nothing is learnt
    assert page.locator(f"{PULL} .ck-adder").get_attribute("aria-label").startswith("New point, orange, at 0.4, 0.")
    page.keyboard.press("Enter")
    wait_for_caption(page, "1 points", PULL)
    page.locator(f"{PULL} .ck-seeds button", has_text="Clear").click()
    wait_for_caption(page, "0 points", PULL)


def test_a_small_map_is_shown_large_by_mouse_and_keys_and_says_what_it_is(page):
    looks = page.locator(f"{PULL} .ck-closer")
    assert [looks.nth(k).is_visible() for k in range(3)] == [True, True, False]  # two units
    looks.nth(1).click()
    assert "unit 2, unit 2 is 1.809" in page.locator(f"{PULL} .ck-status").inner_text()
    assert looks.nth(1).get_attribute("aria-pressed") == "true"
    into = page.locator(f"{PULL} .ck-over > svg")
    assert (
        page.evaluate("""() => {
      const large = document.querySelector("#ck-pull .ck-over > svg");
      const ax = document.querySelector("#ck-pull").ck.reading.axes()[0];
      const box = [large.x, large.y, large.width, large.height].map((side) => side.baseVal.value);
      const whole = [ax.left, ax.top, ax.right - ax.left, ax.bottom - ax.top];
      return Math.max(...box.map((side, k) => Math.abs(side - whole[k])));
    }""")
        < 0.02
    )
    assert into.locator("image").count() == 1
    looks.nth(0).focus()
    page.keyboard.press("Enter")
    assert [looks.nth(k).get_attribute("aria-pressed") for k in range(2)] == ["true", "false"]
    page.keyboard.press("Enter")
    assert into.locator("image").count() == 0
    looks.nth(1).click()
    page.locator(f"{PULL}-units").press("Home")  # one unit: the second is gone
    page.wait_for_function("!document.querySelector('#ck-pull .ck-over > svg image')")


def test_axe_finds_nothing_while_it_trains(page):
    train(page)
    assert [each for each in axe_violations(page) if "ck-" in each] == []
