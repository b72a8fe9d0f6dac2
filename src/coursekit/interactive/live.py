"""The Python side of live mode: called by `static/ck/worker.mjs` inside Pyodide, answers in JSON."""

from __future__ import annotations

import functools
import json
import math

import matplotlib.backends.backend_svg  # noqa: F401  loaded while Python starts, not at the first drag
import numpy as np

from ..data import fetch_from
from .core import complaint, find
from .playing import Run

__all__ = ["arrays", "draw", "start", "train"]


def start(data_url: str) -> None:
    """Say where the site keeps the data files that the wheel leaves out."""
    fetch_from(data_url)


def draw(address: str, settings: str, prefix: str, narrow: bool = False) -> str:
    """`{"svg", "alt"}` of the explorer at `address`, or `{"error"}`: a sentence for the reader.

    With `narrow` the picture is the one for a narrow screen, where there is one.
    """

    def picture():
        explorer, given = find(address), json.loads(settings)
        drawn = vars(
            explorer.pictures(prefix, _plan(address), **given) if narrow else explorer.picture(prefix, **given)
        )
        return drawn | {"svg": drawn["narrow"] or drawn["svg"]}

    return _answer(picture)


@functools.cache
def _plan(address):
    return find(address).plan()


def train(address: str, settings: str, prefix: str, steps: int, fresh: bool, narrow: bool = False) -> str:
    """The picture of the explorer's training some steps further, as of `draw`, with `steps`: how far it has come.

    `fresh` begins it anew, with what the explorer shows for these settings.
    """

    def further():
        if fresh or address not in _runs:
            _runs[address] = Run(find(address))
        run = _runs[address]
        run.on(json.loads(settings), steps)
        drawn = run.picture(prefix, _plan(address) if narrow else None)
        return {"svg": drawn.narrow or drawn.svg, "alt": drawn.alt, "steps": run.steps}

    return _answer(further)


_runs: dict[str, Run] = {}


def arrays(address: str, settings: str) -> str:
    """The numbers behind the picture, `{"arrays": {name: {"shape", "values"}}}`, for the tests.

    JSON has neither NaN nor infinity; both become null.
    """

    def plain(array):
        values = np.ravel(array).astype(float)
        return {"shape": list(array.shape), "values": [v if math.isfinite(v) else None for v in values.tolist()]}

    return _answer(
        lambda: {"arrays": {name: plain(array) for name, array in find(address).arrays(**json.loads(settings)).items()}}
    )


def _answer(make):
    try:
        return json.dumps(make())
    except Exception as error:  # whatever an experiment raises, the page is told and the worker goes on
        return json.dumps({"error": complaint(error)})
