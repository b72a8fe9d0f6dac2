"""coursekit.plotting._style: the bars that are one artist, and axes by name."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from coursekit.plotting import _style


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
