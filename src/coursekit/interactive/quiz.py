"""A chapter's quiz: questions whose every option answers with its own feedback.

Questions are kept in the JSON format of JupyterQuiz, one file a chapter, and shown with the same form as predictions.
JupyterQuiz's own display is not used, because it cannot stand in a book that asks no other host for anything: its
script loads MathJax from a content network when it finds none ready, and it writes 40 kB of inline script a quiz.
"""

from __future__ import annotations

import os

from ..errors import DataError
from .core import escape
from .predict import Prediction

__all__ = ["Quiz"]


class Question(Prediction):
    """One question of a quiz."""

    tag, button = "Question", "Check"

    def reply(self, given) -> str:
        """What the reader is told about the option they chose, as HTML."""
        text = self.texts[given]
        verdict = "Right." if text == self.answer else "Not quite."
        return f"<p><strong>{verdict}</strong> {escape(self.options[text])}</p>"


class Quiz:
    """The questions of one chapter; show it at the end of a cell.

    Raises
    ------
    DataError
        If a question has another type than one right answer among several, or an option lacks feedback.
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
    right = [a["answer"] for a in row.get("answers", []) if a.get("correct")]
    if row.get("type") != "multiple_choice" or len(right) != 1:
        raise DataError(f"{where} must be multiple_choice with exactly one right answer; it has {len(right)}")
    missing = [a["answer"] for a in row["answers"] if not a.get("feedback")]
    if missing:
        raise DataError(f"{where}: no feedback for {missing[0]!r}; every option explains itself")
    options = {a["answer"]: a["feedback"] for a in row["answers"]}
    return Question(f"{chapter}-quiz-{number}", row["question"], right[0], options, "", "", 0.1, None)
