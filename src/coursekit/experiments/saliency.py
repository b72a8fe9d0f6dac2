"""Chapter 13: which pixels does LeNet-5's answer rest on? Two answers: the gradient, and covering a part."""

from __future__ import annotations

import numpy as np

from .. import _checks
from .cnn_architectures import one_of_each, scores, trained


def gradient(digit: int) -> np.ndarray:
    """Saliency (Simonyan et al. 2014): the size of the gradient of the digit's score with respect to each pixel."""
    net, w = trained("LeNet-5")
    out, cache, _ = net.forward(w.params, w.state, one_of_each()[digit][None, None], training=False)
    dout = np.zeros_like(out)
    dout[0, digit] = 1
    dx, _ = net.backward(dout, cache)
    return np.abs(dx[0, 0])


def occlusion(digit: int, size: int = 5) -> np.ndarray:
    """By how much the digit's lead shrinks when a black square of `size` pixels around each pixel covers it.

    The lead is its score minus the best of the others (Zeiler and Fergus 2014 watch the probability).
    """
    _checks.whole("size", size, 1)
    image = one_of_each()[digit]
    h, w = image.shape
    rows, columns = np.mgrid[:h, :w]
    far = size // 2
    covered = [
        np.where((np.abs(rows - i) <= far) & (np.abs(columns - j) <= far), 0.0, image) for i, j in np.ndindex(h, w)
    ]
    s = scores("LeNet-5", np.stack([image, *covered]))
    lead = s[:, digit] - np.delete(s, digit, axis=1).max(axis=1)
    return (lead[0] - lead[1:]).reshape(h, w)


def looked_at(digits=(4, 7, 9)) -> list[dict]:
    """For each digit its image, its saliency map and its occlusion map."""
    return [{"digit": d, "image": one_of_each()[d], "gradient": gradient(d), "occlusion": occlusion(d)} for d in digits]
