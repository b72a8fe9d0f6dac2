"""Pictures of chapter 03."""

from __future__ import annotations

import matplotlib
import numpy as np

from ..experiments.activations import LIMITS, RINGS
from ._parts import LN10, label, loss_curves, mosaic, picture
from ._style import BLUE, GREEN, INK, MUTED, ON_COLOUR, ORANGE, PAPER, figure, styled

__all__ = [
    "UNITS",
    "accuracies",
    "boundaries",
    "burst",
    "divide",
    "fold",
    "layers",
    "loss_curves",
    "maxout",
    "regions",
    "shapes",
    "slopes",
    "zigzag",
]


@styled
def shapes(results: list[dict]):
    """Activation functions and their derivatives side by side; results of `experiments.activations.shape`."""
    fig, axes = figure(6.4, 2.5, 1, len(results), gaps=(0.5, 0.5), margins=(0.45, 0.1, 0.5, 0.32), squeeze=False)
    for ax, result in zip(axes[0], results, strict=True):
        x, value, slope = result["x"], result["value"], result["slope"]
        jump = np.where(np.abs(np.diff(slope, append=slope[-1])) > 0.5, np.nan, slope)
        ax.plot(x, value, color=BLUE)
        ax.plot(x, jump, color=ORANGE, ls="--", lw=1.5)
        ax.set(
            title=result["name"],
            xlabel="z",
            xlim=(x[0], x[-1]),
            ylim=(-1.2, 2.6),
            xticks=[-4, -2, 0, 2, 4],
            yticks=[-1, 0, 1, 2],
        )
    first = axes[0, 0]
    first.text(-3.8, 2.15, "function", color=BLUE)
    first.text(-3.8, 1.65, "derivative", color=ORANGE)
    fig.alt = "Functions and their derivatives. " + "; ".join(
        f"{r['name']}: values from {r['value'].min():.2g} to {r['value'].max():.2g} and derivatives from "
        f"{r['slope'].min():.2g} to {r['slope'].max():.2g} for z from {r['x'][0]:g} to {r['x'][-1]:g}"
        for r in results
    )
    return fig


@styled
def layers(result: dict):
    """One lane a hidden layer, the last one on top: mean output over time in its 2nd to 98th percentile; the loss.

    `result` as from `experiments.activations.layers_while_training`.
    """
    step, depth, name = result["step"], result["depth"], result["activation"]
    bottom, top = LIMITS.get(name, (min(0.0, result["low"].min()), result["high"].max()))
    fig, (left, right) = figure(6.4, 3.7, 1, 2, width_ratios=[3, 1.7], gaps=(1.15, 0.5))

    def lane(layer, values):
        return layer + 0.06 + 0.88 * (values - bottom) / (top - bottom)

    for layer in range(1, depth + 1):
        k = layer - 1
        left.axhspan(layer + 0.06, layer + 0.94, color=MUTED, alpha=0.12, lw=0)
        left.fill_between(
            step, lane(layer, result["low"][:, k]), lane(layer, result["high"][:, k]), color=BLUE, alpha=0.3, lw=0
        )
        left.plot(step, lane(layer, result["mean"][:, k]), color=BLUE)
        share = result["saturated"][-1, k]
        word = "flat" if name in LIMITS else "off"
        colour = ORANGE if share > 0.6 and name in LIMITS else INK
        left.text(step[-1] * 1.02, layer + 0.5, f"{share:.0%} {word}", va="center", size=10, color=colour)
    left.set(
        xlabel="step",
        ylabel="hidden layer",
        xlim=(0, step[-1]),
        ylim=(1, depth + 1),
        yticks=np.arange(1, depth + 1) + 0.5,
        yticklabels=range(1, depth + 1),
        title=f"{name}: outputs from {bottom:.2g} to {top:.2g}",
    )
    left.grid(visible=False)
    _loss(right, result["loss"])
    return fig


def _loss(ax, loss, window=10, top=3.0):
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    label(ax, "ln 10", (len(loss), LN10), offset=(-3, -12), ha="right", size=10, va="baseline")
    smooth = np.convolve(loss, np.ones(window) / window, "valid")
    ax.plot(np.arange(window, window + len(smooth)), np.minimum(smooth, 2 * top), color=INK)
    ax.set(xlabel="step", xlim=(0, len(loss)), ylim=(0, top), title="loss")


