"""Explorers that play and that are grasped: by mouse, touch and keyboard."""

from __future__ import annotations

import explorers_demo
import pytest
from browser_help import PHONE
from test_book import axe_violations
from test_explorers import live_page, live_site  # noqa: F401  fixtures
from test_explorers_read import place_of

WAVE, DAYS = "#ck-wave-shape", "#ck-days"
CREST, SHAPE = f"{WAVE}-handle-0", f"{WAVE}-handle-1"


def caption(page, root=WAVE):
    return page.locator(f"{root} .ck-alt").inner_text()


def wait_for_caption(page, text, root=WAVE):
    page.wait_for_function(
        "([root, text]) => document.querySelector(`${root} .ck-alt`).innerText.includes(text)", arg=[root, text]
    )


def uncovered(page):
    """How far the curves of the first explorer are shown, as a share of the axes."""
    return page.evaluate("""() => {
      const ax = document.querySelector("#ck-wave-shape").ck.reading.axes()[0];
      const box = document.querySelector("#ck-wave-shape .ck-picture clipPath[id$=time-0] rect");
      if (!box) return 1; // nothing is cut
      return (Number(box.getAttribute("x")) + Number(box.getAttribute("width")) - ax.left) / (ax.right - ax.left);
    }""")


# ---------------------------------------------------------------- time


def test_a_run_is_played_paused_and_scrubbed(open_page, demo):
    page = open_page(demo)
    assert uncovered(page) == 1  # all of it, until someone plays
    play = page.get_by_role("button", name="Play: A wave")
    play.click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Pause: A wave").click()
    reached = uncovered(page)
    assert 0.01 < reached < 0.9
    page.wait_for_timeout(200)
    assert uncovered(page) == reached
    scrub = page.locator(f"{WAVE}-time")
    scrub.focus()
    page.keyboard.press("Home")
    assert uncovered(page) == pytest.approx(0, abs=0.01)
    page.keyboard.press("End")
    assert uncovered(page) == 1


def test_it_plays_at_thirty_pictures_a_second(open_page, demo):
    page = open_page(demo)
    counted = page.evaluate("""async () => {
      const root = document.querySelector("#ck-wave-shape");
      let pictures = 0;
      root.addEventListener("ck:time", () => pictures++);
      const start = performance.now();
      root.querySelector(".ck-play").click();
      await new Promise((done) => setTimeout(done, 1500));
      root.querySelector(".ck-play").click();
      return 1000 * pictures / (performance.now() - start);
    }""")
    print(f"\nplaying: {counted:.0f} pictures a second")
    assert counted >= 25


def test_a_setting_changed_while_it_plays_goes_on_from_the_same_time(open_page, demo):
    page = open_page(demo)
    page.get_by_role("button", name="Play: A wave").click()
    page.wait_for_timeout(500)
    page.locator(f"{WAVE}-turns").focus()
    page.keyboard.press("End")
    wait_for_caption(page, "turns 7 ")
    assert 0.01 < uncovered(page) < 0.9
    before = uncovered(page)
    page.wait_for_timeout(300)
    assert uncovered(page) > before  # still playing


def test_with_reduced_motion_it_jumps_once_a_second(open_page, demo):
    page = open_page(demo, reduced_motion="reduce")
    places = page.evaluate("""async () => {
      const root = document.querySelector("#ck-wave-shape");
      const seen = [];
      root.addEventListener("ck:time", ({ detail }) => seen.push(detail.share));
      root.querySelector(".ck-play").click();
      await new Promise((done) => setTimeout(done, 2300));
      root.querySelector(".ck-play").click();
      return seen;
    }""")
    assert places == pytest.approx([0, 0.1, 0.2])


def test_a_setting_of_rising_numbers_is_played_through(open_page, demo):
    page = open_page(demo)
    seen = page.evaluate("""async () => {
      const root = document.querySelector("#ck-days");
      const seen = [];
      root.addEventListener("ck:shown", ({ detail }) => seen.push(detail.values.images));
      root.querySelector(".ck-play").click();
      await new Promise((done) => setTimeout(done, 2500));
      return seen;
    }""")
    assert seen == [10, 100, "all"]
    assert page.locator(f"{DAYS} .ck-play").get_attribute("aria-label").startswith("Play")
    page.locator(f"{DAYS} .ck-step").click()
    wait_for_caption(page, "of 1 images", DAYS)


def test_a_new_seed_and_the_first_again(open_page, demo):
    page = open_page(demo)
    for text, seed in (("New seed", 1), ("New seed", 2), ("New seed", 0), ("New seed", 1), ("First seed", 0)):
        page.locator(f"{DAYS} .ck-seeds button", has_text=text).click()
        wait_for_caption(page, f"seed {seed}.", DAYS)
    assert page.locator(f"{DAYS} .ck-control output").last.inner_text() == "0"


# ---------------------------------------------------------------- handles


def drag(page, selector, to):
    box = page.locator(selector).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*to, steps=6)
    page.mouse.up()


