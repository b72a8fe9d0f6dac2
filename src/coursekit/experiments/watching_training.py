"""Chapter 11: what to measure while a network trains, and what the numbers mean."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np

from .. import _checks, trees
from ..activations import relu_backward, relu_forward, softmax
from ..dense import affine_backward, affine_forward
from ..diagnostics import confusion_matrix, update_ratio
from ..errors import NotFiniteError
from ..gradcheck import numerical_gradient
from ..initializers import he_normal
from ..layers import Layer
from ..losses import softmax_cross_entropy
from ..model import accuracy, stack_runs
from ..optimizers import adam, adamw, by_layer, momentum, sgd
from ._bench import descend, drawn, mlp, mnist, quiet, scaled, shared, shuffled, small_mnist_standardized

OPTIMIZERS = {"SGD": sgd, "momentum": momentum, "Adam": adam}
LAYERS = ("layer 1", "layer 2", "layer 3")


def first_loss(scale=1.0, inputs=1.0, classes=10, steps=60, rate=0.03, seed=0) -> dict:
    """Train 196-32-32-C for a few steps, the last layer's weights `scale` times He's, the inputs `inputs` times their
    usual size.

    Returns
    -------
    loss : (steps,) the loss of every step; NaN from the step at which it left the finite numbers
    first : the loss on all 2,000 images before the first step
    spread : standard deviation of an image's first scores
    expected : ln C + spread^2 / 2, what small random scores give
    """
    rng = np.random.default_rng(seed)
    x_all, y_all, _, _ = small_mnist_standardized()
    keep = y_all < classes
    x, y = inputs * x_all[keep][:2000].astype(np.float64), y_all[keep][:2000]
    net = mlp([196, 32, 32, classes], last=scaled(scale))
    params, _ = net.init(rng, dtype=np.float64)
    scores, _, _ = net.forward(params, {}, x, training=False)
    first, _ = softmax_cross_entropy(scores, y)
    spread = float((scores - scores.mean(axis=1, keepdims=True)).std())
    run = descend(net, params, drawn(x, y, 100, rng), sgd(rate), steps=steps)
    return {
        "loss": run.loss,
        "first": float(first),
        "spread": spread,
        "expected": float(np.log(classes) + spread**2 / 2),
        "scale": scale,
        "inputs": inputs,
        "classes": classes,
    }


# A small network written out, so that things can be broken in it. The names are what the reader sees.
BUGS = (
    "none",
    "softmax twice",
    "labels shuffled",
    "ReLU backward left out",
    "first layer not updated",
    "loss summed, not averaged",
    "inputs 0 to 255",
)


def small_net(rng, inputs=196, hidden=64, classes=10, dtype=np.float32) -> dict:
    """Weights and biases of inputs-hidden-classes; the last layer starts ten times smaller than He's."""
    return {
        "w1": he_normal(rng, (inputs, hidden), dtype=dtype),
        "b1": np.zeros(hidden, dtype),
        "w2": dtype(0.1) * he_normal(rng, (hidden, classes), dtype=dtype),
        "b2": np.zeros(classes, dtype),
    }


@dataclass(frozen=True)
class SmallNet(Layer):
    """What `small_net` drew as a network, with the bug in it; `loss` belongs to it, as a bug may lie there."""

    bug: str = "none"

    def forward(self, params, state, x, *, training, rng=None):
        """x (N, D) -> scores (N, C)."""
        z, cache1 = affine_forward(x, params["w1"], params["b1"])
        h, cache_relu = relu_forward(z)
        scores, cache2 = affine_forward(h, params["w2"], params["b2"])
        return scores, (cache1, cache_relu, cache2), state

    def loss(self, scores, y):
        """Cross-entropy of the scores, and its gradient."""
        if self.bug == "softmax twice":  # the probabilities are taken for scores
            p = softmax(scores)
            loss, dp = softmax_cross_entropy(p, y)
            dscores = p * (dp - (dp * p).sum(axis=1, keepdims=True))
        else:
            loss, dscores = softmax_cross_entropy(scores, y)
        if self.bug == "loss summed, not averaged":
            loss, dscores = loss * len(scores), dscores * len(scores)
        return loss, dscores

    def backward(self, dscores, cache):
        """The gradient of the scores -> that of x, and those of the params."""
        cache1, cache_relu, cache2 = cache
        dh, dw2, db2 = affine_backward(dscores, cache2)
        dz = dh if self.bug == "ReLU backward left out" else relu_backward(dh, cache_relu)
        dx, dw1, db1 = affine_backward(dz, cache1)
        return dx, {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2}

    def rule(self, optimizer):
        """The optimizer as this network is given it."""
        frozen = ("w1", "b1") if self.bug == "first layer not updated" else ()
        return by_layer(optimizer, dict.fromkeys(frozen))


