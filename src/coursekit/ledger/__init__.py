"""The reproduction ledger: what the course claims, who said it first, and what came out when we ran it.

A claim is a function that runs an experiment and returns the numbers it is about, and a condition on these numbers.
`python -m coursekit.ledger` runs claims and writes what they gave to `ledger/NN.json` at the repository's root; the
book shows that file, and a test runs each claim again and compares. Claims live in one module a chapter.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import _digests
from .._atomic import write_atomically
from ..errors import DataError

__all__ = ["CHAPTERS", "Claim", "claim", "claims", "read", "run", "table", "unchanged", "write"]

CHAPTERS = {
    "01": "backpropagation",
    "02": "losses",
    "03": "activations",
    "04": "preprocessing",
    "05": "initialization",
    "06": "batch_normalization",
    "07": "optimizers",
    "08": "learning_rate_and_batch_size",
    "09": "regularization",
    "10": "hyperparameter_search",
    "11": "watching_training",
    "12": "convolution",
    "13": "cnn_architectures",
    "14": "recurrent_networks",
    "15": "transfer_learning",
}


@dataclass(frozen=True)
class Claim:
    """One row of the ledger.

    Attributes
    ----------
    id : chapter and name, "05.he"
    text : the claim in a sentence
    source : who made it
    setting : how it was tried here
    condition : when it holds, in words
    measure : () -> {name: number}, the run
    holds : numbers -> bool, the condition in code
    reproduces : False for a claim that is known not to reproduce here; `note` says why
    slow : True where a run takes more than a minute; such rows are run by hand, not by every test
    tolerance : by how much a number may differ from the recorded one on another machine, relative
    """

    id: str
    text: str
    source: str
    setting: str
    condition: str
    measure: Callable[[], dict]
    holds: Callable[[dict], bool]
    reproduces: bool = True
    note: str = ""
    slow: bool = False
    tolerance: float = 0.05


_claims: dict[str, Claim] = {}


def claim(id: str, **row):
    """Decorator that registers `measure`; the other columns are its arguments."""

    def register(measure):
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


def run(claim: Claim) -> dict:
    """Run one claim: its numbers, whether the condition holds, and what it took."""
    start = time.perf_counter()
    numbers = {name: round(float(value), 6) for name, value in claim.measure().items()}
    seconds = time.perf_counter() - start
    return {
        "numbers": numbers,
        "holds": bool(claim.holds(numbers)),
        "seconds": round(seconds, 1),
        "with": f"Python {platform.python_version()}, NumPy {np.__version__}",
        "code": _digests.of_function(claim.measure),
    }


def unchanged(claim: Claim) -> bool:
    """Whether the recorded numbers came from the code, the data and the NumPy that are here now."""
    return read(claim.id[:2]).get(claim.id, {}).get("code") == _digests.of_function(claim.measure)


def _folder() -> Path:
    return Path(os.environ.get("COURSEKIT_LEDGER", Path(__file__).parents[3] / "ledger"))


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
    folder = _folder()
    folder.mkdir(exist_ok=True)
    write_atomically(folder / f"{chapter}.json", json.dumps(results, indent=1, sort_keys=True) + "\n")


def table(chapter: str | None = None) -> str:
    """The recorded rows as a Markdown table."""
    lines = ["| claim and source | how we tried it | what came out |", "|---|---|---|"]
    for row in claims(chapter):
        recorded = read(row.id[:2]).get(row.id)
        if recorded is None:
            raise DataError(f"claim {row.id} was never run; run: python -m coursekit.ledger {row.id[:2]}")
        numbers = "; ".join(f"{name} {value:.4g}" for name, value in recorded["numbers"].items())
        if recorded["holds"]:
            verdict = "**holds**"
        else:
            verdict = "**does not hold**" + (f": {row.note}" if row.note else "")
        claimed = f"{row.text} *{row.source}*"
        tried = f"{row.setting}. Holds when: {row.condition}"
        lines.append(f"| {claimed} | {tried} | {numbers}: {verdict} |")
    return "\n".join(lines)
