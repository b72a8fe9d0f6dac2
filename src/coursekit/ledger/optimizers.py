"""Claims of chapter 07."""

import numpy as np

from .. import optimizers as rules
from ..comparison import fair_comparison, one_by_one
from ..experiments import optimizers as experiment
from ..experiments._bench import mlp, pool, searched, small_mnist
from . import Comparison, claim


@claim(
    "07.momentum",
    kind="computed",
    text="On a quadratic of condition number k, momentum at its best rate and decay shrinks the distance by "
    "(√k − 1)/(√k + 1) a step, gradient descent only by (k − 1)/(k + 1), and no other pair does better.",
    source=("polyak1964", "goh2017"),
    where="section on optimal parameters",
    setting="two curvatures, 1/k and 1, k = 10, 100, 1000; 64 x 64 pairs; 400, 1000 and 2000 steps; no randomness",
    condition="measured factors within 0.005 of the formulas; the best pair of the map at most 0.005 better than "
    "theory's; for k = 100 its rate within 0.2 and its momentum within 0.03 of theory's 3.306 and 0.669",
    holds=lambda n: (
        all(
            abs(n[f"momentum, k {k}"] - (k**0.5 - 1) / (k**0.5 + 1)) < 0.005
            and abs(n[f"plain, k {k}"] - (k - 1) / (k + 1)) < 0.005
            and n[f"best of the map, k {k}"] > n[f"momentum, k {k}"] - 0.005
            for k in (10, 100, 1000)
        )
        and abs(n["best rate, k 100"] - 3.306) < 0.2
        and abs(n["best momentum, k 100"] - 0.669) < 0.03
    ),
)
def momentum():
    """Factors a step of both methods and of the best pair of the map."""
    numbers = {}
    for k, steps in ((10, 400), (100, 1000), (1000, 2000)):
        result = experiment.momentum_map(k, steps=steps)
        numbers[f"momentum, k {k}"] = experiment.contraction(result["theory_distance"])
        numbers[f"plain, k {k}"] = experiment.contraction(result["plain_distance"])
        numbers[f"best of the map, k {k}"] = np.nanmin(result["map"])
        if k == 100:
            row, column = np.unravel_index(np.nanargmin(result["map"]), result["map"].shape)
            numbers["best rate, k 100"] = result["rates"][column]
            numbers["best momentum, k 100"] = result["decays"][row]
    return numbers


@claim(
    "07.adam-fails",
    kind="computed",
    text="There is a simple convex problem on which Adam ends at the worst point and AMSGrad at the best.",
    source="reddi2018",
    where="theorems 1 and 3",
    setting="x in [-1, 1]; gradient +3 with probability 1.3/4, else -1, mean +0.3; beta1 = 0, beta2 = 0.1, rate "
    "0.5/sqrt(t), 3,000 steps, 6 seeds; and the deterministic version, +3 at every third step",
    condition="mean of the last 300 x: Adam above 0.9 and AMSGrad below -0.9 in all 6 seeds and without chance",
    holds=lambda n: n["Adam, lowest"] > 0.9 and n["AMSGrad, highest"] < -0.9,
    seeds=range(6),
)
def adam_fails(seeds):
    """The last 300 points of both, with chance and without."""
    runs = [experiment.random_adversary(seed=seed) for seed in seeds]
    runs.append(experiment.adversary(memory=10 / 9, every=3, cycles=1000))
    return {
        "Adam, lowest": min(run["Adam"][-300:].mean() for run in runs),
        "AMSGrad, highest": max(run["AMSGrad"][-300:].mean() for run in runs),
    }


