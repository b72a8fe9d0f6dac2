"""The comparator of the graded cases: shape, dtype kind, finite, then tolerance.

An answer may be anything at all, so its type is looked at before any NumPy function sees it. Only plain things pass:
arrays that are exactly `numpy.ndarray` with a number dtype, Python and NumPy numbers, and tuples, lists and dicts of
these. A message says what came, what was expected, where they first differ and, when it fits, the usual mistake.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable

import numpy as np

__all__ = [
    "Different",
    "expect_draws",
    "expect_equal",
    "expect_parts",
    "expect_seeded",
    "expect_shape",
    "expect_true",
    "inspect_value",
]

_KINDS = {"b": "booleans", "i": "whole numbers", "u": "whole numbers", "f": "floats", "c": "complex numbers"}
_NUMBERS = {bool, int, float, complex} | {
    t for t in np.sctypeDict.values() if issubclass(t, (np.number, np.bool_)) and t is not np.timedelta64
}
_DEEPEST = 8


MISSING = object()  # in place of a value that there is not
_naming = True  # whether the mistakes of a case are compared; see `without_mistakes`


@contextlib.contextmanager
def without_mistakes():
    """Compare only, without looking for the name of the mistake."""
    global _naming
    before, _naming = _naming, False
    try:
        yield
    finally:
        _naming = before


def matches(got, want) -> bool:
    """Whether a comparison of the two would pass."""
    return _matches(got, want, 1e-6, 1e-9)


class Different(AssertionError):
    """An answer is wrong. `facts` are pairs (label, text); `mistake` names the usual mistake or is None.

    `got` and `want` are what was compared, where there is such a thing. `fits` are all mistakes that fit, `mistake`
    the first of them; `loose` says that they were told by a spread, which two mistakes may share.
    """

    def __init__(self, summary, facts=(), mistake=None, *, got=MISSING, want=MISSING, fits=(), loose=False):
        self.summary, self.facts, self.mistake = summary, tuple(facts), mistake
        self.got, self.want, self.loose = got, want, loose
        self.fits = tuple(fits) or ((mistake,) if mistake else ())
        lines = [summary, *(f"  {label + ':':<18} {text}" for label, text in self.facts)]
        if mistake:
            lines.append(f"  It looks as if {mistake}.")
        super().__init__("\n".join(lines))


def inspect_value(value) -> str:
    """What a value is, in words that are short whatever it is.

    >>> inspect_value(np.zeros((3, 4), np.float32)), inspect_value([1, 2]), inspect_value(None)
    ('float32 array of shape (3, 4)', 'list of length 2', 'None')
    """
    if type(value) is np.ndarray:
        return f"{value.dtype} array of shape {value.shape}"
    if value is None:
        return "None"
    if type(value) in _NUMBERS:
        return f"{type(value).__name__} {_show(value)}"
    if type(value) in (tuple, list, dict, str):
        return f"{type(value).__name__} of length {len(value)}"
    if type(value) is np.random.Generator:
        return "a random generator"
    return f"a {_clip(type(value).__name__)}"


def _show(number) -> str:
    if isinstance(number, int) and not isinstance(number, bool) and number.bit_length() > 100:
        return f"with {number.bit_length()} bits"
    if isinstance(number, (bool, int, np.bool_, np.integer)):
        return str(number)
    return f"{number:.6g}"


def _show_both(one, other) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    if not all(isinstance(n, (float, np.floating)) and math.isfinite(n) for n in (one, other)):
        return _show(one), _show(other)
    for digits in range(6, 18):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _clip(text, length=80) -> str:
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def expect_true(condition: bool, message: str, *, mistake: str | None = None, got=MISSING) -> None:
    """Refuse unless `condition` is True. `got` is what the student's function gave, if the condition is about that."""
    if not condition:
        raise Different(message, mistake=mistake, got=got)


