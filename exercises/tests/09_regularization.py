"""Cases of exercise sheet 09, regularization."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_seeded, expect_shape, expect_true

TITLE = "Regularization"


def weights(rng):
    """(D, M) weights, none of them near 0, 1 or each other's size."""
    shape = int(rng.integers(2, 5)), int(rng.integers(5, 8))
    w = rng.uniform(0.2, 0.8, shape) + 1.5 * (rng.random(shape) < 0.4)
    w *= rng.choice([-1.0, 1.0], shape)
    w[0, 0], w[-1, -1] = 1.7, -1.3  # both signs, whatever the key
    return w


Q1 = question(
    "09.1",
    title="L1 and L2",
    minutes=10,
    hints=[
        "The derivative of $\\frac\\lambda2 w^2$ with respect to $w$ is $\\lambda w$.",
        "The derivative of $|w|$ is 1 for positive and −1 for negative weights: `np.sign(w)`, which is 0 at 0.",
        "The penalty is one number, the gradient an array of the shape of `w`.",
    ],
)


@case("l2: the penalty and its gradient")
def l2_both(l2, *, rng):
    w, strength = weights(rng), float(rng.uniform(0.05, 0.3))
    right = strength / 2 * np.sum(w**2), strength * w
    expect_equal(
        l2(w.copy(), strength),
        right,
        what="l2(w, strength)",
        mistakes={
            "the half is missing in the penalty and in the gradient": (2 * right[0], 2 * right[1]),
            "the half is missing in the penalty": (2 * right[0], right[1]),
            "the gradient is that of the penalty without the half": (right[0], 2 * right[1]),
            "the mean was taken, not the sum, in the penalty": (right[0] / w.size, right[1]),
            "the mean was taken, not the sum": (right[0] / w.size, right[1] / w.size),
            "the strength is missing in the gradient": (right[0], w),
            "the gradient has half of its size: the 2 of the derivative and the half cancel": (
                right[0],
                right[1] / 2,
            ),
            "the gradient points the wrong way: it is added to the loss's, and a step goes against it": (
                right[0],
                -right[1],
            ),
            "the length of the weights was taken, not its square": (
                strength / 2 * np.sqrt(np.sum(w**2)),
                right[1],
            ),
            "the penalty was not summed: it is one number": (strength / 2 * w**2, right[1]),
            "the results come in the wrong order: (penalty, grad) is asked for": right[::-1],
        },
    )


@case("l2: the penalty and its gradient, other inputs", hidden=True)
def l2_both_again(l2, *, rng):
    l2_both(l2, rng=rng)


@case("l1: the penalty and its gradient", points=2)
def l1_both(l1, *, rng):
    w, strength = weights(rng), float(rng.uniform(0.05, 0.3))
    right = strength * np.sum(np.abs(w)), strength * np.sign(w)
    expect_equal(
        l1(w.copy(), strength),
        right,
        what="l1(w, strength)",
        mistakes={
            "the absolute value is missing in the penalty": (strength * np.sum(w), right[1]),
            "the gradient lacks the sign: it pulls negative weights away from 0": (right[0], np.full_like(w, strength)),
            "the strength is missing in the gradient": (right[0], np.sign(w)),
            "the gradient is that of L2: L1 pulls small weights as hard as large ones": (right[0], strength * w),
            "the gradient is the absolute value, not the sign": (right[0], strength * np.abs(w)),
            "the mean was taken, not the sum, in the penalty": (right[0] / w.size, right[1]),
            "the mean was taken, not the sum": (right[0] / w.size, right[1] / w.size),
            "there is a half in the penalty: L1 has none": (right[0] / 2, right[1]),
            "the gradient points the wrong way: it is added to the loss's, and a step goes against it": (
                right[0],
                -right[1],
            ),
            "the penalty was not summed: it is one number": (strength * np.abs(w), right[1]),
            "the results come in the wrong order: (penalty, grad) is asked for": right[::-1],
        },
    )


