"""Cases of exercise sheet 06, batch normalization."""

import warnings

import numpy as np

from coursekit.grading.cases import Right, Slip, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_parts

TITLE = "Batch normalization"


def draw(rng):
    """x (N, D) with its own mean and spread in every column, gamma (D,) and beta (D,) away from 1 and 0."""
    n, d = int(rng.integers(4, 7)), int(rng.integers(8, 11))
    x = rng.normal(0, 1, (n, d)) * rng.uniform(0.6, 3, d) + rng.uniform(1, 4, d)
    return x, rng.uniform(1.5, 3, d), rng.uniform(0.5, 2, d)


def tuple_of(result, what, *names):
    """The parts of what came back, or a message that says what is missing."""
    return expect_parts(result, names, what=what)


Q1 = question(
    "06.1",
    title="Batch norm, forward",
    minutes=8,
    hints=[
        "A mean over the examples of a batch runs along axis 0 and has the shape (D,).",
        "`x.var(axis=0)` divides by N. eps is added to it, inside the square root.",
        "`scale` has one number for each feature; `x_hat` is what is left of x without the mean, times `scale`.",
    ],
)


@case("batch_norm_forward: output")
def forward_output(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    what = "batch_norm_forward(x, gamma, beta)"
    out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta), what, "out", "cache")
    mean, var = x.mean(axis=0), x.var(axis=0)
    row_mean, row_var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    expect_equal(
        out,
        gamma * (x - mean) / np.sqrt(var + 1e-5) + beta,
        what=f"the output of {what}",
        mistakes={
            "mean and variance run along the features, one for each example: that is layer norm": gamma
            * (x - row_mean)
            / np.sqrt(row_var + 1e-5)
            + beta,
            "one mean and one variance for all of x: each feature has its own": gamma
            * (x - x.mean())
            / np.sqrt(x.var() + 1e-5)
            + beta,
            "the square root is missing: x was divided by the variance": gamma * (x - mean) / (var + 1e-5) + beta,
            "the variance has N - 1 in its denominator: the batch is normalized with N": gamma
            * (x - mean)
            / np.sqrt(x.var(axis=0, ddof=1) + 1e-5)
            + beta,
            "the mean was not subtracted": gamma * x / np.sqrt(var + 1e-5) + beta,
            "gamma and beta were left out": (x - mean) / np.sqrt(var + 1e-5),
        },
    )


@case("batch_norm_forward: the cache", points=1)
def forward_cache(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    eps = round(float(rng.uniform(0.1, 0.5)), 2)
    what = f"batch_norm_forward(x, gamma, beta, eps={eps})"
    _, cache = tuple_of(batch_norm_forward(x.copy(), gamma, beta, eps), what, "out", "cache")
    parts = expect_parts(cache, ("x_hat", "scale", "gamma"), what=f"the cache of {what}")
    mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)
    right = (x - mean) / std, 1 / std, gamma
    x_hat, scale, _ = right
    for i, name in enumerate(("x_hat", "scale", "gamma")):
        others = {
            f"the cache is in another order: {other} stands where {name} belongs": right[k]
            for k, other in enumerate(("x_hat", "scale", "gamma"))
            if k != i
        }
        if name == "scale":
            others |= {
                "scale is the standard deviation: 1 / sqrt(var + eps) is asked for": std,
                "scale kept the axis of length 1 (keepdims): its shape is (D,)": scale[None],
                "scale holds the standard deviation, and kept the axis of length 1 (keepdims)": std[None],
                "scale is the variance: 1 / sqrt(var + eps) is asked for": x.var(axis=0),
                "scale is 1 / (var + eps): the square root is missing": scale**2,
                "gamma was multiplied into scale": gamma * scale,
            }
        if name == "x_hat":
            others |= {
                "x - mean was kept, not divided by the deviation": x - mean,
                "x itself was kept, not normalized": x,
                "the output was kept: x_hat is without gamma and beta": gamma * x_hat + beta,
                "gamma was multiplied into x_hat": gamma * x_hat,
            }
        if name == "gamma":
            others |= {"beta was kept in place of gamma": beta, "gamma was multiplied by scale": gamma * scale}
        expect_equal(parts[i], right[i], what=f"{name} in the cache of {what}", mistakes=others)


@case("batch_norm_forward: where eps stands")
def forward_eps(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    eps = round(float(rng.uniform(0.5, 1.5)), 2)
    what = f"batch_norm_forward(x, gamma, beta, eps={eps})"
    out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta, eps), what, "out", "cache")
    mean, var = x.mean(axis=0), x.var(axis=0)
    expect_equal(
        out,
        gamma * (x - mean) / np.sqrt(var + eps) + beta,
        what=f"the output of {what}",
        mistakes={
            "eps stands outside the square root": gamma * (x - mean) / (np.sqrt(var) + eps) + beta,
            "eps was left out": gamma * (x - mean) / np.sqrt(var) + beta,
            "eps is fixed at 1e-5": gamma * (x - mean) / np.sqrt(var + 1e-5) + beta,
        },
    )


@case("batch_norm_forward: a feature that does not vary")
def forward_constant(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    x[:, 0] = 2.0
    what = "batch_norm_forward(x, gamma, beta) with a constant column"
    with np.errstate(divide="ignore", invalid="ignore"):
        out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta), what, "out", "cache")
    expect_equal(
        out,
        gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) + beta,
        what=f"the output of {what}",
    )