def expect_parts(got, names: tuple[str, ...], *, what: str):
    """The parts of a tuple or list with one part for each of `names`, or a refusal that says what came instead.

    >>> dx, dw = expect_parts((1, 2), ("dx", "dw"), what="backward(dout)")
    """
    if type(got) in (tuple, list) and len(got) == len(names):
        return got
    asked = f"({', '.join(names)})"
    mistake = None
    if got is None:
        mistake = "a return is missing"
    elif type(got) is dict:
        mistake = f"a dict was returned; asked for is the tuple {asked}, without keys"
    elif type(got) in (tuple, list):
        flat = [part for item in got for part in (item if type(item) in (tuple, list) else [item])]
        if len(flat) == len(names) != len(got):
            mistake = f"a tuple stands inside the tuple: {asked} is flat, {len(names)} values side by side"
        elif len(got) < len(names):
            mistake = f"some values are missing: {len(got)} came back, and {len(names)} are asked for, {asked}"
        else:
            mistake = f"too much comes back: {len(got)} values, and {len(names)} are asked for, {asked}"
    elif type(got) is np.ndarray or type(got) in _NUMBERS:
        mistake = f"only one value comes back; asked for are {len(names)}, {asked}"
    raise Different(f"{what} gave {inspect_value(got)}, not {asked}", mistake=mistake, got=got)


def expect_shape(got, shape: tuple[int, ...], *, what: str, kind: str = "f", mistakes: dict | None = None) -> None:
    """Refuse unless `got` is a plain array of this shape and dtype kind with finite entries only.

    `mistakes` maps the name of a mistake to the shape that it gives.

    >>> expect_shape(np.zeros((3, 2)), (3, 2), what="w")
    """
    expected = ("expected", f"array of {_KINDS[kind]}, shape {tuple(shape)}")
    came = ("came", inspect_value(got))
    _plain_array(got, what, expected)
    if got.shape != tuple(shape):
        fits = [name for name, other in (mistakes or {}).items() if got.shape == tuple(other)]
        if got.ndim > 1 and got.shape == tuple(shape)[::-1]:
            fits.append("the axes are the other way round (transposed)")
        raise Different(f"{what} has the wrong shape", [came, expected], fits[0] if fits else None, got=got, fits=fits)
    _same_kind(got, kind, what, expected)
    _finite(got, what, expected)


def _shape_mistake(got, want, rtol, atol):
    """What can be seen of an array of the wrong shape, when the right one is known."""

    def near(a):
        return a.shape == want.shape and bool((np.abs(a - want) <= atol + rtol * np.abs(want)).all())

    if got.dtype.kind not in "iuf" or want.dtype.kind not in "iuf" or got.size > 1_000_000:
        return None
    with np.errstate(all="ignore"):
        if got.ndim > 1 and near(got.T):
            return "the axes are the other way round (transposed)"
        if got.size == want.size and near(got.reshape(want.shape)):
            if got.size == max(got.shape, default=1):
                return (
                    f"an axis of length 1 was kept or added (keepdims=True, [:, None]): {got.shape}, not {want.shape}"
                )
            return f"the numbers are right, but laid out as {got.shape}, not as {want.shape} (reshape)"
        for axis in range(got.ndim):
            for name, fold in (("sum", np.sum), ("mean", np.mean), ("largest", np.max), ("smallest", np.min)):
                if got.ndim > 1 and got.shape[axis] > 1 and near(fold(got, axis=axis)):
                    return f"the {name} over axis {axis} is missing"
        if got.size and got.ndim and want.ndim == 0:
            folds = (("sum", np.sum), ("mean", np.mean), ("largest", np.max))
            found = [name for name, fold in folds if near(np.asarray(fold(got)))]
            if found:
                return f"the {found[0] if len(found) == 1 else 'sum, mean or largest'} of all entries is missing"
    return None


def _plain_array(got, what, expected):
    if type(got) is not np.ndarray:
        mistake = None
        if got is None:
            mistake = "a return is missing"
        elif type(got) in (list, tuple):
            mistake = f"a {type(got).__name__} was returned where an array is meant, see np.array"
        elif type(got) in (bool, int, float) or isinstance(got, np.generic):
            mistake = (
                "a single number was returned where an array is meant: a sum, a mean or a draw lacks an axis or a size"
            )
        elif type(got).__name__ == "Tensor":
            mistake = "a tensor of PyTorch was returned: the grader has only NumPy, and compares NumPy arrays"
        elif type(got).__name__ == "generator":
            mistake = "(... for ...) in round brackets made a generator; square brackets make a list"
        raise Different(f"{what} is not an array", [("came", inspect_value(got)), expected], mistake, got=got)
    if got.dtype.kind not in _KINDS:
        mistake = (
            "arrays of different lengths, or arrays in a list, were put into one array" if got.dtype == object else None
        )
        raise Different(f"{what} does not hold numbers", [("came", inspect_value(got)), expected], mistake)


