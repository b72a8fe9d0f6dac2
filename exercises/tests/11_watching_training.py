"""Cases of exercise sheet 11, watching training."""

import numpy as np

from coursekit.experiments import clinic
from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_seeded, expect_true, inspect_value

TITLE = "Watching training"


def some_params(rng):
    """Four arrays of different shapes and sizes, none of them square."""
    d, m = int(rng.integers(3, 6)), int(rng.integers(7, 10))
    return {
        "w1": rng.standard_normal((d, m)),
        "b1": 0.1 * rng.standard_normal(m),
        "w2": 3 * rng.standard_normal((m, 2)),
        "filters": rng.standard_normal((2, 3, 2, 4)),
    }


def stepped(params, rng):
    """Params after a step of another size for each array."""
    return {name: w + 0.1 * rng.uniform(0.1, 1) * rng.standard_normal(w.shape) for name, w in params.items()}


Q1 = question(
    "11.1",
    title="Update ratio and gradient norm",
    minutes=10,
    hints=[
        "The step is `new[name] - w`. Its norm is the square root of the sum of its squared entries.",
        "Divide by the norm of the old array, `w`. Skip it with `if` when that norm is 0.",
        "For the whole gradient, add the sums of squares of all arrays first, and take the root once.",
    ],
)


def norm(array):
    return float(np.sqrt((array**2).sum()))


@case("update_ratios: every array, whatever its shape")
def ratios(update_ratios, *, rng):
    old = some_params(rng)
    new = stepped(old, rng)
    pairs = {name: (old[name], new[name]) for name in old}
    expect_equal(
        update_ratios(dict(old), dict(new)),
        {name: norm(b - a) / norm(a) for name, (a, b) in pairs.items()},
        what="update_ratios(old, new)",
        mistakes={
            "the step was divided by the new array, not by the old one": {
                name: norm(b - a) / norm(b) for name, (a, b) in pairs.items()
            },
            "the norms were subtracted: the norm of the step is wanted, not the difference of the norms": {
                name: (norm(b) - norm(a)) / norm(a) for name, (a, b) in pairs.items()
            },
            "the norms were subtracted: the norm of the step is wanted, not their absolute difference": {
                name: abs(norm(b) - norm(a)) / norm(a) for name, (a, b) in pairs.items()
            },
            "the square roots are missing": {name: norm(b - a) ** 2 / norm(a) ** 2 for name, (a, b) in pairs.items()},
            "the norm of the new array was taken in place of the step's": {
                name: norm(b) / norm(a) for name, (a, b) in pairs.items()
            },
            "the step was not divided by anything": {name: norm(b - a) for name, (a, b) in pairs.items()},
        },
    )


@case("update_ratios: every array, whatever its shape, other inputs", hidden=True)
def ratios_again(update_ratios, *, rng):
    ratios(update_ratios, rng=rng)


@case("update_ratios: arrays that are all zero are left out")
def ratios_of_zeros(update_ratios, *, rng):
    old = some_params(rng)
    old["b1"] = np.zeros_like(old["b1"])
    new = stepped(old, rng)
    got = update_ratios(dict(old), dict(new))
    expect_true(
        type(got) is dict and "b1" not in got,
        f"b1 is all zero before the step, so it has no ratio, but it came in {inspect_value(got)}",
        mistake="zero arrays are not left out" if type(got) is dict else None,
    )
    expect_equal(
        got,
        {name: norm(new[name] - old[name]) / norm(old[name]) for name in old if name != "b1"},
        what="update_ratios(old, new) with b1 all zero",
    )


@case("gradient_norm: all arrays together")
def whole_norm(gradient_norm, *, rng):
    grads = some_params(rng)
    sizes = [norm(g) for g in grads.values()]
    expect_equal(
        gradient_norm(dict(grads)),
        float(np.sqrt(sum(s**2 for s in sizes))),
        what="gradient_norm(grads)",
        mistakes={
            "the norms were added: add the squares and take the root once": sum(sizes),
            "the largest norm was returned": max(sizes),
            "the square root is missing": sum(s**2 for s in sizes),
            "the mean of the norms was returned": sum(sizes) / len(sizes),
        },
    )


