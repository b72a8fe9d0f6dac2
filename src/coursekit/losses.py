r"""Losses: each compares predictions with the truth and returns `(mean loss, gradient of the first argument)`.

The loss is a mean over the batch. With run axes in front of the batch axis there is one loss a run, shape (...,),
and a run's gradient is that of its own loss.
"""

from __future__ import annotations

import math

import numpy as np

from . import _checks
from ._half import in_float32
from .errors import LabelError, NotFiniteError, RangeError, ShapeError

__all__ = [
    "hinge",
    "huber",
    "kl_divergence",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "smooth_labels",
    "soft_cross_entropy",
    "softmax_cross_entropy",
    "weighted_cross_entropy",
]


@in_float32
def softmax_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Cross-entropy of softmax probabilities with the true classes, in nats.

    $$L = -\frac1N \sum_n \log p_{n, y_n}, \qquad p = \text{softmax}(\text{scores}), \qquad
    \frac{\partial L}{\partial \text{scores}_{nc}} = \frac1N (p_{nc} - [c = y_n])$$

    Computed from $\log\sum\exp$, so scores of ±1e4 are no trouble. The same as
    `torch.nn.functional.cross_entropy(scores, labels)`. `train` runs a form with fewer passes, `coursekit.fast.losses`.

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
    labels = _checks.labels(labels, classes, scores.shape[:-1])
    y = labels[..., None] == np.arange(classes)  # one-hot: True at the class of each row
    with _quiet():
        z = scores - scores.max(axis=-1, keepdims=True)
        total = np.exp(z).sum(axis=-1, keepdims=True)
        p, log_p = np.exp(z) / total, z - np.log(total)
        loss = -log_p[y].reshape(labels.shape).mean(axis=-1)
        dscores = (p - y) / n
    return _finite_loss(loss, "scores"), dscores


