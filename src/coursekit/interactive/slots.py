"""A place in an experiment that a reader's own function takes.

An explorer that is declared with `yours=[Slot(...)]` shows what the reader wrote in an exercise: in the book its choice
gets one more entry once the function has passed its check, in a notebook `explore.valley.with_yours(adam_step)` gives
the same. While a picture is computed, the function stands in a table: under a name of its own, where the experiment
looks its choices up (`tables`), or in place of the course's function (`places`, mostly of a module).

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
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import DTypeError
from .controls import Choice

__all__ = ["Slot", "compared", "with_yours"]

SLOW = 2.0  # seconds, from which on a picture's time is told


@dataclass(frozen=True)
class Slot:
    """Where a reader's function goes, or two that belong together.

    Attributes
    ----------
    control : the choice or the slider of the explorer that gets an entry for it; "" for one of its own
    question, functions : the exercise that asks for it, and the names there
    tables : pairs of a table of the experiment and of what makes its entry from the functions
    beside : the setting of the control that it is compared with
    places : triples of a table, of a key in it, and of what makes from the functions what stands there meanwhile. The
        experiment then runs with the control at `beside`. A module's table is `vars(module)`
    also : other exercises that must have passed too
    called : what it is compared with, in words; left out, it is `beside`
    reference : functions to compare with, in the same places, where the exercise asks for another thing than `beside`
    chance : it draws random numbers, so that another right function may give another picture
    """

    control: str
    question: str
    functions: tuple[str, ...]
    tables: tuple[tuple[dict, Callable], ...] = ()
    beside: object = "coursekit's"
    places: tuple[tuple[dict, str, Callable], ...] = ()
    also: tuple[str, ...] = ()
    called: str = ""
    reference: tuple[Callable, ...] = ()
    chance: bool = False

    @property
    def entry(self) -> str:
        """Its name among the choices."""
        return f"your {self.functions[0].removesuffix('_forward')}"

    @property
    def key(self) -> str:
        """The setting that says whether it is chosen."""
        return self.control or "function"

    @property
    def name(self) -> str:
        """What it is compared with, in words."""
        return self.called or str(self.beside)

    @contextlib.contextmanager
    def filled(self, functions):
        """The tables with the functions in them."""
        with contextlib.ExitStack() as after:
            for table, make in self.tables:
                table[self.entry] = make(*functions)
                after.callback(table.pop, self.entry)
            for table, key, make in self.places:
                after.callback(table.__setitem__, key, table[key])
                table[key] = make(*functions)
            yield

    def spec(self) -> dict:
        """What the page must know."""
        questions = [*self.also, self.question]
        names = {name: getattr(self, name) for name in ("control", "entry", "question", "functions")}
        return names | {"beside": self.name, "questions": questions}


def with_yours(explorer, *functions):
    """An explorer like this one, whose choice has the reader's functions too and begins with them.

    What it shows in words ends with how far they are from the course's at this setting.
    """
    names = tuple(getattr(function, "__name__", repr(function)) for function in functions)
    slot = next((each for each in explorer.yours if each.functions == names), None)
    if slot is None:
        known = ", or ".join(" and ".join(each.functions) for each in explorer.yours) or "no function"
        raise DTypeError(f"with_yours got {', '.join(names) or 'nothing'}, but this experiment takes {known}")
    return _filled(explorer, slot, functions)


def compared(explorer, functions, entry: str, settings: dict, prefix: str) -> dict:
    """The picture with the reader's functions and the one beside it, and in words how far they are apart.

    Where no picture can be drawn of what the functions gave, the answer is `{"problem": why}`.
    """
    slot = next(each for each in explorer.yours if each.entry == entry)
    run = _Run(explorer, slot, functions)
    settings = {name: value for name, value in settings.items() if name != slot.key}
    try:
        picture = run.mine.picture(prefix, **settings, **{slot.key: slot.entry})
    except Exception as error:
        if not run.spoilt:
            raise
        return {"problem": f"{run.spoilt}, and the experiment stops there: {error}."}
    words = run.words(settings)
    beside = run.theirs.picture(f"{prefix}-beside", **run.asked(settings))
    return {"svg": picture.svg, "alt": picture.alt, "beside": vars(beside), "name": slot.name, "words": words}


def _filled(explorer, slot, functions):
    run = _Run(explorer, slot, functions)
    mine = run.mine
    if explorer.draw is None:
        return mine

    def describe(results):
        text = explorer.describe(results) if explorer.describe else getattr(run.figure, "alt", "")
        return f"{text} {run.words(run.settings)}" if run.settings is not None else text

    def draw(results):
        run.figure = explorer.draw(results)
        return run.figure

    return type(explorer)(
        run.compute, draw, describe, explorer.title, mine.controls, "__main__", (), explorer.time, explorer.handles
    )


class _Run:
    """An explorer with the reader's functions in their slot, and the one that they are compared with."""

    def __init__(self, explorer, slot, functions):
        self.explorer, self.slot, self.calls, self.seconds, self.spoilt = explorer, slot, 0, 0.0, ""
        self.functions = [self._counted(function) for function in functions]
        self.settings, self.figure = None, None  # the settings of the last picture, if it was the reader's
        self.reference = _once(explorer.compute if not slot.reference else self._with_reference)
        self._mine = _once(self._compute)
        entries = _choice(explorer, slot, slot.entry)
        self.mine = self._like(self.compute, explorer.controls | {slot.key: entries})
        known = explorer.controls if not slot.control else explorer.controls | {slot.key: _choice(explorer, slot)}
        self.theirs = self._like(self.reference, known)

    def _like(self, compute, controls):
        e = self.explorer
        return type(e)(lambda **settings: compute(**settings), e.draw, e.describe, e.title, controls, "__main__")

    def _counted(self, function):
        @functools.wraps(function, updated=())
        def counted(*given, **named):
            self.calls += 1
            found = function(*given, **named)
            if not self.spoilt and not _finite(found):
                self.spoilt = f"At this setting your {function.__name__} gives NaN or infinity"
            return found

        return counted

    def asked(self, settings):
        """The settings of the reference."""
        return {**settings, self.slot.control: self.slot.beside} if self.slot.control else settings

    def compute(self, **settings):
        """The results at these settings, with the reader's functions or, where another entry is chosen, without."""
        rest = {name: value for name, value in settings.items() if name != self.slot.key}
        mine = settings[self.slot.key] == self.slot.entry
        self.settings = rest if mine else None
        return self._mine(**rest) if mine else self.explorer.compute(**(settings if self.slot.control else rest))

    def _with_reference(self, **settings):
        with self.slot.filled(self.slot.reference):
            return self.explorer.compute(**settings)

    def _compute(self, **settings):
        given = self.asked(settings)
        if self.slot.tables:
            given = {**settings, self.slot.control: self.slot.entry}
        self.calls, self.spoilt, began = 0, "", time.perf_counter()
        with self.slot.filled(self.functions), np.errstate(all="ignore"):
            found = self.explorer.compute(**given)
        self.seconds = time.perf_counter() - began
        return found

    def arrays(self, settings):
        """The numbers of both."""
        return self.mine.arrays(**settings, **{self.slot.key: self.slot.entry}), self.theirs.arrays(
            **self.asked(settings)
        )

    def words(self, settings) -> str:
        """How far the two are apart, and what else there is to say of the run."""
        mine, theirs = self.arrays(settings)
        if not self.calls:
            return f"At this setting the experiment does not call {self.slot.entry}. Try another."
        text = _apart(mine, theirs, self.slot.name)
        if self.spoilt and "agree" not in text and "NaN" not in text:
            text = f"{self.spoilt}."
        if self.slot.chance and "differ" in text:
            text += " Both draw random numbers: another way to draw them is another run."
        if self.seconds > SLOW:
            text += f" With yours it took {self.seconds:.1f} s."
        return text


