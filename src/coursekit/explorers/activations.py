"""Explorers and predictions of chapter 03."""

from __future__ import annotations

import numpy as np

from ..experiments import activations as experiment
from ..interactive.closer import Closer
from ..interactive.playing import Training
from ..interactive.points import Points
from ..interactive.slots import Slot
from ..layers import ReLU
from ..plotting import activations as plot
from . import Choice, LogSlider, Seed, Slider, Time, explorer, predict

__all__ = [
    "burst",
    "divide",
    "fold",
    "layers",
    "maxout",
    "predict_burst",
    "predict_centre",
    "predict_rate",
    "predict_top",
    "regions",
    "zigzag",
]


def _last(loss, window=20):
    """The loss at the end in words."""
    steps = int(np.isfinite(loss).sum())
    if steps < len(loss):
        return f"Training diverges after {steps} steps."
    return f"The loss ends at {loss[-window:].mean():.2f}; ln 10 is 2.30."


def _layer(forward, backward):
    """A kind of layer made of two functions of sheet 03."""
    return type("Written", (ReLU,), {"_forward": staticmethod(forward), "_backward": staticmethod(backward)})


YOURS = [
    Slot(
        "activation",
        question,
        (f"{name}_forward", f"{name}_backward"),
        ((experiment.LAYERS, _layer), (experiment.GAINS, lambda *_, gain=experiment.GAINS[name]: gain)),
        beside=name,
    )
    for question, name in (("03.1", "relu"), ("03.2", "elu"))
]


def _layers_in_words(result):
    name, saturated, mean = result["activation"], result["saturated"][-1], result["mean"][-1]
    lanes = "; ".join(
        f"layer {k} has mean {m:.2f}, {s:.0%} {'flat' if name in experiment.LIMITS else 'off'}"
        for k, (m, s) in enumerate(zip(mean, saturated, strict=True), 1)
    )
    return f"{result['depth']} hidden {name} layers after {result['step'][-1]} steps: {lanes}. {_last(result['loss'])}"


layers = explorer(
    experiment.layers_while_training,
    plot.layers,
    _layers_in_words,
    title="Outputs of every layer while the network learns",
    time=Time("step"),
    yours=YOURS,
    activation=Choice("sigmoid", "sigmoid - 1/2", "tanh", "relu", label="activation"),
    depth=Slider(1, 5, default=5, step=1, label="hidden layers"),
)


def _zigzag_in_words(result):
    end = result["distance"][-1]
    told = f"the weights are {end:.2g} from the answer" if end < 100 else "the weights have run away"
    return (
        f"Inputs from {0.0 - result['offset']:.2g} to {1 - result['offset']:.2g}, learning rate {result['lr']:.3g}. "
        f"{result['same']:.0%} of the steps move both weights in the same direction. After {len(result['path']) - 1} "
        f"steps {told}; they began 2.8 away."
    )


zigzag = explorer(
    experiment.zigzag,
    plot.zigzag,
    _zigzag_in_words,
    title="Two weights, one example a step",
    time=Time("step", paths=(0,)),
    offset=Slider(0.0, 0.5, default=0.0, step=0.1, label="subtracted from the inputs"),
    lr=LogSlider(0.5, 8.0, default=1.0, steps=9, label="learning rate"),
)


def _burst_in_words(result):
    first, second = result["silent"][-1]
    return (
        f"{result['length']} steps at rate {result['lr']:.3g} with relu, then rate {result['calm']:g} with "
        f"{result['then']}. At the end {first:.0%} of the first hidden layer's units and {second:.0%} of the second's "
        f"are switched on by no training example. {_last(result['loss'])} "
        f"On the test set {result['test_accuracy']:.0%} are right."
    )


burst = explorer(
    experiment.burst,
    plot.burst,
    _burst_in_words,
    title="Ten steps at too large a rate",
    time=Time("step"),
    lr=LogSlider(0.1, 2.0, default=1.38, steps=9, label="rate of the first ten steps"),
    then=Choice("relu", "leaky relu", "elu", label="afterwards"),
)


def _fold_in_words(result):
    on, gradient = int(result["on"].sum()), result["gradient"]
    learns = f"Its gradient has length {gradient:.2g}." if gradient else "Its gradient is exactly zero: it is dead."
    return f"A ReLU unit with bias {result['bias']:.3g}. It is on for {on} of {len(result['on'])} examples. {learns}"


fold = explorer(
    experiment.fold,
    plot.fold,
    _fold_in_words,
    title="A fold that leaves the data",
    bias=Slider(-4.0, 2.0, default=0.0, step=0.25, label="bias"),
)


def _regions_in_words(result):
    total = result["units"] * result["depth"]
    return (
        f"{result['depth']} hidden layer{'s' * (result['depth'] > 1)} of {result['units']} ReLU units, {total} in all. "
        f"The square shows {result['pieces']} pieces, and the dashed line {len(result['corners'])} corners. "
        f"One layer of {total} units makes at most {result['most']} pieces of the whole plane."
    )


