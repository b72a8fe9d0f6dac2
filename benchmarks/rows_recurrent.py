"""Recurrent networks: 50 steps, 128 hidden units, batch 32, 64 inputs."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.rows import FLOOR, NEAR_FLOOR, row
from benchmarks.rows_image import array, backward, torch_training_step, training_step
from coursekit import recurrent
from coursekit.layers import LSTM, Dense, LastStep
from coursekit.model import Sequential

N, T, D, H = 32, 50, 64, 128


def layer(name):
    def make():
        forward, back = getattr(recurrent, f"{name}_forward"), getattr(recurrent, f"{name}_backward")
        gates, biases, states = {"rnn": (1, 1, 1), "gru": (3, 4, 1), "lstm": (4, 4, 2)}[name]
        x, dout = array(N, T, D), array(N, T, H)
        first = [np.zeros((N, H), np.float32) for _ in range(states)]
        wx, wh, b = array(D, gates * H) / 8, array(H, gates * H) / 12, array(biases * H)

        def ours():
            _, cache = forward(x, *first, wx, wh, b)
            return back(dout, cache)

        module = getattr(torch.nn, name.upper())(D, H, batch_first=True)
        tx, tdout = torch.tensor(x, requires_grad=True), torch.tensor(dout)
        return ours, lambda: backward(lambda: module(tx)[0], tdout, tx, *module.parameters())

    return make


for _name in ("rnn", "gru", "lstm"):
    row(f"{_name.upper()}, T {T}, hidden {H}, batch {N}, forward + backward")(layer(_name))


def least_rnn(x, dout, wx, wh, b):
    """An RNN's products and the fewest passes, on arrays that lie as NumPy likes them best: time first, no checks."""

    def floor():
        a = (x.reshape(-1, D) @ wx + b).reshape(T, N, H)
        h = np.empty((T + 1, N, H), np.float32)
        h[0] = 0
        for t in range(T):
            np.matmul(h[t], wh, out=h[t + 1])
            h[t + 1] += a[t]
            np.tanh(h[t + 1], out=h[t + 1])
        da, back, dh = 1 - h[1:] * h[1:], np.ascontiguousarray(wh.T), np.zeros_like(h[0])
        for t in reversed(range(T)):
            dh += dout[t]
            da[t] *= dh
            np.matmul(da[t], back, out=dh)
        flat = da.reshape(-1, H)
        return flat @ wx.T, x.reshape(-1, D).T @ flat, h[:-1].reshape(-1, H).T @ flat, flat.sum(axis=0)

    return floor


def least_gru(x, dout, wx, wh, b, b_inner):
    """A GRU's, likewise: wx (3, D, H) and b (3, 1, H) in the order n, r, z, wh (3, H, H) in the order r, z, n."""

    def floor():
        a = (x.reshape(-1, D) @ wx + b).reshape(3, T, N, H)
        h, inner, change = (np.empty((n, N, H), np.float32) for n in (T + 1, T, T))
        h[0], work = 0, np.empty((3, N, H), np.float32)
        for t in range(T):
            np.matmul(h[t], wh, out=work)
            np.add(work[2], b_inner, out=inner[t])
            gates = a[1:, t]
            gates += work[:2]
            np.tanh(gates, out=gates)
            gates *= 0.5
            gates += 0.5
            n, (r, z) = a[0, t], gates
            n += np.multiply(r, inner[t], out=work[0])
            np.tanh(n, out=n)
            np.subtract(h[t], n, out=change[t])
            np.multiply(z, change[t], out=h[t + 1])
            h[t + 1] += n
        n, r, z = a
        da = np.empty((4, T, N, H), np.float32)
        np.multiply(1 - z, 1 - n * n, out=da[0])
        np.multiply(da[0], r, out=da[3])
        np.multiply(da[3], inner * (1 - r), out=da[1])
        np.multiply(change, z * (1 - z), out=da[2])
        back, dh = np.ascontiguousarray(wh.swapaxes(-1, -2)), np.zeros_like(h[0])
        for t in reversed(range(T)):
            dh += dout[t]
            da[:, t] *= dh
            dh *= z[t]
            for d in np.matmul(da[1:, t], back, out=work):
                dh += d
        flat = da.reshape(4, -1, H)
        dx = sum(d @ w.T for d, w in zip(flat[:3], wx, strict=True))
        dwx, dwh = x.reshape(-1, D).T @ flat[:3], h[:-1].reshape(-1, H).T @ flat[1:]
        return dx, dwx, dwh, flat.sum(axis=1)

    return floor


