"""Each sentence of a task that asks for something has a case, by the table SENTENCES of the sheet's case file."""

import importlib.util
import re

import pytest
from sheet_sources import ROOT, source

from coursekit.grading.cases import load_sheet, sheet_ids


def sentences(id):
    path = next((ROOT / "exercises" / "tests").glob(f"{id}_*.py"))
    spec = importlib.util.spec_from_file_location(f"sentences_{id}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "SENTENCES", None)


def tasks(id):
    """{question: its text}, in one line each."""
    parts = re.split(r"^## (\d\d\.\d+)\s*$", source(id).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {number: " ".join(text.split()) for number, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("id", [id for id in sheet_ids() if sentences(id) is not None])
def test_every_sentence_of_the_table_stands_in_the_task_and_every_case_tests_one(id):
    table, text, sheet = sentences(id), tasks(id), load_sheet(id)
    assert list(table) == [question.id for question in sheet.questions]
    for question in sheet.questions:
        missing = [words for words in table[question.id] if words not in text[question.id]]
        assert not missing, f"not in the task of {question.id}"
        named = {name for cases in table[question.id].values() for name in cases}
        assert named == {case.name for case in question.cases if not case.hidden}, question.id
