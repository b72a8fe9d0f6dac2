"""A change of a right answer must cost points: what survives is a hole in the cases, or has its reason in the sheet.

Every solution of a sheet is changed in one place at a time (an operator, a constant, an axis, a name, the order of
rules and of what comes back ...). Some mutants are right answers in another form; a sheet lists those in SURVIVORS,
with why. `COURSEKIT_MUTANTS=all` tries every mutant of the slow questions, too: a minute in place of 20 seconds.
"""

import contextlib
import io
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from sheet_sources import definitions, solution

from coursekit.grading import diagnose
from coursekit.grading.cases import load_sheet, public_rng, sheet_ids
from coursekit.grading.mutants import mutants

SHEETS = {id: load_sheet(id) for id in sheet_ids()}
FULL = os.environ.get("COURSEKIT_MUTANTS") == "all"
SLOW = {"10.4": 20, "11.3": 3, "12.3": 3, "12.6": 4, "13.2": 5, "13.3": 12, "15.6": 3}  # every n-th mutant will do


def changes(question):
    """The mutants of what a student writes; the lines around it are given."""
    code, written = solution(question)
    return [mutant for mutant in mutants(code, loops=True) if mutant.line in written]


def survivors(sheet, question, step=1):
    """(says, changed program) of each mutant, or of every `step`-th, that earns all points on three draws."""
    base = {}
    exec(definitions(sheet.id), base)
    found = []
    for mutant in changes(question)[::step]:
        names = dict(base)
        with contextlib.suppress(Exception):
            exec(mutant.code, names)
            if passes(question, names):
                found.append((mutant.says, mutant.text))
    return found


def passes(question, names):
    return all(right(case, names, draw) for draw in range(3) for case in question.cases)


def right(case, names, draw):
    functions = {name: names[name] for name in case.names}
    with (
        contextlib.redirect_stdout(io.StringIO()),
        diagnose._few_lines(1.0),
        diagnose.compare.without_mistakes(),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            case.run(functions, public_rng(case, draw))
        except (Exception, diagnose._TooMany):
            return False
    return True


def listed(sheet):
    """The survivors that a sheet knows: {question: {says: reason}}."""
    path = next((Path(__file__).parents[1] / "exercises" / "tests").glob(f"{sheet.id}_*.py"))
    names = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names.get("SURVIVORS", {})


@pytest.mark.parametrize("id", SHEETS)
def test_every_mutant_of_a_solution_loses_points(id):
    known = listed(SHEETS[id])
    assert set(known) <= {question.id for question in SHEETS[id].questions}
    for question in SHEETS[id].questions:
        step = 1 if FULL else SLOW.get(question.id, 1)
        alive = {says for says, _ in survivors(SHEETS[id], question, step)}
        reasons = {says for group in known.get(question.id, {}).values() for says in group}
        asked = {mutant.says for mutant in changes(question)[::step]}
        new, gone = alive - reasons, reasons - alive
        assert not new, (
            f"{question.id}: these changed answers earn all points. Give it a case that they fail, or, where one "
            f"is right, write it into SURVIVORS with the reason: {sorted(new)}"
        )
        assert not gone or step > 1, f"{question.id}: take out of SURVIVORS what no longer survives: {sorted(gone)}"
        assert reasons <= {mutant.says for mutant in changes(question)}, question.id
        assert len(asked) > 3, question.id


def test_the_order_of_rules_is_among_the_changes():
    code = (
        "def f(x):\n    if x > 2:\n        return 'a'\n    if x > 1:\n        return 'b'\n    return 'c' if x else 'd'"
    )
    says = [mutant.says for mutant in mutants(code)]
    assert "the condition x > 1 is asked before x > 2, which comes first" in says
    assert "the condition x is asked before x > 1, which comes first" in says
    found = {}
    exec(next(m.code for m in mutants(code) if "x > 1 is asked before" in m.says), found)
    assert found["f"](3) == "b"


def test_no_mutant_puts_a_list_into_itself():
    code = "def f(h):\n    states = []\n    for t in range(3):\n        states.append(h)\n    return states"
    texts = {mutant.text: mutant.code for mutant in mutants(code)}
    inside = [code for text, code in texts.items() if "states.append(states)" in text]
    assert inside == [None]
    assert sum(code is not None for code in texts.values()) > 2


if __name__ == "__main__":  # what survives, for whoever writes the list
    for id in sys.argv[1:]:  # of a sheet, or of one question
        for question in (one for one in SHEETS[id[:2]].questions if id in (id[:2], one.id)):
            start = time.perf_counter()
            alive = survivors(SHEETS[id[:2]], question)
            total = len(changes(question))
            print(f"{question.id}  {len(alive)} of {total}  {time.perf_counter() - start:.1f} s")
            for says, text in alive:
                print("   ", says)
