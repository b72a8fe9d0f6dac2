"""Handles: what can be grasped on a picture. A drag sets the controls, so whatever a handle does a slider does too.

A handle stands at a place of the picture's axes. Where a coordinate is the name of a control it follows that control,
and dragging it sets the control to the value under the pointer: at the nearest stop, or exactly where Python runs.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field

from .._checks import describe
from ..errors import DTypeError

__all__ = ["Handle"]


@dataclass(frozen=True)
class Handle:
    """Something on the picture that is dragged, by mouse, touch or arrow keys.

    Attributes
    ----------
    label : what it is, in a word or two
    x, y : a control of rising numbers, whose value is the coordinate; or a number, a place that stays; y left out means
        the x-axis itself
    axes : the number of the axes in the picture
    turn : a control that changes when the handle, at a place that stays, is dragged up and down
    choice, places : a control of words, and where each of them stands: {"A": (x, y), ...}
    by : a control whose value says which places count: {"saddle": {"A": (x, y), ...}, ...}

    >>> Handle("this pair", x="rate", y="decay").spec()["x"]
    'rate'
    """

    label: str
    x: str | float | None = None
    y: str | float | None = None
    axes: int = 0
    turn: str = ""
    choice: str = ""
    places: dict = field(default_factory=dict)
    by: str = ""

    def check(self, controls: dict) -> None:
        """Complain if it moves what is no control, or a control that it cannot place."""
        moved = [name for name in (self.x, self.y, self.turn) if isinstance(name, str) and name]
        if not moved and not self.choice:
            raise DTypeError(f"the handle {self.label!r} moves nothing; give x=, y=, turn= or choice= a control's name")
        for name in moved:
            if name not in controls or not controls[name].ordered:
                known = ", ".join(each for each, control in controls.items() if control.ordered) or "none"
                raise DTypeError(f"the handle {self.label!r} moves {name!r}, but can move numbers in order: {known}")
        for side in (self.x, self.y):
            if not isinstance(side, (str, numbers.Real, type(None))):
                raise DTypeError(f"the handle {self.label!r} stands at {describe(side)}, but needs a number or a name")
        if not self.choice:
            return
        if self.choice not in controls or (self.by and self.by not in controls):
            raise DTypeError(f"the handle {self.label!r} chooses {self.choice!r} by {self.by!r}; both must be controls")
        tables = [self.places[value] for value in controls[self.by].values] if self.by else [self.places]
        for table in tables:
            missing = [option for option in controls[self.choice].values if option not in table]
            if missing:
                raise DTypeError(f"the handle {self.label!r} has no place for {', '.join(map(str, missing))}")

    def spec(self) -> dict:
        """It as plain data for the page's script."""
        names = ("label", "x", "y", "axes", "turn", "choice", "places", "by")
        return {name: getattr(self, name) for name in names}
