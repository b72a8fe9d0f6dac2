"""Points that a reader adds to a picture, where Python runs: by a click, a touch or the keyboard."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import RangeError
from .controls import Choice

__all__ = ["Points"]

MOST = 50
_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_POINT = re.compile(rf"\(({_NUMBER}), ({_NUMBER}), (\d)\)")


@dataclass(frozen=True, init=False)
class Points(Choice):
    """Points of a plane, each of one of a few classes: "none", or "(x, y, class); (x, y, class)".

    The book draws the picture without one. Where Python runs, a click on the axes adds one of the class that is
    chosen, and a click on one that was added takes it away.

    Attributes
    ----------
    classes : their names, of class 0, 1, ...
    low, high : the corners of the plane in which they lie
    axes : the number of the axes in the picture

    >>> points = Points("blue", "orange", low=(-2, -2), high=(2, 2))
    >>> points.check("added", "(0.5, -1, 1); (0, 0, 0)")
    '(0.5, -1, 1); (0, 0, 0)'
    >>> points.check("added", "(3, 0, 1)")
    Traceback (most recent call last):
    coursekit.errors.RangeError: added has the point (3, 0, 1), but points lie between (-2.0, -2.0) and (2.0, 2.0)
    """

    classes: tuple[str, ...]
    low: tuple[float, float]
    high: tuple[float, float]
    axes: int
    kind = "points"

    def __init__(self, *classes, low, high, axes: int = 0, label: str = "your points"):
        super().__init__("none", label=label)
        if not 2 <= len(classes) <= 9:
            raise RangeError(
                f"points have {len(classes)} classes, but 2 to 9 are needed: Points('blue', 'orange', ...)"
            )
        for field, value in (("classes", classes), ("axes", axes)):
            object.__setattr__(self, field, value)
        object.__setattr__(self, "low", tuple(map(float, low)))
        object.__setattr__(self, "high", tuple(map(float, high)))

    ordered = False

    def check(self, name: str, value):
        """The text itself, if it is "none" or points between the limits."""
        if value == "none":
            return value
        parts = value.split("; ") if isinstance(value, str) else []
        found = [match for part in parts if (match := _POINT.fullmatch(part))]
        if not parts or len(found) < len(parts):
            raise RangeError(f'{name} is {value!r}, but must be "none" or points such as "(0.5, -1, 0); (0, 0, 1)"')
        if len(found) > MOST:
            raise RangeError(f"{name} has {len(found)} points, but {MOST} are the most")
        for part, match in zip(parts, found, strict=True):
            *place, kind = match.groups()
            inside = all(low <= float(n) <= high for low, n, high in zip(self.low, place, self.high, strict=True))
            if not inside:
                raise RangeError(f"{name} has the point {part}, but points lie between {self.low} and {self.high}")
            if int(kind) >= len(self.classes):
                raise RangeError(f"{name} has the point {part}, but the classes are 0 to {len(self.classes) - 1}")
        return value

    def spec(self, name: str) -> dict:
        """The control as plain data, with the limits and the classes."""
        return {
            **super().spec(name),
            "free": [self.low, self.high],
            "classes": list(self.classes),
            "axes": self.axes,
            "most": MOST,
        }
