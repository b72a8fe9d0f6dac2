r"""Activation functions: each maps an array of any shape entry by entry (maxout and softmax say which axis).

`x_forward(x) -> (out, cache)` and `x_backward(dout, cache) -> dx`; the cache is what the backward pass needs and
nothing else. The dtype that comes in goes out, inputs are never changed, and NaN passes through.

| function | formula | derivative | source |
|---|---|---|---|
| sigmoid | $1 / (1 + e^{-x})$ | $s (1 - s)$ | |
| tanh | $\tanh x$ | $1 - t^2$ | LeCun et al. 1998 |
| ReLU | $\max(0, x)$ | $1$ if $x > 0$ else $0$ | Nair and Hinton 2010 |
| leaky ReLU | $x$ if $x > 0$ else $a x$ | $1$ or $a$ | Maas et al. 2013 |
| ELU | $x$ if $x > 0$ else $\alpha (e^x - 1)$ | $1$ or $\alpha e^x$ | Clevert et al. 2016 |
| maxout | $\max_j x_j$ over $k$ pieces | 1 for the largest piece | Goodfellow et al. 2013 |
| GELU | $x \Phi(x)$ | $\Phi(x) + x \varphi(x)$ | Hendrycks and Gimpel 2016 |
| SiLU | $x \sigma(x)$ | $s (1 + x (1 - s))$ | Elfwing et al. 2018 |
| softplus | $\log(1 + e^x)$ | $\sigma(x)$ | Dugas et al. 2001 |
| PReLU | leaky ReLU with a learnt $a$ | $1$ or $a$ | He et al. 2015 |
| GLU | $x_1 \odot g(x_2)$, two halves | by the product rule | Dauphin et al. 2017, Shazeer 2020 |
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from . import _checks
from ._erf import erf
from ._runs import sum_to
from .errors import NotFiniteError, ShapeError

__all__ = [
    "elu_backward",
    "elu_forward",
    "gelu_backward",
    "gelu_forward",
    "glu_backward",
    "glu_forward",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "log_softmax",
    "maxout_backward",
    "maxout_forward",
    "prelu_backward",
    "prelu_forward",
    "relu6_backward",
    "relu6_forward",
    "relu_backward",
    "relu_forward",
    "selu_backward",
    "selu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "silu_backward",
    "silu_forward",
    "softmax",
    "softplus_backward",
    "softplus_forward",
    "tanh_backward",
    "tanh_forward",
]


def sigmoid_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Logistic sigmoid, $\sigma(x) = 1 / (1 + e^{-x})$, into (0, 1).

    Where $e^{-x}$ is too large for the dtype it counts as infinite, and $1 / \infty$ is the 0 that it should be. The
    same as `torch.sigmoid`.

    Parameters
    ----------
    x : array of any shape, float

    Returns
    -------
    out : same shape and dtype as x
    cache : for `sigmoid_backward`

    Raises
    ------
    DTypeError
        If x is not a NumPy array of floats.

    >>> out, cache = sigmoid_forward(np.array([[-1000.0, 0.0, 1000.0]]))
    >>> out
    array([[0. , 0.5, 1. ]])
    """
    _checks.float_array("x", x)
    with np.errstate(over="ignore"):
        out = 1 / (1 + np.exp(-x))
    return out, out


def sigmoid_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of the sigmoid: $\partial L/\partial x = \partial L/\partial s \cdot s (1 - s)$, at most a quarter.

    >>> _, cache = sigmoid_forward(np.zeros(3))
    >>> sigmoid_backward(np.ones(3), cache)
    array([0.25, 0.25, 0.25])
    """
    s = cache
    _checks.gradient(dout, s.shape)
    return dout * s * (1 - s)


def tanh_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Hyperbolic tangent, into (-1, 1), centred on zero.

    >>> out, cache = tanh_forward(np.array([-1.0, 0.0, 1.0]))
    >>> out.round(3)
    array([-0.762,  0.   ,  0.762])
    """
    _checks.float_array("x", x)
    out = np.tanh(x)
    return out, out


