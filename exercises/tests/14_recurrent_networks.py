"""Cases of exercise sheet 14, recurrent networks."""

import itertools

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true
from coursekit.grading.several import expect_calls, expect_number, expect_results

TITLE = "Recurrent networks"


def draw(rng):
    """x (N, T, D), h0 (N, H), wx, wh, b: all sizes different, no start of zeros, no symmetric weights."""
    n, t, d = 2, int(rng.integers(4, 7)), 3
    hidden = int(rng.integers(7, 9))
    x, h0 = rng.normal(0, 1, (n, t, d)), rng.uniform(-0.9, 0.9, (n, hidden))
    wx, wh = rng.normal(0, 0.5, (d, hidden)), rng.normal(0, 0.5, (hidden, hidden))
    return x, h0, wx, wh, rng.uniform(0.3, 1, hidden) * rng.choice([-1, 1], hidden)


def states_of(x, h0, wx, wh, b):
    h, states = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ wx + h @ wh + b)
        states.append(h)
    return np.stack(states, axis=1)


Q1 = question(
    "14.1",
    title="A recurrent network",
    minutes=12,
    hints=[
        "The shapes are (N, D) @ (D, H) + (N, H) @ (H, H) + (H,), and tanh goes over the sum of the three.",
        "In the loop, `x[:, t]` is what step t reads. The state that comes out goes into the next step.",
        "Keep what `rnn_step` returns under the name h, and append it to the list.",
    ],
)


@case("rnn_step: one step")
def one_step(rnn_step, *, rng):
    x, h, wx, wh, b = draw(rng)
    x = x[:, 0]
    a = x @ wx + h @ wh + b
    right = np.tanh(a)
    expect_equal(
        rnn_step(x, h, wx, wh, b),
        right,
        what="rnn_step(x, h, wx, wh, b)",
        mistakes={
            "tanh is missing": a,
            "the state before was left out: that is a net without memory": np.tanh(x @ wx + b),
            "the input was left out": np.tanh(h @ wh + b),
            "wh was left out: the state goes through its weights": np.tanh(x @ wx + h + b),
            "the bias was left out": np.tanh(x @ wx + h @ wh),
            "the bias was added twice": np.tanh(a + b),
            "the bias was subtracted": np.tanh(a - 2 * b),
            "tanh covers the products, but not the bias": np.tanh(x @ wx + h @ wh) + b,
            "tanh was taken of each part: it goes over their sum": np.tanh(x @ wx) + np.tanh(h @ wh) + b,
            "tanh was taken of each product, and of the bias: it goes over their sum": np.tanh(x @ wx)
            + np.tanh(h @ wh)
            + np.tanh(b),
            "tanh was taken of the input's part only": np.tanh(x @ wx) + h @ wh + b,
            "tanh was taken twice": np.tanh(right),
            "the old state was added to the new one": h + right,
            "the two products were multiplied: they are added": np.tanh((x @ wx) * (h @ wh) + b),
            "wh is transposed: states are rows, so h @ wh": np.tanh(x @ wx + h @ wh.T + b),
            "a sigmoid was used in place of tanh": 1 / (1 + np.exp(-a)),
            "ReLU was used in place of tanh": np.maximum(a, 0),
            "a sine was used in place of tanh": np.sin(a),
            "the axes are (H, N): states are rows, (N, H)": right.T,
            "only the first sequence was read": right[:1],
            "the state of one sequence came back, without the batch": right[0],
        },
    )  # fmt: skip


@case("rnn: the states of all steps")
def all_states(rnn_step, rnn, *, rng):
    x, h0, wx, wh, b = draw(rng)
    want = states_of(x, h0, wx, wh, b)
    n, steps = x.shape[:2]
    fresh = np.stack([np.tanh(x[:, t] @ wx + h0 @ wh + b) for t in range(steps)], axis=1)
    late = np.concatenate([h0[:, None], want[:, :-1]], axis=1)
    zeros = states_of(x, np.zeros_like(h0), wx, wh, b)
    twice = states_of(np.repeat(x, 2, axis=1), h0, wx, wh, b)
    expect_equal(
        rnn(x, h0, wx, wh, b),
        want,
        what="rnn(x, h0, wx, wh, b)",
        mistakes={
            "every step starts from h0: the state is not handed on": fresh,
            "the states from before the steps were kept, not those from after them": late,
            "the first state is in the list as well: only those after the steps are": np.concatenate([h0[:, None], want], axis=1),
            "the first state is zero whatever h0 is": zeros,
            "every step starts from zero: the state is not handed on, and h0 not used": np.tanh(x @ wx + b),
            "the axes are (T, N, H): stack along axis 1": want.swapaxes(0, 1),
            "the states were stacked along the last axis: (N, T, H) needs axis 1": want.swapaxes(1, 2),
            "only the last state came back": want[:, -1],
            "only the last state came back, with an axis of one step": want[:, -1:],
            "the loop runs over the batch, N times: x.shape[1] is the number of steps": want[:, :n],
            "the loop runs over the features, D times: x.shape[1] is the number of steps": want[:, : x.shape[2]],
            "the last step is missing": want[:, :-1],
            "the first step is missing": want[:, 1:],
            "the sequence was read backwards": states_of(x[:, ::-1], h0, wx, wh, b),
            "the sequence was read backwards, and the states put in the order of the sequence": states_of(
                x[:, ::-1], h0, wx, wh, b
            )[:, ::-1],
            "the states come in reverse order": want[:, ::-1],
            "every step read the first input: x[:, t] is that of step t": states_of(np.repeat(x[:, :1], steps, axis=1), h0, wx, wh, b),
            "every entry of the list is the same array, which the next step overwrites": np.repeat(want[:, -1:], steps, axis=1),
            "each step was made twice": twice[:, 1::2],
        },
    )  # fmt: skip


Q2 = question(
    "14.2",
    title="Backpropagation through time",
    minutes=15,
    hints=[
        "The gradient of the state after step t is `dout[:, t] + dh`: from the loss, and from the step after.",
        "The slope of tanh is written with its output, 1 - h squared, and h after step t is `states[:, t]`.",
        "Weight gradients are added to in every step (`+=`); `dx[:, t]` and `dh` are set anew.",
    ],
)


