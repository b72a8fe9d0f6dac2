"""`predict`: commit to an answer before the result is shown.

>>> from coursekit.explorers import predict
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

from matplotlib.figure import Figure

from .._checks import describe
from ..errors import DTypeError, RangeError
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
    then=None,
) -> Prediction:
    """A question that the reader answers before going on; the answer stays in the reader's browser.

    Parameters
    ----------
    name : letters, digits and hyphens, unique in the course, such as "05-zero"; the answer is kept under it
    question : one or two sentences
    answer : the right option's text, a number, or a `Curve` that the reader draws
    options : text -> what to say to a reader who chose it; left out for a number
    explanation : said to everyone after the answer
    unit, tolerance : for a number: its unit, and the relative error that still counts as right
    then : an explorer or a Figure that stays covered until the reader has answered

    Raises
    ------
    DTypeError, RangeError
        If the name, the options or the answer cannot be used.
    """
    return Prediction(name, question, answer, options, explanation, unit, tolerance, then)


class Prediction:
    """What `predict` returns; show it at the end of a cell."""

    tag, button = "Predict", "Commit"

    def __init__(self, name, question, answer, options, explanation, unit, tolerance, then):
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise RangeError(f"name is {name!r}, but must be lower-case letters, digits and hyphens, like '05-zero'")
        if not isinstance(question, str) or not question.strip():
            raise DTypeError(f"question is {describe(question)}, but must be a sentence")
        if options is not None:
            if not isinstance(options, dict) or len(options) < 2:
                raise DTypeError(
                    f"options is {describe(options)}, but must be a dict of at least two: text -> feedback"
                )
            for text, feedback in options.items():
                if not isinstance(text, str) or not isinstance(feedback, str) or not feedback.strip():
                    raise DTypeError(f"option {text!r} needs a feedback text, and has {describe(feedback)}")
            if answer not in options:
                raise RangeError(f"answer is {answer!r}, but must be one of {', '.join(map(repr, options))}")
        elif isinstance(answer, Curve):
            pass
        elif isinstance(answer, bool) or not isinstance(answer, numbers.Real) or not math.isfinite(answer):
            raise DTypeError(
                f"answer is {describe(answer)}, but without options= it must be a finite number or a Curve"
            )
        if not isinstance(tolerance, numbers.Real) or not 0 <= tolerance < 1:
            raise RangeError(f"tolerance is {tolerance!r}, but must be a relative error in [0, 1)")
        if then is not None and not isinstance(then, (Explorer, Figure)):
            raise DTypeError(f"then is {describe(then)}, but must be an explorer or a Matplotlib Figure")
        self.name, self.question, self.answer, self.options = name, question.strip(), answer, options
        self.explanation, self.unit, self.tolerance, self.then = explanation, unit, tolerance, then

    @property
    def is_choice(self) -> bool:
        """Whether the reader picks an option; else the reader gives a number."""
        return self.options is not None

    @property
    def is_curve(self) -> bool:
        """Whether the reader draws a curve."""
        return isinstance(self.answer, Curve)

    @property
    def texts(self) -> list[str]:
        """The options."""
        return list(self.options or ())

    @property
    def right(self) -> str:
        """The right answer in words."""
        if self.is_curve:
            first, last = self.answer.y[[0, -1]]
            return f"from {first:.2g} on the left to {last:.2g} on the right"
        return self.answer if self.is_choice else f"{self.answer:.3g} {self.unit}".strip()

    def reply(self, given) -> str:
        """What the reader is told, as HTML; `given` is the option's index, a number, or a curve's levels."""
        if self.is_choice:
            text = self.texts[given]
            verdict = "As you predicted." if text == self.answer else "Not what happens."
            told = self.options[text]
        elif self.is_curve:
            verdict, told = self.answer.verdict(given), f"The run goes {self.right}."
        else:
            verdict, told = _verdict(given, self.answer, self.tolerance), f"The run gives {self.right}."
        more = f"<p>{escape(self.explanation)}</p>" if self.explanation else ""
        return f"<p><strong>{verdict}</strong> {escape(told)}</p>{more}"

    def html(self) -> str:
        """The question as HTML; the answer is in it, but not in plain sight."""
        root = f"ck-predict-{self.name}"
        if self.is_choice:
            field = "".join(
                f'<label class="ck-option"><input type="radio" name="{root}" value="{index}" required> '
                f"<span>{escape(text)}</span></label>"
                for index, text in enumerate(self.texts)
            )
            secret = {
                "replies": [self.reply(index) for index in range(len(self.texts))],
                "right": self.texts.index(self.answer),
            }
        elif self.is_curve:
            field = self.answer.fields(root)
            secret = {
                "levels": self.answer.levels.round(2).tolist(),
                "points": self.answer.points(),
                "told": escape(f"The run goes {self.right}."),
                "more": f"<p>{escape(self.explanation)}</p>" if self.explanation else "",
            }
        else:
            unit = f'<span class="ck-unit">{escape(self.unit)}</span>' if self.unit else ""
            field = (
                f'<label class="ck-number">Your number <input type="text" inputmode="decimal" name="{root}" '
                f'autocomplete="off" required> {unit}</label>'
            )
            secret = {
                "answer": float(self.answer),
                "tolerance": float(self.tolerance),
                "told": escape(f"The run gives {self.right}."),
                "more": f"<p>{escape(self.explanation)}</p>" if self.explanation else "",
            }
        hidden = base64.b64encode(json.dumps(secret).encode()).decode()
        right = f"<p><strong>Answer:</strong> {escape(self.right)}</p>"
        told = self.options[self.answer] if self.is_choice else ""
        right += "".join(f"<p>{escape(text)}</p>" for text in (told, self.explanation) if text)
        then = f'<div class="ck-then">{_html(self.then)}</div>' if self.then is not None else ""
        return (
            f'<div class="ck-predict" id="{root}" data-name="{self.name}" '
            f'data-secret="{hidden}"><form class="ck-ask"><fieldset><legend><span class="ck-tag">{self.tag}</span> '
            f"{escape(self.question)}</legend>{field}</fieldset>"
            f'<p class="ck-actions"><button type="submit">{self.button}</button></p></form>'
            '<div class="ck-reply" aria-live="polite"></div>'
            f'<div class="ck-print">{right}</div>'
            f"<noscript><details><summary>Show the answer</summary>{right}</details></noscript>"
            f"{then}</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": self.html(), "text/plain": f"{self.tag}: {self.question}"}
        if not os.environ.get("COURSEKIT_BOOK"):
            from .widget import prediction_widget, view

            bundle.update(view(prediction_widget(self)))
        return bundle


def _verdict(given, answer, tolerance) -> str:
    """How far off a number is, in words; the page's script says the same."""
    off = abs(given - answer)
    if off <= tolerance * abs(answer):
        return "As you predicted."
    if given * answer > 0:
        ratio = given / answer
        factor = max(ratio, 1 / ratio)
        return f"Your number is {factor:.2g} times too {'large' if ratio > 1 else 'small'}."
    return f"Your number is off by {off:.2g}."


def _html(thing):
    if isinstance(thing, Explorer):
        from .html import explorer_html

        return explorer_html(thing)
    from ..plotting._svg import figure_html

    return figure_html(thing, getattr(thing, "alt", ""))