@styled
def zigzag(result: dict):
    """The path of two weights over the contours of the loss, and the distance from the answer by step."""
    path, distance = result["path"], result["distance"]
    fig, (left, right) = figure(6.4, 3.4, 1, 2, width_ratios=[1.25, 1], gaps=(0.8, 0.5))
    left.contour(
        result["w1"], result["w2"], result["loss"], levels=np.geomspace(0.005, 4, 8), colors=MUTED, linewidths=0.7
    )
    inside = path.clip(-50, 50)
    left.plot(*inside.T, "o-", color=BLUE, ms=3, lw=1.2)
    left.plot(1, -1, "*", color=ORANGE, ms=11)
    left.set(
        xlabel="$w_1$", ylabel="$w_2$", xlim=(-2, 2), ylim=(-2, 2), xticks=[-2, -1, 0, 1, 2], yticks=[-2, -1, 0, 1, 2]
    )
    left.set_title(f"{result['same']:.0%} of steps move both alike", size=10)
    right.plot(np.maximum(distance, 1e-5), color=INK)
    right.set(yscale="log", ylim=(1e-4, 1e2), xlim=(0, len(path) - 1), xlabel="step")
    right.minorticks_off()
    right.set_title("distance from the answer", size=10)
    return fig


_SHARES = matplotlib.colormaps["Blues"].with_extremes(under=ORANGE)


@styled
def burst(result: dict):
    """How many examples switch each hidden unit on, over time, and the loss; orange where no example does."""
    on, step, length = result["on"], result["step"], result["length"]
    width = on.shape[1] // 2
    rows = [half[:, np.argsort(half[-1], kind="stable")] for half in np.split(on, 2, axis=1)]
    fig, (left, right) = figure(6.4, 3.7, 1, 2, width_ratios=[2.4, 1.6], gaps=(0.7, 0.5))
    picture = np.hstack(rows).T
    left.imshow(
        picture, cmap=_SHARES, vmin=1e-9, vmax=1, aspect="auto", origin="lower",
        extent=(0, len(step), 0, 2 * width),
    )  # fmt: skip
    left.axhline(width, color=ON_COLOUR, lw=1)
    left.axvline(length, color=ON_COLOUR, lw=1, ls="--")
    ticks = [0, length, *(k for k in range(length + 1, len(step)) if step[k] % 100 == length)]
    left.set(
        xticks=ticks,
        xticklabels=[step[k] for k in ticks],
        yticks=[width / 2, 1.5 * width],
        yticklabels=["1", "2"],
        ylabel="hidden layer",
        xlabel="step",
    )
    left.set_title(f"{result['silent'][-1].mean():.0%} silent at the end", size=11)
    left.grid(visible=False)
    _loss(right, result["loss"])
    right.set_title(f"loss; test {result['test_accuracy']:.0%}", size=11)
    return fig


@styled
def slopes(result: dict):
    """Test accuracy by the slope of leaky ReLU: a dot for each seed, and their mean."""
    fig, ax = figure(5.6, 2.9)
    accuracy = 100 * result["test_accuracy"]
    places = np.arange(len(result["slopes"]))
    for seed in accuracy.T:
        ax.plot(places, seed, "o", color=BLUE, alpha=0.5)
    ax.plot(places, accuracy.mean(axis=1), color=BLUE)
    names = {0.0: "0\nReLU", 1.0: "1\nlinear"}
    ax.set(xticks=places, xticklabels=[names.get(s, f"{s:g}") for s in result["slopes"]])
    ax.set(ylim=(40, 102), ylabel="test accuracy, %", title="Slope of the negative side")
    fig.alt = (
        "Mean test accuracy by slope: "
        + ", ".join(f"{s:g}: {a:.1f} %" for s, a in zip(result["slopes"], accuracy.mean(axis=1), strict=True))
        + "."
    )
    return fig


@styled
def accuracies(results: dict[str, dict]):
    """Test accuracy of each network, sorted, with its number of parameters."""
    fig, ax = figure(6.4, 0.75 + 0.3 * len(results), margins=(1.35, 1.15, 0.5, 0.3))
    order = sorted(results, key=lambda name: results[name]["test_accuracy"])
    for place, name in enumerate(order):
        accuracy, size = 100 * results[name]["test_accuracy"], results[name]["parameters"]
        ax.plot([0, accuracy], [place, place], color=BLUE, lw=1)
        ax.plot(accuracy, place, "o", color=BLUE)
        label(ax, f"{accuracy:.1f}", (accuracy, place), offset=(6, 0), size=10)
        ax.annotate(f"{size:,}", (1.03, place), xycoords=("axes fraction", "data"), va="center", size=10, color=MUTED)
    ax.annotate("parameters", (1.03, len(order) - 0.35), xycoords=("axes fraction", "data"), size=10, color=MUTED)
    ax.set(xlim=(0, 108), ylim=(-0.6, len(order) - 0.4), xlabel="test accuracy, %", yticks=range(len(order)))
    ax.set_yticklabels(order)
    ax.grid(axis="y", visible=False)
    fig.alt = "Test accuracy: " + ", ".join(f"{n} {100 * results[n]['test_accuracy']:.1f} %" for n in order) + "."
    return fig


