"""Claims of chapter 10."""

import numpy as np

from ..comparison import fair_comparison, one_by_one
from ..experiments import hyperparameter_search as experiment
from . import Comparison, claim

SEEDS = range(5)


def _mean_best(important, middle=True):
    """Mean best score of both searches over five seeds of 300 searches each, and in how many seeds random is ahead."""
    runs = [experiment.best_found(important, 3, middle=middle, seed=seed) for seed in SEEDS]
    grid, random = (np.array([run[name].mean() for run in runs]) for name in ("grid", "random"))
    return {"grid": grid.mean(), "random": random.mean(), "random ahead, seeds of 5": (random > grid).sum()}


PEAK = "a peak of width 0.08 anywhere in the unit cube of 4 settings, 81 trials each, 5 seeds of 300 searches"


@claim(
    "10.few-matter",
    text="Random search beats a grid of the same size when few of the settings matter.",
    source="Bergstra and Bengio 2012, figure 1",
    setting=f"{PEAK}; 1 setting matters",
    condition="mean best score: random above 0.9, grid below 0.7, random ahead in all 5 seeds",
    holds=lambda n: n["random"] > 0.9 and n["grid"] < 0.7 and n["random ahead, seeds of 5"] == 5,
)
def few_matter():
    """One setting of four."""
    return _mean_best(1)


@claim(
    "10.all-matter",
    text="When all settings matter, random search loses to a grid whose points lie in the middle of equal cells.",
    source="Bergstra and Bengio 2012 name the condition, low effective dimension; the reverse is tried here",
    setting=f"{PEAK}; 4 settings matter",
    condition="random behind in all 5 seeds, its mean best score at most 0.9 times the grid's",
    holds=lambda n: n["random ahead, seeds of 5"] == 0 and n["random"] < 0.9 * n["grid"],
)
def all_matter():
    """All four settings."""
    return _mean_best(4)


@claim(
    "10.grid-ends",
    text="When all settings matter, random search loses to any grid of the same size.",
    source="common belief",
    setting=f"{PEAK}; 4 settings matter; the grid's first and last values are the ends of the range",
    condition="random behind in at least 4 of 5 seeds",
    holds=lambda n: n["random ahead, seeds of 5"] <= 1,
    verdict="does not hold",
    note="a grid that spends points on the ends of the range, where half of what they cover lies outside, loses even "
    "here; the advantage belongs to the grid of cell middles",
)
def grid_ends():
    """All four settings, and a grid from end to end."""
    return _mean_best(4, middle=False)


@claim(
    "10.network",
    kind="measured",
    text="For a real network random search finds better settings than a grid: the learning rate matters most.",
    source="bergstra2012",
    where="section 2",
    setting="64-16-10 tanh net on 160 images of 8x8 digits, 4 settings, 81 trials each; the range of the rate is moved "
    "by -1 to 1 power of ten from seed to seed; the grid's three values lie in the middle of thirds of each "
    "range",
    seeds=range(20),
    comparison=Comparison(
        first="random",
        second="grid of middles",
        arms={"random": {}, "grid of middles": {}, "grid from end to end": {}},
        nothing_to_choose="each search makes its own choice, of 81 settings by 40 validation images",
        chosen_on="40 validation images",
        measured_in="of accuracy on 1,000 new images",
        effect=0.03,
        effect_from="the smallest that would matter",
    ),
    threshold_moved="at first the rival was the grid from end to end, which is weaker",
    tolerance=0.3,
)
def network(arms, seeds):
    """Accuracy of the chosen settings, three searches."""

    def run(name):
        def searched(seed):
            shift = (-1, -0.5, 0, 0.5, 1)[seed % 5]
            return experiment.network_search(shift=shift, seed=seed, searches=(name,))[name]["chosen"]

        return one_by_one(searched)

    methods = {"random": "random", "grid of middles": "middles", "grid from end to end": "grid"}
    return fair_comparison({name: run(kind) for name, kind in methods.items()}, arms, seeds)


@claim(
    "10.test-set",
    text="The score of the best of many, on the examples that chose it, is too good; on others the gain is smaller.",
    source="Cawley and Talbot 2010",
    setting="the best of 100 networks (8x8 digits) on 50 images, 3 sets of networks, 300 searches each",
    condition="accuracy on the choosing images at least 3 points above that on new images in all 3; with 1,000 "
    "choosing images less than 2 points",
    holds=lambda n: n["50 images, smallest gap"] > 0.03 and n["1000 images, largest gap"] < 0.02,
    tolerance=0.1,
)
def test_set():
    """Three sets of networks."""
    gaps = {}
    for images, pick, word in ((50, min, "smallest"), (1000, max, "largest")):
        runs = [experiment.optimism(100, images, seed) for seed in range(3)]
        gaps[f"{images} images, {word} gap"] = pick(run["chosen"].mean() - run["fresh"].mean() for run in runs)
    return gaps


