r"""Optimizers: rules that turn a gradient into a step.

Each is a frozen object that holds settings only. The numbers travel as plain dicts::

    optimizer = adam(1e-3)
    state = optimizer.init(params)
    params, state = optimizer.update(params, grads, state)

* `params` is an array or a dict of arrays; dicts may nest. `grads` has the same entries and shapes.
* `state` is a plain dict: `"step"`, the number of updates made, and arrays like the params. It can be saved to .npz.
* The caller's arrays are not changed. `update(..., inplace=True)` writes into params and state instead, which saves
  their copies; it is what `coursekit.training.train` does.
* `lr` is a number or a schedule, a function of the step (from 0) such as those of `coursekit.schedules`.
* With run axes, `lr` and `decay` may also be arrays with one number a run, (R,) for params (R, ...); (R, 1, 1) means
  the same. That trains a whole heat map in one pass.
* `weight_decay` adds $\lambda w$ to the gradient, the gradient of $\frac{\lambda}{2} \sum w^2$, as PyTorch does (for
  `adamw` see there). All params decay, the biases too.

The rule of an optimizer is its method `step`, written for arrays of any shape. With $g$ the gradient, $\eta$ the rate
and $t$ the step counted from 1:

| optimizer | step | source |
|---|---|---|
| `sgd` | $w \leftarrow w - \eta g$ | Robbins and Monro 1951 |
| `momentum` | $v \leftarrow \gamma v + g,\; w \leftarrow w - \eta v$ | Polyak 1964 |
| `nesterov` | $v \leftarrow \gamma v + g,\; w \leftarrow w - \eta (g + \gamma v)$ | Nesterov 1983 |
| `adagrad` | $s \leftarrow s + g^2,\; w \leftarrow w - \eta g / (\sqrt s + \varepsilon)$ | Duchi et al. 2011 |
| `rmsprop` | $s \leftarrow \gamma s + (1-\gamma) g^2,\; w$ as AdaGrad | Hinton 2012 |
| `adadelta` | the step itself has the scale of past steps | Zeiler 2012 |
| `adam` | $w \leftarrow w - \eta \hat m / (\sqrt{\hat v} + \varepsilon)$ | Kingma and Ba 2015 |
| `amsgrad` | Adam with the largest $v$ so far | Reddi et al. 2018 |
| `adamw` | Adam, and $w \leftarrow w - \eta \lambda w$ | Loshchilov and Hutter 2019 |
| `nadam` | Adam with Nesterov's look ahead | Dozat 2016 |
| `lion` | the sign of a mean of gradients | Chen et al. 2023 |
| `muon` | momentum, all of whose directions are made equally long | Jordan et al. 2024 |

`by_name` gives some parameters another optimizer than the rest, `by_layer` each layer its own or none, `accumulate`
makes one update of several batches, and `chain` puts functions of the gradient such as `global_norm_clip` in front.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import ClassVar

import numpy as np

from . import _checks, trees
from ._norms import euclidean
from .errors import CourseError, DTypeError, RangeError, ShapeError
from .fast import optimizers as fast

__all__ = [
    "ByLayer",
    "Optimizer",
    "accumulate",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "amsgrad",
    "by_layer",
    "by_name",
    "chain",
    "global_norm",
    "global_norm_clip",
    "lion",
    "momentum",
    "muon",
    "nadam",
    "nesterov",
    "orthogonalized",
    "rmsprop",
    "sgd",
]

# `step` runs over blocks of this many bytes, so that its temporaries stay in the cache: four times faster for a million
# entries than one pass over everything.
BLOCK_BYTES = 1 << 17


class Optimizer:
    """What all optimizers share: the walk over nested params, and the checks.

    A subclass is a frozen dataclass with a field `lr`, the names of its arrays in `slots`, and the method `step`.
    """

    slots: ClassVar[tuple[str, ...]] = ()
    weight_decay = 0.0
    lr: float | np.ndarray | Callable

    def __post_init__(self):
        for setting in fields(self):
            value = _check_setting(setting.name, getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)

    def init(self, params) -> dict:
        """The state before the first update: `{"step": 0}`, and zeros of the params' shapes under each slot's name."""
        trees.float_leaves("params", params)
        return {"step": 0} | {slot: trees.map_leaves(np.zeros_like, params) for slot in self.slots}

    def update(self, params, grads, state: dict, *, inplace: bool = False) -> tuple:
        """One update of all params.

        Parameters
        ----------
        params : array, or dict of arrays (may nest)
        grads : the same entries and shapes; params and state keep their dtype whatever that of grads is
        state : what `init` or the last `update` gave
        inplace : write into the arrays of params and state, and return these, by a form of the rule with fewer passes
            where `coursekit.fast.optimizers` has one; otherwise the rule is `step`, and nothing given is changed

        Returns
        -------
        params, state : the new ones

        Raises
        ------
        ShapeError
            If grads or state have other entries or shapes than params.
        RangeError
            If the schedule gives a rate that is negative or not finite. Nothing has been changed then.

        >>> params, grads = {"w": np.array([1.0, 2.0])}, {"w": np.array([10.0, -10.0])}
        >>> optimizer = sgd(0.1)
        >>> params, state = optimizer.update(params, grads, optimizer.init(params))
        >>> params, state
        ({'w': array([0., 3.])}, {'step': 1})
        """
        steps_made = self._steps_made(state)
        slots = {f"state[{slot!r}]": state[slot] for slot in self.slots}
        rows = trees.rows({"params": params, "grads": grads} | slots)  # of each parameter: w, g, its slots
        lr = self._rate(steps_made)
        rules = self._for_runs(lr, rows)
        if inplace:
            if not all([a.flags.writeable for w, _, *arrays in rows for a in (w, *arrays)]):
                _refuse_read_only({"params": params} | slots)
        else:
            rows = [[w.copy(order="K"), g, *(a.copy(order="K") for a in arrays)] for w, g, *arrays in rows]
            params, _, *fresh = (trees.rebuilt(params, column) for column in zip(*rows, strict=True))
            state = state | dict(zip(self.slots, fresh, strict=True))
        write = _IN_PLACE.get(type(self).step, _by_step) if inplace else _by_step
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges goes to inf and NaN by itself
            for (rule, rate), (w, g, *arrays) in zip(rules, rows, strict=True):
                rule._step_in_blocks(write, (w, *arrays), g, rate, steps_made + 1)
        state["step"] = steps_made + 1
        return params, state

    def step(self, w, g, lr, t, *slots):
        """The rule: (w, g, lr, t, arrays of the slots) -> the new w and slots. `t` counts from 1."""
        raise NotImplementedError

    def _gradient(self, w, g):
        return g + self.weight_decay * w if self.weight_decay else g

    def _step_in_blocks(self, write, arrays, g, lr, t):
        """Apply the rule to one parameter; `arrays`, w and its slots, are overwritten by `write`."""
        w, *slots = arrays
        if w.nbytes <= BLOCK_BYTES or isinstance(lr, np.ndarray) or not all(a.flags.c_contiguous for a in (g, *arrays)):
            write(self, w, self._gradient(w, g), lr, t, *slots)
            return
        g, *arrays = (a.reshape(-1) for a in (g, *arrays))
        size = BLOCK_BYTES // w.itemsize
        for i in range(0, g.size, size):
            w, *slots = (a[i : i + size] for a in arrays)
            write(self, w, self._gradient(w, g[i : i + size]), lr, t, *slots)

    def _rate(self, step):
        """The learning rate of this step."""
        if not callable(self.lr):
            return self.lr
        lr = self.lr(step)
        try:
            return _check_setting("lr", lr)
        except (DTypeError, RangeError) as error:
            raise type(error)(f"the schedule {self.lr!r} gave a useless rate at step {step}: {error}") from None

    def _for_runs(self, lr, rows):
        """(rule, rate) for each parameter: settings that differ from run to run get the shape (R, 1, ...)."""
        decay = getattr(self, "decay", None)
        if not isinstance(lr, np.ndarray) and not isinstance(decay, np.ndarray):
            return [(self, lr)] * len(rows)
        lr = np.asarray(lr)
        if not isinstance(decay, np.ndarray):
            return [(self, _align("lr", lr, w)) for w, *_ in rows]
        return [(replace(self, decay=_align("decay", decay, w)), _align("lr", lr, w)) for w, *_ in rows]

    def _steps_made(self, state):
        """The number of updates before this one, of a state that has what this optimizer needs."""
        wanted = ("step", *self.slots)
        if not (isinstance(state, dict) and state.keys() >= {*wanted}):
            has = f"a dict with {', '.join(map(repr, state))}" if isinstance(state, dict) else _checks.describe(state)
            raise ShapeError(
                f"state is {has}, but {type(self).__name__} needs {', '.join(map(repr, wanted))}; "
                "make it with state = optimizer.init(params)"
            )
        try:
            step = operator.index(state["step"])
        except TypeError:
            raise DTypeError(
                f"state['step'] is {_checks.describe(state['step'])}, but must be a whole number"
            ) from None
        return _checks.whole("state['step']", step, 0)


def _by_step(rule, w, g, lr, t, *slots):
    """The rule as it is written, its results put into w and slots."""
    for array, values in zip((w, *slots), rule.step(w, g, lr, t, *slots), strict=True):
        array[...] = values


# The interval of each setting: lowest value, highest value (left out itself).
_INTERVALS = {
    "lr": (0, None),
    "decay": (0, 1),
    "beta1": (0, 1),
    "beta2": (0, 1),
    "eps": (0, None),
    "weight_decay": (0, None),
    "momentum_decay": (0, None),
}
_MAY_DIFFER_BETWEEN_RUNS = ("lr", "decay")


def _check_setting(name, value):
    """A float, a schedule, or an array of floats, one a run."""
    if name == "lr" and callable(value):
        return value
    low, high = _INTERVALS[name]
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, np.ndarray) and name in _MAY_DIFFER_BETWEEN_RUNS:
        _checks.float_array(name, value)
        for number in (value.min(), value.max()):
            _checks.number(f"{name}, one a run,", number, low, high, open_high=True)
        return value
    return _checks.number(name, value, low, high, open_high=True)


def _align(name, value, w):
    """`value`, (R,) or (R, 1, ...), with its axes at the front of those of w and of w's dtype."""
    shape = value.shape
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > w.ndim or any(n not in (1, length) for n, length in zip(shape, w.shape, strict=False)):
        raise ShapeError(
            f"{name} has shape {value.shape}, but a parameter has shape {w.shape}; with one {name} a run, (R,), "
            "every parameter needs a run axis in front, (R, ...): see coursekit.model.stack_runs"
        )
    return value.reshape(shape + (1,) * (w.ndim - len(shape))).astype(w.dtype)


