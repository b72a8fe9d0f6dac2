"""Chapter 14: backpropagation through time that stops at the border of a piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import optimizers
from ..layers import RNN, Dense, LastStep, Layer
from ..losses import softmax_cross_entropy
from ..model import Sequential, accuracy, predict
from ..recurrent import rnn_backward, rnn_forward
from ._bench import descend
from .recurrent_networks import delayed_recall


@dataclass(frozen=True)
class InPieces(Layer):
    """A plain recurrent layer, truncated: the state goes on from piece to piece, the gradient does not.

    Parameters
    ----------
    layer : an `RNN`; its params are this layer's params
    piece : steps of a piece
    """

    layer: RNN
    piece: int

    def init(self, rng, *, dtype=np.float32):
        """The layer's own."""
        return self.layer.init(rng, dtype=dtype)

    def forward(self, params, state, x, *, training, rng=None):
        """x (N, T, D) -> (N, T, H), the same as without pieces."""
        h, outs, caches = np.zeros((len(x), self.layer.hidden), x.dtype), [], []
        for first in range(0, x.shape[1], self.piece):
            out, cache = rnn_forward(x[:, first : first + self.piece], h, params["wx"], params["wh"], params["b"])
            h = out[:, -1]
            outs.append(out)
            caches.append(cache)
        return np.concatenate(outs, axis=1), caches, state

    def backward(self, dout, cache):
        """Each piece for itself: what would go back into the piece before, dh0, is dropped."""
        starts = range(0, dout.shape[1], self.piece)
        parts = [rnn_backward(dout[:, s : s + self.piece], c) for s, c in zip(starts, cache, strict=True)]
        dx, _, *grads = zip(*parts, strict=True)
        return np.concatenate(dx, axis=1), {name: sum(g) for name, g in zip(("wx", "wh", "b"), grads, strict=True)}


def learn(piece: int, delay: int = 20, steps: int = 200, hidden: int = 16, seeds=(0, 1, 2)) -> np.ndarray:
    """Accuracy (S,) on 200 new sequences after training an RNN, orthogonal start, to recall the first of 21 symbols."""
    net = Sequential([InPieces(RNN(4, hidden), piece), LastStep(), Dense(hidden, 2)])
    rule = optimizers.chain(optimizers.global_norm_clip(1.0), optimizers.adam(3e-3))
    x, y = delayed_recall(np.random.default_rng(1000), 200, delay)
    result = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        params, _ = net.init(rng)
        run = descend(net, params, lambda rng=rng: delayed_recall(rng, 32, delay), rule, steps=steps)
        result.append(accuracy(predict(net, run.params, {}, x), y))
    return np.array(result)


def first_gradient(piece: int, delay: int = 20, hidden: int = 16, seed: int = 0) -> float:
    """Norm of the loss's gradient with respect to the input weights of the first symbol, before training.

    Nothing but the first step uses them, so where the chain is cut the gradient is exactly 0.
    """
    rng = np.random.default_rng(seed)
    net = Sequential([InPieces(RNN(4, hidden), piece), LastStep(), Dense(hidden, 2)])
    params, _ = net.init(rng, dtype=np.float64)
    x, y = delayed_recall(rng, 32, delay)
    out, cache, _ = net.forward(params, {}, x.astype(np.float64), training=True)
    grads = net.backward_first(softmax_cross_entropy(out, y)[1], cache)
    return float(np.linalg.norm(grads[net.names[0]]["wx"][:2]))
