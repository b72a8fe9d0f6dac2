"""Convolution, pooling, batch norm and LeNet-5.

"as in a network" is batch-last memory, as the layer before would hand it over; "C order" is an array as
`np.zeros((N, C, H, W))` makes it, which is converted on the way in.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch

from benchmarks import peers
from benchmarks.rows import FLOOR, NEAR_FLOOR, row
from coursekit import zoo
from coursekit.convolution import conv2d_backward, conv2d_forward, max_pool2d_backward, max_pool2d_forward
from coursekit.fast import images as fast
from coursekit.fast import products
from coursekit.fast.losses import softmax_cross_entropy
from coursekit.fast.optimizers import adam as fast_adam
from coursekit.normalization import batch_norm2d_backward, batch_norm2d_forward
from coursekit.optimizers import adam
from coursekit.training import train

F = torch.nn.functional


def array(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def images(*shape, batch_last):
    x = array(*shape)
    return fast.batch_first(fast.batch_last(x)) if batch_last else x


def backward(out, dout, *leaves):
    """PyTorch's backward pass, into fresh gradients."""
    for leaf in leaves:
        leaf.grad = None
    out().backward(dout)


def convolution(x_shape, w_shape, padding, batch_last):
    def make():
        x, w, b = images(*x_shape, batch_last=batch_last), array(*w_shape), array(w_shape[0])
        dout = images(*conv2d_forward(x, w, b, 1, padding)[0].shape, batch_last=batch_last)

        def ours():
            _, cache = conv2d_forward(x, w, b, 1, padding)
            return conv2d_backward(dout, cache)

        tx, tw, tb = (torch.tensor(np.ascontiguousarray(a), requires_grad=True) for a in (x, w, b))
        tdout = torch.tensor(np.ascontiguousarray(dout))
        return ours, lambda: backward(lambda: F.conv2d(tx, tw, tb, 1, padding), tdout, tx, tw, tb)

    return make


CONVOLUTIONS = {
    "LeNet-5 layer 1": ((64, 1, 28, 28), (6, 1, 5, 5), 2, 1.5),
    "LeNet-5 layer 2": ((64, 6, 14, 14), (16, 6, 5, 5), 0, 1.5),
    "VGG block 32x32x32, 3x3": ((32, 32, 32, 32), (32, 32, 3, 3), 1, 2.3),
}
MEMORY = {"as in a network": True, "C order": False}
for _name, (*_args, _bound) in CONVOLUTIONS.items():
    for _memory, _last in MEMORY.items():
        row(f"conv2d forward + backward, {_name}, {_memory}", at_most=_bound)(convolution(*_args, _last))


def pooling(shape, batch_last):
    def make():
        x = images(*shape, batch_last=batch_last)
        dout = images(*max_pool2d_forward(x)[0].shape, batch_last=batch_last)

        def ours():
            _, cache = max_pool2d_forward(x)
            return max_pool2d_backward(dout, cache)

        tx = torch.tensor(np.ascontiguousarray(x), requires_grad=True)
        tdout = torch.tensor(np.ascontiguousarray(dout))
        return ours, lambda: backward(lambda: F.max_pool2d(tx, 2), tdout, tx)

    return make


def batch_norm(shape, batch_last):
    def make():
        c = shape[1]
        x, dout = images(*shape, batch_last=batch_last), images(*shape, batch_last=batch_last)
        gamma, beta = np.ones(c, np.float32), np.zeros(c, np.float32)
        running = {"mean": np.zeros(c, np.float32), "var": np.ones(c, np.float32)}

        def ours():
            _, cache, _ = batch_norm2d_forward(x, gamma, beta, running, training=True)
            return batch_norm2d_backward(dout, cache)

        layer = torch.nn.BatchNorm2d(c)
        tx, tdout = (torch.tensor(np.ascontiguousarray(a)) for a in (x, dout))
        tx.requires_grad_()
        return ours, lambda: backward(lambda: layer(tx), tdout, tx, *layer.parameters())

    return make


