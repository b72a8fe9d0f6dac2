"""Each sentence of a task that asks for something has a case, by the table SENTENCES of the sheet's case file."""

import importlib.util
import re

import pytest
from sheet_sources import ROOT, source

from coursekit.grading.cases import load_sheet, sheet_ids

DEMANDS = re.compile(r"\b(must|[Rr]eturns?|stays?|never|may not)\b")


def sentences(id):
    path = next((ROOT / "exercises" / "tests").glob(f"{id}_*.py"))
    spec = importlib.util.spec_from_file_location(f"sentences_{id}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SENTENCES


def tasks(id):
    """{question: its text}, in one line each."""
    parts = re.split(r"^## (\d\d\.\d+)\s*$", source(id).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {number: " ".join(text.split()) for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def demands(text):
    """The sentences of a task, without its code and what comes after its check, that ask for something."""
    prose = re.sub(r"```.*?```", "", re.split(r"(?:result = )?check\(", text)[0].rpartition("```")[0])
    for sentence in re.split(r"(?<=[.?!])\)?\s+(?=[A-Z`*($\\])", prose):
        if DEMANDS.search(sentence) and not sentence.endswith("?"):
            yield sentence


@pytest.mark.parametrize("id", sheet_ids())
def test_every_sentence_of_the_table_stands_in_the_task_and_every_case_tests_one(id):
    table, text, sheet = sentences(id), tasks(id), load_sheet(id)
    asked = [question.id for question in sheet.questions]
    assert list(table) == asked, "SENTENCES must name the questions in their order: " + ", ".join(
        f'"{one}": {{"words of its task": ["the name of a case"]}}' for one in asked if one not in table
    )
    for question in sheet.questions:
        missing = [words for words in table[question.id] if words not in text[question.id]]
        assert not missing, f"SENTENCES of {question.id}: its task does not have these words"
        named = {name for cases in table[question.id].values() for name in cases}
        cases = {case.name for case in question.cases if not case.hidden}
        assert not named - cases, f"SENTENCES of {question.id} names cases that it does not have"
        assert not cases - named, f"to SENTENCES of {question.id} add the words of the task that these cases test"


@pytest.mark.parametrize("id", sheet_ids())
def test_every_sentence_that_asks_for_something_is_in_the_table(id):
    for question, text in tasks(id).items():
        words = sentences(id).get(question, ())
        left = [s for s in demands(text) if not any(part in s or s in part for part in words)]
        assert not left, f"to SENTENCES of {question} add these, or words of them, with the cases that test them"


def test_a_demand_is_told_from_what_surrounds_it():
    text = "A rule. It returns `(dx, dw)`. Must it? ```{code} must ``` Leave it. ```{code-cell} check('1') ``` It must."
    assert list(demands(text)) == ["It returns `(dx, dw)`."]


@pytest.mark.parametrize("id", sheet_ids())
def test_a_hidden_case_belongs_to_the_question_of_its_twin(id):
    """Cases count for the question that stands above them in the file."""
    hidden = [case for case in load_sheet(id).cases if case.hidden]
    assert hidden, f"sheet {id} needs a hidden case: a twin of an open one, NAME, other inputs, with hidden=True"
    for case in hidden:
        twin = case.name.removesuffix(", other inputs")
        assert [other.question for other in load_sheet(id).cases if other.name == twin] == [case.question], (
            f"the hidden case {case.name!r} must stand below the question of its twin, and be called as it is, with "
            "', other inputs' at the end"
        )
