"""Explorers and predictions of chapter 01."""

from __future__ import annotations

import numpy as np

from ..experiments import backpropagation as experiment
from ..interactive.sketch import Curve
from ..plotting import backpropagation as plot
from . import Choice, Handle, LogSlider, Slider, Time, explorer, predict

__all__ = [
    "ball",
    "difference",
    "gradients",
    "predict_back",
    "predict_cost",
    "predict_depth",
    "predict_eps",
    "predict_paths",
    "predict_xor",
    "walk",
]


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
    time=Time("step", over="step"),
    graph=Choice(*experiment.GRAPHS, default="one unit", label="graph"),
    step=Slider(0, experiment.WALK, default=0, step=1, label="step"),
)


def _ball_in_words(result):
    w = result["w"]
    fate = "It comes nearer with every step." if abs(w[-1]) < abs(w[0]) else "It moves away with every step."
    fate = "It jumps between two places for ever." if abs(w[-1]) == abs(w[0]) else fate
    sides = " Each step lands on the other side." if w[1] * w[0] < 0 else ""
    return (
        f"Rate {result['rate']:.3g}. The ball starts at {w[0]:g}; after one step it is at {w[1]:.3g}, after "
        f"{len(w) - 1} at {w[-1]:.3g}. {fate}{sides}".replace("-", "−")
    )


ball = explorer(
    experiment.ball,
    plot.ball,
    _ball_in_words,
    title="A ball on a loss",
    rate=Slider(0.05, 1.1, default=0.1, step=0.05, label="learning rate η"),
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
    handles=[Handle("step size", x="eps")],
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
    time=Time("layer", over="depth"),
    depth=Slider(2, 30, default=2, step=2, label="hidden layers"),
    start=Choice(*experiment.STARTS, label="sigmoid start"),
)


def _error_of_the_step():
    run = experiment.difference(1e-15)
    steps, error = run["steps"][::-1], run["error"][::-1]
    return Curve(
        steps,
        np.clip(error, 1e-14, 10),
        xlabel="step ε",
        ylabel="error of the derivative",
        ylim=(1e-14, 10),
        log=True,
        xlog=True,
        count=16,
    )


def _gradient_by_layer():
    length = experiment.gradients_by_layer(10)["sigmoid"]
    return Curve(
        np.arange(1, len(length) + 1),
        length,
        xlabel="layer",
        ylabel="length of the weights' gradient",
        ylim=(1e-7, 10),
        log=True,
        count=len(length),
    )


predict_xor = predict(
    "01-xor",
    question="A perceptron learns AND in five passes over the four examples, and OR in three. How many passes does it "
    "need for XOR, “one of the two, but not both”?",
    options={
        "About as many as for AND": (
            "AND and OR have a line between their ones and zeros. For XOR there is none, and the perceptron is a line."
        ),
        "More than there can ever be": (
            "No line has (0, 1) and (1, 0) on one side and (0, 0) and (1, 1) on the other, and a "
            "line is all that a perceptron can draw."
        ),
        "Some thousands of passes": (
            "More passes do not help. From the second pass on the weights go round in a circle."
        ),
    },
    answer="More than there can ever be",
)

predict_cost = predict(
    "01-cost",
    question="A network has a million weights. You want the gradient: for each weight, how the loss would change. "
    "Let running the network once cost 1. What does the whole gradient cost, by the best way there is?",
    options={
        "About three runs": (
            "One forward pass and one walk back. In a dense layer the forward pass is one matrix product, the "
            "way back is two of the same size, however many weights there are."
        ),
        "About a million runs": (
            "That is the price of trying: nudge a weight, run the network, compare; a million times. "
            "Backpropagation shares the work between the weights."
        ),
        "About as many runs as layers": (
            "Each layer is visited once on the way back, but a visit costs about two "
            "of that layer's own forward passes, not one of the whole network."
        ),
    },
    answer="About three runs",
)

predict_eps = predict(
    "01-eps",
    question="The slope is measured from two points, a step ε to the left and to the right, in ordinary double "
    "precision (16 digits). How large is its error? Draw it for steps from 1 down to 10 to the power of −15.",
    answer=_error_of_the_step,
    explanation="Two errors make a V. From the right the error falls with the square of the step: the curve bends less "
    "between nearer points. Then rounding takes over: the two losses become so equal that their difference has few "
    "correct digits left. The best step is about 0.00001.",
)

predict_depth = predict(
    "01-depth",
    question="Ten hidden layers of sigmoid units, fresh random weights of the usual size. Layer 11 is the output "
    "layer. Draw the length of the gradient of each layer's weights.",
    answer=_gradient_by_layer,
    explanation="A straight line on a logarithmic axis: on the way back each layer multiplies by the sigmoid's slope, "
    "at most ¼. Ten quarters are about a millionth.",
)

predict_back = predict(
    "01-back",
    question="Walk the graph of the one unit: w = 2, x = 3, b = −4, and the answer is 1. Forward u = w · x, then "
    "z = u + b, a = max(0, z), e = a − 1, L = e². Then back, from the loss. What is the gradient of L with respect "
    "to w?",
    answer=6,
    tolerance=0.001,
    explanation="u = 6, z = 2, a = 2, e = 1, L = 1. Back: 2e = 2 at e, 2 at a, 2 at z because ReLU is on, 2 at u, and "
    "2 · x = 6 at w.",
)

predict_paths = predict(
    "01-paths",
    question="In the last graph x = 2 goes into p = 4 · x and into q = −1 · x; then s = p + q, e = s − 5, L = e². "
    "What is the gradient of L with respect to x?",
    answer=6,
    tolerance=0.001,
    explanation="p = 8, q = −2, s = 6, e = 1, so 2 arrives at s, and at p and q. From p comes 2 · 4 = 8, from q "
    "2 · (−1) = −2. Together 6.",
)
