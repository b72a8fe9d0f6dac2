"""Chapter 03: what the function between two layers does to a network."""

from __future__ import annotations

import collections
import functools
import itertools
from dataclasses import dataclass

import numpy as np

from .. import _checks, activations, data
from ..dense import affine_backward, affine_forward
from ..diagnostics import dead_units, saturation
from ..layers import ELU, GELU, GLU, Dense, LayerNorm, LeakyReLU, Maxout, PReLU, ReLU, Sigmoid, SiLU, Tanh
from ..losses import mean_squared_error, softmax_cross_entropy
from ..model import Sequential, accuracy, predict
from ..optimizers import sgd
from ..regularizers import dropout_forward
from ..training import train
from ._bench import by_fan_in, count, descend, digits, drawn, mlp, mnist_standardized, quiet, shared, shuffled


@dataclass(frozen=True)
class CentredSigmoid(Sigmoid):
    """The sigmoid moved down by a half: the same slope everywhere, outputs in (-1/2, 1/2)."""

    def _forward(self, x):
        out, cache = activations.sigmoid_forward(x)
        return out - x.dtype.type(0.5), cache


LAYERS = {
    "sigmoid": Sigmoid,
    "sigmoid - 1/2": CentredSigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
    "maxout": Maxout,
    "swiglu": GLU,
    "prelu": PReLU,
}
TWICE = ("maxout", "swiglu")  # the dense layer before these has two outputs for each of theirs

SHAPES = {
    "sigmoid": (activations.sigmoid_forward, activations.sigmoid_backward),
    "tanh": (activations.tanh_forward, activations.tanh_backward),
    "relu": (activations.relu_forward, activations.relu_backward),
    "leaky relu": (functools.partial(activations.leaky_relu_forward, slope=0.1), activations.leaky_relu_backward),
    "elu": (activations.elu_forward, activations.elu_backward),
    "gelu": (activations.gelu_forward, activations.gelu_backward),
    "silu": (activations.silu_forward, activations.silu_backward),
    "softplus": (activations.softplus_forward, activations.softplus_backward),
}
LIMITS = {"sigmoid": (0.0, 1.0), "sigmoid - 1/2": (-0.5, 0.5), "tanh": (-1.0, 1.0)}

# Gain g of the first weights, N(0, g^2 / fan-in), that suits each function. Chapter 5 derives 1 and sqrt(2).
GAINS = dict.fromkeys(LAYERS, np.sqrt(2)) | dict.fromkeys(LIMITS, 1.0) | {"maxout": 1.0, "swiglu": 1.0}
RATES = {"sigmoid": 2.0, "sigmoid - 1/2": 2.0}  # sigmoids need, and bear, larger steps; all others 0.1


def shape(name: str, low=-4.0, high=4.0, points=321) -> dict:
    """One activation function and its derivative, {"name", "x", "value", "slope"}; leaky ReLU with slope 0.1."""
    _checks.choice("name", name, SHAPES)
    forward, backward = SHAPES[name]
    x = np.linspace(low, high, points)
    value, cache = forward(x)
    return {"name": name, "x": x, "value": value, "slope": backward(np.ones_like(x), cache)}


def network(sizes, activation, gain=None) -> Sequential:
    """Dense layers with an activation between them; maxout and swiglu take two sums a unit, so twice the weights."""
    weights = by_fan_in(GAINS[activation] if gain is None else gain)
    if activation not in (*TWICE, "prelu"):
        return mlp(sizes, LAYERS[activation], weights)
    layers = []
    for inputs, units in itertools.pairwise(sizes[:-1]):
        outputs = 2 * units if activation in TWICE else units
        layers += [Dense(inputs, outputs, weights), PReLU(units) if activation == "prelu" else LAYERS[activation]()]
    return Sequential([*layers, Dense(sizes[-2], sizes[-1], weights)])


