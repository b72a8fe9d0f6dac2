"""coursekit.activations: torch's numbers, measured gradients, extreme inputs, dtypes, and bad input."""

import math
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursekit import activations as act
from coursekit._erf import erf
from coursekit.errors import DTypeError, NotFiniteError, RangeError, ShapeError
from coursekit.gradcheck import gradient_check


def torch_maxout(x, pieces):
    return x.reshape(*x.shape[:-1], -1, pieces).max(dim=-1).values


def torch_glu(x, gate):
    value, gates = x.chunk(2, dim=-1)
    return value * gate(gates)


# name: (forward, backward, settings, the same in torch)
CASES = {
    "sigmoid": (act.sigmoid_forward, act.sigmoid_backward, {}, torch.sigmoid),
    "tanh": (act.tanh_forward, act.tanh_backward, {}, torch.tanh),
    "relu": (act.relu_forward, act.relu_backward, {}, torch.relu),
    "relu6": (act.relu6_forward, act.relu6_backward, {}, F.relu6),
    "leaky_relu": (act.leaky_relu_forward, act.leaky_relu_backward, {}, F.leaky_relu),
    "leaky_relu, slope 0.3": (
        act.leaky_relu_forward,
        act.leaky_relu_backward,
        {"slope": 0.3},
        lambda x: F.leaky_relu(x, 0.3),
    ),
    "elu": (act.elu_forward, act.elu_backward, {}, F.elu),
    "elu, alpha 0.7": (act.elu_forward, act.elu_backward, {"alpha": 0.7}, lambda x: F.elu(x, 0.7)),
    "selu": (act.selu_forward, act.selu_backward, {}, F.selu),
    "maxout, 2 pieces": (act.maxout_forward, act.maxout_backward, {"pieces": 2}, lambda x: torch_maxout(x, 2)),
    "maxout, 3 pieces": (act.maxout_forward, act.maxout_backward, {"pieces": 3}, lambda x: torch_maxout(x, 3)),
    "gelu": (act.gelu_forward, act.gelu_backward, {}, F.gelu),
    "silu": (act.silu_forward, act.silu_backward, {}, F.silu),
    "softplus": (act.softplus_forward, act.softplus_backward, {}, lambda x: F.softplus(x, threshold=1000)),
    "glu, sigmoid": (act.glu_forward, act.glu_backward, {"gate": "sigmoid"}, F.glu),
    "glu, silu": (act.glu_forward, act.glu_backward, {}, lambda x: torch_glu(x, F.silu)),
    "glu, gelu": (act.glu_forward, act.glu_backward, {"gate": "gelu"}, lambda x: torch_glu(x, F.gelu)),
}
each = pytest.mark.parametrize("name", CASES)


@each
@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 4, 12)])
def test_output_and_gradient_are_those_of_torch(name, shape):
    forward, backward, kwargs, reference = CASES[name]
    rng = np.random.default_rng(0)
    x = 3 * rng.standard_normal(shape)
    x.flat[0] = 0  # the kink of the ReLU family
    out, cache = forward(x, **kwargs)
    tensor = torch.from_numpy(x).requires_grad_()
    expected = reference(tensor)
    dout = rng.standard_normal(out.shape)
    expected.backward(torch.from_numpy(dout))
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(backward(dout, cache), tensor.grad.numpy(), rtol=1e-13, atol=1e-15)


@each
def test_the_gradient_is_the_measured_one(name):
    forward, backward, kwargs, _ = CASES[name]
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 6))
    out, cache = forward(x, **kwargs)
    dout = rng.standard_normal(out.shape)
    assert gradient_check(lambda x: (forward(x, **kwargs)[0] * dout).sum(), x, backward(dout, cache), eps=1e-6)


