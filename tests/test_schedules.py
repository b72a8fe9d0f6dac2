"""coursekit.schedules: torch's rates, ends, and bad input."""

import inspect

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from coursekit import schedules
from coursekit.errors import DTypeError, RangeError
from coursekit.optimizers import sgd

LR = 0.3
# name: (ours, torch's scheduler of an optimizer of rate LR, steps to compare)
CASES = {
    "step_decay": (schedules.step_decay(LR, 0.7, 4), lambda o: lr_scheduler.StepLR(o, 4, 0.7), 20),
    "exponential_decay": (schedules.exponential_decay(LR, 0.93), lambda o: lr_scheduler.ExponentialLR(o, 0.93), 20),
    "cosine": (schedules.cosine(LR, 19), lambda o: lr_scheduler.CosineAnnealingLR(o, 19), 20),
    "cosine, end": (schedules.cosine(LR, 19, end=0.02), lambda o: lr_scheduler.CosineAnnealingLR(o, 19, 0.02), 20),
    "linear": (schedules.linear(LR, 19), lambda o: lr_scheduler.PolynomialLR(o, 19, power=1.0), 25),
    "linear, end": (schedules.linear(LR, 19, 0.1), lambda o: lr_scheduler.LinearLR(o, 1.0, 1 / 3, total_iters=19), 25),
    "stable_decay": (
        schedules.stable_decay(LR, 20, fall=0.25),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o, 1.0), lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=5)], [15]
        ),
        25,
    ),
    "warmup": (schedules.warmup(LR, 5), lambda o: lr_scheduler.LinearLR(o), 20),
    "warmup, then decay": (
        schedules.warmup(schedules.exponential_decay(LR, 0.9), 6, start=0.2),
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.LinearLR(o, 0.2, total_iters=6), lr_scheduler.ExponentialLR(o, 0.9)], [6]
        ),
        20,
    ),
    "one_cycle": (schedules.one_cycle(LR, 20), lambda o: lr_scheduler.OneCycleLR(o, LR, 20), 20),
    "one_cycle, odd settings": (
        schedules.one_cycle(LR, 33, rise=0.27, start_div=7.0, end_div=90.0),
        lambda o: lr_scheduler.OneCycleLR(o, LR, 33, pct_start=0.27, div_factor=7.0, final_div_factor=90.0),
        33,
    ),
    "one_cycle of 2 steps": (schedules.one_cycle(LR, 2), lambda o: lr_scheduler.OneCycleLR(o, LR, 2), 2),
    "one_cycle of 3 steps": (schedules.one_cycle(LR, 3), lambda o: lr_scheduler.OneCycleLR(o, LR, 3), 3),
}


@pytest.mark.parametrize("name", CASES)
def test_the_rates_are_those_of_torch(name):
    ours, theirs, steps = CASES[name]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = theirs(optimizer)
    for step in range(steps):
        np.testing.assert_allclose(ours(step), optimizer.param_groups[0]["lr"], rtol=1e-12, atol=1e-15)
        optimizer.step()
        if step < steps - 1:
            scheduler.step()


def test_inverse_time_decay_divides_by_one_more_each_time():
    rates = [schedules.inverse_time_decay(6.0, 1.0)(step) for step in range(4)]
    assert rates == [6, 3, 2, 1.5]
    assert schedules.inverse_time_decay(6.0, 0.0)(1000) == 6


@pytest.mark.parametrize("schedule", [schedules.cosine(LR, 10, 0.1), schedules.one_cycle(LR, 10)])
def test_after_its_end_a_schedule_stays_where_it_is(schedule):
    assert schedule(10) == schedule(11) == schedule(10**9)
    assert schedule(10) == pytest.approx(0.1 if "cosine" in repr(schedule) else LR / 25 / 1e4, rel=1e-9)


@pytest.mark.parametrize("schedule", [schedules.constant(1), *(case[0] for case in CASES.values())])
def test_a_schedule_gives_a_float_for_any_whole_step_and_can_be_typed_from_its_repr(schedule):
    rates = [schedule(step) for step in (0, np.int64(3), 10**12)]
    assert all(type(rate) is float and np.isfinite(rate) and rate >= 0 for rate in rates)
    names = dict(inspect.getmembers(schedules, inspect.isclass))
    assert eval(repr(schedule), names) == schedule


def test_a_cycle_may_begin_at_its_top():
    schedule = schedules.one_cycle(LR, 4, rise=0.25)  # a quarter of 4 steps is the first one
    assert schedule(0) == LR and schedule(1) < LR


def test_an_optimizer_follows_a_schedule():
    w, optimizer = np.array([0.0]), sgd(schedules.step_decay(1.0, 0.5, 2))
    state = optimizer.init(w)
    for _ in range(4):
        w, state = optimizer.update(w, np.array([-1.0]), state)
    assert w == 1 + 1 + 0.5 + 0.5


