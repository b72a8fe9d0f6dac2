"""coursekit.plotting._narrow: a figure laid out for a phone."""

import re

import numpy as np
import pytest

from coursekit.plotting import _narrow, _style, _svg


def panels(count=3, **more):
    fig, axes = _style.figure(6.4, 2.5, ncols=count, **more)
    for ax in np.atleast_1d(axes):
        ax.plot([0, 1], [1, 2])
        ax.set(xlabel="step", title="one of them")
    np.atleast_1d(axes)[0].set_ylabel("loss")
    return fig, axes


def test_that_panels_stand_one_below_the_other_with_large_letters():
    fig, axes = panels()
    before = _svg.to_svg(fig)
    with _narrow.narrowed(fig) as done:
        assert done
        boxes = [ax.get_position() for ax in axes]
        assert boxes[0].y0 > boxes[1].y1 and boxes[1].y0 > boxes[2].y1
        assert all(box.width > 0.7 for box in boxes)
        narrow = _svg.to_svg(fig)
    assert _svg.to_svg(fig) == before, "it is laid out as it was"
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', narrow)[1])
    smallest = min(map(float, re.findall(r"font-size:([\d.]+)", narrow)))
    assert smallest * _narrow.PIXELS / width >= 11
    assert smallest == min(map(float, re.findall(r"font-size:([\d.]+)", before)))


def test_that_panels_with_one_scale_each_get_its_numbers():
    fig, axes = panels(2, sharey=True)
    assert not _narrow._numbered(axes[1].yaxis)
    with _narrow.narrowed(fig) as done:
        assert done and _narrow._numbered(axes[1].yaxis) and axes[1].get_ylabel() == "loss"
    assert not _narrow._numbered(axes[1].yaxis) and axes[1].get_ylabel() == ""


def test_that_small_pictures_stay_beside_each_other():
    fig, axes = _style.figure(6.4, 1.4, ncols=6, margins=(0.1, 0.1, 0.1, 0.1), gaps=(0.1, 0.1))
    for ax in axes:
        ax.imshow(np.eye(3))
        ax.axis("off")
    with _narrow.narrowed(fig) as done:
        assert done
        tops = [round(ax.get_position().y1, 3) for ax in axes]
    assert len(set(tops)) == 2 and tops[0] == tops[1] == tops[2] > tops[3] == tops[4] == tops[5]


def test_that_there_is_none_where_texts_would_touch_or_leave_the_picture():
    fig, ax = _style.figure(6.4, 2.5)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.text(0.02, 0.5, "a note of some thirty letters here")
    ax.text(0.55, 0.5, "and another one beside it")
    assert _narrow.plan(fig) is None
    fig, ax = _style.figure(6.4, 2.5)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.text(0.3, 0.5, "a note that needs two thirds of the picture's width")
    assert _narrow.plan(fig) is None
    assert _narrow.plan(_style.figure(3.5, 2)[0]) is None, "it is narrow already"


def test_that_a_plan_holds_for_the_other_pictures_of_a_slider():
    one, other = panels()[0], panels()[0]
    other.axes[0].set_ylabel("a loss whose name is much longer")
    layout = _narrow.plan(one)
    with _narrow.narrowed(other, layout) as done:
        assert done
        assert [ax.get_position(True).bounds for ax in other.axes] == list(layout.places)
    with _narrow.narrowed(panels(2)[0], layout) as done:
        assert not done


@pytest.mark.parametrize("book", [True, False])
def test_that_the_books_page_holds_both(monkeypatch, book):
    monkeypatch.setenv("COURSEKIT_BOOK", "1" if book else "")
    text = _svg.figure_html(panels()[0], "three lines")
    assert text.count("<svg ") == 1 + book and text.count("ck-narrow") == book and text.count("ck-both") == book
    ids = re.findall(r' id="([^"]+)"', text)
    assert ids and len(set(ids)) == len(ids)
    assert {name.rpartition("-")[0] for name in re.findall(r"url\(#([^)]+)\)", text)} == {
        name.rpartition("-")[0] for name in ids
    }
