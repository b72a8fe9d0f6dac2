"""Pictures of chapter 02."""

from __future__ import annotations

import numpy as np

from ..experiments.losses import shapes as loss_shapes
from ._parts import label
from ._style import BLUE, GOLD, GREEN, INK, MUTED, ORANGE, PAPER, PINK, bars, figure, styled

# The colour of each loss, the same in every picture.
COLOURS = {
    "MSE": ORANGE,
    "Huber": BLUE,
    "squared error": ORANGE,
    "MSE after sigmoid": GOLD,
    "cross-entropy": BLUE,
    "hinge": GREEN,
}


@styled
def stall(result: dict):
    """Accuracy by step for every seed, and the derivative of both losses where the tumours stand at the start."""
    fig, (left, right) = figure(6.6, 3.4, 1, 2, width_ratios=[1.15, 1], gaps=(0.75, 0.5))
    for name, accuracy in result["accuracy"].items():
        left.plot(100 * accuracy, color=COLOURS[name], lw=1.2)
    steps = len(accuracy) - 1
    left.set(xlim=(0, steps), ylim=(0, 102), yticks=range(0, 101, 25), xlabel="step", ylabel="right, %")
    left.set_title(f"start of scale {result['scale']:.3g}, rate {result['rate']:g}")
    for name, height in (("cross-entropy", 20), ("MSE after sigmoid", 8)):
        left.text(0.96 * steps, height, name, color=COLOURS[name], ha="right")
    wrong = np.linspace(-15, 15, 121)
    slopes = loss_shapes(-15, 15, 121)["slopes"]
    for name in result["accuracy"]:
        right.plot(wrong, np.abs(slopes[name])[::-1], color=COLOURS[name])
    counts, edges = np.histogram(result["wrong"].clip(-14.9, 14.9), np.linspace(-15, 15, 31))
    right.stairs(-0.38 * counts / counts.max(), edges, fill=True, color=MUTED, alpha=0.5)
    right.text(0, -0.53, "tumours at the start", size=9, va="bottom", ha="center", color=MUTED)
    right.axhline(0, color=MUTED, lw=0.8)
    right.set(xlim=(-15, 15), ylim=(-0.55, 1.1), yticks=[0, 0.5, 1], xlabel="score, wrong side →")
    right.set_title("size of the derivative")
    return fig


@styled
def staircase(result: dict):
    """Share of wrong answers and cross-entropy against the threshold."""
    fig, (top, bottom) = figure(6.0, 3.8, 2, 1, sharex=True, gaps=(0, 0.42))
    top.plot(result["threshold"], 100 * result["error"], color=ORANGE, lw=1.2, drawstyle="steps-mid")
    top.set(ylabel="wrong, %", title="share of wrong answers")
    bottom.plot(result["threshold"], result["cross_entropy"], color=BLUE)
    bottom.set(ylabel="nats", xlabel="threshold for the radius of the largest nuclei", title="cross-entropy")
    bottom.set_xlim(result["threshold"][0], result["threshold"][-1])
    fig.alt = (
        "Two curves over the threshold. The share of wrong answers is a staircase: level between steps, "
        f"from {100 * result['error'].min():.0f} to {100 * result['error'].max():.0f} %. The cross-entropy is a smooth "
        "bowl."
    )
    return fig


@styled
def shapes(result: dict):
    """The losses of one example of class 1 against its score, and their derivatives."""
    fig, (left, right) = figure(6.6, 3.3, 1, 2, gaps=(0.65, 0.5))
    for ax, curves in ((left, result["losses"]), (right, result["slopes"])):
        for name, curve in curves.items():
            ax.plot(result["score"], curve, color=COLOURS[name])
        ax.axvline(0, color=MUTED, lw=0.8)
        ax.set(xlim=(-4, 4), xlabel="score of a true 1")
    left.set(ylim=(-0.1, 6), title="loss")
    right.set(ylim=(-4, 2.2), title="its derivative")
    for i, name in enumerate(("squared error", "hinge", "cross-entropy", "MSE after sigmoid")):
        right.text(-3.8, 1.75 - 0.45 * i, name, color=COLOURS[name], size=10)
    fig.alt = (
        "Losses of an example of class 1 against its score. Squared error rises on both sides of 1. Hinge is 0 beyond "
        "1 and a straight line below. Cross-entropy falls smoothly; its derivative goes from -1 to 0. The derivative "
        "of the mean squared error after a sigmoid is near 0 at both ends."
    )
    return fig