def _refuse_read_only(nests):
    """Say which array cannot be written to, before any of them is."""
    for name, tree in nests.items():
        for path, array in trees.leaves(tree).items():
            if not array.flags.writeable:
                raise CourseError(
                    f"{name}{path} is read-only, so it cannot be updated in place; leave inplace=True out"
                )


@dataclass(frozen=True)
class sgd(Optimizer):
    r"""Stochastic gradient descent, $w \leftarrow w - \eta g$ (Robbins and Monro 1951).

    With the gradient of the whole training set it is gradient descent (Cauchy 1847).

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer = sgd(0.1)
    >>> params = {"w": np.array([1.0, -2.0])}
    >>> params, _ = optimizer.update(params, {"w": np.array([5.0, 5.0])}, optimizer.init(params))
    >>> params["w"]
    array([ 0.5, -2.5])
    """

    lr: float | Callable
    _: KW_ONLY
    weight_decay: float = 0.0

    def step(self, w, g, lr, t):
        """The rule."""
        return (w - lr * g,)


@dataclass(frozen=True)
class momentum(Optimizer):
    r"""Gradient descent with momentum (heavy ball, Polyak 1964).

    $$v \leftarrow \gamma v + g, \qquad w \leftarrow w - \eta v$$

    As in PyTorch, the velocity $v$ is a sum of gradients and the rate stands outside. Sutskever et al. (2013) and Keras
    keep $\eta$ inside, $v \leftarrow \gamma v - \eta g$: the same paths while $\eta$ is constant, others when it
    changes.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    decay : $\gamma$ in [0, 1), the share of the velocity that is kept; or one a run
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer, w = momentum(0.1, decay=0.5), np.array([1.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(3):
    ...     w, state = optimizer.update(w, np.array([1.0]), state)
    ...     print(w, state["v"])
    [0.9] [1.]
    [0.75] [1.5]
    [0.575] [1.75]
    """

    lr: float | Callable
    decay: float = 0.9
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("v",)

    def step(self, w, g, lr, t, v):
        """The rule."""
        v = self.decay * v + g
        return w - lr * v, v


