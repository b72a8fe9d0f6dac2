"""Feedback in the names that Canvas and Moodle take back, and Moodle's grading worksheet with the marks filled in."""

from __future__ import annotations

import csv
import io
import pathlib
import re
import zipfile

from ...errors import DataError
from .tables import _text, safe_cell

__all__ = ["Worksheet", "returned"]


def returned(table, pages: dict[str, str]) -> tuple[bytes, bytes]:
    """Two zip files, for Canvas ("Upload submissions") and for Moodle ("Upload multiple feedback files in a zip").

    Canvas reads the two numbers in the name of the file that it gave out; Moodle the number after the name of a person.
    """
    canvas, moodle = {}, {}
    for row in table:
        if row.student not in pages:
            continue
        if row.record is not None and row.record.get("platform") == "Canvas":
            # Canvas knows what a student gave it: not the notebook within, when that was a zip file.
            parts = row.record["file"].split("/")
            given = next((part for part in parts if re.search(r"_\d+_\d+_", part)), parts[-1])
            stem = re.sub(r"(\.(ipynb|zip|txt|json))+$", "", given, flags=re.IGNORECASE)
            canvas[f"{stem}.html"] = pages[row.student]
        number = row.person.get("moodle_id") or (row.student if row.student.isdecimal() else "")
        if number.isdecimal():
            name = re.sub(r"[^\w .-]+|_", " ", row.person["name"]).strip() or "student"
            moodle[f"{name}_{number}_assignsubmission_file_feedback.html"] = pages[row.student]
    return _zip(canvas), _zip(moodle)


def _zip(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return data.getvalue()


class Worksheet:
    """Moodle's offline grading worksheet in whatever language: its headings stay, the marks go in.

    The first column holds a number for each participant; the column of the grade stands before that of the largest
    grade, which says the same in every row; comments are the last one.
    """

    def __init__(self, path):
        text, _ = _text(pathlib.Path(path), pathlib.Path(path).read_bytes())
        separator = max(",;\t", key=text.split("\n", 1)[0].count)
        self._lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if line]
        self._separator = separator
        rows = self._lines[1:]
        numbers = [i for i in range(1, len(self._lines[0])) if rows and all(self._is_most(rows, i, r) for r in rows)]
        if not numbers or numbers[0] < 2 or not all(re.search(r"\d+$", r[0]) for r in rows):
            raise DataError(f"{str(path)!r} is not Moodle's grading worksheet: no column holds the largest grade")
        self._grade = numbers[0] - 1

    def _is_most(self, rows, i, row):
        return len(row) > i and bool(re.fullmatch(r"\d+([.,]\d+)?", row[i])) and row[i] == rows[0][i]

    def filled(self, table) -> str:
        """The worksheet with a mark for each who has one."""
        rows = {row.person.get("moodle_id") or row.student: row for row in table}
        comma = "," in self._lines[1][self._grade + 1]
        out = [self._lines[0]]
        for line in self._lines[1:]:
            row = rows.get(re.findall(r"\d+$", line[0])[0])
            line = list(line)
            if row is not None and row.graded:
                mark = f"{row.total:.2f}"
                line[self._grade] = mark.replace(".", ",") if comma else mark
                line[-1] = safe_cell(row.summary)
            out.append(line)
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator="\r\n").writerows(out)
        return text.getvalue()
