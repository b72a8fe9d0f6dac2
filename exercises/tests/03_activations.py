"""Cases of exercise sheet 03, activations."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_shape, expect_true, inspect_value

TITLE = "Activations"


def inputs(rng, *shape):
    """Positive and negative numbers and three exact zeros, and an upstream gradient of either sign."""
    x = rng.normal(0, 1.5, shape)
    x.flat[rng.choice(x.size, 3, replace=False)] = 0
    dout = rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)
    return x, dout


Q1 = question(
    "03.1",
    title="ReLU and leaky ReLU, backward",
    minutes=8,
    hints=[
        "The gradient of the input is `dout` times the slope, entry by entry. The slope depends on `x` alone.",
        "`x > 0` is an array of True and False, and counts as 1 and 0 in a product.",
        "`np.where(x > 0, 1.0, slope)` picks 1 or the slope for each entry.",
    ],
)


@case("relu_backward: gradient")
def relu_gradient(relu_backward, *, rng):
    x, dout = inputs(rng, int(rng.integers(3, 6)), int(rng.integers(6, 9)))
    expect_equal(
        relu_backward(dout, x),
        dout * (x > 0),
        what="relu_backward(dout, x)",
        mistakes={
            "the upstream gradient dout was left out": (x > 0) * 1.0,
            "ReLU was applied to dout: it is x that decides where the gradient passes": np.maximum(dout, 0),
            "dout was multiplied by the output of ReLU, not by its slope": dout * np.maximum(x, 0),
            "the slope at 0 was taken as 1: use x > 0, not x >= 0": dout * (x >= 0),
            "the gradient passes where x is negative": dout * (x <= 0),
        },
    )


@case("relu_backward: any shape")
def relu_shape(relu_backward, *, rng):
    x, dout = inputs(rng, 2, int(rng.integers(3, 5)), int(rng.integers(5, 7)))
    expect_equal(
        relu_backward(dout, x),
        dout * (x > 0),
        what=f"relu_backward(dout, x) with x of shape {x.shape}",
        mistakes={"the gradient was added up over the batch": (dout * (x > 0)).sum(axis=0)},
    )


@case("leaky_relu_backward: gradient")
def leaky_gradient(leaky_relu_backward, *, rng):
    x, dout = inputs(rng, int(rng.integers(3, 6)), int(rng.integers(6, 9)))
    slope = round(float(rng.uniform(0.05, 0.3)), 2)
    expect_equal(
        leaky_relu_backward(dout, (x, slope)),
        dout * np.where(x > 0, 1.0, slope),
        what=f"leaky_relu_backward(dout, (x, {slope}))",
        mistakes={
            "the upstream gradient dout was left out": np.where(x > 0, 1.0, slope),
            "the slope 0.01 is fixed, not the one of the cache": dout * np.where(x > 0, 1.0, 0.01),
            "the negative side has slope 0: that is ReLU": dout * (x > 0),
            "leaky ReLU was applied to dout: it is x that decides": np.where(dout > 0, dout, slope * dout),
            "dout was multiplied by the output, not by the slope": dout * np.where(x > 0, x, slope * x),
            "the negative side has the slope alone: times dout is missing": np.where(x > 0, dout, slope),
            "the slope at 0 was taken as 1: use x > 0, not x >= 0": dout * np.where(x >= 0, 1.0, slope),
        },
    )


Q2 = question(
    "03.2",
    title="ELU",
    minutes=12,
    hints=[
        "`np.where(x > 0, x, ...)` computes both branches for every entry and then picks.",
        "Nothing overflows in `np.exp(np.minimum(x, 0))`.",
        "The slope of the lower branch is $\\alpha e^z$. It equals the output plus $\\alpha$.",
    ],
)


def lower(x, alpha):
    """The lower branch of ELU for all x, as far as it is needed."""
    return alpha * (np.exp(np.minimum(x, 0)) - 1)


def pair(result, what):
    """(out, cache), or a message that says what is missing."""
    expect_true(
        type(result) in (tuple, list) and len(result) == 2,
        f"{what} gave {inspect_value(result)}, not a pair (output, cache)",
        mistake="a return is missing" if result is None else "the cache is missing: return out, cache",
    )
    return result


@case("elu_forward: output")
def elu_output(elu_forward, *, rng):
    x, _ = inputs(rng, int(rng.integers(3, 6)), int(rng.integers(6, 9)))
    alpha = round(float(rng.uniform(0.3, 0.8)), 2)
    what = f"elu_forward(x, {alpha})"
    out, _ = pair(elu_forward(x, alpha), what)
    expect_equal(
        out,
        np.where(x > 0, x, lower(x, alpha)),
        what=f"the output of {what}",
        mistakes={
            "alpha was left out": np.where(x > 0, x, lower(x, 1)),
            "the -1 is missing: alpha * (exp(x) - 1)": np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0))),
            "the brackets are missing: alpha * exp(x) - 1": np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0)) - 1),
            "the negative side is 0: that is ReLU": np.maximum(x, 0),
            "the negative side is a line: that is leaky ReLU": np.where(x > 0, x, alpha * x),
        },
    )


@case("elu_forward: very large and very small inputs")
def elu_extremes(elu_forward, *, rng):
    large = rng.uniform(800, 1500, int(rng.integers(3, 6)))
    x = np.concatenate([large, -large])
    alpha = round(float(rng.uniform(1.2, 2)), 2)
    what = f"elu_forward(x, {alpha}) with |x| from 800 to 1500"
    out, _ = pair(elu_forward(x, alpha), what)
    if type(out) is np.ndarray and out.shape == x.shape and out.dtype.kind == "f":
        expect_true(
            bool(np.isfinite(out).all()),
            f"the output of {what} is not finite",
            mistake="exp(x) overflowed for large x and was not thrown away: give exp only what is at most 0",
        )
    expect_equal(out, np.where(x > 0, x, -alpha), what=f"the output of {what}")


@case("elu_backward: gradient")
def elu_gradient(elu_forward, elu_backward, *, rng):
    x, dout = inputs(rng, int(rng.integers(3, 6)), int(rng.integers(6, 9)))
    alpha = round(float(rng.uniform(0.3, 0.8)), 2)
    _, cache = pair(elu_forward(x, alpha), f"elu_forward(x, {alpha})")
    later = x[::-1] + 0.5
    elu_forward(later, alpha / 2)  # the next call, before the way back of this one
    slope = lower(x, alpha) + alpha
    expect_equal(
        elu_backward(dout, cache),
        dout * np.where(x > 0, 1, slope),
        what=f"elu_backward(dout, cache) after elu_forward(x, {alpha})",
        mistakes={
            "the upstream gradient dout was left out": np.where(x > 0, 1, slope),
            "alpha was left out of the slope": dout * np.where(x > 0, 1, slope / alpha),
            "the output was taken for the slope of the lower branch: alpha must be added": dout
            * np.where(x > 0, 1, lower(x, alpha)),
            "1 was added to the output, not alpha": dout * np.where(x > 0, 1, lower(x, alpha) + 1),
            "the way back used the last call of the forward pass, not the cache: something is kept in a global name": (
                dout * np.where(later > 0, 1, (lower(later, alpha) + alpha) / 2)
            ),
            "the negative side has slope 0: that is ReLU": dout * (x > 0),
            "the negative side has slope alpha: that is leaky ReLU": dout * np.where(x > 0, 1, alpha),
            "the slope at 0 was taken as 1, not as alpha": dout * np.where(x >= 0, 1, slope),
        },
    )


Q3 = question(
    "03.3",
    title="Maxout, backward",
    minutes=12,
    hints=[
        "Start from zeros of shape (N, D, pieces). Put `dout` where the winners are, then reshape to (N, D * pieces).",
        "`np.put_along_axis(groups, winner[..., None], dout[..., None], axis=2)` does the putting.",
        "Or compare: `np.arange(pieces) == winner[..., None]` is True for the winner of each group.",
    ],
)


def into_first_columns(dout, winner, pieces):
    """What comes when the winner, a place in its group, is taken for a column."""
    out = np.zeros((len(dout), dout.shape[1] * pieces))
    np.add.at(out, (np.arange(len(dout))[:, None], winner), dout)
    return out


def maxout_case(maxout_backward, rng, n, d, pieces):
    """Compare with the gradient for given winners."""
    winner = rng.integers(0, pieces, (n, d))
    dout = rng.uniform(0.5, 2, (n, d)) * rng.choice([-1, 1], (n, d))
    won = np.arange(pieces) == winner[..., None]
    want = (won * dout[..., None]).reshape(n, d * pieces)
    what = f"maxout_backward(dout, (winner, {pieces})) with dout of shape {dout.shape}"
    got = maxout_backward(dout, (winner, pieces))
    expect_shape(
        got,
        want.shape,
        what=what,
        mistakes={
            "the last reshape is missing: (N, D, pieces) must become (N, D * pieces)": (n, d, pieces),
            "the gradient has the shape of the output, not of the input": (n, d),
        },
    )
    expect_equal(
        got,
        want,
        what=what,
        mistakes={
            "the gradient went to every piece, not to the winner alone": np.repeat(dout, pieces, axis=1),
            "the gradient was shared among the pieces": np.repeat(dout / pieces, pieces, axis=1),
            "the upstream gradient dout was left out": won.reshape(n, -1) * 1.0,
            "the pieces of one output lie side by side, not D apart": (won * dout[..., None])
            .transpose(0, 2, 1)
            .reshape(n, -1),
            "the winner was taken for a column of the input: group d begins at column d * pieces": into_first_columns(
                dout, winner, pieces
            ),
            "the gradient went to the losers": (~won * dout[..., None]).reshape(n, -1),
            "the gradient always went to the first piece": ((np.arange(pieces) == 0) * dout[..., None]).reshape(n, -1),
        },
    )


@case("maxout_backward: two pieces")
def maxout_two(maxout_backward, *, rng):
    maxout_case(maxout_backward, rng, int(rng.integers(4, 7)), int(rng.integers(7, 10)), 2)


@case("maxout_backward: more pieces")
def maxout_more(maxout_backward, *, rng):
    maxout_case(maxout_backward, rng, int(rng.integers(5, 8)), int(rng.integers(8, 11)), int(rng.integers(3, 5)))


@case("maxout_backward: one example")
def maxout_one(maxout_backward, *, rng):
    maxout_case(maxout_backward, rng, 1, int(rng.integers(8, 12)), int(rng.integers(3, 5)))


Q4 = question(
    "03.4",
    title="Bring dead units back",
    minutes=12,
    hints=[
        "A unit passes the gradient of an example where its input `x @ w + b` is above 0. At 0 the slope is 0.",
        "A unit is a column of it. `.any(axis=0)` looks along the examples.",
        "With which bias is exactly half of a column above 0? `np.median`.",
    ],
)


def layer_with_dead(rng, large=False):
    """x (N, D), w (D, M), b (M,) and which units are dead: some far below 0, one of them at exactly 0 once.

    A `large` example pulls the mean input of every unit away from the middle.
    """
    n, d, m = 4 * int(rng.integers(5, 8)), int(rng.integers(3, 5)), int(rng.integers(7, 10))
    x, w = rng.integers(0, 9, (n, d)) / 4, rng.integers(-8, 9, (d, m)) / 4  # exact in binary, so 0 is 0
    if large:
        x[0] = 64 * (1 + x[0])
    w[0] += rng.permutation(np.arange(m) - m // 2) * 2  # no two units have the same middle
    z = x @ w
    dead = rng.permutation(m) < 3
    gap = rng.integers(1, 20, m) / 4
    gap[np.flatnonzero(dead)[0]] = 0
    lowest = np.sort(z, axis=0)
    alive = -(lowest[-2] + lowest[-1]) / 2  # a single example is left above 0, unless two are equal
    alive = np.where(lowest[-2] == lowest[-1], 0.25 - lowest[-1], alive)
    often = np.arange(m) % 2 == 0  # the others are on for most examples, but not for all
    alive = np.where(often, alive, np.floor(-4 * z.mean(axis=0)) / 4 + 0.75)
    return x, w, np.where(dead, -z.max(axis=0) - gap, alive), dead


@case("dead_units: which are dead")
def dead_mask(dead_units, *, rng):
    x, w, b, dead = layer_with_dead(rng)
    z = x @ w + b
    expect_equal(
        dead_units(x, w, b),
        dead,
        what="dead_units(x, w, b)",
        mistakes={
            "living and dead are the wrong way round": ~dead,
            "a unit was called dead when any example is off: all of them must be": (z <= 0).any(axis=0),
            "a unit that reaches exactly 0 was called alive: the slope there is 0": ~(z >= 0).any(axis=0),
            "examples were judged, not units: the units are the columns": ~(z > 0).any(axis=1),
            "the mean input of each unit was looked at: a single example above 0 keeps a unit alive": (
                z.mean(axis=0) <= 0
            ),
            "one answer came for the whole layer": bool(dead.any()),
            "the bias was left out": ~(x @ w > 0).any(axis=0),
        },
    )


@case("dead_units: which are dead, other inputs", hidden=True)
def dead_mask_again(dead_units, *, rng):
    dead_mask(dead_units, rng=rng)


@case("revive: dead units come back", points=3)
def dead_revived(revive, *, rng):
    x, w, b, dead = layer_with_dead(rng, large=True)
    got = revive(x, w, b)
    expect_shape(got, b.shape, what="revive(x, w, b)")
    share = (x @ w + got > 0).mean(axis=0)[dead]
    message = (
        f"after revive(x, w, b) the units that were dead pass {', '.join(f'{s:.0%}' for s in share)} of the examples"
    )
    mistake = None
    if np.array_equal(got, b):
        mistake = "the biases came back as they were"
    elif np.allclose(got[dead], -(x @ w).mean(axis=0)[dead]):
        mistake = "minus the mean was taken: one large example moves it away from the middle, which is the median"
    elif (share == 0).all():
        mistake = "the new biases are still too low: no example is above 0"
    elif (share == 1).all():
        mistake = "the new biases are so high that the units are never off: they are linear now"
    expect_true(bool(((share >= 0.25) & (share <= 0.75)).all()), message, mistake=mistake, got=got)


@case("revive: living units stay as they are", points=2)
def dead_others(revive, *, rng):
    x, w, b, dead = layer_with_dead(rng)
    got = revive(x, w, b)
    expect_shape(got, b.shape, what="revive(x, w, b)")
    expect_equal(got[~dead], b[~dead], what="the biases of living units after revive(x, w, b)")
    expect_true(
        not np.array_equal(got, b), "revive(x, w, b) changed nothing", mistake="the biases came back as they were"
    )


@case("revive: living units stay as they are, other inputs", points=2, hidden=True)
def dead_others_again(revive, *, rng):
    dead_others(revive, rng=rng)


Q5 = question(
    "03.5",
    title="A gated unit",
    minutes=14,
    hints=[
        "`np.split(x, 2, axis=1)` gives two arrays: the first half of the columns and the second.",
        "The gradient of a factor of a product is `dout` times the other factor. For the values that is SiLU of the gate.",
        "The gates come after SiLU, so their gradient is `dout * value` times the slope of SiLU.",
    ],
)


def silu(z):
    """z times its sigmoid, and the slope of that."""
    s = 1 / (1 + np.exp(-z))
    return z * s, s * (1 + z * (1 - s))


def gated(rng):
    """Values, gates and an upstream gradient; the number of columns is never that of the rows."""
    n, d = int(rng.integers(3, 6)), int(rng.integers(6, 9))
    value, gate = rng.uniform(0.5, 2, (2, n, d)) * rng.choice([-1, 1], (2, n, d))
    return value, gate, rng.uniform(0.5, 2, (n, d)) * rng.choice([-1, 1], (n, d))


@case("swiglu_forward: output")
def swiglu_output(swiglu_forward, *, rng):
    value, gate, _ = gated(rng)
    x = np.concatenate([value, gate], axis=1)
    out, _ = pair(swiglu_forward(x), "swiglu_forward(x)")
    expect_shape(
        out,
        value.shape,
        what="the output of swiglu_forward(x)",
        mistakes={"the output is as wide as x: a value and its gate make one number": x.shape},
    )
    expect_equal(
        out,
        value * silu(gate)[0],
        what="the output of swiglu_forward(x)",
        mistakes={
            "values and gates are exchanged: the first D columns are the values": gate * silu(value)[0],
            "the gate is a plain sigmoid: that is GLU": value / (1 + np.exp(-gate)),
            "SiLU was taken of both: the value stays as it is": silu(value)[0] * silu(gate)[0],
            "the gate was left out of the product: SiLU(g) is g times its sigmoid": silu(gate)[0],
            "value and gate were multiplied without a function": value * gate,
            "value and gate were added, not multiplied": value + silu(gate)[0],
            "every second column was taken for a value: the first D columns are the values": x[:, ::2]
            * silu(x[:, 1::2])[0],
        },
    )


@case("swiglu_backward: gradient", points=2)
def swiglu_gradient(swiglu_forward, swiglu_backward, *, rng):
    value, gate, dout = gated(rng)
    x = np.concatenate([value, gate], axis=1)
    _, cache = pair(swiglu_forward(x), "swiglu_forward(x)")
    later, shut, _ = gated(np.random.default_rng(int(rng.integers(2**31))))
    later, shut = np.resize(later, value.shape), np.resize(shut, value.shape)
    swiglu_forward(np.concatenate([later, shut], axis=1))  # the next call, before the way back of this one
    got = swiglu_backward(dout, cache)
    opened, slope = silu(gate)
    want = np.concatenate([dout * opened, dout * value * slope], axis=1)
    what = "swiglu_backward(dout, cache) after swiglu_forward(x)"
    expect_shape(
        got,
        want.shape,
        what=what,
        mistakes={
            "the gradient has the shape of the output: there is one for the values and one for the gates": dout.shape
        },
    )
    s = 1 / (1 + np.exp(-gate))
    expect_equal(
        got,
        want,
        what=what,
        mistakes={
            "the upstream gradient dout was left out": np.concatenate([opened, value * slope], axis=1),
            "the two gradients are exchanged: that of the values comes first": np.concatenate(
                [dout * value * slope, dout * opened], axis=1
            ),
            "the value is missing in the gradient of the gates": np.concatenate([dout * opened, dout * slope], axis=1),
            "the gradient of the gates has SiLU of the gate in place of its slope": np.concatenate(
                [dout * opened, dout * value * opened], axis=1
            ),
            "the way back used the last call of the forward pass, not the cache: something is kept in a global name": (
                np.concatenate([dout * silu(shut)[0], dout * later * silu(shut)[1]], axis=1)
            ),
            "the slope of the sigmoid was taken for that of SiLU": np.concatenate(
                [dout * opened, dout * value * s * (1 - s)], axis=1
            ),
            "the gradient of the values is dout times SiLU of the gate, not of the value": np.concatenate(
                [dout * silu(value)[0], dout * value * slope], axis=1
            ),
            "dout went to the values as it is: it must be multiplied by SiLU of the gate": np.concatenate(
                [dout, dout * value * slope], axis=1
            ),
        },
    )


@case("swiglu_backward: gradient, other inputs", hidden=True)
def swiglu_gradient_again(swiglu_forward, swiglu_backward, *, rng):
    swiglu_gradient(swiglu_forward, swiglu_backward, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "03.1": """
