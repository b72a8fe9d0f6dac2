"""Pictures of chapter 11."""

from __future__ import annotations

import numpy as np

from ._parts import LN10, label, name_ends
from ._style import BLUE, CYCLE, GOLD, GREEN, INK, MUTED, ON_COLOUR, ORANGE, PINK, figure, styled

LAYERS = (BLUE, GREEN, PINK)  # first, second, last


def _plain_log(ax, low, high, axis="y"):
    """A logarithmic axis with powers of ten as plain text, which is drawn twice as fast as mathematics."""
    powers = np.arange(low, high + 1)
    names = [f"{10.0**p:g}" if -4 <= p <= 4 else f"1e{p}" for p in powers]
    if axis == "y":
        ax.set(yscale="log", ylim=(10.0**low, 10.0**high))
        ax.set_yticks(10.0**powers, names)
    else:
        ax.set(xscale="log", xlim=(10.0**low, 10.0**high))
        ax.set_xticks(10.0**powers, names)
    ax.minorticks_off()


def _running(values, window):
    """Mean of the last `window` values, of those that there are at the start."""
    total = np.cumsum(np.nan_to_num(values))
    mean = total.copy()
    mean[window:] = total[window:] - total[:-window]
    mean /= np.minimum(np.arange(1, len(values) + 1), window)
    return np.where(np.isfinite(values), mean, np.nan)