@case("l1: the gradient at 0")
def l1_at_zero(l1, *, rng):
    w, strength = weights(rng), float(rng.uniform(0.05, 0.3))
    w[0, 1] = w[1, 0] = 0.0
    with np.errstate(invalid="ignore"):
        got = l1(w.copy(), strength)
    expect_true(type(got) in (tuple, list) and len(got) == 2, "l1(w, strength) did not return a pair (penalty, grad)")
    expect_shape(
        got[1],
        w.shape,
        what="the gradient of l1, where two weights are 0 (w / |w| is no number there),",
    )
    expect_equal(
        got[1],
        strength * np.sign(w),
        what="the gradient of l1, where two weights are 0,",
        mistakes={
            "a weight of 0 counts as positive; its gradient is 0": strength * np.where(w >= 0, 1.0, -1.0),
            "a weight of 0 counts as negative; its gradient is 0": strength * np.where(w > 0, 1.0, -1.0),
        },
    )


Q2 = question(
    "09.2",
    title="Inverted dropout",
    minutes=12,
    hints=[
        "`rng.random(x.shape)` lies between 0 and 1. It is at least `rate` with probability `1 - rate`.",
        "The share `1 - rate` is kept, so the kept entries are divided by `1 - rate`.",
        "Backward: what was multiplied by the mask on the way forward is multiplied by it on the way back.",
    ],
)

ROWS, COLUMNS = 60, 150


def generator(rng):
    """A fresh generator for one call of the student's function."""
    return np.random.default_rng(int(rng.integers(2**31)))


def dropped(dropout_forward, rng, rate, x=None):
    """(x, out, mask) of one call in training, once out and mask are arrays of the right shape."""
    x = rng.choice([-1.0, 1.0], (ROWS, COLUMNS)) * rng.uniform(0.5, 2, (ROWS, COLUMNS)) if x is None else x
    got = dropout_forward(x.copy(), rate, generator(rng), True)
    expect_true(
        type(got) in (tuple, list) and len(got) == 2,
        "dropout_forward(x, rate, rng, True) did not return a pair (out, mask)",
        mistake="a return is missing" if got is None else None,
    )
    out, mask = got
    if type(mask) is np.ndarray and mask.dtype == bool and mask.shape == x.shape:
        expect_true(
            False,
            "the mask holds True and False",
            mistake="the factor 1/(1 - rate) is not in the mask: the backward pass needs it too",
        )
    expect_shape(out, x.shape, what="out")
    expect_shape(
        mask,
        x.shape,
        what="mask",
        mistakes={
            "one number was drawn for each row: every entry has its own": (ROWS, 1),
            "one number was drawn for each column: every entry has its own": (COLUMNS,),
        },
    )
    return x, out, mask


@case("dropout_forward: what is kept is enlarged", points=2)
def kept_values(dropout_forward, *, rng):
    rate = float(rng.choice([0.2, 0.3, 0.6, 0.7, 0.8]) + rng.uniform(-0.02, 0.02))
    x, out, _ = dropped(dropout_forward, rng, rate)
    kept = out != 0
    expect_true(kept.any(), f"dropout_forward at rate {rate:.2f} silenced every entry")
    expect_true(not kept.all(), f"dropout_forward at rate {rate:.2f} silenced no entry in training")
    expect_equal(
        out[kept] / x[kept],
        np.full(int(kept.sum()), 1 / (1 - rate)),
        what=f"out / x of the kept entries, at rate {rate:.2f},",
        mistakes={
            "the kept entries were not enlarged: this is dropout that must scale at test time": np.ones(kept.sum()),
            "the kept entries were divided by rate: divide by the share that is kept, 1 - rate": np.full(
                kept.sum(), 1 / rate
            ),
            "the kept entries were multiplied by 1 - rate: divide by it": np.full(kept.sum(), 1 - rate),
            "the kept entries were enlarged twice": np.full(kept.sum(), 1 / (1 - rate) ** 2),
        },
    )


@case("dropout_forward: each entry is silenced with probability rate", points=2)
def silenced_share(dropout_forward, *, rng):
    rate = float(rng.choice([0.2, 0.3, 0.7, 0.8]) + rng.uniform(-0.02, 0.02))
    _, out, _ = dropped(dropout_forward, rng, rate)
    zero = out == 0
    spread = np.sqrt(rate * (1 - rate))
    rows, columns = zero.mean(axis=1), zero.mean(axis=0)
    usual = spread / np.sqrt(COLUMNS), spread / np.sqrt(ROWS)
    expect_true(
        rows.std() < 3 * usual[0] and columns.std() < 3 * usual[1],
        "whole rows or columns are silenced together",
        mistake="one number was drawn for each row or column: every entry has its own",
    )
    share, error = zero.mean(), 6 * spread / np.sqrt(zero.size)
    expect_true(
        abs(share - rate) < error,
        f"at rate {rate:.2f} the share of zeros is {share:.3f} in {zero.size} entries",
        mistake="rate was taken for the share that is kept" if abs(share - (1 - rate)) < error else None,
    )


