"""Cases of exercise sheet 14, recurrent networks."""

import numpy as np

from coursekit.grading.cases import Right, Wrong, case, question
from coursekit.grading.compare import expect_equal, expect_true, inspect_value

TITLE = "Recurrent networks"


def draw(rng):
    """x (N, T, D), h0 (N, H), wx, wh, b: all sizes different, no start of zeros, no symmetric weights."""
    n, t, d = 2, int(rng.integers(4, 7)), 3
    hidden = int(rng.integers(7, 9))
    x, h0 = rng.normal(0, 1, (n, t, d)), rng.uniform(-0.9, 0.9, (n, hidden))
    wx, wh = rng.normal(0, 0.5, (d, hidden)), rng.normal(0, 0.5, (hidden, hidden))
    return x, h0, wx, wh, rng.uniform(0.3, 1, hidden) * rng.choice([-1, 1], hidden)


def tuple_of(result, count, what, names):
    """The parts of what came back, or a message that says what is missing."""
    expect_true(
        type(result) in (tuple, list) and len(result) == count,
        f"{what} gave {inspect_value(result)}, not {names}",
        mistake="a return is missing" if result is None else None,
    )
    return result


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
    expect_equal(
        rnn_step(x, h, wx, wh, b),
        np.tanh(a),
        what="rnn_step(x, h, wx, wh, b)",
        mistakes={
            "tanh is missing": a,
            "the state before was left out: that is a net without memory": np.tanh(x @ wx + b),
            "the bias was left out": np.tanh(x @ wx + h @ wh),
            "tanh covers the products, but not the bias": np.tanh(x @ wx + h @ wh) + b,
            "wh is transposed: states are rows, so h @ wh": np.tanh(x @ wx + h @ wh.T + b),
            "a sigmoid was used in place of tanh": 1 / (1 + np.exp(-a)),
        },
    )


@case("rnn_step: one step, other inputs", hidden=True)
def one_step_again(rnn_step, *, rng):
    one_step(rnn_step, rng=rng)


@case("rnn: the states of all steps", points=2)
def all_states(rnn_step, rnn, *, rng):
    x, h0, wx, wh, b = draw(rng)
    want = states_of(x, h0, wx, wh, b)
    got = rnn(x, h0, wx, wh, b)
    fresh = np.stack([np.tanh(x[:, t] @ wx + h0 @ wh + b) for t in range(x.shape[1])], axis=1)
    late = np.concatenate([h0[:, None], want[:, :-1]], axis=1)
    expect_equal(
        got,
        want,
        what="rnn(x, h0, wx, wh, b)",
        mistakes={
            "every step starts from h0: the state is not handed on": fresh,
            "the states from before the steps were kept, not those from after them": late,
            "the first state is zero whatever h0 is": states_of(x, np.zeros_like(h0), wx, wh, b),
            "the axes are (T, N, H): stack along axis 1": want.swapaxes(0, 1),
            "only the last state came back": want[:, -1],
            "the sequence was read backwards": states_of(x[:, ::-1], h0, wx, wh, b),
        },
    )


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


def through_time(dout, x, h0, states, wx, wh, carried=1.0, slope=None, shifted=True, only=None):
    """The right gradients, and, by the settings, those of usual mistakes."""
    dx, dh = np.zeros_like(x), np.zeros_like(h0)
    dwx, dwh, db = np.zeros_like(wx), np.zeros_like(wh), np.zeros(len(wh))
    for t in reversed(range(x.shape[1])):
        before = states[:, t - 1] if t else h0
        h = states[:, t]
        da = (dout[:, t] + carried * dh) * (1 - h**2 if slope is None else slope(h))
        if only in (None, t):
            dwx += x[:, t].T @ da
            dwh += (before if shifted else h).T @ da
            db += da.sum(axis=0)
        dx[:, t] = da @ wx.T
        dh = da @ wh.T
    return [dx, dh, dwx, dwh, db]


