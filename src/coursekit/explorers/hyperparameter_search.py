"""Explorers and predictions of chapter 10."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from .. import search
from ..experiments import hyperparameter_search as experiment
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..plotting import hyperparameter_search as plot
from . import Choice, Handle, Slider, Time, explorer, predict

__all__ = [
    "budgets",
    "model_search",
    "optimism",
    "predict_all",
    "predict_best",
    "predict_few",
    "predict_uniform",
    "rounds",
]


def _optimism_in_words(result):
    chosen, fresh = 100 * result["chosen"].mean(), 100 * result["fresh"].mean()
    return (
        f"The best of {result['tried']} networks, chosen on {result['images']} images, reads {chosen:.1f} % of these "
        f"images right and {fresh:.1f} % of all others: {chosen - fresh:.1f} points less. Means of 300 searches; "
        f"the average network reads {100 * result['average']:.1f} %."
    )


def _optimism(tried, images):
    return experiment.optimism(tried, images)


optimism = explorer(
    _optimism,
    plot.optimism,
    _optimism_in_words,
    title="The best of many, on the images that chose it",
    tried=Choice(1, 2, 5, 10, 20, 50, 100, default=100, label="networks tried"),
    images=Choice(20, 50, 100, 200, 500, 1000, default=50, label="images that choose"),
)


def _budgets_in_words(result):
    at = list(result["budgets"]).index(result["trials"])
    grid, random = result["grid_mean"][at], result["random_mean"][at]
    return (
        f"Four settings, of which {result['important']} matter{'s' if result['important'] == 1 else ''}; "
        f"{result['trials']} trials. Mean best score: grid {grid:.2f}, random {random:.2f}, so "
        f"{'random' if random > grid else 'the grid'} is ahead. The grid tries {result['side']} values of setting 1, "
        f"random search {result['trials']}."
    )


def _budgets(important, trials, placed):
    return experiment.budgets(important, round(trials**0.25), middle=placed == "in the middle of cells")


budgets = explorer(
    _budgets,
    plot.budgets,
    _budgets_in_words,
    title="Grid and random search with equal budgets",
    handles=[Handle("budget", x="trials", axes=2)],
    important=Slider(1, 4, default=4, step=1, label="settings that matter, of four"),
    trials=Choice(16, 81, 256, 625, default=81, label="budget", unit="trials"),
    placed=Choice("in the middle of cells", "from end to end", label="grid points"),
)


def _rounds_in_words(result):
    best = result["accuracy"].max(axis=1)
    low, high = result["low"][-1], result["high"][-1]
    drawn = "logarithm" if result["scale"] == "log" else "range itself"
    return (
        f"Round {result['shown']} of a search with {result['trials']} trials a round, uniform in the {drawn}. "
        f"Learning rates from {low[0]:.4g} to {high[0]:.4g}, penalties from {low[1]:.4g} to {high[1]:.4g}. "
        f"Best accuracy of each round: {', '.join(f'{100 * b:.1f} %' for b in best)}."
    )


def _rounds(scale, trials, shown):
    return experiment.rounds("log" if scale == "the exponent" else "uniform", trials, shown)


def _drawing(draw):
    """The search of the experiment, with a `log_uniform` that draws with a function of sheet 10."""

    class Written(search.log_uniform):
        def draw(self, rng):
            return float(draw(rng, self.low, self.high, 1)[0])

    return SimpleNamespace(**vars(search) | {"log_uniform": Written})


def _narrowing(narrow):
    """The same, whose range narrows with a function of sheet 10: the one value that it gets is the best."""

    class Written(search.log_uniform):
        def around(self, value, share):
            low, high = narrow(self.low, self.high, np.array([value]), np.array([0.0]), share)
            return replace(self, low=float(low), high=float(high))

    return SimpleNamespace(**vars(search) | {"log_uniform": Written})


SEARCHED = [
    Slot(
        "scale",
        question,
        (name,),
        beside="the exponent",
        places=((vars(experiment), "search", make),),
        called=f"the course's {what}",
        chance=name == "log_uniform",
    )
    for question, name, make, what in (
        ("10.1", "log_uniform", _drawing, "log_uniform"),
        ("10.2", "narrow", _narrowing, "way to narrow a range"),
    )
]

rounds = explorer(
    _rounds,
    plot.rounds,
    _rounds_in_words,
    title="Coarse to fine",
    time=Time("round", over="shown"),
    yours=SEARCHED,
    scale=Choice("the number", "the exponent", label="drawn uniformly"),
    trials=Choice(4, 10, 20, default=10, label="trials a round"),
    shown=Slider(1, 4, default=1, step=1, label="round"),
)


def _best_of_many():
    tried = (1, 2, 4, 8, 16, 32, 64, 100)
    best = [100 * experiment.optimism(tried=count, images=50)["chosen"].mean() for count in tried]
    return Curve(
        np.array(tried),
        np.array(best),
        xlabel="networks compared",
        ylabel="score of the best on the 50 images (%)",
        ylim=(80, 100),
        xlog=True,
        count=8,
    )


def _model_in_words(result):
    x, y = result["x"], result["y"]
    best = y.argmin()
    return (
        f"{result['method']}, {len(x)} trials, the last at a rate of {10 ** x[-1]:.2g}. The lowest loss so far is "
        f"{y[best]:.2f}, at {10 ** x[best]:.2g}; the lowest there is, {result['truth'].min():.2f}. Next it would try "
        f"{10 ** result['next']:.2g}."
    )


model_search = explorer(
    experiment.model_search,
    plot.model_search,
    _model_in_words,
    title="A search that learns, on one axis",
    time=Time("trial", over="trials"),
    method=Choice("random", "Gaussian process", "TPE", default="Gaussian process", label="search"),
    trials=Slider(3, 14, default=3, step=1, label="trials"),
)


predict_best = predict(
    "10-best",
    question="Networks that are about equally good, around 86 % right, are compared on 50 images. How much does the "
    "best of them get right on these 50 images? Draw it against the number of networks.",
    answer=_best_of_many,
    explanation="With 50 images the accuracy of one network scatters by about 5 points, and the best of many is one "
    "that was lucky. On other images nothing of the luck is left.",
)

predict_few = predict(
    "10-few",
    question="Four settings, 81 trials. The grid takes 3 values of each setting. Only one setting matters, nobody "
    "knows which. How many different values of it does each search try?",
    options={
        "Grid 81, random 81": ("The grid has 81 trials, but they share their values: each of the 3 comes up 27 times."),
        "Grid 27, random 3": ("27 is how often the grid repeats each of its 3 values. Random draws do not repeat."),
        "Grid 3, random 81": (
            "The grid tries each of its 3 values 27 times, with all the rest different, which does "
            "not matter. Random draws repeat nothing."
        ),
    },
    answer="Grid 3, random 81",
)

predict_all = predict(
    "10-all",
    question="Now all four settings matter. The grid's 81 points lie in the middle of 81 equal cells. "
    "Which search finds the higher score on average?",
    options={
        "Random search": (
            "Random points leave holes and form clumps. Where every direction counts, an even cover is better."
        ),
        "The two alike": ("The number is the same, but not the places. Random points leave holes, a grid does not."),
        "The grid": (
            "It covers the space evenly: no point of the cube is far from a trial. Random points leave holes."
        ),
    },
    answer="The grid",
)

predict_uniform = predict(
    "10-uniform",
    question="1,000 learning rates are drawn uniformly between 0.001 and 1000. How many are smaller than 1, on "
    "average?",
    options={
        "About 500": (
            "Half of the range of exponents lies below 1. But here the numbers were drawn, not the exponents."
        ),
        "About 1": ("The numbers below 1 are a thousandth of the range. Three of the six decades share one draw."),
        "About 100": ("That is the share below 100: the last decade alone takes nine tenths of the range."),
    },
    answer="About 1",
)
