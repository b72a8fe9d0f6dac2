"""Chapter 12: filters of series and photographs, the convolution layer, pooling, and what a unit can see."""

from __future__ import annotations

import time

import numpy as np

from .. import _checks, data
from ..activations import relu_backward, relu_forward
from ..convolution import (
    avg_pool2d_forward,
    conv2d_backward,
    conv2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
    output_length,
    unfold,
)
from ..data import weights
from ..errors import ShapeError
from ..filters import convolve2d, correlate2d, gaussian_kernel, receptive_field, sobel_x, sobel_y
from ..initializers import he_normal
from ..zoo import lenet5
from ._bench import shared

GREY = np.array([0.299, 0.587, 0.114])  # how bright red, green and blue look


def photo(name="camera") -> np.ndarray:
    """A photograph in grey, (H, W) float64 from 0 (black) to 1 (white)."""
    image = data.photos()[name].astype(np.float64)
    return image @ GREY if image.ndim == 3 else image


# --- systems and series -----------------------------------------------------------------------------------------------


def _causal(response):
    return lambda x: np.convolve(x, response)[: len(x)]


def _fading_mean(x):
    y, kept = np.empty_like(x), 0.0
    for t, value in enumerate(x):
        kept = 0.9 * kept + 0.1 * value
        y[t] = kept
    return y


def _median(x):
    return np.median(np.lib.stride_tricks.sliding_window_view(np.pad(x, (4, 0)), 5), axis=-1)


SYSTEMS = {
    "mean of the last 5": _causal(np.full(5, 0.2)),
    "difference to the last": _causal(np.array([1.0, -1.0])),
    "echo after 8 steps": _causal(np.array([1.0, *[0] * 7, 0.5])),
    "0.9 of the old, 0.1 of the new": _fading_mean,
    "median of the last 5": _median,
    "square": np.square,
    "volume turned up": lambda x: x * np.arange(len(x)) / len(x),
    "every other value kept": lambda x: x * (np.arange(len(x)) % 2 == 0),
}


def systems(length=120, seed=0) -> dict:
    """For each of `SYSTEMS`: is it linear, is it time-invariant, and what does it answer to an impulse?

    Returns `{name: {"linear": error, "invariant": error, "predicted": error, "response": (30,)}}`. The errors are
    largest differences: of f(a x + b y) from a f(x) + b f(y), of f(x shifted by 3) from f(x) shifted by 3, and of f(x)
    from the convolution of x with the answer to an impulse.
    """
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, length))
    x[-3:] = 0  # so that nothing is lost at the end when x is shifted
    impulse = np.zeros(length)
    impulse[0] = 1

    def shifted(signal):
        return np.concatenate([np.zeros(3), signal[:-3]])

    table = {}
    for name, f in SYSTEMS.items():
        response = f(impulse)
        table[name] = {
            "linear": float(np.abs(f(2 * x - 3 * y) - (2 * f(x) - 3 * f(y))).max()),
            "invariant": float(np.abs(f(shifted(x)) - shifted(f(x))).max()),
            "predicted": float(np.abs(f(x) - np.convolve(x, response)[:length]).max()),
            "response": response[:30],
        }
    return table


#: Series with a cycle: its name in `coursekit.data.series`, the cycle's length in steps, the last steps that are shown.
CYCLES = {"CO2": ("co2", 12, 240), "sunspots": ("sunspots_year", 11, 240)}


def running_mean(series="CO2", width=12) -> dict:
    """Convolve a series with `width` equal weights 1 / width, where all of them lie within it.

    Returns
    -------
    time, values : (T,) years and the series
    mean_time, mean : (T - width + 1,) each mean stands at the middle of its window
    swing, swing_before : amplitude of the cycle (12 months, 11 years) after and before, by least squares
    kept : swing / swing_before
    """
    _checks.choice("series", series, CYCLES)
    name, period, shown = CYCLES[series]
    s = data.series(name)
    values = np.asarray(s.values, np.float64)[-shown:]
    step = 1 / 12 if period == 12 else 1.0
    last = s.time[-1].astype("datetime64[Y]").astype(int) + 1970 if s.time.dtype.kind == "M" else int(s.time[-1])
    years = last + step * np.arange(1 - len(values), 1)
    mean = np.convolve(values, np.full(width, 1 / width), mode="valid")
    before, after = _swing(values, period), _swing(mean, period)
    return {
        "series": series, "width": width, "period": period, "unit": s.unit,
        "time": years, "values": values,
        "mean_time": years[: len(mean)] + step * (width - 1) / 2, "mean": mean,
        "swing_before": before, "swing": after, "kept": after / before,
        "gain": gain(np.arange(1, 25), period),
    }  # fmt: skip


