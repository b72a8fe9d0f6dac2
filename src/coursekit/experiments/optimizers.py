"""Chapter 07: rules that turn a gradient into a step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _checks, data, trees
from ..losses import mean_squared_error, softmax_cross_entropy
from ..model import accuracy, stack_runs
from ..optimizers import (
    Optimizer,
    adadelta,
    adagrad,
    adam,
    adamw,
    amsgrad,
    by_name,
    chain,
    global_norm_clip,
    lion,
    momentum,
    muon,
    nadam,
    nesterov,
    orthogonalized,
    rmsprop,
    sgd,
)
from . import _bench
from ._bench import count, descend, drawn, mlp, mnist, quiet, scaled, shared

# The name that a reader sees, and the optimizer at a learning rate.
OPTIMIZERS = {
    "gradient descent": sgd,
    "momentum": momentum,
    "Nesterov": nesterov,
    "AdaGrad": adagrad,
    "RMSProp": lambda lr: rmsprop(lr, decay=0.9),  # the lecture's decay; PyTorch's is 0.99
    "AdaDelta": adadelta,
    "Adam": adam,
    "AMSGrad": amsgrad,
    "AdamW": adamw,
    "Nadam": nadam,
}
# The nine that differ where nothing decays: AdamW without weight decay is Adam.
NINE = tuple(name for name in OPTIMIZERS if name != "AdamW")
# The eight of the chapter's MNIST experiments; AMSGrad's curve lies on Adam's there.
EIGHT = tuple(name for name in NINE if name != "AMSGrad")


@dataclass(frozen=True)
class Surface:
    """A function of two parameters, its gradient, and what a picture of it needs."""

    value: Callable
    gradient: Callable
    minimum: tuple[float, float]
    view: tuple[float, float, float, float]
    starts: dict[str, tuple[float, float]]


SURFACES = {
    "valley": Surface(
        value=lambda x, y: x**2 / 20 + y**2,
        gradient=lambda x, y: (x / 10, 2 * y),
        minimum=(0.0, 0.0),
        view=(-9, 9, -3, 3),
        starts={"(-7, 2)": (-7.0, 2.0), "(-7, 0.2)": (-7.0, 0.2), "(1, 2)": (1.0, 2.0)},
    ),
    "Rosenbrock": Surface(
        value=lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        gradient=lambda x, y: (-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)),
        minimum=(1.0, 1.0),
        view=(-2, 2, -1, 3),
        starts={"A": (-1.2, 1.0), "B": (0.5, 2.5)},
    ),
    "saddle": Surface(
        value=lambda x, y: x**2 / 2 - y**2 / 2 + y**4 / 4,
        gradient=lambda x, y: (x, y**3 - y),
        minimum=(0.0, 1.0),
        view=(-2, 2, -1.6, 1.6),
        starts={"A": (-1.6, 1e-4), "B": (-1.6, 0.0)},
    ),
    "two minima": Surface(
        value=lambda x, y: x**4 / 4 - x**2 / 2 + 0.15 * x + y**2 / 2,
        gradient=lambda x, y: (x**3 - x + 0.15, y),
        minimum=(float(min(np.roots([1, 0, -1, 0.15]).real)), 0.0),
        view=(-2, 2, -1.6, 1.6),
        starts={"A": (1.8, 1.2), "B": (0.3, -1.2)},
    ),
}
FAR = 1e4  # a path that goes further than this has left


def paths(surface="valley", optimizer="gradient descent", rate=0.95, start="(-7, 2)", steps=50) -> dict:
    """Walk down a surface from one of its starts, or from any point, `start="(-3, 1.5)"`.

    Returns
    -------
    path : (steps + 1, 2) the parameters, start included; NaN once the path has left for infinity
    height : (steps + 1,) how far the value is above the surface's minimum
    left : the step at which the path left for infinity, or None
    """
    ground = SURFACES[_checks.choice("surface", surface, SURFACES)]
    build = OPTIMIZERS[_checks.choice("optimizer", optimizer, OPTIMIZERS)]
    path = walk(build(rate), ground.gradient, _point(start, ground.starts), steps)
    left = np.isnan(path[:, 0])
    return {
        "path": path,
        "height": ground.value(*path.T) - ground.value(*ground.minimum),
        "left": int(left.argmax()) if left.any() else None,
        "surface": surface,
        "optimizer": optimizer,
        "rate": rate,
        "steps": steps,
    }


def _point(start, starts):
    """The start of that name, or the point that it spells: "(-3, 1.5)"."""
    pair = start not in starts and re.fullmatch(r"\(\s*([-\d.e]+)\s*,\s*([-\d.e]+)\s*\)", str(start))
    return tuple(map(float, pair.groups())) if pair else starts[_checks.choice("start", start, starts)]


def walk(optimizer, gradient, start, steps) -> np.ndarray:
    """(steps + 1, 2): every point that `optimizer` visits from `start`; NaN from where it has gone too far."""
    path = np.full((steps + 1, 2), np.nan)
    w = path[0] = start
    w = np.array(w)
    state = optimizer.init(w)
    for k in range(steps):
        w, state = optimizer.update(w, np.array(gradient(*w)), state)
        if not np.abs(w).max() < FAR:
            break
        path[k + 1] = w
    return path


def landscape(surface="Rosenbrock", optimizer="gradient descent", rate=0.001, start="A") -> dict:
    """`paths` of 200 steps on the surfaces that are not bowls."""
    return paths(surface, optimizer, rate, start, steps=200)


# One rate for each, with which it does well on the valley from (-7, 2) in 40 steps.
VALLEY_RATES = {
    "gradient descent": 0.95,
    "momentum": 0.2,
    "Nesterov": 0.2,
    "AdaGrad": 1.5,
    "RMSProp": 0.3,
    "AdaDelta": 200.0,
    "Adam": 0.5,
    "AMSGrad": 0.5,
    "Nadam": 0.5,
}


def nine_paths(steps=40) -> list[dict]:
    """The paths of nine optimizers on the valley, all from (-7, 2), each at a rate that suits it."""
    return [paths("valley", name, VALLEY_RATES[name], steps=steps) for name in NINE]


def penguins() -> tuple[np.ndarray, np.ndarray]:
    """Flipper length and body mass of each penguin, both standardized: (N, 1) and (N, 1), float64."""
    table = data.tables("penguins")
    columns = [next(i for i, name in enumerate(table.features) if part in name) for part in ("flipper", "mass")]
    x = table.x[:, columns].astype(np.float64)
    x = x[np.isfinite(x).all(axis=1)]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x[:, :1], x[:, 1:]


def batches(batch_size=1, rate=0.03, epochs=4, seed=0) -> dict:
    """Fit a line to the penguins by gradient descent with batches of this size, or "all" at once.

    The model is mass = slope * flipper + offset, and the loss the mean squared error. Its minimum is known exactly.

    Returns
    -------
    path : (updates + 1, 2) slope and offset
    excess : (updates + 1,) loss on all penguins above the lowest possible
    examples : (updates + 1,) examples read so far
    noise : how far a batch's gradient is from the full one at the start, root mean square over batches, relative to
        the full one's length
    best : (2,) the minimum
    """
    x, y = penguins()
    size = len(x) if batch_size == "all" else _checks.whole("batch_size", batch_size)
    rng = np.random.default_rng(seed)
    inputs = np.hstack([x, np.ones_like(x)])
    best = np.linalg.lstsq(inputs, y, rcond=None)[0]
    w = np.array([[-1.0], [1.0]])
    noise = _gradient_noise(inputs, y, w, size, rng)
    optimizer, path, examples = sgd(rate), [w], [0]
    state = optimizer.init(w)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for i in range(0, len(x), size):
            batch = order[i : i + size]
            w, state = optimizer.update(w, _line_gradient(inputs[batch], y[batch], w), state)
            path.append(w)
            examples.append(examples[-1] + len(batch))
    path = np.hstack(path).T
    errors = inputs @ path.T - y  # (N, updates + 1)
    lowest = np.mean((inputs @ best - y) ** 2)
    return {
        "path": path,
        "excess": np.mean(errors**2, axis=0) - lowest,
        "examples": np.array(examples),
        "noise": noise,
        "best": best[:, 0],
        "lowest": float(lowest),
        "size": size,
        "count": len(x),
        "rate": rate,
    }


def _line_gradient(inputs, y, w):
    _, derror = mean_squared_error(inputs @ w, y)
    return inputs.T @ derror


def _gradient_noise(inputs, y, w, size, rng, draws=200):
    full = _line_gradient(inputs, y, w)
    if size == len(inputs):
        return 0.0
    each = [rng.permutation(len(inputs))[:size] for _ in range(draws)]
    off = [np.sum((_line_gradient(inputs[b], y[b], w) - full) ** 2) for b in each]
    return float(np.sqrt(np.mean(off)) / np.linalg.norm(full))


def reach(result, share=0.1) -> int | None:
    """How many examples `batches` had read when the loss was within `share` of the lowest possible; None if never."""
    there = result["excess"] < share * result["lowest"]
    return int(result["examples"][there.argmax()]) if there.any() else None


def time_per_example(sizes=(1, 8, 64, 512), repeats=15, seed=0) -> dict[int, float]:
    """Microseconds that the gradient of a 784-100-10 net takes for each example, by batch size; the median."""
    rng = np.random.default_rng(seed)
    net = mlp([784, 100, 10])
    params, state = net.init(rng)
    result = {}
    for size in sizes:
        x, y = rng.standard_normal((size, 784), dtype=np.float32), rng.integers(0, 10, size)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            scores, cache, _ = net.forward(params, state, x, training=True)
            net.backward_first(softmax_cross_entropy(scores, y)[1], cache)
            seconds.append(time.perf_counter() - start)
        result[size] = 1e6 * float(np.median(seconds)) / size
    return result


def momentum_map(condition=100, rate=1.0, decay=0.0, steps=200) -> dict:
    """Momentum on a quadratic with curvatures 1/condition and 1: every pair of rate and momentum, and one in detail.

    Returns
    -------
    rates, decays : (64,), (64,) the axes of the map
    map : (64, 64) by decay and rate: the factor by which the distance from the minimum shrinks in a step, see
        `contraction`
    distance : (steps + 1,) from the minimum at the chosen rate and decay, that at the start being 1
    plain_distance, theory_distance : the same for the best rate without momentum, and for theory's pair
    plain, theory : (rate, decay)
    """
    rates, decays = np.linspace(0.0625, 4, 64), np.linspace(0, 0.99, 64)
    low, high = 1 / condition, 1.0
    plain, theory = (2 / (low + high), 0.0), goh_optimum(low, high)
    pairs = {"distance": (rate, decay), "plain_distance": plain, "theory_distance": theory}
    return {name: quadratic_walk(condition, *pair, steps)[:, 0] for name, pair in pairs.items()} | {
        "rates": rates,
        "decays": decays,
        "map": _momentum_grid(condition, steps),
        "theory": theory,
        "plain": plain,
        "condition": condition,
        "rate": rate,
        "decay": decay,
    }


def goh_optimum(low, high) -> tuple[float, float]:
    """Best rate and momentum for curvatures between `low` and `high` (Polyak 1964; Goh 2017)."""
    rate = (2 / (np.sqrt(low) + np.sqrt(high))) ** 2
    decay = ((np.sqrt(high) - np.sqrt(low)) / (np.sqrt(high) + np.sqrt(low))) ** 2
    return float(rate), float(decay)


def quadratic_walk(condition, rates, decays, steps) -> np.ndarray:
    """(steps + 1, R): distance from the minimum of the quadratic, one run for each pair of rate and decay."""
    curvature = np.array([1 / condition, 1.0])
    optimizer = momentum(np.ravel(rates).astype(float), np.ravel(decays).astype(float))
    w = np.ones((optimizer.lr.size, 2))
    state = optimizer.init(w)
    distance = [np.ones(len(w))]
    with quiet():  # pairs that diverge go to infinity
        for _ in range(steps):
            w, state = optimizer.update(w, curvature * w, state, inplace=True)
            distance.append(np.sqrt((w**2).mean(axis=1)))
    return np.array(distance)


def contraction(distance) -> np.ndarray:
    """By what factor the distance shrinks in a step, in the long run: (steps + 1, R) -> (R,).

    The mean of the last quarter over that of the second quarter; half of the steps lie between the two.
    """
    quarter = len(distance) // 4
    with quiet():
        late, early = distance[-quarter:].mean(axis=0), distance[quarter : 2 * quarter].mean(axis=0)
        return (late / early) ** (1 / (len(distance) - 2 * quarter))


@shared(maxsize=8)
def _momentum_grid(condition, steps):
    rates, decays = np.meshgrid(np.linspace(0.0625, 4, 64), np.linspace(0, 0.99, 64))
    return contraction(quadratic_walk(condition, rates, decays, steps)).reshape(rates.shape)


def look_ahead(rate=0.35, decay=0.9, point=(-5.0, 1.3), velocity=(-3.0, 6.2)) -> dict:
    """One step of momentum and one of Nesterov from the same point with the same velocity, on the valley.

    Returns the points `w`, `ahead` (where the velocity alone would carry), `momentum` and `nesterov` (where the steps
    end), and the gradients `at_w` and `at_ahead`, each (2,).
    """
    gradient = SURFACES["valley"].gradient
    w, v = np.array(point), np.array(velocity)
    ahead = w - rate * decay * v
    at_w, at_ahead = np.array(gradient(*w)), np.array(gradient(*ahead))
    return {
        "w": w,
        "ahead": ahead,
        "at_w": at_w,
        "at_ahead": at_ahead,
        "momentum": ahead - rate * at_w,
        "nesterov": ahead - rate * at_ahead,
        "rate": rate,
    }


def nesterov_in_two_forms(rate=0.1, decay=0.9, steps=40) -> dict:
    """Nesterov's method as the paper writes it, and as `coursekit.optimizers.nesterov` and PyTorch do.

    Returns `paper` and `library`, (steps + 1, 2) each, and `shifted`: the paper's path, each point moved on by its
    velocity.
    """
    gradient, start = SURFACES["valley"].gradient, (-7.0, 2.0)
    w, v, points, shifted = np.array(start), np.zeros(2), [start], [start]
    for _ in range(steps):
        v = decay * v + np.array(gradient(*(w - rate * decay * v)))
        w = w - rate * v
        points.append(w)
        shifted.append(w - rate * decay * v)
    library = walk(nesterov(rate, decay), gradient, start, steps)
    return {"paper": np.array(points), "library": library, "shifted": np.array(shifted)}


def one_weight(optimizer, gradients, low=-np.inf, high=np.inf) -> np.ndarray:
    """(steps + 1,): a single weight that starts at 0 and sees these gradients, kept between `low` and `high`."""
    w, slots = 0.0, [0.0] * len(optimizer.slots)
    points = [w]
    for t, g in enumerate(np.asarray(gradients, dtype=float).tolist(), 1):
        lr = optimizer.lr(t - 1) if callable(optimizer.lr) else optimizer.lr
        w, *slots = optimizer.step(w, g, lr, t, *slots)
        w = min(max(w, low), high)
        points.append(w)
    return np.array(points)


def step_lengths(gradients, optimizers=("AdaGrad", "RMSProp", "AdaDelta")) -> dict:
    """How long the steps of one weight are that sees these gradients; rate 0.01, AdaDelta's factor 1.

    Returns `{optimizer: (steps,)}`.
    """
    rules = {name: OPTIMIZERS[name](1.0 if name == "AdaDelta" else 0.01) for name in optimizers}
    return {name: np.abs(np.diff(one_weight(rule, gradients))) for name, rule in rules.items()}


def cliff(high=10.0, low=0.1, steep=30, steps=1000) -> np.ndarray:
    """(steps,) gradients: `steep` large ones, then small ones."""
    return np.where(np.arange(steps) < steep, high, low)


@dataclass(frozen=True)
class adam_without_correction(Optimizer):
    """Adam with m and v as they are: both start at 0 and are too small at first."""

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slots = ("m", "v")

    def step(self, w, g, lr, t, m, v):
        """The rule."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        return w - lr * m / (np.sqrt(v) + self.eps), m, v


