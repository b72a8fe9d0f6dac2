"""Nested dicts (also tuples and lists) of arrays: params, gradients, optimizer states.

A leaf is whatever is not a dict, tuple or list. Leaves go by their path as one would type it, `['dense_0']['w']`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import _checks
from .errors import ShapeError


def leaves(tree, path: str = "") -> dict:
    """All leaves by path, in order.

    >>> leaves({"dense_0": {"w": 1, "b": 2}})
    {"['dense_0']['w']": 1, "['dense_0']['b']": 2}
    """
    if not isinstance(tree, (dict, tuple, list)):
        return {path: tree}
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {p: leaf for key, value in entries for p, leaf in leaves(value, f"{path}[{key!r}]").items()}


def map_leaves(f: Callable, tree):
    """The same nest with `f(leaf)` in place of every leaf.

    >>> map_leaves(lambda leaf: -leaf, {"dense_0": {"w": 1, "b": 2}})
    {'dense_0': {'w': -1, 'b': -2}}
    """
    if isinstance(tree, dict):
        return {key: map_leaves(f, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_leaves(f, value) for value in tree)
    return f(tree)


def float_leaves(name: str, tree) -> dict:
    """All leaves by path; each must be an array of floats, and there must be one at least."""
    found = leaves(tree)
    if not found:
        raise ShapeError(f"{name} is empty; expected a dict of arrays, {name}={{'w': w, 'b': b}}")
    for path, leaf in found.items():
        _checks.float_array(name + path, leaf)
    return found


def alike(name: str, tree, other: str, reference: dict[str, np.ndarray]) -> dict:
    """All leaves of `tree` in the order of `reference` (leaves by path), with the same paths and shapes."""
    found = leaves(tree)
    if found.keys() != reference.keys():
        missing = [name + p for p in reference if p not in found]
        extra = [name + p for p in found if p not in reference]
        says = [f"{' and '.join(missing)} missing"] * bool(missing) + [f"{' and '.join(extra)} too many"] * bool(extra)
        raise ShapeError(f"{name} must hold the same entries as {other}: {', '.join(says)}")
    for path, leaf in reference.items():
        _checks.same_shape(name + path, found[path], other + path, leaf)
    return {path: found[path] for path in reference}
