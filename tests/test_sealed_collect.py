"""Which file counts and whose it is: the layouts of platforms, and what people do to them."""

import csv
import datetime as dt
import io
import json
import os
import pathlib
import sys
import unicodedata
import warnings
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.errors import DataError
from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed import books
from coursekit.grading.sealed.collect import collect
from coursekit.grading.sealed.tables import read_table

CELLS = instructor_cells("02")
DONE = notebook(*CELLS, 'check("2.1")', 'check("02.1")', 'check("02.2")')
NAMES = [n for q in load_sheet("02").questions for n in q.names]
TEMPLATE = notebook(
    *(f"def {n}(x):\n    # Your code here\n    raise NotImplementedError" for n in NAMES), 'check("02.1")'
)
OTHER = notebook(*instructor_cells("03"), 'check("03.1")', 'check("03.2")')
SCRATCH = notebook("x = 1")


def zipped(members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def put(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def taken(folder, roster=None, **options):
    found = collect(folder, load_sheet("02"), roster, **options)
    return {s.student: s.file for s in found.last()}, found


def kinds(found):
    return {t.kind for t in found.troubles}


LAYOUTS = {
    "Moodle, flat": ({"Jane Doe_123_assignsubmission_file_02_losses.ipynb": DONE}, {"123"}),
    "Moodle, folders": ({"Jane Doe_123_assignsubmission_file_/x.ipynb": DONE}, {"123"}),
    "Canvas": ({"doejane_LATE_4242_9001_02-2.ipynb": DONE}, {"4242"}),
    "Canvas, a group's name with numbers": ({"project_group_4_4242_9001_02_losses.ipynb": DONE}, {"4242"}),
    "Blackboard": (
        {"Sheet_jdoe_attempt_2026-03-01-22-10-05_x.ipynb": DONE, "Sheet_jdoe_attempt_2026-03-01-22-10-05.txt": "note"},
        {"jdoe"},
    ),
    "Brightspace": ({"12345-678 - Jane Doe - Mar 1, 2026 1010 PM/x.ipynb": DONE, "index.html": "x"}, {"12345"}),
    "Gradescope": (
        {
            "submission_77/x.ipynb": DONE,
            "submission_metadata.yml": "submission_77:\n  :submitters:\n  - :name: Ann\n    :sid: '4001'\n"
            "    :email: a@b.c\n  :created_at: 2026-03-01 10:00:00.000000000 Z\n",
        },
        {"4001"},
    ),
    "GitHub Classroom": (
        {"02-losses-annsmith/02_losses.ipynb": DONE, "02-losses-annsmith/.git/config": "x",
         "02-losses-bob-x/02_losses.ipynb": DONE, "02-losses-bob-x/.git/config": "x"},
        {"annsmith", "bob-x"},
    ),
    "plain": ({"ann.ipynb": DONE, "bob/02_losses.ipynb": DONE}, {"ann", "bob"}),
    "other suffixes": (
        {"ann/02_losses.ipynb.txt": DONE, "bob.ipynb.json": DONE, "eve.json": DONE}, {"ann", "bob", "eve"},
    ),
    "deep": ({"ann/a/b/c/d/e/f/02_losses.ipynb": DONE}, {"ann"}),
    "a zip in a folder with more than the notebook": (
        {"ann/all.zip": zipped({"w/02_losses.ipynb": DONE, "w/notes.ipynb": SCRATCH, "w/data.csv": "1"})}, {"ann"},
    ),
    "the platform's zip in the folder": (
        {"submissions.zip": zipped({"doe_4242_9001_02.ipynb": DONE, "roe_4243_9002_02.ipynb": DONE})}, {"4242", "4243"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_gives_each_file_to_its_student(tmp_path, name):
    files, students = LAYOUTS[name]
    chosen, found = taken(put(tmp_path / "in", files))
    assert set(chosen) == students, found
    assert all(found.attempts[0].path.is_file() for _ in chosen)
    assert kinds(found) <= {"owner"}


def test_the_zip_file_of_a_platform_is_the_argument(tmp_path):
    path = tmp_path / "download.zip"
    path.write_bytes(
        zipped({"doe_4242_9001_02.ipynb": DONE, "roe_LATE_4243_9002_02.ipynb": DONE, "../../evil.ipynb": DONE})
    )
    chosen, found = taken(path, unpack_to=tmp_path / "out")
    assert {"4242", "4243"} <= set(chosen) and {s.student: s.late for s in found.attempts}["4243"] is True
    assert not (tmp_path / "evil.ipynb").exists() and not (tmp_path.parent / "evil.ipynb").exists()


CHOICES = {
    "a copy of the template": (
        {"02_losses.ipynb": TEMPLATE, "Copy of 02_losses.ipynb": DONE}, "Copy of 02_losses.ipynb",
    ),
    "a clone of the course": (
        {"exercises/02_losses.ipynb": DONE, "exercises/03_activations.ipynb": OTHER, "chapters/02_losses.ipynb": DONE,
         "exercises/01_backpropagation.ipynb": TEMPLATE},
        "exercises/02_losses.ipynb",
    ),
    "my own name for it": ({"02_losses.ipynb": TEMPLATE, "mine.ipynb": DONE}, "mine.ipynb"),
    "scratch beside it": ({"losses.ipynb": DONE, "scratch.ipynb": SCRATCH}, "losses.ipynb"),
    "another sheet beside it": ({"a.ipynb": DONE, "b.ipynb": OTHER}, "a.ipynb"),
    "a broken later file": ({"a.ipynb": DONE, "b.ipynb": b"{"}, "a.ipynb"),
    "a later empty template": ({"1.ipynb": DONE, "2.ipynb": TEMPLATE}, "1.ipynb"),
    "two attempts": ({"02_a.ipynb": DONE, "02_b.ipynb": DONE}, "02_b.ipynb"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_content_comes_before_name_and_time(tmp_path, name):
    files, best = CHOICES[name]
    folder = put(tmp_path / "in", {f"ann/{file}": data for file, data in files.items()})
    for number, file in enumerate(files):  # later files are later
        os.utime(folder / "ann" / file, (1e9 + number, 1e9 + number))
    chosen, found = taken(folder)
    assert chosen == {"ann": f"ann/{best}"}
    over = {line.file: line.why for line in found.lines if line.taken == "passed over"}
    assert set(over) == {f"ann/{f}" for f in files if f != best} and all(over.values())


def test_two_files_of_one_canvas_attempt_are_chosen_by_content(tmp_path):
    for other, name in ((SCRATCH, "scratch"), (OTHER, "03_activations")):
        files = {"doe_4242_9001_02_losses.ipynb": DONE, f"doe_4242_9002_{name}.ipynb": other}
        chosen, _ = taken(put(tmp_path / name, files))
        assert chosen == {"4242": "doe_4242_9001_02_losses.ipynb"}


def test_the_number_at_the_end_of_a_name_counts_only_where_canvas_adds_it(tmp_path):
    files = {"doe_4242_9001_exercise-05.ipynb": DONE, "doe_4242_9009_exercise-05-1.ipynb": DONE}
    chosen, found = taken(put(tmp_path / "in", files))
    assert chosen == {"4242": "doe_4242_9009_exercise-05-1.ipynb"}
    assert [s.attempt for s in found.attempts] == [1, 2] and found.last()[0].attempts == 2


def test_nothing_is_passed_over_without_a_line(tmp_path):
    files = {
        "ann/a.py": "x", "bob/b.pdf": "x", "cas/c.7z": "x", "dan/d.tar.gz": "x", "eve/e.ipynb": OTHER,
        "fay.ipynb": b"<html>", "gus/g.ipynb": DONE, "gus/plot.png": "x",
    }  # fmt: skip
    folder = put(tmp_path / "in", files)
    (folder / "hal").mkdir()
    chosen, found = taken(folder)
    assert {line.file for line in found.lines} == set(files)
    words = " ".join(t.text for t in found.troubles)
    assert all(name in words for name in ("ann", "bob", "cas", "dan", "eve", "fay", "hal")) and "gus" not in words
    assert "sheet 03" in words and set(chosen) == {"eve", "fay", "gus"}
    assert sum(t.stops for t in found.troubles) == 6  # fay's is graded, and says why it cannot be read


def test_a_sheet_that_fits_nobody_is_seen(tmp_path):
    _, found = taken(put(tmp_path / "in", {f"s{i}.ipynb": OTHER for i in range(5)}))
    assert found.fitting == 0 and found.other_sheets.most_common(1)[0][0] == "03"


def test_the_roster_knows_other_spellings_and_sees_typing_errors(tmp_path):
    jurgen = "Jürgen Müller"
    roster_file = tmp_path / "r.csv"
    roster_file.write_text(
        f"Student;Name;E-Mail\n4001;Ann;ann@x.y\n4O02;Bob;\nKIM;Kim;\n4004;{jurgen};\n", encoding="utf-8"
    )
    roster = books.read_roster(roster_file)
    files = {
        "4001.ipynb": DONE,
        "4002.ipynb": DONE,
        "kim/02.ipynb": DONE,
        unicodedata.normalize("NFD", jurgen) + "/x.ipynb": DONE,
    }
    chosen, found = taken(put(tmp_path / "in", files), roster)
    assert set(chosen) == {"4001", "4002", "KIM", "4004"}
    words = {t.kind: t.text for t in found.troubles}
    assert "4O02" in words["not on the roster"] and "4O02" in words["no submission"]


@pytest.mark.parametrize(("number", "stops"), [("4002", None), ("4O02", True), ("", True)])
def test_a_mistyped_number_that_the_name_resolves_is_said(tmp_path, number, stops):
    roster = {"ann": {"name": "doeann", "canvas_id": "4001"}, "bob": {"name": "roebob", "canvas_id": number}}
    files = {"doeann_4001_9001_02.ipynb": DONE, "roebob_4002_9002_02.ipynb": DONE}
    chosen, found = taken(put(tmp_path / "in", files), roster)
    assert set(chosen) == {"ann", "bob"}
    said = [t for t in found.troubles if t.kind == "found by name"]
    assert [t.stops for t in said] == [stops] * (stops is not None)
    assert all("4002" in t.text and "taken for bob" in t.text for t in said)


def test_a_roster_without_the_numbers_of_the_platform_is_said_once(tmp_path):
    roster = {"ann": {"name": "doeann"}, "bob": {"name": "roebob"}}
    files = {"doeann_4001_9001_02.ipynb": DONE, "roebob_4002_9002_02.ipynb": DONE}
    chosen, found = taken(put(tmp_path / "in", files), roster)
    (said,) = [t for t in found.troubles if t.kind == "found by name"]
    assert set(chosen) == {"ann", "bob"} and not said.stops and "2 students" in said.text


@pytest.mark.parametrize("names", [("a\nb", "a b"), ("ann", "ann\u200b"), ("ann", "a\u0440n")])
def test_names_that_look_alike_stay_apart(tmp_path, names):
    chosen, _ = taken(put(tmp_path / "in", {f"{n}.ipynb": DONE for n in names}))
    assert len(chosen) == 2 and all(s.isprintable() for s in chosen)


def test_two_places_of_one_student_are_said(tmp_path):
    for files in ({"ann.ipynb": DONE, "ann/x.ipynb": DONE}, {"Ann.ipynb": DONE, "ann.ipynb": DONE}):
        _, found = taken(put(tmp_path / str(len(list(tmp_path.iterdir()))), files))
        assert "collision" in kinds(found) and len(found.last()) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "cp949"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_lists_are_read_as_spreadsheets_save_them(tmp_path, encoding, separator):
    korean = ["김민준", "이서연", "박지후", "최수아"]
    names = {"cp949": korean}.get(encoding, ["Müller Jürgen"])
    lines = [f"Student{separator} NAME", *(f"{4001 + i}{separator} {name}" for i, name in enumerate(names))]
    path = tmp_path / "list.csv"
    path.write_bytes("\r\n".join([*lines, f"9{separator}Ann", ""]).encode(encoding))
    table = read_table(path, ("student",))
    assert [row["name"] for row in table.rows] == [*names, "Ann"]
    assert bool(table.note) == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "column student"),
        (b"PK\x03\x04xx", "CSV UTF-8"),
        (b"\x00\x01\x80\xff" * 50, "CSV UTF-8"),
    ],
)
def test_a_list_that_is_none_is_refused_in_words(tmp_path, data, words):
    (tmp_path / "list.csv").write_bytes(data)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "list.csv", ("student",))


def test_submissions_csv_takes_paths_as_people_write_them(tmp_path):
    rows = ["File; Student; Submitted", ".\\a\\x.ipynb; 1; 2026-03-01T10:00", "./b.ipynb;2;", "gone.ipynb;3;"]
    files = {"a/x.ipynb": DONE, "b.ipynb": DONE, "submissions.csv": "\n".join(rows)}
    chosen, found = taken(put(tmp_path / "in", files), zone=dt.timezone(dt.timedelta(hours=9)))
    assert set(chosen) == {"1", "2"} and found.unlisted == ["gone.ipynb"]
    assert next(s for s in found.attempts if s.student == "1").submitted.utcoffset() == dt.timedelta(hours=9)


def evil(**changes):
    info = zipfile.ZipInfo(changes.pop("name", "x.ipynb"))
    for key, value in changes.items():
        setattr(info, key, value)
    return info


def bomb(count):
    return zipped({f"{i}.ipynb": bytes(30 << 20) for i in range(count)})


ATTACKS = {
    "zip with paths to elsewhere": lambda: zipped(
        {"../../../../tmp/evil1.ipynb": DONE, "/tmp/evil2.ipynb": DONE, "b.ipynb": DONE}
    ),
    "zip with links": lambda: zipped(
        {evil(external_attr=0o120777 << 16): "/etc/passwd", "b.ipynb": DONE, "c.ipynb": DONE}
    ),
    "zip bombs": lambda: bomb(8),
    "zip with ten thousand members": lambda: zipped({f"{i}.ipynb": "" for i in range(10_000)}),
    "zip in zip in zip": lambda: zipped({"a.zip": zipped({"b.zip": zipped({"c.ipynb": DONE})})}),
    "zip packed with LZMA": lambda: lzma_zip(),
    "zip that is damaged": lambda: zipped({"a.ipynb": DONE, "b.ipynb": DONE})[:-40],
    "notebook of brackets": lambda: b"[" * (1 << 20),
    "notebook of empty lists": lambda: b'{"cells": [' + b"[]," * 6_000_000 + b"[]]}",
    "notebook whose text takes long to match": lambda: notebook("def f(x):\n" + "    \n" * 30_000 + "    raise Not"),
    "notebook of one long line": lambda: notebook("x" + "(" * 150_000),
    "notebook of a hundred thousand checks": lambda: notebook('check("02.1")' * 14_000),
    "zip that says it is small": lambda: small_zip(),
    "zip with one damaged notebook": lambda: patched(b"hello", b"HELLO"),
    "zip of a day that no month has": lambda: zipped({evil(date_time=(1990, 1, 0, 0, 0, 0)): DONE, "b.ipynb": DONE}),
    "zip of the hour 31, the minute 63 and the month 15": lambda: clock_zip(),
    "zip with a name of two hundred Chinese letters": lambda: zipped(
        {"\u6f22" * 190 + ".ipynb": DONE, "b.ipynb": DONE}
    ),
    "zip with folders sixty deep": lambda: zipped({"/".join(["a" * 100] * 60) + "/x.ipynb": DONE, "b.ipynb": DONE}),
    "zip with a file that is a folder as well": lambda: zipped({"a.ipynb": DONE, "a.ipynb/b.ipynb": DONE}),
    "zip with zero bytes in names": lambda: zipped({"a\0b.ipynb": DONE, "c\0.ipynb": DONE, "d.ipynb": DONE}),
    "zip with names of nothing but dots and blanks": lambda: zipped({"....ipynb": DONE, " .ipynb": DONE, ".": DONE}),
    "zip of a notebook under one name twice": lambda: two_of_a_name(),
    "zip that says it is encrypted": lambda: patched(b"PK\x01\x02", b"PK\x01\x02", flags=1),
    "zip of an unknown packing": lambda: patched(b"PK\x01\x02", b"PK\x01\x02", method=93),
    "zip with a comment as long as it may be": lambda: commented(),
    "notebook of lone surrogates": lambda: notebook("x = 1").replace(b"x = 1", b"\\ud800" * 9000),
    "notebook of a thousand worksheets": lambda: b'{"worksheets": [' + b'{"cells": [1, null, {}]},' * 9999 + b"1]}",
    "notebook whose heading takes long to match": lambda: (
        b'{"cells": [{"cell_type": "markdown", "source": "# ' + b"0" * 900_000 + b'"}]}'
    ),
    "notebook with cells that are text": lambda: b'{"cells": ["code", {"cell_type": "code", "source": {"a": 1}}]}',
    "zip with a name of sixty thousand letters": lambda: zipped({"a" * 60_000 + ".ipynb": DONE, "b.ipynb": DONE}),
    "notebook with a number of a hundred thousand digits": lambda: b'{"cells": [' + b"9" * 100_000 + b"]}",
    "notebook with every key twice": lambda: (
        b'{"cells": 1, "cells": [], "cells": {"cells": [' + b'{"cells": []},' * 9 + b"1]}}"
    ),
    "zip whose directory and bodies give other names": lambda: patched(b"PK\x01\x02", b"PK\x01\x02", rename=True),
    "zip with one name in two Unicode forms and in capitals": lambda: zipped(
        {f"{n}.ipynb": DONE for n in ("jos\u00e9", "jose\u0301", "JOS\u00c9", "\uff4a\uff4f\uff53\uff45")}
    ),
    "zip with a link to a folder, and files through it": lambda: zipped(
        {evil(name="d", external_attr=0o120777 << 16): "/tmp", "d/evil3.ipynb": DONE, "d/evil4.ipynb": DONE}
    ),
    "zip with a device, a pipe and a socket": lambda: zipped(
        {evil(name=f"{m:o}.ipynb", external_attr=m << 16): DONE for m in (0o020666, 0o010666, 0o140777, 0o060600)}
        | {"b.ipynb": DONE, "c.ipynb": DONE}
    ),
    "zip with drives, shares and devices of Windows": lambda: zipped(
        dict.fromkeys(["C:\\Windows\\x.ipynb", "\\\\host\\share\\x.ipynb", "NUL.ipynb", "a.ipynb:b.ipynb"], DONE)
    ),
    "zip with lists of ours in it": lambda: zipped(
        {
            "submissions.csv": "file,student\nx.ipynb,ann\n../ann.ipynb,eve\n",
            "roster.csv": "student\neve\n",
            "overrides.csv": "student,question,points\neve,02.1,99\n",
            "submission_metadata.yml": "submission_1:\n  :submitters:\n  - :sid: ann\n",
            "submission_1/x.ipynb": DONE,
            "bob/02.ipynb": SCRATCH,
        }
    ),
    "zip of a thousand folders and no file": lambda: zipped({f"{i}/": "" for i in range(1000)}),
    "zip whose bodies are the same bytes, a thousand times": lambda: shared_zip(1000),
    "zip that is its own end and beginning": lambda: (
        zipped({"a.ipynb": DONE}) + zipped({"b.ipynb": DONE, "c.ipynb": DONE})
    ),
    "zip of sizes beyond sixty-four bits": lambda: patched(b"PK\x01\x02", b"PK\x01\x02", sizes=True),
    "zip with names that are formulas, tags and lines turned round": lambda: zipped(
        dict.fromkeys(["=cmd|' /C calc'!A1.ipynb", "<img src=x onerror=alert(1)>.ipynb", "\u202eipynb.exe.ipynb"], DONE)
    ),
    "notebook with twelve megabytes of output": lambda: notebook(*CELLS, metadata={"x": "<script>" * 1_500_000}),
    "notebook nested a hundred thousand deep beside its cells": lambda: (
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b", " + DONE[1:]
    ),
    "notebook in Latin-1": lambda: notebook("# \u00fc", *CELLS).replace(b"\\u00fc", b"\xfc"),
    "notebook that is a zip file as well": lambda: DONE + zipped({"x.ipynb": DONE}),
    "notebook of half a million numbers that are none": lambda: (
        b'{"x": [' + b"NaN,-Infinity," * 250_000 + b"0], " + DONE[1:]
    ),
    "notebook that names a check of every sheet": lambda: notebook(*(f'check("{i:02d}.1")' for i in range(100))),
}


def small_zip():
    """The sizes in both headers say 10 bytes; what unpacks is 30 MB."""
    data = bytearray(zipped({"a.ipynb": bytes(30 << 20)}))
    for place in (22, data.index(b"PK\x01\x02") + 24):
        data[place : place + 4] = (10).to_bytes(4, "little")
    return bytes(data)


def shared_zip(count):
    """A directory of many names for one member of 15 MB: small as a file, without end when it is unpacked."""
    data = zipped({"0000.ipynb": bytes(15 << 20)})
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"0000", b"%04d" % i) for i in range(count))
    end = bytearray(data[data.index(b"PK\x05\x06") :])
    end[8:12] = count.to_bytes(2, "little") * 2
    end[12:16] = len(entries).to_bytes(4, "little")
    return data[:start] + entries + bytes(end)


def patched(old, new, flags=0, method=None, rename=False, sizes=False):
    """A zip file of two notebooks, stored, with some bytes replaced, and flags or packing in its directory."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.ipynb", notebook("hello = 1"))
        archive.writestr("b.ipynb", DONE)
    found = bytearray(data.getvalue().replace(old, new))
    for place in (found.find(b"PK\x01\x02"), found.rfind(b"PK\x01\x02")):
        found[place + 8] |= flags
        found[place + 10] = found[place + 10] if method is None else method
        found[place + 46] = ord("x") if rename else found[place + 46]
        if sizes:
            found[place + 20 : place + 28] = b"\xff" * 8
    return bytes(found)


def clock_zip():
    data = bytearray(zipped({"a.ipynb": DONE, "b.ipynb": DONE}))
    for place in (data.find(b"PK\x01\x02"), data.rfind(b"PK\x01\x02")):
        data[place + 12 : place + 16] = b"\xff" * 4
    return bytes(data)


def two_of_a_name():
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as archive:
        warnings.simplefilter("ignore")
        for content in (DONE, SCRATCH, b"{"):
            archive.writestr("a.ipynb", content)
    return data.getvalue()


def commented():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.comment = b"PK\x05\x06" * 16_000
        archive.writestr("a.ipynb", DONE)
        archive.writestr("b.ipynb", DONE)
    return data.getvalue()


def lzma_zip():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.ipynb", DONE)
        archive.writestr("b.ipynb", DONE)
    return data.getvalue()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_collecting_harms_nobody(tmp_path, name):
    data = ATTACKS[name]()
    suffix = ".zip" if name.startswith("zip") else ".ipynb"
    folder = put(
        tmp_path / "in", {f"eve/x{suffix}": data, f"evil{suffix}": data, "ann.ipynb": DONE, "bob/02.ipynb": DONE}
    )
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = dt.datetime.now()
    chosen, found = taken(folder, unpack_to=tmp_path / "out")
    assert (dt.datetime.now() - start).total_seconds() < 90
    assert chosen["ann"] == "ann.ipynb" and chosen["bob"] == "bob/02.ipynb"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
    assert not list(pathlib.Path("/tmp").glob("evil*.ipynb"))
    assert any("eve" in line.file or "evil" in line.file for line in found.lines)


def test_a_heading_that_takes_long_to_match_costs_no_answer(tmp_path):
    from coursekit.grading.sealed.look import written_texts

    cells = [
        {"cell_type": "markdown", "source": text} for text in ("# " + "0" * 900_000, "## 02.9\nBecause.", "## 02.8 x")
    ]
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells}))
    assert written_texts(tmp_path / "x.ipynb", ("02.9",)) == {"02.9": "## 02.9\nBecause."}


def test_what_one_damaged_file_loses_is_said(tmp_path):
    data = patched(b"hello", b"HELLO")
    _, found = taken(put(tmp_path / "in", {"eve/x.zip": data}), unpack_to=tmp_path / "out")
    (line,) = [line for line in found.lines if line.taken == "passed over"]
    assert line.file == "eve/x.zip/a.ipynb" and "CRC" in line.why
    path = tmp_path / "download.zip"
    path.write_bytes(data)
    _, found = taken(path, unpack_to=tmp_path / "out")
    (said,) = [t for t in found.troubles if t.kind == "unreadable"]
    assert said.stops and "a.ipynb in download.zip" in said.text


def test_one_students_zip_files_cannot_fill_the_disk(tmp_path, monkeypatch):
    from coursekit.grading.sealed import collect as stage

    monkeypatch.setattr(stage, "MAX_UNPACKED_OF_ONE", 3 << 20)
    big = zipped({f"{i}.ipynb": bytes(2 << 20) for i in range(2)})
    files = {"eve/1.zip": big, "eve/2.zip": big, "ann/1.zip": zipped({"a.ipynb": DONE, "b.ipynb": DONE})}
    chosen, found = taken(put(tmp_path / "in", files), unpack_to=tmp_path / "out")
    assert chosen["ann"] == "ann/1.zip/b.ipynb" and "eve" not in chosen
    assert any(t.kind == "unreadable" and "of eve hold more than 3 MB" in t.text for t in found.troubles)


def test_names_of_files_cannot_reach_the_books(tmp_path):
    from coursekit.grading.sealed.report import write_collected

    names = [
        "=cmd|'.ipynb",
        "<script>alert(1)<.ipynb",
        "a\x1b[2J.ipynb",
        "new\nline.pdf",
        "\u202egnp.ipynb",
        "x;=1.pdf",
    ]
    folder = put(tmp_path / "in", {n: DONE for n in names})
    with open(os.fsencode(folder) + b"/\xff\xfe.ipynb", "wb") as file:
        file.write(DONE)
    _, found = taken(folder)
    (tmp_path / "out").mkdir()
    write_collected(tmp_path / "out", found)
    page = (tmp_path / "out" / "collected.html").read_text(encoding="utf-8")
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page
    with open(tmp_path / "out" / "collected.csv", newline="", encoding="utf-8") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert not any(c.startswith(("=", "+", "@")) or ";=" in c for c in cells)


def test_a_zip_file_whose_name_is_too_long_for_a_folder_stops_nobody(tmp_path):
    long = "Jane Doe_123_assignsubmission_file"
    folder = put(
        tmp_path / "in", {f"{long}/{'x' * 240}.zip": zipped({"a.ipynb": DONE, "b.ipynb": SCRATCH}), "ann.ipynb": DONE}
    )
    chosen, _ = taken(folder, unpack_to=tmp_path / "out")
    assert chosen["ann"] == "ann.ipynb" and chosen["123"].endswith("a.ipynb")


def test_two_zip_files_with_almost_one_name_stay_apart(tmp_path):
    """Unpacked into one folder, the second one's files would be graded for both."""
    files = {
        n: zipped({"a.ipynb": notebook(*CELLS, f"x = {i}"), "b.ipynb": SCRATCH})
        for i, n in enumerate(("ann/x.zip", "ann_x.zip"))
    }
    found = collect(put(tmp_path / "in", files), "02", unpack_to=tmp_path / "out")
    text = {s.student: s.path.read_text() for s in found.last()}
    assert "x = 0" in text["ann"] and "x = 1" in text["ann_x"]


@pytest.mark.parametrize("roster", [{"mallory": {}, "bob": {"canvas_id": "4242"}}])
def test_a_students_zip_file_cannot_hand_in_for_a_classmate(tmp_path, roster):
    """It looks like a platform's download, but its own name is that of a student on the roster."""
    fake = zipped({"bob_4242_9001_05.ipynb": SCRATCH, "eve_4243_9002_05.ipynb": SCRATCH})
    folder = put(tmp_path / "in", {"mallory.zip": fake, "bob.ipynb": DONE})
    found = collect(folder, "02", roster, unpack_to=tmp_path / "out")
    assert {s.student: s.file for s in found.last()}["bob"] == "bob.ipynb"
    assert {s.student for s in found.attempts} == {"mallory", "bob"}


@pytest.mark.parametrize(
    "name", ["T_eve_attempt_2026-13-45-99-99-99_x.ipynb", "T_eve_attempt_0000-00-00-00-00-00_x.ipynb"]
)
def test_a_day_that_no_month_has_stops_nobody(tmp_path, name):
    files = {
        name: DONE,
        "ann.ipynb": DONE,
        "eve/x.zip": zipped({name: DONE, "b_" + name: DONE}),
        "m.zip": zipped({name: DONE, "b_" + name: DONE}),
    }
    assert taken(put(tmp_path / "in", files), unpack_to=tmp_path / "out")[0]["ann"] == "ann.ipynb"


def test_a_gradescope_list_with_a_day_that_no_month_has_stops_nobody(tmp_path):
    listed = b"submission_77:\n  :submitters:\n  - :name: Eve\n    :sid: eve\n  :created_at: 2026-13-45 10:00:00 Z\n"
    folder = put(tmp_path / "in", {"submission_metadata.yml": listed, "submission_77/x.ipynb": DONE, "ann.ipynb": DONE})
    chosen, _ = taken(folder)
    assert chosen == {"eve": "submission_77/x.ipynb", "ann": "ann.ipynb"}


def test_a_mistyped_number_of_the_platform_is_guessed(tmp_path):
    folder = put(tmp_path / "in", {"annx_4003_9001_05.ipynb": DONE, "bob_4004_9002_05.ipynb": DONE})
    found = collect(folder, "02", {"s1": {"canvas_id": "4O03"}, "s2": {"canvas_id": "4004"}})
    (said,) = [t.text for t in found.troubles if t.kind == "not on the roster"]
    assert said == "4003; is it s1, who has handed in nothing?"


def test_without_a_roster_a_students_zip_file_cannot_hand_in_for_a_classmate(tmp_path):
    fake = zipped({"bob_4242_9999_02.ipynb": SCRATCH, "eve_4243_9002_02.ipynb": SCRATCH})
    true = zipped({"bob_4242_9001_02.ipynb": DONE, "cy_4244_9003_02.ipynb": DONE})
    single = zipped({"x.ipynb": DONE})
    beside = {"bob_4242_9001_02.ipynb": DONE}, {"4242/x.ipynb": DONE}, {"4242.zip": single}
    for i, files in enumerate(beside):
        folder = put(tmp_path / f"in{i}", {"mallory.zip": fake, **files})
        chosen, found = taken(folder, unpack_to=tmp_path / f"out{i}")
        assert chosen["4242"] == next(iter(files)) and set(chosen) == {"mallory", "4242"}
        assert any(t.stops and "looks like the download" in t.text for t in found.troubles if t.kind == "owner")
    for i, files in enumerate(
        [{"a.zip": true}, {"a.zip": true, "b.zip": zipped({"d_5_7_x.ipynb": DONE, "e_6_8_x.ipynb": DONE})}]
    ):
        chosen, found = taken(put(tmp_path / f"true{i}", {**files, "roster.csv": ""}), unpack_to=tmp_path / f"tout{i}")
        assert {"4242", "4244"} <= set(chosen), "a platform's own zip files in a folder are opened"
        assert [t.stops for t in found.troubles if t.kind == "owner"] == [False] * len(files)


TWICE = {
    "a displayed name": ("eve_4242_9999_5555_9002_02.ipynb", "bob_4242_9001_02.ipynb"),
    "half of a displayed name": ("eve_4242_5555_9002_02.ipynb", "bob_4242_9001_02.ipynb"),
    "Moodle": ("Eve_4242_assignsubmission_file_x_5555_assignsubmission_file_02.ipynb",
               "Bob_4242_assignsubmission_file_02.ipynb"),
}  # fmt: skip


@pytest.mark.parametrize("people", [None, {"4242": {}, "5555": {}}, {"b": {"canvas_id": "4242", "moodle_id": "4242"}}])
@pytest.mark.parametrize("name", TWICE)
def test_a_name_that_can_be_read_as_anothers_counts_for_nobody(tmp_path, name, people):
    evil, honest = TWICE[name]
    chosen, found = taken(put(tmp_path / "in", {evil: DONE, honest: DONE}), people)
    assert chosen["b" if people and "b" in people else "4242"] == honest
    assert len(found.attempts) == 2 and len([s for s in found.attempts if s.attempts == 1]) == 2
    (said,) = [t for t in found.troubles if t.kind == "owner"]
    assert said.stops and "4242" in said.text and "5555" in said.text and said.text.startswith(evil)
    listed = {evil: DONE, honest: DONE, "submissions.csv": f"file,student\n{evil},5555\n"}
    chosen, found = taken(put(tmp_path / "listed", listed), people)
    assert chosen["5555"] == evil and "owner" not in kinds(found)


PLAIN = {
    "Canvas, a file's name": ("eve_5555_9002_bob_9_02.ipynb", "bob_4242_9001_02.ipynb"),
    "Moodle, folders": ("Eve_4242_assignsubmission_file_x_5555_assignsubmission_file_/02.ipynb",
                        "Bob_4242_assignsubmission_file_/02.ipynb"),
    "Blackboard": ("S_5555_attempt_2026-03-01-22-10-05_x_4242_attempt_2026-03-09-22-10-05_02.ipynb",
                   "S_4242_attempt_2026-03-01-22-10-05_02.ipynb"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_where_the_platforms_part_can_be_told_another_in_the_name_is_no_matter(tmp_path, name):
    evil, honest = PLAIN[name]
    chosen, found = taken(put(tmp_path / "in", {evil: DONE, honest: DONE}))
    assert chosen == {"5555": evil, "4242": honest} and "owner" not in kinds(found)


def test_numbers_in_a_files_name_take_it_from_nobody(tmp_path):
    files = ["ann_4242_9001_2026_2027_02.ipynb", "bob_4243_9002_hw_100_200_x.ipynb", "grp_4_4244_9003_02.ipynb"]
    chosen, found = taken(put(tmp_path / "in", dict.fromkeys(files, DONE)))
    assert set(chosen) == {"4242", "4243", "4244"} and "owner" not in kinds(found)
    chosen, found = taken(put(tmp_path / "known", {"year_2026_2027_4244_9003_02.ipynb": DONE}), {"4244": {}})
    assert set(chosen) == {"4244"} and "owner" not in kinds(found)
