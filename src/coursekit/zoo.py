"""Networks that made history, and what they cost.

Each is a `Sequential` of layers, which hold settings only: `alexnet()` is built in no time, and its 61 million numbers
exist only after `init`. `ledger` counts params and multiplications from the settings alone.

>>> print(ledger(lenet5(), (1, 28, 28)))
layer          output          params  multiply-adds
conv2d_0       6 x 28 x 28        156        117,600
relu_1         6 x 28 x 28          0              0
maxpool2d_2    6 x 14 x 14          0              0
conv2d_3       16 x 10 x 10     2,416        240,000
relu_4         16 x 10 x 10         0              0
maxpool2d_5    16 x 5 x 5           0              0
flatten_6      400                  0              0
dense_7        120             48,120         48,000
relu_8         120                  0              0
dense_9        84              10,164         10,080
relu_10        84                   0              0
dense_11       10                 850            840
total                          61,706        416,520
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from . import _checks, layers_recurrent
from .convolution import output_length
from .errors import DTypeError, ShapeError
from .layers import (
    AvgPool2d,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LayerNorm,
    LocalResponseNorm,
    Maxout,
    MaxPool2d,
    ReLU,
)
from .model import Sequential
from .zoo_text import char_rnn

__all__ = [
    "Ledger",
    "LedgerRow",
    "alexnet",
    "alexnet_mini",
    "char_rnn",
    "ledger",
    "lenet5",
    "vgg16",
    "vgg_mini",
]


def lenet5(classes: int = 10) -> Sequential:
    """LeNet-5 for images (1, 28, 28), as it is built today (LeCun et al. 1998).

    The paper's had scaled tanh, pooling by a mean with a weight and a bias for each channel, a table of which of the 6
    channels feed which of the 16 (60,000 params in all), and radial basis functions at the end. ReLU, max pooling, all
    channels to all and a dense layer with softmax took their places. The paper pads the digits to 32 x 32 beforehand;
    here the first layer does.

    >>> import numpy as np
    >>> net = lenet5()
    >>> params, state = net.init(np.random.default_rng(0))
    >>> net.forward(params, state, np.zeros((2, 1, 28, 28), np.float32), training=False)[0].shape
    (2, 10)
    """
    return Sequential(
        [
            *(Conv2d(1, 6, 5, padding=2), ReLU(), MaxPool2d(2)),
            *(Conv2d(6, 16, 5), ReLU(), MaxPool2d(2)),
            Flatten(),
            *(Dense(400, 120), ReLU()),
            *(Dense(120, 84), ReLU()),
            Dense(84, classes),
        ]
    )


def alexnet(classes: int = 1000) -> Sequential:
    """AlexNet for images (3, 227, 227), as published (Krizhevsky et al. 2012): 61 million params.

    Five convolutions and three dense layers; ReLU instead of tanh; local response normalization; pooling windows that
    overlap; dropout; and layers 2, 4 and 5 in two groups of channels, one on each of two GPUs. The paper says the
    images are 224 wide, but its numbers of windows need 227 (or padding of 2 and a rest left out). Its weights were
    drawn with standard deviation 0.01; ours with He's, which did not exist yet.

    >>> f"{ledger(alexnet(), (3, 227, 227)).params:,}"
    '60,965,224'
    """
    return _alexnet((3, 227, 227), classes, first=(11, 4, 0), channels=(96, 256, 384, 384, 256), dense=4096)


def alexnet_mini(classes: int = 10, image: tuple[int, int, int] = (1, 28, 28)) -> Sequential:
    """AlexNet's plan for small images: all its parts, an eighth of its channels, a first layer without its stride.

    Parameters
    ----------
    classes : number of scores
    image : (C, H, W), at least 15 x 15 pixels

    >>> import numpy as np
    >>> net = alexnet_mini()
    >>> params, state = net.init(np.random.default_rng(0))
    >>> net.forward(params, state, np.zeros((2, 1, 28, 28), np.float32), training=False)[0].shape
    (2, 10)
    """
    return _alexnet(_image(image, 15), classes, first=(5, 1, 2), channels=(12, 32, 48, 48, 32), dense=256)


def _alexnet(image, classes, first, channels, dense):
    c1, c2, c3, c4, c5 = channels
    size, stride, padding = first
    features = [
        *(Conv2d(image[0], c1, size, stride, padding), ReLU(), LocalResponseNorm(), MaxPool2d(3, 2)),
        *(Conv2d(c1, c2, 5, padding=2, groups=2), ReLU(), LocalResponseNorm(), MaxPool2d(3, 2)),
        *(Conv2d(c2, c3, 3, padding=1), ReLU()),
        *(Conv2d(c3, c4, 3, padding=1, groups=2), ReLU()),
        *(Conv2d(c4, c5, 3, padding=1, groups=2), ReLU(), MaxPool2d(3, 2)),
        Flatten(),
    ]
    return Sequential(
        [
            *features,
            *(Dropout(0.5), Dense(_flat(features, image), dense), ReLU()),
            *(Dropout(0.5), Dense(dense, dense), ReLU()),
            Dense(dense, classes),
        ]
    )


def vgg16(classes: int = 1000) -> Sequential:
    """VGG-16 for images (3, 224, 224), configuration D as published (Simonyan and Zisserman 2015): 138 million params.

    Nothing but 3 x 3 convolutions, pooled after two or three of them: two see as far as one 5 x 5, three as far as one
    7 x 7, with fewer params and a ReLU in between.

    >>> f"{ledger(vgg16(), (3, 224, 224)).params:,}"
    '138,357,544'
    """
    blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    return _vgg((3, 224, 224), classes, blocks, dense=4096)


def vgg_mini(classes: int = 10, image: tuple[int, int, int] = (1, 28, 28)) -> Sequential:
    """VGG's plan for small images: three blocks of two 3 x 3 convolutions, 16, 32 and 64 channels.

    Parameters
    ----------
    classes : number of scores
    image : (C, H, W), at least 8 x 8 pixels

    >>> import numpy as np
    >>> net = vgg_mini()
    >>> params, state = net.init(np.random.default_rng(0))
    >>> net.forward(params, state, np.zeros((2, 1, 28, 28), np.float32), training=False)[0].shape
    (2, 10)
    """
    return _vgg(_image(image, 8), classes, ((16, 2), (32, 2), (64, 2)), dense=128)


def _vgg(image, classes, blocks, dense):
    features, inputs = [], image[0]
    for outputs, depth in blocks:
        for _ in range(depth):
            features += [Conv2d(inputs, outputs, 3, padding=1), ReLU()]
            inputs = outputs
        features.append(MaxPool2d(2))
    features.append(Flatten())
    return Sequential(
        [
            *features,
            *(Dense(_flat(features, image), dense), ReLU(), Dropout(0.5)),
            *(Dense(dense, dense), ReLU(), Dropout(0.5)),
            Dense(dense, classes),
        ]
    )


def _image(image, smallest):
    if not isinstance(image, (tuple, list)) or len(image) != 3:
        raise ShapeError(f"image is {image!r}, but must be (channels, height, width), such as (1, 28, 28)")
    c, h, w = image
    _checks.whole("channels of image", c)
    return c, _checks.whole("height of image", h, smallest), _checks.whole("width of image", w, smallest)


def _flat(features, image):
    """How many numbers come out of Flatten."""
    return ledger(Sequential(features), image).rows[-1].output[0]


@dataclass(frozen=True)
class LedgerRow:
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
class Ledger:
    """What a network costs, layer by layer; print it, or let a notebook show it as a table."""

    rows: tuple[LedgerRow, ...]

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


def ledger(model: Layer, example: tuple[int, ...]) -> Ledger:
    """Params and multiply-adds of each layer of a network, from its settings alone.

    Counted are the products of convolutions, dense and recurrent layers, which are nearly all the work. Biases,
    activations, pooling and normalization are not. A backward pass costs about twice as much as a forward pass.

    Parameters
    ----------
    model : a layer, mostly a `Sequential`
    example : the shape of one example, without the batch axis: (C, H, W), (D,), (T, D), or (T,) for symbols

    Returns
    -------
    Ledger

    Raises
    ------
    ShapeError
        If a layer cannot take what the layer before it gives.
    DTypeError
        If a layer is of a kind that the ledger does not know.

    >>> book = ledger(vgg_mini(), (1, 28, 28))
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
        rows.append(LedgerRow(name, shape, params, work))
    return Ledger(tuple(rows))