BAD = {
    "a negative rate": (lambda: schedules.constant(-1), RangeError, r"lr is -1, but must be a finite number in \[0"),
    "a drop of 0": (lambda: schedules.step_decay(1, 0, 5), RangeError, r"drop is 0, .* in \(0, 1\]"),
    "a drop that grows": (lambda: schedules.step_decay(1, 2, 5), RangeError, r"drop is 2, .* in \(0, 1\]"),
    "drops all the time": (lambda: schedules.step_decay(1, 0.5, 0), RangeError, "every is 0, but must be at least 1"),
    "half steps": (lambda: schedules.step_decay(1, 0.5, 2.5), DTypeError, "every is float 2.5"),
    "a rate that grows": (lambda: schedules.exponential_decay(1, 1.1), RangeError, r"rate is 1\.1, .* in \(0, 1\]"),
    "a rate of 0": (lambda: schedules.exponential_decay(1, 0), RangeError, r"^rate is 0, .* in \(0, 1\]$"),
    "a pole": (lambda: schedules.inverse_time_decay(1, -0.1), RangeError, r"rate is -0\.1"),
    "NaN": (lambda: schedules.inverse_time_decay(float("nan"), 1), RangeError, "lr is nan"),
    "no steps": (lambda: schedules.cosine(1, 0), RangeError, "steps is 0"),
    "an end below 0": (lambda: schedules.cosine(1, 5, -1), RangeError, "end is -1"),
    "a warm-up to words": (lambda: schedules.warmup("fast", 5), DTypeError, "after is str 'fast'"),
    "a warm-up to below 0": (lambda: schedules.warmup(-1, 5), RangeError, r"^after is -1, .* in \[0, inf\)$"),
    "a warm-up from below": (lambda: schedules.warmup(1, 5, -0.5), RangeError, r"^start is -0\.5, .* in \[0, 1\]$"),
    "a warm-up of no steps": (lambda: schedules.warmup(1, 0), RangeError, "steps is 0"),
    "a warm-up from above": (lambda: schedules.warmup(1, 5, 2), RangeError, r"start is 2, .* in \[0, 1\]"),
    "a cycle of 1 step": (lambda: schedules.one_cycle(1, 1), RangeError, "steps is 1, but must be at least 2"),
    "a cycle that only rises": (lambda: schedules.one_cycle(1, 9, rise=1), RangeError, r"rise is 1, .* in \(0, 1\)"),
    "a cycle that only falls": (lambda: schedules.one_cycle(1, 9, rise=0), RangeError, r"^rise is 0, .* in \(0, 1\)$"),
    "a start above the top": (lambda: schedules.one_cycle(1, 9, start_div=0.5), RangeError, r"start_div is 0\.5"),
    "an end above the start": (lambda: schedules.one_cycle(1, 9, end_div=0), RangeError, "end_div is 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_named(name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.constant,
        lambda lr: schedules.step_decay(lr, 0.5, 5),
        lambda lr: schedules.exponential_decay(lr, 0.5),
        lambda lr: schedules.inverse_time_decay(lr, 0.5),
        lambda lr: schedules.cosine(lr, 5),
        lambda lr: schedules.one_cycle(lr, 5),
    ],
)
@pytest.mark.parametrize("bad, error", [(-0.5, RangeError), (float("inf"), RangeError), ("fast", DTypeError)])
def test_a_bad_rate_is_named_by_every_schedule(schedule, bad, error):
    with pytest.raises(error, match=r"^lr is (-0\.5|inf|str 'fast'), but must be a (finite )?number( in \[0, inf\))?$"):
        schedule(bad)


def test_the_ends_of_the_settings_are_allowed():
    assert schedules.constant(0)(5) == 0
    assert schedules.step_decay(LR, 1, 1)(5) == schedules.exponential_decay(LR, 1)(5) == LR
    assert [schedules.warmup(LR, 1, start)(0) for start in (0, 1)] == [0, LR]
    flat = schedules.one_cycle(LR, 9, start_div=1, end_div=1)
    np.testing.assert_allclose([flat(step) for step in range(9)], LR, rtol=1e-15)


@pytest.mark.parametrize(
    "schedule",
    [schedules.constant(1), schedules.inverse_time_decay(1, 1), *(case[0] for case in CASES.values())],
)
def test_bad_steps_are_named(schedule):
    with pytest.raises(RangeError, match="step is -1, but must be at least 0"):
        schedule(-1)
    with pytest.raises(DTypeError, match=r"step is float 0\.5, but must be a whole number"):
        schedule(0.5)
