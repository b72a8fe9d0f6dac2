"""The fast forms give what the plain forms give, and run only where they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import dense, losses, training
from coursekit import optimizers as opt
from coursekit.fast import dense as fast_dense
from coursekit.fast import losses as fast_losses
from coursekit.layers import Dense, ReLU
from coursekit.model import Sequential

RULES = {
    "sgd": opt.sgd(0.1, weight_decay=0.03),
    "momentum": opt.momentum(0.1, decay=0.8, weight_decay=0.03),
    "adam": opt.adam(0.1, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.03),
    "adamw": opt.adamw(0.1, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.3),
}


def test_every_fast_rule_is_compared_below():
    assert {step.__qualname__.split(".")[0] for step in opt._IN_PLACE} == set(RULES)


@pytest.mark.parametrize("name", RULES)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([1, 7, 40_000]), scale=st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=15, deadline=None)
def test_an_update_in_place_goes_where_the_shown_rule_goes(name, seed, size, scale):
    rule, rng = RULES[name], np.random.default_rng(seed)
    w = rng.standard_normal(size)
    here, there = {"w": w.copy()}, {"w": w.copy()}
    state, other = rule.init(here), rule.init(there)
    for _ in range(5):
        grads = {"w": scale * rng.standard_normal(size)}
        here, state = rule.update(here, grads, state)
        there, other = rule.update(there, grads, other, inplace=True)
    np.testing.assert_allclose(there["w"], here["w"], rtol=1e-11, atol=1e-13)
    for slot in rule.slots:
        np.testing.assert_allclose(other[slot]["w"], state[slot]["w"], rtol=1e-10, atol=1e-16 * scale)


@pytest.mark.parametrize("name", RULES)
def test_an_ordinary_update_runs_the_shown_step_and_a_replaced_step_runs_everywhere(name, monkeypatch):
    rule = RULES[name]

    def step(self, w, g, lr, t, *slots):
        return (w + 1.0, *slots)

    monkeypatch.setattr(type(rule), "step", step)
    for inplace in (False, True):
        w = np.zeros(3)
        w, _ = rule.update(w, np.ones(3), rule.init(w), inplace=inplace)
        np.testing.assert_array_equal(w, np.ones(3))


@given(
    seed=st.integers(0, 2**32 - 1),
    runs=st.sampled_from([(), (3,), (2, 1)]),
    n=st.integers(1, 9),
    classes=st.integers(1, 7),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(max_examples=80, deadline=None)
def test_the_fast_cross_entropy_is_the_plain_one_to_the_last_bit(seed, runs, n, classes, scale, dtype):
    rng = np.random.default_rng(seed)
    scores = (scale * rng.standard_normal((*runs, n, classes))).astype(dtype)
    labels = rng.integers(0, classes, n)
    plain, fast = (f(scores, labels) for f in (losses.softmax_cross_entropy, fast_losses.softmax_cross_entropy))
    for one, other in zip(plain, fast, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_training_replaces_the_loss_by_its_fast_form_and_leaves_others_alone(monkeypatch):
    assert fast_losses.form_of(losses.softmax_cross_entropy) is fast_losses.softmax_cross_entropy
    assert fast_losses.form_of(losses.huber) is losses.huber
    calls = []

    def counted(scores, labels):
        calls.append(1)
        return losses.softmax_cross_entropy(scores, labels)

    monkeypatch.setitem(fast_losses._FORMS, losses.softmax_cross_entropy, counted)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((10, 3)).astype(np.float32), rng.integers(0, 2, 10)
    training.train(
        Sequential([Dense(3, 2)]), x, y, optimizer=opt.sgd(0.1), epochs=1, batch_size=5, rng=rng, progress=False
    )
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("x", "w", "b"), [((4, 3), (3, 2), (2,)), ((4, 3), (7, 3, 2), (7, 1, 2)), ((7, 4, 3), (3, 2), (2,))]
)
def test_gradients_of_the_params_alone_are_those_of_the_whole_backward_pass(x, w, b):
    rng = np.random.default_rng(1)
    out, cache = dense.affine_forward(*(rng.standard_normal(shape) for shape in (x, w, b)))
    dout = rng.standard_normal(out.shape)
    _, *plain = dense.affine_backward(dout, cache)
    for one, other in zip(plain, fast_dense.affine_backward_params(dout, cache), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_network_without_the_gradient_of_its_input_has_the_same_grads():
    net, rng = Sequential([Dense(5, 4), ReLU(), Dense(4, 3)]), np.random.default_rng(2)
    params, state = net.init(rng)
    out, cache, _ = net.forward(params, state, rng.standard_normal((6, 5)).astype(np.float32), training=True)
    _, grads = net.backward(np.ones_like(out), cache)
    alone = net.backward_first(np.ones_like(out), cache)
    assert [*grads] == [*alone] == ["dense_0", "dense_2"]
    for name, layer in grads.items():
        for key, g in layer.items():
            np.testing.assert_array_equal(alone[name][key], g)
