"""Explorers and predictions of chapter 06."""

from __future__ import annotations

import numpy as np

from ..experiments import batch_normalization as experiment
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..layers import BatchNorm
from ..plotting import batch_normalization as plot
from . import Choice, Handle, LogSlider, Slider, Time, explorer, predict

__all__ = [
    "backward_steps",
    "gradients_by_block",
    "predict_bias",
    "predict_noise",
    "predict_pair",
    "predict_scales",
    "rate_curve",
    "scale_curve",
    "shared_statistics",
    "statistics_noise",
]

_WORDS = {"none": "Without normalization", "batch norm": "With batch norm", "layer norm": "With layer norm"}


def _curve_in_words(result):
    loss, signal = result["loss"], result["signal"]
    text = (
        f"{_WORDS[result['norm']]}, weights of std {result['std']:.2g}, rate {result['lr']:.2g}. Before training the "
        f"outputs of hidden layer 1 have std {signal[0]:.2g}, those of layer 5 {signal[-1]:.2g}. "
    )
    if np.isnan(loss).any():
        return f"{text}Training diverges after {int(np.isfinite(loss).sum())} steps."
    return f"{text}The loss after {len(loss)} steps is {loss[-20:].mean():.2f}; ln 10 is 2.30."


def _norm(normalize, back):
    """A kind of `BatchNorm` made of two functions of sheet 06, which know no run axis: one call for each run."""

    class Written(BatchNorm):
        def forward(self, params, state, x, *, training, rng=None):
            reference = super().forward(params, state, x, training=training)
            if not training:
                return reference
            shape = (*x.shape[:-2], 1, x.shape[-1])
            gamma, beta = (np.broadcast_to(params[name], shape).reshape(-1, x.shape[-1]) for name in ("gamma", "beta"))
            runs = x.reshape(-1, *x.shape[-2:])
            outs, caches = zip(*(normalize(*run, self.eps) for run in zip(runs, gamma, beta, strict=True)), strict=True)
            return np.stack(outs).reshape(x.shape), (caches, params["gamma"].shape), reference[2]

        def backward(self, dout, cache):
            caches, shape = cache
            runs = zip(dout.reshape(-1, *dout.shape[-2:]), caches, strict=True)
            dx, dgamma, dbeta = (np.stack(parts) for parts in zip(*(back(*run) for run in runs), strict=True))
            return dx.reshape(dout.shape), {"gamma": dgamma.reshape(shape), "beta": dbeta.reshape(shape)}

    return Written


NORMALIZED = Slot(
    "norm",
    "06.3",
    ("batch_norm_forward", "batch_norm_backward"),
    beside="batch norm",
    places=((vars(experiment), "BatchNorm", _norm),),
    also=("06.1",),
)

scale_curve = explorer(
    experiment.training_curve,
    plot.training_curve,
    _curve_in_words,
    title="Size of the first weights, with and without normalization",
    time=Time("step"),
    yours=[NORMALIZED],
    norm=Choice("none", "batch norm", "layer norm", label="normalization"),
    std=LogSlider(1e-4, 1.0, default=0.0136, steps=16, label="std of the weights"),
)

rate_curve = explorer(
    experiment.rate_curve,
    plot.training_curve,
    _curve_in_words,
    title="Learning rate, with and without batch norm",
    time=Time("step"),
    yours=[NORMALIZED],
    norm=Choice("none", "batch norm", label="normalization"),
    rate=LogSlider(0.01, 10.0, default=1.0, steps=13, label="learning rate"),
)


def _noise_in_words(result):
    x_hat = result["x_hat"]
    return (
        f"The same digit in 1,000 batches of {result['size']}. Over all digits its normalized value is "
        f"{result['exact']:.2f}; in the batches it is {x_hat.mean():.2f} on average, with std {x_hat.std():.2f}."
    )


statistics_noise = explorer(
    experiment.statistics_noise,
    plot.statistics_noise,
    _noise_in_words,
    title="One digit in a thousand batches",
    handles=[Handle("batch size", x="size", axes=1)],
    size=Choice(*experiment.SIZES, default=8, label="batch size"),
)


def _steps_in_words(result):
    known, parts = result["known"], result["parts"]
    text = f"Example {result['example']} has the upstream gradient 1. Step {result['words']}. "
    for node, name in (("centred", "c"), ("x", "x")):
        if known[node] == 1:
            first = ", ".join(f"{v:.2f}" for v in parts[node][0])
            text += f"The first part of the gradient of {name} is {first}; the second is not yet known. "
        if known[node] == 2:
            both = ", ".join(f"{one:.2f} + {two:.2f}" for one, two in zip(*parts[node], strict=True))
            text += f"The two parts of the gradient of {name} are {both}. "
    return text.strip()


