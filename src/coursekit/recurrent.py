r"""Recurrent networks: one step, and a whole sequence, of RNN, LSTM and GRU; the embedding of symbols.

| cell | carried from step to step | gates, in the order of the columns | source |
|---|---|---|---|
| `rnn` | state $h$ | none | Elman 1990 |
| `lstm` | state $h$, cell $c$ | i, f, g, o | Hochreiter and Schmidhuber 1997; Gers et al. 2000 |
| `gru` | state $h$ | r, z, n | Cho et al. 2014 |

`x_step_forward` is one step: the formula. A sequence is a loop over steps with the same parameters, and its backward
pass is the chain rule through that loop, last step first (backpropagation through time); `rnn_forward_plain` and
`rnn_backward_plain` show both. `rnn_forward`, `lstm_forward`, `gru_forward` and their backward passes give the same
numbers faster, see `coursekit.fast.sequences`.

Shapes: N sequences of T steps with D inputs each, H hidden units. Inputs are (N, T, D), states (N, H). Weights are
rows in, columns out, as in `coursekit.dense`; the gates lie side by side along the columns, (D, 4H) for an LSTM.
PyTorch keeps the transpose, and two biases of which only the sum matters (but for one, see `gru_forward`).
"""

from __future__ import annotations

import numpy as np

from . import _checks
from ._half import forward_in_float32, in_float32
from ._runs import run_axes
from .activations import sigmoid_forward
from .dense import sum_to
from .errors import LabelError, ShapeError
from .fast import sequences

__all__ = [
    "embedding_backward",
    "embedding_forward",
    "gru_backward",
    "gru_forward",
    "gru_step_backward",
    "gru_step_forward",
    "lstm_backward",
    "lstm_forward",
    "lstm_last_cell",
    "lstm_step_backward",
    "lstm_step_forward",
    "rnn_backward",
    "rnn_backward_plain",
    "rnn_forward",
    "rnn_forward_plain",
    "rnn_step_backward",
    "rnn_step_forward",
]


# Plain RNN


@forward_in_float32
def rnn_step_forward(
    x: np.ndarray, h: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, tuple]:
    r"""One step of a plain (Elman 1990) recurrent network.

    $$h' = \tanh(x W_x + h W_h + b)$$

    Parameters
    ----------
    x : (..., N, D) this step's input; axes in front of the batch axis N are run axes
    h : (..., N, H) the state before
    wx : (..., D, H)
    wh : (..., H, H)
    b : (H,) bias; with run axes (..., 1, H)

    Returns
    -------
    h' : (..., N, H) the state after, which is also the output
    cache : for `rnn_step_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> x, h = np.ones((2, 3)), np.zeros((2, 4))
    >>> h, cache = rnn_step_forward(x, h, np.ones((3, 4)) / 3, np.zeros((4, 4)), np.zeros(4))
    >>> h.shape, h[0, 0].round(3)                   # tanh(1)
    ((2, 4), np.float64(0.762))
    """
    _check_step(1, x, wx, wh, b, h=h)
    next_h = np.tanh(x @ wx + h @ wh + b)
    return next_h, (x, h, wx, wh, b, next_h)