def tanh_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of tanh: $\partial L/\partial x = \partial L/\partial t \cdot (1 - t^2)$.

    >>> _, cache = tanh_forward(np.zeros(2))
    >>> tanh_backward(np.array([2.0, -3.0]), cache)
    array([ 2., -3.])
    """
    t = cache
    _checks.gradient(dout, t.shape)
    return dout * (1 - t * t)


def relu_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Rectified linear unit, $\max(0, x)$ (Nair and Hinton 2010).

    The cache is the mask $x > 0$. At exactly 0 the derivative is taken as 0, as in PyTorch.

    >>> out, mask = relu_forward(np.array([-2.0, 0.0, 3.0]))
    >>> out, mask
    (array([0., 0., 3.]), array([False, False,  True]))
    """
    _checks.float_array("x", x)
    return np.maximum(x, 0), x > 0


def relu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of ReLU: passes where the input was positive, 0 elsewhere.

    >>> _, mask = relu_forward(np.array([-2.0, 0.0, 3.0]))
    >>> relu_backward(np.array([5.0, 6.0, 7.0]), mask)
    array([0., 0., 7.])
    """
    mask = cache
    _checks.gradient(dout, mask.shape)
    return dout * mask


def relu6_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""ReLU with a ceiling, $\min(\max(0, x), 6)$ (Krizhevsky 2010; MobileNet uses it).

    A bounded output loses less when it is stored in few bits. The cache is the mask $0 < x < 6$. The same as
    `torch.nn.functional.relu6`.

    >>> out, mask = relu6_forward(np.array([-2.0, 3.0, 7.0]))
    >>> out, mask
    (array([0., 3., 6.]), array([False,  True, False]))
    """
    _checks.float_array("x", x)
    return np.clip(x, 0, 6), (x > 0) & (x < 6)


def relu6_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of ReLU6: passes where the input was between 0 and 6, 0 elsewhere.

    >>> _, mask = relu6_forward(np.array([-2.0, 3.0, 7.0]))
    >>> relu6_backward(np.array([5.0, 6.0, 7.0]), mask)
    array([0., 6., 0.])
    """
    return relu_backward(dout, cache)


def leaky_relu_forward(x: np.ndarray, slope: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    r"""Leaky ReLU, $x$ for $x > 0$ and $a x$ otherwise, with slope $a$ (Maas et al. 2013).

    $0 \le a \le 1$. `slope=0.01` as in PyTorch; `tf.nn.leaky_relu` has 0.2. The cache: 1 or $a$, the local derivative.

    >>> out, cache = leaky_relu_forward(np.array([-2.0, 0.0, 3.0]), slope=0.1)
    >>> out
    array([-0.2,  0. ,  3. ])
    """
    _checks.float_array("x", x)
    slope = _checks.number("slope", slope, 0, 1)
    local = np.maximum(x > 0, x.dtype.type(slope))
    return x * local, local


def leaky_relu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of leaky ReLU: the upstream gradient times 1 or $a$.

    >>> _, cache = leaky_relu_forward(np.array([-2.0, 0.0, 3.0]), slope=0.1)
    >>> leaky_relu_backward(np.array([10.0, 10.0, 10.0]), cache)
    array([ 1.,  1., 10.])
    """
    local = cache
    _checks.gradient(dout, local.shape)
    return dout * local


