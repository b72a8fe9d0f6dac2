"""Feed the grader's protocol and its notebook reader random input for a while: `python tools/fuzz.py --minutes 60`.

Rounds of the tests that do it in every run, with ten times the examples and another seed each. The first input that
crashes or hangs the grader ends it, and pytest prints that input.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/test_sealed_protocol.py", "tests/test_sealed_notebook.py"]
RANDOM = "what_goes_in or test_any or lengths_that or whatever_a_child or answer_with_the_right_id"


def main():
    """Go on until the time is over or something was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    minutes = parser.parse_args().minutes
    environment = {**os.environ, "COURSEKIT_FUZZ": "10"}
    environment.pop("CI", None)  # where it is set, seeds are fixed
    start, rounds = time.monotonic(), 0
    while time.monotonic() - start < 60 * minutes:
        seed = random.SystemRandom().randrange(2**32)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-k", RANDOM, f"--hypothesis-seed={seed}", *TESTS]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"{done.stdout}\n{done.stderr}\nFound in round {rounds + 1}, with seed {seed}.")
        rounds += 1
        passed = (time.monotonic() - start) / 60
        print(f"round {rounds}, {passed:.1f} minutes: {done.stdout.strip().splitlines()[-1]}", flush=True)
    print(f"{rounds} rounds in {(time.monotonic() - start) / 60:.1f} minutes: no crash, no hang.")


if __name__ == "__main__":
    main()
