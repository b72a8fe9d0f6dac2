r"""Losses: each compares predictions with the truth and returns `(mean loss, gradient of the first argument)`.

The loss is a mean over the batch. With run axes in front of the batch axis there is one loss a run, shape (...,),
and a run's gradient is that of its own loss.
"""

from __future__ import annotations

import numpy as np

from . import _checks
from .errors import NotFiniteError

__all__ = ["mean_squared_error", "softmax_cross_entropy"]


def softmax_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Cross-entropy of softmax probabilities with the true classes, in nats.

    $$L = -\frac1N \sum_n \log p_{n, y_n}, \qquad p = \text{softmax}(\text{scores}), \qquad
    \frac{\partial L}{\partial \text{scores}_{nc}} = \frac1N (p_{nc} - [c = y_n])$$

    Computed from $\log\sum\exp$, so scores of ±1e4 are no trouble. The same as
    `torch.nn.functional.cross_entropy(scores, labels)`.

    Parameters
    ----------
    scores : (..., N, C) float
    labels : (N,) or (..., N) whole numbers in [0, C)

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dscores : (..., N, C)

    Raises
    ------
    LabelError
        If a label is not a whole number in [0, C).
    NotFiniteError
        If the loss is not finite and there are no run axes.

    >>> loss, dscores = softmax_cross_entropy(np.zeros((2, 10)), np.array([3, 7]))
    >>> print(f"{loss:.4f} = ln 10", dscores.shape)
    2.3026 = ln 10 (2, 10)
    """
    n, classes = _checks.shape("scores (..., N, C)", scores=scores).values()
    labels = _checks.labels(labels, classes, scores.shape[:-1])[..., None]
    shifted = scores - scores.max(axis=-1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=-1, keepdims=True)
    log_p_true = np.take_along_axis(shifted, labels, -1) - np.log(total)
    loss = -log_p_true[..., 0].mean(axis=-1)
    p /= total
    np.put_along_axis(p, labels, np.take_along_axis(p, labels, -1) - 1, -1)
    p /= n
    return _finite_loss(loss, "scores"), p


def mean_squared_error(pred: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Mean squared error over the batch and the features.

    $$L = \frac{1}{N D} \sum_{nd} (p_{nd} - t_{nd})^2, \qquad
    \frac{\partial L}{\partial p} = \frac{2}{N D} (p - t)$$

    The same as `torch.nn.functional.mse_loss`. Older texts halve it, so that the 2 disappears.

    Parameters
    ----------
    pred : (..., N, D) float
    target : (..., N, D) or (N, D) float

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dpred : (..., N, D)

    >>> loss, dpred = mean_squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    >>> float(loss), dpred
    (2.5, array([[ 1., -2.]]))
    """
    n, d = _checks.shape("pred (..., N, D), target (..., N, D)", pred=pred, target=target).values()
    _checks.finite("target", target)
    error = pred - target.astype(pred.dtype, copy=False)
    _checks.same_shape("target broadcast to runs", error, "pred", pred)
    loss = (error * error).mean(axis=(-1, -2))
    return _finite_loss(loss, "pred"), error * (2 / (n * d))


def _finite_loss(loss, name):
    """Without run axes a NaN or infinite loss is an error; with them it marks the runs that diverged."""
    if loss.ndim == 0 and not np.isfinite(loss):
        raise NotFiniteError(
            f"the loss is {loss}: {name} contains NaN, infinity or numbers too large for {loss.dtype}; "
            "training has diverged (try a smaller learning rate) or the inputs are not finite"
        )
    return loss
