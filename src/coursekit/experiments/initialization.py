"""Chapter 05: what the first weights do to a network."""

from __future__ import annotations

import itertools

import numpy as np

from .. import _checks, activations, data
from ..dense import affine_backward, affine_forward
from ..initializers import he_normal, normal, orthogonal, xavier_normal, xavier_uniform
from ..layers import ReLU, Sigmoid, Tanh
from ..losses import softmax_cross_entropy
from ..model import accuracy, predict
from ..optimizers import sgd
from ..training import train
from ._bench import by_fan_in, descend, digits, drawn, mlp, mnist

LAYERS = {"tanh": Tanh, "relu": ReLU, "sigmoid": Sigmoid}
FORWARD = {
    "tanh": activations.tanh_forward,
    "relu": activations.relu_forward,
    "sigmoid": activations.sigmoid_forward,
}
SCHEMES = {
    "std 0.01": lambda rng, shape, dtype: normal(rng, shape, 0.01, dtype=dtype),
    "Xavier": lambda rng, shape, dtype: xavier_normal(rng, shape, dtype=dtype),
    "He": lambda rng, shape, dtype: he_normal(rng, shape, dtype=dtype),
}


def signal(std=0.1, activation="tanh", depth=10, width=100, examples=300, seed=0) -> dict:
    """Send normal inputs through `depth` fresh layers and look at every layer's outputs.

    Returns
    -------
    edges : (B + 1,) edges of the histogram's bins
    share : (depth, B) share of the outputs in each bin; the first and last bin also hold what lies beyond
    std, second_moment, zeros, saturated : (depth,) standard deviation; mean square; share of exact zeros; share
        within 0.02 of an asymptote
    """
    _checks.choice("activation", activation, FORWARD)
    rng = np.random.default_rng(seed)
    low, high = {"tanh": (-1, 1), "sigmoid": (0, 1), "relu": (0, 4)}[activation]
    edges = np.linspace(low, high, 41)
    x = rng.standard_normal((examples, width))
    rows = {"share": [], "std": [], "second_moment": [], "zeros": [], "saturated": []}
    for _ in range(depth):
        w = normal(rng, (width, width), std, dtype=x.dtype)
        x, _ = FORWARD[activation](x @ w)
        rows["share"].append(np.histogram(x.clip(low, high), edges)[0] / x.size)
        rows["std"].append(x.std())
        rows["second_moment"].append((x**2).mean())
        rows["zeros"].append((x == 0).mean())
        rows["saturated"].append(0.0 if activation == "relu" else ((x < low + 0.02) | (x > high - 0.02)).mean())
    return {"edges": edges, "activation": activation, "weight_std": std, "width": width} | {
        name: np.array(values) for name, values in rows.items()
    }


def training_curve(gain=1.0, depth=10, activation="relu", width=32, steps=150, lr=0.05, seed=0) -> dict:
    """Train a net of `depth` hidden layers on 8x8 digits, weights N(0, gain^2 / fan-in).

    A gain of 1 is Xavier's for equal widths, sqrt(2) is He's.

    Returns
    -------
    loss : (steps,) the loss of every step; NaN from the step at which training diverged
    std : (depth,) standard deviation of each hidden layer's outputs before training
    """
    _checks.choice("activation", activation, LAYERS)
    x, y, _, _ = digits()
    rng = np.random.default_rng(seed)
    net = mlp([64] + [width] * depth + [10], LAYERS[activation], by_fan_in(gain))
    params, state = net.init(rng)
    outputs = net.activations(params, state, x[:200])
    std = np.array([out.std() for name, out in outputs.items() if not name.startswith("dense")])
    run = descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps)
    return {"loss": run.loss, "std": std, "gain": gain, "depth": depth, "activation": activation}


