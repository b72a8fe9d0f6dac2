"""Cases of exercise sheet 13, CNN architectures."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import (
    expect_draws,
    expect_equal,
    expect_parts,
    expect_seeded,
    expect_shape,
    expect_true,
    inspect_value,
)
from coursekit.grading.several import expect_calls, expect_results

TITLE = "CNN architectures"


def generator(rng):
    """A fresh generator for one call of the student's function."""
    return np.random.default_rng(int(rng.integers(2**31)))


Q1 = question(
    "13.1",
    title="Local response normalization",
    minutes=10,
    hints=[
        "`x[:, low : high + 1]` are the channels of the window, of all images and pixels.",
        "Square first, then add up along the channel axis: `(...) ** 2).sum(axis=1)`.",
        "A power with a negative exponent divides: `(k + alpha * squares) ** -beta`.",
    ],
)


def windowed(a, n, below=None):
    """Sum over the channels c - n // 2 .. c + n // 2 of an array (N, C, H, W)."""
    below = n // 2 if below is None else below
    return np.stack([a[:, max(0, c - below) : c + n // 2 + 1].sum(axis=1) for c in range(a.shape[1])], axis=1)


def lrn_mistakes(x, n, k, alpha, beta):
    """What usual mistakes give."""
    half, channels = n // 2, x.shape[1]
    with np.errstate(all="ignore"):
        squares = windowed(x**2, n)
        rolled = sum(np.roll(x**2, shift, axis=1) for shift in range(-half, half + 1))
        early = np.stack([(x**2)[:, max(0, c - half) : c + half].sum(axis=1) for c in range(channels)], axis=1)
        later = np.stack([(x**2)[:, c : c + half + 1].sum(axis=1) for c in range(channels)], axis=1)
        before = np.stack([(x**2)[:, max(0, c - half) : c + 1].sum(axis=1) for c in range(channels)], axis=1)
        cut = np.stack([(x**2)[:, c - half : c + half + 1].sum(axis=1) for c in range(channels)], axis=1)
        sizes = np.stack(
            [np.full(x[:, 0].shape, min(channels, c + half + 1) - max(0, c - half)) for c in range(channels)], 1
        )
        own = windowed(x**2, n) - x**2
        bracket = k + alpha * squares
        return {
            "alpha was divided by n, as PyTorch does: here it multiplies the sum": x * (k + alpha / n * squares) ** -beta,
            "the mean of the squares was taken, not their sum": x * (k + alpha * squares / sizes) ** -beta,
            "the responses were not squared": x * np.abs(k + alpha * windowed(x, n)) ** -beta,
            "the sum was squared: the squares are summed": x * (k + alpha * windowed(x, n) ** 2) ** -beta,
            "the absolute values were summed, not the squares": x * (k + alpha * windowed(np.abs(x), n)) ** -beta,
            "only the channel itself was squared: the n around it count": x * (k + alpha * x**2) ** -beta,
            "the channel itself was left out of the sum": x * (k + alpha * own) ** -beta,
            "the sum runs over all channels: only the n around c count": x
            * (k + alpha * (x**2).sum(axis=1, keepdims=True)) ** -beta,
            "the window goes round the end, from the last channel to the first": x * (k + alpha * rolled) ** -beta,
            "a negative index was used: the window of the first channels is empty (max(0, ...))": x * (k + alpha * cut) ** -beta,
            "the window stops one channel early: a slice leaves out its end": x * (k + alpha * early) ** -beta,
            "the window has only the channels from c on": x * (k + alpha * later) ** -beta,
            "the window has only the channels up to c": x * (k + alpha * before) ** -beta,
            "the window reaches n channels to each side, not n // 2": x * (k + alpha * windowed(x**2, 2 * n)) ** -beta,
            "it was multiplied where the formula divides: the exponent is -beta": x * bracket**beta,
            "x was divided by the power -beta: that multiplies": x / bracket**-beta,
            "the exponent is 1: beta was left out": x / bracket,
            "beta multiplies the bracket: it is an exponent": x / (bracket * beta),
            "a square root was taken: the exponent is beta": x / np.sqrt(bracket),
            "the power itself came back: it multiplies x": bracket**-beta,
            "the power itself came back, with a positive exponent": bracket**beta,
            "the bracket came back": bracket,
            "the sums of squares came back": squares,
            "k was left out": x * (alpha * squares) ** -beta,
            "alpha was left out": x * (k + squares) ** -beta,
            "alpha is in the wrong place: (k + alpha) times the sum": x * ((k + alpha) * squares) ** -beta,
            "alpha multiplies k as well": x * (alpha * (k + squares)) ** -beta,
            "brackets are missing: x * k + alpha * sum ** -beta": x * k + alpha * squares**-beta,
            "brackets are missing: x * (k + alpha * sum ** -beta)": x * (k + alpha * squares**-beta),
            "brackets are missing: x / k + alpha * sum ** beta": x / k + alpha * squares**beta,
            "brackets are missing: the power belongs to the whole bracket": x / (k + alpha * squares**beta),
            "k and alpha are the wrong way round": x * (alpha + k * squares) ** -beta,
            "x was squared before the bracket": x**2 * bracket**-beta,
            "the sign of x was lost": np.abs(x) * bracket**-beta,
        }  # fmt: skip


def lrn_answer(local_response_norm, x, settings, what):
    n, k, alpha, beta = settings
    expect_equal(
        local_response_norm(x.copy(), n, k, alpha, beta),
        x * (k + alpha * windowed(x**2, n)) ** -beta,
        what=what,
        mistakes=lrn_mistakes(x, n, k, alpha, beta),
    )


def images(rng):
    """(N, C, H, W), all different, at least nine channels, no entry near zero."""
    shape = int(rng.integers(2, 4)), int(rng.integers(9, 12)), int(rng.integers(4, 6)), int(rng.integers(6, 8))
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


@case("local_response_norm: every setting counts")
def lrn_values(local_response_norm, *, rng):
    n = int(rng.choice([3, 5]))
    k, alpha, beta = (round(float(v), 2) for v in rng.uniform([1.2, 0.2, 0.4], [2.5, 0.6, 0.9]))
    what = f"local_response_norm(x, {n}, {k}, {alpha}, {beta})"
    lrn_answer(local_response_norm, images(rng), (n, k, alpha, beta), what)


@case("local_response_norm: every setting counts, other inputs", hidden=True)
def lrn_values_again(local_response_norm, *, rng):
    lrn_values(local_response_norm, rng=rng)


@case("local_response_norm: the first and the last channels")
def lrn_ends(local_response_norm, *, rng):
    x = np.full((1, 9, 2, 3), 0.1)
    x[:, -1] = float(rng.uniform(5, 9))  # strong at one end: a window that goes round sees it at the other
    lrn_answer(local_response_norm, x, (3, 1.0, 0.5, 0.75), "local_response_norm with a strong last channel")


@case("local_response_norm: AlexNet's constants are the defaults")
def lrn_defaults(local_response_norm, *, rng):
    x = 100 * images(rng)
    expect_equal(
        local_response_norm(x.copy()),
        x * (2 + 1e-4 * windowed(x**2, 5)) ** -0.75,
        what="local_response_norm(x)",
        mistakes=lrn_mistakes(x, 5, 2.0, 1e-4, 0.75),
    )


Q2 = question(
    "13.2",
    title="Shapes and parameters",
    minutes=12,
    hints=[
        "Whole windows only: `//` rounds down.",
        "A filter has one weight for each input channel and each place of its window, and one bias.",
        "Go through the layers with the current shape in a variable; each layer replaces it.",
        "`kind, *settings = layer` takes an entry apart.",
    ],
)


WINDOWS_WRONG = {
    "the last window was left out: the + 1 is missing": lambda n, k, s, p: (n + 2 * p - k) // s,
    "the padding was counted on one side only": lambda n, k, s, p: (n + p - k) // s + 1,
    "the padding was left out": lambda n, k, s, p: (n - k) // s + 1,
    "the padding was subtracted": lambda n, k, s, p: (n - 2 * p - k) // s + 1,
    "it was rounded up: a window must fit": lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1,
    "it was rounded to the nearest whole number: a window must fit, use //": lambda n, k, s, p: round((n + 2 * p - k) / s) + 1,
    "the division gave a fraction: only whole windows count, use //": lambda n, k, s, p: (n + 2 * p - k) / s + 1,
    "the length was divided by the stride: the kernel and the padding were left out": lambda n, k, s, p: n // s,
    "the length was divided by the stride, rounded up: the kernel and the padding were left out": lambda n, k, s, p: -(-n // s),
    "the kernel was left out": lambda n, k, s, p: (n + 2 * p) // s + 1,
    "the kernel was left out, and the + 1": lambda n, k, s, p: (n + 2 * p) // s,
    "the stride was left out": lambda n, k, s, p: n + 2 * p - k + 1,
    "brackets are missing: only the kernel was divided by the stride": lambda n, k, s, p: n + 2 * p - k // s + 1,
    "the + 1 stands inside the division": lambda n, k, s, p: (n + 2 * p - k + 1) // s,
    "the + 1 stands below the fraction line, beside the stride": lambda n, k, s, p: (n + 2 * p - k) // (s + 1),
    "the windows lie side by side: divide by the stride, not by the kernel": lambda n, k, s, p: (n + 2 * p - k) // k + 1,
    "stride and kernel are the wrong way round": lambda n, k, s, p: (n + 2 * p - s) // k + 1,
    "there is one window too many": lambda n, k, s, p: (n + 2 * p - k) // s + 2,
}  # fmt: skip


@case("windows: strides that do not divide, and padding")
def windows_fit(windows, *, rng):
    inputs = []
    for share in (0.0, 0.4, 1.0, 1.0):
        stride, kernel = int(rng.integers(3, 6)), int(rng.integers(6, 9))
        left = int(share * (stride - 1))
        padding = int(rng.integers(1, 3))
        inputs.append((kernel + stride * int(rng.integers(4, 9)) + left - 2 * padding, kernel, stride, padding))
    inputs.append((int(rng.integers(10, 20)), int(rng.integers(3, 6)), 1, 0))
    expect_calls(
        windows,
        inputs,
        lambda length, kernel, stride, padding: (length + 2 * padding - kernel) // stride + 1,
        what="windows({}, {}, {}, {})".format,
        mistakes=WINDOWS_WRONG,
    )


def counted(layers, shape, mistake=""):
    """What `count` must give, or what it gives with a mistake."""
    result = []
    for kind, *settings in layers:
        params, before = 0, shape
        if kind == "conv":
            filters, kernel, stride, padding = settings
            inputs = {"channels": 1, "after": filters}.get(mistake, shape[0])
            params = filters * (inputs * kernel * (1 if mistake == "square" else kernel) + (mistake != "bias"))
            if mistake == "one bias":
                params = filters * inputs * kernel**2 + 1
            if mistake == "bias each":
                params = filters * inputs * (kernel**2 + 1)
            if mistake == "no filters":
                params = inputs * kernel**2 + 1
            if mistake == "pixels":
                params = filters * (int(np.prod(shape)) + 1)
            padding = 0 if mistake == "padding" else padding
            stride = 1 if mistake == "conv stride" else stride
            high, wide = ((n + 2 * padding - kernel) // stride + 1 for n in shape[1:])
            shape = (shape[0] if mistake == "depth" else filters, high, high if mistake == "height" else wide)
        elif kind == "pool":
            size, stride = settings
            params = shape[0] * size**2 if mistake == "pool" else 0
            stride = size if mistake == "stride" else stride
            high, wide = ((n // stride if mistake == "divided" else (n - size) // stride + 1) for n in shape[1:])
            shape = (shape[0], high, high if mistake == "height" else wide)
        elif kind == "flatten":
            shape = (int(np.prod(shape[1:] if mistake == "flatten" else shape)),)
        else:
            params = settings[0] * (shape[0] + (mistake not in ("bias", "dense bias")))
            if mistake == "one dense bias":
                params = settings[0] * shape[0] + 1
            if mistake == "input biases":
                params = settings[0] * shape[0] + shape[0]
            shape = (settings[0],)
        shown = before if mistake == "before" else shape
        if mistake == "last" and len(shown) == 3:
            shown = (*shown[1:], shown[0])
        if mistake == "width first" and len(shown) == 3:
            shown = (shown[0], shown[2], shown[1])
        if mistake == "number" and len(shown) == 1:
            shown = shown[0]
        if mistake == "batch":
            shown = (1, *shown)
        result.append((params, shown) if mistake == "swapped" else (shown, params))
    if mistake == "total":
        return [(shape, sum(p for _, p in result[: i + 1])) for i, (shape, _) in enumerate(result)]
    return result


MISTAKES = {
    "the biases were left out": "bias",
    "the biases of the dense layers were left out": "dense bias",
    "a convolution has one bias for each filter, not one in all": "one bias",
    "a filter has one bias, not one for each channel": "bias each",
    "a dense layer has one bias for each unit, not one in all": "one dense bias",
    "a dense layer has a bias for each unit, not for each input": "input biases",
    "the input channels were left out: a filter reads all of them": "channels",
    "the channels after the layer were counted: a filter reads those before it (shape was replaced too early)": "after",
    "the filters were left out: each has weights of its own": "no filters",
    "the pixels of the image were counted: a filter is moved over them, and has kernel x kernel weights": "pixels",
    "a kernel has kernel x kernel weights for each channel, not kernel": "square",
    "pooling has no parameters": "pool",
    "the stride of the pooling was taken for its size": "stride",
    "the pooling divides by the stride: count the windows that fit": "divided",
    "the channels were left out when flattening": "flatten",
    "the padding was left out": "padding",
    "the stride of the convolution was left out": "conv stride",
    "the width was made of the height: each axis has its own": "height",
    "a convolution has as many channels as filters, not as before": "depth",
    "the shape before each layer came back: the output shape is asked for": "before",
    "channels came last: a shape is (C, H, W)": "last",
    "height and width are the wrong way round: a shape is (C, H, W)": "width first",
    "after flattening the shape is a tuple of one number, (n,)": "number",
    "a batch axis was added": "batch",
    "the pairs are the wrong way round: (shape, parameters)": "swapped",
    "the parameters were added up: each layer has its own number": "total",
}


def count_answer(count, layers, shape):
    result = count([tuple(layer) for layer in layers], shape)
    what = f"count({layers}, {shape})"
    expect_true(
        type(result) in (list, tuple) and len(result) == len(layers),
        f"{what} gave {inspect_value(result)}, not a list with one pair for each layer",
        mistake="a return is missing"
        if result is None
        else "only the last layer came back: one pair for each layer is asked for"
        if type(result) is tuple and len(result) == 2
        else "pooling and flatten were passed over: one pair for each layer is asked for"
        if type(result) is list and len(result) < len(layers)
        else None,
    )
    for i, pair in enumerate(result):
        expect_true(
            type(pair) in (list, tuple) and len(pair) == 2,
            f"entry {i} of {what} is {inspect_value(pair)}, not a pair (shape, parameters)",
        )
    for i, layer in enumerate(layers):
        right = counted(layers, shape)[i]
        fits = {name: counted(layers, shape, mistake) for name, mistake in MISTAKES.items()}
        whole = [name for name, wrong in fits.items() if same(result, wrong)]
        expect_equal(
            result[i],
            right,
            what=f"{what}, at layer {i}, {layer}:",
            mistakes={name: result[i] for name in whole[:1]} or {name: wrong[i] for name, wrong in fits.items() if wrong[i] != right},
        )  # fmt: skip


def same(a, b):
    """Whether two nested lists or tuples of numbers are the same."""
    if type(b) in (list, tuple):
        return type(a) in (list, tuple) and len(a) == len(b) and all(map(same, a, b))
    return np.ndim(a) == 0 and not isinstance(a, str) and a == b


@case("count: a network with two convolutions, not square")
def count_network(count, *, rng):
    height, width = int(rng.choice([21, 25])), int(rng.choice([29, 33, 37]))  # every window fits exactly
    layers = [
        ("conv", int(rng.integers(4, 7)), 5, 1, 2),
        ("pool", 3, 2),
        ("conv", int(rng.integers(8, 12)), 3, 1, 1),
        ("pool", 2, 2),
        ("flatten",),
        ("dense", int(rng.integers(20, 40))),
        ("dense", 10),
    ]
    count_answer(count, layers, (int(rng.integers(2, 5)), height, width))


@case("count: a first layer with a stride")
def count_stride(count, *, rng):
    padding = 2
    side = 4 * int(rng.integers(15, 18)) + 2 - 2 * padding  # three pixels are left over at the end
    layers = [("conv", int(rng.integers(10, 20)), 11, 4, padding), ("pool", 3, 2), ("flatten",)]
    count_answer(count, layers, (3, side, side + 8))


Q3 = question(
    "13.3",
    title="Build LeNet-5",
    minutes=15,
    hints=[
        "For pooling, give each pair of rows and of columns an axis: `x.reshape(n, c, h // 2, 2, w // 2, 2)`.",
        "The first dense layer has 16 * 5 * 5 = 400 inputs. The fan-in of filters (F, C, K, K) is C * K * K.",
        "`x.reshape(len(x), -1)` makes a row of each image.",
        "No ReLU after the last layer: scores may be negative.",
    ],
)


@case("max_pool: the largest of each 2 x 2")
def pools(max_pool, *, rng):
    shape = 2, int(rng.integers(2, 5)), 2 * int(rng.integers(2, 4)), 2 * int(rng.integers(4, 6))
    x = rng.normal(size=shape)
    n, c, h, w = shape
    blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
    halves = x.reshape(n, c, 2, h // 2, 2, w // 2)
    expect_equal(
        max_pool(x.copy()),
        blocks.max(axis=(3, 5)),
        what=f"max_pool(x) for x of shape {shape}",
        mistakes={
            "the mean of each window was taken": blocks.mean(axis=(3, 5)),
            "the sum of each window was taken": blocks.sum(axis=(3, 5)),
            "the smallest of each window was taken": blocks.min(axis=(3, 5)),
            "the largest absolute value of each window was taken": np.abs(blocks).max(axis=(3, 5)),
            "every second pixel was taken, not the largest of four": x[:, :, ::2, ::2],
            "halves of the image were compared: the axes of the reshape are in the wrong order": halves.max(axis=(2, 4)),
            "the maximum was taken over the windows, not inside them: the axes of the twos are 3 and 5": blocks.max(axis=(2, 4)),
            "four pixels that follow each other in memory were compared: the reshape is (N, C, H/2, 2, W/2, 2)": (
                x.reshape(n, c, h // 2, w // 2, 2, 2).max(axis=(4, 5))
            ),
            "only the rows were pooled": x.reshape(n, c, h // 2, 2, w).max(axis=3),
            "only the columns were pooled": x.reshape(n, c, h, w // 2, 2).max(axis=4),
            "only the first channel was pooled": blocks.max(axis=(3, 5))[:, :1],
            "only the first image was pooled": blocks.max(axis=(3, 5))[:1],
            "the channels were pooled too: each has its own map": blocks.max(axis=(1, 3, 5)),
            "the windows overlap: they lie side by side, every 2 pixels": np.lib.stride_tricks.sliding_window_view(
                x, (2, 2), axis=(2, 3)
            ).max(axis=(4, 5)),
            "the largest of the whole map was taken": x.max(axis=(2, 3)),
            "rows and columns are the wrong way round": blocks.max(axis=(3, 5)).swapaxes(2, 3),
        },
    )  # fmt: skip


SHAPES = {
    "conv1": (6, 1, 5, 5),
    "conv2": (16, 6, 5, 5),
    "dense1": (400, 120),
    "dense2": (120, 84),
    "dense3": (84, 10),
}


@case("init_lenet5: shapes and sizes of the weights")
def inits(init_lenet5, *, rng):
    params = init_lenet5(generator(rng))
    what = "init_lenet5(rng)"
    expect_true(
        type(params) is dict and set(params) == set(SHAPES),
        f"{what} gave {inspect_value(params)}, not a dict with the keys {', '.join(SHAPES)}",
        mistake="a return is missing" if params is None else None,
    )
    for name, shape in SHAPES.items():
        pair = params[name]
        expect_true(
            type(pair) in (tuple, list) and len(pair) == 2,
            f"{name} of {what} is {inspect_value(pair)}, not a pair (w, b)",
        )
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        fan_out = shape[0] * 25 if len(shape) == 4 else shape[1]
        image = len(shape) == 4
        units = shape[0] if image else shape[1]
        spreads = {
            "the square root is missing: a variance was used as a standard deviation": 2 / fan_in,
            "the 2 for ReLU is missing": (1 / fan_in) ** 0.5,
            "the fan-out was used in place of the fan-in": (2 / fan_out) ** 0.5,
            "Glorot's rule was used, 2 / (fan-in + fan-out): He's is 2 / fan-in": (2 / (fan_in + fan_out)) ** 0.5,
            "Glorot's rule was used, with the number of units for the fan-out: He's is 2 / fan-in": (
                2 / (fan_in + units)
            )
            ** 0.5,
            "the number of units was used in place of the fan-in": (2 / units) ** 0.5,
            "the weights are not scaled by their fan-in": 1.0,
            "a fixed spread of 0.01 was used, not one that depends on the fan-in": 0.01,
            "a fixed spread of 0.1 was used, not one that depends on the fan-in": 0.1,
            "uniform draws from -0.5 to 0.5 were used": 12**-0.5,
            "the root of the fan-in alone was used: the 2 is under the root, and the fan-in divides": fan_in**0.5,
            "the 2 stands outside the root": 2 / fan_in**0.5,
        }
        if image:
            spreads["only the channels were counted as fan-in, not the window"] = (2 / shape[1]) ** 0.5
            spreads["only the window was counted as fan-in, not the channels"] = (2 / 25) ** 0.5
            spreads["only one side of the window was counted as fan-in"] = (2 / (5 * shape[1])) ** 0.5
            spreads["the number of all weights was counted as fan-in"] = (2 / np.prod(shape)) ** 0.5
        else:
            spreads["the number of all weights was counted as fan-in"] = (2 / np.prod(shape)) ** 0.5
        turned = {"the weights are (units, inputs), as in PyTorch: here x @ w, so (inputs, units)": shape[::-1]}
        order = (
            {"the filters are (K, K, C, F) or the like: here (F, C, K, K)": shape[2:] + shape[1::-1]} if image else {}
        )
        expect_shape(pair[0], shape, what=f"w of {name}", mistakes=order or turned)
        expect_draws(
            pair[0],
            shape=shape,
            std=(2 / fan_in) ** 0.5,
            what=f"w of {name}",
            mistakes={text: s for text, s in spreads.items() if abs(s / (2 / fan_in) ** 0.5 - 1) > 1e-9},
        )
        zeros = np.zeros(units)
        expect_equal(
            pair[1],
            zeros,
            what=f"b of {name}",
            mistakes={
                "the biases are ones: they start at 0": zeros + 1,
                "there is one bias for each input: one for each unit is meant": np.zeros(
                    shape[1] if image else shape[0]
                ),
                "the bias is one number: one for each unit is meant": 0.0,
                "the biases are a row of a matrix: the shape is (units,)": zeros[None],
                "the biases were drawn too: they start at 0": pair[1]
                if np.shape(pair[1]) == zeros.shape and np.any(np.asarray(pair[1], dtype=object) != 0)
                else zeros + 2,
            },
        )


@case("init_lenet5 draws from the generator that it is given")
def inits_seeded(init_lenet5, *, rng):
    expect_seeded(lambda g: init_lenet5(g)["dense3"][0], rng=rng, what="init_lenet5(rng)")


def drawn(rng):
    """Weights of every layer, with biases away from zero."""
    params = {}
    for name, shape in SHAPES.items():
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        units = shape[0] if len(shape) == 4 else shape[1]
        params[name] = rng.normal(0, (2 / fan_in) ** 0.5, shape), rng.normal(0, 0.3, units)
    return params


def forward(params, x, mistake=""):
    """LeNet-5, or LeNet-5 with a mistake."""

    def relu(x, where):
        if mistake == "tanh":
            return np.tanh(x)
        if mistake == "sigmoid":
            return 1 / (1 + np.exp(-x))
        return x if mistake in (f"no relu {where}", "no relu") else np.maximum(x, 0)

    def convolve(x, w, b, padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        patches = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
        w = w[:, :, ::-1, ::-1] if mistake == "flipped" else w
        return np.einsum("nchwij,fcij->nfhw", patches, w, optimize=True) + (
            0 if mistake == "conv bias" else b[:, None, None]
        )

    for name, padding in (("conv1", 2), ("conv2", 0)):
        x = relu(convolve(x, *params[name], padding), "conv" if mistake != f"no relu {name}" else name)
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        x = {"mean": blocks.mean, "min": blocks.min}.get(mistake, blocks.max)(axis=(3, 5))
        x = blocks[:, :, :, 0, :, 0] if mistake == "every second" else x
    if mistake == "order":
        x = x.transpose(0, 2, 3, 1)
    if mistake == "columns":
        x = x.swapaxes(2, 3)
    x = x.reshape(len(x), -1)
    for name in ("dense1", "dense2", "dense3"):
        w, b = params[name]
        x = x @ w + (0 if mistake == "bias" else b)
        if name != "dense3" or mistake == "last":
            x = relu(x, "dense" if mistake != f"no relu {name}" else name)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    softmax = e / e.sum(axis=1, keepdims=True)
    if mistake == "log softmax":
        return np.log(softmax)
    if mistake in ("class", "one class"):
        return x.argmax(axis=1) if mistake == "class" else int(x[0].argmax())
    if mistake == "first":
        return x[0]
    return softmax if mistake == "softmax" else x.T if mistake == "turned" else x


FORWARD_MISTAKES = {
    "ReLU stands after the last layer: scores may be negative": "last",
    "ReLU is missing after the convolutions": "no relu conv",
    "ReLU is missing after the first convolution": "no relu conv1",
    "ReLU is missing after the second convolution": "no relu conv2",
    "ReLU is missing between the dense layers": "no relu dense",
    "ReLU is missing after the first dense layer": "no relu dense1",
    "ReLU is missing after the second dense layer": "no relu dense2",
    "ReLU is missing everywhere": "no relu",
    "tanh was used in place of ReLU": "tanh",
    "a sigmoid was used in place of ReLU": "sigmoid",
    "the mean of each window was taken, not the largest": "mean",
    "the smallest of each window was taken, not the largest": "min",
    "every second pixel was taken: pooling takes the largest of four": "every second",
    "the maps were flattened in another order: channels first, then rows, then columns": "order",
    "the maps were flattened in another order: rows before columns": "columns",
    "the biases of the dense layers were left out": "bias",
    "the biases of the convolutions were left out": "conv bias",
    "the filters were flipped": "flipped",
    "softmax was applied: scores are asked for": "softmax",
    "the logarithm of softmax was taken: scores are asked for": "log softmax",
    "the class came back (argmax): the scores of all ten are asked for": "class",
    "the class of one image came back: scores (N, 10) are asked for": "one class",
    "only the first image was read": "first",
    "the axes are (10, N): scores are (N, 10)": "turned",
}


def scores_answer(lenet5, n, rng):
    params, x = drawn(rng), rng.normal(size=(n, 1, 28, 28))
    right = forward(params, x)
    wrong = {
        name: forward(params, x, mistake) for name, mistake in FORWARD_MISTAKES.items() if n > 1 or mistake != "first"
    }
    if n == 1:
        wrong[
            "the axis of the images got lost (x.flatten() flattens that one too): scores are (N, 10) for one image as well"
        ] = right[0]
    expect_equal(
        lenet5({name: (w.copy(), b.copy()) for name, (w, b) in params.items()}, x.copy()),
        right,
        what=f"lenet5(params, x) for {n} image{'s' if n > 1 else ''}",
        mistakes=wrong,
    )


@case("lenet5: scores of a few images", points=2)
def scores_of_some(lenet5, *, rng):
    scores_answer(lenet5, 3, rng)


@case("lenet5: scores of a few images, other inputs", hidden=True)
def scores_of_some_again(lenet5, *, rng):
    scores_of_some(lenet5, rng=rng)


@case("lenet5: one image")
def scores_of_one(lenet5, *, rng):
    scores_answer(lenet5, 1, rng)


Q4 = question(
    "13.4",
    title="Measure: how far may a digit move?",
    minutes=12,
    hints=[
        "Start with zeros of the shape of x, and write a slice of x into a slice of it.",
        "`x[..., : width - shift]` is what stays in the picture when it moves to the right. It lands at `shift:`.",
        "`net(moved).argmax(axis=1) == y` says which answers are right.",
    ],
)


def moved(x, shift, how="zero"):
    """Images moved to the right by `shift` columns, to the left where it is negative."""
    if how == "round":
        return np.roll(x, shift, axis=3)
    if how == "rows":
        return np.swapaxes(moved(np.swapaxes(x, 2, 3), shift), 2, 3)
    out = np.zeros_like(x) if how == "zero" else np.repeat(x[..., :1] if shift > 0 else x[..., -1:], x.shape[3], axis=3)
    width = x.shape[3]
    if shift >= 0:
        out[..., shift:] = x[..., : width - shift]
    else:
        out[..., :shift] = x[..., -shift:]
    return out


def accuracy_of(net, x, y, shift, *, how="zero", sides=(1, -1), count=2, error=None, best=None):
    """(accuracy, standard error) on moved images, and what comes of them when a part is changed."""
    found = [float(np.mean(net(moved(x, side * shift, how)).argmax(axis=1) == y)) for side in sides]
    a = float(np.mean(found)) if best is None else best(found)
    return a, float(np.sqrt(a * (1 - a) / (count * len(y)))) if error is None else float(error(a, len(y)))


SHIFTS = {
    "the images go round: what moves out on one side comes back on the other (np.roll); it is to be 0": {"how": "round"},
    "the images were moved up and down: to the right and to the left": {"how": "rows"},
    "the border was repeated: what moves in is 0": {"how": "edge"},
    "the images were moved to the right only": {"sides": (1, 1)},
    "the images were moved to the left only": {"sides": (-1, -1)},
    "the images were not moved": {"sides": (0, 0)},
    "the images were moved by twice the shift": {"sides": (2, -2)},
    "the better of both accuracies was taken, not their mean": {"best": max},
    "the worse of both accuracies was taken, not their mean": {"best": min},
    "both accuracies were added: the mean is asked for": {"best": sum, "error": lambda a, n: np.sqrt(abs(a / 2 * (1 - a / 2)) / (2 * n))},
    "the error is that of N answers: there are 2N": {"count": 1},
    "the square root is missing in the error": {"error": lambda a, n: a * (1 - a) / (2 * n)},
    "the standard deviation of one answer came back: the error of a mean is smaller": {"error": lambda a, n: np.sqrt(a * (1 - a))},
    "the root of N divides once too often: the root covers the fraction": {"error": lambda a, n: np.sqrt(a * (1 - a)) / (2 * n)},
    "two standard errors came back: one is asked for": {"error": lambda a, n: 2 * np.sqrt(a * (1 - a) / (2 * n))},
    "the brackets are missing in the error: a (1 - a)": {"error": lambda a, n: np.sqrt(a - a**2 / (2 * n))},
}  # fmt: skip


def shift_problem(rng, shift, right_share):
    """(net, x, y, shift): labels that are right for the images moved to the right or to the left, in these shares."""
    while True:
        n, classes, width = int(rng.integers(40, 60)), 4, int(rng.integers(9, 12))
        x = rng.normal(0, 1, (n, 2, int(rng.integers(6, 8)), width))
        weights = rng.normal(0, 1, (*x.shape[1:], classes))

        def net(x, weights=weights):
            return np.einsum("nchw,chwk->nk", x, weights)

        sides = [net(moved(x, side)).argmax(axis=1) for side in (shift, -shift)]
        y = np.where(rng.random(n) < right_share, *sides)
        y = np.where(rng.random(n) < 0.2, rng.integers(0, classes, n), y)
        better = np.mean(sides[0] == y) > np.mean(sides[1] == y)
        if shift == 0 or better == (right_share > 0.5):
            return net, x, y, shift


def shift_calls(shifted_accuracy, problems):
    expect_calls(
        shifted_accuracy,
        problems,
        accuracy_of,
        what=lambda net, x, y, shift: f"shifted_accuracy(net, x, y, {shift}), (accuracy, standard error),",
        mistakes={text: lambda *p, settings=settings: accuracy_of(*p, **settings) for text, settings in SHIFTS.items()},
    )


@case("shifted_accuracy: to both sides, with zeros at the border", points=3)
def shift_some(shifted_accuracy, *, rng):
    shift_calls(shifted_accuracy, [shift_problem(rng, int(rng.integers(2, 5)), share) for share in (0.7, 0.3)])


@case("shifted_accuracy: a shift of 0")
def shift_none(shifted_accuracy, *, rng):
    shift_calls(shifted_accuracy, [shift_problem(rng, shift, share) for shift, share in ((0, 0.7), (1, 0.7), (2, 0.3))])


Q5 = question(
    "13.5",
    title="Repair: a network that does not fit",
    minutes=15,
    hints=[
        "Write a helper that says whether a list of layers fits: go through it, and before each window layer compare the smaller axis with it.",
        "For each convolution, in order, try a padding one larger, two larger, and so on.",
        "A larger padding of a late convolution cannot help a layer before it. What does your loop do then?",
    ],
)


def fits(layers, shape):
    """Whether every layer has an output."""
    sides = shape[1:]
    for kind, *settings in layers:
        if kind in ("conv", "pool"):
            kernel, stride, padding = settings[1:] if kind == "conv" else (*settings, 0)
            if min(sides) + 2 * padding < kernel:
                return False
            sides = [(n + 2 * padding - kernel) // stride + 1 for n in sides]
    return True


def padded(layers, place, padding):
    return [*layers[:place], (*layers[place][:4], padding), *layers[place + 1 :]]


def repaired(layers, shape, order=1, least=1):
    """The first convolution (the last, with order -1) that can mend the list, with a padding raised as little as possible."""
    for place in range(len(layers))[::order]:
        if layers[place][0] == "conv":
            for padding in range(layers[place][4] + 1, layers[place][4] + 60):
                if fits(padded(layers, place, padding), shape):
                    return padded(layers, place, padding + least - 1)
    return None


def broken(rng):
    """A list of three convolutions that does not fit: the first can be mended with a padding that is 1 larger, a later one too."""
    while True:
        k = 2 * int(rng.integers(1, 3)) + 1
        side = int(rng.integers(12, 32))
        body = [
            ("conv", 4, k, 1, 0),
            ("pool", 2, 2),
            ("conv", 6, k, 1, int(rng.integers(0, 2))),
            ("pool", 2, 2),
            ("conv", 8, k, 1, 0),
        ]
        layers = [*body, ("pool", 3, 2), ("flatten",), ("dense", int(rng.integers(5, 20)))]
        shape = (2, side, side + int(rng.integers(3, 7)))
        if not fits(layers, shape) and fits(padded(layers, 0, 1), shape):
            return layers, shape


def repair_case(repair, layers, shape):
    right = repaired(layers, shape)
    what = f"repair({layers}, {shape})"
    got = repair([tuple(layer) for layer in layers], shape)
    expect_true(
        type(got) in (list, tuple) and len(got) == len(layers) and all(type(layer) in (list, tuple) for layer in got),
        f"{what} gave {inspect_value(got)}, not a list of {len(layers)} layers",
        mistake="a return is missing" if got is None else None,
    )
    got = [tuple(layer) for layer in got]
    changed = [i for i, (a, b) in enumerate(zip(got, layers, strict=True)) if a != tuple(b)]
    first = next(i for i, (a, b) in enumerate(zip(right, layers, strict=True)) if a != b)
    mistake = None
    if got != right:
        convs = [i for i in changed if layers[i][0] == "conv" and got[i][:4] == layers[i][:4] and len(got[i]) == 5]
        if not changed:
            mistake = "nothing was changed"
        elif len(changed) > 1:
            mistake = "more than one layer was changed: one padding is to be raised"
        elif not convs:
            mistake = "something else than a padding was changed"
        elif not fits(got, shape):
            mistake = "the padding is still too small: some layer has no output"
        elif changed[0] == first and got[first][4] > right[first][4]:
            mistake = "the padding was raised too far: as little as possible is asked for"
        elif changed[0] > first:
            mistake = "a later convolution was changed: where several would do, the first is asked for"
    expect_true(got == right, f"{what} gave {got}, expected {right}", mistake=mistake)


@case("repair: the first convolution that can mend the network", points=3)
def repairs(repair, *, rng):
    repair_case(repair, *broken(rng))


@case("repair: a convolution that was padded already, and an image wider than high")
def repairs_later(repair, *, rng):
    while True:
        k = int(rng.integers(4, 7))
        p, side = int(rng.integers(0, 3)), int(rng.integers(5, 9))
        layers = [
            ("conv", 3, k, 2, p),
            ("conv", 4, k, 1, int(rng.integers(0, 2))),
            ("pool", 3, 1),
            ("flatten",),
            ("dense", int(rng.integers(5, 20))),
        ]
        shape = (1, side, side + 9)
        far = not fits(layers, shape) and not fits(padded(layers, 0, p + 1), shape)
        if far and repaired(layers, shape) not in (None, repaired(layers, shape, order=-1)):
            break
    repair_case(repair, layers, shape)
    few, more = (int(n) for n in rng.integers(2, 9, 2))
    # a pool stands first; a map smaller than its kernel is padded enough; the very last layer does not fit
    for kernel in (2, 3):
        layers = [
            ("pool", 2, 1),
            ("conv", few, 3, 1, 0),
            ("pool", 2, 2),
            ("conv", more, 5, 1, 2),
            ("conv", few, kernel, 1, 0),
        ]
        repair_case(repair, layers, (1, 5, 5 + few))
    # a pool, and a convolution that is padded, do not fit, by more than one pixel
    repair_case(repair, [("conv", more, 2, 1, 0), ("conv", few, 3, 1, 1), ("pool", 6, 1)], (1, 4, 4 + more))
    repair_case(repair, [("conv", few, 3, 1, 0), ("conv", more, 7, 1, 1)], (1, 4, 4 + few))


Q6 = question(
    "13.6",
    title="A residual block, forward and backward",
    minutes=15,
    hints=[
        "Forward: the branch is two dense layers with ReLU between them, and none after the second. Then x is added.",
        "`dout` goes into the branch as it came: it is the gradient of the second dense layer's output.",
        "ReLU lets a gradient through where its own input is above 0: multiply by `(x @ w1 + b1) > 0`.",
        "The branch's gradient of x is `... @ w1.T`. The shortcut's is `dout`. The shortcut has no weights.",
    ],
)


def residual_setting(rng):
    """(dout, x, w1, b1, w2, b2): three sizes that differ, and hidden units that are off for some examples."""
    n, d, h = int(rng.integers(4, 6)), int(rng.integers(6, 8)), int(rng.integers(9, 12))
    x, dout = rng.normal(0, 1, (2, n, d))
    w1, w2 = rng.normal(0, 0.6, (d, h)), rng.normal(0, 0.6, (h, d))
    return dout, x, w1, rng.uniform(0.3, 0.8, h) * rng.choice([-1, 1], h), w2, rng.uniform(0.5, 1.5, d)


def residual_out(x, w1, b1, w2, b2):
    return x + np.maximum(x @ w1 + b1, 0) @ w2 + b2


def residual_outs(x, w1, b1, w2, b2):
    """What usual mistakes give."""
    branch = residual_out(x, w1, b1, w2, b2) - x
    return {
        "x is missing: the branch alone came back": branch,
        "there is a ReLU after the addition as well: this block has one ReLU, in its branch": np.maximum(x + branch, 0),
        "there is a ReLU after the second layer as well: this block has one ReLU": x + np.maximum(branch, 0),
        "ReLU is missing between the two layers": x + (x @ w1 + b1) @ w2 + b2,
        "ReLU was applied to x: it stands between the two layers": x + (np.maximum(x, 0) @ w1 + b1) @ w2 + b2,
        "b1 is added after ReLU: it belongs before": x + (np.maximum(x @ w1, 0) + b1) @ w2 + b2,
        "b1 was left out": residual_out(x, w1, 0, w2, b2),
        "b2 was left out": residual_out(x, w1, b1, w2, 0),
        "both biases were left out": residual_out(x, w1, 0, w2, 0),
        "x was subtracted: it is added": branch - x,
        "the branch was subtracted: it is added": x - branch,
        "the mean of x and the branch was taken: they are added": (x + branch) / 2,
        "x and the branch were multiplied: they are added": x * branch,
        "tanh was used in place of ReLU": x + np.tanh(x @ w1 + b1) @ w2 + b2,
    }


def residual_grads(dout, x, w1, b1, w2, b2):
    """{part: the right gradient}, and {mistake: the parts that it changes}."""
    before = x @ w1 + b1
    hidden, on, dhidden = np.maximum(before, 0), before > 0, dout @ w2.T

    def parts(dbefore, dout=dout, hidden=hidden):
        return {
            "dx": dout + dbefore @ w1.T,
            "dw1": x.T @ dbefore,
            "db1": dbefore.sum(axis=0),
            "dw2": hidden.T @ dout,
            "db2": dout.sum(axis=0),
        }

    right = parts(dhidden * on)
    through = right["dx"] - dout
    n, last = len(x), dout * (x + hidden @ w2 + b2 > 0)
    mistakes = {
        "the shortcut is missing: x also reaches the output unchanged, so dout is added": {"dx": through},
        "the branch is missing: x also reaches the output through its two layers": {"dx": dout},
        "the shortcut was subtracted: both ways are added up": {"dx": through - dout},
        "the branch was subtracted: both ways are added up": {"dx": dout - through},
        "both ways were multiplied: they are added up": {"dx": dout * through},
        "the mean of both ways was taken: they are added up": {"dx": right["dx"] / 2},
        "dout counts twice": {"dx": right["dx"] + dout},
        "1 was added for the shortcut: its derivative is 1, and dout is multiplied by it": {"dx": through + 1},
        "x was added, not dout": {"dx": through + x},
        "the shortcut goes past ReLU: dout comes back by it as it is": {"dx": through + dout * (x > 0)},
        "the derivative of ReLU is missing": parts(dhidden),
        "the derivative of ReLU is missing, for dx": {"dx": parts(dhidden)["dx"]},
        "ReLU was applied to the gradient: multiply it by 1 where ReLU's input is above 0": parts(np.maximum(dhidden, 0)),
        "the gradient was multiplied by ReLU's output, not by its derivative": parts(dhidden * hidden),
        "b1 was left out in the input of ReLU": parts(dhidden * (x @ w1 > 0), hidden=np.maximum(x @ w1, 0)),
        "b1 was left out where ReLU is on": parts(dhidden * (x @ w1 > 0)),
        "ReLU is missing in the input of the second layer": {"dw2": before.T @ dout},
        "the gradient went back through a ReLU after the addition: this block has none": parts((last @ w2.T) * on, last),
        "db2 is a mean: each example brings its own gradient, they are added up": {"db2": dout.mean(axis=0)},
        "db1 is a mean: each example brings its own gradient, they are added up": {"db1": right["db1"] / n},
        "db1 and db2 are means: each example brings its own gradient, they are added up": {
            "db1": right["db1"] / n,
            "db2": right["db2"] / n,
        },
        "it was divided by the number of examples, which the loss has done": {
            name: right[name] / n for name in ("dw1", "db1", "dw2", "db2")
        },
        "db1 and db2 are the wrong way round": {"db1": right["db2"], "db2": right["db1"]},
        "dw1 and dw2 are the wrong way round": {"dw1": right["dw2"], "dw2": right["dw1"]},
        "the biases' gradients were not summed over the examples": {"db1": dhidden * on, "db2": dout},
        "dw1 and dw2 are transposed": {"dw1": right["dw1"].T, "dw2": right["dw2"].T},
    }  # fmt: skip
    return right, mistakes


def residual_case(residual_backward, rng, names):
    dout, x, w1, b1, w2, b2 = residual_setting(rng)
    given = [a.copy() for a in (dout, x, w1, b1, w2)]
    what = f"residual_backward(dout, x, w1, b1, w2) for x {x.shape}, w1 {w1.shape}"
    right, mistakes = residual_grads(dout, x, w1, b1, w2, b2)
    got = expect_parts(residual_backward(*given), tuple(right), what=what)
    for name in names:
        expect_results(got, right, what=what, mistakes=mistakes, only=name)


@case("residual_forward: the input and the branch")
def residual_values(residual_forward, *, rng):
    _, *given = residual_setting(rng)
    expect_equal(
        residual_forward(*(a.copy() for a in given)),
        residual_out(*given),
        what="residual_forward(x, w1, b1, w2, b2)",
        mistakes=residual_outs(*given),
    )


@case("residual block: a branch of zeros is not there, forward and backward")
def residual_identity(residual_forward, residual_backward, *, rng):
    dout, x, w1, b1, w2, b2 = residual_setting(rng)
    w2, b2 = np.zeros_like(w2), np.zeros_like(b2)
    expect_equal(
        residual_forward(x.copy(), w1.copy(), b1.copy(), w2.copy(), b2.copy()),
        x,
        what="residual_forward(x, w1, b1, w2, b2) with w2 and b2 of zeros",
        mistakes=residual_outs(x, w1, b1, w2, b2),
    )
    what = "residual_backward(dout, x, w1, b1, w2) with w2 of zeros"
    got = residual_backward(dout.copy(), x.copy(), w1.copy(), b1.copy(), w2.copy())
    dx, *_ = expect_parts(got, ("dx", "dw1", "db1", "dw2", "db2"), what=what)
    _, mistakes = residual_grads(dout, x, w1, b1, w2, b2)
    wrong = {text: parts["dx"] for text, parts in mistakes.items() if "dx" in parts}
    expect_equal(dx, dout, what=f"dx of {what}", mistakes={t: a for t, a in wrong.items() if not np.allclose(a, dout)})


@case("residual_backward: the input")
def residual_input(residual_backward, *, rng):
    residual_case(residual_backward, rng, ["dx"])


@case("residual_backward: the input, other inputs", hidden=True)
def residual_input_again(residual_backward, *, rng):
    residual_input(residual_backward, rng=rng)


@case("residual_backward: weights and biases")
def residual_weights(residual_backward, *, rng):
    residual_case(residual_backward, rng, ["dw1", "db1", "dw2", "db2"])


Q7 = question(
    "13.7",
    title="Depthwise separable convolution",
    minutes=15,
    hints=[
        "With K // 2 zeros on each side an image keeps its height and width, for odd K.",
        "Loop over the K x K places i, j of the kernels. Which piece of the padded images lies under a place?",
        "`depthwise[:, i, j, None, None]` has one number for each channel, and fits images (N, C, H, W).",
        "The 1 x 1 convolution is a sum over the channels of each pixel, with the weights of a row of `pointwise`.",
    ],
)


def channelwise(x, kernels, mode="constant", before=None):
    """Each channel with its own kernel (C, K, K); the maps stay as large as the images."""
    size = kernels.shape[1]
    before = size // 2 if before is None else before
    sides = (before, 2 * (size // 2) - before)
    around = np.pad(x, ((0, 0), (0, 0), sides, sides), mode=mode)
    patches = np.lib.stride_tricks.sliding_window_view(around, (size, size), axis=(2, 3))
    return np.einsum("nchwij,cij->nchw", patches, kernels)


def mixed(maps, pointwise):
    return np.einsum("nchw,fc->nfhw", maps, pointwise)


def separable_mistakes(x, d, m):
    """What usual mistakes give."""
    right, half = channelwise(x, d), d.shape[1] // 2
    inside = (slice(None), slice(None), slice(half, -half), slice(half, -half))
    everything = np.repeat(x.sum(axis=1, keepdims=True), x.shape[1], axis=1)
    wide = ((0, 0), (0, 0), (half + 1, half + 1), (half + 1, half + 1))
    one = (slice(None), slice(None), *[slice(half - 1, n - half + 1) for n in x.shape[2:]])
    added = right.sum(axis=1, keepdims=True)
    return {
        "K zeros were put on each side: K // 2 keep height and width": mixed(channelwise(np.pad(x, wide), d), m),
        "one row of zeros was put on each side: it takes K // 2": mixed(right, m)[one],
        "the filters are the last axis: (N, F, H, W) is asked for": mixed(right, m).transpose(0, 2, 3, 1),
        "the channels were added up in the first step: each keeps a map of its own": mixed(
            np.repeat(added, len(d), axis=1), m
        ),
        "the kernels are flipped": mixed(channelwise(x, d[:, ::-1, ::-1]), m),
        "rows and columns of the kernels are the wrong way round": mixed(channelwise(x, d.swapaxes(1, 2)), m),
        "the first channel's kernel was used for all: each channel has its own": mixed(
            channelwise(x, np.repeat(d[:1], len(d), axis=0)), m
        ),
        "the kernels of the channels were added up: each channel has its own": mixed(
            channelwise(x, np.repeat(d.sum(axis=0, keepdims=True), len(d), axis=0)), m
        ),
        "each kernel saw all channels: it belongs to one": mixed(channelwise(everything, d), m),
        "the 1 x 1 convolution is missing: the maps of the channels came back": right,
        "the maps of the channels were added up: each filter has weights of its own for them": np.repeat(
            right.sum(axis=1, keepdims=True), len(m), axis=1
        ),
        "the mean over the channels was taken: a filter adds them up": mixed(right, m) / x.shape[1],
        "the depthwise step is missing": mixed(x, m),
        "the zeros around the images are missing: the maps are to keep their height and width": mixed(right, m)[inside],
        "the border was repeated: zeros are put around": mixed(channelwise(x, d, "edge"), m),
        "the border was mirrored: zeros are put around": mixed(channelwise(x, d, "reflect"), m),
        "the images go round: zeros are put around": mixed(channelwise(x, d, "wrap"), m),
        "all zeros were put at the end: half of them belong at the start": mixed(channelwise(x, d, before=0), m),
        "all zeros were put at the start: half of them belong at the end": mixed(channelwise(x, d, before=2 * half), m),
        "ReLU stands between the two steps: here nothing does": mixed(np.maximum(right, 0), m),
        "there is a ReLU after the second step: here there is none": np.maximum(mixed(right, m), 0),
    }


@case("separable: a kernel for each channel, then a mixture", points=2)
def separable_values(separable, *, rng):
    for size in (3, 5):
        n, c, f = int(rng.integers(2, 4)), int(rng.integers(4, 6)), int(rng.integers(6, 8))
        x = rng.normal(0, 1, (n, c, int(rng.integers(8, 10)), int(rng.integers(10, 12))))
        d, m = rng.normal(0, 1, (c, size, size)), rng.normal(0, 1, (f, c))
        expect_equal(
            separable(x.copy(), d.copy(), m.copy()),
            mixed(channelwise(x, d), m),
            what=f"separable(x, depthwise, pointwise) for x {x.shape}, depthwise {d.shape}, pointwise {m.shape}",
            mistakes=separable_mistakes(x, d, m),
        )


@case("separable: a kernel for each channel, then a mixture, other inputs", points=2, hidden=True)
def separable_values_again(separable, *, rng):
    separable_values(separable, rng=rng)


SEPARABLE_WRONG = {
    "biases were counted: both are without": lambda c, f, k: (f * (c * k * k + 1), c * (k * k + 1) + f * (c + 1)),
    "biases were counted, one for each filter: both are without": lambda c, f, k: (f * (c * k * k + 1), c * k * k + f * c + f),
    "biases were counted in the second step: it is without": lambda c, f, k: (f * c * k * k, c * k * k + f * c + f),
    "biases were counted for the convolution: it is without": lambda c, f, k: (f * (c * k * k + 1), c * k * k + f * c),
    "the 1 x 1 convolution was left out": lambda c, f, k: (f * c * k * k, c * k * k),
    "the depthwise step was left out": lambda c, f, k: (f * c * k * k, f * c),
    "the two steps were multiplied: their weights add up": lambda c, f, k: (f * c * k * k, c * k * k * f * c),
    "the depthwise step was counted as an ordinary convolution": lambda c, f, k: (f * c * k * k, f * c * k * k + f * c),
    "the depthwise step has a kernel for each channel, not for each filter": lambda c, f, k: (f * c * k * k, f * k * k + f * c),
    "the depthwise step has a kernel for each channel, not one in all": lambda c, f, k: (f * c * k * k, k * k + f * c),
    "the 1 x 1 convolution has a weight for each filter and channel, not one for each filter": lambda c, f, k: (
        f * c * k * k, c * k * k + f),
    "the 1 x 1 convolution goes from C channels to F, not to C": lambda c, f, k: (f * c * k * k, c * k * k + c * c),
    "a kernel has size x size weights, not size": lambda c, f, k: (f * c * k, c * k + f * c),
    "a filter of a convolution reads all channels": lambda c, f, k: (f * k * k, c * k * k + f * c),
    "the pair is the wrong way round: first the ordinary convolution": lambda c, f, k: (c * k * k + f * c, f * c * k * k),
    "the quotient came back: two numbers are asked for": lambda c, f, k: f * k * k / (k * k + f),
}  # fmt: skip


@case("separable_weights: both convolutions")
def separable_counts(separable_weights, *, rng):
    inputs = [(int(rng.integers(11, 30)), int(rng.integers(40, 90)), size) for size in (3, 5, 7)]
    expect_calls(
        separable_weights,
        inputs,
        lambda c, f, k: (f * c * k * k, c * k * k + f * c),
        what="separable_weights({}, {}, {})".format,
        mistakes=SEPARABLE_WRONG,
    )


def _lrn(line, extra=""):
    return f"""
def local_response_norm(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    out = np.zeros_like(x)
    channels = x.shape[1]
    for c in range(channels):
        low, high = max(0, c - n // 2), min(channels - 1, c + n // 2)
        squares = (x[:, low : high + 1] ** 2).sum(axis=1)
        {extra}
        {line}
    return out
"""


GOOD_LINE = "out[:, c] = x[:, c] * (k + alpha * squares) ** -beta"

WINDOWS = """
def windows(length, kernel, stride=1, padding=0):
    return (length + 2 * padding - kernel) // stride + 1
"""


def _count(conv="filters * (shape[0] * kernel * kernel + 1)", flat="int(np.prod(shape))", dense="(shape[0] + 1)"):
    return f"""
def count(layers, shape):
    result = []
    for kind, *settings in layers:
        params = 0
        if kind == "conv":
            filters, kernel, stride, padding = settings
            params = {conv}
            shape = (filters, windows(shape[1], kernel, stride, padding), windows(shape[2], kernel, stride, padding))
        elif kind == "pool":
            size, stride = settings
            shape = (shape[0], windows(shape[1], size, stride), windows(shape[2], size, stride))
        elif kind == "flatten":
            shape = ({flat},)
        else:
            params = settings[0] * {dense}
            shape = (settings[0],)
        result.append((shape, params))
    return result
"""


def _init(std="np.sqrt(2 / fan)", fan="np.prod(s[1:]) if len(s) == 4 else s[0]", draw="rng.standard_normal(s)"):
    return f"""
def init_lenet5(rng):
    shapes = dict(conv1=(6, 1, 5, 5), conv2=(16, 6, 5, 5), dense1=(400, 120), dense2=(120, 84), dense3=(84, 10))
    params = {{}}
    for name, s in shapes.items():
        fan = {fan}
        params[name] = {std} * {draw}, np.zeros(s[0] if len(s) == 4 else s[1])
    return params
"""


def _lenet5(between="relu(x @ w + b)", last="x @ w + b", flat="x.reshape(len(x), -1)", conv="relu"):
    return f"""
def lenet5(params, x):
    x = max_pool({conv}(convolve(x, *params["conv1"], padding=2)))
    x = max_pool({conv}(convolve(x, *params["conv2"])))
    x = {flat}
    for name in ("dense1", "dense2"):
        w, b = params[name]
        x = {between}
    w, b = params["dense3"]
    return {last}
"""


def _shifted(right="right[..., shift:] = x[..., : w - shift]", left="left[..., : w - shift] = x[..., shift:]",
             mean="np.mean(found)", error="np.sqrt(a * (1 - a) / (2 * len(y)))", both="(right, left)"):  # fmt: skip
    return f"""
def shifted_accuracy(net, x, y, shift):
    w = x.shape[3]
    right, left = np.zeros_like(x), np.zeros_like(x)
    {right}
    {left}
    found = [(net(m).argmax(axis=1) == y).mean() for m in {both}]
    a = {mean}
    return a, {error}
"""


def _repair(order="enumerate(layers)", start="layer[4] + 1", more="0", test="fits(changed)", back="changed"):
    return f"""
def repair(layers, shape):
    def fits(layers):
        sides = shape[1:]
        for kind, *settings in layers:
            if kind in ("conv", "pool"):
                kernel, stride, padding = settings[1:] if kind == "conv" else (*settings, 0)
                if min(sides) + 2 * padding < kernel:
                    return False
                sides = [windows(n, kernel, stride, padding) for n in sides]
        return True

    for place, layer in {order}:
        if layer[0] == "conv":
            for padding in range({start}, 60):
                changed = [*layers[:place], (*layer[:4], padding + {more}), *layers[place + 1 :]]
                if {test}:
                    return {back}
"""


def _residual_forward(out="x + h @ w2 + b2", h="np.maximum(x @ w1 + b1, 0)"):
    return f"""
def residual_forward(x, w1, b1, w2, b2):
    h = {h}
    return {out}
"""


def _residual_backward(dx="dout + da @ w1.T", da="dh * (a > 0)", a="x @ w1 + b1", db="db1, dw2, db2", h="np.maximum(a, 0)"):  # fmt: skip
    return f"""
def residual_backward(dout, x, w1, b1, w2):
    a = {a}
    h = {h}
    dh = dout @ w2.T
    da = {da}
    dw1, db1, dw2, db2 = x.T @ da, da.sum(axis=0), h.T @ dout, dout.sum(axis=0)
    return {dx}, dw1, {db}
"""


def _separable(back="np.einsum('nchw,fc->nfhw', maps, pointwise)", mode="constant", add="depthwise[:, i, j, None, None]",
               place="i, j"):  # fmt: skip
    return f"""
def separable(x, depthwise, pointwise):
    k, (h, w) = depthwise.shape[-1], x.shape[2:]
    p = k // 2
    big, maps = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="{mode}"), 0
    for i in range(k):
        for j in range(k):
            a, b = {place}
            maps = maps + {add} * big[:, :, a : a + h, b : b + w]
    return {back}
"""


def _weights(whole="channels * filters * size**2", parted="channels * (size**2 + filters)"):
    return f"""
def separable_weights(channels, filters, size):
    return {whole}, {parted}
"""


SENTENCES = {  # of the task, and the cases that test it
    "13.1": {
        "the sum runs over the $n$ channels around $c$, at the same image and pixel": [
            "local_response_norm: every setting counts"
        ],
        "as in the worked example": ["local_response_norm: the first and the last channels"],
        "AlexNet's local response normalization": ["local_response_norm: AlexNet's constants are the defaults"],
    },
    "13.2": {
        "a window of length $K$ with stride $s$ and padding $p$ fits": [
            "windows: strides that do not divide, and padding"
        ],
        "the output shape as a tuple, and the number of parameters": [
            "count: a network with two convolutions, not square",
            "count: a first layer with a stride",
        ],
        'After `("flatten",)` the shape is a tuple of one number.': [
            "count: a network with two convolutions, not square"
        ],
    },
    "13.3": {
        "gives the largest of each 2 × 2 pixels, side by side": ["max_pool: the largest of each 2 x 2"],
        "draws the weights with He's rule": [
            "init_lenet5: shapes and sizes of the weights",
            "init_lenet5 draws from the generator that it is given",
        ],
        "biases 0": ["init_lenet5: shapes and sizes of the weights"],
        "returns scores (N, 10)": ["lenet5: scores of a few images", "lenet5: one image"],
        "flatten each image in the order channels, rows, columns": ["lenet5: scores of a few images"],
        'It returns a dict with the keys `"conv1"`, `"conv2"`, `"dense1"`, `"dense2"`, `"dense3"`, each a pair `(w, b)`.': [
            "init_lenet5: shapes and sizes of the weights"
        ],
    },
    "13.4": {
        "to the right, and, in a second test, to the left": [
            "shifted_accuracy: to both sides, with zeros at the border"
        ],
        "What moves in at the border is 0, and what moves out is gone": [
            "shifted_accuracy: to both sides, with zeros at the border"
        ],
        "`shift` is a whole number of pixels, 0 or more": ["shifted_accuracy: a shift of 0"],
        "its standard error, as if all 2N answers were independent": [
            "shifted_accuracy: to both sides, with zeros at the border"
        ],
    },
    "13.5": {
        "Leave `layers` as it came.": ["repair: the first convolution that can mend the network"],
        "this one padding has been raised, by as little as possible": [
            "repair: the first convolution that can mend the network"
        ],
        "so that every layer has an output with at least one pixel along both axes": [
            "repair: a convolution that was padded already, and an image wider than high"
        ],
        "take the first convolution": ["repair: the first convolution that can mend the network"],
    },
    "13.6": {
        "`residual_forward(x, w1, b1, w2, b2)` returns `out`.": ["residual_forward: the input and the branch"],
        "`residual_backward(dout, x, w1, b1, w2)` returns `(dx, dw1, db1, dw2, db2)`, each of the shape of its array.": [
            "residual_backward: the input",
            "residual_backward: weights and biases",
        ],
        "The input reaches the output in two ways.": ["residual_backward: the input"],
        "Which of the five gradients does the shortcut change?": [
            "residual_backward: the input",
            "residual_backward: weights and biases",
        ],
        "where $W_2$ and $b_2$ are 0, the block must hand on `x` as it came, and `dx` must be `dout`": [
            "residual block: a branch of zeros is not there, forward and backward"
        ],
    },
    "13.7": {
        "`separable(x, depthwise, pointwise)` returns the maps (N, F, H, W).": [
            "separable: a kernel for each channel, then a mixture"
        ],
        "each channel is convolved with a kernel of its own, and then each pixel's channels are mixed": [
            "separable: a kernel for each channel, then a mixture"
        ],
        "As many zeros are put around each image as keep its height and width.": [
            "separable: a kernel for each channel, then a mixture"
        ],
        "The kernels are not flipped": ["separable: a kernel for each channel, then a mixture"],
        "`separable_weights(channels, filters, size)` returns two whole numbers": [
            "separable_weights: both convolutions"
        ],
    },
}

WRONG = [
    Wrong("13.7", _separable("maps"), "the 1 x 1 convolution is missing"),
    Wrong("13.7", _separable("np.maximum(np.einsum('nchw,fc->nfhw', maps, pointwise), 0)"), "there is a ReLU after the second step"),
    Wrong("13.7", _separable("np.einsum('nchw,fc->nfhw', np.maximum(maps, 0), pointwise)"), "ReLU stands between"),
    Wrong("13.7", _separable(place="k - 1 - i, k - 1 - j"), "the kernels are flipped"),
    Wrong("13.7", _separable(place="j, i"), "rows and columns of the kernels"),
    Wrong("13.7", _separable(mode="edge"), "the border was repeated"),
    Wrong("13.7", _separable(add="depthwise[0, i, j]"), "the first channel's kernel was used for all"),
    Wrong("13.7", _weights(parted="channels * size**2"), "the 1 x 1 convolution was left out"),
    Wrong("13.7", _weights(parted="filters * (size**2 + channels)"), "a kernel for each channel, not for each filter"),
    Wrong("13.7", _weights("filters * (channels * size**2 + 1)", "channels * (size**2 + 1) + filters * (channels + 1)"),
          "biases were counted: both are without"),
    Wrong("13.7", _weights("channels * (size**2 + filters)", "channels * filters * size**2"), "the pair is the wrong way round"),
    Wrong("13.6", _residual_forward("h @ w2 + b2"), "the branch alone came back"),
    Wrong("13.6", _residual_forward("np.maximum(x + h @ w2 + b2, 0)"), "there is a ReLU after the addition as well"),
    Wrong("13.6", _residual_forward(h="x @ w1 + b1"), "ReLU is missing between the two layers"),
    Wrong("13.6", _residual_forward("x + h @ w2"), "b2 was left out"),
    Wrong("13.6", _residual_backward("da @ w1.T"), "the shortcut is missing"),
    Wrong("13.6", _residual_backward("dout"), "the branch is missing"),
    Wrong("13.6", _residual_backward("1 + da @ w1.T"), "1 was added for the shortcut"),
    Wrong("13.6", _residual_backward("2 * dout + da @ w1.T"), "dout counts twice"),
    Wrong("13.6", _residual_backward(da="dh"), "the derivative of ReLU is missing"),
    Wrong("13.6", _residual_backward(da="np.maximum(dh, 0)"), "ReLU was applied to the gradient"),
    Wrong("13.6", _residual_backward(a="x @ w1"), "b1 was left out"),
    Wrong("13.6", _residual_backward(h="a"), "ReLU is missing in the input of the second layer"),
    Wrong("13.6", _residual_backward(db="db1 / len(x), dw2, db2 / len(x)"), "db1 and db2 are means"),
    Wrong("13.6", _residual_backward(db="db2, dw2, db1"), "db1 and db2 are the wrong way round"),
    Wrong("13.6", _residual_backward(db="dw2, db1, db2"), "the results come in the wrong order"),
    Wrong("13.4", _shifted("right = np.roll(x, shift, axis=3)", "left = np.roll(x, -shift, axis=3)"), "(np.roll)"),
    Wrong("13.4", _shifted(both="(right, right)"), "moved to the right only"),
    Wrong("13.4", _shifted(both="(left, left)"), "moved to the left only"),
    Wrong("13.4", _shifted(error="np.sqrt(a * (1 - a) / len(y))"), "there are 2N"),
    Wrong("13.4", _shifted(mean="max(found)"), "the better of both"),
    Wrong("13.4", _shifted(error="a * (1 - a) / (2 * len(y))"), "the square root is missing in the error"),
    Wrong("13.5", _repair(order="list(enumerate(layers))[::-1]"), "the first is asked for"),
    Wrong("13.5", _repair(more="1"), "raised too far"),
    Wrong("13.5", _repair(test="True"), "the padding is still too small"),
    Wrong("13.5", _repair(back="list(layers)"), "nothing was changed"),
    Wrong("13.5", _repair(back="[(*l[:4], l[4] + 1) if l[0] == 'conv' else l for l in changed]"), "more than one layer"),
    Wrong("13.1", _lrn("out[:, c] = x[:, c] * k + alpha * squares ** -beta"), "brackets are missing"),
    Wrong("13.1", _lrn("out[:, c] = x[:, c] * (k + squares) ** -beta"), "alpha was left out"),
    Wrong("13.1", _lrn(GOOD_LINE, "squares = x[:, low : high + 1].sum(axis=1) ** 2"), "the sum was squared"),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n"
          "    return round((length + 2 * padding - kernel) / stride) + 1", "to the nearest whole number"),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n    return length // stride", "the kernel and the padding were left out"),
    Wrong("13.2", _count().replace("result.append((shape, params))", "result.append((params, shape))"), "(shape, parameters)"),
    Wrong("13.2", _count().replace("windows(shape[2]", "windows(shape[1]"), "the width was made of the height"),
    Wrong("13.2", _count().replace("params = 0\n", "params, before = 0, shape\n").replace("append((shape,", "append((before,"),
          "the shape before each layer"),
    Wrong("13.3", "def max_pool(x):\n    n, c, h, w = x.shape\n"
          "    return x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(2, 4))", "the axes of the twos are 3 and 5"),
    Wrong("13.3", _init("np.sqrt(2 / (fan + (s[0] if len(s) == 4 else s[1])))"), "Glorot's rule was used"),
    Wrong("13.3", _init("0.01"), "a fixed spread of 0.01"),
    Wrong("13.3", _lenet5(last="(x @ w + b).argmax(axis=1)"), "the class came back (argmax)"),
    Wrong("13.1", _lrn("out[:, c] = x[:, c] * (k + alpha / n * squares) ** -beta"), "as PyTorch does"),
    Wrong(
        "13.1",
        _lrn(GOOD_LINE, "squares = np.abs(x[:, low : high + 1].sum(axis=1))").replace(
            "(k + alpha * squares)", "np.abs(k + alpha * x[:, low : high + 1].sum(axis=1))"
        ),
        "were not squared",
    ),
    Wrong("13.1", _lrn(GOOD_LINE, "squares = (x**2).sum(axis=1)"), "the sum runs over all channels"),
    Wrong(
        "13.1",
        _lrn(GOOD_LINE, "squares = sum(x[:, (c + d) % channels] ** 2 for d in range(-(n // 2), n // 2 + 1))"),
        "the window goes round the end",
    ),
    Wrong("13.1", _lrn(GOOD_LINE, "squares = (x[:, low : c + n // 2] ** 2).sum(axis=1)"), "stops one channel early"),
    Wrong("13.1", _lrn("out[:, c] = x[:, c] * (k + alpha * squares) ** beta"), "the exponent is -beta"),
    Wrong("13.1", _lrn("out[:, c] = (k + alpha * squares) ** -beta"), "it multiplies x"),
    Wrong("13.1", _lrn("out[:, c] = x[:, c] * (alpha * squares) ** -beta"), "k was left out"),
    Wrong(
        "13.1",
        _lrn(GOOD_LINE, "squares = (x[:, max(0, c - n) : c + n + 1] ** 2).sum(axis=1)"),
        "reaches n channels to each side",
    ),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n"
          "    return (length + 2 * padding - kernel) // stride", "the + 1 is missing"),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n    return (length - kernel) // stride + 1",
          "the padding was left out"),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n"
          "    return (length + 2 * padding - kernel) / stride + 1", "use //"),
    Wrong("13.2", "def windows(length, kernel, stride=1, padding=0):\n"
          "    return -(-(length + 2 * padding - kernel) // stride) + 1", "it was rounded up"),
    Wrong("13.2", _count("filters * shape[0] * kernel**2", dense="shape[0]"), "the biases were left out"),
    Wrong("13.2", _count("filters * shape[0] * kernel**2 + 1"), "one bias for each filter"),
    Wrong("13.2", _count("filters * (kernel**2 + 1)"), "a filter reads all of them"),
    Wrong("13.2", _count(flat="shape[1] * shape[2]"), "the channels were left out when flattening"),
    Wrong("13.2", _count().replace("windows(shape[1], size, stride), windows(shape[2], size, stride)",
                                   "shape[1] // size, shape[2] // size"), "taken for its size"),
    Wrong("13.2", _count().replace("return result", "print(result)"), "a return is missing"),
    Wrong("13.3", "def max_pool(x):\n    n, c, h, w = x.shape\n"
          "    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))", "the mean of each window"),
    Wrong("13.3", "def max_pool(x):\n    return x[:, :, ::2, ::2]", "every second pixel"),
    Wrong("13.3", "def max_pool(x):\n    n, c, h, w = x.shape\n"
          "    return x.reshape(n, c, 2, h // 2, 2, w // 2).max(axis=(2, 4))", "halves of the image"),
    Wrong("13.3", _init("2 / fan"), "the square root is missing"),
    Wrong("13.3", _init("np.sqrt(1 / fan)"), "the 2 for ReLU is missing"),
    Wrong("13.3", _init("1.0"), "not scaled by their fan-in"),
    Wrong("13.3", _init(fan="s[1] if len(s) == 4 else s[0]"), "not the window"),
    Wrong("13.3", _init(draw="np.random.standard_normal(s)"), "the global generator np.random is used"),
    Wrong("13.3", _lenet5(last="relu(x @ w + b)"), "ReLU stands after the last layer"),
    Wrong("13.3", _lenet5(between="x @ w + b"), "ReLU is missing between the dense layers"),
    Wrong("13.3", _lenet5(conv=""), "ReLU is missing after the convolutions"),
    Wrong("13.3", _lenet5(flat="x.transpose(0, 2, 3, 1).reshape(len(x), -1)"), "flattened in another order"),
    Wrong("13.3", _lenet5(between="relu(x @ w)", last="x @ w"), "the biases of the dense layers"),
    Wrong("13.3", _lenet5(last="(lambda e: e / e.sum(axis=1, keepdims=True))(np.exp(x @ w + b))"),
          "softmax was applied"),
]  # fmt: skip

RIGHT = [
    Right("13.7", _separable() + _weights()),
    Right(
        "13.7",
        """
def separable(x, depthwise, pointwise):
    whole = pointwise[:, :, None, None] * depthwise  # an ordinary convolution with kernels that are multiples of one
    return convolve(x, whole, np.zeros(len(pointwise)), padding=(depthwise.shape[2] - 1) // 2)

def separable_weights(channels, filters, size):
    separate = sum(size * size for _ in range(channels)) + sum(channels for _ in range(filters))
    return count([("conv", filters, size, 1, 0)], (channels, size, size))[0][1] - filters, separate
""",
    ),
    Right("13.6", _residual_forward() + _residual_backward()),
    Right(
        "13.6",
        """
def residual_forward(x, w1, b1, w2, b2):
    return np.stack([row + b2 + w2.T @ np.clip(b1 + w1.T @ row, 0, None) for row in x])

def residual_backward(dout, x, w1, b1, w2):
    dx, dw1, db1, dw2, db2 = dout.copy(), 0 * w1, 0 * b1, 0 * w2, 0 * dout[0]
    for n in range(len(x)):
        out_of_first = w1.T @ x[n] + b1
        back = np.where(out_of_first > 0, w2 @ dout[n], 0)
        dx[n] += w1 @ back
        dw1 += np.outer(x[n], back)
        db1 += back
        dw2 += np.outer(np.clip(out_of_first, 0, None), dout[n])
        db2 += dout[n]
    return dx, dw1, db1, dw2, db2
""",
    ),
    Right("13.1", _lrn(GOOD_LINE)),
    Right(
        "13.1",
        """
def local_response_norm(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    half = n // 2
    padded = np.pad(x**2, ((0, 0), (half, half), (0, 0), (0, 0)))
    squares = sum(padded[:, i : i + x.shape[1]] for i in range(n))
    return x / (k + alpha * squares) ** beta
""",
    ),
    Right("13.2", WINDOWS + _count()),
    Right(
        "13.2",
        """
def windows(length, kernel, stride=1, padding=0):
    return len(range(0, length + 2 * padding - kernel + 1, stride))

def count(layers, shape):
    out = []
    for layer in layers:
        if layer[0] == "conv":
            c, (h, w) = shape[0], shape[1:]
            f, k, s, p = layer[1:]
            shape = [f, windows(h, k, s, p), windows(w, k, s, p)]
            out.append([shape, f * c * k**2 + f])
        elif layer[0] == "pool":
            shape = [shape[0]] + [windows(n, *layer[1:]) for n in shape[1:]]
            out.append([shape, 0])
        elif layer[0] == "flatten":
            shape = [shape[0] * shape[1] * shape[2]]
            out.append([shape, 0])
        elif layer[0] == "dense":
            out.append([[layer[1]], layer[1] * shape[0] + layer[1]])
            shape = [layer[1]]
    return out
""",
    ),
    Right("13.3", _init() + _lenet5()),
    Right(
        "13.3",
        """
def max_pool(x):
    top = np.maximum(x[..., ::2, ::2], x[..., ::2, 1::2])
    return np.maximum(top, np.maximum(x[..., 1::2, ::2], x[..., 1::2, 1::2]))

def init_lenet5(rng):
    def layer(units, *inputs):
        std = (2 / np.prod(inputs)) ** 0.5
        w = rng.normal(0, std, (units, *inputs))
        return [w if len(inputs) > 1 else w.T, np.zeros(units)]
    return {"dense1": layer(120, 400), "dense2": layer(84, 120), "dense3": layer(10, 84),
            "conv1": layer(6, 1, 5, 5), "conv2": layer(16, 6, 5, 5)}

def lenet5(params, x):
    def conv(x, w, b):
        oh, ow = x.shape[2] - 4, x.shape[3] - 4
        out = np.zeros((len(x), len(w), oh, ow)) + b[:, None, None]
        for i in range(5):
            for j in range(5):
                out += np.einsum("nchw,fc->nfhw", x[:, :, i : i + oh, j : j + ow], w[:, :, i, j])
        return out
    x = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    for name in ("conv1", "conv2"):
        x = max_pool(np.maximum(conv(x, *params[name]), 0))
    x = x.reshape(len(x), 400)
    x = np.maximum(x @ params["dense1"][0] + params["dense1"][1], 0)
    x = np.maximum(x @ params["dense2"][0] + params["dense2"][1], 0)
    return x @ params["dense3"][0] + params["dense3"][1]
""",
    ),
    Right("13.4", _shifted()),
    Right(
        "13.4",
        """
def shifted_accuracy(net, x, y, shift):
    right = total = 0
    for side in (1, -1):
        big = np.pad(x, ((0, 0), (0, 0), (0, 0), (shift, shift)))
        start = shift - side * shift
        guess = net(big[..., start : start + x.shape[3]]).argmax(axis=1)
        right, total = right + int((guess == y).sum()), total + len(y)
    p = right / total
    return p, (p * (1 - p) / total) ** 0.5
""",
    ),
    Right("13.5", WINDOWS + _repair()),
    Right(
        "13.5",
        """
def repair(layers, shape):
    def smallest(layers):
        sides, low = list(shape[1:]), 1
        for layer in layers:
            if layer[0] == "conv":
                sides = [(n + 2 * layer[4] - layer[2]) // layer[3] + 1 if n + 2 * layer[4] >= layer[2] else 0 for n in sides]
            if layer[0] == "pool":
                sides = [(n - layer[1]) // layer[2] + 1 if n >= layer[1] else 0 for n in sides]
            if 0 in sides:
                return 0
        return min(sides)
    for i in range(len(layers)):
        if layers[i][0] != "conv":
            continue
        new = [list(layer) for layer in layers]
        for _ in range(50):
            new[i][4] += 1
            if smallest(new) >= 1:
                return new
""",
    ),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "13.1": {
        "a slice ends at the last channel in any case": [
            "+ stands where - is meant, in high",
            "min is missing in high",
            "the number 0 stands where 1 is meant, in high",
            "the term 1 is missing in high",
        ],
    },
    "13.2": {
        "only one of the kinds is true": [
            "the condition kind == 'flatten' is asked before kind == 'pool', which comes first",
            "the condition kind == 'pool' is asked before kind == 'conv', which comes first",
        ],
        "it is 0": [
            "the sign of params is the wrong way round",
        ],
    },
    "13.3": {
        "reshape takes any negative number": [
            "the number 2 stands where 1 is meant, in x",
        ],
    },
    "13.4": {
        "only the length counts": [
            "left was used where y is meant, in value 2 of what is returned",
            "right was used where y is meant, in value 2 of what is returned",
            "x was used where y is meant, in value 2 of what is returned",
        ],
        "of two numbers mean and median agree, and both sides have as many answers": [
            "mean runs along axis 0 only, where all entries are meant, in accuracy",
            "median was taken where mean is meant, in accuracy",
            "the mean of net(moved).argmax(axis=1) == y is missing in accuracy",
        ],
    },
    "13.5": {
        "paddings below the one that is too small do not fit either": [
            "* stands where + is meant, in what the loop runs over",
            "- stands where + is meant, in what the loop runs over",
            "the number 0 stands where 1 is meant, in what the loop runs over",
            "the number 1 stands where 4 is meant, in what the loop runs over",
            "the number 3 stands where 4 is meant, in what the loop runs over",
            "the term 1 is missing in what the loop runs over",
            "the term layer[4] is missing in what the loop runs over",
        ],
        "flatten and dense fit always": [
            "the last round of the loop is left out",
        ],
        "so large a padding is never needed": [
            "the number 101 stands where 100 is meant, in what the loop runs over",
            "the number 99 stands where 100 is meant, in what the loop runs over",
        ],
    },
    "13.6": {
        "no number before ReLU is exactly 0, and there either derivative would do": [
            ">= stands where > is meant: before > 0",
        ],
        "ReLU's output is above 0 where its input is": [
            "hidden was used where before is meant, in dbefore",
        ],
    },
    "13.7": {
        "zeros are zeros with either sign": [
            "the sign of maps is the wrong way round",
        ],
        "kernels are square": [
            "the number 2 stands where 1 is meant, in size",
        ],
        "more zeros at the end than the windows reach change nothing": [
            "size was used where around is meant, in padded",
        ],
    },
}
