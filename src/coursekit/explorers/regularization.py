"""Explorers and predictions of chapter 09."""

from __future__ import annotations

import numpy as np

from ..experiments import regularization as experiment
from ..interactive.slots import Slot
from ..layers import Dropout
from ..plotting import regularization as plot
from . import Choice, Handle, LogSlider, Slider, Time, explorer, predict

__all__ = [
    "bias_variance",
    "double_descent",
    "dropout_curve",
    "ensemble",
    "fit_curve",
    "made",
    "mask",
    "predict_adam",
    "predict_dropout",
    "predict_ensemble",
    "predict_labels",
    "predict_strength",
    "predict_zeros",
    "stopping",
]


def _size(value):
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"


def _fit_in_words(result):
    best = experiment.STRENGTHS[result["validation_curve"].argmin()]
    return (
        f"A polynomial of degree 15 on {result['examples']} noisy points, {result['penalty']} penalty of strength "
        f"{result['strength']:.2g}. Squared error {_size(result['train'])} on the points and "
        f"{_size(result['validation'])} on new ones. {result['zeros']} of 15 weights are exactly 0. Of all strengths, "
        f"{best:.2g} has the lowest validation error, {result['validation_curve'].min():.2g}."
    )


fit_curve = explorer(
    experiment.fit_curve,
    plot.fit_curve,
    _fit_in_words,
    title="Strength, fit, weights and the gap",
    handles=[Handle("strength", x="strength", axes=2)],
    strength=LogSlider(1e-6, 10, default=1e-6, steps=8, label="strength"),
    penalty=Choice("L2", "L1", label="penalty"),
    examples=Choice(15, 30, 60, 120, 200, label="training points"),
)


def _bias_in_words(result):
    k = result["degree"]
    bias, variance, best = result["bias"][k], result["variance"][k], result["error"].argmin()
    measured = f"squared bias {_size(bias)}" if bias > variance / 20 else "the squared bias is lost in it"
    return (
        f"Polynomials of degree {k} on 200 training sets of {result['examples']} points. Variance {_size(variance)}, "
        f"{measured}, noise {result['noise']:.2g}; together {_size(bias + variance + result['noise'])}, and the error "
        f"measured on new points is {_size(result['error'][k])}. The lowest error, {result['error'][best]:.2g}, has "
        f"degree {best}."
    )


bias_variance = explorer(
    experiment.bias_variance,
    plot.bias_variance,
    _bias_in_words,
    title="Two hundred training sets",
    handles=[Handle("degree", x="degree", axes=1)],
    degree=Slider(0, 12, default=1, step=1, label="degree"),
    examples=Choice(15, 30, 100, default=30, label="points in a training set"),
)


def _dropout_in_words(result):
    return (
        f"Dropout rate {result['rate']:.2g}, {result['examples']} training images. After {result['step'][-1]} steps "
        f"the loss is {result['train_loss'][-1]:.2f} on the training images and {result['loss'][-1]:.2f} on new ones "
        f"(its lowest was {result['loss'].min():.2f}); accuracy {result['train_accuracy'][-1]:.0%} and "
        f"{result['accuracy'][-1]:.1%}."
    )


class _Single(np.random.Generator):
    """A generator whose uniform numbers are of single precision, as the course's dropout draws them: the same masks."""

    def random(self, size=None, dtype=np.float32, out=None):
        return super().random(size, dtype, out)


def _dropout(drop, back):
    """A kind of `Dropout` made of two functions of sheet 09."""

    class Written(Dropout):
        def forward(self, params, state, x, *, training, rng=None):
            if not training:
                return x, None, state
            out, mask = drop(x, self.rate, _Single(rng.bit_generator), training)
            return out, mask, state

        def backward(self, dout, cache):
            return back(dout, cache), {}

    return Written


DROPPED = Slot(
    "",
    "09.2",
    ("dropout_forward", "dropout_backward"),
    places=((vars(experiment), "Dropout", _dropout),),
    called="the course's dropout",
    chance=True,
)

