"""Explorers and predictions of chapter 08."""

from __future__ import annotations

import numpy as np

from .. import schedules
from ..experiments import learning_rate_and_batch_size as experiment
from ..interactive.sketch import Curve
from ..interactive.slots import Slot
from ..optimizers import sgd
from ..plotting import learning_rate_and_batch_size as plot
from . import Choice, Handle, LogSlider, Time, explorer, predict

__all__ = [
    "averages",
    "batch_sizes",
    "edge",
    "gradient_noise",
    "predict_batch",
    "predict_decay",
    "predict_noise",
    "predict_rate",
    "range_test",
    "rate",
    "schedule",
]


def _rate_in_words(result):
    loss = np.nan_to_num(result["loss"], nan=np.inf)
    return (
        f"Rate {result['rate']:.3g}, batches of {result['batch_size']}: {result['fate']}. The loss begins at "
        f"{result['first']:.2f}, is {loss.max():.3g} at most, and ends at {result['end']:.3g} after {len(loss)} steps. "
        f"The best of {len(result['rates'])} rates is {result['rates'][result['ends'].argmin()]:.2g}; it ends at "
        f"{result['ends'].min():.2f}."
    )


rate = explorer(
    experiment.rate,
    plot.rate,
    _rate_in_words,
    title="One rate, from far too small to far too large",
    time=Time("step"),
    handles=[Handle("rate", x="rate", axes=1)],
    rate=LogSlider(0.001, 31.6, default=0.01, steps=10, label="rate"),
    batch_size=Choice(8, 32, 128, default=32, label="batch size"),
)


def _noise_in_words(result):
    return (
        f"Batches of {result['batch_size']} from {result['count']:,} digits, in a net that has made "
        f"{result['trained']} steps. A batch's gradient is off by {result['here']:.2g} times the length of the full "
        f"gradient, and {result['downhill']:.0%} of the batches lead downhill. By the law a single example is off by "
        f"{result['spread']:.2g}, and a batch of {result['spread'] ** 2:.0f} would be off by the gradient's own length."
    )


gradient_noise = explorer(
    experiment.gradient_noise,
    plot.gradient_noise,
    _noise_in_words,
    title="Gradients of batches",
    handles=[Handle("batch size", x="batch_size", axes=1)],
    batch_size=Choice(1, 4, 16, 64, 256, 1024, label="batch size"),
    trained=Choice(0, 30, 300, label="steps trained before"),
)


def _sizes_in_words(result):
    parts = [
        f"{size} at rate {run['rate']:.2g}, {len(run['loss'])} updates: {run['held'][-1]:.2f}"
        for size, run in result["runs"].items()
    ]
    rule = {"same": "the same", "linear": "in proportion to the batch size"}
    rule = rule.get(result["rule"], "in proportion to the root of the batch size")
    return (
        f"Loss on held-out images against {result['axis']}, the rate {rule}. After {result['epochs']} epochs, by batch "
        f"size: {'; '.join(parts)}."
    )


batch_sizes = explorer(
    experiment.batch_sizes,
    plot.batch_sizes,
    _sizes_in_words,
    title="Four batch sizes, the same number of epochs",
    rule=Choice("same", "square root", "linear", label="rate grows with the batch size"),
    axis=Choice("epochs", "updates", label="horizontal axis"),
    base_rate=Choice(0.02, 0.05, 0.1, 0.2, default=0.1, label="rate for batches of 8"),
)


def _schedule_in_words(result):
    name, ends = result["schedule"], result["end"]
    best = min(ends, key=ends.get)
    rates = result["rates"][name]
    return (
        f"{name.capitalize()}, rate {result['rate']:.3g}: from {rates[0]:.3g} over at most {rates.max():.3g} to "
        f"{rates[-1]:.2g} in {len(rates)} steps. The loss on held-out images ends at {ends[name]:.2f}; with a constant "
        f"rate at {ends['constant']:.2f}. At this rate {best} is the best of the nine with {ends[best]:.2f}."
    )


