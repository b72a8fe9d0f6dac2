"""A figure laid out anew for a narrow screen: its panels one below the other, its letters as large as before.

A figure of the book is up to 7 inches wide. On a phone it would be drawn at half its size, and its labels with it. So
the page keeps a second drawing of it, in which each row of axes takes as many lines as it needs. Where that does not
come out well (two texts would touch, or one would leave the picture) there is none, and the page scrolls the wide one.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from dataclasses import dataclass

from matplotlib.figure import Figure

__all__ = ["Plan", "marked", "narrowed", "plan"]

PIXELS = 350  # what a phone 390 px wide has for a picture
LABEL = 11.3  # the smallest label there, px
SPACE = 6.0  # between two panels, and around them, in points
BAR = 30.0  # axes that are less wide are a scale of colours
ROUNDS = 2  # what stands around axes depends a little on their size


@dataclass(frozen=True)
class Plan:
    """How a figure is laid out for a phone: its size in inches, and of its axes the places and what they must name."""

    size: tuple[float, float]
    places: tuple[tuple[float, float, float, float], ...]
    names: tuple[tuple[str, str, bool, bool], ...]  # x-label, y-label, whether each axis shows its numbers
    texts: tuple[tuple[float, float], ...] = ()  # of those above and below all axes


def plan(figure: Figure) -> Plan | None:
    """How `figure` is laid out for a phone, or None where that does not come out well.

    The smallest letters get 11.3 px on 350 px, which says how wide the figure is: with the course's 10 points 310.
    """
    axes = _axes(figure)
    figure.draw_without_rendering()  # only now it has its numbers
    sizes = [text.get_fontsize() for text in _texts(figure)]
    width = PIXELS * min(sizes, default=10) / LABEL
    if not axes or figure.artists or figure.legends or figure.get_figwidth() * 72 <= width:
        return None
    edges = _edges(figure, axes)
    if edges is None:
        return None
    with _kept(figure, axes):
        touching, framed = _touching(figure), _framed(figure)
        wide, high = 72 * figure.get_size_inches()
        boxes = {ax: ax.get_position() for ax in axes}
        places = {ax: (box.width * wide, box.height * high) for ax, box in boxes.items()}
        rows = _rows(axes)
        _name_all(rows)
        for _ in range(ROUNDS):
            _lay_out(figure, rows, places, width, edges)
        if _touching(figure) > touching or _outside(figure) or not framed <= _framed(figure):
            return None
        return Plan(
            tuple(figure.get_size_inches()),
            tuple(ax.get_position(True).bounds for ax in axes),
            tuple((ax.get_xlabel(), ax.get_ylabel(), _numbered(ax.xaxis), _numbered(ax.yaxis)) for ax in axes),
            tuple(text.get_position() for text in figure.texts),
        )


@contextlib.contextmanager
def narrowed(figure: Figure, layout: Plan | None = None):
    """While this lasts, `figure` is laid out by `layout`, or by its own plan; gives whether it is.

    A plan of another picture of the same kind keeps panels where they are while a slider is moved.

    >>> from coursekit.plotting._style import figure
    >>> fig, axes = figure(6.4, 2.5, ncols=2)
    >>> with narrowed(fig) as done:
    ...     done, bool(axes[0].get_position().y0 > axes[1].get_position().y1)
    (True, True)
    >>> [float(side) for side in fig.get_size_inches()]
    [6.4, 2.5]
    """
    layout = layout or plan(figure)
    axes = _axes(figure)
    if layout is None or len(axes) != len(layout.places) or len(figure.texts) != len(layout.texts):
        yield False
        return
    with _kept(figure, axes):
        figure.set_size_inches(layout.size)
        for text, at in zip(figure.texts, layout.texts, strict=True):
            text.set_position(at)
        for ax, place, (x, y, *numbers) in zip(axes, layout.places, layout.names, strict=True):
            ax.set_position(place)
            for axis, label, numbered in zip((ax.xaxis, ax.yaxis), (x, y), numbers, strict=True):
                if numbered and not _numbered(axis):
                    _show_numbers(axis, label)
        yield True


def marked(svg: str) -> str:
    """A picture whose class tells the page's style that it was laid out for a narrow screen."""
    return svg.replace("<svg ", '<svg class="ck-narrow" ', 1)


