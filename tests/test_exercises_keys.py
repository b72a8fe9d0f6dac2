"""The student's own check and the marks agree, whatever the key: for every solution and every known answer.

`COURSEKIT_KEYS=100 pytest tests/test_exercises_keys.py` tries a hundred keys (a quarter of an hour); two are enough for
each change.
"""

import functools
import os

import numpy as np
import pytest
from sheet_sources import definitions

from coursekit.grading import compare
from coursekit.grading.cases import keyed_rng, load_sheet, public_rng, sheet_ids

KEYS = int(os.environ.get("COURSEKIT_KEYS", "2"))


@functools.cache
def compiled(id):
    return compile(definitions(id), f"sheet {id}", "exec")


def passed(question, code, rng_of):
    """The names of the cases that an answer passes; every case works on functions of its own."""
    names = {}
    exec(compiled(question.id[:2]), names)
    exec(code, names)
    found = set()
    for case in question.cases:
        rng = rng_of(case)
        with compare.without_mistakes(), np.errstate(all="ignore"):
            try:
                case.run(names, rng)
            except Exception:  # wrong, or the answer itself raised
                continue
        found.add(case.name)
    return found


def answers():
    """(question, code, whether it is right) of every answer to every sheet."""
    for id in sheet_ids():
        for question in load_sheet(id).questions:
            yield pytest.param(question, "", True, id=f"{question.id} solution")
            for kind in ("right", "wrong"):
                for i, answer in enumerate(getattr(question, kind)):
                    yield pytest.param(question, answer.code, kind == "right", id=f"{question.id} {kind} {i}")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("question", "code", "right"), list(answers()))
def test_the_public_verdict_is_the_sealed_one_under_every_key(question, code, right):
    public = passed(question, code, public_rng)
    assert (len(public) == len(question.cases)) == right
    for number in range(KEYS):
        key = b"one of many keys " + number.to_bytes(2, "big")
        sealed = passed(question, code, lambda case, key=key: keyed_rng(key, case))
        assert sealed == public, f"key {number}"
