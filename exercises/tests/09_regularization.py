"""Cases of exercise sheet 09, regularization."""

import math

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_seeded, expect_shape, expect_true
from coursekit.grading.several import expect_calls, expect_results

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


def penalty_mistakes(penalty, grad, w, strength):
    """What usual slips of either penalty make of its parts."""
    return {
        "the mean was taken, not the sum": {"penalty": penalty / w.size, "grad": grad / w.size},
        "the mean was taken, not the sum, in the penalty": {"penalty": penalty / w.size},
        "the sum was divided by the number of rows": {"penalty": penalty / len(w)},
        "the gradient was divided by the number of weights": {"grad": grad / w.size},
        "the strength is missing in the penalty and in the gradient": {"penalty": penalty / strength, "grad": grad / strength},
        "the strength is missing in the penalty": {"penalty": penalty / strength},
        "the strength is missing in the gradient": {"grad": grad / strength},
        "the strength was squared in the penalty": {"penalty": penalty * strength},
        "the strength was squared in the gradient": {"grad": grad * strength},
        "the gradient points the wrong way: it is added to the loss's, and a step goes against it": {"grad": -grad},
        "the penalty has the wrong sign": {"penalty": -penalty},
        "the weights were added to the gradient: only the penalty's own is asked for": {"grad": w + grad},
        "the weights after a step came back, not the gradient": {"grad": w - grad},
        "the gradient was summed: it has an entry for each weight": {"grad": float(grad.sum())},
        "the gradient was averaged: it has an entry for each weight": {"grad": float(grad.mean())},
        "the results come in the wrong order: (penalty, grad) is asked for": {"penalty": grad, "grad": penalty},
    }  # fmt: skip


@case("l2: the penalty and its gradient")
def l2_both(l2, *, rng):
    w, strength = weights(rng), float(rng.uniform(0.05, 0.3))
    penalty, grad = strength / 2 * np.sum(w**2), strength * w
    expect_results(
        l2(w.copy(), strength),
        {"penalty": penalty, "grad": grad},
        what="l2(w, strength)",
        mistakes={
            "the half is missing in the penalty and in the gradient": {"penalty": 2 * penalty, "grad": 2 * grad},
            "the half is missing in the penalty": {"penalty": 2 * penalty},
            "the gradient is that of the penalty without the half": {"grad": 2 * grad},
            "the gradient has half of its size: the 2 of the derivative and the half cancel": {"grad": grad / 2},
            "// was used: strength // 2 is rounded down to 0": {"penalty": 0.0},
            "the length of the weights was taken, not its square": {"penalty": strength / 2 * np.sqrt(np.sum(w**2))},
            "the length of the weights was taken, not its square, and without the half": {
                "penalty": strength * np.sqrt(np.sum(w**2))
            },
            "np.linalg.norm(w, 2) was used: of a matrix that is the largest singular value, not the root of the sum": {
                "penalty": strength / 2 * np.linalg.norm(w, 2) ** 2
            },
            "the sum was squared: the squares are summed": {"penalty": strength / 2 * np.sum(w) ** 2},
            "the square is missing in the penalty": {"penalty": strength / 2 * np.sum(w)},
            "the absolute values were summed: that is L1": {"penalty": strength * np.sum(np.abs(w))},
            "the absolute values were summed, not the squares": {"penalty": strength / 2 * np.sum(np.abs(w))},
            "the penalty was not summed: it is one number": {"penalty": strength / 2 * w**2},
            "Python's sum was used: it adds the rows and leaves an array. np.sum adds everything": {
                "penalty": strength / 2 * sum(w**2)
            },
            "only one axis was summed: the penalty is one number": {"penalty": strength / 2 * (w**2).sum(axis=1)},
            "the gradient was divided by the length of the weights: that is the gradient of the length, not of its square": {
                "grad": strength * w / np.sqrt(np.sum(w**2))
            },
            "the gradient is the square, not its derivative": {"grad": strength * w**2},
            "the gradient is half the square, not its derivative": {"grad": strength / 2 * w**2},
            "the gradient is that of L1": {"grad": strength * np.sign(w)},
            "the gradient lost its signs: the derivative of w squared has the sign of w": {"grad": strength * np.abs(w)},
            **penalty_mistakes(penalty, grad, w, strength),
        },
    )  # fmt: skip