def _show_numbers(axis, label):
    axis.set_tick_params(**{SHOWN[axis.axis_name]: True})
    axis.set_label_text(axis.get_label_text() or label)


SHOWN = {"x": "labelbottom", "y": "labelleft"}


def _axes(figure):
    return [ax for ax in figure.axes if ax.get_visible()]


@contextlib.contextmanager
def _kept(figure, axes):
    """What is laid out meanwhile is as it was afterwards."""
    size = figure.get_size_inches().copy()
    both = [axis for ax in axes for axis in (ax.xaxis, ax.yaxis)]
    places = [ax.get_position(True).frozen() for ax in axes]
    texts = [text.get_position() for text in figure.texts]
    before = [(axis.get_label_text(), axis.get_tick_params("major").get(SHOWN[axis.axis_name])) for axis in both]
    try:
        yield
    finally:
        figure.set_size_inches(size)
        for text, at in zip(figure.texts, texts, strict=True):
            text.set_position(at)
        for ax, place in zip(axes, places, strict=True):
            ax.set_position(place)
        for axis, (label, shown) in zip(both, before, strict=True):
            axis.set_label_text(label)
            if shown is not None:
                axis.set_tick_params(**{SHOWN[axis.axis_name]: shown})


def _rows(axes):
    """The axes in rows, as one reads: two are in one row if their middles lie within each other's height."""
    rows = []
    for ax in sorted(axes, key=lambda each: -each.get_position().y1):
        box = ax.get_position()
        for row in rows:
            first = row[0].get_position()
            if first.y0 < (box.y0 + box.y1) / 2 < first.y1 or box.y0 < (first.y0 + first.y1) / 2 < box.y1:
                row.append(ax)
                break
        else:
            rows.append([ax])
    return [sorted(row, key=lambda each: each.get_position().x0) for row in rows]


def _name_all(rows):
    """Give axes that share the scale of a neighbour numbers and a name of their own."""
    for row in rows:
        first = row[0]
        for ax in row[1:]:
            if ax.get_shared_y_axes().joined(ax, first) and _numbered(first.yaxis) and not _numbered(ax.yaxis):
                ax.yaxis.set_tick_params(labelleft=True)
                if not ax.get_ylabel():
                    ax.set_ylabel(first.get_ylabel())
    if all(len(row) == 1 for row in rows):
        return  # below each other they were before
    for ax, last in itertools.product(itertools.chain(*rows), rows[-1]):
        if ax.get_shared_x_axes().joined(ax, last) and _numbered(last.xaxis) and not _numbered(ax.xaxis):
            ax.xaxis.set_tick_params(labelbottom=True)
            if not ax.get_xlabel():
                ax.set_xlabel(last.get_xlabel())


def _numbered(axis):
    return any(text.get_visible() and text.get_text() for text in axis.get_ticklabels())


def _edges(figure, axes):
    """How much the figure's own texts take above and below all axes, in points; None if one stands elsewhere."""
    high = 72 * figure.get_figheight()
    top, bottom = max(ax.get_position().y1 for ax in axes), min(ax.get_position().y0 for ax in axes)
    above, below = [0.0], [0.0]
    for text in figure.texts:
        y = text.get_position()[1]
        if y >= top:
            above.append(high * (1 - y) + 0.4 * text.get_fontsize())
        elif y <= bottom:
            below.append(high * y + text.get_fontsize())
        else:
            return None
    return max(above), max(below)


def _lay_out(figure, rows, places, width, edges):
    """Give each axes its place in lines that are `width` points wide, and the figure its size."""
    around = {ax: _around(ax) for row in rows for ax in row}
    old = 72 * figure.get_figheight()
    lines = []
    for row in rows:
        cells = _cells(row, places)
        needs = max(_beside(cell, around, places) + places[cell[0]][0] + SPACE for cell in cells)
        most = max(1, min(len(cells), math.floor((width + SPACE) / needs)))
        each = math.ceil(len(cells) / math.ceil(len(cells) / most))
        lines += [cells[k : k + each] for k in range(0, len(cells), each)]
    spots, down = {}, SPACE + edges[0]
    for line in lines:
        taken = sum(_beside(cell, around, places) for cell in line) + SPACE * (len(line) + 1)
        share = (width - taken) / sum(places[cell[0]][0] for cell in line)
        all_here = [ax for cell in line for ax in cell]
        high = max(_height(cell[0], places[cell[0]], share) for cell in line)
        above = max(around[ax][2] for ax in all_here)
        left = SPACE
        for cell in line:
            tall = _height(cell[0], places[cell[0]], share)
            for ax in cell:
                wide = places[ax][0] * (share if ax is cell[0] else 1)
                left += around[ax][0] + (0 if ax is cell[0] else SPACE)
                spots[ax] = (left, down + above, wide, tall)
                left += wide + around[ax][1]
            left += SPACE
        down += above + high + max(around[ax][3] for ax in all_here) + SPACE
    down += edges[1]
    figure.set_size_inches(width / 72, down / 72)
    for ax, (left, top, wide, high) in spots.items():
        ax.set_position([left / width, 1 - (top + high) / down, wide / width, high / down])
    for text in figure.texts:
        x, y = text.get_position()
        text.set_position((x, 1 - (1 - y) * old / down if y > 0.5 else y * old / down))


