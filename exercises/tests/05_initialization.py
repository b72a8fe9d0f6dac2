"""Cases of exercise sheet 05, initialization."""

import itertools

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question, slips
from coursekit.grading.compare import (
    expect_draws,
    expect_equal,
    expect_seeded,
    expect_shape,
    expect_true,
    inspect_value,
)

TITLE = "Initialization"


def dense_shape(rng):
    """(D, M) with M about twice D, so that fan-in and fan-out cannot be mistaken for each other."""
    n_in = int(rng.integers(50, 70))
    return n_in, 2 * n_in + int(rng.integers(1, 20))


def filter_shape(rng):
    """(F, C, KH, KW), all different, with some thousands of entries; F is far from the fan-in."""
    return int(rng.integers(70, 80)), int(rng.integers(14, 18)), int(rng.integers(2, 4)), int(rng.integers(4, 6))


def generator(rng):
    """A fresh generator for one call of the student's function."""
    return np.random.default_rng(int(rng.integers(2**31)))


Q1 = question(
    "05.1",
    title="Xavier",
    minutes=10,
    hints=[
        "The variance of a weight is $2 / (n_\\text{in} + n_\\text{out})$. A generator takes a standard deviation.",
        "`rng.standard_normal(shape)` has standard deviation 1. Multiply it by the one you want.",
        "Solve $a^2/3 = 2 / (n_\\text{in} + n_\\text{out})$ for $a$, then use `rng.uniform(-a, a, shape)`.",
    ],
)


def xavier_mistakes(shape):
    n_in, n_out = shape
    return {
        "the square root is missing: a variance was used as a standard deviation": 2 / (n_in + n_out),
        "only the fan-in was used (LeCun's rule)": (1 / n_in) ** 0.5,
        "only the fan-out was used": (1 / n_out) ** 0.5,
        "2 / fan-in was used (He's rule)": (2 / n_in) ** 0.5,
        "the 2 in the numerator is missing": (1 / (n_in + n_out)) ** 0.5,
    }


@case("xavier_normal: shape and dtype")
def normal_shape(xavier_normal, *, rng):
    shape = (int(rng.integers(3, 9)), int(rng.integers(10, 20)))
    expect_shape(
        xavier_normal(generator(rng), shape),
        shape,
        what="xavier_normal(rng, shape)",
        mistakes={"the axes are the other way round: shape is (n_in, n_out)": shape[::-1]},
    )


@case("xavier_normal: standard deviation")
def normal_spread(xavier_normal, *, rng):
    shape = dense_shape(rng)
    n_in, n_out = shape
    expect_draws(
        xavier_normal(generator(rng), shape),
        shape=shape,
        std=(2 / (n_in + n_out)) ** 0.5,
        what=f"xavier_normal(rng, {shape})",
        mistakes=xavier_mistakes(shape),
    )


@case("xavier_uniform: bounds and standard deviation")
def uniform_spread(xavier_uniform, *, rng):
    shape = dense_shape(rng)
    std = (2 / sum(shape)) ** 0.5
    expect_draws(
        xavier_uniform(generator(rng), shape),
        shape=shape,
        std=std,
        uniform=True,
        what=f"xavier_uniform(rng, {shape})",
        mistakes={
            "the bound a was set to the standard deviation: the factor sqrt(3) is missing": std / 3**0.5,
            **xavier_mistakes(shape),
        },
    )


@case("both draw from the generator that they are given")
def xavier_seeded(xavier_normal, xavier_uniform, *, rng):
    expect_seeded(lambda g: xavier_normal(g, (9, 5)), rng=rng, what="xavier_normal(rng, (9, 5))")
    expect_seeded(lambda g: xavier_uniform(g, (9, 5)), rng=rng, what="xavier_uniform(rng, (9, 5))")


Q2 = question(
    "05.2",
    title="He",
    minutes=8,
    hints=[
        "One output of a filter is a sum over the channels C and over the KH by KW window.",
        "He's variance is $2 / n_\\text{in}$: twice LeCun's, because ReLU halves the second moment.",
    ],
)


@case("fan_in: dense weights and filters")
def fan_in_counts(fan_in, *, rng):
    shape = (int(rng.integers(3, 9)), int(rng.integers(10, 20)))
    expect_equal(fan_in(shape), shape[0], what=f"fan_in({shape})", mistakes={"the fan-out was returned": shape[1]})
    shape = filter_shape(rng)
    filters, channels, height, width = shape
    expect_equal(
        fan_in(shape),
        channels * height * width,
        what=f"fan_in({shape})",
        mistakes={
            "the filters F were counted, not the channels C: that is the fan-out": filters * height * width,
            "the first axis was returned: right for (D, M), but here it counts the filters": filters,
            "only the channels were counted, not the window KH x KW": channels,
            "only the window KH x KW was counted, not the channels": height * width,
            "all entries were counted": filters * channels * height * width,
        },
    )


def he_spread(he_normal, shape, n_in, n_out, rng):
    expect_draws(
        he_normal(generator(rng), shape),
        shape=shape,
        std=(2 / n_in) ** 0.5,
        what=f"he_normal(rng, {shape})",
        mistakes={
            "the square root is missing: a variance was used as a standard deviation": 2 / n_in,
            "the gain 2 for ReLU is missing (LeCun's rule)": (1 / n_in) ** 0.5,
            "the fan-out was used in place of the fan-in": (2 / n_out) ** 0.5,
            "the mean of both fans was used (Xavier's rule)": (2 / (n_in + n_out)) ** 0.5,
            "the gain 2 stands outside the square root": 2 * (1 / n_in) ** 0.5,
        },
    )


@case("he_normal: dense weights")
def he_dense(he_normal, *, rng):
    shape = dense_shape(rng)
    he_spread(he_normal, shape, *shape, rng)


