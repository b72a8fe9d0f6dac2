"""What a run says: the page of what was collected, the log of changed marks, the page for what a person marks."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import pathlib

from ..._atomic import write_atomically
from .books import Row
from .collect import Collection, Trouble
from .feedback import STYLE, escaped, head
from .look import written_texts
from .tables import safe_cell

__all__ = ["changed_marks", "late_troubles", "rubric_page", "write_collected"]

_TITLES = {
    "not on the roster": "Not on the roster",
    "found by name": "Found by the name, not by the number",
    "no submission": "On the roster, without a submission",
    "nothing to grade": "Handed in, but nothing that can be graded",
    "nothing": "Handed in nothing",
    "wrong sheet": "Another sheet",
    "unreadable": "Not readable",
    "collision": "Several places, one student",
    "owner": "Whose is it?",
    "late": "Late, or not?",
    "times": "Times",
    "list": "Lists",
    "folder": "Folders",
    "attempts": "Attempts",
    "ungraded": "Could not be graded",
}


def _table(lines) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([safe_cell(c) for c in line] for line in lines)
    return text.getvalue()


def write_collected(out, found: Collection) -> None:
    """`collected.csv` and `collected.html`: every file, taken or passed over and why, and all that needs a look."""
    columns = ["file", "student", "name", "taken", "why", "platform", "submitted", "time from"]
    lines = [[getattr(line, c.replace(" ", "_")) for c in columns] for line in found.lines]
    write_atomically(pathlib.Path(out) / "collected.csv", _table([columns, *lines]))
    text = ["<h1>What was collected</h1>"]
    for title, troubles in by_kind(found.troubles):
        text.append(f"<h2>{escaped(title)}: {len(troubles)}</h2><ul>")
        text += [f"<li>{escaped(t.text)}</li>" for t in troubles] + ["</ul>"]
    for taken, title in (("passed over", "Passed over"), ("taken", "Taken")):
        some = [line for line in found.lines if line.taken == taken]
        text.append(f"<h2>{title}: {len(some)}</h2><table><tr><th>student<th>file<th>why<th>submitted</tr>")
        for line in some:
            time = f"{line.submitted} ({line.time_from})" if line.submitted else ""
            cells = (line.student, line.file, line.why, time)
            text.append("<tr>" + "".join(f"<td>{escaped(c)}" for c in cells) + "</tr>")
        text.append("</table>")
    page = head("What was collected", STYLE + "body { max-width: 66rem; }") + "\n".join(text) + "\n</body></html>\n"
    write_atomically(pathlib.Path(out) / "collected.html", page)


def by_kind(troubles: list[Trouble]) -> list[tuple[str, list[Trouble]]]:
    """Troubles under their headings, those first that stop."""
    kinds: dict[str, list[Trouble]] = {}
    for trouble in sorted(troubles, key=lambda t: (not t.stops, list(_TITLES).index(t.kind))):
        kinds.setdefault(_TITLES[trouble.kind], []).append(trouble)
    return list(kinds.items())


def late_troubles(table: list[Row], due, file_times: bool) -> list[Trouble]:
    """Where the platform and we do not agree on who is late, and times that copying a folder changes."""
    found = []
    taken = [(row, row.record) for row in table if row.record is not None]
    if due is not None:
        from_files = [row for row, record in taken if record["time_from"] == "file"]
        if from_files:
            late = sum(1 for row in from_files if row.late_days)
            text = f"for {len(from_files)} of {len(taken)} submissions only the time of the file is known; "
            text += f"{late} are late by it" if file_times else "it costs nobody points (--file-times counts it)"
            text += ". A copy changes such times: give the right ones in submissions.csv"
            found.append(Trouble("times", text))
    for row, record in taken:
        said = record.get("platform_late")
        if said and not row.late_days and due is not None and record["time_from"] == "file" and not file_times:
            found.append(Trouble("late", f"{row.student}: Canvas says LATE, and no time of submission is known here"))
        elif said and not row.late_days:
            text = f"{row.student}: {record['platform']} says LATE, here it is in time"
            found.append(Trouble("late", text if due is not None else f"{text}, because --due is not given"))
        elif said is False and row.late_days and any(r.get("platform_late") for _, r in taken):
            found.append(Trouble("late", f"{row.student}: {row.late_days} days late here, not late for Canvas"))
    return found


def changed_marks(out, sheet, table: list[Row], regrade=()) -> list[str]:
    """Compare with the marks of the run before; append each change to `changes.csv`, and say them in words."""
    out = pathlib.Path(out)
    path, log = out / "marks.json", out / "changes.csv"
    marks = {row.student: _marks(sheet, row) for row in table}
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = None
    lines = []
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    for student in sorted(set(marks) | set(before or ())) if before is not None else ():
        old, new = before.get(student, {}), marks.get(student, {})
        for question in dict.fromkeys([*new, *old]):
            if question != "sha256" and old.get(question) != new.get(question):
                row = next((r for r in table if r.student == student), None)
                lines.append(
                    [
                        now,
                        student,
                        question,
                        old.get(question),
                        new.get(question),
                        _why(row, question, old, new, regrade),
                    ]
                )
    if lines:
        earlier = (
            log.read_text(encoding="utf-8")
            if log.is_file()
            else _table([["when", "student", "question", "before", "after", "why"]])
        )
        write_atomically(log, earlier + _table(lines))
    write_atomically(path, json.dumps(marks, indent=1, sort_keys=True))
    return [f"{s} {q}: {_mark(a)} -> {_mark(b)} ({why})" for _, s, q, a, b, why in lines]


def _mark(value):
    return "nothing" if value is None else f"{value:g}"


def _marks(sheet, row):
    found = {id: row.points(id) for id in dict.fromkeys([*(q.id for q in sheet.questions), *row.by_hand]) if id}
    found["total"] = row.total if row.graded else None
    return found | {"sha256": row.record["sha256"] if row.record else None}


def _why(row, question, old, new, regrade):
    if row is None:
        return "no longer in the class"
    if question in row.by_hand or (question == "total" and "" in row.by_hand):
        return "by hand"
    if old.get("sha256") != new.get("sha256"):
        return "another file" if old.get("sha256") else "first file"
    if question in regrade:
        return "regraded"
    return (
        "excused"
        if row.excused
        else "follows from the questions, lateness or cases"
        if question == "total"
        else "cases"
    )


def rubric_page(out, table: list[Row], found: Collection, written) -> None:
    """`rubric.html`: what each student wrote to the questions that a person marks, with the criteria."""
    paths = {s.student: s.path for s in found.last()}
    text = ["<h1>Written answers</h1><p>Marks go into overrides.csv: student, question, points, comment.</p>"]
    todo = [["student", "question", "points", "comment"]]
    answers = {s: written_texts(p, tuple(w.id for w in written)) for s, p in paths.items()}
    for w in written:
        text.append(f"<h2>{escaped(w.id)} {escaped(w.title)}: {w.points:g} points</h2><ul>")
        text += [f"<li>{escaped(c)}</li>" for c in w.criteria] + ["</ul>"]
        for row in table:
            if row.record is None:
                continue
            said = row.by_hand.get(w.id)
            mark = f"{said.points:g} points. {said.comment}" if said and said.points is not None else "not marked yet"
            todo += [] if said else [[row.student, w.id, "", ""]]
            answer = answers.get(row.student, {}).get(w.id, "(nothing found below this question's number)")
            text.append(
                f"<h3>{escaped(row.student)}</h3><p><small>{escaped(mark)}</small></p><pre>{escaped(answer)}</pre>"
            )
    page = head("Written answers", STYLE) + "\n".join(text) + "\n</body></html>\n"
    write_atomically(pathlib.Path(out) / "rubric.html", page)
    write_atomically(pathlib.Path(out) / "to-mark.csv", _table(todo))