@claim(
    "07.adam-memory",
    kind="computed",
    text="On Reddi's problem with a large gradient at every n-th step, Adam goes the wrong way unless its memory "
    "1 / (1 - beta2) is longer than about n squared over 4. For the 101 steps of their figure 1 the usual 0.999 is too "
    "short.",
    source=("reddi2018", "zhang2022adam"),
    where="their problem and their remedy; the quarter is derived in chapter 7",
    setting="gradient +n at every n-th step, else -1, x in [-1, 1], rate 0.5 / sqrt(t), no momentum; the memory at "
    "which the drift of a cycle changes sign, for n = 3, 10, 30, 101; and paths of 4,000 cycles with 0.6 and "
    "1.6 times n^2/4",
    condition="that memory within 20 % of n^2/4; the last 3 cycles on the positive side with the shorter memory, near "
    "-1 (below -0.8) with the longer one; for n = 101 and beta2 = 0.999 above 0.5",
    holds=lambda n: (
        all(abs(n[f"memory needed / (n^2/4), n = {k}"] - 1) < 0.2 for k in (3, 10, 30, 101))
        and min(n["x, n = 3, 0.6"], n["x, n = 10, 0.6"]) > 0.5
        and max(n["x, n = 3, 1.6"], n["x, n = 10, 1.6"]) < -0.8
        and n["x, n = 101, beta2 = 0.999"] > 0.5
    ),
)
def adam_memory():
    """The memory that is needed, and where Adam ends with less and with more."""
    numbers = {f"memory needed / (n^2/4), n = {n}": experiment.memory_needed(n) / (n**2 / 4) for n in (3, 10, 30, 101)}
    for n in (3, 10):
        for share in (0.6, 1.6):
            path = experiment.adversary(share * n**2 / 4, n, 4000)["Adam"]
            numbers[f"x, n = {n}, {share}"] = path[-3 * n :].mean()
    path = experiment.adversary(1000, 101, 4000)["Adam"]
    return numbers | {"x, n = 101, beta2 = 0.999": path[-303:].mean()}


@claim(
    "07.yogi",
    kind="computed",
    text="On Reddi's problem Yogi goes the right way with a memory at which Adam goes the wrong way.",
    source="zaheer2018",
    where="algorithm 2; the problem is that of Reddi and others",
    setting="gradient +n at every n-th step, else -1, no momentum; the sum of a cycle's steps in the long run, for n = "
    "10, 30 and memories of 2 and 10 steps",
    condition="the sum of Yogi's steps below 0 and that of Adam's above 0, four times",
    holds=lambda n: all((value < 0) == name.startswith("Yogi") for name, value in n.items()),
)
def yogi():
    """Where both go."""
    cases = [(memory, every) for every in (10, 30) for memory in (2, 10)]
    return {f"Adam, n = {n}, memory {m}": experiment.adversary_drift(m, n) for m, n in cases} | {
        f"Yogi, n = {n}, memory {m}": experiment.yogi_on_the_adversary(m, n) for m, n in cases
    }


@claim(
    "07.mnist",
    kind="measured",
    text="On MNIST gradient descent is the slowest of four optimizers at customary rates, AdaGrad a little ahead of "
    "the rest.",
    source="saitoh2016",
    where="section 6.1.8",
    setting="784-100-100-100-100-10, ReLU, He's start, 10,000 images, batches of 128, 300 steps; rate 0.01, Adam 0.001",
    condition="mean loss over all 300 steps: gradient descent's the highest and AdaGrad's the lowest in every seed",
    holds=lambda n: (
        all((n["gradient descent"] > n[name]).all() for name in n if name != "gradient descent")
        and all((n["AdaGrad"] < n[name]).all() for name in n if name != "AdaGrad")
    ),
    seeds=range(6),
    compares_nothing="all at the rates that the source gives them; 07.mnist-tuned searches the rates",
    tolerance=0.15,
)
def mnist(seeds):
    """Mean losses of the four."""
    runs = [experiment.compare_on_mnist(experiment.BOOK_RATES, seed=seed) for seed in seeds]
    return {name: np.array([run[name]["loss"].mean() for run in runs]) for name in runs[0]}


SMALL = "2,000 MNIST images of 14x14 to train on, batches of 50"
RATES = tuple(np.geomspace(1e-3, 10, 17))


def _small_mnist(rule, sizes, **settings):
    """A run for `fair_comparison`: loss on 500 other images, and on some 2,000 others."""

    def run(grid, seeds):
        x, y = pool(small_mnist(2500, np.float32))
        budget = {"images": 2000, "held_out": 500, "batch_size": 50} | settings
        found = searched(mlp(sizes), x, y, rule(grid["lr"].astype(np.float32)), seeds, **budget)
        return found["validation"]["loss"], found["test"]["loss"]

    return run


