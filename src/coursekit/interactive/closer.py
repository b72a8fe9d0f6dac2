"""A closer look: one of the small maps in a picture, such as what a hidden unit computes, is shown large.

The map is in the picture already, so this costs no further one: a part of the picture is drawn again, larger.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, replace

from ..errors import DTypeError, RangeError

__all__ = ["Closer", "closer", "tiles"]


@dataclass(frozen=True)
class Closer:
    """Small maps, side by side in one pair of axes, each of which can be shown large in place of another.

    Attributes
    ----------
    label : what one of them is, in a word: "unit"
    axes : the number of the axes that hold them
    grid : rows and columns; or, where a control changes them, `{its value: (rows, columns, gap)}`, without the values
        at which there are no maps
    gap : pixels of their image between two of them
    into : the number of the axes in whose place one is shown
    count : the control that says how many there are; left out, there is one in each place of the grid
    by : the control whose values `grid` names

    >>> Closer("unit", axes=1, grid=(2, 3), count="units").spec()["kind"]
    'closer'
    """

    label: str
    axes: int
    grid: tuple[int, int] | dict[str, tuple[int, int, int]]
    gap: int = 1
    into: int = 0
    count: str = ""
    by: str = ""

    def check(self, controls: dict) -> None:
        """Complain if the count is no control, or the grid has no place."""
        if self.count and (self.count not in controls or not controls[self.count].ordered):
            known = ", ".join(name for name, control in controls.items() if control.ordered) or "none"
            raise DTypeError(
                f"{self.count!r} counts the {self.label}s, but must be a control of rising numbers: {known}"
            )
        if isinstance(self.grid, dict) != bool(self.by) or (self.by and self.by not in controls):
            raise DTypeError(
                f"the grid of {self.label}s is {self.grid} and by={self.by!r}: a grid for each value of a control goes "
                f"with by=, the control's name: {', '.join(controls)}"
            )
        values = controls[self.by].values if self.by else ()
        if self.by and (unknown := [value for value in self.grid if value not in values]):
            known = ", ".join(map(repr, values))
            raise DTypeError(f"the grid of {self.label}s names {unknown[0]!r}, but {self.by} is one of {known}")
        for rows, columns, _ in self.grids():
            if min(rows, columns) < 1:
                raise RangeError(f"the grid of {self.label}s is {self.grid}, but has at least one row and one column")

    def grids(self) -> list[tuple[int, int, int]]:
        """Rows, columns and gap of each grid that there may be: one, unless a control changes it."""
        return list(self.grid.values()) if isinstance(self.grid, dict) else [(*self.grid, self.gap)]

    def at(self, value: object = None) -> Closer | None:
        """It with the grid at this value of the control that changes it; None where there are no maps."""
        if not isinstance(self.grid, dict):
            return self
        if value not in self.grid:
            return None
        rows, columns, gap = self.grid[value]
        return replace(self, grid=(rows, columns), gap=gap, by="")

    def spec(self) -> dict:
        """It as plain data for the page's script."""
        names = ("label", "axes", "grid", "gap", "into", "count", "by")
        return {"kind": "closer", **{name: getattr(self, name) for name in names}}


def tiles(known: dict, given: Closer) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height of each place of the grid in the picture; `known` is what it says of these axes."""
    left, top, right, bottom = known["box"]
    ((rows, columns, gap),) = given.grids()
    pixel = (right - left) / abs(known["x"][1] - known["x"][0]), (bottom - top) / abs(known["y"][1] - known["y"][0])
    gap_x, gap_y = gap * pixel[0], gap * pixel[1]
    width = (right - left - (columns - 1) * gap_x) / columns
    height = (bottom - top - (rows - 1) * gap_y) / rows
    return [
        (left + column * (width + gap_x), top + row * (height + gap_y), width, height)
        for row in range(rows)
        for column in range(columns)
    ]


def closer(svg: str, given: Closer, number: int, name: str = "ck-closer") -> str:
    """The picture with one of the small maps shown large, as the page shows it; for notebooks. 0 is none.

    `name` is the id of what is drawn again; no other picture of the notebook may have it.
    """
    axes = {known["a"]: known for known in map(_axes, re.findall("<metadata>(.*)</metadata>", svg))}
    ((rows, columns, _),) = given.grids()
    if not 0 < number <= rows * columns or given.axes not in axes or given.into not in axes:
        return svg
    left, top, width, height = tiles(axes[given.axes], given)[number - 1]
    box = axes[given.into]["box"]
    start = svg.index(">") + 1
    inside = svg[start:].removesuffix("</svg>")
    large = (
        f'<svg x="{box[0]}" y="{box[1]}" width="{box[2] - box[0]:.2f}" height="{box[3] - box[1]:.2f}" '
        f'viewBox="{left:.2f} {top:.2f} {width:.2f} {height:.2f}" preserveAspectRatio="none" overflow="hidden">'
        f'<rect x="{left:.2f}" y="{top:.2f}" width="{width:.2f}" height="{height:.2f}" fill="#fff"/>'
        f'<use href="#{name}"/></svg>'
    )
    return f'{svg[:start]}<g id="{name}">{inside}</g>{large}</svg>'


def _axes(text):
    return json.loads(html.unescape(text))