@in_float32
def sigmoid_cross_entropy(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Cross-entropy of independent yes/no answers, mean over the batch and the answers, in nats.

    $$L = -\frac{1}{N D} \sum_{nd} t_{nd} \log \sigma(x_{nd}) + (1 - t_{nd}) \log(1 - \sigma(x_{nd})), \qquad
    \frac{\partial L}{\partial x} = \frac{1}{N D} (\sigma(x) - t)$$

    Computed as $\max(x, 0) - x t + \log(1 + e^{-|x|})$, which is the same and never takes the logarithm of 0. The same
    as `torch.nn.functional.binary_cross_entropy_with_logits`. Targets in between 0 and 1 are allowed.

    Parameters
    ----------
    logits : (N,) or (..., N, D) float
    targets : (N,), (N, D) or (..., N, D), in [0, 1]; floats, whole numbers or booleans

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dlogits : of the shape of logits

    Raises
    ------
    LabelError
        If a target lies outside [0, 1].

    >>> loss, dlogits = sigmoid_cross_entropy(np.array([0.0, 2.0]), np.array([1, 1]))
    >>> print(f"{loss:.4f}", dlogits.round(4))
    0.4100 [-0.25   -0.0596]
    """
    _checks.float_array("logits", logits)
    targets = np.asarray(targets)
    if targets.dtype.kind in "biu":
        targets = targets.astype(logits.dtype)
    targets, axes, count = _pairs(logits=logits, targets=targets)
    if targets.min() < 0 or targets.max() > 1:
        bad = targets.min() if targets.min() < 0 else targets.max()
        raise LabelError(f"targets contains {bad}, but must lie in [0, 1]; for class labels use softmax_cross_entropy")
    with _quiet():
        e = np.exp(-np.abs(logits))
        loss = (np.maximum(logits, 0) - logits * targets + np.log1p(e)).mean(axis=axes)
        sigmoid = np.where(logits >= 0, 1, e) / (1 + e)
        return _finite_loss(loss, "logits"), (sigmoid - targets) / count


@in_float32
def mean_squared_error(pred: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Mean squared error over the batch and the features.

    $$L = \frac{1}{N D} \sum_{nd} (p_{nd} - t_{nd})^2, \qquad
    \frac{\partial L}{\partial p} = \frac{2}{N D} (p - t)$$

    The same as `torch.nn.functional.mse_loss`. Older texts halve it, so that the 2 disappears.

    Parameters
    ----------
    pred : (N,) or (..., N, D) float
    target : (N,), (N, D) or (..., N, D) float

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dpred : of the shape of pred

    >>> loss, dpred = mean_squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    >>> float(loss), dpred
    (2.5, array([[ 1., -2.]]))
    """
    target, axes, count = _pairs(pred=pred, target=target)
    with _quiet():
        error = pred - target
        loss = (error * error).mean(axis=axes)
        return _finite_loss(loss, "pred"), error * (2 / count)


@in_float32
def huber(pred: np.ndarray, target: np.ndarray, delta: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    r"""Huber loss: squared for small errors, linear for large ones, so that outliers pull less (Huber 1964).

    $$L = \frac{1}{N D} \sum_{nd} h(p_{nd} - t_{nd}), \qquad
    h(e) = \begin{cases} \frac12 e^2 & |e| \le \delta \\
    \delta (\lvert e \rvert - \frac12 \delta) & \text{else} \end{cases}, \qquad
    \frac{\partial L}{\partial p} = \frac{1}{N D} \text{clip}(p - t, -\delta, \delta)$$

    The same as `torch.nn.functional.huber_loss`. PyTorch's `smooth_l1_loss` is this divided by $\delta$.

    Parameters
    ----------
    pred : (N,) or (..., N, D) float
    target : (N,), (N, D) or (..., N, D) float
    delta : $\delta > 0$, where the loss turns linear

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dpred : of the shape of pred

    >>> loss, dpred = huber(np.array([[0.5, 10.0]]), np.zeros((1, 2)))
    >>> float(loss), dpred                                  # (0.125 + 9.5) / 2
    (4.8125, array([[0.25, 0.5 ]]))
    """
    target, axes, count = _pairs(pred=pred, target=target)
    delta = _checks.number("delta", delta, 0, open_low=True)
    with _quiet():
        error = pred - target
        clipped = np.clip(error, -delta, delta)
        loss = (clipped * (error - clipped / 2)).mean(axis=axes)
        return _finite_loss(loss, "pred"), clipped / count


@in_float32
def hinge(scores: np.ndarray, labels: np.ndarray, margin: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    r"""Multi-class hinge loss: the true class must win by a margin (Weston and Watkins 1999).

    $$L = \frac{1}{N C} \sum_n \sum_{c \ne y_n} \max(0,\; s_{nc} - s_{n, y_n} + m)$$

    The mean is over the batch and over all C classes, as in `torch.nn.functional.multi_margin_loss`. Many lecture notes
    (CS231n) leave the division by C out: their loss is C times this one.

    Parameters
    ----------
    scores : (..., N, C) float
    labels : (N,) or (..., N) whole numbers in [0, C)
    margin : $m > 0$

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dscores : (..., N, C)

    >>> loss, dscores = hinge(np.array([[3.0, 2.5, 0.0, 1.0]]), np.array([0]))
    >>> float(loss), dscores
    (0.125, array([[-0.25,  0.25,  0.  ,  0.  ]]))
    """
    n, classes = _checks.shape("scores (..., N, C)", scores=scores).values()
    labels = _checks.labels(labels, classes, scores.shape[:-1])[..., None]
    margin = _checks.number("margin", margin, 0, open_low=True)
    with _quiet():
        excess = scores - np.take_along_axis(scores, labels, -1) + margin
        np.put_along_axis(excess, labels, 0, -1)
        loss = np.maximum(excess, 0).mean(axis=(-1, -2))
    too_close = (excess > 0).astype(scores.dtype)
    np.put_along_axis(too_close, labels, -too_close.sum(axis=-1, keepdims=True), -1)
    return _finite_loss(loss, "scores"), too_close / (n * classes)


@in_float32
def soft_cross_entropy(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Cross-entropy of softmax probabilities with target distributions, in nats.

    $$L = -\frac1N \sum_n \sum_c q_{nc} \log p_{nc}, \qquad p = \text{softmax}(\text{scores}), \qquad
    \frac{\partial L}{\partial \text{scores}} = \frac1N (p - q)$$

    For one-hot rows q this is `softmax_cross_entropy`. Rows between come from `smooth_labels`, from mixed examples, or
    from another network that is imitated. The same as `torch.nn.functional.cross_entropy(scores, targets)` with float
    targets; Keras calls it `CategoricalCrossentropy(from_logits=True)`.

    Parameters
    ----------
    scores : (..., N, C) float
    targets : (N, C) or (..., N, C) float, each row non-negative with sum 1

    Returns
    -------
    loss : scalar, or (...,) with run axes; at least the mean entropy of the targets
    dscores : (..., N, C)

    Raises
    ------
    LabelError
        If a target is negative, or a row does not sum to 1.

    >>> loss, dscores = soft_cross_entropy(np.zeros((1, 2)), np.array([[0.9, 0.1]]))
    >>> print(f"{loss:.4f}", dscores)
    0.6931 [[-0.4  0.4]]
    """
    _checks.shape("scores (..., N, C)", scores=scores)
    q = _distributions(targets, scores)
    with _quiet():
        log_p = _log_softmax(scores)
        loss = -(q * log_p).sum(axis=-1).mean(axis=-1)
        return _finite_loss(loss, "scores"), (np.exp(log_p) - q) / scores.shape[-2]


@in_float32
def kl_divergence(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Kullback-Leibler divergence of the softmax probabilities p from target distributions q, in nats.

    $$D(q \,\Vert\, p) = \frac1N \sum_n \sum_c q_{nc} \log \frac{q_{nc}}{p_{nc}}, \qquad
    \frac{\partial D}{\partial \text{scores}} = \frac1N (p - q)$$

    What the cross-entropy lies above the entropy of the targets: 0 if p = q, never negative, and with the same
    gradient (Kullback and Leibler 1951). A class with $q_{nc} = 0$ adds nothing. The same as
    `torch.nn.functional.kl_div(log_p, q, reduction="batchmean")`; PyTorch's default divides by C as well.

    Parameters and errors as for `soft_cross_entropy`.

    >>> loss, _ = kl_divergence(np.log(np.array([[0.5, 0.5]])), np.array([[0.75, 0.25]]))
    >>> print(f"{loss:.4f}")                                 # 0.75 ln 1.5 + 0.25 ln 0.5
    0.1308
    """
    loss, dscores = soft_cross_entropy(scores, targets)
    q = _distributions(targets, scores)
    entropy = -(q * np.log(np.where(q > 0, q, 1))).sum(axis=-1).mean(axis=-1)
    return loss - entropy, dscores


@in_float32
def weighted_cross_entropy(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Softmax cross-entropy in which an example counts as much as its class is given weight.

    $$L = \frac{\sum_n w_{y_n} \bigl(-\log p_{n, y_n}\bigr)}{\sum_n w_{y_n}}, \qquad
    \frac{\partial L}{\partial \text{scores}_{nc}} = \frac{w_{y_n}}{\sum_m w_{y_m}} (p_{nc} - [c = y_n])$$

    Only ratios of weights matter, since their sum over the batch is divided out. Weights of one over the class's
    frequency make rare classes count as much as frequent ones. The same as
    `torch.nn.functional.cross_entropy(scores, labels, weight=weights)`. Keras's `class_weight` divides by N instead.

    Parameters
    ----------
    scores : (..., N, C) float
    labels : (N,) or (..., N) whole numbers in [0, C)
    weights : (C,) float, positive

    Returns
    -------
    loss : scalar, or (...,) with run axes
    dscores : (..., N, C)

    >>> loss, _ = weighted_cross_entropy(np.zeros((3, 2)), np.array([0, 0, 1]), np.array([1.0, 2.0]))
    >>> print(f"{loss:.4f}")
    0.6931
    """
    classes = _checks.shape("scores (..., N, C), weights (C)", scores=scores, weights=weights)["C"]
    labels = _checks.labels(labels, classes, scores.shape[:-1])
    _checks.finite("weights", weights)
    if weights.min() <= 0:
        raise RangeError(f"weights contains {weights.min()}, but a weight must be positive; leave a class out instead")
    y = labels[..., None] == np.arange(classes)
    share = weights.astype(scores.dtype)[labels]
    share = share / share.sum(axis=-1, keepdims=True)  # of each example in the mean
    with _quiet():
        log_p = _log_softmax(scores)
        loss = -(share * log_p[y].reshape(labels.shape)).sum(axis=-1)
        return _finite_loss(loss, "scores"), share[..., None] * (np.exp(log_p) - y)


def smooth_labels(labels: np.ndarray, classes: int, smoothing: float = 0.1, *, dtype=np.float64) -> np.ndarray:
    r"""Target distributions that leave a little for every class (Szegedy et al. 2016, section 7).

    $$q_{nc} = (1 - \varepsilon)\,[c = y_n] + \frac{\varepsilon}{C}$$

    With `soft_cross_entropy` the same as `torch.nn.functional.cross_entropy(scores, labels, label_smoothing=0.1)`.

    Parameters
    ----------
    labels : (..., N) whole numbers in [0, C)
    classes : C
    smoothing : $\varepsilon$ in [0, 1); 0 gives one-hot rows

    Returns
    -------
    (..., N, C), each row sums to 1

    >>> smooth_labels(np.array([0, 2]), 4, 0.2)
    array([[0.85, 0.05, 0.05, 0.05],
           [0.05, 0.05, 0.85, 0.05]])
    """
    classes = _checks.whole("classes", classes)
    smoothing = _checks.number("smoothing", smoothing, 0, 1, open_high=True)
    labels = _checks.labels(labels, classes, np.shape(labels))
    one_hot = labels[..., None] == np.arange(classes)
    return ((1 - smoothing) * one_hot + smoothing / classes).astype(dtype)


def _log_softmax(scores):
    z = scores - scores.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def _distributions(targets, scores):
    """Check target distributions, and give them in the dtype of the scores."""
    _checks.shape("targets (..., N, C)", targets=targets)
    if targets.shape not in (scores.shape, scores.shape[-2:]):
        raise ShapeError(
            f"targets has shape {targets.shape}, but scores has shape {scores.shape}; there is one distribution for "
            "each row of scores; for whole-number labels use softmax_cross_entropy"
        )
    _checks.finite("targets", targets)
    total = targets.sum(axis=-1, dtype=np.float64)
    worst = np.unravel_index(np.abs(total - 1).argmax(), total.shape)
    if targets.min() < 0 or abs(total[worst] - 1) > 1e-3:
        fault = f"{targets.min()}" if targets.min() < 0 else f"a row with sum {total[worst]:.6g}"
        raise LabelError(
            f"targets contains {fault}, but each row must be a distribution: non-negative, with sum 1; try "
            "targets / targets.sum(axis=-1, keepdims=True), or softmax for scores"
        )
    return targets.astype(scores.dtype, copy=False)


def _pairs(**arrays):
    """Check a prediction and what it is compared with: (target in the dtype of pred, axes of the mean, their size)."""
    (name, pred), (target_name, target) = arrays.items()
    axes = "(N)" if np.ndim(pred) == 1 else "(..., N, D)"
    count = math.prod(_checks.shape(f"{name} {axes}, {target_name} {axes}", **arrays).values())
    _checks.finite(target_name, target)
    if target.shape not in (pred.shape, pred.shape[-2:]):
        raise ShapeError(
            f"{target_name} has shape {target.shape}, but {name} has shape {pred.shape}; they must agree, or "
            f"{target_name} has no run axes and serves all runs"
        )
    return target.astype(pred.dtype, copy=False), (-1,) if pred.ndim == 1 else (-1, -2), count


def _quiet():
    """With run axes, a run that diverged must not warn; without, `_finite_loss` raises."""
    return np.errstate(over="ignore", invalid="ignore")


def _finite_loss(loss, name):
    """Without run axes a NaN or infinite loss is an error; with them it marks the runs that diverged."""
    if loss.ndim == 0 and not np.isfinite(loss):
        raise NotFiniteError(
            f"the loss is {loss}: {name} contains NaN, infinity or numbers too large for {loss.dtype}; "
            "training has diverged (try a smaller learning rate) or the inputs are not finite"
        )
    return loss
