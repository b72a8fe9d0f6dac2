"""Cases of exercise sheet 01, backpropagation."""

import numpy as np

from coursekit.grading.cases import Right, Slip, Wrong, case, question, slips
from coursekit.grading.compare import expect_equal, expect_parts

TITLE = "Backpropagation"


Q1 = question(
    "01.1",
    title="Affine backward",
    minutes=10,
    hints=[
        "`dx` must have the shape (N, D). You have `dout` (N, M) and `w` (D, M): which product gives (N, D)?",
        "`w[d, m]` reaches output m of each example: $\\sum_n x_{nd}\\, \\text{dout}_{nm}$. Transpose `x`.",
        "`b[m]` reaches output m of every example with local derivative 1. Add up over the examples, axis 0.",
    ],
)


def layers(affine_backward, rng):
    """Two layers: one with as many inputs as outputs, in which a forgotten .T gives wrong numbers, and one without."""
    n, d, m = (int(k) for k in rng.choice(np.arange(3, 9), size=3, replace=False))
    for inputs, outputs in ((d, d), (d, m)):
        x, w, b, dout = (rng.uniform(-2, 2, s) for s in ((n, inputs), (inputs, outputs), (outputs,), (n, outputs)))
        got = affine_backward(dout, (x, w, b))
        yield x, w, dout, expect_parts(got, ("dx", "dw", "db"), what="affine_backward(dout, cache)")


@case("affine_backward: gradient of the input")
def affine_input(affine_backward, *, rng):
    for _, w, dout, (dx, _, _) in layers(affine_backward, rng):
        mistakes = {"the product entry by entry, *, was used where a matrix product, @, is meant": dout * w.flat[0]}
        if w.shape[0] == w.shape[1]:
            mistakes = {
                "w was not transposed": dout @ w,
                "the product entry by entry, *, was used where a matrix product, @, is meant": dout * w[0],
            }
        expect_equal(dx, dout @ w.T, what="dx", mistakes=mistakes)


@case("affine_backward: gradient of the weights")
def affine_weights(affine_backward, *, rng):
    for x, _, dout, (_, dw, _) in layers(affine_backward, rng):
        mistakes = {
            "the two factors are the wrong way round: this is the transpose": dout.T @ x,
            "the sum over the examples was divided by their number: the loss does that, not the layer": (
                x.T @ dout / len(x)
            ),
        }
        expect_equal(dw, x.T @ dout, what="dw", mistakes=mistakes)


@case("affine_backward: gradient of the bias")
def affine_bias(affine_backward, *, rng):
    for _, _, dout, (_, _, db) in layers(affine_backward, rng):
        mistakes = {
            "the sum over the examples is missing": dout,
            "the sum runs over the outputs, axis 1, not over the examples, axis 0": dout.sum(axis=1),
            "the summed axis was kept": dout.sum(axis=0, keepdims=True),
            "all of dout was summed, to a single number": dout.sum(),
            "the mean over the examples was taken: the loss does that, not the layer": dout.mean(axis=0),
            "only the first example was used": dout[0],
        }
        expect_equal(db, dout.sum(axis=0), what="db", mistakes=mistakes)


Q2 = question(
    "01.2",
    title="A graph by hand",
    minutes=12,
    hints=[
        "Begin at the end: the derivative of $(s - y)^2$ with respect to $s$ is $2 (s - y)$.",
        "A sum hands what arrives to each of its terms unchanged: both $a$ and $x$ get `ds`.",
        "$x$ is used twice, in $z$ and in $s$. What arrives from both places is added.",
    ],
)


def unit(rng):
    """Numbers at which every part of the graph matters, and its nodes."""
    w, x = (float(rng.uniform(0.5, 1.5) * rng.choice([-1, 1])) for _ in range(2))
    z = float(rng.uniform(0.3, 1.2) * rng.choice([-1, 1]))
    b, a = z - w * x, float(np.tanh(z))
    ds = float(rng.uniform(0.5, 3) * rng.choice([-1, 1]))
    return w, x, b, a + x - ds / 2, z, a, ds


def graph_gradients(graph_backward, numbers):
    return expect_parts(graph_backward(*numbers), ("dw", "dx", "db"), what="graph_backward(w, x, b, y)")


@case("graph_backward: w and b, along one path")
def graph_parameters(graph_backward, *, rng):
    w, x, b, y, z, a, ds = unit(rng)
    dw, _, db = graph_gradients(graph_backward, (w, x, b, y))
    slopes = {
        "the derivative of tanh is missing": 1.0,
        "tanh's derivative was taken at z; it is 1 - a**2, from its output": 1 - z**2,
        "the square is missing in 1 - a**2": 1 - a,
        "sigmoid's derivative, a * (1 - a), was used for tanh": a * (1 - a),
    }
    slope = 1 - a**2
    half = {"the 2 from the square's derivative is missing": slope / 2}
    for name, got, factor in (("db", db, 1.0), ("dw", dw, x)):
        mistakes = {said: ds * s * factor for said, s in (slopes | half).items()}
        if name == "dw":
            mistakes["dw was multiplied by w, not by x: the local derivative of w * x is the other factor"] = (
                ds * slope * w
            )
        expect_equal(got, ds * slope * factor, what=name, mistakes=mistakes)


@case("graph_backward: x, along two paths")
def graph_input(graph_backward, *, rng):
    w, x, b, y, _, a, ds = unit(rng)
    _, dx, _ = graph_gradients(graph_backward, (w, x, b, y))
    inner = ds * (1 - a**2) * w
    mistakes = {
        "only the path through z was counted; x reaches s by the shortcut too": inner,
        "only the shortcut was counted; x reaches s through z too": ds,
        "the two paths were multiplied; what arrives along several paths is added": inner * ds,
    }
    expect_equal(dx, inner + ds, what="dx", mistakes=mistakes)


Q3 = question(
    "01.3",
    title="Gradient check",
    minutes=12,
    hints=[
        "Two calls of `f` for each entry: one with the entry eps above `old`, one with it eps below.",
        "The two points are 2 eps apart.",
        "Put the old value back before the next entry is nudged.",
        "`np.maximum` compares two arrays entry by entry; `.max()` gives the largest entry.",
    ],
)


