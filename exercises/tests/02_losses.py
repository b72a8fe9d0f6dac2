"""Cases of exercise sheet 02, losses."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value

TITLE = "Losses"


def pair(result, what):
    """(loss, gradient), once it is known that two things came back."""
    expect_true(
        type(result) in (tuple, list) and len(result) == 2,
        f"{what} gave {inspect_value(result)}, not a pair (loss, gradient)",
        mistake="a return is missing" if result is None else None,
    )
    return result


def one_hot(labels, classes):
    """(N, C) with a single 1 a row."""
    return np.eye(classes)[labels]


Q1 = question(
    "02.1",
    title="Softmax cross-entropy",
    minutes=15,
    hints=[
        "`scores.max(axis=1, keepdims=True)` is the largest score of each row, shaped so that it can be subtracted.",
        "$\\log p$ is the shifted score minus the logarithm of the sum of the exponentials of the row's shifted ones.",
        "`log_p[np.arange(n), labels]` picks the true class of every row. The loss is minus their mean.",
        "The gradient is `np.exp(log_p)` with 1 taken off at the true classes, divided by n.",
    ],
)


def scores_and_labels(rng):
    """Scores (N, C) with N and C different, and labels of which no row's is the same as all others'."""
    n, classes = int(rng.integers(4, 7)), int(rng.integers(8, 11))
    return 2 * rng.standard_normal((n, classes)), rng.permutation(classes)[:n]


def log_softmax_of(scores, axis=1):
    """Logarithms of softmax along one axis (None: over all entries)."""
    z = scores - scores.max(axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


@case("log_softmax: values")
def log_values(log_softmax, *, rng):
    scores, _ = scores_and_labels(rng)
    want = log_softmax_of(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    expect_equal(
        log_softmax(scores.copy()),
        want,
        what="log_softmax(scores)",
        mistakes={
            "the sum runs over the examples: use axis=1": log_softmax_of(scores, 0),
            "the sum runs over all entries: use axis=1, keepdims=True": log_softmax_of(scores, None),
            "these are the probabilities, not their logarithms": np.exp(want),
            "the logarithm of the sum is missing": shifted,
            "the logarithm is missing: the sum of the exponentials itself was subtracted": (
                shifted - np.exp(shifted).sum(axis=1, keepdims=True)
            ),
            "the unshifted scores meet the shifted sum: use the shifted scores on both sides": (
                want + scores.max(axis=1, keepdims=True)
            ),
        },
    )


@case("log_softmax: scores of any size")
def log_large(log_softmax, *, rng):
    scores, _ = scores_and_labels(rng)
    scores = np.vstack([400 * scores, 400 * scores - 5000, 400 * scores + 5000])
    what = "log_softmax(scores) with scores of some thousands"
    with np.errstate(all="ignore"):
        got = log_softmax(scores.copy())
    if type(got) is np.ndarray and got.dtype.kind == "f":
        expect_true(
            not np.isnan(got).any(),
            f"{what} holds NaN",
            mistake="exp overflows: subtract the largest score of each row before you take it",
        )
        expect_true(
            not np.isinf(got).any(),
            f"{what} holds infinity",
            mistake="the logarithm of a probability that was rounded to 0 was taken, or that of a sum that is: shift "
            "by each row's largest score and subtract logarithms",
        )
    expect_equal(got, log_softmax_of(scores), what=what)


@case("softmax_cross_entropy: the loss")
def entropy_loss(softmax_cross_entropy, *, rng):
    scores, labels = scores_and_labels(rng)
    n, classes = scores.shape
    log_p = log_softmax_of(scores)
    true = log_p[np.arange(n), labels]
    what = "softmax_cross_entropy(scores, labels)"
    loss, _ = pair(softmax_cross_entropy(scores.copy(), labels.copy()), what)
    expect_equal(
        loss,
        -true.mean(),
        what=f"the loss of {what}",
        mistakes={
            "the minus sign is missing": true.mean(),
            "the losses were summed: the mean over the batch is asked for": -true.sum(),
            "the mean runs over the classes too": -true.sum() / (n * classes),
            "all classes were counted, not the true ones only": -log_p.mean(),
            "the logarithm is missing": -np.exp(true).mean(),
            "log_p[:, labels] takes every label's column for every row: pick with np.arange(n)": -log_p[
                :, labels
            ].mean(),
        },
    )


@case("softmax_cross_entropy: the gradient", points=2)
def entropy_gradient(softmax_cross_entropy, *, rng):
    scores, labels = scores_and_labels(rng)
    n, classes = scores.shape
    p, truth = np.exp(log_softmax_of(scores)), one_hot(labels, classes)
    what = "softmax_cross_entropy(scores, labels)"
    _, dscores = pair(softmax_cross_entropy(scores.copy(), labels.copy()), what)
    expect_equal(
        dscores,
        (p - truth) / n,
        what=f"the gradient of {what}",
        mistakes={
            "the division by the number of examples is missing": p - truth,
            "1 was not taken off at the true classes": p / n,
            "the sign is the wrong way round": (truth - p) / n,
            "it was divided by N times C, not by N": (p - truth) / (n * classes),
            "1 was taken off after the division by N": p / n - truth,
            "this is the derivative with respect to the probabilities: go on through softmax": -truth / p / n,
        },
    )


Q2 = question(
    "02.2",
    title="Huber's loss",
    minutes=12,
    hints=[
        "`np.where(condition, a, b)` is a where the condition holds, else b. The condition is about `np.abs(error)`.",
        "The derivative of $\\tfrac12 e^2$ is $e$. That of $\\delta |e|$ is $\\delta$ for positive e, else $-\\delta$.",
        "Both together are $e$, cut off at $-\\delta$ and $\\delta$: `np.clip`.",
    ],
)


def errors(rng, delta):
    """(N, D) targets and predictions; errors on both sides, some within delta and some beyond."""
    n, d = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    sizes = np.concatenate([[0.3, -0.6, 0.8, -0.2, 2.0, -3.0, 5.0, -1.5], rng.uniform(-4, 4, n * d - 8)])
    error = delta * rng.permutation(sizes * rng.uniform(0.9, 1.1, n * d)).reshape(n, d)
    target = rng.standard_normal((n, d))
    return target + error, target


def huber_of(error, delta):
    """h(e), entry by entry."""
    size = np.abs(error)
    return np.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta))


@case("huber: the loss", points=2)
def huber_loss(huber, *, rng):
    delta = rng.uniform(0.4, 0.8) if rng.random() < 0.5 else rng.uniform(1.5, 3)
    pred, target = errors(rng, delta)
    error = pred - target
    size, h = np.abs(error), huber_of(error, delta)
    what = f"huber(pred, target, {delta:.3g})"
    loss, _ = pair(huber(pred.copy(), target.copy(), delta), what)
    expect_equal(
        loss,
        h.mean(),
        what=f"the loss of {what}",
        mistakes={
            "the losses were summed: the mean over all entries is asked for": h.sum(),
            "it was divided by N, not by N times D": h.sum() / len(h),
            "the half of the square is missing": np.where(size <= delta, error**2, delta * (size - delta / 2)).mean(),
            "the two parts do not meet: delta / 2 is missing from the linear one": (
                np.where(size <= delta, error**2 / 2, delta * size).mean()
            ),
            "the factor delta is missing from the linear part": (
                np.where(size <= delta, error**2 / 2, size - delta / 2).mean()
            ),
            "all errors were squared": (error**2 / 2).mean(),
            "the two parts are the wrong way round": (
                np.where(size > delta, error**2 / 2, delta * (size - delta / 2)).mean()
            ),
            "delta was taken to be 1": huber_of(error, 1.0).mean(),
            "the sign of the error was not taken off: compare np.abs(error) with delta": (
                np.where(error <= delta, error**2 / 2, delta * (size - delta / 2)).mean()
            ),
        },
    )


@case("huber: the gradient", points=2)
def huber_gradient(huber, *, rng):
    delta = rng.uniform(0.4, 0.8) if rng.random() < 0.5 else rng.uniform(1.5, 3)
    pred, target = errors(rng, delta)
    error = pred - target
    clipped = np.clip(error, -delta, delta)
    large = np.abs(error) > delta
    what = f"huber(pred, target, {delta:.3g})"
    _, dpred = pair(huber(pred.copy(), target.copy(), delta), what)
    expect_equal(
        dpred,
        clipped / error.size,
        what=f"the gradient of {what}",
        mistakes={
            "the division by the number of entries is missing": clipped,
            "it was divided by N, not by N times D": clipped / len(error),
            "the sign is the wrong way round": -clipped / error.size,
            "the error was not cut off: this is the gradient of the squared error": error / error.size,
            "large errors give -1 or 1: they must give -delta or delta": (
                np.where(large, np.sign(error), error) / error.size
            ),
            "large errors give delta on both sides: the sign is lost": np.where(large, delta, error) / error.size,
            "large errors give 0: they must give -delta or delta": np.where(large, 0, error) / error.size,
            "delta was taken to be 1": np.clip(error, -1, 1) / error.size,
        },
    )


Q3 = question(
    "02.3",
    title="Hinge loss",
    minutes=15,
    hints=[
        "`scores[np.arange(n), labels][:, None]` is the true class's score of every row, as a column.",
        "What class c lacks is `scores - true + margin`. Set it to 0 at the true classes, then cut it off below 0.",
        "In the gradient, the entry of a true class is minus the number of classes that are too close to it.",
    ],
)


def close_and_far(rng, margin):
    """Scores (N, C) and labels: a row whose true class is last, one that wins by more than the margin, and others."""
    scores, labels = scores_and_labels(rng)
    labels[0] = scores[0].argmin()
    scores[1, labels[1]] = scores[1].max() + margin + 1
    return scores, labels


def hinge_of(scores, labels, margin):
    """(excess above 0 (N, C), gradient times N C)."""
    rows = np.arange(len(labels))
    excess = scores - scores[rows, labels][:, None] + margin
    excess[rows, labels] = 0
    close = (excess > 0).astype(float)
    close[rows, labels] = -close.sum(axis=1)
    return np.maximum(excess, 0), close


@case("hinge: the loss", points=2)
def hinge_loss(hinge, *, rng):
    margin = rng.uniform(0.4, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 2.5)
    scores, labels = close_and_far(rng, margin)
    n, classes = scores.shape
    excess, _ = hinge_of(scores, labels, margin)
    what = f"hinge(scores, labels, {margin:.3g})"
    loss, _ = pair(hinge(scores.copy(), labels.copy(), margin), what)
    expect_equal(
        loss,
        excess.mean(),
        what=f"the loss of {what}",
        mistakes={
            "the true class was counted against itself: it adds the margin to every example": (
                excess.mean() + margin / classes
            ),
            "it was divided by N, not by N times C": excess.sum() / n,
            "it was divided by N times (C - 1): the true class counts in the mean": excess.sum() / (n * (classes - 1)),
            "the losses were summed: the mean is asked for": excess.sum(),
            "only the strongest rival was counted: the sum runs over all classes": excess.max(axis=1).sum()
            / n
            / classes,
            "only the strongest rival was counted, and the mean runs over the examples": excess.max(axis=1).mean(),
            "the margin is missing": hinge_of(scores, labels, 0.0)[0].mean(),
            "the margin was taken to be 1": hinge_of(scores, labels, 1.0)[0].mean(),
            "the margin was subtracted, not added": hinge_of(scores, labels, -margin)[0].mean(),
        },
    )


@case("hinge: the gradient", points=2)
def hinge_gradient(hinge, *, rng):
    margin = rng.uniform(0.4, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 2.5)
    scores, labels = close_and_far(rng, margin)
    n, classes = scores.shape
    excess, close = hinge_of(scores, labels, margin)
    truth = one_hot(labels, classes)
    what = f"hinge(scores, labels, {margin:.3g})"
    _, dscores = pair(hinge(scores.copy(), labels.copy(), margin), what)
    expect_equal(
        dscores,
        close / scores.size,
        what=f"the gradient of {what}",
        mistakes={
            "the division by N times C is missing": close,
            "it was divided by N, not by N times C": close / n,
            "the sign is the wrong way round": -close / scores.size,
            "the true classes get no gradient: each class that is too close pushes them up": (
                (excess > 0) / scores.size
            ),
            "the true class gets -1: it must get -1 for every class that is too close": (
                ((excess > 0) - truth * (excess > 0).any(axis=1, keepdims=True)) / scores.size
            ),
            "the true class gets -1 in every row, even where no class is too close": (
                ((excess > 0) - truth) / scores.size
            ),
            "the excess itself was returned: its derivative is 1 where it is positive": excess / scores.size,
        },
    )


LOG_SOFTMAX = """
def log_softmax(scores):
    z = scores - scores.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
