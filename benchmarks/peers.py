"""What learners copy today, in our own words: convolution by loops, and by fancy-index im2col."""

from __future__ import annotations

import numpy as np


def conv2d_naive(x, w, b):
    """Convolution as four loops around the sum over one window, stride 1, no padding."""
    (n, _, h, width), (f, _, kh, kw) = x.shape, w.shape
    out = np.zeros((n, f, h - kh + 1, width - kw + 1), x.dtype)
    for image in range(n):
        for kernel in range(f):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    out[image, kernel, i, j] = np.sum(x[image, :, i : i + kh, j : j + kw] * w[kernel]) + b[kernel]
    return out


def conv2d_im2col(x, w, b, dout):
    """Convolution, forward and backward, over columns that index arrays pick and `np.add.at` adds back."""
    (n, c, h, width), (f, _, kh, kw) = x.shape, w.shape
    oh, ow = h - kh + 1, width - kw + 1
    rows = np.tile(np.repeat(np.arange(kh), kw), c)[:, None] + np.repeat(np.arange(oh), ow)
    columns = np.tile(np.arange(kw), kh * c)[:, None] + np.tile(np.arange(ow), oh)
    channels = np.repeat(np.arange(c), kh * kw)[:, None]
    cols = x[:, channels, rows, columns].transpose(1, 2, 0).reshape(c * kh * kw, -1)
    out = (w.reshape(f, -1) @ cols + b[:, None]).reshape(f, oh, ow, n).transpose(3, 0, 1, 2)
    d = dout.transpose(1, 2, 3, 0).reshape(f, -1)
    dw = (d @ cols.T).reshape(w.shape)
    dcols = (w.reshape(f, -1).T @ d).reshape(c * kh * kw, -1, n).transpose(2, 0, 1)
    dx = np.zeros_like(x)
    np.add.at(dx, (slice(None), channels, rows, columns), dcols)
    return out, dx, dw, dout.sum(axis=(0, 2, 3))
