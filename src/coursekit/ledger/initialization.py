"""Claims of chapter 05."""

import numpy as np

from ..experiments import initialization as experiment
from . import claim

SEEDS = range(6)
LN10 = np.log(10)


def _last(result):
    return result["loss"][-20:].mean()


@claim(
    "05.deep-relu",
    text="A ReLU net of 30 weight layers does not move from Xavier's start; from He's start it trains.",
    source="He et al. 2015, section 2.2 and figure 3",
    setting="30 dense layers of 100 units on 5,000 MNIST images, SGD 0.03, 5 epochs, 6 seeds",
    condition="mean loss of the last 20 steps: Xavier within 0.02 of ln 10 = 2.3026, He below 1.6, in all 6 seeds",
    holds=lambda n: LN10 - 0.02 < n["Xavier, lowest"] <= n["Xavier, highest"] < LN10 + 0.02 and n["He, highest"] < 1.6,
    # The start decides how far training gets in 250 steps, and rounding grows over 30 layers.
    tolerance=0.15,
)
def deep_relu():
    """Six seeds of both starts."""
    runs = [experiment.deep_relu(seed=seed) for seed in SEEDS]
    xavier, he = ([_last(r[scheme]) for r in runs] for scheme in ("Xavier", "He"))
    return {
        "Xavier, lowest": min(xavier),
        "Xavier, highest": max(xavier),
        "He, lowest": min(he),
        "He, highest": max(he),
    }


@claim(
    "05.variance",
    text="Each layer multiplies the variance of the gradients by about 1/3 under the old standard start, by about 1 "
    "under Xavier's.",
    source="Glorot and Bengio 2010, section 4.2.1, equations 10 to 16",
    setting="linear layers of 100 units, 40 draws of each, 200 examples",
    condition="standard within 0.02 of 1/3, Xavier within 0.03 of 1, forward and backward",
    holds=lambda n: (
        all(abs(n[f"standard, {way}"] - 1 / 3) < 0.02 for way in ("forward", "backward"))
        and all(abs(n[f"Xavier, {way}"] - 1) < 0.03 for way in ("forward", "backward"))
    ),
)
def variance():
    """Variance factors of the two starts."""
    table = experiment.variance_factors(sizes=(100, 100, 100, 100))
    return {f"{name}, {way}": table[name][way] for name in ("standard", "Xavier") for way in ("forward", "backward")}


@claim(
    "05.relu-signal",
    text="ReLU halves the second moment of the signal in every layer, and the 2 in He's variance makes up for it.",
    source="He et al. 2015, equations 7 to 10",
    setting="10 ReLU layers of 500 units, normal inputs, 6 seeds",
    condition="second moment of layer 10 over that of layer 1: Xavier within a factor 2 of 2^-9 = 0.00195, He within "
    "a factor 2 of 1 (mean over seeds)",
    holds=lambda n: 0.5 < n["Xavier"] * 2**9 < 2 and 0.5 < n["He"] < 2,
)
def relu_signal():
    """Mean ratio of second moments over the seeds."""

    def ratio(std, seed):
        width = 500
        result = experiment.signal(std, "relu", 10, width, 200, seed)
        # Outputs of ReLU layers are positive: the second moment is E[x^2] = std^2 + mean^2.
        return result["second_moment"][-1] / result["second_moment"][0]

    return {
        "Xavier": np.mean([ratio(np.sqrt(1 / 500), s) for s in SEEDS]),
        "He": np.mean([ratio(np.sqrt(2 / 500), s) for s in SEEDS]),
    }


@claim(
    "05.symmetry",
    text="Hidden units that start equal stay equal; zero weights do not move at all.",
    source="Goodfellow, Bengio and Courville 2016, section 8.4",
    setting="64-8-10 tanh net on 8x8 digits, 200 steps of SGD 0.5",
    condition="distinct hidden units: 1 from zeros, 1 from equal, 8 from random",
    holds=lambda n: (n["zeros"], n["equal"], n["random"]) == (1, 1, 8),
    tolerance=0.0,
)
def symmetry():
    """Distinct hidden units after training."""
    return {start: experiment.symmetry(start)["distinct"] for start in ("zeros", "equal", "random")}


@claim(
    "05.mnist",
    text="Five layers of 100 ReLU units on MNIST: weights of std 0.01 do not learn, Xavier and He do, He sooner.",
    source="Glorot and Bengio 2010; He et al. 2015; the comparison is that of Saitoh 2016, section 6.2",
    setting="10,000 images, 5 hidden layers, SGD 0.05, 3 epochs, 6 seeds",
    condition="mean of the first 100 losses in every seed: He < Xavier < std 0.01; std 0.01 within 0.05 of ln 10 at "
    "the end; Xavier and He above 85 % on the test set",
    holds=lambda n: (
        n["He before Xavier, seeds"] == 6
        and abs(n["std 0.01, last loss"] - LN10) < 0.05
        and min(n["Xavier, test accuracy"], n["He, test accuracy"]) > 0.85
    ),
)
def mnist():
    """Six seeds of the three starts."""
    runs = [experiment.compare_on_mnist(seed=seed) for seed in SEEDS]
    first = [{scheme: r[scheme]["loss"][:100].mean() for scheme in r} for r in runs]
    return {
        "He before Xavier, seeds": sum(f["He"] < f["Xavier"] < f["std 0.01"] for f in first),
        "std 0.01, last loss": np.mean([_last(r["std 0.01"]) for r in runs]),
        "Xavier, test accuracy": min(r["Xavier"]["test_accuracy"] for r in runs),
        "He, test accuracy": min(r["He"]["test_accuracy"] for r in runs),
    }
