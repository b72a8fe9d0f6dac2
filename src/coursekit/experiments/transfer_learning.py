"""Chapter 15: what a network that has learnt one task knows about another."""

from __future__ import annotations

import copy

import numpy as np

from .. import _checks, data, trees
from ..data import weights
from ..errors import RangeError
from ..layers import Conv2d, Dense, Flatten, MaxPool2d, ReLU
from ..model import Sequential, accuracy, predict, stack_runs
from ..optimizers import by_layer, momentum
from ..schedules import cosine
from ..transfer import split
from ._bench import Examples, descend, drawn, shared, shrink

# How many of the network's layers lie before each cut.
CUTS = {"pixels": 0, "convolution 1": 3, "convolution 2": 6, "dense layer": 9}
FROZEN = tuple(CUTS.values())
FROZEN_NAMES = ("none", "convolution 1", "both convolutions", "all but the head")
HEAD = "dense_9"
SOURCES = {
    "digits 0-4": "transfer_digits_0_4",
    "digits": "transfer_digits",
    "clothes A": "transfer_clothes_a",
    "clothes": "transfer_clothes",
}
# Two halves of the clothes that have much in common: something for the trunk, the leg, the foot in each.
HALVES = {"clothes A": (0, 2, 5, 7, 8), "clothes B": (1, 3, 4, 6, 9)}
TASKS = {
    "digits 0-4 to 5-9": ("digits 0-4", "digits 5-9"),
    "clothes A to B": ("clothes A", "clothes B"),
    "clothes to digits": ("clothes", "digits"),
    "digits to clothes": ("digits", "clothes"),
}
# For each target a source that is like it and one that is not.
RELATIVES = {"digits 5-9": ("digits 0-4", "clothes"), "clothes B": ("clothes A", "digits")}
SIZES = (10, 30, 100, 300, 1000)
SEEDS = 10


@shared()
def problem(name: str) -> Examples:
    """x, y, x_test, y_test of "digits" or "clothes", or of a half of them with labels 0 to 4, from the shipped samples.

    The halves are "digits 0-4", "digits 5-9", "clothes A" and "clothes B", see `HALVES`.
    """
    if name in ("digits", "clothes"):
        images = data.mnist() if name == "digits" else data.fashion_mnist()
        x, x_test = (shrink(a)[:, None] for a in (images.x_train, images.x_test))  # a channel axis
        return Examples(x, images.y_train, x_test, images.y_test)
    halves = {"digits 0-4": range(5), "digits 5-9": range(5, 10)} | HALVES
    _checks.choice("name", name, ("digits", "clothes", *halves))
    x, y, x_test, y_test = problem(name.split()[0])
    label = np.full(10, -1)
    label[list(halves[name])] = range(5)
    here, here_test = label[y] >= 0, label[y_test] >= 0
    return Examples(x[here], label[y[here]], x_test[here_test], label[y_test[here_test]])


def network(classes: int) -> Sequential:
    """The chapter's network: two convolutions with pooling, a dense layer of 32 features, and a head."""
    return Sequential(
        [
            *(Conv2d(1, 8, 3, padding=1), ReLU(), MaxPool2d(2)),
            *(Conv2d(8, 16, 3, padding=1), ReLU(), MaxPool2d(2)),
            *(Flatten(), Dense(144, 32), ReLU()),
            Dense(32, classes),
        ]
    )


def pretrained(source: str, seed: int = 0, dtype=np.float32) -> dict:
    """Params of the network that was trained on `source`; "untrained" gives a fresh draw."""
    if source == "untrained":
        return network(10).init(np.random.default_rng([seed, 15]), dtype=dtype)[0]
    _checks.choice("source", source, SOURCES)
    return copy.deepcopy(weights.load(SOURCES[source], dtype).params)


def start(source, classes, rng, dtype=np.float32) -> dict:
    """The source's body under a fresh head; a fresh network for None."""
    params, _ = network(classes).init(rng, dtype=dtype)
    if source is None:
        return params
    head = {"w": 0.1 * params[HEAD]["w"], "b": params[HEAD]["b"]}
    return pretrained(source, dtype=dtype) | {HEAD: head}