def through_time(
    dout, x, h0, states, wx, wh, *, da=None, carry=None, before=None, only=None, forward=False, dx=None, first=None
):
    """The right gradients by name, and, by the settings, those of usual mistakes."""
    grads = {
        "dx": np.zeros_like(x),
        "dh0": None,
        "dwx": np.zeros_like(wx),
        "dwh": np.zeros_like(wh),
        "db": np.zeros(len(wh)),
    }
    dh, steps = np.zeros_like(h0), range(x.shape[1])
    for t in steps if forward else reversed(steps):
        past, h = (states[:, t - 1] if t else h0), states[:, t]
        a = (dout[:, t] + dh) * (1 - h**2) if da is None else da(dout[:, t], dh, h, past)
        if only in (None, t):
            grads["dwx"] += x[:, t].T @ a
            grads["dwh"] += (past if before is None else before(past, h, t)).T @ a
            grads["db"] += a.sum(axis=0)
        grads["dx"][:, t] = a @ wx.T if dx is None else dx(a)
        back = a @ wh.T if carry is None else carry(a, dh)
        dh = back if t or first is None else first(a, dh)
    grads["dh0"] = dh
    return grads


def time_mistakes(dout, x, h0, states, wx, wh):
    last = x.shape[1] - 1
    settings = {
        "nothing comes back from the step after: dh has to be added to dout[:, t]": {"da": lambda d, dh, h, p: d * (1 - h**2)},
        "dout is missing: the gradient of the state is dout[:, t] + dh": {"da": lambda d, dh, h, p: dh * (1 - h**2)},
        "dh was subtracted: both gradients add up": {"da": lambda d, dh, h, p: (d - dh) * (1 - h**2)},
        "dh was added up over the steps (+=): it is set anew at each": {"carry": lambda a, dh: dh + a @ wh.T},
        "dh is not multiplied with the transpose of wh": {"carry": lambda a, dh: a @ wh},
        "dh was not multiplied with wh": {"carry": lambda a, dh: a},
        "the slope of tanh is missing": {"da": lambda d, dh, h, p: d + dh},
        "the slope of tanh belongs to the whole sum: dout[:, t] goes without it": {"da": lambda d, dh, h, p: d + dh * (1 - h**2)},
        "the slope of tanh belongs to the whole sum: dh goes without it": {"da": lambda d, dh, h, p: d * (1 - h**2) + dh},
        "the slope is 1 - h: it is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * (1 - h)},
        "the slope is h squared: it is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * h**2},
        "the slope is 1 + h squared: it is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * (1 + h**2)},
        "the slope is (1 - h) squared: it is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * (1 - h) ** 2},
        "the sum was divided by the slope of tanh": {"da": lambda d, dh, h, p: (d + dh) / (1 - h**2)},
        "the slope of the sigmoid was used, h (1 - h): that of tanh is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * h * (1 - h)},
        "the slope of ReLU was used: that of tanh is 1 - h squared": {"da": lambda d, dh, h, p: (d + dh) * (h > 0)},
        "tanh was taken of the state once more: states are outputs of tanh already": {
            "da": lambda d, dh, h, p: (d + dh) * (1 - np.tanh(h) ** 2)
        },
        "the slope was taken at the state before the step: it belongs to the one after, states[:, t]": {
            "da": lambda d, dh, h, p: (d + dh) * (1 - p**2)
        },
        "dwh was made with the state after the step: it needs the one before": {"before": lambda p, h, t: h},
        "dwh was made with h0 at every step: it needs the state before that step": {"before": lambda p, h, t: h0},
        "the state before the first step was taken for zero in dwh: it is h0": {"before": lambda p, h, t: p if t else 0 * p},
        "the state before the first step was taken for the last one (index -1) in dwh: it is h0": {
            "before": lambda p, h, t: states[:, t - 1]
        },
        "the weight gradients are those of the first step alone: add up over the steps": {"only": 0},
        "the weight gradients are those of the last step alone: add up over the steps": {"only": last},
        "the loop runs forward: gradients come from the later steps": {"forward": True},
        "dh0 is the gradient of the first sum, da: it still goes back through wh": {"first": lambda a, dh: a},
        "dh0 is one step short: the loop stops before the first step's own": {"first": lambda a, dh: dh},
    }  # fmt: skip
    found = {text: through_time(dout, x, h0, states, wx, wh, **change) for text, change in settings.items()}
    right = through_time(dout, x, h0, states, wx, wh)
    n, steps = x.shape[:2]
    carried, das = np.zeros_like(h0), np.zeros_like(states)
    for t in reversed(range(steps)):
        das[:, t] = (dout[:, t] + carried) * (1 - states[:, t] ** 2)
        carried = das[:, t] @ wh.T
    weights = ("dwx", "dwh", "db")
    found |= {
        "a mean over the batch was taken, not a sum": {name: right[name] / n for name in weights},
        "a mean over the batch was taken for db, not a sum": {"db": right["db"] / n},
        "a mean over the steps was taken, not a sum": {name: right[name] / steps for name in weights},
        "db was not summed over the batch": {"db": das.sum(axis=1)},
        "db was summed over the units, not over the batch": {"db": das.sum(axis=(1, 2))},
        "db was summed to one number": {"db": float(das.sum())},
        "db has one row for each step: it is a sum over the steps": {"db": das.sum(axis=0)},
        "dwh is transposed: it is the state before, transposed, times da": {"dwh": right["dwh"].T},
        "dwx is transposed: it is x, transposed, times da": {"dwx": right["dwx"].T},
        "dwh was made with the input in place of the state": {"dwh": right["dwx"]},
        "dx is in the reverse order of the steps": {"dx": right["dx"][:, ::-1]},
        "dx holds the last step's gradient only": {"dx": np.where(np.arange(steps)[:, None] == last, right["dx"], 0)},
        "dx holds the first step's gradient only": {"dx": np.where(np.arange(steps)[:, None] == 0, right["dx"], 0)},
        "dx has the axes (T, N, D)": {"dx": right["dx"].swapaxes(0, 1)},
        "dx was added up over the steps": {"dx": right["dx"][:, ::-1].cumsum(axis=1)[:, ::-1]},
        "dh0 is zero: it is the dh that is left after the first step": {"dh0": np.zeros_like(h0)},
    }
    return found


def time_problem(rng):
    x, h0, wx, wh, b = draw(rng)
    states = states_of(x, h0, wx, wh, b)
    dout = rng.uniform(0.3, 2, states.shape) * rng.choice([-1, 1], states.shape)
    return dout, x, h0, states, wx, wh