def _same_kind(got, kind, what, expected):
    if got.dtype == np.float16 and kind == "f":
        raise Different(
            f"{what} is rounded too coarsely: use float32 or float64", [("came", inspect_value(got)), expected]
        )
    if got.dtype.kind != kind and {got.dtype.kind, kind} != {"i", "u"}:
        mistake = None
        if kind == "f" and got.dtype.kind in "iu":
            mistake = "whole numbers came back where floats are meant (//, an integer dtype, or a mask alone)"
        elif kind == "f" and got.dtype.kind == "b":
            mistake = "a mask of True and False was returned by itself: nothing was multiplied by it"
        elif kind == "i" and got.dtype.kind == "f":
            mistake = "a float came back where a whole number is meant: int(...), or // for /"
        raise Different(
            f"{what} holds {_KINDS[got.dtype.kind]}, not {_KINDS[kind]}",
            [("came", inspect_value(got)), expected],
            mistake,
            got=got,
        )


def _finite(got, what, expected):
    bad = ~np.isfinite(got)
    if bad.any():
        where = _first(bad)
        raise Different(
            f"{what} is not finite",
            [("came", f"{_show(got[where])} at {_index(where)}, {int(bad.sum())} of {got.size} entries"), expected],
            got=got,
        )


def _first(mask) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))


def _index(where) -> str:
    return f"index [{', '.join(map(str, where))}]" if where else "its only entry"


def expect_equal(
    got, want, *, rtol: float = 1e-6, atol: float = 1e-9, what: str = "the result", mistakes: dict | None = None
) -> None:
    """Refuse unless `got` has the structure, shape, dtype kind and, within the tolerance, the values of `want`.

    float32 answers are compared with a tolerance that float32 can meet. A list may come for a tuple and the other way
    round. `mistakes` maps the name of a usual mistake to what it gives in place of `want`.

    >>> expect_equal(np.array([1.0, 2.0]), np.array([1.0, 2.5]), what="db", mistakes={"you forgot x": np.ones(2)})
    Traceback (most recent call last):
    coursekit.grading.compare.Different: db has a wrong value
      came:              float64 array of shape (2,)
      expected:          float64 array of shape (2,)
      first difference:  index [1]: came 2, expected 2.5
      differing:         1 of 2 entries
    """
    try:
        _equal(got, want, rtol, atol, what, 0)
    except Different as error:
        known = (mistakes or {}) if _naming else {}
        fits = [name for name, other in known.items() if _matches(got, other, rtol, atol)]
        if fits:
            error = Different(error.summary, error.facts, fits[0], got=error.got, want=error.want, fits=fits)
        raise error from None


def _matches(got, want, rtol, atol) -> bool:
    try:
        _equal(got, want, rtol, atol, "", 0)
    except Different:
        return False
    return True


def _equal(got, want, rtol, atol, what, depth):
    if type(want) in (tuple, list):
        _same_length(got, want, (tuple, list), f"{type(want).__name__} of length {len(want)}", what, depth)
        for i, part in enumerate(want):
            _equal(got[i], part, rtol, atol, _entry(what, i), depth + 1)
    elif type(want) is dict:
        _same_length(got, want, (dict,), f"dict with keys {_clip(list(want))}", what, depth)
        came = {(type(key), key): value for key, value in got.items()}  # True is no 1
        for key, part in want.items():
            if (type(key), key) not in came:
                raise Different(f"{what} has no key {_clip(repr(key))}", [("expected", f"keys {_clip(list(want))}")])
            _equal(came[type(key), key], part, rtol, atol, f"{what}[{_clip(repr(key))}]", depth + 1)
    elif type(want) is np.ndarray:
        _equal_arrays(got, want, rtol, atol, what)
    elif type(want) in _NUMBERS:
        _equal_numbers(got, want, rtol, atol, what)
    elif want is None:
        if got is not None:
            raise Different(f"{what} is not None", [("came", inspect_value(got))])
    else:
        raise TypeError(
            f"expect_equal cannot compare with {inspect_value(want)}; expected arrays, numbers or their tuples"
        )


def _entry(what, i):
    """An entry of a tuple in words: `norm(x)[0]`, but "entry 0 of adam_step at t = 4".

    >>> _entry("norm(x)[1]", 0), _entry("adam_step at t = 4", 2)
    ('norm(x)[1][0]', 'entry 2 of adam_step at t = 4')
    """
    return f"{what}[{i}]" if re.fullmatch(r"[\w.]+(\([^()]*\))?(\[[^\[\]]+\])*", what) else f"entry {i} of {what}"