@dataclass(frozen=True)
class yogi(Optimizer):
    r"""Yogi: Adam whose $v$ changes by at most $(1 - \beta_2) g^2$ in a step (Zaheer and others 2018, algorithm 2).

    $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
    v \leftarrow v - (1 - \beta_2) \operatorname{sign}(v - g^2)\, g^2, \qquad
    w \leftarrow w - \eta \frac{m}{\sqrt v + \varepsilon}$$

    Neither mean is corrected, as in the paper.
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-3

    slots = ("m", "v")

    def step(self, w, g, lr, t, m, v):
        """The rule."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = v - (1 - self.beta2) * np.sign(v - g**2) * g**2
        return w - lr * m / (np.sqrt(v) + self.eps), m, v


def yogi_on_the_adversary(memory, every, cycles=None) -> float:
    """As `adversary_drift`, for Yogi: the sum of its steps over a cycle in the long run, a mean of 200 cycles."""
    rule = yogi(1.0, 0.0, 1 - 1 / memory, 0.0)
    cycles = 6 * int(memory) + 300 if cycles is None else cycles
    w, m, v, then = 0.0, 0.0, 0.0, 0.0
    for cycle in range(cycles):
        then = w if cycle == cycles - 200 else then
        for k in range(every):
            w, m, v = rule.step(w, float(every) if k == 0 else -1.0, 1.0, 1, m, v)
    return float(w - then) / 200


