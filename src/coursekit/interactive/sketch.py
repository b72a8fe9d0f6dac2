"""`Curve`: the answer to a prediction that the reader draws on the axes before the result appears over it.

One stroke of a pen, a finger or the mouse across the axes draws the line. Each of its points is a slider besides, so
the arrow keys draw it too and mend it.

>>> import numpy as np
>>> x = np.arange(1, 11)
>>> halving = Curve(x, 0.5**x, xlabel="layer", ylabel="std", ylim=(1e-4, 1), log=True)
>>> halving.levels.round().tolist()
[92.0, 84.0, 76.0, 67.0, 59.0, 50.0, 42.0, 33.0, 25.0]
>>> halving.verdict([92, 84, 76, 67, 59, 50, 42, 33, 25])
'You drew what the run gives: 9 of 9 points lie within a tenth of the axis.'
>>> halving.verdict([92, 84, 76, 67, 59, 50, 42, 33, 92])[73:]
'At layer 10 you drew 0.48, the run gives 0.00098.'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..errors import RangeError, ShapeError
from .answers import Answer, short

__all__ = ["Curve"]

WIDTH, HEIGHT = 480, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 30, 44
POINTS = 9
NEAR = 10  # of the 100 steps of the axis


@dataclass(frozen=True, eq=False)
class Curve(Answer):
    """A curve that a run gave, and the axes to draw it on.

    Attributes
    ----------
    x, y : (N,) what the run gave; x increasing
    xlabel, ylabel : names of the axes, with units
    ylim : (low, high) of the vertical axis
    log, xlog : whether the vertical and the horizontal axis are logarithmic
    count : number of points that the reader's line goes through
    explanation : said to everyone

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
    xlog: bool = False
    count: int = POINTS
    explanation: str = ""
    kind = "curve"

    def __post_init__(self):
        x, y = np.asarray(self.x, float), np.asarray(self.y, float)
        if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
            raise ShapeError(f"x has shape {x.shape} and y {y.shape}, but both must be (N,) with the same N >= 2")
        low, high = self.ylim
        if not (np.isfinite(x).all() and np.isfinite(y).all() and (np.diff(x) > 0).all()):
            raise RangeError("x and y must be finite, and x must grow from left to right")
        if self.xlog and x[0] <= 0:
            raise RangeError(f"x begins at {x[0]:.3g}, but must be positive on a logarithmic axis")
        if not low < high or (self.log and low <= 0) or y.min() < low or y.max() > high:
            kind = "positive and increasing" if self.log else "increasing"
            raise RangeError(f"ylim is {self.ylim}, but must be {kind} and hold y, from {y.min():.3g} to {y.max():.3g}")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    @property
    def stops(self) -> np.ndarray:
        """(count,) places of the points along x."""
        if self.xlog:
            return np.geomspace(self.x[0], self.x[-1], self.count)
        return np.linspace(self.x[0], self.x[-1], self.count)

    @property
    def levels(self) -> np.ndarray:
        """(count,) heights of the run at the stops, from 0 (bottom of the axis) to 100."""
        return np.interp(self._share(self.stops), self._share(self.x), self._level(self.y))

    def _share(self, x):
        """Where x lies along the axis, from 0 to 1."""
        first, last = self.x[0], self.x[-1]
        if self.xlog:
            return np.log(np.asarray(x) / first) / math.log(last / first)
        return (np.asarray(x) - first) / (last - first)

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

    @property
    def right(self) -> str:
        """The curve's ends in words."""
        first, last = self.y[[0, -1]]
        return f"from {short(first)} on the left to {short(last)} on the right"

    def is_right(self, given) -> bool:
        """Whether every point of a drawing is near the run."""
        return self._near(given) == self.count

    def _near(self, given):
        if len(given) != self.count:
            raise ShapeError(f"drawn has {len(given)} levels, but must have {self.count}, one for each slider")
        return int(sum(abs(level - true) <= NEAR for level, true in zip(given, self.levels, strict=True)))

    def verdict(self, given, good: str = "", bad: str = "") -> str:
        """How near a drawing is, and where it is furthest off; the page's script says the same."""
        near = self._near(given)
        if near == self.count:
            return f"You drew what the run gives: {near} of {near} points lie within a tenth of the axis."
        worst = int(np.argmax(np.abs(np.asarray(given) - self.levels)))
        return (
            f"{near} of your {self.count} points lie within a tenth of the axis of what the run gives. "
            f"At {self.xlabel} {short(self.stops[worst])} you drew {short(self.value(given[worst]))}, "
            f"the run gives {short(self.value(self.levels[worst]))}."
        )

    def told(self, given) -> str:
        """The curve's ends."""
        return f"The run goes {self.right}."

    def axes(self) -> str:
        """The axes as SVG, with room for the reader's line and the run's."""
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        marks = []
        for value in self._yticks():
            y = self._y(self._level(np.float64(value)))
            marks.append(
                f'<line class="ck-rule" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{_power(value)}</text>'
            )
        for place in self._xticks():
            x = LEFT + float(self._share(place)) * (right - LEFT)
            marks.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{_power(place)}</text>')
        middle = (LEFT + right) / 2
        marks.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(self.xlabel)}</text>')
        marks.append(f'<text x="4" y="14" class="ck-ylabel">{escape(self.ylabel)}</text>')
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{"".join(marks)}'
            '<polyline class="ck-truth"/><polyline class="ck-drawn"/></svg>'
        )

    def _yticks(self):
        """Round numbers on the vertical axis; both its ends among them, which the script looks for."""
        low, high = self.ylim
        ticks = _decades(low, high) if self.log else _even(low, high)
        return sorted({low, high, *ticks})

    def _xticks(self):
        first, last = self.x[0], self.x[-1]
        ticks = _decades(first, last) if self.xlog else []
        if len(ticks) >= 2:
            return ticks
        if self.xlog:
            return np.geomspace(first, last, 5)
        return [tick for tick in MaxNLocator(6, integer=True).tick_values(first, last) if first <= tick <= last]

    def _y(self, level):
        return TOP + (1 - level / 100) * (HEIGHT - TOP - BOTTOM)

    def points(self, levels=None) -> str:
        """The run's line (or one through the sliders' levels) as the `points` of an SVG polyline."""
        x, heights = (self.x, self._level(self.y)) if levels is None else (self.stops, levels)
        across = LEFT + self._share(x) * (WIDTH - LEFT - RIGHT)
        return " ".join(f"{a:.1f},{self._y(b):.1f}" for a, b in zip(across, heights, strict=True))

    def fields(self, root: str) -> str:
        """Axes and the points' sliders as HTML. A slider is no wider than its point: the strokes belong to the axes."""
        inputs = []
        for index, stop in enumerate(self.stops):
            left = 100 * (LEFT + index / (self.count - 1) * (WIDTH - LEFT - RIGHT)) / WIDTH
            inputs.append(
                f'<input type="range" name="{root}" min="0" max="100" value="50" style="left:{left:.2f}%" '
                f'autocomplete="off" aria-label="{escape(self.ylabel)} at {escape(self.xlabel)} {short(stop)}" '
                'aria-valuetext="not drawn yet">'
            )
        low, high = self.ylim
        return (
            '<p class="ck-how">Draw one line across the picture, or set its points with the Tab and arrow keys.</p>'
            f'<div class="ck-sketch" data-low="{low!r}" data-high="{high!r}" data-log="{int(self.log)}" '
            f'data-x="{escape(self.xlabel)}" data-stops="{" ".join(short(stop) for stop in self.stops)}">'
            f"{self.axes()}{''.join(inputs)}</div>"
            '<p class="ck-key" aria-hidden="true"><span class="ck-drawn">your line</span> '
            '<span class="ck-truth">the run</span></p>'
        )

    def secret(self) -> dict:
        """What the script must know."""
        return {
            "levels": self.levels.round(2).tolist(),
            "points": self.points(),
            "told": f"The run goes {self.right}.",
        }


