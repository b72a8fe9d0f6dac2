"""The fast forms of convolution and pooling, each tested equal to the plain form.

The arrays keep the shape (N, C, H, W) for whoever looks at them, but these functions return them batch-last in memory:
the entries of one pixel of one channel for all images lie side by side, as in an array of shape (C, H, W, N). Then
every inner loop runs over neighbours in memory, whatever the kernel and the stride. Entrywise functions keep the order
of what they are given, so it carries through a network: the first layer converts once, and the rest find it done.
(PyTorch's `channels_last` is the same idea with another order.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .products import matmul, row_dots

# Work buffers are about this large: small enough to stay in the L2 cache.
BLOCK_BYTES = 1 << 20


def batch_last(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) -> (C, H, W, N), contiguous; a view if x lies batch-last in memory."""
    return np.ascontiguousarray(x.transpose(1, 2, 3, 0))


def batch_first(x: np.ndarray) -> np.ndarray:
    """(C, H, W, N) -> (N, C, H, W), always a view."""
    return x.transpose(3, 0, 1, 2)


def _rows_unfolded(x, kernel_width, stride_width, padding):
    """Of x (C, H, W, N): each padded row unfolded along its length, a view (H, C, KW, OW, N)."""
    (ph, pw) = padding
    if ph or pw:
        c, h, w, n = x.shape
        padded = np.zeros((c, h + 2 * ph, w + 2 * pw, n), x.dtype)
        padded[:, ph : ph + h, pw : pw + w] = x
        x = padded
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel_width, axis=2)[:, :, ::stride_width]
    return windows.transpose(1, 0, 4, 2, 3)


