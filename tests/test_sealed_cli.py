"""The commands: grade, check-jail, make-key, gradescope."""

import csv
import json
import pathlib
import subprocess
import sys
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.grading import cli
from coursekit.grading.cases import load_sheet

CELLS = [cell for cell in instructor_cells("05") if cell.startswith(("import numpy", "def "))]
GOOD = notebook(*CELLS)
ALL, ONE = load_sheet("05").points, load_sheet("05")["05.1"].points  # what ann earns, and bob
FIRST = notebook(*(cell for cell in CELLS if cell.startswith(("import", "def xavier"))))


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("in").mkdir()
    pathlib.Path("in/ann.ipynb").write_bytes(GOOD)
    pathlib.Path("in/bob.ipynb").write_bytes(FIRST)
    cli.main(["make-key", "key"])
    return tmp_path


def grade(*extra):
    cli.main(["grade", "in", "--sheet", "05", "--key", "key", "--out", "out", *extra])


def fails(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in arguments])
    assert stop.value.code not in (0, None)
    text = capsys.readouterr().err + (stop.value.code if isinstance(stop.value.code, str) else "")
    assert "Traceback" not in text
    return text


def test_a_folder_is_graded(course, capsys):
    grade()
    said = capsys.readouterr().out
    assert "2 files of 2 students" in said and f"Mean {(ALL + ONE) / 2:.2f} of {ALL:g}" in said and "Jail:" in said
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ann"]["total"] == f"{ALL:g}" and rows["bob"]["total"] == f"{ONE:g}"
    assert (rows["bob"]["05.1"], rows["bob"]["05.2"], rows["bob"]["05.3"]) == (f"{ONE:g}", "0", "0")
    page = pathlib.Path("out", rows["bob"]["feedback"]).read_text(encoding="utf-8")
    assert f"{ONE:g} of {ALL:g} points" in page and "fan_in" in page
    grade("--regrade", "05.2", "--jobs", "1")
    assert "2 files of 2 students" in capsys.readouterr().out


def test_late_policy_and_roster(course, capsys):
    pathlib.Path("in/submissions.csv").write_text("file,student,submitted\nann.ipynb,ann,2026-03-02T12:00\n")
    pathlib.Path("r.csv").write_text("student,name\nann,Ann A\nzoe,Zoe Z\n")
    options = ("--due", "2026-03-02T00:00", "--late-policy", "50%/day", "--roster", "r.csv")
    with pytest.raises(SystemExit) as stop:  # bob is on no roster, and only the time of his file is known
        grade(*options)
    assert stop.value.code == cli.LOOK
    said = capsys.readouterr().out
    assert "Not on the roster: 1" in said and "only the time of the file is known" in said and "(UTC" in said
    grade(*options, "--accept")
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert (rows["ann"]["points"], rows["ann"]["late days"], rows["ann"]["total"]) == (f"{ALL:g}", "1", f"{ALL / 2:g}")
    assert rows["zoe"]["note"] == "no submission" and rows["ann"]["name"] == "Ann A"
    assert rows["zoe"]["total"] == "" and rows["bob"]["total"] == f"{ONE:g}", "a file's time cost points"


def test_mistakes_get_a_clear_sentence(course, capsys):
    base = ["grade", "in", "--sheet", "05", "--key", "key", "--out"]
    assert "no folder" in fails(capsys, "grade", "nowhere", *base[2:], "out")
    assert "the sheets are" in fails(capsys, "grade", "in", "--sheet", "98", "--key", "key", "--out", "out")
    assert "make-key" in fails(capsys, "grade", "in", "--sheet", "05", "--key", "none", "--out", "out")
    assert "inside" in fails(capsys, *base, "in/out")
    assert "05.9" in fails(capsys, *base, "out", "--regrade", "05.9")
    assert "--due" in fails(capsys, *base, "out", "--late-policy", "10%/day")
    assert "late policy" in fails(capsys, *base, "out", "--late-policy", "much", "--due", "2026-01-01")
    assert "not a time" in fails(capsys, *base, "out", "--due", "tomorrow")
    assert "more than 0" in fails(capsys, *base, "out", "--cell-seconds", "0")
    assert "already" in fails(capsys, "make-key", "key")
    pathlib.Path("in/key").write_text("x" * 40)
    assert "among the submissions" in fails(capsys, "grade", "in", "--sheet", "05", "--key", "in/key", "--out", "out")
    assert "No such command" in fails(capsys, "gade")
    pathlib.Path("empty").mkdir()
    assert "no .ipynb" in fails(capsys, "grade", "empty", *base[2:], "out")


def test_without_its_libraries_the_command_says_what_to_install():
    code = "import sys; sys.modules['click'] = None; from coursekit import cli; cli.main([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode and "pip install 'coursekit[grading]'" in done.stderr and "Traceback" not in done.stderr


def test_without_a_jail_nothing_is_graded(course, capsys, monkeypatch):
    from coursekit.grading.sealed import probe as probes

    monkeypatch.setattr(probes, "probe", lambda tier: probes.Probe(tier, error="gone"))
    assert "no jail holds" in fails(capsys, "grade", "in", "--sheet", "05", "--key", "key", "--out", "out")
    assert not pathlib.Path("out").exists()
    grade("--allow-weak-jail")
    assert "Nothing stops harmful code" in capsys.readouterr().out
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        assert {row["jail"] for row in csv.DictReader(file)} == {"limits"}


def test_check_jail_prints_the_tiers(capsys):
    cli.main(["check-jail"])
    said = capsys.readouterr().out
    assert "coursekit grade uses: bubblewrap" in said or "coursekit grade uses: landlock" in said


def test_the_gradescope_autograder_grades_as_gradescope_would_run_it(course, tmp_path):
    cli.main(["gradescope", "--sheet", "05", "--key", "key", "--out", "autograder.zip"])
    source = tmp_path / "source"
    with zipfile.ZipFile("autograder.zip") as archive:
        archive.extractall(source)
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
    assert [p.name for p in (source / "coursekit" / "_exercises").iterdir()] == ["05_initialization.py"]
    assert "05 /autograder/source/key" in (source / "run_autograder").read_text()
    subprocess.run(["bash", "-n", source / "setup.sh", source / "run_autograder"], check=True)

    def results(files):
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        code = (
            f"import sys; sys.path.insert(0, {str(source)!r}); import runpy; "
            f"sys.argv = ['x', '05', {str(source / 'key')!r}, {str(folder)!r}, {str(tmp_path / 'results.json')!r}]; "
            "runpy.run_module('coursekit.grading.sealed.gradescope', run_name='__main__')"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd="/", capture_output=True)
        return json.loads((tmp_path / "results.json").read_text())

    good = results({"x.ipynb": GOOD})
    assert good["score"] == ALL and all(t["status"] == "passed" for t in good["tests"])
    assert "jail:" in good["output"] and good["stdout_visibility"] == "hidden"
    assert results({"x.ipynb": b"nonsense"})["score"] == 0
    assert results({})["score"] == 0
    assert "found 2" in results({"x.ipynb": GOOD, "y.ipynb": GOOD})["output"]
