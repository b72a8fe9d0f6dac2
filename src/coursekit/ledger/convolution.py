"""Claims of chapter 12."""

import numpy as np

from .. import data
from ..experiments import convolution as experiment
from . import claim

SEEDS = range(4)


@claim(
    "12.effective-field",
    kind="measured",
    text="A unit of a deep stack of convolutions is moved by a small part of its theoretical receptive field; the "
    "width of that part grows with the square root of the depth only.",
    source="luo2016",
    where="section 2 and figures 1 and 2",
    setting="squared gradient of the middle unit in 2, 5, 10, 20 and 40 layers of 3 x 3, 4 channels, 6 draws of He's "
    "weights, linear and with ReLU",
    condition="power of the depth in the standard deviation between 0.4 and 0.6, and at 20 layers 95 % of the squared "
    "gradient in under 30 % of the field's area, in all seeds of both nets",
    seeds=SEEDS,
    holds=lambda n: all(
        0.4 < n[f"{net}, power"].min() <= n[f"{net}, power"].max() < 0.6 and n[f"{net}, share of area"].max() < 0.3
        for net in ("linear", "ReLU")
    ),
    tolerance=0.15,
)
def effective_field(seeds):
    """Powers of the depth and shares of the area."""
    numbers = {}
    for name, kind in (("linear", "random weights"), ("ReLU", "random, ReLU")):
        runs = [experiment.field_growth(kind=kind, seed=seed) for seed in seeds]
        numbers[f"{name}, power"] = np.array([r["power"] for r in runs])
        numbers[f"{name}, share of area"] = np.array(
            [(r["effective"] / r["theoretical"])[list(r["depth"]).index(20)] ** 2 for r in runs]
        )
    return numbers


@claim(
    "12.gaussian-field",
    text="With equal weights the gradient of a unit is a bell curve of variance n (K^2 - 1) / 12 in each direction.",
    kind="computed",
    source="luo2016",
    where="sections 2.1 and 2.2",
    setting="20 linear layers of 3 x 3, all weights equal, one channel, float64; nothing random",
    condition="variance of the gradient within 0.1 % of 20 * 8 / 12 = 13.333; largest distance from the Gaussian less "
    "than 2 % of its peak",
    holds=lambda n: abs(n["variance"] / (20 * 8 / 12) - 1) < 1e-3 and n["distance"] < 0.02,
)
def gaussian_field():
    """Variance of the gradient's column sums, and its distance from the Gaussian."""
    gradient = np.sqrt(experiment.effective_field(20, "equal weights")["share"])
    line = gradient.sum(axis=0) / gradient.sum()
    x = np.arange(len(line)) - len(line) // 2
    variance = (line * x**2).sum()
    bell = np.exp(-(x**2) / (2 * 20 * 8 / 12))
    return {"variance": variance, "distance": np.abs(line / line.max() - bell).max()}


@claim(
    "12.separable",
    text="A Gaussian blur in two passes, a column and a row, gives the same picture for 2 K multiplications a pixel "
    "instead of K^2.",
    kind="computed",
    source="szeliski2022",
    where="section 3.2.1",
    setting="a photograph of 256 x 256 pixels, kernels of 7, 15 and 31 pixels, float64",
    condition="multiplications 49 / 14, 225 / 30, 961 / 62 a pixel; largest difference below 1e-12; two passes faster "
    "at 15 and 31",
    holds=lambda n: (
        [n[f"ratio, {k}"] for k in (7, 15, 31)] == [49 / 14, 7.5, 15.5]
        and n["differences above 1e-12"] == 0
        and n["two passes faster at 15 and 31"] == 2
    ),
)
def separable():
    """Counts, differences and who was faster."""
    runs = {size: experiment.blur(size) for size in (7, 15, 31)}
    numbers = {f"ratio, {k}": r["products_at_once"] / r["products_in_two"] for k, r in runs.items()}
    numbers["differences above 1e-12"] = sum(r["difference"] > 1e-12 for r in runs.values())
    faster = [runs[k]["seconds_in_two"] < runs[k]["seconds_at_once"] for k in (15, 31)]
    return numbers | {"two passes faster at 15 and 31": sum(faster)}


@claim(
    "12.shared-weights",
    text="A layer whose weights are shared between places knows at every place what it has learnt at one; a dense "
    "layer does not.",
    kind="computed",
    source="lecun1989",
    where="on shared weights",
    setting="Sobel's edges from 1,000 digits on the left half, by least squares; test on the left and on the right, "
    "3 draws of the digits",
    condition="root mean square error as a share of the answer: dense below 0.01 on the left and above 0.99 on the "
    "right, 3 x 3 kernel below 0.01 on both, in all draws",
    holds=lambda n: (
        max(n["dense, left"], n["kernel, left"], n["kernel, right"]) < 0.01 and n["dense, right, lowest"] > 0.99
    ),
    tolerance=0.01,
)
def shared_weights():
    """Largest errors over the draws; the dense layer's smallest on the right."""
    runs = [experiment.learn_filter(seed=seed) for seed in range(3)]
    return {
        "dense, left": max(r["dense"]["left"] for r in runs),
        "dense, right, lowest": min(r["dense"]["right"] for r in runs),
        "kernel, left": max(r["conv"]["left"] for r in runs),
        "kernel, right": max(r["conv"]["right"] for r in runs),
    }


@claim(
    "12.pooling-shift",
    text="Max pooling does not make a layer blind to a shift by one pixel; a blur before its stride makes it less "
    "sensitive.",
    kind="computed",
    source="zhang2019shift",
    setting="strength of Sobel's vertical edges of five photographs, max pooling 2 x 2, with and without a Gaussian "
    "of 5 x 5 before the stride",
    condition="change of the output after a shift by 1, as a share of its standard deviation: above 0.2 with max "
    "pooling and smaller with the blur, on every photograph; after a shift by 2 none",
    holds=lambda n: (
        n["max pooling, smallest"] > 0.2 and n["photographs on which the blur helps"] == 5 and n["shift by 2"] < 1e-9
    ),
    tolerance=0.01,
)
def pooling_shift():
    """Changes over the photographs."""
    runs = [experiment.shifts(experiment.photo(name)) for name in data.photos()]
    plain, blurred = ([r[name][1] for r in runs] for name in ("max pooling 2", "max pooling 2, blurred"))
    return {
        "max pooling, smallest": min(plain),
        "max pooling, largest": max(plain),
        "blurred, largest": max(blurred),
        "photographs on which the blur helps": sum(b < p for b, p in zip(blurred, plain, strict=True)),
        "shift by 2": max(r["max pooling 2"][2] for r in runs),
    }
