"""Chapter 14: the dates once more, by a network that looks back at what it has read."""

from __future__ import annotations

import numpy as np

from .. import _checks, optimizers, schedules
from ..data import weights
from ..layers import LSTM, Dense, EachStep, Embedding, LookBack, sequence_cross_entropy
from ..model import Sequential, predict
from ._bench import descend
from .recurrent_networks import ISO, WRITTEN, some_dates

RATES = (0.003, 0.01, 0.03)


def network(hidden: int = 64, features: int = 32) -> Sequential:
    """An LSTM that reads the date and ten blanks; at each blank it looks back at the states of all eleven letters."""
    return Sequential(
        [
            *(Embedding(len(WRITTEN), 16), LSTM(16, hidden), LookBack(10, hidden, features)),
            EachStep(Dense(2 * hidden, len(ISO))),
        ]
    )


def fit(lr: float = 1e-2, steps: int = 600, hidden: int = 64, seed: int = 0) -> dict:
    """Train as `recurrent_networks.dates` does; the share of whole dates right, on days that were not trained on.

    Returns `{"net", "params", "loss": (steps,), "validation", "whole"}`: the latter two on 500 other days each.
    """
    net, rng = network(hidden), np.random.default_rng(seed)
    rule = optimizers.chain(optimizers.global_norm_clip(1.0), optimizers.adam(schedules.cosine(lr, steps)))
    params, _ = net.init(rng)
    run = descend(net, params, lambda: some_dates(rng, 64)[:2], rule, steps=steps, loss=sequence_cross_entropy)

    def whole(part, first):
        x, y, _, _ = some_dates(np.random.default_rng(first + seed), 500, part)
        return float((predict(net, run.params, {}, x).argmax(axis=-1) == y).all(axis=1).mean())

    return {
        "net": net,
        "params": run.params,
        "loss": run.loss,
        "validation": whole("validation", 2000),
        "whole": whole("test", 1000),
    }


WRITTEN_SO = ("7 Mar 1987", "31 Dec 1999", "1 May 2024", "15 Aug 1945", "29 Feb 2000")


def alignment(date: str = "7 Mar 1987") -> dict:
    """Where the trained network looks while it writes a date.

    Returns
    -------
    read : the eleven characters that it reads, with spaces in front
    wrote : the ten characters of its answer
    weights : (10, 11) the share of each character read in what each step of the answer sees; rows add up to 1
    """
    _checks.choice("date", date, WRITTEN_SO)
    net, kept = network(), weights.load("dates_attention", np.float64)
    read = date.rjust(11)
    x = np.array([[WRITTEN.index(c) for c in read + " " * 10]])
    for name, layer in zip(net.names[:2], net.layers[:2], strict=True):
        x, _, _ = layer.forward(kept.params[name], {}, x, training=False)
    look, answer = net.layers[2:]
    seen, cache, _ = look.forward(kept.params[net.names[2]], {}, x, training=False)
    scores, _, _ = answer.forward(kept.params[net.names[3]], {}, seen, training=False)
    wrote = "".join(ISO[c] for c in scores[0].argmax(axis=-1))
    return {"read": read, "wrote": wrote, "weights": look.alignment(cache)[0]}
