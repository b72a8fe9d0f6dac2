"""Dense layer, softmax cross-entropy, the MLP, Adam."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from benchmarks.rows import FLOOR, NEAR_FLOOR, row
from benchmarks.rows_image import array, backward, torch_training_step, training_step
from coursekit.dense import affine_backward, affine_forward
from coursekit.fast.losses import softmax_cross_entropy
from coursekit.fast.optimizers import adam as fast_adam
from coursekit.initializers import he_normal
from coursekit.layers import Dense, ReLU
from coursekit.model import Sequential
from coursekit.optimizers import adam


@row("dense 784 to 100, batch 128, forward + backward")
def dense():
    x, w, b, dout = array(128, 784), array(784, 100), array(100), array(128, 100)
    layer = torch.nn.Linear(784, 100)
    tx, tdout = torch.tensor(x, requires_grad=True), torch.tensor(dout)
    return our_dense(x, w, b, dout), lambda: backward(lambda: layer(tx), tdout, tx, *layer.parameters())


def our_dense(x, w, b, dout):
    def ours():
        _, cache = affine_forward(x, w, b)
        return affine_backward(dout, cache)

    return ours


def least_dense(x, w, b, dout):
    """Three products, the bias added where the first one stands, and the sum that is its gradient."""

    def floor():
        out = x @ w
        out += b
        return out, dout @ w.T, x.T @ dout, dout.sum(axis=0)

    return floor


@row("dense 784 to 100, batch 128, forward + backward", other=FLOOR, at_most=NEAR_FLOOR)
def dense_to_floor():
    arrays = array(128, 784), array(784, 100), array(100), array(128, 100)
    return our_dense(*arrays), least_dense(*arrays)


def products(*sizes):
    """The matrix products of dense layers of these sizes, forward and backward, and nothing else."""
    ours = [(array(128, d), array(d, m), array(128, m)) for d, m in itertools.pairwise(sizes)]
    theirs = [tuple(map(torch.from_numpy, arrays)) for arrays in ours]

    def multiply(layers):
        for x, w, dout in layers:
            x @ w, dout @ w.T, x.T @ dout

    return lambda: multiply(ours), lambda: multiply(theirs)


row("the three matrix products of that layer alone")(lambda: products(784, 100))


@row("softmax cross-entropy 128 x 10, forward + backward", at_most=1.0)
def cross_entropy():
    scores, labels = array(128, 10), np.random.default_rng(0).integers(0, 10, 128)
    ts, tl = torch.tensor(scores, requires_grad=True), torch.tensor(labels)
    one = torch.tensor(1.0)
    return (
        lambda: softmax_cross_entropy(scores, labels),
        lambda: backward(lambda: torch.nn.functional.cross_entropy(ts, tl), one, ts),
    )


SIZES = (784, 100, 100, 100, 100, 100, 10)


def mlp():
    ours, theirs = [], []
    for d, m in itertools.pairwise(SIZES):
        ours += [Dense(d, m), ReLU()]
        theirs += [torch.nn.Linear(d, m), torch.nn.ReLU()]
    return Sequential(ours[:-1]), torch.nn.Sequential(*theirs[:-1])


def mlp_step(**adam_settings):
    ours, theirs = mlp()
    x, y = array(128, 784), np.random.default_rng(0).integers(0, 10, 128)
    return training_step(ours, x, y), torch_training_step(theirs, x, y, **adam_settings)


row("training step, MLP 784-5x100-10, batch 128, Adam")(mlp_step)
row("training step, MLP 784-5x100-10, batch 128, Adam", other="PyTorch, fused Adam")(lambda: mlp_step(fused=True))
row("the matrix products of that step alone, and of dx")(lambda: products(*SIZES))


def bare_step():
    """The arithmetic of that step and nothing else: no layers, no checks, no walk through nested params.

    What our step takes beyond this is the price of its interface; what this one takes, NumPy's.
    """
    rng = np.random.default_rng(0)
    params = [a for d, m in itertools.pairwise(SIZES) for a in (he_normal(rng, (d, m)), np.zeros(m, np.float32))]
    first, second = ([np.zeros_like(p) for p in params] for _ in range(2))
    x, y, rows = array(128, 784), rng.integers(0, 10, 128), np.arange(128)
    rule, steps = adam(1e-3), itertools.count(1)

    def step():
        inputs, masks, h = [], [], x
        for k in range(0, len(params), 2):
            inputs.append(h)
            h = h @ params[k]
            h += params[k + 1]
            if k + 2 < len(params):
                masks.append(h > 0)
                h = np.maximum(h, 0)
        h -= h.max(axis=1, keepdims=True)
        p = np.exp(h)
        total = p.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - h[rows, y]).mean()
        p /= total
        p[rows, y] -= 1
        dh, grads = p / 128, [None] * len(params)
        for k in range(len(params) - 2, -1, -2):
            grads[k], grads[k + 1] = inputs.pop().T @ dh, dh.sum(axis=0)
            if k:
                dh = (dh @ params[k].T) * masks.pop()
        t = next(steps)
        for *arrays, g in zip(params, first, second, grads, strict=True):
            rule._step_in_blocks(fast_adam, arrays, g, rule.lr, t)
        return loss

    return step


row("the arithmetic of that step alone")(lambda: (bare_step(), mlp_step()[1]))
# Between its small arrays a step spends about 0.2 ms in Python, whatever the products take: SkylakeX's kernels, which
# make them in less, leave it a larger share.
row("training step, MLP 784-5x100-10, batch 128, Adam", other=FLOOR, at_most=(NEAR_FLOOR, 1.2))(
    lambda: (mlp_step()[0], bare_step())
)


def adam_million(**settings):
    w, g = array(1_000_000), array(1_000_001)[1:]
    optimizer = adam(1e-3)
    numbers = [w.copy(), optimizer.init(w)]

    def ours():
        numbers[:] = optimizer.update(numbers[0], g, numbers[1], inplace=True)

    parameter = torch.nn.Parameter(torch.tensor(w))
    parameter.grad = torch.tensor(g)
    return ours, torch.optim.Adam([parameter], 1e-3, **settings).step


row("Adam on 1 M parameters", at_most=1.1)(adam_million)
row("Adam on 1 M parameters", other="PyTorch, fused Adam")(lambda: adam_million(fused=True))


@row("100 Adam trajectories of 500 steps, run axis", other="a loop over runs", at_least=50, single=True)
def trajectories():
    starts = np.random.default_rng(0).standard_normal((100, 2))
    curvature = np.array([0.1, 2.0])  # of x^2 / 20 + y^2

    def descend(w):
        optimizer = adam(0.1)
        state = optimizer.init(w)
        for _ in range(500):
            w, state = optimizer.update(w, curvature * w, state)
        return w

    return lambda: descend(starts), lambda: [descend(w) for w in starts]
