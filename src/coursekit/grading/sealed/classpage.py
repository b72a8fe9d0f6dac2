"""What a class got right and wrong, on one page: points, discrimination, named mistakes, timeouts, groups.

A static page: no script, everything escaped, a fixed bound on what is shown.
"""

from __future__ import annotations

import collections
import statistics

from .feedback import STYLE, escaped, head
from .grade import safe_name

__all__ = ["class_page", "discrimination", "mistakes"]

MOST_MISTAKES, MOST_GROUPS, MOST_NAMES = 15, 40, 25
_STYLE = """
.bar { display: inline-block; height: .7em; background: #176b2c; vertical-align: middle; }
.rest { background: #8886; } td.n { text-align: right; } summary { cursor: pointer; }
body { max-width: 66rem; } .scroll { overflow-x: auto; }
"""


def mistakes(records: list[dict]) -> dict[str, list[tuple[str, int, dict]]]:
    """For each question the named mistakes: (name, how many students, the first of them)."""
    found: dict[str, dict[str, list[dict]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for record in records:
        for id, question in record["questions"].items():
            for name in dict.fromkeys(c.get("mistake") for c in question["cases"] if c["status"] == "wrong"):
                if name:
                    found[id][name].append(record)
    return {
        id: sorted(((name, len(who), who[0]) for name, who in names.items()), key=lambda m: (-m[1], m[0]))
        for id, names in found.items()
    }


def discrimination(own: list[float], rest: list[float]) -> float | None:
    """How well a question tells strong students from weak ones: its correlation with the points of all others."""
    if len(own) < 3 or len(set(own)) < 2 or len(set(rest)) < 2:
        return None
    return statistics.correlation(own, rest)


def class_page(sheet, table, alike) -> str:
    """The page."""
    rows = [row for row in table if row.record is not None and not row.record["error"]]
    records = [row.record for row in rows]
    text = [f"<h1>Sheet {escaped(sheet.id)}: {escaped(sheet.title)}</h1>", _summary(sheet, table, rows)]
    text.append("<div class=scroll><table><tr><th>question<th>mean<th>full marks<th>discrimination<th>unwritten"
                "<th>not in time<th>errors<th>points, from none to all</tr>")  # fmt: skip
    for question in sheet.questions:
        text.append(_question(question, rows))
    text.append("</table></div><p><small>Discrimination: the correlation of the question's points with all the others. "
                "Near 0 or below: the question, or a case of it, deserves a look.</small></p>")  # fmt: skip
    named = mistakes(records)
    for question in sheet.questions:
        text += _mistakes(question, named.get(question.id, []), records)
    text += _groups(alike)
    return head(f"Sheet {sheet.id}: the class", STYLE + _STYLE) + "\n".join(text) + "\n</body></html>\n"


def _summary(sheet, table, rows):
    totals = [row.total for row in table if row.graded]
    without = [row for row in table if row.record is None]
    lost = sum(1 for row in table if row.record and (row.record["error"] or row.record.get("ungraded")))
    parts = [f"{len(table)} students, {len(rows)} notebooks read"]
    if totals:
        parts.append(f"mean {statistics.fmean(totals):.2f}, median {statistics.median(totals):g} points")
    parts += [f"{len(without)} without a submission"] if without else []
    parts += [f"{lost} that could not be read or graded"] if lost else []
    return f"<p>{escaped('; '.join(parts))}.</p>"


def _question(question, rows):
    own = [row.points(question.id) or 0.0 for row in rows]
    rest = [sum(row.points(id) or 0.0 for id in row.record["questions"] if id != question.id) for row in rows]
    status = [{c["status"] for c in row.record["questions"][question.id]["cases"]} for row in rows]
    count = {name: sum(1 for s in status if s & kinds) for name, kinds in (
        ("unwritten", {"unwritten", "missing"}), ("time", {"time"}), ("error", {"error", "died", "forged", "ungraded"})
    )}  # fmt: skip
    d = discrimination(own, rest)
    bins = collections.Counter(min(4, int(5 * p / question.points)) if question.points else 0 for p in own)
    bars = "".join(
        f'<span class="bar{"" if i == 4 else " rest"}" style="width:{120 * bins[i] / max(1, len(own)):.0f}px" '
        f'title="{bins[i]} students"></span>'
        for i in range(5)
    )
    mean = statistics.fmean(own) if own else 0.0
    full = sum(1 for p in own if p >= question.points)
    return (
        f"<tr><td>{escaped(question.id)} {escaped(question.title)}<td class=n>{mean:.2f} of {question.points:g}"
        f"<td class=n>{full}<td class=n>{'–' if d is None else f'{d:.2f}'}<td class=n>{count['unwritten']}"
        f"<td class=n>{count['time']}<td class=n>{count['error']}<td>{bars}</tr>"
    )


def _mistakes(question, named, records):
    cases = collections.Counter(
        c["name"] for r in records for c in r["questions"][question.id]["cases"] if c["status"] != "passed"
    )
    if not cases:
        return []
    text = [f"<h2>{escaped(question.id)} {escaped(question.title)}</h2><ul>"]
    for name, count, record in named[:MOST_MISTAKES]:
        case = next(c for c in record["questions"][question.id]["cases"] if c.get("mistake") == name)
        facts = "; ".join(f"{label}: {value}" for label, value in case.get("facts", ())[:3])
        link = f'<a href="feedback/{safe_name(record["student"])}.html">{escaped(record["student"][:60])}</a>'
        text.append(
            f"<li><b>{count} of {len(records)}</b>: {escaped(name[:200])}. <small>For example {link}: "
            f"{escaped(case['summary'][:150])} ({escaped(facts[:250])})</small></li>"
        )
    if len(named) > MOST_MISTAKES:
        text.append(f"<li>and {len(named) - MOST_MISTAKES} rarer ones</li>")
    hard = "; ".join(f"{escaped(name)} {n}" for name, n in cases.most_common(5))
    return [*text, f"</ul><p><small>Cases that failed: {hard} of {len(records)}.</small></p>"]


def _groups(alike):
    if not alike:
        return []
    text = [
        "<h2>Alike</h2><p><small>Advice, never a mark: short exercises have few different solutions.</small></p><ul>"
    ]
    for group in alike[:MOST_GROUPS]:
        names = ", ".join(
            f'<a href="feedback/{safe_name(s)}.html">{escaped(s[:60])}</a>'
            if not s.startswith("the published")
            else escaped(s)
            for s in group.students[:MOST_NAMES]
        )
        more = f" and {len(group.students) - MOST_NAMES} more" if len(group.students) > MOST_NAMES else ""
        text.append(f"<li>{names}{more}: {group.share:.0%} {escaped(group.note)}</li>")
    text += [f"<li>and {len(alike) - MOST_GROUPS} more: similarity.csv</li>"] if len(alike) > MOST_GROUPS else []
    return [*text, "</ul>"]
