"""Why an answer is wrong: its mistake by its name, or nothing.

A mistake is named only if it explains what came on two draws of the inputs. What is tried, in this order:

1. the mistakes that the case itself knows,
2. the sheet's slips: programs that are known to be wrong, each with its name,
3. whether an argument came back as it was,
4. a spread of random draws that fits a mistake,
5. the mutants of the sheet's models: what a right answer becomes by one change,
6. two slips at once,
7. a factor or summand that is a number of the problem: an argument, a size, 2 or a half.

A program fits when the case, run on it with the same inputs, compares the same wrong values.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import io
import itertools
import re
import sys
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import compare
from .cases import Case, Question, Sheet, public_rng
from .compare import Different
from .mutants import mutants

__all__ = ["Trial", "Watch", "blame", "diagnose", "with_models"]

SECONDS = 0.3  # for trying programs; the slips are tried first
MAX_DRAWS = 5


@dataclass
class Watch:
    """What the student's functions were given, and gave: (name, arguments by name, result)."""

    calls: list[tuple[str, dict, object]] = field(default_factory=list)


@dataclass
class Trial:
    """One failure of a case: its draw, what the comparator said, and the calls that led to it."""

    draw: int
    error: Different
    calls: list


def with_models(sheet: Sheet, names: dict) -> dict:
    """The notebook's names, with the sheet's own answers in place of the student's."""
    found = dict(names)
    for question in sheet.questions:
        needed, chosen = set(question.names), []
        for model in question.models:
            if needed & set(_defined(model)):
                needed -= set(_defined(model))
                chosen.append(model)
        for model in reversed(chosen):  # the first one has the last word
            with contextlib.suppress(Exception):
                exec(model, found)
    return found


@functools.lru_cache(maxsize=512)
def _defined(code: str) -> tuple[str, ...]:
    """The functions that a program defines at its left margin."""
    return tuple(node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef))


# --- the fault of another function ------------------------------------------------------------------------------------


def blame(case: Case, names: dict, sheet: Sheet, passes: Callable[[dict], bool], fails: Callable[[str], str | None]):
    """The graded function of another answer whose fault this is, with the question it belongs to; None when it is not.

    `fails(name)` is the question in which that name fails its own check, `passes(names)` whether the case passes
    with other names. Only when the case passes with the right one in its place is it that one's fault.
    """
    from .rules import functions_of

    graded = {name for question in sheet.questions for name in question.names} - set(case.names)
    for name in case.names:
        for function in functions_of(names.get(name), names):
            for used in function.__code__.co_names:
                if used in graded and used in names and (question := fails(used)):
                    models = with_models(sheet, names)
                    if used in models and passes(_rebuilt(names, {used: models[used]})):
                        return used, question
    return None


def _rebuilt(names: dict, put: dict) -> dict:
    """The notebook's functions once more, as they would be if these names were other ones."""
    found = dict(names)
    for name, value in names.items():
        if isinstance(value, types.FunctionType) and value.__globals__ is names:
            copied = types.FunctionType(value.__code__, found, value.__name__, value.__defaults__, value.__closure__)
            copied.__kwdefaults__ = value.__kwdefaults__
            found[name] = copied
    found.update(put)
    return found


# --- the answer's own mistake -----------------------------------------------------------------------------------------


