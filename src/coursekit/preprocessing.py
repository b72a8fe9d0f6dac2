r"""Preprocessing: shift, scale and turn the inputs before a network sees them.

| class | what it does | learns from the training data |
|---|---|---|
| `Standardizer` | $(x - \mu) / \sigma$, each feature | mean and standard deviation of each feature |
| `MeanImage` | $x - \bar x$, each pixel | the mean image (AlexNet 2012) |
| `ChannelMean` | $x - \bar x$, each channel | one number a channel (VGG 2014) |
| `ChannelStandardizer` | $(x - \bar x) / \sigma$, each channel | two numbers a channel |
| `Imputer` | fills gaps (NaN) | the median of each feature |
| `OneHot` | a column of 0 and 1 for each category | which categories there are |
| `PCA` | turns to the directions of largest variance | mean, directions, variances |
| `Whitening` | turns, and gives every direction variance 1 | the same |

Fit on the training data, then transform training, validation and test data with what was fitted::

    standardizer = Standardizer().fit(x_train)
    x_train, x_test = standardizer.transform(x_train), standardizer.transform(x_test)

The objects are frozen: `fit` returns a new, fitted one. Fitting on all data leaks the test set into training, which
is why nothing here fits and transforms in one call. All is worked out in float64, the
difference from the mean before anything is rounded; `transform` and `inverse` return the dtype that they are given. NaN
is refused by `fit` and passes through `transform`, but for `Imputer`, which is there to fill it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from . import _checks
from .errors import CourseError, DTypeError, NotFiniteError, RangeError, ShapeError

__all__ = [
    "PCA",
    "ChannelMean",
    "ChannelStandardizer",
    "Imputer",
    "MeanImage",
    "OneHot",
    "Standardizer",
    "Whitening",
]


@dataclass(frozen=True, eq=False)
class Standardizer:
    r"""Mean 0 and standard deviation 1 for each feature: $(x - \mu) / \sigma$ (LeCun et al. 1998, section 4.3).

    $\sigma^2 = \frac1N \sum_n (x_n - \mu)^2$, divided by N as in scikit-learn's `StandardScaler`. A feature that is
    constant in the training data has $\sigma = 0$; it is divided by 1 instead, and so becomes 0. So is one that varies
    by no more than the rounding of its dtype: its digits are noise.

    Attributes
    ----------
    mean, std : (D,) float64, after `fit`

    >>> x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 10.0]])
    >>> standardizer = Standardizer().fit(x)
    >>> standardizer.mean, standardizer.std.round(3)
    (array([ 3., 10.]), array([1.633, 1.   ]))
    >>> standardizer.transform(np.array([[3.0, 11.0]]))
    array([[0., 1.]])
    """

    mean: np.ndarray | None = field(default=None, repr=False)
    std: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> Standardizer:
        """Learn mean and standard deviation from x (N, D), at least two rows."""
        mean = _fit_rows(x)
        deviation = x - mean
        largest = np.abs(deviation).max(axis=0)
        constant = largest <= _rounding(x)
        unit = np.where(largest > 0, largest, 1.0)  # so that no square overflows or vanishes
        std = unit * np.sqrt(((deviation / unit) ** 2).mean(axis=0))
        return replace(self, mean=mean, std=np.where(constant, 1.0, std))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., D) -> (..., D)."""
        _for(self, x, self.mean)
        return ((x - self.mean) / self.std).astype(x.dtype)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo `transform`: (..., D) -> (..., D)."""
        _for(self, x, self.mean)
        return (x * self.std + self.mean).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class MeanImage:
    """Take the mean of all training images off, pixel by pixel, as AlexNet did (Krizhevsky et al. 2012).

    Attributes
    ----------
    mean : (H, W) or (C, H, W), the shape of one image, float64, after `fit`

    >>> images = np.zeros((4, 3, 8, 8))
    >>> MeanImage().fit(images).mean.shape
    (3, 8, 8)
    """

    mean: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> MeanImage:
        """Learn the mean image from x (N, H, W) or (N, C, H, W)."""
        _checks.float_array("x", x)
        if x.ndim not in (3, 4):
            raise ShapeError(f"x has shape {x.shape}; expected images, (N, H, W) or (N, C, H, W)")
        _checks.shape("x (..., N, H, W)" if x.ndim == 3 else "x (N, C, H, W)", x=x)
        _checks.finite("x", x)
        return replace(self, mean=_mean(x, axis=0))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Images of the fitted shape -> the same shape."""
        _for(self, x, self.mean)
        return (x - self.mean).astype(x.dtype)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo `transform`."""
        _for(self, x, self.mean)
        return (x + self.mean).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class ChannelMean:
    """Take one number a channel off, its mean over images and pixels, as VGG did (Simonyan and Zisserman 2014).

    Attributes
    ----------
    mean : (C,) float64, after `fit`

    >>> images = np.ones((4, 3, 8, 8)) * np.array([0.1, 0.2, 0.3])[:, None, None]
    >>> ChannelMean().fit(images).mean.round(3)
    array([0.1, 0.2, 0.3])
    """

    mean: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> ChannelMean:
        """Learn the channels' means from x (N, C, H, W)."""
        _checks.shape("x (N, C, H, W)", x=x)
        _checks.finite("x", x)
        return replace(self, mean=_mean(x, axis=(0, 2, 3)))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., C, H, W) -> (..., C, H, W)."""
        return (x - self._mean_for(x)).astype(x.dtype)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo `transform`."""
        return (x + self._mean_for(x)).astype(x.dtype)

    def _mean_for(self, x):
        _fitted(self, self.mean)
        channels = _checks.shape("x (..., C, H, W)", x=x)["C"]
        if channels != len(self.mean):
            raise ShapeError(f"x has shape {x.shape}, so {channels} channels; fitted on {len(self.mean)}")
        return self.mean[:, None, None]