Q2 = question(
    "06.2",
    title="Two modes",
    minutes=12,
    hints=[
        "In eval mode mean and variance come from `running`, whatever is in the batch.",
        "momentum is the weight of the *new* batch: `(1 - momentum) * old + momentum * new`.",
        'A new dict: `running = {"mean": ..., "var": ...}`. Writing to `running["mean"]` would change the caller\'s.',
    ],
)


def running_of(rng, d):
    return {"mean": rng.uniform(-2, 2, d), "var": rng.uniform(0.5, 4, d)}


def asked(batch_norm, x, gamma, beta, running, training, *settings):
    what = f"batch_norm(x, gamma, beta, running, training={training})"
    given = {name: value.copy() for name, value in running.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy warns of the variance of one example; the answer is what counts
        result = batch_norm(x.copy(), gamma, beta, given, training, *settings)
    out, after = tuple_of(result, what, "out", "running")
    return out, after, given, what


@case("batch_norm: eval mode uses the running statistics")
def eval_output(batch_norm, *, rng):
    x, gamma, beta = draw(rng)
    running = running_of(rng, x.shape[1])
    out, after, _, what = asked(batch_norm, x, gamma, beta, running, False)
    mean, var = x.mean(axis=0), x.var(axis=0)
    mixed = 0.9 * running["mean"] + 0.1 * mean, 0.9 * running["var"] + 0.1 * x.var(axis=0, ddof=1)
    expect_equal(
        out,
        gamma * (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) + beta,
        what=f"the output of {what}",
        mistakes={
            "the batch's own statistics were used in eval mode": gamma * (x - mean) / np.sqrt(var + 1e-5) + beta,
            "the running statistics were updated first": gamma * (x - mixed[0]) / np.sqrt(mixed[1] + 1e-5) + beta,
            "the running variance was taken for a standard deviation": gamma * (x - running["mean"]) / running["var"]
            + beta,
        },
    )
    expect_equal(
        after,
        running,
        what=f"the running statistics after {what}",
        mistakes={"the running statistics moved in eval mode": {"mean": mixed[0], "var": mixed[1]}},
    )


@case("batch_norm: eval mode, one example")
def eval_single(batch_norm, *, rng):
    x, gamma, beta = draw(rng)
    x, running = x[:1], running_of(rng, x.shape[1])
    out, _, _, what = asked(batch_norm, x, gamma, beta, running, False)
    expect_equal(
        out,
        gamma * (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) + beta,
        what=f"the output of {what} with a single example",
        mistakes={"the batch's own statistics were used: of a single example only beta is left": np.tile(beta, (1, 1))},
    )


@case("batch_norm: training mode")
def training_mode(batch_norm, *, rng):
    x, gamma, beta = draw(rng)
    running, momentum = running_of(rng, x.shape[1]), round(float(rng.uniform(0.15, 0.4)), 2)
    out, after, _, what = asked(batch_norm, x, gamma, beta, running, True, momentum)
    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)

    def moved(m, v):
        return {"mean": (1 - m) * running["mean"] + m * mean, "var": (1 - m) * running["var"] + m * v}

    new = moved(momentum, var)
    expect_equal(
        out,
        gamma * (x - mean) / np.sqrt(x.var(axis=0) + 1e-5) + beta,
        what=f"the output of {what}",
        mistakes={
            "the running statistics were used in training mode": gamma
            * (x - running["mean"])
            / np.sqrt(running["var"] + 1e-5)
            + beta,
            "the updated running statistics were used in training mode": gamma
            * (x - new["mean"])
            / np.sqrt(new["var"] + 1e-5)
            + beta,
        },
    )
    expect_equal(
        after,
        new,
        what=f"the running statistics after {what} with momentum={momentum}",
        mistakes={
            "momentum and 1 - momentum are the wrong way round (Keras has them so)": moved(1 - momentum, var),
            "the running variance took the biased variance: use ddof=1": moved(momentum, x.var(axis=0)),
            "the running statistics did not move": running,
            "the running statistics were replaced by the batch's": {"mean": mean, "var": var},
            "the running statistics are fixed on a momentum of 0.1": moved(0.1, var),
        },
    )


Q3 = question(
    "06.3",
    title="Batch norm, backward",
    minutes=15,
    hints=[
        "The cache is the triple that 06.1 returned; unpack it. dgamma and dbeta are sums over the examples, axis 0.",
        "N is the number of examples, `len(dout)`.",
        "Each $x_{nd}$ also moves the mean and the variance of its batch: that makes the two terms that are subtracted.",
    ],
)


