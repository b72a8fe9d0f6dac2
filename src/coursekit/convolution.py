r"""Convolution layers and pooling: the mathematics of a CNN's image layers.

What networks call convolution is a correlation: the kernel is not flipped (`coursekit.filters` has both). For one
kernel of one channel,

$$\text{out}_{pq} = b + \sum_{i, j} x_{s p + i,\, s q + j}\, w_{ij}$$

with stride s, after the input has been padded with zeros. The output of an input of length H has
$\lfloor (H + 2 \cdot \text{padding} - K) / s \rfloor + 1$ entries; rows at the end that do not fill a window are left
out, as in PyTorch.

`conv2d_forward_plain` and `conv2d_backward_plain` are the formulas, written down. `conv2d_forward` and
`conv2d_backward` give the same numbers several times faster, by another order of the work (`coursekit.fast.images`).
"""

from __future__ import annotations

import numpy as np

from . import _checks
from ._half import forward_in_float32, in_float32
from ._runs import run_axes
from .dense import sum_to
from .errors import ShapeError
from .fast import images

__all__ = [
    "avg_pool2d_backward",
    "avg_pool2d_forward",
    "conv2d_backward",
    "conv2d_backward_plain",
    "conv2d_forward",
    "conv2d_forward_plain",
    "depthwise_conv2d_backward",
    "depthwise_conv2d_forward",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "output_length",
    "unfold",
]


