"""Pictures of chapter 08."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import NullLocator

from ._parts import LN10, apart, arrow, label, name_ends
from ._style import BLUE, CYCLE, GREEN, INK, MUTED, ORANGE, PINK, figure, powers, styled

COLOURS = {"too small": BLUE, "good": GREEN, "large": ORANGE, "too large": PINK, "diverges": PINK}


@styled
def rate(result: dict):
    """The loss of one run, and where it ends among the runs at other rates."""
    fig, (curve, ends) = figure(6.4, 4.9, 2, 1, gaps=(0, 0.72), margins=(0.7, 0.15, 0.52, 0.32))
    colour, loss = COLOURS[result["fate"]], result["loss"]
    curve.axhline(LN10, color=MUTED, lw=1, ls="--")
    curve.plot(np.arange(1, len(loss) + 1), np.nan_to_num(loss, nan=1e4, posinf=1e4).clip(0.03, 1e4), color=colour)
    powers(curve.yaxis, -1, 3)
    curve.set(xlim=(0, len(loss)), ylim=(0.06, 3e3), xlabel="step", ylabel="loss of the batch")
    curve.set_title(f"rate {result['rate']:.3g}, batches of {result['batch_size']}: {result['fate']}")
    label(curve, "ln 10", (len(loss), LN10), MUTED, (-4, 7), ha="right", size=9)
    ends.axhline(LN10, color=MUTED, lw=1, ls="--")
    ends.plot(result["rates"], result["ends"].clip(max=20), "o-", color=MUTED, ms=3, lw=1)
    ends.plot(result["rate"], min(result["end"], 20), "o", color=colour, mec=INK, ms=10, clip_on=False, zorder=4)
    powers(ends.xaxis, -3, 1)
    ends.set(yscale="log", xlim=(7e-4, 45), ylim=(0.2, 20), xlabel="rate", ylabel="loss at the end")
    ends.set_yticks([0.3, 1, 3, 10], ["0.3", "1", "3", "10"])
    ends.yaxis.set_minor_locator(NullLocator())
    return fig


@styled
def noisy_bowl(result: dict):
    """Distance from the minimum by step for several rates, with the floor that theory gives."""
    fig, ax = figure(6.4, 3.3, margins=(0.62, 1.05, 0.52, 0.32))
    for colour, value, distance, floor in zip(
        CYCLE, result["rates"], result["distance"], result["theory"], strict=False
    ):
        ax.axhline(floor, color=colour, lw=1, ls="--")
        ax.plot(distance, color=colour)
        label(ax, f"rate {value:g}", (distance.size, floor), colour)
    ax.set_yscale("log")
    ax.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set(xlim=(0, distance.size), ylim=(0.08, 4), xlabel="step", ylabel="distance, root mean square")
    ax.set_title("a parabola with a noisy gradient")
    floors = ", ".join(
        f"{v:g}: {f:.2f}, theory {t:.2f}"
        for v, f, t in zip(result["rates"], result["floor"], result["theory"], strict=True)
    )
    fig.alt = f"Distance from the minimum falls and then stays at a floor, the higher the larger the rate. {floors}."
    return fig


@styled
def gradient_noise(result: dict):
    """Gradients of single batches beside the full gradient, and how far off they are by batch size."""
    fig, (plane, chart) = figure(6.6, 3.5, 1, 2, gaps=(0.8, 0.5), margins=(0.65, 0.15, 0.52, 0.55))
    points = result["points"]
    reach = max(1.6, float(np.quantile(np.abs(points), 0.98)) * 1.15)
    plane.axvspan(-reach, 0, color=ORANGE, alpha=0.12, lw=0)
    plane.plot(*points.T, "o", color=BLUE, ms=3.2, alpha=0.7)
    arrow(plane, (0, 0), (1, 0), INK, lw=2.2, shrinkA=0)
    plane.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="along the full gradient", ylabel="across")
    size = result["batch_size"]
    plane.set_title(f"batches of {size}\n{result['downhill']:.0%} lead downhill", size=10.5)
    chart.plot(result["sizes"], result["theory"], color=MUTED, lw=1, ls="--")
    chart.plot(result["sizes"], result["corrected"], color=INK, lw=1.2)
    chart.plot(result["sizes"], result["error"], "o", color=BLUE)
    chart.plot(size, result["here"], "o", mfc="none", mec=ORANGE, mew=2.4, ms=12)
    powers(chart.xaxis, 0, 3)
    powers(chart.yaxis, -2, 1)
    chart.set(xlim=(0.7, 1500), ylim=(0.02, 30), xlabel="batch size B")
    chart.set_title("error of a batch's gradient\nover the gradient's length", size=10.5)
    label(chart, "~ 1/√B", (30, result["theory"][5]), MUTED, (8, 10))
    return fig


@styled
def roughness(results: dict):
    """Loss curves of several batch sizes: the batch's loss and the loss on held-out images."""
    fig, axes = figure(
        6.4, 3.9, 2, 2, sharex=True, sharey=True, gaps=(0.15, 0.36), margins=(0.6, 0.12, 0.5, 0.3)
    )  # fmt: skip
    for ax, (size, run) in zip(axes.flat, results.items(), strict=True):
        ax.plot(run["loss"], color=BLUE, lw=0.8)
        ax.plot(run["held"], color=ORANGE, lw=1.8)
        ax.set_title(f"batches of {size}", size=10)
        ax.set(ylim=(0, 2.8), xlim=(0, len(run["loss"])), xticks=np.arange(0, len(run["loss"]), 100))
    axes[0, 0].annotate("loss of the batch", (110, 2.35), color=BLUE, size=9.5)
    axes[0, 0].annotate("held-out images", (110, 2.02), color=ORANGE, size=9.5)
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    for ax in axes[1]:
        ax.set_xlabel("step")
    rough = ", ".join(f"{size}: {run['rough']:.2f}" for size, run in results.items())
    fig.alt = (
        "Four loss curves. The larger the batch, the smoother the batch's loss; the loss on held-out images is smooth "
        f"in all. Roughness by batch size: {rough}."
    )
    return fig


