"""`alike.html`: the answers of people whose code is alike, side by side with the published solution."""

from __future__ import annotations

import pathlib

from ..._atomic import write_atomically
from .books import solutions
from .collect import Collection
from .feedback import STYLE, escaped, head
from .look import answers
from .similarity import PUBLISHED, Group, normal_lines

__all__ = ["alike_page"]

MOST_GROUPS, MOST_PEOPLE, MOST_TEXT = 20, 3, 2_000
_STYLE = """
body { max-width: none; }
table { table-layout: fixed; width: 100%; }
td { vertical-align: top; }
pre { overflow-x: auto; font-size: 85%; margin: 0; }
.same { background: #ffe9b0; color: #000; }
"""


def alike_page(out, alike: list[Group], found: Collection, sheet) -> None:
    """For each group the cells that answer a question, three people and the solution beside each other.

    Lines that others of the group have too, whatever their variables are called, are marked. What students wrote is
    read in a process with limits, and is text on the page.
    """
    paths = {s.student: s.path for s in found.last()}
    wanted = {question.id: question.names for question in sheet.questions}
    book = solutions(sheet)
    text = [
        "<h1>Alike</h1><p>Advice, never a mark: short exercises have few different solutions. Marked lines stand in "
        "another column too, apart from the names of variables. Look at both notebooks before you speak to anyone.</p>"
    ]
    for number, group in enumerate(alike[:MOST_GROUPS], 1):
        people = [s for s in group.students if s != PUBLISHED]
        shown = [s for s in people if s in paths][:MOST_PEOPLE]
        columns = {PUBLISHED: book} | {s: answers(paths[s], wanted) for s in shown}
        more = f" and {len(people) - len(shown)} more" if len(people) > len(shown) else ""
        title = f"{number}. {', '.join(shown)}{more}: {group.share:.0%} {group.note}"
        text.append(f"<h2>{escaped(title)}</h2>")
        for question in sheet.questions:
            codes = {who: parts.get(question.id, "")[:MOST_TEXT] for who, parts in columns.items()}
            if sum(map(bool, codes.values())) > 1:
                text += [f"<h3>{escaped(question.id)} {escaped(question.title)}</h3>", *_table(codes)]
    text += [f"<p>{len(alike) - MOST_GROUPS} more groups: similarity.csv</p>"] if len(alike) > MOST_GROUPS else []
    page = head("Alike", STYLE + _STYLE) + "\n".join(text) + "\n</body></html>\n"
    write_atomically(pathlib.Path(out) / "alike.html", page)


def _table(codes):
    normal = {who: normal_lines(code) for who, code in codes.items()}
    yield "<table><tr>" + "".join(f"<th>{escaped(who)}" for who in codes) + "</tr><tr>"
    for who, code in codes.items():
        others = {line for other, lines in normal.items() if other != who for line in lines if line.count(" ") > 2}
        lines = [
            f"<span class=same>{escaped(line)}</span>" if kind in others else escaped(line)
            for line, kind in zip(code.split("\n"), normal[who], strict=True)
        ]
        yield "<td><pre>" + "\n".join(lines) + "</pre>"
    yield "</tr></table>"
