import numpy as np
import pytest
import torch

from coursekit import initializers
from coursekit.errors import DTypeError, RangeError, ShapeError

DENSE, FILTERS = (300, 500), (40, 30, 3, 5)
RANDOM = ["normal", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "lecun_normal", "orthogonal"]
VARIANCE = {
    "xavier_uniform": lambda i, o: 2 / (i + o),
    "xavier_normal": lambda i, o: 2 / (i + o),
    "he_uniform": lambda i, o: 2 / i,
    "he_normal": lambda i, o: 2 / i,
    "lecun_normal": lambda i, o: 1 / i,
}


def test_fan_in_of_dense_weights_is_the_first_axis():
    assert initializers.fans((784, 100)) == (784, 100)


def test_fan_in_of_filters_is_channels_times_kernel():
    assert initializers.fans((16, 6, 5, 3)) == (6 * 15, 16 * 15)


@pytest.mark.parametrize("shape", [DENSE, FILTERS])
@pytest.mark.parametrize("name", VARIANCE)
def test_variance_is_that_of_the_paper(name, shape):
    w = getattr(initializers, name)(np.random.default_rng(0), shape, dtype=np.float64)
    expected = VARIANCE[name](*initializers.fans(shape))
    error = expected * np.sqrt(2 / w.size) * 5  # five standard errors of a normal's variance
    assert w.shape == shape
    assert abs(w.var() - expected) < error
    assert abs(w.mean()) < 5 * np.sqrt(expected / w.size)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [("xavier_uniform", torch.nn.init.xavier_uniform_), ("he_uniform", torch.nn.init.kaiming_uniform_)],
)
def test_uniform_bounds_equal_pytorchs(name, theirs):
    w = getattr(initializers, name)(np.random.default_rng(0), DENSE)
    keywords = {"nonlinearity": "relu"} if "he" in name else {}
    t = theirs(torch.empty(DENSE[::-1]), generator=torch.Generator().manual_seed(0), **keywords)
    assert abs(w).max() == pytest.approx(t.abs().max().item(), rel=1e-3)
    assert len(np.unique(w)) > w.size * 0.9


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3, 1)])
def test_orthogonal_rows_or_columns(shape):
    q = initializers.orthogonal(np.random.default_rng(3), shape, gain=2.0, dtype=np.float64).reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)
    assert initializers.orthogonal(np.random.default_rng(3), shape).shape == shape


@pytest.mark.parametrize("shape", [(5, 3), (4, 4)])
def test_orthogonal_is_the_q_of_a_normal_matrix_whose_r_has_a_positive_diagonal(shape):
    q = initializers.orthogonal(np.random.default_rng(3), shape, dtype=np.float64)
    r = q.T @ np.random.default_rng(3).standard_normal(shape)
    np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-12)
    assert (np.diag(r) > 0).all()


def test_orthogonal_draws_both_signs():
    signs = [initializers.orthogonal(np.random.default_rng(s), (1, 1))[0, 0] for s in range(40)]
    assert 5 < sum(s > 0 for s in signs) < 35


@pytest.mark.parametrize("name", RANDOM)
def test_the_generator_decides_and_dtype_only_rounds(name):
    f = getattr(initializers, name)
    same = [f(np.random.default_rng(5), (6, 4), dtype=d) for d in (np.float32, np.float64)]
    assert [w.dtype for w in same] == [np.float32, np.float64]
    np.testing.assert_array_equal(same[0], same[1].astype(np.float32))
    assert not np.array_equal(same[0], f(np.random.default_rng(6), (6, 4)))


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal", "orthogonal"])
def test_gain_is_1_at_first_scales_the_weights_and_is_never_negative(name):
    f = getattr(initializers, name)
    one = f(np.random.default_rng(0), (9, 4))
    for gain in (0, 0.5, 1.0, 2.0):
        np.testing.assert_allclose(f(np.random.default_rng(0), (9, 4), gain), gain * one, rtol=1e-6)
    with pytest.raises(RangeError, match=r"^gain is -0\.5, but must be a finite number in \[0, inf\)$"):
        f(np.random.default_rng(0), (9, 4), -0.5)


def test_normal_has_a_standard_deviation_of_a_hundredth_at_first():
    w = initializers.normal(np.random.default_rng(0), (9, 4), dtype=np.float64)
    np.testing.assert_allclose(w, 0.01 * np.random.default_rng(0).standard_normal((9, 4)), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_zeros_are_zeros_of_the_dtype(dtype):
    assert not initializers.zeros(None, (3, 2), dtype=dtype).any()
    assert initializers.zeros(None, (3, 2), dtype=dtype).dtype == dtype
    assert initializers.zeros(None, (3, 2)).dtype == np.float32


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, (3, 2)), DTypeError, r"rng is int 0, but must be a generator: rng=np.random.default_rng\(0\)"),
        ((np.random.default_rng(0), (3, 0)), RangeError, "every axis length in shape is 0, but must be at least 1"),
        ((np.random.default_rng(0), 3), ShapeError, "shape is 3, but must be a tuple of axis lengths"),
    ],
)
def test_bad_arguments_are_refused(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(initializers, name)(*arguments)


def test_unknown_fans_negative_std_and_integer_dtype_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ShapeError, match=r"shape is \(3,\); fan-in and fan-out are known for"):
        initializers.he_normal(rng, (3,))
    with pytest.raises(RangeError, match=r"std is -1, but must be a finite number in \[0, inf\)"):
        initializers.normal(rng, (3, 2), -1)
    with pytest.raises(RangeError, match="gain is nan"):
        initializers.xavier_normal(rng, (3, 2), float("nan"))
    for name in ("zeros", *RANDOM):
        with pytest.raises(DTypeError, match=r"^dtype is int64, but weights are floats: np\.float32 or np\.float64$"):
            getattr(initializers, name)(rng, (3, 2), dtype=np.int64)


@pytest.mark.parametrize("shape", [DENSE, FILTERS])
@pytest.mark.parametrize("name", ["he_normal", "he_uniform"])
def test_hes_rule_backwards_takes_the_fan_out_as_in_pytorch(name, shape):
    w = getattr(initializers, name)(np.random.default_rng(0), shape, mode="fan_out", dtype=np.float64)
    expected = 2 / initializers.fans(shape)[1]
    assert abs(w.var() - expected) < 5 * expected * np.sqrt(2 / w.size)
    theirs = torch.empty(shape if len(shape) == 4 else shape[::-1], dtype=torch.float64)
    rule = torch.nn.init.kaiming_normal_ if name == "he_normal" else torch.nn.init.kaiming_uniform_
    rule(theirs, mode="fan_out", nonlinearity="relu", generator=torch.Generator().manual_seed(0))
    assert theirs.var().item() == pytest.approx(expected, rel=0.05)
    with pytest.raises(RangeError, match="mode is 'fan_avg', but must be one of 'fan_in', 'fan_out'"):
        getattr(initializers, name)(np.random.default_rng(0), shape, mode="fan_avg")
