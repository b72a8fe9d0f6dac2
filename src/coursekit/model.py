"""Networks: `Sequential`, many of them in one pass (`stack_runs`), and what they answer (`predict`, `accuracy`)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import _checks
from ._moved import moved
from .errors import DTypeError, ShapeError
from .layers import Layer

__all__ = ["Sequential", "accuracy", "predict", "stack_runs"]

__getattr__ = moved(__name__, {name: f"coursekit.training.{name}" for name in ("History", "minibatches", "train")})


@dataclass(frozen=True)
class Sequential(Layer):
    """Layers one after the other; itself a layer.

    Its params, grads and caches are keyed by each layer's name, `dense_0`, `relu_1`, ...; layers without params are
    left out.

    >>> from coursekit.layers import Dense, ReLU
    >>> net = Sequential([Dense(784, 100), ReLU(), Dense(100, 10)])
    >>> params, state = net.init(np.random.default_rng(0))
    >>> {name: p["w"].shape for name, p in params.items()}
    {'dense_0': (784, 100), 'dense_2': (100, 10)}
    >>> scores, cache, state = net.forward(params, state, np.zeros((5, 784), np.float32), training=False)
    >>> scores.shape
    (5, 10)
    """

    layers: Sequence[Layer]

    def __post_init__(self):
        layers = tuple(self.layers)
        if not layers:
            raise ShapeError("Sequential got no layers; write Sequential([Dense(784, 10)])")
        for layer in layers:
            if not all(hasattr(layer, m) for m in ("init", "forward", "backward")):
                raise DTypeError(f"{layer!r} is not a layer; layers are objects such as ReLU(), with brackets")
        object.__setattr__(self, "layers", layers)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The layers' names in order."""
        return tuple(f"{type(layer).__name__.lower()}_{i}" for i, layer in enumerate(self.layers))

    def init(self, rng, *, dtype=np.float32):
        """Draw the params of all layers, first to last, from one generator."""
        rng = _checks.generator("rng", rng)
        drawn = {name: layer.init(rng, dtype=dtype) for name, layer in zip(self.names, self.layers, strict=True)}
        return {n: p for n, (p, _) in drawn.items() if p}, {n: s for n, (_, s) in drawn.items() if s}

    def forward(self, params, state, x, *, training, rng=None):
        """x -> (out, cache, state), through all layers."""
        caches, new_state = [], dict(state)
        for name, layer in zip(self.names, self.layers, strict=True):
            x, cache, layer_state = layer.forward(
                params.get(name, {}), state.get(name, {}), x, training=training, rng=rng
            )
            caches.append(cache)
            if layer_state:
                new_state[name] = layer_state
        return x, tuple(caches), new_state

    def backward(self, dout, cache):
        """dout -> (dx, grads), through all layers from last to first."""
        dout, grads = self._backward_rest(dout, cache)
        dx, first = self.layers[0].backward(dout, cache[0])
        return dx, self._with_first(first, grads)

    def backward_first(self, dout, cache):
        """The grads alone, without the gradient of the network's input."""
        dout, grads = self._backward_rest(dout, cache)
        return self._with_first(self.layers[0].backward_first(dout, cache[0]), grads)

    def _backward_rest(self, dout, cache):
        """Through all layers but the first: (the gradient of what they were given, their grads)."""
        grads = {}
        for i in reversed(range(1, len(self.layers))):
            dout, g = self.layers[i].backward(dout, cache[i])
            if g:
                grads[self.names[i]] = g
        return dout, dict(reversed(grads.items()))

    def _with_first(self, first, grads):
        return {self.names[0]: first, **grads} if first else grads

    def activations(self, params: dict, state: dict, x: np.ndarray, *, training=False, rng=None) -> dict:
        """Every layer's output by name, for looking at."""
        outputs = {}
        for name, layer in zip(self.names, self.layers, strict=True):
            x, _, _ = layer.forward(params.get(name, {}), state.get(name, {}), x, training=training, rng=rng)
            outputs[name] = x
        return outputs


def stack_runs(params: list[dict]) -> dict:
    """Put the params of several networks along a run axis in front, so that one pass serves them all.

    Arrays with one axis (M,) become (R, 1, M), so that they broadcast over the batch; all others (R, ...).

    >>> from coursekit.layers import Dense
    >>> nets = [Dense(3, 2).init(np.random.default_rng(seed))[0] for seed in range(7)]
    >>> {name: p.shape for name, p in stack_runs(nets).items()}
    {'w': (7, 3, 2), 'b': (7, 1, 2)}
    """
    if not params:
        raise ShapeError("stack_runs got no networks; give a list of params, one entry a run")
    first = params[0]
    if isinstance(first, dict):
        return {name: stack_runs([p[name] for p in params]) for name in first}
    stacked = np.stack(params)
    return stacked[:, None] if first.ndim == 1 else stacked


def accuracy(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of rows whose largest score is the true class; (...,) with run axes.

    >>> float(accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])))
    0.5
    """
    _, classes = _checks.shape("scores (..., N, C)", scores=scores).values()
    labels = _checks.labels(labels, classes, scores.shape[:-1])
    return (scores.argmax(axis=-1) == labels).mean(axis=-1)


def predict(model: Layer, params: dict, state: dict, x: np.ndarray, *, batch_size: int = 1000) -> np.ndarray:
    """The network's output in eval mode, worked out in batches so that memory stays small."""
    batch_size = _checks.whole("batch_size", batch_size)
    if not isinstance(x, np.ndarray):
        raise DTypeError(f"x is {_checks.describe(x)}, but must be a NumPy array: np.asarray(x)")
    if x.ndim == 0 or len(x) == 0:
        raise ShapeError(f"x is empty, of shape {x.shape}; expected at least one example, (N, ...)")
    for name, given in (("params", params), ("state", state)):
        if not isinstance(given, dict):
            raise DTypeError(f"{name} is {_checks.describe(given)}, but must be the dict that training gave")
    try:
        parts = [
            model.forward(params, state, x[i : i + batch_size], training=False)[0] for i in range(0, len(x), batch_size)
        ]
    except KeyError:
        raise not_its_params(model, params) from None
    return np.concatenate(parts)


def not_its_params(model: Layer, params: dict) -> ShapeError:
    """What to raise where a network does not find its arrays in `params`."""
    wanted = ", ".join(getattr(model, "names", ())) or repr(model)
    found = ", ".join(map(str, params)) or "nothing"
    return ShapeError(f"the params are not those of this network: it has {wanted}, they have {found}")
