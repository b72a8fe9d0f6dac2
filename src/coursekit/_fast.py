"""The fast forms of convolution and pooling, each tested equal to the plain form.

The arrays keep the shape (N, C, H, W) for whoever looks at them, but these functions return them batch-last in memory:
the entries of one pixel of one channel for all images lie side by side, as in an array of shape (C, H, W, N). Then
every inner loop runs over neighbours in memory, whatever the kernel and the stride. Entrywise functions keep the order
of what they are given, so it carries through a network: the first layer converts once, and the rest find it done.
(PyTorch's `channels_last` is the same idea with another order.)
"""

from __future__ import annotations

import sys

import numpy as np

# Where NumPy has no BLAS (in the browser) a matrix product is slow, and the same sum written as einsum is not.
HAS_BLAS = sys.platform != "emscripten"

# Unfolded windows of one block of output rows, in bytes: small enough to stay in the L2 cache.
BLOCK_BYTES = 1 << 19


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """The product of two matrices, by the faster way on this machine."""
    if HAS_BLAS:
        return np.matmul(a, b, out=out)
    return np.einsum("ij,jk->ik", a, b, out=out)


def batch_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> (C, H, W, N), contiguous; a view if x lies batch-last in memory."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def batch_first(x: np.ndarray) -> np.ndarray:
    """(C, H, W, N) -> (N, C, H, W), always a view."""
    return x.transpose(3, 0, 1, 2)


def _windows(x, size, stride, padding):
    """Of x (C, H, W, N): all windows (C, KH, KW, OH, OW, N), a view of the padded x."""
    (ph, pw), (sh, sw) = padding, stride
    if ph or pw:
        c, h, w, n = x.shape
        padded = np.zeros((c, h + 2 * ph, w + 2 * pw, n), x.dtype)
        padded[:, ph : ph + h, pw : pw + w] = x
        x = padded
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))[:, ::sh, ::sw]
    return windows.transpose(0, 4, 5, 1, 2, 3)


def _blocks(windows):
    """Ranges of output rows whose unfolded windows fill about one block."""
    row_bytes = windows[:, :, :, 0].size * windows.itemsize
    rows = max(1, BLOCK_BYTES // row_bytes)
    return [slice(r, r + rows) for r in range(0, windows.shape[3], rows)]


def conv2d_forward(x, w, b, stride, padding):
    """Convolution of checked arrays without run axes: one matrix product for each block of output rows."""
    x = batch_last(x)
    f = len(w)
    flat_w = w.reshape(f, -1)
    windows = _windows(x, w.shape[2:], stride, padding)
    out = np.empty((f, *windows.shape[3:]), np.result_type(x, w, b))
    for rows in _blocks(windows):
        columns = windows[:, :, :, rows].reshape(flat_w.shape[1], -1)  # the only copy
        matmul(flat_w, columns, out=out[:, rows].reshape(f, -1))  # a view: rows lie side by side
    out += b[:, None, None, None]
    return batch_first(out), (x, w, stride, padding)


def conv2d_backward(dout, cache):
    """Gradients of `conv2d_forward`."""
    x, w, (sh, sw), (ph, pw) = cache
    c, h, width, n = x.shape
    f, _, kh, kw = w.shape
    dout = batch_last(dout)
    ow = dout.shape[2]
    flat_w = w.reshape(f, -1)
    windows = _windows(x, (kh, kw), (sh, sw), (ph, pw))
    dw = np.zeros(flat_w.shape, np.result_type(dout, x))
    dx = np.zeros((c, h + 2 * ph, width + 2 * pw, n), np.result_type(dout, w))
    for rows in _blocks(windows):
        d = dout[:, rows].reshape(f, -1)
        dw += matmul(d, windows[:, :, :, rows].reshape(flat_w.shape[1], -1).T)
        d = matmul(flat_w.T, d).reshape(c, kh, kw, -1, ow, n)
        top = sh * rows.start
        for i, j in np.ndindex(kh, kw):
            dx[:, top + i : top + i + sh * d.shape[3] : sh, j : j + sw * ow : sw] += d[:, i, j]
    return batch_first(dx[:, ph : ph + h, pw : pw + width]), dw.reshape(w.shape), dout.sum(axis=(1, 2, 3))


def pools_in_pairs(size, stride):
    """Whether the windows are 2 x 2 and side by side."""
    return tuple(size) == (2, 2) == tuple(stride)


def max_pool_pairs_forward(x):
    """Max pooling 2 x 2: of each pair of columns the larger, then of each pair of rows. `>=` lets the first win."""
    h, w = x.shape[-2] // 2 * 2, x.shape[-1] // 2 * 2
    left, right = x[..., :h, 0:w:2], x[..., :h, 1:w:2]
    left_wins = left >= right
    columns = np.maximum(left, right)
    upper, lower = columns[..., 0::2, :], columns[..., 1::2, :]
    return np.maximum(upper, lower), (left_wins, upper >= lower)


def max_pool_pairs_backward(dout, masks, x_shape):
    """The gradient to the winners; the loser of a pair gets the rest, which is 0."""
    left_wins, upper_wins = masks
    h, w = x_shape[-2] // 2 * 2, x_shape[-1] // 2 * 2
    dx = np.zeros_like(dout, shape=x_shape) if (h, w) != x_shape[-2:] else np.empty_like(dout, shape=x_shape)
    dcolumns = np.empty_like(dout, shape=left_wins.shape)
    np.multiply(dout, upper_wins, out=dcolumns[..., 0::2, :])
    np.subtract(dout, dcolumns[..., 0::2, :], out=dcolumns[..., 1::2, :])
    np.multiply(dcolumns, left_wins, out=dx[..., :h, 0:w:2])
    np.subtract(dcolumns, dx[..., :h, 0:w:2], out=dx[..., :h, 1:w:2])
    return dx
