"""Pictures of chapter 15."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Arc, Rectangle
from matplotlib.ticker import NullLocator

from ..experiments.transfer_learning import FROZEN_NAMES
from ._parts import arrow, bare, label, name_ends, picture
from ._style import BLUE, CYCLE, GREEN, INK, MUTED, ORANGE, PAPER, figure, styled


def _sizes(ax, sizes):
    """A logarithmic axis with the sizes themselves as plain text."""
    ax.set_xscale("log")
    ax.set_xticks(sizes, [f"{n:,}" for n in sizes])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlim=(sizes[0] / 1.4, sizes[-1] * 1.4), xlabel="training images of the target")


def _lock(ax, x, y):
    """A closed padlock, its body around (x, y)."""
    ax.add_patch(Arc((x, y + 0.09), 0.2, 0.3, theta1=0, theta2=180, ec=INK, lw=1.4, zorder=4))
    ax.add_patch(Rectangle((x - 0.15, y - 0.13), 0.3, 0.22, fc=INK, ec="none", zorder=4))


@styled
def body_and_head():
    """Each way to use a source's network, as a row of layers: where their weights come from, and which are frozen."""
    rows = (
        ("from scratch", (0, 0, 0), 0),
        ("frozen features", (1, 1, 1), 3),
        ("first layers frozen", (1, 1, 1), 1),
        ("fine-tuning", (1, 1, 1), 0),
    )
    fig, ax = figure(4.8, 4.4, margins=(0.05, 0.05, 0.05, 0.05))
    bare(ax)
    ax.set(xlim=(-0.7, 6.4), ylim=(-6.05, 1.0))
    for row, (name, source, frozen) in enumerate(rows):
        y = -1.55 * row
        ax.text(-0.62, y + 0.62, name, weight="bold", va="center")
        for k, layer in enumerate(("conv.", "conv.", "dense", "head")):
            x = 0.1 + 1.75 * k
            kept = k < 3 and source[k]
            ax.add_patch(Rectangle((x - 0.7, y - 0.32), 1.4, 0.64, fc=PAPER, ec=BLUE if kept else ORANGE, lw=1.8))
            locked = k < frozen
            ax.text(x - 0.18 * locked, y, layer, ha="center", va="center", size=11)
            if locked:
                _lock(ax, x + 0.48, y)
            if k:
                arrow(ax, (x - 1.05, y), (x - 0.7, y))
    ax.text(-0.62, -5.6, "weights of the source", color=BLUE, va="center")
    ax.text(2.75, -5.6, "drawn at random", color=ORANGE, va="center")
    _lock(ax, 5.1, -5.6)
    ax.text(5.35, -5.6, "frozen", va="center")
    fig.alt = (
        "Four rows of two convolutions, a dense layer and a head. The head is always drawn at random and trained. From "
        "scratch: all layers are. In the other rows the body has the source's weights: with frozen features all of it "
        "is locked, with the first layers frozen the first convolution is, and in fine-tuning nothing is."
    )
    return fig


@styled
def heads(result: dict):
    """Accuracy of the same softmax layer on pixels and on three networks' features, a point for each seed."""
    names = result["names"]
    rows = [
        (f"trained on\n{names['related']}", result["related"], BLUE),
        (f"trained on\n{names['other']}", result["other"], ORANGE),
        ("not trained", result["untrained"], GREEN),
    ]
    fig, ax = figure(6.0, 3.0, margins=(1.35, 0.2, 0.54, 0.32))
    pixels = 100 * result["pixels"].mean()
    ax.axvline(pixels, color=MUTED, ls="--", lw=1.2)
    label(
        ax,
        f"pixels {pixels:.0f} %",
        (pixels, 1),
        MUTED,
        (-4, -3),
        xycoords=("data", "axes fraction"),
        ha="right",
        size=10,
        va="top",
    )
    for place, (_, values, colour) in enumerate(rows):
        mean = 100 * values.mean()
        ax.plot([20, mean], [place, place], color=colour, lw=9, alpha=0.35)
        ax.plot(100 * values, np.full(len(values), place), "o", color=colour, ms=5)
        label(ax, f"{mean:.1f} %", (1, place), colour, (-2, 0), xycoords=("axes fraction", "data"), ha="right")
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.set(
        ylim=(2.6, -0.75), xlim=(20, 118), xticks=range(20, 101, 20), xlabel="accuracy on the target's test images, %"
    )
    where = "pixels" if result["cut"] == "pixels" else f"after {result['cut']}"
    ax.set_title(f"{result['target']}, {result['n']:,} images, cut: {where}")
    ax.grid(axis="y", visible=False)
    return fig