def _in_row(name, plan):
    """The experiment's table of all schedules, with a training under a plan of the reader's in the row `name`."""
    shared, row = experiment._all_schedules, experiment.SCHEDULES.index(name)

    def with_plan(rate, steps, batch_size, seed):
        at, held, rates = shared(rate, steps, batch_size, seed)
        rule = sgd(lambda step: np.array([plan(rate, steps, step)]))
        sizes, every = (experiment.PIXELS, 16, 10), steps // 30
        run = experiment.fit(rule, sizes, steps=steps, batch_size=batch_size, seed=seed, every=every)
        held, rates = held.copy(), rates.copy()
        held[:, row], rates[row] = run["held"][:, 0], [plan(rate, steps, step) for step in range(steps)]
        return at, held, rates

    return with_plan


def _stepwise(decay):
    return _in_row("stepwise", lambda rate, steps, step: decay(rate, 0.5, steps // 6, step))


def _exponential(decay):
    return _in_row("exponential", lambda rate, steps, step: decay(rate, 0.01 ** (1 / steps), step))


def _warm(plan):
    return _in_row("warm-up, cosine", lambda rate, steps, step: plan(rate, steps // 10, steps, step))


def _warm_from_zero(lr, warm, total, step):
    """The course's, from 0 as sheet 08 asks, not from a third of the rate."""
    return schedules.warmup(schedules.cosine(lr, total - warm), warm, start=0.0)(step)


PLANNED = [
    Slot("schedule", question, (name,), beside=beside, places=((vars(experiment), "_all_schedules", make),), **more)
    for question, name, make, beside, more in (
        ("08.1", "step_decay", _stepwise, "stepwise", {}),
        ("08.1", "exponential_decay", _exponential, "exponential", {}),
        (
            "08.2", "warm_cosine", _warm, "warm-up, cosine",
            {"called": "warm-up from 0, cosine", "reference": (_warm_from_zero,)},
        ),
    )
]  # fmt: skip

schedule = explorer(
    experiment.schedule,
    plot.schedule,
    _schedule_in_words,
    title="Schedules",
    time=Time("step"),
    yours=PLANNED,
    schedule=Choice(*experiment.SCHEDULES, label="schedule"),
    rate=LogSlider(0.1, 1.6, default=0.4, steps=5, label="rate"),
)


def _test_in_words(result):
    best = result["ends"].argmin()
    return (
        f"Range test of {result['optimizer']}, hidden layers: {result['hidden_layers']}, smoothing "
        f"{result['smoothing']:g}. The loss falls fastest at rate {result['steepest']:.2g} and is lowest at "
        f"{result['lowest']:.2g}. Of 23 real trainings the best, at rate {result['rates'][best]:.2g}, ends at "
        f"{result['ends'][best]:.2f}."
    )


range_test = explorer(
    experiment.range_test,
    plot.range_test,
    _test_in_words,
    title="Range test against real trainings",
    optimizer=Choice(*experiment.OPTIMIZERS, label="optimizer"),
    hidden_layers=Choice(1, 3, label="hidden layers"),
    smoothing=Choice(0.0, 0.9, 0.97, default=0.9, label="smoothing"),
)


def _loss_by_rate():
    run = experiment.rate()
    shown = (run["rates"] <= 10.1) & np.isfinite(run["ends"])
    return Curve(
        run["rates"][shown],
        np.minimum(run["ends"][shown], 3),
        xlabel="learning rate",
        ylabel="loss after 150 steps",
        ylim=(0, 3),
        xlog=True,
        count=13,
    )


def _error_by_size():
    run = experiment.gradient_noise()
    shown = run["sizes"] <= 256
    return Curve(
        run["sizes"][shown],
        run["error"][shown],
        xlabel="batch size",
        ylabel="error of the gradient",
        ylim=(0.01, 10),
        log=True,
        xlog=True,
    )


def _averages_in_words(result):
    return (
        f"SGD at the constant rate {result['rate']:g}, batches of 8. On held-out images the weights end at a loss of "
        f"{result['weights'][-1]:.2f}, their average with beta {result['decay']} at {result['average'][-1]:.2f}; the "
        f"same training with a cosine schedule ends at {result['cosine'][-1]:.2f}."
    )


averages = explorer(
    experiment.averages,
    plot.averages,
    _averages_in_words,
    title="An average of the weights",
    time=Time("step"),
    decay=Choice("0.9", "0.97", "0.99", "0.995", "0.998", default="0.9", label="β of the average"),
    rate=Choice(0.1, 0.4, 0.8, default=0.4, label="rate"),
)


def _edge_in_words(result):
    sharp, limit = result["sharpness"], result["limit"]
    late = sharp[-10:].mean()
    return (
        f"Gradient descent at rate {result['rate']:g}. The largest curvature begins at {sharp[0]:.2g}, is "
        f"{sharp.max():.3g} at most, and {late:.3g} on average at the end; 2 / rate is {limit:.3g}. The loss goes from "
        f"{result['loss'][0]:.2f} to {result['loss'][-1]:.2g}."
    )


def _edge(rate, start):
    return experiment.edge(rate, seed="ABC".index(start))


edge = explorer(
    _edge,
    plot.edge,
    _edge_in_words,
    title="The edge of stability",
    time=Time("step"),
    rate=Choice(*experiment.EDGE_RATES, default="0.05", label="rate"),
    start=Choice("A", "B", "C", default="B", label="first weights"),
)


predict_rate = predict(
    "08-rate",
    question="Plain SGD makes 150 steps with batches of 32. At rate 0.001 the loss hardly leaves 2.3, the level of "
    "guessing. Draw the loss after 150 steps against the rate.",
    answer=_loss_by_rate,
    explanation="A broad valley about rate 1, a thousand times what everybody tries first: the gradients of this net "
    "are small, and the rate is only the factor that multiplies them. Beyond it the steepest direction throws "
    "the weights out.",
)

predict_noise = predict(
    "08-noise",
    question="The gradient of a single example is off by about 3.4. Draw by how much the gradient of a batch is off.",
    answer=_error_by_size,
    explanation="Four times the examples for half of the error: the standard deviation of a mean falls with the root "
    "of the number of its terms. On two logarithmic axes that is a straight line of slope −1/2.",
)

predict_batch = predict(
    "08-batch",
    question="The same net, the same rate, four epochs. One run uses batches of 8, the other of 512. "
    "Which one has the lower loss after four epochs?",
    options={
        "Batches of 512: their gradients are better": (
            "Eight times better, since the error falls with the root of 64. But there are 64 times fewer updates."
        ),
        "Neither: both have seen the same images": (
            "They have. But an example counts through the update it "
            "takes part in, and in a batch of 512 it shares this update with 511 others."
        ),
        "Batches of 8: they make 64 times as many updates": (
            "Each update goes about equally far at the same rate, so their number decides, until noise sets a floor."
        ),
    },
    answer="Batches of 8: they make 64 times as many updates",
)

predict_decay = predict(
    "08-decay",
    question="A constant rate of 0.1 is below the best one for this net. What does letting it decay do to the loss "
    "after 600 steps?",
    options={
        "It lowers the loss at the end": (
            "Decay takes noise away at the price of shorter steps. At a rate this small "
            "there is little noise, and the price is all that is left."
        ),
        "It raises the loss at the end": (
            "The steps were too short already, and now they get shorter. Decay pays when the first rate is "
            "larger than a constant one could be."
        ),
        "It leaves the loss as it is": (
            "It does: the exponential decay of this chapter walks only about a fifth of the way that "
            "the constant rate walks."
        ),
    },
    answer="It raises the loss at the end",
)
