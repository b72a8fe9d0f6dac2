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
import re
import sys
import time
from pathlib import Path

__all__ = ["cleaned", "digest", "home", "loaded", "locate", "unchanged", "versions", "watch"]

PACKAGE = Path(__file__).resolve().parent
# The checkout, or the folder above the package where it is installed.
ROOT = PACKAGE.parent.parent if (PACKAGE.parent.parent / "pyproject.toml").is_file() else PACKAGE.parent
EVERYTHING = "coursekit, whole"
_PROCESSES = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"}
_MADE = {"_build", ".venv", ".cache", ".git", "__pycache__", "node_modules", ".ipynb_checkpoints", "test-artefacts"}

_SHA256 = re.compile("[0-9a-f]{64}")
_WORDS_OF_A_CLAIM = {"text", "source", "setting", "condition", "note"}

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

    One of the others may be "module:name", for what the module declares under this name. `without` are names of modules
    that change nothing in the result; this module is one of them. What was edited during the run gets None, since
    nobody knows which text was loaded: it will count as changed.
    """
    names = {name for name in sys.modules if name == "coursekit" or name.startswith("coursekit.")} | set(others)
    names -= {__name__, *without, *(other.partition(":")[0] for other in others if ":" in other)}
    if _started:
        names.add(EVERYTHING)
    paths = {name: locate(name) for name in sorted(names | set(_read()))}
    return {name: None if _edited(path) else _now(name) for name, path in paths.items() if path is not None}


def _now(name):
    return digest(locate(name), name.partition(":")[2])


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
    return bool(before) and all(value and _now(name) == value for name, value in before.items())


def locate(name: str) -> Path | None:
    """The file of a module or of a name that `loaded` gave; the package's folder for the whole package."""
    if name == EVERYTHING:
        return PACKAGE
    if "/" in name or (ROOT / name).is_file():
        return ROOT / name
    try:
        spec = importlib.util.find_spec(name.partition(":")[0])
    except (ModuleNotFoundError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin else None


def digest(path: Path | None, name: str = "") -> str | None:
    """What identifies a file's content, None for no file; of Python only what it does; of a folder its modules.

    With the `name` of an explorer, a prediction or a claim that a module declares, the others in it do not count.
    """
    if path is None or not path.exists():
        return None
    if path.is_dir():
        parts = [f"{file.relative_to(path)} {digest(file)}" for file in sorted(path.rglob("*.py"))]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return _digest_of(path, path.stat().st_mtime_ns, name)


@functools.lru_cache(maxsize=2000)
def _digest_of(path, changed, name=""):
    content = path.read_bytes()
    if path.suffix == ".py":
        tree = cleaned(content, claims=bool(name))
        if name:
            tree.body[:] = _part(tree.body, name)
        content = ast.dump(tree).encode()
    return hashlib.sha256(content).hexdigest()


def cleaned(content: bytes, claims: bool = False) -> ast.Module:
    """The syntax tree of a file without what computes nothing.

    Docstrings, annotations of functions, the words around explorers, lists of files' hashes, what only a browser runs,
    and with `claims` the words of the ledger's rows.
    """
    tree = ast.parse(content)
    tree.body[:] = _without_the_browsers(tree.body)
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body[:] = [each for each in node.body if not _is_text(each)]
        if isinstance(node, ast.Call) and _called(node) == "explorer":
            _without_words(node)
        if isinstance(node, ast.Call) and _called(node) == "claim" and claims:
            node.keywords = [word for word in node.keywords if word.arg not in _WORDS_OF_A_CLAIM]
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.Dict):
            pairs = [pair for pair in zip(node.keys, node.values, strict=True) if not _is_hash(pair[1])]
            node.keys, node.values = [key for key, _ in pairs], [value for _, value in pairs]
    return tree


def _without_the_browsers(body):
    """The statements without those that only a browser runs, and without the `import sys` that only these need."""
    rest = [each for each in body if not _in_a_browser(each)]
    if len(rest) < len(body) and "sys" not in {name for each in rest for name in _names(each)}:
        rest = [each for each in rest if ast.unparse(each) != "import sys"]
    return rest


def _in_a_browser(statement):
    """Whether it is `if sys.platform == "emscripten":` at the top of a module, with nothing for another platform."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return ast.unparse(statement.test) == "sys.platform == 'emscripten'"


def _is_hash(value):
    """Whether a value is the hash of a file: the file itself counts."""
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and _SHA256.fullmatch(value.value)


def _is_text(statement):
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _called(call):
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _without_words(explorer):
    """Take the title and the labels of the controls away: they stand around the picture, and are written anew."""
    explorer.keywords = [word for word in explorer.keywords if word.arg != "title"]
    for word in explorer.keywords:
        if isinstance(word.value, ast.Call) and _called(word.value) in ("Choice", "LogSlider", "Slider"):
            word.value.keywords = [each for each in word.value.keywords if each.arg != "label"]


def _part(body, name):
    """The statements of a module without the declarations that have nothing to do with the one called `name`."""
    declared = {_declares(statement): statement for statement in body}
    declared.pop(None, None)
    needed, left = set(), [name, *(n for each in body if _declares(each) is None for n in _names(each))]
    while left:
        one = left.pop()
        if one in declared and one not in needed:
            needed.add(one)
            left += _names(declared[one])
    return [each for each in body if _declares(each) in needed or (_declares(each) is None and not _is_all(each))]


def _declares(statement):
    """The name of an explorer, a prediction or a claim that a statement declares, and does nothing else; or None."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        target = statement.targets[0]
        if _called(statement.value) in ("explorer", "predict") and isinstance(target, ast.Name):
            return target.id
    if isinstance(statement, ast.FunctionDef):
        calls = [each for each in statement.decorator_list if isinstance(each, ast.Call)]
        if calls and all(_called(call) == "claim" for call in calls):
            return statement.name
    return None


def _names(statement):
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]


def _is_all(statement):
    return isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "__all__"


def home(node: ast.ImportFrom, package: str) -> str:
    """The module that `from .x import y` takes y from, in a module of this package."""
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def versions() -> dict[str, str]:
    """The versions that may change a number or a picture: Python and the packages that compute and draw."""
    found = {"python": platform.python_version()}
    for name in ("numpy", "matplotlib", "ipywidgets", "torch", "optuna"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
