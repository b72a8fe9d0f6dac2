"""The base of all layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Layer"]


@dataclass(frozen=True)
class Layer:
    """What all layers share: without own methods, a layer without params and state."""

    def init(self, rng: np.random.Generator, *, dtype=np.float32) -> tuple[dict, dict]:
        """Draw the first params; returns (params, state)."""
        return {}, {}

    def forward(self, params: dict, state: dict, x: np.ndarray, *, training: bool, rng=None) -> tuple:
        """Returns (out, cache, state)."""
        raise NotImplementedError

    def backward(self, dout: np.ndarray, cache) -> tuple[np.ndarray, dict]:
        """Returns (dx, grads)."""
        raise NotImplementedError

    def backward_first(self, dout: np.ndarray, cache) -> dict:
        """The grads alone. For a network's first layer, whose dx nobody needs, this can save a matrix product."""
        return self.backward(dout, cache)[1]
