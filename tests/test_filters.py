"""Filters against SciPy, and the properties that make a convolution a convolution."""

import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import filters
from coursekit.errors import DTypeError, RangeError, ShapeError

MODES = ["same", "full", "valid"]


def close(ours, theirs, tolerance=1e-12):
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= tolerance * max(1.0, np.abs(theirs).max())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 3), (4, 2), (5, 6), (2, 2)])
def test_both_agree_with_scipy(kernel, mode):
    rng = np.random.default_rng(1)
    x, k = rng.normal(size=(5, 6)), rng.normal(size=kernel)
    close(filters.convolve2d(x, k, mode), scipy.signal.convolve2d(x, k, mode))
    close(filters.correlate2d(x, k, mode), scipy.signal.correlate2d(x, k, mode))


def test_the_default_mode_keeps_the_size():
    x, k = np.random.default_rng(2).normal(size=(6, 7)), np.arange(9.0).reshape(3, 3)
    close(filters.convolve2d(x, k), scipy.signal.convolve2d(x, k, "same"))
    close(filters.correlate2d(x, k), scipy.signal.correlate2d(x, k, "same"))


def test_a_kernel_larger_than_the_image_works_where_they_overlap():
    rng = np.random.default_rng(3)
    x, k = rng.normal(size=(2, 3)), rng.normal(size=(5, 5))
    close(filters.convolve2d(x, k, "full"), scipy.signal.convolve2d(x, k, "full"))
    close(filters.correlate2d(x, k, "same"), filters.convolve2d(x, k[::-1, ::-1], "same"))


def test_convolution_commutes_and_associates():
    rng = np.random.default_rng(4)
    a, b, c = rng.normal(size=(5, 4)), rng.normal(size=(3, 2)), rng.normal(size=(2, 3))
    close(filters.convolve2d(a, b, "full"), filters.convolve2d(b, a, "full"))
    left = filters.convolve2d(filters.convolve2d(a, b, "full"), c, "full")
    close(left, filters.convolve2d(a, filters.convolve2d(b, c, "full"), "full"))


@pytest.mark.parametrize("mode", MODES)
def test_axes_in_front_are_a_loop(mode):
    rng = np.random.default_rng(5)
    x, k = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(3, 2))
    for f in (filters.convolve2d, filters.correlate2d):
        out = f(x, k, mode)
        for run in np.ndindex(2, 3):
            close(out[run], f(x[run], k, mode))


@settings(max_examples=40, deadline=None)
@given(
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    shape=st.tuples(*[st.integers(1, 5)] * 2),
    kernel=st.tuples(*[st.integers(1, 4)] * 2),
    mode=st.sampled_from(["same", "full"]),
)
def test_the_dtype_that_comes_in_goes_out_and_inputs_are_never_changed(dtype, shape, kernel, mode):
    rng = np.random.default_rng(0)
    x, k = rng.normal(size=shape).astype(dtype), rng.normal(size=kernel)
    before = x.copy(), k.copy()
    for f in (filters.convolve2d, filters.correlate2d):
        out = f(x, k, mode)
        assert out.dtype == dtype
        assert not np.shares_memory(out, x)
    assert np.array_equal(x, before[0]) and np.array_equal(k, before[1])


@pytest.mark.parametrize("size, sigma", [(1, 1.0), (5, 0.8), (7, 2.0), (4, 1.5), (3, 1e-9), (6, 1e-9), (9, 100.0)])
def test_a_gaussian_kernel_is_a_separable_symmetric_average(size, sigma):
    kernel = filters.gaussian_kernel(size, sigma)
    assert kernel.shape == (size, size) and kernel.dtype == np.float64
    assert abs(kernel.sum() - 1) < 1e-12 and kernel.min() >= 0
    close(kernel, kernel.T)
    close(kernel, kernel[::-1, ::-1])
    close(kernel, np.outer(kernel.sum(axis=1), kernel.sum(axis=0)))


def test_a_gaussian_kernel_falls_as_its_formula_says():
    kernel = filters.gaussian_kernel(7, 1.3)
    ratio = kernel / kernel[3, 3]
    i, j = np.mgrid[-3:4, -3:4]
    close(ratio, np.exp(-(i**2 + j**2) / (2 * 1.3**2)))


def test_blurring_twice_adds_the_variances():
    once = filters.gaussian_kernel(41, 2.0)
    twice = filters.convolve2d(once, once, "full")
    close(twice, filters.gaussian_kernel(81, 8**0.5), 1e-7)