@claim(
    "07.mnist-tuned",
    kind="measured",
    text="At its own best rate momentum is as good as Adam at its own, to within 0.05 of the loss, and gradient "
    "descent has at most twice Adam's loss; at the rate 0.01 for all it has four times as much.",
    source=("choi2019", "wilson2017"),
    where="tuning decides comparisons of optimizers",
    setting=f"196-32-10, {SMALL}, 100 steps",
    condition="also: gradient descent's mean loss below twice Adam's, and above 4 times at rate 0.01",
    holds=lambda n: (
        n["gradient descent"].mean() < 2 * n["Adam"].mean()
        and n["gradient descent, rate 0.01"].mean() > 4 * n["Adam, rate 0.01"].mean()
    ),
    seeds=range(6),
    comparison=Comparison(
        first="momentum",
        second="Adam",
        arms={name: {"lr": RATES} for name in ("momentum", "Adam", "gradient descent")},
        chosen_on="500 other images, by loss",
        measured_in="of test loss",
        effect=0.0,
        effect_from="equal losses",
        at_least=-0.05,
        mode="min",
    ),
    tolerance=0.3,
)
def mnist_tuned(arms, seeds):
    """Test loss of three optimizers, and that of two at one rate."""
    three = {"momentum": rules.momentum, "Adam": rules.adam, "gradient descent": rules.sgd}
    methods = {name: _small_mnist(rule, [196, 32, 10], steps=100) for name, rule in three.items()}
    fair = fair_comparison(methods, arms, seeds, mode="min")
    usual = int(np.abs(np.log(np.array(RATES) / 0.01)).argmin())
    return fair, {f"{name}, rate 0.01": fair.reported[name][usual] for name in ("gradient descent", "Adam")}


DEEP = f"196-32-32-32-32-32-10, {SMALL}, 60 steps"
EARLY = tuple(np.geomspace(1e-4, 0.1, 13))


@claim(
    "07.bias-correction",
    kind="measured",
    text="Without bias correction Adam starts worse when beta2 is close to 1, even at its own best rate.",
    source="kingma2015",
    where="section 6.4 and figure 4, made stricter here",
    setting=f"{DEEP}, beta2 = 0.9999",
    seeds=range(8),
    comparison=Comparison(
        first="corrected",
        second="uncorrected",
        arms={"corrected": {"lr": EARLY}, "uncorrected": {"lr": EARLY}},
        chosen_on="500 other images, by loss",
        measured_in="of test loss",
        effect=0.1,
        effect_from="the smallest that would matter",
        mode="min",
    ),
    verdict="does not hold",
    note="without it the first steps are too long by a large factor, and a rate that is as much smaller makes up "
    "for that; what the correction does is to make the rate mean what it says",
    tolerance=0.5,
)
def bias_correction(arms, seeds):
    """Test loss after a short training, with and without the correction."""
    sizes, beta2 = [196, 32, 32, 32, 32, 32, 10], 0.9999
    methods = {
        "corrected": _small_mnist(lambda lr: rules.adam(lr, beta2=beta2), sizes, steps=60),
        "uncorrected": _small_mnist(lambda lr: experiment.adam_without_correction(lr, beta2=beta2), sizes, steps=60),
    }
    return fair_comparison(methods, arms, seeds, mode="min")


def _early(rate, beta2, seeds):
    """Mean loss of 60 steps with and without the correction."""
    runs = [experiment.early_loss(rate, beta2, seed=seed) for seed in seeds]
    return {name: np.array([run[name].mean() for run in runs]) for name in runs[0]}