def loss_and_gradients(params: dict, x, y, bug="none") -> tuple[float, dict, np.ndarray]:
    """Forward and backward pass of `SmallNet`, with the bug in it: (loss, gradients, scores)."""
    net = SmallNet(bug)
    scores, cache, _ = net.forward(params, {}, x, training=True)
    loss, dscores = net.loss(scores, y)
    return float(loss), net.backward(dscores, cache)[1], scores


def _prepared(bug, examples, rng):
    x_all, y_all, x_val, y_val = small_mnist_standardized()
    x, y = x_all[:examples], y_all[:examples]
    if bug == "labels shuffled":
        y = rng.permutation(y)
    if bug == "inputs 0 to 255":
        x, x_val = 255 * x, 255 * x_val
    return x, y, x_val, y_val


def overfit(examples=20, bug="none", steps=200, rate=0.01, seed=0) -> dict:
    """Train on the same few examples, all of them in every step, and see whether the loss goes to nothing.

    Returns `loss` and `accuracy`, (steps,) on these examples, with the settings.
    """
    _checks.choice("bug", bug, BUGS)
    rng = np.random.default_rng(seed)
    x, y, _, _ = _prepared(bug, examples, rng)
    x, params = x.astype(np.float64), small_net(rng, dtype=np.float64)
    net, share = SmallNet(bug), np.full(steps, np.nan)

    def watch(now):
        share[now.step - 1] = accuracy(now.out, y)

    run = descend(net, params, lambda: (x, y), net.rule(adam(rate)), steps=steps, loss=net.loss, watch=watch)
    return {"loss": run.loss, "accuracy": share, "examples": examples, "bug": bug}


def checks(bug="none", seed=0) -> dict:
    """What five checks say about the network with this bug.

    Returns
    -------
    first_loss : on 1,000 examples, before training
    gradient_error : largest relative difference from central differences, on 4 examples in float64
    overfit_loss : on 20 examples after 200 steps
    ratio : update ratio of `w1` and of `w2`, median over the steps of training
    accuracy : on 1,000 validation images after 200 steps of SGD 0.1, batches of 50 out of 5,000
    loss : (200,) the losses of these steps
    """
    _checks.choice("bug", bug, BUGS)
    rng = np.random.default_rng(seed)
    x, y, x_val, y_val = _prepared(bug, 5000, rng)
    params = small_net(rng)
    first, _, _ = loss_and_gradients(params, x[:1000], y[:1000], bug)
    net, ratios = SmallNet(bug), []

    def watch(now):
        moved = update_ratio(now.before, now.params)
        ratios.append((moved["w1"], moved["w2"]))

    sample, rule = drawn(x, y, 50, rng), net.rule(sgd(0.1))
    run = descend(net, params, sample, rule, steps=200, loss=net.loss, watch=watch, moves=True)
    share = np.nan
    with quiet(), contextlib.suppress(NotFiniteError):
        _, _, scores = loss_and_gradients(run.params, x_val[:1000], y_val[:1000], bug)
        share = float(accuracy(scores, y_val[:1000]))
    return {
        "first_loss": first,
        "gradient_error": _gradient_error(bug, seed),
        "overfit_loss": float(overfit(20, bug, seed=seed)["loss"][-1]),
        "ratio": np.median(np.array(ratios), axis=0),
        "accuracy": share,
        "loss": run.loss[: len(ratios)],
    }


CHECKS = ("first loss", "gradient error", "loss on 20", "ratio, layer 1", "validation accuracy")


