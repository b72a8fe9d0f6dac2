"""The gradients of a dense layer whose input needs none: the first layer of a network saves a product."""

from __future__ import annotations

import numpy as np

from .._half import in_float32
from .._runs import sum_to
from .products import matmul

__all__ = ["affine_backward_params"]


@in_float32
def affine_backward_params(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    """`dense.affine_backward` without dx: (dw, db)."""
    x, w, b = cache
    dw = matmul(x.swapaxes(-1, -2), dout)
    db = dout.sum(axis=-2, keepdims=True)
    return sum_to(dw, w.shape), sum_to(db, b.shape)
