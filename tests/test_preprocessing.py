import dataclasses

import numpy as np
import pytest

from coursekit import data
from coursekit.errors import CourseError, DTypeError, NotFiniteError, RangeError, ShapeError
from coursekit.preprocessing import (
    PCA,
    ChannelMean,
    ChannelStandardizer,
    Imputer,
    MeanImage,
    OneHot,
    Standardizer,
    Whitening,
)

ROWS = [Standardizer(), PCA(), PCA(k=2), Whitening(), Whitening("zca")]
ALL = [*ROWS, MeanImage(), ChannelMean(), ChannelStandardizer()]


def sample(n=200, d=4, seed=0, dtype=np.float64):
    """Correlated rows whose features differ in scale and are not centred."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) * 10.0 ** np.arange(d) + 5).astype(dtype)


def images(n=7, dtype=np.float64):
    return np.random.default_rng(0).random((n, 3, 6, 5)).astype(dtype)


def data_for(tool, dtype=np.float64):
    return (
        images(dtype=dtype) if isinstance(tool, (MeanImage, ChannelMean, ChannelStandardizer)) else sample(dtype=dtype)
    )


# What each one does


def test_standardized_training_data_has_mean_0_and_standard_deviation_1():
    z = Standardizer().fit(sample()).transform(sample())
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)


def test_standardizing_uses_what_was_fitted_not_what_is_transformed():
    train, test = sample(), sample(50, seed=1) * 3
    fitted = Standardizer().fit(train)
    expected = (test - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(fitted.transform(test), expected, rtol=1e-12)
    np.testing.assert_allclose(fitted.transform(test[3]), expected[3], rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, -3e-9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_feature_becomes_0(value, dtype):
    x = sample(n=33, dtype=dtype)
    x[:, 1] = value
    z = Standardizer().fit(x).transform(x)
    assert (z[:, 1] == 0).all()
    assert np.abs(z[:, 0]).max() > 1


def test_a_feature_that_was_constant_in_training_is_divided_by_1():
    fitted = Standardizer().fit(np.array([[1.0, 7.0], [3.0, 7.0]]))
    np.testing.assert_array_equal(fitted.std, [1, 1])
    np.testing.assert_array_equal(fitted.transform(np.array([4.0, 9.0])), [2, 2])


@pytest.mark.parametrize("tool", [Standardizer(), PCA(), MeanImage(), ChannelMean()], ids=repr)
def test_statistics_of_float32_data_are_those_of_the_same_data_in_float64(tool):
    x = data_for(tool, np.float32) + np.float32(1000)
    fitted, exact = tool.fit(x), tool.fit(x.astype(np.float64))
    for name in {"mean", "std", "variances"} & set(vars(fitted)):
        assert getattr(fitted, name).dtype == np.float64
        np.testing.assert_allclose(getattr(fitted, name), getattr(exact, name), rtol=1e-12)


def test_the_breast_table_is_standardized_as_by_hand():
    x = data.tables("breast").x
    z = Standardizer().fit(x).transform(x)
    np.testing.assert_allclose(z, (x - x.mean(0, dtype=float)) / x.std(0, dtype=float), rtol=2e-4, atol=2e-4)


def test_the_mean_image_is_the_mean_over_images():
    x = images()
    fitted = MeanImage().fit(x)
    np.testing.assert_allclose(fitted.mean, x.mean(axis=0))
    np.testing.assert_allclose(fitted.transform(x[:2]), x[:2] - x.mean(axis=0))
    grey = x[:, 0]
    np.testing.assert_allclose(MeanImage().fit(grey).transform(grey).mean(axis=0), 0, atol=1e-15)


def test_the_channel_mean_is_one_number_a_channel():
    x = images()
    fitted = ChannelMean().fit(x)
    assert fitted.mean.shape == (3,)
    z = fitted.transform(x)
    np.testing.assert_allclose(z.mean(axis=(0, 2, 3)), 0, atol=1e-15)
    np.testing.assert_allclose(z[2, 1], x[2, 1] - x[:, 1].mean())
    np.testing.assert_allclose(fitted.transform(x[0]), z[0])
    np.testing.assert_allclose(fitted.transform(x[..., :2, :2]), z[..., :2, :2])  # another size is no trouble


def test_pca_gives_uncorrelated_features_with_falling_variances():
    x = sample()
    pca = PCA().fit(x)
    z = pca.transform(x)
    np.testing.assert_allclose(z.T @ z / len(x), np.diag(pca.variances), atol=1e-10 * pca.variances[0])
    assert (np.diff(pca.variances) <= 0).all()
    np.testing.assert_allclose(pca.components.T @ pca.components, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(pca.share.sum(), 1)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (6, 6), (5, 9), (2, 3)])
def test_pca_is_the_singular_value_decomposition(n, d):
    x = sample(n, d) / 10.0 ** np.arange(d)
    pca = PCA().fit(x)
    k = min(n, d)
    assert pca.components.shape == (d, k) and pca.variances.shape == (k,)
    _, s, rows = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(pca.variances, s**2 / n, rtol=1e-9, atol=1e-12 * s[0] ** 2)
    for j in range(min(k, n - 1)):
        v = rows[j] * np.sign(rows[j][np.abs(rows[j]).argmax()])
        np.testing.assert_allclose(pca.components[:, j], v, atol=1e-8)


@pytest.mark.parametrize("n", [200, 3])
def test_each_component_has_its_largest_entry_positive(n):
    v = PCA().fit(sample(n)).components
    assert (v[np.abs(v).argmax(axis=0), np.arange(v.shape[1])] > 0).all()


def test_fewer_directions_are_the_first_ones():
    x = sample()
    whole, two = PCA().fit(x), PCA(k=2).fit(x)
    np.testing.assert_array_equal(two.components, whole.components[:, :2])
    np.testing.assert_array_equal(two.variances, whole.variances[:2])
    np.testing.assert_allclose(two.share, whole.share[:2])
    assert two.share.sum() < 1
    lost = x - two.inverse(two.transform(x))
    np.testing.assert_allclose((lost**2).sum() / len(x), whole.variances[2:].sum(), rtol=1e-6)


@pytest.mark.parametrize(("n", "d"), [(40, 3), (3, 9), (5, 5)])
def test_all_directions_may_be_asked_for(n, d):
    x = sample(n, d) / 10.0 ** np.arange(d)
    np.testing.assert_array_equal(PCA(k=min(n, d)).fit(x).components, PCA().fit(x).components)
    with pytest.raises(RangeError, match=f"^k is {min(n, d) + 1}, but {n} rows of {d} features have only {min(n, d)} "):
        PCA(k=min(n, d) + 1).fit(x)


def test_rounding_makes_no_negative_variance():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 1)) @ rng.standard_normal((1, 20))
    pca = PCA().fit(x)
    assert (pca.variances >= 0).all()
    assert pca.share[0] > 1 - 1e-12


def test_pca_of_constant_data_has_no_variance_and_no_nan():
    pca = PCA().fit(np.ones((5, 3)))
    assert (pca.variances == 0).all() and (pca.share == 0).all()


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_the_whitened_covariance_is_the_identity(method):
    x = sample()
    z = Whitening(method, eps=0).fit(x).transform(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(z.T @ z / len(x), np.eye(4), atol=1e-8)


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_eps_leaves_the_variance_l_over_l_plus_eps(method):
    x, eps = sample(), 3.0
    fitted = Whitening(method, eps=eps).fit(x)
    z = fitted.transform(x)
    shares = fitted.pca.variances / (fitted.pca.variances + eps)
    assert shares[-1] < 0.9
    np.testing.assert_allclose(np.sort(np.linalg.eigvalsh(z.T @ z / len(x))), np.sort(shares), rtol=1e-8)


@pytest.mark.parametrize("n", [200, 5])
def test_zca_is_the_inverse_square_root_of_the_covariance(n):
    x, eps = sample(n, 7) / 10.0 ** np.arange(7), 0.1
    centred = x - x.mean(axis=0)
    values, v = np.linalg.eigh(centred.T @ centred / n + eps * np.eye(7))
    new = sample(20, 7, seed=3) / 10.0 ** np.arange(7)
    expected = (new - x.mean(axis=0)) @ (v / np.sqrt(values)) @ v.T
    np.testing.assert_allclose(Whitening("zca", eps).fit(x).transform(new), expected, rtol=1e-8, atol=1e-8)


def test_zca_stays_nearest_to_the_data():
    x = sample() / 10.0 ** np.arange(4)
    centred = x - x.mean(axis=0)
    pca, zca = (Whitening(method).fit(x).transform(x) for method in ("pca", "zca"))
    assert ((zca - centred) ** 2).sum() < ((pca - centred) ** 2).sum()


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_images_with_more_pixels_than_there_are_images_can_be_whitened(method):
    x = data.digits(flat=True).x_train[:40].astype(np.float64)
    fitted = Whitening(method, eps=1e-3).fit(x)
    z = fitted.transform(x)
    assert z.shape == ((40, 40) if method == "pca" else (40, 64))
    np.testing.assert_allclose(fitted.inverse(z), x, atol=1e-10)


# What all have in common


@pytest.mark.parametrize("tool", [t for t in ALL if repr(t) != "PCA(k=2)"], ids=repr)
def test_inverse_undoes_transform_on_new_data(tool):
    x = data_for(tool)
    fitted = tool.fit(x[: len(x) // 2 + 1])
    np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("tool", ALL, ids=repr)
def test_fit_returns_a_new_frozen_object_and_changes_nothing(tool):
    x = data_for(tool)
    before = x.copy()
    x.flags.writeable = False
    fitted = tool.fit(x)
    assert type(fitted) is type(tool) and fitted is not tool
    name = type(tool).__name__
    for use in (tool.transform, tool.inverse):
        with pytest.raises(
            CourseError,
            match=rf"^this {name} has not been fitted; type {name.lower()} = {name}\(\.\.\.\)\.fit\(x_train\)$",
        ):
            use(x)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted.mean = 0
    z = fitted.transform(x)
    z.flags.writeable = False
    fitted.inverse(z)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(fitted.transform(x), z)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tool", ALL, ids=repr)
def test_the_dtype_that_comes_in_goes_out(tool, dtype):
    x = data_for(tool, dtype)
    fitted = tool.fit(x)
    z = fitted.transform(x)
    assert z.dtype == fitted.inverse(z).dtype == dtype
    assert fitted.transform(x.astype(np.float16)).dtype == np.float16


@pytest.mark.parametrize("tool", ALL, ids=repr)
def test_nan_is_refused_in_fitting_and_passes_through_transform(tool):
    x = data_for(tool)
    fitted = tool.fit(x)
    bad = x.copy()
    bad.reshape(-1)[5] = np.nan
    with pytest.raises(NotFiniteError, match=r"x contains nan at index \("):
        tool.fit(bad)
    assert np.isnan(fitted.transform(bad)).any()
    bad.reshape(-1)[5] = np.inf
    with pytest.raises(NotFiniteError, match="x contains inf"):
        tool.fit(bad)


@pytest.mark.parametrize("tool", ROWS, ids=repr)
def test_rows_of_the_wrong_shape_are_named(tool):
    with pytest.raises(ShapeError, match="one row has no variance"):
        tool.fit(np.ones((1, 4)))
    with pytest.raises(ShapeError, match=r"try x\.reshape\(len\(x\), -1\)"):
        tool.fit(np.ones((5, 2, 2)))
    with pytest.raises(ShapeError, match="1 axis"):
        tool.fit(np.ones(5))
    with pytest.raises(ShapeError, match="axis D is empty"):
        tool.fit(np.ones((5, 0)))
    fitted = tool.fit(sample())
    with pytest.raises(ShapeError, match=r"it was fitted on \(4,\), so expected x \(\.\.\., 4\)$"):
        fitted.transform(np.ones((3, 7)))
    for use in (fitted.transform, fitted.inverse):
        with pytest.raises(ShapeError, match=r"x has shape \(3, 7\)"):
            use(np.ones((3, 7)))


@pytest.mark.parametrize("tool", ALL, ids=repr)
def test_whole_numbers_are_refused(tool):
    x = data_for(tool)
    with pytest.raises(DTypeError, match=r"try x\.astype"):
        tool.fit(x.astype(np.uint8))
    with pytest.raises(DTypeError, match=r"^x is an uint8 array"):
        tool.fit(x).transform(x.astype(np.uint8))
    with pytest.raises(DTypeError, match=r"^x is a list"):
        tool.fit(x).transform(x.tolist())


def test_images_of_the_wrong_shape_are_named():
    with pytest.raises(ShapeError, match=r"expected images, \(N, H, W\) or \(N, C, H, W\)"):
        MeanImage().fit(np.ones((5, 784)))
    for tool, shape in ((MeanImage(), (0, 8, 8)), (MeanImage(), (0, 3, 8, 8)), (ChannelMean(), (0, 3, 8, 8))):
        with pytest.raises(ShapeError, match="axis N is empty"):
            tool.fit(np.ones(shape))
    with pytest.raises(ShapeError, match=r"fitted on \(3, 6, 5\), so expected x \(\.\.\., 3, 6, 5\)"):
        MeanImage().fit(images()).transform(np.ones((2, 3, 5, 5)))
    with pytest.raises(ShapeError, match="3 axes; expected 4"):
        ChannelMean().fit(np.ones((5, 8, 8)))
    with pytest.raises(ShapeError, match="so 2 channels; fitted on 3"):
        ChannelMean().fit(images()).transform(np.ones((2, 2, 6, 5)))


@pytest.mark.parametrize(
    ("x", "flat"),
    [
        (np.ones((3, 7)) * np.arange(3)[:, None], 6),
        (sample()[:, [0, 1, 1]], 1),
        (sample(4), 1),
        (np.ones((5, 3)), 3),
        (sample(50, 1) @ np.random.default_rng(0).standard_normal((1, 40)), 39),  # one direction, turned
    ],
)
def test_directions_without_variance_need_an_eps(x, flat):
    message = (
        rf"^eps is 0, but {flat} of the {x.shape[1]} directions have no variance \(x is {len(x)} rows\), and "
        r"1 / sqrt\(0\) is no number; use eps > 0, for example 1e-5, or drop constant and repeated features$"
    )
    with pytest.raises(RangeError, match=message):
        Whitening(eps=0).fit(x)
    assert np.isfinite(Whitening(eps=1e-5).fit(x).transform(x)).all()


def test_bad_settings_are_named():
    with pytest.raises(RangeError, match="k is 5, but 200 rows of 4 features have only 4 directions"):
        PCA(k=5).fit(sample())
    with pytest.raises(RangeError, match="k is 0"):
        PCA(k=0)
    with pytest.raises(DTypeError, match=r"k is float 0\.9"):
        PCA(k=0.9)
    with pytest.raises(RangeError, match="method is 'cca', but must be one of 'pca', 'zca'"):
        Whitening("cca")
    with pytest.raises(RangeError, match="eps is -1"):
        Whitening(eps=-1)
    with pytest.raises(CourseError, match="not been fitted"):
        PCA().share


# Channels, gaps, categories


def test_standardized_channels_are_those_of_torch():
    import torch

    x = images(50) * np.array([1.0, 10.0, 100.0])[:, None, None] + 3
    fitted = ChannelStandardizer().fit(x)
    t = torch.from_numpy(x)
    std, mean = torch.std_mean(t, dim=(0, 2, 3), correction=0)
    expected = ((t - mean[:, None, None]) / std[:, None, None]).numpy()
    np.testing.assert_allclose(fitted.transform(x), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(fitted.transform(x[3]), expected[3], rtol=1e-10, atol=1e-12)
    with pytest.raises(ShapeError, match="so 2 channels; fitted on 3"):
        fitted.transform(x[:, :2])


def test_a_gap_is_filled_with_the_training_median_and_marked():
    x = np.array([[1.0, 5.0, np.nan], [np.nan, 7.0, 4.0], [3.0, 9.0, 6.0], [30.0, 11.0, 8.0]])
    fitted = Imputer().fit(x)
    np.testing.assert_array_equal(fitted.median, [3, 8, 6])
    new = np.array([[np.nan, np.nan, 1.0]])
    np.testing.assert_array_equal(fitted.transform(new), [[3, 8, 1, 1, 0]])  # no gap in training: no column
    assert fitted.transform(new.astype(np.float32)).dtype == np.float32
    with pytest.raises(NotFiniteError, match=r"x\[:, 1\] is NaN in every row"):
        Imputer().fit(np.array([[1.0, np.nan], [2.0, np.nan]]))
    with pytest.raises(NotFiniteError, match="contains inf"):
        Imputer().fit(np.array([[1.0, np.inf], [2.0, np.nan]]))


def test_each_category_has_a_column_and_an_unknown_one_has_none():
    fitted = OneHot().fit(np.array([3, 1, 3, 7]))
    np.testing.assert_array_equal(fitted.transform([7, 2, 1]), [[0, 0, 1], [0, 0, 0], [1, 0, 0]])
    assert fitted.transform([7], dtype=np.float32).dtype == np.float32
    with pytest.raises(DTypeError, match="for measurements use Standardizer"):
        OneHot().fit(np.array([0.5, 1.0]))
    with pytest.raises(ShapeError, match="one column of categories"):
        OneHot().fit(np.array([["a"], ["b"]]))
    with pytest.raises(CourseError, match=r"type onehot = OneHot\(\.\.\.\)\.fit\(x_train\)"):
        OneHot().transform(["a"])
