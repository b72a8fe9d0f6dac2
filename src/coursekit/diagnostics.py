r"""Look inside a network while it trains, and say what is wrong with a run.

Names are those of the params: `dense_0/w` is the weight of the first layer of a `Sequential`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from . import _checks
from ._norms import euclidean
from .errors import DTypeError, NotFiniteError, RangeError, ShapeError
from .losses import softmax_cross_entropy
from .training import History, check_arguments, minibatches, rehearse

__all__ = [
    "Finding",
    "RangeTest",
    "activation_stats",
    "confusion_matrix",
    "dead_units",
    "diagnose",
    "gradient_norms",
    "lr_range_test",
    "saturation",
    "update_ratio",
]


def confusion_matrix(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    r"""How often each class was taken for each: $M_{ij}$ counts the examples of class i that were answered with j.

    The diagonal is what was right. A row divided by its sum gives the share of a class that was found (recall), a
    column divided by its sum the share of an answer that was true (precision). The same
    as scikit-learn's `confusion_matrix`.

    Parameters
    ----------
    labels, answers : (N,) whole numbers in [0, classes): the true classes, and those that were answered
    classes : number of classes

    Returns
    -------
    (classes, classes) whole numbers

    Raises
    ------
    LabelError, ShapeError
        If labels and answers are not equally many whole numbers in [0, classes).

    >>> confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], 2)
    array([[1, 1],
           [1, 2]])
    """
    classes = _checks.whole("classes", classes)
    labels = _checks.labels(labels, classes, np.shape(labels)[:1])
    answers = _checks.labels(answers, classes, labels.shape, "answers")
    counts = np.bincount(labels.astype(np.int64) * classes + answers, minlength=classes * classes)
    return counts.reshape(classes, classes)


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


def _norm(x):
    return euclidean(x, tuple(range(x.ndim)))


def gradient_norms(grads: dict) -> dict[str, float]:
    r"""Euclidean norm $\lVert g \rVert_2$ of every gradient array.

    >>> gradient_norms({"dense_0": {"w": np.array([[3.0, 4.0]]), "b": np.array([0.0])}})
    {'dense_0/w': 5.0, 'dense_0/b': 0.0}
    """
    return {name: float(_norm(g)) for name, g in _leaves(grads, "grads")}


def update_ratio(params: dict, new_params: dict) -> dict[str, float]:
    r"""Size of an update relative to what it updates, $\lVert w_\text{new} - w \rVert / \lVert w \rVert$, by array.

    A folk rule puts it near $10^{-3}$ a step; chapter 11 measures where that holds. Arrays that are all zero (fresh
    biases) have no ratio and are left out.

    >>> update_ratio({"w": np.array([3.0, 4.0]), "b": np.zeros(1)}, {"w": np.array([3.0, 4.5]), "b": np.ones(1)})
    {'w': 0.1}
    """
    old, new = dict(_leaves(params, "params")), dict(_leaves(new_params, "new_params"))
    if old.keys() != new.keys():
        raise ShapeError(f"params has {', '.join(old)}, but new_params has {', '.join(new)}; they must agree")
    ratios = {}
    for name, w in old.items():
        _checks.same_shape(f"new_params {name}", new[name], f"params {name}", w)
        size = _norm(w)
        if size > 0:
            ratios[name] = float(_norm(new[name] - w) / size)
    return ratios


def dead_units(outputs: np.ndarray) -> np.ndarray:
    """Share of units that put out exactly 0 for every example: dead, if the examples are many and the layer is ReLU.

    Parameters
    ----------
    outputs : (..., N, M) outputs of a ReLU layer, or (N, C, H, W), where a unit is a channel

    Returns
    -------
    share in [0, 1], (...,) with run axes

    >>> float(dead_units(np.array([[0.0, 1.0], [0.0, 0.0]])))
    0.5
    """
    _checks.float_array("outputs", outputs)
    if outputs.ndim < 2 or outputs.size == 0:
        raise ShapeError(f"outputs has shape {outputs.shape}; expected outputs of a layer, (..., N, M), not empty")
    silent = (outputs == 0).all(axis=(0, 2, 3)) if outputs.ndim == 4 else (outputs == 0).all(axis=-2)
    return silent.mean(axis=-1)


def saturation(outputs: np.ndarray, low: float = -1.0, high: float = 1.0, margin: float = 0.02) -> float:
    """Share of outputs within `margin` of the asymptotes: (-1, 1) for tanh, (0, 1) for sigmoid.

    >>> saturation(np.array([0.0, 0.995, -0.999, 0.5]))
    0.5
    """
    _checks.float_array("outputs", outputs)
    margin = _checks.number("margin", margin, 0, open_low=True)
    if not low < high:
        raise RangeError(f"low is {low} and high is {high}, but low must be less than high")
    if outputs.size == 0:
        raise ShapeError(f"outputs has shape {outputs.shape}; expected at least one output")
    return float(((outputs < low + margin) | (outputs > high - margin)).mean())


@dataclass(frozen=True)
class RangeTest:
    """What `lr_range_test` measured.

    Attributes
    ----------
    lr, loss : (steps,) rate and loss of each step; the loss is NaN from the step at which training diverged
    smooth : (steps,) running mean of the loss with the bias of its start corrected
    """

    lr: np.ndarray
    loss: np.ndarray
    smooth: np.ndarray

    @property
    def steepest(self) -> float:
        """The rate at which the smoothed loss falls fastest per decade: a rate to train with.

        Only what comes before the lowest loss counts: after a peak of a run that blows up the loss falls, too. The
        first tenth of the test is left out: there the running mean follows the noise of single batches.
        """
        end = int(np.nanargmin(self.smooth)) + 1
        first = min(len(self.lr) // 10, end - 1)
        if end < 2:
            return float(self.lr[0])
        slope = np.gradient(self.smooth[:end], np.log10(self.lr[:end]))
        return float(self.lr[first + slope[first:].argmin()])

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest: already close to too large."""
        return float(self.lr[np.nanargmin(self.smooth)])