def deep_on_mnist(
    activation="sigmoid", hidden_layers=5, width=100, lr=0.1, epochs=3, examples=10000, batch_size=100, seed=0
) -> dict:
    """Train `hidden_layers` layers of `width` units on MNIST.

    Returns `{"loss": (steps,), "test_accuracy", "halves", "parameters"}`: the accuracy on 2,000 test digits, and on
    each
    thousand of them: one to choose by, one to report.
    """
    _checks.choice("activation", activation, LAYERS)
    x, y, x_test, y_test = mnist_standardized(examples)
    net = network([784] + [width] * hidden_layers + [10], activation)
    rng = np.random.default_rng(seed)
    history = train(
        net, x, y, optimizer=sgd(lr), epochs=epochs, batch_size=batch_size, rng=rng, validation=(x_test, y_test),
        progress=False,
    )  # fmt: skip
    out = predict(net, history.params, {}, x_test)
    return {
        "loss": np.array(history.loss),
        "test_accuracy": float(history.epochs[-1]["val_accuracy"]),
        "halves": [
            float(accuracy(part, labels)) for part, labels in ((out[:1000], y_test[:1000]), (out[1000:], y_test[1000:]))
        ],
        "parameters": count(history.params),
    }


def layers_while_training(
    activation="sigmoid",
    depth=4,
    width=32,
    lr=None,
    gain=None,
    steps=600,
    batch_size=32,
    moments=40,
    seed=0,
    images=None,
) -> dict:
    """Train `depth` hidden layers and look at the outputs of each of them now and then.

    On 8x8 digits, or on the first `images` of MNIST.

    Returns
    -------
    step : (K,) steps at which the net was looked at
    mean : (K, depth) mean output of each hidden layer on 200 examples
    low, high : (K, depth) 2nd and 98th percentile of its outputs
    saturated : (K, depth) share of its outputs in the outer twentieth at either end of its range, where the slope is
        less than a fifth of its largest value; for the rectifiers the share of outputs that are not positive
    loss : (steps,); NaN from the step at which training diverged
    """
    _checks.choice("activation", activation, LAYERS)
    x, y, _, _ = digits() if images is None else mnist_standardized(images)
    rng = np.random.default_rng(seed)
    net = network([x.shape[1]] + [width] * depth + [10], activation, gain)
    params, _ = net.init(rng)
    lr = RATES.get(activation, 0.1) if lr is None else lr
    moment = np.unique(np.linspace(0, steps, moments).astype(int))
    rows = {"mean": [], "low": [], "high": [], "saturated": []}

    def look(params):
        outputs = [out for name, out in net.activations(params, {}, x[:200]).items() if "dense" not in name]
        rows["mean"].append([out.mean() for out in outputs])
        rows["low"].append([np.percentile(out, 2) for out in outputs])
        rows["high"].append([np.percentile(out, 98) for out in outputs])
        rows["saturated"].append([_saturated(out, activation) for out in outputs])

    def watch(now):
        if now.step in moment:
            look(now.params)

    look(params)
    run = descend(net, params, drawn(x, y, batch_size, rng), sgd(lr), steps=steps, watch=watch)
    rows = {name: np.array(values) for name, values in rows.items()}
    step = moment[: len(rows["mean"])]
    return {"activation": activation, "depth": depth, "lr": lr, "step": step, "loss": run.loss} | rows


def steps_to_leave(depth=5, lr=0.5, steps=4000, seed=0, level=2.0) -> int:
    """When a sigmoid network with Glorot and Bengio's start leaves the plateau at ln 10 = 2.30.

    `depth` hidden layers of 100 units on 10,000 MNIST images, batches of 10. Returns the first step at which the mean
    loss of the last 200 steps lies below `level`, or `steps` if none does within so many.
    """
    x, y, _, _ = mnist_standardized(10_000)
    rng = np.random.default_rng(seed)
    net = network([784] + [100] * depth + [10], "sigmoid", 3**-0.5)
    last = collections.deque(maxlen=200)

    def watch(now):
        last.append(now.loss)
        return len(last) == 200 and now.step % 20 == 0 and np.mean(last) < level

    run = descend(net, net.init(rng)[0], drawn(x, y, 10, rng), sgd(lr), steps=steps, watch=watch)
    return len(run.loss)


def _seeds(seeds):
    """The seeds 0, 1, ... for a number of them, or those that were given."""
    return range(seeds) if isinstance(seeds, int) else seeds