@dataclass(frozen=True, eq=False)
class ChannelStandardizer:
    r"""Mean 0 and standard deviation 1 for each channel, over images and pixels: $(x - \bar x_c) / \sigma_c$.

    What `torchvision.transforms.Normalize(mean, std)` does with numbers that are given to it, and Keras's
    `Normalization(axis=1)` with numbers that it learns. A channel that never changes is divided by 1.

    Attributes
    ----------
    mean, std : (C,) float64, after `fit`

    >>> images = np.zeros((4, 3, 8, 8))
    >>> images[:2] = 2.0
    >>> fitted = ChannelStandardizer().fit(images)
    >>> fitted.mean, fitted.std
    (array([1., 1., 1.]), array([1., 1., 1.]))
    >>> float(fitted.transform(images).max())
    1.0
    """

    mean: np.ndarray | None = field(default=None, repr=False)
    std: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> ChannelStandardizer:
        """Learn the channels' means and deviations from x (N, C, H, W)."""
        channels = _checks.shape("x (N, C, H, W)", x=x)["C"]
        flat = Standardizer().fit(np.moveaxis(x, 1, -1).reshape(-1, channels))
        return replace(self, mean=flat.mean, std=flat.std)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., C, H, W) -> (..., C, H, W)."""
        mean, std = self._for(x)
        return ((x - mean) / std).astype(x.dtype)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo `transform`."""
        mean, std = self._for(x)
        return (x * std + mean).astype(x.dtype)

    def _for(self, x):
        _fitted(self, self.mean)
        channels = _checks.shape("x (..., C, H, W)", x=x)["C"]
        if channels != len(self.mean):
            raise ShapeError(f"x has shape {x.shape}, so {channels} channels; fitted on {len(self.mean)}")
        return self.mean[:, None, None], self.std[:, None, None]


