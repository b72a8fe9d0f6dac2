r"""Numbers of 16 and 8 bits that NumPy does not have, and the scaling that short numbers need.

| dtype | bits: sign, exponent, fraction | largest | smallest normal | smallest of all | step at 1 |
|---|---|---|---|---|---|
| float32 | 1, 8, 23 | 3.4e38 | 1.2e-38 | 1.4e-45 | 1.2e-7 |
| bfloat16 | 1, 8, 7 | 3.4e38 | 1.2e-38 | 9.2e-41 | 7.8e-3 |
| float16 | 1, 5, 10 | 65504 | 6.1e-5 | 6.0e-8 | 9.8e-4 |
| float8, E4M3 | 1, 4, 3 | 448 | 1.6e-2 | 2.0e-3 | 1/8 |
| float8, E5M2 | 1, 5, 2 | 57344 | 6.1e-5 | 1.5e-5 | 1/4 |

In mixed precision the products of matrices are computed with 16 or 8 bits, while the weights are kept and updated in
float32 (Micikevicius et al. 2018): a step of a thousandth would be lost in a bfloat16 weight. With 8 bits each array
has a scale of its own, E4M3 serves weights and activations, E5M2 gradients (Micikevicius et al. 2022).
"""

from __future__ import annotations

import numpy as np

from . import _checks
from .errors import NotFiniteError
from .trees import map_leaves

__all__ = ["round_bfloat16", "round_float8", "through_float8", "through_float16"]

# kind: (bits of the fraction p, exponent of the smallest normal number, largest number, what larger ones become)
_FLOAT8 = {"e4m3": (3, -6, 448.0, 448.0), "e5m2": (2, -14, 57344.0, np.inf)}


def round_bfloat16(x: np.ndarray) -> np.ndarray:
    """The nearest numbers that bfloat16 has, as float32; a tie goes to the even one.

    bfloat16 is the upper half of a float32, so rounding is done on whole numbers. The same as
    `torch.tensor(x).bfloat16().float()`. NaN stays NaN; what is nearer to infinity than to the largest number becomes
    infinite.

    >>> round_bfloat16(np.array([1.0, 1.001, 1.01], np.float32)).tolist()
    [1.0, 1.0, 1.0078125]
    """
    _checks.float_array("x", x)
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))  # half of the last place; to even where it ties
    rounded = ((bits + half) & np.uint32(0xFFFF0000)).view(np.float32)
    return np.where(np.isnan(x), np.float32(np.nan), rounded)


def through_float16(grads, scale: float = 1.0):
    r"""Gradients as they come out of a backward pass in float16 with loss scaling.

    The loss is multiplied by $S$ before the backward pass and the gradients are divided by $S$ after it:
    $\tilde g = \operatorname{float16}(S g) / S$. Without scaling ($S = 1$) entries below 3e-8 become 0; with too large
    an $S$ others become infinite, and the step must be left out. `torch.amp.GradScaler` does this, and looks for S by
    itself.

    Parameters
    ----------
    grads : dict or array of float32
    scale : $S > 0$, a power of two, so that scaling itself rounds nothing

    >>> g = np.array([1e-8], np.float32)
    >>> float(through_float16(g)[0]), round(float(through_float16(g, 1024.0)[0]), 10)
    (0.0, 1e-08)
    """
    scale = _checks.number("scale", scale, 0, open_low=True)

    def rounded(g):
        _checks.float_array("a gradient", g)
        with np.errstate(over="ignore", under="ignore"):
            return ((g * np.float32(scale)).astype(np.float16).astype(np.float32) / np.float32(scale)).astype(g.dtype)

    return map_leaves(rounded, grads)


def round_float8(x: np.ndarray, kind: str = "e4m3") -> np.ndarray:
    r"""The nearest numbers that a float of 8 bits has, as float32; a tie goes to the even one.

    $$\tilde x = q \operatorname{rint}(x / q), \qquad q = 2^{\max(\lfloor \log_2 |x| \rfloor,\, e_\text{min}) - p}$$

    with $p$ bits of fraction and $2^{e_\text{min}}$ the smallest normal number. The same as
    `torch.tensor(x).to(torch.float8_e4m3fn).float()`, or `float8_e5m2`. What would be rounded to more than the largest
    number becomes infinite in E5M2. E4M3 has no infinity, so it becomes the largest number, 448 (in older versions of
    PyTorch NaN). A float64 is rounded to float32 first.

    Parameters
    ----------
    x : float array of any shape
    kind : "e4m3", 4 bits of exponent and 3 of fraction, or "e5m2", with more range and fewer digits

    >>> round_float8(np.array([1.0, 1.05, 1.1, 300.0, 1000.0, 0.0009])).tolist()
    [1.0, 1.0, 1.125, 288.0, 448.0, 0.0]
    >>> round_float8(np.array([1.1, 1000.0, 1e6]), "e5m2").tolist()
    [1.0, 1024.0, inf]
    """
    _checks.float_array("x", x)
    bits, lowest, largest, beyond = _FLOAT8[_checks.choice("kind", kind, _FLOAT8)]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        x = np.asarray(x, dtype=np.float32)
        exponent = np.maximum(np.frexp(x)[1] - 1, lowest) - bits  # of q: frexp gives x as a half to one, times 2^k
        rounded = np.ldexp(np.rint(np.ldexp(x, -exponent)), exponent)
        return np.where(np.abs(rounded) > largest, np.copysign(np.float32(beyond), x), rounded)


def through_float8(x: np.ndarray, kind: str = "e4m3") -> np.ndarray:
    r"""An array as it comes back from 8 bits with a scale of its own: $\tilde x = \operatorname{float8}(S x) / S$.

    $S$ is the largest power of two for which $S \max |x|$ is still a number of that kind. Without it most gradients,
    and many weights, would be 0. All entries share the scale, so what is far smaller than the largest is still lost.

    Parameters
    ----------
    x : float array of any shape, finite
    kind : as for `round_float8`

    Returns
    -------
    of the shape and dtype of x

    >>> x = np.array([1e-6, 2.2e-5, 1e-4], np.float32)
    >>> round_float8(x).tolist()
    [0.0, 0.0, 0.0]
    >>> [float(f"{v:.2g}") for v in through_float8(x)]
    [9.5e-07, 2.3e-05, 9.9e-05]
    """
    _checks.float_array("x", x)
    _, _, largest, _ = _FLOAT8[_checks.choice("kind", kind, _FLOAT8)]
    most = np.abs(x).max(initial=0.0)
    if not np.isfinite(most):
        raise NotFiniteError("x contains NaN or infinity; its largest entry is to set the scale")
    power = np.floor(np.log2(largest / most)) if most else 0.0
    scale = 2.0 ** np.clip(power, -100, 100)
    return (round_float8((x * scale).astype(np.float32), kind) / scale).astype(x.dtype)
