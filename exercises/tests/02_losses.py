"""Cases of exercise sheet 02, losses."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_parts, expect_true

TITLE = "Losses"


def pair(result, what):
    """(loss, gradient), once it is known that two things came back."""
    return expect_parts(result, ("loss", "gradient"), what=what)


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
        "The gradient is `np.exp(log_p)` with 1 subtracted at the true classes, divided by n.",
    ],
)


def scores_and_labels(rng):
    """Scores (N, C) with N and C different, and labels that all differ; the last class is nobody's."""
    n, classes = int(rng.integers(4, 7)), int(rng.integers(8, 11))
    return 2 * rng.standard_normal((n, classes)), rng.permutation(classes - 1)[:n]


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


@case("softmax_cross_entropy: the gradient")
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
            "1 was not subtracted at the true classes": p / n,
            "the sign is the wrong way round": (truth - p) / n,
            "it was divided by N times C, not by N": (p - truth) / (n * classes),
            "1 was subtracted after the division by N": p / n - truth,
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


@case("huber: the loss")
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
            "the sign of the error was kept: compare np.abs(error) with delta": (
                np.where(error <= delta, error**2 / 2, delta * (size - delta / 2)).mean()
            ),
        },
    )


@case("huber: the gradient")
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
    """Scores (N, C) and labels: a row whose true class is last, one that wins by more than the margin, and one that
    wins by a half of it over one class, and over another by what lies between it and 1."""
    scores, labels = scores_and_labels(rng)
    labels[0] = scores[0].argmin()
    scores[1, labels[1]] = scores[1].max() + margin + 1
    true = scores[2, labels[2]]
    scores[2, labels[2] - 1] = true - min(margin, 1) / 2
    scores[2, labels[2] - 2] = true - (margin + 1) / 2
    return scores, labels


def hinge_of(scores, labels, margin):
    """(excess above 0 (N, C), gradient times N C)."""
    rows = np.arange(len(labels))
    excess = scores - scores[rows, labels][:, None] + margin
    excess[rows, labels] = 0
    close = (excess > 0).astype(float)
    close[rows, labels] = -close.sum(axis=1)
    return np.maximum(excess, 0), close


@case("hinge: the loss")
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
            "it was divided by N times (C - 1): the true class counts as well": excess.sum() / (n * (classes - 1)),
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


@case("hinge: the gradient")
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


Q4 = question(
    "02.4",
    title="A loss of your own",
    minutes=15,
    hints=[
        "The derivative of $\\cosh$ is $\\sinh$. What is their quotient?",
        "$\\cosh e = \\tfrac12 e^{|e|} (1 + e^{-2|e|})$. Take the logarithm of each factor.",
        "`np.log1p(x)` is the logarithm of 1 + x, exact for small x too.",
    ],
)


def log_cosh_of(error):
    return np.abs(error) + np.log1p(np.exp(-2 * np.abs(error))) - np.log(2)


def log_cosh_parts(log_cosh, rng, scale):
    """Errors of about this size, and what the student's function says of them."""
    n, d = int(rng.integers(3, 5)), int(rng.integers(5, 8))
    error = scale * rng.uniform(0.3, 1.2, (n, d)) * rng.choice([-1, 1], (n, d))
    target = rng.standard_normal((n, d)) * min(scale, 1)
    what = f"log_cosh(pred, target) with errors of about {scale:g}"
    pred = target + error
    with np.errstate(all="ignore"):
        loss, dpred = pair(log_cosh(pred.copy(), target.copy()), what)
    return pred - target, loss, dpred, what


@case("log_cosh: the loss")
def log_cosh_loss(log_cosh, *, rng):
    for scale in (1.0, 3.0):
        error, loss, _, what = log_cosh_parts(log_cosh, rng, scale)
        expect_equal(
            loss,
            log_cosh_of(error).mean(),
            what=f"the loss of {what}",
            mistakes={
                "log 2 was not subtracted": log_cosh_of(error).mean() + np.log(2),
                "the losses were summed: the mean over all entries is asked for": log_cosh_of(error).sum(),
                "it was divided by N, not by N times D": log_cosh_of(error).sum() / len(error),
                "the logarithm is missing": np.cosh(error).mean(),
                "the absolute error was taken: that is the limit for large errors": np.abs(error).mean(),
                "half the square was taken: that is the limit for small errors": (error**2 / 2).mean(),
            },
        )


