"""coursekit.precision: torch's bfloat16 bit for bit, and what becomes of small and large gradients in float16."""

import numpy as np
import pytest
import torch

from coursekit.errors import DTypeError, RangeError
from coursekit.precision import round_bfloat16, through_float16


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
