"""A prediction that is drawn: by keyboard and by mouse, committed, kept over a reload, and given again."""

from pathlib import Path

import pytest
from browser_help import give_up

BOOK = Path(__file__).resolve().parents[2] / "_build" / "html"
ROOT = "#ck-predict-05-relu"


@pytest.fixture
def page(open_page, serve):
    if not (BOOK / "chapters" / "05_initialization.html").is_file():
        give_up("there is no book; build it first: make build")
    page = open_page(serve(BOOK) + "chapters/05_initialization.html")
    page.locator(ROOT).scroll_into_view_if_needed()
    return page


def points(page, line):
    return page.locator(f"{ROOT} .ck-{line}").get_attribute("points")


def test_a_curve_is_drawn_committed_kept_and_drawn_again(page):
    sliders = page.locator(f"{ROOT} input[type=range]")
    flat = points(page, "drawn")
    sliders.nth(0).focus()
    for _ in range(7):
        page.keyboard.press("ArrowUp")
    assert sliders.nth(0).input_value() == "57"
    assert sliders.nth(0).get_attribute("aria-valuetext") == "0.0036", "10^(-7 + 0.57 * 8)"
    box = sliders.nth(8).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.85 * box["height"])
    assert int(sliders.nth(8).input_value()) < 25
    drawn = points(page, "drawn")
    assert drawn != flat and points(page, "truth") is None

    page.click(f"{ROOT} button[type=submit]")
    assert len(points(page, "truth").split()) == 33
    assert "of your 9 points" in page.inner_text(f"{ROOT} .ck-reply")
    assert sliders.nth(3).is_disabled()

    page.reload()
    assert points(page, "drawn") == drawn and points(page, "truth")
    page.click(f"{ROOT} >> text=Answer again")
    assert points(page, "drawn") == flat and points(page, "truth") is None
