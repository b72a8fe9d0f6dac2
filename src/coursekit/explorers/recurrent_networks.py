"""Explorers and predictions of chapter 14."""

from __future__ import annotations

import numpy as np

from ..experiments import attention, cells
from ..experiments import recurrent_networks as experiment
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..layers import LSTM, RNN
from ..plotting import recurrent_networks as plot
from . import Choice, Handle, LogSlider, Seed, Slider, Time, explorer, predict

__all__ = [
    "alignment",
    "gradient",
    "gru_unit",
    "lstm_unit",
    "predict_gradient",
    "predict_hold",
    "predict_long",
    "predict_temperature",
    "recall",
    "stretched",
    "written",
]


def _gradient_in_words(result):
    norm = result["norm"][-1]
    what = "vanishes" if norm < 1e-3 else "explodes" if norm > 1e3 else "keeps within a thousandfold of its size"
    return (
        f"A {result['activation']} recurrent network with spectral radius {result['radius']:.3g}, "
        f"inputs of std {result['inputs']:g}. On its way back the "
        f"gradient is multiplied by about {result['factor']:.3g} a step. After 100 steps {norm:.1e} of it is left: it "
        f"{what}."
    )


gradient = explorer(
    experiment.gradient_through_time,
    plot.gradient,
    _gradient_in_words,
    title="A gradient goes back through 100 steps",
    activation=Choice("linear", "tanh", label="activation"),
    inputs=Choice(0.1, 1.0, label="std of the inputs"),
    radius=LogSlider(0.5, 2.0, default=0.891, steps=13, label="spectral radius"),
)


def _recall_in_words(result):
    recalled = result["recalled"]
    return (
        f"{result['cell']}, trained with delays up to {result['trained']}. After {result['delay']} steps it names the "
        f"first of four symbols in {result['at']:.0%} of the sequences; after 1 step in {recalled[1]:.0%}, after "
        f"{len(recalled) - 1} in {recalled[-1]:.0%}. Guessing gives 25%."
    )


def _plain(step):
    """A kind of `RNN` made of a step of sheet 14. It goes forward only: the weights have been trained."""

    def forward(x, h, wx, wh, b):
        states = []
        for t in range(x.shape[1]):
            h = step(x[:, t], h, wx, wh, b)
            states.append(h)
        return np.stack(states, axis=1), None

    return type("Written", (RNN,), {"_forward": staticmethod(forward)})


def _gated(step):
    """The same for an `LSTM`."""

    def forward(x, h, c, wx, wh, b):
        states = []
        for t in range(x.shape[1]):
            h, c = step(x[:, t], h, c, wx, wh, b)
            states.append(h)
        return np.stack(states, axis=1), None

    return type("Written", (LSTM,), {"_forward": staticmethod(forward)})


STEPPED = [
    Slot("cell", question, (name,), beside=cell, places=((experiment.CELLS, cell, make),))
    for question, name, make, cell in (("14.1", "rnn_step", _plain, "RNN"), ("14.3", "lstm_step", _gated, "LSTM"))
]

recall = explorer(
    experiment.recall,
    plot.recall,
    _recall_in_words,
    title="What is recalled after a delay",
    handles=[Handle("delay", x="delay")],
    yours=STEPPED,
    cell=Choice("RNN", "GRU", "LSTM", label="cell"),
    trained=Choice(20, 100, default=100, label="delays in training up to"),
    delay=Slider(5, 200, default=20, step=15, label="delay", unit="steps"),
)


def _written_in_words(result):
    text = " ".join(result["text"].split())
    return (
        f"{result['source']} at temperature {result['temperature']:.2g}, draw {result['seed']}. "
        f"{result['known']:.0%} of the words occur in the text that was read in training. It begins: {text[:140]}"
    )


written = explorer(
    experiment.written,
    plot.written,
    _written_in_words,
    title="The network writes",
    source=Choice(*experiment.TEXTS, label="trained on"),
    temperature=LogSlider(0.1, 2.0, default=0.1, steps=10, label="temperature"),
    seed=Seed(4, first=1),
)


def _what_is_left():
    steps = np.arange(101)
    return Curve(
        steps, 0.9**steps, xlabel="steps back", ylabel="share of the gradient that is left", ylim=(0, 1), count=11
    )


predict_long = predict(
    "14-long",
    question="The recurrent net has learnt from numbers of 8 bits. Now it adds numbers of 40 bits, without further "
    "training. What share of the bits does it get right?",
    options={
        "About half of all the bits": (
            "It never saw them, but no step of the work is new. The cell "
            "reads two bits and what it was handed, and that is all it needs at bit 39 too."
        ),
        "The first 8, and half of the rest": (
            "Nothing in the net counts to 8. The same weights work at every step, whether it is the 3rd or the 39th."
        ),
        "Nearly all of the bits": (
            "One rule, used at every step: add two bits and the carry. Because the weights are shared by "
            "all steps, what was learnt for 8 holds for 40."
        ),
    },
    answer="Nearly all of the bits",
)