@dataclass(frozen=True)
class nesterov(Optimizer):
    r"""Nesterov's accelerated gradient (Nesterov 1983), in the form of Sutskever et al. (2013) as PyTorch has it.

    $$v \leftarrow \gamma v + g, \qquad w \leftarrow w - \eta (g + \gamma v)$$

    The paper takes the gradient at the point to which the velocity is about to carry: $g$ at $w - \eta \gamma v$. Here
    $w$ stands for that look-ahead point, so the gradient is taken where the params are (Bengio et al. 2013). The paths
    of the two are the same up to this shift.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    decay : $\gamma$ in [0, 1), or one a run
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer, w = nesterov(0.1, decay=0.5), np.array([1.0])
    >>> state = optimizer.init(w)
    >>> for _ in range(3):
    ...     w, state = optimizer.update(w, np.array([1.0]), state)
    ...     print(w.round(4), state["v"])
    [0.85] [1.]
    [0.675] [1.5]
    [0.4875] [1.75]
    """

    lr: float | Callable
    decay: float = 0.9
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("v",)

    def step(self, w, g, lr, t, v):
        """The rule."""
        v = self.decay * v + g
        return w - lr * (g + self.decay * v), v


@dataclass(frozen=True)
class adagrad(Optimizer):
    r"""AdaGrad: each entry has its own rate, which falls with the squares of its gradients (Duchi et al. 2011).

    $$s \leftarrow s + g^2, \qquad w \leftarrow w - \eta \frac{g}{\sqrt s + \varepsilon}$$

    Defaults are PyTorch's. Keras starts $s$ at 0.1 instead of 0, and has $\varepsilon = 10^{-7}$ under the root.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    eps : $\varepsilon$, against division by 0
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer, w = adagrad(0.1), np.array([1.0, 1.0])
    >>> w, state = optimizer.update(w, np.array([100.0, 0.01]), optimizer.init(w))
    >>> w                                                   # the first step has length lr, whatever the gradient
    array([0.9, 0.9])
    """

    lr: float | Callable = 1e-2
    eps: float = 1e-10
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("s",)

    def step(self, w, g, lr, t, s):
        """The rule."""
        s = s + g**2
        return w - lr * g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class rmsprop(Optimizer):
    r"""RMSProp: AdaGrad with a running mean in place of the sum (Hinton's lecture 6e, 2012).

    $$s \leftarrow \gamma s + (1 - \gamma) g^2, \qquad w \leftarrow w - \eta \frac{g}{\sqrt s + \varepsilon}$$

    Defaults are PyTorch's. The lecture and Keras have $\gamma = 0.9$, and Keras $\varepsilon = 10^{-7}$ under the root.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    decay : $\gamma$ in [0, 1)
    eps : $\varepsilon$
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer, w = rmsprop(0.1, decay=0.75), np.array([1.0])
    >>> w, state = optimizer.update(w, np.array([6.0]), optimizer.init(w))
    >>> w.round(4), state["s"]                              # sqrt(9) = 3: a step of 0.1 * 6 / 3
    (array([0.8]), array([9.]))
    """

    lr: float | Callable = 1e-2
    decay: float = 0.99
    eps: float = 1e-8
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("s",)

    def step(self, w, g, lr, t, s):
        """The rule."""
        s = self.decay * s + (1 - self.decay) * g**2
        return w - lr * g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class adadelta(Optimizer):
    r"""AdaDelta: the size of past steps takes the place of the learning rate (Zeiler 2012, algorithm 1).

    $$s \leftarrow \gamma s + (1 - \gamma) g^2, \qquad
    \Delta = \frac{\sqrt{d + \varepsilon}}{\sqrt{s + \varepsilon}}\, g, \qquad
    d \leftarrow \gamma d + (1 - \gamma) \Delta^2, \qquad w \leftarrow w - \eta \Delta$$

    Defaults are PyTorch's. The paper has no $\eta$ (that is $\eta = 1$) and $\gamma = 0.95$; Keras has $\eta = 0.001$,
    $\gamma = 0.95$, $\varepsilon = 10^{-7}$.

    Parameters
    ----------
    lr : factor $\eta$, or a schedule, or one a run
    decay : $\gamma$ in [0, 1)
    eps : $\varepsilon$; it sets the length of the first steps
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient

    >>> optimizer, w = adadelta(), np.array([1.0])
    >>> w, state = optimizer.update(w, np.array([10.0]), optimizer.init(w))
    >>> 1 - w                                               # sqrt(eps / (1 - decay)), whatever the gradient
    array([0.00316228])
    """

    lr: float | Callable = 1.0
    decay: float = 0.9
    eps: float = 1e-6
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("s", "d")

    def step(self, w, g, lr, t, s, d):
        """The rule."""
        s = self.decay * s + (1 - self.decay) * g**2
        delta = np.sqrt(d + self.eps) / np.sqrt(s + self.eps) * g
        d = self.decay * d + (1 - self.decay) * delta**2
        return w - lr * delta, s, d


