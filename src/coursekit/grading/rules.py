"""What the grader does not have: `refusal` says why a function would earn nothing there, although it works here.

While a notebook is graded there is Python, NumPy and the notebook alone. A function that reaches anything else (SciPy,
PyTorch, the course's own solution, a file beside the notebook) is refused by `check` at once.
"""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import types

__all__ = ["functions_of", "refusal"]

_THERE = {"numpy", "builtins", "__main__", "__future__"} | set(sys.stdlib_module_names)
_QUIET = {"matplotlib", "IPython", "tqdm", "seaborn", "ipywidgets"}  # stand-ins there: their calls do nothing
_LIBRARIES = {"scipy": "SciPy", "torch": "PyTorch", "tensorflow": "TensorFlow", "sklearn": "scikit-learn", "jax": "JAX",
              "keras": "Keras", "pandas": "pandas", "numba": "Numba", "cupy": "CuPy"}  # fmt: skip
_NOT_THERE = "which the grader does not have: it would earn no points. Use NumPy alone."


def refusal(name: str, value, names: dict) -> str | None:
    """Why the grader would refuse what the notebook calls `name`; None when there is no reason.

    `names` are the notebook's globals. Functions of the notebook that `value` uses are looked at as well.
    """
    home = _home(value)
    if home.split(".")[0] == "coursekit":
        return f"{name} is the one of {home}. The exercise is to write your own."
    if (said := _why(name, home, name)) is not None:
        return said
    for function in functions_of(value, names):
        for used, module in _used(function, names):
            if (said := _why(name, module, used)) is not None:
                return said
    return None


def functions_of(value, names: dict) -> list[types.FunctionType]:
    """The function itself and all functions of the notebook that it can reach by name."""
    found, todo = [], [value]
    while todo:
        value = todo.pop()
        if isinstance(value, functools.partial):
            todo += [value.func, *value.args]
        elif inspect.isclass(value):
            todo += [part for part in vars(value).values() if isinstance(part, types.FunctionType)]
        elif isinstance(value, types.MethodType):
            todo.append(value.__func__)
        elif isinstance(value, types.FunctionType) and value.__globals__ is names and value not in found:
            found.append(value)
            todo += [names[n] for n in _names(value.__code__) if n in names]
            todo += [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
            todo += [part for part in (getattr(value, "__wrapped__", None),) if part is not None]
    return found


def _filled(cell):
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


@functools.lru_cache(maxsize=512)
def _names(code) -> tuple[str, ...]:
    found = list(code.co_names)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            found += _names(part)
    return tuple(dict.fromkeys(found))


def _imports(code):
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            yield step.argval
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _imports(part)


def _used(function, names):
    """(name in the code, module) of everything from elsewhere that a function uses."""
    for module in _imports(function.__code__):
        yield module, module
    values = [(n, names[n]) for n in _names(function.__code__) if n in names]
    values += [("a default argument", v) for v in function.__defaults__ or ()]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    values += [(name, cell.cell_contents) for name, cell in cells if _filled(cell)]
    for name, value in values:
        if not (isinstance(value, types.FunctionType) and value.__globals__ is names):
            yield name, _home(value)


def _home(value) -> str:
    """The module that a value belongs to."""
    if isinstance(value, types.ModuleType):
        return value.__name__
    if isinstance(value, functools.partial):
        return _home(value.func)
    home = getattr(value, "__module__", None)
    if not isinstance(home, str):
        home = getattr(type(value), "__module__", "") or ""
    return home


def _why(name, module, used):
    top, _, rest = module.partition(".")
    if top in _THERE or top in _QUIET or not top:
        return None
    by = "" if used == name else f", as {used}," if used != module else ""
    if top == "coursekit":
        if rest.split(".")[0] in ("data", "errors"):
            return None
        return (
            f"{name} uses the course's own functions ({module}){by} which are not there for the marks. "
            "The exercise is to write it."
        )
    if top in _LIBRARIES:
        return f"{name} uses {_LIBRARIES[top]}{by} {_NOT_THERE}"
    found = sys.modules.get(top)
    file = getattr(found, "__file__", None) or ""
    if found is not None and "site-packages" not in file and "dist-packages" not in file:
        if not file:
            return None  # made in the notebook itself, or by a test
        return (
            f"{name} uses {module}.py, a file beside your notebook: the grader gets the notebook alone. "
            "Copy what you need into a cell."
        )
    return f"{name} uses {module}{by} {_NOT_THERE}"
