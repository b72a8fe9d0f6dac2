"""Checks at the boundary of public functions. Each raises an error of `coursekit.errors`, or returns what it was given.

The rules, in one place:

* An array must be a `numpy.ndarray` of real floating point dtype; it is never converted behind the caller's back.
* Shapes are written as a pattern, `"(..., N, D)"`. A letter that occurs twice must mean the same length twice.
* NaN passes through activations and layers, so that its origin can be found. It is refused where it cannot mean
  anything: in settings, labels, statistics that are fitted, and in a loss without run axes. With run axes a NaN loss
  marks the run that diverged and the others go on.
"""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from .errors import DTypeError, LabelError, NotFiniteError, RangeError, ShapeError


def describe(value) -> str:
    """What arrived, in words: "float32 array of shape (3, 4)", "list", "int 3"."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    if isinstance(value, (bool, int, float, str)) or value is None:
        return f"{type(value).__name__} {value!r}"
    return f"a {type(value).__name__}"


def _a(array: np.ndarray) -> str:
    """What arrived, with its article: "an int64 array of shape (3,)"."""
    return f"{'an' if array.dtype.kind in 'iuO' else 'a'} {describe(array)}"


def float_array(name: str, value) -> np.ndarray:
    """`value`, if it is an array of float16, float32 or float64."""
    if not isinstance(value, np.ndarray):
        raise DTypeError(
            f"{name} is {describe(value)}, but must be a NumPy array of floats; "
            f"try np.asarray({name}, dtype=np.float64)"
        )
    if value.dtype.kind != "f":
        raise DTypeError(f"{name} is {_a(value)}, but must hold floats; try {name}.astype(np.float32)")
    return value


def shape(pattern: str, **arrays: np.ndarray) -> Mapping[str, int]:
    """Check float arrays against patterns such as `"x (..., N, D), w (..., D, M), b (..., M)"`.

    Returns the axis lengths by letter. A number stands for itself. `...` admits any axes in front. No axis that is
    named in the pattern may be empty.
    """
    for name, array in arrays.items():
        if not (isinstance(array, np.ndarray) and array.dtype.kind == "f"):
            float_array(name, array)  # raises
    return _lengths(pattern, tuple(arrays), tuple([array.shape for array in arrays.values()]))


@functools.lru_cache(maxsize=4096)
def _lengths(pattern: str, names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...]) -> Mapping[str, int]:
    """The axis lengths by letter. Kept, because a network asks again with the same shapes at every step."""
    lengths: dict[str, int] = {}
    wanted = _parsed(pattern)
    for name, shape in zip(names, shapes, strict=True):
        written, free, axes = wanted[name]
        bad_rank = len(shape) < len(axes) if free else len(shape) != len(axes)
        if bad_rank:
            raise ShapeError(
                f"{name} has shape {shape}, that is {_axes(len(shape))}; expected "
                f"{'at least ' if free else ''}{_axes(len(axes))}, {name} {written} in {pattern}"
            )
        for letter, length in zip(axes, shape[len(shape) - len(axes) :], strict=True):
            expected = int(letter) if letter.isdigit() else lengths.setdefault(letter, length)
            if length != expected:
                known = ", ".join(f"{k}={v}" for k, v in lengths.items())
                raise ShapeError(
                    f"{name} has shape {shape}, so {letter}={length}, but {letter}={expected} is needed; "
                    f"expected {pattern} with {known}"
                )
            if length == 0:
                raise ShapeError(
                    f"{name} has shape {shape}: axis {letter} is empty; expected {pattern} with at "
                    "least one entry along every named axis"
                )
    return MappingProxyType(lengths)


@functools.cache
def _parsed(pattern: str) -> dict[str, tuple[str, bool, tuple[str, ...]]]:
    """`"x (..., N, D)"` -> {"x": ("(..., N, D)", True, ("N", "D"))}."""
    parsed = {}
    for part in pattern.replace("), ", ")|").split("|"):
        name, written = part.split(" ", 1)
        axes = written.strip("()").replace(" ", "").strip(",").split(",")
        free = axes[0] == "..."
        parsed[name] = (written, free, tuple(axes[1:] if free else axes))
    return parsed


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count} axes"


def same_shape(name: str, value, other: str, reference: np.ndarray) -> None:
    """Refuse `value` unless it is a float array of the shape of `reference`."""
    float_array(name, value)
    if value.shape != reference.shape:
        raise ShapeError(f"{name} has shape {value.shape}, but {other} has shape {reference.shape}; they must agree")


def gradient(dout, out_shape: tuple[int, ...], name: str = "dout") -> None:
    """Refuse an upstream gradient that does not have the shape of the output."""
    float_array(name, dout)
    if dout.shape != tuple(out_shape):
        raise ShapeError(
            f"{name} has shape {dout.shape}, but the forward pass gave an output of shape {tuple(out_shape)}; "
            "the gradient of the loss with respect to an array has that array's shape"
        )


def labels(value, classes: int, batch: tuple[int, ...], name: str = "labels") -> np.ndarray:
    """Class labels: whole numbers in [0, classes), broadcast to the shape `batch`."""
    value = np.asarray(value)
    if value.dtype.kind not in "iu":
        raise LabelError(
            f"{name} is {_a(value)}, but class labels are whole numbers; for one-hot rows use "
            f"{name}.argmax(axis=-1), for floats {name}.astype(np.int64)"
        )
    if value.ndim == 0 or value.ndim > len(batch) or value.shape != batch[len(batch) - value.ndim :]:
        raise ShapeError(f"{name} has shape {value.shape}; expected one label a row, shape {batch}")
    if value.size and (value.min() < 0 or value.max() >= classes):
        bad = int(value.min() if value.min() < 0 else value.max())
        raise LabelError(f"{name} contains {bad}, but with {classes} classes labels run from 0 to {classes - 1}")
    return value if value.shape == batch else np.broadcast_to(value, batch)


def finite(name: str, value) -> None:
    """Refuse an array (or number) that contains NaN or infinity, and say where the first one is."""
    good = np.isfinite(value)
    if not np.all(good):
        array = np.asarray(value)
        where = tuple(int(i) for i in np.argwhere(~good)[0])
        at = f" at index {where}" if array.ndim else ""
        raise NotFiniteError(f"{name} contains {array[where]}{at}; expected finite numbers only")


def number(name: str, value, low=None, high=None, *, open_low=False, open_high=False) -> float:
    """A finite real number in an interval; `open_low` and `open_high` leave the ends out."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.floating)):
        raise DTypeError(f"{name} is {describe(value)}, but must be a number")
    ok = math.isfinite(value)
    ok = ok and (low is None or (value > low if open_low else value >= low))
    ok = ok and (high is None or (value < high if open_high else value <= high))
    if not ok:
        left = f"{'(' if open_low or low is None else '['}{'-inf' if low is None else low}"
        right = f"{'inf' if high is None else high}{')' if open_high or high is None else ']'}"
        raise RangeError(f"{name} is {value!r}, but must be a finite number in {left}, {right}")
    return float(value)


def whole(name: str, value, low: int = 1) -> int:
    """A whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Integral, np.integer)):
        raise DTypeError(f"{name} is {describe(value)}, but must be a whole number")
    if value < low:
        raise RangeError(f"{name} is {value}, but must be at least {low}")
    return int(value)


def choice(name: str, value, options) -> str:
    """One of the named options."""
    if value not in options:
        raise RangeError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, options))}")
    return value


def generator(name: str, value) -> np.random.Generator:
    """A `numpy.random.Generator`; the course never draws from a global one."""
    if not isinstance(value, np.random.Generator):
        raise DTypeError(f"{name} is {describe(value)}, but must be a generator: {name}=np.random.default_rng(0)")
    return value
