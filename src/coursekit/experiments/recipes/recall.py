"""Small RNN, GRU and LSTM that recall a symbol after a delay (chapter 14)."""

from __future__ import annotations

import numpy as np

from ...model import accuracy
from ..recurrent_networks import CELLS, SYMBOLS, TRAINED, delayed_recall, train_recall

HIDDEN, STEPS = 16, 800


def train(name: str):
    """Each cell twice: with delays drawn for every batch from 1 to 20, and from 1 to 100."""
    seed, params, noted = 0, {}, {"seed": 0, "updates": STEPS}
    for cell in CELLS:
        for longest in TRAINED:
            net, runs = train_recall(cell, longest, HIDDEN, STEPS, seeds=(seed,))
            p = {layer: {w: a[0] if w != "b" else a[0, 0] for w, a in arrays.items()} for layer, arrays in runs.items()}
            params[f"{cell}, {longest}"] = p
            x, y = delayed_recall(np.random.default_rng(1000), 200, 100, SYMBOLS)
            right = accuracy(net.forward(p, {}, x, training=False)[0], y)
            noted[f"accuracy at delay 100: {cell}, trained to {longest}"] = float(right)
    return params, {}, noted
