"""Chapter 14: one recurrent unit that keeps what it was given, or forgets it."""

from __future__ import annotations

import numpy as np


def latch(weight: float, starts=(-0.9, -0.4, 0.4, 0.9), steps: int = 40, noise: float = 0.1, seed: int = 0) -> dict:
    r"""$h_t = \tanh(w h_{t-1} + x_t)$ from several starts, with small random inputs that are the same for all.

    Returns
    -------
    weight : w
    paths : (starts, steps + 1) the state, the start included
    slope : $w (1 - h^2)$ at the end of each path: the factor of the gradient for one step back

    >>> latch(2.0)["paths"][:, -1].round()
    array([-1., -1.,  1.,  1.])
    """
    inputs = np.random.default_rng(seed).normal(0.0, noise, steps)
    paths = [np.array(starts, dtype=float)]
    for x in inputs:
        paths.append(np.tanh(weight * paths[-1] + x))
    paths = np.array(paths).T
    return {"weight": weight, "paths": paths, "slope": weight * (1 - paths[:, -1] ** 2)}
