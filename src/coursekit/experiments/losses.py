"""Chapter 02: what a network is told to make small."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import _checks, data
from ..activations import log_softmax, sigmoid_backward, sigmoid_forward, softmax
from ..errors import DivergedError
from ..layers import Dense
from ..losses import (
    hinge,
    huber,
    mean_squared_error,
    sigmoid_cross_entropy,
    smooth_labels,
    soft_cross_entropy,
    softmax_cross_entropy,
    weighted_cross_entropy,
)
from ..model import accuracy, predict
from ..optimizers import adam, momentum, sgd
from ..preprocessing import Standardizer
from ..training import train
from ._bench import descend, drawn, mlp, mnist, mnist_standardized, quiet, shared, small_mnist_standardized

DTYPES = ("float16", "float32", "float64")


def sigmoid_squared_error(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean squared error of the probabilities sigmoid(scores), and its gradient with respect to the scores."""
    p, cache = sigmoid_forward(scores)
    loss, dp = mean_squared_error(p, targets)
    return loss, sigmoid_backward(dp, cache)


@shared()
def _tumours():
    """The breast cancer table with standardized columns: x (569, 30), t (569,) with benign 1 and malignant 0."""
    table = data.tables("breast")
    return Standardizer().fit(table.x.astype(np.float64)).transform(table.x.astype(np.float64)), table.y.astype(float)


# --- losses of two classes -------------------------------------------------------------------------------------------


def stall(scale=10.0, rate=0.1, steps=150, seeds=6) -> dict:
    """Tell malignant from benign tumours with one sigmoid unit, trained with two losses from the same starts.

    30 weights N(0, scale^2), gradient descent on all 569 tumours. Every seed is a run.

    Returns
    -------
    accuracy : {"MSE after sigmoid": (steps + 1, R), "cross-entropy": (steps + 1, R)} share that is right
    wrong : (N,) how far each tumour's score is on the wrong side at the start, run 0; negative if on the right side
    pull : {loss: (R,)} mean size of the derivative of a tumour's loss with respect to its score at the start
    """
    x, t = _tumours()
    targets = t[:, None]
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    starts = np.stack([np.random.default_rng(seed).standard_normal(x.shape[1]) for seed in seeds])
    result = {"accuracy": {}, "pull": {}, "scale": scale, "rate": rate}
    result["wrong"] = (1 - 2 * t) * (scale * starts[0] @ x.T)
    for name, loss in {"MSE after sigmoid": sigmoid_squared_error, "cross-entropy": sigmoid_cross_entropy}.items():
        w, b = scale * starts, np.zeros((len(seeds), 1))
        right = np.empty((steps + 1, len(seeds)))
        for step in range(steps + 1):
            scores = w @ x.T + b  # (R, N)
            right[step] = ((scores > 0) == (t == 1)).mean(axis=1)
            _, dscores = loss(scores[..., None], targets)
            dscores = dscores[..., 0]
            if step == 0:
                result["pull"][name] = np.abs(dscores).mean(axis=1) * len(t)
            w, b = w - rate * dscores @ x, b - rate * dscores.sum(axis=1, keepdims=True)
        result["accuracy"][name] = right
    return result


def staircase(points=801) -> dict:
    """One feature, one threshold: the share of wrong answers and the cross-entropy while the threshold moves.

    The score is k (threshold - radius), with both fitted to the feature "worst radius", that of the largest nuclei.

    Returns
    -------
    threshold : (points,) around the best one
    error, cross_entropy : (points,)
    flat : share of the neighbouring pairs of points between which the error does not change
    """
    table = data.tables("breast")
    radius, t = table.x[:, table.features.index("worst radius")].astype(np.float64), table.y
    k, c = np.zeros(()), radius.mean()
    for _ in range(300):  # gradient descent on both
        _, ds = sigmoid_cross_entropy(k * (c - radius), t)
        k, c = k + 0.5 * (ds * (radius - c)).sum(), c - 2 * (ds * k).sum()
    threshold = np.linspace(c - 1.5, c + 1.5, points)
    scores = k * (threshold[:, None] - radius)
    error = ((scores > 0) != t).mean(axis=1)
    cross_entropy, _ = sigmoid_cross_entropy(scores[..., None], t[:, None])
    flat = (np.diff(error) == 0).mean()
    return {"threshold": threshold, "error": error, "cross_entropy": cross_entropy, "flat": flat, "slope": float(k)}


