"""Pictures: MNIST, Fashion-MNIST, 8x8 digits, emoji, photographs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import _files, _full

FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

EMOJI = ("people", "animals", "food", "places")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and class labels, split into training and test part.

    Attributes
    ----------
    x_train, x_test : (N, 28, 28), (N, 784) or, in colour, (N, 3, 32, 32); float32 in [0, 1], for digits 0 is paper and
        1 full ink
    y_train, y_test : (N,) int64, class numbers
    classes : the name of each class
    name : what it is
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    name: str

    def __repr__(self):
        return (
            f"Dataset({self.name!r}: x_train {self.x_train.shape}, x_test {self.x_test.shape} "
            f"{self.x_train.dtype}, {len(self.classes)} classes)"
        )


def mnist(*, full: bool = False, flat: bool = False) -> Dataset:
    """MNIST, handwritten digits: 10,000 training and 2,000 test images of 28x28 pixels, or all 60,000 and 10,000.

    The sample is the first 10,000 images of the training file and every fifth of the test file, whose first half comes
    from easier writers than its second.

    Parameters
    ----------
    full : all 70,000 images. Downloaded once (11.6 MB) into the cache folder, see `coursekit.data`.
    flat : images as rows, (N, 784), for dense layers. For convolutions add a channel axis: `x_train[:, None]`.

    Returns
    -------
    Dataset with x float32 in [0, 1] (the file's 0 to 255 divided by 255), y int64 in 0..9

    Raises
    ------
    DataError
        If the full set is neither in the cache nor to be had, or a file is damaged.

    Notes
    -----
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", derived from NIST's Special
    Databases 1 and 3. Treated as CC BY-SA 3.0, see LICENSES-DATA.md.

    >>> train = mnist(flat=True)
    >>> train.x_train.shape, train.x_train.dtype, train.y_train[:5]
    ((10000, 784), dtype('float32'), array([5, 0, 4, 1, 9]))
    """
    arrays = _full.load(_full.MNIST) if full else _files.read_npz("mnist_small.npz")
    return _pictures(arrays, 255, tuple("0123456789"), "MNIST" if full else "MNIST sample", flat)


def fashion_mnist(*, full: bool = False, flat: bool = False) -> Dataset:
    """Fashion-MNIST, photographed clothes in MNIST's form: 3,000 training and 1,000 test images, or all 70,000.

    The sample is the first 3,000 and the first 1,000 of the original files.

    Parameters
    ----------
    full : all 60,000 and 10,000 images. Downloaded once (30.9 MB) into the cache folder, see `coursekit.data`.
    flat : images as rows, (N, 784)

    Returns
    -------
    Dataset with x float32 in [0, 1] (the file's 0 to 255 divided by 255), y int64 in 0..9

    Raises
    ------
    DataError
        If the full set is neither in the cache nor to be had, or a file is damaged.

    Notes
    -----
    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747. Copyright (c) 2017 Zalando SE, MIT licence.

    >>> clothes = fashion_mnist()
    >>> clothes
    Dataset('Fashion-MNIST sample': x_train (3000, 28, 28), x_test (1000, 28, 28) float32, 10 classes)
    >>> clothes.classes[clothes.y_train[0]]
    'ankle boot'
    """
    arrays = _full.load(_full.FASHION_MNIST) if full else _files.read_npz("fashion_small.npz")
    return _pictures(arrays, 255, FASHION, "Fashion-MNIST" if full else "Fashion-MNIST sample", flat)


def digits(*, flat: bool = False) -> Dataset:
    """Handwritten digits of 8x8 pixels, small enough for any experiment: 1,437 training and 360 test images.

    The test part is the last fifth in the file's order.

    Parameters
    ----------
    flat : images as rows, (N, 64)

    Returns
    -------
    Dataset with x float32 in [0, 1] (the file's 0 to 16 divided by 16), y int64 in 0..9

    Notes
    -----
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, the test part of it; the copy of
    scikit-learn (BSD-3).

    >>> digits().x_train.shape, digits(flat=True).x_test.shape
    ((1437, 8, 8), (360, 64))
    """
    tabular = _files.read_npz("tabular.npz")
    x, y = tabular["digits8_x"], tabular["digits8_y"]
    split = {"x_train": x[:1437], "y_train": y[:1437], "x_test": x[1437:], "y_test": y[1437:]}
    return _pictures(split, 16, tuple("0123456789"), "digits 8x8", flat)


def emoji() -> Dataset:
    """Emoji, small colour pictures of four kinds of things: 280 to train and 200 to test, 32x32 pixels on white.

    120 pictures each of people, animals, food and places, drawn from Unicode's categories; 70 of each are the training
    part. Some are variants of one another (faces, buildings), so they are easier than as many photographs.

    Returns
    -------
    Dataset with x (N, 3, 32, 32) float32 in [0, 1] (the file's 0 to 255 divided by 255), RGB; y int64 in 0..3

    Notes
    -----
    Noto Emoji, Google, Apache License 2.0; scaled to 32x32 on white. See LICENSES-DATA.md.

    >>> pictures = emoji()
    >>> pictures.x_train.shape, pictures.classes
    ((280, 3, 32, 32), ('people', 'animals', 'food', 'places'))
    """
    arrays = _files.read_npz("emoji_small.npz")
    first = {key: a.transpose(0, 3, 1, 2) if key.startswith("x") else a for key, a in arrays.items()}
    return _pictures(first, 255, EMOJI, "emoji", flat=False)


def photos() -> dict[str, np.ndarray]:
    """Five photographs by name: camera and brick grey (H, W); chelsea (a cat), coffee and astronaut (H, W, 3) RGB.

    Returns
    -------
    dict of float32 arrays in [0, 1] (the file's 0 to 255 divided by 255), sRGB values, not linear light

    Notes
    -----
    From scikit-image, resized. camera: Lav Varshney, CC0; chelsea: Stéfan van der Walt, CC0; coffee: Rachel
    Michetti, CC0; astronaut: NASA, public domain; brick: CC0Textures, CC0.

    >>> {name: photo.shape for name, photo in photos().items()}
    {'camera': (256, 256), 'chelsea': (150, 226, 3), 'coffee': (160, 240, 3), 'astronaut': (192, 192, 3),
     'brick': (128, 128)}
    """
    return {name: _unit(photo, 255) for name, photo in _files.read_npz("photos.npz").items()}


def _unit(x, full_scale):
    x = x.astype(np.float32)
    x /= full_scale
    return x


def _pictures(arrays, full_scale, classes, name, flat):
    x_train, x_test = (_unit(arrays[key], full_scale) for key in ("x_train", "x_test"))
    if flat:
        x_train, x_test = (x.reshape(len(x), -1) for x in (x_train, x_test))
    y_train, y_test = (arrays[key].astype(np.int64) for key in ("y_train", "y_test"))
    return Dataset(x_train, y_train, x_test, y_test, classes, name)
