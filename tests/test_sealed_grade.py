"""A folder of submissions: every file gets its due, a run can be killed, and the books are right and safe to open."""

import csv
import datetime as dt
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import HONEST, RIGHT, instructor_cells, notebook, with_answer

from coursekit.errors import CourseError, DataError, RangeError
from coursekit.grading import cases
from coursekit.grading.sealed import books, grade, similarity, tables
from coursekit.grading.sealed.collect import find_submissions
from coursekit.grading.sealed.grade import grade_bytes, grade_folder, load_records, read_key
from coursekit.grading.sealed.jail import Jail, Limits
from coursekit.grading.sealed.probe import choose_tier
from coursekit.grading.sealed.submissions import parse_time

KEY = b"a key of at least sixteen bytes"
GOOD = notebook(*HONEST)
SAMPLE = pathlib.Path(__file__).parent / "attacks" / "99_sample.py"
LIMITS = Limits(call_seconds=1.0, cell_seconds=1.0, question_seconds=8.0)


@pytest.fixture(scope="module")
def tier():
    return choose_tier()[0]


@pytest.fixture(scope="module")
def sheet():
    return cases._read_sheet("99", SAMPLE, SAMPLE.stat().st_mtime_ns)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def run(sheet, tier, tmp_path, folder):
    def grade(**options):
        found = find_submissions(folder, "99")
        return grade_folder(found, sheet, KEY, tmp_path / "out", tier=tier, limits=LIMITS, **options)

    return grade


def by_student(records):
    return {r["student"]: r["points"] for r in records.values()}


def table_of(text):
    return list(csv.reader(io.StringIO(text)))


# --- files that are not what they seem ------------------------------------------------------------------------------


def test_no_bad_file_stops_the_rest(run, folder, sheet, tmp_path, tier):
    (folder / "aa.ipynb").write_bytes(GOOD)
    (folder / "zz.ipynb").write_bytes(GOOD)
    (folder / "link.ipynb").symlink_to(folder / "aa.ipynb")
    (folder / "passwd.ipynb").symlink_to("/etc/passwd")
    (folder / "nowhere.ipynb").symlink_to("/nowhere")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "empty.ipynb").write_bytes(b"")
    (folder / "text.ipynb").write_bytes(b"def softmax(x): pass")
    (folder / "bytes.ipynb").write_bytes(b"\xff\xfa\xfe" * 100)
    (folder / "deep.ipynb").write_bytes(b"[" * 10**6)
    (folder / "many.ipynb").write_bytes(b"[" + b"[]," * 6_900_000 + b"[]]")
    with open(folder / "huge.ipynb", "wb") as file:
        file.truncate(1 << 33)
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", bytes(1 << 28))
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        archive.writestr("../../../tmp/evil.ipynb", GOOD)
    (folder / "dir.ipynb").mkdir()
    (folder / "dir.ipynb" / "x.ipynb").write_bytes(GOOD)
    (folder / "linked").symlink_to("/etc")
    os.mkdir(folder / "loop")
    (folder / "loop" / "again").symlink_to("..")
    (folder / "loop" / "x.ipynb").write_bytes(GOOD)
    with open(os.fsencode(folder) + b"/n\xe9\xff.ipynb", "wb") as file:
        file.write(GOOD)
    records = run(jobs=2)
    points = by_student(records)
    for student in ("aa", "zz", "zipped", "dir.ipynb", "loop"):
        assert points.pop(student) == 11, student
    strange = [s for s in points if s.startswith("n") and s != "nowhere"]
    assert len(strange) == 1 and points.pop(strange[0]) == 11
    assert set(points) == {
        "link", "passwd", "nowhere", "pipe", "empty", "text", "bytes", "deep", "many", "huge", "bomb",
    }  # fmt: skip
    assert not any(points.values())
    words = {r["student"]: r["error"] for r in records.values() if r["error"]}
    assert set(words) == set(points) and all(len(w) > 8 for w in words.values())
    assert "ordinary" in words["pipe"] and "8192 MB" in words["huge"] and "passwd" not in words["passwd"]
    assert not pathlib.Path("/tmp/evil.ipynb").exists()
    table = books.rows(list(records.values()))
    books.write_books(tmp_path / "out", sheet, list(records.values()), table, tier)
    assert len(table) == len(records)


