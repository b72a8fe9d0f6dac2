r"""The dense (fully connected, affine) layer's mathematics: $\text{out} = x W + b$."""

from __future__ import annotations

import numpy as np

from . import _checks
from ._half import forward_in_float32, in_float32
from ._runs import sum_to
from .errors import ShapeError
from .fast.products import matmul

__all__ = ["affine_backward", "affine_forward"]


@forward_in_float32
def affine_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, tuple]:
    r"""Affine map of each row, $\text{out}_{nm} = \sum_d x_{nd} W_{dm} + b_m$.

    W is (D, M), rows in, columns out, as in the formula; `torch.nn.Linear` keeps the transpose.

    Parameters
    ----------
    x : (..., N, D) inputs; axes in front of the batch axis N are run axes
    w : (..., D, M) weights
    b : (M,) bias; with run axes (..., 1, M)

    Returns
    -------
    out : (..., N, M)
    cache : for `affine_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> x, w, b = np.ones((4, 3)), np.ones((3, 2)), np.zeros(2)
    >>> out, cache = affine_forward(x, w, b)
    >>> out.shape
    (4, 2)
    >>> runs = affine_forward(x, np.ones((7, 3, 2)), np.zeros((7, 1, 2)))[0]     # 7 networks at once
    >>> runs.shape
    (7, 4, 2)
    """
    _checks.shape("x (..., N, D), w (..., D, M), b (..., M)", x=x, w=w, b=b)
    if b.ndim > 1 and b.shape[-2] != 1:
        raise ShapeError(f"b has shape {b.shape}; with run axes a bias is (..., 1, M): one row for the whole batch")
    return matmul(x, w) + b, (x, w, b)


@in_float32
def affine_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of the affine map.

    $$dx = d\text{out}\, W^\top, \qquad dW = x^\top d\text{out}, \qquad db = \textstyle\sum_n d\text{out}_n$$

    Parameters
    ----------
    dout : (..., N, M) gradient of the loss with respect to out
    cache : what `affine_forward` gave

    Returns
    -------
    dx, dw, db : each of the shape of x, w, b; what was shared between runs gets the sum over the runs

    >>> out, cache = affine_forward(np.ones((4, 3)), np.ones((3, 2)), np.zeros(2))
    >>> [g.shape for g in affine_backward(np.ones((4, 2)), cache)]
    [(4, 3), (3, 2), (2,)]
    """
    x, w, b = cache
    runs = x.shape[:-2]
    if not runs == w.shape[:-2] == b.shape[:-2]:
        runs = np.broadcast_shapes(runs, w.shape[:-2], b.shape[:-2])
    _checks.gradient(dout, (*runs, x.shape[-2], w.shape[-1]))
    dx = matmul(dout, w.swapaxes(-1, -2))
    dw = matmul(x.swapaxes(-1, -2), dout)
    db = dout.sum(axis=-2, keepdims=True)
    return sum_to(dx, x.shape), sum_to(dw, w.shape), sum_to(db, b.shape)
