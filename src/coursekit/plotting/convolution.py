"""Pictures of chapter 12."""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import hsv_to_rgb

from ._parts import arrow, bare, label, mosaic, picture
from ._style import BLUE, GREEN, GRID, INK, MUTED, ORANGE, PAPER, figure, styled

# A photograph goes into the page with its own pixels; a small grid is drawn sharp.
_photograph = functools.partial(picture, low=0.0, high=1.0, photo=True)
_grid = functools.partial(picture, low=0.0, high=1.0)


def _numbers(ax, kernel, title=""):
    """A kernel as a grid of its entries."""
    rows, columns = kernel.shape
    for r in range(rows):
        for c in range(columns):
            value = kernel[r, c]
            text = f"{round(value, 2):g}".replace("-", "−")
            colour = MUTED if abs(value) < 1e-9 else BLUE if value > 0 else ORANGE
            ax.text(c, r, "0" if abs(value) < 5e-3 else text, ha="center", va="center", color=colour, size=11)
    for edge in range(columns + 1):
        ax.plot([edge - 0.5] * 2, [-0.5, rows - 0.5], color=MUTED, lw=0.8)
    for edge in range(rows + 1):
        ax.plot([-0.5, columns - 0.5], [edge - 0.5] * 2, color=MUTED, lw=0.8)
    ax.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal")
    bare(ax)
    ax.set_title(title)


@styled
def learnt(result: dict):
    """What a dense layer and a kernel make of a picture on the left and on the right."""
    fig, axes = figure(6.4, 5.2, 4, 2, margins=(1.25, 0.1, 0.1, 0.35), gaps=(0.15, 0.12))
    for column, (side, pictures) in zip(axes.T, result["pictures"].items(), strict=True):
        high = np.abs(pictures["its edges"]).max()
        for ax, (name, image) in zip(column, pictures.items(), strict=True):
            if name == "picture":
                _grid(ax, image)
                ax.set_title(f"on the {side}")
            else:
                _grid(ax, image, low=-high, high=high)
            if side == "left":
                ax.set_ylabel(name, rotation=0, ha="right", va="center")
    fig.alt = (
        "Edges of a picture on the left and of one on the right. The dense layer, which has learnt from pictures on "
        "the left, answers nothing on the right; the 3 by 3 kernel finds the edges on both sides."
    )
    return fig


@styled
def responses(table: dict):
    """Answers to an impulse of the systems that are linear and time-invariant, one panel each."""
    kept = {n: row["response"] for n, row in table.items() if max(row["linear"], row["invariant"]) < 1e-9}
    fig, axes = figure(6.4, 3.2, 2, 2, sharex=True, margins=(0.5, 0.1, 0.5, 0.3), gaps=(0.45, 0.45))
    for ax, (name, response) in zip(axes.flat, kept.items(), strict=True):
        t = np.arange(len(response))
        ax.vlines(t, 0, response, color=BLUE, lw=1.4)
        ax.plot(t, response, "o", color=BLUE, ms=3)
        ax.axhline(0, color=MUTED, lw=0.8)
        ax.set_title(name, size=10)
        ax.set_ylim(min(-0.1, 1.15 * response.min()), 1.15 * response.max())
    for ax in axes[-1]:
        ax.set_xlabel("steps after the impulse")
    fig.alt = f"Impulse responses of {', '.join(kept)}."
    return fig