@case("he_normal: filters")
def he_filters(he_normal, *, rng):
    shape = filter_shape(rng)
    filters, channels, height, width = shape
    he_spread(he_normal, shape, channels * height * width, filters * height * width, rng)


@case("he_normal draws from the generator that it is given")
def he_seeded(he_normal, *, rng):
    expect_seeded(lambda g: he_normal(g, (9, 5)), rng=rng, what="he_normal(rng, (9, 5))")


Q3 = question(
    "05.3",
    title="Break the symmetry",
    minutes=12,
    hints=[
        "Unit j owns column `w[:, j]` and the bias `b[j]`. Put them on top of each other: `np.vstack([w, b])`.",
        "`np.unique(columns.round(6), axis=1)` keeps each different column once.",
        "Neighbouring sizes are the shape of a layer: `zip(sizes[:-1], sizes[1:])`.",
    ],
)


@case("count_units: equal and different units")
def counts(count_units, *, rng):
    n_in, distinct = int(rng.integers(10, 14)), int(rng.integers(3, 6))  # n_in is more than all units
    units = distinct + int(rng.integers(2, 5))
    kinds = rng.permutation(np.linspace(-2, 2, distinct * n_in).round(2)).reshape(n_in, distinct)
    which = rng.permutation(np.concatenate([np.arange(distinct), rng.integers(distinct, size=units - distinct)]))
    w = kinds[:, which]
    what = f"count_units(w, b) with {units} units, {distinct} of them different"
    expect_equal(
        count_units(w, np.zeros(units)),
        distinct,
        what=what,
        mistakes={
            "rows were counted: a unit is a column of w": n_in,
            "all units were counted, equal or not": units,
        },
    )
    noisy = w + rng.uniform(-1e-9, 1e-9, w.shape)
    expect_equal(
        count_units(noisy, np.zeros(units)),
        distinct,
        what=f"{what}, with differences of 1e-9 as rounding leaves them",
        mistakes={"weights that differ by rounding only were taken for different": units},
    )
    close = np.repeat(np.round(rng.uniform(-1, 1, (n_in, 1)), 2), 4, axis=1)
    close[0] += [0.0, 2e-7, 4e-6, 8e-6]  # the first two agree to 6 decimals, no others do
    expect_equal(
        count_units(close, np.zeros(4)),
        3,
        what="count_units(w, b) of four units that differ by 0.0000002, 0.000004 and 0.000008",
        mistakes={
            "fewer than 6 decimals were compared": 1,
            "units that agree to 6 decimals were taken for different": 4,
            "units were compared to 5 decimals": 2,
        },
    )


@case("count_units: the bias belongs to the unit")
def counts_bias(count_units, *, rng):
    units = int(rng.integers(5, 9))  # not as many as there are rows with the biases
    w = np.repeat(rng.uniform(-1, 1, (3, 1)).round(2), units, axis=1)
    b = np.arange(units) * 0.5
    expect_equal(
        count_units(w, b),
        units,
        what="count_units(w, b) with equal weights and different biases",
        mistakes={"the biases were left out": 1},
    )


def network(init_network, sizes, rng):
    """The weights of each layer of a new network, once its structure is right."""
    layers = init_network(generator(rng), sizes)
    what = f"init_network(rng, {sizes})"
    shapes = list(itertools.pairwise(sizes))
    expect_true(
        type(layers) in (list, tuple),
        f"{what} gave {inspect_value(layers)}, not a list of layers",
        mistake="a return is missing" if layers is None else None,
    )
    expect_true(
        len(layers) == len(shapes),
        f"{what} gave {len(layers)} layers; {len(sizes)} sizes make {len(shapes)} layers",
        mistake="a layer was made for every size, not for every pair of neighbours"
        if len(layers) == len(sizes)
        else None,
    )
    for i, (layer, shape) in enumerate(zip(layers, shapes, strict=True)):
        expect_true(
            type(layer) in (list, tuple) and len(layer) == 2,
            f"layer {i} of {what} is {inspect_value(layer)}, not a pair (w, b)",
        )
        expect_shape(
            layer[0],
            shape,
            what=f"w of layer {i}",
            mistakes={"the axes are the other way round: w is (inputs, units)": shape[::-1]},
        )
        expect_true(
            np.shape(layer[1]) != (shape[1],) or not np.any(layer[1]),
            f"b of layer {i} is not 0",
            mistake="the biases start at other numbers: all of them are 0",
            got=layer[1],
        )
        expect_equal(
            layer[1],
            np.zeros(shape[1]),
            what=f"b of layer {i}",
            mistakes={
                "b is a row of a matrix, (1, units): it has the shape (units,)": np.zeros((1, shape[1])),
                "b has an entry for each input, not for each unit": np.zeros(shape[0]),
                "b is one number: it has an entry for each unit": 0.0,
            },
        )
    return [w for w, _ in layers]


@case("init_network: one (w, b) for each layer")
def network_shapes(init_network, *, rng):
    network(init_network, [int(n) for n in rng.choice(np.arange(2, 12), size=4, replace=False)], rng)


