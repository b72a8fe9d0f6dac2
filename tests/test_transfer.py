"""Networks are cut without changing what they compute; each layer follows its own optimizer, and frozen ones stay."""

import copy

import numpy as np
import pytest

from coursekit.errors import DTypeError, RangeError, ShapeError
from coursekit.layers import BatchNorm, Conv2d, Dense, Flatten, MaxPool2d, ReLU
from coursekit.losses import softmax_cross_entropy
from coursekit.model import Sequential
from coursekit.optimizers import adam, adamw, by_layer, momentum, sgd
from coursekit.training import History, train
from coursekit.transfer import split


@pytest.fixture
def net():
    layers = [Conv2d(1, 3, (3, 2)), ReLU(), MaxPool2d(2), Flatten(), Dense(18, 5), BatchNorm(5), ReLU(), Dense(5, 4)]
    net = Sequential(layers)
    return net, *net.init(np.random.default_rng(0), dtype=np.float64)


@pytest.fixture
def batch(rng=None):
    rng = np.random.default_rng(1)
    return rng.standard_normal((6, 1, 6, 7)), rng.integers(0, 4, 6)


def gradients(net, params, state, x, y):
    scores, cache, _ = net.forward(params, state, x, training=True)
    return net.backward_first(softmax_cross_entropy(scores, y)[1], cache)


@pytest.mark.parametrize("at", range(1, 8))
def test_the_two_parts_compute_what_the_whole_computes(net, batch, at):
    model, params, state = net
    rng = np.random.default_rng(2)
    state["batchnorm_5"] = {"mean": rng.standard_normal(5), "var": rng.uniform(1, 2, 5)}
    (body, body_params, body_state), (head, head_params, head_state) = split(model, params, state, at)
    x, _ = batch
    features, _, _ = body.forward(body_params, body_state, x, training=False)
    scores, _, _ = head.forward(head_params, head_state, features, training=False)
    np.testing.assert_array_equal(scores, model.forward(params, state, x, training=False)[0])


@pytest.mark.parametrize("at", [0, 8, 9, 1.5])
def test_a_cut_leaves_a_layer_on_both_sides(net, at):
    with pytest.raises((RangeError, DTypeError), match="at is"):
        split(*net, at)


def test_only_a_sequential_can_be_cut():
    with pytest.raises(DTypeError, match="must be a Sequential"):
        split(Dense(3, 2), {}, {}, 1)


def test_each_layer_moves_by_its_own_rule(net, batch):
    model, params, state = net
    optimizer = by_layer(momentum(0.1), {"conv2d_0": None, "dense_7": sgd(0.5)})
    opt_state = optimizer.init(params)
    grads = gradients(model, params, state, *batch)
    after = params
    for _ in range(2):
        after, opt_state = optimizer.update(after, grads, opt_state)
    np.testing.assert_array_equal(after["conv2d_0"]["w"], params["conv2d_0"]["w"])
    np.testing.assert_allclose(after["dense_7"]["b"], params["dense_7"]["b"] - 2 * 0.5 * grads["dense_7"]["b"])
    # Momentum 0.9: the second step is 1.9 times as long as the first.
    np.testing.assert_allclose(after["dense_4"]["w"], params["dense_4"]["w"] - 2.9 * 0.1 * grads["dense_4"]["w"])
    assert opt_state["step"] == 2 and "conv2d_0" not in opt_state["layers"]


def test_with_one_rule_for_all_it_is_that_rule(net, batch):
    model, params, state = net
    grads = gradients(model, params, state, *batch)
    one, other = adam(0.01), by_layer(adam(0.01))
    expected, _ = one.update(params, grads, one.init(params))
    got, _ = other.update(params, grads, other.init(params))
    for name, layer in expected.items():
        for key, value in layer.items():
            np.testing.assert_array_equal(got[name][key], value)


def test_weight_decay_does_not_reach_a_frozen_layer_and_grads_may_leave_it_out(net, batch):
    model, params, state = net
    optimizer = by_layer(adamw(0.01, weight_decay=0.5), {"conv2d_0": None})
    grads = gradients(model, params, state, *batch)
    del grads["conv2d_0"]
    after, _ = optimizer.update(params, grads, optimizer.init(params))
    np.testing.assert_array_equal(after["conv2d_0"]["w"], params["conv2d_0"]["w"])
    assert np.abs(after["dense_4"]["w"] - params["dense_4"]["w"]).max() > 0


