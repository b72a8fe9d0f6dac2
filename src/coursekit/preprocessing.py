r"""Preprocessing: shift, scale and turn the inputs before a network sees them.

| class | what it does | learns from the training data |
|---|---|---|
| `Standardizer` | $(x - \mu) / \sigma$, each feature | mean and standard deviation of each feature |
| `MeanImage` | $x - \bar x$, each pixel | the mean image (AlexNet 2012) |
| `ChannelMean` | $x - \bar x$, each channel | one number a channel (VGG 2014) |
| `PCA` | turns to the directions of largest variance | mean, directions, variances |
| `Whitening` | turns, and gives every direction variance 1 | the same |

Fit on the training data, then transform training, validation and test data with what was fitted::

    standardizer = Standardizer().fit(x_train)
    x_train, x_test = standardizer.transform(x_train), standardizer.transform(x_test)

The objects are frozen: `fit` returns a new, fitted one. Fitting on all data leaks the test set into training, which
is why nothing here fits and transforms in one call. All is worked out in float64, the
difference from the mean before anything is rounded; `transform` and `inverse` return the dtype that they are given. NaN
is refused by `fit` and passes through `transform`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from . import _checks
from .errors import CourseError, RangeError, ShapeError

__all__ = ["PCA", "ChannelMean", "MeanImage", "Standardizer", "Whitening"]


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