def _saturated(outputs, activation):
    if activation not in LIMITS:
        return float((outputs <= 0).mean())
    low, high = LIMITS[activation]
    return saturation(outputs, low, high, margin=0.05 * (high - low))


def centring(depth=10, gain=4.0, lr=0.5, steps=400, seeds=3) -> dict:
    """The sigmoid against the same function moved down by a half, from the same weights.

    A gain of 4 makes up for the slope of 1/4 that both have at 0. Returns runs as of `layers_while_training`:
    `{"sigmoid": [run, ...], "sigmoid - 1/2": [run, ...]}`.
    """
    return {
        name: [layers_while_training(name, depth, 32, lr, gain, steps, moments=2, seed=seed) for seed in range(seeds)]
        for name in ("sigmoid", "sigmoid - 1/2")
    }


def zigzag(offset=0.0, lr=1.0, steps=30, seed=0) -> dict:
    """A unit with two weights learns y = x1 - x2, one example a step; inputs are uniform on [0, 1], minus `offset`.

    At 0 all inputs are positive, as the outputs of a sigmoid are; at 0.5 they are centred.

    Returns
    -------
    path : (steps + 1, 2) the weights, from (-1, 1) towards the answer (1, -1)
    w1, w2, loss : a grid of weights and the mean loss on it
    same : share of the steps that move both weights in the same direction
    distance : (steps + 1,) from the answer
    """
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, (64, 2)) - offset
    answer = np.array([1.0, -1.0])
    w, path = -answer, [-answer]
    for i in rng.integers(0, 64, steps):
        error = w @ x[i] - answer @ x[i]
        w = w - lr * error * x[i]  # the gradient of error^2 / 2
        path.append(w)
    path = np.array(path)
    moves = np.diff(path, axis=0)
    w1, w2 = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-2, 2, 41))
    errors = (w1[..., None] - answer[0]) * x[:, 0] + (w2[..., None] - answer[1]) * x[:, 1]
    return {
        "offset": offset,
        "lr": lr,
        "path": path,
        "w1": w1,
        "w2": w2,
        "loss": (errors**2).mean(axis=-1) / 2,
        "same": float((moves[:, 0] * moves[:, 1] > 0).mean()),
        "distance": np.linalg.norm(path - answer, axis=1),
    }


def sign_agreement(names=("sigmoid", "relu", "tanh", "sigmoid - 1/2"), batch_sizes=(1, 8, 64), seed=0) -> dict:
    """In the gradient of one unit's weights, the share of entries that have the sign of the majority.

    Measured in the second hidden layer of a fresh net 64-100-100-10 on 8x8 digits; entries that are 0 are left out.
    One sign for all is 1; signs thrown with a coin give a little more than 1/2.

    Returns `{name: {batch size: share}}`.
    """
    x, y, _, _ = digits()
    table = {}
    for name in names:
        net = network([64, 100, 100, 10], name)
        params, state = net.init(np.random.default_rng(seed))
        rng, table[name] = np.random.default_rng(seed + 1), {}
        for size in batch_sizes:
            shares = []
            for _ in range(20):
                batch = rng.integers(0, len(x), size)
                scores, cache, _ = net.forward(params, state, x[batch], training=True)
                _, dscores = softmax_cross_entropy(scores, y[batch])
                _, grads = net.backward(dscores, cache)
                signs = np.sign(grads["dense_2"]["w"])  # (100 inputs, 100 units)
                up, down = (signs > 0).sum(axis=0), (signs < 0).sum(axis=0)
                some = up + down > 0
                shares.append((np.maximum(up, down)[some] / (up + down)[some]).mean())
            table[name][size] = float(np.mean(shares))
    return table