Q2 = question(
    "11.2",
    title="Diagnose",
    minutes=15,
    hints=[
        "Go through the table from top to bottom; `return` ends the function at the first name that fits.",
        "`np.isfinite(loss).all()` is False as soon as one loss is NaN or infinite.",
        "The last tenth of n losses are the last `n // 10` of them: `loss[-(len(loss) // 10):]`.",
    ],
)

NAMES = ("diverged", "first loss too high", "stands still", "overfitting", "fine")


def named(got, want, what, mistakes=None):
    """Refuse unless the student's function gave this name."""
    expect_true(
        type(got) is str and got in NAMES,
        f"{what} gave {inspect_value(got)}, not one of the five names",
        mistake="a return is missing" if got is None else None,
    )
    expect_true(
        got == want,
        f'{what} gave "{got}", expected "{want}"',
        mistake=(mistakes or {}).get(got),
    )


def run_of(cause, rng):
    """Losses of one of the four recorded runs of this cause."""
    cases = [i for i, index in enumerate(clinic.ORDER, 1) if clinic.SETUPS[index].cause == cause]
    result = clinic.recorded(int(rng.choice(cases)))
    return result["loss"], result["val_loss"], result["case"]


@case("recorded runs", points=2)
def recorded(diagnose, *, rng):
    for cause, want in {
        "first scores too large": "first loss too high",
        "too few training images": "overfitting",
    }.items():
        loss, val_loss, number = run_of(cause, rng)
        named(diagnose(loss, val_loss, 10), want, f"diagnose of case {number} of the clinic")
    for told, want in (
        ("all weights 100 times smaller than in the healthy runs", "stands still"),
        ("SGD at 30; 0.1 would do", "diverged"),
        ("SGD at 0.1", "fine"),
    ):
        index = next(i for i, setup in enumerate(clinic.SETUPS) if setup.told == told)
        result = clinic.recorded(clinic.ORDER.index(index) + 1)
        named(
            diagnose(result["loss"], result["val_loss"], 10),
            want,
            f"diagnose of case {result['case']} of the clinic",
            {"first loss too high": "losses that are not finite must be looked for first"}
            if want == "diverged"
            else {},
        )


def falling(rng, start, end, steps):
    """A falling loss with a little noise."""
    path = end + (start - end) * np.exp(-5 * np.arange(steps) / steps)
    return path * rng.uniform(0.99, 1.01, steps)


@case("every rule on its own, for another number of classes", points=2)
def rules(diagnose, *, rng):
    classes = int(rng.integers(3, 8)) if rng.random() < 0.5 else int(rng.integers(20, 60))
    guess, steps = np.log(classes), 20 * int(rng.integers(8, 15))
    healthy = falling(rng, guess, 0.2 * guess, steps)
    val = falling(rng, guess, 0.3 * guess, 12)
    what = f"diagnose with {classes} classes, "
    ten = dict.fromkeys(("fine", "first loss too high"), "ln 10 was used, not ln of the number of classes")
    flat = falling(rng, guess, guess, steps)
    named(diagnose(flat, np.full(12, guess), classes), "stands still", what + "a loss that stays at ln C,", ten)
    named(diagnose(healthy, val, classes), "fine", what + "a falling loss,", ten)

    high = healthy.copy()
    high[0] = 1.7 * guess
    named(diagnose(high, val, classes), "first loss too high", what + "a first loss of 1.7 times ln C,",
          {"fine": "the first losses were averaged, or the limit is not 1.5 times ln C"})  # fmt: skip
    later = healthy.copy()
    later[3] = 2 * guess
    named(diagnose(later, val, classes), "fine", what + "a fourth loss of 2 times ln C,",
          {"first loss too high": "the largest loss was taken, not the first"})  # fmt: skip

    stuck_low = np.full(steps, 0.6 * guess)
    stuck_low[0] = guess
    named(diagnose(stuck_low, np.full(12, 0.6 * guess), classes), "fine", what + "a loss that stands at 0.6 ln C,",
          {"stands still": "standing still is meant at ln C, not at any value"})  # fmt: skip

    jumpy = np.where(np.arange(steps) % 2 == 0, 0.7, 1.3) * guess
    named(diagnose(jumpy, np.full(12, guess), classes), "stands still", what + "losses that jump around ln C,",
          {"fine": "the last loss alone was looked at, not the mean of the last tenth"})  # fmt: skip


