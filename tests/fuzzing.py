"""How many examples the tests that feed random bytes and trees draw; `make fuzz` asks for more."""

import os


def examples(usual: int) -> int:
    """`usual` in every test run, COURSEKIT_FUZZ times as many where that is set."""
    return usual * int(os.environ.get("COURSEKIT_FUZZ", "1"))
