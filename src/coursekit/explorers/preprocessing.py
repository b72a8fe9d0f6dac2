"""Explorers and predictions of chapter 04."""

from __future__ import annotations

from ..experiments import preprocessing as experiment
from ..interactive.slots import Slot
from ..plotting import preprocessing as plot
from . import Choice, Handle, LogSlider, Slider, Time, explorer, predict

__all__ = ["bowl", "predict_eps", "predict_leak", "predict_scaled", "reconstruct", "turning", "whiten_photo"]


def _bowl_in_words(result):
    steps = result["steps"]
    end = (
        "Gradient descent diverges."
        if steps is None
        else f"The loss above the lowest falls to a ten-thousandth in {steps:,} step{'s' * (steps > 1)}."
    )
    condition = result["condition"]
    digits = ",.0f" if condition > 100 else ".3g"
    return (
        f"{result['pair'].capitalize()}, {result['how']}. The condition number is {condition:{digits}}. At "
        f"{result['rate']:.3g} of the largest stable rate: {end}"
    )


class _Scaled:
    """A `Standardizer` made of two functions of sheet 04."""

    def __init__(self, fit, apply):
        self._fit, self._apply = fit, apply

    def fit(self, x):
        self.mean, self.std = self._fit(x)
        return self

    def transform(self, x):
        return self._apply(x, self.mean, self.std)


SCALED = Slot(
    "how",
    "04.1",
    ("fit_standardizer", "standardize"),
    beside="scaled",
    places=((vars(experiment), "Standardizer", lambda fit, apply: lambda: _Scaled(fit, apply)),),
)

bowl = explorer(
    experiment.bowl,
    plot.bowl,
    _bowl_in_words,
    title="The same data, four ways",
    time=Time("step"),
    yours=[SCALED],
    how=Choice(*experiment.HOW, default="raw", label="inputs"),
    pair=Choice(*experiment.PAIRS, label="data"),
    rate=Choice(0.1, 0.5, 0.9, 1.05, default=0.5, label="rate, as a share of the largest stable one"),
)


def _turning_in_words(result):
    return (
        f"An axis at {result['angle']:g} degrees to the bill length. The variance of the penguins along it is "
        f"{result['variance']:.2f}; it is largest at {result['best']:g} degrees, {result['variances'].max():.2f}, and "
        f"smallest at a right angle to that, {result['variances'].min():.2f}."
    )


turning = explorer(
    experiment.turning,
    plot.turning,
    _turning_in_words,
    title="An axis that turns",
    handles=[Handle("axis", x="angle", axes=1)],
    angle=Slider(0.0, 180.0, default=0.0, step=5.0, label="angle", unit="°"),
)


def _reconstruct_in_words(result):
    k = result["k"]
    return (
        f"{k} of 196 directions keep {result['share'][k - 1]:.1%} of the variance. A linear classifier on them has "
        f"{result['test_accuracy'][k - 1]:.1%} of the test images right; on all 196, "
        f"{result['test_accuracy'][-1]:.1%}."
    )


reconstruct = explorer(
    experiment.reconstruct,
    plot.reconstruct,
    _reconstruct_in_words,
    title="Clothes from k directions",
    handles=[Handle("directions kept", x="k", axes=3)],
    k=Choice(1, 2, 3, 5, 10, 20, 40, 80, 140, 196, default=2, label="directions kept"),
)


def _whiten_in_words(result):
    gain = result["gain"]
    return (
        f"Noise makes up {result['noise_before']:.2%} of the variance before whitening and {result['noise_after']:.1%} "
        f"after it, with eps {result['eps']:.3g} ({result['method']}). The last direction is multiplied by "
        f"{gain[-1]:.3g}, the first by {gain[0]:.3g}."
    )


class _Whitened:
    """A `Whitening` made of a function of sheet 04."""

    def __init__(self, whiten, eps, pca):
        self._whiten, self._eps, self._pca = whiten, eps, pca

    def transform(self, x):
        return self._whiten(x, self._pca.mean, self._pca.components, self._pca.variances, self._eps)


WHITENED = [
    Slot(
        "method",
        "04.3",
        (f"whiten_{method}",),
        beside=method,
        places=((vars(experiment), "Whitening", lambda whiten: lambda method, eps, pca: _Whitened(whiten, eps, pca)),),
    )
    for method in ("zca", "pca")
]

whiten_photo = explorer(
    experiment.whiten_photo,
    plot.whiten_photo,
    _whiten_in_words,
    title="A whitened photograph",
    yours=WHITENED,
    eps=LogSlider(1e-6, 1.0, default=1e-6, steps=7, label="eps"),
    noise=Choice(0.0, 0.02, 0.05, 0.1, default=0.05, label="std of the noise"),
    method=Choice("zca", "pca", default="zca", label="method"),
)


predict_scaled = predict(
    "04-scaled",
    question="Radius and perimeter of a tumour rise together almost exactly. Both are standardized: mean 0, standard "
    "deviation 1. Gradient descent then needs",
    options={
        "thousands of steps": (
            "The cloud is a needle along the diagonal. Scaling made the needle's two shadows on the "
            "axes equally long; it is still a needle, and the loss is a narrow valley."
        ),
        "a single step, or two": (
            "One step is enough only where the curvature is the same in every direction. Standard deviations "
            "of 1 do not say so for directions between the axes."
        ),
        "about ten steps": ("That is so for features that are nearly uncorrelated, such as those of the penguins."),
    },
    answer="thousands of steps",
)

predict_eps = predict(
    "04-eps",
    question="A photograph carries faint noise, less than 3 % of its variance. You whiten its patches with an eps "
    "close to zero. How large is the noise's share of the variance now?",
    options={
        "The same: all of it is scaled alike": (
            "Each direction has its own factor, and the directions with the smallest variance get the largest."
        ),
        "Smaller: whitening cleans the photograph": (
            "Whitening makes the directions equally strong. It cannot know which hold noise."
        ),
        "More than ten times as large as before": (
            "A photograph has its variance in few directions, noise in all of them alike. "
            "Where the photograph has hardly any, the noise is what gets blown up to variance 1."
        ),
    },
    answer="More than ten times as large as before",
)

predict_leak = predict(
    "04-leak",
    question="The features are pure noise, the labels come from a coin. From 60 rows you first keep the 10 of 1,000 "
    "features that go best with the labels, then hold out 20 rows, and classify them. How many are right?",
    options={
        "About half of them": ("That would be so if the held-out rows had not helped to choose the features."),
        "Well above half": (
            "With 1,000 columns of noise, some go with the labels of these 60 rows by chance, the 20 "
            "held-out ones among them."
        ),
        "Well below half": ("The features were chosen to agree with the held-out labels, not to contradict them."),
    },
    answer="Well above half",
)
