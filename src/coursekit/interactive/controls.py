"""Controls of an explorer: what a reader can set, and at which values the book keeps a picture ready.

Each control has a few `values` that are drawn when the book is built, and `between` finer stops from one of them to
the next, for use where Python runs (in a notebook, or live in the page).
"""

from __future__ import annotations

import itertools
import math
import numbers
import re
from dataclasses import dataclass

import numpy as np

from .._checks import describe
from ..errors import DTypeError, RangeError
from ._typography import words

__all__ = ["Choice", "Control", "LogSlider", "Place", "Seed", "Slider"]


class Control:
    """What all controls share: `values`, `default`, `label`, `unit`, `text(value)`, `check(name, value)`, `spec()`."""

    kind = ""
    between = 1

    @property
    def ordered(self) -> bool:
        """Whether the values rise, so that it is shown as a slider."""
        return True

    values: tuple
    default: object
    label: str
    unit: str

    def text(self, value) -> str:
        """The value in words, with its unit.

        >>> Slider(0, 1, unit="s").text(0.25)
        '0.25 s'
        """
        shown = format(value, ".3g") if isinstance(value, float) else str(value)
        return words(f"{shown} {self.unit}".strip())

    def spec(self, name: str) -> dict:
        """The control as plain data for the page's script."""
        return {
            "name": name,
            "kind": self.kind,
            "label": self.label or name.replace("_", " "),
            "unit": self.unit,
            "values": list(self.values),
            "texts": [self.text(value) for value in self.values],
            "default": self.values.index(self.default),
            "between": self.between,
            "whole": self._whole(),
            "ordered": self.ordered,
        }

    def _whole(self):
        return all(isinstance(value, int) and not isinstance(value, bool) for value in self.values)


