"""What a chapter's page asks of its reader is read from the page; the first page's table names it."""

import html
import json
import re

import pytest

from coursekit.interactive import predict
from coursekit.interactive.progress import PLACE, contents, fill, parts
from coursekit.interactive.quiz import Quiz


def question():
    answers = [
        {"answer": "yes", "correct": True, "feedback": "so it is"},
        {"answer": "no", "correct": False, "feedback": "it is not"},
    ]
    return {"question": "Is it?", "type": "multiple_choice", "answers": answers}


@pytest.fixture
def page():
    asked = predict("05-zero", question="What comes?", options={"a": "no", "b": "yes"}, answer="b").html()
    quiz = Quiz("05", [question(), question()]).html()
    return (
        '<div id="print"><h1>Initialization &amp; scale</h1><h2>Contents</h2></div>\n'
        '<section id="initialization"><h1>Initialization &amp; scale<a class="headerlink" href="#x">#</a></h1>'
        f'<section id="one"><h2>One</h2>{asked}<section id="part"><h3>Part</h3></section></section>'
        f'<section id="two">\n<span id="label"></span><h2>Two</h2>{quiz}</section></section>'
    )


def test_sections_predictions_and_questions_are_found(page):
    sheet = '<h2>Worked example</h2><h2>05.1 Xavier<a class="headerlink"></a></h2><h2>05.2 He<a></a></h2>'
    found = parts("chapters/05_initialization.html", page, sheet)
    assert found.exercises == ["05.1", "05.2"]
    assert found.title == "5 Initialization & scale"
    numbered = page.replace("<h1>Init", '<h1><span class="section-number">5 </span>Init')
    assert parts("chapters/05_initialization.html", numbered).title == "5 Initialization & scale"
    assert found.sections == ["one", "two"]
    assert found.predictions == ["05-zero"]
    assert found.questions == ["05-quiz-1", "05-quiz-2"]


def test_the_table_is_a_list_of_links_without_javascript_and_carries_the_names(page):
    table = contents([parts("chapters/05.html", page)])
    assert '<a href="chapters/05.html">Initialization &amp; scale</a>' in table
    (chapter,) = json.loads(html.unescape(re.search(r'data-course="([^"]*)"', table)[1]))
    assert chapter["questions"] == ["05-quiz-1", "05-quiz-2"]


def test_filling_a_second_time_changes_nothing_and_follows_the_chapters(tmp_path, page):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "05.html").write_text(page)
    first = tmp_path / "intro.html"
    first.write_text(f"<p>before</p>{PLACE}<p>after</p>")
    fill(tmp_path)
    once = first.read_text()
    assert once.count('ck-progress"') == 1 and once.endswith("<p>after</p>")
    fill(tmp_path)
    assert first.read_text() == once
    (tmp_path / "chapters" / "06.html").write_text(page)
    fill(tmp_path)
    assert "chapters/06.html" in first.read_text()