@case("rnn_backward: gradients")
def backward(rnn_backward, *, rng):
    given = time_problem(rng)
    expect_results(
        rnn_backward(*(array.copy() for array in given)),
        through_time(*given),
        what="rnn_backward(dout, x, h0, states, wx, wh)",
        mistakes=time_mistakes(*given),
    )


@case("rnn_backward: gradients, other inputs", hidden=True)
def backward_again(rnn_backward, *, rng):
    backward(rnn_backward, rng=rng)


@case("rnn_backward: a loss that sees the last step only")
def backward_last(rnn_backward, *, rng):
    given = time_problem(rng)
    given[0][:, :-1] = 0
    expect_results(
        rnn_backward(*(array.copy() for array in given)),
        through_time(*given),
        what="rnn_backward with dout zero but for the last step",
        mistakes=time_mistakes(*given),
    )


Q3 = question(
    "14.3",
    title="One step of an LSTM",
    minutes=12,
    hints=[
        "One product for all gates: `np.split(x @ wx + h @ wh + b, 4, axis=-1)`, in the order i, f, g, o.",
        "i, f and o are shares between 0 and 1: sigmoid. g is what is written, of either sign: tanh.",
        "The new cell first, `f * c + i * g`; then the new state from it. Return (h', c').",
    ],
)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_of(
    x, h, c, wx, wh, b, *, order="ifgo", gate=sigmoid, write=np.tanh, show=np.tanh, cell=None, state=None, sum_of="xhb"
):
    """(h', c') of a step, and what comes of it when a part is changed."""
    a = ("x" in sum_of) * (x @ wx) + ("h" in sum_of) * (h @ wh) + ("b" in sum_of) * b
    parts = dict(zip(order, np.split(a, 4, axis=-1), strict=True))
    i, f, g, o = gate(parts["i"]), gate(parts["f"]), write(parts["g"]), gate(parts["o"])
    new = f * c + i * g if cell is None else cell(i, f, g, o, c)
    return {"h'": o * show(new) if state is None else state(i, f, g, o, c, new), "c'": new}


LSTM = {
    "g went through the sigmoid: what is written can be negative, so tanh": {"write": sigmoid},
    "g went through nothing: tanh is missing": {"write": lambda a: a},
    "the gates went through tanh: i, f and o are shares between 0 and 1, so the sigmoid": {"gate": np.tanh},
    "the gates went through nothing: the sigmoid is missing": {"gate": lambda a: a},
    "tanh of the cell is missing in the state": {"show": lambda a: a},
    "a sigmoid of the cell was taken in the state, not tanh": {"show": sigmoid},
    "the forget gate is missing: the old cell was kept whole": {"cell": lambda i, f, g, o, c: c + i * g},
    "the input gate is missing: what is written is i * g": {"cell": lambda i, f, g, o, c: f * c + g},
    "the old cell is missing: that is f * c": {"cell": lambda i, f, g, o, c: i * g},
    "what is written is missing: that is i * g": {"cell": lambda i, f, g, o, c: f * c},
    "1 - f was used for the input gate, as in a GRU: the LSTM has i": {
        "cell": lambda i, f, g, o, c: f * c + (1 - f) * g
    },
    "1 - i was used for the forget gate: the LSTM has f": {"cell": lambda i, f, g, o, c: (1 - i) * c + i * g},
    "1 - f was kept of the old cell: f is what is kept": {"cell": lambda i, f, g, o, c: (1 - f) * c + i * g},
    "input and forget gate are the wrong way round: the order is i, f, g, o, and f keeps the old cell": {
        "cell": lambda i, f, g, o, c: i * c + f * g
    },
    "the two parts of the cell were multiplied: they are added": {"cell": lambda i, f, g, o, c: (f * c) * (i * g)},
    "tanh was taken of the cell itself: it belongs to the state": {
        "cell": lambda i, f, g, o, c: np.tanh(f * c + i * g)
    },
    "the forget gate covers the new part as well": {"cell": lambda i, f, g, o, c: f * (c + i * g)},
    "the state was made from the old cell": {"state": lambda i, f, g, o, c, new: o * np.tanh(c)},
    "the output gate is missing: the state is o * tanh of the cell": {"state": lambda i, f, g, o, c, new: np.tanh(new)},
    "tanh covers the output gate as well: it is o * tanh of the cell": {
        "state": lambda i, f, g, o, c, new: np.tanh(o * new)
    },
    "the output gate was added: it multiplies": {"state": lambda i, f, g, o, c, new: o + np.tanh(new)},
    "the state was made of the output gate alone": {"state": lambda i, f, g, o, c, new: o},
    "the state was left out of the gates: x @ wx + h @ wh + b": {"sum_of": "xb"},
    "the input was left out of the gates: x @ wx + h @ wh + b": {"sum_of": "hb"},
    "the bias was left out of the gates: x @ wx + h @ wh + b": {"sum_of": "xh"},
}


def lstm_mistakes(given):
    found = {text: lstm_of(*given, **settings) for text, settings in LSTM.items()}
    for order in itertools.permutations("ifgo"):
        name = ", ".join(order)
        if name not in ("i, f, g, o", "f, i, g, o"):
            found[f"the gates were taken in the order {name}: it is i, f, g, o"] = lstm_of(*given, order="".join(order))
    right = lstm_of(*given)
    found["the pair is the wrong way round: (h', c')"] = {"h'": right["c'"], "c'": right["h'"]}
    found["the new state came back twice: (h', c') is asked for"] = {"c'": right["h'"]}
    found["the new cell came back twice: (h', c') is asked for"] = {"h'": right["c'"]}
    found["the old cell came back"] = {"c'": given[2]}
    return found


def lstm_problem(rng):
    n, d, hidden = 4, 3, int(rng.integers(5, 8))
    x, h, c = (rng.normal(0, 1, (n, k)) for k in (d, hidden, hidden))
    wx, wh = rng.normal(0, 0.7, (d, 4 * hidden)), rng.normal(0, 0.5, (hidden, 4 * hidden))
    return x, h, c, wx, wh, rng.normal(0, 1, 4 * hidden)


@case("lstm_step: state and cell", points=2)
def lstm(lstm_step, *, rng):
    given = lstm_problem(rng)
    expect_results(
        lstm_step(*(array.copy() for array in given)),
        lstm_of(*given),
        what="lstm_step(x, h, c, wx, wh, b)",
        mistakes=lstm_mistakes(given),
    )