@case("log_cosh: the loss, other inputs", hidden=True)
def log_cosh_loss_again(log_cosh, *, rng):
    log_cosh_loss(log_cosh, rng=rng)


@case("log_cosh: errors of any size", points=3)
def log_cosh_large(log_cosh, *, rng):
    error, loss, dpred, what = log_cosh_parts(log_cosh, rng, 1000.0)
    if isinstance(loss, float):
        expect_true(
            bool(np.isfinite(loss)),
            f"the loss of {what} is {loss:g}",
            mistake="cosh overflows: write log cosh e with |e| and the exponential of -2 |e|",
        )
    expect_equal(loss, log_cosh_of(error).mean(), what=f"the loss of {what}")
    expect_equal(dpred, np.sign(error) / error.size, what=f"the gradient of {what}")
    error, loss, _, what = log_cosh_parts(log_cosh, rng, 0.01)
    expect_equal(loss, log_cosh_of(error).mean(), rtol=1e-6, atol=0, what=f"the loss of {what}")


@case("log_cosh: the gradient", points=2)
def log_cosh_gradient(log_cosh, *, rng):
    for scale in (1.0, 4.0):
        error, _, dpred, what = log_cosh_parts(log_cosh, rng, scale)
        expect_equal(
            dpred,
            np.tanh(error) / error.size,
            what=f"the gradient of {what}",
            mistakes={
                "the division by the number of entries is missing": np.tanh(error),
                "it was divided by N, not by N times D": np.tanh(error) / len(error),
                "the sign is the wrong way round": -np.tanh(error) / error.size,
                "1 / cosh was taken: the inner derivative, sinh, is missing": 1 / np.cosh(error) / error.size,
                "this is the derivative of tanh, not tanh": (1 - np.tanh(error) ** 2) / error.size,
                "this is the gradient of the squared error": error / error.size,
                "this is the gradient of the absolute error": np.sign(error) / error.size,
            },
        )


@case("log_cosh: the gradient, other inputs", points=2, hidden=True)
def log_cosh_gradient_again(log_cosh, *, rng):
    log_cosh_gradient(log_cosh, rng=rng)


Q5 = question(
    "02.5",
    title="Label smoothing",
    minutes=12,
    hints=[
        "`np.full` makes an array in which every entry is the same number. The true classes get more.",
        "The loss is a sum over the classes and a mean over the examples.",
        "Probability minus target is still the gradient of an example's scores. The target is no longer 0 and 1.",
    ],
)


def smoothed(labels, classes, share):
    """The targets of the formula."""
    return (1 - share) * one_hot(labels, classes) + share / classes


def smoothed_parts(smoothed_cross_entropy, rng):
    """An answer's two parts, and what they are compared with: scores, one-hot rows, targets, share."""
    scores, labels = scores_and_labels(rng)
    share = round(float(rng.uniform(0.15, 0.4)), 2)
    what = f"smoothed_cross_entropy(scores, labels, {share})"
    loss, dscores = pair(smoothed_cross_entropy(scores.copy(), labels.copy(), share), what)
    true = one_hot(labels, scores.shape[1])
    return loss, dscores, log_softmax_of(scores), true, smoothed(labels, scores.shape[1], share), share, what


def smoothed_large(smoothed_cross_entropy, part, name, rng):
    """Part 0 or 1 of an answer to scores whose exponentials overflow, is what it should be."""
    scores, labels = scores_and_labels(rng)
    scores = scores + 2000 * rng.permuted(np.arange(scores.shape[1]) % 2 + 0 * scores, axis=1)
    what = "smoothed_cross_entropy(scores, labels, 0.1) with scores of some thousands"
    got = pair(smoothed_cross_entropy(scores.copy(), labels.copy(), 0.1), what)[part]
    log_p, q = log_softmax_of(scores), smoothed(labels, scores.shape[1], 0.1)
    want = ((-(q * log_p).sum(axis=1).mean()), (np.exp(log_p) - q) / len(q))[part]
    if type(got) in (float, np.float64) or (type(got) is np.ndarray and got.dtype.kind == "f"):
        expect_true(
            bool(np.isfinite(got).all()),
            f"{name} of {what} is not finite",
            mistake="a logarithm was taken of a softmax, or an exponential of a large score: use log_softmax of 02.1",
        )
    expect_equal(got, want, what=f"{name} of {what}")


