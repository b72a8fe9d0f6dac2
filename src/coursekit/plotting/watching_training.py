"""Pictures of chapter 11."""

from __future__ import annotations

import numpy as np

from ._style import BLUE, CYCLE, GOLD, GREEN, INK, MUTED, ORANGE, PINK, figure, styled

LN10 = np.log(10)
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
    fig, (top, middle, low) = figure(
        6.0, 6.2, 3, 1, sharex=True, height_ratios=[1.5, 1, 1], margins=(0.72, 0.72, 0.5, 0.3), gaps=(0.5, 0.2)
    )
    shown = loss[np.isfinite(loss)]
    late = result["val_loss"][np.isfinite(result["val_loss"])]
    most = float(np.clip(1.1 * max(np.quantile(shown, 0.995), shown[0], *late), 2.7, 60))
    top.axhline(LN10, color=MUTED, lw=1, ls="--")
    top.plot(steps, np.minimum(loss, 1.2 * most), color=BLUE, lw=0.6, alpha=0.55)
    top.plot(steps, np.minimum(_running(loss, 20), 1.2 * most), color=BLUE)
    top.plot(checks, np.minimum(result["val_loss"], 1.2 * most), "o-", color=ORANGE, ms=3.5)
    top.set(ylabel="loss", ylim=(0, most), xlim=(0, len(loss)))
    top.annotate("ln 10", (1, min(LN10, most)), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                 va="center", color=MUTED)  # fmt: skip
    top.annotate("training", (0, 1), xycoords="axes fraction", xytext=(2, 6), textcoords="offset points", color=BLUE)
    top.annotate("validation", (0, 1), xycoords="axes fraction", xytext=(66, 6), textcoords="offset points", color=ORANGE)
    middle.plot(checks, 100 * result["train_accuracy"], "o-", color=BLUE, ms=3.5)
    middle.plot(checks, 100 * result["val_accuracy"], "o-", color=ORANGE, ms=3.5)
    middle.set(ylabel="accuracy, %", ylim=(0, 103), yticks=[0, 50, 100])
    for i, colour in enumerate(LAYERS):
        moved = np.where(ratio[:, i] > 0, ratio[:, i], np.nan).clip(2e-7, 9)
        low.plot(checks, moved, "o-", color=colour, ms=3.5)
    for height, text, colour in zip((0.9, 0.62, 0.34), ("layer 1", "layer 2", "layer 3"), LAYERS, strict=True):
        low.annotate(text, (1, height), xycoords="axes fraction", xytext=(4, 0), textcoords="offset points",
                     color=colour, va="center")  # fmt: skip
    _plain_log(low, -7, 1)
    low.set_yticks([1e-6, 1e-3, 1], ["1e-6", "0.001", "1"])
    low.set(xlabel="step", ylabel="update ratio")
    return fig
