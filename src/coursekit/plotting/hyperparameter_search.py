"""Pictures of chapter 10."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from ._parts import label, name_ends
from ._style import BLUE, GREEN, INK, MUTED, ON_COLOUR, ORANGE, figure, marks, power, powers, styled


@styled
def optimism(result: dict):
    """Accuracy of the chosen network: on the images that chose it, and on all others. One count for each search."""
    fig, axes = figure(5.4, 3.7, 2, 1, sharex=True, gaps=(0.5, 0.42), margins=(0.7, 0.15, 0.54, 0.32))
    edges = np.linspace(0.6, 1.0, 41) + 1e-9
    edges[0] = -0.001
    low = np.arange(0.6, 1.0, 0.01)
    rows = ((axes[0], "chosen", ORANGE, "on the images that chose it"), (axes[1], "fresh", BLUE, "on other images"))
    for ax, name, colour, what in rows:
        counts = np.histogram(result[name], edges)[0]
        ax.bar(100 * low, counts, width=0.85, align="edge", color=colour, alpha=0.85)
        mean = 100 * result[name].mean()
        ax.axvline(mean, color=INK, lw=1.4)
        ax.axvline(100 * result["average"], color=MUTED, lw=1, ls="--")
        ax.set_title(f"{what}: mean {mean:.1f} %")
        ax.set(ylabel="searches", xlim=(60, 101), ylim=(0, max(counts.max() * 1.15, 1)))
    axes[1].set_xlabel("accuracy of the chosen network, % (dashed: mean of all)")
    return fig


@styled
def luck(one: dict, many: dict):
    """Hoeffding's bound beside what happens: for one network by the error, for the best of m by m."""
    fig, (left, right) = figure(6.6, 3.0, 1, 2, margins=(0.62, 0.15, 0.54, 0.32), gaps=(0.75, 0.4))
    left.plot(100 * one["t"], one["bound"], color=ORANGE)
    left.plot(100 * one["t"], one["chance"], color=BLUE, drawstyle="steps-pre")
    label(left, "bound", (8, np.exp(-2 * one["images"] * 0.08**2)), ORANGE)
    label(left, "chance", (6.4, 0.17), BLUE, (0, 0))
    left.set(xlim=(0, 100 * one["t"][-1]), ylim=(0, 1.05), xlabel="too high by at least, points")
    left.set_title(f"one network, {one['images']} images")
    looks = (
        ("bound", ORANGE, "bound", (-4, 8)),
        ("coins", MUTED, "independent", (-4, 8)),
        ("networks", BLUE, "ours", (-4, -11)),
    )
    for name, colour, text, offset in looks:
        right.plot(many["counts"], 100 * many[name], "o-", color=colour, ms=3)
        label(right, text, (many["counts"][-1], 100 * many[name][-1]), colour, offset, ha="right")
    right.set(
        xscale="log", xlim=(0.9, 115), ylim=(-1, 24), xlabel="networks compared", ylabel="luck of the best, points"
    )
    marks(right.xaxis, [1, 10, 100], ["1", "10", "100"])
    right.set_title("the best of many")
    return fig


@styled
def held_out(result: dict):
    """Accuracy by the share held out: what the search reports, and what new images say."""
    shares = 100 * result["shares"]
    fig, ax = figure(5.4, 3.3, margins=(0.7, 0.2, 0.54, 0.32))
    for name, colour, text, place in (
        ("reported", ORANGE, "reported by the search", (0.12, 9)),
        ("fresh", BLUE, "on new images", (-30, -30)),
    ):
        mean, spread = 100 * result[name].mean(axis=1), 100 * result[name].std(axis=1)
        ax.fill_between(shares, mean - spread, mean + spread, color=colour, alpha=0.16, lw=0)
        ax.plot(shares, mean, "o-", color=colour)
        label(ax, text, (shares[3], mean[3]), colour, place, va="baseline")
    ax.set(
        xlabel=f"share of {result['examples']} images held out, %", ylabel="accuracy, %", xlim=(0, 95), ylim=(35, 105)
    )
    fig.alt = (
        "Accuracy of the chosen network by the share held out, with bands of one standard deviation. New images: "
        + ", ".join(f"{100 * m:.0f} % at {s:.0f} %" for s, m in zip(shares, result["fresh"].mean(axis=1), strict=True))
        + ". The search's own report lies above it where little is held out."
    )
    return fig