def burst(lr=1.4, then="relu", width=32, length=10, steps=310, calm=0.05, seed=0) -> dict:
    """Train 64-width-width-10 with ReLU for `length` steps at the rate `lr`, then at the rate `calm`.

    From then on `then` stands where ReLU stood; the weights are kept.

    Returns
    -------
    step : (K,) steps at which the net was looked at: all of the burst, then every tenth
    on : (K, 2 width) for each hidden unit the share of the training examples that make it positive; units of the
        first layer, then those of the second
    silent : (K, 2) share of each layer's units that no training example makes positive
    loss : (steps,); NaN from the step at which training diverged
    test_accuracy : number
    """
    _checks.choice("then", then, LAYERS)
    x, y, x_test, y_test = digits()
    rng = np.random.default_rng(seed)
    sizes = [64, width, width, 10]
    before, after = network(sizes, "relu"), network(sizes, then)
    params, _ = before.init(rng)
    step, on, sample = [0], [_on(before, params, x)], drawn(x, y, 32, rng)

    def watch_all(now):
        step.append(now.step)
        on.append(_on(before, now.params, x))

    def watch_some(now):
        if now.step % 10 == 0:
            step.append(length + now.step)
            on.append(_on(after, now.params, x))

    wild = descend(before, params, sample, sgd(lr), steps=length, watch=watch_all)
    tame = descend(after, wild.params, sample, sgd(calm), steps=steps - length, watch=watch_some)
    on = np.array(on)
    return {
        "lr": lr,
        "then": then,
        "length": length,
        "calm": calm,
        "step": np.array(step),
        "on": on,
        "silent": (on.reshape(len(on), 2, width) == 0).mean(axis=-1),
        "loss": np.concatenate([wild.loss, tame.loss]),
        "test_accuracy": _test_accuracy(after, tame.params, x_test, y_test),
    }


def _on(net, params, x):
    """Share of the examples that make each unit of both hidden layers positive."""
    outputs = net.activations(params, {}, x)
    return np.concatenate([(outputs[name] > 0).mean(axis=0) for name in ("dense_0", "dense_2")])


def _test_accuracy(net, params, x, y):
    with quiet():
        return float(accuracy(predict(net, params, {}, x), y))


STARTS = {"He": np.sqrt(2), "3 x He": 3 * np.sqrt(2)}


def dead_by_rate(rates=(0.1, 0.4, 0.7, 1.0), seeds=5, steps=400, start="He") -> dict:
    """Train 64-100-100-10 with ReLU at each rate.

    Returns `{rate: {"dead": (seeds, 2), "test_accuracy": (seeds,)}}`, the share of dead units of both hidden layers.
    """
    x, y, x_test, y_test = digits()
    _checks.choice("start", start, STARTS)
    net, table = network([64, 100, 100, 10], "relu", STARTS[start]), {}
    for rate in rates:
        rows = []
        for seed in _seeds(seeds):
            rng = np.random.default_rng(seed)
            params, _ = net.init(rng)
            params = descend(net, params, drawn(x, y, 32, rng), sgd(rate), steps=steps).params
            outputs = net.activations(params, {}, x)
            share = [float(dead_units(outputs[name])) for name in ("relu_1", "relu_3")]
            rows.append((share, _test_accuracy(net, params, x_test, y_test)))
        table[rate] = {"dead": np.array([r[0] for r in rows]), "test_accuracy": np.array([r[1] for r in rows])}
    return table


def leaky_slopes(slopes=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0), seeds=2, steps=500, lr=0.5) -> dict:
    """Test accuracy of 2-50-50-3 with leaky ReLU on three spirals, by slope; 0 is ReLU, 1 is a linear network.

    Returns {"slopes": (S,), "test_accuracy": (S, seeds)}.
    """
    x, y = data.spirals(np.random.default_rng(0), 200)
    x_test, y_test = data.spirals(np.random.default_rng(1), 200)
    scores = []
    for slope in slopes:
        net = mlp([2, 50, 50, 3], functools.partial(LeakyReLU, slope), by_fan_in(np.sqrt(2 / (1 + slope**2))))
        for seed in _seeds(seeds):
            rng = np.random.default_rng(seed)
            params, _ = net.init(rng)
            params = descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps).params
            scores.append(_test_accuracy(net, params, x_test, y_test))
    return {"slopes": np.array(slopes), "test_accuracy": np.reshape(scores, (len(slopes), -1))}