def diagnose(question: Question, sheet: Sheet, names: dict, first: dict[Case, Trial], again) -> dict[Case, str]:
    """The mistake in each case that failed, where one fits twice.

    `first` are the failures at draw 0; `again(case, draw)` runs the student's answer once more and gives a Trial, or
    None when that draw does not fail in the comparator.
    """
    trials = {case: [trial] for case, trial in first.items()}
    for case, found in trials.items():
        for draw in range(1, MAX_DRAWS):
            if len(found) < 2 and (trial := again(case, draw)) is not None and _same_place(trial, found[0]):
                found.append(trial)
    trials = {case: found for case, found in trials.items() if len(found) == 2}
    said: dict[Case, str] = {}
    for case, (one, two) in trials.items():
        if not one.error.loose and (fit := _both(one.error.fits, two.error.fits)):
            said[case] = fit
    programs = _Programs(question, sheet, names, again)
    end = time.process_time() + SECONDS
    left = {c: t for c, t in trials.items() if c not in said}
    said |= programs.explain(left, programs.slips(), strong=True)
    for case, pair in trials.items():
        if case not in said and (fit := _both(*(_unchanged(t, question) for t in pair))):
            said[case] = fit
    for case, (one, two) in trials.items():
        if case not in said and one.error.loose and (fit := _both(one.error.fits, two.error.fits)):
            said[case] = fit
    left = {c: t for c, t in trials.items() if c not in said}
    said |= programs.explain(left, programs.mutants(), end=end)
    left = {c: t for c, t in trials.items() if c not in said}
    said |= programs.explain(left, programs.pairs(), end=end + SECONDS / 3)
    for case, pair in trials.items():
        if case not in said:
            for look in (_numbers, programs.structure):
                if fit := _both(*(look(trial) for trial in pair)):
                    said[case] = fit
                    break
    return said


def _same_place(one, two):
    return _plain(one.error.summary) == _plain(two.error.summary) and type(one.error.got) is type(two.error.got)


def _plain(text):
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", "#", text)


def _both(one, two):
    """The first mistake that is in both lists, whatever the numbers in it."""
    other = {_plain(text) for text in two}
    return next((text for text in one if _plain(text) in other), None)


class _Programs:
    """The wrong programs of a question, and which of them does what the student's does."""

    def __init__(self, question, sheet, names, again):
        self.question, self.again = question, again
        self.base = with_models(sheet, names)

    def slips(self):
        for slip in self.question.slips:
            yield slip.says, slip.code

    def mutants(self):
        for model in self.question.models:
            for mutant in mutants(model):
                yield mutant.says, mutant

    def pairs(self):
        """Two of the sheet's slips at once, where both are changes of the same lines of the first model."""
        if not self.question.models:
            return
        model = self.question.models[0].splitlines()
        edits = []
        for slip in self.question.slips:
            lines = slip.code.splitlines()
            if len(lines) == len(model):
                edits.append(
                    (slip.says, {i: new for i, (old, new) in enumerate(zip(model, lines, strict=True)) if old != new})
                )
        for i, (one, here) in enumerate(edits):
            for two, there in edits[i + 1 :]:
                if not set(here) & set(there):
                    both = here | there
                    yield f"{one}. And: {two}", "\n".join(both.get(k, line) for k, line in enumerate(model))

    def explain(self, trials, programs, end=None, strong=False):
        """For each case the program that fits in the most cases, and of these the first."""
        found: dict = {}  # case: (number of cases, says)
        todo = [
            c for c, pair in trials.items() if strong or all(_known(t.error) and not _empty(t.error.got) for t in pair)
        ]
        todo = [c for c in todo if all(run(c, self.base, t.draw) is None for t in trials[c])]
        # A program proves nothing where the right answer, as we know it, does not pass: those are left out.
        for says, program in programs:
            if not todo or (end is not None and time.process_time() > end):
                break
            names = self.names(program)
            fits = [c for c in todo if self.fits(c, trials[c], names, strong)] if names else []
            for case in fits:
                if len(fits) > found.get(case, (0, ""))[0]:
                    found[case] = len(fits), says
            if len(fits) == len(todo):
                break
        return {case: says for case, (_, says) in found.items()}

    def names(self, program):
        found = dict(self.base)
        try:
            code = compile(program, "<slip>", "exec") if isinstance(program, str) else program.code
            if code is None:
                return None
            exec(code, found)
        except Exception:
            return None
        return found

    def fits(self, case, trials, names, strong):
        if not all(self.alike(case, trial, names, strong) for trial in trials):
            return False
        if strong or not any(_weak(trial.error.got) for trial in trials):
            return True
        # Few values are possible, so a coincidence is: it has to fit on all draws, and these have to differ.
        seen = []
        for draw in range(MAX_DRAWS + 3):
            trial, other = self.again(case, draw), run(case, names, draw)
            if trial is None or other is None:
                if trial is not None or other is not None:
                    return False
                continue
            if not (_known(other) and _alike(trial.error.got, other.got)):
                return False
            seen.append(repr(trial.error.got))
        return len(set(seen)) > 1 and self.same_points(names)

    def same_points(self, names):
        for case in self.question.cases:
            if not case.hidden:
                trial, other = self.again(case, 0), run(case, names, 0)
                if (trial is None) != (other is None):
                    return False
        return True

    def alike(self, case, trial, names, strong):
        error = run(case, names, trial.draw)
        if not isinstance(error, Different) or _plain(error.summary) != _plain(trial.error.summary):
            return False
        if not _known(trial.error):
            return strong and error.summary == trial.error.summary and error.facts == trial.error.facts
        if _empty(trial.error.got) and not strong:
            return False
        return _known(error) and _alike(trial.error.got, error.got)

    def structure(self, trial):
        """A dict, a list or one value where the model gives a tuple, whatever the case says of it."""
        if _known(trial.error) or not trial.calls:
            return ()
        name, given, came = trial.calls[-1]
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want = self.base[name](**copy.deepcopy(given))
        except Exception:
            return ()
        if type(want) is not tuple:
            return ()
        asked = _returned(self.question, name, len(want))
        try:
            compare.expect_parts(came, asked, what=name)
        except Different as error:
            return error.fits
        return ()


