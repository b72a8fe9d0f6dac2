"""A reader's function in an experiment: the reference's own code gives the reference's picture, and a fault is said."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sheet_sources import definitions

from coursekit.errors import DTypeError
from coursekit.explorers import (
    activations,
    batch_normalization,
    convolution,
    hyperparameter_search,
    initialization,
    learning_rate_and_batch_size,
    optimizers,
    preprocessing,
    recurrent_networks,
    regularization,
)
from coursekit.grading.cases import load_sheet
from coursekit.interactive import slots
from coursekit.interactive.cells import Cell, Session
from coursekit.interactive.core import Explorer
from coursekit.interactive.slots import compared

ROOT = Path(__file__).parents[1]
CHAPTERS = (
    activations, batch_normalization, convolution, hyperparameter_search, initialization, learning_rate_and_batch_size,
    optimizers, preprocessing, recurrent_networks, regularization,
)  # fmt: skip
EXPLORERS = [each for module in CHAPTERS for each in vars(module).values() if isinstance(each, Explorer)]
SLOTS = [(explorer, slot) for explorer in EXPLORERS for slot in explorer.yours]
IDS = [f"{explorer.name}-{slot.functions[0]}" for explorer, slot in SLOTS]
# Settings at which the slot is asked for and a run is short.
SHORT = {"layers": {"depth": 2}, "dropout_curve": {"rate": 0.5, "examples": 100}}


def solved(slot):
    """The functions of a slot as the sheet's solutions write them."""
    names = {}
    exec(definitions(slot.question[:2]), names)
    return [names[name] for name in slot.functions]


def settings_of(explorer, slot):
    """The defaults, without what the slot sets."""
    settings = explorer.settings(**SHORT.get(explorer.name, {}))
    return {name: value for name, value in settings.items() if name != slot.key}


def each_slot(test):
    """Run a test for every slot of the course."""
    return pytest.mark.parametrize(("explorer", "slot"), SLOTS, ids=IDS)(test)


def each_function(test):
    """Run a test once for every function that a slot takes."""
    once = {id(slot): (explorer, slot) for explorer, slot in SLOTS}.values()
    return pytest.mark.parametrize(("explorer", "slot"), once, ids=[slot.entry for _, slot in once])(test)


def test_these_chapters_have_a_slot():
    asked = {slot.question[:2] for _, slot in SLOTS}
    assert asked == {"03", "04", "05", "06", "07", "08", "09", "10", "12", "14"}


@each_slot
def test_the_solution_agrees_with_what_it_is_compared_with(explorer, slot, monkeypatch):
    monkeypatch.setattr(slots, "SLOW", 0.0)
    tables = [(table, dict(table)) for table, *_ in (*slot.tables, *slot.places)]
    mine = explorer.with_yours(*solved(slot))
    assert mine.controls[slot.key].default == slot.entry
    words = mine.alt(**settings_of(explorer, slot))
    assert f"Yours and {slot.name} agree" in words, words
    assert "With yours it took" in words
    assert all(table == before for table, before in tables)  # the experiment is as it was


@each_slot
def test_its_question_asks_for_these_functions(explorer, slot):
    sheet = load_sheet(slot.question[:2])
    asked = {name for question in (slot.question, *slot.also) for case in sheet[question].cases for name in case.names}
    assert asked & {*slot.functions}
    assert not slot.tables or slot.beside in slot.tables[0][0]
    if slot.control:
        explorer.controls[slot.control]


@each_function
def test_a_function_that_stops_is_named_and_its_line(explorer, slot):
    code = definitions(slot.question[:2]) + f"\n\ndef {slot.functions[0]}(*given, **named):\n    return missing\n"
    given = {"address": explorer.address, "entry": slot.entry, "prefix": "p"}
    given["settings"] = json.dumps(settings_of(explorer, slot))
    said = Session().draw([Cell("a", code)], given, lambda event: None)
    assert "NameError: name 'missing' is not defined" in said["problem"], said
    assert f"In {slot.functions[0]}, line" in said["problem"]


@each_function
def test_nan_is_said(explorer, slot):
    def spoilt(function):
        return functools.wraps(function)(lambda *given, **named: with_nan(function(*given, **named)))

    made = compared(explorer, [*map(spoilt, solved(slot))], slot.entry, settings_of(explorer, slot), "p")
    assert "gives NaN" in made.get("problem", made.get("words")), made


def with_nan(value):
    """The same nest of numbers, all of them NaN."""
    if isinstance(value, tuple):
        return tuple(with_nan(each) for each in value)
    return value * np.nan


def test_the_page_gets_both_pictures():
    slot = optimizers.YOURS[0]
    made = compared(optimizers.valley, solved(slot), slot.entry, settings_of(optimizers.valley, slot), "p")
    assert made["svg"].startswith("<svg") and made["beside"]["svg"].startswith("<svg")
    assert "Yours and momentum agree" in made["words"] and "took" not in made["words"]


def test_a_function_that_is_not_called_is_said():
    slot = regularization.DROPPED
    made = compared(regularization.dropout_curve, solved(slot), slot.entry, {"rate": 0.0, "examples": 100}, "p")
    assert "does not call your dropout" in made["words"]


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


def test_each_of_these_chapters_says_how():
    told = {}
    for path in sorted((ROOT / "chapters").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for name, functions in re.findall(r"`explore\.(\w+)\.with_yours\(([\w, ]+)\)`", text):
            slot = next(slot for each, slot in SLOTS if each.name == name and ", ".join(slot.functions) == functions)
            assert f"*{slot.entry}*" in text
            told[slot.question[:2]] = path.stem[:2]
    assert told == {slot.question[:2]: slot.question[:2] for _, slot in SLOTS}