@styled
def outlier(result: dict):
    """Penguins with the three lines, and the derivative of both losses with the outlier on it."""
    fig, (left, right) = figure(6.6, 3.6, 1, 2, width_ratios=[1.6, 1], gaps=(0.75, 0.5))
    flipper, mass = result["flipper"], result["mass"]
    x, top = np.array([172.0, 234.0]), 8.0
    left.plot(flipper[1:], mass[1:], "o", color=MUTED, ms=3, alpha=0.6)
    for name, colour, style in (("clean", INK, ":"), ("MSE", ORANGE, "-"), ("Huber", BLUE, "-")):
        slope, offset = result["lines"][name]
        left.plot(x, slope * x + offset, color=colour, ls=style, lw=2 if style == "-" else 1.4)
    above = mass[0] > top - 0.3
    left.plot(flipper[0], min(mass[0], top - 0.3), marker="^" if above else "o", color=PINK, ms=8, ls="none", zorder=5)
    note = f"{mass[0]:.3g} kg, off the picture" if above else f"typed as {mass[0]:.3g} kg"
    label(left, note, (flipper[0], min(mass[0], top - 0.3)), PINK, (7, 0))
    left.set(xlim=(172, 234), ylim=(1, top), xlabel="flipper, mm", ylabel="body mass, kg")
    for i, (name, colour) in enumerate((("MSE", ORANGE), ("Huber", BLUE), ("as measured", INK))):
        left.text(0.98, 0.22 - 0.08 * i, name, color=colour, transform=left.transAxes, ha="right")
    error = np.linspace(-40, 40, 401)
    right.plot(error, np.abs(2 * error), color=ORANGE)
    right.plot(error, np.minimum(np.abs(error), result["delta"]), color=BLUE)
    for name in ("MSE", "Huber"):
        right.plot(result["error"][name], result["pull"][name], "o", color=PINK, mec=PAPER, ms=8, zorder=5)
        told = f"{name} {result['pull'][name]:.3g}"
        right.text(-3, 74 if name == "MSE" else 67, told, color=COLOURS[name])
    right.set(xlim=(-5, 41), ylim=(-3, 82), xlabel="its error, kg", title="its pull on the line", xticks=[0, 20, 40])
    return fig


@styled
def far_point(result: dict):
    """Two kinds of penguins, the boundaries of three losses, and the penguin far to the right."""
    fig, ax = figure(6.4, 3.6)
    x, y = result["x"][:-1], result["y"][:-1]
    for kind, colour, mark in ((0, MUTED, "o"), (1, PINK, "s")):
        ax.plot(*x[y == kind].T, mark, color=colour, ms=3.4, alpha=0.7)
    ax.text(33.5, 21.6, "Adelie", color=MUTED, ha="left")
    ax.text(60.5, 21.6, "Chinstrap", color=PINK, ha="right")
    bill, depth = result["x"][-1]
    edge = 66.0
    off = bill > edge
    mark = {"Adelie": "o", "Chinstrap": "s"}[result["species"]]
    colour = {"Adelie": MUTED, "Chinstrap": PINK}[result["species"]]
    ax.plot(min(bill, edge), depth, marker=">" if off else mark, color=colour, mec=INK, ms=9, ls="none", zorder=5)
    note = f"one more {result['species']},\nbill {bill:.3g} mm" + (", far to\nthe right" if off else "")
    label(ax, note, (min(bill, edge), depth), offset=(-2, -12), ha="right", size=9.5, va="top")
    depths = np.array([13.0, 22.5])
    for name, style in (("squared error", "-"), ("cross-entropy", "-"), ("hinge", "--")):
        a, b, c = result["lines"][name]
        ax.plot(-(b * depths + c) / a, depths, color=COLOURS[name], ls=style, lw=2)
    for i, name in enumerate(("squared error", "cross-entropy", "hinge")):
        told = f"{name}: {result['wrong'][name]} wrong, pull {result['pull'][name]:.1f}"
        ax.text(0.995, 0.19 - 0.075 * i, told, color=COLOURS[name], transform=ax.transAxes, ha="right", size=10)
    ax.set(xlim=(31, 67), ylim=(13.6, 22.3), xlabel="bill length, mm", ylabel="bill depth, mm")
    return fig


@styled
def overflow(result: dict):
    """Ten probabilities computed naively and safely, and the loss against the scale of the scores, three ways."""
    fig, (left, right) = figure(6.6, 3.5, 1, 2, width_ratios=[1, 1.15], gaps=(0.75, 0.5))
    classes = np.arange(10)
    naive, safe = (result["probabilities"][name].astype(float) for name in ("naive", "safe"))
    bars(left, classes + 0.2, safe, 0.4, color=BLUE)
    bars(left, classes - 0.2, np.nan_to_num(naive, nan=0.0), 0.4, color=ORANGE)
    for c in classes[np.isnan(naive)]:
        left.text(c - 0.25, 0.03, "nan", color=ORANGE, rotation=90, ha="center", va="bottom", weight="bold")
    left.set(xlim=(-0.9, 9.9), ylim=(0, 1.12), xticks=classes, xlabel="class", ylabel="probability")
    left.set_title(f"{result['dtype']}, scale {result['scale']:.4g}")
    left.text(-0.5, 1.03, "naive", color=ORANGE)
    left.text(2.6, 1.03, "shifted", color=BLUE)
    styles = {"log-sum-exp": (BLUE, 4.5, 0.35), "softmax, then log": (GREEN, 2.2, 1), "naive": (ORANGE, 1.2, 1)}
    for name, (colour, width, alpha) in styles.items():
        loss = np.where(np.isfinite(result["losses"][name]), result["losses"][name], np.nan)
        right.plot(result["scales"], loss, color=colour, lw=width, alpha=alpha)
        gone = np.isnan(loss)
        if gone.any() and not gone.all():
            last = int(gone.argmax()) - 1
            right.plot(result["scales"][last], loss[last], "x", color=colour, ms=8, mew=2.2, zorder=5)
    right.axvline(result["scale"], color=INK, lw=1, ls="--")
    right.set(xscale="log", yscale="log", xlim=(1, 500), ylim=(1, 1500), xlabel="scale of the scores")
    right.minorticks_off()
    right.set_title("loss, nats")
    for i, (name, (colour, _, _)) in enumerate(styles.items()):
        right.text(0.04, 0.74 + 0.09 * i, name, color=colour, transform=right.transAxes)
    return fig


