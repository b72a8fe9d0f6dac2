"""The look of every figure: sizes, colours, and a helper that makes an empty figure.

Figures are drawn in the colours below and on a transparent ground. `coursekit.plotting._svg` later replaces each of
these exact colours by a CSS variable, so that the same picture is legible on a white page and on a dark one. Colours
that are not listed here (those of an image or a colour map) stay as they are.

Figures are made without pyplot: nothing is registered globally, and nothing has to be closed.
"""

from __future__ import annotations

import functools

import matplotlib
import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from ..errors import RangeError

__all__ = [
    "CYCLE",
    "GRID",
    "INK",
    "MUTED",
    "ON_COLOUR",
    "PAPER",
    "SEQUENTIAL",
    "STYLE",
    "CourseFigure",
    "bars",
    "figure",
    "marks",
    "power",
    "powers",
    "styled",
]

INK = "#1a1c1e"  # text, axes, the line that matters
ON_COLOUR = "#1b1d1f"  # text on a coloured cell, which stays as it is when the page is dark
MUTED = "#5d646f"  # ticks, notes, reference lines
GRID = "#dcdfe4"  # grid lines
PAPER = "#fefefe"  # the page itself, for a halo behind text or the edge of a marker

# Six colours that stay apart for readers with any common colour vision, each with a contrast of at least 3 on white.
# Their partners for a dark page are in interactive/static/explorer.css.
BLUE, ORANGE, GREEN, PINK, GOLD, SKY = "#0b66b0", "#cf520c", "#0a8a63", "#b8528f", "#a67100", "#2391b5"
CYCLE = (BLUE, ORANGE, GREEN, PINK, GOLD, SKY)

SEQUENTIAL = "viridis"  # for magnitudes; use "RdBu_r", centred on 0, for signed values

STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "mathtext.fontset": "dejavusans",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    "axes.titlelocation": "left",
    "axes.titley": 1.0,  # else Matplotlib draws all ticks once more, to see whether the title is in their way
    "axes.unicode_minus": True,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "figure.dpi": 100,
    "savefig.dpi": 144,
}


class CourseFigure(Figure):
    """A Matplotlib figure that shows itself in a notebook and in the book, with alternative text.

    Set `alt` to a sentence that says what the picture shows.
    """

    alt = ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        from ._svg import figure_html  # _svg knows the colours above; here a figure only shows itself

        return {"text/html": figure_html(self, self.alt), "text/plain": self.alt or repr(self)}


def figure(
    width: float = 6.0,
    height: float = 3.4,
    nrows: int = 1,
    ncols: int = 1,
    *,
    margins: tuple[float, float, float, float] = (0.7, 0.12, 0.54, 0.32),
    gaps: tuple[float, float] = (0.5, 0.65),
    mosaic: list[list[str]] | None = None,
    **subplots,
):
    """An empty figure and its axes, in the course's style; all lengths in inches.

    The book shows figures at this size, with letters as large as its text (up to 7 inches fit); for a phone they are
    laid out anew (`_narrow`). `margins` are left, right, bottom and top; `gaps` are the space between columns and
    between rows. They are fixed, not fitted to the labels, so that
    axes stay where they are while a slider is dragged, and because fitting costs more time than drawing. More keywords
    go to `Figure.subplots` (`sharex`, `sharey`, `squeeze`, `width_ratios`, ...).

    `mosaic` names the axes of each row instead; one that is named twice takes both places. They come as a dict.

    >>> fig, axes = figure(nrows=1, ncols=3, sharey=True)
    >>> len(axes)
    3
    >>> fig, axes = figure(mosaic=[["top", "top"], ["left", "right"]])
    >>> list(axes)
    ['top', 'left', 'right']
    """
    if mosaic is not None:
        nrows, ncols = len(mosaic), len(mosaic[0])
    left, right, bottom, top = margins
    inner_width = (width - left - right - gaps[0] * (ncols - 1)) / ncols
    inner_height = (height - bottom - top - gaps[1] * (nrows - 1)) / nrows
    if min(inner_width, inner_height) <= 0:
        raise RangeError(
            f"a figure of {width} x {height} inches has no room for {nrows} x {ncols} axes with margins {margins} "
            f"and gaps {gaps}; make it larger or the margins smaller"
        )
    grid = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": gaps[0] / inner_width,
        "hspace": gaps[1] / inner_height,
    }
    with matplotlib.rc_context(STYLE):
        fig = CourseFigure(figsize=(width, height))
        if mosaic is None:
            axes = fig.subplots(nrows, ncols, gridspec_kw=grid, **subplots)
        else:
            axes = fig.subplot_mosaic(mosaic, gridspec_kw=grid, **subplots)
    return fig, axes


def bars(ax, x, height, width: float = 0.8, *, color, bottom=0.0):
    """Vertical bars, centred on `x`, as one artist; set the limits of the axes yourself.

    `Axes.bar` makes one artist for each bar, and drawing forty of those takes as long as the rest of a picture.
    """
    x, height, bottom = np.broadcast_arrays(x, height, bottom)
    left, right, top = x - width / 2, x + width / 2, bottom + height
    corners = np.stack([left, bottom, right, bottom, right, top, left, top], axis=-1).reshape(-1, 4, 2)
    ax.add_collection(PolyCollection(corners, facecolors=color, edgecolors="none"))


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exponent: int) -> str:
    """A power of ten as plain text, which draws faster than a formula.

    >>> power(-3), power(0)
    ('10⁻³', '1')
    """
    return f"10{str(exponent).translate(_RAISED)}" if exponent else "1"


def powers(axis, low: int, high: int, every: int = 1):
    """Make an axis logarithmic, with marks at the powers of ten from `low` to `high` and none between."""
    exponents = range(low, high + 1, every)
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    marks(axis, [10.0**k for k in exponents], [power(k) for k in exponents])
    axis.set_minor_locator(NullLocator())
    axis.set_view_interval(10.0**low, 10.0 ** exponents[-1])


def marks(axis, places, labels=None):
    """`Axis.set_ticks`, without its artists for each tick: `_axis.py` can do without them. Set the limits yourself."""
    axis.set_major_locator(FixedLocator(places))
    if labels is not None:
        axis.set_major_formatter(FixedFormatter(labels))


def styled(draw):
    """Decorator for a drawing function: it runs with the course's style and leaves the global one as it was.

    >>> @styled
    ... def line(results):
    ...     fig, ax = figure()
    ...     ax.plot(results["x"], results["y"])
    ...     fig.alt = "A falling line."
    ...     return fig
    """

    @functools.wraps(draw)
    def run(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return run
