"""A class of four, one of whom sends what is cheap to send and dear to read, compare or call back: the others have
their marks, the grader stays small, and no question takes much longer than it may."""

import contextlib
import csv
import json
import os
import pathlib
import subprocess
import sys

import pytest
from notebooks import FORGE, instructor_cells, notebook

KEY = "0123456789abcdef" * 4
ROOT = pathlib.Path(__file__).resolve().parents[2]
CALLBACKS = {
    "sheet01_callback_broadcast": """
def numerical_gradient(f, x, eps=1e-5):
    for n in (30_000_000, 10_000_000):
        f(np.ones((n, 1, 1), bool))
    return x
""",
    "callback with the largest array, again and again": """
def numerical_gradient(f, x, eps=1e-5):
    while True:
        f(np.ones((1 << 22, 1, 1), bool))
""",
    "callback twenty thousand times": """
def numerical_gradient(f, x, eps=1e-5):
    for i in range(30_000):
        f(x)
    return x
""",
    "callback of a list of lists": """
def numerical_gradient(f, x, eps=1e-5):
    a = [1.0] * 20
    for _ in range(4):
        a = [a] * 14
    try:
        f(a)
    finally:
        return f
""",
    "callback with a dict of one hash": """
def numerical_gradient(f, x, eps=1e-5):
    f({i * (2**61 - 1): 0 for i in range(990)})
""",
    "callback forged, the same array in every argument": FORGE
    + """
def numerical_gradient(f, x, eps=1e-5):
    n = 1 << 20
    args = {"t": [{"t": [{"a": ["<f8", [n], 0]}] * 3000}, {"d": []}]}
    data = json.dumps({"callback": 0, "args": args, "lengths": [8 * n]}).encode()
    for part in (struct.pack("<4sII", b"CKG1", len(data), 8 * n) + data, bytes(8 * n)):
        while part:
            part = part[os.write(3, part):]
    while True:
        pass
""",
    "callback forged, an array of nothing of a shape beyond all memory": FORGE
    + """
def numerical_gradient(f, x, eps=1e-5):
    args = {"t": [{"t": [{"a": ["<f8", [0, 1 << 25, 1 << 25, 1 << 25], 0]}]}, {"d": []}]}
    data = json.dumps({"callback": 0, "args": args, "lengths": [0]}).encode()
    os.write(3, struct.pack("<4sII", b"CKG1", len(data), 0) + data)
    while True:
        pass
""",
    "callback from within a callback's answer": """
import threading
def numerical_gradient(f, x, eps=1e-5):
    for _ in range(8):
        threading.Thread(target=lambda: [f(x) for _ in range(1000)], daemon=True).start()
    return np.array([[f(x) for _ in range(3)] for _ in range(3)])
""",
}
SEEDED = {
    "dict_quadratic": "def xavier_normal(rng, shape): return {i: 0 for i in range(20_000)}",
    "dict_quadratic within the bounds": "def xavier_normal(rng, shape): return {i: 0 for i in range(1_000)}",
    "dict_hash_flood": "def xavier_normal(rng, shape): return {i * (2**61 - 1): 0 for i in range(1_000)}",
    "handle_flood": "class A: pass\ndef xavier_normal(rng, shape): return [A() for _ in range(70_000)]",
    "endless loop": "def xavier_normal(rng, shape):\n    while True: pass",
}


