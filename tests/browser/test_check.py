"""check() in the browser: references and other right answers pass, known wrong ones fail with their message."""

from __future__ import annotations

import json
import zipfile

import known_answers
import pytest
from browser_help import give_up, go_live
from sheet_sources import definitions

from coursekit.grading.cases import load_sheet, sheet_ids

pytestmark = pytest.mark.timeout(600)


def known(id):
    """(question, definitions, code, message of a wrong answer or None) of every known answer of a sheet."""
    given = definitions(id)
    for question in load_sheet(id).questions:
        yield question.id, given, "", None
        for right in question.right:
            yield question.id, given, right.code, None
        for wrong in question.wrong:
            yield question.id, given, wrong.code, wrong.message


@pytest.fixture(scope="module")
def worker(chromium, demo, demo_site):
    """A page whose worker has Python, the course and the known answers."""
    wheels = list((demo_site / "_static" / "ck").glob("coursekit-*.whl"))
    if not wheels:
        give_up("Pyodide could not be had, so there is no live mode to test")
    with zipfile.ZipFile(wheels[0], "a") as archive:
        if "known_answers.py" not in archive.namelist():
            archive.write(known_answers.__file__, "known_answers.py")
            archive.writestr("known_answers.json", json.dumps({id: list(known(id)) for id in sheet_ids()}))
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(demo)
        assert go_live(page)["detail"]
        yield page


@pytest.mark.parametrize("id", sheet_ids())
def test_every_known_answer_of_a_sheet_is_judged_as_it_should_be(worker, id):
    answer = worker.evaluate(
        "([address, settings]) => ckPython.ask({ type: 'arrays', address, settings })",
        ["known_answers:answers", json.dumps({"sheet": id})],
    )
    assert "arrays" in answer, answer
    said = answer["arrays"]["as_expected"]["values"]
    expected = list(known(id))
    wrongly = [each[0] + ": " + each[2] for each, right in zip(expected, said, strict=True) if not right]
    print(f"\nsheet {id}: {len(said)} answers, the slowest check {answer['arrays']['seconds']['values'][0]:.2f} s")
    assert not wrongly
