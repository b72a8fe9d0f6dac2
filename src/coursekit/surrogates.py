r"""Searches that learn from their trials: a model of the score, and what to try next.

| function | what it does | source |
|---|---|---|
| `gaussian_process` | mean and spread of the score where nothing was tried | Rasmussen and Williams 2006 |
| `expected_improvement` | how much better than the best a trial there would be, on average | Jones et al. 1998 |
| `parzen` | a density of the trials: a bump on each | Parzen 1962 |
| `tpe_ratio` | density of the good trials over that of the others | Bergstra et al. 2011 |
| `hyperband` | brackets of successive halving, from many short trials to few long ones | Li et al. 2018 |
| `promotion` | ASHA: which trial may go on, without waiting for the others | Li et al. 2020 |

For one setting, to see them work; for a search use `coursekit.search.optuna_search`. Settings are on the scale on which
they act, such as the logarithm of a rate, and small scores are good.
"""

from __future__ import annotations

import math

import numpy as np

from . import _checks
from .errors import RangeError, ShapeError

__all__ = ["expected_improvement", "gaussian_process", "hyperband", "parzen", "promotion", "tpe_ratio"]


def gaussian_process(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, *, length: float, spread: float = 1.0, noise: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    r"""Mean and standard deviation of a Gaussian process at new settings, after n trials.

    $$k(a, b) = s^2 e^{-(a - b)^2 / 2\ell^2}, \qquad
    \mu_* = \bar y + k_*^\top (K + \sigma^2 I)^{-1} (y - \bar y), \qquad
    \sigma_*^2 = s^2 - k_*^\top (K + \sigma^2 I)^{-1} k_*$$

    Scores at settings that are close are alike: their correlation falls with the distance over $\ell$. Near a trial the
    mean goes through its score and the spread is small; far from all trials the mean is theirs and the spread is s.

    Parameters
    ----------
    x, y : (n,) settings and scores
    at : (m,) settings at which to predict
    length : $\ell$, how far apart settings are that still say something about each other
    spread : $s$, standard deviation of the score over all settings
    noise : $\sigma$, standard deviation of a score if the same setting is tried again

    >>> mean, std = gaussian_process(np.array([0.0, 2.0]), np.array([1.0, 3.0]), np.array([0.0, 1.0, 9.0]), length=1.0)
    >>> mean.round(2), std.round(2)
    (array([1., 2., 2.]), array([0.  , 0.59, 1.  ]))
    """
    _checks.same_shape("y", y, "x", x)
    for name, value in {"length": length, "spread": spread, "noise": noise}.items():
        _checks.number(name, value, 0, open_low=True)

    def kernel(a, b):
        return spread**2 * np.exp(-((a[:, None] - b) ** 2) / (2 * length**2))

    between = kernel(at, x)
    known = kernel(x, x) + noise**2 * np.eye(len(x))
    mean = y.mean() + between @ np.linalg.solve(known, y - y.mean())
    variance = spread**2 - (between * np.linalg.solve(known, between.T).T).sum(axis=1)
    return mean, np.sqrt(np.maximum(variance, 0.0))


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    r"""By how much a normal score is below the best so far, on average, where above counts as 0.

    $$\mathbb E \max(0,\, b - y) = (b - \mu)\, \Phi(z) + \sigma\, \varphi(z), \qquad z = \frac{b - \mu}{\sigma}$$

    Large where the mean is low, and where the spread is large: it weighs using what is known against finding out.

    >>> expected_improvement(np.array([1.0, 1.0, 3.0]), np.array([1e-9, 1.0, 1.0]), best=1.0).round(3)
    array([0.   , 0.399, 0.008])
    """
    std = np.maximum(std, np.finfo(float).tiny)  # where nothing is uncertain: max(0, b - mu)
    with np.errstate(over="ignore"):
        z = (best - mean) / std
        below = 0.5 * (1 + np.array([math.erf(v / math.sqrt(2)) for v in z.ravel()]).reshape(z.shape))
        return (best - mean) * below + std * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def parzen(x: np.ndarray, at: np.ndarray, width: float) -> np.ndarray:
    r"""Density of the settings x by Parzen: the mean of normal bumps $\varphi((a - x_i)/h)/h$.

    >>> parzen(np.array([0.0]), np.array([0.0, 1.0]), width=1.0).round(3)
    array([0.399, 0.242])
    """
    width = _checks.number("width", width, 0, open_low=True)
    bumps = np.exp(-(((at[:, None] - x) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
    return bumps.mean(axis=1)


def tpe_ratio(x: np.ndarray, y: np.ndarray, at: np.ndarray, *, good: float = 0.25, width: float = 0.3) -> np.ndarray:
    r"""$\ell(a)/g(a)$: the density of the best trials over that of the others; TPE tries where it is largest.

    A trial belongs to the good ones if its score is among the best share `good`, at least one.

    Parameters
    ----------
    x, y : (n,) settings and scores, n at least 2
    at : (m,) settings at which to judge
    good : share of trials that count as good, in (0, 1)
    width : of the bumps of `parzen`

    >>> ratio = tpe_ratio(np.array([0.0, 1.0, 2.0]), np.array([5.0, 1.0, 5.0]), np.array([0.0, 1.0]), width=0.5)
    >>> bool(ratio[1] > 1 > ratio[0])
    True
    """
    _checks.same_shape("y", y, "x", x)
    good = _checks.number("good", good, 0, 1, open_low=True, open_high=True)
    if len(x) < 2:
        raise ShapeError(f"x has {len(x)} trials; expected at least 2, one that is good and one that is not")
    order = np.argsort(y, kind="stable")
    count = min(len(x) - 1, max(1, round(good * len(x))))
    tiny = np.finfo(float).tiny
    return parzen(x[order[:count]], at, width) / np.maximum(parzen(x[order[count:]], at, width), tiny)


def hyperband(most: int, factor: int = 3) -> list[list[tuple[int, int]]]:
    r"""The brackets of Hyperband: in each, (settings, budget of each) for every round of successive halving.

    For $s = s_{\max}, \dots, 0$ with $s_{\max} = \lfloor \log_\eta R \rfloor$ the bracket starts with
    $\lceil (s_{\max} + 1)\, \eta^s / (s + 1) \rceil$ settings at the budget $R\, \eta^{-s}$, so that all brackets cost
    about the same. (Li et al. 2018, algorithm 1 and table 1.)

    Parameters
    ----------
    most : $R$, the largest budget of one setting, such as epochs
    factor : $\eta$, at least 2

    >>> for bracket in hyperband(81):
    ...     print(bracket)
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]
    [(34, 3), (11, 9), (3, 27), (1, 81)]
    [(15, 9), (5, 27), (1, 81)]
    [(8, 27), (2, 81)]
    [(5, 81)]
    """
    most, factor = _checks.whole("most", most), _checks.whole("factor", factor, 2)
    rounds = 0
    while factor ** (rounds + 1) <= most:
        rounds += 1
    brackets = []
    for s in range(rounds, -1, -1):
        count = -(-(rounds + 1) * factor**s // (s + 1))
        brackets.append([(count // factor**i, most * factor**i // factor**s) for i in range(s + 1)])
    return brackets


def promotion(rungs: list[dict], factor: int = 3) -> tuple[int, object] | None:
    r"""ASHA: the next trial that may go on to the next round, or None: then start a new one.

    Successive halving waits until a round is finished. ASHA (Li et al. 2020, algorithm 2) looks whenever a machine is
    free, from the highest round down: a trial that is among the best $1/\eta$ of those finished in its round so far
    goes on, if it has not done so yet.

    Parameters
    ----------
    rungs : for each round {trial: score} of those that finished it
    factor : $\eta$

    Returns
    -------
    round, trial : the round that it has finished, and its name; or None

    >>> promotion([{"a": 0.5, "b": 0.2, "c": 0.9}, {}])
    (0, 'b')
    >>> promotion([{"a": 0.5, "b": 0.2, "c": 0.9}, {"b": 0.1}]) is None
    True
    """
    factor = _checks.whole("factor", factor, 2)
    if not rungs:
        raise RangeError("rungs is empty; expected a dict of scores for each round: [{}, {}]")
    for k in range(len(rungs) - 2, -1, -1):
        best = sorted(rungs[k], key=rungs[k].__getitem__)[: len(rungs[k]) // factor]
        waiting = [trial for trial in best if trial not in rungs[k + 1]]
        if waiting:
            return k, waiting[0]
    return None