def differences(f, x, eps, *, below=True, apart=2.0, restore=True):
    """Finite differences with the usual mistakes."""
    x, gradient = x.copy(), np.zeros_like(x)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = f(x)
        x[i] = old - eps if below else old
        gradient[i] = (above - f(x)) / (apart * eps)
        if restore:
            x[i] = old
    return gradient


@case("numerical_gradient: central differences")
def measured(numerical_gradient, *, rng):
    # A step of 0.1 on a function of the third degree in which all entries meet: each mistake shows.
    shape, eps = (int(rng.integers(2, 4)), int(rng.integers(4, 6))), 0.1
    factors, x = rng.uniform(0.5, 1, shape), rng.uniform(0.2, 1, shape)

    def f(x):
        return float((factors * x).sum() ** 3)

    together = np.full(shape, (f(x + eps) - f(x - eps)) / (2 * eps))
    mistakes = {
        "the difference is one-sided: f(x) was used in place of f(x - eps)": differences(
            f, x, eps, below=False, apart=1
        ),
        "f(x) was used in place of f(x - eps), over a distance of 2 eps": differences(f, x, eps, below=False),
        "the distance between the points was taken as eps; it is 2 eps": differences(f, x, eps, apart=1),
        "the entry was not put back, so later ones are measured elsewhere": differences(f, x, eps, restore=False),
        "all entries were nudged at once": together,
    }
    got = numerical_gradient(f, x.copy(), eps)
    expect_equal(got, differences(f, x, eps), what="numerical_gradient(f, x, 0.1)", mistakes=mistakes)


@case("relative_error: gradients of almost nothing")
def smallest_error(relative_error, *, rng):
    shape = (int(rng.integers(3, 5)), int(rng.integers(5, 7)))
    a, n = np.zeros(shape), np.zeros(shape)
    expect_equal(
        relative_error(a, n),
        0.0,
        what="relative_error of two gradients that are 0 everywhere",
        mistakes={"0 was divided by 0: the last term of the maximum, 1e-8, is missing": np.nan},
    )
    a.flat[:4], n.flat[:4] = rng.uniform(3.2e-9, 4e-9, 4), rng.uniform(7e-9, 9e-9, 4)  # the sum is above 1e-8
    off = np.abs(a - n)
    expect_equal(
        relative_error(a, n),
        float(off.max() / 1e-8),
        atol=1e-12,
        what="relative_error of two gradients of some 1e-9",
        mistakes={
            "1e-8 was added to the size: it is the least that the size can be": (
                float((off / (np.maximum(np.abs(a), np.abs(n)) + 1e-8)).max())
            ),
            "the last term of the maximum, 1e-8, is missing": float((off[a > 0] / n[a > 0]).max()),
        },
    )


@case("relative_error: the largest of all entries")
def largest_error(relative_error, *, rng):
    shape = (int(rng.integers(3, 5)), int(rng.integers(2, 4)))
    a = rng.uniform(1, 3, shape) * rng.choice([-1, 1], shape)
    n = a * (1 + rng.uniform(0.001, 0.01, shape))
    worst, zero = (int(i) for i in rng.choice(a.size, 2, replace=False))
    a.flat[worst] = rng.uniform(0.3, 0.5) * rng.choice([-1, 1])  # a small entry has the largest relative error
    n.flat[worst] = 0.8 * a.flat[worst]
    a.flat[zero] = n.flat[zero] = 0.0
    small = int(next(i for i in rng.permutation(a.size) if i not in (worst, zero)))
    a.flat[small], n.flat[small] = 0.21, 0.27  # here the other of the two is the smaller
    size = np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-8)
    off = np.abs(a - n)
    least = np.maximum(np.minimum(np.abs(a), np.abs(n)), 1e-8)

    def both(error):
        return error(a, n), error(n, a)

    mistakes = {
        "the error is absolute: it was not divided by the size of the gradients": both(
            lambda a, n: float(np.abs(a - n).max())
        ),
        "the mean was taken, in which one wrong entry among many drowns": both(lambda a, n: float((off / size).mean())),
        "the errors were added up": both(lambda a, n: float((off / size).sum())),
        "the absolute value of the difference is missing": both(lambda a, n: float(((a - n) / size).max())),
        "the sizes were added, not compared": both(
            lambda a, n: float((off / np.maximum(np.abs(a) + np.abs(n), 1e-8)).max())
        ),
        "the measured gradient alone was divided by": both(
            lambda a, n: float((off / np.maximum(np.abs(n), 1e-8)).max())
        ),
        "the analytic gradient alone was divided by": both(
            lambda a, n: float((off / np.maximum(np.abs(a), 1e-8)).max())
        ),
        "the smaller of the two was taken as the size; the larger is meant": both(
            lambda a, n: float((off / least).max())
        ),
        "the largest difference was divided by the largest entry": both(lambda a, n: float(off.max() / size.max())),
    }
    got = relative_error(a, n), relative_error(n, a)
    expect_equal(got, both(lambda a, n: float((off / size).max())), what="relative_error", mistakes=mistakes)


Q4 = question(
    "01.4",
    title="A network's gradients",
    minutes=15,
    hints=[
        "Forward first: z, h, p, and the loss `np.mean((p - y) ** 2)`. Keep z, h and p.",
        "The mean is over N K numbers, `p.size` of them, and the derivative of a square has a 2.",
        "ReLU lets the gradient through where z was positive. True and False in `z > 0` count as 1 and 0.",
        "Two calls of `affine_backward`, last layer first.",
    ],
)


def network(network_gradients, rng):
    """A network with a few outputs, and what the student's function gives for it."""
    n, d, h, k = 8, int(rng.integers(3, 5)), int(rng.integers(5, 8)), 2
    x, w1, w2, b2 = (rng.uniform(-1, 1, shape) for shape in ((n, d), (d, h), (h, k), (k,)))
    b1 = rng.uniform(-0.2, 0.2, h)
    z = x @ w1 + b1
    hidden = np.maximum(0, z)
    error = rng.uniform(0.3, 1, (n, k)) * rng.choice([-1, 1], (n, k))
    y = hidden @ w2 + b2 - error
    names = ("loss", "dw1", "db1", "dw2", "db2")
    got = expect_parts(network_gradients(x, y, w1, b1, w2, b2), names, what="network_gradients")
    return x, w2, z, hidden, error, got