for _kind, _make in {"max pooling 2x2": pooling, "batch norm 2d": batch_norm}.items():
    for _shape in ((64, 6, 28, 28), (32, 32, 32, 32)):
        for _memory, _last in MEMORY.items():
            _size = "x".join(map(str, _shape))
            _bound = None if _make is batch_norm else 0.6
            row(f"{_kind}, forward + backward, {_size}, {_memory}", at_most=_bound)(_make(_shape, _last))


def fewest_passes(x, dout, gamma, beta):
    """(out, dx, dgamma, dbeta) of batch norm in training, in the fewest passes over memory, here eleven.

    x and dout (C, M), gamma and beta (C, 1). Two more can be spared where the variance is taken without centring first;
    that loses all digits when a mean is large, so it is another function. Nothing is checked or kept.
    """
    n = x.shape[1]
    blocks = fast._channel_blocks(x)
    out, dx, centred = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    scale, dgamma, dbeta = np.empty_like(gamma), np.empty_like(gamma), np.empty_like(gamma)
    for c in blocks:
        np.subtract(x[c], np.einsum("cm->c", x[c])[:, None] / n, out=centred[c])
        scale[c] = 1 / np.sqrt(products.row_dots(centred[c], centred[c])[:, None] / n + 1e-5)
        np.multiply(centred[c], gamma[c] * scale[c], out=out[c])
        out[c] += beta[c]
    for c in blocks:
        dbeta[c] = np.einsum("cm->c", dout[c])[:, None]
        dgamma[c] = products.row_dots(centred[c], dout[c])[:, None] * scale[c]
        np.multiply(centred[c], dgamma[c] * scale[c] / -n, out=dx[c])
        dx[c] += dout[c]
        dx[c] -= dbeta[c] / n
        dx[c] *= gamma[c] * scale[c]
    return out, dx, dgamma, dbeta


def batch_norm_floor(shape):
    x, dout = (fast.batch_last(array(*shape)).reshape(shape[1], -1) for _ in range(2))
    gamma, beta = array(shape[1], 1), array(shape[1], 1)
    return lambda: fewest_passes(x, dout, gamma, beta)


for _shape in ((64, 6, 28, 28), (32, 32, 32, 32)):
    _size = "x".join(map(str, _shape))
    _make = batch_norm(_shape, batch_last=True)
    row(f"the fewest passes of a batch norm in NumPy, {_size}, nothing else")(
        lambda shape=_shape, make=_make: (batch_norm_floor(shape), make()[1])
    )
    row(f"batch norm 2d, forward + backward, {_size}, as in a network", other=FLOOR, at_most=NEAR_FLOOR)(
        lambda shape=_shape, make=_make: (make()[0], batch_norm_floor(shape))
    )


def torch_lenet5():
    t = torch.nn
    return t.Sequential(
        *(t.Conv2d(1, 6, 5, padding=2), t.ReLU(), t.MaxPool2d(2), t.Conv2d(6, 16, 5), t.ReLU(), t.MaxPool2d(2)),
        *(t.Flatten(), t.Linear(400, 120), t.ReLU(), t.Linear(120, 84), t.ReLU(), t.Linear(84, 10)),
    )


def training_step(net, x, y):
    """A function that makes one step of Adam."""
    params, state = net.init(np.random.default_rng(0))
    optimizer = adam(1e-3)
    numbers = [params, state, optimizer.init(params)]

    def step():
        params, state, optimizer_state = numbers
        scores, cache, state = net.forward(params, state, x, training=True)
        _, dscores = softmax_cross_entropy(scores, y)
        grads = net.backward_first(dscores, cache)
        params, optimizer_state = optimizer.update(params, grads, optimizer_state, inplace=True)
        numbers[:] = params, state, optimizer_state

    return step


def torch_training_step(net, x, y, **adam_settings):
    """The same in PyTorch."""
    optimizer = torch.optim.Adam(net.parameters(), 1e-3, **adam_settings)
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


def digits(n):
    return array(n, 1, 28, 28), np.random.default_rng(0).integers(0, 10, n)


@row("training step, LeNet-5, batch 64, Adam", at_most=(1.0, 0.75))
def lenet5_step():
    x, y = digits(64)
    return training_step(zoo.lenet5(), x, y), torch_training_step(torch_lenet5(), x, y)