@styled
def folds(result: dict):
    """Every estimate as a dot: one split, cross-validation, and the truth."""
    fig, ax = figure(5.4, 2.5, margins=(1.45, 0.2, 0.54, 0.15))
    rows = (("fresh", MUTED, "new images"), ("folds", BLUE, "five folds"), ("split", ORANGE, "one split"))
    rng = np.random.default_rng(0)
    for height, (name, colour, _) in enumerate(rows):
        values = 100 * result[name]
        ax.plot(values, height + rng.uniform(-0.22, 0.22, len(values)), "o", color=colour, ms=4, alpha=0.7)
        ax.plot([values.mean()] * 2, [height - 0.33, height + 0.33], color=INK)
    ax.set(xlabel="accuracy, %", yticks=range(3), yticklabels=[what for *_, what in rows], ylim=(-0.5, 2.5))
    ax.grid(axis="y", visible=False)
    fig.alt = "Estimates of one network's accuracy. Standard deviations: " + ", ".join(
        f"{what} {100 * result[name].std():.1f} points" for name, _, what in rows
    )
    return fig


@styled
def budgets(result: dict):
    """The first two settings of every trial, grid and random; and the mean best score by the number of trials."""
    fig, axes = figure(5.2, 5.3, 2, 2, height_ratios=[1.15, 1], gaps=(0.35, 0.95), margins=(0.6, 0.15, 0.54, 0.52))
    (left, middle), (unused, right) = axes
    place = unused.get_position()
    fig.delaxes(unused)
    right.set_position([place.x0, place.y0, right.get_position().x1 - place.x0, place.height])
    half = result["width"] * np.sqrt(2 * np.log(2))  # the score is above one half this near to the peak
    for ax, name, colour in ((left, "grid", ORANGE), (middle, "random", BLUE)):
        x, y = result["peak"][:2]
        if result["important"] == 1:
            ax.axvspan(x - half, x + half, color=GREEN, alpha=0.25, lw=0)
        else:
            angle = np.linspace(0, 2 * np.pi, 60)
            ax.fill(x + half * np.cos(angle), y + half * np.sin(angle), color=GREEN, alpha=0.3, lw=0)
        points = result[f"{name}_points"]
        ax.plot(*points.T, "o", color=colour, ms=3 if len(points) < 100 else 2)
        ax.plot(points[:, 0], np.full(len(points), -0.06), "|", color=INK, ms=6, mew=0.8)
        seen = len(np.unique(points[:, 0]))
        ax.set(xlim=(0, 1), ylim=(-0.12, 1), xticks=[], yticks=[], xlabel="setting 1")
        ax.set_title(f"{name}: {seen} values\nof setting 1")
        ax.grid(visible=False)
    left.set_ylabel("setting 2", labelpad=3)
    trials = result["budgets"]
    for name, colour in (("grid", ORANGE), ("random", BLUE)):
        right.plot(trials, result[f"{name}_mean"], "o-", color=colour)
    right.axvline(result["trials"], color=MUTED, lw=1, ls="--")
    right.set(xscale="log", xlim=(12, 800), ylim=(0, 1.04), xlabel="trials", title="mean best score of 300 searches")
    right.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    right.set_xticks(trials, [str(t) for t in trials])
    right.xaxis.set_minor_locator(NullLocator())
    if result["random_mean"][0] > 0.5:  # the lines run above: the names go below
        places, side = (0.16, 0.05), (0.97, "right")
    else:
        places, side = (0.93, 0.82), (0.04, "left")
    for name, colour, height in (("grid", ORANGE, places[1]), ("random", BLUE, places[0])):
        right.text(side[0], height, name, transform=right.transAxes, color=colour, ha=side[1], va="center")
    return fig


@styled
def decades(result: dict):
    """How many draws fall into each power of ten, one panel for each way of drawing."""
    fig, axes = figure(5.4, 3.5, 2, 1, sharex=True, gaps=(0.5, 0.42), margins=(0.7, 0.15, 0.54, 0.32))
    edges = result["edges"]
    for ax, name, colour, title in (
        (axes[0], "uniform", ORANGE, "the numbers themselves drawn"),
        (axes[1], "log", BLUE, "their exponents drawn"),
    ):
        ax.stairs(result[name], edges, fill=True, color=colour, alpha=0.85)
        middle = np.sqrt(edges[1:] * edges[:-1])
        for x, count in zip(middle, result[name], strict=True):
            label(ax, str(count), (x, count), offset=(0, 3), ha="center", size=9, va="baseline")
        ax.set(ylim=(0, 1.25 * result[name].max()), ylabel="draws", title=title)
        powers(ax.xaxis, -3, 3)
    axes[1].set_xlabel("value")
    fig.alt = (
        f"Draws in each decade from 0.001 to 1000. Uniform: {', '.join(map(str, result['uniform']))}. "
        f"Uniform in the exponent: {', '.join(map(str, result['log']))}."
    )
    return fig