@dataclass(frozen=True)
class adam(Optimizer):
    r"""Adam: momentum, divided by the root mean square of the gradient (Kingma and Ba 2015, algorithm 1).

    $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2$$
    $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
    w \leftarrow w - \eta \frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$

    $m$ and $v$ start at 0 and are too small at first; the hats correct that bias. Defaults are the paper's and
    PyTorch's. Keras has $\varepsilon = 10^{-7}$ and adds it before the correction (the paper's $\hat\varepsilon$).

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    beta1, beta2 : $\beta_1, \beta_2$ in [0, 1)
    eps : $\varepsilon$
    weight_decay : $\lambda$, adds $\lambda w$ to the gradient; `adamw` is the better way

    >>> optimizer, w = adam(0.1), np.array([1.0, 1.0])
    >>> w, state = optimizer.update(w, np.array([100.0, -0.01]), optimizer.init(w))
    >>> w.round(4)                                          # the first step has length lr, whatever the gradient
    array([0.9, 1.1])
    """

    lr: float | Callable = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("m", "v")

    def step(self, w, g, lr, t, m, v):
        """The rule."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        return w - lr * m_hat / (np.sqrt(v_hat) + self.eps), m, v


@dataclass(frozen=True)
class amsgrad(Optimizer):
    r"""AMSGrad: Adam that never forgets a large gradient (Reddi et al. 2018, algorithm 2).

    $$v_{\max} \leftarrow \max(v_{\max}, v), \qquad
    w \leftarrow w - \eta \frac{\hat m}{\sqrt{v_{\max} / (1 - \beta_2^t)} + \varepsilon}$$

    with $m, \hat m, v$ as in `adam`. The paper corrects no bias; here it is corrected, as in PyTorch's
    `Adam(amsgrad=True)`.

    Parameters
    ----------
    lr, beta1, beta2, eps, weight_decay : as for `adam`

    >>> optimizer, w = amsgrad(0.1, beta2=0.5), np.array([1.0])
    >>> state = optimizer.init(w)
    >>> for g in (10.0, 0.1, 0.1):
    ...     w, state = optimizer.update(w, np.array([g]), state)
    >>> state["v"].round(2), state["v_max"]
    (array([12.51]), array([50.]))
    """

    lr: float | Callable = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("m", "v", "v_max")

    def step(self, w, g, lr, t, m, v, v_max):
        """The rule."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        v_max = np.maximum(v_max, v)
        m_hat = m / (1 - self.beta1**t)
        v_hat = v_max / (1 - self.beta2**t)
        return w - lr * m_hat / (np.sqrt(v_hat) + self.eps), m, v, v_max


@dataclass(frozen=True)
class adamw(adam):
    r"""AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    $$w \leftarrow w - \eta \lambda w, \qquad \text{then Adam's step with the gradient alone}$$

    In `adam` the decay goes through $m$ and $v$, so entries with large gradients decay less. Here all decay alike. As
    in PyTorch the decay is multiplied by $\eta$; in the paper only by the schedule's factor.

    Parameters
    ----------
    lr, beta1, beta2, eps : as for `adam`
    weight_decay : $\lambda$

    >>> optimizer, w = adamw(0.1, weight_decay=0.5), np.array([8.0])
    >>> optimizer.update(w, np.array([0.0]), optimizer.init(w))[0]
    array([7.6])
    """

    lr: float | Callable = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 1e-2

    def _gradient(self, w, g):
        return g

    def step(self, w, g, lr, t, m, v):
        """The rule."""
        w = w - lr * self.weight_decay * w
        return super().step(w, g, lr, t, m, v)


