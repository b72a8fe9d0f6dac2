"""Recipes of the trained weights that the chapters show.

`make weights` (or `python -m coursekit.experiments.recipes NAME`) trains them again: each recipe is a module of this
package with a function `train(name)`, seeded, that returns the parameters, the state and a record of what came out. The
record is kept beside the weights in `data/weights.json`, and the ledger shows it.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path

from ...data import weights
from ...errors import DataError

__all__ = ["RECIPES", "make"]

RECIPES = {
    "dates_attention": "dates",
    "emoji_table": "emoji",
    "lenet5_mnist": "lenet5",
    "mlp_mnist": "lenet5",
    "char_rnn_korean": "char_rnn",
    "char_rnn_shakespeare": "char_rnn",
    "depth_table": "cnns",
    "moved_table": "cnns",
    "pooled_mnist": "cnns",
    "recall": "recall",
    "transfer_clothes": "transfer",
    "transfer_clothes_a": "transfer",
    "transfer_digits": "transfer",
    "transfer_digits_0_4": "transfer",
    "transfer_table": "transfer",
}
"""Name of the weights -> module of this package whose `train(name)` makes them."""


def make(name: str) -> Path:
    """Train `name` by its recipe and keep the result."""
    if name not in RECIPES:
        raise DataError(f"there is no recipe {name!r}; these are: {', '.join(sorted(RECIPES)) or 'none'}")
    recipe = importlib.import_module(f"{__name__}.{RECIPES[name]}")
    start = time.perf_counter()
    params, state, noted = recipe.train(name)
    return weights.write(name, params, state, noted | {"seconds": round(time.perf_counter() - start, 1)})
