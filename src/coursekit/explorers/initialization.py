"""Explorers and predictions of chapter 05."""

from __future__ import annotations

import numpy as np

from ..experiments import initialization as experiment
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..plotting import initialization as plot
from . import Choice, LogSlider, Slider, Time, explorer, predict

__all__ = ["predict_gain", "predict_relu", "predict_std", "predict_zero", "residual", "signal", "training_curve"]


def _signal_in_words(result):
    std = result["std"]
    text = (
        f"Ten {result['activation']} layers, weights of std {result['weight_std']:.3g}. "
        f"The outputs of layer 1 have std {std[0]:.2g}, those of layer 10 {std[-1]:.2g}."
    )
    if result["activation"] == "relu":
        return f"{text} {result['zeros'][-1]:.0%} of layer 10's outputs are exactly zero."
    return f"{text} {result['saturated'][-1]:.0%} of layer 10's outputs are saturated."


# Sheet 05's rules, of weights 100 x 100 and with the standard deviation that they ask for.
DRAWN = [
    Slot(
        "std",
        question,
        (name,),
        beside=std,
        called=f"{whose} std, {std:.3g}",
        places=((vars(experiment), "normal", lambda draw: lambda rng, shape, std, *, dtype: draw(rng, shape)),),
        chance=True,
    )
    for question, name, whose, std in (
        ("05.1", "xavier_normal", "Xavier's", (2 / 200) ** 0.5),
        ("05.2", "he_normal", "He's", (2 / 100) ** 0.5),
    )
]

signal = explorer(
    experiment.signal,
    plot.signal,
    _signal_in_words,
    title="Ten fresh layers",
    yours=DRAWN,
    activation=Choice("tanh", "relu", "sigmoid", label="activation"),
    std=LogSlider(0.01, 1.0, default=0.01, steps=17, label="std of the weights"),
)


def _curve_in_words(result):
    loss, std = result["loss"], result["std"]
    steps = int(np.isfinite(loss).sum())
    end = f"The loss after {steps} steps is {loss[max(0, steps - 20) : steps].mean():.2f}"
    if steps < len(loss):
        end = f"Training diverges after {steps} steps"
    return (
        f"{result['depth']} hidden {result['activation']} layers, gain {result['gain']:.3g}. {end}; ln 10 is 2.30. "
        f"Before training the outputs of the first hidden layer have std {std[0]:.2g}, of the last {std[-1]:.2g}."
    )


def _started(draw):
    return lambda gain: lambda rng, shape, *, dtype: np.asarray(draw(rng, shape), dtype)


STARTED = Slot(
    "gain",
    "05.2",
    ("he_normal",),
    beside=2**0.5,
    called="He's gain, 1.41",
    places=((vars(experiment), "by_fan_in", _started),),
    chance=True,
)

training_curve = explorer(
    experiment.training_curve,
    plot.training_curve,
    _curve_in_words,
    title="Gain, depth and the training curve",
    time=Time("step"),
    yours=[STARTED],
    gain=LogSlider(0.5, 4.0, default=1.0, steps=7, label="gain"),
    depth=Slider(2, 20, default=2, step=6, label="hidden layers"),
    activation=Choice("relu", "tanh", label="activation"),
)


def _std_by_layer():
    std = experiment.signal(std=0.01, activation="tanh", depth=10, width=100)["std"]
    return Curve(
        np.arange(11), np.r_[1, std], xlabel="layer", ylabel="std of the outputs", ylim=(1e-11, 10), log=True, count=11
    )


def _relu_by_layer():
    std = experiment.signal(std=0.1, activation="relu", depth=32, width=100)["std"]
    return Curve(np.arange(33), np.r_[1, std], xlabel="layer", ylabel="std of the outputs", ylim=(1e-7, 10), log=True)


def _residual_in_words(result):
    loss, std = result["loss"], result["std"]
    steps = int(np.isfinite(loss).sum())
    end = f"The loss after {steps} steps is {loss[max(0, steps - 20) : steps].mean():.2f}; ln 10 is 2.30."
    if steps < len(loss):
        end = f"Training diverges after {steps} step{'s' * (steps != 1)}."
    return (
        f"{result['depth']} residual blocks, start of the last layer in each: {result['branch']}. Before training the "
        f"signal has std {std[0]:.2g} before the first block and {std[-1]:.2g} after the last. {end}"
    )


residual = explorer(
    experiment.residual,
    plot.residual,
    _residual_in_words,
    title="Blocks that add",
    time=Time("step"),
    depth=Choice(2, 4, 8, 16, 32, default=8, label="residual blocks"),
    branch=Choice(*experiment.BRANCHES, label="last layer of a block"),
)


predict_zero = predict(
    "05-zero",
    question="A net 64-8-10 (tanh) starts with all weights zero. How does its first-layer weight gradient look?",
    options={
        "Exactly zero, all of it": (
            "The backward pass multiplies by the second layer's weights. They are zero, so nothing comes through."
        ),
        "Random, as the digits are": (
            "The digits differ, but the first layer's gradient also has to come back "
            "through the second layer's weights, and those are zero."
        ),
        "Very large, all of it": (
            "Nothing is divided by the weights. The backward pass multiplies by them, and they are zero."
        ),
    },
    answer="Exactly zero, all of it",
)

predict_std = predict(
    "05-std",
    question="Ten tanh layers of 100 units, weights of std 0.01; layer 0, the inputs, has std 1. Draw the std of each "
    "layer's outputs.",
    answer=_std_by_layer,
    explanation="An output sums 100 products with weights of std 0.01, so its std is about 0.01 times the root of "
    "100, a tenth of the input's. Ten layers make ten powers of ten.",
)

predict_gain = predict(
    "05-gain",
    question="A ReLU net with 20 hidden layers is to learn 8x8 digits. Gain 1 is Xavier's, 1.41 is He's. "
    "What happens at gain 1 in the first 150 steps?",
    options={
        "It hardly moves from the first step on": (
            "The second moment of the signal halves 20 times, so the scores are almost the same for "
            "every image, and almost no gradient reaches the first layers."
        ),
        "It trains as well as with 1.41": (
            "With few layers that is nearly so; try depth 2. With 20 layers the factor of 2 is missing 20 times."
        ),
        "It explodes in a few steps": ("Exploding needs too large a gain. For ReLU, gain 1 is too small."),
    },
    answer="It hardly moves from the first step on",
)


predict_relu = predict(
    "05-relu",
    question="Xavier's start (std 0.1) in a net of 32 ReLU layers of 100 units; layer 0, the inputs, has std 1. "
    "Draw the std of each layer's outputs.",
    answer=_relu_by_layer,
    explanation="A straight line on a logarithmic axis: each layer multiplies by the same factor, and it is below 1.",
)