@case("l1: the penalty and its gradient")
def l1_both(l1, *, rng):
    w, strength = weights(rng), float(rng.uniform(0.05, 0.3))
    penalty, grad = strength * np.sum(np.abs(w)), strength * np.sign(w)
    expect_results(
        l1(w.copy(), strength),
        {"penalty": penalty, "grad": grad},
        what="l1(w, strength)",
        mistakes={
            "the absolute value is missing in the penalty": {"penalty": strength * np.sum(w)},
            "the absolute value was taken of the sum: it belongs to each weight": {"penalty": strength * abs(np.sum(w))},
            "the gradient lacks the sign: it pulls negative weights away from 0": {"grad": np.full_like(w, strength)},
            "the gradient is missing where weights are negative: it is minus the strength there": {"grad": strength * (w > 0)},
            "the gradient is missing where weights are negative (and is not an array of floats)": {"grad": w > 0},
            "the gradient is that of L2: L1 pulls small weights as hard as large ones": {"grad": strength * w},
            "the gradient is the absolute value, not the sign": {"grad": strength * np.abs(w)},
            "there is a half in the penalty: L1 has none": {"penalty": penalty / 2},
            "there is a half in the gradient: L1 has none": {"grad": grad / 2},
            "the squares were summed: that is L2": {"penalty": strength * np.sum(w**2)},
            "the squares were summed: that is L2, with its half": {"penalty": strength / 2 * np.sum(w**2)},
            "np.linalg.norm(w, 1) was used: of a matrix that is the largest sum of a column, not the sum of all": {
                "penalty": strength * np.linalg.norm(w, 1)
            },
            "np.linalg.norm(w) was used: that is the root of the sum of squares": {"penalty": strength * np.linalg.norm(w)},
            "the penalty was not summed: it is one number": {"penalty": strength * np.abs(w)},
            "Python's sum was used: it adds the rows and leaves an array. np.sum adds everything": {
                "penalty": strength * sum(np.abs(w))
            },
            "only one axis was summed: the penalty is one number": {"penalty": strength * np.abs(w).sum(axis=1)},
            **penalty_mistakes(penalty, grad, w, strength),
        },
    )  # fmt: skip


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
            **{
                text: changed["grad"]
                for text, changed in penalty_mistakes(0.0, strength * np.sign(w), w, strength).items()
                if "grad" in changed and "order" not in text
            },
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
    one = "one number was drawn for the whole array: every entry has its own, as many as x has"
    expect_true(
        np.ndim(mask) > 0 or type(mask) in (list, dict, str), "the mask is one number, not an array", mistake=one
    )
    if type(mask) is np.ndarray and mask.dtype.kind in "biu" and mask.shape == x.shape:
        expect_true(
            False,
            f"the mask holds {'True and False' if mask.dtype == bool else 'whole numbers'}, not 0 and 1/(1 - rate)",
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


@case("dropout_forward: what is kept is enlarged")
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
            "the kept entries of out were not enlarged by 1/(1 - rate)": np.ones(kept.sum()),
            "the factor is the root of 1/(1 - rate)": np.full(kept.sum(), (1 - rate) ** -0.5),
            "the kept entries were multiplied with rate": np.full(kept.sum(), rate),
            "the kept entries were multiplied with 1 + rate": np.full(kept.sum(), 1 + rate),
            "the factor came in once more as 1 - rate": np.full(kept.sum(), (1 - rate) ** 2),
            "the kept entries were divided by rate: divide by the share that is kept, 1 - rate": np.full(
                kept.sum(), 1 / rate
            ),
            "the kept entries were multiplied by 1 - rate: divide by it": np.full(kept.sum(), 1 - rate),
            "the kept entries were enlarged twice": np.full(kept.sum(), 1 / (1 - rate) ** 2),
        },
    )


@case("dropout_forward: each entry is silenced with probability rate, independently")
def silenced_share(dropout_forward, *, rng):
    for rate in (float(rng.uniform(0.18, 0.32)), float(rng.uniform(0.68, 0.82))):
        share_silenced(dropout_forward, rate, rng)
    x, rate = rng.uniform(0.5, 2, (5, 8)), float(rng.uniform(0.4, 0.6))
    zeros = [int((dropped(dropout_forward, rng, rate, x)[1] == 0).sum()) for _ in range(14)]
    expect_true(
        len(set(zeros)) > 1,
        f"in 14 masks for 40 entries, at rate {rate:.2f}, the number of zeros is always {zeros[0]}",
        mistake="a fixed number of entries is silenced: each one is to be drawn by itself, so that their number varies",
    )