def relu_backward(dout, cache):
    x = cache
    return dout * (x > 0)

def leaky_relu_backward(dout, cache):
    x, slope = cache
    return dout * np.where(x > 0, 1.0, slope)
""",
    "03.2": """
def elu_forward(x, alpha=1.0):
    negative = alpha * (np.exp(np.minimum(x, 0)) - 1)
    out = np.where(x > 0, x, negative)
    return (out, (x, out, alpha))

def elu_backward(dout, cache):
    x, out, alpha = cache
    return dout * np.where(x > 0, 1.0, out + alpha)
""",
    "03.3": """
def maxout_backward(dout, cache):
    winner, pieces = cache
    n, d = dout.shape
    groups = np.zeros((n, d, pieces))
    groups[np.arange(n)[:, None], np.arange(d), winner] = dout
    return groups.reshape(n, d * pieces)
""",
    "03.4": """
def dead_units(x, w, b):
    z = x @ w + b
    return ~(z > 0).any(axis=0)

def revive(x, w, b):
    middle = np.median(x @ w, axis=0)
    return np.where(dead_units(x, w, b), -middle, b)
""",
    "03.5": """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def swiglu_forward(x):
    value, gate = np.split(x, 2, axis=1)
    return (value * gate * sigmoid(gate), (value, gate))

