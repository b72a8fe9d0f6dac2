"""Cases of exercise sheet 08, learning rate and batch size."""

import math

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_shape

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


def stepwise_mistakes(lr, drop, every, step):
    return {
        "the exponent was not rounded down: the rate falls in every step": lr * drop ** (step / every),
        "steps were counted from 1: the drop comes one step too early": lr * drop ** ((step + 1) // every),
        "the drop comes one step too late": lr * drop ** (max(step - 1, 0) // every),
        "the rate was divided by drop: it grows": lr / drop ** (step // every),
        "the rate was multiplied with drop once for each step": lr * drop**step,
        "the number of drops is a factor, not an exponent": lr * drop * (step // every),
        "the exponent was rounded up": lr * drop ** math.ceil(step / every),
        "the rate dropped once only, not after every `every` steps": lr * (drop if step >= every else 1),
    }


@case("step_decay: in between the drops")
def stepwise(step_decay, *, rng):
    lr, drop, every = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.8), int(rng.integers(20, 60))
    k = int(rng.integers(2, 5))
    for step in (0, k * every + every // 3):
        expect_equal(
            step_decay(lr, drop, every, step),
            lr * drop ** (step // every),
            what=f"step_decay(lr={lr:.3g}, drop={drop:.3g}, every={every}, step={step})",
            mistakes=stepwise_mistakes(lr, drop, every, step),
        )


@case("step_decay: in between the drops, other inputs", hidden=True)
def stepwise_again(step_decay, *, rng):
    stepwise(step_decay, rng=rng)


@case("step_decay: the steps before and at a drop")
def stepwise_edges(step_decay, *, rng):
    lr, drop, every = rng.uniform(0.1, 0.9), rng.uniform(0.3, 0.8), int(rng.integers(20, 60))
    k = int(rng.integers(2, 5))
    for step in (k * every - 1, k * every):
        expect_equal(
            step_decay(lr, drop, every, step),
            lr * drop ** (step // every),
            what=f"step_decay(lr={lr:.3g}, drop={drop:.3g}, every={every}, step={step})",
            mistakes=stepwise_mistakes(lr, drop, every, step),
        )


@case("exponential_decay", points=2)
def exponential(exponential_decay, *, rng):
    lr, rate, step = rng.uniform(0.1, 0.9), rng.uniform(0.9, 0.99), int(rng.integers(5, 30))
    for at in (0, step):
        expect_equal(
            exponential_decay(lr, rate, at),
            lr * rate**at,
            what=f"exponential_decay(lr={lr:.3g}, rate={rate:.3g}, step={at})",
            mistakes={
                "the step is a factor, not an exponent": lr * rate * at,
                "e^(-rate * step) was used: here the rate itself is the factor of a step": lr * math.exp(-rate * at),
                "steps were counted from 1: at step 0 the rate is lr": lr * rate ** (at + 1),
                "lr was raised to the power, too": (lr * rate) ** at,
                "1 - rate was used as the factor": lr * (1 - rate) ** at,
                "the rate was divided by the factor: it grows": lr / rate**at,
                "this is the simple decay, lr / (1 + rate * step)": lr / (1 + rate * at),
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


def cosine(lr, share):
    return lr / 2 * (1 + math.cos(math.pi * share))


@case("warm_cosine: on the way down", points=2)
def cosine_down(warm_cosine, *, rng):
    lr, warm, total = rng.uniform(0.1, 0.9), int(rng.integers(10, 30)), int(rng.integers(100, 200))
    for step in (warm, int(rng.integers(warm + 20, total - 20)), total):
        expect_equal(
            warm_cosine(lr, warm, total, step),
            cosine(lr, (step - warm) / (total - warm)),
            what=f"warm_cosine(lr={lr:.3g}, warm={warm}, total={total}, step={step})",
            mistakes={
                "the share does not begin at 0 after the warm-up: subtract warm from step": cosine(
                    lr, min(step / total, 1)
                ),
                "the steps of the warm-up were not taken off the length: divide by total - warm": cosine(
                    lr, (step - warm) / total
                ),
                "warm was not subtracted from step: the cosine starts in the middle": cosine(
                    lr, min(step / (total - warm), 1)
                ),
                "the share runs from 1 to 0: the rate grows": cosine(lr, 1 - (step - warm) / (total - warm)),
            },
        )


@case("warm_cosine: during the warm-up, and after the end")
def cosine_ends(warm_cosine, *, rng):
    lr, warm, total = rng.uniform(0.1, 0.9), int(rng.integers(10, 30)), int(rng.integers(100, 200))
    step = int(rng.integers(1, warm))
    expect_equal(
        warm_cosine(lr, warm, total, step),
        lr * step / warm,
        what=f"warm_cosine(lr={lr:.3g}, warm={warm}, total={total}, step={step})",
        mistakes={"the warm-up was left out": cosine(lr, (step - warm) / (total - warm))},
    )
    late = total + int(rng.integers(10, 30))
    expect_equal(
        warm_cosine(lr, warm, total, late),
        0.0,
        what=f"warm_cosine(lr={lr:.3g}, warm={warm}, total={total}, step={late})",
        mistakes={
            "the rate grows again after the last step: keep the share at most 1": cosine(
                lr, (late - warm) / (total - warm)
            )
        },
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


@case("test_rates", points=2)
def rates_grow(test_rates, *, rng):
    low, high, steps = 10 ** rng.uniform(-5, -3), 10 ** rng.uniform(0, 1.5), int(rng.integers(6, 12))
    k = np.arange(steps)
    expect_equal(
        test_rates(low, high, steps),
        low * (high / low) ** (k / (steps - 1)),
        what=f"test_rates(low={low:.3g}, high={high:.3g}, steps={steps})",
        mistakes={
            "the rates grow in a straight line, not by a constant factor": np.linspace(low, high, steps),
            "the last rate is not high: from first to last there are steps - 1 factors, not steps": low
            * (high / low) ** (k / steps),
            "the first rate is not low: k starts at 0": low * (high / low) ** ((k + 1) / steps),
            "np.logspace takes exponents, not rates": np.logspace(low, high, steps),
            "the rates fall: from low to high is asked for": (low * (high / low) ** (k / (steps - 1)))[::-1],
            "there is one rate too many": low * (high / low) ** (np.arange(steps + 1) / steps),
        },
    )


def the_test(x, y, w, rates, *, when="before", update=True, fixed=False, stop=4.0, keep=True, sign=-1):
    """The range test, and what comes of it when a part is changed."""
    losses = np.full(len(rates), np.nan)
    for t in range(len(rates)):
        error = x[t] @ w - y[t]
        gradient = 2 * x[t].T @ error / len(error)
        moved = w + sign * (rates[0] if fixed else rates[t]) * gradient
        losses[t] = np.mean(error**2) if when == "before" else np.mean((x[t] @ moved - y[t]) ** 2)
        if stop and losses[t] > stop * np.nanmin(losses):
            losses[t] = losses[t] if keep else np.nan
            break
        w = moved if update else w
    return losses


def problem(rng, high):
    """Batches whose range test, with rates up to `high`, is a fall; with `high` large enough it ends in a rise."""
    steps, size, features = int(rng.integers(20, 30)), int(rng.integers(8, 12)), int(rng.integers(3, 6))
    x = rng.standard_normal((steps, size, features))
    y = x @ (np.sign(rng.standard_normal(features)) * rng.uniform(1, 2, features))
    y += 0.5 * rng.standard_normal(y.shape)
    return x, y, rng.standard_normal(features), np.geomspace(1e-3, high, steps)


def test_mistakes(x, y, w, rates):
    return {
        "the loss was measured after the update": the_test(x, y, w, rates, when="after"),
        "w was not kept from step to step: every batch saw the first w": the_test(x, y, w, rates, update=False),
        "every update used the first rate": the_test(x, y, w, rates, fixed=True),
        "the update goes along the gradient, not against it": the_test(x, y, w, rates, sign=1),
        "the test went on after the loss had grown more than fourfold": the_test(x, y, w, rates, stop=None),
        "the loss that ended the test was not kept": the_test(x, y, w, rates, keep=False),
        "the loss was compared with the lowest itself, not with four times it": the_test(x, y, w, rates, stop=1.0),
    }


@case("range_test: losses while nothing goes wrong", points=2)
def range_falls(range_test, *, rng):
    x, y, w, rates = problem(rng, 0.1)
    want = the_test(x, y, w, rates, stop=None)
    calm = 1  # keep the part in which no loss is near the limit
    while calm < len(want) and want[calm] < 3 * want[: calm + 1].min():
        calm += 1
    x, y, rates = x[:calm], y[:calm], rates[:calm]
    expect_equal(
        range_test(x.copy(), y.copy(), w.copy(), rates.copy()),
        the_test(x, y, w, rates),
        what=f"range_test(x, y, w, rates) with x of shape {x.shape}",
        mistakes=test_mistakes(x, y, w, rates),
    )


@case("range_test: the end of the test", points=2)
def range_ends(range_test, *, rng):
    x, y, w, rates = problem(rng, 100.0)
    expect_equal(
        range_test(x.copy(), y.copy(), w.copy(), rates.copy()),
        the_test(x, y, w, rates),
        what=f"range_test(x, y, w, rates) with rates up to {rates[-1]:.3g}",
        mistakes=test_mistakes(x, y, w, rates),
    )


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


def running(losses, beta, *, corrected=True, swapped=False, power=1):
    mean, result = 0.0, []
    for t, loss in enumerate(losses):
        mean = (1 - beta) * mean + beta * loss if swapped else beta * mean + (1 - beta) * loss
        result.append(mean / (1 - beta ** (t + power)) if corrected else mean)
    return np.array(result)


@case("smooth", points=2)
def smoothing(smooth, *, rng):
    losses, beta = rng.uniform(0.5, 2.5, int(rng.integers(8, 15))), float(rng.uniform(0.6, 0.9))
    got = smooth(losses.copy(), beta)
    expect_shape(got, losses.shape, what="smooth(losses, beta)")
    expect_equal(
        got,
        running(losses, beta),
        what=f"smooth(losses, beta={beta:.3g})",
        mistakes={
            "the correction is missing: the first means are too small": running(losses, beta, corrected=False),
            "beta and 1 - beta are the wrong way round": running(losses, beta, swapped=True),
            "the exponent of the correction is one too large: it is t + 1 with t from 0": running(
                losses, beta, power=2
            ),
            "the mean starts at the first loss, not at 0, and is not corrected": started(losses, beta),
            "the corrected mean was carried on: the next step corrects it again": twice(losses, beta),
        },
    )


def started(losses, beta):
    mean, result = losses[0], []
    for loss in losses:
        mean = beta * mean + (1 - beta) * loss
        result.append(mean)
    return np.array(result)


def twice(losses, beta):
    mean, result = 0.0, []
    for t, loss in enumerate(losses):
        mean = (beta * mean + (1 - beta) * loss) / (1 - beta ** (t + 1))
        result.append(mean)
    return np.array(result)


@case("steepest: the rate where the loss falls fastest", points=2)
def fastest(steepest, *, rng):
    rates = np.geomspace(1e-4, 10, 41)
    decades = np.log10(rates)
    knee, valley = rng.uniform(-2.6, -2.0), rng.uniform(-1.0, -0.6)
    # A slow fall, a steep one, a slow one to the lowest loss, a peak, and a fall after it that is steeper still.
    corners = [-4, knee, knee + 0.6, valley, 0.2, 0.6, 1]
    heights = [2.3, 1.9, 1.0, 0.8, 6.0, 2.4, 2.3]
    smoothed = np.interp(decades, corners, heights) + 1e-3 * rng.standard_normal(41)
    end = int(smoothed.argmin()) + 1
    slope, whole = np.gradient(smoothed[:end], decades[:end]), np.gradient(smoothed, decades)
    expect_equal(
        steepest(rates.copy(), smoothed.copy()),
        rates[slope.argmin()],
        what="steepest(rates, smoothed)",
        mistakes={
            "an index was returned, not a rate": int(slope.argmin()),
            "the entries after the lowest loss were looked at, too": rates[whole.argmin()],
            "the slope was taken against the rate, not against its logarithm": rates[
                np.gradient(smoothed[:end], rates[:end]).argmin()
            ],
            "the rate of the lowest loss was returned": rates[end - 1],
            "the largest slope was taken: where the loss rises": rates[slope.argmax()],
            "the largest slope of the whole test was taken": rates[whole.argmax()],
            "the slope was returned, not the rate": slope.min(),
            "the logarithm of the rate was returned": decades[slope.argmin()],
        },
    )


@case("steepest: the rate where the loss falls fastest, other inputs", hidden=True)
def fastest_again(steepest, *, rng):
    fastest(steepest, rng=rng)


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


WRONG = [
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
    Wrong("08.2", _cosine("min((step - warm) / total, 1)"), "not taken off the length"),
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
]
