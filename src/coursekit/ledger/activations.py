"""Claims of chapter 03."""

import functools

import numpy as np

from ..experiments import activations as experiment
from . import claim

SEEDS = range(5)


@functools.cache
def _sigmoid_runs(depth):
    """Glorot and Bengio's start, uniform on +-1/sqrt(n), has variance 1/(3 n): a gain of 3^-1/2."""
    return [
        experiment.layers_while_training("sigmoid", depth, 100, 0.5, 3**-0.5, 4000, 10, seed=seed, images=10000)
        for seed in SEEDS
    ]


def _end(run, last=200):
    return run["loss"][-last:].mean()


@claim(
    "03.top-layer",
    text="In a deep sigmoid network the last hidden layer goes flat at 0 first; the layers below it lie above 1/2, the "
    "higher the more.",
    source="Glorot and Bengio 2010, section 3.1 and figure 2",
    setting="4 hidden layers of 100 units, 10,000 MNIST images, SGD 0.5, batches of 10, 5 seeds, about 1,000 steps",
    condition="in all 5 seeds: mean output of layer 4 below 0.05, of layer 3 above 0.65, layers 1 < 2 < 3; more than "
    "90 % of layer 4 flat, less than 1 % of each other layer",
    holds=lambda n: (
        n["layer 4, highest mean"] < 0.05
        and n["layer 3, lowest mean"] > 0.65
        and n["ordered, seeds"] == 5
        and n["layer 4 flat, lowest"] > 0.9
        and n["other layers flat, highest"] < 0.01
    ),
    tolerance=0.1,
)
def top_layer():
    """Means and flat shares a quarter of the way through."""
    runs = _sigmoid_runs(4)
    k = int(np.searchsorted(runs[0]["step"], 1000))
    mean = np.array([run["mean"][k] for run in runs])
    flat = np.array([run["saturated"][k] for run in runs])
    return {
        "layer 4, highest mean": mean[:, 3].max(),
        "layer 3, lowest mean": mean[:, 2].min(),
        "ordered, seeds": int(((mean[:, 0] < mean[:, 1]) & (mean[:, 1] < mean[:, 2])).sum()),
        "layer 4 flat, lowest": flat[:, 3].min(),
        "other layers flat, highest": flat[:, :3].max(),
    }


@claim(
    "03.escape",
    text="A sigmoid network with four hidden layers can escape from the flat state, one with five does not; when the "
    "last layer comes out of it, the first goes in.",
    source="Glorot and Bengio 2010, section 3.1",
    setting="as above, 4,000 steps, with 4 and with 5 hidden layers, 5 seeds each",
    condition="mean loss of the last 200 steps in all seeds: below 2.0 with 4 layers, above 2.28 with 5; flat share of "
    "the first of the 4 layers above 0.2 at the end in all seeds (it was below 0.01)",
    holds=lambda n: (
        n["4 layers, highest loss"] < 2.0
        and n["5 layers, lowest loss"] > 2.28
        and n["first of 4 flat at the end, lowest"] > 0.2
    ),
    # When a run escapes depends on rounding as well.
    tolerance=0.25,
)
def escape():
    """Losses at the end, and the first layer's flat share."""
    four, five = _sigmoid_runs(4), _sigmoid_runs(5)
    return {
        "4 layers, highest loss": max(map(_end, four)),
        "5 layers, lowest loss": min(map(_end, five)),
        "first of 4 flat at the end, lowest": min(run["saturated"][-1, 0] for run in four),
    }


