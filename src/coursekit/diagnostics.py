"""Look inside a network while it trains."""

from __future__ import annotations

import numpy as np

from . import _checks

__all__ = ["activation_stats"]


def activation_stats(model, params: dict, state: dict, x: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean, standard deviation and share of exact zeros of every layer's output, in eval mode.

    Returns `{layer name: {"mean", "std", "zeros"}}` in the order of the layers.

    >>> from coursekit.layers import Dense, ReLU
    >>> from coursekit.model import Sequential
    >>> rng = np.random.default_rng(0)
    >>> net = Sequential([Dense(100, 100), ReLU()])
    >>> stats = activation_stats(net, *net.init(rng), rng.standard_normal((500, 100)))
    >>> {name: round(row["zeros"], 1) for name, row in stats.items()}
    {'dense_0': 0.0, 'relu_1': 0.5}
    """
    _checks.float_array("x", x)
    outputs = model.activations(params, state, x)
    return {
        name: {"mean": float(out.mean()), "std": float(out.std()), "zeros": float((out == 0).mean())}
        for name, out in outputs.items()
    }
