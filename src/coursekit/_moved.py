"""Old names of what has moved: they go on for one version, with a DeprecationWarning.

Delete this file, and what imports it, when the version after 0.2 is made.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings

MODULES = {
    "coursekit._trees": "coursekit.trees",
    "coursekit.cli": "coursekit.grading.cli",
    "coursekit.course": "coursekit.interactive.course",
    "coursekit.layers_image": "coursekit.layers.image",
    "coursekit.layers_recurrent": "coursekit.layers.recurrent",
    "coursekit.weights": "coursekit.data.weights",
    "coursekit.zoo_text": "coursekit.zoo.text",
    **{
        f"coursekit.explorers.{name}": f"coursekit.interactive.{name}"
        for name in (
            "clinic", "controls", "core", "frames", "html", "live", "predict", "progress", "quiz", "sketch",
            "sphinx_ext", "widget",
        )
    },
}  # fmt: skip
"""Old name of a module -> its name now."""


def _warn(old, new):
    warnings.warn(f"{old} is now {new}; the old name goes with the next version", DeprecationWarning, stacklevel=3)


def moved(module: str, names: dict[str, str]):
    """A module's `__getattr__` that finds `names` (old name -> full name now) where they are now."""

    def __getattr__(name):
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        _warn(f"{module}.{name}", names[name])
        home, _, attribute = names[name].rpartition(".")
        return getattr(importlib.import_module(home), attribute)

    return __getattr__


class _Finder:
    """Finds the modules of MODULES under their old names."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """A spec for an old name; None, as the import system wants it, for every other."""
        return importlib.util.spec_from_loader(name, _Finder) if name in MODULES else None

    @staticmethod
    def create_module(spec):
        """Let Python make an empty module, which `exec_module` replaces."""

    @staticmethod
    def exec_module(module):
        """Put the module of today in the place of the old name."""
        name = module.__name__
        _warn(name, MODULES[name])
        sys.modules[name] = importlib.import_module(MODULES[name])


def install() -> None:
    """Let `import` find the old names, after everything that really exists."""
    if _Finder not in sys.meta_path:
        sys.meta_path.append(_Finder)
