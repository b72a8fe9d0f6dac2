"""The error function, which NumPy lacks (`math.erf` takes one number at a time, and SciPy is no requirement)."""

from __future__ import annotations

import numpy as np

# W. J. Cody, Rational Chebyshev approximations for the error function, Mathematics of Computation 23 (1969), in the
# digits of his later Fortran code CALERF. Highest power first.
# erf(x) = x P(x^2) / Q(x^2) for |x| <= 0.46875.
P = (1.85777706184603153e-1, 3.16112374387056560, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3)
Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
# erfc(y) = exp(-y^2) R(y) / S(y) for 0.46875 <= y <= 4. Above 4 it is right to 1e-8, and erfc itself is below 2e-8.
R = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
S = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)


def erf(x: np.ndarray) -> np.ndarray:
    r"""Error function, $\frac{2}{\sqrt\pi} \int_0^x e^{-u^2} du$, entry by entry, to 1e-15 in float64.

    The dtype of x is kept; float16 is computed in float32.

    >>> erf(np.array([-np.inf, 0.0, 0.5, 6.0]))
    array([-1.        ,  0.        ,  0.52049988,  1.        ])
    """
    wide = x.astype(np.promote_types(x.dtype, np.float32), copy=False)
    y = np.minimum(np.abs(wide), 6)  # from here on erf rounds to 1
    squared = y * y
    inner = y * _polynomial(P, squared) / _polynomial(Q, squared)
    outer = 1 - np.exp(-squared) * _polynomial(R, y) / _polynomial(S, y)
    near = y <= 0.46875
    return np.copysign(near * inner + ~near * outer, wide).astype(x.dtype, copy=False)


def _polynomial(coefficients, x):
    value = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value *= x
        value += c
    return value
