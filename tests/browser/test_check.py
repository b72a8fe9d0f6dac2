"""check() in the browser: references and other right answers pass, known wrong ones fail with their message."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import jupytext
import known_answers
import pytest
from browser_help import give_up

from coursekit.grading import sheets
from coursekit.grading.cases import load_sheet, sheet_ids

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "_build" / "html"

pytestmark = pytest.mark.timeout(600)


def definitions(id):
    """The cells of a sheet that only import and define, solutions and all."""
    import ast

    source = next((ROOT / "exercises").glob(f"{id}_*.md"))
    cells = [sheets.uncut(c.source) for c in jupytext.read(source, fmt="md:myst").cells if c.cell_type == "code"]
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    return "\n\n".join(cell for cell in cells if all(isinstance(node, kinds) for node in ast.parse(cell).body))


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
        page.evaluate("""() => new Promise((done) => {
          const root = document.querySelector("#ck-wave-shape");
          root.addEventListener("ck:shown", done, { once: true });
          root.querySelector(".ck-go").click();
        })""")
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
