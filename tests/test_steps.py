"""How far a training has come is told while it trains; outside a browser nothing is."""

import numpy as np
import pytest

from coursekit import _steps, training
from coursekit.experiments import _bench
from coursekit.interactive.cells import Cell, Session
from coursekit.layers import Dense
from coursekit.model import Sequential
from coursekit.optimizers import sgd


@pytest.fixture(autouse=True)
def every_step(monkeypatch):
    monkeypatch.setattr(_steps, "OFTEN", 0.0)


@pytest.fixture
def train(monkeypatch):
    """`train` as a browser has it."""
    monkeypatch.setattr(training, "_step", _steps.counted(training._step))
    return _steps.of_training(training.train)


def settings(rng, **more):
    x, y = rng.standard_normal((50, 3)).astype(np.float32), rng.integers(0, 2, 50)
    given = {"optimizer": sgd(0.1), "epochs": 3, "batch_size": 20, "rng": np.random.default_rng(0), "progress": False}
    return (Sequential([Dense(3, 2)]), x, y), given | more


def test_train_tells_each_step_of_all_its_epochs_and_does_the_same_as_before(rng, train):
    args, keywords = settings(rng)
    heard = []
    with _steps.listening(heard.append):
        told = train(*args, **keywords)
    assert [each["done"] for each in heard] == list(range(1, 10))
    assert {each["of"] for each in heard} == {9} and {each["training"] for each in heard} == {1}
    _, keywords = settings(rng)
    np.testing.assert_array_equal(told.loss, training.train(*args, **keywords).loss)


def test_trainings_in_one_cell_are_counted_and_an_error_leaves_nothing_behind(rng, train):
    args, keywords = settings(rng)
    heard = []
    with _steps.listening(heard.append):
        train(*args, **keywords)
        with pytest.raises(Exception, match="batch_size"):
            train(*args, **keywords | {"batch_size": 0})
        with pytest.raises(ZeroDivisionError):
            train(*args, **keywords | {"callbacks": [lambda history: 1 / 0], "rng": np.random.default_rng(0)})
    assert heard[-1] == {"done": 3, "of": 9, "training": 2}
    assert not _steps._steps and not _steps._listeners


def test_the_experiments_loop_tells_its_steps(rng):
    x, y, _, _ = _bench.digits()
    net = _bench.mlp([64, 4, 10])
    heard = []
    with _steps.listening(heard.append):
        run = _steps.of_descent(_bench.descend)(
            net, net.init(rng)[0], _bench.drawn(x, y, 5, rng), sgd(0.1), steps=4, watch=lambda step: step.step == 3
        )
    assert [each["done"] for each in heard] == [1, 2, 3] and len(run.loss) == 3


def test_a_notebook_prints_a_line_for_a_training_that_takes_long(rng, train, monkeypatch, capsys):
    args, keywords = settings(rng)
    train(*args, **keywords)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(_steps, "PATIENCE", -1.0)
    train(*args, **keywords)
    printed = capsys.readouterr().out
    assert "\rtraining: step 5 of 9, 0 s" in printed and printed.endswith("trained 9 steps in 0 s   \n")
    with _steps.listening(lambda found: None):
        train(*args, **keywords)  # the page has a bar
    assert capsys.readouterr().out == ""


def test_a_cell_of_the_page_says_how_far_it_is():
    said = []
    source = "from coursekit import _steps\nwith _steps._following(5) as step:\n    for _ in range(5):\n        step()"
    Session().run([Cell("a", source)], "a", say=said.append)
    shares = [event for event in said if event["type"] == "share"]
    assert [(event["done"], event["of"]) for event in shares] == [(k, 5) for k in range(1, 6)]


def test_outside_a_browser_nothing_is_wrapped():
    assert not hasattr(training.train, "__wrapped__") and not hasattr(_bench.descend, "__wrapped__")
