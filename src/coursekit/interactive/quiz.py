"""A chapter's quiz: questions of several kinds, whose every answer is answered.

Questions are kept in one JSON file a chapter, in the format of JupyterQuiz for `multiple_choice`, `many_choice` and
`numeric`, with three kinds more: `order` (lines to put in order), `line` (the faulty line of a program), and a
`picture` beside any of them, drawn by a function of `coursekit.explorers.questions`.

JupyterQuiz's own display is not used, because it cannot stand in a book that asks no other host for anything: its
script loads MathJax from a content network when it finds none ready, and it writes 40 kB of inline script a quiz.
"""

from __future__ import annotations

import importlib
import os

from ..errors import DataError
from .answers import Choice, Line, Number, Order, Several
from .predict import Prediction

__all__ = ["Question", "Quiz"]

# Where the pictures that questions name are declared; found by its name, as explorers are by their addresses.
PICTURES = "coursekit.explorers.questions"


class Question(Prediction):
    """One question of a quiz."""

    tag, button, good, bad = "Question", "Check", "Right.", "Not quite."
    covers = False

    def __init__(self, name, question, kind, explanation="", drawn=""):
        super().__init__(name, question, kind, explanation)
        self.drawn = drawn

    def picture(self) -> str:
        """The question's picture as HTML, or nothing."""
        if not self.drawn:
            return ""
        from ..plotting._svg import figure_html

        figure = getattr(importlib.import_module(PICTURES), self.drawn)()
        return f'<div class="ck-seen">{figure_html(figure, figure.alt)}</div>'


class Quiz:
    """The questions of one chapter; show it at the end of a cell.

    Raises
    ------
    DataError
        If a question is of no known type, has no right answer, or an option lacks feedback.
    """

    def __init__(self, chapter: str, questions: list[dict]):
        self.chapter = chapter
        self.questions = [_question(chapter, number, row) for number, row in enumerate(questions, 1)]

    def html(self) -> str:
        """All questions, one after the other."""
        return f'<div class="ck-quiz">{"".join(question.html() for question in self.questions)}</div>'

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": self.html(), "text/plain": f"Quiz {self.chapter}, {len(self.questions)} questions"}
        if not os.environ.get("COURSEKIT_BOOK"):
            import ipywidgets

            from .widget import prediction_widget, view

            bundle.update(view(ipywidgets.VBox([prediction_widget(question) for question in self.questions])))
        return bundle


def _question(chapter, number, row):
    where = f"question {number} of quiz {chapter}"
    kind = row.get("type")
    if kind not in KINDS:
        raise DataError(f"{where} is of type {kind!r}, but must be one of {', '.join(map(repr, KINDS))}")
    name, asked = f"{chapter}-quiz-{number}", KINDS[kind](where, row)
    return Question(name, row["question"], asked, row.get("explanation", ""), row.get("picture"))


def _options(where, row, count, words):
    answers = row.get("answers", [])
    right = [a["answer"] for a in answers if a.get("correct")]
    if not count(len(right)):
        raise DataError(f"{where} must be {row['type']} with {words}; it has {len(right)}")
    missing = [a["answer"] for a in answers if not a.get("feedback")]
    if missing:
        raise DataError(f"{where}: no feedback for {missing[0]!r}; every option explains itself")
    return {a["answer"]: a["feedback"] for a in answers}, right


def _choice(where, row):
    options, right = _options(where, row, lambda right: right == 1, "exactly one right answer")
    return Choice(options, right[0])


def _several(where, row):
    options, right = _options(where, row, lambda right: right >= 1, "at least one right answer")
    return Several(options, tuple(right))


def _numeric(where, row):
    values = [a for a in row.get("answers", []) if a.get("type") == "value"]
    right = [a for a in values if a.get("correct")]
    if len(right) != 1 or not right[0].get("feedback"):
        raise DataError(f"{where} must be numeric with exactly one right value and its feedback; it has {len(right)}")
    return Number(
        right[0]["value"],
        row.get("tolerance", 0.02),
        row.get("unit", ""),
        {a["value"]: a["feedback"] for a in values if not a.get("correct")},
        right[0]["feedback"],
        "The answer is",
    )


def _order(where, row):
    if len(row.get("items", [])) < 3 or not row.get("feedback"):
        raise DataError(f"{where} must be an order of at least three items, with feedback")
    return Order(tuple(row["items"]), row["feedback"])


def _line(where, row):
    code = row.get("code", [])
    if not 1 <= row.get("answer", 0) <= len(code) or not row.get("feedback"):
        raise DataError(f"{where} must name its faulty line, from 1 to {len(code)}, and have feedback")
    notes = {int(line) - 1: text for line, text in row.get("notes", {}).items()}
    return Line(tuple(code), row["answer"] - 1, row["feedback"], notes)


KINDS = {
    "multiple_choice": _choice,
    "many_choice": _several,
    "numeric": _numeric,
    "order": _order,
    "line": _line,
}
