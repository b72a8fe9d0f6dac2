import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from coursekit import course
from coursekit.errors import DataError
from coursekit.interactive.quiz import Quiz

QUIZZES = sorted(
    f.name[:-5] for f in (resources.files("coursekit.interactive") / "quizzes").iterdir() if f.name.endswith(".json")
)
CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("*.md"))


@pytest.mark.parametrize("chapter", QUIZZES)
def test_a_quiz_has_five_questions_with_feedback_for_every_option(chapter):
    quiz = course.quiz(chapter)
    assert len(quiz.questions) >= 5
    for question in quiz.questions:
        replies = [question.reply(i) for i in range(len(question.texts))]
        assert sum("Right." in reply for reply in replies) == 1
        assert len(set(replies)) == len(replies) >= 3
        assert all(len(text) > 20 for text in question.options.values())


@pytest.mark.parametrize("chapter", QUIZZES)
def test_the_right_option_has_no_fixed_place(chapter):
    places = [question.texts.index(question.answer) for question in course.quiz(chapter).questions]
    assert len(set(places)) >= 2


@pytest.mark.parametrize("chapter", QUIZZES)
def test_jupyterquiz_can_show_the_same_file(chapter):
    loader = pytest.importorskip("jupyterquiz.dynamic.loader")
    script, static, _ = loader.load_questions_script(course.questions(chapter), "id")
    assert static
    assert json.loads(re.search(r"=(\[.*\]);\n", script)[1]) == course.questions(chapter)


def test_answers_are_not_in_plain_sight():
    quiz = course.quiz("05")
    html = quiz.html()
    visible = re.sub(
        r"<noscript>.*?</noscript>|<div class=\"ck-print\">.*?</div>|data-secret=\"[^\"]*\"", "", html, flags=re.S
    )
    assert quiz.questions[0].question in visible
    assert visible.count(">Question</span>") == visible.count(">Check</button>") == len(quiz.questions)
    assert not any(feedback in visible for q in quiz.questions for feedback in q.options.values())


def test_an_unknown_quiz_is_refused():
    with pytest.raises(DataError, match=r"there is no quiz '99'; there are .*05"):
        course.quiz("99")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "?", "type": "numeric"}, "must be multiple_choice with exactly one right answer; it has 0"),
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
    assert sorted(labels) == sorted(set(labels))


def test_names_of_predictions_are_unique_and_begin_with_their_chapter():
    folder = Path(course.__file__).parents[1] / "explorers"
    names = [name for file in folder.glob("*.py") for name in re.findall(r'predict\(\s*"([\w-]+)"', file.read_text())]
    names = [name for name in names if re.match(r"\d\d-", name)]
    assert len(names) > 10
    assert sorted(names) == sorted(set(names))
