"""Cases of exercise sheet 08, learning rate and batch size."""

import math

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value
from coursekit.grading.several import expect_calls, expect_number, expect_results

TITLE = "Learning rate and batch size"

Q1 = question(
    "08.1",
    title="Stepwise and exponential decay",
    minutes=8,
    hints=[
        "`//` divides and rounds down: `250 // 100` is 2.",
        "`drop ** k` is drop to the power k. At step 0 both schedules give `lr`.",
    ],
)


def per_drop(function):
    """A mistake in the number of drops: `function(step, every)` in place of step // every."""
    return lambda lr, drop, every, step: lr * drop ** function(step, every)


STEPWISE = {
    "the exponent was not rounded down: the rate falls in every step": per_drop(lambda step, every: step / every),
    "the exponent was rounded to the nearest whole number, not down": per_drop(lambda step, every: round(step / every)),
    "the exponent was rounded up": per_drop(lambda step, every: math.ceil(step / every)),
    "steps were counted from 1: the drop comes one step too early": per_drop(lambda step, every: (step + 1) // every),
    "the drop comes one step too late": per_drop(lambda step, every: max(step - 1, 0) // every),
    "there is one drop too many: step 0 has the rate lr": per_drop(lambda step, every: step // every + 1),
    "there is one drop too many, at step 0 too: at multiples of `every` it must have come just then": per_drop(
        lambda step, every: math.ceil(step / every) if step else 0
    ),
    "the rate was multiplied with drop once for each step": per_drop(lambda step, every: step),
    "the remainder % was used, not the whole part //": per_drop(lambda step, every: step % every),
    "step and every are the wrong way round in the division": per_drop(
        lambda step, every: every // step if step else 0
    ),
    "the rate dropped once only, not after every `every` steps": per_drop(lambda step, every: int(step >= every)),
    "the rate drops at multiples of `every` only, and is back at lr in between": per_drop(
        lambda step, every: int(step % every == 0)
    ),
    "step 0 is taken for a drop": lambda lr, drop, every, step: lr * drop ** (step // every if step else 1),
    "the rate was divided by drop: it grows": lambda lr, drop, every, step: lr / drop ** (step // every),
    "the number of drops is a factor, not an exponent": lambda lr, drop, every, step: lr * drop * (step // every),
    "drop was subtracted once for each drop: it is a factor": lambda lr, drop, every, step: lr - drop * (step // every),
    "1 - drop was used as the factor: the rate is multiplied with drop": (
        lambda lr, drop, every, step: lr * (1 - drop) ** (step // every)
    ),
    "lr was raised to the power, too": lambda lr, drop, every, step: (lr * drop) ** (step // every),
    "lr is missing: this is the factor alone": lambda lr, drop, every, step: drop ** (step // every),
    "this is the simple decay": lambda lr, drop, every, step: lr / (1 + drop * (step // every)),
    "e^(-drop * k) was used: here drop itself is the factor": (
        lambda lr, drop, every, step: lr * math.exp(-drop * (step // every))
    ),
}


def stepwise_calls(step_decay, rng, steps):
    lr, drop, every = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.8), 4 * int(rng.integers(5, 15))
    k = int(rng.integers(2, 5))
    expect_calls(
        step_decay,
        [(lr, drop, every, step) for step in steps(k, every)],
        lambda lr, drop, every, step: lr * drop ** (step // every),
        what=lambda lr, drop, every, step: f"step_decay(lr={lr:.3g}, drop={drop:.3g}, every={every}, step={step})",
        mistakes=STEPWISE,
    )


@case("step_decay: in between the drops")
def stepwise(step_decay, *, rng):
    stepwise_calls(
        step_decay, rng, lambda k, every: (0, every + 1, k * every + every // 3, k * every + 3 * every // 4, 2)
    )


@case("step_decay: the steps before and at a drop")
def stepwise_edges(step_decay, *, rng):
    stepwise_calls(
        step_decay,
        rng,
        lambda k, every: (k * every - 1, k * every, 0, every - 1, every, k * every + 3 * every // 4, k * every + 1),
    )


@case("exponential_decay")
def exponential(exponential_decay, *, rng):
    lr, rate, step = rng.uniform(0.1, 0.9), rng.uniform(0.9, 0.99), int(rng.integers(5, 30))
    expect_calls(
        exponential_decay,
        [(lr, rate, at) for at in (0, 1, step)],
        lambda lr, rate, step: lr * rate**step,
        what=lambda lr, rate, step: f"exponential_decay(lr={lr:.3g}, rate={rate:.3g}, step={step})",
        mistakes={
            "the step is a factor, not an exponent": lambda lr, rate, step: lr * rate * step,
            "e^(-rate * step) was used: here the rate itself is the factor of a step": (
                lambda lr, rate, step: lr * math.exp(-rate * step)
            ),
            "e^(rate * step) was used: here the rate itself is the factor of a step": (
                lambda lr, rate, step: lr * math.exp(rate * step)
            ),
            "steps were counted from 1: at step 0 the rate is lr": lambda lr, rate, step: lr * rate ** (step + 1),
            "the power is one too low: at step 0 the rate is lr": lambda lr, rate, step: lr * rate ** (step - 1),
            "lr was raised to the power, too": lambda lr, rate, step: (lr * rate) ** step,
            "lr is missing: this is the factor alone": lambda lr, rate, step: rate**step,
            "1 - rate was used as the factor": lambda lr, rate, step: lr * (1 - rate) ** step,
            "the rate was divided by the factor: it grows": lambda lr, rate, step: lr / rate**step,
            "this is the simple decay, lr / (1 + rate * step)": lambda lr, rate, step: lr / (1 + rate * step),
            "the factor was multiplied once only, not in every step": lambda lr, rate, step: lr * rate if step else lr,
            "step and rate are the wrong way round in the power": lambda lr, rate, step: lr * step**rate,
            "something was subtracted in every step: each step multiplies": lambda lr, rate, step: lr - rate * step,
        },
    )


Q2 = question(
    "08.2",
    title="Cosine with a warm-up",
    minutes=8,
    hints=[
        "The share is 0 at step `warm` and 1 at step `total`: how many steps since the warm-up, out of how many?",
        "`min(..., 1)` keeps the share at 1 after the last step.",
    ],
)


def at_share(share, limit=True):
    """The schedule with another share of the way down; `limit` keeps it at most 1."""

    def schedule(lr, warm, total, step):
        if step < warm:
            return lr * step / warm
        found = share(step, warm, total)
        return lr / 2 * (1 + math.cos(math.pi * (min(found, 1) if limit else found)))

    return schedule


right_cosine = at_share(lambda step, warm, total: (step - warm) / (total - warm))
COSINE = {
    "the share does not begin at 0 after the warm-up: subtract warm from step": at_share(lambda t, w, n: t / n),
    "the steps of the warm-up were not subtracted from the length: divide by total - warm": at_share(
        lambda t, w, n: (t - w) / n
    ),
    "the steps of the warm-up were not subtracted from the length: divide by total - warm, and keep the share at most 1": (
        at_share(lambda t, w, n: (t - w) / n, limit=False)
    ),
    "warm was not subtracted from step: the cosine starts in the middle": at_share(lambda t, w, n: t / (n - w)),
    "the rate grows again after the last step: keep the share at most 1": at_share(
        lambda t, w, n: (t - w) / (n - w), limit=False
    ),
    "the share runs from 1 to 0: the rate grows": at_share(lambda t, w, n: 1 - min((t - w) / (n - w), 1)),
    "the larger of share and 1 was taken (max): the rate is 0 from the end of the warm-up on": at_share(
        lambda t, w, n: max((t - w) / (n - w), 1), limit=False
    ),
    "the share was held at 0: the rate stays at lr": at_share(lambda t, w, n: 0),
    "whole numbers were divided with //: the share jumps from 0 to 1": at_share(lambda t, w, n: (t - w) // (n - w)),
    "pi is in the share as well: the line below multiplies with it": at_share(
        lambda t, w, n: math.pi * (t - w) / (n - w)
    ),
    "pi is in the share as well, after the limit": at_share(
        lambda t, w, n: math.pi * min((t - w) / (n - w), 1), limit=False
    ),
    "the length is one step too short": at_share(lambda t, w, n: (t - w) / (n - w - 1)),
    "the length is one step too long": at_share(lambda t, w, n: (t - w) / (n - w + 1)),
    "the share is one step ahead: it is 0 at step warm": at_share(lambda t, w, n: (t - w + 1) / (n - w)),
    "the share is one step ahead, of a length that is one too long": at_share(
        lambda t, w, n: (t - w + 1) / (n - w + 1)
    ),
    "the share was halved": at_share(lambda t, w, n: min((t - w) / (n - w), 1) / 2),
    "the share was halved: the formula's 2 divides the rate": at_share(
        lambda t, w, n: (t - w) / (n - w) / 2, limit=False
    ),
    "brackets are missing: step - warm / total - warm": at_share(lambda t, w, n: t - w / n - w, limit=False),
    "brackets are missing: step - warm / (total - warm)": at_share(lambda t, w, n: t - w / (n - w), limit=False),
    "brackets are missing, which the limit hides: (step - warm) / total - warm": at_share(
        lambda t, w, n: (t - w) / n - w
    ),
    "the lengths of warm-up and total were added": at_share(lambda t, w, n: (t - w) / (n + w)),
    "warm was added to step": at_share(lambda t, w, n: (t + w) / (n - w)),
    "the warm-up was left out": lambda lr, warm, total, step: lr / 2 * (1 + math.cos(math.pi * min(step / total, 1))),
    "the warm-up was left out, where the share is below 0": lambda lr, warm, total, step: (
        lr / 2 * (1 + math.cos(math.pi * min((step - warm) / (total - warm), 1)))
    ),
    "the warm-up is one step ahead: it is 0 at step 0": lambda lr, warm, total, step: (
        lr * (step + 1) / warm if step < warm else right_cosine(lr, warm, total, step)
    ),
}


def cosine_calls(warm_cosine, rng, steps):
    lr, warm, total = rng.uniform(0.1, 0.9), int(rng.integers(10, 30)), int(rng.integers(100, 200))
    expect_calls(
        warm_cosine,
        [(lr, warm, total, step) for step in steps(warm, total)],
        right_cosine,
        what=lambda lr, warm, total, step: f"warm_cosine(lr={lr:.3g}, warm={warm}, total={total}, step={step})",
        mistakes=COSINE,
    )


@case("warm_cosine: on the way down")
def cosine_down(warm_cosine, *, rng):
    cosine_calls(
        warm_cosine,
        rng,
        lambda warm, total: (int(rng.integers(warm + 20, total - 20)), warm, warm + 1, total - 1, total),
    )


@case("warm_cosine: during the warm-up, and after the end")
def cosine_ends(warm_cosine, *, rng):
    cosine_calls(
        warm_cosine,
        rng,
        lambda warm, total: (
            int(rng.integers(1, warm)),
            0,
            warm - 1,
            warm + 5,
            total + int(rng.integers(10, 30)),
            total + 1,
        ),
    )


Q3 = question(
    "08.3",
    title="Range test",
    minutes=14,
    hints=[
        "From the first rate to the last there are `steps - 1` factors: `low * factor**k`, and k starts at 0.",
        "Start with an array of NaN: `np.full(length, np.nan)`. What is never written stays NaN.",
        "In the loop: loss and gradient, write the loss, `break` if it is too high, and only then the update.",
    ],
)


def spaced(first, last):
    """Rates low * factor ** k with exponents from `first` to `last`, in shares of the whole way."""
    return lambda low, high, steps: low * (high / low) ** np.linspace(first(steps), last(steps), steps)


@case("test_rates")
def rates_grow(test_rates, *, rng):
    low, high, steps = 10 ** rng.uniform(-5, -3), 10 ** rng.uniform(0, 1.5), int(rng.integers(6, 12))
    expect_calls(
        test_rates,
        [(low, high, steps), (2 * low, high / 3, steps + 3)],
        lambda low, high, steps: low * (high / low) ** (np.arange(steps) / (steps - 1)),
        what=lambda low, high, steps: f"test_rates(low={low:.3g}, high={high:.3g}, steps={steps})",
        mistakes={
            "the rates grow in a straight line, not by a constant factor": np.linspace,
            "the rates grow in a straight line, and the last is not high": (
                lambda low, high, steps: np.linspace(low, high, steps, endpoint=False)
            ),
            "the last rate is not high: from first to last there are steps - 1 factors, not steps": (
                lambda low, high, steps: low * (high / low) ** (np.arange(steps) / steps)
            ),
            "the first rate is not low: k starts at 0": (
                lambda low, high, steps: low * (high / low) ** ((np.arange(steps) + 1) / steps)
            ),
            "the first rate is not low: k starts at 0, and there are steps - 1 factors": (
                lambda low, high, steps: low * (high / low) ** ((np.arange(steps) + 1) / (steps - 1))
            ),
            "np.logspace takes exponents, not rates": np.logspace,
            "np.logspace takes exponents of ten, not natural logarithms": (
                lambda low, high, steps: np.logspace(np.log(low), np.log(high), steps)
            ),
            "the exponents came back: the rates are 10 to these powers": (
                lambda low, high, steps: np.linspace(np.log10(low), np.log10(high), steps)
            ),
            "the logarithms came back: the rates are e to these powers": (
                lambda low, high, steps: np.linspace(np.log(low), np.log(high), steps)
            ),
            "natural logarithms were mixed with powers of ten": (
                lambda low, high, steps: 10 ** np.linspace(np.log(low), np.log(high), steps)
            ),
            "base-ten logarithms were mixed with powers of e": (
                lambda low, high, steps: np.exp(np.linspace(np.log10(low), np.log10(high), steps))
            ),
            "the rates fall: from low to high is asked for": (
                lambda low, high, steps: high * (low / high) ** (np.arange(steps) / (steps - 1))
            ),
            "there is one rate too many": (
                lambda low, high, steps: low * (high / low) ** (np.arange(steps + 1) / steps)
            ),
            "there is one rate too few": (
                lambda low, high, steps: low * (high / low) ** (np.arange(steps - 1) / (steps - 1))
            ),
            "low is missing: the first rate is 1": (
                lambda low, high, steps: (high / low) ** (np.arange(steps) / (steps - 1))
            ),
            "the factor is high / low: that is the factor of the whole way": (
                lambda low, high, steps: low * (high / low) ** np.arange(steps)
            ),
            "the factor is the way divided by the steps: factors are multiplied, so take a root": (
                lambda low, high, steps: low * (high / low / (steps - 1)) ** np.arange(steps)
            ),
        },
    )  # fmt: skip


def the_test(
    x, y, w, rates, *, when="before", update=True, rate=None, factor=1.0, stop=4.0, keep=True, sign=-1,
    against=np.nanmin, rest=np.nan, cut=False, late=False, early=False,
):  # fmt: skip
    """The range test, and what comes of it when a part is changed."""
    losses = np.full(len(rates), np.nan)
    for t in range(len(rates)):
        error = x[t] @ w - y[t]
        gradient = 2 * x[t].T @ error / len(error)
        moved = w + sign * factor * (rates[t] if rate is None else rate(rates, t)) * gradient
        losses[t] = np.mean(error**2) if when == "before" else np.mean((x[t] @ moved - y[t]) ** 2)
        ended = stop and losses[t] > stop * against(losses[: t + 1])
        if ended and not (late and np.sum(losses[: t + 1] > stop * against(losses[: t + 1])) < 2):
            losses[t] = losses[t] if keep else np.nan
            losses[t + 1 :] = rest
            return losses[: t + 1] if cut else losses
        if early and t == len(rates) - 2:
            break
        w = moved if update else w
    return losses


def planned(rng, curve):
    """Batches (x, y), w and rates for which the right test sees exactly these losses, whatever the key."""
    size, features = int(rng.integers(8, 12)), int(rng.integers(3, 6))
    x = rng.standard_normal((len(curve), size, features))
    first = w = rng.standard_normal(features)
    rates, y = np.geomspace(0.05, 0.3, len(curve)), np.empty((len(curve), size))
    for t, loss in enumerate(curve):
        error = rng.standard_normal(size)
        error *= np.sqrt(loss / np.mean(error**2))
        y[t] = x[t] @ w - error
        w = w - rates[t] * 2 * x[t].T @ error / size
    return x, y, first, rates


def test_mistakes(x, y, w, rates):
    changed = {
        "the loss was measured after the update": {"when": "after"},
        "w was not kept from step to step: every batch saw the first w": {"update": False},
        "every update used the first rate": {"rate": lambda rates, t: rates[0]},
        "every update used the last rate": {"rate": lambda rates, t: rates[-1]},
        "every update used the rate of the batch before": {"rate": lambda rates, t: rates[max(t - 1, 0)]},
        "the update has no learning rate": {"rate": lambda rates, t: 1.0},
        "the update goes along the gradient, not against it": {"sign": 1},
        "the gradient was halved": {"factor": 0.5},
        "the gradient was doubled": {"factor": 2.0},
        "the gradient was divided by the number of examples once more": {"factor": 1 / x.shape[1]},
        "the loss was compared with four times the first loss, not the lowest so far": {
            "against": lambda seen: seen[0]
        },
        "the loss was compared with four times the loss before it, not the lowest so far": {
            "against": lambda seen: seen[max(len(seen) - 2, 0)]
        },
        "the loss was compared with four times the mean so far, not the lowest": {"against": np.mean},
        "the loss was compared with the lowest itself, not with four times it": {"stop": 1.0},
        "the loss was compared with twice the lowest, not four times it": {"stop": 2.0},
        "the loss was compared with three times the lowest, not four times it": {"stop": 3.0},
        "the loss was compared with five times the lowest, not four times it": {"stop": 5.0},
        "the loss was compared with ten times the lowest, not four times it": {"stop": 10.0},
        "the test went on after the loss had grown more than fourfold (np.min of an array with NaN is NaN: np.nanmin)": {
            "stop": None
        },
        "the loss that ended the test was not kept": {"keep": False},
        "the entries after the end are 0: they are to be NaN": {"rest": 0.0},
        "the entries after the end are infinite: they are to be NaN": {"rest": np.inf},
        "the answer ends with the test: it has an entry for each rate, NaN after the end": {"cut": True},
        "the test ended one batch late": {"late": True},
        "the last batch was left out": {"early": True},
    }
    return {name: the_test(x, y, w, rates, **settings) for name, settings in changed.items()}


def test_case(range_test, rng, curve, what):
    x, y, w, rates = planned(rng, curve)
    expect_equal(
        range_test(x.copy(), y.copy(), w.copy(), rates.copy()),
        the_test(x, y, w, rates),
        what=f"range_test(x, y, w, rates) {what}",
        mistakes=test_mistakes(x, y, w, rates),
    )


@case("range_test: losses while nothing goes wrong")
def range_falls(range_test, *, rng):
    low = rng.uniform(0.5, 2)
    fall = low * np.linspace(rng.uniform(2.6, 3.4), 1, int(rng.integers(5, 9)))
    curve = [*fall, 2.2 * low, 3.5 * low, 0.9 * low, 3.4 * low, 3.2 * low]  # never above 4 times the lowest
    test_case(range_test, rng, curve, f"with {len(curve)} batches, of which none ends the test")


@case("range_test: the end of the test")
def range_ends(range_test, *, rng):
    low = rng.uniform(0.5, 2)
    fall = low * np.linspace(3.0, 1, int(rng.integers(4, 8)))
    # Above 4 times the lowest at a loss (4.4) that no other rule stops at; then a loss for each of these rules to stop at.
    rise = low * np.array([1.7, 2.6, 3.3, 3.6, 4.4, 1.05, 4.6, 5.6, 11.0, 13.0, 60.0, 1.3, 2.0])
    test_case(range_test, rng, [*fall, *rise], f"that ends at batch {len(fall) + 4}")


@case("range_test: the end of the test, other inputs", hidden=True)
def range_ends_again(range_test, *, rng):
    range_ends(range_test, rng=rng)


Q4 = question(
    "08.4",
    title="Read the test",
    minutes=14,
    hints=[
        "`smooth`: one loop, one number `mean` that is carried along, one division for each entry.",
        "`np.argmin(smoothed)` is the index of the lowest entry. A slice `[:k]` ends before k.",
        "Give `np.gradient` the kept part of `smoothed`, and the logarithms of the kept part of `rates`.",
    ],
)


def running(losses, beta, *, start=0.0, line=None, value=None):
    """The running mean; `line` and `value` change the update and what is kept of it."""
    mean, result = start, []
    for t, loss in enumerate(losses):
        mean = line(mean, loss, t) if line else beta * mean + (1 - beta) * loss
        result.append(value(mean, t) if value else mean / (1 - beta ** (t + 1)))
    return np.array(result)


def smoothing_mistakes(losses, beta):
    def raw(mean, t):
        return mean

    return {
        "the correction is missing: the first means are too small": running(losses, beta, value=raw),
        "beta and 1 - beta are the wrong way round": running(
            losses, beta, line=lambda mean, loss, t: (1 - beta) * mean + beta * loss
        ),
        "beta and 1 - beta are the wrong way round, and the correction is missing": running(
            losses, beta, line=lambda mean, loss, t: (1 - beta) * mean + beta * loss, value=raw
        ),
        "the factor 1 - beta of the loss is missing": running(
            losses, beta, line=lambda mean, loss, t: beta * mean + loss
        ),
        "the factor 1 - beta of the loss is missing, and the correction": running(
            losses, beta, line=lambda mean, loss, t: beta * mean + loss, value=raw
        ),
        "the exponent of the correction is one too large: it is t + 1 with t from 0": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta ** (t + 2))
        ),
        "the exponent of the correction is one too small: t counts from 0, so it is t + 1, and at t = 0 this divides by 0": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta**t) if t else np.inf
        ),
        "the exponent of the correction is one too small from the second loss on: it is t + 1 with t from 0": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta ** max(t, 1))
        ),
        "the first mean was left as it is, and the exponent of the others is one too small: it is t + 1 with t from 0": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta**t) if t else mean
        ),
        "the correction multiplies t + 1 in place of raising to this power": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta * (t + 1))
        ),
        "the correction has no power of beta: 1 - beta does not fade with t": running(
            losses, beta, value=lambda mean, t: mean / (1 - beta)
        ),
        "the mean was multiplied with the correction: divide by it": running(
            losses, beta, value=lambda mean, t: mean * (1 - beta ** (t + 1))
        ),
        "the mean was divided by beta to the power t + 1: divide by 1 minus it": running(
            losses, beta, value=lambda mean, t: mean / beta ** (t + 1)
        ),
        "the mean was divided by beta to the power minus 1: 1 minus the power is meant": running(
            losses, beta, value=lambda mean, t: mean / (beta ** (t + 1) - 1)
        ),
        "the mean starts at the first loss, not at 0, and is not corrected": running(
            losses, beta, start=losses[0], value=raw
        ),
        "the mean starts at the first loss, not at 0, and is still corrected": running(losses, beta, start=losses[0]),
        "the mean starts at 1, not at 0": running(losses, beta, start=1.0),
        "the corrected mean was carried on: the next step corrects it again": running(
            losses,
            beta,
            line=lambda mean, loss, t: (beta * mean + (1 - beta) * loss) / (1 - beta ** (t + 1)),
            value=raw,
        ),
        "the loss was added in full": running(losses, beta, line=lambda mean, loss, t: mean + (1 - beta) * loss),
        "all losses so far were averaged with equal weights": np.cumsum(losses) / np.arange(1, len(losses) + 1),
        "every mean starts anew from 0": losses.copy(),
        "only the last mean came back: all of them are asked for": float(running(losses, beta)[-1]),
        "the first mean is missing": running(losses, beta)[1:],
    }


@case("smooth")
def smoothing(smooth, *, rng):
    losses, beta = rng.uniform(0.5, 2.5, int(rng.integers(8, 15))), float(rng.uniform(0.6, 0.9))
    with np.errstate(all="ignore"):
        got = smooth(losses.copy(), beta)
    expect_equal(
        got, running(losses, beta), what=f"smooth(losses, beta={beta:.3g})", mistakes=smoothing_mistakes(losses, beta)
    )


def steepest_mistakes(rates, smoothed):
    decades, end = np.log10(rates), int(smoothed.argmin()) + 1
    slope, whole = np.gradient(smoothed[:end], decades[:end]), np.gradient(smoothed, decades)
    steps = np.diff(smoothed[:end]) / np.diff(decades[:end])
    return {
        "an index was returned, not a rate": int(slope.argmin()),
        "the entry of the lowest loss was left out: a slice [:k] ends before k": rates[
            np.gradient(smoothed[: end - 1], decades[: end - 1]).argmin()
        ],
        "the slopes were taken of the whole test and cut then: cut first, so that the last slope does not see what follows": rates[
            whole[:end].argmin()
        ],
        "the entries after the lowest loss were looked at, too": rates[whole.argmin()],
        "the slope was taken against the rate, not against its logarithm": rates[
            np.gradient(smoothed[:end], rates[:end]).argmin()
        ],
        "the slope was taken against the rate, over the whole test": rates[np.gradient(smoothed, rates).argmin()],
        "np.diff was used: it gives the slopes between two entries, np.gradient those at the entries": rates[
            steps.argmin()
        ],
        "np.diff was used, and the end of the step taken: np.gradient gives the slopes at the entries": rates[
            steps.argmin() + 1
        ],
        "np.diff was used over the whole test": rates[(np.diff(smoothed) / np.diff(decades)).argmin()],
        "the rate of the lowest loss was returned, not where it falls fastest": rates[end - 1],
        "the steepest slope of either sign was taken: where the loss rises. It falls where the slope is lowest": rates[
            slope.argmax()
        ],
        "the steepest slope of either sign was taken, of the whole test: where the loss rises": rates[whole.argmax()],
        "the slope was returned, not the rate": slope.min(),
        "the logarithm of the rate was returned": decades[slope.argmin()],
        "the loss was returned, not the rate": smoothed[slope.argmin()],
        "all slopes were returned, not one rate": slope,
        "the first rate was returned": rates[0],
    }


RATES_TESTED = np.geomspace(1e-4, 10, 41)


def curve(rng, steps, then):
    """41 smoothed losses that change by `steps` up to the lowest, then by `then`, and stay there."""
    changes = np.concatenate([steps, then, np.zeros(40 - len(steps) - len(then))])
    return rng.uniform(0.7, 1.5) * (2 + np.concatenate([[0], changes.cumsum()])) + 1e-4 * rng.standard_normal(41)


def steepest_rate(rates, smoothed):
    end = int(smoothed.argmin()) + 1
    return rates[np.gradient(smoothed[:end], np.log10(rates[:end])).argmin()]


def steepest_case(steepest, curves, what):
    expect_calls(
        steepest,
        [(RATES_TESTED, smoothed) for smoothed in curves],
        steepest_rate,
        what=lambda rates, smoothed: f"steepest(rates, smoothed) {what}",
        mistakes={
            name: lambda rates, smoothed, name=name: steepest_mistakes(rates, smoothed)[name]
            for name in steepest_mistakes(RATES_TESTED, curves[0])
        },
    )


@case("steepest: the rate where the loss falls fastest")
def fastest(steepest, *, rng):
    # A rise, a slow fall, a steep one (whose largest step is not at its steepest entry), a slow one to the lowest loss, a peak, and
    # a fall after it that is steeper still.
    curves = []
    for _ in range(2):
        flat, slow, last = (int(n) for n in rng.integers([3, 2, 6], [6, 5, 10]))
        steep = [-0.10, -0.17, -0.04, -0.15, -0.145, -0.08]
        steps = [*[-0.01] * flat, 0.3, 0.3, *[-0.05] * slow, *steep, *[-0.03] * last]
        curves.append(curve(rng, steps, [1.5, 1.0, -0.6, -0.5]))
    steepest_case(steepest, curves, "with a slow fall, a steep one, and another after the lowest loss")


@case("steepest: the fall ends at the lowest loss")
def fastest_at_the_end(steepest, *, rng):
    # The steepest step is the last one, into the lowest loss, and the loss jumps up right after it. The slopes of the whole test
    # are halved there: in one curve they still have their lowest place beside it, in the other much earlier.
    curves = []
    for last in (-0.4, -0.22):
        steps = [
            *[-0.02] * int(rng.integers(6, 12)),
            -0.1,
            -0.15,
            -0.14,
            -0.1,
            *[-0.02] * int(rng.integers(3, 6)),
            last,
        ]
        curves.append(curve(rng, steps, [3.0, 0.5]))
    steepest_case(steepest, curves, "whose steepest step is the one into the lowest loss")


Q5 = question(
    "08.5",
    title="Repair: a schedule in a training loop",
    minutes=12,
    hints=[
        "Print `start` for 20 examples in batches of 5. Which examples does no batch hold?",
        "How many updates does an epoch make, and how many different rates does `train_with_bugs` use in it?",
        "`len(used)` is the number of updates made so far.",
    ],
)


def descend(x, y, w, rate_at, size, epochs, *, per="update", stop=0, first=0, mean=True, restart=False):
    """The training loop, and what comes of it when a part is changed."""
    used, start_w = [], w
    for epoch in range(epochs):
        w = start_w if restart else w
        for i, start in enumerate(range(0, len(x) - stop, size)):
            rows = slice(start, start + size)
            error = x[rows] @ w - y[rows]
            gradient = 2 * x[rows].T @ error / (len(error) if mean else size)
            step = {"update": len(used), "epoch": epoch, "within": i, "example": start, "all": epoch * len(x) + start,
                    "whole": epoch * (len(x) // size) + i}[per]  # fmt: skip
            used.append(float(rate_at(step + first)))
            w = w - used[-1] * gradient
    return w, used


def loop_mistakes(x, y, w, rate_at, size, epochs):
    changed = {
        "nothing was repaired: epochs are counted, and the last batch is missing": {"per": "epoch", "stop": size},
        "the schedule is still counted in epochs: rate_at takes the number of the update": {"per": "epoch"},
        "the last batch of each epoch is still missing": {"stop": size},
        "the schedule starts anew in each epoch: updates are counted over the whole training": {"per": "within"},
        "examples were counted, not updates": {"per": "all"},
        "examples of the epoch were counted, not updates": {"per": "example"},
        "the smaller last batch of each epoch was not counted as an update": {"per": "whole"},
        "updates were counted from 1: the first is number 0": {"first": 1},
        "each epoch starts from the first w again": {"restart": True},
        "the gradient of the smaller last batch was divided by `size`, not by its own length": {"mean": False},
    }
    found = {}
    for name, settings in changed.items():
        end, used = descend(x, y, w, rate_at, size, epochs, **settings)
        found[name] = {"w": end, "the rates": used}
    return found


def loop_case(train, rng, remainder, what):
    size, batches, epochs, features = (int(rng.integers(*span)) for span in ((4, 7), (3, 5), (3, 5), (2, 4)))
    x = rng.standard_normal((size * batches + remainder(size), features))
    y, w = rng.standard_normal(len(x)), rng.standard_normal(features)
    table = rng.uniform(0.02, 0.3, 4 * len(x) * epochs)

    def rate_at(step):
        return float(table[int(step)])

    end, used = descend(x, y, w, rate_at, size, epochs)
    expect_results(
        train(x.copy(), y.copy(), w.copy(), rate_at, size, epochs),
        {"w": end, "the rates": used},
        what=f"train(...) with {len(x)} examples in batches of {size}, {epochs} epochs{what}",
        mistakes=loop_mistakes(x, y, w, rate_at, size, epochs),
    )


@case("train: batches of equal size", points=2)
def loop_even(train, *, rng):
    loop_case(train, rng, lambda size: 0, "")


@case("train: a smaller last batch", points=2)
def loop_uneven(train, *, rng):
    loop_case(train, rng, lambda size: int(rng.integers(1, size)), " (the last batch of each is smaller)")


Q6 = question(
    "08.6",
    title="Derive: the rate for a floor",
    minutes=12,
    hints=[
        "At the floor the step changes nothing: put $F$ on both sides, and take $F$ from both.",
        "Then everything has a factor $\\eta$. Divide by it: what is left is linear in $\\eta$.",
        "Check it: with your rate, `(1 - rate * curvature)**2 * floor + rate**2 * noise**2 / batch` is `floor` again.",
    ],
)


def exact_rate(floor, curvature, noise, batch):
    return 2 * floor * curvature * batch / (noise**2 + floor * curvature**2 * batch)


RATES = {
    "the term with eta squared was left out: that holds for small rates only": (
        lambda floor, curvature, noise, batch: 2 * floor * curvature * batch / noise**2
    ),
    "the floor at this rate came back: the rate for this floor is asked for": (
        lambda floor, curvature, noise, batch: floor * noise**2 / (batch * curvature * (2 - floor * curvature))
    ),
    "noise is a standard deviation: its square is the variance": (
        lambda floor, curvature, noise, batch: 2 * floor * curvature * batch / (noise + floor * curvature**2 * batch)
    ),
    "the batch was left out": lambda floor, curvature, noise, batch: exact_rate(floor, curvature, noise, 1),
    "the variance was multiplied with the batch: it is divided by it": (
        lambda floor, curvature, noise, batch: exact_rate(floor, curvature, noise, 1 / batch)
    ),
    "the variance was divided by the root of the batch: by the batch itself": (
        lambda floor, curvature, noise, batch: exact_rate(floor, curvature, noise, batch**0.5)
    ),
    "the square of the curvature is missing": (
        lambda floor, curvature, noise, batch: 2 * floor * curvature * batch / (noise**2 + floor * curvature * batch)
    ),
    "the 2 is missing: the square (1 - eta lambda)^2 has the middle term 2 eta lambda": (
        lambda floor, curvature, noise, batch: exact_rate(floor, curvature, noise, batch) / 2
    ),
    "a sign is wrong: both terms with eta squared have a plus": (
        lambda floor, curvature, noise, batch: 2 * floor * curvature * batch / (noise**2 - floor * curvature**2 * batch)
    ),
    "floor is the mean of d squared already: it was squared once more": (
        lambda floor, curvature, noise, batch: exact_rate(floor**2, curvature, noise, batch)
    ),
    "floor was taken for the loss, curvature times d squared over 2": (
        lambda floor, curvature, noise, batch: exact_rate(2 * floor / curvature, curvature, noise, batch)
    ),
    "the answer is upside down": lambda floor, curvature, noise, batch: 1 / exact_rate(floor, curvature, noise, batch),
}


def floor_problem(rng, rate):
    """(floor, curvature, noise, batch) for which this share of the largest stable rate, 2 / curvature, is right."""
    curvature, noise, batch = float(rng.uniform(1.5, 4)), float(rng.uniform(1.5, 3)), int(rng.integers(3, 40))
    lr = rate * 2 / curvature
    return lr * noise**2 / (batch * curvature * (2 - lr * curvature)), curvature, noise, batch


def after_a_step(problem, rate):
    floor, curvature, noise, batch = problem
    return float((1 - rate * curvature) ** 2 * floor + rate**2 * noise**2 / batch)


def settles(rate_for, problems):
    def step_of(*problem):
        rate = expect_number(rate_for(*problem), "rate_for(floor, curvature, noise, batch)")
        zero = "eta = 0 was taken, where nothing moves: the other solution is asked for"
        expect_true(
            rate > 0,
            f"rate_for gave {rate:.4g}: a rate is above 0",
            mistake=zero if rate == 0 else "a term has the wrong sign",
        )
        return after_a_step(problem, rate)

    expect_calls(
        step_of,
        problems,
        lambda floor, *rest: floor,
        what=lambda floor, curvature, noise, batch: (
            f"the mean of d squared, {floor:.3g} before, after a step at the rate that "
            f"rate_for({floor:.3g}, {curvature:.3g}, {noise:.3g}, {batch}) gave,"
        ),
        mistakes={name: lambda *p, wrong=wrong: after_a_step(p, wrong(*p)) for name, wrong in RATES.items()},
    )


@case("rate_for: small rates")
def small_rates(rate_for, *, rng):
    settles(rate_for, [floor_problem(rng, rng.uniform(0.05, 0.1)) for _ in range(3)])


@case("rate_for: large rates", points=3)
def large_rates(rate_for, *, rng):
    settles(rate_for, [floor_problem(rng, rng.uniform(0.5, 0.9)) for _ in range(3)])


@case("rate_for: large rates, other inputs", hidden=True)
def large_rates_again(rate_for, *, rng):
    large_rates(rate_for, rng=rng)


Q7 = question(
    "08.7",
    title="Accumulate gradients",
    minutes=10,
    hints=[
        "`range(0, count, most)` gives the first example of each part. `min(first + most, count)` is where it ends.",
        "A mean of means is the mean of all only if all parts are equally large. What does a part of 6 count, beside parts of 16?",
        "Turn each mean into a sum: multiply by the number of its examples. Divide once, at the end.",
    ],
)


def watched(each, most):
    """gradient_of for these gradients of single examples; the examples that were asked for; what was wrong with a call.

    It answers wrong calls as well: an error here would look like one of the student's.
    """
    asked, wrong = [], []

    def gradient_of(first, last):
        call = f"gradient_of({first}, {last})"
        if not all(isinstance(i, (int, np.integer)) for i in (first, last)):
            call = f"gradient_of({inspect_value(first)}, {inspect_value(last)})"
            wrong.append((call, "it takes whole numbers", "/ gives a float: // rounds down to a whole number"))
            return each.mean(axis=0)
        first, last, count = int(first), int(last), len(each)
        if last > count:
            says = "the last part goes past the end: it ends at min(first + most, count)"
            wrong.append((call, f"there are {count} examples", says))
        elif not 0 <= first < last:
            wrong.append((call, "that is no part", "a part is empty, or begins before example 0"))
        elif last - first > most:
            says = "all examples were asked for at once" if last - first == count else None
            wrong.append((call, f"{last - first} examples, where {most} fit", says))
        asked.extend(range(first, last))
        return each[first:last].mean(axis=0) if 0 <= first < min(last, count) else each.mean(axis=0)

    return gradient_of, asked, wrong


def in_parts(each, most, *, weigh=len, over=lambda parts, count, most: count, skip=0):
    """A sum over parts, each with a weight, and divided."""
    parts = [each[i : i + most] for i in range(0, len(each) - skip, most)]
    return sum(weigh(part) * part.mean(axis=0) for part in parts) / over(parts, len(each), most)


def accumulation_case(accumulated, rng, remainder):
    most, parts = int(rng.integers(4, 8)), int(rng.integers(3, 6))
    count = most * parts + remainder(most)
    each = rng.standard_normal((count, int(rng.integers(2, 4)), int(rng.integers(4, 6))))
    gradient_of, asked, wrong = watched(each, most)
    got = accumulated(gradient_of, count, most)
    for call, reason, says in wrong[:1]:
        expect_true(False, f"{call} was asked for: {reason}", mistake=says, got=got)
    what = f"accumulated(gradient_of, {count}, {most})"
    mistakes = {
        "the gradients were added, not averaged": in_parts(each, most, weigh=lambda part: 1, over=lambda *_: 1),
        "the mean of each part counts alike, the small last one too: each counts with the number of its examples": (
            in_parts(each, most, weigh=lambda part: 1, over=lambda parts, count, most: len(parts))
        ),
        "each mean was divided by the number of all examples: multiply it by those of its part": (
            in_parts(each, most, weigh=lambda part: 1)
        ),
        "the sum over the examples came back: it was not divided by their number": in_parts(
            each, most, over=lambda *_: 1
        ),
        "each mean was multiplied by most / count: the last part has fewer examples": (
            in_parts(each, most, weigh=lambda part: 1, over=lambda parts, count, most: count / most)
        ),
        "it was divided by count // most: the last, smaller part was not counted": (
            in_parts(each, most, weigh=lambda part: 1, over=lambda parts, count, most: count // most)
        ),
        "the last example of each part is missing: `last` is one past it, as in a slice": sum(
            part[:-1].sum(axis=0) for part in (each[i : i + most] for i in range(0, count, most))
        )
        / count,
        "the last example of each part is missing, and counted: `last` is one past it, as in a slice": sum(
            len(part) * part[:-1].mean(axis=0)
            for part in (each[i : i + most] for i in range(0, count, most))
            if len(part) > 1
        )
        / count,
        "only the last part came back": each[(count - 1) // most * most :].mean(axis=0),
        "only the first part came back": each[:most].mean(axis=0),
    }
    if count % most:
        whole = count // most * most
        mistakes |= {
            "the smaller last part was left out": each[:whole].mean(axis=0),
            "the smaller last part was left out, and its examples counted": each[:whole].sum(axis=0) / count,
        }
    expect_equal(got, each.mean(axis=0), what=what, mistakes=mistakes)
    expect_true(len(set(asked)) == len(asked), f"{what} asked for examples twice", mistake="the parts overlap")
    expect_true(set(asked) == set(range(count)), f"{what} did not ask for every example")


@case("accumulated: parts of equal size")
def accumulation_even(accumulated, *, rng):
    accumulation_case(accumulated, rng, lambda most: 0)


@case("accumulated: a smaller last part", points=2)
def accumulation_uneven(accumulated, *, rng):
    accumulation_case(accumulated, rng, lambda most: int(rng.integers(1, most)))


@case("accumulated: a smaller last part, other inputs", hidden=True)
def accumulation_uneven_again(accumulated, *, rng):
    accumulation_uneven(accumulated, rng=rng)


Q8 = question(
    "08.8",
    title="Average the weights",
    minutes=10,
    hints=[
        "Two things go from step to step: `w`, which the gradient is taken at, and the average, which nothing else reads.",
        "The order in a step: gradient at `w`, new `w`, and then the average, with the new `w`.",
        "At the first step there is no average yet: it becomes `w` as it is after the update.",
    ],
)


def averaged_run(
    x, y, w, lr, beta, *, start="first", order="after", at="w", swap=False, plain=False, reset=False, part=1
):
    """The training with its average, and what comes of it when a part is changed."""
    average = {"first": None, "before": w, "zero": np.zeros_like(w)}[start]
    steps = 0
    for t, (xb, yb) in enumerate(zip(x, y, strict=True), start=1):
        place = average if at == "a" and average is not None else w
        old, gradient = w, mean_squared_error(xb, yb, place)[part]
        w = (place if reset else w) - lr * gradient
        new = old if order == "before" else w
        share = 1 - 1 / t if plain else (1 - beta if swap else beta)
        average = new if average is None else share * average + (1 - share) * new
        steps += 1
    return {"w": w, "a": average}


def averaged_back(x, y, w, lr, beta):
    """The average put back into the training after each step."""
    average = None
    for xb, yb in zip(x, y, strict=True):
        w = w - lr * mean_squared_error(xb, yb, w)[1]
        w = average = w if average is None else beta * average + (1 - beta) * w
    return {"w": w, "a": average}


def averaged_gradients(x, y, w, lr, beta):
    """Begun as it should be, and then the gradients enter the average."""
    average = None
    for xb, yb in zip(x, y, strict=True):
        gradient = mean_squared_error(xb, yb, w)[1]
        w = w - lr * gradient
        average = w if average is None else beta * average + (1 - beta) * gradient
    return average


def mean_squared_error(x, y, w):
    error = x @ w - y
    return np.mean(error**2), 2 * x.T @ error / len(x)


AVERAGES = {
    "the gradient was taken at the average: the training never sees it": {"at": "a"},
    "the training went on from the average: it never sees it": {"at": "a", "reset": True},
    "beta and 1 - beta are the wrong way round": {"swap": True},
    "the average began as the weights that came in: it begins after the first update": {"start": "before"},
    "the average began at 0: it begins as the weights after the first update": {"start": "zero"},
    "the weights entered the average before their update": {"order": "before"},
    "this is the plain mean of all weights: here the old average keeps the share beta": {"plain": True},
}


def average_case(train_averaged, rng, steps):
    count, features = int(rng.integers(2, 5)), int(rng.integers(3, 6))
    x, y = rng.standard_normal((steps, count, features)), rng.standard_normal((steps, count))
    w, lr, beta = rng.standard_normal(features), float(rng.uniform(0.02, 0.06)), float(rng.uniform(0.6, 0.85))
    want = averaged_run(x, y, w, lr, beta)
    mistakes = {says: averaged_run(x, y, w, lr, beta, **changed) for says, changed in AVERAGES.items()}
    last, on = averaged_run(x[-1:], y[-1:], w, lr, beta)["w"], averaged_back(x, y, w, lr, beta)
    gradients, taken = averaged_gradients(x, y, w, lr, beta), averaged_run(x, y, w, lr, beta, part=0)
    mistakes |= {
        "the average was corrected for a start at 0: it does not start there": {
            "a": averaged_run(x, y, w, lr, beta, start="zero")["a"] / (1 - beta**steps)
        },
        "the average is that of the last update alone"
        + (", or one array with w, which -= changes" if steps == 2 else ""): {"a": want["w"]},
        "the average is one array with w, which -= changes: it begins with the second update": {
            "a": averaged_run(x[1:], y[1:], averaged_run(x[:1], y[:1], w, lr, beta)["w"], lr, beta)["a"]
        },
        "every batch saw the first weights": {"w": last, "a": last},
        "the training went on from the average: it never sees it": {"w": on["a"], "a": on["a"]},
        "the gradients were averaged, not the weights": {"a": gradients},
        "the loss was taken for the gradient: loss_and_gradient gives both, the loss first": taken,
        "the weights moved along the gradient, not against it": averaged_run(x, y, w, -lr, beta),
    }
    expect_results(
        train_averaged(x.copy(), y.copy(), w.copy(), lr, beta),
        want,
        what=f"train_averaged(x, y, w, {lr:.3g}, {beta:.3g}) with {steps} {'batch' if steps == 1 else 'batches'}",
        mistakes=mistakes,
    )


@case("train_averaged: how the average begins")
def average_begins(train_averaged, *, rng):
    average_case(train_averaged, rng, 2)


@case("train_averaged: many updates", points=2)
def average_goes_on(train_averaged, *, rng):
    average_case(train_averaged, rng, int(rng.integers(6, 10)))


@case("train_averaged: many updates, other inputs", hidden=True)
def average_goes_on_again(train_averaged, *, rng):
    average_goes_on(train_averaged, rng=rng)


def _stepwise(expression):
    return f"def step_decay(lr, drop, every, step):\n    return {expression}"


def _exponential(expression):
    return f"def exponential_decay(lr, rate, step):\n    return {expression}"


def _cosine(share, up="lr * step / warm"):
    return f"""
def warm_cosine(lr, warm, total, step):
    if step < warm:
        return {up}
    share = {share}
    return lr / 2 * (1 + np.cos(np.pi * share))
"""


def _rates(expression):
    return f"def test_rates(low, high, steps):\n    return {expression}"


def _test(first="losses[t], g = loss_and_gradient(x[t], y[t], w)", second=None, third="w = w - lr * g", stop="4"):
    check = f"if losses[t] > {stop} * np.nanmin(losses):\n            break" if second is None else second
    return f"""
def range_test(x, y, w, rates):
    losses = np.full(len(rates), np.nan)
    for t, lr in enumerate(rates):
        {first}
        {check}
        {third}
    return losses
"""


def _smooth(start="0.0", line="mean = beta * mean + (1 - beta) * loss", value="mean / (1 - beta ** (t + 1))"):
    return f"""
def smooth(losses, beta):
    mean, result = {start}, []
    for t, loss in enumerate(losses):
        {line}
        result.append({value})
    return np.array(result)
"""


def _steepest(back, end="np.argmin(smoothed) + 1", against="np.log10(rates[:end])"):
    return f"""
def steepest(rates, smoothed):
    end = {end}
    slope = np.gradient(smoothed[:end], {against})
    return {back}
"""


def _train(step="len(used)", stop="len(x)", more="", gradient="gradient"):
    return f"""
def train(x, y, w, rate_at, size, epochs):
    used = []
    for epoch in range(epochs):
        for start in range(0, {stop}, size):
            xb, yb = x[start : start + size], y[start : start + size]
            {more}
            loss, gradient = loss_and_gradient(xb, yb, w)
            used.append(rate_at({step}))
            w = w - used[-1] * {gradient}
    return w, used
"""


def _rate_for(expression):
    return f"def rate_for(floor, curvature, noise, batch):\n    return {expression}"


def _accumulated(
    line="total = total + (last - first) * gradient_of(first, last)", back="total / count", last=None, more=""
):
    return f"""
def accumulated(gradient_of, count, most):
    total, parts = 0, 0
    for first in range(0, count, most):
        last = {last or "min(first + most, count)"}
        parts = parts + 1
        {line}
    return {back}
"""


def _averaged(
    at="w",
    start="w if average is None else ",
    line="beta * average + (1 - beta) * w",
    first="None",
    back="w, average",
    w="w - lr * gradient",
):
    return f"""
def train_averaged(x, y, w, lr, beta):
    average = {first}
    for t in range(len(x)):
        gradient = loss_and_gradient(x[t], y[t], {at})[1]
        old, w = w, {w}
        average = {start}{line}
    return {back}
"""


SENTENCES = {  # of the task, and the cases that test it
    "08.1": {
        "multiplies the rate by $d$ after every $k$ steps": [
            "step_decay: in between the drops",
            "step_decay: the steps before and at a drop",
        ],
        "leaves it alone in between": ["step_decay: in between the drops"],
        "The brackets $\\lfloor\\ \\rfloor$ round down.": [
            "step_decay: in between the drops",
            "step_decay: the steps before and at a drop",
        ],
        "The exponential decay multiplies by $r$ in every step": ["exponential_decay"],
    },
    "08.2": {
        "from 0 at step 0 to $\\eta$ at step `warm`": ["warm_cosine: during the warm-up, and after the end"],
        "Then it falls along half a cosine, from $\\eta$ at step `warm` to 0 at step `total`": [
            "warm_cosine: on the way down"
        ],
        "After step `total` it stays at 0.": ["warm_cosine: during the warm-up, and after the end"],
    },
    "08.3": {
        "The first is `low`, the last is `high`, and each is the same factor times the one before.": ["test_rates"],
        "makes one update for each rate by gradient descent": ["range_test: losses while nothing goes wrong"],
        "the loss of each batch *before* its update": ["range_test: losses while nothing goes wrong"],
        "When a loss is more than four times the lowest loss so far": [
            "range_test: losses while nothing goes wrong",
            "range_test: the end of the test",
        ],
        "that loss is kept, the test ends, and all later entries are NaN": ["range_test: the end of the test"],
        "returns `steps` rates as an array": ["test_rates"],
    },
    "08.4": {
        "As in Adam it starts at 0 and is corrected for that": ["smooth"],
        "returns all the $\\hat m_t$, an array of the shape of `losses`": ["smooth"],
        "where the slope of the smoothed loss against $\\log_{10}$ of the rate is lowest": [
            "steepest: the rate where the loss falls fastest"
        ],
        "Look only at the entries up to the lowest smoothed loss": ["steepest: the rate where the loss falls fastest"],
        "this one included, and take the slopes of these alone": ["steepest: the fall ends at the lowest loss"],
    },
    "08.5": {
        "go over all examples once in each epoch, in their order": [
            "train: batches of equal size",
            "train: a smaller last batch",
        ],
        "where `size` does not divide their number, the last batch is smaller": ["train: a smaller last batch"],
        "counted from 0 over the whole training": ["train: batches of equal size"],
    },
    "08.6": {
        "which rate $\\eta > 0$ has the floor $F$": ["rate_for: small rates", "rate_for: large rates"],
        "without leaving anything out for being small": ["rate_for: large rates"],
    },
    "08.7": {
        "It returns the gradient of the mean loss of the examples 0 to `count - 1` all together, to rounding": [
            "accumulated: parts of equal size",
            "accumulated: a smaller last part",
        ],
        "whether `most` divides `count` or not": ["accumulated: a smaller last part"],
        "It asks for each example once, and never for more than `most` at a time.": [
            "accumulated: parts of equal size",
            "accumulated: a smaller last part",
        ],
    },
    "08.8": {
        "It makes one update by gradient descent for each batch, with the constant rate `lr`": [
            "train_averaged: many updates"
        ],
        "The average begins as the weights after the first update.": ["train_averaged: how the average begins"],
        "the new weights enter it with the share $1 - \\beta$, and what was there before keeps the share $\\beta$": [
            "train_averaged: how the average begins",
            "train_averaged: many updates",
        ],
        "The training itself never sees $a$": ["train_averaged: many updates"],
        "The function returns `(w, a)`, the last weights and the last average.": ["train_averaged: many updates"],
    },
}

WRONG = [
    Wrong("08.7", _accumulated("total = total + gradient_of(first, last)", "total / parts"), "counts alike"),
    Wrong("08.7", _accumulated("total = total + gradient_of(first, last)", "total"), "added, not averaged"),
    Wrong("08.7", _accumulated("total = total + gradient_of(first, last)"), "divided by the number of all examples"),
    Wrong("08.7", _accumulated(back="total"), "it was not divided by their number"),
    Wrong("08.7", _accumulated("total = total + most * gradient_of(first, last)"), "multiplied by most / count"),
    Wrong(
        "08.7",
        _accumulated("total = total + gradient_of(first, last)", "total / (count / most)"),
        "the last part has fewer examples",
    ),
    Wrong(
        "08.7", _accumulated("total = total + gradient_of(first, last)", "total / (count // most)"), "was not counted"
    ),
    Wrong("08.7", _accumulated("total = gradient_of(first, last)", "total"), "only the last part came back"),
    Wrong(
        "08.7",
        _accumulated("total = total + (last - first) * gradient_of(first, last)", last="min(first + most, count) - 1"),
        "the last example of each part is missing",
    ),
    Wrong(
        "08.7",
        _accumulated(
            "total = total + (last + 1 - first) * gradient_of(first, last)", last="min(first + most, count) - 1"
        ),
        "is missing, and counted",
    ),
    Wrong("08.7", _accumulated(last="first + most"), "goes past the end"),
    Wrong("08.7", "def accumulated(gradient_of, count, most):\n    return gradient_of(0, count)", "asked for at once"),
    Wrong(
        "08.7",
        _accumulated()
        .replace("range(0, count, most)", "range(0, count - most + 1, most)")
        .replace("total / count", "total / (parts * most)"),
        "the smaller last part was left out",
    ),
    Wrong("08.8", _averaged(at="w if average is None else average"), "the gradient was taken at the average"),
    Wrong("08.8", _averaged(back="average, average"), "has a wrong value"),
    Wrong("08.8", _averaged(line="(1 - beta) * average + beta * w"), "beta and 1 - beta are the wrong way round"),
    Wrong("08.8", _averaged(first="w", start=""), "began as the weights that came in"),
    Wrong("08.8", _averaged(first="np.zeros_like(w)", start=""), "the average began at 0"),
    Wrong(
        "08.8",
        _averaged(start="old if average is None else ", line="beta * average + (1 - beta) * old"),
        "entered the average before their update",
    ),
    Wrong(
        "08.8",
        _averaged(first="None\n    w = w.copy()").replace("old, w = w, w - lr * gradient", "w -= lr * gradient"),
        "it begins with the second update",
    ),
    Wrong("08.8", _averaged(line="average + (w - average) / (t + 1)"), "this is the plain mean"),
    Wrong("08.8", _averaged(line="beta * average + (1 - beta) * gradient"), "the gradients were averaged"),
    Wrong("08.8", _averaged().replace("{at})[1]", "{at})[0]").replace("w)[1]", "w)[0]"), "the loss was taken"),
    Wrong(
        "08.8",
        _averaged().replace("(1 - beta) * w\n", "(1 - beta) * w\n        w = average\n"),
        "the training went on from the average",
    ),
    Wrong("08.8", _averaged(line="w"), "of the last update alone"),
    Wrong("08.8", _averaged(w="w + lr * gradient"), "along the gradient"),
    Wrong("08.8", _averaged(back="average, w"), "the wrong order"),
    Wrong(
        "08.8",
        _averaged(first="np.zeros_like(w)", start="", back="w, average / (1 - beta ** len(x))"),
        "it does not start there",
    ),
    Wrong("08.1", _stepwise("lr * drop ** round(step / every)"), "to the nearest whole number"),
    Wrong("08.1", _stepwise("lr - drop * (step // every)"), "drop was subtracted once for each drop"),
    Wrong("08.1", _stepwise("lr * drop if step % every == 0 else lr"), "back at lr in between"),
    Wrong("08.1", _stepwise("lr * (1 - drop) ** (step // every)"), "1 - drop was used as the factor"),
    Wrong("08.1", _stepwise("lr * drop ** (step // every + 1)"), "one drop too many"),
    Wrong("08.1", _stepwise("lr * drop ** (step // every) if step else lr * drop"), "step 0 is taken for a drop"),
    Wrong("08.1", _stepwise("lr * drop ** (step % every)"), "the remainder % was used"),
    Wrong("08.1", _exponential("lr * np.exp(-step * np.log(rate))"), "it grows"),
    Wrong("08.2", _cosine("max((step - warm) / (total - warm), 1)"), "the larger of share and 1 was taken (max)"),
    Wrong("08.2", _cosine("min((step - warm) / (total - warm), 0)"), "the share was held at 0"),
    Wrong("08.2", _cosine("min((step - warm) // (total - warm), 1)"), "divided with //"),
    Wrong("08.2", _cosine("min(np.pi * (step - warm) / (total - warm), 1)"), "pi is in the share as well"),
    Wrong("08.2", _cosine("min((step - warm) / (total - warm - 1), 1)"), "one step too short"),
    Wrong("08.2", _cosine("step - warm / total - warm"), "brackets are missing"),
    Wrong("08.3", _test(second="if losses[t] > 4 * losses[0]:\n            break"), "four times the first loss"),
    Wrong(
        "08.3",
        _test(second="if t and losses[t] > 4 * losses[t - 1]:\n            break"),
        "four times the loss before it",
    ),
    Wrong("08.3", _test(stop="3"), "with three times the lowest"),
    Wrong("08.3", _test(stop="5"), "with five times the lowest"),
    Wrong("08.3", _test(stop="10"), "with ten times the lowest"),
    Wrong(
        "08.3",
        _test(second="if losses[t] > 4 * np.min(losses):\n            break"),
        "np.min of an array with NaN is NaN",
    ),
    Wrong(
        "08.3",
        _test()
        .replace("np.full(len(rates), np.nan)", "np.zeros(len(rates))")
        .replace("np.nanmin(losses)", "losses[: t + 1].min()"),
        "they are to be NaN",
    ),
    Wrong(
        "08.4", _smooth(value="mean / (1 - beta**t) if t else np.inf"), "so it is t + 1, and at t = 0 this divides by 0"
    ),
    Wrong("08.4", _smooth(value="mean / (1 - beta * (t + 1))"), "in place of raising to this power"),
    Wrong("08.4", _smooth().replace("return np.array(result)", "return result[-1]"), "only the last mean came back"),
    Wrong(
        "08.4",
        _steepest("rates[np.argmin(slope)]", end="np.argmin(smoothed)"),
        "the entry of the lowest loss was left out",
    ),
    Wrong(
        "08.4",
        "def steepest(rates, smoothed):\n    end = np.argmin(smoothed) + 1\n"
        "    return rates[np.gradient(smoothed, np.log10(rates))[:end].argmin()]",
        "cut first",
    ),
    Wrong("08.4", _steepest("rates[np.argmax(np.abs(slope))]"), "the steepest slope of either sign"),
    Wrong(
        "08.4",
        "def steepest(rates, smoothed):\n    end = np.argmin(smoothed) + 1\n"
        "    return rates[(np.diff(smoothed[:end]) / np.diff(np.log10(rates[:end]))).argmin()]",
        "np.diff was used",
    ),
    Wrong("08.5", _train("epoch", "len(x) - size"), "nothing was repaired"),
    Wrong("08.5", _train("epoch"), "the schedule is still counted in epochs"),
    Wrong("08.5", _train(stop="len(x) - size"), "the last batch of each epoch is still missing"),
    Wrong("08.5", _train("start // size"), "the schedule starts anew in each epoch"),
    Wrong("08.5", _train("epoch * len(x) + start"), "examples were counted, not updates"),
    Wrong("08.5", _train("epoch * (len(x) // size) + start // size"), "was not counted as an update"),
    Wrong("08.5", _train("len(used) + 1"), "updates were counted from 1"),
    Wrong("08.5", _train(more="if len(xb) < size: continue"), "the last batch of each epoch is still missing"),
    Wrong("08.5", _train(gradient="gradient * len(xb) / size"), "not by its own length"),
    Wrong("08.6", _rate_for("2 * floor * curvature * batch / noise**2"), "the term with eta squared was left out"),
    Wrong(
        "08.6",
        _rate_for("2 * floor * curvature * batch / (noise + floor * curvature**2 * batch)"),
        "its square is the variance",
    ),
    Wrong("08.6", _rate_for("2 * floor * curvature / (noise**2 + floor * curvature**2)"), "the batch was left out"),
    Wrong(
        "08.6", _rate_for("floor * noise**2 / (batch * curvature * (2 - floor * curvature))"), "the rate for this floor"
    ),
    Wrong(
        "08.6", _rate_for("floor * curvature * batch / (noise**2 + floor * curvature**2 * batch)"), "the 2 is missing"
    ),
    Wrong("08.1", _stepwise("lr * drop ** (step / every)"), "the exponent was not rounded down"),
    Wrong("08.1", _stepwise("lr * drop ** ((step + 1) // every)"), "the drop comes one step too early"),
    Wrong("08.1", _stepwise("lr * drop ** (max(step - 1, 0) // every)"), "the drop comes one step too late"),
    Wrong("08.1", _stepwise("lr / drop ** (step // every)"), "divided by drop: it grows"),
    Wrong("08.1", _stepwise("lr * drop * (step // every)"), "a factor, not an exponent"),
    Wrong("08.1", _stepwise("lr * (drop if step >= every else 1)"), "dropped once only"),
    Wrong("08.1", _exponential("lr * rate * step"), "the step is a factor, not an exponent"),
    Wrong("08.1", _exponential("lr * np.exp(-rate * step)"), "the rate itself is the factor of a step"),
    Wrong("08.1", _exponential("lr * rate ** (step + 1)"), "at step 0 the rate is lr"),
    Wrong("08.1", _exponential("(lr * rate) ** step"), "lr was raised to the power"),
    Wrong("08.1", _exponential("lr / (1 + rate * step)"), "this is the simple decay"),
    Wrong("08.2", _cosine("min(step / total, 1)"), "the share does not begin at 0"),
    Wrong("08.2", _cosine("min((step - warm) / total, 1)"), "not subtracted from the length"),
    Wrong("08.2", _cosine("(step - warm) / (total - warm)"), "the rate grows again after the last step"),
    Wrong("08.2", _cosine("1 - min((step - warm) / (total - warm), 1)"), "the share runs from 1 to 0"),
    Wrong("08.2", _cosine("min(step / (total - warm), 1)"), "the cosine starts in the middle"),
    Wrong("08.3", _rates("np.linspace(low, high, steps)"), "in a straight line"),
    Wrong("08.3", _rates("low * (high / low) ** (np.arange(steps) / steps)"), "the last rate is not high"),
    Wrong("08.3", _rates("np.logspace(low, high, steps)"), "np.logspace takes exponents"),
    Wrong("08.3", _rates("np.geomspace(high, low, steps)"), "the rates fall"),
    Wrong(
        "08.3",
        _test(
            "_, g = loss_and_gradient(x[t], y[t], w)",
            "w = w - lr * g",
            "losses[t], _ = loss_and_gradient(x[t], y[t], w)\n        if losses[t] > 4 * np.nanmin(losses):\n"
            "            break",
        ),
        "the loss was measured after the update",
    ),
    Wrong("08.3", _test(third="v = w - lr * g"), "every batch saw the first w"),
    Wrong("08.3", _test(third="w = w - rates[0] * g"), "every update used the first rate"),
    Wrong("08.3", _test(third="w = w + lr * g"), "along the gradient, not against it"),
    Wrong("08.3", _test(second="pass"), "the test went on after"),
    Wrong(
        "08.3",
        _test(second="if losses[t] > 4 * np.nanmin(losses):\n            losses[t] = np.nan\n            break"),
        "the loss that ended the test was not kept",
    ),
    Wrong("08.4", _smooth(value="mean"), "the correction is missing"),
    Wrong("08.4", _smooth(line="mean = (1 - beta) * mean + beta * loss"), "the wrong way round"),
    Wrong("08.4", _smooth(value="mean / (1 - beta ** (t + 2))"), "one too large"),
    Wrong("08.4", _smooth(start="losses[0]", value="mean"), "starts at the first loss"),
    Wrong(
        "08.4",
        _smooth(line="mean = (beta * mean + (1 - beta) * loss) / (1 - beta ** (t + 1))", value="mean"),
        "the corrected mean was carried on",
    ),
    Wrong("08.4", _steepest("np.argmin(slope)"), "an index was returned"),
    Wrong("08.4", _steepest("rates[np.argmin(slope)]", end="len(rates)"), "after the lowest loss were looked at"),
    Wrong("08.4", _steepest("rates[np.argmin(slope)]", against="rates[:end]"), "not against its logarithm"),
    Wrong("08.4", _steepest("rates[end - 1]"), "the rate of the lowest loss was returned"),
    Wrong("08.4", _steepest("slope.min()"), "the slope was returned, not the rate"),
]

RIGHT = [
    Right(
        "08.7",
        """
def accumulated(gradient_of, count, most):
    edges = list(range(0, count, most)) + [count]
    parts = [gradient_of(a, b) for a, b in zip(edges, edges[1:])]
    return np.average(parts, axis=0, weights=np.diff(edges))
""",
    ),
    Right(
        "08.7",
        """
def accumulated(gradient_of, count, most):
    if count <= most:
        return gradient_of(0, count)
    mean, seen = gradient_of(0, 1), 1
    while seen < count:
        size = min(most, count - seen)
        mean = mean + (gradient_of(seen, seen + size) - mean) * size / (seen + size)
        seen += size
    return mean
""",
    ),
    Right(
        "08.8",
        """
def train_averaged(x, y, w, lr, beta):
    path = []
    for t in range(len(x)):
        path.append(w := w - lr * loss_and_gradient(x[t], y[t], w)[1])
    shares = (1 - beta) * beta ** np.arange(len(path))[::-1]
    shares[0] /= 1 - beta
    return w, shares @ np.array(path)
""",
    ),
    Right(
        "08.1",
        """
def step_decay(lr, drop, every, step):
    for _ in range(int(np.floor(step / every))):
        lr = lr * drop
    return lr

def exponential_decay(lr, rate, step):
    return lr * np.exp(step * np.log(rate))
""",
    ),
    Right(
        "08.2",
        """
def warm_cosine(lr, warm, total, step):
    if step < warm:
        return lr / warm * step
    if step >= total:
        return 0.0
    return lr * np.cos(np.pi / 2 * (step - warm) / (total - warm)) ** 2
""",
    ),
    Right(
        "08.3",
        """
def test_rates(low, high, steps):
    return np.logspace(np.log10(low), np.log10(high), steps)

def range_test(x, y, w, rates):
    losses, lowest = [], np.inf
    for xb, yb, lr in zip(x, y, rates):
        loss, gradient = loss_and_gradient(xb, yb, w)
        losses.append(loss)
        lowest = min(lowest, loss)
        if loss > 4 * lowest:
            break
        w = w - lr * gradient
    return np.array(losses + [np.nan] * (len(rates) - len(losses)))
""",
    ),
    Right(
        "08.4",
        """
def smooth(losses, beta):
    result = []
    for t in range(1, len(losses) + 1):
        weights = beta ** np.arange(t)[::-1]
        result.append(np.sum(weights * losses[:t]) / weights.sum())
    return np.array(result)

def steepest(rates, smoothed):
    end = int(np.argmin(smoothed)) + 1
    return rates[:end][np.gradient(smoothed[:end], np.log(rates[:end])).argmin()]
""",
    ),
    Right("08.5", _train()),
    Right(
        "08.5",
        """
def train(x, y, w, rate_at, size, epochs):
    steps_per_epoch = -(-len(x) // size)
    rates = []
    for step in range(epochs * steps_per_epoch):
        first = (step % steps_per_epoch) * size
        xb, yb = x[first : first + size], y[first : first + size]
        lr = rate_at(step)
        w = w - lr * 2 * xb.T @ (xb @ w - yb) / len(xb)
        rates.append(lr)
    return w, rates
""",
    ),
    Right("08.6", _rate_for("2 / (curvature + noise**2 / (floor * curvature * batch))")),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "08.2": {
        "the cosine of -x is that of x": [
            "the sign of share is the wrong way round",
        ],
    },
    "08.3": {
        "no loss is exactly four times the lowest: that would hang on rounding": [
            ">= stands where > is meant: losses[t] > 4 * np.nanmin(losses)",
        ],
        "it is NaN": [
            "the sign of losses is the wrong way round",
        ],
        "only the length counts": [
            "x was used where rates is meant, in losses",
            "y was used where rates is meant, in losses",
        ],
    },
    "08.4": {
        "another base changes all slopes by one factor, so the lowest stays": [
            "log was taken where log10 is meant, in slope",
        ],
    },
    "08.7": {
        "it is 0": ["the sign of total is the wrong way round"],
        "after the loop they are equal": ["last was used where count is meant, in what is returned"],
    },
}
