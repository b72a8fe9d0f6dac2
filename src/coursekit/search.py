r"""Hyperparameter search: which settings to try, and which of them were best.

A space says in what range each setting lies; `grid` and `random` pick settings from it, `evaluate` tries them::

    space = {"lr": log_uniform(1e-3, 1e3), "width": whole(16, 256), "activation": choice("tanh", "relu")}
    trials = evaluate(score, random(space, 20, rng))
    trials.best

`score(settings)` trains a network and returns a number such as its validation loss; `settings` is a dict like
`{"lr": 0.02, "width": 40, "activation": "relu"}`. The smallest score wins, with `mode="max"` the largest. A score of
NaN or infinity, or a `NotFiniteError` (of which `DivergedError` is one), counts as the worst there is: training
diverged.

Never let the test set into `score`: the best of many validation scores is already too good to be true.

| search | settings it tries | source |
|---|---|---|
| `grid` | all combinations of a few values each | |
| `random` | drawn independently | Bergstra and Bengio 2012 |
| `coarse_to_fine` | drawn, then drawn again around the best | |
| `successive_halving` | many for a short time, the better half for longer | Jamieson and Talwalkar 2016 |
| `optuna_search` | where a model of the score says, by one process or many | Akiba et al. 2019 |

With run axes a whole search can be one pass: `columns(settings)["lr"]` is an array with one rate a run.
`split` and `folds` say which examples are held out for the score.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from . import _checks
from .errors import CourseError, DTypeError, NotFiniteError, RangeError, ShapeError

__all__ = [
    "Trial",
    "Trials",
    "choice",
    "coarse_to_fine",
    "columns",
    "evaluate",
    "folds",
    "grid",
    "log_uniform",
    "optuna_search",
    "random",
    "split",
    "successive_halving",
    "uniform",
    "whole",
]


@dataclass(frozen=True)
class uniform:
    """A number between `low` and `high`, every part of the range as likely as any other.

    >>> uniform(0.0, 0.9).draw(np.random.default_rng(0))
    0.5732...
    """

    low: float
    high: float

    def __post_init__(self):
        _checks.number("low", self.low)
        _checks.number("high", self.high)
        _ordered(self)

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return float(rng.uniform(self.low, self.high))

    def points(self, count: int) -> list:
        """`count` values at equal distances, the ends among them; the middle if there is only one."""
        return _between(self.low, self.high, count)

    def around(self, value: float, share: float) -> uniform:
        """The part of the range that is `share` as long and has `value` in its middle, moved to lie inside."""
        half = share * (self.high - self.low) / 2
        middle = min(max(value, self.low + half), self.high - half)
        return replace(self, low=max(middle - half, self.low), high=min(middle + half, self.high))


@dataclass(frozen=True)
class log_uniform:
    r"""A number between `low` and `high`, every factor of ten as likely as any other: $10^u$ with uniform $u$.

    For what acts by its order of magnitude, such as a learning rate or a penalty's strength.

    >>> log_uniform(1e-3, 1e3).points(4)
    [0.001, 0.1, 10.0, 1000.0]
    """

    low: float
    high: float

    def __post_init__(self):
        _checks.number("low", self.low, 0, open_low=True)
        _checks.number("high", self.high, 0, open_low=True)
        _ordered(self)

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return self._inside(10 ** rng.uniform(math.log10(self.low), math.log10(self.high)))

    def points(self, count: int) -> list:
        """`count` values in equal ratios, the ends among them; the middle if there is only one."""
        return [self._inside(10**u) for u in _between(math.log10(self.low), math.log10(self.high), count)]

    def around(self, value: float, share: float) -> log_uniform:
        """The part of the range that is `share` as long in the logarithm, with `value` in its middle, moved inside."""
        part = uniform(math.log10(self.low), math.log10(self.high)).around(math.log10(value), share)
        return replace(self, low=self._inside(10**part.low), high=self._inside(10**part.high))

    def _inside(self, value):
        return float(min(max(value, self.low), self.high))


@dataclass(frozen=True)
class whole:
    """A whole number from `low` to `high`, both included.

    >>> whole(1, 5).points(3)
    [1, 3, 5]
    """

    low: int
    high: int

    def __post_init__(self):
        _checks.whole("low", self.low, -(10**18))
        _checks.whole("high", self.high, -(10**18))
        _ordered(self)

    def draw(self, rng: np.random.Generator) -> int:
        """One value."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def points(self, count: int) -> list:
        """At most `count` values at about equal distances, the ends among them."""
        return sorted({round(x) for x in _between(self.low, self.high, count)})

    def around(self, value: int, share: float) -> whole:
        """The part of the range that is `share` as long, rounded outwards, with `value` in its middle."""
        part = uniform(self.low, self.high).around(value, share) if self.low < self.high else self
        return replace(self, low=math.floor(part.low), high=math.ceil(part.high))


