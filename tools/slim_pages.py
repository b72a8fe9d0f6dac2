"""Make the pages light: one style sheet with the rules that some page can use, no script that holds up the text, and
photos in files of their own.

The theme comes with a dozen style sheets, most of it rules for things that the book does not have. A rule stays when
each class and each id in one of its selectors occurs as a word in a page or in a script; tags and attributes always
stay. `tools/book_ext.py` calls `slim` when Sphinx has finished.
"""

import base64
import hashlib
import os
import re
from pathlib import Path

import tinycss2

SHEETS = (
    "styles/theme.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "togglebutton.css",
    "copybutton.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
    "explorer.css",
    "predict.css",
    "code.css",
    "clinic.css",
    "cells.css",
    "custom.css",
)
"""What becomes one sheet, in this order; later rules win. Another sheet of a page stays where it is."""

WORD = re.compile(r"[\w-]+")
NAME = re.compile(r"[.#]((?:[\w-]|\\.)+)")
INSIDE = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
URL = re.compile(r"url\(\s*(['\"]?)(?!data:|https?:|#)([^'\")]+)\1\s*\)")
LINK = re.compile(r'[ \t]*<link\b[^>]*\bhref="(?P<up>(?:\.\./)*)_static/(?P<name>[^"?]+\.css)[^"]*"[^>]*>\n?')
SCRIPT = re.compile(r'<script(?P<before>[^>]*)\bsrc="(?P<src>[^"]+)"(?P<after>[^>]*)></script>')
OPTIONS = "documentation_options.js"
PHOTO = re.compile(
    r'(<image\b[^>]*\bid="f[^"]*-photo\d+"[^>]*\bhref=")data:image/(png|webp);base64,([A-Za-z0-9+/=\s]{4000,})"'
)
PHOTOS = "_static/ck/photos"


def is_used(selector, words):
    """Tell whether some page can hold what a selector names."""
    names = NAME.findall(INSIDE.sub("", selector))
    return all("\\" in name or name in words for name in names)


def keep(rules, words):
    """Return the style rules that are used, as text."""
    out = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = split(tinycss2.serialize(rule.prelude))
            used = [selector for selector in selectors if is_used(selector, words)]
            if used:
                body = re.sub(r"\s+", " ", tinycss2.serialize(rule.content)).strip()
                out.append(f"{','.join(used)}{{{body}}}")
        elif rule.type == "at-rule" and rule.at_keyword in ("media", "supports", "layer", "container") and rule.content:
            inside = keep(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True), words)
            if inside:
                out.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inside}}}")
        elif rule.type == "at-rule" and rule.at_keyword != "charset":
            out.append(rule.serialize())
        elif rule.type == "error":
            raise ValueError(f"a style sheet cannot be read: {rule.message} in line {rule.source_line}")
    return "\n".join(out)


def split(prelude):
    """Split a list of selectors at its commas, but not inside brackets."""
    parts, depth, last = [], 0, 0
    for place, letter in enumerate(prelude):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append(prelude[last:place].strip())
            last = place + 1
    return [*parts, prelude[last:].strip()]


def read(sheet, static):
    """Return a style sheet with its imports put in and its addresses as seen from `static`."""
    text = sheet.read_text(encoding="utf-8")

    def seen_from_static(match):
        return f'url("{os.path.relpath(sheet.parent / match[2], static)}")'

    text = URL.sub(seen_from_static, text)
    return re.sub(
        r"@import\s+['\"]([^'\"]+)['\"]\s*;", lambda match: read((sheet.parent / match[1]).resolve(), static), text
    )


def bundle(out, pages):
    """Write the one style sheet and return its name."""
    static = out / "_static"
    scripts = [
        *static.glob("*.js"),
        *static.glob("scripts/*.js"),
        *static.glob("ck/*.mjs"),
        *static.glob("search/search_*.js"),
    ]
    texts = [*pages.values(), *(script.read_text(encoding="utf-8") for script in scripts)]
    words = set().union(*(WORD.findall(text) for text in texts))
    sheets = [sheet for pattern in SHEETS for sheet in sorted(static.glob(pattern))]
    css = "".join(read(sheet, static) for sheet in sheets)
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    slim = keep(rules, words)
    name = f"book.{hashlib.sha256(slim.encode()).hexdigest()[:12]}.css"
    for old in static.glob("book.*.css"):
        if old.name != name:
            old.unlink()
    if not (static / name).is_file():
        (static / name).write_text(slim, encoding="utf-8")
    return name


def one_sheet(text, name):
    """Put the one style sheet where the first of its parts was linked, and take the others away."""
    linked = [match for match in LINK.finditer(text) if is_part(match["name"])]
    for match in reversed(linked[1:]):
        text = text[: match.start()] + text[match.end() :]
    if linked:
        first = linked[0]
        link = f'<link rel="stylesheet" href="{first["up"]}_static/{name}">\n'
        text = text[: first.start()] + link + text[first.end() :]
    return text


def is_part(name):
    """Tell whether a linked sheet is in the bundle, or is an older bundle."""
    return any(Path(name).match(pattern) for pattern in (*SHEETS, "book.*.css"))


def later(text, options):
    """Let scripts wait for the page; the few lines of settings, which others need at once, go into it."""

    def change(match):
        if OPTIONS in match["src"]:
            return f"<script>{options}</script>"
        waits = re.search(r"\b(defer|async|type=)", match["before"] + match["after"])
        return match[0] if waits else match[0].replace("<script", "<script defer", 1)

    return SCRIPT.sub(change, text)


def photos(out, pages):
    """Put the large photos of figures into files named by what they hold; the text need not wait for them.

    A picture of an explorer keeps its photos: its script puts others in their place.
    """
    folder, used = out / PHOTOS, set()

    def moved(page):
        def change(match):
            content = base64.b64decode(match[3])
            name = f"{hashlib.sha256(content).hexdigest()[:16]}.{match[2]}"
            used.add(name)
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / name).is_file():
                (folder / name).write_bytes(content)
            return f'{match[1]}{os.path.relpath(folder / name, page.parent)}"'

        return change

    finished = {page: PHOTO.sub(moved(page), text) for page, text in pages.items()}
    used.update(name for text in pages.values() for name in re.findall(rf"{PHOTOS}/([\w.]+)", text))
    for old in folder.glob("*.*"):
        if old.name not in used:
            old.unlink()
    return finished


def slim(out, pages):
    """Return the pages of the built book `out`, {path: text}, as they are served."""
    name = bundle(out, pages)
    options = (out / "_static" / OPTIONS).read_text(encoding="utf-8").strip()
    return photos(out, {path: later(one_sheet(text, name), options) for path, text in pages.items()})