@case("diverged, even if only once", points=1)
def diverged(diagnose, *, rng):
    classes, steps = int(rng.integers(5, 12)), int(rng.integers(100, 200))
    for bad, name in ((np.nan, "NaN"), (np.inf, "infinite")):
        loss = falling(rng, np.log(classes), 0.3, steps)
        loss[int(rng.integers(5, steps - 40))] = bad
        named(diagnose(loss, np.full(9, 0.5), classes), "diverged", f"diagnose with one {name} loss in the middle,",
              {"fine": "only the last loss was looked at, or only NaN or only infinity"})  # fmt: skip


@case("overfitting: the last validation loss against the lowest", points=1)
def turned(diagnose, *, rng):
    classes = int(rng.integers(5, 12))
    guess = np.log(classes)
    loss = falling(rng, guess, 0.05 * guess, 200)
    turned = np.array([1.0, 0.8, 0.6, 0.55, 0.6, 0.65, 0.7]) * guess
    named(diagnose(loss, turned, classes), "overfitting", "diagnose of a validation loss that turns from 0.55 to 0.7,",
          {"fine": "the last validation loss was compared with the first one, not with the lowest"})  # fmt: skip
    slightly = np.array([1.0, 0.8, 0.6, 0.55, 0.56, 0.57, 0.58]) * guess
    named(diagnose(loss, slightly, classes), "fine", "diagnose of a validation loss that turns from 0.55 to 0.58,",
          {"overfitting": "the factor 1.1 is missing: any rise was called overfitting"})  # fmt: skip
    wide = np.full(7, 0.55 * guess)
    named(diagnose(loss, wide, classes), "fine", "diagnose of a validation loss that is level above the training loss,",
          {"overfitting": "the gap to the training loss was taken for a rise"})  # fmt: skip


Q3 = question(
    "11.3",
    title="Find the planted bugs",
    minutes=15,
    hints=[
        "One bug is in each function. Look at five rows of x with their labels before and after `shuffled_with_bug`.",
        "Two calls of `rng.permutation` give two different orders.",
        "Compare each gradient with central differences. Three of four arrays agree; the other says where to look.",
        "The derivative of ReLU is applied in `dz`. Who uses `dz`, and who still uses `dh`?",
    ],
)


@case("shuffled: every example keeps its label", points=2)
def shuffle_pairs(shuffled, *, rng):
    n = int(rng.integers(20, 40))
    y = rng.permutation(n)
    x = np.stack([y, 10.0 * y, -1.0 * y], axis=1)
    got = shuffled(x.copy(), y.copy(), np.random.default_rng(int(rng.integers(2**31))))
    expect_true(
        type(got) in (tuple, list) and len(got) == 2,
        f"shuffled(x, y, rng) gave {inspect_value(got)}, not the pair (x, y)",
        mistake="a return is missing" if got is None else None,
    )
    new_x, new_y = got
    expect_equal(np.sort(new_y), np.arange(n), what="the sorted labels after shuffled(x, y, rng)")
    expect_equal(
        new_x,
        np.stack([new_y, 10.0 * new_y, -1.0 * new_y], axis=1),
        what="the rows of x, which were made from their labels,",
        mistakes={
            "x was not shuffled, and y was": x,
            "x and y were put into different orders": new_x
            if new_x.shape == x.shape and (new_x[:, 0] != new_y).any()
            else x,
        },
    )
    expect_true(
        bool((new_y != y).any()), "shuffled(x, y, rng) left the order as it was", mistake="nothing was shuffled"
    )


@case("shuffled draws from the generator that it is given")
def shuffle_seeded(shuffled, *, rng):
    x, y = rng.standard_normal((30, 2)), np.arange(30)
    expect_seeded(lambda g: shuffled(x.copy(), y.copy(), g)[1], rng=rng, what="shuffled(x, y, rng)")


def network(rng):
    """Params, x and y of a small network with about half of its units active; no two sizes are equal."""
    d, h, c, n = (int(rng.integers(*span)) for span in ((4, 6), (8, 11), (3, 4), (12, 15)))
    params = {
        "w1": rng.standard_normal((d, h)),
        "b1": 0.3 * rng.standard_normal(h),
        "w2": rng.standard_normal((h, c)),
        "b2": 0.3 * rng.standard_normal(c),
    }
    return params, rng.standard_normal((n, d)), rng.integers(0, c, n)


