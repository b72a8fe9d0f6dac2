r"""Learning-rate schedules: functions from the step to the rate.

Each is a frozen object that is called with the number of updates made so far, from 0, and returns a float. It goes
where a rate goes, `momentum(cosine(0.1, steps=1000))`. Any function of the step does as well: with run axes,
`lambda step: np.array([a(step), b(step)])` gives every run its own schedule.

| schedule | rate at step $t$ | in PyTorch |
|---|---|---|
| `constant` | $\eta$ | |
| `step_decay` | $\eta\, d^{\lfloor t / k \rfloor}$ | `StepLR` |
| `exponential_decay` | $\eta\, r^t$ | `ExponentialLR` |
| `inverse_time_decay` | $\eta / (1 + r t)$ | |
| `cosine` | $\frac\eta2 (1 + \cos(\pi t / T))$ | `CosineAnnealingLR` |
| `linear` | straight down to 0 at step $T$ | `LinearLR`, `PolynomialLR` |
| `stable_decay` | $\eta$, and in the last part straight down to 0 | `ConstantLR`, `LinearLR` in a `SequentialLR` |
| `warmup` | grows to $\eta$, then another schedule | `LinearLR` in a `SequentialLR` |
| `one_cycle` | up and down again | `OneCycleLR` |

`warmup(stable_decay(0.1, 1000), 50)` is the schedule that is called warm-up-stable-decay, WSD.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from . import _checks

__all__ = [
    "constant",
    "cosine",
    "exponential_decay",
    "inverse_time_decay",
    "linear",
    "one_cycle",
    "stable_decay",
    "step_decay",
    "warmup",
]


@dataclass(frozen=True)
class constant:
    r"""The same rate $\eta$ for ever.

    >>> constant(0.1)(1000)
    0.1
    """

    lr: float

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        _checks.whole("step", step, 0)
        return float(self.lr)


@dataclass(frozen=True)
class step_decay:
    r"""Stepwise decay, $\eta\, d^{\lfloor t / k \rfloor}$: multiplied with `drop` after every `every` steps.

    PyTorch's `StepLR(step_size=every, gamma=drop)`. He et al. (2016) divide by 10 when the error stops falling.

    Parameters
    ----------
    lr : $\eta$, the first rate
    drop : $d$ in (0, 1], the factor
    every : $k$, steps between drops

    >>> schedule = step_decay(0.8, drop=0.5, every=100)
    >>> [schedule(step) for step in (0, 99, 100, 250)]
    [0.8, 0.8, 0.4, 0.2]
    """

    lr: float
    drop: float
    every: int

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.number("drop", self.drop, 0, 1, open_low=True)
        _checks.whole("every", self.every)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        return self.lr * self.drop ** (_checks.whole("step", step, 0) // self.every)


@dataclass(frozen=True)
class exponential_decay:
    r"""Continuous decay, $\eta\, r^t$: multiplied with `rate` at every step.

    PyTorch's `ExponentialLR(gamma=rate)`. Some texts write $\eta\, e^{-k t}$; that is $r = e^{-k}$.

    Parameters
    ----------
    lr : $\eta$, the first rate
    rate : $r$ in (0, 1], the factor, close to 1

    >>> schedule = exponential_decay(0.8, rate=0.99)
    >>> [round(schedule(step), 4) for step in (0, 1, 100)]
    [0.8, 0.792, 0.2928]
    """

    lr: float
    rate: float

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.number("rate", self.rate, 0, 1, open_low=True)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        return self.lr * self.rate ** _checks.whole("step", step, 0)


@dataclass(frozen=True)
class inverse_time_decay:
    r"""Decay as $\eta / (1 + r t)$, slow enough for SGD to get anywhere and fast enough for its noise to die out.

    The conditions $\sum \eta_t = \infty$, $\sum \eta_t^2 < \infty$ are those of Robbins and Monro (1951). Keras has it
    as `InverseTimeDecay(decay_steps=1)`; PyTorch has not.

    Parameters
    ----------
    lr : $\eta$, the first rate
    rate : $r$; after $1/r$ steps the rate has halved

    >>> schedule = inverse_time_decay(0.8, rate=0.01)
    >>> [schedule(step) for step in (0, 100, 300)]
    [0.8, 0.4, 0.2]
    """

    lr: float
    rate: float

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.number("rate", self.rate, 0)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        return self.lr / (1 + self.rate * _checks.whole("step", step, 0))


@dataclass(frozen=True)
class cosine:
    r"""Half a cosine from $\eta$ down to $\eta_{\min}$ in $T$ steps (Loshchilov and Hutter 2017, without restarts).

    $$\eta_{\min} + \tfrac12 (\eta - \eta_{\min}) \left(1 + \cos \frac{\pi t}{T}\right)$$

    PyTorch's `CosineAnnealingLR(T_max=steps, eta_min=end)`, but after $T$ steps this one stays at $\eta_{\min}$ and
    PyTorch's goes up again.

    Parameters
    ----------
    lr : $\eta$, the first rate
    steps : $T$
    end : $\eta_{\min}$

    >>> schedule = cosine(0.8, steps=100)
    >>> [round(schedule(step), 4) for step in (0, 25, 50, 100, 200)]
    [0.8, 0.6828, 0.4, 0.0, 0.0]
    """

    lr: float
    steps: int
    end: float = 0.0

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.whole("steps", self.steps)
        _checks.number("end", self.end, 0)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        step = min(_checks.whole("step", step, 0), self.steps)
        return _half_cosine(self.lr, self.end, step / self.steps)


@dataclass(frozen=True)
class linear:
    r"""Straight from $\eta$ down to $\eta_{\min}$ in $T$ steps, and then level.

    $$\eta + (\eta_{\min} - \eta) \frac{\min(t, T)}{T}$$

    PyTorch's `PolynomialLR(total_iters=steps)` with power 1, for an end at 0. Defazio et al. (2023) find that linear
    decay to 0 is what theory for the last step suggests, and at least as good as the cosine in their runs.

    Parameters
    ----------
    lr : $\eta$, the first rate
    steps : $T$
    end : $\eta_{\min}$

    >>> schedule = linear(0.8, steps=100)
    >>> [round(schedule(step), 4) for step in (0, 25, 50, 100, 200)]
    [0.8, 0.6, 0.4, 0.0, 0.0]
    """

    lr: float
    steps: int
    end: float = 0.0

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.whole("steps", self.steps)
        _checks.number("end", self.end, 0)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        share = min(_checks.whole("step", step, 0), self.steps) / self.steps
        return self.lr + (self.end - self.lr) * share


@dataclass(frozen=True)
class stable_decay:
    r"""The same rate for most of the steps, then straight down to 0: the second and third part of WSD (Hu et al. 2024).

    $$\eta \min\left(1, \frac{T - t}{f\, T}\right), \quad \text{and 0 after step } T$$

    Its first part does not depend on $T$. So one long training at the full rate can be ended at any time, by a decay
    that starts from what it has reached.

    Parameters
    ----------
    lr : $\eta$
    steps : $T$, all steps together
    fall : $f$ in (0, 1], the share of the steps on the way down; 1 is `linear`

    >>> schedule = stable_decay(0.8, steps=100, fall=0.2)
    >>> [round(schedule(step), 4) for step in (0, 80, 90, 100, 200)]
    [0.8, 0.8, 0.4, 0.0, 0.0]
    """

    lr: float
    steps: int
    fall: float = 0.2

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.whole("steps", self.steps)
        _checks.number("fall", self.fall, 0, 1, open_low=True)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        left = self.steps - min(_checks.whole("step", step, 0), self.steps)
        return self.lr * min(1.0, left / (self.fall * self.steps))


@dataclass(frozen=True)
class warmup:
    r"""Grow in a straight line from a share of the first rate to all of it, then go on with `after` from its step 0.

    A large rate early on can throw the weights far away (Goyal et al. 2017). PyTorch's `LinearLR` in a `SequentialLR`;
    the share at the start, a third, is PyTorch's default too.

    Parameters
    ----------
    after : a schedule or a number; what comes after the warm-up
    steps : length of the warm-up
    start : share of the rate at step 0, in [0, 1]

    >>> schedule = warmup(0.8, steps=4, start=0.5)
    >>> [round(schedule(step), 4) for step in range(6)]
    [0.4, 0.5, 0.6, 0.7, 0.8, 0.8]
    >>> warmup(cosine(0.8, steps=100), steps=4)
    warmup(after=cosine(lr=0.8, steps=100, end=0.0), steps=4, start=0.3333333333333333)
    """

    after: Any
    steps: int
    start: float = 1 / 3

    def __post_init__(self):
        if not callable(self.after):
            object.__setattr__(self, "after", constant(_checks.number("after", self.after, 0)))
        _checks.whole("steps", self.steps)
        _checks.number("start", self.start, 0, 1)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        step = _checks.whole("step", step, 0)
        if step >= self.steps:
            return self.after(step - self.steps)
        return self.after(0) * (self.start + (1 - self.start) * step / self.steps)


@dataclass(frozen=True)
class one_cycle:
    r"""Up to the largest rate, then far down, each along half a cosine (Smith and Topin 2019).

    From $\eta / d$ up to $\eta$ in the first share $p$ of the steps, then down to $\eta / (d f)$. PyTorch's
    `OneCycleLR(max_lr=lr, total_steps=steps)` with its defaults; the paper has straight lines and moves the momentum
    the other way. After the last step the rate stays.

    Parameters
    ----------
    lr : $\eta$, the largest rate
    steps : length of the cycle, at least 2
    rise : $p$ in (0, 1), the share of the steps on the way up
    start_div : $d \ge 1$, by how much smaller the first rate is
    end_div : $f \ge 1$, by how much the last rate is smaller than the first

    >>> schedule = one_cycle(1.0, steps=101, rise=0.21 / 1.01)
    >>> [round(schedule(step), 4) for step in (0, 10, 20, 60, 100, 101)]
    [0.04, 0.52, 1.0, 0.5, 0.0, 0.0]
    """

    lr: float
    steps: int
    rise: float = 0.3
    start_div: float = 25.0
    end_div: float = 1e4

    def __post_init__(self):
        _checks.number("lr", self.lr, 0)
        _checks.whole("steps", self.steps, 2)
        _checks.number("rise", self.rise, 0, 1, open_low=True, open_high=True)
        _checks.number("start_div", self.start_div, 1)
        _checks.number("end_div", self.end_div, 1)

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        step = min(_checks.whole("step", step, 0), self.steps - 1)
        first = self.lr / self.start_div
        top = self.rise * self.steps - 1  # the step of the largest rate, counted from 0
        if step < top:
            return _half_cosine(first, self.lr, step / top)
        return _half_cosine(self.lr, first / self.end_div, (step - top) / (self.steps - 1 - top))


def _half_cosine(start, end, share):
    """From start to end as share goes from 0 to 1, level at both."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