@case("network_gradients: the loss")
def network_loss(network_gradients, *, rng):
    *_, error, (loss, *_) = network(network_gradients, rng)
    mistakes = {
        "the squared errors were added up, not averaged": float((error**2).sum()),
        "the mean was taken over the examples only, not over the outputs": float((error**2).sum() / len(error)),
        "the loss was halved": float((error**2).mean() / 2),
    }
    expect_equal(loss, float((error**2).mean()), what="the loss", mistakes=mistakes)


def scales(error):
    """Wrong upstream gradients of the output."""
    return {
        "the 2 from the square's derivative is missing": error / error.size,
        "the gradient was not divided by N K: that is the gradient of the sum, not of the mean": 2 * error,
        "the gradient was divided by N only; the mean is over N K numbers": 2 * error / len(error),
    }


@case("network_gradients: the second layer")
def network_second(network_gradients, *, rng):
    _, _, z, hidden, error, (_, _, _, dw2, db2) = network(network_gradients, rng)
    dp = 2 * error / error.size
    mistakes = {said: hidden.T @ wrong for said, wrong in scales(error).items()}
    mistakes["z was used in place of h: the second layer's input is ReLU's output"] = z.T @ dp
    expect_equal(dw2, hidden.T @ dp, what="dw2", mistakes=mistakes)
    expect_equal(db2, dp.sum(axis=0), what="db2")


@case("network_gradients: the first layer")
def network_first(network_gradients, *, rng):
    x, w2, z, hidden, error, (_, dw1, db1, _, _) = network(network_gradients, rng)
    dp = 2 * error / error.size
    dh = dp @ w2.T
    mistakes = {said: x.T @ ((wrong @ w2.T) * (z > 0)) for said, wrong in scales(error).items()}
    mistakes |= {
        "ReLU's derivative is missing": x.T @ dh,
        "ReLU was applied to the gradient: the sign of z decides, not that of dh": x.T @ np.maximum(0, dh),
        "dh was multiplied by h: ReLU's derivative is 1 or 0": x.T @ (dh * hidden),
    }
    expect_equal(dw1, x.T @ (dh * (z > 0)), what="dw1", mistakes=mistakes)
    expect_equal(db1, (dh * (z > 0)).sum(axis=0), what="db1")


Q5 = question(
    "01.5",
    title="Find the wrong entries",
    minutes=15,
    hints=[
        "Measure the gradient with `numerical_gradient`, and compare entry by entry.",
        "The entries differ in size: compare each with its own, not with the largest.",
        "The difference is off by about eps squared times the third derivative, and by about 1e-16 |f| / eps.",
    ],
)


def claims(rng, size, factor, share=0.4):
    """A gradient of this many entries with faults of the kinds that occur, and where they are."""
    wrong = rng.permutation(size) < max(1, round(share * size))
    fault = rng.choice([0.0, -1.0, 2.0, 0.5, 1.06, 0.93], size)
    return np.where(wrong, factor * fault, factor), wrong


def wrong_answer(wrong_entries, f, claimed, x, wrong, what):
    shape = (2, -1)
    claimed, x, wrong = claimed.reshape(shape), x.reshape(shape), wrong.reshape(shape)
    got = wrong_entries(f, claimed.copy(), x.copy())
    expect_equal(
        got,
        wrong,
        what=what,
        mistakes={
            "right and wrong are the wrong way round": ~wrong,
            "every entry is called wrong: the measured gradient is too inexact, or the limit too narrow": wrong | True,
            "no entry is called wrong": wrong & False,
            "one answer came for all entries: each entry is asked for": wrong.any(),
        },
    )


@case("wrong_entries: faults of every kind")
def entries_usual(wrong_entries, *, rng):
    size = 2 * int(rng.integers(5, 8))
    c, x = rng.uniform(0.5, 2, size), rng.uniform(0.3, 1, size)

    def f(x):
        return float((c * x.ravel() ** 2).sum())

    small = int(rng.integers(size))
    c[small], x[small] = 0.5, 0.3
    claimed, wrong = claims(rng, size, 2 * c * x)
    claimed[small], wrong[small] = (
        1.06 * 2 * c[small] * x[small],
        True,
    )  # a fault that is small beside the other entries
    wrong_answer(wrong_entries, f, claimed, x, wrong, "wrong_entries(f, claimed, x)")


@case("wrong_entries: faults of every kind, other inputs", hidden=True)
def entries_usual_again(wrong_entries, *, rng):
    entries_usual(wrong_entries, rng=rng)


@case("wrong_entries: small entries beside large ones", points=2)
def entries_scales(wrong_entries, *, rng):
    size = 2 * int(rng.integers(5, 8))
    c = rng.permutation(np.geomspace(1e-7, 0.1, size)) * rng.choice([-1, 1], size)
    x = rng.uniform(-1, 1, size)

    def f(x):
        return float((c * np.sin(x.ravel())).sum())

    claimed, wrong = claims(rng, size, c * np.cos(x))
    least = int(np.argmin(np.abs(c)))
    claimed[least], wrong[least] = 0.93 * c[least] * np.cos(x[least]), True  # a fault below 1e-8
    wrong_answer(wrong_entries, f, claimed, x, wrong, "wrong_entries where gradients go from 0.0000001 to 0.1")


@case("wrong_entries: a function that wiggles", points=2)
def entries_wiggle(wrong_entries, *, rng):
    size = 2 * int(rng.integers(5, 8))
    c, x = rng.uniform(0.5, 2, size), rng.choice([-1, 1], size) * rng.uniform(0.005, 0.02, size)

    def f(x):
        return float((c * np.sin(50 * x.ravel())).sum())

    claimed, wrong = claims(rng, size, 50 * c * np.cos(50 * x))
    wrong_answer(wrong_entries, f, claimed, x, wrong, "wrong_entries of a function that wiggles within 0.05")