def swiglu_backward(dout, cache):
    value, gate = cache
    s = sigmoid(gate)
    return np.concatenate([dout * gate * s, dout * value * s * (1 + gate * (1 - s))], axis=1)
""",
}

SLIPS = [
    *slips(
        "03.1",
        MODELS["03.1"],
        {
            ("np.where(x > 0, 1.0, slope)", "np.where(x > 0, 1.0, slope * x)"): (
                "the negative side has slope times x: that is the output there, its derivative is the slope alone"
            ),
            ("np.where(x > 0, 1.0, slope)", "np.where(x > 0, slope, 1.0)"): "the two sides are the wrong way round",
            ("dout * np.where(x > 0, 1.0, slope)", "np.maximum(dout, slope * dout)"): (
                "leaky ReLU was applied to dout: it is x that decides"
            ),
            (
                "np.where(x > 0, 1.0, slope)",
                "np.where(x > 0, 1.0, -slope)",
            ): "the slope of the negative side has the wrong sign",
            (
                "np.where(x > 0, 1.0, slope)",
                "np.where(x > 0, 1.0, 1 - slope)",
            ): "1 - slope was used on the negative side",
        },
    ),
    *slips(
        "03.2",
        MODELS["03.2"],
        {
            (
                "out + alpha)",
                "alpha * np.exp(out))",
            ): "exp was taken of the output: the slope is alpha exp(x), of the input",
            ("out + alpha)", "out)"): "the output was taken for the slope of the lower branch: alpha must be added",
            ("out + alpha)", "alpha - out)"): "the output was subtracted from alpha: its sum with alpha is the slope",
            ("out + alpha)", "np.exp(np.minimum(x, 0)))"): "alpha is missing in the slope of the lower branch",
            ("alpha * (np.exp(np.minimum(x, 0)) - 1)", "alpha * (1 - np.exp(np.minimum(x, 0)))"): (
                "the lower branch has the wrong sign: exp(z) - 1, not 1 - exp(z)"
            ),
            ("alpha * (np.exp(np.minimum(x, 0)) - 1)", "alpha * np.exp(np.minimum(x, 0) - 1)"): (
                "the - 1 stands inside exp: it belongs outside"
            ),
        },
    ),
    *slips(
        "03.3",
        MODELS["03.3"],
        {
            (
                "groups = np.zeros((n, d, pieces))\n    groups[np.arange(n)[:, None], np.arange(d), winner] = dout\n    return groups.reshape(n, d * pieces)",
                "g = np.zeros((n, d * pieces))\n    g[np.arange(n)[:, None], winner] = dout\n    return g",
            ): (
                "the winner was taken for a column of the input: it counts within its group, whose first column is d * pieces"
            ),
            (
                "groups = np.zeros((n, d, pieces))\n    groups[np.arange(n)[:, None], np.arange(d), winner] = dout\n    return groups.reshape(n, d * pieces)",
                "return np.repeat(dout, pieces, axis=1)",
            ): ("every piece of a group got the gradient: only the winner gets it"),
            (
                "groups = np.zeros((n, d, pieces))\n    groups[np.arange(n)[:, None], np.arange(d), winner] = dout\n    return groups.reshape(n, d * pieces)",
                "return np.repeat(dout, pieces, axis=1) / pieces",
            ): ("the gradient was shared among the pieces of a group: the winner gets all of it"),
            (
                "groups[np.arange(n)[:, None], np.arange(d), winner] = dout",
                "groups[np.arange(n)[:, None], np.arange(d), winner] = 1",
            ): ("1 was written at the winners: dout belongs there"),
            ("return groups.reshape(n, d * pieces)", "return groups.transpose(0, 2, 1).reshape(n, d * pieces)"): (
                "the pieces of a group do not stand side by side: the last axis must be the pieces when it is reshaped"
            ),
            (
                "return groups.reshape(n, d * pieces)",
                "return groups",
            ): "the result has three axes: it must be reshaped to (N, D * pieces)",
        },
    ),
    *slips(
        "03.4",
        MODELS["03.4"],
        {
            ("np.where(dead_units(x, w, b), -middle, b)", "-middle"): "the biases of living units were changed as well",
            ("(z > 0)", "(z >= 0)"): "a unit that reaches exactly 0 was called alive: the slope there is 0",
            (".any(axis=0)", ".any(axis=1)"): "examples were judged, not units: the units are the columns",
            (".any(axis=0)", ".all(axis=0)"): "a unit was called dead when any example is off: all of them must be",
            ("-middle, b)", "0.0, b)"): "the bias of dead units was set to 0, which brings back only some of them",
            ("-middle, b)", "middle, b)"): "the sign is the wrong way round: a bias of -z moves z to 0",
            (
                "-middle, b)",
                "b + 1, b)",
            ): "a fixed number was added: how much a unit needs depends on how far below 0 it is",
            (
                "-middle, b)",
                "-(x @ w).max(axis=0), b)",
            ): "the largest input was moved to 0: then no example is above it",
            (
                "-middle, b)",
                "-(x @ w).min(axis=0) + 1, b)",
            ): "the smallest input was moved above 0: then the unit is never off",
            **{
                ("-middle, b)", f"{fixed}, b)"): (
                    "one number became the bias of every dead unit: how much a unit needs depends on its own inputs x @ w"
                )
                for fixed in (0.01, 0.1, 0.5, 1.0)
            },
        },
    ),
]


def _def(signature, *lines):
    return f"def {signature}:\n" + "\n".join(f"    {line}" for line in lines)


RELU = "relu_backward(dout, cache)"
LEAKY = "leaky_relu_backward(dout, cache)"
ELU = "elu_forward(x, alpha=1.0)"
ELU_BACK = "elu_backward(dout, cache)"
MAXOUT = "maxout_backward(dout, cache)"
UNPACK = "x, slope = cache"
ELU_UNPACK = "x, out, alpha = cache"
KEEP = "return out, (x, out, alpha)"
WINNER = "winner, pieces = cache"
WON = "won = np.arange(pieces) == winner[..., None]"


def _dead(mask="~(z > 0).any(axis=0)"):
    return f"""
