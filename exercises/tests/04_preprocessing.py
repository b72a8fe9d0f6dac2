"""Cases of exercise sheet 04, preprocessing."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_shape, expect_true, inspect_value

TITLE = "Preprocessing"


def rows(rng, n=None, d=None):
    """(N, D) with correlated columns of different means and scales, N not D."""
    n, d = n or int(rng.integers(12, 18)), d or int(rng.integers(4, 7))
    turn = rng.standard_normal((d, d)) + 2 * np.eye(d)
    return rng.standard_normal((n, d)) @ turn * np.geomspace(0.3, 4, d) + rng.uniform(2, 6, d)


def parts(result, count, what, names):
    """The parts of a returned tuple, or a message that says what is missing."""
    expect_true(
        type(result) in (tuple, list) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not {names}",
        mistake="a return is missing" if result is None else None,
    )
    return result


Q1 = question(
    "04.1",
    title="Standardize",
    minutes=8,
    hints=[
        "Features are columns: mean and standard deviation go over the rows, `axis=0`.",
        "`np.where(std == 0, 1.0, std)` puts 1 where a column is constant.",
        "`standardize` computes nothing from its x but the result: mean and std come as arguments.",
    ],
)


@case("fit_standardizer: mean and standard deviation", points=2)
def standardizer_fit(fit_standardizer, *, rng):
    x = rows(rng)
    mean, std = parts(fit_standardizer(x), 2, "fit_standardizer(x)", "a pair (mean, std)")
    expect_equal(
        mean,
        x.mean(axis=0),
        what="the mean of fit_standardizer(x)",
        mistakes={
            "the mean goes over the columns: axis=0 is over the rows": x.mean(axis=1),
            "one mean was taken over all features": x.mean(),
        },
    )
    expect_equal(
        std,
        x.std(axis=0),
        what="the standard deviation of fit_standardizer(x)",
        mistakes={
            "it was divided by N - 1: the sheet divides by N": x.std(axis=0, ddof=1),
            "the variance was returned: the square root is missing": x.var(axis=0),
            "one deviation was taken over all features": x.std(),
            "the deviation goes over the columns: axis=0 is over the rows": x.std(axis=1),
            "the mean was not taken off before squaring": np.sqrt((x**2).mean(axis=0)),
        },
    )


@case("fit_standardizer: a constant feature")
def standardizer_constant(fit_standardizer, *, rng):
    x = rows(rng)
    x[:, 1] = float(rng.integers(2, 9))
    _, std = parts(fit_standardizer(x), 2, "fit_standardizer(x)", "a pair (mean, std)")
    want = x.std(axis=0)
    want[1] = 1.0
    expect_equal(
        std,
        want,
        what="the standard deviation of fit_standardizer(x) with a constant feature",
        mistakes={"the constant feature kept the standard deviation 0": x.std(axis=0)},
    )


@case("standardize: with what was fitted", points=2)
def standardizer_use(standardize, *, rng):
    x = rows(rng)
    mean, std = rng.uniform(1, 3, x.shape[1]), rng.uniform(0.5, 2, x.shape[1])
    expect_equal(
        standardize(x, mean, std),
        (x - mean) / std,
        what="standardize(x, mean, std)",
        mistakes={
            "x's own mean and deviation were used, not those that were passed in": (x - x.mean(axis=0)) / x.std(axis=0),
            "the mean was not taken off": x / std,
            "only the mean was taken off: the division is missing": x - mean,
            "x was divided before the mean was taken off: brackets are missing": x - mean / std,
            "the deviation was multiplied with, not divided by": (x - mean) * std,
        },
    )


Q2 = question(
    "04.2",
    title="Principal components",
    minutes=10,
    hints=[
        "Take the mean off x first. The covariance of the result c is `c.T @ c / len(c)`, (D, D).",
        "`np.linalg.eigh` sorts rising. `[::-1]` turns the variances round, `[:, ::-1]` the columns.",
        "The first k directions are the first k columns, `directions[:, :k]`.",
    ],
)


def covariance(x, ddof=0):
    centred = x - x.mean(axis=0)
    return centred.T @ centred / (len(x) - ddof)


def eigen(matrix):
    """Variances and directions, largest first."""
    variances, directions = np.linalg.eigh(matrix)
    return variances[::-1].copy(), directions[:, ::-1].copy()


@case("pca: variances, largest first", points=2)
def pca_variances(pca, *, rng):
    x = rows(rng)
    d = x.shape[1]
    _, _, got = parts(pca(x, d), 3, "pca(x, k)", "three arrays (mean, directions, variances)")
    want, _ = eigen(covariance(x))
    expect_equal(
        got,
        want,
        what="the variances of pca(x, k)",
        mistakes={
            "they rise: eigh gives the smallest first, so turn them round": want[::-1],
            "the covariance was divided by N - 1: the sheet divides by N": eigen(covariance(x, 1))[0],
            "the mean was not taken off": eigen(x.T @ x / len(x))[0],
            "the covariance was not divided by N": want * len(x),
            "the standard deviations were returned, not the variances": np.sqrt(want),
        },
    )


@case("pca: the first k directions", points=2)
def pca_directions(pca, *, rng):
    x = rows(rng)
    d, k = x.shape[1], 2
    mean, got, variances = parts(pca(x, k), 3, "pca(x, 2)", "three arrays (mean, directions, variances)")
    expect_equal(mean, x.mean(axis=0), what="the mean of pca(x, 2)")
    expect_shape(
        got,
        (d, k),
        what="the directions of pca(x, 2)",
        mistakes={
            "the directions are rows: they are the columns of the result": (k, d),
            "all directions were returned, not the first k": (d, d),
        },
    )
    expect_shape(
        variances,
        (k,),
        what="the variances of pca(x, 2)",
        mistakes={"all variances were returned, not the first k": (d,)},
    )
    # The sign of a direction is arbitrary: its product with itself is not.
    want, smallest = eigen(covariance(x))[1], np.linalg.eigh(covariance(x))[1]

    def products(v):
        return np.stack([np.outer(column, column) for column in v.T[:k]])

    expect_equal(
        products(got),
        products(want),
        what="the outer product of each direction with itself",
        mistakes={
            "the directions of smallest variance were kept: eigh gives them first": products(smallest),
            "rows of eigh's result were taken: the eigenvectors are its columns": products(want.T),
            "the mean was not taken off": products(eigen(x.T @ x / len(x))[1]),
        },
    )


Q3 = question(
    "04.3",
    title="Whitening",
    minutes=10,
    hints=[
        "`(x - mean) @ directions` is (N, D), one column a direction. Divide column j by the root of its variance.",
        "eps stands inside the square root: `np.sqrt(variances + eps)`, of shape (D,), divides column by column.",
        "ZCA is one more product at the end, with `directions.T`.",
    ],
)


def white_parts(rng):
    """New rows, the mean, directions and variances of others, and an eps that matters."""
    d = int(rng.integers(4, 7))
    fitted = rows(rng, 40, d)
    variances, v = eigen(covariance(fitted))
    return rows(rng, 9, d), fitted.mean(axis=0), v, variances, round(float(rng.uniform(0.2, 0.6)), 2)


def white_mistakes(x, mean, v, variances, eps, back):
    scale = np.sqrt(variances + eps)
    own = x - x.mean(axis=0)
    return {
        "eps was left out": (x - mean) @ v / np.sqrt(variances) @ back,
        "eps was added to the root, not to the variance": (x - mean) @ v / (np.sqrt(variances) + eps) @ back,
        "the square root is missing": (x - mean) @ v / (variances + eps) @ back,
        "the mean was not taken off": x @ v / scale @ back,
        "x's own mean was used, not the one that was passed in": own @ v / scale @ back,
        "the directions are transposed: x - mean is multiplied with V": (x - mean) @ v.T / scale @ back,
        "it was multiplied with the deviations, not divided": (x - mean) @ v * scale @ back,
    }


@case("whiten_pca: rows that were not fitted on", points=2)
def whiten_pca_values(whiten_pca, *, rng):
    x, mean, v, variances, eps = white_parts(rng)
    expect_equal(
        whiten_pca(x, mean, v, variances, eps),
        (x - mean) @ v / np.sqrt(variances + eps),
        what=f"whiten_pca(x, mean, directions, variances, {eps})",
        mistakes={
            **white_mistakes(x, mean, v, variances, eps, np.eye(len(v))),
            "it was turned back at the end: that is ZCA": (x - mean) @ v / np.sqrt(variances + eps) @ v.T,
            "the data was turned, but not divided by the deviations: that is PCA": (x - mean) @ v,
        },
    )


@case("whiten_zca: rows that were not fitted on", points=2)
def whiten_zca_values(whiten_zca, *, rng):
    x, mean, v, variances, eps = white_parts(rng)
    z = (x - mean) @ v / np.sqrt(variances + eps)
    expect_equal(
        whiten_zca(x, mean, v, variances, eps),
        z @ v.T,
        what=f"whiten_zca(x, mean, directions, variances, {eps})",
        mistakes={
            **white_mistakes(x, mean, v, variances, eps, v.T),
            "it was not turned back: that is PCA whitening": z,
            "it was turned once more, not back: the last factor is V transposed": z @ v,
        },
    )


@case("whitened rows have the identity as covariance")
def whiten_identity(whiten_pca, whiten_zca, *, rng):
    x = rows(rng, 60, 4)
    variances, v = eigen(covariance(x))
    for name, function in (("whiten_pca", whiten_pca), ("whiten_zca", whiten_zca)):
        z = function(x, x.mean(axis=0), v, variances, 0.0)
        expect_shape(z, x.shape, what=f"{name}(x, mean, directions, variances, 0.0)")
        expect_equal(z.T @ z / len(x), np.eye(4), atol=1e-6, what=f"the covariance after {name} with eps 0")


Q4 = question(
    "04.4",
    title="Find the leak",
    minutes=12,
    hints=[
        "Three things are learnt from data: a mean, a deviation, and which features go with the labels.",
        "`x[train]` and `y[train]` are the training rows. The result still has all rows.",
        "Fit on `x[train]`, transform `x`, and measure the agreement on `z[train]` and `y[train]` only.",
    ],
)


def labelled(rng):
    """Rows, labels and a mask in which the training rows are scattered and the others differ from them."""
    n, d = int(rng.integers(30, 36)), int(rng.integers(25, 30))
    x, y = rng.standard_normal((n, d)) * rng.uniform(0.5, 3, d) + rng.uniform(-2, 2, d), np.arange(n) % 2
    y = rng.permutation(y)
    train = np.zeros(n, bool)
    train[rng.permutation(n)[: 2 * n // 3]] = True
    x[~train] *= 1.7
    x[~train] += 1.5 * (2 * y[~train] - 1)[:, None] * rng.standard_normal(d)  # would sway whoever looks
    return x, y, train


def reference(x, y, train, k, mean=None, std=None, choose=None):
    """`prepare`, with any of its three parts learnt from other rows."""
    mean, std, choose = (train if rows is None else rows for rows in (mean, std, choose))
    z = (x - x[mean].mean(axis=0)) / x[std].std(axis=0)
    agreement = np.abs(z[choose].T @ (y[choose] - y[choose].mean()))
    return z[:, np.argsort(-agreement)[:k]]


def prepare_mistakes(x, y, train, k):
    every = np.ones(len(x), bool)
    leaks = {
        "nothing was changed: mean, deviation and choice still come from all rows": reference(
            x, y, every, k, every, every, every
        ),
        "the choice of the features still uses rows that are not for training": reference(x, y, train, k, choose=every),
        "mean and deviation still come from all rows": reference(x, y, train, k, mean=every, std=every),
        "the mean still comes from all rows": reference(x, y, train, k, mean=every),
        "the deviation still comes from all rows": reference(x, y, train, k, std=every),
    }
    own = reference(x, y, train, k)
    chosen = x[~train][:, columns(x, y, train, k)]
    own[~train] = (chosen - chosen.mean(axis=0)) / chosen.std(axis=0)
    leaks["the held-out rows were standardized with their own mean and deviation"] = own
    return leaks


def columns(x, y, train, k):
    """Which features `reference` keeps."""
    z = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    return np.argsort(-np.abs(z[train].T @ (y[train] - y[train].mean())))[:k]


@case("prepare: everything is learnt from the training rows", points=3)
def prepare_values(prepare, *, rng):
    x, y, train = labelled(rng)
    k = int(rng.integers(4, 7))
    got, want = prepare(x, y, train, k), reference(x, y, train, k)
    what = f"prepare(x, y, train, {k})"
    expect_shape(
        got,
        want.shape,
        what=what,
        mistakes={
            "only the training rows were returned: all rows are wanted": (int(train.sum()), k),
            "all features were returned, not the k best": x.shape,
        },
    )
    expect_equal(got, want, what=what, mistakes=prepare_mistakes(x, y, train, k))


@case("prepare: held-out rows and labels change nothing for the training rows", points=2)
def prepare_blind(prepare, *, rng):
    x, y, train = labelled(rng)
    before = prepare(x, y, train, 5)
    expect_shape(before, (len(x), 5), what="prepare(x, y, train, 5)")
    other_x, other_y = x.copy(), y.copy()
    other_x[~train] = 100 * rng.standard_normal(other_x[~train].shape)
    other_y[~train] = 1 - other_y[~train]
    after = prepare(other_x, other_y, train, 5)
    expect_shape(after, (len(x), 5), what="prepare(x, y, train, 5)")
    changed = float(np.abs(after[train] - before[train]).max())
    expect_true(
        changed < 1e-9,
        f"other held-out rows and labels change the prepared training rows by up to {changed:.3g}",
        mistake="something is still learnt from rows that are not for training",
    )


FIT = """
def fit_standardizer(x):
    std = x.std(axis=0)
    return x.mean(axis=0), np.where(std == 0, 1.0, std)