@case("wrong_entries: nothing is wrong, or everything")
def entries_all(wrong_entries, *, rng):
    size = 2 * int(rng.integers(5, 8))
    c, x = rng.uniform(0.5, 2, size), rng.uniform(-1, 1, size)

    def f(x):
        return float(np.exp(c * x.ravel()).sum())

    right = c * np.exp(c * x)
    wrong_answer(wrong_entries, f, right, x, np.zeros(size, bool), "wrong_entries of a right gradient")
    wrong_answer(wrong_entries, f, -right, x, np.ones(size, bool), "wrong_entries of a gradient with all signs changed")


@case("wrong_entries: nothing is wrong, or everything, other inputs", hidden=True)
def entries_all_again(wrong_entries, *, rng):
    entries_all(wrong_entries, rng=rng)


Q6 = question(
    "01.6",
    title="Two operations for the engine",
    minutes=12,
    hints=[
        "Look at `__mul__`: the value, then a pair for each input, (the input itself, how the result changes with it).",
        "The derivative of the sigmoid can be written with its value: $s (1 - s)$.",
        "$a / b = a \\cdot b^{-1}$: with respect to b the derivative is $-a / b^2$.",
    ],
)


def worked_out(engine, formula, numbers):
    return expect_parts(engine(formula, numbers), ("value", "derivatives"), what=f"engine({formula!r}, {numbers})")


@case("sigmoid: value and derivative")
def engine_sigmoid(engine, sigmoid, *, rng):
    for sign in (-1, 1):
        a = round(float(sign * rng.uniform(0.4, 2.5)), 2)
        value, slopes = worked_out(engine, "sigmoid(a)", {"a": a})
        s = 1 / (1 + np.exp(-a))
        expect_equal(
            value,
            s,
            what=f"the value of sigmoid(a) at a = {a}",
            mistakes={
                "the minus in the exponent is missing": 1 - s,
                "tanh was taken": float(np.tanh(a)),
            },
        )
        expect_equal(
            slopes[0],
            s * (1 - s),
            what=f"the derivative of sigmoid(a) at a = {a}",
            mistakes={
                "a is not among the parents: nothing comes back to it": 0.0,
                "the local derivative is 1: the sigmoid's own slope is missing": 1.0,
                "the value was handed over as the local derivative": s,
                "the derivative was taken at a; s (1 - s) is made of the value s": a * (1 - a),
                "tanh's derivative was used, 1 - s**2": 1 - s**2,
                "the sign is wrong: the sigmoid grows": -s * (1 - s),
            },
        )


@case("sigmoid: value and derivative, other inputs", hidden=True)
def engine_sigmoid_again(engine, sigmoid, *, rng):
    engine_sigmoid(engine, sigmoid, rng=rng)


@case("divide: value and both derivatives")
def engine_divide(engine, divide, *, rng):
    a, b = (round(float(rng.uniform(1.2, 3) * sign), 2) for sign in rng.permutation([-1, 1]))
    value, slopes = worked_out(engine, "divide(a, b)", {"a": a, "b": b})
    expect_equal(value, a / b, what=f"the value of {a} / {b}", mistakes={"it is the wrong way up, b / a": b / a})
    expect_equal(
        slopes[0],
        1 / b,
        what=f"the derivative of {a} / {b} with respect to a",
        mistakes={
            "a is not among the parents: nothing comes back to it": 0.0,
            "the local derivatives of the product were kept": b,
            "the two derivatives are swapped": -a / b**2,
        },
    )
    expect_equal(
        slopes[1],
        -a / b**2,
        what=f"the derivative of {a} / {b} with respect to b",
        mistakes={
            "b is not among the parents: nothing comes back to it": 0.0,
            "the sign is wrong: a larger b makes the quotient smaller": a / b**2,
            "b was not squared": -a / b,
            "the a is missing": -1 / b**2,
            "the local derivatives of the product were kept": a,
        },
    )


@case("divide: value and both derivatives, other inputs", hidden=True)
def engine_divide_again(engine, divide, *, rng):
    engine_divide(engine, divide, rng=rng)


@case("both in a formula, with a value used twice", points=2)
def engine_both(engine, sigmoid, divide, *, rng):
    a, b = (round(float(rng.uniform(0.5, 2)), 2) for _ in range(2))
    value, slopes = worked_out(engine, "divide(sigmoid(a * b), a + b)", {"a": a, "b": b})
    s = 1 / (1 + np.exp(-a * b))
    top, bottom = s * (1 - s) / (a + b), -s / (a + b) ** 2
    expect_equal(value, s / (a + b), what="the value of divide(sigmoid(a * b), a + b)")
    expect_equal(
        np.array(slopes),
        np.array([top * b + bottom, top * a + bottom]),
        what="the derivatives of divide(sigmoid(a * b), a + b)",
        mistakes={
            "nothing comes back through divide's first input": np.array([bottom, bottom]),
            "nothing comes back through divide's second input": np.array([top * b, top * a]),
        },
    )


@case("both in a formula, with a value used twice, other inputs", points=2, hidden=True)
def engine_both_again(engine, sigmoid, divide, *, rng):
    engine_both(engine, sigmoid, divide, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "01.1": """
def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return (dx, dw, db)
""",
    "01.2": """
def graph_backward(w, x, b, y):
    z = w * x + b
    a = np.tanh(z)
    s = a + x
    ds = 2 * (s - y)
    da = ds
    dz = da * (1 - a ** 2)
    dw, db = (dz * x, dz)
    dx = dz * w + ds
    return (dw, dx, db)
""",
    "01.3": """
def numerical_gradient(f, x, eps):
    x, gradient = (x.copy(), np.zeros_like(x))
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = f(x)
        x[i] = old - eps
        below = f(x)
        x[i] = old
        gradient[i] = (above - below) / (2 * eps)
    return gradient

def relative_error(a, n):
    size = np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-08)
    return (np.abs(a - n) / size).max()
""",
    "01.4": """
def network_gradients(x, y, w1, b1, w2, b2):
    z, cache1 = affine_forward(x, w1, b1)
    h = np.maximum(0, z)
    p, cache2 = affine_forward(h, w2, b2)
    loss = np.mean((p - y) ** 2)
    dp = 2 * (p - y) / p.size
    dh, dw2, db2 = affine_backward(dp, cache2)
    dz = dh * (z > 0)
    _, dw1, db1 = affine_backward(dz, cache1)
    return (loss, dw1, db1, dw2, db2)
""",
    "01.5": """
def wrong_entries(f, claimed, x):
    measured = numerical_gradient(f, x, 1e-05)
    size = np.maximum(np.abs(claimed), np.abs(measured))
    return np.abs(claimed - measured) > 0.02 * size
""",
    "01.6": """
def sigmoid(a):
    s = 1 / (1 + np.exp(-a.data))
    return Value(s, [(a, s * (1 - s))])

def divide(a, b):
    return Value(a.data / b.data, [(a, 1 / b.data), (b, -a.data / b.data**2)])
""",
}

