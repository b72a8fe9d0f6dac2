"""Chapter 06: batch normalization, what it does to training, and what its two modes do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import _checks
from ..initializers import he_normal, normal
from ..layers import BatchNorm, Layer, LayerNorm, RMSNorm
from ..losses import softmax_cross_entropy
from ..model import Sequential, accuracy, stack_runs
from ..normalization import batch_norm_backward, batch_norm_forward
from ..optimizers import sgd
from ._bench import NORM_PLACES, descend, digits, drawn, mlp, pool, quiet, residual_mlp, searched, small_mnist

SCALES = np.geomspace(1e-4, 1, 16)  # standard deviations of the first weights, those of Saitoh's figure
NORMS = ("none", "batch norm", "layer norm", "batch norm and noise")


@dataclass(frozen=True)
class Noise(Layer):
    """Noise after a normalization, in the manner of Santurkar et al. 2018: what was normalized is so no longer.

    In training each unit gets, at each step, a shift drawn from [-shift, shift] and a factor from [1, 1 + scale], and
    then each entry gets a shift and a factor of its own, a fifth of these in size. New ones are drawn for every step,
    so that means and variances jump about. In eval mode the layer does nothing.
    """

    shift: float = 0.5
    scale: float = 0.25

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, D), same shape out; the cache is the factor of every entry."""
        if not training:
            return x, None, state
        rng, one = _checks.generator("rng", rng), (*x.shape[:-2], 1, x.shape[-1])
        factor = 1 + self.scale * rng.random(one) + self.scale / 5 * rng.random(x.shape)
        shift = self.shift * rng.uniform(-1, 1, one) + self.shift / 5 * rng.uniform(-1, 1, x.shape)
        factor = factor.astype(x.dtype)
        return x * factor + shift.astype(x.dtype), factor, state

    def backward(self, dout, cache):
        """The gradient of the output -> that of x."""
        return dout if cache is None else dout * cache, {}


@dataclass(frozen=True)
class GhostBatchNorm(BatchNorm):
    """Batch norm whose statistics come from groups of `size` examples, a part of the batch that makes the step."""

    size: int = 16

    def forward(self, params, state, x, *, training, rng=None):
        """x (..., N, D), N a multiple of `size`; same shape out."""
        if not training:
            return super().forward(params, state, x, training=False)
        groups = x.reshape(*x.shape[:-2], -1, self.size, x.shape[-1])
        gamma, beta, mean, var = (
            a if a.ndim == 1 else a[..., None, :, :]
            for a in (params["gamma"], params["beta"], state["mean"], state["var"])
        )
        out, cache, running = batch_norm_forward(
            groups, gamma, beta, {"mean": mean, "var": var}, training=True, momentum=self.momentum, eps=self.eps
        )
        running = {name: value.mean(axis=-3).reshape(state[name].shape) for name, value in running.items()}
        return out.reshape(x.shape), (cache, params["gamma"].shape), running

    def backward(self, dout, cache):
        """The gradient of the output (..., N, D) -> that of x, {"gamma", "beta"}."""
        if len(cache) > 2:  # the running statistics were used
            return super().backward(dout, cache)
        cache, shape = cache
        dx, dgamma, dbeta = batch_norm_backward(dout.reshape(cache[-1]), cache)
        return dx.reshape(dout.shape), {"gamma": dgamma.reshape(shape), "beta": dbeta.reshape(shape)}


def network(norm="batch norm", depth=5, width=50, std=None, inputs=64, eps=1e-5) -> Sequential:
    """Hidden layers dense, norm, ReLU, then a dense layer of 10; weights of `std`, or He's where it is None."""
    _checks.choice("norm", norm, NORMS)
    weights = he_normal if std is None else lambda rng, shape, dtype: normal(rng, shape, std, dtype=dtype)
    norms = {
        "none": lambda units: [],
        "layer norm": lambda units: [LayerNorm(units, eps=eps)],
        "batch norm": lambda units: [BatchNorm(units, eps=eps)],
        "batch norm and noise": lambda units: [BatchNorm(units, eps=eps), Noise()],
    }
    return mlp([inputs] + [width] * depth + [10], weights=weights, before=norms[norm])


