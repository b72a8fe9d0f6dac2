"""Layers hold settings only; numbers travel as plain dicts.

A layer is a frozen dataclass with three methods::

    params, state = layer.init(rng)
    out, cache, state = layer.forward(params, state, x, training=True, rng=rng)
    dx, grads = layer.backward(dout, cache)

* `params` is what training changes, `grads` has the same keys and shapes.
* `state` is what the forward pass itself updates (batch norm's running statistics); most layers have none.
* `training` is always said aloud. `rng` is needed by layers that draw noise while training (dropout), by no other.
* Several networks at once: stack their params along a run axis in front, `model.stack_runs`.
"""

from .attention import LookBack
from .base import Layer
from .dense import (
    ELU,
    GELU,
    GLU,
    SELU,
    Dense,
    Dropout,
    LeakyReLU,
    Maxout,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from .image import (
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
    MaxPool2d,
    RMSNorm,
)
from .recurrent import (
    GRU,
    LSTM,
    RNN,
    EachStep,
    Embedding,
    LastStep,
    LastSteps,
    first_states,
    sequence_cross_entropy,
    step,
)
from .residual import Residual

__all__ = [
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AvgPool2d",
    "BatchNorm",
    "BatchNorm2d",
    "Conv2d",
    "Dense",
    "Dropout",
    "EachStep",
    "Embedding",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "LastStep",
    "LastSteps",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LocalResponseNorm",
    "LookBack",
    "MaxPool2d",
    "Maxout",
    "PReLU",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "first_states",
    "sequence_cross_entropy",
    "step",
]
