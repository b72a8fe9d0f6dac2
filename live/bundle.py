"""Put the packages of live mode into one file, which the browser unpacks by itself while Python starts.

Pyodide's own way, a zip file a package that Python unpacks, takes a quarter of a second longer. JupyterLite reads it
too, and another one with what only notebooks need (notebook_bundle.py). The file is gzip of one line of JSON,
`[[path, bytes], ...]`, and the contents one after the other.
What no figure of the book needs is left out.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path, PurePosixPath

NAME = "packages.bin"
LEFT_OUT = {".pyi", ".h", ".pxd", ".afm"}
FOLDERS_LEFT_OUT = {"tests", "sample_data", "web_backend", "f2py", "images", "pdfcorefonts"}
FONTS = ("DejaVuSans", "cm")  # what coursekit's style asks for, and what mathematics falls back on


def write(folder: Path) -> Path:
    """Write the file from the wheels that the lock in `folder` names."""
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    contents = {}
    for _, package in sorted(lock["packages"].items()):
        with zipfile.ZipFile(folder / package["file_name"]) as wheel:
            contents |= {e.filename: wheel.read(e) for e in wheel.infolist() if not e.is_dir() and wanted(e.filename)}
    target = folder / NAME
    target.write_bytes(pack(contents, lock["info"]["python"]))
    return target


def pack(contents: dict[str, bytes], python: str) -> bytes:
    """The file's bytes, for contents by their path in a wheel, and for a version of Python as a lock names it."""
    major, minor, *_ = python.split(".")
    place = f"/lib/python{major}.{minor}/site-packages/"
    names = [[place + name, len(content)] for name, content in contents.items()]
    return gzip.compress(json.dumps(names).encode() + b"\n" + b"".join(contents.values()), 9, mtime=0)


def wanted(name: str) -> bool:
    """Whether drawing a figure may read this file of a wheel."""
    path = PurePosixPath(name)
    if path.suffix in LEFT_OUT or FOLDERS_LEFT_OUT & set(path.parent.parts):
        return False
    return path.suffix != ".ttf" or path.name.startswith(FONTS)
