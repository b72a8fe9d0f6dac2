"""The workbench of the experiments: small data sets, one network, one loop that trains.

The chapters' experiments import nothing from one another; what two of them need stands here. A new experiment that
trains needs little more than this::

    x, y, x_test, y_test = digits()
    net, rng = mlp([64, 32, 10]), np.random.default_rng(0)
    params, _ = net.init(rng)
    run = descend(net, params, drawn(x, y, 50, rng), sgd(0.1), steps=200)
    run.loss, accuracy(predict(net, run.params, run.state, x_test), y_test)

Many networks train in one pass along a run axis: start from `stack_runs`, give an optimizer that has one rate a run,
and `run.loss` has a column each.

MNIST at 14x14 comes in two scales, and in no third. Chapters 6 to 10 take `small_mnist`, whose standard deviation is
0.28: pixels from 0 to 1 without their mean, as one first has them. Chapters 2 and 11 take `small_mnist_standardized`,
whose standard deviation is 1: the checks of chapter 11 (the first loss, the size of a step beside its weight) count on
inputs of unit size, as He's start does. A learning rate belongs to its scale. Weights that do for inputs s times as
large are 1/s of the others, and so the rate of SGD that suits them is 1/s^2 of the other: here a thirteenth.
"""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import _checks, data, trees
from ..convolution import avg_pool2d_forward
from ..errors import NotFiniteError, RangeError
from ..initializers import fans, he_normal, normal
from ..layers import Dense, LayerNorm, ReLU
from ..layers.residual import Residual
from ..losses import softmax_cross_entropy
from ..model import Sequential, accuracy, stack_runs

# --- what is computed once and shared ---------------------------------------------------------------------------------


def shared(maxsize=None) -> Callable:
    """A decorator: call the function once for each setting, and give all who ask the same, read-only result.

    An experiment that wrote into a cached array would change what others get, without a trace.

    Parameters
    ----------
    maxsize : how many results are kept at most; None keeps all
    """

    def decorate(function):
        @functools.lru_cache(maxsize)
        @functools.wraps(function)
        def compute(*settings, **named):
            return _read_only(function(*settings, **named))

        return compute

    return decorate


def _read_only(result):
    """Turn writing off in all arrays of a nest, also in those that its objects hold."""
    for leaf in trees.leaves(result).values():
        if isinstance(leaf, np.ndarray):
            leaf.flags.writeable = False
        elif hasattr(leaf, "__dict__") and not callable(leaf):
            _read_only([*vars(leaf).values()])
    return result


# --- small data sets --------------------------------------------------------------------------------------------------


class Examples(NamedTuple):
    """Inputs and labels, to train and to test with. The arrays are shared by all who ask, so they are read-only."""

    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits(dtype=np.float32) -> Examples:
    """8x8 digits as rows (1437, 64) and (360, 64), mean 0 and standard deviation 1 over all training pixels."""
    return _rows("digits", None, False, True, dtype)


def mnist(examples=10000, dtype=np.float32) -> Examples:
    """The first `examples` of MNIST as rows (N, 784), centred (their mean is 0, their std 0.31), and 2,000 to test."""
    return _rows("mnist", examples, False, False, dtype)


def mnist_standardized(examples=10000, dtype=np.float32) -> Examples:
    """The same divided by their standard deviation, which is then 1."""
    return _rows("mnist", examples, False, True, dtype)


def small_mnist(examples=10000, dtype=np.float64) -> Examples:
    """MNIST at 14x14, each pixel the mean of four, as rows (N, 196), centred (their std is 0.28), and 2,000 to test.

    Chapters 6 to 10 train on these: their learning rates belong to this scale, not to `small_mnist_standardized`.
    """
    return _rows("mnist", examples, True, False, dtype)


def small_mnist_standardized(examples=10000, dtype=np.float32) -> Examples:
    """The same divided by their standard deviation, which is then 1: the images of chapters 2 and 11."""
    return _rows("mnist", examples, True, True, dtype)


def small_clothes(examples=3000, dtype=np.float64) -> Examples:
    """Photographed clothes at 14x14, each pixel the mean of four, as centred rows (3000, 196), and 1,000 to test."""
    return _rows("clothes", examples, True, False, dtype)


@shared(maxsize=16)
def _rows(name, examples, small, standardized, dtype):
    found = {"digits": data.digits, "mnist": data.mnist, "clothes": data.fashion_mnist}[name]()
    if examples is not None and _checks.whole("examples", examples) > len(found.x_train):
        raise RangeError(f"examples is {examples:,}, but {name} has {len(found.x_train):,} training images")
    images = found.x_train[:examples], found.x_test
    x, x_test = ((shrink(a) if small else a).reshape(len(a), -1).astype(dtype) for a in images)
    mean, std = x.mean(), x.std()
    x, x_test = x - mean, x_test - mean
    if standardized:
        x, x_test = x / std, x_test / std
    return Examples(x, found.y_train[:examples], x_test, found.y_test)


