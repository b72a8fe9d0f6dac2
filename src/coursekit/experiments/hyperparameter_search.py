"""Chapter 10: which settings to try, how to compare them, and what the comparison does to the score of the best."""

from __future__ import annotations

import math

import numpy as np

from .. import _checks, data, search, surrogates
from ..layers import Tanh
from ..losses import softmax_cross_entropy
from ..model import accuracy, stack_runs
from ..optimizers import adam, by_name, momentum
from ..regularizers import l2, regularized
from ._bench import descend, drawn, mlp, quiet, shared, shuffled, small_mnist

# The four settings of the chapter's network, each as wide as somebody who knows nothing would make it.
SPACE = {
    "lr": search.log_uniform(1e-3, 1e3),
    "l2": search.log_uniform(1e-6, 1.0),
    "momentum": search.uniform(0.0, 0.9),
    "gain": search.log_uniform(0.1, 10.0),
}
# Two settings, both from 1e-3 to 1e3: a learning rate and the strength of an L2 penalty.
MAP_SPACE = {"lr": search.log_uniform(1e-3, 1e3), "l2": search.log_uniform(1e-3, 1e3)}


@shared()
def shuffled_digits(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """All 1,797 digits of 8x8 pixels in random order: x (1797, 64), centred and scaled, and y (1797,)."""
    digits = data.digits(flat=True)
    x = np.concatenate([digits.x_train, digits.x_test])
    y = np.concatenate([digits.y_train, digits.y_test])
    order = np.random.default_rng(seed).permutation(len(x))
    # Constants, so that no part learns from another; float64, so that the browser finds the same numbers.
    return ((x.astype(np.float64) - 0.305) / 0.376)[order], y[order]


def train_all(settings: list[dict], x, y, *, steps=40, batch_size=50, hidden=16, seed=0, watch=None) -> dict:
    """Train one small network for each of the settings, all in one pass along the run axis.

    Parameters
    ----------
    settings : dicts with "lr" and, if wanted, "l2", "momentum" and "gain" (of the first weights)
    x, y : training images (N, 64) and labels (N,)
    hidden : tanh units; 0 for softmax regression, without a hidden layer
    watch : a pair (x, y); its loss after every epoch comes back too

    Returns
    -------
    net, params, state : what `scores` needs
    curve : (epochs, R) the watched loss after each epoch, if `watch` is given
    """
    columns = search.columns(settings)
    runs = len(settings)
    rng = np.random.default_rng(seed)
    net = mlp([64, hidden, 10] if hidden else [64, 10], Tanh)
    first, state = net.init(rng, dtype=np.float64)
    params = stack_runs([_scaled(first, gain) for gain in columns.get("gain", np.ones(runs))])
    rule = momentum(columns["lr"], decay=columns.get("momentum", np.zeros(runs)))
    strength = columns.get("l2", np.zeros(runs))
    rule = regularized(rule, penalty=lambda params: l2(params, strength, skip=("b",)))
    batches, curve = max(1, len(x) // batch_size), []

    def look(now):
        if watch is not None and now.step % batches == 0:
            curve.append(loss_of(net, now.params, now.state, *watch))

    run = descend(net, params, shuffled(x, y, batch_size, rng), rule, steps=steps, state=state, watch=look)
    result = {"net": net, "params": run.params, "state": run.state}
    return result | ({"curve": np.array(curve)} if watch is not None else {})


def _scaled(params, gain):
    return {name: {"w": part["w"] * gain, "b": part["b"]} for name, part in params.items()}


def one_of(trained, run):
    """What `train_all` gave, for one of its networks alone."""
    params = {name: {key: w[run : run + 1] for key, w in part.items()} for name, part in trained["params"].items()}
    return trained | {"params": params}


def scores(trained, x):
    """(R, N, 10) scores of every network."""
    with quiet():
        return trained["net"].forward(trained["params"], trained["state"], x, training=False)[0]


def loss_of(net, params, state, x, y):
    """(R,) mean loss of every network; NaN for one that diverged."""
    with quiet():
        out = net.forward(params, state, x, training=False)[0]
        return softmax_cross_entropy(out, np.broadcast_to(y, out.shape[:-1]))[0]


def accuracy_of(trained, x, y):
    """(R,) share of right answers of every network."""
    out = scores(trained, x)
    return accuracy(out, np.broadcast_to(y, out.shape[:-1]))


# ------------------------------------------------------------------------------------- choosing on the test set


@shared()
def candidates(count: int = 100, examples: int = 100, seed: int = 0) -> np.ndarray:
    """(count, images) of bool: which of the images never trained on each of `count` candidates reads right.

    The candidates are one network with settings near good ones and starts of their own, so that they are about
    equally good, as the last candidates of a search are.
    """
    x, y = shuffled_digits(seed)
    rng = np.random.default_rng(seed + 1)
    space = {"lr": search.log_uniform(0.2, 1.0), "l2": search.log_uniform(1e-4, 1e-2)}
    right = []
    for start in range(0, count, 20):  # twenty candidates share a start
        settings, part = search.random(space, 20, rng), slice(examples)
        trained = train_all(settings, x[part], y[part], steps=60, batch_size=25, seed=start + seed)
        right.append(scores(trained, x[examples:]).argmax(axis=-1) == y[examples:])
    return np.concatenate(right)[:count]


def optimism(tried=50, images=50, seed=0, repeats=300) -> dict:
    """Choose the best of `tried` networks by its accuracy on `images` images, then look at all the other images.

    Repeated with other images and other networks among 100.

    Returns
    -------
    chosen, fresh : (repeats,) accuracy of the chosen network on the images that chose it, and on those that did not
    average : accuracy of all candidates, chosen or not
    """
    right = candidates(seed=seed)
    tried = _checks.whole("tried", tried)
    rng = np.random.default_rng(seed + 2)
    chosen, fresh = np.zeros(repeats), np.zeros(repeats)
    for i in range(repeats):
        rows = rng.permutation(len(right))[:tried]
        used = rng.permutation(right.shape[1])[:images]
        seen = right[np.ix_(rows, used)].sum(axis=1)
        best = rows[seen.argmax()]
        chosen[i] = seen.max() / images
        fresh[i] = (right[best].sum() - seen.max()) / (right.shape[1] - images)
    return {"chosen": chosen, "fresh": fresh, "average": right.mean(), "tried": tried, "images": images}


def misses(accuracy=0.8, images=50, most=0.3) -> dict:
    r"""How often the accuracy on some images is too high by more than t, and Hoeffding's bound, $e^{-2nt^2}$.

    Returns `t`, `chance`, `bound`, (K,) each: the chance is exact, a sum of binomial probabilities.
    """
    right = np.arange(images + 1)
    log_choose = np.array([math.lgamma(images + 1) - math.lgamma(k + 1) - math.lgamma(images - k + 1) for k in right])
    chances = np.exp(log_choose + right * math.log(accuracy) + (images - right) * math.log1p(-accuracy))
    t = np.linspace(0, most, 121)
    chance = np.array([chances[right / images >= accuracy + by - 1e-12].sum() for by in t])
    return {"t": t, "chance": chance, "bound": np.exp(-2 * images * t**2), "images": images, "accuracy": accuracy}


def luck(counts=(1, 2, 5, 10, 20, 50, 100), images=50, repeats=2000, seed=0) -> dict:
    """By how much the accuracy of the luckiest of m networks is too high, and what the bound allows.

    Returns
    -------
    counts : (K,)
    bound : (K,) the root of ln m / 2n
    coins : (K,) mean luck of the best of m networks that all have the same true accuracy and err independently
    networks : (K,) mean luck of the best of m of the chapter's networks
    """
    rng, accuracy = np.random.default_rng(seed), candidates(seed=seed).mean()
    scores = rng.binomial(images, accuracy, (repeats, max(counts))) / images
    searches = [optimism(tried=m, images=images, seed=seed) for m in counts]
    return {
        "counts": np.array(counts),
        "bound": np.sqrt(np.log(counts) / (2 * images)),
        "coins": np.array([scores[:, :m].max(axis=1).mean() - accuracy for m in counts]),
        "networks": np.array([(s["chosen"] - s["fresh"]).mean() for s in searches]),
        "images": images,
        "accuracy": accuracy,
    }


# ---------------------------------------------------------------------------------- how many to hold out, and folds


def held_out(shares=(0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9), examples=100, tried=20, splits=20, seed=0) -> dict:
    """Hold out a share of `examples` labelled images, choose the best of `tried` settings there, and keep that network.

    Returns
    -------
    shares : (S,)
    fresh : (S, splits) accuracy of the chosen network on a thousand images of which nothing was used
    reported : (S, splits) its accuracy on the images held out
    """
    x, y = shuffled_digits(0)
    rng = np.random.default_rng(seed)
    fresh, reported = np.zeros((2, len(shares), splits))
    for j in range(splits):
        own = rng.permutation(len(x))
        labelled, new = own[:examples], own[-1000:]
        settings = search.random(SPACE, tried, rng)
        for i, share in enumerate(shares):
            count = max(1, round(share * examples))
            held, kept = labelled[:count], labelled[count:]
            trained = train_all(settings, x[kept], y[kept], batch_size=min(50, len(kept)), hidden=0, seed=seed + j)
            right = accuracy_of(trained, x[held], y[held])
            best = _first_of_best(right, loss_of(trained["net"], trained["params"], trained["state"], x[held], y[held]))
            reported[i, j] = right[best]
            fresh[i, j] = accuracy_of(one_of(trained, best), x[new], y[new])[0]
    return {"shares": np.array(shares), "fresh": fresh, "reported": reported, "examples": examples}


def _first_of_best(right, loss):
    """The index of the highest accuracy; among equals, of the lowest loss."""
    return np.lexsort((np.where(np.isfinite(loss), loss, np.inf), -right))[0]


# --------------------------------------------------------------------------------------------- grid against random


def best_found(important=1, side=3, dims=4, width=0.08, middle=True, repeats=300, seed=0) -> dict:
    r"""Look for the peak of a function of `dims` settings of which only the first `important` matter.

    The score is $\exp(-\sum_{i \le k} (u_i - c_i)^2 / 2w^2)$ with the peak $c$ somewhere in the unit cube. Grid and
    random search have the same number of trials, `side` to the power of `dims`.

    Parameters
    ----------
    important : settings that matter, 1 to dims
    side : values of each setting in the grid
    middle : put the grid's values in the middle of equal cells; else the ends of the range are among them

    Returns
    -------
    grid, random : (repeats,) the best score that each found, for `repeats` places of the peak
    grid_points, random_points : (trials, 2) the first two settings of all trials of one search
    peak : (dims,) the peak of that search
    """
    _checks.whole("important", important, 1)
    rng = np.random.default_rng(seed)
    trials = side**dims
    values = (np.arange(side) + 0.5) / side if middle else np.linspace(0, 1, side)
    peaks = rng.random((repeats, dims))
    # The score is a product over the settings, so a grid's best is the product of the best of each.
    nearest = np.abs(peaks[:, :important, None] - values).min(axis=-1)
    grid = np.exp(-(nearest**2).sum(axis=-1) / (2 * width**2))
    distance = np.zeros((repeats, trials))
    for i in range(important):
        distance += (rng.random((repeats, trials)) - peaks[:, i, None]) ** 2
    found = np.exp(-distance.min(axis=-1) / (2 * width**2))
    points = np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)
    return {
        "grid": grid,
        "random": found,
        "grid_points": points,
        "random_points": rng.random((trials, 2)),
        "peak": peaks[0],
        "important": important,
        "side": side,
        "dims": dims,
        "trials": trials,
        "width": width,
    }


def budgets(important=1, side=3, sides=(2, 3, 4, 5), middle=True, seed=0) -> dict:
    """`best_found` at every budget, for the curves; and at `side`, for the points."""
    rows = {s: best_found(important, s, middle=middle, seed=seed) for s in sides}
    return rows[side] | {
        "budgets": np.array([row["trials"] for row in rows.values()]),
        "grid_mean": np.array([row["grid"].mean() for row in rows.values()]),
        "random_mean": np.array([row["random"].mean() for row in rows.values()]),
    }


def network_search(side=3, examples=200, shift=0.0, seed=0, searches=("grid", "random")) -> dict:
    """Grid and random search with equal budgets for the four settings of a real network on 8x8 digits.

    20 % of the images are held out for the choice; the accuracy of the chosen one is measured on 1,000 others.

    Parameters
    ----------
    side : values of each setting in the grid
    shift : by how many powers of ten the learning rate's range is moved up
    searches : of "grid", whose first and last values are the ends of each range, "middles", a grid whose values lie in
        the middle of `side` equal parts of it, and "random"

    Returns
    -------
    For each of the searches: settings (dict of (T,)), validation (T,) accuracy, chosen (validation accuracy, fresh
    accuracy) of the best.
    """
    space = SPACE | {"lr": search.log_uniform(10 ** (shift - 3), 10 ** (shift + 3))}
    x, y = shuffled_digits(seed)
    train, held = search.split(examples, 0.2, np.random.default_rng(seed))
    new = slice(len(x) - 1000, None)
    result = {}
    tried = {
        "grid": search.grid(space, points=side),
        "middles": search.grid({name: part.points(2 * side + 1)[1::2] for name, part in space.items()}),
        "random": search.random(space, side ** len(space), np.random.default_rng(seed + 1)),
    }
    for name in searches:
        settings = tried[name]
        trained = train_all(settings, x[train], y[train], steps=60, seed=seed)
        validation = accuracy_of(trained, x[held], y[held])
        loss = loss_of(trained["net"], trained["params"], trained["state"], x[held], y[held])
        best = _first_of_best(validation, loss)
        fresh = accuracy_of(trained, x[new], y[new])
        result[name] = {
            "settings": search.columns(settings),
            "validation": validation,
            "loss": loss,
            "best": settings[best],
            "chosen": (validation[best], fresh[best]),
        }
    return result


@shared()
def _part(examples, seed):
    x, y = shuffled_digits(seed)
    kept, held = search.split(examples, 0.2, np.random.default_rng(seed))
    return x[kept], y[kept], x[held], y[held]


def score(settings: dict, examples=500, seed=0) -> float:
    """Train one network with these settings on four fifths of the examples; its loss on the fifth that is held out.

    What a search calls, one trial at a time. It is 100 at most, and 100 where training diverged.

    >>> score({"lr": 0.5, "l2": 1e-4, "momentum": 0.5, "gain": 1.0}) < 0.5 < score({"lr": 1e-3})
    True
    """
    x, y, x_held, y_held = _part(examples, seed)
    trained = train_all([settings], x, y, steps=60, seed=seed)
    loss = loss_of(trained["net"], trained["params"], trained["state"], x_held, y_held)[0]
    return float(min(loss, 100.0)) if np.isfinite(loss) else 100.0


# ------------------------------------------------------------------------------------ log scale, coarse to fine


def decades(count=1000, seed=0) -> dict:
    """Draw `count` numbers from 1e-3 to 1e3, from the range itself and from its exponents; how many in each decade?

    Returns
    -------
    edges : (7,) powers of ten
    uniform, log : (6,) numbers drawn in each decade
    """
    rng, edges = np.random.default_rng(seed), 10.0 ** np.arange(-3, 4)
    drawn = {
        name: search.columns(search.random({"x": kind(1e-3, 1e3)}, count, rng))["x"]
        for name, kind in (("uniform", search.uniform), ("log", search.log_uniform))
    }
    return {"edges": edges} | {name: np.histogram(x, edges)[0] for name, x in drawn.items()}


@shared()
def accuracy_map(points: int = 19, examples: int = 100, seed: int = 0) -> np.ndarray:
    """(points, points) validation accuracy of softmax regression over MAP_SPACE, a row for each learning rate."""
    x, y = shuffled_digits(seed)
    settings = search.grid(MAP_SPACE, points=points)
    trained = train_all(settings, x[:examples], y[:examples], steps=30, hidden=0, seed=seed)
    return accuracy_of(trained, x[-500:], y[-500:]).reshape(points, points)


def look_up(settings: list[dict], surface: np.ndarray) -> np.ndarray:
    """Accuracy at settings between the trained ones of `accuracy_map`, interpolated in the logarithms."""
    columns = search.columns(settings)
    at = [(np.log10(columns[name]) + 3) / 6 * (len(surface) - 1) for name in ("lr", "l2")]
    low = [np.minimum(np.floor(a).astype(int), len(surface) - 2) for a in at]
    part = [a - b for a, b in zip(at, low, strict=True)]
    (i, j), (p, q) = low, part
    return (
        surface[i, j] * (1 - p) * (1 - q)
        + surface[i + 1, j] * p * (1 - q)
        + surface[i, j + 1] * (1 - p) * q
        + surface[i + 1, j + 1] * p * q
    )


def rounds(scale="uniform", trials=10, shown=1, shrink=0.4, seed=0) -> dict:
    """Search the map in `shown` rounds of `trials`; after each, the ranges shrink around the best so far.

    Parameters
    ----------
    scale : "uniform" draws the settings themselves, "log" their exponents

    Returns
    -------
    surface : (P, P) as from `accuracy_map`
    lr, l2, accuracy : (shown, trials) what was tried and what came out
    low, high : (shown, 2) the ranges of lr and l2 in each round
    """
    _checks.choice("scale", scale, ("uniform", "log"))
    kind = search.log_uniform if scale == "log" else search.uniform
    surface, rng = accuracy_map(), np.random.default_rng(seed)
    space = {name: kind(1e-3, 1e3) for name in MAP_SPACE}
    best, kept = (-1.0, None), []
    for _ in range(_checks.whole("shown", shown)):
        settings = search.random(space, trials, rng)
        found = look_up(settings, surface)
        kept.append((search.columns(settings), found, [(part.low, part.high) for part in space.values()]))
        best = max(best, (found.max(), found.argmax() + trials * (len(kept) - 1)))
        settings_so_far = [c for columns, _, _ in kept for c in zip(columns["lr"], columns["l2"], strict=True)]
        centre = dict(zip(space, settings_so_far[best[1]], strict=True))
        space = {name: part.around(float(centre[name]), shrink) for name, part in space.items()}
    ranges = np.array([r for _, _, r in kept])
    return {
        "surface": surface,
        "lr": np.array([c["lr"] for c, _, _ in kept]),
        "l2": np.array([c["l2"] for c, _, _ in kept]),
        "accuracy": np.array([a for _, a, _ in kept]),
        "low": ranges[:, :, 0],
        "high": ranges[:, :, 1],
        "scale": scale,
        "trials": trials,
        "shown": shown,
    }


# ------------------------------------------------------------------------------------------------ successive halving


def halving(count=32, first=1, seed=0, examples=200) -> dict:
    """Successive halving of `count` networks on 8x8 digits: `first` epochs for all, twice as many for the better half.

    Returns
    -------
    curve : (epochs, count) validation loss after every epoch, had all been trained to the end; NaN where one diverged
    stopped : (count,) epochs that halving gave each
    winner, best : index of the network that halving chose, and of the best at the end
    cost, full : epochs that halving spent (a network goes on where it stopped), and that all to the end would cost
    """
    x, y = shuffled_digits(seed)
    train, held = search.split(examples, 0.2, np.random.default_rng(seed))
    settings = search.random(SPACE, count, np.random.default_rng(seed + 1))
    rungs = int(np.log2(count))
    epochs = first * 2**rungs
    batches = len(train) // 40
    trained = train_all(
        settings, x[train], y[train], steps=epochs * batches, batch_size=40, seed=seed, watch=(x[held], y[held])
    )
    curve = trained["curve"]
    worst_last = np.where(np.isfinite(curve), curve, np.inf)
    found = search.successive_halving(
        lambda row, budget: curve[budget - 1, row["index"]],
        [{"index": i} for i in range(count)],
        budget=first,
    )
    stopped = np.zeros(count, int)
    for trial in found:
        stopped[trial.settings["index"]] = trial.budget
    return {
        "curve": curve,
        "stopped": stopped,
        "winner": found.best.settings["index"],
        "best": int(worst_last[-1].argmin()),
        "cost": int(stopped.sum()),
        "full": count * epochs,
        "lr": search.columns(settings)["lr"],
    }


# -------------------------------------------------------------------------------------------------- cross-validation


def folds_or_split(folds=5, examples=100, repeats=30, seed=0) -> dict:
    """How good is one network? Estimated from `examples` images by one split and by cross-validation, many times over.

    Returns
    -------
    split : (repeats,) accuracy on one fifth held out
    folds : (repeats,) mean accuracy over all folds
    fresh : (repeats,) accuracy of the networks of the folds on 1,000 other images, the truth
    """
    x, y = shuffled_digits(0)
    rng = np.random.default_rng(seed)
    settings = [{"lr": 0.3, "l2": 1e-3}]
    one, many, fresh = np.zeros((3, repeats))
    for j in range(repeats):
        own = rng.permutation(len(x))
        labelled, new = own[:examples], own[-1000:]
        right, truth = [], []
        for kept, held in search.folds(examples, folds, rng):
            kept, held = labelled[kept], labelled[held]
            trained = train_all(settings, x[kept], y[kept], batch_size=40, hidden=0, seed=seed)
            right.append(accuracy_of(trained, x[held], y[held])[0])
            truth.append(accuracy_of(trained, x[new], y[new])[0])
        one[j], many[j], fresh[j] = right[0], np.mean(right), np.mean(truth)
    return {"split": one, "folds": many, "fresh": fresh}


# ------------------------------------------------------------------------------------------ searches that learn


@shared()
def rate_curve(points: int = 121, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Exponents of the learning rate from -3 to 3, and the validation loss at each: (points,) twice; at most 3.

    The networks are those of the chapter, on 80 digits; 500 others are held out.
    """
    exponents = np.linspace(-3, 3, points)
    x, y = shuffled_digits(seed)
    settings = [{"lr": float(10.0**e), "l2": 1e-4} for e in exponents]
    trained = train_all(settings, x[:80], y[:80], steps=40, seed=seed)
    loss = loss_of(trained["net"], trained["params"], trained["state"], x[-500:], y[-500:])
    return exponents, np.minimum(np.nan_to_num(loss, nan=3.0, posinf=3.0), 3.0)


SEARCHES = ("random", "Gaussian process", "TPE")


def model_search(method="Gaussian process", trials=4, seed=0) -> dict:
    """A search for the learning rate that looks, after three random trials, where its model says.

    Returns
    -------
    at, truth : (121,) exponents and the losses there, which the search does not know
    x, y : (trials,) exponents that were tried and what came
    mean, std : (121,) of the Gaussian process; None for the others
    wish : (121,) expected improvement, or the ratio of densities; None for random search
    next : the exponent that would be tried next
    """
    _checks.choice("method", method, SEARCHES)
    at, truth = rate_curve()
    rng = np.random.default_rng(seed)
    tried = list(rng.choice(len(at), 3, replace=False))
    blind = rng.permutation(len(at))
    while True:
        model = _model(method, at, truth, tried, blind)
        if len(tried) >= trials:
            break
        tried.append(model["next"])
    chosen = np.array(tried[:trials])
    return model | {
        "at": at, "truth": truth, "x": at[chosen], "y": truth[chosen], "next": at[model["next"]], "method": method,
    }  # fmt: skip


def _model(method, at, truth, tried, blind):
    x, y = at[tried], truth[tried]
    if method == "random":
        return {"mean": None, "std": None, "wish": None, "next": int(blind[len(tried)])}
    if method == "TPE":
        wish, mean, std = surrogates.tpe_ratio(x, y, at, width=0.5), None, None
    else:
        mean, std = surrogates.gaussian_process(x, y, at, length=0.6, spread=1.0, noise=0.02)
        wish = surrogates.expected_improvement(mean, std, y.min())
    fresh = wish.copy()
    fresh[tried] = -np.inf  # the same setting once more would tell nothing new
    return {"mean": mean, "std": std, "wish": wish, "next": int(fresh.argmax())}


def best_after(method, trials, seeds) -> np.ndarray:
    """(len(seeds),) the lowest loss that a search has found after so many trials."""
    return np.array([model_search(method, trials, int(seed))["y"].min() for seed in seeds])


# ------------------------------------------------------------------------------------------------- rate and width

WIDTHS = (16, 64, 256)


def across_width(scaled=False, widths=WIDTHS, rates=None, steps=80, seed=0) -> dict:
    """Adam's loss at many rates for nets of several widths, two hidden layers on 14x14 MNIST; the rate falls to 0.

    With `scaled` the parametrization is that of Yang et al. 2021 for Adam: weights whose inputs are hidden units get
    the rate times 16/width, and the last layer's weights start smaller by the root of 16/width.

    Returns `rates`, and {width: (len(rates),)} the mean of the last 20 losses under "ends", and the best rate of each
    width under "best", from a parabola through the lowest loss and its neighbours.
    """
    rates = np.geomspace(0.001, 0.128, 8) if rates is None else np.asarray(rates)
    x, y, _, _ = small_mnist(10000, np.float32)
    ends, best = {}, {}
    for width in widths:
        share = np.float32(widths[0] / width if scaled else 1.0)
        net, rng = mlp([196, width, width, 10]), np.random.default_rng(seed)
        first, _ = net.init(rng)
        first["dense_4"]["w"] *= np.sqrt(share)
        lr = rates.astype(np.float32)

        def falling(factor, lr=lr):
            return lambda step: lr * factor * np.float32(1 - step / steps)

        rule = by_name(("b", "dense_0"), adam(falling(np.float32(1))), rest=adam(falling(share)))
        run = descend(net, stack_runs([first] * len(rates)), drawn(x, y, 64, rng), rule, steps=steps)
        end = np.nan_to_num(run.loss[-20:].mean(axis=0), nan=9.0, posinf=9.0)
        k = int(np.clip(end.argmin(), 1, len(rates) - 2))
        curve = np.polyfit(np.log(rates[k - 1 : k + 2]), end[k - 1 : k + 2], 2)
        ends[width], best[width] = end, float(np.exp(-curve[1] / (2 * curve[0])))
    return {"rates": rates, "ends": ends, "best": best, "scaled": scaled}
