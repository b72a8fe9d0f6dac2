"""Pictures of chapter 09."""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from ..experiments.regularization import GRID, STRENGTHS, truth
from ._parts import arrow, label, picture
from ._style import BLUE, GREEN, INK, MUTED, ORANGE, bars, figure, marks, powers, styled

_label = functools.partial(label, offset=(5, 0), size=9.5, annotation_clip=False)


@styled
def fit_curve(result: dict):
    """Fit, weights, and both errors against the strength; `result` as from `experiments.regularization.fit_curve`."""
    fig, axes = figure(
        6.6, 5.2, mosaic=[["top", "top"], ["weights", "errors"]], margins=(0.7, 0.15, 0.55, 0.32), gaps=(0.75, 0.85),
        height_ratios=[1.15, 1],
    )  # fmt: skip
    top, left, errors = axes.values()
    top.plot(GRID, truth(GRID), color=MUTED, lw=1.2, ls="--")
    top.plot(result["x"], result["y"], "o", color=INK, ms=4 if len(result["x"]) < 100 else 2.5)
    top.plot(GRID, result["fit"].clip(-4, 4), color=BLUE, lw=2)
    top.set(xlim=(-1, 1), ylim=(-2.1, 2.1), xticks=[-1, -0.5, 0, 0.5, 1], yticks=[-2, -1, 0, 1, 2])
    top.set_title(f"{result['examples']} points, {result['penalty']} penalty, strength {result['strength']:.2g}")
    weights = result["weights"]
    numbers = np.arange(1, len(weights) + 1)
    bars(left, numbers, weights.clip(-2.5, 2.5), 0.75, color=ORANGE)
    zero = weights == 0
    left.plot(numbers[zero], np.zeros(zero.sum()), "o", color=MUTED, ms=3.5)
    left.set(xlim=(0.3, 15.7), ylim=(-1.55, 1.55), xticks=[1, 5, 10, 15], xlabel="weight")
    left.set_title(f"weights, {result['zeros']} exactly 0")
    errors.plot(STRENGTHS, result["validation_curve"].clip(1e-3, 1e3), color=ORANGE)
    errors.plot(STRENGTHS, result["train_curve"].clip(1e-3, 1e3), color=BLUE)
    errors.axvline(result["strength"], color=INK, lw=1, ls=":")
    errors.plot(result["strength"], min(result["validation"], 5), "o", color=ORANGE, clip_on=False)
    errors.plot(result["strength"], result["train"], "o", color=BLUE)
    powers(errors.xaxis, -6, 1, 2)
    powers(errors.yaxis, -2, 0)
    errors.set(xlim=(1e-6, 10), ylim=(4e-3, 5), xlabel="strength", title="squared error")
    errors.text(0.98, 0.87, "validation", color=ORANGE, transform=errors.transAxes, ha="right", size=9.5)
    errors.text(0.5, 0.05, "training", color=BLUE, transform=errors.transAxes, ha="center", size=9.5)
    return fig


@styled
def bias_variance(result: dict):
    """Thirty of the fits, their mean and the truth; bias, variance and noise by degree."""
    fig, (left, right) = figure(6.6, 3.5, 1, 2, gaps=(0.7, 0.5), margins=(0.55, 0.15, 0.54, 0.32))
    fits = [np.column_stack([GRID, fit.clip(-4, 4)]) for fit in result["fits"][:30]]
    left.add_collection(LineCollection(fits, colors=BLUE, linewidths=0.6, alpha=0.45, zorder=2))
    left.plot(GRID, truth(GRID), color=INK, lw=1.6, ls="--")
    left.plot(GRID, result["mean"].clip(-4, 4), color=ORANGE, lw=2.2)
    left.set(xlim=(-1, 1), ylim=(-2.1, 2.1), xlabel="x", yticks=[-2, -1, 0, 1, 2])
    left.set_title(f"degree {result['degree']}, {result['examples']} points")
    left.text(0.04, 0.9, "mean fit", color=ORANGE, transform=left.transAxes, size=9.5)
    left.text(0.04, 0.82, "truth", color=INK, transform=left.transAxes, size=9.5)
    degrees = np.arange(len(result["bias"]))
    parts = {"noise": MUTED, "variance": BLUE, "bias²": ORANGE}
    tops = np.cumsum([np.full(len(degrees), result["noise"]), result["variance"], result["bias"].clip(0)], axis=0)
    tops = tops.clip(max=1)
    bottoms = np.vstack([0 * degrees, tops[:-1]])
    for low, high, colour in zip(bottoms, tops, parts.values(), strict=True):
        bars(right, degrees, high - low, bottom=low, color=colour)
    right.plot(degrees[result["error"] < 1], result["error"][result["error"] < 1], "o", color=INK, ms=4)
    right.axvspan(result["degree"] - 0.5, result["degree"] + 0.5, color=MUTED, alpha=0.2, lw=0)
    right.set(xlim=(-0.6, 12.6), ylim=(0, 1.33), xticks=[0, 3, 6, 9, 12], xlabel="degree", title="squared error")
    right.set_yticks([0, 0.5, 1], ["0", "0.5", "≥1"])
    names = (("bias²", ORANGE, 0.03, 0.93), ("variance", BLUE, 0.03, 0.85), ("noise", MUTED, 0.55, 0.93))
    for name, colour, x, y in (*names, ("● measured", INK, 0.55, 0.85)):
        right.text(x, y, name, color=colour, transform=right.transAxes, size=9.5)
    return fig


