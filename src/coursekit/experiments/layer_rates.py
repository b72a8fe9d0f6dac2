"""Chapter 15: fine-tuning at one rate for the body, or at rates that fall from each layer to the one before it."""

from __future__ import annotations

import numpy as np

from .. import _checks
from ..model import accuracy, predict
from ..optimizers import by_layer, momentum
from ..schedules import cosine
from ._bench import descend, drawn
from .transfer_learning import draw, network, problem, start

FALLS = {"one rate": 1.0, "falling rates": 1 / 2.6}  # from a layer to the one before it (Howard and Ruder 2018)


def rates(way: str, lr: float, names) -> dict:
    """{layer: its rate}: the head and the layer before it at `lr`, the others lower by the fall for each layer.

    >>> {name: round(rate, 4) for name, rate in rates("falling rates", 0.1, ["conv", "dense", "head"]).items()}
    {'conv': 0.0385, 'dense': 0.1, 'head': 0.1}
    """
    *body, head = names
    fall = FALLS[_checks.choice("way", way, FALLS)]
    return {name: lr * fall ** (len(body) - 1 - k) for k, name in enumerate(body)} | {head: lr}


def tuned(way: str, lr: float, seed: int, n: int = 30, steps: int = 200, task=("digits 0-4", "digits 5-9")) -> tuple:
    """Fine-tune on n images; the accuracy on 400 training images that were left out, and on the test images."""
    source, target = task
    x, y, x_test, y_test = problem(target)
    rng = np.random.default_rng(seed)
    chosen = draw(target, n, rng)
    left = np.setdiff1d(np.arange(len(x)), chosen)[-400:]
    net, params = network(5), start(source, 5, rng)
    rules = {name: momentum(cosine(rate, steps), 0.9) for name, rate in rates(way, lr, list(params)).items()}
    batches = drawn(x[chosen], y[chosen], min(32, n), rng)
    run = descend(net, params, batches, by_layer(None, rules), steps=steps)
    pairs = (x[left], y[left]), (x_test, y_test)
    return tuple(float(accuracy(predict(net, run.params, {}, a), labels)) for a, labels in pairs)