@case("rnn_backward: gradients", points=4)
def backward(rnn_backward, *, rng):
    x, h0, wx, wh, b = draw(rng)
    states = states_of(x, h0, wx, wh, b)
    dout = rng.uniform(0.3, 2, states.shape) * rng.choice([-1, 1], states.shape)
    what = "rnn_backward(dout, x, h0, states, wx, wh)"
    names = ("dx", "dh0", "dwx", "dwh", "db")
    got = tuple_of(rnn_backward(dout, x, h0, states, wx, wh), 5, what, "five arrays (dx, dh0, dwx, dwh, db)")
    want = through_time(dout, x, h0, states, wx, wh)
    mistakes = {
        "nothing comes back from the step after: dh has to be added to dout[:, t]": {"carried": 0.0},
        "the slope of tanh is missing": {"slope": np.ones_like},
        "the slope is 1 - h: it is 1 - h squared": {"slope": lambda h: 1 - h},
        "tanh was taken of the state once more: states are outputs of tanh already": {
            "slope": lambda h: 1 - np.tanh(h) ** 2
        },
        "dwh was made with the state after the step: it needs the one before": {"shifted": False},
        "the weight gradients are those of the first step alone: add up over the steps": {"only": 0},
        "the weight gradients are those of the last step alone: add up over the steps": {"only": x.shape[1] - 1},
    }
    wrong = {text: through_time(dout, x, h0, states, wx, wh, **setting) for text, setting in mistakes.items()}
    wrong["a mean over the batch was taken, not a sum"] = [*want[:2], *(g / len(x) for g in want[2:])]
    flipped = [*want]
    flipped[1] = want[1] @ np.linalg.inv(wh.T) @ wh
    wrong["dh is not multiplied with the transpose of wh"] = flipped
    for i in (4, 2, 3, 0, 1):  # the most telling first
        fitting = {
            text: other[i] for text, other in wrong.items() if not np.allclose(other[i], want[i], rtol=1e-6, atol=1e-9)
        }
        expect_equal(got[i], want[i], what=f"{names[i]} of {what}", mistakes=fitting)


@case("rnn_backward: a loss that sees the last step only")
def backward_last(rnn_backward, *, rng):
    x, h0, wx, wh, b = draw(rng)
    states = states_of(x, h0, wx, wh, b)
    dout = np.zeros_like(states)
    dout[:, -1] = rng.normal(0, 1, dout[:, -1].shape)
    what = "rnn_backward with dout zero but for the last step"
    got = tuple_of(rnn_backward(dout, x, h0, states, wx, wh), 5, what, "five arrays (dx, dh0, dwx, dwh, db)")
    want = through_time(dout, x, h0, states, wx, wh)
    cut = through_time(dout, x, h0, states, wx, wh, carried=0.0)
    expect_equal(
        got[1],
        want[1],
        what=f"dh0 of {what}",
        mistakes={"the gradient does not reach the first step": cut[1]},
    )
    expect_equal(got[0], want[0], what=f"dx of {what}", mistakes={"only the last step gets a gradient": cut[0]})


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


@case("lstm_step: state and cell", points=3)
def lstm(lstm_step, *, rng):
    n, d, hidden = 4, 3, int(rng.integers(5, 8))
    x, h, c = (rng.normal(0, 1, (n, k)) for k in (d, hidden, hidden))
    wx, wh = rng.normal(0, 0.7, (d, 4 * hidden)), rng.normal(0, 0.5, (hidden, 4 * hidden))
    b = rng.normal(0, 1, 4 * hidden)
    what = "lstm_step(x, h, c, wx, wh, b)"
    got = tuple_of(lstm_step(x, h, c, wx, wh, b), 2, what, "a pair (h', c')")
    parts = np.split(x @ wx + h @ wh + b, 4, axis=-1)

    def step(i, f, g, o, write=np.tanh, show=np.tanh):
        i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
        cell = f * c + i * write(g)
        return o * show(cell), cell

    state, cell = step(*parts)
    i, f, g, o = parts
    wrong = {
        "the gates were taken in the order i, f, o, g": step(i, f, o, g),
        "the gates were taken in the order f, i, g, o": step(f, i, g, o),
        "g went through the sigmoid: what is written can be negative, so tanh": step(i, f, g, o, write=sigmoid),
        "g went through nothing: tanh is missing": step(i, f, g, o, write=lambda a: a),
        "tanh of the cell is missing in the state": step(i, f, g, o, show=lambda a: a),
        "the pair is the wrong way round: (h', c')": (cell, state),
        "the forget gate is missing: the old cell was kept whole": (
            sigmoid(o) * np.tanh(c + sigmoid(i) * np.tanh(g)),
            c + sigmoid(i) * np.tanh(g),
        ),
        "the state was made from the old cell": (sigmoid(o) * np.tanh(c), cell),
    }

    def differing(k, right):
        return {text: pair[k] for text, pair in wrong.items() if not np.allclose(pair[k], right)}

    expect_equal(got[1], cell, what=f"the cell of {what}", mistakes=differing(1, cell))
    expect_equal(got[0], state, what=f"the state of {what}", mistakes=differing(0, state))