def test_forged_outputs_and_metadata_are_worth_nothing(run, folder):
    data = json.loads(notebook(HONEST[0]))
    cell = data["cells"][0]
    cell["outputs"] = [{"output_type": "stream", "text": "All tests passed! 11 of 11 points"}]
    cell["metadata"] = {"nbgrader": {"points": 11, "grade": True, "score": 11}, "otter": {"tests": []}}
    data["metadata"] = {"coursekit": {"points": 11, "questions": {"99.1": 3}}, "score": 11}
    (folder / "a.ipynb").write_text(json.dumps(data))
    assert by_student(run()) == {"a": 0}


def test_names_cannot_inject_formulas_or_html(run, folder, sheet, tmp_path, tier):
    evil = ["=cmd|' !A0", "+1+1", "-2+3", "@SUM(A1)", "<script>alert(1)<", "a,b\"c'", "＝1"]
    for name in evil:
        (folder / f"{name}.ipynb").write_bytes(GOOD)
    (folder / "new\nline\t=1.ipynb").write_bytes(GOOD)
    (folder / "raises.ipynb").write_bytes(
        with_answer("class E(Exception): pass\ndef softmax(x): raise E('=1+1</pre><script>alert(1)</script>\\x1b[2J')")
    )
    (folder / "cell.ipynb").write_bytes(notebook(*HONEST, "raise Exception('=HYPERLINK(1)')"))
    records = run()
    table = books.rows(list(records.values()))
    files = books.write_books(tmp_path / "out", sheet, list(records.values()), table, tier)
    for name, path in files.items():
        text = pathlib.Path(path).read_text(encoding="utf-8")
        if name.endswith(".csv"):
            for line in table_of(text):
                assert not any(cell.startswith(("=", "+", "-2", "@", "＝", "\t")) for cell in line), (name, line)
        if name.endswith(".html"):
            assert "<script" not in text and "onerror" not in text and "\x1b" not in text
            assert "default-src 'none'" in text
    page = next(p for n, p in files.items() if n.startswith("feedback/raises"))
    assert "&lt;script&gt;alert(1)" in pathlib.Path(page).read_text(encoding="utf-8")
    assert all(pathlib.Path(p).resolve().is_relative_to(tmp_path / "out") for p in files.values())


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", " =1", "|a", "%a", "＋1", "\r\n=1", "\x00=1"])
def test_a_cell_never_begins_like_a_formula(text):
    assert tables.safe_cell(text).startswith("'")


# --- attempts, lateness, books ----------------------------------------------------------------------------------------


def test_the_last_attempt_counts_or_the_best(run, folder, sheet):
    (folder / "amy").mkdir()
    for number, (data, day) in enumerate([(GOOD, 1), (with_answer("x = 1"), 2)]):
        path = folder / "amy" / f"99_try{number}.ipynb"
        path.write_bytes(data)
        stamp = dt.datetime(2026, 3, day, tzinfo=dt.UTC).timestamp()
        os.utime(path, (stamp, stamp))
    (folder / "amy" / "other.ipynb").write_bytes(GOOD)  # not named after the sheet
    records = list(run().values())
    assert len(records) == 2
    last, best = books.rows(records)[0], books.rows(records, keep="best")[0]
    assert (last.total, best.total, last.attempts) == (6, 11, 2)
    # with a late policy the first attempt, in time, beats a second one that is late
    due, policy = parse_time("2026-03-01T12:00"), books.LatePolicy.parse("50%/day")
    assert books.rows(records, due=due, policy=policy)[0].total == 3
    assert books.rows(records, due=due, policy=policy, keep="best")[0].total == 11


@pytest.mark.parametrize(
    ("policy", "hours", "days", "factor"),
    [
        ("none", 1000, 42, 1.0),
        ("10%/day", 0, 0, 1.0),
        ("10%/day", 1, 1, 0.9),
        ("10%/day", 25, 2, 0.8),
        ("10%/day", 1000, 42, 0.0),
        ("10%/day up to 50%", 1000, 42, 0.5),
        ("10%/day after 15 minutes", 0.2, 0, 1.0),
        ("10%/day after 15 minutes", 0.3, 1, 0.9),
        ("refuse", 0.1, 1, 0.0),
        ("refuse after 2 hours", 1.9, 0, 1.0),
    ],
)
def test_late_policies(policy, hours, days, factor):
    late = books.LatePolicy.parse(policy)
    due = parse_time("2026-03-01T00:00")
    assert late.days(due + dt.timedelta(hours=hours), due) == days
    assert late.factor(days) == pytest.approx(factor)
    assert late.days(due + dt.timedelta(days=9), None) == 0