@case("init_network: every unit differs, at a good scale")
def network_breaks_symmetry(init_network, *, rng):
    sizes = [int(n) for n in rng.choice(np.arange(60, 90), size=3, replace=False)]
    weights = network(init_network, sizes, rng)
    for i, w in enumerate(weights):
        n_in, n_out = w.shape
        different = np.unique(w.round(6), axis=1).shape[1]
        expect_true(
            different == n_out,
            f"layer {i} of init_network(rng, {sizes}) has {different} different units of {n_out}",
            mistake="all units start equal" if different == 1 else None,
        )
        mean, spread = float(w.mean()), float(np.sqrt(np.mean(w**2)))
        rules = {"Xavier's": 2 / (n_in + n_out), "He's": 2 / n_in, "LeCun's": 1 / n_in}
        expect_true(
            abs(mean) < 6 * spread / np.sqrt(w.size),
            f"w of layer {i} has mean {mean:.3g} and standard deviation {w.std():.3g}; the mean should be 0",
            mistake="the weights are not centred at 0: all units lean the same way",
            got=w,
        )
        near = [abs(spread**2 / variance - 1) < 6 * np.sqrt(2 / w.size) for variance in rules.values()]
        told = ", ".join(f"{name} rule {variance**0.5:.3g}" for name, variance in rules.items())
        expect_true(
            any(near),
            f"w of layer {i} has standard deviation {spread:.3g}; this sheet's rules give: {told}",
            mistake="the weights are far too small" if spread < 0.7 * min(rules.values()) ** 0.5
            else "the weights are not scaled by their fans" if spread > 1.5 * max(rules.values()) ** 0.5 else None,
            got=w,
        )  # fmt: skip
    shared = np.intersect1d(*(w.round(12) for w in weights)).size
    expect_true(
        shared == 0,
        f"the two layers of init_network(rng, {sizes}) have {shared} weights in common",
        mistake="one draw was used for several layers: each layer needs draws of its own",
    )


@case("init_network draws from the generator that it is given")
def network_seeded(init_network, *, rng):
    expect_seeded(lambda g: init_network(g, [5, 4, 3]), rng=rng, what="init_network(rng, [5, 4, 3])")


Q4 = question(
    "05.4",
    title="A gain for any activation",
    minutes=10,
    hints=[
        "An expectation is a mean over many draws of z. Which mean does the formula want, and what follows for g?",
        "With n draws the mean is off by about $1/\\sqrt n$ of its spread: some hundred thousand are enough.",
        "The weights have variance $g^2 / n_\\text{in}$.",
    ],
)

GRID = np.linspace(-12, 12, 20_001)
DENSITY = np.exp(-(GRID**2) / 2) / np.sqrt(2 * np.pi) * (GRID[1] - GRID[0])


def moments(f):
    """Mean, second moment and mean absolute value of f(z), z standard normal."""
    values = f(GRID)
    return [float((part * DENSITY).sum()) for part in (values, values**2, np.abs(values))]


def activations(rng, kind):
    """A function and its name."""
    a = round(float(rng.uniform(0.1, 0.4)), 2)
    return {
        "relu": (lambda z: np.maximum(z, 0), "ReLU"),
        # a slope at which the gain differs from ReLU's by more than may be measured wrongly
        "leaky": (lambda z: np.where(z > 0, z, (a + 0.3) * z), f"leaky ReLU with slope {a + 0.3:g}"),
        "tanh": (lambda z: np.tanh((0.5 + a) * z), f"tanh({0.5 + a:g} z)"),
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)) + a, f"the sigmoid plus {a}"),
        "sine": (lambda z: (1.5 + a) * np.sin(z), f"{1.5 + a:g} sin(z)"),
    }[kind]


def expect_near(got, right, what, mistakes):
    """A measured number: within 2 %."""
    if isinstance(got, (float, np.floating)) and abs(got / right - 1) < 0.02:
        return
    expect_equal(got, right, rtol=0.02, what=what, mistakes=mistakes)


TOO_FEW = "too few numbers were drawn: with other draws the gain is another one by more than 2 %"


def apart(one, other):
    """Whether two answers are numbers that differ by more than a good measurement would."""
    numbers = all(isinstance(v, (float, np.floating)) for v in (one, other))
    return numbers and abs(one - other) > 0.02 * max(abs(one), abs(other))


@case("gain: ReLU and its relatives")
def gain_relu(gain, *, rng):
    for kind in ("relu", "leaky"):
        f, name = activations(rng, kind)
        mean, second, absolute = moments(f)
        got, again = (gain(f, generator(rng)) for _ in range(2))
        expect_near(
            got,
            second**-0.5,
            f"gain(f, rng) of {name}",
            {
                TOO_FEW: got if apart(got, again) else np.nan,
                "the square root is missing: this is g squared": 1 / second,
                "the root mean square itself was returned: the gain is one over it": second**0.5,
                "the second moment itself was returned": second,
                "the mean was subtracted (a variance, .std()): the formula has the second moment": (
                    (second - mean**2) ** -0.5
                ),
                "the mean of |f| was taken: the formula has squares": 1 / absolute,
                "the function was left out: this is the gain of the identity": 1.0,
            },
        )


@case("gain: ReLU and its relatives, other inputs", hidden=True)
def gain_relu_again(gain, *, rng):
    gain_relu(gain, rng=rng)


@case("gain: any function", points=2)
def gain_any(gain, *, rng):
    for kind in ("sigmoid", "tanh", "sine"):
        f, name = activations(rng, kind)
        mean, second, _ = moments(f)
        got, again = (gain(f, generator(rng)) for _ in range(2))
        expect_near(
            got,
            second**-0.5,
            f"gain(f, rng) of {name}",
            {
                TOO_FEW: got if apart(got, again) else np.nan,
                "the mean was subtracted (a variance, .std()): the formula has the second moment": (
                    (second - mean**2) ** -0.5
                ),
                "the gain of ReLU was returned: each function has its own": 2**0.5,
                "the square root is missing: this is g squared": 1 / second,
            },
        )


@case("gain: any function, other inputs", points=2, hidden=True)
def gain_any_again(gain, *, rng):
    gain_any(gain, rng=rng)