def gain(width, period):
    """What a mean over `width` steps leaves of a sine of this period: |sin(pi W / P) / (W sin(pi / P))|."""
    return np.abs(np.sin(np.pi * width / period) / (width * np.sin(np.pi / period)))


def _swing(values, period):
    """Amplitude of the sine of this period in values, beside a parabola for the trend."""
    t = np.arange(len(values))
    u = t / len(t)
    turn = 2 * np.pi * t / period
    basis = np.stack([np.ones_like(u), u, u**2, np.cos(turn), np.sin(turn)], axis=1)
    c = np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(np.hypot(c[3], c[4]))


# --- kernels and photographs ------------------------------------------------------------------------------------------

#: A letter that looks different from each side, so that a flip can be seen.
LETTER = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float64)


def stamps() -> dict:
    """Three bright points, and what convolution and correlation with the letter F make of them."""
    points = np.zeros((17, 21))
    points[4, 4], points[5, 15], points[12, 9] = 1, 0.5, 1
    return {
        "points": points,
        "kernel": LETTER,
        "convolution": convolve2d(points, LETTER),
        "correlation": correlate2d(points, LETTER),
    }


def kernel_of(left, centre, right, layout="columns") -> np.ndarray:
    """A 3 x 3 kernel of three numbers, as it is laid on the image.

    "columns": the three, in rows weighted 1/4, 1/2, 1/4. "cross": `left` also above, `right` also below, corners 0.
    """
    if _checks.choice("layout", layout, ("columns", "cross")) == "columns":
        return np.outer([0.25, 0.5, 0.25], [left, centre, right])
    return np.array([[0, left, 0], [left, centre, right], [0, right, 0]], dtype=np.float64)


def filtered(left=-1.0, centre=0.0, right=1.0, layout="columns") -> dict:
    """Part of a photograph, laid under a kernel of three numbers.

    The entries are divided by the absolute value of their sum, so that the photograph stays as bright as it was,
    unless the sum is 0.

    Returns
    -------
    before, after : (136, 136) the photograph (with a rim of 1 pixel cut off) and the correlation with the kernel
    kernel : (3, 3) as it was used; total : the sum of its entries before the division
    """
    kernel = kernel_of(left, centre, right, layout)
    total = float(kernel.sum())
    if abs(total) > 1e-9:
        kernel = kernel / abs(total)
    image = photo()[24:162, 62:200]
    after = correlate2d(image, kernel, mode="valid")
    return {"before": image[1:-1, 1:-1], "after": after, "kernel": kernel, "total": total, "layout": layout}


def blur(size=15) -> dict:
    """Blur a photograph with a K x K Gaussian: with all K^2 weights at once, and with a column and a row.

    Returns
    -------
    at_once, in_two : (256, 256)
    difference : the largest between them
    products_at_once, products_in_two : multiplications a pixel
    seconds_at_once, seconds_in_two : of this machine's processor, the best of five
    """
    image, kernel = photo(), gaussian_kernel(size, size / 6)
    row = kernel.sum(axis=0)

    def timed(work):
        best = np.inf
        for _ in range(5):
            start = time.process_time()
            out = work()
            best = min(best, time.process_time() - start)
        return out, best

    at_once, slow = timed(lambda: correlate2d(image, kernel))
    in_two, fast = timed(lambda: correlate2d(correlate2d(image, row[:, None]), row[None, :]))
    return {
        "image": image, "at_once": at_once, "in_two": in_two, "size": size,
        "difference": float(np.abs(at_once - in_two).max()),
        "products_at_once": kernel.size, "products_in_two": 2 * len(row),
        "seconds_at_once": slow, "seconds_in_two": fast,
    }  # fmt: skip


def rank(kernel) -> int:
    """How many pairs of a column and a row a kernel is the sum of; 1 means separable."""
    return int(np.linalg.matrix_rank(kernel))


