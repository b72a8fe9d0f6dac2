"""Cases of exercise sheet 04, preprocessing."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_parts, expect_shape, expect_true

TITLE = "Preprocessing"


def rows(rng, n=None, d=None):
    """(N, D) with correlated columns of different means and scales, N not D."""
    n, d = n or int(rng.integers(12, 18)), d or int(rng.integers(4, 7))
    turn = rng.standard_normal((d, d)) + 2 * np.eye(d)
    return rng.standard_normal((n, d)) @ turn * np.geomspace(0.3, 4, d) + rng.uniform(2, 6, d)


def parts(result, what, *names):
    """The parts of a returned tuple, or a message that says what is missing."""
    return expect_parts(result, names, what=what)


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


@case("fit_standardizer: mean and standard deviation")
def standardizer_fit(fit_standardizer, *, rng):
    x = rows(rng)
    mean, std = parts(fit_standardizer(x), "fit_standardizer(x)", "mean", "std")
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
            "the mean was not subtracted before squaring": np.sqrt((x**2).mean(axis=0)),
        },
    )


@case("fit_standardizer: a constant feature")
def standardizer_constant(fit_standardizer, *, rng):
    x = rows(rng)
    x[:, 1] = float(rng.integers(2, 9))
    _, std = parts(fit_standardizer(x), "fit_standardizer(x)", "mean", "std")
    want = x.std(axis=0)
    want[1] = 1.0
    expect_equal(
        std,
        want,
        what="the standard deviation of fit_standardizer(x) with a constant feature",
        mistakes={"the constant feature kept the standard deviation 0": x.std(axis=0)},
    )


@case("standardize: with what was fitted")
def standardizer_use(standardize, *, rng):
    x = rows(rng)
    mean, std = rng.uniform(1, 3, x.shape[1]), rng.uniform(0.5, 2, x.shape[1])
    expect_equal(
        standardize(x, mean, std),
        (x - mean) / std,
        what="standardize(x, mean, std)",
        mistakes={
            "x's own mean and deviation were used, not those that were passed in": (x - x.mean(axis=0)) / x.std(axis=0),
            "the mean was not subtracted": x / std,
            "only the mean was subtracted: the division is missing": x - mean,
            "x was divided before the mean was subtracted: brackets are missing": x - mean / std,
            "the deviation was multiplied with, not divided by": (x - mean) * std,
        },
    )


Q2 = question(
    "04.2",
    title="Principal components",
    minutes=10,
    hints=[
        "Subtract the mean from x first. The covariance of the result c is `c.T @ c / len(c)`, (D, D).",
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


@case("pca: variances, largest first")
def pca_variances(pca, *, rng):
    x = rows(rng)
    d = x.shape[1]
    _, _, got = parts(pca(x, d), "pca(x, k)", "mean", "directions", "variances")
    want, _ = eigen(covariance(x))
    expect_equal(
        got,
        want,
        what="the variances of pca(x, k)",
        mistakes={
            "they rise: eigh gives the smallest first, so turn them round": want[::-1],
            "the covariance was divided by N - 1: the sheet divides by N": eigen(covariance(x, 1))[0],
            "the mean was not subtracted": eigen(x.T @ x / len(x))[0],
            "the covariance was not divided by N": want * len(x),
            "the standard deviations were returned, not the variances": np.sqrt(want),
        },
    )


@case("pca: the first k directions")
def pca_directions(pca, *, rng):
    x = rows(rng)
    d, k = x.shape[1], 2
    mean, got, variances = parts(pca(x, k), "pca(x, 2)", "mean", "directions", "variances")
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
            "the mean was not subtracted": products(eigen(x.T @ x / len(x))[1]),
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
        "the mean was not subtracted": x @ v / scale @ back,
        "x's own mean was used, not the one that was passed in": own @ v / scale @ back,
        "the directions are transposed: x - mean is multiplied with V": (x - mean) @ v.T / scale @ back,
        "it was multiplied with the deviations, not divided": (x - mean) @ v * scale @ back,
    }


@case("whiten_pca: rows that were not fitted on")
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


@case("whiten_zca: rows that were not fitted on")
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


@case("prepare: everything is learnt from the training rows", points=2)
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


@case("prepare: everything is learnt from the training rows, other inputs", hidden=True)
def prepare_values_again(prepare, *, rng):
    prepare_values(prepare, rng=rng)


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
    moved = np.abs(after[train] - before[train])
    expect_true(
        bool(moved.max() < 1e-9),
        f"other held-out rows and labels change the prepared training rows by up to {float(moved.max()):.3g}",
        got=after,
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


Q5 = question(
    "04.5",
    title="Find a leak from outside",
    minutes=12,
    hints=[
        "Change the rows that are not for training, leave the others, and see whether the training rows come out the same.",
        "A leak through the largest value shows only when a held-out row becomes the largest. Change them a lot.",
        "Compare with a tolerance: `np.allclose`.",
    ],
)


def scalers(kind, rng):
    """Functions scale(x, train), each with whether it leaks."""

    def fitted(location, spread, rows):
        def scale(x, train):
            seen = x if rows == "all" else x[train]
            return (x - location(seen)) / (spread(seen) + 1e-12)

        return scale, rows == "all"

    def own(x, train):  # the held-out rows get their own mean: a fault, but the training rows learn nothing from it
        z = x.astype(float).copy()
        for rows in (train, ~train):
            z[rows] = (z[rows] - z[rows].mean(axis=0)) / z[rows].std(axis=0)
        return z

    pairs = {
        "mean": (lambda x: x.mean(axis=0), lambda x: x.std(axis=0)),
        "range": (lambda x: x.min(axis=0), lambda x: x.max(axis=0) - x.min(axis=0)),
        "largest": (lambda x: 0.0, lambda x: np.abs(x).max(axis=0)),
        "median": (lambda x: np.median(x, axis=0), lambda x: 1.0),
        "ceiling": (lambda x: 0.0, lambda x: x.max()),
    }
    found = [fitted(*pairs[kind], rows) for rows in ("all", "train")]
    found.append((own, False))
    return [found[i] for i in rng.permutation(len(found))]


def judged(leaks, kinds, rng):
    for kind in kinds:
        answers = []
        for scale, wrong in scalers(kind, rng):
            n, d = int(rng.integers(14, 20)), int(rng.integers(3, 6))
            x = rng.uniform(1, 5, (n, d))
            train = rng.permutation(n) < 2 * n // 3
            x[~train] = 2 + 0.1 * x[~train]  # within what the training rows span: no leak of a range shows by itself
            answers.append((leaks(scale, x, train), wrong))
        turned = all(isinstance(got, (bool, np.bool_)) and got != wrong for got, wrong in answers)
        for got, wrong in answers:
            expect_equal(
                got,
                wrong,
                what=f"leaks(scale, x, train) where scale uses the {kind} of {'all' if wrong else 'the training'} rows",
                mistakes={
                    **({"True and False are the wrong way round: True stands for a leak": not wrong} if turned else {}),
                    "a leak was not found: change the held-out rows, and by more": False,
                    "an honest function was called leaky: change the held-out rows alone, and compare the others": True,
                },
            )


@case("leaks: a mean and a deviation", points=2)
def leaks_mean(leaks, *, rng):
    judged(leaks, ("mean", "mean"), rng)


@case("leaks: a smallest and a largest value")
def leaks_range(leaks, *, rng):
    judged(leaks, ("range", "largest", "ceiling", "median"), rng)


@case("leaks: a smallest and a largest value, other inputs", hidden=True)
def leaks_range_again(leaks, *, rng):
    leaks_range(leaks, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "04.1": """