@case("best_std: weights of a layer", points=1)
def gain_std(best_std, *, rng):
    f, _ = activations(rng, ["tanh", "sine"][int(rng.integers(2))])
    shape = dense_shape(rng)
    g = moments(f)[1] ** -0.5
    expect_near(
        best_std(f, shape, generator(rng)),
        g / shape[0] ** 0.5,
        f"best_std(f, {shape}, rng)",
        {
            "the fan-out was used in place of the fan-in": g / shape[1] ** 0.5,
            "the mean of both fans was used": g * (2 / sum(shape)) ** 0.5,
            "the variance was returned: the standard deviation is its square root": g**2 / shape[0],
            "the square root of the fan-in is missing": g / shape[0],
            "He's rule was used, whatever the function": (2 / shape[0]) ** 0.5,
            "the gain was left out": shape[0] ** -0.5,
        },
    )


Q5 = question(
    "05.5",
    title="He's rule, backwards",
    minutes=12,
    hints=[
        "One input feeds M units, so M terms are added up. Half of them are 0 after ReLU's mask.",
        "The second moment of a product of independent numbers is the product of their second moments: $\\sigma^2$ is one.",
        "A pixel of channel c is seen by every filter F, once at each of the KH x KW places of the window.",
        "`growth`: one factor for each layer, with $\\sigma^2 = 2 / n_\\text{in}$; multiply them.",
    ],
)


def back_mistakes(fan_in, fan_out, std):
    """Wrong factors of a layer with these fans."""
    return {
        "the fan-in was used: on the way back each input adds over the units that it feeds": fan_in * std**2 / 2,
        "ReLU's mask was forgotten: half of the gradient does not pass": fan_out * std**2,
        "the standard deviation was not squared": fan_out * std / 2,
        "the square root was taken: the second moment is asked for": (fan_out * std**2 / 2) ** 0.5,
        "the gain 2 of the forward rule was multiplied in: the mask halves here": 2 * fan_out * std**2,
        "the fan-out is missing: many terms are added up": std**2 / 2,
    }


@case("backward_factor: dense weights")
def back_dense(backward_factor, *, rng):
    shape, std = dense_shape(rng), float(rng.uniform(0.05, 0.3))
    expect_equal(
        backward_factor(shape, std),
        shape[1] * std**2 / 2,
        what=f"backward_factor({shape}, {std:.3g})",
        mistakes=back_mistakes(*shape, std),
    )


@case("backward_factor: dense weights, other inputs", hidden=True)
def back_dense_again(backward_factor, *, rng):
    back_dense(backward_factor, rng=rng)


@case("backward_factor: filters")
def back_filters(backward_factor, *, rng):
    shape, std = filter_shape(rng), float(rng.uniform(0.05, 0.3))
    filters, channels, height, width = shape
    expect_equal(
        backward_factor(shape, std),
        filters * height * width * std**2 / 2,
        what=f"backward_factor({shape}, {std:.3g})",
        mistakes=back_mistakes(channels * height * width, filters * height * width, std)
        | {
            "only the filters were counted: a pixel lies in KH x KW windows of each": filters * std**2 / 2,
            "the second axis was taken: right for (D, M), but here it counts the channels": channels * std**2 / 2,
            "all entries were counted": filters * channels * height * width * std**2 / 2,
        },
    )


@case("backward_factor: filters, other inputs", hidden=True)
def back_filters_again(backward_factor, *, rng):
    back_filters(backward_factor, rng=rng)


@case("he_backward: weights that keep a gradient's size")
def back_spread(he_backward, *, rng):
    dense, filters = dense_shape(rng), filter_shape(rng)
    count, channels, height, width = filters
    for shape, n_in, n_out in (
        (dense, *dense),
        (filters, channels * height * width, count * height * width),
    ):
        expect_draws(
            he_backward(generator(rng), shape),
            shape=shape,
            std=(2 / n_out) ** 0.5,
            what=f"he_backward(rng, {shape})",
            mistakes={
                "the fan-in was used: this is the forward rule": (2 / n_in) ** 0.5,
                "the square root is missing: a variance was used as a standard deviation": 2 / n_out,
                "the 2 for ReLU's mask is missing": (1 / n_out) ** 0.5,
                "the mean of both fans was used (Xavier's rule)": (2 / (n_in + n_out)) ** 0.5,
                "the mask was taken the wrong way: half the variance, not twice": (0.5 / n_out) ** 0.5,
            },
        )
    expect_seeded(lambda g: he_backward(g, (9, 5)), rng=rng, what="he_backward(rng, (9, 5))")


@case("growth: all layers of a network", points=2)
def back_growth(growth, *, rng):
    for layers in (3, 1):
        sizes = [int(n) for n in rng.choice(np.arange(5, 60), size=layers + 1, replace=False)]
        expect_equal(
            growth(sizes),
            sizes[-1] / sizes[0],
            what=f"growth({sizes})",
            mistakes={
                "it is the wrong way up: the last size stands above": sizes[0] / sizes[-1],
                "ReLU's mask was forgotten in each layer": 2**layers * sizes[-1] / sizes[0],
                "the factors were added up": sum(b / a for a, b in itertools.pairwise(sizes)),
                "this is the factor of the way forward, or of the backward rule": 1.0,
                "only the last layer was counted": sizes[-1] / sizes[-2],
                "only the first layer was counted": sizes[1] / sizes[0],
                "the square root was taken: the second moment is asked for": (sizes[-1] / sizes[0]) ** 0.5,
            },
        )


@case("growth: all layers of a network, other inputs", points=2, hidden=True)
def back_growth_again(growth, *, rng):
    back_growth(growth, rng=rng)


