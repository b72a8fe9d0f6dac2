import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from coursekit import course
from coursekit._chapters import CHAPTERS as NAMES
from coursekit.errors import DataError
from coursekit.interactive.quiz import Quiz

QUIZZES = sorted(
    f.name[:-5] for f in (resources.files("coursekit.interactive") / "quizzes").iterdir() if f.name.endswith(".json")
)
CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.md"))


@pytest.mark.parametrize("chapter", QUIZZES)
def test_a_quiz_has_five_questions(chapter):
    assert len(course.quiz(chapter).questions) >= 5  # tests/test_questions.py reads them


def test_answers_are_not_in_plain_sight():
    quiz = course.quiz("05")
    html = quiz.html()
    visible = re.sub(
        r"<noscript>.*?</noscript>|<div class=\"ck-print\">.*?</div>|data-secret=\"[^\"]*\"", "", html, flags=re.S
    )
    assert quiz.questions[0].question in visible
    assert visible.count(">Question</span>") == visible.count(">Check</button>") == len(quiz.questions)
    assert not any(feedback in visible for q in quiz.questions for feedback in (q.options or {}).values())


def test_an_unknown_quiz_is_refused():
    with pytest.raises(DataError, match=r"there is no quiz '99'; there are .*05"):
        course.quiz("99")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"question": "?", "type": "multiple_choice"},
            "must be multiple_choice with exactly one right answer; it has 0",
        ),
        ({"question": "?", "type": "many_choice"}, "must be many_choice with at least one right answer; it has 0"),
        (
            {"question": "?", "type": "numeric"},
            "must be numeric with exactly one right value",
        ),
        ({"question": "?", "type": "order", "items": ["a", "b"]}, "must be an order of at least three items"),
        ({"question": "?", "type": "line", "code": ["a = 1"], "answer": 2}, "must name its faulty line, from 1 to 1"),
        ({"question": "?", "type": "essay"}, "is of type 'essay', but must be one of 'multiple_choice', 'many_choice'"),
        (
            {"question": "?", "type": "multiple_choice", "answers": [{"answer": "a", "correct": True}]},
            "no feedback for 'a'",
        ),
    ],
)
def test_a_bad_question_is_refused(row, message):
    with pytest.raises(DataError, match=message):
        Quiz("05", [row])


def test_glue_prints_in_a_notebook(capsys):
    course.glue("loss", np.float32(2.302585))
    course.glue("steps", 300)
    assert capsys.readouterr().out == "loss = 2.303\nsteps = 300\n"


def test_glue_keeps_the_value_for_the_book(monkeypatch):
    kept = {}
    monkeypatch.setenv("COURSEKIT_BOOK", "1")
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: kept.update({name: value}))
    course.glue("loss", np.float64(2.5))
    assert kept == {"loss": 2.5} and type(kept["loss"]) is float


def test_labels_are_unique_across_the_chapters():
    labels = [
        label
        for page in CHAPTERS
        for label in re.findall(r"\$\$ *\(([\w-]+)\)|^\(([\w-]+)\)=$", page.read_text(), re.M)
    ]
    assert len(labels) > 10
    twice = {label for label in labels if labels.count(label) > 1}
    assert not twice, f"labels that stand twice in the chapters; give one of each another name: {sorted(twice)}"


def test_names_of_predictions_are_unique_and_begin_with_their_chapter():
    folder = Path(course.__file__).parents[1] / "explorers"
    names = []
    for number, chapter in NAMES.items():
        found = re.findall(r'predict\(\s*"([\w-]+)"', (folder / f"{chapter}.py").read_text())
        wrong = [name for name in found if not name.startswith(f"{number}-")]
        assert not wrong, f'explorers/{chapter}.py: names of predictions begin with "{number}-"; rename {wrong}'
        names += found
    assert len(names) > 10
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"predictions of one name; give one of each another: {sorted(twice)}"
