"""Pictures of chapter 04."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection

from ..experiments.preprocessing import LABELS
from ._parts import label, picture
from ._style import BLUE, CYCLE, INK, MUTED, ORANGE, PAPER, figure, powers, styled


@styled
def rates(results: list[dict]):
    """Test accuracy by learning rate, a line for each way of preprocessing; an empty mark where training diverged."""
    fig, ax = figure(6.0, 3.3, margins=(0.7, 0.95, 0.54, 0.32))
    for colour, result in zip(CYCLE, results, strict=False):
        accuracy = 100 * result["test_accuracy"]
        ax.plot(result["rates"], accuracy, "o-", color=colour)
        last = np.flatnonzero(np.isfinite(accuracy))[-1]
        label(ax, result["how"], (result["rates"][last], accuracy[last]), colour, (7, -3), va="baseline")
    powers(ax.xaxis, -6, 0)
    ax.set(ylim=(0, 105), xlabel="learning rate", ylabel="test accuracy, %", title="Three cultivars of wine")
    best = ", ".join(f"{r['how']} {np.nanmax(r['test_accuracy']):.0%}" for r in results)
    fig.alt = f"Test accuracy by learning rate. The best of each: {best}."
    return fig


@styled
def bowl(result: dict):
    """The data, the loss over the two weights with the path of gradient descent, and the loss by step."""
    fig, (cloud, surface, curve) = figure(
        6.8, 2.4, 1, 3, width_ratios=[1, 1, 1.15], gaps=(0.62, 0.5), margins=(0.58, 0.12, 0.52, 0.32)
    )
    x = result["x"][::3]
    low, high = np.minimum(x.min(axis=0), 0), np.maximum(x.max(axis=0), 0)
    reach = 0.58 * (high - low).max()
    middle = (low + high) / 2
    cloud.plot(*x.T, ".", color=BLUE, ms=3, alpha=0.6)
    cloud.plot(0, 0, "+", color=ORANGE, ms=11, mew=1.6)
    cloud.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
    cloud.locator_params(nbins=4)
    names = LABELS[result["pair"]] if result["how"] in ("raw", "centred") else ("feature 1", "feature 2")
    cloud.set(xlabel=names[0], ylabel=names[1], title="data")

    best, path = result["best"], result["path"]
    half = 1.35 * np.abs(best).max()
    curvature, directions = np.linalg.eigh(result["slice"])
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)]) / np.sqrt(curvature / curvature[-1])[:, None]
    ellipse = directions @ circle
    rings = [(best[:, None] + radius * ellipse).T for radius in np.linspace(0.2, 1.4, 7) * half]  # of equal loss
    surface.add_collection(LineCollection(rings, colors=MUTED, linewidths=0.7, alpha=0.7, zorder=2))
    inside = path.clip(best - 20 * half, best + 20 * half)
    surface.plot(*inside.T, "o-", color=BLUE, ms=2.4, lw=1.1)
    surface.plot(0, 0, "o", mfc=PAPER, mec=BLUE, ms=7)
    surface.plot(*best, "*", color=INK, ms=9)
    surface.set(xlim=(best[0] - half, best[0] + half), ylim=(best[1] - half, best[1] + half))
    surface.locator_params(nbins=3)
    surface.set(xlabel="$w_1$", ylabel="$w_2$", title="loss")
    surface.grid(visible=False)

    k, excess = np.maximum(result["k"], 0.6), result["excess"].clip(1e-7, 1e4)
    curve.plot(k, excess, color=BLUE)
    curve.axhline(1e-4, color=MUTED, lw=1, ls="--")
    powers(curve.xaxis, 0, 8, 2)
    powers(curve.yaxis, -6, 2, 2)
    curve.set(xlim=(0.6, 1e9), ylim=(1e-7, 1e3), xlabel="step")
    steps = result["steps"]
    curve.set_title("diverges" if steps is None else f"{steps:,} step{'s' * (steps > 1)}", color=ORANGE)
    if steps is not None:
        curve.plot(max(steps, 0.6), 1e-4, "o", color=ORANGE, ms=6)
    return fig


@styled
def plane(results: list[dict]):
    """Wines in the plane of their first two principal components, coloured by cultivar; one picture each."""
    fig, axes = figure(6.4, 3.0, 1, len(results), gaps=(0.75, 0.5), squeeze=False)
    for ax, result in zip(axes[0], results, strict=True):
        for c, marker in enumerate("os^"):
            ax.plot(*result["x"][result["y"] == c].T, marker, color=CYCLE[c], ms=3.5, alpha=0.7, ls="none")
        share = result["share"][:2]
        ax.set(
            xlabel=f"direction 1, {share[0]:.1%}",
            ylabel=f"direction 2, {share[1]:.1%}",
            title="scaled first" if result["scaled"] else "raw",
        )
    fig.alt = "Wines along their two first principal components. " + "; ".join(
        f"{'scaled' if r['scaled'] else 'raw'}: shares of the variance {r['share'][0]:.1%} and {r['share'][1]:.1%}"
        for r in results
    )
    return fig


@styled
def reconstruct(result: dict):
    """Images, what k directions keep of them, the first directions; variance kept and accuracy by k."""
    fig, axes = figure(6.6, 2.5, 3, 1, gaps=(0, 0.1), margins=(0.85, 2.75, 0.25, 0.2))
    rows = (("image", result["images"]), (f"k = {result['k']}", result["rebuilt"]), ("direction", result["directions"]))
    for ax, (name, images) in zip(axes, rows, strict=True):
        limit = {"low": 0, "high": 1} if name != "direction" else {}
        side_by_side = np.hstack([np.pad(image, ((0, 0), (0, 1)), constant_values=np.nan) for image in images[:6]])
        picture(ax, side_by_side, **limit)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=4)
    curve = fig.add_axes((0.655, 0.215, 0.33, 0.72))
    k = np.arange(1, len(result["share"]) + 1)
    curve.plot(k, 100 * result["share"], color=BLUE)
    curve.plot(k, 100 * result["test_accuracy"], color=ORANGE)
    curve.text(1, 95, "variance kept, %", color=BLUE)
    curve.text(7, 42, "test accuracy, %", color=ORANGE)
    at = result["k"] - 1
    for values, colour in ((result["share"], BLUE), (result["test_accuracy"], ORANGE)):
        curve.plot(k[at], 100 * values[at], "o", color=colour, ms=6)
    powers(curve.xaxis, 0, 2)
    curve.set(xlim=(0.9, 220), ylim=(0, 112), xlabel="k, directions kept")
    return fig


@styled
def whiten_photo(result: dict):
    """A photograph with noise, the same after whitening, and the gain of each direction."""
    fig, (before, after, curve) = figure(
        6.8, 2.75, 1, 3, width_ratios=[1, 1, 0.95], gaps=(0.2, 0.5), margins=(0.1, 0.12, 0.52, 0.32)
    )
    picture(before, result["before"], low=0, high=1)
    before.set_title(f"noise {result['noise_before']:.1%}")
    spread = 2.5 * result["after"].std()
    picture(after, result["after"], low=-spread, high=spread)
    after.set_title(f"whitened: noise {result['noise_after']:.0%}", color=ORANGE)
    box = curve.get_position()
    curve.set_position((box.x0 + 0.055, box.y0, box.width - 0.055, box.height))
    direction = np.arange(1, len(result["gain"]) + 1)
    curve.plot(direction, result["gain"], color=ORANGE)
    curve.plot(direction, np.sqrt(result["variances"]), color=BLUE)
    curve.text(62, 1.6 * result["gain"][-1], "gain", color=ORANGE, ha="right")
    curve.text(62, 0.25 * np.sqrt(result["variances"][-1]), "std", color=BLUE, ha="right")
    powers(curve.yaxis, -3, 3, 1)
    curve.set(xlim=(0, 65), ylim=(5e-4, 1e3), xlabel="direction", xticks=[1, 32, 64])
    return fig


@styled
def means(results: dict[str, dict]):
    """The mean image of each data set."""
    fig, axes = figure(6.0, 2.1, 1, len(results), gaps=(0.3, 0.1), margins=(0.1, 0.1, 0.1, 0.32))
    for ax, (name, result) in zip(axes, results.items(), strict=True):
        mean = result["mean"].transpose(1, 2, 0).squeeze()
        picture(ax, mean, low=0, high=1 if mean.ndim == 3 else mean.max())
        ax.set_title(name)
    fig.alt = "Mean images. " + "; ".join(
        f"{name}: its pixels vary by {r['flatness']:.0%} of the images' standard deviation"
        for name, r in results.items()
    )
    return fig


@styled
def leaks(results: list[dict]):
    """Mean accuracy with preprocessing learnt from the training rows and from all rows, with two standard errors."""
    fig, ax = figure(6.2, 2.5, margins=(1.5, 0.2, 0.54, 0.2))
    for row, result in enumerate(reversed(results)):
        for name, colour, up in (("train_only", BLUE, 0.13), ("all_rows", ORANGE, -0.13)):
            values = 100 * result[name]
            ax.errorbar(
                values.mean(), row + up, xerr=2 * values.std() / np.sqrt(len(values)), fmt="o", color=colour, ms=6
            )
    ax.text(42, len(results) - 0.87, "learnt from training rows", color=BLUE)
    ax.text(42, len(results) - 1.2, "learnt from all rows", color=ORANGE)
    ax.set(
        yticks=range(len(results)),
        yticklabels=[r["kind"] for r in reversed(results)],
        xlim=(40, 100),
        ylim=(-0.5, len(results) - 0.4),
        xlabel="accuracy on held-out rows, %",
    )
    fig.alt = "Accuracy on held-out rows. " + "; ".join(
        f"{r['kind']}: {r['train_only'].mean():.1%} learnt from training rows, {r['all_rows'].mean():.1%} from all"
        for r in results
    )
    return fig


@styled
def turning(result: dict):
    """A cloud with an axis through it and the points' shadows on the axis, and the variance along every axis."""
    fig, (left, right) = figure(6.4, 3.2, 1, 2, gaps=(0.7, 0))
    (a, b), x = result["axis"], result["x"]
    left.plot(*x.T, "o", color=BLUE, ms=2.5, alpha=0.6)
    left.plot([-3.2 * a, 3.2 * a], [-3.2 * b, 3.2 * b], color=ORANGE)
    left.plot(result["along"] * a, result["along"] * b, "o", color=ORANGE, ms=2.2, alpha=0.6)
    left.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xlabel="bill length, standardized")
    left.set_ylabel("flipper length, standardized")
    right.plot(result["angles"], result["variances"], color=INK)
    right.plot(result["angle"], result["variance"], "o", color=ORANGE, ms=8, zorder=5)
    right.set(xlim=(0, 180), ylim=(0, 1.8), xticks=[0, 45, 90, 135, 180], xlabel="angle of the axis, degrees")
    right.set_title(f"variance along the axis: {result['variance']:.2f}")
    return fig