@case("batch_norm_backward: gradients")
def backward(batch_norm_backward, *, rng):
    x, gamma, _ = draw(rng)
    dout = rng.uniform(0.3, 2, x.shape) * rng.choice([-1, 1], x.shape)
    mean, var = x.mean(axis=0), x.var(axis=0)
    cache = ((x - mean) / np.sqrt(var + 1e-5), 1 / np.sqrt(var + 1e-5), gamma)  # as 06.1 describes it
    what = "batch_norm_backward(dout, cache)"
    dx, dgamma, dbeta = tuple_of(batch_norm_backward(dout, cache), what, "dx", "dgamma", "dbeta")
    n, scale = len(x), 1 / np.sqrt(x.var(axis=0) + 1e-5)
    x_hat = (x - x.mean(axis=0)) * scale
    right_gamma, right_beta = (dout * x_hat).sum(axis=0), dout.sum(axis=0)
    expect_equal(
        dgamma,
        right_gamma,
        what=f"dgamma of {what}",
        mistakes={
            "a mean over the batch was taken, not a sum": right_gamma / n,
            "dgamma and dbeta are the wrong way round": right_beta,
            "dout times gamma times x_hat: gamma has no place in its own gradient": gamma * right_gamma,
        },
    )
    expect_equal(
        dbeta,
        right_beta,
        what=f"dbeta of {what}",
        mistakes={"a mean over the batch was taken, not a sum": right_beta / n},
    )
    factor = gamma * scale
    expect_equal(
        dx,
        factor * (dout - right_beta / n - x_hat * right_gamma / n),
        what=f"dx of {what}",
        mistakes={
            "mean and variance were taken for constants: that is the gradient of eval mode": factor * dout,
            "the path through the variance is missing": factor * (dout - right_beta / n),
            "the path through the mean is missing": factor * (dout - x_hat * right_gamma / n),
            "gamma is missing": scale * (dout - right_beta / n - x_hat * right_gamma / n),
            "1 / N is missing before the sums": factor * (dout - right_beta - x_hat * right_gamma),
            "the scale 1 / sqrt(var + eps) is missing": gamma * (dout - right_beta / n - x_hat * right_gamma / n),
        },
    )


@case("batch_norm_backward: gradients, other inputs", hidden=True)
def backward_again(batch_norm_backward, *, rng):
    backward(batch_norm_backward, rng=rng)


Q4 = question(
    "06.4",
    title="After the training",
    minutes=12,
    hints=[
        "In eval mode $\\gamma (z - \\mu) / \\sqrt{\\sigma^2 + \\epsilon} + \\beta$ is a factor times z, plus a number.",
        "The factor belongs to a unit, and a unit is a column of w: `w * factor` multiplies column by column.",
        "What would the answer for one example depend on, if the batch were looked at? Change that, and only that.",
    ],
)


@case("fold: the same answers without batch norm", points=2)
def fold_answers(fold, *, rng):
    n, d, m = (int(k) for k in rng.choice(np.arange(3, 9), size=3, replace=False))
    x, w, b = rng.standard_normal((n, d)), rng.standard_normal((d, m)), rng.standard_normal(m)
    gamma, beta, running = rng.uniform(0.5, 2, m), rng.standard_normal(m), running_of(rng, m)
    eps = round(float(rng.uniform(0.1, 0.5)), 2)
    what = "fold(w, b, gamma, beta, running, eps)"
    w2, b2 = tuple_of(fold(w, b, gamma, beta, running, eps), what, "w2", "b2")
    scale = gamma / np.sqrt(running["var"] + eps)
    bare = gamma / np.sqrt(running["var"])
    expect_equal(
        w2,
        w * scale,
        what=f"w2 of {what}",
        mistakes={
            "eps was left out": w * bare,
            "gamma was left out": w / np.sqrt(running["var"] + eps),
            "the square root is missing": w * gamma / (running["var"] + eps),
            "eps was added to the root, not to the variance": w * gamma / (np.sqrt(running["var"]) + eps),
        },
    )
    mean = running["mean"]
    expect_equal(
        b2,
        (b - mean) * scale + beta,
        what=f"b2 of {what}",
        mistakes={
            "the mean was not multiplied by the factor": b * scale - mean + beta,
            "the old bias was not multiplied by the factor": b - mean * scale + beta,
            "the old bias was left out": beta - mean * scale,
            "the running mean was left out": b * scale + beta,
            "beta was left out": (b - mean) * scale,
            "the mean was added, not subtracted": (b + mean) * scale + beta,
            "beta was multiplied by the factor as well": (b - mean + beta) * scale,
        },
    )
    z = x @ w + b
    out = gamma * (z - running["mean"]) / np.sqrt(running["var"] + eps) + beta
    expect_equal(x @ w2 + b2, out, what="x @ w2 + b2")


def closed_layer(rng, kind):
    """A layer that can only be called."""
    d = int(rng.integers(4, 8))
    gamma, beta, running = rng.uniform(0.5, 2, d), rng.standard_normal(d), running_of(rng, d)

    def layer(x):
        if kind == "training":
            mean, var = x.mean(axis=0), x.var(axis=0)
        elif kind == "layer norm":
            mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        elif kind == "mean only":
            mean, var = x.mean(axis=0), running["var"]
        else:
            mean, var = running["mean"], running["var"]
        return gamma * (x - mean) / np.sqrt(var + 1e-5) + beta

    return layer, d


@case("forgot_eval: batch norm in both modes", points=2)
def forgot_modes(forgot_eval, *, rng):
    told(forgot_eval, ("eval", "training", "training", "eval"), rng)


@case("forgot_eval: layers that are built otherwise")
def forgot_others(forgot_eval, *, rng):
    told(forgot_eval, ("layer norm", "mean only", "eval"), rng)


@case("forgot_eval: layers that are built otherwise, other inputs", hidden=True)
def forgot_others_again(forgot_eval, *, rng):
    forgot_others(forgot_eval, rng=rng)


def told(forgot_eval, kinds, rng):
    for i in rng.permutation(len(kinds)):
        kind = kinds[i]
        layer, d = closed_layer(rng, kind)
        words = {
            "training": "batch norm in training mode",
            "eval": "batch norm in eval mode",
            "layer norm": "layer norm, which looks at one example at a time",
            "mean only": "a layer that subtracts the mean of the batch",
        }[kind]
        expect_equal(
            forgot_eval(layer, d),
            kind in ("training", "mean only"),
            what=f"forgot_eval(layer, {d}) of {words}",
            mistakes={
                "True came for a layer that does not look at the batch": True,
                "False came for a layer that does look at the batch": False,
            },
        )


