r"""Initializers: draw the first weights of a layer.

Each is `f(rng, shape, ..., dtype=np.float32) -> array`. Numbers are drawn in float64 and then rounded to `dtype`, so
the same generator gives the same network in every precision.

With fan-in $n_\text{in}$ (inputs of one unit) and fan-out $n_\text{out}$ (units that one input feeds):

| initializer | variance of a weight | source |
|---|---|---|
| `normal` | $\sigma^2$ | |
| `lecun_normal` | $1 / n_\text{in}$ | LeCun et al. 1998 |
| `xavier_uniform`, `xavier_normal` | $2 / (n_\text{in} + n_\text{out})$ | Glorot and Bengio 2010 |
| `he_uniform`, `he_normal` | $2 / n_\text{in}$ | He et al. 2015 |
| `orthogonal` | $1 / \max(n_\text{in}, n_\text{out})$ | Saxe et al. 2014 |

A uniform distribution on $[-a, a]$ has variance $a^2/3$, so the uniform forms use $a = \sqrt{3\,\text{variance}}$.

Libraries differ. Keras calls them `GlorotUniform` (its default for dense layers), `GlorotNormal`, `HeNormal`, and
draws its normal forms from a distribution cut off at two standard deviations; here, as in PyTorch, nothing is cut off.
PyTorch reads the fans of a 2-d weight as (out, in), because it keeps dense weights as (M, D); here they are (D, M) and
the fan-in comes first.
"""

from __future__ import annotations

import math

import numpy as np

from . import _checks
from .errors import DTypeError, ShapeError

