"""Grading on a Dask cluster: a real one with TLS; without TLS, or without a jail, it is refused."""

import csv
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.errors import CourseError
from coursekit.grading import cli
from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed import cluster, probe
from coursekit.grading.sealed.collect import find_submissions
from coursekit.grading.sealed.grade import Item, grade_bytes, grade_folder, lost
from coursekit.grading.sealed.jail import Jail, Limits

distributed = pytest.importorskip("distributed")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tcp://127.0.0.1:1", "a", "b", "c"), "must be tls"),
        (("tls://127.0.0.1:1", None, "b", "c"), "--tls-ca"),
        (("tls://127.0.0.1:1", "a", "b", "c", True), "--allow-weak-jail is refused"),
    ],
)
def test_an_open_cluster_is_refused(arguments, words):
    with pytest.raises(CourseError, match=words):
        cluster.dask_runner(*arguments)


def test_a_worker_without_a_jail_says_so(monkeypatch):
    monkeypatch.setattr(probe, "probe", lambda tier: probe.Probe(tier, ("x",), ("sends over UDP",)))
    tier, reason = cluster._tier()
    assert tier is None and "sends over UDP" in reason


@pytest.fixture
def tls(tmp_path):
    security = distributed.Security.temporary()
    files = {}
    for name, text in (
        ("ca", security.tls_ca_file),
        ("cert", security.tls_client_cert),
        ("key", security.tls_client_key),
    ):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(text)
    return security, files


@pytest.mark.slow
def test_a_real_cluster_with_tls_grades(tls, tmp_path, monkeypatch, capsys):
    security, files = tls
    monkeypatch.chdir(tmp_path)
    cells = instructor_cells("05")
    pathlib.Path("in").mkdir()
    for i in range(5):
        pathlib.Path(f"in/s{i}.ipynb").write_bytes(notebook(*cells))
    pathlib.Path("in/bad.ipynb").write_bytes(b"nonsense")
    pathlib.Path("in/link.ipynb").symlink_to("/etc/passwd")
    cli.main(["make-key", "course.key"])
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, security=security, protocol="tls://", dashboard_address=None
    ) as local:
        base = ["grade", "in", "--sheet", "05", "--key", "course.key", "--out", "out", "--scheduler"]
        with pytest.raises(SystemExit, match="must be tls"):
            cli.main([*base, local.scheduler_address.replace("tls", "tcp")])
        tls_options = [o for name in ("ca", "cert", "key") for o in (f"--tls-{name}", str(files[name]))]
        cli.main([*base, local.scheduler_address, *tls_options])
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        total = {row["student"]: row["total"] for row in csv.DictReader(file)}
    assert total == {**{f"s{i}": f"{load_sheet('05').points:g}" for i in range(5)}, "bad": "0", "link": "0"}


# What a worker gives back in place of its records. Each takes the honest text.
POISON = {
    "nothing": lambda text: None,
    "no text": lambda text: json.loads(text),
    "no JSON": lambda text: text[: len(text) // 2],
    "a record too few": lambda text: json.dumps(json.loads(text)[1:]),
    "a record too many": lambda text: json.dumps(json.loads(text) * 2),
    "brackets": lambda text: "[" * 100_000,
    "a list of nothing": lambda text: json.dumps([None] * len(json.loads(text))),
    "a text beyond all bounds": lambda text: text + " " * cluster.MAX_RESULT,
    "a question of another sheet": lambda text: text.replace('"05.2"', '"06.2"'),
    "a question left out": lambda text: changed(text, lambda r: r["questions"].pop("05.1")),
    "more points than there are": lambda text: changed(text, lambda r: r["questions"]["05.1"].update(points=99)),
    "points that are no number": lambda text: re.sub(r'"points": \d+', '"points": NaN', text),
    "points without a case": lambda text: changed(text, forged("wrong", 2)),
    "a case passed for nothing": lambda text: changed(text, forged("passed", 0)),
    "a case fewer": lambda text: changed(text, lambda r: r["questions"]["05.1"]["cases"].pop()),
    "a name that nobody has": lambda text: changed(text, lambda r: r.update(student="somebody else")),
    "a message that is a list": lambda text: changed(
        text, lambda r: r["questions"]["05.1"]["cases"][0].update(message=[1])
    ),
    "notes that are numbers": lambda text: changed(text, lambda r: r.update(notes=[1])),
}  # fmt: skip


def changed(text, change):
    records = json.loads(text)
    change(records[0])
    return json.dumps(records)


def forged(status, points):
    def change(record):
        question = record["questions"]["05.1"]
        question["cases"][0].update(status=status, points=points)
        question["points"] = sum(c["points"] for c in question["cases"])

    return change


@pytest.fixture(scope="module")
def graded():
    sheet = load_sheet("05")
    with Jail(probe.choose_tier()[0]) as jail:
        right = grade_bytes(jail, notebook(*instructor_cells("05")), sheet, b"k" * 32)
        wrong = grade_bytes(jail, notebook("xavier_normal = 3"), sheet, b"k" * 32)
        bad = grade_bytes(jail, b"nonsense", sheet, b"k" * 32)
    return sheet, [right, wrong, bad]


def items(sheet, count):
    return [Item(None, None, {}, [q.id for q in sheet.questions], None, None, b"k" * 32) for _ in range(count)]


def test_honest_records_are_read(graded):
    sheet, records = graded
    assert cluster.read_records(json.dumps(records), items(sheet, 3), sheet) == json.loads(json.dumps(records))
    gone = lost(items(sheet, 1)[0], sheet, "bubblewrap")
    assert cluster.read_records(json.dumps([gone]), items(sheet, 1), sheet) == [gone]


@pytest.mark.parametrize("name", POISON)
def test_no_poisoned_answer_is_read(graded, name):
    sheet, records = graded
    assert cluster.read_records(POISON[name](json.dumps(records)), items(sheet, 3), sheet) is None


def test_a_poisoned_chunk_costs_nobody_else_a_mark(tmp_path, monkeypatch, graded):
    """Two chunks that a worker spoils at first; one notebook that it spoils always, another at which it fails."""
    sheet, (record, *_) = graded
    (tmp_path / "in").mkdir()
    for i in range(9):
        (tmp_path / "in" / f"s{i}.ipynb").write_bytes(notebook(f"a = {i}"))

    def grade_chunk(settings, work):
        text = json.dumps([record for _ in work])
        if any(b"a = 3" in data for data, _, _ in work):
            return POISON["no JSON" if len(work) > 1 else "more points than there are"](text)
        if any(b"a = 8" in data for data, _, _ in work):
            raise MemoryError("a worker without memory")
        return text

    monkeypatch.setattr(cluster, "_grade_chunk", grade_chunk)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None
    ) as local, distributed.Client(local, set_as_default=False) as client:  # fmt: skip
        records = grade_folder(
            find_submissions(tmp_path / "in", "05"), sheet, b"k" * 32, tmp_path / "out",
            tier="bubblewrap", limits=Limits(), runner=cluster._Runner(client, {}),
        )  # fmt: skip
    points = {file.removesuffix(".ipynb"): r["points"] for file, r in records.items()}
    assert points == {f"s{i}": 0 if i in (3, 8) else sheet.points for i in range(9)}
    ungraded = {file: r["ungraded"] for file, r in records.items() if r["ungraded"]}
    assert ungraded == dict.fromkeys(("s3.ipynb", "s8.ipynb"), ", ".join(q.id for q in sheet.questions))
    assert len(list((tmp_path / "out" / "results").glob("*.json"))) == 9
