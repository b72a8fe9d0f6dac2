"""Chapter 04: what shifting, scaling and turning the inputs does to training."""

from __future__ import annotations

import contextlib

import numpy as np

from .. import _checks, data
from ..errors import NotFiniteError
from ..losses import softmax_cross_entropy
from ..model import accuracy
from ..optimizers import sgd
from ..preprocessing import PCA, ChannelMean, Imputer, MeanImage, OneHot, Standardizer, Whitening
from ._bench import descend, mlp, quiet, shared, shrink, shuffled, small_clothes

HOW = ("raw", "centred", "scaled", "whitened")


def fit(how, x_train, eps=0.0):
    """The preprocessing called `how`, learnt from x_train (N, D): a function of (..., D)."""
    _checks.choice("how", how, HOW)
    if how == "raw":
        return lambda x: x
    if how == "centred":
        mean = Standardizer().fit(x_train).mean
        return lambda x: x - mean.astype(x.dtype)
    fitted = Standardizer().fit(x_train) if how == "scaled" else Whitening(eps=eps).fit(x_train)
    return fitted.transform


# Gradient descent on a quadratic, in closed form


class Bowl:
    """Least squares: loss = 1/2 mean (x w - y)^2, its curvature, and gradient descent from w = 0 without a loop.

    Along each eigenvector of the Hessian the distance from the minimum is multiplied by 1 - lr * eigenvalue a step.
    """

    def __init__(self, x, y):
        self.hessian = x.T @ x / len(x)
        self.curvature, self.directions = np.linalg.eigh(self.hessian)
        self.best = np.linalg.lstsq(x, y, rcond=None)[0]
        self.start = self.directions.T @ -self.best

    @property
    def condition(self):
        """Largest curvature over smallest."""
        return float(self.curvature[-1] / self.curvature[0])

    def path(self, lr, steps):
        """(K, D) the weights after each number of steps."""
        shrink = (1 - lr * self.curvature) ** np.asarray(steps)[:, None]
        return self.best + (shrink * self.start) @ self.directions.T

    def excess(self, lr, steps):
        """(K,) loss above its minimum after each number of steps, as a share of that at the start."""
        terms = self.curvature * self.start**2
        with np.errstate(over="ignore"):
            return ((1 - lr * self.curvature) ** (2 * np.asarray(steps)[:, None])) @ terms / terms.sum()

    def steps(self, lr, share=1e-4, most=10**12):
        """How many steps until the excess is at most this share of that at the start; None if it never is."""
        if lr >= 2 / self.curvature[-1]:
            return None
        low, high = 0, 1
        while self.excess(lr, [high])[0] > share:
            low, high = high, 2 * high
            if high > most:
                return None
        while high - low > 1:  # the excess falls with every step
            middle = (low + high) // 2
            low, high = (middle, high) if self.excess(lr, [middle])[0] > share else (low, middle)
        return high


def with_bias(x):
    """(N, D) -> (N, 1 + D): a column of ones, whose weight is the bias."""
    return np.hstack([np.ones((len(x), 1), x.dtype), x])


def singular_ratio(x):
    """Condition number of least squares on x (N, D) with a bias."""
    singular = np.linalg.svd(with_bias(x), compute_uv=False)
    return float((singular[0] / singular[-1]) ** 2)


def quadratic(seed=0, *, bias=False) -> dict:
    """Ten correlated features of different scales and mean 5; steps of gradient descent at rate 1 / largest curvature.

    The targets are linear in the features. Without a bias, features and targets are centred together.

    Returns
    -------
    {how: {"condition": ratio of curvatures, "steps": until the loss is a ten-thousandth of its first value}}
    """
    rng = np.random.default_rng(seed)
    turn = rng.standard_normal((10, 10))
    x = rng.standard_normal((2000, 10)) @ turn * np.geomspace(0.1, 10, 10) + 5
    y = x @ rng.standard_normal(10)
    table = {}
    for how in HOW:
        z, target = fit(how, x)(x), y if bias or how == "raw" else y - y.mean()
        bowl = Bowl(with_bias(z) if bias else z, target)
        table[how] = {"condition": bowl.condition, "steps": bowl.steps(1 / bowl.curvature[-1])}
    return table


