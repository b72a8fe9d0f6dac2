"""Chapter 08: how far a step goes, and how many examples decide its direction."""

from __future__ import annotations

import numpy as np

from .. import _checks, averaging, curvature, schedules, trees
from ..diagnostics import lr_range_test
from ..errors import RangeError
from ..layers import BatchNorm, Tanh
from ..losses import mean_squared_error, softmax_cross_entropy
from ..model import Sequential, stack_runs
from ..optimizers import accumulate, adam, momentum, sgd
from ._bench import (
    by_fan_in,
    descend,
    digits,
    mlp,
    pool,
    quiet,
    residual_mlp,
    shared,
    shuffled,
    small_mnist,
)

OPTIMIZERS = {"SGD": sgd, "momentum": momentum, "Adam": adam}
PIXELS = 196  # images of 14x14
HELD = 500  # test images that serve as held-out ones


def fit(optimizer, sizes, *, steps, batch_size, seed=0, runs=1, examples=10000, gain=1.0, every=0) -> dict:
    """Train `runs` networks in one pass: the same first weights (He, times `gain`) and the same batches for each.

    What differs between the runs is in the optimizer: a rate (runs,), or a schedule that gives one.

    Returns
    -------
    loss : (steps, runs) loss of each step's batch, before the step; NaN or infinite for a run that diverged
    held : (steps // every, runs) loss on the held-out images after every so many steps; empty if `every` is 0
    at : (steps // every,) the updates made by then
    params : what was learnt, with a run axis in front
    """
    x, y, x_held, y_held = small_mnist()
    x_held, y_held = x_held[:HELD], y_held[:HELD]
    rng = np.random.default_rng(seed)
    net = mlp(sizes)
    first, _ = net.init(rng, dtype=np.float64)
    for layer in first.values():
        layer["w"] *= gain
    held, at = [], []

    def watch(now):
        if every and now.step % every == 0:
            scores, _, _ = net.forward(now.params, {}, x_held, training=False)
            held.append(softmax_cross_entropy(scores, y_held)[0])
            at.append(now.step)

    sample = shuffled(x[:examples], y[:examples], batch_size, rng)
    run = descend(net, stack_runs([first] * runs), sample, optimizer, steps=steps, watch=watch)
    loss, held = run.loss.reshape(steps, runs), np.array(held).reshape(-1, runs)
    return {"loss": loss, "held": held, "at": np.array(at, dtype=int), "params": run.params}


def at_the_end(loss, count=20) -> np.ndarray:
    """(steps, runs) -> (runs,): mean of the last `count` losses; infinite for a run that diverged."""
    with quiet():
        return np.nan_to_num(loss[-count:].mean(axis=0), nan=np.inf, posinf=np.inf)


# Rates ----------------------------------------------------------------------------------------------------------------

SWEEP_RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 31.6, 23).round(7))


@shared(maxsize=32)
def sweep(optimizer="SGD", hidden_layers=1, steps=150, batch_size=32, seed=0, rates=SWEEP_RATES) -> dict:
    """A short training at each of 23 rates, four to a decade, hidden layers of 32 units.

    Returns `rates` and `end`, (23,) each: the mean loss of the last 20 steps, infinite where training diverged.
    """
    build = OPTIMIZERS[_checks.choice("optimizer", optimizer, OPTIMIZERS)]
    rates = np.array(rates)
    run = fit(
        build(rates), _sizes(hidden_layers), steps=steps, batch_size=batch_size, seed=seed, runs=len(rates)
    )  # fmt: skip
    return {"rates": rates, "end": at_the_end(run["loss"])}


def _sizes(hidden_layers):
    return (PIXELS, *[32] * hidden_layers, 10)


def rate(rate=0.001, batch_size=32, steps=150, seed=0) -> dict:
    """SGD at one rate on 14x14 MNIST, 32 hidden units, beside the ends of 19 other rates, from 0.001.

    Returns
    -------
    loss : (steps,) the loss of every step
    rates, ends : (19,), (19,) see `sweep`
    end, first : mean loss of the last 20 steps, and the loss before the first
    fate : "too small", "good", "large", "too large" or "diverges", see `fate`
    """
    loss = fit(sgd(rate), _sizes(1), steps=steps, batch_size=batch_size, seed=seed)["loss"]
    others = sweep("SGD", 1, steps, batch_size, seed, SWEEP_RATES[4:])
    end = float(at_the_end(loss)[0])
    return {
        "loss": loss[:, 0],
        "rates": others["rates"],
        "ends": others["end"],
        "end": end,
        "first": float(loss[0, 0]),
        "fate": fate(rate, end, float(loss[0, 0]), others),
        "rate": rate,
        "batch_size": batch_size,
    }


