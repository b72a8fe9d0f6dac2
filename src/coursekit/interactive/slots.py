"""A place in an experiment that a reader's own function takes.

An explorer that is declared with `yours=[Slot(...)]` shows what the reader wrote in an exercise: in the book its choice
gets one more entry once the function has passed its check, in a notebook `explore.valley.with_yours(adam_step)` gives
the same. The experiment looks its choices up in a table; while a picture is computed, the function stands in it.

>>> rules = {"double": lambda x: 2 * x}
>>> slot = Slot("rule", "00.1", ("triple",), ((rules, lambda function: function),), beside="double")
>>> with slot.filled([lambda x: 3 * x]):
...     rules[slot.entry](2)
6
>>> list(rules)
['double']
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import DTypeError
from .controls import Choice

__all__ = ["Slot", "compared", "with_yours"]


@dataclass(frozen=True)
class Slot:
    """Where a reader's function goes, or two that belong together.

    Attributes
    ----------
    control : the choice of the explorer that gets an entry for it
    question, functions : the exercise that asks for it, and the names there
    tables : pairs of a table of the experiment and of what makes its entry from the functions
    beside : the entry that it is compared with
    """

    control: str
    question: str
    functions: tuple[str, ...]
    tables: tuple[tuple[dict, Callable], ...]
    beside: str

    @property
    def entry(self) -> str:
        """Its name among the choices."""
        return f"your {self.functions[0].removesuffix('_forward')}"

    @contextlib.contextmanager
    def filled(self, functions):
        """The tables with the functions in them."""
        for table, make in self.tables:
            table[self.entry] = make(*functions)
        try:
            yield
        finally:
            for table, _ in self.tables:
                del table[self.entry]

    def spec(self) -> dict:
        """What the page must know."""
        names = ("control", "entry", "question", "functions", "beside")
        return {name: getattr(self, name) for name in names}


def with_yours(explorer, *functions):
    """An explorer like this one, whose choice has the reader's functions too and begins with them."""
    names = tuple(getattr(function, "__name__", repr(function)) for function in functions)
    slot = next((each for each in explorer.yours if each.functions == names), None)
    if slot is None:
        known = ", or ".join(" and ".join(each.functions) for each in explorer.yours) or "no function"
        raise DTypeError(f"with_yours got {', '.join(names) or 'nothing'}, but this experiment takes {known}")
    return _filled(explorer, slot, functions)


def _filled(explorer, slot, functions):
    def compute(**settings):
        with slot.filled(functions):
            return explorer.compute(**settings)

    old = explorer.controls[slot.control]
    choice = Choice(*old.values, slot.entry, default=slot.entry, label=old.label, unit=old.unit)
    controls = {**explorer.controls, slot.control: choice}
    return type(explorer)(compute, explorer.draw, explorer.describe, explorer.title, controls, "__main__")


def compared(explorer, functions, entry: str, settings: dict, prefix: str) -> dict:
    """The picture with the reader's functions and the one beside it, and in words how far they are apart."""
    slot = next(each for each in explorer.yours if each.entry == entry)
    yours = _filled(explorer, slot, functions)
    mine = {**settings, slot.control: slot.entry}
    theirs = {**settings, slot.control: slot.beside}
    with np.errstate(all="ignore"):
        picture, arrays = yours.picture(prefix, **mine), yours.arrays(**mine)
    reference = _reference(explorer, slot).picture(f"{prefix}-beside", **theirs)
    words = _apart(arrays, _reference(explorer, slot).arrays(**theirs), slot)
    return {"svg": picture.svg, "alt": picture.alt, "beside": vars(reference), "name": slot.beside, "words": words}


def _reference(explorer, slot):
    """The explorer, with the entry to compare with among its choices even where the book does not draw it."""
    old = explorer.controls[slot.control]
    if slot.beside in old.values:
        return explorer
    controls = {**explorer.controls, slot.control: Choice(*old.values, slot.beside, label=old.label, unit=old.unit)}
    return type(explorer)(explorer.compute, explorer.draw, explorer.describe, explorer.title, controls, "__main__")


def _apart(mine, theirs, slot):
    differences = []
    for name in mine.keys() & theirs.keys():
        a, b = np.asarray(mine[name], float), np.asarray(theirs[name], float)
        if a.shape != b.shape:
            return f"Yours gives other shapes than {slot.beside}."
        if (np.isfinite(b) & ~np.isfinite(a)).any():
            return f"At this setting yours gives NaN or infinity, where {slot.beside} does not."
        both = np.isfinite(a) & np.isfinite(b)
        scale = np.abs(b[both]).max(initial=0.0)
        differences.append(np.abs(a - b)[both].max(initial=0.0) / (scale or 1.0))
    largest = max(differences, default=0.0)
    if largest <= 1e-3:
        digits = 12 if largest == 0 else min(12, int(-np.log10(largest)))
        return f"Yours and {slot.beside} agree: every number here is the same to {digits} digits or more."
    far = f"{largest:.1%} of the largest value" if largest < 10 else f"{largest:.1g} times the largest value"
    return f"Yours and {slot.beside} differ by up to {far}."