PAIRS = ("penguins, mm", "penguins, m and mm", "tumours")
LABELS = {
    "penguins, mm": ("bill, mm", "flipper, mm"),
    "penguins, m and mm": ("bill, mm", "flipper, m"),
    "tumours": ("radius", "perimeter"),
}


@shared()
def _pair(pair):
    """Two measured features (N, 2) and a target (N,), float64."""
    if pair == "tumours":
        table = data.tables("breast")
        return table.x[:, [0, 2]].astype(np.float64), table.y.astype(np.float64)
    table = data.tables("penguins")
    x, y = table.x[:, [0, 2]].astype(np.float64), table.x[:, 3].astype(np.float64) / 1000
    return (x if pair == "penguins, mm" else x / [1, 1000]), y


def bowl(pair="penguins, mm", how="raw", rate=0.5) -> dict:
    """Least squares with a bias on two features: the data, the loss surface, and gradient descent on it.

    `rate` is a share of the largest rate that does not diverge, 2 / largest curvature.

    Returns
    -------
    x : (N, 2) the features after preprocessing
    slice : (2, 2) curvature of the loss in the two weights; best : (2,) the weights of least loss
    path : (K, 2) weights from the start at zero, the bias moving too; k : (K,) their steps
    excess : (K,) loss above the lowest, as a share of the start's
    condition, steps : of all three parameters; steps is None where gradient descent diverges
    """
    _checks.choice("pair", pair, PAIRS)
    x, y = _pair(pair)
    z = fit(how, x)(x)
    bowl = Bowl(with_bias(z), y)
    lr = rate * 2 / bowl.curvature[-1]
    k = np.unique(np.concatenate([np.arange(60), np.geomspace(60, 1e9, 120).astype(int)]))
    path = bowl.path(lr, k if rate < 1 else k[:60])[:, 1:]
    return {
        "pair": pair,
        "how": how,
        "rate": rate,
        "x": z,
        "slice": bowl.hessian[1:, 1:],
        "best": bowl.best[1:],
        "path": path,
        "k": k[: len(path)],
        "excess": bowl.excess(lr, k[: len(path)]),
        "condition": bowl.condition,
        "steps": bowl.steps(lr),
    }


# Training


def _split(x, y, test, rng):
    order = rng.permutation(len(x))
    return x[order[test:]], y[order[test:]], x[order[:test]], y[order[:test]]


def wine(how="raw", rates=None, steps=200, seed=0) -> dict:
    """A net 13-16-3 (ReLU, He's start) learns three cultivars of wine from 118 rows, all at once, at several rates.

    Returns
    -------
    rates : (R,); loss : (R,) training loss at the end, inf if it diverged; test_accuracy : (R,)
    """
    rates = np.geomspace(1e-6, 1, 13) if rates is None else np.asarray(rates, float)
    table, rng = data.tables("wine"), np.random.default_rng(seed)
    x, y, x_test, y_test = _split(table.x.astype(np.float64), table.y, 60, rng)
    transform = fit(how, x)
    x, x_test = transform(x), transform(x_test)
    net = mlp([13, 16, 3])
    first, _ = net.init(rng)
    loss, right = np.full(len(rates), np.inf), np.full(len(rates), np.nan)
    for r, rate in enumerate(rates):
        params = descend(net, first, lambda: (x, y), sgd(rate), steps=steps).params
        with quiet(), contextlib.suppress(NotFiniteError):
            loss[r], _ = softmax_cross_entropy(net.forward(params, {}, x, training=False)[0], y)
            right[r] = accuracy(net.forward(params, {}, x_test, training=False)[0], y_test)
    return {"how": how, "rates": rates, "loss": loss, "test_accuracy": right}


