"""Load test of `coursekit grade`: synthetic submissions of sheet 05, some of them hostile; do the books balance?

    python benchmarks/grade_load.py            2,000 submissions
    python benchmarks/grade_load.py 200 --jobs 2

Prints submissions per second, wall time a submission, the peak memory of the grader and of a student's process, and
compares every total with the points that the submission was made to earn. Exit 1 when one differs.
"""

import argparse
import os
import pathlib
import resource
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed.books import rows, write_books
from coursekit.grading.sealed.grade import grade_folder
from coursekit.grading.sealed.jail import Limits
from coursekit.grading.sealed.probe import choose_tier
from coursekit.grading.sealed.submissions import find_submissions

LIMITS = Limits()
LOOP = "def xavier_normal(rng, shape):\n    while True: pass"


def kinds(cells):
    """(share, points, notebook): what a class hands in."""
    return [
        (70, 18, notebook(*cells)),
        (10, 11, notebook(*(c for c in cells if not c.startswith(("def count_units", "def init_network"))))),
        (10, 0, notebook(*(c for c in cells if not c.startswith("def ")))),
        (4, 18, notebook(*cells, "1 / 0")),
        (3, 0, b"not a notebook"),
        (1, 18, notebook(*cells, "import os; os._exit(1)")),
        (1, 18, notebook(*cells, "x = []\nwhile True: x.append(bytearray(1 << 24))")),
        (1, 18, notebook(*cells, "while True: pass")),
    ]  # fmt: skip


def main():
    """Make the submissions, grade them, check the books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--honest", action="store_true", help="right answers only: the cost of a plain submission")
    parser.add_argument("--loops", type=int, default=0, help="percent with an endless loop in an answer")
    options = parser.parse_args()
    sheet, cells = load_sheet("05"), instructor_cells("05")
    tier, _ = choose_tier()
    mix = kinds(cells)[:1] if options.honest else kinds(cells)
    if options.loops:
        mix = [(mix[0][0] * (100 - options.loops), *mix[0][1:]), *mix[1:]]
        mix += [(70 * options.loops, 10, notebook(*cells, LOOP))]
    pattern = [kind for kind in mix for _ in range(kind[0])]
    expected = {}
    with tempfile.TemporaryDirectory() as place:
        folder, out = pathlib.Path(place, "in"), pathlib.Path(place, "out")
        folder.mkdir()
        for i in range(options.count):
            _, points, data = (
                pattern[i * 37 % len(pattern)] if not options.loops else pattern[i * len(pattern) // options.count]
            )
            expected[f"s{i:05d}"] = points
            (folder / f"s{i:05d}.ipynb").write_bytes(data)
        found = find_submissions(folder, "05")
        before = time.process_time()
        started = time.perf_counter()
        records = grade_folder(
            found, sheet, b"a key for the load test", out, tier=tier, jobs=options.jobs, limits=LIMITS
        )
        seconds = time.perf_counter() - started
        table = rows(list(records.values()))
        write_books(out, sheet, list(records.values()), table, tier)
        total = {row.student: row.total for row in table}
        sums = {r["student"]: sum(q["points"] for q in r["questions"].values()) for r in records.values()}
    wrong = {s: (p, total.get(s)) for s, p in expected.items() if total.get(s) != p or sums[s] != p}
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = time.process_time() - before + children.ru_utime + children.ru_stime
    student = max(r.get("peak_mb", 0) for r in records.values())
    print(f"jail {tier}, {options.jobs} jobs, {options.count} submissions of {len(sheet.questions)} questions")
    print(
        f"{options.count / seconds:.1f} submissions per second, {seconds / options.count:.3f} s wall, "
        f"{cpu / options.count:.3f} s of processor a submission (load {os.getloadavg()[0]:.1f})"
    )
    case = children.ru_maxrss >> 10
    print(f"peak memory: grader {own} MB, the largest of its processes {case} MB, a student's process {student} MB")
    print(f"books balance: {not wrong} ({sum(total.values()):g} points of {sum(expected.values())} expected)")
    for student_id, (want, got) in list(wrong.items())[:10]:
        print(f"  {student_id}: expected {want}, got {got}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