def fate(rate, end, first, others) -> str:
    """What became of a run, by its end and the best end of `sweep`.

    "good" is within 1.3 times the best. Above that a run is "too small" on the left of the best rate. On its right it
    is "large" while it still ends below half of the first loss, "too large" up to the first loss, and "diverges" above.
    """
    best = others["end"].min()
    if end <= 1.3 * best:
        return "good"
    if rate < others["rates"][others["end"].argmin()]:
        return "too small"
    if end < first / 2:
        return "large"
    return "too large" if end < first else "diverges"


def folk_rule(folk=1e-3, steps=200, batch_size=64, seed=0) -> list[dict]:
    """The best of 23 rates for three optimizers and two depths, beside the rate that everybody tries first.

    Returns a row for each: `optimizer`, `hidden_layers`, `best` rate, `loss` at it, `folk` loss at 1e-3.
    """
    rows = []
    for name in OPTIMIZERS:
        for hidden_layers in (1, 3):
            table = sweep(name, hidden_layers, steps, batch_size, seed)
            at = int(table["end"].argmin())
            rows.append(
                {
                    "optimizer": name,
                    "hidden_layers": hidden_layers,
                    "best": float(table["rates"][at]),
                    "loss": float(table["end"][at]),
                    "folk": float(np.interp(np.log(folk), np.log(table["rates"]), table["end"])),
                }
            )
    return rows


