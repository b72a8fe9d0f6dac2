"""coursekit.surrogates: a Gaussian process by conditioning, its improvement by drawing, TPE, Hyperband, ASHA."""

import numpy as np
import pytest
import torch

from coursekit.errors import RangeError, ShapeError
from coursekit.surrogates import expected_improvement, gaussian_process, hyperband, parzen, promotion, tpe_ratio


def test_the_process_is_a_normal_vector_conditioned_on_a_part_of_it():
    rng = np.random.default_rng(0)
    x, y, at = rng.uniform(0, 5, 6), rng.standard_normal(6), np.linspace(-1, 6, 9)
    mean, std = gaussian_process(x, y, at, length=0.7, spread=1.3, noise=0.2)
    every = torch.tensor(np.concatenate([x, at]))
    covariance = 1.3**2 * torch.exp(-((every[:, None] - every) ** 2) / (2 * 0.7**2))
    covariance[:6, :6] += 0.2**2 * torch.eye(6)
    precision = torch.linalg.inv(covariance + 1e-10 * torch.eye(15))  # of what is left, given what is known
    conditional = torch.linalg.inv(precision[6:, 6:])
    expected = y.mean() - conditional @ precision[6:, :6] @ torch.tensor(y - y.mean())
    np.testing.assert_allclose(mean, expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(std, conditional.diagonal().sqrt().numpy(), atol=1e-5)


def test_where_nothing_is_uncertain_the_improvement_is_what_is_known():
    mean, std = np.array([1e-15, 2e-15, 3e-15]), np.zeros(3)
    np.testing.assert_allclose(expected_improvement(mean, std, best=2e-15), [1e-15, 0, 0], rtol=1e-12, atol=1e-300)
    small = expected_improvement(np.array([0.0]), np.array([1e-15]), best=0.0)
    np.testing.assert_allclose(small, 1e-15 / np.sqrt(2 * np.pi), rtol=1e-12)


def test_the_improvement_is_the_mean_over_draws():
    draws = np.random.default_rng(0).standard_normal(200_000)
    mean, std = np.array([0.5, 2.0, 1.0]), np.array([0.3, 1.0, 2.0])
    expected = [np.maximum(0, 1.2 - (m + s * draws)).mean() for m, s in zip(mean, std, strict=True)]
    np.testing.assert_allclose(expected_improvement(mean, std, 1.2), expected, rtol=0.02)


def test_a_density_has_the_area_1_and_the_ratio_prefers_where_good_trials_are():
    at = np.linspace(-20, 20, 4001)
    assert parzen(np.array([-1.0, 3.0]), at, 0.7).sum() * 0.01 == pytest.approx(1, abs=1e-6)
    x = np.arange(8.0)
    ratio = tpe_ratio(x, (x - 6) ** 2, at, good=0.25, width=0.5)
    assert 5 < at[ratio.argmax()] < 8
    near = at[np.abs(at - 4) < 4]
    by_hand = parzen(x[[6, 5]], near, 0.5) / parzen(x[[0, 1, 2, 3, 4, 7]], near, 0.5)
    np.testing.assert_allclose(ratio[np.abs(at - 4) < 4], by_hand)


def test_hyperband_at_other_numbers_costs_about_the_same_in_each_bracket():
    brackets = hyperband(64, factor=4)
    assert [b[0] for b in brackets] == [(64, 1), (22, 4), (8, 16), (4, 64)]
    costs = [sum(count * budget for count, budget in bracket) for bracket in brackets]
    assert max(costs) < 1.5 * min(costs)
    assert hyperband(80, factor=3)[0][0] == (27, 2)  # the largest power of 3 below 80 is 27


def test_asha_looks_from_the_highest_round_down_and_never_promotes_twice():
    low, high = {"a": 0.1, "b": 0.4, "c": 0.2, "d": 0.9}, {"a": 0.1, "c": 0.3}
    assert promotion([low, high, {}], factor=2) == (1, "a")
    assert promotion([low, {"a": 0.1}, {}], factor=2) == (0, "c")
    assert promotion([{"a": 0.1}, {}], factor=2) is None
    with pytest.raises(RangeError, match="rungs is empty"):
        promotion([])


def test_bad_input():
    with pytest.raises(ShapeError, match="at least 2"):
        tpe_ratio(np.ones(1), np.ones(1), np.ones(3))
    with pytest.raises(RangeError, match="length"):
        gaussian_process(np.ones(2), np.ones(2), np.ones(3), length=0.0)
