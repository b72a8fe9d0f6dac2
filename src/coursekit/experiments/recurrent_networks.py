"""Chapter 14: recurrent networks, what they remember, and what they learn from names, dates, a series and texts."""

from __future__ import annotations

import collections
import re
import unicodedata

import numpy as np

from .. import _checks, data, optimizers, schedules
from ..activations import softmax
from ..data import weights
from ..layers import (
    GRU,
    LSTM,
    RNN,
    Dense,
    EachStep,
    Embedding,
    LastStep,
    LastSteps,
    Tanh,
    sequence_cross_entropy,
)
from ..losses import mean_squared_error
from ..model import Sequential, accuracy, predict, stack_runs
from ..recurrent import (
    gru_step_backward,
    gru_step_forward,
    lstm_step_backward,
    lstm_step_forward,
    rnn_backward,
    rnn_forward,
    rnn_step_backward,
    rnn_step_forward,
)
from ..zoo import Vocabulary, char_rnn, next_character_examples, write_text
from ._bench import count, descend, drawn, shared

CELLS = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}


def torch_start(rng, shape, *, dtype=np.float32):
    """Weights as PyTorch draws them for recurrent layers: uniform on ±1/sqrt(H), where H is the number of columns."""
    return (rng.uniform(-1, 1, shape) / np.sqrt(shape[1])).astype(dtype)


def _start(net, seeds, dtype=np.float32):
    """One network a seed, along a run axis."""
    return stack_runs([net.init(np.random.default_rng(seed), dtype=dtype)[0] for seed in seeds])


# Addition: a label at each step


def additions(rng, n: int, bits: int) -> dict:
    """Sums of two binary numbers, lowest bit first.

    Returns x (n, bits, 2) the two numbers, y (n, bits) the bits of the sum, carry (n, bits) what each step hands on.
    """
    x, carry = rng.integers(0, 2, (n, bits, 2)), np.zeros((n, bits), int)
    y, before = np.zeros((n, bits), int), np.zeros(n, int)
    for t in range(bits):
        total = x[:, t].sum(axis=1) + before
        y[:, t], carry[:, t] = total % 2, total // 2
        before = carry[:, t]
    return {"x": x.astype(np.float32), "y": y, "carry": carry}


def learn_to_add(bits=8, long=40, hidden=8, steps=400, seed=0) -> dict:
    """A net without memory and a recurrent one learn addition from the same examples, bit by bit.

    Returns `{"memoryless" | "RNN": {...}}` with

    loss : (steps,)
    accuracy, accuracy_long : share of the bits that are right in new sums of `bits` and of `long` bits
    parameters : how many

    The RNN also has `example`, one sum with its states h (long, hidden), and `carry_unit`, the unit that agrees best
    with the carry, and `carry_correlation`, how well.
    """
    nets = {
        "memoryless": Sequential([EachStep(Dense(2, 16)), Tanh(), EachStep(Dense(16, 2))]),
        "RNN": Sequential([RNN(2, hidden), EachStep(Dense(hidden, 2))]),
    }
    results = {}
    for name, net in nets.items():
        rng = np.random.default_rng(seed)
        params, _ = net.init(rng)

        def sample(rng=rng):
            batch = additions(rng, 32, bits)
            return batch["x"], batch["y"]

        run = descend(net, params, sample, optimizers.adam(1e-2), steps=steps, loss=sequence_cross_entropy)
        params = run.params
        test_rng = np.random.default_rng(1000 + seed)
        tests = additions(test_rng, 1000, bits), additions(test_rng, 200, long)
        right = [float((predict(net, params, {}, t["x"]).argmax(axis=-1) == t["y"]).mean()) for t in tests]
        results[name] = {
            "loss": run.loss,
            "accuracy": right[0],
            "accuracy_long": right[1],
            "parameters": count(params),
        }
    states = net.activations(params, {}, tests[1]["x"])["rnn_0"]
    agree = np.array([np.corrcoef(h, tests[1]["carry"].ravel())[0, 1] for h in states.reshape(-1, hidden).T])
    unit = int(np.abs(agree).argmax())
    results["RNN"] |= {
        "example": {name: value[0] for name, value in tests[1].items()} | {"h": states[0]},
        "carry_unit": unit,
        "carry_correlation": float(agree[unit]),
    }
    return results


# Names: many to one

READ_ALOUD = ("christina", "josephine", "patrick", "bernadette")