backward_steps = explorer(
    experiment.backward_steps,
    plot.backward_steps,
    _steps_in_words,
    title="The way back, step by step",
    time=Time("step", over="step"),
    step=Slider(0, 6, default=0, step=1, label="step"),
    example=Choice(1, 2, 3, default=1, label="example with an upstream gradient"),
)


def _shared_in_words(result):
    name = (
        f"Group norm with {result['groups']} groups" if result["norm"] == "group norm" else result["norm"].capitalize()
    )
    same = {1: "; the same as layer norm over channels and pixels", 6: "; the same as instance norm"}
    more = same.get(result["groups"], "") if result["norm"] == "group norm" else ""
    return (
        f"A batch of 4 images with 6 channels of 5 pixels. {name} takes {result['count']} means, each over "
        f"{result['each']} entries{more}."
    )


def _shared(norm):
    name, _, groups = norm.partition(", ")
    return experiment.shared_statistics(name, int(groups.split()[0]) if groups else 2)


shared_statistics = explorer(
    _shared,
    plot.shared_statistics,
    _shared_in_words,
    title="Which entries share a mean",
    norm=Choice(
        "batch norm", "layer norm", "group norm, 1 group", "group norm, 2 groups", "group norm, 3 groups",
        "group norm, 6 groups", "instance norm", label="norm",
    ),
)  # fmt: skip


def _blocks_in_words(result):
    norms = result["norms"]
    return (
        f"{result['place'].capitalize()}, {result['blocks']} blocks, before training: the gradient of the weights is "
        f"{norms[0]:.2g} long in the first block and {norms[-1]:.2g} in the last."
    )


gradients_by_block = explorer(
    experiment.gradients_by_block,
    plot.gradients_by_block,
    _blocks_in_words,
    title="Pre-norm and post-norm: the gradients at the start",
    place=Choice("post-norm", "pre-norm", default="post-norm", label="the norm stands"),
    blocks=Choice(4, 8, 16, 32, default=8, label="blocks"),
)


def _accuracy_by_std():
    run = experiment.sixteen_scales()
    return Curve(
        run["std"],
        100 * run["accuracy"],
        xlabel="std of the weights at the start",
        ylabel="accuracy (%)",
        ylim=(0, 100),
        xlog=True,
        count=16,
    )


predict_scales = predict(
    "06-scales",
    question="The same net starts from sixteen standard deviations of its weights, from 0.0001 to 1, without "
    "normalization. Guessing gets 10 %. Draw the accuracy after 120 steps.",
    answer=_accuracy_by_std,
    explanation="It trains from one or two of the sixteen. Only close to He's standard deviation does the signal keep "
    "its size through all layers; a wrong factor counts once in every layer.",
)

predict_bias = predict(
    "06-bias",
    question="A dense layer with a bias b stands before batch norm in training mode. What is the gradient of b?",
    options={
        "The sum of the upstream gradient": (
            "That is the gradient after the dense layer, summed over the batch. Batch norm makes exactly this sum zero."
        ),
        "The same as that of beta": (
            "beta is added after the normalization and stays. b is added before it and is subtracted again."
        ),
        "Zero, whatever the gradient": (
            "b moves every example by the same amount, so it moves the mean by that amount too, and batch norm "
            "subtracts the mean."
        ),
    },
    answer="Zero, whatever the gradient",
)

predict_pair = predict(
    "06-pair",
    question="A batch has two examples, with the values 3 and 7 for some feature. What does batch norm make of them "
    "(gamma 1, beta 0)? And of 3 and 70?",
    options={
        "−1 and 1, then −10 and 10": ("The standard deviation grows with the distance, which is divided by it."),
        "No answer: two are too few": ("One example has none. Two have: here 4, and 1,122.25."),
        "−1 and 1, both times": (
            "The mean lies half way between two numbers, and both are one standard deviation away "
            "from it. Which one is larger is all that is left."
        ),
    },
    answer="−1 and 1, both times",
)

predict_noise = predict(
    "06-noise",
    question="After every batch norm we add noise, new at each step, that spoils the means and variances again. The "
    "learning rate is 0.3. How does this net train?",
    options={
        "Worse than without batch norm": ("So it would be if steady means and variances were all of it."),
        "Between the two, and not far below batch norm": (
            "It loses a little to batch norm alone and stays far ahead of the plain net, whose layers "
            "have steadier inputs than its own."
        ),
        "As well as without batch norm": (
            "The noise undoes the steady means and variances. Something else must be "
            "left of batch norm, for it still trains better."
        ),
    },
    answer="Between the two, and not far below batch norm",
)
