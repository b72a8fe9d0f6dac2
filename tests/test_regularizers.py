"""coursekit.regularizers: dropout, penalties, max-norm, early stopping, ensembles, and bad input."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit import layers, model, optimizers
from coursekit import regularizers as reg
from coursekit.errors import DataError, DTypeError, NotFiniteError, RangeError, ShapeError
from coursekit.gradcheck import gradient_check

# ----------------------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.8])
def test_dropout_silences_the_share_it_should_and_keeps_the_mean(rate):
    x = np.full((300, 400), 3.0)
    out, _ = reg.dropout_forward(x, rate, np.random.default_rng(0), training=True)
    np.testing.assert_allclose((out == 0).mean(), rate, atol=0.005)
    np.testing.assert_allclose(out[out != 0], 3 / (1 - rate), rtol=1e-15)


def test_the_gradient_of_dropout_goes_where_the_signal_went():
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
    out, cache = reg.dropout_forward(x, 0.3, np.random.default_rng(1), training=True)
    dx = reg.dropout_backward(dout, cache)
    assert gradient_check(
        lambda x: (reg.dropout_forward(x, 0.3, np.random.default_rng(1), training=True)[0] * dout).sum(), x, dx
    )
    assert 0 < (out == 0).sum() < 20
    # With its own mask, torch's dropout has the same backward pass.
    np.testing.assert_array_equal(dx, dout * (out / x))


def test_dropout_in_use_changes_nothing_and_needs_no_generator():
    x, dout = np.ones((2, 3)), np.full((2, 3), 7.0)
    out, cache = reg.dropout_forward(x, 0.9, None, training=False)
    assert (out == 1).all() and (reg.dropout_backward(dout, cache) == 7).all()


def test_dropout_draws_anew_each_time_and_the_same_for_the_same_seed_in_every_dtype():
    rng = np.random.default_rng(0)
    x = np.ones((10, 10))
    first, second = (reg.dropout_forward(x, 0.5, rng, training=True)[0] for _ in range(2))
    assert (first != second).any()
    for dtype in (np.float16, np.float32):
        again, _ = reg.dropout_forward(x.astype(dtype), 0.5, np.random.default_rng(0), training=True)
        assert again.dtype == dtype and (again == first).all()


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4),
        elements=st.floats(-10, 10, width=16),
    ),
    st.floats(0, 0.99),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_dropout_keeps_shape_and_dtype_and_changes_nothing_given(x, rate, training):
    before = x.copy()
    out, cache = reg.dropout_forward(x, rate, np.random.default_rng(0), training=training)
    dx = reg.dropout_backward(np.ones_like(out), cache)
    assert out.shape == dx.shape == x.shape and out.dtype == dx.dtype == x.dtype
    assert (x == before).all()


def test_bad_input_of_dropout_is_named():
    x, rng = np.ones((2, 3)), np.random.default_rng(0)
    for rate in (1.0, -0.1, 2, float("nan")):
        with pytest.raises(RangeError, match=rf"rate is {rate}, but must be a finite number in \[0, 1\)"):
            reg.dropout_forward(x, rate, rng, training=True)
    with pytest.raises(DTypeError, match=r"rng is int 0, but must be a generator: rng=np\.random\.default_rng\(0\)"):
        reg.dropout_forward(x, 0.5, 0, training=True)
    with pytest.raises(DTypeError, match="training is str 'no', but must be True or False"):
        reg.dropout_forward(x, 0.5, rng, training="no")
    with pytest.raises(DTypeError, match="x is a list"):
        reg.dropout_forward([1.0], 0.5, rng, training=True)
    for training in (True, False):
        _, cache = reg.dropout_forward(x, 0.5, rng, training=training)
        with pytest.raises(ShapeError, match=r"dout has shape \(3, 2\), but the forward pass gave .*\(2, 3\)"):
            reg.dropout_backward(x.T.copy(), cache)


# --------------------------------------------------------------------------------------------------- penalties

PENALTIES = {
    "l1": (reg.l1, {}, lambda w: w.abs().sum()),
    "l2": (reg.l2, {}, lambda w: (w**2).sum() / 2),
    "elastic_net": (reg.elastic_net, {"l1_ratio": 0.3}, lambda w: 0.3 * w.abs().sum() + 0.7 * (w**2).sum() / 2),
}
each_penalty = pytest.mark.parametrize("name", PENALTIES)


def some_params(rng, dtype=np.float64):
    return {
        "dense_0": {"w": rng.standard_normal((4, 3)).astype(dtype), "b": rng.standard_normal(3).astype(dtype)},
        "dense_1": {"w": rng.standard_normal((3, 2)).astype(dtype)},
    }


@each_penalty
def test_a_penalty_and_its_gradient_are_those_of_torch(name):
    penalty, kwargs, reference = PENALTIES[name]
    params = some_params(np.random.default_rng(0))
    params["dense_0"]["w"][0, 0] = 0
    tensors = {k: {n: torch.from_numpy(a).requires_grad_() for n, a in p.items()} for k, p in params.items()}
    expected = 0.07 * sum(reference(t) for p in tensors.values() for t in p.values())
    expected.backward()
    value, grads = penalty(params, 0.07, **kwargs)
    np.testing.assert_allclose(value, expected.item(), rtol=1e-14)
    for k, p in tensors.items():
        for n, tensor in p.items():
            np.testing.assert_allclose(grads[k][n], tensor.grad.numpy(), rtol=1e-14)


@each_penalty
def test_entries_that_are_skipped_do_not_count(name):
    penalty, kwargs, _ = PENALTIES[name]
    params = some_params(np.random.default_rng(0))
    value, grads = penalty(params, 0.5, skip=("b",), **kwargs)
    without, _ = penalty({"a": params["dense_0"]["w"], "b": params["dense_1"]["w"]}, 0.5, **kwargs)
    np.testing.assert_allclose(value, without, rtol=1e-14)
    assert grads["dense_0"]["w"].all()
    np.testing.assert_array_equal(grads["dense_0"]["b"], np.zeros(3))
    assert grads["dense_0"]["b"].dtype == np.float64


@each_penalty
def test_each_run_can_have_its_own_strength(name):
    penalty, kwargs, _ = PENALTIES[name]
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal((5, 4, 3)), "b": rng.standard_normal((5, 1, 3))}
    strength = rng.uniform(0, 1, 5)
    values, grads = penalty(params, strength, **kwargs)
    assert values.shape == (5,)
    for r in range(5):
        value, alone = penalty({k: w[r] for k, w in params.items()}, strength[r], **kwargs)
        np.testing.assert_allclose(values[r], value, rtol=0, atol=1e-12)
        for k in params:
            np.testing.assert_allclose(grads[k][r], alone[k], rtol=0, atol=1e-12)


@each_penalty
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_penalty_keeps_the_dtype_and_changes_nothing_given(name, dtype):
    penalty, kwargs, _ = PENALTIES[name]
    params, before = (some_params(np.random.default_rng(0), dtype) for _ in range(2))
    for strength in (0.1, np.float64(0.1)):
        value, grads = penalty(params, strength, **kwargs)
        assert value.dtype == dtype and {g.dtype for p in grads.values() for g in p.values()} == {np.dtype(dtype)}
    assert all((params[k][n] == before[k][n]).all() for k in params for n in params[k])


def test_a_penalty_of_float16_weights_is_added_up_in_float64():
    many = np.ones(70_000, np.float16)  # their sum is larger than float16 can say
    assert reg.l1(many, 1e-3)[0] == 70 and reg.l2(many, 1e-3)[0] == 35


def test_l2_is_the_weight_decay_of_sgd_and_not_that_of_adam():
    rng = np.random.default_rng(0)
    w, g = rng.standard_normal(5), rng.standard_normal(5)

    def first_step(optimizer):
        return optimizer.update(w, g, optimizer.init(w))[0]

    def penalty(params):
        return reg.l2(params, 0.3)

    for kind in (optimizers.sgd, optimizers.momentum, optimizers.adam):
        np.testing.assert_allclose(
            first_step(reg.regularized(kind(0.1), penalty)), first_step(kind(0.1, weight_decay=0.3)), rtol=1e-14
        )
    decoupled = first_step(optimizers.adamw(0.1, weight_decay=0.3))
    assert np.abs(first_step(reg.regularized(optimizers.adam(0.1), penalty)) - decoupled).max() > 1e-3


BAD_PENALTIES = {
    "a negative strength": (lambda f: f(np.ones(2), -1), RangeError, "strength is -1, but must be a finite number"),
    "one negative strength": (lambda f: f(np.ones((2, 1)), np.array([1.0, -2.0])), RangeError, r"strength is -2\.0"),
    "a strength in words": (lambda f: f(np.ones(2), "much"), DTypeError, "strength is str 'much'"),
    "strengths in whole numbers": (lambda f: f(np.ones(2), np.ones(2, int)), DTypeError, "strength is an int64 array"),
    "strengths without runs": (
        lambda f: f({"w": np.ones((2, 3))}, np.ones(3)),
        ShapeError,
        r"^strength has shape \(3,\), but params\['w'\] has shape \(2, 3\); with one strength a run, \(R,\), every "
        r"parameter needs a run axis in front, \(R, \.\.\.\): see coursekit\.model\.stack_runs$",
    ),
    "no params": (lambda f: f({}, 1.0), ShapeError, "params is empty"),
    "whole params": (lambda f: f({"w": np.ones(2, int)}, 1.0), DTypeError, r"params\['w'\] is an int64 array"),
}


@each_penalty
@pytest.mark.parametrize("bad", BAD_PENALTIES)
def test_bad_input_of_penalties_is_named(name, bad):
    call, error, message = BAD_PENALTIES[bad]
    with pytest.raises(error, match=message):
        call(PENALTIES[name][0])


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_a_ratio_of_penalties_outside_0_and_1_is_named(ratio):
    with pytest.raises(RangeError, match=rf"l1_ratio is {ratio}"):
        reg.elastic_net(np.ones(2), 1.0, ratio)


# ----------------------------------------------------------------------------------------------------- max-norm


def test_max_norm_is_torch_renorm_of_each_unit():
    rng = np.random.default_rng(0)
    w = rng.standard_normal((6, 9)) * rng.uniform(0.1, 2, 9)
    expected = torch.renorm(torch.from_numpy(w), p=2, dim=1, maxnorm=1.5).numpy()
    new = reg.max_norm(w, 1.5)
    np.testing.assert_allclose(new, expected, rtol=1e-6)  # torch divides by the norm + 1e-7
    lengths = np.sqrt((w**2).sum(axis=0))
    assert 0 < (lengths > 1.5).sum() < 9
    np.testing.assert_allclose(np.sqrt((new**2).sum(axis=0)), np.minimum(lengths, 1.5), rtol=1e-14)
    filters = rng.standard_normal((5, 2, 3, 4))
    shortened = reg.max_norm(filters, 1.0, axis=(-3, -2, -1))
    np.testing.assert_allclose(np.sqrt((shortened**2).sum(axis=(1, 2, 3))), 1, rtol=1e-14)


def test_max_norm_leaves_biases_alone_keeps_the_dtype_and_changes_nothing_given():
    params = {"a": {"w": np.full((2, 3, 2), 5, np.float32), "b": np.full((2, 1, 2), 5, np.float32)}}
    new = reg.max_norm(params, 1.0)
    assert (new["a"]["b"] == 5).all() and new["a"]["b"] is not params["a"]["b"]
    assert new["a"]["w"].dtype == np.float32 and (params["a"]["w"] == 5).all()
    np.testing.assert_allclose(new["a"]["w"], np.sqrt(1 / 3), rtol=1e-6)
    assert not reg.max_norm(np.zeros((2, 2)), 1.0).any()
    halves = reg.max_norm(np.full((4, 1), 300, np.float16), 3.0)  # 300 squared is more than float16 can say
    assert halves.dtype == np.float16 and (halves == 1.5).all()


def test_bad_input_of_max_norm_is_named():
    with pytest.raises(RangeError, match=r"limit is 0, but must be a finite number in \(0, inf\)"):
        reg.max_norm(np.ones((2, 2)), 0)
    with pytest.raises(ShapeError, match=r"params\['w'\] has shape \(2,\), which has no axis -2; name it in skip="):
        reg.max_norm({"w": np.ones(2)}, 1.0)
    for axis in (2, -3, (0, 2), ()):
        with pytest.raises(ShapeError, match=rf"^params has shape \(2, 2\), which has no axis {re.escape(str(axis))};"):
            reg.max_norm(np.ones((2, 2)), 1.0, axis=axis)
    with pytest.raises(DTypeError, match="params is str 'w'"):
        reg.max_norm("w", 1.0)


# ------------------------------------------------------------------------------------------------- regularized


@pytest.mark.parametrize("inplace", [False, True])
def test_a_regularized_optimizer_adds_the_penalty_and_keeps_the_constraint(inplace):
    rng = np.random.default_rng(0)
    params = some_params(rng)
    grads = some_params(rng)
    plain = optimizers.momentum(0.5)
    optimizer = reg.regularized(plain, lambda p: reg.l1(p, 0.2), lambda p: reg.max_norm(p, 0.7))
    summed = {k: {n: grads[k][n] + 0.2 * np.sign(params[k][n]) for n in params[k]} for k in params}
    expected = reg.max_norm(plain.update(params, summed, plain.init(params))[0], 0.7)
    before = some_params(np.random.default_rng(0))
    new, state = optimizer.update(params, grads, optimizer.init(params), inplace=inplace)
    assert state["step"] == 1 and (new is params) == inplace
    for k in params:
        for n in params[k]:
            np.testing.assert_allclose(new[k][n], expected[k][n], rtol=1e-14)
            assert inplace or (params[k][n] == before[k][n]).all()


def test_training_uses_a_regularized_optimizer():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 5)), rng.integers(0, 3, 40)
    net = model.Sequential([layers.Dense(5, 3)])
    optimizer = reg.regularized(optimizers.sgd(0.5), constraint=lambda params: reg.max_norm(params, 0.1))
    history = model.train(net, x, y, optimizer=optimizer, epochs=2, batch_size=8, rng=rng, progress=False)
    assert (np.sqrt((history.params["dense_0"]["w"] ** 2).sum(axis=0)) < 0.1001).all()


def test_bad_parts_of_a_regularized_optimizer_are_named():
    with pytest.raises(DTypeError, match=r"optimizer is float 0\.1, but must be one such as adam"):
        reg.regularized(0.1)
    with pytest.raises(DTypeError, match=r"penalty is float 0\.1, .*penalty=lambda params: l2\(params, 1e-4\)"):
        reg.regularized(optimizers.sgd(0.1), 0.1)
    with pytest.raises(
        DTypeError, match=r"constraint is int 3, .*: constraint=lambda params: max_norm\(params, 3\.0\)$"
    ):
        reg.regularized(optimizers.sgd(0.1), None, 3)
    optimizer = reg.regularized(optimizers.sgd(0.1), lambda params: reg.l2(params["w"], 0.1))
    with pytest.raises(ShapeError, match=r"the penalty's grads must hold the same entries as params"):
        optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)}, {"step": 0})


W, LONG, WHOLE = {"w": np.ones(2)}, {"w": np.ones(3)}, {"w": np.ones(2, int)}


@pytest.mark.parametrize(
    "params, grads, penalty, constraint, message",
    [
        (WHOLE, W, reg.l2, None, r"^params\['w'\] is an int64 array"),
        (W, {}, reg.l2, None, r"^grads must hold the same entries as params: grads\['w'\] missing$"),
        (W, LONG, reg.l2, None, r"^grads\['w'\] has shape \(3,\), but params\['w'\] has shape \(2,\)"),
        (W, W, lambda p, _: (0, LONG), None, r"^the penalty's grads\['w'\] has shape .* but params\['w'\] has shape"),
        (W, W, None, lambda p: LONG, r"^the constraint's params\['w'\] has shape .* but params\['w'\] has shape"),
        (W, W, None, lambda p: {}, r"^the constraint's params must hold the same entries as params: the"),
    ],
)
def test_what_does_not_fit_in_a_regularized_update_is_named(params, grads, penalty, constraint, message):
    optimizer = reg.regularized(optimizers.sgd(0.1), penalty and (lambda p: penalty(p, 0.1)), constraint)
    with pytest.raises((ShapeError, DTypeError), match=message):
        optimizer.update(params, grads, {"step": 0})


# ----------------------------------------------------------------------------------------------- early stopping


class Recorded:
    """As much of a History as early stopping looks at."""

    def __init__(self, *values, name="val_loss"):
        self.epochs = [{name: value} for value in values]
        self.params, self.state = {"w": np.array([float(len(values))])}, {"mean": np.array([1.0])}


def stops_at(stop, values, name="val_loss"):
    for n in range(1, len(values) + 1):
        if stop(Recorded(*values[:n], name=name)):
            return n
    return None


@pytest.mark.parametrize(
    "kwargs, values, epoch, best_epoch",
    [
        ({"patience": 1}, [3, 2, 2.5, 1], 3, 2),
        ({"patience": 2}, [3, 2, 2.5, 1, 4, 4, 0], 6, 4),
        ({"patience": 2}, [3, 2, 1, 0.5], None, 4),
        ({"patience": 2}, [1, 1, 1], 3, 1),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.8, 2.6, 1], 3, 1),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.4, 2.0], None, 3),
        ({"patience": 2}, [np.nan, 2, np.nan, 1, np.nan, np.nan], 6, 4),
    ],
)
def test_training_stops_after_so_many_epochs_without_improvement(kwargs, values, epoch, best_epoch):
    stop = reg.EarlyStopping(**kwargs)
    assert stops_at(stop, values) == epoch
    assert stop.best_epoch == best_epoch and stop.best == values[best_epoch - 1]
    assert stop.best_params["w"] == best_epoch


def test_a_run_without_a_single_number_stops_as_if_its_first_epoch_had_been_the_best():
    stop = reg.EarlyStopping(2)
    assert stops_at(stop, [np.nan] * 5) == 3 and stop.best_epoch == 1


def test_larger_can_be_better():
    stop = reg.EarlyStopping(2, "val_accuracy", "max")
    assert stops_at(stop, [0.5, 0.7, 0.6, 0.7], "val_accuracy") == 4
    assert stop.best == 0.7 and stop.best_epoch == 2


def test_the_best_params_are_copies():
    history, stop = Recorded(1.0), reg.EarlyStopping()
    stop(history)
    history.params["w"][:] = 99
    history.state["mean"][:] = 99
    assert stop.best_params["w"] == 1 and stop.best_state["mean"] == 1


def test_training_stops_early_and_gives_the_reason():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 5)), rng.integers(0, 2, 60)  # noise: only the training set can be learnt
    net = model.Sequential([layers.Dense(5, 40), layers.ReLU(), layers.Dense(40, 2)])
    stop = reg.EarlyStopping(patience=4)
    history = model.train(
        net,
        x[:30],
        y[:30],
        optimizer=optimizers.adam(0.01),
        epochs=300,
        batch_size=10,
        rng=rng,
        validation=(x[30:], y[30:]),
        callbacks=(stop,),
        progress=False,
    )
    losses = history.curve("val_loss")
    assert history.epoch < 300 and history.epoch == stop.best_epoch + 4
    assert history.stopped.startswith("no better val_loss for 4 epochs; the best was")
    assert stop.best == losses.min() == losses[stop.best_epoch - 1]


def test_bad_input_of_early_stopping_is_named():
    with pytest.raises(RangeError, match="patience is 0, but must be at least 1"):
        reg.EarlyStopping(0)
    with pytest.raises(RangeError, match="mode is 'best', but must be one of 'min', 'max'"):
        reg.EarlyStopping(mode="best")
    with pytest.raises(RangeError, match="min_delta is -1"):
        reg.EarlyStopping(min_delta=-1)
    with pytest.raises(RangeError, match=r"val_accuracy is better when larger; .*mode='max'"):
        reg.EarlyStopping(monitor="val_accuracy")
    with pytest.raises(DataError, match=r"no column 'val_loss', it has loss; give train\(\.\.\., validation="):
        reg.EarlyStopping()(Recorded(1.0, name="loss"))
    recorded = Recorded(1.0, name="loss")
    recorded.epochs[0]["accuracy"] = 0.5
    with pytest.raises(DataError, match=r"^the history has no column 'score', it has loss, accuracy$"):
        reg.EarlyStopping(monitor="score", mode="min")(recorded)
    with pytest.raises(DataError, match="it has no epochs yet"):
        reg.EarlyStopping()(Recorded())
    with pytest.raises(ShapeError, match="val_loss has one number a run"):
        reg.EarlyStopping()(Recorded(np.ones(3)))


# --------------------------------------------------------------------------------------------------- ensembles


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_ensemble_is_the_mean_of_its_members(dtype):
    members = np.random.default_rng(0).uniform(0, 1, (4, 6, 3)).astype(dtype)
    for form in (members, list(members), tuple(members)):
        mean = reg.average_predictions(form)
        assert mean.dtype == dtype and mean.shape == (6, 3)
        np.testing.assert_allclose(mean, sum(members) / 4, rtol=1e-6)


def test_bad_input_of_ensembles_is_named():
    with pytest.raises(ShapeError, match="predictions is a list; expected one array a member"):
        reg.average_predictions([])
    with pytest.raises(
        ShapeError, match=r"predictions\[1\] has shape \(3, 2\), but predictions\[0\] has shape \(2, 3\)"
    ):
        reg.average_predictions([np.ones((2, 3)), np.ones((3, 2))])
    with pytest.raises(NotFiniteError, match=r"predictions\[1\] contains nan at index \(0,\)"):
        reg.average_predictions([np.ones(1), np.array([np.nan])])
    with pytest.raises(DTypeError, match=r"predictions\[0\] is an int64 array"):
        reg.average_predictions([np.ones(1, int)])
    with pytest.raises(DTypeError, match=r"^predictions\[0\] is float"):
        reg.average_predictions(np.ones(3))
    with pytest.raises(ShapeError, match="predictions is float64 array of shape"):
        reg.average_predictions(np.array(1.0))