TARGETS = {
    "x squared": lambda x: x**2,
    "absolute value": np.abs,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: activations.elu_forward(2 * x)[0] / 2,
    "minus x squared": lambda x: -(x**2),
}


def fit_maxout(target="x squared", pieces=2, steps=600, lr=0.4, seed=0) -> dict:
    """One maxout unit of `pieces` lines learns a function on [-1, 1] by gradient descent.

    Returns
    -------
    x, y : the function; out : what the unit gives
    lines : (len(x), pieces) its pieces; error : largest distance |out - y|
    """
    _checks.choice("target", target, TARGETS)
    rng = np.random.default_rng(seed)
    x = np.linspace(-1, 1, 81)[:, None]
    y = TARGETS[target](x)
    w = np.linspace(-1, 1, pieces)[None] + 0.1 * rng.standard_normal((1, pieces))
    b = np.zeros(pieces)
    net = Sequential([Dense(1, pieces), Maxout(pieces)])
    rule = sgd(lambda step: lr * (1 - step / steps))
    start = {"dense_0": {"w": w, "b": b}}
    params = descend(net, start, lambda: (x, y), rule, steps=steps, loss=mean_squared_error).params
    z, out = net.activations(params, {}, x).values()
    return {
        "target": target,
        "pieces": pieces,
        "x": x[:, 0],
        "y": y[:, 0],
        "out": out[:, 0],
        "lines": z,
        "error": float(np.abs(out - y).max()),
    }


# --- the fold and the data, folklore about dead units, gates ---------------------------------------------------------


