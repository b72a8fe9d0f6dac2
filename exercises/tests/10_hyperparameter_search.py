"""Cases of exercise sheet 10, hyperparameter search."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import (
    expect_draws,
    expect_equal,
    expect_seeded,
    expect_shape,
    expect_true,
    inspect_value,
)

TITLE = "Hyperparameter search"


def generator(rng):
    """A fresh generator for one call of the student's function."""
    return np.random.default_rng(int(rng.integers(2**31)))


def a_range(rng):
    """Ends that are not powers of ten, one below 1 and one above, three decades apart or more."""
    return float(10.0 ** rng.uniform(-4, -2)), float(10.0 ** rng.uniform(1, 2))


Q1 = question(
    "10.1",
    title="Log-uniform draws",
    minutes=8,
    hints=[
        "`np.log10(low)` and `np.log10(high)` are the ends of the range of exponents.",
        "`rng.uniform(start, end, count)` draws the exponents; `10**u` makes numbers of them.",
    ],
)


@case("log_uniform: shape, and inside the range")
def draws_inside(log_uniform, *, rng):
    low, high = a_range(rng)
    count = int(rng.integers(400, 600))
    what = f"log_uniform(rng, {low:.3g}, {high:.3g}, {count})"
    got = log_uniform(generator(rng), low, high, count)
    expect_true(
        type(got) not in (float, np.float64),
        f"{what} is {inspect_value(got)}, not an array of shape ({count},)",
        mistake="one number was drawn, not `count` of them",
    )
    expect_shape(got, (count,), what=what)
    smallest, largest = float(got.min()), float(got.max())
    mistake = None
    if smallest < 0:
        mistake = "the exponents were returned; 10**u is missing"
    elif smallest < low / 2 and largest > 2 * high:
        mistake = "natural logarithms were mixed with powers of ten"
    elif smallest > 2 * low and largest < high / 2:
        mistake = "base-ten logarithms were mixed with powers of e"
    expect_true(
        low * (1 - 1e-9) <= smallest and largest <= high * (1 + 1e-9) and mistake is None,
        f"{what} gave numbers from {smallest:.3g} to {largest:.3g}; expected them to fill {low:.3g} to {high:.3g}",
        mistake=mistake,
    )


@case("log_uniform: every factor of ten is as likely as any other")
def draws_spread(log_uniform, *, rng):
    low, high = a_range(rng)
    count = 4000
    what = f"log_uniform(rng, {low:.3g}, {high:.3g}, {count})"
    got = log_uniform(generator(rng), low, high, count)
    expect_shape(got, (count,), what=what)
    expect_true(bool((got > 0).all()), f"{what} holds numbers that are not positive")
    upper = float((got > high / 10).mean())
    share = 1 / np.log10(high / low)
    expect_true(
        abs(upper - share) < 6 * (share / count) ** 0.5,
        f"{upper:.0%} of the draws of {what} lie in the last factor of ten, expected about {share:.0%}",
        mistake="the numbers were drawn uniformly, not their exponents" if upper > 0.8 else None,
    )
    middle = (np.log10(low) + np.log10(high)) / 2
    expect_draws(
        np.log10(got) - middle,
        shape=(count,),
        std=float(np.log10(high / low) / 12**0.5),
        uniform=True,
        what=f"the exponents of {what}, minus their middle",
    )


@case("log_uniform: every factor of ten is as likely as any other, other inputs", hidden=True)
def draws_spread_again(log_uniform, *, rng):
    draws_spread(log_uniform, rng=rng)


@case("log_uniform draws from the generator that it is given")
def draws_seeded(log_uniform, *, rng):
    expect_seeded(lambda g: log_uniform(g, 0.01, 10.0, 7), rng=rng, what="log_uniform(rng, 0.01, 10.0, 7)")


Q2 = question(
    "10.2",
    title="Coarse to fine",
    minutes=12,
    hints=[
        "`np.argmin` of an array with NaN gives the place of the NaN. `np.nanargmin` passes over it.",
        "The new range begins at `c - length / 2`, but not before `a`, and not after `b - length`.",
    ],
)


