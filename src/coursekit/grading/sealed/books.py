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
from dataclasses import dataclass, field, replace

from ..._atomic import write_atomically
from ...errors import DataError, RangeError
from ..sheets import uncut
from .classpage import class_page
from .decisions import Decisions
from .feedback import page
from .grade import public_message, safe_name
from .inside.notebook import code_cells
from .returning import returned
from .similarity import Group, fingerprint, similar_groups
from .submissions import clean
from .tables import read_table, safe_cell, same_key

__all__ = [
    "LatePolicy",
    "Row",
    "alike_of",
    "gradescope_results",
    "read_roster",
    "rows",
    "solutions",
    "write_books",
]


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
        if due is None:
            return 0
        # "23:59" is due until that minute has passed. Where summer time ends in between, a day has 25 hours.
        late = submitted - due
        if due.tzinfo and submitted.tzinfo:
            there = submitted.astimezone(due.tzinfo) if submitted.utcoffset() == dt.timedelta(0) else submitted
            shift = (there.utcoffset() or dt.timedelta(0)) - (due.utcoffset() or dt.timedelta(0))
            if abs(shift) <= dt.timedelta(hours=1):
                late = min(late, there.replace(tzinfo=None) - due.replace(tzinfo=None))
        minute = dt.timedelta(seconds=0 if due.second else 60)
        if late < minute + self.grace or late <= self.grace:
            return 0
        return math.ceil(late / dt.timedelta(days=1))

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
    excused: bool = False
    by_hand: dict = field(default_factory=dict)  # question ("" is the total) -> decisions.Override
    unmarked: tuple[str, ...] = ()  # questions that wait for a person
    out_of: float = 0.0

    def points(self, question: str) -> float | None:
        """What counts for a question: what a person said, else what the program found; None where there is nothing."""
        said = self.by_hand.get(question)
        if said is not None and said.points is not None:
            return said.points
        found = self.record and self.record["questions"].get(question)
        return found["points"] if found else None

    @property
    def graded(self) -> bool:
        """Whether there is a mark at all: no submission is a blank."""
        return not self.excused and (
            self.record is not None or any(o.points is not None for o in self.by_hand.values())
        )

    @property
    def comment(self) -> str:
        """What a person wrote to this student."""
        return "; ".join(f"{q}: {o.comment}" if q else o.comment for q, o in self.by_hand.items() if o.comment)

    @property
    def summary(self) -> str:
        """The row in one line, for the student."""
        if self.excused:
            return "excused"
        parts = ["no submission"] if self.record is None else []
        for id, q in (self.record["questions"] if self.record else {}).items():
            parts.append(f"{id}: {self.points(id):g} of {q['possible']:g}")
        parts += [f"{self.late_days} days late"] if self.late_days else []
        return "; ".join([*parts, self.comment]).strip("; ")


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
    decisions: Decisions | None = None,
    file_times: bool = True,
) -> list[Row]:
    """One row a student: of several attempts the last, or the best after lateness, counts.

    Records come in the order of their attempts. With a roster everybody on it has a row, handed in or not. What a
    person decided comes last: marks by hand before lateness is taken off, a total by hand in place of all. Without
    `file_times` nobody is late by the time of a file, which a copy changes.
    """
    policy, roster, decisions = policy or LatePolicy(), roster or {}, decisions or Decisions()
    attempts: dict[str, list[dict]] = {student: [] for student in (*roster, *decisions.overrides)}
    for record in sorted(records, key=_order):
        attempts.setdefault(record["student"], []).append(record)
    result = []
    for student, own in sorted(attempts.items()):
        by_hand, own_due = decisions.of(student), decisions.due.get(student, due)
        person = {
            "name": own[-1]["name"] if own else student,
            **{k: v for k, v in roster.get(student, {}).items() if v},
        }
        waiting = tuple(w.id for w in decisions.written if by_hand.get(w.id) is None or by_hand[w.id].points is None)

        def row(record, student=student, person=person, own=own, by_hand=by_hand, own_due=own_due, waiting=waiting):
            known = record is not None and (file_times or record["time_from"] != "file")
            days = policy.days(dt.datetime.fromisoformat(record["submitted"]), own_due) if known else 0
            ids = [*(record["questions"] if record else ()), *by_hand]
            found = Row(student, person, record, 0, days, 0.0, 0.0, by_hand=by_hand)
            raw = sum(p for id in dict.fromkeys(ids) if id and (p := found.points(id)) is not None)
            total = round(raw * policy.factor(days), 4)
            if "" in by_hand and by_hand[""].points is not None:
                total = by_hand[""].points
            count = max((len(own), *(r.get("attempts", 1) for r in own)), default=0)
            excused = student in decisions.excused
            return replace(found, attempts=count, raw=raw, total=total, excused=excused, unmarked=waiting)

        candidates = [row(record) for record in own] or [row(None)]
        # max keeps the first of equals, so the candidates are looked at from the last to the first
        result.append(candidates[-1] if keep == "last" else max(candidates[::-1], key=lambda r: r.total))
    return result


