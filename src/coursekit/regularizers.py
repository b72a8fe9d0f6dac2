r"""Regularization: what keeps a network from learning its training set by heart.

| means | what it does | source |
|---|---|---|
| `l2` | adds $\frac\lambda2 \sum w^2$ to the loss | Hoerl and Kennard 1970, Krogh and Hertz 1992 |
| `l1` | adds $\lambda \sum \lvert w \rvert$ | Tibshirani 1996 |
| `elastic_net` | adds some of both | Zou and Hastie 2005 |
| `max_norm` | shortens the weights of a unit that are too long | Srebro et al. 2005 |
| `dropout_forward` | silences units at random while training | Srivastava et al. 2014 |
| `EarlyStopping` | ends training when validation no longer improves | Prechelt 1998 |
| `average_predictions` | asks several networks | Hansen and Salamon 1990 |

`regularized` puts penalties and constraints into an optimizer, so that `coursekit.training.train` uses them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from . import _checks, trees
from ._norms import euclidean
from .errors import DataError, DTypeError, RangeError, ShapeError

__all__ = [
    "EarlyStopping",
    "average_predictions",
    "dropout_backward",
    "dropout_forward",
    "elastic_net",
    "l1",
    "l2",
    "max_norm",
    "regularized",
]


def dropout_forward(
    x: np.ndarray, rate: float, rng: np.random.Generator | None, *, training: bool
) -> tuple[np.ndarray, tuple]:
    r"""Dropout: while training, each entry is 0 with probability `rate`, and the others grow by $1/(1-\text{rate})$.

    $$\text{out} = \frac{x \cdot m}{1 - p}, \qquad m \sim \text{Bernoulli}(1 - p)$$

    This is inverted dropout, as in PyTorch: the mean stays, so that nothing is left to do after training. Srivastava et
    al. (2014) leave the entries as they are and shrink the weights afterwards; their p is the share that is kept.

    Parameters
    ----------
    x : array of any shape, float
    rate : $p$ in [0, 1), the share that is silenced
    rng : a NumPy generator; not used, and may be None, unless training. The mask is the same for every dtype of x
    training : in training, or not: then x itself comes back

    Returns
    -------
    out : same shape and dtype as x
    cache : for `dropout_backward`

    Raises
    ------
    RangeError
        If the rate is outside [0, 1).

    >>> out, cache = dropout_forward(np.ones(6), 0.5, np.random.default_rng(0), training=True)
    >>> out
    array([2., 2., 2., 0., 0., 0.])
    >>> dropout_forward(np.ones(3), 0.5, None, training=False)[0]
    array([1., 1., 1.])
    """
    _checks.float_array("x", x)
    rate = _checks.number("rate", rate, 0, 1, open_high=True)
    if not isinstance(training, (bool, np.bool_)):
        raise DTypeError(f"training is {_checks.describe(training)}, but must be True or False")
    if not training:
        return x, (None, x.shape)
    rng = _checks.generator("rng", rng)
    kept = rng.random(x.shape, dtype=np.float32) >= rate
    mask = kept * x.dtype.type(1 / (1 - rate))
    return x * mask, (mask, x.shape)


def dropout_backward(dout: np.ndarray, cache: tuple) -> np.ndarray:
    r"""Gradient of dropout: what was silenced gets none, the rest grows by $1/(1-p)$.

    >>> out, cache = dropout_forward(np.ones(6), 0.5, np.random.default_rng(0), training=True)
    >>> dropout_backward(np.arange(1.0, 7.0), cache)
    array([2., 4., 6., 0., 0., 0.])
    """
    mask, shape = cache
    _checks.gradient(dout, shape)
    return dout if mask is None else dout * mask


def l2(params, strength: float | np.ndarray, *, skip: tuple[str, ...] = ()) -> tuple:
    r"""L2 penalty (ridge, weight decay): $\frac\lambda2 \sum w^2$, with the gradient $\lambda w$.

    The half makes the gradient that of `weight_decay` in `coursekit.optimizers` and in PyTorch. Texts that leave it out
    mean a $\lambda$ of half the size.

    Parameters
    ----------
    params : array, or dict of arrays (may nest); all of them count, biases too
    strength : $\lambda$, a number; or with run axes in front of all params (R, ...) one a run, (R,)
    skip : names of entries that do not count, such as ("b",)

    Returns
    -------
    penalty : a number, or one a run
    grads : like params, for adding to the gradients of the loss

    >>> penalty, grads = l2({"w": np.array([3.0, -4.0]), "b": np.array([5.0])}, 0.1, skip=("b",))
    >>> float(penalty), grads
    (1.25, {'w': array([ 0.3, -0.4]), 'b': array([0.])})
    """
    return _penalty(params, strength, skip, lambda w: w**2 / 2, lambda w: w)


def l1(params, strength: float | np.ndarray, *, skip: tuple[str, ...] = ()) -> tuple:
    r"""L1 penalty (lasso): $\lambda \sum |w|$, with the gradient $\lambda\, \text{sign}(w)$, 0 where w is 0.

    It pulls small weights as hard as large ones, and so most of them to 0.

    Parameters
    ----------
    params, strength, skip : as for `l2`

    Returns
    -------
    penalty, grads : as for `l2`

    >>> penalty, grads = l1(np.array([3.0, -4.0, 0.0]), 0.5)
    >>> float(penalty), grads
    (3.5, array([ 0.5, -0.5,  0. ]))
    """
    return _penalty(params, strength, skip, np.abs, np.sign)


def elastic_net(params, strength: float | np.ndarray, l1_ratio: float = 0.5, *, skip: tuple[str, ...] = ()) -> tuple:
    r"""Some of both: $\lambda \sum \left( \rho \lvert w \rvert + \frac{1 - \rho}{2} w^2 \right)$.

    As in scikit-learn's `ElasticNet`, with $\lambda$ its `alpha` and $\rho$ its `l1_ratio`.

    Parameters
    ----------
    params, strength, skip : as for `l2`
    l1_ratio : $\rho$ in [0, 1]

    Returns
    -------
    penalty, grads : as for `l2`

    >>> penalty, grads = elastic_net(np.array([3.0, -4.0]), 1.0, l1_ratio=0.5)
    >>> float(penalty), grads                               # 3.5 + 6.25
    (9.75, array([ 2. , -2.5]))
    """
    rho = _checks.number("l1_ratio", l1_ratio, 0, 1)
    return _penalty(
        params,
        strength,
        skip,
        lambda w: rho * np.abs(w) + (1 - rho) / 2 * w**2,
        lambda w: rho * np.sign(w) + (1 - rho) * w,
    )


def _penalty(params, strength, skip, value, derivative):
    """Sum of strength * value(w) over all entries, and its gradient."""
    leaves = trees.float_leaves("params", params)
    strength = _strength(strength)
    total, grads = np.zeros(strength.shape), []
    for path, w in leaves.items():
        if path and path[-1] in skip:
            grads.append(np.zeros_like(w))
            continue
        if w.shape[: strength.ndim] != strength.shape:
            raise ShapeError(
                f"strength has shape {strength.shape}, but params{path} has shape {w.shape}; with one strength a run, "
                "(R,), every parameter needs a run axis in front, (R, ...): see coursekit.model.stack_runs"
            )
        runs = strength.reshape(strength.shape + (1,) * (w.ndim - strength.ndim)).astype(w.dtype)
        total = total + strength * value(w).sum(axis=tuple(range(strength.ndim, w.ndim)), dtype=np.float64)
        grads.append(runs * derivative(w))
    dtype = np.result_type(*leaves.values())
    return total.astype(dtype)[()], trees.rebuilt(params, map(np.asarray, grads))


def _strength(value):
    if not isinstance(value, np.ndarray):
        value = np.array(_checks.number("strength", value, 0))
    _checks.float_array("strength", value)
    for number in value.flat:
        _checks.number("strength", float(number), 0)
    return value


def max_norm(params, limit: float, *, axis: int | tuple[int, ...] = -2, skip: tuple[str, ...] = ("b", "gamma", "beta")):
    r"""Max-norm constraint: after an update, shorten each unit's weights to the length `limit` if they are longer.

    $$w_j \leftarrow w_j \min\left(1, \frac{c}{\lVert w_j \rVert}\right)$$

    Parameters
    ----------
    params : array, or dict of arrays (may nest)
    limit : $c > 0$; Srivastava et al. (2014) take 3 to 4 together with dropout
    axis : the axes of one unit's weights: -2 for dense weights (..., D, M), (-3, -2, -1) for filters (F, C, KH, KW)
    skip : names of entries that stay as they are

    Returns
    -------
    like params; new arrays

    >>> max_norm(np.array([[3.0, 0.3], [4.0, 0.4]]), limit=1.0)
    array([[0.6, 0.3],
           [0.8, 0.4]])
    """
    limit = _checks.number("limit", limit, 0, open_low=True)
    axes = axis if isinstance(axis, tuple) else (axis,)
    new = []
    for path, w in trees.float_leaves("params", params).items():
        if path and path[-1] in skip:
            new.append(w.copy())
            continue
        if not axes or any(not -w.ndim <= a < w.ndim for a in axes):
            raise ShapeError(
                f"params{path} has shape {w.shape}, which has no axis {axis}; name it in skip= or give axis="
            )
        norm = euclidean(w, axes, keepdims=True)
        new.append((w * (limit / np.maximum(norm, limit))).astype(w.dtype))
    return trees.rebuilt(params, new)


@dataclass(frozen=True)
class regularized:
    """An optimizer with a penalty in front of it, a constraint behind it, or both.

    Parameters
    ----------
    optimizer : see `coursekit.optimizers`
    penalty : function of params that returns (penalty, grads), such as `lambda params: l1(params, 1e-4)`
    constraint : function of params that returns params, such as `lambda params: max_norm(params, 3.0)`

    >>> from coursekit.optimizers import sgd
    >>> optimizer, w = regularized(sgd(0.1), penalty=lambda params: l1(params, 1.0)), np.array([2.0, -2.0])
    >>> optimizer.update(w, np.zeros(2), optimizer.init(w))[0]
    array([ 1.9, -1.9])
    """

    optimizer: object
    penalty: Callable | None = None
    constraint: Callable | None = None

    def __post_init__(self):
        if not all(hasattr(self.optimizer, name) for name in ("init", "update")):
            raise DTypeError(f"optimizer is {_checks.describe(self.optimizer)}, but must be one such as adam(1e-3)")
        for name in ("penalty", "constraint"):
            function = getattr(self, name)
            if function is not None and not callable(function):
                raise DTypeError(
                    f"{name} is {_checks.describe(function)}, but must be a function of params: "
                    f"{name}=lambda params: {'l2(params, 1e-4)' if name == 'penalty' else 'max_norm(params, 3.0)'}"
                )

    def init(self, params):
        """The optimizer's state."""
        return self.optimizer.init(params)

    def update(self, params, grads, state, *, inplace=False):
        """Add the penalty's gradient, update, apply the constraint."""
        if self.penalty is not None:
            added = self.penalty(params)[1]
            rows = trees.rows({"params": params, "grads": grads, "the penalty's grads": added})
            grads = trees.rebuilt(params, [g + more for _, g, more in rows])
        params, state = self.optimizer.update(params, grads, state, inplace=inplace)
        if self.constraint is not None:
            for w, new in trees.rows({"params": params, "the constraint's params": self.constraint(params)}):
                w[...] = new
        return params, state