def edges(name="camera") -> dict:
    """Sobel's two answers, and the strength and direction that they make.

    Returns
    -------
    image, across, down : (H, W) the photograph, and how much brighter it gets to the right and downwards, per pixel
    strength : (H, W) their Euclidean length
    angle : (H, W) in degrees, the way in which it gets brighter: 0 to the right, 90 downwards
    """
    image = photo(name)
    across, down = (correlate2d(image, kernel, mode="valid") / 8 for kernel in (sobel_x, sobel_y))
    return {
        "image": image[1:-1, 1:-1], "across": across, "down": down,
        "strength": np.hypot(across, down), "angle": np.degrees(np.arctan2(down, across)),
    }  # fmt: skip


def steered(angle=0) -> dict:
    """Sobel's kernel turned by `angle` degrees (clockwise on the screen): cos(angle) across + sin(angle) down."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    kernel = c * sobel_x + s * sobel_y
    image = photo()[24:162, 62:200]
    after = correlate2d(image, kernel, mode="valid") / 8
    row, column = np.unravel_index(np.argmax(after), after.shape)
    return {
        "angle": angle, "kernel": kernel, "before": image[1:-1, 1:-1], "after": after,
        "share": float((after > 0.1).mean()), "brightest": (int(row), int(column)),
    }  # fmt: skip


def sobel_error(degrees=range(0, 360, 5)) -> dict:
    """How far Sobel's angle is off: on a straight ramp, and at the rim of a disc whose pixels are its covered share."""
    ramp, disc = [], []
    y, x = np.mgrid[-8:9, -8:9].astype(np.float64)
    for degree in degrees:
        c, s = np.cos(np.radians(degree)), np.sin(np.radians(degree))
        for found, image in ((ramp, c * x + s * y), (disc, np.clip(c * x + s * y + 0.5, 0, 1))):
            across, down = (correlate2d(image, k, mode="valid")[7, 7] for k in (sobel_x, sobel_y))
            off = np.degrees(np.arctan2(down, across)) - degree
            found.append(abs((off + 180) % 360 - 180))
    return {"ramp": float(max(ramp)), "edge": float(max(disc))}


# --- learning a filter ------------------------------------------------------------------------------------------------


def learn_filter(examples=1000, test=300, side=16, seed=0) -> dict:
    """Learn Sobel's vertical edges from pairs (picture, its edges): a dense layer, and one kernel of 3 x 3.

    A picture is a digit of MNIST, half as wide as usual, on black paper. In the examples to learn from it lies on the
    left, in the test on the left or on the right. Both layers are linear in their weights, so least squares finds the
    best there is; where several solutions fit equally well, it is the one with the smallest weights.

    Returns
    -------
    dense, conv : dict of root mean square errors on unseen pictures, "left" and "right", as a share of the answers' own
    dense_weights, conv_weights : how many numbers each has learnt
    kernel : (3, 3) what the convolution has learnt
    pictures : for "left" and "right" a dict of (side - 2, 2 side - 2): a test picture, its edges, and both answers
    """
    mnist = data.mnist()

    def pictures_of(images, place):
        small = avg_pool2d_forward(images.astype(np.float64), 2)[0]
        x = np.zeros((len(images), side, 2 * side))
        x[:, 1:15, 1:15] = small
        x = x if place == "left" else np.roll(x, side, axis=2)
        return x, correlate2d(x, sobel_x, mode="valid")

    chosen = np.random.default_rng(seed).choice(len(mnist.x_train), examples, replace=False)
    x, y = pictures_of(mnist.x_train[chosen], "left")
    dense = np.linalg.lstsq(x.reshape(examples, -1), y.reshape(examples, -1), rcond=1e-6)[0]
    kernel = np.linalg.lstsq(unfold(x, 3).reshape(-1, 9), y.reshape(-1), rcond=None)[0].reshape(3, 3)
    result = {"dense": {}, "conv": {}, "pictures": {}}
    for place in ("left", "right"):
        x, y = pictures_of(mnist.x_test[:test], place)
        dense_out = (x.reshape(test, -1) @ dense).reshape(y.shape)
        conv_out = correlate2d(x, kernel, mode="valid")
        for name, out in (("dense", dense_out), ("conv", conv_out)):
            result[name][place] = float(np.sqrt(((out - y) ** 2).mean() / (y**2).mean()))
        result["pictures"][place] = {
            "picture": x[1, 1:-1, 1:-1], "its edges": y[1], "dense layer": dense_out[1], "3 x 3 kernel": conv_out[1],
        }  # fmt: skip
    return result | {"dense_weights": dense.size, "conv_weights": kernel.size, "kernel": kernel}


