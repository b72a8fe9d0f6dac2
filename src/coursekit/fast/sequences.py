"""The fast forms of RNN, LSTM and GRU over whole sequences, each tested equal to a loop over the plain steps.

Three changes to that loop, none to the mathematics:

* The product of the inputs with Wx needs no hidden state, so it is made for all steps at once. The factors that the
  backward pass multiplies with need no later step either.
* Arrays are (G, T, N, H) in memory: each of the G gates of each step lies in one piece.
* A sigmoid is a tanh, sigma(a) = (1 + tanh(a / 2)) / 2, which NumPy has fast. The 1/2 inside goes into the weights.

With run axes R, arrays are (G, T, R, N, H). Parameters have their gates in front: wx (R, D, G*H) -> (G, R, D, H).
"""

from __future__ import annotations

import numpy as np

from .._runs import sum_to
from .products import matmul


class Sequence:
    """One call's arrays in the order that the fast forms work in, and the way back.

    `x` (T, R, N, D); `states` (R, N, H); `wx`, `wh`, `b` (G, R, D or H or 1, H), their gates in the orders given.
    """

    def __init__(self, runs, x, states, wx, wh, b, x_order, h_order):
        self.runs, self.x_order, self.h_order = runs, x_order, h_order
        self.shapes = x.shape, wx.shape, wh.shape, b.shape
        self.dtype = np.result_type(x, *states, wx, wh, b)
        n, self.steps, d = x.shape[-3:]
        self.hidden = wh.shape[-2]
        x = np.moveaxis(self._with_runs(x, 3), -2, 0)
        self.x = np.ascontiguousarray(np.broadcast_to(x, (self.steps, *runs, n, d)), self.dtype)
        self.states = [np.broadcast_to(state, (*runs, n, self.hidden)) for state in states]
        self.wx, self.wh, self.b = self.split(wx, x_order), self.split(wh, h_order), self.split(b, x_order)

    def _with_runs(self, array, own):
        return array.reshape((1,) * (len(self.runs) - (array.ndim - own)) + array.shape)

    def split(self, w, order):
        """(R, D, G*H) -> (G, R, D, H), a copy; a bias is one row."""
        w = self._with_runs(np.atleast_2d(w), 2)
        w = np.moveaxis(w.reshape(*w.shape[:-1], -1, self.hidden), -2, 0)
        return w[list(order)].astype(self.dtype)

    def join(self, w, order, shape):
        """(G, R, D, H) -> (R, D, G*H), summed over the runs that share a parameter of `shape`."""
        w = np.moveaxis(w[np.argsort(order)], 0, -2)
        return sum_to(w.reshape(*w.shape[:-2], -1), shape)

    def empty(self, *lead):
        """Room for (*lead, R, N, H)."""
        return np.empty((*lead, *self.runs, self.x.shape[-2], self.hidden), self.dtype)

    def project(self, scale=1):
        """x Wx + b, times `scale`, for all gates and steps: (G, T, R, N, H)."""
        wx, b = self.wx * scale, self.b * scale
        if self.runs:
            a = matmul(self.x, wx[:, None])
        else:
            a = matmul(self.x.reshape(-1, self.x.shape[-1]), wx).reshape(len(wx), *self.x.shape[:-1], -1)
        a += b[:, None]
        return a

    def per_gate(self, *numbers):
        """One number a gate, to multiply parameters with."""
        return np.array(numbers, self.dtype).reshape(-1, *[1] * (len(self.runs) + 2))

    def outputs(self, h):
        """(T, R, N, H) -> (R, N, T, H), a view."""
        return np.moveaxis(h, 0, -2)

    def steps_first(self, dout):
        """(R, N, T, H) -> (T, R, N, H), a view."""
        return np.moveaxis(dout, -2, 0)

    def gradients(self, da, da_h, h):
        """(dx, dwx, dwh, db) from the gradients at the gates' inputs (G, T, R, N, H) and the states before, h.

        `da` belong to x Wx + b, `da_h` to h Wh; for RNN and LSTM they are the same.
        """
        x_shape, wx_shape, wh_shape, b_shape = self.shapes
        da, da_h, x, h = _rows(da, 1), _rows(da_h, 1), _rows(self.x, 0), _rows(h, 0)
        dx = sum(matmul(d, w.swapaxes(-1, -2)) for d, w in zip(da, self.wx, strict=True))
        dx = dx.reshape(*dx.shape[:-2], self.steps, -1, dx.shape[-1]).swapaxes(-3, -2)
        dwx = self.join(matmul(x.swapaxes(-1, -2), da), self.x_order, wx_shape)
        dwh = self.join(matmul(h.swapaxes(-1, -2), da_h), self.h_order, wh_shape)
        db = self.join(da.sum(axis=-2, keepdims=True), self.x_order, b_shape)
        return sum_to(dx, x_shape), dwx, dwh, db


def _rows(a, time):
    """All steps as rows, (T, R, N, K) -> (R, T*N, K); `time` is the axis of T."""
    a = np.moveaxis(a, time, -3)
    return a.reshape(*a.shape[:-3], -1, a.shape[-1])


