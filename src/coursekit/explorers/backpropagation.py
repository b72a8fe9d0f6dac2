"""Explorers and predictions of chapter 01."""

from __future__ import annotations

from ..experiments import backpropagation as experiment
from ..plotting import backpropagation as plot
from . import Choice, LogSlider, Slider, explorer, predict

__all__ = ["difference", "gradients", "predict_cost", "predict_depth", "predict_eps", "predict_xor", "walk"]


def _walk_in_words(result):
    values, gradients = (
        ", ".join(f"{name} {value:g}".replace("-", "−") for name, value in result[kind].items())
        for kind in ("values", "grads")
    )
    so_far = f"Values: {values}." + (f" Gradients: {gradients}." if gradients else "")
    return f"{result['graph'].capitalize()}, step {result['step']} of {experiment.WALK}. {result['text']} {so_far}"


walk = explorer(
    experiment.walk,
    plot.graph,
    _walk_in_words,
    title="A graph, forward and back",
    graph=Choice(*experiment.GRAPHS, label="graph"),
    step=Slider(0, experiment.WALK, default=0, step=1, label="step"),
)


def _difference_in_words(result):
    steps, error = result["steps"], result["error"]
    best = error.argmin()
    return (
        f"{result['formula'].capitalize()} difference in {result['arithmetic']}, step {steps[-1]:.3g}: the gradient of "
        f"the first weight is {result['exact']:.6g}, measured {result['measured']:.6g}. Over all 17 parameters the "
        f"relative error is {error[-1]:.1e}. The best step down to here was {steps[best]:.1g}, error {error[best]:.1e}."
    )


difference = explorer(
    experiment.difference,
    plot.difference,
    _difference_in_words,
    title="How small a step?",
    eps=LogSlider(1e-15, 1.0, default=0.01, steps=16, label="step size ε"),
    arithmetic=Choice(*experiment.ARITHMETIC, label="arithmetic"),
    formula=Choice("central", "one-sided", label="difference"),
)


def _gradients_in_words(result):
    first, last = result["sigmoid"][[0, -1]]
    text = (
        f"{result['depth']} hidden layers, {result['start']} sigmoid start. Sigmoid: the gradient has length "
        f"{last:.2g} in the last layer and {first:.2g} in the first. ReLU: {result['relu'][-1]:.2g} and "
        f"{result['relu'][0]:.2g}."
    )
    if result["depth"] < 4:
        return text
    factor = result["factor"]
    return f"{text} One hidden layer multiplies it by {factor['sigmoid']:.2f}, and by {factor['relu']:.2f} with ReLU."


gradients = explorer(
    experiment.gradients_by_layer,
    plot.gradients,
    _gradients_in_words,
    title="Gradients on their way back",
    depth=Slider(2, 30, default=2, step=2, label="hidden layers"),
    start=Choice(*experiment.STARTS, label="sigmoid start"),
)


predict_xor = predict(
    "01-xor",
    question="A perceptron learns AND in five passes over the four examples, and OR in three. How many passes does it "
    "need for XOR, “one of the two, but not both”?",
    options={
        "About as many": "AND and OR have a line between their ones and zeros. For XOR there is none, and the "
        "perceptron is a line.",
        "Some thousands": "More passes do not help. From the fourth pass on its weights go round in a circle.",
        "It never learns it": "No line has (0, 1) and (1, 0) on one side and (0, 0) and (1, 1) on the other, and a "
        "line is all that a perceptron can draw.",
    },
    answer="It never learns it",
)

predict_cost = predict(
    "01-cost",
    question="A network has a million weights. You want the gradient: for each weight, how the loss would change. "
    "Let running the network once cost 1. What does the whole gradient cost, by the best way there is?",
    options={
        "About 1,000,000": "That is the price of trying: nudge a weight, run the network, compare; a million times. "
        "Backpropagation shares the work between the weights.",
        "About as much as there are layers": "Each layer is visited once on the way back, but a visit costs about two "
        "of that layer's own forward passes, not one of the whole network.",
        "About 3": "One forward pass and one walk back. In a dense layer the forward pass is one matrix product, the "
        "way back is two of the same size, however many weights there are.",
    },
    answer="About 3",
)

predict_eps = predict(
    "01-eps",
    question="The slope is measured from two points, a distance ε to the left and to the right, in ordinary double "
    "precision (16 digits). Which ε gives the smallest error?",
    options={
        "0.1": "Between points that far apart the curve bends. The error falls with the square of ε, so there is much "
        "to gain.",
        "About 0.00001": "Smaller steps follow the curve better, until rounding takes over: the two losses become so "
        "equal that their difference has few correct digits left.",
        "The smaller the better, about 0.000000000000001": "So it would be with exact numbers. With 16 digits the two "
        "losses agree in almost all of them, and the difference is mostly rounding.",
    },
    answer="About 0.00001",
)

predict_depth = predict(
    "01-depth",
    question="Ten hidden layers of sigmoid units, fresh random weights of the usual size. Compared with the last "
    "layer's, how large is the gradient of the first layer's weights?",
    options={
        "About the same": "With ReLU it would be. Each sigmoid layer multiplies what comes back by its slope, and that "
        "is at most ¼.",
        "About a tenth": "Layers do not add, they multiply: a quarter of a quarter of a quarter.",
        "About a millionth": "Each layer leaves at most about a quarter, and ¼ to the power of 10 is 1 / 1,048,576.",
    },
    answer="About a millionth",
)