@dataclass(frozen=True)
class nadam(Optimizer):
    r"""Nadam: Adam whose momentum looks ahead as Nesterov's does (Dozat 2016, algorithm 2).

    $$\mu_t = \beta_1 \left(1 - \tfrac12\, 0.96^{t \psi}\right), \qquad
    \hat m = \frac{\mu_{t+1}\, m}{1 - \prod_{i=1}^{t+1} \mu_i} + \frac{(1 - \mu_t)\, g}{1 - \prod_{i=1}^t \mu_i},
    \qquad w \leftarrow w - \eta \frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$

    with $m, v, \hat v$ as in `adam`. The momentum $\mu_t$ warms up from half of $\beta_1$; $\psi$ is `momentum_decay`.
    Defaults are PyTorch's; $\psi = 0.004$ is the schedule that the paper suggests. Keras has $\psi = 1, \eta = 0.001$,
    $\varepsilon = 10^{-7}$. PyTorch rounds the product to float32 unless its default dtype is float64, which moves its
    path by about 1e-9 of the distance. Many summaries show a constant $\mu$.

    Parameters
    ----------
    lr, beta1, beta2, eps, weight_decay : as for `adam`
    momentum_decay : $\psi$, how fast the momentum warms up

    >>> optimizer, w = nadam(0.1), np.array([1.0])
    >>> optimizer.update(w, np.array([5.0]), optimizer.init(w))[0].round(4)
    array([0.8944])
    """

    lr: float | Callable = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float = 4e-3
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("m", "v")

    def step(self, w, g, lr, t, m, v):
        """The rule."""
        m = self.beta1 * m + (1 - self.beta1) * g
        v = self.beta2 * v + (1 - self.beta2) * g**2
        ahead = self.mu(t + 1) / (1 - self.mu_product(t + 1))
        now = (1 - self.mu(t)) / (1 - self.mu_product(t))
        m_hat = ahead * m + now * g
        v_hat = v / (1 - self.beta2**t)
        return w - lr * m_hat / (np.sqrt(v_hat) + self.eps), m, v

    def mu(self, t):
        """The momentum of step t, from 1."""
        return self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def mu_product(self, t):
        """The product of the momenta of steps 1 to t."""
        return _mu_product(self.beta1, self.momentum_decay, t)


@dataclass(frozen=True)
class lion(Optimizer):
    r"""Lion: every entry moves by the rate, in the direction of a mean of gradients (Chen et al. 2023, algorithm 2).

    $$u = \operatorname{sign}\big(\beta_1 m + (1 - \beta_1) g\big), \qquad m \leftarrow \beta_2 m + (1 - \beta_2) g,
    \qquad w \leftarrow w - \eta\, (u + \lambda w)$$

    One array of memory, where Adam has two. All steps have the length $\eta$, so its rate is about a tenth of Adam's
    and its $\lambda$ ten times as large. Defaults are those of the authors' code.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    beta1 : $\beta_1$ in [0, 1), of the mean whose sign is taken
    beta2 : $\beta_2$ in [0, 1), of the mean that is remembered
    weight_decay : $\lambda$, decoupled as in `adamw`

    >>> optimizer, w = lion(0.1), np.array([1.0, 1.0, 1.0])
    >>> optimizer.update(w, np.array([100.0, -0.01, 0.0]), optimizer.init(w))[0]
    array([0.9, 1.1, 1. ])
    """

    lr: float | Callable = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    _: KW_ONLY
    weight_decay: float = 0.0

    slots = ("m",)

    def _gradient(self, w, g):
        return g

    def step(self, w, g, lr, t, m):
        """The rule."""
        u = np.sign(self.beta1 * m + (1 - self.beta1) * g)
        m = self.beta2 * m + (1 - self.beta2) * g
        return w - lr * (u + self.weight_decay * w), m


def orthogonalized(g: np.ndarray, steps: int = 5) -> np.ndarray:
    r"""A matrix with the directions of g, all of about the same length: its singular values come near 1.

    $$X \leftarrow \frac{g}{\lVert g \rVert}, \qquad \text{then } A = X X^\top, \quad
    X \leftarrow a X + (b A + c A^2) X, \qquad (a, b, c) = (3.4445, -4.775, 2.0315)$$

    The Newton-Schulz iteration of Jordan et al. (2024). Each step applies the polynomial $a s + b s^3 + c s^5$ to all
    singular values s at once. With these coefficients small ones grow fast, and all end between about 0.7 and 1.2
    instead of at 1. PyTorch's `Muon` computes it in bfloat16.

    Parameters
    ----------
    g : (..., D, M) float
    steps : how often; 5 is the authors' number

    >>> g = np.random.default_rng(0).normal(size=(6, 4)) @ np.diag([1.0, 0.3, 0.1, 0.03])
    >>> np.linalg.svd(orthogonalized(g), compute_uv=False).round(1)
    array([1.1, 0.9, 0.7, 0.7])
    """
    a, b, c = 3.4445, -4.775, 2.0315
    x = (g / np.maximum(euclidean(g, (-2, -1), keepdims=True), 1e-7)).astype(g.dtype)
    tall = x.shape[-2] > x.shape[-1]
    x = x.swapaxes(-2, -1) if tall else x
    for _ in range(steps):
        square = x @ x.swapaxes(-2, -1)
        x = a * x + (b * square + c * square @ square) @ x
    return x.swapaxes(-2, -1) if tall else x


