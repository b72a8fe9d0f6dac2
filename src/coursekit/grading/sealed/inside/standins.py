"""Stand-ins for libraries that draw, show or install: while a notebook is graded their calls do nothing.

Importing the real matplotlib costs 0.3 s a question and no answer needs it. Everything else that is missing (PyTorch,
the reference parts of coursekit) is missing: importing it says so.
"""

import importlib.abc
import importlib.machinery
import sys
import types

import numpy as np

QUIET = {
    "matplotlib", "pylab", "seaborn", "IPython", "ipywidgets", "google", "piplite", "micropip", "pyodide", "js",
    "pyodide_kernel", "tqdm", "jupyterquiz", "otter", "nest_asyncio", "watermark", "tabulate",
}  # fmt: skip
QUIET_COURSE = {"plotting", "explorers", "experiments", "interactive", "course", "grading"}
COURSE = {
    "activations", "autograd", "convolution", "dense", "diagnostics", "fast", "filters", "initializers", "layers",
    "ledger", "losses", "model", "normalization", "optimizers", "preprocessing", "recurrent", "regularizers",
    "schedules", "search", "training", "transfer", "trees", "zoo",
}  # fmt: skip


class Nothing:
    """Takes any call and attribute and gives itself; iterates over nothing."""

    def __call__(self, *args, **kwargs):
        """Itself; as a decorator, what it was put on.

        Otherwise a graded answer under `@interact` would vanish.
        """
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            return args[0]
        return self

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name == "subplots":  # of a figure: the axes only
            return lambda *args, **kwargs: subplots(*args, **kwargs)[1]
        return SPECIAL.get(name, self)

    def __getitem__(self, key):
        return self

    def __setitem__(self, key, value):
        pass

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def __await__(self):
        yield from ()
        return self

    def __mro_entries__(self, bases):
        return ()

    def __repr__(self):
        return ""


NOTHING = Nothing()


def subplots(nrows=1, ncols=1, *args, squeeze=True, **kwargs):
    """A figure and axes that unpack, index and iterate like those of matplotlib."""
    axes = np.empty((int(nrows), int(ncols)), object)
    axes.fill(NOTHING)
    if squeeze:
        axes = axes.squeeze()
        axes = axes[()] if axes.ndim == 0 else axes
    return NOTHING, axes


def hist(x=(), bins=10, *args, **kwargs):
    """Counts, edges and patches."""
    counts, edges = np.histogram(x, bins)
    return counts, edges, NOTHING


def passthrough(iterable=(), *args, **kwargs):
    """`tqdm(range(3))` without a bar."""
    return iterable


SPECIAL = {"subplots": subplots, "hist": hist, "tqdm": passthrough, "trange": range, "plot": lambda *a, **k: [NOTHING]}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stand-ins. Says clearly what is not there and why."""

    def find_spec(self, name, path=None, target=None):
        """A spec for a stand-in, an ImportError for a part of coursekit that is locked away."""
        top, _, rest = name.partition(".")
        if top == "coursekit" and rest.partition(".")[0] in COURSE:
            message = f"{name} holds reference answers, so it is not there while a notebook is graded"
            raise ModuleNotFoundError(message, name=name)
        if top in QUIET or (top == "coursekit" and rest.partition(".")[0] in QUIET_COURSE):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        """A module whose every name is there."""
        return Quiet(spec.name)

    def exec_module(self, module):
        """Nothing to run."""


class Quiet(types.ModuleType):
    """A module whose every name is there and does nothing."""

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return SPECIAL.get(name, NOTHING)

    def __call__(self, *args, **kwargs):
        """Also a module may be called, as `tqdm(range(3))` after `import tqdm.auto as tqdm`."""
        return passthrough(*args)


def install():
    """Put the finder last, so that what is really there wins."""
    sys.meta_path.append(Finder())
