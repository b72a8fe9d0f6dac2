import numpy as np
import pytest

from coursekit.errors import DTypeError, NotFiniteError, RangeError, ShapeError
from coursekit.gradcheck import GradientReport, gradient_check, numerical_gradient


def cubes(x):
    return (x**3).sum()


def test_the_numerical_gradient_of_a_cubic_is_its_derivative(rng):
    x = rng.standard_normal((2, 3))
    np.testing.assert_allclose(numerical_gradient(cubes, x), 3 * x**2, rtol=1e-7, atol=1e-9)


def test_the_input_is_left_alone_even_if_f_keeps_it(rng):
    x = rng.standard_normal(4)
    before, seen = x.copy(), []
    numerical_gradient(lambda v: seen.append(v) or v.sum(), x)
    np.testing.assert_array_equal(x, before)


def test_eps_is_the_step():
    # For f = x^3 the central difference is off by exactly eps^2.
    assert numerical_gradient(cubes, np.array([1.0]), eps=0.1)[0] == pytest.approx(3.01)


def test_a_right_gradient_passes_and_reads_as_a_sentence(rng):
    x = rng.standard_normal(5)
    report = gradient_check(cubes, x, 3 * x**2, name="dx")
    assert report
    assert str(report).startswith("dx agrees: largest relative error ")


def test_one_wrong_entry_fails_and_is_named(rng):
    x = rng.standard_normal((3, 4))
    wrong = 3 * x**2
    wrong[2, 1] *= 1.01
    report = gradient_check(cubes, x, wrong)
    assert not report
    assert report.index == (2, 1)
    assert "DISAGREES" in str(report)


def test_a_report_says_what_is_wrong_and_where():
    assert str(GradientReport("dw", 0.5, 1e-6, (2, 1), 1.5, 3.0)) == (
        "dw DISAGREES: largest relative error 5.0e-01 (tolerance 1e-06) at [2, 1], yours 1.5, measured 3"
    )


def test_a_report_holds_what_was_given_and_what_was_measured_where_it_is_worst():
    report = gradient_check(cubes, np.array([1.0, 2.0]), np.array([3.0, 15.0]))
    assert (report.name, report.index, report.analytic, report.tolerance) == ("gradient", (1,), 15.0, 1e-6)
    assert report.numerical == pytest.approx(12, abs=1e-6) and report.error == pytest.approx(0.2, abs=1e-6)


def test_an_error_as_large_as_the_tolerance_passes():
    assert GradientReport("dw", 0.5, 0.5, (), 1.0, 2.0)
    assert not GradientReport("dw", 0.5, 0.4, (), 1.0, 2.0)


def test_f_may_return_its_one_number_in_an_array():
    np.testing.assert_allclose(numerical_gradient(lambda x: x[None] ** 2, np.array(3.0)), 6)


def test_what_f_returns_is_taken_as_float64_before_the_difference():
    drop = numerical_gradient(lambda x: np.float16(-6e4 * np.sign(x)), np.array(0.0), eps=0.5)
    np.testing.assert_allclose(drop, -12e4, rtol=1e-3)  # more than float16 can say


def test_a_wrong_sign_fails(rng):
    x = rng.standard_normal(5)
    assert not gradient_check(cubes, x, -3 * x**2)


def test_entries_near_zero_count_relative_to_the_rest():
    x = np.array([0.0, 1.0])
    assert gradient_check(cubes, x, np.array([1e-12, 3.0]))
    assert gradient_check(cubes, x, np.array([2e-9, 3.0]))  # off by less than 1e-6 of a thousandth of 3
    assert not gradient_check(cubes, x, np.array([4e-9, 3.0]))


def test_all_zero_gradients_agree():
    assert gradient_check(lambda x: 0.0 * x.sum(), np.ones(3), np.zeros(3))


TWO_NUMBERS = (
    r"^f returned an array of shape \(2,\), but must return one number, for example \(out \* dout\)\.sum\(\) "
    r"with a random upstream gradient dout$"
)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: numerical_gradient(lambda x: None, np.ones(2)),
            DTypeError,
            r"^f returned None, .* a return is missing$",
        ),
        (lambda: numerical_gradient(cubes, [1.0]), DTypeError, "x is a list"),
        (lambda: numerical_gradient(lambda x: x, np.ones(2)), ShapeError, TWO_NUMBERS),
        (lambda: numerical_gradient(cubes, np.ones(2), eps=0), RangeError, r"^eps is 0, but must be .* \(0, inf\)$"),
        (lambda: gradient_check(cubes, np.ones(2), np.ones(3)), ShapeError, r"gradient has shape \(3,\), but x has"),
        (lambda: gradient_check(cubes, np.ones(2), [3.0, 3.0]), DTypeError, r"^gradient is a list"),
        (
            lambda: gradient_check(cubes, np.ones(2), np.array([1, np.nan])),
            NotFiniteError,
            r"^gradient contains nan at",
        ),
        (lambda: gradient_check(cubes, np.ones(2), np.ones(2), eps=-1), RangeError, r"^eps is -1, .* \(0, inf\)$"),
        (
            lambda: gradient_check(cubes, np.ones(2), np.ones(2), tolerance=0),
            RangeError,
            r"^tolerance is 0, .* \(0, inf",
        ),
        (
            lambda: gradient_check(lambda x: np.nan, np.ones(2), np.ones(2)),
            NotFiniteError,
            r"^the measured gradient of f",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
