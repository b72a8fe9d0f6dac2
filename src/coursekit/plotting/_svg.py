"""A figure as a small SVG that can stand inside a page.

Matplotlib's SVG is made for a file of its own. `to_svg` makes it fit for a page: no style rule that reaches out of the
picture, ids that are unique in the page, colours as CSS variables (light and dark), text as text in the page's font,
two decimals (a fiftieth of a pixel), dense artists as an image inside the SVG, and one element a line, so that frames
which share most of their elements can be packed together. The same figure always gives the same text.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import html
import io
import os
import re
import sys

import matplotlib
from matplotlib import textpath
from matplotlib.collections import Collection, QuadMesh
from matplotlib.figure import Figure

from . import _narrow, _reading, _style
from ._axis import in_strokes

__all__ = ["figure_html", "to_svg"]

DENSE = 600  # an artist with more marks than this is drawn as an image

VARIABLES = {
    _style.INK: "--ck-ink",
    _style.MUTED: "--ck-muted",
    _style.GRID: "--ck-grid",
    _style.PAPER: "--ck-paper",
    **{colour: f"--ck-{number}" for number, colour in enumerate(_style.CYCLE)},
}

_RC = {"svg.fonttype": "none", "svg.hashsalt": "coursekit", "savefig.dpi": 144}
_TAG = re.compile(r"<[^>]+>")
_NUMBER = re.compile(r"matrix\([^)]*\)|#[0-9a-fA-F]+|-?\d+\.\d{3,}(?:e-?\d+)?")
_COLOUR = re.compile("|".join(VARIABLES))
_MATHS = re.compile(r"<text>\s*((?:<tspan [^>]*>[^<]*</tspan>\s*)+)</text>")
_TSPAN = re.compile(r'<tspan x="([^"]*)" y="([^"]*)" style="([^"]*)">([^<]*)</tspan>')
_INVISIBLE = re.compile(r'<path d="[^"]*"(?: clip-path="[^"]*")? style="fill:none"/>')
_ID = re.compile(r'(?<= id=")[^"]+(?=")')
_MARK = re.compile(rf' id="{_reading.MARK}(\d+)"')
_NAMES = re.compile(r"^<(?:svg|image)|[\s:](?:id|href)=|url\(#")
_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


def to_svg(figure: Figure, prefix: str = "f", *, readable: bool = False) -> str:
    """The picture as one `<svg>` element; `prefix` begins each of its ids, so give every picture of a page its own.

    `readable` adds what a page needs to read values off it (`_reading`).

    >>> fig, ax = _style.figure()
    >>> text = to_svg(fig, "a")
    >>> text[:4], text[-6:], "var(--ck-ink," in text
    ('<svg', '</svg>', True)
    """
    _rasterize_dense(figure)
    with matplotlib.rc_context(_RC), _one_reader(), _reading.marked(figure) if readable else contextlib.nullcontext():
        try:
            with in_strokes(figure):
                text = _saved(figure)
        except AttributeError:  # a Matplotlib without the private parts that `_axis` uses: slower, the same picture
            text = _saved(figure)
        text = _clean(text, prefix)
        if readable:
            lines = _reading.scales(figure, *(72 * size for size in figure.get_size_inches()))
            text = text.removesuffix("</svg>") + "\n".join([*lines, "</svg>"])
    return text


def _saved(figure):
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=None, metadata={"Date": None})
    return buffer.getvalue()


_reader = functools.cache(textpath.MathTextParser)


@contextlib.contextmanager
def _one_reader():
    """While this lasts, one reader of formulas serves all pictures.

    Matplotlib makes one for each picture, which has forgotten all formulas of the last one; parsing them again took a
    third of the time of a picture with logarithmic axes.
    """
    theirs, textpath.MathTextParser = textpath.MathTextParser, _reader
    try:
        yield
    finally:
        textpath.MathTextParser = theirs


def figure_html(figure: Figure, alt: str) -> str:
    """The picture as HTML for a page or a notebook, with its alternative text.

    The book's page holds a second drawing for a narrow screen, where one can be made (`_narrow`).
    """
    pictures = [to_svg(figure, "0")]
    if os.environ.get("COURSEKIT_BOOK") == "1":  # not in a cell of the page
        with _narrow.narrowed(figure) as done:
            if done:
                pictures.append(_narrow.marked(to_svg(figure, "n0")))
    if len(pictures) > 1:
        pictures = _shared(*pictures)
    name = "f" + hashlib.sha256(pictures[0].encode()).hexdigest()[:8]
    text = "\n".join(pictures)
    for prefix, own in (("0", name), ("n0", f"{name}n")):
        text = text.replace(f'"{prefix}-', f'"{own}-').replace(f"#{prefix}-", f"#{own}-")
    label = f' role="img" aria-label="{html.escape(alt)}"' if alt else ""
    kind = "ck-figure ck-both" if len(pictures) > 1 else "ck-figure"
    return f'<div class="{kind}" style="background:var(--ck-ground,#fff)"{label}>{text}</div>'


_PHOTO = re.compile(
    r'<image href="(?P<data>data:[^"]+)"(?P<size> width="[^"]+" height="[^"]+") '
    r'transform="matrix\((?P<a>\S+) 0 0 (?P<d>\S+) (?P<e>\S+) (?P<f>\S+)\)"'
)


def _shared(wide, narrow):
    """Two drawings of one figure that hold each photograph once: the second one shows that of the first."""
    photos = {}

    def named(match):
        if match["data"] in photos:
            return match[0]
        photos[match["data"]] = (f"0-photo{len(photos)}", *map(float, match.group("a", "d", "e", "f")))
        return match[0].replace("<image ", f'<image id="{photos[match["data"]][0]}" ', 1)

    def used(match):
        if match["data"] not in photos:
            return match[0]
        name, a, d, e, f = photos[match["data"]]
        across, down = float(match["a"]) / a, float(match["d"]) / d
        place = (across, down, float(match["e"]) - across * e, float(match["f"]) - down * f)
        return '<use href="#{}" transform="matrix({:.5f} 0 0 {:.5f} {:.2f} {:.2f})"'.format(name, *place)

    wide = _PHOTO.sub(named, wide)
    return [wide, _PHOTO.sub(used, narrow)]


def _rasterize_dense(figure):
    for axes in figure.axes:
        for artist in axes.collections:
            if isinstance(artist, QuadMesh) or (isinstance(artist, Collection) and _marks(artist) > DENSE):
                artist.set_rasterized(True)
        for line in axes.lines:
            if line.get_marker() not in ("None", "none", "", " ", None) and len(line.get_xdata()) > DENSE:
                line.set_rasterized(True)


def _marks(collection) -> int:
    return max(len(collection.get_offsets()), len(collection.get_paths()))


def _clean(svg, prefix):
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'<defs>\s*<style type="text/css">[^<]*</style>\s*</defs>', "", svg, count=1)
    svg = _MATHS.sub(_join_maths, svg)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = _TAG.sub(lambda tag: _clean_tag(tag[0], prefix, used), svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    svg = _merge_groups(svg)
    return _PNG.sub(lambda match: _smaller(match[1]), svg)


def _clean_tag(tag, prefix, used):
    if " " not in tag:
        return tag
    if not _NAMES.search(tag):
        return _clean_plain_tag(tag)
    if tag.startswith("<image"):
        tag = re.sub(r"(?<=base64,)[^\"]+", lambda m: m[0].replace("\n", "").replace(" ", ""), tag)
        tag = tag.replace("xlink:href", "href")
        return tag.replace(f'id="{_ID.search(tag)[0]}" ', "") if _ID.search(tag) else tag
    tag = _MARK.sub(r' data-s="\1"', tag)
    tag = _ID.sub(lambda m: f"{prefix}-{m[0]}" if m[0] in used else "", tag).replace(' id=""', "")
    tag = tag.replace('xlink:href="#', f'href="#{prefix}-').replace("url(#", f"url(#{prefix}-")
    if tag.startswith("<svg"):
        box = re.search(r'viewBox="0 0 (\S+) (\S+)"', tag)
        width, height = (round(float(size), 2) for size in box.groups())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width * 4 / 3:g}" '
            f'height="{height * 4 / 3:g}" style="stroke-linejoin:round;stroke-linecap:butt">'
        )
    return _clean_plain_tag(tag)


@functools.lru_cache(1000)  # axes, grid and styles are the same from frame to frame
def _clean_plain_tag(tag):
    tag = re.sub(r"\s+", " ", tag)
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r"font: (\S+ )?([\d.]+px) [^;\"]*", r"font-size: \2", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", tag)
    tag = tag.replace("; ", ";").replace(": ", ":").replace(' "', '"')
    tag = re.sub(r"([MLCQHVZz]) (?=[-\d])", r"\1", tag)
    tag = re.sub(r"(?<=[\d]) (?=[MLCQz])", "", tag)
    tag = _NUMBER.sub(_short, tag)
    return _COLOUR.sub(lambda m: f"var({VARIABLES[m[0]]},{m[0]})", tag)


def _short(match):
    if match[0][0] in "m#":
        return match[0]
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0") or "0"


def _merge_groups(svg):
    """Drop groups that carry nothing and shapes without ink; keep groups with attributes."""
    out, kept = [], []
    for line in svg.split("\n"):
        if line == "<g>":
            kept.append(False)
        elif line == "</g>":
            if kept.pop():
                out.append(line)
        else:
            if line.startswith("<g ") and not line.endswith("/>"):
                kept.append(True)
            if line and line != "<g/>" and not _INVISIBLE.fullmatch(line):
                out.append(line)
    return "\n".join(out)


def _join_maths(match):
    """Matplotlib sets formulas glyph by glyph; runs of one style become words again."""
    glyphs = sorted((float(x.split()[0]), y, style, text) for x, y, style, text in _TSPAN.findall(match[1]))
    words = []
    for x, y, style, text in glyphs:
        text = text.replace(" ", "\u00a0")
        if words and words[-1][1:3] == [y, style]:
            words[-1][3] += text
        else:
            words.append([x, y, style, text])
    spans = "".join(f'<tspan x="{x:.2f}" y="{y}" style="{style}">{text}</tspan>' for x, y, style, text in words)
    return f"<text>{spans}</text>"


def _smaller(data):
    """An image inside the picture as palette PNG where that loses nothing, else as WebP; in the browser left alone."""
    original = f"data:image/png;base64,{data}"
    if sys.platform == "emscripten" or len(data) < 400:
        return original
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(data)))
    if image.mode == "RGBA" and image.getextrema()[3] == (255, 255):
        image = image.convert("RGB")
    candidates = [original]
    colours = image.getcolors(256)
    if colours is not None and image.mode == "RGB":
        palette = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=len(colours))
        if palette.convert("RGB").tobytes() == image.tobytes():
            candidates.append(_data_uri(palette, "PNG", optimize=True))
    candidates.append(_data_uri(image, "WEBP", lossless=True, quality=80))
    if colours is None:
        candidates.append(_data_uri(image, "WEBP", quality=90))
    return min(candidates, key=len)


def _data_uri(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
