r"""Augmentation: new training images out of those that one has, by changes that keep the label.

| function | what it does | source |
|---|---|---|
| `random_shift` | moves each image by up to some pixels | Krizhevsky et al. 2012 |
| `random_mirror` | mirrors half of the images, left to right | Krizhevsky et al. 2012 |
| `mixup` | mixes pairs of examples and of their labels | Zhang et al. 2018 |

They are for training only: validation and test images stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import _checks
from .errors import ShapeError

__all__ = ["mixup", "mixup_loss", "random_mirror", "random_shift"]


def random_shift(images: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by -most to most pixels down and to the right, drawn anew; what comes in at the edge is 0.

    The same as `torchvision.transforms.RandomCrop(size, padding=most)`.

    Parameters
    ----------
    images : (N, H, W), or with channels (N, C, H, W), any dtype; the channels of an image move together
    most : pixels, at least 1 and less than H and W
    rng : a NumPy generator

    >>> image = np.arange(1.0, 10.0).reshape(1, 3, 3)
    >>> random_shift(image, 1, np.random.default_rng(0))[0]                  # up by one
    array([[4., 5., 6.],
           [7., 8., 9.],
           [0., 0., 0.]])
    """
    most = _checks.whole("most", most)
    if np.ndim(images) < 3:
        raise ShapeError(f"images is {_checks.describe(images)}; expected (N, H, W) or (N, C, H, W)")
    count, *_, height, width = images.shape
    if most >= min(height, width):
        raise ShapeError(f"most is {most}, but the images are {height} by {width}: nothing would be left of them")
    padded = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(most, most)] * 2)
    down, right = _checks.generator("rng", rng).integers(0, 2 * most + 1, (2, count))
    windows = [a[..., i : i + height, j : j + width] for a, i, j in zip(padded, down, right, strict=True)]
    return np.array(windows)


def random_mirror(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image mirrored left to right with probability one half. Not for digits and letters: a mirrored 2 is no 2.

    Parameters
    ----------
    images : (N, ..., W)
    rng : a NumPy generator

    >>> random_mirror(np.array([[1, 2], [3, 4], [5, 6]]), np.random.default_rng(0))
    array([[1, 2],
           [4, 3],
           [6, 5]])
    """
    mirrored = _checks.generator("rng", rng).random(len(images)) < 0.5
    return np.where(mirrored.reshape(-1, *[1] * (images.ndim - 1)), images[..., ::-1], images)


def mixup(x: np.ndarray, alpha: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    r"""Mix each example of a batch with another one of it (Zhang et al. 2018, and their code).

    $$\tilde x_n = \lambda x_n + (1 - \lambda)\, x_{\pi(n)}, \qquad \lambda \sim \text{Beta}(\alpha, \alpha)$$

    with one $\lambda$ and one permutation $\pi$ a batch. The labels are mixed alike, which for the cross-entropy is a
    mean of two losses: `mixup_loss`.

    Parameters
    ----------
    x : (N, ...) float
    alpha : $\alpha > 0$; for small ones $\lambda$ is mostly near 0 or 1. The paper has 0.1 to 0.4 on ImageNet, 1 on
        CIFAR
    rng : a NumPy generator

    Returns
    -------
    mixed : the shape and dtype of x
    partner : (N,) $\pi$, whom each example was mixed with
    share : $\lambda$

    >>> mixed, partner, share = mixup(np.array([[0.0], [10.0]]), 1.0, np.random.default_rng(1))
    >>> mixed.round(2).tolist(), partner, round(share, 2)
    ([[5.76], [4.24]], array([1, 0]), 0.42)
    """
    _checks.float_array("x", x)
    alpha = _checks.number("alpha", alpha, 0, open_low=True)
    share = float(_checks.generator("rng", rng).beta(alpha, alpha))
    partner = rng.permutation(len(x))
    return (share * x + (1 - share) * x[partner]).astype(x.dtype, copy=False), partner, share


def mixup_loss(loss: Callable, partner: np.ndarray, share: float) -> Callable:
    r"""The loss of a mixed batch, $\lambda\, L(s, y) + (1 - \lambda)\, L(s, y_\pi)$, with its gradient.

    Parameters
    ----------
    loss : `loss(scores, labels) -> (value, gradient)`, such as `losses.softmax_cross_entropy`; labels (..., N)
    partner, share : what `mixup` gave

    >>> from coursekit.losses import softmax_cross_entropy
    >>> mixed = mixup_loss(softmax_cross_entropy, np.array([1, 0]), 0.75)
    >>> value, gradient = mixed(np.zeros((2, 2)), np.array([0, 1]))
    >>> gradient
    array([[-0.125,  0.125],
           [ 0.125, -0.125]])
    """

    def mixed(scores, labels):
        (own, own_gradient), (other, other_gradient) = loss(scores, labels), loss(scores, labels[..., partner])
        return share * own + (1 - share) * other, share * own_gradient + (1 - share) * other_gradient

    return mixed