def symmetry(start="equal", hidden=8, steps=200, lr=0.5, seed=0) -> dict:
    """Train 64-hidden-10 on 8x8 digits from all zeros, from equal hidden units, or from random numbers.

    Equal units have the same random weights in and out: one column repeated in the first layer, one row in the second.

    Returns
    -------
    weights : (64, hidden) first-layer weights after training
    loss : (steps,)
    distinct : how many different hidden units there are after training
    gradient : norm of the first layer's weight gradient at the first step
    """
    _checks.choice("start", start, ("zeros", "equal", "random"))
    pixels = data.digits(flat=True)
    rng = np.random.default_rng(seed)
    net = mlp([64, hidden, 10], Tanh, SCHEMES["Xavier"])
    params, _ = net.init(rng, dtype=np.float64)
    w1, w2 = params["dense_0"]["w"], params["dense_2"]["w"]
    if start == "zeros":
        w1[:], w2[:] = 0, 0
    if start == "equal":
        w1[:], w2[:] = w1[:, :1], w2[:1]
    gradients = []

    def watch(now):
        gradients.append(np.linalg.norm(now.grads["dense_0"]["w"]))

    sample = drawn(pixels.x_train.astype(np.float64), pixels.y_train, 64, rng)
    run = descend(net, params, sample, sgd(lr), steps=steps, watch=watch)
    w = run.params["dense_0"]["w"]
    distinct = len(np.unique(w.round(9), axis=1).T)
    return {"weights": w, "loss": run.loss, "distinct": distinct, "gradient": gradients[0], "start": start}


def compare_on_mnist(schemes=("std 0.01", "Xavier", "He"), epochs=3, examples=10000, lr=0.05, batch_size=100, seed=0):
    """Train five hidden layers of 100 ReLU units on MNIST from each start, in the same order of examples.

    Returns `{scheme: {"loss": (steps,), "test_accuracy": float}}`.
    """
    return {scheme: _train_on_mnist(scheme, 5, epochs, examples, lr, batch_size, seed) for scheme in schemes}


def deep_relu(schemes=("Xavier", "He"), depth=30, epochs=5, examples=5000, lr=0.03, batch_size=100, seed=0) -> dict:
    """A net of `depth` weight layers (100 ReLU units each, 10 outputs) on MNIST, Xavier against He.

    The experiment of He et al. 2015, figure 3, with dense layers instead of convolutions. Returns as
    `compare_on_mnist`.
    """
    return {s: _train_on_mnist(s, depth - 1, epochs, examples, lr, batch_size, seed) for s in schemes}


def _train_on_mnist(scheme, hidden_layers, epochs, examples, lr, batch_size, seed):
    x, y, x_test, y_test = mnist(examples)
    net = mlp([784] + [100] * hidden_layers + [10], ReLU, SCHEMES[scheme])
    rng = np.random.default_rng(seed)
    history = train(
        net,
        x,
        y,
        optimizer=sgd(lr),
        epochs=epochs,
        batch_size=batch_size,
        rng=rng,
        validation=(x_test, y_test),
        progress=False,
    )
    out = predict(net, history.params, {}, x_test)
    return {
        "loss": np.array(history.loss),
        "test_accuracy": float(history.epochs[-1]["val_accuracy"]),
        "halves": [float(accuracy(out[half], y_test[half])) for half in (slice(1000), slice(1000, None))],
    }


def variance_factors(sizes=(300, 100, 500, 200), runs=40, examples=200, seed=0) -> dict:
    """By how much one linear layer multiplies the variance of activations and of gradients, measured and predicted.

    Glorot and Bengio's two conditions: forward n_in Var(w) = 1, backward n_out Var(w) = 1. Each number is the
    geometric mean over the layers of nets without activation functions.

    Returns `{scheme: {"forward": f, "backward": b, "predicted_forward": pf, "predicted_backward": pb}}`.
    """
    schemes = {
        "standard": (lambda rng, shape: rng.uniform(-1, 1, shape) / np.sqrt(shape[0]), lambda i, o: 1 / (3 * i)),
        "Xavier": (lambda rng, shape: xavier_uniform(rng, shape, dtype=np.float64), lambda i, o: 2 / (i + o)),
        "He": (lambda rng, shape: he_normal(rng, shape, dtype=np.float64), lambda i, o: 2 / i),
    }
    pairs = list(itertools.pairwise(sizes))
    table = {}
    for name, (draw, variance) in schemes.items():
        rng = np.random.default_rng(seed)
        forward, backward = [], []
        for n_in, n_out in pairs:
            for _ in range(runs):
                x, dout = rng.standard_normal((examples, n_in)), rng.standard_normal((examples, n_out))
                out, cache = affine_forward(x, draw(rng, (n_in, n_out)), np.zeros(n_out))
                dx, _, _ = affine_backward(dout, cache)
                forward.append(np.log(out.var() / x.var()))
                backward.append(np.log(dx.var() / dout.var()))
        table[name] = {
            "forward": float(np.exp(np.mean(forward))),
            "backward": float(np.exp(np.mean(backward))),
            "predicted_forward": float(np.exp(np.mean([np.log(i * variance(i, o)) for i, o in pairs]))),
            "predicted_backward": float(np.exp(np.mean([np.log(o * variance(i, o)) for i, o in pairs]))),
        }
    return table