def reference(params, x, y):
    """Loss, gradients, and the gradients of the usual mistakes."""
    z = x @ params["w1"] + params["b1"]
    h = np.maximum(z, 0)
    scores = h @ params["w2"] + params["b2"]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(y)
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    dh = dscores @ params["w2"].T
    dz = dh * (z > 0)
    tail = {"w2": h.T @ dscores, "b2": dscores.sum(axis=0)}
    grads = {"w1": x.T @ dz, "b1": dz.sum(axis=0)} | tail
    planted = {"w1": x.T @ dh, "b1": dz.sum(axis=0)} | tail
    without = {"w1": x.T @ dh, "b1": dh.sum(axis=0)} | tail
    loss = float(-np.log(p[np.arange(n), y]).mean())
    summed = {name: n * g for name, g in grads.items()}
    return loss, grads, planted, without, summed


@case("loss_and_gradients: the loss")
def network_loss(loss_and_gradients, *, rng):
    params, x, y = network(rng)
    got = loss_and_gradients(dict(params), x, y)
    expect_true(
        type(got) in (tuple, list) and len(got) == 2,
        f"loss_and_gradients(params, x, y) gave {inspect_value(got)}, not the pair (loss, gradients)",
        mistake="a return is missing" if got is None else None,
    )
    loss = reference(params, x, y)[0]
    expect_equal(
        got[0],
        loss,
        what="the loss",
        mistakes={"the loss was summed over the examples, not averaged": loss * len(y)},
    )


@case("loss_and_gradients: the gradients", points=2)
def network_gradients(loss_and_gradients, *, rng):
    params, x, y = network(rng)
    _, grads, planted, without, summed = reference(params, x, y)
    got = loss_and_gradients(dict(params), x, y)
    expect_true(
        type(got) in (tuple, list) and len(got) == 2 and type(got[1]) is dict,
        f"loss_and_gradients(params, x, y) gave {inspect_value(got)}, not the pair (loss, dict of gradients)",
    )
    expect_equal(
        got[1],
        grads,
        what="the gradients",
        mistakes={
            "the planted bug is still there: dw1 is made from dh, before the derivative of ReLU": planted,
            "the derivative of ReLU is left out altogether": without,
            "the division by the number of examples is missing": summed,
        },
    )


@case("loss_and_gradients: the gradients, other inputs", hidden=True)
def network_gradients_again(loss_and_gradients, *, rng):
    network_gradients(loss_and_gradients, rng=rng)


RATIOS = """
def update_ratios(old, new):
    return {{name: {ratio} for name, w in old.items() if {keep}}}
def gradient_norm(grads):
    return {norm}
"""
NORM = "np.sqrt(sum((g**2).sum() for g in grads.values()))"
RATIO = "np.linalg.norm(new[name] - w) / np.linalg.norm(w)"


def _tools(ratio=RATIO, keep="w.any()", norm=NORM):
    return RATIOS.format(ratio=ratio, keep=keep, norm=norm)


def _diagnose(
    finite="not np.isfinite(loss).all()",
    first="loss[0] > 1.5 * g",
    still="abs(loss[-(len(loss) // 10):].mean() - g) < 0.02 * g",
    over="val_loss[-1] > 1.1 * val_loss.min()",
    guess="np.log(classes)",
):
    return f"""
def diagnose(loss, val_loss, classes):
    g = {guess}
    if {finite}:
        return "diverged"
    if {first}:
        return "first loss too high"
    if {still}:
        return "stands still"
    return "overfitting" if {over} else "fine"
"""


SHUFFLED = """
def shuffled(x, y, rng):
    order = rng.permutation(len(x))
    return x[order], y[order]
"""


def _network(dw1="x.T @ dz", db1="dz.sum(axis=0)", scale="/ len(y)", mean="mean()"):
    return f"""
def loss_and_gradients(params, x, y):
    z = x @ params["w1"] + params["b1"]
    h = np.maximum(z, 0)
    s = h @ params["w2"] + params["b2"]
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(len(y)), y].{mean}
    d = (np.exp(log_p) - np.eye(s.shape[1])[y]) {scale}
    dh = d @ params["w2"].T
    dz = dh * (z > 0)
    return loss, {{"w1": {dw1}, "b1": {db1}, "w2": h.T @ d, "b2": d.sum(axis=0)}}
"""


