"""Attention against PyTorch, and the layer that looks back."""

import numpy as np
import pytest
import torch

from coursekit.attention import attention_backward, attention_forward
from coursekit.errors import DTypeError, ShapeError
from coursekit.gradcheck import gradient_check
from coursekit.layers import LookBack
from coursekit.model import stack_runs


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_attention_equals_pytorchs(shape):
    rng = np.random.default_rng(0)
    arrays = [2 * rng.normal(size=(*shape, rows, width)) for rows, width in ((4, 3), (5, 3), (5, 6))]
    tensors = [torch.from_numpy(a).requires_grad_() for a in arrays]
    expected = torch.nn.functional.scaled_dot_product_attention(*tensors)
    dout = rng.normal(size=expected.shape)
    expected.backward(torch.from_numpy(dout))
    out, cache = attention_forward(*arrays)
    np.testing.assert_allclose(out, expected.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cache[0].sum(axis=-1), 1)
    for ours, tensor in zip(attention_backward(dout, cache), tensors, strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_what_does_not_fit_is_refused():
    q, k, v = np.ones((4, 3)), np.ones((5, 3)), np.ones((5, 6))
    for arrays in ((q, k[:, :2], v), (q, k, v[:4]), (q[0], k, v)):
        with pytest.raises(ShapeError, match="queries as wide as keys"):
            attention_forward(*arrays)
    with pytest.raises(DTypeError, match="q"):
        attention_forward(q.astype(int), k, v)
    with pytest.raises(ShapeError, match="T=3 steps, of which the last 3 cannot look back"):
        LookBack(3, 2, 2).forward({}, {}, np.ones((1, 3, 2)), training=True)


@pytest.mark.parametrize("name", ["x", "wq", "wk"])
def test_the_layers_gradients_are_the_measured_ones(name):
    layer, rng = LookBack(2, 4, 3), np.random.default_rng(1)
    values = layer.init(rng, dtype=np.float64)[0] | {"x": rng.normal(size=(2, 5, 4))}
    dout = rng.normal(size=(2, 2, 8))

    def loss(changed):
        now = values | {name: changed}
        return (layer.forward(now, {}, now["x"], training=True)[0] * dout).sum()

    _, cache, _ = layer.forward(values, {}, values["x"], training=True)
    dx, grads = layer.backward(dout, cache)
    assert gradient_check(loss, values[name], (grads | {"x": dx})[name])


def test_the_layer_with_run_axes_is_a_loop():
    layer, rng = LookBack(2, 4, 3), np.random.default_rng(2)
    nets = [layer.init(np.random.default_rng(seed), dtype=np.float64)[0] for seed in range(3)]
    x = rng.normal(size=(3, 6, 5, 4))
    out, cache, _ = layer.forward(stack_runs(nets), {}, x, training=True)
    dout = rng.normal(size=out.shape)
    dx, grads = layer.backward(dout, cache)
    for run, params in enumerate(nets):
        one, one_cache, _ = layer.forward(params, {}, x[run], training=True)
        one_dx, one_grads = layer.backward(dout[run], one_cache)
        np.testing.assert_allclose(out[run], one)
        np.testing.assert_allclose(dx[run], one_dx)
        for key, g in one_grads.items():
            np.testing.assert_allclose(grads[key][run], g)
