"""Networks for images that made history."""

from __future__ import annotations

from .. import _checks
from ..errors import ShapeError
from ..layers import (
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
)
from ..model import Sequential
from .costs import cost

__all__ = ["alexnet", "alexnet_mini", "lenet5", "vgg16", "vgg_mini"]


def lenet5(classes: int = 10) -> Sequential:
    """LeNet-5 for images (1, 28, 28), as it is built today (LeCun et al. 1998).

    The paper's had scaled tanh, pooling by a sum with a weight and a bias for each channel, a table of which of the 6
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

    >>> f"{cost(alexnet(), (3, 227, 227)).params:,}"
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

    >>> f"{cost(vgg16(), (3, 224, 224)).params:,}"
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
    return cost(Sequential(features), image).rows[-1].output[0]