@case("dropout_forward: the mask is what x was multiplied with")
def mask_belongs(dropout_forward, *, rng):
    rate = float(rng.uniform(0.3, 0.4))
    x, out, mask = dropped(dropout_forward, rng, rate)
    expect_equal(
        out,
        x * mask,
        what="out, compared with x * mask,",
        mistakes={
            "the factor 1/(1 - rate) is in out but not in the mask: the backward pass needs it too": x
            * mask
            / (1 - rate),
        },
    )


@case("dropout_forward: nothing happens outside training")
def test_time(dropout_forward, *, rng):
    x, rate = rng.uniform(0.5, 2, (4, 7)), float(rng.uniform(0.2, 0.4))
    expect_equal(
        dropout_forward(x.copy(), rate, generator(rng), False),
        (x, np.ones_like(x)),
        what="dropout_forward(x, rate, rng, training=False)",
        mistakes={
            "scaled at test time: inverted dropout has done that in training": ((1 - rate) * x, np.ones_like(x)),
            "scaled at test time: inverted dropout has done it in training": (
                (1 - rate) * x,
                np.full_like(x, 1 - rate),
            ),
        },
    )


@case("dropout_forward draws from the generator that it is given")
def dropout_seeded(dropout_forward, *, rng):
    x = rng.uniform(0.5, 2, (12, 9))
    expect_seeded(lambda g: dropout_forward(x.copy(), 0.5, g, True)[0], rng=rng, what="dropout_forward")


@case("dropout_backward", points=2)
def backward(dropout_backward, *, rng):
    rate = float(rng.uniform(0.3, 0.4))
    dout = rng.standard_normal((5, 8))
    kept = rng.permutation(40).reshape(5, 8) < 26
    mask = kept / (1 - rate)
    expect_equal(
        dropout_backward(dout.copy(), mask.copy()),
        dout * mask,
        what="dropout_backward(dout, mask)",
        mistakes={
            "the factor 1/(1 - rate) was left out on the way back": dout * kept,
            "the factor 1/(1 - rate) was applied twice": dout * mask / (1 - rate),
            "the gradient passes where entries were silenced, and not where they were kept": dout * ~kept,
            "the gradient was passed on as it came: silenced entries get none": dout,
            "the gradient was divided by the mask": dout * kept * (1 - rate),
        },
    )


Q3 = question(
    "09.3",
    title="Early stopping",
    minutes=12,
    hints=[
        "Keep the best epoch so far. An epoch is better only if its loss is lower than that of the best.",
        "After epoch $e$ with the best epoch $b$, there have been $e - b$ epochs in a row without anything better.",
        "Return from inside the loop when it stops. What comes after the loop is for runs that are never stopped.",
    ],
)


def run_of(rng, patience):
    """Losses that dip twice, and (stopped, best); the second, deeper dip comes too late for this patience."""
    fall = int(rng.integers(3, 6))
    down = 3 - 0.3 * np.arange(fall) + rng.uniform(-0.05, 0.05, fall)
    waits = down[-1] + rng.uniform(0.05, 0.4, patience + int(rng.integers(1, 4)))
    late = down[-1] - rng.uniform(0.2, 0.4, 3)
    return np.concatenate([down, waits, late]), (fall + patience, fall)


def stop(early_stopping, losses, patience, right, what, mistakes=None):
    expect_equal(
        early_stopping(losses.copy(), patience),
        right,
        what=what,
        mistakes={
            "the results come in the wrong order: (stopped, best) is asked for": right[::-1],
            "epochs were counted from 0": (right[0] - 1, right[1] - 1),
            "the last epoch was kept, not the best": (right[0], right[0]),
            **(mistakes or {}),
        },
    )


