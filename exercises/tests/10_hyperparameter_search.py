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
from coursekit.grading.several import expect_calls

TITLE = "Hyperparameter search"


def generator(rng):
    """A fresh generator for one call of the student's function."""
    return np.random.default_rng(int(rng.integers(2**31)))


def a_range(rng):
    """Ends that are not powers of ten, one below 1 and one above, three and a half decades apart or more."""
    return float(10.0 ** rng.uniform(-4, -2.5)), float(10.0 ** rng.uniform(1, 2))


Q1 = question(
    "10.1",
    title="Log-uniform draws",
    minutes=8,
    hints=[
        "`np.log10(low)` and `np.log10(high)` are the ends of the range of exponents.",
        "`rng.uniform(start, end, count)` draws the exponents; `10**u` makes numbers of them.",
    ],
)


def draw_mistake(got, low, high):
    """What the draws look like, if they do not look like exponents drawn uniformly between those of the ends."""
    with np.errstate(all="ignore"):
        if not np.isfinite(got).all() or got.max() > 1e3 * high**1.5:
            return "low and high themselves were used as exponents: take their logarithms"
        smallest, largest, count = float(got.min()), float(got.max()), got.size
        if smallest < 0:
            return "the exponents were returned; 10**u is missing"
        logs = np.sort(np.log10(got))
        if np.unique(got).size < count / 4:
            return "only a few exponents were drawn (whole ones?): any number between the ends is as likely"
        if np.allclose(np.diff(logs), np.diff(logs).mean(), rtol=1e-3, atol=1e-9):
            return "the exponents are evenly spaced, in some order: they are to be drawn"
        a, b = np.log10(low), np.log10(high)
        error = 6 / np.sqrt(12 * count)
        if (
            smallest < low / 2
            and largest > 2 * high
            and abs((logs.mean() - np.log(low)) / np.log(high / low) - 0.5) < error
        ):
            return "natural logarithms were mixed with powers of ten"
        if smallest > 2 * low and largest < high / 2 and abs((np.log(got).mean() - a) / (b - a) - 0.5) < error:
            return "base-ten logarithms were mixed with powers of e"
        if abs((got.mean() - low) / (high - low) - 0.5) < error and low <= smallest and largest <= high:
            return "the numbers were drawn uniformly, not their exponents"
        if abs(np.mean(10.0 ** (got - high)) - 0.5) < error:
            return "the power was taken first, and the logarithm of the draws: it is the other way round"
        z = (logs - logs.mean()) / logs.std()
        if 2.4 < np.mean(z**4) < 3.8 and abs(np.mean(z**3)) < 0.7:
            return "normal exponents were drawn, not uniform ones"
    return None


@case("log_uniform: shape, and inside the range")
def draws_inside(log_uniform, *, rng):
    low, high = a_range(rng)
    count = int(rng.integers(400, 600))
    what = f"log_uniform(rng, {low:.3g}, {high:.3g}, {count})"
    seed = int(rng.integers(2**31))
    got = log_uniform(np.random.default_rng(seed), low, high, count)
    expect_true(
        type(got) not in (float, np.float64),
        f"{what} is {inspect_value(got)}, not an array of shape ({count},)",
        mistake="one number was drawn, not `count` of them",
    )
    numbers = type(got) is np.ndarray and got.dtype.kind == "f" and got.shape == (count,)
    if numbers and not np.isfinite(got).all():
        expect_true(False, f"{what} holds numbers that are not finite", mistake=draw_mistake(got, low, high))
    expect_shape(got, (count,), what=what)
    smallest, largest = float(got.min()), float(got.max())
    fills = smallest < low * (high / low) ** 0.05 and largest > high / (high / low) ** 0.05
    # one small number may come by chance: a twentieth of them lies at each end
    near, far = np.quantile(got, [0.05, 0.95])
    fills = fills and near < low * (high / low) ** 0.15 and far > high / (high / low) ** 0.15
    inside = low * (1 - 1e-9) <= smallest and largest <= high * (1 + 1e-9)
    unused = None
    for name, ends in (("low", (low / 100, high)), ("high", (low, 100 * high))):
        other = log_uniform(np.random.default_rng(seed), *ends, count)
        if type(other) is np.ndarray and other.shape == got.shape and np.array_equal(other, got):
            unused = f"{name} is not used: another {name} gives the same numbers"
    normal = (draw_mistake(got, low, high) or "").startswith("normal")
    expect_true(
        inside and fills and unused is None and not normal,
        f"{what} gave numbers from {smallest:.3g} to {largest:.3g}; expected them to fill {low:.3g} to {high:.3g}",
        mistake=unused or draw_mistake(got, low, high),
    )


