"""coursekit.precision: torch's bfloat16 and float8 bit for bit, and what small and large gradients become."""

import numpy as np
import pytest
import torch

from coursekit.errors import DTypeError, NotFiniteError, RangeError
from coursekit.precision import round_bfloat16, round_float8, through_float8, through_float16


def test_bfloat16_is_that_of_torch_to_the_last_bit():
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    edges = np.array([0.0, -0.0, 3.3895e38, 3.4e38, np.inf, -np.inf, np.nan, 1e-45, 1.00390625, 1.01171875], np.float32)
    for x in (any_bits, edges, rng.standard_normal((3, 4)).astype(np.float32).T):
        expected = torch.from_numpy(np.ascontiguousarray(x)).bfloat16().float().numpy()
        np.testing.assert_array_equal(round_bfloat16(x), expected)
        assert round_bfloat16(x).dtype == np.float32
    with pytest.raises(DTypeError, match="must hold floats"):
        round_bfloat16(np.arange(3))


def test_scaling_saves_small_gradients_and_too_much_of_it_loses_large_ones():
    grads = {"w": np.array([1e-8, 1e-5, 1.0], np.float32), "b": {"x": np.zeros(2, np.float32)}}
    assert through_float16(grads)["w"][0] == 0
    saved = through_float16(grads, 1024.0)
    np.testing.assert_allclose(saved["w"], grads["w"], rtol=2e-3)
    assert saved["w"].dtype == np.float32 and saved["b"]["x"].shape == (2,)
    np.testing.assert_array_equal(np.isinf(through_float16(grads, 2.0**17)["w"]), [False, False, True])
    half = torch.from_numpy(grads["w"] * 1024).half().float().numpy() / 1024
    np.testing.assert_array_equal(saved["w"], half)
    with pytest.raises(RangeError, match=r"scale is 0, but must be a finite number in \(0, inf"):
        through_float16(grads, 0)


@pytest.mark.parametrize(("kind", "theirs"), [("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)])
def test_float8_is_that_of_torch_to_the_last_bit(kind, theirs):
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32).view(np.float32)
    usual = (rng.standard_normal(50_000) * 10.0 ** rng.uniform(-7, 5, 50_000)).astype(np.float32)
    edges = np.array([0.0, 448, 463.9, 464, 57344, 61439, 61440, 1e-45, 2**-10, 2**-10 * 1.01, 2**-16], np.float32)
    for x in (any_bits, usual, edges, -edges, np.array([np.inf, -np.inf, np.nan], np.float32)):
        expected = torch.from_numpy(x).to(theirs).float().numpy()
        got = round_float8(x, kind)
        if kind == "e4m3":  # beyond 464 older versions of torch have NaN
            expected = np.where(np.abs(x) > 464, np.copysign(np.float32(448), x), expected)
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == np.float32
    with pytest.raises(RangeError, match="kind is 'e3m4'"):
        round_float8(usual, "e3m4")


def test_with_a_scale_of_its_own_an_array_of_any_size_keeps_its_digits_and_loses_what_is_far_smaller():
    x = np.random.default_rng(0).uniform(1, 2, (3, 50)).astype(np.float32)
    for size in (1e-30, 1e-5, 1.0, 1e20):
        for kind, half_step in (("e4m3", 2**-4), ("e5m2", 2**-3)):
            back = through_float8(x * np.float32(size), kind)
            assert back.dtype == np.float32 and back.shape == x.shape
            assert 0.5 * half_step < np.abs(back / (x * np.float32(size)) - 1).max() <= half_step
    small = np.array([1.0, 1e-5, 1e-6, 1e-10])  # times 256, E4M3 keeps what is above 2**-10; times 2**15, E5M2 2**-17
    np.testing.assert_array_equal(through_float8(small) > 0, [True, True, False, False])
    np.testing.assert_array_equal(through_float8(small, "e5m2") > 0, [True, True, True, False])
    np.testing.assert_array_equal(through_float8(np.zeros(3)), np.zeros(3))
    with pytest.raises(NotFiniteError, match="set the scale"):
        through_float8(np.array([1.0, np.inf]))
