"""Chapter 15: MobileNetV2's late blocks tuned at one rate, or at rates that fall from each block to the one before."""

from __future__ import annotations

import numpy as np

from .. import zoo
from ..layers import Dense, GlobalAvgPool2d
from ..model import Sequential, accuracy, predict
from ..optimizers import by_layer, momentum
from ..schedules import cosine
from . import layer_rates, pretrained
from ._bench import descend, drawn

BLOCKS = 6  # the blocks 8 to 13, whose maps are 4 x 4; those before them stay as they are
STEPS = 30


def rates(way: str, lr: float, names) -> dict:
    """{block or head: its rate}: the last block at `lr`, each block before it lower by the fall, the head at 10 `lr`.

    >>> {name: round(rate, 5) for name, rate in rates("falling rates", 0.001, ["early", "late", "head"]).items()}
    {'early': 0.00038, 'late': 0.001, 'head': 0.01}
    """
    return layer_rates.rates(way, lr, names) | {names[-1]: 10 * lr}


def late_blocks(chosen, y, rng) -> tuple[Sequential, dict]:
    """The last `BLOCKS` blocks under the head of a linear probe: the network and its params."""
    trunk, kept = zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params()
    probed, with_head = pretrained.late_blocks(chosen, y, rng)
    net = Sequential([*trunk.layers[-BLOCKS:], GlobalAvgPool2d(), Dense(96, pretrained.CLASSES)])
    params = {new: kept[old] for new, old in zip(net.names, trunk.names[-BLOCKS:], strict=False)}
    return net, params | {net.names[-1]: with_head[probed.names[-1]]}


def tuned(way: str, lr: float, seed: int, n: int = 20, steps: int = STEPS) -> tuple[float, float]:
    """Probe, then tune the late blocks on n emoji of each class; the accuracy on those that choose, and on the test."""
    rng, seen = np.random.default_rng(seed), pretrained.pictures()
    chosen, held = pretrained.draw(n, rng)
    y = seen["y"][chosen]
    net, params = late_blocks(chosen, y, rng)
    maps = pretrained.maps(13 - BLOCKS)
    rules = {name: momentum(cosine(rate, steps), 0.9) for name, rate in rates(way, lr, list(params)).items()}
    batches = drawn(maps["x"][chosen], y, min(pretrained.BATCH, len(y)), rng)
    run = descend(net, params, batches, by_layer(None, rules), steps=steps)
    pairs = (maps["x"][held], seen["y"][held]), (maps["x_test"], seen["y_test"])
    return tuple(float(accuracy(predict(net, run.params, {}, a), labels)) for a, labels in pairs)