def he_backwards(sizes=(400, 300, 200, 100, 50), runs=20, examples=200, seed=0) -> dict:
    """He's two conditions in a ReLU stack whose layers get narrower: what becomes of the signal and of the gradient.

    With fan-in, n_in Var(w) = 2, the signal keeps its second moment; with fan-out, n_out Var(w) = 2, the gradient. The
    other one is multiplied by n_out/n_in, or n_in/n_out, in each layer, so by the ratio of the first and last widths in
    all, however many layers there are between.

    Returns `{"fan_in", "fan_out"}` -> {"forward", "backward", "predicted_forward", "predicted_backward"}: factors of
    the mean square from the first pre-activation to the last, and from the last gradient to the first.
    """
    pairs = list(itertools.pairwise(sizes))
    table = {}
    for mode in ("fan_in", "fan_out"):
        rng, forward, backward = np.random.default_rng(seed), [], []
        for _ in range(runs):
            z = rng.standard_normal((examples, sizes[0]))
            dz, first, caches = rng.standard_normal((examples, sizes[-1])), (z**2).mean(), []
            last = (dz**2).mean()
            for shape in pairs:
                a, mask = activations.relu_forward(z)
                z, cache = affine_forward(a, he_normal(rng, shape, mode=mode, dtype=z.dtype), np.zeros(shape[1]))
                caches.append((mask, cache))
            forward.append(np.log((z**2).mean() / first))
            for mask, cache in reversed(caches):
                da, _, _ = affine_backward(dz, cache)
                dz = activations.relu_backward(da, mask)
            backward.append(np.log((dz**2).mean() / last))
        ratio = sizes[0] / sizes[-1]
        table[mode] = {
            "forward": float(np.exp(np.mean(forward))),
            "backward": float(np.exp(np.mean(backward))),
            "predicted_forward": 1.0 if mode == "fan_in" else ratio,
            "predicted_backward": 1 / ratio if mode == "fan_in" else 1.0,
        }
    return table


def spread(std=0.1, activation="sigmoid", depth=10, width=100, examples=300, seed=0) -> dict:
    """How far outputs are spread, and how much of that says anything about the example.

    As `signal`. Returns `{"all": (depth,), "by_example": (depth,)}`: the standard deviation of all outputs of a layer,
    and that of a single unit's outputs over the examples (root of the mean square over the units).
    """
    _checks.choice("activation", activation, FORWARD)
    rng = np.random.default_rng(seed)
    x, rows = rng.standard_normal((examples, width)), {"all": [], "by_example": []}
    for _ in range(depth):
        x, _ = FORWARD[activation](x @ normal(rng, (width, width), std, dtype=x.dtype))
        rows["all"].append(x.std())
        rows["by_example"].append(np.sqrt(x.var(axis=0).mean()))
    return {name: np.array(values) for name, values in rows.items()}


def products(depth=30, width=100, seed=0) -> dict:
    """Singular values of a product of `depth` square matrices, normal with variance 1/width and orthogonal ones.

    Returns `{"normal": (width,), "orthogonal": (width,)}`, largest first.
    """
    found = {}
    for name, draw in (
        ("normal", lambda rng: normal(rng, (width, width), width**-0.5, dtype=np.float64)),
        ("orthogonal", lambda rng: orthogonal(rng, (width, width), dtype=np.float64)),
    ):
        rng, product = np.random.default_rng(seed), np.eye(width)
        for _ in range(depth):
            product = product @ draw(rng)
        found[name] = np.linalg.svd(product, compute_uv=False)
    return found