dropout_curve = explorer(
    experiment.dropout_curve,
    plot.dropout_curve,
    _dropout_in_words,
    title="Dropout while a network learns clothes",
    time=Time("step"),
    yours=[DROPPED],
    rate=Slider(0.0, 0.9, default=0.0, step=0.1, label="dropout rate"),
    examples=Choice(100, 300, 1000, default=300, label="training images"),
)


def _stopping_in_words(result):
    best, lowest, test = result["best"], result["lowest"], result["test"]
    return (
        f"Run {result['run']}, patience {result['patience']}, {result['images']} validation images. Training stops "
        f"after epoch {result['stopped']} and keeps epoch {best}: loss on 1,000 new images {test[best - 1]:.3f}. "
        f"The lowest of all 50 epochs is {test[lowest - 1]:.3f}, in epoch {lowest}, the last {test[-1]:.3f}."
    )


stopping = explorer(
    experiment.stopping,
    plot.stopping,
    _stopping_in_words,
    title="When to stop waiting",
    time=Time("epoch"),
    patience=Slider(1, 20, default=1, step=1, label="patience"),
    images=Choice(20, 100, 300, label="validation images"),
    run=Choice(*experiment.RUNS, label="training run"),
)


def _ensemble_in_words(result):
    size = result["size"]
    (accuracy, loss), (mean_accuracy, mean_loss) = result["together"][size - 1], result["members"][:size].mean(axis=0)
    before, after, variance = result["squared"]
    return (
        f"{size} member{'s' * (size > 1)}, {result['kind']}. Average member: accuracy {mean_accuracy:.1%}, loss "
        f"{mean_loss:.2f}. Together: accuracy {accuracy:.1%}, loss {loss:.2f}. Squared error {before:.3f} on average, "
        f"{after:.3f} together; the difference is their variance, {variance:.3f}."
    )


ensemble = explorer(
    experiment.ensemble,
    plot.ensemble,
    _ensemble_in_words,
    title="Asking several networks",
    handles=[Handle("members", x="size")],
    size=Slider(1, 20, default=1, step=1, label="members"),
    kind=Choice(*experiment.KINDS, label="members differ by"),
)


def _mask_in_words(result):
    on = [", ".join(str(i + 1) for i in np.flatnonzero(kept)) or "none" for kept in result["kept"]]
    return (
        f"Mask {result['number']} with p = {result['p']:g}. Of six units the first hidden layer keeps {on[0]}, the "
        f"second {on[1]}; their outputs are multiplied by {result['scale']:.3g}."
    )


mask = explorer(
    experiment.mask,
    plot.mask,
    _mask_in_words,
    title="Masks of dropout",
    p=Choice(0.2, 0.5, 0.8, default=0.5, label="p"),
    number=Slider(1, 6, default=1, step=1, label="mask"),
)


def _made_in_words(result):
    moved = int((np.abs(result["after"] - result["before"]).max(axis=(1, 2)) > 1e-9).sum())
    more = (
        f" Each is {result['share']:.2f} itself and {1 - result['share']:.2f} another." if result["share"] < 1 else ""
    )
    return f"Six photographs of clothes after {result['kind']}, amount {result['amount']}: {moved} have changed.{more}"


made = explorer(
    experiment.made,
    plot.made,
    _made_in_words,
    title="More images out of the same",
    kind=Choice("shifts", "mirrors", "mixup", label="what is done"),
    amount=Choice(1, 2, 3, default=1, label="amount"),
)


def _descent_in_words(result):
    test, features = 100 * result["test"], result["features"]
    at = int(np.abs(np.log(features / result["examples"])).argmin())
    few = features < result["examples"] * 0.8
    best = int(np.where(few, test, np.inf).argmin())
    return (
        f"{result['examples']} training digits, {result['noise']:.0%} of their labels wrong. With {features[best]} "
        f"random features {test[best]:.0f} % of new digits are read wrong, with {features[at]} it is {test[at]:.0f} %, "
        f"with {features[-1]:,} again {test[-1]:.0f} %."
    )


double_descent = explorer(
    experiment.double_descent,
    plot.double_descent,
    _descent_in_words,
    title="Down, up, and down again",
    noise=Choice(0.0, 0.1, 0.2, 0.4, default=0.2, label="wrong training labels"),
    examples=Choice(50, 100, 200, default=100, label="training digits"),
)