@styled
def by_strength(result: dict):
    """Squared bias and variance of ridge regression against the strength."""
    fig, ax = figure(6.4, 3.2, margins=(0.75, 0.95, 0.54, 0.3))
    for name, colour in (("variance", BLUE), ("bias", ORANGE), ("sum", INK)):
        ax.plot(
            STRENGTHS, result[name], color=colour, lw=1.2 if name == "sum" else 2, ls="--" if name == "sum" else "-"
        )
    best = result["sum"].argmin()
    ax.plot(STRENGTHS[best], result["sum"][best], "o", color=INK, ms=6)
    powers(ax.xaxis, -4, 1)
    powers(ax.yaxis, -2, 1)
    ax.set(xlim=(1e-4, 10), ylim=(0.008, 30), xlabel="strength of the L2 penalty", ylabel="squared error")
    _label(ax, "bias²", (10, result["bias"][-1]), ORANGE, offset=(5, -6))
    _label(ax, "variance", (10, result["variance"][-1]), BLUE)
    _label(ax, "sum", (10, result["sum"][-1]), INK, offset=(5, 7))
    fig.alt = (
        f"From strength {STRENGTHS[8]:.2g} to {STRENGTHS[-1]:.2g} the variance falls from {result['variance'][8]:.2g} "
        f"to {result['variance'][-1]:.2g} and the squared bias rises to {result['bias'][-1]:.2g}. "
        f"Their sum is lowest, {result['sum'][best]:.2g}, at strength {STRENGTHS[best]:.2g}."
    )
    return fig


@styled
def by_heart(results: dict):
    """Losses and accuracies of nets with true and with shuffled labels."""
    fig, axes = figure(6.6, 4.6, 2, 2, sharex=True, sharey="row", margins=(0.7, 0.15, 0.54, 0.32), gaps=(0.2, 0.25))
    for column, (name, curves) in enumerate(results.items()):
        for row, kind in enumerate(("loss", "accuracy")):
            ax = axes[row, column]
            ax.plot(curves["step"], curves[kind], color=ORANGE)
            ax.plot(curves["step"], curves[f"train_{kind}"], color=BLUE)
            ax.set_xlim(0, curves["step"][-1])
        axes[0, column].set_title(name)
        axes[1, column].set(xlabel="step", xticks=[0, 200, 400, 600])
    axes[0, 0].set(ylabel="loss", ylim=(0, 3.2))
    axes[1, 0].set(ylabel="accuracy", ylim=(0, 1.04))
    axes[0, 0].text(0.5, 0.45, "new images", color=ORANGE, transform=axes[0, 0].transAxes, ha="center")
    axes[0, 0].text(0.5, 0.09, "training images", color=BLUE, transform=axes[0, 0].transAxes, ha="center")
    ends = "; ".join(
        f"{name}: {c['train_accuracy'][-1]:.0%} of the training images and {c['accuracy'][-1]:.0%} of new ones right, "
        f"losses {c['train_loss'][-1]:.2f} and {c['loss'][-1]:.2f}"
        for name, c in results.items()
    )
    fig.alt = f"Loss and accuracy by step. At the end, with {ends}."
    return fig


