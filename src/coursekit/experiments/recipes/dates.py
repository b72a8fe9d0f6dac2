"""The network of chapter 14 that rewrites dates and looks back while it writes."""

from __future__ import annotations

from .. import attention


def train(name: str):
    """Train with seed 0: its params, and the shares of whole dates right on days that it has not seen."""
    found = attention.fit()
    noted = {"seed": 0, "updates": len(found["loss"]), "validation": found["validation"], "whole": found["whole"]}
    return found["params"], {}, noted
