"""Cases of exercise sheet 13, CNN architectures."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_draws, expect_equal, expect_seeded, expect_true, inspect_value

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
    squares = windowed(x**2, n)
    rolled = sum(np.roll(x**2, shift, axis=1) for shift in range(-(n // 2), n // 2 + 1))
    return {
        "alpha was divided by n, as PyTorch does: here it multiplies the sum": x
        * (k + alpha / n * squares) ** -beta,
        "the responses were not squared": x * np.abs(k + alpha * windowed(x, n)) ** -beta,
        "the sum runs over all channels: only the n around c count": x
        * (k + alpha * (x**2).sum(axis=1, keepdims=True)) ** -beta,
        "the window goes round the end, from the last channel to the first": x * (k + alpha * rolled) ** -beta,
        "the window stops one channel early: a slice leaves out its end": x
        * (k + alpha * np.stack(
            [(x**2)[:, max(0, c - n // 2) : c + n // 2].sum(axis=1) for c in range(x.shape[1])], axis=1
        )) ** -beta,
        "the window reaches n channels to each side, not n // 2": x * (k + alpha * windowed(x**2, 2 * n)) ** -beta,
        "it was multiplied where the formula divides: the exponent is -beta": x * (k + alpha * squares) ** beta,
        "the power itself came back: it multiplies x": (k + alpha * squares) ** -beta,
        "k was left out": x * (alpha * squares) ** -beta,
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


@case("windows: strides that do not divide, and padding")
def windows_fit(windows, *, rng):
    for _ in range(4):
        # With a padding of twice the stride every mistake gives a number of its own.
        kernel, stride = int(rng.integers(5, 8)), int(rng.integers(2, 4))
        padding = 2 * stride
        length = kernel + stride * int(rng.integers(4, 9)) + 1 - 2 * padding  # one pixel is left over
        whole = (length + 2 * padding - kernel) // stride
        expect_equal(
            windows(length, kernel, stride, padding),
            whole + 1,
            what=f"windows({length}, {kernel}, {stride}, {padding})",
            mistakes={
                "the last window was left out: the + 1 is missing": whole,
                "the padding was counted on one side only": (length + padding - kernel) // stride + 1,
                "the padding was left out": (length - kernel) // stride + 1,
                "it was rounded up: a window must fit": whole + 2,
                "the division gave a fraction: only whole windows count, use //": (length + 2 * padding - kernel)
                / stride
                + 1,
            },
        )


def counted(layers, shape, mistake=""):
    """What `count` must give, or what it gives with a mistake."""
    result = []
    for kind, *settings in layers:
        params = 0
        if kind == "conv":
            filters, kernel, stride, padding = settings
            inputs = 1 if mistake == "channels" else shape[0]
            params = filters * (inputs * kernel * (1 if mistake == "square" else kernel) + (mistake != "bias"))
            if mistake == "one bias":
                params = filters * inputs * kernel**2 + 1
            shape = (filters, *((n + 2 * padding - kernel) // stride + 1 for n in shape[1:]))
        elif kind == "pool":
            size, stride = settings
            params = shape[0] * size**2 if mistake == "pool" else 0
            stride = size if mistake == "stride" else stride
            shape = (shape[0], *((n - size) // stride + 1 for n in shape[1:]))
        elif kind == "flatten":
            shape = (int(np.prod(shape[1:] if mistake == "flatten" else shape)),)
        else:
            params = settings[0] * (shape[0] + (mistake != "bias"))
            shape = (settings[0],)
        result.append((shape, params))
    return result


MISTAKES = {
    "the biases were left out": "bias",
    "a convolution has one bias for each filter, not one in all": "one bias",
    "the input channels were left out: a filter reads all of them": "channels",
    "a kernel has kernel x kernel weights for each channel, not kernel": "square",
    "pooling has no parameters": "pool",
    "the stride of the pooling was taken for its size": "stride",
    "the channels were left out when flattening": "flatten",
}


def count_answer(count, layers, shape):
    result = count([tuple(layer) for layer in layers], shape)
    what = f"count({layers}, {shape})"
    expect_true(
        type(result) in (list, tuple) and len(result) == len(layers),
        f"{what} gave {inspect_value(result)}, not a list with one pair for each layer",
        mistake="a return is missing" if result is None else None,
    )
    for i, pair in enumerate(result):
        expect_true(
            type(pair) in (list, tuple) and len(pair) == 2,
            f"entry {i} of {what} is {inspect_value(pair)}, not a pair (shape, parameters)",
        )
    expect_equal(
        result,
        counted(layers, shape),
        what=what,
        mistakes={name: counted(layers, shape, mistake) for name, mistake in MISTAKES.items()},
    )


@case("count: a network with two convolutions, not square", points=2)
def count_network(count, *, rng):
    height, width = int(rng.integers(20, 24)), int(rng.integers(28, 33))
    layers = [
        ("conv", int(rng.integers(4, 7)), 5, 1, 2),
        ("pool", 3, 2),
        ("conv", int(rng.integers(8, 12)), 3, 1, int(rng.integers(0, 2))),
        ("pool", 2, 2),
        ("flatten",),
        ("dense", int(rng.integers(20, 40))),
        ("dense", 10),
    ]
    count_answer(count, layers, (int(rng.integers(2, 5)), height, width))


@case("count: a first layer with a stride")
def count_stride(count, *, rng):
    side = int(rng.integers(60, 70))
    layers = [("conv", int(rng.integers(10, 20)), 11, 4, int(rng.integers(0, 3))), ("pool", 3, 2), ("flatten",)]
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
    expect_equal(
        max_pool(x.copy()),
        blocks.max(axis=(3, 5)),
        what=f"max_pool(x) for x of shape {shape}",
        mistakes={
            "the mean of each window was taken": blocks.mean(axis=(3, 5)),
            "every second pixel was taken, not the largest of four": x[:, :, ::2, ::2],
            "halves of the image were compared: the axes of the reshape are in the wrong order": x.reshape(
                n, c, 2, h // 2, 2, w // 2
            ).max(axis=(2, 4)),
        },
    )


SHAPES = {
    "conv1": (6, 1, 5, 5),
    "conv2": (16, 6, 5, 5),
    "dense1": (400, 120),
    "dense2": (120, 84),
    "dense3": (84, 10),
}


@case("init_lenet5: shapes and sizes of the weights", points=2)
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
        expect_draws(
            pair[0],
            shape=shape,
            std=(2 / fan_in) ** 0.5,
            what=f"w of {name}",
            mistakes={
                "the square root is missing: a variance was used as a standard deviation": 2 / fan_in,
                "the 2 for ReLU is missing": (1 / fan_in) ** 0.5,
                "the fan-out was used in place of the fan-in": (2 / fan_out) ** 0.5,
                "only the channels were counted as fan-in, not the window": (2 / shape[1]) ** 0.5
                if len(shape) == 4
                else 0.0,
                "the weights are not scaled by their fan-in": 1.0,
            },
        )
        expect_equal(pair[1], np.zeros(shape[0] if len(shape) == 4 else shape[1]), what=f"b of {name}")


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
        return x if mistake == f"no relu {where}" else np.maximum(x, 0)

    def convolve(x, w, b, padding):
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        patches = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
        return np.einsum("nchwij,fcij->nfhw", patches, w, optimize=True) + b[:, None, None]

    for name, padding in (("conv1", 2), ("conv2", 0)):
        x = relu(convolve(x, *params[name], padding), "conv")
        n, c, h, w = x.shape
        x = x.reshape(n, c, h // 2, 2, w // 2, 2)
        x = x.mean(axis=(3, 5)) if mistake == "mean" else x.max(axis=(3, 5))
    if mistake == "order":
        x = x.transpose(0, 2, 3, 1)
    x = x.reshape(len(x), -1)
    for name in ("dense1", "dense2", "dense3"):
        w, b = params[name]
        x = x @ w + (0 if mistake == "bias" else b)
        if name != "dense3" or mistake == "last":
            x = relu(x, "dense")
    if mistake == "softmax":
        e = np.exp(x - x.max(axis=1, keepdims=True))
        x = e / e.sum(axis=1, keepdims=True)
    return x


FORWARD_MISTAKES = {
    "ReLU stands after the last layer: scores may be negative": "last",
    "ReLU is missing after the convolutions": "no relu conv",
    "ReLU is missing between the dense layers": "no relu dense",
    "the mean of each window was taken, not the largest": "mean",
    "the maps were flattened in another order: channels first, then rows, then columns": "order",
    "the biases of the dense layers were left out": "bias",
    "softmax was applied: scores are asked for": "softmax",
}


def scores_answer(lenet5, n, rng):
    params, x = drawn(rng), rng.normal(size=(n, 1, 28, 28))
    expect_equal(
        lenet5({name: (w.copy(), b.copy()) for name, (w, b) in params.items()}, x.copy()),
        forward(params, x),
        what=f"lenet5(params, x) for {n} image{'s' if n > 1 else ''}",
        mistakes={name: forward(params, x, mistake) for name, mistake in FORWARD_MISTAKES.items()},
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


WRONG = [
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
]
