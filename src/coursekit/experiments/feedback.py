"""Chapter 14: a network that forecasts many steps ahead reads its own forecasts. Was it trained to?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _checks, data, optimizers
from ..initializers import orthogonal
from ..layers import Layer
from ..losses import mean_squared_error
from ..recurrent import rnn_step_backward, rnn_step_forward
from ._bench import descend, quiet, shared
from .recurrent_networks import torch_start

WARM, AHEAD = 20, 15  # years that are read, years that are forecast
FED = ("teacher forcing", "own forecasts")
RATES = (0.001, 0.003, 0.01)


@dataclass(frozen=True)
class Ahead(Layer):
    """A plain RNN that reads `warm` true values, and then either true ones or its own output.

    Parameters
    ----------
    hidden : units
    warm : true values that are read first
    own : after that it reads what it put out in the step before; the gradient goes back along this way too
    """

    hidden: int
    warm: int
    own: bool

    def init(self, rng, *, dtype=np.float64):
        """Orthogonal recurrent weights, PyTorch's uniform ones elsewhere."""
        return {
            "wx": torch_start(rng, (1, self.hidden), dtype=dtype),
            "wh": orthogonal(rng, (self.hidden, self.hidden), dtype=dtype),
            "b": np.zeros((self.hidden,), dtype),
            "w": torch_start(rng, (self.hidden, 1), dtype=dtype),
            "c": np.zeros((1,), dtype),
        }, {}

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, warm + K - 1, 1) true values -> (..., N, K, 1): each output forecasts the next value."""
        h = np.zeros((*x.shape[:-2], self.hidden), x.dtype)
        outs, caches, states = [], [], []
        for t in range(x.shape[-2]):
            read = outs[-1] if self.own and t >= self.warm else x[..., t, :]
            h, cache = rnn_step_forward(read, h, params["wx"], params["wh"], params["b"])
            caches.append(cache)
            states.append(h)
            if t >= self.warm - 1:
                outs.append(h @ params["w"] + params["c"])
        return np.stack(outs, axis=-2), (caches, states, params["w"]), state

    def backward(self, dout, cache):
        """An output that was read has two gradients: that of its own error, and what comes back from the next step."""
        caches, states, w = cache
        dh, back, totals = 0, 0, {}
        for t in reversed(range(len(caches))):
            dparams = {}
            if t >= self.warm - 1:
                dy = dout[..., t - self.warm + 1, :] + back
                dparams = {"w": np.swapaxes(states[t], -1, -2) @ dy, "c": dy.sum(axis=-2, keepdims=dy.ndim > 2)}
                dh = dh + dy @ np.swapaxes(w, -1, -2)
            dx, dh, *grads = rnn_step_backward(dh, caches[t])
            back = dx if self.own and t >= self.warm else 0
            dparams |= dict(zip(("wx", "wh", "b"), grads, strict=True))
            for name, grad in dparams.items():
                totals[name] = totals.get(name, 0) + grad
        return None, totals


@shared()
def _windows() -> dict:
    """Sunspots, each window `WARM + AHEAD` years: those to train with, to choose a rate with, and to test with."""
    values = data.series("sunspots_year").values.astype(np.float64)
    ends = {"training": int(0.55 * len(values)), "validation": int(0.7 * len(values)), "test": len(values)}
    mean, std = values[: ends["training"]].mean(), values[: ends["training"]].std()
    z, length, parts, first = (values - mean) / std, WARM + AHEAD, {}, 0
    for name, end in ends.items():
        starts = range(max(first - WARM, 0), end - length + 1)  # a forecast value belongs to one part only
        parts[name] = np.stack([z[s : s + length] for s in starts])[..., None]
        first = end
    return parts | {"std": float(std)}


def train(fed: str, lr, seeds, steps: int = 400, hidden: int = 12) -> tuple[Ahead, dict]:
    """R networks in one pass: `lr` and `seeds` (R,). The layer that forecasts from its own output, and its params."""
    _checks.choice("fed", fed, FED)
    windows, rngs = _windows()["training"], [np.random.default_rng(seed) for seed in seeds]
    layer = Ahead(hidden, WARM, own=fed == FED[1])
    starts = [layer.init(rng)[0] for rng in rngs]
    params = {name: np.stack([s[name] for s in starts]) for name in starts[0]}
    params |= {name: params[name][:, None] for name in ("b", "c")}

    def sample():
        batch = windows[np.array([rng.integers(0, len(windows), 32) for rng in rngs])]
        return batch[..., :-1, :], batch[..., WARM:, :]

    rule = optimizers.chain(optimizers.global_norm_clip(1.0, run_axes=1), optimizers.adam(np.asarray(lr)))
    run = descend(layer, params, sample, rule, steps=steps, loss=mean_squared_error)
    return Ahead(hidden, WARM, own=True), run.params


def errors(layer: Ahead, params: dict, part: str) -> np.ndarray:
    """Root mean square error (R, AHEAD) in sunspots by how many years ahead, reading its own forecasts."""
    x = _windows()[part]
    with quiet():
        out, _, _ = layer.forward(params, {}, x[None, :, :-1], training=False)
        return _windows()["std"] * np.sqrt(((out - x[None, :, WARM:]) ** 2).mean(axis=(1, 3)))


def ahead(seeds=range(5), rates=RATES, steps: int = 400) -> dict:
    """Both kinds of training, each at its own rate, chosen by the mean error over all years ahead on validation years.

    Returns
    -------
    fed : {kind: (S, AHEAD)} errors on the test years, in sunspots
    rates : {kind: chosen rate}
    naive, linear : (AHEAD,) the last value for all years; the autoregression of nine years, reading its own forecasts
    """
    seeds, found = list(seeds), {"fed": {}, "rates": {}}
    for kind in FED:
        lr, seed = np.repeat(rates, len(seeds)), np.tile(seeds, len(rates))
        layer, params = train(kind, lr, seed, steps)
        shape = (len(rates), len(seeds), AHEAD)
        validation, test = (errors(layer, params, part).reshape(shape) for part in ("validation", "test"))
        best = int(np.nanargmin(validation.mean(axis=(1, 2))))
        found["fed"][kind], found["rates"][kind] = test[best], rates[best]
    return found | rivals()


def rivals() -> dict:
    """The naive forecast and the autoregression, (AHEAD,) errors each."""
    windows, test = _windows()["training"][..., 0], _windows()["test"][..., 0]
    rows = np.column_stack([np.ones(len(windows)), windows[:, WARM - 9 : WARM]])
    fit = np.linalg.lstsq(rows, windows[:, WARM], rcond=None)[0]
    read = test[:, :WARM]
    for _ in range(AHEAD):
        read = np.column_stack([read, fit[0] + read[:, -9:] @ fit[1:]])
    std, truth = _windows()["std"], test[:, WARM:]
    return {
        "naive": std * np.sqrt(((test[:, [WARM - 1]] - truth) ** 2).mean(axis=0)),
        "linear": std * np.sqrt(((read[:, WARM:] - truth) ** 2).mean(axis=0)),
    }