SLIPS = [
    *slips(
        "01.1",
        MODELS["01.1"],
        {
            ("dout @ w.T", "w"): "dx is w itself: it is the local derivative, and dout was not multiplied by it",
            (
                "dout.sum(axis=0)",
                "(dout * b).sum(axis=0)",
            ): "dout was multiplied by b: b is added, so its local derivative is 1",
            ("dout.sum(axis=0)", "dout.sum(axis=0) + b"): "b was added to its own gradient",
            (
                "dout @ w.T",
                "dout @ w.T / len(x)",
            ): "dx was divided by the number of examples: the loss does that, not the layer",
            ("x.T @ dout", "x.T @ dout / len(x)", "dout.sum(axis=0)", "dout.mean(axis=0)"): (
                "dw and db were divided by the number of examples: the loss does that, not the layer"
            ),
            ("dout @ w.T", "dout * x"): "dx was multiplied by x, not by w",
        },
    ),
    Slip(
        "01.1",
        """
def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for n in range(x.shape[0]):
        for m in range(x.shape[1]):
            db[m] += dout[n, m]
            dx[n] += dout[n, m] * w[:, m]
            dw[:, m] += dout[n, m] * x[n]
    return dx, dw, db
""",
        "a loop over the outputs runs to x.shape[1], the number of inputs; the outputs are dout.shape[1]",
    ),
    *slips(
        "01.2",
        MODELS["01.2"],
        {
            ("dx = dz * w + ds", "dx = dz * z"): "dx was multiplied by z, not by w, and the shortcut is missing",
            ("dx = dz * w + ds", "dx = ds * w + ds"): "the derivative of tanh is missing on the path to x through z",
            (
                "1 - a ** 2",
                "1 - np.tanh(a) ** 2",
            ): "tanh was taken twice: a is tanh(z) already, so the slope is 1 - a**2",
            ("1 - a ** 2", "1 - s ** 2"): "the slope of tanh was taken at s; it is 1 - a**2, from tanh's own output",
            (
                "2 * (s - y)",
                "(s - y) ** 2",
            ): "the loss itself was used as its gradient: the derivative of the square is missing",
            ("2 * (s - y)", "2 * (a - y)"): "the shortcut is missing in the forward pass: s is a + x",
            ("2 * (s - y)", "2 * (y - s)"): "the sign is the wrong way round: the derivative of (s - y)**2 has s - y",
            ("dx = dz * w + ds", "dx = dz * w + 1"): "the shortcut hands on ds, not 1",
            ("dx = dz * w + ds", "dx = dz * w + a"): "the shortcut hands on ds, the gradient that arrives, not a",
            ("dx = dz * w + ds", "dx = dz * (w + 1)"): "the shortcut goes round tanh: it hands on ds, not dz",
            ("dz * x, dz)", "dz * x, ds)"): "db stops at the output: it needs the derivative of tanh too",
            ("da * (1 - a ** 2)", "1 - a ** 2"): "dz does not have what arrives, ds, as a factor",
        },
    ),
    *slips(
        "01.3",
        MODELS["01.3"],
        {
            ("np.ndindex(x.shape)", "range(len(x))"): (
                "the loop runs over whole rows, range(len(x)), and not over single entries, np.ndindex(x.shape)"
            ),
            ("x[i] = old - eps", "x[i] -= eps"): (
                "eps was subtracted from what had been raised by eps: that is old, not old - eps"
            ),
            (
                "above = f(x)",
                "above = f(x[i])",
                "below = f(x)",
                "below = f(x[i])",
            ): "f got a single entry; it needs all of x",
            (
                "above = f(x)\n        x[i] = old - eps\n        below = f(x)",
                "x[i] = old - eps\n        above = f(x)\n        below = f(x)",
            ): (
                "both values were taken at the same point: up and down are one and the same array, or f was called too late"
            ),
            ("(above - below)", "(below - above)"): "the difference is the wrong way round: f above minus f below",
            ("/ (2 * eps)", "/ 2 * eps"): "brackets are missing: / 2 * eps divides by 2 and multiplies by eps",
            ("gradient[i] =", "gradient ="): "each entry replaces the whole gradient: gradient[i] is meant",
            (
                "np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-08)",
                "np.maximum(np.minimum(np.abs(a), np.abs(n)), 1e-08)",
            ): ("the smaller of the two was taken as the size; the larger is meant"),
            ("np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-08)", "np.maximum(np.abs(a), 1e-08)"): (
                "the analytic gradient alone was divided by; the larger of the two is meant"
            ),
            ("(np.abs(a - n) / size).max()", "np.linalg.norm(a - n) / np.linalg.norm(size)"): (
                "norms were compared; asked for is the largest error of an entry"
            ),
            (
                "return (np.abs(a - n) / size).max()",
                "return np.linalg.norm(a - n) / (np.linalg.norm(a) + np.linalg.norm(n))",
            ): ("norms of the whole gradients were compared, in which one wrong entry among many drowns"),
            (
                "return (np.abs(a - n) / size).max()",
                "return np.linalg.norm(a - n) / max(np.linalg.norm(a), np.linalg.norm(n), 1e-08)",
            ): (
                "norms of the whole gradients were compared, in which one wrong entry among many drowns: find each entry's"
            ),
            ("(np.abs(a - n) / size).max()", "np.abs(a - n) / size"): "the max over the entries is missing",
            ("np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-08)", "np.maximum(np.abs(a), np.abs(n))"): (
                "the 1e-8 is missing, so 0 was divided by 0"
            ),
        },
    ),
    *slips(
        "01.4",
        MODELS["01.4"],
        {
            ("(z > 0)", "(dh > 0)"): "the sign of dh decided; ReLU's slope depends on the sign of z",
            ("(z > 0)", "(p > 0).any(axis=1, keepdims=True)"): "the output p decided; ReLU stands at z",
            ("2 * (p - y) / p.size", "2 * (y - p) / p.size"): "the sign is the wrong way round: p - y, not y - p",
            ("/ p.size", "/ p.size * (p > 0)"): "the output layer got ReLU's derivative: there is no ReLU after p",
            (
                "2 * (p - y) / p.size",
                "2 * (p - y)",
                "_, dw1, db1 = affine_backward(dz, cache1)",
                "_, dw1, db1 = affine_backward(dz / len(x), cache1)",
            ): ("the gradient was divided by N in one layer only"),
            ("h = np.maximum(0, z)", "h = z"): "ReLU is missing in the forward pass",
            ("return (loss, dw1", "return (np.sqrt(loss), dw1"): "the square root of the loss was returned",
        },
    ),
    *slips(
        "01.5",
        MODELS["01.5"],
        {
            (
                "numerical_gradient(f, x, 1e-05)",
                "numerical_gradient(f, x, 0.1)",
            ): "the step is far too large for a function that wiggles",
            (
                "> 0.02 * size",
                "> 0.02",
            ): "the difference was compared with a fixed number; each entry has a size of its own",
            (
                "> 0.02 * size",
                "> 0.05",
            ): "the difference was compared with a fixed number; each entry has a size of its own",
            (
                "np.abs(claimed - measured) > 0.02 * size",
                "~np.isclose(claimed, measured)",
            ): "np.isclose allows a difference of 1e-8 (atol) whatever the size: small entries get lost",
            (
                "> 0.02 * size",
                "> 0.02 * size.max()",
            ): "every entry was compared with the largest one: small ones get lost",
            ("> 0.02 * size", "< 0.02 * size"): "right and wrong are the wrong way round",
        },
    ),
]