class choice:
    """One of the given values.

    >>> choice("tanh", "relu").points(10)
    ['tanh', 'relu']
    """

    def __init__(self, *options):
        if not options:
            raise ShapeError("choice() has no options; write choice('tanh', 'relu')")
        self.options = options

    def __repr__(self):
        return f"choice({', '.join(map(repr, self.options))})"

    def draw(self, rng: np.random.Generator):
        """One value."""
        return self.options[rng.integers(len(self.options))]

    def points(self, count: int) -> list:
        """All options."""
        return list(self.options)

    def around(self, value, share: float) -> choice:
        """All options: one says nothing about its neighbours."""
        return self


def _ordered(interval):
    if not interval.low <= interval.high:
        raise RangeError(f"{interval} is empty: low must not be larger than high")


def _between(low, high, count):
    count = _checks.whole("points", count)
    return [float(x) for x in (np.linspace(low, high, count) if count > 1 else [(low + high) / 2])]


def grid(space: dict, points: int = 3) -> list[dict]:
    """All combinations of `points` values for each setting. Their number grows as a power of the number of settings.

    Parameters
    ----------
    space : settings by name; a range such as `uniform(0, 1)`, or a list of values
    points : values from each range; lists and choices count in full

    >>> grid({"lr": [0.1, 0.01], "decay": uniform(0.0, 1.0)}, points=2)  # doctest: +NORMALIZE_WHITESPACE
    [{'lr': 0.1, 'decay': 0.0}, {'lr': 0.1, 'decay': 1.0}, {'lr': 0.01, 'decay': 0.0}, {'lr': 0.01, 'decay': 1.0}]
    """
    values = [part.points(points) for part in _space(space).values()]
    return [dict(zip(space, combination, strict=True)) for combination in itertools.product(*values)]


def random(space: dict, trials: int, rng: np.random.Generator) -> list[dict]:
    """`trials` settings, each drawn independently of all others.

    Every trial has a new value of every setting, so if only one of them matters, as many of its values are tried as
    there are trials; a grid repeats a few (Bergstra and Bengio 2012).

    Parameters
    ----------
    space : settings by name; a range such as `log_uniform(1e-3, 1e3)`, or a list of values
    trials : how many
    rng : a NumPy generator

    >>> random({"lr": log_uniform(1e-3, 1e3)}, 2, np.random.default_rng(0))
    [{'lr': 6.6...}, {'lr': 0.0415...}]
    """
    space, rng = _space(space), _checks.generator("rng", rng)
    trials = _checks.whole("trials", trials)
    return [{name: part.draw(rng) for name, part in space.items()} for _ in range(trials)]


def columns(settings: list[dict]) -> dict[str, np.ndarray]:
    """The settings by name, each an array with one entry a trial: what run axes need.

    >>> columns([{"lr": 0.1, "decay": 0.0}, {"lr": 0.2, "decay": 0.5}])
    {'lr': array([0.1, 0.2]), 'decay': array([0. , 0.5])}
    """
    settings = _settings(settings)
    return {name: np.array([row[name] for row in settings]) for name in settings[0]}


