"""One HTML page a student: what each question earned and why. Everything in it is escaped; it runs no script."""

from __future__ import annotations

from html import escape

__all__ = ["page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #c60; padding-left: .8rem; }
.right { color: #176b2c; } .wrong { color: #a11; } small { opacity: .75; }
@media (prefers-color-scheme: dark) { .right { color: #7fd494; } .wrong { color: #ff9c9c; } }
"""


def page(sheet, row, tier: str) -> str:
    """The feedback page of a row of the gradebook."""
    from .grade import public_message

    record, text = row.record, []
    text.append(f"<h1>Sheet {_t(sheet.id)}: {_t(sheet.title)}</h1>")
    text.append(f"<p>{_t(row.person['name'])}: <b>{row.total:g} of {sheet.points:g} points</b>")
    if row.late_days:
        text.append(f" ({row.raw:g} before the late policy, {row.late_days} days late)")
    text.append("</p>")
    attempt = f"attempt {row.attempts} of {row.attempts}" if row.attempts == 1 else f"one of {row.attempts} attempts"
    text.append(f"<p><small>File {_t(record['file'])}, {attempt}, submitted {_t(record['submitted'])}.</small></p>")
    if record["error"]:
        text.append(f"<p class=wrong>Your notebook could not be read.</p><pre>{_t(record['error'])}</pre>")
    for id, question in record["questions"].items():
        text.append(
            f"<h2>{_t(id)} {_t(question['title'])}: {question['points']:g} of {question['possible']:g}</h2><table>"
        )
        for case in question["cases"]:
            good = case["status"] == "passed"
            mark = "<span class=right>✓ right</span>" if good else "<span class=wrong>✗ wrong</span>"
            name = "hidden case" if case["hidden"] else _t(case["name"])
            detail = "" if good or record["error"] else f"<pre>{_t(public_message(case))}</pre>"
            text.append(f"<tr><td>{mark}<td>{case['points']:g}/{case['possible']:g}<td>{name}{detail}</tr>")
        text.append("</table>")
    if record["notes"]:
        text.append("<h2>While your notebook ran</h2>")
        text += [f"<pre>{_t(note)}</pre>" for note in record["notes"]]
    text.append(f"<p><small>Graded in a sealed process (jail: {_t(tier)}).</small></p>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>Sheet {_t(sheet.id)}: feedback</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(text)
        + "\n</body></html>\n"
    )


def _t(value) -> str:
    return escape("".join(c for c in str(value) if c.isprintable() or c in "\n\t"), quote=True)
