"""Products of matrices: one place decides how they are made on this machine."""

from __future__ import annotations

import sys
from math import prod

import numpy as np

# Without BLAS a matrix product of NumPy is slow, and the same sum written as einsum is not.
HAS_BLAS = sys.platform != "emscripten"

if sys.platform == "emscripten":
    from .kernel import install

    HAS_BLAS = install()  # what stands in for BLAS in the browser


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The product of two matrices, or of stacks (..., n, m) of them, by the faster way on this machine."""
    if HAS_BLAS:
        return np.matmul(a, b, out=out)
    runs = prod(b.shape[:-2])
    if a.ndim == 2 and runs > 1 and out is None:  # what all runs share, times the weights of each
        return _times_each(a, b)
    if runs > 1 or prod(a.shape[:-2]) > 1:  # of many small ones NumPy's own loop is faster
        return np.matmul(a, b, out=out)
    return np.einsum("...ij,...jk->...ik", a, b, out=out)


def _times_each(a, b):
    """The products of a (n, d) with each matrix of b (..., d, m): one product with all of them side by side."""
    *runs, d, m = b.shape
    side_by_side = np.moveaxis(b, -2, 0).reshape(d, -1)
    products = np.einsum("ij,jk->ik", a, side_by_side).reshape(len(a), *runs, m)
    return np.ascontiguousarray(np.moveaxis(products, 0, -2))


def row_dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of each row of a (C, M) with the same row of b, (C,), by the faster way on this machine."""
    if HAS_BLAS:
        return np.matmul(a[:, None, :], b[:, :, None])[:, 0, 0]
    return np.einsum("cm,cm->c", a, b)
