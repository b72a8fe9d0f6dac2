"""Every sheet: the reference earns all points, wrong answers fail with their message, right ones pass."""

import functools
import json
import pathlib
import sys

import jupytext
import numpy as np
import pytest
from sheet_sources import definitions, solved_cells, source

from coursekit.grading import sheets
from coursekit.grading.cases import keyed_rng, load_sheet, public_rng, sheet_ids
from coursekit.grading.check import check

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import make_notebooks  # noqa: E402

SHEETS = {id: load_sheet(id) for id in sheet_ids()}
SEEDS = 25


def reference(id):
    """The names of the sheet's source, solutions and all, as a notebook that has been run has them."""
    names = {}
    for cell in solved_cells(id):
        exec(cell, names)
    return names


@pytest.fixture(scope="module")
def references():
    return {id: reference(id) for id in SHEETS}


@functools.cache
def compiled(id):
    return compile(definitions(id), str(source(id)), "exec")


def answer(id, code):
    """The names of a notebook with `code` in place of, or after, the solutions."""
    names = {}
    exec(compiled(id), names)
    exec(code, names)
    return names


def failures(question, names, rngs):
    """What each case says, for one generator a case."""
    said = []
    for case, rng in zip(question.cases, rngs, strict=True):
        try:
            case.run(names, rng)
        except Exception as error:  # as the grader has it: an exception of the answer is a wrong answer
            said.append(str(error) or type(error).__name__)
    return said


def generators(question):
    """The public generators, then those of some keys."""
    yield [public_rng(case) for case in question.cases]
    for i in range(SEEDS):
        yield [keyed_rng(b"a key for tests " + bytes([i]), case) for case in question.cases]


def every(kind):
    return [
        pytest.param(id, question, item, id=f"{question.id}-{i}")
        for id, sheet in SHEETS.items()
        for question in sheet.questions
        for i, item in enumerate(getattr(question, kind))
    ]


def test_there_is_a_source_for_every_sheet_and_a_sheet_for_every_source():
    assert SHEETS
    texts = {path.name[:2] for path in (ROOT / "exercises").glob("*.md")}
    assert texts == set(SHEETS), (
        f"sheets {texts ^ set(SHEETS)}: write both exercises/NN_name.md and exercises/tests/NN_name.py"
    )
    for id, sheet in SHEETS.items():
        heading = f"# Exercise sheet {id}: {sheet.title}\n"
        assert source(id).read_text().count(heading) == 1, f"{source(id).name} must begin with the heading {heading!r}"


@pytest.mark.parametrize("id", SHEETS)
def test_the_reference_earns_every_point_whatever_the_key(id, references):
    for question in SHEETS[id].questions:
        for rngs in generators(question):
            said = failures(question, references[id], rngs)
            assert said == [], f"the solution of {question.id} fails its own cases; mend it, or the case that says so"


@pytest.mark.parametrize("id", SHEETS)
def test_the_reference_is_all_right_for_check(id, references, capsys):
    results = [check(question.id, references[id]) for question in SHEETS[id].questions]
    assert all(result.passed for result in results)
    assert all(result.points == result.out_of for result in results)
    seen = [case for question in SHEETS[id].questions for case in question.cases if not case.hidden]
    assert sum(result.points for result in results) == sum(case.points for case in seen)
    assert max(result.seconds for result in results) < 1


@pytest.mark.parametrize(("id", "question", "wrong"), every("wrong"))
def test_a_known_wrong_answer_fails_with_its_own_message(id, question, wrong):
    names = answer(id, wrong.code)
    for rngs in generators(question):
        assert failures(question, names, rngs), f"a wrong answer passes every case of {question.id} under some key"
    result = check(question.id, names)
    assert result.points < result.out_of
    said = "\n".join(case.text for case in result.cases)
    assert wrong.message in said, (
        f"check() must say {wrong.message!r} to this answer. Where it says something else, name the mistake in a case: "
        f"mistakes={{{wrong.message!r}: what the answer gives}}. It says:\n{said}"
    )


@pytest.mark.parametrize(("id", "question", "right"), every("right"))
def test_another_right_answer_earns_every_point(id, question, right):
    names = answer(id, right.code)
    for rngs in generators(question):
        said = failures(question, names, rngs)
        assert said == [], f"a right answer of {question.id} fails: the cases ask for more than the task says"
    assert check(question.id, names).passed


@pytest.mark.parametrize("id", SHEETS)
def test_each_question_has_enough_known_answers_with_distinct_messages(id):
    for question in SHEETS[id].questions:
        messages = {wrong.message for wrong in question.wrong}
        assert len(messages) >= 3, (
            f"{question.id} needs three wrong answers, each with a message of its own: {messages}"
        )
        assert len(question.right) >= 1, (
            f'{question.id} needs another right answer; write into RIGHT: Right("{question.id}", "def ...: ...")'
        )
        assert 5 <= question.minutes <= 15, f"{question.id} takes {question.minutes} minutes; expected 5 to 15"
        assert all(message.strip() for message in messages)


@pytest.mark.parametrize("id", SHEETS)
def test_every_case_can_fail(id):
    """A case that no known wrong answer fails may be one that checks nothing."""
    for question in SHEETS[id].questions:
        failed = set()
        for wrong in question.wrong:
            names = answer(id, wrong.code)
            for case in question.cases:
                try:
                    case.run(names, public_rng(case))
                except Exception:
                    failed.add(case.name)
        left = {case.name for case in question.cases} - failed
        assert not left, f"add to WRONG an answer of {question.id} that fails {' and '.join(map(repr, sorted(left)))}"


@pytest.mark.parametrize("id", SHEETS)
def test_two_keys_give_two_different_inputs(id, references):
    for question in SHEETS[id].questions:
        for case in question.cases:
            seen = []
            for key in (b"0" * 16, b"1" * 16):
                calls = []

                def spy(name, calls=calls, function=None):
                    def call(*args):
                        calls.append([shape_of(a) for a in args])
                        return function(*args)

                    return call

                names = {n: spy(n, function=references[id][n]) for n in case.names}
                case.run(names, keyed_rng(key, case))
                seen.append(calls)
            assert seen[0] != seen[1], f"{case.name} shows the same inputs under every key"


def shape_of(value):
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state["state"]["state"]
    return value.tolist() if isinstance(value, np.ndarray) else repr(value)


@pytest.mark.parametrize("id", SHEETS)
def test_the_students_notebook_is_in_step_with_its_source(id):
    path = source(id)
    assert path.with_suffix(".ipynb").read_text(encoding="utf-8") == make_notebooks.build(path, ROOT), (
        "run: python tools/make_notebooks.py"
    )


@pytest.mark.parametrize("id", SHEETS)
def test_no_line_of_a_solution_is_left_in_the_students_notebook(id):
    student = source(id).with_suffix(".ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in student
    marked = [m for c in jupytext.read(source(id), fmt="md:myst").cells for m in sheets._marked(c.source)]
    given = {line.strip() for line, part in marked if part == "keep"}
    secret = {json.dumps(line.strip())[1:-1] for line, part in marked if part == "solution"} - given
    assert secret
    left = {line for line in secret if len(line) > 12 and line in student}
    assert not left, (
        "the student's notebook has lines of a solution: write them otherwise in the text, or in the solution"
    )
