"""Pictures of chapter 01."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.ticker import NullLocator

from ..experiments.backpropagation import GRAPHS
from ._parts import arrow, edge, label
from ._style import BLUE, GOLD, INK, MUTED, ORANGE, PAPER, figure, styled


def _corners(ax, x, y):
    """The four inputs of a gate: filled where the answer is 1, hollow where it is 0."""
    for point, target in zip(x, y, strict=True):
        ax.plot(*point, "o", ms=10, mfc=INK if target else PAPER, mec=INK, mew=1.5, zorder=4)


@styled
def perceptrons(results: list[dict]):
    """Each gate with the line at which the trained perceptron changes its answer; the side of answer 1 is tinted."""
    fig, axes = figure(6.4, 2.55, 1, len(results), sharey=True, margins=(0.5, 0.1, 0.5, 0.5), gaps=(0.2, 0))
    axis = np.linspace(-0.5, 1.5, 161)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1)
    said = []
    for ax, result in zip(axes, results, strict=True):
        z = grid @ result["w"] + result["b"]
        ax.contourf(axis, axis, z, levels=[0, np.inf], colors=[BLUE], alpha=0.16)
        ax.contour(axis, axis, z, levels=[0], colors=[BLUE], linewidths=1.8)
        _corners(ax, result["x"], result["y"])
        mistakes = result["mistakes"]
        wrong = int(((result["x"] @ result["w"] + result["b"] > 0) != result["y"]).sum())
        ax.set_title(f"{result['gate']}\n{wrong} of 4 wrong", size=10)
        ax.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), xticks=[0, 1], yticks=[0, 1], xlabel="$x_1$", aspect="equal")
        ax.grid(visible=False)
        said.append(f"{result['gate']} {wrong} of 4 wrong after {len(mistakes)} epochs")
    axes[0].set_ylabel("$x_2$", rotation=0, labelpad=10)
    fig.alt = f"The line of a trained perceptron for each gate: {'; '.join(said)}."
    return fig


@styled
def graph(result: dict):
    """A small graph during its walk: values in blue, gradients in orange, the node at work outlined.

    `result` as from `experiments.backpropagation.walk`.
    """
    plan = GRAPHS[result["graph"]]
    values, grads, places = result["values"], result["grads"], plan["places"]
    # Narrow, so that it is legible on a phone; axes in inches: one column is 0.89 wide, one row 1.05 high.
    fig, ax = figure(5.3, 3.6, margins=(0.02, 0.02, 0.02, 0.42))
    at = {name: (0.4 + 0.89 * column, 1.58 + 1.05 * row) for name, (column, row) in places.items()}
    half = {name: (0.33, 0.3) if name in plan["operations"] else (0.21, 0.22) for name in at}
    for begin, end in result["edges"]:
        busy = result["now"] == end
        tail, tip = edge(at[begin], at[end], half[begin]), edge(at[end], at[begin], half[end])
        arrow(ax, tail, tip, INK if busy else MUTED, lw=1.8 if busy else 0.9, gap=0, zorder=1)
    for name, (x, y) in at.items():
        busy = name == result["now"]
        (wide, high), pad = half[name], 0.06
        box = FancyBboxPatch(
            (x - wide + pad, y - high + pad), 2 * (wide - pad), 2 * (high - pad), boxstyle=f"round,pad={pad}", fc=PAPER,
            ec=INK if busy else MUTED, lw=2 if busy else 0.8, zorder=2,
        )  # fmt: skip
        ax.add_patch(box)
        lines = [(name, INK, "normal"), (_number(values[name]) if name in values else "?", BLUE, "bold")]
        if name in plan["operations"]:
            lines.insert(1, (plan["operations"][name][0], MUTED, "normal"))
        for row, (text, colour, weight) in enumerate(lines):
            up = 0.18 * ((len(lines) - 1) / 2 - row)
            ax.text(x, y + up, text, ha="center", va="center", size=10, color=colour, weight=weight, zorder=3)
        if name in grads:
            where = y + (high + 0.13 if places[name][1] >= 0 else -high - 0.13)
            crossed = any(places[begin][1] > places[name][1] >= 0 for begin, end in result["edges"] if end == name)
            ax.text(
                x + 0.12 * crossed, where, f"∂L/∂{name} = {_number(grads[name])}", ha="center", va="center",
                color=ORANGE, size=9.5, bbox={"boxstyle": "square,pad=0.08", "fc": PAPER, "ec": "none"}, zorder=3,
            )  # fmt: skip
    ax.set(xlim=(0, 5.26), ylim=(0, 3.16))
    ax.axis("off")
    ax.set_title(result["text"] if len(result["text"]) < 62 else result["text"].replace(": ", ":\n", 1), size=10)
    return fig


def _number(value):
    return f"{value:g}".replace("-", "−")


@styled
def xor_network(losses, plane: dict, x, y):
    """Loss by step, and the plane: tinted where the network's output is above one half."""
    fig, (left, right) = figure(6.4, 2.9, 1, 2, width_ratios=[1.5, 1], gaps=(0.7, 0.5))
    left.plot(np.arange(1, len(losses) + 1), losses, color=BLUE)
    left.set(xlim=(0, len(losses)), ylim=(0, None), xlabel="step", ylabel="loss")
    right.contourf(plane["x"], plane["y"], plane["value"], levels=[0.5, np.inf], colors=[BLUE], alpha=0.16)
    right.contour(plane["x"], plane["y"], plane["value"], levels=[0.5], colors=[BLUE], linewidths=1.8)
    _corners(right, x, y)
    right.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xticks=[0, 1], yticks=[0, 1], xlabel="$x_1$", aspect="equal")
    right.set_title("output above ½", size=10)
    right.set_ylabel("$x_2$", rotation=0, labelpad=8)
    right.grid(visible=False)
    fig.alt = (
        f"The loss falls from {losses[0]:.2f} to {losses[-1]:.1e}. In the plane, two lines or a bent one now separate "
        "the corners (0, 1) and (1, 0) from the two others."
    )
    return fig