@styled
def more_data(result: dict):
    """Accuracy and loss on training and new images against the number of training images."""
    fig, axes = figure(6.6, 3.1, 1, 2, gaps=(0.75, 0.5), margins=(0.7, 0.15, 0.54, 0.32))
    for ax, kind in zip(axes, ("accuracy", "loss"), strict=True):
        for key, colour in ((kind, ORANGE), (f"train_{kind}", BLUE)):
            ax.plot(result["sizes"], result[key], "o", color=colour, ms=3)
            ax.plot(result["sizes"], result[key].mean(axis=1), color=colour)
        powers(ax.xaxis, 1, 3)
        ax.set(xlim=(25, 4000), xlabel="training images", title=kind)
    axes[0].set_ylim(0.4, 1.03)
    axes[1].set_ylim(0, 3.4)
    axes[1].text(0.55, 0.6, "new images", color=ORANGE, transform=axes[1].transAxes)
    axes[1].text(0.04, 0.07, "training images", color=BLUE, transform=axes[1].transAxes)
    rows = ", ".join(
        f"{n}: {a:.0%} and {b:.0%}"
        for n, a, b in zip(
            result["sizes"], result["train_accuracy"].mean(axis=1), result["accuracy"].mean(axis=1), strict=True
        )
    )
    fig.alt = f"Accuracy on training and on new images by number of training images. {rows}."
    return fig


@styled
def widths(result: dict):
    """Squared bias and variance of networks by width."""
    fig, ax = figure(6.4, 3.2, margins=(0.7, 0.95, 0.54, 0.3))
    hidden = result["hidden"]
    for name, text, colour in (("bias", "bias²", ORANGE), ("variance", "variance", BLUE), ("error", "sum", INK)):
        ax.plot(hidden, result[name], "o-" if name != "error" else "--", color=colour, lw=1.8)
        gap = {"bias": 0, "variance": -3, "error": 5}[name]
        _label(ax, text, (hidden[-1], result[name][-1]), colour, offset=(8, gap))
    ax.set(xscale="log", xlim=(0.9, hidden[-1] * 1.05), ylim=(0, 0.95), xlabel="hidden units", ylabel="squared error")
    ax.set_xticks(hidden, [str(h) for h in hidden])
    ax.xaxis.set_minor_locator(NullLocator())
    top = result["variance"].argmax()
    fig.alt = (
        f"From 1 to {hidden[-1]} hidden units the squared bias falls from {result['bias'][0]:.2f} to "
        f"{result['bias'][-1]:.2f}. The variance is highest, {result['variance'][top]:.2f}, with {hidden[top]} units "
        f"and falls to {result['variance'][-1]:.2f}."
    )
    return fig


@styled
def pixel_weights(results: dict):
    """Weights of one layer on 8x8 digits under each penalty; exact zeros are grey."""
    fig, axes = figure(
        6.6, 2.55, len(results), 10, margins=(1.35, 0.05, 0.08, 0.3), gaps=(0.06, 0.2), squeeze=False
    )  # fmt: skip
    for row, (name, result) in zip(axes, results.items(), strict=True):
        limit = 0.6 * np.abs(result["weights"]).max()
        for digit, ax in enumerate(row):
            w = result["weights"][:, digit].reshape(8, 8)
            ax.imshow(np.where(w == 0, np.nan, w), cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[], facecolor=MUTED)
            ax.grid(visible=False)
            if row is axes[0]:
                ax.set_title(str(digit), loc="center", size=9.5, pad=3)
        row[0].set_ylabel(f"{name}\n{result['zeros']:.0%} zeros", rotation=0, ha="right", va="center", size=9.5)
    fig.alt = "Weights from 64 pixels to ten digits. Share that is exactly 0: " + ", ".join(
        f"{name} {result['zeros']:.0%}" for name, result in results.items()
    )
    return fig


