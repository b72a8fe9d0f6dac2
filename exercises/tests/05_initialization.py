"""Cases of exercise sheet 05, initialization."""

import itertools

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
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
    """(F, C, KH, KW), all different, with some thousands of entries."""
    return int(rng.integers(70, 90)), int(rng.integers(10, 14)), int(rng.integers(2, 4)), int(rng.integers(4, 6))


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


@case("xavier_normal: standard deviation", points=2)
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


@case("xavier_uniform: bounds and standard deviation", points=2)
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


@case("he_normal: dense weights", points=2)
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


@case("count_units: equal and different units", points=2)
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


@case("count_units: the bias belongs to the unit")
def counts_bias(count_units, *, rng):
    units = int(rng.integers(4, 8))
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
        expect_equal(layer[1], np.zeros(shape[1]), what=f"b of layer {i}")
    return [w for w, _ in layers]


@case("init_network: one (w, b) for each layer")
def network_shapes(init_network, *, rng):
    network(init_network, [int(n) for n in rng.choice(np.arange(2, 12), size=4, replace=False)], rng)


@case("init_network: every unit differs, at a good scale", points=2)
def network_breaks_symmetry(init_network, *, rng):
    sizes = [int(n) for n in rng.integers(60, 90, size=3)]
    for i, w in enumerate(network(init_network, sizes, rng)):
        n_in, n_out = w.shape
        different = np.unique(w.round(6), axis=1).shape[1]
        expect_true(
            different == n_out,
            f"layer {i} of init_network(rng, {sizes}) has {different} different units of {n_out}",
            mistake="all units start equal" if different == 1 else None,
        )
        std, xavier = float(w.std()), (2 / (n_in + n_out)) ** 0.5
        expect_true(
            xavier / 2 < std < xavier * 2,
            f"w of layer {i} has standard deviation {std:.3g}; Xavier's rule gives {xavier:.3g}",
            mistake="the weights are far too small" if std < xavier else "the weights are not scaled by their fans",
        )


@case("init_network draws from the generator that it is given")
def network_seeded(init_network, *, rng):
    expect_seeded(lambda g: init_network(g, [5, 4, 3]), rng=rng, what="init_network(rng, [5, 4, 3])")


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


WRONG = [
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
    Wrong("05.3", _init("xavier_normal(rng, (n, m))", "rng.standard_normal(m)"), "b of layer 0 has a wrong value"),
    Wrong("05.3", _init("xavier_normal(rng, (n, m))", "np.zeros((1, m))"), "b of layer 0 has the wrong shape"),
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
        if not any(np.allclose(w[:, j], w[:, i]) and np.isclose(b[j], b[i]) for i in kept):
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