@claim(
    "07.bias-large-rate",
    kind="measured",
    text="At a large rate, and with beta2 close to 1, Adam without bias correction is thrown off by its first steps.",
    source="kingma2015",
    where="section 6.4 and figure 4",
    setting="196-32x5-10 on 2,000 MNIST images of 14x14, batches of 50, 60 steps, rate 0.01, beta2 = 0.9999",
    condition="mean loss of the 60 steps lower with the correction in every seed",
    holds=lambda n: (n["corrected"] < n["uncorrected"]).all(),
    seeds=range(6),
    compares_nothing="one rate, which is the claim; 07.bias-correction searches it",
    tolerance=0.5,
)
def bias_large_rate(seeds):
    """A rate at which steps several times longer are too long."""
    return _early(0.01, 0.9999, seeds)


@claim(
    "07.bias-small-rate",
    kind="measured",
    text="Bias correction makes Adam's start faster at any rate.",
    source="folk",
    setting="196-32x5-10 on 2,000 MNIST images of 14x14, batches of 50, 60 steps, rate 0.001, beta2 = 0.999",
    condition="mean loss of the 60 steps lower with the correction in every seed",
    holds=lambda n: (n["corrected"] < n["uncorrected"]).all(),
    verdict="does not hold",
    note="without the correction the first steps are 3 to 7 times as long, and at this small rate that is an "
    "advantage; what the correction does is to make the rate mean what it says",
    seeds=range(6),
    compares_nothing="a claim about any rate is refuted by one",
    tolerance=0.15,
)
def bias_small_rate(seeds):
    """A rate at which steps several times longer are welcome."""
    return _early(0.001, 0.999, seeds)


@claim(
    "07.adagrad-stops",
    kind="computed",
    text="AdaGrad's steps shrink as 1/sqrt(t) and never recover from large gradients; RMSProp's do.",
    source=("duchi2011", "zeiler2012"),
    where="section 2",
    setting="one weight, rate 0.01, 1,000 steps: gradient 1 throughout; and gradient 10 for 30 steps, then 0.1",
    condition="constant gradient: AdaGrad's step 1000 over step 10 within 0.001 of 0.1; after the cliff: AdaGrad's "
    "last step below a hundredth of the rate, RMSProp's within 1 % of the rate",
    holds=lambda n: (
        abs(n["AdaGrad, step 1000 / step 10"] - 0.1) < 0.001
        and n["AdaGrad, last step / rate"] < 0.01
        and abs(n["RMSProp, last step / rate"] - 1) < 0.01
    ),
)
def adagrad_stops():
    """Lengths of steps, in units of the rate."""
    flat, fall = experiment.step_lengths(np.ones(1000)), experiment.step_lengths(experiment.cliff())
    return {
        "AdaGrad, step 1000 / step 10": flat["AdaGrad"][999] / flat["AdaGrad"][9],
        "AdaGrad, last step / rate": fall["AdaGrad"][-1] / 0.01,
        "RMSProp, last step / rate": fall["RMSProp"][-1] / 0.01,
    }


@claim(
    "07.minima-are-rare",
    kind="computed",
    text="In a random landscape the share of stationary points that are minima falls faster than exponentially with "
    "the number of parameters.",
    source="dauphin2014",
    where="section 2",
    setting="eigenvalues of 20,000 symmetric normal matrices for each of the sizes 1 to 5, 6 seeds",
    condition="mean shares within 0.005 of the exact 1/2, (2 - sqrt(2))/4 and (pi - 2 sqrt(2))/(4 pi) for the "
    "sizes 1 to 3, and each size's share a smaller part of the one before",
    holds=lambda n: (
        abs(n["size 1"] - 1 / 2) < 0.005
        and abs(n["size 2"] - (2 - 2**0.5) / 4) < 0.005
        and abs(n["size 3"] - (np.pi - 8**0.5) / (4 * np.pi)) < 0.005
        and n["size 2"] / n["size 1"]
        > n["size 3"] / n["size 2"]
        > n["size 4"] / n["size 3"]
        > n["size 5"] / n["size 4"]
    ),
    seeds=range(6),
    tolerance=0.2,
)
def minima_are_rare(seeds):
    """Mean shares over the seeds."""
    return {
        f"size {size}": np.mean([experiment.share_of_minima(size, seed=seed) for seed in seeds]) for size in range(1, 6)
    }


