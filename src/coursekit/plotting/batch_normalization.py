"""Pictures of chapter 06."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import FancyBboxPatch, Polygon

from ._parts import LN10, arrow, edge, label
from ._style import BLUE, GOLD, GREEN, INK, MUTED, ORANGE, PAPER, figure, styled

COLOURS = {"none": ORANGE, "batch norm": BLUE, "layer norm": GREEN, "batch norm and noise": GOLD}
NAMES = {name: name for name in COLOURS} | {"none": "no norm", "batch norm and noise": "with noise"}


def _guessing(ax):
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")


@styled
def training_curve(result: dict):
    """Loss by step, with ln 10, and the standard deviation of every hidden layer's outputs before training."""
    loss, signal = result["loss"], result["signal"]
    fig, (left, right) = figure(
        6.4, 3.1, 1, 2, width_ratios=[3, 1.5], gaps=(0.85, 0.5), margins=(0.6, 0.12, 0.54, 0.34)
    )
    _guessing(left)
    label(left, "ln 10, guessing", (len(loss), LN10), offset=(0, 4), ha="right", size=9, va="baseline")
    left.plot(np.arange(1, len(loss) + 1), np.minimum(loss, 4.9), color=COLOURS[result["norm"]])
    if np.isnan(loss).any():
        left.text(len(loss) / 2, 3.6, "diverged", ha="center", color=COLOURS[result["norm"]])
    left.set(xlim=(0, len(loss)), ylim=(0, 5), xlabel="step", ylabel="loss, nats")
    left.set_title(f"{NAMES[result['norm']]}, weights of std {result['std']:.2g}, rate {result['lr']:.2g}", size=10)
    right.plot(np.arange(1, len(signal) + 1), signal.clip(1e-16), "o-", color=INK, ms=4)
    right.set(yscale="log", ylim=(1e-16, 1e5), yticks=[1e-15, 1e-10, 1e-5, 1], xlabel="hidden layer")
    right.set(xticks=np.arange(1, len(signal) + 1))
    right.set_title("std of its outputs", size=10)
    return fig


