"""Cases of exercise sheet 11, watching training."""

import numpy as np

from coursekit.experiments import clinic
from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import Different, expect_equal, expect_seeded, expect_shape, expect_true, inspect_value
from coursekit.grading.several import expect_calls, expect_results

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
    return np.sqrt((array**2).sum())


def some_zeros(params, rng):
    """The same arrays with a zero in each, and b1 all zero: only b1 has no ratio."""
    old = {name: w.copy() for name, w in params.items()}
    for w in old.values():
        w.flat[int(rng.integers(w.size))] = 0.0
    old["b1"] = np.zeros_like(old["b1"])
    new = stepped(old, rng)
    new["w2"] = np.zeros_like(new["w2"])  # all zero after the step: its ratio is 1
    return old, new


def ratios_by(function):
    """{name: ratio} by `function(step, old, new)` for each array that is not all zero."""
    return lambda old, new: {n: function(new[n] - w, w, new[n]) for n, w in old.items() if np.any(w)}


def first_two(function):
    """A function of two-dimensional arrays, for arrays of any shape: the others are flattened."""
    return lambda a: function(a) if a.ndim == 2 else float(np.linalg.norm(a))


right_ratios = ratios_by(lambda d, a, b: norm(d) / norm(a))
RATIO_MISTAKES = {
    "the step was divided by the new array, not by the old one": ratios_by(lambda d, a, b: norm(d) / norm(b)),
    "the norms were subtracted: the norm of the step is wanted, not the difference of the norms": ratios_by(
        lambda d, a, b: (norm(b) - norm(a)) / norm(a)
    ),
    "the norms were subtracted: the norm of the step is wanted, not their absolute difference": ratios_by(
        lambda d, a, b: abs(norm(b) - norm(a)) / norm(a)
    ),
    "the square roots are missing": ratios_by(lambda d, a, b: norm(d) ** 2 / norm(a) ** 2),
    "the square root of the old array's norm is missing": ratios_by(lambda d, a, b: norm(d) / norm(a) ** 2),
    "the square root of the step's norm is missing": ratios_by(lambda d, a, b: norm(d) ** 2 / norm(a)),
    "the norm of the new array was taken in place of the step's": ratios_by(lambda d, a, b: norm(b) / norm(a)),
    "the step was not divided by anything": ratios_by(lambda d, a, b: norm(d)),
    "the ratio is upside down": ratios_by(lambda d, a, b: norm(a) / norm(d)),
    "absolute values were averaged: the norm is the root of the sum of squares": ratios_by(
        lambda d, a, b: float(np.abs(d).mean() / np.abs(a).mean())
    ),
    "the ratio of each entry was taken, and their mean: norms first, and one ratio": ratios_by(
        lambda d, a, b: float(np.abs(d / a).mean())
    ),
    "the ratio of each entry was taken: the norm is that of all entries together": ratios_by(lambda d, a, b: d / a),
    "the ratio of each entry was taken, without its sign: the norm is that of all entries together": ratios_by(
        lambda d, a, b: np.abs(d / a)
    ),
    "the largest entries were compared, not the norms": ratios_by(lambda d, a, b: float(np.abs(d).max() / np.abs(a).max())),
    "standard deviations were compared, not the norms": ratios_by(lambda d, a, b: float(d.std() / a.std())),
    "the sums were compared, not the norms": ratios_by(lambda d, a, b: float(d.sum() / a.sum())),
    "sums of absolute values were compared: the norm is the root of the sum of squares": ratios_by(
        lambda d, a, b: float(np.abs(d).sum() / np.abs(a).sum()) * 1.0000001
    ),
    "zero arrays are not left out": lambda old, new: {
        n: (norm(new[n] - w) / norm(w) if np.any(w) else np.inf) for n, w in old.items()
    },
    "an array was left out because one of its entries is 0 (w.all() asks for that; w.any() is meant)": lambda old, new: {
        n: r for n, r in right_ratios(old, new).items() if old[n].all()
    },
    "the arrays that are all zero after the step were left out: it is about before": lambda old, new: {
        n: r for n, r in right_ratios(old, new).items() if np.any(new[n])
    },
    "the biases were left out, whatever their values": lambda old, new: {
        n: r for n, r in right_ratios(old, new).items() if not n.startswith("b")
    },
    "a list came back: a dict is asked for, {name: ratio}": lambda old, new: list(right_ratios(old, new).values()),
}  # fmt: skip


def ratio_calls(update_ratios, inputs, what):
    with np.errstate(all="ignore"):
        mistakes = {
            text: lambda old, new, wrong=wrong: quietly(wrong, old, new) for text, wrong in RATIO_MISTAKES.items()
        }
        expect_calls(
            lambda old, new: update_ratios(dict(old), dict(new)), inputs, right_ratios, what=lambda old, new: what,
            mistakes=mistakes,
        )  # fmt: skip


def quietly(function, *given):
    with np.errstate(all="ignore"):
        return function(*given)


@case("update_ratios: every array, whatever its shape")
def ratios(update_ratios, *, rng):
    old = some_params(rng)
    ratio_calls(update_ratios, [(old, stepped(old, rng))], "update_ratios(old, new)")


@case("update_ratios: arrays that are all zero are left out, and no others")
def ratios_of_zeros(update_ratios, *, rng):
    old, new = some_zeros(some_params(rng), rng)
    with np.errstate(all="ignore"):
        got = update_ratios(dict(old), dict(new))
    expect_true(
        type(got) is not dict or "b1" not in got,
        "b1 is all zero before the step, so it has no ratio, but update_ratios(old, new) has one for it",
        mistake="zero arrays are not left out",
    )
    ratio_calls(update_ratios, [(old, new)], "update_ratios(old, new) with one zero in each array, and b1 all zero,")


