"""Explorers and predictions of chapter 02."""

from __future__ import annotations

import math

import numpy as np

from ..experiments import losses as experiment
from ..interactive.sketch import Curve
from ..plotting import losses as plot
from . import Choice, Handle, LogSlider, Slider, Time, explorer, predict

__all__ = [
    "far_point",
    "likelihood",
    "outlier",
    "overflow",
    "predict_far",
    "predict_limit",
    "predict_outlier",
    "predict_pull",
    "predict_stall",
    "softmax_scores",
    "stall",
]


def _stall_in_words(result):
    ends = {name: 100 * accuracy[-1] for name, accuracy in result["accuracy"].items()}
    told = ", ".join(f"{name} {end.min():.0f} to {end.max():.0f} %" for name, end in ends.items())
    first = 100 * next(iter(result["accuracy"].values()))[0]
    pull = {name: values[0] for name, values in result["pull"].items()}
    steps = len(next(iter(result["accuracy"].values()))) - 1
    return (
        f"Weights of std {result['scale']:.3g}, rate {result['rate']:g}. Right at the start {first.min():.0f} to "
        f"{first.max():.0f} % of the tumours; after {steps} steps {told}. At the start a tumour's derivative is on "
        f"average {pull['MSE after sigmoid']:.2g} for MSE after sigmoid, {pull['cross-entropy']:.2g} for cross-entropy."
    )


stall = explorer(
    experiment.stall,
    plot.stall,
    _stall_in_words,
    title="Two losses from the same starts",
    time=Time("step"),
    scale=LogSlider(0.1, 10.0, default=10.0, steps=9, label="std of the first weights"),
    rate=Choice(0.1, 1.0, 10.0, 100.0, label="learning rate"),
)


def _outlier_in_words(result):
    slope = {name: 1000 * line[0] for name, line in result["lines"].items()}
    return (
        f"A penguin of {result['true_mass']:.2f} kg is typed as {result['mass'][0]:.3g} kg. The slope is "
        f"{slope['clean']:.1f} g/mm with the right number; with the wrong one MSE gives {slope['MSE']:.1f}, Huber with "
        f"delta {result['delta']:g} kg {slope['Huber']:.1f}. The outlier pulls with {result['pull']['MSE']:.1f} under "
        f"MSE and {result['pull']['Huber']:.2g} under Huber."
    )


outlier = explorer(
    experiment.outlier,
    plot.outlier,
    _outlier_in_words,
    title="One number mistyped",
    handles=[Handle("the mass as typed", x=176.0, y="mass")],
    mass=Slider(0.0, 40.0, default=40.0, step=2.0, label="typed mass", unit="kg"),
    delta=Choice(0.1, 0.5, 4.0, 40.0, default=0.5, label="Huber's delta", unit="kg"),
)


def _far_in_words(result):
    wrong = ", ".join(f"{name} {count}" for name, count in result["wrong"].items())
    pull = ", ".join(f"{name} {value:.2g}" for name, value in result["pull"].items())
    return (
        f"One more {result['species']} with a bill of {result['bill']:.3g} mm. Of the real penguins these stand on the "
        f"wrong side of the line: {wrong}. The added penguin's derivative: {pull}."
    )


far_point = explorer(
    experiment.far_point,
    plot.far_point,
    _far_in_words,
    title="One penguin far from the line",
    handles=[Handle("one more penguin", x="bill", y=18.45)],
    bill=Slider(50.0, 200.0, default=200.0, step=10.0, label="its bill", unit="mm"),
    species=Choice("Chinstrap", "Adelie", label="its label"),
)


def _overflow_in_words(result):
    now = {
        name: f"{value:.4g}" if math.isfinite(value) else ("NaN" if math.isnan(value) else "infinity")
        for name, value in result["now"].items()
    }
    return (
        f"In {result['dtype']}, scores times {result['scale']:.3g}: the largest is {result['scores'].max():.4g}. "
        f"The loss is {now['log-sum-exp']} by log-sum-exp, {now['softmax, then log']} by shifted softmax and then log, "
        f"{now['naive']} by the naive formula."
    )


overflow = explorer(
    experiment.overflow,
    plot.overflow,
    _overflow_in_words,
    title="One image, larger and larger scores",
    handles=[Handle("scale of the scores", x="scale", axes=1)],
    scale=LogSlider(1.0, 500.0, default=37.5, steps=13, label="scale of the scores"),
    dtype=Choice(*experiment.DTYPES, default="float32", label="dtype"),
)


def _likelihood_in_words(result):
    return (
        f"A normal distribution with mean {result['mean']:.3g} kg and standard deviation {result['spread']:g} kg. The "
        f"densities at the five penguins lie between {result['density'].min():.2g} and {result['density'].max():.2g}; "
        f"the negative log-likelihood is {result['now']:.2f} nats, and is least at the mean of the five, "
        f"{result['best']:.3g} kg."
    )


