"""Pictures of chapter 07."""

from __future__ import annotations

import functools

import numpy as np

from ..experiments.optimizers import SURFACES
from ._parts import LN10, apart, arrow, label
from ._style import BLUE, GOLD, GREEN, INK, MUTED, ORANGE, PAPER, PINK, SKY, figure, powers, styled

# Colour and line of each optimizer; a look-ahead is the dashed partner.
LOOKS = {
    "gradient descent": (BLUE, "-"),
    "momentum": (ORANGE, "-"),
    "Nesterov": (ORANGE, "--"),
    "AdaGrad": (GREEN, "-"),
    "RMSProp": (PINK, "-"),
    "AdaDelta": (GOLD, "-"),
    "Adam": (SKY, "-"),
    "AMSGrad": (SKY, ":"),
    "Nadam": (SKY, "--"),
}

# Heights at which lines are drawn; those of "two minima" include the pass between the two, 0.4167.
LEVELS = {
    "valley": (0.06, 0.25, 0.6, 1.2, 2.2, 4, 7, 11),
    "Rosenbrock": (0.5, 4, 16, 60, 150, 400, 1000, 2000),
    "saddle": (0.02, 0.08, 0.16, 0.25, 0.4, 0.7, 1.2, 2),
    "two minima": (0.03, 0.12, 0.24, 0.31, 0.36, 0.4167, 0.5, 0.8, 1.4, 2.2, 3.2),
}


def _contours(ax, surface, lowest=np.inf):
    """Lines of equal height, and a star at the minimum; `lowest` is a y that is to be seen, too."""
    ground = SURFACES[surface]
    left, right, bottom, top = ground.view
    bottom = min(bottom, lowest)
    x, y = np.meshgrid(np.linspace(left, right, 61), np.linspace(bottom, top, 49))
    height = ground.value(x, y) - ground.value(*ground.minimum)
    ax.contour(x, y, height, levels=LEVELS[surface], colors=MUTED, linewidths=0.7, alpha=0.65)
    ax.plot(*ground.minimum, marker="*", color=INK, ms=9, ls="none", zorder=4)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.grid(visible=False)


