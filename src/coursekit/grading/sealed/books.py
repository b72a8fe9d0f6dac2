"""Gradebooks from records: our own CSV, those of Canvas and Moodle, Gradescope's results.json.

Every cell is safe to open in a spreadsheet: text that it would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import datetime as dt
import inspect
import io
import json
import math
import pathlib
import re
import unicodedata
from dataclasses import dataclass

from ..._atomic import write_atomically
from ...errors import DataError, RangeError
from .feedback import page
from .grade import public_message, safe_name
from .inside.notebook import code_cells
from .similarity import fingerprint, similar_pairs
from .submissions import clean
from .tables import read_table, same_key

__all__ = ["LatePolicy", "Row", "gradescope_results", "read_roster", "rows", "safe_cell", "write_books"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class LatePolicy:
    """What a late submission loses: `per_day` of its points for each day begun, at most `most`, after `grace`."""

    per_day: float = 0.0
    most: float = 1.0
    grace: dt.timedelta = dt.timedelta(0)

    @classmethod
    def parse(cls, text: str) -> LatePolicy:
        """From "none", "10%/day", "10%/day up to 50%", "10%/day up to 50% after 15 minutes" or "refuse".

        >>> LatePolicy.parse("10%/day up to 50% after 15 minutes")
        LatePolicy(per_day=0.1, most=0.5, grace=datetime.timedelta(seconds=900))
        """
        if text == "none":
            return cls()
        match = re.fullmatch(
            r"(?:refuse|(?P<rate>\d+(?:\.\d+)?)%/day(?: up to (?P<most>\d+(?:\.\d+)?)%)?)"
            r"(?: after (?P<grace>\d+) (?P<unit>minutes?|hours?))?",
            text.strip(),
        )
        if not match:
            raise RangeError(
                f"late policy {text!r} is not known; write none, refuse, 10%/day, or 10%/day up to 50% after 15 minutes"
            )
        rate = float(match["rate"]) / 100 if match["rate"] else math.inf
        most = float(match["most"]) / 100 if match["most"] else 1.0
        if not (0 <= most <= 1 and (rate <= 1 or math.isinf(rate))):
            raise RangeError(f"late policy {text!r}: percentages run from 0 to 100")
        step = 60 if (match["unit"] or "").startswith("minute") else 3600
        return cls(rate, most, dt.timedelta(seconds=int(match["grace"] or 0) * step))

    def days(self, submitted: dt.datetime, due: dt.datetime | None) -> int:
        """Days late, begun ones counted."""
        if due is None or submitted <= due + self.grace:
            return 0
        return math.ceil((submitted - due) / dt.timedelta(days=1))

    def factor(self, days: int) -> float:
        """What is left of the points."""
        return 1.0 if days == 0 or self.per_day == 0 else 1.0 - min(self.most, days * self.per_day)


@dataclass(frozen=True)
class Row:
    """One student's line in the gradebook."""

    student: str
    person: dict
    record: dict | None
    attempts: int
    late_days: int
    raw: float
    total: float


def read_roster(path) -> dict[str, dict]:
    """Who takes the course: a list with a column student, and any of name, email, canvas_id, sis_id, login, section.

    The gradebook that Canvas exports is read as well: there ID is the student.
    """
    table = read_table(path, ())
    columns = {"id": "student", "student": "name"} if {"id", "student", "sis_id"} <= set(table.columns) else {}
    people = [{columns.get(k, k): v for k, v in row.items()} for row in table.rows]
    if columns:
        people = [p | {"canvas_id": p["student"]} for p in people if p.get("student", "").isdecimal()]
    if not people or "student" not in people[0]:
        raise DataError(f"{str(path)!r} needs a column student, with the names that the submissions are filed under")
    people = [p for p in people if p["student"]]
    names = [same_key(p["student"]) for p in people]
    twice = [p["student"] for p in people if names.count(same_key(p["student"])) > 1]
    if twice:
        raise DataError(f"{str(path)!r} lists {twice[0]!r} twice")
    return {clean(unicodedata.normalize("NFC", p["student"])): p for p in people}


def _order(record):
    return record["attempt"], dt.datetime.fromisoformat(record["submitted"]), record["file"]


def rows(
    records: list[dict],
    roster: dict[str, dict] | None = None,
    due: dt.datetime | None = None,
    policy: LatePolicy | None = None,
    keep: str = "last",
) -> list[Row]:
    """One row a student: of several attempts the last, or the best after lateness, counts.

    Records come in the order of their attempts. With a roster everybody on it has a row, handed in or not.
    """
    policy, roster = policy or LatePolicy(), roster or {}
    attempts: dict[str, list[dict]] = {student: [] for student in roster}
    for record in sorted(records, key=_order):
        attempts.setdefault(record["student"], []).append(record)
    result = []
    for student, own in sorted(attempts.items()):
        candidates = []
        for record in own:
            days = policy.days(dt.datetime.fromisoformat(record["submitted"]), due)
            candidates.append((round(record["points"] * policy.factor(days), 4), days, record))
        person = {
            "name": own[-1]["name"] if own else student,
            **{k: v for k, v in roster.get(student, {}).items() if v},
        }
        if not candidates:
            result.append(Row(student, person, None, 0, 0, 0.0, 0.0))
            continue
        # max keeps the first of equals, so the candidates are looked at from the last to the first
        total, days, record = candidates[-1] if keep == "last" else max(candidates[::-1], key=lambda c: c[0])
        attempts = max(len(own), *(r.get("attempts", 1) for r in own))
        result.append(Row(student, person, record, attempts, days, record["points"], total))
    return result


def safe_cell(value) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    text = " ".join(clean(str(value)).split())
    return "'" + text if text.startswith(_FORMULA) else text


