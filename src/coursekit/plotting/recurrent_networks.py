"""Pictures of chapter 14."""

from __future__ import annotations

import textwrap
import warnings

import matplotlib.text
import numpy as np
from matplotlib.patches import FancyBboxPatch

from ._parts import apart, arrow, label, name_ends
from ._style import BLUE, CYCLE, GREEN, INK, MUTED, ORANGE, PAPER, figure, powers, styled

LN2 = np.log(2)
COLOURS = {"RNN": ORANGE, "GRU": GREEN, "LSTM": BLUE}


# Diagrams


def _empty(width, height, xlim, ylim):
    fig, ax = figure(width, height, margins=(0.05, 0.05, 0.05, 0.05))
    ax.set(xlim=xlim, ylim=ylim, xticks=[], yticks=[])
    ax.set_axis_off()
    return fig, ax


def _box(ax, x, y, text, colour=BLUE, size=12):
    patch = FancyBboxPatch((x - 0.3, y - 0.22), 0.6, 0.44, boxstyle="round,pad=0.04", fc=PAPER, ec=colour, lw=1.6)
    ax.add_patch(patch)
    ax.text(x, y, text, ha="center", va="center", size=size)


def _up(ax, x, y, text, colour=MUTED):
    """An input below a cell."""
    ax.text(x, y - 0.75, text, ha="center", va="center")
    arrow(ax, (x, y - 0.6), (x, y - 0.27), colour)


def _answer(ax, x, y, text, colour=INK):
    arrow(ax, (x, y + 0.27), (x, y + 0.6), colour)
    ax.text(x, y + 0.75, text, ha="center", va="center", color=colour)


@styled
def unfolded():
    """The cell with its loop, and the same cell once a step."""
    fig, ax = _empty(5.2, 2.0, (-0.7, 6.9), (-1.25, 1.25))
    _box(ax, 0, 0, "cell")
    _up(ax, 0, 0, "$x_t$")
    _answer(ax, 0, 0, "$h_t$")
    arrow(ax, (0.34, 0.13), (0.34, -0.13), ORANGE, connectionstyle="arc3,rad=-2.4")
    ax.text(0.72, 0, "$W_h$", color=ORANGE, va="center")
    ax.text(1.5, 0, "=", ha="center", va="center", size=18)
    ax.text(1.95, 0, "$h_0$", ha="center", va="center")
    for t in range(4):
        x = 3.0 + 1.15 * t
        _box(ax, x, 0, "cell")
        _up(ax, x, 0, f"$x_{t + 1}$")
        _answer(ax, x, 0, f"$h_{t + 1}$")
        arrow(ax, (x - 0.78 if t else 2.15, 0), (x - 0.35, 0), ORANGE)
        ax.text(x - 0.575, 0.16, "$W_h$", ha="center", color=ORANGE, size=10)
    fig.alt = (
        "Left, a cell that reads x, gives h and feeds h back to itself through the weights W_h. Right, the same thing "
        "unfolded: four copies of the cell in a row, one a step, each handing its state on through the same W_h."
    )
    return fig


@styled
def patterns():
    """Where the answers stand: at the end, at every step, after the question."""
    fig, ax = _empty(5.4, 4.6, (-1.5, 6.3), (-5.15, 1.05))
    rows = [
        ("many to one", [None, None, "female", None, None], 3),
        ("many to many,\nin step", ["0", "0", "0"], 3),
        ("many to many,\ndelayed", [None, None, None, "c", "b", "a"], 6),
    ]
    reads = [["a", "n", "n"], ["1+1", "0+1", "1+0"], ["a", "b", "c", "", "", ""]]
    for row, (title, answers, count) in enumerate(rows):
        y = -2.05 * row
        ax.text(-1.5, y, title, ha="left", va="center", size=11)
        for t in range(count):
            x = 1.1 + 0.95 * t
            _box(ax, x, y, "cell", size=10)
            if t:
                arrow(ax, (x - 0.6, y), (x - 0.35, y), ORANGE)
            _up(ax, x, y, reads[row][t] or "·")
            if answers[t] is not None:
                _answer(ax, x, y, answers[t], BLUE)
    fig.alt = (
        "Three rows of cells. Many to one: letters a, n, n go in, and only the last cell answers, female. Many to many "
        "in step: pairs of bits go in, each cell answers one bit of their sum. Many to many delayed: a, b, c go in, "
        "then three blanks, and the last three cells answer c, b, a."
    )
    return fig