@case("gradient_norm: all arrays together")
def whole_norm(gradient_norm, *, rng):
    grads = some_params(rng)
    sizes = [norm(g) for g in grads.values()]
    flat = np.concatenate([g.ravel() for g in grads.values()])
    expect_equal(
        gradient_norm(dict(grads)),
        float(np.sqrt(sum(s**2 for s in sizes))),
        what="gradient_norm(grads)",
        mistakes={
            "the norms were added: add the squares and take the root once": sum(sizes),
            "the largest norm was returned": max(sizes),
            "the square root is missing": sum(s**2 for s in sizes),
            "the mean of the norms was returned": sum(sizes) / len(sizes),
            "each array has a norm of its own: one for all together is asked for": dict(zip(grads, sizes, strict=True)),
            "each array has a norm of its own, in a list: one for all together is asked for": sizes,
            "the entries were summed before they were squared": float(np.sqrt(sum(g.sum() ** 2 for g in grads.values()))),
            "the entries were summed, without squares": float(flat.sum()),
            "absolute values were summed, not squares": float(np.abs(flat).sum()),
            "a mean of the squares was taken, not their sum": float(np.sqrt((flat**2).mean())),
            "the means of the squares of the arrays were added, not their sums": float(
                np.sqrt(sum((g**2).mean() for g in grads.values()))
            ),
            "the sum was divided by the number of arrays": float(np.sqrt(sum(s**2 for s in sizes) / len(sizes))),
            "only the last array counts: squares are added up over all": sizes[-1],
            "only the first array counts: squares are added up over all (the return stands in the loop?)": sizes[0],
            "the largest entry was returned": float(np.abs(flat).max()),
        },
    )  # fmt: skip


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
    if type(got) is not str or got not in NAMES:
        near = [name for name in NAMES if type(got) is str and got.strip().lower().replace("_", " ") == name]
        expect_true(
            False,
            f"{what} gave {repr(got)[:40] if type(got) is str else inspect_value(got)}, not one of the five names",
            mistake="a return is missing"
            if got is None
            else f'the name is spelt "{near[0]}" in the table'
            if near
            else "several names came back in a list: return the first that fits"
            if type(got) in (list, tuple)
            else None,
        )
    if got != want:
        facts = [("run", what.strip(" ,")), ("came", got), ("expected", want)]
        raise Different("diagnose gave the wrong name", facts, (mistakes or {}).get(got))


def run_of(cause, rng):
    """Losses of one of the four recorded runs of this cause."""
    cases = [i for i, index in enumerate(clinic.ORDER, 1) if clinic.SETUPS[index].cause == cause]
    result = clinic.recorded(int(rng.choice(cases)))
    return result["loss"], result["val_loss"], result["case"]


@case("recorded runs")
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


@case("recorded runs, other inputs", hidden=True)
def recorded_again(diagnose, *, rng):
    recorded(diagnose, rng=rng)


def falling(rng, start, end, steps):
    """A falling loss with a little noise."""
    path = end + (start - end) * np.exp(-5 * np.arange(steps) / steps)
    return path * rng.uniform(0.99, 1.01, steps)


RULES = ("diverged", "first loss too high", "stands still", "overfitting")