@case("smoothed_cross_entropy: the loss")
def smoothed_loss(smoothed_cross_entropy, *, rng):
    loss, _, log_p, true, q, share, what = smoothed_parts(smoothed_cross_entropy, rng)
    classes = q.shape[1]

    def of(targets):
        return -(targets * log_p).sum(axis=1).mean()

    expect_equal(
        loss,
        of(q),
        what=f"the loss of {what}",
        mistakes={
            "nothing was smoothed: this is the loss of one-hot labels": of(true),
            "the share went to the other classes only: the true one is among the C": of(
                (1 - share) * true + share / (classes - 1) * (1 - true)
            ),
            "the true class did not get its part of the share": of((1 - share) * true + share / classes * (1 - true)),
            "the share was not divided among the classes": of((1 - share) * true + share),
            "the two shares are exchanged: most of the truth stays with the true class": of(
                share * true + (1 - share) / classes
            ),
            "the mean runs over examples and classes: it is a sum over the classes": -(q * log_p).mean(),
            "the examples were added up: the loss is their mean": -(q * log_p).sum(),
            "the minus sign is missing": -of(q),
        },
    )
    smoothed_large(smoothed_cross_entropy, 0, "the loss", rng)


@case("smoothed_cross_entropy: the loss, other inputs", hidden=True)
def smoothed_loss_again(smoothed_cross_entropy, *, rng):
    smoothed_loss(smoothed_cross_entropy, rng=rng)


@case("smoothed_cross_entropy: the gradient")
def smoothed_gradient(smoothed_cross_entropy, *, rng):
    _, dscores, log_p, true, q, share, what = smoothed_parts(smoothed_cross_entropy, rng)
    n, p = len(q), np.exp(log_p)
    expect_equal(
        dscores,
        (p - q) / n,
        what=f"the gradient of {what}",
        mistakes={
            "one-hot labels were subtracted: the targets are the smoothed ones": (p - true) / n,
            "the division by the number of examples is missing": p - q,
            "it was divided by the number of all entries": (p - q) / q.size,
            "the sign is the wrong way round: probability minus target": (q - p) / n,
            "log p stands where p is meant": (log_p - q) / n,
            "the true class did not get its part of the share": (p - q + share / q.shape[1] * true) / n,
        },
    )
    smoothed_large(smoothed_cross_entropy, 1, "the gradient", rng)


@case("smoothed_cross_entropy: the gradient, other inputs", hidden=True)
def smoothed_gradient_again(smoothed_cross_entropy, *, rng):
    smoothed_gradient(smoothed_cross_entropy, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "02.1": """
def log_softmax(scores):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

def softmax_cross_entropy(scores, labels):
    n = len(labels)
    log_p = log_softmax(scores)
    loss = -log_p[np.arange(n), labels].mean()
    dscores = np.exp(log_p)
    dscores[np.arange(n), labels] -= 1
    dscores /= n
    return (loss, dscores)
""",
    "02.2": """
def huber(pred, target, delta):
    error = pred - target
    size = np.abs(error)
    loss = np.where(size <= delta, 0.5 * error ** 2, delta * (size - 0.5 * delta)).mean()
    dpred = np.clip(error, -delta, delta) / error.size
    return (loss, dpred)
""",
    "02.3": """
def hinge(scores, labels, margin):
    rows = np.arange(len(labels))
    excess = scores - scores[rows, labels][:, None] + margin
    excess[rows, labels] = 0
    loss = np.maximum(excess, 0).mean()
    dscores = (excess > 0).astype(scores.dtype)
    dscores[rows, labels] = -dscores.sum(axis=1)
    return (loss, dscores / scores.size)
""",
    "02.4": """
def log_cosh(pred, target):
    error = pred - target
    size = np.abs(error)
    loss = (size + np.log1p(np.exp(-2 * size)) - np.log(2)).mean()
    dpred = np.tanh(error) / error.size
    return (loss, dpred)
""",
    "02.5": """
def log_softmax(scores):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

def smoothed_cross_entropy(scores, labels, smoothing):
    n, classes = scores.shape
    q = np.full((n, classes), smoothing / classes)
    q[np.arange(n), labels] += 1 - smoothing
    log_p = log_softmax(scores)
    loss = -(q * log_p).sum(axis=1).mean()
    return (loss, (np.exp(log_p) - q) / n)
""",
}

