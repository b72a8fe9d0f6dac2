"""Answers that students gave, each with its verdict: no wrong one earns full marks, and its mistake has a name.

`data/student_answers.json` holds answers to every sheet. "right" answers were read one by one, and say why they
are right; those with "own" were written before the diagnoses. Marks come from the same cases with another key; the real
jail does the same for some of the answers in `test_sealed_grade`.
"""

import contextlib
import copy
import io
import json
import linecache
import warnings
from pathlib import Path

import numpy as np
import pytest
from sheet_sources import definitions

from coursekit.grading import diagnose, rules
from coursekit.grading.cases import keyed_rng, load_sheet
from coursekit.grading.check import check
from coursekit.grading.sealed.inside.worker import same

ANSWERS = json.loads((Path(__file__).parent / "data" / "student_answers.json").read_text(encoding="utf-8"))
SHEETS = sorted({answer["question"][:2] for answer in ANSWERS})
RAW = ("Error:", "Error (", "Traceback", "could not be broadcast", "operands", "gufunc")
KEY = b"a key for students' answers"


def notebook(number, answer):
    names = {}
    exec(definitions(answer["question"][:2]), names)
    file, code = f"<answer {number}>", answer["code"]
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    exec(compile(code, file, "exec"), names)
    return names


def quiet():
    stack = contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(np.errstate(all="ignore"))
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return stack


def full_marks(question, names):
    """Whether the answer earns all points with a key, by the rules of the jail: NumPy alone, arguments stay whole."""
    for case in question.cases:
        if any(rules.refusal(name, names[name], names) for name in case.names):
            return False
        try:
            case.run({name: whole(names[name]) for name in case.names}, keyed_rng(KEY, case))
        except Exception:
            return False
    return True


def whole(function):
    def call(*args):
        given = copy.deepcopy(args)
        out = function(*given)
        assert same(given, args), "an argument was changed in place"
        return out

    return call


@pytest.mark.parametrize("id", SHEETS)
def test_no_wrong_answer_has_full_marks_and_check_agrees_with_the_marks(id):
    sheet, named, wrong = load_sheet(id), 0, 0
    for number, answer in enumerate(ANSWERS):
        if not answer["question"].startswith(id):
            continue
        names = notebook(number, answer)
        with quiet():
            result = check(answer["question"], names)
            marks = full_marks(sheet[answer["question"]], names)
        text = "\n".join(case.text for case in result.cases if case.status != "right")
        label = f"{answer['question']} {answer['what']}"
        assert result.passed == marks == (answer["verdict"] == "right"), label
        assert not any(mark in text for mark in RAW), label
        if answer["verdict"] == "wrong":
            wrong += 1
            named += "It looks as if" in text
    assert named >= 0.9 * wrong, f"{named} of {wrong}"


def test_every_right_answer_says_why():
    assert all(answer["why"] for answer in ANSWERS if answer["verdict"] == "right")


def test_a_diagnosis_has_to_fit_twice():
    assert diagnose._both(("a 3", "b"), ("c", "a 4")) == "a 3"
    assert diagnose._both(("a",), ("b",)) is None