def next_range(low, high, best, shrink, *, inside="moved", log=True):
    """The next range around `best`; `inside` says what happens where it would stick out."""
    a, b, c = (np.log10(v) if log else v for v in (low, high, best))
    length = shrink * (b - a)
    start, end = c - length / 2, c + length / 2
    if inside == "moved":
        start = min(max(start, a), b - length)
        end = start + length
    elif inside == "cut":
        start, end = max(start, a), min(end, b)
    return (float(10**start), float(10**end)) if log else (float(start), float(end))


def a_round(rng, where):
    """A range, trials in it, their scores, and the best trial, which lies in the middle or near an end."""
    low, high = a_range(rng)
    width = np.log10(high / low)
    shrink = float(rng.uniform(0.3, 0.5))
    at = {"middle": rng.uniform(0.4, 0.6), "low": 0.25 * shrink, "high": 1 - 0.25 * shrink}[where]
    others = np.concatenate([rng.uniform(0, 0.1, 3), rng.uniform(0.9, 1, 3)])
    places = np.concatenate([[at], others])
    scores = np.concatenate([[0.1], rng.uniform(0.5, 2, 6)])
    order = rng.permutation(7)
    tried = low * 10 ** (width * places)
    return low, high, tried[order], scores[order], shrink, float(tried[0])


def narrowing_mistakes(low, high, tried, scores, shrink, best):
    worst = float(tried[np.nanargmax(scores)])
    return {
        "the range sticks out beyond its old end: move it inside": next_range(low, high, best, shrink, inside="out"),
        "the part that stuck out was cut off: the range is to be moved inside, at its full length": next_range(
            low, high, best, shrink, inside="cut"
        ),
        "the largest score was taken for the best: scores are losses": next_range(low, high, worst, shrink),
        "the numbers were narrowed, not their exponents": next_range(low, high, best, shrink, log=False),
        "shrink was taken off: the new range is shrink times as long as the old one": next_range(
            low, high, best, 1 - shrink
        ),
        "the range goes by its whole length to each side: half of it is meant": next_range(low, high, best, 2 * shrink),
    }


@case("narrow: around the best in the middle")
def narrow_middle(narrow, *, rng):
    low, high, tried, scores, shrink, best = a_round(rng, "middle")
    expect_equal(
        narrow(low, high, tried, scores, shrink),
        next_range(low, high, best, shrink),
        what=f"narrow({low:.3g}, {high:.3g}, tried, scores, {shrink:.2g}) with the best trial at {best:.3g}",
        mistakes=narrowing_mistakes(low, high, tried, scores, shrink, best),
    )


@case("narrow: a trial that diverged is not the best")
def narrow_diverged(narrow, *, rng):
    low, high, tried, scores, shrink, best = a_round(rng, "middle")
    scores = scores.copy()
    spoilt = int(rng.choice(np.flatnonzero(scores > 0.3)))
    scores[spoilt] = np.nan
    expect_equal(
        narrow(low, high, tried, scores, shrink),
        next_range(low, high, best, shrink),
        what="narrow with one score that is NaN",
        mistakes={
            "the trial with the score NaN was taken for the best": next_range(low, high, float(tried[spoilt]), shrink),
            **narrowing_mistakes(low, high, tried, scores, shrink, best),
        },
    )


@case("narrow: the best near an end of the range", points=2)
def narrow_end(narrow, *, rng):
    for where in ("low", "high"):
        low, high, tried, scores, shrink, best = a_round(rng, where)
        expect_equal(
            narrow(low, high, tried, scores, shrink),
            next_range(low, high, best, shrink),
            what=f"narrow({low:.3g}, {high:.3g}, tried, scores, {shrink:.2g}) with the best trial at {best:.3g}",
            mistakes=narrowing_mistakes(low, high, tried, scores, shrink, best),
        )


Q3 = question(
    "10.3",
    title="Folds",
    minutes=8,
    hints=[
        "`rng.permutation(count)` puts the indices in random order.",
        "`np.array_split(indices, k)` cuts an array into k parts, also when k does not divide its length.",
    ],
)


def checked_folds(folds, count, k, rng):
    """The folds, once they are a list of k arrays of whole numbers."""
    got = folds(generator(rng), count, k)
    what = f"folds(rng, {count}, {k})"
    expect_true(
        type(got) in (list, tuple),
        f"{what} gave {inspect_value(got)}, not a list of arrays",
        mistake="a return is missing" if got is None else None,
    )
    expect_true(len(got) == k, f"{what} gave {len(got)} parts, expected {k}")
    for j, part in enumerate(got):
        expect_true(
            type(part) is np.ndarray and part.ndim == 1 and part.dtype.kind in "iu",
            f"part {j} of {what} is {inspect_value(part)}, not an array of indices",
            mistake="each part is a pair: return only the indices that are held out"
            if type(part) in (tuple, list) and len(part) == 2
            else None,
        )
    return got, what


