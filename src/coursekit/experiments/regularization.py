"""Chapter 09: what keeps a network from learning its training set by heart."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from .. import _checks, data, trees
from ..activations import softmax
from ..augmentation import mixup, mixup_loss, random_mirror, random_shift
from ..layers import Dropout
from ..losses import (
    mean_squared_error,
    sigmoid_cross_entropy,
    smooth_labels,
    soft_cross_entropy,
    softmax_cross_entropy,
)
from ..model import Sequential, accuracy, stack_runs
from ..optimizers import adam, adamw, momentum, sgd
from ..regularizers import EarlyStopping, average_predictions, l1, l2, regularized
from ._bench import descend, digits, mlp, pool, quiet, shared, shuffled, small_clothes, small_mnist

NOISE = 0.3  # standard deviation of the noise of the curve's points
DEGREE = 15  # of the polynomial that is fitted to the curve
GRID = np.linspace(-1, 1, 101)
STRENGTHS = np.geomspace(1e-6, 10, 29)


# --- a curve, and a model with 15 weights that can be solved exactly ---


def truth(x):
    """The curve that the points come from."""
    return np.sin(3 * x)


def points(rng, examples) -> tuple[np.ndarray, np.ndarray]:
    """Noisy points of the curve: x and y, (examples,) each, or (sets, examples) if `examples` is such a pair."""
    x = rng.uniform(-1, 1, examples)
    return x, truth(x) + NOISE * rng.standard_normal(examples)


def features(x, degree=DEGREE) -> np.ndarray:
    """Legendre polynomials of degree 0 to `degree`, scaled to mean square 1 on [-1, 1]: (..., degree + 1)."""
    return np.polynomial.legendre.legvander(x, degree) * np.sqrt(2 * np.arange(degree + 1) + 1)


def ridge(x, y, strength, degree=DEGREE) -> np.ndarray:
    r"""Weights with the lowest mean squared error + L2 penalty $\frac\lambda2 \sum w^2$; w_0, the bias, goes free.

    x, y (..., N) and strengths (...,) -> (..., degree + 1).
    """
    inputs = features(x, degree)
    columns = inputs.swapaxes(-1, -2)
    pull = np.asarray(strength)[..., None, None] * np.diag([0.0] + [1.0] * degree)
    curvature = 2 / x.shape[-1] * (columns @ inputs) + pull
    return np.linalg.solve(curvature, 2 / x.shape[-1] * (columns @ y[..., None]))[..., 0]


def soft_threshold(w, amount):
    """Move every entry towards 0 by `amount`, and stop there."""
    return np.sign(w) * np.maximum(np.abs(w) - amount, 0)


def lasso(x, y, strength, degree=DEGREE, steps=1500) -> np.ndarray:
    r"""Weights with the lowest mean squared error + L1 penalty $\lambda \sum |w|$; w_0, the bias, goes free.

    Gradient steps on the error, each followed by `soft_threshold`, with Nesterov's momentum (Beck and Teboulle 2009).
    x, y (N,) and strengths (S,) -> (S, degree + 1).
    """
    inputs, strength = features(x, degree), np.atleast_1d(strength)
    curvature, target = 2 / len(x) * inputs.T @ inputs, 2 / len(x) * inputs.T @ y
    rate = 1 / np.linalg.eigvalsh(curvature)[-1]
    amount = rate * strength[:, None] * ([0.0] + [1.0] * degree)
    w = ahead = np.zeros((len(strength), degree + 1))
    t = 1.0
    for _ in range(steps):
        before, w = w, soft_threshold(ahead - rate * (ahead @ curvature - target), amount)
        before_t, t = t, (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = w + (before_t - 1) / t * (w - before)
    return w


SOLVERS = {
    "L2": lambda x, y, strengths: ridge(x, y, strengths),
    "L1": lasso,
}


def fit_curve(penalty="L2", strength=1e-6, examples=20) -> dict:
    """Fit 15 weights and a bias to noisy points of a curve, with a penalty.

    Returns
    -------
    x, y : (examples,) the points
    fit : (101,) the fitted curve on GRID
    weights : (15,) without the bias
    zeros : how many of them are exactly 0
    train, validation : mean squared error on the points and on 500 new ones
    train_curve, validation_curve : (29,) the same for all STRENGTHS
    """
    _checks.choice("penalty", penalty, SOLVERS)
    path, x, y, new_x, new_y = _path(penalty, examples)
    w = SOLVERS[penalty](x, y, np.array([strength]))[0]
    errors = {
        name: (mean_squared_error(features(a) @ w, b)[0], ((path @ features(a).T - b) ** 2).mean(axis=1))
        for name, a, b in (("train", x, y), ("validation", new_x, new_y))
    }
    return {
        "x": x,
        "y": y,
        "fit": features(GRID) @ w,
        "weights": w[1:],
        "zeros": int((w[1:] == 0).sum()),
        "train": errors["train"][0],
        "validation": errors["validation"][0],
        "train_curve": errors["train"][1],
        "validation_curve": errors["validation"][1],
        "penalty": penalty,
        "strength": strength,
        "examples": examples,
    }


@shared(maxsize=16)
def _path(penalty, examples):
    rng = np.random.default_rng(3)
    new_x, new_y = points(rng, 500)
    x, y = points(rng, examples)
    if penalty == "L2":
        x_all, y_all = (np.broadcast_to(a, (len(STRENGTHS), examples)) for a in (x, y))
        return ridge(x_all, y_all, STRENGTHS), x, y, new_x, new_y
    return lasso(x, y, STRENGTHS), x, y, new_x, new_y


def bias_variance(degree=1, examples=20, sets=200, seed=0) -> dict:
    """Fit polynomials to many training sets, each with `examples` points, and split their error.

    Returns
    -------
    fits : (sets, 101) the fits of this degree on GRID; mean : (101,) their mean
    bias, variance : (13,) by degree from 0 to 12: squared bias and variance, both means over x
    error : (13,) mean squared error against new noisy points of the curve, measured by itself
    """
    tables, fits = _degrees(examples, sets, seed)
    return tables | {
        "fits": fits[degree],
        "mean": fits[degree].mean(axis=0),
        "degree": degree,
        "examples": examples,
        "noise": NOISE**2,
    }


@shared(maxsize=8)
def _degrees(examples, sets, seed):
    rng = np.random.default_rng(seed)
    x, y = points(rng, (sets, examples))
    new_y = truth(GRID) + NOISE * rng.standard_normal((sets, len(GRID)))
    rows, fits = {"bias": [], "variance": [], "error": []}, []
    for degree in range(13):
        fits.append(ridge(x, y, 1e-6, degree) @ features(GRID, degree).T)
        bias, variance = _unbiased(fits[-1], truth(GRID))
        rows["bias"].append(bias)
        rows["variance"].append(variance)
        rows["error"].append(((fits[-1] - new_y) ** 2).mean())
    return {name: np.array(values) for name, values in rows.items()}, fits


DEGREES = (1, 3, 9, 20, 29, 40, 60, 120, 300, 1000)


def beyond_the_points(degrees=DEGREES, examples=30, sets=30, seed=0) -> dict:
    """Polynomials with fewer and with more weights than points; of many that fit, the one with the smallest weights.

    Returns
    -------
    degrees, bias, variance : (K,) squared bias and variance, means over x
    """
    rng = np.random.default_rng(seed)
    x, y = points(rng, (sets, examples))
    rows = []
    for degree in degrees:
        weights = np.linalg.pinv(features(x, degree)) @ y[..., None]
        rows.append(_unbiased((features(GRID, degree) @ weights)[..., 0], truth(GRID)))
    bias, variance = np.array(rows).T
    return {"degrees": np.array(degrees), "bias": bias, "variance": variance, "examples": examples}


def smallest_norm(examples=10, unknowns=30, steps=1000, seed=0) -> dict:
    r"""Least squares with more unknowns than examples: which of the many exact solutions a descent reaches.

    The gradient $X^\top (Xw - y) / N$ is a sum of rows of X, so gradient descent from 0 ends at the only solution that
    is one too, the shortest, $X^+ y$ (Zhang and others 2017, section 5). Adam and another start end elsewhere.

    Returns
    -------
    dict of {"error", "length", "distance"} : largest |Xw - y|, |w|, and how far w is from the shortest
    """
    _checks.whole("examples", examples, low=1)
    _checks.whole("unknowns", unknowns, low=examples + 1)
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((examples, unknowns)), rng.standard_normal(examples)
    elsewhere = rng.standard_normal(unknowns)
    shortest = np.linalg.pinv(x) @ y
    plain = sgd(examples / np.linalg.norm(x, 2) ** 2)
    zero = np.zeros(unknowns)
    result = {}
    for name, optimizer, w in (
        ("from 0", plain, zero),
        ("from elsewhere", plain, elsewhere),
        ("Adam, from 0", adam(0.01), zero),
    ):
        state = optimizer.init(w)
        for _ in range(steps):
            w, state = optimizer.update(w, x.T @ (x @ w - y) / examples, state)
        lengths = (np.abs(x @ w - y).max(), np.linalg.norm(w), np.linalg.norm(w - shortest))
        result[name] = dict(zip(("error", "length", "distance"), map(float, lengths), strict=True))
    return result


def finite_steps(rates=(0.1, 0.05, 0.025), start=(2.0, 0.5), time=1.0) -> dict:
    r"""Where descent with steps of finite length goes, on $L = \frac12 (ab - 2)^2$, beside two smooth paths.

    One follows the gradient of L without end, in infinitely small steps, the other that of
    $L + \frac\eta4 \lVert g \rVert^2$ (Barrett and Dherin 2021, equation 3).

    Returns
    -------
    dict of rate: (2,) the distance of descent, after time / rate steps, from the first and from the second path
    """

    def slope(w, rate):
        error = w[0] * w[1] - 2
        g = error * w[::-1]
        curvature = np.outer(w[::-1], w[::-1]) + error * (1 - np.eye(2))
        return g + rate / 2 * curvature @ g  # the gradient of |g|^2 / 4 is half of H g

    result = {}
    for rate in rates:
        w, steps = np.array(start), round(time / rate)
        for _ in range(steps):
            w = w - rate * slope(w, 0.0)
        paths = [_flow(lambda v, here=here: -slope(v, here), start, steps * rate) for here in (0.0, rate)]
        result[rate] = np.array([np.linalg.norm(w - path) for path in paths])
    return result


def _flow(velocity, start, time, steps=200):
    """Where a point is after `time` that moves with this velocity (Runge and Kutta's method of order 4)."""
    w, h = np.array(start, dtype=float), time / steps
    for _ in range(steps):
        a = velocity(w)
        b = velocity(w + h / 2 * a)
        c = velocity(w + h / 2 * b)
        w = w + h / 6 * (a + 2 * b + 2 * c + velocity(w + h * c))
    return w


def decompose(predictions, target) -> tuple[np.ndarray, np.ndarray]:
    """Squared bias and variance, (...) each, of R predictions (R, ...)."""
    mean = predictions.mean(axis=0)
    return (mean - target) ** 2, ((predictions - mean) ** 2).mean(axis=0)


def _unbiased(predictions, target):
    """`decompose`, averaged over all entries, with what the finite number of sets adds to the bias given back.

    The mean of R predictions has itself the variance/R of one.
    """
    bias, variance = (part.mean() for part in decompose(predictions, target))
    extra = variance / (len(predictions) - 1)
    return bias - extra, variance + extra


def bias_variance_by_strength(examples=20, sets=200, seed=0) -> dict:
    """Squared bias, variance and their sum for ridge regression of degree 15, by strength: (29,) each."""
    rng = np.random.default_rng(seed)
    x, y = points(rng, (sets, examples))
    rows = []
    for strength in STRENGTHS:
        fits = ridge(x, y, strength) @ features(GRID).T
        rows.append(_unbiased(fits, truth(GRID)))
    bias, variance = np.array(rows).T
    return {"bias": bias, "variance": variance, "sum": bias + variance, "examples": examples}


def strength_from_prior(spread=1.0, examples=20, sets=1000, noise=NOISE, seed=0) -> dict:
    r"""Polynomials whose true weights are drawn from a prior, and which strength of the L2 penalty suits them best.

    The weights of degree 1 to 15 are normal with standard deviation `spread`, $\tau$, and the targets have normal
    noise $\sigma$. The most probable weights minimize the mean squared error $+ \frac\lambda2 \sum w^2$ with
    $\lambda = 2 \sigma^2 / N \tau^2$ (Bishop 2006, section 3.3.1).

    Returns
    -------
    error : (29,) squared distance from the truth for each of STRENGTHS, mean over the curve and the sets
    best : the strength at which it is lowest
    predicted : 2 noise^2 / (examples * spread^2)
    """
    spread = _checks.number("spread", spread, 0, open_low=True)
    rng = np.random.default_rng(seed)
    x, weights = rng.uniform(-1, 1, (sets, examples)), spread * rng.standard_normal((sets, DEGREE + 1))
    y = (features(x) @ weights[..., None])[..., 0] + noise * rng.standard_normal(x.shape)
    true = weights @ features(GRID).T
    error = np.array([((ridge(x, y, strength) @ features(GRID).T - true) ** 2).mean() for strength in STRENGTHS])
    best, predicted = float(STRENGTHS[error.argmin()]), 2 * noise**2 / (examples * spread**2)
    return {"error": error, "best": best, "predicted": predicted}


# --- networks on photographed clothes ---


def network(sizes, rate=0.0) -> Sequential:
    """Dense layers of the given sizes with ReLU between them, and dropout after each ReLU if there is a rate."""
    return mlp(sizes, after=[Dropout(rate)] if rate else [])


def train_nets(sizes, x, y, *, optimizer, steps, batch_size, seed, runs=1, rate=0.0, watch=None, every=10, dtype=float):
    """Train `runs` networks side by side, each from its own start.

    Parameters
    ----------
    x, y : (N, D), (N,) for all, or (runs, N, D), (runs, N) one training set each
    rate : of dropout after every hidden layer
    watch : x, y on which loss and accuracy are measured every so many steps
    dtype : of the weights

    Returns
    -------
    net, params : with a run axis
    curves : {"step": (K,), "train_loss", "train_accuracy", "loss", "accuracy": (K, runs)}; empty without `watch`
    """
    rng = np.random.default_rng(seed)
    net = network(sizes, rate)
    params = stack_runs([net.init(rng, dtype=dtype)[0] for _ in range(runs)])
    x, rows = x.astype(dtype), []

    def sample():
        batch = rng.integers(0, x.shape[-2], batch_size)
        return x[..., batch, :], y[..., batch]

    def look(now):
        if watch is not None and now.step % every == 0:
            rows.append((np.full(runs, now.step), *measure(net, now.params, x, y), *measure(net, now.params, *watch)))

    params = descend(net, params, sample, optimizer, steps=steps, rng=rng, watch=look).params
    names = ("step", "train_loss", "train_accuracy", "loss", "accuracy")
    curves = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=bool(rows))}
    if rows:
        curves["step"] = curves["step"][:, 0]
    return net, params, curves