@styled
def running_mean(result: dict):
    """A series with its running mean, and how much of the cycle each width keeps."""
    fig, (top, bottom) = figure(6.4, 4.3, 2, 1, height_ratios=[2, 1.1], margins=(0.7, 0.12, 0.5, 0.3), gaps=(0, 0.7))
    unit = "month" if result["period"] == 12 else "year"
    top.plot(result["time"], result["values"], color=MUTED, lw=0.8)
    top.plot(result["mean_time"], result["mean"], color=BLUE)
    what = "CO2, ppm" if unit == "month" else "sunspot number"
    every = 5 if unit == "month" else 50
    start, end = result["time"][0], result["time"][-1]
    top.set_xticks(np.arange(-(-start // every) * every, end + 1, every))
    top.set(ylabel=what, title=f"mean of {result['width']} {unit}{'s' * (result['width'] > 1)}")
    widths = np.arange(1, len(result["gain"]) + 1)
    bottom.plot(widths, 100 * result["gain"], "o-", color=MUTED, lw=1, ms=3)
    bottom.plot(result["width"], 100 * result["kept"], "o", color=ORANGE, ms=8)
    bottom.set(xlabel=f"width of the mean, {unit}s", ylabel="cycle left, %", ylim=(-6, 110), xlim=(0.3, 24.7))
    bottom.set_xticks([1, 6, 12, 18, 24] if unit == "month" else [1, 6, 11, 17, 22])
    return fig


@styled
def stamps(result: dict):
    """Three points, the kernel, and what convolution and correlation make of them."""
    fig, axes = figure(6.4, 4.3, 2, 2, margins=(0.1, 0.1, 0.1, 0.3), gaps=(0.25, 0.4))
    names = {"points": "the picture", "kernel": "the kernel", "convolution": "convolution"}
    for ax, (name, title) in zip(axes.flat, (names | {"correlation": "correlation"}).items(), strict=True):
        image = np.pad(result[name], 1) if name == "kernel" else result[name]  # a rim, so that the letter can be read
        _grid(ax, image, title)
    fig.alt = (
        "Three bright points and a kernel in the form of a letter F. Convolution puts an upright F at each point, "
        "correlation an F turned by half a circle."
    )
    return fig


@styled
def filtered(result: dict):
    """A photograph, a 3 x 3 kernel, and the photograph after it."""
    fig, (left, middle, right) = figure(
        6.5, 2.75, 1, 3, width_ratios=[1.25, 1, 1.25], margins=(0.05, 0.05, 0.08, 0.32), gaps=(0.12, 0)
    )
    _photograph(left, result["before"], "photograph")
    _numbers(middle, result["kernel"], "kernel")
    flat = abs(result["total"]) < 1e-9
    _photograph(right, result["after"], "grey is 0" if flat else "result", low=-1.0 if flat else 0.0)
    return fig


@styled
def steered(result: dict):
    """A photograph and where it gets brighter in one direction, with the kernel and an arrow."""
    fig, (left, middle, right) = figure(
        6.5, 2.75, 1, 3, width_ratios=[1.25, 1, 1.25], margins=(0.05, 0.05, 0.08, 0.32), gaps=(0.12, 0)
    )
    _photograph(left, result["before"], "photograph")
    _numbers(middle, result["kernel"], f"kernel, {result['angle']:.0f}°")
    angle = np.radians(result["angle"])
    across, down = 0.62 * np.cos(angle), 0.62 * np.sin(angle)
    arrow(middle, (1 - across, 3.25 - down), (1 + across, 3.25 + down), GREEN, lw=2, annotation_clip=False)
    middle.set_ylim(4.1, -0.6)
    _photograph(right, result["after"], "white: brighter that way", low=-0.3, high=0.3)
    return fig


@styled
def blurs(results: list[dict]):
    """A part of the photograph after blurs of several sizes."""
    fig, axes = figure(6.4, 2.45, 1, len(results), margins=(0.05, 0.05, 0.05, 0.32), gaps=(0.1, 0))
    for ax, result in zip(axes, results, strict=True):
        _photograph(ax, result["in_two"][24:168, 62:206], f"{result['size']} x {result['size']}")
    fig.alt = f"A photograph blurred by kernels of {', '.join(str(r['size']) for r in results)} pixels."
    return fig


@styled
def edges(result: dict):
    """Sobel's two answers, the strength of the edge, and its direction as a colour."""
    fig, axes = figure(6.4, 6.3, 2, 2, margins=(0.05, 0.05, 0.05, 0.32), gaps=(0.12, 0.36))
    _photograph(axes[0, 0], result["across"], "across", low=-0.4, high=0.4)
    _photograph(axes[0, 1], result["down"], "down", low=-0.4, high=0.4)
    _photograph(axes[1, 0], result["strength"], "strength", low=0, high=0.4)
    axes[1, 1].imshow(_coloured(result["angle"], result["strength"] / 0.3), interpolation="none")
    bare(axes[1, 1])
    axes[1, 1].set_title("direction")
    y, x = np.mgrid[-1:1:61j, -1:1:61j]
    wheel = _coloured(np.degrees(np.arctan2(y, x)), np.ones_like(x))
    inside = (np.hypot(x, y) < 1) & (np.hypot(x, y) > 0.45)
    inset = axes[1, 1].inset_axes([0.02, 0.02, 0.22, 0.22])
    inset.imshow(np.dstack([wheel, inside.astype(float)]), interpolation="none")
    bare(inset)
    inset.patch.set_alpha(0)
    fig.alt = (
        "Sobel's answers for a photograph of a man with a camera: across, down, the strength of the edge, and the "
        "direction in which it gets brighter as a colour."
    )
    return fig


def _coloured(angle, strength):
    hue = (angle % 360) / 360
    return hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.75), np.clip(strength, 0, 1)], axis=-1))