def _csv(lines) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerows(
        [safe_cell(c) for c in line] for line in lines
    )
    return text.getvalue()


def write_books(out, sheet, records: list[dict], table: list[Row], tier: str, keep: str = "last") -> dict[str, str]:
    """Write gradebook, Canvas, Moodle, Gradescope, feedback and similarity files; where each is, by name."""
    out = pathlib.Path(out)
    for name in ("feedback", "gradescope"):
        (out / name).mkdir(exist_ok=True, mode=0o700)
    files = {
        "gradebook.csv": _gradebook(sheet, table, tier),
        "canvas.csv": _canvas(sheet, table),
        "moodle.csv": _moodle(sheet, table),
        "similarity.csv": _similarity(sheet, table),
    }
    for row in table:
        if row.record is not None:
            name = safe_name(row.student)
            files[f"feedback/{name}.html"] = page(sheet, row, tier)
            files[f"gradescope/{name}.json"] = json.dumps(
                gradescope_results(row.record, row.late_days, row.total), indent=1
            )
    for name, text in files.items():
        write_atomically(out / name, text)
    return {name: str(out / name) for name in files}


def _gradebook(sheet, table, tier):
    head = ["student", "name", *(q.id for q in sheet.questions), "points", "late days", "total", "out of", "attempt",
            "attempts", "submitted", "time from", "file", "jail", "feedback", "note"]  # fmt: skip
    lines = [head]
    for row in table:
        r = row.record
        if r is None:
            blank = [""] * len(sheet.questions)
            lines.append(
                [
                    row.student,
                    row.person["name"],
                    *blank,
                    0,
                    0,
                    0,
                    sheet.points,
                    "",
                    0,
                    "",
                    "",
                    "",
                    "",
                    "",
                    "no submission",
                ]
            )
            continue
        points = [r["questions"][q.id]["points"] for q in sheet.questions]
        note = r["error"] or "; ".join(r["notes"])[:200]
        lines.append(
            [row.student, row.person["name"], *points, float(row.raw), row.late_days, float(row.total), sheet.points,
             r["attempt"], row.attempts, r["submitted"], r["time_from"], r["file"], r["jail"],
             f"feedback/{safe_name(row.student)}.html", note]
        )  # fmt: skip
    return _csv(lines)


def _canvas(sheet, table):
    """Canvas finds people by its own ID, or by SIS User ID, or SIS Login ID: put them in the roster."""
    lines = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"Sheet {sheet.id}: {sheet.title}"]]
    lines.append(["Points Possible", "", "", "", "", sheet.points])
    for row in table:
        p = row.person
        canvas = p.get("canvas_id") or (row.student if row.student.isdecimal() else "")
        login = p.get("login") or ("" if canvas else row.student)
        lines.append([p["name"], canvas, p.get("sis_id", ""), login, p.get("section", ""), float(row.total)])
    return _csv(lines)


def _moodle(sheet, table):
    """An offline grading worksheet. "Participant 123" is the number in the name of the submission's folder."""
    lines = [
        [
            "Identifier",
            "Full name",
            "Email address",
            "Grade",
            "Maximum Grade",
            "Last modified (grade)",
            "Feedback comments",
        ]
    ]
    for row in table:
        number = row.person.get("moodle_id") or (row.student if row.student.isdecimal() else "")
        identifier = f"Participant {number}" if number else row.student
        note = "no submission" if row.record is None else _summary(row)
        lines.append(
            [identifier, row.person["name"], row.person.get("email", ""), float(row.total), sheet.points, "", note]
        )
    return _csv(lines)


def _summary(row):
    parts = [f"{id}: {q['points']:g} of {q['possible']:g}" for id, q in row.record["questions"].items()]
    return "; ".join(parts) + (f"; {row.late_days} days late" if row.late_days else "")


def _similarity(sheet, table):
    prints = {row.student: row.record.get("shingles", []) for row in table if row.record and not row.record["error"]}
    lines = [
        [
            "student",
            "other student",
            "share of the smaller one",
            "common fingerprints",
            "advice only: look before you ask",
        ]
    ]
    same: dict[str, list[str]] = {}
    for row in table:
        if row.record and not row.record["error"]:
            same.setdefault(row.record["sha256"], []).append(row.student)
    for group in same.values():
        lines += [[group[0], other, 1.0, "", "the same file"] for other in group[1:]]
    lines += [[a, b, share, n, ""] for a, b, share, n in similar_pairs(prints, _given(sheet))]
    return _csv(lines)


def _given(sheet) -> list[int]:
    """The fingerprint of the notebook that students start from, where the repository is at hand."""
    cases = pathlib.Path(inspect.getsourcefile(sheet.cases[0].function))
    notebook = cases.parents[1] / f"{cases.stem}.ipynb"
    return fingerprint(code_cells(notebook.read_bytes())) if notebook.is_file() else []


def gradescope_results(record: dict, late_days: int = 0, total: float | None = None) -> dict:
    """What Gradescope reads as results.json. Hidden cases show their points after publishing, and never a value."""
    tests = []
    for id, question in record["questions"].items():
        for number, case in enumerate(question["cases"], 1):
            tests.append(
                {
                    "name": f"{id} {'hidden case' if case['hidden'] else case['name']}",
                    "number": f"{id}.{number}",
                    "score": case["points"],
                    "max_score": case["possible"],
                    "status": "passed" if case["status"] == "passed" else "failed",
                    "output": public_message(case),
                    "output_format": "text",
                    "visibility": "after_published" if case["hidden"] else "visible",
                }
            )
    words = [record["error"] or "", *record["notes"], f"jail: {record['jail']}"]
    words += [f"{late_days} days late"] if late_days else []
    return {
        "score": record["points"] if total is None else total,
        "execution_time": record["seconds"],
        "output": "\n".join(w for w in words if w),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
