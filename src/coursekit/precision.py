r"""Numbers of 16 bits: bfloat16, which NumPy does not have, and the loss scaling that float16 gradients need.

| dtype | bits: sign, exponent, fraction | largest | smallest normal | step at 1 |
|---|---|---|---|---|
| float32 | 1, 8, 23 | 3.4e38 | 1.2e-38 | 1.2e-7 |
| bfloat16 | 1, 8, 7 | 3.4e38 | 1.2e-38 | 7.8e-3 |
| float16 | 1, 5, 10 | 65504 | 6.1e-5 | 9.8e-4 |

In mixed precision the products of matrices are computed with 16 bits, while the weights are kept and updated in
float32 (Micikevicius et al. 2018): a step of a thousandth would be lost in a bfloat16 weight.
"""

from __future__ import annotations

import numpy as np

from . import _checks
from .trees import map_leaves

__all__ = ["round_bfloat16", "through_float16"]


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
