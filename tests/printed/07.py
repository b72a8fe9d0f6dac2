"""Chapter 07 for its sheet."""

import numpy as np

from coursekit import optimizers


def momentum_step(w, g, v, lr, decay):
    """:pyobject: momentum.step"""
    return optimizers.momentum(lr, decay).step(w, g, lr, 1, v)


def rmsprop_step(w, g, s, lr, decay, eps):
    r"""w \leftarrow w - \eta \frac{g}{\sqrt s + \varepsilon}.$$ (eq-rmsprop)"""
    s = decay * s + (1 - decay) * g**2
    return w - lr * g / (np.sqrt(s) + eps), s


def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    """:pyobject: adam.step"""
    return optimizers.adam(lr, beta1, beta2, eps).step(w, g, lr, t, m, v)


def nadam(w, gradients, lr, beta1, beta2, eps):
    r"""\hat m = \frac{\mu_{t+1}\, m}{1 - \prod_{i=1}^{t+1} \mu_i}
    + \frac{(1 - \mu_t)\, g}{1 - \prod_{i=1}^t \mu_i}."""
    rule, m, v, path = optimizers.nadam(lr, beta1, beta2, eps), np.zeros_like(w), np.zeros_like(w), []
    for t, g in enumerate(gradients, 1):
        w, m, v = rule.step(w, g, lr, t, m, v)
        path.append(w)
    return np.array(path)


def adamw(params, grads, state, t, lr, strength):
    r"""w \leftarrow w - \eta\lambda w, \quad \text{then Adam with } g \text{ alone}."""
    new, kept = {}, {}
    for name, w in params.items():
        decayed = w if name.endswith((".b", ".gamma", ".beta")) else w - lr * strength * w
        rule = optimizers.adam(lr)
        new[name], *means = rule.step(decayed, grads[name], lr, t, *state[name])
        kept[name] = tuple(means)
    return new, kept
