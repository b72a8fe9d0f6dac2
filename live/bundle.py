"""Put the packages of live mode into one file, which the browser unpacks by itself while Python starts.

Pyodide's own way, a zip file a package that Python unpacks, takes a quarter of a second longer. The wheels stay beside
it for JupyterLite. The file is gzip of one line of JSON, `[[path, bytes], ...]`, and the contents one after the other.
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
    major, minor, *_ = lock["info"]["python"].split(".")
    place = f"/lib/python{major}.{minor}/site-packages/"
    names, contents = [], []
    for _, package in sorted(lock["packages"].items()):
        with zipfile.ZipFile(folder / package["file_name"]) as wheel:
            for entry in wheel.infolist():
                if not entry.is_dir() and wanted(entry.filename):
                    names.append([place + entry.filename, entry.file_size])
                    contents.append(wheel.read(entry))
    target = folder / NAME
    target.write_bytes(gzip.compress(json.dumps(names).encode() + b"\n" + b"".join(contents), 9, mtime=0))
    return target


def wanted(name: str) -> bool:
    """Whether drawing a figure may read this file of a wheel."""
    path = PurePosixPath(name)
    if path.suffix in LEFT_OUT or FOLDERS_LEFT_OUT & set(path.parent.parts):
        return False
    return path.suffix != ".ttf" or path.name.startswith(FONTS)
