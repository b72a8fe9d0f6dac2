"""coursekit.plotting._style: the bars that are one artist, and axes by name."""

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

from coursekit.experiments import activations as experiment
from coursekit.plotting import _style, _svg, activations, watching_training


@pytest.mark.parametrize("bottom", [0.0, np.array([1.0, 0.0, -3.0])])
def test_bars_stand_where_those_of_matplotlib_do(bottom):
    _, (left, right) = _style.figure(ncols=2)
    x, height = np.array([0.0, 2.0, 3.5]), np.array([1.0, -2.0, 0.25])
    _style.bars(left, x, height, 0.6, color=_style.ORANGE, bottom=bottom)
    theirs = right.bar(x, height, 0.6, bottom=bottom)
    (ours,) = left.collections
    assert len(ours.get_paths()) == len(theirs) == 3
    for path, bar in zip(ours.get_paths(), theirs, strict=True):
        extent, box = path.get_extents(), bar.get_bbox()
        np.testing.assert_allclose(
            [extent.x0, extent.x1, extent.y0, extent.y1],
            [box.x0, box.x1, min(box.y0, box.y1), max(box.y0, box.y1)],
        )
    assert (ours.get_facecolor() == to_rgba(_style.ORANGE)).all()


def test_axes_that_are_named_twice_take_both_places():
    _, axes = _style.figure(mosaic=[["top", "top"], ["left", "right"]])
    top, left, right = (axes[name].get_position() for name in ("top", "left", "right"))
    assert top.x0 == left.x0 and top.x1 == right.x1 and top.y0 > left.y1
    _, plain = _style.figure(nrows=2, ncols=2)
    assert plain[1, 0].get_position().bounds == left.bounds


def on_colour(fig):
    """Texts and lines on an image's opaque pixels, as (words or "line", colour): the page cannot recolour the image."""
    found = []
    for ax in fig.axes:
        for image in ax.images:
            pixels = image.to_rgba(image.get_array())
            left, right, bottom, top = image.get_extent()

            def opaque(x, y, pixels=pixels, ends=(left, right, bottom, top), origin=image.origin):
                across, up = (x - ends[0]) / (ends[1] - ends[0]), (y - ends[2]) / (ends[3] - ends[2])
                if not (0 <= across < 1 and 0 <= up < 1):
                    return False
                row = up if origin == "lower" else 1 - up
                return pixels[int(row * pixels.shape[0]), int(across * pixels.shape[1]), 3] > 0.9

            texts = [t for t in ax.texts if t.get_text() and t.get_bbox_patch() is None]
            found += [(t.get_text(), to_hex(t.get_color())) for t in texts if opaque(*t.get_position())]
            found += [("line", to_hex(e.get_color())) for e in ax.lines if e.get_marker() == "None"
                      and opaque(*np.mean(e.get_xydata(), axis=0))]  # fmt: skip
    return found


def alarms():
    values = (2.3, 1e-10, 0.5, 0.001, 0.9)
    return watching_training.alarms({"none": (values, [False] * 5), "bug": (values, [True] * 5)}, list("abcde"))


def confusion():
    matrix = np.full((10, 10), 3)
    return watching_training.confusion({"matrix": matrix, "worst": ((1, 2), 3), "recall": np.full(10, 0.1)})


def divide():
    return activations.divide(experiment.divide(steps=20))


@pytest.mark.parametrize(("draw", "count"), [(alarms, 5), (confusion, 90), (divide, 6)])
def test_what_stands_on_a_coloured_cell_keeps_its_colour_when_the_page_is_dark(draw, count):
    seen = on_colour(draw())
    assert len(seen) == count
    assert {colour for _, colour in seen} == {_style.ON_COLOUR}
    assert _style.ON_COLOUR not in _svg.VARIABLES