def fine_tune(source, target, n, frozen=0, lr=0.05, steps=200, batch_size=32, seed=0) -> float:
    """Train on n examples of the target with the first `frozen` layers held still; the test accuracy.

    The frozen part is run once, and the rest is trained on what it gave.

    Parameters
    ----------
    source : name of the source, or None for a start from random weights
    target : name of the target, see `problem`
    n : how many training examples of the target; the same seed takes the same ones
    frozen : 0, 3, 6 or 9 layers, see `CUTS`
    lr : rate of momentum 0.9 at the start; it falls to 0 along a cosine
    """
    return tuned(source, target, n, frozen, lr, steps, batch_size, seed)[1]


def tuned(source, target, n, frozen=0, lr=0.05, steps=200, batch_size=32, seed=0) -> tuple[float, float]:
    """`fine_tune`, with the accuracy on 400 training images that were left out in front: settings are chosen on
    them.
    """
    x, y, x_test, y_test = problem(target)
    _checks.choice("frozen", frozen, FROZEN)
    rng = np.random.default_rng(seed)
    chosen = draw(target, n, rng)
    left = np.setdiff1d(np.arange(len(x)), chosen)[-400:]
    x_left, y_left = x[left], y[left]
    x, y, classes = x[chosen], y[chosen], int(y.max()) + 1
    net, params = network(classes), start(source, classes, rng)
    if frozen:
        (body, body_params, _), (net, params, _) = split(net, params, {}, frozen)
        x, x_test, x_left = (predict(body, body_params, {}, a) for a in (x, x_test, x_left))
    run = descend(net, params, drawn(x, y, min(batch_size, n), rng), momentum(cosine(lr, steps), 0.9), steps=steps)
    pairs = (x_left, y_left), (x_test, y_test)
    return tuple(float(accuracy(predict(net, run.params, {}, a), labels)) for a, labels in pairs)


