r"""Normalization: give the numbers inside a network mean 0 and variance 1, then let it undo that if it must.

| function | statistics are taken over | source |
|---|---|---|
| `batch_norm` | the batch, for each feature | Ioffe and Szegedy 2015 |
| `batch_norm2d` | the batch and all pixels, for each channel | Ioffe and Szegedy 2015 |
| `layer_norm` | the features, for each example | Ba et al. 2016 |
| `rms_norm` | the features, for each example (no mean) | Zhang and Sennrich 2019 |
| `group_norm` | a group of channels and all pixels, for each image | Wu and He 2018 |
| `group_norm`, a group a channel | the pixels of one channel of one image: *instance norm* | Ulyanov et al. 2016 |
| `local_response_norm` | neighbouring channels, at each pixel (no mean) | Krizhevsky et al. 2012 |

Batch normalization behaves differently in training and at inference, so `training` has no default. Its running
statistics travel as a dict `{"mean", "var"}`; new arrays come back and the caller's are left alone.
"""

from __future__ import annotations

import numpy as np

from . import _checks
from ._half import forward_in_float32, in_float32
from ._runs import run_axes
from .dense import sum_to
from .errors import DTypeError, RangeError, ShapeError
from .fast import images

__all__ = [
    "batch_norm2d_backward",
    "batch_norm2d_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "group_norm_backward",
    "group_norm_forward",
    "layer_norm_backward",
    "layer_norm_forward",
    "local_response_norm_backward",
    "local_response_norm_forward",
    "rms_norm_backward",
    "rms_norm_forward",
]


@forward_in_float32
def batch_norm_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running: dict[str, np.ndarray],
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[np.ndarray, tuple, dict[str, np.ndarray]]:
    r"""Batch normalization of each feature (Ioffe and Szegedy 2015, algorithm 1).

    $$\hat x_{nd} = \frac{x_{nd} - \mu_d}{\sqrt{\sigma_d^2 + \epsilon}}, \qquad
    \text{out}_{nd} = \gamma_d \hat x_{nd} + \beta_d$$

    In training $\mu_d$ and $\sigma_d^2 = \frac1N \sum_n (x_{nd} - \mu_d)^2$ are those of the batch, and the running
    statistics follow them: $\text{running} \leftarrow (1 - m)\,\text{running} + m\,\text{batch}$. Otherwise the running
    statistics are used, and they stay as they are.

    Where libraries differ, this follows `torch.nn.BatchNorm1d`: $\epsilon$ is inside the root; the batch is normalized
    with the biased variance (divided by N) while the running variance takes the unbiased one (divided by N - 1);
    `momentum` weighs the new batch. In TensorFlow and Keras `momentum` weighs the old value (0.99 there is 0.01 here)
    and eps is 1e-3. The paper averages the statistics after training instead of running along.

    Parameters
    ----------
    x : (..., N, D) float; axes in front of the batch axis N are run axes
    gamma, beta : (D,) scale and shift; with run axes (..., 1, D)
    running : {"mean": (D,), "var": (D,)}; with run axes (..., 1, D)
    training : True to use the batch's statistics, False to use the running ones
    momentum : weight of the new batch in the running statistics, in [0, 1]
    eps : added to the variance, >= 0

    Returns
    -------
    out : (..., N, D), of x's dtype
    cache : for `batch_norm_backward`
    running : {"mean", "var"}, new arrays in training; with run axes in x one row a run, (..., 1, D)

    Raises
    ------
    ShapeError
        If the shapes do not fit together, or in training the batch has a single row, which has no variance.
    DTypeError, RangeError
        If `running` is not such a dict, or `momentum` or `eps` lie outside their range.

    >>> x = np.array([[1.0, 10.0], [3.0, 30.0]])
    >>> running = {"mean": np.zeros(2), "var": np.ones(2)}
    >>> out, cache, running = batch_norm_forward(x, np.ones(2), np.zeros(2), running, training=True)
    >>> out.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> running["mean"], running["var"].round(3)        # 0.9 old + 0.1 new
    (array([0.2, 2. ]), array([ 1.1, 20.9]))
    """
    _checks.shape("x (..., N, D), gamma (..., D), beta (..., D)", x=x, gamma=gamma, beta=beta)
    _check_settings(x, 2, gamma, beta, running, momentum, eps)
    return _batch_norm(x, gamma, beta, running, training, momentum, eps)