@case("lstm_step: open and closed gates")
def lstm_gates(lstm_step, *, rng):
    x, h, c, _, _, _ = lstm_problem(rng)
    hidden = h.shape[1]
    b = np.repeat([-40.0, 40.0, 0.3, 40.0], hidden)  # write nothing, keep all, show all
    given = x, h, c, np.zeros((x.shape[1], 4 * hidden)), np.zeros((hidden, 4 * hidden)), b
    expect_results(
        lstm_step(*(array.copy() for array in given)),
        lstm_of(*given),
        what="lstm_step with a closed input gate, and the others open,",
        mistakes={"the cell was forgotten": {"c'": np.zeros_like(c)}} | lstm_mistakes(given),
    )


Q4 = question(
    "14.4",
    title="Clipping",
    minutes=8,
    hints=[
        "One length for all arrays together: add up the squares of all entries, then take one square root.",
        "Only gradients longer than `max_norm` are shortened; the others come back as they are.",
        "`{name: g * scale for name, g in grads.items()}` makes new arrays.",
    ],
)


def gradients(rng):
    """Arrays of different lengths and shapes, all together longer than 2."""
    arrays = (("wh", 3, (4, 5)), ("b", 0.5, (5,)), ("filters", 0.2, (2, 3, 2)))
    return {name: rng.normal(0, spread, shape) for name, spread, shape in arrays}


def length(grads):
    return float(np.sqrt(sum((g**2).sum() for g in grads.values())))


def scaled(grads, factor):
    return {name: g * factor for name, g in grads.items()}


def clipped(grads, most, norm=length, always=False):
    found = norm(grads)
    return scaled(grads, most / found) if always or found > most else scaled(grads, 1.0)


def norms(grads):
    return [float(np.linalg.norm(g)) for g in grads.values()]


CLIPPING = {
    "nothing was clipped": lambda grads, most: grads,
    "each array was clipped by itself: one length for all together": lambda grads, most: {
        name: g * min(1, most / np.linalg.norm(g)) for name, g in grads.items()
    },
    "each array was shortened by itself, whatever its length": lambda grads, most: {
        name: g * most / np.linalg.norm(g) for name, g in grads.items()
    },
    "the entries were cut off one by one: that turns the direction": lambda grads, most: {
        name: g.clip(-most, most) for name, g in grads.items()
    },
    "the entries were cut off above only": lambda grads, most: {name: np.minimum(g, most) for name, g in grads.items()},
    "the square root is missing in the length": lambda grads, most: clipped(grads, most, lambda g: length(g) ** 2),
    "the lengths of the arrays were added: add their squares, and take one root": lambda grads, most: clipped(
        grads, most, lambda g: sum(norms(g))
    ),
    "the largest of the arrays' lengths was taken: all together have one length": lambda grads, most: clipped(
        grads, most, lambda g: max(norms(g))
    ),
    "the mean of the arrays' lengths was taken: all together have one length": lambda grads, most: clipped(
        grads, most, lambda g: sum(norms(g)) / len(g)
    ),
    "only the last array's length was taken: all together have one length": lambda grads, most: clipped(
        grads, most, lambda g: norms(g)[-1]
    ),
    "only the first array's length was taken: all together have one length": lambda grads, most: clipped(
        grads, most, lambda g: norms(g)[0]
    ),
    "absolute values were added up for the length, not squares": lambda grads, most: clipped(
        grads, most, lambda g: sum(np.abs(v).sum() for v in g.values())
    ),
    "the largest entry was taken for the length": lambda grads, most: clipped(
        grads, most, lambda g: max(np.abs(v).max() for v in g.values())
    ),
    "a mean of the squares was taken for the length, not their sum": lambda grads, most: clipped(
        grads, most, lambda g: np.sqrt(sum((v**2).sum() for v in g.values()) / sum(v.size for v in g.values()))
    ),
    "the entries were added up before they were squared": lambda grads, most: clipped(
        grads, most, lambda g: np.sqrt(sum(v.sum() ** 2 for v in g.values()))
    ),
    "shortened to 1 whatever max_norm is": lambda grads, most: (
        scaled(grads, 1 / length(grads)) if length(grads) > most else grads
    ),
    "they were multiplied with max_norm, and not divided by their length": lambda grads, most: (
        scaled(grads, most) if length(grads) > most else grads
    ),
    "the factor is upside down: max_norm / length": lambda grads, most: (
        scaled(grads, length(grads) / most) if length(grads) > most else grads
    ),
    "max_norm was divided by the square of the length": lambda grads, most: (
        scaled(grads, most / length(grads) ** 2) if length(grads) > most else grads
    ),
    "short gradients were stretched: only long ones change": lambda grads, most: clipped(grads, most, always=True),
    "short gradients were stretched and long ones left: the condition is the wrong way round": lambda grads, most: (
        grads if length(grads) > most else scaled(grads, most / length(grads))
    ),
    "long gradients were set to zero": lambda grads, most: scaled(grads, 0.0) if length(grads) > most else grads,
    "a list came back: a dict with the same keys is asked for": lambda grads, most: list(clipped(grads, most).values()),
    "the length came back with the gradients: they alone are asked for": lambda grads, most: (
        clipped(grads, most),
        length(grads),
    ),
}  # fmt: skip


def clip_calls(clip, shares, rng, what):
    problems = []
    for share in shares:
        grads = gradients(rng)
        problems.append((grads, round(length(grads) * float(rng.uniform(*share)), 2)))
    expect_calls(
        clip,
        problems,
        clipped,
        what=lambda grads, most: f"clip(grads, {most}), for gradients of length {length(grads):.3g} {what},",
        mistakes=CLIPPING,
    )


@case("clip: gradients that are too long")
def clip_long(clip, *, rng):
    clip_calls(clip, [(0.1, 0.2), (0.6, 0.9), (1.2, 1.4)], rng, "(the first two are too long)")


@case("clip: gradients that are short enough")
def clip_short(clip, *, rng):
    clip_calls(clip, [(1.05, 1.2), (1.5, 3), (0.3, 0.5)], rng, "(the first two are short enough)")


