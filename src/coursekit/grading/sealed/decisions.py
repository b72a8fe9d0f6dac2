"""What an instructor decides by hand: other marks, extensions, excuses. Plain lists that every run reads again.

overrides.csv     student, question, points, comment     question may be empty: the total
extensions.csv    student, due, excused, comment         due for this student; excused: yes
rubric.csv        question, title, points, criteria      questions that no program can mark; marks go into overrides
"""

from __future__ import annotations

import datetime as dt
import pathlib
from dataclasses import dataclass, field

from ...errors import DataError
from .submissions import parse_time
from .tables import read_table, same_key

__all__ = ["Decisions", "Override", "Written", "read_decisions"]

_YES = {"yes", "y", "x", "1", "true", "ja", "oui", "excused"}


@dataclass(frozen=True)
class Override:
    """A mark that a person has set; `points` None leaves the program's, and only the comment shows."""

    points: float | None
    comment: str


@dataclass(frozen=True)
class Written:
    """A question that a person marks."""

    id: str
    title: str
    points: float
    criteria: tuple[str, ...]


@dataclass
class Decisions:
    """All that was decided by hand, by student."""

    overrides: dict[str, dict[str, Override]] = field(default_factory=dict)
    due: dict[str, dt.datetime] = field(default_factory=dict)
    excused: dict[str, str] = field(default_factory=dict)
    written: tuple[Written, ...] = ()
    notes: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def of(self, student: str) -> dict[str, Override]:
        """The marks set by hand for a student, by question; "" is the total."""
        return self.overrides.get(student, {})


def read_decisions(sheet, students, zone, overrides=None, extensions=None, rubric=None) -> Decisions:
    """Read the lists; DataError for what cannot be meant. `students` are all who have a row."""
    found = Decisions()
    spelt = {same_key(s): s for s in students}
    if rubric:
        found.written = _rubric(sheet, rubric)
    questions = {q.id: q.points for q in sheet.questions} | {w.id: w.points for w in found.written}
    for path, read in ((overrides, _override), (extensions, _extension)):
        if not path:
            continue
        table = read_table(path, ("student",))
        found.notes += [table.note] if table.note else []
        for number, row in enumerate(table.rows, 2):
            student = spelt.get(same_key(row["student"]))
            if student is None:
                found.unknown.append(
                    f"{pathlib.Path(path).name}, line {number}: there is no student {row['student']!r}"
                )
            else:
                read(found, student, row, questions, zone, f"{pathlib.Path(path).name}, line {number}")
    return found


def _override(found, student, row, questions, zone, where):
    question = "" if row.get("question", "").lower() in ("", "total") else row["question"]
    if question and question not in questions:
        raise DataError(f"{where}: there is no question {question!r}; there are {', '.join(questions)}")
    if question in found.of(student):
        raise DataError(f"{where}: {student} has two lines for {question or 'the total'}")
    points = _number(row.get("points", ""), where)
    most = questions[question] if question else sum(questions.values())
    if points is not None and not 0 <= points <= most:
        raise DataError(f"{where}: {points:g} points for {question or 'the total'}; it has 0 to {most:g}")
    found.overrides.setdefault(student, {})[question] = Override(points, row.get("comment", ""))


def _extension(found, student, row, questions, zone, where):
    if row.get("excused", "").lower() in _YES:
        found.excused[student] = row.get("comment", "")
    elif row.get("excused", "").lower() not in ("", "no", "0", "false"):
        raise DataError(f"{where}: excused is {row['excused']!r}; write yes, or leave it empty")
    if row.get("due"):
        found.due[student] = parse_time(row["due"], zone)


def _number(text, where):
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), -float("inf")):
        raise DataError(f"{where}: {text!r} is no number of points")
    return value


def _rubric(sheet, path):
    table = read_table(path, ("question", "points"))
    found = []
    for number, row in enumerate(table.rows, 2):
        where = f"{pathlib.Path(path).name}, line {number}"
        if any(q.id == row["question"] for q in sheet.questions):
            raise DataError(
                f"{where}: {row['question']} is marked by the program; a mark by hand goes into overrides.csv"
            )
        points = _number(row["points"], where)
        if not row["question"] or points is None or points <= 0:
            raise DataError(f"{where}: a question and more than 0 points are needed")
        criteria = tuple(c.strip() for c in row.get("criteria", "").split("|") if c.strip())
        found.append(Written(row["question"], row.get("title") or row["question"], points, criteria))
    return tuple(found)