def many_matrices(std=0.1, depth=100, width=100, vectors=50, seed=0) -> dict:
    r"""How long vectors become that `depth` square matrices of normal numbers multiply, one after the other.

    The mean square is multiplied by width * std^2 each time, so a length by about $(\sigma \sqrt n)^L$.

    Returns
    -------
    length : root mean square length at the end, over that at the start
    predicted : (std * sqrt(width)) ** depth
    """
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((vectors, width))
    first = (v**2).sum()
    for _ in range(depth):
        v = v @ normal(rng, (width, width), std, dtype=v.dtype)
    return {"length": float(np.sqrt((v**2).sum() / first)), "predicted": float((std * width**0.5) ** depth)}


def lsuv(activation="relu", depth=10, width=100, examples=500, seed=0) -> dict:
    """Layer-sequential unit variance (Mishkin and Matas 2016, algorithm 1): a start that is measured.

    Each layer begins as an orthogonal matrix and is divided by the standard deviation of the sums that a batch makes
    in it, the first layer first. (The paper repeats this until the variance is near 1. For a dense layer without
    biases once is enough, since the sums are proportional to the weights.)

    Returns
    -------
    weights : (depth,) standard deviation of each layer's weights
    sums : (depth,) standard deviation of each layer's sums, with these weights
    """
    _checks.choice("activation", activation, FORWARD)
    rng = np.random.default_rng(seed)
    x, rows = rng.standard_normal((examples, width)), {"weights": [], "sums": []}
    for _ in range(depth):
        w = orthogonal(rng, (width, width), dtype=x.dtype)
        w = w / (x @ w).std()
        rows["weights"].append(w.std())
        rows["sums"].append((x @ w).std())
        x, _ = FORWARD[activation](x @ w)
    return {name: np.array(values) for name, values in rows.items()}


def renumbered(hidden=8, seed=0) -> dict:
    """A net 64-hidden-10 with its hidden units in another order: what it computes, and what its gradient is.

    Returns
    -------
    outputs : largest difference of two scores, before and after
    gradients : largest difference between the gradient after and the gradient before, in the new order
    order : (hidden,) the new order
    """
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((20, 64)), rng.integers(0, 10, 20)
    w1, w2 = xavier_normal(rng, (64, hidden), dtype=np.float64), xavier_normal(rng, (hidden, 10), dtype=np.float64)
    order = rng.permutation(hidden)
    before, after = _scores_and_slopes(x, labels, w1, w2), _scores_and_slopes(x, labels, w1[:, order], w2[order])
    same = (before[0], before[1][:, order], before[2][order])
    apart = [float(np.abs(a - b).max()) for a, b in zip(after, same, strict=True)]
    return {"outputs": apart[0], "gradients": max(apart[1:]), "order": order}


def _scores_and_slopes(x, labels, w1, w2):
    h, cache = activations.tanh_forward(x @ w1)
    scores = h @ w2
    _, dscores = softmax_cross_entropy(scores, labels)
    return scores, x.T @ activations.tanh_backward(dscores @ w2.T, cache), h.T @ dscores


def mean_of_two(hidden=32, steps=300, lr=0.5, seeds=(0, 1)) -> dict:
    """Train 64-hidden-10 on 8x8 digits from two starts, and average the weights of the two networks.

    Returns
    -------
    each : (2,) test accuracy of the two
    mean : test accuracy of the network whose weights are the means
    """
    x, y, x_test, y_test = digits(np.float64)
    net, found = mlp([64, hidden, 10], Tanh, SCHEMES["Xavier"]), []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        params, _ = net.init(rng, dtype=np.float64)
        found.append(descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps).params)
    one, other = found
    middle = {name: {part: (a + other[name][part]) / 2 for part, a in one[name].items()} for name in one}
    score = [accuracy(predict(net, params, {}, x_test), y_test) for params in (one, other, middle)]
    return {"each": np.array(score[:-1]), "mean": float(score[-1])}


