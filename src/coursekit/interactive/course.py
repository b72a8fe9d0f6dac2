"""What the chapters use to speak with the book: numbers for the text, and quizzes."""

from __future__ import annotations

import json
import os
from importlib import resources

from ..errors import DataError
from ._typography import raised

__all__ = ["glue", "questions", "quiz", "written"]


def glue(name: str, value) -> None:
    """Keep a number from the run under a name, for the text to insert: {glue:text}`name:.2f`.

    In the book this is `myst_nb.glue`. In a notebook the text shows the name, and this prints what it stands for.
    """
    value = value.item() if hasattr(value, "item") else value
    if not os.environ.get("COURSEKIT_BOOK"):
        print(f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}")
        return
    from myst_nb import glue as keep

    keep(name, value, display=False)


def written(value: float, digits: int = 1) -> str:
    """A number as people write it, to `digits` digits: with a power of ten where it is very small or very large.

    >>> written(9.3e-11), written(1e-5), written(0.0123, 2), written(4096.0, 2)
    ('9 × 10⁻¹¹', '10⁻⁵', '0.012', '4,100')
    """
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -4 < int(exponent) < 6:
        return f"{float(f'{mantissa}e{exponent}'):,.{max(0, digits - 1 - int(exponent))}f}"
    power = f"10{raised(int(exponent))}"
    return power if float(mantissa) == 1 else f"{mantissa} × {power}".replace("-", "−", 1)


def questions(chapter: str) -> list[dict]:
    """A chapter's quiz in the JSON format of JupyterQuiz: question, type, answers with feedback."""
    folder = resources.files("coursekit.interactive") / "quizzes"
    file = folder / f"{chapter}.json"
    if not file.is_file():
        known = ", ".join(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json")))
        raise DataError(f"there is no quiz {chapter!r}; there are {known}")
    return json.loads(file.read_text(encoding="utf-8"))


def quiz(chapter: str):
    """A chapter's quiz: every option answers with its own feedback."""
    from .quiz import Quiz

    return Quiz(chapter, questions(chapter))
