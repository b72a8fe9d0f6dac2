"""Reading values off a picture by mouse, touch and keyboard, and curves that are kept, against the run's numbers."""

from __future__ import annotations

import re

import explorers_demo
import numpy as np
import pytest
from browser_help import PHONE
from test_book import axe_violations

WAVE, HEAT, DAYS = "#ck-wave-shape", "#ck-heat", "#ck-days"


def place_of(page, root, x, y, axes=0):
    """Where a pair of numbers stands on the screen, by the picture's own scales and the browser's."""
    return page.evaluate(
        """([root, x, y, axes]) => {
          const ax = document.querySelector(root).ck.reading.axes()[axes];
          const [px, py] = ax.place(x, y);
          const svg = document.querySelector(`${root} .ck-picture svg`);
          const at = new DOMPoint(px, py).matrixTransform(svg.getScreenCTM());
          return [at.x, at.y];
        }""",
        [root, x, y, axes],
    )


def card(page, root):
    return page.locator(f"{root} .ck-card").inner_text()


def numbers(text):
    """The numbers of a text, as the page writes them."""
    return [float(n.replace("−", "-").replace(",", "")) for n in re.findall(r"[−-]?\d[\d,]*\.?\d*", text)]


def test_the_mouse_reads_every_curve_at_its_place(open_page, demo):
    page = open_page(demo)
    page.locator(WAVE).scroll_into_view_if_needed()
    result = explorers_demo.tones(0.548, 3, "sine")
    for x in (0.07, 0.41, 0.83):
        page.mouse.move(*place_of(page, WAVE, x, 0))
        lines = card(page, WAVE).split("\n")
        y = np.interp(x, result["x"], result["y"])
        assert lines[0].startswith("time (s)") and numbers(lines[0])[0] == pytest.approx(x, abs=0.004)
        for line, name, value in zip(lines[1:], ("sine", "absolute"), (y, abs(y)), strict=True):
            assert line.startswith(name)
            assert numbers(line)[0] == pytest.approx(value, abs=0.03)
    page.mouse.move(2, 2)
    assert not page.locator(f"{WAVE} .ck-card").is_visible()


def test_the_value_follows_the_setting(open_page, demo):
    page = open_page(demo)
    page.locator(WAVE).scroll_into_view_if_needed()
    page.locator(f"{WAVE}-shape").select_option("square")
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('square')")
    page.mouse.move(*place_of(page, WAVE, 0.1, 0))
    assert "square 0.548" in card(page, WAVE)


def test_touch_reads_too(open_page, demo):
    page = open_page(demo, **PHONE)
    page.locator(DAYS).scroll_into_view_if_needed()
    page.touchscreen.tap(*place_of(page, DAYS, 5, 2))
    lines = card(page, DAYS).split("\n")
    assert lines[0].startswith("day 5") and lines[1] == "5"
    for day in (0, 3, 7):  # the card stays on the picture
        page.touchscreen.tap(*place_of(page, DAYS, day, 4))
        box = page.locator(f"{DAYS} .ck-card").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 375
    page.touchscreen.tap(20, 5)
    assert not page.locator(f"{DAYS} .ck-card").is_visible()


def test_the_keyboard_reads_and_is_read_out(open_page, demo):
    page = open_page(demo)
    reader = page.get_by_role("slider", name="Read values off the picture: A wave")
    reader.focus()
    page.keyboard.press("Home")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    told = reader.get_attribute("aria-valuetext")
    assert re.fullmatch(r"time \(s\) 0\.28; sine −0\.\d+; absolute 0\.\d+", told)
    assert page.locator(f"{WAVE} .ck-card").is_visible()
    page.keyboard.press("PageDown")  # one panel: it stays
    assert reader.get_attribute("aria-valuetext") == told
    page.keyboard.press("Escape")
    assert not page.locator(f"{WAVE} .ck-card").is_visible()


def test_a_pixel_is_read_as_the_number_that_it_was_drawn_from(open_page, demo):
    page = open_page(demo)
    page.get_by_label("Three times").check()
    page.locator("#ck-predict-demo-guess button[type=submit]").click()
    page.locator(HEAT).scroll_into_view_if_needed()
    x = np.linspace(-1, 1, 40)
    image = np.exp(-(x[:, None] ** 2 + x**2) / 0.6)
    for column, row in ((20, 20), (5, 20), (30, 9)):
        page.mouse.move(*place_of(page, HEAT, column, row))
        page.wait_for_function("document.querySelector('#ck-heat .ck-card').innerText.includes('value')")
        value = numbers(card(page, HEAT).split("value")[1])[0]
        assert value == pytest.approx(image[row, column], abs=0.01)


def test_a_kept_curve_stays_and_is_read_beside_the_new_one(open_page, demo):
    page = open_page(demo)
    page.locator(WAVE).scroll_into_view_if_needed()
    page.locator(f"{WAVE} .ck-keep").click()
    assert "amplitude 0.548 V" in page.locator(f"{WAVE} .ck-kept-note").inner_text()
    slider = page.locator(f"{WAVE}-amplitude")
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('#ck-wave-shape .ck-alt').innerText.includes('amplitude 3 ')")
    paths = page.locator(f"{WAVE} .ck-kept path")
    assert paths.count() == 2
    page.mouse.move(*place_of(page, WAVE, 1 / 12, 0))
    lines = dict(line.rsplit(" ", 1) for line in card(page, WAVE).split("\n"))
    assert float(lines["sine"]) == pytest.approx(3, abs=0.03)
    assert float(lines["kept sine"]) == pytest.approx(0.548, abs=0.02)
    # The kept curve lies where the run's numbers put it on the new picture's axes.
    top = page.evaluate(
        """() => { const box = document.querySelector('#ck-wave-shape .ck-kept path').getBoundingClientRect();
                   return box.top }"""
    )
    assert top == pytest.approx(place_of(page, WAVE, 0, 0.548)[1], abs=2)
    page.locator(f"{WAVE} .ck-kept-note button").click()
    assert paths.count() == 0 and page.locator(f"{WAVE} .ck-keep").evaluate("e => e === document.activeElement")


def test_nothing_of_it_is_a_barrier(open_page, demo):
    page = open_page(demo)
    page.locator(f"{WAVE} .ck-keep").click()
    page.locator(f"{WAVE} .ck-read").focus()
    page.keyboard.press("End")
    assert [each for each in axe_violations(page) if "ck-" in each] == []