@claim(
    "10.log-scale",
    text="Settings that act by their order of magnitude are to be drawn with a uniform exponent.",
    source="Bengio 2012",
    setting="learning rate and L2 penalty from 1e-3 to 1e3, softmax regression on 8x8 digits, 40 trials, 20 seeds",
    condition="best accuracy above 0.8 in at least 18 seeds with uniform exponents, in none with uniform numbers",
    holds=lambda n: n["exponents, seeds above 0.8"] >= 18 and n["numbers, seeds above 0.8"] == 0,
)
def log_scale():
    """Twenty seeds of one round with 40 trials."""
    best = {
        name: np.array([experiment.rounds(scale, 40, 1, seed=seed)["accuracy"].max() for seed in range(20)])
        for name, scale in (("exponents", "log"), ("numbers", "uniform"))
    }
    return {f"{name}, seeds above 0.8": (found > 0.8).sum() for name, found in best.items()} | {
        f"{name}, mean": found.mean() for name, found in best.items()
    }


@claim(
    "10.coarse-to-fine",
    text="Narrowing the ranges in rounds beats trying as many settings at once, if the first round is large enough.",
    source="common practice; Bengio 2012",
    setting="the same two settings, 4 rounds of 4 or of 20 trials, ranges shrinking to 0.4, against 16 or 80 trials "
    "at once, 100 seeds",
    condition="mean best accuracy: with 20 a round higher than at once, with 4 a round lower",
    holds=lambda n: n["20 a round"] > n["80 at once"] and n["4 a round"] < n["16 at once"],
)
def coarse_to_fine():
    """A hundred seeds of both."""

    def mean(trials, shown):
        return np.mean([experiment.rounds("log", trials, shown, seed=seed)["accuracy"].max() for seed in range(100)])

    return {
        "4 a round": mean(4, 4),
        "16 at once": mean(16, 1),
        "20 a round": mean(20, 4),
        "80 at once": mean(80, 1),
    }


@claim(
    "10.halving",
    text="Successive halving finds settings nearly as good as the best of all, for a small part of the epochs.",
    source="Jamieson and Talwalkar 2016",
    setting="32 settings of the 64-16-10 net, 1 to 32 epochs, 112 epochs of 1,024; against the best of 4 trained "
    "to the end (128 epochs), 8 seeds",
    condition="among the best 4 of 32 in at least 7 seeds; loss below the median of best-of-4 in at least 7",
    holds=lambda n: n["among the best 4, seeds of 8"] >= 7 and n["below best of 4, seeds of 8"] >= 7,
    tolerance=0.1,
)
def halving():
    """Eight seeds."""
    ranks, ahead = [], []
    for seed in range(8):
        run = experiment.halving(seed=seed)
        last = np.where(np.isfinite(run["curve"][-1]), run["curve"][-1], np.inf)
        rng, count = np.random.default_rng(seed), len(last)
        four = [last[rng.permutation(count)[:4]].min() for _ in range(201)]
        ranks.append((last < last[run["winner"]]).sum() + 1)
        ahead.append(last[run["winner"]] < np.median(four))
    return {
        "among the best 4, seeds of 8": sum(rank <= 4 for rank in ranks),
        "the very best, seeds of 8": sum(rank == 1 for rank in ranks),
        "below best of 4, seeds of 8": sum(ahead),
    }


@claim(
    "10.folds",
    text="Five-fold cross-validation scatters less than one held-out fifth: by about the square root of 5.",
    source="Stone 1974; Kohavi 1995",
    setting="softmax regression on 100 images of 8x8 digits, 30 draws of the images, 3 seeds",
    condition="standard deviation of the cross-validated accuracy 0.3 to 0.6 of the single split's in each seed",
    holds=lambda n: 0.3 < n["smallest ratio"] <= n["largest ratio"] < 0.6,
    tolerance=0.1,
)
def folds():
    """Three seeds."""
    ratios = [(run := experiment.folds_or_split(seed=seed))["folds"].std() / run["split"].std() for seed in range(3)]
    return {"smallest ratio": min(ratios), "largest ratio": max(ratios)}
