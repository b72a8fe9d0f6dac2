import numpy as np
import pytest
import torch

from coursekit.errors import DTypeError, LabelError, RangeError, ShapeError
from coursekit.gradcheck import gradient_check
from coursekit.initializers import zeros
from coursekit.layers import (
    GRU,
    LSTM,
    RNN,
    Dense,
    EachStep,
    Embedding,
    LastStep,
    LastSteps,
    ReLU,
    first_states,
    sequence_cross_entropy,
    step,
)
from coursekit.model import Sequential, accuracy, predict, stack_runs
from coursekit.optimizers import adam
from coursekit.training import train

CELLS = [RNN, LSTM, GRU]
LAYERS = [*(cell(3, 5) for cell in CELLS), LastStep(), LastSteps(2), EachStep(Dense(3, 5)), EachStep(ReLU())]


def drawn(layer, seed=0, dtype=np.float64):
    """Params that are nowhere 0, biases included."""
    params, state = layer.init(np.random.default_rng(seed), dtype=dtype)
    r = np.random.default_rng(seed + 1)
    return {name: p + 0.3 * r.standard_normal(p.shape).astype(dtype) for name, p in params.items()}, state


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_gradients_are_those_that_finite_differences_measure(layer):
    r = np.random.default_rng(0).standard_normal
    params, state = drawn(layer)
    x = r((2, 4, 3))
    out, cache, _ = layer.forward(params, state, x, training=True)
    dout = r(out.shape)
    dx, grads = layer.backward(dout, cache)
    assert set(grads) == set(params)

    def loss(x, params):
        return (layer.forward(params, state, x, training=True)[0] * dout).sum()

    assert (report := gradient_check(lambda a: loss(a, params), x, dx, name="dx")), report
    for name, p in params.items():
        assert (report := gradient_check(lambda a, n=name: loss(x, params | {n: a}), p, grads[name], name=name)), report


