"""Chapter 01's claims."""

from ..experiments import backpropagation as experiment
from . import claim

SEEDS = range(6)


@claim(
    "01.perceptron",
    text="A perceptron learns AND and OR, but no perceptron computes XOR.",
    source="Rosenblatt 1958; Minsky and Papert 1969",
    setting="perceptron rule from weights 0 and bias -1/2, 1,000 passes over the four examples",
    condition="mistakes in the last pass: 0 for AND and OR; at least 1 in every pass for XOR",
    holds=lambda n: n["AND, last pass"] == n["OR, last pass"] == 0 and n["XOR, best pass"] >= 1,
    tolerance=0.0,
)
def perceptron():
    """One run each; the rule has no randomness."""
    mistakes = {name: experiment.perceptron(name, epochs=1000)["mistakes"] for name in experiment.GATES}
    return {
        "AND, last pass": mistakes["AND"][-1],
        "OR, last pass": mistakes["OR"][-1],
        "XOR, best pass": mistakes["XOR"].min(),
    }


@claim(
    "01.xor",
    text="A network with a hidden layer learns XOR by backpropagation.",
    source="Rumelhart, Hinton and Williams 1986",
    setting="2-4-1 tanh network, mean squared error, 1,000 steps at rate 0.1, 100 starts, 6 seeds; also with 2 and 1 "
    "hidden units",
    condition="share of starts that end below a loss of 0.01, lowest of the seeds: above 0.95 with 4 units; 0 with 1",
    holds=lambda n: n["4 units, lowest"] > 0.95 and n["1 unit, highest"] == 0,
    tolerance=0.1,
)
def xor():
    """Six times 100 starts for each size."""
    runs = [experiment.xor_starts(hidden=(1, 2, 4), seed=seed) for seed in SEEDS]
    learnt = {units: [float((run[units] < 0.01).mean()) for run in runs] for units in (1, 2, 4)}
    return {
        "4 units, lowest": min(learnt[4]),
        "2 units, lowest": min(learnt[2]),
        "2 units, highest": max(learnt[2]),
        "1 unit, highest": max(learnt[1]),
    }


def _best(**settings):
    """The best step size of each seed."""
    runs = [experiment.best_steps(seed=seed, **settings) for seed in SEEDS]
    return [float(run["steps"][run["error"].argmin()]) for run in runs]


@claim(
    "01.finite-differences",
    text="Central differences in double precision are most accurate at a step near 1e-5, the cube root of the rounding "
    "error; in single precision near 5e-3.",
    source="Press et al. 2007, section 5.7",
    setting="20 parameters of a 64-16-10 tanh and sigmoid network on 64 digits, steps in factors of sqrt(10), 6 seeds",
    condition="best step of every seed: float64 from 3e-6 to 1e-4, float32 from 1e-3 to 5e-2",
    holds=lambda n: (
        3e-6 < n["float64, smallest"] <= n["float64, largest"] < 1e-4
        and 1e-3 <= n["float32, smallest"] <= n["float32, largest"] < 5e-2
    ),
    # The steps are a grid with a factor of 3.16 between neighbours.
    tolerance=3.0,
)
def finite_differences():
    """Best step sizes over networks and seeds."""
    best = {
        arithmetic: [
            step for activation in ("tanh", "sigmoid") for step in _best(activation=activation, arithmetic=arithmetic)
        ]
        for arithmetic in experiment.ARITHMETIC
    }
    return {
        f"{arithmetic}, {name}": pick(steps)
        for arithmetic, steps in best.items()
        for name, pick in (("smallest", min), ("largest", max))
    }


@claim(
    "01.kinks",
    text="The same step near 1e-5 is the most accurate for ReLU networks too.",
    source="a rule of thumb; Press et al. 2007 assume a smooth function",
    setting="as the row above, with ReLU units and the mean squared error",
    condition="best step of every seed from 3e-6 to 1e-4",
    holds=lambda n: 3e-6 < n["smallest"] <= n["largest"] < 1e-4,
    verdict="does not hold",
    note="between two kinks this loss is a parabola in each weight, so central differences have no error but rounding "
    "and larger steps are better, until one crosses a kink",
    tolerance=3.0,
)
def kinks():
    """Best step sizes of ReLU networks."""
    best = _best(activation="relu")
    return {"smallest": min(best), "largest": max(best)}


@claim(
    "01.vanishing",
    text="On its way back through a layer of sigmoid units the gradient shrinks to a quarter or less; ReLU keeps it.",
    source="Hochreiter 1991; Hochreiter and Schmidhuber 1997, section 3.1, for weights below 4",
    setting="10 hidden layers of 100 units, Xavier's start for sigmoid and He's for ReLU, 8x8 digits, 6 seeds",
    condition="factor by which one hidden layer multiplies the gradient (geometric mean over layers), every seed: "
    "sigmoid at most 0.25, ReLU from 0.8 to 1.25",
    holds=lambda n: n["sigmoid, highest"] <= 0.25 and 0.8 < n["ReLU, lowest"] <= n["ReLU, highest"] < 1.25,
)
def vanishing():
    """Factors of six starts."""
    factors = [experiment.gradients_by_layer(depth=10, width=100, seed=seed)["factor"] for seed in SEEDS]
    return {
        "sigmoid, lowest": min(f["sigmoid"] for f in factors),
        "sigmoid, highest": max(f["sigmoid"] for f in factors),
        "ReLU, lowest": min(f["relu"] for f in factors),
        "ReLU, highest": max(f["relu"] for f in factors),
    }


@claim(
    "01.deep-sigmoid",
    text="From a usual random start a deep network of sigmoid units does not learn.",
    source="Glorot and Bengio 2010, section 3.1",
    setting="6 hidden layers of 32 units, 8x8 digits, mean squared error, 600 steps at rate 0.2, 6 seeds",
    condition="test accuracy in every seed: sigmoid below 0.2, ReLU and a sigmoid network that starts as a tanh "
    "network above 0.6",
    holds=lambda n: n["sigmoid, highest"] < 0.2 and min(n["ReLU, lowest"], n["sigmoid as tanh, lowest"]) > 0.6,
    tolerance=0.15,
)
def deep_sigmoid():
    """Six seeds of three networks."""
    runs = {
        "sigmoid": [experiment.train_deep(seed=seed)["accuracy"] for seed in SEEDS],
        "ReLU": [experiment.train_deep("relu", seed=seed)["accuracy"] for seed in SEEDS],
        "sigmoid as tanh": [experiment.train_deep(start="recentred", seed=seed)["accuracy"] for seed in SEEDS],
    }
    return {
        "sigmoid, highest": max(runs["sigmoid"]),
        "ReLU, lowest": min(runs["ReLU"]),
        "sigmoid as tanh, lowest": min(runs["sigmoid as tanh"]),
    }
