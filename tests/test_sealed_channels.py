"""Check in the notebook, the Classroom workflow and the marks agree, for notebooks of many kinds."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.grading import check as checks
from coursekit.grading.cases import load_sheet
from coursekit.grading.classroom import check_folder
from coursekit.grading.sealed.grade import grade_bytes
from coursekit.grading.sealed.jail import Jail, Limits, safe_parts
from coursekit.grading.sealed.probe import choose_tier

ROOT = pathlib.Path(__file__).parents[1]
SHEET = load_sheet("05")
CELLS = instructor_cells("05")
KEY = b"a key of at least sixteen bytes"
FIRST = "05.1"


def xavier(body):
    return f"def xavier_normal(rng, shape):\n    {body}"


# What stands after the right notebook, and whether 05.1 is still right.
KINDS = {
    "right": ("x = 1", True),
    "wrong": (xavier("return rng.standard_normal(shape)"), False),
    "unwritten": (xavier("raise NotImplementedError"), False),
    "no return": (xavier("pass"), False),
    "raises": (xavier("return 1 / 0"), False),
    "magic before it": ("%matplotlib inline\n!pip install x\nx = 1", True),
    "a cell that raises": ("1 / 0", True),
    "a cell that calls exit": ("exit()", True),
    "a library that is not there": ("import a_library_that_is_not_there", True),
    "drawing": ("import matplotlib.pyplot as plt\nplt.plot([1, 2])", True),
    "a wrong number of arguments": ("def xavier_normal(rng): return 1", False),
    "a list": (xavier("return [1.0, 2.0]"), False),
    "the global generator": (xavier("return np.random.normal(size=shape)"), False),
}


def by_check(cells, monkeypatch):
    names = {"__name__": "__main__"}
    monkeypatch.setattr(
        checks, "_Display", lambda: type("D", (), {"waiting": lambda s, i: 0, "show": lambda s, t, p: 0})()
    )
    for cell in cells:
        lines = [line for line in cell.split("\n") if not line.startswith(("%", "!"))]
        try:
            exec("\n".join(lines), names)
        except (Exception, SystemExit):
            pass
    return checks.check(FIRST, names).passed


@pytest.fixture(scope="module")
def jail():
    with Jail(choose_tier()[0], Limits(), safe_parts(n for q in SHEET.questions for n in q.names)) as running:
        yield running


@pytest.mark.parametrize("name", KINDS)
def test_the_three_channels_agree(tmp_path, monkeypatch, jail, name):
    more, right = KINDS[name]
    data = notebook(*CELLS, more)
    (tmp_path / "any name.ipynb").write_bytes(data)
    page, _ = check_folder(tmp_path)
    marks = grade_bytes(jail, data, SHEET, KEY, [FIRST])["questions"][FIRST]
    assert (f"✅ {FIRST}" in page) is right
    assert (marks["points"] == marks["possible"]) is right, marks
    assert by_check([*CELLS, more], monkeypatch) is right


BAD_CELLS = [
    "exit()",
    "import os\nos._exit(1)",
    "while True: pass",
    "raise KeyboardInterrupt",
    "import sys\nsys.exit(3)",
]


@pytest.mark.parametrize("cell", BAD_CELLS)
def test_a_bad_cell_or_kernel_costs_nothing_else(tmp_path, monkeypatch, cell):
    from coursekit.grading.sealed import jail as jails

    monkeypatch.setattr(jails.Limits.__init__, "__defaults__", (2.0, 1.0, *jails.Limits.__init__.__defaults__[2:]))
    wrong = xavier("return rng.standard_normal(shape)")
    data = json.loads(notebook(*CELLS[:2], cell, *CELLS[2:], wrong))
    data["metadata"]["kernelspec"] = {"name": "my-conda-env", "display_name": "x", "language": "python"}
    (tmp_path / "05_a.ipynb").write_text(json.dumps(data))
    (tmp_path / "05_b.ipynb").write_bytes(notebook(*CELLS))
    page, right = check_folder(tmp_path)
    assert not right and f"❌ {FIRST}" in page and page.count("✅ 05.2") == 2 and f"✅ {FIRST}" in page


EMPTY = {
    "no notebook": {},
    "unsolved": {"Copy of 05_initialization.ipynb": (ROOT / "exercises" / "05_initialization.ipynb").read_bytes()},
    "named otherwise": {"losses.ipynb": (ROOT / "exercises" / "02_losses.ipynb").read_bytes()},
    "no checks and no names": {"05_initialization.ipynb": notebook("x = 1")},
    "not a notebook": {"05_initialization.ipynb": b"<html>"},
    "checks deleted, unsolved": {"05.ipynb": notebook("def xavier_normal(rng, shape):\n    raise NotImplementedError")},
}


@pytest.mark.parametrize("name", EMPTY)
def test_what_was_not_looked_at_is_never_green(tmp_path, name):
    for file, data in EMPTY[name].items():
        (tmp_path / file).write_bytes(data)
    done = subprocess.run(
        [sys.executable, ROOT / "classroom" / "check.py"], cwd=tmp_path, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 1 and done.stdout.strip() and "✅" not in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_all_right_is_green(tmp_path):
    (tmp_path / "mine.ipynb").write_bytes(notebook(*CELLS))
    done = subprocess.run(
        [sys.executable, ROOT / "classroom" / "check.py"], cwd=tmp_path, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0 and done.stdout.count("✅") == len(load_sheet("05").questions), (
        done.stdout + done.stderr
    )
