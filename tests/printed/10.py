"""Chapter 10 for its sheet."""

import numpy as np

from coursekit import search


def log_uniform(rng, low, high, count):
    r"""\log_{10} a \le u \le \log_{10} b, \quad x = 10^{u}."""
    return 10 ** rng.uniform(np.log10(low), np.log10(high), count)


def narrow(low, high, tried, scores, shrink):
    """:pyobject: log_uniform.around"""
    part = search.log_uniform(low, high).around(float(tried[np.nanargmin(scores)]), shrink)
    return part.low, part.high


def folds(rng, count, k):
    """:pyobject: folds"""
    return [held for _, held in search.folds(count, k, rng)]
