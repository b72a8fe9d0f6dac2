"""The rules of four optimizers with their results written into the arrays given: fewer passes, no new arrays.

`Optimizer.update(..., inplace=True)` runs them, so `train` does; an ordinary update runs the method `step` that the
chapter shows. Each is tested equal to its `step`, up to the rounding of a different order of factors.
"""

from __future__ import annotations

import numpy as np

__all__ = ["adam", "adamw", "momentum", "sgd"]


def sgd(rule, w, g, lr, t):
    """`optimizers.sgd.step`."""
    w -= lr * g


def momentum(rule, w, g, lr, t, v):
    """`optimizers.momentum.step`."""
    v *= rule.decay
    v += g
    w -= lr * v


def adam(rule, w, g, lr, t, m, v):
    """`optimizers.adam.step`; the corrections of the bias are plain numbers, so they join the rate and the root."""
    m *= rule.beta1
    m += (1 - rule.beta1) * g
    v *= rule.beta2
    u = np.square(g, out=np.empty_like(w))
    u *= 1 - rule.beta2
    v += u
    np.sqrt(v, out=u)
    u *= (1 - rule.beta2**t) ** -0.5
    u += rule.eps
    np.divide(m, u, out=u)
    u *= lr / (1 - rule.beta1**t)
    w -= u


def adamw(rule, w, g, lr, t, m, v):
    """`optimizers.adamw.step`."""
    w *= 1 - lr * rule.weight_decay
    adam(rule, w, g, lr, t, m, v)
