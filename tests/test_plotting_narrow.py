"""coursekit.plotting._narrow: a figure laid out for a phone."""

import re

import matplotlib.patches
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


def test_that_numbers_on_axes_count_among_the_letters():
    fig, ax = _style.figure(6.4, 2.5)
    ax.set(xlabel="eleven points", xlim=(0, 1))
    assert _narrow.plan(fig).size[0] * 72 == pytest.approx(_narrow.PIXELS * 10 / _narrow.LABEL), "ticks have ten"


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


def test_that_a_scale_of_colours_stays_beside_its_picture():
    fig, (left, right) = _style.figure(6.4, 2.5, ncols=2)
    image = left.imshow(np.arange(9).reshape(3, 3))
    bar = fig.colorbar(image, ax=left, fraction=0.05)
    right.plot([0, 1])
    with _narrow.narrowed(fig) as done:
        assert done
        image, scale, below = (ax.get_position() for ax in (left, bar.ax, right))
        assert image.x1 < scale.x0 < 1 and abs(image.y1 - scale.y1) < 0.1 and below.y1 < image.y0
        assert scale.width < 0.1


def test_that_words_above_and_below_all_panels_stay_there():
    fig, axes = panels(margins=(0.7, 0.12, 0.7, 0.7))
    words = fig.text(0.3, 0.93, "above"), fig.text(0.5, 0.02, "below", ha="center")
    before = [text.get_position() for text in words]
    with _narrow.narrowed(fig) as done:
        assert done
        (_, high), (x, low) = (text.get_position() for text in words)
        assert high > axes[0].get_position().y1 and 0 < low < axes[2].get_position().y0 and x == 0.5
    assert [text.get_position() for text in words] == before
    fig.text(0.5, 0.5, "between")
    assert _narrow.plan(fig) is None


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
    fig, ax = _style.figure(6.4, 2.5)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.add_patch(matplotlib.patches.Rectangle((0.2, 0.4), 0.3, 0.3))
    ax.text(0.35, 0.55, "words in a frame", ha="center", va="center")
    assert _narrow.plan(fig) is None, "the frame becomes narrower than its words"
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


def test_that_a_photograph_is_in_the_page_once(monkeypatch):
    monkeypatch.setenv("COURSEKIT_BOOK", "1")
    fig, axes = _style.figure(6.4, 3.0, ncols=2)
    photo = np.random.default_rng(0).random((40, 40))
    for ax, image in zip(axes, (photo, photo.T), strict=True):
        ax.imshow(image, interpolation="none", cmap="gray")
    text = _svg.figure_html(fig, "two")
    wide, narrow = text.split("</svg>")[:2]
    assert wide.count("<image") == 2 and narrow.count("<image") == 0 and narrow.count("<use href=") >= 2
    moves = re.findall(r'<use href="#([^"]*photo.)" transform="matrix\((\S+) 0 0 (\S+) (\S+) (\S+)\)', narrow)
    boxes = re.findall(r'<rect x="(\S+)" y="(\S+)" width="(\S+)"', narrow)
    for (name, across, _, right, down), (x, y, width) in zip(moves, boxes, strict=True):
        a, e, f = re.search(rf'id="{name}"[^>]*matrix\((\S+) 0 0 \S+ (\S+) (\S+)\)', wide).groups()
        left, top = float(across) * float(e) + float(right), float(across) * float(f) + float(down)
        assert (left, top) == pytest.approx((float(x), float(y)), abs=0.5), "it fills the axes of the second drawing"
        assert float(across) * float(a) * 40 == pytest.approx(float(width), abs=0.5)
