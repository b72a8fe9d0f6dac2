"""Cases of exercise sheet 06, batch normalization."""

import warnings

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value

TITLE = "Batch normalization"


def draw(rng):
    """x (N, D) with its own mean and spread in every column, gamma (D,) and beta (D,) away from 1 and 0."""
    n, d = int(rng.integers(4, 7)), int(rng.integers(8, 11))
    x = rng.normal(0, 1, (n, d)) * rng.uniform(0.6, 3, d) + rng.uniform(1, 4, d)
    return x, rng.uniform(1.5, 3, d), rng.uniform(0.5, 2, d)


def tuple_of(result, count, what, names):
    """The parts of what came back, or a message that says what is missing."""
    expect_true(
        type(result) in (tuple, list) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not {names}",
        mistake="a return is missing" if result is None else None,
    )
    return result


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


@case("batch_norm_forward: output", points=2)
def forward_output(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    what = "batch_norm_forward(x, gamma, beta)"
    out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta), 2, what, "a pair (out, cache)")
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
            "the mean was not taken off": gamma * x / np.sqrt(var + 1e-5) + beta,
            "gamma and beta were left out": (x - mean) / np.sqrt(var + 1e-5),
        },
    )


@case("batch_norm_forward: where eps stands")
def forward_eps(batch_norm_forward, *, rng):
    x, gamma, beta = draw(rng)
    eps = round(float(rng.uniform(0.5, 1.5)), 2)
    what = f"batch_norm_forward(x, gamma, beta, eps={eps})"
    out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta, eps), 2, what, "a pair (out, cache)")
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
        out, _ = tuple_of(batch_norm_forward(x.copy(), gamma, beta), 2, what, "a pair (out, cache)")
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
    out, after = tuple_of(result, 2, what, "a pair (out, running)")
    return out, after, given, what


@case("batch_norm: eval mode uses the running statistics", points=2)
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


@case("batch_norm: training mode", points=2)
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
        "Each $x_{nd}$ also moves the mean and the variance of its batch: that makes the two terms that are taken off.",
    ],
)


@case("batch_norm_backward: gradients", points=4)
def backward(batch_norm_forward, batch_norm_backward, *, rng):
    x, gamma, beta = draw(rng)
    dout = rng.uniform(0.3, 2, x.shape) * rng.choice([-1, 1], x.shape)
    _, cache = tuple_of(batch_norm_forward(x.copy(), gamma, beta), 2, "batch_norm_forward", "a pair (out, cache)")
    what = "batch_norm_backward(dout, cache)"
    dx, dgamma, dbeta = tuple_of(batch_norm_backward(dout, cache), 3, what, "three arrays (dx, dgamma, dbeta)")
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
            "1 / N is missing in front of the sums": factor * (dout - right_beta - x_hat * right_gamma),
            "the scale 1 / sqrt(var + eps) is missing": gamma * (dout - right_beta / n - x_hat * right_gamma / n),
        },
    )


def _forward(mean="x.mean(axis=0)", scale="1 / np.sqrt(x.var(axis=0) + eps)", out="gamma * x_hat + beta"):
    return f"""
def batch_norm_forward(x, gamma, beta, eps=1e-5):
    scale = {scale}
    x_hat = (x - {mean}) * scale
    return {out}, (x_hat, scale, gamma)
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


WRONG = [
    Wrong(
        "06.1",
        _forward("x.mean(axis=1, keepdims=True)", "1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)"),
        "that is layer norm",
    ),
    Wrong("06.1", _forward("x.mean()", "1 / np.sqrt(x.var() + eps)"), "each feature has its own"),
    Wrong("06.1", _forward(scale="1 / (x.var(axis=0) + eps)"), "the square root is missing"),
    Wrong("06.1", _forward(scale="1 / np.sqrt(x.var(axis=0, ddof=1) + eps)"), "N - 1 in its denominator"),
    Wrong("06.1", _forward(mean="0"), "the mean was not taken off"),
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
    Wrong("06.2", _modes().replace("+ beta, running", "+ beta"), "not a pair (out, running)"),
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
    Wrong("06.3", _backward(back="dx"), "not three arrays"),
]

RIGHT = [
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