def bias_correction(beta1=0.9, beta2=0.999, steps=2000) -> dict:
    """The length of Adam's steps, in units of the rate, under a constant gradient.

    Returns `corrected` and `uncorrected`, (steps,) each, with `beta1` and `beta2`.
    """
    gradients = np.ones(steps)
    return {
        "corrected": -np.diff(one_weight(adam(1.0, beta1, beta2), gradients)),
        "uncorrected": -np.diff(one_weight(adam_without_correction(1.0, beta1, beta2), gradients)),
        "beta1": beta1,
        "beta2": beta2,
    }


def adversary(memory=1.1, every=3, cycles=100) -> dict:
    """Reddi's counterexample: x in [-1, 1], the gradient is `every` at every so many steps and -1 at the others.

    The gradients of one cycle sum to 1, so the best x is -1. Adam and AMSGrad start at 0, without momentum, with
    beta2 = 1 - 1 / memory and the rate 0.5 / sqrt(t). Reddi, Kale and Kumar have `every` = 3 and a memory of 10/9.

    Returns `Adam`, `AMSGrad`: (steps + 1,) x at the start and after every step.
    """
    gradients = np.where(np.arange(cycles * every) % every == 0, every, -1.0)
    return _adversary(gradients, 1 - 1 / memory) | {"memory": memory, "every": every}