def fit_standardizer(x):
    mean, std = (x.mean(axis=0), x.std(axis=0))
    return (mean, np.where(std == 0, 1.0, std))

def standardize(x, mean, std):
    return (x - mean) / std
""",
    "04.2": """
def pca(x, k):
    mean = x.mean(axis=0)
    centred = x - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(x))
    directions, variances = (directions[:, ::-1][:, :k], variances[::-1][:k])
    return (mean, directions, variances)
""",
    "04.3": """
def whiten_pca(x, mean, directions, variances, eps):
    return (x - mean) @ directions / np.sqrt(variances + eps)

def whiten_zca(x, mean, directions, variances, eps):
    return whiten_pca(x, mean, directions, variances, eps) @ directions.T
""",
    "04.4": """
def prepare(x, y, train, k):
    mean, std = fit_standardizer(x[train])
    z = standardize(x, mean, std)
    agreement = np.abs(z[train].T @ (y[train] - y[train].mean()))
    best = np.argsort(-agreement)[:k]
    return z[:, best]
""",
    "04.5": """
def leaks(scale, x, train):
    before = scale(x.copy(), train)[train]
    for factor in (1000.0, -1000.0, 0.001):
        changed = x.copy()
        changed[~train] = factor * changed[~train] + factor
        if not np.allclose(scale(changed, train)[train], before):
            return True
    return False
