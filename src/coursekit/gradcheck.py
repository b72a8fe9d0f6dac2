r"""Gradient checking: compare a derivative that was worked out by hand with one that was measured.

The central difference is $f'(x) \approx \frac{f(x + \varepsilon) - f(x - \varepsilon)}{2 \varepsilon}$, wrong by about
$\varepsilon^2$ (the curve bends) plus $10^{-16} / \varepsilon$ (float64 rounds). Both are small near
$\varepsilon = 10^{-5}$. In float32 the best step leaves an error a million times larger, in which a wrong gradient can
hide, so float64 is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import _checks
from .errors import CourseError, DTypeError, ShapeError

__all__ = ["GradientReport", "gradient_check", "numerical_gradient"]


def numerical_gradient(f: Callable, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    r"""Central-difference gradient of a scalar function, one entry of x after the other.

    $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2 \varepsilon}$$

    Parameters
    ----------
    f : function of one array that returns one number
    x : array of numbers, any shape; not changed. f is given it as float64: in float32 rounding drowns the difference
    eps : step size

    Returns
    -------
    array of float64 of the shape of x

    Raises
    ------
    ShapeError
        If f returns more than one number.
    DTypeError
        If f returns something else than a number, None for example.
    CourseError
        If f gives different values for the same x, or changes x.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -2.0, 3.0])).round(6)
    array([ 2., -4.,  6.])
    """
    x = _as_float64(x)
    eps = _checks.number("eps", eps, 0, open_low=True)
    _steady(f, x)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        above, below = _beside(f, x, i, eps)
        gradient[i] = (above - below) / (2 * eps)
    return gradient


def _as_float64(x):
    """A copy in float64 of an array of numbers."""
    if isinstance(x, np.ndarray) and x.dtype.kind in "iub":
        return x.astype(np.float64)
    return _checks.float_array("x", x).astype(np.float64)


def _beside(f, x, i, eps):
    """f with entry i of x moved up and down by eps."""
    old = x[i]
    x[i] = old + eps
    above = _scalar(f(x))
    x[i] = old - eps
    below = _scalar(f(x))
    x[i] = old
    return above, below


def _steady(f, x):
    """f(x), if f gives it twice and leaves x alone."""
    before = x.copy()
    first, second = _scalar(f(x)), _scalar(f(x))
    if not np.array_equal(x, before, equal_nan=True):
        raise CourseError("f changes the x that it is given; let it work on a copy, x.copy()")
    if first != second and not (np.isnan(first) and np.isnan(second)):
        raise CourseError(
            f"f gives different values for the same x, {first:.8g} and {second:.8g}: does it draw random numbers? "
            "Make its generator inside f: rng = np.random.default_rng(0)"
        )
    return first


def _scalar(value):
    if value is None:
        raise DTypeError("f returned None, but must return one number: a return is missing")
    if np.size(value) != 1:
        raise ShapeError(
            f"f returned an array of shape {np.shape(value)}, but must return one number, for example "
            "(out * dout).sum() with a random upstream gradient dout"
        )
    if np.asarray(value).dtype.kind not in "iubf":
        raise DTypeError(f"f returned {_checks.describe(value)}, but must return one real number")
    return np.asarray(value, dtype=np.float64).reshape(())[()]


@dataclass(frozen=True)
class GradientReport:
    """What `gradient_check` found. It is true if the gradients agree, and reads as a sentence."""

    name: str
    error: float
    tolerance: float
    index: tuple[int, ...]
    analytic: float
    numerical: float
    floor: float = 0.0
    slopes: tuple[float, float] | None = None

    @property
    def passed(self) -> bool:
        """Whether the relative error is within the tolerance."""
        return self.error <= self.tolerance

    def __bool__(self):
        return self.passed

    def __str__(self):
        verdict = "agrees" if self.passed else "DISAGREES"
        text = (
            f"{self.name} {verdict}: largest relative error {self.error:.1e} (tolerance {self.tolerance:.0e}) "
            f"at {list(self.index)}, yours {self.analytic:.8g}, measured {self.numerical:.8g}"
        )
        if self.slopes is not None:
            left, right = self.slopes
            text += (
                f". x lies on a kink there: the slope is {left:.4g} to the left and {right:.4g} to the right; check at "
                "another x"
            )
        return text

    __repr__ = __str__


def gradient_check(
    f: Callable, x: np.ndarray, gradient: np.ndarray, *, eps: float = 1e-5, tolerance: float = 1e-6, name="gradient"
) -> GradientReport:
    r"""Compare `gradient` with the central difference of the scalar function f at x.

    The error of an entry is $|a - n| / \max(|a|, |n|, s)$, where the scale $s$ is a thousandth of the largest entry:
    entries that are nearly zero count relative to the rest, not to themselves. A difference below the noise floor,
    $4 \cdot 2^{-52} |f(x)| / \varepsilon$, is rounding and counts as none.

    Parameters
    ----------
    f : function of one array that returns one number
    x : array of numbers at which to check; f is given it as float64
    gradient : what you worked out, of the shape of x
    eps, tolerance : step of the difference, largest relative error that passes
    name : how the report calls the gradient

    Returns
    -------
    GradientReport : true if all entries agree; prints the worst one

    >>> x = np.array([1.0, 2.0, 3.0])
    >>> gradient_check(lambda x: (x**3).sum(), x, 3 * x**2)             # doctest: +ELLIPSIS
    gradient agrees: largest relative error ... (tolerance 1e-06) at [...], yours ..., measured ...
    >>> bool(gradient_check(lambda x: (x**3).sum(), x, x**2))
    False
    """
    x = _as_float64(x)
    gradient = np.asarray(gradient, dtype=np.float64) if isinstance(gradient, np.ndarray) else gradient
    _checks.same_shape("gradient", gradient, "x", x)
    _checks.finite("gradient", gradient)
    tolerance = _checks.number("tolerance", tolerance, 0, open_low=True)
    measured = numerical_gradient(f, x, eps)
    _checks.finite("the measured gradient of f", measured)
    value = _scalar(f(x))
    floor = 4 * np.finfo(np.float64).eps * abs(value) / eps
    scale = max(np.abs(gradient).max(), np.abs(measured).max()) * 1e-3
    size = np.maximum(np.maximum(np.abs(gradient), np.abs(measured)), max(scale, np.finfo(float).tiny))
    errors = np.maximum(np.abs(gradient - measured) - floor, 0) / size
    worst = tuple(int(i) for i in np.unravel_index(errors.argmax(), errors.shape))
    slopes = None if errors[worst] <= tolerance else _kink(f, x, worst, eps, value, floor)
    return GradientReport(
        name, float(errors[worst]), tolerance, worst, float(gradient[worst]), float(measured[worst]), floor, slopes
    )


def _kink(f, x, i, eps, value, floor):
    """(slope to the left, slope to the right) of entry i where they differ at every step, else None.

    A curve that bends has slopes that come together as the step shrinks; those of a kink do not.
    """
    gaps = []
    for step in (eps, eps / 100):
        above, below = _beside(f, x, i, step)
        left, right = (value - below) / step, (above - value) / step
        gaps.append(abs(right - left))
    # At the smaller step rounding shows a hundred times as much: that of f on both sides, and that of x + step itself.
    noise = 200 * floor + 4 * np.finfo(np.float64).eps * abs(x[i]) * max(abs(left), abs(right)) / step
    return (float(left), float(right)) if gaps[1] > max(0.5 * gaps[0], noise) else None
