"""`predict`: commit to an answer before the result is shown.

In the book the rest of the prediction's section stays covered until the reader has committed, so that neither a figure
nor a sentence below gives the answer away. Without JavaScript and on paper everything is shown.

>>> from coursekit.interactive import predict
>>> zero = predict(
...     "05-zero",
...     question="All weights start at 0. What does the network learn?",
...     options={
...         "As much as with random weights": "No: all units of a layer stay equal.",
...         "Only the output bias": "Right: every other gradient is 0.",
...     },
...     answer="Only the output bias",
... )
>>> zero.reply(1)
'<p><strong>As you predicted.</strong> Right: every other gradient is 0.</p>'
"""

from __future__ import annotations

import base64
import json
import math
import numbers
import os
import re
from functools import cached_property

from matplotlib.figure import Figure

from .._checks import describe
from ..errors import DTypeError, RangeError
from ._typography import words
from .answers import Answer, Choice, Number
from .core import Explorer, escape
from .sketch import Curve

__all__ = ["Prediction", "predict"]


def predict(
    name: str,
    *,
    question: str,
    answer,
    options: dict[str, str] | None = None,
    explanation: str = "",
    unit: str = "",
    tolerance: float = 0.1,
    mistakes: dict[float, str] | None = None,
    then=None,
) -> Prediction:
    """A question that the reader answers before going on; the answer stays in the reader's browser.

    Parameters
    ----------
    name : letters, digits and hyphens, unique in the course, such as "05-zero"; the answer is kept under it
    question : one or two sentences
    answer : the right option's text, a number, or a `Curve` that the reader draws (or a function that gives one: it
        is called when the prediction is shown, so that no run is made on import)
    options : text -> what to say to a reader who chose it; left out for a number
    explanation : said to everyone after the answer
    unit, tolerance : for a number: its unit, and the relative error that still counts as right
    mistakes : for a number: what a usual mistake gives -> what to say to it
    then : an explorer or a Figure that is shown under the answer, and covered until there is one

    Raises
    ------
    DTypeError, RangeError
        If the name, the options or the answer cannot be used.
    """
    if options is not None:
        _check_options(options)
        if answer not in options:
            raise RangeError(f"answer is {answer!r}, but must be one of {', '.join(map(repr, options))}")
        kind: Answer = Choice(options, answer)
    elif isinstance(answer, Curve) or callable(answer):
        kind = answer
    elif isinstance(answer, bool) or not isinstance(answer, numbers.Real) or not math.isfinite(answer):
        raise DTypeError(f"answer is {describe(answer)}, but without options= it must be a finite number or a Curve")
    else:
        kind = Number(float(answer), tolerance, unit, mistakes or {})
    if not isinstance(tolerance, numbers.Real) or not 0 <= tolerance < 1:
        raise RangeError(f"tolerance is {tolerance!r}, but must be a relative error in [0, 1)")
    return Prediction(name, question, kind, explanation, then)


