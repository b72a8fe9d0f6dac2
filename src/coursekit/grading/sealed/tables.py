"""Lists as people and spreadsheets save them: any usual encoding, separator and spelling of the headings."""

from __future__ import annotations

import csv
import io
import pathlib
import re
import unicodedata
from dataclasses import dataclass

from ...errors import DataError
from .submissions import clean

__all__ = ["Table", "read_table", "safe_cell", "same_key"]

MAX_BYTES = 10 << 20
# What spreadsheets write; a longer list makes short texts ambiguous.
_ENCODINGS = [
    "cp1252", "cp949", "cp932", "gb18030", "big5", "cp1250", "cp1251", "utf_16", "utf_16_le", "utf_16_be",
]  # fmt: skip
_ALIASES = {
    "sis_user_id": "sis_id", "sis_login_id": "login", "e_mail": "email", "email_address": "email", "mail": "email",
    "username": "login", "user_name": "login", "full_name": "name", "filename": "file", "path": "file",
    "time": "submitted", "submitted_at": "submitted", "grade": "points", "feedback": "comment", "note": "comment",
}  # fmt: skip
_INSIDE = re.compile(r"([;,|]\s*)(?=[=+@|%＝＋＠]|[-－][^\s\d])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """The rows of a list as dicts, and in words how it was read where that was a guess."""

    rows: tuple[dict[str, str], ...]
    columns: tuple[str, ...]
    note: str = ""


def safe_cell(value) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    text = " ".join(clean(str(value)).split())
    # Where another sign separates cells, as ; does in many countries, a cell can begin in the middle of ours.
    text = _INSIDE.sub(r"\1'", text)
    return "'" + text if text.startswith(_FORMULA) else text


def same_key(text: str) -> str:
    """Equal for two spellings of a name: Unicode form, capitals and blanks do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_table(path, needed: tuple[str, ...], aliases: dict[str, str] | None = None) -> Table:
    """Read a list with at least the columns `needed`; DataError says what is missing, and what to do."""
    path = pathlib.Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"the list {str(path)!r} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise DataError(f"the list {str(path)!r} has {len(data) >> 20} MB; that is no list of a class")
    if data[:4] == b"PK\x03\x04":
        raise DataError(f"{str(path)!r} is a spreadsheet, not CSV: save it as 'CSV UTF-8'")
    text, encoding = _text(path, data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    lines = [
        line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, line))
    ]
    if not lines:
        raise DataError(f"the list {str(path)!r} is empty; it needs the columns {', '.join(needed)}")
    names = _ALIASES | (aliases or {})
    columns = [same_key(c.lstrip("\ufeff")).replace(" ", "_").replace("-", "_") for c in lines[0]]
    columns = [names.get(c, c) for c in columns]
    missing = [c for c in needed if c not in columns]
    if missing:
        raise DataError(
            f"{str(path)!r} needs a column {missing[0]}; its first line is {', '.join(map(str.strip, lines[0]))!r}, "
            f"read with {separator!r} as the separator"
        )
    rows = tuple(
        {c: cell.strip() for c, cell in zip(columns, [*line, *[""] * len(columns)], strict=False) if c}
        for line in lines[1:]
    )
    note = "" if encoding == "utf-8" else f"{path.name} was read as {encoding}; 'CSV UTF-8' leaves nothing to guess"
    return Table(rows, tuple(columns), note)


def _text(path, data):
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        from charset_normalizer import from_bytes

        found = from_bytes(data, cp_isolation=_ENCODINGS).best()
    except ImportError:
        found = None
    encoding = found.encoding if found is not None else "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"
    try:
        text = data.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError(f"the list {str(path)!r} is in no encoding that is known: save it as 'CSV UTF-8'")
    return text, encoding