predict_gradient = predict(
    "14-gradient",
    question="One step back multiplies the gradient by 0.9. Draw what is left of it after up to 100 steps.",
    answer=_what_is_left,
    explanation="0.9 to the power of 22 is a tenth, to the power of 100 it is 0.003 %. A learning rate cannot make up "
    "for that: the parts of the gradient from near steps would grow just as much.",
)

predict_hold = predict(
    "14-hold",
    question="A plain RNN learns to name the first symbol of a sequence after delays of up to 20 steps, and gets "
    "them all right. Then it is tested with a delay of 200 steps. What happens?",
    options={
        "It guesses the symbol": (
            "Long delays are hard to learn, because no gradient "
            "comes back. Here it has learnt already. Nothing says that it cannot hold what it has."
        ),
        "It recalls the symbol": (
            "Once a state reproduces itself from step to step it can stay for ever. What a plain "
            "RNN lacks is not memory: it is a gradient that tells it what to remember."
        ),
        "It recalls one in ten": (
            "Forgetting is not in proportion to time. Either the state goes "
            "round in a loop that keeps the symbol, or it does not."
        ),
    },
    answer="It recalls the symbol",
)

predict_temperature = predict(
    "14-temperature",
    question="The lower the temperature, the more often the network writes the letter it holds most likely. What does "
    "it write at a temperature near 0?",
    options={
        "The same few words for ever": (
            "With no chance left, a state that comes near an earlier one goes the "
            "same way again. Common words lead to common words, and round it goes."
        ),
        "Its best text, with few mistakes": (
            "The likeliest letter at every step does not make the "
            "likeliest text, and after the same letters comes the same letter again. Look for the loop."
        ),
        "A row of nearly random letters": ("That is the other end: a high temperature makes all letters alike."),
    },
    answer="The same few words for ever",
)


def _alignment_in_words(result):
    best = result["weights"].argmax(axis=1)
    looks = [f"{c} at {result['read'][k].strip() or 'a space'}" for c, k in zip(result["wrote"], best, strict=True)]
    return f"Read: {result['read'].strip()}. Written: {result['wrote']}. Each character looks most: {', '.join(looks)}."


alignment = explorer(
    attention.alignment,
    plot.alignment,
    _alignment_in_words,
    title="Where it looks while it writes",
    date=Choice(*attention.WRITTEN_SO, label="date"),
)


def _unit_in_words(result):
    r, letter = result, result["word"][result["step"]].replace(" ", "a space")
    return (
        f"Letter {r['step'] + 1}, {letter}: the forget gate is {r['f']:.2f}, the input gate "
        f"{r['i']:.2f}, the new value {r['g']:+.2f}. The cell goes from {r['before']:.2f} to {r['f']:.2f} x "
        f"{r['before']:.2f} + {r['i']:.2f} x {r['g']:.2f} = {r['cell']:.2f}; the output gate is {r['o']:.2f}, so "
        f"the state is {r['state']:.2f}."
    )


lstm_unit = explorer(
    cells.lstm_unit,
    plot.lstm_unit,
    _unit_in_words,
    title="One unit of an LSTM, letter by letter",
    time=Time("letter", over="step"),
    step=Slider(0, len(cells.WORD) - 1, default=0, step=1, label="letter"),
    forget=Choice(*cells.GATES, label="forget gate"),
    write=Choice("as learnt", "0", "1", label="input gate"),
)


def _gru_in_words(result):
    r = result
    return (
        f"{r['name']}, letter {r['step'] + 1}, {r['name'][r['step']]}: the reset gate is {r['r']:.2f}, so the proposal "
        f"is tanh({r['own']:.2f} + {r['r']:.2f} x {r['others']:.2f}) = {r['n']:.2f}. The update gate is {r['z']:.2f}: "
        f"the state goes from {r['before']:.2f} to {r['z']:.2f} x {r['before']:.2f} + {1 - r['z']:.2f} x {r['n']:.2f} "
        f"= {r['state']:.2f}. If the name ended here, the network would say woman with {r['woman']:.0%}."
    )


gru_unit = explorer(
    cells.gru_unit,
    plot.gru_unit,
    _gru_in_words,
    title="One unit of a GRU, letter by letter",
    time=Time("letter", over="step"),
    step=Slider(0, len(cells.NAMES[0]) - 1, default=0, step=1, label="letter"),
    name=Choice(*cells.NAMES, label="name"),
    update=Choice(*cells.GATES, label="update gate"),
    reset=Choice("as learnt", "0", "1", label="reset gate"),
)


def _stretched_in_words(result):
    ten = result["most"][-1]
    return (
        f"{result['matrix'].capitalize()}, slope of the second unit {result['slope']:.2g}. One step stretches "
        f"a gradient by at most {result['singular']:.3g}, the largest singular value (dashed: its powers). The largest "
        f"eigenvalue has size {result['radius']:.3g} (dotted: its powers). Ten steps stretch by at most {ten:.2g}."
    )


stretched = explorer(
    experiment.stretched,
    plot.stretched,
    _stretched_in_words,
    title="One step back, and ten",
    matrix=Choice(*experiment.MATRICES, label="matrix"),
    slope=Slider(0.0, 1.0, default=1.0, step=0.1, label="slope of the second unit"),
)