# Principal components


def wine_plane(scaled=True) -> dict:
    """The wines in the plane of their two first principal components.

    Returns
    -------
    x : (N, 2); y : (N,) cultivar; share : (13,) of the variance; first : (13,) the first direction
    features : names of the columns
    """
    table = data.tables("wine")
    x = table.x.astype(np.float64)
    if scaled:
        x = Standardizer().fit(x).transform(x)
    pca = PCA().fit(x)
    return {
        "x": pca.transform(x)[:, :2],
        "y": table.y,
        "share": pca.share,
        "first": pca.components[:, 0],
        "features": table.features,
        "scaled": scaled,
    }


def _smaller(images):
    """(N, 28, 28) -> (N, 196): means of 2 x 2 pixels."""
    return shrink(images).reshape(-1, 196)


@shared()
def _clothes():
    clothes = data.fashion_mnist()
    x, x_test = _smaller(clothes.x_train).astype(np.float64), _smaller(clothes.x_test).astype(np.float64)
    pca = PCA().fit(x)
    # The directions are uncorrelated on the training data: least squares has one weight a direction, whatever k is.
    target = np.eye(10)[clothes.y_train]
    weights = pca.transform(x).T @ (target - target.mean(axis=0)) / (len(x) * pca.variances[:, None])
    scores = np.cumsum(pca.transform(x_test)[:, :, None] * weights, axis=1) + target.mean(axis=0)
    accuracy = (scores.argmax(axis=2) == clothes.y_test[:, None]).mean(axis=0)
    return x_test[:8], pca, accuracy


def reconstruct(k=5) -> dict:
    """Clothes of 14 x 14 pixels from their first k principal components.

    Returns
    -------
    images, rebuilt : (8, 14, 14) test images and what k directions keep of them
    directions : (6, 14, 14) the first; share : (196,) of the variance, running sum
    test_accuracy : (196,) of a linear classifier (least squares) on the first 1, 2, ... directions
    """
    images, pca, accuracy = _clothes()
    _checks.whole("k", k)
    kept = np.where(np.arange(196) < k, pca.transform(images), 0)
    return {
        "k": k,
        "images": images.reshape(-1, 14, 14),
        "rebuilt": pca.inverse(kept).reshape(-1, 14, 14),
        "directions": pca.components[:, :6].T.reshape(-1, 14, 14),
        "share": np.cumsum(pca.share),
        "test_accuracy": accuracy,
    }


# Whitening pictures

SIZE = 8  # patches of SIZE x SIZE pixels


def _patches(image, stride):
    """(H, W) -> (N, SIZE * SIZE)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIZE, SIZE))[::stride, ::stride]
    return windows.reshape(-1, SIZE * SIZE)


@shared()
def _photo(noise, seed):
    """The crop, the noise on it, and the directions of the whole noisy photograph's patches."""
    camera = data.photos()["camera"].astype(np.float64)
    grain = noise * np.random.default_rng(seed).standard_normal(camera.shape)
    window = np.s_[40:120, 88:168]
    return camera[window], grain[window], PCA().fit(_patches(camera + grain, 3))


def whiten_photo(eps=1e-8, noise=0.02, method="zca", seed=0) -> dict:
    """Whiten the 8 x 8 patches of a photograph with noise of this standard deviation, and see what the noise becomes.

    Returns
    -------
    before, after : (80, 80) a part of the photograph, and its patches after whitening, laid side by side
    variances : (64,) of the patches along their directions; gain : (64,) what each is multiplied with
    noise_before, noise_after : the noise's share of the variance
    """
    crop, grain, pca = _photo(noise, seed)
    whitening = Whitening(method=method, eps=eps, pca=pca)
    both, alone = (_patches(image, SIZE) for image in (crop + grain, crop))
    after = whitening.transform(both)
    rest = after - whitening.transform(alone)  # whitening is linear: what the noise alone becomes
    across = len(crop) // SIZE
    tiles = after.reshape(across, across, SIZE, SIZE).swapaxes(1, 2).reshape(crop.shape)
    return {
        "eps": eps,
        "noise": noise,
        "method": method,
        "before": crop + grain,
        "after": tiles,
        "variances": pca.variances,
        "gain": 1 / np.sqrt(pca.variances + eps),
        "noise_before": float(np.sum((both - alone) ** 2) / np.sum((both - pca.mean) ** 2)),
        "noise_after": float(np.sum(rest**2) / np.sum(after**2)),
    }