Q5 = question(
    "06.5",
    title="RMSNorm, backward",
    minutes=15,
    hints=[
        "Call $d\\hat x = d\\text{out}\\, \\gamma$ and $\\hat x = x / r$. Through the numerator alone the gradient is $d\\hat x / r$.",
        "$r$ serves all D features of its example, so its gradient is a sum over them: $dr = -\\sum_d d\\hat x_d\\, x_d / r^2$.",
        "$\\partial r / \\partial x_d = x_d / (D r)$. Put the two together; what is left of D is the mean of a product.",
    ],
)


@case("rms_norm_backward: gradients", points=3)
def rms_gradients(rms_norm_backward, *, rng):
    n, d = int(rng.integers(4, 7)), int(rng.integers(8, 11))
    x, dout = rng.normal(0.5, 1.5, (n, d)), rng.uniform(0.3, 2, (n, d)) * rng.choice([-1, 1], (n, d))
    gamma, eps = rng.uniform(1.5, 3, d), round(float(rng.uniform(0.1, 0.5)), 2)
    what = "rms_norm_backward(dout, x, gamma, eps)"
    dx, dgamma = tuple_of(rms_norm_backward(dout, x, gamma, eps), what, "dx", "dgamma")
    r = np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)
    x_hat, g = x / r, dout * gamma
    expect_equal(
        dgamma,
        (dout * x_hat).sum(axis=0),
        what=f"dgamma of {what}",
        mistakes={
            "a mean over the batch was taken, not a sum": (dout * x_hat).mean(axis=0),
            "x was taken and not x divided by r": (dout * x).sum(axis=0),
            "gamma has no place in its own gradient": (g * x_hat).sum(axis=0),
        },
    )

    def mean(a):
        return a.mean(axis=1, keepdims=True)

    bare = np.sqrt(mean(x**2))
    expect_equal(
        dx,
        (g - x_hat * mean(g * x_hat)) / r,
        what=f"dx of {what}",
        mistakes={
            "r was taken for a constant: x also reaches the outputs through r": g / r,
            "gamma is missing": (dout - x_hat * mean(dout * x_hat)) / r,
            "gamma is missing in the second part": (g - x_hat * mean(dout * x_hat)) / r,
            "gamma stands outside the mean: it differs from feature to feature": (
                g - gamma * x_hat * mean(dout * x_hat)
            )
            / r,
            "a sum over the features was taken where a mean is due": (
                g - x_hat * (g * x_hat).sum(axis=1, keepdims=True)
            )
            / r,
            "the two parts were added: the second one is subtracted": (g + x_hat * mean(g * x_hat)) / r,
            "that is layer norm's: RMSNorm subtracts no mean": (g - mean(g) - x_hat * mean(g * x_hat)) / r,
            "eps was left out": (g - x / bare * mean(g * x / bare)) / bare,
            "the division by r is missing": g - x_hat * mean(g * x_hat),
            "the mean runs over the batch: each example has its own r": (g - x_hat * (g * x_hat).mean(axis=0)) / r,
        },
    )


@case("rms_norm_backward: gradients, other inputs", hidden=True)
def rms_gradients_again(rms_norm_backward, *, rng):
    rms_gradients(rms_norm_backward, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "06.1": """
def batch_norm_forward(x, gamma, beta, eps=1e-05):
    mean = x.mean(axis=0)
    scale = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - mean) * scale
    out = gamma * x_hat + beta
    return (out, (x_hat, scale, gamma))
""",
    "06.2": """
def batch_norm(x, gamma, beta, running, training, momentum=0.1, eps=1e-05):
    if training:
        mean, var = (x.mean(axis=0), x.var(axis=0))
        running = {'mean': (1 - momentum) * running['mean'] + momentum * mean, 'var': (1 - momentum) * running['var'] + momentum * x.var(axis=0, ddof=1)}
    else:
        mean, var = (running['mean'], running['var'])
    return (gamma * (x - mean) / np.sqrt(var + eps) + beta, running)
""",
    "06.3": """
def batch_norm_backward(dout, cache):
    x_hat, scale, gamma = cache
    dgamma, dbeta = ((dout * x_hat).sum(axis=0), dout.sum(axis=0))
    dx = gamma * scale * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout))
    return (dx, dgamma, dbeta)
""",
    "06.4": """
def fold(w, b, gamma, beta, running, eps):
    scale = gamma / np.sqrt(running['var'] + eps)
    return (w * scale, (b - running['mean']) * scale + beta)

def forgot_eval(layer, d):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((8, d))
    other = x.copy()
    other[1:] = 10 * rng.standard_normal((7, d)) + 5
    return not np.allclose(layer(x)[0], layer(other)[0])
""",
    "06.5": """
def rms_norm_backward(dout, x, gamma, eps):
    r = np.sqrt((x ** 2).mean(axis=1, keepdims=True) + eps)
    x_hat = x / r
    dx_hat = dout * gamma
    dx = (dx_hat - x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)) / r
    return (dx, (dout * x_hat).sum(axis=0))
""",
}

