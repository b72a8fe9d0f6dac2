"""Layers for images, and the normalization that goes with them.

Images are (N, C, H, W); with run axes (R, N, C, H, W). A network of these layers keeps its images batch-last in memory
by itself, see `coursekit.fast.images`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import _checks, convolution, normalization
from ..errors import RangeError
from ..initializers import he_normal
from .base import Layer

__all__ = [
    "AvgPool2d",
    "BatchNorm",
    "BatchNorm2d",
    "Conv2d",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "LayerNorm",
    "LocalResponseNorm",
    "MaxPool2d",
    "RMSNorm",
]


@dataclass(frozen=True)
class Conv2d(Layer):
    """Convolution layer; see `coursekit.convolution.conv2d_forward`.

    Parameters
    ----------
    inputs, outputs : numbers of channels C and F
    size : of the kernels, whole number or (vertical, horizontal)
    stride, padding : likewise
    groups : the channels are split into so many groups that do not see each other; AlexNet had two, one on each GPU.
        With as many groups as channels the convolution is depthwise, see `depthwise_conv2d_forward`
    weights : initializer `f(rng, shape, dtype=)`; He normal unless told otherwise (PyTorch: uniform on
        ±1/sqrt(fan-in))

    >>> layer = Conv2d(3, 16, 5, padding=2)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> {name: array.shape for name, array in params.items()}
    {'w': (16, 3, 5, 5), 'b': (16,)}
    >>> layer.forward(params, state, np.ones((4, 3, 8, 8), np.float32), training=True)[0].shape
    (4, 16, 8, 8)
    """

    inputs: int
    outputs: int
    size: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: int | tuple[int, int] = 0
    groups: int = 1
    weights: Callable = he_normal

    def __post_init__(self):
        _checks.whole("inputs", self.inputs)
        _checks.whole("outputs", self.outputs)
        _checks.whole("groups", self.groups)
        for name, low in (("size", 1), ("stride", 1), ("padding", 0)):
            object.__setattr__(self, name, convolution.pair(name, getattr(self, name), low))
        if self.inputs % self.groups or self.outputs % self.groups:
            raise RangeError(
                f"groups is {self.groups}, but must divide inputs ({self.inputs}) and outputs ({self.outputs})"
            )

    def init(self, rng, *, dtype=np.float32):
        """Weights (F, C / groups, KH, KW) from the initializer, bias zero."""
        w = self.weights(rng, (self.outputs, self.inputs // self.groups, *self.size), dtype=dtype)
        return {"w": w, "b": np.zeros(self.outputs, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, C, H, W) -> (..., N, F, OH, OW)."""
        if self._depthwise:
            _checks.shape(f"x (..., N, {self.inputs}, H, W)", x=x)
            out, cache = convolution.depthwise_conv2d_forward(x, params["w"], params["b"], self.stride, self.padding)
            return out, cache, state
        if self.groups == 1:
            out, cache = convolution.conv2d_forward(x, params["w"], params["b"], self.stride, self.padding)
            return out, cache, state
        _checks.shape(f"x (..., N, {self.inputs}, H, W)", x=x)
        parts = zip(
            np.split(x, self.groups, axis=-3),
            np.split(params["w"], self.groups, axis=-4),
            np.split(params["b"], self.groups, axis=-1),
            strict=True,
        )
        outs, caches = zip(
            *(convolution.conv2d_forward(*part, self.stride, self.padding) for part in parts), strict=True
        )
        return np.concatenate(outs, axis=-3), caches, state

    def backward(self, dout, cache):
        """dout (..., N, F, OH, OW) -> dx (..., N, C, H, W), {"w", "b"}."""
        return self._backward(dout, cache, need_dx=True)

    def backward_first(self, dout, cache):
        """As `backward`, without dx."""
        return self._backward(dout, cache, need_dx=False)[1]

    @property
    def _depthwise(self):
        return self.groups == self.inputs == self.outputs > 1

    def _backward(self, dout, cache, need_dx):
        if self._depthwise:
            dx, dw, db = convolution.depthwise_conv2d_backward(dout, cache)
            return dx, {"w": dw, "b": db}
        if self.groups == 1:
            dx, dw, db = convolution.conv2d_backward_of(dout, cache, need_dx=need_dx)
            return dx, {"w": dw, "b": db}
        _checks.shape(f"dout (..., N, {self.outputs}, OH, OW)", dout=dout)
        douts = np.split(dout, self.groups, axis=-3)
        parts = [convolution.conv2d_backward_of(d, c, need_dx=need_dx) for d, c in zip(douts, cache, strict=True)]
        dx, dw, db = zip(*parts, strict=True)
        return (
            np.concatenate(dx, axis=-3) if need_dx else None,
            {"w": np.concatenate(dw, axis=-4), "b": np.concatenate(db, axis=-1)},
        )


