"""Explorers and predictions of chapter 13."""

from __future__ import annotations

from ..experiments import cnn_architectures as experiment
from ..experiments import deep_networks, moved_digits, saliency
from ..interactive.closer import Closer
from ..interactive.sketch import Curve
from ..plotting import cnn_architectures as plot
from . import Choice, Handle, Slider, Time, explorer, predict

__all__ = [
    "depth_and_skip",
    "feature_maps",
    "predict_cure",
    "predict_depth",
    "predict_shift",
    "predict_stack",
    "predict_where",
    "shift",
    "stacked",
    "where_it_looked",
]


def _shift_in_words(result):
    right = result["moved"]
    way = "not moved" if right == 0 else f"moved {abs(right)} pixels to the {'right' if right > 0 else 'left'}"
    answers = [
        f"{name} says {p.argmax()} with probability {p.max():.0%}" for name, p in result["probabilities"].items()
    ]
    at = list(result["curves"]["right"]).index(right)
    shares = [f"{name} {result['curves'][name][at]:.0%}" for name in result["probabilities"]]
    of_all = f"Of {experiment.MOVED} digits moved like this, right: {', '.join(shares)}."
    return f"A {result['digit']}, {way}. {'; '.join(answers)}. {of_all}"


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
    # Units are numbered as on the axis, maps from 1, as where one is looked at.
    where = f"unit {strongest}" if maps.ndim == 1 else f"map {strongest + 1}"
    return f"{start}{what}, {result['zeros']:.0%} of them zero. The largest value is in {where}."


feature_maps = explorer(
    experiment.feature_maps,
    plot.feature_maps,
    _maps_in_words,
    title="Inside LeNet-5",
    handles=[
        Closer(
            "map",
            axes=1,
            by="stage",
            grid={
                "convolution 1": (2, 3, 2),
                "pooling 1": (2, 3, 1),
                "convolution 2": (4, 4, 1),
                "pooling 2": (4, 4, 1),
            },
        )
    ],
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
    explanation="The maps move with the digit. The dense layers after them have a weight of their own for every place "
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


def _depth_in_words(result):
    g, loss = result["gradients"], result["losses"][result["skip"]][result["depth"]][-20:].mean()
    return (
        f"{result['depth']} layers, {result['skip']}. Before training the gradient of the first convolution has norm "
        f"{g[0]:.2g}, of the last {g[-1]:.2g}. The mean of the last 20 training losses is {loss:.2f}, at rate "
        f"{result['rates'][result['skip']][result['depth']]:g}."
    )


depth_and_skip = explorer(
    deep_networks.depth_and_skip,
    plot.depth_and_skip,
    _depth_in_words,
    title="Depth, with and without a way past",
    time=Time("step"),
    depth=Choice(*deep_networks.DEPTHS, default=20, label="layers"),
    skip=Choice(*deep_networks.SKIPS, label="connections"),
)


def _cured():
    curves = moved_digits.curves()
    return Curve(
        curves["moved"],
        100 * curves["random shifts"].mean(axis=0),
        xlabel="pixels moved",
        ylabel="digits read right (%)",
        ylim=(0, 100),
    )


predict_cure = predict(
    "13-cure",
    question="LeNet-5 is trained again from random weights. This time each training digit is moved by up to 8 pixels "
    "in both directions, anew each time it is shown. Draw how many test digits it reads.",
    answer=_cured,
    explanation="The dense layers now meet digits in all places while they learn. Nothing in the architecture changed.",
)

predict_depth = predict(
    "13-depth",
    question="Two networks of the same kind, 20 and 40 layers of 3 x 3 convolutions with batch norm, learn the same "
    "digits for the same number of steps, each at the best of three rates. Which has the lower loss on the images that "
    "it was trained on?",
    options={
        "The 40 layers: they can do all that the 20 can": (
            "They could: 20 of the layers would only have to hand on what they get. Training does not find that."
        ),
        "The 20 layers: the deeper one is harder to train": (
            "The deeper one does worse on its own training images, so this is not overfitting. It cannot be trained "
            "as well, and the next picture shows what helps."
        ),
        "Neither: batch norm has removed the problem": (
            "Batch norm keeps the maps at unit size on the way forward. The gradient on the way back is another matter."
        ),
    },
    answer="The 20 layers: the deeper one is harder to train",
)


def _looked_in_words(result):
    def middle(picture):
        ((row, column),) = saliency.peaks(picture[None])
        return f"row {row + 1}, column {column + 1}"

    return (
        f"{result['network']}, a {result['digit']}; the score of {result['asked']} is asked for. The last maps have "
        f"{result['places']} x {result['places']} places. Grad-CAM is brightest at {middle(result['grad_cam'])} of 28, "
        f"each place with its own gradient at {middle(result['place_by_place'])}."
    )


where_it_looked = explorer(
    saliency.where_it_looked,
    plot.where_it_looked,
    _looked_in_words,
    title="Grad-CAM, and where it is not the score",
    name=Choice(*saliency.LAST_MAPS, default="global average pooling", label="network"),
    digit=Choice(*range(10), default=4, label="digit"),
    ask=Choice(*saliency.ASKED, label="asked for"),
)