MODELS = {  # the answers of the sheet, as its source has them
    "05.1": """
def xavier_normal(rng, shape):
    n_in, n_out = shape
    std = np.sqrt(2 / (n_in + n_out))
    return std * rng.standard_normal(shape)

def xavier_uniform(rng, shape):
    n_in, n_out = shape
    a = np.sqrt(6 / (n_in + n_out))
    return rng.uniform(-a, a, shape)
""",
    "05.2": """
def fan_in(shape):
    if len(shape) == 2:
        return shape[0]
    filters, channels, height, width = shape
    return channels * height * width

def he_normal(rng, shape):
    std = np.sqrt(2 / fan_in(shape))
    return std * rng.standard_normal(shape)
""",
    "05.3": """
def count_units(w, b):
    columns = np.vstack([w, b])
    return np.unique(columns.round(6), axis=1).shape[1]

def init_network(rng, sizes):
    return [(xavier_normal(rng, (n_in, n_out)), np.zeros(n_out)) for n_in, n_out in zip(sizes[:-1], sizes[1:])]
""",
    "05.4": """
def gain(f, rng):
    z = rng.standard_normal(100000)
    return 1 / np.sqrt(np.mean(f(z) ** 2))

def best_std(f, shape, rng):
    return gain(f, rng) / np.sqrt(shape[0])
""",
    "05.5": """
def backward_factor(shape, std):
    if len(shape) == 2:
        fan_out = shape[1]
    else:
        filters, channels, height, width = shape
        fan_out = filters * height * width
    return fan_out * std**2 / 2

def he_backward(rng, shape):
    std = 1 / np.sqrt(backward_factor(shape, 1.0))
    return std * rng.standard_normal(shape)

def growth(sizes):
    factor = 1.0
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        factor = factor * backward_factor((n_in, n_out), np.sqrt(2 / n_in))
    return factor
""",
}

SLIPS = [
    *slips(
        "05.1",
        MODELS["05.1"],
        {
            (
                "std = np.sqrt(2 / (n_in + n_out))",
                "std = 2 / (n_in + n_out)",
            ): "the square root is missing: a variance was used as a standard deviation",
            (
                "std = np.sqrt(2 / (n_in + n_out))",
                "std = np.sqrt(2 / n_in + n_out)",
            ): "brackets are missing: 2 / (n_in + n_out), not 2 / n_in + n_out",
            (
                "std = np.sqrt(2 / (n_in + n_out))",
                "std = np.sqrt(2) / (n_in + n_out)",
            ): "the square root ends too early: sqrt(2) / (n_in + n_out) has no root below",
            (
                "std = np.sqrt(2 / (n_in + n_out))",
                "std = np.sqrt(2 / (n_in * n_out))",
            ): "the fans were multiplied, not added",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = 6 / (n_in + n_out)",
            ): "the square root is missing: a**2 / 3 is the variance, so a is a root",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = 2 / (n_in + n_out)",
            ): "the variance was taken for the bound a: a is the root of 3 times the variance",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = np.sqrt(2 / (n_in + n_out))",
            ): "the standard deviation was taken for the bound a: the factor sqrt(3) is missing",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = np.sqrt(3 / (n_in + n_out))",
            ): "the variance was taken as 1 / (n_in + n_out): the 2 is missing",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = np.sqrt(12 / (n_in + n_out))",
            ): "the variance of a uniform distribution on [-a, a] is a**2 / 3, not a**2 / 6",
            (
                "a = np.sqrt(6 / (n_in + n_out))",
                "a = np.sqrt(6) / (n_in + n_out)",
            ): "the square root ends too early: sqrt(6 / (n_in + n_out)) is meant",
            (
                "return rng.uniform(-a, a, shape)",
                "return a * rng.uniform(size=shape)",
            ): "the draws run from 0 to a: rng.uniform without limits gives [0, 1); they should run from -a to a",
            (
                "return rng.uniform(-a, a, shape)",
                "return rng.uniform(0, a, shape)",
            ): "the draws run from 0 to a; they should run from -a to a",
            (
                "return rng.uniform(-a, a, shape)",
                "return a * rng.standard_normal(shape)",
            ): "normal draws were scaled by the bound of the uniform ones",
            (
                "return rng.uniform(-a, a, shape)",
                "return a * (rng.random(shape) - 0.5)",
            ): "the draws run from -a/2 to a/2: random() - 0.5 has to be doubled",
        },
    ),
    *slips(
        "05.2",
        MODELS["05.2"],
        {
            (
                "np.sqrt(2 / fan_in(shape))",
                "np.sqrt(2 / shape[0])",
            ): "the first axis was taken for the fan-in: for filters fan_in(shape) counts otherwise",
            ("np.sqrt(2 / fan_in(shape))", "np.sqrt(2 / shape[1])"): "the second axis was taken for the fan-in",
            (
                "np.sqrt(2 / fan_in(shape))",
                "np.sqrt(2) / fan_in(shape)",
            ): "the square root ends too early: sqrt(2) / n has no root below; sqrt(2 / n) is meant",
            (
                "np.sqrt(2 / fan_in(shape))",
                "2 / fan_in(shape)",
            ): "the square root is missing: a variance was used as a standard deviation",
            (
                "return channels * height * width",
                "return filters * channels",
            ): "filters times channels were counted: the fan-in is channels times the window",
            (
                "return channels * height * width",
                "return (channels, height, width)",
            ): "the sizes came back, not their product",
            (
                "return channels * height * width",
                "return channels + height + width",
            ): "the sizes were added, not multiplied",
        },
    ),
    *slips(
        "05.3",
        MODELS["05.3"],
        {
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns.round(6)).size",
            ): "different numbers were counted, not different columns: axis=1 is missing",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns).size",
            ): "different numbers were counted, not different columns: axis=1 is missing, and the rounding",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns.round(6), axis=1).shape[0]",
            ): "the number of rows was returned: the different units are the columns, shape[1]",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "len(np.unique(columns.round(6), axis=1))",
            ): "len is the number of rows: the different units are the columns, shape[1]",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns.round(6), axis=0).shape[0]",
            ): "rows were compared: a unit is a column of w",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.linalg.matrix_rank(columns)",
            ): "the rank was returned: units that are sums of others are still different",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns.round(6), axis=1)",
            ): "the different columns came back, not their number: .shape[1]",
            (
                "np.unique(columns.round(6), axis=1).shape[1]",
                "np.unique(columns, axis=1).shape[1]",
            ): "weights that differ by rounding only were taken for different: round to 6 decimals",
            ("columns = np.vstack([w, b])", "columns = w"): "the biases were left out",
            (
                "xavier_normal(rng, (n_in, n_out)), np",
                "xavier_normal(rng, (n_in, n_out)) + 1, np",
            ): "1 was added to every weight",
            (
                "xavier_normal(rng, (n_in, n_out)), np",
                "0.01 * rng.standard_normal((n_in, n_out)), np",
            ): "the weights are far too small: a fixed 0.01 in place of a rule",
            (
                "xavier_normal(rng, (n_in, n_out)), np",
                "rng.standard_normal((n_in, n_out)), np",
            ): "the weights are not scaled by their fans",
            (
                "xavier_normal(rng, (n_in, n_out)), np",
                "rng.random((n_in, n_out)), np",
            ): "the draws run from 0 to 1: they are neither centred nor scaled",
            ("np.zeros(n_out)", "np.zeros((1, n_out))"): "the biases have two axes: (M,) is meant",
            ("np.zeros(n_out)", "np.zeros(n_in)"): "there is a bias for every input: each unit, n_out, has one",
            ("np.zeros(n_out)", "rng.standard_normal(n_out)"): "the biases were drawn: they start at 0",
        },
    ),
    *slips(
        "05.4",
        MODELS["05.4"],
        {
            (
                "np.sqrt(np.mean(f(z) ** 2))",
                "np.std(f(z))",
            ): "the mean was subtracted (a variance, .std()): the formula has the second moment",
            ("np.sqrt(np.mean(f(z) ** 2))", "np.mean(f(z) ** 2)"): "the square root is missing: this is g squared",
        },
    ),
]