regions = explorer(
    experiment.regions,
    plot.regions,
    _regions_in_words,
    title="The pieces of a ReLU network",
    units=Slider(1, 8, default=3, step=1, label="units a layer"),
    depth=Slider(1, 3, default=1, step=1, label="hidden layers"),
    seed=Seed(3),
)


def _maxout_in_words(result):
    return (
        f"A maxout unit of {result['pieces']} piece{'s' * (result['pieces'] > 1)} has learnt the target "
        f"{result['target']} on -1 to 1; it is off by {result['error']:.2g} at most."
    )


maxout = explorer(
    experiment.fit_maxout,
    plot.maxout,
    _maxout_in_words,
    title="A maxout unit learns its own shape",
    target=Choice(*experiment.TARGETS, label="target"),
    pieces=Slider(1, 5, default=2, step=1, label="pieces"),
    seed=Seed(3),
)


def _divide_in_words(result):
    steps, loss = result["steps"], result["loss"]
    if steps and not np.isfinite(loss[-1]):
        return f"Training diverges after {int(np.isfinite(loss).sum())} steps; a smaller rate does not mend it now."
    now = f" The loss is {loss[-1]:.2f}." if steps else ""
    units = f"{result['units']} hidden {result['activation']} unit{'s' * (result['units'] > 1)}"
    return (
        f"{units} after {steps} steps: {result['accuracy']:.0%} of {len(result['x'])} points are on their side.{now} "
        "A dashed line is where a unit gives 0."
    )


divide = explorer(
    experiment.divide,
    plot.divide,
    _divide_in_words,
    title="A network divides the plane",
    time=Time(
        "step",
        over="steps",
        training=Training(experiment.train_on, settings=("rate", "added")),
    ),
    handles=[Closer("unit", axes=1, grid=plot.UNITS, gap=3, count="units")],
    activation=Choice("tanh", "relu", label="activation"),
    units=Slider(1, 6, default=3, step=1, label="hidden units"),
    rate=LogSlider(0.03, 3.0, default=0.3, steps=5, label="learning rate"),
    steps=Choice(0, 20, 100, 400, default=100, label="steps"),
    added=Points("blue", "orange", low=(-experiment.RINGS,) * 2, high=(experiment.RINGS,) * 2),
)


predict_top = predict(
    "03-top",
    question="A network with five hidden sigmoid layers starts to learn. In which hidden layer do the outputs leave "
    "the middle of the range first and go flat?",
    options={
        "The first, next to the input": (
            "Hardly any gradient reaches the first layer, so it hardly changes at "
            "all. The gradient is largest at the top."
        ),
        "The last, next to the loss": (
            "In the first steps its outputs are noise to the layer above, "
            "which learns fastest by turning them down. For a sigmoid, down is where it is flat."
        ),
        "All five at the same pace": (
            "The gradient shrinks on its way back, so the layers do not change at the same pace."
        ),
        "None, as the weights are small": (
            "They do start well inside the range. It is training that moves them out of it."
        ),
    },
    answer="The last, next to the loss",
)

predict_rate = predict(
    "03-rate",
    question="The same two weights learn once from inputs between 0 and 1 and once from the same inputs minus a half, "
    "both with learning rate 1. Which is closer to the answer after 30 steps?",
    options={
        "The one with centred inputs": (
            "That is what the zig-zag suggests. At the same rate the steps sideways cancel, "
            "and the progress along the valley is about the same."
        ),
        "The one with positive inputs": ("Its inputs are larger, but mostly in a direction that does not help."),
        "Neither: they are about equal": (
            "The steps sideways cancel, and the progress along the valley is about the same. The price "
            "of the zig-zag is another one: try larger rates."
        ),
    },
    answer="Neither: they are about equal",
)

predict_centre = predict(
    "03-centre",
    question="Ten hidden layers. One network uses the sigmoid, the other the sigmoid minus 1/2: the same slope at "
    "every point, and any bias could make up for the difference. How do they train from the same weights?",
    options={
        "Alike: a constant is a matter for biases": (
            "The biases could make up for it, but they start at zero and "
            "have to be learnt, while every layer adds to the disturbance."
        ),
        "The centred one learns far sooner than the other": (
            "In the plain one a mean of about 1/2 goes into every sum of the "
            "next layer, for all examples alike, and what differs between examples drowns in it."
        ),
        "The two fail alike: their slopes are too small": (
            "With weights of gain 1 that would be so. Here the gain is 4, which makes up for a slope of 1/4."
        ),
    },
    answer="The centred one learns far sooner than the other",
)

predict_burst = predict(
    "03-burst",
    question="A ReLU network takes ten steps at far too large a rate, and many units fall silent for every training "
    "example. Then the rate is made small. What becomes of the silent units of the first layer?",
    options={
        "They stay silent for good": (
            "Their gradient is exactly zero, and their inputs, the images, never change. Units of "
            "the second layer are luckier: their inputs move when the first layer learns."
        ),
        "They wake up within a few steps": (
            "A unit that is off for every example has a gradient of exactly zero. No rate, large or small, moves it."
        ),
        "They wake up, though very slowly": (
            "Zero times a small number of steps is zero, and so is zero times a large number."
        ),
    },
    answer="They stay silent for good",
)
