"""Which modules of the course a module imports, read from its text; nothing is run."""

import ast
import functools

from coursekit import _digests


@functools.cache
def reached(module):
    """The modules of the course that are loaded when this one is, itself included."""
    found, left = set(), [module]
    while left:
        name = left.pop()
        path = _digests.locate(name)
        if name in found or path is None or not path.is_relative_to(_digests.PACKAGE):
            continue
        found.add(name)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(_digests.cleaned(path.read_bytes())):
            left += imports(node, package)
        left.append(name.rpartition(".")[0] or "coursekit")
    return frozenset(found)


def imports(node, package):
    """Names that one import statement may mean by modules of the course; what is none is not found later."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.startswith("coursekit")]
    if not isinstance(node, ast.ImportFrom):
        return []
    module = _digests.home(node, package)
    return [module, *(f"{module}.{alias.name}" for alias in node.names)] if module.startswith("coursekit") else []