def _decades(low, high):
    """Powers of ten from low to high, each, or every second, third ... one, at most six."""
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    return [10.0**k for k in powers[:: max(1, math.ceil((len(powers) - 1) / 5))]]


def _even(low, high):
    """Three to six numbers at equal distances, both ends among them: the first choice whose labels say them exactly.

    >>> _even(0.0, 3.0)
    [0.0, 1.0, 2.0, 3.0]
    """
    choices = [[float(tick) for tick in np.linspace(low, high, parts + 1)] for parts in (4, 3, 5, 2)]
    exact = (ticks for ticks in choices if np.allclose([float(short(t)) for t in ticks], ticks, atol=1e-9))
    return next(exact, choices[0])


def _power(number: float) -> str:
    """A tick's label: 0.5, 200, 10 with a raised exponent from 10000 on and below 0.01."""
    exponent = math.log10(abs(number)) if number else 0.0
    if number and abs(exponent - round(exponent)) < 1e-9 and not -2 <= round(exponent) <= 3:
        return f'10<tspan dy="-4" font-size="75%">{str(round(exponent)).replace("-", "−")}</tspan>'
    if number and not 1e-3 <= abs(number) < 1e5:
        digits, power = f"{number:.1e}".split("e")
        digits = digits.removesuffix(".0")
        return f'{digits}·10<tspan dy="-4" font-size="75%">{str(int(power)).replace("-", "−")}</tspan>'
    return short(number).replace("-", "−")