def _path(ax, points, colour, *, marks=True):
    points = points[~np.isnan(points[:, 0])]
    every = max(1, len(points) // 50)
    ax.plot(*points.T, color=colour, lw=1.3, marker="o" if marks else None, ms=2.6, zorder=3, markevery=every)
    ax.plot(*points[0], marker="o", mfc=PAPER, mec=colour, ms=7, ls="none", zorder=5)


@styled
def paths(result: dict):
    """The path on the surface and how high it is at every step; `result` as from `experiments.optimizers.paths`."""
    left, right, bottom, top = SURFACES[result["surface"]].view
    wide = (right - left) > 2 * (top - bottom)
    if wide:
        fig, (ground, curve) = figure(
            6.4, 4.0, 2, 1, height_ratios=[2.1, 1.2], margins=(0.75, 0.12, 0.5, 0.3), gaps=(0, 0.55)
        )
    else:
        fig, (ground, curve) = figure(6.4, 3.3, 1, 2, width_ratios=[1.25, 1], gaps=(0.85, 0.5))
    _contours(ground, result["surface"])
    _path(ground, result["path"], BLUE)
    ground.set(xlabel="" if wide else "x", ylabel="y", title=f"{result['optimizer']}, rate {result['rate']:.3g}")
    height = result["height"]
    curve.plot(np.arange(len(height)), height.clip(1e-9), color=BLUE)
    powers(curve.yaxis, -8, 4, 4)
    curve.set(ylim=(1e-9, 1e5), xlim=(0, result["steps"]), xlabel="step")
    curve.set_ylabel("height" if wide else "height above the minimum")
    if result["left"]:
        curve.axvline(result["left"], color=ORANGE, ls="--", lw=1)
        side = "right" if result["left"] > 0.6 * result["steps"] else "left"
        label(curve, "gone", (result["left"], 1e-7), ORANGE, (-4 if side == "right" else 4, 0), ha=side, va="baseline")
    fig.alt = f"Path of {result['optimizer']} at rate {result['rate']:.3g} on the surface called {result['surface']}."
    return fig


@styled
def many_paths(results: list[dict], columns=3):
    """Small pictures of paths on one surface, each with its optimizer's name, rate and last height."""
    rows = -(-len(results) // columns)
    fig, axes = figure(
        6.6, 0.4 + 1.27 * rows, rows, columns, sharex=True, sharey=True, margins=(0.45, 0.1, 0.35, 0.3),
        gaps=(0.12, 0.33),
    )  # fmt: skip
    for ax, result in zip(axes.flat, results, strict=True):
        _contours(ax, result["surface"])
        _path(ax, result["path"], LOOKS[result["optimizer"]][0], marks=False)
        ax.set_title(f"{result['optimizer']}, {result['rate']:g}", size=9.5)
        ax.tick_params(labelsize=8)
    ends = ", ".join(f"{r['optimizer']} {r['height'][-1]:.2g}" for r in results)
    fig.alt = f"Paths of {len(results)} optimizers on the valley from one start. Height at the end: {ends}."
    return fig


@styled
def newton(results: list[dict]):
    """Newton's steps on surfaces side by side; the arrow is the direction of steepest descent at the start."""
    fig, axes = figure(6.6, 2.5, 1, len(results), margins=(0.35, 0.1, 0.3, 0.32), gaps=(0.45, 0.3))
    for ax, result in zip(axes, results, strict=True):
        ground = SURFACES[result["surface"]]
        _contours(ax, result["surface"], lowest=1.1 * result["path"][:, 1].min())
        _path(ax, result["path"], GREEN)
        start, (left, right, *_) = result["path"][0], ground.view
        down = -np.array(ground.gradient(*start))
        arrow(ax, start, start + down / np.linalg.norm(down) * 0.14 * (right - left), MUTED, gap=0)
        ax.set_title(result["surface"], size=9.5)
        ax.tick_params(labelsize=8)
    ends = ", ".join(f"{r['surface']} at ({r['path'][-1, 0]:.2g}, {r['path'][-1, 1]:.2g})" for r in results)
    fig.alt = f"Newton's steps on {len(results)} surfaces. They end: {ends}."
    return fig


@styled
def batches(result: dict):
    """The path of slope and offset, and the loss against the number of examples read."""
    fig, (plane, curve) = figure(6.4, 3.3, 1, 2, gaps=(0.85, 0.5))
    _plane(plane, result, (-1.8, 1.8))
    size = result["size"]
    plane.set(title="all at once" if size == result["count"] else f"batches of {size}", ylabel="offset")
    curve.plot(result["examples"][1:], result["excess"][1:].clip(1e-6), color=BLUE, lw=1)
    powers(curve.xaxis, 0, 3)
    powers(curve.yaxis, -4, 0, 2)
    curve.set(
        xlim=(1, 2000), ylim=(1e-5, 30),
        xlabel="examples read", ylabel="loss above the lowest", title=f"rate {result['rate']:.3g}",
    )  # fmt: skip
    return fig


def _plane(ax, result, ylim):
    angles = np.linspace(0, 2 * np.pi, 80)
    for radius in (0.2, 0.5, 1, 1.5, 2, 2.5):
        x, y = result["best"][0] + radius * np.cos(angles), result["best"][1] + radius * np.sin(angles)
        ax.plot(x, y, color=MUTED, lw=0.7, alpha=0.65)
    path = result["path"]
    ax.plot(*path.T, color=BLUE, lw=0.8 if len(path) > 300 else 1.2, marker="o", ms=2.2 if len(path) < 100 else 0)
    ax.plot(*path[0], marker="o", mfc=PAPER, mec=BLUE, ms=7, ls="none", zorder=5)
    ax.plot(*result["best"], marker="*", color=INK, ms=9, ls="none", zorder=6)
    ax.set(xlim=(-1.4, 2.1), ylim=ylim, xlabel="slope")
    ax.grid(visible=False)


@styled
def three_batches(results: list[dict]):
    """Paths of several batch sizes side by side."""
    fig, axes = figure(
        6.6, 2.5, 1, len(results), sharey=True, gaps=(0.15, 0.4), margins=(0.65, 0.1, 0.5, 0.3)
    )  # fmt: skip
    for ax, result in zip(axes, results, strict=True):
        _plane(ax, result, (-1.55, 1.55))
        size, updates = result["size"], len(result["path"]) - 1
        name = "all" if size == result["count"] else f"{size} a batch"
        ax.set_title(f"{name}, {updates:,} updates", size=9.5)
    axes[0].set_ylabel("offset")
    sizes = ", ".join(str(r["size"]) for r in results)
    fig.alt = (
        f"Paths of slope and offset to the minimum with batches of {sizes}. The larger the batch, the straighter the "
        "path and the fewer the updates."
    )
    return fig


@styled
def momentum_map(result: dict):
    """Every pair of rate and momentum as a colour, the chosen pair and theory's, and the distance by step."""
    fig, (chart, curve) = figure(6.6, 3.5, 1, 2, width_ratios=[1.35, 1], gaps=(0.75, 0.5))
    grid = np.where(result["map"] < 1, result["map"], np.nan)
    half_rate, half_decay = (np.diff(result[name][:2])[0] / 2 for name in ("rates", "decays"))
    image = chart.imshow(
        grid, origin="lower", aspect="auto", cmap="viridis_r", vmin=np.nanmin(grid), vmax=1,
        extent=(result["rates"][0] - half_rate, result["rates"][-1] + half_rate, -half_decay, 0.99 + half_decay),
    )  # fmt: skip
    chart.annotate("diverges", (3.95, 0.05), ha="right", color=MUTED)
    chart.plot(*result["theory"], marker="*", color=PAPER, mec=INK, ms=13, ls="none")
    chart.plot(result["rate"], result["decay"], marker="o", mfc="none", mec=ORANGE, mew=2.4, ms=11, clip_on=False)
    chart.set(xlim=(0, 4.03), ylim=(-0.01, 1), xlabel="rate", ylabel="momentum", title="factor per step")
    chart.grid(visible=False)
    bar = fig.colorbar(image, cax=chart.inset_axes([0.8, 0.15, 0.05, 0.3]))  # where every pair diverges
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0)
    lines = {
        "this pair": ("distance", ORANGE, 2.2),
        "best without momentum": ("plain_distance", BLUE, 1.3),
        "theory's pair": ("theory_distance", INK, 1.3),
    }
    for row, (text, (name, colour, width)) in enumerate(reversed(lines.items())):
        curve.plot(result[name].clip(1e-14, 1e9), color=colour, lw=width)
        curve.text(0.98, 0.83 + 0.065 * row, text, transform=curve.transAxes, color=colour, ha="right", size=9.5)
    powers(curve.yaxis, -12, 4, 4)
    curve.set(
        ylim=(1e-12, 1e5), xlim=(0, len(result["distance"]) - 1),
        xlabel="step", title=f"distance, condition {result['condition']}",
    )  # fmt: skip
    return fig


_move = functools.partial(arrow, lw=1.6, gap=0, zorder=4)


@styled
def look_ahead(result: dict):
    """One step of momentum and one of Nesterov, drawn with their parts."""
    fig, axes = figure(6.6, 2.9, 1, 2, sharey=True, gaps=(0.15, 0.4), margins=(0.55, 0.1, 0.5, 0.32))
    for ax, name, gradient in ((axes[0], "momentum", "at_w"), (axes[1], "nesterov", "at_ahead")):
        _contours(ax, "valley")
        w, ahead, end = result["w"], result["ahead"], result[name]
        _move(ax, w, ahead, INK)
        step = -result["rate"] * result[gradient]
        _move(ax, w if name == "momentum" else ahead, step + (w if name == "momentum" else ahead), BLUE)
        if name == "momentum":
            _move(ax, ahead, end, BLUE, ls=":")
        _move(ax, w, end, ORANGE, lw=2.2)
        ax.plot(*w, marker="o", color=INK, ms=6)
        ax.plot(*ahead, marker="o", mfc=PAPER, mec=INK, ms=6, ls="none", zorder=5)
        ax.set(xlim=(-6.1, -3.2), ylim=(-2.0, 1.75), xlabel="x")
        label(ax, "w", w, offset=(-13, 3), va="baseline")
        right, left = {"offset": (8, 6), "ha": "left"}, {"offset": (-8, -12), "ha": "right"}
        places = {"velocity": (ahead, INK, right), "step": (end, ORANGE, left)}
        if name == "nesterov":
            places = {"velocity": (ahead, INK, left), "step": (end, ORANGE, right)}
        for text, (tip, colour, place) in places.items():
            label(ax, text, (w + tip) / 2, colour, size=9.5, va="baseline", **place)
    label(axes[0], "gradient\nat w", result["w"] - (0.06, 0.75), BLUE, (-6, 0), size=9.5, ha="right", va="baseline")
    label(axes[1], "gradient\nahead", result["ahead"], BLUE, (10, 2), size=9.5, va="baseline")
    axes[0].set(title="momentum", ylabel="y")
    axes[1].set(title="Nesterov")
    fig.alt = (
        f"Both methods go from w along the velocity, across the valley floor. Momentum adds the gradient of the point "
        f"w, which still points down, and ends at y = {result['momentum'][1]:.2f}. Nesterov adds the gradient of the "
        f"point ahead, which points back up, and ends at y = {result['nesterov'][1]:.2f}."
    )
    return fig


@styled
def step_lengths(left: dict, right: dict, titles: tuple[str, str]):
    """Lengths of the steps, on two logarithmic axes, for two sequences of gradients."""
    fig, axes = figure(6.6, 3.1, 1, 2, sharey=True, gaps=(0.35, 0.4), margins=(0.75, 0.15, 0.52, 0.32))
    for ax, lengths, title in zip(axes, (left, right), titles, strict=True):
        for name, values in lengths.items():
            ax.plot(np.arange(1, len(values) + 1), values, color=LOOKS[name][0])
        powers(ax.xaxis, 0, 3)
        powers(ax.yaxis, -5, -1)
        ax.set(xlim=(1, len(values)), ylim=(5e-6, 0.1), xlabel="step", title=title)
    axes[0].set_ylabel("length of the step")
    spots = {"AdaGrad": (60, 4e-4), "RMSProp": (12, 2.6e-2), "AdaDelta": (1.3, 1.3e-3)}
    for name, spot in spots.items():
        if name in left:
            axes[0].annotate(name, spot, color=LOOKS[name][0], ha="center" if name != "AdaDelta" else "left")
    ends = ", ".join(f"{name} {values[-1]:.2g}" for name, values in right.items())
    fig.alt = f"Length of the steps. Last step, left: {left['AdaGrad'][-1]:.2g} for AdaGrad. Right: {ends}."
    return fig


@styled
def bias_correction(result: dict):
    """Length of Adam's steps with and without the correction."""
    fig, ax = figure(6.4, 3.1)
    steps = np.arange(1, len(result["corrected"]) + 1)
    ax.plot(steps, result["uncorrected"], color=ORANGE)
    ax.plot(steps, result["corrected"], color=BLUE)
    powers(ax.xaxis, 0, 3)
    powers(ax.yaxis, -2, 2)
    ax.set(
        xlim=(1, len(steps)), ylim=(0.008, 150), xlabel="step",
        ylabel="length of the step / rate",
        title=f"β₁ = {result['beta1']:g}, β₂ = {result['beta2']:g}",
    )  # fmt: skip
    label(ax, "corrected", (len(steps), 1), BLUE, (-4, -14), ha="right", va="baseline")
    top = result["uncorrected"]
    label(ax, "as they are", (steps[3], top[3]), ORANGE, (0, 7), va="baseline")
    return fig


@styled
def adversary(result: dict):
    """Where Adam and AMSGrad go, and where the best point is."""
    fig, ax = figure(6.4, 3.1, margins=(0.62, 0.95, 0.54, 0.32))
    steps = len(result["Adam"]) - 1
    ax.axhline(-1, color=MUTED, lw=1, ls="--")
    for name, colour in (("AMSGrad", GREEN), ("Adam", ORANGE)):
        ax.plot(np.arange(steps + 1), result[name], color=colour, lw=1.2)
    ends = {name: float(result[name][-3 * result["every"] :].mean()) for name in ("Adam", "AMSGrad")}
    low, high = sorted(ends, key=ends.get)
    spots = {high: max(ends[high], ends[low] + 0.17), low: ends[low]}
    for name, colour in (("AMSGrad", GREEN), ("Adam", ORANGE)):
        label(ax, name, (steps, spots[name]), colour, (5, 0))
    label(ax, "best", (0, -1), MUTED, (3, 4), size=9, va="baseline")
    ax.set(xlim=(0, steps), ylim=(-1.08, 1.08), xlabel="step", ylabel="x")
    ax.set_title(f"+{result['every']} every {result['every']} steps, else −1; memory {result['memory']:.3g} steps")
    return fig


@styled
def curves(losses: dict, title: str = "", window: int = 10, top: float = 3.0):
    """Running mean of each optimizer's loss, labelled at its end; what diverged is labelled at the top."""
    fig, ax = figure(6.6, 3.7, margins=(0.62, 1.5, 0.5, 0.32))
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    ends = {}
    for name, loss in losses.items():
        colour, style = LOOKS[name]
        smooth = np.convolve(loss, np.ones(window) / window, "valid")
        ax.plot(np.arange(window, window + len(smooth)), smooth.clip(max=2 * top), color=colour, ls=style, lw=1.6)
        ends[name] = min(float(np.nan_to_num(smooth[-1], nan=top)), top)
    spots = apart([*ends.values()], top * 0.067)
    shift = max(0.0, max(spots) - top)
    for name, spot in zip(ends, spots, strict=True):
        label(ax, name, (window + len(smooth), max(spot - shift, 0)), LOOKS[name][0], (5, 0), size=9.5)
    label(ax, "ln 10", (0, LN10), MUTED, (2, 3), size=9, va="baseline")
    ax.set(xlabel="step", ylabel=f"loss, mean of {window} steps", ylim=(0, top), title=title)
    ax.set_xlim(0, window + len(smooth))
    fig.alt = f"Loss curves; mean of the last {window} steps: " + ", ".join(
        f"{name} {np.mean(loss[-window:]):.2f}" for name, loss in losses.items()
    )
    return fig


def on_mnist(result: dict):
    """Loss curves of `experiments.optimizers.on_mnist`."""
    layers = result["hidden_layers"]
    title = f"rate {result['rate']:.3g} for all, {layers} hidden layer{'s' * (layers != 1)}"
    return curves(result["loss"], title=title)


@styled
def sweep(result: dict):
    """The loss at the end for every optimizer and rate, as colours; each optimizer's best rate is marked."""
    names, rates = list(result["loss"]), result["rates"]
    table = np.array([result["loss"][name] for name in names])
    fig, ax = figure(6.6, 3.3, margins=(1.5, 0.4, 0.54, 0.3))
    image = ax.imshow(table.clip(max=LN10), aspect="auto", cmap="viridis_r", vmin=table.min(), vmax=LN10)
    best = table.argmin(axis=1)
    ax.plot(best, np.arange(len(names)), marker="*", color=PAPER, mec=INK, ms=12, ls="none")
    decades = [i for i, rate in enumerate(rates) if np.isclose(np.log10(rate) % 1, 0, atol=0.01)]
    ax.set(yticks=np.arange(len(names)), yticklabels=names, xticks=decades, xlabel="rate")
    ax.set_xticklabels([f"{rates[i]:g}" for i in decades])
    ax.grid(visible=False)
    ax.set_title("loss at the end", size=10)
    bar = fig.colorbar(image, ax=ax, fraction=0.035, pad=0.02)
    bar.outline.set_visible(False)
    fig.alt = "Loss at the end by optimizer and rate. Best: " + ", ".join(
        f"{name} {row.min():.2f} at {rates[i]:.2g}" for name, row, i in zip(names, table, best, strict=True)
    )
    return fig


@styled
def spring(result: dict):
    """The distance from the minimum by step, with the bound that the root of the momentum gives."""
    fig, ax = figure(6.4, 3.2, margins=(0.75, 0.2, 0.52, 0.32))
    distance, decay = result["distance"], result["decay"]
    steps = np.arange(len(distance))
    ax.axhline(0, color=MUTED, lw=1)
    if result["kind"] == "underdamped" and decay:
        bound = np.abs(distance[:3]).max() * decay ** (steps / 2) * 1.15
        for sign in (1, -1):
            ax.plot(steps, sign * bound, color=MUTED, lw=1, ls="--")
    ax.plot(steps, distance.clip(-3, 3), "o-", color=BLUE, ms=3, lw=1)
    ax.set(xlim=(0, len(distance) - 1), ylim=(-1.3, 1.3), xlabel="step", ylabel="distance from the minimum")
    ax.set_title(f"momentum {decay:g}, rate times curvature {result['push']:g}: {result['kind']}")
    return fig


@styled
def newton_schulz(result: dict):
    """What becomes of singular values after some steps, as a line and for one matrix."""
    fig, (line, bars) = figure(6.4, 3.1, 1, 2, gaps=(0.75, 0), margins=(0.65, 0.15, 0.52, 0.32))
    line.axhline(1, color=MUTED, lw=1, ls="--")
    line.plot(*result["line"], color=BLUE)
    line.set(xscale="log", xlim=(1e-3, 1), ylim=(0, 1.3), xlabel="singular value before", ylabel="after")
    line.set_title(f"after {result['steps']} steps")
    bars.axhline(1, color=MUTED, lw=1, ls="--")
    number = np.arange(1, 9)
    bars.plot(number, result["before"], "o", color=MUTED, label="before")
    bars.plot(number, result["after"], "o", color=BLUE, label="after")
    bars.set(ylim=(-0.03, 1.3), xlabel="singular value of a 16 x 8 matrix")
    bars.legend(frameon=False, loc="upper right", ncols=2)
    return fig


@styled
def today(result: dict):
    """The loss at the end by rate, a line for each optimizer."""
    fig, ax = figure(6.4, 3.4, margins=(0.62, 1.0, 0.52, 0.2))
    rates, ends, said = result["rates"], [], []
    for (name, loss), colour in zip(result["loss"].items(), (ORANGE, BLUE, GREEN, PINK), strict=True):
        best = int(loss.argmin())
        ax.plot(rates, loss.clip(max=4), "o-", color=colour, ms=3)
        ax.plot(rates[best], loss[best], "o", color=colour, mfc=PAPER, mew=2, ms=9, zorder=4)
        said.append(f"{name} {loss[best]:.2f} at {rates[best]:.2g}")
        ends.append((2.6 - 0.25 * len(ends), name, colour))
    for height, name, colour in ends:
        label(ax, name, (1.0, height / 3), colour, (6, 0), xycoords="axes fraction")
    ax.set(xscale="log", ylim=(0, 3), xlabel="rate at the start", ylabel="loss at the end")
    fig.alt = f"Loss at the end by rate. Best: {', '.join(said)}."
    return fig


@styled
def clipped(result: dict):
    """The loss at the end by rate, a line for each limit of the gradient's length."""
    fig, ax = figure(6.4, 3.2, margins=(0.62, 1.3, 0.52, 0.2))
    said = []
    for (limit, loss), colour in zip(result["loss"].items(), (ORANGE, GOLD, GREEN, BLUE), strict=False):
        ax.plot(result["rates"], loss.clip(max=4), "o-", color=colour, ms=3.5)
        name = "not clipped" if limit is None else f"clipped to {limit:g}"
        label(ax, name, (1.0, 0.85 - 0.1 * len(said)), colour, (6, 0), xycoords="axes fraction")
        said.append(f"{name}: {', '.join(f'{v:.2f}' for v in loss)}")
    ax.set(xscale="log", ylim=(0, 3), xlabel="rate", ylabel="loss at the end")
    fig.alt = f"Loss at the end for {len(result['rates'])} rates from {result['rates'][0]:g}. {'; '.join(said)}."
    return fig


@styled
def ball(result: dict):
    """The ball on the valley: its way so far, its velocity, and what the gradient adds."""
    fig, ax = figure(6.4, 3.2, margins=(0.6, 0.15, 0.52, 0.32))
    ground, (left, right, low, high) = SURFACES["valley"], SURFACES["valley"].view
    x, y = np.meshgrid(np.linspace(left, right, 80), np.linspace(low, high, 50))
    ax.contour(x, y, ground.value(x, y), levels=np.geomspace(0.1, 12, 9), colors=MUTED, linewidths=0.5)
    so_far = result["path"][: result["step"] + 1]
    ax.plot(*so_far.T, "o-", color=MUTED, ms=2.5, lw=0.8)
    ahead = result["at"] + 3 * result["velocity"]
    if np.abs(result["velocity"]).max() > 1e-9:
        arrow(ax, result["at"], ahead, BLUE, lw=2, gap=0, shrinkA=0)
    arrow(ax, ahead, ahead + 3 * result["push"], ORANGE, lw=2, gap=0, shrinkA=0)
    ax.plot(*result["at"], "o", color=INK, ms=8)
    ax.set(xlim=(left, right), ylim=(low, high), xlabel="x", ylabel="y")
    ax.set_title(f"momentum {result['decay']:g}, step {result['step']}; arrows are three times as long as the moves")
    return fig