class _Range(Control):
    low: float
    high: float

    def _finish(self, values):
        object.__setattr__(self, "values", values)
        default = values[len(values) // 2] if self.default is None else _number("default", self.default)
        if not self.low <= default <= self.high:
            raise RangeError(f"default is {default}, but the slider runs from {self.low} to {self.high}")
        stop = min(values, key=lambda value: abs(value - default))
        if not math.isclose(stop, default, rel_tol=1e-9, abs_tol=1e-12):
            raise RangeError(
                f"default is {default}, but the slider stops at {_list(values)}; "
                f"use default={stop} or change the number of stops"
            )
        object.__setattr__(self, "default", stop)

    def check(self, name: str, value):
        """The value as int or float, if it lies on the slider; between two stops is fine."""
        value = _number(name, value)
        if not self.low <= value <= self.high:
            raise RangeError(f"{name} is {value}, but its slider runs from {self.low} to {self.high}")
        if self._whole():
            if value != int(value):
                raise RangeError(f"{name} is {value}, but its slider takes whole numbers only")
            return int(value)
        return float(value)


@dataclass(frozen=True)
class Slider(_Range):
    """Evenly spaced stops from `low` to `high`; whole numbers if all of its numbers are whole.

    `step` is the distance of the pictures in the book (default: about eight steps over the range). The `default` must
    be one of the stops; left out, it is the one in the middle.

    >>> Slider(2, 30, default=10, step=4).values
    (2, 6, 10, 14, 18, 22, 26, 30)
    """

    low: float
    high: float
    default: float | None = None
    step: float | None = None
    label: str = ""
    unit: str = ""
    kind = "slider"

    def __post_init__(self):
        low, high = _number("low", self.low), _number("high", self.high)
        if not low < high:
            raise RangeError(f"a slider from {low} to {high} has no room; low must be less than high")
        step = self.step
        given = (low, high) if step is None else (low, high, step)
        whole = all(isinstance(n, numbers.Integral) for n in (*given, self.default or 0))
        if step is None:
            step = _whole_step(high - low) if whole else (high - low) / 8
        step = _number("step", step)
        count = (high - low) / step if step > 0 else 0
        if count < 1 or not math.isclose(count, round(count), rel_tol=1e-9):
            raise RangeError(
                f"step is {step}, but it must divide the range from {low} to {high} into equal parts; "
                f"try step={_nice((high - low) / max(1, round(count)))}"
            )
        count = round(count)
        if whole:
            values = tuple(int(low + k * step) for k in range(count + 1))
            object.__setattr__(self, "between", int(step))
        else:
            values = tuple(_nice(low + (high - low) * k / count) for k in range(count + 1))
            object.__setattr__(self, "between", max(1, math.ceil(120 / count)))
        self._finish(values)


@dataclass(frozen=True)
class LogSlider(_Range):
    """Stops that are evenly spaced in the logarithm, rounded to three digits; `steps` counts the stops.

    >>> LogSlider(0.1, 10, default=1.0, steps=5).values
    (0.1, 0.316, 1.0, 3.16, 10.0)
    """

    low: float
    high: float
    default: float | None = None
    steps: int = 9
    label: str = ""
    unit: str = ""
    kind = "log"

    def __post_init__(self):
        low, high = _number("low", self.low), _number("high", self.high)
        if not 0 < low < high:
            raise RangeError(f"a log slider from {low} to {high} has no room; expected 0 < low < high")
        if isinstance(self.steps, bool) or not isinstance(self.steps, numbers.Integral) or self.steps < 2:
            raise RangeError(f"steps is {describe(self.steps)}, but a slider needs a whole number of stops, 2 or more")
        inner = np.geomspace(low, high, self.steps)[1:-1]
        values = (float(low), *(float(f"{value:.3g}") for value in inner), float(high))
        if len(set(values)) < len(values):
            raise RangeError(f"steps is {self.steps}, so close that stops from {low} to {high} coincide; use fewer")
        object.__setattr__(self, "between", max(1, math.ceil(120 / (self.steps - 1))))
        self._finish(values)


@dataclass(frozen=True)
class Seed(_Range):
    """The seed of what is drawn at random: a button for a new one, and one for the first again.

    The book draws `count` of them, from `first` on; where Python runs, any whole number is a seed.

    >>> Seed(3, first=1).values
    (1, 2, 3)
    """

    count: int = 3
    first: int = 0
    label: str = "seed"
    unit: str = ""
    default: int | None = None
    kind = "seed"
    high = 2**31 - 1

    def __post_init__(self):
        count, first = _number("count", self.count), _number("first", self.first)
        if count != int(count) or count < 2:
            raise RangeError(f"count is {count}, but a new seed needs a whole number of seeds, 2 or more")
        if first != int(first) or first < 0:
            raise RangeError(f"first is {first}, but a seed is a whole number from 0 on")
        object.__setattr__(self, "low", first)
        object.__setattr__(self, "default", first if self.default is None else self.default)
        self._finish(tuple(range(first, first + count)))


@dataclass(frozen=True, init=False)
class Choice(Control):
    """One of a few options: words, numbers, True and False.

    Three numbers or more in rising order are shown as a slider that stops at each of them, also where they are written
    as words or end in one ("all"); other options are shown as a list.

    >>> Choice("tanh", "relu").default
    'tanh'
    >>> Choice(1, 4, 16, "all").ordered, Choice("tanh", "relu").ordered
    (True, False)
    """

    values: tuple
    default: object
    label: str
    unit: str
    kind = "choice"

    def __init__(self, *options, default=None, label: str = "", unit: str = ""):
        if not options:
            raise RangeError('a choice without options; write for example Choice("tanh", "relu")')
        for option in options:
            if not isinstance(option, (str, bool, int, float)):
                raise DTypeError(f"an option is {describe(option)}, but must be a word, a number, True or False")
        if len({str(option) for option in options}) < len(options):
            raise RangeError(f"the options {_list(options)} contain one twice")
        default = options[0] if default is None else default
        if default not in options:
            raise RangeError(f"default is {default!r}, but the options are {_list(options)}")
        for field, value in (("values", options), ("default", default), ("label", label), ("unit", unit)):
            object.__setattr__(self, field, value)

    @property
    def ordered(self) -> bool:
        """Whether the options are a number that rises."""
        numbers_in = [_as_number(option) for option in self.values]
        if len(numbers_in) > 3 and numbers_in[-1] is None:
            numbers_in.pop()
        if len(numbers_in) < 3 or None in numbers_in:
            return False
        return all(low < high for low, high in itertools.pairwise(numbers_in))

    def check(self, name: str, value):
        """The option itself, if it is one."""
        for option in self.values:
            if isinstance(option, bool) == isinstance(value, bool) and option == value:
                return option
        raise RangeError(f"{name} is {value!r}, but must be one of {_list(self.values)}")


_PAIR = re.compile(r"\(\s*(-?[\d.]+(?:e-?\d+)?)\s*,\s*(-?[\d.]+(?:e-?\d+)?)\s*\)")


@dataclass(frozen=True, init=False)
class Place(Choice):
    """A point of a plane: a few that the book draws, and where Python runs any between `low` and `high`, as "(x, y)".

    >>> here = Place("A", "B", low=(-2, -1), high=(2, 1))
    >>> here.check("start", "(0.5, -1)")
    '(0.5, -1)'
    """

    low: tuple[float, float]
    high: tuple[float, float]

    def __init__(self, *options, low, high, default=None, label: str = "", unit: str = ""):
        super().__init__(*options, default=default, label=label, unit=unit)
        object.__setattr__(self, "low", tuple(map(float, low)))
        object.__setattr__(self, "high", tuple(map(float, high)))

    ordered = False

    def check(self, name: str, value):
        """The option itself, or a point that lies between the limits."""
        pair = _PAIR.fullmatch(value) if isinstance(value, str) and value not in self.values else None
        if pair is None:
            return super().check(name, value)
        if not all(low <= float(n) <= high for low, n, high in zip(self.low, pair.groups(), self.high, strict=True)):
            raise RangeError(f"{name} is {value}, but must lie between {self.low} and {self.high}")
        return value

    def spec(self, name: str) -> dict:
        """The control as plain data, with the limits."""
        return {**super().spec(name), "free": [self.low, self.high]}


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise DTypeError(f"{name} is {describe(value)}, but must be a finite number")
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _as_number(option):
    """The number that an option is or spells, or None."""
    if isinstance(option, bool):
        return None
    try:
        return float(option)
    except ValueError:
        return None


def _nice(value):
    """0.30000000000000004 -> 0.3."""
    return float(f"{value:.10g}")


def _whole_step(span):
    return min((step for step in range(1, span + 1) if span % step == 0), key=lambda step: abs(span / step - 8))


def _list(values):
    return ", ".join(map(repr, values))