def lr_range_test(
    model,
    x: np.ndarray,
    y: np.ndarray,
    *,
    optimizer: Callable,
    rng: np.random.Generator,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 64,
    loss: Callable = softmax_cross_entropy,
    smoothing: float = 0.9,
) -> RangeTest:
    r"""Smith's learning rate range test: train while the rate grows from `low` to `high` by a constant factor.

    $$\eta_t = \eta_\text{low} \left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{t/(T-1)}$$

    Smith (2017) lets the rate grow linearly over a few epochs; the exponential form with a smoothed loss is that of
    fastai. The test stops when the smoothed loss is four times its minimum or no longer finite.

    Parameters
    ----------
    model, x, y, loss, batch_size, rng : as for `coursekit.training.train`
    optimizer : function of a learning rate that makes an optimizer, such as `coursekit.optimizers.sgd`
    low, high, steps : the rates to try

    Raises
    ------
    CourseError
        If an argument does not fit: before the first step, by a forward pass in eval mode.

    >>> from coursekit.layers import Dense
    >>> from coursekit.model import Sequential
    >>> from coursekit.optimizers import sgd
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 2)); y = (x[:, 0] > x[:, 1]).astype(int)
    >>> test = lr_range_test(Sequential([Dense(2, 2)]), x, y, optimizer=sgd, rng=rng, low=1e-3, high=100)
    >>> 1e-2 < test.steepest < 100
    True
    """
    low = _checks.number("low", low, 0, open_low=True)
    high = _checks.number("high", high, low, open_low=True)
    steps = _checks.whole("steps", steps, 2)
    smoothing = _checks.number("smoothing", smoothing, 0, 1, open_high=True)
    rng = _checks.generator("rng", rng)
    batch_size = _checks.whole("batch_size", batch_size)
    if not callable(optimizer):
        raise DTypeError(
            f"optimizer is {optimizer!r}, but must be a function of the rate: optimizer=sgd, or "
            "optimizer=lambda lr: momentum(lr, 0.9)"
        )
    rates = low * (high / low) ** (np.arange(steps) / (steps - 1))
    rule = optimizer(lambda step: rates[step])
    check_arguments(model, rule, loss, x, y)
    params, state = model.init(rng)
    opt_state = rule.init(params)
    start = History(params, state, opt_state, resume={"noise": np.random.default_rng(0).bit_generator.state})
    rehearse(model, loss, start, x, y, batch_size)
    losses, smooth = np.full(steps, np.nan), np.full(steps, np.nan)
    mean = 0.0
    batches: Iterator = iter(())
    for step in range(steps):
        batch = next(batches, None)
        if batch is None:
            batches = minibatches(x, y, batch_size, rng)
            batch = next(batches)
        with np.errstate(over="ignore", invalid="ignore"):
            out, cache, state = model.forward(params, state, batch[0], training=True, rng=rng)
            try:
                losses[step], dout = loss(out, batch[1])
            except NotFiniteError:
                break
            params, opt_state = rule.update(params, model.backward_first(dout, cache), opt_state)
        mean = smoothing * mean + (1 - smoothing) * losses[step]
        smooth[step] = mean / (1 - smoothing ** (step + 1))
        if smooth[step] > 4 * np.nanmin(smooth):
            break
    return RangeTest(rates, losses, smooth)