def shapes(low=-4.0, high=4.0, points=401) -> dict:
    """Losses of one example with true class 1 against its score, and their derivatives; two classes.

    The losses: squared error to 1 of the score itself (classes -1 and 1) and of sigmoid(score), hinge, cross-entropy.

    Returns
    -------
    score : (points,)
    losses, slopes : {name: (points,)}
    """
    score = np.linspace(low, high, points)
    runs, one = score[:, None, None], np.ones((1, 1))  # one run a score: a batch of one example
    pairs = np.concatenate([np.zeros_like(runs), runs], axis=-1)
    loss, d = hinge(pairs, np.array([1]))
    both = {
        "squared error": mean_squared_error(runs, one),
        "MSE after sigmoid": sigmoid_squared_error(runs, one),
        "hinge": (2 * loss, 2 * d[..., 1:]),  # without the mean over two classes: max(0, 1 - score)
        "cross-entropy": sigmoid_cross_entropy(runs, one),
    }
    return {
        "score": score,
        "losses": {name: loss for name, (loss, _) in both.items()},
        "slopes": {name: d[:, 0, 0] for name, (_, d) in both.items()},
    }


# --- outliers --------------------------------------------------------------------------------------------------------


def _descend(loss, x, target, lr, steps):
    """Gradient descent with momentum 0.5 on the weights of a linear model, from zero."""
    params = {"w": np.zeros((x.shape[1], 1))}
    optimizer = momentum(lr, 0.5)
    state = optimizer.init(params)
    for _ in range(steps):
        _, dpred = loss(x @ params["w"], target)
        params, state = optimizer.update(params, {"w": x.T @ dpred}, state)
    return params["w"]


def _penguins(count):
    """Flipper length in mm and body mass in kg of a fixed sample, the penguin with the shortest flippers first."""
    table = data.tables("penguins")
    rows = np.random.default_rng(0).permutation(len(table.x))[:count]
    rows = rows[np.argsort(table.x[rows, 2], kind="stable")]
    return table.x[rows, 2].astype(np.float64), table.x[rows, 3].astype(np.float64) / 1000


def _line(loss, flipper, mass, lr, steps):
    """Least loss of a straight line by gradient descent: (slope in kg/mm, mass at flipper length 0 in kg)."""
    centre, spread = flipper.mean(), flipper.std()
    x = np.stack([(flipper - centre) / spread, np.ones(len(flipper))], axis=1)  # orthogonal, of length sqrt(N)
    slope, middle = _descend(loss, x, mass[:, None], lr, steps)[:, 0]
    return float(slope / spread), float(middle - slope / spread * centre)


def outlier(mass=40.0, delta=0.5, count=60, steps=60) -> dict:
    """Fit a line, body mass against flipper length, to 60 penguins; the mass of one of them is typed as `mass`.

    It is the penguin with the shortest flippers. Masses are in kg, flipper lengths in mm.

    Returns
    -------
    flipper, mass : (count,) the outlier first
    true_mass : its mass as it was measured
    lines : {"clean", "MSE", "Huber"} -> (slope, offset)
    error : {"MSE", "Huber"} -> how far the outlier lies above that line
    pull : {"MSE", "Huber"} -> size of the derivative of the outlier's own loss with respect to its prediction
    """
    flipper, true = _penguins(count)
    typed = true.copy()
    typed[0] = mass
    lines = {
        "clean": _line(mean_squared_error, flipper, true, 0.5, steps),
        "MSE": _line(mean_squared_error, flipper, typed, 0.5, steps),
        "Huber": _line(lambda pred, target: huber(pred, target, delta), flipper, typed, 1.0, steps),
    }
    error = {name: mass - (lines[name][0] * flipper[0] + lines[name][1]) for name in ("MSE", "Huber")}
    return {
        "flipper": flipper,
        "mass": typed,
        "true_mass": true[0],
        "delta": delta,
        "lines": lines,
        "error": error,
        "pull": {"MSE": 2 * abs(error["MSE"]), "Huber": min(abs(error["Huber"]), delta)},
    }


