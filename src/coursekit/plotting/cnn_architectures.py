"""Pictures of chapter 13."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from ._parts import arrow, bare, label, mosaic, name_ends, picture
from ._style import BLUE, GRID, INK, MUTED, ORANGE, PAPER, bars, figure, marks, powers, styled

COLOURS = {"LeNet-5": BLUE, "MLP": ORANGE}


def _curves(ax, curves, ticks):
    for name, colour in COLOURS.items():
        ax.plot(curves["right"], 100 * curves[name], "o-", color=colour, ms=3.5)
    ax.set(xlabel="moved to the right by, pixels", ylabel="read right, %", ylim=(0, 105))
    ax.set_xlim(curves["right"][0], curves["right"][-1])
    marks(ax.xaxis, ticks)
    marks(ax.yaxis, [0, 50, 100])


@styled
def accuracy_when_moved(curves: dict, only: int | None = None):
    """Share of digits that both networks read, by shift; `only` keeps shifts up to so many pixels."""
    if only is not None:
        keep = np.abs(curves["right"]) <= only
        curves = {name: values[keep] for name, values in curves.items()}
    fig, ax = figure(6.4, 3.0, margins=(0.7, 0.95, 0.54, 0.15))
    _curves(ax, curves, curves["right"])
    for name, colour in COLOURS.items():
        at = (curves["right"][-1], 100 * curves[name][-1])
        label(ax, name, at, colour, (8, 0))
    fig.alt = "Share of test digits read right, by how far they are moved. " + " ".join(
        f"{name}: {curves[name].max():.0%} at best, {curves[name][-1]:.0%} at {curves['right'][-1]} pixels."
        for name in COLOURS
    )
    return fig


@styled
def shift(result: dict):
    """The moved digit, what both networks say of it, and how they fare with all test digits."""
    fig, axes = figure(
        6.4, 4.9, mosaic=[["picture", "digits"], ["low", "low"]], width_ratios=[1, 1.75], height_ratios=[1.15, 1],
        gaps=(0.78, 0.85), margins=(0.7, 0.2, 0.55, 0.35),
    )  # fmt: skip
    left, right, low = axes.values()
    picture(left, result["image"], f"a {result['digit']}, moved by {result['moved']}")
    classes = np.arange(10)
    for place, (name, colour) in enumerate(COLOURS.items()):
        bars(right, classes + 0.4 * place - 0.2, 100 * result["probabilities"][name], 0.38, color=colour)
    marks(right.xaxis, classes)
    marks(right.yaxis, [0, 50, 100])
    right.set(xlim=(-0.85, 9.85), ylim=(0, 105), xlabel="digit", ylabel="probability, %")
    right.grid(axis="x", visible=False)
    right.set_title("LeNet-5", color=BLUE)
    right.set_title("MLP", color=ORANGE, loc="right")
    low.axvline(result["moved"], color=INK, lw=1.2)
    _curves(low, result["curves"], [-8, -4, 0, 4, 8])
    low.set_title("150 test digits, all moved")
    return fig


def _side_by_side(maps):
    """Maps (C, H, W) as one picture."""
    count, height, _ = maps.shape
    return mosaic(maps, {6: 3, 16: 4}.get(count, int(np.ceil(np.sqrt(count)))), gap=max(1, height // 14))


@styled
def feature_maps(result: dict):
    """The digit, and what one stage makes of it: its maps, or the outputs of a dense layer as bars."""
    maps = result["maps"]
    fig, (left, right) = figure(6.4, 3.5, 1, 2, width_ratios=[1, 2.2], gaps=(0.5, 0.5), margins=(0.1, 0.15, 0.54, 0.35))
    picture(left, result["image"], "input")
    shape = " x ".join(map(str, maps.shape))
    title = f"{result['stage']}: {shape}" if maps.ndim == 3 else f"{result['stage']}: {shape} numbers"
    if maps.ndim == 3:
        picture(right, _side_by_side(maps), title, cmap="viridis", low=0, high=max(float(maps.max()), 1e-6))
        return fig
    bars(right, np.arange(len(maps)), maps, 0.85, color=BLUE)
    low, high = 1.05 * min(0, maps.min()), 1.05 * max(1e-6, maps.max())
    right.set(xlim=(-1, len(maps)), ylim=(low, high), xlabel="digit" if len(maps) == 10 else "unit", title=title)
    if len(maps) == 10:
        marks(right.xaxis, range(10))
    right.grid(axis="x", visible=False)
    return fig


@styled
def first_filters(result: dict):
    """The six kernels of the first layer, and under each the map that it makes."""
    kernels, maps = result["kernels"], result["maps"]
    fig, axes = figure(6.4, 2.7, 2, 6, margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.12, 0.3))
    limit = np.abs(kernels).max()
    for k, (above, below) in enumerate(axes.T):
        picture(above, kernels[k], f"{k}", cmap="RdBu_r", low=-limit, high=limit)
        picture(below, maps[k], cmap="viridis", low=0, high=maps.max())
    fig.alt = (
        "Six 5 x 5 kernels, red where positive and blue where negative, and the six maps of a digit that they make."
    )
    return fig


@styled
def misread(result: dict):
    """Digits that were read wrongly: what they are and what was read."""
    fig, axes = figure(6.4, 2.7, 2, 6, margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.12, 0.4))
    for ax in axes.flat:
        bare(ax)
    for ax, image, digit, answer in zip(axes.flat, result["images"], result["labels"], result["answers"], strict=False):
        picture(ax, image, f"{digit} as {answer}")
    pairs = ", ".join(f"a {a} as {b}" for a, b in zip(result["labels"], result["answers"], strict=True))
    fig.alt = f"Digits that LeNet-5 misreads: {pairs}."
    return fig


@styled
def network_plan(book):
    """The shapes that run through LeNet-5, from its ledger: maps as stacks of squares, dense layers as bars."""
    steps = [("input", (1, 28, 28))]
    for row in book.rows:
        kind = row.name.partition("_")[0]
        if kind in ("conv2d", "maxpool2d", "dense"):
            steps.append(({"conv2d": "convolution", "maxpool2d": "pooling", "dense": "dense"}[kind], row.output))
    fig, axes = figure(6.4, 4.3, 2, 4, margins=(0.05, 0.05, 0.05, 0.05), gaps=(0.1, 0.1))
    for ax, (kind, shape) in zip(axes.flat, steps, strict=True):
        bare(ax)
        ax.set(xlim=(0, 40), ylim=(-13, 40), aspect="equal")
        if len(shape) == 3:
            channels, side = shape[0], shape[1]
            for k in range(channels):
                ax.add_patch(Rectangle((k * 0.7, 28 - side - k * 0.7 + 8), side, side, fc=PAPER, ec=BLUE, lw=0.8))
        else:
            height = 4 + shape[0] / 4.2
            ax.add_patch(Rectangle((0, 38 - height), 3, height, fc=ORANGE, ec="none"))
        ax.text(0, -4, kind, color=MUTED)
        ax.text(0, -11, " × ".join(map(str, shape)), weight="bold")
    fig.alt = "The shapes in LeNet-5: " + ", ".join(f"{kind} {' x '.join(map(str, shape))}" for kind, shape in steps)
    return fig


@styled
def connections(tables: list[np.ndarray]):
    """Which output channels see which input channels, a panel for each convolution of a network."""
    fig, axes = figure(6.4, 1.95, 1, len(tables), margins=(0.32, 0.05, 0.42, 0.32), gaps=(0.12, 0.1))
    for k, (ax, table) in enumerate(zip(axes, tables, strict=True)):
        picture(ax, np.where(table, 1.0, np.nan), f"layer {k + 1}", cmap="Blues", low=0, high=1.3, aspect="auto")
        for spine in ax.spines.values():
            spine.set_visible(True)
            spine.set_color(MUTED)
    axes[0].set_ylabel("output channel", size=10)
    axes[len(tables) // 2].set_xlabel("input channel", size=10)
    halves = [k + 1 for k, table in enumerate(tables) if not table.all()]
    fig.alt = (
        f"In layers {', '.join(map(str, halves))} half of the output channels see half of the input channels; "
        "in the others all see all."
    )
    return fig


@styled
def c3_table(sees):
    """Which of the 6 maps before it each of the 16 maps of the second convolution saw in 1998."""
    fig, ax = figure(6.4, 2.7, margins=(0.7, 0.1, 0.5, 0.1))
    for column, maps in enumerate(sees):
        ax.plot([column] * len(maps), maps, "s", color=BLUE, ms=11)
    ax.set(xticks=range(16), yticks=range(6), xlim=(-0.6, 15.6), ylim=(5.6, -0.6))
    ax.set(xlabel="map of the second convolution, C3", ylabel="map of S2")
    fig.alt = "Six maps of C3 see three neighbouring maps of S2, nine see four, and the last sees all six."
    return fig


@styled
def lrn(results: list[dict]):
    """Responses of neighbouring channels before (outline) and after LRN (filled), a panel for each size."""
    fig, axes = figure(6.4, 2.6, 1, len(results), margins=(0.62, 0.1, 0.52, 0.34), gaps=(0.5, 0.1))
    for ax, r in zip(axes, results, strict=True):
        place = np.arange(len(r["before"]))
        ax.bar(place, r["before"], 0.85, color=GRID)
        ax.bar(place, r["after"], 0.85, color=BLUE)
        ax.set_title(f"up to {r['scale']:g}")
        ax.grid(axis="x", visible=False)
        ax.set_xticks([])
    axes[0].set_ylabel("response")
    fig.text(0.55, 0.03, "16 channels at one pixel", ha="center")
    fig.alt = "Responses before (grey) and after LRN (blue). " + " ".join(
        f"Responses up to {r['scale']:g}: multiplied by {r['factor'].min():.2f} to {r['factor'].max():.2f}."
        for r in results
    )
    return fig


def _short(number):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {letter}"
    return f"{number:.0f}"


@styled
def costs(books: dict[str, dict]):
    """Where params and multiply-adds are: the share of convolutions and dense layers in each network."""
    fig, axes = figure(6.4, 3.4, 2, 1, margins=(0.85, 0.35, 0.3, 0.36), gaps=(0.1, 0.5))
    said = []
    for ax, what in zip(axes, ("params", "multiply_adds"), strict=True):
        for row, (name, parts) in enumerate(books.items()):
            total = sum(part[what] for part in parts.values())
            left = 0.0
            for (kind, part), colour in zip(parts.items(), (BLUE, ORANGE), strict=True):
                share = 100 * part[what] / total
                ax.barh(row, share, left=left, color=colour, height=0.7)
                if share > 14:
                    ax.text(left + share / 2, row, _short(part[what]), color=PAPER, ha="center", va="center", size=10)
                said.append(f"{name}: {share:.0f} % of the {what.replace('_', '-')} in its {kind}.")
                left += share
        ax.set(yticks=range(len(books)), yticklabels=list(books), xlim=(0, 100), ylim=(len(books) - 0.5, -0.5))
        ax.set_title({"params": "parameters", "multiply_adds": "multiply-adds"}[what])
        ax.grid(visible=False)
    axes[0].set_xticks([])
    axes[1].set_xticks([0, 50, 100], ["0 %", "50 %", "100 %"])
    fig.text(0.945, 0.945, "dense layers", color=ORANGE, ha="right", weight="bold")
    fig.text(0.7, 0.945, "convolutions", color=BLUE, ha="right", weight="bold")
    fig.alt = " ".join(said)
    return fig


@styled
def stacked(result: dict):
    """Params of one large kernel and of the stack that sees as far, and what each sees, measured."""
    fig, (counts, one, stack) = figure(
        6.4, 2.9, 1, 3, width_ratios=[1.35, 1, 1], margins=(0.72, 0.1, 0.54, 0.36), gaps=(0.2, 0.1)
    )
    k, n = result["size"], result["layers"]
    values = [result["params_one"], result["params_stack"]]
    counts.bar([0, 1], values, 0.7, color=[ORANGE, BLUE])
    for place, value in enumerate(values):
        counts.text(place, value, _short(value), ha="center", va="bottom")
    counts.set(xticks=[0, 1], xticklabels=[f"{k} x {k}", f"{n} of 3 x 3"], yticks=[], ylim=(0, 1.2 * max(values)))
    counts.grid(visible=False)
    counts.spines["left"].set_visible(False)
    counts.set_title("parameters")
    counts.set_xlabel(f"{result['inputs']} channels to {result['outputs']}")
    picture(one, result["field_one"], f"one {k} x {k} sees", cmap="viridis", low=0, high=1)
    picture(stack, result["field_stack"], "the stack sees", cmap="viridis", low=0, high=1)
    return fig


@styled
def probe(shares: dict[str, float]):
    """Share of digits that a linear layer reads from each stage."""
    fig, ax = figure(6.4, 2.8, margins=(1.25, 0.5, 0.52, 0.15))
    names = list(shares)
    values = 100 * np.array([shares[name] for name in names])
    ax.barh(range(len(names)), values, 0.65, color=BLUE)
    for row, value in enumerate(values):
        ax.text(value + 0.3, row, f"{value:.1f}", va="center")
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    ax.set(xlim=(70, 100), xlabel="read by a linear layer, % of test digits")
    ax.grid(axis="y", visible=False)
    fig.alt = "A linear layer reads " + ", ".join(f"{shares[n]:.1%} from {n}" for n in names) + "."
    return fig


@styled
def cures(curves: dict, moved: int | None = None):
    """Share of digits read by how far they are moved, for each cure: the mean over seeds, and each seed as a dot."""
    fig, ax = figure(6.4, 3.3, margins=(0.7, 1.75, 0.54, 0.15))
    names = [name for name in curves if name != "moved"]
    ends = []
    for name, colour in zip(names, (MUTED, BLUE, ORANGE), strict=True):
        mean = 100 * curves[name].mean(axis=0)
        ax.plot(curves["moved"], mean, color=colour)
        for seed in curves[name]:
            ax.plot(curves["moved"], 100 * seed, ".", color=colour, ms=4)
        ends.append((mean[-1], name, colour))
    for height, name, colour in ends:
        label(ax, name.replace(" average ", "\naverage "), (curves["moved"][-1], height), colour, (8, 0))
    ax.set(xlabel="moved by, pixels", ylabel="read right, %", ylim=(0, 102), xlim=(0, curves["moved"][-1]))
    marks(ax.xaxis, range(0, 9, 2))
    marks(ax.yaxis, [0, 50, 100])
    fig.alt = "Test digits read right by how far they are moved. " + " ".join(
        f"{name}: {curves[name].mean(axis=0)[0]:.0%} at rest, {curves[name].mean(axis=0)[6]:.0%} at 6 pixels."
        for name in names
    )
    return fig


def _part(ax, x, y, text, colour=BLUE):
    ax.add_patch(Rectangle((x - 1.05, y - 0.3), 2.1, 0.6, fc=PAPER, ec=colour, lw=1.4))
    ax.text(x, y, text, ha="center", va="center", size=10)


@styled
def residual_block():
    """Two residual blocks from above to below: the input added as it is, and after a 1 x 1 convolution."""
    fig, ax = figure(4.8, 4.6, margins=(0.05, 0.05, 0.05, 0.05))
    bare(ax)
    ax.set(xlim=(-1.6, 7.2), ylim=(-7.5, 0.9))
    parts = ("convolution", "batch norm", "ReLU", "convolution", "batch norm")
    for x, shortcut in ((0.0, None), (4.4, "1 x 1")):
        ax.text(x, 0.6, "$x$", ha="center", va="center")
        arrow(ax, (x, 0.35), (x, -0.55), INK)
        for k, part in enumerate(parts):
            _part(ax, x, -0.9 - k, part)
            arrow(ax, (x, -1.2 - k), (x, -1.58 - k if k < 4 else -5.62), INK)
        ax.plot([x, x + 1.8, x + 1.8], [0.0, 0.0, -5.85], color=ORANGE, lw=1.8)
        arrow(ax, (x + 1.8, -5.85), (x + 0.26, -5.85), ORANGE, lw=1.8, shrinkA=0)
        ax.plot(x, -5.85, "o", ms=15, mfc=PAPER, mec=INK, mew=1.4, zorder=4)
        ax.text(x, -5.87, "+", ha="center", va="center", size=14, zorder=5)
        arrow(ax, (x, -6.1), (x, -6.45), INK)
        _part(ax, x, -6.8, "ReLU")
        ax.text(x - 1.25, -2.9, "$f$", ha="center", va="center", color=BLUE)
        if shortcut:
            ax.add_patch(Rectangle((x + 1.2, -3.2), 1.2, 0.6, fc=PAPER, ec=ORANGE, lw=1.4, zorder=4))
            ax.text(x + 1.8, -2.9, shortcut, ha="center", va="center", size=10, zorder=5)
            ax.text(x + 2.6, -2.9, "$g$", ha="center", va="center", color=ORANGE)
    fig.alt = (
        "Two residual blocks. In both the input x goes through f: convolution, batch norm, ReLU, convolution, batch "
        "norm; then something is added, and a ReLU follows. In the left block x itself is added, carried past f by a "
        "line on which nothing is computed. In the right block it goes through a 1 x 1 convolution g on that line."
    )
    return fig


@styled
def depth_and_skip(result: dict):
    """Left: gradient norm by layer before training. Right: training loss of all depths, the chosen one thick."""
    fig, (left, right) = figure(6.4, 3.3, 1, 2, margins=(0.72, 0.95, 0.54, 0.34), gaps=(0.75, 0.1))
    powers(left.yaxis, -1, 2)
    left.set(xlim=(0, 40), ylim=(0.1, 200), xlabel="convolution", title="gradient at the start")
    left.plot(np.arange(1, result["depth"]), result["gradients"], ".-", color=BLUE)
    marks(left.xaxis, [1, 10, 20, 30, 40])
    window, ends = 20, []
    for depth, loss in result["losses"][result["skip"]].items():
        smooth = np.convolve(loss, np.ones(window) / window, "valid")
        chosen = depth == result["depth"]
        right.plot(
            np.arange(window, window + len(smooth)), smooth, color=BLUE if chosen else MUTED, lw=2.4 if chosen else 1.0
        )
        ends.append((smooth[-1], f"{depth} layers", BLUE if chosen else MUTED))
    name_ends(right, window + len(smooth), ends, 0.19)
    right.set(xlim=(0, window + len(smooth)), ylim=(0, 2.6), xlabel="step", title="training loss")
    marks(right.xaxis, [0, 100, 200])
    marks(right.yaxis, [0, 1, 2])
    return fig


@styled
def looked_at(results: list[dict]):
    """Digits, and which pixels the answer rests on: by the gradient, and by covering a square."""
    fig, axes = figure(6.4, 4.4, len(results), 3, margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.12, 0.12), squeeze=False)
    for row, r in zip(axes, results, strict=True):
        first = r is results[0]
        picture(row[0], r["image"], "digit" if first else "")
        picture(row[1], r["gradient"], "gradient" if first else "", cmap="viridis")
        limit = np.abs(r["occlusion"]).max()
        picture(row[2], r["occlusion"], "covered" if first else "", cmap="RdBu_r", low=-limit, high=limit)
    fig.alt = (
        "For each digit the size of its score's gradient by pixel, and how much of its lead is lost (red) or won "
        "(blue) when a square of 5 x 5 around a pixel is covered."
    )
    return fig


@styled
def where_it_looked(result: dict):
    """A digit, its Grad-CAM, and each place of the last maps with its own gradient."""
    fig, axes = figure(6.4, 2.45, 1, 3, margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.12, 0.12))
    picture(axes[0], result["image"], f"a {result['digit']}, asked for {result['asked']}")
    for ax, name, title in ((axes[1], "grad_cam", "Grad-CAM"), (axes[2], "place_by_place", "place by place")):
        picture(ax, result[name], title, low=0, high=max(result[name].max(), 1e-9), cmap="viridis")
        ax.contour(result["image"], levels=[0.4], colors="white", linewidths=0.9)
    return fig