@styled
def truncated(pieces: int = 3, length: int = 3):
    """The state goes on from piece to piece, the gradient goes back within each piece only."""
    fig, ax = _empty(5.4, 1.9, (-0.6, pieces * length - 0.4), (-1.35, 1.05))
    for t in range(pieces * length):
        _box(ax, t, 0, str(t + 1), size=10)
        if t:
            arrow(ax, (t - 0.68, 0.12), (t - 0.32, 0.12), ORANGE)
            if t % length:
                arrow(ax, (t - 0.32, -0.12), (t - 0.68, -0.12), BLUE)
            else:
                ax.plot([t - 0.5] * 2, [-0.7, 0.7], color=MUTED, ls="--", lw=1.2)
    ax.text(-0.34, 0.86, "the state goes on", color=ORANGE, va="center")
    ax.text(-0.34, -0.86, "the gradient goes back as far as its piece begins", color=BLUE, va="center")
    fig.alt = (
        f"{pieces * length} steps in a row, cut into {pieces} pieces of {length}. Arrows of the state lead from each "
        "step to the next, across the cuts too. Arrows of the gradient lead back, and none of them crosses a cut."
    )
    return fig


# Curves


@styled
def latches(results: list[dict]):
    """The state of one unit by step, from several starts, a panel for each weight; `results` as from `latch`."""
    fig, axes = figure(6.4, 2.7, 1, len(results), margins=(0.62, 0.15, 0.52, 0.34), gaps=(0.3, 0), sharey=True)
    said = []
    for ax, r in zip(axes, results, strict=True):
        for path in r["paths"]:
            ax.plot(path, color=ORANGE if path[0] > 0 else BLUE)
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.set(xlim=(0, r["paths"].shape[1] - 1), ylim=(-1.1, 1.1), yticks=[-1, 0, 1], xlabel="step")
        ax.set_title(f"weight {r['weight']:g}")
        ends = ", ".join(f"{end:.2f}" for end in r["paths"][:, -1])
        said.append(f"With weight {r['weight']:g} they end at {ends}.")
    axes[0].set_ylabel("state")
    starts = ", ".join(f"{start:g}" for start in results[0]["paths"][:, 0])
    fig.alt = f"The state of one unit over {ax.get_xlim()[1]:.0f} steps, from the starts {starts}. " + " ".join(said)
    return fig


@styled
def forget_bias(kept: dict[float, np.ndarray]):
    """What the forget gate alone leaves of the gradient, by steps back; `kept` is {bias: share by step}."""
    fig, ax = figure(6.0, 3.0, margins=(0.75, 1.75, 0.52, 0.15))
    ends = []
    for colour, (bias, share) in zip((MUTED, ORANGE, GREEN, BLUE), kept.items(), strict=True):
        ax.plot(share, color=colour)
        ends.append((share[-1], f"bias {bias:g}: f = {share[1]:.3f}", colour))
    heights = apart([np.log10(end) for end, _, _ in ends], 1.4)
    for (_, name, colour), height in zip(ends, heights, strict=True):
        label(ax, name, (len(share) - 1, 10.0**height), colour, (5, 0), size=10)
    ax.set(yscale="log", ylim=(1e-17, 100), xlim=(0, len(share) - 1), xlabel="steps back", ylabel="share left")
    powers(ax.yaxis, -15, 0, 5)
    fig.alt = (
        f"What is left of the gradient by steps back, on a logarithmic axis. After {len(share) - 1} steps: "
        + "; ".join(f"{name}, {end:.1g}" for end, name, _ in ends)
    )
    return fig