def elu_forward(x: np.ndarray, alpha: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    r"""Exponential linear unit, $x$ for $x > 0$ and $\alpha (e^x - 1)$ otherwise (Clevert et al. 2016).

    Falls smoothly towards $-\alpha$, so that mean activations come nearer to 0. The cache is the local derivative, 1 or
    $\alpha e^x$; at exactly 0 it is $\alpha$, as in PyTorch.

    >>> out, cache = elu_forward(np.array([-1000.0, -1.0, 0.0, 3.0]))
    >>> out.round(4)
    array([-1.    , -0.6321,  0.    ,  3.    ])
    """
    _checks.float_array("x", x)
    alpha = _checks.number("alpha", alpha, 0)
    negative = alpha * np.expm1(np.minimum(x, 0))
    local = (x > 0) + (x <= 0) * (negative + alpha)
    return np.maximum(x, 0) + negative, local


def elu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of ELU: the upstream gradient times 1 or $\alpha e^x$.

    >>> _, cache = elu_forward(np.array([-1.0, 3.0]))
    >>> elu_backward(np.array([1.0, 1.0]), cache).round(4)
    array([0.3679, 1.    ])
    """
    local = cache
    _checks.gradient(dout, local.shape)
    return dout * local


# The two numbers for which a standard normal input gives outputs of mean 0 and variance 1.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def selu_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Scaled exponential linear unit: ELU with two fixed numbers (Klambauer et al. 2017).

    $$f(x) = \lambda \begin{cases} x & x > 0 \\ \alpha\,(e^x - 1) & x \le 0, \end{cases} \qquad
    \lambda \approx 1.0507, \quad \alpha \approx 1.6733$$

    Both are chosen so that for $z \sim \mathcal N(0, 1)$ the outputs have mean 0 and variance 1. The same as
    `torch.nn.functional.selu`. The cache is the local derivative, $\lambda$ or $\lambda \alpha e^x$.

    >>> out, cache = selu_forward(np.array([-1000.0, -1.0, 0.0, 1.0]))
    >>> out.round(4)
    array([-1.7581, -1.1113,  0.    ,  1.0507])
    """
    out, local = elu_forward(x, SELU_ALPHA)
    scale = x.dtype.type(SELU_SCALE)
    with np.errstate(over="ignore"):  # 5 % more than the largest number is infinite
        return scale * out, scale * local


def selu_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of SELU: the upstream gradient times $\lambda$ or $\lambda \alpha e^x$.

    >>> _, cache = selu_forward(np.array([-1.0, 3.0]))
    >>> selu_backward(np.ones(2), cache).round(4)
    array([0.6468, 1.0507])
    """
    return elu_backward(dout, cache)


def maxout_forward(x: np.ndarray, pieces: int) -> tuple[np.ndarray, tuple]:
    r"""Maxout: the largest of every `pieces` neighbours along the last axis (Goodfellow et al. 2013).

    $$\text{out}_d = \max_{0 \le j < k} x_{k d + j}$$

    After an affine layer with $k D$ outputs this is the maximum of $k$ affine functions, a convex activation that is
    learnt. Where pieces tie, the first one counts as the largest, as in `torch.max`.

    Parameters
    ----------
    x : (..., D * pieces)
    pieces : $k$

    Returns
    -------
    out : (..., D)
    cache : for `maxout_backward`

    Raises
    ------
    ShapeError
        If the last axis cannot be divided into groups of `pieces`.

    >>> out, cache = maxout_forward(np.array([[1.0, 5.0, -2.0, -3.0]]), pieces=2)
    >>> out
    array([[ 5., -2.]])
    """
    _checks.float_array("x", x)
    pieces = _checks.whole("pieces", pieces)
    if x.ndim == 0 or x.shape[-1] == 0 or x.shape[-1] % pieces:
        raise ShapeError(
            f"x has shape {x.shape}, but maxout with pieces={pieces} needs x (..., D * {pieces}): a last axis that "
            f"is a multiple of {pieces}"
        )
    groups = x.reshape(*x.shape[:-1], -1, pieces)
    winner = groups.argmax(axis=-1)[..., None]
    return np.take_along_axis(groups, winner, -1)[..., 0], (winner, pieces)


def maxout_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of maxout: all of it goes to the largest piece.

    >>> _, cache = maxout_forward(np.array([[1.0, 5.0, -2.0, -3.0]]), pieces=2)
    >>> maxout_backward(np.array([[10.0, 20.0]]), cache)
    array([[ 0., 10., 20.,  0.]])
    """
    winner, pieces = cache
    _checks.gradient(dout, winner.shape[:-1])
    dx = np.zeros((*dout.shape, pieces), dout.dtype)
    np.put_along_axis(dx, winner, dout[..., None], -1)
    return dx.reshape(*dout.shape[:-1], -1)


def gelu_forward(x: np.ndarray) -> tuple[np.ndarray, tuple]:
    r"""Gaussian error linear unit, $x \Phi(x)$ (Hendrycks and Gimpel 2016).

    $\Phi(x) = \frac12 (1 + \text{erf}(x / \sqrt2))$ is the share of a standard normal distribution below $x$. This is
    the exact form, PyTorch's default; GPT-2 and others take a tanh that differs by up to 5e-4.

    >>> out, cache = gelu_forward(np.array([-1.0, 0.0, 1.0]))
    >>> out.round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    _checks.float_array("x", x)
    phi = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return x * phi, (x, phi)


def gelu_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of GELU: $\Phi(x) + x \varphi(x)$ with the normal density $\varphi(x) = e^{-x^2/2} / \sqrt{2\pi}$.

    >>> _, cache = gelu_forward(np.array([0.0, 1.0]))
    >>> gelu_backward(np.ones(2), cache).round(4)
    array([0.5   , 1.0833])
    """
    x, phi = cache
    _checks.gradient(dout, x.shape)
    with np.errstate(over="ignore"):
        density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return dout * (phi + x * density)


def silu_forward(x: np.ndarray) -> tuple[np.ndarray, tuple]:
    r"""Sigmoid linear unit or swish, $x \sigma(x)$ (Elfwing et al. 2018).

    >>> out, cache = silu_forward(np.array([-1.0, 0.0, 1.0]))
    >>> out.round(4)
    array([-0.2689,  0.    ,  0.7311])
    """
    s, _ = sigmoid_forward(x)
    return x * s, (x, s)


def silu_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of SiLU: $s (1 + x (1 - s))$ with $s = \sigma(x)$.

    >>> _, cache = silu_forward(np.array([0.0, 1.0]))
    >>> silu_backward(np.ones(2), cache).round(4)
    array([0.5   , 0.9277])
    """
    x, s = cache
    _checks.gradient(dout, x.shape)
    return dout * (s * (1 + x * (1 - s)))


def softplus_forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Softplus, $\log(1 + e^x)$: a ReLU without a corner, always positive (Dugas et al. 2001).

    Computed as $\max(x, 0) + \log(1 + e^{-|x|})$, in which nothing overflows. The same as
    `torch.nn.functional.softplus`, which cuts over to x above 20. The cache is $\sigma(x)$, the local derivative.

    >>> out, cache = softplus_forward(np.array([-1000.0, 0.0, 2.0]))
    >>> out.round(4)
    array([0.    , 0.6931, 2.1269])
    """
    s, _ = sigmoid_forward(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), s


def softplus_backward(dout: np.ndarray, cache: np.ndarray) -> np.ndarray:
    r"""Gradient of softplus: the upstream gradient times $\sigma(x)$.

    >>> _, cache = softplus_forward(np.zeros(2))
    >>> softplus_backward(np.array([2.0, -4.0]), cache)
    array([ 1., -2.])
    """
    _checks.gradient(dout, cache.shape)
    return dout * cache


def prelu_forward(x: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, tuple]:
    r"""Parametric ReLU: leaky ReLU whose slope on the negative side is learnt, one a unit (He et al. 2015).

    $$f(x)_{nd} = \begin{cases} x_{nd} & x_{nd} > 0 \\ a_d\, x_{nd} & x_{nd} \le 0 \end{cases}$$

    `torch.nn.functional.prelu` for inputs (N, D); its layer starts with slopes of 0.25, and has one for all units
    unless told how many.

    Parameters
    ----------
    x : (..., N, D) float
    slope : (D,) or (1,) float, learnt; with run axes (..., 1, D)

    Returns
    -------
    out : of the shape of x
    cache : for `prelu_backward`

    >>> out, cache = prelu_forward(np.array([[-2.0, -2.0], [3.0, 3.0]]), np.array([0.25, 0.5]))
    >>> out
    array([[-0.5, -1. ],
           [ 3. ,  3. ]])
    """
    d = _checks.shape("x (..., N, D), slope (..., K)", x=x, slope=slope)
    if d["K"] not in (1, d["D"]) or (slope.ndim > 1 and slope.shape[-2] != 1):
        raise ShapeError(
            f"slope has shape {slope.shape}, but x has shape {x.shape}; expected one slope a unit, ({d['D']},), or (1,)"
        )
    return np.where(x > 0, x, slope.astype(x.dtype) * x), (x, slope)


def prelu_backward(dout: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray]:
    r"""Gradients of PReLU: (dx, dslope).

    $$\frac{\partial L}{\partial x_{nd}} = \text{dout}_{nd} \cdot (1 \text{ or } a_d), \qquad
    \frac{\partial L}{\partial a_d} = \sum_n \text{dout}_{nd} \min(0, x_{nd})$$

    >>> _, cache = prelu_forward(np.array([[-2.0, 1.0]]), np.array([0.25, 0.25]))
    >>> prelu_backward(np.array([[10.0, 10.0]]), cache)
    (array([[ 2.5, 10. ]]), array([-20.,   0.]))
    """
    x, slope = cache
    _checks.gradient(dout, x.shape)
    return dout * np.where(x > 0, 1, slope).astype(x.dtype), sum_to(dout * np.minimum(x, 0), slope.shape)


def glu_forward(x: np.ndarray, gate: str = "silu") -> tuple[np.ndarray, tuple]:
    r"""Gated linear unit: the first half of the last axis times a gate made of the second half.

    $$\text{out} = x_1 \odot g(x_2), \qquad x = [x_1, x_2]$$

    With `gate="sigmoid"` this is the GLU of Dauphin et al. 2017 and of `torch.nn.functional.glu`; with `"gelu"` and
    `"silu"` it is GeGLU and SwiGLU (Shazeer 2020), which most large language models use. PyTorch has no function for
    those two: write `F.silu(gate) * value`. Like maxout it needs a dense layer with twice as many outputs before it.

    Parameters
    ----------
    x : (..., 2 D) float
    gate : "sigmoid", "gelu" or "silu"

    Returns
    -------
    out : (..., D)
    cache : for `glu_backward`

    Raises
    ------
    ShapeError
        If the last axis is odd.

    >>> out, cache = glu_forward(np.array([[2.0, 3.0, 0.0, 0.0]]), gate="sigmoid")
    >>> out
    array([[1. , 1.5]])
    """
    _checks.float_array("x", x)
    forward, _ = _GATES[_checks.choice("gate", gate, _GATES)]
    if x.ndim == 0 or x.shape[-1] == 0 or x.shape[-1] % 2:
        raise ShapeError(
            f"x has shape {x.shape}, but a gated unit needs x (..., 2 D): as many gates as values along the last axis"
        )
    value, gates = np.split(x, 2, axis=-1)
    opened, cache = forward(gates)
    with np.errstate(over="ignore"):  # a product too large for the dtype is infinite
        return value * opened, (value, opened, cache, gate)


def glu_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of a gated unit, by the product rule.

    $$\text{dx} = [\text{dout} \odot g(x_2),\; \text{dout} \odot x_1 \odot g'(x_2)]$$

    >>> _, cache = glu_forward(np.array([[2.0, 0.0]]), gate="sigmoid")
    >>> glu_backward(np.array([[1.0]]), cache)
    array([[0.5, 0.5]])
    """
    value, opened, gates, gate = cache
    _checks.gradient(dout, value.shape)
    _, backward = _GATES[gate]
    with np.errstate(over="ignore"):
        return np.concatenate([dout * opened, backward(dout * value, gates)], axis=-1)


_GATES: dict[str, tuple[Callable, Callable]] = {
    "sigmoid": (sigmoid_forward, sigmoid_backward),
    "gelu": (gelu_forward, gelu_backward),
    "silu": (silu_forward, silu_backward),
}


def softmax(x: np.ndarray) -> np.ndarray:
    r"""Probabilities from scores along the last axis, $p_i = e^{x_i} / \sum_j e^{x_j}$.

    The largest score of each row is subtracted first; that cancels in the quotient and keeps $e^x$ from overflowing.

    Parameters
    ----------
    x : (..., C) scores, float; a score of -inf marks a class that is not allowed

    Returns
    -------
    (..., C) non-negative, each row sums to 1; 0 where a class is not allowed

    Raises
    ------
    NotFiniteError
        If x contains NaN or +inf, or a row in which no class is allowed.

    >>> softmax(np.array([[1000.0, 1000.0], [0.0, -1e4]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    e = np.exp(_shifted(x))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    r"""Logarithm of `softmax`, $x_i - \log \sum_j e^{x_j}$, without taking the logarithm of a rounded 0.

    >>> log_softmax(np.array([[0.0, -1e4]]))
    array([[     0., -10000.]])
    """
    z = _shifted(x)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))  # -inf stays -inf


def _shifted(x):
    _checks.float_array("x", x)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ShapeError(f"x has shape {x.shape}; softmax needs scores along the last axis, x (..., C)")
    largest = x.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():  # NaN is the largest of its row
        row = tuple(int(i) for i in np.argwhere(~np.isfinite(largest[..., 0]))[0])
        if largest[row][0] == -np.inf:
            raise NotFiniteError(f"x{list(row) if row else ''} is -inf for every class, so none is allowed")
        at = int(np.argmax(~np.isfinite(x[row]) & (x[row] != -np.inf)))
        raise NotFiniteError(
            f"x contains {x[row][at]} at index {(*row, at)}; expected finite numbers, or -inf for a class that is not "
            "allowed; the scores of a network become NaN or infinite when training diverges"
        )
    with np.errstate(over="ignore"):  # a difference too large for the dtype becomes -inf, and its exponential 0
        return x - largest
