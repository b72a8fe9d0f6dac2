"""No sheet's full marks can be had from the page: its formulas, typed, and its code, pasted, earn three fifths at most.

`printed/NN.py` has what the page of chapter NN gives for its sheet, in the names of the sheet. Each function quotes it,
a formula as it stands there, or the code that it shows (`:pyobject: name`), which is then called. That is more than a
student gets, because a pasted function would need its helpers as well. What the page only calls cannot be handed in at
all, since the grader has no coursekit. Marks come from the sheet's own cases, with a key.
"""

import ast
import functools
import re
import warnings
from dataclasses import replace
from pathlib import Path

import jupytext
import numpy as np
import pytest
from sheet_sources import ROOT, source

from coursekit.grading import compare, sheets
from coursekit.grading.cases import keyed_rng, load_sheet, sheet_ids

MOST = 0.6
KEY = b"a key for what is printed"
CODE = re.compile(r":pyobject: ([\w.]+)")


def typed(id):
    """The file with what the page gives for a sheet."""
    return Path(__file__).parent / "printed" / f"{id}.py"


def written(id):
    """The names that this file defines."""
    tree = ast.parse(typed(id).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if hasattr(node, "name")}


def page(id):
    """The text of a chapter, in one line."""
    return _line(next((ROOT / "chapters").glob(f"{id}_*.md")).read_text(encoding="utf-8"))


def _line(text):
    return " ".join(text.split())


def given(id):
    """What the cells of an unsolved sheet define."""
    names, kinds = {}, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    for cell in jupytext.read(source(id), fmt="md:myst").cells:
        code = sheets.cut(cell.source) if cell.cell_type == "code" else ""
        if all(isinstance(node, kinds) for node in ast.parse(code).body):
            exec(code, names)
    return names


@functools.cache
def passed(id):
    """The names of the cases that what is printed passes."""
    names, found = given(id), set()
    exec(compile(typed(id).read_text(encoding="utf-8"), typed(id).name, "exec"), names)
    for case in load_sheet(id).cases:
        with compare.without_mistakes(), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                case.run(names, keyed_rng(KEY, case))
            except Exception:  # not printed, or not enough
                continue
        found.add(case.name)
    return found


def share(sheet, found):
    """The share of a sheet's points that some cases make up."""
    return sum(case.points for case in sheet.cases if case.name in found) / sheet.points


@pytest.mark.parametrize("id", sheet_ids())
def test_what_is_printed_earns_three_fifths_at_most(id):
    assert share(load_sheet(id), passed(id)) <= MOST


@pytest.mark.parametrize("id", sheet_ids())
def test_what_is_printed_earns_something_wherever_it_is_typed(id):
    """A typing error here would make a sheet look harder than it is."""
    useful = {name for case in load_sheet(id).cases if case.name in passed(id) for name in case.names}
    assert written(id) & {name for case in load_sheet(id).cases for name in case.names} <= useful


@pytest.mark.parametrize("id", sheet_ids())
def test_code_on_the_page_that_the_sheet_asks_for_is_pasted(id):
    shown = {name.removesuffix(".__call__").rpartition(".")[2] for name in CODE.findall(page(id))}
    assert shown & {name for question in load_sheet(id).questions for name in question.names} <= written(id)


@pytest.mark.parametrize("id", sheet_ids())
def test_it_stands_on_the_page(id):
    tree, text = ast.parse(typed(id).read_text(encoding="utf-8")), page(id)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert _line(ast.get_docstring(node)) in text, node.name
    shown = {name for found in CODE.findall(text) for name in found.split(".")}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "coursekit":
            assert {alias.name for alias in node.names} <= shown


@pytest.mark.parametrize("id", sheet_ids())
def test_a_sheet_without_its_tasks_to_understand_would_not_pass(id):
    """The bound can fail: of the questions that the page gives something for, it gives too much."""
    sheet = load_sheet(id)
    known = [q for q in sheet.questions if any(case.name in passed(id) for case in q.cases)]
    assert share(replace(sheet, questions=tuple(known)), passed(id)) > MOST


def test_the_shares_for_the_eye(capsys):
    """`pytest -s -k shares` prints them."""
    for id in sheet_ids():
        print(id, f"{share(load_sheet(id), passed(id)):.0%} of {load_sheet(id).points:g}")