def training_curve(norm="none", std=0.1, lr=0.1, steps=120, seed=0, eps=1e-5) -> dict:
    """Train a ReLU net of five hidden layers on 8x8 digits from weights of a given size.

    Returns
    -------
    loss : (steps,) the loss of every step
    signal : (5,) standard deviation of each hidden layer's outputs before training
    accuracy : share of the 360 test digits that are right, eval mode
    """
    runs = _many(norm, [std], [lr], steps, seed, eps)
    return {"norm": norm, "std": std, "lr": lr} | {name: value[0] for name, value in runs.items()}


def _many(norm, stds, rates, steps=120, seed=0, eps=1e-5):
    """Several such trainings in one pass over a run axis: each standard deviation with the rate at its place."""
    x, y, x_test, y_test = digits()
    net = network(norm, std=1.0, eps=eps)
    params, state = net.init(np.random.default_rng(seed))
    # The same draws for every run, times its standard deviation; the rate goes into the gradients' scale.
    params = stack_runs([_scaled(params, std) for std in stds])
    state = stack_runs([state] * len(stds)) if state else state
    outputs = net.activations(params, state, x[:200], training=True, rng=np.random.default_rng(seed))
    signal = np.array([out.std(axis=(-2, -1)) for name, out in outputs.items() if name.startswith("relu")]).T
    rates = np.reshape(rates, (-1, 1, 1)).astype(np.float32)
    rng = np.random.default_rng(seed + 1)
    run = descend(
        _PerRun(net.layers, rates), params, drawn(x, y, 64, rng), sgd(1.0), steps=steps, state=state, rng=rng
    )  # fmt: skip
    with quiet():
        scores, _, _ = net.forward(run.params, run.state, x_test, training=False)
        right = accuracy(scores, y_test)
    return {"loss": run.loss.T, "signal": signal, "accuracy": right}


def _scaled(params, std):
    return {
        name: {key: std * value if key == "w" else value for key, value in entry.items()}
        for name, entry in params.items()
    }


@dataclass(frozen=True)
class _PerRun(Sequential):
    """A network whose gradients are multiplied by a learning rate of each run, (R, 1, 1)."""

    rates: np.ndarray = None

    def backward_first(self, dout, cache):
        grads = super().backward_first(dout, cache)
        return {name: {key: self.rates * g for key, g in entry.items()} for name, entry in grads.items()}


def sixteen_scales(norm="none", lr=0.1, seed=0, steps=120) -> dict:
    """`training_curve` at each of the sixteen `SCALES`: loss (16, steps), signal (16, 5), accuracy (16,)."""
    return {"norm": norm, "lr": lr, "std": SCALES} | _many(norm, SCALES, [lr] * len(SCALES), steps=steps, seed=seed)


def scales_that_train(norm, rates, seed=0, steps=120) -> np.ndarray:
    """(8,) which of every second of `SCALES` trains at one rate at least: the last 20 losses have a mean below 1."""
    every = SCALES[1::2]
    stds, lr = np.tile(every, len(rates)), np.repeat(rates, len(every))
    last = _many(norm, stds, lr, steps=steps, seed=seed)["loss"][:, -20:].mean(axis=1)
    return (last.reshape(len(rates), -1) < 1).any(axis=0)


RATES = np.geomspace(0.01, 10, 13)
HE = 0.2  # He's standard deviation for 50 inputs


def rate_curve(norm="none", rate=0.1, seed=0) -> dict:
    """`training_curve` from He's standard deviation at a learning rate."""
    return training_curve(norm, HE, rate, seed=seed)


def learning_rates(norm="none", seed=0) -> dict:
    """The same at each of thirteen `RATES`; `last` (13,) are means of the last 20 losses, NaN where it diverged."""
    loss = _many(norm, [HE] * len(RATES), RATES, seed=seed)["loss"]
    return {"norm": norm, "rates": RATES, "last": loss[:, -20:].mean(axis=1)}


SIZES = (2, 4, 8, 16, 32, 64, 128, 256)