def _csv(lines) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerows(
        [safe_cell(c) for c in line] for line in lines
    )
    return text.getvalue()


def write_books(
    out,
    sheet,
    records: list[dict],
    table: list[Row],
    tier: str,
    keep: str = "last",
    decisions=None,
    worksheet=None,
    alike: list[Group] | None = None,
) -> dict[str, str]:
    """Write gradebook, Canvas, Moodle, Gradescope, feedback, similarity and class files; where the texts are."""
    out, decisions = pathlib.Path(out), decisions or Decisions()
    _folders(out)
    gradebook = _gradebook(sheet, table, tier, decisions)
    alike = alike_of(sheet, table) if alike is None else alike
    files: dict[str, str | bytes] = {
        "gradebook.csv": _csv(gradebook),
        "gradebook-excel.csv": _for_excel(gradebook),
        "canvas.csv": _canvas(sheet, table, decisions),
        "moodle.csv": worksheet.filled(table) if worksheet else _moodle(sheet, table, decisions),
        "similarity.csv": _similarity(alike),
        "class.html": class_page(sheet, table, alike),
    }
    pages = {}
    for row in table:
        name = safe_name(row.student)
        if row.record is not None or row.by_hand:
            pages[row.student] = files[f"feedback/{name}.html"] = page(sheet, row, tier, out_of(sheet, decisions))
        if row.record is not None:
            files[f"gradescope/{name}.json"] = json.dumps(
                gradescope_results(row.record, row.late_days, row.total), indent=1, ensure_ascii=True
            )
    files["feedback-canvas.zip"], files["feedback-moodle.zip"] = returned(table, pages)
    for name, text in files.items():
        write_atomically(out / name, text)
    return {name: str(out / name) for name, text in files.items() if isinstance(text, str)}


def _folders(out):
    """The folders of one page a student, without the pages of an earlier run: somebody may have left the course."""
    for name, ending in (("feedback", ".html"), ("gradescope", ".json")):
        folder = out / name
        folder.mkdir(exist_ok=True, mode=0o700)
        for old in folder.glob(f"*{ending}"):
            old.unlink()


def out_of(sheet, decisions) -> float:
    """The points of the sheet, with those that a person gives."""
    return sheet.points + sum(w.points for w in decisions.written)


def _gradebook(sheet, table, tier, decisions):
    ids = [*(q.id for q in sheet.questions), *(w.id for w in decisions.written)]
    head = ["student", "name", *ids, "points", "late days", "total", "out of", "attempt", "attempts", "submitted",
            "time from", "file", "jail", "feedback", "by hand", "comment", "note"]  # fmt: skip
    lines = [head]
    for row in table:
        r = row.record
        points = ["" if (p := row.points(id)) is None else float(p) for id in ids]
        total = [float(row.raw), row.late_days, float(row.total)] if row.graded else ["", "", ""]
        about = ["", 0, "", "", "", "", f"feedback/{safe_name(row.student)}.html" if row.by_hand else ""]
        if r is not None:
            about = [r["attempt"], row.attempts, r["submitted"], r["time_from"], r["file"], r["jail"],
                     f"feedback/{safe_name(row.student)}.html"]  # fmt: skip
        by_hand = ", ".join(q or "total" for q, o in row.by_hand.items() if o.points is not None)
        lines.append(
            [row.student, row.person["name"], *points, *total, out_of(sheet, decisions), *about, by_hand, row.comment,
             _note(row)]
        )  # fmt: skip
    return lines