"""


def _entropy(
    loss="-log_p[np.arange(n), labels].mean()", gradient="(np.exp(log_p) - np.eye(log_p.shape[1])[labels]) / n"
):
    return f"""
def softmax_cross_entropy(scores, labels):
    n, log_p = len(labels), log_softmax(scores)
    return {loss}, {gradient}
"""


def _huber(
    loss="np.where(abs(e) <= delta, e**2 / 2, delta * (abs(e) - delta / 2)).mean()",
    gradient="np.clip(e, -delta, delta) / e.size",
):
    return f"""
def huber(pred, target, delta):
    e = pred - target
    return {loss}, {gradient}
"""


def _hinge(loss="np.maximum(x, 0).mean()", gradient="(g - g.sum(axis=1, keepdims=True) * t) / x.size", margin="margin"):
    return f"""
def hinge(scores, labels, margin):
    t = np.eye(scores.shape[1])[labels]
    x = (scores - (scores * t).sum(axis=1, keepdims=True) + {margin}) * (1 - t)
    g = (x > 0).astype(float)
    return {loss}, {gradient}
"""


WRONG = [
    Wrong(
        "02.1",
        "def log_softmax(scores):\n    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))",
        "holds infinity",
    ),
    Wrong(
        "02.1",
        "def log_softmax(scores):\n    e = np.exp(scores)\n    return np.log(e / e.sum(axis=1, keepdims=True))",
        "exp overflows",
    ),
    Wrong(
        "02.1",
        "def log_softmax(scores):\n    e = np.exp(scores - scores.max(axis=1, keepdims=True))\n"
        "    return np.log(e / e.sum(axis=1, keepdims=True))",
        "a probability that was rounded to 0",
    ),
    Wrong("02.1", LOG_SOFTMAX.replace("axis=1", "axis=0"), "the sum runs over the examples"),
    Wrong("02.1", LOG_SOFTMAX.replace("axis=1, keepdims=True", ""), "the sum runs over all entries"),
    Wrong("02.1", LOG_SOFTMAX.replace("return z -", "return scores -"), "use the shifted scores on both sides"),
    Wrong("02.1", LOG_SOFTMAX.replace("np.log(np.exp(z)", "(np.exp(z)"), "the logarithm is missing"),
    Wrong(
        "02.1",
        LOG_SOFTMAX.replace("return z", "return np.exp(z").replace("True))\n", "True)))\n"),
        "these are the probabilities",
    ),
    Wrong("02.1", _entropy("log_p[np.arange(n), labels].mean()"), "the minus sign is missing"),
    Wrong("02.1", _entropy("-log_p[np.arange(n), labels].sum()"), "the losses were summed"),
    Wrong("02.1", _entropy("-log_p.mean()"), "all classes were counted"),
    Wrong("02.1", _entropy("-log_p[:, labels].mean()"), "pick with np.arange(n)"),
    Wrong(
        "02.1",
        _entropy(gradient="np.exp(log_p) - np.eye(log_p.shape[1])[labels]"),
        "the division by the number of examples is missing",
    ),
    Wrong("02.1", _entropy(gradient="np.exp(log_p) / n"), "1 was not taken off"),
    Wrong(
        "02.1",
        _entropy(gradient="np.exp(log_p) / n - np.eye(log_p.shape[1])[labels]"),
        "1 was taken off after the division",
    ),
    Wrong("02.1", _entropy(gradient="-np.eye(log_p.shape[1])[labels] / np.exp(log_p) / n"), "go on through softmax"),
    Wrong("02.1", _entropy().replace("return", "result ="), "a return is missing"),
    Wrong(
        "02.2",
        _huber("np.where(abs(e) <= delta, e**2, delta * (abs(e) - delta / 2)).mean()"),
        "the half of the square is missing",
    ),
    Wrong("02.2", _huber("np.where(abs(e) <= delta, e**2 / 2, delta * abs(e)).mean()"), "the two parts do not meet"),
    Wrong(
        "02.2", _huber("np.where(abs(e) <= delta, e**2 / 2, abs(e) - delta / 2).mean()"), "the factor delta is missing"
    ),
    Wrong(
        "02.2",
        _huber("np.where(e <= delta, e**2 / 2, delta * (abs(e) - delta / 2)).mean()"),
        "compare np.abs(error) with delta",
    ),
    Wrong(
        "02.2",
        _huber("np.where(abs(e) <= delta, e**2 / 2, delta * (abs(e) - delta / 2)).sum()"),
        "the losses were summed",
    ),
    Wrong("02.2", _huber("(e**2 / 2).mean()"), "all errors were squared"),
    Wrong("02.2", _huber(gradient="e / e.size"), "the error was not cut off"),
    Wrong("02.2", _huber(gradient="np.where(abs(e) > delta, np.sign(e), e) / e.size"), "must give -delta or delta"),
    Wrong("02.2", _huber(gradient="np.where(abs(e) > delta, delta, e) / e.size"), "the sign is lost"),
    Wrong("02.2", _huber(gradient="np.where(abs(e) > delta, 0, e) / e.size"), "large errors give 0"),
    Wrong("02.2", _huber(gradient="np.clip(e, -delta, delta) / len(e)"), "divided by N, not by N times D"),
    Wrong("02.2", _huber().replace("e = pred - target", "delta, e = 1.0, pred - target"), "delta was taken to be 1"),
    Wrong("02.3", _hinge("(np.maximum(x, 0) + t * margin).mean()"), "the true class was counted against itself"),
    Wrong("02.3", _hinge("np.maximum(x, 0).sum(axis=1).mean()"), "divided by N, not by N times C"),
    Wrong("02.3", _hinge("np.maximum(x, 0).max(axis=1).mean()"), "only the strongest rival was counted"),
    Wrong("02.3", _hinge(margin="0"), "the margin is missing"),
    Wrong("02.3", _hinge(margin="1"), "the margin was taken to be 1"),
    Wrong("02.3", _hinge(gradient="g / x.size"), "the true classes get no gradient"),
    Wrong(
        "02.3", _hinge(gradient="(g - t * g.max(axis=1, keepdims=True)) / x.size"), "for every class that is too close"
    ),
    Wrong("02.3", _hinge(gradient="(g - t) / x.size"), "even where no class is too close"),
    Wrong("02.3", _hinge(gradient="g - g.sum(axis=1, keepdims=True) * t"), "the division by N times C is missing"),
    Wrong("02.3", _hinge(gradient="np.maximum(x, 0) / x.size"), "the excess itself was returned"),
]

RIGHT = [
    Right("02.1", LOG_SOFTMAX + _entropy()),
    Right(
        "02.1",
        """
