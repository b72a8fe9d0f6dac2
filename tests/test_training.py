"""Training at its edges: everything refused before the first step, nothing lost, resumed to the last digit."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.errors import CourseError, DataError, DTypeError, LabelError, NotFiniteError, RangeError, ShapeError
from coursekit.layers import BatchNorm, Dense, Dropout, ReLU
from coursekit.losses import mean_squared_error, softmax_cross_entropy
from coursekit.model import Sequential, accuracy, predict, stack_runs
from coursekit.optimizers import adam, momentum, sgd
from coursekit.regularizers import EarlyStopping
from coursekit.training import History, minibatches, train

NET = Sequential([Dense(3, 5), BatchNorm(5), ReLU(), Dropout(0.3), Dense(5, 2)])
EPOCHS = 5


def examples(n=14, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 3)).astype(np.float32)
    return x, (x[:, 0] > x[:, 1]).astype(int)


X, Y = examples()
HELD = examples(7, 1)


def run(net=NET, x=X, y=Y, **changes):
    keywords = {"optimizer": adam(0.05), "epochs": EPOCHS, "batch_size": 4, "rng": np.random.default_rng(3)}
    return train(net, x, y, **keywords | {"progress": False, "validation": HELD} | changes)


def numbers(history):
    """All that a history holds, as something that == compares to the last bit."""
    parts = {name: getattr(history, name) for name in ("params", "state", "optimizer_state", "loss", "epochs", "best")}
    return repr(jsonable(parts)), history.step, history.epoch, history.stopped


def jsonable(tree):
    if isinstance(tree, dict):
        return {name: jsonable(value) for name, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [jsonable(value) for value in tree]
    return np.asarray(tree).tolist()


class Broken(Exception):
    """What a test breaks a run with."""


class Noted:
    """A callback that keeps what it saw, and breaks when it is told to."""

    def __init__(self, seen, at=None):
        self.seen, self.at = seen, at

    def __call__(self, history):
        if history.epoch == self.at:
            raise Broken
        self.seen.append((history.epoch, float(history.epochs[-1]["loss"])))


def breaking_loss(at):
    calls = []

    def loss(scores, labels):
        calls.append(1)
        if len(calls) == at:
            raise Broken
        return softmax_cross_entropy(scores, labels)

    return loss


@given(
    where=st.one_of(
        st.tuples(st.just("epochs"), st.integers(0, EPOCHS - 1)),
        st.tuples(st.just("callback"), st.integers(1, EPOCHS)),
        st.tuples(st.just("loss"), st.integers(2, 4 * EPOCHS)),
    ),
    saved=st.booleans(),
    patience=st.sampled_from([1, 2, 9]),
)
@settings(max_examples=40, deadline=None)
def test_a_run_that_was_broken_anywhere_goes_on_as_if_it_had_not_been(tmp_path_factory, where, saved, patience):
    whole_seen, seen = [], []
    whole_stop, stop = EarlyStopping(patience, min_delta=0.01), EarlyStopping(patience, min_delta=0.01)
    whole = run(callbacks=[Noted(whole_seen), whole_stop], loss=breaking_loss(None))
    kind, at = where
    try:
        part = run(
            epochs=at if kind == "epochs" else EPOCHS,
            callbacks=[Noted(seen, at if kind == "callback" else None), stop],
            loss=breaking_loss(at + 2 if kind == "loss" else None),  # two calls are the rehearsal's
        )
    except Broken as error:
        part = error.history
        assert "Broken" in part.stopped
    if saved:
        part = History.load(part.save(tmp_path_factory.mktemp("run") / "part.npz"))
        stop = EarlyStopping(patience, min_delta=0.01)  # another process knows nothing of the first
    ended = part.stopped.startswith("no better")
    resumed = part if ended else run(resume=part, callbacks=[Noted(seen), stop], loss=breaking_loss(None))
    assert numbers(resumed) == numbers(whole)
    assert seen == whole_seen
    if not (saved and ended):
        assert repr(jsonable(stop.best_params)) == repr(jsonable(whole_stop.best_params))
        assert (stop.best, stop.best_epoch) == (whole_stop.best, whole_stop.best_epoch)


def test_resume_is_copied_not_changed():
    part = run(epochs=2)
    before = numbers(part)
    run(resume=part)
    assert numbers(part) == before


def test_best_params_survive_a_resume_by_another_stopper():
    first = EarlyStopping(patience=50)
    part = run(epochs=3, callbacks=[first], optimizer=sgd(1e-9))
    other = EarlyStopping(patience=50)
    run(resume=part, epochs=4, callbacks=[other], optimizer=sgd(1e-9))
    assert other.best_epoch in (first.best_epoch, 4)
    assert other.best_params is not None


def test_without_params_of_the_best_epoch_there_are_none():
    part = run(epochs=3, optimizer=sgd(0.5))
    part.epochs[0]["val_loss"] = -1.0
    stop = EarlyStopping(patience=50)
    run(resume=part, epochs=4, callbacks=[stop], optimizer=sgd(0.5))
    assert stop.best_epoch == 1 and stop.best_params is None


def test_a_leftover_batch_weighs_as_much_as_its_examples():
    net, x, y = Sequential([Dense(3, 2)]), X[:5], Y[:5]
    history = run(net, x, y, optimizer=sgd(0.0), validation=(x, y), epochs=1)
    assert history.epochs[0]["loss"] == pytest.approx(float(history.epochs[0]["val_loss"]), rel=1e-6)


def test_a_leftover_that_batch_norm_cannot_train_on_is_refused_before_the_first_step():
    with pytest.raises(CourseError, match=r"^batch_size=4 leaves a last batch of 1 of the 9 examples") as caught:
        run(x=X[:9], y=Y[:9])
    assert caught.value.history.step == 0
    assert run(Sequential([Dense(3, 2)]), X[:9], Y[:9]).step == 15  # others take it


BAD = {
    "no model": (lambda: run(net=Sequential), DTypeError, "^model is "),
    "no optimizer": (lambda: run(optimizer=adam), DTypeError, "^optimizer is "),
    "no loss": (lambda: run(loss="mse"), DTypeError, "^loss is str 'mse', but must be a function"),
    "a list": (lambda: run(x=X.tolist()), DTypeError, r"^x is a list, but must be a NumPy array: np\.asarray\(x\)$"),
    "no targets": (lambda: run(y=None), DTypeError, "^y is NoneType None"),
    "NaN": (lambda: run(x=np.where(X == X[7, 1], np.nan, X)), NotFiniteError, r"^x contains nan at index \(7, 1\)"),
    "shape": (lambda: run(x=X[:, :2]), ShapeError, r"^validation\[0\] has shape \(7, 3\), but x has shape \(14, 2\)"),
    "width": (
        lambda: run(x=X[:, :2], validation=None),
        ShapeError,
        r"^the network does not take x, of shape \(4, 2\): w has shape \(3, 5\)",
    ),
    "a late label": (
        lambda: run(y=np.append(Y[:-1], 5)),
        LabelError,
        "^y contains 5, but with 2 classes labels run from 0 to 1",
    ),
    "a late held label": (
        lambda: run(validation=(HELD[0], np.append(HELD[1][:-1], 2))),
        LabelError,
        r"^validation\[1\] contains 2",
    ),
    "no pair": (lambda: run(validation=HELD[0]), DTypeError, "^validation is float32 array .* must be a pair"),
    "one callback": (
        lambda: run(callbacks=print),
        DTypeError,
        r"^callbacks is .* a list of functions: callbacks=\[f\]",
    ),
    "no callback": (lambda: run(callbacks=["stop"]), DTypeError, r"^callbacks\[0\] is str 'stop'"),
    "no column": (
        lambda: run(validation=None, callbacks=[EarlyStopping()]),
        DataError,
        r"^the history has no column 'val_loss', it has epoch, step, loss; give train\(\.\.\., validation=\(x, y\)\)$",
    ),
    "params": (lambda: run(params=[1]), DTypeError, "^params is a list, but must be the dict"),
    "resume": (lambda: run(resume="run.npz"), DTypeError, r"^resume is str 'run\.npz', but must be a History"),
    "another optimizer": (
        lambda: run(resume=run(epochs=1), optimizer=momentum(0.1)),
        ShapeError,
        "^resume holds the state of another optimizer than momentum",
    ),
    "another net": (
        lambda: run(Sequential([Dense(3, 5), ReLU(), Dense(5, 2)]), resume=run(epochs=1)),
        ShapeError,
        "^the params are not those of this network: it has dense_0, relu_1, dense_2, they have ",
    ),
    "run axes": (
        lambda: train_runs(callbacks=[EarlyStopping()]),
        ShapeError,
        "^val_loss has one number a run; EarlyStopping can only stop a single run$",
    ),
}


def train_runs(**changes):
    net = Sequential([Dense(3, 2)])
    params = stack_runs([net.init(np.random.default_rng(seed))[0] for seed in range(2)])
    return run(net, params=params, state={}, **changes)


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_fit_is_named_before_the_first_step(name):
    call, error, message = BAD[name]
    with pytest.raises(error, match=message) as caught:
        call()
    history = getattr(caught.value, "history", None)
    assert history is None or history.loss == [] or name.startswith("another")


def test_a_run_in_the_middle_of_an_epoch_keeps_its_batches():
    with pytest.raises(Broken) as caught:
        run(loss=breaking_loss(4))
    with pytest.raises(CourseError, match="interrupted in the middle of an epoch of 14 examples in batches of 4"):
        run(resume=caught.value.history, batch_size=5)


def test_any_error_carries_what_was_learnt():
    with pytest.raises(Broken) as caught:
        run(loss=breaking_loss(10))
    history = caught.value.history
    assert history.step == 6 == len(history.loss) and history.stopped.startswith("Broken")


def test_params_given_without_a_state_start_with_the_layers_own():
    params, state = NET.init(np.random.default_rng(0))
    one, other = run(params=params), run(params=params, state=copy.deepcopy(state))
    assert numbers(one) == numbers(other)


def test_runs_side_by_side_have_weighted_means_too():
    history = train_runs(optimizer=sgd(0.0), epochs=1, validation=(X, Y))
    np.testing.assert_allclose(history.epochs[0]["loss"], history.epochs[0]["val_loss"], rtol=1e-6)


def test_history_says_which_columns_it_has(tmp_path):
    history = run(epochs=1, validation=None)
    history = run(resume=history, epochs=2)
    with pytest.raises(DataError, match=r"^'val_loss' was not measured in epoch 1"):
        history.curve("val_loss")
    with pytest.raises(DataError, match=r"no column 'f1'; it has epoch, step, loss, val_loss, val_accuracy"):
        history.curve("f1")
    with pytest.raises(DataError, match="there is no folder"):
        history.save(tmp_path / "missing" / "run.npz")


def test_minibatches_refuse_at_once():
    with pytest.raises(DTypeError, match=r"^x is a list"):
        minibatches([1, 2], Y, 2, None)
    with pytest.raises(RangeError, match="batch_size is 0"):
        minibatches(X, Y, 0, None)


def test_predict_says_what_it_needs():
    params, state = NET.init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match=r"^x is empty"):
        predict(NET, params, state, X[:0])
    with pytest.raises(DTypeError, match=r"^x is a list"):
        predict(NET, params, state, X.tolist())
    assert 0 <= accuracy(predict(NET, params, state, X), Y) <= 1


def test_a_regression_is_rehearsed_too():
    net = Sequential([Dense(3, 1)])
    with pytest.raises(ShapeError):
        run(net, y=np.zeros((14, 2), np.float32), loss=mean_squared_error, validation=None)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_a_run_can_be_saved_whatever_its_generator(bits, tmp_path):
    whole = run(rng=np.random.Generator(bits(3)))
    half = run(rng=np.random.Generator(bits(3)), epochs=2)
    saved = History.load(half.save(tmp_path / "half"))
    assert numbers(run(rng=np.random.default_rng(9), resume=saved)) == numbers(whole)


@pytest.mark.parametrize(
    ("returned", "error", "says"),
    [
        (lambda out: 1.0, DTypeError, "loss returned float 1.0, but must return a pair"),
        (lambda out: None, DTypeError, "loss returned NoneType None, but must return a pair"),
        (lambda out: (np.ones(len(out)), out), ShapeError, "is a .mean() missing?"),
        (lambda out: (1.0, out[:, 0]), ShapeError, "the gradient that loss returned has shape"),
    ],
)
def test_a_loss_that_returns_something_else_is_named_before_the_first_step(returned, error, says):
    with pytest.raises(error) as caught:
        run(loss=lambda out, y: returned(out), validation=None)
    assert says in str(caught.value) and caught.value.history.step == 0


def test_what_belongs_to_another_network_is_named():
    history = run()
    for params in ({}, history.state):
        with pytest.raises(ShapeError, match="the params are not those of this network: it has dense_0, batchnorm_1"):
            predict(NET, params, history.state, X)
    with pytest.raises(DTypeError, match="params is NoneType None, but must be the dict that training gave"):
        predict(NET, None, history.state, X)
    with pytest.raises(ShapeError, match="state holds a, but the state of this network holds batchnorm_1"):
        run(params=history.params, state={"a": 1})


def test_a_class_in_place_of_a_callback_is_named():
    with pytest.raises(DTypeError, match=r"callbacks\[0\] is the class EarlyStopping; make one: EarlyStopping\("):
        run(callbacks=[EarlyStopping])


@pytest.mark.parametrize("path", [None, 3])
def test_what_is_no_path_is_named(path):
    for action in (run(epochs=1).save, History.load):
        with pytest.raises(DTypeError, match="must be the name of a file"):
            action(path)