@pytest.mark.parametrize("layer", [*LAYERS, Embedding(3, 5)], ids=lambda layer: type(layer).__name__)
def test_the_run_axis_gives_what_a_loop_over_networks_gives(layer):
    nets = [drawn(layer, seed)[0] for seed in range(3)]
    stacked = stack_runs(nets) if nets[0] else {}
    r = np.random.default_rng(0)
    x = r.integers(0, 3, (3, 2, 4)) if isinstance(layer, Embedding) else r.standard_normal((3, 2, 4, 3))
    out, cache, _ = layer.forward(stacked, {}, x, training=True)
    dout = r.standard_normal(out.shape)
    dx, grads = layer.backward(dout, cache)
    for i, params in enumerate(nets):
        one, cache, _ = layer.forward(params, {}, x[i], training=True)
        np.testing.assert_allclose(out[i], one, rtol=1e-12, atol=1e-14)
        dx_one, grads_one = layer.backward(dout[i], cache)
        if dx is not None:
            np.testing.assert_allclose(dx[i], dx_one, rtol=1e-11, atol=1e-13)
        for name, g in grads_one.items():
            np.testing.assert_allclose(grads[name][i].reshape(g.shape), g, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_drawn_gate_by_gate_in_the_dtype_asked_for(cell, dtype):
    params, state = cell(6, 20).init(np.random.default_rng(0), dtype=dtype)
    assert state == {} and all(p.dtype == dtype for p in params.values())
    gates = {RNN: 1, LSTM: 4, GRU: 3}[cell]
    assert params["wx"].shape == (6, gates * 20) and params["wh"].shape == (20, gates * 20)
    for wh in np.split(params["wh"], gates, axis=1):
        np.testing.assert_allclose(wh.T @ wh, np.eye(20), atol=1e-5)
    limit = (6 / 26) ** 0.5  # Xavier of one gate, not of all
    assert 0.9 * limit < np.abs(params["wx"]).max() <= limit
    again, _ = cell(6, 20).init(np.random.default_rng(0), dtype=dtype)
    assert all((again[name] == p).all() for name, p in params.items())


def test_a_new_lstm_remembers_by_its_forget_bias():
    b = LSTM(2, 3).init(np.random.default_rng(0))[0]["b"]
    np.testing.assert_array_equal(b, [0] * 3 + [1] * 3 + [0] * 6)
    assert (LSTM(2, 3, forget_bias=0).init(np.random.default_rng(0))[0]["b"] == 0).all()
    assert (GRU(2, 3).init(np.random.default_rng(0))[0]["b"] == np.zeros(12)).all()


def test_other_initializers_can_be_given():
    params, _ = GRU(2, 3, zeros, zeros).init(np.random.default_rng(0))
    assert not params["wx"].any() and not params["wh"].any()
    assert not Embedding(4, 2, zeros).init(np.random.default_rng(0))[0]["w"].any()
    table = Embedding(100, 100).init(np.random.default_rng(0))[0]["w"]
    assert abs(table.std() - 1) < 0.02


def test_the_embedding_layer_has_no_gradient_for_its_input():
    layer = Embedding(6, 4)
    params, _ = drawn(layer)
    x = np.array([[1, 1, 5]])
    out, cache, _ = layer.forward(params, {}, x, training=True)
    np.testing.assert_array_equal(out, params["w"][x])
    dx, grads = layer.backward(np.ones((1, 3, 4)), cache)
    assert dx is None
    np.testing.assert_array_equal(grads["w"][:, 0], [0, 2, 0, 0, 0, 1])


def character_net(cell):
    return Sequential([Embedding(7, 4), cell(4, 6), cell(6, 5), EachStep(Dense(5, 7))])


@pytest.mark.parametrize("cell", CELLS)
def test_a_whole_network_is_pytorchs(cell):
    net = character_net(cell)
    params, state = net.init(np.random.default_rng(0), dtype=np.float64)
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 7, (2, 3, 8))
    out, cache, _ = net.forward(params, state, x, training=True)
    loss, dout = sequence_cross_entropy(out, y)
    grads = net.backward_first(dout, cache)

    table = torch.tensor(params["embedding_0"]["w"], requires_grad=True)
    h = torch.nn.functional.embedding(torch.from_numpy(x), table)
    name = cell.__name__.lower()
    for i, (d, hidden) in ((1, (4, 6)), (2, (6, 5))):
        p = params[f"{name}_{i}"]
        layer = getattr(torch.nn, cell.__name__)(d, hidden, batch_first=True, dtype=torch.float64)
        gates = p["wh"].shape[1]
        with torch.no_grad():
            layer.weight_ih_l0.copy_(torch.from_numpy(p["wx"].T))
            layer.weight_hh_l0.copy_(torch.from_numpy(p["wh"].T))
            layer.bias_ih_l0.copy_(torch.from_numpy(p["b"][:gates]))
            layer.bias_hh_l0.zero_()
        h, _ = layer(h)
        if i == 1:
            first = layer
    w = torch.tensor(params["eachstep_3"]["w"], requires_grad=True)
    expected = torch.nn.functional.cross_entropy((h @ w).reshape(-1, 7), torch.from_numpy(y).reshape(-1))
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    for ours, theirs in (
        (grads["embedding_0"]["w"], table.grad),
        (grads[f"{name}_1"]["wh"], first.weight_hh_l0.grad.T),
        (grads[f"{name}_1"]["wx"], first.weight_ih_l0.grad.T),
        (grads[f"{name}_2"]["wh"], layer.weight_hh_l0.grad.T),
        (grads["eachstep_3"]["w"], w.grad),
    ):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_step_by_step_is_the_whole_sequence(cell):
    net = character_net(cell)
    params, state = net.init(np.random.default_rng(0), dtype=np.float64)
    x = np.random.default_rng(1).integers(0, 7, (3, 6))
    whole, _, _ = net.forward(params, state, x, training=False)
    states = first_states(net, 3, np.float64)
    for t in range(6):
        before = [tuple(s.copy() for s in layer) for layer in states]
        out, after = step(net, params, states, x[:, t])
        for old, now in zip(before, states, strict=True):
            assert all((a == b).all() for a, b in zip(old, now, strict=True))
        np.testing.assert_allclose(out, whole[:, t], rtol=1e-11, atol=1e-13)
        states = after


def test_step_keeps_float32_and_takes_vectors():
    net = Sequential([LSTM(3, 4), EachStep(Dense(4, 2))])
    params, _ = net.init(np.random.default_rng(0))
    out, states = step(net, params, first_states(net, 2), np.ones((2, 3), np.float32))
    assert out.shape == (2, 2) and out.dtype == np.float32
    assert [len(s) for s in states] == [2, 0] and states[0][0].dtype == np.float32


def test_step_refuses_networks_that_answer_at_the_end():
    net = Sequential([RNN(3, 4), LastStep(), Dense(4, 2)])
    params, _ = net.init(np.random.default_rng(0))
    with pytest.raises(DTypeError, match="the network has a LastStep layer: it answers at the end"):
        step(net, params, first_states(net, 1), np.ones((1, 3), np.float32))


def test_last_steps_are_the_last():
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    np.testing.assert_array_equal(LastStep().forward({}, {}, x, training=True)[0], x[:, 4])
    np.testing.assert_array_equal(LastSteps(2).forward({}, {}, x, training=True)[0], x[:, 3:])
    np.testing.assert_array_equal(LastSteps(5).forward({}, {}, x, training=True)[0], x)


def test_each_step_is_the_layer_at_each_step():
    layer = EachStep(Dense(3, 4))
    params, _ = drawn(layer)
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    out, _, _ = layer.forward(params, {}, x, training=True)
    for t in range(5):
        np.testing.assert_allclose(out[:, t], Dense(3, 4).forward(params, {}, x[:, t], training=True)[0])