@case("log_uniform: every factor of ten is as likely as any other")
def draws_spread(log_uniform, *, rng):
    low, high = a_range(rng)
    count = 4000
    what = f"log_uniform(rng, {low:.3g}, {high:.3g}, {count})"
    got = log_uniform(generator(rng), low, high, count)
    if (
        type(got) is np.ndarray
        and got.dtype.kind == "f"
        and got.shape == (count,)
        and not (np.isfinite(got) & (got > 0)).all()
    ):
        expect_true(
            False, f"{what} holds numbers that are not positive and finite", mistake=draw_mistake(got, low, high)
        )
    expect_shape(got, (count,), what=what)
    mistake = draw_mistake(got, low, high)
    upper = float((got > high / 10).mean())
    share = 1 / np.log10(high / low)
    expect_true(
        abs(upper - share) < 6 * (share / count) ** 0.5 and (mistake is None or "evenly spaced" not in mistake),
        f"{upper:.0%} of the draws of {what} lie in the last factor of ten, expected about {share:.0%}",
        mistake=mistake,
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


def next_range(
    low, high, tried, scores, shrink, *, best=None, inside="moved", log=np.log10, power=lambda u: 10.0**u, length=None,
    start=0.5, back=None,
):  # fmt: skip
    """The next range, and what comes of it when a part is changed; `inside` says what happens where it would stick out."""
    with np.errstate(all="ignore"):
        found = tried[np.nanargmin(scores)] if best is None else best(tried, scores)
        a, b, c = (float(log(v)) for v in (low, high, found))
        long = shrink * (b - a) if length is None else length(a, b, shrink)
        first, last = c - start * long, c + (1 - start) * long
        if inside == "moved":
            first = min(max(first, a), b - long)
            last = first + long
        elif inside == "cut":
            first, last = max(first, a), min(last, b)
        elif inside == "low":
            first = max(first, a)
            last = first + long
        elif inside == "high":
            first = min(first, b - long)
            last = first + long
        elif inside == "b":
            first = min(max(first, a), b)
            last = first + long
        ends = float(power(first)), float(power(last))
        return ends if back is None else back(*ends, first, last)


def same(u):
    return u


def aligned(tried, scores):
    return tried[np.argmin(scores[~np.isnan(scores)])]


NARROWING = {
    "the range sticks out beyond its old end: move it inside": {"inside": "out"},
    "the part that stuck out was cut off: the range is to be moved inside, at its full length": {"inside": "cut"},
    "the range is moved inside at its lower end only": {"inside": "low"},
    "the range is moved inside at its upper end only": {"inside": "high"},
    "the start was kept below b, not below b - length: the range still sticks out above": {"inside": "b"},
    "the lowest score was used as the setting: best is the entry of tried at its place": {
        "best": lambda tried, scores: np.nanmin(scores)
    },
    "the index of the best was used as the setting: best = tried[index]": {
        "best": lambda tried, scores: np.nanargmin(scores)
    },
    "the largest score was taken for the best: scores are losses": {
        "best": lambda tried, scores: tried[np.nanargmax(scores)]
    },
    "the trial with the score NaN was taken for the best: np.nanargmin passes over it": {
        "best": lambda tried, scores: tried[np.argmin(scores)]
    },
    "the NaN were thrown out of scores, but not of tried: the places no longer belong together": {"best": aligned},
    "scores that are NaN were replaced by 0, which is the lowest": {
        "best": lambda tried, scores: tried[np.argmin(np.nan_to_num(scores))]
    },
    "the smallest setting was taken for the best": {"best": lambda tried, scores: tried.min()},
    "the largest setting was taken for the best": {"best": lambda tried, scores: tried.max()},
    "the last trial was taken for the best": {"best": lambda tried, scores: tried[-1]},
    "the first trial was taken for the best": {"best": lambda tried, scores: tried[0]},
    "the mean of all settings was used, not the best one": {"best": lambda tried, scores: tried.mean()},
    "the numbers were narrowed, not their exponents": {"log": same, "power": same},
    "natural logarithms were mixed with powers of ten": {"log": np.log},
    "powers of e were mixed with base-ten logarithms": {"power": np.exp},
    "1 - shrink was used: the new range is shrink times as long as the old one": {
        "length": lambda a, b, shrink: (1 - shrink) * (b - a)
    },
    "the old length was divided by shrink: multiply": {"length": lambda a, b, shrink: (b - a) / shrink},
    "the range kept its old length": {"length": lambda a, b, shrink: b - a},
    "the length is shrink itself: it is shrink times the length of the old range": {"length": lambda a, b, shrink: shrink},
    "the length was halved: c +/- half of it is a whole length": {"length": lambda a, b, shrink: shrink * (b - a) / 2},
    "the range goes by its whole length to each side: half of it is meant": {
        "length": lambda a, b, shrink: 2 * shrink * (b - a)
    },
    "the range begins a whole length below the best: half of it is meant": {"start": 1.0},
    "the range begins at the best: half of its length lies below": {"start": 0.0},
    "the exponents came back: the range is 10 to these powers": {"back": lambda low, high, first, last: (first, last)},
    "the ends are the wrong way round: (low, high)": {"back": lambda low, high, first, last: (high, low)},
}  # fmt: skip


def a_round(rng, where):
    """A range, trials in it, their scores: the best lies in the middle or near an end, neither first nor last."""
    low, high = a_range(rng)
    width = np.log10(high / low)
    shrink = float(rng.uniform(0.3, 0.45))
    at = {"middle": rng.uniform(0.4, 0.6), "low": 0.25 * shrink, "high": 1 - 0.25 * shrink}[where]
    others = np.array([0.24, 0.3, 0.36, 0.64, 0.7, 0.76]) + rng.uniform(-0.01, 0.01, 6)
    places = np.concatenate([[at], others])
    scores = np.concatenate([[0.1], rng.uniform(0.5, 2, 6)])
    order = rng.permutation(7)
    while 0 in (order[0], order[1], order[-1]) or scores[order].argmax() == scores[order].argmin() - 1:
        order = rng.permutation(7)
    return low, high, (low * 10 ** (width * places))[order], scores[order], shrink


def with_nan(rng, where):
    """A round in which the last but one trial before the best has diverged."""
    low, high, tried, scores, shrink = a_round(rng, where)
    best = int(scores.argmin())
    scores[best - 2] = np.nan
    return low, high, tried, scores, shrink


def narrow_calls(narrow, rounds, where):
    expect_calls(
        narrow,
        rounds,
        next_range,
        what=lambda low, high, tried, scores, shrink: (
            f"narrow({low:.3g}, {high:.3g}, tried, scores, {shrink:.2g}) {where}, at {tried[np.nanargmin(scores)]:.3g},"
        ),
        mistakes={
            text: lambda *given, settings=settings: next_range(*given, **settings)
            for text, settings in NARROWING.items()
        },
    )


@case("narrow: around the best in the middle")
def narrow_middle(narrow, *, rng):
    narrow_calls(narrow, [a_round(rng, "middle") for _ in range(3)], "with the best trial in the middle")


@case("narrow: a trial that diverged is not the best")
def narrow_diverged(narrow, *, rng):
    narrow_calls(
        narrow,
        [with_nan(rng, "middle") for _ in range(3)],
        "with a score that is NaN, and the best trial in the middle",
    )


@case("narrow: the best near an end of the range")
def narrow_end(narrow, *, rng):
    rounds = [a_round(rng, where) for where in ("low", "high", "low", "high")]
    narrow_calls(narrow, rounds, "with the best trial near an end")


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
    if type(got) is np.ndarray and got.ndim == 2 and got.shape[0] == k:
        short = "the remainder was dropped: the parts do not fit into one array, their sizes differ (return a list)"
        expect_true(False, f"{what} gave one array of shape {got.shape}, not a list of {k} arrays", mistake=short)
    expect_true(
        type(got) in (list, tuple),
        f"{what} gave {inspect_value(got)}, not a list of arrays",
        mistake="a return is missing"
        if got is None
        else "one array came back: a list of k arrays is asked for"
        if type(got) is np.ndarray
        else None,
    )
    expect_true(
        len(got) == k,
        f"{what} gave {len(got)} parts, expected {k}",
        mistake="the remainder became a part of its own: spread it over the k parts" if len(got) == k + 1 else None,
    )
    for j, part in enumerate(got):
        expect_true(
            type(part) is np.ndarray and part.ndim == 1 and part.dtype.kind in "iu",
            f"part {j} of {what} is {inspect_value(part)}, not an array of indices",
            mistake="each part is a pair: return only the indices that are held out"
            if type(part) in (tuple, list) and len(part) == 2
            else "the parts are lists of indices: np.array makes an array of each"
            if type(part) in (tuple, list)
            else "the indices are floats: they are whole numbers"
            if type(part) is np.ndarray and part.dtype.kind == "f"
            else "the parts are masks: indices are asked for, see np.flatnonzero"
            if type(part) is np.ndarray and part.dtype == bool
            else None,
        )
    return got, what


def remainders(rng):
    """(count, k) with every remainder that can be left."""
    k = int(rng.integers(4, 7))
    return [(k * int(rng.integers(6, 12)) + r, k) for r in rng.permutation(k)]


@case("folds: every example is held out exactly once")
def folds_cover(folds, *, rng):
    for count, k in remainders(rng):
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
        elif times.max() == 1 and (times == 0).sum() == 1:
            mistake = "one example is left out: an end of a slice is one too small"
        elif times.max() > 1 and any(np.unique(part).size < part.size for part in got):
            mistake = "indices were drawn with replacement: an example is held out once"
        elif times.max() > 1:
            mistake = "each fold was drawn on its own, so that folds overlap"
        expect_true(
            bool((times == 1).all()),
            f"in {what} {int((times == 0).sum())} examples are never held out and {int((times > 1).sum())} more than once",
            mistake=mistake,
        )


@case("folds: sizes differ by one at most")
def folds_even(folds, *, rng):
    for count, k in remainders(rng):
        got, what = checked_folds(folds, count, k, rng)
        sizes = [len(part) for part in got]
        up, down = -(-count // k), count // k
        mistake = None
        if sizes == [down] * (k - 1) + [down + count % k] or sizes == [down + count % k] + [down] * (k - 1):
            mistake = "the whole remainder went into one fold"
        elif sizes == [max(0, min(up, count - j * up)) for j in range(k)]:
            mistake = "every part but the last got count / k rounded up: too little is left for the last"
        elif min(sizes) < down - 1:
            mistake = "a number was drawn for each example, so that the sizes are left to chance"
        expect_true(
            max(sizes) - min(sizes) <= 1,
            f"the sizes of the parts of {what} go from {min(sizes)} to {max(sizes)}",
            mistake=mistake,
        )


@case("folds: random, and decided by the generator")
def folds_seeded(folds, *, rng):
    count, k = 4 * int(rng.integers(50, 60)) + int(rng.integers(1, 4)), 4
    got, what = checked_folds(folds, count, k, rng)
    part_of = np.zeros(count, int)
    for j, part in enumerate(got):
        part_of[part[(part >= 0) & (part < count)]] = j
    share = float((np.diff(part_of) == 0).mean())
    expect_true(
        0.07 < share < 0.42,  # 1/k, give or take six standard deviations
        f"in {what} the share {share:.2f} of neighbours (i, i + 1) is in the same part, expected about {1 / k:.2f}",
        mistake=(
            "the examples for training were returned, not those held out"
            if sum(map(len, got)) == (k - 1) * count
            else "the examples were not put in random order"
        ),
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


def accuracies(x_learn, y_learn, x, y, pairs):
    """Accuracy on x, y of the model that was learnt from x_learn, y_learn, for each pair of features; (pairs,)."""
    means = np.stack([x_learn[y_learn == c].mean(axis=0) for c in (0, 1)])
    squares = (x[:, None] - means) ** 2  # (N, class, feature)
    i, j = np.array(pairs).T
    return ((squares[:, :, i] + squares[:, :, j]).argmin(axis=1) == y[:, None]).mean(axis=0)


def searched(train, validation, test, pairs, *, learn="train", choose="validation", refit=None, measure="test", last=False,
             lowest=False, back=None):  # fmt: skip
    """(index, accuracy) of the search, and what comes of it when a part is changed."""
    parts = {"train": train, "validation": validation, "test": test}

    def joined(names):
        return tuple(np.concatenate([parts[name][i] for name in names.split("+")]) for i in (0, 1))

    found = sum(accuracies(*joined(learn), *parts[name], pairs) for name in choose.split("+")) / len(choose.split("+"))
    found = -found if lowest else found
    best = len(found) - 1 - int(found[::-1].argmax()) if last else int(found.argmax())
    final = joined(refit or learn)
    if measure == "best":
        value = accuracies(*final, *test, pairs).max()
    else:
        value = np.mean([accuracies(*final, *parts[name], [pairs[best]])[0] for name in measure.split("+")])
    return (best, float(value)) if back is None else back(best, float(value))


SEARCHES = {
    "the pair was chosen on the test set": {"choose": "test"},
    "the pair was chosen on the training set": {"choose": "train"},
    "the pair was chosen on validation and test set together": {"choose": "validation+test"},
    "the pair was chosen on training and validation set together": {"choose": "train+validation"},
    "the validation accuracy of the choice was returned, not its test accuracy": {"measure": "validation"},
    "the training accuracy of the choice was returned, not its test accuracy": {"measure": "train"},
    "the mean of validation and test accuracy was returned": {"measure": "validation+test"},
    "the best test accuracy of all pairs was returned, not that of the chosen one": {"measure": "best"},
    "the models were learnt from the validation set too": {"learn": "train+validation"},
    "the models were learnt from the validation set: learn from the training set, choose on the validation set": {
        "learn": "validation"
    },
    "the models were learnt from the test set": {"learn": "test"},
    "the models were learnt from all the data": {"learn": "train+validation+test"},
    "the chosen model was learnt again, from training and validation set: the test is for the one learnt from the training set": {
        "refit": "train+validation"
    },
    "the chosen model was learnt again from the test set": {"refit": "test"},
    "the chosen model was learnt again from the validation set": {"refit": "validation"},
    "the last of several equally good pairs was taken, not the first": {"last": True},
    "the pair with the lowest accuracy was chosen": {"lowest": True},
    "the results come in the wrong order: (index, accuracy) is asked for": {"back": lambda best, value: (value, best)},
    "only the accuracy came back": {"back": lambda best, value: value},
    "only the index came back": {"back": lambda best, value: best},
}


def a_task(rng):
    """Parts and pairs for which the usual mistakes give another answer."""
    pairs = [[i, j] for i in range(7) for j in range(i)]
    while True:
        parts = []
        for n in (40, 31, 33):
            parts.append((rng.standard_normal((n, 7)), rng.permutation(np.arange(n) % 2)))
        right = searched(*parts, pairs)
        if searched(*parts, pairs, last=True) == right:  # most draws end here
            continue
        wrong = [searched(*parts, pairs, **SEARCHES[name]) for name in list(SEARCHES)[:17]]
        if right not in wrong and wrong.count(wrong[15]) == 1:  # ties make the last of equal pairs coincide with much
            return (*parts, pairs)


@case("honest_search: chosen on the validation set, measured on the test set", points=3)
def chosen_honestly(honest_search, *, rng):
    expect_calls(
        honest_search,
        [a_task(rng), a_task(rng)],
        searched,
        what=lambda *task: "honest_search(train, validation, test, pairs)",
        mistakes={
            text: lambda *task, settings=settings: searched(*task, **settings) for text, settings in SEARCHES.items()
        },
    )


@case("honest_search: other test examples do not change the choice")
def choice_ignores_test(honest_search, *, rng):
    for _ in range(3):
        one_choice(honest_search, rng)


def one_choice(honest_search, rng):
    train, validation, test, pairs = a_task(rng)
    right = searched(train, validation, test, pairs)
    x, y = test
    chosen = []
    for other in (test, (x, 1 - y), (rng.standard_normal(x.shape), rng.permutation(y))):
        got = honest_search(train, validation, other, pairs)
        expect_true(
            type(got) in (tuple, list) and len(got) == 2,
            f"honest_search gave {inspect_value(got)}, not a pair",
            mistake="a return is missing" if got is None else None,
        )
        chosen.append(got[0])
    expect_true(
        all(np.array_equal(index, chosen[0]) for index in chosen),
        f"honest_search chose the pairs {', '.join(map(inspect_value, chosen))} for the same training and validation set",
        mistake="the test set decides which pair is chosen: another test set changes the choice",
    )
    expect_equal(chosen[0], right[0], what="the index that honest_search chooses")


@case("honest_search: other test examples do not change the choice, other inputs", hidden=True)
def choice_ignores_test_again(honest_search, *, rng):
    choice_ignores_test(honest_search, rng=rng)


Q5 = question(
    "10.5",
    title="Successive halving",
    minutes=15,
    hints=[
        "Keep an array `left` of the indices that still train, and go from look to look in a `while` loop.",
        "After `epochs` epochs the losses are `curves[left, epochs - 1]`.",
        "Half of n, rounded up, is `(n + 1) // 2`. `np.argsort` puts NaN last.",
        "Between two looks each setting that is left trains for the difference of their epochs, not for all of them again.",
    ],
)


def halved(curves, first, *, column=-1, final=False, down=False, anew=False, worst=False, one_too_few=False, triple=2,
           last_look=True, stop=1, back=None, nan=np.inf, fixed=False, place=False):  # fmt: skip
    """(winner, epochs) of successive halving, and what comes of it when a part is changed."""
    left, epochs, spent, before, counts = np.arange(len(curves)), first, 0, 0, 0
    while True:
        spent += len(left) * (epochs - (0 if anew else before))
        at = curves[left, -1] if final else curves[left, min(epochs + column, curves.shape[1] - 1)]
        at = np.where(np.isnan(at), nan, at)
        order = np.argsort(-at if worst else at, kind="stable")
        keep = len(left) // 2 if down else (len(left) + 1) // 2
        left, before, counts = left[order[: max(keep, 1)]], epochs, counts + 1
        epochs = epochs + first if fixed else triple * epochs
        if len(left) <= stop or epochs > curves.shape[1] - (not last_look):
            winner = int((order if place else left)[0])
            return (winner, int(spent)) if back is None else back(winner, int(spent), counts, before)


HALVING = {
    "the losses of the last epoch decide: a setting that is stopped never gets there": {"final": True},
    "the look comes one epoch late: after e epochs the loss is in column e - 1": {"column": 0},
    "half of an odd number was rounded down: it is rounded up": {"down": True},
    "each look counts all epochs from the first again: a setting goes on from where it was": {"anew": True},
    "the worse half was kept": {"worst": True},
    "a NaN counts as the lowest loss: it is the worst": {"nan": -np.inf},
    "the looks come every `first` epochs: each comes after twice as many epochs as the one before": {"fixed": True},
    "the search ends one look too early: a look after the very last epoch still counts": {"last_look": False},
    "the search ends with two left": {"stop": 2},
    "the place among those that were left came back, not the number of the setting": {"place": True},
    "the place in the sorted half came back, not the number of the setting": {"back": lambda w, s, n, e: (0, s)},
    "the results come in the wrong order: (winner, epochs) is asked for": {"back": lambda w, s, n, e: (s, w)},
    "the epochs of the winner were counted: those of all settings are asked for": {"back": lambda w, s, n, e: (w, e)},
    "the looks were counted, not the epochs": {"back": lambda w, s, n, e: (w, n)},
    "only the winner came back: the epochs are asked for too": {"back": lambda w, s, n, e: w},
}


def look_epochs(curves, first):
    """What every setting would have cost at full length, for the message."""
    return f"halving(curves, first={first}) of {len(curves)} settings and {curves.shape[1]} epochs"


def halving_calls(halving, inputs, extra=None):
    mistakes = {text: lambda c, f, settings=settings: halved(c, f, **settings) for text, settings in HALVING.items()}
    mistakes["all settings were counted to the last epoch: those that stop cost no more"] = lambda c, f: (
        halved(c, f)[0],
        int(c.size),
    )
    mistakes["the setting with the lowest loss at the end was chosen: the search never sees it"] = lambda c, f: (
        int(np.nanargmin(c[:, -1])),
        halved(c, f)[1],
    )
    expect_calls(halving, inputs, halved, what=look_epochs, mistakes=mistakes | (extra or {}))


def crossing(rng, settings, epochs):
    """Curves that cross all the time, so that every epoch has another order."""
    return rng.uniform(0.5, 2, (settings, epochs)) + np.linspace(1, 0, epochs)


@case("halving: the winner, and the epochs that it took", points=2)
def halving_finds(halving, *, rng):
    inputs = []
    for settings, looks in ((int(rng.integers(9, 12)), 6), (int(rng.choice([13, 15])), 6), (7, 5)):
        first = int(rng.integers(2, 4))
        curves = crossing(rng, settings, first * 2**looks + int(rng.integers(1, first)))
        while halved(curves, first)[0] == 0:  # the place 0 is no number of a winner
            curves = np.roll(curves, 1, axis=0)
        inputs.append((curves, first))
    halving_calls(halving, inputs)


@case("halving: the curves end first")
def halving_ends(halving, *, rng):
    first = int(rng.integers(2, 4))
    # the last look after the very last epoch, and one epoch too late for a further one
    inputs = [
        (crossing(rng, 21, 4 * first), first),
        (crossing(rng, 27, 4 * first - 1), first),
        (crossing(rng, 19, first), first),
    ]
    # several, as the lowest loss at the end belongs to the winner now and then
    for settings in (22, 25, 29):
        inputs += [(crossing(rng, settings, 4 * first - late), first) for late in (0, 1)]
    halving_calls(halving, inputs)


@case("halving: runs that diverge, and losses that were never trained")
def halving_nan(halving, *, rng):
    inputs = []
    for settings in (11, 14):
        first = int(rng.integers(2, 4))
        curves = crossing(rng, settings, 16 * first)
        winner, _ = halved(curves, first)
        curves[(winner + int(rng.integers(1, settings))) % settings, int(rng.integers(0, first)) :] = np.nan
        inputs.append((curves, first))
    inputs.append((crossing(rng, 12, 16), 1))
    halving_calls(halving, inputs)


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


def _halving(look="curves[left, epochs - 1]", half="(len(left) + 1) // 2", cost="epochs - before", back="int(left[0]), spent",
             order="np.argsort(at)", following="2 * epochs"):  # fmt: skip
    return f"""
def halving(curves, first):
    left, epochs, spent, before = np.arange(len(curves)), first, 0, 0
    while True:
        spent += len(left) * ({cost})
        at = {look}
        left = left[{order}[: {half}]]
        before, epochs = epochs, {following}
        if len(left) == 1 or epochs > curves.shape[1]:
            return {back}
"""


SENTENCES = {  # of the task, and the cases that test it
    "10.1": {
        "Draw the exponent in place of the number": [
            "log_uniform: shape, and inside the range",
            "log_uniform: every factor of ten is as likely as any other",
            "log_uniform draws from the generator that it is given",
        ],
    },
    "10.2": {
        "The new range goes from $c - \\ell/2$ to $c + \\ell/2$.": ["narrow: around the best in the middle"],
        "A trial that diverged has the score NaN, and must not become the best.": [
            "narrow: a trial that diverged is not the best"
        ],
        "then move it inside, at its full length": ["narrow: the best near an end of the range"],
    },
    "10.3": {
        "every index from 0 to `count - 1` is in exactly one of them": [
            "folds: every example is held out exactly once"
        ],
        "their sizes differ by 1 at most, also when `k` does not divide `count`": [
            "folds: sizes differ by one at most"
        ],
        "which index goes where is random, and decided by `rng`": ["folds: random, and decided by the generator"],
    },
    "10.4": {
        "the index of the pair with the highest accuracy on the **validation** set": [
            "honest_search: chosen on the validation set, measured on the test set",
            "honest_search: other test examples do not change the choice",
        ],
        "(the first of them if several are equal)": [
            "honest_search: chosen on the validation set, measured on the test set"
        ],
        "each model learnt from the training set": [
            "honest_search: chosen on the validation set, measured on the test set"
        ],
        "the accuracy on the test set of that one model": [
            "honest_search: chosen on the validation set, measured on the test set"
        ],
    },
    "10.5": {
        "The first look is after `first` epochs, each further look after twice as many epochs as the one before.": [
            "halving: the winner, and the epochs that it took"
        ],
        "goes on, rounded up": ["halving: the winner, and the epochs that it took"],
        "a NaN is worse than any loss": ["halving: runs that diverge, and losses that were never trained"],
        "The search ends when one setting is left, or when the next look would come after epoch E.": [
            "halving: the winner, and the epochs that it took",
            "halving: the curves end first",
        ],
        "of several that are left the one with the lowest loss at the last look": ["halving: the curves end first"],
        "the number of epochs that were trained, all settings added up": [
            "halving: the winner, and the epochs that it took"
        ],
        "`curves` still has them, so take care not to use them.": ["halving: the winner, and the epochs that it took"],
    },
}

WRONG = [
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return 10.0 ** rng.integers(np.log10(low), np.log10(high), count)",
        "only a few exponents were drawn",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return 10 ** rng.uniform(low, high, count)",
        "themselves were used as exponents",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n"
        "    return 10 ** rng.permutation(np.linspace(np.log10(low), np.log10(high), count))",
        "the exponents are evenly spaced",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    return high * 10 ** (-3 * rng.random(count))",
        "low is not used",
    ),
    Wrong(
        "10.1",
        "def log_uniform(rng, low, high, count):\n    a, b = np.log10(low), np.log10(high)\n"
        "    return 10 ** rng.normal((a + b) / 2, (b - a) / 6, count)",
        "normal exponents were drawn",
    ),
    Wrong("10.2", _narrow(best="np.nanmin(scores)"), "the lowest score was used as the setting"),
    Wrong("10.2", _narrow(best="np.nanargmin(scores)"), "the index of the best was used"),
    Wrong("10.2", _narrow(best="tried[np.argmin(scores[~np.isnan(scores)])]"), "no longer belong together"),
    Wrong("10.2", _narrow(start=MOVED.replace("length / 2", "length")), "a whole length below the best"),
    Wrong("10.2", _narrow().replace("10**start, 10**end", "start, end"), "the exponents came back"),
    Wrong("10.2", _narrow(start="start = max(c - length / 2, a); end = start + length"), "at its lower end only"),
    Wrong(
        "10.2", _narrow(start="start = min(c - length / 2, b - length); end = start + length"), "at its upper end only"
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    order, n = rng.permutation(count), -(-count // k)\n"
        "    return [order[j * n : (j + 1) * n] for j in range(k)]",
        "too little is left for the last",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    order, n = rng.permutation(count), count // k\n"
        "    return [order[j : j + n] for j in range(0, count, n)]",
        "the remainder became a part of its own",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    return np.array_split(np.roll(np.arange(count), rng.integers(count)), k)",
        "not put in random order",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    order, n = rng.permutation(count), count // k\n"
        "    return np.array([order[j * n : (j + 1) * n] for j in range(k)])",
        "the remainder was dropped",
    ),
    Wrong(
        "10.3",
        "def folds(rng, count, k):\n    return [list(part) for part in np.array_split(rng.permutation(count), k)]",
        "lists of indices",
    ),
    Wrong("10.4", _search(fitted="x_val[:, p], y_val"), "learnt from the validation set: learn from the training set"),
    Wrong(
        "10.4",
        _search(returned="accuracy(fit(x_both[:, pairs[best]], y_both), x_test[:, pairs[best]], y_test)"),
        "the chosen model was learnt again",
    ),
    Wrong(
        "10.4",
        _search().replace(
            "found = [accuracy(model, x_val[:, p], y_val)",
            "found = [accuracy(model, x_val[:, p], y_val) + accuracy(model, x_test[:, p], y_test)",
        ),
        "on validation and test set together",
    ),
    Wrong("10.4", _search(choose="int(np.argmin(found))"), "with the lowest accuracy"),
    Wrong("10.5", _halving(look="curves[left, -1]"), "the losses of the last epoch decide"),
    Wrong("10.5", _halving(look="curves[left, min(epochs, curves.shape[1] - 1)]"), "the look comes one epoch late"),
    Wrong("10.5", _halving(half="max(len(left) // 2, 1)"), "was rounded down"),
    Wrong("10.5", _halving(cost="epochs"), "all epochs from the first again"),
    Wrong("10.5", _halving(order="np.argsort(-at)"), "the worse half was kept"),
    Wrong("10.5", _halving(look="np.nan_to_num(curves[left, epochs - 1], nan=-np.inf)"), "a NaN counts as the lowest"),
    Wrong("10.5", _halving(following="epochs + first"), "every `first` epochs"),
    Wrong("10.5", _halving(back="int(np.argsort(at)[0]), spent"), "the place among those that were left"),
    Wrong("10.5", _halving(back="0, spent"), "the place in the sorted half"),
    Wrong("10.5", _halving(back="spent, int(left[0])"), "(winner, epochs) is asked for"),
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
    Wrong("10.2", _narrow(length="(1 - shrink) * (b - a)"), "1 - shrink was used"),
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
    Right("10.5", _halving()),
    Right(
        "10.5",
        """
def halving(curves, first):
    alive = list(range(curves.shape[0]))
    trained = [0] * len(alive)
    look = first
    while look <= curves.shape[1]:
        for i in alive:
            trained[i] = look
        losses = {i: curves[i][look - 1] for i in alive}
        alive.sort(key=lambda i: (np.isnan(losses[i]), losses[i]))
        alive = alive[: int(np.ceil(len(alive) / 2))]
        if len(alive) == 1:
            break
        look *= 2
    return alive[0], sum(trained)
""",
    ),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "10.5": {
        "np.argsort puts NaN last": [
            "np.nan_to_num is missing in order",
        ],
        "only the length counts": [
            "order was used where left is meant, in left",
        ],
        "it is positive": [
            "the absolute value was compared: np.abs(epochs)",
        ],
    },
}
