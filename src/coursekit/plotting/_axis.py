"""Axes in a few strokes.

Matplotlib keeps five artists for each tick, so that every one can be changed by itself. To make, place and draw them
takes nearly half the time of a small picture, and in live mode a reader waits for it. The ticks of a course figure are
alike. So an axis is drawn here as one path for its grid, one for its marks, and one text that moves from label to
label. An axis that asks for more (ticks on two sides, one label unlike the others, turned labels, an exponent at the
end) is left to Matplotlib. The picture is the same either way.
"""

from __future__ import annotations

import contextlib

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axis import XAxis, YAxis
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from matplotlib.transforms import Bbox, IdentityTransform

__all__ = ["in_strokes"]


@contextlib.contextmanager
def in_strokes(figure):
    """While this lasts, the axes of `figure` are drawn in a few strokes."""
    changed = [axis for ax in _all_axes(figure) for axis in (ax.xaxis, ax.yaxis) if type(axis) in (XAxis, YAxis)]
    for axis in changed:
        axis.draw = _Strokes(axis).draw
    try:
        yield
    finally:
        for axis in changed:
            del axis.draw


def _all_axes(figure):
    for axes in figure.axes:
        yield axes
        yield from axes.child_axes


class _Strokes(Artist):
    """Draws an axis. It is an artist itself because the start of one closes an image that is open in the SVG."""

    def __init__(self, axis):
        super().__init__()
        self.axis = axis

    def draw(self, renderer):
        """Draw grid, marks, labels of the ticks, and the axis' own label."""
        axis = self.axis
        if not axis.get_visible():
            return
        groups = [
            _group(axis, axis.major, axis.get_majorticklocs(), "majorTicks"),
            _group(axis, axis.minor, axis.get_minorticklocs(), "minorTicks"),
        ]
        if None in groups or axis.label_position not in ("bottom", "left") or axis.major.formatter.get_offset():
            type(axis).draw(axis, renderer)
            return
        edges = [axis.axes.bbox]
        for tick, places, labels in filter(None, groups):
            edges += _draw_lines(axis, renderer, tick, places)
            edges += _draw_labels(axis, renderer, tick, places, labels)
        if axis.label.get_text():
            _place_label(axis, edges)
            axis.label.draw(renderer)


def _group(axis, ticker, places, name):
    """(a tick that looks like all, the places in view, their labels), or () without any; None if it takes more."""
    if not len(places):
        return ()
    first, *others = getattr(axis, name)  # made when it is asked for: not where there are none
    if first.tick2line.get_visible() or first.label2.get_visible() or first.get_tickdir() != "out":
        return None
    if first.label1.get_rotation() or any(_look(tick) != _look(first) for tick in others):
        return None
    labels = ticker.formatter.format_ticks(places)
    with np.errstate(all="ignore"):
        at = axis.get_transform().transform(np.asarray(places, float))
        low, high = sorted(axis.get_transform().transform(axis.get_view_interval()))
    slack = 1e-10 * (high - low)
    seen = (at >= low - slack) & (at <= high + slack)
    if not seen.any():
        return ()
    return first, np.asarray(places)[seen], [label for label, here in zip(labels, seen, strict=True) if here]


def _look(tick):
    label, mark, grid = tick.label1, tick.tick1line, tick.gridline
    return (
        *(label.get_visible(), label.get_color(), label.get_fontproperties(), label.get_rotation()),
        *(mark.get_visible(), mark.get_color(), mark.get_markersize(), grid.get_visible(), grid.get_color()),
    )


def _draw_lines(axis, renderer, tick, places):
    """Draw the grid across the axes, and the marks outside; returns the box around the marks."""
    across = axis.axis_name == "y"  # grid lines run from left to right
    transform = (axis.axes.get_yaxis_transform if across else axis.axes.get_xaxis_transform)(which="grid")
    ends = np.zeros((len(places), 2, 2))
    ends[:, :, int(across)] = places[:, None]
    ends[:, 1, 1 - int(across)] = 1
    ends = transform.transform(ends.reshape(-1, 2))
    if tick.gridline.get_visible():
        line = tick.gridline
        capstyle = line.get_dash_capstyle() if line.is_dashed() else line.get_solid_capstyle()
        _stroke(renderer, ends, line, line.get_linewidth(), capstyle, within=axis.axes.bbox)
    if tick.tick1line.get_visible() and tick.tick1line.get_markersize():
        marks = ends.copy()
        marks[1::2] = marks[::2]
        marks[1::2, 1 - int(across)] -= renderer.points_to_pixels(tick.tick1line.get_markersize())
        _stroke(renderer, marks, tick.tick1line, tick.tick1line.get_markeredgewidth(), "butt")
        return [Bbox([marks.min(axis=0), marks.max(axis=0)])]
    return []


def _stroke(renderer, ends, line, width, capstyle, within=None):
    """Draw from each even point of `ends`, in pixels, to the next one, in the colour of `line`."""
    gc = renderer.new_gc()
    gc.set_foreground(to_rgba(line.get_color(), line.get_alpha()), isRGBA=True)
    gc.set_linewidth(renderer.points_to_pixels(width))
    gc.set_capstyle(capstyle)
    if line.is_dashed():
        gc.set_dashes(*line._dash_pattern)
    if within is not None:
        gc.set_clip_rectangle(within)
    codes = np.tile([Path.MOVETO, Path.LINETO], len(ends) // 2)
    renderer.draw_path(gc, Path(ends, codes), IdentityTransform())
    gc.restore()


def _draw_labels(axis, renderer, tick, places, labels):
    """Draw the labels, all with one text; returns their boxes if the axis' own label has to keep away from them."""
    text, boxes = tick.label1, []
    if not text.get_visible():
        return boxes
    move = text.set_x if axis.axis_name == "x" else text.set_y
    for place, label in zip(places, labels, strict=True):
        text.set_text(label)
        if text.get_text():
            move(place)
            text.draw(renderer)
            if axis.label.get_text():
                boxes.append(text.get_window_extent(renderer))
    return boxes


def _place_label(axis, edges):
    """Put the axis' label outside of all boxes in `edges`, as `Axis` does."""
    if not axis._autolabelpos:  # it was placed by hand
        return
    pad = axis.labelpad * axis.get_figure(root=True).dpi / 72
    x, y = axis.label.get_position()
    if axis.axis_name == "x":
        axis.label.set_position((x, min(box.y0 for box in edges) - pad))
    else:
        axis.label.set_position((min(box.x0 for box in edges) - pad, y))