@styled
def table(result: dict):
    """Accuracy by target size, the chosen freezing against scratch; and each gain at the chosen size."""
    sizes, chosen, at = result["sizes"], result["chosen"], result["at"]
    fig, (top, low) = figure(6.0, 5.0, 2, 1, height_ratios=[1.55, 1], margins=(0.75, 1.05, 0.5, 0.32), gaps=(0.5, 0.85))
    scratch, transfer = 100 * result["scratch"].mean(axis=-1), 100 * result["transfer"].mean(axis=-1)
    for other in transfer:
        top.plot(sizes, other, color=BLUE, lw=0.8, alpha=0.35)
    top.plot(sizes, scratch, color=MUTED, ls="--")
    top.plot(sizes, transfer[chosen], "o-", color=BLUE, lw=2.2)
    ends = [(transfer[chosen][-1], "transfer", BLUE), (scratch[-1], "scratch", MUTED)]
    name_ends(top, sizes[-1], ends, 7, (8, 0), annotation_clip=False)
    top.axvline(sizes[at], color=INK, lw=0.8, ls=":")
    _sizes(top, sizes)
    top.set(ylim=(20, 100), ylabel="test accuracy, %", title=f"{result['task']}, frozen: {FROZEN_NAMES[chosen]}")
    difference = 100 * (result["transfer"][:, at] - result["scratch"][at])
    mean, error = difference.mean(axis=-1), difference.std(axis=-1, ddof=1) / np.sqrt(difference.shape[-1])
    for place, (m, e) in enumerate(zip(mean, error, strict=True)):
        colour = BLUE if place == chosen else MUTED
        low.plot([place, place], [m - 2 * e, m + 2 * e], color=colour, lw=1.5)
        low.plot(place, m, "o", color=colour, ms=7 if place == chosen else 5)
        label(low, f"{m:+.1f}", (place, m), colour, (7, 4), va="bottom")
    low.axhline(0, color=INK, lw=0.9)
    low.set_xticks(range(4), ["none", "conv 1", "both conv", "all but head"])
    low.set(xlim=(-0.4, 3.6), ylim=(-34, 24), yticks=[-30, -20, -10, 0, 10, 20], ylabel="gain, points")
    low.set_title(f"transfer minus scratch with {sizes[at]:,} images, by what is frozen", size=10)
    return fig


@styled
def rates(result: dict):
    """Accuracy on the target with the new head and on the source with the old one, by step."""
    fig, ax = figure(6.0, 3.2, margins=(0.7, 1.25, 0.54, 0.32))
    step = result["step"]
    for name, colour in (("target", BLUE), ("source", ORANGE)):
        values = 100 * result[name]
        ax.plot(step, values, "o-", color=colour)
    lines = (("source", "digits 0-4,\nold head", ORANGE), ("target", "digits 5-9,\nnew head", BLUE))
    ends = [(100 * result[name][-1], text, colour) for name, text, colour in lines]
    name_ends(ax, step[-1], ends, 18, (8, 0), annotation_clip=False, size=10)
    ax.set(xlim=(0, step[-1]), ylim=(0, 102), xlabel="step", ylabel="test accuracy, %")
    ax.set_title(f"body's rate {result['body_rate']:.3g}, {result['n']} images")
    return fig


@styled
def gains(results: list[dict]):
    """Gain of fine-tuning over scratch by target size, a line for each task, with bars of two standard errors."""
    fig, ax = figure(6.2, 3.4, margins=(0.75, 1.35, 0.54, 0.32))
    ax.axhline(0, color=INK, lw=0.9)
    ends = []
    for shift, colour, result in zip(np.linspace(0.93, 1.07, len(results)), CYCLE, results, strict=False):
        difference = 100 * (result["transfer"][0] - result["scratch"])
        mean, error = difference.mean(axis=-1), difference.std(axis=-1, ddof=1) / np.sqrt(difference.shape[-1])
        ax.errorbar(result["sizes"] * shift, mean, 2 * error, color=colour, marker="o", lw=1.6, elinewidth=1)
        ends.append((mean[-1], result["task"], colour))
    _sizes(ax, results[0]["sizes"])
    low, high = ax.get_ylim()
    height = 0.0  # labels stay off the zero line and off each other
    for end, name, colour in sorted(ends, reverse=True):
        step = 0.07 * (high - low)
        height = max(end, step) if height == 0 else min(end, height - step, -step)
        label(ax, name, (results[0]["sizes"][-1] * 1.15, height), colour, (6, 0), annotation_clip=False, size=9)
    ax.set(ylabel="transfer minus scratch, points", title="What fine-tuning all layers adds")
    fig.alt = "Gain of fine-tuning by target size. " + "; ".join(
        f"{r['task']}: " + ", ".join(f"{100 * (r['transfer'][0] - r['scratch']).mean(axis=-1)[i]:+.1f} with {n:,}"
                                     for i, n in enumerate(r["sizes"])) for r in results
    ) + " images."  # fmt: skip
    return fig


@styled
def emoji_by_size(result: dict):
    """Above, some of the pictures; below, accuracy by pictures of a class for each way, the chosen one thick."""
    pictures = np.moveaxis(result["pictures"], 2, -1)  # (classes, some, 32, 32, 3)
    fig, (above, below) = figure(
        6.4, 5.0, 2, 1, margins=(0.7, 1.45, 0.54, 0.1), gaps=(0.1, 0.3), height_ratios=[0.9, 1.2]
    )
    classes, some = pictures.shape[:2]
    sheet = np.ones((classes * 34, 8 * 34, 3), np.float32)
    for i, j in np.ndindex(classes, some):
        sheet[i * 34 : i * 34 + 32, j * 34 : j * 34 + 32] = pictures[i, j]
    picture(above, sheet, photo=True)
    ends = []
    for way, colour in zip(result["accuracy"], (ORANGE, MUTED, BLUE, GREEN), strict=True):
        values = 100 * result["accuracy"][way]
        mean, bars = values.mean(axis=1), 2 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        chosen = way == result["way"]
        below.plot(result["sizes"], mean, "o-", color=colour, lw=2.6 if chosen else 1.2)
        if chosen:
            below.fill_between(result["sizes"], mean - bars, mean + bars, color=colour, alpha=0.2, lw=0)
        ends.append((mean[-1], way, colour))
    below.axvline(result["n"], color=MUTED, ls=":", lw=1)
    _sizes(below, result["sizes"])
    below.set(ylim=(25, 85), ylabel="test pictures right, %", xlabel="training pictures of each class")
    name_ends(below, result["sizes"][-1], ends, 4.6, (8, 0))
    return fig