@styled
def decay_paths(paths: dict):
    """How weights decay whose gradients differ in size only, one panel for each rule."""
    names = [name for name in paths if name != "scales"]
    fig, axes = figure(6.6, 2.8, 1, len(names), sharey=True, gaps=(0.18, 0.4), margins=(0.62, 0.15, 0.54, 0.32))
    for ax, name in zip(axes, names, strict=True):
        path = paths[name]
        steps = 2 * np.arange(len(path))
        for k, colour in enumerate((BLUE, ORANGE, GREEN)):
            ax.plot(steps, path[:, k], color=colour, lw=4.2 - 1.5 * k)
        ax.set(xlim=(0, steps[-1]), ylim=(0, 1.12), xlabel="step", title=name, xticks=[0, 200, 400])
    middle = axes[names.index("Adam, L2")]
    places = ((BLUE, (-8, -24), "center"), (ORANGE, (0, -13), "center"), (GREEN, (0, 9), "center"))
    for k, (scale, (colour, offset, ha)) in enumerate(zip(paths["scales"], places, strict=True)):
        at = (250, paths["Adam, L2"][125, k])
        _label(middle, f"gradient ±{scale:g}", at, colour, offset=offset, ha=ha, size=9)
    axes[0].set_ylabel("weight")
    ends = "; ".join(f"{name}: " + ", ".join(f"{w:.2f}" for w in paths[name][-1]) for name in names)
    sizes = ", ".join(f"{scale:g}" for scale in paths["scales"])
    fig.alt = f"Three weights that start at 1, with gradients of size {sizes}, after {steps[-1]} steps. {ends}."
    return fig


@styled
def adam_decays(results: dict):
    """Test loss of Adam with L2 and of AdamW against the strength, each on its own scale."""
    fig, axes = figure(6.6, 3.0, 1, 2, sharey=True, gaps=(0.2, 0.4), margins=(0.7, 0.15, 0.54, 0.32))
    for ax, (name, result), colour in zip(axes, results.items(), (ORANGE, BLUE), strict=True):
        ax.plot(result["strengths"], result["loss"], color=colour, lw=0.7, alpha=0.6)
        mean = result["loss"].mean(axis=1)
        ax.plot(result["strengths"], mean, "o-", color=colour)
        best = mean.argmin()
        _label(ax, f"{mean[best]:.3f}", (result["strengths"][best], mean[best]), INK, offset=(0, -14), ha="center")
        low, high = (int(np.round(np.log10(result["strengths"][i]))) for i in (0, -1))
        powers(ax.xaxis, low, high)
        ax.set(title=name, xlabel="strength", ylim=(0.6, 1.1))
    axes[0].set_ylabel("loss on new images")
    fig.alt = "Lowest mean loss on new images: " + ", ".join(
        f"{name} {r['loss'].mean(axis=1).min():.3f} at strength {r['strengths'][r['loss'].mean(axis=1).argmin()]:.2g}"
        for name, r in results.items()
    )
    return fig


@styled
def dropout_curve(result: dict):
    """Loss and accuracy on training and new images while training with dropout."""
    fig, (left, right) = figure(6.6, 3.2, 1, 2, gaps=(0.7, 0.5), margins=(0.6, 0.15, 0.54, 0.32))
    for ax, kind in ((left, "loss"), (right, "accuracy")):
        ax.plot(result["step"], result[kind], color=ORANGE)
        ax.plot(result["step"], result[f"train_{kind}"], color=BLUE)
        ax.set(xlim=(0, result["step"][-1]), xlabel="step")
    left.set(ylim=(0, 1.6), title=f"loss, rate {result['rate']:.2g}")
    right.set(ylim=(0.4, 1.03), title=f"accuracy, {result['examples']} images")
    right.text(0.96, 0.13, "new images", color=ORANGE, transform=right.transAxes, ha="right")
    right.text(0.96, 0.05, "training images", color=BLUE, transform=right.transAxes, ha="right")
    return fig


@styled
def dropout_as_ensemble(result: dict):
    """Accuracy and loss of the mean over masks, against the network with all units on."""
    fig, axes = figure(6.6, 3.0, 1, 2, gaps=(0.7, 0.5), margins=(0.65, 0.15, 0.54, 0.32))
    count = np.arange(1, len(result["masks"]) + 1)
    for k, (ax, title) in enumerate(zip(axes, ("accuracy", "loss"), strict=True)):
        ax.axhline(result["eval"][k], color=ORANGE, lw=1.6)
        ax.plot(count, result["masks"][:, k], color=BLUE)
        ax.set(xscale="log", xlim=(1, len(count)), xlabel="masks averaged", title=title)
        ax.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
        ax.xaxis.set_minor_locator(NullLocator())
    axes[1].text(0.96, 0.9, "all units on, once", color=ORANGE, transform=axes[1].transAxes, ha="right")
    axes[1].text(0.96, 0.82, "mean over masks", color=BLUE, transform=axes[1].transAxes, ha="right")
    fig.alt = (
        f"All units on: accuracy {result['eval'][0]:.3f}, loss {result['eval'][1]:.2f}. Mean over {len(count)} masks: "
        f"{result['masks'][-1, 0]:.3f} and {result['masks'][-1, 1]:.2f}; one mask: {result['masks'][0, 0]:.3f} and "
        f"{result['masks'][0, 1]:.2f}."
    )
    return fig