@claim(
    "03.one-sign",
    text="Where all inputs of a unit are positive, one example gives the gradient of all its weights the same sign.",
    source="LeCun et al. 1998, section 4.3",
    setting="second hidden layer of a fresh net 64-100-100-10, 8x8 digits, 20 batches",
    condition="share of the majority's sign: exactly 1 for sigmoid and ReLU with one example, below 0.6 for tanh; with "
    "64 examples still above 0.75 for sigmoid and for ReLU",
    holds=lambda n: (
        n["sigmoid, 1"] == n["relu, 1"] == 1 and n["tanh, 1"] < 0.6 and min(n["sigmoid, 64"], n["relu, 64"]) > 0.75
    ),
)
def one_sign():
    """Shares for one example and for 64."""
    table = experiment.sign_agreement(("sigmoid", "relu", "tanh"), (1, 64))
    return {f"{name}, {size}": share for name, row in table.items() for size, share in row.items()}


@claim(
    "03.centred",
    text="Outputs that are centred on zero train faster: the sigmoid minus 1/2 trains where the sigmoid does not.",
    source="LeCun et al. 1998, sections 4.3 and 4.4",
    setting="10 hidden layers of 32 units, weights of variance 16/fan-in, 8x8 digits, SGD 0.5, 400 steps, 5 seeds",
    condition="mean loss of the last 20 steps in all seeds: sigmoid above 1.0, sigmoid minus 1/2 below 0.3",
    holds=lambda n: n["sigmoid, lowest"] > 1.0 and n["sigmoid - 1/2, highest"] < 0.3,
    tolerance=0.3,
)
def centred():
    """Losses at the end."""
    runs = experiment.centring(seeds=5)
    return {
        "sigmoid, lowest": min(_end(run, 20) for run in runs["sigmoid"]),
        "sigmoid - 1/2, highest": max(_end(run, 20) for run in runs["sigmoid - 1/2"]),
    }


@claim(
    "03.half-off",
    text="In a fresh ReLU network about half of the hidden outputs are zero.",
    source="Glorot, Bordes and Bengio 2011",
    setting="5 hidden layers of 100 units before training, 8x8 digits, 5 seeds",
    condition="mean share of zeros in each layer within 0.05 of 1/2 (mean over seeds)",
    holds=lambda n: all(abs(share - 0.5) < 0.05 for share in n.values()),
)
def half_off():
    """Share of zeros by layer before the first step."""
    runs = [experiment.layers_while_training("relu", 5, 100, steps=1, moments=2, seed=seed) for seed in SEEDS]
    share = np.mean([run["saturated"][0] for run in runs], axis=0)
    return {f"layer {k}": value for k, value in enumerate(share, 1)}


@claim(
    "03.dead",
    text="ReLU units die when the learning rate is too large: hardly any at a moderate rate, about a tenth at the top "
    "of the range that still trains, most of them above it.",
    source="Maas et al. 2013 name the trouble, units that are never active; the shares are ours",
    setting="64-100-100-10, 8x8 digits, He's start, SGD, 400 steps, 10 seeds",
    condition="mean dead share of both hidden layers: below 0.02 at rate 0.1, 0.05 to 0.15 at 0.7, above 0.4 at 1.0; "
    "mean test accuracy at 0.7 within 5 points of that at 0.1, at 1.0 at least 20 points lower",
    holds=lambda n: (
        n["dead at 0.1"] < 0.02
        and 0.05 < n["dead at 0.7"] < 0.15
        and n["dead at 1"] > 0.4
        and n["test at 0.7"] > n["test at 0.1"] - 0.05
        and n["test at 1"] < n["test at 0.1"] - 0.2
    ),
    tolerance=0.4,
)
def dead():
    """Mean shares and accuracies over the seeds."""
    table = experiment.dead_by_rate((0.1, 0.7, 1.0), seeds=10)
    shares = {f"dead at {rate:g}": row["dead"].mean() for rate, row in table.items()}
    return shares | {f"test at {rate:g}": row["test_accuracy"].mean() for rate, row in table.items()}