@pytest.mark.parametrize("text", ["10", "10%", "ten%/day", "200%/day", "10%/day up to 500%", "10%/day 50%", ""])
def test_a_late_policy_that_is_none_is_refused(text):
    with pytest.raises(RangeError, match="late policy"):
        books.LatePolicy.parse(text)


def test_canvas_and_moodle_names_and_listed_times(folder):
    (folder / "doejane_LATE_4242_9001_05-2.ipynb").write_bytes(GOOD)
    (folder / "doejane_4242_9000_05.ipynb").write_bytes(GOOD)
    (folder / "Jane Doe_123_assignsubmission_file").mkdir()
    (folder / "Jane Doe_123_assignsubmission_file" / "x.ipynb").write_bytes(GOOD)
    (folder / "bob.ipynb").write_bytes(GOOD)
    (folder / "submissions.csv").write_text(
        "file,student,submitted\nbob.ipynb,robert,2026-03-01T10:00+01:00\n", encoding="utf-8"
    )
    found = [(s.student, s.name, s.attempt, s.time_from) for s in find_submissions(folder, "05")]
    assert found == [
        ("123", "Jane Doe", 1, "file"),
        ("4242", "doejane", 1, "file"),
        ("4242", "doejane", 2, "file"),
        ("robert", "bob", 1, "submissions.csv"),
    ]
    assert find_submissions(folder, "05")[-1].submitted == dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
    (folder / "submissions.csv").write_text("file,student\ngone.ipynb,x\n")
    with pytest.raises(DataError, match=r"gone\.ipynb"):
        find_submissions(folder, "05")


def test_books_balance_and_know_the_roster(run, folder, sheet, tmp_path, tier):
    (folder / "4242.ipynb").write_bytes(GOOD)
    (folder / "bob.ipynb").write_bytes(with_answer("def softmax(x): return x"))
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "student,name,email,canvas_id,login\nbob,Bob B,b@x.y,77,bobb\nzoe,Zoe Z,,,\n4242,Ann A,,,\n", encoding="utf-8"
    )
    records = list(run().values())
    table = books.rows(records, books.read_roster(roster))
    files = books.write_books(tmp_path / "out", sheet, records, table, tier)
    lines = table_of(pathlib.Path(files["gradebook.csv"]).read_text(encoding="utf-8"))
    rows = {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[1:]}
    assert rows["4242"]["total"] == "11" and rows["4242"]["99.2"] == "5" and rows["4242"]["name"] == "Ann A"
    assert rows["bob"]["total"] == "6" and rows["bob"]["99.2"] == "0" and rows["bob"]["jail"] == tier
    assert rows["zoe"]["total"] == "" and rows["zoe"]["note"] == "no submission"
    assert all(sum(float(r[f"99.{i}"] or 0) for i in (1, 2, 3)) == float(r["points"] or 0) for r in rows.values())
    canvas = table_of(pathlib.Path(files["canvas.csv"]).read_text(encoding="utf-8"))
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Sheet 99: Sample"]
    assert ["Bob B", "77", "", "bobb", "", "6"] in canvas and ["Ann A", "4242", "", "", "", "11"] in canvas
    moodle = table_of(pathlib.Path(files["moodle.csv"]).read_text(encoding="utf-8"))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(moodle[0])
    assert any(line[0] == "Participant 4242" and line[3] == "11" for line in moodle)


def test_gradescope_results_show_no_hidden_value(run, folder):
    (folder / "a.ipynb").write_bytes(with_answer("def softmax(x): return x * 0 + 0.123456"))
    (record,) = run().values()
    results = books.gradescope_results(record)
    assert results["score"] == 6 == sum(t["score"] for t in results["tests"])
    assert sum(t["max_score"] for t in results["tests"]) == 11
    hidden = [t for t in results["tests"] if t["visibility"] != "visible"]
    assert len(hidden) == 2 and all("0.123456" not in t["output"] and "hidden case" in t["name"] for t in hidden)
    shown = [t for t in results["tests"] if t["visibility"] == "visible" and t["score"] == 0]
    assert all("0.123456" in t["output"] for t in shown)