@styled
def stopping(result: dict):
    """The validation curve up to where training stops, what would have come, and the loss on many new images."""
    fig, ax = figure(6.6, 3.4, margins=(0.62, 1.0, 0.54, 0.32))
    epochs = np.arange(1, len(result["losses"]) + 1)
    stopped, best = result["stopped"], result["best"]
    ax.axvspan(best, stopped, color=MUTED, alpha=0.18, lw=0)
    ax.plot(epochs, result["losses"], color=BLUE, lw=1, alpha=0.45)
    ax.plot(epochs[:stopped], result["losses"][:stopped], color=BLUE)
    ax.plot(epochs, result["test"], color=ORANGE, lw=1.4)
    ax.plot(best, result["losses"][best - 1], "o", color=BLUE, ms=7)
    ax.plot(best, result["test"][best - 1], "o", color=ORANGE, ms=7)
    ax.axvline(stopped, color=INK, lw=1.2)
    ax.set(xlim=(0, len(epochs)), ylim=(0.3, 1.5), xlabel="epoch", ylabel="loss")
    ends = {"1,000 new": (result["test"][-1], ORANGE), f"{result['images']} validation": (result["losses"][-1], BLUE)}
    low, high = sorted(ends, key=lambda name: ends[name][0])
    spots = {low: ends[low][0], high: max(ends[high][0], ends[low][0] + 0.14)}
    for name, (_, colour) in ends.items():
        _label(ax, name.replace(" ", "\n") if "v" in name else name, (len(epochs), spots[name]), colour, size=9)
    side = -1 if stopped > 35 else 1
    _label(ax, f"stops at {stopped}", (stopped, 1.4), INK, offset=(5 * side, 0), ha="left" if side > 0 else "right")
    ax.set_title(f"run {result['run']}, patience {result['patience']}: keeps epoch {best}")
    return fig


@styled
def patience_table(result: dict):
    """Test loss at the kept epoch against the epochs it took, one point for each patience."""
    fig, ax = figure(6.4, 3.0, margins=(0.75, 0.3, 0.54, 0.3))
    ax.plot(result["epochs"], result["test"], "o-", color=BLUE)
    for wait, x, y in zip(result["patience"], result["epochs"], result["test"], strict=True):
        _label(ax, str(wait), (x, y), BLUE, offset=(0, 10), ha="center")
    ax.axhline(result["lowest"], color=MUTED, lw=1, ls="--")
    _label(ax, "lowest on the way", (0, result["lowest"]), MUTED, offset=(4, -8))
    ax.plot(50, result["last"], "o", color=ORANGE)
    _label(ax, "never stopped", (50, result["last"]), ORANGE, offset=(-8, 0), ha="right")
    ax.set(xlim=(0, 52), xlabel="epochs trained", ylabel="loss, new images")
    ax.margins(y=0.15)
    rows = ", ".join(
        f"{wait}: {x:.0f} epochs, {y:.3f}"
        for wait, x, y in zip(result["patience"], result["epochs"], result["test"], strict=True)
    )
    fig.alt = f"Epochs trained and loss on new images by patience. {rows}. Never stopped: 50, {result['last']:.3f}."
    return fig