@styled
def rounds(result: dict):
    """The map of accuracies, what was tried in each round, and the range of each round."""
    fig, ax = figure(5.4, 4.3, margins=(0.75, 0.95, 0.56, 0.35))
    ax.imshow(
        100 * result["surface"], origin="lower", extent=(-3, 3, -3, 3), vmin=10, vmax=92, cmap="viridis",
        interpolation="nearest", aspect="auto",
    )  # fmt: skip
    low, high = np.log10(result["low"]), np.log10(result["high"])
    last = result["shown"] - 1
    for k in range(result["shown"]):
        now = k == last
        width, height = high[k, 1] - low[k, 1], high[k, 0] - low[k, 0]
        line = {"lw": 2.2, "ls": "-"} if now else {"lw": 1, "ls": ":"}
        ax.add_patch(Rectangle((low[k, 1], low[k, 0]), width, height, fill=False, ec="white", zorder=2, **line))
        ax.plot(
            np.log10(result["l2"][k]), np.log10(result["lr"][k]), "o", ms=6 if now else 4,
            color=ORANGE if now else "white", mec="white" if now else ON_COLOUR, mew=0.8, zorder=3, clip_on=False,
        )  # fmt: skip
    ticks = range(-3, 4)
    labels = [power(k) for k in ticks]
    marks(ax.xaxis, ticks, labels)
    marks(ax.yaxis, ticks, labels)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="strength of the L2 penalty", ylabel="learning rate")
    ax.set_title(f"round {result['shown']}: best so far {100 * result['accuracy'].max():.1f} %")
    ax.grid(visible=False)
    # A scale of the colours; Matplotlib's own colour bar takes a third of the time of the picture.
    scale = fig.add_axes((0.95, 0.13, 0.03, 0.79))
    scale.imshow(np.arange(10, 93)[:, None], origin="lower", extent=(0, 1, 10, 92), cmap="viridis", aspect="auto")
    marks(scale.xaxis, [])
    marks(scale.yaxis, [10, 30, 50, 70, 90])
    scale.set_ylabel("validation accuracy, %")
    scale.spines[:].set_visible(False)
    scale.grid(visible=False)
    return fig


@styled
def by_setting(result: dict):
    """Validation accuracy of every random trial against each of its settings: which of them matters?"""
    fig, axes = figure(5.6, 4.4, 2, 2, sharey=True, gaps=(0.3, 0.68), margins=(0.7, 0.2, 0.54, 0.15))
    names = {"lr": "learning rate", "gain": "gain of the first weights", "momentum": "momentum", "l2": "L2 penalty"}
    for ax, (name, what) in zip(axes.flat, names.items(), strict=True):
        values = result["random"]["settings"][name]
        ax.plot(values, 100 * result["random"]["validation"], "o", color=BLUE, alpha=0.7)
        if name == "lr":
            powers(ax.xaxis, -3, 3, 2)
        elif name == "l2":
            powers(ax.xaxis, -6, 0, 2)
        elif name == "gain":
            powers(ax.xaxis, -1, 1)
        ax.set(xlabel=what, ylim=(0, 103))
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy, %")
    fig.alt = (
        "Validation accuracy of random trials against learning rate, gain, momentum and L2 penalty. Only the learning "
        "rate shows a clear band of good values."
    )
    return fig