# --- again, and after a crash -----------------------------------------------------------------------------------------


def test_what_is_graded_is_kept_and_what_changed_is_graded_again(run, folder, sheet, tmp_path, tier):
    (folder / "a.ipynb").write_bytes(GOOD)
    (folder / "b.ipynb").write_bytes(GOOD)
    run()
    (folder / "b.ipynb").write_bytes(with_answer("x = 1"))
    (folder / "c.ipynb").write_bytes(GOOD)
    records = run()
    assert {r["student"]: (r["graded"], r["points"]) for r in records.values()} == {
        "a": (1, 11),
        "b": (1, 6),
        "c": (1, 11),
    }
    found = find_submissions(folder, "99")
    other = grade_folder(found, sheet, b"another key, long enough", tmp_path / "out", tier=tier, limits=LIMITS)
    assert all(r["key"] != records[f]["key"] for f, r in other.items())


def test_a_worker_that_dies_twice_costs_one_file_and_the_class_goes_on(run, folder, sheet, monkeypatch):
    """The process of a worker is killed from outside, as the kernel does where memory is short."""
    for name in ("a", "killer", "z"):
        (folder / f"{name}.ipynb").write_bytes(GOOD)
    (folder / "once.ipynb").write_bytes(GOOD)
    tally = folder.parent / "deaths.txt"
    right = grade.grade_item

    def dies(jail, item, sheet):
        who = item.submission.student
        deaths = tally.read_text().count(who) if tally.exists() else 0
        if (who == "killer" and deaths < 5) or (who == "once" and not deaths):
            with tally.open("a") as file:
                file.write(f"{who}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return right(jail, item, sheet)

    monkeypatch.setattr(grade, "grade_item", dies)
    records = run(jobs=2)
    assert by_student(records) == dict.fromkeys(("a", "once", "z"), sheet.points) | {"killer": 0}
    assert tally.read_text().split().count("killer") == 2
    (lost,) = (r for r in records.values() if r["student"] == "killer")
    assert lost["ungraded"] and "twice" in lost["notes"][0]
    assert all(r["ungraded"] is None for r in records.values() if r is not lost)


def test_one_question_can_be_graded_again(run, folder, tmp_path, sheet):
    (folder / "a.ipynb").write_bytes(GOOD)
    run()
    (path,) = (tmp_path / "out" / "results").glob("*.json")
    record = json.loads(path.read_text())
    for id in ("99.1", "99.2"):
        record["questions"][id]["points"] = 1
    path.write_text(json.dumps(record))
    (again,) = run(regrade=["99.2"]).values()
    assert (again["questions"]["99.1"]["points"], again["questions"]["99.2"]["points"]) == (1, 5)
    assert again["points"] == 9 and again["graded"] == 2
    with pytest.raises(RangeError, match=r"99\.7"):
        run(regrade=["99.7"])


def test_a_damaged_record_is_graded_again(run, folder, tmp_path):
    (folder / "a.ipynb").write_bytes(GOOD)
    run()
    (path,) = (tmp_path / "out" / "results").glob("*.json")
    for broken in ("", '{"questions": {}', "[]", "{}", '{"questions": 3}', "null"):
        path.write_text(broken)
        (record,) = run().values()
        assert record["points"] == 11


def test_two_graders_do_not_share_a_folder(run, folder, sheet, tmp_path, tier):
    (folder / "a.ipynb").write_bytes(GOOD)
    found = find_submissions(folder, "99")

    def nested(submission, record):
        with pytest.raises(CourseError, match="another coursekit grade"):
            grade_folder(found, sheet, KEY, tmp_path / "out", tier=tier)

    run(progress=nested)


PROGRAM = """
import pathlib, sys
sys.path.insert(0, sys.argv[3])
from coursekit.grading import cases
from coursekit.grading.sealed.grade import grade_folder
from coursekit.grading.sealed.collect import find_submissions
path = pathlib.Path(sys.argv[4])
sheet = cases._read_sheet("99", path, 0)
found = find_submissions(sys.argv[1], "99")
print("start", flush=True)
grade_folder(found, sheet, b"a key of at least sixteen bytes", sys.argv[2], tier=sys.argv[5], jobs=2,
             progress=lambda s, r: print(s.student, flush=True))
"""


def descendants(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def running(pids):
    return [pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()]


def test_a_killed_run_goes_on_and_leaves_nothing_running(run, folder, tmp_path, tier):
    slow = [*HONEST, "import time; time.sleep(0.1)"]
    for i in range(16):
        (folder / f"s{i:02d}.ipynb").write_bytes(notebook(*slow))
    command = [sys.executable, "-c", PROGRAM, folder, tmp_path / "out", SAMPLE.parent, SAMPLE, tier]
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)
    done = 0
    for line in process.stdout:
        done += not line.startswith("start")
        if done == 4:
            jailed = descendants(process.pid)
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    for _ in range(100):
        if not running(jailed):
            break
        time.sleep(0.05)
    assert len(jailed) >= 4 and not running(jailed), "a killed grader left processes behind"
    kept = {r["student"]: r["when"] for r in load_records(tmp_path / "out")}
    assert 4 <= len(kept) < 16
    records = run(jobs=2)
    assert by_student(records) == {f"s{i:02d}": 11 for i in range(16)}
    assert all(r["graded"] == 1 for r in records.values()), "something was counted twice"
    assert all(r["when"] == kept[r["student"]] for r in records.values() if r["student"] in kept)
    assert len(load_records(tmp_path / "out")) == 16
    assert not list((tmp_path / "out" / "results").glob("*.tmp"))


# --- similarity -------------------------------------------------------------------------------------------------------


def test_similarity_sees_through_new_names_and_order():
    code = [
        f"def f{i}(alpha, beta):\n    total = {i}\n    for k in range(alpha):\n"
        f"        total += beta[k] ** {i} - {'abs(' * i}k{')' * i}\n"
        f"    while total > {i}: total = (total - 1) {'* 2' * i}\n    return [total, {', '.join('k' * (i + 1))}]\n"
        for i in range(6)
    ]
    copied = [c.replace("alpha", "n").replace("total", "s") for c in code[::-1]]
    own = [
        "import os\nx = {}\n" + "\n".join(f"x['{i}'] = lambda q: (q, {i}, [q for q in 'ab' if q])" for i in range(20))
    ]
    prints = {name: similarity.fingerprint(c) for name, c in (("ann", code), ("bob", copied), ("zoe", own))}
    pairs = similarity.similar_pairs(prints)
    assert [p[:2] for p in pairs] == [("ann", "bob")] and pairs[0][2] > 0.8


def test_the_code_of_the_sheet_itself_is_no_evidence():
    blank, solved = similarity.fingerprint([RIGHT * 2, *HONEST]), similarity.fingerprint([RIGHT * 2, *HONEST, "x = 1"])
    assert similarity.similar_pairs({"a": blank, "b": solved})
    assert similarity.similar_pairs({"a": blank, "b": solved}, given=blank) == []


def test_what_most_of_the_class_shares_is_no_evidence():
    given = similarity.fingerprint([RIGHT * 3, *HONEST])
    assert similarity.similar_pairs({str(i): given for i in range(10)}) == []


# --- the real sheets: the reference, every known wrong and every other right answer, sealed ---------------------------


@pytest.mark.parametrize("id", cases.sheet_ids())
def test_a_real_sheet_grades_as_it_should(id, tier):
    real, cells = cases.load_sheet(id), instructor_cells(id)
    with Jail(tier, Limits()) as jail:
        record = grade_bytes(jail, notebook(*cells), real, KEY)
        assert {i: q["points"] for i, q in record["questions"].items()} == {q.id: q.points for q in real.questions}
        assert record["notes"] == []
        for question in real.questions:
            for right in question.right:
                result = grade_bytes(jail, notebook(*cells, right.code), real, KEY, [question.id])
                assert result["questions"][question.id]["points"] == question.points, right.code
            for wrong in question.wrong:
                result = grade_bytes(jail, notebook(*cells, wrong.code), real, KEY, [question.id])
                assert result["questions"][question.id]["points"] < question.points, wrong.code


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_key_is_read_or_refused(tmp_path):
    with pytest.raises(DataError, match="make-key"):
        read_key(tmp_path / "none")
    (tmp_path / "short").write_text("short")
    with pytest.raises(RangeError, match="16"):
        read_key(tmp_path / "short")