SMALLEST = "a fifteenth of the loss, the smallest that would matter"
TODAY = "196-64-64-64-10 on 3,000 images of 14x14 MNIST, 150 steps of 50 images, rate falling to 0"


def _today(methods, arms, seeds):
    """Test loss of some of the experiment's optimizers of today, each at its best rate."""

    def run(name):
        def tried(settings, seeds):
            rule = experiment.TODAY[name](experiment.falling(settings["lr"], 150))
            net, (x, y) = mlp(experiment.TODAY_SIZES), pool(small_mnist(4000, np.float32))
            found = searched(net, x, y, rule, seeds, images=3000, held_out=1000, steps=150, batch_size=50)
            return found["validation"]["loss"], found["test"]["loss"]

        return tried

    return fair_comparison({name: run(name) for name in methods}, arms, seeds, mode="min")


def _against_adam(name, rates, effect, why):
    return Comparison(
        first=name,
        second="Adam",
        arms={name: {"lr": rates}, "Adam": {"lr": (0.002, 0.004, 0.008, 0.016, 0.032, 0.064)}},
        chosen_on="1,000 other images, by loss",
        measured_in="of test loss",
        effect=effect,
        effect_from=why,
        mode="min",
    )


@claim(
    "07.muon",
    kind="measured",
    text="Muon for the hidden matrices gets further than Adam in the same number of steps.",
    source="jordan2024",
    where="the results on small language models",
    setting=f"{TODAY}; biases and last layer by Adam at a tenth of Muon's rate",
    seeds=range(8),
    comparison=_against_adam("Muon", (0.005, 0.01, 0.02, 0.04, 0.08), 0.02, SMALLEST),
    threshold_moved="five rates up to 0.016 for Adam at first; larger ones after the best lay at the end of the grid",
    tolerance=0.3,
)
def muon_ahead(arms, seeds):
    """Test loss of both."""
    return _today(("Muon", "Adam"), arms, seeds)


@claim(
    "07.lion",
    kind="measured",
    text="Lion is better than Adam.",
    source="chen2023lion",
    where="section 4, for large networks",
    setting=TODAY,
    seeds=range(13),
    comparison=_against_adam(
        "Lion",
        (0.0003, 0.0006, 0.0012, 0.0024, 0.0048, 0.0096),
        0.02,
        SMALLEST,
    ),
    verdict="does not hold",
    note="a small net, 150 steps, batches of 50; the paper's gains are for large networks, long trainings and large "
    "batches. The sign of a mean of few examples is a coarse direction",
    threshold_moved="rates up to 0.0024 (Adam 0.016) at first; larger ones after the best lay at the end of the grid",
    tolerance=0.3,
)
def lion_ahead(arms, seeds):
    """Test loss of both."""
    return _today(("Lion", "Adam"), arms, seeds)


@claim(
    "07.clip",
    kind="measured",
    text="Clipping the gradient makes larger rates usable.",
    source="pascanu2013",
    where="section 3.2, for recurrent networks",
    setting="196-32-32-32-10 from 1.5 times He's size, SGD, 150 steps of 50 images; the largest of 13 rates from 0.03 "
    "to 3 at which the last 20 losses are below 1 on average",
    condition="a difference above log10 1.5",
    seeds=range(6),
    comparison=Comparison(
        first="clipped to 1",
        second="not clipped",
        arms={"clipped to 1": {}, "not clipped": {}},
        nothing_to_choose="the rate is what is measured",
        chosen_on="no data",
        measured_in="powers of ten",
        effect=float(np.log10(3)),
        effect_from="a factor of 3, the smallest that would matter",
        at_least=float(np.log10(1.5)),
    ),
    tolerance=0.5,
)
def clip(arms, seeds):
    """The largest rate that works."""
    rates = np.geomspace(0.03, 3, 13)

    def largest(limit):
        def train(seed):
            loss = experiment.clipped((limit,), rates, seeds=(seed,))["loss"][limit]
            return 2 * (np.log10(rates[np.flatnonzero(loss < 1)[-1]]),)

        return one_by_one(train)

    return fair_comparison({"clipped to 1": largest(1.0), "not clipped": largest(None)}, arms, seeds)
