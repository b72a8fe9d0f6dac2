"""Chapter 15: a body that ImageNet trained (MobileNetV2) on a few small colour pictures."""

from __future__ import annotations

import numpy as np

from .. import _checks, data, zoo
from ..data import weights
from ..errors import RangeError
from ..layers import Conv2d, Dense, Flatten, GlobalAvgPool2d, MaxPool2d, ReLU
from ..model import Sequential, accuracy, predict
from ..optimizers import by_layer, momentum
from ..schedules import cosine
from ._bench import descend, drawn, shared
from .transfer_learning import unit

CLASSES, VALIDATION = 4, 20  # of each class, pictures that choose and never train
LATE = 2  # blocks that are fine-tuned: the last two
STEPS, TUNING, BATCH = 100, 30, 32
WAYS = ("from scratch", "pixels", "linear probe", "probe, then tune")
RATES = {
    "from scratch": (0.003, 0.01, 0.03),
    "pixels": (0.0001, 0.0003, 0.001, 0.003),
    "linear probe": (0.003, 0.01, 0.03, 0.1),
    "probe, then tune": (0.0003, 0.001, 0.003),
}
PROBE_RATE = 0.01  # of the head, before the late blocks are tuned


@shared()
def pictures() -> dict:
    """The emoji: `{"x", "y"}` to draw from, (280, 3, 32, 32), and `{"x_test", "y_test"}`, 200 of them."""
    emoji = data.emoji()
    return {"x": emoji.x_train, "y": emoji.y_train, "x_test": emoji.x_test, "y_test": emoji.y_test}


def enlarged(images: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) at twice the size, each new pixel between its neighbours (bilinear).

    The same as `torch.nn.functional.interpolate(images, scale_factor=2, mode="bilinear")`.
    """
    for axis in (2, 3):
        old = np.moveaxis(images, axis, -1)
        padded = np.concatenate([old[..., :1], old, old[..., -1:]], axis=-1)
        new = np.empty((*old.shape[:-1], 2 * old.shape[-1]), images.dtype)
        new[..., 0::2] = 0.75 * old + 0.25 * padded[..., :-2]
        new[..., 1::2] = 0.75 * old + 0.25 * padded[..., 2:]
        images = np.moveaxis(new, -1, axis)
    return images


def prepared(images: np.ndarray) -> np.ndarray:
    """Emoji as the body takes them: 64 pixels, since it was trained on large ones, and in ImageNet's units."""
    return zoo.prepare_for_mobilenetv2(enlarged(images))


@shared()
def maps(blocks: int = 13) -> dict:
    """What the first `blocks` of MobileNetV2 make of all pictures: `{"x": (N, C, H, W), "x_test": (M, C, H, W)}`."""
    _checks.whole("blocks", blocks, 1)
    net, params = zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params()
    body = Sequential(net.layers[: blocks + 2])
    return {key: predict(body, params, {}, prepared(pictures()[key]), batch_size=100) for key in ("x", "x_test")}


@shared()
def features(blocks: int = 13) -> tuple[np.ndarray, np.ndarray]:
    """The mean of each map over the image, (280, C) and (200, C), of about unit size; "blocks" 0 gives the pixels."""
    if blocks == 0:
        return unit(pictures()["x"], pictures()["x_test"])
    return unit(*(maps(blocks)[key].mean(axis=(2, 3)) for key in ("x", "x_test")))