def whitening_generalizes(count=500, eps=(1e-6, 1e-2, 1e-1), seed=0, steps=300, rate=2.0) -> dict:
    """A linear classifier on `count` MNIST images of 14 x 14 pixels, centred or whitened with each eps.

    `steps` of gradient descent, each at `rate` / largest eigenvalue of the inputs' covariance.

    Returns
    -------
    {"centred" or eps: {"loss": training loss, "train_accuracy", "test_accuracy", "halves": the accuracy on each
    thousand
        of the test digits}}
    """
    mnist, rng = data.mnist(), np.random.default_rng(seed)
    rows = rng.choice(len(mnist.x_train), count, replace=False)
    x, y = _smaller(mnist.x_train[rows]), mnist.y_train[rows]
    x_test, y_test = _smaller(mnist.x_test), mnist.y_test
    table = {}
    for name in ("centred", *eps):
        transform = fit("centred", x) if name == "centred" else fit("whitened", x, eps=name)
        z, z_test = transform(x), transform(x_test)
        lr = rate / np.linalg.norm(z.T @ z / len(z), 2)
        w, b = np.zeros((196, 10), z.dtype), np.zeros(10, z.dtype)
        for _ in range(steps):
            loss, dscores = softmax_cross_entropy(z @ w + b, y)
            w, b = w - lr * z.T @ dscores, b - lr * dscores.sum(axis=0)
        table[name] = {
            "loss": float(loss),
            "train_accuracy": float(((z @ w + b).argmax(axis=1) == y).mean()),
            "test_accuracy": float(((z_test @ w + b).argmax(axis=1) == y_test).mean()),
            "halves": ((z_test @ w + b).argmax(axis=1) == y_test).reshape(2, -1).mean(axis=1).tolist(),
        }
    return table


# Images: which mean


def mean_images(count=2000, seed=0) -> dict:
    """The mean image of digits, of clothes, and of patches from photographs, and how far it is from one number.

    Returns
    -------
    {name: {"mean": the mean image, "flatness": standard deviation over the mean image's pixels, within channels, as a
        share of the standard deviation of all pixels}}
    """
    rng = np.random.default_rng(seed)
    sets = {
        "digits": data.mnist().x_train[:count, None],
        "clothes": data.fashion_mnist().x_train[:count, None],
        "photographs": colour_patches(count, rng),
    }
    return {
        name: {
            "mean": (mean := MeanImage().fit(x).mean),
            "flatness": float((mean - mean.mean(axis=(1, 2), keepdims=True)).std() / x.std()),
        }
        for name, x in sets.items()
    }


def colour_patches(count, rng, size=28):
    """(count, 3, size, size): patches cut at random from the colour photographs."""
    photos = [photo for photo in data.photos().values() if photo.ndim == 3]
    patches = np.empty((count, 3, size, size), np.float32)
    for patch in patches:
        photo = photos[rng.integers(len(photos))]
        top, left = (rng.integers(0, n - size + 1) for n in photo.shape[:2])
        patch[:] = photo[top : top + size, left : left + size].transpose(2, 0, 1)
    return patches