@styled
def sixteen(results: list[dict]):
    """The losses of each of the sixteen scales in a small panel of its own, one colour for each network."""
    fig, axes = figure(
        6.4, 5.0, 4, 4, sharex=True, sharey=True, margins=(0.55, 0.1, 0.5, 0.55), gaps=(0.12, 0.28),
    )  # fmt: skip
    for ax, std, k in zip(axes.flat, results[0]["std"], range(16), strict=True):
        _guessing(ax)
        for result in results:
            loss = np.minimum(result["loss"][k], 3)
            ax.plot(np.arange(1, len(loss) + 1), loss, color=COLOURS[result["norm"]], lw=1.3)
        ax.set(xlim=(0, len(loss)), ylim=(0, 3), yticks=[0, 1, 2], xticks=[0, len(loss) // 2])
        ax.set_title(f"std {std:.2g}", size=9, pad=2)
    for place, result in enumerate(results):
        fig.text(0.55 / 6.4 + 0.22 * place, 0.955, NAMES[result["norm"]], color=COLOURS[result["norm"]], weight="bold")
    fig.supxlabel("step", size=11, y=0.015)
    fig.supylabel("loss, nats", size=11, x=0.012)
    fig.alt = "Sixteen panels of training curves, one for each std of the weights. " + " ".join(
        f"{NAMES[r['norm']].capitalize()} ends below a loss of 1 in {count_trained(r)} of them." for r in results
    )
    return fig


def count_trained(result: dict) -> int:
    """In how many panels the mean of the last 20 losses is below 1."""
    return int((result["loss"][:, -20:].mean(axis=1) < 1).sum())


@styled
def learning_rates(results: list[dict]):
    """Final loss by learning rate, a line for each network; it ends where training diverges."""
    fig, ax = figure(6.4, 3.5, margins=(0.62, 1.0, 0.54, 0.3))
    _guessing(ax)
    said = []
    for result in results:
        rates, last, colour = result["rates"], result["last"], COLOURS[result["norm"]]
        ax.plot(rates, last, "o-", color=colour)
        works = rates[last < 0.5]
        said.append(f"{NAMES[result['norm']]} from {works.min():.2g} to {works.max():.2g}")
        best = np.nanargmin(last)
        if np.isnan(last[-1]):
            end = np.flatnonzero(np.isfinite(last))[-1]
            label(ax, "diverges", (rates[end], last[end]), colour, (5, 6), va="baseline")
        ax.plot(rates[best], last[best], "o", color=colour, ms=8, mfc=PAPER, mew=2, zorder=4)
    for place, result in enumerate(results):
        ax.annotate(
            NAMES[result["norm"]], (1.02, 0.9 - 0.12 * place), xycoords="axes fraction", color=COLOURS[result["norm"]]
        )
    ax.set(xscale="log", xlabel="learning rate", ylabel="mean of the last 20 losses", ylim=(0, 2.6))
    fig.alt = "Final loss by learning rate. Below a loss of 0.5: " + "; ".join(said) + "."
    return fig


@styled
def statistics_noise(result: dict):
    """Left: normalized values of one digit in many batches. Right: errors of mean and std by batch size."""
    size = result["size"]
    fig, (left, right) = figure(
        6.4, 3.1, 1, 2, width_ratios=[1.4, 1], gaps=(0.75, 0.5), margins=(0.68, 0.15, 0.54, 0.34)
    )
    left.hist(result["x_hat"].clip(-3, 3), bins=np.linspace(-3, 3, 61), color=BLUE, histtype="stepfilled")
    left.axvline(result["exact"], color=ORANGE, ls="--")
    label(left, "all digits", (result["exact"], 1), ORANGE, (5, -12), xycoords=("data", "axes fraction"), va="baseline")
    left.set(xlim=(-3, 3), xlabel="normalized value of one digit", ylabel="batches of 1,000")
    left.set_title(f"in batches of {size}", size=11)
    sizes = result["sizes"]
    right.plot(sizes, 1 / np.sqrt(sizes), color=MUTED, lw=1, ls="--")
    label(right, "1/√B", (sizes[-2], 1 / np.sqrt(sizes[-2])), offset=(0, 6), size=10, va="baseline")
    right.plot(sizes, result["mean_error"], "o", color=BLUE)
    right.plot(sizes, result["std_error"], "o", color=GREEN)
    here = list(sizes).index(size) if size in sizes else None
    if here is not None:
        right.plot(size, result["mean_error"][here], "o", color=BLUE, ms=9, mfc=PAPER, mew=2)
    right.text(2.2, 0.045, "mean", color=BLUE)
    right.text(2.2, 0.031, "std", color=GREEN)
    right.set(xscale="log", yscale="log", xlim=(1.6, 320), ylim=(0.025, 1), xlabel="batch size B")
    right.set(xticks=[2, 8, 32, 128], xticklabels=[2, 8, 32, 128], yticks=[0.03, 0.1, 0.3, 1])
    right.set(yticklabels=["0.03", "0.1", "0.3", "1"])
    right.minorticks_off()
    right.set_title("error, in std", size=11)
    return fig


@styled
def two_modes(result: dict):
    """Left: accuracy of one trained net by the way it is asked. Right: both modes early in training."""
    rows = {f"training, B = {n}": value for n, value in result["training"].items()}
    rows = {"eval mode": result["eval"], **dict(reversed(rows.items())), "one class, B = 12": result["sorted"]}
    fig, (left, right) = figure(
        6.4, 3.2, 1, 2, width_ratios=[1.1, 1], gaps=(0.65, 0.5), margins=(1.45, 0.12, 0.54, 0.34)
    )
    for place, (name, value) in enumerate(reversed(rows.items())):
        colour = BLUE if name == "eval mode" else ORANGE
        left.barh(place, 100 * value, color=colour, height=0.65)
        label(left, f"{100 * value:.0f}", (100 * value, place), size=10)
    left.set(yticks=range(len(rows)), yticklabels=list(reversed(rows)), xlim=(0, 112), xlabel="test accuracy, %")
    left.grid(axis="y", visible=False)
    left.set_title("one network", size=11)
    for (mode, values), colour in zip(result["by_step"].items(), (BLUE, ORANGE), strict=True):
        right.plot(np.arange(1, len(values) + 1), 100 * values, color=colour, label=mode)
    right.text(11, 42, "eval mode", color=BLUE)
    right.text(12, 57, "training mode", color=ORANGE)
    right.set(xlim=(0, len(values)), ylim=(0, 100), xlabel="training step", ylabel="%")
    right.set_title("early in training", size=11)
    fig.alt = "Test accuracy: " + ", ".join(f"{name} {value:.0%}" for name, value in rows.items()) + "."
    return fig


@styled
def noise_race(results: list[dict], window: int = 20):
    """Running mean of the loss of the three nets, a line for each seed."""
    fig, ax = figure(6.4, 3.3, margins=(0.62, 1.0, 0.54, 0.3))
    _guessing(ax)
    for result in results:
        for norm, run in result.items():
            smooth = np.convolve(run["loss"], np.ones(window) / window, "valid")
            ax.plot(np.arange(window, window + len(smooth)), smooth, color=COLOURS[norm], lw=1.1)
    for place, norm in enumerate(("none", "batch norm and noise", "batch norm")):
        ax.annotate(NAMES[norm], (1.02, 0.3 - 0.12 * place), xycoords="axes fraction", color=COLOURS[norm])
    ax.set(xlabel="step", ylabel=f"loss, mean of {window} steps", ylim=(0, 2.6), xlim=(0, len(run["loss"])))
    last = {n: np.mean([r[n]["loss"][-window:].mean() for r in results]) for n in results[0]}
    fig.alt = "Loss at the end: " + ", ".join(f"{NAMES[n]} {value:.2f}" for n, value in last.items()) + "."
    return fig


@styled
def ghosts(table: dict[str, list[dict]]):
    """Loss on the training and on the test digits by the size of the groups; dots are seeds."""
    fig, ax = figure(6.0, 3.2, margins=(0.62, 1.0, 0.54, 0.3))
    places = np.arange(len(table))
    for key, colour, name in (("test_loss", BLUE, "test"), ("train_loss", ORANGE, "training")):
        values = np.array([[run[key] for run in runs] for runs in table.values()])
        for seed in values.T:
            ax.plot(places, seed, "o", color=colour, alpha=0.45)
        ax.plot(places, values.mean(axis=1), color=colour)
        label(ax, name, (places[-1], values[-1].mean()), colour, (10, 3), va="baseline")
    ax.set(xticks=places, xticklabels=list(table), ylim=(0, None), ylabel="loss after training, nats")
    ax.set(xlabel="examples that share their statistics")
    means = {name: np.mean([run["test_loss"] for run in runs]) for name, runs in table.items()}
    fig.alt = "Mean test loss: " + ", ".join(f"{name}: {value:.2f}" for name, value in means.items()) + "."
    return fig


@styled
def few_digits(result: dict):
    """Accuracy on new digits by learning rate, a line for each network; rings are what validation digits choose."""
    fig, ax = figure(6.4, 3.4, margins=(0.62, 1.15, 0.54, 0.2))
    rates, said = result["rates"], []
    for (name, runs), colour in zip(
        ((name, runs) for name, runs in result.items() if name != "rates"), (ORANGE, BLUE, GREEN), strict=True
    ):
        mean, best = 100 * runs["accuracy"].mean(axis=1), runs["validation"].mean(axis=1).argmax()
        ax.plot(rates, mean, "o-", color=colour)
        ax.plot(rates[best], mean[best], "o", color=colour, ms=8, mfc=PAPER, mew=2, zorder=4)
        place = 0.9 - 0.12 * len(said)
        ax.annotate(name, (1.02, place), xycoords="axes fraction", color=colour)
        said.append(f"{name} {mean[best]:.1f} % at rate {rates[best]:.2g}")
    ax.set(xscale="log", xlabel="learning rate", ylabel="new digits right, %", ylim=(60, 100))
    fig.alt = "Accuracy on new digits by learning rate. At the rate that validation digits choose: " + "; ".join(said)
    return fig


# Where each node stands, in inches: centre, half width; and what it is called.
_NODES = {
    "x": ((0.62, 2.4), "$x$"),
    "mean": ((1.42, 0.62), "$\\mu$"),
    "centred": ((2.22, 2.4), "$c = x - \\mu$"),
    "var": ((3.02, 0.62), "$v$, mean of $c^2$"),
    "scale": ((4.42, 0.62), "$r = (v + \\epsilon)^{-1/2}$"),
    "x_hat": ((3.95, 2.4), "$\\hat x = c \\cdot r$"),
    "out": ((5.65, 2.4), "$\\gamma \\hat x + \\beta$"),
}
_EDGES = (
    ("x", "mean"), ("x", "centred"), ("mean", "centred"), ("centred", "var"), ("var", "scale"), ("scale", "x_hat"),
    ("centred", "x_hat"), ("x_hat", "out"),
)  # fmt: skip


@styled
def backward_graph(walk: dict):
    """The graph of batch norm for one feature: values in blue, gradients in orange, three examples below each other."""
    fig, ax = figure(6.4, 3.6, margins=(0.02, 0.02, 0.02, 0.02))
    _draw_graph(ax, walk, {name: walk[name][1] for name in _NODES})
    fig.alt = (
        "Graph of batch norm for one feature and three examples. x has the values "
        f"{', '.join(map(_two, walk['x'][0]))} and the gradients {', '.join(map(_two, walk['x'][1]))}."
    )
    return fig


@styled
def backward_steps(result: dict):
    """The same graph at one step of the way back: what takes part is lit, later gradients are not yet known."""
    fig, ax = figure(6.4, 3.9, margins=(0.02, 0.02, 0.02, 0.32))
    walk, parts = result["walk"], result["parts"]
    shown = {
        name: walk[name][1] if known == 2 else parts[name][0]
        for name, known in result["known"].items()
        if name in _NODES and known
    }
    _draw_graph(ax, walk, shown, result["lit"])
    said = {2: ("centred", 1), 4: ("centred", 2), 5: ("x", 1), 6: ("x", 2)}.get(result["step"])
    if said:
        node, count = said
        name = {"centred": "c", "x": "x"}[node]
        rows = [" + ".join(map(_two, row[:count])).replace("+ −", "− ") for row in zip(*parts[node], strict=True)]
        head = f"gradient of {name}:\n{'first part' if count == 1 else 'both parts'}"
        ax.text(5.75, 0.95, "\n".join([head, *rows]), color=ORANGE, size=10, ha="center", va="center")
    ax.set_title(result["words"], size=11)
    return fig


def _draw_graph(ax, walk, gradients, lit=()):
    """Nodes with their values, the gradients that are known, and the lit ones with a stronger edge."""
    half = {name: (0.62, 0.55 if np.ndim(walk[name][0]) else 0.32) for name in _NODES}
    for begin, end in _EDGES:
        (x0, y0), (x1, y1) = _NODES[begin][0], _NODES[end][0]
        tip, tail = edge((x1, y1), (x0, y0), half[end]), edge((x0, y0), (x1, y1), half[begin])
        both = begin in lit and end in lit
        arrow(ax, tail, tip, ORANGE if both else MUTED, lw=1.6 if both else 0.6, gap=0, zorder=1)
    for name, ((x, y), text) in _NODES.items():
        wide, high = half[name]
        ax.add_patch(
            FancyBboxPatch(
                (x - wide + 0.06, y - high + 0.06),
                2 * wide - 0.12,
                2 * high - 0.12,
                boxstyle="round,pad=0.06",
                fc=PAPER,
                ec=ORANGE if name in lit else MUTED,
                lw=2 if name in lit else 0.8,
                zorder=2,
            )
        )
        ax.text(x, y + high - 0.16, text, ha="center", va="center", size=10, zorder=3)
        for row, value in enumerate(np.atleast_1d(walk[name][0])):
            height = y + high - 0.42 - 0.24 * row
            ax.text(x - 0.06, height, _two(value), ha="right", va="center", size=10, color=BLUE, zorder=3)
            known = _two(np.atleast_1d(gradients[name])[row]) if name in gradients else "?"
            ax.text(x + 0.56, height, known, ha="right", va="center", size=10, color=ORANGE, zorder=3)
    ax.text(0.02, 3.42, "value", color=BLUE, va="center")
    ax.text(0.62, 3.42, "gradient of the loss", color=ORANGE, va="center")
    ax.set(xlim=(-0.02, 6.32), ylim=(0.05, 3.6))
    ax.axis("off")


def _two(number):
    return f"{number:.2f}".replace("-", "−")


def _cube(ax, owner, first):
    """A block of (N, C, pixels) drawn at an angle: the three faces that are seen, entries that share in one colour."""
    images, channels, pixels = owner.shape
    back = np.array([0.42, 0.34])  # one step to the next image

    def tile(corner, right, up, mine):
        a = np.array(corner)
        points = [a, a + right, a + right + up, a + up]
        ax.add_patch(Polygon(points, closed=True, fc=BLUE if mine else PAPER, ec=MUTED, lw=0.6))

    for c in range(channels):
        for p in range(pixels):
            tile((c, p), np.array([1.0, 0]), np.array([0, 1.0]), owner[0, c, p] == first)
        for n in range(images):
            tile((c, pixels) + n * back, np.array([1.0, 0]), back, owner[n, c, -1] == first)
    for n in range(images):
        for p in range(pixels):
            tile((channels, p) + n * back, back, np.array([0, 1.0]), owner[n, -1, p] == first)
    ax.set(xlim=(-0.3, channels + images * back[0] + 0.2), ylim=(-0.3, pixels + images * back[1] + 0.2), aspect="equal")


@styled
def shared_statistics(result: dict):
    """A batch of images as a block of channels, pixels and examples; what shares the first mean is blue."""
    fig, ax = figure(4.6, 4.0, margins=(0.5, 0.3, 0.45, 0.55))
    owner = result["owner"]
    _cube(ax, owner, owner[0, -1, 0])
    ax.set_xlabel("channel C")
    ax.set_ylabel("pixel H × W")
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)
    ax.annotate("example N", (owner.shape[1] + 1.1, 0.15), color=MUTED, rotation=38, size=10)
    name = result["norm"] if result["norm"] != "group norm" else f"group norm, {result['groups']} groups"
    ax.set_title(f"{name}:\n{result['count']} means, each of {result['each']} entries", size=10.5)
    return fig


@styled
def gradients_by_block(result: dict):
    """The length of the gradient of each block's weights before the first step."""
    fig, ax = figure(6.0, 3.0, margins=(0.72, 0.2, 0.52, 0.32))
    norms = result["norms"]
    ax.plot(np.arange(1, len(norms) + 1), norms, "o-", color=BLUE if result["place"] == "pre-norm" else ORANGE, ms=4)
    ax.set(yscale="log", ylim=(0.1, 10), xlim=(0.5, len(norms) + 0.5), xlabel="block, 1 is next to the inputs")
    ax.set_ylabel("length of the gradient")
    ax.set_title(f"{result['place']}, {result['blocks']} blocks, before training")
    return fig