@each
@given(
    x=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=3).map(lambda shape: (*shape[:-1], 6 * shape[-1])),
        elements=st.floats(-60000, 60000, width=16),
    )
)
@settings(max_examples=40, deadline=None)
def test_any_shape_and_dtype_comes_back_and_nothing_given_is_changed(name, x):
    forward, backward, kwargs, _ = CASES[name]
    x = x.clip(-200, 200) if kwargs.get("gate") or name == "glu, silu" else x  # a square must fit into float16
    before = x.copy()
    out, cache = forward(x, **kwargs)
    dout = np.ones_like(out)
    dx = backward(dout, cache)
    dx_again = backward(dout, cache)
    assert out.dtype == dx.dtype == x.dtype and dx.shape == x.shape
    assert np.isfinite(out).all() and np.isfinite(dx).all()
    assert (x == before).all() and (dout == 1).all() and (dx == dx_again).all()


@each
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_largest_numbers_of_a_dtype_neither_warn_nor_become_nan(name, dtype):
    forward, backward, kwargs, _ = CASES[name]
    big = np.finfo(dtype).max * dtype(0.95 if name == "selu" else 1)  # SELU's slope is 1.05
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, cache = forward(np.array([-big, -1, 0, 0, 1, big], dtype), **kwargs)
        dx = backward(np.ones_like(out), cache)
    assert np.isfinite(out).all() and np.isfinite(dx).all()


@each
def test_nan_passes_through_and_stays_where_it_is(name):
    forward, _, kwargs, _ = CASES[name]
    x = np.arange(-6.0, 6.0)
    expected = forward(x, **kwargs)[0]
    x[3] = np.nan
    out = forward(x, **kwargs)[0]
    at = 3 // kwargs.get("pieces", 1)
    assert np.isnan(out[at])
    np.testing.assert_array_equal(np.delete(out, at), np.delete(expected, at))


@each
def test_memory_order_does_not_matter(name):
    forward, backward, kwargs, _ = CASES[name]
    x = np.random.default_rng(0).standard_normal((4, 6))
    turned = np.asfortranarray(x)
    out, cache = forward(x, **kwargs)
    out_turned, cache_turned = forward(turned, **kwargs)
    np.testing.assert_array_equal(out, out_turned)
    np.testing.assert_array_equal(backward(out, cache), backward(np.asfortranarray(out), cache_turned))


@each
def test_a_gradient_of_another_shape_is_refused(name):
    forward, backward, kwargs, _ = CASES[name]
    out, cache = forward(np.ones((4, 6)), **kwargs)
    with pytest.raises(ShapeError, match=r"dout has shape \(1, .*, but the forward pass gave an output of shape \(4, "):
        backward(out[:1], cache)


@each
@pytest.mark.parametrize(
    "bad, message", [([1.0], "x is a list"), (np.arange(6), "x is an int64 array"), (1.0, "x is float")]
)
def test_what_is_no_float_array_is_refused(name, bad, message):
    forward, _, kwargs, _ = CASES[name]
    with pytest.raises(DTypeError, match=message):
        forward(bad, **kwargs)


def test_sigmoid_keeps_the_digits_of_small_values():
    np.testing.assert_allclose(act.sigmoid_forward(np.array([-700.0]))[0], np.exp(-700.0), rtol=1e-12)


def test_where_pieces_tie_the_first_one_gets_the_gradient():
    _, cache = act.maxout_forward(np.array([2.0, 2.0, 2.0, 1.0, 5.0, 5.0]), pieces=3)
    np.testing.assert_array_equal(act.maxout_backward(np.array([7.0, 9.0]), cache), [7, 0, 0, 0, 9, 0])


def test_the_ends_of_the_settings_are_allowed():
    x = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(act.leaky_relu_forward(x, 1)[0], x)
    for forward in (act.leaky_relu_forward, act.elu_forward):
        np.testing.assert_array_equal(forward(x, 0)[0], [0, 0, 3])
    np.testing.assert_array_equal(act.maxout_forward(x, 1)[0], x)


