"""Claims of chapter 11."""

import numpy as np

from ..experiments import watching_training as experiment
from . import claim

SEEDS = range(3)
LENGTHS = (60, 240, 960)


@claim(
    "11.first-loss",
    kind="measured",
    text="An untrained classifier's loss is ln C, plus half the variance of its scores as long as that is small.",
    source=("karpathy2019", "course"),
    where="the second term is the expansion in this chapter",
    setting="196-32-32-C on 2,000 MNIST images, last layer 0.01 and 0.3 times He's, C of 2, 4 and 10",
    condition="at 0.01 within 0.01 of ln C in every run; at 0.3 the mean excess over ln C is within a quarter of half "
    "the variance",
    seeds=SEEDS,
    holds=lambda n: (
        n["distance from ln C at 0.01"].max() < 0.01 and abs(n["excess over prediction at 0.3"].mean() - 1) < 0.25
    ),
)
def first_loss(seeds):
    """The first losses of three numbers of classes at two scales."""
    numbers = {"distance from ln C at 0.01": [], "excess over prediction at 0.3": []}
    for seed in seeds:
        small, larger = (
            [experiment.first_loss(scale, classes=c, steps=1, seed=seed) for c in (2, 4, 10)] for scale in (0.01, 0.3)
        )
        numbers["distance from ln C at 0.01"].append(max(abs(r["first"] - np.log(r["classes"])) for r in small))
        excess = np.mean([r["first"] - np.log(r["classes"]) for r in larger])
        numbers["excess over prediction at 0.3"].append(excess / np.mean([r["spread"] ** 2 / 2 for r in larger]))
    return {name: np.array(values) for name, values in numbers.items()}


@claim(
    "11.overfit-20",
    kind="measured",
    text="A network without a bug memorizes 20 examples. With the softmax taken twice its loss stays above "
    "ln(e + 9) - 1.",
    source="karpathy2019",
    where="'overfit one batch'; the floor is exact arithmetic",
    setting="196-64-10 on 20 MNIST images, Adam 0.01, 200 steps",
    condition="in every seed: without a bug the loss is below 0.01 within 100 steps; with the second softmax it is "
    "above "
    "ln(e + 9) - 1 = 1.4612 throughout",
    seeds=SEEDS,
    holds=lambda n: n["no bug, steps to 0.01"].max() <= 100 and n["softmax twice, lowest"].min() > np.log(np.e + 9) - 1,
)
def overfit_20(seeds):
    """With and without the bug."""
    runs = {bug: [experiment.overfit(20, bug, seed=s)["loss"] for s in seeds] for bug in ("none", "softmax twice")}
    return {
        "no bug, steps to 0.01": np.array([int((loss > 0.01).sum()) for loss in runs["none"]]),
        "softmax twice, lowest": np.array([loss.min() for loss in runs["softmax twice"]]),
    }


@claim(
    "11.random-labels",
    kind="measured",
    text="A network memorizes random labels, and is then at chance on new images.",
    source="zhang2017",
    where="section 2",
    setting="196-64-10, 500 MNIST images with shuffled labels, Adam 0.01, 200 full-batch steps; "
    "validation after SGD on 5,000 such images",
    condition="all 500 right in every seed; validation accuracy below 20 % in every seed",
    seeds=SEEDS,
    holds=lambda n: n["training accuracy"].min() == 1 and n["validation accuracy"].max() < 0.2,
)
def random_labels(seeds):
    """Accuracies."""
    return {
        "training accuracy": np.array(
            [experiment.overfit(500, "labels shuffled", seed=s)["accuracy"][-1] for s in seeds]
        ),
        "validation accuracy": np.array([experiment.checks("labels shuffled", s)["accuracy"] for s in seeds]),
    }


@claim(
    "11.ratio-rule",
    kind="measured",
    text="Good learning rates show update ratios of about 0.001.",
    source="cs231n",
    where="'Neural Networks Part 3'",
    setting="196-32-32-10 on 5,000 MNIST images, batches of 50, 13 rates each for SGD, momentum and Adam, runs of 240 "
    "steps; the median ratio of the run with the lowest last loss",
    condition="between 10^-3.5 and 10^-2.5 for all three optimizers and seeds",
    seeds=SEEDS,
    holds=lambda n: n["furthest from -3"].max() < 0.5,
    verdict="does not hold",
    note="Short runs want ratios several to thirty times larger; the rule is one for long runs and slow layers.",
)
def ratio_rule(seeds):
    """Base-10 logarithms."""
    found = {
        f"log10 ratio, {name}": np.log10([experiment.best_ratio(name, 240, s)["ratio"] for s in seeds])
        for name in experiment.OPTIMIZERS
    }
    return found | {"furthest from -3": np.abs(np.array([*found.values()]) + 3).max(axis=0)}


