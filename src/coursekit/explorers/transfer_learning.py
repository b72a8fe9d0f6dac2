"""Explorers and predictions of chapter 15."""

from __future__ import annotations

from ..experiments import pretrained
from ..experiments import transfer_learning as experiment
from ..plotting import transfer_learning as plot
from . import Choice, Handle, LogSlider, Time, explorer, predict

__all__ = ["emoji_by_size", "heads", "predict_cut", "predict_emoji", "predict_gain", "predict_rate", "rates", "table"]


def _heads_in_words(result):
    names = result["names"]
    where = "on the pixels themselves" if result["cut"] == "pixels" else f"on features cut after {result['cut']}"
    return (
        f"A softmax layer trained {where}, with {result['n']:,} images of {result['target']}. Accuracy: features of a "
        f"network trained on {names['related']} {result['related'].mean():.1%}, on {names['other']} "
        f"{result['other'].mean():.1%}, of an untrained network {result['untrained'].mean():.1%}; pixels "
        f"{result['pixels'].mean():.1%}."
    )


heads = explorer(
    experiment.heads,
    plot.heads,
    _heads_in_words,
    title="One layer on frozen features",
    cut=Choice(*experiment.CUTS, label="cut after"),
    n=Choice(*experiment.SIZES, default=1000, label="images of the target"),
    target=Choice(*experiment.RELATIVES, label="target"),
)


def _table_in_words(result):
    mean, error = experiment.gains(result)
    chosen, at = result["chosen"], result["at"]
    n, name = result["sizes"][at], experiment.FROZEN_NAMES[chosen]
    gain, bar = 100 * mean[chosen, at], 200 * error[chosen, at]
    verdict = "helps" if gain > bar else "hurts" if gain < -bar else "makes no clear difference"
    return (
        f"From {result['task']}, frozen: {name}. With {n:,} images transfer reaches "
        f"{result['transfer'][chosen, at].mean():.1%} and scratch {result['scratch'][at].mean():.1%}. The gain is "
        f"{gain:+.1f} points, give or take {bar:.1f}: transfer {verdict}."
    )


table = explorer(
    experiment.table,
    plot.table,
    _table_in_words,
    title="What to freeze, and for how much data",
    handles=[Handle("training images", x="size")],
    task=Choice(*experiment.TASKS, label="task"),
    frozen=Choice(*experiment.FROZEN_NAMES, default="all but the head", label="frozen"),
    size=Choice(*experiment.SIZES, default=1000, label="images of the target"),
)


def _rates_in_words(result):
    target, source = result["target"], result["source"]
    return (
        f"Body's rate {result['body_rate']:.3g}, head's rate {result['head_rate']:g}, {result['n']} images of digits 5 "
        f"to 9. After {result['step'][-1]} steps {target[-1]:.1%} of digits 5 to 9 are right. With its old head the "
        f"network still reads {source[-1]:.1%} of digits 0 to 4; it began at {source[0]:.1%}."
    )


rates = explorer(
    experiment.rates,
    plot.rates,
    _rates_in_words,
    title="The body's learning rate, and what is forgotten",
    time=Time("step"),
    body_rate=LogSlider(0.001, 0.1, default=0.1, steps=7, label="rate of the body"),
    n=Choice(30, 300, label="images of digits 5-9"),
)


predict_cut = predict(
    "15-cut",
    question="A network was trained to tell digits 0 to 4 apart. We cut it somewhere, freeze what lies before the cut, "
    "and train one softmax layer on 1,000 images of digits 5 to 9. Which cut is the worst?",
    options={
        "Before all layers: raw pixels": (
            "Pixels know nothing of digits, but they have lost nothing either. A "
            "softmax layer on pixels is a fair opponent."
        ),
        "After the first convolution layer": (
            "Its kernels look for edges and spots, which 5 to 9 are made of as well."
        ),
        "After the dense layer at the end": (
            "This layer has learnt what tells 0 to 4 apart and thrown away the "
            "rest. What tells 5 from 6 was part of the rest."
        ),
    },
    answer="After the dense layer at the end",
)

predict_gain = predict(
    "15-gain",
    question="All layers are fine-tuned, from the network trained on 0 to 4 or from random weights. With how many "
    "images of 5 to 9 is the head start worth most?",
    options={
        "100 of them": ("A network of this size already learns edges and strokes from 100 digits by itself."),
        "10 of them": ("With so little data, what is not known already cannot be learnt."),
        "1,000 of them": ("With 1,000 images both starts end at nearly the same accuracy: the data says it all."),
    },
    answer="10 of them",
)

predict_rate = predict(
    "15-rate",
    question="Network and new head are fine-tuned on 30 images of digits 5 to 9. The rate of all layers but the head "
    "goes up from 0.001 to 0.1. What happens to the old task, digits 0 to 4 with the old head?",
    options={
        "It is forgotten, more at larger rates": (
            "The features move away under the old head. Nothing in the "
            "loss asks for digits 0 to 4, so nothing holds them."
        ),
        "Nothing: the old head is kept": (
            "The old head is kept, but the features under it are not those that it was trained on."
        ),
        "It gets better: digits are digits": (
            "The features follow the 30 new images, and none of these is a digit from 0 to 4."
        ),
    },
    answer="It is forgotten, more at larger rates",
)


def _emoji_in_words(result):
    at = list(result["sizes"]).index(result["n"])
    shares = [f"{way} {values[at].mean():.0%}" for way, values in result["accuracy"].items()]
    ours, scratch = (result["accuracy"][way][at] for way in (result["way"], "from scratch"))
    gain = 100 * (ours - scratch)
    error = 200 * (gain / 100).std(ddof=1) / len(gain) ** 0.5
    against = (
        ""
        if result["way"] == "from scratch"
        else (f" {result['way'].capitalize()} gains {gain.mean():+.1f} points over scratch, give or take {error:.1f}.")
    )
    return f"{result['n']} pictures of each of four classes. Right: {', '.join(shares)}.{against}"


emoji_by_size = explorer(
    pretrained.by_size,
    plot.emoji_by_size,
    _emoji_in_words,
    title="A body from ImageNet, and a few emoji",
    handles=[Handle("pictures of each class", x="n", axes=1)],
    way=Choice(*pretrained.WAYS, default="linear probe", label="way"),
    n=Choice(*pretrained.SIZES, default=5, label="pictures of a class"),
)

predict_emoji = predict(
    "15-emoji",
    question="MobileNetV2 has learnt to tell 1,000 kinds of photographs apart. We show it emoji of 32 x 32 pixels, "
    "which it has never seen: people, animals, food and places, five of each to train on. Guessing gets 25 %, a small "
    "network from scratch about 40 %. What does a linear layer on its features get?",
    options={
        "About 40 %: drawings are no photographs": (
            "They are not, and yet edges, colours, textures and parts of things are in both."
        ),
        "Well above 50 %: parts of things are alike": (
            "A body that has seen a million photographs has words for fur, leaves, wheels and faces, and a head needs "
            "few examples to use them."
        ),
        "Above 90 %: it knows a thousand classes": (
            "Its classes are photographs of 224 pixels. At 32 pixels and in this style much of what it knows is out of "
            "reach."
        ),
    },
    answer="Well above 50 %: parts of things are alike",
)
