"""Chapter 12 for its sheet."""

import numpy as np

from coursekit import convolution


def sobel(x):
    r"""\sqrt{g_x^2 + g_y^2} \qquad \text{and} \qquad \operatorname{arctan2}(g_y, g_x)."""
    height, width = x.shape[0] - 2, x.shape[1] - 2
    across = np.array([[1], [2], [1]]) * np.array([[-1, 0, 1]])
    gx, gy = (sum(k[i, j] * x[i : i + height, j : j + width] for i, j in np.ndindex(3, 3)) for k in (across, across.T))
    return np.sqrt(gx**2 + gy**2), np.arctan2(gy, gx)


def conv2d_forward(x, w, b, stride=1, padding=0):
    """:pyobject: conv2d_forward_plain"""
    out, (padded, *_) = convolution.conv2d_forward_plain(x, w, b, stride, padding)
    return out, (padded, w, stride, padding)


def conv2d_backward(dout, cache):
    """:pyobject: conv2d_backward_plain"""
    padded, w, stride, padding = cache
    return convolution.conv2d_backward_plain(dout, (padded, w, (stride, stride), (padding, padding)))


def max_pool_backward(dout, x, size, stride):
    """| max | the largest entry | all of it to that entry, 0 to the others |"""
    dx = np.zeros(x.shape)
    for n, c, p, q in np.ndindex(dout.shape):
        window = x[n, c, p * stride : p * stride + size, q * stride : q * stride + size]
        i, j = np.unravel_index(window.argmax(), window.shape)
        dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
    return dx
