"""Explorers, predictions and the clinic of chapter 11."""

from __future__ import annotations

import numpy as np

from ..experiments import clinic as records
from ..experiments import watching_training as experiment
from ..interactive.clinic import Clinic
from ..plotting import watching_training as plot
from . import Choice, LogSlider, Slider, Time, explorer, predict

__all__ = [
    "clinic",
    "clinic_case",
    "few_examples",
    "first_loss",
    "predict_adam",
    "predict_first",
    "predict_length",
    "predict_memory",
    "update_ratio",
]


def _first_in_words(result):
    text = (
        f"The first scores have a spread of {result['spread']:.2g} and the first loss is {result['first']:.4g}; "
        f"ln {result['classes']} is {np.log(result['classes']):.4g}."
    )
    if result["spread"] < 1:
        text += f" ln C plus half the squared spread would be {result['expected']:.4g}."
    last = result["loss"][-1]
    made = np.isfinite(result["loss"]).sum()
    if not np.isfinite(last):
        return f"{text} The run leaves the finite numbers after {made} steps."
    return f"{text} After {made} steps the loss is {last:.3g}."


first_loss = explorer(
    experiment.first_loss,
    plot.first_loss,
    _first_in_words,
    title="The first loss and the first sixty steps",
    time=Time("step"),
    scale=LogSlider(0.01, 10.0, default=10.0, steps=10, label="last layer's weights, times He's"),
    inputs=Choice(1, 3, 10, 30, 100, label="inputs, times their usual size", default=1),
    classes=Choice(2, 10, label="classes", default=10),
)


def _few_in_words(result):
    loss, share = result["loss"], result["accuracy"]
    made = int(np.isfinite(loss).sum())
    if made < len(loss):
        return f"{result['examples']} examples, bug: {result['bug']}. The loss leaves the finite numbers."
    return (
        f"{result['examples']} examples, bug: {result['bug']}. After {made} steps the loss on them is {loss[-1]:.2g} "
        f"and {share[-1]:.0%} are right."
    )


few_examples = explorer(
    experiment.overfit,
    plot.overfit,
    _few_in_words,
    title="Can it memorize a few examples?",
    time=Time("step"),
    examples=Choice(5, 20, 100, 500, label="examples", default=20),
    bug=Choice(*experiment.BUGS, label="bug", default="softmax twice"),
)


def _ratio_in_words(result):
    loss, ratio = result["loss"], result["ratio"]
    made = int(np.isfinite(loss).sum())
    medians = np.median(ratio[:made], axis=0)
    text = f"{result['optimizer']} at rate {result['rate']:.3g}. "
    if made < len(loss):
        return f"{text}The run leaves the finite numbers after {made} steps."
    listed = ", ".join(f"{m:.1e}" for m in medians)
    return (
        f"{text}The median update ratios of the three layers are {listed}. "
        f"The loss of the last 20 steps is {loss[-20:].mean():.2f}."
    )


update_ratio = explorer(
    experiment.ratio_run,
    plot.ratio_run,
    _ratio_in_words,
    title="Learning rate and update ratio",
    time=Time("step"),
    rate=LogSlider(1e-4, 1.0, default=0.001, steps=13, label="learning rate"),
    optimizer=Choice(*experiment.OPTIMIZERS, label="optimizer", default="SGD"),
)


def _case_in_words(result):
    loss, checks = result["loss"], np.isfinite(result["val_loss"])
    made = int(np.isfinite(loss).sum())
    text = f"Case {result['case']}. First loss {loss[0]:.3g}"
    if made < len(loss):
        return f"{text}; after {made} steps it has left the finite numbers."
    tail = loss[-40:]
    moved = [f"{r:.1e}" if r > 0 else "none" for r in np.median(np.nan_to_num(result["ratio"][checks]), axis=0)]
    return (
        f"{text}, at the end {tail.mean():.2g} (batches from {tail.min():.2g} to {tail.max():.2g}). "
        f"At the end {result['train_accuracy'][-1]:.0%} of the training and {result['val_accuracy'][-1]:.0%} of the "
        f"validation images are right; the validation loss went from {result['val_loss'][0]:.2g} to "
        f"{result['val_loss'][-1]:.2g}. Median update ratios by layer: {', '.join(moved)}."
    )


clinic_case = explorer(
    records.recorded,
    plot.clinic_case,
    _case_in_words,
    case=Slider(1, len(records.SETUPS), default=1, step=1, label="case"),
)

clinic = Clinic("clinic", clinic_case, records.questions(), records.CAUSES, records.REMEDIES)


predict_first = predict(
    "11-first",
    question="A network for ten classes has not been trained. Its scores are all nearly 0, so it gives each class a "
    "tenth. What is its cross-entropy?",
    answer=float(np.log(10)),
    unit="nats",
    tolerance=0.02,
    explanation="The loss is minus the logarithm of the probability of the true class: −ln(1/10) = ln 10.",
)

predict_memory = predict(
    "11-memory",
    question="Twenty images get labels drawn at random. 64 hidden units are trained on these twenty alone. How many "
    "of the twenty labels does it get right in the end?",
    options={
        "About two": (
            "Guessing is what it does on new images. These twenty it can memorize: it has more than 13,000 parameters."
        ),
        "All twenty": ("It memorizes them. So the test of the few examples says nothing about the labels."),
        "About half": (
            "Nothing stops it half-way. Twenty points in 196 dimensions can be told apart, whatever their labels."
        ),
    },
    answer="All twenty",
)

predict_adam = predict(
    "11-adam",
    question="Adam makes its first step, at rate 0.001. A layer's weights have a standard deviation of 0.05. What is "
    "the layer's update ratio, if every weight has a gradient?",
    answer=0.02,
    tolerance=0.05,
    explanation="Adam's first step moves every weight by the rate, whatever its gradient. So the ratio is "
    "0.001 / 0.05: the rate over the root mean square of the weights.",
)

predict_length = predict(
    "11-length",
    question="You find the rate with the lowest loss after 60 steps, and look at the update ratio of that run. Then "
    "you do the same for 960 steps. How do the two ratios compare?",
    options={
        "They are about the same": ("That is what a fixed rule of thumb implies. The runs say otherwise."),
        "The longer run has the larger one": ("It has more steps, not fewer. It can afford small ones."),
        "The longer run has the smaller": (
            "A short run has to hurry. A long one has time, and gains from the smaller noise at the end."
        ),
    },
    answer="The longer run has the smaller",
)