def output_length(length: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    r"""How many windows fit: $\lfloor (H + 2 \cdot \text{padding} - K) / s \rfloor + 1$.

    >>> output_length(28, 5, padding=2), output_length(28, 2, stride=2), output_length(7, 3, stride=3)
    (28, 14, 2)
    """
    for name, value, low in (
        ("length", length, 1),
        ("kernel", kernel, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
    ):
        _checks.whole(name, value, low)
    if kernel > length + 2 * padding:
        raise ShapeError(
            f"the kernel is {kernel} long, but the input with its padding is {length} + 2 * {padding} = "
            f"{length + 2 * padding}; use a smaller kernel or more padding"
        )
    return (length + 2 * padding - kernel) // stride + 1


def unfold(x: np.ndarray, size, stride=1) -> np.ndarray:
    """All windows of the last two axes: a view, in which each pixel appears once for every window it lies in.

    Parameters
    ----------
    x : (..., H, W) float
    size, stride : whole number, or a pair (vertical, horizontal)

    Returns
    -------
    (..., OH, OW, KH, KW), read-only

    >>> windows = unfold(np.arange(16.0).reshape(4, 4), size=2, stride=2)
    >>> windows.shape
    (2, 2, 2, 2)
    >>> windows[1, 0]
    array([[ 8.,  9.],
           [12., 13.]])
    """
    _checks.shape("x (..., H, W)", x=x)
    (kh, kw), (sh, sw) = pair("size", size, 1), pair("stride", stride, 1)
    output_length(x.shape[-2], kh), output_length(x.shape[-1], kw)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(-2, -1))
    return windows[..., ::sh, ::sw, :, :]


@forward_in_float32
def conv2d_forward_plain(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride=1, padding=0) -> tuple[np.ndarray, tuple]:
    r"""Convolution layer, as its formula reads; `conv2d_forward` is the one to use.

    $$\text{out}_{nfpq} = b_f + \sum_{c, i, j} x_{n,\, c,\, s p + i,\, s q + j}\, w_{fcij}$$

    Parameters
    ----------
    x : (N, C, H, W)
    w : (F, C, KH, KW)
    b : (F,)
    stride, padding : whole number, or a pair (vertical, horizontal)

    Returns
    -------
    out : (N, F, OH, OW)
    cache : for `conv2d_backward_plain`

    >>> conv2d_forward_plain(np.ones((1, 3, 4, 4)), np.ones((2, 3, 3, 3)), np.zeros(2), padding=1)[0][0, 0]
    array([[12., 18., 18., 12.],
           [18., 27., 27., 18.],
           [18., 27., 27., 18.],
           [12., 18., 18., 12.]])
    """
    _checks.shape("x (N, C, H, W), w (F, C, KH, KW), b (F)", x=x, w=w, b=b)
    stride, padding = _settings(x, w, stride, padding)
    (ph, pw), size = padding, w.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    windows = unfold(padded, size, stride)  # (N, C, OH, OW, KH, KW)
    out = np.einsum("ncpqij,fcij->nfpq", windows, w, optimize=True) + b[:, None, None]
    return out, (padded, w, stride, padding)


@in_float32
def conv2d_backward_plain(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of `conv2d_forward_plain`, as their formulas read.

    $$dw_{fcij} = \sum_{n, p, q} d\text{out}_{nfpq}\, x_{n,\, c,\, s p + i,\, s q + j}, \qquad
    db_f = \sum_{n, p, q} d\text{out}_{nfpq}$$

    and every input pixel collects from every window it lay in:

    $$dx_{n,\, c,\, s p + i,\, s q + j} \mathrel{+}= \sum_f d\text{out}_{nfpq}\, w_{fcij}$$

    >>> out, cache = conv2d_forward_plain(np.ones((2, 3, 5, 6)), np.ones((4, 3, 3, 2)), np.zeros(4), stride=2)
    >>> [g.shape for g in conv2d_backward_plain(np.ones(out.shape), cache)]
    [(2, 3, 5, 6), (4, 3, 3, 2), (4,)]
    """
    padded, w, (sh, sw), (ph, pw) = cache
    windows = unfold(padded, w.shape[2:], (sh, sw))
    oh, ow = windows.shape[2:4]
    _checks.gradient(dout, (len(padded), len(w), oh, ow))
    dw = np.einsum("nfpq,ncpqij->fcij", dout, windows, optimize=True)
    db = dout.sum(axis=(0, 2, 3))
    dpadded = np.zeros_like(padded)
    for i, j in np.ndindex(w.shape[2:]):
        dpadded[:, :, i : i + sh * oh : sh, j : j + sw * ow : sw] += np.einsum("nfpq,fc->ncpq", dout, w[:, :, i, j])
    height, width = padded.shape[2:]
    return dpadded[:, :, ph : height - ph, pw : width - pw], dw, db


@forward_in_float32
def conv2d_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride=1, padding=0) -> tuple[np.ndarray, tuple]:
    r"""Convolution layer (LeCun et al. 1989): every kernel w[f] slides over all channels of the image.

    $$\text{out}_{nfpq} = b_f + \sum_{c, i, j} x_{n,\, c,\, s p + i,\, s q + j}\, w_{fcij}$$

    The kernel is not flipped. The same as `torch.nn.functional.conv2d`; TensorFlow's default order is (N, H, W, C)
    with kernels (KH, KW, C, F), and its padding "same" with a stride puts the odd zero at the end.

    Parameters
    ----------
    x : (..., N, C, H, W) float; axes in front of the batch axis N are run axes
    w : (F, C, KH, KW) kernels; with run axes (..., F, C, KH, KW)
    b : (F,) bias; with run axes (..., 1, F)
    stride : whole number >= 1, or a pair (vertical, horizontal)
    padding : rows and columns of zeros on each side, whole number >= 0 or a pair

    Returns
    -------
    out : (..., N, F, OH, OW) with OH = (H + 2 padding - KH) // stride + 1, OW likewise
    cache : for `conv2d_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If the shapes do not fit together, the kernel is larger than the padded input, or stride or padding is not a
        whole number or a pair of them.

    >>> x, w, b = np.ones((8, 3, 32, 32)), np.ones((16, 3, 5, 5)), np.zeros(16)
    >>> out, cache = conv2d_forward(x, w, b, stride=2, padding=2)
    >>> out.shape
    (8, 16, 16, 16)
    """
    _checks.shape("x (..., N, C, H, W), w (..., F, C, KH, KW), b (..., F)", x=x, w=w, b=b)
    stride, padding = _settings(x, w, stride, padding)
    runs = run_axes(x=(x, 4), w=(w, 4), b=(b, 1))
    if not runs:
        out, cache = images.conv2d_forward(x, w, b.reshape(-1), stride, padding)  # b may be a row, (1, F)
        return out, (cache, out.shape, runs, x.shape, w.shape, b.shape)
    xs, ws, bs = _each_run(runs, (x, 4), (w, 4), (b[..., 0, :] if b.ndim > 1 else b, 1))
    outs, caches = zip(
        *(images.conv2d_forward(*args, stride, padding) for args in zip(xs, ws, bs, strict=True)), strict=True
    )
    out = np.stack(outs).reshape(*runs, *outs[0].shape)
    return out, (caches, out.shape, runs, x.shape, w.shape, b.shape)


def conv2d_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of the convolution layer.

    $$dw_{fcij} = \sum_{n, p, q} d\text{out}_{nfpq}\, x_{n,\, c,\, s p + i,\, s q + j}, \qquad
    db_f = \sum_{n, p, q} d\text{out}_{nfpq}$$

    $$dx_{n,\, c,\, s p + i,\, s q + j} \mathrel{+}= \sum_f d\text{out}_{nfpq}\, w_{fcij}
    \quad\text{for every window } p, q$$

    Parameters
    ----------
    dout : (..., N, F, OH, OW) gradient of the loss with respect to out
    cache : what `conv2d_forward` gave

    Returns
    -------
    dx, dw, db : each of the shape of x, w, b; what was shared between runs gets the sum over the runs

    >>> out, cache = conv2d_forward(np.ones((2, 3, 5, 6)), np.ones((4, 3, 3, 2)), np.zeros(4), stride=2)
    >>> [g.shape for g in conv2d_backward(np.ones(out.shape), cache)]
    [(2, 3, 5, 6), (4, 3, 3, 2), (4,)]
    """
    return conv2d_backward_of(dout, cache, need_dx=True)


@in_float32
def conv2d_backward_of(dout: np.ndarray, cache: tuple, *, need_dx: bool) -> tuple:
    """`conv2d_backward`, where dx is None unless it is needed; a network's first layer spares itself a third."""
    inner, out_shape, runs, x_shape, w_shape, b_shape = cache
    _checks.gradient(dout, out_shape)
    if not runs:
        dx, dw, db = images.conv2d_backward(dout, inner, need_dx)
        return dx, dw, db.reshape(b_shape)
    (douts,) = _each_run(runs, (dout, 4))
    parts = [images.conv2d_backward(d, c, need_dx) for d, c in zip(douts, inner, strict=True)]
    dx, dw, db = (np.stack(g) if g[0] is not None else None for g in zip(*parts, strict=True))
    return (
        sum_to(dx.reshape(*runs, *x_shape[-4:]), x_shape) if need_dx else None,
        sum_to(dw.reshape(*runs, *w_shape[-4:]), w_shape),
        sum_to(db.reshape(*runs, 1, -1), b_shape),
    )


@forward_in_float32
def depthwise_conv2d_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride=1, padding=0) -> tuple:
    r"""Depthwise convolution (Sifre 2014): each channel has a kernel of its own and sees no other channel.

    $$\text{out}_{ncpq} = b_c + \sum_{i, j} x_{n,\, c,\, s p + i,\, s q + j}\, w_{c 0 i j}$$

    A grouped convolution with as many groups as channels; the same as `torch.nn.functional.conv2d` with `groups=C`.
    Followed by a 1 x 1 convolution, which mixes the channels, it is a depthwise separable one.

    Parameters
    ----------
    x : (..., N, C, H, W) float; axes in front of the batch axis N are run axes
    w : (C, 1, KH, KW) a kernel for each channel; with run axes (..., C, 1, KH, KW)
    b : (C,) bias; with run axes (..., 1, C)
    stride, padding : as for `conv2d_forward`

    Returns
    -------
    out : (..., N, C, OH, OW)
    cache : for `depthwise_conv2d_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        As for `conv2d_forward`; and if w is not for one channel each.

    >>> out, _ = depthwise_conv2d_forward(np.ones((1, 2, 4, 4)), np.ones((2, 1, 3, 3)), np.array([0.0, 10.0]))
    >>> out[0]
    array([[[ 9.,  9.],
            [ 9.,  9.]],
    <BLANKLINE>
           [[19., 19.],
            [19., 19.]]])
    """
    _checks.shape("x (..., N, C, H, W), w (..., C, 1, KH, KW), b (..., C)", x=x, w=w, b=b)
    stride, padding = _settings(x, w, stride, padding)
    ph, pw = padding
    runs, height, width = run_axes(x=(x, 4), w=(w, 4), b=(b, 1)), x.shape[-2], x.shape[-1]
    padded = np.zeros_like(x, shape=(*x.shape[:-2], height + 2 * ph, width + 2 * pw))
    padded[..., ph : ph + height, pw : pw + width] = x
    oh, ow = (output_length(n, k, s) for n, k, s in zip(padded.shape[-2:], w.shape[-2:], stride, strict=True))
    out = np.empty_like(x, shape=(*runs, *x.shape[-4:-2], oh, ow), dtype=np.result_type(x, w, b))
    out[...] = b[..., None, None]
    term = np.empty_like(out)
    for entry, corner in _kernel_and_corners(padded.shape, w, stride):
        out += np.multiply(padded[corner], w[entry][..., None, :, None, None], out=term)
    return out, (padded, w, b.shape, stride, padding, out.shape)


@in_float32
def depthwise_conv2d_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of the depthwise convolution: as for a convolution, each channel for itself.

    $$dw_{c 0 i j} = \sum_{n, p, q} d\text{out}_{ncpq}\, x_{n,\, c,\, s p + i,\, s q + j}, \qquad
    dx_{n,\, c,\, s p + i,\, s q + j} \mathrel{+}= d\text{out}_{ncpq}\, w_{c 0 i j}$$

    >>> out, cache = depthwise_conv2d_forward(np.ones((2, 3, 5, 6)), np.ones((3, 1, 3, 2)), np.zeros(3), stride=2)
    >>> [g.shape for g in depthwise_conv2d_backward(np.ones(out.shape), cache)]
    [(2, 3, 5, 6), (3, 1, 3, 2), (3,)]
    """
    padded, w, b_shape, stride, (ph, pw), out_shape = cache
    _checks.gradient(dout, out_shape)
    lead = dout.shape[:-2]
    dpadded, dw = np.zeros_like(dout, shape=(*lead, *padded.shape[-2:])), np.zeros(w.shape, dout.dtype)
    for entry, corner in _kernel_and_corners(padded.shape, w, stride):
        dpadded[corner] += dout * w[entry][..., None, :, None, None]
        dw[entry] = sum_to((dout * padded[corner]).sum(axis=(-4, -2, -1)), w.shape[:-3])
    height, width = padded.shape[-2:]
    dx = sum_to(dpadded[..., ph : height - ph, pw : width - pw], (*padded.shape[:-2], height - 2 * ph, width - 2 * pw))
    db = dout.sum(axis=(-4, -2, -1))  # (..., C): with run axes b has a row for the whole batch
    return dx, dw, sum_to(db[..., None, :] if len(b_shape) > 1 else db, b_shape)


def _kernel_and_corners(shape, w, stride):
    """For each entry of the kernels: its index in w (..., C, 1, KH, KW), and that of the pixels it meets."""
    size = w.shape[-2:]
    for (i, j), corner in zip(np.ndindex(size), _corners(shape, size, stride), strict=True):
        yield (..., 0, i, j), corner


def _settings(x, w, stride, padding):
    """Stride and padding as pairs, if at least one window fits."""
    stride, padding = pair("stride", stride, 1), pair("padding", padding, 0)
    for length, kernel, s, p in zip(x.shape[-2:], w.shape[-2:], stride, padding, strict=True):
        output_length(length, kernel, s, p)
    return stride, padding


def _each_run(runs, *parts):
    """For each (array, number of its own axes): the array of every run, as a list."""
    return [
        [np.broadcast_to(array, (*runs, *array.shape[array.ndim - own :]))[run] for run in np.ndindex(runs)]
        for array, own in parts
    ]


def max_pool2d_forward(x: np.ndarray, size=2, stride=None) -> tuple[np.ndarray, tuple]:
    r"""Max pooling: of each window the largest entry, $\text{out}_{pq} = \max_{i, j} x_{s p + i,\, s q + j}$.

    The same as `torch.nn.functional.max_pool2d`. Windows overlap when the stride is smaller than the size, as in
    AlexNet (3 and 2). Rows and columns that do not fill a window are left out.

    Parameters
    ----------
    x : (..., H, W) float; any axes in front, such as (N, C, H, W)
    size : of the window, whole number or a pair (vertical, horizontal)
    stride : the same; None for windows side by side

    Returns
    -------
    out : (..., OH, OW) with OH = (H - size) // stride + 1, OW likewise
    cache : for `max_pool2d_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If the window is larger than the image, or size or stride is not a whole number >= 1 or a pair of them.

    >>> out, cache = max_pool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4))
    >>> out
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    _checks.shape("x (..., H, W)", x=x)
    size, stride = _window(x, size, stride)
    if images.pools_in_pairs(size, stride):
        out, masks = images.max_pool_pairs_forward(x)
        return out, (masks, size, stride, x.shape, out.shape)
    out, winner = _max_pool(x, size, stride)
    return out, (winner, size, stride, x.shape, out.shape)


def max_pool2d_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of max pooling: each window hands its gradient to the entry that won it.

    Of equal entries the first of the window wins, row by row, as in PyTorch. After a ReLU ties at 0 are common.

    Parameters
    ----------
    dout : (..., OH, OW) gradient of the loss with respect to out
    cache : what `max_pool2d_forward` gave

    Returns
    -------
    dx : the shape of x

    >>> out, cache = max_pool2d_forward(np.array([[[[0.0, 3.0], [3.0, 1.0]]]]))
    >>> max_pool2d_backward(np.array([[[[5.0]]]]), cache)
    array([[[[0., 5.],
             [0., 0.]]]])
    """
    winner, size, stride, x_shape, out_shape = cache
    _checks.gradient(dout, out_shape)
    if images.pools_in_pairs(size, stride):
        return images.max_pool_pairs_backward(dout, winner, x_shape)
    return _max_pool_backward(dout, winner, size, stride, x_shape)


def _max_pool(x, size, stride):
    """The largest entry of each window, and which one it is, counted row by row."""
    corners = _corners(x.shape, size, stride)
    out = x[next(corners)].copy(order="K")
    winner = np.zeros_like(out, dtype=np.min_scalar_type(size[0] * size[1]))
    for place, corner in enumerate(corners, start=1):
        better = x[corner] > out
        np.maximum(winner, better * winner.dtype.type(place), out=winner)
        np.maximum(out, x[corner], out=out)
    return out, winner


def _max_pool_backward(dout, winner, size, stride, x_shape):
    dx = np.zeros_like(dout, shape=x_shape)
    for place, corner in enumerate(_corners(x_shape, size, stride)):
        dx[corner] += dout * (winner == place)
    return dx


@forward_in_float32
def avg_pool2d_forward(x: np.ndarray, size=2, stride=None) -> tuple[np.ndarray, tuple]:
    r"""Average pooling: of each window the mean, $\frac{1}{K_h K_w} \sum_{i, j} x_{s p + i,\, s q + j}$.

    The same as `torch.nn.functional.avg_pool2d`. LeNet-5 pooled this way, with a weight and a bias a channel on top.

    Parameters
    ----------
    x : (..., H, W) float; any axes in front, such as (N, C, H, W)
    size : of the window, whole number or a pair (vertical, horizontal)
    stride : the same; None for windows side by side

    Returns
    -------
    out : (..., OH, OW) with OH = (H - size) // stride + 1, OW likewise
    cache : for `avg_pool2d_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        As for `max_pool2d_forward`.

    >>> avg_pool2d_forward(np.arange(16.0).reshape(1, 1, 4, 4))[0]
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    _checks.shape("x (..., H, W)", x=x)
    size, stride = _window(x, size, stride)
    corners = _corners(x.shape, size, stride)
    out = x[next(corners)].copy(order="K")
    for corner in corners:
        out += x[corner]
    out /= size[0] * size[1]
    return out, (size, stride, x.shape, out.shape)


@in_float32
def avg_pool2d_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of average pooling: each window shares its gradient among its entries, $1 / (K_h K_w)$ each.

    Parameters
    ----------
    dout : (..., OH, OW) gradient of the loss with respect to out
    cache : what `avg_pool2d_forward` gave

    Returns
    -------
    dx : the shape of x

    >>> out, cache = avg_pool2d_forward(np.zeros((1, 1, 2, 3)))
    >>> avg_pool2d_backward(np.array([[[[8.0]]]]), cache)
    array([[[[2., 2., 0.],
             [2., 2., 0.]]]])
    """
    size, stride, x_shape, out_shape = cache
    _checks.gradient(dout, out_shape)
    share = dout / (size[0] * size[1])
    dx = np.zeros_like(dout, shape=x_shape)
    for corner in _corners(x_shape, size, stride):
        dx[corner] += share
    return dx


def _corners(x_shape, size, stride):
    """For each entry of the window, row by row: the index of that entry in all windows at once."""
    (kh, kw), (sh, sw) = size, stride
    oh, ow = output_length(x_shape[-2], kh, sh), output_length(x_shape[-1], kw, sw)
    for i, j in np.ndindex(size):
        yield ..., slice(i, i + sh * oh, sh), slice(j, j + sw * ow, sw)


def _window(x, size, stride):
    size = pair("size", size, 1)
    stride = size if stride is None else pair("stride", stride, 1)
    for length, kernel, s in zip(x.shape[-2:], size, stride, strict=True):
        output_length(length, kernel, s)
    return size, stride


def pair(name: str, value, low: int) -> tuple[int, int]:
    """`value` as (vertical, horizontal), each at least `low`: a whole number stands for both.

    >>> pair("stride", 2, 1), pair("stride", (2, 1), 1)
    ((2, 2), (2, 1))
    """
    if not isinstance(value, (tuple, list)):
        return (_checks.whole(name, value, low),) * 2
    if len(value) != 2:
        raise ShapeError(f"{name} is {value!r}, but must be a whole number or a pair (vertical, horizontal)")
    return _checks.whole(f"{name}[0]", value[0], low), _checks.whole(f"{name}[1]", value[1], low)