def _affine(dx="dout @ w.T", dw="x.T @ dout", db="dout.sum(axis=0)"):
    return f"""
def affine_backward(dout, cache):
    x, w, b = cache
    return {dx}, {dw}, {db}
"""


def _graph(ds="2 * (s - y)", slope="1 - a**2", dw="dz * x", dx="dz * w + ds"):
    return f"""
def graph_backward(w, x, b, y):
    z = w * x + b
    a = np.tanh(z)
    s = a + x
    ds = {ds}
    dz = ds * ({slope})
    return {dw}, {dx}, dz
"""


def _numerical(below="x[i] = old - eps", back="x[i] = old", quotient="(above - below) / (2 * eps)"):
    return f"""
def numerical_gradient(f, x, eps):
    x, gradient = x.copy(), np.zeros_like(x)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = f(x)
        {below}
        below = f(x)
        {back}
        gradient[i] = {quotient}
    return gradient
"""


def _error(formula):
    return f"def relative_error(a, n):\n    return {formula}"


def _network(dp="2 * (p - y) / p.size", dz="dh * (z > 0)", h2="h", loss="np.mean((p - y) ** 2)"):
    return f"""
def network_gradients(x, y, w1, b1, w2, b2):
    z = x @ w1 + b1
    h = np.maximum(0, z)
    p = h @ w2 + b2
    dp = {dp}
    dh = dp @ w2.T
    dz = {dz}
    return {loss}, x.T @ dz, dz.sum(axis=0), {h2}.T @ dp, dp.sum(axis=0)
"""


SIZE = "np.maximum(np.maximum(np.abs(a), np.abs(n)), 1e-8)"


def _entries(step="1e-5", limit="0.02 * size"):
    return f"""
def wrong_entries(f, claimed, x):
    measured = numerical_gradient(f, x, {step})
    size = np.maximum(np.abs(claimed), np.abs(measured))
    return np.abs(claimed - measured) > {limit}
"""


def _sigmoid(parents="[(a, s * (1 - s))]", value="s"):
    return f"""
def sigmoid(a):
    s = 1 / (1 + np.exp(-a.data))
    return Value({value}, {parents})
"""


def _divide(da="1 / b.data", db="-a.data / b.data**2"):
    return f"""
def divide(a, b):
    return Value(a.data / b.data, [(a, {da}), (b, {db})])
"""


