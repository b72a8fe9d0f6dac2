"""Layers for sequences: recurrent layers, the embedding of symbols, and what joins them to other layers.

Inputs are (N, T, D): N sequences of T steps. What a network looks like depends on where it answers::

    Sequential([LSTM(D, H), LastStep(), Dense(H, C)])            # many to one: a class for each sequence
    Sequential([LSTM(D, H), EachStep(Dense(H, C))])              # many to many, in step
    Sequential([LSTM(D, H), LastSteps(5), EachStep(Dense(H, C))])  # many to many, delayed: the last 5 steps answer
    Sequential([RNN(D, H), RNN(H, H), LastStep(), Dense(H, C)])  # two recurrent layers

Every recurrent layer starts each sequence with a state of zeros. To go on step by step, with the states in your own
hands (to write text, for example), see `first_states` and `step`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import _checks, recurrent
from ..errors import DTypeError, ShapeError
from ..fast.losses import softmax_cross_entropy
from ..initializers import normal, orthogonal, xavier_uniform
from .base import Layer

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "EachStep",
    "Embedding",
    "LastStep",
    "LastSteps",
    "first_states",
    "sequence_cross_entropy",
    "step",
]


@dataclass(frozen=True)
class _Recurrent(Layer):
    """What RNN, LSTM and GRU share: D inputs, H hidden units, params wx, wh and b."""

    inputs: int
    hidden: int
    input_weights: Callable = xavier_uniform
    hidden_weights: Callable = orthogonal

    _forward: ClassVar[Callable]
    _backward: ClassVar[Callable]
    _step: ClassVar[Callable]
    _gates = 1
    _biases = 1
    _states = 1

    def __post_init__(self):
        _checks.whole("inputs", self.inputs)
        _checks.whole("hidden", self.hidden)

    def init(self, rng, *, dtype=np.float32):
        """Weights gate by gate from the two initializers, biases zero."""

        def gates(draw, rows):
            return np.concatenate([draw(rng, (rows, self.hidden), dtype=dtype) for _ in range(self._gates)], axis=1)

        wx, wh = gates(self.input_weights, self.inputs), gates(self.hidden_weights, self.hidden)
        return {"wx": wx, "wh": wh, "b": np.zeros(self._biases * self.hidden, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, T, D) -> (..., N, T, H), from states of zeros."""
        zeros = self.zero_states(_rows(x), params["wx"].dtype)
        out, cache = self._forward(x, *zeros, params["wx"], params["wh"], params["b"])
        return out, cache, state

    def backward(self, dout, cache):
        """dout (..., N, T, H) -> dx (..., N, T, D), {"wx", "wh", "b"}."""
        dx, *_, dwx, dwh, db = self._backward(dout, cache)
        return dx, {"wx": dwx, "wh": dwh, "b": db}

    def zero_states(self, n: int, dtype=np.float32) -> tuple[np.ndarray, ...]:
        """The states before the first step: one array (N, H), for an LSTM two."""
        return tuple(np.zeros((n, self.hidden), dtype) for _ in range(self._states))

    def step(self, params: dict, states: tuple, x: np.ndarray) -> tuple[np.ndarray, tuple]:
        """One step: x (N, D) and the states before -> out (N, H) and the states after."""
        *states, _ = self._step(x, *states, params["wx"], params["wh"], params["b"])
        return states[0], tuple(states)


@dataclass(frozen=True)
class RNN(_Recurrent):
    """Plain recurrent layer with tanh; see `coursekit.recurrent.rnn_forward`.

    Parameters
    ----------
    inputs, hidden : D and H
    input_weights, hidden_weights : initializers. Xavier uniform and orthogonal, as in Keras: an orthogonal matrix
        neither shrinks nor grows what it carries (Saxe et al. 2014). PyTorch draws all uniformly on ±1/sqrt(H).

    >>> layer = RNN(3, 8)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> {name: p.shape for name, p in params.items()}
    {'wx': (3, 8), 'wh': (8, 8), 'b': (8,)}
    >>> out, cache, state = layer.forward(params, state, np.ones((4, 10, 3), np.float32), training=True)
    >>> out.shape
    (4, 10, 8)
    """

    _forward = staticmethod(recurrent.rnn_forward)
    _backward = staticmethod(recurrent.rnn_backward)
    _step = staticmethod(recurrent.rnn_step_forward)