@case("clip: gradients that are all zero")
def clip_zero(clip, *, rng):
    grads = {"wh": np.zeros((3, 2)), "b": np.zeros(2)}
    with np.errstate(divide="ignore", invalid="ignore"):
        got = clip({name: g.copy() for name, g in grads.items()}, float(rng.uniform(0.5, 2)))
    spoilt = type(got) is dict and any(
        type(g) is np.ndarray and g.dtype.kind == "f" and np.isnan(g).any() for g in got.values()
    )
    expect_true(
        not spoilt,
        "clip of gradients that are all zero gave NaN",
        mistake="0 was divided by the length 0: shorten only where the length is above max_norm",
    )
    expect_equal(got, grads, what="clip of gradients that are all zero")


Q5 = question(
    "14.5",
    title="Repair: cut a text for training",
    minutes=15,
    hints=[
        "For 25 letters and two rows S is 12: row 0 reads 0 to 11, row 1 reads 12 to 23. What are the pieces of 3?",
        "Make an array of the places first, (batch, count * steps): row b holds b * S, b * S + 1, ...",
        "Reshape the places to (batch, count, steps), and swap the first two axes. `letters[places + 1]` are the followers.",
    ],
)


def cut_text(letters, batch, steps, *, stretch=None, following=None, order="rows", count=None):
    """{x, y} of the pieces, and what comes of them when a part is changed."""
    long = (len(letters) - 1) // batch if stretch is None else stretch(len(letters), batch, steps)
    number = long // steps if count is None else count(long, steps)
    places = np.arange(batch)[:, None] * long + np.arange(number * steps)
    places = places.reshape(batch, number, steps).swapaxes(0, 1)
    if order == "text":
        places = np.arange(number * batch * steps).reshape(number, batch, steps)
    if order == "batch":
        places = places.swapaxes(0, 1)
    if order == "raw":
        places = places.swapaxes(0, 1).reshape(number, batch, steps)
    if order == "time":
        places = places.swapaxes(1, 2)
    x = letters[places % len(letters)]
    y = letters[(places + 1) % len(letters)] if following is None else following(x, letters, places)
    return {"x": x, "y": y}


def shifted_pieces(x, letters, places):
    y = np.roll(x, -1, axis=2)
    y[..., -1] = 0
    return y


def closed_rows(x, letters, places):
    y = letters[(places + 1) % len(letters)]
    y[-1, :, -1] = x[0, :, 0]
    return y