def run(case: Case, names: dict, draw: int):
    """What the comparator says of other functions on this draw; None when they pass or break."""
    functions = {name: _copying(names[name]) for name in case.names if name in names}
    try:
        with (
            _few_lines(),
            contextlib.redirect_stdout(io.StringIO()),
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
            compare.without_mistakes(),
        ):
            warnings.simplefilter("ignore")
            case.run(functions, public_rng(case, draw))
    except Different as error:
        return error
    except (Exception, _TooMany) as error:
        return Different(f"raised {type(error).__name__}")
    return None


class _TooMany(BaseException):
    """A changed program runs on and on."""


@contextlib.contextmanager
def _few_lines(seconds=0.2):
    """Stop the code of a mutant or slip after this time: a change can make a loop that never ends."""
    end = time.process_time() + seconds
    seen = itertools.count()

    def lines(frame, event, arg):
        if not next(seen) % 64 and time.process_time() > end:  # the clock takes longer than a line
            raise _TooMany
        return lines

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: lines if frame.f_code.co_filename in ("<mutant>", "<slip>") else None)
    try:
        yield
    finally:
        sys.settrace(before)


def _copying(function):
    if not callable(function):
        return function
    return lambda *args, **kwargs: function(*copy.deepcopy(args), **copy.deepcopy(kwargs))


def _known(error):
    return error.got is not compare.MISSING


def _alike(a, b) -> bool:
    try:
        return compare.matches(a, b) and compare.matches(b, a)
    except Exception:
        return False


def _weak(got) -> bool:
    """Whether two different programs may well give this by chance."""
    if isinstance(got, (bool, int, str, np.bool_, np.integer)) or got is None:
        return True
    if isinstance(got, np.ndarray):
        return got.dtype.kind in "biu" or got.size == 0 or bool((got == got.flat[0]).all())
    if isinstance(got, (float, np.floating)):
        return float(got).is_integer()
    return False


def _empty(got) -> bool:
    """Nothing but NaN and infinity."""
    try:
        return not np.isfinite(np.asarray(got, dtype=float)).any()
    except (TypeError, ValueError):
        return False


# --- without programs -------------------------------------------------------------------------------------------------


def _values(given: dict, question, name):
    """(name, value) of every argument, and of the parts of a tuple under the names that the model gives them."""
    for key, value in given.items():
        if isinstance(value, (tuple, list)):
            parts = _unpacked(question, name, key, len(value))
            yield from zip(parts, value, strict=True)
        else:
            yield key, value