def leverage(flipper=1760.0, delta=0.5, count=60, steps=100) -> dict:
    """The same penguins, but it is the flipper length of the first that is typed wrong; lines as in `outlier`."""
    true, mass = _penguins(count)
    typed = true.copy()
    typed[0] = flipper
    return {
        "clean": _line(mean_squared_error, true, mass, 0.5, steps),
        "MSE": _line(mean_squared_error, typed, mass, 0.5, steps),
        "Huber": _line(lambda pred, target: huber(pred, target, delta), typed, mass, 1.0, steps),
    }


def typing_errors(share=0.05, delta=1.0, factor=10.0, train_rows=300, seed=0) -> dict:
    """Predict the course of diabetes by a linear model when a share of the training targets got an extra zero.

    Targets are scaled by median and median deviation, which outliers hardly move; features are standardized.

    Returns `{"MSE", "Huber"}`: mean absolute error on the clean test set.
    """
    share = _checks.number("share", share, 0, 1)
    table = data.tables("diabetes")
    x, y = table.x.astype(np.float64), table.y.astype(np.float64)
    order = np.random.default_rng(seed).permutation(len(y))
    rows, test = order[:train_rows], order[train_rows:]
    typed = y.copy()
    typed[rows[: round(share * train_rows)]] *= factor
    columns = np.hstack([Standardizer().fit(x[rows]).transform(x), np.ones((len(x), 1))])
    centre = np.median(typed[rows])
    spread = 1.4826 * np.median(np.abs(typed[rows] - centre))  # the std, if the data are normal

    def test_error(loss):
        w = _descend(loss, columns[rows], ((typed[rows] - centre) / spread)[:, None], 0.2, 600)
        return float(np.abs(columns[test] @ w[:, 0] * spread + centre - y[test]).mean())

    return {"MSE": test_error(mean_squared_error), "Huber": test_error(lambda p, t: huber(p, t, delta))}


def far_point(bill=200.0, species="Chinstrap", steps=300) -> dict:
    """Tell Adelie from Chinstrap penguins by bill length and depth, when one more penguin has a bill of `bill` mm.

    A linear score with three losses: squared error to -1 and 1, cross-entropy, hinge. The added penguin has the
    Chinstraps' median bill depth and is labelled `species`.

    Returns
    -------
    x : (N, 2) mm, the added penguin last
    y : (N,) 1 for Chinstrap
    lines : {loss: (3,)} a, b, c of the boundary a * length + b * depth + c = 0
    wrong : {loss: number of the real penguins on the wrong side}
    pull : {loss: size of the derivative of the added penguin's loss with respect to its score}
    """
    _checks.choice("species", species, ("Adelie", "Chinstrap"))
    table = data.tables("penguins")
    real = np.isin(table.y, (table.classes.index("Adelie"), table.classes.index("Chinstrap")))
    y = (table.y[real] == table.classes.index("Chinstrap")).astype(np.int64)
    x = table.x[real][:, :2].astype(np.float64)
    mean, std = x.mean(axis=0), x.std(axis=0)
    x = np.vstack([x, [bill, np.median(x[y == 1, 1])]])
    y = np.append(y, int(species == "Chinstrap"))
    columns = np.hstack([(x - mean) / std, np.ones((len(x), 1))])
    steepest = np.linalg.norm(columns, 2) ** 2 / len(x)  # the largest curvature of half the squared error

    def pairs(loss):
        """Two classes with scores (0, s), as hinge wants them; the mean over two classes taken back."""

        def of_score(score, target):
            value, d = loss(np.hstack([np.zeros_like(score), score]), target[:, 0])
            return 2 * value, 2 * d[:, 1:]

        return of_score

    losses = {
        "squared error": (mean_squared_error, 2.0 * y - 1, 0.5 / steepest),
        "cross-entropy": (sigmoid_cross_entropy, y.astype(float), min(1.0, 4 / steepest)),
        "hinge": (pairs(hinge), y, lambda step: min(0.5, 2 / steepest) / (1 + step / 30)),
    }
    result = {"x": x, "y": y, "bill": bill, "species": species, "lines": {}, "wrong": {}, "pull": {}}
    for name, (loss, target, lr) in losses.items():
        w = _descend(loss, columns, target[:, None], lr, steps)
        score = columns @ w
        _, dscore = loss(score, target[:, None])
        result["wrong"][name] = int(((score[:-1, 0] > 0) != y[:-1]).sum())
        result["pull"][name] = float(abs(dscore[-1, 0]) * len(x))
        a, b = w[:2, 0] / std
        result["lines"][name] = np.array([a, b, w[2, 0] - (mean * [a, b]).sum()])
    return result