@pytest.mark.parametrize("pieces", [4, 5, 12])
def test_maxout_refuses_groups_that_do_not_come_out_even(pieces):
    message = (
        rf"^x has shape \(2, 6\), but maxout with pieces={pieces} needs x \(\.\.\., D \* {pieces}\): "
        rf"a last axis that is a multiple of {pieces}$"
    )
    with pytest.raises(ShapeError, match=message):
        act.maxout_forward(np.ones((2, 6)), pieces)


@pytest.mark.parametrize("shape", [(), (2, 0)])
def test_maxout_refuses_arrays_without_anything_to_compare(shape):
    with pytest.raises(ShapeError, match="maxout with pieces=2 needs"):
        act.maxout_forward(np.ones(shape), 2)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: act.leaky_relu_forward(x, slope=-0.1), RangeError, r"slope is -0\.1, .* in \[0, 1\]"),
        (lambda x: act.leaky_relu_forward(x, slope=1.1), RangeError, r"^slope is 1\.1, .* in \[0, 1\]$"),
        (lambda x: act.leaky_relu_forward(x, slope=np.nan), RangeError, "slope is nan"),
        (lambda x: act.elu_forward(x, alpha=-1), RangeError, r"^alpha is -1, .* in \[0, inf\)$"),
        (lambda x: act.elu_forward(x, alpha="1"), DTypeError, "alpha is str '1', but must be a number"),
        (lambda x: act.maxout_forward(x, 0), RangeError, "pieces is 0, but must be at least 1"),
        (lambda x: act.maxout_forward(x, 2.0), DTypeError, "pieces is float 2.0, but must be a whole number"),
    ],
)
def test_bad_settings_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(np.ones(4))


@pytest.mark.parametrize("shape", [(1, 7), (2, 6)])
def test_a_gated_unit_needs_as_many_gates_as_values(shape):
    call = act.glu_forward
    if shape[-1] % 2:
        with pytest.raises(ShapeError, match=r"x has shape \(1, 7\), but a gated unit needs x \(\.\.\., 2 D\)"):
            call(np.ones(shape))
    else:
        assert call(np.ones(shape))[0].shape == (2, 3)
    with pytest.raises(RangeError, match="gate is 'relu', but must be one of 'sigmoid', 'gelu', 'silu'"):
        call(np.ones(shape), gate="relu")


# ------------------------------------------------------------------------------------------------------- PReLU


@pytest.mark.parametrize("slopes", [(5,), (1,)])
def test_prelu_is_that_of_torch_with_the_gradient_of_its_slope(slopes):
    rng = np.random.default_rng(0)
    x, slope, dout = rng.standard_normal((7, 5)), rng.standard_normal(slopes), rng.standard_normal((7, 5))
    x[0, 0] = 0
    out, cache = act.prelu_forward(x, slope)
    dx, dslope = act.prelu_backward(dout, cache)
    tensor, learnt = torch.from_numpy(x).requires_grad_(), torch.from_numpy(slope).requires_grad_()
    expected = F.prelu(tensor, learnt)
    expected.backward(torch.from_numpy(dout))
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-13)
    np.testing.assert_allclose(dx, tensor.grad.numpy(), rtol=1e-13)
    np.testing.assert_allclose(dslope, learnt.grad.numpy(), rtol=1e-13)


def test_prelu_takes_runs_keeps_its_dtype_and_names_slopes_that_do_not_fit():
    rng = np.random.default_rng(1)
    x, slope = rng.standard_normal((3, 4, 5)).astype(np.float32), rng.random((3, 1, 5)).astype(np.float32)
    out, cache = act.prelu_forward(x, slope)
    dx, dslope = act.prelu_backward(np.ones_like(out), cache)
    assert out.dtype == dx.dtype == dslope.dtype == np.float32 and dslope.shape == slope.shape
    alone, cache = act.prelu_forward(x[1], slope[1, 0])
    np.testing.assert_allclose(out[1], alone)
    np.testing.assert_allclose(dslope[1, 0], act.prelu_backward(np.ones_like(alone), cache)[1], rtol=1e-6)
    for bad in (np.ones(4), np.ones((4, 5))):
        with pytest.raises(ShapeError, match=r"expected one slope a unit, \(5,\), or \(1,\)"):
            act.prelu_forward(np.ones((4, 5)), bad)


