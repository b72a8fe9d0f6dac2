"""coursekit.curvature: products with the Hessian and the sharpness of losses whose Hessian is known."""

import numpy as np
import pytest

from coursekit.curvature import hessian_vector, sharpness
from coursekit.errors import NotFiniteError, ShapeError


def bowl(eigenvalues, rng):
    basis, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))
    return basis @ np.diag(eigenvalues) @ basis.T, basis


def test_the_product_is_that_with_the_matrix_also_where_the_curvature_changes():
    rng = np.random.default_rng(0)
    h, _ = bowl([1.0, 4.0, 9.0], rng)
    w, v = rng.standard_normal(3), 5 * rng.standard_normal(3)
    quartic = np.diag(3 * w**2)  # of the loss sum w^4 / 4
    np.testing.assert_allclose(hessian_vector(lambda w: h @ w + w**3, w, v), (h + quartic) @ v, rtol=1e-6)
    assert (hessian_vector(lambda w: h @ w, w, np.zeros(3)) == 0).all()


@pytest.mark.parametrize("largest", [7.0, -7.0])
def test_the_sharpness_is_the_eigenvalue_of_largest_size(largest):
    rng = np.random.default_rng(0)
    h, basis = bowl([0.5, 1.0, 2.0, largest], rng)
    found, v = sharpness(lambda w: h @ w, np.ones(4), rng)
    assert found == pytest.approx(largest, rel=1e-6)
    assert abs(v @ basis[:, 3]) == pytest.approx(1)


def test_bad_input():
    with pytest.raises(ShapeError):
        hessian_vector(lambda w: w, np.ones(2), np.ones(3))
    with pytest.raises(NotFiniteError, match="diverged"):
        sharpness(lambda w: w * np.nan, np.ones(2), np.random.default_rng(0))
