"""Claims of chapter 15."""

import functools

import numpy as np

from ..comparison import fair_comparison, one_by_one
from ..experiments import transfer_learning as experiment
from . import Comparison, claim

SIZES, SEEDS = (10, 100, 1000), 5
DIGITS, CLOTHES = "digits 0-4 to 5-9", "clothes A to B"
TASKS = {"digits": DIGITS, "clothes": CLOTHES}
HEADS = {"digits": ("digits 0-4", "digits 5-9"), "clothes": ("clothes A", "clothes B")}


@functools.cache
def _compared(task):
    """Five seeds of scratch and of transfer with nothing and with all but the head frozen, at three sizes."""
    return experiment.compare(task, SIZES, (0, 9), SEEDS)


def _accuracies(task, *frozen):
    """Mean accuracies in percent: "scratch, 10", "3 frozen, 10", ..."""
    result = _compared(task)
    rows = {"scratch": result["scratch"]}
    rows |= {f"{k} frozen": result["transfer"][(0, 9).index(k)] for k in frozen}
    return {f"{name}, {n}": 100 * row[i].mean() for name, row in rows.items() for i, n in enumerate(SIZES)}


def _mean(task, frozen, n=1000):
    source, target = experiment.TASKS[task]
    return np.mean([experiment.fine_tune(source, target, n, frozen, seed=seed) for seed in range(SEEDS)])


def _gain(numbers, frozen, n, before=""):
    return numbers[f"{before}{frozen} frozen, {n}"] - numbers[f"{before}scratch, {n}"]


def _lead(numbers, name, n):
    return numbers[f"{name}, trained, {n}"] - numbers[f"{name}, untrained, {n}"]


@claim(
    "15.frozen",
    text="What frozen features gain over training from scratch falls as target data grows, and turns into a loss.",
    source="Yosinski et al. 2014, sections 4.1 and 4.2; target size varied as in Kornblith et al. 2019",
    setting="network trained on digits 0-4 (clothes A), all 9 layers but the head frozen, 10, 100 and 1,000 images of "
    "digits 5-9 (clothes B), 5 seeds",
    condition="on digits and on clothes, mean gain with 10 images > 0 > with 100 > with 1,000 images",
    holds=lambda n: all(
        _gain(n, 9, 10, t) > 0 > _gain(n, 9, 100, t) > _gain(n, 9, 1000, t) for t in ("digits, ", "clothes, ")
    ),
)
def frozen():
    """Accuracies on both."""
    return {f"{name}, {k}": v for name, task in TASKS.items() for k, v in _accuracies(task, 9).items()}


def _fine_tuned(text, task, effect, effect_from, seeds):
    """The two rows of fine-tuning: with ten images, each start at its own best rate."""
    source, target = experiment.TASKS[task]
    return {
        "kind": "measured",
        "text": text,
        "source": ("yosinski2014", "kornblith2019"),
        "where": "section 4.1 of the first; the size of the target is varied in the second",
        "setting": f"all layers fine-tuned from {source} or from scratch, 10 images of {target}, momentum 0.9 along "
        "a cosine, "
        "200 steps",
        "seeds": seeds,
        "comparison": Comparison(
            first="fine-tuned",
            second="scratch",
            arms={"fine-tuned": {"lr": [0.003, 0.01, 0.03]}, "scratch": {"lr": [0.007, 0.02, 0.06]}},
            chosen_on="400 training images of the target that were left out",
            measured_in="of test accuracy",
            effect=effect,
            effect_from=effect_from,
            at_edge="with ten images the validation curve is flat over these rates",
        ),
        "slow": True,
    }


def _starts(task, arms, seeds):
    source, target = experiment.TASKS[task]
    starts = {"fine-tuned": source, "scratch": None}
    return fair_comparison(
        {
            name: one_by_one(lambda lr, seed, start=start: experiment.tuned(start, target, 10, lr=lr, seed=seed))
            for name, start in starts.items()
        },
        arms,
        seeds,
    )


@claim(
    "15.fine-tuned-digits",
    **_fine_tuned(
        "Fine-tuning a network from related digits beats a start from scratch where target data is scarce.",
        DIGITS,
        0.05,
        "five points, a clear gain",
        range(12),
    ),
)
def fine_tuned_digits(arms, seeds):
    """Both starts over their rates."""
    return _starts(DIGITS, arms, seeds)


@claim(
    "15.fine-tuned-clothes",
    **_fine_tuned(
        "The same on clothes: fine-tuning from clothes A beats a start from scratch on few images of clothes B.",
        CLOTHES,
        0.05,
        "five points, as on digits",
        range(40),
    ),
)
def fine_tuned_clothes(arms, seeds):
    """Both starts over their rates."""
    return _starts(CLOTHES, arms, seeds)


@claim(
    "15.depth",
    text="First layers are general and last layers specific: the more layers are frozen, the lower the accuracy.",
    source="Yosinski et al. 2014, section 4.1 and figure 2",
    setting="1,000 images of digits 5-9 (clothes B), network from digits 0-4 (clothes A), 3, 6 or 9 layers frozen, "
    "5 seeds",
    condition="mean accuracy with 3 layers frozen > with 6 > with 9, on digits and on clothes",
    holds=lambda n: all(n[f"{t}, 3"] > n[f"{t}, 6"] > n[f"{t}, 9"] for t in TASKS),
)
def depth():
    """Mean accuracies in percent by number of frozen layers."""
    return {f"{name}, {k}": 100 * _mean(task, k) for name, task in TASKS.items() for k in (3, 6, 9)}


@claim(
    "15.untrained",
    text="With few examples features of a trained network beat those of an untrained one; with a thousand the "
    "untrained "
    "ones have caught up.",
    source="Yosinski et al. 2014, section 4.3 and figure 3",
    setting="softmax layer on the frozen dense layer's 32 features, trained on digits 0-4 (clothes A) or not at all, "
    "10, 100 and 1,000 images of digits 5-9 (clothes B), 5 seeds",
    condition="on digits and on clothes the lead with 10 images is above 5 points, larger than with 100, and that "
    "larger than with 1,000",
    holds=lambda n: all(_lead(n, t, 10) > 5 and _lead(n, t, 10) > _lead(n, t, 100) > _lead(n, t, 1000) for t in HEADS),
)
def untrained():
    """Mean accuracies in percent."""
    return {
        f"{name}, {start}, {n}": 100 * experiment.head(source, target, "dense layer", n, seeds=5).mean()
        for name, (trained, target) in HEADS.items()
        for start, source in (("trained", trained), ("untrained", "untrained"))
        for n in SIZES
    }


@claim(
    "15.negative",
    text="Features of an unrelated task hurt when they are frozen, and do little harm when they are fine-tuned.",
    source="Rosenstein et al. 2005 (negative transfer); Yosinski et al. 2014, section 4.2 (distant tasks)",
    setting="network trained on clothes, 1,000 images of digits, 5 seeds",
    condition="mean gain over scratch: below -15 points with all but the head frozen, within 2 points of 0 fine-tuned",
    holds=lambda n: n["9 frozen"] - n["scratch"] < -15 and abs(n["0 frozen"] - n["scratch"]) < 2,
)
def negative():
    """Mean accuracies in percent."""
    result = experiment.compare("clothes to digits", (1000,), (0, 9), SEEDS)
    rows = {"scratch": result["scratch"], "0 frozen": result["transfer"][0], "9 frozen": result["transfer"][1]}
    return {name: 100 * row.mean() for name, row in rows.items()}