def statistics_noise(size=8, draws=1000, seed=0) -> dict:
    """One hidden unit's input z for one digit, normalized within `draws` random batches of `size` that contain it.

    Returns
    -------
    x_hat : (draws,) the normalized value of the same digit in each batch
    exact : its value under the statistics of all 1,437 digits
    sizes, mean_error, std_error : (8,) batch sizes; root mean square error of the batch's mean and of its standard
        deviation, in units of the standard deviation over all digits
    """
    size = _checks.whole("size", size)
    rng = np.random.default_rng(seed)
    x, _, _, _ = digits()
    z = x.astype(np.float64) @ rng.normal(0, np.sqrt(2 / x.shape[1]), x.shape[1])
    z = (z - z.mean()) / z.std()
    digit = int(np.abs(z - 1.0).argmin())  # an image one standard deviation above the mean
    batches = rng.integers(0, len(z), (draws, size))
    batches[:, 0] = digit
    values = z[batches]
    x_hat = (values[:, 0] - values.mean(axis=1)) / np.sqrt(values.var(axis=1) + 1e-5)
    errors = np.array([_errors(z, n, draws, rng) for n in SIZES])
    return {
        "size": size,
        "x_hat": x_hat,
        "exact": float(z[digit]),
        "sizes": np.array(SIZES),
        "mean_error": errors[:, 0],
        "std_error": errors[:, 1],
    }


def _errors(z, size, draws, rng):
    values = z[rng.integers(0, len(z), (draws, size))]
    return np.sqrt((values.mean(axis=1) ** 2).mean()), np.sqrt(((values.std(axis=1) - 1) ** 2).mean())


def two_modes(steps=200, lr=0.3, batch_size=64, seed=0) -> dict:
    """Train with batch norm, then ask the same network for the same 360 test digits in several ways.

    Returns
    -------
    eval : accuracy in eval mode
    training : {batch size: accuracy} in training mode, test digits in random order, batches of that size
    sorted : accuracy in training mode with batches of 12 test digits of one class
    moved : how far the running means moved because the test digits went through in training mode, relative to their
        norm
    by_step : {"eval", "training"} accuracy after each of the first 40 steps, training mode with all test digits as
        one batch
    """
    x, y, x_test, y_test = digits()
    net, rng = network("batch norm"), np.random.default_rng(seed)
    params, state = net.init(rng)
    by_step = {"eval": [], "training": []}

    def watch(now):
        if now.step <= 40:
            for mode, row in by_step.items():
                scores, _, _ = net.forward(now.params, now.state, x_test, training=mode == "training")
                row.append(accuracy(scores, y_test))

    run = descend(net, params, drawn(x, y, batch_size, rng), sgd(lr), steps=steps, state=state, rng=rng, watch=watch)
    params, state = run.params, run.state
    order = rng.permutation(len(x_test))
    result = {
        "eval": accuracy(net.forward(params, state, x_test, training=False)[0], y_test),
        "training": {n: _in_batches(net, params, state, x_test, y_test, order, n)[0] for n in (2, 4, 12, 36, 360)},
        "by_step": {mode: np.array(row) for mode, row in by_step.items()},
    }
    one_class = np.concatenate([np.flatnonzero(y_test == c)[:24] for c in range(10)])
    result["sorted"], after = _in_batches(net, params, state, x_test, y_test, one_class, 12)
    before, after = (np.concatenate([s["mean"] for s in states.values()]) for states in (state, after))
    return result | {"moved": float(np.linalg.norm(after - before) / np.linalg.norm(before))}


def _in_batches(net, params, state, x, y, order, size):
    """Accuracy in training mode with batches of `size` in this order, and the state that is left behind."""
    right = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        scores, _, state = net.forward(params, state, x[rows], training=True)
        right.append(accuracy(scores, y[rows]))
    return float(np.mean(right)), state


def noise_race(lr=0.3, steps=120, seed=0) -> dict:
    """Plain, batch norm, and batch norm with noise behind it: loss, and how unsteady the inputs of a layer are.

    Returns
    -------
    {norm: {"loss": (steps,), "shift": number}} : `shift` is by how much the mean of a unit of the last hidden layer,
        before its ReLU and over 200 fixed digits, changes from one step to the next, in its standard deviations
        (median over units and steps)
    """
    x, y, _, _ = digits()
    result = {}
    for norm in ("none", "batch norm", "batch norm and noise"):
        net = network(norm, std=HE)
        rng, noise = np.random.default_rng(seed), np.random.default_rng(seed + 1)
        params, state = net.init(rng)
        means, spreads = [], []

        def look(params, state, net=net, noise=noise, means=means, spreads=spreads):
            outputs = net.activations(params, state, x[:200], training=True, rng=noise)
            into_the_last_relu = outputs[net.names[-3]]
            means.append(into_the_last_relu.mean(axis=0))
            spreads.append(into_the_last_relu.std(axis=0))

        def watch(now, look=look):
            if now.step < steps:
                look(now.params, now.state)

        look(params, state)
        run = descend(net, params, drawn(x, y, 64, rng), sgd(lr), steps=steps, state=state, rng=rng, watch=watch)
        shifts = np.abs(np.diff(means, axis=0)) / (np.array(spreads[1:]) + 1e-12)
        result[norm] = {"loss": run.loss, "shift": float(np.median(shifts))}
    return result


