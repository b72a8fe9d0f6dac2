"""Chapter 06 for its sheet."""

import numpy as np

from coursekit.normalization import _batch_norm


def batch_norm_forward(x, gamma, beta, eps=1e-5):
    """:pyobject: _batch_norm"""
    state = {"mean": np.zeros(x.shape[1]), "var": np.ones(x.shape[1])}
    out, (x_hat, scale, *_), _ = _batch_norm(x, gamma, beta, state, True, 0.1, eps)
    return out, (x_hat, scale[0], gamma)


def batch_norm(x, gamma, beta, running, training, momentum=0.1, eps=1e-5):
    """:pyobject: _updated"""
    out, _, running = _batch_norm(x, gamma, beta, running, training, momentum, eps)
    return out, running


def batch_norm_backward(dout, cache):
    r"""dx_{nd} = \frac{\gamma_d}{\sqrt{\sigma_d^2 + \epsilon}} \Big(d\text{out}_{nd} - \frac1N d\beta_d -
    \frac1N \hat x_{nd}\, d\gamma_d\Big)."""
    x_hat, scale, gamma = cache
    n, dbeta, dgamma = len(dout), dout.sum(axis=0), (dout * x_hat).sum(axis=0)
    return gamma * scale * (dout - dbeta / n - x_hat * dgamma / n), dgamma, dbeta
