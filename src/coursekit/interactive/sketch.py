"""`Curve`: the answer to a prediction that the reader draws on the axes before the result appears over it.

The reader moves a few vertical sliders, with a finger, a mouse or the arrow keys; a line through them is the drawing.

>>> import numpy as np
>>> x = np.arange(1, 11)
>>> halving = Curve(x, 0.5**x, xlabel="layer", ylabel="std", ylim=(1e-4, 1), log=True)
>>> halving.levels.round().tolist()
[92.0, 84.0, 76.0, 67.0, 59.0, 50.0, 42.0, 33.0, 25.0]
>>> halving.verdict([92, 84, 76, 67, 59, 50, 42, 33, 25])
'You drew what the run gives: 9 of 9 points lie within a tenth of the axis.'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np

from ..errors import RangeError, ShapeError

__all__ = ["Curve"]

WIDTH, HEIGHT = 480, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 44
POINTS = 9
NEAR = 10  # of the 100 steps of the axis


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve that a run gave, and the axes to draw it on.

    Attributes
    ----------
    x, y : (N,) what the run gave; x increasing
    xlabel, ylabel : names of the axes, with units
    ylim : (low, high) of the vertical axis
    log : whether the vertical axis is logarithmic

    Raises
    ------
    ShapeError, RangeError
        If x and y are not two rows of equal length, x does not grow, or y leaves the axis.
    """

    x: np.ndarray
    y: np.ndarray
    xlabel: str
    ylabel: str
    ylim: tuple[float, float]
    log: bool = False

    def __post_init__(self):
        x, y = np.asarray(self.x, float), np.asarray(self.y, float)
        if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
            raise ShapeError(f"x has shape {x.shape} and y {y.shape}, but both must be (N,) with the same N >= 2")
        low, high = self.ylim
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()):
            raise RangeError("x and y must be finite, and x must grow from left to right")
        if not low < high or (self.log and low <= 0) or y.min() < low or y.max() > high:
            kind = "positive and increasing" if self.log else "increasing"
            raise RangeError(f"ylim is {self.ylim}, but must be {kind} and hold y, from {y.min():.3g} to {y.max():.3g}")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    @property
    def stops(self) -> np.ndarray:
        """(POINTS,) places of the sliders along x."""
        return np.linspace(self.x[0], self.x[-1], POINTS)

    @property
    def levels(self) -> np.ndarray:
        """(POINTS,) heights of the run at the stops, from 0 (bottom of the axis) to 100."""
        return np.interp(self.stops, self.x, self._level(self.y))

    def _level(self, y):
        low, high = self.ylim
        if self.log:
            low, high, y = math.log(low), math.log(high), np.log(y)
        return 100 * (y - low) / (high - low)

    def value(self, level: float) -> float:
        """The number at a height of 0 to 100 on the axis."""
        low, high = self.ylim
        if self.log:
            return low * (high / low) ** (level / 100)
        return low + (high - low) * level / 100

    def verdict(self, drawn) -> str:
        """How near a drawing is, in words; the page's script says the same."""
        if len(drawn) != POINTS:
            raise ShapeError(f"drawn has {len(drawn)} levels, but must have {POINTS}, one for each slider")
        near = sum(abs(level - true) <= NEAR for level, true in zip(drawn, self.levels, strict=True))
        if near == POINTS:
            return f"You drew what the run gives: {near} of {POINTS} points lie within a tenth of the axis."
        return f"{near} of your {POINTS} points lie within a tenth of the axis of what the run gives."

    def axes(self) -> str:
        """The axes as SVG, with room for the reader's line and the run's."""
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        marks = []
        for level in (0, 25, 50, 75, 100):
            y = self._y(level)
            marks.append(
                f'<line class="ck-rule" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(self.value(level))}</text>'
            )
        for share in (0, 0.25, 0.5, 0.75, 1):
            x = LEFT + share * (right - LEFT)
            place = self.x[0] + share * (self.x[-1] - self.x[0])
            marks.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{_short(place)}</text>')
        middle = (LEFT + right) / 2
        marks.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.xlabel)}</text>')
        marks.append(f'<text x="{LEFT}" y="10" class="ck-ylabel">{escape(self.ylabel)}</text>')
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{"".join(marks)}'
            '<polyline class="ck-drawn"/><polyline class="ck-truth"/></svg>'
        )

    def _y(self, level):
        return TOP + (1 - level / 100) * (HEIGHT - TOP - BOTTOM)

    def points(self, levels=None) -> str:
        """The run's line (or one through the sliders' levels) as the `points` of an SVG polyline."""
        x, heights = (self.x, self._level(self.y)) if levels is None else (self.stops, levels)
        across = LEFT + (x - self.x[0]) / (self.x[-1] - self.x[0]) * (WIDTH - LEFT - RIGHT)
        return " ".join(f"{a:.1f},{self._y(b):.1f}" for a, b in zip(across, heights, strict=True))

    def fields(self, name: str) -> str:
        """Axes and sliders as HTML."""
        inputs = []
        for index, stop in enumerate(self.stops):
            left = 100 * (LEFT + index / (POINTS - 1) * (WIDTH - LEFT - RIGHT)) / WIDTH
            inputs.append(
                f'<input type="range" name="{name}" min="0" max="100" value="50" style="left:{left:.2f}%" '
                f'aria-label="{escape(self.ylabel)} at {escape(self.xlabel)} {_short(stop)}" '
                f'aria-valuetext="{_short(self.value(50))}">'
            )
        low, high = self.ylim
        return (
            f'<div class="ck-sketch" data-low="{low!r}" data-high="{high!r}" data-log="{int(self.log)}">'
            f"{self.axes()}{''.join(inputs)}</div>"
        )


def _short(number: float) -> str:
    return f"{number:.2g}" if abs(number) < 100 else f"{number:.4g}"