def dead_units(x, w, b):
    z = x @ w + b
    return {mask}
"""


def _revive(new="-np.median(x @ w, axis=0)", others="b"):
    return f"""
def revive(x, w, b):
    dead = (x @ w + b <= 0).all(axis=0)
    return np.where(dead, {new}, {others})
"""


SIGMOID = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\n\n"
HALVES = "value, gate = np.split(x, 2, axis=1)"
GATED = "value, gate = cache"
SLOPE = "slope = sigmoid(gate) * (1 + gate * (1 - sigmoid(gate)))"


def _gate(*lines):
    return SIGMOID + _def("swiglu_forward(x)", HALVES, *lines)


def _back(first, second):
    last = f"return np.concatenate([{first}, {second}], axis=1)"
    return SIGMOID + _def("swiglu_backward(dout, cache)", GATED, SLOPE, last)


WRONG = [
    Wrong("03.5", _gate("return gate * value * sigmoid(value), (value, gate)"), "values and gates are exchanged"),
    Wrong("03.5", _gate("return value * sigmoid(gate), (value, gate)"), "that is GLU"),
    Wrong("03.5", _gate("silu = lambda z: z * sigmoid(z)", "return silu(value) * silu(gate), (value, gate)"), "of both"),
    Wrong("03.5", _gate("return value + gate * sigmoid(gate), (value, gate)"), "were added, not multiplied"),
    Wrong("03.5", _gate("return value * gate, (value, gate)"), "without a function"),
    Wrong("03.5", _gate("return value * gate * sigmoid(gate)"), "the cache is missing"),
    Wrong("03.5", _back("gate * sigmoid(gate)", "value * slope"), "the upstream gradient dout was left out"),
    Wrong("03.5", _back("dout * value * slope", "dout * gate * sigmoid(gate)"), "the two gradients are exchanged"),
    Wrong("03.5", _back("dout * gate * sigmoid(gate)", "dout * slope"), "the value is missing"),
    Wrong("03.5", _back("dout * gate * sigmoid(gate)", "dout * value * sigmoid(gate) * (1 - sigmoid(gate))"),
          "the slope of the sigmoid"),
    Wrong("03.5", _back("dout", "dout * value * slope"), "dout went to the values as it is"),
    Wrong("03.5", SIGMOID + _def("swiglu_backward(dout, cache)", GATED, "return dout * gate * sigmoid(gate)"),
          "the shape of the output"),
    Wrong("03.4", _dead("(z > 0).any(axis=0)"), "living and dead are the wrong way round"),
    Wrong("03.4", _dead("(z <= 0).any(axis=0)"), "all of them must be"),
    Wrong("03.4", _dead("(z < 0).all(axis=0)"), "a unit that reaches exactly 0"),
    Wrong("03.4", _dead("z.mean(axis=0) <= 0"), "a single example above 0 keeps a unit alive"),
    Wrong("03.4", "def revive(x, w, b):\n    return b", "the biases came back as they were"),
    Wrong("03.4", _revive("-(x @ w).mean(axis=0)"), "one large example moves it"),
    Wrong("03.4", _revive("1e6"), "they are linear now"),
    Wrong("03.4", _revive(others="-np.median(x @ w, axis=0)"), "the biases of living units"),
    Wrong("03.1", _def(RELU, "return (cache > 0) * 1.0"), "the upstream gradient dout was left out"),
    Wrong("03.1", _def(RELU, "return np.maximum(dout, 0)"), "ReLU was applied to dout"),
    Wrong("03.1", _def(RELU, "return dout * np.maximum(cache, 0)"), "not by its slope"),
    Wrong("03.1", _def(RELU, "return dout * (cache >= 0)"), "the slope at 0 was taken as 1"),
    Wrong("03.1", _def(RELU, "return dout * (cache <= 0)"), "the gradient passes where x is negative"),
    Wrong("03.1", _def(RELU, "return (dout * (cache > 0)).sum(axis=0)"), "added up over the batch"),
    Wrong("03.1", _def(RELU, "dx = dout * (cache > 0)"), "a return is missing"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return np.where(x > 0, 1.0, slope)"), "dout was left out"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return dout * np.where(x > 0, 1.0, 0.01)"), "the slope 0.01 is fixed"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return dout * (x > 0)"), "that is ReLU"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return np.where(dout > 0, dout, slope * dout)"), "applied to dout"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return dout * np.where(x > 0, x, slope * x)"), "not by the slope"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return np.where(x > 0, dout, slope)"), "times dout is missing"),
    Wrong("03.1", _def(LEAKY, UNPACK, "return dout * np.where(x >= 0, 1.0, slope)"), "use x > 0, not x >= 0"),
    Wrong("03.2", _def(ELU, "out = np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)", KEEP),
          "alpha was left out"),
    Wrong("03.2", _def(ELU, "out = np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0)))", KEEP),
          "the -1 is missing"),
    Wrong("03.2", _def(ELU, "out = np.where(x > 0, x, alpha * np.exp(np.minimum(x, 0)) - 1)",
                       KEEP), "the brackets are missing"),
    Wrong("03.2", _def(ELU, "out = np.maximum(x, 0)", KEEP), "that is ReLU"),
    Wrong("03.2", _def(ELU, "out = np.where(x > 0, x, alpha * x)", KEEP), "that is leaky ReLU"),
    Wrong("03.2", _def(ELU, "with np.errstate(all='ignore'):",
                       "    out = x * (x > 0) + alpha * (np.exp(x) - 1) * (x <= 0)", KEEP),
          "exp(x) overflowed for large x"),
    Wrong("03.2", _def(ELU, "return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))"), "the cache is missing"),
    Wrong("03.2", _def(ELU, "out = np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))"), "a return is missing"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return np.where(x > 0, 1.0, out + alpha)"), "dout was left out"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))"),
          "alpha was left out of the slope"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * np.where(x > 0, 1.0, out)"), "alpha must be added"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * np.where(x > 0, 1, out + 1)"), "1 was added to the output"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * (x > 0)"), "the negative side has slope 0"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * np.where(x > 0, 1.0, alpha)"), "slope alpha"),
    Wrong("03.2", _def(ELU_BACK, ELU_UNPACK, "return dout * np.where(x >= 0, 1.0, out + alpha)"), "not as alpha"),
    Wrong("03.3", _def(MAXOUT, WINNER, "return np.repeat(dout, pieces, axis=1)"), "to every piece"),
    Wrong("03.3", _def(MAXOUT, WINNER, "return np.repeat(dout / pieces, pieces, axis=1)"), "shared among the pieces"),
    Wrong("03.3", _def(MAXOUT, WINNER, WON, "return won.reshape(len(dout), -1) * 1.0"), "dout was left out"),
    Wrong("03.3", _def(MAXOUT, WINNER, WON, "return won * dout[..., None]"), "the last reshape is missing"),
    Wrong("03.3", _def(MAXOUT, WINNER, WON,
                       "return (won * dout[..., None]).transpose(0, 2, 1).reshape(len(dout), -1)"), "side by side"),
    Wrong("03.3", _def(MAXOUT, WINNER, WON, "return (~won * dout[..., None]).reshape(len(dout), -1)"), "to the losers"),
    Wrong("03.3", _def(MAXOUT, WINNER, "dx = np.zeros((len(dout), dout.shape[1] * pieces))", "dx[:, ::pieces] = dout",
                       "return dx"), "always went to the first piece"),
    Wrong("03.3", _def(MAXOUT, WINNER, "return dout * (winner > 0)"), "the shape of the output, not of the input"),
]  # fmt: skip

RIGHT = [
    Right(
        "03.5",
        """
