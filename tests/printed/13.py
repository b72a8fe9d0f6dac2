"""Chapter 13 for its sheet."""

import numpy as np

from coursekit.normalization import local_response_norm_forward
from coursekit.zoo.nets import lenet5 as printed_lenet5


def local_response_norm(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    """:pyobject: local_response_norm_forward"""
    return local_response_norm_forward(x, n, alpha, beta, k)[0]


def windows(length, kernel, stride=1, padding=0):
    r"""\text{convolution:}\quad & O_h O_w\, F C K_h K_w"""
    return (length + 2 * padding - kernel) // stride + 1


def count(layers, shape):
    r"""\text{convolution:}\quad & F\,(C K_h K_w + 1) \\ \text{dense:}\quad & (D + 1)\, M"""
    result = []
    for kind, *settings in layers:
        params = 0
        if kind == "conv":
            filters, kernel, stride, padding = settings
            params = filters * (shape[0] * kernel * kernel + 1)
            shape = (filters, *(windows(n, kernel, stride, padding) for n in shape[1:]))
        elif kind == "pool":
            shape = (shape[0], *(windows(n, *settings) for n in shape[1:]))
        elif kind == "flatten":
            shape = (int(np.prod(shape)),)
        else:
            params = (shape[0] + 1) * settings[0]
            shape = (settings[0],)
        result.append((shape, params))
    return result


def init_lenet5(rng):
    """:pyobject: lenet5"""
    shapes = {
        "conv1": (6, 1, 5, 5),
        "conv2": (16, 6, 5, 5),
        "dense1": (400, 120),
        "dense2": (120, 84),
        "dense3": (84, 10),
    }
    params = {}
    for name, shape in shapes.items():
        fan_in, units = (np.prod(shape[1:]), shape[0]) if len(shape) == 4 else shape
        params[name] = np.sqrt(2 / fan_in) * rng.standard_normal(shape), np.zeros(units)
    return params


def lenet5(params, x):
    """:pyobject: lenet5"""
    net = printed_lenet5()
    own, state = net.init(np.random.default_rng(0))
    filled = {name: {"w": w, "b": b} for name, (w, b) in zip([n for n in own if own[n]], params.values(), strict=True)}
    return net.forward(own | filled, state, x, training=False)[0]


def residual_forward(x, w1, b1, w2, b2):
    r"""\text{out} = x + f(x)"""
    return x + np.maximum(x @ w1 + b1, 0) @ w2 + b2


def residual_backward(dout, x, w1, b1, w2):
    r"""dx = d\text{out} + \left(\frac{\partial f}{\partial x}\right)^{\!\top} d\text{out}."""
    z = x @ w1 + b1
    dz = (dout @ w2.T) * (z > 0)
    return dout + dz @ w1.T, x.T @ dz, dz.sum(axis=0), np.maximum(z, 0).T @ dout, dout.sum(axis=0)


def separable_weights(channels, filters, size):
    r"""\text{depthwise, then } 1 \times 1\text{:}\quad & O_h O_w\, (C K^2 + F C),"""
    return filters * channels * size**2, channels * size**2 + filters * channels
