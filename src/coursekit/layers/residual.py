"""Residual blocks: a way past a part of the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _checks
from ..errors import DTypeError, ShapeError
from .base import Layer

__all__ = ["Residual"]


@dataclass(frozen=True)
class Residual(Layer):
    r"""A residual block (He et al. 2016): what a part of the network makes of x is added to x itself.

    $$\text{out} = x + f(x), \qquad dx = d\text{out} + f'(x)^\top\, d\text{out}$$

    The first term of dx is the way back past the block: through it the gradient arrives undiminished, whatever the
    weights of $f$. Where $f$ changes the shape, a `shortcut` $g$ brings x to it: $\text{out} = g(x) + f(x)$.

    Parameters
    ----------
    block : the layer $f$, mostly a `Sequential`
    shortcut : a layer $g$, such as a 1 x 1 convolution with a stride; None hands x on as it is

    Raises
    ------
    DTypeError
        If block or shortcut is no layer.
    ShapeError
        In the forward pass, if the two parts do not have the same shape.

    >>> from coursekit.layers import BatchNorm2d, Conv2d
    >>> from coursekit.model import Sequential
    >>> layer = Residual(Sequential([Conv2d(4, 4, 3, padding=1), BatchNorm2d(4)]))
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> list(params), list(params["block"])
    (['block'], ['conv2d_0', 'batchnorm2d_1'])
    >>> layer.forward(params, state, np.ones((2, 4, 6, 6), np.float32), training=True)[0].shape
    (2, 4, 6, 6)
    """

    block: Layer
    shortcut: Layer | None = None

    def __post_init__(self):
        for name, layer in (("block", self.block), ("shortcut", self.shortcut)):
            if not isinstance(layer, Layer) and not (name == "shortcut" and layer is None):
                raise DTypeError(
                    f"{name} is {_checks.describe(layer)}, but must be a layer: Residual(Sequential([...]))"
                )

    @property
    def _parts(self):
        return {"block": self.block} | ({"shortcut": self.shortcut} if self.shortcut else {})

    def init(self, rng, *, dtype=np.float32):
        """Draw the params of the block, then those of the shortcut."""
        drawn = {name: layer.init(rng, dtype=dtype) for name, layer in self._parts.items()}
        return {n: p for n, (p, _) in drawn.items() if p}, {n: s for n, (_, s) in drawn.items() if s}

    def forward(self, params, state, x, *, training, rng=None):
        """x -> g(x) + f(x)."""
        outs, caches, new_state = {}, {}, dict(state)
        for name, layer in self._parts.items():
            outs[name], caches[name], part = layer.forward(
                params.get(name, {}), state.get(name, {}), x, training=training, rng=rng
            )
            if part:
                new_state[name] = part
        past, out = outs.get("shortcut", x), outs["block"]
        if past.shape != out.shape:
            remedy = "its shortcut must do the same" if self.shortcut else "give it a shortcut that does the same"
            raise ShapeError(f"the block of a Residual made {out.shape} of {x.shape}; {remedy}, not {past.shape}")
        return past + out, caches, new_state

    def backward(self, dout, cache):
        """The gradient of both ways, added up."""
        dx, grads = self.block.backward(dout, cache["block"])
        if self.shortcut is None:
            return dx + dout, {"block": grads} if grads else {}
        dpast, past = self.shortcut.backward(dout, cache["shortcut"])
        both = {"block": grads, "shortcut": past}
        return dx + dpast, {name: g for name, g in both.items() if g}
