r"""Fair comparisons: each method at its own best settings, chosen on validation data, with paired seeds.

`fair_comparison` tries every method at every one of its settings with every seed, chooses each method's settings by the
validation scores, and reports what was measured on other data. The differences are paired: both methods of a pair had
the same seed, so the same data, split and batches. `two_standard_errors` says how far a mean over seeds may be off,
`judge` what follows from differences, and `power` whether a run like this one would have seen an effect at all.

>>> rng = np.random.default_rng(0)
>>> def tried(lr, seed):  # stands for a training: best at rate 0.1
...     score = 90 - 5 * abs(np.log10(lr) + 1) + np.random.default_rng(seed).normal()
...     return score, score
>>> methods = {"new": one_by_one(tried), "old": one_by_one(lambda lr, seed: tried(lr / 10, seed))}
>>> fair = fair_comparison(methods, {"new": {"lr": [0.01, 0.1, 1.0]}, "old": {"lr": [0.1, 1.0, 10.0]}}, range(4))
>>> fair.chosen
{'new': {'lr': 0.1}, 'old': {'lr': 1.0}}
>>> fair.gain("new", "old")
array([0., 0., 0., 0.])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import _checks
from .errors import RangeError, ShapeError
from .search import columns, grid

__all__ = ["Fair", "fair_comparison", "judge", "one_by_one", "power", "two_standard_errors"]


@dataclass(frozen=True)
class Fair:
    """What `fair_comparison` found. S settings, K seeds.

    Attributes
    ----------
    seeds : the K seeds
    settings : {method: list of its S settings}
    validation, reported : {method: (S, K)} the scores that chose, and those of other data
    chosen : {method: its settings with the best mean validation score}
    at_edge : {method: names of numbers whose chosen value is the least or the greatest that was tried}
    mode : "max" if larger scores are better, "min" if smaller ones are
    """

    seeds: tuple[int, ...]
    settings: dict[str, list[dict]]
    validation: dict[str, np.ndarray]
    reported: dict[str, np.ndarray]
    chosen: dict[str, dict]
    at_edge: dict[str, list[str]]
    mode: str

    def scores(self, method: str) -> np.ndarray:
        """(K,) what the method reached at its chosen settings, on the data that did not choose them."""
        _checks.choice("method", method, tuple(self.settings))
        return self.reported[method][self.settings[method].index(self.chosen[method])]

    def gain(self, first: str, second: str) -> np.ndarray:
        """(K,) by how much the first was better than the second with the same seed; negative where it was worse."""
        return (1 if self.mode == "max" else -1) * (self.scores(first) - self.scores(second))


def fair_comparison(
    methods: Mapping[str, Callable], arms: Mapping[str, Mapping], seeds: Sequence[int], *, mode: str = "max"
) -> Fair:
    """Try methods x settings x seeds; choose each method's settings by validation scores.

    Parameters
    ----------
    methods : {name: run}. `run(settings, seeds)` is called once and trains R networks, one for each setting with each
        seed, best in one pass over a run axis: `settings` is {name: array (R,)}, `seeds` (R,). It returns two arrays
        (R,): the score on validation data, and the score that is reported, of data that choose nothing. `one_by_one`
        makes such a run of a function that trains one network. The seed draws everything that is random, the split
        too, so that what differs between two methods with the same seed is the method.
    arms : {name: {setting: values}} the grid that is searched for each method; {} where there is nothing to choose
    seeds : the seeds, at least two, the same for all methods
    mode : "max" if larger scores are better, "min" if smaller ones are

    A score of NaN or infinity is that of a network that diverged: the worst there is.
    """
    _checks.choice("mode", mode, ("max", "min"))
    seeds = tuple(int(seed) for seed in seeds)
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise RangeError(f"seeds is {seeds}; a spread needs at least two, all different, such as range(6)")
    if methods.keys() != arms.keys() or not methods:
        raise ShapeError(f"methods has {', '.join(methods)} and arms {', '.join(arms)}; each method needs its grid")
    settings = {
        name: grid({key: list(values) for key, values in arm.items()}) if arm else [{}] for name, arm in arms.items()
    }
    tried = {name: _run(name, methods[name], settings[name], seeds) for name in methods}
    validation, reported = ({name: scores[k] for name, scores in tried.items()} for k in (0, 1))
    chosen = {name: _best(name, settings[name], validation[name], mode) for name in methods}
    at_edge = {
        name: [key for key, values in arm.items() if _at_edge(chosen[name][key], list(values))]
        for name, arm in arms.items()
    }
    return Fair(seeds, settings, validation, reported, chosen, at_edge, mode)


def one_by_one(train: Callable) -> Callable:
    """A run for `fair_comparison` of a function that trains one network.

    `train(**setting, seed=seed)` gives (validation, reported). Numbers arrive as Python's own, not as NumPy's.
    """

    def run(settings, seeds):
        names = list(settings)
        rows = (
            zip(*(np.asarray(settings[name]).tolist() for name in names), strict=True) if names else ((),) * len(seeds)
        )
        pairs = [
            train(**dict(zip(names, row, strict=True)), seed=int(seed)) for row, seed in zip(rows, seeds, strict=True)
        ]
        return tuple(np.array(pairs, dtype=float).T)

    return run


def _run(name, run, settings, seeds):
    pairs = [(row, seed) for row in settings for seed in seeds]
    rows = {key: values for key, values in columns([row for row, _ in pairs]).items()}
    with np.errstate(over="ignore", invalid="ignore"):
        results = run(rows, np.array([seed for _, seed in pairs]))
    results = tuple(np.asarray(scores, dtype=float) for scores in results)
    if len(results) != 2 or any(scores.shape != (len(pairs),) for scores in results):
        shapes = ", ".join(str(scores.shape) for scores in results)
        raise ShapeError(
            f"{name} gave arrays of shapes {shapes}; expected two of ({len(pairs)},), the validation scores and the "
            "reported ones; a function that trains one network goes through one_by_one(train)"
        )
    return tuple(scores.reshape(len(settings), len(seeds)) for scores in results)


def _best(name, settings, validation, mode):
    means = validation.mean(axis=1)
    worst = -np.inf if mode == "max" else np.inf
    means = np.where(np.isfinite(means), means, worst)
    if not np.isfinite(means).any():
        raise RangeError(f"{name} diverged with some seed at each of its {len(settings)} settings; try smaller rates")
    return settings[int(means.argmax() if mode == "max" else means.argmin())]


def _at_edge(value, values):
    return len(values) > 1 and all(isinstance(v, (int, float)) for v in values) and value in (min(values), max(values))


def two_standard_errors(values: np.ndarray) -> float:
    r"""$2 s / \sqrt{K}$ of K numbers, with $s^2$ the variance over K - 1: about 95 % of means are closer than that.

    >>> round(two_standard_errors([1.0, 2.0, 3.0, 4.0]), 3)
    1.291
    """
    values = _checks.float_array("values", np.asarray(values, dtype=float))
    if values.ndim != 1 or len(values) < 2:
        raise ShapeError(f"values has shape {values.shape}; a standard error needs a row of at least two numbers")
    return float(2 * values.std(ddof=1) / np.sqrt(len(values)))


def power(differences: np.ndarray, effect: float, at_least: float = 0.0, repeats: int = 4000) -> float:
    """How often a run as noisy as this one would find an effect of a given size, if there is one.

    Draws `repeats` sets of as many differences, normal with mean `effect` and the standard deviation of these, and
    gives the share of them whose mean is more than two standard errors above `at_least`.

    >>> power([1.0, -1.0, 2.0, -2.0], effect=0.5) < 0.2 < 0.99 < power([1.0, -1.0, 2.0, -2.0], effect=10.0)
    True
    """
    differences = np.asarray(differences, dtype=float)
    two_standard_errors(differences)
    count = len(differences)
    drawn = np.random.default_rng(0).normal(effect, differences.std(ddof=1), (repeats, count))
    errors = 2 * drawn.std(axis=1, ddof=1) / np.sqrt(count)
    return float((drawn.mean(axis=1) - errors > at_least).mean())


def judge(differences: np.ndarray, effect: float, at_least: float = 0.0) -> tuple[str, dict]:
    """What paired differences say about a claim: a verdict, and the numbers it rests on.

    Parameters
    ----------
    differences : (K,) by how much the claim's side was better, a number a seed
    effect : the size that was claimed or, where none was, the smallest that would matter; above `at_least`
    at_least : the claim is that the difference is above this

    Returns
    -------
    verdict : "holds" if the mean is more than two standard errors above `at_least`; "does not hold" if it is as far
        below; for a claim of a difference of any size (`at_least` 0) also if the mean lies two standard errors below
        `effect`, and a run like this would have seen `effect` at least 8 times in 10; else "cannot tell"
    numbers : {"mean", "2 SE", "power"}

    >>> judge([1.0, 1.2, 0.9, 1.1], effect=1.0)[0], judge([3.0, -2.0, 0.5, -1.0], effect=1.0)[0]
    ('holds', 'cannot tell')
    """
    if not effect > at_least:
        raise RangeError(
            f"effect is {effect} and at_least {at_least}; a claimed effect is larger than what is asked for"
        )
    differences = np.asarray(differences, dtype=float)
    error = two_standard_errors(differences)
    mean, seen = float(differences.mean()), power(differences, effect, at_least)
    if mean - error > at_least:
        verdict = "holds"
    elif mean + error < at_least or (at_least == 0 and seen >= 0.8 and mean + error < effect):
        verdict = "does not hold"
    else:
        verdict = "cannot tell"
    return verdict, {"mean": mean, "2 SE": error, "power": seen}