def _unpacked(question, name, key, count):
    for model in question.models:
        for node in ast.walk(ast.parse(model)):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == key:
                target = node.targets[0]
                if isinstance(target, ast.Tuple) and len(target.elts) == count:
                    return [ast.unparse(e) for e in target.elts]
    return [f"part {i + 1} of {key}" for i in range(count)]


def _returned(question, name, count):
    for model in question.models:
        for node in ast.walk(ast.parse(model)):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                for part in ast.walk(node):
                    if isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple):
                        if all(isinstance(e, ast.Name) for e in part.value.elts):
                            return tuple(e.id for e in part.value.elts)
    return tuple(["one", "two", "three", "four", "five", "six"][:count])


def _unchanged(trial, question):
    """That an argument came back as it was."""
    got = trial.error.got
    if not _known(trial.error) or not trial.calls or _weak(got) or _empty(got):
        return
    name, given, _ = trial.calls[-1]
    for key, value in _values(given, question, name):
        if isinstance(value, np.ndarray) and value.ndim and compare.matches(got, value):
            yield f"{key} came back as it was: nothing was done to it"


def _numbers(trial):
    """A factor or a summand that is a number of the problem."""
    error = trial.error
    if not _known(error) or error.want is compare.MISSING or not trial.calls:
        return
    try:
        got, want = np.asarray(error.got, float), np.asarray(error.want, float)
    except (TypeError, ValueError):
        return
    if got.shape != want.shape or not np.isfinite(got).all() or not np.isfinite(want).all() or not want.any():
        return
    largest = np.unravel_index(int(np.argmax(np.abs(want))), want.shape)
    factor, apart = got[largest] / want[largest], got[largest] - want[largest]
    _, given, _ = trial.calls[-1]
    what = "every entry is" if got.ndim else "the result is"
    if factor and np.allclose(got, factor * want, rtol=1e-6, atol=1e-9 * np.abs(want).max()):
        for value, says in _factors(given, what):
            if value and np.isclose(factor, value, rtol=1e-6) and not np.isclose(value, 1, rtol=1e-4):
                yield says
    if np.allclose(got - want, apart, rtol=1e-5, atol=1e-9):
        for key, value in given.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
                if np.isclose(apart, value, rtol=1e-5):
                    yield f"{key} was added to the result"
                elif np.isclose(apart, -value, rtol=1e-5):
                    yield f"{key} was subtracted from the result"


def _factors(given, what):
    yield 2.0, f"{what} twice what it should be: a factor 2 is too many, or a ½ is missing"
    yield 0.5, f"{what} half of what it should be: a factor 2 is missing, or a ½ is too many"
    yield -1.0, "the sign is the wrong way round"
    for key, value in given.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
            yield value, f"{what} {key} times what it should be: {key} is in there once too often"
            yield 1 / value, f"{what} too large by 1 / {key}: the factor {key} is missing"
            if 0 < value < 1:
                yield 1 - value, f"{what} 1 - {key} times what it should be: that factor is too many"
                yield 1 / (1 - value), f"{what} too large by 1 / (1 - {key}): the factor 1 - {key} is missing"
    arrays = {key: value for key, value in given.items() if isinstance(value, np.ndarray) and value.ndim}
    for key, value in arrays.items():
        words = ["rows", "columns"] if value.ndim == 2 else ["entries"] if value.ndim == 1 else None
        sizes = {f"number of {w} of {key}": n for w, n in zip(words or (), value.shape, strict=False)}
        sizes[f"number of entries of {key}"] = value.size
        for word, n in sizes.items():
            if n > 1:
                yield n, f"{what} {n} times what it should be: the division by {n}, the {word}, is missing"
                yield 1 / n, f"{what} too small by {n}: it was divided by the {word}, which is not asked for"
                yield n / (n - 1), f"{what} n / (n - 1) times what it should be, with n = {n}: the {word}"
                yield (n - 1) / n, f"{what} (n - 1) / n times what it should be, with n = {n}: the {word}"
