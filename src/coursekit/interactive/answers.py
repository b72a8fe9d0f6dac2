"""The kinds of answer that a prediction or a question of a quiz asks for.

Each kind knows its fields in the page (`fields`), what the page's script must know (`secret`), the right answer in
words (`right`), whether an answer that was given is right (`is_right`), and what is said to it (`told`). The script
`static/predict.js` says the same words. What is given is plain JSON: an option's index, a number, a list.

>>> asked = Number(0.5, tolerance=0.01)
>>> asked.is_right(0.502), asked.is_right(2.0)
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ._typography import words
from .core import escape

__all__ = ["Answer", "Choice", "Line", "Number", "Order", "Several", "short"]


class Answer:
    """What all kinds share."""

    kind = ""

    @property
    def right(self) -> str:
        """The right answer in words."""
        raise NotImplementedError

    @property
    def explanation(self) -> str:
        """What everyone is told; nothing as a rule."""
        return ""

    def told(self, given) -> str:
        """What the reader who gave this answer is told."""
        raise NotImplementedError

    def fields(self, root: str) -> str:
        """What the reader fills in, as HTML."""
        raise NotImplementedError

    def secret(self) -> dict:
        """What the script must know."""
        raise NotImplementedError

    def is_right(self, given) -> bool:
        """Whether `given` is the right answer."""
        raise NotImplementedError

    def verdict(self, given, good: str, bad: str) -> str:
        """The first words of the reply."""
        return good if self.is_right(given) else bad


@dataclass(frozen=True)
class Choice(Answer):
    """One option out of several; `given` is its index.

    Attributes
    ----------
    options : text -> what to say to a reader who chose it
    answer : the right option's text
    """

    options: dict[str, str]
    answer: str
    kind = "choice"

    @property
    def texts(self) -> list[str]:
        """The options."""
        return list(self.options)

    @property
    def right(self) -> str:
        """The right option."""
        return self.answer

    @property
    def explanation(self) -> str:
        """What is said of the right option."""
        return self.options[self.answer]

    def is_right(self, given) -> bool:
        """Whether option number `given` is the right one."""
        return self.texts[given] == self.answer

    def told(self, given) -> str:
        """The feedback of option number `given`."""
        return self.options[self.texts[given]]

    def fields(self, root: str) -> str:
        """One radio button for each option; the script puts them into the reader's own order."""
        return _choices(root, self.texts, "radio")

    def secret(self) -> dict:
        """What the script must know."""
        return {"told": list(self.options.values()), "right": self.texts.index(self.answer)}


@dataclass(frozen=True)
class Several(Answer):
    """All options that are right; `given` is the list of their indices.

    Attributes
    ----------
    options : text -> what is said of it to a reader who got it wrong
    answers : the texts of the right ones
    """

    options: dict[str, str]
    answers: tuple[str, ...]
    kind = "several"

    @property
    def texts(self) -> list[str]:
        """The options."""
        return list(self.options)

    @property
    def right(self) -> str:
        """The right options, one after the other."""
        return "; ".join(self.answers)

    @property
    def marks(self) -> list[int]:
        """Indices of the right options."""
        return [index for index, text in enumerate(self.options) if text in self.answers]

    def is_right(self, given) -> bool:
        """Whether exactly the right options were ticked."""
        return sorted(given) == self.marks

    def told(self, given) -> str:
        """The feedback of each option that was ticked wrongly or left out."""
        wrong = [index for index in range(len(self.options)) if (index in given) != (index in self.marks)]
        if not wrong:
            return " ".join(self.options[self.texts[index]] for index in self.marks)
        return " ".join(f"“{self.texts[index]}”: {self.options[self.texts[index]]}" for index in wrong)

    def fields(self, root: str) -> str:
        """One check box for each option."""
        return _choices(root, self.texts, "checkbox")

    def secret(self) -> dict:
        """What the script must know."""
        return {"told": list(self.options.values()), "right": self.marks}


@dataclass(frozen=True)
class Number(Answer):
    """A number; `given` is one.

    Attributes
    ----------
    answer : the right number
    tolerance : relative error that still counts as right
    unit : its unit, or ""
    mistakes : number -> what is said to a reader who got it, for numbers that usual mistakes lead to
    explanation : said to everyone
    source : how the number came about, "The run gives" for what was measured
    """

    answer: float
    tolerance: float = 0.1
    unit: str = ""
    mistakes: dict[float, str] = field(default_factory=dict)
    explanation: str = ""
    source: str = "The run gives"
    kind = "number"

    @property
    def right(self) -> str:
        """The number with its unit."""
        return f"{_plain(self.answer)} {self.unit}".strip()

    def is_right(self, given) -> bool:
        """Whether `given` is near enough."""
        return _near(given, self.answer, self.tolerance)

    def verdict(self, given, good, bad) -> str:
        """How far off the number is."""
        off = abs(given - self.answer)
        if self.is_right(given):
            return good
        if given * self.answer > 0:
            ratio = given / self.answer
            times = max(ratio, 1 / ratio)
            many = "more than 1,000" if times > 1000 else short(times)
            return f"Your number is {many} times too {'large' if ratio > 1 else 'small'}."
        return f"Your number is off by {short(off)}."

    def told(self, given) -> str:
        """What a usual mistake was, and the number."""
        said = [text for number, text in self.mistakes.items() if _near(given, number, min(self.tolerance, 0.02))]
        named = f"{said[0]} " if said and not self.is_right(given) else ""
        return f"{named}{self.source} {self.right}."

    def fields(self, root: str) -> str:
        """A field for the number."""
        unit = f'<span class="ck-unit">{escape(self.unit)}</span>' if self.unit else ""
        return (
            f'<label class="ck-number">Your number <input type="text" inputmode="text" name="{root}" '
            f'autocomplete="off" autocapitalize="off" spellcheck="false" required> {unit}</label>'
        )

    def secret(self) -> dict:
        """What the script must know."""
        return {
            "answer": float(self.answer),
            "tolerance": float(self.tolerance),
            "percent": self.unit == "%",
            "mistakes": [[float(number), text] for number, text in self.mistakes.items()],
            "told": f"{self.source} {self.right}.",
        }