@styled
def batch_sizes(result: dict):
    """Held-out loss of several batch sizes against epochs or updates."""
    fig, ax = figure(6.4, 3.7, margins=(0.62, 1.35, 0.52, 0.5))
    axis, ends = result["axis"], {}
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    for colour, (size, run) in zip((BLUE, ORANGE, GREEN, PINK), result["runs"].items(), strict=False):
        ax.plot(run[axis], run["held"].clip(max=9), color=colour, marker="o", ms=3)
        ends[size] = (run[axis][-1], min(run["held"][-1], 2.8), colour)
    if axis == "updates":
        ax.set_xscale("log")
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(0.8, 1500)
    else:
        ax.set_xlim(0, result["epochs"])
    heights = apart([end for _, end, _ in ends.values()], 0.19)
    for (size, (_, _, colour)), height in zip(ends.items(), heights, strict=True):
        text = f"{size}, rate {result['runs'][size]['rate']:.2g}"
        label(ax, text, (1, height / 3), colour, (6, 0), xycoords="axes fraction", size=10)
    words = {"same": "the same rate for all", "linear": "rate in proportion to the batch size"}
    title = words.get(result["rule"], "rate in proportion to the root of the batch size")
    ax.set(ylim=(0, 3), xlabel=axis, ylabel="loss, held-out images")
    ax.set_title(f"{title};\nbatches of 8 have {result['base_rate']:.2g}", size=10.5)
    return fig


@styled
def shapes(rates: dict):
    """Each schedule's rate by step, in small pictures; `rates` is {name: (steps,)}."""
    names = [name for name in rates if name != "constant"]
    fig, axes = figure(
        6.6, 3.4, 2, 4, sharex=True, sharey=True, gaps=(0.15, 0.36), margins=(0.55, 0.1, 0.5, 0.3)
    )  # fmt: skip
    for ax, name in zip(axes.flat, names, strict=True):
        ax.plot(rates[name], color=BLUE)
        ax.set_title(name, size=9)
        ax.set(ylim=(0, 1.05), xlim=(0, len(rates[name])), xticks=np.arange(0, len(rates[name]), 300))
    for ax in axes[:, 0]:
        ax.set_ylabel("rate")
    for ax in axes[1]:
        ax.set_xlabel("step")
    fig.alt = f"The rate by step of {', '.join(names)}."
    return fig