def mean_or_channel(seeds=3) -> dict:
    """Test accuracy of a net 784-64-10 on 3,000 clothes after 5 epochs, by which mean was taken off.

    Returns
    -------
    {"nothing", "mean image", "channel mean": (seeds,) test accuracy}
    """
    clothes = data.fashion_mnist()
    x, x_test = clothes.x_train[:, None], clothes.x_test[:, None]
    mean, channel = MeanImage().fit(x), ChannelMean().fit(x)
    ways = {"nothing": lambda x: x, "mean image": mean.transform, "channel mean": channel.transform}
    table = {}
    for name, transform in ways.items():
        z, z_test = (transform(images).reshape(len(images), -1) for images in (x, x_test))
        table[name] = np.array([_accuracy(z, clothes.y_train, z_test, clothes.y_test, seed) for seed in range(seeds)])
    return table


def _accuracy(x, y, x_test, y_test, seed, epochs=5, lr=0.1, batch=50):
    rng = np.random.default_rng(seed)
    net = mlp([x.shape[1], 64, 10])
    params, _ = net.init(rng)
    run = descend(net, params, shuffled(x, y, batch, rng), sgd(lr), steps=epochs * (len(x) // batch))
    return float(accuracy(net.forward(run.params, {}, x_test, training=False)[0], y_test))


# The leak


def nearest_mean(x, y, x_test):
    """The class, 0 or 1, whose training mean is nearest, for each test row."""
    means = np.stack([x[y == c].mean(axis=0) for c in (0, 1)])
    return ((x_test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)


def strongest(x, y, k):
    """The k features whose correlation with the labels is largest in size."""
    z, t = Standardizer().fit(x).transform(x), y - y.mean()
    return np.argsort(-np.abs(t @ z))[:k]


LEAKS = ("scaling", "whitening", "choosing features")


def leak(kind="scaling", seeds=200, rows=40) -> dict:
    """Accuracy on held-out rows, with the preprocessing learnt from the training rows and from all rows.

    "scaling" and "whitening" use tumours: `rows` for training and 20 held out. "choosing features" uses pure noise,
    1,000 features, labels from a coin, and keeps the 10 that go best with the labels.

    Returns
    -------
    train_only, all_rows : (seeds,) accuracy
    """
    _checks.choice("kind", kind, LEAKS)
    table = data.tables("breast")
    result = {"kind": kind, "train_only": np.empty(seeds), "all_rows": np.empty(seeds)}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        if kind == "choosing features":
            x, y = rng.standard_normal((rows + 20, 1000)), rng.permutation(np.arange(rows + 20) % 2)
        else:
            chosen = rng.choice(len(table.x), rows + 20, replace=False)
            x, y = table.x[chosen].astype(np.float64), table.y[chosen]
        for name, seen in (("train_only", slice(rows)), ("all_rows", slice(None))):
            if kind == "choosing features":
                z = x[:, strongest(x[seen], y[seen], 10)]
            else:
                z = fit({"scaling": "scaled", "whitening": "whitened"}[kind], x[seen], eps=1e-9)(x)
            result[name][seed] = (nearest_mean(z[:rows], y[:rows], z[rows:]) == y[rows:]).mean()
    return result


# An axis that turns, channels, categories, gaps


def turning(angle=0.0) -> dict:
    """Penguins' bill and flipper lengths, standardized, seen along an axis that makes `angle` degrees with the first.

    Returns
    -------
    x : (N, 2); along : (N,) each point's component along the axis; variance : of these
    angles, variances : (A,) the variance along every axis; best : degrees of the largest one
    """
    x = Standardizer().fit(_bills()).transform(_bills())
    covariance = x.T @ x / len(x)
    angles = np.arange(0.0, 180.5, 1.0)
    v = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))])
    variances = (v * (covariance @ v)).sum(axis=0)
    axis = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    along = x @ axis
    return {
        "angle": float(angle), "x": x, "axis": axis, "along": along, "variance": float(along.var()), "angles": angles,
        "variances": variances, "best": float(angles[variances.argmax()]),
    }  # fmt: skip


def _bills():
    return data.tables("penguins").x[:, [0, 2]].astype(np.float64)