@in_float32
def batch_norm_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of batch normalization.

    $$d\gamma_d = \sum_n d\text{out}_{nd}\, \hat x_{nd}, \qquad d\beta_d = \sum_n d\text{out}_{nd}$$

    In training every $x_{nd}$ moves the mean and the variance of the batch, so two terms are subtracted:

    $$dx_{nd} = \frac{\gamma_d}{\sqrt{\sigma_d^2 + \epsilon}}
    \Big(d\text{out}_{nd} - \frac1N d\beta_d - \frac1N \hat x_{nd}\, d\gamma_d\Big)$$

    With the running statistics they are constants, and $dx = d\text{out}\, \gamma / \sqrt{\sigma^2 + \epsilon}$.

    Parameters
    ----------
    dout : (..., N, D) gradient of the loss with respect to out
    cache : what `batch_norm_forward` gave

    Returns
    -------
    dx, dgamma, dbeta : each of the shape of x, gamma, beta

    >>> x, running = np.array([[1.0], [2.0], [6.0]]), {"mean": np.zeros(1), "var": np.ones(1)}
    >>> out, cache, _ = batch_norm_forward(x, np.ones(1), np.zeros(1), running, training=True)
    >>> dx, dgamma, dbeta = batch_norm_backward(np.ones((3, 1)), cache)
    >>> abs(dx).max() < 1e-15, dgamma.round(9), dbeta      # shifting a whole row of ones: the mean subtracts it
    (np.True_, array([0.]), array([3.]))
    """
    x_hat, scale, gamma, beta, training, x_shape, out_shape = cache
    _checks.gradient(dout, out_shape)
    n = dout.shape[-2]
    dgamma = (dout * x_hat).sum(axis=-2, keepdims=True)
    dbeta = dout.sum(axis=-2, keepdims=True)
    dx = dout - dbeta / n - x_hat * (dgamma / n) if training else dout
    dx = dx * (gamma * scale)
    return sum_to(dx, x_shape), sum_to(dgamma, gamma.shape), sum_to(dbeta, beta.shape)


def _batch_norm(x, gamma, beta, running, training, momentum, eps):
    """The mathematics of `batch_norm_forward`, for checked arguments."""
    gamma, beta = gamma.astype(x.dtype, copy=False), beta.astype(x.dtype, copy=False)
    n = x.shape[-2]
    if training:
        _enough_rows(n)
        mean = x.mean(axis=-2, keepdims=True)
        centred = x - mean
        var = (centred * centred).mean(axis=-2, keepdims=True)
        running = _updated(running, mean, var, n, momentum)
    else:
        mean = running["mean"].astype(x.dtype, copy=False)
        var = running["var"].astype(x.dtype, copy=False)
        centred = x - mean
    scale = 1 / np.sqrt(var + eps)
    x_hat = centred * scale
    out = gamma * x_hat + beta
    return out, (x_hat, scale, gamma, beta, training, x.shape, out.shape), running


def _check_settings(x, own, gamma, beta, running, momentum, eps):
    """Refuse a `running` that is not {"mean": (..., D), "var": (..., D)}, bad numbers, run axes that do not fit.

    `own` is how many axes of x are not run axes.
    """
    _checks.number("momentum", momentum, 0, 1)
    _checks.number("eps", eps, 0)
    features = gamma.shape[-1]
    if not isinstance(running, dict) or set(running) != {"mean", "var"}:
        keys = f" with the keys {sorted(running)}" if isinstance(running, dict) else ""
        raise DTypeError(
            f"running is {_checks.describe(running)}{keys}, but must be a dict of the running statistics: "
            f'try running = {{"mean": np.zeros({features}), "var": np.ones({features})}}'
        )
    for name, value in running.items():
        _checks.float_array(f'running["{name}"]', value)
        if value.ndim == 0 or value.shape[-1] != features:
            raise ShapeError(
                f'running["{name}"] has shape {value.shape}; expected one number a feature, ({features},) or, '
                f"with run axes, (..., 1, {features})"
            )
    if (running["var"] < 0).any():
        raise RangeError(f'running["var"] contains {running["var"].min()}, but a variance is at least 0')
    vectors = {"gamma": gamma, "beta": beta, "running mean": running["mean"], "running var": running["var"]}
    run_axes(x=(x, own), **{name: (vector, 1) for name, vector in vectors.items()})


def _enough_rows(n):
    if n == 1:
        raise ShapeError(
            "the batch has one value per feature, which has no variance: batch norm in training needs at least 2; "
            "use a larger batch, or training=False to use the running statistics"
        )


def _updated(running, mean, var, n, momentum):
    """Running statistics after a batch with `mean` and biased `var`, each (..., 1, D)."""
    batch = {"mean": mean, "var": var * (n / (n - 1))}
    new = {}
    for name, old in running.items():
        now = batch[name][0] if mean.ndim == 2 else batch[name]
        new[name] = ((1 - momentum) * old + momentum * now).astype(old.dtype, copy=False)
    return new


@forward_in_float32
def batch_norm2d_forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    running: dict[str, np.ndarray],
    *,
    training: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[np.ndarray, tuple, dict[str, np.ndarray]]:
    r"""Batch normalization of each channel of a batch of images (Ioffe and Szegedy 2015, section 3.2).

    A convolution treats all pixels alike, so its normalization does too: every pixel of every image is one more row
    of the batch, and `batch_norm_forward` does the rest with $N H W$ rows of C features.

    The same as `torch.nn.BatchNorm2d`; see `batch_norm_forward` for where libraries differ.

    Parameters
    ----------
    x : (..., N, C, H, W) float; axes in front of the batch axis N are run axes
    gamma, beta : (C,) scale and shift; with run axes (..., 1, C)
    running : {"mean": (C,), "var": (C,)}; with run axes (..., 1, C)
    training, momentum, eps : as in `batch_norm_forward`

    Returns
    -------
    out : (..., N, C, H, W), of x's dtype
    cache : for `batch_norm2d_backward`
    running : {"mean", "var"}, new arrays in training

    Raises
    ------
    ShapeError, DTypeError, RangeError
        As in `batch_norm_forward`; in training a batch of one image of one pixel is refused.

    >>> x = np.random.default_rng(0).normal(5.0, 3.0, (8, 3, 4, 4))
    >>> running = {"mean": np.zeros(3), "var": np.ones(3)}
    >>> out, cache, running = batch_norm2d_forward(x, np.ones(3), np.zeros(3), running, training=True)
    >>> out.shape, np.abs(out.mean(axis=(0, 2, 3))).max() < 1e-12, out.var(axis=(0, 2, 3)).round(3)
    ((8, 3, 4, 4), np.True_, array([1., 1., 1.]))
    """
    _checks.shape("x (..., N, C, H, W), gamma (..., C), beta (..., C)", x=x, gamma=gamma, beta=beta)
    _check_settings(x, 4, gamma, beta, running, momentum, eps)
    if x.ndim == 4 and all(vector.ndim == 1 for vector in (gamma, beta, *running.values())):
        return _batch_norm2d_fast(x, gamma, beta, running, training, momentum, eps)
    rows, cache, running = _batch_norm(_rows(x), gamma, beta, running, training, momentum, eps)
    return _images(rows, x.shape), (cache, x.shape), running


@in_float32
def batch_norm2d_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of `batch_norm2d_forward`: those of `batch_norm_backward`, with every pixel a row.

    Parameters
    ----------
    dout : (..., N, C, H, W) gradient of the loss with respect to out
    cache : what `batch_norm2d_forward` gave

    Returns
    -------
    dx, dgamma, dbeta : each of the shape of x, gamma, beta

    >>> x, running = np.random.default_rng(0).normal(size=(8, 3, 4, 4)), {"mean": np.zeros(3), "var": np.ones(3)}
    >>> out, cache, _ = batch_norm2d_forward(x, np.ones(3), np.zeros(3), running, training=True)
    >>> [g.shape for g in batch_norm2d_backward(np.ones(out.shape), cache)]
    [(8, 3, 4, 4), (3,), (3,)]
    """
    inner, x_shape = cache
    if isinstance(inner, images.BatchNormCache):
        _checks.gradient(dout, x_shape)
        return images.batch_norm2d_backward(dout, inner)
    _checks.gradient(dout, (*inner[-1][:-2], *x_shape[-4:]))
    dx, dgamma, dbeta = batch_norm_backward(_rows(dout), inner)
    return _images(dx, x_shape), dgamma, dbeta


