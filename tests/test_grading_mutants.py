"""A change of a right answer must cost points: what survives is a hole in the cases, or has its reason in the sheet.

Every model of a sheet is changed in one place at a time (an operator, a constant, an axis, a name, the order of what
comes back ...). Some mutants are right answers in another form; a sheet lists those in SURVIVORS, with why.
"""

import contextlib
import io
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from sheet_sources import definitions

from coursekit.grading import diagnose
from coursekit.grading.cases import load_sheet, public_rng, sheet_ids
from coursekit.grading.mutants import mutants

SHEETS = {id: load_sheet(id) for id in sheet_ids()}


def survivors(sheet, question):
    """(says, changed program) of each mutant that earns all points on three draws."""
    base = {}
    exec(definitions(sheet.id), base)
    found = []
    few = isinstance(listed(sheet).get(question.id), str)  # judged by properties: a sample is enough
    for mutant in mutants(question.models[0])[:: 4 if few else 1]:
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


@pytest.mark.parametrize("id", [id for id in SHEETS if listed(SHEETS[id])])
def test_every_mutant_of_a_solution_loses_points(id):
    known = listed(SHEETS[id])
    for question in SHEETS[id].questions:
        alive = {says for says, _ in survivors(SHEETS[id], question)}
        reasons = known.get(question.id, {})
        if isinstance(reasons, str):  # judged by properties: many other steps and limits do as well
            assert len(alive) < 0.1 * len(mutants(question.models[0])), question.id
        else:
            assert alive == {says for group in reasons.values() for says in group}, question.id


if __name__ == "__main__":  # what survives, for whoever writes the list
    for id in sys.argv[1:]:
        for question in SHEETS[id].questions:
            start = time.perf_counter()
            alive = survivors(SHEETS[id], question)
            total = len(mutants(question.models[0]))
            print(f"{question.id}  {len(alive)} of {total}  {time.perf_counter() - start:.1f} s")
            for says, text in alive:
                print("   ", says)


def test_no_mutant_puts_a_list_into_itself():
    code = "def f(h):\n    states = []\n    for t in range(3):\n        states.append(h)\n    return states"
    texts = {mutant.text: mutant.code for mutant in mutants(code)}
    inside = [code for text, code in texts.items() if "states.append(states)" in text]
    assert inside == [None]
    assert sum(code is not None for code in texts.values()) > 2
