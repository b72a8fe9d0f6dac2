"""The pages' own style sheets say start and end where a translated page may run from right to left."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src/coursekit/interactive/static"
SHEETS = [*sorted(STATIC.glob("*.css")), ROOT / "_static/custom.css"]
SIDED = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)[\w-]*|left|right|(?:text-align|float):\s*(?:left|right)\b)"
    r"(?=\s*[:;}])"
)
FOUR = re.compile(r"(?<![\w-])(?:margin|padding):\s*[^;{}]+")

# Where the side is one of the picture, the code or the theme's own rule, and not one of the words.
MEANT = {
    "cells.css": {".ck-rich .cm-editor .cm-cursor"},
    "predict.css": {".ck-sketch input"},
    "explorer.css": {".ck-aside.ck-controls", ".ck-explorer .ck-handle", ".ck-explorer .ck-handle.ck-handle-x"},
    "custom.css": {
        ".bd-article div.admonition",
        ".bd-article div.cell div.cell_input",
        ".bd-article dl.py > dt.sig",
        ".bd-header-article .btn",
        ".bd-article .ck-view > :not(.ck-stage, .ck-picture)",
        'mtd[columnalign="right"]',
        'mtd[columnalign="left"]',
    },
}


def sided(css):
    """The selectors whose rules name a side of the screen, also by the second or fourth of four lengths."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    found = set()
    for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        lengths = [re.findall(r"calc\(.*?\)|[^\s]+", four.split(":")[1]) for four in FOUR.findall(rules)]
        uneven = any(len(each) >= 4 and each[1] != each[3] and each[3] != "!important" for each in lengths)
        if SIDED.search(rules) or uneven:
            found.add(selector.strip())
    return found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_that_a_style_names_no_side_of_the_screen(sheet):
    assert sided(sheet.read_text(encoding="utf-8")) == MEANT.get(sheet.name, set())


@pytest.mark.parametrize(
    "rule",
    [
        "margin-left: 1em",
        "padding-right: 1em",
        "border-left-color: red",
        "left: 0",
        "float: left",
        "text-align: right",
        "margin: 0 1em 0 0",
        "padding: 0 0 0 1em !important",
    ],
)
def test_that_a_side_is_seen(rule):
    assert sided(f".a > p {{ color: red; {rule}; }}") == {".a > p"}


@pytest.mark.parametrize(
    "rule",
    [
        "margin: 0 1em",
        "margin: 0 auto 1em !important",
        "padding: 1px 2px 3px 2px",
        "inset-inline-start: 0",
        "text-align: end",
    ],
)
def test_that_no_side_is_seen_where_there_is_none(rule):
    assert not sided(f".a {{ {rule}; }}")


def test_that_formulas_code_and_pictures_run_as_before_on_a_page_from_right_to_left():
    css = (ROOT / "_static/custom.css").read_text(encoding="utf-8")
    named = re.search(r'\[dir="rtl"\] :is\(([^)]*)\) \{ direction: ltr; \}', css)[1].split(", ")
    assert {"math", ".math", "pre", "code", "svg", ".ck-stage", ".ck-figure"} <= set(named)