def test_the_callers_arrays_stay_unless_inplace(net, batch):
    model, params, state = net
    optimizer = by_layer(momentum(0.1), {"dense_4": None})
    opt_state, grads, before = optimizer.init(params), gradients(model, params, state, *batch), copy.deepcopy(params)
    after, _ = optimizer.update(params, grads, opt_state)
    for name, layer in before.items():
        for key, value in layer.items():
            np.testing.assert_array_equal(params[name][key], value)
    assert opt_state["step"] == 0 and opt_state["layers"]["dense_7"]["step"] == 0
    written, _ = optimizer.update(params, grads, opt_state, inplace=True)
    assert written["dense_7"]["w"] is params["dense_7"]["w"]
    np.testing.assert_array_equal(params["dense_7"]["w"], after["dense_7"]["w"])


def test_train_runs_with_it_saves_and_resumes(net, batch, tmp_path):
    model, params, state = net
    settings = {"optimizer": by_layer(momentum(0.05), {"conv2d_0": None}), "batch_size": 2, "progress": False}
    whole = train(model, *batch, epochs=4, rng=np.random.default_rng(3), params=params, state=state, **settings)
    half = train(model, *batch, epochs=2, rng=np.random.default_rng(3), params=params, state=state, **settings)
    half = History.load(half.save(tmp_path / "half.npz"))
    resumed = train(model, *batch, epochs=4, rng=np.random.default_rng(3), resume=half, **settings)
    np.testing.assert_array_equal(resumed.params["dense_7"]["w"], whole.params["dense_7"]["w"])
    np.testing.assert_array_equal(whole.params["conv2d_0"]["w"], params["conv2d_0"]["w"])
    assert not np.array_equal(whole.params["dense_7"]["w"], params["dense_7"]["w"])


def test_batch_norms_statistics_move_in_a_frozen_layer_too(net, batch):
    """What the docstring warns of."""
    model, params, state = net
    optimizer = by_layer(sgd(0.1), {"batchnorm_5": None})
    history = train(
        model, *batch, epochs=1, batch_size=3, optimizer=optimizer, rng=np.random.default_rng(0), params=params,
        state=state, progress=False,
    )  # fmt: skip
    np.testing.assert_array_equal(history.params["batchnorm_5"]["gamma"], params["batchnorm_5"]["gamma"])
    assert not np.array_equal(history.state["batchnorm_5"]["mean"], state["batchnorm_5"]["mean"])


def test_mistakes_are_named(net, batch):
    model, params, state = net
    grads = gradients(model, params, state, *batch)
    with pytest.raises(RangeError, match="no layer 'conv_0' with params; there are conv2d_0, dense_4"):
        by_layer(sgd(0.1), {"conv_0": None}).init(params)
    with pytest.raises(RangeError, match="every layer is frozen"):
        by_layer(None).init(params)
    with pytest.raises(DTypeError, match=r"the rule of dense_4 is float 0\.1"):
        by_layer(sgd(0.1), {"dense_4": 0.1})
    with pytest.raises(DTypeError, match="rules is"):
        by_layer(sgd(0.1), ["dense_4"])
    optimizer = by_layer(momentum(0.1))
    with pytest.raises(ShapeError, match=r"optimizer\.init"):
        optimizer.update(params, grads, by_layer(momentum(0.1), {"dense_4": None}).init(params))
    with pytest.raises(ShapeError, match=r"missing: \['dense_4'\]"):
        optimizer.update(params, {k: g for k, g in grads.items() if k != "dense_4"}, optimizer.init(params))
    grads["dense_7"] = {"w": grads["dense_7"]["w"].T, "b": grads["dense_7"]["b"]}
    before = copy.deepcopy(params)
    with pytest.raises(ShapeError, match="dense_7"):
        optimizer.update(params, grads, optimizer.init(params), inplace=True)
    np.testing.assert_array_equal(params["dense_4"]["w"], before["dense_4"]["w"])