@styled
def difference(result: dict):
    """Error of the measured gradient by step size, from 1 down to the step chosen, large steps on the right."""
    steps, error = result["steps"], result["error"].clip(1e-13, 10)
    fig, ax = figure(6.4, 3.3)
    ax.plot(steps, error, color=BLUE)
    ax.plot(steps[-1], error[-1], "o", color=ORANGE, ms=8, zorder=4)
    label(
        ax,
        f"{result['error'][-1]:.0e}",
        (steps[-1], error[-1]),
        ORANGE,
        (0, 9) if steps[-1] < 1e-13 else (-8, -2),
        ha="left" if steps[-1] < 1e-13 else "right",
        va="baseline",
    )
    ax.set(xscale="log", yscale="log", xlim=(5e-16, 2), ylim=(3e-13, 40), xlabel="step size ε")
    ax.set(ylabel="relative error", xticks=10.0 ** np.arange(-15, 1, 3), yticks=10.0 ** np.arange(-12, 1, 3))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    ax.set_title(f"{result['formula']} difference, {result['arithmetic']}")
    return fig


@styled
def best_steps(curves: dict[str, list[dict]]):
    """Error by step size for several ways to measure: thin lines are seeds, a dot is the best step of each."""
    fig, ax = figure(6.4, 3.6)
    said = []
    looks = ((BLUE, -7, "right"), (GOLD, -7, "right"), (ORANGE, 7, "left"), (INK, 7, "left"))
    for (colour, aside, side), (name, runs) in zip(looks, curves.items(), strict=False):
        for run in runs:
            error = run["error"].clip(1e-13, 10)
            best = error.argmin()
            ax.plot(run["steps"], error, color=colour, lw=0.9)
            ax.plot(run["steps"][best], error[best], "o", color=colour, ms=5)
        where = np.exp(np.mean([np.log(run["steps"][run["error"].argmin()]) for run in runs]))
        lowest = min(run["error"].clip(1e-13).min() for run in runs)
        label(ax, name, (where, lowest), colour, (aside, -6), ha=side, va="top")
        said.append(f"{name} is best near {where:.0e}")
    ax.set(xscale="log", yscale="log", xlim=(1e-12, 1.5), ylim=(2e-14, 20), xlabel="step size ε")
    ax.set(ylabel="relative error", xticks=10.0 ** np.arange(-12, 1, 2), yticks=10.0 ** np.arange(-12, 1, 3))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    fig.alt = f"V-shaped curves of the error of finite differences: {'; '.join(said)}."
    return fig


