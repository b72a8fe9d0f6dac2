"""Batch, layer and local response normalization against PyTorch, finite differences and a loop over runs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import normalization as norm
from coursekit.errors import DTypeError, RangeError, ShapeError
from coursekit.gradcheck import numerical_gradient

F = torch.nn.functional


def close(ours, theirs, tolerance=1e-12):
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max() <= tolerance * max(1.0, np.abs(theirs).max())


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array)).requires_grad_()


def problem(rng, shape, features):
    x = rng.normal(2.0, 3.0, shape)
    gamma, beta = rng.normal(1.0, 0.5, features), rng.normal(size=features)
    running = {"mean": rng.normal(size=features), "var": rng.uniform(0.5, 2.0, features)}
    return x, gamma, beta, running


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("momentum, eps", [(0.1, 1e-5), (0.37, 1e-2)])
@pytest.mark.parametrize(
    "shape, kind", [((7, 5), "1d"), ((2, 3), "1d"), ((5, 3, 4, 6), "2d"), ((1, 2, 3, 1), "2d"), ((2, 1, 1, 1), "2d")]
)
def test_batch_norm_agrees_with_pytorch(shape, kind, momentum, eps, training):
    rng = np.random.default_rng(1)
    x, gamma, beta, running = problem(rng, shape, shape[1])
    forward, backward = {
        "1d": (norm.batch_norm_forward, norm.batch_norm_backward),
        "2d": (norm.batch_norm2d_forward, norm.batch_norm2d_backward),
    }[kind]
    out, cache, new = forward(x, gamma, beta, running, training=training, momentum=momentum, eps=eps)
    dout = rng.normal(size=out.shape)
    dx, dgamma, dbeta = backward(dout, cache)

    tx, tg, tb = tensor(x), tensor(gamma), tensor(beta)
    mean, var = torch.tensor(running["mean"]), torch.tensor(running["var"])
    expected = F.batch_norm(tx, mean, var, tg, tb, training, momentum, eps)
    expected.backward(torch.from_numpy(dout))
    close(out, expected)
    close(dx, tx.grad)
    close(dgamma, tg.grad)
    close(dbeta, tb.grad)
    close(new["mean"], mean)
    close(new["var"], var)


@pytest.mark.parametrize(
    "forward, theirs, shape",
    [
        (norm.batch_norm_forward, torch.nn.BatchNorm1d, (6, 4)),
        (norm.batch_norm2d_forward, torch.nn.BatchNorm2d, (6, 4, 2, 3)),
    ],
)
def test_batch_norm_uses_pytorchs_defaults(forward, theirs, shape):
    x = np.random.default_rng(2).normal(1.0, 1e-3, shape)  # a variance so small that eps shows
    layer = theirs(4).double()
    running = {"mean": np.zeros(4), "var": np.ones(4)}
    out, _, running = forward(x, np.ones(4), np.zeros(4), running, training=True)
    close(out, layer(torch.from_numpy(x)))
    close(running["mean"], layer.running_mean)
    close(running["var"], layer.running_var)


@pytest.mark.parametrize("momentum", [0, 1])
def test_a_momentum_of_0_keeps_the_running_statistics_and_one_of_1_forgets_them(momentum):
    x, gamma, beta, running = problem(np.random.default_rng(2), (6, 4), 4)
    _, _, new = norm.batch_norm_forward(x, gamma, beta, running, training=True, momentum=momentum)
    close(new["mean"], x.mean(axis=0) if momentum else running["mean"])
    close(new["var"], x.var(axis=0, ddof=1) if momentum else running["var"])


@pytest.mark.parametrize(
    "forward, shape", [(norm.batch_norm_forward, (4, 3)), (norm.batch_norm2d_forward, (4, 3, 2, 2))]
)
def test_a_running_variance_may_be_0(forward, shape):
    running = {"mean": np.zeros(3), "var": np.zeros(3)}
    out, _, _ = forward(np.ones(shape), np.ones(3), np.zeros(3), running, training=False, eps=0.25)
    close(out, np.full(shape, 2.0))  # 1 / sqrt(0.25)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("two_d", [False, True])
def test_batch_norm_gradients_match_finite_differences(two_d, training):
    rng = np.random.default_rng(3)
    x, gamma, beta, running = problem(rng, (3, 2, 2, 3) if two_d else (4, 3), 2 if two_d else 3)
    forward = norm.batch_norm2d_forward if two_d else norm.batch_norm_forward
    backward = norm.batch_norm2d_backward if two_d else norm.batch_norm_backward
    out, cache, _ = forward(x, gamma, beta, running, training=training)
    dout = rng.normal(size=out.shape)

    def loss(x, gamma, beta):
        return (forward(x, gamma, beta, running, training=training)[0] * dout).sum()

    dx, dgamma, dbeta = backward(dout, cache)
    close(dx, numerical_gradient(lambda a: loss(a, gamma, beta), x), 1e-7)
    close(dgamma, numerical_gradient(lambda a: loss(x, a, beta), gamma), 1e-7)
    close(dbeta, numerical_gradient(lambda a: loss(x, gamma, a), beta), 1e-7)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("own", [(4, 3), (3, 3, 2, 4)])
def test_batch_norm_with_run_axes_is_a_loop_over_runs(own, training):
    rng = np.random.default_rng(4)
    forward = norm.batch_norm_forward if len(own) == 2 else norm.batch_norm2d_forward
    backward = norm.batch_norm_backward if len(own) == 2 else norm.batch_norm2d_backward
    x, gamma, beta, running = problem(rng, (2, 5, *own), (2, 5, 1, 3))
    out, cache, new = forward(x, gamma, beta, running, training=training, momentum=0.3)
    dout = rng.normal(size=out.shape)
    gradients = backward(dout, cache)
    assert new["mean"].shape == new["var"].shape == (2, 5, 1, 3)
    for run in np.ndindex(2, 5):
        one = {name: value[run][0] for name, value in running.items()}
        expected, one_cache, one_new = forward(
            x[run], gamma[run][0], beta[run][0], one, training=training, momentum=0.3
        )
        close(out[run], expected)
        for ours, theirs in zip(gradients, backward(dout[run], one_cache), strict=True):
            close(ours[run].reshape(theirs.shape), theirs)
        for name in new:
            close(new[name][run][0], one_new[name])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("own", [(4, 3), (3, 3, 2, 4)])
def test_what_runs_of_batch_norm_share_gets_the_sum_of_their_gradients(own, training):
    rng = np.random.default_rng(5)
    forward = norm.batch_norm_forward if len(own) == 2 else norm.batch_norm2d_forward
    backward = norm.batch_norm_backward if len(own) == 2 else norm.batch_norm2d_backward
    x, _, beta, running = problem(rng, own, 3)
    gamma = rng.normal(size=(5, 1, 3))
    out, cache, new = forward(x, gamma, beta, running, training=training)
    assert out.shape == (5, *own) and new["mean"].shape == (3,)
    dout = rng.normal(size=out.shape)
    dx, dgamma, dbeta = backward(dout, cache)
    parts = []
    for run in range(5):
        expected, one_cache, _ = forward(x, gamma[run, 0], beta, running, training=training)
        close(out[run], expected)
        parts.append(backward(dout[run], one_cache))
    close(dx, sum(p[0] for p in parts))
    close(dgamma, np.stack([p[1] for p in parts])[:, None])
    close(dbeta, sum(p[2] for p in parts))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("own", [(4, 3), (3, 3, 2, 4)])
def test_scale_and_shift_may_be_rows(own, training):
    rng = np.random.default_rng(8)
    forward = norm.batch_norm_forward if len(own) == 2 else norm.batch_norm2d_forward
    x, gamma, beta, running = problem(rng, own, (1, 3))
    out, _, new = forward(x, gamma, beta, running, training=training)
    one = {name: value[0] for name, value in running.items()}
    expected, _, one_new = forward(x, gamma[0], beta[0], one, training=training)
    close(out, expected)
    for name in new:
        close(new[name], one_new[name][None])


@pytest.mark.parametrize("own", [(4, 3), (4, 3, 2, 2)])
def test_runs_that_share_their_running_statistics_get_their_own(own):
    rng = np.random.default_rng(6)
    forward = norm.batch_norm_forward if len(own) == 2 else norm.batch_norm2d_forward
    x = rng.normal(size=(5, *own))
    running = {"mean": np.zeros(3), "var": np.ones(3)}
    out, _, new = forward(x, np.ones(3), np.zeros(3), running, training=True)
    assert out.shape == x.shape and new["mean"].shape == new["var"].shape == (5, 1, 3)
    for run in range(5):
        close(new["mean"][run, 0], 0.1 * x[run].mean(axis=(0, *range(2, len(own)))))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("own", [(4, 3), (3, 3, 2, 4)])
def test_runs_may_share_their_inputs_alone(own, training):
    rng = np.random.default_rng(7)
    forward = norm.batch_norm_forward if len(own) == 2 else norm.batch_norm2d_forward
    x, gamma, beta, running = problem(rng, own, (5, 1, 3))
    out, _, new = forward(x, gamma, beta, running, training=training)
    for run in range(5):
        one = {name: value[run, 0] for name, value in running.items()}
        expected, _, one_new = forward(x, gamma[run, 0], beta[run, 0], one, training=training)
        close(out[run], expected)
        for name in new:
            close(new[name][run, 0], one_new[name])


def test_layer_norm_uses_pytorchs_eps():
    x = np.random.default_rng(7).normal(1.0, 1e-3, (4, 3))
    out, _ = norm.layer_norm_forward(x, np.ones(3), np.zeros(3))
    close(out, torch.nn.LayerNorm(3).double()(torch.from_numpy(x)))


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (1, 2), (4,), (2, 1, 3, 6)])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layer_norm_agrees_with_pytorch(shape, eps):
    rng = np.random.default_rng(7)
    x, gamma, beta, _ = problem(rng, shape, shape[-1])
    out, cache = norm.layer_norm_forward(x, gamma, beta, eps)
    dout = rng.normal(size=out.shape)
    dx, dgamma, dbeta = norm.layer_norm_backward(dout, cache)
    tx, tg, tb = tensor(x), tensor(gamma), tensor(beta)
    expected = F.layer_norm(tx, shape[-1:], tg, tb, eps)
    expected.backward(torch.from_numpy(dout))
    close(out, expected)
    close(dx, tx.grad)
    close(dgamma, tg.grad)
    close(dbeta, tb.grad)


def test_layer_norm_gradients_match_finite_differences():
    rng = np.random.default_rng(8)
    x, gamma, beta, _ = problem(rng, (3, 4), 4)
    _, cache = norm.layer_norm_forward(x, gamma, beta)
    dout = rng.normal(size=(3, 4))
    dx, dgamma, dbeta = norm.layer_norm_backward(dout, cache)

    def loss(x, gamma, beta):
        return (norm.layer_norm_forward(x, gamma, beta)[0] * dout).sum()

    close(dx, numerical_gradient(lambda a: loss(a, gamma, beta), x), 1e-7)
    close(dgamma, numerical_gradient(lambda a: loss(x, a, beta), gamma), 1e-7)
    close(dbeta, numerical_gradient(lambda a: loss(x, gamma, a), beta), 1e-7)


def test_layer_norm_with_run_axes_is_a_loop_over_runs():
    rng = np.random.default_rng(9)
    x, gamma, beta = rng.normal(size=(4, 3)), rng.normal(size=(5, 1, 3)), rng.normal(size=(5, 1, 3))
    out, cache = norm.layer_norm_forward(x, gamma, beta)
    dout = rng.normal(size=(5, 4, 3))
    dx, dgamma, dbeta = norm.layer_norm_backward(dout, cache)
    total = 0
    for run in range(5):
        expected, one_cache = norm.layer_norm_forward(x, gamma[run, 0], beta[run, 0])
        one_dx, one_dgamma, one_dbeta = norm.layer_norm_backward(dout[run], one_cache)
        close(out[run], expected)
        close(dgamma[run, 0], one_dgamma)
        close(dbeta[run, 0], one_dbeta)
        total = total + one_dx
    close(dx, total)


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (1, 2), (4,)])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_rms_norm_agrees_with_pytorch(shape, eps):
    rng = np.random.default_rng(7)
    x, gamma, _, _ = problem(rng, shape, shape[-1])
    out, cache = norm.rms_norm_forward(x, gamma, eps)
    dout = rng.normal(size=out.shape)
    dx, dgamma = norm.rms_norm_backward(dout, cache)
    tx, tg = tensor(x), tensor(gamma)
    expected = F.rms_norm(tx, shape[-1:], tg, eps)
    expected.backward(torch.from_numpy(dout))
    close(out, expected)
    close(dx, tx.grad)
    close(dgamma, tg.grad)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_group_norm_agrees_with_pytorch(groups):
    rng = np.random.default_rng(8)
    x, gamma, beta, _ = problem(rng, (4, 6, 3, 2), 6)
    out, cache = norm.group_norm_forward(x, gamma, beta, groups, 0.1)
    dout = rng.normal(size=out.shape)
    dx, dgamma, dbeta = norm.group_norm_backward(dout, cache)
    tx, tg, tb = tensor(x), tensor(gamma), tensor(beta)
    expected = F.group_norm(tx, groups, tg, tb, 0.1)
    expected.backward(torch.from_numpy(dout))
    close(out, expected)
    close(dx, tx.grad)
    close(dgamma, tg.grad)
    close(dbeta, tb.grad)


def test_rms_norm_and_group_norm_with_run_axes_are_loops_over_runs():
    rng = np.random.default_rng(9)
    x, gamma, dout = rng.normal(size=(4, 3)), rng.normal(size=(5, 1, 3)), rng.normal(size=(5, 4, 3))
    images, wide = rng.normal(size=(4, 3, 2, 2)), rng.normal(size=(5, 4, 3, 2, 2))
    out, cache = norm.rms_norm_forward(x, gamma)
    grads = norm.rms_norm_backward(dout, cache)
    grouped, grouped_cache = norm.group_norm_forward(images, gamma, gamma, 3)
    grouped_grads = norm.group_norm_backward(wide, grouped_cache)
    totals = [0, 0]
    for run in range(5):
        expected, one = norm.rms_norm_forward(x, gamma[run, 0])
        dx, dgamma = norm.rms_norm_backward(dout[run], one)
        close(out[run], expected)
        close(grads[1][run, 0], dgamma)
        expected, one = norm.group_norm_forward(images, gamma[run, 0], gamma[run, 0], 3)
        dimages, dg, db = norm.group_norm_backward(wide[run], one)
        close(grouped[run], expected)
        close(grouped_grads[1][run, 0], dg)
        close(grouped_grads[2][run, 0], db)
        totals = [totals[0] + dx, totals[1] + dimages]
    close(grads[0], totals[0])
    close(grouped_grads[0], totals[1])


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: norm.rms_norm_forward(np.ones((2, 3)), np.ones(2)), ShapeError, "D=3 is needed"),
        (lambda: norm.rms_norm_forward(np.ones((2, 3)), np.ones((4, 3))), ShapeError, "do not fit"),
        (
            lambda: norm.group_norm_forward(np.ones((2, 6, 1, 1)), np.ones(6), np.ones(6), 4),
            ShapeError,
            "4 equal groups",
        ),
        (lambda: norm.rms_norm_forward(np.ones((2, 3), int), np.ones(3)), DTypeError, "must hold floats"),
    ],
)
def test_bad_input_to_the_newer_norms(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("shape", [(2, 7, 3, 4), (1, 3, 2, 1), (3, 1, 2, 2), (2, 3, 6, 2, 2)])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 12])
def test_local_response_norm_agrees_with_pytorch_whose_alpha_is_divided_by_size(shape, size):
    rng = np.random.default_rng(10)
    x, dout = rng.normal(size=shape), rng.normal(size=shape)
    out, cache = norm.local_response_norm_forward(x, size, alpha=0.3, beta=0.6, k=1.5)
    dx = norm.local_response_norm_backward(dout, cache)
    tx = tensor(x.reshape(-1, *shape[-3:]))
    expected = F.local_response_norm(tx, size, alpha=0.3 * size, beta=0.6, k=1.5)
    expected.backward(torch.from_numpy(dout.reshape(-1, *shape[-3:])))
    close(out, expected.reshape(shape))
    close(dx, tx.grad.reshape(shape))


def test_local_response_norm_has_the_constants_of_the_alexnet_paper():
    x = np.random.default_rng(11).normal(0, 30, (2, 8, 3, 3))
    out, _ = norm.local_response_norm_forward(x)
    for c in range(8):
        window = x[:, max(0, c - 2) : min(7, c + 2) + 1]
        close(out[:, c], x[:, c] / (2 + 1e-4 * (window**2).sum(axis=1)) ** 0.75)


def test_local_response_norm_gradient_matches_finite_differences():
    rng = np.random.default_rng(12)
    x, dout = rng.normal(size=(1, 5, 2, 3)), rng.normal(size=(1, 5, 2, 3))
    _, cache = norm.local_response_norm_forward(x, 4, 0.5, 0.75, 0.6)
    expected = numerical_gradient(lambda a: (norm.local_response_norm_forward(a, 4, 0.5, 0.75, 0.6)[0] * dout).sum(), x)
    close(norm.local_response_norm_backward(dout, cache), expected, 1e-7)


@settings(max_examples=30, deadline=None)
@given(
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.integers(2, 5),
    c=st.integers(1, 4),
    h=st.integers(1, 3),
    training=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_dtype_that_comes_in_goes_out_and_inputs_are_never_changed(dtype, n, c, h, training, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, c, h, 2)).astype(dtype)
    gamma, beta = rng.normal(size=c).astype(dtype), rng.normal(size=c).astype(dtype)
    running = {"mean": np.zeros(c), "var": np.ones(c)}  # float64, as np.zeros gives it
    wide = (rng.normal(size=2).astype(dtype), rng.normal(size=2).astype(dtype))
    kept = [a.copy() for a in (x, gamma, beta, running["mean"], running["var"], *wide)]
    for images, forward, backward in (
        (x, norm.batch_norm2d_forward, norm.batch_norm2d_backward),
        (x[:, :, 0, 0], norm.batch_norm_forward, norm.batch_norm_backward),
    ):
        out, cache, new = forward(images, gamma, beta, running, training=training)
        dout = rng.normal(size=out.shape).astype(dtype)
        before = dout.copy()
        dx, dgamma, dbeta = backward(dout, cache)
        assert {a.dtype for a in (out, dx, dgamma, dbeta)} == {np.dtype(dtype)}
        assert new["mean"].dtype == new["var"].dtype == np.float64
        assert np.array_equal(dout, before)
        _, _, new = forward(images, gamma, beta, {k: v.astype(dtype) for k, v in running.items()}, training=True)
        assert new["mean"].dtype == new["var"].dtype == dtype
    out, cache = norm.layer_norm_forward(x, *wide)
    assert {a.dtype for a in (out, *norm.layer_norm_backward(x, cache))} == {np.dtype(dtype)}
    out, cache = norm.local_response_norm_forward(x)
    assert out.dtype == norm.local_response_norm_backward(x, cache).dtype == dtype
    for array, copy in zip((x, gamma, beta, running["mean"], running["var"], *wide), kept, strict=True):
        assert np.array_equal(array, copy)


def stats(d):
    return {"mean": np.zeros(d), "var": np.ones(d)}


NO_VARIANCE = (
    "^the batch has one value per feature, which has no variance: batch norm in training needs at least 2; "
    "use a larger batch, or training=False to use the running statistics$"
)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda f, f2: f(np.ones((1, 3)), np.ones(3), np.ones(3), stats(3), training=True), ShapeError, NO_VARIANCE),
        (
            lambda f, f2: f2(np.ones((1, 3, 1, 1)), np.ones(3), np.ones(3), stats(3), training=True),
            ShapeError,
            NO_VARIANCE,
        ),
        (lambda f, f2: f(np.ones((0, 3)), np.ones(3), np.ones(3), stats(3), training=True), ShapeError, "empty"),
        (
            lambda f, f2: f2(np.ones((0, 3, 2, 2)), np.ones(3), np.ones(3), stats(3), training=False),
            ShapeError,
            "empty",
        ),
        (lambda f, f2: f(np.ones(3), np.ones(3), np.ones(3), stats(3), training=True), ShapeError, "2 axes"),
        (
            lambda f, f2: f(np.ones((4, 3)), np.ones(4), np.ones(3), stats(3), training=True),
            ShapeError,
            "D=3 is needed",
        ),
        (lambda f, f2: f2(np.ones((4, 3, 2, 2)), np.ones(2), np.ones(3), stats(3), training=True), ShapeError, "C=3"),
        (lambda f, f2: f(np.ones((4, 3)), np.ones((5, 3)), np.ones(3), stats(3), training=True), ShapeError, "1, 3"),
        (lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), stats(2), training=True), ShapeError, "mean"),
        (lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), None, training=True), DTypeError, "np.zeros"),
        (
            lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), {"mean": np.ones(3)}, training=True),
            DTypeError,
            r"keys \['mean'\]",
        ),
        (
            lambda f, f2: f(
                np.ones((4, 3)), np.ones(3), np.ones(3), {"mean": np.ones(3), "var": -np.ones(3)}, training=False
            ),
            RangeError,
            "variance",
        ),
        (
            lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), stats(3), training=True, momentum=1.5),
            RangeError,
            "momentum is 1.5",
        ),
        (
            lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), stats(3), training=True, eps=-1),
            RangeError,
            "^eps is -1,",
        ),
        (
            lambda f, f2: f2(np.ones((4, 3, 2, 2)), np.ones(3), np.ones(3), stats(3), training=True, momentum=-0.1),
            RangeError,
            r"^momentum is -0\.1, but must be a finite number in \[0, 1\]$",
        ),
        (
            lambda f, f2: f(np.ones((4, 3)), np.ones(3), np.ones(3), [0.0, 1.0], training=True),
            DTypeError,
            r'^running is a list, but must be .*: try running = \{"mean": np\.zeros\(3\), "var": np\.ones\(3\)\}$',
        ),
        (
            lambda f, f2: f(np.ones((4, 3), int), np.ones(3), np.ones(3), stats(3), training=True),
            DTypeError,
            "must hold floats",
        ),
        (
            lambda f, f2: f(np.ones((2, 4, 3)), np.ones((5, 1, 3)), np.ones(3), stats(3), training=True),
            ShapeError,
            "run axes",
        ),
        (lambda f, f2: norm.layer_norm_forward(np.ones((2, 3)), np.ones(2), np.ones(3)), ShapeError, "D=3 is needed"),
        (lambda f, f2: norm.layer_norm_forward(np.ones((2, 3)), np.ones((4, 3)), np.ones(3)), ShapeError, "do not fit"),
        (
            lambda f, f2: norm.layer_norm_forward(np.ones((2, 5, 3)), np.ones(3), np.ones((4, 3))),
            ShapeError,
            r"^gamma \(3,\) and beta \(4, 3\) do not fit x \(2, 5, 3\); expected \(3,\), or with "
            r"run axes \(\.\.\., 1, 3\)$",
        ),
        (
            lambda f, f2: norm.layer_norm_forward(np.ones((2, 3)), np.ones(3), np.ones(3), -1e-9),
            RangeError,
            r"^eps is -1e-09, but must be a finite number in \[0, inf\)$",
        ),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((0, 2, 2))), ShapeError, "axis C is empty"),
        (lambda f, f2: norm.layer_norm_forward(np.ones((2, 0)), np.ones(0), np.ones(0)), ShapeError, "empty"),
        (
            lambda f, f2: norm.layer_norm_forward(np.ones((2, 3)), np.ones(3), np.ones(3), np.nan),
            RangeError,
            "eps is nan",
        ),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((2, 3))), ShapeError, "3 axes"),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((1, 2, 3, 3)), size=0), RangeError, "size is 0"),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((1, 2, 3, 3)), size=2.5), DTypeError, "whole"),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((1, 2, 3, 3)), alpha=-1.0), RangeError, "^alpha is -1"),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((1, 2, 3, 3)), beta=-1.0), RangeError, "^beta is -1"),
        (lambda f, f2: norm.local_response_norm_forward(np.ones((1, 2, 3, 3)), k=0.0), RangeError, "k is 0.0"),
    ],
)
def test_bad_input_is_refused_with_words(call, error, words):
    with pytest.raises(error, match=words):
        call(norm.batch_norm_forward, norm.batch_norm2d_forward)


INPUTS = {
    norm.batch_norm_forward: (np.ones((4, 3)), {"running": stats(3), "training": True}),
    norm.batch_norm2d_forward: (np.ones((4, 3, 2, 2)), {"running": stats(3), "training": True}),
    norm.layer_norm_forward: (np.ones((4, 3)), {}),
}


@pytest.mark.parametrize("argument", ["x", "gamma", "beta"])
@pytest.mark.parametrize("forward", INPUTS)
def test_an_argument_that_is_no_array_is_named(forward, argument):
    x, more = INPUTS[forward]
    with pytest.raises(DTypeError, match=rf"^{argument} is a list, but must be a NumPy array of floats"):
        forward(**{"x": x, "gamma": np.ones(3), "beta": np.ones(3)} | {argument: [1.0]}, **more)


@pytest.mark.parametrize("name", ["mean", "var"])
def test_running_statistics_that_are_no_arrays_are_named(name):
    with pytest.raises(DTypeError, match=rf'^running\["{name}"\] is a list'):
        norm.batch_norm_forward(
            np.ones((4, 3)), np.ones(3), np.ones(3), stats(3) | {name: [1.0, 1.0, 1.0]}, training=True
        )


@pytest.mark.parametrize("name", ["gamma", "beta", "running mean", "running var"])
def test_a_vector_whose_run_axes_lack_an_axis_is_named(name):
    vectors = dict.fromkeys(["gamma", "beta", "running mean", "running var"], np.ones(3)) | {name: np.ones((5, 3))}
    gamma, beta, mean, var = vectors.values()
    with pytest.raises(ShapeError, match=rf"^{name} has shape \(5, 3\); with run axes it is \(\.\.\., 1, 3\)"):
        norm.batch_norm_forward(np.ones((5, 4, 3)), gamma, beta, {"mean": mean, "var": var}, training=True)


def test_an_upstream_gradient_of_another_shape_is_refused():
    x = np.random.default_rng(0).normal(size=(4, 3, 2, 2))
    _, cache, _ = norm.batch_norm2d_forward(x, np.ones(3), np.ones(3), stats(3), training=True)
    with pytest.raises(ShapeError, match=r"dout has shape \(4, 3\)"):
        norm.batch_norm2d_backward(np.ones((4, 3)), cache)
    _, cache, _ = norm.batch_norm_forward(x[:, :, 0, 0], np.ones(3), np.ones(3), stats(3), training=True)
    with pytest.raises(ShapeError, match="dout"):
        norm.batch_norm_backward(np.ones((3, 4)), cache)
    _, cache = norm.layer_norm_forward(x, np.ones(2), np.ones(2))
    with pytest.raises(ShapeError, match="dout"):
        norm.layer_norm_backward(np.ones(2), cache)
    _, cache = norm.local_response_norm_forward(x)
    with pytest.raises(ShapeError, match="dout"):
        norm.local_response_norm_backward(np.ones((4, 3, 2, 3)), cache)
