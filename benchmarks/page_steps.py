"""Training steps in the browser's Python, with the matrix products of NumPy and with ours: run by site.py in a page.

The two ways take turns, so that whatever else the machine does falls on both. "old" is what coursekit did before:
products as einsum where that is faster, which `products.matmul` still does in a browser without SIMD.
"""

import itertools
import json
import sys
import time
from statistics import median

import numpy as np

from coursekit import zoo
from coursekit.fast import kernel, products
from coursekit.layers import LSTM, Dense, LastStep, ReLU
from coursekit.losses import softmax_cross_entropy
from coursekit.model import Sequential
from coursekit.optimizers import adam

SIZES = (784, 100, 100, 100, 100, 100, 10)


def mlp():
    layers = [part for d, m in itertools.pairwise(SIZES) for part in (Dense(d, m), ReLU())]
    return Sequential(layers[:-1]), (128, 784)


def lenet5():
    return zoo.lenet5(), (64, 1, 28, 28)


def lstm():
    return Sequential([LSTM(64, 128), LastStep(), Dense(128, 10)]), (32, 50, 64)


STEPS = {"MLP 784-5x100-10, batch 128": mlp, "LeNet-5, batch 64": lenet5, "LSTM, 50 steps, 128 units, batch 32": lstm}


def training_step(net, shape):
    """A function that makes one step of Adam and returns the loss."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal(shape).astype(np.float32), rng.integers(0, 10, shape[0])
    params, state = net.init(rng)
    optimizer = adam(1e-3)
    numbers = [params, state, optimizer.init(params)]

    def step():
        params, state, optimizer_state = numbers
        scores, cache, state = net.forward(params, state, x, training=True)
        loss, dscores = softmax_cross_entropy(scores, y)
        params, optimizer_state = optimizer.update(
            params, net.backward_first(dscores, cache), optimizer_state, inplace=True
        )
        numbers[:] = params, state, optimizer_state
        return float(loss)

    return step


def use(ours):
    """Switch between NumPy's products and ours."""
    if kernel.installed:
        kernel.installed.use() if ours else kernel.installed.undo()
        products.HAS_BLAS = ours


def compared(make, rounds=9):
    """Medians in milliseconds, the median of the rounds' ratios, and how far apart the losses end."""
    steps = [training_step(*make()) for _ in "on"]
    times, losses = ([], []), [0.0, 0.0]
    for k in range(rounds + 1):
        for ours in (0, 1):
            use(bool(ours))
            start = time.perf_counter()
            losses[ours] = steps[ours]()
            if k:
                times[ours].append(1000 * (time.perf_counter() - start))
    use(True)
    ratio = median(new / old for old, new in zip(*times, strict=True))
    return {"old": median(times[0]), "new": median(times[1]), "ratio": ratio, "apart": abs(losses[0] - losses[1])}


if "pytest" not in sys.modules:
    print(json.dumps({name: compared(make) for name, make in STEPS.items()} if kernel.installed else {}))
