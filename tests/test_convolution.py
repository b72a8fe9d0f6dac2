"""Convolution and pooling against PyTorch, finite differences, the plain form and a loop over runs."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import convolution as conv
from coursekit.errors import DTypeError, RangeError, ShapeError
from coursekit.fast import images, products
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


def memory_orders(x):
    """The same images in C order, batch-last, and as a view with gaps."""
    gaps = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)[..., ::2]
    gaps[...] = x
    return [x, images.batch_first(images.batch_last(x)), gaps]


# x, w, stride, padding: batches of one, one channel, kernels and images that are not square, strides that do not
# divide, kernels as large as the image, padding larger than the kernel.
CASES = [
    ((4, 3, 12, 12), (5, 3, 3, 3), 1, 1),
    ((1, 1, 5, 5), (1, 1, 5, 5), 1, 0),
    ((1, 2, 7, 4), (3, 2, 3, 2), 1, 0),
    ((3, 4, 11, 8), (2, 4, 2, 5), (3, 2), (0, 4)),
    ((2, 3, 6, 9), (4, 3, 1, 1), 2, 0),
    ((5, 1, 9, 7), (6, 1, 4, 3), (2, 3), (1, 2)),
    ((2, 2, 3, 3), (2, 2, 2, 2), 4, 3),
    ((16, 8, 20, 20), (8, 8, 3, 3), 1, 1),
]


@pytest.mark.parametrize("block_bytes", [1, 1 << 19])
@pytest.mark.parametrize("x_shape, w_shape, stride, padding", CASES)
def test_conv2d_agrees_with_pytorch(x_shape, w_shape, stride, padding, block_bytes, monkeypatch):
    monkeypatch.setattr(images, "BLOCK_BYTES", block_bytes)
    rng = np.random.default_rng(1)
    x, w, b = rng.normal(size=x_shape), rng.normal(size=w_shape), rng.normal(size=w_shape[0])
    tx, tw, tb = tensor(x), tensor(w), tensor(b)
    expected = F.conv2d(tx, tw, tb, stride, padding)
    dout = rng.normal(size=expected.shape)
    expected.backward(torch.from_numpy(dout))
    for given_x, given_dout in zip(memory_orders(x), memory_orders(dout), strict=True):
        out, cache = conv.conv2d_forward(given_x, w, b, stride, padding)
        dx, dw, db = conv.conv2d_backward(given_dout, cache)
        close(out, expected)
        close(dx, tx.grad)
        close(dw, tw.grad)
        close(db, tb.grad)


@pytest.mark.parametrize("x_shape, w_shape, stride, padding", CASES)
def test_the_plain_form_of_conv2d_agrees_with_the_fast_one(x_shape, w_shape, stride, padding):
    rng = np.random.default_rng(2)
    x, w, b = rng.normal(size=x_shape), rng.normal(size=w_shape), rng.normal(size=w_shape[0])
    out, cache = conv.conv2d_forward(x, w, b, stride, padding)
    plain, plain_cache = conv.conv2d_forward_plain(x, w, b, stride, padding)
    close(plain, out)
    dout = rng.normal(size=out.shape)
    for ours, theirs in zip(
        conv.conv2d_backward_plain(dout, plain_cache), conv.conv2d_backward(dout, cache), strict=True
    ):
        close(ours, theirs)


def test_conv2d_without_blas_gives_the_same(monkeypatch):
    rng = np.random.default_rng(3)
    x, w, b = rng.normal(size=(3, 2, 6, 5)), rng.normal(size=(4, 2, 3, 2)), rng.normal(size=4)
    out, cache = conv.conv2d_forward(x, w, b, 2, 1)
    dout = rng.normal(size=out.shape)
    gradients = conv.conv2d_backward(dout, cache)
    monkeypatch.setattr(products, "HAS_BLAS", False)
    again, cache = conv.conv2d_forward(x, w, b, 2, 1)
    close(again, out)
    for ours, theirs in zip(conv.conv2d_backward(dout, cache), gradients, strict=True):
        close(ours, theirs)


def test_conv2d_gradients_match_finite_differences():
    rng = np.random.default_rng(4)
    x, w, b = rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(3, 2, 3, 2)), rng.normal(size=3)

    def forward(x, w, b):
        return conv.conv2d_forward(x, w, b, stride=(2, 1), padding=(1, 0))

    out, cache = forward(x, w, b)
    dout = rng.normal(size=out.shape)
    dx, dw, db = conv.conv2d_backward(dout, cache)
    close(dx, numerical_gradient(lambda a: (forward(a, w, b)[0] * dout).sum(), x), 1e-7)
    close(dw, numerical_gradient(lambda a: (forward(x, a, b)[0] * dout).sum(), w), 1e-7)
    close(db, numerical_gradient(lambda a: (forward(x, w, a)[0] * dout).sum(), b), 1e-7)


@pytest.mark.parametrize("x_runs", [(), (1,), (2, 3), (1, 3)])
@pytest.mark.parametrize("w_runs", [(), (2, 3), (3,)])
@pytest.mark.parametrize("b_runs", [None, (2, 3, 1), (3, 1)])
def test_conv2d_with_run_axes_is_a_loop_over_runs(x_runs, w_runs, b_runs):
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(*x_runs, 2, 2, 5, 4)), rng.normal(size=(*w_runs, 3, 2, 2, 3))
    b = rng.normal(size=(*(b_runs or ()), 3))
    runs = np.broadcast_shapes(x_runs, w_runs, (b_runs or (1,))[:-1])
    out, cache = conv.conv2d_forward(x, w, b, 1, 1)
    dout = rng.normal(size=out.shape)
    gradients = conv.conv2d_backward(dout, cache)
    assert out.shape == (*runs, 2, 3, 6, 4)
    assert [g.shape for g in gradients] == [x.shape, w.shape, b.shape]

    tx, tw, tb = tensor(x), tensor(w), tensor(b)  # PyTorch adds up what is shared
    each = [t.expand(*runs, *t.shape[t.ndim - own :]) for t, own in ((tx, 4), (tw, 4), (tb, 2 if b_runs else 1))]
    for run in np.ndindex(runs):
        one_x, one_w, one_b = (t[run] for t in each)
        expected = F.conv2d(one_x, one_w, one_b.reshape(3), padding=1)
        close(out[run], expected)
        expected.backward(torch.from_numpy(dout[run]))
    for ours, t in zip(gradients, (tx, tw, tb), strict=True):
        close(ours, t.grad)


def test_the_defaults_of_convolution_are_a_stride_of_1_and_no_padding():
    rng = np.random.default_rng(2)
    x, w, b = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    for forward in (conv.conv2d_forward, conv.conv2d_forward_plain):
        close(forward(x, w, b)[0], F.conv2d(*map(torch.from_numpy, (x, w, b))))


def test_the_defaults_of_pooling_are_windows_of_2_side_by_side():
    x = np.random.default_rng(2).normal(size=(2, 3, 7, 6))
    close(conv.max_pool2d_forward(x)[0], F.max_pool2d(torch.from_numpy(x), 2))
    close(conv.avg_pool2d_forward(x)[0], F.avg_pool2d(torch.from_numpy(x), 2))


POOLS = [
    ((2, 3, 6, 8), 2, None),
    ((1, 1, 2, 2), 2, None),
    ((2, 2, 7, 5), 2, None),
    ((3, 2, 9, 9), 3, 2),
    ((2, 1, 8, 5), (3, 2), (2, 3)),
    ((1, 2, 5, 6), 2, 1),
    ((2, 2, 7, 7), 2, 3),
    ((4, 1, 3, 4), (3, 4), None),
    ((2, 2, 4, 6), (1, 2), None),
]


@pytest.mark.parametrize("size", [(300, 1), (1, 300), (50, 49)])
def test_the_last_entry_of_a_very_large_window_can_win(size):
    x = np.arange(2.0 * size[0] * size[1]).reshape(2, *size)
    out, cache = conv.max_pool2d_forward(x, size)
    close(out, x[:, -1:, -1:])
    dx = conv.max_pool2d_backward(np.array([[[3.0]], [[5.0]]]), cache)
    assert (dx[:, -1, -1] == [3, 5]).all() and np.count_nonzero(dx) == 2


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shape, size, stride", POOLS)
def test_max_pooling_agrees_with_pytorch_ties_included(shape, size, stride, ties):
    rng = np.random.default_rng(6)
    x = rng.normal(size=shape)
    if ties:
        x = np.maximum(x.round(), 0)  # like the output of a ReLU: many equal entries
    tx = tensor(x)
    expected = F.max_pool2d(tx, size, stride)
    dout = rng.normal(size=expected.shape)
    expected.backward(torch.from_numpy(dout))
    for given_x, given_dout in zip(memory_orders(x), memory_orders(dout), strict=True):
        out, cache = conv.max_pool2d_forward(given_x, size, stride)
        close(out, expected)
        close(conv.max_pool2d_backward(given_dout, cache), tx.grad)


@pytest.mark.parametrize("shape, size, stride", POOLS)
def test_average_pooling_agrees_with_pytorch(shape, size, stride):
    rng = np.random.default_rng(7)
    x = rng.normal(size=shape)
    tx = tensor(x)
    expected = F.avg_pool2d(tx, size, stride)
    dout = rng.normal(size=expected.shape)
    expected.backward(torch.from_numpy(dout))
    for given_x, given_dout in zip(memory_orders(x), memory_orders(dout), strict=True):
        out, cache = conv.avg_pool2d_forward(given_x, size, stride)
        close(out, expected)
        close(conv.avg_pool2d_backward(given_dout, cache), tx.grad)


@pytest.mark.parametrize("size, stride", [(2, None), (3, 2), ((1, 3), (2, 1))])
def test_pooling_gradients_match_finite_differences(size, stride):
    rng = np.random.default_rng(8)
    x = rng.permutation(2 * 5 * 6).reshape(1, 2, 5, 6) / 10.0  # no two entries near each other
    for forward, backward in (
        (conv.max_pool2d_forward, conv.max_pool2d_backward),
        (conv.avg_pool2d_forward, conv.avg_pool2d_backward),
    ):
        out, cache = forward(x, size, stride)
        dout = rng.normal(size=out.shape)
        expected = numerical_gradient(lambda a: (forward(a, size, stride)[0] * dout).sum(), x)
        close(backward(dout, cache), expected, 1e-7)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_pairwise_max_pooling_equals_the_plain_form(data):
    shape = data.draw(st.tuples(*[st.integers(low, 6) for low in (1, 1, 2, 2)]))
    x = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-1, 2, shape).astype(np.float32)
    out, masks = images.max_pool_pairs_forward(x)
    plain, winner = conv._max_pool(x, (2, 2), (2, 2))
    close(out, plain)
    dout = np.random.default_rng(1).normal(size=out.shape).astype(np.float32)
    close(
        images.max_pool_pairs_backward(dout, masks, shape),
        conv._max_pool_backward(dout, winner, (2, 2), (2, 2), shape),
    )


@pytest.mark.parametrize("size, stride", [(2, None), (3, 2)])
def test_pooling_with_axes_in_front_is_a_loop_over_them(size, stride):
    rng = np.random.default_rng(9)
    x = rng.normal(size=(3, 2, 2, 4, 5, 6))
    for forward, backward in (
        (conv.max_pool2d_forward, conv.max_pool2d_backward),
        (conv.avg_pool2d_forward, conv.avg_pool2d_backward),
    ):
        out, cache = forward(x, size, stride)
        dout = rng.normal(size=out.shape)
        dx = backward(dout, cache)
        for run in np.ndindex(3, 2):
            expected, one_cache = forward(x[run], size, stride)
            close(out[run], expected)
            close(dx[run], backward(dout[run], one_cache))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_dtype_that_comes_in_goes_out_and_inputs_are_never_changed(data):
    dtype = data.draw(st.sampled_from([np.float16, np.float32, np.float64]))
    n, c, f, kh, kw = (data.draw(st.integers(1, 3)) for _ in range(5))
    h, width = kh + data.draw(st.integers(0, 3)), kw + data.draw(st.integers(0, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = data.draw(st.sampled_from(memory_orders(rng.normal(size=(n, c, h, width)).astype(dtype))))
    w, b = rng.normal(size=(f, c, kh, kw)).astype(dtype), rng.normal(size=f).astype(dtype)
    stride, padding = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 2))
    for forward, backward, args in (
        (conv.conv2d_forward, conv.conv2d_backward, (x, w, b, stride, padding)),
        (conv.conv2d_forward_plain, conv.conv2d_backward_plain, (x, w, b, stride, padding)),
        (conv.max_pool2d_forward, conv.max_pool2d_backward, (x, (kh, kw), stride)),
        (conv.avg_pool2d_forward, conv.avg_pool2d_backward, (x, (kh, kw), stride)),
    ):
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        before = [a.copy() for a in arrays]
        out, cache = forward(*args)
        dout = rng.normal(size=out.shape).astype(dtype)
        dout_before = dout.copy()
        gradients = backward(dout, cache)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        assert out.dtype == dtype and all(g.dtype == dtype for g in gradients)
        assert [g.shape for g in gradients] == [a.shape for a in arrays]
        assert np.array_equal(dout, dout_before)
        assert all(np.array_equal(a, old) for a, old in zip(arrays, before, strict=True))


def test_results_share_no_memory_with_inputs():
    x = np.random.default_rng(0).normal(size=(2, 1, 4, 4))
    w, b = np.ones((1, 1, 1, 1)), np.zeros(1)
    for order in memory_orders(x):
        out, cache = conv.conv2d_forward(order, w, b)
        gradients = conv.conv2d_backward(order, cache)
        for result in (out, *gradients):
            assert not any(np.shares_memory(result, a) for a in (order, w, b))
        for forward, backward in (
            (conv.max_pool2d_forward, conv.max_pool2d_backward),
            (conv.avg_pool2d_forward, conv.avg_pool2d_backward),
        ):
            out, cache = forward(order, 1)
            assert not np.shares_memory(out, order)
            assert not np.shares_memory(backward(order, cache), order)


def test_memory_stays_below_four_activations(monkeypatch):
    monkeypatch.setattr(images, "BLOCK_BYTES", 1 << 16)
    rng = np.random.default_rng(0)
    x = images.batch_first(rng.normal(size=(16, 40, 40, 32)).astype(np.float32))
    w, b = rng.normal(size=(16, 16, 3, 3)).astype(np.float32), np.zeros(16, np.float32)
    tracemalloc.start()
    out, cache = conv.conv2d_forward(x, w, b, padding=1)
    conv.conv2d_backward(out, cache)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # out, the padded x, the padded dx and a few rows of windows; the whole input unfolded would be 9 activations more
    assert 3 * x.nbytes < peak < 4 * x.nbytes


def test_windows_are_counted_as_in_the_formula():
    assert conv.output_length(5, 5) == 1
    assert conv.output_length(7, 3) == 5 and conv.output_length(7, 3, padding=2) == 9
    assert conv.output_length(6, 3, stride=2) == 2
    assert conv.output_length(227, 11, stride=4) == 55
    assert conv.unfold(np.zeros((2, 7, 5)), (3, 2), (2, 3)).shape == (2, 3, 2, 3, 2)
    windows = conv.unfold(np.arange(12.0).reshape(3, 4), (2, 3))
    assert windows[1, 1].tolist() == [[5, 6, 7], [9, 10, 11]]


X, W, B = np.ones((2, 3, 6, 6)), np.ones((4, 3, 3, 3)), np.ones(4)


@pytest.mark.parametrize("forward", [conv.conv2d_forward, conv.conv2d_forward_plain])
@pytest.mark.parametrize(
    "args, error, words",
    [
        ((X[0], W, B), ShapeError, "4 axes"),
        ((X[:0], W, B), ShapeError, "axis N is empty"),
        ((X, W[:, :2], B), ShapeError, "C=3 is needed"),
        ((X, W, B[:3]), ShapeError, "F=4 is needed"),
        ((X, W, B[:, None]), ShapeError, "b has shape"),
        ((X.astype(int), W, B), DTypeError, "must hold floats"),
        ((X.tolist(), W, B), DTypeError, "NumPy array"),
        ((X, np.ones((4, 3, 7, 3)), B), ShapeError, "the kernel is 7 long"),
        ((X, np.ones((4, 3, 3, 9)), B, 1, (5, 1)), ShapeError, r"6 \+ 2 \* 1 = 8"),
        ((X, W, B, 0), RangeError, "stride is 0"),
        ((X, W, B, (1, 0)), RangeError, r"stride\[1\] is 0"),
        ((X, W, B, 1.5), DTypeError, "stride"),
        ((X, W, B, (1, 2, 3)), ShapeError, "a pair"),
        ((X, W, B, 1, -1), RangeError, "padding is -1"),
        ((X, W, B, 1, "same"), DTypeError, "padding"),
    ],
)
def test_bad_input_to_conv2d_is_refused_with_words(forward, args, error, words):
    with pytest.raises(error, match=words):
        forward(*args)


@pytest.mark.parametrize(
    "args, words",
    [
        ((np.ones((2, 2, 3, 6, 6)), np.ones((3, 4, 3, 3, 3)), B), "run axes do not fit"),
        ((X, W, np.ones((5, 4))), r"\(..., 1, 4\)"),
    ],
)
def test_run_axes_of_conv2d_that_do_not_fit_are_refused(args, words):
    with pytest.raises(ShapeError, match=words):
        conv.conv2d_forward(*args)


@pytest.mark.parametrize("forward", [conv.max_pool2d_forward, conv.avg_pool2d_forward])
@pytest.mark.parametrize(
    "args, error, words",
    [
        ((np.ones(4),), ShapeError, "2 axes"),
        ((np.ones((1, 1, 0, 4)),), ShapeError, "axis H is empty"),
        ((np.ones((1, 1, 4, 4), int),), DTypeError, "must hold floats"),
        ((X, 7), ShapeError, "the kernel is 7 long"),
        ((X, (2, 7)), ShapeError, "the kernel is 7 long"),
        ((X, 0), RangeError, "size is 0"),
        ((X, 2, 0), RangeError, "stride is 0"),
        ((X, 2, 0.5), DTypeError, "stride"),
        ((X, (2,)), ShapeError, "a pair"),
    ],
)
def test_bad_input_to_pooling_is_refused_with_words(forward, args, error, words):
    with pytest.raises(error, match=words):
        forward(*args)


def test_an_upstream_gradient_of_another_shape_is_refused():
    for forward, backward in (
        (lambda: conv.conv2d_forward(X, W, B), conv.conv2d_backward),
        (lambda: conv.conv2d_forward_plain(X, W, B), conv.conv2d_backward_plain),
        (lambda: conv.max_pool2d_forward(X), conv.max_pool2d_backward),
        (lambda: conv.avg_pool2d_forward(X, 3, 1), conv.avg_pool2d_backward),
    ):
        out, cache = forward()
        with pytest.raises(ShapeError, match="dout has shape"):
            backward(out[:1], cache)


TOO_LONG = (
    r"^the kernel is 8 long, but the input with its padding is 3 \+ 2 \* 2 = 7; use a smaller kernel or more padding$"
)


@pytest.mark.parametrize(
    "args, error, words",
    [
        ((0, 1), RangeError, "^length is 0, but must be at least 1$"),
        ((3, 0), RangeError, "^kernel is 0, but must be at least 1$"),
        ((3, 2, 0), RangeError, "^stride is 0, but must be at least 1$"),
        ((3, 2, 1, -1), RangeError, "^padding is -1, but must be at least 0$"),
        ((3.0, 2), DTypeError, r"^length is float 3\.0"),
        ((3, 8, 1, 2), ShapeError, TOO_LONG),
    ],
)
def test_bad_lengths_are_refused_with_words(args, error, words):
    with pytest.raises(error, match=words):
        conv.output_length(*args)


PAIR = r"but must be a whole number or a pair \(vertical, horizontal\)$"


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: conv.conv2d_forward(X, W, B, (1, 2, 3)), ShapeError, rf"^stride is \(1, 2, 3\), {PAIR}"),
        (lambda: conv.conv2d_forward(X, W, B, (0, 1)), RangeError, r"^stride\[0\] is 0, but must be at least 1$"),
        (lambda: conv.conv2d_forward(X, W, B, 1, (0,)), ShapeError, rf"^padding is \(0,\), {PAIR}"),
        (lambda: conv.conv2d_forward(X, W, B, 1, (0, -1)), RangeError, r"^padding\[1\] is -1, but must be at least 0$"),
        (lambda: conv.max_pool2d_forward(X, (0, 2)), RangeError, r"^size\[0\] is 0, but must be at least 1$"),
        (lambda: conv.avg_pool2d_forward(X, 2, (1, 0)), RangeError, r"^stride\[1\] is 0, but must be at least 1$"),
    ],
)
def test_which_of_a_pair_is_wrong_is_said(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("runs", [(), (3,)])
def test_the_gradient_of_the_input_can_be_left_out(runs):
    rng = np.random.default_rng(5)
    x, w, b = rng.normal(size=(2, 2, 5, 4)), rng.normal(size=(*runs, 3, 2, 2, 3)), rng.normal(size=3)
    out, cache = conv.conv2d_forward(x, w, b, 1, 1)
    dout = rng.normal(size=out.shape)
    dx, *others = conv.conv2d_backward_of(dout, cache, need_dx=False)
    assert dx is None
    for ours, theirs in zip(others, conv.conv2d_backward(dout, cache)[1:], strict=True):
        close(ours, theirs)


@pytest.mark.parametrize(
    "args, error, words",
    [
        (([[1.0]], 1), DTypeError, "^x is a list"),
        ((np.ones(4), 1), ShapeError, r"expected at least 2 axes, x \(\.\.\., H, W\)"),
        ((np.ones((4, 4)), 5), ShapeError, "the kernel is 5 long"),
        ((np.ones((5, 3)), (1, 4)), ShapeError, "the kernel is 4 long"),
        ((np.ones((3, 5)), (4, 1)), ShapeError, "the kernel is 4 long"),
        ((np.ones((4, 4)), 0), RangeError, "^size is 0, but must be at least 1$"),
        ((np.ones((4, 4)), 2, 0), RangeError, "^stride is 0, but must be at least 1$"),
    ],
)
def test_bad_windows_are_refused_with_words(args, error, words):
    with pytest.raises(error, match=words):
        conv.unfold(*args)


def test_a_bias_may_be_a_row_and_its_gradient_is_one_too(rng):
    x, w, b = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((4, 3, 3, 2)), rng.standard_normal((1, 4))
    out, cache = conv.conv2d_forward(x, w, b)
    plain, plain_cache = conv.conv2d_forward(x, w, b[0])
    np.testing.assert_array_equal(out, plain)
    dout = rng.standard_normal(out.shape)
    db = conv.conv2d_backward(dout, cache)[2]
    assert db.shape == (1, 4)
    np.testing.assert_array_equal(db[0], conv.conv2d_backward(dout, plain_cache)[2])