@dataclass
class EarlyStopping:
    """Stop when a number has not improved for `patience` epochs in a row; keeps the params of the best epoch.

    Give it to `coursekit.training.train` among the callbacks. It decides from the history alone, and keeps the best
    params there, so a training run that is saved, loaded and resumed stops at the same epoch with the same params.

    Parameters
    ----------
    patience : epochs without improvement that are tolerated
    monitor : column of `History.epochs` to look at
    mode : "min" if smaller is better, "max" if larger is; need not be given for a column that is called a loss
    min_delta : by how much a number must be better to count

    Attributes
    ----------
    best, best_epoch : the best number and its epoch, from 1
    best_params, best_state : copies from the end of that epoch, which `History.best` holds; None before the first, and
        where that epoch was trained without this callback

    >>> from coursekit.training import History
    >>> stop, history = EarlyStopping(patience=2), History({"w": np.zeros(1)}, {}, {})
    >>> for loss in (3.0, 1.0, 2.0, 1.5):
    ...     history.epochs.append({"val_loss": loss})
    ...     print(stop(history))
    None
    None
    None
    no better val_loss for 2 epochs; the best was 1 in epoch 2
    """

    patience: int = 5
    monitor: str = "val_loss"
    mode: str | None = None
    min_delta: float = 0.0
    best: float | None = field(default=None, init=False)
    best_epoch: int | None = field(default=None, init=False)
    best_params: dict | None = field(default=None, init=False, repr=False)
    best_state: dict | None = field(default=None, init=False, repr=False)
    _own: dict = field(default_factory=dict, init=False, repr=False)  # for histories of others, which keep no params

    def __post_init__(self):
        _checks.whole("patience", self.patience)
        if not isinstance(self.monitor, str):
            raise DTypeError(f"monitor is {_checks.describe(self.monitor)}, but must be a column's name: 'val_loss'")
        if "accuracy" in self.monitor and self.mode in (None, "min"):
            raise RangeError(f"{self.monitor} is better when larger; write EarlyStopping(monitor=..., mode='max')")
        if self.mode is None:
            if "loss" not in self.monitor:
                raise RangeError(
                    f"is {self.monitor} better when larger? Write EarlyStopping(monitor={self.monitor!r}, mode='max'), "
                    "or mode='min' if smaller is better"
                )
            self.mode = "min"
        _checks.choice("mode", self.mode, ("min", "max"))
        _checks.number("min_delta", self.min_delta, 0)

    def check(self, row: dict) -> None:
        """Refuse a history whose epochs are like `row` (a column's name -> its value)."""
        if self.monitor not in row:
            hint = "; give train(..., validation=(x, y))" if self.monitor.startswith("val_") else ""
            raise DataError(
                f"the history has no column {self.monitor!r}, it has {', '.join(row) or 'no epochs yet'}{hint}"
            )
        if np.ndim(row[self.monitor]):
            raise ShapeError(f"{self.monitor} has one number a run; EarlyStopping can only stop a single run")

    def __call__(self, history) -> str | None:
        """Look at the history after an epoch; returns why to stop, or None."""
        rows = history.epochs
        self.check(rows[-1] if rows else {})
        better = -1 if self.mode == "min" else 1
        best, at = -np.inf, 0
        for i, row in enumerate(rows):
            value = better * float(row.get(self.monitor, np.nan))  # NaN: not measured in that epoch
            if value > best + self.min_delta:
                best, at = value, i
        self.best, self.best_epoch = better * best, at + 1
        best_of, name = getattr(history, "best", self._own), f"{self.mode} {self.monitor} {self.min_delta}"
        if at == len(rows) - 1:
            copies = (trees.map_leaves(np.copy, tree) for tree in (history.params, history.state))
            best_of[name] = dict(zip(("params", "state"), copies, strict=True)) | {"epoch": self.best_epoch}
        kept = best_of.get(name, {})
        known = kept.get("epoch") == self.best_epoch
        self.best_params, self.best_state = (kept[part] if known else None for part in ("params", "state"))
        waited = len(rows) - self.best_epoch
        if waited < self.patience:
            return None
        return f"no better {self.monitor} for {waited} epochs; the best was {self.best:.4g} in epoch {self.best_epoch}"


def average_predictions(predictions) -> np.ndarray:
    """Mean of the predictions of an ensemble.

    Average probabilities (`coursekit.activations.softmax` of the scores), not scores: a network that is sure of itself
    would outvote all others.

    Parameters
    ----------
    predictions : list of arrays of one shape, (N, C) or whatever the members give; or one array with the members along
        the first axis, as run axes give it

    Returns
    -------
    the mean over the members, of their dtype

    Raises
    ------
    NotFiniteError
        If a member's prediction is NaN or infinite.

    >>> average_predictions([np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])])
    array([[0.65, 0.35]])
    """
    many = isinstance(predictions, (list, tuple)) or (isinstance(predictions, np.ndarray) and predictions.ndim > 0)
    members = list(predictions) if many else None
    if not members:
        raise ShapeError(f"predictions is {_checks.describe(predictions)}; expected one array a member: [p1, p2, p3]")
    for i, member in enumerate(members):
        _checks.same_shape(
            f"predictions[{i}]", member, "predictions[0]", _checks.float_array("predictions[0]", members[0])
        )
        _checks.finite(f"predictions[{i}]", member)
    return np.mean(members, axis=0)
