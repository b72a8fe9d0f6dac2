"""Trained weights that the chapters show.

`load("lenet5_mnist")` reads a small file that is shipped with the package; `record` says how it was made (seed, epochs,
seconds, accuracy). `coursekit.experiments.recipes` trains it again.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._atomic import write_atomically
from ..errors import DataError
from ..trees import flatten, unflatten
from . import _files

__all__ = ["Weights", "load", "record", "write"]

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
    tree = unflatten(skeleton, arrays)
    return Weights(tree["params"], tree["state"], entry["record"])


def write(name: str, params: dict, state: dict, noted: dict) -> Path:
    """Keep weights in half precision beside the data, with their record; both files appear whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    skeleton = flatten({"params": params, "state": state}, "", arrays)
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