@styled
def held_gates(runs: dict[str, dict]):
    """The cell of one unit letter by letter, by what its forget gate is held at; `runs` as from `lstm_unit`."""
    fig, ax = figure(6.0, 3.0, margins=(0.62, 1.25, 0.52, 0.15))
    ends = []
    for colour, (gate, r) in zip((BLUE, MUTED, ORANGE, GREEN), runs.items(), strict=True):
        ax.plot(r["cells"], "o-", color=colour, ms=4)
        ends.append((r["cells"][-1], gate if gate == "as learnt" else f"held at {gate}", colour))
    word = r["word"]
    name_ends(ax, len(word) - 1, ends, 1.0, (7, 0))
    ax.set_xticks(range(len(word)), list(word.replace(" ", "\u2423")), size=13)
    ax.set(xlim=(-0.5, len(word) - 0.5), ylim=(0, None), ylabel="cell")
    fig.alt = f"The cell after each letter of “{word}”, by the forget gate. At the last letter: " + "; ".join(
        f"{name} {end:.1f}" for end, name, _ in ends
    )
    return fig


def _curves(runs, ylabel, *, window=10, ylim=None, reference=None, colours=CYCLE, height=3.2, right=1.25, gap=0.06):
    """One colour for each name, a thin line for each seed, labelled at its end."""
    fig, ax = figure(6.4, height, margins=(0.66, right, 0.52, 0.2))
    if reference:
        ax.axhline(reference[0], color=MUTED, lw=1, ls="--")
    ends = []
    for colour, (name, loss) in zip(colours, runs.items(), strict=False):
        for seed in np.asarray(loss).reshape(len(loss), -1).T:
            smooth = np.convolve(seed, np.ones(window) / window, "valid")
            ax.plot(np.arange(window, window + len(smooth)), smooth, color=colour, lw=1.1)
        ends.append([smooth[-1], name, colour])
    steps = window + len(smooth)
    if reference:
        at = (steps, reference[0])
        label(ax, reference[1], at, MUTED, (-4, 4), ha="right", size=9, va="baseline")
    limits = ylim or ax.get_ylim()
    least, place = gap * (limits[1] - limits[0]), -np.inf
    for end, name, colour in sorted(ends):
        place = max(min(end, limits[1]), place + least)
        label(ax, name, (steps, place), colour, (5, 0))
    ax.set(xlabel="step", ylabel=ylabel, ylim=limits, xlim=(0, steps))
    return fig


@styled
def adding(results: dict):
    """Loss of both nets by step; `results` as from `experiments.recurrent_networks.learn_to_add`."""
    fig = _curves(
        {name: r["loss"] for name, r in results.items()},
        "loss, nats a bit",
        ylim=(0, 0.78),
        reference=(LN2, "ln 2, guessing"),
        colours=(MUTED, ORANGE),
    )
    ends = {name: r["loss"][-20:].mean() for name, r in results.items()}
    fig.alt = (
        f"Loss by step. The memoryless net stays near guessing and ends at {ends['memoryless']:.2f}, the RNN falls to "
        f"{ends['RNN']:.3f}."
    )
    return fig


