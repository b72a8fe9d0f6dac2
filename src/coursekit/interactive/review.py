"""The review page: the quizzes' questions come back after intervals that grow with what this reader knew.

The build writes each chapter's questions to a file of their own, which `static/review.js` loads when a question of that
chapter is due. The intervals are FSRS's, by ts-fsrs (`static/ts-fsrs`). Everything is kept in the reader's browser.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from .core import escape
from .course import quiz
from .progress import PageParts

__all__ = ["FIRST", "FSRS", "block", "fill", "pack"]

FSRS = "ts-fsrs/ts-fsrs-5.4.2.umd.js"
FIRST = {"wrong": 1, "right": 3}  # days to the first review: FSRS's own, which the first page needs without FSRS
MARK = re.compile(r'<div class="ck-review"[^>]*>.*?</div><!--ck-review-->', re.S)
PLACE = '<div class="ck-review"></div><!--ck-review-->'


def block(chapters: list[PageParts]) -> str:
    """The place for the questions: what the script must know, and a word for readers without JavaScript."""
    rows = [
        {"chapter": number(chapter.page), "title": chapter.title, "page": chapter.page, "questions": chapter.questions}
        for chapter in chapters
        if chapter.questions
    ]
    data = escape(json.dumps(rows, separators=(",", ":"), ensure_ascii=False))
    return (
        f'<div class="ck-review" data-course="{data}"><noscript><p>The review needs JavaScript, which is off in this '
        "browser. The questions stand at the end of each chapter, with their answers.</p></noscript></div>"
        "<!--ck-review-->"
    )


def pack(chapter: str, names: list[str]) -> str:
    """The questions of a chapter's page as a script: name -> HTML, without what is only for paper."""
    quizzes = {name: quiz(name) for name in sorted({name.split("-quiz-")[0] for name in names})}
    asked = {question.name: question for found in quizzes.values() for question in found.questions}
    found = {name: lean(asked[name].html()) for name in names if name in asked}
    return f"ckReviewPack({json.dumps(chapter)},{json.dumps(found, ensure_ascii=False, separators=(',', ':'))});\n"


def lean(html: str) -> str:
    """A question's HTML without its answers in plain text."""
    return re.sub(r'<div class="ck-print">.*?</div>|<noscript>.*?</noscript>', "", html, flags=re.S)


def number(page: str) -> str:
    """The two digits of a chapter's page: "05"."""
    return re.findall(r"/(\d+)_", page)[0]


def fill(out: Path, chapters: list[PageParts]) -> None:
    """Write the block into the pages of the built book that have a place for it, and the questions beside."""
    pages = [page for page in out.glob("*.html") if MARK.search(page.read_text(encoding="utf-8"))]
    if not pages:
        return
    folder = out / "_static" / "ck" / "questions"
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in chapters:
        if chapter.questions:
            name = number(chapter.page)
            (folder / f"{name}.js").write_text(pack(name, chapter.questions), encoding="utf-8")
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fresh = MARK.sub(lambda match: block(chapters), text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
