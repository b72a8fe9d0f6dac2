"""Run axes: the axes in front of the batch axis, along which many networks are computed in one pass."""

from __future__ import annotations

from math import prod

import numpy as np

from .errors import ShapeError


def run_axes(**parts: tuple[np.ndarray, int]) -> tuple[int, ...]:
    """The common run axes of `name=(array, number of axes that are not run axes)`.

    A parameter vector, which has one axis for a single run, is (..., 1, D) with runs: name it with a 1, and its
    axis of length 1 is checked and left out.
    """
    shapes = {}
    for name, (array, own) in parts.items():
        lead = array.shape[: array.ndim - own]
        if own == 1 and lead:
            if lead[-1] != 1:
                raise ShapeError(
                    f"{name} has shape {array.shape}; with run axes it is (..., 1, {array.shape[-1]}): one row for "
                    f"the whole batch, try {name}[:, None, :]"
                )
            lead = lead[:-1]
        shapes[name] = lead
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise ShapeError(f"the run axes do not fit together: {listed}; they must be equal, 1 or left out") from None


def sum_to(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum `gradient` over the axes along which an array of `shape` was repeated.

    >>> sum_to(np.ones((7, 1, 2)), (2,))
    array([7., 7.])
    """
    if gradient.shape == shape:
        return gradient
    if gradient.size == prod(shape):  # only axes of length 1 differ
        return gradient.reshape(shape)
    extra = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(extra)))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=repeated, keepdims=True)