def _equal_numbers(got, want, rtol, atol, what):
    facts = [("came", inspect_value(got)), ("expected", f"a number, {_show(want)}")]
    if type(got) not in _NUMBERS and not (type(got) is np.ndarray and got.shape == () and got.dtype.kind in _KINDS):
        mistake = "a return is missing" if got is None else None
        if type(got) is np.ndarray and type(want) is not bool:
            mistake = _shape_mistake(got, np.asarray(want), rtol, atol)
        elif type(got) in (tuple, list):
            mistake = f"a {type(got).__name__} was returned where a single number is meant"
        raise Different(f"{what} is not a number", facts, mistake, got=got, want=want)
    if type(got) is int and got.bit_length() > 63:
        raise Different(f"{what} is out of range", facts)
    got, want = np.asarray(got), np.asarray(want)
    if want.dtype.kind == "f" and got.dtype.kind in "iu":
        got = got.astype(np.float64)
    try:
        _equal_arrays(got, want, rtol, atol, what)
    except Different as error:
        if got.dtype.kind == want.dtype.kind == "f":
            came, expected = _show_both(got[()], want[()])
            facts = [("came", f"{got.dtype} {came}"), ("expected", f"a number, {expected}")]
        raise Different(error.summary, facts, error.mistake, got=got[()], want=want[()]) from None


def _plain(value, what, depth=0):
    """Refuse what could not be compared: only arrays, numbers and tuples, lists and dicts of these are plain."""
    if type(value) in (tuple, list, dict) and depth < _DEEPEST:
        for part in value.values() if type(value) is dict else value:
            _plain(part, what, depth + 1)
    elif type(value) not in _NUMBERS:
        _plain_array(value, what, ("expected", "an array of numbers"))


def _same_length(got, want, types, expected, what, depth):
    if depth > _DEEPEST:
        raise TypeError(f"expect_equal: want is nested more than {_DEEPEST} deep")
    facts = [("came", inspect_value(got)), ("expected", expected)]
    if type(got) not in types:
        mistake = "a return is missing" if got is None else None
        if got is not None and type(got) in (tuple, list, dict, np.ndarray):
            kind = "an array" if type(got) is np.ndarray else f"a {type(got).__name__}"
            mistake = f"{kind} was returned where a {type(want).__name__} is meant"
        raise Different(f"{what} is not a {type(want).__name__}", facts, mistake, got=got, want=want)
    if len(got) != len(want):
        raise Different(f"{what} has the wrong length", facts, got=got, want=want)


def _equal_arrays(got, want, rtol, atol, what):
    facts = [("came", inspect_value(got)), ("expected", inspect_value(want))]
    _plain_array(got, what, facts[1])
    if got.shape != want.shape:
        raise Different(f"{what} has the wrong shape", facts, _shape_mistake(got, want, rtol, atol), got=got, want=want)
    _same_kind(got, want.dtype.kind, what, facts[1])
    if got.dtype.kind in "biu":
        wrong = got != want
    else:
        usual = np.isfinite(want)
        if usual.all():
            _finite(got, what, facts[1])
        largest = float(np.abs(want[usual]).max()) if usual.any() else 0.0
        if min(got.dtype.itemsize, want.dtype.itemsize) <= (4 if want.dtype.kind == "f" else 8):
            rtol, atol = max(rtol, 1e-4), max(atol, 1e-5 * largest)
        with np.errstate(all="ignore"):
            near = np.abs(got - want) <= atol + rtol * np.abs(want)
        wrong = ~np.where(usual, near, (got == want) | (np.isnan(got) & np.isnan(want)))
    if wrong.any():
        where = _first(wrong)
        came, expected = _show_both(got[where], want[where])
        facts += [
            ("first difference", f"{_index(where)}: came {came}, expected {expected}"),
            ("differing", f"{int(wrong.sum())} of {wrong.size} entries"),
        ]
        raise Different(f"{what} has a wrong value", facts, _value_mistake(got, want, rtol, atol), got=got, want=want)


def _value_mistake(got, want, rtol, atol):
    """The mistakes that can be seen whatever was computed: sign and transposition. Factors: see `diagnose`."""
    if want.dtype.kind != "f" or not (np.isfinite(got).all() and np.isfinite(want).all()):
        return None

    def near(a, b):
        return bool((np.abs(a - b) <= atol + rtol * np.abs(b)).all())

    with np.errstate(all="ignore"):
        if near(got, -want):
            return "the sign is the wrong way round"
        if got.ndim == 2 and got.shape[0] == got.shape[1] and near(got.T, want):
            return "the axes are the other way round (transposed)"
    return None