@claim(
    "03.rescue",
    text="After a burst at too large a rate a ReLU network does not recover at a small one; with leaky ReLU in its "
    "place the same weights recover further, with ELU furthest, although as many units of the first layer stay silent.",
    source="the reason that Maas et al. 2013 give for leaky ReLU; the experiment is ours",
    setting="64-32-32-10, 8x8 digits, 10 steps of SGD 1.38, then 300 of 0.05, 10 seeds",
    condition="mean test accuracy: leaky ReLU more than 5 points above ReLU, ELU more than 5 above leaky ReLU; mean "
    "silent share of the first layer at the end above 0.35 with each",
    holds=lambda n: (
        n["test, relu"] + 0.05 < n["test, leaky relu"] < n["test, elu"] - 0.05
        and min(n[f"silent, {name}"] for name in ("relu", "leaky relu", "elu")) > 0.35
    ),
    tolerance=0.3,
)
def rescue():
    """Means over the seeds."""
    numbers = {}
    for name in ("relu", "leaky relu", "elu"):
        runs = [experiment.burst(1.38, name, seed=seed) for seed in range(10)]
        numbers[f"test, {name}"] = np.mean([run["test_accuracy"] for run in runs])
        numbers[f"silent, {name}"] = np.mean([run["silent"][-1, 0] for run in runs])
    return numbers


@claim(
    "03.he-start",
    text="A start three times as large as He's lets units die at rates that do no harm from He's start.",
    source="Lu et al. 2020 study how the start decides about dead units; this experiment is ours",
    setting="64-100-100-10, 8x8 digits, SGD 0.4, 400 steps, 5 seeds",
    condition="mean dead share of both hidden layers: below 0.03 from He's start, above 0.4 from three times that",
    holds=lambda n: n["He"] < 0.03 and n["3 x He"] > 0.4,
    tolerance=0.3,
)
def he_start():
    """Mean dead shares."""
    return {
        start: experiment.dead_by_rate((0.4,), seeds=5, start=start)[0.4]["dead"].mean() for start in experiment.STARTS
    }


@claim(
    "03.slope",
    text="The slope of leaky ReLU hardly matters, as long as it is not near 1.",
    source="Maas et al. 2013 find leaky and plain ReLU nearly alike",
    setting="2-50-50-3 on three spirals, SGD 0.5, 500 steps, 2 seeds",
    condition="mean test accuracy of the slopes 0, 0.01, 0.03, 0.1 and 0.3 within 3 points of each other; slope 1, a "
    "linear network, below 0.55",
    holds=lambda n: max(list(n.values())[:-1]) - min(list(n.values())[:-1]) < 0.03 and n["1"] < 0.55,
)
def slope():
    """Mean test accuracy by slope."""
    result = experiment.leaky_slopes()
    return {f"{s:g}": a for s, a in zip(result["slopes"], result["test_accuracy"].mean(axis=1), strict=True)}


@claim(
    "03.all-eight",
    text="Five hidden layers: the sigmoid network guesses, all others learn, and the rectifiers differ little.",
    source="Glorot and Bengio 2010 for sigmoid and tanh; Maas et al. 2013 for leaky and plain ReLU",
    setting="5 layers of 100 units, 10,000 MNIST images, SGD 0.05, 3 epochs, 3 seeds",
    condition="mean test accuracy: sigmoid below 0.15, all others above 0.88; ReLU, leaky ReLU, ELU, GELU and SiLU "
    "within 2 points of each other",
    holds=lambda n: (
        n["sigmoid"] < 0.15
        and min(accuracy for name, accuracy in n.items() if name != "sigmoid") > 0.88
        and np.ptp([n[name] for name in ("relu", "leaky relu", "elu", "gelu", "silu")]) < 0.02
    ),
)
def all_eight():
    """Mean test accuracy by activation."""
    names = [name for name in experiment.LAYERS if name != "sigmoid - 1/2"]
    return {
        name: np.mean([experiment.deep_on_mnist(name, lr=0.05, seed=seed)["test_accuracy"] for seed in range(3)])
        for name in names
    }
