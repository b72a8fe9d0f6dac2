"""Measure every row and print the table: `make bench`, or `python benchmarks/run.py --only conv2d`.

Each row compares two functions in one process: a few calls of both to warm up, then they take turns, and the medians
are divided. This is done in two processes, with OPENBLAS_CORETYPE set to Haswell and without it (it decides which
matrix kernels NumPy runs, so no ratio means much without it), each with one thread on both sides and then with two.

With one thread the processor's time is taken, so that waiting for other programs does not count; with two threads the
clock's. Other programs still take cache and memory from both sides: where a row got much less than a processor, it is
marked, and the figures are provisional.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
ROW_FILES = ("rows_dense", "rows_image", "rows_recurrent")
CORETYPES = ("Haswell", "unset")
BUSY = 0.9  # a row got less than this share of one processor: it was disturbed


def main():
    parser = argparse.ArgumentParser(description="Our time / PyTorch's, row by row.")
    parser.add_argument("--only", default="", help="measure the rows whose name contains this")
    parser.add_argument("--seconds", type=float, default=0.6, help="to spend on each row, for each number of threads")
    parser.add_argument("--one-thread", action="store_true", help="leave two threads out; on a busy machine they crawl")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks/RESULTS.md")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return measure_all(options)
    results = {coretype: child(coretype, options) for coretype in CORETYPES}
    if not any(run["rows"] for run in results.values()):
        parser.error(f"no row's name contains {options.only!r}")
    text = table(results)
    print(text)
    if options.write:
        (ROOT / "benchmarks" / "RESULTS.md").write_text(text + "\n")
        print("\nwritten to benchmarks/RESULTS.md", file=sys.stderr)
    return 0


def child(coretype, options):
    """Measure in a process of its own, because OPENBLAS_CORETYPE is read when NumPy is loaded."""
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS")}
    if coretype != "unset":
        environment["OPENBLAS_CORETYPE"] = coretype
    command = [sys.executable, __file__, "--child", coretype, "--only", options.only, "--seconds", str(options.seconds)]
    command += ["--one-thread"] * options.one_thread
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"measuring with OPENBLAS_CORETYPE {coretype} ended with status {done.returncode}")
    return json.loads(done.stdout)


def measure_all(options):
    sys.path.insert(0, str(ROOT))
    import numpy
    import threadpoolctl
    import torch

    from benchmarks.rows import ROWS

    for name in ROW_FILES:
        importlib.import_module(f"benchmarks.{name}")
    blas = [info["architecture"] for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    result = {"blas": blas, "numpy": numpy.__version__, "torch": torch.__version__, "rows": []}
    result["load_before"] = os.getloadavg()[0]
    rows = [row for row in ROWS if options.only.lower() in row.name.lower()]
    for number, row in enumerate(rows, 1):
        print(f"[{options.child} {number}/{len(rows)}] {row.name} / {row.other}", file=sys.stderr, flush=True)
        line = {"name": row.name, "other": row.other, "at_most": row.at_most, "at_least": row.at_least, "threads": {}}
        for threads in (1,) if row.single or options.one_thread else (1, 2):
            torch.set_num_threads(threads)
            with threadpoolctl.threadpool_limits(threads, user_api="blas"):
                clock = time.process_time if threads == 1 else time.perf_counter
                line["threads"][threads] = measure(*row.make(), options.seconds, clock)
        result["rows"].append(line)
    result["load_after"] = os.getloadavg()[0]
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(result))
    return 0


def measure(ours, other, seconds, clock):
    """Median times of two functions that take turns, for about `seconds`, and how much of a processor they got.

    Where the other is slow by far, ours runs several times in its turn: what it finds in the caches is then its own.
    """
    ours()
    start = time.perf_counter()
    ours()
    between = time.perf_counter()
    other()
    slow = time.perf_counter() - between
    if slow < seconds / 4:
        for _ in range(3):
            ours(), other()
    repeat = min(20, max(1, int(slow / (between - start) / 10)))
    times = ([], [])
    start, processor = time.perf_counter(), time.process_time()
    while len(times[1]) < 3 or (time.perf_counter() - start < seconds and len(times[1]) < 1000):
        for f, taken, count in zip((ours, other), times, (repeat, 1), strict=True):
            for _ in range(count):
                before = clock()
                f()
                taken.append(clock() - before)
        if time.perf_counter() - start > 5 * seconds:
            break
    share = (time.process_time() - processor) / (time.perf_counter() - start)
    return {"ours": median(times[0]), "other": median(times[1]), "turns": len(times[1]), "share": share}


def table(results):
    """The table as Markdown, which reads well in a terminal too."""
    first = results["unset"]
    lines = [
        "# Our time / theirs",
        "",
        "A ratio below 1 means that coursekit is faster. Made by `python benchmarks/run.py --write`. What is",
        "bounded is the ratio with one thread on both sides, of processor time; with two the clock's. `!` marks a",
        f"row that was disturbed: with one thread it got less than {BUSY:.0%} of a processor.",
        "",
        f"- {time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors ({platform.machine()}), Python "
        f"{platform.python_version()}, NumPy {first['numpy']}, PyTorch {first['torch']}",
        *(
            f"- OPENBLAS_CORETYPE {name}: BLAS kernels {', '.join(run['blas'])}; load "
            f"{run['load_before']:.1f} before, {run['load_after']:.1f} after"
            for name, run in results.items()
        ),
    ]
    disturbed = any(disturbance(row) for run in results.values() for row in run["rows"])
    if disturbed:
        lines.append("- **Other programs were running: these figures are provisional.**")
    head = ["what", "beside", *(f"{c}, 1 thread" for c in CORETYPES), "bound", "holds"]
    body = []
    for pair in zip(*(results[c]["rows"] for c in CORETYPES), strict=True):
        cells = [ratio(row, "1") + (" !" if disturbance(row) else "") for row in pair]
        bound, holds = verdict(pair)
        two = [ratio(row, "2") for row in pair]
        ms = pair[1]["threads"]["1"]
        body.append(
            [
                pair[0]["name"],
                pair[0]["other"],
                *cells,
                bound,
                holds,
                *two,
                *(f"{ms[k] * 1e3:.2f}" for k in ("ours", "other")),
            ]
        )
    head += [f"{c}, 2 threads" for c in CORETYPES] + ["ours, ms", "theirs, ms"]
    widths = [max(len(r[i]) for r in [head, *body]) for i in range(len(head))]
    rule = ["-" * w for w in widths]
    lines += [
        "",
        *("| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in [head, rule, *body]),
    ]
    bounded = [r for r in body if r[5] != "-"]
    kept = sum(r[5] == "yes" for r in bounded)
    lines += [
        "",
        f"{kept} of {len(bounded)} bounds hold. Milliseconds: OPENBLAS_CORETYPE unset, one thread.",
    ]
    return "\n".join(lines)


def disturbance(row):
    return row["threads"]["1"]["share"] < BUSY


def ratio(row, threads):
    taken = row["threads"].get(threads)
    if taken is None:
        return "-"
    if row["at_least"] is not None:
        return f"1/{taken['other'] / taken['ours']:.0f}"
    return f"{taken['ours'] / taken['other']:.2f}"


def verdict(pair):
    """The bound in words, and whether both processes kept it."""
    at_most, at_least = pair[0]["at_most"], pair[0]["at_least"]
    ratios = [row["threads"]["1"]["ours"] / row["threads"]["1"]["other"] for row in pair]
    if at_least is not None:
        return f"1/{at_least}", "yes" if all(r <= 1 / at_least for r in ratios) else "no"
    if at_most is None:
        return "-", "-"
    text = f"{at_most[0]}" if at_most[0] == at_most[1] else f"{at_most[0]} / {at_most[1]}"
    return text, "yes" if all(r <= bound for r, bound in zip(ratios, at_most, strict=True)) else "no"


if __name__ == "__main__":
    sys.exit(main())
