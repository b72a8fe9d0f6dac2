r"""Attention: each query takes a weighted mean of values, with weights from how well it fits their keys.

$$\text{attention}(Q, K, V) = \operatorname{softmax}\left(\frac{Q K^\top}{\sqrt{D}}\right) V$$

Unlike the state of a recurrent network, which has to carry what was read, attention looks it up where it stands.
"""

from __future__ import annotations

import numpy as np

from . import _checks
from ._half import forward_in_float32, in_float32
from .activations import softmax
from .errors import ShapeError

__all__ = ["attention_backward", "attention_forward"]


@forward_in_float32
def attention_forward(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, tuple]:
    r"""Scaled dot-product attention (Vaswani et al. 2017).

    $$\alpha_{qs} = \operatorname{softmax}_s \left(\frac{q_q \cdot k_s}{\sqrt{D}}\right), \qquad
    \text{out}_q = \sum_s \alpha_{qs}\, v_s$$

    The square root keeps the scores at unit size when the entries of q and k have it, so that the softmax is not
    saturated at the start. The same as `torch.nn.functional.scaled_dot_product_attention`.

    Parameters
    ----------
    q : (..., Q, D) float, a query in each row
    k : (..., S, D) a key for each of the S places that can be looked at
    v : (..., S, M) what stands there

    Returns
    -------
    out : (..., Q, M)
    cache : for `attention_backward`; its first entry are the weights (..., Q, S), whose rows add up to 1

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or something is not an array of floats.

    >>> keys = 50 * np.eye(3)  # three places that differ as much as can be
    >>> out, cache = attention_forward(keys[[2, 0]], keys, np.array([[10.0], [20.0], [30.0]]))
    >>> out.ravel(), cache[0].argmax(axis=-1)
    (array([30., 10.]), array([2, 0]))
    """
    _fit_together(q, k, v)
    weights = softmax(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.dtype.type(q.shape[-1])))
    return weights @ v, (weights, q, k, v)


def _fit_together(q, k, v):
    for name, array in (("q", q), ("k", k), ("v", v)):
        _checks.float_array(name, array)
    if q.ndim < 2 or k.ndim < 2 or v.ndim < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(
            f"q, k and v have shapes {q.shape}, {k.shape} and {v.shape}; expected (..., Q, D), (..., S, D) and "
            "(..., S, M): queries as wide as keys, and a value for each key"
        )


@in_float32
def attention_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of `attention_forward`: dq, dk, dv.

    With $s$ for the scores before the softmax,

    $$dV = \alpha^\top d\text{out}, \qquad d\alpha = d\text{out}\, V^\top, \qquad
    ds_{qj} = \alpha_{qj} \left(d\alpha_{qj} - \sum_i \alpha_{qi}\, d\alpha_{qi}\right),$$
    $$dQ = ds\, K / \sqrt{D}, \qquad dK = ds^\top Q / \sqrt{D}.$$

    >>> q, k, v = np.ones((2, 4, 3)), np.ones((2, 5, 3)), np.ones((2, 5, 6))
    >>> out, cache = attention_forward(q, k, v)
    >>> [g.shape for g in attention_backward(np.ones(out.shape), cache)]
    [(2, 4, 3), (2, 5, 3), (2, 5, 6)]
    """
    weights, q, k, v = cache
    _checks.gradient(dout, (*weights.shape[:-1], v.shape[-1]))
    dv = np.swapaxes(weights, -1, -2) @ dout
    dweights = dout @ np.swapaxes(v, -1, -2)
    dscores = weights * (dweights - (weights * dweights).sum(axis=-1, keepdims=True))
    dscores = dscores / np.sqrt(q.dtype.type(q.shape[-1]))
    return dscores @ k, np.swapaxes(dscores, -1, -2) @ q, dv