@case("lstm_step: open and closed gates")
def lstm_gates(lstm_step, *, rng):
    n, hidden = 3, 4
    x, h, c = np.zeros((n, 2)), np.zeros((n, hidden)), rng.normal(0, 1, (n, hidden))
    b = np.repeat([-40.0, 40.0, 0.0, 40.0], hidden)  # write nothing, keep all, show all
    zeros = np.zeros((2, 4 * hidden)), np.zeros((hidden, 4 * hidden))
    what = "lstm_step with a closed input gate and an open forget gate"
    got = tuple_of(lstm_step(x, h, c, *zeros, b), 2, what, "a pair (h', c')")
    expect_equal(got[1], c, what=f"the cell of {what}", mistakes={"the cell was forgotten": np.zeros_like(c)})


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
    """Arrays of different lengths, all together longer than 2."""
    return {name: rng.normal(0, spread, shape) for name, spread, shape in (("wh", 3, (4, 5)), ("b", 0.5, (5,)))}


def length(grads):
    return float(np.sqrt(sum((g**2).sum() for g in grads.values())))


@case("clip: gradients that are too long")
def clip_long(clip, *, rng):
    grads = gradients(rng)
    norm = length(grads)
    most = round(norm * float(rng.uniform(0.1, 0.2)), 2)
    expect_equal(
        clip({name: g.copy() for name, g in grads.items()}, most),
        {name: g * (most / norm) for name, g in grads.items()},
        what=f"clip(grads, {most}) of gradients of length {norm:.3g}",
        mistakes={
            "nothing was clipped": grads,
            "each array was clipped by itself: one length for all together": {
                name: g * min(1, most / np.linalg.norm(g)) for name, g in grads.items()
            },
            "the entries were cut off one by one: that turns the direction": {
                name: g.clip(-most, most) for name, g in grads.items()
            },
            "the square root is missing in the length": {name: g * (most / norm**2) for name, g in grads.items()},
            "shortened to 1 whatever max_norm is": {name: g / norm for name, g in grads.items()},
        },
    )


@case("clip: gradients that are too long, other inputs", hidden=True)
def clip_long_again(clip, *, rng):
    clip_long(clip, rng=rng)


@case("clip: gradients that are short enough")
def clip_short(clip, *, rng):
    grads = gradients(rng)
    most = round(length(grads) * float(rng.uniform(1.5, 3)), 2)
    expect_equal(
        clip({name: g.copy() for name, g in grads.items()}, most),
        grads,
        what=f"clip(grads, {most}) of gradients of length {length(grads):.3g}",
        mistakes={
            "short gradients were stretched: only long ones change": {
                name: g * (most / length(grads)) for name, g in grads.items()
            }
        },
    )


@case("clip: gradients that are all zero")
def clip_zero(clip, *, rng):
    grads = {"wh": np.zeros((3, 2)), "b": np.zeros(2)}
    with np.errstate(divide="ignore", invalid="ignore"):
        got = clip({name: g.copy() for name, g in grads.items()}, float(rng.uniform(0.5, 2)))
    expect_equal(got, grads, what="clip of gradients that are all zero")


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


WRONG = [
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
    Wrong("14.2", _backward(dh="da @ wh"), "wrong value"),
    Wrong("14.2", _backward(back="dx, dwx, dwh, db"), "not five arrays"),
    Wrong("14.3", _lstm(split="a_i, a_f, a_o, a_g"), "in the order i, f, o, g"),
    Wrong("14.3", _lstm(split="a_f, a_i, a_g, a_o"), "in the order f, i, g, o"),
    Wrong("14.3", _lstm(g="sigmoid(a_g)"), "g went through the sigmoid"),
    Wrong("14.3", _lstm(g="a_g"), "g went through nothing"),
    Wrong("14.3", _lstm(state="o * new"), "tanh of the cell is missing"),
    Wrong("14.3", _lstm(cell="c + i * g"), "the forget gate is missing"),
    Wrong("14.3", _lstm(state="o * np.tanh(c)"), "from the old cell"),
    Wrong("14.3", _lstm(back="new, h"), "the wrong way round"),
    Wrong("14.3", _lstm(back="h"), "not a pair"),
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
        "is not finite",
    ),
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
]
