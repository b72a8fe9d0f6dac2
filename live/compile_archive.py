"""Add byte code to a wheel or to the standard library; runs inside Pyodide, see `compile_archive.mjs`."""

import importlib.util
import io
import marshal
import sys
import zipfile

LIBRARY = "/lib/python314.zip/"
PACKAGES = "/lib/python3.14/site-packages/"


def files_in_use() -> set[str]:
    """The source files that drawing a figure loads, relative to the library or to site-packages."""
    from matplotlib.backends import backend_svg  # noqa: F401
    from matplotlib.figure import Figure

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
    """Rewrite the archive with a .pyc for each .py in use; marked unchecked, so that no time stamp is compared.

    In the standard library the .pyc stands beside the .py, where zipimport looks for it.
    """
    with zipfile.ZipFile(path) as old:
        entries = [(entry.filename, old.read(entry)) for entry in old.infolist() if not entry.is_dir()]
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name, content in entries:
            new.writestr(name, content)
            if name in in_use:
                code = compile(content, (LIBRARY if library else PACKAGES) + name, "exec", dont_inherit=True)
                folder, slash, file = name.rpartition("/")
                cached = f"{file}c" if library else f"__pycache__/{file[:-3]}.{sys.implementation.cache_tag}.pyc"
                new.writestr(folder + slash + cached, header + marshal.dumps(code))
