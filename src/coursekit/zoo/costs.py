"""What a network costs: params and multiply-adds of each layer, from the settings alone."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import _checks
from ..convolution import output_length
from ..errors import DTypeError, ShapeError
from ..initializers import zeros
from ..layers import (
    GRU,
    LSTM,
    RNN,
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Dense,
    EachStep,
    Embedding,
    Flatten,
    GlobalAvgPool2d,
    GroupNorm,
    LastStep,
    LastSteps,
    Layer,
    LayerNorm,
    LookBack,
    Maxout,
    MaxPool2d,
    Residual,
    RMSNorm,
)
from ..model import Sequential

__all__ = ["Cost", "CostRow", "cost", "costs_of"]


@dataclass(frozen=True)
class CostRow:
    """What one layer costs for one example.

    Attributes
    ----------
    name : of the layer, as in the params
    output : shape without the batch axis
    params : numbers that training changes
    multiply_adds : multiplications that are added up, in one forward pass
    """

    name: str
    output: tuple[int, ...]
    params: int
    multiply_adds: int


@dataclass(frozen=True)
class Cost:
    """What a network costs, layer by layer; print it, or let a notebook show it as a table."""

    rows: tuple[CostRow, ...]

    @property
    def params(self) -> int:
        """Numbers that training changes, of all layers."""
        return sum(row.params for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one forward pass of one example."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def flops(self) -> int:
        """Floating point operations: a multiply-add is two. Many papers write FLOPs and mean multiply-adds."""
        return 2 * self.multiply_adds

    def _cells(self):
        for row in self.rows:
            yield row.name, " x ".join(map(str, row.output)), f"{row.params:,}", f"{row.multiply_adds:,}"
        yield "total", "", f"{self.params:,}", f"{self.multiply_adds:,}"

    def __str__(self):
        table = [("layer", "output", "params", "multiply-adds"), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        name, output, params, work = widths
        return "\n".join(f"{n:<{name}}    {o:<{output}}  {p:>{params}}  {w:>{work}}" for n, o, p, w in table)

    def _repr_markdown_(self):
        lines = ["| layer | output | params | multiply-adds |", "|---|---|---:|---:|"]
        return "\n".join(lines + [f"| {n} | {o} | {p} | {w} |" for n, o, p, w in self._cells()])


def cost(model: Layer, example: tuple[int, ...]) -> Cost:
    """Params and multiply-adds of each layer of a network, from its settings alone.

    Counted are the products of convolutions, dense and recurrent layers, which are nearly all the work. Biases,
    activations, pooling and normalization are not. A backward pass costs about twice as much as a forward pass.

    Parameters
    ----------
    model : a layer, mostly a `Sequential`
    example : the shape of one example, without the batch axis: (C, H, W), (D,), (T, D), or (T,) for symbols

    Returns
    -------
    Cost

    Raises
    ------
    ShapeError
        If a layer cannot take what the layer before it gives.
    DTypeError
        If a layer is of a kind that `cost` does not know; `costs_of` tells it.

    >>> from coursekit.zoo import vgg_mini
    >>> book = cost(vgg_mini(), (1, 28, 28))
    >>> f"{book.params:,} params, {book.multiply_adds:,} multiply-adds"
    '163,450 params, 7,429,632 multiply-adds'
    """
    shape = tuple(_checks.whole(f"example[{i}]", n) for i, n in enumerate(example))
    layers = zip(model.names, model.layers, strict=True) if isinstance(model, Sequential) else [("layer", model)]
    rows = []
    for name, layer in layers:
        try:
            shape, params, work = _cost(layer, shape)
        except ShapeError as error:
            raise ShapeError(f"{name} does not take {shape}: {error}") from None
        rows.append(CostRow(name, shape, params, work))
    return Cost(tuple(rows))


def costs_of(*kinds: type) -> Callable:
    """A decorator for a function that says what a kind of layer costs, so that `cost` knows layers of your own.

    The function takes the layer and the shape of one example, and returns the shape of the output, how many params the
    layer has, and how many multiply-adds it makes. What it does not say of a layer is never guessed.

    Parameters
    ----------
    kinds : classes of layers; what is derived from them costs the same, unless it says otherwise

    >>> from coursekit.layers import Layer
    >>> class Gain(Layer):
    ...     "One factor for each feature."
    ...     def init(self, rng):
    ...         return {"gain": np.ones(8)}, {}
    >>> @costs_of(Gain)
    ... def of_a_gain(layer, shape):
    ...     return shape, shape[-1], math.prod(shape)
    >>> cost(Gain(), (8,)).params
    8
    """

    def decorate(function):
        for kind in kinds:
            _cost.register(kind)(function)
        return function

    return decorate


@functools.singledispatch
def _cost(layer, shape):
    """(output shape, params, multiply-adds) of a layer for one example of this shape."""
    if isinstance(layer, Layer) and type(layer).init is Layer.init:  # no params, and the same shape out
        return shape, 0, 0
    kind = type(layer).__name__
    raise DTypeError(f"cost does not know what {kind} costs; say it in a function under @costs_of({kind})")


@_cost.register(Sequential)
def _(layer, shape):
    inner = cost(layer, shape)
    return inner.rows[-1].output, inner.params, inner.multiply_adds


@_cost.register(Dense)
def _(layer, shape):
    _must_end_in(shape, layer.inputs)
    products = layer.inputs * layer.outputs
    return (*shape[:-1], layer.outputs), products + layer.outputs, math.prod(shape[:-1]) * products


@_cost.register(Conv2d)
def _(layer, shape):
    c, h, w = _image_shape(shape)
    if c != layer.inputs:
        raise ShapeError(f"expected {layer.inputs} channels, got {c}")
    oh = output_length(h, layer.size[0], layer.stride[0], layer.padding[0])
    ow = output_length(w, layer.size[1], layer.stride[1], layer.padding[1])
    weights = layer.outputs * (layer.inputs // layer.groups) * math.prod(layer.size)
    return (layer.outputs, oh, ow), weights + layer.outputs, oh * ow * weights


@_cost.register(MaxPool2d)
@_cost.register(AvgPool2d)
def _(layer, shape):
    c, h, w = _image_shape(shape)
    oh, ow = (output_length(n, k, s) for n, k, s in zip((h, w), layer.size, layer.stride, strict=True))
    return (c, oh, ow), 0, 0


@_cost.register(Flatten)
def _(layer, shape):
    return (math.prod(_image_shape(shape)),), 0, 0


@_cost.register(GlobalAvgPool2d)
def _(layer, shape):
    return _image_shape(shape)[:1], 0, 0


@_cost.register(Residual)
def _(layer, shape):
    out, params, work = _cost(layer.block, shape)
    past, more, extra = (shape, 0, 0) if layer.shortcut is None else _cost(layer.shortcut, shape)
    if past != out:
        raise ShapeError(f"its block makes {out} of it, and its shortcut {past}; they are added, so must be alike")
    return out, params + more, work + extra


@_cost.register(Maxout)
def _(layer, shape):
    if shape[-1] % layer.pieces:
        raise ShapeError(f"expected a multiple of {layer.pieces} features, got {shape[-1]}")
    return (*shape[:-1], shape[-1] // layer.pieces), 0, 0


@_cost.register(BatchNorm)
@_cost.register(LayerNorm)
def _(layer, shape):
    _must_end_in(shape, layer.features)
    return shape, 2 * layer.features, 0


@_cost.register(RMSNorm)
def _(layer, shape):
    _must_end_in(shape, layer.features)
    return shape, layer.features, 0


@_cost.register(GroupNorm)
def _(layer, shape):
    if _image_shape(shape)[0] != layer.channels:
        raise ShapeError(f"expected {layer.channels} channels, got {shape[0]}")
    return shape, 2 * layer.channels, 0


@_cost.register(BatchNorm2d)
def _(layer, shape):
    if _image_shape(shape)[0] != layer.features:
        raise ShapeError(f"expected {layer.features} channels, got {shape[0]}")
    return shape, 2 * layer.features, 0


@_cost.register(RNN)
@_cost.register(LSTM)
@_cost.register(GRU)
def _(layer, shape):
    _must_end_in(shape, layer.inputs)
    if len(shape) != 2:
        raise ShapeError(f"expected (steps, {layer.inputs})")
    undrawn = replace(layer, input_weights=zeros, hidden_weights=zeros)  # its shapes, without drawing a number
    params, _ = undrawn.init(np.random.default_rng())
    products = params["wx"].size + params["wh"].size
    return (shape[0], layer.hidden), products + params["b"].size, shape[0] * products


@_cost.register(Embedding)
def _(layer, shape):
    return (*shape, layer.features), layer.symbols * layer.features, 0


@_cost.register(LastStep)
def _(layer, shape):
    return (*shape[:-2], shape[-1]), 0, 0


@_cost.register(LastSteps)
def _(layer, shape):
    return (*shape[:-2], layer.count, shape[-1]), 0, 0


@_cost.register(LookBack)
def _(layer, shape):
    _must_end_in(shape, layer.inputs)
    read = shape[0] - layer.count
    if read < 1:
        raise ShapeError(f"expected more than {layer.count} steps")
    products = shape[0] * layer.inputs * layer.features  # queries and keys
    products += layer.count * read * (layer.features + layer.inputs)  # weights, and the means
    return (layer.count, 2 * layer.inputs), 2 * layer.inputs * layer.features, products


@_cost.register(EachStep)
def _(layer, shape):
    out, params, work = _cost(layer.layer, shape[-1:])
    return (*shape[:-1], *out), params, math.prod(shape[:-1]) * work


def _must_end_in(shape, features):
    if not shape or shape[-1] != features:
        raise ShapeError(f"expected {features} features along the last axis")


def _image_shape(shape):
    if len(shape) != 3:
        raise ShapeError("expected images (C, H, W)")
    return shape
