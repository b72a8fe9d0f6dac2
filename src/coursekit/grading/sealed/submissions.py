"""Which file belongs to whom: a folder of submissions, as Canvas, Moodle, GitHub Classroom or people leave it.

    submissions/alice.ipynb                              student "alice"
    submissions/alice/05_initialization.ipynb            student "alice"; several files are several attempts
    submissions/doejane_LATE_4242_9001_05-2.ipynb        Canvas: student "4242", attempt 2
    submissions/Jane Doe_123_assignsubmission_file/x.ipynb   Moodle: student "123"
    submissions/submissions.csv                          columns file, student, submitted: wins over all of these

Of several attempts the last one counts: the highest attempt number, where Canvas gives one, then the latest time of
submission, then the last name in the alphabet. Times come from submissions.csv, or else from the files' own times.
Symbolic links are never followed; devices, pipes and files over 20 MB are refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import pathlib
import re
import stat
from dataclasses import dataclass

from ...errors import DataError
from .inside.notebook import MAX_BYTES

__all__ = ["Submission", "find_submissions", "parse_time", "read_bytes"]

_CANVAS = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<student>\d+)_(?P<id>\d+)_(?P<file>.*?)(-(?P<attempt>\d+))?$")
_MOODLE = re.compile(r"(?P<name>.+)_(?P<student>\d+)_assignsubmission_file_?$")
_MAX_FILES = 200


@dataclass(frozen=True)
class Submission:
    """One submitted file."""

    student: str
    name: str
    path: pathlib.Path
    file: str
    submitted: dt.datetime
    time_from: str
    attempt: int = 1

    @property
    def order(self):
        """Sorts the attempts of a student; the last one counts."""
        return self.attempt, self.submitted, self.file


def find_submissions(folder, sheet: str) -> list[Submission]:
    """Every submission in a folder, sorted by student and attempt."""
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise DataError(f"there is no folder {str(folder)!r}; give the folder with the submitted notebooks")
    listed = _listed(folder)
    found = []
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            match = _MOODLE.match(entry.name)
            student, name = (match["student"], match["name"]) if match else (entry.name, entry.name)
            for path in _notebooks(pathlib.Path(entry.path), sheet):
                found.append(_submission(folder, path, student, name, 1, listed))
        elif _wanted(entry.name):
            path = pathlib.Path(entry.path)
            match = _CANVAS.match(path.stem)
            student, name = (match["student"], match["name"]) if match else (path.stem, path.stem)
            attempt = int(match["attempt"] or 1) if match and len(match["attempt"] or "1") < 6 else 1
            found.append(_submission(folder, path, student, name, attempt, listed))
    known = {s.file for s in found}
    unknown = [file for file in listed if file not in known]
    if unknown:
        raise DataError(f"submissions.csv lists {unknown[0]!r}, which is not a notebook or zip file in {str(folder)!r}")
    if not found:
        raise DataError(f"there are no .ipynb or .zip files in {str(folder)!r}")
    return sorted(found, key=lambda s: (s.student, s.order))


def parse_time(text: str) -> dt.datetime:
    """An ISO time, such as 2026-03-01T23:59 or 2026-03-01T23:59+01:00; without a zone it is UTC."""
    try:
        time = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"{text!r} is not a time; write it as 2026-03-01T23:59+01:00") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


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


def _wanted(name):
    return name.lower().endswith((".ipynb", ".zip")) and not name.startswith((".", "._"))


def _notebooks(folder, sheet):
    """The notebooks of one student's folder: those named after the sheet, or else all of them."""
    found = []
    for base, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")[:_MAX_FILES]
        if len(pathlib.Path(base).relative_to(folder).parts) >= 4:
            folders[:] = []
        found += [pathlib.Path(base, name) for name in sorted(names) if _wanted(name)]
        if len(found) > _MAX_FILES:
            break
    of_sheet = [path for path in found if path.name.startswith(f"{sheet}_")]
    return (of_sheet or found)[:_MAX_FILES]


def _submission(folder, path, student, name, attempt, listed):
    file = path.relative_to(folder).as_posix()
    row = listed.get(file, {})
    if row.get("submitted"):
        submitted, source = parse_time(row["submitted"]), "submissions.csv"
    else:
        submitted, source = dt.datetime.fromtimestamp(os.lstat(path).st_mtime, dt.UTC), "file"
    student = row.get("student") or student
    return Submission(clean(student), clean(row.get("name") or name), path, file, submitted, source, attempt)


def clean(text: str) -> str:
    """Text that can be written anywhere: no surrogates, no control characters."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in text)[:200]


def _listed(folder):
    path = folder / "submissions.csv"
    if not path.is_file() or path.is_symlink():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "student"} <= set(rows[0]):
        raise DataError(f"{path} needs the columns file, student and, where times count, submitted")
    return {row["file"]: row for row in rows}