WRONG = [
    Wrong("11.1", _tools("np.linalg.norm(new[name] - w) / np.linalg.norm(new[name])"), "divided by the new array"),
    Wrong(
        "11.1",
        _tools("(np.linalg.norm(new[name]) - np.linalg.norm(w)) / np.linalg.norm(w)"),
        "not the difference of the norms",
    ),
    Wrong("11.1", _tools("((new[name] - w)**2).sum() / (w**2).sum()"), "the square roots are missing"),
    Wrong("11.1", _tools("np.linalg.norm(new[name] - w)"), "not divided by anything"),
    Wrong(
        "11.1",
        _tools("np.linalg.norm(new[name] - w) / (np.linalg.norm(w) + 1e-12)", keep="True"),
        "zero arrays are not left out",
    ),
    Wrong("11.1", _tools(norm="sum(np.linalg.norm(g) for g in grads.values())"), "take the root once"),
    Wrong("11.1", _tools(norm="max(np.linalg.norm(g) for g in grads.values())"), "the largest norm was returned"),
    Wrong("11.1", _tools(norm="sum((g**2).sum() for g in grads.values())"), "the square root is missing"),
    Wrong("11.2", _diagnose(guess="np.log(10)"), "ln 10 was used"),
    Wrong("11.2", _diagnose(first="loss.max() > 1.5 * g"), "the largest loss was taken"),
    Wrong("11.2", _diagnose(first="loss[:20].mean() > 1.5 * g"), "the first losses were averaged"),
    Wrong("11.2", _diagnose(still="abs(loss[-1] - g) < 0.02 * g"), "the last loss alone was looked at"),
    Wrong("11.2", _diagnose(still="abs(loss[-20:].mean() - loss[20:40].mean()) < 0.02 * g"), "not at any value"),
    Wrong("11.2", _diagnose(finite="not np.isfinite(loss[-1])"), "only the last loss was looked at"),
    Wrong("11.2", _diagnose(over="val_loss[-1] > val_loss.min()"), "the factor 1.1 is missing"),
    Wrong("11.2", _diagnose(over="val_loss[-1] > 1.1 * val_loss[0]"), "compared with the first one"),
    Wrong("11.2", _diagnose().replace('return "overfitting" if', 'result = "overfitting" if'), "a return is missing"),
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    return x[rng.permutation(len(x))], y[rng.permutation(len(x))]\n" + _network(),
        "x and y were put into different orders",
    ),
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    return x, y[rng.permutation(len(x))]\n" + _network(),
        "x was not shuffled",
    ),
    Wrong("11.3", "def shuffled(x, y, rng):\n    return x, y\n" + _network(), "nothing was shuffled"),
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    order = np.random.permutation(len(x))\n    return x[order], y[order]\n"
        + _network(),
        "the global generator np.random is used",
    ),
    Wrong("11.3", SHUFFLED + _network(dw1="x.T @ dh"), "the planted bug is still there"),
    Wrong("11.3", SHUFFLED + _network(dw1="x.T @ dh", db1="dh.sum(axis=0)"), "left out altogether"),
    Wrong("11.3", SHUFFLED + _network(scale=""), "the division by the number of examples is missing"),
    Wrong("11.3", SHUFFLED + _network(mean="sum()"), "summed over the examples"),
]

RIGHT = [
    Right("11.1", _tools(keep="np.linalg.norm(w) > 0")),
    Right(
        "11.1",
        _tools(
            "float(np.sqrt(np.sum((new[name] - w) ** 2) / np.sum(w ** 2)))",
            norm="np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))",
        ),
    ),
    Right("11.2", _diagnose()),
    Right("11.2", _diagnose(over="any(val_loss[-1] > 1.1 * v for v in val_loss)", finite="(~np.isfinite(loss)).sum()")),
    Right("11.3", SHUFFLED + _network()),
    Right(
        "11.3",
        "def shuffled(x, y, rng):\n    order = np.argsort(rng.random(len(y)))\n    return x[order], y[order]\n"
        + _network(dw1='np.einsum("nd,nh->dh", x, dz)'),
    ),
]
