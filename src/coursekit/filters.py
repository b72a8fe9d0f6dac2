r"""Linear filters of images: convolution, correlation, blur and edges, and how far a stack of layers can see.

A linear system that treats every place alike is known from one picture: its answer to a single bright point, the
impulse response. Its answer to any image x is the convolution of x with that response k,

$$(x * k)_{pq} = \sum_{i, j} x_{p - i,\, q - j}\, k_{ij}$$

Correlation has $x_{p + i,\, q + j}$ instead: the kernel is laid on the image as it is, not flipped. That is what
networks compute under the name of convolution (`coursekit.convolution`).
"""

from __future__ import annotations

import numpy as np

from . import _checks
from .errors import DTypeError, ShapeError

__all__ = ["convolve2d", "correlate2d", "gaussian_kernel", "receptive_field", "sobel_x", "sobel_y"]


def _kernel(rows):
    kernel = np.array(rows, dtype=np.float64)
    kernel.flags.writeable = False
    return kernel


#: Sobel's kernel (Sobel and Feldman 1968), as it is laid on the image by `correlate2d`: positive where the image gets
#: brighter to the right. Convolution flips the sign.
sobel_x = _kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
#: Sobel's kernel, positive where the image gets brighter downwards.
sobel_y = _kernel([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])


def correlate2d(x: np.ndarray, kernel: np.ndarray, mode: str = "same") -> np.ndarray:
    r"""Correlation: the kernel slides over the image as it is, $\text{out}_{pq} = \sum_{ij} x_{p+i,\, q+j}\, k_{ij}$.

    Outside the image there are zeros. The modes are those of `scipy.signal.correlate2d`, whose default is "full":

    * "valid": only where the kernel lies within the image, (H - KH + 1, W - KW + 1);
    * "same": the kernel's centre, its entry ((KH - 1) // 2, (KW - 1) // 2), on every pixel of the image, (H, W);
    * "full": wherever they overlap at all, (H + KH - 1, W + KW - 1).

    Parameters
    ----------
    x : (..., H, W) float; any axes in front are filtered alike
    kernel : (KH, KW) float
    mode : "same", "full" or "valid"

    Returns
    -------
    (..., OH, OW), of x's dtype

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If kernel is not (KH, KW), is larger than the image in mode "valid", or the mode is not one of the three.

    >>> step = np.array([[0.0, 0.0, 1.0, 1.0]] * 3)
    >>> correlate2d(step, sobel_x, mode="valid")          # brighter to the right: positive
    array([[4., 4.]])
    >>> correlate2d(step, sobel_x).shape, correlate2d(step, sobel_x, mode="full").shape
    ((3, 4), (5, 6))
    """
    _checks.shape("x (..., H, W), kernel (KH, KW)", x=x, kernel=kernel)
    return _slide(x, kernel, mode, centre=[(k - 1) // 2 for k in kernel.shape])


def _slide(x, kernel, mode, centre):
    """Correlation of checked arrays; in mode "same" the kernel's entry `centre` lies on each pixel."""
    _checks.choice("mode", mode, ("same", "full", "valid"))
    size, (h, w) = kernel.shape, x.shape[-2:]
    if mode == "valid" and (size[0] > h or size[1] > w):
        raise ShapeError(
            f"kernel has shape {size}, larger than the image {(h, w)}: it never lies within it; "
            'use mode="same" or "full"'
        )
    before = {"full": [k - 1 for k in size], "same": centre, "valid": (0, 0)}[mode]
    after = {"full": before, "same": [k - 1 - c for k, c in zip(size, centre, strict=True)], "valid": (0, 0)}[mode]
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + list(zip(before, after, strict=True)))
    oh, ow = padded.shape[-2] - size[0] + 1, padded.shape[-1] - size[1] + 1
    out = np.zeros((*x.shape[:-2], oh, ow), x.dtype)
    for i, j in np.ndindex(size):
        out += x.dtype.type(kernel[i, j]) * padded[..., i : i + oh, j : j + ow]
    return out


def convolve2d(x: np.ndarray, kernel: np.ndarray, mode: str = "same") -> np.ndarray:
    r"""Convolution: correlation with the kernel flipped in both directions.

    $$\text{out}_{pq} = \sum_{ij} x_{p - i,\, q - j}\, k_{ij}$$

    The flip makes it commutative and associative, and makes the answer to a single bright point the kernel itself.
    Modes, errors and shapes as in `correlate2d`; the numbers are those of `scipy.signal.convolve2d` (its default mode
    is "full").

    Parameters
    ----------
    x : (..., H, W) float
    kernel : (KH, KW) float
    mode : "same", "full" or "valid"

    Returns
    -------
    (..., OH, OW), of x's dtype

    >>> point = np.zeros((3, 3))
    >>> point[1, 1] = 1
    >>> kernel = np.arange(9.0).reshape(3, 3)
    >>> convolve2d(point, kernel)                         # the impulse response
    array([[0., 1., 2.],
           [3., 4., 5.],
           [6., 7., 8.]])
    >>> correlate2d(point, kernel)                        # the kernel, seen from the point
    array([[8., 7., 6.],
           [5., 4., 3.],
           [2., 1., 0.]])
    """
    _checks.shape("x (..., H, W), kernel (KH, KW)", x=x, kernel=kernel)
    return _slide(x, kernel[::-1, ::-1], mode, centre=[k // 2 for k in kernel.shape])


def gaussian_kernel(size: int, sigma: float) -> np.ndarray:
    r"""Blur: a Gaussian sampled at whole pixels around the centre, divided by its sum.

    $$k_{ij} \propto e^{-(i^2 + j^2) / 2 \sigma^2} = e^{-i^2 / 2 \sigma^2}\, e^{-j^2 / 2 \sigma^2}$$

    The last form makes it separable: a blur with one column and one row costs $2 K$ products a pixel, not $K^2$. The
    sum is 1, so that a blurred image is as bright as before. `cv2.getGaussianKernel` gives the row;
    `scipy.ndimage.gaussian_filter` cuts off at 4 sigma by itself. With an even size the centre lies between pixels.

    Parameters
    ----------
    size : K, in pixels; about 6 sigma + 1 holds nearly all of it
    sigma : standard deviation, in pixels, > 0

    Returns
    -------
    (K, K) float64

    Raises
    ------
    RangeError, DTypeError
        If size is not a whole number >= 1 or sigma not a number > 0.

    >>> gaussian_kernel(3, 1.0).round(3)
    array([[0.075, 0.124, 0.075],
           [0.124, 0.204, 0.124],
           [0.075, 0.124, 0.075]])
    """
    size = _checks.whole("size", size)
    sigma = _checks.number("sigma", sigma, 0, open_low=True)
    squared = (np.arange(size) - (size - 1) / 2) ** 2
    row = np.exp(-(squared - squared.min()) / (2 * sigma**2))  # the largest is 1, however small sigma is
    row /= row.sum()
    return np.outer(row, row)


def receptive_field(layers) -> int:
    r"""How many input pixels in a line one output of a stack of layers depends on.

    $$r = 1 + \sum_l (K_l - 1) \prod_{m < l} s_m$$

    A kernel reaches K - 1 steps further, and a step of layer l is as wide as all strides before it together. This is
    what it can see at most; what it does see is smaller, and Gaussian (Luo et al. 2016).

    Parameters
    ----------
    layers : list of (kernel, stride) or (kernel, stride, padding), from the input on; of convolutions and poolings
        alike. Padding moves the field and does not change its size.

    Returns
    -------
    pixels, at least 1 (no layers)

    Raises
    ------
    DTypeError, RangeError
        If an entry is not such a tuple of whole numbers.

    >>> receptive_field([(3, 1), (3, 1), (3, 1)]), receptive_field([(7, 1)])    # three 3 x 3 see what one 7 x 7 sees
    (7, 7)
    >>> receptive_field([(5, 1, 2), (2, 2), (5, 1), (2, 2)])                    # LeNet-5
    16
    """
    field, step = 1, 1
    for number, layer in enumerate(layers):
        if not isinstance(layer, (tuple, list)) or len(layer) not in (2, 3):
            raise DTypeError(
                f"layers[{number}] is {layer!r}, but must be (kernel, stride) or (kernel, stride, padding), "
                "such as (3, 1)"
            )
        kernel = _checks.whole(f"kernel of layers[{number}]", layer[0])
        stride = _checks.whole(f"stride of layers[{number}]", layer[1])
        field += (kernel - 1) * step
        step *= stride
    return field