# --- large scores ----------------------------------------------------------------------------------------------------


def _zeros(inputs, outputs):
    return {"w": np.zeros((inputs, outputs)), "b": np.zeros(outputs)}


@shared()
def _digit_scores():
    """Scores of a small classifier of 8x8 digits for a test image that it gets wrong: (scores (10,), true class)."""
    digits = data.digits()
    x, x_test = (a.reshape(len(a), -1).astype(np.float64) for a in (digits.x_train, digits.x_test))
    layer = Dense(64, 10)
    params = descend(layer, _zeros(64, 10), lambda: (x, digits.y_train), sgd(1.0), steps=60).params
    scores = predict(layer, params, {}, x_test)
    first = int(np.flatnonzero(scores.argmax(axis=1) != digits.y_test)[0])
    return scores[first], int(digits.y_test[first])


def _naive(scores):
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


def overflow(scale=37.5, dtype="float32", points=145) -> dict:
    """The scores of one image, multiplied by `scale`: probabilities and loss, computed naively and safely.

    Returns
    -------
    probabilities : {"naive": (10,), "safe": (10,)} NaN where the naive quotient is none
    scales : (points,) from 1 to 500
    losses : {"naive", "softmax, then log", "log-sum-exp"} -> (points,), NaN or infinite where it fails
    now : {the same: number} at `scale`
    scores : (10,) multiplied by scale, in float64; label : the true class
    """
    _checks.choice("dtype", dtype, DTYPES)
    scores, label = _digit_scores()
    scales = np.geomspace(1, 500, points)
    grid = (np.append(scales, scale)[:, None] * scores).astype(dtype)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        naive = _naive(grid)
        losses = {
            "naive": -np.log(naive[:, label]),
            "softmax, then log": -np.log(softmax(grid)[:, label]),
            "log-sum-exp": -log_softmax(grid)[:, label],
        }
    return {
        "probabilities": {"naive": naive[-1], "safe": softmax(grid[-1])},
        "scales": scales,
        "losses": {name: loss[:-1].astype(np.float64) for name, loss in losses.items()},
        "now": {name: float(loss[-1]) for name, loss in losses.items()},
        "scores": scale * scores,
        "label": label,
        "scale": scale,
        "dtype": dtype,
    }


def limits() -> dict:
    """Where exp leaves the numbers of a dtype, found by bisection.

    Returns `{dtype: {"overflow": largest x with a finite exp(x), "underflow": smallest x with exp(x) > 0}}`.
    """

    def last(good, inside, outside, dtype):
        while True:
            middle = dtype((float(inside) + float(outside)) / 2)
            if middle in (inside, outside):
                return float(inside)
            inside, outside = (middle, outside) if good(middle) else (inside, middle)

    found = {}
    with np.errstate(over="ignore", under="ignore"):
        for name in DTYPES:
            dtype = np.dtype(name).type
            found[name] = {
                "overflow": last(lambda x: np.isfinite(np.exp(x)), dtype(0), dtype(1000), dtype),
                "underflow": last(lambda x: np.exp(x) > 0, dtype(0), dtype(-1000), dtype),
            }
    return found


# --- networks --------------------------------------------------------------------------------------------------------

_ONE_HOT = np.eye(10, dtype=np.float32)
LOSSES: dict[str, Callable] = {
    "cross-entropy": softmax_cross_entropy,
    "MSE after sigmoid": lambda scores, y: sigmoid_squared_error(scores, _ONE_HOT[y]),
    "MSE on scores": lambda scores, y: mean_squared_error(scores, _ONE_HOT[y]),
    "hinge": hinge,
}
OPTIMIZERS = {"SGD": sgd, "Adam": adam}