def measure(net, params, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Loss and accuracy of every run in eval mode, (runs,) each."""
    scores, _, _ = net.forward(params, {}, x.astype(trees.leaves(params)[("dense_0", "w")].dtype), training=False)
    return softmax_cross_entropy(scores, y)[0], accuracy(scores, y)


def probabilities(net, params, x) -> np.ndarray:
    """(runs, N, C) in eval mode."""
    return softmax(net.forward(params, {}, x, training=False)[0])


def by_heart(examples=300, hidden=128, steps=800, seed=0) -> dict:
    """A network on 300 clothes, with their labels and with the labels shuffled.

    Returns `{"true labels": curves, "shuffled labels": curves}`, each as from `train_nets`, with arrays (K,).
    """
    x, y, x_test, y_test = small_clothes()
    x, y = x[:examples], y[:examples]
    labels = {"true labels": y, "shuffled labels": np.random.default_rng(seed).permutation(y)}
    results = {}
    for name, used in labels.items():
        _, _, curves = train_nets(
            [196, hidden, 10], x, used, optimizer=adam(0.003), steps=steps, batch_size=50, seed=seed,
            watch=(x_test, y_test),
        )  # fmt: skip
        results[name] = {column: values.reshape(len(values)) for column, values in curves.items()}
    return results


def learning_curve(sizes=(30, 100, 300, 1000, 3000), runs=3, steps=600, seed=0) -> dict:
    """The same network on more and more clothes: accuracies and losses at the end, (len(sizes), runs) each."""
    x, y, x_test, y_test = small_clothes()
    rng = np.random.default_rng(seed)
    rows = []
    for size in sizes:
        own = np.array([rng.permutation(len(x))[:size] for _ in range(runs)])
        _, _, curves = train_nets(
            [196, 64, 10], x[own], y[own], optimizer=adam(0.003), steps=steps, batch_size=50, seed=seed, runs=runs,
            watch=(x_test, y_test), every=steps, dtype=np.float32,
        )  # fmt: skip
        rows.append({name: values[-1] for name, values in curves.items()})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} | {"sizes": np.array(sizes)}


def widths(hidden=(1, 2, 4, 8, 16, 32, 64), examples=100, runs=20, steps=400, seed=0) -> dict:
    """Squared bias and variance of networks on 8x8 digits, by width, each of `runs` nets on its own 100 digits.

    The error is the squared distance of the probabilities from the truth, (1 for the true class, 0 for the others),
    summed over the classes. The digits have no known noise, so it counts with the bias.

    Returns
    -------
    bias, variance, error : (len(hidden),) means over the 360 test digits
    train_accuracy, accuracy : (len(hidden),) means over the runs
    """
    digits = data.digits(flat=True)
    rng = np.random.default_rng(seed)
    own = np.array([rng.permutation(len(digits.x_train))[:examples] for _ in range(runs)])
    target = np.eye(10)[digits.y_test]
    rows = {"bias": [], "variance": [], "error": [], "train_accuracy": [], "accuracy": []}
    for width in hidden:
        net, params, curves = train_nets(
            [64, width, 10], digits.x_train[own], digits.y_train[own], optimizer=adam(0.01), steps=steps,
            batch_size=50, seed=seed, runs=runs, watch=(digits.x_test, digits.y_test), every=steps, dtype=np.float32,
        )  # fmt: skip
        p = probabilities(net, params, digits.x_test).astype(np.float64)
        bias, variance = (part.sum(axis=-1).mean() for part in decompose(p, target))
        error = ((p - target) ** 2).sum(axis=-1).mean()
        values = (bias, variance, error, curves["train_accuracy"].mean(), curves["accuracy"].mean())
        for row, value in zip(rows.values(), values, strict=True):
            row.append(value)
    return {name: np.array(values) for name, values in rows.items()} | {"hidden": np.array(hidden)}


# --- penalties ---


def pixel_weights(strength=0.003, steps=1500, lr=0.3, seed=0) -> dict:
    """One dense layer on 8x8 digits with three penalties: which weights are exactly 0?

    Returns `{name: {"weights": (64, 10), "zeros": share, "small": share, "accuracy": float}}` for "L2", "L1, its
    gradient" and "L1, threshold". Zeros are exact; small weights are below 0.001.
    """
    digits = data.digits(flat=True)
    x, x_test = digits.x_train.astype(np.float64), digits.x_test.astype(np.float64)
    rules = {
        "L2": regularized(sgd(lr), penalty=lambda p: l2(p, strength, skip=("b",))),
        "L1, its gradient": regularized(sgd(lr), penalty=lambda p: l1(p, strength, skip=("b",))),
        "L1, threshold": regularized(sgd(lr), constraint=lambda p: _threshold(p, lr * strength)),
    }
    results = {}
    for name, rule in rules.items():
        _, params, curves = train_nets(
            [64, 10], x, digits.y_train, optimizer=rule, steps=steps, batch_size=100, seed=seed,
            watch=(x_test, digits.y_test), every=steps,
        )  # fmt: skip
        w = params["dense_0"]["w"][0]
        results[name] = {
            "weights": w,
            "zeros": float((w == 0).mean()),
            "small": float((np.abs(w) < 1e-3).mean()),
            "accuracy": float(curves["accuracy"][-1, 0]),
        }
    return results


def _threshold(params, amount):
    return {
        layer: {name: soft_threshold(w, amount) if name == "w" else w.copy() for name, w in arrays.items()}
        for layer, arrays in params.items()
    }


def sgd_both_ways(lr=0.1, decay=0.01, steps=25, seed=0) -> float:
    """Largest difference between SGD with the L2 penalty and SGD that shrinks the weights by itself, after 25 steps."""
    rng = np.random.default_rng(seed)
    penalized = shrunk = rng.standard_normal(50)
    target, rule = rng.standard_normal(50), sgd(lr)
    state = rule.init(penalized)
    for _ in range(steps):
        _, pull = l2(penalized, decay)
        penalized, _ = rule.update(penalized, np.tanh(penalized - target) + pull, state)
        shrunk, _ = rule.update((1 - lr * decay) * shrunk, np.tanh(shrunk - target), state)
    return float(np.abs(penalized - shrunk).max())


DECAYS = {
    "SGD, L2": lambda: sgd(0.01, weight_decay=0.3),
    "Adam, L2": lambda: adam(0.01, weight_decay=0.003),
    "AdamW": lambda: adamw(0.01, weight_decay=0.3),
}


def decay_paths(scales=(0.01, 0.1, 1.0), steps=500) -> dict:
    """Weights that only the decay moves: their gradient is +scale and -scale in turn.

    Returns `{rule: (steps + 1, len(scales))}`, all from 1; every second point, so that the zigzag is not seen.
    """
    scales = np.array(scales)
    paths = {}
    for name, build in DECAYS.items():
        rule, w = build(), np.ones(len(scales))
        state, path = rule.init(w), [w]
        for step in range(steps):
            w, state = rule.update(w, scales * (-1) ** step, state)
            path.append(w)
        paths[name] = np.array(path)[::2]
    return paths | {"scales": scales}


def adam_decays(strengths=None, runs=3, steps=400, lr=0.003, examples=300, seed=0) -> dict:
    """Adam with L2 and AdamW on 300 clothes, over their strengths.

    Returns `{rule: {"strengths": (S,), "loss": (S, runs), "accuracy": (S, runs), "train_loss": (S, runs)}}`; loss and
    accuracy are those of 1,000 test images.
    """
    x, y, x_test, y_test = small_clothes()
    grids = strengths or {"Adam, L2": np.geomspace(1e-3, 1e-1, 9), "AdamW": np.geomspace(0.1, 10, 9)}
    results = {}
    for name, build in (("Adam, L2", adam), ("AdamW", adamw)):
        rows = []
        for strength in grids[name]:
            _, _, curves = train_nets(
                [196, 64, 10], x[:examples], y[:examples], optimizer=build(lr, weight_decay=float(strength)),
                steps=steps, batch_size=50, seed=seed, runs=runs, watch=(x_test, y_test), every=steps,
                dtype=np.float32,
            )  # fmt: skip
            rows.append({column: values[-1] for column, values in curves.items()})
        results[name] = {c: np.array([row[c] for row in rows]) for c in ("loss", "accuracy", "train_loss")}
        results[name]["strengths"] = np.array(grids[name])
    return results


# --- dropout ---


def dropout_curve(rate=0.0, examples=300, steps=400, seed=0) -> dict:
    """Train 196-64-10 on clothes with dropout of the hidden units, and watch both losses.

    Returns the curves of `train_nets`, (K,), with `rate` and `examples`. Both losses are measured in eval mode.
    """
    x, y, x_test, y_test = small_clothes()
    _, _, curves = train_nets(
        [196, 64, 10], x[:examples], y[:examples], optimizer=momentum(0.05), steps=steps, batch_size=30, seed=seed,
        rate=rate, watch=(x_test[:500], y_test[:500]), every=20,
    )  # fmt: skip
    return {name: values.reshape(len(values)) for name, values in curves.items()} | {
        "rate": rate,
        "examples": examples,
    }


def two_dropouts(rate=0.5, seed=0) -> dict:
    """Inverted dropout and scaling at test time, with the same mask, in front of a dense layer.

    The same function of the training inputs takes weights that are 1/(1 - rate) times as large where nothing is scaled
    in training. Returns the largest difference of the layer's outputs, `{"training": float, "test": float}`.
    """
    rng = np.random.default_rng(seed)
    h, w = np.abs(rng.standard_normal((200, 50))), rng.standard_normal((50, 10))
    mask = rng.random(h.shape) >= rate
    inverted = {"training": (h * mask / (1 - rate)) @ w, "test": h @ w}
    scaled_w = w / (1 - rate)  # what scaling at test time has to learn for the same function
    classic = {"training": (h * mask) @ scaled_w, "test": h @ ((1 - rate) * scaled_w)}
    return {mode: float(np.abs(inverted[mode] - classic[mode]).max()) for mode in inverted}


def dropout_modes(rate=0.5, examples=300, masks=50, steps=600, seed=0) -> dict:
    """A network that was trained with dropout, used in four ways on 1,000 test images.

    Returns
    -------
    eval, left_on, not_scaled : accuracy and loss, (2,) each: as it should be; dropout left on; and all units on
        without any scaling after a training without scaling
    masks : (masks, 2) accuracy and loss of the mean probability of that many networks with masks of their own
    """
    x, y, x_test, y_test = small_clothes()
    net, params, _ = train_nets(
        [196, 128, 128, 10], x[:examples], y[:examples], optimizer=adam(0.003), steps=steps, batch_size=50, seed=seed,
        rate=rate,
    )  # fmt: skip
    rng = np.random.default_rng(seed + 1)
    scores, _, _ = net.forward(params, {}, x_test, training=False)
    draws = [softmax(net.forward(params, {}, x_test, training=True, rng=rng)[0])[0] for _ in range(masks)]
    wrong = {name: dict(p) for name, p in params.items()}
    for layer in list(wrong)[1:]:
        wrong[layer]["w"] = wrong[layer]["w"] / (1 - rate)  # all units on, weights as trained without scaling
    return {
        "eval": _score(softmax(scores)[0], y_test),
        "left_on": np.mean([_score(p, y_test) for p in draws], axis=0),
        "not_scaled": _score(softmax(net.forward(wrong, {}, x_test, training=False)[0])[0], y_test),
        "masks": np.array([_score(np.mean(draws[: k + 1], axis=0), y_test) for k in range(masks)]),
    }


def _score(p, labels):
    """Accuracy and cross-entropy of probabilities (N, C)."""
    true = p[np.arange(len(labels)), labels]
    return np.array([(p.argmax(axis=-1) == labels).mean(), -np.log(np.maximum(true, 1e-300)).mean()])


@shared(maxsize=2)
def dropout_by_size(sizes=(100, 300, 1000), runs=5, rate=0.5, seed=0) -> dict:
    """With and without dropout on more and more digits, as in figure 10 of Srivastava et al. 2014.

    Returns `{"plain": ..., "dropout": ...}` with `accuracy` and `loss`, (len(sizes), runs) each, on 2,000 test digits.
    """
    x, y, x_test, y_test = small_mnist()
    rng = np.random.default_rng(seed)
    sets = [np.array([rng.permutation(len(x))[:size] for _ in range(runs)]) for size in sizes]
    results = {}
    for name, used in (("plain", 0.0), ("dropout", rate)):
        rows = []
        for own in sets:
            _, _, curves = train_nets(
                [196, 100, 100, 10], x[own], y[own], optimizer=adam(0.003), batch_size=50, seed=seed, runs=runs,
                steps=SIZE_STEPS[own.shape[1]], rate=used, watch=(x_test, y_test), every=SIZE_STEPS[own.shape[1]],
                dtype=np.float32,
            )  # fmt: skip
            rows.append(curves)
        results[name] = {c: np.array([row[c][-1] for row in rows]) for c in ("accuracy", "loss")}
    return results | {"sizes": np.array(sizes)}


SIZE_STEPS = {100: 300, 300: 400, 1000: 800}


# --- early stopping ---


@shared(maxsize=4)
def validation_curves(runs=1, epochs=50, examples=300, lr=0.003, seed=0) -> dict:
    """Loss by epoch on 20, 100 and 300 validation images and on 1,000 test images: {size: (epochs, runs)}.

    Each run has its own start and its own validation images; the training images are the same.
    """
    x, y, x_test, y_test = small_clothes()
    rng = np.random.default_rng(seed)
    own = np.array([1000 + rng.permutation(2000)[:300] for _ in range(runs)])
    watched = {n: (x[own[:, :n]], y[own[:, :n]]) for n in (20, 100, 300)} | {"test": (x_test, y_test)}
    watched["train"] = x[:examples], y[:examples]
    curves = {name: [] for name in watched}
    net, an_epoch = mlp([196, 64, 10]), examples // 30
    params = stack_runs([net.init(rng, dtype=float)[0] for _ in range(runs)])

    def watch(now):
        if now.step % an_epoch == 0:
            for name, pair in watched.items():
                curves[name].append(measure(net, now.params, *pair)[0])

    descend(net, params, shuffled(*watched["train"], 30, rng), adam(lr), steps=epochs * an_epoch, watch=watch)
    return {name: np.array(values) for name, values in curves.items()}


def stop_early(losses, patience) -> tuple[int, int]:
    """(epoch at which training stops, best epoch until then), from 1, by coursekit's `EarlyStopping`."""
    stop, rows = EarlyStopping(patience), []
    history = SimpleNamespace(params={}, state={}, epochs=rows, best={})
    for loss in losses:
        rows.append({"val_loss": float(loss)})
        if stop(history):
            break
    return len(rows), stop.best_epoch


RUNS = {"A": 5, "B": 1}  # two trainings of the early stopping explorer, by their seed


def stopping(patience=1, images=20, run="A") -> dict:
    """Early stopping on one of two trainings.

    Returns `losses`, the validation curve, `test` and `train`, (50,) each; `stopped` and `best`, epochs from 1; and
    `lowest`, the epoch of the lowest test loss.
    """
    curves = validation_curves(seed=RUNS[_checks.choice("run", run, RUNS)])
    losses, test = curves[images][:, 0], curves["test"][:, 0]
    stopped, best = stop_early(losses, patience)
    return {
        "losses": losses,
        "test": test,
        "train": curves["train"][:, 0],
        "stopped": stopped,
        "best": best,
        "lowest": int(test.argmin()) + 1,
        "patience": patience,
        "images": images,
        "run": run,
    }


def patience_table(patiences=(1, 2, 5, 10, 20), images=20, runs=12, seed=1) -> dict:
    """What patience costs and brings, means over `runs` trainings: epochs run, and test loss at the best epoch."""
    curves = validation_curves(runs, seed=seed)
    rows = []
    for wait in patiences:
        ends = [stop_early(curves[images][:, r], wait) for r in range(runs)]
        test = [curves["test"][best - 1, r] for r, (_, best) in enumerate(ends)]
        rows.append((np.mean([end for end, _ in ends]), np.mean(test)))
    epochs, test = np.array(rows).T
    return {
        "patience": np.array(patiences),
        "epochs": epochs,
        "test": test,
        "last": curves["test"][-1].mean(),
        "lowest": curves["test"].min(axis=0).mean(),
    }


# --- ensembles ---

MEMBERS = 20
KINDS = ("other starts", "other data too", "dropout masks")


@shared(maxsize=4)
def _members(kind, seed=0):
    """(20, 1000, 10) probabilities of twenty members, and the test labels."""
    x, y, x_test, y_test = small_clothes()
    x, y = x[:300], y[:300]
    rng = np.random.default_rng(seed)
    settings = {"optimizer": adam(0.01), "batch_size": 30, "seed": seed}
    if kind == "dropout masks":
        net, params, _ = train_nets([196, 64, 10], x, y, steps=300, rate=0.5, **settings)
        draws = [net.forward(params, {}, x_test, training=True, rng=rng)[0][0] for _ in range(MEMBERS)]
        return softmax(np.array(draws)), y_test
    if kind == "other data too":  # bagging: as many images, drawn with replacement
        own = rng.integers(0, len(x), (MEMBERS, len(x)))
        x, y = x[own], y[own]
    net, params, _ = train_nets([196, 16, 10], x, y, steps=150, runs=MEMBERS, **settings)
    return probabilities(net, params, x_test), y_test


def ensemble(size=1, kind="other starts", seed=0) -> dict:
    """Average the probabilities of the first `size` of twenty networks.

    Returns
    -------
    members : (20, 2) accuracy and cross-entropy of each
    together : (20, 2) the same of the first 1, 2, ..., 20 together
    squared : (3,) mean squared error of the `size` members on average, that of their mean, and their variance
    """
    _checks.choice("kind", kind, KINDS)
    p, labels = _members(kind, seed)
    target = np.eye(10)[labels]
    used = p[:size]
    average, variance = decompose(used, target)
    return {
        "members": np.array([_score(member, labels) for member in p]),
        "together": np.array([_score(average_predictions(p[: k + 1]), labels) for k in range(MEMBERS)]),
        "squared": np.array([((used - target) ** 2).sum(-1).mean(), average.sum(-1).mean(), variance.sum(-1).mean()]),
        "size": size,
        "kind": kind,
    }


# --- more than there is: augmentation, mixup, label smoothing ---

MADE = ("nothing", "shifts", "mirrors", "mixup", "label smoothing")


def made(kind="shifts", amount=1, seed=0) -> dict:
    """Six clothes as they are, and what augmentation makes of them.

    Returns `before`, `after`, (6, 14, 14), and `share`: of the first partner under mixup, else 1.
    """
    x, _, _, _ = small_clothes()
    rng, images = np.random.default_rng(seed + 3), x[:6].reshape(6, 14, 14)
    share = 1.0
    if kind == "shifts":
        after = random_shift(images - x.min(), amount, rng) + x.min()
    elif kind == "mirrors":
        after = random_mirror(images, np.random.default_rng(seed + amount))
    else:
        _checks.choice("kind", kind, ("shifts", "mirrors", "mixup"))
        after, _, share = mixup(images, amount / 2, rng)
    return {"before": images, "after": after, "kind": kind, "amount": amount, "share": share}


def train_with(kind, amount, lr, seeds, *, images=300, held_out=500, steps=600, batch_size=50) -> dict:
    """Train R networks 196-64-10 on few clothes, with one of `MADE`; Adam's rates `lr` (R,) fall to 0.

    The seed of each (R,) draws the images to train on, those held out, the start and the batches. `amount`: the pixels
    of a shift, alpha of mixup, the smoothing of the labels; mirrors have none.

    Returns {"validation", "test"}: {"loss", "accuracy", "moved"}, (R,) each; "moved" is the accuracy on the same images
    after shifts by up to one pixel.
    """
    _checks.choice("kind", kind, MADE)
    x, y = pool(small_clothes(2000, np.float32))
    rngs = [np.random.default_rng(seed) for seed in seeds]
    parts = np.split(np.array([rng.permutation(len(x)) for rng in rngs]), [images, images + held_out], axis=1)
    net, rng, mixed = mlp([196, 64, 10]), np.random.default_rng(int(np.sum(seeds))), []
    low = x.min()
    elsewhere = random_shift(x.reshape(-1, 14, 14) - low, 1, np.random.default_rng(0)).reshape(x.shape) + low

    def sample():
        rows = np.array([own[r.integers(0, images, batch_size)] for own, r in zip(parts[0], rngs, strict=True)])
        batch = x[rows]
        if kind == "shifts":
            batch = random_shift(batch.reshape(-1, 14, 14) - low, amount, rng).reshape(batch.shape) + low
        elif kind == "mirrors":
            batch = random_mirror(batch.reshape(-1, 14, 14), rng).reshape(batch.shape)
        elif kind == "mixup":
            swapped, partner, share = mixup(batch.swapaxes(0, 1), amount, rng)
            batch = swapped.swapaxes(0, 1)
            mixed[:] = [partner, share]
        return batch, y[rows]

    def loss(scores, labels):
        if kind == "mixup":
            return mixup_loss(softmax_cross_entropy, *mixed)(scores, labels)
        if kind == "label smoothing":
            return soft_cross_entropy(scores, smooth_labels(labels, 10, amount, dtype=scores.dtype))
        return softmax_cross_entropy(scores, labels)

    rates = np.asarray(lr, np.float32)
    first = stack_runs([net.init(r)[0] for r in rngs])
    rule = adam(lambda step: rates * np.float32(1 - step / steps))
    run = descend(net, first, sample, rule, steps=steps, loss=loss)
    found = {}
    with quiet():
        for name, rows in zip(("validation", "test"), parts[1:], strict=True):
            scores, _, _ = net.forward(run.params, {}, x[rows], training=False)
            moved, _, _ = net.forward(run.params, {}, elsewhere[rows], training=False)
            found[name] = {
                "loss": softmax_cross_entropy(scores, y[rows])[0],
                "accuracy": accuracy(scores, y[rows]),
                "moved": accuracy(moved, y[rows]),
            }
    return found


CHAPTER_AMOUNTS = {"nothing": 0, "shifts": 1, "mirrors": 0, "mixup": 0.4, "label smoothing": 0.1}


def made_of_few(rates=(0.001, 0.002, 0.004), seeds=3) -> dict:
    """Each of `MADE` at three rates, three seeds: {kind: {"accuracy", "loss"} (seeds,)} at the rate of validation."""
    lr, which = np.repeat(rates, seeds), np.tile(np.arange(seeds), len(rates))
    result = {}
    for kind, amount in CHAPTER_AMOUNTS.items():
        found = train_with(kind, amount, lr, which)
        table = {part: {k: v.reshape(len(rates), seeds) for k, v in found[part].items()} for part in found}
        best = table["validation"]["accuracy"].mean(axis=1).argmax()
        result[kind] = {name: values[best] for name, values in table["test"].items()} | {"rate": rates[best]}
    return result


# --- double descent ---


TASKS = ("alone", "parity", "random")


def second_task(
    task="parity", labelled=40, others=300, weight=1.0, rates=(0.3, 1.0), seeds=range(10), steps=150, hidden=24
) -> dict:
    """Learn the classes of a few 8x8 digits, and at the same time a second task on many more.

    A layer of tanh units has two heads: ten scores for the digit, and one score for the second task. "parity" asks
    whether a digit is odd, "random" has labels from a coin, and with "alone" there is no second task. The losses are
    added up, the second one times `weight`. All seeds train side by side, each with digits of its own.

    Returns
    -------
    rates : (R,)
    validation, accuracy : (R, len(seeds)) accuracy in the first task on 300 digits, which choose the rate, and on the
        others
    """
    _checks.choice("task", task, TASKS)
    x, y, *_ = digits()
    rngs = [np.random.default_rng(seed) for seed in seeds]
    rows = np.array([rng.permutation(len(x)) for rng in rngs])
    few, more, held, rest = np.split(rows, np.cumsum([labelled, others, 300]), axis=1)
    other = y[more] % 2 if task == "parity" else np.array([rng.integers(0, 2, others) for rng in rngs])
    if task == "alone":
        more, other = more[:, :1], other[:, :1]
    shapes = ((64, hidden), (hidden, 10), (hidden, 1))
    w = [np.array([rng.standard_normal(a, dtype=np.float32) for rng in rngs]) / a[0] ** 0.5 for a in shapes]
    found = {"validation": [], "accuracy": []}
    for rate in rates:
        params = w
        for _ in range(steps):
            grads = two_heads(x[few], y[few], x[more], other, *params, 0.0 if task == "alone" else weight)[1]
            params = [p - rate * g for p, g in zip(params, grads, strict=True)]
        for name, part in (("validation", held), ("accuracy", rest)):
            said = (np.tanh(x[part] @ params[0]) @ params[1]).argmax(axis=-1)
            found[name].append((said == y[part]).mean(axis=1))
    return {"rates": np.array(rates)} | {name: np.array(rows) for name, rows in found.items()}


def two_heads(x, y, x_other, y_other, w, head, head_other, weight) -> tuple:
    """The loss of two tasks that share the layer `w`, summed over the runs, and the gradients of w and of both heads.

    The shared layer gets the gradient of the first loss plus `weight` times that of the second.
    """
    h, h_other = np.tanh(x @ w), np.tanh(x_other @ w)
    loss, dscores = softmax_cross_entropy(h @ head, y)
    loss_other, dscore = sigmoid_cross_entropy(h_other @ head_other, y_other[..., None])
    dscore = weight * dscore
    dz, dz_other = dscores @ _t(head) * (1 - h**2), dscore @ _t(head_other) * (1 - h_other**2)
    shared_gradient = _t(x) @ dz + _t(x_other) @ dz_other
    return np.sum(loss + weight * loss_other), (shared_gradient, _t(h) @ dscores, _t(h_other) @ dscore)


def _t(matrices):
    return matrices.swapaxes(-1, -2)


@shared(maxsize=64)
def double_descent(examples=100, noise=0.2, seed=0) -> dict:
    """Least squares on random ReLU features of 8x8 digits, with fewer and with more features than examples.

    Of the many weights that fit all examples, those with the smallest length are taken. `noise` is the share of the
    training labels that are wrong.

    Returns `features`, `train`, `test`: (K,) how many features, and the shares of wrong answers, means of three draws.
    """
    digits = data.digits(flat=True)
    counts = np.unique(np.geomspace(10, 1600, 23).round().astype(int))
    mean = digits.x_train.astype(float).mean(axis=0)
    rows = []
    for draw in range(3):
        rng = np.random.default_rng([seed, draw])
        train = rng.permutation(len(digits.x_train))[:examples]
        x, y, x_test = digits.x_train[train], digits.y_train[train].copy(), digits.x_test
        wrong = rng.random(examples) < noise
        y[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10
        directions = rng.standard_normal((64, counts[-1]))
        inside, outside = (np.maximum((a - mean) @ directions, 0) for a in (x, x_test))
        for count in counts:
            w = np.linalg.lstsq(inside[:, :count], np.eye(10)[y], rcond=1e-10)[0]
            answers = (inside[:, :count] @ w).argmax(axis=1), (outside[:, :count] @ w).argmax(axis=1)
            rows.append([np.mean(answers[0] != y), np.mean(answers[1] != digits.y_test)])
    train, test = np.array(rows).reshape(3, len(counts), 2).mean(axis=0).T
    return {"features": counts, "train": train, "test": test, "examples": examples, "noise": noise}


def by_epoch(noise=0.2, rates=(0.001,) * 3, hidden=128, epochs=400, examples=400, seed=0) -> dict:
    """Errors by epoch of a network that trains on, long after it knows its images: MNIST 14x14, batches of 50, Adam.

    Parameters
    ----------
    noise : share of the training labels that are wrong
    rates : one run for each, with 400 images, wrong labels and a start of its own

    Returns
    -------
    epoch, train, test : (K,) and (K, runs): some 30 epochs; shares of wrong answers, on the training images by their
        labels as they are, and on 2,000 new images
    known : (runs,) the first of these epochs after which all training labels are known, infinite if there is none
    """
    x, y, x_test, y_test = small_mnist()
    x, x_test, rows = x.astype(np.float32), x_test.astype(np.float32), []
    rng, net, runs = np.random.default_rng(seed), network([196, hidden, 10]), len(rates)
    own = np.array([rng.permutation(len(x))[:examples] for _ in range(runs)])
    x, y = x[own], y[own]
    wrong = rng.random(y.shape) < noise
    y[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    params = stack_runs([net.init(rng, dtype=np.float32)[0] for _ in range(runs)])
    per_epoch = examples // 50
    marks = np.unique(np.geomspace(1, epochs, 30).round().astype(int))
    sample = shuffled(x.swapaxes(0, 1), y.T, 50, rng)

    def batch():
        images, labels = sample()
        return images.swapaxes(0, 1), labels.T

    def look(now):
        if now.step % per_epoch == 0 and now.step // per_epoch in marks:
            both = ((x, y), (x_test, y_test))
            rows.append([1 - measure(net, now.params, *part)[1] for part in both])

    descend(net, params, batch, adam(np.array(rates, np.float32)), steps=epochs * per_epoch, watch=look)
    train, test = np.array(rows).swapaxes(0, 1)
    known = np.where((train == 0).any(axis=0), marks[(train == 0).argmax(axis=0)], np.inf)
    return {"epoch": marks, "train": train, "test": test, "noise": noise, "known": known}


def second_fall(errors) -> tuple[np.ndarray, np.ndarray]:
    """How far the error rises after its lowest value, and how far it falls again after that: (K, R) -> (R,), (R,).

    >>> rise, fall = second_fall(np.array([[0.5], [0.2], [0.4], [0.3]]))
    >>> float(rise[0].round(1)), float(fall[0].round(1))
    (0.2, 0.1)
    """
    after = np.arange(len(errors))[:, None] >= errors.argmin(axis=0)
    top = np.where(after, errors, -np.inf).max(axis=0)
    return top - errors.min(axis=0), top - errors[-1]


def mask(p=0.5, number=1) -> dict:
    """One mask of dropout on a small net, 4-6-6-3: {"kept": [(6,), (6,)] of bool, "scale": 1 / (1 - p)}."""
    rng = np.random.default_rng(number)
    kept = [rng.random(6) >= p for _ in range(2)]
    return {"kept": kept, "scale": 1 / (1 - p), "p": p, "number": number}