SLIPS = [
    *slips(
        "06.1",
        MODELS["06.1"],
        {
            (
                "1 / np.sqrt(x.var(axis=0) + eps)",
                "(1 / np.sqrt(x.var(axis=0) + eps)).round(4)",
                "(x - mean) * scale",
                "((x - mean) * scale).round(4)",
            ): ("the numbers were rounded: nothing in between is to be rounded"),
            ("1 / np.sqrt(x.var(axis=0) + eps)", "1 / (x.std(axis=0) + eps)"): "eps stands outside the square root",
            (
                "1 / np.sqrt(x.var(axis=0) + eps)",
                "np.sqrt(x.var(axis=0) + eps)",
            ): "x was multiplied by the standard deviation, not divided",
            (
                "x.var(axis=0)",
                "x.var(axis=0, ddof=1)",
            ): "the variance has N - 1 in its denominator: the batch is normalized with N",
            (
                "out = gamma * x_hat + beta",
                "out = gamma * (x_hat + beta)",
            ): "brackets stand around x_hat + beta: beta is not multiplied by gamma",
            ("out = gamma * x_hat + beta", "out = beta * x_hat + gamma"): "gamma and beta are the wrong way round",
        },
    ),
    *slips(
        "06.2",
        MODELS["06.2"],
        {
            (
                "'var': (1 - momentum) * running['var'] + momentum * x.var(axis=0, ddof=1)",
                "'var': momentum * running['var'] + (1 - momentum) * x.var(axis=0, ddof=1)",
            ): ("momentum and 1 - momentum are the wrong way round for the variance"),
            (
                "'mean': (1 - momentum) * running['mean'] + momentum * mean",
                "'mean': momentum * running['mean'] + (1 - momentum) * mean",
            ): ("momentum and 1 - momentum are the wrong way round for the mean"),
            (
                "'mean': (1 - momentum) * running['mean'] + momentum * mean",
                "'mean': momentum * running['mean'] + (1 - momentum) * mean",
                "(1 - momentum) * running['var'] + momentum * x.var(axis=0, ddof=1)",
                "momentum * running['var'] + (1 - momentum) * x.var(axis=0)",
            ): ("momentum and 1 - momentum are the wrong way round (Keras has them so), and the variance lacks ddof=1"),
            (
                "momentum * x.var(axis=0, ddof=1)",
                "momentum * x.std(axis=0, ddof=1)",
            ): "the standard deviation was stored as the running variance: the square is missing",
            (
                "momentum * x.var(axis=0, ddof=1)",
                "momentum * x.var(axis=0)",
            ): "the running variance took the biased variance: use ddof=1",
            ("mean, var = (x.mean(axis=0), x.var(axis=0))", "mean, var = (x.mean(axis=0), x.var(axis=0, ddof=1))"): (
                "the batch was normalized with ddof=1: that is for the running variance alone; the batch is divided by N"
            ),
            ("'var': (1", "'variance': (1"): 'a key of the running statistics is misspelt: "mean" and "var"',
            (
                "    else:\n        mean, var = (running['mean'], running['var'])",
                "    mean, var = (running['mean'], running['var'])",
            ): ("the line for eval mode stands outside the else: it replaces mean and var in training too"),
            (
                "running = {'mean': (1 - momentum) * running['mean'] + momentum * mean, 'var': (1 - momentum) * running['var'] + momentum * x.var(axis=0, ddof=1)}",
                "running = {'mean': mean, 'var': x.var(axis=0, ddof=1)}",
            ): ("the running statistics were replaced by the batch's: they only move towards them"),
            (
                "running = {'mean': (1 - momentum) * running['mean'] + momentum * mean, 'var': (1 - momentum) * running['var'] + momentum * x.var(axis=0, ddof=1)}",
                "running = {'mean': running['mean'] + momentum * mean, 'var': running['var'] + momentum * x.var(axis=0, ddof=1)}",
            ): ("the factor 1 - momentum before the old statistics is missing"),
            ("if training", "if not training"): "training and eval mode are the wrong way round",
        },
    ),
    Slip(
        "06.2",
        MODELS["06.2"].replace("'var': (1", "'variance': (1").replace("running['var'])", "running.get('var'))"),
        'a key of the running statistics is misspelt: "mean" and "var"',
    ),
    *slips(
        "06.3",
        MODELS["06.3"],
        {
            (
                "dbeta / len(dout) - x_hat * dgamma / len(dout)",
                "dbeta / dout.shape[1] - x_hat * dgamma / dout.shape[1]",
            ): ("the sums were divided by D, the number of features: N is the number of examples, len(dout)"),
            (
                "- x_hat * dgamma / len(dout)",
                "+ x_hat * dgamma / len(dout)",
            ): "the last term has a plus: both terms are subtracted",
            ("- x_hat * dgamma / len(dout)", "- dgamma / len(dout)"): "x_hat is missing in the last term",
            ("gamma * scale *", "gamma / scale *"): "dx was divided by scale, which is one over the deviation already",
            ("gamma * scale *", "scale *"): "gamma is missing in dx",
            (
                "gamma * scale * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout))",
                "scale * (dout - dbeta / len(dout) - x_hat * dgamma / len(dout))",
            ): "gamma is missing in dx",
            (
                "x_hat, scale, gamma = cache",
                "x_hat, gamma, scale = cache",
            ): "the cache was unpacked in another order: it is (x_hat, scale, gamma)",
            (
                "(dout * x_hat).sum(axis=0), dout.sum(axis=0))",
                "(dout * x_hat).sum(axis=0, keepdims=True), dout.sum(axis=0, keepdims=True))",
            ): ("the summed axis was kept (keepdims): dgamma and dbeta have the shape (D,)"),
            (
                "(dout * x_hat).sum(axis=0), dout.sum(axis=0))",
                "(dout * x_hat).sum(axis=1), dout.sum(axis=1))",
            ): "the sums run over the features, axis 1: axis 0 is over the examples",
        },
    ),
    *slips(
        "06.4",
        MODELS["06.4"],
        {
            ("w * scale", "w * scale[:, None]"): "the rows of w were multiplied: a unit is a column",
            ("other[1:] =", "other[0] ="): "the example itself was changed: then every layer gives something else",
            ("return not np", "return np"): "True and False are the wrong way round",
            (
                "layer(x)[0], layer(other)[0]",
                "layer(x), layer(other)",
            ): "the examples that were changed were compared too: then every layer gives something else",
        },
    ),
    *slips(
        "06.5",
        MODELS["06.5"],
        {
            (
                "(x ** 2).mean(axis=1, keepdims=True)",
                "(x ** 2).sum(axis=1, keepdims=True) / len(x)",
                "(dx_hat * x_hat).mean(axis=1, keepdims=True)",
                "(dx_hat * x_hat).sum(axis=1, keepdims=True) / len(x)",
            ): "it was divided by N, the number of examples: the mean runs over the D features of an example",
            ("(x ** 2).mean(axis=1, keepdims=True)", "(x ** 2).sum(axis=1, keepdims=True) / len(x)"): (
                "r was divided by N, the number of examples: its mean runs over the D features of an example"
            ),
            (
                "(dx, (dout * x_hat).sum(axis=0))",
                "((dout * x_hat).sum(axis=0), dx)",
            ): "dx and dgamma are the wrong way round",
            ("keepdims=True)) / r", "keepdims=True)) * r"): "dx was multiplied by r, not divided",
            (
                "r = np.sqrt(",
                "x = x - x.mean(axis=1, keepdims=True)\n    r = np.sqrt(",
                "dx = (dx_hat -",
                "dx = (dx_hat - dx_hat.mean(axis=1, keepdims=True) -",
            ): "the mean was subtracted, as layer norm does: RMSNorm subtracts nothing",
            (
                "r = np.sqrt(",
                "x = x - x.mean(axis=1, keepdims=True)\n    r = np.sqrt(",
            ): "the mean of each example was subtracted: RMSNorm subtracts nothing",
            ("dx = (dx_hat -", "dx = (dx_hat - dx_hat.mean(axis=1, keepdims=True) -"): (
                "the mean of the gradient was subtracted, as in layer norm: RMSNorm's mean is never formed"
            ),
            ("x_hat * (dx_hat", "2 * x_hat * (dx_hat"): (
                "the way through r has a factor 2 too many: the 2 of the square and the 1/2 of the root cancel"
            ),
            ("x_hat * (dx_hat", "0.5 * x_hat * (dx_hat"): (
                "the way through r has a factor 1/2 too many: the 2 of the square and the 1/2 of the root cancel"
            ),
        },
    ),
]


