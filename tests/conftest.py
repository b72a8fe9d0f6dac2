"""Fixtures that all tests share."""

import zlib

import numpy as np
import pytest


@pytest.fixture
def rng(request):
    """A generator whose seed is the test's name: the same numbers in every run, others in every test."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))