""",
}

SLIPS = [
    *slips(
        "04.1",
        MODELS["04.1"],
        {
            ("np.where(std == 0, 1.0, std)", "np.where(std == 0, 1e-08, std)"): (
                "a constant feature got a tiny number: asked for is 1, which leaves x - mean as it is"
            ),
            (
                "np.where(std == 0, 1.0, std)",
                "std + 1e-08",
            ): "a small number was added to every deviation: only a constant feature is to be changed, to 1",
            (
                "np.where(std == 0, 1.0, std)",
                "std + 1e-07",
            ): "a small number was added to every deviation: only a constant feature is to be changed, to 1",
            (
                "np.where(std == 0, 1.0, std)",
                "np.maximum(std, 1.0)",
            ): "deviations below 1 were raised to 1: only a deviation of 0 is",
            ("x.std(axis=0)", "x.var(axis=0)"): "the variance was returned: the square root is missing",
            ("(x - mean) / std", "(x - x.mean(axis=0)) / std"): "x's own mean was used, not the one that was passed in",
            ("(x - mean) / std", "(x + mean) / std"): "the mean was added, not subtracted",
            ("(x - mean) / std", "(mean - x) / std"): "the difference is the wrong way round: x - mean",
        },
    ),
    *slips(
        "04.2",
        MODELS["04.2"],
        {
            (
                "variances, directions = np.linalg.eigh(centred.T @ centred / len(x))",
                "_, s, vt = np.linalg.svd(centred, full_matrices=False)\n    variances, directions = s[::-1], vt.T[:, ::-1]",
            ): ("the singular values were returned: the variances are their squares divided by N"),
            (
                "variances, directions = np.linalg.eigh(centred.T @ centred / len(x))",
                "_, s, vt = np.linalg.svd(centred, full_matrices=False)\n    variances, directions = s[::-1] ** 2, vt.T[:, ::-1]",
            ): ("the squares of the singular values were returned: the variances are these divided by N"),
            ("centred.T @ centred / len(x)", "np.cov(x)"): (
                "np.cov takes the rows for variables: np.cov(x.T), which divides by N - 1 besides"
            ),
            (
                "centred.T @ centred / len(x)",
                "np.cov(x.T)",
            ): "np.cov divides by N - 1: the sheet divides by N (bias=True)",
            (
                "directions, variances = (directions[:, ::-1][:, :k], variances[::-1][:k])",
                "variances, directions = np.linalg.eig(centred.T @ centred / len(x))\n    directions, variances = (directions[:, :k], variances[:k])",
            ): ("np.linalg.eig sorts nothing: its first k are not the largest (eigh sorts rising)"),
            ("directions[:, ::-1][:, :k]", "directions[:, :k]", "variances[::-1][:k]", "variances[:k]"): (
                "the smallest variances and their directions were kept: eigh gives them first"
            ),
            ("directions[:, ::-1][:, :k]", "directions[::-1][:, :k]"): (
                "the rows of the directions were reversed: a direction is a column, [:, ::-1]"
            ),
            ("directions[:, ::-1][:, :k]", "directions[:, -k:]", "variances[::-1][:k]", "variances[-k:]"): (
                "the k largest come in rising order: they have to be turned round as well"
            ),
            (
                "directions[:, ::-1][:, :k]",
                "directions[:, -k:]",
            ): "the directions stand in rising order: they have to be turned round as well",
            ("centred = x - mean", "centred = (x - mean) / x.std(axis=0)"): (
                "the features were divided by their deviations first: that is the PCA of the correlations"
            ),
            (
                "centred.T @ centred / len(x)",
                "centred.T @ centred / x.shape[1]",
            ): "the covariance was divided by D, not by N",
            ("centred = x - mean", "centred = x"): "x was not centred: the mean is to be subtracted first",
            ("mean = x.mean(axis=0)", "mean = x.mean()"): "one mean was taken over all features",
        },
    ),
    *slips(
        "04.3",
        MODELS["04.3"],
        {
            (
                "return whiten_pca(x, mean, directions, variances, eps) @ directions.T",
                "return (x - mean) @ directions @ directions.T / np.sqrt(variances + eps)",
            ): ("it was divided after turning back: the deviations belong to the directions, so divide before"),
            ("@ directions / np.sqrt(variances + eps)", "@ directions / (variances + eps)"): (
                "the square root is missing: it was divided by the variances"
            ),
            ("@ directions / np.sqrt(variances + eps)", "@ directions * np.sqrt(variances + eps)"): (
                "it was multiplied by the deviations, not divided"
            ),
            ("@ directions / np.sqrt(variances + eps)", "@ (directions / np.sqrt(variances + eps)[:, None])"): (
                "the rows of the directions were divided: a direction is a column"
            ),
            ("@ directions / np.sqrt(variances + eps)", "/ np.sqrt(variances + eps) @ directions"): (
                "it was divided before turning: the deviations belong to the directions, so turn first"
            ),
            ("@ directions.T", "@ directions"): "it was turned once more, not back: the last factor is V transposed",
        },
    ),
    *slips(
        "04.4",
        MODELS["04.4"],
        {
            (
                "np.argsort(-agreement)[:k]",
                "np.argsort(agreement)[:k]",
            ): "the k features of smallest agreement were kept: argsort rises",
            (
                "np.argsort(-agreement)[:k]",
                "np.argsort(agreement)[-k:]",
            ): "the best feature comes last: asked for is the best one first",
            ("np.abs(z[train].T @ (y[train] - y[train].mean()))", "z[train].T @ (y[train] - y[train].mean())"): (
                "the absolute value is missing: a feature that falls with the label is as good"
            ),
            (
                "np.abs(z[train].T",
                "np.abs(x[train].T",
            ): "the choice was made on the raw features, in which large ones win",
            (
                "fit_standardizer(x[train])",
                "fit_standardizer(x[~train])",
            ): "mean and deviation come from the held-out rows",
            ("return z[:, best]", "return x[:, best]"): "the chosen features are not standardized",
            (
                "return z[:, best]",
                "return x[:, best]",
                "np.abs(z[train].T @ (y[train] - y[train].mean()))",
                "np.abs((x[train] - mean).T @ (y[train] - y[train].mean()))",
            ): ("nothing was divided by the deviations: the features are not standardized, and large ones win"),
            ("return z[:, best]", "return np.vstack([z[train], z[~train]])[:, best]"): (
                "the rows come back in another order: the training rows first"
            ),
            (
                "return z[:, best]",
                "return z[train][:, best]",
            ): "only the training rows were returned: all rows are wanted",
        },
    ),
    *slips(
        "04.5",
        MODELS["04.5"],
        {
            (
                "(1000.0, -1000.0, 0.001)",
                "(1.01,)",
            ): "the held-out rows were changed too little: a leak of the largest value does not show",
            ("changed[~train] = factor * changed[~train] + factor", "changed = factor * changed"): (
                "all rows were changed, the training rows too: then every function gives something else"
            ),
            (
                "scale(changed, train)[train]",
                "scale(changed, train)",
                "scale(x.copy(), train)[train]",
                "scale(x.copy(), train)",
            ): ("all rows were compared: the held-out ones come out differently from every function"),
        },
    ),
]


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


def _leaks(change="other[~train] = 1e4 * other[~train]", answer="not same"):
    return f"""