@styled
def halving(result: dict):
    """Validation loss of every network up to the epoch at which halving stopped it."""
    fig, ax = figure(5.4, 3.5, margins=(0.7, 0.3, 0.54, 0.32))
    curve = np.minimum(np.where(np.isfinite(result["curve"]), result["curve"], 1e3), 1e3)
    epochs = np.arange(1, len(curve) + 1)
    for i in np.argsort(result["stopped"]):
        stop, chosen = result["stopped"][i], i == result["winner"]
        colour = BLUE if chosen else MUTED
        ax.plot(epochs[:stop], curve[:stop, i], color=colour, lw=2.2 if chosen else 0.9, alpha=1 if chosen else 0.7)
        ax.plot(stop, curve[stop - 1, i], "o" if chosen else "x", color=colour, ms=5)
    best = result["best"]
    if best != result["winner"]:
        ax.plot(epochs, curve[:, best], color=ORANGE, ls="--", lw=1.2)
        label(
            ax,
            "best of all, had it gone on",
            (len(curve), curve[-1, best]),
            ORANGE,
            (0, -13),
            ha="right",
            va="baseline",
        )
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ticks = 2 ** np.arange(int(np.log2(len(curve))) + 1)
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.set(ylim=(0.4 * curve[-1].min(), 400), xlabel="epoch", ylabel="validation loss")
    ax.set_title(f"{result['cost']} epochs in place of {result['full']}")
    fig.alt = (
        f"Validation loss by epoch of {len(result['stopped'])} networks. Half of those left stop at epochs 1, 2, 4 and "
        f"so on; one is left at epoch {len(curve)}."
    )
    return fig


@styled
def history(runs: dict[str, np.ndarray]):
    """Lowest score so far by trial, a line for each search."""
    fig, ax = figure(5.4, 3.1, margins=(0.7, 0.85, 0.54, 0.15))
    ends = []
    for (name, values), colour in zip(runs.items(), (BLUE, ORANGE, GREEN), strict=False):
        best = np.fmin.accumulate(np.where(np.isfinite(values), values, np.inf))
        ax.step(np.arange(1, len(best) + 1), best, color=colour, where="post")
        ax.plot(np.arange(1, len(values) + 1), values, ".", color=colour, alpha=0.5)
        ends.append((best[-1], name, colour))
    name_ends(ax, len(best), ends, 0.22, (5, -3), va="baseline")
    ax.set(xlabel="trial", ylabel="validation loss", ylim=(0, 3), xlim=(0, len(best)))
    fig.alt = "Validation loss of every trial, and the lowest so far. At the end: " + ", ".join(
        f"{name} {np.nanmin(values):.3f}" for name, values in runs.items()
    )
    return fig


@styled
def model_search(result: dict):
    """The trials of a search on one axis with what its model says, and below where it wants to try next."""
    fig, (top, low) = figure(
        6.4, 4.6, 2, 1, sharex=True, height_ratios=[2, 1], gaps=(0, 0.2), margins=(0.7, 0.2, 0.52, 0.32)
    )
    at = result["at"]
    top.plot(at, result["truth"], color=MUTED, lw=1, ls="--")
    if result["mean"] is not None:
        top.fill_between(
            at, result["mean"] - result["std"], result["mean"] + result["std"], color=BLUE, alpha=0.18, lw=0
        )
        top.plot(at, result["mean"], color=BLUE)
    top.plot(result["x"], result["y"], "o", color=INK)
    for ax in (top, low):
        ax.axvline(result["next"], color=ORANGE, lw=1.4)
    top.set(ylim=(-0.4, 3.3), ylabel="validation loss", title=f"{result['method']}, {len(result['x'])} trials")
    names = {"Gaussian process": "improvement", "TPE": "density ratio", "random": ""}
    if result["wish"] is not None:
        low.plot(at, result["wish"] / max(result["wish"].max(), 1e-12), color=ORANGE)
    low.set(
        xlim=(-3, 3), ylim=(0, 1.1), xlabel="learning rate, power of ten", ylabel=names[result["method"]], yticks=[]
    )
    return fig


@styled
def across_width(runs: list):
    """Loss by rate for several widths, as usual and with rates scaled by width."""
    fig, axes = figure(6.4, 3.2, 1, 2, sharey=True, gaps=(0.25, 0), margins=(0.62, 0.15, 0.52, 0.32))
    said = []
    for ax, run in zip(axes, runs, strict=True):
        for (width, loss), colour in zip(run["ends"].items(), (GREEN, ORANGE, BLUE), strict=False):
            ax.plot(run["rates"], loss.clip(max=3), "o-", color=colour, ms=3, label=f"{width} units")
            ax.axvline(run["best"][width], color=colour, lw=1, ls=":")
        name = "rates scaled by width" if run["scaled"] else "one rate for all layers"
        ax.set(xscale="log", ylim=(0.2, 2.5), xlabel="rate of Adam", title=name)
        best = ", ".join(f"{width} units {rate:.2g}" for width, rate in run["best"].items())
        said.append(f"{name}, best rates: {best}")
    axes[0].set_ylabel("loss at the end")
    axes[0].legend(frameon=False)
    fig.alt = f"Loss at the end by rate for three widths. {'; '.join(said)}."
    return fig