@styled
def maxout(result: dict):
    """A target function, the lines of a maxout unit, and their maximum."""
    fig, ax = figure(5.6, 3.3)
    x = result["x"]
    ax.plot(x, result["lines"], color=MUTED, lw=0.8, ls="--")
    ax.plot(x, result["y"], color=GREEN, lw=4, alpha=0.45)
    ax.plot(x, result["out"], color=BLUE)
    low, high = min(-0.2, result["y"].min()) - 0.15, max(result["y"].max(), 0.3) + 0.25
    ax.set(xlim=(-1, 1), ylim=(low, high), xlabel="x", xticks=[-1, -0.5, 0, 0.5, 1])
    ax.set_title(f"{result['pieces']} piece{'s' * (result['pieces'] > 1)}: error up to {result['error']:.2g}")
    at = len(x) // 8
    label(ax, "target", (x[at], result["y"][at]), GREEN, (6, 8), va="baseline")
    label(ax, "maxout", (x[-at], result["out"][-at]), BLUE, (-2, 8), ha="right", va="baseline")
    return fig


@styled
def fold(result: dict):
    """A cloud of data and the line at which one ReLU unit folds; examples that it is on for are filled."""
    fig, ax = figure(5.0, 3.5)
    x, on, (a, b), bias = result["x"], result["on"], result["w"], result["bias"]
    axis = np.array([-3.2, 4.2])
    line = -(a * axis + bias) / b
    ax.fill_between(axis, line, 5, color=BLUE, alpha=0.12, lw=0)
    ax.plot(axis, line, color=BLUE)
    ax.plot(*x[on].T, "o", color=ORANGE, ms=5)
    ax.plot(*x[~on].T, "o", mfc="none", mec=MUTED, ms=5)
    ax.set(xlim=(-2.4, 3.4), ylim=(-2.2, 2.9), xlabel="$x_1$")
    ax.set_ylabel("$x_2$", rotation=0, labelpad=8)
    ax.set_title(f"on for {on.sum()} of {len(on)}, gradient of length {result['gradient']:.2g}")
    return fig


@styled
def boundaries(result: dict):
    """Three spirals and the regions of the three classes, without an activation and with ReLU."""
    fig, axes = figure(6.4, 3.1, 1, 2, sharey=True, margins=(0.5, 0.1, 0.35, 0.35), gaps=(0.25, 0))
    told = []
    for ax, name, title in zip(axes, ("none", "relu"), ("no activation", "ReLU"), strict=True):
        part = result[name]
        levels, colours = [-0.5, 0.5, 1.5, 2.5], [BLUE, ORANGE, GREEN]
        ax.contourf(part["axis"], part["axis"], part["winner"], levels=levels, colors=colours, alpha=0.25)
        for kind, colour in enumerate(colours):
            ax.plot(*result["x"][result["y"] == kind].T, "o", ms=1.6, color=colour)
        right = 100 * part["test_accuracy"]
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
        ax.grid(visible=False)
        ax.set_title(f"{title}: {right:.0f} % right")
        told.append(f"{title} {right:.0f} %")
    fig.alt = (
        "Three spirals and the regions in which a net says each class. Without an activation three wedges with "
        f"straight borders, with ReLU regions that follow the spirals. Right: {', '.join(told)}."
    )
    return fig


@styled
def regions(result: dict):
    """The plane in pieces on which a ReLU network is linear, and a cut through its output with the corners marked."""
    fig, (left, right) = figure(6.4, 3.2, 1, 2, width_ratios=[1, 1.1], margins=(0.5, 0.12, 0.5, 0.35), gaps=(0.55, 0))
    axis, piece = result["axis"], result["piece"]
    # Three colours in turn, each in strengths that follow the golden ratio, over the page in light and dark.
    tint = np.empty((*piece.shape, 4))
    tint[..., :3] = np.array([matplotlib.colors.to_rgb(colour) for colour in (BLUE, ORANGE, GREEN)])[piece % 3]
    tint[..., 3] = 0.12 + 0.5 * ((piece * 0.618034) % 1)
    extent = (axis[0], axis[-1], axis[0], axis[-1])
    left.imshow(tint, origin="lower", extent=extent, interpolation="nearest")
    left.axhline(0, color=INK, lw=1, ls="--")
    left.set(xlabel="$x_1$", xticks=[-1, 0, 1], yticks=[-1, 0, 1], aspect="equal")
    left.set_ylabel("$x_2$", rotation=0, labelpad=6)
    left.grid(visible=False)
    left.set_title(f"{result['pieces']} pieces", size=10)
    right.plot(axis, result["cut"], color=BLUE)
    corners = result["corners"]
    right.plot(corners, np.interp(corners, axis, result["cut"]), "o", color=ORANGE, ms=4.5)
    right.set(xlim=(-1, 1), xlabel="$x_1$", xticks=[-1, 0, 1])
    right.set_title(f"output along the dashed line: {len(corners)} corners", size=10)
    return fig


