"""The Euclidean norm of numbers of any size."""

from __future__ import annotations

import numpy as np


def euclidean(x: np.ndarray, axes: tuple[int, ...], *, keepdims: bool = False) -> np.ndarray:
    """Square root of the sum of squares along some axes, float64.

    The plain sum where it is neither lost nor too large, else in units of the largest entry: the square of 1e200 is no
    float64, that of 1e-200 is 0.

    >>> print(f"{euclidean(np.array([3e200, 4e200]), (0,)):.3g}")
    5e+200
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.square(x, dtype=np.float64).sum(axis=axes, keepdims=keepdims)
    if x.size == 0 or (np.isfinite(total) & (total > 1e-280)).all():
        return np.sqrt(total)
    unit = np.abs(x).max(axis=axes, keepdims=True).astype(np.float64)
    unit[(unit == 0) | ~np.isfinite(unit)] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.square(x / unit).sum(axis=axes, keepdims=keepdims)
        return np.sqrt(total) * unit.reshape(np.shape(total))