# --- layers: shapes, channels, pooling --------------------------------------------------------------------------------


def stack(size=3, stride=1, padding=0, layers=2, length=16) -> dict:
    """Lengths of a line of `length` pixels after each layer of a stack, and what the last layer's middle unit sees.

    Returns
    -------
    lengths : input, layer 1, layer 2, ...; ends early where a kernel does not fit
    fits : whether all layers fit
    seen : for each row from the input on, (first, last) position that the unit depends on; may lie in the padding
    field : the receptive field in pixels, by the formula; near the rim part of it is missing
    """
    lengths, fits = [length], True
    for _ in range(layers):
        try:
            lengths.append(output_length(lengths[-1], size, stride, padding))
        except ShapeError:
            fits = False
            break
    unit = lengths[-1] // 2
    seen = [(unit, unit)]
    for above in reversed(lengths[1:]):
        first, last = max(seen[0][0], 0), min(seen[0][1], above - 1)  # nothing lies behind a zero of the padding
        seen.insert(0, (first * stride - padding, last * stride - padding + size - 1))
    return {
        "size": size, "stride": stride, "padding": padding, "layers": layers,
        "lengths": lengths, "fits": fits, "seen": seen,
        "field": receptive_field([(size, stride, padding)] * (len(lengths) - 1)),
    }  # fmt: skip


def colours() -> dict:
    """One layer of three kernels on a colour photograph: brightness, orange, and edges of orange."""
    image = data.photos()["astronaut"].astype(np.float64)
    blurred = gaussian_kernel(5, 1.0)
    orange = np.array([1.0, -0.5, -0.5])  # of red, green, blue: no answer to grey
    w = np.stack([
        GREY[:, None, None] * blurred,
        orange[:, None, None] * blurred,
        orange[:, None, None] * convolve2d(blurred, sobel_x),
    ])  # fmt: skip
    x = image.transpose(2, 0, 1)[None]
    out, _ = conv2d_forward(x, w, np.zeros(3), padding=2)
    return {"image": image, "w": w, "x": x, "out": out, "names": ("brightness", "orange", "edges of orange")}


def pooled(size=8) -> dict:
    """A photograph after max and average pooling, and the gradient that each hands back for a gradient of ones."""
    image = photo()[None, None, 24:168, 62:206]
    highest, cache = max_pool2d_forward(image, size)
    mean, _ = avg_pool2d_forward(image, size)
    winners = max_pool2d_backward(np.ones_like(highest), cache)
    return {
        "image": image[0, 0], "max": highest[0, 0], "average": mean[0, 0], "size": size,
        "winners": winners[0, 0],
    }  # fmt: skip