@styled
def gradients(result: dict):
    """Norm of the weight gradient by layer, sigmoid against ReLU, and a line that falls to a quarter a layer."""
    depth = result["depth"]
    fig, ax = figure(6.4, 3.4, margins=(0.72, 0.15, 0.54, 0.32))
    layers = np.arange(1, depth + 2)
    last = result["sigmoid"][-1]
    ax.plot(layers, last * 0.25 ** (depth + 1 - layers), color=MUTED, lw=1, ls="--")
    for name, colour, text, up in (("relu", ORANGE, "ReLU", 8), ("sigmoid", BLUE, "sigmoid", -8)):
        ax.plot(layers, result[name], "o-", color=colour, ms=3.5)
        middle = (layers[depth // 2], result[name][depth // 2])
        label(ax, text, middle, colour, (6, up), va="bottom" if up > 0 else "top")
    ax.annotate("dashed: ¼ a layer", (0.98, 0.05), xycoords="axes fraction", color=MUTED, ha="right", size=9)
    ax.set(yscale="log", ylim=(1e-20, 1e5), yticks=10.0 ** np.arange(-18, 1, 6), xlim=(0.5, depth + 1.5))
    ax.set(xlabel="layer (the loss is on the right)", ylabel="length of the gradient")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xticks(np.unique(np.linspace(1, depth + 1, min(depth + 1, 11)).round().astype(int)))
    ax.set_title(f"{depth} hidden layers, {result['start']} sigmoid start")
    return fig


@styled
def deep_training(runs: dict[str, dict], window: int = 20):
    """Running mean of the loss, and how far the weights of each layer moved."""
    fig, (left, right) = figure(6.4, 3.3, 1, 2, width_ratios=[1.3, 1], gaps=(0.85, 0.5), margins=(0.68, 0.3, 0.54, 0.4))
    said = []
    for colour, (name, run) in zip((BLUE, ORANGE, GOLD, INK), runs.items(), strict=False):
        smooth = np.convolve(run["loss"], np.ones(window) / window, "valid")
        left.plot(np.arange(window, window + len(smooth)), smooth, color=colour)
        middle = int(0.45 * len(smooth))
        at = (window + middle, smooth[middle])
        label(left, name, at, colour, (0, 6), va="baseline")
        layers = np.arange(1, len(run["moved"]) + 1)
        right.plot(layers, run["moved"], "o-", color=colour, ms=3.5)
        said.append(f"{name} ends at loss {smooth[-1]:.3f} with {run['accuracy']:.0%} right")
    left.set(xlim=(0, window + len(smooth)), ylim=(0, 0.13), xlabel="step", ylabel=f"loss, mean of {window} steps")
    right.set(yscale="log", ylim=(1e-4, 2), xlabel="layer", xticks=layers)
    right.set_title("how far its weights moved", size=10)
    fig.alt = f"By the end: {'; '.join(said)}."
    return fig


@styled
def units():
    """The network that computes XOR by hand, as units and arrows with their weights."""
    fig, ax = figure(4.8, 2.7, margins=(0.02, 0.02, 0.05, 0.05))
    at = {"$x_1$": (0, 1.2), "$x_2$": (0, 0), "$h_1$": (2.2, 1.2), "$h_2$": (2.2, 0), "out": (4.4, 0.6)}
    edges = [
        ("$x_1$", "$h_1$", "1", 0.5), ("$x_1$", "$h_2$", "1", 0.22), ("$x_2$", "$h_1$", "1", 0.22),
        ("$x_2$", "$h_2$", "1", 0.5), ("$h_1$", "out", "1", 0.5), ("$h_2$", "out", "−2", 0.5),
    ]  # fmt: skip
    for begin, end, weight, share in edges:
        (x0, y0), (x1, y1) = at[begin], at[end]
        arrow(ax, (x0, y0), (x1, y1), INK, lw=1.2, gap=15)
        x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        box = {"boxstyle": "round,pad=0.15", "fc": PAPER, "ec": "none"}
        ax.text(x, y, weight, color=ORANGE, ha="center", va="center", weight="bold", bbox=box)
    for name, (x, y) in at.items():
        ax.plot(x, y, "o", ms=30, mfc=PAPER, mec=MUTED if name.startswith("$x") else BLUE, mew=1.6, zorder=3)
        ax.text(x, y, name, ha="center", va="center", zorder=4)
    for name, bias in (("$h_1$", "bias 0, ReLU"), ("$h_2$", "bias −1, ReLU"), ("out", "bias 0")):
        x, y = at[name]
        ax.text(x, y - 0.42, bias, color=MUTED, size=9, ha="center", va="top")
    for x, title in ((0, "inputs"), (2.2, "hidden layer"), (4.4, "output")):
        ax.text(x, 1.78, title, ha="center", va="bottom")
    ax.set(xlim=(-0.6, 5.0), ylim=(-0.75, 2.05))
    ax.axis("off")
    fig.alt = (
        "A network as circles and arrows: two inputs lead to two hidden units with weight 1 each; the first hidden "
        "unit leads to the output with weight 1, the second, with bias -1, with weight -2."
    )
    return fig


@styled
def shapes(examples=4, inputs=3, units=2):
    """A dense layer and its way back as rectangles whose sides are the lengths of the axes."""
    fig, ax = figure(4.6, 4.8, margins=(0.02, 0.02, 0.02, 0.02))
    unit = 0.27

    def block(x, y, rows, columns, name, colour):
        high, wide = unit * rows, unit * columns
        ax.add_patch(Rectangle((x, y - high / 2), wide, high, fc=colour, alpha=0.18, ec="none"))
        ax.add_patch(Rectangle((x, y - high / 2), wide, high, fill=False, ec=colour, lw=1.4))
        ax.text(x + wide / 2, y, name, ha="center", va="center", size=10)
        return x + wide

    n, d, m = examples, inputs, units
    rows = [
        (4.6, [("$X$", n, d, BLUE), "·", ("$W$", d, m, BLUE), "+", ("$b$", 1, m, BLUE), "=", ("out", n, m, GOLD)],
         "(N, D) · (D, M) + (M,) → (N, M)"),
        (2.85, [("$X^T$", d, n, BLUE), "·", ("dout", n, m, ORANGE), "=", ("d$W$", d, m, ORANGE)],
         "(D, N) · (N, M) → (D, M)"),
        (1.1, [("dout", n, m, ORANGE), "·", ("$W^T$", m, d, BLUE), "=", ("d$X$", n, d, ORANGE)],
         "(N, M) · (M, D) → (N, D)"),
    ]  # fmt: skip
    for y, parts, told in rows:
        x = 0.15
        for part in parts:
            if isinstance(part, str):
                ax.text(x + 0.2, y, part, ha="center", va="center", size=13)
                x += 0.4
            else:
                name, high, wide, colour = part
                x = block(x, y, high, wide, name, colour)
        ax.text(0.15, y - 0.82, told, va="center", size=10, color=MUTED)
    ax.set(xlim=(0, 5.0), ylim=(0, 5.3))
    ax.axis("off")
    fig.alt = (
        "Rectangles for a dense layer of 4 examples, 3 inputs, 2 units. X with 4 rows and 3 columns times W with 3 and "
        "2 plus b gives out with 4 and 2. On the way back X transposed times dout gives dW, and dout times W "
        "transposed gives dX."
    )
    return fig


@styled
def ball(result: dict):
    """The loss w squared with the places at which gradient descent was, numbered."""
    fig, ax = figure(5.2, 3.2)
    axis = np.linspace(-3, 3, 121)
    ax.plot(axis, axis**2, color=MUTED)
    w = result["w"].clip(-3, 3)
    ax.plot(w, w**2, "o-", color=ORANGE, lw=1, ms=6, mec=PAPER)
    for step in range(4):
        label(ax, str(step), (w[step], w[step] ** 2), offset=(9, 2), size=9)
    ax.set(xlim=(-3, 3), ylim=(-0.3, 9), xlabel="weight w", ylabel="loss w²", title=f"rate {result['rate']:.3g}")
    return fig
