"""Values read off a picture in a notebook: those of each curve, bar, point and pixel, as the page's script reads them.

The page has `static/reading.js`. A notebook runs no script of ours, so there the values stand in tooltips (`titled`),
and two sliders go through a panel (`values`). Both need the picture alone: what it says of its axes stands in it.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

import matplotlib
import numpy as np

from ._typography import in_three_digits

__all__ = ["Axes", "axes_of", "titled", "values"]

SVG = "{http://www.w3.org/2000/svg}"
MOST_TITLES = 80  # of one curve
REACH = 12  # points of the picture within which a point is meant


@dataclass
class Axes:
    """One pair of axes of a picture: what it says of them, and what is drawn in them, in places of the picture.

    known : the entry of `plotting._reading.scales`
    curves : (name, (P, 2)) each; bars : (name, left, top, right, bottom); points : (name, x, y)
    """

    known: dict
    curves: list = field(default_factory=list)
    bars: list = field(default_factory=list)
    points: list = field(default_factory=list)

    @property
    def title(self) -> str:
        """Its title, or the label of its x-axis, or its number."""
        return self.known.get("title") or self.known.get("xlabel") or f"panel {self.known['a'] + 1}"

    def holds(self, x, y, slack=1.0) -> bool:
        """Whether a place of the picture lies in these axes."""
        left, top, right, bottom = self.known["box"]
        return left - slack <= x <= right + slack and top - slack <= y <= bottom + slack

    def number(self, side: str, at: float) -> float:
        """The number on an axis, "x" or "y", at a place of the picture."""
        left, top, right, bottom = self.known["box"]
        share = (at - left) / (right - left) if side == "x" else (at - bottom) / (top - bottom)
        low, high, *log = self.known[side]
        return low * (high / low) ** share if log else low + (high - low) * share

    def text(self, side: str, at: float) -> str:
        """The same in words: the label of the nearest tick where the ticks carry words."""
        value = self.number(side, at)
        ticks = self.known.get(f"{side}ticks", [])
        if ticks:
            near, other = sorted(ticks, key=lambda tick: abs(tick[0] - value))[:2] if len(ticks) > 1 else ticks * 2
            if isinstance(near[1], str) or near is other:
                return str(near[1])
            share = (value - near[0]) / (other[0] - near[0])
            return in_three_digits(near[1] + (other[1] - near[1]) * share)
        low, high, *_ = self.known[side]
        return in_three_digits(0.0 if abs(value) < 1e-6 * abs(high - low) else value)

    def pair(self, x: float, y: float) -> str:
        """A place in words, by the labels of both axes."""
        return (
            f"{self.known.get('xlabel', 'x')} {self.text('x', x)}, {self.known.get('ylabel', 'y')} {self.text('y', y)}"
        )


def axes_of(svg: str) -> list[Axes]:
    """The axes of a picture that was drawn to be read, with what is drawn in them."""
    root = ElementTree.fromstring(svg)
    found = [
        Axes(json.loads(each.text or "{}")) for each in root.iter(f"{SVG}metadata") if "data-map" not in each.attrib
    ]
    for group in (each for each in root.iter(f"{SVG}g") if "data-s" in each.attrib):
        _sort(group, found)
    for axes in found:
        for kind in ("curves", "points", "bars"):
            setattr(axes, kind, _named(axes.known["names"], getattr(axes, kind)))
    return found


def _sort(group, found):
    """Put what a group draws into the axes that it lies in, with its mark and colour in place of a name."""
    mark, hidden = group.attrib["data-s"], {id(each) for defs in group.iter(f"{SVG}defs") for each in defs.iter()}
    line = False
    for path in (each for each in group.iter(f"{SVG}path") if id(each) not in hidden):
        places = _vertices(path.attrib.get("d", ""))
        style = path.attrib.get("style", "")
        axes = next((each for each in found if any(each.holds(*place) for place in places)), None)
        if axes is None or len(places) < 2:
            continue
        if "fill:none" in style:
            line = True
            axes.curves.append(((mark, _colour(style, "stroke")), np.array(places)))
        elif 4 <= len(places) <= 5 and len({x for x, _ in places}) == 2 == len({y for _, y in places}):
            (left, top), (right, bottom) = np.min(places, axis=0), np.max(places, axis=0)
            if bottom - top < axes.known["box"][3] - axes.known["box"][1] - 1:
                axes.bars.append(((mark, _colour(style, "fill")), left, top, right, bottom))
    for use in group.iter(f"{SVG}use") if not line else ():
        x, y = float(use.attrib.get("x", 0)), float(use.attrib.get("y", 0))
        axes = next((each for each in found if each.holds(x, y)), None)
        if axes:
            axes.points.append(((mark, _colour(use.attrib.get("style", ""), "fill")), x, y))


def _vertices(path):
    """The corners of a path of straight pieces; none of a path with curves."""
    if re.search("[CQHV]", path, re.I):
        return []
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]\s*(-?[\d.]+)[ ,](-?[\d.]+)", path)]


def _colour(style, kind):
    found = re.search(rf"(?:^|;){kind}:[^;]*?(#[0-9a-f]{{6}})", style)
    return found[1] if found else ""


def _named(names, kind):
    """The same with names: by number, or by colour from top to bottom where curves share one."""
    named = []
    for (mark, colour), *rest in kind:
        alike = [each for each in kind if each[0][1] == colour and each[0][0] not in names]
        words = names.get(colour, [])
        if mark in names:
            name = names[mark]
        elif len(words) == len(alike) and np.ndim(rest[0]) == 2:
            order = sorted(range(len(alike)), key=lambda k: alike[k][1][-1][1])
            name = words[order.index(next(k for k, each in enumerate(alike) if each[0][0] == mark))]
        else:
            name = " or ".join(words)
        named.append((name, *rest))
    return named


def values(svg: str, panel: int, across: float, up: float) -> list[str]:
    """What stands in a panel at a place: shares of its width and height, from its left and its foot.

    The first entry says where that is; then a line for each curve, for the bar, the nearest point and the pixel.
    """
    axes = axes_of(svg)[panel]
    left, top, right, bottom = axes.known["box"]
    x, y = left + across * (right - left), bottom + up * (top - bottom)
    lines = []
    for name, places in axes.curves:
        if (np.diff(places[:, 0]) >= 0).all() and places[0, 0] <= x <= places[-1, 0]:
            at = float(np.interp(x, places[:, 0], places[:, 1]))
            if axes.holds(x, at):
                lines.append(f"{name} {axes.text('y', at)}".strip())
    lines += [f"{bar[0]} {_height(axes, bar)}".strip() for bar in axes.bars if _meant(axes, bar, x, y)]
    near = min(axes.points, key=lambda point: math.hypot(point[1] - x, point[2] - y), default=None)
    if near and math.hypot(near[1] - x, near[2] - y) < REACH:
        lines.append(f"{near[0]} point at {axes.pair(*near[1:])}".strip())
    pixel = _pixel(svg, axes, x, y)
    return [axes.pair(x, y), *lines, *([f"value {pixel}"] if pixel else [])]


def _lying(axes):
    return len(axes.bars) > 1 and len({bar[1] for bar in axes.bars}) == 1


def _meant(axes, bar, x, y):
    _, left, top, right, bottom = bar
    return top <= y <= bottom if _lying(axes) else left <= x <= right


def _height(axes, bar):
    _, _, top, right, _ = bar
    return axes.text("x", right) if _lying(axes) else axes.text("y", top)


def _pixel(svg, axes, x, y):
    """The number that an image's colour stands for at a place, in words; "" where there is none."""
    image = axes.known.get("image")
    if not image or not image["map"]:
        return ""
    for tag in re.findall("<image [^>]*>", svg):
        given = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        colour = _colour_at(given, x, y)
        if colour is None:
            continue
        table = np.round(255 * matplotlib.colormaps[image["map"]](np.linspace(0, 1, 256))[:, :3])
        far = ((table - colour) ** 2).sum(axis=1)
        if far.min() > 1500:  # something else is drawn there
            return ""
        share, (low, high) = far.argmin() / 255, (image["low"], image["high"])
        return f"≈ {in_three_digits(low * (high / low) ** share if image.get('log') else low + (high - low) * share)}"
    return ""