def budgets(optimizer="Adam", steps=(50, 200, 800), batch_size=64, seed=0) -> dict:
    """The best constant rate by length of training: `{steps: {"rates", "held"}}`, loss on held-out images.

    One training of the greatest length serves all: a constant rate doesn't know when it will be stopped.
    """
    rates = np.geomspace(1e-4, 0.1, 13)
    every = min(steps)
    run = fit(
        OPTIMIZERS[optimizer](rates), _sizes(3), steps=max(steps), batch_size=batch_size, seed=seed,
        runs=len(rates), every=every,
    )  # fmt: skip
    ends = np.nan_to_num(run["held"], nan=np.inf)
    return {count: {"rates": rates, "held": ends[count // every - 1]} for count in steps}


# Noise ----------------------------------------------------------------------------------------------------------------


def noisy_bowl(rates=(0.1, 0.3, 1.0), batch_size=1, curvature=1.0, noise=1.0, steps=120, runs=2000, seed=0) -> dict:
    """Gradient descent on a parabola whose gradient has noise of variance noise^2 / batch_size, all starting at 3.

    Returns
    -------
    distance : (len(rates), steps + 1) root mean square distance from the minimum over the runs
    floor : (len(rates),) measured in the last third
    theory : (len(rates),) rate * noise^2 / (batch_size * curvature * (2 - rate * curvature)), its root
    """
    rates = np.array(rates, dtype=float)
    if rates.max() * curvature >= 2:
        raise RangeError(f"rates goes up to {rates.max()}, but must stay below 2 / curvature = {2 / curvature:.3g}")
    rng = np.random.default_rng(seed)
    w = np.full((len(rates), runs), 3.0)
    distance = [np.sqrt((w**2).mean(axis=1))]
    for _ in range(steps):
        gradient = curvature * w + noise / np.sqrt(batch_size) * rng.standard_normal(runs)
        w -= rates[:, None] * gradient
        distance.append(np.sqrt((w**2).mean(axis=1)))
    distance = np.array(distance).T
    return {
        "distance": distance,
        "floor": np.sqrt((distance[:, -steps // 3 :] ** 2).mean(axis=1)),
        "theory": np.sqrt(rates * noise**2 / (batch_size * curvature * (2 - rates * curvature))),
        "rates": rates,
        "batch_size": batch_size,
    }


STEEPEST = 4.0  # no curvature of the hilly loss is larger
ARRIVING = {
    "constant": schedules.constant(0.1),
    "simple": schedules.inverse_time_decay(0.25, 0.02),
    "exponential": schedules.exponential_decay(0.25, 0.97),
}


def hilly(w) -> tuple:
    r"""A loss with several minima, $L = \frac12 w^2 + \frac13 \cos 3w$, and its slope $w - \sin 3w$.

    Its curvature is $1 - 3 \cos 3w$, from -2 to 4.
    """
    return w**2 / 2 + np.cos(3 * w) / 3, w - np.sin(3 * w)


def arrival(plan="simple", at=(100, 1000, 10_000), noise=1.0, batch_size=1, start=3.0, runs=200, seed=0) -> dict:
    r"""SGD on a hilly loss: the mean squared gradient along the way, beside what the convergence theorem allows.

    The mean is weighted with the rates. The bound, for rates of at most $1/\Lambda$ (Bottou, Curtis and Nocedal 2018,
    section 4.3), is

    $$\frac{2 (L_0 - L_{\inf}) + \Lambda \frac{\sigma^2}{B} \sum_t \eta_t^2}{\sum_t \eta_t}.$$

    Returns
    -------
    steps, measured, bound : (len(at),)
    """
    _checks.choice("plan", plan, ARRIVING)
    rng, w = np.random.default_rng(seed), np.full(runs, float(start))
    lowest = hilly(np.linspace(-3, 3, 60_001))[0].min()
    rates = np.array([ARRIVING[plan](t) for t in range(max(at))])
    squared = []
    for rate in rates:
        slope = hilly(w)[1]
        squared.append((slope**2).mean())
        w = w - rate * (slope + noise / np.sqrt(batch_size) * rng.standard_normal(runs))
    total, last = np.cumsum(rates), np.array(at) - 1
    measured = np.cumsum(rates * squared) / total
    gap = hilly(start)[0] - lowest
    bound = (2 * gap + STEEPEST * noise**2 / batch_size * np.cumsum(rates**2)) / total
    return {"steps": np.array(at), "measured": measured[last], "bound": bound[last]}


NOISE_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


@shared(maxsize=8)
def _example_gradients(trained: int, seed: int) -> np.ndarray:
    """(1437, P): the gradient of each training digit of 8x8, in a 64-8-10 net after `trained` steps of SGD 0.3."""
    x, y, _, _ = digits(np.float64)
    rng = np.random.default_rng(seed)
    net = mlp((64, 8, 10))
    params, _ = net.init(rng, dtype=np.float64)
    params = descend(net, params, shuffled(x, y, 32, rng), sgd(0.3), steps=trained).params
    # A run axis with one example each: every run has a gradient of its own.
    scores, cache, _ = net.forward(stack_runs([params] * len(x)), {}, x[:, None], training=True)
    grads = net.backward_first(softmax_cross_entropy(scores, y[:, None])[1], cache)
    return np.concatenate([g.reshape(len(x), -1) for layer in grads.values() for g in layer.values()], axis=1)


@shared(maxsize=16)
def _batch_gradients(trained, seed, draws):
    """Coordinates (sizes, draws, 2) of batch gradients, their errors (sizes,), the spread and the number of examples.

    Each draw is one shuffle: its first B examples are the batch of size B.
    """
    rows = _example_gradients(trained, seed)
    full = rows.mean(axis=0)
    length = np.linalg.norm(full)
    along = full / length
    rng = np.random.default_rng(seed + 1)
    across = rows[rng.integers(len(rows))] - full  # some direction in which examples differ
    across -= across @ along * along
    across /= np.linalg.norm(across)
    points, off = np.empty((len(NOISE_SIZES), draws, 2)), np.empty((len(NOISE_SIZES), draws))
    for draw in range(draws):
        order, total, done = rng.permutation(len(rows)), 0.0, 0
        for k, size in enumerate(NOISE_SIZES):
            total, done = total + rows[order[done:size]].sum(axis=0), size
            mean = total / size
            points[k, draw] = mean @ along, mean @ across
            off[k, draw] = np.sum((mean - full) ** 2)
    spread = np.sqrt(((rows - full) ** 2).sum(axis=1).mean()) / length
    return points / length, np.sqrt(off.mean(axis=1)) / length, float(spread), len(rows)


def gradient_noise(batch_size=1, trained=0, draws=100, seed=0) -> dict:
    """Gradients of batches of 8x8 digits, drawn without putting back, in a net that has made `trained` steps.

    Returns
    -------
    points : (draws, 2) gradients of batches of this size: along the full gradient and across it, in units of its length
    downhill : share of these batches whose negative gradient leads downhill
    sizes, error : (S,), (S,) batch sizes; how far a batch's gradient is from the full one, root mean square, in units
        of the full one's length
    theory, corrected : (S,), (S,) spread / sqrt(B), and that times sqrt((N - B) / (N - 1))
    spread : how far a single example's gradient is from the full one
    here : the error at this batch size
    """
    points, error, spread, count = _batch_gradients(_checks.whole("trained", trained, 0), seed, draws)
    at = NOISE_SIZES.index(_checks.choice("batch_size", batch_size, NOISE_SIZES))
    sizes = np.array(NOISE_SIZES)
    theory = spread / np.sqrt(sizes)
    return {
        "points": points[at],
        "downhill": float((points[at][:, 0] > 0).mean()),
        "sizes": sizes,
        "error": error,
        "theory": theory,
        "corrected": theory * np.sqrt((count - sizes) / (count - 1)),
        "spread": spread,
        "here": float(error[at]),
        "batch_size": batch_size,
        "trained": trained,
        "count": count,
    }


def roughness(sizes=(4, 16, 64, 256), rate=0.1, steps=300, seed=0) -> dict:
    """How much the loss jumps from step to step, by batch size.

    Returns `{size: {"loss": (steps,), "held": (steps,), "rough": float, "rough_held": float}}`. Roughness is the root
    mean square difference of neighbouring losses in the second half, over the square root of 2: the standard deviation
    of a loss whose noise is new in every step. "held" is the loss on 500 held-out images after every step.
    """
    result = {}
    for size in sizes:
        run = fit(sgd(rate), _sizes(1), steps=steps, batch_size=size, seed=seed, every=1)
        loss, held = run["loss"][:, 0], run["held"][:, 0]
        rough, rough_held = (np.sqrt(np.mean(np.diff(a[steps // 2 :]) ** 2) / 2) for a in (loss, held))
        result[size] = {"loss": loss, "held": held, "rough": float(rough), "rough_held": float(rough_held)}
    return result


# Batch size and rate --------------------------------------------------------------------------------------------------

RULES = {"same": lambda k: 1.0, "square root": lambda k: k**0.5, "linear": lambda k: float(k)}
BASE_SIZE = 8


def scaling(rule="same", base_rate=0.05, sizes=(8, 32, 128, 512), examples=2048, epochs=4, seed=0, warm_epochs=0.0):
    """Train with several batch sizes for the same number of epochs; the rule says how the rate goes with the size.

    The rate is `base_rate` for batches of 8, and for batches of 8k that times 1, the root of k, or k.

    Returns
    -------
    `runs`: `{size: {"rate", "updates": (n,), "epochs": (n,), "held": (n,), "loss": (updates,)}}`, the loss on held-out
    images at 16 times in the training (fewer if there are fewer updates), with `rule` and `base_rate`.
    """
    return {"runs": _scaling(rule, base_rate, tuple(sizes), examples, epochs, seed, warm_epochs)} | {
        "rule": rule, "base_rate": base_rate, "examples": examples, "epochs": epochs,
    }  # fmt: skip


@shared(maxsize=32)
def _scaling(rule, base_rate, sizes, examples, epochs, seed, warm_epochs):
    factor = RULES[_checks.choice("rule", rule, RULES)]
    runs = {}
    for size in sizes:
        rate = base_rate * factor(size / BASE_SIZE)
        an_epoch = examples // size
        steps, warm = epochs * an_epoch, int(warm_epochs * an_epoch)
        plan = schedules.warmup(rate, warm, start=0.0) if warm else rate
        run = fit(
            sgd(plan), (PIXELS, 16, 10), steps=steps, batch_size=size, seed=seed, examples=examples,
            every=max(1, steps // 16),
        )  # fmt: skip
        runs[size] = {
            "rate": rate,
            "updates": run["at"],
            "epochs": run["at"] / an_epoch,
            "held": np.nan_to_num(run["held"][:, 0], nan=np.inf),
            "loss": run["loss"][:, 0],
        }
    return runs


def batch_sizes(rule="same", axis="epochs", base_rate=0.05) -> dict:
    """`scaling`, to be drawn against epochs or updates."""
    return scaling(rule, base_rate) | {"axis": _checks.choice("axis", axis, ("epochs", "updates"))}


# Schedules ------------------------------------------------------------------------------------------------------------


def plans(rate: float, steps: int) -> dict:
    """The chapter's schedules for a training of so many steps; all but one_cycle and warm-up start at `rate`."""
    return {
        "constant": schedules.constant(rate),
        "simple": schedules.inverse_time_decay(rate, 9 / steps),
        "stepwise": schedules.step_decay(rate, 0.5, steps // 6),
        "exponential": schedules.exponential_decay(rate, 0.01 ** (1 / steps)),
        "cosine": schedules.cosine(rate, steps),
        "warm-up, cosine": schedules.warmup(schedules.cosine(rate, steps - steps // 10), steps // 10),
        "one-cycle": schedules.one_cycle(rate, steps),
        "linear": schedules.linear(rate, steps),
        "warm-up, stable, decay": schedules.warmup(
            schedules.stable_decay(rate, steps - steps // 10, fall=0.3), steps // 10
        ),
    }


SCHEDULES = tuple(plans(1.0, 60))


@shared(maxsize=64)
def _all_schedules(rate, steps, batch_size, seed):
    made = list(plans(rate, steps).values())
    rule = sgd(lambda step: np.array([plan(step) for plan in made]))
    run = fit(
        rule, (PIXELS, 16, 10), steps=steps, batch_size=batch_size, seed=seed, runs=len(made), every=steps // 30
    )  # fmt: skip
    return run["at"], run["held"], np.array([[plan(step) for step in range(steps)] for plan in made])


def schedule(schedule="constant", rate=0.5, steps=600, batch_size=8, seed=0) -> dict:
    """Nine schedules in the same training: 600 updates with batches of 8 on 14x14 MNIST, 16 hidden units.

    Returns
    -------
    at : (30,) updates at which the loss on the held-out images was measured
    held : {schedule: (30,)} this loss
    rates : {schedule: (steps,)} the rate of every step
    end : {schedule: mean of the last three held-out losses}
    """
    _checks.choice("schedule", schedule, SCHEDULES)
    at, held, rates = _all_schedules(rate, steps, batch_size, seed)
    return {
        "at": at,
        "held": dict(zip(SCHEDULES, held.T, strict=True)),
        "rates": dict(zip(SCHEDULES, rates, strict=True)),
        "end": dict(zip(SCHEDULES, held[-3:].mean(axis=0), strict=True)),
        "schedule": schedule,
        "rate": rate,
    }


def best_of_each(rates=(0.1, 0.2, 0.4, 0.8, 1.6), seeds=(0, 1, 2)) -> dict:
    """Each schedule at its own best rate: `{schedule: {"rate", "loss", "losses": (len(rates),)}}`.

    Losses are on held-out images at the end, means over the seeds.
    """
    table = np.array([[list(schedule(rate=r, seed=s)["end"].values()) for r in rates] for s in seeds]).mean(axis=0)
    best = table.argmin(axis=0)
    return {
        name: {"rate": rates[at], "loss": float(losses[at]), "losses": losses}
        for name, at, losses in zip(SCHEDULES, best, table.T, strict=True)
    }


def warm_up(rate=0.6, gain=2.0, warm=60, steps=200, seed=0) -> dict:
    """Three hidden layers whose weights start at `gain` times He's, with a constant rate and with a warm-up from 0.

    Returns `{"without": (steps,), "with": (steps,)}`, losses.
    """
    slow, full = schedules.warmup(rate, warm, start=0.0), schedules.constant(rate)
    rule = sgd(lambda step: np.array([full(step), slow(step)]))
    loss = fit(rule, _sizes(3), steps=steps, batch_size=64, seed=seed, runs=2, gain=gain)["loss"]
    return {"without": loss[:, 0], "with": loss[:, 1], "rate": rate, "gain": gain}


def longest_step(gain=2.0, rate=0.6, warm=60, at=(0, 20, 40, 60), seed=0) -> dict:
    """The shortest step against the gradient that does not lower the loss, in the net of `warm_up` while it warms up.

    Returns `{updates made: rate}`. The loss is that of 1,000 images; the rates tried are 20 to a decade, from 0.01 up.
    """
    x, y, _, _ = small_mnist()
    x, y, net = x[:1000], y[:1000], mlp(_sizes(3))
    found = {}
    for steps in at:
        plan = sgd(schedules.warmup(rate, warm, start=0.0))
        params = fit(plan, _sizes(3), steps=steps, batch_size=64, seed=seed, gain=gain)["params"]
        found[steps] = _longest(net, params, x, y)
    return found


def _longest(net, params, x, y):
    scores, cache, _ = net.forward(params, {}, x, training=True)
    before, dscores = softmax_cross_entropy(scores, y)
    grads = net.backward_first(dscores, cache)
    for lr in np.geomspace(0.01, 100, 81):
        moved, _ = sgd(lr).update(params, grads, {"step": 0})
        after, _ = softmax_cross_entropy(net.forward(moved, {}, x, training=False)[0], y)
        if not after[0] < before[0]:
            break
    return float(lr)


# Range test -----------------------------------------------------------------------------------------------------------


class DoubleSequential(Sequential):
    """A `Sequential` whose params are float64 unless told otherwise: the browser and NumPy then agree for longer."""

    def init(self, rng, *, dtype=np.float64):
        """Draw the params of all layers."""
        return super().init(rng, dtype=dtype)


def range_test(optimizer="SGD", hidden_layers=1, smoothing=0.9, steps=150, seed=0) -> dict:
    """The range test on 14x14 MNIST, beside the ends of 23 short trainings at constant rates.

    Returns
    -------
    lr, loss, smooth : (steps,) rate, loss and smoothed loss of each step of the test
    steepest, lowest : the two rates that are read from it
    rates, ends : (23,), (23,) see `sweep`
    """
    x, y, _, _ = small_mnist()
    build = OPTIMIZERS[_checks.choice("optimizer", optimizer, OPTIMIZERS)]
    net = DoubleSequential(mlp(_sizes(hidden_layers)).layers)
    rng = np.random.default_rng(seed)
    test = lr_range_test(
        net, x, y, optimizer=build, rng=rng, low=1e-5, high=10.0, steps=steps, smoothing=smoothing
    )  # fmt: skip
    others = sweep(optimizer, hidden_layers, 200, 64, seed)
    return {
        "lr": test.lr,
        "loss": test.loss,
        "smooth": test.smooth,
        "steepest": test.steepest,
        "lowest": test.lowest,
        "rates": others["rates"],
        "ends": others["end"],
        "optimizer": optimizer,
        "hidden_layers": hidden_layers,
        "smoothing": smoothing,
    }


def train_at(rates, optimizer="SGD", hidden_layers=1, steps=200, batch_size=64, seed=0) -> np.ndarray:
    """(len(rates),): where short trainings at these rates end, as in `sweep`."""
    rates = np.array(rates, dtype=float)
    run = fit(
        OPTIMIZERS[optimizer](rates), _sizes(hidden_layers), steps=steps, batch_size=batch_size, seed=seed,
        runs=len(rates),
    )  # fmt: skip
    return at_the_end(run["loss"])


# Many batches as one --------------------------------------------------------------------------------------------------


def accumulated(norm=False, parts=4, batch_size=64, steps=5, rate=0.3, seed=0) -> dict:
    """The same updates twice: of whole batches, and of `parts` parts of each whose gradients are added up.

    Returns
    -------
    difference : the largest between the two networks' weights after `steps` updates
    moved : the largest change of a weight from the start, for comparison
    """
    x, y, _, _ = digits(np.float64)
    net = mlp([64, 32, 10], before=(lambda units: [BatchNorm(units)]) if norm else None)
    rng = np.random.default_rng(seed)
    first, state = net.init(rng, dtype=np.float64)
    order = rng.permutation(len(x))[: steps * batch_size]

    def ends(rule, size, count):
        batches = iter(np.split(order, count))

        def sample():
            rows = next(batches)
            return x[rows], y[rows]

        run = descend(net, first, sample, rule, steps=count, state=state)
        return np.concatenate([leaf.ravel() for leaf in trees.leaves(run.params).values()])

    whole = ends(sgd(rate), batch_size, steps)
    added = ends(accumulate(sgd(rate), every=parts), batch_size // parts, steps * parts)
    start = np.concatenate([leaf.ravel() for leaf in trees.leaves(first).values()])
    return {"difference": float(np.abs(whole - added).max()), "moved": float(np.abs(whole - start).max())}


# Averages of the weights ----------------------------------------------------------------------------------------------

DECAYS = (0.9, 0.97, 0.99, 0.995, 0.998)


@shared(maxsize=32)
def _averages(rate, steps, batch_size, seed):
    x, y, x_held, y_held = small_mnist()
    x_held, y_held = x_held[:HELD], y_held[:HELD]
    net, rng = mlp((PIXELS, 16, 10)), np.random.default_rng(seed)
    first, _ = net.init(rng, dtype=np.float64)
    rules = {decay: averaging.ema(decay) for decay in DECAYS}
    states = {decay: rule.init(first) for decay, rule in rules.items()}
    at, held = [], {name: [] for name in ("weights", *DECAYS)}

    def score(params):
        scores, _, _ = net.forward(params, {}, x_held, training=False)
        return float(softmax_cross_entropy(scores, y_held)[0])

    def watch(now):
        for decay, rule in rules.items():
            states[decay] = rule.update(states[decay], now.params)
        if now.step % (steps // 30) == 0:
            at.append(now.step)
            held["weights"].append(score(now.params))
            for decay in DECAYS:
                held[decay].append(score(states[decay]["params"]))

    descend(net, first, shuffled(x, y, batch_size, rng), sgd(rate), steps=steps, watch=watch)
    return {"at": np.array(at), "held": {name: np.array(row) for name, row in held.items()}}


def averages(decay="0.99", rate=0.4, steps=600, batch_size=8, seed=0) -> dict:
    """SGD at a constant rate, and exponential moving averages of its weights, on 14x14 MNIST with 16 hidden units.

    Returns
    -------
    at : (30,) updates at which the loss on the held-out images was measured
    weights, average : (30,) this loss of the weights themselves, and of their average
    cosine : (30,) that of the same training with a cosine schedule instead
    """
    _checks.choice("decay", decay, tuple(map(str, DECAYS)))
    run = _averages(rate, steps, batch_size, seed)
    held = _all_schedules(rate, steps, batch_size, seed)[1]
    return {
        "at": run["at"],
        "weights": run["held"]["weights"],
        "average": run["held"][float(decay)],
        "cosine": held[:, SCHEDULES.index("cosine")],
        "decay": decay,
        "rate": rate,
    }


@shared(maxsize=256)
def with_and_without_average(rate, seed, decay=0.99, images=3000, held_out=1000, steps=600, batch_size=8) -> dict:
    """One training at a constant rate, judged by its last weights and by their average.

    The seed draws the split, the start and the batches. Returns {"weights", "average"}: the losses on the images that
    are held out, and on those that are left, (2,) each.
    """
    x, y = pool(small_mnist(4000))
    rng = np.random.default_rng(seed)
    train, held, test = np.split(rng.permutation(len(x)), [images, images + held_out])
    net, rule = mlp((PIXELS, 16, 10)), averaging.ema(decay)
    first, _ = net.init(rng, dtype=np.float64)
    average = [rule.init(first)]

    def watch(now):
        average[0] = rule.update(average[0], now.params)

    run = descend(net, first, shuffled(x[train], y[train], batch_size, rng), sgd(rate), steps=steps, watch=watch)

    def scores(params):
        outs = [net.forward(params, {}, x[rows], training=False)[0] for rows in (held, test)]
        return np.array([softmax_cross_entropy(out, y[rows])[0] for out, rows in zip(outs, (held, test), strict=True)])

    return {"weights": scores(run.params), "average": scores(average[0]["params"])}


# The edge of stability ------------------------------------------------------------------------------------------------

EDGE_RATES = ("0.05", "0.1", "0.2", "0.3", "0.4")


@shared(maxsize=32)
def _edge(rate, steps, every, seed):
    x, y, _, _ = digits(np.float64)
    x, targets = x[:200], np.eye(10)[y[:200]]
    net = mlp([64, 20, 20, 10], Tanh, by_fan_in(0.5), last=by_fan_in(0.3))
    rng = np.random.default_rng(seed)
    first, _ = net.init(rng, dtype=np.float64)
    shapes = [leaf.shape for leaf in trees.leaves(first).values()]
    ends = np.cumsum([np.prod(shape) for shape in shapes])[:-1]

    def loss_and_gradient(w):
        parts = [part.reshape(shape) for part, shape in zip(np.split(w, ends), shapes, strict=True)]
        out, cache, _ = net.forward(trees.rebuilt(first, parts), {}, x, training=True)
        loss, dout = mean_squared_error(out, targets)
        grads = net.backward_first(5 * dout, cache)  # half of the squared distance: 10 scores, halved
        return 5 * loss, np.concatenate([leaf.ravel() for leaf in trees.leaves(grads).values()])

    w = np.concatenate([leaf.ravel() for leaf in trees.leaves(first).values()])
    losses, sharp, v = [], [], None
    with quiet():
        for step in range(steps):
            loss, gradient = loss_and_gradient(w)
            if not np.isfinite(loss) or loss > 1e6:
                break
            losses.append(loss)
            if step % every == 0:
                tries = 30 if v is None else 6
                found, v = curvature.sharpness(lambda u: loss_and_gradient(u)[1], w, rng, steps=tries, start=v)
                sharp.append(found)
            w = w - rate * gradient
    return {"loss": np.array(losses), "sharpness": np.array(sharp)}


def edge(rate="0.3", steps=500, every=10, seed=0) -> dict:
    """Gradient descent with all of 200 digits at a time, and the largest curvature of the loss on the way.

    A tanh net 64-20-20-10; the loss is half of the squared distance from the one-hot label.

    Returns
    -------
    loss : (steps,) of all digits
    at, sharpness : (steps // every,) where it was measured, and what it was
    limit : 2 / rate, above which a step along that direction overshoots by more than it corrects
    """
    run = _edge(float(rate), steps, every, seed)
    at = every * np.arange(len(run["sharpness"]))
    return {**run, "at": at, "limit": 2 / float(rate), "rate": float(rate)}


# Adam: warm-up, and batches -------------------------------------------------------------------------------------------

ADAM_RATES = tuple(float(rate) for rate in np.geomspace(1e-4, 0.1, 10).round(6))


def adam_warm_up(place="post-norm", warm=0, blocks=8, rates=ADAM_RATES, steps=150, seed=0) -> dict:
    """A residual net trained by Adam at several rates in one pass, with or without a warm-up of `warm` steps.

    After the warm-up the rate falls in a straight line to 0. Returns `rates` and `ends`, (len(rates),) the mean of the
    last 20 losses, infinite where training diverged.
    """
    x, y, _, _ = small_mnist(dtype=np.float32)
    net, rng = residual_mlp(place, blocks), np.random.default_rng(seed)
    first, state = net.init(rng)
    rows = np.array(rates, np.float32)

    def rate(step):
        return rows * (min(1.0, (step + 1) / warm) if warm else 1.0) * (1 - step / steps)

    sample = shuffled(x, y, 64, rng)
    run = descend(net, stack_runs([first] * len(rows)), sample, adam(rate), steps=steps, state=state)
    return {"rates": np.array(rates), "ends": at_the_end(run.loss), "warm": warm, "place": place}


def adam_best_rate(batch_size=16, rates=None, examples=4096, epochs=2, seed=0) -> dict:
    """Adam at many rates for two epochs with batches of this size; the rate falls in a straight line to 0.

    Returns `rates`, `held`: (K,) loss on 2,000 test images, and `best`: the lowest point of a parabola through the
    lowest loss and its two neighbours, over the logarithm of the rate.
    """
    rates = np.geomspace(1e-3, 0.1, 11) if rates is None else np.asarray(rates)
    x, y, x_held, y_held = small_mnist(dtype=np.float32)
    net, rng = mlp((PIXELS, 32, 10)), np.random.default_rng(seed)
    first, _ = net.init(rng)
    steps, rows = epochs * examples // batch_size, rates.astype(np.float32)
    rule = adam(lambda step: rows * (1 - step / steps))
    sample = shuffled(x[:examples], y[:examples], batch_size, rng)
    run = descend(net, stack_runs([first] * len(rates)), sample, rule, steps=steps)
    scores, _, _ = net.forward(run.params, {}, x_held, training=False)
    held = softmax_cross_entropy(scores, y_held)[0]
    k = int(np.clip(held.argmin(), 1, len(rates) - 2))
    curve = np.polyfit(np.log(rates[k - 1 : k + 2]), held[k - 1 : k + 2], 2)
    return {"rates": rates, "held": held, "best": float(np.exp(-curve[1] / (2 * curve[0])))}