SLIPS = [
    *slips(
        "02.1",
        MODELS["02.1"],
        {
            ("shifted = scores", "scores = np.clip(scores, -500, 500)\n    shifted = scores"): (
                "large scores were cut off (np.clip): that changes them; shift each row by its largest score"
            ),
            (
                "return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n    return np.log(p + 1e-7)",
            ): ("a small number was added inside the logarithm (1e-7): it is larger than many probabilities"),
            (
                "return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n    return np.log(p + 1e-12)",
            ): ("a small number was added inside the logarithm (1e-12): it is larger than many probabilities"),
            (
                "return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n    return np.log(p + 1e-8)",
            ): ("a small number was added inside the logarithm (1e-8): it is larger than many probabilities"),
            (
                "return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n    return np.log(np.clip(p, 1e-15, 1))",
            ): ("small probabilities were cut off before the logarithm: stay with differences of logarithms"),
            ("scores.max(axis=1, keepdims=True)", "scores.mean(axis=1, keepdims=True)"): (
                "the mean of each row was subtracted: only the largest score makes every exponential at most 1"
            ),
            (
                "np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                "np.log(np.exp(shifted).mean(axis=1, keepdims=True))",
            ): ("the mean of the exponentials was taken, not their sum"),
            ("return shifted -", "return -shifted +"): "the sign is the wrong way round",
            ("-log_p[np.arange(n), labels].mean()", "-log_p.max(axis=1).mean()"): (
                "the most probable class was taken, not the true one: labels say which one counts"
            ),
            ("-log_p[np.arange(n), labels].mean()", "-np.log(log_p[np.arange(n), labels]).mean()"): (
                "the logarithm was taken twice: log_p is one already"
            ),
            ("-log_p[np.arange(n), labels].mean()", "-np.exp(log_p)[np.arange(n), labels].mean()"): (
                "probabilities were averaged, not their logarithms"
            ),
            (
                "-log_p[np.arange(n), labels].mean()",
                "-log_p[np.arange(n), labels]",
            ): "the mean over the examples is missing",
            (
                "dscores = np.exp(log_p)",
                "dscores = log_p.copy()",
            ): "log p stands in the gradient; p, its exponential, belongs there",
            (
                "dscores = np.exp(log_p)",
                "dscores = -np.exp(log_p)",
            ): "p has the wrong sign in the gradient: it is p - 1 at the true class",
            ("dscores[np.arange(n), labels] -= 1", "dscores[:, labels] -= 1"): (
                "1 was subtracted in whole columns, [:, labels]: it belongs to one entry of each row"
            ),
            (
                "dscores[np.arange(n), labels] -= 1",
                "dscores -= 1",
            ): "1 was subtracted from every entry, not from the true classes' alone",
            ("dscores[np.arange(n), labels] -= 1", "dscores[np.arange(n), labels] = -1"): (
                "the true class was set to -1: it is p - 1 there"
            ),
            (
                "dscores[np.arange(n), labels] -= 1",
                "dscores[np.arange(n), labels] += 1",
            ): "1 was added at the true classes, not subtracted",
            (
                "dscores[np.arange(n), labels] -= 1",
                "dscores[np.arange(n), labels] = 1 - dscores[np.arange(n), labels]",
            ): ("the sign is wrong at the true classes: p - 1, not 1 - p"),
        },
    ),
    *slips(
        "02.2",
        MODELS["02.2"],
        {
            ("np.clip(error, -delta, delta)", "np.where(size <= delta, 2 * error, delta * np.sign(error))"): (
                "the slope of the square has a factor 2 too many: the derivative of e**2 / 2 is e"
            ),
            ("np.clip(error, -delta, delta)", "np.where(size <= delta, error, delta * size)"): (
                "large errors give delta times |e|: the derivative of delta |e| is delta times the sign"
            ),
            ("np.clip(error, -delta, delta)", "np.where(size <= delta, error, delta * error)"): (
                "large errors give delta times e: the derivative of delta |e| is delta times the sign"
            ),
            (
                "np.clip(error, -delta, delta)",
                "np.where(size <= delta, size, delta)",
            ): "the sign of the error is lost in the gradient",
            (
                "np.where(size <= delta, 0.5 * error ** 2, delta * (size - 0.5 * delta)).mean()",
                "(0.5 * error ** 2).mean() if (size <= delta).all() else (delta * (size - 0.5 * delta)).mean()",
            ): ("one formula was chosen for all errors together (if ... all): each error has its own, np.where"),
            (
                "delta * (size - 0.5 * delta)",
                "delta * size - 0.5 * delta",
            ): "brackets are missing: delta (|e| - delta / 2), not delta |e| - delta / 2",
            ("delta * (size - 0.5 * delta)", "delta * (size - 0.5)"): "1/2 was subtracted, not delta / 2",
            ("delta * (size - 0.5 * delta)", "delta * (size - delta)"): "delta was subtracted, not delta / 2",
            (
                "0.5 * error ** 2",
                "0.5 * error ** 2 / delta",
                "delta * (size",
                "1 * (size",
                "np.clip(error, -delta, delta)",
                "np.clip(error, -delta, delta) / delta",
            ): ("this is PyTorch's smooth_l1_loss, Huber's loss divided by delta"),
            ("0.5 * error ** 2", "0.5 * error ** 2 / delta", "delta * (size", "1 * (size"): (
                "this is the value of PyTorch's smooth_l1_loss, Huber's loss divided by delta"
            ),
            (
                "size = np.abs(error)",
                "size = error",
            ): "the errors were compared with delta with their signs: np.abs(error) is meant",
            ("error = pred - target", "error = target - pred"): "the error is the wrong way round: pred - target",
            (".mean()", ".sum() / error.shape[1]"): "the loss was divided by D, not by N times D",
        },
    ),
    *slips(
        "02.3",
        MODELS["02.3"],
        {
            ("scores - scores[rows, labels][:, None] + margin", "scores[rows, labels][:, None] - scores + margin"): (
                "the difference is the wrong way round: the other class's score minus the true one's"
            ),
            (
                "scores - scores[rows, labels][:, None] + margin",
                "scores - scores[:, labels].max() + margin",
            ): "the labels picked whole columns",
            (
                "scores - scores[rows, labels][:, None] + margin",
                "scores - scores.max(axis=1, keepdims=True) + margin",
            ): ("the largest score was subtracted; the true class's is meant"),
            (
                "excess[rows, labels] = 0\n",
                "excess[:, labels] = 0\n",
            ): "whole columns were set to 0: only the true class of each row is left out",
            ("dscores[rows, labels] = -dscores.sum(axis=1)", "dscores[rows, labels] = -1"): (
                "the true class gets -1: it must get -1 for every class that is too close"
            ),
            ("dscores[rows, labels] = -dscores.sum(axis=1)", "dscores[rows, labels] -= 1"): (
                "the true class gets -1: it must get -1 for every class that is too close"
            ),
            ("dscores[rows, labels] = -dscores.sum(axis=1)", "dscores[rows, labels] = dscores.sum(axis=1)"): (
                "the sign at the true class is missing: its gradient is negative"
            ),
            (
                "(excess > 0).astype(scores.dtype)",
                "np.maximum(excess, 0)",
            ): "the excess itself was taken for its slope, which is 1 or 0",
            (
                "    excess[rows, labels] = 0\n",
                "",
            ): "the true class was counted against itself: it is left out of the sum",
            (
                "    loss = np.maximum(excess, 0).mean()",
                "    excess = np.where(np.arange(scores.shape[1]) < labels[:, None], excess, 0)\n    loss = np.maximum(excess, 0).mean()",
            ): ("the loop over the classes ends at the true one (break): continue leaves that one out and goes on"),
        },
    ),
    *slips(
        "02.4",
        MODELS["02.4"],
        {
            ("size + np.log1p(np.exp(-2 * size)) - np.log(2)", "np.log(np.cosh(error))"): (
                "cosh overflows: write log cosh e with |e| and the exponential of -2 |e|"
            ),
            (
                "np.tanh(error)",
                "np.sinh(error) / np.cosh(error)",
            ): "sinh and cosh overflow, one divided by the other: np.tanh does not",
            **{
                (
                    "error = pred - target",
                    f"error = np.clip(pred - target, -{most}, {most})",
                    "size + np.log1p(np.exp(-2 * size)) - np.log(2)",
                    "np.log(np.cosh(error))",
                ): f"errors beyond {most} were cut off (np.clip), and their loss with them: large errors count in full"
                for most in (50, 100, 500, 700)
            },
        },
    ),
]

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