class Prediction:
    """What `predict` returns; show it at the end of a cell."""

    tag, button, good, bad = "Predict", "Commit", "As you predicted.", "Not what happens."
    covers = True

    def __init__(self, name, question, kind, explanation="", then=None):
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise RangeError(f"name is {name!r}, but must be lower-case letters, digits and hyphens, like '05-zero'")
        if not isinstance(question, str) or not question.strip():
            raise DTypeError(f"question is {describe(question)}, but must be a sentence")
        if then is not None and not isinstance(then, (Explorer, Figure)):
            raise DTypeError(f"then is {describe(then)}, but must be an explorer or a Matplotlib Figure")
        self.name, self.question, self.explanation, self.then = name, question.strip(), explanation, then
        self._kind = kind

    @cached_property
    def kind(self) -> Answer:
        """What is asked for: one of `answers`, or a `Curve`."""
        return self._kind() if not isinstance(self._kind, Answer) and callable(self._kind) else self._kind

    @property
    def answer(self):
        """The right option, the number, or the curve."""
        return self.kind if self.is_curve else self.kind.right if self.is_choice else self.kind.answer

    @property
    def options(self) -> dict[str, str] | None:
        """The options with their feedback, or None."""
        return getattr(self.kind, "options", None)

    @property
    def is_choice(self) -> bool:
        """Whether the reader picks one option."""
        return isinstance(self.kind, Choice)

    @property
    def is_curve(self) -> bool:
        """Whether the reader draws a curve."""
        return isinstance(self.kind, Curve)

    @property
    def texts(self) -> list[str]:
        """The options."""
        return list(self.options or ())

    @property
    def right(self) -> str:
        """The right answer in words."""
        return self.kind.right

    def reply(self, given) -> str:
        """What the reader is told, as HTML; `given` is what the kind of answer takes: an index, a number, a list."""
        verdict = self.kind.verdict(given, self.good, self.bad)
        return words(f"<p><strong>{verdict}</strong> {escape(self.kind.told(given))}</p>{self._more}")

    @property
    def _more(self):
        """What everyone is told."""
        said = [self.explanation] if self.is_choice else [self.explanation, self.kind.explanation]
        return "".join(f"<p>{escape(text)}</p>" for text in said if text)

    def html(self) -> str:
        """The question as HTML; the answer is in it, but not in plain sight."""
        root = f"ck-predict-{self.name}"
        said = {"good": self.good, "bad": self.bad, "more": self._more, **self.kind.secret()}
        secret = {"kind": self.kind.kind, **_set(said)}
        hidden = base64.b64encode(json.dumps(secret).encode()).decode()
        told = self.kind.explanation if self.is_choice else ""
        right = f"<p><strong>Answer:</strong> {escape(self.right)}</p>"
        right += (f"<p>{escape(told)}</p>" if told else "") + self._more
        then = f'<div class="ck-then">{_html(self.then)}</div>' if self.then is not None else ""
        covers = ' data-covers="section"' if self.covers else ""
        return (
            f'<div class="ck-predict" id="{root}" data-name="{self.name}"{covers} '
            f'data-secret="{hidden}"><form class="ck-ask" novalidate><fieldset><legend><span class="ck-tag">'
            f"{self.tag}</span> {words(escape(self.question))}</legend>{self.picture()}"
            f"{self.kind.fields(root)}</fieldset>"
            f'<p class="ck-actions"><button type="submit">{self.button}</button></p></form>'
            '<div class="ck-reply" aria-live="polite"></div>'
            f'<div class="ck-print">{right}</div>'
            f"<noscript><details><summary>Show the answer</summary>{right}</details></noscript>"
            f"{then}</div>"
        )

    def picture(self) -> str:
        """What stands between the question and the place for the answer, as HTML; nothing here."""
        return ""

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": self.html(), "text/plain": f"{self.tag}: {self.question}"}
        if not os.environ.get("COURSEKIT_BOOK"):
            from .widget import prediction_widget, view

            bundle.update(view(prediction_widget(self)))
        return bundle


def _check_options(options):
    if not isinstance(options, dict) or len(options) < 2:
        raise DTypeError(f"options is {describe(options)}, but must be a dict of at least two: text -> feedback")
    for text, feedback in options.items():
        if not isinstance(text, str) or not isinstance(feedback, str) or not feedback.strip():
            raise DTypeError(f"option {text!r} needs a feedback text, and has {describe(feedback)}")


def _set(said):
    """Words that the script will show, in lists and dicts, with their numbers set as on the page."""
    if isinstance(said, dict):
        return {key: part if key == "points" else _set(part) for key, part in said.items()}
    if isinstance(said, (list, tuple)):
        return [_set(part) for part in said]
    return words(said) if isinstance(said, str) else said


def _html(thing):
    if isinstance(thing, Explorer):
        from .html import explorer_html

        return explorer_html(thing)
    from ..plotting._svg import figure_html

    return figure_html(thing, getattr(thing, "alt", ""))
