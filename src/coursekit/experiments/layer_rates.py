"""Chapter 15: late blocks of MobileNetV2, tuned on a few pictures, at one rate or at rates that fall by layer."""

from __future__ import annotations

import numpy as np

from .. import _checks, zoo
from ..layers import Dense, GlobalAvgPool2d
from ..model import Sequential, accuracy, predict
from ..optimizers import by_layer, momentum
from ..schedules import cosine
from ._bench import descend, drawn
from .pretrained import BATCH, CLASSES, PROBE_RATE, STEPS, TUNING, draw, maps, pictures

LATE = 4  # blocks that are tuned
FALL = 1 / 2.6  # from each block to the one before it (Howard and Ruder 2018)
WAYS = {"one rate": 1.0, "falling rates": FALL}
RATES = {"one rate": (0.0003, 0.001, 0.003), "falling rates": (0.001, 0.003, 0.01)}  # of the last block


def probed(chosen: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[Sequential, dict]:
    """The last `LATE` blocks of MobileNetV2 under the head of a linear probe: the network and its params."""
    trunk, kept = zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params()
    net = Sequential([*trunk.layers[-LATE:], GlobalAvgPool2d(), Dense(96, CLASSES)])
    params = {new: kept[old] for new, old in zip(net.names, trunk.names[-LATE:], strict=False)}
    pooled = maps(13)["x"][chosen].mean(axis=(2, 3)).astype(np.float64)
    mean, scale = pooled.mean(axis=0), pooled.std()
    start = {"w": np.zeros((96, CLASSES)), "b": np.zeros(CLASSES)}
    draws = drawn((pooled - mean) / scale, y, min(BATCH, len(y)), rng)
    probe = descend(Dense(96, CLASSES), start, draws, momentum(cosine(PROBE_RATE, STEPS), 0.9), steps=STEPS).params
    w = probe["w"] / scale  # the head takes the features as they are: scale and mean go into it
    params[net.names[-1]] = {"w": w.astype(np.float32), "b": (probe["b"] - mean @ w).astype(np.float32)}
    return net, params


def rules(way: str, names: list[str], rate: float, steps: int):
    """The optimizer: the last block at `rate`, the one before it at `rate` times the fall, and so on; the head at ten
    times `rate`, in both ways.
    """
    blocks, fall = names[:LATE], WAYS[_checks.choice("way", way, WAYS)]
    each = {name: rate * fall ** (LATE - 1 - k) for k, name in enumerate(blocks)} | {names[-1]: 10 * rate}
    return by_layer(None, {name: momentum(cosine(r, steps), 0.9) for name, r in each.items()})


def train(way: str, rate: float, n: int = 5, seed: int = 0, steps: int = TUNING) -> tuple[float, float]:
    """Probe, then tune the late blocks; the accuracy on the pictures that choose, and on the test pictures."""
    rng, seen, kept = np.random.default_rng(seed), pictures(), maps(13 - LATE)
    chosen, held = draw(n, rng)
    y = seen["y"][chosen]
    net, params = probed(chosen, y, rng)
    batches = drawn(kept["x"][chosen], y, min(BATCH, len(y)), rng)
    run = descend(net, params, batches, rules(way, net.names, rate, steps), steps=steps)
    pairs = (kept["x"][held], seen["y"][held]), (kept["x_test"], seen["y_test"])
    return tuple(float(accuracy(predict(net, run.params, {}, x), labels)) for x, labels in pairs)