def shrink(images: np.ndarray) -> np.ndarray:
    """(N, H, W) -> (N, H/2, W/2), each pixel the mean of four: a quarter of the work, and digits can still be read."""
    return avg_pool2d_forward(images[:, None])[0][:, 0]


# --- batches: functions that give the next x, y -----------------------------------------------------------------------


def drawn(x, y, size: int, rng) -> Callable:
    """Batches of `size` examples, each example drawn from all of them with putting back."""
    count = len(x)

    def sample():
        batch = rng.integers(0, count, size)
        return x[batch], y[batch]

    return sample


def shuffled(x, y, size: int, rng, *, rest=False) -> Callable:
    """Batches of `size` examples from one shuffle after the other.

    What is left of a shuffle and smaller than a batch is left out, or with `rest` it is a smaller batch.
    """
    count = len(x)
    size = min(size, count)

    def batches():
        while True:
            order = rng.permutation(count)
            for i in range(0, count if rest else count - size + 1, size):
                yield order[i : i + size]

    draw = batches()

    def sample():
        batch = next(draw)
        return x[batch], y[batch]

    return sample


# --- a network, and the loop that trains it ---------------------------------------------------------------------------


def mlp(sizes, activation=ReLU, weights=he_normal, *, last=None, before=None, after=()) -> Sequential:
    """Dense layers of the given sizes, first inputs, last scores, with an activation behind each hidden one.

    Parameters
    ----------
    activation : makes the layer: `Tanh`, or `functools.partial(LeakyReLU, 0.1)`
    weights, last : initializers of the weights, and of those of the last layer if they are drawn otherwise
    before : function of the number of units that gives the layers between a dense layer and its activation, such as
        `lambda units: [BatchNorm(units)]`
    after : layers behind each activation, such as `[Dropout(0.5)]`

    >>> mlp([64, 32, 10]).names
    ('dense_0', 'relu_1', 'dense_2')
    """
    *hidden, (features, scores) = itertools.pairwise(sizes)
    layers = []
    for inputs, units in hidden:
        layers += [Dense(inputs, units, weights), *(before(units) if before else ()), activation(), *after]
    return Sequential([*layers, Dense(features, scores, weights if last is None else last)])


NORM_PLACES = ("pre-norm", "post-norm")


def residual_mlp(place, blocks, *, inputs=196, width=32, scores=10, norm=LayerNorm) -> Sequential:
    """A residual network of dense layers, with the norm before each block's layers or after each sum.

    Pre-norm: x + f(norm(x)), and one norm before the last layer. Post-norm: norm(x + f(x)). f is dense, ReLU, dense.
    """
    _checks.choice("place", place, NORM_PLACES)
    layers = [Dense(inputs, width)]
    for _ in range(_checks.whole("blocks", blocks)):
        block = [Dense(width, width), ReLU(), Dense(width, width)]
        if place == "pre-norm":
            layers.append(Residual(Sequential([norm(width), *block])))
        else:
            layers += [Residual(Sequential(block)), norm(width)]
    if place == "pre-norm":
        layers.append(norm(width))
    return Sequential([*layers, Dense(width, scores)])


def scaled(factor, rule=he_normal) -> Callable:
    """An initializer: the weights of `rule` times `factor`."""
    return lambda rng, shape, *, dtype: dtype(factor) * rule(rng, shape, dtype=dtype)


def by_fan_in(gain) -> Callable:
    """An initializer: normal weights of variance gain^2 / fan-in. A gain of sqrt(2) is He's, one of 1 LeCun's."""
    return lambda rng, shape, *, dtype: normal(rng, shape, gain / np.sqrt(fans(shape)[0]), dtype=dtype)


def count(params) -> int:
    """How many numbers a nest of arrays holds."""
    return sum(leaf.size for leaf in trees.leaves(params).values())


def quiet():
    """No warnings where numbers overflow: a training that diverges says so by its losses, which are NaN."""
    return np.errstate(over="ignore", invalid="ignore")


@dataclass(slots=True)
class Step:
    """What `watch` is shown after a step.

    Attributes
    ----------
    step : updates made so far, this one included
    loss, out : of this step's batch, before the update: its loss, (R,) with run axes, and the network's outputs
    grads : the gradients that made the update
    params, state : the network's numbers after it. The next update overwrites the params, so copy what is to be kept
    before : the params before the update, with `moves`; else None
    """

    step: int
    loss: np.ndarray
    out: np.ndarray
    grads: dict
    params: dict
    state: dict
    before: dict | None


@dataclass(frozen=True)
class Descent:
    """A training: `loss` (steps,) or (steps, R), and the `params` and the `state` that it ended with."""

    loss: np.ndarray
    params: dict
    state: dict


