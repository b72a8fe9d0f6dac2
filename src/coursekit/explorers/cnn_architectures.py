"""Explorers and predictions of chapter 13."""

from __future__ import annotations

from ..experiments import cnn_architectures as experiment
from ..interactive.sketch import Curve
from ..plotting import cnn_architectures as plot
from . import Choice, Handle, Slider, explorer, predict

__all__ = ["feature_maps", "predict_shift", "predict_stack", "predict_where", "shift", "stacked"]


def _shift_in_words(result):
    right = result["moved"]
    way = "not moved" if right == 0 else f"moved {abs(right)} pixels to the {'right' if right > 0 else 'left'}"
    answers = [
        f"{name} says {p.argmax()} with probability {p.max():.0%}" for name, p in result["probabilities"].items()
    ]
    at = list(result["curves"]["right"]).index(right)
    shares = [f"{name} {result['curves'][name][at]:.0%}" for name in result["probabilities"]]
    return (
        f"A {result['digit']}, {way}. {'; '.join(answers)}. Of 150 digits moved like this, right: {', '.join(shares)}."
    )


shift = explorer(
    experiment.shift,
    plot.shift,
    _shift_in_words,
    title="Move the digit",
    handles=[Handle("shift", x="right", axes=2)],
    digit=Choice(6, 0, 2, 5, label="digit"),
    right=Slider(-8, 8, default=3, step=1, label="moved to the right", unit="pixels"),
)


def _maps_in_words(result):
    maps = result["maps"]
    start = f"{result['stage'].capitalize()} of the trained LeNet-5 for a {result['digit']}: "
    if result["stage"] == "scores":
        first, second = maps.argsort()[::-1][:2]
        return f"{start}the score of {first} is highest with {maps[first]:.1f}, then {second} with {maps[second]:.1f}."
    what = f"{len(maps)} numbers" if maps.ndim == 1 else f"{len(maps)} maps of {maps.shape[1]} x {maps.shape[2]}"
    strongest = maps.reshape(len(maps), -1).max(axis=1).argmax()
    kind = "unit" if maps.ndim == 1 else "map"
    return f"{start}{what}, {result['zeros']:.0%} of them zero. The largest value is in {kind} {strongest}."


feature_maps = explorer(
    experiment.feature_maps,
    plot.feature_maps,
    _maps_in_words,
    title="Inside LeNet-5",
    digit=Choice(*range(10), default=7, label="digit"),
    stage=Choice(*experiment.STAGES, label="stage"),
)


def _stacked_in_words(result):
    one, stack, n, size = result["params_one"], result["params_stack"], result["layers"], result["size"]
    if one == stack:
        compared = f"They are the same layer, with {one:,} parameters"
    else:
        larger = "the stack" if one < stack else "the single layer"
        factor = max(one, stack) / min(one, stack)
        compared = (
            f"The single layer has {one:,} parameters, the stack {stack:,}: {factor:.2f} times as many in {larger}"
        )
    return (
        f"{result['inputs']} channels to {result['outputs']}: one {size} x {size} convolution against {n} of 3 x 3. "
        f"{compared}. Both see {size} x {size} pixels."
    )


stacked = explorer(
    experiment.stacked,
    plot.stacked,
    _stacked_in_words,
    title="One large kernel or several small ones",
    size=Choice(3, 5, 7, 9, 11, default=7, label="size of the kernel"),
    inputs=Choice(3, 16, 64, 256, default=3, label="input channels"),
)


def _read_when_moved():
    run = experiment.accuracy_when_moved()
    right = run["right"] >= 0
    return Curve(
        run["right"][right],
        100 * run["LeNet-5"][right],
        xlabel="pixels to the right",
        ylabel="digits read right (%)",
        ylim=(0, 100),
    )


predict_shift = predict(
    "13-shift",
    question="LeNet-5 reads about 99 of 100 test digits. Now every digit is moved to the right. At 6 pixels about 2 % "
    "of the ink leaves the picture. Draw how many it reads.",
    answer=_read_when_moved,
    explanation="The maps move with the digit. The dense layers behind them have a weight of their own for every place "
    "of the map, and get numbers that they have never seen there.",
)

predict_where = predict(
    "13-where",
    question="LeNet-5 has 61,706 parameters in five layers: two convolutions (6 and 16 kernels of 5 x 5) and three "
    "dense ones (120, 84 and 10 units). Where are most of the parameters, and where is most of the work?",
    options={
        "Parameters in the dense layers, work in the convolutions": (
            "A dense weight is used once for each image, a "
            "kernel's weight at each place. So few parameters do most of the work."
        ),
        "Parameters and work in the convolutions": (
            "A kernel of 5 x 5 on 6 channels has 150 weights, however large the "
            "image. Sixteen of them are few next to 400 inputs times 120 units."
        ),
        "Parameters and work in the dense layers": (
            "A dense weight is used once for each image, a kernel's weight once "
            "for each place of its map: 784 times in the first layer."
        ),
        "Parameters in the convolutions, work in the dense layers": (
            "It is the other way round: kernels are small and are used everywhere."
        ),
    },
    answer="Parameters in the dense layers, work in the convolutions",
)

predict_stack = predict(
    "13-stack",
    question="Three convolutions of 3 x 3 see 7 x 7 pixels, as one of 7 x 7 does. The input is a colour photograph, 3 "
    "channels; every layer has 64 output channels. Which has fewer parameters?",
    options={
        "The single 7 x 7: it reads 3 channels": (
            "It has 49 x 3 x 64 weights. The stack has 9 x 3 x 64 and twice 9 x 64 x 64, about eight "
            "times as many. VGG's count takes equal channels."
        ),
        "The stack: 27 is less than 49": (
            "27 against 49 holds where every layer has as many input channels as output "
            "channels. Here the single layer reads 3 channels, and the stack's second and third read 64."
        ),
        "Neither: both see the same pixels": (
            "What a stack sees depends on the sizes of its kernels. What it costs depends on the channels too."
        ),
    },
    answer="The single 7 x 7: it reads 3 channels",
)