@styled
def schedule(result: dict):
    """The rate by step, and the held-out loss of this schedule beside a constant rate and all others."""
    fig, (plan, curve) = figure(
        6.4, 4.9, 2, 1, height_ratios=[1, 1.9], gaps=(0, 0.5), margins=(0.62, 1.35, 0.52, 0.32)
    )  # fmt: skip
    name, top = result["schedule"], result["rate"]
    for other, rates in result["rates"].items():
        plan.plot(rates, color=MUTED, lw=0.7, alpha=0.5)
        curve.plot(result["at"], result["held"][other].clip(max=5), color=MUTED, lw=0.7, alpha=0.5)
    steps = len(rates)
    shown = {"constant": ORANGE, name: BLUE} if name != "constant" else {"constant": ORANGE}
    ends = []
    for other, colour in shown.items():
        plan.plot(result["rates"][other], color=colour)
        curve.plot(result["at"], result["held"][other].clip(max=5), color=colour)
        ends.append([min(float(result["end"][other]), 2.2), other, colour])
    ends.sort()
    if len(ends) == 2:
        ends[1][0] = max(ends[1][0], ends[0][0] + 0.15)
    for height, other, colour in ends:
        label(curve, f"{other} {result['end'][other]:.2f}", (steps, height), colour, (5, 0), size=10)
    plan.set(xlim=(0, steps), ylim=(0, 1.08 * top), ylabel="rate", title=f"{name}, rate {top:.3g}")
    curve.set(xlim=(0, steps), ylim=(0.3, 2.3), xlabel="step", ylabel="loss, held-out images")
    return fig


@styled
def warm_up(results: list[dict]):
    """Loss with and without warm-up; one line for each seed."""
    fig, ax = figure(6.4, 3.2, margins=(0.62, 1.35, 0.52, 0.32))
    ax.axhline(LN10, color=MUTED, lw=1, ls="--")
    for name, colour in (("without", ORANGE), ("with", BLUE)):
        for result in results:
            smooth = np.convolve(np.nan_to_num(result[name], nan=1e3).clip(max=1e3), np.ones(10) / 10, "valid")
            ax.plot(np.arange(10, 10 + len(smooth)), smooth, color=colour, lw=1)
    powers(ax.yaxis, 0, 2)
    steps = len(results[0]["with"])
    label(ax, "without warm-up", (steps, 2.0), ORANGE, size=10)
    label(ax, "with warm-up", (steps, 0.4), BLUE, size=10)
    ax.set(xlim=(0, steps), ylim=(0.25, 200), xlabel="step", ylabel="loss, mean of 10 steps")
    ax.set_title(f"weights of {results[0]['gain']:g} times He's size, rate {results[0]['rate']:g}")
    ends = {name: [float(r[name][-20:].mean()) for r in results] for name in ("without", "with")}
    fig.alt = "Loss curves. Last 20 steps: " + "; ".join(
        f"{name} warm-up {', '.join(f'{v:.2f}' for v in values)}" for name, values in ends.items()
    )
    return fig


@styled
def range_test(result: dict):
    """The test's loss by rate with the two rates read from it, and where real trainings at constant rates end."""
    fig, (test, ends) = figure(6.4, 5.0, 2, 1, sharex=True, gaps=(0, 0.5), margins=(0.62, 0.15, 0.52, 0.32))
    top = 3.2
    test.plot(result["lr"], result["loss"].clip(max=9), color=MUTED, lw=0.8)
    test.plot(result["lr"], result["smooth"].clip(max=9), color=BLUE)
    ends.plot(result["rates"], result["ends"].clip(max=9), "o-", color=INK, ms=3.5, lw=1.2)
    for name, colour in (("steepest", GREEN), ("lowest", ORANGE)):
        for ax in (test, ends):
            ax.axvline(result[name], color=colour, lw=1.6, ls="--" if name == "lowest" else "-")
    label(test, "steepest", (result["steepest"], 0.25), GREEN, (-4, 0), ha="right")
    label(test, "lowest", (result["lowest"], 0.25), ORANGE)
    layers = result["hidden_layers"]
    kind = f"{layers} hidden layer{'s' * (layers > 1)}"
    test.set(ylim=(0, top), ylabel="loss in the test", title=f"{result['optimizer']}, {kind}: the range test")
    ends.set(ylim=(0, top), xlabel="rate", ylabel="loss at the end")
    ends.set_title("real trainings of 200 steps at constant rates", size=10.5)
    powers(ends.xaxis, -5, 1)
    ends.set_xlim(1e-5, 35)
    return fig