@styled
def stack(result: dict):
    """Rows of units from the input up, and what the middle unit of the last layer depends on."""
    lengths, seen, padding, size, stride = (result[k] for k in ("lengths", "seen", "padding", "size", "stride"))
    fig, ax = figure(6.5, 3.5, margins=(0.08, 0.08, 0.08, 0.32))
    squares, faces, rims = [], [], []
    starts = [14 - n / 2 for n in lengths]  # each row is centred
    for row, (n, start) in enumerate(zip(lengths, starts, strict=True)):
        last = row == len(lengths) - 1
        pad = 0 if last else padding
        used = set(range(-pad, n + pad))
        if not last:
            used = {p * stride - padding + i for p in range(lengths[row + 1]) for i in range(size)}
        for i in range(-pad, n + pad):
            x, y = start + i, 1.9 * row
            squares.append([(x + 0.06, y), (x + 0.94, y), (x + 0.94, y + 0.88), (x + 0.06, y + 0.88)])
            inside = 0 <= i < n
            sees = seen[row][0] <= i <= seen[row][1]
            faces.append((ORANGE if sees else GRID if i not in used else BLUE) if inside else PAPER)
            rims.append(ORANGE if sees else MUTED if not inside or i not in used else BLUE)
        name = "input" if row == 0 else f"layer {row}"
        ax.text(-6.3, 1.9 * row + 0.44, f"{name}: {n}", va="center", size=10.5)
        if row:
            below, (first, end) = starts[row - 1], seen[row - 1]
            first_up, end_up = start + seen[row][0], start + seen[row][1] + 1
            cone = [(below + first, 1.9 * row - 1.0), (below + end + 1, 1.9 * row - 1.0), (end_up, 1.9 * row),
                    (first_up, 1.9 * row)]  # fmt: skip
            ax.add_collection(PolyCollection([cone], facecolors=[ORANGE], alpha=0.25, edgecolors="none"))
    ax.add_collection(PolyCollection(squares, facecolors=faces, edgecolors=rims, linewidths=0.8))
    if not result["fits"]:
        ax.text(14, 1.9 * len(lengths) + 0.3, f"a kernel of {size} does not fit on {lengths[-1]}", ha="center",
                va="center", color=ORANGE)  # fmt: skip
    ax.set(xlim=(-6.4, 28.4), ylim=(-0.3, 6.9))
    bare(ax)
    ax.set_title(f"kernel {size}, stride {stride}, padding {padding}")
    return fig


@styled
def colours(result: dict):
    """A colour photograph and the three feature maps of one layer."""
    fig, axes = figure(6.4, 6.3, 2, 2, margins=(0.05, 0.05, 0.05, 0.32), gaps=(0.12, 0.36))
    axes[0, 0].imshow(result["image"], interpolation="none")
    bare(axes[0, 0])
    axes[0, 0].set_title("three channels in")
    for ax, name, one in zip(axes.flat[1:], result["names"], result["out"][0], strict=True):
        high = 1.0 if name == "brightness" else 0.8
        low = -high if name.startswith("edges") else 0.0
        _photograph(ax, one, name, low=low, high=high)
    fig.alt = (
        "A photograph of an astronaut in an orange suit, and three feature maps: brightness, where it is orange, and "
        "the edges of the orange parts."
    )
    return fig