def _colour_at(given, x, y):
    """The colour of an image of the picture at a place, or None beside it."""
    from PIL import Image

    left, top = float(given.get("x", 0)), float(given.get("y", 0))
    width, height = float(given["width"]), float(given["height"])
    for kind, numbers in re.findall(r"(\w+)\(([^)]*)\)", given.get("transform", "")):  # undone from the left
        n = [float(number) for number in re.split(r"[ ,]+", numbers.strip())]
        if kind == "scale":
            x, y = x / n[0], y / n[-1]
        elif kind == "translate":
            x, y = x - n[0], y - (n[1] if len(n) > 1 else 0)
        elif kind == "matrix" and n[1] == n[2] == 0:
            x, y = (x - n[4]) / n[0], (y - n[5]) / n[3]
        else:
            return None
    share = (x - left) / width, (y - top) / height
    if not all(0 <= part < 1 for part in share):
        return None
    data = given.get("href", given.get("xlink:href", "")).split("base64,")[-1]
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    colour = image.getpixel((int(share[0] * image.width), int(share[1] * image.height)))
    return None if colour[3] < 128 else np.array(colour[:3], dtype=float)


def titled(svg: str) -> str:
    """The picture with a tooltip on each bar and point, and along each curve."""
    marks = []
    for axes in axes_of(svg):
        for name, places in axes.curves:
            chosen = places[:: max(1, math.ceil(len(places) / MOST_TITLES))]
            marks += [_title(x, y, f"{name}: {axes.pair(x, y)}") for x, y in chosen if axes.holds(x, y)]
        marks += [_title(x, y, f"{name}: {axes.pair(x, y)}") for name, x, y in axes.points]
        for bar in axes.bars:
            name, left, top, right, bottom = bar
            box = f'x="{left}" y="{top}" width="{right - left:.2f}" height="{bottom - top:.2f}"'
            marks.append(f"<rect {box}>{_words(f'{name}: {_height(axes, bar)}')}</rect>")
    layer = f'<g style="fill:transparent;stroke:none;pointer-events:all">{"".join(marks)}</g>'
    return svg.removesuffix("</svg>") + layer + "</svg>"


def _title(x, y, text):
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="5">{_words(text)}</circle>'


def _words(text):
    return f"<title>{html.escape(text.removeprefix(': '))}</title>"