def test_sequence_cross_entropy_is_the_mean_over_sequences_and_steps():
    rng = np.random.default_rng(0)
    scores, labels = rng.standard_normal((3, 5, 4)), rng.integers(0, 4, (3, 5))
    loss, dscores = sequence_cross_entropy(scores, labels)
    s = torch.tensor(scores, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(s.permute(0, 2, 1), torch.from_numpy(labels))
    expected.backward()
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-13)
    np.testing.assert_allclose(dscores, s.grad.numpy(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("own_labels", [True, False])
def test_sequence_cross_entropy_with_runs_is_one_loss_a_run(own_labels):
    rng = np.random.default_rng(0)
    scores = rng.standard_normal((2, 3, 5, 4))
    labels = rng.integers(0, 4, (2, 3, 5) if own_labels else (3, 5))
    losses, dscores = sequence_cross_entropy(scores, labels)
    assert losses.shape == (2,)
    for i in range(2):
        loss, d = sequence_cross_entropy(scores[i], labels[i] if own_labels else labels)
        np.testing.assert_allclose(losses[i], loss)
        np.testing.assert_allclose(dscores[i], d)


@pytest.mark.parametrize("cell", CELLS)
def test_a_network_learns_which_symbol_stood_first(cell):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, (400, 6))
    y = x[:, 0]
    net = Sequential([Embedding(3, 4), cell(4, 12), LastStep(), Dense(12, 3)])
    history = train(net, x[:300], y[:300], optimizer=adam(0.02), epochs=15, batch_size=30, rng=rng, progress=False)
    assert accuracy(predict(net, history.params, history.state, x[300:]), y[300:]) > 0.95


def test_a_network_learns_in_step_and_is_validated():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (200, 8))
    y = np.cumsum(x, axis=1) % 2  # parity so far: needs memory
    net = Sequential([Embedding(2, 4), LSTM(4, 16), EachStep(Dense(16, 2))])
    history = train(
        net,
        x[:150],
        y[:150],
        optimizer=adam(0.03),
        epochs=40,
        batch_size=15,
        rng=rng,
        loss=sequence_cross_entropy,
        validation=(x[150:], y[150:]),
        progress=False,
    )
    first, last = history.epochs[0]["val_loss"], history.epochs[-1]["val_loss"]
    assert first > 0.5 and last < 0.05
    assert (predict(net, history.params, history.state, x[150:]).argmax(-1) == y[150:]).mean() > 0.99


ERRORS = [
    (lambda: RNN(0, 3), RangeError, "inputs is 0"),
    (lambda: GRU(3, 2.5), DTypeError, r"hidden is float 2\.5"),
    (lambda: LSTM(3, 3, forget_bias="1"), DTypeError, "forget_bias is str"),
    (lambda: Embedding(0, 3), RangeError, "symbols is 0"),
    (lambda: Embedding(3, 0), RangeError, "features is 0"),
    (lambda: LastSteps(0), RangeError, "count is 0"),
    (lambda: EachStep("dense"), DTypeError, r"layer is str 'dense', but must be a layer: EachStep\(Dense\(3, 5\)\)"),
    (lambda: RNN(2, 3).init(0), DTypeError, "rng is int 0"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS, ids=[m for *_, m in ERRORS])
def test_bad_settings_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_input_without_a_time_axis_and_wrong_gradients_are_named(layer):
    params, _ = drawn(layer)
    with pytest.raises(ShapeError, match=r"x has shape \(4, 3\), that is 2 axes"):
        layer.forward(params, {}, np.ones((4, 3)), training=True)
    _, cache, _ = layer.forward(params, {}, np.ones((4, 6, 3)), training=True)
    with pytest.raises(ShapeError, match="dout has shape"):
        layer.backward(np.ones((4, 6)), cache)


def test_a_gradient_with_sequences_and_steps_swapped_is_refused():
    for layer in (EachStep(Dense(3, 5)), EachStep(ReLU())):
        out, cache, _ = layer.forward(drawn(layer)[0], {}, np.ones((4, 6, 3)), training=True)
        with pytest.raises(ShapeError, match=r"dout has shape \(6, 4, \d\)"):
            layer.backward(out.swapaxes(0, 1), cache)


def test_other_bad_input_is_named():
    with pytest.raises(ShapeError, match=r"so T=3 steps, of which LastSteps\(4\)"):
        LastSteps(4).forward({}, {}, np.ones((2, 3, 1)), training=True)
    with pytest.raises(LabelError, match="labels contains 4"):
        sequence_cross_entropy(np.ones((2, 3, 4)), np.full((2, 3), 4))
    with pytest.raises(ShapeError, match=r"labels has shape \(3, 2\)"):
        sequence_cross_entropy(np.ones((2, 3, 4)), np.zeros((3, 2), int))
    with pytest.raises(ShapeError, match="2 axes"):
        sequence_cross_entropy(np.ones((3, 4)), np.zeros(3, int))
