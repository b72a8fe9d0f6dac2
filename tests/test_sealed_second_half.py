"""Marks by hand, extensions, feedback that goes back, the log of changes, the class page."""

import csv
import datetime as dt
import io
import json
import pathlib
import re
import sys
import types
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.errors import DataError
from coursekit.grading import cli
from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed import books, classpage, similarity, tables
from coursekit.grading.sealed.alike import alike_page
from coursekit.grading.sealed.decisions import read_decisions
from coursekit.grading.sealed.grade import grade_bytes, own_key
from coursekit.grading.sealed.jail import Jail, Limits
from coursekit.grading.sealed.probe import choose_tier
from coursekit.grading.sealed.returning import Worksheet
from coursekit.grading.sealed.submissions import parse_time

SHEET = load_sheet("05")
FULL = f"{SHEET.points:g}"
CELLS = instructor_cells("05")
GOOD = notebook(*CELLS)
WRONG = notebook(*CELLS, SHEET["05.1"].wrong[0].code)


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("in").mkdir()
    pathlib.Path("in/annsmith_4001_9001_05.ipynb").write_bytes(GOOD)
    pathlib.Path("in/bob_LATE_4002_9002_05-1.ipynb").write_bytes(WRONG)
    pathlib.Path("roster.csv").write_text("student,name\n4001,Ann Smith\n4002,Bob\n4003,Zoe\n")
    cli.main(["make-key", "key"])
    return tmp_path


def grade(*extra):
    cli.main(
        ["grade", "in", "--sheet", "05", "--key", "key", "--out", "out", "--roster", "roster.csv", "--accept", *extra]
    )


