"""Load test of `coursekit grade`: made submissions of sheet 05, some of them hostile; do the books balance?

    make bench-grade                           300 submissions: honest ones, a class of all kinds, 5 % endless loops
    python benchmarks/grade_load.py 2000 --jobs 4

Prints submissions per second, processor time a submission, the peak memory of the grader and of its processes, and by
how much the slowest question overran its limit (processor time and sleep), and compares every total with the points
that the submission was made to earn. Exit 1 when one differs. `--write` puts the
table into benchmarks/GRADING.md.
"""

import argparse
import math
import os
import pathlib
import platform
import resource
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "attacks"))
import numpy as np
from notebooks import instructor_cells, notebook

from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed.books import rows, write_books
from coursekit.grading.sealed.collect import find_submissions
from coursekit.grading.sealed.grade import grade_folder
from coursekit.grading.sealed.jail import Limits
from coursekit.grading.sealed.probe import choose_tier

LIMITS = Limits()
# Limits for those who use them up, short because there are many.
SHORT = Limits(call_seconds=0.5, cell_seconds=0.5, question_seconds=2.0)
LOOP = "def xavier_normal(rng, shape):\n    while True: pass"
SLEEPER = "import time\n" + "time.sleep(0.4)\n"
WORKER = "t = time.process_time()\nwhile time.process_time() - t < 0.4: pass\n"
HOG = "import threading\ndef spin():\n    while True: pass\n"
HOG += "for _ in range(28): threading.Thread(target=spin, daemon=True).start()"


def points(*missing):
    """What an answer earns in which these functions are missing, or never end."""
    return sum(case.points for case in load_sheet("05").cases if not set(missing) & set(case.names))


def kinds(cells):
    """(share, points, notebook): what a class hands in."""
    full = points()
    without = [c for c in cells if not c.startswith(("def count_units", "def init_network"))]
    return [
        (70, full, notebook(*cells)),
        (10, points("count_units", "init_network"), notebook(*without)),
        (10, 0, notebook(*(c for c in cells if not c.startswith("def ")))),
        (4, full, notebook(*cells, "1 / 0")),
        (3, 0, b"not a notebook"),
        (1, full, notebook(*cells, "import os; os._exit(1)")),
        (1, full, notebook(*cells, "x = []\nwhile True: x.append(bytearray(1 << 24))")),
        (1, full, notebook(*cells, "while True: pass")),
    ]  # fmt: skip


def slow_kinds(cells):
    """What uses up the time of its questions in cells on which everything depends: nothing is left for an answer."""
    stars = "from math import *\n"
    return [
        (1, 0, notebook(*[stars + SLEEPER] * 16, *cells)),
        (1, 0, notebook("import time", *[stars + WORKER] * 16, *cells)),
        (1, 0, notebook(stars + HOG, *[stars + SLEEPER] * 16, *cells)),
    ]


CLASSES = {"honest": (1, 0), "of all kinds": (8, 0), "5 % endless loops": (1, 5)}
AT_LIMIT = "at the limit"  # of a few, whose questions use up their time


def pattern(cells, name):
    """(share, points, notebook) of a class: so many of `kinds`, and so many percent with an endless loop."""
    if name == AT_LIMIT:
        return slow_kinds(cells)
    count, loops = CLASSES[name]
    mix = kinds(cells)[:count]
    if loops:
        return [(100 - loops, *mix[0][1:]), (loops, points("xavier_normal", "init_network"), notebook(*cells, LOOP))]
    return mix


def spread(mix, count):
    """`count` of them, in shares, each kind scattered over the class."""
    each = [kind for kind in mix for _ in range(kind[0])]
    step = next(n for n in range(37, 1000, 2) if math.gcd(n, len(each)) == 1)
    return [each[i * step % len(each)][1:] for i in range(count)]


def measure(name, count, jobs, tier):
    """Grade such a class in a folder of its own: what it took, and whose marks are not what they should be."""
    sheet, cells = load_sheet("05"), instructor_cells("05")
    limits, count = (SHORT, min(count, 6)) if name == AT_LIMIT else (LIMITS, count)
    expected = {}
    with tempfile.TemporaryDirectory() as place:
        folder, out = pathlib.Path(place, "in"), pathlib.Path(place, "out")
        folder.mkdir()
        for i, (points, data) in enumerate(spread(pattern(cells, name), count)):
            expected[f"s{i:05d}"] = points
            (folder / f"s{i:05d}.ipynb").write_bytes(data)
        found = find_submissions(folder, "05")
        before, children = time.process_time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        records = grade_folder(found, sheet, b"a key for the load test", out, tier=tier, jobs=jobs, limits=limits)
        seconds = time.perf_counter() - started
        table = rows(list(records.values()))
        write_books(out, sheet, list(records.values()), table, tier)
        total = {row.student: row.total for row in table}
        sums = {r["student"]: sum(q["points"] for q in r["questions"].values()) for r in records.values()}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - children.ru_utime - children.ru_stime
    return {
        "class": name,
        "count": count,
        "seconds": seconds,
        "cpu": time.process_time() - before + cpu,
        "grader": grader_peak(),
        "student": max(r.get("peak_mb", 0) for r in records.values()),
        "over": max(q["spent"] - limits.question_seconds for r in records.values() for q in r["questions"].values()),
        "points": sum(total.values()),
        "wrong": {s: (p, total.get(s)) for s, p in expected.items() if total.get(s) != p or sums[s] != p},
    }


def grader_peak() -> int:
    """MB that this process has held at most. Not ru_maxrss: that begins with the peak of the one that started us."""
    with open("/proc/self/status") as file:
        return int(file.read().split("VmHWM:")[1].split()[0]) >> 10


def table_of(results, jobs, tier) -> str:
    """The results as a table in Markdown, and on what they were measured."""
    lines = [
        f"Sheet 05, jail {tier}, {jobs} jobs, {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"NumPy {np.__version__}; load average {os.getloadavg()[0]:.1f} at the end.",
        "",
        "| class | submissions | a second | processor seconds each | grader, MB | student, MB | most over a limit, s "
        "| points | balance |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in results:
        lines.append(
            f"| {r['class']} | {r['count']} | {r['count'] / r['seconds']:.1f} | {r['cpu'] / r['count']:.3f} | "
            f"{r['grader']} | {r['student']} | {max(0.0, r['over']):.2f} | {r['points']:g} | "
            f"{'no' if r['wrong'] else 'yes'} |"
        )
    return "\n".join(lines)


def main(arguments=None):
    """Make the submissions, grade them, check the books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=[*CLASSES, AT_LIMIT], help="one class only")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/GRADING.md")
    options = parser.parse_args(arguments)
    tier, _ = choose_tier()
    names = [options.only] if options.only else [*CLASSES, AT_LIMIT]
    results = [measure(name, options.count, options.jobs, tier) for name in names]
    text = table_of(results, options.jobs, tier)
    print(text)
    for r in results:
        for student, (want, got) in list(r["wrong"].items())[:10]:
            print(f"  {r['class']}, {student}: expected {want}, got {got}")
    if options.write:
        pathlib.Path(__file__).with_name("GRADING.md").write_text(
            "# Load and cost of grading\n\nWritten by `make bench-grade WRITE=1`.\n\n" + text + "\n", encoding="utf-8"
        )
    return int(any(r["wrong"] for r in results))


if __name__ == "__main__":
    sys.exit(main())
