"""Chapter 11's clinic: forty training runs whose trouble is known, because it was put there.

`python -m coursekit.experiments.clinic` makes all forty again, in about half a minute, and writes them to
`clinic.dat` beside this file. Every run is decided by its `Setup`: a healthy one with a single thing changed.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import _checks, trees
from ..diagnostics import diagnose, update_ratio
from ..errors import NotFiniteError
from ..losses import softmax_cross_entropy
from ..model import accuracy
from ..optimizers import adam, by_layer, momentum, sgd
from ..training import History
from ._bench import descend, drawn, mlp, scaled, shared, small_mnist_standardized

FILE = Path(__file__).with_name("clinic.dat")  # an .npz archive; the browser's wheel leaves files of that name out
STEPS, EVERY = 600, 40  # steps of a run; a check-up every so many
CHECKED = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
OPTIMIZERS = {"sgd": sgd, "momentum": momentum, "adam": adam}


@dataclass(frozen=True)
class Setup:
    """One run: a net of 196-h-h-10 ReLU units on 14x14 MNIST images, batches of 50, and what is wrong with it."""

    cause: str
    told: str
    optimizer: str = "sgd"
    rate: float = 0.1
    hidden: int = 32
    examples: int = 10000
    first_weights: float = 1.0
    last_weights: float = 0.1
    inputs: float = 1.0
    validation: float = 1.0
    mirrored: bool = False
    shuffled_labels: bool = False
    by_class: bool = False
    frozen: tuple[int, ...] = ()


CAUSES = {
    "nothing is wrong": "the loss starts near ln 10 = 2.30 and falls at once, training and validation stay close "
    "together, and all layers move at similar, moderate update ratios",
    "learning rate too small": "the loss falls slowly and smoothly and is still falling at the end, and the update "
    "ratios of the hidden layers are far below 0.001",
    "learning rate too large": "the loss jumps, climbs far above ln 10, stays there, or leaves the finite numbers, and "
    "the update ratios are well above 0.03 at least at the start",
    "first weights too small": "the loss stands at ln 10 = 2.30 from the first step, sometimes until the end, and "
    "accuracy is that of guessing",
    "first scores too large": "the very first loss is far above ln 10 = 2.30, then drops steeply",
    "too few training images": "training accuracy goes to 100 % while validation stays far behind, and the validation "
    "loss turns upwards",
    "labels do not belong to the images": "training creeps forward by memorizing, at healthy update ratios, while "
    "validation stays at guessing and its loss climbs above ln 10",
    "a layer is not updated": "one layer has no update ratio at all: its line is missing, while the others move",
    "validation images prepared differently": "training is healthy, and validation is bad from the first check-up "
    "on, too early to be overfitting",
    "examples sorted by class": "the training loss is a saw: near 0 while one class lasts, a jump when the next "
    "begins; and validation sees little of it",
}  # how each cause looks; the words of the clinic's feedback


def _setups():
    def runs(cause, *rows):
        return [Setup(cause, told, **change) for told, change in rows]

    return (
        *runs(
            "nothing is wrong",
            ("SGD at 0.1", {}),
            ("SGD at 0.15, hidden layers of 48", {"rate": 0.15, "hidden": 48}),
            ("momentum at 0.02", {"optimizer": "momentum", "rate": 0.02}),
            ("Adam at 0.003", {"optimizer": "adam", "rate": 0.003}),
        ),
        *runs(
            "learning rate too small",
            ("SGD at 0.003; 0.1 would do", {"rate": 0.003}),
            ("SGD at 0.0015; 0.1 would do", {"rate": 0.0015}),
            ("momentum at 0.0002; 0.02 would do", {"optimizer": "momentum", "rate": 2e-4}),
            ("Adam at 0.00003; 0.003 would do", {"optimizer": "adam", "rate": 3e-5}),
        ),
        *runs(
            "learning rate too large",
            ("SGD at 30; 0.1 would do", {"rate": 30.0}),
            ("SGD at 1; 0.1 would do", {"rate": 1.0}),
            ("momentum at 0.25; 0.02 would do", {"optimizer": "momentum", "rate": 0.25}),
            ("Adam at 0.1; 0.003 would do", {"optimizer": "adam", "rate": 0.1}),
        ),
        *runs(
            "first weights too small",
            ("all weights 100 times smaller than in the healthy runs", {"first_weights": 0.01}),
            ("all weights 9 times smaller than in the healthy runs", {"first_weights": 1 / 9}),
            ("all weights 1,000 times smaller than in the healthy runs", {"first_weights": 0.001}),
            (
                "all weights 10 times smaller than in the healthy runs, momentum",
                {"first_weights": 0.1, "optimizer": "momentum", "rate": 0.02},
            ),
        ),
        *runs(
            "first scores too large",
            ("last layer's weights 15 times He's", {"last_weights": 15.0, "rate": 0.01}),
            ("last layer's weights 30 times He's, Adam", {"last_weights": 30.0, "optimizer": "adam", "rate": 0.003}),
            (
                "inputs 30 times too large, Adam",
                {"inputs": 30.0, "validation": 30.0, "last_weights": 1.0, "optimizer": "adam", "rate": 0.003},
            ),
            ("inputs 10 times too large", {"inputs": 10.0, "validation": 10.0, "last_weights": 1.0, "rate": 0.003}),
        ),
        *runs(
            "too few training images",
            ("100 training images", {"examples": 100}),
            ("150 training images, hidden layers of 48", {"examples": 150, "hidden": 48}),
            ("200 training images, momentum", {"examples": 200, "optimizer": "momentum", "rate": 0.02}),
            ("100 training images, Adam", {"examples": 100, "optimizer": "adam", "rate": 0.003}),
        ),
        *runs(
            "labels do not belong to the images",
            ("4,000 images, their labels shuffled", {"shuffled_labels": True, "examples": 4000}),
            ("200 images, their labels shuffled", {"shuffled_labels": True, "examples": 200}),
            (
                "600 images, their labels shuffled, Adam",
                {"shuffled_labels": True, "examples": 600, "optimizer": "adam", "rate": 0.003},
            ),
            (
                "300 images, their labels shuffled, momentum",
                {"shuffled_labels": True, "examples": 300, "optimizer": "momentum", "rate": 0.02},
            ),
        ),
        *runs(
            "a layer is not updated",
            ("the optimizer never got the first layer", {"frozen": (0,)}),
            ("the optimizer never got the second layer", {"frozen": (1,)}),
            ("the optimizer never got the last layer", {"frozen": (2,)}),
            ("the optimizer never got the first layer, Adam", {"frozen": (0,), "optimizer": "adam", "rate": 0.003}),
        ),
        *runs(
            "validation images prepared differently",
            ("validation images upside down", {"mirrored": True}),
            ("validation images 8 times too large", {"validation": 8.0}),
            ("validation images with black and white exchanged", {"validation": -1.0}),
            ("validation images upside down, Adam", {"mirrored": True, "optimizer": "adam", "rate": 0.003}),
        ),
        *runs(
            "examples sorted by class",
            ("4,000 images in order of their class", {"by_class": True, "examples": 4000}),
            ("2,000 images in order of their class", {"by_class": True, "examples": 2000}),
            (
                "3,000 images in order of their class, momentum",
                {"by_class": True, "examples": 3000, "optimizer": "momentum", "rate": 0.01},
            ),
            (
                "4,000 images in order of their class, Adam",
                {"by_class": True, "examples": 4000, "optimizer": "adam", "rate": 0.001},
            ),
        ),
    )


SETUPS = _setups()


def run(setup: Setup, seed=0, steps=STEPS) -> dict:
    """Train as `setup` says and keep what a careful person would plot.

    Returns
    -------
    loss : (steps,) training loss of every batch; NaN from the step at which it left the finite numbers
    train_loss, val_loss, train_accuracy, val_accuracy : (steps / 40,) measured at each check-up, in eval mode, on 500
        training and 500 validation images
    ratio : (steps / 40, 3) median update ratio of each layer's weights since the last check-up
    gradient : (steps / 40,) median norm of the whole gradient since the last check-up
    """
    rng = np.random.default_rng(seed)
    x, y, x_val, y_val = _prepared(setup, rng)
    net = mlp(
        [196, setup.hidden, setup.hidden, 10],
        weights=scaled(setup.first_weights),
        last=scaled(setup.first_weights * setup.last_weights),
    )
    params, _ = net.init(rng)
    names = list(params)
    rule = by_layer(OPTIMIZERS[setup.optimizer](setup.rate), {names[layer]: None for layer in setup.frozen})
    sample = in_order(x, y, 50) if setup.by_class else drawn(x, y, 50, rng)
    part = slice(None, None, max(1, len(x) // 500)) if setup.by_class else slice(500)
    ratios, norms = np.full((steps, 3), np.nan), np.full(steps, np.nan)
    checks = {name: np.full(steps // EVERY, np.nan) for name in CHECKED}

    def watch(now):
        moved = update_ratio(now.before, now.params)
        ratios[now.step - 1] = [moved[f"{name}/w"] for name in names]
        norms[now.step - 1] = np.sqrt(sum(float((g**2).sum()) for g in trees.leaves(now.grads).values()))
        if now.step % EVERY == 0:
            _check_up(net, now.params, checks, now.step // EVERY - 1, (x[part], y[part]), (x_val, y_val))

    run = descend(net, params, sample, rule, steps=steps, watch=watch, moves=True)
    return {
        "loss": run.loss,
        "ratio": _medians(ratios.reshape(-1, EVERY, 3)),
        "gradient": _medians(norms.reshape(-1, EVERY)),
    } | checks


def _prepared(setup, rng):
    """The images as the setup has them: x, y to train on, and 500 to validate."""
    x, y, x_val, y_val = small_mnist_standardized()
    x, y = x[: setup.examples], y[: setup.examples]
    if setup.shuffled_labels:
        y = rng.permutation(y)
    if setup.by_class:
        order = np.argsort(y, kind="stable")
        x, y = x[order], y[order]
    x_val, y_val = x_val[:500], y_val[:500]
    if setup.mirrored:
        x_val = x_val[:, ::-1]
    return x * np.float32(setup.inputs), y, x_val * np.float32(setup.validation), y_val


def in_order(x, y, size):
    """Batches of `size` examples in the order given, from the start again after the last."""
    first = itertools.count(step=size)

    def sample():
        start = next(first)
        batch = np.arange(start, start + size) % len(x)
        return x[batch], y[batch]

    return sample


def _check_up(net, params, checks, at, *parts):
    for part, (x, y) in zip(("train", "val"), parts, strict=True):
        scores, _, _ = net.forward(params, {}, x, training=False)
        try:
            checks[f"{part}_loss"][at], _ = softmax_cross_entropy(scores, y)
            checks[f"{part}_accuracy"][at] = accuracy(scores, y)
        except NotFiniteError:
            return


def _medians(values):
    """Median over axis 1 of the steps that were made; NaN where there was none."""
    made = [row[np.isfinite(row).reshape(len(row), -1).all(axis=1)] for row in values]
    return np.array([np.median(row, axis=0) if len(row) else np.full(row.shape[1:], np.nan) for row in made])


def history(result: dict) -> History:
    """A recorded run as the History that `coursekit.diagnostics.diagnose` reads; one check-up is one epoch."""
    loss = result["loss"]
    finite = np.isfinite(loss)
    columns = {"loss": "train_loss", "val_loss": "val_loss", "val_accuracy": "val_accuracy"}
    epochs = [
        {"epoch": i + 1} | {name: result[column][i] for name, column in columns.items()}
        for i in range(len(result["val_loss"]))
        if np.isfinite(result["val_loss"][i])
    ]
    stopped = "finished" if finite.all() else "diverged"
    return History({}, {}, {}, loss=list(loss[finite]), epochs=epochs, stopped=stopped)


MOST = 60000.0  # larger losses are recorded as this, near the largest number of half precision
KEPT = (*CHECKED, "ratio", "gradient")


def record_all() -> dict[str, np.ndarray]:
    """All forty runs, made now: arrays with one row a run. The seed of run i is i."""
    rows = [run(setup, seed=i) for i, setup in enumerate(SETUPS)]
    arrays = {name: np.array([row[name] for row in rows], np.float32) for name in KEPT}
    losses = np.array([row["loss"] for row in rows])
    return arrays | {"loss": np.minimum(losses, MOST).astype(np.float16)}


@shared(maxsize=1)
def _records():
    with np.load(FILE) as arrays:
        return {name: arrays[name] for name in arrays.files}


def recorded(case: int) -> dict:
    """Run 1 to 40 as it was recorded, as from `run`, with its `cause`, what was `told` of it and its number."""
    case = _checks.whole("case", case, 1)
    _checks.number("case", case, 1, len(SETUPS))
    index = ORDER[case - 1]
    result = {name: values[index].astype(np.float64) for name, values in _records().items()}
    return result | {"case": case, "cause": SETUPS[index].cause, "told": SETUPS[index].told, "index": index}


def _mixed(seed=11):
    """The order of the cases: drawn, and such that no two neighbours have the same cause."""
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(SETUPS)).tolist()
        if all(SETUPS[a].cause != SETUPS[b].cause for a, b in itertools.pairwise(order)):
            return order


ORDER = _mixed()

# What a reader may confuse with each cause: the options beside the right one.
CONFUSED = {
    "nothing is wrong": ("a layer is not updated", "too few training images", "learning rate too small"),
    "learning rate too small": ("first weights too small", "nothing is wrong", "a layer is not updated"),
    "learning rate too large": ("first scores too large", "first weights too small", "examples sorted by class"),
    "first weights too small": (
        "learning rate too small",
        "labels do not belong to the images",
        "learning rate too large",
    ),
    "first scores too large": ("learning rate too large", "nothing is wrong", "validation images prepared differently"),
    "too few training images": (
        "validation images prepared differently",
        "labels do not belong to the images",
        "nothing is wrong",
    ),
    "labels do not belong to the images": (
        "too few training images",
        "first weights too small",
        "validation images prepared differently",
    ),
    "a layer is not updated": ("nothing is wrong", "learning rate too small", "first weights too small"),
    "validation images prepared differently": (
        "too few training images",
        "labels do not belong to the images",
        "nothing is wrong",
    ),
    "examples sorted by class": (
        "learning rate too large",
        "labels do not belong to the images",
        "first scores too large",
    ),
}
REMEDIES = {
    "nothing is wrong": "leave it alone, or train for longer",
    "learning rate too small": "raise the rate by factors of three until the loss starts to jump, then go back by one",
    "learning rate too large": "lower it tenfold and look again",
    "first weights too small": "use He's rule for ReLU layers (chapter 5)",
    "first scores too large": "scale the inputs, and start the last layer small",
    "too few training images": "more data, or one of the means of chapter 9",
    "labels do not belong to the images": "look at ten images with their labels, as the network gets them",
    "a layer is not updated": "look at which parameters the optimizer was given",
    "validation images prepared differently": "send both through one and the same function",
    "examples sorted by class": "shuffle once an epoch",
}


def questions() -> list[dict]:
    """The forty cases in their mixed order: `cause`, what was `told`, four `options` in a drawn order, `answer`."""
    rng = np.random.default_rng(40)
    rows = []
    for index in ORDER:
        setup = SETUPS[index]
        options = [setup.cause, *CONFUSED[setup.cause]]
        options = [options[i] for i in rng.permutation(4)]
        rows.append(
            {"cause": setup.cause, "options": options, "answer": options.index(setup.cause), "told": setup.told}
        )
    return rows


# The finding of `diagnose` that fits a cause; the four other causes are none that it knows.
FITS = {
    "nothing is wrong": set(),
    "learning rate too small": {"still learning"},
    "learning rate too large": {"diverged", "loss rises", "loss jumps"},
    "first weights too small": {"loss stands still"},
    "first scores too large": {"first loss too high"},
    "too few training images": {"overfitting"},
}


def diagnosed() -> list[dict]:
    """What `coursekit.diagnostics.diagnose` says of each recorded run: `findings`, and whether one `fits` the cause."""
    rows = []
    for case in range(1, len(SETUPS) + 1):
        result = recorded(case)
        findings = {finding.name for finding in diagnose(history(result), classes=10)}
        fits = FITS.get(result["cause"])
        right = fits is not None and (bool(findings & fits) if fits else not findings)
        rows.append({"case": case, "cause": result["cause"], "findings": sorted(findings), "fits": right})
    return rows


if __name__ == "__main__":
    with FILE.open("wb") as file:
        np.savez_compressed(file, **record_all())
    print(f"{FILE.name}: {len(SETUPS)} runs")