@styled
def clinic_case(result: dict):
    """Loss, accuracy and update ratios of one recorded run, as from `experiments.clinic.recorded`."""
    loss, ratio = result["loss"], result["ratio"]
    steps = np.arange(1, len(loss) + 1)
    checks = np.arange(1, len(ratio) + 1) * (len(loss) // len(ratio))
    # Low and wide: on a laptop the curves, the question and the answer must share one screen.
    fig, axes = figure(
        6.9, 3.2, mosaic=[["loss", "accuracy"], ["loss", "ratio"]], margins=(0.6, 0.72, 0.5, 0.3), gaps=(0.85, 0.25)
    )
    top, middle, low = axes["loss"], axes["accuracy"], axes["ratio"]
    shown = loss[np.isfinite(loss)]
    late = result["val_loss"][np.isfinite(result["val_loss"])]
    most = float(np.clip(1.1 * max(np.quantile(shown, 0.995), shown[0], *late), 2.7, 60))
    top.axhline(LN10, color=MUTED, lw=1, ls="--")
    top.plot(steps, np.minimum(loss, 1.2 * most), color=BLUE, lw=0.6, alpha=0.55)
    top.plot(steps, np.minimum(_running(loss, 20), 1.2 * most), color=BLUE)
    top.plot(checks, np.minimum(result["val_loss"], 1.2 * most), "o-", color=ORANGE, ms=3.5)
    top.set(ylabel="loss", xlabel="step", ylim=(0, most), xlim=(0, len(loss)))
    label(top, "ln 10", (1, min(LN10, most)), MUTED, xycoords=("axes fraction", "data"))
    label(top, "training", (0, 1), BLUE, (2, 6), xycoords="axes fraction", va="baseline")
    label(top, "validation", (0, 1), ORANGE, (66, 6), xycoords="axes fraction", va="baseline")
    middle.plot(checks, 100 * result["train_accuracy"], "o-", color=BLUE, ms=3.5)
    middle.plot(checks, 100 * result["val_accuracy"], "o-", color=ORANGE, ms=3.5)
    middle.set(ylabel="accuracy, %", ylim=(0, 103), yticks=[0, 50, 100], xlim=(0, len(loss)), xticklabels=[])
    for i, colour in enumerate(LAYERS):
        moved = np.where(ratio[:, i] > 0, ratio[:, i], np.nan).clip(2e-7, 9)
        low.plot(checks, moved, "o-", color=colour, ms=3.5)
    for height, text, colour in zip((0.9, 0.62, 0.34), ("layer 1", "layer 2", "layer 3"), LAYERS, strict=True):
        label(low, text, (1, height), colour, xycoords="axes fraction")
    low.set(yscale="log", ylim=(1e-7, 10), xlim=(0, len(loss)), xlabel="step", ylabel="update ratio")
    low.set_yticks([1e-6, 1e-3, 1], ["1e-6", "0.001", "1"])
    low.minorticks_off()
    for ax in (top, middle, low):
        ax.locator_params(axis="x", nbins=5)
    return fig


@styled
def two_losses(runs: dict[str, np.ndarray], *, window=20):
    """Running mean of the loss of some runs, labelled at their ends; as from `experiments.watching_training.checks`."""
    fig, ax = figure(6.0, 3.0, margins=(0.62, 1.0, 0.5, 0.15))
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    ends = []
    for colour, (name, loss) in zip(CYCLE, runs.items(), strict=False):
        smooth = _running(loss, window)
        ax.plot(np.arange(1, len(loss) + 1), smooth, color=colour)
        ends.append((smooth[-1], name, colour))
    name_ends(ax, len(loss), ends, 0.2)
    ax.set(xlabel="step", ylabel="training loss", ylim=(0, 2.5), xlim=(0, len(loss)))
    return fig


@styled
def first_loss(result: dict):
    """The first steps of a run, ln C, and what the spread of the first scores predicts."""
    loss, classes = result["loss"], result["classes"]
    fig, ax = figure(6.0, 3.2, margins=(0.7, 1.05, 0.52, 0.3))
    steps = np.arange(len(loss))
    ax.plot(steps, loss, color=BLUE)
    ax.plot(0, result["first"], "o", color=INK, ms=6)
    ax.axhline(np.log(classes), color=MUTED, lw=1, ls="--")
    label(ax, f"ln {classes}", (1, np.log(classes)), MUTED, xycoords=("axes fraction", "data"))
    _plain_log(ax, -1, 3)
    ax.set(xlabel="steps made", ylabel="loss", xlim=(-1, len(loss)))
    label(ax, f"first loss {result['first']:.4g}", (0, result["first"]), offset=(10, 4), va="baseline")
    return fig


@styled
def overfit(result: dict):
    """Loss and accuracy on the few examples that are trained on."""
    loss = result["loss"]
    fig, (top, low) = figure(
        6.0, 4.2, 2, 1, sharex=True, height_ratios=[1.4, 1], margins=(0.75, 0.75, 0.5, 0.3), gaps=(0.5, 0.2)
    )
    steps = np.arange(1, len(loss) + 1)
    top.axhline(LN10, color=MUTED, lw=1, ls="--")
    label(top, "ln 10", (1, LN10), MUTED, xycoords=("axes fraction", "data"))
    top.plot(steps, loss.clip(1e-6, 1e5), color=BLUE)
    _plain_log(top, -5, 4)
    top.set_yticks([1e-4, 1e-2, 1, 100, 1e4], ["0.0001", "0.01", "1", "100", "10000"])
    top.set(ylabel="loss", title=f"{result['examples']} examples, bug: {result['bug']}")
    low.plot(steps, 100 * result["accuracy"], color=BLUE)
    low.set(xlabel="step", ylabel="accuracy, %", ylim=(0, 105), yticks=[0, 50, 100], xlim=(0, len(loss)))
    return fig


@styled
def train_and_validation(runs: dict[str, dict]):
    """Loss (left) and accuracy (right) by epoch on training and validation images, one row a run."""
    fig, axes = figure(6.2, 1.9 * len(runs) + 0.5, len(runs), 2, squeeze=False, margins=(0.6, 0.15, 0.5, 0.3),
                       gaps=(0.75, 0.62))  # fmt: skip
    for (left, right), (name, run) in zip(axes, runs.items(), strict=True):
        epochs = np.arange(1, len(run["val_loss"]) + 1)
        for part, colour in (("train", BLUE), ("val", ORANGE)):
            left.plot(epochs, run[f"{part}_loss"], "o-", color=colour, ms=2.5)
            right.plot(epochs, 100 * run[f"{part}_accuracy"], "o-", color=colour, ms=2.5)
        left.set(ylim=(0, 2.5), ylabel="loss", title=name)
        right.set(ylim=(0, 103), ylabel="accuracy, %")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    axes[0, 1].annotate("training", (0.98, 0.22), xycoords="axes fraction", ha="right", color=BLUE)
    axes[0, 1].annotate("validation", (0.98, 0.06), xycoords="axes fraction", ha="right", color=ORANGE)
    return fig


@styled
def ratio_run(result: dict):
    """Loss, and every layer's update ratio, by step."""
    loss, ratio = result["loss"], result["ratio"]
    steps = np.arange(1, len(loss) + 1)
    fig, (top, low) = figure(
        6.0, 4.6, 2, 1, sharex=True, height_ratios=[1, 1.25], margins=(0.75, 0.75, 0.5, 0.3), gaps=(0.5, 0.2)
    )
    top.axhline(LN10, color=MUTED, lw=1, ls="--")
    label(top, "ln 10", (1, LN10), MUTED, xycoords=("axes fraction", "data"))
    top.plot(steps, loss.clip(0, 4), color=BLUE, lw=1.2)
    top.set(ylabel="loss", ylim=(0, 3.5), title=f"{result['optimizer']}, rate {result['rate']:.3g}")
    for i, colour in enumerate(LAYERS):
        low.plot(steps, np.where(ratio[:, i] > 0, ratio[:, i], np.nan).clip(2e-7, 9), color=colour, lw=1.2)
    for height, text, colour in zip((0.92, 0.74, 0.56), ("layer 1", "layer 2", "layer 3"), LAYERS, strict=True):
        label(low, text, (1, height), colour, xycoords="axes fraction")
    low.axhline(1e-3, color=MUTED, lw=1, ls="--")
    _plain_log(low, -6, 1)
    low.set_yticks([1e-5, 1e-3, 0.1], ["1e-5", "0.001", "0.1"])
    low.set(xlabel="step", ylabel="update ratio", xlim=(0, len(loss)))
    return fig


@styled
def ratio_and_loss(results: dict[str, list[dict]]):
    """Loss at the end against the run's median update ratio: one panel an optimizer, one line a length of run."""
    fig, axes = figure(6.2, 6.4, len(results), 1, sharex=True, margins=(0.65, 1.05, 0.5, 0.15), gaps=(0.5, 0.22))
    for ax, (name, runs) in zip(axes, results.items(), strict=True):
        ax.axvline(1e-3, color=MUTED, lw=1, ls="--")
        for colour, run in zip((GOLD, GREEN, BLUE), runs, strict=False):
            keep = slice(None, int(run["ratios"].argmax()) + 1)  # beyond it the runs fail, and their ratios fall
            ax.plot(run["ratios"][keep], run["ends"][keep], "o-", color=colour, ms=3, lw=1.2)
            ax.plot(run["ratio"], run["loss"], "o", color=colour, ms=9)
        _plain_log(ax, -5, 0, "x")
        ax.set(yscale="log", ylim=(0.04, 3.5), ylabel="last loss")
        ax.set_yticks([0.1, 1], ["0.1", "1"])
        ax.minorticks_off()
        ax.annotate(name, (0.01, 0.06), xycoords="axes fraction", weight="bold")
    for height, colour, run in zip((0.9, 0.74, 0.58), (GOLD, GREEN, BLUE), next(iter(results.values())), strict=False):
        label(axes[0], f"{run['steps']} steps", (1, height), colour, xycoords="axes fraction")
    axes[-1].set_xlabel("median update ratio of the run")
    return fig


@styled
def balance(runs: dict[float, np.ndarray], expected: float):
    """Update ratio by step of weights of several first sizes, and where theory puts them."""
    fig, ax = figure(6.0, 3.0, margins=(0.9, 1.0, 0.5, 0.15))
    for colour, (start, ratios) in zip(CYCLE, runs.items(), strict=False):
        steps = np.arange(1, len(ratios) + 1)
        ax.plot(steps[::10], ratios[::10], color=colour, lw=1.4)
        above = ratios[300] > expected
        label(ax, f"std {start:g}", (300, ratios[300]), colour, (0, 12 if above else -12))
    ax.axhline(expected, color=INK, lw=1, ls="--")
    label(ax, f"theory\n{expected:.4f}", (1, expected), xycoords=("axes fraction", "data"))
    _plain_log(ax, -4, 0)
    ax.set(xlabel="step", ylabel="update ratio", xlim=(0, len(ratios)))
    return fig


@styled
def gradient_norms(result: dict):
    """Loss (top) and norm of the gradient (bottom) by step, one line a rate."""
    fig, (top, low) = figure(6.0, 4.4, 2, 1, sharex=True, margins=(0.7, 0.95, 0.5, 0.15), gaps=(0.5, 0.2))
    ends = []
    for i, (colour, rate) in enumerate(zip(CYCLE, result["rates"], strict=False)):
        loss, norm = _running(result["loss"][:, i], 40), _running(result["gradient"][:, i], 40)
        steps = np.arange(1, len(loss) + 1)
        top.plot(steps, loss, color=colour)
        low.plot(steps, norm, color=colour)
        ends.append((loss[-1], f"rate {rate:g}", colour))
    name_ends(top, len(loss), ends, 0.34)
    top.set(ylabel="loss", ylim=(0, 2.6), xlim=(0, len(loss)))
    low.set(xlabel="step", ylabel="gradient norm", ylim=(0, None))
    return fig


@styled
def alarms(table: dict, checks):
    """A row for each bug, a column for each check; coloured where the check finds it."""
    fig, ax = figure(7.0, 3.3, margins=(2.2, 0.05, 0.1, 0.6))
    alarm = np.array([found for _, found in table.values()])
    ax.imshow(np.where(alarm, 1.0, np.nan), cmap="Oranges", vmin=0, vmax=3, aspect="auto")
    for i, (values, _) in enumerate(table.values()):
        first, gradient, few, ratio, share = values
        words = (
            f"{first:,.0f}" if first > 10 else f"{first:.2f}",
            f"{gradient:.0e}",
            f"{few:.2g}" if few > 1e-3 else "0.00",
            f"{ratio:.4f}",
            f"{share:.0%}",
        )
        for j, word in enumerate(words):
            colour = ON_COLOUR if alarm[i, j] else INK
            ax.text(j, i, word.replace("nan%", "nan"), ha="center", va="center", size=10, color=colour)
    ax.set_xticks(range(len(checks)), [check.replace(" ", "\n", 1) for check in checks], size=10)
    ax.set_yticks(range(len(table)), ["no bug" if bug == "none" else bug for bug in table], size=10)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(visible=False)
    fig.alt = "Which check finds which bug. " + " ".join(
        f"{'No bug' if bug == 'none' else bug.capitalize()}: "
        f"{', '.join(c for c, a in zip(checks, found, strict=True) if a) or 'nothing'}."
        for bug, (_, found) in table.items()
    )
    return fig


@styled
def confusion(result: dict):
    """True classes down, answers across; mistakes in shades, what is right as a grey number on the diagonal."""
    matrix = result["matrix"]
    wrong = matrix - np.diag(np.diag(matrix))
    fig, ax = figure(4.6, 4.4, margins=(0.6, 0.1, 0.15, 0.6))
    ax.imshow(np.where(wrong > 0, wrong, np.nan), cmap="Oranges", vmin=0, vmax=1.3 * wrong.max())
    for i, j in np.argwhere(matrix):
        ax.text(j, i, str(matrix[i, j]), ha="center", va="center", size=9, color=MUTED if i == j else ON_COLOUR)
    ax.set(xticks=range(10), yticks=range(10), xlabel="answer", ylabel="true class")
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.grid(visible=False)
    (true, said), most = result["worst"]
    fig.alt = (
        f"Confusion matrix of 1,000 digits. The most frequent mistake is a {true} read as a {said}, {most} times. "
        f"Right are {result['recall'].min():.0%} to {result['recall'].max():.0%} of a class."
    )
    return fig
