"""Grade the same submissions with `otter run` and with `coursekit grade`, in turn, and print the ratio of their times.

    python -m venv .otter && .otter/bin/pip install otter-grader -e .
    python benchmarks/otter_pair.py --otter .otter/bin [--submissions 60] [--sheet 05]

Otter is run as its documentation says, one notebook at a time, with the sheet's cases as its exception-based tests.
Each program grades the reference solution; both must give it full marks, or nothing is measured.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "attacks"))
from notebooks import instructor_cells, notebook  # noqa: E402

from coursekit.grading.cases import load_sheet  # noqa: E402

TEST = """from otter.test_files import test_case
from coursekit.grading.cases import load_sheet, otter_tests

OK_FORMAT = False
name = {name!r}
points = {points}
globals().update(otter_tests(load_sheet({sheet!r})[{question!r}], test_case))
"""


def run(command, cwd):
    """Seconds that a command took; its output goes to the message when it fails."""
    start = time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--otter", type=Path, required=True, help="bin folder of an environment with otter-grader")
    parser.add_argument("--submissions", type=int, default=60, help="how large the class is")
    parser.add_argument("--turns", type=int, default=4, help="otter grades one of them in each turn, we all of them")
    parser.add_argument("--sheet", default="05")
    options = parser.parse_args()
    otter, here = options.otter.absolute(), Path(sys.executable).parent
    sheet = load_sheet(options.sheet)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "tests").mkdir()
        for question in sheet.questions:
            name = "q" + question.id.replace(".", "_")
            test = TEST.format(name=name, points=question.points, sheet=options.sheet, question=question.id)
            (work / "tests" / f"{name}.py").write_text(test)
        run([otter / "otter", "generate", "-t", "tests", "-o", work / "autograder.zip", "--no-environment"], work)
        (work / "submissions").mkdir()
        solved = notebook(*instructor_cells(options.sheet))
        for number in range(options.submissions):
            (work / "submissions" / f"student{number}.ipynb").write_bytes(solved)
        key = work / "key"
        run([here / "coursekit", "make-key", key], work)
        theirs, ours = [], []
        for number in range(options.turns):
            one = work / f"one{number}"
            one.mkdir()
            shutil.copy(work / "submissions" / f"student{number}.ipynb", one / "submission.ipynb")
            command = [otter / "otter", "run", "-a", work / "autograder.zip", "-o", one, one / "submission.ipynb"]
            theirs.append(run(command, work))
            results = json.loads((one / "results.json").read_text())
            scores = [test["score"] for test in results["tests"] if test.get("max_score")]
            if sum(scores) != sum(question.points for question in sheet.questions):
                sys.exit(f"otter gave the reference solution {sum(scores)} points")
            out = work / f"graded{number}"
            command = [here / "coursekit", "grade", work / "submissions", "--sheet", options.sheet, "--key", key]
            ours.append(run([*command, "--out", out], work) / options.submissions)
            with (out / "gradebook.csv").open() as file:
                rows = list(csv.DictReader(file))
            if len(rows) != options.submissions:
                sys.exit(f"coursekit graded {len(rows)} of {options.submissions} submissions")
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, sheet {options.sheet}")
        print(f"otter run        {median(theirs):7.2f} s a submission (median of {len(theirs)})")
        print(
            f"coursekit grade  {median(ours):7.2f} s a submission (median of {len(ours)} runs of {options.submissions})"
        )
        print(f"ratio            {median(theirs) / median(ours):7.1f}")


if __name__ == "__main__":
    main()