@styled
def addition_states(result: dict, bits: int = 16):
    """One sum bit by bit, and under it the state of every hidden unit; `result` as from `learn_to_add`."""
    example, unit = result["example"], result["carry_unit"]
    h = example["h"][:bits].T
    fig, (top, below) = figure(
        6.4, 4.1, 2, 1, height_ratios=[4, len(h)], margins=(1.05, 0.15, 0.5, 0.1), gaps=(0, 0.2), sharex=True
    )
    rows = {"first": example["x"][:, 0], "second": example["x"][:, 1], "sum": example["y"], "carry": example["carry"]}
    for y, (name, row) in enumerate(rows.items()):
        for t, bit in enumerate(row[:bits]):
            colour = ORANGE if name == "carry" and bit else INK
            top.text(
                t, y, int(bit), ha="center", va="center", color=colour, weight="bold" if colour == ORANGE else None
            )
    top.set(yticks=range(4), yticklabels=rows, ylim=(3.6, -0.6), xlim=(-0.5, bits - 0.5))
    top.tick_params(length=0, labelbottom=False)
    top.grid(visible=False)
    for spine in top.spines.values():
        spine.set_visible(False)
    below.imshow(h, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    below.set(
        yticks=range(len(h)), yticklabels=[f"unit {i + 1}" for i in range(len(h))], xlabel="step, lowest bit first"
    )
    below.get_yticklabels()[unit].set_color(ORANGE)
    below.set_xticks(range(0, bits, 5), range(1, bits + 1, 5))
    below.grid(visible=False)
    fig.alt = (
        f"A sum of two numbers of {bits} bits, with its carries, above a colour map of the {len(h)} hidden units. "
        f"Unit {unit + 1} goes with the carry: over 200 sums their correlation is {result['carry_correlation']:.2f}."
    )
    return fig


@styled
def read_aloud(read: dict[str, np.ndarray]):
    """The probability of "female" after each letter of each name."""
    fig, axes = figure(6.4, 1.25 * len(read) + 0.4, len(read), 1, margins=(0.66, 0.15, 0.4, 0.15), gaps=(0, 0.4))
    longest = max(map(len, read))
    said = []
    for ax, (name, p) in zip(axes, read.items(), strict=True):
        ax.axhline(0.5, color=MUTED, lw=1, ls="--")
        ax.plot(range(len(p)), p, "o-", color=BLUE)
        ax.set(ylim=(-0.1, 1.1), yticks=[0, 0.5, 1], xlim=(-0.5, longest - 0.5))
        ax.set_xticks(range(len(name)), list(name), size=12)
        ax.grid(axis="x", visible=False)
        said.append(f"{name} {p[-2]:.2f} before its last letter, {p[-1]:.2f} after it")
    fig.supylabel("probability of “female”", size=11, x=0.01)
    fig.alt = f"The probability of female, letter by letter. {'; '.join(said)}."
    return fig


@styled
def forecast(result: dict):
    """The test part of a series and one net's forecast; `result` as from `experiments.recurrent_networks.forecast`."""
    fig, ax = figure(6.4, 3.3, margins=(0.7, 0.15, 0.5, 0.42))
    years = result["time"].astype("datetime64[Y]").astype(int) + 1970
    ax.plot(years, result["values"], color=INK, lw=1.4)
    ax.plot(years, result["naive"], color=MUTED, lw=1, ls=":")
    ax.plot(years, result["rnn"][0], color=ORANGE, lw=1.4)
    for x, name, colour in ((0.0, "measured", INK), (0.24, "the year before", MUTED), (0.62, "RNN", ORANGE)):
        ax.annotate(name, (x, 1.03), xycoords="axes fraction", color=colour)
    ax.set(xlabel="year", ylabel="sunspot number", xlim=(years[0], years[-1]), ylim=(0, None))
    rmse = result["rmse"]
    fig.alt = (
        f"Sunspot numbers from {years[0]} to {years[-1]}, waves of about eleven years. The RNN's forecast follows them "
        f"with a root mean square error of {rmse['RNN'][0]:.0f}; the value of the year before lags behind, "
        f"{rmse['naive']:.0f}."
    )
    return fig


@styled
def gradient(result: dict):
    """Norm of the gradient by how many steps back; `result` as from `gradient_through_time`."""
    norm, radius = result["norm"], result["radius"]
    steps = np.arange(len(norm))
    fig, ax = figure(6.0, 3.5, margins=(0.75, 0.3, 0.52, 0.34))
    ax.axhline(1, color=MUTED, lw=1)
    ax.plot(steps, radius ** steps.astype(float), color=MUTED, lw=1, ls="--")
    ax.plot(steps, norm.clip(1e-35, 1e35), color=ORANGE if norm[-1] > 1 else BLUE)
    ax.set(
        yscale="log", ylim=(1e-32, 1e32), xlim=(0, len(norm) - 1), xlabel="steps back", ylabel="norm of the gradient"
    )
    powers(ax.yaxis, -30, 30, 10)
    ax.set_title(f"{result['activation']}, inputs of std {result['inputs']:g}, spectral radius {radius:.3g}")
    ax.annotate("radius to the power of steps", (0.02, 0.04), xycoords="axes fraction", size=9, color=MUTED)
    return fig


@styled
def cells(results: dict[str, np.ndarray]):
    """Norm of the gradient by steps back in fresh cells; `results` as from `gradient_through_cells`."""
    fig, ax = figure(6.4, 3.6, margins=(0.75, 1.2, 0.52, 0.2))
    place = np.inf
    order = sorted(results.items(), key=lambda item: -item[1][-1])
    for colour, (name, norm) in zip((BLUE, GREEN, ORANGE, MUTED, INK), order, strict=True):
        ax.plot(norm.clip(1e-60, None), color=colour)
        place = min(norm[-1], place / 50)
        label(ax, name, (100, place), colour, (5, 0), size=10)
    ax.set(yscale="log", ylim=(1e-28, 1e4), xlim=(0, 100), xlabel="steps back", ylabel="norm of the gradient")
    powers(ax.yaxis, -25, 0, 5)
    said = "; ".join(f"{name} {norm[-1]:.0e}" for name, norm in order)
    fig.alt = f"Norm of the gradient by steps back, on a logarithmic axis. After 100 steps: {said}."
    return fig


@styled
def cliff(result: dict):
    """Loss and size of its gradient by the recurrent weight; `result` as from `cliff` of the experiments."""
    fig, (top, below) = figure(6.0, 4.6, 2, 1, sharex=True, margins=(0.75, 0.2, 0.52, 0.15), gaps=(0, 0.25))
    top.plot(result["weight"], result["loss"], color=BLUE)
    top.set(ylabel="loss", ylim=(0, 3.2))
    below.plot(result["weight"], np.abs(result["gradient"]).clip(1e-13), color=ORANGE)
    below.set(yscale="log", ylabel="|gradient|", xlabel="recurrent weight w", xlim=(0, 5), ylim=(1e-12, 1e12))
    powers(below.yaxis, -10, 10, 5)
    fig.alt = (
        f"The loss by the recurrent weight is flat, falls like a cliff at {result['edge']:.2f}, and is flat again. The "
        f"gradient there reaches {np.abs(result['gradient']).max():.0e}."
    )
    return fig


@styled
def losses(runs: dict[str, np.ndarray], *, ylim=(0, 0.85), reference=(LN2, "ln 2, guessing"), what="loss, nats"):
    """Loss of several settings, a line for each seed."""
    fig = _curves(runs, what, ylim=ylim, reference=reference)
    ends = "; ".join(f"{name} {np.asarray(loss)[-20:].mean(axis=0).min():.2g}" for name, loss in runs.items())
    fig.alt = f"Loss by step, a thin line for each seed. The best seed's loss over the last 20 steps: {ends}."
    return fig


@styled
def recall(result: dict):
    """Share recalled by the delay; `result` as from `experiments.recurrent_networks.recall`."""
    recalled, delay, trained = result["recalled"], result["delay"], result["trained"]
    fig, ax = figure(6.0, 3.3, margins=(0.72, 0.25, 0.52, 0.34))
    ax.axvspan(0, trained, color=MUTED, alpha=0.13, lw=0)
    ax.axhline(0.25, color=MUTED, lw=1, ls="--")
    for y, note in ((0.27, "guessing"), (0.03, "shaded: delays in training")):
        ax.annotate(note, (199, y), ha="right", size=9, color=MUTED)
    ax.plot(recalled, color=COLOURS[result["cell"]])
    ax.axvline(delay, color=INK, lw=1)
    ax.plot(delay, result["at"], "o", color=INK, ms=7)
    side, shift = ("left", 6) if delay < 130 else ("right", -6)
    text = f"delay {delay}: {result['at']:.0%}"
    label(ax, text, (delay, 0.12), offset=(shift, 0), ha=side, va="baseline")
    ax.set(xlim=(0, 201), ylim=(0, 1.06), yticks=[0, 0.25, 0.5, 0.75, 1])
    ax.set(xlabel="delay, steps", ylabel="share recalled")
    ax.set_title(f"{result['cell']}, trained with delays up to {trained}")
    return fig


# Text


class _Words(matplotlib.text.Text):
    """Text whose letters the page's font has, even where Matplotlib's own has not (Korean)."""

    def draw(self, renderer):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Glyph missing from font": the page's font is used
            super().draw(renderer)


@styled
def written(result: dict, lines: int = 17):
    """What the network wrote; `result` as from `experiments.recurrent_networks.written`."""
    fig, ax = figure(4.8, 4.5, margins=(0.1, 0.1, 0.1, 0.1))  # narrow: legible on a phone
    ax.set_axis_off()
    shown = lay_out(result["text"], 25 if "Korean" in result["source"] else 48, lines)
    for i, line in enumerate(shown):
        words = _Words(0.02, 0.97 - i / lines, line, transform=fig.transFigure, va="top", parse_math=False, color=INK)
        words.set_fontsize(12)
        fig.add_artist(words)
    return fig


def lay_out(text: str, width: int, lines: int) -> list[str]:
    r"""Text as at most `lines` lines of at most `width` characters; its own line breaks are kept, its empty lines not.

    >>> lay_out("one two three\n\nfour", 8, 3)
    ['one two', 'three', 'four']
    """
    return [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, width)][:lines]


