r"""Averages of the weights along a training: what one step at a rate that does not fall cannot give.

| average | rule | source |
|---|---|---|
| `ema` | $a \leftarrow \beta a + (1 - \beta) w$, an exponential moving average | Tarvainen and Valpola 2017 |
| `swa` | $a \leftarrow a + (w - a)/(n + 1)$, the mean of all weights that were seen | Izmailov et al. 2018 |

That a mean of the weights removes the noise of SGD is older than both: Polyak and Juditsky 1992.

The optimizer goes its way from w and never sees a; a is what one evaluates::

    average = ema(0.99)
    state = average.init(params)
    ...                                     # after each update
    state = average.update(state, params)
    net.forward(state["params"], ...)

Batch norm's running statistics belong to the weights w. After averaging they must be taken anew: send some batches
through the network in training mode with the averaged weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import _checks, trees

__all__ = ["ema", "swa"]


class _Average:
    def mean(self, average, value, count):
        raise NotImplementedError

    def init(self, params) -> dict:
        """The state before the first update: `{"count": 0, "params": copies}`."""
        trees.float_leaves("params", params)
        return {"count": 0, "params": trees.map_leaves(np.copy, params)}

    def update(self, state: dict, params) -> dict:
        """The state with these params in the average; nothing that is given is changed.

        As in PyTorch's `AveragedModel`, the first params that arrive are the average; what `init` was given only has
        their shapes.

        >>> average, w = ema(0.5), np.array([0.0])
        >>> state = average.init(w)
        >>> for value in (8.0, 4.0, 2.0):
        ...     state = average.update(state, np.array([value]))
        >>> float(state["params"][0]), state["count"]          # ((8 + 4) / 2 + 2) / 2
        (4.0, 3)
        """
        rows = trees.rows({"state['params']": state["params"], "params": params})
        new = [w.copy() if state["count"] == 0 else self.mean(a, w, state["count"]).astype(a.dtype) for a, w in rows]
        return {"count": state["count"] + 1, "params": trees.rebuilt(state["params"], new)}


@dataclass(frozen=True)
class ema(_Average):
    r"""Exponential moving average of the weights, $a \leftarrow \beta a + (1 - \beta) w$.

    It looks back over about $1/(1 - \beta)$ steps. PyTorch: `AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(b))`.

    Parameters
    ----------
    decay : $\beta$ in [0, 1)
    """

    decay: float = 0.999

    def __post_init__(self):
        _checks.number("decay", self.decay, 0, 1, open_high=True)

    def mean(self, a, w, count):
        """The rule."""
        return self.decay * a + (1 - self.decay) * w


@dataclass(frozen=True)
class swa(_Average):
    r"""Stochastic weight averaging: the plain mean of all weights that are given to it (Izmailov et al. 2018).

    $$a \leftarrow a + \frac{w - a}{n + 1}$$

    Begin when the training has reached its floor. PyTorch: `torch.optim.swa_utils.AveragedModel(net)`.

    >>> average, state = swa(), swa().init(np.array([0.0]))
    >>> for value in (8.0, 4.0, 3.0):
    ...     state = average.update(state, np.array([value]))
    >>> float(state["params"][0])
    5.0
    """

    def mean(self, a, w, count):
        """The rule."""
        return a + (w - a) / (count + 1)