def _forward(mean="x.mean(axis=0)", scale="1 / np.sqrt(x.var(axis=0) + eps)", out="gamma * x_hat + beta"):
    return f"""
def batch_norm_forward(x, gamma, beta, eps=1e-5):
    scale = {scale}
    x_hat = (x - {mean}) * scale
    return {out}, (x_hat, scale, gamma)
"""


def _rms(
    dx="(g - x_hat * (g * x_hat).mean(axis=1, keepdims=True)) / r", dgamma="(dout * x_hat).sum(axis=0)", eps="eps"
):
    return f"""
def rms_norm_backward(dout, x, gamma, eps):
    r = np.sqrt((x * x).mean(axis=1, keepdims=True) + {eps})
    x_hat, g = x / r, dout * gamma
    return {dx}, {dgamma}
"""


def _modes(
    chosen="x.mean(axis=0), x.var(axis=0)",
    otherwise='running["mean"], running["var"]',
    new='(1 - momentum) * running["mean"] + momentum * x.mean(axis=0)',
    new_var='(1 - momentum) * running["var"] + momentum * x.var(axis=0, ddof=1)',
    update="if training:",
):
    return f"""
def batch_norm(x, gamma, beta, running, training, momentum=0.1, eps=1e-5):
    mean, var = ({chosen}) if training else ({otherwise})
    {update}
        running = {{"mean": {new}, "var": {new_var}}}
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, running
"""


def _backward(
    dx="gamma * scale * (dout - dbeta / n - x_hat * dgamma / n)",
    dgamma="(dout * x_hat).sum(axis=0)",
    dbeta="dout.sum(axis=0)",
    back="dx, dgamma, dbeta",
):
    return f"""
def batch_norm_backward(dout, cache):
    x_hat, scale, gamma = cache
    n = len(dout)
    dgamma, dbeta = {dgamma}, {dbeta}
    dx = {dx}
    return {back}
"""


def _fold(w="w * s", b="(b - running['mean']) * s + beta", var="running['var'] + eps"):
    return f"""
def fold(w, b, gamma, beta, running, eps):
    s = gamma / np.sqrt({var})
    return {w}, {b}
"""


def _forgot(answer="abs(layer(np.vstack([x, 5 + 9 * x]))[:3] - layer(x)).max() > 1e-6"):
    return f"""
def forgot_eval(layer, d):
    x = np.random.default_rng(1).standard_normal((3, d))
    return {answer}
"""