XAVIER_UNIFORM = """
def xavier_uniform(rng, shape):
    a = np.sqrt(6 / sum(shape))
    return rng.uniform(-a, a, shape)
"""
XAVIER_NORMAL = """
def xavier_normal(rng, shape):
    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)
"""
FAN_IN = """
def fan_in(shape):
    return shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
"""
COUNT_UNITS = """
def count_units(w, b):
    return np.unique(np.vstack([w, b]).round(6), axis=1).shape[1]
"""


def _init(w, b="np.zeros(m)"):
    return f"""
def init_network(rng, sizes):
    return [({w}, {b}) for n, m in zip(sizes[:-1], sizes[1:])]
"""


def _gain(g="1 / np.sqrt(np.mean(f(z) ** 2))"):
    return f"""
def gain(f, rng):
    z = rng.standard_normal(100_000)
    return {g}
"""


def _std(std="gain(f, rng) / shape[0] ** 0.5"):
    return (
        _gain()
        + f"""
def best_std(f, shape, rng):
    return {std}
"""
    )


def _back(dense="shape[1]", filters="shape[0] * shape[2] * shape[3]", factor="fan_out * std**2 / 2"):
    return f"""
def backward_factor(shape, std):
    fan_out = {dense} if len(shape) == 2 else {filters}
    return {factor}
"""


def _he_backward(std="1 / np.sqrt(backward_factor(shape, 1.0))"):
    return _back() + f"\ndef he_backward(rng, shape):\n    return {std} * rng.standard_normal(shape)\n"


def _growth(growth):
    return f"def growth(sizes):\n    return {growth}"