@case("folds: every example is held out exactly once", points=2)
def folds_cover(folds, *, rng):
    k = int(rng.integers(3, 7))
    count = k * int(rng.integers(6, 12)) + int(rng.integers(1, k))
    got, what = checked_folds(folds, count, k, rng)
    together = np.concatenate(got)
    expect_true(
        bool(((together >= 0) & (together < count)).all()),
        f"{what} holds indices outside 0 to {count - 1}",
        mistake="counting began at 1" if together.size and together.max() == count else None,
    )
    times = np.bincount(together, minlength=count)
    mistake = None
    if (times == k - 1).all():
        mistake = "the examples for training were returned, not those held out"
    elif times.max() == 1 and (times == 0).sum() == count % k:
        mistake = "the remainder was dropped: k does not divide count"
    elif times.max() > 1:
        mistake = "each fold was drawn on its own, so that folds overlap"
    expect_true(
        bool((times == 1).all()),
        f"in {what} {int((times == 0).sum())} examples are never held out and {int((times > 1).sum())} more than once",
        mistake=mistake,
    )


@case("folds: sizes differ by one at most")
def folds_even(folds, *, rng):
    k = int(rng.integers(4, 7))
    count = k * int(rng.integers(6, 12)) + k - 1
    got, what = checked_folds(folds, count, k, rng)
    sizes = [len(part) for part in got]
    expect_true(
        max(sizes) - min(sizes) <= 1,
        f"the parts of {what} have sizes {sizes}",
        mistake="the whole remainder went into one fold" if sizes[-1] != sizes[0] else None,
    )


@case("folds: random, and decided by the generator")
def folds_seeded(folds, *, rng):
    count, k = int(rng.integers(40, 60)), 4
    got, what = checked_folds(folds, count, k, rng)
    first = np.sort(got[0])
    expect_true(
        bool((np.diff(first) != 1).any()) and bool((np.diff(first) != k).any()),
        f"the first part of {what} holds {', '.join(map(str, first[:5]))}, ...: evenly spaced",
        mistake="the examples were not put in random order",
    )
    expect_seeded(lambda g: list(folds(g, count, k)), rng=rng, what=what)


Q4 = question(
    "10.4",
    title="Do not touch the test set",
    minutes=12,
    hints=[
        "Which of the three sets decides `best` in `leaky_search`? Which should?",
        "Compute the accuracy on the validation set for every pair, and that on the test set for one pair only.",
        "The model is learnt from the training set alone: `fit(x_train[:, p], y_train)`.",
    ],
)


def fit(x, y):
    return np.stack([x[y == 0].mean(axis=0), x[y == 1].mean(axis=0)])


def accuracy(means, x, y):
    return float(((((x[:, None] - means) ** 2).sum(axis=2)).argmin(axis=1) == y).mean())


def results(parts, pairs):
    """For every pair, learnt from the training set: accuracy on train, validation and test. (3, pairs)"""
    x, y = parts[0]
    return np.array([[accuracy(fit(x[:, p], y), part[:, p], t) for p in pairs] for part, t in parts])


def joined(parts, pairs):
    """What comes out if the models are learnt from training and validation set: (index, test accuracy)."""
    x, y = (np.concatenate([parts[0][i], parts[1][i]]) for i in (0, 1))
    found = [accuracy(fit(x[:, p], y), parts[1][0][:, p], parts[1][1]) for p in pairs]
    best = int(np.argmax(found))
    return best, accuracy(fit(x[:, pairs[best]], y), parts[2][0][:, pairs[best]], parts[2][1])