@dataclass(frozen=True)
class _Pool2d(Layer):
    """A window that slides over each channel; stride None puts the windows side by side."""

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None

    def __post_init__(self):
        object.__setattr__(self, "size", convolution.pair("size", self.size, 1))
        stride = self.size if self.stride is None else convolution.pair("stride", self.stride, 1)
        object.__setattr__(self, "stride", stride)

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., H, W) -> (..., OH, OW)."""
        out, cache = self._forward(x, self.size, self.stride)
        return out, cache, state

    def backward(self, dout, cache):
        """dout (..., OH, OW) -> dx (..., H, W)."""
        return self._backward(dout, cache), {}


@dataclass(frozen=True)
class MaxPool2d(_Pool2d):
    """The largest entry of each window; see `coursekit.convolution.max_pool2d_forward`.

    >>> MaxPool2d(3, stride=2).forward({}, {}, np.ones((4, 16, 9, 9)), training=True)[0].shape
    (4, 16, 4, 4)
    """

    _forward = staticmethod(convolution.max_pool2d_forward)
    _backward = staticmethod(convolution.max_pool2d_backward)


@dataclass(frozen=True)
class AvgPool2d(_Pool2d):
    """The mean of each window; see `coursekit.convolution.avg_pool2d_forward`.

    >>> AvgPool2d().forward({}, {}, np.ones((4, 16, 9, 9)), training=True)[0].shape
    (4, 16, 4, 4)
    """

    _forward = staticmethod(convolution.avg_pool2d_forward)
    _backward = staticmethod(convolution.avg_pool2d_backward)


@dataclass(frozen=True)
class GlobalAvgPool2d(Layer):
    r"""Global average pooling (Lin et al. 2014): each map becomes one number, its mean.

    $$\text{out}_{nc} = \frac{1}{H W} \sum_{i, j} x_{ncij}$$

    Takes the place of `Flatten`: what comes behind no longer knows where in the map something was, and its size does
    not depend on that of the image. The same as `torch.nn.AdaptiveAvgPool2d(1)` and a flattening.

    >>> GlobalAvgPool2d().forward({}, {}, np.ones((4, 16, 5, 7)), training=True)[0].shape
    (4, 16)
    """

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, C, H, W) -> (..., N, C)."""
        _checks.shape("x (..., N, C, H, W)", x=x)
        return x.mean(axis=(-2, -1)), x, state

    def backward(self, dout, cache):
        """Each pixel of a map gets 1 / (H W) of its gradient."""
        x = cache
        _checks.gradient(dout, x.shape[:-2])
        dx = np.empty_like(x, dtype=dout.dtype)
        dx[...] = (dout / (x.shape[-2] * x.shape[-1]))[..., None, None]
        return dx, {}