@in_float32
def rnn_step_backward(dnext_h: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    r"""Gradients of one step.

    $$da = dh' \cdot (1 - h'^2), \qquad dx = da\, W_x^\top, \quad dh = da\, W_h^\top, \quad
    dW_x = x^\top da, \quad dW_h = h^\top da, \quad db = \textstyle\sum_n da_n$$

    Parameters
    ----------
    dnext_h : (..., N, H) gradient of the loss with respect to the state after
    cache : what `rnn_step_forward` gave

    Returns
    -------
    dx, dh, dwx, dwh, db : each of the shape of x, h, wx, wh, b

    >>> h, cache = rnn_step_forward(np.ones((2, 3)), np.zeros((2, 4)), np.ones((3, 4)), np.ones((4, 4)), np.zeros(4))
    >>> [g.shape for g in rnn_step_backward(np.ones((2, 4)), cache)]
    [(2, 3), (2, 4), (3, 4), (4, 4), (4,)]
    """
    x, h, wx, wh, b, next_h = cache
    _checks.gradient(dnext_h, next_h.shape, "dnext_h")
    da = dnext_h * (1 - next_h**2)
    return _affine_gradients(da, da, x, h, wx, wh, b)


@forward_in_float32
def rnn_forward_plain(
    x: np.ndarray, h0: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, list]:
    """A plain RNN over a sequence, as a loop over `rnn_step_forward`; `rnn_forward` is the one to use.

    Parameters and results as there; the cache is a list of the steps' caches.

    >>> out, caches = rnn_forward_plain(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4))
    >>> out.shape, len(caches)
    ((2, 5, 4), 5)
    """
    _check_sequence(1, x, wx, wh, b, h0=h0)
    h, outputs, caches = h0, [], []
    for t in range(x.shape[-2]):
        h, cache = rnn_step_forward(x[..., t, :], h, wx, wh, b)  # the same wx, wh, b in every step
        outputs.append(h)
        caches.append(cache)
    return np.stack(outputs, axis=-2), caches


@in_float32
def rnn_backward_plain(dout: np.ndarray, caches: list) -> tuple[np.ndarray, ...]:
    """Backpropagation through time, as a loop over `rnn_step_backward`; `rnn_backward` is the one to use.

    A state feeds two things, its step's output and the next step, so it collects two gradients. A parameter is used
    in every step, so it collects T.

    >>> out, caches = rnn_forward_plain(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4))
    >>> [g.shape for g in rnn_backward_plain(np.ones((2, 5, 4)), caches)]
    [(2, 5, 3), (2, 4), (3, 4), (4, 4), (4,)]
    """
    next_h = caches[-1][-1]
    _checks.gradient(dout, (*next_h.shape[:-1], len(caches), next_h.shape[-1]))
    dh, dxs, totals = 0, [], 0
    for t in reversed(range(len(caches))):
        dx, dh, *dparams = rnn_step_backward(dout[..., t, :] + dh, caches[t])
        dxs.append(dx)
        totals = dparams if t == len(caches) - 1 else [total + d for total, d in zip(totals, dparams, strict=True)]
    return np.stack(dxs[::-1], axis=-2), dh, *totals


@forward_in_float32
def rnn_forward(
    x: np.ndarray, h0: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, tuple]:
    r"""A plain RNN (Elman 1990) over whole sequences.

    $$h_t = \tanh(x_t W_x + h_{t-1} W_h + b), \qquad t = 1 \dots T$$

    The same as `torch.nn.RNN(D, H, batch_first=True)` with `wx = weight_ih_l0.T`, `wh = weight_hh_l0.T` and
    `b = bias_ih_l0 + bias_hh_l0`.

    Parameters
    ----------
    x : (..., N, T, D) inputs; axes in front of the batch axis N are run axes
    h0 : (..., N, H) the first state, often zeros
    wx : (..., D, H)
    wh : (..., H, H)
    b : (H,) bias; with run axes (..., 1, H)

    Returns
    -------
    out : (..., N, T, H) the states h_1 to h_T; `out[..., -1, :]` is the last. A view into the cache: copy it before
        you change it.
    cache : for `rnn_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> out, cache = rnn_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4))
    >>> out.shape
    (2, 5, 4)
    """
    runs = _check_sequence(1, x, wx, wh, b, h0=h0)
    out, cache = sequences.rnn_forward(runs, x, h0, wx, wh, b)
    return out, (out.shape, h0.shape, cache)


@in_float32
def rnn_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    r"""Gradients of a plain RNN, by backpropagation through time.

    $$dh_t = d\text{out}_t + da_{t+1} W_h^\top, \qquad da_t = dh_t \cdot (1 - h_t^2)$$

    $$dx_t = da_t W_x^\top, \quad dW_x = \sum_t x_t^\top da_t, \quad dW_h = \sum_t h_{t-1}^\top da_t, \quad
    db = \sum_t \sum_n da_{tn}, \quad dh_0 = da_1 W_h^\top$$

    Parameters
    ----------
    dout : (..., N, T, H) gradient of the loss with respect to out; zeros where a step's output is not used
    cache : what `rnn_forward` gave

    Returns
    -------
    dx, dh0, dwx, dwh, db : each of the shape of x, h0, wx, wh, b

    >>> out, cache = rnn_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4))
    >>> [g.shape for g in rnn_backward(np.ones((2, 5, 4)), cache)]
    [(2, 5, 3), (2, 4), (3, 4), (4, 4), (4,)]
    """
    out_shape, h_shape, cache = cache
    _checks.gradient(dout, out_shape)
    dx, dh0, *dparams = sequences.rnn_backward(dout, cache)
    return dx, sum_to(dh0, h_shape), *dparams


# LSTM


@forward_in_float32
def lstm_step_forward(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple]:
    r"""One step of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    $$(a_i, a_f, a_g, a_o) = x W_x + h W_h + b$$

    $$i = \sigma(a_i), \quad f = \sigma(a_f), \quad g = \tanh(a_g), \quad o = \sigma(a_o)$$

    $$c' = f \cdot c + i \cdot g, \qquad h' = o \cdot \tanh c'$$

    The gates' order i, f, g, o is PyTorch's and Keras's (which calls g c); texts that follow CS231n have i, f, o, g.

    Parameters
    ----------
    x : (..., N, D) this step's input; axes in front of the batch axis N are run axes
    h, c : (..., N, H) state and cell before
    wx : (..., D, 4H)
    wh : (..., H, 4H)
    b : (4H,) bias; with run axes (..., 1, 4H)

    Returns
    -------
    h', c' : (..., N, H) state (the output) and cell after
    cache : for `lstm_step_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> h = c = np.zeros((2, 4))
    >>> h, c, cache = lstm_step_forward(np.ones((2, 3)), h, c, np.ones((3, 16)), np.ones((4, 16)), np.zeros(16))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """
    _check_step(4, x, wx, wh, b, h=h, c=c)
    a_i, a_f, a_g, a_o = np.split(x @ wx + h @ wh + b, 4, axis=-1)
    i, f, g, o = _sigmoid(a_i), _sigmoid(a_f), np.tanh(a_g), _sigmoid(a_o)
    next_c = f * c + i * g
    tanh_c = np.tanh(next_c)
    next_h = o * tanh_c
    return next_h, next_c, (x, h, c, wx, wh, b, i, f, g, o, tanh_c)


@in_float32
def lstm_step_backward(dnext_h: np.ndarray, dnext_c: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    r"""Gradients of one LSTM step.

    The cell after is seen by the loss twice: through $h'$ and through the next step,
    $dc = dc' + dh' \cdot o \cdot (1 - \tanh^2 c')$. Then

    $$da_i = dc \cdot g \cdot i (1 - i), \quad da_f = dc \cdot c \cdot f (1 - f), \quad
    da_g = dc \cdot i \cdot (1 - g^2), \quad da_o = dh' \cdot \tanh c' \cdot o (1 - o)$$

    and from there on as for any affine map; the cell before gets $dc \cdot f$.

    Parameters
    ----------
    dnext_h, dnext_c : (..., N, H) gradients of the loss with respect to state and cell after
    cache : what `lstm_step_forward` gave

    Returns
    -------
    dx, dh, dc, dwx, dwh, db : each of the shape of x, h, c, wx, wh, b

    >>> h, c, cache = lstm_step_forward(np.ones((2, 3)), np.zeros((2, 4)), np.zeros((2, 4)), *_ones(3, 4, gates=4))
    >>> [g.shape for g in lstm_step_backward(np.ones((2, 4)), np.zeros((2, 4)), cache)]
    [(2, 3), (2, 4), (2, 4), (3, 16), (4, 16), (16,)]
    """
    x, h, c, wx, wh, b, i, f, g, o, tanh_c = cache
    _checks.gradient(dnext_h, tanh_c.shape, "dnext_h")
    _checks.gradient(dnext_c, tanh_c.shape, "dnext_c")
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    da_i = dc * g * i * (1 - i)
    da_f = dc * c * f * (1 - f)
    da_g = dc * i * (1 - g**2)
    da_o = dnext_h * tanh_c * o * (1 - o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)
    dx, dh, dwx, dwh, db = _affine_gradients(da, da, x, h, wx, wh, b)
    return dx, dh, sum_to(dc * f, c.shape), dwx, dwh, db


@forward_in_float32
def lstm_forward(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, tuple]:
    r"""An LSTM over whole sequences: `lstm_step_forward` T times.

    $$(i, f, g, o) = (\sigma, \sigma, \tanh, \sigma)(x_t W_x + h_{t-1} W_h + b), \qquad
    c_t = f \cdot c_{t-1} + i \cdot g, \qquad h_t = o \cdot \tanh c_t$$

    The same as `torch.nn.LSTM(D, H, batch_first=True)` with `wx = weight_ih_l0.T`, `wh = weight_hh_l0.T` and
    `b = bias_ih_l0 + bias_hh_l0`.

    Parameters
    ----------
    x : (..., N, T, D) inputs; axes in front of the batch axis N are run axes
    h0, c0 : (..., N, H) the first state and cell, often zeros
    wx : (..., D, 4H), gates in the order i, f, g, o
    wh : (..., H, 4H)
    b : (4H,) bias; with run axes (..., 1, 4H)

    Returns
    -------
    out : (..., N, T, H) the states h_1 to h_T. A view into the cache: copy it before you change it.
    cache : for `lstm_backward`; `lstm_last_cell(cache)` is the cell after the last step

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> h0 = c0 = np.zeros((2, 4))
    >>> out, cache = lstm_forward(np.ones((2, 5, 3)), h0, c0, *_ones(3, 4, gates=4))
    >>> out.shape, lstm_last_cell(cache).shape
    ((2, 5, 4), (2, 4))
    """
    runs = _check_sequence(4, x, wx, wh, b, h0=h0, c0=c0)
    out, cache = sequences.lstm_forward(runs, x, h0, c0, wx, wh, b)
    return out, (out.shape, h0.shape, c0.shape, cache)


def lstm_last_cell(cache: tuple) -> np.ndarray:
    """The cell after the last step, (..., N, H), from the cache of `lstm_forward`: where a next piece goes on.

    >>> out, cache = lstm_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), np.zeros((2, 4)), *_ones(3, 4, gates=4))
    >>> lstm_last_cell(cache).shape
    (2, 4)
    """
    c = cache[-1][2]
    return c[-1].copy()


@in_float32
def lstm_backward(dout: np.ndarray, cache: tuple, dc_last: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    r"""Gradients of an LSTM over whole sequences: `lstm_step_backward` from the last step to the first.

    Along the cells the gradient is only multiplied with forget gates, $dc_{t-1} = dc_t \cdot f_t + \dots$; where they
    are near 1 it neither vanishes nor explodes.

    Parameters
    ----------
    dout : (..., N, T, H) gradient of the loss with respect to out; zeros where a step's output is not used
    cache : what `lstm_forward` gave
    dc_last : (..., N, H) gradient with respect to the last cell, where something else goes on from it (a decoder)

    Returns
    -------
    dx, dh0, dc0, dwx, dwh, db : each of the shape of x, h0, c0, wx, wh, b

    >>> out, cache = lstm_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), np.zeros((2, 4)), *_ones(3, 4, gates=4))
    >>> [g.shape for g in lstm_backward(np.ones((2, 5, 4)), cache)]
    [(2, 5, 3), (2, 4), (2, 4), (3, 16), (4, 16), (16,)]
    """
    out_shape, h_shape, c_shape, cache = cache
    _checks.gradient(dout, out_shape)
    if dc_last is not None:
        _checks.gradient(dc_last, (*out_shape[:-2], out_shape[-1]), "dc_last")
    dx, dh0, dc0, *dparams = sequences.lstm_backward(dout, dc_last, cache)
    return dx, sum_to(dh0, h_shape), sum_to(dc0, c_shape), *dparams


# GRU


@forward_in_float32
def gru_step_forward(
    x: np.ndarray, h: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, tuple]:
    r"""One step of a GRU (Cho et al. 2014), in PyTorch's form.

    $$r = \sigma(x W_{xr} + h W_{hr} + b_r), \qquad z = \sigma(x W_{xz} + h W_{hz} + b_z)$$

    $$n = \tanh(x W_{xn} + b_n + r \cdot (h W_{hn} + b_m)), \qquad h' = (1 - z) \cdot n + z \cdot h$$

    See `gru_forward` for where forms differ and for the four parts of b.

    Parameters
    ----------
    x : (..., N, D) this step's input; axes in front of the batch axis N are run axes
    h : (..., N, H) the state before
    wx : (..., D, 3H), gates in the order r, z, n
    wh : (..., H, 3H)
    b : (4H,), b_r, b_z, b_n, b_m side by side, or (3H,) without b_m; with run axes (..., 1, 4H)

    Returns
    -------
    h' : (..., N, H) the state after, which is also the output
    cache : for `gru_step_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> h, cache = gru_step_forward(np.ones((2, 3)), np.zeros((2, 4)), np.ones((3, 12)), np.ones((4, 12)), np.zeros(16))
    >>> h.shape
    (2, 4)
    """
    _check_step(3, x, wx, wh, b, h=h)
    hidden = h.shape[-1]
    b_outer, b_inner = _gru_bias(b, hidden)
    x_r, x_z, x_n = np.split(x @ wx + b_outer, 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ wh, 3, axis=-1)
    r, z = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z)
    inner = h_n + b_inner
    n = np.tanh(x_n + r * inner)
    next_h = (1 - z) * n + z * h
    return next_h, (x, h, wx, wh, b, r, z, n, inner)


@in_float32
def gru_step_backward(dnext_h: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    r"""Gradients of one GRU step.

    With $m = h W_{hn} + b_m$, the part that the reset gate multiplies,

    $$da_n = dh' \cdot (1 - z)(1 - n^2), \quad dm = da_n \cdot r, \quad da_r = da_n \cdot m \cdot r (1 - r), \quad
    da_z = dh' \cdot (h - n) \cdot z (1 - z)$$

    The state before gets $dh' \cdot z$ and what comes back through $W_h$ from $da_r$, $da_z$ and $dm$.

    Parameters
    ----------
    dnext_h : (..., N, H) gradient of the loss with respect to the state after
    cache : what `gru_step_forward` gave

    Returns
    -------
    dx, dh, dwx, dwh, db : each of the shape of x, h, wx, wh, b

    >>> h, cache = gru_step_forward(np.ones((2, 3)), np.zeros((2, 4)), np.ones((3, 12)), np.ones((4, 12)), np.zeros(16))
    >>> [g.shape for g in gru_step_backward(np.ones((2, 4)), cache)]
    [(2, 3), (2, 4), (3, 12), (4, 12), (16,)]
    """
    x, h, wx, wh, b, r, z, n, inner = cache
    _checks.gradient(dnext_h, n.shape, "dnext_h")
    da_n = dnext_h * (1 - z) * (1 - n**2)
    dinner = da_n * r
    da_r = da_n * inner * r * (1 - r)
    da_z = dnext_h * (h - n) * z * (1 - z)
    da_x = np.concatenate([da_r, da_z, da_n], axis=-1)
    da_h = np.concatenate([da_r, da_z, dinner], axis=-1)
    dx, dh, dwx, dwh, _ = _affine_gradients(da_x, da_h, x, h, wx, wh, b[..., : wx.shape[-1]])
    db = np.concatenate([da_x, dinner], axis=-1).sum(axis=-2, keepdims=True)[..., : b.shape[-1]]
    return dx, dh + sum_to(dnext_h * z, h.shape), dwx, dwh, sum_to(db, b.shape)


@forward_in_float32
def gru_forward(
    x: np.ndarray, h0: np.ndarray, wx: np.ndarray, wh: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, tuple]:
    r"""A GRU over whole sequences: `gru_step_forward` T times.

    Where forms differ, this follows PyTorch: the reset gate multiplies the hidden product, $r \cdot (h W_{hn} + b_m)$
    (Keras: `reset_after=True`), while Cho et al. 2014 reset the state first, $(r \cdot h) W_{hn}$; and $z$ is the
    share of the old state that is kept, while some texts swap $z$ and $1 - z$.

    Because r multiplies it, the bias $b_m$ cannot be put together with $b_n$. So b has four parts, (4H,):
    $b_r, b_z, b_n, b_m$. With three, (3H,), there is no $b_m$. The same as `torch.nn.GRU(D, H, batch_first=True)` with
    `wx = weight_ih_l0.T`, `wh = weight_hh_l0.T` and, for bi and bh its two biases,
    `b = concatenate([(bi + bh)[:2*H], bi[2*H:], bh[2*H:]])`.

    Parameters
    ----------
    x : (..., N, T, D) inputs; axes in front of the batch axis N are run axes
    h0 : (..., N, H) the first state, often zeros
    wx : (..., D, 3H), gates in the order r, z, n
    wh : (..., H, 3H)
    b : (4H,) or (3H,) bias; with run axes (..., 1, 4H)

    Returns
    -------
    out : (..., N, T, H) the states h_1 to h_T. A view into the cache: copy it before you change it.
    cache : for `gru_backward`

    Raises
    ------
    ShapeError, DTypeError
        If the shapes do not fit together, or an argument is not an array of floats.

    >>> out, cache = gru_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4, gates=3))
    >>> out.shape
    (2, 5, 4)
    """
    runs = _check_sequence(3, x, wx, wh, b, h0=h0)
    b_outer, b_inner = _gru_bias(b, h0.shape[-1])
    out, cache = sequences.gru_forward(runs, x, h0, wx, wh, b_outer, b_inner)
    return out, (out.shape, h0.shape, b.shape, cache)


@in_float32
def gru_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, ...]:
    """Gradients of a GRU over whole sequences: `gru_step_backward` from the last step to the first.

    Parameters
    ----------
    dout : (..., N, T, H) gradient of the loss with respect to out; zeros where a step's output is not used
    cache : what `gru_forward` gave

    Returns
    -------
    dx, dh0, dwx, dwh, db : each of the shape of x, h0, wx, wh, b

    >>> out, cache = gru_forward(np.ones((2, 5, 3)), np.zeros((2, 4)), *_ones(3, 4, gates=3))
    >>> [g.shape for g in gru_backward(np.ones((2, 5, 4)), cache)]
    [(2, 5, 3), (2, 4), (3, 12), (4, 12), (12,)]
    """
    out_shape, h_shape, b_shape, cache = cache
    _checks.gradient(dout, out_shape)
    dx, dh0, dwx, dwh, db, db_inner = sequences.gru_backward(dout, cache)
    if b_shape[-1] == 4 * out_shape[-1]:
        db = np.concatenate([db, sum_to(db_inner, (*b_shape[:-1], out_shape[-1]))], axis=-1)
    return dx, sum_to(dh0, h_shape), dwx, dwh, db


# Embedding


def embedding_forward(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, tuple]:
    """Embedding: symbol number v becomes row v of a table that is learnt. The same as `torch.nn.Embedding`.

    As if each symbol were a one-hot row times the table w, without multiplying all the zeros.

    Parameters
    ----------
    x : whole numbers in [0, V), any shape; with run axes in w (N, T) or (..., N, T)
    w : (V, D) the table; with run axes (..., V, D)

    Returns
    -------
    out : x.shape + (D,)
    cache : for `embedding_backward`

    Raises
    ------
    LabelError
        If x is not of whole numbers in [0, V).
    ShapeError, DTypeError
        If w is not a table of floats.

    >>> w = np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]])
    >>> out, cache = embedding_forward(np.array([[2, 2, 0]]), w)
    >>> out
    array([[[2. , 2.1],
            [2. , 2.1],
            [0. , 0.1]]])
    """
    _checks.shape("w (..., V, D)", w=w)
    symbols = w.shape[-2]
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iu":
        raise LabelError(
            f"x is {_checks.describe(x)}, but an embedding takes an array of symbol numbers, from 0 to {symbols - 1}; "
            "try np.asarray(x, dtype=np.int64)"
        )
    if x.size == 0:
        raise ShapeError(f"x has shape {x.shape}: it is empty; expected at least one symbol number")
    if x.min() < 0 or x.max() >= symbols:
        bad = int(x.min() if x.min() < 0 else x.max())
        raise LabelError(f"x contains {bad}, but with a table of {symbols} rows symbols run from 0 to {symbols - 1}")
    if w.ndim == 2:
        return w[x], (x, w.shape)
    if x.ndim < 2:
        raise ShapeError(f"x has shape {x.shape}; with run axes in w it is (N, T) or (..., N, T)")
    runs = run_axes(x=(x, 2), w=(w, 2))
    rows, tables = _flat_runs(x, w, runs)
    out = np.stack([table[row] for row, table in zip(rows, tables, strict=True)])
    return out.reshape(*runs, *x.shape[-2:], w.shape[-1]), (x, w.shape)


@in_float32
def embedding_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    """Gradient of the table: each row collects the gradients of all places where its symbol stood.

    Parameters
    ----------
    dout : gradient of the loss with respect to out
    cache : what `embedding_forward` gave

    Returns
    -------
    dw : of the shape of w; rows of symbols that did not occur are 0

    >>> out, cache = embedding_forward(np.array([[2, 2, 0]]), np.zeros((3, 2)))
    >>> embedding_backward(np.ones((1, 3, 2)), cache)
    array([[1., 1.],
           [0., 0.],
           [2., 2.]])
    """
    x, w_shape = cache
    runs = np.broadcast_shapes(x.shape[:-2], w_shape[:-2]) if len(w_shape) > 2 else x.shape[:-2]
    _checks.gradient(dout, (*runs, *x.shape[-2:], w_shape[-1]))
    if len(w_shape) == 2:
        return _collect(x, dout, w_shape)
    x = np.broadcast_to(x, (*runs, *x.shape[-2:]))
    dw = np.stack([_collect(x[run], dout[run], w_shape[-2:]) for run in np.ndindex(runs)])
    return sum_to(dw.reshape(*runs, *w_shape[-2:]), w_shape)


def _collect(x, dout, shape):
    """`np.add.at(zeros(shape), x, dout)`, faster: sort by symbol, then add up each symbol's rows."""
    order = np.argsort(x, axis=None, kind="stable")
    symbols = x.reshape(-1)[order]
    starts = np.flatnonzero(np.diff(symbols, prepend=-1))
    dw = np.zeros(shape, dout.dtype)
    dw[symbols[starts]] = np.add.reduceat(dout.reshape(-1, shape[-1])[order], starts, axis=0)
    return dw


def _flat_runs(x, w, runs):
    """x and w once for each run."""
    x = np.broadcast_to(x, (*runs, *x.shape[-2:]))
    w = np.broadcast_to(w, (*runs, *w.shape[-2:]))
    return x.reshape(-1, *x.shape[-2:]), [w[run] for run in np.ndindex(runs)]


# What the functions above share


def _sigmoid(x):
    return sigmoid_forward(x)[0]


def _affine_gradients(da_x, da_h, x, h, wx, wh, b):
    """(dx, dh, dwx, dwh, db) of x @ wx + b and h @ wh."""
    dx, dh = da_x @ wx.swapaxes(-1, -2), da_h @ wh.swapaxes(-1, -2)
    dwx, dwh = x.swapaxes(-1, -2) @ da_x, h.swapaxes(-1, -2) @ da_h
    db = da_x.sum(axis=-2, keepdims=True)
    return (
        sum_to(dx, x.shape),
        sum_to(dh, h.shape),
        sum_to(dwx, wx.shape),
        sum_to(dwh, wh.shape),
        sum_to(db, b.shape),
    )


def _gru_bias(b, hidden):
    """(b_r, b_z, b_n) and b_m, zeros if b has three parts."""
    outer, inner = b[..., : 3 * hidden], b[..., 3 * hidden :]
    return outer, inner if inner.size else np.zeros((*b.shape[:-1], hidden), b.dtype)


def _check_step(gates, x, wx, wh, b, **states):
    _check(gates, "x (..., N, D)", 2, x, wx, wh, b, states)


def _check_sequence(gates, x, wx, wh, b, **states):
    return _check(gates, "x (..., N, T, D)", 3, x, wx, wh, b, states)


def _check(gates, x_pattern, x_axes, x, wx, wh, b, states):
    """Refuse shapes that do not fit together; returns the run axes."""
    pattern = ", ".join([x_pattern, *(f"{name} (..., N, H)" for name in states), "wx (..., D, G)", "wh (..., H, G)"])
    _checks.shape(pattern, x=x, **states, wx=wx, wh=wh)
    _checks.float_array("b", b)
    hidden, columns = wh.shape[-2:]
    parts = (3, 4) if gates == 3 else (gates,)
    if columns != gates * hidden:
        raise ShapeError(
            f"wh has shape {wh.shape}; with H={hidden} hidden units and {gates} gate{'s' * (gates > 1)} it needs "
            f"{gates * hidden} columns, wh ({hidden}, {gates * hidden})"
        )
    if b.ndim == 0 or b.shape[-1] not in [part * hidden for part in parts]:
        expected = " or ".join(f"({part * hidden},)" for part in reversed(parts))
        raise ShapeError(f"b has shape {b.shape}; with H={hidden} hidden units expected b {expected}")
    own = {name: (state, 2) for name, state in states.items()}
    return run_axes(x=(x, x_axes), **own, wx=(wx, 2), wh=(wh, 2), b=(b, 1))


def _ones(inputs, hidden, gates=1):
    """Parameters for the examples in the docstrings."""
    columns = gates * hidden
    return np.full((inputs, columns), 0.1), np.full((hidden, columns), 0.1), np.zeros(columns)