def least_lstm(x, dout, wx, wh, b):
    """An LSTM's products, and the fewest passes over its gates, on arrays that lie as NumPy likes them best.

    x (T, N, D), dout (T, N, H), wx (4, D, H), wh (4, H, H), b (4, 1, H), the gates in the order o, i, f, g.
    """

    def floor():
        a = (x.reshape(-1, D) @ wx + b).reshape(4, T, N, H)
        h, c, tanh_c = (np.empty((n, N, H), np.float32) for n in (T + 1, T + 1, T))
        h[0], c[0], work = 0, 0, np.empty((4, N, H), np.float32)
        for t in range(T):
            gates = a[:, t]
            gates += np.matmul(h[t], wh, out=work)
            np.tanh(gates, out=gates)
            gates[:3] *= 0.5
            gates[:3] += 0.5
            o, i, f, g = gates
            np.multiply(f, c[t], out=c[t + 1])
            c[t + 1] += np.multiply(i, g, out=work[0])
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
        o, i, f, g = a
        dc_dh = o * (1 - tanh_c * tanh_c)
        da = np.empty_like(a)
        for d, factor, gate in zip(da, (tanh_c, g, c[:-1]), (o, i, f), strict=False):
            np.subtract(1, gate, out=d)
            d *= gate
            d *= factor
        np.multiply(i, 1 - g * g, out=da[3])
        back, dh, dc = np.ascontiguousarray(wh.swapaxes(-1, -2)), np.zeros_like(h[0]), np.zeros_like(h[0])
        for t in reversed(range(T)):
            dh += dout[t]
            dc += np.multiply(dh, dc_dh[t], out=work[0])
            da[0, t] *= dh
            da[1:, t] *= dc
            np.matmul(da[:, t], back, out=work).sum(axis=0, out=dh)
            dc *= f[t]
        flat = da.reshape(4, -1, H)
        dx = sum(d @ w.T for d, w in zip(flat, wx, strict=True))
        return dx, x.reshape(-1, D).T @ flat, h[:-1].reshape(-1, H).T @ flat, flat.sum(axis=1)

    return floor


def floor(name):
    x, dout = array(T, N, D), array(T, N, H)
    if name == "rnn":
        return least_rnn(x, dout, array(D, H) / 8, array(H, H) / 12, array(H))
    if name == "gru":
        return least_gru(x, dout, array(3, D, H) / 8, array(3, H, H) / 12, array(3, 1, H), array(1, H))
    return least_lstm(x, dout, array(4, D, H) / 8, array(4, H, H) / 12, array(4, 1, H))


for _name in ("rnn", "gru", "lstm"):
    row(f"the fewest passes of that {_name.upper()} in NumPy, nothing else")(
        lambda name=_name: (floor(name), layer(name)()[1])
    )
    row(f"{_name.upper()}, T {T}, hidden {H}, batch {N}, forward + backward", other=FLOOR, at_most=NEAR_FLOOR)(
        lambda name=_name: (layer(name)()[0], floor(name))
    )


class TorchLSTM(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(D, H, batch_first=True)
        self.dense = torch.nn.Linear(H, 10)

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])


@row("training step, LSTM, the same, Adam")
def lstm_step():
    x, y = array(N, T, D), np.random.default_rng(0).integers(0, 10, N)
    net = Sequential([LSTM(D, H), LastStep(), Dense(H, 10)])
    return training_step(net, x, y), torch_training_step(TorchLSTM(), x, y)