WRONG = [
    Wrong("01.6", _sigmoid("[]"), "a is not among the parents"),
    Wrong("01.6", _sigmoid("[(a, 1.0)]"), "the local derivative is 1"),
    Wrong("01.6", _sigmoid("[(a, s)]"), "the value was handed over"),
    Wrong("01.6", _sigmoid("[(a, a.data * (1 - a.data))]"), "the derivative was taken at a"),
    Wrong("01.6", "def sigmoid(a):\n    return 1 / (1 + np.exp(-a.data))", "returns a Value"),
    Wrong("01.6", _sigmoid() + _divide(db="a.data / b.data**2"), "the sign is wrong"),
    Wrong("01.6", _sigmoid() + _divide(db="-a.data / b.data"), "b was not squared"),
    Wrong("01.6", _sigmoid() + _divide("b.data", "a.data"), "of the product were kept"),
    Wrong("01.6", _sigmoid() + _divide("-a.data / b.data**2", "1 / b.data"), "the two derivatives are swapped"),
    Wrong("01.1", _affine(dx="dout @ w"), "w was not transposed"),
    Wrong("01.1", _affine(dx="dout * w[0]"), "where a matrix product, @, is meant"),
    Wrong("01.1", _affine(dw="dout.T @ x"), "the two factors are the wrong way round"),
    Wrong("01.1", _affine(dw="x.T @ dout / len(x)"), "the sum over the examples was divided by their number"),
    Wrong("01.1", _affine(db="dout"), "the sum over the examples is missing"),
    Wrong("01.1", _affine(db="dout.sum(axis=1)"), "the sum runs over the outputs"),
    Wrong("01.1", _affine(db="dout.sum(axis=0, keepdims=True)"), "the summed axis was kept"),
    Wrong("01.1", _affine(db="dout.sum()"), "all of dout was summed"),
    Wrong("01.1", _affine(db="dout.mean(axis=0)"), "the mean over the examples was taken"),
    Wrong("01.1", _affine(db="dout[0]"), "only the first example was used"),
    Wrong("01.1", "def affine_backward(dout, cache):\n    dx = dout @ cache[1].T", "a return is missing"),
    Wrong("01.2", _graph(dx="dz * w"), "only the path through z was counted"),
    Wrong("01.2", _graph(dx="ds"), "only the shortcut was counted"),
    Wrong("01.2", _graph(dx="dz * w * ds"), "the two paths were multiplied"),
    Wrong("01.2", _graph(ds="s - y"), "the 2 from the square's derivative is missing"),
    Wrong("01.2", _graph(slope="1"), "the derivative of tanh is missing"),
    Wrong("01.2", _graph(slope="1 - z**2"), "tanh's derivative was taken at z"),
    Wrong("01.2", _graph(slope="1 - a"), "the square is missing in 1 - a**2"),
    Wrong("01.2", _graph(slope="a * (1 - a)"), "sigmoid's derivative"),
    Wrong("01.2", _graph(dw="dz * w"), "dw was multiplied by w, not by x"),
    Wrong("01.2", _graph(ds="2 * (y - s)"), "the sign is the wrong way round"),
    Wrong("01.2", "def graph_backward(w, x, b, y):\n    ds = 2 * (w * x + b - y)", "a return is missing"),
    Wrong("01.3", _numerical("x[i] = old", "", "(above - below) / eps"), "the difference is one-sided"),
    Wrong("01.3", _numerical("x[i] = old"), "over a distance of 2 eps"),
    Wrong("01.3", _numerical(quotient="(above - below) / eps"), "it is 2 eps"),
    Wrong("01.3", _numerical(back=""), "the entry was not put back"),
    Wrong(
        "01.3",
        "def numerical_gradient(f, x, eps):\n    return np.full(x.shape, (f(x + eps) - f(x - eps)) / (2 * eps))",
        "all entries were nudged at once",
    ),
    Wrong("01.3", _error("np.abs(a - n).max()"), "the error is absolute"),
    Wrong("01.3", _error(f"(np.abs(a - n) / {SIZE}).mean()"), "one wrong entry among many drowns"),
    Wrong("01.3", _error(f"(np.abs(a - n) / {SIZE}).sum()"), "the errors were added up"),
    Wrong("01.3", _error(f"((a - n) / {SIZE}).max()"), "the absolute value of the difference is missing"),
    Wrong("01.3", _error(f"np.abs(a - n).max() / {SIZE}.max()"), "divided by the largest entry"),
    Wrong("01.3", _error("(np.abs(a - n) / np.maximum(np.abs(n), 1e-8)).max()"), "the measured gradient alone"),
    Wrong(
        "01.3",
        _error("(np.abs(a - n) / np.maximum(np.abs(a) + np.abs(n), 1e-8)).max()"),
        "the sizes were added, not compared",
    ),
    Wrong(
        "01.3",
        _error("(np.abs(a - n) / (np.maximum(np.abs(a), np.abs(n)) + 1e-8)).max()"),
        "1e-8 was added to the size",
    ),
    Wrong("01.5", _entries(limit="0.02"), "compared with a fixed number"),
    Wrong("01.5", _entries(limit="1e-8 + 1e-5 * np.abs(measured)"), "np.isclose allows a difference of 1e-8"),
    Wrong("01.5", _entries(limit="-1"), "every entry is called wrong"),
    Wrong("01.5", _entries().replace("> 0", "< 0"), "the wrong way round"),
    Wrong("01.5", "def wrong_entries(f, claimed, x):\n    return np.zeros(x.shape, bool)", "no entry is called wrong"),
    Wrong("01.4", _network(dz="dh"), "ReLU's derivative is missing"),
    Wrong("01.4", _network(dz="np.maximum(0, dh)"), "ReLU was applied to the gradient"),
    Wrong("01.4", _network(dz="dh * h"), "dh was multiplied by h"),
    Wrong("01.4", _network(dp="(p - y) / p.size"), "the 2 from the square's derivative is missing"),
    Wrong("01.4", _network(dp="2 * (p - y)"), "the gradient of the sum, not of the mean"),
    Wrong("01.4", _network(dp="2 * (p - y) / len(p)"), "was divided by N only"),
    Wrong("01.4", _network(h2="z"), "z was used in place of h"),
    Wrong("01.4", _network(loss="np.sum((p - y) ** 2)"), "added up, not averaged"),
    Wrong("01.4", _network(loss="np.sum((p - y) ** 2) / len(p)"), "over the examples only"),
    Wrong("01.4", _network(loss="np.mean((p - y) ** 2) / 2"), "the loss was halved"),
    Wrong("01.4", "def network_gradients(x, y, w1, b1, w2, b2):\n    z = x @ w1 + b1", "a return is missing"),
]