def _batch_norm2d_fast(x, gamma, beta, running, training, momentum, eps):
    """The same for one run, channel by channel: half the time, because less travels to the memory and back."""
    gamma, beta, mean, var = (v.astype(x.dtype, copy=False) for v in (gamma, beta, running["mean"], running["var"]))
    n = x.size // x.shape[1]
    if training:
        _enough_rows(n)
    out, cache = images.batch_norm2d_forward(x, gamma, beta, eps, None if training else (mean, var))
    if training:
        running = _updated(running, cache.mean[None], cache.var[None], n, momentum)
    return out, (cache, x.shape), running


def _rows(images: np.ndarray) -> np.ndarray:
    """(..., N, C, H, W) -> (..., H W N, C): every pixel of every image a row.

    In this order the rows of images that lie batch-last in memory are a view, see `coursekit.fast.images`.
    """
    *runs, n, c, h, w = images.shape
    return np.moveaxis(images, -4, -1).reshape(*runs, c, h * w * n).swapaxes(-1, -2)


def _images(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo `_rows`; `shape` is that of images, rows may have more run axes."""
    n, c, h, w = shape[-4:]
    return np.moveaxis(rows.swapaxes(-1, -2).reshape(*rows.shape[:-2], c, h, w, n), -1, -4)


@forward_in_float32
def layer_norm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, tuple]:
    r"""Layer normalization of each example over its features (Ba et al. 2016).

    $$\hat x_{d} = \frac{x_{d} - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad \mu = \frac1D \sum_d x_d, \qquad
    \sigma^2 = \frac1D \sum_d (x_d - \mu)^2, \qquad \text{out}_d = \gamma_d \hat x_d + \beta_d$$

    No example looks at another, so there are no running statistics, and training and inference are alike. The same
    as `torch.nn.LayerNorm(D)`: biased variance, eps inside the root. Keras has eps 1e-3.

    Parameters
    ----------
    x : (..., D) float, any axes in front
    gamma, beta : (D,) scale and shift; with run axes (..., 1, D), or any shape that broadcasts with x
    eps : added to the variance, >= 0

    Returns
    -------
    out : the shape of x (and of gamma's run axes), of x's dtype
    cache : for `layer_norm_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If the shapes do not fit together, an argument is not an array of floats, or eps is negative.

    >>> out, cache = layer_norm_forward(np.array([[1.0, 3.0], [10.0, 30.0]]), np.ones(2), np.zeros(2))
    >>> out.round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    _checks.shape("x (..., D), gamma (..., D), beta (..., D)", x=x, gamma=gamma, beta=beta)
    eps = _checks.number("eps", eps, 0)
    try:
        np.broadcast_shapes(x.shape, gamma.shape, beta.shape)
    except ValueError:
        raise ShapeError(
            f"gamma {gamma.shape} and beta {beta.shape} do not fit x {x.shape}; expected ({x.shape[-1]},), or with "
            f"run axes (..., 1, {x.shape[-1]})"
        ) from None
    gamma, beta = gamma.astype(x.dtype, copy=False), beta.astype(x.dtype, copy=False)
    centred = x - x.mean(axis=-1, keepdims=True)
    var = (centred * centred).mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt(var + eps)
    x_hat = centred * scale
    out = gamma * x_hat + beta
    return out, (x_hat, scale, gamma, beta, out.shape)


@in_float32
def layer_norm_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of layer normalization.

    With $g_d = d\text{out}_d\, \gamma_d$,

    $$dx_d = \frac{1}{\sqrt{\sigma^2 + \epsilon}}
    \Big(g_d - \frac1D \sum_e g_e - \hat x_d\, \frac1D \sum_e g_e \hat x_e\Big), \qquad
    d\gamma = \sum d\text{out}\, \hat x, \qquad d\beta = \sum d\text{out}$$

    where the last two sums run over everything but the features.

    Parameters
    ----------
    dout : gradient of the loss with respect to out, of its shape
    cache : what `layer_norm_forward` gave

    Returns
    -------
    dx, dgamma, dbeta : each of the shape of x, gamma, beta

    >>> out, cache = layer_norm_forward(np.eye(4, 3), np.ones(3), np.zeros(3))
    >>> [g.shape for g in layer_norm_backward(np.ones((4, 3)), cache)]
    [(4, 3), (3,), (3,)]
    """
    x_hat, scale, gamma, beta, out_shape = cache
    _checks.gradient(dout, out_shape)
    g = dout * gamma
    dx = scale * (g - g.mean(axis=-1, keepdims=True) - x_hat * (g * x_hat).mean(axis=-1, keepdims=True))
    return sum_to(dx, x_hat.shape), sum_to(dout * x_hat, gamma.shape), sum_to(dout, beta.shape)


@forward_in_float32
def rms_norm_forward(x: np.ndarray, gamma: np.ndarray, eps: float = 1e-5) -> tuple[np.ndarray, tuple]:
    r"""RMSNorm: divide each example by the root mean square of its features (Zhang and Sennrich 2019).

    $$\text{out}_d = \gamma_d \hat x_d, \qquad \hat x_d = \frac{x_d}{r}, \qquad
    r = \sqrt{\frac1D \sum_d x_d^2 + \epsilon}$$

    Layer norm without its mean and its shift. The same as `torch.nn.RMSNorm(D, eps=1e-5)`; PyTorch's own default is
    the smallest step of the dtype, the paper has none.

    Parameters
    ----------
    x : (..., D) float, any axes in front
    gamma : (D,) scale; with run axes (..., 1, D), or any shape that broadcasts with x
    eps : added to the mean square, >= 0

    Returns
    -------
    out : the shape of x (and of gamma's run axes), of x's dtype
    cache : for `rms_norm_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If the shapes do not fit together, an argument is not an array of floats, or eps is negative.

    >>> out, cache = rms_norm_forward(np.array([[1.0, 7.0], [10.0, 70.0]]), np.ones(2))    # root mean squares 5 and 50
    >>> out.round(3)
    array([[0.2, 1.4],
           [0.2, 1.4]])
    """
    _checks.shape("x (..., D), gamma (..., D)", x=x, gamma=gamma)
    eps = _checks.number("eps", eps, 0)
    _fits(x, gamma=gamma)
    gamma = gamma.astype(x.dtype, copy=False)
    scale = 1 / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)
    x_hat = x * scale
    out = gamma * x_hat
    return out, (x_hat, scale, gamma, out.shape)


@in_float32
def rms_norm_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    r"""Gradients of RMSNorm.

    With $g_d = d\text{out}_d\, \gamma_d$,

    $$dx_d = \frac1r \Big(g_d - \hat x_d\, \frac1D \sum_e g_e \hat x_e\Big), \qquad
    d\gamma = \sum d\text{out}\, \hat x$$

    Of layer norm's two subtractions one is left: a stretch of the example changes nothing, a shift does.

    Parameters
    ----------
    dout : gradient of the loss with respect to out, of its shape
    cache : what `rms_norm_forward` gave

    Returns
    -------
    dx, dgamma : each of the shape of x, gamma

    >>> out, cache = rms_norm_forward(np.eye(4, 3) + 1, np.ones(3))
    >>> [g.shape for g in rms_norm_backward(np.ones((4, 3)), cache)]
    [(4, 3), (3,)]
    """
    x_hat, scale, gamma, out_shape = cache
    _checks.gradient(dout, out_shape)
    g = dout * gamma
    dx = scale * (g - x_hat * (g * x_hat).mean(axis=-1, keepdims=True))
    return sum_to(dx, x_hat.shape), sum_to(dout * x_hat, gamma.shape)


@forward_in_float32
def group_norm_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, groups: int, eps: float = 1e-5
) -> tuple[np.ndarray, tuple]:
    r"""Group normalization of images: one mean and variance for each group of channels of each image (Wu and He 2018).

    $$\hat x_{nchw} = \frac{x_{nchw} - \mu_{ng}}{\sqrt{\sigma_{ng}^2 + \epsilon}}, \qquad
    \text{out}_{nchw} = \gamma_c\, \hat x_{nchw} + \beta_c$$

    where $\mu_{ng}, \sigma_{ng}^2$ are over the $C/G$ neighbouring channels of the group $g$ that c belongs to, and all
    their pixels. With `groups=1` it is layer norm over a whole image; with `groups=C` it is **instance norm** (Ulyanov
    et al. 2016). The same as `torch.nn.GroupNorm(groups, C)`, and with `groups=C` as
    `torch.nn.InstanceNorm2d(C, affine=True)`.

    Parameters
    ----------
    x : (..., N, C, H, W) float
    gamma, beta : (C,) scale and shift of each channel; with run axes (..., 1, C)
    groups : $G$, a divisor of C
    eps : added to the variance, >= 0

    Returns
    -------
    out : the shape and dtype of x
    cache : for `group_norm_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If the shapes do not fit together, or the channels cannot be divided into such groups.

    >>> x = np.random.default_rng(0).normal(5.0, 3.0, (2, 6, 4, 4))
    >>> out, cache = group_norm_forward(x, np.ones(6), np.zeros(6), groups=3)
    >>> np.abs(out.reshape(2, 3, -1).mean(axis=-1)).max() < 1e-12
    np.True_
    """
    sizes = _checks.shape("x (..., N, C, H, W), gamma (..., C), beta (..., C)", x=x, gamma=gamma, beta=beta)
    groups, eps = _checks.whole("groups", groups), _checks.number("eps", eps, 0)
    if sizes["C"] % groups:
        raise ShapeError(f"x has {sizes['C']} channels, which do not make {groups} equal groups; try groups=1")
    gamma, beta = (v.astype(x.dtype, copy=False)[..., None, None] for v in (gamma, beta))
    _fits(x, gamma=gamma, beta=beta)
    rows = x.reshape(*x.shape[:-3], groups, -1)
    centred = rows - rows.mean(axis=-1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps)
    x_hat = (centred * scale).reshape(x.shape)
    out = gamma * x_hat + beta
    return out, (x_hat, scale, gamma, beta, out.shape)


@in_float32
def group_norm_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Gradients of group normalization: those of `layer_norm_backward`, with a group as the example.

    With $g = d\text{out}\, \gamma$ and means over the entries of a group,

    $$dx = \frac{1}{\sqrt{\sigma^2 + \epsilon}} \big(g - \overline{g} - \hat x\, \overline{g \hat x}\big)$$

    Parameters
    ----------
    dout : (..., N, C, H, W) gradient of the loss with respect to out
    cache : what `group_norm_forward` gave

    Returns
    -------
    dx, dgamma, dbeta : each of the shape of x, gamma, beta

    >>> out, cache = group_norm_forward(np.ones((2, 6, 4, 4)), np.ones(6), np.zeros(6), groups=3)
    >>> [g.shape for g in group_norm_backward(np.ones((2, 6, 4, 4)), cache)]
    [(2, 6, 4, 4), (6,), (6,)]
    """
    x_hat, scale, gamma, beta, out_shape = cache
    _checks.gradient(dout, out_shape)
    groups = scale.shape[-2]
    g = (dout * gamma).reshape(*out_shape[:-3], groups, -1)
    rows = x_hat.reshape(*x_hat.shape[:-3], groups, -1)
    dx = scale * (g - g.mean(axis=-1, keepdims=True) - rows * (g * rows).mean(axis=-1, keepdims=True))
    dgamma, dbeta = sum_to(dout * x_hat, gamma.shape), sum_to(dout, beta.shape)
    return sum_to(dx.reshape(out_shape), x_hat.shape), dgamma[..., 0, 0], dbeta[..., 0, 0]


def _fits(x, **vectors):
    """Refuse scales and shifts that do not broadcast with x."""
    try:
        np.broadcast_shapes(x.shape, *(vector.shape for vector in vectors.values()))
    except ValueError:
        shapes = " and ".join(f"{name} {vector.shape}" for name, vector in vectors.items())
        raise ShapeError(
            f"{shapes} do not fit x {x.shape}; expected one number a feature, or with run axes (..., 1, features)"
        ) from None


@forward_in_float32
def local_response_norm_forward(
    x: np.ndarray, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0
) -> tuple[np.ndarray, tuple]:
    r"""Local response normalization across channels (Krizhevsky et al. 2012, section 3.3).

    $$\text{out}_c = x_c \left(k + \alpha \sum_{j = \max(0,\, c - n/2)}^{\min(C - 1,\, c + n/2)} x_j^2\right)^{-\beta}$$

    A strong response holds down those of the n neighbouring channels at the same pixel.

    The constants are the AlexNet paper's, and alpha multiplies the sum as it does there. PyTorch divides alpha by
    `size` and has k = 1: `torch.nn.LocalResponseNorm(size, alpha * size, beta, k)` gives the same numbers as this.
    TensorFlow multiplies the sum as here, but its `depth_radius` is n/2. For an even size the window has one channel
    more below than above, as in PyTorch.

    Parameters
    ----------
    x : (..., C, H, W) float
    size : number of channels n in the window
    alpha, beta : strength >= 0 and exponent >= 0
    k : offset > 0, which keeps the power finite where all is 0

    Returns
    -------
    out : the shape and dtype of x
    cache : for `local_response_norm_backward`

    Raises
    ------
    ShapeError, DTypeError, RangeError
        If x has fewer than three axes, or a setting lies outside its range.

    >>> out, cache = local_response_norm_forward(np.full((1, 3, 1, 1), 2.0), size=3, alpha=1.0, beta=1.0, k=0.5)
    >>> out[0, :, 0, 0].round(3)                 # 2 / (0.5 + 8), 2 / (0.5 + 12), 2 / (0.5 + 8)
    array([0.235, 0.16 , 0.235])
    """
    _checks.shape("x (..., C, H, W)", x=x)
    size = _checks.whole("size", size)
    alpha = _checks.number("alpha", alpha, 0)
    beta = _checks.number("beta", beta, 0)
    k = _checks.number("k", k, 0, open_low=True)
    below, above = size // 2, (size - 1) // 2
    s = k + alpha * _channel_window_sum(x * x, below, above)
    factor = s**-beta
    return x * factor, (x, s, factor, below, above, alpha, beta)


@in_float32
def local_response_norm_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of local response normalization.

    With $s_c = k + \alpha \sum_j x_j^2$, channel c takes part in the sum of every i whose window contains it:

    $$dx_c = d\text{out}_c\, s_c^{-\beta} - 2 \alpha \beta\, x_c \sum_{i \ni c} d\text{out}_i\, x_i\, s_i^{-\beta - 1}$$

    Parameters
    ----------
    dout : (..., C, H, W) gradient of the loss with respect to out
    cache : what `local_response_norm_forward` gave

    Returns
    -------
    dx : the shape of x

    >>> out, cache = local_response_norm_forward(np.ones((2, 6, 4, 4)))
    >>> local_response_norm_backward(np.ones((2, 6, 4, 4)), cache).shape
    (2, 6, 4, 4)
    """
    x, s, factor, below, above, alpha, beta = cache
    _checks.gradient(dout, x.shape)
    through_sums = _channel_window_sum(dout * x * factor / s, above, below)  # the window, mirrored
    return dout * factor - 2 * alpha * beta * x * through_sums


def _channel_window_sum(a, below, above):
    """Sum over the channels c - below .. c + above of each channel c; outside there is nothing."""
    channels = a.shape[-3]
    out = np.zeros_like(a)
    for shift in range(-min(below, channels - 1), min(above, channels - 1) + 1):
        to = slice(max(0, -shift), channels - max(0, shift))
        source = slice(max(0, shift), channels + min(0, shift))
        out[..., to, :, :] += a[..., source, :, :]
    return out