def _log_cosh(loss="np.logaddexp(e, -e) - np.log(2)", gradient="np.tanh(e) / e.size"):
    return f"""
def log_cosh(pred, target):
    e = pred - target
    return ({loss}).mean(), {gradient}
"""


def _smoothed(
    q="(1 - smoothing) * true + smoothing / true.shape[1]",
    loss="-(q * log_p).sum(axis=1).mean()",
    gradient="(np.exp(log_p) - q) / len(q)",
):
    return f"""{LOG_SOFTMAX}

def smoothed_cross_entropy(scores, labels, smoothing):
    true = np.eye(scores.shape[1])[labels]
    log_p = log_softmax(scores)
    q = {q}
    return {loss}, {gradient}
"""


WRONG = [
    Wrong("02.5", _smoothed("true"), "nothing was smoothed"),
    Wrong(
        "02.5",
        _smoothed("(1 - smoothing) * true + smoothing / (true.shape[1] - 1) * (1 - true)"),
        "to the other classes",
    ),
    Wrong("02.5", _smoothed("(1 - smoothing) * true + smoothing / true.shape[1] * (1 - true)"), "did not get its part"),
    Wrong("02.5", _smoothed("(1 - smoothing) * true + smoothing"), "was not divided among the classes"),
    Wrong("02.5", _smoothed("smoothing * true + (1 - smoothing) / true.shape[1]"), "the two shares are exchanged"),
    Wrong("02.5", _smoothed(loss="-(q * log_p).mean()"), "it is a sum over the classes"),
    Wrong("02.5", _smoothed(loss="-(q * log_p).sum()"), "the examples were added up"),
    Wrong("02.5", _smoothed(gradient="(np.exp(log_p) - true) / len(q)"), "one-hot labels were subtracted"),
    Wrong("02.5", _smoothed(gradient="np.exp(log_p) - q"), "the division by the number of examples is missing"),
    Wrong("02.5", _smoothed(gradient="(q - np.exp(log_p)) / len(q)"), "the sign is the wrong way round"),
    Wrong("02.4", _log_cosh("np.log(np.cosh(e))"), "cosh overflows"),
    Wrong("02.4", _log_cosh("np.logaddexp(e, -e)"), "log 2 was not subtracted"),
    Wrong("02.4", _log_cosh("np.abs(e)"), "the absolute error was taken"),
    Wrong("02.4", _log_cosh(gradient="np.tanh(e)"), "the division by the number of entries is missing"),
    Wrong("02.4", _log_cosh(gradient="1 / np.cosh(e) / e.size"), "the inner derivative"),
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
    Wrong("02.1", _entropy(gradient="np.exp(log_p) / n"), "1 was not subtracted"),
    Wrong(
        "02.1",
        _entropy(gradient="np.exp(log_p) / n - np.eye(log_p.shape[1])[labels]"),
        "1 was subtracted after the division",
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
    Right(
        "02.5",
        """
def smoothed_cross_entropy(scores, labels, smoothing):
    z = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(z)
    p = e / e.sum(axis=1, keepdims=True)
    log_p = z - np.log(e.sum(axis=1, keepdims=True))
    n, c = scores.shape
    hard = -log_p[np.arange(n), labels].mean()
    flat = -log_p.mean()
    d = p - smoothing / c
    d[np.arange(n), labels] -= 1 - smoothing
    return (1 - smoothing) * hard + smoothing * flat, d / n
""",
    ),
    Right("02.4", _log_cosh()),
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

SENTENCES = {  # of the task, and the cases that test it
    "02.1": {
        r"\log p_{nc} = s_{nc} - \log \sum_j e^{s_{nj}},": ["log_softmax: values"],
        "$e^{1000}$ is infinite, so subtract the largest score of each row first": ["log_softmax: scores of any size"],
        "do not take the logarithm of a softmax": ["log_softmax: scores of any size"],
        r"$$L = -\frac1N \sum_n \log p_{n, y_n}": ["softmax_cross_entropy: the loss"],
        "is 1 for the true class and 0 for the others": ["softmax_cross_entropy: the gradient"],
        "The mean loss and its gradient with respect to the scores, (N, C).": [
            "softmax_cross_entropy: the loss",
            "softmax_cross_entropy: the gradient",
        ],
    },
    "02.2": {
        "Huber's loss squares small errors and is linear for large ones.": ["huber: the loss", "huber: the gradient"],
        r"$$L = \frac{1}{N D} \sum_{nd} h(e_{nd})": ["huber: the loss"],
        r"Find the derivative of $h$ on both sides of $\delta$ first.": ["huber: the gradient"],
    },
    "02.3": {
        "to be larger than every other score by a margin $m$": ["hinge: the loss"],
        "The true class itself is left out of the sum.": ["hinge: the loss"],
        "the mean is over the examples and the classes": ["hinge: the loss", "hinge: the gradient"],
        "Each class that is too close gives 1 to its own score and −1 to the score of the true class": [
            "hinge: the gradient"
        ],
        "`hinge(scores, labels, margin)` returns the loss and the gradient": ["hinge: the loss", "hinge: the gradient"],
    },
    "02.4": {
        r"\log\cosh(e_{nd}), \qquad e = p - t.": ["log_cosh: the loss"],
        "Derive its gradient.": ["log_cosh: the gradient"],
        "which returns the loss and the gradient": ["log_cosh: the loss", "log_cosh: the gradient"],
        "the formula overflows at an error of 800": ["log_cosh: errors of any size"],
        "with errors of 0.001, 1 and 1000": ["log_cosh: errors of any size"],
    },
    "02.5": {
        r"q_{nc} = (1 - \varepsilon)\,[c = y_n] + \frac{\varepsilon}{C}": [
            "smoothed_cross_entropy: the loss",
            "smoothed_cross_entropy: the gradient",
        ],
        r"L = -\frac1N \sum_n \sum_c q_{nc} \log p_{nc}.": ["smoothed_cross_entropy: the loss"],
        "its gradient with respect to the scores, (N, C)": ["smoothed_cross_entropy: the gradient"],
        "for scores of any size": ["smoothed_cross_entropy: the loss", "smoothed_cross_entropy: the gradient"],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "02.5": {
        "one axis is left": [
            "mean runs along axis 0 only, where all entries are meant, in loss",
        ],
    },
    "02.1": {
        "one axis is left": [
            "mean runs along axis 0 only, where all entries are meant, in loss",
        ],
    },
    "02.2": {
        "both sides agree at this point": [
            "< stands where <= is meant: size <= delta",
        ],
        "only the number of entries counts": [
            "pred was used where error is meant, in dpred",
            "size was used where error is meant, in dpred",
            "target was used where error is meant, in dpred",
        ],
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "size was used where error is meant, in loss",
            "the absolute value was compared: np.abs(size)",
        ],
    },
    "02.3": {
        "only the length, the dtype or the number of entries counts": [
            "dscores was used where scores is meant, in value 2 of what is returned",
            "excess was used where scores is meant, in dscores",
            "excess was used where scores is meant, in value 2 of what is returned",
            "labels was used where scores is meant, in dscores",
            "loss was used where scores is meant, in dscores",
            "rows was used where scores is meant, in dscores",
            "scores was used where labels is meant, in rows",
        ],
        "it is 0": [
            "the sign of excess[rows, labels] is the wrong way round",
        ],
    },
    "02.4": {
        "only the number of entries counts": [
            "pred was used where error is meant, in dpred",
            "size was used where error is meant, in dpred",
            "target was used where error is meant, in dpred",
        ],
    },
}