@styled
def twice(result: dict, floor: float):
    """The loss with softmax taken once and twice."""
    fig, ax = figure(6.0, 3.2)
    for name, colour in (("once", BLUE), ("twice", ORANGE)):
        loss = result[name]["loss"]
        ax.plot(loss, color=colour)
        label(ax, f"softmax {name}", (len(loss), loss[-1]), colour, (-4, 10), ha="right")
    ax.axhline(floor, color=MUTED, lw=1, ls="--")
    label(ax, f"{floor:.4f}", (len(loss), floor), MUTED, (-4, -9), ha="right")
    ax.set(xlim=(0, len(loss)), ylim=(0, 2.45), xlabel="step", ylabel="loss, nats")
    fig.alt = (
        f"Loss by step. With softmax once it falls to {result['once']['loss'][-1]:.2f}; with softmax twice it comes "
        f"down slowly to {result['twice']['loss'][-1]:.2f} and stays above a dashed line at {floor:.4f}."
    )
    return fig


@styled
def likelihood(result: dict):
    """Five masses under a bell curve, and the negative log-likelihood of every mean with a ball at this one."""
    fig, (left, right) = figure(6.6, 3.3, 1, 2, width_ratios=[1.25, 1], gaps=(0.75, 0.5))
    left.fill_between(result["axis"], result["bell"], color=BLUE, alpha=0.15, lw=0)
    left.plot(result["axis"], result["bell"], color=BLUE)
    left.vlines(result["mass"], 0, result["density"], color=ORANGE, lw=2)
    left.plot(result["mass"], np.zeros(5), "o", color=INK, ms=5, clip_on=False, zorder=5)
    left.axvline(result["mean"], color=MUTED, lw=1, ls="--")
    left.set(xlim=(2.4, 5.8), ylim=(0, 1.1), xlabel="mass, kg", title="density at each penguin, 1/kg")
    right.plot(result["means"], result["nll"], color=BLUE)
    right.plot(result["mean"], result["now"], "o", color=ORANGE, mec=PAPER, ms=11, zorder=5)
    right.set(xlim=(3, 5), ylim=(2, 14), xlabel="mean μ, kg", title="negative log-likelihood, nats")
    return fig


@styled
def softmax_scores(result: dict):
    """Three scores, their softmax probabilities, and the gradient p - y; the true class in orange."""
    fig, axes = figure(6.4, 2.9, 1, 3, margins=(0.45, 0.1, 0.35, 0.5), gaps=(0.5, 0))
    places = np.arange(3)
    for ax, name, low, high in zip(axes, ("scores", "p", "gradient"), (-3.6, 0, -1.15), (3.6, 1.15, 1.15), strict=True):
        values = result[name]
        for colour, chosen in ((ORANGE, places == 0), (BLUE, places > 0)):
            bars(ax, places[chosen], values[chosen], 0.7, color=colour)
        for place, value in zip(places, values, strict=True):
            told = f"{value:.2f}" if name != "scores" else f"{value:.0f}"
            above = value >= 0
            label(ax, told.replace("-", "−"), (place, value), offset=(0, 8 if above else -8), ha="center", size=9.5)
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.set(xlim=(-0.6, 2.6), ylim=(low, high), xticks=places, xticklabels=["cat", "dog", "bird"])
        ax.grid(visible=False)
    for ax, title in zip(axes, ("scores s", "probabilities p", "gradient p − y"), strict=True):
        ax.set_title(title)
    return fig


@styled
def minus_log():
    """What an example costs, -log p, by the probability that the model gives to the truth."""
    fig, ax = figure(4.6, 2.8)
    p = np.linspace(0.005, 1, 400)
    ax.plot(p, -np.log(p), color=BLUE)
    for at in (0.01, 0.1, 0.5):
        ax.plot(at, -np.log(at), "o", color=ORANGE)
        ax.annotate(
            f"p = {at:g}: {-np.log(at):.2f}", (at, -np.log(at)), xytext=(9, 2), textcoords="offset points", size=10
        )
    ax.set(xlim=(0, 1.02), ylim=(0, 5.2), xlabel="probability of the true class, $p_y$", ylabel="loss, nats")
    fig.alt = (
        "The loss -log p falls from 4.6 at p = 0.01 over 2.3 at 0.1 and 0.69 at 0.5 to 0 at p = 1, ever less steeply."
    )
    return fig
