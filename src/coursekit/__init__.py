"""coursekit: the reference code, experiments and exercises of the course *Training Neural Networks*.

Importing it loads nothing but this file; each part is loaded when it is first used.

>>> import coursekit as ck
>>> ck.initializers.fans((784, 100))
(784, 100)
"""

import importlib

from . import _moved

__version__ = "0.1.0"

_MODULES = {
    "activations", "attention", "augmentation", "autograd", "averaging", "comparison", "convolution", "curvature",
    "data", "dense", "diagnostics", "errors", "experiments", "explorers", "fast", "filters", "gradcheck", "grading",
    "initializers", "interactive", "layers", "ledger", "losses", "model", "normalization", "optimizers", "plotting",
    "precision", "preprocessing", "recurrent", "regularizers", "schedules", "search", "surrogates", "training",
    "transfer", "trees", "zoo",
}  # fmt: skip
_NAMES = {"check": "grading.check", "glue": "interactive.course", "quiz": "interactive.course"}


_moved.install()


def __getattr__(name):
    if name in _NAMES:
        return getattr(importlib.import_module(f"coursekit.{_NAMES[name]}"), name)
    if name in _MODULES or f"coursekit.{name}" in _moved.MODULES:
        return importlib.import_module(f"coursekit.{name}")
    raise AttributeError(f"module 'coursekit' has no attribute {name!r}")


def __dir__():
    return sorted({"__version__", *_MODULES, *_NAMES})