__all__ = [
    "fans",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "normal",
    "orthogonal",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out of a weight array.

    (D, M), dense: D and M. (F, C, KH, KW), convolution: C*KH*KW and F*KH*KW.

    >>> fans((784, 100)), fans((16, 6, 5, 5))
    ((784, 100), (150, 400))
    """
    shape = _shape(shape)
    if len(shape) == 2:
        return shape
    if len(shape) == 4:
        filters, channels, kernel = shape[0], shape[1], shape[2] * shape[3]
        return channels * kernel, filters * kernel
    raise ShapeError(
        f"shape is {shape}; fan-in and fan-out are known for dense weights (D, M) and filters (F, C, KH, KW) only"
    )


def zeros(rng: np.random.Generator | None, shape: tuple[int, ...], *, dtype=np.float32) -> np.ndarray:
    """All zeros: right for biases, wrong for weights (chapter 05 shows why). The generator is not used.

    >>> zeros(None, (2, 3))
    array([[0., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    return np.zeros(_shape(shape), _dtype(dtype))


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float = 0.01, *, dtype=np.float32) -> np.ndarray:
    r"""Normal with mean 0 and standard deviation `std`, $w \sim \mathcal N(0, \sigma^2)$.

    >>> normal(np.random.default_rng(0), (100, 200), std=0.1).std().round(3)
    np.float32(0.1)
    """
    rng = _checks.generator("rng", rng)
    std = _checks.number("std", std, 0)
    return (std * rng.standard_normal(_shape(shape))).astype(_dtype(dtype))


def _uniform(rng, shape, variance, dtype):
    rng = _checks.generator("rng", rng)
    a = math.sqrt(3 * variance)
    return rng.uniform(-a, a, shape).astype(_dtype(dtype))


def xavier_uniform(
    rng: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0, *, dtype=np.float32
) -> np.ndarray:
    r"""Xavier (Glorot) uniform: on $[-a, a]$ with $a = g \sqrt{6 / (n_\text{in} + n_\text{out})}$.

    Keeps the variance of activations and of gradients about the same from layer to layer where the activation is
    nearly the identity, as tanh is around 0 (Glorot and Bengio 2010, eq. 16). The gain g is 1 in the paper; PyTorch
    suggests 5/3 for tanh.

    >>> w = xavier_uniform(np.random.default_rng(0), (300, 100))
    >>> w.shape, bool(abs(w).max() <= (6 / 400) ** 0.5)
    ((300, 100), True)
    """
    n_in, n_out = fans(shape)
    gain = _checks.number("gain", gain, 0)
    return _uniform(rng, shape, gain**2 * 2 / (n_in + n_out), dtype)


def xavier_normal(
    rng: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0, *, dtype=np.float32
) -> np.ndarray:
    r"""Xavier (Glorot) normal: $\mathcal N(0, g^2 \cdot 2 / (n_\text{in} + n_\text{out}))$ (Glorot and Bengio 2010).

    >>> xavier_normal(np.random.default_rng(0), (300, 500)).std().round(3)        # sqrt(2 / 800) = 0.05
    np.float32(0.05)
    """
    n_in, n_out = fans(shape)
    gain = _checks.number("gain", gain, 0)
    return normal(rng, shape, gain * math.sqrt(2 / (n_in + n_out)), dtype=dtype)


def he_uniform(
    rng: np.random.Generator, shape: tuple[int, ...], *, mode: str = "fan_in", dtype=np.float32
) -> np.ndarray:
    r"""He (Kaiming) uniform: on $[-a, a]$ with $a = \sqrt{6 / n_\text{in}}$ (He et al. 2015, eq. 10).

    PyTorch's `kaiming_uniform_` with `nonlinearity="relu"`; `mode` as for `he_normal`.

    >>> bool(abs(he_uniform(np.random.default_rng(0), (600, 10))).max() <= 0.1)
    True
    """
    return _uniform(rng, shape, 2 / _fan(shape, mode), dtype)


def he_normal(
    rng: np.random.Generator, shape: tuple[int, ...], *, mode: str = "fan_in", dtype=np.float32
) -> np.ndarray:
    r"""He (Kaiming) normal: $\mathcal N(0, 2 / n_\text{in})$ (He et al. 2015, eq. 10).

    The 2 makes up for ReLU, which throws half of the signal's second moment away. `mode="fan_in"`, the default as in
    PyTorch, keeps the size of the signal; `mode="fan_out"`, $2 / n_\text{out}$, that of the gradient (eq. 14).

    >>> he_normal(np.random.default_rng(0), (200, 300)).std().round(2)            # sqrt(2 / 200) = 0.1
    np.float32(0.1)
    """
    return normal(rng, shape, math.sqrt(2 / _fan(shape, mode)), dtype=dtype)


def lecun_normal(rng: np.random.Generator, shape: tuple[int, ...], *, dtype=np.float32) -> np.ndarray:
    r"""LeCun normal: $\mathcal N(0, 1 / n_\text{in})$ (LeCun et al. 1998, section 4.6).

    >>> lecun_normal(np.random.default_rng(0), (100, 300)).std().round(2)         # sqrt(1 / 100) = 0.1
    np.float32(0.1)
    """
    return normal(rng, shape, math.sqrt(1 / fans(shape)[0]), dtype=dtype)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0, *, dtype=np.float32) -> np.ndarray:
    r"""A random (semi-)orthogonal matrix times `gain`: $W^\top W = g^2 I$ or $W W^\top = g^2 I$ (Saxe et al. 2014).

    From the QR decomposition of a normal matrix, with the signs of R's diagonal moved into Q so that every
    orthogonal matrix is equally likely. Filters (F, C, KH, KW) are orthogonal as the matrix (F, C*KH*KW).

    >>> q = orthogonal(np.random.default_rng(0), (4, 3), dtype=np.float64)
    >>> np.allclose(q.T @ q, np.eye(3))
    True
    """
    rng = _checks.generator("rng", rng)
    gain = _checks.number("gain", gain, 0)
    fans(shape)
    rows, cols = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(rng.standard_normal((max(rows, cols), min(rows, cols))))
    q = q * np.sign(np.diag(r))
    return (gain * (q if rows >= cols else q.T)).reshape(shape).astype(_dtype(dtype))


def _fan(shape, mode):
    return fans(shape)[("fan_in", "fan_out").index(_checks.choice("mode", mode, ("fan_in", "fan_out")))]


def _shape(shape):
    if not isinstance(shape, (tuple, list)) or not shape:
        raise ShapeError(f"shape is {shape!r}, but must be a tuple of axis lengths such as (784, 100)")
    return tuple(_checks.whole("every axis length in shape", n, 1) for n in shape)


def _dtype(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise DTypeError(f"dtype is {dtype}, but weights are floats: np.float32 or np.float64")
    return dtype