def deep_tanh(start="orthogonal", lr=0.05, depth=30, width=64, steps=400, seed=0) -> dict:
    """A tanh net with `depth` hidden layers on 8x8 digits, orthogonal weights or normal ones of the same variance.

    Returns `{"loss": (steps,), "halves": accuracy on each half of the test digits}`.
    """
    _checks.choice("start", start, ("orthogonal", "normal"))
    x, y, x_test, y_test = digits()
    weights = {
        "orthogonal": lambda rng, shape, dtype: orthogonal(rng, shape, dtype=dtype),
        "normal": lambda rng, shape, dtype: normal(rng, shape, max(shape) ** -0.5, dtype=dtype),
    }[start]
    rng = np.random.default_rng(seed)
    net = mlp([64] + [width] * depth + [10], Tanh, weights)
    params, _ = net.init(rng)
    run = descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps)
    if not np.isfinite(run.loss[-1]):
        return {"loss": run.loss, "halves": [0.1, 0.1]}
    out = predict(net, run.params, {}, x_test)
    return {"loss": run.loss, "halves": [float(accuracy(out[part], y_test[part])) for part in _HALVES]}


_HALVES = (slice(None, 180), slice(180, None))
BRANCHES = ("He", "scaled", "zero")


def residual(depth=8, branch="He", width=32, steps=150, lr=0.02, seed=0) -> dict:
    """A net of `depth` residual blocks on 8x8 digits, x + relu(x w1) w2, with three starts of w2.

    "He": both weights of a block by He's rule. "scaled": w2 divided by sqrt(depth). "zero": w2 all zero, so that each
    block begins as the identity (the idea of Fixup and of zero-gamma).

    Returns
    -------
    loss : (steps,) NaN from the step at which training diverged
    std : (depth + 1,) standard deviation after the first layer and after each block, before training
    """
    _checks.choice("branch", branch, BRANCHES)
    x, y, _, _ = digits()
    rng = np.random.default_rng(seed)
    factor = {"He": 1.0, "scaled": depth**-0.5, "zero": 0.0}[branch]
    params = {"in": he_normal(rng, (64, width)), "out": he_normal(rng, (width, 10)) / 10}
    for k in range(depth):
        params[f"a{k}"] = he_normal(rng, (width, width))
        params[f"b{k}"] = np.float32(factor) * he_normal(rng, (width, width))
    sample, loss = drawn(x, y, 64, rng), np.full(steps, np.nan)
    std = [part.std() for part, *_ in _residual_forward(params, x[:200], depth)[1]]
    std.append(_residual_forward(params, x[:200], depth)[2].std())
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            xb, yb = sample()
            scores, blocks, last = _residual_forward(params, xb, depth)
            if not np.isfinite(scores).all():
                break
            loss[step], dscores = softmax_cross_entropy(scores, yb)
            grads = _residual_backward(params, xb, blocks, last, dscores)
            params = {name: value - np.float32(lr) * grads[name] for name, value in params.items()}
    return {"loss": loss, "std": np.array(std), "depth": depth, "branch": branch}


def _residual_forward(params, x, depth):
    h, blocks = x @ params["in"], []
    for k in range(depth):
        hidden, mask = activations.relu_forward(h @ params[f"a{k}"])
        blocks.append((h, hidden, mask))
        h = h + hidden @ params[f"b{k}"]
    return h @ params["out"], blocks, h


def _residual_backward(params, x, blocks, last, dscores):
    grads, dh = {"out": last.T @ dscores}, dscores @ params["out"].T
    for k, (h, hidden, mask) in reversed(list(enumerate(blocks))):
        dhidden = activations.relu_backward(dh @ params[f"b{k}"].T, mask)
        grads[f"b{k}"], grads[f"a{k}"] = hidden.T @ dh, h.T @ dhidden
        dh = dh + dhidden @ params[f"a{k}"].T
    return grads | {"in": x.T @ dh}