def _windows_by_row(rows, kernel_height, stride_height):
    """For each row p of the output: p and all windows of that row as a matrix (KH C KW, OW N).

    The unfolded rows lie one after the other in memory, and the windows of an output row need KH of them: its matrix
    is a view. So each pixel is copied about KW times, not KH KW times. The work buffer holds a block of rows.
    """
    height = (len(rows) - kernel_height) // stride_height + 1
    per_block = max((BLOCK_BYTES // (rows[0].size * rows.itemsize) - kernel_height) // stride_height, 0) + 1
    per_block = min(per_block, height)
    buffer = np.empty((stride_height * (per_block - 1) + kernel_height, *rows.shape[1:]), rows.dtype)
    for p in range(height):
        top = p % per_block * stride_height
        if top == 0:
            block = rows[p * stride_height :][: len(buffer)]
            buffer[: len(block)] = block
        yield p, buffer[top : top + kernel_height].reshape(-1, rows.shape[3] * rows.shape[4])


def conv2d_forward(x, w, b, stride, padding):
    """Convolution of checked arrays without run axes: one matrix product for each row of the output."""
    x = batch_last(x)
    f, _, kh, kw = w.shape
    rows = _rows_unfolded(x, kw, stride[1], padding)
    height, (ow, n) = (len(rows) - kh) // stride[0] + 1, rows.shape[3:]
    flat_w = w.transpose(0, 2, 1, 3).reshape(f, -1)  # (F, KH C KW)
    out = np.empty((f, height, ow, n), np.result_type(x, w, b))
    for p, windows in _windows_by_row(rows, kh, stride[0]):
        matmul(flat_w, windows, out=out[:, p].reshape(f, -1))
    out += b[:, None, None, None]
    return batch_first(out), (x, w, stride, padding)


def conv2d_backward(dout, cache, need_dx=True):
    """Gradients of `conv2d_forward`; dx is None where nobody needs it."""
    x, w, (sh, sw), padding = cache
    f, c, kh, kw = w.shape
    douts = np.ascontiguousarray(dout.transpose(2, 1, 3, 0))  # row by row, (OH, F, OW, N)
    dtype = np.result_type(dout, x, w)
    dw = np.zeros((kh * c * kw, f), dtype)
    for p, windows in _windows_by_row(_rows_unfolded(x, kw, sw, padding), kh, sh):
        dw += matmul(windows, douts[p].reshape(f, -1).T)
    dw = np.ascontiguousarray(dw.reshape(kh, c, kw, f).transpose(3, 1, 0, 2))
    db = np.einsum("pfqn->f", douts)
    dx = batch_first(_conv2d_dx(douts.astype(dtype, copy=False), w, x.shape, (sh, sw), padding)) if need_dx else None
    return dx, dw, db


def _conv2d_dx(douts, w, x_shape, stride, padding):
    """The gradient of the input (C, H, W, N): one matrix product for each of its rows.

    With a vertical stride s, row r of the padded input met row i of the kernel at the output rows p = (r - i) / s.
    These lie one after the other in memory, and so do the kernel's rows r % s, r % s + s, ... once they are turned
    upside down.
    """
    (sh, sw), (ph, pw) = stride, padding
    (c, h, width, n), (f, _, _, kw), (height, _, ow, _) = x_shape, w.shape, douts.shape
    kernels = [w[:, :, start::sh][:, :, ::-1].transpose(1, 3, 2, 0).reshape(c * kw, -1) for start in range(sh)]
    dx = np.empty((c, h, width, n), douts.dtype)
    row = np.empty((c, width + 2 * pw, n), douts.dtype)
    dwindows = np.empty((c * kw, ow * n), douts.dtype)
    by_place = dwindows.reshape(c, kw, ow, n)
    for r in range(ph, ph + h):
        kernel = kernels[r % sh]
        last = r // sh  # the output row that met the kernel's first row of these; the others came before it
        first = last - kernel.shape[1] // f + 1
        low, high = max(first, 0), min(last + 1, height)
        row[...] = 0
        if low < high:
            matmul(kernel[:, (low - first) * f : (high - first) * f], douts[low:high].reshape(-1, ow * n), out=dwindows)
            for j in range(kw):
                row[:, j : j + sw * ow : sw] += by_place[:, j]
        dx[:, r - ph] = row[:, pw : pw + width]
    return dx


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


def _channel_blocks(x):
    """Ranges of channels of x (C, H, W, N) that fill half a block."""
    some = max(1, BLOCK_BYTES // 2 // x[0].nbytes)
    return [slice(c, c + some) for c in range(0, len(x), some)]


class BatchNormCache(NamedTuple):
    """What `batch_norm2d_backward` needs; `x` is (C, H, W, N), the rest (C,)."""

    x: np.ndarray
    mean: np.ndarray
    var: np.ndarray
    scale: np.ndarray
    gamma: np.ndarray
    of_batch: bool


def batch_norm2d_forward(x, gamma, beta, eps, statistics=None):
    """Normalize each channel of x (N, C, H, W), all steps for a block of channels while it is in the cache.

    `statistics` are (mean, var), each (C,); None takes those of x, with the biased variance.
    """
    x = batch_last(x)
    n = x[0].size
    pixels, out = x.reshape(-1, n), np.empty_like(x)
    normal = out.reshape(-1, n)
    mean, var = statistics or (np.empty(len(x), x.dtype), np.empty(len(x), x.dtype))
    for c in _channel_blocks(x):
        if statistics is None:
            mean[c] = np.einsum("cm->c", pixels[c]) / n
        block = np.subtract(pixels[c], mean[c, None], out=normal[c])
        if statistics is None:
            var[c] = row_dots(block, block) / n
        block *= (gamma[c] / np.sqrt(var[c] + eps))[:, None]
        block += beta[c, None]
    scale = 1 / np.sqrt(var + eps)
    return batch_first(out), BatchNormCache(x, mean, var, scale, gamma, statistics is None)


def batch_norm2d_backward(dout, cache):
    """Gradients of `batch_norm2d_forward`: dx, dgamma, dbeta."""
    x, mean, _, scale, gamma, of_batch = cache
    n = x[0].size
    pixels, d, out = x.reshape(-1, n), batch_last(dout).reshape(-1, n), np.empty_like(x)
    dx, dgamma, dbeta = out.reshape(-1, n), np.empty_like(mean), np.empty_like(mean)
    for c in _channel_blocks(x):
        block = np.subtract(pixels[c], mean[c, None], out=dx[c])  # centred x, to become dx
        dbeta[c] = np.einsum("cm->c", d[c])
        dgamma[c] = row_dots(block, d[c]) * scale[c]
        if of_batch:
            block *= (dgamma[c] * scale[c] / -n)[:, None]
            block += d[c]
            block -= (dbeta[c] / n)[:, None]
            block *= (gamma[c] * scale[c])[:, None]
        else:
            np.multiply(d[c], (gamma[c] * scale[c])[:, None], out=block)
    return batch_first(out), dgamma, dbeta