def on_mnist(loss="cross-entropy", rate=0.1, optimizer="SGD", epochs=3, examples=5000, seed=0) -> float:
    """Share of 2,000 test digits that a 784-100-10 ReLU net gets right; NaN if training diverges."""
    return float(np.mean(on_mnist_halves(loss, rate, optimizer, epochs, examples, seed)))


def on_mnist_halves(loss="cross-entropy", rate=0.1, optimizer="SGD", epochs=3, examples=5000, seed=0) -> tuple:
    """The same for the first and for the second thousand of them: one to choose a rate on, one to report."""
    _checks.choice("loss", loss, LOSSES)
    _checks.choice("optimizer", optimizer, OPTIMIZERS)
    x, y, x_test, y_test = mnist(examples)
    net = mlp([784, 100, 10])
    try:
        with quiet():
            history = train(
                net,
                x,
                y,
                optimizer=OPTIMIZERS[optimizer](rate),
                epochs=epochs,
                batch_size=100,
                rng=np.random.default_rng(seed),
                loss=LOSSES[loss],
                progress=False,
            )
    except DivergedError:
        return float("nan"), float("nan")
    scores = predict(net, history.params, history.state, x_test)
    return tuple(float(accuracy(scores[half], y_test[half])) for half in (slice(1000), slice(1000, None)))


def first_losses(seed=0) -> dict:
    """The loss of a fresh 784-100-100-10 ReLU net with He's start on 1,000 standardized MNIST images.

    Returns `{"usual", "expected", "small last layer"}`: that loss; ln 10 plus half the variance of a row's scores; and
    the loss with the last layer's weights a hundredth of their size.
    """
    x, y, _, _ = mnist_standardized(1000)
    net = mlp([784, 100, 100, 10])
    params, _ = net.init(np.random.default_rng(seed))
    scores = net.forward(params, {}, x, training=False)[0]
    return {
        "usual": float(softmax_cross_entropy(scores, y)[0]),
        "expected": float(np.log(10) + scores.var(axis=1).mean() / 2),
        "small last layer": float(softmax_cross_entropy(scores / 100, y)[0]),
    }