def adversary_drift(memory, every) -> float:
    """Where Adam without momentum goes on that problem in the long run: the sum of its steps over a cycle, at rate 1.

    Negative is the right way, towards -1. After many cycles v is periodic: it jumps with the large gradient and decays
    until the next one, and the steps of a cycle, divided by its root, are added up.
    """
    beta, n = 1 - 1 / memory, int(every)
    decayed = beta ** np.arange(n)
    # v after the large gradient: v_0 = beta v_{n-1} + (1 - beta) n^2, where v_k = beta^k v_0 + 1 - beta^k.
    first = (beta * (1 - decayed[-1]) + (1 - beta) * n**2) / (1 - beta * decayed[-1])
    v = decayed * first + 1 - decayed
    return float(-n / np.sqrt(v[0]) + (1 / np.sqrt(v[1:])).sum())


def memory_needed(every) -> float:
    """The memory 1 / (1 - beta2) above which Adam goes the right way on that problem, by bisection."""
    low, high = 1.0 + 1e-9, float(every) ** 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if adversary_drift(middle, every) > 0 else (low, middle)
    return high


def random_adversary(beta2=0.1, high=3.0, excess=0.3, steps=3000, seed=0) -> dict:
    """The same with chance: the gradient is `high` with probability (1 + excess) / (high + 1), else -1.

    Its mean is `excess`.
    """
    rng = np.random.default_rng(seed)
    gradients = np.where(rng.random(steps) < (1 + excess) / (high + 1), high, -1.0)
    return _adversary(gradients, beta2)


