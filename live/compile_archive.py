"""Byte code for wheels and the standard library; runs inside Pyodide, for the two scripts `compile_*.mjs`."""

import base64
import importlib
import importlib.util
import io
import marshal
import sys
import zipfile

MAJOR, MINOR = sys.version_info[:2]
LIBRARY = f"/lib/python{MAJOR}{MINOR}.zip/"
PACKAGES = f"/lib/python{MAJOR}.{MINOR}/site-packages/"


# Of the standard library, what the kernel of a notebook imports besides.
BY_A_NOTEBOOK = """
    _strptime bdb encodings.idna getpass html.parser importlib.resources.readers logging.config logging.handlers pkgutil
    pyodide.http queue unittest.mock
""".split()


def files_in_use() -> set[str]:
    """The source files that a figure and a notebook's kernel load, relative to the library or to site-packages."""
    from matplotlib.backends import backend_svg  # noqa: F401
    from matplotlib.figure import Figure

    for name in BY_A_NOTEBOOK:
        importlib.import_module(name)
    axes = Figure().subplots()
    axes.set_title("$x^2$")
    axes.hist([1, 2])
    axes.imshow([[1, 2]])
    axes.plot([1, 2], label="a")
    axes.legend()
    axes.figure.savefig(io.BytesIO(), format="svg")
    found = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
    return {file.removeprefix(LIBRARY).removeprefix(PACKAGES) for file in found if file.endswith(".py")}


def compile_archive(path: str, library: bool, in_use: set[str]) -> None:
    """Rewrite the archive with a .pyc for each .py in use.

    In the standard library the .pyc stands beside the .py, where zipimport looks for it.
    """
    with zipfile.ZipFile(path) as old:
        entries = [(entry.filename, old.read(entry)) for entry in old.infolist() if not entry.is_dir()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name, content in entries:
            new.writestr(name, content)
            if name in in_use:
                code = byte_code(content, (LIBRARY if library else PACKAGES) + name)
                new.writestr(f"{name}c" if library else cached(name), code)


def compile_sources(sources: dict[str, str]) -> dict[str, str]:
    """Byte code of sources by name: its own names, and its content in base64."""
    return {cached(name): base64.b64encode(byte_code(text, name)).decode() for name, text in sources.items()}


def byte_code(source, name: str) -> bytes:
    """The content of a .pyc; marked unchecked, so that no time stamp is compared."""
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    return header + marshal.dumps(compile(source, name, "exec", dont_inherit=True))


def cached(name: str) -> str:
    """Where Python looks for the byte code of a source."""
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}__pycache__/{file[:-3]}.{sys.implementation.cache_tag}.pyc"