def _once(compute):
    """The function, which does not compute anew what it was asked for last."""
    kept = {}

    def again(**settings):
        key = tuple(sorted(settings.items()))
        if key not in kept:
            found = compute(**settings)
            kept.clear()
            kept[key] = found
        return kept[key]

    return again


def _choice(explorer, slot, entry=""):
    """The slot's control with the reader's entry, which is then the default, or with what that is compared with."""
    if not slot.control:
        return Choice(entry, slot.name, label="function")
    old = explorer.controls[slot.control]
    values = dict.fromkeys((*old.values, entry or slot.beside))
    return Choice(*values, default=entry or old.default, label=old.label, unit=old.unit)


def _finite(value):
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    return not isinstance(value, (float, np.ndarray, np.floating)) or bool(np.isfinite(value).all())


def _apart(mine, theirs, name):
    differences = []
    for key in mine.keys() & theirs.keys():
        a, b = np.asarray(mine[key], float), np.asarray(theirs[key], float)
        if a.shape != b.shape:
            return f"Yours gives other shapes than {name}."
        if (np.isfinite(b) & ~np.isfinite(a)).any():
            return f"At this setting yours gives NaN or infinity, where {name} does not."
        both = np.isfinite(a) & np.isfinite(b)
        scale = np.abs(b[both]).max(initial=0.0)
        differences.append(np.abs(a - b)[both].max(initial=0.0) / (scale or 1.0))
    largest = max(differences, default=0.0)
    if largest <= 1e-3:
        digits = 12 if largest == 0 else min(12, int(-np.log10(largest)))
        return f"Yours and {name} agree: every number here is the same to {digits} digits or more."
    far = f"{largest:.1%} of the largest value" if largest < 10 else f"{largest:.1g} times the largest value"
    return f"Yours and {name} differ by up to {far}."