@claim(
    "11.ratio-short-runs",
    kind="measured",
    text="The best short runs have update ratios of about 10^-1.8 with SGD and 10^-2.3 with Adam.",
    compares_nothing="each optimizer at its best of four rates",
    source="course",
    setting="784-200-200-10 on 8,000 MNIST images, 240 steps of 100, 4 rates each",
    condition="in every seed: SGD between 10^-2.0 and 10^-1.6, Adam between 10^-2.5 and 10^-2.1",
    seeds=SEEDS,
    holds=lambda n: -2.0 < n["SGD"].min() <= n["SGD"].max() < -1.6 and -2.5 < n["Adam"].min() <= n["Adam"].max() < -2.1,
    tolerance=0.15,
)
def ratio_short_runs(seeds):
    """Base-10 logarithms of the median ratios."""
    rates = {"SGD": (0.2, 0.4, 0.8, 1.6), "Adam": (0.001, 0.002, 0.004, 0.008)}
    return {
        name: np.log10([experiment.wide_ratio(name, some, seed=s)["ratio"] for s in seeds])
        for name, some in rates.items()
    }


@claim(
    "11.ratio-length",
    kind="measured",
    text="The longer the run, the smaller its best update ratio.",
    source="course",
    setting="as 11.ratio-rule, runs of 60, 240 and 960 steps",
    condition="the mean over the seeds of log10(ratio) falls from each length to the next, for all three optimizers",
    seeds=SEEDS,
    compares_nothing="lengths of one training, each at its best of 13 rates",
    holds=lambda n: all(
        n[f"{name}, 60 steps"].mean() > n[f"{name}, 240 steps"].mean() > n[f"{name}, 960 steps"].mean()
        for name in experiment.OPTIMIZERS
    ),
)
def ratio_length(seeds):
    """Base-10 logarithms."""
    return {
        f"{name}, {steps} steps": np.log10([experiment.best_ratio(name, steps, s)["ratio"] for s in seeds])
        for name in experiment.OPTIMIZERS
        for steps in LENGTHS
    }


@claim(
    "11.weight-decay-balance",
    text="Under AdamW, weights whose gradients are noise come to the update ratio sqrt(2 lr decay (1-b1)/(1+b1)), "
    "wherever they start.",
    kind="computed",
    source="kosson2024",
    setting="500 weights, normal gradients, rate 0.01, decay 0.1, 3,000 steps, first std 0.1 and 1, 3 seeds",
    condition="mean ratio of the last 500 steps within 10 % of the formula in every run",
    holds=lambda n: 0.9 < n["lowest / formula"] <= n["highest / formula"] < 1.1,
)
def weight_decay_balance():
    """Six runs over the formula."""
    formula = np.sqrt(2 * 0.01 * 0.1 * (1 - 0.9) / (1 + 0.9))
    found = [
        experiment.weight_decay_balance(start, seed=s)[-500:].mean() / formula for start in (0.1, 1.0) for s in SEEDS
    ]
    return {"lowest / formula": min(found), "highest / formula": max(found)}


@claim(
    "11.weight-decay-mlp",
    kind="measured",
    text="In a network that trains with AdamW the layers come near this ratio too.",
    source="kosson2024",
    setting="196-32-32-10 on 5,000 MNIST images, AdamW 0.01, decay 0.1, batches of 50, 4,000 steps; median ratio of "
    "the "
    "last 500 steps by layer",
    condition="every layer in every seed between half the formula and 1.2 times it",
    seeds=SEEDS,
    holds=lambda n: all(0.5 < value.min() <= value.max() < 1.2 for value in n.values()),
    tolerance=0.15,
)
def weight_decay_mlp(seeds):
    """Ratios over the formula."""
    found = np.array([experiment.balance_in_training(seed) for seed in seeds])
    return {f"layer {k + 1} / formula": found[:, k] for k in range(found.shape[1])}


@claim(
    "11.gradient-norm",
    kind="measured",
    text="The gradient's norm need not fall when training works: it can grow while the loss falls.",
    source="goodfellow2016",
    where="section 8.2.1 and figure 8.1",
    setting="196-32-32-10 on 5,000 MNIST images, SGD 0.03, batches of 50, 400 steps",
    condition="in every seed: the median norm of steps 250 to 350 is above that of the first 50, and the mean "
    "loss has fallen below a quarter of ln 10 there",
    seeds=SEEDS,
    holds=lambda n: n["norm later / first"].min() > 1 and n["loss later"].max() < np.log(10) / 4,
)
def gradient_norm(seeds):
    """Norms and losses."""
    runs = [experiment.gradient_norms_over_time("SGD", (0.03,), 400, s) for s in seeds]
    return {
        "norm later / first": np.array(
            [np.median(r["gradient"][250:350]) / np.median(r["gradient"][:50]) for r in runs]
        ),
        "loss later": np.array([r["loss"][250:350].mean() for r in runs]),
    }
