"""Explorers and predictions of chapter 12."""

from __future__ import annotations

import numpy as np

from .. import convolution
from ..experiments import convolution as experiment
from ..interactive.closer import Closer
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..plotting import convolution as plot
from . import Choice, Handle, Slider, Time, explorer, predict

__all__ = [
    "by_hand",
    "effective_field",
    "feature_maps",
    "filtered",
    "predict_field",
    "predict_flip",
    "predict_pool",
    "predict_shape",
    "predict_year",
    "running_mean",
    "stack",
    "steered",
]


def _mean_in_words(result):
    unit = "months" if result["period"] == 12 else "years"
    what = "CO2 over Mauna Loa" if unit == "months" else "sunspot numbers"
    return (
        f"{what} and the mean of {result['width']} {unit}. Of the cycle of {result['period']} {unit}, an amplitude of "
        f"{result['swing_before']:.1f}, {result['kept']:.0%} is left."
    )


running_mean = explorer(
    experiment.running_mean,
    plot.running_mean,
    _mean_in_words,
    title="A running mean",
    handles=[Handle("width", x="width", axes=1)],
    series=Choice("CO2", "sunspots", label="series"),
    width=Slider(1, 24, default=7, step=1, label="width of the mean"),
)


def _filtered_in_words(result):
    rows = "; ".join(" ".join(f"{value:.3g}" for value in row) for row in result["kernel"])
    if abs(result["total"]) < 1e-9:
        return (
            f"The photograph after the kernel {rows}. Its entries sum to 0, so flat parts are 0, drawn grey; "
            f"the answers have a standard deviation of {result['after'].std():.2f}."
        )
    return (
        f"The photograph after the kernel {rows}. Its mean brightness is {result['after'].mean():.2f}, before it was "
        f"{result['before'].mean():.2f}; its contrast, the standard deviation, {result['after'].std():.2f} instead of "
        f"{result['before'].std():.2f}."
    )


filtered = explorer(
    experiment.filtered,
    plot.filtered,
    _filtered_in_words,
    title="Three numbers and a photograph",
    handles=[
        Handle(f"{name} entry", x=column, y=1, axes=1, turn=name)
        for column, name in enumerate(("left", "centre", "right"))
    ],
    left=Slider(-1.0, 1.0, default=-1.0, step=1.0, label="left entry"),
    centre=Slider(0.0, 5.0, default=0.0, step=1.0, label="centre entry"),
    right=Slider(-1.0, 1.0, default=1.0, step=1.0, label="right entry"),
    layout=Choice("columns", "cross", label="layout"),
)


def _steered_in_words(result):
    return (
        f"Sobel's kernel turned to {result['angle']:.0f} degrees. White where the photograph gets brighter in the "
        f"arrow's direction, black where it gets darker; {result['share']:.1%} of the pixels rise by more than 0.1."
    )


steered = explorer(
    experiment.steered,
    plot.steered,
    _steered_in_words,
    title="Sobel's kernel, turned",
    handles=[Handle("direction", x=1, y=1, axes=1, turn="angle")],
    angle=Slider(0, 345, default=0, step=15, label="direction", unit="°"),
)


def _stack_in_words(result):
    lengths = result["lengths"]
    text = (
        f"Kernel {result['size']}, stride {result['stride']}, padding {result['padding']}: lengths "
        f"{', '.join(map(str, lengths))}."
    )
    if not result["fits"]:
        text += f" The next layer does not fit: {lengths[-1]} with its padding is shorter than the kernel."
    return f"{text} A unit of the last row has a receptive field of {result['field']} pixels."


stack = explorer(
    experiment.stack,
    plot.stack,
    _stack_in_words,
    title="Shapes and receptive field",
    size=Slider(1, 5, default=3, step=2, label="kernel"),
    stride=Slider(1, 3, default=1, step=1, label="stride"),
    padding=Slider(0, 2, default=0, step=1, label="padding"),
    layers=Slider(1, 3, default=2, step=1, label="layers"),
)


def _maps_in_words(result):
    maps = result["maps"]
    return (
        f"A handwritten {result['label']}, read as {result['guess']} with probability {result['p']:.3f}. Layer "
        f"{result['layer']} has {len(maps)} maps of {maps.shape[1]} by {maps.shape[2]}; {result['zeros']:.0%} of their "
        f"entries are 0. Each entry sees {result['field']} by {result['field']} pixels."
    )


def _convolved(forward):
    def conv2d_forward(x, w, b, stride=1, padding=0):
        (stride, _), (padding, _) = (np.broadcast_to(pair, 2).tolist() for pair in (stride, padding))
        return forward(x, w, b, stride, padding)

    return conv2d_forward


CONVOLVED = Slot(
    "",
    "12.2",
    ("conv2d_forward",),
    places=((vars(convolution), "conv2d_forward", _convolved),),
    called="the course's conv2d",
)

feature_maps = explorer(
    experiment.feature_maps,
    plot.feature_maps,
    _maps_in_words,
    title="The outputs of LeNet-5's layers",
    yours=[CONVOLVED],
    handles=[
        Closer(
            "map",
            axes=1,
            by="layer",
            grid={name: (4, 4, 1) if name.endswith("2") else (2, 3, 1) for name in experiment.LAYERS},
        )
    ],
    digit=Slider(0, 9, default=4, step=1, label="digit"),
    layer=Choice(*experiment.LAYERS, label="layer"),
)


