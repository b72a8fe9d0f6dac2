"""Chapter 15 for its sheet."""

import numpy as np


def verdict(scratch, transfer):
    r"""\text{gain}(n) = a_\text{transfer}(n) - a_\text{scratch}(n)."""
    gain = transfer - scratch
    error = gain.std(axis=1, ddof=1) / np.sqrt(gain.shape[1])
    return [1 if m > 2 * e else -1 if m < -2 * e else 0 for m, e in zip(gain.mean(axis=1), error, strict=True)]