def table(name="out/gradebook.csv", key="student"):
    with open(name, newline="", encoding="utf-8") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def test_marks_by_hand_survive_every_run_and_show_everywhere(course, capsys):
    grade()
    before = float(table()["4002"]["total"])
    pathlib.Path("out/overrides.csv").write_text(
        "student;question;points;comment\n4002;05.1;3,5;=nice <b>try</b>\n4003;;7;oral exam\n", encoding="utf-8"
    )
    capsys.readouterr()
    grade()
    said = capsys.readouterr().out
    assert (
        "marks changed" in said and "4002 05.1" in said and "(by hand)" in said and "4003 total: nothing -> 7" in said
    )
    grade("--regrade", "05.1")
    assert "0 marks changed" in capsys.readouterr().out
    rows = table()
    assert float(rows["4002"]["total"]) > before and rows["4002"]["05.1"] == "3.5" and rows["4002"]["by hand"] == "05.1"
    assert rows["4003"]["total"] == "7" and rows["4003"]["comment"] == "oral exam"
    page = pathlib.Path("out", rows["4002"]["feedback"]).read_text(encoding="utf-8")
    assert "&lt;b&gt;try" in page and "Marked by your instructor" in page and "<b>try" not in page
    assert "7" in [r[5] for r in csv.reader(open("out/canvas.csv")) if r[1] == "4003"]
    changes = list(csv.DictReader(open("out/changes.csv", encoding="utf-8")))
    assert {(c["student"], c["question"], c["why"]) for c in changes} >= {
        ("4002", "05.1", "by hand"),
        ("4003", "total", "by hand"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("student,question,points\n4001,05.9,1\n", "no question '05.9'"),
        ("student,question,points\n4001,05.1,99\n", "0 to"),
        ("student,question,points\n4001,05.1,many\n", "no number"),
        ("student,question,points\n4001,05.1,nan\n", "no number"),
        ("student,question,points\n4001,05.1,1\n4001,05.1,2\n", "two lines"),
        ("name\nx\n", "column student"),
    ],
)
def test_marks_that_cannot_be_meant_are_refused(tmp_path, text, words):
    (tmp_path / "o.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_decisions(SHEET, ["4001"], dt.UTC, tmp_path / "o.csv")


def test_a_mark_for_nobody_is_said(tmp_path):
    (tmp_path / "o.csv").write_text("student,question,points\n4OO1,05.1,1\n")
    assert "4OO1" in read_decisions(SHEET, ["4001"], dt.UTC, tmp_path / "o.csv").unknown[0]


def test_extensions_and_excuses(course):
    times = "file,student,submitted\nannsmith_4001_9001_05.ipynb,4001,2026-03-03T10:00\n"
    pathlib.Path("in/submissions.csv").write_text(times + "bob_LATE_4002_9002_05-1.ipynb,4002,2026-03-03T10:00\n")
    pathlib.Path("ext.csv").write_text("student,due,excused\n4001,2026-03-04T00:00,\n4003,,yes\n")
    grade("--due", "2026-03-01T23:59", "--late-policy", "10%/day", "--extensions", "ext.csv", "--zone", "Asia/Seoul")
    rows = table()
    assert (rows["4001"]["late days"], rows["4001"]["total"]) == ("0", FULL) and rows["4002"]["late days"] == "2"
    assert rows["4003"]["total"] == "" and "excused" in rows["4003"]["note"]
    marks = {r[1]: r[5] for r in csv.reader(open("out/canvas.csv"))}
    assert marks["4003"] == "EX" and marks["4001"] == FULL


def test_no_submission_is_a_blank_everywhere(course):
    grade()
    assert {r[1]: r[5] for r in csv.reader(open("out/canvas.csv"))}["4003"] == ""
    assert table("out/moodle.csv", "Identifier")["Participant 4003"]["Grade"] == ""
    assert table()["4003"]["total"] == "" and table()["4003"]["note"] == "no submission"


def test_written_answers_get_a_page_and_their_marks(course):
    data = json.loads(GOOD)
    data["cells"].append(
        {"cell_type": "markdown", "metadata": {}, "source": "## 05.W Why?\n\nBecause <script>x</script>."}
    )
    pathlib.Path("in/annsmith_4001_9001_05.ipynb").write_text(json.dumps(data))
    pathlib.Path("rubric.csv").write_text("question,title,points,criteria\n05.W,Why,4,names the variance|says both\n")
    grade("--rubric", "rubric.csv")
    page = pathlib.Path("out/rubric.html").read_text(encoding="utf-8")
    assert "Because &lt;script&gt;" in page and "names the variance" in page and "<script" not in page
    assert "05.W not marked yet" in table()["4001"]["note"] and table()["4001"]["out of"] == f"{SHEET.points + 4:g}"
    pathlib.Path("out/overrides.csv").write_text("student,question,points,comment\n4001,05.W,3,good\n")
    grade("--rubric", "rubric.csv")
    assert table()["4001"]["05.W"] == "3" and table()["4001"]["total"] == f"{SHEET.points + 3:g}"


def canvas_ids(filename):
    """As Canvas's `infer_comment_context_from_filename` reads a name: the first two parts that are numbers."""
    return [part for part in filename.split("_") if re.fullmatch(r"\d+", part)][:2]


def moodle_parts(path):
    """As Moodle's importziplib reads a name: five parts, the second a participant, then plugin type and name."""
    parts = path.split("_", 4)
    return (int(parts[1]), parts[2], parts[3]) if len(parts) == 5 and parts[1].isdigit() else None


def test_feedback_goes_back_under_the_names_that_platforms_read(course):
    with zipfile.ZipFile("in/cy_4004_9004_course.zip", "w") as archive:
        archive.writestr("course/exercises/05_initialization.ipynb", GOOD)
        archive.writestr("course/exercises/04_x.ipynb", notebook("x = 1"))
    grade()
    with zipfile.ZipFile("out/feedback-canvas.zip") as archive:
        names = archive.namelist()
    assert sorted(map(tuple, map(canvas_ids, names))) == [("4001", "9001"), ("4002", "9002"), ("4004", "9004")]
    with zipfile.ZipFile("out/feedback-moodle.zip") as archive:
        assert {moodle_parts(n) for n in archive.namelist()} == {
            (4001, "assignsubmission", "file"),
            (4002, "assignsubmission", "file"),
            (4004, "assignsubmission", "file"),
        }
        assert "default-src 'none'" in archive.read(archive.namelist()[0]).decode()


def test_who_handed_in_nothing_gets_a_page_for_what_is_written_to_them(course):
    grade()
    pathlib.Path("out/overrides.csv").write_text("student,question,points,comment\n4003,,7,came as a <PDF>\n")
    grade()
    row = table()["4003"]
    text = pathlib.Path("out", row["feedback"]).read_text(encoding="utf-8")
    assert float(row["total"]) == 7 and f"<b>7 of {FULL} points" in text and "came as a &lt;PDF&gt;" in text
    with zipfile.ZipFile("out/feedback-moodle.zip") as archive:
        assert 4003 in {moodle_parts(n)[0] for n in archive.namelist()}
    pathlib.Path("out/overrides.csv").write_text("student,question,points,comment\n4003,,,ask me\n")
    grade()
    text = pathlib.Path("out", table()["4003"]["feedback"]).read_text(encoding="utf-8")
    assert f"no mark, out of {FULL} points" in text and "ask me" in text


def test_a_worksheet_in_another_language_is_filled_in(course):
    pathlib.Path("bewertung.csv").write_text(
        "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Zuletzt geändert (Bewertung),Kommentar\n"
        'Teilnehmer/in4001,Ann,a@b.c,x,,"18,00",-,\nTeilnehmer/in4003,Zoe,z@b.c,x,,"18,00",-,\n',
        encoding="utf-8",
    )
    grade("--moodle-worksheet", "bewertung.csv")
    rows = table("out/moodle.csv", "ID")
    assert rows["Teilnehmer/in4001"]["Bewertung"] == f"{FULL},00" and rows["Teilnehmer/in4003"]["Bewertung"] == ""
    pathlib.Path("x.csv").write_text("a,b\n1,x\n")
    with pytest.raises(DataError, match="worksheet"):
        Worksheet("x.csv")


@pytest.mark.parametrize(
    ("due", "came", "days"),
    [
        ("2026-03-01T23:59", "2026-03-01T23:59:30", 0),
        ("2026-03-01T23:59", "2026-03-02T00:00:30", 1),
        ("2026-10-24T23:59+02:00", "2026-10-25T23:58+01:00", 1),
        ("2026-10-24T23:59+02:00", "2026-10-26T00:10+01:00", 2),
        ("2026-03-01T23:59+09:00", "2026-03-01T14:59:20+00:00", 0),
    ],
)
def test_days_late(due, came, days):
    assert books.LatePolicy.parse("10%/day").days(parse_time(came), parse_time(due)) == days


def test_the_words_for_a_student_are_the_same_under_every_key():
    """So they cannot tell what the key decides: values that are expected are those of the public inputs."""
    with Jail(choose_tier()[0], Limits()) as jail:
        for question in SHEET.questions:
            for wrong in question.wrong[:3]:
                said = []
                for key in (b"first key, long enough", b"second key, long enough"):
                    record = grade_bytes(jail, notebook(*CELLS, wrong.code), SHEET, key, [question.id])
                    cases = record["questions"][question.id]["cases"]
                    said.append({c["name"]: c["message"] for c in cases if c["status"] == "wrong" and not c["hidden"]})
                both = said[0].keys() & said[1].keys()
                assert both and all(
                    said[0][n] == said[1][n] for n in both if "inputs of check" not in said[0][n] + said[1][n]
                )


def test_each_attempt_has_a_key_of_its_own():
    keys = {own_key(b"k" * 32, s, d) for s in ("ann", "bob") for d in (b"one", b"two")}
    assert len(keys) == 4 and own_key(b"k" * 32, "ann", b"one") in keys


def record(points, mistake=None, status="wrong"):
    text = "<img src=x onerror=alert(1)>" * 9
    status = "passed" if points else status
    case = {"points": points, "hidden": False, "status": status, "message": text, "summary": text, "mistake": mistake}
    case |= {"facts": [["came", text]]}
    cases = [case | {"name": c.name, "possible": c.points} for c in SHEET.questions[0].cases]
    questions = {q.id: {"title": q.title, "points": 0, "possible": q.points, "cases": []} for q in SHEET.questions}
    questions["05.1"] = {"title": "x", "points": points, "possible": 6, "cases": cases}
    return {"error": None, "ungraded": None, "notes": [], "questions": questions, "student": text, "name": text,
            "points": points, "attempt": 1, "submitted": "2026-03-01T10:00+00:00", "file": "x", "sha256": "x",
            "jail": "x", "time_from": "file"}  # fmt: skip


def test_the_class_page_counts_what_was_planted_and_runs_nothing():
    planted = {"the square root is missing": 37, "they are normal <script>alert(1)</script>": 20}
    records = [record(0, name) for name, count in planted.items() for _ in range(count)] + [record(6)] * 243
    records = [r | {"student": f"s{i:03d}<script>"} for i, r in enumerate(records)]
    rows = books.rows(records)
    groups = [similarity.Group(tuple(r["student"] for r in records), 0.9, 50, "<b>")] * 60
    page = classpage.class_page(SHEET, rows, groups)
    assert (
        "<b>37 of 300</b>: the square root is missing" in page
        and "<b>20 of 300</b>: they are normal &lt;script" in page
    )
    assert not re.search(r"<(script|img|b>alert)|onerror=[^&]*>", page.replace("&lt;", "")) or "<script" not in page
    assert "<img" not in page and "<script" not in page and len(page.encode()) < 200_000
    assert classpage.discrimination([0, 1, 2, 3], [0, 1, 2, 3]) == pytest.approx(1)
    assert classpage.discrimination([1, 1, 1], [0, 1, 2]) is None


def test_groups_not_pairs_and_the_published_solution_among_the_suspects():
    def code(seed):
        return [
            f"def f{i}(a, b):\n    return [a ** {i}, {'abs(' * (seed + i)}b{')' * (seed + i)}, "
            f"{', '.join('k' * (seed + i))}]\n"
            for i in range(8)
        ]

    prints = {f"s{i}": similarity.fingerprint(code(1)) for i in range(5)}
    prints |= {f"o{i}": similarity.fingerprint(code(20 + 9 * i)) for i in range(15)}
    solution = [
        f"def g{i}(a):\n    while a > b:\n        a = (a - b) * c[a] if a else {{a: lambda q: q {'+ q' * i}}}\n"
        f"    with open(a) as f: return {'not ' * i} f.read(), [q for q in f if q]\n"
        for i in range(8)
    ]
    prints["book"] = similarity.fingerprint([re.sub(r"\ba\b", "x", c) for c in solution])
    prints["exec"] = similarity.fingerprint([f"exec({c!r})" for c in code(1)])
    groups = similarity.similar_groups(prints, {}, (), similarity.fingerprint(solution))
    assert ("exec", "s0", "s1", "s2", "s3", "s4") in [g.students for g in groups]
    assert (similarity.PUBLISHED, "book") in [g.students for g in groups]


def test_cells_are_safe_with_every_separator():
    for text in ("a;=cmd|'/C calc'!A1;", "x,=1", "y; @SUM(A1)", "z|+1"):
        for separator in ";,|\t":
            for cell in next(csv.reader(io.StringIO(tables.safe_cell(text)), delimiter=separator)):
                assert not cell.strip().startswith(("=", "@", "+")), (text, cell)


def test_groups_stand_side_by_side_with_the_published_solution(tmp_path):
    renamed = [c.replace("n_in", "rows").replace("n_out", "columns") for c in CELLS]
    mine = [*CELLS, "def gain(f, rng):\n    return '<script>alert(1)</script>'"]
    notebooks = {"ann": CELLS, "bob": renamed, "eve": mine, "dan": ["x = 1"]}
    for who, cells in notebooks.items():
        (tmp_path / f"{who}.ipynb").write_bytes(notebook(*cells))
    (tmp_path / "fay.ipynb").write_bytes(b"{")
    last = [types.SimpleNamespace(student=p.stem, path=p) for p in tmp_path.glob("*.ipynb")]
    groups = [
        similarity.Group(("ann", "bob"), 0.9, 50, ""),
        similarity.Group((similarity.PUBLISHED, "eve"), 0.8, 40, "like the solution that is in the package"),
        similarity.Group(("dan", "fay", "gone"), 0.7, 9, ""),
    ]
    alike_page(tmp_path, groups, types.SimpleNamespace(last=lambda: last), SHEET)
    page = (tmp_path / "alike.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert page.count("<h3>05.1 Xavier</h3>") == 2, "two groups have an answer to show"
    assert "<th>the published solution<th>ann<th>bob" in page
    marked = re.findall(r"<span class=same>(.*?)</span>", page)
    assert sum("std = np.sqrt(2 / (rows + columns))" in line for line in marked) == 1, "other names, the same line"


def test_a_slip_in_one_question_is_named_in_the_other_that_builds_on_it():
    slip = [c.replace("def xavier_normal(rng, shape):", "def xavier_normal(rng, shape)") for c in CELLS]
    with Jail(choose_tier()[0], Limits()) as jail:
        record = grade_bytes(jail, notebook(*slip), SHEET, b"a key of sixteen bytes")
    later = [case for case in record["questions"]["05.3"]["cases"] if case["status"] != "passed"]
    assert later and all("xavier_normal belongs to 05.1: mend that first" in case["message"] for case in later)
    first = [case["message"] for case in record["questions"]["05.1"]["cases"]]
    assert not any("mend that first" in message for message in first if message)
