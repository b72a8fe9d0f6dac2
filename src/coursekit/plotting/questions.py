"""Pictures that questions of the quizzes ask about: curves with letters for names, a cloud, a marked curve."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from . import _style

__all__ = ["cloud", "curve", "lettered", "marked"]


@_style.styled
def lettered(x, curves, *, xlabel, ylabel, at, alt, log=False, ylim=None):
    """Curves that are called A, B, C: `curves` is letter -> values, `at` letter -> index into x where it stands."""
    fig, ax = _style.figure(5.6, 3.0)
    for colour, (letter, y) in zip(_style.CYCLE, curves.items(), strict=False):
        ax.plot(x, y, color=colour)
        ax.annotate(
            letter,
            (x[at[letter]], y[at[letter]]),
            xytext=(5, 4),
            textcoords="offset points",
            color=colour,
            weight="bold",
        )
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if log:
        ax.set_yscale("log")
    if ylim:
        ax.set_ylim(*ylim)
    fig.alt = alt
    return fig


@_style.styled
def curve(x, y, *, xlabel, ylabel, alt):
    """One curve without a name."""
    fig, ax = _style.figure(5.6, 2.8)
    ax.plot(x, y)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    fig.alt = alt
    return fig


@_style.styled
def marked(x, curves, marks, *, xlabel, ylabel, alt, xlog=False, ylim=None):
    """Curves with upright lines that are called A, B, C: `curves` is label -> values, `marks` letter -> place."""
    fig, ax = _style.figure(5.6, 3.0)
    for colour, (label, y) in zip(_style.CYCLE, curves.items(), strict=False):
        ax.plot(x, y, color=colour, label=label)
    if xlog:
        ax.set_xscale("log")
    if ylim:
        ax.set_ylim(*ylim)
    top = ax.get_ylim()[1]
    for letter, place in marks.items():
        ax.axvline(place, color=_style.MUTED, linewidth=1, linestyle=":")
        ax.annotate(letter, (place, top), xytext=(0, 4), textcoords="offset points", ha="center", weight="bold")
    if len(curves) > 1:
        ax.legend(loc="upper center")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    fig.alt = alt
    return fig


@_style.styled
def cloud(points, *, xlabel, ylabel, alt):
    """(N, 2) points, both axes to one scale."""
    fig, ax = _style.figure(3.6, 3.4)
    ax.scatter(*np.asarray(points).T, s=12)
    ax.set_xlim(-3.2, 3.2)
    ax.set_ylim(-3.2, 3.2)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    fig.alt = alt
    return fig
