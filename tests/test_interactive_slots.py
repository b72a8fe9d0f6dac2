"""A reader's function in an experiment: the reference's own code gives the reference's picture, and a fault is said."""

from __future__ import annotations

import numpy as np
import pytest
from sheet_sources import definitions

from coursekit.errors import DTypeError
from coursekit.explorers import activations, optimizers
from coursekit.grading.cases import load_sheet
from coursekit.interactive.cells import Cell, Session
from coursekit.interactive.slots import compared

WITH_SLOTS = [optimizers.valley, optimizers.landscape, activations.layers]
SLOTS = [(explorer, slot) for explorer in WITH_SLOTS for slot in explorer.yours]


def solved(slot):
    """The functions of a slot as the sheet's solutions write them."""
    names = {}
    exec(definitions(slot.question[:2]), names)
    return [names[name] for name in slot.functions]


@pytest.mark.parametrize(("explorer", "slot"), SLOTS, ids=lambda each: getattr(each, "entry", None) or each.name)
def test_the_solution_agrees_with_what_it_is_compared_with(explorer, slot):
    settings = {name: value for name, value in explorer.settings().items() if name != slot.control}
    if "depth" in settings:
        settings["depth"] = 2
    made = compared(explorer, solved(slot), slot.entry, settings, "p")
    assert "agree" in made["words"], made["words"]
    assert made["svg"].startswith("<svg") and made["beside"]["svg"].startswith("<svg")
    assert slot.entry not in slot.tables[0][0]  # the experiment is as it was


@pytest.mark.parametrize(("explorer", "slot"), SLOTS, ids=lambda each: getattr(each, "entry", None) or each.name)
def test_its_question_asks_for_these_functions(explorer, slot):
    asked = {name for case in load_sheet(slot.question[:2])[slot.question].cases for name in case.names}
    assert any(name in asked for name in slot.functions)
    assert slot.beside in slot.tables[0][0]


def test_a_notebook_gets_the_same():
    def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
        return w - lr * g, m, v  # gradient descent under another name

    mine = optimizers.valley.with_yours(adam_step)
    expected = optimizers.valley.results(optimizer="gradient descent")["path"]
    np.testing.assert_array_equal(mine.results()["path"], expected)
    assert mine.controls["optimizer"].default == "your adam_step"
    with pytest.raises(DTypeError, match="adam_step"):
        optimizers.valley.with_yours(print)


def test_a_fault_is_said():
    settings = {"rate": 0.1, "start": "(-7, 2)"}

    def words(step):
        return compared(optimizers.valley, [step], "your adam_step", settings, "p")["words"]

    assert "NaN" in words(lambda w, g, m, v, t, lr, *_: (w * np.nan, m, v))
    assert "differ by" in words(lambda w, g, m, v, t, lr, *_: (w - lr * g, m, v))


def test_an_error_in_the_function_names_its_line():
    code = "def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):\n    return w - lr * missing, m, v"
    given = {"address": "coursekit.explorers.optimizers:valley", "entry": "your adam_step", "prefix": "p"}
    given["settings"] = '{"rate": 0.1, "start": "(-7, 2)"}'
    said = Session().draw([Cell("a", code)], given, lambda event: None)
    assert "NameError: name 'missing' is not defined" in said["problem"]
    assert "adam_step, line 2" in said["problem"]
