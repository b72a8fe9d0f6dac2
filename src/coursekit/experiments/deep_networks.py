"""Chapter 13: what depth does to a convolutional network, without and with residual connections."""

from __future__ import annotations

import numpy as np

from .. import _checks, data
from ..data import weights
from ..layers import BatchNorm2d, Conv2d, Dense, GlobalAvgPool2d, ReLU, Residual
from ..losses import softmax_cross_entropy
from ..model import Sequential
from ..optimizers import momentum
from ..schedules import cosine
from ._bench import Descent, descend, shared, shrink, shuffled

DEPTHS = (10, 20, 40)
SKIPS = ("plain", "residual")
CHANNELS = 8
STEPS, BATCH, IMAGES = 200, 32, 3000
RATES = {"plain": (0.01, 0.03, 0.1, 0.3), "residual": (0.03, 0.1, 0.3)}


def network(depth: int, skip: str = "plain") -> Sequential:
    """`depth` layers with weights: a convolution, pairs of convolutions of 3 x 3 with batch norm, and a dense layer.

    With "residual" each pair is a residual block. No layer more or less: the two have the same params.
    """
    _checks.choice("skip", skip, SKIPS)

    def convolution(inputs, stride=1):
        return [Conv2d(inputs, CHANNELS, 3, stride, 1), BatchNorm2d(CHANNELS)]

    layers = [*convolution(1, 2), ReLU()]
    for _ in range((depth - 2) // 2):
        pair = [*convolution(CHANNELS), ReLU(), *convolution(CHANNELS)]
        layers += [Residual(Sequential(pair)) if skip == "residual" else Sequential(pair), ReLU()]
    return Sequential([*layers, GlobalAvgPool2d(), Dense(CHANNELS, 10)])


@shared()
def images() -> tuple[np.ndarray, np.ndarray]:
    """The first 3,000 digits at 14 x 14, of about unit size, with a channel axis; and their labels."""
    mnist = data.mnist()
    small = shrink(mnist.x_train[:IMAGES])[:, None]
    return (small - small.mean()) / small.std(), mnist.y_train[:IMAGES]


def fit(depth: int, skip: str, rate: float, seed: int, steps: int = STEPS) -> Descent:
    """Train a network on the digits: momentum 0.9, the rate falls along a cosine, batches of 32."""
    net, rng, (x, y) = network(depth, skip), np.random.default_rng(seed), images()
    params, state = net.init(rng)
    return descend(
        net, params, shuffled(x, y, BATCH, rng), momentum(cosine(rate, steps), 0.9), steps=steps, state=state
    )


@shared()
def final_losses(depth: int, skip: str, rate: float, seed: int) -> tuple[float, float]:
    """After training: the loss on the first 1,000 training images, which chooses the rate, and on 1,000 others of them.

    Both were trained on: the question is whether the network can be trained, not whether it generalizes.
    """
    run, net, (x, y) = fit(depth, skip, rate, seed), network(depth, skip), images()
    out = [net.forward(run.params, run.state, x[part], training=False)[0] for part in (slice(1000), slice(1000, 2000))]
    return tuple(float(softmax_cross_entropy(o, y[k : k + 1000])[0]) for o, k in zip(out, (0, 1000), strict=True))


def gradients(depth: int, skip: str, seed: int = 0, examples: int = 16) -> np.ndarray:
    """The norm of the loss's gradient with respect to the kernels of each convolution, first to last, before training.

    In float64, in training mode, for one batch of digits.
    """
    net, (x, y) = network(depth, skip), images()
    params, state = net.init(np.random.default_rng(seed), dtype=np.float64)
    out, cache, _ = net.forward(params, state, x[:examples].astype(np.float64), training=True)
    grads = net.backward_first(softmax_cross_entropy(out, y[:examples])[1], cache)
    norms = []
    for part in grads.values():
        for block in (part, part.get("block", {})):
            for layer in [block, *(inner for inner in block.values() if isinstance(inner, dict))]:
                if isinstance(layer.get("w"), np.ndarray) and layer["w"].ndim == 4:
                    norms.append(float(np.linalg.norm(layer["w"])))
    return np.array(norms)


def chosen(depth: int, skip: str, seed: int = 0) -> float:
    """The rate of `RATES` with the least `final_losses` on the images that choose."""
    return min(RATES[skip], key=lambda rate: final_losses(depth, skip, rate, seed)[0])


def depth_and_skip(depth: int = 20, skip: str = "plain") -> dict:
    """Gradients by layer before training, and the recorded training of all depths (recipe `depth_table`).

    Returns
    -------
    gradients : (depth - 1,) see `gradients`
    losses : {skip: {depth: (STEPS,)}} each at the best of the rates it was tried at
    rates : {skip: {depth: rate}}
    """
    _checks.choice("depth", depth, DEPTHS)
    kept = weights.load("depth_table", np.float64)
    return {
        "depth": depth,
        "skip": skip,
        "gradients": gradients(depth, skip),
        "losses": {s: {d: kept.params[s][str(d)] for d in DEPTHS} for s in SKIPS},
        "rates": {s: {d: kept.record["rates"][f"{s}, {d}"] for d in DEPTHS} for s in SKIPS},
    }