def _note(row):
    parts = ["excused"] if row.excused else []
    parts += [f"{', '.join(row.unmarked)} not marked yet"] if row.unmarked and row.record else []
    if row.record is None:
        return "; ".join([*parts, "no submission"])
    if row.record.get("ungraded"):
        parts.append(f"could not be graded: {row.record['ungraded']}")
    return "; ".join([*parts, row.record["error"] or "; ".join(row.record["notes"])[:200]]).strip("; ")


def _for_excel(lines) -> bytes:
    """The same, as every Excel opens it with a double click: UTF-16 with tabs."""
    text = "\r\n".join("\t".join(safe_cell(c).replace("\t", " ").replace('"', "'") for c in line) for line in lines)
    return ("\ufeff" + text + "\r\n").encode("utf-16-le")


def _mark(row):
    """The cell of an import: empty where there is no mark, so that nothing is overwritten."""
    return float(row.total) if row.graded else ""


def _canvas(sheet, table, decisions):
    """Canvas finds people by its own ID, or by SIS User ID, or SIS Login ID: put them in the roster."""
    lines = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"Sheet {sheet.id}: {sheet.title}"]]
    lines.append(["Points Possible", "", "", "", "", out_of(sheet, decisions)])
    for row in table:
        p = row.person
        canvas = p.get("canvas_id") or (row.student if row.student.isdecimal() else "")
        login = p.get("login") or ("" if canvas else row.student)
        mark = "EX" if row.excused else _mark(row)
        lines.append([p["name"], canvas, p.get("sis_id", ""), login, p.get("section", ""), mark])
    return _csv(lines)


def _moodle(sheet, table, decisions):
    """An offline grading worksheet. "Participant 123" is the number in the name of the submission's folder."""
    head = "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade),Feedback comments"
    lines = [head.split(",")]
    for row in table:
        number = row.person.get("moodle_id") or (row.student if row.student.isdecimal() else "")
        identifier = f"Participant {number}" if number else row.student
        note = row.summary
        most = out_of(sheet, decisions)
        lines.append([identifier, row.person["name"], row.person.get("email", ""), _mark(row), most, "", note])
    return _csv(lines)


def _similarity(alike):
    head = ["group", "students", "share of the smaller one", "common fingerprints", "advice only: look before you ask"]
    return _csv([head, *([n, ", ".join(g.students), g.share, g.common, g.note] for n, g in enumerate(alike, 1))])


def solutions(sheet) -> dict[str, str]:
    """The published solution of each question: its cells in the sheet's source, or another right answer."""
    folder = pathlib.Path(inspect.getfile(sheet.cases[0].function)).parents[1]
    cells = [
        uncut(cell)
        for source in folder.glob(f"{sheet.id}_*.md")
        for cell in re.findall(r"```\{code-cell\}[^\n]*\n(.*?)\n```", source.read_text(encoding="utf-8"), re.DOTALL)
        if "# BEGIN SOLUTION" in cell
    ]
    found = {}
    for question in sheet.questions:
        own = [
            c for c in cells if any(re.search(rf"^(def|class) {name}\b", c, re.MULTILINE) for name in question.names)
        ]
        found[question.id] = "\n\n".join(own or [answer.code.strip() for answer in question.right[:1]])
    return found


def _published(sheet) -> list[int]:
    """The fingerprint of the published solutions: anybody can copy those."""
    return fingerprint([answer.code for q in sheet.questions for answer in q.right] + list(solutions(sheet).values()))


def alike_of(sheet, table: list[Row]) -> list[Group]:
    """Groups of students whose code is alike."""
    return similar_groups(
        {r.student: r.record.get("shingles", []) for r in table if r.record and not r.record["error"]},
        {r.student: r.record["sha256"] for r in table if r.record and not r.record["error"]},
        _given(sheet),
        _published(sheet),
    )


def _given(sheet) -> list[int]:
    """The fingerprint of the notebook that students start from, where the repository is at hand."""
    cases = pathlib.Path(inspect.getfile(sheet.cases[0].function))
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
        "output": "\n".join(w for w in words if w),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