def rnn_forward(runs, x, h0, wx, wh, b):
    """See `coursekit.recurrent.rnn_forward`; the arrays are checked."""
    s = Sequence(runs, x, [h0], wx, wh, b, (0,), (0,))
    (a,), (wh,) = s.project(), s.wh
    h = s.empty(s.steps + 1)
    h[0] = s.states[0]
    for t in range(s.steps):
        matmul(h[t], wh, out=h[t + 1])
        h[t + 1] += a[t]
        np.tanh(h[t + 1], out=h[t + 1])
    return s.outputs(h[1:]), (s, h)


def rnn_backward(dout, cache):
    """(dx, dh0, dwx, dwh, db); dh0 with all run axes."""
    s, h = cache
    dout = s.steps_first(dout)
    wh = np.ascontiguousarray(s.wh[0].swapaxes(-1, -2))
    da = 1 - h[1:] * h[1:]
    dh = np.zeros_like(h[0])
    for t in reversed(range(s.steps)):
        dh += dout[t]
        da[t] *= dh
        matmul(da[t], wh, out=dh)
    dx, dwx, dwh, db = s.gradients(da[None], da[None], h[:-1])
    return dx, dh, dwx, dwh, db


def lstm_forward(runs, x, h0, c0, wx, wh, b):
    """See `coursekit.recurrent.lstm_forward`; the arrays are checked. The gates' order in here is o, i, f, g."""
    s = Sequence(runs, x, [h0, c0], wx, wh, b, (3, 0, 1, 2), (3, 0, 1, 2))
    halves = s.per_gate(0.5, 0.5, 0.5, 1)
    a, wh = s.project(halves), s.wh * halves
    h, c, tanh_c, work = s.empty(s.steps + 1), s.empty(s.steps + 1), s.empty(s.steps), s.empty(4)
    h[0], c[0] = s.states
    for t in range(s.steps):
        gates = a[:, t]
        gates += matmul(h[t], wh, out=work)
        np.tanh(gates, out=gates)
        gates[:3] *= 0.5
        gates[:3] += 0.5
        o, i, f, g = gates
        np.multiply(f, c[t], out=c[t + 1])
        c[t + 1] += np.multiply(i, g, out=work[0])
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(o, tanh_c[t], out=h[t + 1])
    return s.outputs(h[1:]), (s, h, c, tanh_c, a)


def lstm_backward(dout, dc_last, cache):
    """(dx, dh0, dc0, dwx, dwh, db); dh0 and dc0 with all run axes."""
    s, h, c, tanh_c, (o, i, f, g) = cache
    dout = s.steps_first(dout)
    wh = np.ascontiguousarray(s.wh.swapaxes(-1, -2))
    dc_dh = o * (1 - tanh_c * tanh_c)
    da = s.empty(4, s.steps)  # first the derivatives: of h by o's input, of c by the inputs of i, f, g
    for d, factor, gate in zip(da, (tanh_c, g, c[:-1]), (o, i, f), strict=False):
        np.subtract(1, gate, out=d)
        d *= gate
        d *= factor
    np.multiply(i, 1 - g * g, out=da[3])
    dh, work = np.zeros_like(h[0]), s.empty(4)
    dc = np.zeros_like(dh) if dc_last is None else np.array(dc_last, s.dtype)
    for t in reversed(range(s.steps)):
        dh += dout[t]
        dc += np.multiply(dh, dc_dh[t], out=work[0])
        da[0, t] *= dh
        da[1:, t] *= dc
        matmul(da[:, t], wh, out=work).sum(axis=0, out=dh)
        dc *= f[t]
    dx, dwx, dwh, db = s.gradients(da, da, h[:-1])
    return dx, dh, dc, dwx, dwh, db


def gru_forward(runs, x, h0, wx, wh, b, b_inner):
    """See `coursekit.recurrent.gru_forward`; the arrays are checked. The order in here is n, r, z for inputs."""
    s = Sequence(runs, x, [h0], wx, wh, b, (2, 0, 1), (0, 1, 2))
    a, wh = s.project(s.per_gate(1, 0.5, 0.5)), s.wh * s.per_gate(0.5, 0.5, 1)
    (b_inner,) = s.split(b_inner, (0,))
    h, inner, change, work = s.empty(s.steps + 1), s.empty(s.steps), s.empty(s.steps), s.empty(3)
    h[0] = s.states[0]
    for t in range(s.steps):
        matmul(h[t], wh, out=work)
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
    return s.outputs(h[1:]), (s, h, inner, change, a)


def gru_backward(dout, cache):
    """(dx, dh0, dwx, dwh, db, the gradient of the inner bias); dh0 with all run axes."""
    s, h, inner, change, (n, r, z) = cache
    dout = s.steps_first(dout)
    wh = np.ascontiguousarray(s.wh.swapaxes(-1, -2))
    da = s.empty(4, s.steps)  # first the derivatives of h' by the inputs of n, r, z and by the inner product
    np.multiply(1 - z, 1 - n * n, out=da[0])
    np.multiply(da[0], r, out=da[3])
    np.multiply(da[3], inner * (1 - r), out=da[1])
    np.multiply(change, z * (1 - z), out=da[2])
    dh, work = np.zeros_like(h[0]), s.empty(3)
    for t in reversed(range(s.steps)):
        dh += dout[t]
        da[:, t] *= dh
        dh *= z[t]
        for d in matmul(da[1:, t], wh, out=work):
            dh += d
    dx, dwx, dwh, db = s.gradients(da[:3], da[1:], h[:-1])
    return dx, dh, dwx, dwh, db, _rows(da[3:], 1).sum(axis=-2, keepdims=True)
