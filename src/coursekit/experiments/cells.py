"""Chapter 14: one unit of the LSTM that has read Shakespeare, one of a GRU that has read names, letter by letter."""

from __future__ import annotations

import numpy as np

from .. import _checks, optimizers
from ..activations import sigmoid_forward, softmax
from ..layers import GRU, Dense, Embedding, LastStep
from ..model import Sequential, accuracy, predict
from ..recurrent import lstm_step_forward
from ._bench import descend, drawn, shared
from .recurrent_networks import READ_ALOUD, _names, _writer

WORD = "to be or not"
GATES = ("as learnt", "0", "0.5", "1")
NAMES = ("christina", "christian")  # the same letters; the first is kept for this, the second is on both lists


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


@shared()
def _reader(hidden: int = 8, steps: int = 300) -> dict:
    """A small GRU that tells women's names from men's: its params by layer, its letters, its test accuracy.

    `unit` is the unit that sways its answers on the test names most; `lean` (H,) by how much a unit at 1 moves the
    score of "woman" against that of "man".
    """
    rng = np.random.default_rng(0)
    female, male = (sorted(set(names) - set(NAMES)) for names in _names())
    count = min(len(female), len(male))
    names = np.concatenate([rng.permutation(female)[:count], rng.permutation(male)[:count]])
    letters = " " + "".join(sorted(set("".join((*names, *READ_ALOUD)))))
    longest = max(map(len, names))
    order, y = rng.permutation(2 * count), np.repeat([0, 1], count)
    x, y = np.array([[letters.index(c) for c in name.rjust(longest)] for name in names])[order], y[order]
    test, learn = slice(0, len(x) // 5), slice(len(x) // 5, None)
    net = Sequential([Embedding(len(letters), 8), GRU(8, hidden), LastStep(), Dense(hidden, 2)])
    params = net.init(rng)[0]
    run = descend(net, params, drawn(x[learn], y[learn], 64, rng), optimizers.adam(1e-2), steps=steps)
    layers = [{k: a.astype(np.float64) for k, a in run.params[net.names[i]].items()} for i in (0, 1, 3)]
    table, cell, head = layers
    states = Sequential(net.layers[:3]).forward(run.params, {}, x[test], training=False)[0]
    lean = head["w"][:, 0] - head["w"][:, 1]
    return {
        "table": table["w"],
        "cell": cell,
        "head": head,
        "letters": letters,
        "longest": longest,
        "accuracy": float(accuracy(predict(net, run.params, {}, x[test]), y[test])),
        "unit": int(np.argmax(np.std(states * lean, axis=0))),
        "lean": lean,
    }


def gru_unit(step: int = 0, name: str = NAMES[0], update: str = "as learnt", reset: str = "as learnt") -> dict:
    """One unit of a GRU at one letter of a name: its gates, its proposal, its state before and after.

    `update` and `reset` hold that unit's gates at a number, all the time. The rest of the network runs on, so the
    other units react to it.

    Returns
    -------
    z, r, n : update gate, reset gate and proposal of the unit at this letter
    own, others : the two parts before the tanh: what the letter gives (with its bias), and $m$, made of the states
    before, state : $h_{t-1}$ and $h_t$ of the unit
    states, learnt : (letters,) the unit's state after each letter (NaN after this one), and with the learnt gates
    woman : probability of "woman" if the name ended at this letter
    """
    word = _checks.choice("name", name, NAMES)
    now = _checks.whole("step", step, 0)
    held = {"z": _checks.choice("update", update, GATES), "r": _checks.choice("reset", reset, GATES)}
    seen, free = _followed(word, tuple(held.items())), _followed(word, (("z", GATES[0]), ("r", GATES[0])))
    unit, states = _reader()["unit"], seen["h"][1:, _reader()["unit"]].copy()
    states[now + 1 :] = np.nan
    return {
        "step": now,
        "name": word,
        "unit": unit,
        "lean": float(_reader()["lean"][unit]),
        **{key: float(seen[key][now, unit]) for key in ("z", "r", "n", "own", "others")},
        "before": float(seen["h"][now, unit]),
        "state": float(seen["h"][now + 1, unit]),
        "states": states,
        "learnt": free["h"][1:, unit],
        "woman": float(seen["woman"][now]),
        "accuracy": _reader()["accuracy"],
    }


@shared()
def _followed(word: str, held: tuple) -> dict:
    """The whole GRU through a name, the gates of one unit held: the formula of the chapter, letter by letter."""
    reader, held = _reader(), dict(held)
    cell, hidden = reader["cell"], len(reader["lean"])
    outer, inner = cell["b"][: 3 * hidden], cell["b"][3 * hidden :]
    h = np.zeros(hidden)
    kept = {key: [] for key in ("z", "r", "n", "own", "others")}
    states, first = [], reader["longest"] - len(word)
    for letter in word.rjust(reader["longest"]):  # the blanks in front are read too, as in training
        x_r, x_z, own = np.split(reader["table"][reader["letters"].index(letter)] @ cell["wx"] + outer, 3)
        h_r, h_z, others = np.split(h @ cell["wh"], 3)
        others = others + (inner if len(inner) else 0)
        gates = {"r": sigmoid_forward(x_r + h_r)[0], "z": sigmoid_forward(x_z + h_z)[0]}
        for gate, value in held.items():
            if value != "as learnt":
                gates[gate][reader["unit"]] = float(value)
        n = np.tanh(own + gates["r"] * others)
        states.append(h)
        h = (1 - gates["z"]) * n + gates["z"] * h
        for key, value in (("n", n), ("own", own), ("others", others), *gates.items()):
            kept[key].append(value)
    states.append(h)
    states = np.array(states)[first:]
    scores = states[1:] @ reader["head"]["w"] + reader["head"]["b"]
    return {key: np.array(values)[first:] for key, values in kept.items()} | {
        "h": states,
        "woman": softmax(scores)[:, 0],
    }