def descend(
    net,
    params: dict,
    sample: Callable,
    rule,
    *,
    steps: int,
    loss: Callable = softmax_cross_entropy,
    state: dict | None = None,
    rng=None,
    watch: Callable[[Step], object] | None = None,
    moves: bool = False,
) -> Descent:
    """Train a network for a number of steps: the loop of all experiments.

    `coursekit.training.train` is for whoever has epochs, a validation set and a History in mind; this one is for
    looking at what happens from step to step, also in many networks at once.

    Losses that are not finite follow one rule. A training without run axes ends at the first of them, and its losses
    are NaN from that step on. Along run axes such a run goes on to NaN by itself, beside the others. NumPy's warnings
    are off, in `watch` too.

    Parameters
    ----------
    net : a layer, mostly a `Sequential`
    params : where it starts; they are not changed
    sample : function that gives the next batch x, y: see `drawn` and `shuffled`
    rule : an optimizer
    loss : `loss(out, y) -> (value, dout)`
    state : of layers that have one, such as batch norm
    rng : for layers that draw, such as dropout
    watch : called with a `Step` after every update; training ends early where it returns something true
    moves : keep the params before each update, so that `watch` can compare; costs a copy a step

    >>> from coursekit.optimizers import sgd
    >>> x, y, _, _ = digits()
    >>> net, rng = mlp([64, 16, 10]), np.random.default_rng(0)
    >>> run = descend(net, net.init(rng)[0], drawn(x, y, 50, rng), sgd(0.3), steps=100)
    >>> bool(run.loss[:5].mean() > 2 > 0.5 > run.loss[-5:].mean())
    True
    """
    params = trees.map_leaves(np.copy, params)
    memory, state, losses, stopped = rule.init(params), state or {}, [], False
    with quiet():
        for step in range(1, steps + 1):
            x, y = sample()
            try:
                out, cache, state = net.forward(params, state, x, training=True, rng=rng)
                value, dout = loss(out, y)
            except NotFiniteError:
                break
            grads = net.backward_first(dout, cache)
            before = trees.map_leaves(np.copy, params) if moves else None
            params, memory = rule.update(params, grads, memory, inplace=True)
            losses.append(value)
            if watch is not None and (stopped := watch(Step(step, value, out, grads, params, state, before))):
                break
    made = np.array(losses, dtype=np.float64)
    if not stopped and len(losses) < steps:
        made = np.concatenate([made, np.full((steps - len(losses), *made.shape[1:]), np.nan)])
    return Descent(made, params, state)


# --- many trainings in one pass, to be compared fairly ----------------------------------------------------------------


def pool(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """All examples of a set, those to train and those to test with: `searched` splits them anew for each seed."""
    return np.concatenate([examples.x, examples.x_test]), np.concatenate([examples.y, examples.y_test])


def searched(net, x, y, rule, seeds, *, images: int, held_out: int, steps: int, batch_size: int) -> dict:
    """Train R copies of a network in one pass; the seed draws the split, the start and the batches.

    Runs with the same seed differ in nothing but what the network or the rule sets, so their differences are paired.
    Made for `coursekit.comparison.fair_comparison`, whose settings and seeds come as arrays (R,)::

        def run(settings, seeds):
            found = searched(net, x, y, sgd(settings["lr"]), seeds, images=300, held_out=300, steps=200, batch_size=50)
            return found["validation"]["accuracy"], found["test"]["accuracy"]

    Parameters
    ----------
    x, y : all the examples, see `pool`
    rule : an optimizer; its `lr` may be an array (R,)
    seeds : (R,)
    images, held_out : how many are trained on, and how many are for validation; the rest is the test

    Returns
    -------
    {"train", "validation", "test"} : {"loss", "accuracy"}, arrays (R,) in eval mode, NaN or chance where it diverged;
        "last" : (R,) the mean of the last 20 losses of training
    """
    rngs = [np.random.default_rng(seed) for seed in seeds]
    orders = np.array([rng.permutation(len(x)) for rng in rngs])
    parts = dict(
        zip(("train", "validation", "test"), np.split(orders, [images, images + held_out], axis=1), strict=True)
    )

    def sample():
        rows = [own[rng.integers(0, images, batch_size)] for own, rng in zip(parts["train"], rngs, strict=True)]
        return x[np.array(rows)], y[np.array(rows)]

    inits = [net.init(rng) for rng in rngs]
    params, state = (stack_runs([part[k] for part in inits]) if inits[0][k] else {} for k in (0, 1))
    run = descend(net, params, sample, rule, steps=steps, state=state, rng=np.random.default_rng(int(seeds[0])))
    found = {"last": run.loss[-20:].mean(axis=0)}
    with quiet():
        for name, rows in parts.items():
            scores, _, _ = net.forward(run.params, run.state, x[rows], training=False)
            found[name] = {"loss": softmax_cross_entropy(scores, y[rows])[0], "accuracy": accuracy(scores, y[rows])}
    return found


if sys.platform == "emscripten":
    from .. import _steps

    descend = _steps.of_descent(descend)