def _adversary(gradients, beta2):
    def rate(step):
        return 0.5 / np.sqrt(step + 1)

    rules = {"Adam": adam(rate, 0.0, beta2), "AMSGrad": amsgrad(rate, 0.0, beta2)}
    return {name: one_weight(rule, gradients, -1.0, 1.0) for name, rule in rules.items()}


def decayed(weight_decay=0.1, rate=0.01, steps=300, runs=2000, seed=0) -> dict:
    """What is left of two weights that start at 1, when one sees gradients of std 1 and the other of std 0.01.

    The gradients are noise without a direction, so that only the weight decay moves the mean. Returns
    `{optimizer: (2,)}`, the mean over `runs`, and under "promised" the factor (1 - rate * weight_decay)^steps.
    """
    result = {}
    for name, build in (("Adam with L2", adam), ("AdamW", adamw)):
        optimizer, rng = build(rate, weight_decay=weight_decay), np.random.default_rng(seed)
        w = np.ones((runs, 2))
        state = optimizer.init(w)
        for _ in range(steps):
            g = rng.standard_normal((runs, 2)) * (1.0, 0.01)
            w, state = optimizer.update(w, g, state, inplace=True)
        result[name] = w.mean(axis=0)
    return result | {"promised": (1 - rate * weight_decay) ** steps}


def memory(params) -> dict[str, int]:
    """How many numbers each optimizer keeps beside these params."""
    kept = {}
    for name, build in OPTIMIZERS.items():
        state = build(0.01).init(params)
        kept[name] = count({slot: tree for slot, tree in state.items() if slot != "step"})
    return kept


def escape_steps(optimizer, distance, rate=0.1, noise=0.0, most=2000, seed=0) -> int | None:
    """Steps until a path that starts this far from the ridge of the saddle is half-way down; None if not in `most`.

    `noise` is the std of what is added to every gradient, as mini-batches do.
    """
    rule, rng = OPTIMIZERS[_checks.choice("optimizer", optimizer, OPTIMIZERS)](rate), np.random.default_rng(seed)
    w = np.array([0.0, float(distance)])
    state = rule.init(w)
    for step in range(1, most + 1):
        g = np.array(SURFACES["saddle"].gradient(*w)) + noise * rng.standard_normal(2)
        w, state = rule.update(w, g, state)
        if abs(w[1]) > 0.5:
            return step
    return None


def share_of_minima(size, draws=20000, seed=0) -> float:
    """Share of random symmetric matrices (size, size) whose eigenvalues are all positive.

    The entries are normal, on the diagonal with twice the variance (the Gaussian orthogonal ensemble).
    """
    a = np.random.default_rng(seed).standard_normal((draws, size, size))
    return float((np.linalg.eigvalsh(a + a.swapaxes(1, 2))[:, 0] > 0).mean())


def small_mnist() -> tuple[np.ndarray, np.ndarray]:
    """2,000 MNIST images of 14x14, each pixel the mean of four, centred: (2000, 196), and their labels."""
    return _bench.small_mnist(2000, np.float32)[:2]


@dataclass(frozen=True)
class Together:
    """Several optimizers as one, side by side: each has its own part of the run axis, in the order of `rules`."""

    rules: tuple[Optimizer, ...]

    def _parts(self, params):
        runs = len(next(iter(trees.leaves(params).values())))
        size = runs // len(self.rules)
        return [slice(i * size, (i + 1) * size) for i in range(len(self.rules))]

    def init(self, params) -> list:
        """The states of all."""
        return [rule.init(_part(params, at)) for rule, at in zip(self.rules, self._parts(params), strict=True)]

    def update(self, params, grads, state, *, inplace=False):
        """One update of all runs, each by its own rule."""
        params = params if inplace else trees.map_leaves(np.copy, params)
        for i, (rule, at) in enumerate(zip(self.rules, self._parts(params), strict=True)):
            _, state[i] = rule.update(_part(params, at), _part(grads, at), state[i], inplace=True)
        return params, state


