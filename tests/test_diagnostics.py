import numpy as np
import pytest

from coursekit.diagnostics import (
    RangeTest,
    activation_stats,
    confusion_matrix,
    dead_units,
    diagnose,
    gradient_norms,
    lr_range_test,
    saturation,
    update_ratio,
)
from coursekit.errors import DTypeError, LabelError, RangeError, ShapeError
from coursekit.layers import Dense, ReLU
from coursekit.model import Sequential
from coursekit.optimizers import adam, sgd
from coursekit.training import History, train

NET = Sequential([Dense(4, 30), ReLU(), Dense(30, 3)])


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300)
    x = rng.standard_normal((300, 4)).astype(np.float32)
    x[np.arange(300), y] += 2
    return x, y


def history(steps, stopped="finished", **epochs):
    rows = [dict(zip(epochs, row, strict=True)) for row in zip(*epochs.values(), strict=True)]
    return History({}, {}, {}, loss=list(steps), epochs=rows, stopped=stopped)


def names(*arguments, **keywords):
    return [finding.name for finding in diagnose(*arguments, **keywords)]


def test_activation_stats_are_those_of_each_layers_output(rng):
    params, state = NET.init(rng)
    x = rng.standard_normal((50, 4)).astype(np.float32)
    stats = activation_stats(NET, params, state, x)
    z = x @ params["dense_0"]["w"]
    assert list(stats) == ["dense_0", "relu_1", "dense_2"]
    assert stats["dense_0"]["std"] == pytest.approx(z.std(), rel=1e-5)
    assert stats["relu_1"]["zeros"] == pytest.approx((z <= 0).mean())
    assert stats["relu_1"]["mean"] == pytest.approx(np.maximum(z, 0).mean(), rel=1e-5)


def test_gradient_norms_name_nested_arrays():
    assert gradient_norms({"a": {"w": np.array([[3.0], [4.0]])}, "b": np.array([2.0])}) == {"a/w": 5.0, "b": 2.0}


def test_update_ratio_is_relative_to_the_old_weights():
    old = {"w": np.array([3.0, 4.0]), "zero": np.zeros(2)}
    assert update_ratio(old, {"w": np.array([6.0, 8.0]), "zero": np.ones(2)}) == {"w": 1.0}


def test_dead_units_are_silent_for_every_example():
    outputs = np.ones((5, 4))
    outputs[:, 1] = 0
    outputs[:4, 2] = 0
    assert dead_units(outputs) == 0.25
    runs = np.stack([outputs, np.ones((5, 4))])
    np.testing.assert_array_equal(dead_units(runs), [0.25, 0])
    maps = np.ones((5, 4, 2, 3))
    maps[:, 3] = 0
    maps[:, 0, 1] = 0
    assert dead_units(maps) == 0.25


def test_saturation_counts_both_ends():
    assert saturation(np.array([0.01, 0.5, 0.99, 0.97]), 0, 1) == 0.5


def test_the_range_test_finds_a_rate_that_trains_and_stops_where_it_diverges(blobs):
    test = lr_range_test(NET, *blobs, optimizer=sgd, rng=np.random.default_rng(1), low=1e-4, high=1e3, steps=120)
    assert test.lr[0] == pytest.approx(1e-4) and test.lr[-1] == pytest.approx(1e3)
    np.testing.assert_allclose(test.lr[1:] / test.lr[:-1], (1e7) ** (1 / 119))
    assert np.isnan(test.loss[-1])
    assert 1e-2 < test.steepest < test.lowest < 30
    settings = {"epochs": 3, "batch_size": 64, "progress": False}
    good = train(NET, *blobs, optimizer=sgd(test.steepest), rng=np.random.default_rng(2), **settings)
    slow = train(NET, *blobs, optimizer=sgd(1e-4), rng=np.random.default_rng(2), **settings)
    assert good.loss[-1] < 0.7 * slow.loss[-1]


def test_the_steepest_rate_lies_before_the_lowest_loss_even_if_the_loss_falls_faster_after_a_peak():
    rates = 10.0 ** np.arange(-5, 2.01, 0.1)
    smooth = np.interp(np.log10(rates), [-5, -3, -1, 0, 1, 2], [2.3, 2.3, 1.0, 0.8, 7.0, 2.4])
    test = RangeTest(rates, smooth, smooth)
    assert 1e-3 < test.steepest < 1e-1
    assert test.lowest == pytest.approx(1.0)


