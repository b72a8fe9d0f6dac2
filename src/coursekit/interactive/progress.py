"""The list of chapters on the first page, with what this reader has done in each.

The build fills `<div class="ck-progress">` with a table of the chapters that it found; `static/progress.js` adds, from
the reader's own browser, the sections seen, the predictions made, the quiz questions answered, and how many of them are
due for review. Nothing is sent.
"""

from __future__ import annotations

import html as html_module
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from .core import escape

__all__ = ["PageParts", "contents", "fill", "parts"]

MARK = re.compile(r'<div class="ck-progress"[^>]*>.*?</div><!--ck-progress-->', re.S)
PLACE = '<div class="ck-progress"></div><!--ck-progress-->'


@dataclass(frozen=True)
class PageParts:
    """What a chapter's page asks of its reader.

    Attributes
    ----------
    page : address from the first page, "chapters/05_initialization.html"
    title : its heading, with the number that the book gives it
    sections : anchors of its sections
    predictions, questions : names under which the reader's browser keeps the answers
    exercises : the questions of its exercise sheet, whose last check is kept under "check:" and their number
    """

    page: str
    title: str
    sections: list[str]
    predictions: list[str]
    questions: list[str]
    exercises: list[str]


def parts(page: str, html: str, sheet: str = "") -> PageParts:
    """Read a built page, and the page of its exercise sheet."""
    number = re.search(r"/(\d+)_", page)
    title = re.search(r'<section[^>]*>\s*(?:<span[^>]*></span>\s*)*<h1>(.*?)<a class="headerlink"', html, re.S)
    names = re.findall(r'class="ck-predict[^"]*" id="[^"]*" data-name="([^"]+)"', html)
    heading = html_module.unescape(re.sub(r"<[^>]+>", "", title[1])).strip() if title else page
    return PageParts(
        page=page,
        title=heading if heading[0].isdigit() or not number else f"{int(number[1])} {heading}",
        sections=re.findall(r'<section [^>]*id="([^"]+)">\s*(?:<span[^>]*></span>\s*)*<h2>', html),
        predictions=[name for name in names if "-quiz-" not in name],
        questions=[name for name in names if "-quiz-" in name],
        exercises=re.findall(r"<h2>(\d\d\.\d+) ", sheet),
    )


def contents(chapters: list[PageParts]) -> str:
    """The table as HTML; without JavaScript it is a list of the chapters."""
    rows = "".join(
        f'<tr data-page="{escape(chapter.page)}"><td><a href="{escape(chapter.page)}">{escape(chapter.title)}</a></td>'
        f'<td class="ck-count">{len(chapter.sections)}</td><td class="ck-count">{len(chapter.predictions)}</td>'
        f'<td class="ck-count">{len(chapter.questions)}</td><td class="ck-count">{len(chapter.exercises)}</td></tr>'
        for chapter in chapters
    )
    data = escape(json.dumps([asdict(chapter) for chapter in chapters], separators=(",", ":")))
    return (
        f'<div class="ck-progress" data-course="{data}"><p class="ck-continue" hidden></p>'
        '<table class="table"><thead><tr><th scope="col">chapter</th>'
        '<th scope="col">sections</th><th scope="col">predictions</th><th scope="col">quiz</th>'
        '<th scope="col">exercises</th></tr></thead>'
        f'<tbody>{rows}</tbody></table><p class="ck-due" hidden></p><p class="ck-actions"></p>'
        '<p role="status"></p></div><!--ck-progress-->'
    )


def fill(out: Path) -> list[PageParts]:
    """Put the table into every page of the built book `out` that has a place for it; returns the chapters' parts."""
    chapters = [
        parts(path.relative_to(out).as_posix(), path.read_text(encoding="utf-8"), _sheet(out, path))
        for path in sorted((out / "chapters").glob("*.html"))
    ]
    for page in sorted(out.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        fresh = MARK.sub(lambda match: contents(chapters), text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
    return chapters


def _sheet(out, chapter):
    sheet = out / "exercises" / chapter.name
    return sheet.read_text(encoding="utf-8") if sheet.is_file() else ""
