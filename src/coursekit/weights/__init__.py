"""Trained weights that the chapters show, and the recipes that made them.

`load("lenet5_mnist")` reads a small file that is shipped with the package. `make weights` (or
`python -m coursekit.weights NAME`) trains it again: each recipe is a module of this package with a function
`train(name)`, seeded, that returns the parameters, the state and a record of what came out. The record (seed, epochs,
seconds, accuracy) is kept beside the weights in `data/weights.json`, and the ledger shows it.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._atomic import write_atomically
from ..data import _files
from ..errors import DataError
from ..model import _flatten, _unflatten

__all__ = ["RECIPES", "Weights", "load", "make", "record", "write"]

RECIPES = {
    "lenet5_mnist": "lenet5",
    "mlp_mnist": "lenet5",
    "char_rnn_korean": "char_rnn",
    "char_rnn_shakespeare": "char_rnn",
    "recall": "recall",
    "transfer_clothes": "transfer",
    "transfer_clothes_a": "transfer",
    "transfer_digits": "transfer",
    "transfer_digits_0_4": "transfer",
    "transfer_table": "transfer",
}
"""Name of the weights -> module of this package whose `train(name)` makes them."""

FOLDER = _files.FOLDER
RECORDS = FOLDER / "weights.json"


@dataclass(frozen=True)
class Weights:
    """Trained parameters: `params` and `state` for a model's `forward`, and the `record` of their training."""

    params: dict
    state: dict
    record: dict


def _records() -> dict:
    return json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else {}


def record(name: str) -> dict:
    """What the training of `name` gave: seed, epochs, seconds, accuracy, and whatever else its recipe notes."""
    return _entry(name)["record"]


def _entry(name: str) -> dict:
    records = _records()
    if name not in records:
        raise DataError(f"there are no weights {name!r}; these are shipped: {', '.join(sorted(records)) or 'none'}")
    return records[name]


def load(name: str, dtype=np.float32) -> Weights:
    """Read shipped weights.

    They are kept in half precision (float16: three digits), and returned as `dtype`.

    Raises `DataError` for a name that is not shipped or a file that is damaged.
    """
    entry = _entry(name)
    arrays = _files.read_npz(f"weights_{name}.npz", entry["sha256"])
    skeleton = json.loads(str(arrays.pop("skeleton")))
    arrays = {key: a.astype(dtype) if a.dtype == np.float16 else a for key, a in arrays.items()}
    tree = _unflatten(skeleton, arrays)
    return Weights(tree["params"], tree["state"], entry["record"])


def write(name: str, params: dict, state: dict, noted: dict) -> Path:
    """Keep weights in half precision beside the data, with their record; both files appear whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    skeleton = _flatten({"params": params, "state": state}, "", arrays)
    with np.errstate(over="ignore"):  # refused in the next line
        halves = {key: a.astype(np.float16) if a.dtype.kind == "f" else a for key, a in arrays.items()}
    if bad := [key for key, a in halves.items() if a.dtype.kind == "f" and not np.isfinite(a).all()]:
        raise DataError(f"weights {name!r}: {', '.join(bad)} hold NaN, or numbers too large for float16 (65504)")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, skeleton=np.array(json.dumps(skeleton)), **halves)
    content = buffer.getvalue()
    records = _records()
    records[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "record": noted}
    path = FOLDER / f"weights_{name}.npz"
    write_atomically(path, content)
    write_atomically(RECORDS, json.dumps(records, indent=1, sort_keys=True) + "\n")
    return path


def make(name: str) -> Path:
    """Train `name` by its recipe and keep the result."""
    if name not in RECIPES:
        raise DataError(f"there is no recipe {name!r}; these are: {', '.join(sorted(RECIPES)) or 'none'}")
    recipe = importlib.import_module(f"coursekit.weights.{RECIPES[name]}")
    start = time.perf_counter()
    params, state, noted = recipe.train(name)
    return write(name, params, state, noted | {"seconds": round(time.perf_counter() - start, 1)})