def a_task(rng):
    """Parts and pairs for which each mistake gives another answer."""
    pairs = [[i, j] for i in range(7) for j in range(i)]
    while True:
        parts = []
        for n in (40, 31, 33):
            parts.append((rng.standard_normal((n, 7)), rng.permutation(np.arange(n) % 2)))
        table = results(parts, pairs)
        chosen = int(table[1].argmax())
        right = (chosen, table[2][chosen])
        wrong = {
            "the pair was chosen on the test set": (int(table[2].argmax()), table[2].max()),
            "the pair was chosen on the training set": (int(table[0].argmax()), table[2][table[0].argmax()]),
            "the validation accuracy of the choice was returned, not its test accuracy": (chosen, table[1].max()),
            "the best test accuracy of all pairs was returned, not that of the chosen one": (chosen, table[2].max()),
            "the models were learnt from the validation set too": joined(parts, pairs),
            "the last of several equally good pairs was taken, not the first": (
                last := len(pairs) - 1 - int(table[1][::-1].argmax()),
                table[2][last],
            ),
        }
        if right not in wrong.values() and last != chosen and len(set(wrong.values())) == len(wrong):
            return parts, pairs, right, wrong


@case("honest_search: chosen on the validation set, measured on the test set", points=3)
def chosen_honestly(honest_search, *, rng):
    parts, pairs, right, wrong = a_task(rng)
    expect_equal(
        honest_search(*parts, pairs),
        (right[0], float(right[1])),
        what="honest_search(train, validation, test, pairs)",
        mistakes={name: (index, float(value)) for name, (index, value) in wrong.items()},
    )


@case("honest_search: other test examples do not change the choice")
def choice_ignores_test(honest_search, *, rng):
    (train, validation, test), pairs, right, _ = a_task(rng)
    x, y = test
    for name, other in (
        ("with the test labels turned round", (x, 1 - y)),
        ("with other test examples", (rng.standard_normal(x.shape), rng.permutation(y))),
    ):
        got = honest_search(train, validation, other, pairs)
        expect_true(
            type(got) in (tuple, list) and len(got) == 2,
            f"honest_search gave {inspect_value(got)}, not a pair",
            mistake="a return is missing" if got is None else None,
        )
        expect_equal(got[0], right[0], what=f"the index that honest_search chooses {name}")


@case("honest_search: other test examples do not change the choice, other inputs", hidden=True)
def choice_ignores_test_again(honest_search, *, rng):
    choice_ignores_test(honest_search, rng=rng)


NARROW = """
def narrow(low, high, tried, scores, shrink):
    best = {best}
    a, b, c = np.log10(low), np.log10(high), np.log10(best)
    length = {length}
    {start}
    return 10**start, 10**end
"""
BEST, LENGTH = "tried[np.nanargmin(scores)]", "shrink * (b - a)"
MOVED = "start = min(max(c - length / 2, a), b - length); end = start + length"


def _narrow(best=BEST, length=LENGTH, start=MOVED):
    return NARROW.format(best=best, length=length, start=start)


def _search(
    fitted="x_train[:, p], y_train", scored="x_val[:, p], y_val", returned=None, choose="int(np.argmax(found))"
):
    returned = returned or "accuracy(models[best], x_test[:, pairs[best]], y_test)"
    return f"""
def honest_search(train, validation, test, pairs):
    (x_train, y_train), (x_val, y_val), (x_test, y_test) = train, validation, test
    x_both, y_both = np.concatenate([x_train, x_val]), np.concatenate([y_train, y_val])
    models = [fit({fitted}) for p in pairs]
    found = [accuracy(model, {scored}) for model, p in zip(models, pairs)]
    best = {choose}
    return best, {returned}
"""