def share_silenced(dropout_forward, rate, rng):
    _, out, _ = dropped(dropout_forward, rng, rate)
    zero = out == 0
    spread = np.sqrt(rate * (1 - rate))
    rows, columns = zero.mean(axis=1), zero.mean(axis=0)
    together = rows.std() > 3 * spread / np.sqrt(COLUMNS) or columns.std() > 3 * spread / np.sqrt(ROWS)
    expect_true(
        not together,
        "whole rows or columns are silenced together",
        mistake="one number was drawn for many entries: each has its own",
    )
    share, error = zero.mean(), 6 * spread / np.sqrt(zero.size)
    normal = 0.5 * (1 + math.erf(rate / math.sqrt(2)))
    expect_true(
        abs(share - rate) < error,
        f"at rate {rate:.2f} the share of zeros is {share:.3f} in {zero.size} entries",
        mistake="rate was taken for the share that is kept"
        if abs(share - (1 - rate)) < error
        else "normal numbers were drawn: uniform ones between 0 and 1 are below rate with probability rate"
        if abs(share - normal) < error
        else "normal numbers were drawn: uniform ones between 0 and 1 are below rate with probability rate "
        if abs(share - (1 - normal)) < error
        else "nearly every entry is silenced"
        if share > 0.99
        else "hardly any entry is silenced"
        if share < 0.01
        else None,
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
            "the factor 1/(1 - rate) is in the mask but not in out": x * mask * (1 - rate),
            "the mask came back in place of the output": mask,
            "out and mask come in the wrong order": np.divide(mask, out, out=np.zeros_like(mask), where=out != 0),
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
    dropped(dropout_forward, rng, 0.4, x)
    expect_seeded(lambda g: dropout_forward(x.copy(), 0.4, g, True)[0], rng=rng, what="dropout_forward")


@case("dropout_backward")
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
            "the mask came back": mask,
            "the gradient came back with the mask: it alone is asked for": (dout * mask, mask),
            "the gradient was divided by the factor, and multiplied with the mask": dout * mask * (1 - rate),
            "the mask was added to the gradient: it multiplies": dout + mask,
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


def stopped_by(losses, patience, *, better=None, since="best", start=0, best_of="seen", count="row", first=1, enough=0):
    """(stopped, best) of the rule, and what comes of it when a part is changed; epochs from `first`."""
    losses = [float(v) for v in losses]
    best, waited, last = start, 0, len(losses) - 1
    for i, loss in enumerate(losses):
        improved = loss < losses[best] or i == best if better is None else i == 0 or better(losses, i, best)
        if improved:
            best = i
            waited = waited if count == "all" else 0
        else:
            waited += 1
        if waited >= patience + enough and (waited or not patience):
            last = i
            break
    if best_of == "all":
        best = int(np.argmin(losses))
    elif best_of == "last":
        best = last
    return last + first, best + first


def before(losses, i, best):
    return losses[i] < losses[i - 1]


STOPPING = {
    "it stops one epoch late": {"enough": 1},
    "it stops one epoch early": {"enough": -1},
    "training was never stopped": {"enough": 10**6},
    "it stops at the first epoch that is no better: patience was left out": {"enough": "first"},
    "epochs were counted from 0": {"first": 0},
    "the last epoch was kept, not the best": {"best_of": "last"},
    "the best of all epochs was returned: those after the stop are never seen": {"best_of": "all"},
    "each epoch was compared with the one before, not with the best so far": {"better": before},
    "each epoch was compared with the first, not with the best so far": {"better": lambda l, i, best: l[i] < l[0]},
    "an epoch as good as the best counts as better": {"better": lambda l, i, best: l[i] <= l[best]},
    "a higher loss counts as better": {"better": lambda l, i, best: l[i] > l[best]},
    "all poor epochs were counted, not those in a row": {"count": "all"},
}


def stopping_mistakes():
    def run(settings):
        def wrong(losses, patience):
            changed = dict(settings)
            if changed.get("enough") == "first":
                changed["enough"] = 1 - patience
            return stopped_by(losses, patience, **changed)

        return wrong

    def with_right(change):
        return lambda losses, patience: change(*stopped_by(losses, patience), losses)

    return {
        **{text: run(settings) for text, settings in STOPPING.items()},
        "the results come in the wrong order: (stopped, best) is asked for": with_right(lambda s, b, losses: (b, s)),
        "the epochs came back as floats: they are whole numbers": with_right(lambda s, b, losses: (float(s), float(b))),
        "the best loss came back, not its epoch": with_right(lambda s, b, losses: (s, float(losses[b - 1]))),
        "the best epoch was counted from 0, the other from 1": with_right(lambda s, b, losses: (s, b - 1)),
        "the epoch that stops was counted from 0, the best one from 1": with_right(lambda s, b, losses: (s - 1, b)),
        "the best epoch came back twice": with_right(lambda s, b, losses: (b, b)),
        "the number of epochs since the best came back, not the epoch": with_right(lambda s, b, losses: (s - b, b)),
        "only the epoch that stops came back: the best is asked for too": with_right(lambda s, b, losses: s),
        "only the best epoch came back: the one that stops is asked for too": with_right(lambda s, b, losses: b),
    }  # fmt: skip


def stop_calls(early_stopping, runs, where=""):
    expect_calls(
        early_stopping,
        runs,
        stopped_by,
        what=lambda losses, patience: f"early_stopping(losses, patience={patience}) of {len(losses)} epochs{where}",
        mistakes=stopping_mistakes(),
    )


def dips(rng, patience):
    """Losses that dip twice; the second, deeper dip comes too late for this patience."""
    fall = int(rng.integers(3, 6))
    down = 3 - 0.3 * np.arange(fall) + rng.uniform(-0.05, 0.05, fall)
    waits = down[-1] + np.sort(rng.uniform(0.05, 0.4, patience + int(rng.integers(1, 4))))[::-1]
    return np.concatenate([down, waits, down[-1] - rng.uniform(0.2, 0.4, 3)])


@case("early_stopping: stops after patience epochs without a better one")
def stops(early_stopping, *, rng):
    patience = int(rng.integers(3, 6))
    rising = np.cumsum(rng.uniform(0.1, 0.3, 9))  # the first epoch is the best
    stop_calls(early_stopping, [(dips(rng, patience), patience), (rising, 2), (dips(rng, 2), 2), (dips(rng, 1), 1)])


@case("early_stopping: better means better than the best, not than the epoch before")
def zigzag(early_stopping, *, rng):
    patience = int(rng.integers(3, 6))
    low = float(rng.uniform(0.8, 1.2))
    steps = rng.uniform(0.1, 0.3, patience + 6)
    wait = low + 0.2 + steps * (np.arange(patience + 6) % 2)  # up and down, never below the best
    losses = np.concatenate([[low + 1, low + 0.5, low], wait, [low - 0.3]])
    stop_calls(early_stopping, [(losses, patience), (dips(rng, 3), 3)], ", the first with a zigzag above its best")


@case("early_stopping: the count starts again with each better epoch, and training may never stop")
def in_a_row(early_stopping, *, rng):
    patience = int(rng.integers(3, 5))
    losses, level = [], 5.0
    for _ in range(4):  # patience - 1 poor epochs between better ones
        level -= float(rng.uniform(0.3, 0.5))
        losses += [level, *(level + rng.uniform(0.1, 0.2, patience - 1))]
    below = 2 - np.cumsum(rng.uniform(0.3, 0.5, 9))  # ends below 0, and the last epoch is the best
    stop_calls(
        early_stopping,
        [(np.array(losses), patience), (dips(rng, 2), 2), (below, 2)],
        f", the first with a better one every {patience}",
    )


@case("early_stopping: an epoch that is only as good is no better")
def ties(early_stopping, *, rng):
    patience, low = int(rng.integers(2, 5)), float(rng.integers(1, 4))
    losses = np.array([low + 2, low] + [low] * (patience + 3))
    runs = [(losses, patience), (dips(rng, 3), 3), (losses[1:], patience)]
    stop_calls(early_stopping, runs, ", the first of which stays at its best loss")


Q4 = question(
    "09.4",
    title="Repair: weight decay and dropout",
    minutes=14,
    hints=[
        "Decoupled means: the decay does not go through Adam's division. Where does `decay * w` enter in `step_with_bug`?",
        "`dropout_forward` returns an output that is multiplied with the mask already.",
        "Who tells `dropout_forward` whether the network is in training?",
    ],
)


def adamw(w, gradient, m, v, t, lr, decay, how="decoupled"):
    """AdamW, or what usual mistakes make of it: (w, m, v)."""
    if how == "l2":
        gradient = gradient + decay * w
    m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
    step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    if how == "shrunk first":
        return (w - lr * step) * (1 - lr * decay), m, v
    share = {"decoupled": lr * decay, "l2": 0, "none": 0, "no lr": decay, "divided": lr * decay, "grows": -lr * decay}[
        how
    ]
    pull = np.sign(w) if how == "sign" else w
    return w - lr * step - share * pull, m, v


HOW = {
    "the decay still goes through Adam: it is added to the gradient, and divided by its size (that is L2 inside Adam)": "l2",
    "the weight decay is gone: each weight shrinks by the share lr * decay of itself": "none",
    "each weight shrinks by the share decay: it is lr * decay": "no lr",
    "the weights grow: subtract lr * decay * w": "grows",
    "the weights shrink after the step: the share belongs to the weight before it": "shrunk first",
}


def adamw_case(adamw_step, rng, scale, what):
    shape = int(rng.integers(2, 4)), int(rng.integers(4, 7))
    w, gradient = rng.standard_normal(shape), scale * rng.standard_normal(shape)
    m, v = (0.1 * scale * rng.standard_normal(shape), 0.01 * scale**2 * rng.uniform(0.5, 1, shape))
    t, lr, decay = int(rng.integers(2, 9)), float(rng.uniform(0.05, 0.1)), float(rng.uniform(0.2, 0.5))
    inputs = w, gradient, m, v, t, lr, decay
    names = ("w", "m", "v")
    wrong = {text: dict(zip(names, adamw(*inputs, how), strict=True)) for text, how in HOW.items()}
    wrong["the corrections of m and v are missing"] = {
        "w": w - lr * (0.9 * m + 0.1 * gradient) / (np.sqrt(0.999 * v + 0.001 * gradient**2) + 1e-8) - lr * decay * w
    }
    expect_results(
        adamw_step(w.copy(), gradient.copy(), m.copy(), v.copy(), t, lr, decay),
        dict(zip(names, adamw(*inputs), strict=True)),
        what=f"adamw_step(w, gradient, m, v, t={t}, lr={lr:.3g}, decay={decay:.3g}) {what}",
        mistakes=wrong,
    )


@case("adamw_step: weights shrink by the same share, whatever the gradients")
def decoupled(adamw_step, *, rng):
    adamw_case(adamw_step, rng, 1.0, "with gradients of about 1")
    adamw_case(adamw_step, rng, 0.0, "with gradients that are and were 0")
    adamw_case(adamw_step, rng, 1000.0, "with gradients of about 1000")
    adamw_case(adamw_step, rng, 1e-8, "with gradients of about 1e-8, where the 1e-8 of Adam counts")


@case("adamw_step: weights shrink by the same share, whatever the gradients, other inputs", hidden=True)
def decoupled_again(adamw_step, *, rng):
    decoupled(adamw_step, rng=rng)


def hidden_of(predict, rng, rate, training, what):
    """h, and the hidden layer that predict used: w2 is a diagonal, so that the scores show it."""
    n, d, hidden = 40, int(rng.integers(3, 6)), 50
    x, w1 = rng.standard_normal((n, d)), rng.standard_normal((d, hidden))
    scale = rng.uniform(0.5, 2, hidden)
    got = predict(x.copy(), w1.copy(), np.diag(scale), rate, generator(rng), training)
    expect_shape(got, (n, hidden), what=what)
    return np.maximum(x @ w1, 0), got / scale


@case("predict: in training, one mask and one factor", points=2)
def predict_trains(predict, *, rng):
    rate = float(rng.choice([0.2, 0.3, 0.65, 0.75]) + rng.uniform(-0.02, 0.02))
    what = f"predict(x, w1, w2, rate={rate:.2f}, rng, training=True)"
    h, used = hidden_of(predict, rng, rate, True, what)
    active = h > 0
    kept = active & (used != 0)
    share = 1 - kept.sum() / active.sum()
    expect_true(
        abs(share - rate) < 6 * np.sqrt(rate * (1 - rate) / active.sum()),
        f"in {what} the share {share:.2f} of the active hidden units is silenced, expected about {rate:.2f}",
        mistake="nothing is silenced: training was not handed on"
        if share == 0
        else "dropout was applied twice, with two masks"
        if abs(1 - share - (1 - rate) ** 2) < 0.06
        else None,
    )
    expect_equal(
        used[kept] / h[kept],
        np.full(int(kept.sum()), 1 / (1 - rate)),
        what=f"the factor of the kept hidden units in {what}",
        mistakes={
            "out is still multiplied with the mask: the factor 1/(1 - rate) is in it twice": np.full(
                kept.sum(), (1 - rate) ** -2
            ),
            "the factor 1/(1 - rate) is missing": np.ones(kept.sum()),
            "the kept units were multiplied with 1 - rate": np.full(kept.sum(), 1 - rate),
        },
    )


@case("predict: outside training nothing is silenced and nothing multiplied")
def predict_tests(predict, *, rng):
    rate = float(rng.uniform(0.3, 0.6))
    what = f"predict(x, w1, w2, rate={rate:.2f}, rng, training=False)"
    h, used = hidden_of(predict, rng, rate, False, what)
    silenced = bool(((used == 0) & (h > 0)).any())
    expect_equal(
        used,
        h,
        what=f"the hidden units in {what}",
        mistakes={
            "units are silenced outside training too: hand `training` on": used if silenced else h + 1,
            "the units were multiplied with 1 - rate: inverted dropout has scaled in training": (1 - rate) * h,
            "the units were multiplied with 1/(1 - rate)": h / (1 - rate),
        },
    )


Q5 = question(
    "09.5",
    title="Measure: the one-standard-error rule",
    minutes=12,
    hints=[
        "`losses.mean(axis=1)` has one mean for each strength; it is NaN where a run diverged. `np.nanargmin` passes over NaN.",
        "The limit is one number, made of the best strength's own mean and error.",
        "`strengths[mean <= limit]` are the candidates; a comparison with NaN is False. The strongest is their `max()`.",
    ],
)


def chosen(strengths, losses, *, ddof=1, root=True, times=1.0, own=True, pick="strong", axis=1):
    """(strength, limit) of the rule, and what comes of it when a part is changed."""
    kept = np.isfinite(losses).all(axis=1)
    strengths, losses = strengths[kept], losses[kept]
    mean = losses.mean(axis=1)
    best = int(mean.argmin())
    count = losses.shape[1]
    error = losses.std(axis=1, ddof=ddof) / (np.sqrt(count) if root is True else root(losses))
    limit = mean[best] + times * (error[best] if own else error.mean())
    inside = strengths[mean <= limit]
    found = {
        "strong": inside.max(),
        "weak": inside.min(),
        "best": strengths[best],
        "last": inside[-1],
        "first": inside[0],
    }[pick]
    return float(found), float(limit)


def scattered(rng):
    """Strengths in random order and losses of seven seeds: beside the best there are two stronger ones within one error."""
    seeds = int(rng.integers(5, 8))
    strengths = np.sort(10 ** rng.uniform(-5, 1, 11))
    error = rng.uniform(0.03, 0.05)
    # mean losses, in standard errors of the best strength (number 4) above its own mean; numbers 2 to 7 are within one
    above = np.array([6.0, 3.0, 0.6, 0.5, 0.0, 0.93, 0.7, 0.55, 1.08, 1.8, 9.0])
    noise = rng.standard_normal((11, seeds))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    spread = np.where(np.arange(11) == 4, 1.0, rng.uniform(1.5, 2.5, 11))
    losses = rng.uniform(0.5, 1) + error * (above[:, None] + np.sqrt(seeds) * spread[:, None] * noise)
    order = rng.permutation(11)
    while not {order[0], order[-1]} <= {
        5,
        6,
    }:  # neither the strongest, nor the weakest, nor the best, also without number 4
        order = rng.permutation(11)
    return strengths[order], losses[order]


CHOICES = {
    "the strength with the lowest mean was chosen: the strongest within one standard error is asked for": {
        "pick": "best"
    },
    "the weakest within one standard error was chosen, not the strongest": {"pick": "weak"},
    "the last strength within the limit was chosen: they come in any order, take the largest": {"pick": "last"},
    "the first strength within the limit was chosen: they come in any order, take the largest": {"pick": "first"},
    "the standard deviation was used: the error of a mean is smaller by the root of the number of seeds": {
        "root": lambda losses: 1
    },
    "the deviation was divided by the number of seeds, not by its root": {"root": lambda losses: losses.shape[1]},
    "the deviation was divided by the root of the number of strengths": {"root": lambda losses: np.sqrt(len(losses))},
    "the deviation was divided by the root of seeds - 1": {"root": lambda losses: np.sqrt(losses.shape[1] - 1)},
    "the spread has N in its denominator: use ddof=1": {"ddof": 0},
    "two standard errors were used, not one": {"times": 2.0},
    "the standard error was subtracted: add it to the lowest mean": {"times": -1.0},
    "the standard error is missing: the limit is the lowest mean itself": {"times": 0.0},
    "the mean of all standard errors was used: the best strength's own is meant": {"own": False},
}


def choice_mistakes(strengths, losses):
    found = {}
    for text, settings in CHOICES.items():
        if settings.get("times", 1) >= 0:
            strength, limit = chosen(strengths, losses, **settings)
            found[text] = {"strength": strength, "limit": limit}
    if np.isnan(losses).any():
        strength, limit = chosen(
            strengths, np.where(np.isnan(losses), np.nanmean(losses, axis=1, keepdims=True), losses)
        )
        found["the run that diverged was left out, not the strength that it belongs to"] = {
            "strength": strength,
            "limit": limit,
        }
        found["the run that diverged was left out of the mean, not the strength that it belongs to"] = {
            "strength": strength
        }
    strength, limit = chosen(strengths, losses)
    mean, error = losses.mean(axis=1), losses.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    with np.errstate(invalid="ignore"):
        found[
            "each strength's own error was subtracted from its mean: the limit is made of the best strength's alone"
        ] = {"strength": float(strengths[mean - error <= np.nanmin(mean)].max())}
        found["each strength's own error was subtracted from its mean before it was compared with the limit"] = {
            "strength": float(strengths[mean - error <= limit].max())
        }
    if (losses.mean(axis=1) == limit).any():
        below = strengths[losses.mean(axis=1) < limit]
        found["a mean exactly at the limit was left out: it is not above it"] = {"strength": float(below.max())}
    found["an index was returned, not a strength"] = {"strength": int(np.flatnonzero(strengths == strength)[0])}
    found["the standard error came back, not the limit"] = {"limit": limit - float(np.nanmin(losses.mean(axis=1)))}
    found["the mean loss of the chosen strength came back, not the limit"] = {
        "limit": float(losses[strengths == strength].mean())
    }
    return found


def choice_case(choose, strengths, losses, what):
    strength, limit = chosen(strengths, losses)
    expect_results(
        choose(strengths.copy(), losses.copy()),
        {"strength": strength, "limit": limit},
        what=what,
        mistakes=choice_mistakes(strengths, losses),
    )


def at_the_limit(rng):
    """Losses of four seeds in binary fractions: the mean of one strength is exactly the limit, that of a stronger one above."""
    unit = 2.0 ** -int(rng.integers(5, 9))
    above = np.array([[0, 0, 2, 2], [3, -1, -1, -1], [-4, -2, 4, 6], [0, 2, 4, 6]])  # the means are 1, 0, 1 and 3
    order = rng.permutation(4)
    return np.sort(10 ** rng.uniform(-5, 1, 4))[order], 0.5 + unit * above[order]


@case("choose: the strongest within one standard error of the best", points=2)
def one_error(choose, *, rng):
    strengths, losses = scattered(rng)
    choice_case(choose, strengths, losses, f"choose(strengths, losses) with {losses.shape[1]} seeds")
    choice_case(
        choose, *at_the_limit(rng), "choose(strengths, losses) with a mean exactly at the limit, so not above it,"
    )


@case("choose: the strongest within one standard error of the best, other inputs", points=2, hidden=True)
def one_error_again(choose, *, rng):
    one_error(choose, rng=rng)


@case("choose: strengths with a run that diverged", points=2)
def one_error_diverged(choose, *, rng):
    strengths, losses = scattered(rng)
    mean = losses.mean(axis=1)
    strong = np.flatnonzero(strengths == chosen(strengths, losses)[0])[0]
    for row in (int(mean.argmin()), int(strong)):
        losses[row, int(losses[row].argmax())] = np.nan  # without it the mean would be lower still
    choice_case(choose, strengths, losses, "choose(strengths, losses) where two strengths have a loss that is NaN")


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


def _adamw(first="", shrink="lr * decay * w"):
    return f"""
def adamw_step(w, gradient, m, v, t, lr, decay):
    {first}
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient**2
    step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w - lr * step - {shrink}, m, v
"""


def _predict(training="training", out="out"):
    return f"""
def predict(x, w1, w2, rate, rng, training):
    h = np.maximum(x @ w1, 0)
    out, mask = dropout_forward(h, rate, rng, {training})
    return ({out}) @ w2
"""


def _choose(error="losses[best].std(ddof=1) / np.sqrt(losses.shape[1])", pick="strengths[mean <= limit].max()"):
    return f"""
def choose(strengths, losses):
    mean = losses.mean(axis=1)
    best = np.nanargmin(mean)
    limit = mean[best] + {error}
    return {pick}, limit
"""


BACKWARD = "def dropout_backward(dout, mask):\n    return {}"

SENTENCES = {  # of the task, and the cases that test it
    "09.1": {
        "with the ½, as in the chapter and in PyTorch": ["l2: the penalty and its gradient"],
        "The L1 penalty is": ["l1: the penalty and its gradient"],
        "Take 0 for its gradient there.": ["l1: the gradient at 0"],
    },
    "09.2": {
        "sets each entry to 0 with probability $p$, independently of the others": [
            "dropout_forward: each entry is silenced with probability rate, independently"
        ],
        "multiplies those that are kept so that the mean stays": ["dropout_forward: what is kept is enlarged"],
        "When the network is not in training, nothing is silenced and nothing is multiplied": [
            "dropout_forward: nothing happens outside training"
        ],
        "returns the output and the mask $m$, with the factor in it": [
            "dropout_forward: the mask is what x was multiplied with"
        ],
        "gets the upstream gradient and this mask": ["dropout_backward"],
        "All random numbers come from `rng`.": ["dropout_forward draws from the generator that it is given"],
    },
    "09.3": {
        "An epoch is *better* if its loss is lower than all before it": [
            "early_stopping: better means better than the best, not than the epoch before"
        ],
        "(not just as low)": ["early_stopping: an epoch that is only as good is no better"],
        "Training stops after the epoch at which `patience` epochs in a row have brought nothing better.": [
            "early_stopping: stops after patience epochs without a better one",
            "early_stopping: the count starts again with each better epoch, and training may never stop",
        ],
        "the best epoch up to then": ["early_stopping: stops after patience epochs without a better one"],
        "Epochs count from 1.": ["early_stopping: stops after patience epochs without a better one"],
        "If training is never stopped, `stopped` is the last epoch there is.": [
            "early_stopping: the count starts again with each better epoch, and training may never stop"
        ],
    },
    "09.4": {
        "There are **three faults**: one in the first function, two in the second.": [
            "adamw_step: weights shrink by the same share, whatever the gradients",
            "predict: in training, one mask and one factor",
            "predict: outside training nothing is silenced and nothing multiplied",
        ],
        "Where the gradient of the loss is 0, all weights should shrink by the same share": [
            "adamw_step: weights shrink by the same share, whatever the gradients"
        ],
        "outside training a network should give the same answer twice": [
            "predict: outside training nothing is silenced and nothing multiplied"
        ],
    },
    "09.5": {
        "choose the strongest penalty whose mean loss is not above this sum": [
            "choose: the strongest within one standard error of the best"
        ],
        "`strengths` has the shape (S,), in any order": ["choose: the strongest within one standard error of the best"],
        "with seeds − 1 in the denominator, divided by the root of the number of seeds": [
            "choose: the strongest within one standard error of the best"
        ],
        "is not chosen and sets no limit": ["choose: strengths with a run that diverged"],
        "Return two numbers: the chosen strength, and the limit": [
            "choose: the strongest within one standard error of the best"
        ],
    },
}

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
    Wrong("09.1", _l1(grad="strength * w / np.abs(w)"), "w / |w| is no number there"),
    Wrong("09.1", _l2("strength / 2 * np.linalg.norm(w, 2) ** 2"), "the largest singular value"),
    Wrong("09.1", _l2("strength / 2 * sum(w**2)"), "Python's sum was used"),
    Wrong("09.1", _l2(grad="w + strength * w"), "the weights were added to the gradient"),
    Wrong("09.1", _l2(grad="strength * np.sum(w)"), "the gradient was summed"),
    Wrong("09.1", _l2("strength // 2 * np.sum(w**2)"), "rounded down to 0"),
    Wrong("09.1", _l1("strength * np.linalg.norm(w, 1)"), "the largest sum of a column"),
    Wrong("09.1", _l1(grad="strength * (w > 0)"), "where weights are negative"),
    Wrong("09.2", _dropout("(rng.standard_normal(x.shape) >= rate) / (1 - rate)"), "normal numbers were drawn"),
    Wrong(
        "09.2",
        _dropout("(rng.permutation(x.size).reshape(x.shape) >= int(rate * x.size)) / (1 - rate)"),
        "a fixed number of entries",
    ),
    Wrong("09.2", _dropout("(rng.random() >= rate) / (1 - rate)"), "for the whole array"),
    Wrong("09.2", _dropout(out="x * (mask > 0)"), "in the mask but not in out"),
    Wrong("09.1", _l1(grad="np.where(w >= 0, strength, -strength)"), "a weight of 0 counts as positive"),
    Wrong("09.1", _l1(grad="np.where(w > 0, strength, -strength)"), "a weight of 0 counts as negative"),
    Wrong("09.2", _dropout("(rng.random(x.shape) >= rate) * 1.0"), "the kept entries of out were not enlarged"),
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
    Wrong("09.3", _stop(stopped="i + 1, losses[best]", never="len(losses), losses[best]"), "the best loss came back"),
    Wrong(
        "09.3", _stop(stopped="float(i + 1), float(best + 1)", never="float(len(losses)), float(best + 1)"), "as floats"
    ),
    Wrong("09.3", _stop(stopped="i + 1, best", never="len(losses), best"), "the best epoch was counted from 0"),
    Wrong("09.3", _stop(better="losses[i] < losses[0]"), "compared with the first"),
    Wrong("09.4", _adamw("gradient = gradient + decay * w", "0"), "the decay still goes through Adam"),
    Wrong("09.4", _adamw(shrink="0"), "the weight decay is gone"),
    Wrong("09.4", _adamw(shrink="decay * w"), "it is lr * decay"),
    Wrong("09.4", _adamw(shrink="-lr * decay * w"), "the weights grow"),
    Wrong("09.4", _predict(out="out * mask"), "the factor 1/(1 - rate) is in it twice"),
    Wrong("09.4", _predict(training="True"), "silenced outside training too"),
    Wrong("09.4", _predict(training="False"), "nothing is silenced: training was not handed on"),
    Wrong("09.4", _predict(out="out if training else (1 - rate) * out"), "inverted dropout has scaled in training"),
    Wrong("09.5", _choose(pick="strengths[best]"), "the strength with the lowest mean was chosen"),
    Wrong("09.5", _choose(pick="strengths[mean <= limit].min()"), "the weakest within"),
    Wrong("09.5", _choose(pick="strengths[mean <= limit][-1]"), "they come in any order"),
    Wrong("09.5", _choose(error="losses[best].std(ddof=1)"), "smaller by the root of the number of seeds"),
    Wrong("09.5", _choose(error="losses[best].std() / np.sqrt(losses.shape[1])"), "use ddof=1"),
    Wrong("09.5", _choose(error="losses[best].std(ddof=1) / losses.shape[1]"), "not by its root"),
    Wrong("09.5", _choose(error="2 * losses[best].std(ddof=1) / np.sqrt(losses.shape[1])"), "two standard errors"),
    Wrong(
        "09.5",
        _choose(error="np.nanmean(losses.std(axis=1, ddof=1)) / np.sqrt(losses.shape[1])"),
        "the best strength's own is meant",
    ),
    Wrong("09.5", _choose(pick="int(np.argmax(np.where(mean <= limit, strengths, 0)))"), "an index was returned"),
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
    Right("09.4", _adamw() + _predict()),
    Right(
        "09.4",
        """
def adamw_step(w, gradient, m, v, t, lr, decay):
    w = (1 - lr * decay) * w
    m, v = m + 0.1 * (gradient - m), v + 0.001 * (gradient * gradient - v)
    return w - lr * m / (1 - 0.9**t) / (1e-8 + (v / (1 - 0.999**t)) ** 0.5), m, v

def predict(x, w1, w2, rate, rng, training):
    h = np.maximum(x @ w1, 0)
    if training:
        h = h * (rng.random(h.shape) < 1 - rate) / (1 - rate)
    return h @ w2
""",
    ),
    Right(
        "09.5",
        """
def choose(strengths, losses):
    whole = ~np.isnan(losses).any(axis=1)
    strengths, losses = strengths[whole], losses[whole]
    order = np.argsort(strengths)[::-1]
    means = [row.sum() / len(row) for row in losses]
    best = min(range(len(means)), key=lambda i: means[i])
    variance = sum((v - means[best]) ** 2 for v in losses[best]) / (len(losses[best]) - 1)
    limit = means[best] + (variance / len(losses[best])) ** 0.5
    return next(strengths[i] for i in order if means[i] <= limit), limit
""",
    ),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "09.2": {
        "no draw is exactly the rate": [
            "> stands where >= is meant: rng.random(x.shape) >= rate",
        ],
    },
    "09.3": {
        "the first epoch is the best in any case": [
            "the first round of the loop is left out",
        ],
    },
    "09.5": {
        "one axis is left": [
            "max runs along axis 0 only, where all entries are meant, in value 1 of what is returned",
            "std runs along axis 0 only, where all entries are meant, in limit",
        ],
        "losses are positive, and NaN stays NaN": [
            "the absolute value was compared: np.abs(mean)",
        ],
    },
}