def train_together(optimizers, sizes, x, y, *, steps, batch_size, seed, runs=1) -> tuple[dict, dict]:
    """Train one network for each optimizer, all from the same weights, with the same batches, in one pass.

    With `runs` above 1 each optimizer trains that many networks, for instance with one learning rate each.

    Returns `{name: (steps, runs) losses}` and the final params with a run axis (len(optimizers) * runs, ...).
    """
    rng = np.random.default_rng(seed)
    net = mlp(sizes)
    first, _ = net.init(rng)
    params = stack_runs([first] * (len(optimizers) * runs))
    run = descend(net, params, drawn(x, y, batch_size, rng), Together(tuple(optimizers.values())), steps=steps)
    losses = np.split(run.loss, len(optimizers), axis=1)
    return dict(zip(optimizers, losses, strict=True)), run.params


def _part(tree, runs):
    """Some runs of nested params; views, so that updating them in place updates the whole."""
    return trees.map_leaves(lambda a: a[runs], tree)


def on_mnist(rate=0.01, hidden_layers=1, steps=100, batch_size=50, seed=0) -> dict:
    """Eight optimizers at the same rate on 14x14 MNIST images, hidden layers of 32 units.

    Returns `loss`, `{optimizer: (steps,)}`, with `rate`, `hidden_layers` and `steps`.
    """
    x, y = small_mnist()
    rules = {name: OPTIMIZERS[name](rate) for name in EIGHT}
    sizes = [x.shape[1]] + [32] * hidden_layers + [10]
    loss, _ = train_together(rules, sizes, x, y, steps=steps, batch_size=batch_size, seed=seed)
    curves = {name: curve[:, 0] for name, curve in loss.items()}
    return {"loss": curves, "rate": rate, "hidden_layers": hidden_layers, "steps": steps}


SWEEP_RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 10, 16).round(6))


def sweep(rates=SWEEP_RATES, steps=100, batch_size=50, seed=0) -> dict:
    """The loss at the end for every optimizer and every rate: mean of the last 20 steps; infinite where it diverged.

    All optimizers and rates are trained in one pass. Returns `rates` and `loss`, `{optimizer: (len(rates),)}`.
    """
    x, y = small_mnist()
    rates = np.array(rates)
    rules = {name: OPTIMIZERS[name](rates.astype(np.float32)) for name in EIGHT}
    sizes = [x.shape[1], 32, 10]
    loss, _ = train_together(
        rules, sizes, x, y, steps=steps, batch_size=batch_size, seed=seed, runs=len(rates)
    )  # fmt: skip
    ends = {name: np.nan_to_num(curves[-20:].mean(axis=0), nan=np.inf) for name, curves in loss.items()}
    return {"rates": rates, "loss": ends}


# The rates of the comparison in Saitoh 2016, section 6.1.8, and for the others what papers or libraries start from.
BOOK_RATES = {"gradient descent": 0.01, "momentum": 0.01, "AdaGrad": 0.01, "Adam": 0.001}
USUAL_RATES = BOOK_RATES | {"Nesterov": 0.01, "RMSProp": 0.001, "AdaDelta": 1.0, "Nadam": 0.001}


def compare_on_mnist(rates=None, steps=300, batch_size=128, seed=0) -> dict:
    """Four hidden layers of 100 ReLU units on 10,000 MNIST images, one network for each optimizer.

    `rates` is `{optimizer: rate}`, `USUAL_RATES` if left out. Returns
    `{optimizer: {"loss": (steps,), "test_accuracy": float}}`.
    """
    rates = USUAL_RATES if rates is None else rates
    x, y, x_test, y_test = mnist()
    rules = {name: OPTIMIZERS[name](rate) for name, rate in rates.items()}
    sizes = [784, 100, 100, 100, 100, 10]
    loss, params = train_together(rules, sizes, x, y, steps=steps, batch_size=batch_size, seed=seed)
    scores, _, _ = mlp(sizes).forward(params, {}, x_test, training=False)
    shares = accuracy(scores, y_test)
    return {
        name: {"loss": loss[name][:, 0], "test_accuracy": float(share)}
        for name, share in zip(rates, shares, strict=True)
    }


def early_loss(rate, beta2=0.999, steps=60, seed=0) -> dict:
    """Adam with and without bias correction on small MNIST, five hidden layers: `{name: (steps,) losses}`."""
    x, y = small_mnist()
    rules = {"corrected": adam(rate, beta2=beta2), "uncorrected": adam_without_correction(rate, beta2=beta2)}
    sizes = [x.shape[1]] + [32] * 5 + [10]
    loss, _ = train_together(rules, sizes, x, y, steps=steps, batch_size=50, seed=seed)
    return {name: curve[:, 0] for name, curve in loss.items()}


# --- momentum as a spring, and in its other form ---


