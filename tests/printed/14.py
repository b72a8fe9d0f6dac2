"""Chapter 14 for its sheet."""

import numpy as np

from coursekit import recurrent


def rnn_step(x, h, wx, wh, b):
    r"""h_t = \tanh(x_t W_x + h_{t-1} W_h + b)."""
    return np.tanh(x @ wx + h @ wh + b)


def rnn(x, h0, wx, wh, b):
    """:pyobject: rnn_forward_plain"""
    return recurrent.rnn_forward_plain(x, h0, wx, wh, b)[0]


def rnn_backward(dout, x, h0, states, wx, wh):
    r"""dh_t &= d\text{out}_t + da_{t+1} W_h^\top, \\ da_t &= dh_t \cdot (1 - h_t^2)."""
    before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
    dx, dh = np.zeros_like(x), np.zeros_like(h0)
    dwx, dwh, db = np.zeros_like(wx), np.zeros_like(wh), np.zeros(len(wh))
    for t in reversed(range(x.shape[1])):
        da = (dout[:, t] + dh) * (1 - states[:, t] ** 2)
        dwx, dwh, db = dwx + x[:, t].T @ da, dwh + before[:, t].T @ da, db + da.sum(axis=0)
        dx[:, t], dh = da @ wx.T, da @ wh.T
    return dx, dh, dwx, dwh, db


def lstm_step(x, h, c, wx, wh, b):
    """:pyobject: lstm_step_forward"""
    return recurrent.lstm_step_forward(x, h, c, wx, wh, b)[:2]


def clip(grads, max_norm):
    r"""g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right)"""
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    share = min(1, max_norm / norm) if norm > 0 else 1
    return {name: g * share for name, g in grads.items()}
