"""Chapter 05 for its sheet."""

import math

import numpy as np

from coursekit.initializers import fans
from coursekit.initializers import he_normal as printed_he
from coursekit.initializers import xavier_normal as printed_xavier


def xavier_normal(rng, shape):
    """:pyobject: xavier_normal"""
    return printed_xavier(rng, shape, dtype=np.float64)


def xavier_uniform(rng, shape):
    r"""\operatorname{Var}(w) = \frac{2}{n_\text{in} + n_\text{out}}."""
    a = math.sqrt(3) * math.sqrt(2 / sum(fans(shape)))
    return rng.uniform(-a, a, shape)


def fan_in(shape):
    """:pyobject: fans"""
    return fans(shape)[0]


def he_normal(rng, shape):
    """:pyobject: he_normal"""
    return printed_he(rng, shape, dtype=np.float64)


def backward_factor(shape, std):
    r"""\tfrac12\, n_\text{out} \operatorname{Var}(w) = 1"""
    return 0.5 * fans(shape)[1] * std**2


def he_backward(rng, shape):
    r"""\operatorname{Var}(w) = \frac{2}{n_\text{out}},"""
    return math.sqrt(2 / fans(shape)[1]) * rng.standard_normal(shape)


def growth(sizes):
    r"""With fan-in each layer multiplies the gradient's
    second moment by $n_\text{out}/n_\text{in}$"""
    return sizes[-1] / sizes[0]