@dataclass(frozen=True)
class Flatten(Layer):
    """Images to rows: (..., N, C, H, W) -> (..., N, C * H * W), as dense layers want them.

    >>> Flatten().forward({}, {}, np.ones((4, 16, 5, 5)), training=True)[0].shape
    (4, 400)
    """

    def forward(self, params, state, x, *, training, rng=None):
        """Channel by channel, row by row."""
        _checks.shape("x (..., N, C, H, W)", x=x)
        return x.reshape(*x.shape[:-3], -1), x, state

    def backward(self, dout, cache):
        """Rows to images, in memory as x was: what comes before works on both together."""
        x = cache
        _checks.gradient(dout, (*x.shape[:-3], x.shape[-3] * x.shape[-2] * x.shape[-1]))
        dx = np.empty_like(x, dtype=dout.dtype)
        dx[...] = dout.reshape(x.shape)
        return dx, {}


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalization of (..., N, D); see `coursekit.normalization.batch_norm_forward`.

    params `gamma` (ones at first) and `beta` (zeros); state `mean` and `var`, the running statistics.

    >>> layer = BatchNorm(3)
    >>> params, state = layer.init(np.random.default_rng(0), dtype=np.float64)
    >>> x = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 7.0]])
    >>> out, cache, state = layer.forward(params, state, x, training=True)
    >>> state["mean"]
    array([0.2, 0.2, 0.5])
    """

    features: int
    momentum: float = 0.1
    eps: float = 1e-5

    _forward = staticmethod(normalization.batch_norm_forward)
    _backward = staticmethod(normalization.batch_norm_backward)

    def __post_init__(self):
        _checks.whole("features", self.features)
        _checks.number("momentum", self.momentum, 0, 1)
        _checks.number("eps", self.eps, 0)

    def init(self, rng, *, dtype=np.float32):
        """Scale one, shift zero; running mean zero and variance one."""
        d = self.features
        params = {"gamma": np.ones(d, dtype), "beta": np.zeros(d, dtype)}
        return params, {"mean": np.zeros(d, dtype), "var": np.ones(d, dtype)}

    def forward(self, params, state, x, *, training, rng=None):
        """Same shape out; in training the state moves on."""
        return self._forward(
            x, params["gamma"], params["beta"], state, training=training, momentum=self.momentum, eps=self.eps
        )

    def backward(self, dout, cache):
        """The gradient dout -> dx, {"gamma", "beta"}."""
        dx, dgamma, dbeta = self._backward(dout, cache)
        return dx, {"gamma": dgamma, "beta": dbeta}


@dataclass(frozen=True)
class BatchNorm2d(BatchNorm):
    """Batch normalization of the channels of images; see `coursekit.normalization.batch_norm2d_forward`.

    >>> layer = BatchNorm2d(3)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.ones((4, 3, 5, 5), np.float32), training=True)[0].shape
    (4, 3, 5, 5)
    """

    _forward = staticmethod(normalization.batch_norm2d_forward)
    _backward = staticmethod(normalization.batch_norm2d_backward)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalization over the last axis; see `coursekit.normalization.layer_norm_forward`.

    >>> layer = LayerNorm(3)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.ones((4, 3), np.float32), training=True)[0].shape
    (4, 3)
    """

    features: int
    eps: float = 1e-5

    def __post_init__(self):
        _checks.whole("features", self.features)
        _checks.number("eps", self.eps, 0)

    def init(self, rng, *, dtype=np.float32):
        """Scale one, shift zero."""
        return {"gamma": np.ones(self.features, dtype), "beta": np.zeros(self.features, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., D), same shape out."""
        out, cache = normalization.layer_norm_forward(x, params["gamma"], params["beta"], self.eps)
        return out, cache, state

    def backward(self, dout, cache):
        """The gradient dout (..., D) -> dx, {"gamma", "beta"}."""
        dx, dgamma, dbeta = normalization.layer_norm_backward(dout, cache)
        return dx, {"gamma": dgamma, "beta": dbeta}


@dataclass(frozen=True)
class RMSNorm(Layer):
    """Division by the root mean square over the last axis; see `coursekit.normalization.rms_norm_forward`.

    >>> layer = RMSNorm(3)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.full((4, 3), 2.0, np.float32), training=True)[0][0].round(3)
    array([1., 1., 1.], dtype=float32)
    """

    features: int
    eps: float = 1e-5

    def __post_init__(self):
        _checks.whole("features", self.features)
        _checks.number("eps", self.eps, 0)

    def init(self, rng, *, dtype=np.float32):
        """Scale one."""
        return {"gamma": np.ones(self.features, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., D), same shape out."""
        out, cache = normalization.rms_norm_forward(x, params["gamma"], self.eps)
        return out, cache, state

    def backward(self, dout, cache):
        """The gradient dout (..., D) -> dx, {"gamma"}."""
        dx, dgamma = normalization.rms_norm_backward(dout, cache)
        return dx, {"gamma": dgamma}


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Group normalization of images; see `coursekit.normalization.group_norm_forward`.

    `GroupNorm(channels, groups=channels)` is instance norm.

    >>> layer = GroupNorm(6, groups=3)
    >>> params, state = layer.init(np.random.default_rng(0))
    >>> layer.forward(params, state, np.ones((4, 6, 5, 5), np.float32), training=True)[0].shape
    (4, 6, 5, 5)
    """

    channels: int
    groups: int
    eps: float = 1e-5

    def __post_init__(self):
        _checks.whole("channels", self.channels)
        _checks.whole("groups", self.groups)
        _checks.number("eps", self.eps, 0)

    def init(self, rng, *, dtype=np.float32):
        """Scale one, shift zero, for each channel."""
        return {"gamma": np.ones(self.channels, dtype), "beta": np.zeros(self.channels, dtype)}, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, C, H, W), same shape out."""
        out, cache = normalization.group_norm_forward(x, params["gamma"], params["beta"], self.groups, self.eps)
        return out, cache, state

    def backward(self, dout, cache):
        """The gradient dout (..., N, C, H, W) -> dx, {"gamma", "beta"}."""
        dx, dgamma, dbeta = normalization.group_norm_backward(dout, cache)
        return dx, {"gamma": dgamma, "beta": dbeta}


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """AlexNet's normalization across channels; see `coursekit.normalization.local_response_norm_forward`.

    >>> LocalResponseNorm().forward({}, {}, np.ones((4, 16, 5, 5)), training=True)[0].shape
    (4, 16, 5, 5)
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 2.0

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., C, H, W), same shape out."""
        out, cache = normalization.local_response_norm_forward(x, self.size, self.alpha, self.beta, self.k)
        return out, cache, state

    def backward(self, dout, cache):
        """The gradient dout -> dx."""
        return normalization.local_response_norm_backward(dout, cache), {}