@dataclass(frozen=True, eq=False)
class Imputer:
    """Fill gaps, which are NaN, with the feature's median, and say in further columns where they were.

    That a number is missing can itself be a hint, so each feature with gaps in training gets a column of 0 and 1. The
    median of the training rows, not of the rows that are filled. As scikit-learn's
    `SimpleImputer(strategy="median", add_indicator=True)`.

    Attributes
    ----------
    median : (D,) float64, after `fit`
    gaps : (D,) booleans: features that had a gap in the training rows

    >>> x = np.array([[1.0, 5.0], [np.nan, 7.0], [3.0, 9.0]])
    >>> Imputer().fit(x).transform(x)
    array([[1., 5., 0.],
           [2., 7., 1.],
           [3., 9., 0.]])
    """

    median: np.ndarray | None = field(default=None, repr=False)
    gaps: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> Imputer:
        """Learn the medians from x (N, D), in which NaN marks a gap."""
        _checks.shape("x (N, D)", x=x)
        missing = np.isnan(x)
        if missing.all(axis=0).any():
            column = int(missing.all(axis=0).argmax())
            raise NotFiniteError(f"x[:, {column}] is NaN in every row, so it has no median; leave the column out")
        _checks.finite("x", np.where(missing, 0, x))
        return replace(self, median=np.nanmedian(x.astype(np.float64), axis=0), gaps=missing.any(axis=0))

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., D) -> (..., D + number of features with gaps)."""
        _for(self, x, self.median)
        missing = np.isnan(x)
        filled = np.where(missing, self.median, x)
        return np.concatenate([filled, missing[..., self.gaps]], axis=-1).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class OneHot:
    """A column of 0 and 1 for each category; a category that was not seen in training gets 0 in all of them.

    Numbering the categories 0, 1, 2 instead would say that the third is twice the second, and a network believes it.
    As scikit-learn's `OneHotEncoder(handle_unknown="ignore")` for one column.

    Attributes
    ----------
    categories : (K,) in alphabetical (or rising) order, after `fit`

    >>> island = np.array(["Dream", "Biscoe", "Dream"])
    >>> fitted = OneHot().fit(island)
    >>> fitted.categories.tolist(), fitted.transform(np.array(["Biscoe", "Torgersen"]))
    (['Biscoe', 'Dream'], array([[1., 0.],
           [0., 0.]]))
    """

    categories: np.ndarray | None = field(default=None, repr=False)

    def fit(self, x: np.ndarray) -> OneHot:
        """Learn which categories there are from x (N,): words, whole numbers or booleans."""
        return replace(self, categories=np.unique(_categories(x)))

    def transform(self, x: np.ndarray, *, dtype=np.float64) -> np.ndarray:
        """(N,) -> (N, K)."""
        _fitted(self, self.categories)
        return (_categories(x)[:, None] == self.categories).astype(dtype)


def _categories(x):
    x = np.asarray(x)
    if x.ndim != 1 or x.size == 0:
        raise ShapeError(f"x has shape {x.shape}; expected one column of categories, (N,)")
    if x.dtype.kind not in "USbiu":
        raise DTypeError(
            f"x is {_checks.describe(x)}, but categories are words, whole numbers or booleans; for measurements use "
            "Standardizer"
        )
    return x


@dataclass(frozen=True, eq=False)
class PCA:
    r"""Principal component analysis: turn the data so that its features are uncorrelated, largest variance first.

    The covariance of the centred data is $C = \frac1N \sum_n (x_n - \mu)(x_n - \mu)^\top = V \Lambda V^\top$. Its
    eigenvectors V are the directions, its eigenvalues $\lambda$ the variances along them, and
    $\text{transform}(x) = (x - \mu) V$. Fewer columns of V leave the smallest variances out.

    An eigenvector's sign is arbitrary; here its entry of largest size is positive, as in scikit-learn. The variances
    are divided by N; scikit-learn divides by N - 1. With fewer rows than features there are only N directions.

    Parameters
    ----------
    k : how many directions to keep; None keeps all

    Attributes
    ----------
    mean : (D,) after `fit`
    components : (D, K) directions in columns, of length 1 and orthogonal
    variances : (K,) along them, falling
    total_variance : of all directions, also of those left out

    >>> x = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [2.0, 2.0]])
    >>> pca = PCA(k=1).fit(x)
    >>> pca.components.round(3).T, pca.share.round(3)        # all variance lies along the diagonal
    (array([[0.707, 0.707]]), array([1.]))
    >>> pca.inverse(pca.transform(x)).round(3).tolist() == x.tolist()
    True
    """

    k: int | None = None
    mean: np.ndarray | None = field(default=None, repr=False)
    components: np.ndarray | None = field(default=None, repr=False)
    variances: np.ndarray | None = field(default=None, repr=False)
    total_variance: float | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.k is not None:
            _checks.whole("k", self.k)

    @property
    def share(self) -> np.ndarray:
        """(K,) each direction's share of the total variance."""
        _fitted(self, self.mean)
        return self.variances / (self.total_variance or 1.0)

    def fit(self, x: np.ndarray) -> PCA:
        """Learn mean, directions and variances from x (N, D), at least two rows."""
        mean = _fit_rows(x)
        n, d = x.shape
        if self.k is not None and self.k > min(n, d):
            raise RangeError(f"k is {self.k}, but {n} rows of {d} features have only {min(n, d)} directions")
        centred = x - mean
        unit = np.abs(centred).max() or 1.0  # so that no square overflows or vanishes on the way
        centred /= unit
        if n < d:  # then the covariance, (D, D), is the larger matrix
            _, s, rows = np.linalg.svd(centred, full_matrices=False)
            variances, v = s**2 / n, rows.T
        else:
            variances, v = np.linalg.eigh(centred.T @ centred / n)
            variances, v = np.maximum(variances[::-1], 0), v[:, ::-1]
        variances = _in_unit(variances, unit)
        largest = np.abs(v).argmax(axis=0)
        v = v * np.where(v[largest, np.arange(v.shape[1])] < 0, -1, 1)
        k = self.k or min(n, d)
        return replace(
            self,
            mean=mean,
            components=np.ascontiguousarray(v[:, :k]),
            variances=variances[:k].copy(),
            total_variance=float(variances.sum()),
        )

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., D) -> (..., K)."""
        return self._turned(x).astype(x.dtype)

    def _turned(self, x):
        """The same in float64."""
        _for(self, x, self.mean)
        return (x - self.mean) @ self.components

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """(..., K) -> (..., D), exact if all directions were kept, else the nearest point that they span."""
        _fitted(self, self.mean)
        _features(x, self.components.shape[1])
        return (x @ self.components.T + self.mean).astype(x.dtype)


@dataclass(frozen=True, eq=False)
class Whitening:
    r"""Whitening: uncorrelated features of variance 1.

    With the directions V and variances $\lambda$ of `PCA`,

    $$\text{pca:}\quad (x - \mu)\, V \operatorname{diag}\frac{1}{\sqrt{\lambda + \epsilon}}, \qquad
    \text{zca:}\quad (x - \mu)\, V \operatorname{diag}\frac{1}{\sqrt{\lambda + \epsilon}} V^\top$$

    "zca" (Bell and Sejnowski 1997) turns back at the end, $(C + \epsilon I)^{-1/2}$: whitened images still look like
    images. $\epsilon$ keeps directions with hardly any variance, mostly noise, from being blown up; the variance after
    whitening is $\lambda / (\lambda + \epsilon)$, 1 only where $\lambda \gg \epsilon$.

    Parameters
    ----------
    method : "pca" or "zca"
    eps : added to the variances, >= 0, in the data's unit squared

    Attributes
    ----------
    pca : the fitted `PCA`

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((500, 2)) @ np.array([[2.0, 1.0], [0.0, 0.1]])
    >>> white = Whitening(eps=0).fit(x).transform(x)
    >>> np.allclose(white.T @ white / 500, np.eye(2))
    True
    """

    method: str = "pca"
    eps: float = 1e-5
    pca: PCA | None = field(default=None, repr=False)

    def __post_init__(self):
        _checks.choice("method", self.method, ("pca", "zca"))
        _checks.number("eps", self.eps, 0)

    def fit(self, x: np.ndarray) -> Whitening:
        """Learn mean, directions and variances from x (N, D), at least two rows."""
        pca = PCA().fit(x)
        n, d = x.shape
        rounding = max(pca.variances[0] * d * np.finfo(np.float64).eps, float(_rounding(x).max()) ** 2)
        flat = int((pca.variances <= rounding).sum()) + d - len(pca.variances)
        if self.eps == 0 and flat:
            raise RangeError(
                f"eps is 0, but {flat} of the {d} directions have no variance (x is {n} rows), and 1 / sqrt(0) is no "
                "number; use eps > 0, for example 1e-5, or drop constant and repeated features"
            )
        return replace(self, pca=pca)

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(..., D) -> (..., D); "pca" with fewer rows than features gives (..., K)."""
        _fitted(self, self.pca)
        if self.method == "pca":
            return (self.pca._turned(x) * self._scale(-0.5)).astype(x.dtype)
        _for(self.pca, x, self.pca.mean)
        return self._along_directions(x - self.pca.mean, -0.5).astype(x.dtype)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Undo `transform`. With "pca" and fewer rows than features: the nearest point that its directions span."""
        _fitted(self, self.pca)
        if self.method == "pca":
            _features(x, len(self.pca.variances))
            return self.pca.inverse(x * self._scale(0.5)).astype(x.dtype)
        _for(self.pca, x, self.pca.mean)
        return (self._along_directions(x, 0.5) + self.pca.mean).astype(x.dtype)

    def _scale(self, power):
        return (self.pca.variances + self.eps) ** power

    def _along_directions(self, centred, power):
        """Multiply with (variance + eps) ** power along each direction; (C + eps I) ** power as a matrix."""
        v = self.pca.components
        along = centred @ v
        out = (along * self._scale(power)) @ v.T
        if v.shape[1] < v.shape[0]:  # directions in which the training data did not vary at all
            out += (centred - along @ v.T) * self.eps**power
        return out


def _fit_rows(x):
    """Check x (N, D) for fitting; returns its mean."""
    _checks.float_array("x", x)
    if x.ndim > 2:
        raise ShapeError(f"x has shape {x.shape}; expected rows of features, (N, D): try x.reshape(len(x), -1)")
    n, _ = _checks.shape("x (N, D)", x=x).values()
    if n < 2:
        raise ShapeError(f"x has shape {x.shape}: one row has no variance; expected at least two rows")
    _checks.finite("x", x)
    return _mean(x, axis=0)


def _mean(x, axis):
    """The mean in float64, of numbers of any size: in units of the largest, and once more of what is left over."""
    unit = np.abs(x).max(axis=axis, keepdims=True).astype(np.float64)
    unit[unit == 0] = 1.0
    z = x / unit
    mean = z.mean(axis=axis, keepdims=True)
    mean += (z - mean).mean(axis=axis, keepdims=True)
    return np.squeeze(mean * unit, axis=axis)


def _rounding(x):
    """(D,) how far numbers of this size and dtype may lie from their mean and be the same number, rounded."""
    return 4 * np.finfo(x.dtype).eps * np.abs(x).max(axis=0).astype(np.float64)


def _in_unit(variances, unit):
    """Variances of data that were divided by `unit`."""
    with np.errstate(over="ignore", under="ignore"):
        result = variances * unit * unit
    if not np.isfinite(result).all() or (variances[0] > 0 and result[0] == 0):
        raise RangeError(
            f"x deviates from its mean by up to {unit:.3g}, whose square no float64 can hold; divide x by "
            f"{unit:.1g} first"
        )
    return result


def _fitted(what, learnt):
    if learnt is None:
        name = type(what).__name__
        raise CourseError(f"this {name} has not been fitted; type {name.lower()} = {name}(...).fit(x_train)")


def _features(x, count):
    d = _checks.shape("x (..., D)", x=x)["D"]
    if d != count:
        raise ShapeError(f"x has shape {x.shape}, so {d} features; expected {count}, as it was fitted")


def _for(what, x, learnt):
    """Check that x fits to what was learnt."""
    _fitted(what, learnt)
    _checks.float_array("x", x)
    own = learnt.shape
    if x.shape[x.ndim - len(own) :] != own or x.ndim < len(own):
        raise ShapeError(
            f"x has shape {x.shape}; it was fitted on {own}, so expected x (..., {str(own)[1:-1].strip(',')})"
        )
