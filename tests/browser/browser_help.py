"""What several browser tests use."""

from __future__ import annotations

import os

import pytest

PHONE = {"viewport": {"width": 375, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def give_up(reason: str):
    """Skip with a reason; with CI=true a skip is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)
