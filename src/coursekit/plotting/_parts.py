"""Parts that many pictures are made of: labels, arrows, bare axes, images, many maps in one image.

The chapters' pictures import nothing from one another; what two of them need stands here. In every function the axes
come first, then what is drawn, then where, then its colour.
"""

from __future__ import annotations

import numpy as np

from ._style import CYCLE, INK, MUTED, figure, styled

LN10 = np.log(10)  # the cross-entropy of guessing among ten classes


def label(ax, text, at, colour=INK, offset=(4, 0), *, va="center", **more):
    """A word at a point of the data, moved by `offset` in points; other keywords as for `Axes.annotate`."""
    return ax.annotate(text, at, xytext=offset, textcoords="offset points", color=colour, va=va, **more)


def arrow(ax, start, end, colour=MUTED, *, lw=1.4, gap=2.0, zorder=None, annotation_clip=None, **style):
    """An arrow from one point of the data to another; it keeps `gap` points away from both."""
    settings = {"arrowstyle": "-|>", "color": colour, "lw": lw, "shrinkA": gap, "shrinkB": gap} | style
    return ax.annotate("", end, start, zorder=zorder, annotation_clip=annotation_clip, arrowprops=settings)


def edge(centre, towards, half):
    """Where the line from the centre of a box towards another point leaves the box; `half` its width and height.

    >>> edge((1.0, 1.0), (5.0, 1.0), (0.5, 0.2))
    (1.5, 1.0)
    """
    (x, y), (dx, dy) = centre, np.subtract(towards, centre).tolist()
    share = min(h / abs(d) for h, d in zip(half, (dx, dy), strict=True) if abs(d) > 1e-9)
    return x + share * dx, y + share * dy


def bare(ax, title=""):
    """Axes without marks, grid and frame."""
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(title)


def picture(ax, image, title="", low=None, high=None, *, cmap="gray", photo=False, **settings):
    """An image on bare axes.

    Parameters
    ----------
    low, high : the numbers that are drawn black and white; left out, those of the image
    photo : the image goes into the page with its own pixels; a small grid is drawn sharp
    """
    bare(ax, title)
    ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="none" if photo else "nearest", **settings)


def mosaic(maps, columns, gap=1):
    """Maps (C, H, W) side by side as one image, with a gap of NaN, which is not drawn.

    >>> mosaic(np.ones((3, 2, 2)), columns=2).shape
    (5, 5)
    """
    count, height, width = maps.shape
    down, across = height + gap, width + gap
    sheet = np.full((-(-count // columns) * down - gap, columns * across - gap), np.nan)
    for i, one in enumerate(maps):
        row, column = divmod(i, columns)
        sheet[row * down : row * down + height, column * across : column * across + width] = one
    return sheet


def apart(heights, least):
    """Heights for labels of lines that end at `heights`: no lower, in the same order, `least` apart.

    >>> apart([1.0, 0.95, 2.0], 0.2)
    [1.15, 0.95, 2.0]
    """
    placed, last = [0.0] * len(heights), -np.inf
    for i in sorted(range(len(heights)), key=heights.__getitem__):
        placed[i] = last = max(heights[i], last + least)
    return placed


def name_ends(ax, x, ends, least, offset=(4, 0), **more):
    """Name lines at their ends, at `x`, with labels that are `least` apart; `ends` are (height, name, colour)."""
    for (_, name, colour), height in zip(ends, apart([end for end, _, _ in ends], least), strict=True):
        label(ax, name, (x, height), colour, offset, **more)


@styled
def loss_curves(runs: dict[str, list[dict]], *, window: int = 20, title: str = ""):
    """Running mean of the loss, one colour for each scheme, one line for each seed, labelled at its end."""
    fig, ax = figure(6.4, 3.4, margins=(0.62, 0.95, 0.5, 0.32))
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    ends = []
    for colour, (scheme, seeds) in zip(CYCLE, runs.items(), strict=False):
        for result in seeds:
            smooth = np.convolve(result["loss"], np.ones(window) / window, "valid")
            ax.plot(np.arange(window, window + len(smooth)), smooth, color=colour, lw=1.6 if len(seeds) == 1 else 0.9)
        ends.append((smooth[-1], scheme, colour))
    name_ends(ax, window + len(smooth), ends, 0.16)
    ax.set(xlabel="step", ylabel=f"loss, mean of {window} steps", ylim=(0, 2.6), title=title)
    ax.set_xlim(0, window + len(smooth))
    return fig
