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
from .errors import DTypeError, ShapeError

__all__ = ["GradientReport", "gradient_check", "numerical_gradient"]


def numerical_gradient(f: Callable, x: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    r"""Central-difference gradient of a scalar function, one entry of x after the other.

    $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2 \varepsilon}$$

    Parameters
    ----------
    f : function of one array that returns one number
    x : array of float64, any shape; not changed
    eps : step size

    Returns
    -------
    array of the shape of x

    Raises
    ------
    DTypeError
        If x is not float64.
    ShapeError
        If f returns more than one number.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -2.0, 3.0])).round(6)
    array([ 2., -4.,  6.])
    """
    _checks.float_array("x", x)
    if x.dtype != np.float64:
        raise DTypeError(f"x is {x.dtype}, in which rounding drowns the difference; use x.astype(np.float64)")
    eps = _checks.number("eps", eps, 0, open_low=True)
    x = x.copy()
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = _scalar(f(x))
        x[i] = old - eps
        below = _scalar(f(x))
        x[i] = old
        gradient[i] = (above - below) / (2 * eps)
    return gradient


def _scalar(value):
    if np.size(value) != 1:
        raise ShapeError(
            f"f returned an array of shape {np.shape(value)}, but must return one number, for example "
            "(out * dout).sum() with a random upstream gradient dout"
        )
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

    @property
    def passed(self) -> bool:
        """Whether the relative error is within the tolerance."""
        return self.error <= self.tolerance

    def __bool__(self):
        return self.passed

    def __str__(self):
        verdict = "agrees" if self.passed else "DISAGREES"
        return (
            f"{self.name} {verdict}: largest relative error {self.error:.1e} (tolerance {self.tolerance:.0e}) "
            f"at {list(self.index)}, yours {self.analytic:.8g}, measured {self.numerical:.8g}"
        )

    __repr__ = __str__


def gradient_check(
    f: Callable, x: np.ndarray, gradient: np.ndarray, *, eps: float = 1e-5, tolerance: float = 1e-6, name="gradient"
) -> GradientReport:
    r"""Compare `gradient` with the central difference of the scalar function f at x.

    The error of an entry is $|a - n| / \max(|a|, |n|, s)$, where the scale $s$ is a thousandth of the largest entry:
    entries that are nearly zero count relative to the rest, not to themselves.

    Parameters
    ----------
    f : function of one array that returns one number
    x : array of float64 at which to check
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
    _checks.same_shape("gradient", gradient, "x", x)
    _checks.finite("gradient", gradient)
    tolerance = _checks.number("tolerance", tolerance, 0, open_low=True)
    measured = numerical_gradient(f, x, eps)
    _checks.finite("the measured gradient of f", measured)
    scale = max(np.abs(gradient).max(), np.abs(measured).max()) * 1e-3
    size = np.maximum(np.maximum(np.abs(gradient), np.abs(measured)), max(scale, np.finfo(float).tiny))
    errors = np.abs(gradient - measured) / size
    worst = tuple(int(i) for i in np.unravel_index(errors.argmax(), errors.shape))
    return GradientReport(name, float(errors[worst]), tolerance, worst, float(gradient[worst]), float(measured[worst]))