def ghost_batches(size=16, images=300, steps=200, lr=0.3, batch_size=128, seed=0) -> dict:
    """Train on few digits with steps of 128 examples whose statistics come from groups of `size` (0: no batch norm).

    Only the noise of the statistics differs from size to size. Returns train_loss, test_loss, test_accuracy, all in
    eval mode.
    """
    x, y, x_test, y_test = digits()
    x, y = x[:images], y[:images]
    net, rng = ghost_network(size), np.random.default_rng(seed)
    params, state = net.init(rng)
    run = descend(net, params, drawn(x, y, batch_size, rng), sgd(lr), steps=steps, state=state, rng=rng)
    train, test = (net.forward(run.params, run.state, rows, training=False)[0] for rows in (x, x_test))
    return {
        "train_loss": float(softmax_cross_entropy(train, y)[0]),
        "test_loss": float(softmax_cross_entropy(test, y_test)[0]),
        "test_accuracy": float(accuracy(test, y_test)),
    }


def ghost_network(size) -> Sequential:
    """`network` whose batch norm takes its statistics from groups of `size`; 0: without batch norm."""
    net = network("batch norm" if size else "none")
    swap = {True: lambda layer: GhostBatchNorm(layer.features, size=size), False: lambda layer: layer}
    return Sequential([swap[bool(size) and isinstance(layer, BatchNorm)](layer) for layer in net.layers])


GROUPS = {"no batch norm": 0, "groups of 8": 8, "all 128": 128}


def few_digits(rates=(0.056, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2), seeds=4, images=300, steps=200) -> dict:
    """The same three networks at several rates; the seed also draws who is trained on, who chooses and who judges.

    Returns
    -------
    {name of `GROUPS`: {"validation", "accuracy", "loss"}} : arrays (rates, seeds): accuracy on 300 digits that choose
        the rate, then accuracy and loss on about 1,200 others; and "rates"
    """
    lr, which = np.repeat(np.asarray(rates, np.float32), seeds), np.tile(np.arange(seeds), len(rates))
    result = {"rates": np.array(rates)}
    for name, size in GROUPS.items():
        found = searched(
            ghost_network(size), *pool(digits()), sgd(lr), which, images=images, held_out=300, steps=steps,
            batch_size=128,
        )  # fmt: skip
        columns = found["validation"]["accuracy"], found["test"]["accuracy"], found["test"]["loss"]
        shaped = (column.reshape(len(rates), seeds) for column in columns)
        result[name] = dict(zip(("validation", "accuracy", "loss"), shaped, strict=True))
    return result


def backward_walk(x=(1.0, 2.0, 6.0), dout=(1.0, 0.0, 0.0), gamma=2.0, beta=1.0, eps=1e-5) -> dict:
    """Batch norm of one feature, node by node, there and back: {node: (value, gradient)}, arrays of (3,) or numbers."""
    x, dout = np.array(x), np.array(dout)
    n = len(x)
    mean = x.mean()
    centred = x - mean
    var = (centred**2).mean()
    scale = 1 / np.sqrt(var + eps)
    x_hat = centred * scale
    out = gamma * x_hat + beta
    dx_hat = gamma * dout
    dscale = (dx_hat * centred).sum()
    dvar = dscale * -0.5 * scale**3
    dcentred = dx_hat * scale + dvar * 2 * centred / n
    dmean = -dcentred.sum()
    dx = dcentred + dmean / n
    return {
        "x": (x, dx),
        "mean": (mean, dmean),
        "centred": (centred, dcentred),
        "var": (var, dvar),
        "scale": (scale, dscale),
        "x_hat": (x_hat, dx_hat),
        "out": (out, dout),
        "gamma": (gamma, (dout * x_hat).sum()),
        "beta": (beta, dout.sum()),
    }