def swiglu_forward(x):
    d = x.shape[1] // 2
    v, g = x[:, :d], x[:, d:]
    s = 1 / (1 + np.exp(-g))
    return v * (g * s), {"v": v, "silu": g * s, "slope": s + g * s * (1 - s)}

def swiglu_backward(dout, cache):
    dx = np.empty((len(dout), 2 * dout.shape[1]))
    dx[:, : dout.shape[1]] = dout * cache["silu"]
    dx[:, dout.shape[1] :] = dout * cache["v"] * cache["slope"]
    return dx
""",
    ),
    Right("03.4", _dead("z.max(axis=0) <= 0") + _revive("-np.quantile(x @ w, 0.6, axis=0)")),
    Right(
        "03.1",
        """
def relu_backward(dout, cache):
    dx = np.array(dout)
    dx[cache <= 0] = 0
    return dx

def leaky_relu_backward(dout, cache):
    x, slope = cache
    return np.where(x > 0, dout, slope * dout)
""",
    ),
    Right(
        "03.1",
        """
def relu_backward(upstream, x):
    return np.where(x > 0, upstream, 0.0)

def leaky_relu_backward(upstream, cache):
    positive = cache[0] > 0
    return upstream * (positive + cache[1] * ~positive)
""",
    ),
    Right(
        "03.2",
        """
