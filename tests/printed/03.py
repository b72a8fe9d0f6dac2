"""Chapter 03 for its sheet."""

import numpy as np

from coursekit.activations import elu_forward as printed_elu
from coursekit.activations import maxout_backward as printed_maxout


def relu_backward(dout, cache):
    r"""\operatorname{ReLU}'(z) &= \begin{cases}1 & z > 0\\ 0 & z \le 0.\end{cases}"""
    return dout * np.where(cache > 0, 1.0, 0.0)


def leaky_relu_backward(dout, cache):
    r"""f'(z) &= \begin{cases}1 & z > 0\\ a & z \le 0.\end{cases}"""
    x, a = cache
    return dout * np.where(x > 0, 1.0, a)


def elu_forward(x, alpha=1.0):
    """:pyobject: elu_forward"""
    return printed_elu(x, alpha)


def elu_backward(dout, cache):
    r"""f'(z) &= \begin{cases}1 & z > 0\\ \alpha\, e^z = f(z) + \alpha & z \le 0.\end{cases}"""
    return dout * cache


def maxout_backward(dout, cache):
    """:pyobject: maxout_backward"""
    winner, pieces = cache
    return printed_maxout(dout, (winner[..., None], pieces))


def sigmoid(z):
    r"""\sigma(z) = \frac{1}{1 + e^{-z}}."""
    return 1 / (1 + np.exp(-z))


def swiglu_forward(x):
    r"""\operatorname{SwiGLU}(v, g) &= v\,\operatorname{SiLU}(g)."""
    v, g = np.split(x, 2, axis=1)
    return v * g * sigmoid(g), (v, g)


def swiglu_backward(dout, cache):
    r"""$\partial L/\partial g = \text{dout}\cdot v\,\operatorname{SiLU}'(g)$"""
    v, g = cache
    s = sigmoid(g)
    return np.concatenate([dout * g * s, dout * v * (s + g * s * (1 - s))], axis=1)
