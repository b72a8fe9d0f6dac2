"""What a page must know to read values off a picture: where the axes lie, their scales, and what the curves are called.

The curves themselves are in the SVG already. `marked` gives the group of each curve, bar and cloud of points a number,
`scales` says how a place in the picture becomes a pair of numbers. `static/reading.js` does the rest, for any picture.
"""

from __future__ import annotations

import base64
import contextlib
import html
import json
import re

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize, to_hex
from matplotlib.contour import ContourSet
from matplotlib.text import Annotation
from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter

from ._style import INK, MUTED

__all__ = ["MARK", "marked", "scales"]

MARK = "ckmark"  # begins the id of a group that `_svg` turns into data-s
LONGEST_NAME = 32  # a longer text beside a curve is a sentence, not its name


@contextlib.contextmanager
def marked(figure):
    """While this lasts, each artist that shows data has a number as its id."""
    changed = [artist for ax in figure.axes for artist in _artists(ax) if artist.get_gid() is None]
    for number, artist in enumerate(changed):
        artist.set_gid(f"{MARK}{number}")
    try:
        yield
    finally:
        for artist in changed:
            artist.set_gid(None)


def scales(figure, width: float, height: float) -> list[str]:
    """One `<metadata>` element for each axes of a figure that was drawn inside `marked`, `width` x `height` large.

    box : left, top, right, bottom in the picture
    x, y : the numbers at the left and right, at the bottom and the top; a third entry, "log", if it is logarithmic
    names : colour -> what has it, from top to bottom; a curve with a name of its own has it under its number
    xticks, yticks : places and their labels, where a label is not the number at its place; the page shows the nearest
        label, or the number between two that are numbers
    image : the colours' ends and map, if the axes hold an image of numbers
    """
    lines, maps = [], {}
    for number, ax in enumerate(figure.axes):
        x, y = _scale(ax.get_xlim(), ax.get_xscale()), _scale(ax.get_ylim(), ax.get_yscale())
        if x is None or y is None or not ax.get_visible():
            continue
        place = ax.get_position()
        box = [place.x0 * width, (1 - place.y1) * height, place.x1 * width, (1 - place.y0) * height]
        known = {"a": number, "box": [round(edge, 2) for edge in box], "x": x, "y": y, "names": _names(ax)}
        for key, text in (("xlabel", ax.get_xlabel()), ("ylabel", ax.get_ylabel()), ("title", ax.get_title("left"))):
            if text:
                known[key] = _plain(text)
        for key, axis in (("xticks", ax.xaxis), ("yticks", ax.yaxis)):
            words = _words(axis)
            if words:
                known[key] = words
        image = _image(ax)
        if image:
            known["image"] = image
            if image["map"] not in (None, "gray"):
                maps[image["map"]] = _table(image["map"])
        lines.append(f"<metadata>{_json(known)}</metadata>")
    return lines + [f'<metadata data-map="{name}">{table}</metadata>' for name, table in maps.items()]


def _artists(ax):
    collections = [each for each in ax.collections if not isinstance(each, ContourSet)]
    return [*ax.lines, *collections, *ax.patches]


def _scale(ends, kind):
    if kind not in ("linear", "log") or not np.isfinite(ends).all():
        return None
    numbers = [float(f"{end:.7g}") for end in ends]
    return [*numbers, "log"] if kind == "log" else numbers


def _words(axis):
    """The places of an axis' ticks and their labels, if these are not the numbers at the places."""
    if isinstance(axis.major.formatter, (ScalarFormatter, LogFormatter, NullFormatter)):
        return []
    places = axis.get_majorticklocs()
    labels = axis.major.formatter.format_ticks(places)
    pairs = [[float(f"{place:.7g}"), _plain(str(label))] for place, label in zip(places, labels, strict=True)]
    pairs = [[place, label] for place, label in pairs if label]
    spelt = [_spelt(label) for _, label in pairs]
    if None in spelt or (np.abs(np.diff(spelt)) == 1).all():  # words, or layers that are counted
        return pairs
    if all(abs(number - place) <= 0.02 * abs(place) for number, (place, _) in zip(spelt, pairs, strict=True)):
        return []
    return [[place, number] for number, (place, _) in zip(spelt, pairs, strict=True)]


_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


def _spelt(label):
    """The number that a label spells, or None.

    >>> _spelt("10⁻³"), _spelt("−0.5"), _spelt("none")
    (0.001, -0.5, None)
    """
    raised = re.fullmatch("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", label)
    try:
        return (
            10.0 ** int(raised[1].translate(_LOWERED)) if raised else float(label.translate(_LOWERED).replace(",", ""))
        )
    except ValueError:
        return None


def _names(ax):
    names = {}
    for text in sorted(ax.texts, key=lambda each: -_height(ax, each)):
        colour, words = to_hex(text.get_color()), text.get_text().strip()
        is_name = len(words) <= LONGEST_NAME and any(letter.isalpha() for letter in words)
        if is_name and colour not in (INK, MUTED):
            names.setdefault(colour, []).append(_plain(words))
    for artist in _artists(ax):
        label = artist.get_label() or ""
        if label and not label.startswith("_") and artist.get_gid():
            names[artist.get_gid().removeprefix(MARK)] = _plain(label)
    return names


def _height(ax, text):
    """Where a text stands, in pixels from below."""
    if isinstance(text, Annotation) and text.xycoords == "data":
        return ax.transData.transform(text.xy)[1]
    return text.get_transform().transform(text.get_position())[1]


def _image(ax):
    for artist in (*ax.images, *ax.collections):
        array = artist.get_array()
        if array is None or (artist in ax.collections and not hasattr(artist, "_coordinates")):  # a mesh has those
            continue
        if array.ndim == 3:
            return {"map": None}
        norm = artist.norm
        if type(norm) not in (Normalize, LogNorm) or norm.vmin is None:
            return None
        ends = {"map": artist.cmap.name, "low": float(f"{norm.vmin:.7g}"), "high": float(f"{norm.vmax:.7g}")}
        return ends | ({"log": 1} if isinstance(norm, LogNorm) else {})
    return None


def _table(name):
    """The 256 colours of a colour map, as base64 of their bytes."""
    colours = matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
    return base64.b64encode(np.round(255 * colours).astype(np.uint8).tobytes()).decode()


def _plain(text):
    return " ".join(text.replace("$", "").replace("\\", "").split())


def _json(value):
    return html.escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")), quote=False)