def shifts(image=None) -> dict:
    """What a shift of the photograph by 1 and by 2 pixels does to the strength of its edges, with and without pooling.

    Each number is a root mean square difference, as a share of the answer's own standard deviation: between the answer
    to the shifted photograph and the shifted answer. A layer of stride 2 can shift by whole places only: by none for
    1 pixel, by one for 2.
    """
    image = photo() if image is None else image
    low = gaussian_kernel(5, 1.0)

    def edges_of(x):
        return np.abs(correlate2d(x, sobel_x, mode="valid"))

    def max_pool(x):
        return max_pool2d_forward(edges_of(x), 2)[0]

    def blurred_first(x):
        return correlate2d(max_pool2d_forward(edges_of(x), 2, 1)[0], low, mode="valid")[::2, ::2]

    def every_other(x):
        return edges_of(x)[::2, ::2]

    table = {}
    for name, f, step in (
        ("convolution", edges_of, 1), ("stride 2", every_other, 2), ("max pooling 2", max_pool, 2),
        ("max pooling 2, blurred", blurred_first, 2),
    ):  # fmt: skip
        row = {}
        for shift in (1, 2):
            there, moved = f(image[:, :-2]), f(image[:, shift : image.shape[1] - 2 + shift])
            there = there[:, shift // step :]
            row[shift] = float(np.sqrt(((moved[:, : there.shape[1]] - there) ** 2).mean()) / there.std())
        table[name] = row
    return table


# --- feature maps of a trained net ------------------------------------------------------------------------------------

#: Layers of LeNet-5 whose answers can be shown, by their names in the net.
LAYERS = {"conv 1": "relu_1", "pool 1": "maxpool2d_2", "conv 2": "relu_4", "pool 2": "maxpool2d_5"}


@shared()
def _digits_and_weights():
    """The first test image of each digit, and the weights: read once, since a slider asks for them at every stop."""
    mnist = data.mnist()
    first = [int(np.flatnonzero(mnist.y_test == digit)[0]) for digit in range(10)]
    return mnist.x_test[first].astype(np.float64), weights.load("lenet5_mnist", np.float64)


def feature_maps(digit=4, layer="conv 1") -> dict:
    """A test digit of MNIST, and what one layer of the trained LeNet-5 puts out for it.

    Returns
    -------
    image : (28, 28); maps : (F, H, W) after the ReLU; kernels : (6, 5, 5) of the first layer
    label, guess : the true digit and the net's; p : the net's probability for its guess
    zeros : share of the maps' entries that are 0
    field : how many pixels of the image in a line one entry depends on
    """
    _checks.choice("layer", layer, LAYERS)
    images, trained = _digits_and_weights()
    image, net = images[digit], lenet5()
    outputs = net.activations(trained.params, trained.state, image[None, None])
    scores = list(outputs.values())[-1][0]
    p = np.exp(scores - scores.max())
    sees = {"conv 1": 1, "pool 1": 2, "conv 2": 3, "pool 2": 4}[layer]
    maps = outputs[LAYERS[layer]][0]
    return {
        "image": image, "maps": maps, "layer": layer, "kernels": trained.params["conv2d_0"]["w"][:, 0],
        "label": digit, "guess": int(scores.argmax()), "p": float(p.max() / p.sum()),
        "zeros": float((maps == 0).mean()),
        "field": receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)][:sees]),
    }  # fmt: skip


# --- the effective receptive field ------------------------------------------------------------------------------------

KINDS = ("equal weights", "random weights", "random, ReLU")


def effective_field(depth=10, kind="random weights", channels=4, nets=6, seed=0) -> dict:
    """How much each input pixel moves one output unit of `depth` layers of 3 x 3, measured by the gradient.

    The gradient of the unit in the middle is sent back through the layers. What is kept is its square, summed over the
    output channels (each on an image of its own, of normal pixels) and over `nets` draws of the weights (He normal).

    Returns
    -------
    share : (2 depth + 1, 2 depth + 1) of each pixel in the summed square, theoretical field; sums to 1
    theoretical : 2 depth + 1
    effective : side of the smallest square around the middle that holds 95 % of the sum
    std : standard deviation of `share` in a line, in pixels
    predicted_std : sqrt(2 depth / 3) of a random linear net, half of that variance with equal weights
    """
    _checks.choice("kind", kind, KINDS)
    side = receptive_field([(3, 1)] * depth)
    if kind == "equal weights":
        channels, nets = 1, 1
    rng = np.random.default_rng(seed)
    share, middle = np.zeros((side, side)), side // 2
    for _ in range(nets):
        x = rng.standard_normal((channels, channels, side, side))
        caches = []
        for _ in range(depth):
            shape = (channels, channels, 3, 3)
            w = np.full(shape, 1 / 9) if kind == "equal weights" else he_normal(rng, shape, dtype=np.float64)
            x, cache = conv2d_forward(x, w, np.zeros(channels), padding=1)
            mask = None
            if kind == "random, ReLU":
                x, mask = relu_forward(x)
            caches.append((cache, mask))
        dx = np.zeros_like(x)
        dx[np.arange(channels), np.arange(channels), middle, middle] = 1
        for cache, mask in reversed(caches):
            dx = relu_backward(dx, mask) if mask is not None else dx
            dx = conv2d_backward(dx, cache)[0]
        share += (dx**2).sum(axis=(0, 1))
    share /= share.sum()
    distance = np.abs(np.arange(side) - middle)
    far = np.maximum(distance[:, None], distance)  # in which square around the middle a pixel lies first
    within = np.array([share[far <= r].sum() for r in range(middle + 1)])
    variance = float((share.sum(axis=0) * distance**2).sum())
    return {
        "share": share, "depth": depth, "kind": kind, "theoretical": side,
        "effective": 2 * int(np.argmax(within >= 0.95)) + 1,
        "std": variance**0.5,
        "predicted_std": (2 * depth / 3 / (2 if kind == "equal weights" else 1)) ** 0.5,
    }  # fmt: skip


