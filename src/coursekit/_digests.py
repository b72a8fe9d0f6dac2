"""What a result depends on: the modules of the course and the files of the checkout that were loaded for it.

A chapter, an explorer's pictures and a row of the ledger are kept until one of these changes. Of Python only the
syntax tree counts, without docstrings: a comment, a sentence in a docstring or a line broken elsewhere changes nothing
that was computed.

    watch()                  # before anything of the course is loaded
    ...                      # the run
    before = loaded()        # {"coursekit.losses": digest, "src/coursekit/data/mnist_small.npz": digest, ...}
    unchanged(before)        # later, perhaps in another process

Files are seen by an audit hook, so that it does not matter who opens them. A run that starts another process depends
on the whole package, since nobody sees what that process loads.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from pathlib import Path

__all__ = ["digest", "loaded", "locate", "unchanged", "versions", "watch"]

PACKAGE = Path(__file__).resolve().parent
# The checkout, or the folder above the package where it is installed.
ROOT = PACKAGE.parent.parent if (PACKAGE.parent.parent / "pyproject.toml").is_file() else PACKAGE.parent
EVERYTHING = "coursekit, whole"
_PROCESSES = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}
_MADE = {"_build", ".venv", ".cache", ".git", "__pycache__", "node_modules", ".ipynb_checkpoints", "test-artefacts"}

_opened: set[str] = set()
_started: list[str] = []
_since: list[int] = []


@functools.cache
def watch() -> None:
    """Note each file that is read from now on, and whether another process is started."""
    _since.append(time.time_ns() - 50_000_000)  # the clock of some file systems ticks slowly
    sys.addaudithook(_note)


def _note(event, arguments):
    if event == "open":
        path, mode = arguments[0], arguments[1]
        if isinstance(path, (str, os.PathLike)) and (mode is None or mode.startswith("r")):
            _opened.add(os.path.abspath(path))
    elif event in _PROCESSES:
        _started.append(event)


def loaded(*others: str, without=()) -> dict[str, str | None]:
    """Digests of the modules of the course that are loaded now, of `others`, and of files that were read since `watch`.

    `without` are names of modules that change nothing in the result; this module is one of them. What was edited during
    the run gets None, since nobody knows which text was loaded: it will count as changed.
    """
    names = {name for name in sys.modules if name == "coursekit" or name.startswith("coursekit.")} | set(others)
    names -= {__name__, *without}
    if _started:
        names.add(EVERYTHING)
    paths = {name: locate(name) for name in sorted(names | set(_read()))}
    return {name: None if _edited(path) else digest(path) for name, path in paths.items() if path is not None}


def _edited(path):
    files = path.rglob("*.py") if path.is_dir() else [path]
    return bool(_since) and any(file.stat().st_mtime_ns > _since[0] for file in files)


def _read():
    """The files of the checkout that were read, but for code (its modules count) and for what is made here."""
    for name in list(_opened):
        path = Path(name)
        if path.is_relative_to(ROOT) and path.suffix not in (".py", ".pyc", ".so") and path.is_file():
            parts = path.relative_to(ROOT).parts
            if not _MADE.intersection(parts):
                yield "/".join(parts)


def unchanged(before: dict[str, str | None]) -> bool:
    """Tell whether everything that `loaded` named is as it was; nothing named is taken for changed."""
    return bool(before) and all(value and digest(locate(name)) == value for name, value in before.items())


def locate(name: str) -> Path | None:
    """The file of a module or of a name that `loaded` gave; the package's folder for the whole package."""
    if name == EVERYTHING:
        return PACKAGE
    if "/" in name or (ROOT / name).is_file():
        return ROOT / name
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


def digest(path: Path | None) -> str | None:
    """What identifies a file's content, None for no file; of Python only what it does; of a folder its modules."""
    if path is None or not path.exists():
        return None
    if path.is_dir():
        parts = [f"{file.relative_to(path)} {digest(file)}" for file in sorted(path.rglob("*.py"))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return _digest_of(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=2000)
def _digest_of(path, changed):
    content = path.read_bytes()
    if path.suffix == ".py":
        tree = ast.parse(content)
        for node in ast.walk(tree):
            if hasattr(node, "body") and isinstance(node.body, list):
                node.body[:] = [each for each in node.body if not _is_text(each)]
        content = ast.dump(tree).encode()
    return hashlib.sha256(content).hexdigest()


def _is_text(statement):
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def versions() -> dict[str, str]:
    """The versions that may change a number or a picture: Python and the packages that compute and draw."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "matplotlib", "ipywidgets", "torch", "optuna"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