@dataclass(frozen=True)
class Finding:
    """One thing that `diagnose` noticed: a short name, what was seen, and what to try."""

    name: str
    seen: str
    advice: str

    def __str__(self):
        return f"{self.name}: {self.seen}. {self.advice}."


def diagnose(history: History, *, classes: int | None = None) -> list[Finding]:
    """Read a run's curves like a practised eye; an empty list means that nothing stands out.

    Looks for: a diverged run, a loss that stands at ln C, a first loss far above ln C, a loss that rises or jumps, a
    loss that still falls steadily at the end, and a validation loss that has turned upwards.

    Parameters
    ----------
    history : what `coursekit.training.train` returned (or `error.history` of a run that diverged)
    classes : number of classes C, if the loss is a cross-entropy

    >>> flat = History({}, {}, {}, loss=[2.30] * 100)
    >>> print(*diagnose(flat, classes=10))
    loss stands still: it went from 2.3 to 2.3 in 100 steps, ln 10 = 2.3 is guessing. ...
    """
    if not isinstance(history, History):
        raise DTypeError(f"history is {_checks.describe(history)}, but must be the History that train() returned")
    if classes is not None:
        classes = _checks.whole("classes", classes, 2)
    loss = np.array(history.loss, dtype=float)
    if loss.ndim != 1:
        raise ShapeError("this history has run axes; diagnose one run at a time")
    findings = []

    def found(name, seen, advice):
        findings.append(Finding(name, seen, advice))

    if history.stopped == "diverged" or (len(loss) and not np.isfinite(loss[-1])):
        found(
            "diverged",
            f"the loss left the finite numbers after {len(loss)} steps",
            "Try a learning rate ten times smaller, and look at the scale of the inputs and of the first weights",
        )
        loss = loss[np.isfinite(loss)]
    if len(loss) < 10:
        if not findings:
            found("too short", f"there are {len(loss)} steps", "Ten steps at least are needed to say anything")
        return findings
    part = max(1, len(loss) // 10)
    first, last, lowest = loss[:part].mean(), loss[-part:].mean(), _smooth(loss, part).min()
    guess = np.log(classes) if classes else np.nan
    guessing = f", ln {classes} = {guess:.3g} is guessing" if classes else ""
    if classes and loss[0] > 1.5 * guess:
        found(
            "first loss too high",
            f"the first loss is {loss[0]:.3g}, and ln {classes} = {guess:.3g} would be expected",
            "The first scores are too large: smaller weights in the last layer, or scaled inputs",
        )
    at_guess = classes is not None and abs(last - guess) < 0.02 * guess
    if (at_guess or abs(first - last) < 0.02 * abs(first)) and "diverged" not in {f.name for f in findings}:
        found(
            "loss stands still",
            f"it went from {first:.3g} to {last:.3g} in {len(loss)} steps{guessing}",
            "Look at the activations and gradients layer by layer; try a larger learning rate, another start",
        )
    elif last > 1.2 * lowest and last > lowest + 0.05:
        found(
            "loss rises",
            f"it was down to {lowest:.3g} and ended at {last:.3g}",
            "The learning rate is too large, or too large for the end of training: lower it, or let it decay",
        )
    jumps = np.abs(np.diff(loss)) > 0.5 * max(abs(first), abs(last))
    if jumps.mean() > 0.05:
        found(
            "loss jumps",
            f"{jumps.mean():.0%} of the steps change it by more than half of its size",
            "Try a smaller learning rate or larger batches",
        )
    steady = loss[-3 * part : -2 * part].mean() - loss[-part:].mean()
    if len(loss) >= 40 and steady > 0.05 * (first - last) > 0 and not findings:
        found(
            "still learning",
            f"the loss fell by {steady:.3g} in the last fifth of the run",
            "Train for longer, or with a larger learning rate",
        )
    if history.epochs and "val_loss" in history.epochs[0] and len(history.epochs) >= 4:
        val = history.curve("val_loss").astype(float)
        train_loss = history.curve("loss").astype(float)
        best = int(val.argmin())
        if best < len(val) - 2 and val[-1] > 1.1 * val[best] and train_loss[-1] < train_loss[best]:
            found(
                "overfitting",
                f"the validation loss was lowest, {val[best]:.3g}, in epoch {best + 1} and is {val[-1]:.3g} now, "
                "while the training loss went on falling",
                "Stop early, add data, or regularize (chapter 9)",
            )
    return findings


def _smooth(values, window):
    return np.convolve(values, np.ones(window) / window, "valid")


def _leaves(tree, name, path=""):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, name, f"{path}/{key}" if path else str(key))
    elif isinstance(tree, np.ndarray):
        yield path or name, tree
    else:
        raise DTypeError(f"{name} is {_checks.describe(tree)}, but must be a dict of arrays, dicts may nest")