@dataclass(frozen=True)
class muon(Optimizer):
    r"""Muon: the momentum of a weight matrix, with all of its directions made equally long (Jordan et al. 2024).

    $$v \leftarrow \gamma v + (1 - \gamma)\, g, \qquad u = \gamma v + (1 - \gamma)\, g$$
    $$w \leftarrow w - \eta \lambda w - \eta \sqrt{\max(1, M/D)}\; \text{orthogonalized}(u)$$

    for w of shape (D, M). Entries are not divided one by one, as in Adam; the matrix is treated as one. So it is for
    matrices of hidden layers only. Biases, scales, embeddings and the last layer go to Adam or AdamW: see `by_name`.
    The same as `torch.optim.Muon`, whose weights are (M, D) and whose `orthogonalized` is rounded to bfloat16.

    Parameters
    ----------
    lr : learning rate $\eta$, or a schedule, or one rate a run
    decay : $\gamma$ in [0, 1), or one a run; PyTorch calls it momentum
    weight_decay : $\lambda$, decoupled as in `adamw`

    >>> optimizer, w = muon(0.1, weight_decay=0.0), np.zeros((2, 2))
    >>> w, _ = optimizer.update(w, np.array([[100.0, 0.0], [0.0, 1.0]]), optimizer.init(w))
    >>> (np.abs(w) > 0.06).tolist()                  # both directions move, though one gradient is 100 times the other
    [[True, False], [False, True]]
    """

    lr: float | Callable = 1e-3
    decay: float = 0.95
    _: KW_ONLY
    weight_decay: float = 0.1

    slots = ("v",)

    def _gradient(self, w, g):
        return g

    def step(self, w, g, lr, t, v):
        """The rule."""
        v = self.decay * v + (1 - self.decay) * g
        u = orthogonalized(self.decay * v + (1 - self.decay) * g)
        scale = max(1, w.shape[-1] / w.shape[-2]) ** 0.5
        return w - lr * self.weight_decay * w - lr * scale * u, v

    def _step_in_blocks(self, write, arrays, g, lr, t):
        """A matrix is no collection of entries, so it is not cut into blocks."""
        w, *slots = arrays
        if w.ndim not in (2, 3):
            raise ShapeError(
                f"a parameter has shape {w.shape}, but muon is for weight matrices (D, M), with run axes (R, D, M); "
                'give the others to Adam: by_name(("b", "gamma", "beta"), adamw(1e-3), rest=muon(0.02))'
            )
        write(self, w, g, lr, t, *slots)


# The fast form of a rule, by the very function `step`: another `step` of a subclass runs as it is written.
_IN_PLACE = {sgd.step: fast.sgd, momentum.step: fast.momentum, adam.step: fast.adam, adamw.step: fast.adamw}


@functools.lru_cache(maxsize=64)
def _mu_product(beta1, momentum_decay, t):
    """Factors are below beta1, so once beta1**t is below 1e-20 the product no longer shows beside 1."""
    enough = 1 + int(-46 / np.log(beta1)) if beta1 else 1
    return float(np.prod(beta1 * (1 - 0.5 * 0.96 ** (np.arange(1, min(t, enough) + 1) * momentum_decay))))


def global_norm(grads, *, run_axes: int = 0) -> np.ndarray:
    r"""Euclidean norm of all gradients together, $\sqrt{\sum_i g_i^2}$ over every entry of every array.

    Parameters
    ----------
    grads : array, or dict of arrays (may nest)
    run_axes : how many axes in front are run axes; the norm is then one a run

    Returns
    -------
    scalar of float64, or an array of the run axes' shape

    >>> float(global_norm({"w": np.array([[3.0]]), "b": np.array([4.0])}))
    5.0
    """
    run_axes = _checks.whole("run_axes", run_axes, 0)
    norms = []
    for path, g in trees.float_leaves("grads", grads).items():
        if g.ndim < run_axes:
            raise ShapeError(f"grads{path} has shape {g.shape}, but run_axes={run_axes} axes in front were announced")
        norms.append(euclidean(g, tuple(range(run_axes, g.ndim))))
    return euclidean(np.stack(np.broadcast_arrays(*norms)), (0,))


@dataclass(frozen=True)
class global_norm_clip:
    r"""Gradient clipping: when all gradients together are longer than `max_norm`, shorten them to it.

    $$g \leftarrow g \cdot \min\left(1, \frac{\text{max\_norm}}{\lVert g \rVert + 10^{-6}}\right)$$

    The direction stays (Pascanu et al. 2013). The same as `torch.nn.utils.clip_grad_norm_`; TensorFlow's
    `clip_by_global_norm` has no 1e-6. It is a function of gradients; `chain` puts it in front of an optimizer.

    Parameters
    ----------
    max_norm : longest norm that is let through
    run_axes : how many axes in front are run axes; each run is then clipped by itself

    >>> clip = global_norm_clip(1.0)
    >>> clip({"w": np.array([3.0]), "b": np.array([4.0])})["w"].round(4)
    array([0.6])
    >>> chain(clip, momentum(0.1))
    chain(global_norm_clip(max_norm=1.0, run_axes=0), momentum(lr=0.1, decay=0.9, weight_decay=0.0))
    """

    max_norm: float
    _: KW_ONLY
    run_axes: int = 0

    def __post_init__(self):
        _checks.number("max_norm", self.max_norm, 0, open_low=True)
        _checks.whole("run_axes", self.run_axes, 0)

    def __call__(self, grads):
        """The gradients, shortened where they are too long; new arrays."""
        norm = global_norm(grads, run_axes=self.run_axes)
        scale = np.minimum(1.0, self.max_norm / (norm + 1e-6))

        def clipped(g):
            with np.errstate(invalid="ignore"):  # an infinite gradient becomes NaN, for the loss to report
                return g * scale.reshape(scale.shape + (1,) * (g.ndim - scale.ndim)).astype(g.dtype)

        return trees.map_leaves(clipped, grads)


