"""What one function of the course uses, definition by definition: a claim is run again when any of it has changed.

Nothing is run: names are followed as they are written, from module to module. That is enough as long as no name is put
together while the program runs, which a test forbids. All claims are run every week besides.

    of_function(claim.measure)                  # "3f2a...": the digest that stands beside the claim's numbers
    used("coursekit.ledger.losses", "stall")    # {"coursekit.losses: softmax_cross_entropy", ...}
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import re
from dataclasses import dataclass

from . import _digests

__all__ = ["of_function", "used"]


@dataclass(frozen=True)
class _Definition:
    """A statement of a module: (module, name) of what it refers to, its words in quotation marks, a digest of it."""

    module: str
    gives: frozenset[str]
    refers: frozenset[tuple[str, str]]
    words: frozenset[str]
    text: str

    @property
    def where(self):
        return f"{self.module}: {min(self.gives)}"


def of_function(function) -> str:
    """One digest for a function, what it uses of the course, the data that this reads, and NumPy's version."""
    found = _closure(function.__module__, function.__name__)
    parts = {(each.where, each.text) for each in found} | {(name, _digests.digest(path)) for name, path in _data(found)}
    parts.add(("numpy", importlib.metadata.version("numpy")))
    return hashlib.sha256(repr(sorted(parts)).encode()).hexdigest()[:16]


def used(module: str, name: str) -> set[str]:
    """Names ("module: name") of the definitions that the function `name` of a module uses, and of their data files."""
    found = _closure(module, name)
    return {each.where for each in found} | {file for file, _ in _data(found)}


def _closure(module, name):
    """The definitions that the function uses, itself included."""
    found, left, seen = set(), [(module, name), ("coursekit.comparison", "judge")], set()
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            new = _given(*one) - found
            found |= new
            left += [pair for each in new for pair in each.refers]
    return found


def _given(module, name):
    """The definitions of a name in a module, all that the module has for "*"."""
    definitions = _definitions(module)
    return set(definitions) if name == "*" else {each for each in definitions if name in each.gives}


def _definitions(module):
    """The definitions of one module; none for one of another package."""
    path = _file(module)
    return _definitions_of(module, path, path.stat().st_mtime_ns) if path else ()


@functools.cache
def _file(module):
    path = _digests.locate(module) if module.partition(".")[0] == "coursekit" else None
    return path if path and path.is_relative_to(_digests.PACKAGE) else None


@functools.lru_cache(maxsize=2000)
def _definitions_of(module, path, changed):
    tree = _digests.cleaned(path.read_bytes(), claims=True)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported = _imported(tree, package)
    own = {name for statement in tree.body for name in _gives(statement)}
    return tuple(
        _definition(module, part, own, imported) for each in tree.body for part in _parts(each) if _gives(part)
    )


def _parts(statement):
    """An import of several names is as many definitions; anything else is one."""
    if isinstance(statement, ast.Import):
        return [ast.Import(names=[alias]) for alias in statement.names]
    if isinstance(statement, ast.ImportFrom):
        return [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
    return [statement]


def _imported(tree, package):
    """{name: (module, name in it)} of all imports of a file, wherever they stand; ("" for the module itself)."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or "coursekit"] = (alias.name if alias.asname else alias.name.partition(".")[0], "")
        elif isinstance(node, ast.ImportFrom):
            home = _digests.home(node, package)
            for alias in node.names:
                whole = f"{home}.{alias.name}"
                found[alias.asname or alias.name] = (whole, "") if _file(whole) else (home, alias.name)
    return found


def _definition(module, statement, own, imported):
    refers, bases = set(), set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute):
            names = _chain(node)
            if names and names[0] in imported and not imported[names[0]][1]:
                bases.add(_base(node))
                refers.add(_member(imported[names[0]][0], names[1:]))
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node not in bases and node.id != "claim":  # what registers a row
            if node.id in imported:
                home, name = imported[node.id]
                refers.add((home, name or "*"))
            elif node.id in own:
                refers.add((module, node.id))
    words = {n.value for n in ast.walk(statement) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):  # what another module takes from here
        refers |= {imported[name] for name in _gives(statement) if name in imported and imported[name][1]}
    text = hashlib.sha256(ast.dump(statement).encode()).hexdigest()
    return _Definition(module, frozenset(_gives(statement)), frozenset(refers), frozenset(words), text)


def _chain(node):
    """["a", "b", "c"] of a.b.c; empty where it begins with anything but a name."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []


def _base(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _member(module, names):
    """(module, name) of `module.a.b`, where a may be a module too."""
    if _file(f"{module}.{names[0]}") and len(names) > 1:
        return _member(f"{module}.{names[0]}", names[1:])
    return module, names[0]


def _gives(statement):
    """The names that a statement of a module defines; none for what is only done there."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        # A form that is registered is used wherever the function is that it belongs to.
        decorators = [each.func if isinstance(each, ast.Call) else each for each in statement.decorator_list]
        marks = [each for each in decorators if isinstance(each, ast.Attribute) and each.attr == "register"]
        return {each.value.id for each in marks if isinstance(each.value, ast.Name)} or {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names} - {"annotations"}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
        return names - {"__all__"}
    return set()


def _data(found):
    """(name, path) of the data files that definitions name: "mnist_small.npz", "recall" or f"transfer_{kind}"."""
    words = {word for each in found for word in each.words}
    for path in sorted((_digests.PACKAGE / "data").iterdir()):
        if path.suffix in (".npz", ".gz"):
            name = path.name.removeprefix("weights_").partition(".")[0]
            begun = {name[: match.end()] for match in re.finditer("_", name)}
            if words & {path.name, name, *begun}:
                yield path.name, path