@functools.singledispatch
def _cost(layer, shape):
    """(output shape, params, multiply-adds) of a layer for one example of this shape."""
    if isinstance(layer, Layer) and type(layer).init is Layer.init:  # no params, and the same shape out
        return shape, 0, 0
    raise DTypeError(f"the ledger does not know what {type(layer).__name__} costs")


@_cost.register
def _(layer: Sequential, shape):
    inner = ledger(layer, shape)
    return inner.rows[-1].output, inner.params, inner.multiply_adds


@_cost.register
def _(layer: Dense, shape):
    _must_end_in(shape, layer.inputs)
    products = layer.inputs * layer.outputs
    return (*shape[:-1], layer.outputs), products + layer.outputs, math.prod(shape[:-1]) * products


@_cost.register
def _(layer: Conv2d, shape):
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


@_cost.register
def _(layer: Flatten, shape):
    return (math.prod(_image_shape(shape)),), 0, 0


@_cost.register
def _(layer: Maxout, shape):
    if shape[-1] % layer.pieces:
        raise ShapeError(f"expected a multiple of {layer.pieces} features, got {shape[-1]}")
    return (*shape[:-1], shape[-1] // layer.pieces), 0, 0


@_cost.register(BatchNorm)
@_cost.register(LayerNorm)
def _(layer, shape):
    _must_end_in(shape, layer.features)
    return shape, 2 * layer.features, 0


@_cost.register
def _(layer: BatchNorm2d, shape):
    if _image_shape(shape)[0] != layer.features:
        raise ShapeError(f"expected {layer.features} channels, got {shape[0]}")
    return shape, 2 * layer.features, 0


@_cost.register
def _(layer: layers_recurrent._Recurrent, shape):
    _must_end_in(shape, layer.inputs)
    if len(shape) != 2:
        raise ShapeError(f"expected (steps, {layer.inputs})")
    products = layer._gates * (layer.inputs + layer.hidden) * layer.hidden
    return (shape[0], layer.hidden), products + layer._biases * layer.hidden, shape[0] * products


@_cost.register
def _(layer: layers_recurrent.Embedding, shape):
    return (*shape, layer.features), layer.symbols * layer.features, 0


@_cost.register
def _(layer: layers_recurrent.LastStep, shape):
    return (*shape[:-2], shape[-1]), 0, 0


@_cost.register
def _(layer: layers_recurrent.LastSteps, shape):
    return (*shape[:-2], layer.count, shape[-1]), 0, 0


@_cost.register
def _(layer: layers_recurrent.EachStep, shape):
    out, params, work = _cost(layer.layer, shape[-1:])
    return (*shape[:-1], *out), params, math.prod(shape[:-1]) * work


def _must_end_in(shape, features):
    if not shape or shape[-1] != features:
        raise ShapeError(f"expected {features} features along the last axis")


def _image_shape(shape):
    if len(shape) != 3:
        raise ShapeError("expected images (C, H, W)")
    return shape