def test_sobel_measures_the_slope_of_a_ramp():
    y, x = np.mgrid[0:6, 0:7].astype(float)
    ramp = 2 * x - 3 * y
    assert np.array_equal(filters.correlate2d(ramp, filters.sobel_x, "valid"), np.full((4, 5), 8 * 2.0))
    assert np.array_equal(filters.correlate2d(ramp, filters.sobel_y, "valid"), np.full((4, 5), 8 * -3.0))
    assert np.array_equal(filters.convolve2d(ramp, filters.sobel_x, "valid"), np.full((4, 5), -8 * 2.0))


def test_sobel_kernels_cannot_be_overwritten():
    for kernel in (filters.sobel_x, filters.sobel_y):
        with pytest.raises(ValueError, match="read-only"):
            kernel[0, 0] = 5


def test_correlation_is_what_pytorch_calls_convolution():
    rng = np.random.default_rng(6)
    x, k = rng.normal(size=(6, 5)), rng.normal(size=(3, 2))
    expected = torch.nn.functional.conv2d(torch.from_numpy(x)[None, None], torch.from_numpy(k)[None, None])
    close(filters.correlate2d(x, k, "valid"), expected[0, 0].numpy())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), max_size=4))
def test_the_receptive_field_is_what_one_output_depends_on(layers):
    seen = {0}  # walk one output back to the inputs it reads
    for kernel, stride in reversed(layers):
        seen = {stride * place + i for place in seen for i in range(kernel)}
    assert filters.receptive_field(layers) == max(seen) - min(seen) + 1


def test_padding_does_not_change_the_receptive_field():
    assert filters.receptive_field([(5, 1, 2), (2, 2, 0), (5, 1)]) == filters.receptive_field([(5, 1), (2, 2), (5, 1)])


IMAGE, KERNEL = np.ones((4, 4)), np.ones((3, 3))


@pytest.mark.parametrize("f", [filters.convolve2d, filters.correlate2d])
@pytest.mark.parametrize(
    "args, error, words",
    [
        ((np.ones(4), KERNEL), ShapeError, "2 axes"),
        ((np.ones((0, 4)), KERNEL), ShapeError, r"axis H is empty; expected x \(\.\.\., H, W\), kernel \(KH, KW\)"),
        ((IMAGE, np.ones(3)), ShapeError, "kernel has shape"),
        ((IMAGE, np.ones((1, 3, 3))), ShapeError, "kernel has shape"),
        ((IMAGE, KERNEL, "reflect"), RangeError, "^mode is 'reflect', but must be one of 'same', 'full', 'valid'$"),
        (
            (IMAGE, np.ones((5, 3)), "valid"),
            ShapeError,
            r'larger than the image \(4, 4\): it never lies within it; use mode="same" or "full"$',
        ),
        ((IMAGE.astype(np.uint8), KERNEL), DTypeError, "must hold floats"),
        ((IMAGE, KERNEL.tolist()), DTypeError, "NumPy array"),
    ],
)
def test_bad_input_to_a_filter_is_refused_with_words(f, args, error, words):
    with pytest.raises(error, match=words):
        f(*args)


@pytest.mark.parametrize(
    "args, error, words",
    [
        ((0, 1.0), RangeError, "size is 0"),
        ((2.5, 1.0), DTypeError, "whole number"),
        ((3, 0.0), RangeError, "sigma is 0.0"),
        ((3, -1), RangeError, "sigma is -1"),
        ((3, np.nan), RangeError, "sigma is nan"),
    ],
)
def test_bad_gaussians_are_refused_with_words(args, error, words):
    with pytest.raises(error, match=words):
        filters.gaussian_kernel(*args)


@pytest.mark.parametrize(
    "layers, error, words",
    [
        ([3], DTypeError, r"layers\[0\] is 3"),
        ([(3, 1), (3,)], DTypeError, r"layers\[1\]"),
        ([(3, 1, 0, 1)], DTypeError, r"\(kernel, stride\) or \(kernel, stride, padding\), such as \(3, 1\)$"),
        ([(0, 1)], RangeError, r"kernel of layers\[0\] is 0"),
        ([(3, 0)], RangeError, r"stride of layers\[0\] is 0"),
        ([(3.0, 1)], DTypeError, "whole number"),
    ],
)
def test_bad_layers_are_refused_with_words(layers, error, words):
    with pytest.raises(error, match=words):
        filters.receptive_field(layers)