def leaks(scale, x, train):
    other = x.copy()
    {change}
    same = np.allclose(scale(x, train)[train], scale(other, train)[train])
    return {answer}
"""


WRONG = [
    Wrong("04.5", "def leaks(scale, x, train):\n    return False", "a leak was not found"),
    Wrong("04.5", "def leaks(scale, x, train):\n    return True", "an honest function was called leaky"),
    Wrong("04.5", _leaks(answer="same"), "True and False are the wrong way round"),
    Wrong("04.5", _leaks("other[~train] += 0.1"), "a leak was not found"),
    Wrong("04.5", _leaks("other += rng"), "rng has no value here"),
    Wrong("04.5", _leaks(answer="'yes'"), "is not a number"),
    Wrong("04.1", FIT.replace("x.std(axis=0)", "x.std(axis=0, ddof=1)"), "the sheet divides by N"),
    Wrong("04.1", FIT.replace("x.std(axis=0)", "x.var(axis=0)"), "the square root is missing"),
    Wrong("04.1", FIT.replace("axis=0", "axis=1"), "axis=0 is over the rows"),
    Wrong("04.1", FIT.replace("x.std(axis=0)", "np.sqrt((x**2).mean(axis=0))"), "not subtracted before squaring"),
    Wrong("04.1", FIT.replace("np.where(std == 0, 1.0, std)", "std"), "kept the standard deviation 0"),
    Wrong("04.1", FIT.replace("return ", "result = "), "a return is missing"),
    Wrong("04.1", USE.replace("(x - mean) / std", "(x - x.mean(axis=0)) / x.std(axis=0)"), "those that were passed in"),
    Wrong("04.1", USE.replace("(x - mean) / std", "x - mean / std"), "brackets are missing"),
    Wrong("04.1", USE.replace("(x - mean) / std", "x - mean"), "the division is missing"),
    Wrong("04.2", _pca(out="v[:, :k], s[:k]"), "eigh gives the smallest first"),
    Wrong("04.2", _pca(out="v[:, :k], s[::-1][:k]"), "the directions of smallest variance were kept"),
    Wrong("04.2", _pca("x.T @ x / len(x)"), "the mean was not subtracted"),
    Wrong("04.2", _pca("np.cov(x.T)"), "divided by N - 1"),
    Wrong("04.2", _pca("(x - mean).T @ (x - mean)"), "was not divided by N"),
    Wrong("04.2", _pca(out="v[:, ::-1][:, :k].T, s[::-1][:k]"), "the directions are rows"),
    Wrong("04.2", _pca(out="v[:, ::-1], s[::-1][:k]"), "all directions were returned"),
    Wrong("04.2", _pca(out="v[:, ::-1].T[:, :k], s[::-1][:k]"), "the eigenvectors are its columns"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / np.sqrt(variances)"), "eps was left out"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / (np.sqrt(variances) + eps)"), "added to the root"),
    Wrong("04.3", _white("pca", "(x - mean) @ directions / (variances + eps)"), "the square root is missing"),
    Wrong("04.3", _white("pca", "x @ directions / np.sqrt(variances + eps)"), "the mean was not subtracted"),
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
    Right("04.5", _leaks()),
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

SENTENCES = {  # of the task, and the cases that test it
    "04.1": {
        "divided by $N$": ["fit_standardizer: mean and standard deviation"],
        r"A feature that is constant in the training rows has $\sigma = 0$. Give it the standard deviation 1": [
            "fit_standardizer: a constant feature"
        ],
        "(N, D) -> (N, D), with what was fitted.": ["standardize: with what was fitted"],
    },
    "04.2": {
        r"$C = \frac1N \sum_n (x_n - \mu)(x_n - \mu)^\top$, largest variance first": ["pca: variances, largest first"],
        "in **rising** order, and the eigenvectors in the **columns** of its second result": [
            "pca: variances, largest first",
            "pca: the first k directions",
        ],
        "Mean (D,), the first k directions as columns (D, k), and the variances along them (k,), largest first.": [
            "pca: variances, largest first",
            "pca: the first k directions",
        ],
    },
    "04.3": {
        r"divides each by $\sqrt{\lambda + \epsilon}$": [
            "whiten_pca: rows that were not fitted on",
            "whitened rows have the identity as covariance",
        ],
        "ZCA turns back at the end": ["whiten_zca: rows that were not fitted on"],
    },
    "04.4": {
        "Find everything that was learnt from rows that are not for training": [
            "prepare: everything is learnt from the training rows"
        ],
        "all rows, standardized, `k` features, the best one first": [
            "prepare: everything is learnt from the training rows"
        ],
        "Whatever is learnt must come from the training rows alone.": [
            "prepare: held-out rows and labels change nothing for the training rows"
        ],
    },
    "04.5": {
        "It returns True when what `scale` does to the training rows depends on the other rows, else False.": [
            "leaks: a mean and a deviation",
            "leaks: a smallest and a largest value",
        ],
        "Some leaks take a mean, some only the largest value of all.": [
            "leaks: a mean and a deviation",
            "leaks: a smallest and a largest value",
        ],
        "It must not learn from rows that are not for training.": [
            "leaks: a mean and a deviation",
            "leaks: a smallest and a largest value",
        ],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "04.1": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the absolute value was compared: np.abs(std)",
        ],
    },
    "04.2": {
        "only the length counts": [
            "centred was used where x is meant, in (variances, directions)",
        ],
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the difference is the wrong way round, mean - x, in centred",
            "the sign of centred is the wrong way round",
        ],
        "one centred factor is enough": [
            "x was used where centred is meant, in (variances, directions)",
        ],
    },
    "04.4": {
        "z has the mean 0, so a constant in y does not matter": [
            "+ stands where - is meant, in agreement",
            "k was used where train is meant, in agreement",
            "max was taken where mean is meant, in agreement",
            "mean runs along axis 0 only, where all entries are meant, in agreement",
            "sum was taken where mean is meant, in agreement",
            "the term y[train].mean() is missing in agreement",
            "train was used where y is meant, in agreement",
            "x was used where y is meant, in agreement",
            "y was used where train is meant, in agreement",
            "z was used where y is meant, in agreement",
        ],
        "the order of the features is the same": [
            "square was taken where abs is meant, in agreement",
            "the difference is the wrong way round, y[train].mean() - y[train], in agreement",
        ],
    },
    "04.5": {
        "other changes of the held-out rows show a leak as well": [
            "* stands where + is meant, in changed[~train]",
            "+ stands where * is meant, in changed[~train]",
            "- stands where + is meant, in changed[~train]",
            "/ stands where * is meant, in changed[~train]",
            "brackets stand around changed[~train] + factor that do not belong there, in changed[~train]",
            "the copy of x is missing in before",
            "the copy of x is missing in changed",
            "the factor changed[~train] is missing in changed[~train]",
            "the factor factor is missing in changed[~train]",
            "the last round of the loop is left out",
            "the minus before 1000.0 is missing in what the loop runs over",
            "the number 0 stands where 0.001 is meant, in what the loop runs over",
            "the number 0 stands where 1000 is meant, in what the loop runs over",
            "the number 0.0005 stands where 0.001 is meant, in what the loop runs over",
            "the number 0.0009 stands where 0.001 is meant, in what the loop runs over",
            "the number 0.0011 stands where 0.001 is meant, in what the loop runs over",
            "the number 0.002 stands where 0.001 is meant, in what the loop runs over",
            "the number 1 stands where 0.001 is meant, in what the loop runs over",
            "the number 1 stands where 1000 is meant, in what the loop runs over",
            "the number 1100 stands where 1000 is meant, in what the loop runs over",
            "the number 2000 stands where 1000 is meant, in what the loop runs over",
            "the number 500 stands where 1000 is meant, in what the loop runs over",
            "the number 900 stands where 1000 is meant, in what the loop runs over",
            "the sign of changed[~train] is the wrong way round",
            "the term factor * changed[~train] is missing in changed[~train]",
            "the term factor is missing in changed[~train]",
            "x was used where changed is meant, in changed[~train]",
        ],
    },
}