@dataclass(frozen=True)
class LSTM(_Recurrent):
    """LSTM layer; see `coursekit.recurrent.lstm_forward`.

    Parameters
    ----------
    inputs, hidden : D and H
    input_weights, hidden_weights : initializers, see `RNN`; drawn for each gate on its own
    forget_bias : first bias of the forget gate. With 1 a new network remembers rather than forgets (Gers et al. 2000;
        Jozefowicz et al. 2015), as in Keras; PyTorch has none.

    >>> {name: p.shape for name, p in LSTM(3, 8).init(np.random.default_rng(0))[0].items()}
    {'wx': (3, 32), 'wh': (8, 32), 'b': (32,)}
    """

    forget_bias: float = 1.0

    _forward = staticmethod(recurrent.lstm_forward)
    _backward = staticmethod(recurrent.lstm_backward)
    _step = staticmethod(recurrent.lstm_step_forward)
    _gates, _biases, _states = 4, 4, 2

    def __post_init__(self):
        super().__post_init__()
        _checks.number("forget_bias", self.forget_bias)

    def init(self, rng, *, dtype=np.float32):
        """As for `RNN`; the forget gate's bias is `forget_bias`."""
        params, state = super().init(rng, dtype=dtype)
        params["b"][self.hidden : 2 * self.hidden] = self.forget_bias
        return params, state


@dataclass(frozen=True)
class GRU(_Recurrent):
    """GRU layer; see `coursekit.recurrent.gru_forward`.

    Parameters
    ----------
    inputs, hidden : D and H
    input_weights, hidden_weights : initializers, see `RNN`; drawn for each gate on its own

    >>> {name: p.shape for name, p in GRU(3, 8).init(np.random.default_rng(0))[0].items()}
    {'wx': (3, 24), 'wh': (8, 24), 'b': (32,)}
    """

    _forward = staticmethod(recurrent.gru_forward)
    _backward = staticmethod(recurrent.gru_backward)
    _step = staticmethod(recurrent.gru_step_forward)
    _gates, _biases = 3, 4


def _standard_normal(rng, shape, *, dtype):
    """Normal with standard deviation 1, PyTorch's choice for embeddings."""
    return normal(rng, shape, 1.0, dtype=dtype)


@dataclass(frozen=True)
class Embedding(Layer):
    """A learnt row of D numbers for each of V symbols; see `coursekit.recurrent.embedding_forward`.

    Its input are symbol numbers, which have no gradient: `backward` gives None for dx.

    Parameters
    ----------
    symbols, features : V and D
    weights : initializer; normal with standard deviation 1, as in PyTorch

    >>> layer = Embedding(65, 16)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.array([[0, 64, 3]]), training=True)[0].shape
    (1, 3, 16)
    """

    symbols: int
    features: int
    weights: Callable = _standard_normal

    def __post_init__(self):
        _checks.whole("symbols", self.symbols)
        _checks.whole("features", self.features)

    def init(self, rng, *, dtype=np.float32):
        """The table from the initializer."""
        return {"w": self.weights(rng, (self.symbols, self.features), dtype=dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, T) whole numbers -> (..., N, T, D)."""
        out, cache = recurrent.embedding_forward(x, params["w"])
        return out, cache, state

    def backward(self, dout, cache):
        """dout (..., N, T, D) -> None, {"w"}."""
        return None, {"w": recurrent.embedding_backward(dout, cache)}


@dataclass(frozen=True)
class LastStep(Layer):
    """Only the last step: (..., N, T, D) -> (..., N, D).

    >>> LastStep().forward({}, {}, np.arange(12.0).reshape(2, 3, 2), training=True)[0]
    array([[ 4.,  5.],
           [10., 11.]])
    """

    def forward(self, params, state, x, *, training, rng=None):
        """(..., N, T, D) -> (..., N, D)."""
        _checks.shape("x (..., N, T, D)", x=x)
        return x[..., -1, :], x.shape, state

    def backward(self, dout, cache):
        """All earlier steps get 0."""
        _checks.gradient(dout, (*cache[:-2], cache[-1]))
        dx = np.zeros(cache, dout.dtype)
        dx[..., -1, :] = dout
        return dx, {}


@dataclass(frozen=True)
class LastSteps(Layer):
    """Only the last steps: (..., N, T, D) -> (..., N, count, D), where the answer comes after the question.

    >>> LastSteps(2).forward({}, {}, np.ones((4, 10, 3)), training=True)[0].shape
    (4, 2, 3)
    """

    count: int

    def __post_init__(self):
        _checks.whole("count", self.count)

    def forward(self, params, state, x, *, training, rng=None):
        """(..., N, T, D) -> (..., N, count, D)."""
        steps = _checks.shape("x (..., N, T, D)", x=x)["T"]
        if self.count > steps:
            raise ShapeError(
                f"x has shape {x.shape}, so T={steps} steps, of which LastSteps({self.count}) cannot be had"
            )
        return x[..., steps - self.count :, :], x.shape, state

    def backward(self, dout, cache):
        """All earlier steps get 0."""
        _checks.gradient(dout, (*cache[:-2], self.count, cache[-1]))
        dx = np.zeros(cache, dout.dtype)
        dx[..., cache[-2] - self.count :, :] = dout
        return dx, {}


@dataclass(frozen=True)
class EachStep(Layer):
    """Apply a layer of rows, such as `Dense`, to every step: (..., N, T, D) -> (..., N, T, M).

    The layer sees N*T rows; the same as Keras's TimeDistributed. Its params are this layer's params.

    >>> from coursekit.layers import Dense
    >>> layer = EachStep(Dense(3, 5))
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.ones((4, 10, 3), np.float32), training=True)[0].shape
    (4, 10, 5)
    """

    layer: Layer

    def __post_init__(self):
        if not isinstance(self.layer, Layer):
            raise DTypeError(f"layer is {_checks.describe(self.layer)}, but must be a layer: EachStep(Dense(3, 5))")

    def init(self, rng, *, dtype=np.float32):
        """The layer's own."""
        return self.layer.init(rng, dtype=dtype)

    def forward(self, params, state, x, *, training, rng=None):
        """(..., N, T, D) -> (..., N, T, M)."""
        _checks.shape("x (..., N, T, D)", x=x)
        out, cache, state = self.layer.forward(params, state, _merge(x), training=training, rng=rng)
        out = out.reshape(*out.shape[:-2], *x.shape[-3:-1], out.shape[-1])
        return out, (out.shape, x.shape[-3:-1], cache), state

    def backward(self, dout, cache):
        """(..., N, T, M) -> (..., N, T, D)."""
        out_shape, steps, cache = cache
        _checks.gradient(dout, out_shape)
        dx, grads = self.layer.backward(_merge(dout), cache)
        return dx.reshape(*dx.shape[:-2], *steps, dx.shape[-1]), grads