"""
USE = """
def standardize(x, mean, std):
    return (x - mean) / std
"""


def _pca(matrix="(x - mean).T @ (x - mean) / len(x)", out="v[:, ::-1][:, :k], s[::-1][:k]"):
    return f"""
def pca(x, k):
    mean = x.mean(axis=0)
    s, v = np.linalg.eigh({matrix})
    return mean, {out}
"""


def _white(name, expression):
    return f"""
def whiten_{name}(x, mean, directions, variances, eps):
    return {expression}
"""


def _prepare(mean="x[train]", std="x[train]", choose="train", tail="return z[:, best]"):
    return f"""
def prepare(x, y, train, k):
    every = np.ones(len(x), bool)
    z = (x - {mean}.mean(axis=0)) / {std}.std(axis=0)
    agreement = np.abs(z[{choose}].T @ (y[{choose}] - y[{choose}].mean()))
    best = np.argsort(-agreement)[:k]
    {tail}
"""


PCA_WHITE, ZCA_WHITE = (
    "(x - mean) @ directions / np.sqrt(variances + eps)",
    "(x - mean) @ directions / np.sqrt(variances + eps) @ directions.T",
)

WRONG = [
    Wrong("04.1", FIT.replace("x.std(axis=0)", "x.std(axis=0, ddof=1)"), "the sheet divides by N"),
    Wrong("04.1", FIT.replace("x.std(axis=0)", "x.var(axis=0)"), "the square root is missing"),
    Wrong("04.1", FIT.replace("axis=0", "axis=1"), "axis=0 is over the rows"),
    Wrong("04.1", FIT.replace("x.std(axis=0)", "np.sqrt((x**2).mean(axis=0))"), "not taken off before squaring"),
    Wrong("04.1", FIT.replace("np.where(std == 0, 1.0, std)", "std"), "kept the standard deviation 0"),
    Wrong("04.1", FIT.replace("return ", "result = "), "a return is missing"),
    Wrong("04.1", USE.replace("(x - mean) / std", "(x - x.mean(axis=0)) / x.std(axis=0)"), "those that were passed in"),
    Wrong("04.1", USE.replace("(x - mean) / std", "x - mean / std"), "brackets are missing"),
    Wrong("04.1", USE.replace("(x - mean) / std", "x - mean"), "the division is missing"),
    Wrong("04.2", _pca(out="v[:, :k], s[:k]"), "eigh gives the smallest first"),
    Wrong("04.2", _pca(out="v[:, :k], s[::-1][:k]"), "the directions of smallest variance were kept"),
    Wrong("04.2", _pca("x.T @ x / len(x)"), "the mean was not taken off"),
    Wrong("04.2", _pca("np.cov(x.T)"), "divided by N - 1"),
    Wrong("04.2", _pca("(x - mean).T @ (x - mean)"), "was not divided by N"),
    Wrong("04.2", _pca(out="v[:, ::-1][:, :k].T, s[::-1][:k]"), "the directions are rows"),
    Wrong("04.2", _pca(out="v[:, ::-1], s[::-1][:k]"), "all directions were returned"),
    Wrong("04.2", _pca(out="v[:, ::-1].T[:, :k], s[::-1][:k]"), "the eigenvectors are its columns"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / np.sqrt(variances)"), "eps was left out"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / (np.sqrt(variances) + eps)"), "added to the root"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / (variances + eps)"), "the square root is missing"),
    Wrong("04.3", _white("pca", "x @ directions / np.sqrt(variances + eps)"), "the mean was not taken off"),
    Wrong("04.3", _white("pca", PCA_WHITE.replace("mean", "x.mean(axis=0)")), "x's own mean was used"),
    Wrong("04.3", _white("pca", ZCA_WHITE), "that is ZCA"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions"), "that is PCA"),
    Wrong("04.3", _white("zca", PCA_WHITE), "it was not turned back"),
    Wrong("04.3", _white("zca", PCA_WHITE + " @ directions"), "turned once more, not back"),
    Wrong("04.4", _prepare("x", "x", "every"), "nothing was changed"),
    Wrong("04.4", _prepare(choose="every"), "the choice of the features still uses rows"),
    Wrong("04.4", _prepare("x", "x"), "mean and deviation still come from all rows"),
    Wrong("04.4", _prepare("x"), "the mean still comes from all rows"),
    Wrong("04.4", _prepare(std="x"), "the deviation still comes from all rows"),
    Wrong("04.4", _prepare(tail="return z[train][:, best]"), "only the training rows were returned"),
    Wrong(
        "04.4",
        _prepare(
            tail="z[~train] = (x[~train] - x[~train].mean(axis=0)) / x[~train].std(axis=0)\n    return z[:, best]"
        ),
        "with their own mean and deviation",
    ),
]

RIGHT = [
    Right("04.1", FIT + USE),
    Right(
        "04.1",
        """