CUTS = {
    "nothing was repaired: each piece takes the next letters of the text for all rows, and y goes round inside a piece": {
        "order": "text", "following": lambda x, letters, places: np.roll(x, -1, axis=2),
    },
    "the rows do not go on: a row's next piece begins where the whole batch ended, not where the row ended": {"order": "text"},
    "the first axis is the row: pieces come first, (K, batch, steps)": {"order": "batch"},
    "the axes were reshaped where they are to be swapped: rows and pieces are mixed up": {"order": "raw"},
    "the axes are (K, steps, batch): (K, batch, steps) is asked for": {"order": "time"},
    "y goes round inside each piece: after its last letter comes the first of the next piece": {
        "following": lambda x, letters, places: np.roll(x, -1, axis=2)
    },
    "y goes round at the end of each row: the letter that follows in the text is asked for": {"following": closed_rows},
    "y ends with a 0 in each piece: the letter that follows is the first of the next piece": {"following": shifted_pieces},
    "y is x itself: the letter that follows is asked for": {"following": lambda x, letters, places: x},
    "y holds the letter before, not the one that follows": {"following": lambda x, letters, places: letters[places - 1]},
    "y is two letters ahead": {"following": lambda x, letters, places: letters[(places + 2) % len(letters)]},
    "the stretch is L // batch: the last letter needs one that follows it, so (L - 1) // batch": {
        "stretch": lambda n, batch, steps: n // batch
    },
    "the stretches were cut to whole pieces first, so that the rows begin too early": {
        "stretch": lambda n, batch, steps: (n - 1) // batch // steps * steps
    },
    "all rows read the beginning of the text": {"stretch": None, "order": "same"},
    "one piece too few was cut": {"count": lambda long, steps: long // steps - 1},
}  # fmt: skip


def cut_mistakes(letters, batch, steps):
    found = {}
    for text, settings in CUTS.items():
        if settings.get("order") == "same":
            right = cut_text(letters, batch, steps)
            found[text] = {name: np.repeat(part[:, :1], batch, axis=1) for name, part in right.items()}
        else:
            found[text] = cut_text(letters, batch, steps, **settings)
    return found


def cut_case(pieces, rng, rest, last, what):
    """`last` letters more than the rows take: with batch - 1 of them, L // batch is another stretch than (L - 1) // batch."""
    batch, steps, count = int(rng.integers(3, 5)), int(rng.integers(5, 8)), int(rng.integers(8, 10))
    letters = rng.permutation(1 + batch * (count * steps + int(rng.integers(*rest(steps)))) + last(batch))
    expect_results(
        pieces(letters.copy(), batch, steps),
        cut_text(letters, batch, steps),
        what=f"pieces(letters, {batch}, {steps}) for {len(letters)} letters {what}",
        mistakes=cut_mistakes(letters, batch, steps),
    )


@case("pieces: rows that go on from piece to piece", points=2)
def cut_even(pieces, *, rng):
    cut_case(pieces, rng, lambda steps: (0, 1), lambda batch: batch - 1, "(whole pieces)")


@case("pieces: letters that are left over", points=2)
def cut_rest(pieces, *, rng):
    last = int(rng.integers(0, 2))
    cut_case(pieces, rng, lambda steps: (1, steps), lambda batch: last, "(something is left over)")


Q6 = question(
    "14.6",
    title="Derive: a bias that remembers",
    minutes=10,
    hints=[
        "After T steps $f^T$ of the cell is left. Which f makes that the share?",
        "Then solve $f = 1 / (1 + e^{-b})$ for b: take the reciprocal, subtract 1, take the logarithm.",
    ],
)


def exact_bias(share, steps):
    f = share ** (1 / steps)
    return float(np.log(f / (1 - f)))


BIASES = {
    "the gate itself came back, not its bias: the sigmoid has to be undone": lambda s, n: s ** (1 / n),
    "the logarithm of the gate came back: the sigmoid has to be undone, b = ln(f / (1 - f))": lambda s, n: np.log(s) / n,
    "the sign is the wrong way round": lambda s, n: -exact_bias(s, n),
    "the share was divided by the steps: the gate multiplies, so take a root": lambda s, n: np.log(s / n / (1 - s / n)),
    "the loss was spread evenly over the steps: the gate multiplies, so take a root": lambda s, n: np.log(
        (1 - (1 - s) / n) / ((1 - s) / n)
    ),
    "steps was left out": lambda s, n: np.log(s / (1 - s)),
    "the bias was multiplied with the steps: the gate is raised to a power": lambda s, n: n * np.log(s / (1 - s)),
    "the share was raised to the power of the steps: the root is meant": lambda s, n: np.log(s**n / (1 - s**n)),
    "there is one step too few": lambda s, n: exact_bias(s, n - 1) if n > 1 else 0.0,
    "there is one step too many": lambda s, n: exact_bias(s, n + 1),
    "share was taken for what is lost, not for what is left": lambda s, n: exact_bias(1 - s, n),
    "the logarithm to base 10 was used": lambda s, n: exact_bias(s, n) / np.log(10),
    "tanh was undone, not the sigmoid": lambda s, n: np.arctanh(s ** (1 / n)),
}  # fmt: skip


def left_after(bias, steps):
    """The logarithm of the share that is left: wrong biases leave next to nothing, and still differ in it."""
    return float(-steps * np.logaddexp(0, -np.float64(bias)))


def bias_calls(forget_bias, problems):
    def left(share, steps):
        got, what = forget_bias(share, steps), f"forget_bias({share:.3g}, {steps})"
        whole = isinstance(got, float) and np.isinf(got)  # 1 // steps is 0, and the gate 1
        expect_true(
            not whole,
            f"{what} gave {got}",
            mistake="the gate came out as 0 or 1: 1 // steps is a whole number, 1 / steps is meant",
        )
        return left_after(expect_number(got, what), steps)

    with np.errstate(all="ignore"):
        expect_calls(
            left,
            problems,
            lambda share, steps: float(np.log(share)),
            what=lambda share, steps: (
                f"the logarithm of the share that is left after {steps} steps with forget_bias({share:.3g}, {steps})"
            ),
            mistakes={text: lambda s, n, wrong=wrong: left_after(wrong(s, n), n) for text, wrong in BIASES.items()},
        )


@case("forget_bias: a few steps", points=2)
def bias_short(forget_bias, *, rng):
    bias_calls(
        forget_bias,
        [(float(rng.uniform(0.2, 0.4)), int(n)) for n in rng.integers(3, 9, 3)] + [(float(rng.uniform(0.6, 0.9)), 1)],
    )


@case("forget_bias: many steps")
def bias_long(forget_bias, *, rng):
    bias_calls(forget_bias, [(float(rng.uniform(0.1, 0.9)), int(n)) for n in rng.integers(50, 400, 3)])


@case("forget_bias: many steps, other inputs", hidden=True)
def bias_long_again(forget_bias, *, rng):
    bias_long(forget_bias, rng=rng)


STEP = """
def rnn_step(x, h, wx, wh, b):
    return np.tanh(x @ wx + h @ wh + b)
"""


def _rnn(loop="h = rnn_step(x[:, t], h, wx, wh, b)\n        states.append(h)", back="np.stack(states, axis=1)"):
    return f"""
def rnn(x, h0, wx, wh, b):
    h, states = h0, []
    for t in range(x.shape[1]):
        {loop}
    return {back}
"""


def _step(out):
    return f"def rnn_step(x, h, wx, wh, b):\n    return {out}\n"


def _backward(
    da="(dout[:, t] + dh) * (1 - states[:, t] ** 2)",
    dwx="dwx + x[:, t].T @ da",
    dwh="dwh + before.T @ da",
    db="db + da.sum(axis=0)",
    dh="da @ wh.T",
    back="dx, dh, dwx, dwh, db",
):
    return f"""
def rnn_backward(dout, x, h0, states, wx, wh):
    dx, dh = np.zeros_like(x), np.zeros_like(h0)
    dwx, dwh, db = np.zeros_like(wx), np.zeros_like(wh), np.zeros(wh.shape[0])
    for t in reversed(range(x.shape[1])):
        before = states[:, t - 1] if t > 0 else h0
        da = {da}
        dwx, dwh, db = {dwx}, {dwh}, {db}
        dx[:, t] = da @ wx.T
        dh = {dh}
    return {back}
"""


def _lstm(split="a_i, a_f, a_g, a_o", g="np.tanh(a_g)", cell="f * c + i * g", state="o * np.tanh(new)", back="h, new"):
    return f"""
def lstm_step(x, h, c, wx, wh, b):
    {split} = np.split(x @ wx + h @ wh + b, 4, axis=-1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), {g}, sigmoid(a_o)
    new = {cell}
    h = {state}
    return {back}
"""


def _clip(norm="np.sqrt(sum((g**2).sum() for g in grads.values()))", scale="min(1.0, max_norm / max(norm, 1e-12))"):
    return f"""
def clip(grads, max_norm):
    norm = {norm}
    scale = {scale}
    return {{name: g * scale for name, g in grads.items()}}
"""


def _pieces(
    stretch="(len(letters) - 1) // batch", turn="reshape(batch, count, steps).swapaxes(0, 1)", y="letters[places + 1]"
):
    return f"""
def pieces(letters, batch, steps):
    stretch = {stretch}
    count = stretch // steps
    places = np.arange(batch)[:, None] * stretch + np.arange(count * steps)
    places = places.{turn}
    x = letters[places]
    return x, {y}
"""


ROLLED_ROWS = "np.roll(x.swapaxes(0, 1).reshape(batch, -1), -1, axis=1).reshape(batch, count, steps).swapaxes(0, 1)"


def _bias(expression):
    return f"def forget_bias(share, steps):\n    return {expression}"


SENTENCES = {  # of the task, and the cases that test it
    "14.1": {
        "A plain recurrent network mixes the state instead of averaging it": ["rnn_step: one step"],
        "Take the state with you from step to step.": ["rnn: the states of all steps"],
    },
    "14.2": {
        "Both gradients add up": ["rnn_backward: gradients", "rnn_backward: a loss that sees the last step only"],
        "so their gradients are sums over the steps": ["rnn_backward: gradients"],
        "The state before the first step is `h0`.": ["rnn_backward: gradients"],
    },
    "14.3": {
        "whose columns hold i, f, g, o side by side": ["lstm_step: state and cell", "lstm_step: open and closed gates"],
    },
    "14.4": {
        "The length is that of *all* entries of *all* arrays": ["clip: gradients that are too long"],
        "return a new dict with the same keys": ["clip: gradients that are short enough"],
        "Clipping shortens all gradients together when they are too long.": [
            "clip: gradients that are too long",
            "clip: gradients that are short enough",
            "clip: gradients that are all zero",
        ],
    },
    "14.5": {
        "Each row reads its own stretch of the text from beginning to end.": [
            "pieces: rows that go on from piece to piece"
        ],
        "row b begins with letter $b\\,S$": ["pieces: letters that are left over"],
        "Piece k of a row begins where its piece k − 1 ended.": ["pieces: rows that go on from piece to piece"],
        "what is left of it is left out": ["pieces: letters that are left over"],
        "`y` holds, for each letter of `x`, the letter that follows it in the text.": [
            "pieces: rows that go on from piece to piece"
        ],
        "Return `(x, y)`, both of shape (K, batch, steps).": ["pieces: rows that go on from piece to piece"],
    },
    "14.6": {
        "which bias $b$ leaves the share `share` of the cell after `steps` steps": [
            "forget_bias: a few steps",
            "forget_bias: many steps",
        ],
    },
}

WRONG = [
    Wrong("14.1", STEP + _rnn().replace("range(x.shape[1])", "range(x.shape[0])"), "the loop runs over the batch"),
    Wrong("14.1", _step("np.tanh(x @ wx + h @ wh + 2 * b)"), "the bias was added twice"),
    Wrong("14.1", _step("np.maximum(x @ wx + h @ wh + b, 0)"), "ReLU was used in place of tanh"),
    Wrong("14.1", _step("x @ wx + h @ wh + b"), "tanh is missing"),
    Wrong("14.1", _step("np.tanh(x @ wx + b)"), "the state before was left out"),
    Wrong("14.1", _step("np.tanh(x @ wx + h @ wh)"), "the bias was left out"),
    Wrong("14.1", _step("np.tanh(x @ wx + h @ wh) + b"), "but not the bias"),
    Wrong("14.1", _step("np.tanh(x @ wx + h @ wh.T + b)"), "wh is transposed"),
    Wrong("14.1", _step("1 / (1 + np.exp(-(x @ wx + h @ wh + b)))"), "a sigmoid was used"),
    Wrong("14.1", STEP + _rnn("states.append(rnn_step(x[:, t], h, wx, wh, b))"), "every step starts from h0"),
    Wrong(
        "14.1",
        STEP + _rnn("states.append(h)\n        h = rnn_step(x[:, t], h, wx, wh, b)"),
        "the states from before the steps",
    ),
    Wrong("14.1", STEP + _rnn().replace("h, states = h0", "h, states = np.zeros_like(h0)"), "the first state is zero"),
    Wrong("14.1", STEP + _rnn(back="np.stack(states)"), "the axes are (T, N, H)"),
    Wrong("14.1", STEP + _rnn(back="h"), "only the last state came back"),
    Wrong("14.1", STEP + _rnn(back="states"), "a list was returned"),
    Wrong("14.2", _backward(da="dout[:, t] * (1 - states[:, t] ** 2)"), "nothing comes back from the step after"),
    Wrong("14.2", _backward(da="dout[:, t] + dh"), "the slope of tanh is missing"),
    Wrong("14.2", _backward(da="(dout[:, t] + dh) * (1 - states[:, t])"), "1 - h squared"),
    Wrong("14.2", _backward(da="(dout[:, t] + dh) * (1 - np.tanh(states[:, t]) ** 2)"), "outputs of tanh already"),
    Wrong("14.2", _backward(dwh="dwh + states[:, t].T @ da"), "it needs the one before"),
    Wrong(
        "14.2",
        _backward(dwx="x[:, t].T @ da", dwh="before.T @ da", db="da.sum(axis=0)"),
        "those of the first step alone",
    ),
    Wrong("14.2", _backward(back="dx, dh, dwx / len(x), dwh / len(x), db / len(x)"), "a mean over the batch"),
    Wrong("14.2", _backward(dh="da @ wh"), "dh is not multiplied with the transpose of wh"),
    Wrong("14.2", _backward(dh="dh + da @ wh.T"), "set anew at each"),
    Wrong("14.2", _backward(da="dh * (1 - states[:, t] ** 2)"), "dout is missing"),
    Wrong("14.2", _backward(da="dout[:, t] + dh * (1 - states[:, t] ** 2)"), "dout[:, t] goes without it"),
    Wrong("14.2", _backward(da="(dout[:, t] + dh) * (1 - before**2)"), "at the state before the step"),
    Wrong("14.2", _backward(da="(dout[:, t] + dh) * states[:, t] * (1 - states[:, t])"), "the slope of the sigmoid"),
    Wrong("14.2", _backward().replace("reversed(range(x.shape[1]))", "range(x.shape[1])"), "the loop runs forward"),
    Wrong("14.2", _backward().replace("if t > 0 else h0", "if t > 0 else 0 * h0"), "it is h0"),
    Wrong("14.2", _backward(db="db + da"), "db was not summed over the batch"),
    Wrong("14.2", _backward(dwh="dwh + da.T @ before"), "dwh is transposed"),
    Wrong("14.2", _backward(back="dx, dwx, dwh, db"), "not 5 results"),
    Wrong("14.3", _lstm(split="a_i, a_f, a_o, a_g"), "in the order i, f, o, g"),
    Wrong("14.3", _lstm(split="a_f, a_i, a_g, a_o"), "input and forget gate are the wrong way round"),
    Wrong("14.3", _lstm(g="sigmoid(a_g)"), "g went through the sigmoid"),
    Wrong("14.3", _lstm(g="a_g"), "g went through nothing"),
    Wrong("14.3", _lstm(state="o * new"), "tanh of the cell is missing"),
    Wrong("14.3", _lstm(cell="c + i * g"), "the forget gate is missing"),
    Wrong("14.3", _lstm(state="o * np.tanh(c)"), "from the old cell"),
    Wrong("14.3", _lstm(back="new, h"), "the wrong way round"),
    Wrong("14.3", _lstm(back="h"), "not 2 results"),
    Wrong("14.3", _lstm(cell="f * c + (1 - f) * g"), "as in a GRU"),
    Wrong("14.3", _lstm(cell="f * c + g"), "the input gate is missing"),
    Wrong("14.3", _lstm(state="np.tanh(new)"), "the output gate is missing"),
    Wrong("14.3", _lstm().replace(" + h @ wh", ""), "the state was left out of the gates"),
    Wrong(
        "14.4",
        "def clip(grads, max_norm):\n"
        "    return {k: g * min(1, max_norm / max(np.linalg.norm(g), 1e-12)) for k, g in grads.items()}",
        "each array was clipped by itself",
    ),
    Wrong(
        "14.4",
        "def clip(grads, max_norm):\n    return {k: g.clip(-max_norm, max_norm) for k, g in grads.items()}",
        "cut off one by one",
    ),
    Wrong("14.4", _clip(norm="sum((g**2).sum() for g in grads.values())"), "the square root is missing"),
    Wrong("14.4", _clip(scale="max_norm / max(norm, 1e-12)"), "short gradients were stretched"),
    Wrong("14.4", _clip(scale="1 / norm if norm > max_norm else 1.0"), "shortened to 1"),
    Wrong(
        "14.4",
        _clip(scale="max_norm / norm if norm > max_norm else norm / norm"),
        "0 was divided by the length 0",
    ),
    Wrong("14.4", _clip(norm="max(np.linalg.norm(g) for g in grads.values())"), "the largest of the arrays' lengths"),
    Wrong("14.4", _clip(norm="sum(np.linalg.norm(g) for g in grads.values())"), "the lengths of the arrays were added"),
    Wrong(
        "14.5",
        "def pieces(letters, batch, steps):\n    count = len(letters) // (batch * steps)\n"
        "    x = letters[: count * batch * steps].reshape(count, batch, steps)\n    return x, np.roll(x, -1, axis=2)",
        "piece",
    ),
    Wrong("14.5", _pieces(y="np.roll(x, -1, axis=2)"), "y goes round inside each piece"),
    Wrong("14.5", _pieces(y="x"), "y is x itself"),
    Wrong("14.5", _pieces(y=ROLLED_ROWS), "y goes round at the end of each row"),
    Wrong("14.5", _pieces(turn="reshape(count, batch, steps)"), "rows and pieces are mixed up"),
    Wrong("14.5", _pieces(turn="reshape(batch, count, steps)"), "pieces come first"),
    Wrong("14.5", _pieces(stretch="(len(letters) - 1) // batch // steps * steps"), "the rows begin too early"),
    Wrong("14.6", _bias("share ** (1 / steps)"), "the gate itself came back"),
    Wrong("14.6", _bias("np.log(share) / steps"), "the logarithm of the gate came back"),
    Wrong("14.6", _bias("np.log(share / (1 - share))"), "steps was left out"),
    Wrong(
        "14.6",
        "def forget_bias(share, steps):\n    f = share ** (1 // steps)\n    return -np.log(1 / f - 1)",
        "came out as 0 or 1",
    ),
    Wrong("14.6", _bias("np.log(share ** (-1 / steps) - 1)"), "the sign is the wrong way round"),
    Wrong("14.6", _bias("np.log((1 - (1 - share) / steps) / ((1 - share) / steps))"), "spread evenly over the steps"),
    Wrong("14.4", _clip(scale="1.0"), "nothing was clipped"),
]

RIGHT = [
    Right("14.1", STEP + _rnn()),
    Right(
        "14.1",
        """
def rnn_step(x, h, wx, wh, b):
    both = np.concatenate([x, h], axis=1) @ np.concatenate([wx, wh])
    return np.tanh(b + both)

def rnn(x, h0, wx, wh, b):
    out = np.empty((*x.shape[:2], wh.shape[0]))
    for t in range(x.shape[1]):
        out[:, t] = rnn_step(x[:, t], out[:, t - 1] if t else h0, wx, wh, b)
    return out
""",
    ),
    Right("14.2", _backward()),
    Right(
        "14.2",
        """
def rnn_backward(dout, x, h0, states, wx, wh):
    before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
    da, dh = np.zeros_like(states), np.zeros_like(h0)
    for t in range(x.shape[1] - 1, -1, -1):
        da[:, t] = (dout[:, t] + dh) * (1 - states[:, t] ** 2)
        dh = da[:, t] @ wh.T
    return da @ wx.T, dh, np.einsum("ntd,nth->dh", x, da), np.einsum("ntk,nth->kh", before, da), da.sum(axis=(0, 1))
""",
    ),
    Right("14.3", _lstm()),
    Right(
        "14.3",
        """
def lstm_step(x, h, c, wx, wh, b):
    H = h.shape[1]
    a = np.dot(x, wx) + np.dot(h, wh) + b
    gates = 1 / (1 + np.exp(-a))
    c_new = gates[:, H:2 * H] * c + gates[:, :H] * np.tanh(a[:, 2 * H:3 * H])
    return [gates[:, 3 * H:] * np.tanh(c_new), c_new]
""",
    ),
    Right("14.4", _clip()),
    Right(
        "14.4",
        """
def clip(grads, max_norm):
    together = np.concatenate([g.ravel() for g in grads.values()])
    norm = np.linalg.norm(together)
    if norm <= max_norm:
        return dict(grads)
    return {k: max_norm * g / norm for k, g in grads.items()}
""",
    ),
    Right("14.5", _pieces()),
    Right(
        "14.5",
        """
def pieces(letters, batch, steps):
    S = (len(letters) - 1) // batch
    x, y, k = [], [], 0
    while (k + 1) * steps <= S:
        x.append([letters[b * S + k * steps : b * S + (k + 1) * steps] for b in range(batch)])
        y.append([letters[b * S + k * steps + 1 : b * S + (k + 1) * steps + 1] for b in range(batch)])
        k += 1
    return np.array(x), np.array(y)
""",
    ),
    Right("14.6", _bias("-np.log(share ** (-1 / steps) - 1)")),
]

SURVIVORS = {  # mutants of the solutions that are right answers, and why
    "14.3": {
        "the last axis is axis 1": [
            "the minus before 1 is missing in (a_i, a_f, a_g, a_o)",
        ],
    },
    "14.4": {
        "at the limit the factor is 1": [
            ">= stands where > is meant: norm > max_norm",
        ],
        "a norm is not negative": [
            "the absolute value was compared: np.abs(norm)",
        ],
    },
}
