"""The sections that the search page searches."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
search_index = pytest.importorskip("search_index", reason="the book's tools are not here")

PAGE = """<nav>menu</nav><article class="bd-article">
<section id="optimizers"><h1>7 Optimizers<a class="headerlink">#</a></h1><p>First words.</p>
<section id="momentum"><h2>Momentum<a class="headerlink">#</a></h2><p>A heavy <b>ball</b>.</p>
<svg><text>axis</text></svg>
<section id="part"><h3>A part</h3><p>Inside.</p></section></section></section></article>"""


def test_each_section_has_its_own_words_only():
    found = list(search_index.sections("chapters/07_optimizers.html", PAGE))
    assert [(each["at"].partition("#")[2], each["title"], each["text"]) for each in found] == [
        ("optimizers", "7 Optimizers", "First words."),
        ("momentum", "Momentum", "A heavy ball."),
        ("part", "A part", "Inside."),
    ]
    assert {each["kind"] for each in found} == {"chapter"}
    assert {each["page"] for each in found} == {"7 Optimizers"}


def test_a_function_of_the_reference_is_found_by_its_name():
    page = """<article class="bd-article"><section id="module"><h1>coursekit.losses</h1><dl class="py function">
      <dt class="sig" id="coursekit.losses.huber">huber(x)</dt>
      <dd><p>The loss of Huber.</p></dd></dl></section></article>"""
    found = list(search_index.sections("reference/coursekit.losses.html", page))
    assert [each["title"] for each in found] == ["coursekit.losses", "losses.huber"]
    assert found[1]["text"] == "The loss of Huber." and found[1]["kind"] == "reference"


def test_a_page_whose_text_is_the_same_is_not_read_again(tmp_path, monkeypatch):
    (tmp_path / "_static" / "search").mkdir(parents=True)
    index = tmp_path / "_static" / "search" / "sections.js"
    other = PAGE.replace("A heavy", "A light")
    kept = search_index.write(tmp_path, {"chapters/07.html": PAGE, "chapters/08.html": PAGE, "search.html": PAGE})
    assert set(kept) == {"chapters/07.html", "chapters/08.html"} and "A light" not in index.read_text()
    read, sections = [], search_index.sections
    monkeypatch.setattr(search_index, "sections", lambda name, html: read.append(name) or sections(name, html))
    kept = json.loads(json.dumps(kept))
    elsewhere = "<head>another style sheet</head>" + PAGE
    kept = search_index.write(tmp_path, {"chapters/07.html": elsewhere, "chapters/08.html": other}, kept)
    assert read == ["chapters/08.html"]
    text = index.read_text()
    assert text.count("A heavy") == text.count("A light") == 1
    search_index.write(tmp_path, {"chapters/08.html": other}, kept)
    assert "chapters/07" not in index.read_text()