@shared()
def _cloud():
    """Eighty points of a round cloud, and what a unit is to answer there."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((80, 2)) * 0.8 + np.array([0.4, 0.2])
    return x, np.maximum(0, x[:, :1] + 0.5 * x[:, 1:])


def fold(bias=0.0) -> dict:
    """One ReLU unit with weights (1, 0.6) and a bias over a cloud of data: where it is on, and what it learns.

    Returns
    -------
    x : (80, 2); on : (80,) booleans; w : (2,); bias
    gradient : length of the gradient of the mean squared error with respect to weights and bias
    """
    x, y = _cloud()
    w, b = np.array([[1.0], [0.6]]), np.array([float(bias)])
    z, cache = affine_forward(x, w, b)
    out, mask = activations.relu_forward(z)
    _, dout = mean_squared_error(out, y)
    _, dw, db = affine_backward(activations.relu_backward(dout, mask), cache)
    length = float(np.sqrt((dw**2).sum() + (db**2).sum()))
    return {"x": x, "on": mask[:, 0], "w": w[:, 0], "bias": float(bias), "gradient": length}


def folklore(biases=(0.0, 0.01, 0.1, 1.0), rates=(1e-4, 0.1, 0.7), seeds=3, steps=400) -> dict:
    """Two cures for dead units that are passed on: a small positive bias at the start, and a small rate.

    The network and the digits of `dead_by_rate`.

    Returns `{(bias, rate): {"dead": (seeds,), "test_accuracy": (seeds,)}}`; dead is the share of both hidden layers.
    """
    x, y, x_test, y_test = digits()
    net, table = network([64, 100, 100, 10], "relu"), {}
    for bias, rate in itertools.product(biases, rates):
        rows = []
        for seed in _seeds(seeds):
            rng = np.random.default_rng(seed)
            params, _ = net.init(rng)
            for layer in ("dense_0", "dense_2"):
                params[layer]["b"] += np.float32(bias)
            params = descend(net, params, drawn(x, y, 32, rng), sgd(rate), steps=steps).params
            with quiet():
                outputs = net.activations(params, {}, x)
            share = np.mean([dead_units(outputs[name]) for name in ("relu_1", "relu_3")])
            rows.append((share, _test_accuracy(net, params, x_test, y_test)))
        dead, right = np.array(rows, dtype=np.float64).T
        table[bias, rate] = {"dead": dead, "test_accuracy": right}
    return table


def boundaries(steps=600, lr=0.5, points=81, seed=0) -> dict:
    """The net 2-50-50-3 on three spirals, without an activation between its layers and with ReLU.

    Returns `{"none", "relu"}` -> {"axis": (P,), "winner": (P, P) class with the largest score, "test_accuracy"}, and
    `"x"`, `"y"`, the training points.
    """
    x, y = data.spirals(np.random.default_rng(0), 200)
    x_test, y_test = data.spirals(np.random.default_rng(1), 200)
    axis = np.linspace(-1.1, 1.1, points)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    result = {"x": x, "y": y}
    for name, slope in (("none", 1.0), ("relu", 0.0)):
        net = mlp([2, 50, 50, 3], functools.partial(LeakyReLU, slope), by_fan_in(np.sqrt(2 / (1 + slope**2))))
        rng = np.random.default_rng(seed)
        params, _ = net.init(rng)
        params = descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps).params
        winner = predict(net, params, {}, grid.astype(x.dtype)).argmax(axis=1).reshape(points, points)
        result[name] = {
            "axis": axis, "winner": winner, "test_accuracy": _test_accuracy(net, params, x_test, y_test),
        }  # fmt: skip
    return result


def gate_response(scales=(0.25, 0.5, 1.0, 2.0, 4.0), units=64, seed=0) -> dict:
    """How the size of a layer's outputs follows that of its inputs, for ReLU and for SwiGLU.

    Returns `{"scale": (S,), "relu": (S,), "swiglu": (S,)}`: root mean squares of the outputs of a fresh layer with
    weights of variance 1 / fan-in for normal inputs of each scale, that for scale 1 being 1.
    """
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((500, units)), rng.standard_normal((units, 2 * units)) / np.sqrt(units)
    outputs = {"relu": lambda z: activations.relu_forward(z)[0], "swiglu": lambda z: activations.glu_forward(z)[0]}
    result = {"scale": np.array(scales)}
    for name, function in outputs.items():
        size = np.array([np.sqrt((function(scale * x @ w) ** 2).mean()) for scale in (1.0, *scales)])
        result[name] = size[1:] / size[0]
    return result


def gated_on_mnist(activation="swiglu", lr=0.1, norm=True, epochs=3, seed=0) -> dict:
    """Five hidden layers on 10,000 MNIST images: 100 ReLU units each, or 58 SwiGLU units, about as many parameters.

    With `norm` a layer normalization (chapter 6) stands between each dense layer and its activation.

    Returns `{"halves": accuracy on each thousand of the test digits, "steps": made before it diverged or ended}`; the
    halves of a net that diverged are a tenth.
    """
    _checks.choice("activation", activation, ("relu", "swiglu"))
    x, y, x_test, y_test = mnist_standardized(10000)
    twice, layers = 1 + (activation in TWICE), []
    sizes = [784] + [100 if activation == "relu" else 58] * 5
    for inputs, units in itertools.pairwise(sizes):
        dense = Dense(inputs, twice * units, by_fan_in(GAINS[activation]))
        layers += [dense, *([LayerNorm(twice * units)] if norm else []), LAYERS[activation]()]
    net = Sequential([*layers, Dense(sizes[-1], 10, by_fan_in(1.0))])
    rng = np.random.default_rng(seed)
    params, state = net.init(rng)
    run = descend(net, params, shuffled(x, y, 100, rng), sgd(lr), steps=100 * epochs, state=state)
    steps = int(np.isfinite(run.loss).sum())
    if steps < 100 * epochs:
        return {"halves": [0.1, 0.1], "steps": steps}
    out = predict(net, run.params, run.state, x_test)
    halves = [float(accuracy(out[part], y_test[part])) for part in (slice(1000), slice(1000, None))]
    return {"halves": halves, "steps": steps}


# --- SELU, and the pieces of a network of ReLU units ------------------------------------------------------------------

# What a deep stack of SELU layers is given: (gain of the weights, mean and standard deviation of the inputs, bias,
# dropout rate after each layer). The first is what its formula assumes.
STACKS = {
    "as assumed": (1.0, 0.0, 1.0, 0.0, 0.0),
    "inputs of mean 1, std 3": (1.0, 1.0, 3.0, 0.0, 0.0),
    "He's start": (np.sqrt(2), 0.0, 1.0, 0.0, 0.0),
    "half of the weights": (0.5, 0.0, 1.0, 0.0, 0.0),
    "biases of 0.5": (1.0, 0.0, 1.0, 0.5, 0.0),
    "dropout of 20 %": (1.0, 0.0, 1.0, 0.0, 0.2),
}


def self_normalizing(case="as assumed", depth=32, units=200, examples=200, seed=0) -> dict:
    """Mean and standard deviation of the outputs, layer by layer, in a fresh stack of SELU layers.

    Returns `{"mean": (depth,), "std": (depth,)}`, over all units and examples of a layer.
    """
    gain, mean, std, bias, dropped = STACKS[_checks.choice("case", case, STACKS)]
    rng = np.random.default_rng(seed)
    x = mean + std * rng.standard_normal((examples, units))
    rows = []
    for _ in range(depth):
        w = gain * rng.standard_normal((units, units)) / np.sqrt(units)
        x, _ = activations.selu_forward(x @ w + bias)
        x, _ = dropout_forward(x, dropped, rng, training=True)
        rows.append((x.mean(), x.std()))
    means, stds = np.array(rows).T
    return {"mean": means, "std": stds}


def regions(units=6, depth=1, points=181, seed=0) -> dict:
    """The flat pieces of a fresh network 2-units-...-units-1 of ReLU units, over the square from -1 to 1.

    In each piece the same units are on, so that the network is linear there. `depth` hidden layers.

    Returns
    -------
    axis : (P,); piece : (P, P) number of the piece at each point, counted by their size
    pieces : how many of them the P x P points meet; a piece smaller than the grid is missed
    value : (P, P) the output
    cut : (P,) the output along the line x_2 = 0; corners : (K,) between which points of it a unit switches
    most : the largest possible number of pieces of one layer with as many units in all, `most_pieces`
    """
    units, depth = _checks.whole("units", units), _checks.whole("depth", depth)
    rng = np.random.default_rng(seed)
    axis = np.linspace(-1, 1, points)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    patterns = []
    for inputs in [2] + [units] * (depth - 1):
        w = np.sqrt(2 / inputs) * rng.standard_normal((inputs, units))
        z = x @ w + rng.uniform(-0.6, 0.6, units) * np.linalg.norm(w, axis=0)
        patterns.append(z > 0)
        x = np.maximum(0, z)
    value = (x @ (rng.standard_normal(units) / np.sqrt(units))).reshape(points, points)
    on = np.packbits(np.concatenate(patterns, axis=1), axis=1)
    _, piece, size = np.unique(on, axis=0, return_inverse=True, return_counts=True)
    rank = np.empty(len(size), int)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    piece = rank[piece.ravel()].reshape(points, points)
    middle = piece[points // 2]
    return {
        "units": units, "depth": depth, "axis": axis, "piece": piece, "pieces": len(size), "value": value,
        "cut": value[points // 2], "corners": axis[:-1][np.diff(middle) != 0] + (axis[1] - axis[0]) / 2,
        "most": most_pieces(units * depth),
    }  # fmt: skip


def most_pieces(units: int) -> int:
    """Into how many pieces as many lines can cut a plane at most, $1 + n + n(n - 1)/2$.

    Each line is cut by those before it into as many parts and one more, and each part divides a piece.

    >>> [most_pieces(n) for n in range(5)]
    [1, 2, 4, 7, 11]
    """
    return 1 + units + units * (units - 1) // 2


def tents(layers=3, points=4097) -> dict:
    r"""A tent of two ReLU units, $t(x) = 2\max(0, x) - 4\max(0, x - \frac12)$, applied again and again on 0 to 1.

    Returns `{"x", "value", "pieces"}`: after `layers` applications the curve has `pieces` straight pieces, a power of
    two, of 2 units a layer (Montufar et al. 2014, Telgarsky 2016). One layer with as many units has one piece more than
    units at most.
    """
    layers = _checks.whole("layers", layers)
    x = np.linspace(0, 1, points)
    value = x
    for _ in range(layers):
        value = 2 * np.maximum(0, value) - 4 * np.maximum(0, value - 0.5)
    slope = np.diff(value)
    return {"x": x, "value": value, "pieces": 1 + int((np.diff(np.sign(slope)) != 0).sum())}


# --- a small network, trained while it is watched ---------------------------------------------------------------------

RINGS = 2.0  # the pictures of `divide` show the plane from minus this to this
KINDS = {"tanh": Tanh, "relu": ReLU}


@shared()
def _rings():
    """Forty points of a disc, class 0, and sixty of a ring around it, class 1; a few stand on the wrong side."""
    rng = np.random.default_rng(1)
    radius = np.concatenate([rng.uniform(0.0, 0.75, 40), rng.uniform(1.0, 1.7, 60)]) + 0.08 * rng.standard_normal(100)
    angle = rng.uniform(0, 2 * np.pi, 100)
    x = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return x, np.repeat([0, 1], [40, 60])


def _with_points(added):
    """The points of `_rings` and those of a text "(x, y, class); ...", which a reader added."""
    x, y = _rings()
    found = [part.strip(" ()").split(",") for part in added.split(";")] if added != "none" else []
    if not found:
        return x, y
    more = np.array([[float(number) for number in point] for point in found])
    return np.concatenate([x, more[:, :2]]), np.concatenate([y, more[:, 2].astype(int)])


def divide(activation="tanh", units=3, rate=0.3, steps=100, added="none") -> dict:
    """Train a network 2-units-2 on a disc of points inside a ring, by gradient descent on all points.

    Parameters
    ----------
    activation : "tanh" or "relu", of the hidden units
    units : hidden units
    rate : the learning rate
    steps : of gradient descent
    added : more points, "(x, y, class); (x, y, class)", or "none"

    Returns
    -------
    What `train_on` returns.
    """
    rng = np.random.default_rng(4)
    net = mlp([2, units, 2], KINDS[activation], by_fan_in(1.0))
    params, _ = net.init(rng, dtype=np.float64)
    start = {"activation": activation, "units": units, "params": params, "loss": np.zeros(0), "steps": 0}
    return train_on(start, steps, rate=rate, added=added)


def train_on(result: dict, steps: int, rate=0.3, added="none") -> dict:
    """Go on with a training of `divide`, from the parameters that it has reached.

    Returns
    -------
    x (N, 2), y (N,) : the points and their classes
    params, loss (steps,), steps : what is reached; the loss before each step, NaN from where it is not finite
    axis (41,), chance (41, 41) : the network's probability of class 1 over the plane
    line (25,), hidden (units, 25, 25) : what each hidden unit gives there
    weights (units, 2), biases (units,), says (units,) : of each unit; says is its weight towards class 1
    accuracy : the share of the points that are on the right side
    """
    x, y = _with_points(added)
    activation, units = result["activation"], result["units"]
    net = mlp([2, units, 2], KINDS[activation], by_fan_in(1.0))
    run = descend(net, result["params"], lambda: (x, y), sgd(rate), steps=steps)
    params = run.params
    axis, line = np.linspace(-RINGS, RINGS, 41), np.linspace(-RINGS, RINGS, 25)
    with quiet():
        scores = net.forward(params, {}, _plane(axis), training=False)[0]
        hidden = net.activations(params, {}, _plane(line))[net.names[1]]
        margin = np.clip(scores[:, 1] - scores[:, 0], -500, 500)
        right = accuracy(net.forward(params, {}, x, training=False)[0], y)
    first, last = params[net.names[0]], params[net.names[2]]
    return {
        "activation": activation,
        "units": units,
        "rate": rate,
        "x": x,
        "y": y,
        "params": params,
        "loss": np.concatenate([result["loss"], run.loss]),
        "steps": result["steps"] + steps,
        "axis": axis,
        "chance": (1 / (1 + np.exp(-margin))).reshape(len(axis), -1),
        "line": line,
        "hidden": np.moveaxis(hidden.reshape(len(line), len(line), units), 2, 0),
        "weights": first["w"].T,
        "biases": first["b"],
        "says": last["w"][:, 1] - last["w"][:, 0],
        "accuracy": float(right),
    }


def _plane(axis):
    """The points of a square grid, row by row from below."""
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