@dataclass(frozen=True)
class Order(Answer):
    """Lines to put in order; `given` is a list of indices into `items`.

    Attributes
    ----------
    items : the lines in the right order
    explanation : said to everyone
    """

    items: tuple[str, ...]
    explanation: str = ""
    kind = "order"

    @property
    def right(self) -> str:
        """The lines in their order."""
        return "; then ".join(self.items)

    def is_right(self, given) -> bool:
        """Whether the lines are in order."""
        return list(given) == list(range(len(self.items)))

    def told(self, given) -> str:
        """The right order."""
        return "" if self.is_right(given) else f"In order: {self.right}."

    def fields(self, root: str) -> str:
        """The lines with buttons that move them; the script mixes them first."""
        rows = "".join(
            f'<li data-item="{index}"><span>{escape(text)}</span> '
            f'<button type="button" data-move="-1" aria-label="Up: {escape(text)}">↑</button>'
            f'<button type="button" data-move="1" aria-label="Down: {escape(text)}">↓</button></li>'
            for index, text in sorted(enumerate(self.items), key=lambda row: row[1])
        )
        return f'<ol class="ck-order">{rows}</ol>'

    def secret(self) -> dict:
        """What the script must know."""
        return {"told": f"In order: {self.right}."}


@dataclass(frozen=True)
class Line(Answer):
    """The faulty line of a program; `given` is its index.

    Attributes
    ----------
    code : the program's lines
    answer : index of the faulty one, from 0
    explanation : said to everyone: what the line should be, and why
    notes : index -> why that line is right, for a reader who chose it
    """

    code: tuple[str, ...]
    answer: int
    explanation: str = ""
    notes: dict[int, str] = field(default_factory=dict)
    kind = "line"

    @property
    def right(self) -> str:
        """The line with its number."""
        return f"line {self.answer + 1}, {self.code[self.answer].strip()}"

    def is_right(self, given) -> bool:
        """Whether line `given` is the faulty one."""
        return given == self.answer

    @cached_property
    def replies(self) -> list[str]:
        """What is said of each line."""
        other = f"That line is right. It is line {self.answer + 1}."
        return [
            "" if index == self.answer else " ".join(filter(None, (self.notes.get(index), other)))
            for index in range(len(self.code))
        ]

    def told(self, given) -> str:
        """What is said of line `given`."""
        return self.replies[given]

    def fields(self, root: str) -> str:
        """One radio button for each line."""
        rows = "".join(
            f'<label class="ck-option"><input type="radio" name="{root}" value="{index}" required> '
            f"<code>{escape(text)}</code></label>"
            for index, text in enumerate(self.code)
        )
        return f'<div class="ck-lines" role="group" aria-label="program">{rows}</div>'

    def secret(self) -> dict:
        """What the script must know."""
        return {"told": self.replies, "right": self.answer}


def _choices(root, texts, kind):
    need = " required" if kind == "radio" else ""
    rows = "".join(
        f'<label class="ck-option"><input type="{kind}" name="{root}" value="{index}"{need}> '
        f"<span>{words(escape(text))}</span></label>"
        for index, text in enumerate(texts)
    )
    return f'<div class="ck-options">{rows}</div>'


def _near(given, number, tolerance):
    return abs(given - number) <= tolerance * abs(number) + 1e-12


def short(number: float) -> str:
    """Two digits as the page's script writes them, three from 100 on, whole numbers in full: 0.00098, 1.2e-7, 1568.

    >>> short(0.000976), short(1.23e-7), short(1568), short(54.8), short(123.4)
    ('0.00098', '1.2e-7', '1568', '55', '123')
    """
    if float(number).is_integer() and abs(number) < 1e6:
        return str(int(number))
    rounded = float(f"{number:.2g}" if abs(number) < 100 else f"{number:.3g}")
    if abs(rounded) >= 1e-6:
        return np.format_float_positional(rounded, trim="-")
    digits, power = f"{rounded:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"


def _plain(number):
    """Three digits at least, and whole numbers in full: 0.0707, 1,216."""
    if float(number).is_integer() and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:.3g}"
