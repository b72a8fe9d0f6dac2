"""MobileNetV2's first thirteen blocks, with the weights that ImageNet taught them: a body to transfer from."""

from __future__ import annotations

import numpy as np

from ..data import _files
from ..layers import Conv2d, Layer, ReLU6, Residual
from ..model import Sequential

__all__ = ["mobilenetv2_params", "mobilenetv2_trunk", "prepare_for_mobilenetv2"]

# (expansion t, channels c, repetitions n, stride s) of table 2 of the paper, as far as block 13.
_PLAN = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
_MEAN, _STD = (np.array(row, np.float32) for row in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def mobilenetv2_trunk() -> Sequential:
    """The first convolution and blocks 1 to 13 of MobileNetV2 (Sandler et al. 2018): (3, H, W) to (96, H/16, W/16).

    A block widens the channels by a 1 x 1 convolution, looks at neighbours by a depthwise one, and narrows the channels
    by another 1 x 1 convolution, without an activation at the end. Where input and output have the same shape it is a
    residual block. Batch norm is folded into the convolutions: after training it is a factor and a shift a channel.

    >>> import numpy as np
    >>> net = mobilenetv2_trunk()
    >>> len(net.layers)  # a convolution, ReLU6, and 13 blocks
    15
    >>> from coursekit.zoo import cost
    >>> book = cost(net, (3, 32, 32))
    >>> f"{book.params:,} params, {book.multiply_adds:,} multiply-adds, {book.rows[-1].output} out"
    '534,464 params, 4,282,880 multiply-adds, (96, 2, 2) out'
    """
    layers: list[Layer] = [Conv2d(3, 32, 3, 2, 1), ReLU6()]
    inputs = 32
    for expansion, outputs, count, stride in _PLAN:
        for k in range(count):
            layers.append(_block(inputs, outputs, expansion, stride if k == 0 else 1))
            inputs = outputs
    return Sequential(layers)


def _block(inputs, outputs, expansion, stride):
    wide = inputs * expansion
    widen = [Conv2d(inputs, wide, 1), ReLU6()] if expansion > 1 else []
    block = Sequential([*widen, Conv2d(wide, wide, 3, stride, 1, groups=wide), ReLU6(), Conv2d(wide, outputs, 1)])
    return Residual(block) if inputs == outputs and stride == 1 else block


def mobilenetv2_params(dtype=np.float32) -> dict:
    """The params of `mobilenetv2_trunk`, trained on ImageNet by torchvision and shipped in 8 bits.

    Each kernel was rounded to 255 steps between minus and plus its largest entry, one scale for each output channel.
    They come back as `dtype`. Licences: LICENSES-DATA.md.
    """
    kept = _files.read_npz("mobilenetv2_trunk_int8.npz")

    def convolution(name):
        w = kept[f"{name}.w"].astype(dtype) * kept[f"{name}.s"].astype(dtype)[:, None, None, None]
        return {"w": w, "b": kept[f"{name}.b"].astype(dtype)}

    net = mobilenetv2_trunk()
    params = {net.names[0]: convolution("0")}
    for number, (name, layer) in enumerate(zip(net.names[2:], net.layers[2:], strict=True), start=1):
        inner = layer.block if isinstance(layer, Residual) else layer
        parts = ["e", "d", "p"] if f"{number}.e.w" in kept else ["d", "p"]
        places = [n for n, part in zip(inner.names, inner.layers, strict=True) if isinstance(part, Conv2d)]  # type: ignore[attr-defined]
        block = {place: convolution(f"{number}.{part}") for place, part in zip(places, parts, strict=True)}
        params[name] = {"block": block} if isinstance(layer, Residual) else block
    return params


def prepare_for_mobilenetv2(images: np.ndarray) -> np.ndarray:
    """Images (N, 3, H, W) in [0, 1], RGB, as the network was shown them: ImageNet's means off, divided by its stds."""
    return ((images - _MEAN[:, None, None]) / _STD[:, None, None]).astype(images.dtype)
