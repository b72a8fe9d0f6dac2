"""Transfer learning: cut a trained network in two, and give each layer its own optimizer, or none.

There are two ways to freeze layers. `split` cuts the network, so that the frozen part is run once over the data and the
rest is trained on what it gave: the cheapest way. `by_layer` leaves the network whole and trains each layer by its own
rule; a layer without a rule stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _checks, trees
from .errors import DTypeError, RangeError, ShapeError
from .model import Sequential

__all__ = ["ByLayer", "by_layer", "split"]


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

    >>> import numpy as np
    >>> from coursekit.optimizers import sgd
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