# ----------------------------------------------------------------------------------------------------- softmax


@pytest.mark.parametrize("shape", [(5,), (4, 7), (2, 3, 1)])
def test_softmax_and_its_logarithm_are_those_of_torch(shape):
    x = 5 * np.random.default_rng(0).standard_normal(shape)
    tensor = torch.from_numpy(x)
    np.testing.assert_allclose(act.softmax(x), torch.softmax(tensor, -1).numpy(), rtol=1e-13)
    np.testing.assert_allclose(act.log_softmax(x), torch.log_softmax(tensor, -1).numpy(), rtol=1e-13, atol=1e-15)


@given(
    hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=5),
        elements=st.floats(-60000, 60000, width=16),
    )
)
@settings(max_examples=100, deadline=None)
def test_softmax_rows_are_probabilities_for_any_finite_scores(x):
    before = x.copy()
    p, log_p = act.softmax(x), act.log_softmax(x)
    assert p.dtype == log_p.dtype == x.dtype and (x == before).all()
    assert (p >= 0).all() and (log_p <= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1, dtype=np.float64), 1, atol=4 * np.finfo(x.dtype).eps)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_softmax_of_the_largest_numbers_does_not_warn(dtype):
    big = np.finfo(dtype).max
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(act.softmax(np.array([big, -big, big], dtype)), [0.5, 0, 0.5])
        assert act.log_softmax(np.array([big, -big], dtype))[0] == 0


DIVERGED = r"^x contains nan at index \(0, 1\); .* when training diverges$"


@pytest.mark.parametrize("function", [act.softmax, act.log_softmax])
def test_softmax_refuses_what_has_no_probabilities(function):
    with pytest.raises(NotFiniteError, match=DIVERGED):
        function(np.array([[0.0, np.nan]]))
    with pytest.raises(NotFiniteError, match="x contains inf"):
        function(np.array([0.0, np.inf]))
    with pytest.raises(
        ShapeError, match=r"^x has shape \(\); softmax needs scores along the last axis, x \(\.\.\., C\)$"
    ):
        function(np.array(1.0))
    with pytest.raises(ShapeError, match=r"x has shape \(3, 0\)"):
        function(np.ones((3, 0)))
    with pytest.raises(DTypeError, match="x is an int64 array"):
        function(np.arange(3))


# --------------------------------------------------------------------------------------------------------- erf


def test_erf_is_that_of_math_to_1e_15():
    edges = [0.0, -0.0, 1e-300, 0.46875, np.nextafter(0.46875, 1), 4.0, 5.9, 6.0, 27.0, 1e300, np.inf, -np.inf]
    x = np.concatenate([np.linspace(-7, 7, 20001), edges])
    expected = np.array([math.erf(v) for v in x])
    assert np.abs(erf(x) - expected).max() <= 1e-15
    np.testing.assert_allclose(erf(x), expected, rtol=1e-15)
    assert np.isnan(erf(np.array([np.nan]))).all() and np.signbit(erf(np.array([-0.0]))).all()


@pytest.mark.parametrize("dtype, tolerance", [(np.float16, 5e-4), (np.float32, 3e-7)])
def test_erf_keeps_the_dtype(dtype, tolerance):
    x = np.linspace(-7, 7, 2001).astype(dtype)
    assert erf(x).dtype == dtype
    np.testing.assert_allclose(erf(x), [math.erf(v) for v in x], rtol=0, atol=tolerance)