def test_a_range_test_whose_loss_never_falls_names_its_first_rate():
    rates, rising = np.array([0.1, 1.0, 10.0]), np.array([1.0, 2.0, 3.0])
    test = RangeTest(rates, rising, rising)
    assert test.steepest == test.lowest == 0.1


def test_a_good_run_has_no_findings(blobs):
    run = train(
        NET, *blobs, optimizer=adam(1e-2), epochs=40, batch_size=50, rng=np.random.default_rng(0), progress=False
    )
    assert diagnose(run, classes=3) == []


def test_each_broken_run_is_named():
    t = np.arange(200)
    falling = 0.3 + 2 * np.exp(-t / 20)
    assert names(history(falling)) == []
    assert names(history(np.full(200, np.log(10))), classes=10) == ["loss stands still"]
    assert names(history(falling[:50], stopped="diverged")) == ["diverged"]
    assert names(history([*falling[:50], np.inf])) == ["diverged"]
    assert names(history(falling + 0.01 * np.maximum(0, t - 100))) == ["loss rises"]
    assert names(history(30 * falling), classes=10)[0] == "first loss too high"
    assert names(history(3 - t / 100)) == ["still learning"]
    assert "loss jumps" in names(history(falling + 3 * (t % 5 == 0)))
    assert names(history(falling[:5])) == ["too short"]


def test_overfitting_needs_a_validation_loss_that_turned_while_training_went_on():
    t = np.arange(100)
    falling = 0.3 + 2 * np.exp(-t / 10)
    turned = history(falling, loss=[2, 1, 0.5, 0.4, 0.3], val_loss=[2, 1, 1.2, 1.5, 2])
    assert names(turned) == ["overfitting"]
    assert "epoch 2" in str(diagnose(turned)[0])
    assert names(history(falling, loss=[2, 1, 0.5, 0.4, 0.3], val_loss=[2, 1.5, 1.2, 1, 1])) == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activation_stats(NET, {}, {}, [1]), DTypeError, "x is a list"),
        (lambda: gradient_norms({"w": 3}), DTypeError, "grads is int 3, but must be a dict of arrays"),
        (lambda: update_ratio({"w": np.ones(2)}, {"b": np.ones(2)}), ShapeError, "params has w, but new_params has b"),
        (lambda: update_ratio({"w": np.ones(2)}, {"w": np.ones(3)}), ShapeError, r"new_params w has shape \(3,\)"),
        (lambda: dead_units(np.ones(3)), ShapeError, r"outputs has shape \(3,\)"),
        (lambda: saturation(np.ones(3), 1, 1), RangeError, "low must be less than high"),
        (lambda: saturation(np.ones(3), margin=-1), RangeError, "margin is -1"),
        (lambda: saturation(np.ones(0)), ShapeError, "at least one output"),
        (lambda: diagnose([1, 2]), DTypeError, "history is a list, but must be the History"),
        (lambda: diagnose(history([1.0]), classes=1), RangeError, "classes is 1, but must be at least 2"),
        (lambda: diagnose(history([np.ones(2)] * 20)), ShapeError, "has run axes"),
        (
            lambda: lr_range_test(NET, None, None, optimizer=sgd, rng=np.random.default_rng(0), low=0),
            RangeError,
            r"low is 0, but must be a finite number in \(0, inf\)",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_loss_that_ends_at_guessing_stands_still_however_it_began():
    dead = np.concatenate([np.linspace(9.0, 2.4, 30), np.full(170, np.log(10))])  # a rate too large: all units die
    assert "loss stands still" in names(history(dead), classes=10)
    assert "loss stands still" not in names(history(dead), classes=3)


def test_still_learning_is_measured_against_what_was_learnt_so_far():
    slow = np.linspace(2.3, 2.0, 200)
    done = 2.3 * np.exp(-np.arange(200) / 15)  # halves many times in the end, at a loss of nearly nothing
    assert names(history(slow), classes=10) == ["still learning"]
    assert names(history(done), classes=10) == []


def test_the_confusion_matrix_counts_pairs():
    rng = np.random.default_rng(0)
    labels, answers = rng.integers(0, 4, (2, 200))
    matrix = confusion_matrix(labels, answers, 4)
    assert matrix.shape == (4, 4)
    for i in range(4):
        for j in range(4):
            assert matrix[i, j] == ((labels == i) & (answers == j)).sum()


def test_the_confusion_matrix_refuses_what_is_no_label():
    with pytest.raises(LabelError, match="answers contains 4, but with 4 classes"):
        confusion_matrix([0, 1], [0, 4], 4)
    with pytest.raises(ShapeError, match="answers has shape"):
        confusion_matrix([0, 1], [0, 1, 2], 4)