UNITS = 2, 3  # rows and columns of the maps of hidden units in `divide`


@styled
def divide(result: dict):
    """The plane as a small network divides it, what each of its hidden units gives there, and the loss by step.

    The axes are the plane, the hidden units' maps, which are one image, and the loss.
    """
    fig, axes = figure(
        6.8, 3.5, mosaic=[["plane", "units"], ["plane", "loss"]], margins=(0.42, 0.12, 0.5, 0.28), gaps=(0.5, 0.4),
        width_ratios=[1, 1.1], height_ratios=[2.2, 1],
    )  # fmt: skip
    _plane(axes["plane"], result)
    _hidden_units(axes["units"], result)
    loss, ax = result["loss"], axes["loss"]
    ax.plot(np.arange(len(loss)), loss, color=BLUE)
    top = 0.9 if not np.isfinite(loss).any() else max(0.9, min(3.0, 1.05 * float(np.nanmax(loss))))
    ax.set(xlim=(0, max(20, len(loss))), ylim=(0, top), xlabel="step", yticks=[0, 0.5] if top < 1.5 else [0, 1, 2])
    ax.set_title("loss")
    return fig


def _plane(ax, result):
    x, y, span = result["x"], result["y"], (-RINGS, RINGS, -RINGS, RINGS)
    # Lighter than the colour map's ends, so that points can be seen on it.
    ax.imshow(result["chance"], cmap="RdBu_r", vmin=-0.4, vmax=1.4, origin="lower", extent=span, interpolation="none")
    for k, (w, b) in enumerate(zip(result["weights"], result["biases"], strict=True), 1):
        ends = _where_zero(w, b)
        if ends is not None:
            ax.plot(*ends, color=ON_COLOUR, lw=0.9, ls="--", label=f"unit {k} gives 0 at")
    for kind, colour in ((0, BLUE), (1, ORANGE)):
        ax.plot(*x[y == kind].T, "o", ms=3.6, mec=ON_COLOUR, mew=0.5, color=colour, label=("blue", "orange")[kind])
    marks = [-2, -1, 0, 1, 2]
    ax.set(xlim=span[:2], ylim=span[:2], xticks=marks, yticks=marks, xlabel="x₁", title="the network")
    ax.grid(visible=False)


def _hidden_units(ax, result):
    rows, columns = UNITS
    size, gap = len(result["line"]), 3
    count = len(result["hidden"])
    blank = np.full((rows * columns - count, size, size), np.nan)
    tiles = np.concatenate([result["hidden"][:, ::-1], blank])  # upwards, as the plane
    most = 1.0 if result["activation"] == "tanh" else max(float(np.nan_to_num(result["hidden"]).max()), 1e-6)
    picture(ax, mosaic(tiles, columns, gap), "its hidden units", -most, most, cmap="RdBu_r", photo=True)
    for k in range(count):
        left, top = (k % columns) * (size + gap) - 0.5, (k // columns) * (size + gap) - 0.5
        ends = _where_zero(result["weights"][k], result["biases"][k])
        if ends is not None:
            across, up = (ends + RINGS) / (2 * RINGS) * size
            ax.plot(left + across, top + size - up, color=ON_COLOUR, lw=0.9, ls="--", label=_unit_in_words(result, k))
        label(ax, f"{k + 1}", (left, top), INK, (3, -7), bbox={"fc": PAPER, "ec": "none", "pad": 1})


def _where_zero(w, b):
    """The piece of the line w x + b = 0 within the picture, (2, 2) as x and y; None if it runs elsewhere."""
    a, c = w
    ends = []
    for side in (-RINGS, RINGS):
        if c and abs(y := -(a * side + b) / c) <= RINGS:
            ends.append((side, y))
        if a and abs(x := -(c * side + b) / a) <= RINGS:
            ends.append((x, side))
    ends = sorted(set(ends))
    return np.array([ends[0], ends[-1]]).T if len(ends) > 1 else None


def _unit_in_words(result, k):
    """What a hidden unit computes, as a formula."""
    (a, b), c = result["weights"][k], result["biases"][k]
    terms = f"{a:.2f} x₁ {b:+.2f} x₂ {c:+.2f}".replace("+", "+ ").replace(" -", " − ").replace("-", "−")
    return f"{result['activation']}({terms}), says {result['says'][k]:.2f}".replace("says -", "says −")
