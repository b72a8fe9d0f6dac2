r"""Curvature of a loss without its matrix: products with the Hessian, and the largest curvature, the *sharpness*.

The Hessian H of D parameters has D² entries. Its product with one vector needs two gradients only, because it is the
change of the gradient along that vector:

$$H v \approx \frac{g(w + h v) - g(w - h v)}{2 h}$$
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import _checks
from .errors import NotFiniteError

__all__ = ["hessian_vector", "sharpness"]


def hessian_vector(gradient: Callable, w: np.ndarray, v: np.ndarray, h: float = 1e-4) -> np.ndarray:
    r"""$H v$ by a central difference of gradients, along v at length h.

    Parameters
    ----------
    gradient : w -> the gradient of the loss, of the same shape
    w, v : (D,) float64; a float32 gradient is too coarse for so small an h
    h : length of the step, > 0; the error falls as h², until rounding takes over

    >>> hessian_vector(lambda w: np.array([2.0, 10.0]) * w, np.array([1.0, 1.0]), np.array([0.0, 3.0])).round(6)
    array([ 0., 30.])
    """
    _checks.same_shape("v", v, "w", w)
    _checks.number("h", h, 0, open_low=True)
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros_like(v)
    step = v * (h / length)
    return (gradient(w + step) - gradient(w - step)) * (length / (2 * h))


def sharpness(
    gradient: Callable, w: np.ndarray, rng: np.random.Generator, *, steps: int = 30, start: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    r"""The curvature that is largest in size, and its direction, by power iteration.

    $$v \leftarrow \frac{H v}{\lVert H v \rVert}, \qquad \lambda = v^\top H v$$

    Each step multiplies the part along an eigenvector by its eigenvalue, so that along the largest wins.

    Parameters
    ----------
    gradient, w : as for `hessian_vector`
    rng : draws the first direction
    steps : of the iteration; more where two curvatures are nearly alike
    start : (D,) a direction to start from, such as the last one that was found

    Returns
    -------
    lambda, v : the curvature, with its sign, and the direction (D,) of length 1

    >>> found, v = sharpness(lambda w: np.array([2.0, 10.0]) * w, np.ones(2), np.random.default_rng(0))
    >>> round(found, 6), np.abs(v).round(6)
    (10.0, array([0., 1.]))
    """
    _checks.float_array("w", w)
    v = _checks.generator("rng", rng).standard_normal(w.shape) if start is None else start
    v = v / np.linalg.norm(v)
    found = 0.0
    for _ in range(_checks.whole("steps", steps)):
        hv = hessian_vector(gradient, w, v)
        found, length = float(v @ hv), np.linalg.norm(hv)
        if not np.isfinite(length):
            raise NotFiniteError(
                "the gradient is not finite near w, so it has no curvature there: has training diverged?"
            )
        if length == 0:
            break
        v = hv / length
    return found, v