@styled
def alignment(result: dict):
    """A row for each character of the answer, a column for each that was read; dark is where the network looked."""
    fig, ax = figure(6.0, 4.3, margins=(0.8, 0.3, 0.2, 0.75))
    ax.imshow(result["weights"], cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(result["read"])), [c.replace(" ", "\u2423") for c in result["read"]], size=13)
    ax.set_yticks(range(len(result["wrote"])), list(result["wrote"]), size=13)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set(xlabel="read", ylabel="written")
    ax.grid(visible=False)
    return fig


def _named(ax, at, text, colour):
    ax.text(*at, text, ha="center", va="center", color=colour, bbox={"fc": PAPER, "ec": colour, "boxstyle": "round"})


@styled
def lstm_unit(result: dict):
    """Above, the cell as a line from left to right with its gates; below, its value after each letter."""
    fig, (above, below) = figure(6.4, 4.6, 2, 1, margins=(0.7, 0.15, 0.54, 0.1), gaps=(0.1, 0.35))
    above.set(xlim=(0, 10), ylim=(0, 5))
    above.axis("off")
    line, low = 3.8, 1.1
    names = ("i", "f", "g", "o", "before", "cell", "state")
    number = {name: f"{result[name]:.2f}".replace("-", "\u2212") for name in names}
    places = [(0.6, "before", "cell\nbefore"), (6.0, "cell", "cell\nnow")]
    for start, end in ((1.3, 1.9), (2.5, 4.3), (4.9, 5.3), (6.7, 7.4), (8.4, 8.9)):
        arrow(above, (start, line), (end, line))
    for x in (2.2, 4.6, 7.9):
        arrow(above, (x, low + 0.6), (x, line - 0.4))
    for x, key, name in places:
        _named(above, (x, line), f"{name}\n{number[key]}", BLUE)
    for x, sign in ((2.2, "\u00d7"), (4.6, "+"), (7.9, "\u00d7")):
        above.text(x, line, sign, ha="center", va="center", size=15)
    _named(above, (2.0, low), f"forget gate\n{number['f']}", ORANGE)
    _named(above, (4.8, low), f"input gate {number['i']}\n\u00d7 new {number['g']}", ORANGE)
    _named(above, (7.9, low), f"output gate\n{number['o']}", ORANGE)
    above.text(7.1, line + 0.45, "tanh", ha="center", color=MUTED, size=10)
    _named(above, (9.4, line), f"state\n{number['state']}", GREEN)
    at = np.arange(len(result["word"]))
    below.axhline(0, color=MUTED, lw=0.8)
    below.plot(at, result["learnt"], "--", color=MUTED, lw=1.2)
    below.plot(at, result["cells"], "o-", color=BLUE)
    below.axvline(result["step"], color=INK, lw=1, ls=":")
    below.set_xticks(at, list(result["word"].replace(" ", "\u2423")), size=13)
    below.set(xlim=(-0.5, len(at) - 0.5), ylim=(-1, 13.5), ylabel="cell")
    return fig


