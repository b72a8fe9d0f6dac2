"""Run every test in stages and end with one line for all of them: `python tools/run_tests.py`."""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "test-artefacts"
PYTEST = [sys.executable, "-m", "pytest", "-q", "--color=auto"]


def stages():
    """Yield (title, command) of each stage. What measures time has the machine to itself."""
    yield "the book", [sys.executable, "tools/build_book.py"]
    yield "code", [*PYTEST, "-n", "2", "--ignore=tests/browser", "src", "tests"]
    notebooks = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("[ce][hx]*/*.ipynb"))
    if notebooks:
        # Each notebook cold in its own kernel; its outputs are not compared, because none are stored.
        yield (
            "notebooks",
            [*PYTEST, "-n", "2", "--dist=loadfile", "--nbval-lax", "--nbval-cell-timeout=180", *notebooks],
        )
    browser, book, explorers = (f"tests/browser{file}" for file in ("", "/test_book.py", "/test_explorers.py"))
    yield "the book in a browser", [*PYTEST, "-n", "2", book]
    others = [f"--ignore={book}", f"--ignore={explorers}"]
    yield "code in a browser", [*PYTEST, "-n", "2", "--dist=loadfile", browser, *others]
    yield "explorers in a browser", [*PYTEST, explorers]


def counts(report):
    """Return (passed, failed, skipped) from a JUnit report."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, errors, failures, skipped = (
        sum(int(suite.get(key)) for suite in suites) for key in ("tests", "errors", "failures", "skipped")
    )
    return total - errors - failures - skipped, errors + failures, skipped


def main():
    """Run the stages, whatever becomes of the ones before, and add up what they say."""
    ARTEFACTS.mkdir(exist_ok=True)
    start, passed, failed, skipped = time.monotonic(), 0, 0, 0
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for title, command in stages():
        print(f"\n=== {title}", flush=True)
        begun = time.monotonic()
        report = ARTEFACTS / f"junit-{title.replace(' ', '-')}.xml"
        report.unlink(missing_ok=True)
        is_pytest = "pytest" in command
        extra = [f"--junitxml={report}"] if is_pytest else []
        code = subprocess.run(command + extra, cwd=ROOT, env={**one_thread, **os.environ}).returncode
        if code < 0:
            print(f"=== {title} was ended from outside, by signal {-code}", flush=True)
        if report.is_file():
            good, bad, left_out = counts(report)
            bad = max(bad, 1) if code else bad
        else:
            good, bad, left_out = (0, 1, 0) if code else (1, 0, 0)
        passed, failed, skipped = passed + good, failed + bad, skipped + left_out
        print(
            f"=== {title}: {good} passed, {bad} failed, {left_out} skipped in {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    summary = f"{passed} passed, {failed} failed, {skipped} skipped in {time.monotonic() - start:.0f} s"
    (ARTEFACTS / "summary.txt").write_text(summary + "\n")
    print(f"\n{summary}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
