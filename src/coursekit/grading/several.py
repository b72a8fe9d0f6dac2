"""Cases that look at several numbers at once: several calls of one function, or the parts of one answer.

One number is thin evidence for a mistake: rounding and rounding up agree at most steps. What is named here fits all
that came.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import numpy as np

from . import compare
from .compare import _NUMBERS, Different, _matches, expect_equal, expect_true, inspect_value

__all__ = ["expect_calls", "expect_number", "expect_results"]


def expect_calls(
    function: Callable,
    inputs: Iterable[tuple],
    right: Callable,
    *,
    what: Callable[..., str],
    mistakes: dict[str, Callable] | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Refuse unless `function(*i)` is `right(*i)` for each `i` of the inputs.

    `mistakes` maps the name of a mistake to the function that it makes. It is named if it gives what came for *all*
    inputs.
    `what(*i)` says in words which call it was.

    >>> expect_calls(round, [(0.2,), (0.7,)], int, what="round({})".format, mistakes={"it was rounded": round})
    Traceback (most recent call last):
    coursekit.grading.compare.Different: round(0.7) has a wrong value
      came:              int 1
      expected:          a number, 0
      It looks as if it was rounded.
    """
    inputs = list(inputs)
    got = [function(*copy.deepcopy(i)) for i in inputs]
    wrong = next((n for n, i in enumerate(inputs) if not _matches(got[n], right(*i), rtol, atol)), None)
    if wrong is None:
        return
    i, found = inputs[wrong], []
    if compare._naming:
        found = [name for name, other in (mistakes or {}).items() if _fits_all(other, inputs, got, rtol, atol)]
    try:
        expect_equal(got[wrong], right(*i), rtol=rtol, atol=atol, what=what(*i))
    except Different as error:
        raise _named(error, found) from None


def _named(error, found):
    """The same refusal, with the mistakes that were found in front."""
    fits = [*found, *error.fits]
    return Different(error.summary, error.facts, fits[0] if fits else None, got=error.got, want=error.want, fits=fits)


def _fits_all(wrong, inputs, got, rtol, atol):
    return all(_matches(came, wrong(*i), rtol, atol) for i, came in zip(inputs, got, strict=True))


def expect_results(
    got,
    want: dict[str, object],
    *,
    what: str,
    mistakes: dict[str, dict] | None = None,
    only: str | None = None,
    rtol: float = 1e-6,
    atol: float = 1e-9,
) -> None:
    """Refuse unless `got` is a tuple of the values of `want`, whose keys are the names of the parts.

    With `only` the other parts are not marked; they still help to tell the mistakes apart.

    `mistakes` maps the name of a mistake to the parts that it changes, `{"dw": ...}`. One that explains all parts is
    named before one that explains the first wrong part, and leaves right what came right.
    """
    names = ", ".join(want)
    expect_true(
        type(got) in (tuple, list) and len(got) == len(want),
        f"{what} gave {inspect_value(got)}, not {len(want)} results ({names})",
        mistake="a return is missing" if got is None else None,
    )
    wrong = [name for name, part in zip(want, got, strict=True) if not _matches(part, want[name], rtol, atol)]
    if not wrong or (only and only not in wrong):
        return
    first = only or wrong[0]
    parts = dict(zip(want, got, strict=True))

    def fits(changed, names):
        return all(_matches(parts[name], changed.get(name, want[name]), rtol, atol) for name in names)

    mistakes = mistakes if compare._naming else None
    found = [text for text, changed in (mistakes or {}).items() if fits(changed, want)]
    right = [name for name in want if name not in wrong]  # a mistake that would spoil one of these is another one
    found = found or [text for text, changed in (mistakes or {}).items() if fits(changed, [first, *right])]
    if not found and _shuffled(got, list(want.values()), rtol, atol):
        found = [f"the results come in the wrong order: ({names}) is asked for"]
    try:
        expect_equal(parts[first], want[first], rtol=rtol, atol=atol, what=f"{first} of {what}")
    except Different as error:
        raise _named(error, found) from None


def _shuffled(got, want, rtol, atol):
    left = list(want)
    for part in got:
        place = next((i for i, value in enumerate(left) if _matches(part, value, rtol, atol)), None)
        if place is None:
            return False
        left.pop(place)
    return True


def expect_number(got, what: str) -> float:
    """Refuse unless `got` is one number that is finite; the number comes back as a float."""
    one = type(got) in _NUMBERS or (type(got) is np.ndarray and got.shape == () and got.dtype.kind in "iuf")
    expect_true(
        one and np.isreal(got) and bool(np.isfinite(got)),
        f"{what} gave {inspect_value(got)}, not a number",
        mistake="a return is missing" if got is None else None,
    )
    return float(got)
