"""Attention of the last steps of a sequence to the steps before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _checks
from ..attention import attention_backward, attention_forward
from ..errors import ShapeError
from ..initializers import xavier_uniform
from .base import Layer

__all__ = ["LookBack"]


@dataclass(frozen=True)
class LookBack(Layer):
    r"""The last steps look back at all steps before them, by attention: (..., N, T, D) -> (..., N, count, 2 D).

    $$\text{out}_t = \left[x_t,\; \sum_s \alpha_{ts}\, x_s\right], \qquad
    \alpha_{ts} = \operatorname{softmax}_s \left(\frac{(x_t W_q) \cdot (x_s W_k)}{\sqrt{F}}\right)$$

    for the last `count` steps t, and s over the T - `count` steps before them. After a recurrent layer this is the
    attention of an encoder and a decoder (Bahdanau et al. 2015; the dot product is Luong's, 2015).

    Parameters
    ----------
    count : how many steps at the end ask, and are kept
    inputs : numbers D of a step
    features : numbers F of a query and of a key
    weights : initializer of $W_q$ and $W_k$

    >>> layer = LookBack(2, 6, 4)
    >>> params, _ = layer.init(np.random.default_rng(0))
    >>> {name: p.shape for name, p in params.items()}
    {'wq': (6, 4), 'wk': (6, 4)}
    >>> out, cache, _ = layer.forward(params, {}, np.ones((3, 7, 6), np.float32), training=True)
    >>> out.shape, layer.alignment(cache).shape
    ((3, 2, 12), (3, 2, 5))
    """

    count: int
    inputs: int
    features: int
    weights: Callable = xavier_uniform

    def __post_init__(self):
        for name in ("count", "inputs", "features"):
            _checks.whole(name, getattr(self, name))

    def init(self, rng, *, dtype=np.float32):
        """The two matrices from the initializer."""
        shape = self.inputs, self.features
        return {name: self.weights(rng, shape, dtype=dtype) for name in ("wq", "wk")}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """(..., N, T, D) -> (..., N, count, 2 D)."""
        steps = _checks.shape("x (..., N, T, D)", x=x)["T"]
        if self.count >= steps:
            raise ShapeError(f"x has T={steps} steps, of which the last {self.count} cannot look back at others")
        asks, read = x[..., steps - self.count :, :], x[..., : steps - self.count, :]
        q, k = (a @ params[name][..., None, :, :] for a, name in ((asks, "wq"), (read, "wk")))
        seen, cache = attention_forward(q, k, read)
        return np.concatenate([asks, seen], axis=-1), (cache, params["wq"], params["wk"], asks, read), state

    def alignment(self, cache) -> np.ndarray:
        r"""The weights $\alpha$ of a forward pass, (..., N, count, T - count): where each step looked."""
        return cache[0][0]

    def backward(self, dout, cache):
        """(..., N, count, 2 D) -> (..., N, T, D)."""
        cache, wq, wk, asks, read = cache
        _checks.gradient(dout, (*asks.shape[:-1], 2 * self.inputs))
        dasks, dseen = dout[..., : self.inputs], dout[..., self.inputs :]
        dq, dk, dread = attention_backward(dseen, cache)
        grads = {name: (np.swapaxes(a, -1, -2) @ d).sum(axis=-3) for name, a, d in (("wq", asks, dq), ("wk", read, dk))}
        dasks = dasks + dq @ np.swapaxes(wq, -1, -2)[..., None, :, :]
        dread = dread + dk @ np.swapaxes(wk, -1, -2)[..., None, :, :]
        return np.concatenate([dread, dasks], axis=-2), grads