def reading(
    loss, val_loss, classes, *, guess=np.log, order=RULES, diverged=lambda loss, val: not np.isfinite(loss).all(),
    first=lambda loss, g: loss[0] > 1.5 * g, last=lambda loss: loss[-(len(loss) // 10) :].mean(), near=0.02, far=None, turned=lambda loss, val: val[-1] > 1.1 * val.min(),
):  # fmt: skip
    """The name that fits first, and what comes of it when a rule is changed."""
    g = guess(classes)
    with np.errstate(all="ignore"):
        found = {
            "diverged": diverged(loss, val_loss),
            "first loss too high": first(loss, g),
            "stands still": (far or (lambda m, g, loss: abs(m - g) < near * g))(last(loss), g, loss),
            "overfitting": turned(loss, val_loss),
        }
    return next((name for name in order if found[name]), "fine")


def swapped(one, other):
    order = list(RULES)
    i, j = order.index(one), order.index(other)
    order[i], order[j] = other, one
    return {"order": order}


READINGS = {
    "ln 10 was used, not ln of the number of classes": {"guess": lambda classes: np.log(10)},
    "the logarithm to base 10 was used: np.log is ln": {"guess": np.log10},
    "the logarithm to base 2 was used: np.log is ln": {"guess": np.log2},
    "the number of classes itself was used, not its logarithm": {"guess": float},
    "1 / C was used, not ln C": {"guess": lambda classes: 1 / classes},
    "overfitting was looked for before standing still: the table goes from top to bottom": swapped("stands still", "overfitting"),
    "standing still was looked for before the first loss: the table goes from top to bottom": swapped(
        "first loss too high", "stands still"
    ),
    "overfitting was looked for before the first loss: the table goes from top to bottom": {
        "order": ["diverged", "overfitting", "first loss too high", "stands still"]
    },
    "losses that are not finite must be looked for first": {
        "order": ["first loss too high", "diverged", "stands still", "overfitting"]
    },
    "losses that are not finite are looked for last: the table goes from top to bottom": {
        "order": ["first loss too high", "stands still", "overfitting", "diverged"]
    },
    "the table was gone through from bottom to top": {"order": RULES[::-1]},
    "only NaN was looked for: infinite losses have diverged too": {"diverged": lambda loss, val: np.isnan(loss).any()},
    "only infinity was looked for: NaN has diverged too": {"diverged": lambda loss, val: np.isinf(loss).any()},
    "only the last loss was looked at for what is not finite": {"diverged": lambda loss, val: not np.isfinite(loss[-1])},
    "all losses must be NaN for that: one that is not finite is enough": {"diverged": lambda loss, val: not np.isfinite(loss).any()},
    "the validation losses were looked at for what is not finite: the training losses count": {
        "diverged": lambda loss, val: not np.isfinite(val).all()
    },
    "a validation loss that is not finite was called divergence: the training losses count": {
        "diverged": lambda loss, val: not (np.isfinite(loss).all() and np.isfinite(val).all())
    },
    "the largest loss was taken, not the first": {"first": lambda loss, g: loss.max() > 1.5 * g},
    "the first losses were averaged: the very first is meant": {"first": lambda loss, g: loss[:10].mean() > 1.5 * g},
    "the first losses (a tenth of them) were averaged: the very first is meant": {
        "first": lambda loss, g: loss[: len(loss) // 10].mean() > 1.5 * g
    },
    "all losses were averaged: the very first is meant": {"first": lambda loss, g: loss.mean() > 1.5 * g},
    "the last loss was taken, not the first": {"first": lambda loss, g: loss[-1] > 1.5 * g},
    "the limit of the first loss is below 1.5 times ln C": {"first": lambda loss, g: loss[0] > 1.25 * g},
    "the limit of the first loss is ln C: it is 1.5 times that": {"first": lambda loss, g: loss[0] > g},
    "the limit of the first loss is above 1.5 times ln C": {"first": lambda loss, g: loss[0] > 1.75 * g},
    "1.5 was added to ln C: it is a factor": {"first": lambda loss, g: loss[0] > 1.5 + g},
    "the first loss was never looked at": {"first": lambda loss, g: False},
    "the last loss alone was looked at, not the mean of the last tenth": {"last": lambda loss: loss[-1]},
    "the last ten losses were averaged, not the last tenth": {"last": lambda loss: loss[-10:].mean()},
    "the last half of the losses was averaged, not the last tenth": {"last": lambda loss: loss[len(loss) // 2 :].mean()},
    "all losses were averaged, not the last tenth": {"last": np.mean},
    "the first tenth of the losses was averaged, not the last": {"last": lambda loss: loss[: len(loss) // 10].mean()},
    "all but the first tenth of the losses were averaged (a sign in the slice), not the last tenth": {
        "last": lambda loss: loss[len(loss) // 10 :].mean()
    },
    "the median of the last tenth was taken, not the mean": {"last": lambda loss: np.median(loss[-(len(loss) // 10) :])},
    "standing still allows less than 2 %": {"near": 0.012},
    "standing still allows more than 2 %": {"near": 0.035},
    "standing still allows a little less than 2 %": {"near": 0.0175},
    "standing still allows a little more than 2 %": {"near": 0.025},
    "2 % of the mean were allowed: 2 % of ln C are meant": {"far": lambda m, g, loss: abs(m - g) < 0.02 * m},
    "standing still allows 10 %: it is 2 %": {"near": 0.1},
    "0.02 was taken for nats: it is 2 % of ln C": {"far": lambda m, g, loss: abs(m - g) < 0.02},
    "losses below ln C only were called standing still: within 2 % is on both sides": {
        "far": lambda m, g, loss: g * 0.98 < m < g
    },
    "losses above ln C only were called standing still: within 2 % is on both sides": {
        "far": lambda m, g, loss: g < m < 1.02 * g
    },
    "whatever is above 0.98 ln C was called standing still: within 2 % is on both sides": {
        "far": lambda m, g, loss: m > 0.98 * g
    },
    "whatever is below 1.02 ln C was called standing still: within 2 % is on both sides": {
        "far": lambda m, g, loss: m < 1.02 * g
    },
    "the last losses were compared with the first loss: standing still is meant at ln C": {
        "far": lambda m, g, loss: abs(m - loss[0]) < 0.02 * loss[0]
    },
    "the last losses were compared with those before: standing still is meant at ln C, not at any value": {
        "far": lambda m, g, loss: abs(m - loss[-2 * (len(loss) // 10) : -(len(loss) // 10)].mean()) < 0.02 * g
    },
    "standing still was never looked for": {"far": lambda m, g, loss: False},
    "the factor 1.1 is missing: any rise was called overfitting": {"turned": lambda loss, val: val[-1] > val.min()},
    "the factor of the lowest validation loss is below 1.1": {"turned": lambda loss, val: val[-1] > 1.05 * val.min()},
    "the factor of the lowest validation loss is above 1.1": {"turned": lambda loss, val: val[-1] > 1.15 * val.min()},
    "0.1 was added to the lowest validation loss: 1.1 is a factor": {"turned": lambda loss, val: val[-1] > val.min() + 0.1},
    "the last validation loss was compared with the first one, not with the lowest": {
        "turned": lambda loss, val: val[-1] > 1.1 * val[0]
    },
    "the last validation loss was compared with the one before, not with the lowest": {
        "turned": lambda loss, val: val[-1] > 1.1 * val[-2]
    },
    "the last validation loss was compared with the training loss, not with its own lowest": {
        "turned": lambda loss, val: val[-1] > 1.1 * loss[-1]
    },
    "the last validation loss was compared with the lowest training loss, not with its own lowest": {
        "turned": lambda loss, val: val[-1] > 1.1 * loss.min()
    },
    "the largest validation loss was compared, not the last": {"turned": lambda loss, val: val.max() > 1.1 * val.min()},
    "the training losses were looked at for overfitting": {"turned": lambda loss, val: loss[-1] > 1.1 * loss.min()},
    "overfitting was never looked for": {"turned": lambda loss, val: False},
}  # fmt: skip


def curves_of(rng, classes):
    """{what: (loss, val_loss)}: each rule just within and just beyond its limit, and rules that are true at once."""
    guess = np.log(classes)
    steps = 10 * int(rng.integers(12, 18))
    tenth = steps // 10
    healthy = falling(rng, guess, 0.2 * guess, steps)
    val = falling(rng, guess, 0.3 * guess, 12)
    val[-1] = 0.98 * val.min()  # whether the last is the lowest must not hang on the draw
    rising = np.array([1.0, 0.8, 0.6, 0.55, 0.57, 0.60, 0.62]) * guess  # 1.127 times the lowest
    level = np.full(9, guess)

    def changed(loss, place, factor):
        loss = loss.copy()
        loss[place] = factor * guess if np.isfinite(factor) else factor
        return loss

    def ends_at(factor, before=0.5, shape=None):
        """A loss whose last tenth has this mean, in units of ln C, with the losses before at another level."""
        loss = np.full(steps, before * guess) * rng.uniform(0.97, 1.03, steps)
        loss[0] = guess
        half = rng.uniform(0.15, 0.25, tenth // 2)  # mean and median agree, the last ten and the very last lie lower
        last = np.concatenate([half, [0.0] * (tenth % 2), -half[::-1]]) if shape is None else shape(tenth)
        loss[-tenth:] = (factor + last - last.mean()) * guess
        return loss

    def skewed(n):  # one loss far above the others: mean and median differ
        return np.where(np.arange(n) == n // 2, 1.0, 0.0)

    def rest(n):  # the last loss far from the mean
        return np.where(np.arange(n) == n - 1, -0.5, 0.0)

    return {
        "a falling loss": (healthy, val),
        "a first loss of 1.6 times ln C": (changed(healthy, 0, 1.6), val),
        "a first loss of 1.4 times ln C": (changed(healthy, 0, 1.4), val),
        "a fourth loss of 2 times ln C": (changed(healthy, 3, 2.0), val),
        "early losses of 3 times ln C after a first one of ln C": (changed(healthy, slice(1, 9), 3.0), val),
        "a last tenth at 1.0195 ln C": (ends_at(1.0195), level),
        "a last tenth at 0.9803 ln C": (ends_at(0.9803), level),
        "a last tenth at 1.0203 ln C": (ends_at(1.0203), level),
        "a last tenth at 1.016 ln C": (ends_at(1.016), level),
        "a last tenth at 0.984 ln C": (ends_at(0.984), level),
        "a last tenth at 1.008 ln C": (ends_at(1.008), level),
        "a last tenth at 0.94 ln C": (ends_at(0.94), level),
        "a last tenth at 1.06 ln C": (ends_at(1.06), level),
        "a last tenth at 1.03 ln C": (ends_at(1.03), level),
        "a last tenth at 0.97 ln C": (ends_at(0.97), level),
        "a last tenth at ln C, and one loss in it far above": (ends_at(1.0, shape=skewed), level),
        "a last tenth at ln C, and the very last loss far below": (ends_at(1.0, shape=rest), level),
        "a last tenth at 1.3 ln C": (ends_at(1.3, before=0.6), level),
        "a loss at ln C that falls in its last tenth only": (ends_at(0.3, before=1.0), level),
        "a loss that stands at 0.6 ln C": (ends_at(0.6, before=0.6), np.full(9, 0.6 * guess)),
        "a last tenth at ln C, after a first loss of 1.4 ln C": (changed(ends_at(1.0), 0, 1.4), level),
        "a validation loss that ends at 1.13 times its lowest": (healthy, rising),
        "a validation loss that ends at 1.3 times its lowest": (healthy, np.append(rising, 0.715 * guess)),
        "a validation loss that ends at twice its first, the lowest": (healthy, np.linspace(0.3, 0.6, 8) * guess),
        "a validation loss that ends at 1.07 times its lowest": (healthy, np.append(rising[:5], 0.588 * guess)),
        "a validation loss that is level, high above the training loss": (healthy, np.full(7, 0.55 * guess)),
        "a validation loss with a peak in the middle": (healthy, np.array([1.0, 0.6, 0.9, 0.62, 0.58]) * guess),
        "a training loss with a peak at its end": (changed(healthy, steps - 1, 0.9), val),
        "a validation loss with one NaN": (healthy, np.array([1.0, 0.8, np.nan, 0.5, 0.45, 0.42]) * guess),
        "one NaN in the middle of the losses": (changed(healthy, steps // 2, np.nan), val),
        "one infinite loss in the middle": (changed(healthy, steps // 3, np.inf), val),
        "a NaN, and a first loss too high": (changed(changed(healthy, 0, 2.0), steps // 2, np.nan), val),
        "an infinite last loss, and a validation loss that rises": (changed(healthy, steps - 1, np.inf), rising),
        "a first loss too high, and a last tenth at ln C": (changed(ends_at(1.0), 0, 2.0), level),
        "a first loss too high, and a validation loss that rises": (changed(healthy, 0, 2.0), rising),
        "a last tenth at ln C, and a validation loss that rises": (ends_at(1.0), rising),
    }  # fmt: skip


def reading_calls(diagnose, rng, groups):
    """Each run of the groups, for a small and a large number of classes."""
    inputs, words = [], []
    for classes in (int(rng.integers(3, 7)), int(rng.integers(40, 60))):
        for what, (loss, val_loss) in curves_of(rng, classes).items():
            inputs.append((loss, val_loss, classes))
            words.append(f"diagnose with {classes} classes, {what},")
    got = [diagnose(loss.copy(), val.copy(), classes) for loss, val, classes in inputs]
    want = [reading(*given) for given in inputs]
    wrong = [
        (came, right, what)
        for came, right, what in zip(got, want, words, strict=True)
        if any(group in what for group in groups) and not (type(came) is str and came == right)
    ]
    if not wrong:
        return
    fits = [text for text, rule in READINGS.items() if [reading(*given, **rule) for given in inputs] == got]
    for came, right, what in wrong:
        if not fits and came == "stands still" and "stands at 0.6" in what:
            named(came, right, what, {came: "standing still is meant at ln C, not at any value"})
        if not fits and came == "overfitting" and "level, high above" in what:
            named(
                came,
                right,
                what,
                {
                    came: "a gap to the training loss was taken for overfitting: the last validation loss counts against its own lowest"
                },
            )
    for came, right, what in wrong[:1]:
        named(came, right, what, {came: fits[0]} if fits and type(came) is str else None)


@case("every rule just within its limit and just beyond", points=2)
def rules(diagnose, *, rng):
    reading_calls(
        diagnose, rng, ("falling loss", "first loss of", "fourth", "early losses", "last tenth", "stands at", "rises")
    )


@case("diverged: one training loss that is not finite is enough, and no other counts")
def diverged(diagnose, *, rng):
    reading_calls(diagnose, rng, ("NaN", "infinite"))


@case("overfitting: the last validation loss against the lowest")
def turned(diagnose, *, rng):
    reading_calls(diagnose, rng, ("validation loss that ends", "level, high", "peak"))


@case("two rules true at once: the first in the table")
def at_once(diagnose, *, rng):
    reading_calls(diagnose, rng, (", and a ", "last loss, and"))


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


@case("shuffled: every example keeps its label, and each may go anywhere", points=2)
def shuffle_pairs(shuffled, *, rng):
    n = int(rng.integers(40, 60))
    y = rng.permutation(n)
    x = np.stack([y, 10.0 * y, -1.0 * y], axis=1)
    got = shuffled(x.copy(), y.copy(), np.random.default_rng(int(rng.integers(2**31))))
    expect_true(
        type(got) in (tuple, list) and len(got) == 2,
        f"shuffled(x, y, rng) gave {inspect_value(got)}, not the pair (x, y)",
        mistake="a return is missing" if got is None else None,
    )
    new_x, new_y = got
    if type(new_y) is np.ndarray and new_y.shape == (n, 3) and type(new_x) is np.ndarray and new_x.shape == (n,):
        expect_true(
            False, "shuffled(x, y, rng) gave (y, x)", mistake="the results come in the wrong order: (x, y) is asked for"
        )
    if type(new_y) is np.ndarray and new_y.dtype.kind == "f":
        floats = "the labels have become floats, as in an array that holds x and y together: they are whole numbers"
        expect_true(False, "the labels after shuffled(x, y, rng) are floats", mistake=floats)
    expect_shape(new_y, (n,), what="the labels after shuffled(x, y, rng)", kind="i")
    often = len(np.unique(new_y)) < n
    expect_equal(
        np.sort(new_y),
        np.arange(n),
        what="the sorted labels after shuffled(x, y, rng)",
        mistakes={
            "rows were drawn with replacement: some come twice and some never (use a permutation)": np.sort(new_y)
        }
        if often
        else None,
    )
    expect_shape(new_x, x.shape, what="x after shuffled(x, y, rng)")
    made = np.stack([new_y, 10.0 * new_y, -1.0 * new_y], axis=1)
    together = np.allclose(new_x, made)
    whole = np.array_equal(np.sort(new_x[:, 0]), np.sort(x[:, 0])) and np.allclose(new_x[:, 1], 10 * new_x[:, 0])
    expect_true(
        together,
        "the rows of x, which were made from their labels, do not fit the labels any more",
        mistake="x was not shuffled, and y was"
        if np.array_equal(new_x, x)
        else "y was not shuffled, and x was"
        if np.array_equal(new_y, y)
        else "x and y were put into different orders"
        if whole
        else "the columns of x were shuffled too: rows stay whole",
    )
    expect_true(
        bool((new_y != y).any()), "shuffled(x, y, rng) left the order as it was", mistake="nothing was shuffled"
    )
    # Where do the rows go? Each place may get each row: no row stays for good, and neighbours part.
    landed, apart, orders = np.zeros((n, 3)), [], set()
    rank = np.argsort(y)
    for _ in range(30):
        _, order = shuffled(x.copy(), y.copy(), np.random.default_rng(int(rng.integers(2**31))))
        if type(order) is not np.ndarray or order.shape != (n,):
            continue
        orders.add(order.tobytes())
        came = rank[order.astype(int) % n]  # the old places, in the new order
        landed[np.arange(n), 3 * came // n] += 1
        apart.append(np.mean(np.diff(came) % n == 1))
    expect_true(
        len(orders) > 1,
        "30 generators gave the same order 30 times",
        mistake="the new order is always the same: it is to be drawn from rng",
    )
    expect_true(
        not apart or np.mean(apart) < 0.3,
        "after shuffled(x, y, rng) rows that were neighbours mostly still are",
        mistake="the rows were rotated or moved in blocks: each may go anywhere (rng.permutation)"
        if apart and np.mean(apart) > 0.8
        else "only a part of the rows was shuffled",
    )
    stay = landed.max(axis=1)
    expect_true(
        bool((stay <= 27).all()),
        f"in 30 shuffles {int((stay > 27).sum())} of {n} places got rows from one third of the old order only",
        mistake="only a part of the rows was shuffled, or each part by itself",
    )


@case("shuffled draws from the generator that it is given")
def shuffle_seeded(shuffled, *, rng):
    x, y = rng.standard_normal((300, 2)), np.arange(300)

    def three(g):  # two generators may give the same order once
        return [part for _ in range(3) for part in shuffled(x.copy(), y.copy(), g)]

    expect_seeded(three, rng=rng, what="shuffled(x, y, rng)")


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


def reference(params, x, y, *, d1="z", mask=None, scale=None, loss="mean", back=None, minus=True, db=None, dw2=None):
    """(loss, gradients), and what comes of them when a part is changed; `mask` makes dz of dh, z and h."""
    z = x @ params["w1"] + params["b1"]
    h = np.maximum(z, 0)
    scores = h @ params["w2"] + params["b2"]
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = len(y)
    losses = -np.log(p[np.arange(n), y])
    dscores = p.copy()
    dscores[np.arange(n), y] -= minus
    dscores = dscores * (1 / n if scale is None else scale(n, scores.shape[1]))
    dh = dscores @ params["w2"].T
    dz = dh * (z > 0) if mask is None else mask(dh, z, h)
    grads = {
        "w1": x.T @ (dh if d1 in ("h", "both") else dz),
        "b1": (dh if d1 in ("b", "both") else dz).sum(axis=0),
        "w2": (h if dw2 is None else dw2(z)).T @ dscores,
        "b2": dscores.sum(axis=0),
    }
    if db is not None:
        grads |= {"b1": db(dz), "b2": db(dscores)}
    total = float({"mean": losses.mean(), "sum": losses.sum(), "classes": losses.mean() / scores.shape[1]}[loss])
    return total, grads


NETWORK = {
    "the planted bug is still there: dw1 is made from dh, before the derivative of ReLU": {"d1": "h"},
    "db1 is made from dh, before the derivative of ReLU": {"d1": "b"},
    "the derivative of ReLU is left out altogether": {"d1": "both"},
    "dh was multiplied with z: the derivative of ReLU is 1 where z > 0, and 0 elsewhere": {
        "mask": lambda dh, z, h: dh * z
    },
    "dh was multiplied with the output of ReLU: its derivative is 1 where z > 0, and 0 elsewhere": {
        "mask": lambda dh, z, h: dh * h
    },
    "the derivative of ReLU was taken where h >= 0, which is everywhere: h > 0 is meant": {
        "mask": lambda dh, z, h: dh * 1.0
    },
    "the derivative of ReLU asks for the sign of the gradient: it depends on z (dh > 0 in place of z > 0)": {
        "mask": lambda dh, z, h: dh * (dh > 0)
    },
    "the derivative of ReLU is upside down: gradients pass where z > 0": {"mask": lambda dh, z, h: dh * (z < 0)},
    "ReLU was applied to the gradient as well": {"mask": lambda dh, z, h: np.maximum(dh, 0) * (z > 0)},
    "the division by the number of examples is missing": {"scale": lambda n, c: 1.0},
    "it was divided by the number of examples twice": {"scale": lambda n, c: 1 / n**2},
    "it was divided by the number of classes, not of examples": {"scale": lambda n, c: 1 / c},
    "it was divided by examples and classes": {"scale": lambda n, c: 1 / (n * c)},
    "the sign of the gradients is the wrong way round": {"scale": lambda n, c: -1 / n},
    "the 1 at the true class was not subtracted": {"minus": False},
    "dw2 is made from z, before ReLU: it is made from h": {"dw2": lambda z: z},
    "the bias gradients were averaged over the examples once more": {"db": lambda d: d.mean(axis=0)},
    "the bias gradients were not summed over the examples": {"db": lambda d: d},
    "the bias gradients were summed over the units, not over the examples": {"db": lambda d: d.sum(axis=1)},
}


def answered(loss_and_gradients, params, x, y):
    got = loss_and_gradients(dict(params), x.copy(), y.copy())
    expect_true(
        type(got) in (tuple, list) and len(got) == 2,
        f"loss_and_gradients(params, x, y) gave {inspect_value(got)}, not the pair (loss, gradients)",
        mistake="a return is missing" if got is None else None,
    )
    return got


@case("loss_and_gradients: the loss")
def network_loss(loss_and_gradients, *, rng):
    params, x, y = network(rng)
    got = answered(loss_and_gradients, params, x, y)
    loss = reference(params, x, y)[0]
    spoilt = "the loss was computed after 1 was subtracted from p (p -= 1 changes p): take it before, or copy p"
    if np.ndim(got[0]) == 0 and type(got[0]) in (float, np.float64) and not np.isfinite(got[0]):
        expect_true(False, f"the loss is {got[0]}, expected {loss:.6g}", mistake=spoilt)
    expect_equal(
        got[0],
        loss,
        what="the loss",
        mistakes={
            "the loss was summed over the examples, not averaged": loss * len(y),
            "the loss has the wrong sign": -loss,
            "the loss was averaged over the classes too": loss / params["b2"].size,
            "the loss of each example came back: their mean is asked for": np.zeros(0),
            "the gradients came first: (loss, gradients) is asked for": got[0] if type(got[0]) is dict else 0.5 * loss,
        },
    )


@case("loss_and_gradients: the gradients", points=2)
def network_gradients(loss_and_gradients, *, rng):
    params, x, y = network(rng)
    got = answered(loss_and_gradients, params, x, y)[1]
    expect_true(
        type(got) is dict,
        f"loss_and_gradients(params, x, y) gave {inspect_value(got)} for the gradients, not a dict",
        mistake='the gradients came as a tuple: a dict with the keys "w1", "b1", "w2", "b2" is asked for'
        if type(got) in (tuple, list)
        else None,
    )
    expect_true(
        set(got) == set(params),
        f"the gradients have the keys {sorted(map(str, got))}, expected {sorted(params)}",
        mistake="the keys are named dw1, ...: they are the names of the parameters"
        if set(got) == {f"d{name}" for name in params}
        else None,
    )
    names = ("w1", "b1", "w2", "b2")
    wrong = {text: reference(params, x, y, **settings)[1] for text, settings in NETWORK.items()}
    right = reference(params, x, y)[1]
    wrong["the loss was computed after p was changed, and the gradient of a changed p taken"] = {}
    expect_results(
        [got[name] for name in names],
        {f"d{name}": right[name] for name in names},
        what="loss_and_gradients(params, x, y)",
        mistakes={text: {f"d{name}": value for name, value in grads.items()} for text, grads in wrong.items() if grads},
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


def _later(one, other):
    """diagnose with two neighbouring rules of the table swapped."""
    tests = {
        "diverged": "not np.isfinite(loss).all()",
        "first loss too high": "loss[0] > 1.5 * g",
        "stands still": "abs(loss[-(len(loss) // 10):].mean() - g) < 0.02 * g",
        "overfitting": "val_loss[-1] > 1.1 * val_loss.min()",
    }
    order = [{one: other, other: one}.get(name, name) for name in tests]
    lines = "".join(f'    if {tests[name]}:\n        return "{name}"\n' for name in order)
    return f'def diagnose(loss, val_loss, classes):\n    g = np.log(classes)\n{lines}    return "fine"\n'


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


SENTENCES = {  # of the task, and the cases that test it
    "11.1": {
        "the length of its step over its own length *before* the step": [
            "update_ratios: every array, whatever its shape",
            "update_ratios: arrays that are all zero are left out, and no others",
        ],
        "leave out arrays that are all zero": ["update_ratios: arrays that are all zero are left out, and no others"],
        "The norm is that of all entries together, whatever the shape.": [
            "update_ratios: every array, whatever its shape"
        ],
        "all arrays of the dict taken as one long vector": ["gradient_norm: all arrays together"],
    },
    "11.2": {
        "some training loss is not finite": [
            "diverged: one training loss that is not finite is enough, and no other counts"
        ],
        "the very first loss is more than 1.5 times $\\ln C$": ["every rule just within its limit and just beyond"],
        "the mean of the last tenth of the training losses is within 2 % of $\\ln C$": [
            "every rule just within its limit and just beyond"
        ],
        "the last validation loss is more than 1.1 times the lowest one": [
            "overfitting: the last validation loss against the lowest"
        ],
        "Return the first of these names that fits": ["two rules true at once: the first in the table"],
        "The check tries it on runs that were really made": ["recorded runs"],
    },
    "11.3": {
        "write both functions without the bugs": [
            "shuffled: every example keeps its label, and each may go anywhere",
            "shuffled draws from the generator that it is given",
            "loss_and_gradients: the loss",
            "loss_and_gradients: the gradients",
        ],
    },
}

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
    Wrong("11.1", _tools(keep="w.all()"), "w.any() is meant"),
    Wrong("11.1", _tools(keep="w.any() and new[name].any()"), "it is about before"),
    Wrong("11.1", _tools("np.abs(new[name] - w).mean() / np.abs(w).mean()"), "absolute values were averaged"),
    Wrong("11.1", _tools(norm="{k: np.linalg.norm(g) for k, g in grads.items()}"), "a norm of its own"),
    Wrong("11.1", _tools(norm="np.sqrt(sum(g.sum()**2 for g in grads.values()))"), "before they were squared"),
    Wrong("11.2", _diagnose(guess="np.log(10)"), "ln 10 was used"),
    Wrong("11.2", _diagnose(first="loss.max() > 1.5 * g"), "the largest loss was taken"),
    Wrong("11.2", _diagnose(first="loss[:20].mean() > 1.5 * g"), "the first losses were averaged"),
    Wrong("11.2", _diagnose(still="abs(loss[-1] - g) < 0.02 * g"), "the last loss alone was looked at"),
    Wrong("11.2", _diagnose(still="abs(loss[-20:].mean() - loss[20:40].mean()) < 0.02 * g"), "not at any value"),
    Wrong("11.2", _diagnose(finite="not np.isfinite(loss[-1])"), "only the last loss was looked at"),
    Wrong("11.2", _diagnose(guess="np.log2(classes)"), "the logarithm to base 2 was used"),
    Wrong("11.2", _diagnose(guess="np.log10(classes)"), "the logarithm to base 10 was used"),
    Wrong("11.2", _diagnose(first="loss[0] > 1.25 * g"), "below 1.5 times ln C"),
    Wrong("11.2", _diagnose(still="abs(loss[-10:].mean() - g) < 0.02 * g"), "the last ten losses were averaged"),
    Wrong(
        "11.2",
        _diagnose(still="abs(np.median(loss[-(len(loss) // 10):]) - g) < 0.02 * g"),
        "the median of the last tenth",
    ),
    Wrong("11.2", _diagnose(still="abs(loss[-(len(loss) // 10):].mean() - g) < 0.02"), "taken for nats"),
    Wrong("11.2", _diagnose(still="loss[-(len(loss) // 10):].mean() > 0.98 * g"), "within 2 % is on both sides"),
    Wrong("11.2", _diagnose(still="abs(loss[-(len(loss) // 10):].mean() - g) < 0.1 * g"), "it is 2 %"),
    Wrong("11.2", _diagnose(over="val_loss[-1] > val_loss.min() + 0.1"), "0.1 was added to the lowest"),
    Wrong("11.2", _diagnose(over="val_loss[-1] > 1.2 * val_loss.min()"), "of the lowest validation loss is above 1.1"),
    Wrong("11.2", _diagnose(over="val_loss[-1] > 1.1 * loss[-1]"), "compared with the training loss"),
    Wrong(
        "11.2",
        _diagnose(finite="not (np.isfinite(loss).all() and np.isfinite(val_loss).all())"),
        "was called divergence",
    ),
    Wrong("11.2", _later("stands still", "overfitting"), "overfitting was looked for before standing still"),
    Wrong("11.2", _later("first loss too high", "stands still"), "standing still was looked for before the first loss"),
    Wrong("11.2", _later("diverged", "first loss too high"), "losses that are not finite must be looked for first"),
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
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    order = rng.integers(0, len(x), len(x))\n    return x[order], y[order]\n"
        + _network(),
        "drawn with replacement",
    ),
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    k = len(x) // 2\n    order = np.r_[rng.permutation(k), np.arange(k, len(x))]\n"
        "    return x[order], y[order]\n" + _network(),
        "only a part of the rows was shuffled",
    ),
    Wrong(
        "11.3",
        "def shuffled(x, y, rng):\n    k = rng.integers(1, len(x))\n    return np.roll(x, k, axis=0), np.roll(y, k)\n"
        + _network(),
        "rotated or moved in blocks",
    ),
    Wrong("11.3", SHUFFLED + _network().replace("dh * (z > 0)", "dh * z"), "dh was multiplied with z"),
    Wrong("11.3", SHUFFLED + _network().replace("dh * (z > 0)", "dh * (dh > 0)"), "the sign of the gradient"),
    Wrong("11.3", SHUFFLED + _network(db1="dh.sum(axis=0)"), "db1 is made from dh"),
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

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "11.1": {
        "it is positive": [
            "the absolute value was compared: np.abs(size)",
        ],
        "the sign is lost again: a norm": [
            "the difference is the wrong way round, w - new[name], in ratios[name]",
        ],
    },
    "11.2": {
        "no draw lies exactly at a limit: that would hang on rounding": [
            "<= stands where < is meant: abs(last - guessing) < 0.02 * guessing",
            ">= stands where > is meant: loss[0] > 1.5 * guessing",
            ">= stands where > is meant: val_loss[-1] > 1.1 * val_loss.min()",
        ],
        "one axis is left": [
            "mean runs along axis 0 only, where all entries are meant, in last",
            "min runs along axis 0 only, where all entries are meant, in the condition",
        ],
        "the sign is lost again: a distance": [
            "the difference is the wrong way round, guessing - last, in the condition",
        ],
    },
    "11.3": {
        "softmax does not change when all scores of a row move, and the task has no scores that overflow": [
            "+ stands where - is meant, in scores",
            "h was used where scores is meant, in scores",
            "max runs over all entries where only axis 1 is meant, in scores",
            "mean was taken where max is meant, in scores",
            "min was taken where max is meant, in scores",
            "sum was taken where max is meant, in scores",
            "the term scores.max(axis=1, keepdims=True) is missing in scores",
            "x was used where scores is meant, in scores",
            "z was used where scores is meant, in scores",
        ],
        "only the length counts": [
            "dscores was used where y is meant, in dscores",
            "dscores was used where y is meant, in dscores[np.arange(len(y)), y]",
            "h was used where y is meant, in dscores",
            "h was used where y is meant, in dscores[np.arange(len(y)), y]",
            "h was used where y is meant, in loss",
            "p was used where y is meant, in dscores",
            "p was used where y is meant, in dscores[np.arange(len(y)), y]",
            "p was used where y is meant, in loss",
            "scores was used where y is meant, in dscores",
            "scores was used where y is meant, in dscores[np.arange(len(y)), y]",
            "scores was used where y is meant, in loss",
            "x was used where y is meant, in dscores",
            "x was used where y is meant, in dscores[np.arange(len(y)), y]",
            "x was used where y is meant, in loss",
            "y was used where x is meant, in order",
            "z was used where y is meant, in dscores",
            "z was used where y is meant, in dscores[np.arange(len(y)), y]",
            "z was used where y is meant, in loss",
        ],
        "one axis is left": [
            "mean runs along axis 0 only, where all entries are meant, in loss",
        ],
        "the line has no effect on the gradient that is asked for: softmax does not change when all scores of a row move": [
            "scores is not changed: a line for it is missing, or has no effect",
        ],
        "ReLU's output is not negative, and positive where its input is": [
            "the absolute value was compared: np.abs(h)",
            "z was used where h is meant, in dz",
        ],
        "p is not used again": [
            "the copy of p is missing in dscores",
        ],
        "any permutation is as good as its reverse": [
            "the sign of order is the wrong way round",
        ],
    },
}