WRONG = [
    Wrong("05.5", _back(dense="shape[0]"), "the fan-in was used"),
    Wrong("05.5", _back(factor="fan_out * std**2"), "ReLU's mask was forgotten"),
    Wrong("05.5", _back(factor="fan_out * std / 2"), "was not squared"),
    Wrong("05.5", _back(filters="shape[0]"), "only the filters were counted"),
    Wrong("05.5", _back(filters="shape[1]"), "the second axis was taken"),
    Wrong("05.5", _back(filters="shape[1] * shape[2] * shape[3]"), "the fan-in was used"),
    Wrong("05.5", _he_backward("np.sqrt(2 / shape[0])"), "this is the forward rule"),
    Wrong("05.5", _he_backward("1 / backward_factor(shape, 1.0)"), "the square root is missing"),
    Wrong("05.5", _growth("sizes[0] / sizes[-1]"), "the wrong way up"),
    Wrong("05.5", _growth("sum(b / a for a, b in zip(sizes, sizes[1:]))"), "the factors were added up"),
    Wrong("05.5", _growth("1.0"), "of the way forward"),
    Wrong("05.4", _gain("1 / np.mean(f(z) ** 2)"), "this is g squared"),
    Wrong("05.4", _gain("1 / f(z).std()"), "the formula has the second moment"),
    Wrong("05.4", _gain("np.sqrt(2.0)"), "the gain of ReLU was returned"),
    Wrong("05.4", _std("gain(f, rng) / shape[1] ** 0.5"), "the fan-out was used"),
    Wrong("05.4", _std("np.sqrt(2 / shape[0])"), "He's rule was used"),
    Wrong("05.3", _init("xavier_normal(rng, (n, m)) + 1"), "not centred at 0"),
    Wrong(
        "05.3",
        """
def init_network(rng, sizes):
    w = xavier_normal(rng, (max(sizes), max(sizes)))
    return [(w[:n, :m], np.zeros(m)) for n, m in zip(sizes[:-1], sizes[1:])]
""",
        "one draw was used for several layers",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return 2 / sum(shape) * rng.standard_normal(shape)",
        "a variance was used as a standard deviation",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.sqrt(1 / shape[0]) * rng.standard_normal(shape)",
        "only the fan-in was used",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.sqrt(1 / shape[1]) * rng.standard_normal(shape)",
        "only the fan-out was used",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.sqrt(2 / shape[0]) * rng.standard_normal(shape)",
        "He's rule",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.sqrt(1 / sum(shape)) * rng.standard_normal(shape)",
        "the 2 in the numerator is missing",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape[::-1])",
        "shape is (n_in, n_out)",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    a = np.sqrt(6 / sum(shape))\n    return rng.uniform(-a, a, shape)",
        "they are uniform",
    ),
    Wrong(
        "05.1",
        "def xavier_uniform(rng, shape):\n    a = np.sqrt(2 / sum(shape))\n    return rng.uniform(-a, a, shape)",
        "the factor sqrt(3) is missing",
    ),
    Wrong(
        "05.1",
        "def xavier_uniform(rng, shape):\n    return rng.uniform(0, np.sqrt(6 / sum(shape)), shape)",
        "not centred at 0",
    ),
    Wrong(
        "05.1",
        "def xavier_uniform(rng, shape):\n    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)",
        "they are normal",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    return np.random.normal(0, np.sqrt(2 / sum(shape)), shape)",
        "the global generator np.random is used",
    ),
    Wrong(
        "05.1",
        "def xavier_uniform(rng, shape):\n    a = np.sqrt(6 / sum(shape))\n"
        "    return np.random.default_rng(0).uniform(-a, a, shape)",
        "a generator with a fixed seed is made inside",
    ),
    Wrong(
        "05.1",
        "def xavier_normal(rng, shape):\n    w = np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)",
        "a return is missing",
    ),
    Wrong("05.2", "def fan_in(shape):\n    return shape[0]", "here it counts the filters"),
    Wrong("05.2", "def fan_in(shape):\n    return shape[1]", "the fan-out was returned"),
    Wrong(
        "05.2",
        "def fan_in(shape):\n    return shape[0] if len(shape) == 2 else shape[0] * shape[2] * shape[3]",
        "the filters F were counted, not the channels C",
    ),
    Wrong(
        "05.2",
        "def fan_in(shape):\n    return shape[0] if len(shape) == 2 else shape[1]",
        "not the window KH x KW",
    ),
    Wrong(
        "05.2",
        "def fan_in(shape):\n    return shape[0] if len(shape) == 2 else int(np.prod(shape))",
        "all entries were counted",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    return np.sqrt(1 / fan_in(shape)) * rng.standard_normal(shape)",
        "the gain 2 for ReLU is missing",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    return 2 / fan_in(shape) * rng.standard_normal(shape)",
        "the square root is missing",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    return 2 * np.sqrt(1 / fan_in(shape)) * rng.standard_normal(shape)",
        "the gain 2 stands outside the square root",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    n_out = shape[1] if len(shape) == 2 else shape[0] * shape[2] * shape[3]\n"
        "    return np.sqrt(2 / n_out) * rng.standard_normal(shape)",
        "the fan-out was used in place of the fan-in",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    return np.sqrt(2 / fan_in(shape)) * rng.standard_normal(shape[1])",
        "wrong shape",
    ),
    Wrong(
        "05.2",
        "def he_normal(rng, shape):\n    return np.sqrt(2 / fan_in(shape)) * np.random.standard_normal(shape)",
        "the global generator np.random is used",
    ),
    Wrong("05.3", "def count_units(w, b):\n    return len(np.unique(w.round(6), axis=0))", "rows were counted"),
    Wrong("05.3", "def count_units(w, b):\n    return w.shape[1]", "all units were counted, equal or not"),
    Wrong(
        "05.3",
        "def count_units(w, b):\n    return np.unique(np.vstack([w, b]), axis=1).shape[1]",
        "differ by rounding only",
    ),
    Wrong(
        "05.3",
        "def count_units(w, b):\n    return np.unique(w.round(6), axis=1).shape[1]",
        "the biases were left out",
    ),
    Wrong("05.3", _init("np.full((n, m), 0.1)"), "all units start equal"),
    Wrong("05.3", _init("xavier_normal(rng, (n, m))").replace("return", "layers ="), "not a list of layers"),
    Wrong(
        "05.3",
        _init("np.repeat(xavier_normal(rng, (n, 1)), m, axis=1)"),
        "has 1 different units of",
    ),
    Wrong("05.3", _init("xavier_normal(rng, (m, n))"), "w is (inputs, units)"),
    Wrong("05.3", _init("rng.standard_normal((n, m))"), "not scaled by their fans"),
    Wrong("05.3", _init("0.001 * rng.standard_normal((n, m))"), "the weights are far too small"),
    Wrong("05.3", _init("xavier_normal(rng, (n, m))", "rng.standard_normal(m)"), "all of them are 0"),
    Wrong("05.3", _init("xavier_normal(rng, (n, m))", "np.zeros((1, m))"), "(1, units): it has the shape (units,)"),
    Wrong(
        "05.3",
        "def init_network(rng, sizes):\n    return [(xavier_normal(rng, (n, n)), np.zeros(n)) for n in sizes]",
        "not for every pair of neighbours",
    ),
    Wrong(
        "05.3",
        "def init_network(rng, sizes):\n    rng = np.random.default_rng(1)\n"
        "    return [(xavier_normal(rng, (n, m)), np.zeros(m)) for n, m in zip(sizes[:-1], sizes[1:])]",
        "a generator with a fixed seed is made inside",
    ),
]