likelihood = explorer(
    experiment.likelihood,
    plot.likelihood,
    _likelihood_in_words,
    title="Five penguins under a bell curve",
    handles=[Handle("mean", x="mean", axes=1)],
    mean=Slider(3.0, 5.0, default=3.5, step=0.1, label="mean μ", unit="kg"),
)


def _softmax_in_words(result):
    told = ", ".join(
        f"{name} {p:.2f} (gradient {g:+.2f})".replace("-", "−")
        for name, p, g in zip(experiment.ANIMALS, result["p"], result["gradient"], strict=True)
    )
    return f"The truth is cat. Probabilities: {told}. The cross-entropy is {result['loss']:.2f} nats."


softmax_scores = explorer(
    experiment.softmax_scores,
    plot.softmax_scores,
    _softmax_in_words,
    title="Three scores of one picture of a cat",
    handles=[Handle(f"score of {name}", x=place, y=name) for place, name in enumerate(("cat", "dog", "bird"))],
    cat=Slider(-3.0, 3.0, default=1.0, step=1.0, label="score of cat"),
    dog=Slider(-3.0, 3.0, default=2.0, step=1.0, label="score of dog"),
    bird=Slider(-3.0, 3.0, default=0.0, step=1.0, label="score of bird"),
)


def _derivative_of_squared_error():
    score = np.linspace(-10, 10, 201)
    mean = experiment.sigmoid_squared_error(score, np.ones_like(score))[1]
    slope = len(score) * np.abs(mean)  # of each example alone
    return Curve(score, slope, xlabel="score s", ylabel="size of the derivative of (p − t)²", ylim=(0, 0.4), count=11)


predict_stall = predict(
    "02-stall",
    question="An example has t = 1. At score −10 the sigmoid unit says p = 0.00005, as wrong as can be; at score 10 it "
    "is right. Draw the size of the derivative of (p − t)² with respect to the score. (That of cross-entropy "
    "falls from 1 on the left to 0 on the right.)",
    answer=_derivative_of_squared_error,
    explanation="It is 2 (1 − p) p (1 − p). The sigmoid is flat where the unit is confident, whether it is right or "
    "wrong: a loss can be high and flat. The largest value is 8/27, at p = 1/3.",
)

predict_outlier = predict(
    "02-outlier",
    question="60 penguins, a straight line from flipper length to body mass, mean squared error. The mass of one "
    "penguin, the one with the shortest flippers, is typed as 40 kg; 4 kg is normal. What becomes of the slope?",
    options={
        "It gets smaller, and turns negative": (
            "The line sinks towards the long flippers: heavier penguins are said to be lighter."
        ),
        "It stays about what it was before": (
            "The mean is over errors squared. One error of 36 kg weighs as much as 1296 errors of 1 kg."
        ),
        "It gets smaller, and stays positive": ("It does get smaller, and further than that."),
    },
    answer="It gets smaller, and turns negative",
)

predict_far = predict(
    "02-far",
    question="A linear score separates two kinds of penguins almost without mistakes. Now one more penguin comes: its "
    "bill is enormous, and it lies far on the right side of the line. Which loss moves the line because of it?",
    options={
        "None: it is classified correctly": (
            "Two of the three losses no longer care about a penguin that is far on the right side. One does."
        ),
        "The cross-entropy of the score": (
            "Its derivative is p − t, and for a score far on the right side p is almost t."
        ),
        "The squared error of the score": (
            "Squared error wants the score to be 1. A score of 15 is an error of 14, on whichever side."
        ),
        "The hinge loss of the score": ("It is exactly 0 from a score of 1 on, and so is its derivative."),
    },
    answer="The squared error of the score",
)

predict_limit = predict(
    "02-limit",
    question="float32 holds numbers up to about 3.4 times 10 to the power of 38. How large may a score s be before "
    "exp(s) is infinite?",
    answer=round(experiment.limits()["float32"]["overflow"], 1),
    tolerance=0.02,
    explanation="It is the natural logarithm of the largest number. Scores of this size are not rare: they come from "
    "images whose pixels were not divided by 255.",
)

predict_pull = predict(
    "02-pull",
    question="A picture of a cat has the scores cat 1, dog 2, bird 0. Softmax makes the probabilities 0.24, 0.67 and "
    "0.09 of them. One step of gradient descent on the cross-entropy changes each score. What is the largest change?",
    options={
        "Dog goes down by 0.67 times the rate": (
            "Dog does go down by its probability, 0.67. But cat goes up by all that it lacks, 1 − 0.24."
        ),
        "Cat goes up by 0.76 times the rate": (
            "The gradient is p − y: 0.24 − 1 for cat, 0.67 for dog, 0.09 for bird. The step goes against it. What cat "
            "gains is what the two others lose together."
        ),
        "Cat goes up by 0.24 times the rate": (
            "That is its probability. The gradient is p − y, and for the true class y is 1."
        ),
    },
    answer="Cat goes up by 0.76 times the rate",
)