def elu_forward(x, alpha=1.0):
    slope = np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)), slope

def elu_backward(dout, cache):
    return dout * cache
""",
    ),
    Right(
        "03.2",
        """
def elu_forward(x, alpha=1.0):
    out = np.array(x, dtype=float)
    off = x <= 0
    out[off] = alpha * (np.exp(x[off]) - 1)
    return [out, {"x": x, "alpha": alpha}]

def elu_backward(dout, cache):
    x, alpha = cache["x"], cache["alpha"]
    dx = np.array(dout)
    dx[x <= 0] *= alpha * np.exp(x[x <= 0])
    return dx
""",
    ),
    Right(
        "03.3",
        """
def maxout_backward(dout, cache):
    winner, pieces = cache
    won = np.arange(pieces) == winner[..., None]
    return (won * dout[..., None]).reshape(len(dout), -1)
""",
    ),
    Right(
        "03.3",
        """
def maxout_backward(dout, cache):
    winner, pieces = cache
    n, d = dout.shape
    dx = np.zeros((n, d * pieces))
    for i in range(n):
        for j in range(d):
            dx[i, j * pieces + winner[i, j]] = dout[i, j]
    return dx
""",
    ),
]

SENTENCES = {  # of the task, and the cases that test it
    "03.1": {
        "Its slope is 1 where $z > 0$ and 0 elsewhere, at zero too.": ["relu_backward: gradient"],
        "Leaky ReLU has a small slope $a$ in place of that 0": ["leaky_relu_backward: gradient"],
        "Their caches hold the input.": [
            "relu_backward: gradient",
            "relu_backward: any shape",
            "leaky_relu_backward: gradient",
        ],
    },
    "03.2": {
        r"ELU bends smoothly towards $-\alpha$": ["elu_forward: output"],
        "Write both passes.": ["elu_forward: output", "elu_backward: gradient"],
        "for $z = 1000$ the output is 1000": ["elu_forward: very large and very small inputs"],
        r"At $z = 0$ the slope is that of the lower branch, $\alpha$.": ["elu_backward: gradient"],
    },
    "03.3": {
        "takes the largest of every `pieces` neighbours along the last axis": [
            "maxout_backward: two pieces",
            "maxout_backward: more pieces",
        ],
        "gets `dout` of shape (N, D) and returns an array of shape (N, D·k)": [
            "maxout_backward: more pieces",
            "maxout_backward: one example",
        ],
        "Each entry of `dout` goes to the piece that won, the others get 0.": [
            "maxout_backward: two pieces",
            "maxout_backward: more pieces",
        ],
    },
    "03.4": {
        "which says for each unit whether it is dead, as an array of True and False, (M,)": [
            "dead_units: which are dead"
        ],
        "no example of the batch gets a gradient through them": ["dead_units: which are dead"],
        "with which every dead unit passes the gradient of at least a quarter and of at most three quarters of the examples": [
            "revive: dead units come back"
        ],
        "The biases of living units stay as they are.": ["revive: living units stay as they are"],
    },
    "03.5": {
        "A SwiGLU unit makes two sums of its inputs, a value $v$ and a gate $g$, and multiplies the value by SiLU of the gate": [
            "swiglu_forward: output"
        ],
        "its first D columns are the values, its last D columns the gates": [
            "swiglu_forward: output",
            "swiglu_backward: gradient",
        ],
        "which returns `out`, (N, D), and a cache of your choice": ["swiglu_forward: output"],
        "which returns the gradient of `x`, (N, 2 D)": ["swiglu_backward: gradient"],
        "Two numbers meet in a product, so two gradients leave it.": ["swiglu_backward: gradient"],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "03.1": {
        "another name for the same thing at this place": [
            "cache was used where x is meant, in what is returned",
        ],
    },
    "03.2": {
        "both sides agree at this point": [
            ">= stands where > is meant: x > 0",
        ],
        "the cache is the answer's own affair": [
            "negative was used where out is meant, in value 2 of what is returned",
            "out was used where x is meant, in value 2 of what is returned",
        ],
        "np.where throws the overflow away": [
            "np.minimum is missing in negative",
            "the number 1 stands where 0 is meant, in negative",
        ],
        "input and output have the same sign": [
            "out was used where x is meant, in what is returned",
        ],
    },
    "03.3": {
        "it is 0": [
            "the sign of groups is the wrong way round",
        ],
        "only the shape counts": [
            "winner was used where dout is meant, in (n, d)",
        ],
    },
}
