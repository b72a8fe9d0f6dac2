"""The marks of code cells in finished pages."""

from __future__ import annotations

import json

import pytest

from coursekit.errors import CourseError
from coursekit.interactive.cells_html import marked

LIVE = {"pyodide": "pyodide-1/", "wheel": "x.whl", "data": "data/", "bytes": 1}
COLAB = '<a href="https://colab.research.google.com/github/o/r/blob/main/chapters/05_x.ipynb">Colab</a>'


def cell(code, output=""):
    pre = code.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<div class="cell docutils container">\n<div class="cell_input docutils container">\n'
        f'<div class="highlight-ipython3 notranslate"><div class="highlight"><pre><span></span>{pre}\n</pre></div>\n'
        f"</div>\n</div>\n{output}</div>\n"
    )


SOURCES = [
    "# In Colab this cell installs coursekit.\nx",
    "import numpy as np",
    "a = 1 < 2",
    "explore.this",
    "import torch",
]
PAGE = (
    f"<article>{COLAB}{cell(SOURCES[1])}<p>Text</p>{cell(SOURCES[2], '<div>12</div>')}"
    '<div class="cell tag_remove-input docutils container">\n<div class="cell_output">picture</div>\n</div>\n'
    f'{cell(SOURCES[4])}<section id="write-it-yourself"><h2>Write it yourself</h2></section></article>'
)
QUESTIONS = [{"id": "05.1", "title": "Xavier", "worth": "6 points, about 10 minutes."}]


@pytest.fixture
def notebook(tmp_path):
    cells = [{"cell_type": "code", "id": f"id{k}", "source": source} for k, source in enumerate(SOURCES)]
    cells.insert(1, {"cell_type": "markdown", "id": "words", "source": "Text"})
    path = tmp_path / "chapters" / "05_x.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_each_cell_gets_its_id(notebook):
    page = marked(PAGE, notebook, LIVE, QUESTIONS)
    assert [part.split('"')[0] for part in page.split('data-cell="')[1:]] == ["id1", "id2", "id3", "id4"]
    assert page.count('data-do="run"') == 2  # not the hidden one, not PyTorch's
    assert page.count("data-torch") == 1 and page.count("Run in Colab") == 1
    assert "Set-up: import numpy" in page
    assert 'data-question="05.1"' in page.split('id="write-it-yourself"')[1]


def test_marking_again_changes_nothing_and_takes_up_what_is_new(notebook):
    once = marked(PAGE, notebook, LIVE, QUESTIONS)
    assert marked(once, notebook, LIVE, QUESTIONS) == once
    other = marked(once, notebook, LIVE | {"wheel": "y.whl"}, QUESTIONS)
    assert "y.whl" in other and "x.whl" not in other


def test_without_live_mode_there_are_no_buttons(notebook):
    page = marked(marked(PAGE, notebook, LIVE, QUESTIONS), notebook, None, [])
    assert "<button" not in page and "ck-" not in page
    assert 'data-cell="id2"' in page


def test_a_page_and_a_notebook_that_differ_are_an_error(notebook):
    with pytest.raises(CourseError, match="make notebooks"):
        marked(PAGE.replace("a = 1", "a = 3"), notebook, LIVE, [])