def sequence_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Cross-entropy of every step of every sequence, the mean over all N T of them.

    Parameters
    ----------
    scores : (..., N, T, C) float
    labels : (N, T) or (..., N, T) whole numbers in [0, C)

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dscores : (..., N, T, C)

    >>> loss, dscores = sequence_cross_entropy(np.zeros((2, 7, 10)), np.zeros((2, 7), int))
    >>> print(f"{loss:.4f} = ln 10", dscores.shape)
    2.3026 = ln 10 (2, 7, 10)
    """
    classes = _checks.shape("scores (..., N, T, C)", scores=scores)["C"]
    labels = _checks.labels(labels, classes, scores.shape[:-1])
    loss, dscores = softmax_cross_entropy(_merge(scores), labels.reshape(*labels.shape[:-2], -1))
    return loss, dscores.reshape(scores.shape)


def first_states(model, n: int, dtype=np.float32) -> tuple:
    """The states of all recurrent layers of a `Sequential` before the first step, for n sequences."""
    return tuple(layer.zero_states(n, dtype) if isinstance(layer, _Recurrent) else () for layer in model.layers)


def step(model, params: dict, states: tuple, x: np.ndarray) -> tuple[np.ndarray, tuple]:
    """One step of a `Sequential` of recurrent layers, embeddings, `EachStep` and layers of rows, in eval mode.

    Parameters
    ----------
    params : the network's
    states : from `first_states` or the step before; not changed
    x : (N,) symbol numbers, or (N, D)

    Returns
    -------
    out : (N, M) what the network answers at this step
    states : the states after it

    >>> from coursekit.layers import Dense
    >>> from coursekit.model import Sequential
    >>> net = Sequential([Embedding(65, 8), LSTM(8, 16), EachStep(Dense(16, 65))])
    >>> params, _ = net.init(np.random.default_rng(0))
    >>> out, states = step(net, params, first_states(net, n=2), np.array([0, 64]))
    >>> out.shape
    (2, 65)
    """
    after = []
    for name, layer, before in zip(model.names, model.layers, states, strict=True):
        if isinstance(layer, (LastStep, LastSteps)):
            raise DTypeError(f"the network has a {type(layer).__name__} layer: it answers at the end, not at each step")
        if isinstance(layer, _Recurrent):
            x, before = layer.step(params[name], before, x)
        else:
            layer = layer.layer if isinstance(layer, EachStep) else layer
            x, _, _ = layer.forward(params.get(name, {}), {}, x, training=False)
        after.append(before)
    return x, tuple(after)


def _rows(x):
    return _checks.shape("x (..., N, T, D)", x=x)["N"]


def _merge(x):
    """(..., N, T, D) -> (..., N*T, D)."""
    return x.reshape(*x.shape[:-3], -1, x.shape[-1])
