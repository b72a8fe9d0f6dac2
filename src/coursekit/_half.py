"""float16: functions that add up many numbers are computed in float32, as PyTorch does on a CPU.

A sum of float16 overflows at 65504, and so does a count: `gradient / 70000` would be a division by infinity.
"""

from __future__ import annotations

import functools

import numpy as np

from .errors import NotFiniteError

__all__ = ["forward_in_float32", "in_float32"]


def _is_half(value):
    return isinstance(value, np.ndarray) and value.dtype.char == "e"


def _up(value):
    if isinstance(value, dict):  # running statistics
        return {name: _up(part) for name, part in value.items()}
    return value.astype(np.float32) if _is_half(value) else value


def _down(value):
    if not isinstance(value, (np.ndarray, np.float32)):
        return value
    with np.errstate(over="ignore"):  # what float16 cannot say is infinite
        half = value.astype(np.float16)
    if np.ndim(half) == 0 and np.isinf(half) and np.isfinite(value):
        raise NotFiniteError(
            f"the result is {value:.4g}, more than float16 can say (65504); give float32 arrays: x.astype(np.float32)"
        )
    return half


def in_float32(function):
    """The function with float16 arrays computed in float32; all that it returns comes back as float16.

    The first argument decides. A single number, such as a loss, that float16 cannot say is refused.
    """

    @functools.wraps(function)
    def computed(*args, **keywords):
        if not _is_half(args[0] if args else next(iter(keywords.values()), None)):
            return function(*args, **keywords)
        result = function(*map(_up, args), **_up(keywords))
        return tuple(map(_down, result)) if isinstance(result, tuple) else _down(result)

    return computed


def forward_in_float32(function):
    """The same for a forward function: its outputs come back as float16, its cache and statistics stay float32."""

    @functools.wraps(function)
    def computed(*args, **keywords):
        if not _is_half(args[0] if args else next(iter(keywords.values()), None)):
            return function(*args, **keywords)
        results = function(*map(_up, args), **_up(keywords))
        return tuple(_down(part) if isinstance(part, np.ndarray) else part for part in results)

    return computed