@shared()
def _names():
    """Given names that one list has and the other has not: two tuples, female and male."""
    lists = data.names()
    female, male = ({name.lower() for name in lists[kind]} for kind in ("female", "male"))
    return tuple(sorted(female - male - set(READ_ALOUD))), tuple(sorted(male - female - set(READ_ALOUD)))


def names(seeds=(0, 1, 2), steps=150, hidden=32) -> dict:
    """Guess from the letters whether a name is on the female or the male list of the US census of 1990.

    As many female as male names, a fifth of them kept for the test; the shorter names have blanks in front.

    Returns
    -------
    accuracy, last_letter : (S,) share of the test names that are right: the RNN's, and a table of last letters
    count : names on each side
    read : name -> (letters,) probability of "female" after each letter, by the first seed's net, which never saw them
    """
    female, male = _names()
    count = min(len(female), len(male))
    longest = max(map(len, female + male))
    letters = " " + "".join(sorted(set("".join(female + male))))

    def encode(words):
        return np.array([[letters.index(c) for c in word.rjust(longest)] for word in words])

    results = {"accuracy": [], "last_letter": [], "count": count, "read": None}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        words = np.concatenate([rng.permutation(female)[:count], rng.permutation(male)[:count]])
        order, y = rng.permutation(2 * count), np.repeat([0, 1], count)
        x, y = encode(words)[order], y[order]
        test, learn = slice(0, len(x) // 5), slice(len(x) // 5, None)
        net = Sequential([Embedding(len(letters), 16), RNN(16, hidden), LastStep(), Dense(hidden, 2)])
        params, _ = net.init(rng)

        params = descend(net, params, drawn(x[learn], y[learn], 64, rng), optimizers.adam(3e-3), steps=steps).params
        results["accuracy"].append(accuracy(predict(net, params, {}, x[test]), y[test]))
        table = np.zeros((len(letters), 2))
        np.add.at(table, (x[learn][:, -1], y[learn]), 1)
        results["last_letter"].append((table.argmax(axis=1)[x[test][:, -1]] == y[test]).mean())
        if results["read"] is None:
            each = Sequential([*net.layers[:2], EachStep(net.layers[3])])
            each_params = dict(zip(each.names, params.values(), strict=True))
            p = softmax(each.forward(each_params, {}, encode(READ_ALOUD), training=False)[0])[..., 0]
            results["read"] = {word: row[-len(word) :] for word, row in zip(READ_ALOUD, p, strict=True)}
    return results | {name: np.array(results[name]) for name in ("accuracy", "last_letter")}


# Dates: many to many, delayed

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WRITTEN = " 0123456789" + "".join(sorted(set("".join(MONTHS))))
ISO = "-0123456789"


DAYS = np.arange(np.datetime64("1900-01-01").astype(int), np.datetime64("2050-01-01").astype(int))
# Every tenth day is kept for the test and every tenth for choosing a rate; what is trained on is none of these.
PARTS = {"training": DAYS % 10 > 1, "validation": DAYS % 10 == 1, "test": DAYS % 10 == 0}


def some_dates(rng, n: int, part="training") -> tuple[np.ndarray, np.ndarray, list, list]:
    """n days from 1900 to 2049: x (n, 21), "7 Mar 1987" and ten blanks; y (n, 10), "1987-03-07"; both as text."""
    days = rng.choice(DAYS[PARTS[_checks.choice("part", part, PARTS)]], n)
    iso = [str(day) for day in days.astype("datetime64[D]")]
    written = [f"{int(day[8:])} {MONTHS[int(day[5:7]) - 1]} {day[:4]}" for day in iso]
    x = np.array([[WRITTEN.index(c) for c in text.rjust(11) + " " * 10] for text in written])
    return x, np.array([[ISO.index(c) for c in day] for day in iso]), written, iso


def dates(cell="LSTM", hidden=64, steps=600, seed=0, lr=None) -> dict:
    """Read a date as people write it, then write it in ISO's form; tested on days that were not trained on.

    Parameters
    ----------
    lr : Adam's rate at the start, falling along a cosine; by default each cell's best of 0.001, 0.003, 0.01 and 0.03

    Returns
    -------
    loss : (steps,)
    places : (10,) share of right characters at each place of the answer; characters, their mean
    whole : share of whole dates that are right; validation, the same of other days
    examples : (as written, what the net wrote, right) of four new dates
    """
    layer = CELLS[_checks.choice("cell", cell, CELLS)]
    net = Sequential([Embedding(len(WRITTEN), 16), layer(16, hidden), LastSteps(10), EachStep(Dense(hidden, len(ISO)))])
    rng = np.random.default_rng(seed)
    params, _ = net.init(rng)
    lr = schedules.cosine((1e-2 if cell == "LSTM" else 3e-3) if lr is None else lr, steps)
    optimizer = optimizers.chain(optimizers.global_norm_clip(1.0), optimizers.adam(lr))
    run = descend(
        net, params, lambda: some_dates(rng, 64)[:2], optimizer, steps=steps, loss=sequence_cross_entropy
    )  # fmt: skip
    x, y, _, _ = some_dates(np.random.default_rng(2000 + seed), 500, "validation")
    validation = (predict(net, run.params, {}, x).argmax(axis=-1) == y).all(axis=1).mean()
    x, y, written, iso = some_dates(np.random.default_rng(1000 + seed), 500, "test")
    answers = predict(net, run.params, {}, x).argmax(axis=-1)
    examples = [(written[i], "".join(ISO[c] for c in answers[i]), iso[i]) for i in range(4)]
    return {
        "loss": run.loss,
        "places": (answers == y).mean(axis=0),
        "characters": float((answers == y).mean()),
        "whole": float((answers == y).all(axis=1).mean()),
        "validation": float(validation),
        "examples": examples,
    }


# Sunspots: a forecast


def forecast(series="sunspots_year", change=False, season=None, window=20, hidden=12, steps=200, seeds=range(5)):
    """Forecast the next value of a measured series from the last `window`, trained on its first seven tenths.

    Parameters
    ----------
    change : forecast the change to the next value from the changes before, in place of the value from the values
    season : if given, also the forecast "the same change as `season` steps ago"

    Returns
    -------
    time, values : of the test part
    rnn : (S, test) the forecasts of one RNN a seed
    naive, linear : (test,) the value before; least squares on the nine values before
    rmse : name -> root mean square error on the test part in the series' unit; for "RNN" (S,)
    """
    measured = data.series(series)
    values = measured.values.astype(np.float64)
    split = int(0.7 * len(values))
    source = np.diff(values, prepend=values[0]) if change else values
    mean, std = source[:split].mean(), source[:split].std()
    z = (source - mean) / std
    index = np.arange(window + 1, len(z))
    x, y = np.stack([z[i - window : i] for i in index]), z[index]
    learn, test = index < split, index >= split
    net = Sequential([RNN(1, hidden), LastStep(), Dense(hidden, 1)])
    rng = np.random.default_rng(seeds[0])

    def sample():
        batch = rng.integers(0, learn.sum(), 32)
        target = y[learn][batch, None]
        return x[learn][batch, :, None], np.broadcast_to(target, (len(seeds), *target.shape))

    optimizer = optimizers.adamw(1e-2, weight_decay=1e-2)
    run = descend(net, _start(net, seeds, np.float64), sample, optimizer, steps=steps, loss=mean_squared_error)
    out = net.forward(run.params, {}, x[test][..., None], training=False)[0][..., 0]
    past = np.column_stack([np.ones(len(x)), x[:, -9:]])
    fit = np.linalg.lstsq(past[learn], y[learn], rcond=None)[0]
    before, truth = values[index[test] - 1], values[index[test]]
    base = before if change else 0.0
    forecasts = {"RNN": out * std + mean + base, "naive": before, "linear": past[test] @ fit * std + mean + base}
    if season:
        i = index[test]
        forecasts["season"] = before + values[i - season] - values[i - season - 1]
    rmse = {name: np.sqrt(((f - truth) ** 2).mean(axis=-1)) for name, f in forecasts.items()}
    return {
        "time": measured.time[index[test]],
        "values": truth,
        "before": values[:split],
        "rnn": forecasts["RNN"],
        "naive": before,
        "linear": forecasts["linear"],
        "rmse": rmse,
        "loss": run.loss,
        "unit": measured.unit,
    }


# Gradients through time


def gradient_through_time(radius=1.0, activation="tanh", inputs=0.1, steps=100, width=64, seed=0) -> dict:
    """Send a gradient back through the steps of a fresh recurrent network, and measure it at every step.

    The recurrent weights are normal random numbers, scaled so that the largest of their eigenvalues has the size
    `radius`; the inputs are normal with standard deviation `inputs`.

    Returns
    -------
    norm : (steps + 1,) norm of the gradient of a random linear loss of the last state, by how many steps back
    factor : by what one step multiplies it, geometric mean over the farther half
    """
    _checks.choice("activation", activation, ("linear", "tanh"))
    rng = np.random.default_rng(seed)
    wh = rng.standard_normal((width, width))
    wh *= radius / np.abs(np.linalg.eigvals(wh)).max()
    h, slopes = 0.1 * rng.standard_normal(width), []
    for _ in range(steps):
        a = inputs * rng.standard_normal(width) + h @ wh
        h = np.tanh(a) if activation == "tanh" else a
        slopes.append(1 - h**2 if activation == "tanh" else 1.0)
    dh = rng.standard_normal(width)
    norms = [np.linalg.norm(dh)]
    for slope in reversed(slopes):
        dh = (dh * slope) @ wh.T
        norms.append(np.linalg.norm(dh))
    norm = np.array(norms) / norms[0]
    half = steps // 2
    factor = float((norm[-1] / norm[half]) ** (1 / (steps - half)))
    return {"norm": norm, "factor": factor, "radius": radius, "activation": activation, "inputs": inputs}


def gradient_through_cells(steps=100, width=32, seed=0) -> dict:
    """The gradient of the last state with respect to what was carried, step by step back, in fresh cells.

    Weights as PyTorch draws them, biases zero but for the gates that keep: "bias 1" and "bias 5".

    Returns name -> (steps + 1,) norm: of the state's gradient for RNN and GRU, of the cell's for LSTM.
    """
    results = {}
    for name, gates, bias in (
        ("RNN", 1, 0.0),
        ("GRU", 3, 0.0),
        ("LSTM, bias 0", 4, 0.0),
        ("LSTM, bias 1", 4, 1.0),
        ("LSTM, bias 5", 4, 5.0),
    ):
        rng = np.random.default_rng(seed)
        limit = 1 / np.sqrt(width)
        wx, wh = (rng.uniform(-limit, limit, (n, gates * width)) for n in (4, width))
        b = np.zeros({3: 4}.get(gates, gates) * width)
        b[width : 2 * width] = bias
        h, c, caches = np.zeros((1, width)), np.zeros((1, width)), []
        for _ in range(steps):
            x = rng.standard_normal((1, 4))
            if gates == 4:
                h, c, cache = lstm_step_forward(x, h, c, wx, wh, b)
            else:
                h, cache = (rnn_step_forward if gates == 1 else gru_step_forward)(x, h, wx, wh, b)
            caches.append(cache)
        d, dc = rng.standard_normal((1, width)), np.zeros((1, width))
        if gates == 4:
            d, dc = np.zeros((1, width)), d
        norms = [1.0]
        first = np.linalg.norm(d) + np.linalg.norm(dc)
        for cache in reversed(caches):
            if gates == 4:
                _, d, dc, *_ = lstm_step_backward(d, dc, cache)
            else:
                _, d, *_ = (rnn_step_backward if gates == 1 else gru_step_backward)(d, cache)
            norms.append(float(np.hypot(np.linalg.norm(d), np.linalg.norm(dc))) / first)
        results[name] = np.array(norms)
    return results


def cliff(steps=30, bias=-1.0, target=0.7, points=201) -> dict:
    """One tanh unit that feeds itself for `steps` steps, from 0.5: its loss for many recurrent weights.

    Returns
    -------
    weight (W,) from 0 to 5, with more points where the loss jumps; loss (W,) the squared distance of the last state
    from `target`; gradient (W,); edge, the weight at which it jumps
    """
    low, high = 0.0, 5.0  # the jump: the last state turns from negative to positive
    for _ in range(60):
        edge = (low + high) / 2
        low, high = (edge, high) if _self_fed(np.array([edge]), steps, bias)[0][0] < 0 else (low, edge)
    near = np.geomspace(1e-9, 1, 60)
    weight = np.unique(np.concatenate([np.linspace(0, 5, points), edge - near, edge, edge + near], axis=None))
    last, slope = _self_fed(weight, steps, bias)
    distance = last - target
    return {"weight": weight, "loss": distance**2, "gradient": 2 * distance * slope, "edge": edge, "steps": steps}


def _self_fed(weight, steps, bias):
    """Last state and its derivative in the weight, (W,) each, of one unit h = tanh(w h + b); a run for each weight."""
    runs = len(weight)
    wh, h0 = weight[:, None, None], np.full((runs, 1, 1), 0.5)
    out, cache = rnn_forward(np.zeros((runs, 1, steps, 1)), h0, np.zeros_like(wh), wh, np.full_like(wh, bias))
    dout = np.zeros_like(out)
    dout[:, :, -1] = 1
    _, _, _, dwh, _ = rnn_backward(dout, cache)
    return out[:, 0, -1, 0], dwh.ravel()


def _batches_of_additions(rng, bits, runs):
    """The function that `descend` draws from: 32 additions, the same for all runs."""

    def sample():
        batch = additions(rng, 32, bits)
        return batch["x"], np.broadcast_to(batch["y"], (runs, *batch["y"].shape))

    return sample


def clipping(max_norm=None, lr=3.0, bits=20, hidden=16, steps=300, seeds=(0, 1, 2)) -> dict:
    """Plain SGD at a large rate learns addition with an RNN, with the gradient clipped to `max_norm`, or not (None).

    Returns loss (steps, S) and norm (steps, S), the length of the gradient before it was clipped.
    """
    net = Sequential([RNN(2, hidden), EachStep(Dense(hidden, 2))])
    rng, norms = np.random.default_rng(0), []

    def watch(now):
        norms.append(optimizers.global_norm(now.grads, run_axes=1))

    clips = [] if max_norm is None else [optimizers.global_norm_clip(max_norm, run_axes=1)]
    rule = optimizers.chain(*clips, optimizers.sgd(lr))
    sample = _batches_of_additions(rng, bits, len(seeds))
    run = descend(net, _start(net, seeds), sample, rule, steps=steps, loss=sequence_cross_entropy, watch=watch)
    return {"loss": run.loss, "norm": np.array(norms)}


def stacked(layers=2, start="orthogonal", bits=8, hidden=16, steps=300, seeds=(0, 1, 2)) -> dict:
    """Addition with several plain recurrent layers on top of each other, from two kinds of first weights.

    Returns loss (steps, S), and gradient (S,), the norm of the first layer's recurrent gradient at the first step.
    """
    _checks.choice("start", start, ("orthogonal", "uniform"))
    kinds = {} if start == "orthogonal" else {"input_weights": torch_start, "hidden_weights": torch_start}
    first = RNN(2, hidden, **kinds)
    net = Sequential([first, *(RNN(hidden, hidden, **kinds) for _ in range(layers - 1)), EachStep(Dense(hidden, 2))])
    rng, gradients = np.random.default_rng(0), []

    def watch(now):
        gradients.append(optimizers.global_norm({"wh": now.grads["rnn_0"]["wh"]}, run_axes=1))

    rule = optimizers.adam(1e-2)
    sample = _batches_of_additions(rng, bits, len(seeds))
    run = descend(net, _start(net, seeds), sample, rule, steps=steps, loss=sequence_cross_entropy, watch=watch)
    return {"loss": run.loss, "gradient": gradients[0]}


# Delay


def delayed_recall(rng, n: int, delay: int, symbols: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A symbol, then `delay` steps of two others at random: x (n, delay + 1, symbols + 2) one-hot, y (n,) the first."""
    y = np.arange(n) % symbols
    x = np.zeros((n, delay + 1, symbols + 2), np.float32)
    x[np.arange(n), 0, y] = 1
    noise = rng.integers(symbols, symbols + 2, (n, delay))
    x[np.arange(n)[:, None], np.arange(1, delay + 1), noise] = 1
    return x, y


def learn_delay(
    cell="LSTM", delay=50, bias=5.0, hidden=16, steps=200, lr=3e-3, seeds=(0, 1, 2), start="PyTorch"
) -> dict:
    """Train a cell to recall the first symbol after a delay.

    Parameters
    ----------
    cell : "RNN", "GRU" or "LSTM"
    start : of the RNN, "PyTorch" (uniform weights) or "orthogonal" (this course's default)
    bias : first bias of the gate that keeps: the LSTM's forget gate, the GRU's update gate

    Returns
    -------
    loss : (steps, S)
    accuracy : (S,) on 200 new sequences; guessing gives 0.5
    """
    _checks.choice("cell", cell, CELLS)
    _checks.choice("start", start, ("PyTorch", "orthogonal"))
    inputs = 4
    drawn = (torch_start, torch_start) if start == "PyTorch" else ()
    layer = {
        "RNN": lambda: RNN(inputs, hidden, *drawn),
        "GRU": lambda: GRU(inputs, hidden),
        "LSTM": lambda: LSTM(inputs, hidden, forget_bias=bias),
    }[cell]()
    net = Sequential([layer, LastStep(), Dense(hidden, 2)])
    params = _start(net, seeds)
    if cell == "GRU":
        params["gru_0"]["b"][..., hidden : 2 * hidden] = bias
    rng = np.random.default_rng(seeds[0])

    def sample():
        x, y = delayed_recall(rng, 32, delay)
        return x, np.broadcast_to(y, (len(seeds), len(y)))

    optimizer = optimizers.chain(optimizers.global_norm_clip(1.0, run_axes=1), optimizers.adam(lr))
    run = descend(net, params, sample, optimizer, steps=steps)
    x, y = delayed_recall(np.random.default_rng(1000), 200, delay)
    scores = net.forward(run.params, {}, x, training=False)[0]
    return {"loss": run.loss, "accuracy": accuracy(scores, np.broadcast_to(y, (len(seeds), len(y))))}


SYMBOLS = 4
TRAINED = (20, 100)


def train_recall(cell, longest, hidden=16, steps=800, seeds=(0, 1, 2)):
    """Train a cell to recall one of `SYMBOLS`, with a delay drawn from 1 to `longest` for every batch.

    The RNN starts as PyTorch's does. Returns (net, params with a run axis).
    """
    start = {"input_weights": torch_start, "hidden_weights": torch_start} if cell == "RNN" else {}
    net = Sequential([CELLS[cell](SYMBOLS + 2, hidden, **start), LastStep(), Dense(hidden, SYMBOLS)])
    rng = np.random.default_rng(seeds[0])

    def sample():
        x, y = delayed_recall(rng, 32, int(rng.integers(1, longest + 1)), SYMBOLS)
        return x, np.broadcast_to(y, (len(seeds), len(y)))

    optimizer = optimizers.chain(optimizers.global_norm_clip(1.0, run_axes=1), optimizers.adam(3e-3))
    return net, descend(net, _start(net, seeds), sample, optimizer, steps=steps).params


@shared()
def _recall_weights():
    return weights.load("recall", np.float64).params


def recall(cell="RNN", trained=100, delay=20, longest=200, sequences=60, seed=0) -> dict:
    """What a trained cell still knows of the first of `SYMBOLS` symbols, step by step.

    Parameters
    ----------
    trained : the cells were trained with delays from 1 to this, 20 or 100 (`coursekit.experiments.recipes.recall`)
    delay : where to look

    Returns
    -------
    recalled : (longest + 1,) share of the sequences whose first symbol is named, asked after each delay
    right : (sequences, longest + 1) probability that the net gives to the right symbol
    cell, trained, delay : the settings
    at : the share recalled at `delay`
    """
    _checks.choice("cell", cell, CELLS)
    _checks.choice("trained", trained, TRAINED)
    params = _recall_weights()[f"{cell}, {trained}"]
    hidden = params["dense_2"]["w"].shape[0]
    net = Sequential([CELLS[cell](SYMBOLS + 2, hidden), EachStep(Dense(hidden, SYMBOLS))])
    x, y = delayed_recall(np.random.default_rng(seed), sequences, longest, SYMBOLS)
    params = dict(zip(net.names, params.values(), strict=True))
    scores = net.forward(params, {}, x.astype(np.float64), training=False)[0]
    right = softmax(scores)[np.arange(sequences), :, y]
    recalled = (scores.argmax(axis=-1) == y[:, None]).mean(axis=0)
    settings = {"cell": cell, "trained": trained, "delay": delay}
    return settings | {"recalled": recalled, "right": right, "at": float(recalled[delay])}


def hold_and_learn(seeds=(0, 1, 2, 3, 4), delay=200) -> dict:
    """Plain RNNs trained with delays up to 20 and up to 100: share recalled after `delay` steps, (S,) each."""
    results = {}
    x, y = delayed_recall(np.random.default_rng(1000), 200, delay, SYMBOLS)
    for longest in TRAINED:
        net, params = train_recall("RNN", longest, seeds=seeds)
        scores = net.forward(params, {}, x, training=False)[0]
        results[longest] = accuracy(scores, np.broadcast_to(y, (len(seeds), len(y))))
    return results


def nilpotent(steps=30) -> dict:
    """A recurrent matrix with all eigenvalues 0 whose gradient explodes once tanh holds one unit still.

    W = ((3, -9), (1, -3)), so W W = 0. With the biases -1 and 50 the first unit stays at 0, where the slope is 1,
    and the
    second at 1, where it is 0: (slope) W is no longer nilpotent, and has the eigenvalue 3.

    Returns
    -------
    tanh, linear : (steps,) norm of the gradient after 1, 2, ... steps back, with the slopes and without
    radius, singular : the largest absolute eigenvalue and the largest singular value of W
    """
    w, bias, h = np.array([[3.0, -9.0], [1.0, -3.0]]), np.array([-1.0, 50.0]), np.array([0.0, 1.0])
    norms = {"tanh": [], "linear": []}
    gradient = dict.fromkeys(norms, np.array([1.0, 0.0]))
    for _ in range(steps):
        h = np.tanh(h @ w + bias)
        gradient["tanh"] = (gradient["tanh"] * (1 - h**2)) @ w.T
        gradient["linear"] = gradient["linear"] @ w.T
        for name, found in norms.items():
            found.append(np.linalg.norm(gradient[name]))
    return {name: np.array(found) for name, found in norms.items()} | {
        "radius": float(np.abs(np.linalg.eigvals(w)).max().round(6)),
        "singular": float(np.linalg.norm(w, 2)),
    }


MATRICES = {"an ordinary one": ((0.6, 1.1), (-0.2, 0.9)), "all eigenvalues 0": ((3.0, -9.0), (1.0, -3.0))}


def stretched(matrix="an ordinary one", slope: float = 1.0, steps=10) -> dict:
    """What one step back, and many, do to a gradient: the product of the slopes of tanh and of a matrix of `MATRICES`.

    The first unit's slope is 1, the second's is `slope`, at every step.

    Returns
    -------
    circle, step : (2, 91) gradients of length 1 in all directions, and what one step makes of them
    most : (steps,) the largest factor by which 1, 2, ... steps stretch a gradient
    singular, radius : of one step, the largest singular value and the largest size of an eigenvalue
    """
    _checks.choice("matrix", matrix, MATRICES)
    back = np.diag([1.0, _checks.number("slope", slope, low=0, high=1)]) @ np.array(MATRICES[matrix]).T
    turn = np.linspace(0, 2 * np.pi, 91)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    powers = [np.linalg.norm(np.linalg.matrix_power(back, k), 2) for k in range(1, steps + 1)]
    return {
        "matrix": matrix,
        "slope": slope,
        "circle": circle,
        "step": back.T @ circle,
        "most": np.array(powers),
        "singular": float(powers[0]),
        "radius": float(np.abs(np.linalg.eigvals(back)).max()),
    }


# Text

TEXTS = {"Shakespeare": "char_rnn_shakespeare", "Korean constitution": "char_rnn_korean"}
WRITERS = {
    "char_rnn_shakespeare": {"features": 24, "hidden": 120},
    "char_rnn_korean": {"features": 24, "hidden": 96},
}
PIECE = 100  # letters that are read in one go when the networks learn


def text_of(name: str) -> str:
    """The text that the weights `name` are trained on.

    Korean is written in blocks of two or three letters. The network reads and writes the letters (Unicode's NFD
    form): 380 different blocks are too many to learn from 18,000 of them, the letters are some 70.
    """
    if name == "char_rnn_shakespeare":
        return data.shakespeare()
    return unicodedata.normalize("NFD", re.sub(" +", " ", data.korean_constitution()))


def writer(name: str) -> tuple[Sequential, Vocabulary]:
    """The network and the vocabulary of the weights `name`."""
    vocabulary = Vocabulary.of(text_of(name))
    return char_rnn(len(vocabulary), **WRITERS[name]), vocabulary


def pieces(name: str, vocabulary: Vocabulary) -> list[tuple[np.ndarray, np.ndarray]]:
    """The text in pieces of 100 letters, (x, y) each: to learn from (eight of ten), to stop by, to test on."""
    x, y = next_character_examples(vocabulary.encode(text_of(name)), PIECE)
    tenth = np.arange(len(x)) % 10
    return [(x[part], y[part]) for part in (tenth < 8, tenth == 8, tenth == 9)]


def bigram_bits(learn, test, letters: int) -> float:
    """Bits per letter on `test` of a table of pairs counted in `learn`, each pair counted once more than seen."""
    counts = np.ones((letters, letters))
    np.add.at(counts, learn, 1)
    p = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log2(p[test]).mean())


def ngram_bits(learn, test, letters: int, order: int = 4) -> float:
    """Bits per letter on `test` of a table of up to `order` letters of context, by Witten and Bell's interpolation.

    p(w | h) = (c(h w) + T(h) p(w | h without its first letter)) / (c(h) + T(h)), with c the counts in `learn` and T(h)
    the number of different letters that followed h. A piece of the text begins without context.
    """
    tables = [collections.defaultdict(collections.Counter) for _ in range(order + 1)]
    for x, y in zip(*(part.tolist() for part in learn), strict=True):
        for t, letter in enumerate(y):
            for k in range(min(order, t + 1) + 1):
                tables[k][tuple(x[t + 1 - k : t + 1])][letter] += 1
    totals = [{h: (sum(c.values()), len(c)) for h, c in table.items()} for table in tables]

    def probability(letter, context):
        p = 1 / letters
        for k in range(len(context) + 1):
            h = tuple(context[len(context) - k :])
            if h not in totals[k]:
                break
            count, kinds = totals[k][h]
            p = (tables[k][h][letter] + kinds * p) / (count + kinds)
        return p

    bits = [
        -np.log2(probability(letter, x[max(0, t + 1 - order) : t + 1]))
        for x, y in zip(*(part.tolist() for part in test), strict=True)
        for t, letter in enumerate(y)
    ]
    return float(np.mean(bits))


@shared()
def _writer(source):
    """(model, vocabulary, params, the words of the text) of a source."""
    name = TEXTS[_checks.choice("source", source, TEXTS)]
    model, vocabulary = writer(name)
    words = frozenset(_words(unicodedata.normalize("NFC", text_of(name))))
    return model, vocabulary, weights.load(name, np.float64).params, words


def _words(text):
    return re.findall(r"\w+", text.lower())


def written(source="Shakespeare", temperature=0.7, seed=1, length=None) -> dict:
    """Let the shipped network write `length` letters (None: a picture full) at a temperature; `seed` draws them.

    Returns
    -------
    text : what was written, without the prompt
    codes : its code points as numbers
    known, distinct : share of its words that occur in the text the network was trained on; share of different words
    """
    model, vocabulary, params, words = _writer(source)
    length = length or (420 if source == "Shakespeare" else 700)  # about 300 blocks of Korean letters
    prompt = "\n\n" if source == "Shakespeare" else "\n"
    rng = np.random.default_rng(seed)
    drawn = write_text(model, params, vocabulary, rng, prompt=prompt, length=length, temperature=temperature)
    text = unicodedata.normalize("NFC", drawn[len(prompt) :])
    found = _words(text)[:-1]  # the last word may be cut
    known = float(np.mean([word in words for word in found])) if found else 0.0
    distinct = len(set(found)) / max(len(found), 1)
    codes = np.array([ord(c) for c in text])
    settings = {"source": source, "temperature": temperature, "seed": seed}
    return settings | {"text": text, "codes": codes, "known": known, "distinct": distinct}


def text_bits(source="Shakespeare") -> dict:
    """Bits per letter on the tenth of the text that was kept: of guessing, tables of one and four letters, the network.

    The network is the shipped one, with its numbers rounded to half precision.
    """
    model, vocabulary, params, _ = _writer(source)
    learn, _, (x, y) = pieces(TEXTS[source], vocabulary)
    nats, _ = sequence_cross_entropy(predict(model, params, {}, x), y)
    return {
        "guessing": float(np.log2(len(vocabulary))),
        "pairs": bigram_bits(learn, (x, y), len(vocabulary)),
        "4 letters": ngram_bits(learn, (x, y), len(vocabulary)),
        "network": float(nats / np.log(2)),
    }


def sharpened(scores=(2.0, 1.0, 0.0), temperatures=(0.25, 0.5, 1.0, 2.0, 4.0)) -> np.ndarray:
    """softmax(scores / temperature), (temperatures, scores)."""
    return softmax(np.array(scores) / np.array(temperatures)[:, None])