def _field_in_words(result):
    theory, effective = result["theoretical"], result["effective"]
    return (
        f"{result['depth']} layer{'s' * (result['depth'] > 1)} of 3 by 3, {result['kind']}. In theory a unit sees "
        f"{theory} by {theory} pixels; 95 % of the squared gradient lies in {effective} by {effective}, "
        f"{effective**2 / theory**2:.0%} of the area. Its standard deviation in a line is {result['std']:.2f} pixels."
    )


effective_field = explorer(
    experiment.effective_field,
    plot.effective_field,
    _field_in_words,
    title="What a unit really sees",
    time=Time("layer", over="depth"),
    depth=Slider(1, 19, default=5, step=2, label="layers"),
    kind=Choice(*reversed(experiment.KINDS), label="net"),
)


def _wave_by_width():
    widths = np.arange(1, 25)
    left = np.array([100 * abs(experiment.gain(int(width), 12)) for width in widths]).round(3)
    return Curve(
        widths,
        left,
        xlabel="width of the mean (months)",
        ylabel="height of the wave that is left (%)",
        ylim=(0, 100),
        count=24,
    )


def _field_by_depth():
    run = experiment.field_growth()
    return Curve(
        run["depth"],
        run["effective"],
        xlabel="layers of 3 x 3",
        ylabel="side of the square with 95 % (pixels)",
        ylim=(0, 80),
    )


predict_year = predict(
    "12-year",
    question="CO2 in the air rises, with a wave of one year on top. You replace each month by a mean of neighbouring "
    "months. Draw how much of the wave's height is left, against the width of the mean.",
    answer=_wave_by_width,
    explanation="A whole year has each part of the wave once, and they sum to zero. From 12 to 18 months the wave "
    "comes back, since one season is then counted twice. Two years remove it again.",
)

predict_flip = predict(
    "12-flip",
    question="A black picture has three bright points. The kernel is the letter F, bright on black. You compute the "
    "correlation: the kernel is laid on the picture as it is. What do you see at each point?",
    options={
        "An upright F": (
            "That is convolution. In a correlation, the pixel above the point finds the point below "
            "its own centre, and so reads the lower part of the kernel."
        ),
        "An F turned half round": (
            "The pixel above the point meets it with the lower part of the kernel, the "
            "pixel below with the upper part. The letter appears turned."
        ),
        "A bright, filled square": (
            "That would be a kernel with equal entries. Each pixel reads the entry that lies on it."
        ),
    },
    answer="An F turned half round",
)

predict_shape = predict(
    "12-shape",
    question="An image of 16 x 16 pixels, a kernel of 3 x 3, stride 2, padding 1. How large is the output?",
    options={
        "7 x 7": ("That is without padding: (16 - 3) / 2 = 6.5, rounded down, plus 1."),
        "9 x 9": ("The division is rounded down: a window that would stick out is left out."),
        "16 x 16": ("That is with stride 1. A stride of 2 takes every other window."),
        "8 x 8": ("(16 + 2 - 3) / 2 = 7.5, rounded down to 7, plus 1. Padding counts on both sides."),
    },
    answer="8 x 8",
)

predict_pool = predict(
    "12-pool",
    question="You move a photograph one pixel to the left and compare the output of max pooling 2 x 2 with the output "
    "before. By how much does it change?",
    options={
        "A good deal, though not beyond recognition": (
            "Other pixels share a window now. Pooling softens a shift by less than its stride, and does not remove it."
        ),
        "Not at all: pooling is blind to shifts": (
            "Only a shift by a whole stride, 2 pixels, moves the output "
            "cleanly. A shift by 1 regroups the pixels into other windows."
        ),
        "So much that it cannot be recognized": (
            "Neighbouring windows of a photograph are alike, and most maxima stay "
            "in their window. Less than all of it changes."
        ),
    },
    answer="A good deal, though not beyond recognition",
)

predict_field = predict(
    "12-field",
    question="A stack of 40 layers of 3 x 3 sees 81 x 81 pixels in theory, one of 10 layers 21 x 21. The weights are "
    "random. Draw the side of the square that holds 95 % of the squared gradient.",
    answer=_field_by_depth,
    explanation="A pixel in the middle reaches the unit along many more paths than one near the border. The number of "
    "paths falls like a bell curve, and the bell widens only with the square root of the depth.",
)


def _by_hand_in_words(result):
    place = f"row {result['row'] + 1}, column {result['column'] + 1}"
    numbers = " ".join(f"{v + 0.0:+g}" for v in result["products"].ravel())  # no -0
    if result["direction"] == "forward":
        total = result["products"].sum()
        return f"The kernel lies at {place} of the output. The nine products: {numbers}. Their sum is {total:g}."
    sent = result["out"][result["row"], result["column"]]
    return f"Backward: dout at {place} is {sent:g}. It sends to its nine pixels: {numbers}, which is added to dx."


by_hand = explorer(
    experiment.by_hand,
    plot.by_hand,
    _by_hand_in_words,
    title="A kernel on the move",
    time=Time("place", over="place"),
    place=Slider(0, 8, default=0, step=1, label="step"),
    direction=Choice(*experiment.DIRECTIONS, label="direction"),
)