class chain:
    """An optimizer with functions of the gradient in front of it, such as `global_norm_clip`.

    >>> optimizer = chain(global_norm_clip(1.0), sgd(1.0))
    >>> w = np.array([0.0, 0.0])
    >>> optimizer.update(w, np.array([30.0, 40.0]), optimizer.init(w))[0].round(4)
    array([-0.6, -0.8])
    """

    def __init__(self, *parts):
        *functions, optimizer = parts or [None]
        if not all(hasattr(optimizer, name) for name in ("init", "update")):
            raise DTypeError(
                f"the last part of a chain is an optimizer, but {_checks.describe(optimizer)} arrived; "
                "write chain(global_norm_clip(1.0), adam(1e-3))"
            )
        for function in functions:
            if not callable(function):
                raise DTypeError(
                    f"{_checks.describe(function)} is no function of the gradient; "
                    "write chain(global_norm_clip(1.0), adam(1e-3))"
                )
        self.functions, self.optimizer = tuple(functions), optimizer

    def __repr__(self):
        return f"chain({', '.join(map(repr, (*self.functions, self.optimizer)))})"

    def init(self, params):
        """The optimizer's state."""
        return self.optimizer.init(params)

    def update(self, params, grads, state, *, inplace=False):
        """Apply the functions to grads from left to right, then the optimizer."""
        for function in self.functions:
            grads = function(grads)
        return self.optimizer.update(params, grads, state, inplace=inplace)


class by_name:
    """One optimizer for the parameters of some names, another for the rest; PyTorch calls these parameter groups.

    AdamW as it is used, without decay on biases and norms, and Muon, which is for matrices only:

    >>> no_decay = by_name(("b", "gamma", "beta"), adamw(1e-3, weight_decay=0.0), rest=adamw(1e-3, weight_decay=0.1))
    >>> for_matrices = by_name(("b",), adamw(1e-3), rest=muon(0.02))
    >>> params = {"dense_0": {"w": np.ones((2, 2)), "b": np.ones(2)}}
    >>> zero = trees.map_leaves(np.zeros_like, params)
    >>> no_decay.update(params, zero, no_decay.init(params))[0]["dense_0"]["b"]
    array([1., 1.])

    Parameters
    ----------
    names : the last keys of the parameters that the first optimizer gets, or whole layers: ("b", "dense_4")
    named, rest : optimizers
    """

    def __init__(self, names: tuple[str, ...], named, *, rest):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise DTypeError(f'names is {names!r}; expected a tuple of names such as ("b", "gamma", "beta")')
        for optimizer in (named, rest):
            _refuse_no_optimizer(optimizer, 'by_name(("b",), adamw(1e-3), rest=muon(0.02))')
        self.names, self.named, self.rest = tuple(names), named, rest

    def __repr__(self):
        return f"by_name({self.names!r}, {self.named!r}, rest={self.rest!r})"

    def init(self, params) -> dict:
        """The states of both."""
        parts = self._parts(params)
        return {"step": 0} | {side: getattr(self, side).init(part) for side, part in parts.items() if part}

    def update(self, params, grads, state, *, inplace=False) -> tuple:
        """One update of all params, see `Optimizer.update`."""
        new: dict = {}
        states = {"step": state["step"] + 1}
        gradients = self._parts(grads)
        for side, part in self._parts(params).items():
            if part:
                updated, states[side] = getattr(self, side).update(part, gradients[side], state[side], inplace=inplace)
                new |= updated
        return trees.rebuilt(params, [new[_key(path)] for path in trees.leaves(params)]), states

    def _parts(self, tree):
        parts = {"named": {}, "rest": {}}
        for path, leaf in trees.leaves(tree).items():
            parts["named" if set(path).intersection(self.names) else "rest"][_key(path)] = leaf
        return parts


def _key(path):
    return "/".join(map(str, path)) or "w"