@styled
def pooled(result: dict):
    """A photograph, its pooled forms, and the pixels that won a window."""
    fig, axes = figure(6.4, 6.3, 2, 2, margins=(0.05, 0.05, 0.05, 0.32), gaps=(0.12, 0.36))
    size = result["size"]
    _photograph(axes[0, 0], result["image"], "photograph")
    _photograph(axes[0, 1], result["winners"], "who gets the gradient (max)")
    _grid(axes[1, 0], result["max"], f"max pooling {size} x {size}")
    _grid(axes[1, 1], result["average"], f"average pooling {size} x {size}")
    fig.alt = (
        f"A photograph after max and average pooling of {size} by {size} pixels, and the one pixel of each window "
        "that gets the gradient of max pooling."
    )
    return fig


@styled
def feature_maps(result: dict):
    """A digit and the maps of one layer of LeNet-5; for the first layer its kernels too."""
    maps, first = result["maps"], result["layer"] == "conv 1"
    columns = 3 if len(maps) == 6 else 4
    fig, (left, right) = figure(
        6.4, 4.0, 1, 2, width_ratios=[1, 1.9 if columns == 3 else 1.45], margins=(0.05, 0.05, 0.08, 0.32),
        gaps=(0.2, 0),
    )  # fmt: skip
    _grid(left, result["image"], f"read as {result['guess']}")
    title = f"{result['layer']}: {len(maps)} maps of {maps.shape[1]} x {maps.shape[2]}"
    _grid(right, mosaic(maps, columns), title, high=np.percentile(maps, 99.5), cmap="viridis")
    if first:
        high = np.abs(result["kernels"]).max()
        inset = left.inset_axes([0.1, -0.66, 0.8, 0.47])
        _grid(inset, mosaic(result["kernels"], 3), low=-high, high=high, cmap="RdBu_r")
        inset.set_title("its kernels, 5 x 5", size=10)
    left.set_anchor("N")
    right.set_anchor("N")
    return fig


@styled
def effective_field(result: dict):
    """Which pixels move the unit, with the theoretical and the effective square, and a cut through the middle."""
    share, side, effective = result["share"], result["theoretical"], result["effective"]
    fig, (left, right) = figure(6.4, 3.3, 1, 2, margins=(0.1, 0.12, 0.52, 0.32), gaps=(0.5, 0))
    half = side / 2
    left.imshow(np.sqrt(share), extent=(-half, half, -half, half), interpolation="nearest", cmap="viridis")
    for width, colour, style in ((side, MUTED, "--"), (effective, ORANGE, "-")):
        h = width / 2
        left.plot([-h, h, h, -h, -h], [-h, -h, h, h, -h], color=colour, ls=style, lw=1.8)
    left.set(xlim=(-21.5, 21.5), ylim=(-21.5, 21.5), aspect="equal")
    bare(left)
    left.set_title(f"{result['depth']} layer{'s' * (result['depth'] > 1)} of 3 x 3")
    x = np.arange(side) - side // 2
    line = share.sum(axis=0)
    right.fill_between(x, line / line.max(), step="mid", color=BLUE, alpha=0.35, lw=0)
    right.step(x, line / line.max(), where="mid", color=BLUE, lw=1.4)
    fine = np.linspace(-21, 21, 127)
    right.plot(fine, np.exp(-(fine**2) / (2 * result["predicted_std"] ** 2)), color=INK, lw=1, ls=":")
    for width, colour, style, y, name in (
        (side, MUTED, "--", 1.14, f"theory: {side}"),
        (effective, ORANGE, "-", 1.06, f"95 %: {effective}"),
    ):
        right.plot([-width / 2, width / 2], [y, y], color=colour, ls=style, lw=1.8)
        right.text(-21, y + (0.1 if colour == MUTED else 0.0) - 0.02, name, color=colour, size=10, va="bottom")
    right.set(xlim=(-21.5, 21.5), ylim=(0, 1.38), yticks=[0, 0.5, 1], xlabel="pixels from the middle")
    right.set_title("squared gradient, by column", size=10)
    return fig


@styled
def growth(result: dict):
    """Theoretical and effective field by depth."""
    fig, ax = figure(6.4, 3.2, margins=(0.65, 1.3, 0.52, 0.3))
    for name, text, colour in (
        ("theoretical", "theory, 2 n + 1", MUTED), ("effective", "holds 95 %", ORANGE)
    ):  # fmt: skip
        ax.plot(result["depth"], result[name], "o-", color=colour)
        label(ax, text, (result["depth"][-1], result[name][-1]), colour, (7, 0))
    ax.set(xlabel="layers of 3 x 3", ylabel="side of the field, pixels", ylim=(0, None), xlim=(0, 41))
    pairs = zip(result["depth"], result["theoretical"], result["effective"], strict=True)
    fig.alt = "Receptive field by depth: " + "; ".join(f"{d} layers {t}, effective {e}" for d, t, e in pairs) + "."
    return fig