def alarms(found: dict) -> dict:
    """What each of `CHECKS` gave for each bug of `checks`, and whether a reader would take alarm.

    Alarm is a first loss more than a tenth from ln 10, a gradient error above 1e-5, a loss on 20 examples above 0.1,
    a ratio below 1e-5 or above 0.1, a validation accuracy below one half. NaN is an alarm.

    Returns {bug: (values (5,), alarm (5,))}.
    """
    table, ln10 = {}, np.log(10)
    for bug, r in found.items():
        values = np.array([r["first_loss"], r["gradient_error"], r["overfit_loss"], r["ratio"][0], r["accuracy"]])
        first, gradient, few, ratio, share = values
        fine = (abs(first - ln10) < 0.1 * ln10, gradient < 1e-5, few < 0.1, 1e-5 < ratio < 0.1, share > 0.5)
        table[bug] = values, ~np.array(fine)
    return table


def _gradient_error(bug, seed):
    """Of the loss that the network says it has; inputs of eight pixels keep the differences quick."""
    rng = np.random.default_rng(seed)
    params = {name: p.astype(np.float64) for name, p in small_net(rng, 8, 6, 10, np.float64).items()}
    x, y = rng.standard_normal((4, 8)), rng.integers(0, 10, 4)
    _, grads, _ = loss_and_gradients(params, x, y, bug)
    errors = []
    for name, g in grads.items():
        numeric = numerical_gradient(
            lambda w, name=name: loss_and_gradients(params | {name: w}, x, y, bug)[0], params[name]
        )
        errors.append(np.abs(g - numeric).max() / np.abs(numeric).max())
    return float(max(errors))


