"""Pictures of chapter 05."""

from __future__ import annotations

import numpy as np

from ._parts import LN10, label
from ._parts import loss_curves as loss_curves  # its page is that of plotting.activations
from ._style import BLUE, INK, MUTED, figure, marks, power, styled

__all__ = ["hidden_units", "residual", "signal", "training_curve"]


@styled
def signal(result: dict):
    """Histogram of every layer's outputs, first layer on top, and their standard deviation by layer.

    `result` as from `experiments.initialization.signal`.
    """
    share, edges, std = result["share"], result["edges"], result["std"]
    depth = len(share)
    fig, (left, right) = figure(6.4, 3.9, 1, 2, width_ratios=[3, 1.5], gaps=(0.85, 0.5))
    for layer, row in enumerate(share):
        base = depth - layer
        # Heights are relative to the row's own largest bin: what matters is where the outputs lie.
        left.stairs(base + 0.85 * row / row.max(), edges, baseline=base, fill=True, color=BLUE, alpha=0.85)
    left.set(
        xlabel="output of a unit",
        ylabel="layer",
        ylim=(0.9, depth + 1),
        yticks=np.arange(depth, 0, -1) + 0.1,
        yticklabels=range(1, depth + 1),
        title=f"{result['activation']}, weights of std {result['weight_std']:.3g}",
    )
    left.grid(axis="y", visible=False)
    right.plot(np.maximum(std, 1e-12), np.arange(depth, 0, -1), "o-", color=INK)
    right.set(
        xscale="log",
        xlim=(2e-13, 1e10),
        ylim=(0.5, depth + 0.5),
        yticks=np.arange(depth, 0, -1),
        yticklabels=range(1, depth + 1),
        xlabel="std of the outputs",
    )
    marks(right.xaxis, [1e-10, 1e-5, 1, 1e5], [power(-10), "", power(0), power(5)])  # no room for all labels
    return fig


@styled
def training_curve(result: dict):
    """Loss by step, with ln 10, and the standard deviation of every hidden layer before training."""
    loss, std = result["loss"], result["std"]
    fig, (left, right) = figure(6.4, 3.1, 1, 2, width_ratios=[3, 1.7], gaps=(0.75, 0.5))
    left.axhline(LN10, color=MUTED, lw=1, ls="--")
    label(left, "ln 10, guessing", (len(loss), LN10), offset=(0, 4), ha="right", size=8, va="baseline")
    left.plot(np.arange(1, len(loss) + 1), np.minimum(loss, 4.9), color=BLUE)
    left.set(xlim=(0, len(loss)), ylim=(0, 5), xlabel="step", ylabel="loss, nats")
    left.set_title(f"{result['depth']} {result['activation']} layers, gain {result['gain']:.3g}")
    right.plot(np.arange(1, len(std) + 1), std.clip(1e-9, 1e9), "o-", color=INK, ms=3)
    right.set(yscale="log", ylim=(1e-9, 1e9), yticks=[1e-8, 1e-4, 1, 1e4, 1e8], xlabel="hidden layer")
    right.set_xlim(0.5, max(len(std), 2) + 0.5)
    right.set_title("std of its outputs, before", size=9)
    return fig


@styled
def hidden_units(results: list[dict]):
    """First-layer weights of every hidden unit as a picture; one row for each start."""
    fig, axes = figure(
        6.4, 0.55 + 0.92 * len(results), len(results), len(results[0]["weights"].T),
        margins=(0.75, 0.1, 0.1, 0.15), gaps=(0.06, 0.1), squeeze=False,
    )  # fmt: skip
    for row, result in zip(axes, results, strict=True):
        limit = max(np.abs(result["weights"]).max(), 1e-12)
        for ax, unit in zip(row, result["weights"].T, strict=True):
            ax.imshow(unit.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
            ax.grid(visible=False)
        row[0].set_ylabel(result["start"], rotation=0, ha="right", va="center")
    return fig


@styled
def residual(result: dict):
    """Loss by step of a residual net, with ln 10, and the standard deviation after each block before training."""
    loss, std = result["loss"], result["std"]
    fig, (left, right) = figure(6.4, 3.1, 1, 2, width_ratios=[3, 1.7], gaps=(0.75, 0.5))
    left.axhline(LN10, color=MUTED, lw=1, ls="--")
    label(left, "ln 10, guessing", (len(loss), LN10), offset=(0, 4), ha="right", size=8, va="baseline")
    left.plot(np.arange(1, len(loss) + 1), np.minimum(loss, 4.9), color=BLUE)
    left.set(xlim=(0, len(loss)), ylim=(0, 5), xlabel="step", ylabel="loss, nats")
    left.set_title(f"{result['depth']} blocks, {result['branch']}")
    right.plot(np.arange(len(std)), std, "o-", color=INK, ms=3)
    right.set(yscale="log", ylim=(0.3, 1e9), yticks=[1, 1e3, 1e6], xlabel="block", xlim=(-0.5, len(std) - 0.5))
    right.set_title("std after it, before", size=9)
    return fig