def expect_draws(
    got,
    *,
    shape: tuple[int, ...],
    std: float,
    uniform: bool = False,
    what: str = "the weights",
    mistakes: dict[str, float] | None = None,
    k: float = 6.0,
) -> None:
    r"""Refuse unless `got` looks like independent draws with mean 0 and this standard deviation.

    Mean and standard deviation must lie within k standard errors, $\sigma/\sqrt n$ and
    $\sigma\sqrt{(\kappa - 1)/4n}$, where the kurtosis $\kappa$ is 3 for normal and 9/5 for uniform draws. With k = 6
    a right answer fails about once in 10^9 checks. `mistakes` maps the name of a mistake to the standard deviation that
    it gives. The number of draws should be some thousands.

    >>> expect_draws(np.random.default_rng(0).normal(0, 0.1, (50, 80)), shape=(50, 80), std=0.1)
    """
    expect_shape(got, shape, what=what)
    got = got.astype(np.float64, copy=False)
    n = got.size
    law = "uniform" if uniform else "normal"
    expected = ("expected", f"{law} draws with mean 0 and standard deviation {std:.4g}")
    if got.min() == got.max():
        raise Different(
            f"{what}: all entries are equal",
            [("came", f"{n} times {_show(got.flat[0])}"), expected],
            "one number was drawn for all entries: the generator needs the shape as its size" if got.flat[0] else None,
            got=got,
        )
    distinct = np.unique(got).size
    if distinct < 0.9 * n:
        raise Different(
            f"{what}: entries repeat", [("came", f"{distinct} different values in {n} entries"), expected], got=got
        )
    mean, spread, bound = float(got.mean()), float(np.sqrt(np.mean(got**2))), math.sqrt(3) * std
    mean_error = k / math.sqrt(n)
    std_error = k * math.sqrt((1.8 if uniform else 3.0) - 1) / (2 * math.sqrt(n))
    came = (
        "came",
        f"mean {mean:.3g}, standard deviation {float(got.std()):.4g}, from {got.min():.3g} to {got.max():.3g}",
    )
    if abs(mean) > mean_error * max(spread, std):
        raise Different(f"{what}: the draws are not centred at 0", [came, expected], got=got)
    if abs(spread - std) > std_error * std:
        loose = 4 / math.sqrt(2 * n)
        near = sorted((abs(spread / s - 1), name) for name, s in (mistakes or {}).items() if s > 0)
        fits = [name for off, name in near if off < loose]
        raise Different(
            f"{what}: the spread is wrong", [came, expected], fits[0] if fits else None, got=got, fits=fits, loose=True
        )
    outside = float((np.abs(got) > bound * (1 + 1e-6)).mean())
    if uniform and outside > 0:
        raise Different(
            f"{what}: the draws are not uniform",
            [came, ("expected", f"uniform draws from {-bound:.4g} to {bound:.4g}")],
            "they are normal" if outside > 0.05 else None,
            got=got,
        )
    usual = 0.08326  # the share of a normal distribution beyond sqrt(3) standard deviations
    if not uniform and abs(outside - usual) > k * math.sqrt(usual / n) + 0.02:
        raise Different(
            f"{what}: the draws are not normal",
            [came, expected],
            "they are uniform" if outside == 0 else None,
            got=got,
        )


def expect_seeded(draw: Callable, *, rng: np.random.Generator, what: str = "the weights") -> None:
    """Refuse unless `draw(generator)` depends on the generator that it is given, and on nothing else that is random.

    `draw` returns an array or a list of arrays. Every call gets a fresh generator.
    """
    one, other = (int(seed) for seed in rng.choice(2**31, size=2, replace=False))
    first = draw(np.random.default_rng(one))
    _plain(first, what)
    again = draw(np.random.default_rng(one))
    different = draw(np.random.default_rng(other))
    if not _matches(again, first, 0, 0):
        raise Different(
            f"{what}: the same generator gave two different results",
            [("expected", "every random number comes from the generator rng that is passed in")],
            "the global generator np.random is used, or a new one without a seed",
        )
    if _matches(different, first, 0, 0):
        raise Different(
            f"{what}: two different generators gave the same result",
            [("expected", "random numbers from the generator rng that is passed in")],
            "nothing is drawn, or a generator with a fixed seed is made inside",
        )