def field_growth(depths=(2, 5, 10, 20, 40), kind="random weights", seed=0) -> dict:
    """Standard deviation and side of the effective field by depth, and the power of the depth with which each grows."""
    runs = [effective_field(depth, kind, seed=seed) for depth in depths]
    std = np.array([run["std"] for run in runs])
    return {
        "depth": np.array(depths), "std": std,
        "effective": np.array([run["effective"] for run in runs]),
        "theoretical": np.array([run["theoretical"] for run in runs]),
        "power": float(np.polyfit(np.log(depths), np.log(std), 1)[0]),
    }  # fmt: skip


# A convolution by hand: an image of 5 x 5 whole numbers, a kernel of 3 x 3, an output of 3 x 3.
BY_HAND = np.array([[1, 0, 2, 1, 0], [0, 3, 1, 0, 2], [2, 1, 0, 1, 1], [0, 2, 1, 3, 0], [1, 0, 0, 1, 2]], float)
BY_HAND_KERNEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], float)
BY_HAND_DOUT = np.array([[1, 0, 2], [0, -1, 0], [1, 0, 1]], float)
DIRECTIONS = ("forward", "backward")


def by_hand(place: int = 0, direction: str = "forward") -> dict:
    """One step of a convolution layer, and what the steps up to this one have made.

    Forward: the kernel lies on the image at this place, nine products add up to one number of the output. Backward: the
    number of dout at this place is multiplied with the kernel and added to the nine pixels that it came from.

    Returns
    -------
    row, column : of the place in the output
    image, kernel : (5, 5) and (3, 3)
    out : (3, 3) so far, NaN where the kernel has not been yet; or dout, when going back
    dx : (5, 5) what has arrived at each pixel so far
    products : (3, 3) of this step
    """
    _checks.choice("direction", direction, DIRECTIONS)
    _checks.whole("place", place, 0)
    row, column = divmod(place, 3)
    out, dx = np.full((3, 3), np.nan), np.zeros((5, 5))
    for r, c in list(np.ndindex(3, 3))[: place + 1]:
        out[r, c] = (BY_HAND[r : r + 3, c : c + 3] * BY_HAND_KERNEL).sum()
        dx[r : r + 3, c : c + 3] += BY_HAND_DOUT[r, c] * BY_HAND_KERNEL
    window = BY_HAND[row : row + 3, column : column + 3]
    forward = direction == "forward"
    return {
        "direction": direction,
        "row": row,
        "column": column,
        "image": BY_HAND,
        "kernel": BY_HAND_KERNEL,
        "out": out if forward else BY_HAND_DOUT,
        "dx": dx,
        "products": (window if forward else BY_HAND_DOUT[row, column]) * BY_HAND_KERNEL,
    }


def bells(times=(1, 2, 4, 10)) -> list[dict]:
    """A kernel of three equal weights convolved with itself, and the normal curve of the same variance.

    Returns for each: `kernel` (2 times + 1,), `at` its places, `normal` the curve there, `std`.
    """
    found, kernel = [], np.ones(1)
    for n in range(1, max(times) + 1):
        kernel = np.convolve(kernel, np.ones(3) / 3)
        if n in times:
            at, variance = np.arange(-n, n + 1), n * 2 / 3
            normal = np.exp(-(at**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
            found.append({"times": n, "kernel": kernel, "at": at, "normal": normal, "std": float(np.sqrt(variance))})
    return found


def one_product(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The product of a column and a row that comes nearest to a kernel, and what it leaves (0 for a separable one)."""
    u, s, vt = np.linalg.svd(kernel)
    product = s[0] * np.outer(u[:, 0], vt[0])
    return product, kernel - product
