"""Explorers and predictions of chapter 07."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..experiments import optimizers as experiment
from ..interactive.slots import Slot
from ..plotting import optimizers as plot
from . import Choice, Handle, LogSlider, Place, Slider, Time, explorer, predict

__all__ = [
    "adversary",
    "ball",
    "batches",
    "first_steps",
    "landscape",
    "momentum_map",
    "newton_schulz",
    "on_mnist",
    "predict_adversary",
    "predict_batch",
    "predict_first_step",
    "predict_mnist",
    "predict_rate",
    "spring",
    "valley",
]


@dataclass(frozen=True)
class _Written:
    """An optimizer made of a step function of sheet 07: what it remembers are arrays like the weights."""

    remembers: int
    step: Callable

    def init(self, w):
        return 0, (np.zeros_like(w),) * self.remembers

    def update(self, w, g, state):
        t, kept = state[0] + 1, state[1]
        w, *kept = self.step(w, g, t, *kept)
        return w, (t, tuple(kept))


def _momentum(step):
    return lambda lr: _Written(1, lambda w, g, t, v: step(w, g, v, lr, 0.9))


def _rmsprop(step):
    return lambda lr: _Written(1, lambda w, g, t, s: step(w, g, s, lr, 0.9, 1e-8))


def _adam(step):
    return lambda lr: _Written(2, lambda w, g, t, m, v: step(w, g, m, v, t, lr, 0.9, 0.999, 1e-8))


YOURS = [
    Slot("optimizer", question, (name,), ((experiment.OPTIMIZERS, make),), beside)
    for question, name, make, beside in (
        ("07.1", "momentum_step", _momentum, "momentum"),
        ("07.2", "rmsprop_step", _rmsprop, "RMSProp"),
        ("07.3", "adam_step", _adam, "Adam"),
    )
]


def _path_in_words(result):
    begin, end = result["path"][0], result["path"][~np.isnan(result["path"][:, 0])][-1]
    text = (
        f"{result['optimizer'].capitalize() if result['optimizer'].islower() else result['optimizer']}, rate "
        f"{result['rate']:.3g}, from ({begin[0]:g}, {begin[1]:g}) on the surface called {result['surface']}. "
    )
    if result["left"]:
        return f"{text}The path leaves for infinity at step {result['left']}."
    height, steps = result["height"][-1], result["steps"]
    return f"{text}After {steps} steps it is at ({end[0]:.2f}, {end[1]:.2f}), {height:.2g} above the minimum."


valley = explorer(
    experiment.paths,
    plot.paths,
    _path_in_words,
    title="Fifty steps on x²/20 + y²",
    time=Time("step", paths=(0,)),
    handles=[Handle("start", choice="start", places=experiment.SURFACES["valley"].starts)],
    yours=YOURS,
    optimizer=Choice(*experiment.NINE, label="optimizer"),
    rate=LogSlider(0.03, 3.0, default=0.949, steps=9, label="rate"),
    start=Place(*experiment.SURFACES["valley"].starts, low=(-9, -3), high=(9, 3), label="start"),
)

landscape = explorer(
    experiment.landscape,
    plot.paths,
    _path_in_words,
    title="Two hundred steps on surfaces that are no bowls",
    time=Time("step", paths=(0,)),
    handles=[
        Handle(
            "start",
            choice="start",
            by="surface",
            places={name: experiment.SURFACES[name].starts for name in ("saddle", "two minima", "Rosenbrock")},
        )
    ],
    yours=YOURS,
    surface=Choice("saddle", "two minima", "Rosenbrock", label="surface"),
    optimizer=Choice("gradient descent", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam", label="optimizer"),
    rate=LogSlider(0.0003, 0.3, default=0.03, steps=7, label="rate"),
    start=Place("A", "B", low=(-2, -1.6), high=(2, 3), label="start"),
)


def _batches_in_words(result):
    size, count = result["size"], result["count"]
    excess = result["excess"]
    tail = excess[len(excess) // 2 :].mean()
    need = experiment.reach(result)
    name = "All examples at once" if size == count else f"Batches of {size}"
    reached = f"comes within a tenth of the lowest after {need:,} examples" if need else "stays far above the lowest"
    return (
        f"{name}, rate {result['rate']:.3g}: {len(result['path']) - 1:,} updates in four passes over {count} penguins. "
        f"The loss {reached}. In the second half of the updates it lies "
        f"{tail:.2g} above the lowest on average. A batch's gradient is off by {result['noise']:.0%} of the full one's "
        "length at the start."
    )


batches = explorer(
    experiment.batches,
    plot.batches,
    _batches_in_words,
    title="One, some, or all examples for a step",
    time=Time("update", paths=(0,)),
    batch_size=Choice(1, 4, 16, 64, "all", default="all", label="examples a step"),
    rate=LogSlider(0.003, 0.3, default=0.03, steps=9, label="rate"),
)


def _ball_in_words(result):
    (x, y), (vx, vy), (px, py) = result["at"], result["velocity"], result["push"]
    return (
        f"Momentum {result['decay']:g}, after {result['step']} steps: the ball is at ({x:.2f}, {y:.2f}). Its velocity "
        f"alone would carry it by ({vx:.2f}, {vy:.2f}); the gradient adds ({px:.2f}, {py:.2f})."
    )


ball = explorer(
    experiment.ball,
    plot.ball,
    _ball_in_words,
    title="A ball in the valley",
    time=Time("step", over="step"),
    step=Slider(0, 24, default=0, step=1, label="step"),
    decay=Choice(0.0, 0.3, 0.6, 0.8, 0.9, default=0.9, label="momentum"),
)


def _spring_in_words(result):
    kind = {
        "overdamped": "it creeps to the minimum from one side",
        "underdamped": f"it swings, and each step shrinks the swing by {result['decay'] ** 0.5:.3f}",
        "jumps": "it jumps from side to side",
        "diverges": "it never comes to rest",
    }[result["kind"]]
    return (
        f"Momentum {result['decay']:g}, rate times curvature {result['push']:g}: {kind}. After 60 steps the distance "
        f"is {abs(result['distance'][-1]):.2g} of that at the start."
    )


spring = explorer(
    experiment.spring,
    plot.spring,
    _spring_in_words,
    title="A ball on a spring",
    time=Time("step"),
    decay=Choice(0.0, 0.3, 0.6, 0.8, 0.9, 0.97, default=0.0, label="momentum"),
    push=Choice(0.01, 0.04, 0.2, 1.0, default=0.04, label="rate times curvature"),
)


def _schulz_in_words(result):
    before, after = result["before"], result["after"]
    return (
        f"A matrix with singular values from {before[-1]:.2g} to {before[0]:.2g}. After {result['steps']} steps they "
        f"lie between {after[-1]:.2g} and {after[0]:.2g}."
    )


newton_schulz = explorer(
    experiment.newton_schulz,
    plot.newton_schulz,
    _schulz_in_words,
    title="Five steps of Newton and Schulz",
    time=Time("step", over="steps"),
    steps=Slider(0, 5, default=0, step=1, label="steps"),
    spread=Choice(10, 30, 100, 300, 1000, default=100, label="largest over smallest singular value"),
)


def _map_in_words(result):
    rate, decay = result["theory"]
    factor, best = (float(experiment.contraction(result[f"{name}distance"])) for name in ("", "theory_"))
    this = f"multiplies the distance by {factor:.3g} a step" if factor < 1 else "diverges"
    return (
        f"Condition number {result['condition']}. Rate {result['rate']:.3g} with momentum {result['decay']:.2g} "
        f"{this}. Theory's best pair, rate {rate:.2f} and momentum {decay:.2f}, multiplies it by {best:.3g}; gradient "
        f"descent at its best rate by {experiment.contraction(result['plain_distance']):.3g}."
    )


momentum_map = explorer(
    experiment.momentum_map,
    plot.momentum_map,
    _map_in_words,
    title="Rate and momentum on a quadratic",
    time=Time("step"),
    handles=[Handle("this pair", x="rate", y="decay")],
    rate=Slider(0.5, 4.0, default=1.5, step=0.5, label="rate"),
    decay=Slider(0.0, 0.96, default=0.0, step=0.12, label="momentum"),
    condition=Choice(10, 100, 1000, default=100, label="condition number"),
)


def _first_steps_in_words(result):
    lengths = result["uncorrected"]
    top = int(lengths.argmax())
    off = np.abs(lengths - 1) > 0.1
    last = int(off.nonzero()[0][-1]) + 1 if off.any() else 0
    until = "to the end" if last == len(lengths) else f"until step {last}"
    return (
        f"Constant gradient, beta1 {result['beta1']:g}, beta2 {result['beta2']:g}. Corrected, every step is as long as "
        f"the rate. Without the correction the first step is {lengths[0]:.2g} times the rate, the longest, step "
        f"{top + 1}, {lengths[top]:.2g} times, and the steps are off by more than a tenth {until}."
    )


def _first_steps(beta1, beta2):
    return experiment.bias_correction(beta1, float(beta2))


first_steps = explorer(
    _first_steps,
    plot.bias_correction,
    _first_steps_in_words,
    title="Adam's steps without bias correction",
    time=Time("step"),
    beta1=Choice(0.0, 0.5, 0.9, 0.99, default=0.9, label="beta1"),
    beta2=Choice("0.9", "0.99", "0.999", "0.9999", default="0.999", label="beta2"),
)


def _adversary_in_words(result):
    cycles = 3 * result["every"]
    ends = " and ".join(f"{name} at {result[name][-cycles:].mean():.2f}" for name in ("Adam", "AMSGrad"))
    return (
        f"The gradient is +{result['every']} at one step of every {result['every']} and -1 at the others, so the best "
        f"x is -1. Adam needs a memory of about {result['every'] ** 2 / 4:.3g} steps. With {result['memory']:.3g}, "
        f"over the last three cycles {ends}."
    )


adversary = explorer(
    experiment.adversary,
    plot.adversary,
    _adversary_in_words,
    title="A rare large gradient",
    time=Time("step"),
    memory=LogSlider(1.1, 1000.0, default=1.1, steps=7, label="Adam's memory 1/(1 − β₂)", unit="steps"),
    every=Choice(3, 5, 10, 17, 30, label="large gradient every so many steps"),
)


def _mnist_in_words(result):
    last = {name: float(np.nan_to_num(loss[-20:].mean(), nan=np.inf)) for name, loss in result["loss"].items()}
    order = sorted(last, key=last.get)
    ranking = ", ".join(f"{name} {last[name]:.2f}" for name in order)
    layers = result["hidden_layers"]
    return (
        f"Eight optimizers, all at rate {result['rate']:.3g}, {layers} hidden layer{'s' * (layers != 1)} of 32 units, "
        f"{result['steps']} steps on 14 by 14 MNIST images. Mean loss of the last 20 steps, best first: {ranking}."
    )


on_mnist = explorer(
    experiment.on_mnist,
    plot.on_mnist,
    _mnist_in_words,
    title="Eight optimizers on MNIST, one rate for all",
    time=Time("step"),
    rate=LogSlider(0.0001, 1.0, default=0.01, steps=9, label="rate"),
    hidden_layers=Choice(1, 3, label="hidden layers"),
)


predict_rate = predict(
    "07-rate",
    question="Gradient descent on x²/20 + y² starts at (−7, 2). At rate 0.95 it zigzags towards the minimum. "
    "What happens at rate 1.05?",
    options={
        "It arrives a little sooner": ("Along x it would. But y is multiplied by 1 − 2 · 1.05 = −1.1 in every step."),
        "It zigzags at the same height": (
            "That is rate 1, where y is multiplied by exactly −1. At 1.05 the factor is −1.1."
        ),
        "It leaves for infinity": (
            "y is multiplied by 1 − 2 · 1.05 = −1.1 in every step: it changes sign and grows by "
            "a tenth. The steepest direction alone decides which rates are too large."
        ),
    },
    answer="It leaves for infinity",
)

predict_batch = predict(
    "07-batch",
    question="A line is fitted to 342 penguins at rate 0.03. Method A computes the gradient from all 342 and makes one "
    "step. Method B makes a step after each single penguin. Both read every penguin four times. "
    "Which one ends closer to the best line?",
    options={
        "A: its gradients are exact": (
            "They are exact, but four passes give A four steps. At rate 0.03 four steps lead nowhere near the minimum."
        ),
        "B: it makes far more steps": (
            "Each of B's steps is off, often badly, but on average they point the "
            "right way, and there are 1,368 of them. A has made four."
        ),
        "Both alike: they read the same": (
            "The cost in examples is the same. What is made of them is not: four steps against 1,368."
        ),
    },
    answer="B: it makes far more steps",
)

predict_first_step = predict(
    "07-first-step",
    question="Two weights get gradients of 100 and of 0.01. Adam makes its first step, at rate 0.001. "
    "How long are the two steps?",
    options={
        "0.1 and 0.00001": ("That is gradient descent: the rate times the gradient."),
        "0.001 and 0.001": (
            "At the first step m-hat is the gradient and v-hat its square, so m-hat over the root of v-hat "
            "is 1 or −1, whatever the gradient."
        ),
        "0.0001 and 0.0001": (
            "m is indeed a tenth of the gradient after one step. The bias correction divides it by that tenth."
        ),
    },
    answer="0.001 and 0.001",
)

predict_adversary = predict(
    "07-adversary",
    question="The gradient of one weight x is +3 at every third step and −1 at the two others. x must stay between −1 "
    "and 1. Adam remembers little more than one step. Where does it end?",
    options={
        "At +1": (
            "Divided by about its own size every gradient has length 1. Two steps up, one step down: the majority "
            "wins, and the majority is wrong."
        ),
        "At −1": (
            "That is the right answer to the problem: the gradients sum to +1 in each cycle, so x should fall. "
            "But Adam divides each gradient by about its own size."
        ),
        "Near 0": (
            "The three steps of a cycle do not cancel: divided by its own size every gradient counts the same, "
            "and two of three push x up."
        ),
    },
    answer="At +1",
)

predict_mnist = predict(
    "07-mnist",
    question="At rate 0.01 Adam is far ahead of gradient descent on MNIST. Now all get rate 1. Who is ahead?",
    options={
        "Adam, as it was before": (
            "Adam adapts the rate of each weight relative to the others. The length of "
            "its steps is still the number that you give: 1 for every weight, which is far too much."
        ),
        "None: they all diverge": (
            "Some do. For gradient descent 1 is about right here: its steps are the rate times gradients "
            "that are small."
        ),
        "Plain gradient descent": (
            "Its steps are the rate times the gradient, and these gradients are small. What is right "
            "for one optimizer is a hundred times too much for another."
        ),
    },
    answer="Plain gradient descent",
)