def log_softmax(scores):
    out = np.empty_like(scores)
    for i, row in enumerate(scores):
        top = max(row)
        out[i] = row - (top + np.log(sum(np.exp(s - top) for s in row)))
    return out

def softmax_cross_entropy(scores, labels):
    log_p = log_softmax(scores)
    losses, grads = [], []
    for row, label in zip(log_p, labels):
        losses.append(-row[label])
        p = np.exp(row)
        p[label] -= 1
        grads.append(p / len(labels))
    return float(np.mean(losses)), np.array(grads)
""",
    ),
    Right("02.2", _huber()),
    Right(
        "02.2",
        """
def huber(pred, target, delta):
    e = pred - target
    cut = np.minimum(np.abs(e), delta)
    loss = np.sum(cut * (np.abs(e) - cut / 2)) / (e.shape[0] * e.shape[1])
    return loss, np.sign(e) * cut / (e.shape[0] * e.shape[1])
""",
    ),
    Right("02.3", _hinge()),
    Right(
        "02.3",
        """
def hinge(scores, labels, margin):
    n, classes = scores.shape
    loss, grad = 0.0, np.zeros((n, classes))
    for i in range(n):
        y = labels[i]
        for c in range(classes):
            missing = scores[i, c] - scores[i, y] + margin
            if c != y and missing > 0:
                loss += missing
                grad[i, c] += 1
                grad[i, y] -= 1
    return loss / (n * classes), grad / (n * classes)
""",
    ),
]
