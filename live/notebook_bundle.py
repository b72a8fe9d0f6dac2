"""One file with what only a notebook in the browser needs, byte-compiled: its kernel, IPython, widgets.

Pyodide loads wheel by wheel, each fetched, checked and unpacked in Python, and Python then compiles what it imports:
with the packages as they are published that was most of the wait for a notebook's first output. This file is like the
one of the pages (bundle.py), which a notebook loads too. What no notebook needs is left out: jedi alone, which IPython
asks for completions if it is there, has 5,600 files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import bundle
from browser_wheel import byte_code

LEFT_OUT = {"jedi", "parso", "prompt_toolkit", "wcwidth", "jupyterlab_widgets", "widgetsnbextension"}
# Many, of which a notebook imports one or two; they are there, without byte code.
SELDOM = ("pygments/lexers/", "pygments/styles/", "pygments/formatters/")
OFTEN = ("pygments/lexers/__init__.py", "pygments/lexers/python.py", "pygments/lexers/_mapping.py",
         "pygments/styles/__init__.py", "pygments/styles/default.py", "pygments/styles/_mapping.py",
         "pygments/formatters/__init__.py", "pygments/formatters/_mapping.py", "pygments/formatters/terminal256.py",
         "pygments/formatters/html.py")  # fmt: skip


def write(folder: Path, wheels: list[Path], pyodide: Path) -> Path:
    """Write the file into `folder`, named by its content, and return its path; `pyodide` is a folder with Pyodide."""
    contents = {}
    for wheel in wheels:
        if wheel.name.partition("-")[0].lower() not in LEFT_OUT:
            with zipfile.ZipFile(wheel) as archive:
                contents |= {entry.filename: archive.read(entry) for entry in archive.infolist() if _is_wanted(entry)}
    if node := shutil.which("node"):
        contents |= byte_code(node, pyodide, {name: text for name, text in contents.items() if _is_compiled(name)})
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    content = bundle.pack(dict(sorted(contents.items())), lock["info"]["python"])
    target = folder / f"notebook-{hashlib.sha256(content).hexdigest()[:12]}.bin"
    target.write_bytes(content)
    return target


def _is_wanted(entry):
    """What drawing a figure needs (bundle.py), and nothing that is for another program than Python."""
    return not entry.is_dir() and bundle.wanted(entry.filename) and ".data/" not in entry.filename


def _is_compiled(name):
    return name.endswith(".py") and (name in OFTEN or not name.startswith(SELDOM))
