"""Cases: how a case file is read, who decides the seeds, and otter-grader's view of it."""

import hashlib
import inspect
import os
import textwrap

import numpy as np
import pytest

from coursekit.errors import CourseError
from coursekit.grading import cases
from coursekit.grading.cases import MissingName, case, keyed_rng, load_sheet, otter_tests, public_rng

FILE = """
from coursekit.grading.cases import Right, Wrong, case, question

TITLE = "Doubling"
Q1 = question("42.1", title="Double", minutes=5, hints=["Twice."])

@case("double: a number", points=2)
def number(double, *, rng):
    x = int(rng.integers(1000))
    assert double(x) == 2 * x, "not the double"

@case("double: hidden", hidden=True)
def hidden(double, *, rng):
    assert double(0) == 0

Q2 = question("42.2", title="Both", minutes=5)

@case("half and double")
def both(half, double, *, rng):
    assert half(double(4)) == 4

WRONG = [Wrong("42.1", "def double(x): return x", "not the double")]
RIGHT = [Right("42.2", "half = lambda x: x / 2")]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cases, "_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def sheet(folder):
    (folder / "42_doubling.py").write_text(FILE)
    return load_sheet("42")


def test_a_file_is_read_into_questions_with_the_cases_that_follow_them(sheet):
    assert (sheet.id, sheet.title, sheet.points) == ("42", "Doubling", 4)
    assert [(q.id, q.title, q.points, q.minutes) for q in sheet.questions] == [
        ("42.1", "Double", 3, 5),
        ("42.2", "Both", 1, 5),
    ]
    assert [c.name for c in sheet["42.1"].cases] == ["double: a number", "double: hidden"]
    assert [c.hidden for c in sheet.cases] == [False, True, False]
    assert sheet["42.2"].names == ("half", "double")
    assert sheet["42.1"].hints == ("Twice.",)
    assert [w.message for w in sheet["42.1"].wrong] == ["not the double"]
    assert len(sheet["42.2"].right) == 1
    assert not sheet["42.2"].wrong


def test_a_case_runs_on_a_namespace_and_raises_when_the_answer_is_wrong(sheet):
    number = sheet.cases[0]
    number.run({"double": lambda x: 2 * x}, public_rng(number))
    with pytest.raises(AssertionError, match="not the double"):
        number.run({"double": lambda x: x + 1}, public_rng(number))


def test_a_missing_name_is_told_by_name(sheet):
    with pytest.raises(MissingName, match="half is not defined"):
        sheet.cases[2].run({"double": abs}, public_rng(sheet.cases[2]))


def test_a_changed_file_is_read_again(sheet, folder):
    assert load_sheet("42") is sheet
    path = folder / "42_doubling.py"
    path.write_text(FILE.replace("points=2", "points=5"))
    os.utime(path, ns=(1, 1))
    assert load_sheet("42").points == 7


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('question("42.2"', 'question("41.2"', "41.2"),
        ('question("42.2"', 'question("42.1"', "questions twice: 42.1"),
        ("double: hidden", "double: a number", "cases twice"),
        ('Wrong("42.1"', 'Wrong("42.7"', "42.7"),
        ('Q1 = question("42.1", title="Double", minutes=5, hints=["Twice."])', "", "before the first question"),
        ('@case("half and double")', "", "without a case: 42.2"),
    ],
)
def test_a_file_at_fault_is_refused(folder, old, new, message):
    assert old in FILE
    (folder / "42_doubling.py").write_text(FILE.replace(old, new))
    with pytest.raises(CourseError, match=message):
        load_sheet("42")


@pytest.mark.parametrize("id", ["5", 5, "055", "../05", "ab", None])
def test_a_sheet_id_is_two_digits(id):
    with pytest.raises(CourseError, match="two digits"):
        load_sheet(id)


def test_an_unknown_sheet_or_question_names_those_there_are(sheet):
    with pytest.raises(CourseError, match="the sheets are: 42"):
        load_sheet("99")
    with pytest.raises(CourseError, match=r"42\.1, 42\.2"):
        sheet["42.3"]


@pytest.mark.parametrize("function", [lambda: None, lambda a: None, lambda a, rng: None, lambda a, *b, rng: None])
def test_a_case_needs_names_and_a_keyword_only_rng(function):
    with pytest.raises(TypeError, match="keyword-only rng"):
        case("x")(function)


def test_the_public_generator_is_the_same_every_time_and_another_for_every_case(sheet):
    first, second = sheet.cases[:2]
    assert public_rng(first).integers(2**62) == public_rng(first).integers(2**62)
    assert public_rng(first).integers(2**62) != public_rng(second).integers(2**62)
    digest = hashlib.sha256(b"coursekit\x0042.1\x00double: a number").hexdigest()
    assert public_rng(first).integers(2**62) == np.random.default_rng(int(digest, 16)).integers(2**62)


def test_the_key_decides_the_generator_and_each_case_gets_its_own(sheet):
    first, second = sheet.cases[:2]
    draws = {keyed_rng(key, c).integers(2**62) for key in (b"a" * 16, b"b" * 16) for c in (first, second)}
    assert len(draws) == 4
    assert keyed_rng(b"a" * 16, first).integers(2**62) == keyed_rng(b"a" * 16, first).integers(2**62)
    assert public_rng(first).integers(2**62) not in draws


@pytest.mark.parametrize("key", [b"", b"short", "a string of some length", None])
def test_a_key_that_can_be_guessed_is_refused(sheet, key):
    with pytest.raises(CourseError, match="16 bytes"):
        keyed_rng(key, sheet.cases[0])


def test_otter_sees_the_names_only_and_calls_with_none_for_what_is_missing(sheet):
    """What otter.test_files.test_case does with a function: look up each argument, None when it is missing."""

    class TestCase:
        def __init__(self, name, points, hidden):
            self.name, self.points, self.hidden = name, points, hidden

        def __call__(self, function):
            self.function = function
            return self

        def call(self, env):
            self.function(**{name: env.get(name) for name in inspect.signature(self.function).parameters})

    found = otter_tests(sheet["42.2"], TestCase)
    assert list(found) == ["case_1"]
    env = {"double": lambda x: 2 * x, "half": lambda x: x / 2, "rng": "the student's own"}
    found["case_1"].call(env)
    with pytest.raises(AssertionError, match="half is not defined"):
        found["case_1"].call({"double": abs})
    with pytest.raises(AssertionError):
        found["case_1"].call(env | {"half": lambda x: x})
    assert [test.points for test in otter_tests(sheet["42.1"], TestCase).values()] == [2, 1]


def test_a_real_otter_grader_runs_the_tests_if_it_is_installed(sheet, tmp_path):
    pytest.importorskip("otter.test_files")
    from otter.test_files import ExceptionTestFile

    shim = textwrap.dedent(
        """
        from otter.test_files import test_case
        from coursekit.grading.cases import load_sheet, otter_tests
        OK_FORMAT, name = False, "42.1"
        globals().update(otter_tests(load_sheet("42")["42.1"], test_case))
        """
    )
    for double, passed in ((lambda x: 2 * x, [True, True]), (lambda x: x, [False, True])):
        file = ExceptionTestFile.from_string(shim, path="42.1.py")
        file.run({"double": double, "rng": np.random.default_rng(0)})
        assert [result.passed for result in file.test_case_results] == passed
        assert [result.test_case.points for result in file.test_case_results] == [2, 1]
