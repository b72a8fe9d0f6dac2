"""The ledger's page: recorded rows as Markdown tables."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

import numpy as np

from ..comparison import two_standard_errors
from ._claim import COURSE, FOLK, KINDS, VERDICTS

HEADINGS = {
    "measured": "Measured: the run could have come out otherwise.",
    "computed": "Computed: algebra, a count, or a simulation of its own formula.",
}


def markdown(rows: list[tuple], bibliography: Path) -> str:
    """A table for each kind that occurs; `rows` are pairs of a claim and its record."""
    parts = []
    for kind in KINDS:
        lines = [_line(claim, record, bibliography) for claim, record in rows if claim.kind == kind]
        if lines:
            head = ["| claim and source | how we tried it | what came out |", "|---|---|---|"]
            parts.append("\n".join([f"**{HEADINGS[kind]}**", "", *head, *lines]))
    return "\n\n".join(parts)


def totals(counts: dict) -> str:
    """A line a kind, a column a verdict."""
    lines = [f"| kind | {' | '.join(VERDICTS)} | all |", "|---" * (len(VERDICTS) + 2) + "|"]
    for kind, numbers in counts.items():
        cells = " | ".join(str(numbers[verdict]) for verdict in VERDICTS)
        lines.append(f"| {kind} | {cells} | {sum(numbers.values())} |")
    return "\n".join(lines)


def _line(claim, record, bibliography):
    claimed = f'<a id="{claim.id}"></a>{claim.text} *{cited(claim, bibliography)}* `{claim.id}`'
    tried = [claim.setting]
    if claim.condition:
        tried.append(f"Holds when: {claim.condition}")
    if claim.comparison:
        tried.extend(_searched(claim.comparison, record))
    if claim.budget:
        rates = ", ".join(f"{rate:.3g}" for rate in claim.budget.rates)
        tried.append(f"Tried: rates {rates}, {claim.budget.steps:,} steps (the page shows {claim.budget.picture:,})")
    if len(record.get("seeds", ())):
        tried.append(f"{len(record['seeds'])} seeds")
    if claim.threshold_moved:
        tried.append(f"*Set after a first look:* {claim.threshold_moved}")
    out = "; ".join(f"{name} {shown(value)}" for name, value in record["numbers"].items() if name != "difference")
    if claim.comparison:
        out += f". {_difference(claim.comparison, record['difference'])}"
    verdict = f"**{record['verdict']}**" + (f": {claim.note}" if record["verdict"] != "holds" and claim.note else "")
    cells = [claimed, ". ".join(part.rstrip(". ") for part in tried), f"{out}: {verdict}"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _searched(comparison, record):
    if comparison.nothing_to_choose:
        yield f"Nothing to choose: {comparison.nothing_to_choose}"
        return
    for name, arm in record["arms"].items():
        values = "; ".join(f"{key} {_values(v)}" for key, v in arm["grid"].items())
        best = ", ".join(f"{key} {shown(v)}" for key, v in arm["chosen"].items())
        yield f"{name}: {values}, best {best}" + (" (the end of the grid)" if arm["at edge"] else "")
    yield f"Chosen on {comparison.chosen_on}"
    if comparison.at_edge and any(arm["at edge"] for arm in record["arms"].values()):
        yield comparison.at_edge


def _values(values):
    if len(values) > 4 and all(isinstance(v, float) for v in values):
        return f"{shown(values[0])} to {shown(values[-1])}, {len(values)} values"
    return ", ".join(shown(v) for v in values)


def _difference(comparison, found):
    text = f"Difference {found['mean']:.2g} ± {found['2 SE']:.2g} {comparison.measured_in}"
    if comparison.at_least:
        text += f", at least {comparison.at_least:g} wanted"
    return text + (
        f" (an effect of {comparison.effect:.3g}, {comparison.effect_from}, would be seen "
        f"{100 * found['power']:.0f} % of the time)"
    )


def shown(value) -> str:
    """A number for a reader, or the mean of several with two standard errors.

    >>> shown(0.25), shown([1.0, 2.0, 3.0])
    ('0.25', '2 ± 1.2')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if len(set(value)) == 1 or len(value) < 2:
            return shown(value[0])
        if not np.isfinite(value).all():
            return f"{np.isfinite(value).sum()} of {len(value)} finite"
        return f"{_plain(np.mean(value))} ± {two_standard_errors(value):.2g}"
    return _plain(value)


def _plain(value):
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return f"{text.split('e')[0]} × 10<sup>{int(text.split('e')[1])}</sup>" if "e" in text else text


def cited(claim, bibliography: Path) -> str:
    """The sources in words: "Glorot and Bengio 2010, section 3"."""
    names = {FOLK: "a rule of thumb", COURSE: "this course"} | _authors(bibliography)
    who = "; ".join(names.get(key, key) for key in claim.sources)
    return f"{who}, {claim.where}" if claim.where else who


@functools.cache
def _authors(bibliography: Path) -> dict[str, str]:
    """{key: authors and year} of references.bib."""
    result = {}
    for entry in re.split(r"^@", bibliography.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        key = re.match(r"\w+\{([^,]+),", entry)
        author = re.search(r"^\s*(?:author|editor)\s*=\s*\{(.*)\},?$", entry, re.MULTILINE)
        year = re.search(r"^\s*year\s*=\s*\{?(\d+)", entry, re.MULTILINE)
        if key and author:
            result[key[1]] = f"{_names(author[1])} {year[1] if year else ''}".strip()
    return result


def _names(authors):
    last = [_letters(name.split(",")[0]) for name in authors.split(" and ")]
    return last[0] if len(last) == 1 else " and ".join(last) if len(last) == 2 else f"{last[0]} et al."


def _letters(name):
    """Without braces, and with accents on their letters."""
    marks = {"'": "\u0301", '"': "\u0308", "`": "\u0300", "^": "\u0302", "~": "\u0303", "c": "\u0327", "v": "\u030c"}
    name = re.sub(r"\\([\'\"`^~cv])\s*\{?(\w)\}?", lambda m: m[2] + marks[m[1]], name)
    return unicodedata.normalize("NFC", re.sub(r"[{}\\]", "", name)).strip()
