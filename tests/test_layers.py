import numpy as np
import pytest
import torch

from coursekit import layers
from coursekit.errors import DTypeError, RangeError
from coursekit.gradcheck import gradient_check
from coursekit.initializers import xavier_uniform
from coursekit.layers import (
    ELU,
    GELU,
    GLU,
    SELU,
    Dense,
    Dropout,
    LeakyReLU,
    Maxout,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)

ELEMENTWISE = {
    Sigmoid(): torch.sigmoid,
    Tanh(): torch.tanh,
    ReLU(): torch.relu,
    LeakyReLU(0.2): lambda x: torch.nn.functional.leaky_relu(x, 0.2),
    ELU(1.5): lambda x: torch.nn.functional.elu(x, 1.5),
    GELU(): torch.nn.functional.gelu,
    SELU(): torch.nn.functional.selu,
    SiLU(): torch.nn.functional.silu,
    Softplus(): torch.nn.functional.softplus,
    GLU(): lambda x: x[:, :3] * torch.nn.functional.silu(x[:, 3:]),
    GLU("sigmoid"): torch.nn.functional.glu,
    Maxout(2): lambda x: x.reshape(5, -1, 2).amax(-1),
}


@pytest.mark.parametrize("layer", ELEMENTWISE, ids=lambda layer: type(layer).__name__)
def test_elementwise_layers_equal_pytorch(layer, rng):
    x = rng.standard_normal((5, 6))
    assert layer.init(rng) == ({}, {})
    out, cache, state = layer.forward({}, {}, x, training=True)
    dout = rng.standard_normal(out.shape)
    tx = torch.from_numpy(x).requires_grad_()
    expected = ELEMENTWISE[layer](tx)
    expected.backward(torch.from_numpy(dout))
    dx, grads = layer.backward(dout, cache)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-12)
    assert (state, grads) == ({}, {})


def test_prelu_layer_learns_its_slopes_as_pytorchs_does(rng):
    layer, theirs = PReLU(3), torch.nn.PReLU(3, dtype=torch.float64)
    params, state = layer.init(rng, dtype=np.float64)
    np.testing.assert_array_equal(params["slope"], theirs.weight.detach().numpy())
    x, dout = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    out, cache, _ = layer.forward(params, state, x, training=True)
    dx, grads = layer.backward(dout, cache)
    tx = torch.from_numpy(x).requires_grad_()
    expected = theirs(tx)
    expected.backward(torch.from_numpy(dout))
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(grads["slope"], theirs.weight.grad.numpy(), rtol=1e-12)


def test_dense_draws_he_weights_and_zero_biases(rng):
    params, state = Dense(400, 300).init(rng)
    assert params["w"].std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert not params["b"].any()
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}
    assert state == {}


def test_dense_takes_another_initializer(rng):
    params, _ = Dense(400, 100, xavier_uniform).init(rng, dtype=np.float64)
    assert abs(params["w"]).max() <= (6 / 500) ** 0.5
    assert params["w"].dtype == params["b"].dtype == np.float64


def test_dense_gradients_pass_the_gradient_check(rng):
    layer = Dense(3, 2)
    params, state = layer.init(rng, dtype=np.float64)
    x, dout = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    _, cache, _ = layer.forward(params, state, x, training=True)
    dx, grads = layer.backward(dout, cache)

    def loss(x=x, **changed):
        return (layer.forward(params | changed, state, x, training=True)[0] * dout).sum()

    assert gradient_check(lambda v: loss(x=v), x, dx)
    assert gradient_check(lambda v: loss(w=v), params["w"], grads["w"])
    assert gradient_check(lambda v: loss(b=v), params["b"], grads["b"])


@pytest.mark.parametrize("runs", [(), (4,)])
def test_backward_first_gives_the_same_grads(rng, runs):
    layer = Dense(3, 2)
    params = {"w": rng.standard_normal((*runs, 3, 2)), "b": rng.standard_normal((*runs, 1, 2) if runs else 2)}
    out, cache, _ = layer.forward(params, {}, rng.standard_normal((5, 3)), training=True)
    dout = rng.standard_normal(out.shape)
    _, grads = layer.backward(dout, cache)
    first = layer.backward_first(dout, cache)
    for name in ("w", "b"):
        np.testing.assert_allclose(first[name], grads[name], rtol=1e-13)


def test_layers_hold_no_numbers():
    layer = Dense(3, 2)
    with pytest.raises(AttributeError):
        layer.inputs = 5
    assert layer == Dense(3, 2)


def test_dropout_silences_in_training_only_and_draws_from_the_given_generator(rng):
    layer, x, dout = Dropout(0.3), rng.standard_normal((40, 50)), rng.standard_normal((40, 50))
    assert layer.init(rng) == ({}, {})
    out, cache, state = layer.forward({}, {}, x, training=True, rng=np.random.default_rng(1))
    kept = out != 0
    assert kept.mean() == pytest.approx(0.7, abs=0.05)
    np.testing.assert_allclose(out, x * kept / 0.7, rtol=1e-15)
    dx, grads = layer.backward(dout, cache)
    np.testing.assert_allclose(dx, dout * kept / 0.7, rtol=1e-15)
    assert (state, grads) == ({}, {})
    again, _, _ = layer.forward({}, {}, x, training=True, rng=np.random.default_rng(1))
    assert (again == out).all()
    out, cache, _ = layer.forward({}, {}, x, training=False)
    assert (out == x).all() and (layer.backward(dout, cache)[0] == dout).all()
    with pytest.raises(DTypeError, match="rng is NoneType None, but must be a generator"):
        layer.forward({}, {}, x, training=True)
    with pytest.raises(RangeError, match=r"rate is 1, but must be a finite number in \[0, 1\)"):
        Dropout(1)


def test_bad_sizes_are_refused():
    with pytest.raises(RangeError, match="inputs is 0, but must be at least 1"):
        Dense(0, 3)
    with pytest.raises(DTypeError, match=r"outputs is float 2\.5, but must be a whole number"):
        Dense(3, 2.5)


def test_every_layer_has_the_three_methods():
    for name in layers.__all__:
        if not isinstance(getattr(layers, name), type):  # functions: sequence_cross_entropy, step
            continue
        for method in ("init", "forward", "backward", "backward_first"):
            assert callable(getattr(getattr(layers, name), method)), f"{name}.{method}"
