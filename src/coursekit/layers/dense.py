"""Dense layers, activations and dropout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _checks, activations
from ..dense import affine_backward, affine_forward
from ..fast.dense import affine_backward_params
from ..initializers import he_normal
from ..regularizers import dropout_backward, dropout_forward
from .base import Layer

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Dense",
    "Dropout",
    "LeakyReLU",
    "Maxout",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
]


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected layer, `out = x @ w + b`; see `coursekit.dense`.

    Parameters
    ----------
    inputs, outputs : numbers of units D and M
    weights : initializer `f(rng, shape, dtype=)`; He normal unless told otherwise (PyTorch: uniform on ±1/sqrt(D))

    >>> layer = Dense(3, 2)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> {name: array.shape for name, array in params.items()}
    {'w': (3, 2), 'b': (2,)}
    >>> out, cache, state = layer.forward(params, state, np.ones((4, 3), np.float32), training=True)
    >>> out.shape
    (4, 2)
    """

    inputs: int
    outputs: int
    weights: Callable = he_normal

    def __post_init__(self):
        _checks.whole("inputs", self.inputs)
        _checks.whole("outputs", self.outputs)

    def init(self, rng, *, dtype=np.float32):
        """Weights from the initializer, bias zero."""
        w = self.weights(rng, (self.inputs, self.outputs), dtype=dtype)
        return {"w": w, "b": np.zeros(self.outputs, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, D) -> (..., N, M)."""
        out, cache = affine_forward(x, params["w"], params["b"])
        return out, cache, state

    def backward(self, dout, cache):
        """dout (..., N, M) -> dx (..., N, D), {"w", "b"}."""
        dx, dw, db = affine_backward(dout, cache)
        return dx, {"w": dw, "b": db}

    def backward_first(self, dout, cache):
        """As `backward`, without dx."""
        dw, db = affine_backward_params(dout, cache)
        return {"w": dw, "b": db}


class _Elementwise(Layer):
    """A layer without params that applies an activation function."""

    def forward(self, params, state, x, *, training, rng=None):
        """Apply the function entry by entry; any shape."""
        out, cache = self._forward(x)
        return out, cache, state

    def backward(self, dout, cache):
        """Multiply with the local derivative."""
        return self._backward(dout, cache), {}


@dataclass(frozen=True)
class Sigmoid(_Elementwise):
    """Logistic sigmoid; see `coursekit.activations.sigmoid_forward`."""

    _forward = staticmethod(activations.sigmoid_forward)
    _backward = staticmethod(activations.sigmoid_backward)


@dataclass(frozen=True)
class Tanh(_Elementwise):
    """Hyperbolic tangent; see `coursekit.activations.tanh_forward`."""

    _forward = staticmethod(activations.tanh_forward)
    _backward = staticmethod(activations.tanh_backward)


@dataclass(frozen=True)
class ReLU(_Elementwise):
    """Rectified linear unit; see `coursekit.activations.relu_forward`."""

    _forward = staticmethod(activations.relu_forward)
    _backward = staticmethod(activations.relu_backward)


@dataclass(frozen=True)
class ReLU6(_Elementwise):
    """ReLU with a ceiling of 6; see `coursekit.activations.relu6_forward`."""

    _forward = staticmethod(activations.relu6_forward)
    _backward = staticmethod(activations.relu6_backward)


@dataclass(frozen=True)
class LeakyReLU(_Elementwise):
    """Leaky ReLU; see `coursekit.activations.leaky_relu_forward`."""

    slope: float = 0.01

    def _forward(self, x):
        return activations.leaky_relu_forward(x, self.slope)

    _backward = staticmethod(activations.leaky_relu_backward)


@dataclass(frozen=True)
class ELU(_Elementwise):
    """Exponential linear unit; see `coursekit.activations.elu_forward`."""

    alpha: float = 1.0

    def _forward(self, x):
        return activations.elu_forward(x, self.alpha)

    _backward = staticmethod(activations.elu_backward)


@dataclass(frozen=True)
class SELU(_Elementwise):
    """Scaled exponential linear unit; see `coursekit.activations.selu_forward`. Start with `lecun_normal`."""

    _forward = staticmethod(activations.selu_forward)
    _backward = staticmethod(activations.selu_backward)


@dataclass(frozen=True)
class GELU(_Elementwise):
    """Gaussian error linear unit; see `coursekit.activations.gelu_forward`."""

    _forward = staticmethod(activations.gelu_forward)
    _backward = staticmethod(activations.gelu_backward)


@dataclass(frozen=True)
class SiLU(_Elementwise):
    """Sigmoid linear unit; see `coursekit.activations.silu_forward`."""

    _forward = staticmethod(activations.silu_forward)
    _backward = staticmethod(activations.silu_backward)


@dataclass(frozen=True)
class Softplus(_Elementwise):
    """ReLU without a corner; see `coursekit.activations.softplus_forward`."""

    _forward = staticmethod(activations.softplus_forward)
    _backward = staticmethod(activations.softplus_backward)


@dataclass(frozen=True)
class PReLU(Layer):
    """Leaky ReLU with a learnt slope for each unit; see `coursekit.activations.prelu_forward`.

    Parameters
    ----------
    units : D, as many as the layer before has outputs; 1 for one slope for all of them
    slope : at the start, 0.25 as in the paper

    >>> layer = PReLU(3)
    >>> params, state = layer.init(None)
    >>> params["slope"]
    array([0.25, 0.25, 0.25], dtype=float32)
    """

    units: int
    slope: float = 0.25

    def __post_init__(self):
        _checks.whole("units", self.units)
        _checks.number("slope", self.slope)

    def init(self, rng, *, dtype=np.float32):
        """All slopes alike; the generator is not used."""
        return {"slope": np.full(self.units, self.slope, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, D) -> the same shape."""
        out, cache = activations.prelu_forward(x, params["slope"])
        return out, cache, state

    def backward(self, dout, cache):
        """dout (..., N, D) -> dx, {"slope"}."""
        dx, dslope = activations.prelu_backward(dout, cache)
        return dx, {"slope": dslope}


@dataclass(frozen=True)
class GLU(_Elementwise):
    """Gated unit, (..., 2 D) -> (..., D): SwiGLU unless told otherwise; see `coursekit.activations.glu_forward`.

    It has no params: put a `Dense` layer with twice as many outputs before it.
    """

    gate: str = "silu"

    def _forward(self, x):
        return activations.glu_forward(x, self.gate)

    _backward = staticmethod(activations.glu_backward)


@dataclass(frozen=True)
class Maxout(_Elementwise):
    """Largest of every `pieces` neighbours, (..., M * pieces) -> (..., M); see `coursekit.activations.maxout_forward`.

    It has no params: put a `Dense` layer with `pieces` times as many outputs before it.
    """

    pieces: int = 2

    def _forward(self, x):
        return activations.maxout_forward(x, self.pieces)

    _backward = staticmethod(activations.maxout_backward)


@dataclass(frozen=True)
class Dropout(Layer):
    """Inverted dropout while training, nothing otherwise; see `coursekit.regularizers.dropout_forward`.

    >>> out, cache, _ = Dropout(0.5).forward({}, {}, np.ones(6), training=True, rng=np.random.default_rng(0))
    >>> out
    array([2., 2., 2., 0., 0., 0.])
    """

    rate: float = 0.5

    def __post_init__(self):
        _checks.number("rate", self.rate, 0, 1, open_high=True)

    def forward(self, params, state, x, *, training, rng=None):
        """Silence entries; any shape. `rng` is needed in training."""
        out, cache = dropout_forward(x, self.rate, rng, training=training)
        return out, cache, state

    def backward(self, dout, cache):
        """The gradient of what was not silenced."""
        return dropout_backward(dout, cache), {}