RIGHT = [
    Right(
        "05.5",
        """
def backward_factor(shape, std):
    fan_out = shape[-1] if len(shape) == 2 else np.prod(shape) / shape[1]
    return 0.5 * fan_out * np.square(std)

def he_backward(rng, shape):
    fan_out = shape[-1] if len(shape) == 2 else np.prod(shape) // shape[1]
    return rng.normal(0, (2 / fan_out) ** 0.5, shape)

def growth(sizes):
    return sizes[-1] / sizes[0]
""",
    ),
    Right(
        "05.4",
        """
def gain(f, rng):
    z = np.linspace(-10, 10, 20_001)
    p = np.exp(-z * z / 2)
    return (p.sum() / (p * f(z) ** 2).sum()) ** 0.5

def best_std(f, shape, rng):
    return np.sqrt(gain(f, rng) ** 2 / shape[0])
""",
    ),
    Right("05.3", _init("np.sqrt(2 / n) * rng.standard_normal((n, m))")),
    Right("05.1", XAVIER_NORMAL + XAVIER_UNIFORM),
    Right(
        "05.1",
        """
def xavier_normal(rng, shape):
    fan_in, fan_out = shape
    return rng.normal(loc=0.0, scale=(2.0 / (fan_in + fan_out)) ** 0.5, size=shape).astype(np.float32)

def xavier_uniform(generator, size):
    bound = 3**0.5 * (2.0 / (size[0] + size[1])) ** 0.5
    w = generator.random(size, dtype=np.float32)
    w -= 0.5
    w *= 2 * bound
    return w
""",
    ),
    Right("05.2", FAN_IN),
    Right(
        "05.2",
        """
def he_normal(rng, shape):
    n_in = shape[0] if len(shape) == 2 else shape[1] * shape[2] * shape[3]
    return rng.normal(0, (2 / n_in) ** 0.5, shape).astype("float32")

def fan_in(shape):
    if len(shape) == 2:
        return np.int64(shape[0])
    return np.prod(np.array(shape)[1:])
""",
    ),
    Right("05.3", COUNT_UNITS + _init("rng.standard_normal((n, m)) * np.sqrt(1 / n)")),
    Right(
        "05.3",
        """
def count_units(w, b):
    kept = []
    for j in range(w.shape[1]):
        if not any(np.abs(w[:, j] - w[:, i]).max() + abs(b[j] - b[i]) < 5e-7 for i in kept):
            kept.append(j)
    return len(kept)

def init_network(rng, sizes):
    layers = []
    for i in range(len(sizes) - 1):
        a = np.sqrt(6 / (sizes[i] + sizes[i + 1]))
        layers.append([rng.uniform(-a, a, (sizes[i], sizes[i + 1])), np.zeros(sizes[i + 1])])
    return tuple(layers)
""",
    ),
]

SENTENCES = {  # of the task, and the cases that test it
    "05.1": {
        r"$$\sigma^2 = \frac{2}{n_\text{in} + n_\text{out}}.$$": [
            "xavier_normal: standard deviation",
            "xavier_uniform: bounds and standard deviation",
        ],
        "with normal draws, and with uniform draws from $[-a, a]$": [
            "xavier_normal: standard deviation",
            "xavier_uniform: bounds and standard deviation",
        ],
        "Weights of shape (n_in, n_out) from a normal distribution": ["xavier_normal: shape and dtype"],
        "def xavier_uniform(rng, shape)": ["both draw from the generator that they are given"],
    },
    "05.2": {
        r"$$\sigma^2 = \frac{2}{n_\text{in}}.$$": ["he_normal: dense weights", "he_normal: filters"],
        "each of which adds over C channels and a window of KH by KW pixels": [
            "fan_in: dense weights and filters",
            "he_normal: filters",
        ],
        "for dense weights (D, M) and for filters (F, C, KH, KW)": ["fan_in: dense weights and filters"],
        "def he_normal(rng, shape)": ["he_normal draws from the generator that it is given"],
    },
    "05.3": {
        "says how many different units a layer has": ["count_units: equal and different units"],
        "A unit is a column of `w` together with its entry of `b`.": ["count_units: the bias belongs to the unit"],
        "two units for equal when they agree to 6 decimals": ["count_units: equal and different units"],
        "returns a list with one pair `(w, b)` for each layer": ["init_network: one (w, b) for each layer"],
        "Biases are 0.": ["init_network: one (w, b) for each layer"],
        "Draw the weights with one of this sheet's rules.": [
            "init_network: every unit differs, at a good scale",
            "init_network draws from the generator that it is given",
        ],
    },
    "05.4": {
        "which measures it to within 2 %": ["gain: ReLU and its relatives", "gain: any function"],
        "for any `f` that works entry by entry": ["gain: any function"],
        "the standard deviation for dense weights (D, M) before that activation": ["best_std: weights of a layer"],
        "For ReLU it must be He's.": ["gain: ReLU and its relatives", "best_std: weights of a layer"],
    },
    "05.5": {
        "that factor, a number, for dense weights (D, M) and for filters (F, C, KH, KW)": [
            "backward_factor: dense weights",
            "backward_factor: filters",
        ],
        "how many terms does one input pixel get?": ["backward_factor: filters"],
        "normal weights for which the factor is 1": ["he_backward: weights that keep a gradient's size"],
        "the factor of a whole dense network": ["growth: all layers of a network"],
    },
}

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "05.1": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the sign of std is the wrong way round",
        ],
    },
    "05.2": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the sign of std is the wrong way round",
        ],
    },
    "05.3": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the sign of columns is the wrong way round",
        ],
    },
    "05.4": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "mean runs along axis 0 only, where all entries are meant, in what is returned",
            "the number 100001 stands where 100000 is meant, in z",
            "the number 99999 stands where 100000 is meant, in z",
            "the sign of z is the wrong way round",
        ],
    },
    "05.5": {
        "the sign is lost again: a distance, a product of two, or a symmetric draw": [
            "the sign of std is the wrong way round",
        ],
    },
}
