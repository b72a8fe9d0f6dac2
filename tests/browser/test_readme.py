"""README's pictures show the book as it is: they are taken once more, and compared."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import readme  # noqa: E402

MOST = 4.0  # of 255; the same book gives less than 0.5, the other colours 100 and more


@pytest.fixture(scope="module")
def fresh(chromium, book, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    command = [sys.executable, "tools/readme.py", "--pictures", "--into", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_readmes_pictures_are_those_of_todays_book(fresh):
    taken = {path.name for path in fresh.iterdir()}
    assert taken == {path.name for path in readme.PICTURES.iterdir()}
    old = {name: round(readme.unlike(fresh / name, readme.PICTURES / name), 1) for name in sorted(taken)}
    assert all(value < MOST for value in old.values()), f"take them anew with make pictures, and look at them: {old}"


def test_that_another_picture_is_told_from_this_one(fresh):
    assert readme.unlike(fresh / "chapter-light.webp", fresh / "chapter-dark.webp") > 10 * MOST
    assert readme.unlike(fresh / "explorer.webp", fresh / "explorer.webp") == 0