@case("early_stopping: stops after patience epochs without a better one", points=2)
def stops(early_stopping, *, rng):
    patience = int(rng.integers(3, 6))
    losses, right = run_of(rng, patience)
    stopped, best = right
    stop(
        early_stopping,
        losses,
        patience,
        right,
        f"early_stopping(losses, patience={patience})",
        {
            "training was never stopped": (len(losses), int(losses.argmin()) + 1),
            "the best of all epochs was returned: those after the stop are never seen": (
                stopped,
                int(losses.argmin()) + 1,
            ),
            "it stops one epoch late": (stopped + 1, best),
            "it stops one epoch early": (stopped - 1, best),
            "it stops at the first epoch that is no better: patience was left out": (best + 1, best),
        },
    )


@case("early_stopping: better means better than the best, not than the epoch before")
def zigzag(early_stopping, *, rng):
    patience = int(rng.integers(3, 6))
    low = float(rng.uniform(0.8, 1.2))
    steps = rng.uniform(0.1, 0.3, patience + 6)
    wait = low + 0.2 + steps * (np.arange(patience + 6) % 2)  # up and down, never below the best
    losses = np.concatenate([[low + 1, low + 0.5, low], wait, [low - 0.3]])
    stop(
        early_stopping,
        losses,
        patience,
        (3 + patience, 3),
        f"early_stopping(losses, patience={patience}) where the losses zigzag above the best",
        {
            "each epoch was compared with the one before, not with the best": (
                len(losses),
                int(losses.argmin()) + 1,
            ),
            "each epoch was compared with the one before; what counts is the best so far": (len(losses), len(losses)),
        },
    )


@case("early_stopping: better means better than the best, not than the epoch before, other inputs", hidden=True)
def zigzag_again(early_stopping, *, rng):
    zigzag(early_stopping, rng=rng)


