"""Chapter 08 for its sheet."""

import numpy as np

from coursekit import schedules


def loss_and_gradient(x, y, w):
    """$\\hat g$"""
    error = x @ w - y
    return np.mean(error**2), 2 * x.T @ error / len(x)


def step_decay(lr, drop, every, step):
    """:pyobject: step_decay.__call__"""
    return schedules.step_decay(lr, drop, every)(step)


def exponential_decay(lr, rate, step):
    """:pyobject: step_decay.__call__"""
    return schedules.step_decay(lr, rate, 1)(step)


def warm_cosine(lr, warm, total, step):
    """:pyobject: warmup.__call__"""
    return schedules.warmup(schedules.cosine(lr, total - warm), warm, start=0.0)(step)


def test_rates(low, high, steps):
    r"""\eta_t = \eta_\text{low} \left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{t/(T-1)}."""
    return low * (high / low) ** (np.arange(steps) / (steps - 1))


def range_test(x, y, w, rates):
    r"""\eta_t = \eta_\text{low} \left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{t/(T-1)}."""
    losses = np.full(len(rates), np.nan)
    for t, lr in enumerate(rates):
        losses[t], gradient = loss_and_gradient(x[t], y[t], w)
        if losses[t] > 4 * np.nanmin(losses):
            break
        w = w - lr * gradient
    return losses


def smooth(losses, beta):
    """:pyobject: RangeTest.steepest"""
    mean, out = 0.0, []
    for t, loss in enumerate(losses):
        mean = beta * mean + (1 - beta) * loss
        out.append(mean / (1 - beta ** (t + 1)))
    return np.array(out)


def steepest(rates, smoothed):
    """:pyobject: RangeTest.steepest"""
    end = int(np.nanargmin(smoothed)) + 1
    slope = np.gradient(smoothed[:end], np.log10(rates[:end]))
    return float(rates[slope.argmin()])


def accumulated(gradient_of, count, most):
    r"""\frac1k \sum_{j=1}^{k} \hat g_j = \hat g \quad \text{of the } kB \text{ examples together}."""
    parts = [gradient_of(first, min(first + most, count)) for first in range(0, count, most)]
    return sum(parts) / len(parts)


def train_averaged(x, y, w, lr, beta):
    r"""a \leftarrow \beta a + (1 - \beta)\, w."""
    average = None
    for xb, yb in zip(x, y, strict=True):
        w = w - lr * loss_and_gradient(xb, yb, w)[1]
        average = w if average is None else beta * average + (1 - beta) * w
    return w, average
