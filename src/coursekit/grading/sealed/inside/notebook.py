"""The tolerant reader of notebooks that nobody vouches for. It runs inside the jail, so a bomb harms only itself.

A submission is an .ipynb file or a .zip that contains one. Only the code cells matter. Outputs, metadata and
attachments are not looked at, so forged ones are worth nothing.
"""

import io
import json
import os
import stat
import zipfile

MAX_BYTES = 20 << 20
MAX_CELLS = 500
MAX_SOURCE = 200_000
MAX_MEMBERS = 2_000


OTHERS = {
    b"\x1f\x8b": "packed with gzip (.gz)",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive (.7z)",
    b"Rar!\x1a\x07": "a RAR archive (.rar)",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}


class BadNotebook(ValueError):
    """The file cannot be read as a notebook; the message is for the student."""


def code_cells(data: bytes) -> list[str]:
    """The source of every code cell of a notebook file, or of the notebook in a zip file."""
    if data[:4] == b"PK\x03\x04":
        data = _unzip(data)
    if len(data) > MAX_BYTES:
        raise BadNotebook(f"the notebook has {len(data) >> 20} MB; at most {MAX_BYTES >> 20} MB (clear its outputs)")
    if not data.strip():
        raise BadNotebook("the file is empty")
    if kind := next((kind for start, kind in OTHERS.items() if data.startswith(start)), None):
        raise BadNotebook(f"the file is {kind}, whatever its name says: hand in the notebook itself, the .ipynb file")
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as e:
        raise BadNotebook(f"the file is not UTF-8 text (byte {e.start}); is it really a notebook?") from None
    if text.lstrip()[:1] == "<":
        raise BadNotebook("the file is a web page (HTML), not the notebook: download the notebook itself, as .ipynb")
    try:
        notebook = json.loads(text)
    except RecursionError:
        raise BadNotebook("the file is nested too deeply for a notebook") from None
    except ValueError as e:
        raise BadNotebook(f"the file is not a notebook: {_clip(e)}") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):
        cells = [c for sheet in notebook["worksheets"] if isinstance(sheet, dict) for c in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        raise BadNotebook("the file is JSON, but not a notebook: it has no list of cells")
    found = [_source(c) for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"]
    if len(found) > MAX_CELLS:
        raise BadNotebook(f"the notebook has {len(found)} code cells; at most {MAX_CELLS}")
    if sum(map(len, found)) > MAX_SOURCE:
        raise BadNotebook(f"the code cells have {sum(map(len, found))} characters; at most {MAX_SOURCE}")
    return found


def read_bytes(path) -> bytes:
    """The bytes of a submitted file; ValueError, with words for the student, when it is not an ordinary one."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise ValueError(f"the file cannot be opened: {error.strerror}") from None
    with os.fdopen(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise ValueError("this is not an ordinary file")
        if info.st_size > MAX_BYTES:
            raise ValueError(f"the file has {info.st_size >> 20} MB; at most {MAX_BYTES >> 20} MB (clear its outputs)")
        return file.read(MAX_BYTES + 1)


def _encoding(data):
    """UTF-8, 16 or 32: by its mark, or, as JSON begins with an ASCII character, by where the first zero byte stands."""
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(data) > 1 and 0 in data[:2] and data[0] != data[1]:
        return "utf-16-le" if data[1] == 0 else "utf-16-be"
    return "utf-8-sig"


def _source(cell):
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


def _list(value):
    return value if isinstance(value, list) else []


def _clip(error):
    return str(error)[:120]


def _unzip(data):
    """The one notebook of a zip file, read in memory; no path of it is ever used."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise BadNotebook(f"the zip file has {len(members)} members; at most {MAX_MEMBERS}")
            found = [m for m in members if _is_notebook(m)]
            if len(found) != 1:
                raise BadNotebook(f"the zip file contains {len(found)} notebooks; expected one")
            if found[0].flag_bits & 1:
                raise BadNotebook("the zip file is encrypted")
            with archive.open(found[0]) as member:
                return member.read(MAX_BYTES + 1)
    except BadNotebook:
        raise
    except Exception as e:  # zipfile raises many kinds for damaged files
        raise BadNotebook(f"the zip file cannot be read: {type(e).__name__}: {_clip(e)}") from None


def _is_notebook(member):
    parts = member.filename.replace("\\", "/").split("/")
    hidden = any(p in ("__MACOSX", ".ipynb_checkpoints") for p in parts) or parts[-1].startswith("._")
    link = (member.external_attr >> 16) & 0o170000 == 0o120000
    return parts[-1].lower().endswith(".ipynb") and not hidden and not link and not member.is_dir()