RIGHT = [
    Right(
        "01.6",
        """
def sigmoid(a):
    e = Value(np.exp(-a.data), [(a, -np.exp(-a.data))])
    return reciprocal(Value(1.0) + e)

def reciprocal(b):
    return Value(1 / b.data, ((b, -(b.data ** -2.0)),))

def divide(a, b):
    return a * reciprocal(b)
""",
    ),
    Right(
        "01.5",
        """
def wrong_entries(f, claimed, x):
    wrong = np.zeros(x.shape, bool)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = 3e-6
        slope = (f(x + e) - f(x - e)) / 6e-6
        wrong[i] = not abs(claimed[i] / slope - 1) < 0.03
    return wrong
""",
    ),
    Right("01.1", _affine("np.einsum('nm,dm->nd', dout, w)", "np.einsum('nd,nm->dm', x, dout)", "sum(dout)")),
    Right(
        "01.1",
        """
def affine_backward(dout, cache):
    x, w, b = cache
    db = np.ones(len(dout)) @ dout
    return [np.dot(dout, w.T), np.dot(dout.T, x).T, db]
""",
    ),
    Right(
        "01.2",
        """
def graph_backward(w, x, b, y):
    a = np.tanh(w * x + b)
    ds = 2 * (a + x - y)
    dz = ds / np.cosh(w * x + b) ** 2
    return np.array(x * dz), ds * (1 + w * (1 - a * a)), np.float64(dz)
""",
    ),
    Right(
        "01.3",
        """
def numerical_gradient(f, x, eps):
    out = np.empty(x.shape)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = eps
        e = e.reshape(x.shape)
        out.reshape(-1)[i] = (f(x + e) - f(x - e)) / eps / 2
    return out

def relative_error(a, n):
    return max(abs(p - q) / max(abs(p), abs(q), 1e-8) for p, q in zip(a.flat, n.flat))
""",
    ),
    Right(
        "01.4",
        """
def network_gradients(x, y, w1, b1, w2, b2):
    h = x @ w1 + b1
    h = h * (h > 0)
    error = h @ w2 + b2 - y
    loss = (error**2).sum() / error.size
    dp = error * (2 / error.size)
    dh = np.where(h > 0, dp @ w2.T, 0.0)
    return [loss, x.T @ dh, dh.sum(0), h.T @ dp, dp.sum(0)]
""",
    ),
]

SENTENCES = {  # of the task, and the cases that test it
    "01.1": {
        r"The dense layer: $\text{out}_{nm} = \sum_d x_{nd} W_{dm} + b_m$": [
            "affine_backward: gradient of the input",
            "affine_backward: gradient of the weights",
            "affine_backward: gradient of the bias",
        ],
        "dx (N, D), dw (D, M) and db (M,) from dout (N, M).": [
            "affine_backward: gradient of the input",
            "affine_backward: gradient of the weights",
            "affine_backward: gradient of the bias",
        ],
    },
    "01.2": {
        "A unit with a shortcut: its input is added to its output.": ["graph_backward: x, along two paths"],
        "From how many places does a gradient arrive at $x$?": ["graph_backward: x, along two paths"],
        "The gradients of the loss with respect to w, x and b, in this order.": [
            "graph_backward: w and b, along one path",
            "graph_backward: x, along two paths",
        ],
    },
    "01.3": {
        r"Nudge one entry of $x$ at a time up and down by $\varepsilon$ and put it back": [
            "numerical_gradient: central differences"
        ],
        "the caller's x stays": ["numerical_gradient: central differences"],
        "compared relative to their size": ["relative_error: the largest of all entries"],
        "the last term prevents a division of 0 by 0": ["relative_error: gradients of almost nothing"],
        "The largest relative error between two gradients of the same shape.": [
            "relative_error: the largest of all entries"
        ],
    },
    "01.4": {
        "the mean squared error over all N examples and K outputs": ["network_gradients: the loss"],
        "a hidden layer of ReLU units, an output layer": [
            "network_gradients: the loss",
            "network_gradients: the first layer",
        ],
        "It returns the loss and the four gradients, `(loss, dw1, db1, dw2, db2)`, each of the shape of its parameter.": [
            "network_gradients: the loss",
            "network_gradients: the second layer",
            "network_gradients: the first layer",
        ],
    },
    "01.5": {
        "some of its entries are wrong, each by 5 % or more": ["wrong_entries: faults of every kind"],
        "It returns an array of True and False in the shape of `x`": [
            "wrong_entries: faults of every kind",
            "wrong_entries: nothing is wrong, or everything",
        ],
        "True where the entry of `claimed` is not the derivative of `f` at `x`": [
            "wrong_entries: faults of every kind",
            "wrong_entries: nothing is wrong, or everything",
        ],
        "Some entries of a gradient are a million times smaller than others": [
            "wrong_entries: small entries beside large ones"
        ],
        "some functions wiggle within a distance of 0.05": ["wrong_entries: a function that wiggles"],
    },
    "01.6": {
        "the sigmoid of a Value, $1/(1 + e^{-a})$": ["sigmoid: value and derivative"],
        "one Value divided by another, $a/b$. Both can get a gradient.": ["divide: value and both derivatives"],
        "Each returns a Value that knows its parents and its local derivatives.": [
            "sigmoid: value and derivative",
            "divide: value and both derivatives",
            "both in a formula, with a value used twice",
        ],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "01.2": {
        "another name for the same thing at this place": [
            "da was used where ds is meant, in dx",
            "db was used where dz is meant, in dx",
            "ds was used where da is meant, in dz",
            "dz was used where db is meant, in value 3 of what is returned",
        ],
    },
    "01.3": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the difference is the wrong way round, n - a, in what is returned",
        ],
    },
    "01.4": {
        "no draw is exactly 0, and the task says nothing of it": [
            ">= stands where > is meant: z > 0",
        ],
        "ReLU's output is positive where its input is": [
            "h was used where z is meant, in dz",
        ],
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the difference is the wrong way round, y - p, in loss",
        ],
        "another name for the same thing at this place": [
            "y was used where p is meant, in dp",
        ],
    },
    "01.5": {
        "faults are far larger than the share of either size": [
            ">= stands where > is meant: np.abs(claimed - measured) > 0.02 * size",
            "claimed was used where measured is meant, in size",
            "measured was used where claimed is meant, in size",
            "minimum was taken where maximum is meant, in size",
            "np.abs is missing in size",
            "np.maximum is missing in size",
            "the absolute value was taken in place of np.maximum, in size",
            "the difference is the wrong way round, measured - claimed, in what is returned",
        ],
        "other steps and limits measure as well": [
            "the number 0.01 stands where 0.02 is meant, in what is returned",
            "the number 0.018 stands where 0.02 is meant, in what is returned",
            "the number 0.022 stands where 0.02 is meant, in what is returned",
            "the number 0.04 stands where 0.02 is meant, in what is returned",
            "the number 1.1e-05 stands where 1e-05 is meant, in measured",
            "the number 2e-05 stands where 1e-05 is meant, in measured",
            "the number 5e-06 stands where 1e-05 is meant, in measured",
            "the number 9e-06 stands where 1e-05 is meant, in measured",
        ],
    },
}