def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places of n pictures of each class to train on, and of `VALIDATION` others of each class that choose."""
    y = pictures()["y"]
    each = [rng.permutation(np.flatnonzero(y == c)) for c in range(CLASSES)]
    if _checks.whole("n", n) > len(each[0]) - VALIDATION:
        raise RangeError(f"n is {n}, but there are {len(each[0]) - VALIDATION} pictures of each class to train on")
    return np.concatenate([e[:n] for e in each]), np.concatenate([e[-VALIDATION:] for e in each])


def small_network() -> Sequential:
    """What is trained from scratch: two convolutions with pooling, and a dense layer, for (3, 32, 32)."""
    return Sequential(
        [
            *(Conv2d(3, 16, 3, 2, 1), ReLU(), MaxPool2d(2)),
            *(Conv2d(16, 32, 3, 1, 1), ReLU(), MaxPool2d(2)),
            *(Flatten(), Dense(512, CLASSES)),
        ]
    )


def train(way: str, rate: float, n: int = 5, seed: int = 0) -> tuple[float, float]:
    """Train on n pictures of each class in one of `WAYS`; the accuracy on the pictures that choose, and on the test."""
    _checks.choice("way", way, WAYS)
    rng, seen = np.random.default_rng(seed), pictures()
    chosen, held = draw(n, rng)
    y, y_held = seen["y"][chosen], seen["y"][held]
    steps = TUNING if way == "probe, then tune" else STEPS
    rule = momentum(cosine(rate, steps), 0.9)
    if way in ("pixels", "linear probe"):
        x, x_test = features(0 if way == "pixels" else 13)
        net = Dense(x.shape[1], CLASSES)
        params = {"w": np.zeros((x.shape[1], CLASSES)), "b": np.zeros(CLASSES)}
    elif way == "from scratch":
        x, x_test = ((seen[key] - 0.8) / 0.3 for key in ("x", "x_test"))
        net = small_network()
        params = net.init(rng)[0]
    else:
        kept = maps(13 - LATE)
        x, x_test = kept["x"], kept["x_test"]
        net, params = late_blocks(chosen, y, rng)
        rule = by_layer(rule, {net.names[-1]: momentum(cosine(10 * rate, steps), 0.9)})
    run = descend(net, params, drawn(x[chosen], y, min(BATCH, len(y)), rng), rule, steps=steps)
    pairs = (x[held], y_held), (x_test, seen["y_test"])
    return tuple(float(accuracy(predict(net, run.params, {}, a), labels)) for a, labels in pairs)


def late_blocks(chosen, y, rng) -> tuple[Sequential, dict]:
    """The last blocks of MobileNetV2 under the head of a linear probe: the network and its params."""
    trunk, kept = zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params()
    late = trunk.layers[-LATE:]
    net = Sequential([*late, GlobalAvgPool2d(), Dense(96, CLASSES)])
    params = {new: kept[old] for new, old in zip(net.names, trunk.names[-LATE:], strict=False)}
    pooled = maps(13)["x"][chosen].mean(axis=(2, 3)).astype(np.float64)
    mean, scale = pooled.mean(axis=0), pooled.std()
    head = Dense(96, CLASSES)
    start = {"w": np.zeros((96, CLASSES)), "b": np.zeros(CLASSES)}
    rows = (pooled - mean) / scale
    probe = descend(
        head, start, drawn(rows, y, min(BATCH, len(y)), rng), momentum(cosine(PROBE_RATE, STEPS), 0.9), steps=STEPS
    )
    w = probe.params["w"] / scale  # the head takes the features as they are: scale and mean go into it
    b = probe.params["b"] - mean @ w
    params[net.names[-1]] = {"w": w.astype(np.float32), "b": b.astype(np.float32)}
    return net, params


SIZES = (2, 5, 20)
SEEDS = 6


def compare(sizes=SIZES, ways=WAYS, seeds=range(SEEDS)) -> dict:
    """Each way at its own best rate (by the mean over seeds on the pictures that choose), for each size.

    Returns `{way: {"accuracy": (sizes, seeds), "rates": [...]}}`: the accuracies on the test pictures.
    """
    result = {}
    for way in ways:
        accuracies, rates = [], []
        for n in sizes:
            tried = np.array([[train(way, rate, n, seed) for seed in seeds] for rate in RATES[way]])
            best = int(tried[:, :, 0].mean(axis=1).argmax())
            accuracies.append(tried[best, :, 1])
            rates.append(RATES[way][best])
        result[way] = {"accuracy": np.array(accuracies), "rates": rates}
    return result


def by_size(way: str = "linear probe", n: int = 5) -> dict:
    """The recorded comparison (recipe `emoji_table`), and some of the pictures that the first seed would train on."""
    _checks.choice("way", way, WAYS)
    kept = weights.load("emoji_table", np.float64)
    chosen, _ = draw(n, np.random.default_rng(0))
    return {
        "way": way,
        "n": SIZES[SIZES.index(_checks.choice("n", n, SIZES))],
        "sizes": np.array(SIZES),
        "accuracy": {w: kept.params[w] for w in WAYS},
        "rates": kept.record["rates"],
        "pictures": pictures()["x"][chosen].reshape(CLASSES, n, 3, 32, 32)[:, :8],
    }


ENLARGED = {32: 0, 64: 1, 128: 2}  # pixels: how often an emoji is doubled


@shared()
def features_at(pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """As `features`, of emoji that were enlarged to so many pixels, one of `ENLARGED`."""
    _checks.choice("pixels", pixels, ENLARGED)
    net, params, seen = zoo.mobilenetv2_trunk(), zoo.mobilenetv2_params(), pictures()
    means = []
    for key in ("x", "x_test"):
        images = seen[key]
        for _ in range(ENLARGED[pixels]):
            images = enlarged(images)
        out = predict(net, params, {}, zoo.prepare_for_mobilenetv2(images), batch_size=40)
        means.append(out.mean(axis=(2, 3)))
    return unit(*means)


def probe(rate: float, pixels: int = 64, n: int = 5, seed: int = 0) -> tuple[float, float]:
    """The linear probe of `train` on emoji that were enlarged to `pixels`; the same pair of accuracies."""
    rng, seen, (x, x_test) = np.random.default_rng(seed), pictures(), features_at(pixels)
    chosen, held = draw(n, rng)
    y, head = seen["y"][chosen], Dense(x.shape[1], CLASSES)
    start = {"w": np.zeros((x.shape[1], CLASSES)), "b": np.zeros(CLASSES)}
    sample = drawn(x[chosen], y, min(BATCH, len(y)), rng)
    run = descend(head, start, sample, momentum(cosine(rate, STEPS), 0.9), steps=STEPS)
    pairs = (x[held], seen["y"][held]), (x_test, seen["y_test"])
    return tuple(float(accuracy(predict(head, run.params, {}, a), labels)) for a, labels in pairs)
