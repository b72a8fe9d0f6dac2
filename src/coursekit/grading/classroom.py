"""What `check` says to every question of the notebooks in a folder, as Markdown: for the workflow of GitHub Classroom.

It reads and runs notebooks exactly as the grader does, with the public inputs of `check` and without a jail: the folder
is the student's own. A bad cell costs what depends on it, a kernel's name costs nothing, and a notebook that was not
looked at is never right.
"""

from __future__ import annotations

import pathlib
import sys

from ..errors import CourseError
from .cases import Sheet, load_sheet, sheet_ids

__all__ = ["check_folder", "main"]

_SKIPPED = {"__MACOSX", "node_modules", "site-packages", "chapters"}
_SIGNS = {"passed": "✅", "unwritten": "⬜", "missing": "⬜"}


def main(folder: str = ".") -> int:
    """Print the page for a folder; 0 when there is a notebook and everything in it is right."""
    try:
        text, right = check_folder(folder)
    except CourseError as error:
        text, right = f"❌ Nothing could be checked: {error}", False
    print(text)
    return 0 if right else 1


def check_folder(folder) -> tuple[str, bool]:
    """The page, and whether everything is right."""
    from .sealed.grade import grade_bytes
    from .sealed.inside.notebook import read_bytes
    from .sealed.jail import Jail, Limits, safe_parts

    parts, verdicts = [], []
    for path, sheet, problem in _notebooks(pathlib.Path(folder)):
        parts.append(f"## {_plain(path.name)}\n")
        if sheet is None:
            verdicts.append(False)
            parts.append(f"❌ {problem}\n")
            continue
        withhold = safe_parts(name for q in sheet.questions for name in q.names)
        with Jail("limits", Limits(), withhold) as jail:
            record = grade_bytes(jail, read_bytes(path), sheet, None)
        page, right = _page(record, sheet)
        parts.append(page)
        verdicts.append(right)
    if not verdicts:
        return "❌ There is no notebook (.ipynb) of an exercise sheet here, so nothing was checked.", False
    return "\n".join(parts), all(verdicts)


def _notebooks(folder):
    """Each notebook below the folder with its sheet; without one, and with why, where it is none or cannot be read."""
    from .sealed.look import look_at

    paths = [
        p for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name.lower().endswith((".ipynb", ".ipynb.txt"))
        and not any(part.startswith(".") or part in _SKIPPED for part in p.relative_to(folder).parts)
    ]  # fmt: skip
    sheets = {id: load_sheet(id) for id in sheet_ids()}
    names = {id: tuple(dict.fromkeys(n for q in s.questions for n in q.names)) for id, s in sheets.items()}
    found = []
    for path in paths:
        seen = {id: look_at([path], names[id])[0] for id in sheets}
        one = next(iter(seen.values()))
        if one.error:
            found.append((path, None, one.error))
            continue
        carried = dict(one.checks)
        fit = {id: (carried.get(id, 0), seen[id].names / len(names[id])) for id in sheets}
        best = max(fit, key=fit.get)
        if fit[best] > (0, 0.0):
            found.append((path, sheets[best], ""))
    return found


def _page(record, sheet: Sheet) -> tuple[str, bool]:
    """One notebook's answers, and whether all are right."""
    if record["error"]:
        return f"❌ The notebook could not be read: {_plain(record['error'])}\n", False
    parts, right = [], True
    for id, question in record["questions"].items():
        good = all(case["status"] == "passed" for case in question["cases"])
        right = right and good
        sign = "✅" if good else next((_SIGNS[c["status"]] for c in question["cases"] if c["status"] in _SIGNS), "❌")
        sign = "❌" if not good and sign == "✅" else sign
        title = f"{sign} {id} {_plain(question['title'])}: {question['points']:g} of {question['possible']:g} points"
        parts.append(f"<details{'' if good else ' open'}><summary>{title}</summary>\n\n```text")
        for case in question["cases"]:
            parts.append(f"{'✓' if case['status'] == 'passed' else '✗'} {case['name']}")
            if case["status"] != "passed":
                parts += [f"    {line}" for line in _fenced(case["message"]).splitlines()]
        parts.append("```\n</details>\n")
    if record["notes"]:
        parts.append("While it ran:\n\n```text")
        parts += [_fenced(note) for note in record["notes"]]
        parts.append("```\n")
    return "\n".join(parts), right


def _fenced(text):
    return "".join(c for c in text if c.isprintable() or c == "\n").replace("```", "'''")


def _plain(text):
    return _fenced(text).replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
