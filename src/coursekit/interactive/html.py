"""An explorer as a piece of a page: the default picture, its text, and what the script needs to know.

Without a script the picture and its settings are there to read and to print. `static/explorer.js` adds the controls.
"""

from __future__ import annotations

import json
import re

from .code import code_html
from .core import Explorer, Picture, escape

__all__ = ["ADDRESS", "explorer_html", "slug"]

# What `sphinx_ext` looks for in finished pages.
ADDRESS = re.compile(r"<!--ck:(?P<address>[\w.]+:\w+)-->.*?<!--/ck:(?P=address)-->", re.S)


# Pixels that a picture may have: its height below title and controls, of which each line takes some; or beside them.
ABOVE, LINE = 386, 52
BESIDE = 440, 362


def slug(explorer: Explorer) -> str:
    """The explorer's name in ids, file names and the page's address."""
    return explorer.name.replace("_", "-") or "explorer"


def explorer_html(
    explorer: Explorer,
    frames: dict | None = None,
    live: dict | None = None,
    drawn: tuple[str, str] | None = None,
) -> str:
    """The explorer as HTML.

    `frames` and `live` say where the site keeps the pictures and Python, `drawn` is the default picture (svg, alt) if
    it is known; the Sphinx extension passes them. Without them (in a saved notebook) the picture stands alone.
    """
    name = slug(explorer)
    root = f"ck-{name}"
    picture = Picture(*drawn) if drawn else explorer.picture(root)
    spec = {
        "name": name,
        "address": explorer.address,
        "title": explorer.title,
        "controls": [control.spec(key) for key, control in explorer.controls.items()],
        "frames": frames,
        "live": live if explorer.finer else None,
    }
    if explorer.time:
        spec["time"] = explorer.time.spec()
    if explorer.handles:
        spec["handles"] = [handle.spec() for handle in explorer.handles]
    if explorer.yours:
        spec["yours"] = [slot.spec() for slot in explorer.yours]
    heading = f'<p class="ck-title" id="{root}-title">{escape(explorer.title)}</p>' if explorer.title else ""
    named = "title" if explorer.title else "alt"  # its words stand below it, and would be read twice
    # Where the script will put the controls: room for them, so that nothing moves when it does.
    room = '<div class="ck-room"></div>' if frames else ""
    style = f"background:var(--ck-ground,#fff);{layout(explorer, picture.svg)}"
    if frames and frames.get("narrow"):
        style += f";--ck-tall:{frames['narrow']}"
    block = (
        f'<div class="ck-explorer" id="{root}" style="{style}">{heading}{room}'
        f'<figure class="ck-view"><div class="ck-picture" role="img" aria-labelledby="{root}-{named}">'
        f"{picture.svg}</div>"
        f'<figcaption class="ck-alt" id="{root}-alt" aria-live="polite">{escape(picture.alt)}</figcaption></figure>'
        f'<p class="ck-settings">Shown for {escape(explorer.text())}.</p>'
        '<noscript><p class="ck-note">The controls of this figure need JavaScript, which is off in this browser.'
        "</p></noscript>"
        f"{code_html(explorer, bool(live)) if frames else ''}"
        f'<script type="application/json" class="ck-spec">{json_in_html(spec)}</script></div>'
    )
    if not explorer.address:
        return block
    return f"<!--ck:{explorer.address}-->{block}<!--/ck:{explorer.address}-->"


def layout(explorer: Explorer, svg: str) -> str:
    """Where the controls stand in a page of usual width, as CSS variables: above the picture, or beside it.

    Controls, picture and text together are at most 560 px high, so that they share a screen. A picture that is too high
    for that is drawn smaller; whichever place of the controls leaves it larger is taken.
    """
    width, height = map(float, re.findall(r'width="([\d.]+)" height="([\d.]+)"', svg)[0])
    rows = len(explorer.controls) + bool(explorer.time and not explorer.time.over)
    lines = -(-rows // 3) if rows != 4 else 2
    controls = explorer.controls.values()
    longest = max((len(control.label + control.text(control.default)) for control in controls), default=0)
    wrapped = longest // 23 if rows > 2 else 0  # three beside each other: a long label takes more lines
    above, beside = ABOVE - LINE * lines - 22 * wrapped, BESIDE
    if min(1, above / height) >= min(1, beside[0] / width, beside[1] / height):
        return f"--ck-rows:{rows};--ck-lines:{lines};--ck-widest:{width * above / height:.0f}px"
    return f"--ck-rows:{rows};--ck-lines:0;--ck-widest:{width * beside[1] / height:.0f}px;--ck-side:left"


def json_in_html(value) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