def spring(decay=0.0, push=0.1, steps=60) -> dict:
    """Momentum on a parabola, as a damped spring: the distance from the minimum, step by step.

    `push` is the rate times the curvature. A trial d = z^t in the rule gives z^2 - (1 + decay - push) z + decay = 0.

    Returns
    -------
    distance : (steps + 1,) from the minimum, from 1 and at rest
    roots : (2,) complex, the two z
    kind : "overdamped" (both roots real and positive), "underdamped" (complex: it swings), "jumps" (real, negative) or
        "diverges" (a root of size above 1)
    """
    distance, before = [1.0], 1.0
    for _ in range(steps):
        here = distance[-1]
        distance.append(here + decay * (here - before) - push * here)
        before = here
    roots = np.roots([1, -(1 + decay - push), decay])
    if np.abs(roots).max() >= 1:
        kind = "diverges"
    elif np.abs(roots.imag).max() > 1e-9:
        kind = "underdamped"
    else:
        kind = "overdamped" if roots.real.min() >= 0 else "jumps"
    return {"distance": np.array(distance), "roots": roots, "kind": kind, "decay": decay, "push": push}


def momentum_in_two_forms(rates=(0.1,) * 40, decay=0.9) -> dict:
    """The heavy ball with the rate outside (PyTorch, ours) and with the rate inside the velocity (Saitoh, Keras).

    Returns `outside` and `inside`, (steps + 1, 2) the paths down the valley, with one rate a step.
    """
    gradient, start = SURFACES["valley"].gradient, np.array([-7.0, 2.0])
    w, v = start, np.zeros(2)
    path = [w]
    for rate in rates:
        v = decay * v - rate * np.array(gradient(*w))
        w = w + v
        path.append(w)
    return {
        "inside": np.array(path),
        "outside": walk(momentum(lambda step: rates[step], decay), gradient, start, len(rates)),
    }


def adam_by_hand(gradients=((4.0, 0.01), (4.0, -0.01), (-2.0, 0.01)), rate=0.1) -> list[dict]:
    """Adam's three steps for two weights, with everything that is computed on the way: one dict a step, arrays (2,)."""
    m, v, w, rows = np.zeros(2), np.zeros(2), np.zeros(2), []
    for t, g in enumerate(np.array(gradients), 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        step = rate * m_hat / (np.sqrt(v_hat) + 1e-8)
        w = w - step
        rows.append({"g": g, "m": m, "v": v, "m_hat": m_hat, "root": np.sqrt(v_hat), "step": step, "w": w})
    return rows


# --- Newton's method ---

# The matrix of second derivatives of each surface, at (x, y).
SECOND_DERIVATIVES = {
    "valley": lambda x, y: ((0.1, 0.0), (0.0, 2.0)),
    "Rosenbrock": lambda x, y: ((2 - 400 * (y - 3 * x**2), -400 * x), (-400 * x, 200.0)),
    "saddle": lambda x, y: ((1.0, 0.0), (0.0, 3 * y**2 - 1)),
    "two minima": lambda x, y: ((3 * x**2 - 1, 0.0), (0.0, 1.0)),
}


def newton(surface="valley", start="(-7, 2)", steps=6) -> dict:
    r"""Newton's method on a surface, $w \leftarrow w - H^{-1} g$: what `paths` returns.

    Each step goes to the place where the parabola that fits the surface here is level.
    """
    ground = SURFACES[_checks.choice("surface", surface, SURFACES)]
    path = [np.array(_point(start, ground.starts))]
    for _ in range(steps):
        here = path[-1]
        path.append(here - np.linalg.solve(SECOND_DERIVATIVES[surface](*here), ground.gradient(*here)))
    path = np.array(path)
    height = ground.value(*path.T) - ground.value(*ground.minimum)
    return {"path": path, "height": height, "surface": surface, "steps": steps}


def line_search(surface="valley", start="(-7, 2)", first=10.0, share=1e-4, steps=100) -> dict:
    r"""Gradient descent that looks for its rate: what `paths` returns, and "rates" (steps,), "tries" (steps,).

    Each step begins at the rate `first` and halves it until Armijo's condition
    $L(w - \eta g) \le L(w) - c\, \eta\, \lVert g \rVert^2$ holds, with c = `share` (Armijo 1966).
    """
    ground = SURFACES[_checks.choice("surface", surface, SURFACES)]
    _checks.number("first", first, low=0, open_low=True)
    _checks.number("share", share, low=0, high=1, open_low=True, open_high=True)
    path, rates, tries = [np.array(_point(start, ground.starts))], [], []
    for _ in range(steps):
        here, rate, tried = path[-1], first, 1
        gradient = np.array(ground.gradient(*here))
        while ground.value(*(here - rate * gradient)) > ground.value(*here) - share * rate * (gradient @ gradient):
            rate, tried = rate / 2, tried + 1
        path.append(here - rate * gradient)
        rates.append(rate)
        tries.append(tried)
    path = np.array(path)
    height = ground.value(*path.T) - ground.value(*ground.minimum)
    return {
        "path": path,
        "height": height,
        "rates": np.array(rates),
        "tries": np.array(tries),
        "surface": surface,
        "steps": steps,
    }


# --- the optimizers of today ---


def newton_schulz(steps=5, spread=100) -> dict:
    """What `optimizers.orthogonalized` does to the singular values of a matrix, after 0 to 5 of its steps.

    Returns
    -------
    before, after : (8,) singular values of a 16 x 8 matrix, the largest `spread` times the smallest
    line : (2, 200) singular values of the normed matrix from 0 to 1, and what becomes of them
    """
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.standard_normal((16, 8)))
    v, _ = np.linalg.qr(rng.standard_normal((8, 8)))
    before = np.geomspace(1.0, 1 / spread, 8)
    before = before / np.sqrt((before**2).sum())
    after = np.linalg.svd(orthogonalized(u * before @ v.T, steps) if steps else u * before @ v.T, compute_uv=False)
    x = y = np.geomspace(1e-3, 1, 200)
    for _ in range(steps):
        y = 3.4445 * y - 4.775 * y**3 + 2.0315 * y**5
    return {"before": before, "after": np.sort(after)[::-1], "line": np.array([x, y]), "steps": steps, "spread": spread}