@styled
def gru_unit(result: dict):
    """Above, the state as a line from left to right, with what is mixed in; below, its value after each letter."""
    fig, (above, below) = figure(6.4, 4.4, 2, 1, margins=(0.7, 0.15, 0.54, 0.1), gaps=(0.1, 0.35))
    above.set(xlim=(0, 10), ylim=(-0.3, 5.4))
    above.axis("off")
    line, middle, low = 4.6, 2.6, 0.2
    number = {k: f"{result[k]:.2f}".replace("-", "\u2212") for k in ("z", "r", "n", "own", "others", "before", "state")}
    rest = f"{1 - result['z']:.2f}"
    for start, end in ((1.5, 2.5), (3.1, 5.9), (6.5, 8.0)):
        arrow(above, (start, line), (end, line))
    _named(above, (0.8, line), f"state before\n{number['before']}", GREEN)
    _named(above, (8.9, line), f"state now\n{number['state']}", GREEN)
    for x, sign in ((2.8, "\u00d7"), (6.2, "+")):
        above.text(x, line, sign, ha="center", va="center", size=15)
    arrow(above, (2.8, middle + 0.6), (2.8, line - 0.35))
    arrow(above, (6.2, middle + 0.6), (6.2, line - 0.35))
    _named(above, (2.8, middle), f"update gate\n{number['z']}", ORANGE)
    _named(above, (6.2, middle), f"share of the new {rest}\n\u00d7 proposal {number['n']}", ORANGE)
    arrow(above, (6.2, low + 0.5), (6.2, middle - 0.65))
    above.text(6.4, 1.2, "tanh", ha="left", va="center", color=MUTED, size=10)
    _named(
        above, (6.2, low), f"letter {number['own']} + reset gate {number['r']} \u00d7 states {number['others']}", BLUE
    )
    at = np.arange(len(result["name"]))
    below.axhline(0, color=MUTED, lw=0.8)
    below.plot(at, result["learnt"], "--", color=MUTED, lw=1.2)
    below.plot(at, result["states"], "o-", color=GREEN)
    below.axvline(result["step"], color=INK, lw=1, ls=":")
    below.set_xticks(at, list(result["name"]), size=13)
    below.set(xlim=(-0.5, len(at) - 0.5), ylim=(-1.1, 1.1), yticks=[-1, 0, 1], ylabel="state")
    return fig


