"""Chapter 11 for its sheet."""

import numpy as np

from coursekit.diagnostics import gradient_norms, update_ratio


def update_ratios(old, new):
    """:pyobject: update_ratio"""
    return update_ratio(old, new)


def gradient_norm(grads):
    """:pyobject: gradient_norms"""
    return np.sqrt(sum(norm**2 for norm in gradient_norms(grads).values()))