def split(count: int, held_out: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hold a share of the examples out, at random.

    Parameters
    ----------
    count : examples there are
    held_out : share to hold out, in (0, 1); about 0.2 is usual
    rng : a NumPy generator

    Returns
    -------
    kept, held : indices of the examples to train on, and of those held out

    >>> kept, held = split(10, 0.2, np.random.default_rng(0))
    >>> len(kept), len(held), sorted({*kept, *held}) == list(range(10))
    (8, 2, True)
    """
    count, rng = _checks.whole("count", count, 2), _checks.generator("rng", rng)
    held_out = _checks.number("held_out", held_out, 0, 1, open_low=True, open_high=True)
    size = min(max(1, round(held_out * count)), count - 1)
    order = rng.permutation(count)
    return order[size:], order[:size]


def folds(count: int, k: int, rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    r"""The splits of $k$-fold cross-validation: every example is held out in exactly one of them.

    The cross-validated score of some settings is the mean of their $k$ scores (Stone 1974).

    Parameters
    ----------
    count : examples there are
    k : folds, from 2 to count; their sizes differ by one at most
    rng : a NumPy generator

    Returns
    -------
    list of k pairs (kept, held), as from `split`

    >>> [held.tolist() for _, held in folds(5, 2, np.random.default_rng(0))]
    [[2, 4, 3], [0, 1]]
    """
    count, rng = _checks.whole("count", count, 2), _checks.generator("rng", rng)
    k = _checks.whole("k", k, 2)
    if k > count:
        raise RangeError(f"k is {k}, but there are only {count} examples; each fold needs one at least")
    parts = np.array_split(rng.permutation(count), k)
    return [(np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(k)]


@dataclass(frozen=True)
class Trial:
    """One attempt: its settings, its score, and the budget it had (None where there was no limit)."""

    settings: dict
    score: float
    budget: int | None = None


class Trials(list):
    """All attempts in the order in which they were made."""

    def __init__(self, trials=(), mode: str = "min"):
        super().__init__(trials)
        self.mode = _checks.choice("mode", mode, ("min", "max"))

    @property
    def ranked(self) -> list[Trial]:
        """Best first; those with more budget before those with less, those that diverged last."""
        return sorted(self, key=self._key)

    @property
    def best(self) -> Trial:
        """The best attempt."""
        if not self:
            raise ShapeError("there is no best trial: nothing has been tried")
        best = self.ranked[0]
        if not math.isfinite(best.score):
            raise NotFiniteError(f"all {len(self)} trials diverged; try a range of smaller learning rates")
        return best

    def _key(self, trial):
        score = trial.score if self.mode == "min" else -trial.score
        return not math.isfinite(score), -(trial.budget or 0), score


def evaluate(score: Callable, settings: list[dict], *, mode: str = "min") -> Trials:
    """Try all settings, in order.

    Parameters
    ----------
    score : function of a dict of settings that returns a number
    settings : what to try, from `grid` or `random`
    mode : "min" if smaller scores are better, "max" if larger ones are

    >>> trials = evaluate(lambda s: (s["x"] - 1) ** 2, grid({"x": uniform(-3.0, 3.0)}, points=7))
    >>> trials.best
    Trial(settings={'x': 1.0}, score=0.0, budget=None)
    """
    trials = Trials(mode=mode)
    for row in _settings(settings):
        trials.append(Trial(row, _score(score, row)))
    return trials


def coarse_to_fine(
    score: Callable,
    space: dict,
    *,
    trials: int,
    rounds: int,
    rng: np.random.Generator,
    shrink: float = 0.4,
    mode: str = "min",
) -> Trials:
    """Random search in rounds; after each, every range shrinks to a part around the best settings so far.

    Parameters
    ----------
    score, mode : as for `evaluate`
    space : as for `random`
    trials, rounds : settings tried in each round; rounds
    rng : a NumPy generator
    shrink : length of the next range as a share of the last one, in (0, 1); of its logarithm for `log_uniform`

    >>> space, rng = {"lr": log_uniform(1e-6, 1e3)}, np.random.default_rng(0)
    >>> found = coarse_to_fine(lambda s: abs(np.log10(s["lr"]) + 2), space, trials=10, rounds=5, rng=rng)
    >>> len(found), round(found.best.settings["lr"], 3)
    (50, 0.01)
    """
    space, rng = _space(space), _checks.generator("rng", rng)
    rounds = _checks.whole("rounds", rounds)
    shrink = _checks.number("shrink", shrink, 0, 1, open_low=True, open_high=True)
    found = Trials(mode=mode)
    for _ in range(rounds):
        found.extend(evaluate(score, random(space, trials, rng), mode=mode))
        if any(math.isfinite(trial.score) for trial in found):
            space = {name: part.around(found.best.settings[name], shrink) for name, part in space.items()}
    return found


def successive_halving(
    score: Callable, settings: list[dict], *, budget: int, factor: int = 2, mode: str = "min"
) -> Trials:
    r"""Give all settings a small budget, the best $1/\eta$ of them $\eta$ times as much, and so on until one is left.

    Each round costs about the same, so most of the effort goes to what looks good. What starts slowly is lost.

    Parameters
    ----------
    score : function of (settings, budget) that returns a number; the budget is epochs, say
    settings : what to try, from `random`
    budget : budget of each in the first round
    factor : $\eta$, at least 2
    mode : as for `evaluate`

    Returns
    -------
    Trials, one for each setting and round it took part in

    >>> found = successive_halving(lambda s, epochs: abs(s["x"]) + 1 / epochs, grid({"x": [3, 1, -2, 5]}), budget=1)
    >>> [(trial.settings["x"], trial.budget) for trial in found]
    [(3, 1), (1, 1), (-2, 1), (5, 1), (1, 2), (-2, 2), (1, 4)]
    """
    settings = _settings(settings)
    budget, factor = _checks.whole("budget", budget), _checks.whole("factor", factor, 2)
    found = Trials(mode=mode)
    while True:
        rung = Trials([Trial(row, _score(score, row, budget), budget) for row in settings], mode)
        found.extend(rung)
        if len(rung) == 1:
            return found
        settings = [trial.settings for trial in rung.ranked[: max(1, len(rung) // factor)]]
        budget *= factor


def optuna_search(
    score: Callable,
    space: dict,
    *,
    trials: int,
    study: str,
    rng: np.random.Generator,
    storage: str | os.PathLike = "search.db",
    mode: str = "min",
) -> Trials:
    """Search with Optuna, which draws where good scores are likely (TPE, Bergstra et al. 2011).

    The study lives in a database. Start the same call in several processes, on one machine or, with a database server,
    on many: they share what they learn, and all stop when the study has `trials` trials (a few more when several finish
    at once). Start it again later and it goes on, or returns at once if there is nothing left to do.

    Parameters
    ----------
    score : as for `evaluate`; what it raises besides `NotFiniteError` ends this process's search, not the study
    space : as for `random`
    trials : trials of the whole study, all processes together
    study : its name in the database
    rng : a NumPy generator. With it the number of a trial in the study decides what is drawn, so processes that were
        given the same generator, and a study that is started again, draw no setting twice
    storage : file of an SQLite database, or the address of another one such as "postgresql://user@host/name"
    mode : as for `evaluate`

    Returns
    -------
    Trials of all processes

    Raises
    ------
    CourseError
        If Optuna is not installed, or the study exists with another mode or another space.
    """
    if not callable(score):
        raise DTypeError(f"score is {_checks.describe(score)}, but must be a function of the settings")
    if not isinstance(study, str) or not study:
        raise DTypeError(f"study is {_checks.describe(study)}, but must be a name: study='rates'")
    space, rng = _space(space), _checks.generator("rng", rng)
    trials = _checks.whole("trials", trials)
    _checks.choice("mode", mode, ("min", "max"))
    optuna = _optuna()
    states = optuna.trial.TrialState
    shared = _shared_study(optuna, study, storage, mode, _sampler(optuna, int(rng.integers(2**32))))
    distributions = {name: _distribution(optuna, part) for name, part in space.items()}
    _same_space(shared, study, distributions)

    def finished():
        return shared.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))

    while len(finished()) < trials:
        trial = shared.ask(distributions)
        try:
            value = _score(score, dict(trial.params))
        except BaseException:
            shared.tell(trial, state=states.FAIL)
            raise
        if math.isfinite(value):
            shared.tell(trial, value)
        else:  # Optuna ranks what was pruned behind all that was completed
            shared.tell(trial, state=states.PRUNED)
    return Trials([Trial(dict(t.params), math.nan if t.value is None else t.value) for t in finished()], mode)


def _optuna():
    try:
        import optuna
    except ImportError:
        raise CourseError(
            'optuna_search needs Optuna, which is not installed; type pip install "coursekit[search]"'
        ) from None
    return optuna


def _sampler(optuna, seed):
    """TPE that draws each trial from the seed and the trial's number in the study."""

    class NumberedTPE(optuna.samplers.TPESampler):
        def before_trial(self, study, trial):
            self.__init__(seed=int(np.random.SeedSequence([seed, trial.number]).generate_state(1)[0]))
            super().before_trial(study, trial)

    return NumberedTPE(seed=seed)


def _same_space(study, name, distributions):
    """A study goes on with the space that it began with."""
    for trial in study.get_trials(deepcopy=False):
        if not trial.distributions:
            continue
        if trial.distributions != distributions:
            changed = sorted(
                part
                for part in trial.distributions.keys() | distributions.keys()
                if trial.distributions.get(part) != distributions.get(part)
            )
            raise CourseError(
                f"the study {name!r} was begun with another space: {', '.join(changed)} differ. Take the old space, or "
                f"another name: study={name + '-2'!r}"
            )
        return


def _shared_study(optuna, name, storage, mode, sampler):
    """Create the study, or join it."""
    if not isinstance(storage, (str, os.PathLike)):
        raise DTypeError(f"storage is {_checks.describe(storage)}, but must be a file's name: storage='search.db'")
    url = os.fspath(storage)
    if "://" not in url:
        # Processes that write at the same time wait for each other; SQLite itself gives up after five seconds.
        url, connect = f"sqlite:///{os.path.abspath(url)}", {"connect_args": {"timeout": 60}}
    else:
        connect = {}
    direction = {"min": "minimize", "max": "maximize"}[mode]
    for attempt in range(20):
        try:
            database = optuna.storages.RDBStorage(url, engine_kwargs=connect)
            study = optuna.create_study(
                storage=database, study_name=name, direction=direction, load_if_exists=True, sampler=sampler
            )
            break
        except Exception as error:  # perhaps another process is making the tables at this very moment
            if attempt == 19:
                raise CourseError(f"the study {name!r} in {url} could not be opened: {error}") from error
            time.sleep(0.05)
    if study.direction.name.lower() != direction:
        raise CourseError(f"the study {name!r} in {url} was made to {study.direction.name.lower()}, not to {direction}")
    return study


def _distribution(optuna, part):
    distributions = optuna.distributions
    if isinstance(part, choice):
        return distributions.CategoricalDistribution(part.options)
    if isinstance(part, whole):
        return distributions.IntDistribution(part.low, part.high)
    return distributions.FloatDistribution(part.low, part.high, log=isinstance(part, log_uniform))


def _score(score, *args):
    """The score as a float; NaN for a run that diverged."""
    try:
        value = score(*args)
    except NotFiniteError:
        return math.nan
    if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf":
        raise DTypeError(
            f"score returned {_checks.describe(value)}, but must return a number; smaller is better unless mode='max'"
        )
    return float(value)


def _space(space):
    """The space with lists turned into choices."""
    if not isinstance(space, dict) or not space:
        raise ShapeError(
            f"space is {_checks.describe(space)}; expected ranges by name, {{'lr': log_uniform(1e-3, 1e3)}}"
        )
    parts = {}
    for name, part in space.items():
        if isinstance(part, (list, tuple)):
            part = choice(*part)
        if not isinstance(part, (uniform, log_uniform, whole, choice)):
            raise DTypeError(
                f"space[{name!r}] is {_checks.describe(part)}, but must be a list of values or one of uniform, "
                "log_uniform, whole, choice"
            )
        parts[name] = part
    return parts


def _settings(settings):
    settings = list(settings) if isinstance(settings, (list, tuple)) else settings
    if not isinstance(settings, list) or not settings or not all(isinstance(row, dict) for row in settings):
        raise ShapeError(
            f"settings is {_checks.describe(settings)}; expected a list of dicts with one entry at least, such as "
            "random(space, 20, rng)"
        )
    for row in settings:
        if row.keys() != settings[0].keys():
            raise ShapeError(f"settings differ in their names: {', '.join(settings[0])} and {', '.join(row)}")
    return settings
