"""Chapter 13: which pixels does an answer rest on? The gradient, covering a part, and Grad-CAM on the last maps."""

from __future__ import annotations

import numpy as np

from .. import _checks, data
from ..data import weights
from ..model import predict
from ..transfer import split
from ._bench import shared
from .cnn_architectures import one_of_each, scores, trained
from .moved_digits import pooled


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


# network -> the number of layers up to the last maps, after their ReLU
LAST_MAPS = {"LeNet-5": 5, "global average pooling": 10}
ASKED = ("the answer", "the second best")
SQUARE = 9  # pixels, of the square that covers a peak


@shared()
def network(name: str) -> tuple:
    """A network of `LAST_MAPS` in two parts: (body, its params, head, its params)."""
    _checks.choice("network", name, LAST_MAPS)
    if name == "LeNet-5":
        net, w = trained(name)
    else:
        net, w = pooled(), weights.load("pooled_mnist", np.float64)
    (body, body_params, _), (head, head_params, _) = split(net, w.params, w.state, LAST_MAPS[name])
    return body, body_params, head, head_params


def last_maps(name: str, images: np.ndarray, ask: str = ASKED[0]) -> dict:
    """The last maps of images (N, 28, 28), and the gradient of a score of each with respect to them.

    Returns
    -------
    maps, dmaps : (N, C, H, W)
    scores : (N, 10)
    asked : (N,) the class whose score was differentiated
    """
    body, body_params, head, head_params = network(name)
    maps = predict(body, body_params, {}, images[:, None].astype(np.float64))
    out, cache, _ = head.forward(head_params, {}, maps, training=False)
    asked = np.argsort(out, axis=1)[:, -1 - ASKED.index(_checks.choice("ask", ask, ASKED))]
    dout = np.zeros_like(out)
    dout[np.arange(len(out)), asked] = 1
    dmaps, _ = head.backward(dout, cache)
    return {"maps": maps, "dmaps": dmaps, "scores": out, "asked": asked}


def grad_cam(maps: np.ndarray, dmaps: np.ndarray) -> np.ndarray:
    r"""Grad-CAM (Selvaraju et al. 2017): maps and the gradient of a score, (N, C, H, W), to a picture (N, H, W).

    $$\alpha_c = \frac{1}{HW} \sum_{ij} \frac{\partial s}{\partial A_{cij}}, \qquad
    M_{ij} = \max\Big(0, \sum_c \alpha_c A_{cij}\Big)$$
    """
    alpha = dmaps.mean(axis=(2, 3), keepdims=True)
    return np.maximum(0, (alpha * maps).sum(axis=1))


def place_by_place(maps: np.ndarray, dmaps: np.ndarray) -> np.ndarray:
    r"""Each place with its own gradient (Draelos and Carin 2020): $\max(0, \sum_c A_c \partial s/\partial A_c)$.


    Maps and gradients (N, C, H, W) to a picture (N, H, W).
    """
    return np.maximum(0, (dmaps * maps).sum(axis=1))


def on_the_image(picture: np.ndarray, size: int = 28) -> np.ndarray:
    """A picture (N, H, W) of the last maps at the size of the image: each pixel has the value of the nearest place."""
    at = np.arange(size) * picture.shape[-1] // size
    return picture[:, at][:, :, at]


def where_it_looked(name: str = "global average pooling", digit: int = 4, ask: str = ASKED[0]) -> dict:
    """Grad-CAM, and each place with its own gradient, for one digit."""
    image = one_of_each()[digit]
    seen = last_maps(name, image[None], ask)
    maps, dmaps = seen["maps"], seen["dmaps"]
    return {
        "network": name,
        "digit": digit,
        "ask": ask,
        "asked": int(seen["asked"][0]),
        "image": image,
        "grad_cam": on_the_image(grad_cam(maps, dmaps))[0],
        "place_by_place": on_the_image(place_by_place(maps, dmaps))[0],
        "places": maps.shape[-1],
    }


@shared()
def covered_at_the_peak(name: str, examples: int = 300) -> dict:
    """How much of the answer's lead is lost when a square at the peak of a picture is covered, on test digits.

    Returns `{"Grad-CAM", "place by place", "any ink": (examples,)}`: the loss as a share of the lead over the second
    best score. "any ink" covers a place drawn at random from the bright pixels.
    """
    digits, rng = data.mnist(), np.random.default_rng(0)
    images = digits.x_test[:examples].astype(np.float64)
    seen = last_maps(name, images)
    body, body_params, head, head_params = network(name)

    def lead(images):
        out = predict(head, head_params, {}, predict(body, body_params, {}, images[:, None]))
        best = out[np.arange(len(out)), seen["asked"]].copy()
        out[np.arange(len(out)), seen["asked"]] = -np.inf
        return best - out.max(axis=1)

    whole = lead(images)
    pictures = {
        "Grad-CAM": on_the_image(grad_cam(seen["maps"], seen["dmaps"])),
        "place by place": on_the_image(place_by_place(seen["maps"], seen["dmaps"])),
        "any ink": (images > 0.5) * rng.random(images.shape),
    }
    return {kind: 1 - lead(covered(images, peaks(picture))) / whole for kind, picture in pictures.items()}


def peaks(pictures: np.ndarray) -> np.ndarray:
    """The middle (N, 2) of the place with the largest value, in pixels."""
    places = []
    for picture in pictures:
        rows, columns = np.nonzero(picture == picture.max())
        places.append((rows.mean().round(), columns.mean().round()))
    return np.array(places, dtype=int)


def covered(images: np.ndarray, places: np.ndarray, size: int = SQUARE) -> np.ndarray:
    """Images (N, H, W) with a black square of `size` pixels around a place of each."""
    rows, columns = np.mgrid[: images.shape[1], : images.shape[2]]
    far, (i, j) = size // 2, places.T[:, :, None, None]
    return np.where((abs(rows - i) <= far) & (abs(columns - j) <= far), 0.0, images)
