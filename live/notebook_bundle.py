"""One wheel with all that a notebook in the browser needs, byte-compiled: kernel, IPython, widgets, NumPy, Matplotlib.

Pyodide loads wheel by wheel, each fetched, checked and unpacked in Python, and Python then compiles what it imports:
with the packages as they are published that was most of the wait for a notebook's first output. What no notebook needs
is left out: jedi alone, which IPython asks for completions if it is there, has 5,600 files.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from browser_wheel import byte_code
from bundle import wanted

NAME = "ipython"  # the wheel in which everything stands; the kernel asks for it by this name
LEFT_OUT = {"jedi", "parso", "prompt_toolkit", "wcwidth", "jupyterlab_widgets", "widgetsnbextension"}
# Many, of which a notebook imports one or two; they are there, without byte code.
SELDOM = ("pygments/lexers/", "pygments/styles/", "pygments/formatters/")
OFTEN = ("pygments/lexers/__init__.py", "pygments/lexers/python.py", "pygments/lexers/_mapping.py",
         "pygments/styles/__init__.py", "pygments/styles/default.py", "pygments/styles/_mapping.py",
         "pygments/formatters/__init__.py", "pygments/formatters/_mapping.py", "pygments/formatters/terminal256.py",
         "pygments/formatters/html.py")  # fmt: skip


def write(folder: Path, packages: list[Path], wheels: list[Path], pyodide: Path) -> Path:
    """Write the wheel into a folder of its own in `folder`, named by its content, and return its path.

    `packages` are Pyodide's wheels, which have byte code where it helps; of `wheels` it is made here.
    """
    version = next(wheel.name.split("-")[1] for wheel in wheels if wheel.name.startswith(f"{NAME}-"))
    contents, sources = {}, {}
    for wheel in (*packages, *wheels):
        if wheel.name.partition("-")[0].lower() in LEFT_OUT:
            continue
        with zipfile.ZipFile(wheel) as archive:
            found = {_place(entry.filename): archive.read(entry) for entry in archive.infolist() if _is_wanted(entry)}
        contents |= found
        if wheel in wheels:
            sources |= {name: content for name, content in found.items() if _is_compiled(name)}
    if node := shutil.which("node"):
        contents |= byte_code(node, pyodide, sources)
    info = f"{NAME}-{version}.dist-info"
    contents[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in sorted(contents)).encode()
    digest = hashlib.sha256(b"".join(name.encode() + content for name, content in sorted(contents.items())))
    target = folder / digest.hexdigest()[:12] / f"{NAME}-{version}-py3-none-any.whl"
    _pack(target, contents)
    return target


def empty(folder: Path, name: str) -> Path:
    """A wheel without modules: for a name that the kernel asks for and whose modules stand in the one above."""
    info = f"{name.replace('-', '_')}-0.dist-info"
    contents = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: live\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in contents).encode()
    target = folder / f"{name.replace('-', '_')}-0-py3-none-any.whl"
    _pack(target, contents)
    return target


def _pack(target, contents):
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(contents.items()):
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


def modules(wheel: Path) -> list[str]:
    """The names that can be imported from a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist() if name.endswith((".py", ".so"))}
    return sorted({top.partition(".")[0] for top in tops if not top.endswith("-info")})


def _place(name):
    """Where a file stands in the wheel, which may have one folder .dist-info; Python finds the other kind as well."""
    return name if name.startswith(f"{NAME}-") else name.replace(".dist-info/", ".egg-info/")


def _is_wanted(entry):
    """What drawing a figure needs (bundle.py), and nothing that is for another program than Python."""
    return not entry.is_dir() and wanted(entry.filename) and ".data/" not in entry.filename


def _is_compiled(name):
    return name.endswith(".py") and (name in OFTEN or not name.startswith(SELDOM))
