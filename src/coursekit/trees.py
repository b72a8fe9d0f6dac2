"""Nested dicts (also tuples and lists) of arrays: params, gradients, optimizer states.

A leaf is whatever is not a dict, tuple or list. Leaves go by their path, the keys that lead to them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import _checks
from .errors import DTypeError, ShapeError


class Path(tuple):
    """The keys that lead to a leaf; in a message it reads as one would type it."""

    def __str__(self):
        return "".join(f"[{key!r}]" for key in self)


def leaves(tree) -> dict:
    """All leaves by path, in order.

    >>> {str(path): leaf for path, leaf in leaves({"dense_0": {"w": 1, "b": 2}}).items()}
    {"['dense_0']['w']": 1, "['dense_0']['b']": 2}
    """
    found: dict = {}
    _collect(tree, (), found)
    return found


def _collect(tree, path, found):
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, (tuple, list)):
        items = enumerate(tree)
    else:
        found[Path(path)] = tree
        return
    for key, value in items:
        _collect(value, (*path, key), found)


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
        if not (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"):
            _checks.float_array(f"{name}{path}", leaf)  # raises
    return found


def alike(name: str, tree, other: str, reference: dict[str, np.ndarray]) -> dict:
    """All leaves of `tree` in the order of `reference` (leaves by path), with the same paths and shapes."""
    found = leaves(tree)
    if [*found] != [*reference]:
        if found.keys() != reference.keys():
            missing = [f"{name}{p}" for p in reference if p not in found]
            extra = [f"{name}{p}" for p in found if p not in reference]
            says = [f"{' and '.join(missing)} missing"] * bool(missing)
            says += [f"{' and '.join(extra)} too many"] * bool(extra)
            raise ShapeError(f"{name} must hold the same entries as {other}: {', '.join(says)}")
        found = ordered(found, reference)
    for path, here, leaf in zip(found, found.values(), reference.values(), strict=True):
        if not (isinstance(here, np.ndarray) and here.dtype.kind == "f" and here.shape == leaf.shape):
            _checks.same_shape(f"{name}{path}", here, f"{other}{path}", leaf)  # raises
    return found


def ordered(found: dict, reference: dict) -> dict:
    """Leaves by path, put into the order of `reference`, which has the same paths."""
    return {path: found[path] for path in reference}


def rows(trees: dict) -> list:
    """The leaves of nests (by name) with the same paths and shapes side by side: one list a path, in the first's order.

    >>> w, b = np.ones((3, 2)), np.ones(2)
    >>> rows({"params": {"w": w, "b": b}, "grads": {"b": 2 * b, "w": 2 * w}})[1]
    [array([1., 1.]), array([2., 2.])]
    """
    found: list = []
    if _walk([*trees.values()], found) and found:
        return found
    (name, first), *others = trees.items()  # the slow way: it takes tuples too, and says what is wrong
    columns = [reference := float_leaves(name, first)]
    columns += [alike(other, tree, name, reference) for other, tree in others]
    return [*map(list, zip(*(column.values() for column in columns), strict=True))]


def _walk(trees, found):
    """Collect the leaves of nested dicts side by side; False where keys, kinds or shapes differ."""
    first = trees[0]
    if isinstance(first, dict):
        keys = first.keys()
        for tree in trees:
            if not (isinstance(tree, dict) and tree.keys() == keys):
                return False
        for key in keys:
            if not _walk([tree[key] for tree in trees], found):
                return False
        return True
    shape = getattr(first, "shape", None)
    for a in trees:
        if not (isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.shape == shape):
            return False
    found.append(trees)
    return True


def rebuilt(tree, leaves):
    """The same nest with the given leaves, in order, in place of its own."""
    leaves = iter(leaves)
    return map_leaves(lambda _: next(leaves), tree)


def flatten(tree, path, arrays):
    """Put the arrays of a nested dict into `arrays`; returns its skeleton, which is plain JSON."""
    if isinstance(tree, dict):
        return {"dict": {name: flatten(value, f"{path}/{name}", arrays) for name, value in tree.items()}}
    if isinstance(tree, (list, tuple)):
        kind = "tuple" if isinstance(tree, tuple) else "list"
        return {kind: [flatten(value, f"{path}/{i}", arrays) for i, value in enumerate(tree)]}
    if isinstance(tree, (np.ndarray, np.generic)):
        arrays[path] = np.asarray(tree)
        return {"array": path}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return {"value": tree}
    raise DTypeError(f"{path} is a {type(tree).__name__}, which .npz files cannot hold; use arrays, numbers and dicts")


def unflatten(skeleton, arrays):
    """The nest again, from what `flatten` returned and the arrays that it gave away."""
    ((kind, value),) = skeleton.items()
    if kind == "dict":
        return {name: unflatten(v, arrays) for name, v in value.items()}
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(unflatten(v, arrays) for v in value)
    return arrays[value] if kind == "array" else value