def bare_lenet5_step(x, y):
    """The arithmetic of that step: the fast forms alone, without layers, checks and the walk through nested params."""
    params = [
        p.copy() for layer in zoo.lenet5().init(np.random.default_rng(0))[0].values() for p in (layer["w"], layer["b"])
    ]
    first, second = ([np.zeros_like(p) for p in params] for _ in range(2))
    rule, steps = adam(1e-3), itertools.count(1)

    def step():
        h, caches = x, []
        for w, b, padding in zip(params[0:4:2], params[1:4:2], ((2, 2), (0, 0)), strict=True):
            h, cache = fast.conv2d_forward(h, w, b, (1, 1), padding)
            mask = h > 0
            h = np.maximum(h, 0)
            caches.append((cache, mask, h.shape))
            h, masks = fast.max_pool_pairs_forward(h)
            caches.append(masks)
        shape, h = h.shape, h.reshape(len(x), -1)
        inputs, folds = [], []
        for k in range(4, 10, 2):
            inputs.append(h)
            h = h @ params[k]
            h += params[k + 1]
            if k < 8:
                folds.append(h > 0)
                h = np.maximum(h, 0)
        loss, dh = softmax_cross_entropy(h, y)
        grads = [None] * 10
        for k in range(8, 3, -2):
            grads[k], grads[k + 1] = inputs.pop().T @ dh, dh.sum(axis=0)
            dh = dh @ params[k].T
            if folds:
                dh *= folds.pop()
        dh = dh.reshape(shape)
        for k in (2, 0):
            masks, (cache, mask, size) = caches.pop(), caches.pop()
            dh = fast.max_pool_pairs_backward(dh, masks, size)
            dh *= mask
            dh, grads[k], grads[k + 1] = fast.conv2d_backward(dh, cache, need_dx=k > 0)
        t = next(steps)
        for *arrays, g in zip(params, first, second, grads, strict=True):
            rule._step_in_blocks(fast_adam, arrays, g, rule.lr, t)
        return loss

    return step


row("the arithmetic of that step alone, LeNet-5")(
    lambda: (bare_lenet5_step(*digits(64)), torch_training_step(torch_lenet5(), *digits(64)))
)
row("training step, LeNet-5, batch 64, Adam", other=FLOOR, at_most=NEAR_FLOOR)(
    lambda: (training_step(zoo.lenet5(), *digits(64)), bare_lenet5_step(*digits(64)))
)


@row("training step, LeNet-5, batch 64, Adam", other="PyTorch, fused Adam")
def lenet5_step_fused():
    x, y = digits(64)
    return training_step(zoo.lenet5(), x, y), torch_training_step(torch_lenet5(), x, y, fused=True)


@row("a twentieth of an epoch (3,000 images), LeNet-5, batch 64, Adam", at_most=(1.0, 0.75))
def lenet5_epoch():
    x, y = digits(3000)
    net, rng = zoo.lenet5(), np.random.default_rng(0)
    twin = torch_lenet5()
    optimizer = torch.optim.Adam(twin.parameters(), 1e-3)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    threads = torch.get_num_threads()

    def ours():
        train(net, x, y, optimizer=adam(1e-3), epochs=1, batch_size=64, rng=rng, progress=False, threads=threads)

    def theirs():
        for batch in torch.randperm(len(tx)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(twin(tx[batch]), ty[batch]).backward()
            optimizer.step()

    return ours, theirs


@row("conv2d forward, LeNet-5 layer 2", other="naive loops", at_least=400, single=True)
def naive():
    x, w, b = array(64, 6, 14, 14), array(16, 6, 5, 5), array(16)
    return lambda: conv2d_forward(x, w, b), lambda: peers.conv2d_naive(x, w, b)


@row("conv2d forward + backward, LeNet-5 layer 2", other="fancy-index im2col, np.add.at", single=True)
def im2col():
    x, w, b = array(64, 6, 14, 14), array(16, 6, 5, 5), array(16)
    dout = array(64, 16, 10, 10)

    def ours():
        _, cache = conv2d_forward(x, w, b)
        return conv2d_backward(dout, cache)

    return ours, lambda: peers.conv2d_im2col(x, w, b, dout)