@styled
def stretched(result: dict):
    """Left, the circle of all gradients of length 1 and what one step makes of it; right, the most that k steps do."""
    fig, (left, right) = figure(6.6, 3.0, 1, 2, margins=(0.5, 0.15, 0.52, 0.34), gaps=(0.75, 0.3))
    wide = max(1.6, 1.1 * result["singular"])
    left.plot(*result["circle"], color=MUTED, lw=1.2)
    left.plot(*result["step"], color=BLUE)
    left.set(xlim=(-wide, wide), ylim=(-wide, wide), xlabel="unit 1", ylabel="unit 2")
    left.set_aspect("equal")
    left.set_title("before (grey), one step back")
    steps = np.arange(1, len(result["most"]) + 1)
    high = 10 if result["singular"] > 2 else 3
    for base, style, colour in ((result["singular"], "--", ORANGE), (result["radius"], ":", GREEN)):
        right.plot(steps, np.clip(base, 1e-9, None) ** steps, style, color=colour, lw=1.4)
    right.plot(steps, np.maximum(result["most"], 1e-9), "o-", color=BLUE)
    right.axhline(1, color=MUTED, lw=0.8)
    right.set(xlim=(0.5, len(steps) + 0.5), xlabel="steps back")
    right.set_title("largest factor")
    powers(right.yaxis, -2, high, 1 if high == 3 else 3)
    right.set_ylim(1e-2, 10.0**high)
    return fig