def _cells(row, places):
    """Axes that stay together: a scale of colours belongs to the picture at its left."""
    cells = []
    for ax in row:
        if cells and places[ax][0] < BAR:
            cells[-1].append(ax)
        else:
            cells.append([ax])
    return cells


def _beside(cell, around, places):
    """What stands beside the first axes of a cell, in points: numbers and names, and its scale of colours."""
    return sum(around[ax][0] + around[ax][1] for ax in cell) + sum(places[ax][0] + SPACE for ax in cell[1:])


def _height(ax, place, share):
    """A picture keeps its shape, and is not enlarged by more than half; curves keep their height."""
    return place[1] * min(share, 1.5) if ax.get_aspect() != "auto" or ax.images else place[1]


def _around(ax):
    """What stands left, right, above and below axes, in points."""
    renderer = ax.figure._get_renderer()
    ax.apply_aspect()
    box, inner = ax.get_tightbbox(renderer), ax.get_position()
    wide, high = (72 * size for size in ax.figure.get_size_inches())
    points = 72 / ax.figure.dpi
    if box is None:
        return (0.0, 0.0, 0.0, 0.0)
    edges = (
        inner.x0 * wide - box.x0 * points,
        box.x1 * points - inner.x1 * wide,
        box.y1 * points - inner.y1 * high,
        inner.y0 * high - box.y0 * points,
    )
    return tuple(max(0.0, edge) for edge in edges)


def _texts(figure):
    """The texts that are drawn, once it has been."""
    drawn = [*figure.texts]
    for ax in _axes(figure):
        for each in (ax, *ax.child_axes):
            drawn += [label for axis in (each.xaxis, each.yaxis) for label in _seen(axis)]
            drawn += [*each.texts, each.title, each._left_title, each._right_title, each.xaxis.label, each.yaxis.label]
            drawn += each.get_legend().get_texts() if each.get_legend() else []
    return [text for text in drawn if text.get_visible() and text.get_text().strip()]


def _boxes(figure):
    """The boxes of these texts, with a little room at their sides, and less above and below."""
    figure.draw_without_rendering()
    renderer = figure._get_renderer()
    return [text.get_window_extent(renderer).padded(1.5, -2) for text in _texts(figure)]


def _seen(axis):
    if not axis.get_visible() or not axis.axes.axison:
        return []
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    return [tick.label1 for tick in axis.get_major_ticks() if low - slack <= tick.get_loc() <= high + slack]


def _touching(figure):
    """How many pairs of texts lie on each other."""
    return sum(one.overlaps(other) for one, other in itertools.combinations(_boxes(figure), 2))


def _outside(figure):
    """Whether a text leaves the picture."""
    width, height = figure.get_size_inches() * figure.dpi
    return any(box.x0 < 0 or box.x1 > width or box.y0 < 0 or box.y1 > height for box in _boxes(figure))


def _framed(figure):
    """Which texts stand inside which rectangles of a drawing, by their numbers."""
    renderer = figure._get_renderer()
    found = set()
    for number, ax in enumerate(_axes(figure)):
        frames = [patch.get_window_extent(renderer).padded(1) for patch in ax.patches]
        for k, text in enumerate(ax.texts):
            box = text.get_window_extent(renderer)
            corners = [(box.x0, box.y0), (box.x1, box.y1)]
            inside = (j for j, frame in enumerate(frames) if all(frame.contains(*corner) for corner in corners))
            found |= {(number, k, j) for j in inside}
    return found
