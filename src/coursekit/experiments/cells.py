"""Chapter 14: one unit of the LSTM that has read Shakespeare, letter by letter through a few words."""

from __future__ import annotations

import numpy as np

from .. import _checks
from ..recurrent import lstm_step_forward
from ._bench import shared
from .recurrent_networks import _writer

WORD = "to be or not"
GATES = ("as learnt", "0", "0.5", "1")


@shared()
def _read() -> dict:
    """What every unit of the LSTM did at each letter of the words: gates, cells and states, (letters, H) each."""
    model, vocabulary, params, _ = _writer("Shakespeare")
    embedding, lstm = model.names[:2]
    p = {name: a.astype(np.float64) for name, a in params[lstm].items()}
    rows = params[embedding]["w"].astype(np.float64)[vocabulary.encode("\n" + WORD)]
    h = c = np.zeros((1, p["wh"].shape[0]))
    kept = {name: [] for name in ("i", "f", "g", "o", "c", "h")}
    for row in rows:
        h, c, cache = lstm_step_forward(row[None], h, c, p["wx"], p["wh"], p["b"])
        for name, value in zip("ifgoch", (*cache[6:10], c, h), strict=True):
            kept[name].append(value[0])
    return {name: np.array(values) for name, values in kept.items()}


def lstm_unit(step: int = 0, forget: str = "as learnt", write: str = "as learnt") -> dict:
    """One unit at one letter: the four numbers that the network computes, and what the cell does with them.

    The unit is the one whose cell swings most. `forget` and `write` hold its forget or its input gate at
    a number all the time; g and o stay as the network computed them.

    Returns
    -------
    i, f, g, o : at this letter
    before, cell, state : $c_{t-1}$, $c_t$ and $h_t$ of the unit
    cells : (letters,) the cell after each letter up to this one, NaN after it
    learnt : (letters,) the cell with the gates as they were learnt
    """
    for name, value in (("forget", forget), ("write", write)):
        _checks.choice(name, value, GATES)
    read = _read()
    unit = int(np.ptp(read["c"], axis=0).argmax())
    i, f, g, o, learnt = (read[name][:, unit] for name in "ifgoc")
    f = f if forget == "as learnt" else np.full_like(f, float(forget))
    i = i if write == "as learnt" else np.full_like(i, float(write))
    cells, before = [], 0.0
    for t in range(len(g)):
        before = f[t] * before + i[t] * g[t]
        cells.append(before)
    now = _checks.whole("step", step, 0) + 1  # the first symbol is the end of the line before
    shown = np.array(cells)[1:]
    shown[step + 1 :] = np.nan
    return {
        "step": step,
        "i": float(i[now]),
        "f": float(f[now]),
        "g": float(g[now]),
        "o": float(o[now]),
        "before": float(cells[now - 1]),
        "cell": float(cells[now]),
        "state": float(o[now] * np.tanh(cells[now])),
        "cells": shown,
        "learnt": learnt[1:],
        "unit": unit,
        "word": WORD,
    }
