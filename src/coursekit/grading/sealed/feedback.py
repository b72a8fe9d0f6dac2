"""One HTML page a student: what each question earned and why. Everything in it is escaped; it runs no script."""

from __future__ import annotations

from html import escape

__all__ = ["STYLE", "escaped", "head", "page"]

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #c60; padding-left: .8rem; }
.right { color: #176b2c; } .wrong { color: #a11; } small { opacity: .75; } td td { padding: 0 .8rem 0 0; }
@media (prefers-color-scheme: dark) { .right { color: #7fd494; } .wrong { color: #ff9c9c; } }
"""


def head(title: str, style: str) -> str:
    """The beginning of a page that may load and run nothing."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escaped(title)}</title><style>{style}</style></head><body>\n"
    )


def page(sheet, row, tier: str, out_of: float | None = None) -> str:
    """The feedback page of a row of the gradebook, also of one with nothing but marks or comments by hand."""
    record, text = row.record or {"error": None, "questions": {}, "notes": []}, []
    text.append(f"<h1>Sheet {escaped(sheet.id)}: {escaped(sheet.title)}</h1>")
    text.append(f"<p>{escaped(row.person['name'])}: <b>{_total(row)} of {out_of or sheet.points:g} points</b>")
    if row.late_days:
        text.append(f" ({row.raw:g} before the late policy, {row.late_days} days late)")
    text.append("</p>")
    if row.excused:
        text.append("<p>You are excused from this sheet.</p>")
    if "" in row.by_hand and row.by_hand[""].points is not None:
        text.append("<p>Your instructor has set the total.</p>")
    text += [f"<p>{escaped(o.comment)}</p>" for q, o in row.by_hand.items() if not q and o.comment]
    if record["error"]:
        text.append(f"<p class=wrong>Your notebook could not be read.</p><pre>{escaped(record['error'])}</pre>")
    for id, question in record["questions"].items():
        text += _question(id, question, row, record)
    for id, said in row.by_hand.items():
        if id and id not in record["questions"]:
            mark = "not marked yet" if said.points is None else f"{said.points:g} points"
            text.append(f"<h2>{escaped(id)}: {mark}</h2><p>{escaped(said.comment)}</p>")
    text += [f"<h2>{escaped(id)}: not marked yet</h2>" for id in row.unmarked if id not in row.by_hand]
    if record["notes"]:
        text.append("<h2>While your notebook ran</h2>")
        text += [f"<pre>{escaped(note)}</pre>" for note in record["notes"]]
    return head(f"Sheet {sheet.id}: feedback", STYLE) + "\n".join([*text, _file(row, tier)]) + "\n</body></html>\n"


def _total(row):
    return f"{row.total:g}" if row.graded else "no mark, out"


def _file(row, tier):
    record = row.record
    if record is None:
        return "<p><small>No notebook of yours was graded.</small></p>"
    attempt = "the only attempt" if row.attempts == 1 else f"one of {row.attempts} attempts"
    return (
        f"<p><small>File {escaped(record['file'])}, {attempt}, submitted {escaped(record['submitted'])}. "
        f"Graded in a sealed process (jail: {escaped(tier)}), with other inputs than those of check. "
        "Of libraries the grader has NumPy and Python's own.</small></p>"
    )


def _question(id, question, row, record):
    points = row.points(id)
    text = [f"<h2>{escaped(id)} {escaped(question['title'])}: {points:g} of {question['possible']:g}</h2>"]
    if id in row.by_hand:
        said = row.by_hand[id]
        if said.points is not None:
            text.append(f"<p>Marked by your instructor; the program found {question['points']:g}.</p>")
        text.append(f"<p>{escaped(said.comment)}</p>" if said.comment else "")
    text.append("<table>")
    shown = None
    for case in question["cases"]:
        good = case["status"] == "passed"
        words = {"passed": "✓ right", "unwritten": "○ to write", "missing": "○ to write"}.get(
            case["status"], "✗ not yet"
        )
        mark = f"<span class={'right' if good else 'wrong'}>{words}</span>"
        name = "hidden case" if case["hidden"] else escaped(case["name"])
        detail = "" if good or record["error"] else _detail(case)
        detail, shown = ("" if detail == shown else detail), detail  # once for cases that stop for the same reason
        text.append(f"<tr><td>{mark}<td>{case['points']:g}/{case['possible']:g}<td>{name}{detail}</tr>")
    return [*text, "</table>"]


def _detail(case):
    from .grade import public_message

    if case["hidden"] or not case.get("facts"):
        return f"<pre>{escaped(public_message(case))}</pre>"
    rows = "".join(f"<tr><td>{escaped(label)}<td><code>{escaped(text)}</code></tr>" for label, text in case["facts"])
    mistake = f"<div>It looks as if <b>{escaped(case['mistake'])}</b>.</div>" if case.get("mistake") else ""
    return f"<div>{escaped(case['summary'])}.</div><table>{rows}</table>{mistake}"


def escaped(value) -> str:
    """Text that is shown as it is."""
    return escape("".join(c for c in str(value) if c.isprintable() or c in "\n\t"), quote=True)