def fit_standardizer(x):
    mean = x.sum(axis=0) / len(x)
    std = ((x - mean) ** 2).mean(axis=0) ** 0.5
    std[std < 1e-12] = 1
    return [mean, std]

def standardize(x, mean, std):
    out = x.copy()
    out -= mean
    out /= std
    return out
""",
    ),
    Right(
        "04.2",
        """
def pca(x, k):
    mean = x.mean(axis=0)
    _, s, rows = np.linalg.svd(x - mean, full_matrices=False)
    return mean, -rows[:k].T, s[:k] ** 2 / len(x)
""",
    ),
    Right("04.3", _white("pca", PCA_WHITE) + _white("zca", ZCA_WHITE)),
    Right(
        "04.3",
        """
def whiten_pca(x, mean, directions, variances, eps):
    return (x - mean) @ (directions @ np.diag((variances + eps) ** -0.5))

def whiten_zca(x, mean, directions, variances, eps):
    return (x - mean) @ directions @ np.diag((variances + eps) ** -0.5) @ directions.T
""",
    ),
    Right("04.4", _prepare()),
    Right(
        "04.4",
        """
def prepare(x, y, train, k):
    seen, labels = x[train], y[train] - y[train].mean()
    mean, std = seen.mean(axis=0), seen.std(axis=0)
    correlation = ((seen - mean) * labels[:, None]).sum(axis=0) / std
    best = np.argsort(np.abs(correlation))[::-1][:k]
    return (x[:, best] - mean[best]) / std[best]
""",
    ),
]
