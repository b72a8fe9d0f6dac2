"""Chapter 01: a perceptron, a graph walked by hand, gradients that are checked, gradients that vanish."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _checks
from ..autograd import Tensor
from ..dense import affine_forward
from ..diagnostics import gradient_norms
from ..initializers import he_normal, xavier_normal
from ..layers import Dense, ReLU, Sigmoid, Tanh
from ..losses import mean_squared_error
from ..model import Sequential, accuracy, predict
from ..optimizers import sgd
from ..precision import round_bfloat16, round_float8, through_float8, through_float16
from ..trees import leaves, map_leaves
from ._bench import descend, digits, drawn, mlp, quiet, shared

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {"AND": (0.0, 0.0, 0.0, 1.0), "OR": (0.0, 1.0, 1.0, 1.0), "XOR": (0.0, 1.0, 1.0, 0.0)}


def gate(name="XOR") -> tuple[np.ndarray, np.ndarray]:
    """The four inputs of a logical gate, (4, 2), and its answers, (4,)."""
    _checks.choice("name", name, GATES)
    return CORNERS.copy(), np.array(GATES[name])


def perceptron(name="XOR", epochs=20) -> dict:
    """Rosenblatt's perceptron on a logical gate, one example after the other, without randomness.

    It starts at weights 0 and bias −½, so that its line never runs through one of the four points.

    Returns
    -------
    w, b : (2,) and number, after the last epoch
    mistakes : (epochs,) wrong answers in each pass over the four examples
    """
    x, y = gate(name)
    w, b, mistakes = np.zeros(2), -0.5, []
    for _ in range(epochs):
        wrong = 0
        for example, target in zip(x, y, strict=True):
            error = target - float(example @ w + b > 0)
            w, b, wrong = w + error * example, b + error, wrong + abs(error)
        mistakes.append(int(wrong))
    return {"gate": name, "x": x, "y": y, "w": w, "b": float(b), "mistakes": np.array(mistakes)}


# The graphs that are walked by hand: leaves with their numbers, operations in order, places to draw them at.
ONE_UNIT = {
    "leaves": {"w": 2.0, "x": 3.0, "b": -4.0, "−y": -1.0},
    "operations": {
        "u": ("w · x", lambda t: t["w"] * t["x"]),
        "z": ("u + b", lambda t: t["u"] + t["b"]),
        "a": ("relu(z)", lambda t: t["z"].relu()),
        "e": ("a − y", lambda t: t["a"] + t["−y"]),
        "L": ("e²", lambda t: t["e"] ** 2),
    },
    "places": {
        "w": (0, 1), "x": (0, -1), "u": (1, 0), "b": (1, -1), "z": (2, 0), "a": (3, 0), "−y": (3, -1), "e": (4, 0),
        "L": (5, 0),
    },
}  # fmt: skip
BILL = {
    "leaves": {"a": 100.0, "n": 2.0, "o": 60.0, "m": 5.0, "t": 1.25, "d": 20.0},
    "operations": {
        "p": ("a · n", lambda t: t["a"] * t["n"]),
        "q": ("o · m", lambda t: t["o"] * t["m"]),
        "s": ("p + q", lambda t: t["p"] + t["q"]),
        "v": ("s · t", lambda t: t["s"] * t["t"]),
        "L": ("v + d", lambda t: t["v"] + t["d"]),
    },
    "places": {
        "a": (0.12, 1), "n": (0.12, 0.33), "o": (0.12, -0.33), "m": (0.12, -1),
        "p": (1.3, 0.6), "q": (1.3, -0.6), "s": (2.6, 0), "t": (2.6, -1), "v": (3.8, 0), "d": (3.8, -1), "L": (5, 0),
    },
}  # fmt: skip
GRAPHS = {
    "a bill": BILL,
    "one unit": ONE_UNIT,
    "the unit switched off": ONE_UNIT | {"leaves": ONE_UNIT["leaves"] | {"b": -8.0}},
    "one input, two units": {
        "leaves": {"v": 4.0, "x": 2.0, "w": -1.0, "−y": -5.0},
        "operations": {
            "p": ("v · x", lambda t: t["v"] * t["x"]),
            "q": ("w · x", lambda t: t["w"] * t["x"]),
            "s": ("p + q", lambda t: t["p"] + t["q"]),
            "e": ("s − y", lambda t: t["s"] + t["−y"]),
            "L": ("e²", lambda t: t["e"] ** 2),
        },
        "places": {
            "v": (0, 1), "x": (0, 0), "w": (0, -1), "p": (1.3, 0.6), "q": (1.3, -0.6), "s": (2.6, 0), "−y": (2.6, -1),
            "e": (3.8, 0), "L": (5, 0),
        },
    },
}  # fmt: skip
WALK = 11  # steps: five values forward, the gradient of L itself, five operations backward


def walk(graph="one unit", step=0) -> dict:
    """The state of a small graph after `step` steps: five forward, then six back. All numbers are exact.

    Returns
    -------
    values : {name: number} of the leaves and of what has been computed so far
    grads : {name: number} what has arrived so far at each node on the way back
    edges : (from, to) pairs
    now : the name of the node at work, "" before the first step
    text : this step in words
    """
    _checks.choice("graph", graph, GRAPHS)
    step = _checks.whole("step", step, 0)
    plan = GRAPHS[graph]
    nodes = {name: Tensor(value) for name, value in plan["leaves"].items()}
    for name, (_, operation) in plan["operations"].items():
        nodes[name] = operation(nodes)
    names = {node: name for name, node in nodes.items()}
    order = list(plan["operations"])
    edges = [(names[p], name) for name in order for p in nodes[name].parents if p in names]
    values = dict(plan["leaves"]) | {name: float(nodes[name].data) for name in order[:step]}
    grads, now, text = {}, "", "The numbers on the left and below are given. Nothing is computed yet."
    if 0 < step <= len(order):
        now = order[step - 1]
        text = f"Forward: {now} = {plan['operations'][now][0]} = {_show(values[now])}."
    if step > len(order):
        grads, now, text = {"L": 1.0}, "L", "Back: L changes exactly as L does, so its gradient is 1."
    for name in order[::-1][: max(0, step - len(order) - 1)]:
        now, said = name, []
        for parent, local in _locals(nodes[name]):
            to, slope = names[parent], float(local(np.ones(())))
            if to == "−y":  # data: nobody asks how the loss changes with it
                continue
            part = grads[name] * slope + 0.0  # no minus zero
            plus = f", together {_show(grads[to] + part)}" if to in grads else ""
            grads[to] = grads.get(to, 0.0) + part
            said.append(f"{to} gets {_factor(grads[name])} · {_factor(slope)} = {_show(part)}{plus}")
        text = f"Back through {name} = {plan['operations'][name][0]}: {'; '.join(said)}."
    return {"graph": graph, "step": step, "values": values, "grads": grads, "edges": edges, "now": now, "text": text}


def typed(graph="one unit", values=None, grads=None) -> list[str]:
    """What a reader wrote down for the numbers of a graph, compared with the walk: one line for each number.

    Parameters
    ----------
    values : {name: number} of the way forward; None for what has not been worked out
    grads : {name: number} of the way back, the gradient of L with respect to each

    >>> typed("one unit", {"u": 6, "z": 3})
    ['u = 6: right', 'z = 3: not yet; it is u + b']
    >>> typed("one unit", grads={"e": None, "w": 6})
    ['∂L/∂e: not typed yet', '∂L/∂w = 6: right']
    """
    end, plan = walk(graph, WALK), GRAPHS[graph]
    lines = []
    for kind, said in (("values", values or {}), ("grads", grads or {})):
        for name, number in said.items():
            _checks.choice("a name", name, end[kind])
            shown = name if kind == "values" else f"∂L/∂{name}"
            if number is None:
                lines.append(f"{shown}: not typed yet")
                continue
            right = abs(_checks.number(shown, number) - end[kind][name]) < 1e-6
            after = ", ".join(to for begin, to in end["edges"] if begin == name)
            why = f"it is {plan['operations'][name][0]}" if kind == "values" and name in plan["operations"] else ""
            why = why or f"it comes from {after}, times the local derivative there"
            lines.append(f"{shown} = {_show(number)}: {'right' if right else 'not yet; ' + why}")
    return lines


def _locals(node):
    """(parent, local derivative) pairs of a node of the engine."""
    return zip(node.parents, node._local, strict=True)


def _show(number):
    return f"{number:g}".replace("-", "−")


def _factor(number):
    return f"({_show(number)})" if number < 0 else _show(number)


def plane(function, points=41) -> dict:
    """What a function of points (N, 2) gives on a grid over the unit square and a little around it."""
    axis = np.linspace(-0.4, 1.4, points)
    x, y = np.meshgrid(axis, axis)
    value = function(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    return {"x": x, "y": y, "value": value}


def xor_starts(hidden=(1, 2, 3, 4, 8), runs=100, steps=1000, lr=0.1, seed=0) -> dict:
    """Train 2-hidden-1 tanh networks on XOR from many random starts at once, along the run axis.

    Returns `{hidden units: (runs,) loss after the last step}`.
    """
    x, y = gate("XOR")
    last = {}
    for units in hidden:
        rng = np.random.default_rng([seed, units])
        w1, b1 = rng.standard_normal((runs, 2, units)), np.zeros((runs, 1, units))
        w2, b2 = rng.standard_normal((runs, units, 1)), np.zeros((runs, 1, 1))
        start = {"dense_0": {"w": w1, "b": b1}, "dense_2": {"w": w2, "b": b2}}
        batch = x, np.broadcast_to(y[:, None], (runs, 4, 1))
        net = mlp([2, units, 1], Tanh)
        run = descend(net, start, lambda batch=batch: batch, sgd(lr), steps=steps, loss=mean_squared_error)
        last[units] = run.loss[-1]
    return last


def cost(sizes=(784, 100, 100, 100, 10), examples=100, repeats=15, seed=0) -> dict:
    """What a gradient costs: seconds of a forward pass, of a backward pass, and of one nudge for each parameter.

    The first two are medians of measurements; the third is the number of parameters times a forward pass.
    """
    rng = np.random.default_rng(seed)
    net = mlp(list(sizes), ReLU, _weights("relu"))
    params, state = net.init(rng)
    x = rng.standard_normal((examples, sizes[0]), dtype=np.float32)
    y = np.zeros((examples, sizes[-1]), np.float32)
    seconds = {"forward": [], "backward": []}
    for _ in range(repeats):
        start = time.perf_counter()
        out, cache, _ = net.forward(params, state, x, training=True)
        _, dout = mean_squared_error(out, y)
        between = time.perf_counter()
        net.backward_first(dout, cache)
        seconds["forward"].append(between - start)
        seconds["backward"].append(time.perf_counter() - between)
    count = sum(array.size for layer in params.values() for array in layer.values())
    forward, backward = (float(np.median(times)) for times in seconds.values())
    return {"parameters": count, "forward": forward, "backward": backward, "nudging": count * forward}


ARITHMETIC = {"float64": np.float64, "float32": np.float32}
STEPS = np.logspace(0, -15, 31)


def difference(eps=0.01, arithmetic="float64", formula="central") -> dict:
    """Error of finite differences on the XOR network, 2-4-1 tanh with 17 parameters, for steps from 1 down to `eps`.

    Returns as `difference_errors`, with the exact and the measured gradient of the first weight at `eps`.
    """
    _checks.choice("arithmetic", arithmetic, ARITHMETIC)
    x, y = gate("XOR")
    net = mlp([2, 4, 1], Tanh, lambda rng, shape, dtype: rng.standard_normal(shape).astype(dtype))
    params, _ = net.init(np.random.default_rng(1), dtype=np.float64)
    steps = np.append(STEPS[STEPS > eps * 1.001], eps)
    return difference_errors(net, params, x, y[:, None], steps, ARITHMETIC[arithmetic], formula) | {
        "arithmetic": arithmetic,
    }


def difference_errors(net, params, x, y, steps, dtype=np.float64, formula="central", entries=None) -> dict:
    """Finite differences of the mean squared error for many step sizes, against the gradient of the backward pass.

    All nudged networks of one step size run side by side, along the run axis.

    Parameters
    ----------
    entries : which parameters, as indices into all of them laid end to end; None for all

    Returns
    -------
    error : (steps,) length of the difference between measured and exact gradient, over the length of the exact one
    exact, measured : the gradient of the first entry, by the backward pass and by the last step size
    """
    _checks.choice("formula", formula, ("central", "one-sided"))
    out, cache, _ = net.forward(params, {}, x, training=True)
    grads = net.backward_first(mean_squared_error(out, y)[1], cache)
    flat, exact = _flat(params), _flat(grads)
    entries = np.arange(len(flat)) if entries is None else entries
    x, y, flat, exact = x.astype(dtype), y.astype(dtype), flat.astype(dtype), exact[entries]
    rows = np.arange(len(entries))

    def losses(nudge):
        theta = np.repeat(flat[None], len(entries), axis=0)
        theta[rows, entries] += dtype(nudge)
        pred, _, _ = net.forward(_runs(theta, params), {}, x, training=True)
        return mean_squared_error(pred, np.broadcast_to(y, pred.shape))[0]

    error = []
    for eps in steps:
        below = losses(-eps) if formula == "central" else losses(0.0)
        measured = (losses(eps) - below) / dtype(2 * eps if formula == "central" else eps)
        error.append(np.linalg.norm(measured - exact) / np.linalg.norm(exact))
    return {
        "steps": np.asarray(steps),
        "error": np.array(error),
        "exact": float(exact[0]),
        "measured": float(measured[0]),
        "formula": formula,
    }


def _flat(params):
    return np.concatenate([array.ravel() for layer in params.values() for array in layer.values()])


def _runs(theta, like):
    """Rows of numbers (R, P) as the params of R networks."""
    params, at = {}, 0
    for layer, arrays in like.items():
        params[layer] = {}
        for name, array in arrays.items():
            shape = (len(theta), 1, *array.shape) if array.ndim == 1 else (len(theta), *array.shape)
            params[layer][name] = theta[:, at : at + array.size].reshape(shape)
            at += array.size
    return params


def best_steps(activation="tanh", arithmetic="float64", formula="central", entries=20, seed=0) -> dict:
    """`difference_errors` of a 64-16-10 network on 64 digits, for 20 parameters drawn from all; steps 1 to 1e-12."""
    _checks.choice("activation", activation, LAYERS)
    _checks.choice("arithmetic", arithmetic, ARITHMETIC)
    rng = np.random.default_rng(seed)
    x, y = (array[:64].astype(np.float64) for array in _digits()[:2])
    net = mlp([64, 16, 10], LAYERS[activation], _weights(activation))
    params, _ = net.init(rng, dtype=np.float64)
    chosen = rng.choice(len(_flat(params)), entries, replace=False)
    steps = np.logspace(0, -12, 25)
    return difference_errors(net, params, x, y, steps, ARITHMETIC[arithmetic], formula, chosen)


LAYERS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU}
STARTS = ("usual", "recentred")


def _weights(activation):
    rule = he_normal if activation == "relu" else xavier_normal
    return lambda rng, shape, dtype: rule(rng, shape, dtype=dtype)


@shared()
def _digits():
    """8x8 digits, standardized, and the labels to train on as rows of ten numbers, 1 at the right digit."""
    found = digits()
    return found._replace(y=np.eye(10, dtype=np.float32)[found.y])


def _network(activation, depth, width, start, rng):
    """64-width-...-width-10 and its first params.

    The recentred start makes a sigmoid network compute exactly what the tanh network with the usual start does.
    sigmoid(z) = (1 + tanh(z/2)) / 2, so take twice the first weights, four times the hidden ones, twice the last ones,
    and subtract half of the sum of each unit's weights from its bias.
    """
    _checks.choice("activation", activation, LAYERS)
    _checks.choice("start", start, STARTS)
    net = mlp([64] + [width] * depth + [10], LAYERS[activation], _weights(activation))
    params, _ = net.init(rng)
    if start == "recentred" and activation == "sigmoid":
        for layer, times in zip(params.values(), [2] + [4] * (depth - 1) + [2], strict=True):
            layer["w"] *= times
        for layer in list(params.values())[1:]:
            layer["b"] -= layer["w"].sum(axis=0) / 2
    return net, params


def gradients_by_layer(depth=2, start="usual", width=32, examples=100, seed=0) -> dict:
    """Norm of every layer's weight gradient before training, sigmoid against ReLU, on 8x8 digits.

    Returns
    -------
    sigmoid, relu : (depth + 1,) norms, first layer first
    factor : {activation: by how much one hidden layer multiplies the gradient on its way back, geometric mean}
    """
    depth = _checks.whole("depth", depth, 2)
    x, y = (array[:examples] for array in _digits()[:2])
    result = {"depth": depth, "start": start, "factor": {}}
    for activation in ("sigmoid", "relu"):
        net, params = _network(activation, depth, width, start, np.random.default_rng(seed))
        out, cache, _ = net.forward(params, {}, x, training=True)
        grads = net.backward_first(mean_squared_error(out, y)[1], cache)
        norms = np.array([norm for name, norm in gradient_norms(grads).items() if name.endswith("/w")])
        result[activation] = norms
        # Layers between equal neighbours: not the first (64 inputs), not the last (no activation behind it).
        result["factor"][activation] = float((norms[1] / norms[-2]) ** (1 / max(1, depth - 2)))
    return result


def train_deep(activation="sigmoid", depth=6, start="usual", width=32, steps=600, lr=0.2, batch=64, seed=0) -> dict:
    """Train a network of `depth` hidden layers on 8x8 digits by gradient descent on the mean squared error.

    Returns
    -------
    loss : (steps,); NaN from the step at which training diverged
    accuracy : share of the test digits that are right
    moved : (depth + 1,) how far each layer's weights moved, relative to where they began
    """
    x, y, x_test, labels = _digits()
    rng = np.random.default_rng(seed)
    net, params = _network(activation, depth, width, start, rng)
    run = descend(net, params, drawn(x, y, batch, rng), sgd(lr), steps=steps, loss=mean_squared_error)
    with quiet():
        right = float(accuracy(predict(net, run.params, {}, x_test), labels))
    pairs = [(run.params[name]["w"], first["w"]) for name, first in params.items()]
    moved = np.array([np.linalg.norm(w - first) / np.linalg.norm(first) for w, first in pairs])
    return {"loss": run.loss, "accuracy": right, "moved": moved, "activation": activation, "depth": depth}


# --- a ball on a loss, the two orders of a product, what is kept, 16 bits ---


def ball(rate=0.1, steps=8, start=-2.0) -> dict:
    """Gradient descent on the loss w squared from `start`.

    Returns {"rate", "w": (steps + 1,) where the ball was}.
    """
    w = [start]
    for _ in range(steps):
        w.append(w[-1] - rate * 2 * w[-1])
    return {"rate": rate, "w": np.array(w)}


def jacobian(sizes=(100, 50, 20, 1), seed=0) -> dict:
    """All derivatives of a tanh network's outputs by its inputs, multiplied together from either end.

    Forward mode carries one direction of the inputs through the layers at a time, reverse mode one output back. Each
    pass through a layer takes as many multiplications as the layer has weights.

    Returns
    -------
    forward, reverse : (outputs, inputs) the two results, equal but for rounding
    passes, multiplications : {"forward", "reverse"}
    """
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in itertools.pairwise(sizes)]
    x, slopes = rng.standard_normal(sizes[0]), []
    for w in weights:
        x = np.tanh(x @ w)
        slopes.append(1 - x**2)
    count, columns, rows = {"forward": 0, "reverse": 0}, [], []
    for v in np.eye(sizes[0]):  # Jacobian times vector: from the inputs on
        for w, slope in zip(weights, slopes, strict=True):
            v = (v @ w) * slope
            count["forward"] += w.size
        columns.append(v)
    for v in np.eye(sizes[-1]):  # vector times Jacobian: from the outputs back
        for w, slope in zip(weights[::-1], slopes[::-1], strict=True):
            v = w @ (v * slope)
            count["reverse"] += w.size
        rows.append(v)
    return {
        "forward": np.array(columns).T, "reverse": np.array(rows), "multiplications": count,
        "passes": {"forward": sizes[0], "reverse": sizes[-1]},
    }  # fmt: skip


def kept(batch=100, sizes=(784, 100, 100, 100, 10)) -> dict:
    """How many numbers a ReLU network keeps between its forward and its backward pass, beside its parameters.

    Returns {"parameters", "kept"}: counts.
    """
    net = mlp(list(sizes), ReLU)
    params, _ = net.init(np.random.default_rng(0))
    x = np.zeros((batch, sizes[0]), np.float32)
    _, cache, _ = net.forward(params, {}, x, training=True)
    own = {id(array) for array in leaves(params).values()}
    arrays = {}

    def collect(part):
        if isinstance(part, np.ndarray) and id(part) not in own:
            arrays[id(part)] = part.size
        elif isinstance(part, dict):
            collect(list(part.values()))
        elif isinstance(part, (tuple, list)):
            for each in part:
                collect(each)

    collect(cache)
    count = sum(array.size for array in leaves(params).values())
    return {"parameters": count, "kept": sum(arrays.values())}


def underflow(scales=(1.0, 2.0**8, 2.0**16, 2.0**24), depth=10, seed=0) -> dict:
    """A deep sigmoid network's gradient in float16, at several scales of the loss.

    Returns {scale: {"zero": share of the entries that are not 0 and become 0, "infinite": share that become infinite}}.
    """
    x, y = (array[:100] for array in _digits()[:2])
    net, params = _network("sigmoid", depth, 32, "usual", np.random.default_rng(seed))
    out, cache, _ = net.forward(params, {}, x, training=True)
    exact = leaves(net.backward_first(mean_squared_error(out, y)[1], cache))
    result = {}
    for scale in scales:
        there = [np.abs(through_float16(g, scale)[g != 0]) for g in exact.values()]
        there = np.concatenate([g.ravel() for g in there])
        result[scale] = {"zero": float((there == 0).mean()), "infinite": float(np.isinf(there).mean())}
    return result


@dataclass(frozen=True)
class _ShortDense(Dense):
    """A dense layer whose products take short numbers: `rounded` makes weights and inputs short, `back` gradients."""

    rounded: Callable = np.asarray
    back: Callable = np.asarray

    def forward(self, params, state, x, *, training, rng=None):
        out, cache = affine_forward(self.rounded(x), self.rounded(params["w"]), params["b"])
        return out, cache, state

    def backward(self, dout, cache):
        return super().backward(self.back(dout), cache)

    def backward_first(self, dout, cache):
        return super().backward_first(self.back(dout), cache)


_EIGHT = {"rounded": through_float8, "back": functools.partial(through_float8, kind="e5m2")}
SHORT = {  # how weights and inputs, and how gradients become short, and whether the weights stay so
    "float32": ({}, False),
    "bfloat16": ({"rounded": round_bfloat16, "back": round_bfloat16}, False),
    "float8": (_EIGHT, False),
    "float8, and weights stored so": (_EIGHT, True),
}


def short_products(numbers="float8", steps=600, lr=0.1, seed=0) -> dict:
    """Train 64-32-32-10 with ReLU on 8x8 digits while the products of matrices take numbers of 32, 16 or 8 bits.

    In float8 inputs and weights are rounded to E4M3, gradients to E5M2, each array with a scale of its own. The weights
    themselves stay in float32, unless they are stored in float8 too: then they are rounded after each step.

    Returns
    -------
    loss : (steps,); accuracy : share of the test digits that are right, by a network that rounds as in training
    moved : share of the weights that differ from the first ones in the end
    """
    short, stored = SHORT[_checks.choice("numbers", numbers, SHORT)]
    x, y, x_test, labels = digits()
    rng = np.random.default_rng(seed)
    sizes, layers = (64, 32, 32, 10), []
    for inputs, units in itertools.pairwise(sizes):
        layers += [_ShortDense(inputs, units, he_normal, **short), ReLU()]
    net = Sequential(layers[:-1])
    first, _ = net.init(rng)
    first = map_leaves(through_float8, first) if stored else first
    rule, sample, params = sgd(lr), drawn(x, y, 64, rng), first
    if stored:
        losses = []
        for _ in range(steps):
            run = descend(net, params, sample, rule, steps=1)
            params = map_leaves(through_float8, run.params)
            losses.append(run.loss[0])
    else:
        run = descend(net, params, sample, rule, steps=steps)
        params, losses = run.params, run.loss
    right = float(accuracy(predict(net, params, {}, x_test), labels))
    moved = np.mean([(params[name]["w"] != first[name]["w"]).mean() for name in params])
    return {"loss": np.asarray(losses), "accuracy": right, "moved": float(moved)}


def short_gradient(seed=0) -> dict:
    """The gradient of ten sigmoid layers in short numbers: share of the entries that are not 0 and become 0.

    Returns {name: (without a scale, with one for each array)} for float16, bfloat16, and float8 in both forms.
    """
    x, y = (array[:100] for array in _digits()[:2])
    net, params = _network("sigmoid", 10, 32, "usual", np.random.default_rng(seed))
    out, cache, _ = net.forward(params, {}, x, training=True)
    arrays = list(leaves(net.backward_first(mean_squared_error(out, y)[1], cache)).values())

    def half(g):
        return through_float16(g, 2.0 ** np.floor(np.log2(65504 / np.abs(g).max())))

    ways = {"float16": (through_float16, half), "bfloat16": (round_bfloat16, round_bfloat16)}
    for kind in ("e5m2", "e4m3"):
        plain, own = (functools.partial(way, kind=kind) for way in (round_float8, through_float8))
        ways[f"float8 {kind.upper()}"] = (plain, own)
    entries = sum((g != 0).sum() for g in arrays)
    return {
        name: tuple(float(sum(((way(g) == 0) & (g != 0)).sum() for g in arrays) / entries) for way in both)
        for name, both in ways.items()
    }
