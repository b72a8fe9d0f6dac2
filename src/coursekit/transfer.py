"""Transfer learning: cut a trained network in two.

There are two ways to freeze layers. `split` cuts the network, so that the frozen part is run once over the data and the
rest is trained on what it gave: the cheapest way. `coursekit.optimizers.by_layer` leaves the network whole and trains
each layer by its own rule; a layer without a rule stays as it is.
"""

from __future__ import annotations

from . import _checks
from ._moved import moved
from .errors import DTypeError, RangeError
from .model import Sequential

__all__ = ["split"]

__getattr__ = moved(__name__, {name: f"coursekit.optimizers.{name}" for name in ("ByLayer", "by_layer")})


def split(net: Sequential, params: dict, state: dict, at: int) -> tuple[tuple, tuple]:
    """Cut a network before layer number `at`.

    Parameters
    ----------
    net : a Sequential
    params, state : its numbers; they are shared with the parts, not copied
    at : how many layers go into the first part, at least 1 and fewer than all

    Returns
    -------
    (body, params, state), (head, params, state)
        Two networks with their numbers. A Sequential names its layers by their place, so the second part's
        `dense_4` may be its `dense_0`.

    >>> import numpy as np
    >>> from coursekit.layers import Dense, ReLU
    >>> net = Sequential([Dense(6, 5), ReLU(), Dense(5, 3)])
    >>> params, state = net.init(np.random.default_rng(0))
    >>> (body, body_params, _), (head, head_params, _) = split(net, params, state, 2)
    >>> list(body_params), list(head_params)
    (['dense_0'], ['dense_0'])
    >>> head_params["dense_0"]["w"].shape
    (5, 3)
    """
    if not isinstance(net, Sequential):
        raise DTypeError(f"net is {_checks.describe(net)}, but must be a Sequential")
    if _checks.whole("at", at) >= len(net.layers):
        raise RangeError(
            f"at is {at}, but the network has {len(net.layers)} layers: {', '.join(net.names)}; "
            f"expected 1 to {len(net.layers) - 1}, so that both parts hold a layer"
        )
    parts: list = []
    for layers, names in ((net.layers[:at], net.names[:at]), (net.layers[at:], net.names[at:])):
        part = Sequential(layers)
        here = [
            {new: tree[old] for new, old in zip(part.names, names, strict=True) if old in tree}
            for tree in (params, state)
        ]
        parts.append((part, *here))
    body, head = parts
    return body, head
