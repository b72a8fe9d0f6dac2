"""Chapter 09 for its sheet."""

import numpy as np

from coursekit.regularizers import dropout_backward as printed_backward


def l2(w, strength):
    r"""L + \frac\lambda2 \sum_i w_i^2, \qquad \text{gradient } \frac{\partial L}{\partial w_i} + \lambda w_i."""
    return strength / 2 * (w**2).sum(), strength * w


def l1(w, strength):
    r"""\text{gradient } \frac{\partial L}{\partial w_i} + \lambda\, \operatorname{sign}(w_i)."""
    return strength * np.abs(w).sum(), strength * np.sign(w)


def dropout_forward(x, rate, rng, training):
    r"""\text{training } \frac{m \odot x}{1 - p}, \qquad \text{test } x."""
    if not training:
        return x, np.ones_like(x)
    mask = (rng.random(x.shape) >= rate) / (1 - rate)
    return mask * x, mask


def dropout_backward(dout, mask):
    """:pyobject: dropout_backward"""
    return printed_backward(dout, (mask, dout.shape))


def adamw_step(w, gradient, m, v, t, lr, decay):
    r"""w \leftarrow (1 - \eta\lambda)\, w - \eta \frac{\hat m}{\sqrt{\hat v} + \varepsilon},"""
    m = 0.9 * m + 0.1 * gradient
    v = 0.999 * v + 0.001 * gradient**2
    step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return (1 - lr * decay) * w - lr * step, m, v


def predict(x, w1, w2, rate, rng, training):
    r"""\text{training } \frac{m \odot x}{1 - p}, \qquad \text{test } x."""
    return dropout_forward(np.maximum(x @ w1, 0), rate, rng, training)[0] @ w2
