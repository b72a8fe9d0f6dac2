"""Numbers of any size and dtype: nothing rounds before it subtracts, nothing overflows on the way, float16 is right."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import activations, convolution, dense, losses, normalization, optimizers, recurrent, regularizers
from coursekit.errors import CourseError, DTypeError, NotFiniteError, RangeError
from coursekit.gradcheck import gradient_check, numerical_gradient
from coursekit.preprocessing import PCA, ChannelMean, MeanImage, Standardizer, Whitening

SCALES = st.sampled_from([1e-300, 1e-158, 1e-150, 1e-30, 1e-3, 1.0, 1e4, 1e30, 1e150, 1e300])
OFFSETS = st.sampled_from([0.0, 1.0, 1e3, 1e6, 1e9])
DTYPES = st.sampled_from([np.float16, np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)


def table(seed, scale, offset, dtype, shape=(40, 3)):
    """Rows whose features lie `offset` scales from 0, as far as the dtype can say it; None where it cannot."""
    values = scale * (offset + np.random.default_rng(seed).standard_normal(shape))
    x = values.astype(dtype)
    far_too_coarse = (np.abs(x).max() * np.finfo(dtype).eps if np.isfinite(x).all() else np.inf) > 0.01 * scale
    return None if far_too_coarse or np.abs(x).max() < 1e4 * np.finfo(dtype).tiny else x


@given(SEEDS, SCALES, OFFSETS, DTYPES)
@settings(max_examples=150, deadline=None)
def test_standardized_features_have_mean_0_and_deviation_1(seed, scale, offset, dtype):
    with np.errstate(over="ignore"):
        x = table(seed, scale, offset, dtype)
    if x is None:
        return
    z = Standardizer().fit(x).transform(x)
    assert z.dtype == dtype
    exact = x.astype(np.longdouble)
    exact = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    np.testing.assert_allclose(
        z.astype(np.float64), exact.astype(np.float64), atol=8 * np.finfo(dtype).eps + 3e-16 * offset, rtol=1e-6
    )


@given(SEEDS, st.sampled_from([1e-100, 1e-3, 1.0, 1e4, 1e100]), OFFSETS, DTYPES)
@settings(max_examples=80, deadline=None)
def test_whitened_features_are_uncorrelated_whatever_their_mean(seed, scale, offset, dtype):
    with np.errstate(over="ignore"):
        x = table(seed, scale, offset, dtype)
    if x is None:
        return
    for method in ("pca", "zca"):
        z = Whitening(method, eps=0).fit(x).transform(x).astype(np.float64)
        np.testing.assert_allclose(z.T @ z / len(z), np.eye(3), atol=max(1e-6, 20 * np.finfo(dtype).eps))


@given(SEEDS, OFFSETS, DTYPES)
@settings(max_examples=60, deadline=None)
def test_images_lose_their_mean_before_they_are_rounded(seed, offset, dtype):
    with np.errstate(over="ignore"):
        x = table(seed, 1.0, offset, dtype, (6, 2, 4, 4))
    if x is None:
        return
    exact = x.astype(np.longdouble)
    for fitted, mean in ((MeanImage(), exact.mean(axis=0)), (ChannelMean(), exact.mean(axis=(0, 2, 3))[:, None, None])):
        z = fitted.fit(x).transform(x)
        np.testing.assert_allclose(
            z.astype(np.float64), (exact - mean).astype(np.float64), rtol=np.finfo(dtype).eps, atol=1e-6
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_feature_that_varies_by_rounding_alone_is_constant(dtype):
    x = np.full((50, 2), 0.1, dtype)
    x[::2, 0] = np.nextafter(dtype(0.1), dtype(1))
    x[:, 1] = np.linspace(-1, 1, 50)
    fitted = Standardizer().fit(x)
    assert fitted.std[0] == 1 and fitted.std[1] > 0.5
    assert np.abs(fitted.transform(x)[:, 0]).max() < 1e-6
    with pytest.raises(RangeError, match=r"1 of the 2 directions have no variance"):
        Whitening(eps=0).fit(x)
    x[::2, 0] += dtype(100) * np.spacing(dtype(0.1))  # a hundred roundings are a signal
    assert Standardizer().fit(x).std[0] < 1e-4


def test_a_direction_is_flat_by_what_the_dtype_can_say_and_not_by_its_share():
    grid = np.linspace(-1, 1, 50)
    faint = np.stack([grid, 1e-6 * grid**2], axis=1)
    assert np.abs(Whitening(eps=0).fit(faint).transform(faint)).max() < 3
    far = np.stack([grid, np.full(50, 1000)], axis=1).astype(np.float32)
    far[::2, 1] = np.nextafter(np.float32(1000), np.float32(2000))
    with pytest.raises(RangeError, match=r"1 of the 2 directions have no variance"):
        Whitening(eps=0).fit(far)
    with pytest.raises(RangeError, match=r"2 of the 2 directions have no variance"):
        Whitening(eps=0).fit(np.zeros((5, 2)))


def test_a_variance_that_no_float_can_hold_is_said():
    x = 1e200 * np.random.default_rng(0).standard_normal((5, 2))
    with pytest.raises(RangeError, match="whose square no float64 can hold; divide x by"):
        PCA().fit(x)
    with pytest.raises(RangeError, match="whose square no float64 can hold; divide x by"):
        PCA().fit(x / 1e200 / 1e200)


@given(SEEDS, SCALES)
@settings(max_examples=60, deadline=None)
def test_norms_grow_with_their_vectors_at_any_scale(seed, scale):
    g = np.random.default_rng(seed).standard_normal((4, 3))
    plain = np.sqrt((g**2).sum())
    assert optimizers.global_norm({"w": scale * g, "b": np.zeros(2)}) == pytest.approx(scale * plain, rel=1e-12, abs=0)
    clipped = optimizers.global_norm_clip(scale)({"w": scale * g})["w"] / scale
    if scale > 1e-3:
        assert np.sqrt((clipped**2).sum()) == pytest.approx(min(plain, 1.0), rel=1e-5)
    columns = regularizers.max_norm(scale * g, limit=scale) / scale
    assert np.sqrt((columns**2).sum(axis=0)).max() <= 1 + 1e-9


# ------------------------------------------------------------------------------------------------ gradient checks


@pytest.mark.parametrize("constant", [0.0, 1.0, 1e6])
def test_a_gradient_of_0_agrees_through_the_noise(constant):
    report = gradient_check(lambda x: constant + 0 * (x * 3.7).sum() + np.sin(constant), np.ones(3), np.zeros(3))
    assert report, report
    noisy = gradient_check(lambda x: float(np.sum(x) - np.sum(x)) + constant * (1 + 1e-16), np.ones(3), np.zeros(3))
    assert noisy, noisy


@given(st.floats(0.1, 10.0))
@settings(max_examples=60, deadline=None)
def test_the_rounding_of_a_constant_is_no_gradient(start):
    report = gradient_check(lambda x: 1e6 * (np.sin(x) ** 2 + np.cos(x) ** 2).sum(), np.array([start]), np.zeros(1))
    assert report, report


def test_the_noise_floor_hides_no_wrong_gradient():
    x = np.array([1.0, 2.0])
    assert not gradient_check(lambda x: 1e3 + (x**2).sum(), x, 2 * x + 1e-3)
    assert gradient_check(lambda x: 1e3 + (x**2).sum(), x, 2 * x)


def test_a_kink_is_said_and_a_wrong_gradient_of_a_smooth_curve_is_not_called_one():
    x = np.array([0.5, 0.0, -1.0])
    report = gradient_check(lambda x: np.maximum(x, 0).sum(), x, (x > 0).astype(float))
    assert not report
    assert "x lies on a kink there: the slope is 0 to the left and 1 to the right" in str(report)
    assert "kink" not in str(gradient_check(lambda x: (x**3).sum(), np.array([1.0]), np.array([5.0])))
    assert "kink" not in str(gradient_check(lambda x: (1e4 * x**2).sum(), np.array([1e-6]), np.array([5.0])))
    assert "kink" not in str(gradient_check(lambda x: np.maximum(x, 0).sum(), np.zeros(1), np.array([0.5])))  # agrees


WRONG = np.array([5.0])


@pytest.mark.parametrize(
    ("f", "at", "is_kink"),
    [
        (lambda x: np.abs(x).sum(), 0.0, True),
        (lambda x: 1e-20 * np.abs(x).sum(), 0.0, True),
        (lambda x: 1 + 1e-5 * np.abs(x).sum(), 0.0, True),
        (lambda x: (np.abs(x) + 1e3 * x**2).sum(), 0.0, True),
        (lambda x: (np.abs(x) ** 1.5).sum(), 0.0, False),  # bends without end, but has a slope
        (lambda x: 1e-30 * x.sum(), 1.0, False),
    ],
)
def test_a_kink_is_told_from_curvature_and_from_rounding(f, at, is_kink):
    report = gradient_check(f, np.array([at]), WRONG)
    assert not report
    assert ("kink" in str(report)) == is_kink, report


@given(st.floats(0.1, 10.0))
@settings(max_examples=60, deadline=None)
def test_rounding_is_no_kink(at):
    for f in (lambda x: 1e6 * (np.sin(x) ** 2 + np.cos(x) ** 2).sum() + x.sum(), lambda x: x.sum() - at):
        report = gradient_check(f, np.array([at]), WRONG)
        assert not report and "kink" not in str(report), report


def test_a_function_that_draws_is_named():
    rng = np.random.default_rng(0)
    for check in (numerical_gradient, lambda f, x: gradient_check(f, x, x)):
        with pytest.raises(CourseError, match=r"^f gives different values for the same x, .* random numbers"):
            check(lambda x: (x * (rng.random(3) > 0.5)).sum(), np.ones(3))


def test_a_function_that_changes_its_input_is_named():
    def f(x):
        x *= 2
        return x.sum()

    with pytest.raises(CourseError, match=r"^f changes the x that it is given"):
        numerical_gradient(f, np.ones(2))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float16, np.uint8])
def test_whole_numbers_and_short_floats_are_taken_to_float64(dtype):
    x = np.array([3, 4], dtype)
    gradient = numerical_gradient(lambda x: (x**2).sum(), x)
    assert gradient.dtype == np.float64 and x.dtype == dtype
    np.testing.assert_allclose(gradient, [6, 8], rtol=1e-8)
    assert gradient_check(lambda x: (x**2).sum(), x, 2 * x)


@pytest.mark.parametrize("returned", [None, "1.0", 1j])
def test_what_is_no_number_is_named(returned):
    with pytest.raises(DTypeError, match=r"^f returned"):
        numerical_gradient(lambda x: returned, np.ones(2))


# ------------------------------------------------------------------------------------------------ float16, infinity

LOSSES = {
    "softmax": (losses.softmax_cross_entropy, lambda n: np.arange(n) % 2),
    "sigmoid": (losses.sigmoid_cross_entropy, lambda n: np.tile([0.0, 1.0], (n, 1)).astype(np.float16)),
    "mse": (losses.mean_squared_error, lambda n: np.zeros((n, 2), np.float16)),
    "huber": (losses.huber, lambda n: np.zeros((n, 2), np.float16)),
    "hinge": (losses.hinge, lambda n: np.arange(n) % 2),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_more_examples_than_float16_can_count(name):
    loss, truth = LOSSES[name]
    n = 70_000
    scores, target = np.random.default_rng(0).standard_normal((n, 2)).astype(np.float16), truth(n)
    value, gradient = loss(scores, target)
    wide = target.astype(np.float32) if target.dtype == np.float16 else target
    expected, expected_gradient = loss(scores.astype(np.float32), wide)
    assert gradient.dtype == value.dtype == np.float16 and np.abs(gradient).max() > 0
    np.testing.assert_allclose(value, expected, rtol=1e-3)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("name", ["mse", "huber"])
def test_a_loss_that_float16_cannot_say_is_refused(name):
    loss, truth = LOSSES[name]
    far = np.full((4, 2), 6e4, np.float16)
    with pytest.raises(NotFiniteError, match=r"more than float16 can say \(65504\); give float32 arrays"):
        loss(far, -far if name == "huber" else truth(4))
    assert np.isfinite(loss(far.astype(np.float32), truth(4).astype(np.float32))[0])


def test_batch_norm_of_large_float16_values():
    x = (300 * np.random.default_rng(0).standard_normal((64, 5))).astype(np.float16)
    one, zero = np.ones(5, np.float16), np.zeros(5, np.float16)
    running = {"mean": zero, "var": one}
    out, cache, after = normalization.batch_norm_forward(x, one, zero, running, training=True)
    wide = {name: value.astype(np.float32) for name, value in running.items()}
    expected, _wide_cache, wide_after = normalization.batch_norm_forward(
        x.astype(np.float32), one.astype(np.float32), zero.astype(np.float32), wide, training=True
    )
    assert out.dtype == np.float16
    np.testing.assert_allclose(out, expected, atol=2e-3)
    np.testing.assert_allclose(after["var"], wide_after["var"], rtol=1e-6)
    dx, dgamma, dbeta = normalization.batch_norm_backward(np.ones_like(x), cache)
    assert dx.dtype == dgamma.dtype == dbeta.dtype == np.float16
    np.testing.assert_allclose(dbeta, 64)


def test_norms_of_layers_and_images_in_float16():
    x = (300 * np.random.default_rng(0).standard_normal((4, 6, 5, 5))).astype(np.float16)
    one, zero = np.ones(6, np.float16), np.zeros(6, np.float16)
    out, _, _ = normalization.batch_norm2d_forward(x, one, zero, {"mean": zero, "var": one}, training=True)
    assert out.dtype == np.float16 and 0.9 < out.std() < 1.1
    rows = x[:, :, 0, 0]
    out, cache = normalization.layer_norm_forward(rows, one, zero)
    assert out.dtype == np.float16 and 0.9 < out.std() < 1.1
    assert normalization.layer_norm_backward(out, cache)[0].dtype == np.float16
    out, cache = normalization.local_response_norm_forward(x)
    expected, _ = normalization.local_response_norm_forward(x.astype(np.float32))
    np.testing.assert_allclose(out, expected, rtol=2e-3)


def test_pooling_and_convolution_of_float16_add_up_in_more_digits():
    x = np.full((1, 1, 64, 64), 100, np.float16)
    out, _ = convolution.avg_pool2d_forward(x, 64)
    np.testing.assert_allclose(out, 100, rtol=1e-3)


def test_sums_over_many_examples_and_steps_do_not_stall_in_float16():
    x, w, b = np.ones((5000, 1), np.float16), np.ones((1, 1), np.float16), np.zeros(1, np.float16)
    out, cache = dense.affine_forward(x, w, b)
    for dw in dense.affine_backward(out, cache)[1:]:
        assert dw.dtype == np.float16 and dw.item() == 5000
    rng = np.random.default_rng(0)
    narrow = [rng.standard_normal(shape).astype(np.float16) for shape in ((4, 6, 3), (4, 2), (3, 2), (2, 2), (2,))]
    out, cache = recurrent.rnn_forward(*narrow)
    wide, _ = recurrent.rnn_forward(*(a.astype(np.float32) for a in narrow))
    assert out.dtype == np.float16
    np.testing.assert_allclose(out, wide, atol=1e-3)
    assert {g.dtype for g in recurrent.rnn_backward(np.ones_like(out), cache)} == {np.dtype(np.float16)}


def test_minus_infinity_marks_what_is_not_allowed():
    scores = np.array([[1.0, -np.inf, 2.0], [0.0, 0.0, -np.inf]])
    p = activations.softmax(scores)
    np.testing.assert_allclose(p, [[1 / (1 + np.e), 0, np.e / (1 + np.e)], [0.5, 0.5, 0]])
    log_p = activations.log_softmax(scores)
    assert (log_p[p == 0] == -np.inf).all()
    np.testing.assert_allclose(np.exp(log_p), p)
    loss, gradient = losses.softmax_cross_entropy(scores, np.array([2, 0]))
    assert np.isfinite(loss) and np.isfinite(gradient).all()


@pytest.mark.parametrize("row", [[np.nan, 0.0], [np.inf, 0.0], [-np.inf, -np.inf], [np.nan, -np.inf]])
def test_other_infinities_are_refused(row):
    for function in (activations.softmax, activations.log_softmax):
        with pytest.raises(NotFiniteError):
            function(np.array([[0.0, 1.0], row]))