WRONG = [
    Wrong(
        "06.1", _forward().replace("(x_hat, scale, gamma)", "(scale, x_hat, gamma)"), "the cache is in another order"
    ),
    Wrong(
        "06.1",
        _forward().replace("(x_hat, scale, gamma)", "(x_hat, 1 / scale, gamma)"),
        "scale is the standard deviation",
    ),
    Wrong(
        "06.1", _forward().replace("(x_hat, scale, gamma)", "(x - x.mean(axis=0), scale, gamma)"), "x - mean was kept"
    ),
    Wrong("06.4", _fold(var="running['var']"), "eps was left out"),
    Wrong("06.4", _fold(b="b * s - running['mean'] + beta"), "the mean was not multiplied by the factor"),
    Wrong("06.4", _fold(b="beta - running['mean'] * s"), "the old bias was left out"),
    Wrong("06.4", _forgot("abs(layer(x).mean(axis=0)).max() < 5"), "True came for a layer"),
    Wrong("06.4", _forgot("False"), "False came for a layer"),
    Wrong(
        "06.1",
        _forward("x.mean(axis=1, keepdims=True)", "1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)"),
        "that is layer norm",
    ),
    Wrong("06.1", _forward("x.mean()", "1 / np.sqrt(x.var() + eps)"), "each feature has its own"),
    Wrong("06.1", _forward(scale="1 / (x.var(axis=0) + eps)"), "the square root is missing"),
    Wrong("06.1", _forward(scale="1 / np.sqrt(x.var(axis=0, ddof=1) + eps)"), "N - 1 in its denominator"),
    Wrong("06.1", _forward(mean="0"), "the mean was not subtracted"),
    Wrong("06.1", _forward(out="x_hat"), "gamma and beta were left out"),
    Wrong("06.1", _forward(scale="1 / (np.sqrt(x.var(axis=0)) + eps)"), "eps stands outside the square root"),
    Wrong("06.1", _forward(scale="1 / np.sqrt(x.var(axis=0) + 1e-5)"), "eps is fixed at 1e-5"),
    Wrong("06.1", _forward().replace("return ", "result = "), "a return is missing"),
    Wrong("06.2", _modes(otherwise="x.mean(axis=0), x.var(axis=0)"), "the batch's own statistics were used in eval"),
    Wrong("06.2", _modes(chosen='running["mean"], running["var"]'), "the running statistics were used in training"),
    Wrong("06.2", _modes(update="if True:"), "the running statistics moved in eval mode"),
    Wrong(
        "06.2",
        _modes(
            new='momentum * running["mean"] + (1 - momentum) * x.mean(axis=0)',
            new_var='momentum * running["var"] + (1 - momentum) * x.var(axis=0, ddof=1)',
        ),
        "the wrong way round",
    ),
    Wrong(
        "06.2",
        _modes(new_var='(1 - momentum) * running["var"] + momentum * x.var(axis=0)'),
        "use ddof=1",
    ),
    Wrong("06.2", _modes(update="if False:"), "the running statistics did not move"),
    Wrong("06.2", _modes().replace("+ beta, running", "+ beta"), "asked for are 2, (out, running)"),
    Wrong("06.3", _backward(dx="gamma * scale * dout"), "the gradient of eval mode"),
    Wrong("06.3", _backward(dx="gamma * scale * (dout - dbeta / n)"), "the path through the variance is missing"),
    Wrong("06.3", _backward(dx="gamma * scale * (dout - x_hat * dgamma / n)"), "the path through the mean is missing"),
    Wrong("06.3", _backward(dx="scale * (dout - dbeta / n - x_hat * dgamma / n)"), "gamma is missing"),
    Wrong("06.3", _backward(dx="gamma * scale * (dout - dbeta - x_hat * dgamma)"), "1 / N is missing"),
    Wrong(
        "06.3",
        _backward(dgamma="(dout * x_hat).mean(axis=0)"),
        "a mean over the batch was taken, not a sum",
    ),
    Wrong("06.3", _backward(back="dx, dbeta, dgamma"), "the wrong way round"),
    Wrong("06.3", _backward(back="dx"), "asked for are 3, (dx, dgamma, dbeta)"),
    Wrong("06.5", _rms(dx="g / r"), "r was taken for a constant"),
    Wrong("06.5", _rms(dx="(g - x_hat * (g * x_hat).sum(axis=1, keepdims=True)) / r"), "where a mean is due"),
    Wrong("06.5", _rms(dx="(dout - x_hat * (dout * x_hat).mean(axis=1, keepdims=True)) / r"), "gamma is missing"),
    Wrong(
        "06.5",
        _rms(dx="(g - g.mean(axis=1, keepdims=True) - x_hat * (g * x_hat).mean(axis=1, keepdims=True)) / r"),
        "that is layer norm's",
    ),
    Wrong("06.5", _rms(eps="0"), "the term eps is missing in r"),
    Wrong("06.5", _rms(dgamma="(dout * x_hat).mean(axis=0)"), "a mean over the batch was taken, not a sum"),
]