# The steps of the backward pass: which nodes are lit, and in words what happens.
BACKWARD_STEPS = (
    (("out",), "the gradient that arrives"),
    (("out", "gamma", "beta", "x_hat"), "1: through gamma and beta"),
    (("x_hat", "scale", "centred"), "2: through the product c r"),
    (("scale", "var"), "3: through the root"),
    (("var", "centred"), "4: through the mean of squares"),
    (("centred", "mean", "x"), "5: through the subtraction"),
    (("mean", "x"), "6: through the mean"),
)


def backward_steps(step=0, example=1) -> dict:
    """`backward_walk` up to one of its steps, where only one of three outputs has an upstream gradient.

    Returns
    -------
    walk : {node: (value, gradient)} as in `backward_walk`
    parts : {"centred": (first, second), "x": (first, second)} the two parts that are added up there, (3,) each
    known : {node: how many parts of its gradient are known after this step, 0 to 2; 2 is all}
    lit, words : the nodes that take part in this step, and what it does
    """
    dout = np.eye(3)[_checks.whole("example", example) - 1]
    walk = backward_walk(dout=dout)
    centred, scale = walk["centred"][0], walk["scale"][0]
    parts = {
        "centred": (walk["x_hat"][1] * scale, 2 / 3 * centred * walk["var"][1]),
        "x": (walk["centred"][1], np.full(3, walk["mean"][1] / 3)),
    }
    whole_from = {"out": 0, "x_hat": 1, "gamma": 1, "beta": 1, "scale": 2, "var": 3, "centred": 4, "mean": 5, "x": 6}
    known = {node: 2 if step >= first else 0 for node, first in whole_from.items()}
    known |= {node: 1 for node, first in (("centred", 2), ("x", 5)) if first <= step < whole_from[node]}
    lit, words = BACKWARD_STEPS[_checks.whole("step", step, 0)]
    return {
        "walk": walk, "parts": parts, "known": known, "lit": lit, "words": words, "step": step, "example": example,
    }  # fmt: skip


def shared_statistics(norm="batch norm", groups=2, images=4, channels=6, pixels=5) -> dict:
    """Which entries of a batch of images (N, C, H W) share one mean and variance.

    Returns `owner`, (N, C, H W): the number of the mean that an entry is normalized with; entries with the same number
    share it. `count`: how many means there are, and `each`: how many entries share one.
    """
    n, c, _ = np.indices((images, channels, pixels))
    group = c // (channels // _checks.whole("groups", groups))
    owners = {
        "batch norm": c,
        "layer norm": n,
        "instance norm": n * channels + c,
        "group norm": n * groups + group,
    }
    owner = owners[_checks.choice("norm", norm, owners)]
    count = len(np.unique(owner))
    return {"owner": owner, "count": count, "each": owner.size // count, "norm": norm, "groups": groups}


def gradients_by_block(place="pre-norm", blocks=8, seed=0) -> dict:
    """How large the gradients are in each block of a residual net before training, with pre-norm and with post-norm.

    Returns `norms`, (blocks,): the length of the gradient of each block's two weight matrices, for 256 images.
    """
    x, y, _, _ = small_mnist(1000, np.float64)
    net, rng = residual_mlp(_checks.choice("place", place, NORM_PLACES), blocks), np.random.default_rng(seed)
    params, state = net.init(rng, dtype=np.float64)
    out, cache, _ = net.forward(params, state, x[:256], training=True)
    grads = net.backward_first(softmax_cross_entropy(out, y[:256])[1], cache)
    rows = [layer["block"] for layer in grads.values() if "block" in layer]
    squares = [sum((leaf["w"] ** 2).sum() for leaf in row.values() if "w" in leaf) for row in rows]
    return {"norms": np.sqrt(squares), "place": place, "blocks": blocks}


def normed(norm, depth=5, width=50) -> Sequential:
    """The chapter's network with any norm layer before each activation: `norm` is a class, such as `RMSNorm`."""
    return mlp([64] + [width] * depth + [10], before=lambda units: [norm(units)])


NORM_LAYERS = {"batch norm": BatchNorm, "layer norm": LayerNorm, "RMSNorm": RMSNorm}
