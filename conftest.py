"""Settings of every test, doctests and notebooks included."""

import os
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
NO_NETWORK = ROOT / "tests" / "no_network"

# Before NumPy is imported: the nets are small, and threads would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
# No test, and no process or notebook kernel that a test starts, reaches another machine.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(NO_NETWORK), os.environ.get("PYTHONPATH")]))
runpy.run_path(str(NO_NETWORK / "sitecustomize.py"))

# These need what only the book's build has.
collect_ignore = ["src/coursekit/interactive/sphinx_ext.py", "tools/book_ext.py"]


def pytest_configure(config):
    """Let hypothesis draw the same examples in every CI run, and new ones elsewhere."""
    from hypothesis import settings

    settings.register_profile("course", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
    settings.load_profile("course")


@pytest.fixture(scope="session")
def book():
    """The folder of the built book; built here if it has not been built yet."""
    import fcntl
    import subprocess
    import sys

    html = ROOT / "_build" / "html"
    (ROOT / "_build").mkdir(exist_ok=True)
    with open(ROOT / "_build" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of several test processes builds, the others wait
        if not (html / "index.html").is_file():
            done = subprocess.run([sys.executable, "tools/build_book.py"], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return html