def draw(target: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Places of n training examples of the target, without repetition."""
    count = len(problem(target)[0])
    if _checks.whole("n", n) > count:
        raise RangeError(f"n is {n:,}, but {target} has {count:,} training images")
    return rng.permutation(count)[:n]


def compare(task="digits 0-4 to 5-9", sizes=SIZES, frozen=(0,), seeds=5) -> dict:
    """Accuracy on the target by number of examples: from scratch, and from the source with some layers frozen.

    Returns
    -------
    scratch : (sizes, seeds)
    transfer : (frozen, sizes, seeds); the same seed has the same examples
    """
    _checks.choice("task", task, TASKS)
    source, target = TASKS[task]
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    scratch = [[fine_tune(None, target, n, seed=seed) for seed in seeds] for n in sizes]
    transfer = [[[fine_tune(source, target, n, k, seed=seed) for seed in seeds] for n in sizes] for k in frozen]
    return {
        "task": task,
        "sizes": np.array(sizes),
        "frozen": np.array(frozen),
        "scratch": np.array(scratch),
        "transfer": np.array(transfer),
    }


def table(task="digits 0-4 to 5-9", frozen="none", size=10) -> dict:
    """What `compare` gave for all cuts and sizes, from the shipped table; `frozen` and `size` are what is looked at."""
    _checks.choice("task", task, TASKS)
    kept = weights.load("transfer_table", np.float64).params[task]
    return {
        "task": task,
        "sizes": np.array(SIZES),
        "scratch": kept["scratch"],
        "transfer": kept["transfer"],
        "chosen": FROZEN_NAMES.index(_checks.choice("frozen", frozen, FROZEN_NAMES)),
        "at": SIZES.index(_checks.choice("size", size, SIZES)),
    }


def gains(result: dict) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the seeds of transfer minus scratch, and its standard error; each (frozen, sizes)."""
    difference = result["transfer"] - result["scratch"]
    return difference.mean(axis=-1), difference.std(axis=-1, ddof=1) / np.sqrt(difference.shape[-1])


@shared()
def features(source: str, target: str, cut: str) -> tuple[np.ndarray, np.ndarray]:
    """Training and test images of the target as the source's network sees them at a cut: rows, (N, D), float64.

    They are brought to unit size, so that one learning rate suits every cut.
    """
    x, _, x_test, _ = problem(target)
    if CUTS[_checks.choice("cut", cut, CUTS)]:
        params = pretrained(source)
        (body, params, _), _ = split(network(params[HEAD]["w"].shape[1]), params, {}, CUTS[cut])
        params = trees.map_leaves(lambda a: a.astype(np.float64), params)  # so that a browser gives the same picture
        x, x_test = (predict(body, params, {}, a.astype(np.float64)) for a in (x, x_test))
    return unit(x, x_test)


def unit(x: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of float64, each feature's mean taken off, all divided by one number; both learnt from x alone."""
    x, x_test = (a.reshape(len(a), -1).astype(np.float64) for a in (x, x_test))
    mean, scale = x.mean(axis=0), x.std()
    return (x - mean) / scale, (x_test - mean) / scale


def softmax_layer(x, y, x_test, y_test, chosen, rngs, steps=100, batch_size=100) -> np.ndarray:
    """Train one softmax layer on rows of features, a run for each generator side by side.

    Parameters
    ----------
    x, x_test : (N, D) features of about unit size
    y, y_test : (N,) labels
    chosen : (R, n) which rows each run trains on
    rngs : R generators, for the order of the examples

    Returns
    -------
    (R,) accuracy on the test rows
    """
    layer, n = Dense(x.shape[1], int(y.max()) + 1), chosen.shape[1]
    params = stack_runs([layer.init(rng, dtype=x.dtype)[0] for rng in rngs])
    params["w"][:] = 0

    def sample():
        draws = [rng.choice(rows, min(batch_size, n), replace=False) for rng, rows in zip(rngs, chosen, strict=True)]
        batch = np.stack(draws)
        return x[batch], y[batch]

    params = descend(layer, params, sample, momentum(cosine(2 / x.shape[1], steps), 0.9), steps=steps).params
    return accuracy(x_test @ params["w"] + params["b"], np.broadcast_to(y_test, (len(rngs), len(y_test))))


def head(source, target, cut, n=100, seeds=3) -> np.ndarray:
    """Train a softmax layer on frozen features, a few seeds side by side; the test accuracy of each, (seeds,)."""
    x, x_test = features(source, target, cut)
    _, y, _, y_test = problem(target)
    rngs = [np.random.default_rng(seed) for seed in range(seeds)]
    chosen = np.stack([draw(target, n, rng) for rng in rngs])
    return softmax_layer(x, y, x_test, y_test, chosen, rngs)


def heads(target="digits 5-9", cut="pixels", n=100) -> dict:
    """The same softmax layer on the pixels, and on the features of three networks at a cut.

    Returns `{"related": (seeds,) accuracies, "other": ..., "untrained": ..., "pixels": ...}` and the settings.
    """
    related, other = RELATIVES[_checks.choice("target", target, RELATIVES)]
    names = {"related": related, "other": other, "untrained": "untrained"}
    result = {kind: head(source, target, cut, n) for kind, source in names.items()}
    return result | {
        "pixels": head("untrained", target, "pixels", n),
        "names": names,
        "target": target,
        "cut": cut,
        "n": n,
    }


def rates(body_rate=0.05, n=30, head_rate=0.05, steps=80, every=10, seed=0) -> dict:
    """Fine-tune all layers for digits 5-9, the body at its own rate, and ask at times what is left of digits 0-4.

    Returns
    -------
    step : (K,) at which the accuracies were measured
    target, source : (K,) accuracy on 400 test digits 5 to 9 with the new head, on 400 digits 0 to 4 with the old one
    """
    rng = np.random.default_rng(seed)
    x, y, x_test, y_test = problem("digits 5-9")
    _, _, x_old, y_old = problem("digits 0-4")
    chosen = draw("digits 5-9", n, rng)
    net = network(5)
    params, old = start("digits 0-4", 5, rng, np.float64), pretrained("digits 0-4", dtype=np.float64)[HEAD]
    x, x_test, x_old = x[chosen].astype(np.float64), x_test[:400].astype(np.float64), x_old[:400].astype(np.float64)
    y = y[chosen]
    rule = by_layer(momentum(body_rate, 0.9), {HEAD: momentum(head_rate, 0.9)})
    result = {"step": [], "target": [], "source": []}

    def look(step, params):
        result["step"].append(step)
        result["target"].append(accuracy(predict(net, params, {}, x_test), y_test[:400]))
        result["source"].append(accuracy(predict(net, params | {HEAD: old}, {}, x_old), y_old[:400]))

    def watch(now):
        if now.step % every == 0:
            look(now.step, now.params)

    look(0, params)
    descend(net, params, drawn(x, y, min(32, n), rng), rule, steps=steps, watch=watch)
    result = {name: np.array(values) for name, values in result.items()}
    return result | {"body_rate": body_rate, "head_rate": head_rate, "n": n}
