"""Recorded runs of chapter 13: deep networks with and without residual connections, moved digits, and a network."""

from __future__ import annotations

import numpy as np

from .. import deep_networks, moved_digits


def train(name: str):
    """The losses of `deep_networks.fit`, or the shares of `moved_digits.read_right`; and how they were made."""
    return {"depth_table": depths, "moved_table": moved, "pooled_mnist": pooled}[name]()


def depths():
    """Each network at the best of its rates, seed 0."""
    params, rates = {}, {}
    for skip in deep_networks.SKIPS:
        params[skip] = {}
        for depth in deep_networks.DEPTHS:
            rate = deep_networks.chosen(depth, skip)
            params[skip][str(depth)] = deep_networks.fit(depth, skip, rate, seed=0).loss
            rates[f"{skip}, {depth}"] = rate
    tried = {skip: list(rates) for skip, rates in deep_networks.RATES.items()}
    return params, {}, {"seed": 0, "steps": deep_networks.STEPS, "rates": rates, "tried": tried}


def moved():
    """Each cure with three seeds."""
    params = {
        cure: np.array([moved_digits.read_right(cure, moved_digits.fit(cure, seed).params)
                        for seed in range(moved_digits.SEEDS)])
        for cure in moved_digits.CURES
    }  # fmt: skip
    return params, {}, {"seeds": moved_digits.SEEDS, "data": "2,000 test digits, moved right, left, down and up"}


def pooled():
    """The network of the second cure, seed 0: what chapter 13 looks into."""
    cure = "global average pooling"
    params = moved_digits.fit(cure, seed=0).params
    right = moved_digits.read_right(cure, params, shifts=(0,))[0]
    return params, {}, {"seed": 0, "epochs": 4, "examples": 10000, "right of 2,000 test digits": float(right)}
