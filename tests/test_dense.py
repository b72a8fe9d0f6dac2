import numpy as np
import pytest
import torch

from coursekit.dense import affine_backward, affine_forward, sum_to
from coursekit.errors import DTypeError, ShapeError
from coursekit.fast import products


def draw(rng, *shapes, dtype=np.float64):
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize(("n", "d", "m"), [(1, 3, 5), (4, 1, 2), (7, 5, 3), (1, 1, 1)])
def test_forward_and_backward_equal_pytorch(rng, n, d, m):
    x, w, b, dout = draw(rng, (n, d), (d, m), (m,), (n, m))
    out, cache = affine_forward(x, w, b)
    tx, tw, tb = (torch.from_numpy(a).requires_grad_() for a in (x, w, b))
    expected = torch.nn.functional.linear(tx, tw.T, tb)
    expected.backward(torch.from_numpy(dout))
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    for ours, theirs in zip(affine_backward(dout, cache), (tx, tw, tb), strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("runs", [(), (1,), (4,), (2, 3)])
def test_without_blas_the_numbers_are_the_same(rng, monkeypatch, runs):
    x, w, b, dout = draw(rng, (6, 3), (*runs, 3, 5), (5,), (*runs, 6, 5))
    out, cache = affine_forward(x, w, b)
    gradients = affine_backward(dout, cache)
    monkeypatch.setattr(products, "HAS_BLAS", False)
    again, cache = affine_forward(x, w, b)
    np.testing.assert_allclose(again, out, rtol=1e-13)
    for ours, theirs in zip(affine_backward(dout, cache), gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_run_axis_gives_what_a_loop_gives(rng):
    x, w, b, dout = draw(rng, (4, 6, 3), (4, 3, 2), (4, 1, 2), (4, 6, 2))
    out, cache = affine_forward(x, w, b)
    dx, dw, db = affine_backward(dout, cache)
    for r in range(4):
        out_r, cache_r = affine_forward(x[r], w[r], b[r, 0])
        dx_r, dw_r, db_r = affine_backward(dout[r], cache_r)
        for together, alone in ((out[r], out_r), (dx[r], dx_r), (dw[r], dw_r), (db[r, 0], db_r)):
            np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-13)


def test_what_runs_share_gets_the_sum_of_their_gradients(rng):
    x, w, b, dout = draw(rng, (6, 3), (4, 3, 2), (2,), (4, 6, 2))
    _, cache = affine_forward(x, w, b)
    dx, dw, db = affine_backward(dout, cache)
    assert (dx.shape, dw.shape, db.shape) == (x.shape, w.shape, b.shape)
    np.testing.assert_allclose(dx, sum(dout[r] @ w[r].T for r in range(4)), rtol=1e-12)
    np.testing.assert_allclose(db, dout.sum((0, 1)), rtol=1e-12)


@pytest.mark.parametrize("runs", [(4,), (2, 3)])
@pytest.mark.parametrize("with_runs", ["x", "w", "b", "xw", "xb", "wb", "xwb"])
def test_any_of_the_arguments_may_have_run_axes(rng, with_runs, runs):
    own = {"x": (6, 3), "w": (3, 2), "b": (1, 2)}
    x, w, b = draw(rng, *((*runs, *shape) if name in with_runs else shape for name, shape in own.items()))
    b = b if "b" in with_runs else b[0]
    tx, tw, tb = (torch.from_numpy(a).requires_grad_() for a in (x, w, b))
    expected = tx @ tw + tb  # PyTorch adds up the gradients of what is shared
    out, cache = affine_forward(x, w, b)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    dout = rng.standard_normal((*runs, 6, 2))
    expected.backward(torch.from_numpy(dout))
    for ours, theirs in zip(affine_backward(dout, cache), (tx, tw, tb), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "runs", [((), (2, 4), (4,)), ((4,), (2, 1), (1, 4)), ((2, 4), (4,), (2, 1)), ((3,), (3,), ()), ((), (3,), (1,))]
)
def test_run_axes_that_only_some_have_add_up(rng, runs):
    """Where an argument has fewer run axes, or ones of length 1, PyTorch broadcasts it, and adds up its gradient."""
    x, w, b = draw(rng, *((*own, *shape) for own, shape in zip(runs, ((6, 3), (3, 2), (1, 2)), strict=True)))
    tx, tw, tb = (torch.from_numpy(a).requires_grad_() for a in (x, w, b))
    expected = tx @ tw + tb
    out, cache = affine_forward(x, w, b)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    dout = rng.standard_normal(out.shape)
    expected.backward(torch.from_numpy(dout))
    for ours, theirs in zip(affine_backward(dout, cache), (tx, tw, tb), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_in_is_dtype_out_and_inputs_stay(rng, dtype):
    arrays = draw(rng, (4, 3), (3, 2), (2,), dtype=dtype)
    before = [a.copy() for a in arrays]
    out, cache = affine_forward(*arrays)
    grads = affine_backward(out, cache)
    assert {a.dtype for a in (out, *grads)} == {np.dtype(dtype)}
    for a, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, old)


def test_a_bias_for_each_run_and_shared_inputs_broadcast(rng):
    x, w, b = draw(rng, (6, 3), (3, 2), (4, 1, 2))
    out, _ = affine_forward(x, w, b)
    np.testing.assert_allclose(out, np.stack([x @ w + b[r] for r in range(4)]), rtol=1e-13)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 3), (4, 2), (2,)), r"w has shape \(4, 2\), so D=4, but D=3 is needed"),
        (((4, 3), (3, 2), (3,)), r"b has shape \(3,\), so M=3, but M=2 is needed"),
        (((3,), (3, 2), (2,)), r"x has shape \(3,\), that is 1 axis; expected at least 2 axes"),
        (((0, 3), (3, 2), (2,)), r"axis N is empty"),
        (((4, 3), (3, 2), (4, 2)), r"with run axes a bias is \(\.\.\., 1, M\)"),
    ],
)
def test_wrong_shapes_are_refused(shapes, message):
    with pytest.raises(ShapeError, match=message):
        affine_forward(*(np.zeros(shape) for shape in shapes))


def test_wrong_types_are_refused():
    with pytest.raises(DTypeError, match="x is a list, but must be a NumPy array of floats"):
        affine_forward([[1.0]], np.zeros((1, 1)), np.zeros(1))
    with pytest.raises(DTypeError, match=r"w is an int64 array of shape \(1, 1\), but must hold floats"):
        affine_forward(np.zeros((1, 1)), np.zeros((1, 1), int), np.zeros(1))


def test_a_wrong_upstream_gradient_is_refused():
    _, cache = affine_forward(np.zeros((4, 3)), np.zeros((3, 2)), np.zeros(2))
    with pytest.raises(ShapeError, match=r"dout has shape \(4, 3\), but the forward pass gave .* \(4, 2\)"):
        affine_backward(np.zeros((4, 3)), cache)


def test_sum_to_undoes_broadcasting():
    assert sum_to(np.ones((5, 4, 3)), (4, 1)).tolist() == [[15.0]] * 4
    assert [sum_to(np.ones((2, n)), (1,)).tolist() for n in (1, 2, 3)] == [[2.0], [4.0], [6.0]]