RIGHT = [
    Right("06.5", _rms()),
    Right(
        "06.5",
        """
def rms_norm_backward(dout, x, gamma, eps):
    d = x.shape[1]
    r = ((x**2).sum(axis=1) / d + eps) ** 0.5
    dr = -(dout * gamma * x).sum(axis=1) / r**2
    dx = dout * gamma / r[:, None] + dr[:, None] * x / (d * r[:, None])
    return dx, np.einsum("nd,nd->d", dout, x / r[:, None])
""",
    ),
    Right(
        "06.4", _fold() + _forgot("bool(" + "abs(layer(np.vstack([x, 5 + 9 * x]))[:3] - layer(x)).max() > 1e-6" + ")")
    ),
    Right("06.1", _forward()),
    Right(
        "06.1",
        """
def batch_norm_forward(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=0, keepdims=True)
    centred = x - mean
    scale = (np.mean(centred**2, axis=0) + eps) ** -0.5
    x_hat = np.einsum("nd,d->nd", centred, scale)
    return x_hat * gamma[None] + beta[None], (x_hat, scale, gamma)
""",
    ),
    Right("06.2", _modes()),
    Right(
        "06.2",
        """
def batch_norm(x, gamma, beta, running, training, momentum=0.1, eps=1e-5):
    if not training:
        return gamma * ((x - running["mean"]) / (running["var"] + eps) ** 0.5) + beta, running
    n = len(x)
    mean, var = x.sum(axis=0) / n, x.var(axis=0)
    fresh = dict(running)
    fresh["mean"] = running["mean"] + momentum * (mean - running["mean"])
    fresh["var"] = running["var"] + momentum * (var * n / (n - 1) - running["var"])
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, fresh
""",
    ),
    Right("06.3", _forward() + _backward()),
    Right(
        "06.3",
        _forward()
        + """
def batch_norm_backward(dout, cache):
    x_hat, scale, gamma = cache
    dx_hat = dout * gamma
    centred = x_hat / scale
    dscale = (dx_hat * centred).sum(axis=0)
    dvar = -0.5 * dscale * scale**3
    dcentred = dx_hat * scale + dvar * 2 * centred / len(dout)
    dx = dcentred - dcentred.mean(axis=0)
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
""",
    ),
]

SENTENCES = {  # of the task, and the cases that test it
    "06.1": {
        "takes mean and variance of each *feature* over the examples of the batch": ["batch_norm_forward: output"],
        r"{\sqrt{\sigma_d^2 + \epsilon}}.$$": [
            "batch_norm_forward: where eps stands",
            "batch_norm_forward: a feature that does not vary",
        ],
        "the normalized values, one over the standard deviation of each feature, and gamma": [
            "batch_norm_forward: the cache"
        ],
    },
    "06.2": {
        "its answer must not depend on its neighbours": ["batch_norm: eval mode, one example"],
        "normalize with the batch's mean and variance, and move the running ones towards them": [
            "batch_norm: training mode"
        ],
        "The running variance takes the variance with $N - 1$ in the denominator": ["batch_norm: training mode"],
        "The batch itself is normalized with $N$.": ["batch_norm: training mode"],
        "normalize with the running statistics, and leave them as they are": [
            "batch_norm: eval mode uses the running statistics",
            "batch_norm: eval mode, one example",
        ],
        "the one that you were given must not change": ["batch_norm: training mode"],
        "Return `(out, running)`.": ["batch_norm: eval mode uses the running statistics", "batch_norm: training mode"],
    },
    "06.3": {
        r"d\gamma_d &= \sum_n d\text{out}_{nd}\, \hat x_{nd}": ["batch_norm_backward: gradients"],
        "It returns `(dx, dgamma, dbeta)`.": ["batch_norm_backward: gradients"],
    },
    "06.4": {
        "for which `x @ w2 + b2` is what batch norm in eval mode makes of `x @ w + b`, for every `x`": [
            "fold: the same answers without batch norm"
        ],
        "It returns True when the layer normalizes with the statistics of the batch that it is given": [
            "forgot_eval: batch norm in both modes",
            "forgot_eval: layers that are built otherwise",
        ],
        "and False when it does not": [
            "forgot_eval: batch norm in both modes",
            "forgot_eval: layers that are built otherwise",
        ],
        "in eval mode it is a scale and a shift that never change": ["fold: the same answers without batch norm"],
    },
    "06.5": {
        "divides each example by the root mean square of its features, and subtracts nothing": [
            "rms_norm_backward: gradients"
        ],
        "Each $x_{nd}$ reaches the outputs of its example in two ways: by itself, and through $r_n$.": [
            "rms_norm_backward: gradients"
        ],
        "It returns `(dx, dgamma)`, of the shapes of `x`, (N, D), and of `gamma`, (D,).": [
            "rms_norm_backward: gradients"
        ],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "06.3": {
        "only the length counts": [
            "x_hat was used where dout is meant, in dx",
        ],
    },
    "06.4": {
        "other changes of the batch show its mode as well": [
            "* stands where + is meant, in other[1:]",
            "+ stands where * is meant, in other[1:]",
            "- stands where + is meant, in other[1:]",
            "/ stands where * is meant, in other[1:]",
            "brackets stand around rng.standard_normal((7, d)) + 5 that do not belong there, in other[1:]",
            "random was taken where standard_normal is meant, in other[1:]",
            "random was taken where standard_normal is meant, in x",
            "the factor 10 is missing in other[1:]",
            "the factor rng.standard_normal((7, d)) is missing in other[1:]",
            "the number 1 stands where 0 is meant, in rng",
            "the number 1 stands where 10 is meant, in other[1:]",
            "the number 1 stands where 5 is meant, in other[1:]",
            "the number 1 stands where 7 is meant, in other[1:]",
            "the number 11 stands where 10 is meant, in other[1:]",
            "the number 4 stands where 5 is meant, in other[1:]",
            "the number 6 stands where 5 is meant, in other[1:]",
            "the number 9 stands where 10 is meant, in other[1:]",
            "the sign of other[1:] is the wrong way round",
            "the sign of x is the wrong way round",
            "the term 10 * rng.standard_normal((7, d)) is missing in other[1:]",
            "the term 5 is missing in other[1:]",
            "x was used where other is meant, in other[1:]",
        ],
    },
}