predict_labels = predict(
    "09-labels",
    question="The labels of the 300 training images are shuffled, so that there is nothing to be learnt. How many of "
    "its training images does the same network get right after training?",
    options={
        "All of them": (
            "It has 26,506 weights and biases for 300 images, and memorizes each. Low training error "
            "says nothing about whether there was anything to learn."
        ),
        "About 10 %": (
            "That is what it gets on new images. But it need not find a rule: it has "
            "enough weights to remember each image with its label."
        ),
        "About half": ("It is about half after a hundred steps, and goes on."),
    },
    answer="All of them",
)

predict_strength = predict(
    "09-strength",
    question="The strength of the penalty grows from nothing to very much. What does the error on the training points "
    "do?",
    options={
        "It falls from the start to the end": (
            "What may fall is the error on new points. On the training "
            "points nothing fits better than the fit without a penalty."
        ),
        "It falls first and then rises": (
            "That is the error on new points. The training error is lowest without a penalty."
        ),
        "It rises from the start to the end": (
            "Without a penalty the weights are those with the lowest training error. Any penalty takes them away from "
            "there. Regularization buys a lower error on new data with a higher one on the training data."
        ),
    },
    answer="It rises from the start to the end",
)

predict_zeros = predict(
    "09-zeros",
    question="One dense layer, 640 weights, is trained by SGD with the L1 penalty: its gradient, strength times the "
    "sign of the weight, is added to that of the loss. How many of the weights are exactly 0 at the end?",
    options={
        "About half of them": (
            "That is what the threshold step gives, which stops at 0. The plain gradient step jumps across."
        ),
        "Not one of them": (
            "Each step moves a weight by rate times strength towards 0, and past it. It then comes back, and so "
            "on: small weights jump to and fro across 0 and do not meet it."
        ),
        "Nearly all of them": ("The penalty is not that strong: where the data pull the other way, weights stay."),
    },
    answer="Not one of them",
)

predict_adam = predict(
    "09-adam",
    question="Two weights get the same L2 penalty under Adam. The gradients of the one are 100 times those of the "
    "other, up and down in turn, so that on balance only the penalty pulls. Which one decays faster?",
    options={
        "Both the same, for the penalty is the same": (
            "So it is with SGD. Adam divides everything in the gradient, the "
            "penalty's part too, by the size of the weight's gradients."
        ),
        "The one with the small gradients": (
            "Adam divides the penalty's part of the gradient by the size of all of it. "
            "A weight with large gradients is hardly decayed at all."
        ),
        "The one with the large gradients": (
            "Adam divides by the size of the gradients, so large gradients make the penalty's part small."
        ),
    },
    answer="The one with the small gradients",
)

predict_dropout = predict(
    "09-dropout",
    question="In training every hidden unit is silenced with probability 0.5, and nothing is scaled. At test time all "
    "units are on. What reaches a unit of the next layer, compared with training?",
    options={
        "Twice as much, on average": (
            "Twice as many terms of the sum are there. So either the units that are kept are "
            "doubled in training (inverted dropout), or everything is halved at test time."
        ),
        "As much as in training, on average": (
            "In training half of the terms of its sum are missing on average. Now all are there."
        ),
        "Half as much, on average": ("It is the training sum that lacks half of its terms."),
    },
    answer="Twice as much, on average",
)

predict_ensemble = predict(
    "09-ensemble",
    question="Twenty networks, on average 74 % right, differ in nothing but the random start. We average their "
    "probabilities. How many does the average get right?",
    options={
        "74 %, like the members": (
            "The error of a mean is not the mean of the errors: where members err "
            "differently, their errors partly cancel."
        ),
        "Nearly 100 %, as a vote would": (
            "That would hold if the members erred independently. They have "
            "seen the same images and make many of the same mistakes."
        ),
        "A few points more than 74 %": (
            "They disagree on some images, and there the average is more often right than a "
            "single one. On most images they agree, in their mistakes too, so the gain is limited."
        ),
    },
    answer="A few points more than 74 %",
)