@case("early_stopping: the count starts again with each better epoch")
def in_a_row(early_stopping, *, rng):
    patience = int(rng.integers(3, 5))
    losses, level = [], 5.0
    for _ in range(4):  # patience - 1 poor epochs between better ones
        level -= float(rng.uniform(0.3, 0.5))
        losses += [level, *(level + rng.uniform(0.1, 0.2, patience - 1))]
    losses = np.array(losses)
    best = 3 * patience + 1
    poor = np.flatnonzero(losses > np.minimum.accumulate(losses)) + 1
    early = int(poor[patience - 1])
    stop(
        early_stopping,
        losses,
        patience,
        (len(losses), best),
        f"early_stopping(losses, patience={patience}) with a better epoch every {patience}",
        {
            "all poor epochs were counted, not those in a row": (early, (early - 1) // patience * patience + 1),
            "it stops one epoch early": (patience, 1),
        },
    )


@case("early_stopping: an epoch that is only as good is no better")
def ties(early_stopping, *, rng):
    patience, low = int(rng.integers(2, 5)), float(rng.integers(1, 4))
    losses = np.array([low + 2, low] + [low] * (patience + 3))
    stop(
        early_stopping,
        losses,
        patience,
        (2 + patience, 2),
        f"early_stopping(losses, patience={patience}) where the loss stays the same",
        {"an epoch as good as the best counts as better": (len(losses), len(losses))},
    )


L2 = """
def l2(w, strength):
    return {penalty}, {grad}
"""
L1 = """
def l1(w, strength):
    return {penalty}, {grad}
"""
DROPOUT = """
def dropout_forward(x, rate, rng, training):
    if not training:
        return x, np.ones_like(x)
    mask = {mask}
    return {out}, mask
"""
STOP = """
def early_stopping(losses, patience):
    best, waited = {best}, 0
    for i in range(1, len(losses)):
        if {better}:
            best, waited = i, 0
        else:
            waited += 1
        if waited {enough}:
            return {stopped}
    return {never}
"""


def _l2(penalty="strength / 2 * np.sum(w**2)", grad="strength * w"):
    return L2.format(penalty=penalty, grad=grad)


def _l1(penalty="strength * np.abs(w).sum()", grad="strength * np.sign(w)"):
    return L1.format(penalty=penalty, grad=grad)


def _dropout(mask="(rng.random(x.shape) >= rate) / (1 - rate)", out="x * mask"):
    return DROPOUT.format(mask=mask, out=out)


def _stop(
    best="0",
    better="losses[i] < losses[best]",
    enough=">= patience",
    stopped="i + 1, best + 1",
    never="len(losses), best + 1",
):
    return STOP.format(best=best, better=better, enough=enough, stopped=stopped, never=never)


BACKWARD = "def dropout_backward(dout, mask):\n    return {}"

WRONG = [
    Wrong("09.1", _l2("strength * np.sum(w**2)", "2 * strength * w"), "the half is missing in the penalty and in"),
    Wrong("09.1", _l2("strength * np.sum(w**2)"), "the half is missing in the penalty"),
    Wrong("09.1", _l2(grad="2 * strength * w"), "the penalty without the half"),
    Wrong("09.1", _l2(grad="strength / 2 * w"), "the 2 of the derivative and the half cancel"),
    Wrong("09.1", _l2("strength / 2 * np.mean(w**2)"), "the mean was taken, not the sum, in the penalty"),
    Wrong("09.1", _l2("strength / 2 * np.mean(w**2)", "strength * w / w.size"), "the mean was taken, not the sum"),
    Wrong("09.1", _l2(grad="w"), "the strength is missing in the gradient"),
    Wrong("09.1", _l2("strength / 2 * np.linalg.norm(w)"), "the length of the weights was taken"),
    Wrong("09.1", _l2(grad="-strength * w"), "the gradient points the wrong way"),
    Wrong("09.1", _l2("strength / 2 * w**2"), "the penalty was not summed"),
    Wrong("09.1", "def l2(w, strength):\n    return strength * w, strength / 2 * np.sum(w**2)", "wrong order"),
    Wrong("09.1", _l1("strength * np.sum(w)"), "the absolute value is missing"),
    Wrong("09.1", _l1(grad="strength * np.ones_like(w)"), "the gradient lacks the sign"),
    Wrong("09.1", _l1(grad="strength * w"), "the gradient is that of L2"),
    Wrong("09.1", _l1(grad="strength * np.abs(w)"), "the gradient is the absolute value"),
    Wrong("09.1", _l1(grad="np.sign(w)"), "the strength is missing in the gradient"),
    Wrong("09.1", _l1("strength / 2 * np.abs(w).sum()"), "L1 has none"),
    Wrong("09.1", _l1("strength * np.abs(w).mean()"), "the mean was taken, not the sum"),
    Wrong("09.1", _l1(grad="strength * w / np.abs(w)"), "is not finite"),
    Wrong("09.1", _l1(grad="np.where(w >= 0, strength, -strength)"), "a weight of 0 counts as positive"),
    Wrong("09.1", _l1(grad="np.where(w > 0, strength, -strength)"), "a weight of 0 counts as negative"),
    Wrong("09.2", _dropout("(rng.random(x.shape) >= rate) * 1.0"), "the kept entries were not enlarged"),
    Wrong("09.2", _dropout("(rng.random(x.shape) < rate) / rate"), "divide by the share that is kept"),
    Wrong(
        "09.2",
        _dropout("(rng.random(x.shape) < rate) / (1 - rate)"),
        "rate was taken for the share that is kept",
    ),
    Wrong("09.2", _dropout("(rng.random(x.shape) >= rate) / rate"), "divide by the share that is kept"),
    Wrong("09.2", _dropout("(rng.random(x.shape) >= rate) * (1 - rate)"), "multiplied by 1 - rate: divide by it"),
    Wrong("09.2", _dropout(out="x * mask / (1 - rate)"), "were enlarged twice"),
    Wrong(
        "09.2",
        _dropout("(rng.random(x.shape) >= rate) * 1.0", "x * mask / (1 - rate)"),
        "the factor 1/(1 - rate) is in out but not in the mask",
    ),
    Wrong(
        "09.2",
        _dropout("rng.random(x.shape) >= rate", "x * mask / (1 - rate)"),
        "the factor 1/(1 - rate) is not in the mask",
    ),
    Wrong(
        "09.2",
        _dropout("np.broadcast_to((rng.random(x.shape[1]) >= rate) / (1 - rate), x.shape).copy()"),
        "whole rows or columns are silenced together",
    ),
    Wrong(
        "09.2",
        _dropout("(rng.random((len(x), 1)) >= rate) / (1 - rate)"),
        "one number was drawn for each row",
    ),
    Wrong(
        "09.2",
        _dropout().replace("return x, np.ones_like(x)", "return (1 - rate) * x, np.ones_like(x)"),
        "scaled at test time",
    ),
    Wrong(
        "09.2",
        _dropout().replace("    if not training:\n        return x, np.ones_like(x)\n", ""),
        "training=False",
    ),
    Wrong(
        "09.2", _dropout("(np.random.random(x.shape) >= rate) / (1 - rate)"), "the global generator np.random is used"
    ),
    Wrong(
        "09.2",
        _dropout("(np.random.default_rng(0).random(x.shape) >= rate) / (1 - rate)"),
        "a generator with a fixed seed is made inside",
    ),
    Wrong("09.2", BACKWARD.format("dout * (mask > 0)"), "the factor 1/(1 - rate) was left out on the way back"),
    Wrong("09.2", BACKWARD.format("dout * mask * mask.max()"), "the factor 1/(1 - rate) was applied twice"),
    Wrong("09.2", BACKWARD.format("dout * (mask == 0)"), "and not where they were kept"),
    Wrong("09.2", BACKWARD.format("dout"), "was passed on as it came"),
    Wrong(
        "09.2",
        BACKWARD.format("np.divide(dout, mask, out=np.zeros_like(dout), where=mask > 0)"),
        "was divided by the mask",
    ),
    Wrong("09.3", _stop(enough="> patience"), "it stops one epoch late"),
    Wrong("09.3", _stop(enough="+ 1 >= patience"), "it stops one epoch early"),
    Wrong("09.3", _stop(enough=">= 1"), "patience was left out"),
    Wrong("09.3", _stop(stopped="i, best", never="len(losses) - 1, best"), "epochs were counted from 0"),
    Wrong("09.3", _stop(stopped="i + 1, i + 1"), "the last epoch was kept, not the best"),
    Wrong("09.3", _stop(stopped="best + 1, i + 1", never="best + 1, len(losses)"), "(stopped, best) is asked for"),
    Wrong("09.3", _stop(stopped="i + 1, int(np.argmin(losses)) + 1"), "those after the stop are never seen"),
    Wrong("09.3", _stop(enough="> 10**6"), "training was never stopped"),
    Wrong("09.3", _stop(better="losses[i] < losses[i - 1]"), "each epoch was compared with the one before"),
    Wrong("09.3", _stop(better="losses[i] <= losses[best]"), "an epoch as good as the best counts as better"),
    Wrong(
        "09.3", _stop().replace("best, waited = i, 0", "best = i"), "all poor epochs were counted, not those in a row"
    ),
    Wrong("09.3", _stop().replace("    return len(losses), best + 1\n", ""), "a return is missing"),
]

RIGHT = [
    Right("09.1", _l2() + _l1()),
    Right(
        "09.1",
        """
def l2(weights, lam):
    w = weights.ravel()
    return 0.5 * lam * float(w @ w), lam * weights

def l1(weights, lam):
    grad = np.zeros_like(weights)
    grad[weights > 0] = lam
    grad[weights < 0] = -lam
    return lam * np.linalg.norm(weights.ravel(), 1), grad
""",
    ),
    Right("09.2", _dropout() + BACKWARD.format("dout * mask")),
    Right(
        "09.2",
        """
def dropout_forward(x, rate, rng, training):
    if training:
        keep = 1 - rate
        mask = rng.binomial(1, keep, size=x.shape).astype(x.dtype) / keep
    else:
        mask = np.ones(x.shape)
    return np.where(mask > 0, x * mask, 0.0), mask

def dropout_backward(grad, m):
    return np.multiply(m, grad)
""",
    ),
    Right("09.3", _stop()),
    Right(
        "09.3",
        """
def early_stopping(losses, patience):
    lowest, best, epoch = float("inf"), 0, 0
    while epoch < len(losses):
        epoch += 1
        if losses[epoch - 1] < lowest:
            lowest, best = losses[epoch - 1], epoch
        elif epoch == best + patience:
            break
    return np.int64(epoch), best
""",
    ),
]