@styled
def averages(result: dict):
    """Held-out loss of the weights at a constant rate, of their average, and of the same training with a cosine."""
    fig, ax = figure(6.4, 3.4, margins=(0.62, 1.35, 0.52, 0.32))
    ends = []
    for name, text, colour in (
        ("weights", "weights", ORANGE), ("average", "their average", BLUE), ("cosine", "cosine instead", MUTED),
    ):  # fmt: skip
        ax.plot(result["at"], result[name].clip(max=3), color=colour, lw=1 if name == "cosine" else 1.6)
        ends.append((min(float(result[name][-1]), 2.2), f"{text} {result[name][-1]:.2f}", colour))
    name_ends(ax, result["at"][-1], ends, 0.13)
    ax.set(xlim=(0, result["at"][-1]), ylim=(0.3, 2.3), xlabel="step", ylabel="loss, held-out images")
    ax.set_title(f"rate {result['rate']:g}, average with β = {result['decay']}")
    return fig


@styled
def edge(result: dict):
    """The loss and the largest curvature by step, with 2 / rate."""
    fig, (loss, sharp) = figure(6.4, 4.4, 2, 1, sharex=True, gaps=(0, 0.3), margins=(0.7, 1.2, 0.52, 0.32))
    loss.plot(result["loss"], color=BLUE, lw=1)
    loss.set(yscale="log", ylim=(1e-3, 1.0), ylabel="loss", title=f"all 200 digits a step, rate {result['rate']:g}")
    sharp.axhline(result["limit"], color=MUTED, lw=1, ls="--")
    sharp.plot(result["at"], result["sharpness"], color=ORANGE)
    label(sharp, f"2 / rate = {min(result['limit'], 99):.3g}", (1, min(result["limit"], 14) / 15), MUTED, (5, 0),
          xycoords="axes fraction", size=10)  # fmt: skip
    sharp.set(xlim=(0, len(result["loss"])), ylim=(0, 15), xlabel="step", ylabel="largest curvature")
    return fig


@styled
def adam_warm_up(runs: dict):
    """Final loss by rate, with and without warm-up, for each place of the norm: {place: [results]}."""
    fig, axes = figure(6.4, 3.1, 1, len(runs), sharey=True, gaps=(0.2, 0), margins=(0.62, 0.12, 0.52, 0.32))
    said = []
    for ax, (place, results) in zip(np.atleast_1d(axes), runs.items(), strict=True):
        ax.axhline(LN10, color=MUTED, lw=1, ls="--")
        for result, colour in zip(results, (ORANGE, BLUE), strict=False):
            name = "with warm-up" if result["warm"] else "without"
            ax.plot(result["rates"], result["ends"].clip(max=9), "o-", color=colour, ms=3.5, label=name)
            said.append(f"{place} {name}: lowest {result['ends'].min():.2f}")
        powers(ax.xaxis, -4, -1)
        ax.set(xlim=(8e-5, 0.13), ylim=(0, 3), xlabel="rate of Adam", title=place)
    np.atleast_1d(axes)[0].set_ylabel("loss at the end")
    np.atleast_1d(axes)[0].legend(frameon=False, loc="lower left")
    fig.alt = f"Loss at the end by Adam's rate. {'; '.join(said)}."
    return fig


@styled
def adam_best_rates(runs: dict):
    """Adam's best rate by batch size, {size: [results of seeds]}, with a line of slope one half."""
    fig, ax = figure(5.2, 3.1, margins=(0.75, 0.3, 0.52, 0.2))
    sizes = np.array(list(runs))
    best = np.array([[result["best"] for result in results] for results in runs.values()])
    ax.plot(np.repeat(sizes, best.shape[1]), best.ravel(), "o", color=BLUE)
    middle = np.exp(np.log(best).mean(axis=1))
    ax.plot(sizes, middle[0] * (sizes / sizes[0]) ** 0.5, color=MUTED, ls="--", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="batch size", ylabel="best rate of Adam")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_yticks([0.01, 0.02, 0.04], ["0.01", "0.02", "0.04"])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    found = ", ".join(f"{size}: {rate:.3f}" for size, rate in zip(sizes, middle, strict=True))
    fig.alt = f"Adam's best rate by batch size, with a dashed line that grows as the square root. {found}."
    return fig
