"""The code that an explorer shows is what it runs: its call gives the arrays of the picture, its copy runs alone."""

from __future__ import annotations

import ast
import functools
import html
import importlib
import json
import re

import numpy as np
import pytest

from coursekit._chapters import CHAPTERS
from coursekit.interactive.code import call, code_html, editable, reference
from coursekit.interactive.core import Explorer, _flat
from coursekit.interactive.html import explorer_html
from coursekit.interactive.widget import explorer_widget

MODULES = [importlib.import_module(f"coursekit.explorers.{name}") for name in CHAPTERS.values()]
EXPLORERS = {each.address: each for module in MODULES for each in vars(module).values() if isinstance(each, Explorer)}

SIGNAL = EXPLORERS["coursekit.explorers.initialization:signal"]


def each_explorer(test):
    """Run a test for every explorer of the course."""
    return pytest.mark.parametrize("explorer", EXPLORERS.values(), ids=[a.rpartition(".")[2] for a in EXPLORERS])(test)


def other(explorer):
    """The next stop of the first control."""
    name, control = next(iter(explorer.controls.items()))
    at = control.values.index(control.default)
    return {name: control.values[(at + 1) % len(control.values)]}


def run_without_drawing(code):
    """The code's names, its picture not drawn: that takes most of the time, and results are what we compare."""
    tree, names = ast.parse(code), {}
    last = tree.body.pop()
    if isinstance(tree.body[-1], ast.Assign):
        exec(compile(tree, "<call>", "exec"), names)
        return names["results"], ast.unparse(last)
    made = last.value.func
    last.value.func = ast.Attribute(made, "results", ast.Load())
    exec(compile(tree, "<call>", "exec"), names)
    return eval(compile(ast.fix_missing_locations(ast.Expression(last.value)), "<call>", "eval"), names), ""


def test_there_are_explorers():
    assert len(EXPLORERS) > 50


@functools.cache
def arrays_of(explorer):
    """The arrays behind its first picture."""
    return explorer.arrays()


def same(mine, theirs):
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


@each_explorer
def test_the_shown_call_gives_the_arrays_of_the_picture(explorer):
    results, drawn = run_without_drawing(call(explorer))
    same(dict(_flat("", results)), arrays_of(explorer))
    assert not drawn or drawn == f"plot.{explorer.draw.__name__}(results)"


@each_explorer
def test_the_call_follows_the_controls(explorer):
    """The same function with other settings: what it would give needs no run."""
    settings = explorer.settings(**other(explorer))
    *_, before, last = ast.parse(call(explorer, **settings)).body
    asked = before.value if isinstance(before, ast.Assign) else last.value
    given = {each.arg: ast.literal_eval(each.value) for each in asked.keywords}
    assert given == settings
    assert {name: type(value) for name, value in given.items()} == {n: type(v) for n, v in settings.items()}


@each_explorer
def test_the_copy_to_edit_runs_and_gives_the_same(explorer):
    names = {"__name__": "copy"}
    exec(editable(explorer), names)
    made = names[explorer.compute.__name__]
    assert made is not explorer.compute
    same(dict(_flat("", made(**explorer.settings()))), arrays_of(explorer))


@each_explorer
def test_the_page_shows_the_default_and_can_show_each_stop(explorer):
    text = code_html(explorer)
    shown = re.sub("<[^>]+>", "", re.search(r'<pre class="ck-call".*?</pre>', text, re.S)[0])
    assert html.unescape(shown) == call(explorer)
    for name, control in explorer.controls.items():
        literals = re.search(rf'data-control="{name}" data-literals="([^"]*)"', text)[1]
        assert [ast.literal_eval(each) for each in json.loads(html.unescape(literals))] == list(control.values)


def test_only_a_page_of_the_book_has_the_panel():
    picture = ('<svg width="400" height="200"></svg>', "A picture.")
    assert "ck-code" not in explorer_html(SIGNAL, drawn=picture)
    frames = {"folder": "signal-1", "packs": 1, "chunk": 0}
    page = explorer_html(SIGNAL, frames, None, picture)
    assert "ck-code" in page and "data-do" not in page
    assert reference(SIGNAL) == (
        "../reference/coursekit.experiments.initialization.html#coursekit.experiments.initialization.signal"
    )


@each_explorer
def test_its_page_in_the_reference_is_one(explorer):
    page, name = reference(explorer).removeprefix("../reference/").split(".html#")
    function = getattr(importlib.import_module(page), name.removeprefix(f"{page}."))
    assert callable(function) and function.__module__ == page


def test_a_notebook_shows_the_call_of_the_present_setting():
    children = explorer_widget(SIGNAL).children
    std, folded = children[2], children[-1]
    std.value = 0.1
    assert html.escape("experiment.signal(activation='tanh', std=0.1)", quote=True) in folded.children[0].value