@styled
def ensemble(result: dict):
    """Accuracy and loss of the first members together, of each alone, and of the average member."""
    fig, axes = figure(6.6, 3.3, 1, 2, gaps=(0.7, 0.5), margins=(0.6, 0.15, 0.54, 0.32))
    size, count = result["size"], np.arange(1, len(result["members"]) + 1)
    for k, (ax, title) in enumerate(zip(axes, ("accuracy", "loss"), strict=True)):
        ax.plot(count, result["members"][:, k], "o", color=MUTED, ms=2.5)
        ax.plot(count[:size], result["members"][:size, k], "o", color=BLUE, ms=3.5)
        ax.axhline(result["members"][:size, k].mean(), color=BLUE, lw=1.2, ls="--")
        ax.plot(count[:size], result["together"][:size, k], color=ORANGE)
        ax.plot(size, result["together"][size - 1, k], "o", color=ORANGE, ms=7)
        ax.set(xlim=(0.3, 20.7), xticks=[1, 5, 10, 15, 20], xlabel="members", title=title)
    axes[0].set_ylim(0.64, 0.8)
    axes[1].set_ylim(0.6, 1.25)
    for row, (name, colour) in enumerate((("together", ORANGE), ("each alone", BLUE), ("- - their mean", BLUE))):
        axes[1].text(0.97, 0.93 - 0.075 * row, name, color=colour, transform=axes[1].transAxes, ha="right", size=9.5)
    return fig


@styled
def dropout_by_size(result: dict):
    """What dropout gains, in points of accuracy and in loss, for each number of training images."""
    fig, axes = figure(6.6, 2.9, 1, 2, gaps=(0.8, 0.5), margins=(0.7, 0.15, 0.54, 0.32))
    sizes = np.arange(len(result["sizes"]))
    for ax, kind, factor in ((axes[0], "accuracy", 100), (axes[1], "loss", -1)):
        gain = factor * (result["dropout"][kind] - result["plain"][kind])
        ax.axhline(0, color=MUTED, lw=1)
        ax.bar(sizes, gain.mean(axis=1), color=BLUE, width=0.55, alpha=0.5)
        for run in gain.T:
            ax.plot(sizes, run, "o", color=INK, ms=3)
        ax.set_xticks(sizes, [f"{n:,}" for n in result["sizes"]])
        ax.set(xlabel="training images")
    axes[0].set_title("gain, points of accuracy", size=10)
    axes[1].set_title("gain, loss saved", size=10)
    gains = ", ".join(
        f"{n:,} images {100 * (a - b):+.1f} points"
        for n, a, b in zip(
            result["sizes"],
            result["dropout"]["accuracy"].mean(axis=1),
            result["plain"]["accuracy"].mean(axis=1),
            strict=True,
        )
    )
    fig.alt = f"What dropout gains in accuracy on new digits: {gains}."
    return fig


@styled
def made(result: dict):
    """Six images, and below each what augmentation made of it."""
    fig, axes = figure(6.4, 2.6, 2, 6, margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.08, 0.08))
    low, high = result["before"].min(), result["before"].max()
    for row, images in zip(axes, (result["before"], result["after"]), strict=True):
        for ax, image in zip(row, images, strict=True):
            picture(ax, image, low=low, high=high)
    amount = {"shifts": f"up to {result['amount']} pixels", "mirrors": "half of them", "mixup": ""}[result["kind"]]
    share = f"{result['share']:.2f} of itself and {1 - result['share']:.2f} of a partner"
    axes[0, 0].set_title(f"{result['kind']}: {amount or share}")
    return fig


@styled
def double_descent(result: dict):
    """Shares of wrong answers on training and test digits by number of features."""
    fig, ax = figure(6.4, 3.4, margins=(0.62, 0.9, 0.52, 0.32))
    ax.axvline(result["examples"], color=MUTED, lw=1, ls="--")
    for name, colour in (("train", ORANGE), ("test", BLUE)):
        ax.plot(result["features"], 100 * result[name], "o-", color=colour, ms=3)
        _label(ax, name, (result["features"][-1], 100 * result[name][-1]), colour)
    _label(ax, f"{result['examples']} examples", (result["examples"], 96), MUTED)
    ax.set(xscale="log", ylim=(0, 100), xlabel="features", ylabel="wrong answers, %")
    ax.set_title(f"{result['noise']:.0%} of the training labels are wrong")
    return fig