def graded(tmp_path, sheet, cells, attack, limit):
    """Grade three victims and one attacker under a bound on memory: the gradebook, the record, the peak in MB."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a_victim", "c_victim", "d_victim"):
        (folder / f"{name}.ipynb").write_bytes(notebook(*cells))
    (folder / "b_attacker.ipynb").write_bytes(notebook(*cells, attack))
    (tmp_path / "key").write_text(KEY)
    program = (
        "import sys; from coursekit.grading import cli; cli.main(sys.argv[1:]); "
        # Not ru_maxrss: a program that is started takes over the peak of the one that starts it.
        "print('PEAK', open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", program, "grade", folder, "--sheet", sheet, "--key", tmp_path / "key"]
    command += ["--out", tmp_path / "out", "--jobs", "2"]
    with limit as prefix:
        done = subprocess.run(
            [*prefix, *map(str, command)], capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    with open(tmp_path / "out" / "gradebook.csv", newline="", encoding="utf-8") as file:
        book = {row["student"]: row for row in csv.DictReader(file)}
    records = [json.loads(p.read_text()) for p in (tmp_path / "out" / "results").glob("*b_attacker*.json")]
    peak = int(done.stdout.split("PEAK")[1].split()[0]) >> 10
    return book, records[0], peak


@contextlib.contextmanager
def cgroup(controller, setting, value):
    """A prefix for commands that run under this bound of a control group; none where no group can be made."""
    group = pathlib.Path("/sys/fs/cgroup", controller, f"coursekit-test-{os.getpid()}")
    try:
        group.mkdir()
        (group / setting).write_text(str(value))
    except OSError:
        yield []
        return
    try:
        yield ["/bin/sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
    finally:
        with contextlib.suppress(OSError):
            group.rmdir()


def a_gigabyte():
    """1 GB of memory, where that can be bounded, else what the grader itself bounds."""
    return cgroup("memory", "memory.limit_in_bytes", 1 << 30)


ATTACKS = [("01", name, code) for name, code in CALLBACKS.items()]
ATTACKS += [("05", name, code) for name, code in SEEDED.items()]


@pytest.mark.parametrize(("sheet", "name", "attack"), ATTACKS, ids=[name for _, name, _ in ATTACKS])
def test_the_class_is_graded_whatever_one_sends(tmp_path, sheet, name, attack):
    book, record, peak = graded(tmp_path, sheet, instructor_cells(sheet), attack, a_gigabyte())
    full = book["a_victim"]["out of"]
    assert [book[f"{v}_victim"]["total"] for v in "acd"] == [full] * 3
    assert float(book["b_attacker"]["total"]) < float(full)
    assert peak < 200, "the grader took as much memory as a student wanted"
    hung = "01.3" if sheet == "01" else "05.1"
    assert record["questions"][hung]["points"] < record["questions"][hung]["possible"]
    assert all(q["seconds"] < 45 for q in record["questions"].values()), record["questions"]


HOGS = """
import os, pathlib, json, sys, time
sys.path.insert(0, sys.argv[1])
from test_attacks import KEY, LIMITS, sample_sheet
from notebooks import with_answer
from coursekit.grading.sealed.grade import grade_folder
from coursekit.grading.sealed.probe import choose_tier
from coursekit.grading.sealed.collect import find_submissions

slow = "import time\\ndef softmax(x):\\n    t = time.process_time()\\n    while time.process_time() - t < 0.25: pass\\n"
slow += "    p = np.exp(x - x.max(-1, keepdims=True))\\n    return p / p.sum(-1, keepdims=True)"
hog = "import threading\\ndef spin():\\n    a = np.ones((300, 300))\\n    while True: a @ a\\ndef softmax(x):\\n"
hog += "    for _ in range(28): threading.Thread(target=spin, daemon=True).start()\\n    spin()"
folder = pathlib.Path("in")
folder.mkdir()
for name, code in {"a_hog": hog, "b_hog": hog, "c_hog": hog, "victim": slow}.items():
    (folder / f"{name}.ipynb").write_bytes(with_answer(code))
options = dict(tier=choose_tier()[0], jobs=4, limits=LIMITS)
found = grade_folder(find_submissions(folder, "99"), sample_sheet(), KEY, "out", **options)
print(json.dumps({r["student"]: [r["points"], r["questions"]["99.2"]["seconds"]] for r in found.values()}))
"""


def half_a_processor():
    """What a container has, where that can be bounded."""
    return cgroup("cpu", "cpu.cfs_quota_us", 50_000)


def test_threads_that_take_all_of_a_containers_processors_cost_a_slow_neighbour_nothing(tmp_path):
    with half_a_processor() as prefix:
        command = [*prefix, sys.executable, "-c", HOGS, str(pathlib.Path(__file__).parent)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    points = json.loads(done.stdout.splitlines()[-1])
    assert [p for p, _ in points.values()] == [6, 6, 6, 11], points