def by_layer(default, rules: dict | None = None) -> ByLayer:
    """An optimizer that trains each layer by its own rule.

    Parameters
    ----------
    default : the optimizer of all layers that `rules` does not name; None: they stay as they are
    rules : {layer's name: optimizer, or None for a frozen layer}

    Returns
    -------
    An optimizer like those of `coursekit.optimizers`. Nothing moves a frozen layer: no momentum that is left over, no
    weight decay. (Batch norm's running statistics are state, not params; they move in training mode all the same.)

    Notes
    -----
    PyTorch has parameter groups for this, and `requires_grad_(False)`; optax calls it `multi_transform`.

    >>> optimizer = by_layer(sgd(0.01), {"conv2d_0": None, "dense_9": sgd(0.1)})
    >>> params = {name: {"w": np.ones(1)} for name in ("conv2d_0", "dense_7", "dense_9")}
    >>> after, state = optimizer.update(params, params, optimizer.init(params))
    >>> {name: float(p["w"][0]) for name, p in after.items()}
    {'conv2d_0': 1.0, 'dense_7': 0.99, 'dense_9': 0.9}
    """
    rules = {} if rules is None else rules
    if not isinstance(rules, dict):
        raise DTypeError(f"rules is {_checks.describe(rules)}, but must be a dict {{layer: optimizer or None}}")
    for name, rule in {"default": default, **rules}.items():
        if rule is not None and not (hasattr(rule, "init") and hasattr(rule, "update")):
            raise DTypeError(
                f"the rule of {name} is {_checks.describe(rule)}, but must be an optimizer such as sgd(0.01), "
                "or None for layers that stay as they are"
            )
    return ByLayer(default, dict(rules))


@dataclass(frozen=True)
class ByLayer:
    """What `by_layer` makes."""

    default: object
    rules: dict

    def init(self, params: dict) -> dict:
        """`{"step": 0, "layers": {name: the state of its optimizer}}`; nothing is kept for a frozen layer."""
        return {"step": 0, "layers": {name: rule.init(params[name]) for name, rule in self._trained(params).items()}}

    def update(self, params, grads, state, *, inplace=False) -> tuple:
        """One update, each layer by its own rule; see `Optimizer.update`.

        `grads` of frozen layers may be left out.
        """
        trained = self._trained(params)
        self._check(params, grads, state, trained)
        params, layers = dict(params), {}
        for name, rule in trained.items():
            numbers = params[name], grads[name], state["layers"][name]
            params[name], layers[name] = rule.update(*numbers, inplace=inplace)
        return params, {"step": state["step"] + 1, "layers": layers}

    def _check(self, params, grads, state, trained):
        """Everything is looked at before anything is changed."""
        if not isinstance(state, dict) or set(state.get("layers", ())) != set(trained):
            raise ShapeError(
                f"state must hold the layers {', '.join(trained)}; make it with state = optimizer.init(params)"
            )
        if missing := [name for name in trained if name not in grads]:
            raise ShapeError(f"grads must hold an entry for every layer that is trained; missing: {missing}")
        if unknown := [name for name in grads if name not in params]:
            raise ShapeError(f"grads hold {unknown}, but params hold {', '.join(params)}")
        for name in trained:
            weights = trees.float_leaves(f"params[{name!r}]", params[name])
            trees.alike(f"grads[{name!r}]", grads[name], f"params[{name!r}]", weights)

    def _trained(self, params):
        if not isinstance(params, dict):
            raise DTypeError(f"params is {_checks.describe(params)}, but must be a dict of layers")
        if unknown := [name for name in self.rules if name not in params]:
            raise RangeError(
                f"there is no layer {', '.join(map(repr, unknown))} with params; there are {', '.join(params)}"
            )
        chosen = {name: self.rules.get(name, self.default) for name in params}
        trained = {name: rule for name, rule in chosen.items() if rule is not None}
        if not trained:
            raise RangeError("every layer is frozen: nothing would be learnt; give one of them an optimizer")
        return trained


class accumulate:
    r"""One update for every k batches, with the mean of their gradients: batches k times as large in the same memory.

    $$\frac1k \sum_{j=1}^k g_j = g \quad \text{of all } kB \text{ examples}$$

    if each $g_j$ is the mean over B examples, and no example's gradient depends on the others of its batch: so not with
    batch norm. A schedule counts the updates, not the batches.

    Parameters
    ----------
    optimizer : what makes the update
    every : $k$, how many batches an update is made of

    >>> optimizer, w = accumulate(sgd(0.1), every=2), np.array([1.0])
    >>> state = optimizer.init(w)
    >>> for g in (2.0, 4.0):
    ...     w, state = optimizer.update(w, np.array([g]), state)
    ...     print(w)
    [1.]
    [0.7]
    """

    def __init__(self, optimizer, every: int):
        _refuse_no_optimizer(optimizer, "accumulate(adam(1e-3), every=4)")
        self.optimizer, self.every = optimizer, _checks.whole("every", every)

    def __repr__(self):
        return f"accumulate({self.optimizer!r}, every={self.every})"

    def init(self, params) -> dict:
        """The optimizer's state, and a sum of gradients."""
        sums = trees.map_leaves(np.zeros_like, params)
        return {"step": 0, "sum": sums, "optimizer": self.optimizer.init(params)}

    def update(self, params, grads, state, *, inplace=False) -> tuple:
        """Add the gradients; after every k of them, update the params."""
        rows = trees.rows({"params": params, "grads": grads, "sum": state["sum"]})
        sums = trees.rebuilt(params, [total + (g / self.every).astype(total.dtype) for _, g, total in rows])
        state = state | {"step": state["step"] + 1, "sum": sums}
        if state["step"] % self.every:
            return params, state
        params, inner = self.optimizer.update(params, sums, state["optimizer"], inplace=inplace)
        return params, state | {"sum": trees.map_leaves(np.zeros_like, sums), "optimizer": inner}


def _refuse_no_optimizer(optimizer, example):
    if not all(hasattr(optimizer, name) for name in ("init", "update")):
        raise DTypeError(f"{_checks.describe(optimizer)} is no optimizer; write {example}")