def divided(rates=(0.03, 0.1, 0.3), steps=50, images=1000) -> dict:
    """A linear classifier of clothes from images that are centred, and from the same divided by their deviation.

    Gradient descent without a bias on the first images from zero weights. The divided images are learnt at each rate,
    the centred ones at that rate over the variance.

    Returns
    -------
    std : the deviation; rates : (R,)
    centred, divided : (R,) test accuracies
    apart : the largest difference of any two scores
    """
    x, y, x_test, y_test = small_clothes(images)
    std = x.std()
    result = {"std": float(std), "rates": np.array(rates), "centred": [], "divided": [], "apart": 0.0}
    for rate in rates:
        scores = []
        for name, unit in (("centred", 1.0), ("divided", std)):
            z, w = x / unit, np.zeros((x.shape[1], 10))
            for _ in range(steps):
                _, dscores = softmax_cross_entropy(z @ w, y)
                w = w - rate * (unit / std) ** 2 * (z.T @ dscores)
            scores.append(x_test / unit @ w)
            result[name].append(float(accuracy(scores[-1], y_test)))
        result["apart"] = max(result["apart"], float(np.abs(scores[0] - scores[1]).max()))
    return result | {name: np.array(result[name]) for name in ("centred", "divided")}


def categories() -> dict:
    """Penguins' mass from their species, by least squares: species numbered 0, 1, 2 in two orders, and one-hot.

    Returns {"Adelie 0, Chinstrap 1, Gentoo 2", "Adelie 0, Gentoo 1, Chinstrap 2", "one-hot": {"error": root mean square
    in g, "said": (3,) what is said of Adelie, Chinstrap, Gentoo}}, and "means": (3,), the true means.
    """
    table = data.tables("penguins")
    species, mass = table.y, table.x[:, 3].astype(np.float64)
    one_hot = OneHot().fit(species)
    inputs = {
        "Adelie 0, Chinstrap 1, Gentoo 2": species[:, None].astype(float),
        "Adelie 0, Gentoo 1, Chinstrap 2": np.array([0.0, 2.0, 1.0])[species][:, None],
        "one-hot": one_hot.transform(species),
    }
    result = {"means": np.array([mass[species == c].mean() for c in range(3)])}
    for name, x in inputs.items():
        said = with_bias(x) @ np.linalg.lstsq(with_bias(x), mass, rcond=None)[0]
        result[name] = {
            "error": float(np.sqrt(((said - mass) ** 2).mean())),
            "said": np.array([said[species == c][0] for c in range(3)]),
        }
    return result


def gaps(share=0.2, seeds=20) -> dict:
    """Penguins' mass from three lengths of which a share is missing at random, by least squares, four ways.

    Returns {"complete", "rows dropped", "filled with 0", "filled with the median": (seeds,)}: root mean square error on
    100 test rows in g. Rows cannot be dropped from a test, so the second way fills those with the median.
    """
    table = data.tables("penguins")
    whole, mass = table.x[:, :3].astype(np.float64), table.x[:, 3].astype(np.float64)
    result = {name: [] for name in ("complete", "rows dropped", "filled with 0", "filled with the median")}
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(whole))
        train, test = order[100:], order[:100]
        x = np.where(rng.random(whole.shape) < share, np.nan, whole)
        filled = Imputer().fit(x[train])
        kept = train[~np.isnan(x[train]).any(axis=1)]
        median = np.where(np.isnan(x), filled.median, x)
        ways = {
            "complete": (whole[train], whole[test], mass[train]),
            "rows dropped": (whole[kept], median[test], mass[kept]),
            "filled with 0": (np.nan_to_num(x[train]), np.nan_to_num(x[test]), mass[train]),
            "filled with the median": (filled.transform(x[train]), filled.transform(x[test]), mass[train]),
        }
        for name, (inputs, new, target) in ways.items():
            w = np.linalg.lstsq(with_bias(inputs), target, rcond=None)[0]
            result[name].append(np.sqrt(((with_bias(new) @ w - mass[test]) ** 2).mean()))
    return {name: np.array(values) for name, values in result.items()}
