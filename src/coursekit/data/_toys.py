"""Points in the plane, drawn from a generator: data that a figure can show whole."""

from __future__ import annotations

import math

import numpy as np

from .. import _checks


def spirals(
    rng: np.random.Generator, n: int = 100, *, classes: int = 3, turns: float = 0.75, noise: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    r"""Interleaved spirals, one a class: no straight line separates them.

    Point $i$ of class $k$ lies at radius $r_i = i/(n-1)$ and angle $2\pi (t\,r_i + k/K)$ plus normal noise, with $t$
    turns and $K$ classes.

    Parameters
    ----------
    rng : generator
    n : points in each class, at least 2
    classes : number of spirals K
    turns : how often each winds around the centre
    noise : standard deviation of the angle, in radians

    Returns
    -------
    x : (classes * n, 2) float32, within the unit circle, sorted by class
    y : (classes * n,) int64

    >>> x, y = spirals(np.random.default_rng(0), n=50)
    >>> x.shape, x.dtype, np.bincount(y)
    ((150, 2), dtype('float32'), array([50, 50, 50]))
    """
    rng = _checks.generator("rng", rng)
    n, classes = _checks.whole("n", n, 2), _checks.whole("classes", classes, 1)
    turns, noise = _checks.number("turns", turns), _checks.number("noise", noise, 0)
    y = np.repeat(np.arange(classes, dtype=np.int64), n)
    r = np.tile(np.linspace(0, 1, n), classes)
    angle = 2 * math.pi * (turns * r + y / classes) + noise * rng.standard_normal(len(y))
    return (r[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32), y


def moons(rng: np.random.Generator, n: int = 100, *, noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    r"""Two interleaved half circles, one a class.

    The first is $(\cos\theta, \sin\theta)$, the second $(1 - \cos\theta, \tfrac12 - \sin\theta)$, $\theta$ from 0 to
    $\pi$, plus normal noise; the same curves as scikit-learn's `make_moons`.

    Parameters
    ----------
    rng : generator
    n : points in each class, at least 2
    noise : standard deviation of both coordinates

    Returns
    -------
    x : (2 n, 2) float32, sorted by class
    y : (2 n,) int64, 0 or 1

    >>> x, y = moons(np.random.default_rng(0), n=50)
    >>> x.shape, y[0], y[-1]
    ((100, 2), np.int64(0), np.int64(1))
    """
    rng = _checks.generator("rng", rng)
    n, noise = _checks.whole("n", n, 2), _checks.number("noise", noise, 0)
    theta = np.linspace(0, math.pi, n)
    upper = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    lower = np.stack([1 - np.cos(theta), 0.5 - np.sin(theta)], axis=1)
    x = np.concatenate([upper, lower])
    x += noise * rng.standard_normal(x.shape)
    return x.astype(np.float32), np.repeat(np.arange(2, dtype=np.int64), n)