@styled
def by_epoch(results: dict[str, dict]):
    """Shares of wrong answers by epoch, on training and on new images, a panel for each result."""
    fig, axes = figure(6.6, 3.1, 1, len(results), sharey=True, gaps=(0.25, 0.5), margins=(0.62, 0.15, 0.54, 0.32))
    for ax, (name, result) in zip(axes, results.items(), strict=True):
        for part, colour in (("train", BLUE), ("test", ORANGE)):
            ax.plot(result["epoch"], 100 * result[part], color=colour, lw=0.6, alpha=0.6)
            ax.plot(result["epoch"], 100 * result[part].mean(axis=1), color=colour)
        ax.set(xscale="log", xlim=(1, result["epoch"][-1]), ylim=(0, 70), xlabel="epoch", title=name)
        marks(ax.xaxis, [1, 10, 100], ["1", "10", "100"])
    axes[0].set(ylabel="wrong answers, %")
    axes[0].text(0.97, 0.26, "new images", color=ORANGE, transform=axes[0].transAxes, ha="right")
    axes[0].text(0.97, 0.04, "training images", color=BLUE, transform=axes[0].transAxes, ha="right")
    ends = "; ".join(
        f"{name}: lowest {100 * r['test'].mean(axis=1).min():.0f} %, at the end {100 * r['test'][-1].mean():.0f} %"
        for name, r in results.items()
    )
    fig.alt = f"Wrong answers by epoch. On new images, {ends}."
    return fig


PLACES = {  # where in a training each regularizer acts
    "images": ("more data", "augmentation", "mixup"),
    "labels": ("smoothing", "mixup", "second task"),
    "units": ("dropout", "batch norm's", "noise"),
    "loss": ("L2 penalty", "L1 penalty"),
    "step": ("weight decay", "max-norm"),
    "epochs": ("early", "stopping"),
    "networks": ("ensemble", "mean of the", "weights"),
}


@styled
def where_each_acts():
    """The parts of a training from left to right, and under each what regularizes there."""
    fig, ax = figure(6.6, 2.1, margins=(0.02, 0.02, 0.02, 0.02))
    ax.set(xlim=(-0.02, 7.02), ylim=(0, 2.1))
    ax.axis("off")
    for i, (place, kinds) in enumerate(PLACES.items()):
        colour = ORANGE if place in ("epochs", "networks") else BLUE
        ax.add_patch(Rectangle((i + 0.07, 1.05), 0.86, 0.42, fc="none", ec=colour, lw=1.4))
        ax.text(i + 0.5, 1.26, place, ha="center", va="center", color=colour, size=10)
        ax.text(i + 0.5, 0.9, "\n".join(kinds), ha="center", va="top", size=8.5, linespacing=1.35)
        if 0 < i:
            arrow(ax, (i - 0.07, 1.26), (i + 0.07, 1.26), MUTED, gap=0)
    ax.plot((4.5, 4.5, 0.5), (1.48, 1.78, 1.78), color=MUTED, lw=1.4)
    arrow(ax, (0.5, 1.79), (0.5, 1.48), MUTED, gap=0)
    ax.text(2.5, 1.86, "the next batch", ha="center", va="bottom", color=MUTED, size=9)
    acts = "; ".join(f"{place}: {' '.join(kinds)}" for place, kinds in PLACES.items())
    fig.alt = f"The parts of a training, and what regularizes there. {acts}."
    return fig


@styled
def mask(result: dict):
    """A small network with the units of one dropout mask silenced."""
    fig, ax = figure(5.6, 3.0, margins=(0.1, 0.1, 0.1, 0.32))
    columns = [np.ones(4, bool), *result["kept"], np.ones(3, bool)]
    spots = [np.linspace(-1, 1, len(kept)) * len(kept) / 6 for kept in columns]
    for x, (kept, here, after, there) in enumerate(zip(columns, spots, columns[1:], spots[1:], strict=False)):
        lines = [[(x, a), (x + 1, b)] for on, a in zip(kept, here, strict=True) if on
                 for on_there, b in zip(after, there, strict=True) if on_there]  # fmt: skip
        ax.add_collection(LineCollection(lines, color=MUTED, lw=0.6))
    for x, (kept, here) in enumerate(zip(columns, spots, strict=True)):
        ax.plot(np.full(kept.sum(), x), here[kept], "o", color=BLUE, ms=11)
        ax.plot(np.full((~kept).sum(), x), here[~kept], "o", mfc="none", mec=MUTED, ms=11)
    ax.set(xlim=(-0.3, 3.3), ylim=(-1.2, 1.2))
    ax.axis("off")
    silenced = 12 - sum(int(kept.sum()) for kept in result["kept"])
    ax.set_title(f"p = {result['p']:g}: {silenced} of 12 hidden units silenced, the others times {result['scale']:.3g}")
    return fig
