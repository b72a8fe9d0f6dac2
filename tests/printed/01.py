"""Chapter 01 for its sheet."""

import numpy as np

from coursekit.dense import affine_backward as dense_backward


def affine_backward(dout, cache):
    """:pyobject: affine_backward"""
    return dense_backward(dout, cache)


def numerical_gradient(f, x, eps):
    r"""\frac{L(w + \varepsilon) - L(w - \varepsilon)}{2\varepsilon}"""
    x, gradient = x.copy(), np.zeros_like(x)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + eps
        above = f(x)
        x[i] = old - eps
        below = f(x)
        x[i] = old
        gradient[i] = (above - below) / (2 * eps)
    return gradient


def network_gradients(x, y, w1, b1, w2, b2):
    r"""L = \frac{1}{NK} \sum_{n,k} (P_{nk} - Y_{nk})^2"""
    z = x @ w1 + b1
    h = np.maximum(0, z)
    p = h @ w2 + b2
    dp = 2 * (p - y) / p.size
    dz = (dp @ w2.T) * (z > 0)
    return np.mean((p - y) ** 2), x.T @ dz, dz.sum(axis=0), h.T @ dp, dp.sum(axis=0)