def _marked(ax, values, title, row, column, size):
    """A grid of numbers, NaN left empty, with one block of cells in orange."""
    n = len(values)
    bare(ax, title)
    for r, c in np.ndindex(*values.shape):
        inside = row <= r < row + size and column <= c < column + size
        if not np.isnan(values[r, c]):
            text = f"{values[r, c]:g}".replace("-", "\u2212")
            ax.text(
                c, r, text, ha="center", va="center", color=ORANGE if inside else INK, weight="bold" if inside else None
            )
    lines = np.arange(n + 1) - 0.5
    ax.hlines(lines, -0.5, n - 0.5, color=GRID, lw=0.8)
    ax.vlines(lines, -0.5, n - 0.5, color=GRID, lw=0.8)
    low, left, high, right = row - 0.5, column - 0.5, row + size - 0.5, column + size - 0.5
    ax.plot([left, right, right, left, left], [low, low, high, high, low], color=ORANGE, lw=2.2)
    ax.set(xlim=(-0.6, n - 0.4), ylim=(n - 0.4, -0.6), aspect="equal")


@styled
def by_hand(result: dict):
    """Three grids of numbers: the pixels, the kernel, and the output; orange is what takes part in this step."""
    fig, (left, middle, right) = figure(
        6.4, 2.9, 1, 3, width_ratios=[1.6, 1, 1], margins=(0.05, 0.05, 0.15, 0.4), gaps=(0.35, 0.1)
    )
    row, column = result["row"], result["column"]
    forward = result["direction"] == "forward"
    _marked(left, result["image" if forward else "dx"], "image" if forward else "dx so far", row, column, 3)
    _marked(middle, result["kernel"], "kernel", 0, 0, 3)
    _marked(right, result["out"], "output so far" if forward else "dout", row, column, 1)
    return fig


@styled
def bells(found: list[dict]):
    """Bars: a box convolved with itself; line: the normal curve of the same variance."""
    fig, axes = figure(6.6, 2.2, 1, len(found), margins=(0.68, 0.1, 0.5, 0.3), gaps=(0.18, 0.1))
    for ax, r in zip(axes, found, strict=True):
        ax.bar(r["at"], r["kernel"], color=BLUE, alpha=0.6, width=0.8)
        ax.plot(r["at"], r["normal"], color=ORANGE)
        ax.set(xlim=(-8.5, 8.5), ylim=(0, 0.52), xticks=[-5, 0, 5], xlabel="place")
        ax.set_title("once" if r["times"] == 1 else f"{r['times']} times")
        if ax is not axes[0]:
            ax.set_yticklabels([])
    axes[0].set_ylabel("weight")
    far = [float(np.abs(r["kernel"] - r["normal"]).max()) for r in found]
    fig.alt = (
        "Three equal weights, convolved with themselves, beside a bell curve of the same variance. The largest "
        f"difference is {far[0]:.3f} at first and {far[-1]:.3f} after {found[-1]['times']} times."
    )
    return fig


@styled
def products(kernels: dict):
    """For each kernel, the nearest product of a column and a row, and what that leaves."""
    fig, axes = figure(6.4, 4.6, 3, len(kernels), margins=(0.1, 0.1, 0.1, 0.35), gaps=(0.12, 0.32))
    for column, (name, (kernel, product)) in zip(axes.T, kernels.items(), strict=True):
        limit = np.abs(kernel).max()
        for ax, array, title, shade in zip(
            column,
            (kernel, product, kernel - product),
            (name, "column times row", "left over, \u00d7 5"),
            (limit, limit, limit / 5),
            strict=True,
        ):
            picture(ax, array, title, -shade, shade, cmap="RdBu_r")
    left = ", ".join(f"{name} {np.abs(k - p).max() / np.abs(k).max():.0%}" for name, (k, p) in kernels.items())
    fig.alt = f"Kernels, the product of a column and a row nearest to each, and what is left over: at most {left}."
    return fig
