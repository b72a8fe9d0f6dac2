"""What a result depends on is found, and nothing else makes it run again."""

import json
import os
import subprocess
import sys

import pytest
from course_imports import reached

from coursekit import _digests, _uses, ledger


def run(code):
    """What `loaded` gives in a process of its own after some code."""
    text = (
        f"from coursekit import _digests\n_digests.watch()\n{code}\nimport json\nprint(json.dumps(_digests.loaded()))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def write(path, text, when):
    path.write_text(text)
    os.utime(path, ns=(when, when))


def test_only_what_a_source_does_counts(tmp_path):
    file = tmp_path / "some.py"
    write(file, "def f(x):\n    return x\n", 1)
    plain = _digests.digest(file)
    write(file, '"""Why."""\n\n\ndef f(x):\n    """So."""\n    # or\n    return x\n', 2)
    assert _digests.digest(file) == plain
    write(file, "def f(x):\n    return -x\n", 3)
    assert _digests.digest(file) != plain
    assert _digests.digest(tmp_path / "gone.py") is None


def test_what_only_a_browser_runs_does_not_count(tmp_path):
    file = tmp_path / "some.py"
    write(file, "import sys\nFAST = sys.flags\n", 1)
    plain = _digests.digest(file)
    write(file, 'import sys\nFAST = sys.flags\nif sys.platform == "emscripten":\n    FAST = False\n', 2)
    assert _digests.digest(file) == plain
    write(file, "FAST = True\n", 9)
    without = _digests.digest(file)
    write(file, 'import sys\nFAST = True\nif sys.platform == "emscripten":\n    FAST = False\n', 3)
    assert _digests.digest(file) == without != plain
    for k, text in enumerate(("win32", "emscripten"), 4):  # another platform; the browser's, with what runs elsewhere
        other = "else:\n    FAST = 0\n" if text == "emscripten" else ""
        write(file, f'import sys\nFAST = True\nif sys.platform == "{text}":\n    FAST = False\n{other}', k)
        assert _digests.digest(file) not in (plain, without)
    assert "coursekit.fast.kernel" not in reached("coursekit.fast.products")


def test_modules_and_files_that_were_loaded_are_named_and_no_others():
    found = run("from coursekit import data\ndata.mnist()")
    assert found["src/coursekit/data/mnist_small.npz"] and found["coursekit.data._images"]
    assert not any("fashion" in name or "grading" in name or "optimizers" in name for name in found)
    assert _digests.unchanged(found)


def test_a_run_that_starts_a_process_depends_on_the_whole_package():
    assert _digests.EVERYTHING not in run("from coursekit import losses")
    found = run("import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])")
    assert _digests.unchanged({_digests.EVERYTHING: found[_digests.EVERYTHING]})


@pytest.mark.parametrize(
    "before", [{}, None, {"coursekit.losses": "another"}, {"coursekit.gone": "1"}, {"data/gone.npz": "1"}]
)
def test_in_doubt_it_has_changed(before):
    assert not _digests.unchanged(before)


def test_what_was_edited_during_the_run_counts_as_changed(tmp_path):
    (tmp_path / "mine.py").write_text("x = 1\n")
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport mine\nEDIT"
    end = "print(_digests.loaded('mine')['mine'])"
    edit = f"open({str(tmp_path / 'mine.py')!r}, 'a').write('x = 2')"
    said = []
    for step in ("", edit):
        text = f"from coursekit import _digests\n_digests.watch()\n{code.replace('EDIT', step)}\n{end}"
        said.append(subprocess.run([sys.executable, "-c", text], capture_output=True, text=True).stdout.strip())
    assert len(said[0]) == 64 and said[1] == "None"
    assert not _digests.unchanged({"coursekit.losses": None})


DECLARATIONS = """
from ..experiments import losses as experiment
from . import Choice, explorer, predict

__all__ = ["first", "second"]


def _words(result):
    return f"{result} WORDS"


first = explorer(experiment.first, _words, title="TITLE", size=Choice(1, 2, label="LABEL"))
second = explorer(experiment.SECOND, _words, size=Choice(1, 2))
third = predict("asks", about=first)


@claim("05.one", text="ROW")
def one():
    return helper(2)


@claim("05.two")
def two():
    return one()


def helper(x):
    return x + 1
"""


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        ("TITLE", "Another title", ""),
        ("LABEL", "Another label", ""),
        ("SECOND", "another", "second"),
        ("Choice(1, 2, label", "Choice(1, 2, 3, label", "first third"),
        ("asks", "asks again", "third"),
        ("WORDS", "in words", "first second third one two"),
        ("ROW", "Another row", ""),
        ("x + 1", "x + 2", "first second third one two"),
    ],
)
def test_of_a_module_only_what_one_declaration_needs_counts(tmp_path, old, new, touched):
    file = tmp_path / "some.py"
    names = ["first", "second", "third", "one", "two"]
    write(file, DECLARATIONS, 1)
    before = {name: _digests.digest(file, name) for name in names}
    write(file, DECLARATIONS.replace(old, new), 2)
    assert [name for name in names if _digests.digest(file, name) != before[name]] == touched.split()


def test_a_claim_is_run_again_unless_the_digest_beside_its_numbers_is_todays(monkeypatch):
    claim = ledger.claims("05")[0]
    for code, expected in ((_uses.of_function(claim.measure), True), ("another", False), (None, False)):
        monkeypatch.setattr(ledger, "read", lambda chapter, code=code: {claim.id: {"code": code}})
        assert ledger.unchanged(claim) is expected
    monkeypatch.setattr(ledger, "read", lambda chapter: {})
    assert not ledger.unchanged(claim)