def _for_matrices(lr):
    """Muon for the hidden matrices; biases and the last layer go to Adam at a tenth of its rate."""
    tenth = (lambda step: lr(step) / 10) if callable(lr) else lr / 10
    return by_name(("b", TODAY_LAST), adam(tenth), rest=muon(lr, weight_decay=0.0))


TODAY_SIZES = (196, 64, 64, 64, 10)
TODAY_LAST = "dense_6"
TODAY = {"momentum": momentum, "Adam": adam, "Lion": lion, "Muon": _for_matrices}


def falling(rates, steps) -> Callable:
    """A schedule for a run axis: each rate falls in a straight line to 0."""
    rates = np.asarray(rates, np.float32)
    return lambda step: rates * np.float32(1 - step / steps)


def sweep_today(rates=None, steps=150, seeds=(0, 1)) -> dict:
    """Momentum, Adam, Lion and Muon on three hidden layers of 64 units, at each of many rates that fall to 0.

    Returns `rates` and `loss`, {optimizer: (len(rates),)}: mean of the last 20 losses and of the seeds.
    """
    rates = np.geomspace(1e-4, 1, 17) if rates is None else np.asarray(rates)
    x, y, _, _ = _bench.small_mnist(10000, np.float32)
    net, ends = mlp(TODAY_SIZES), {name: [] for name in TODAY}
    for seed in seeds:
        first, _ = net.init(np.random.default_rng(seed))
        for name, build in TODAY.items():
            sample = drawn(x, y, 50, np.random.default_rng(100 + seed))
            rule = build(falling(rates, steps))
            run = descend(net, stack_runs([first] * len(rates)), sample, rule, steps=steps)
            ends[name].append(np.nan_to_num(run.loss[-20:].mean(axis=0), nan=np.inf, posinf=np.inf))
    return {"rates": rates, "loss": {name: np.mean(rows, axis=0) for name, rows in ends.items()}}


def clipped(limits=(None, 3.0, 1.0, 0.3), rates=None, gain=1.5, steps=150, seeds=(0, 1, 2)) -> dict:
    """SGD from weights of `gain` times He's size, with gradients clipped to a global norm, at many rates.

    Returns `rates` and `loss`, {limit: (len(rates),)}: mean of the last 20 losses and of the seeds, at most 9.
    """
    rates = np.geomspace(0.03, 3, 9) if rates is None else np.asarray(rates)
    x, y, _, _ = _bench.small_mnist(10000, np.float32)
    net, ends = mlp([196, 32, 32, 32, 10], weights=scaled(gain)), {limit: [] for limit in limits}
    lr = rates.astype(np.float32)
    for seed in seeds:
        first, _ = net.init(np.random.default_rng(seed))
        for limit in limits:
            rule = sgd(lr) if limit is None else chain(global_norm_clip(limit, run_axes=1), sgd(lr))
            sample = drawn(x, y, 50, np.random.default_rng(100 + seed))
            run = descend(net, stack_runs([first] * len(rates)), sample, rule, steps=steps)
            ends[limit].append(np.nan_to_num(run.loss[-20:].mean(axis=0), nan=9.0).clip(max=9.0))
    return {"rates": rates, "loss": {limit: np.mean(rows, axis=0) for limit, rows in ends.items()}}


def ball(step=0, decay=0.9, rate=0.1, steps=24) -> dict:
    """The heavy ball on the valley from (-7, 2): where it is after some steps, and what its next step is made of.

    Returns `path`, (steps + 1, 2); `at`, (2,); `velocity`, what the velocity alone would add, and `push`, what the
    gradient adds: the next step is their sum.
    """
    gradient = SURFACES["valley"].gradient
    w, v, path, moves = np.array([-7.0, 2.0]), np.zeros(2), [], []
    for _ in range(steps + 1):
        push = -rate * np.array(gradient(*w))
        path.append(w)
        moves.append((-rate * decay * v, push))
        v = decay * v + np.array(gradient(*w))
        w = w - rate * v
    velocity, push = moves[_checks.whole("step", step, 0)]
    return {
        "path": np.array(path), "at": path[step], "velocity": velocity, "push": push, "step": step, "decay": decay,
    }  # fmt: skip
