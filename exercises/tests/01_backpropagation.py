"""Cases of exercise sheet 01, backpropagation."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_shape, expect_true, inspect_value

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


def layer(affine_backward, rng):
    """Inputs of a layer with as many inputs as outputs, so that a forgotten .T gives wrong numbers, not an error."""
    n, d = (int(k) for k in rng.choice(np.arange(3, 9), size=2, replace=False))
    x, w, b, dout = (rng.uniform(-2, 2, shape) for shape in ((n, d), (d, d), (d,), (n, d)))
    got = affine_backward(dout, (x, w, b))
    expect_true(
        type(got) in (tuple, list) and len(got) == 3,
        f"affine_backward(dout, cache) gave {inspect_value(got)}, not three arrays dx, dw, db",
        mistake="a return is missing" if got is None else None,
    )
    return x, w, dout, got


@case("affine_backward: gradient of the input")
def affine_input(affine_backward, *, rng):
    _, w, dout, (dx, _, _) = layer(affine_backward, rng)
    mistakes = {
        "w was not transposed": dout @ w,
        "the product entry by entry, *, was used where a matrix product, @, is meant": dout * w[0],
    }
    expect_equal(dx, dout @ w.T, what="dx", mistakes=mistakes)


@case("affine_backward: gradient of the weights", points=2)
def affine_weights(affine_backward, *, rng):
    x, _, dout, (_, dw, _) = layer(affine_backward, rng)
    mistakes = {
        "the two factors are the wrong way round: this is the transpose": dout.T @ x,
        "the sum over the examples was divided by their number: the loss does that, not the layer": x.T @ dout / len(x),
    }
    expect_equal(dw, x.T @ dout, what="dw", mistakes=mistakes)


@case("affine_backward: gradient of the bias")
def affine_bias(affine_backward, *, rng):
    _, _, dout, (_, _, db) = layer(affine_backward, rng)
    expect_shape(
        db,
        dout.shape[1:],
        what="db",
        mistakes={
            "the sum over the examples is missing": dout.shape,
            "the sum runs over the outputs, axis 1, not over the examples, axis 0": dout.shape[:1],
            "the summed axis was kept": (1, dout.shape[1]),
            "all of dout was summed": (),
        },
    )
    mistakes = {
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
    got = graph_backward(*numbers)
    expect_true(
        type(got) in (tuple, list) and len(got) == 3,
        f"graph_backward(w, x, b, y) gave {inspect_value(got)}, not the three numbers dw, dx, db",
        mistake="a return is missing" if got is None else None,
    )
    return got


@case("graph_backward: w and b, along one path", points=2)
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


@case("graph_backward: x, along two paths", points=2)
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


@case("numerical_gradient: central differences", points=2)
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


@case("relative_error: the largest of all entries", points=2)
def largest_error(relative_error, *, rng):
    shape = (int(rng.integers(3, 5)), int(rng.integers(2, 4)))
    a = rng.uniform(1, 3, shape) * rng.choice([-1, 1], shape)
    n = a * (1 + rng.uniform(0.001, 0.01, shape))
    worst, zero = (int(i) for i in rng.choice(a.size, 2, replace=False))
    a.flat[worst] = rng.uniform(0.3, 0.5) * rng.choice([-1, 1])  # a small entry has the largest relative error
    n.flat[worst] = 0.8 * a.flat[worst]
    a.flat[zero] = n.flat[zero] = 0.0
    for one, other in ((a, n), (n, a)):
        size = np.maximum(np.maximum(np.abs(one), np.abs(other)), 1e-8)
        off = np.abs(one - other)
        mistakes = {
            "the error is absolute: it was not divided by the size of the gradients": off.max(),
            "the mean was taken, in which one wrong entry among many drowns": (off / size).mean(),
            "the errors were added up": (off / size).sum(),
            "the absolute value of the difference is missing": ((one - other) / size).max(),
            "the sizes were added, not compared": (off / np.maximum(np.abs(a) + np.abs(n), 1e-8)).max(),
            "the measured gradient alone was divided by": (off / np.maximum(np.abs(other), 1e-8)).max(),
            "the largest difference was divided by the largest entry": off.max() / size.max(),
        }
        got = relative_error(one, other)
        expect_equal(got, float((off / size).max()), what="relative_error(a, n)", mistakes=mistakes)


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
    n, d, h, k = 8, int(rng.integers(3, 5)), int(rng.integers(5, 8)), int(rng.integers(2, 4))
    x, w1, w2, b2 = (rng.uniform(-1, 1, shape) for shape in ((n, d), (d, h), (h, k), (k,)))
    b1 = rng.uniform(-0.2, 0.2, h)
    z = x @ w1 + b1
    hidden = np.maximum(0, z)
    error = rng.uniform(0.3, 1, (n, k)) * rng.choice([-1, 1], (n, k))
    y = hidden @ w2 + b2 - error
    got = network_gradients(x, y, w1, b1, w2, b2)
    expect_true(
        type(got) in (tuple, list) and len(got) == 5,
        f"network_gradients gave {inspect_value(got)}, not the five values loss, dw1, db1, dw2, db2",
        mistake="a return is missing" if got is None else None,
    )
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


@case("network_gradients: the second layer", points=2)
def network_second(network_gradients, *, rng):
    _, _, z, hidden, error, (_, _, _, dw2, db2) = network(network_gradients, rng)
    dp = 2 * error / error.size
    mistakes = {said: hidden.T @ wrong for said, wrong in scales(error).items()}
    mistakes["z was used in place of h: the second layer's input is ReLU's output"] = z.T @ dp
    expect_equal(dw2, hidden.T @ dp, what="dw2", mistakes=mistakes)
    expect_equal(db2, dp.sum(axis=0), what="db2")


@case("network_gradients: the first layer", points=2)
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

WRONG = [
    Wrong("01.1", _affine(dx="dout @ w"), "w was not transposed"),
    Wrong("01.1", _affine(dx="dout * w[0]"), "where a matrix product, @, is meant"),
    Wrong("01.1", _affine(dw="dout.T @ x"), "the two factors are the wrong way round"),
    Wrong("01.1", _affine(dw="x.T @ dout / len(x)"), "the sum over the examples was divided by their number"),
    Wrong("01.1", _affine(db="dout"), "the sum over the examples is missing"),
    Wrong("01.1", _affine(db="dout.sum(axis=1)"), "the sum runs over the outputs"),
    Wrong("01.1", _affine(db="dout.sum(axis=0, keepdims=True)"), "the summed axis was kept"),
    Wrong("01.1", _affine(db="np.array(dout.sum())"), "all of dout was summed"),
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
    Wrong("01.2", _graph(ds="2 * (y - s)"), "has a wrong value"),
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
