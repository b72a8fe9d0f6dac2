"""The ledger: what the course claims, who said it first, and what came out when we ran it.

A claim is a function that runs an experiment and returns the numbers it is about, and what must be true of them. It is
*measured*, if the run could have come out otherwise, or *computed*: algebra, a count, a simulation of its own formula.
It holds, does not hold, or the run **cannot tell**, or is **not comparable** with its source's. A claim that compares
declares for each method the grid of settings it was searched over and the data it was chosen on (`Comparison`); a
claim that denies declares what was spent before saying so (`Budget`). `_claim` refuses what lacks it.

    python -m coursekit.ledger                    run all claims but the slow ones, and record what they give
    python -m coursekit.ledger 06 09.adamw --all  those of a chapter and a single one, slow or not
    python -m coursekit.ledger --fresh-seeds 5    run with seeds that no row has seen; record nothing; do verdicts stay?

The results are in `ledger/NN.json` at the repository's root; the book shows them, and tests run claims again and
compare. Claims live in one module a chapter.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import time
from pathlib import Path

import numpy as np

from .. import _uses
from .._atomic import write_atomically
from .._chapters import CHAPTERS
from ..comparison import Fair, judge
from ..errors import DataError
from ._claim import COURSE as COURSE
from ._claim import FOLK as FOLK
from ._claim import KINDS, VERDICTS, Budget, Claim, Comparison

__all__ = [
    "Budget",
    "Claim",
    "Comparison",
    "claim",
    "claims",
    "counts",
    "fresh_seeds",
    "read",
    "run",
    "summary",
    "table",
    "unchanged",
    "write",
]

POWER = 0.8  # how often a comparison must see the effect that it declares, if there is one
_claims: dict[str, Claim] = {}


def claim(id: str, **row):
    """Decorator that registers `measure`; the other columns are its arguments."""

    def register(measure):
        if id in _claims and _claims[id].measure.__module__ != measure.__module__:
            raise DataError(f"two claims have the id {id}; give one of them another name")
        _claims[id] = Claim(id=id, measure=measure, **row)
        return measure

    return register


def claims(chapter: str | None = None) -> list[Claim]:
    """All claims, or those of one chapter such as "05"."""
    for number, module in CHAPTERS.items():
        if chapter in (None, number):
            importlib.import_module(f"coursekit.ledger.{module}")
    if chapter is not None and chapter not in CHAPTERS:
        raise DataError(f"the ledger has no chapter {chapter!r}; it has {', '.join(CHAPTERS)}")
    return [c for c in _claims.values() if chapter in (None, c.id[:2])]


def run(claim: Claim, seeds: tuple[int, ...] | None = None) -> dict:
    """Run one claim: its numbers, the verdict they give, and processor time; with other seeds if given."""
    start = time.process_time()
    given = {"seeds": claim.seeds if seeds is None else tuple(seeds)}
    given |= {"budget": claim.budget} if claim.budget else {}
    given |= {"arms": claim.comparison.arms} if claim.comparison else {}
    result = claim.measure(**{name: given[name] for name in claim.takes})
    recorded = {}
    if claim.comparison:
        fair, more = result if isinstance(result, tuple) else (result, {})
        verdict, result, recorded = _compared(claim.comparison, fair)
        result |= more
    numbers = {name: _rounded(value) for name, value in result.items()}
    if claim.holds:
        answer = claim.holds({name: np.array(v) if isinstance(v, list) else v for name, v in numbers.items()})
        answer = answer if isinstance(answer, str) else ("holds" if answer else "does not hold")
        verdict = answer if not claim.comparison or verdict == "holds" else verdict
    return recorded | {
        "numbers": numbers,
        "verdict": "not comparable" if claim.verdict == "not comparable" else verdict,
        "seconds": round(time.process_time() - start, 1),
        "with": f"Python {platform.python_version()}, NumPy {np.__version__}",
        "code": _uses.of_function(claim.measure),
        "seeds": list(given["seeds"]),
    }


def unchanged(claim: Claim) -> bool:
    """Whether the recorded numbers came from the code, the data and the NumPy that are here now."""
    return read(claim.id[:2]).get(claim.id, {}).get("code") == _uses.of_function(claim.measure)


def _compared(comparison: Comparison, fair: Fair):
    """Verdict, numbers and what is recorded of the search; the arms that ran are those that were declared.

    A run that would have missed the effect in question more often than once in five says nothing: "cannot tell".
    """
    ran = {name: _values(rows) for name, rows in fair.settings.items()}
    if ran != {name: {key: set(values) for key, values in grid.items()} for name, grid in comparison.arms.items()}:
        raise DataError(f"the comparison declares {dict(comparison.arms)}, but ran {ran}; hand `arms` on as it came")
    if fair.mode != comparison.mode:
        raise DataError(f"the comparison declares mode={comparison.mode!r}, but ran with mode={fair.mode!r}")
    gain = fair.gain(comparison.first, comparison.second)
    verdict, numbers = judge(gain, comparison.effect, comparison.at_least)
    if numbers["power"] < POWER:  # too few seeds for the effect in question: what came out may be luck
        verdict = "cannot tell"
    arms = {
        name: {
            "grid": {key: [_rounded(v) for v in values] for key, values in comparison.arms[name].items()},
            "chosen": {key: _rounded(v) for key, v in fair.chosen[name].items()},
            "at edge": fair.at_edge[name],
        }
        for name in fair.settings
    }
    scores = {name: fair.scores(name) for name in fair.settings}
    difference = {name: _rounded(value) for name, value in numbers.items()}
    return verdict, scores | {"difference": gain}, {"arms": arms, "difference": difference}


def _values(rows):
    """{setting: the set of its values} of a list of settings."""
    return {key: {row[key] for row in rows} for row in rows for key in row}


def _rounded(value):
    if isinstance(value, str):
        return value
    value = np.asarray(value, dtype=float)
    if value.ndim:
        return [_rounded(v) for v in value.ravel()]
    value = float(value)
    return (
        value if not np.isfinite(value) or value == 0 else round(value, max(6, 5 - int(np.floor(np.log10(abs(value))))))
    )


def fresh_seeds(claim: Claim, count: int = 5) -> dict:
    """Run a claim with at least `count` seeds that it has not seen, never fewer than it has; None if it has none."""
    if not claim.seeds:
        return None
    start = 1000 + max(claim.seeds)
    return run(claim, tuple(range(start, start + max(count, len(claim.seeds)))))


def counts() -> dict[str, dict[str, int]]:
    """How many recorded rows there are, by kind and verdict."""
    result = {kind: dict.fromkeys(VERDICTS, 0) for kind in KINDS}
    for row in claims():
        result[row.kind][_recorded(row)["verdict"]] += 1
    return result


def _recorded(row: Claim) -> dict:
    recorded = read(row.id[:2]).get(row.id)
    if recorded is None:
        raise DataError(f"claim {row.id} was never run; run: python -m coursekit.ledger {row.id}")
    return recorded


def _folder() -> Path:
    if "COURSEKIT_LEDGER" in os.environ:
        return Path(os.environ["COURSEKIT_LEDGER"])
    root = Path(__file__).resolve().parents[3]
    if not (root / "references.bib").is_file():
        raise DataError(
            "the ledger's records are part of the course's repository, not of the installed package; clone the "
            "repository (its address: pip show -f coursekit) and run this there"
        )
    return root / "ledger"


def read(chapter: str) -> dict[str, dict]:
    """What the last recorded run of a chapter's claims gave, by claim id."""
    path = _folder() / f"{chapter}.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name} cannot be read ({error}); make it with: python -m coursekit.ledger {chapter}"
        ) from None


def write(chapter: str, results: dict[str, dict]) -> None:
    """Record results; the file is replaced in one move."""
    write_atomically(_folder() / f"{chapter}.json", json.dumps(results, indent=1, sort_keys=True) + "\n")


def table(chapter: str) -> str:
    """The recorded rows of a chapter as Markdown: what was measured, and what was computed."""
    from ._table import markdown

    return markdown([(row, _recorded(row)) for row in claims(chapter)], _folder().parent / "references.bib")


def summary() -> str:
    """The numbers of rows by kind and verdict as a Markdown table."""
    from ._table import totals

    return totals(counts())