WRONG = [
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return rng.uniform(low, high, count)",
        "the numbers were drawn uniformly, not their exponents",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return rng.uniform(np.log10(low), np.log10(high), count)",
        "10**u is missing",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return 10 ** rng.uniform(np.log(low), np.log(high), count)",
        "natural logarithms were mixed with powers of ten",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return np.exp(rng.uniform(np.log10(low), np.log10(high), count))",
        "base-ten logarithms were mixed with powers of e",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return 10 ** rng.uniform(np.log10(low), np.log10(high))",
        "one number was drawn, not `count` of them",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return np.geomspace(low, high, count)",
        "nothing is drawn, or a generator with a fixed seed is made inside",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n"
        "    return 10 ** np.random.uniform(np.log10(low), np.log10(high), count)",
        "the global generator np.random is used",
    ),
    Wrong("10.2", _narrow(best="tried[np.argmin(scores)]"), "the score NaN was taken for the best"),
    Wrong("10.2", _narrow(best="tried[np.nanargmax(scores)]"), "scores are losses"),
    Wrong("10.2", _narrow(start="start, end = c - length / 2, c + length / 2"), "sticks out beyond its old end"),
    Wrong(
        "10.2",
        _narrow(start="start, end = max(c - length / 2, a), min(c + length / 2, b)"),
        "the part that stuck out was cut off",
    ),
    Wrong("10.2", _narrow(length="(1 - shrink) * (b - a)"), "shrink was taken off"),
    Wrong("10.2", _narrow(length="2 * shrink * (b - a)"), "half of it is meant"),
    Wrong(
        "10.2",
        """
def narrow(low, high, tried, scores, shrink):
    best, length = tried[np.nanargmin(scores)], shrink * (high - low)
    start = min(max(best - length / 2, low), high - length)
    return start, start + length
""",
        "the numbers were narrowed, not their exponents",
    ),
    Wrong(
        "10.3", "def folds(rng, count, k):\n    return np.array_split(np.arange(count), k)", "not put in random order"
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    return [np.arange(count)[j::k] for j in range(k)]",
        "not put in random order",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    order, n = rng.permutation(count), count // k\n"
        "    return [order[j * n : (j + 1) * n] for j in range(k)]",
        "the remainder was dropped",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    order, n = rng.permutation(count), count // k\n"
        "    return [order[j * n : (j + 1) * n] for j in range(k - 1)] + [order[(k - 1) * n :]]",
        "the whole remainder went into one fold",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    return [rng.choice(count, count // k, replace=False) for _ in range(k)]",
        "each fold was drawn on its own",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    parts = np.array_split(rng.permutation(count), k)\n"
        "    return [np.concatenate(parts[:j] + parts[j + 1 :]) for j in range(k)]",
        "the examples for training were returned",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    return np.array_split(np.random.default_rng(0).permutation(count), k)",
        "a generator with a fixed seed is made inside",
    ),
    Wrong("10.4", _search(scored="x_test[:, p], y_test"), "the pair was chosen on the test set"),
    Wrong("10.4", _search(scored="x_train[:, p], y_train"), "the pair was chosen on the training set"),
    Wrong("10.4", _search(returned="found[best]"), "the validation accuracy of the choice was returned"),
    Wrong(
        "10.4",
        _search(returned="max(accuracy(m, x_test[:, p], y_test) for m, p in zip(models, pairs))"),
        "the best test accuracy of all pairs was returned",
    ),
    Wrong("10.4", _search(fitted="x_both[:, p], y_both"), "learnt from the validation set too"),
    Wrong(
        "10.4",
        _search(choose="max(range(len(found)), key=lambda i: (found[i], i))"),
        "the last of several equally good pairs",
    ),
]

RIGHT = [
    Right(
        "10.1",
        """
def log_uniform(generator, a, b, n):
    return np.exp(np.log(a) + (np.log(b) - np.log(a)) * generator.random(n))
""",
    ),
    Right(
        "10.1",
        """
def log_uniform(rng, low, high, count):
    return np.array([low * (high / low) ** rng.random() for _ in range(count)])
""",
    ),
    Right("10.2", _narrow()),
    Right(
        "10.2",
        """
def narrow(low, high, tried, scores, shrink):
    best = tried[np.argmin(np.where(np.isnan(scores), np.inf, scores))]
    factor = (high / low) ** (shrink / 2)
    start, end = best / factor, best * factor
    if start < low:
        start, end = low, low * factor**2
    if end > high:
        start, end = high / factor**2, high
    return [start, end]
""",
    ),
    Right(
        "10.3",
        """
def folds(rng, count, k):
    order = np.arange(count)
    rng.shuffle(order)
    return [order[j::k] for j in range(k)]
""",
    ),
    Right("10.4", _search()),
    Right(
        "10.4",
        """
def honest_search(train, validation, test, pairs):
    best, highest = None, -1.0
    for i, pair in enumerate(pairs):
        value = accuracy(fit(train[0][:, pair], train[1]), validation[0][:, pair], validation[1])
        if value > highest:
            best, highest = i, value
    pair = pairs[best]
    return best, accuracy(fit(train[0][:, pair], train[1]), test[0][:, pair], test[1])
""",
    ),
]