def centre(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_mouse_drags_a_handle_to_the_nearest_stop(open_page, demo):
    page = open_page(demo)
    page.locator(WAVE).scroll_into_view_if_needed()
    drag(page, CREST, place_of(page, WAVE, 0.25, 1.9))
    wait_for_caption(page, "amplitude 1.96 ")
    assert centre(page, CREST) == pytest.approx(place_of(page, WAVE, 0.25, 1.96), abs=1.5)
    assert page.locator(f"{WAVE}-amplitude").get_attribute("aria-valuetext") == "1.96 V"
    page.wait_for_function("location.hash.includes('amplitude=1.96')")


def test_a_choice_of_words_is_dragged_to_its_place(open_page, demo):
    page = open_page(demo)
    page.locator(WAVE).scroll_into_view_if_needed()
    drag(page, SHAPE, place_of(page, WAVE, 0.85, 2.0))
    wait_for_caption(page, "A square")
    assert centre(page, SHAPE) == pytest.approx(place_of(page, WAVE, 0.9, 2.5), abs=1.5)


def test_a_finger_drags_a_handle_and_the_page_stays(open_page, demo):
    page = open_page(demo, **PHONE)
    page.locator(CREST).scroll_into_view_if_needed()
    start, end = centre(page, CREST), place_of(page, WAVE, 0.25, 3)
    scrolled = page.evaluate("scrollY")
    session = page.context.new_cdp_session(page)
    touch = lambda kind, at: session.send(  # noqa: E731
        "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}] if at else []}
    )
    touch("touchStart", start)
    for k in range(1, 6):
        touch("touchMove", [a + (b - a) * k / 5 for a, b in zip(start, end, strict=True)])
    touch("touchEnd", None)
    wait_for_caption(page, "amplitude 3 ")
    assert page.evaluate("scrollY") == scrolled


def test_the_arrow_keys_move_a_handle_and_it_says_where_it_is(open_page, demo):
    page = open_page(demo)
    page.locator(CREST).focus()
    page.keyboard.press("ArrowUp")
    wait_for_caption(page, "amplitude 0.838 ")
    assert page.locator(CREST).get_attribute("aria-label").startswith("crest: amplitude 0.838 V")
    page.keyboard.press("ArrowDown")
    wait_for_caption(page, "amplitude 0.548 ")
    page.locator(SHAPE).focus()
    page.keyboard.press("ArrowRight")
    wait_for_caption(page, "A square")


def test_nothing_of_it_is_a_barrier(open_page, demo):
    page = open_page(demo)
    page.get_by_role("button", name="Play: A wave").click()
    page.locator(CREST).focus()
    assert [each for each in axe_violations(page) if "ck-" in each] == []


def test_the_picture_that_a_handle_gives_is_the_one_that_python_draws(open_page, demo):
    page = open_page(demo)
    page.locator(CREST).focus()
    page.keyboard.press("ArrowUp")
    wait_for_caption(page, "amplitude 0.838 ")
    assert caption(page) == explorers_demo.wave_shape.alt(amplitude=0.838)


# ---------------------------------------------------------------- live


def test_a_place_is_the_nearest_that_was_drawn_and_exact_when_live(live_page):  # noqa: F811
    page = live_page
    page.locator("#ck-spot").scroll_into_view_if_needed()
    drag(page, "#ck-spot-handle-0", place_of(page, "#ck-spot", 1.6, 0.4))
    wait_for_caption(page, "A point at (2, 1).", "#ck-spot")
    page.locator("#ck-spot .ck-go").click()
    page.wait_for_function("document.querySelector('#ck-spot').ck.live")
    drag(page, "#ck-spot-handle-0", place_of(page, "#ck-spot", -1.2, 0.7))
    page.wait_for_function("/at \\([−-]1.\\d+, 0.[67]/.test(document.querySelector('#ck-spot .ck-alt').innerText)")
    before = caption(page, "#ck-spot")
    page.locator("#ck-spot-handle-0").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("text => document.querySelector('#ck-spot .ck-alt').innerText !== text", arg=before)
    page.locator("#ck-spot .ck-go").click()  # Stop live: back to what was drawn
    wait_for_caption(page, "A point at (−2, −1).", "#ck-spot")


def test_live_a_path_goes_on_from_where_it_is(live_page):  # noqa: F811
    page = live_page
    assert not page.locator("#ck-spot .ck-here").is_visible()
    page.locator("#ck-spot .ck-go").click()
    page.wait_for_selector("#ck-spot .ck-here:visible")
    page.locator("#ck-spot-time").evaluate("e => { e.value = 50; e.dispatchEvent(new Event('input')) }")
    page.locator("#ck-spot .ck-here").click()
    wait_for_caption(page, "A point at (−1, −0.5).", "#ck-spot")


def test_a_path_is_walked_one_vertex_a_step(open_page, demo):
    page = open_page(demo)
    corners = (
        """() => document.querySelector("#ck-spot .ck-picture [data-s] path").getAttribute("d").match(/[ML]/g).length"""
    )
    assert page.evaluate(corners) == 11
    page.locator("#ck-spot-time").evaluate("e => { e.value = 30; e.dispatchEvent(new Event('input')) }")
    assert page.evaluate(corners) == 4
    page.locator("#ck-spot").get_by_role("button", name="Reset").click()
    assert page.evaluate(corners) == 11


def test_a_new_seed_when_live_is_any_number(live_page):  # noqa: F811
    page = live_page
    page.locator(f"{DAYS} .ck-go").click()
    page.wait_for_function("document.querySelector('#ck-days').ck.live")
    page.locator(f"{DAYS} .ck-seeds button", has_text="New seed").click()
    page.wait_for_function("!/seed [012]\\./.test(document.querySelector('#ck-days .ck-alt').innerText)")
    page.locator(f"{DAYS} .ck-seeds button", has_text="First seed").click()
    wait_for_caption(page, "seed 0.", DAYS)