def curves(examples=300, hidden=64, epochs=30, rate=0.1, seed=0) -> dict:
    """Loss and accuracy by epoch on the training and on 1,000 validation images, 196-h-10, SGD, batches of 50.

    Returns
    -------
    train_loss, train_accuracy : (epochs,) measured after each epoch on up to 1,000 training images
    running_loss : (epochs,) mean of the losses of the epoch's own steps, as a progress bar shows it
    val_loss, val_accuracy : (epochs,)
    """
    rng = np.random.default_rng(seed)
    x_all, y_all, x_val, y_val = small_mnist_standardized()
    x, y, x_val, y_val = x_all[:examples], y_all[:examples], x_val[:1000], y_val[:1000]
    net, params, an_epoch = SmallNet(), small_net(rng, hidden=hidden), -(-examples // 50)
    rows = {name: [] for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy")}

    def watch(now):
        if now.step % an_epoch == 0:
            for part, (a, b) in {"train": (x[:1000], y[:1000]), "val": (x_val, y_val)}.items():
                loss, _, scores = loss_and_gradients(now.params, a, b)
                rows[f"{part}_loss"].append(loss)
                rows[f"{part}_accuracy"].append(accuracy(scores, b))

    sample = shuffled(x, y, 50, rng, rest=True)
    run = descend(net, params, sample, sgd(rate), steps=epochs * an_epoch, watch=watch)
    rows["running_loss"] = run.loss.reshape(epochs, an_epoch).mean(axis=1)
    return {name: np.array(values) for name, values in rows.items()} | {"examples": examples, "hidden": hidden}


def ratio_run(rate=0.1, optimizer="SGD", steps=200, seed=0) -> dict:
    """Train 196-32-32-10 in batches of 50 and measure every layer's update ratio at every step.

    Returns
    -------
    loss : (steps,); NaN from the step at which it left the finite numbers
    ratio : (steps, 3) norm of each weight matrix's update over its norm
    """
    _checks.choice("optimizer", optimizer, OPTIMIZERS)
    result = ratio_sweep(optimizer, (rate,), steps, seed, dtype=np.float64)
    return {"loss": result["loss"][:, 0], "ratio": result["ratio"][..., 0], "rate": rate, "optimizer": optimizer}


def ratio_sweep(optimizer="SGD", rates=(0.1,), steps=200, seed=0, batch_size=50, examples=5000, dtype=np.float32):
    """One network for each rate, all from the same start and with the same batches, in one pass.

    Returns `loss` (steps, R), `ratio` (steps, 3, R) and `gradient` (steps, R), the norm of the whole gradient.
    """
    rng = np.random.default_rng(seed)
    x, y, _, _ = small_mnist_standardized()
    x, y = x[:examples].astype(dtype), y[:examples]
    net = mlp([196, 32, 32, 10], last=scaled(0.1))
    first, _ = net.init(rng, dtype=dtype)
    ratio, gradient = [], []

    def watch(now):
        ratio.append(_moved(now))
        gradient.append(np.sqrt(sum(_norm(g) ** 2 for g in trees.leaves(now.grads).values())))

    rule = OPTIMIZERS[optimizer](np.array(rates, dtype))
    start = stack_runs([first] * len(rates))
    run = descend(net, start, drawn(x, y, batch_size, rng), rule, steps=steps, watch=watch, moves=True)
    found = {"loss": run.loss, "ratio": np.array(ratio, np.float64), "gradient": np.array(gradient, np.float64)}
    return found | {"rates": np.array(rates), "optimizer": optimizer}


def _moved(now):
    """Norm of each weight matrix's last update over its norm before it, first layer first; with run axes (3, R)."""
    pairs = [(layer["w"], now.params[name]["w"]) for name, layer in now.before.items()]
    with np.errstate(divide="ignore"):
        return [_norm(w - before) / _norm(before) for before, w in pairs]


def _norm(arrays):
    """Euclidean norm of each run's matrix: (R, D, M) -> (R,)."""
    return np.sqrt((arrays**2).sum(axis=(-2, -1)))


RATES = {
    "SGD": tuple(np.geomspace(0.003, 3, 13)),
    "momentum": tuple(np.geomspace(3e-4, 0.3, 13)),
    "Adam": tuple(np.geomspace(3e-5, 0.03, 13)),
}


@shared(maxsize=32)
def best_ratio(optimizer="Adam", steps=240, seed=0) -> dict:
    """The rate with the lowest loss at the end of so many steps, and the update ratios of that run.

    Returns
    -------
    rate, loss : of the best run; its loss is the mean of the last tenth (at least 20 steps)
    ratio : median over steps and layers; by_layer : (3,) median over steps
    at_rule : the loss of the run whose median ratio is nearest to 0.001, and rule_ratio, what its ratio is
    ends, ratios : (13,) of all rates
    """
    result = ratio_sweep(optimizer, RATES[optimizer], steps, seed)
    last = max(20, steps // 10)
    ends = np.nan_to_num(result["loss"][-last:].mean(axis=0), nan=np.inf)
    ratios = np.median(result["ratio"], axis=(0, 1))
    best = int(ends.argmin())
    finite = np.where(ratios > 0, ratios, np.nan)
    rule = int(np.nanargmin(np.abs(np.log10(finite) + 3)))
    return {
        "rate": float(RATES[optimizer][best]),
        "loss": float(ends[best]),
        "ratio": float(ratios[best]),
        "by_layer": np.median(result["ratio"][:, :, best], axis=0),
        "at_rule": float(ends[rule]),
        "rule_ratio": float(ratios[rule]),
        "ends": ends,
        "ratios": ratios,
        "rates": np.array(RATES[optimizer]),
        "optimizer": optimizer,
        "steps": steps,
    }


def wide_ratio(optimizer="SGD", rates=(0.2, 0.4, 0.8, 1.6), epochs=3, seed=0) -> dict:
    """784-200-200-10 on 8,000 MNIST images, batches of 100, one run a rate: the best run and its update ratio.

    Returns `rate`, `loss` (mean of the last 40 steps) and `ratio`, the geometric middle over layers and steps after
    the first 20; and `losses`, `ratios` of all rates.
    """
    x, y, _, _ = mnist()
    x, y = x[:8000], y[:8000]
    ends, ratios = [], []
    for rate in rates:
        rng = np.random.default_rng(seed)
        net, moved = mlp([784, 200, 200, 10]), []
        params, _ = net.init(rng)

        def watch(now, moved=moved):
            moved.append(_moved(now))

        steps, rule = epochs * (len(x) // 100), OPTIMIZERS[optimizer](rate)
        run = descend(net, params, shuffled(x, y, 100, rng), rule, steps=steps, watch=watch, moves=True)
        ends.append(float(np.nan_to_num(run.loss[-40:].mean(), nan=np.inf)))
        ratios.append(float(np.median(moved[20:])) if len(moved) > 20 else np.nan)
    best = int(np.argmin(ends))
    return {"rate": rates[best], "loss": ends[best], "ratio": ratios[best], "losses": ends, "ratios": ratios}


def weight_decay_balance(start=1.0, rate=0.01, decay=0.1, steps=3000, size=500, seed=0) -> np.ndarray:
    """(steps,) update ratio of weights that see gradients without a direction, under AdamW.

    Noise makes them grow, decay makes them shrink; in between they come to rest, wherever they started.
    """
    rng = np.random.default_rng(seed)
    w = start * rng.standard_normal(size)
    rule = adamw(rate, weight_decay=decay)
    state, ratios = rule.init(w), []
    for _ in range(steps):
        new, state = rule.update(w, rng.standard_normal(size), state)
        ratios.append(np.linalg.norm(new - w) / np.linalg.norm(w))
        w = new
    return np.array(ratios)


def balance_in_training(seed=0, rate=0.01, decay=0.1, steps=4000) -> np.ndarray:
    """(3,) update ratio of each layer of 196-32-32-10 under AdamW, median of the last 500 steps, over the formula's."""
    x, y, _, _ = small_mnist_standardized()
    net, rng, ratios = mlp([196, 32, 32, 10]), np.random.default_rng(seed), []

    def watch(now):
        if now.step > steps - 500:
            layers = ((now.before[name]["w"], now.params[name]["w"]) for name in now.params)
            ratios.append([np.linalg.norm(new - w) / np.linalg.norm(w) for w, new in layers])

    sample = drawn(x[:5000], y[:5000], 50, rng)
    descend(net, net.init(rng)[0], sample, adamw(rate, weight_decay=decay), steps=steps, watch=watch, moves=True)
    return np.median(ratios, axis=0) / np.sqrt(2 * rate * decay * (1 - 0.9) / (1 + 0.9))


def gradient_norms_over_time(optimizer="SGD", rates=(0.1,), steps=600, seed=0) -> dict:
    """Norm of the whole gradient and loss, by step, for each rate: `gradient` and `loss`, (steps, R)."""
    result = ratio_sweep(optimizer, rates, steps, seed)
    return {name: result[name] for name in ("gradient", "loss", "rates")}


def _trained(x, y, steps, seed, rate=0.1):
    """The chapter's network after SGD on these images: its params."""
    rng = np.random.default_rng(seed)
    return descend(SmallNet(), small_net(rng), drawn(x, y, 50, rng), sgd(rate), steps=steps).params


def confusion(steps=800, seed=0) -> dict:
    """Which digits the chapter's third run takes for which, on 1,000 validation images.

    Returns
    -------
    matrix : (10, 10) counts, see `diagnostics.confusion_matrix`
    recall : (10,) share of each class that is read right
    worst : ((true, answered), how often) of the most frequent mistake
    """
    x, y, x_val, y_val = small_mnist_standardized()
    _, _, scores = loss_and_gradients(_trained(x[:5000], y[:5000], steps, seed), x_val[:1000], y_val[:1000])
    matrix = confusion_matrix(y_val[:1000], scores.argmax(axis=1), 10)
    wrong = matrix - np.diag(np.diag(matrix))
    place = np.unravel_index(wrong.argmax(), wrong.shape)
    return {
        "matrix": matrix,
        "recall": np.diag(matrix) / matrix.sum(axis=1),
        "worst": ((int(place[0]), int(place[1])), int(wrong.max())),
    }


def zeroed_inputs(steps=400, seed=0) -> dict:
    """Accuracy on 1,000 validation images after training on the images, and after training on zeros in their place.

    Returns `{"true labels", "shuffled labels"}`, each {"inputs", "zeros", "error": two standard errors of their
    difference}. The errors are paired: only images on which one of the two is right and the other wrong count.
    """
    x, y, x_val, y_val = small_mnist_standardized()
    x, y, x_val, y_val = x[:5000], y[:5000], x_val[:1000], y_val[:1000]
    result = {}
    for name, labels in (("true labels", y), ("shuffled labels", np.random.default_rng(seed).permutation(y))):
        right = {}
        for which, a, b in (("inputs", x, x_val), ("zeros", 0 * x, 0 * x_val)):
            _, _, scores = loss_and_gradients(_trained(a, labels, steps, seed), b, y_val)
            right[which] = scores.argmax(axis=1) == y_val
        difference = right["inputs"].astype(float) - right["zeros"]
        result[name] = {which: float(r.mean()) for which, r in right.items()} | {
            "error": float(2 * difference.std(ddof=1) / np.sqrt(len(y_val)))
        }
    return result