def softmax_twice(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The usual mistake: cross-entropy, which takes softmax itself, of what is softmax already; and its gradient."""
    p = softmax(scores)
    loss, dp = softmax_cross_entropy(p, labels)
    return loss, p * (dp - (dp * p).sum(axis=-1, keepdims=True))


def twice(steps=300, rate=1.0) -> dict:
    """Train a linear classifier of 8x8 digits, right and with softmax taken twice by mistake.

    Returns `{"once", "twice"}` -> {"loss": (steps,), "test_accuracy": float}.
    """
    digits = data.digits()
    x, x_test = (a.reshape(len(a), -1).astype(np.float64) for a in (digits.x_train, digits.x_test))

    result = {}
    for name, loss in {"once": softmax_cross_entropy, "twice": softmax_twice}.items():
        layer = Dense(64, 10)
        run = descend(layer, _zeros(64, 10), lambda: (x, digits.y_train), sgd(rate), steps=steps, loss=loss)
        right = accuracy(predict(layer, run.params, {}, x_test), digits.y_test)
        result[name] = {"loss": run.loss, "test_accuracy": float(right)}
    return result


# --- several labels --------------------------------------------------------------------------------------------------


def weather(steps=600) -> dict:
    """Predict three labels of tomorrow in Seattle, any of which may be true: rain, minimum below 5 °C, wind over 3.5.

    A linear model of today's weather and the season, trained on 2012 to 2014, tested on 2015, once with a sigmoid for
    each label and once with a softmax over the labels (the targets shared out evenly among a day's labels; days
    without a label teach it nothing). Each says yes above the threshold that was best on its training set.

    Returns
    -------
    labels : (days, 3) the truth in the test year
    counts : (4,) share of the test days that have 0, 1, 2, 3 labels
    outputs : {"sigmoid", "softmax"} -> (days, 3)
    right : {the same: share of the days with all three answers right}
    right_by_count : {the same: (4,)} the same among the days with 0, 1, 2, 3 labels
    threshold : {the same: number}
    """
    series = data.series("seattle")
    values = series.values.astype(np.float64)
    labels = np.stack([values[:, 2] > 0, values[:, 1] < 5, values[:, 3] > 3.5], axis=1)
    year = series.time.astype("datetime64[Y]")
    season = 2 * np.pi * (series.time - year.astype(series.time.dtype)).astype(float) / 365.25
    today = np.column_stack([values, labels, np.sin(season), np.cos(season)])[:-1]
    tomorrow, train_days = labels[1:].astype(float), year[1:] < np.datetime64("2015")
    scale = Standardizer().fit(today[train_days])
    x = np.hstack([scale.transform(today), np.ones((len(today), 1))])
    count = tomorrow.sum(axis=1, keepdims=True)
    shared = tomorrow / np.maximum(count, 1)

    def sigmoid_step(scores, rows):
        return sigmoid_cross_entropy(scores, tomorrow[rows])[1]

    def softmax_step(scores, rows):
        return (softmax(scores) - shared[rows]) * (count[rows] > 0) / len(scores)

    outputs = {"sigmoid": (sigmoid_step, lambda s: sigmoid_forward(s)[0]), "softmax": (softmax_step, softmax)}
    result = {"outputs": {}, "right": {}, "right_by_count": {}, "threshold": {}}
    truth, sizes = tomorrow[~train_days] == 1, count[~train_days, 0]
    for name, (step, activation) in outputs.items():
        w = np.zeros((x.shape[1], 3))
        for _ in range(steps):
            w = w - 1.0 * x[train_days].T @ step(x[train_days] @ w, train_days)
        p = activation(x @ w)

        def all_right(threshold, rows, p=p):
            return ((p[rows] > threshold) == (tomorrow[rows] == 1)).all(axis=1)

        thresholds = np.linspace(0.05, 0.95, 91)
        best = thresholds[np.argmax([all_right(c, train_days).mean() for c in thresholds])]
        good = all_right(best, ~train_days)
        result["outputs"][name], result["threshold"][name] = p[~train_days], float(best)
        result["right"][name] = float(good.mean())
        result["right_by_count"][name] = np.array([good[sizes == c].mean() for c in range(4)])
    return result | {"labels": truth, "counts": np.array([(sizes == c).mean() for c in range(4)])}


def normal_nll(unit="kg") -> float:
    r"""Mean negative log-likelihood of the 342 penguins' masses under the normal distribution fitted to them.

    $-\log f = \tfrac12 \log 2\pi + \log\sigma + (y - \mu)^2 / 2\sigma^2$, in the chosen unit.
    """
    grams = {"g": 1.0, "kg": 1e3, "t": 1e6}
    mass = data.tables("penguins").x[:, 3].astype(np.float64) / grams[_checks.choice("unit", unit, grams)]
    squared, _ = mean_squared_error(mass, np.full_like(mass, mass.mean()))
    return float(0.5 * np.log(2 * np.pi * squared) + 0.5)


# --- likelihood, softmax, targets that are not one-hot, classes that are not alike -----------------------------------

MASSES = np.array([3.4, 3.7, 3.95, 4.3, 4.8])  # five penguins, kg


def likelihood(mean=3.5, spread=0.5) -> dict:
    """Five penguins under a normal distribution: the density at each mass, and the negative log-likelihood.

    Returns
    -------
    mass, density : (5,) kg, 1/kg
    axis, bell : (P,) masses and the density at each of them
    means, nll : (M,) means that might have been taken instead, and the negative log-likelihood of each, in nats
    now, best : the negative log-likelihood at `mean`; the mean of the five, where it is least
    """

    def density(x, centre):
        return np.exp(-0.5 * ((x - centre) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))

    def nll(centre):
        return -np.log(density(MASSES, np.asarray(centre)[..., None])).sum(axis=-1)

    axis, means = np.linspace(2.4, 5.8, 171), np.linspace(3.0, 5.0, 81)
    return {
        "mean": mean, "spread": spread, "mass": MASSES, "density": density(MASSES, mean), "axis": axis,
        "bell": density(axis, mean), "means": means, "nll": nll(means), "now": float(nll(mean)),
        "best": float(MASSES.mean()),
    }  # fmt: skip


ANIMALS = ("cat", "dog", "bird")


def softmax_scores(cat=1.0, dog=2.0, bird=0.0) -> dict:
    """Three scores of one picture of a cat: probabilities, truth, the gradient of the cross-entropy, and the loss.

    Returns `{"scores", "p", "y", "gradient"}`, each (3,), and `"loss"`.
    """
    scores = np.array([[cat, dog, bird]], dtype=np.float64)
    loss, gradient = softmax_cross_entropy(scores, np.array([0]))
    return {
        "scores": scores[0],
        "p": softmax(scores)[0],
        "y": np.array([1.0, 0.0, 0.0]),
        "gradient": gradient[0],
        "loss": float(loss),
    }


def smoothing(amount=0.1, images=1000, steps=1500, rate=0.1, seeds=3) -> dict:
    """Train a 196-64-10 ReLU net on few MNIST images (14x14) with smoothed labels, until it has learnt all of them.

    Returns
    -------
    accuracy : (R,) on 2,000 test digits
    confidence : (R,) the mean probability of the class that it chooses there
    train_loss : (R,) plain cross-entropy on the training images at the end
    """
    x, y, x_test, y_test = small_mnist_standardized(images)
    net = mlp([196, 64, 10])
    targets = smooth_labels(y, 10, amount, dtype=x.dtype)
    rows = {"accuracy": [], "confidence": [], "train_loss": []}
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        rng = np.random.default_rng(seed)
        params, _ = net.init(rng)
        sample = drawn(x, targets, 50, rng)
        run = descend(net, params, sample, sgd(rate), steps=steps, loss=soft_cross_entropy)
        scores = predict(net, run.params, {}, x_test)
        rows["accuracy"].append(accuracy(scores, y_test))
        rows["confidence"].append(softmax(scores).max(axis=-1).mean())
        rows["train_loss"].append(softmax_cross_entropy(predict(net, run.params, {}, x), y)[0])
    return {"amount": amount} | {name: np.array(values, dtype=np.float64) for name, values in rows.items()}


def rare(seeds=6, malignant=12, steps=1000, rate=0.5) -> dict:
    """Tumours of which few are malignant: a linear classifier with and without weights for the classes.

    `malignant` of 200 training rows are malignant; the test rows are the others of the table, 150 of each kind.

    Returns
    -------
    {"plain", "weighted"} -> {"found": (R,) share of the malignant ones that is found, "alarms": (R,) share of the
    benign ones that is taken for malignant, "accuracy": (R,) on test rows mixed as in training}
    """
    x, t = _tumours()
    share = malignant / 200
    result = {name: {"found": [], "alarms": [], "accuracy": []} for name in ("plain", "weighted")}
    layer = Dense(30, 2)
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        rng = np.random.default_rng(seed)
        bad, good = (rng.permutation(np.flatnonzero(t == kind)) for kind in (0, 1))
        train_rows = np.concatenate([bad[:malignant], good[: 200 - malignant]])
        labels = (t[train_rows] == 1).astype(np.int64)
        weights = {"plain": np.ones(2), "weighted": 1 / np.bincount(labels)}
        for name, w in weights.items():
            run = descend(
                layer,
                _zeros(30, 2),
                lambda rows=train_rows, y=labels: (x[rows], y),
                sgd(rate),
                steps=steps,
                loss=lambda scores, y, w=w: weighted_cross_entropy(scores, y, w),
            )
            says_good = [predict(layer, run.params, {}, x[rows]).argmax(axis=1) for rows in (bad[-150:], good[-150:])]
            found, alarms = 1 - says_good[0].mean(), 1 - says_good[1].mean()
            result[name]["found"].append(found)
            result[name]["alarms"].append(alarms)
            result[name]["accuracy"].append(share * found + (1 - share) * (1 - alarms))
    return {name: {key: np.array(values) for key, values in rows.items()} for name, rows in result.items()}
