"""Cells of a page: which cells a run takes along, what it says, and what an error says."""

from __future__ import annotations

import json

import pytest
from sheet_sources import definitions

from coursekit.grading.cases import load_sheet
from coursekit.interactive.cells import MOST_TEXT, Cell, Session, answer, names_of


def cells(*sources):
    return [Cell(f"c{k}", source) for k, source in enumerate(sources)]


def ran(session, given, target, **more):
    """The cells that a run executed, and what it said."""
    said = []
    session.run(given, target, say=said.append, **more)
    return [event["id"] for event in said if event["type"] == "begin"], said


def text(said):
    return "".join(event["text"] for event in said if event["type"] == "text")


@pytest.mark.parametrize(
    ("source", "makes", "uses"),
    [
        ("import numpy as np, os.path", {"np", "os"}, set()),
        ("from a import b as c", {"c"}, set()),
        ("x, (y, *z) = f(w)", {"x", "y", "z"}, {"f", "w"}),
        ("def f(a, b=k):\n    c = a + g\n    return c", {"f"}, {"g", "k"}),
        ("def f(n):\n    return f(n - 1)", {"f"}, set()),
        ("y = [x * s for x in xs if x]", {"y"}, {"s", "xs"}),
        ("f = lambda a: a + b", {"f"}, {"b"}),
        ("for k in ks:\n    m = k\nm, k", {"k", "m"}, {"ks"}),
        ("x = x + 1", {"x"}, {"x"}),
        ("x += 1", set(), {"x"}),
        ("with open(p) as f:\n    t = f.read()", {"f", "t"}, {"open", "p"}),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None", {"torch"}, {"ImportError"}),
        ("if (n := len(a)) > 1:\n    pass", {"n"}, {"a", "len"}),
        ("x: int = y", {"x"}, {"y", "int"}),
        ("class A(B):\n    v = w", {"A"}, {"B", "w"}),
        ("this is no Python", set(), set()),
    ],
)
def test_names_of_a_cell(source, makes, uses):
    names = names_of(source)
    assert (set(names.makes), set(names.uses)) == (makes, uses)


def test_a_run_takes_along_what_it_needs_and_no_more():
    given = cells("import math", "x = 4", "slow = undefined_name", "y = math.sqrt(x)", "print(y)")
    order, said = ran(Session(), given, "c4")
    assert order == ["c0", "c1", "c3", "c4"]
    assert text(said) == "2.0\n"


def test_what_has_run_does_not_run_again_until_it_changes():
    session, given = Session(), cells("x = 1", "y = x + 1", "y")
    assert ran(session, given, "c2")[0] == ["c0", "c1", "c2"]
    assert ran(session, given, "c2")[0] == ["c2"]
    edited = [Cell("c0", "x = 5"), *given[1:]]
    order, said = ran(session, edited, "c2")
    assert order == ["c0", "c1", "c2"]  # y hangs on x
    assert said[-2] == {"type": "text", "text": "6", "shown": True}


def test_a_name_that_a_later_cell_took_is_made_again():
    session, given = Session(), cells("x = 1", "print(x)", "x = 2", "print(x)")
    assert text(ran(session, given, "c3")[1]) == "2\n"
    assert text(ran(session, given, "c1")[1]) == "1\n"
    assert text(ran(session, given, "c3")[1]) == "2\n"


def test_a_random_generator_is_where_it_would_be_from_top_to_bottom():
    given = cells("import numpy as np\nrng = np.random.default_rng(0)", "a = rng.random()", "print(rng.random())")
    whole = Session()
    expected = text(ran(whole, given, "c2", everything=True)[1])
    session = Session()
    assert text(ran(session, given, "c2")[1]) == expected
    order, said = ran(session, given, "c2")  # the run itself drew a number
    assert text(said) == expected
    assert order == ["c0", "c1", "c2"]


def test_an_object_that_is_only_looked_at_is_not_made_again():
    session, given = Session(), cells("d = {'a': 1}", "print(d.get('a'))")
    ran(session, given, "c1")
    assert ran(session, given, "c1")[0] == ["c1"]


def test_a_value_changed_in_place_is_made_again():
    session, given = Session(), cells("x = [1]", "x.append(2)\nprint(x)")
    assert text(ran(session, given, "c1")[1]) == text(ran(session, given, "c1")[1]) == "[1, 2]\n"


def test_run_all_above_leaves_out_hidden_cells_that_make_nothing():
    given = [Cell("a", "print('a')"), Cell("b", "undefined()", True), Cell("c", "x = 1", True), Cell("d", "x")]
    assert ran(Session(), given, "d", everything=True)[0] == ["a", "c", "d"]


def test_hidden_cells_show_nothing():
    _, said = ran(Session(), [Cell("a", "print('noise')\nx = 1", True), Cell("b", "x")], "b")
    assert text(said) == "1"


def test_an_error_names_the_line_and_the_way_to_it():
    given = cells("def f(x):\n    return x.shapes", "import numpy as np\nf(np.zeros(3))")
    _, said = ran(Session(), given, "c1")
    error = said[-1]
    assert error["type"] == "error"
    assert error["line"] == 2 and error["code"] == "f(np.zeros(3))"
    assert error["said"].startswith("AttributeError: 'numpy.ndarray' object has no attribute 'shapes'")
    assert [(step["inside"], step["line"]) for step in error["way"]] == [("", 2), ("f", 2)]


def test_a_syntax_error_names_its_line():
    _, said = ran(Session(), cells("x = 1\ny = = 2"), "c0")
    assert (said[-1]["line"], said[-1]["code"]) == (2, "y = = 2")
    assert said[-1]["said"].startswith("SyntaxError")


def test_an_error_inside_the_course_says_where():
    _, said = ran(Session(), cells("from coursekit.dense import affine_forward\naffine_forward(1, 2, 3)"), "c0")
    assert said[-1]["line"] == 2
    assert said[-1]["deep"]


def test_a_cell_above_that_fails_ends_the_run():
    order, said = ran(Session(), cells("x = 1 / 0", "x"), "c1")
    assert order == ["c0"]
    assert (said[-1]["id"], said[-1]["last"]) == ("c0", False)


def test_leaving_python_ends_only_the_cell():
    session = Session()
    assert ran(session, cells("raise SystemExit"), "c0")[1][-1]["said"] == "SystemExit"
    assert text(ran(session, cells("print(1)"), "c0")[1]) == "1\n"


def test_figures_are_shown_as_the_book_draws_them():
    code = "from coursekit.plotting import _style\nfig, ax = _style.figure()\nax.plot([1, 2])\nfig.alt = 'A line.'\nfig"
    shown = [event for event in ran(Session(), cells(code), "c0")[1] if event["type"] == "html"]
    assert "ck-narrow" not in shown[0]["html"], "a second drawing takes seconds in a browser"
    assert len(shown) == 1 and 'class="ck-figure' in shown[0]["html"] and 'aria-label="A line."' in shown[0]["html"]


def test_pictures_of_pyplot_are_shown_once():
    code = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    shown = [event for event in ran(Session(), cells(code), "c0")[1] if event["type"] == "html"]
    assert len(shown) == 1 and "<svg" in shown[0]["html"]


def test_a_semicolon_hides_the_value():
    assert text(ran(Session(), cells("1;"), "c0")[1]) == ""


def test_too_much_output_is_cut():
    said = text(ran(Session(), cells("for k in range(30_000):\n    print('0123456789')"), "c0")[1])
    assert MOST_TEXT < len(said) < MOST_TEXT + 200
    assert "the rest is not shown" in said


def sheet_cells():
    return [
        Cell("imports", "import numpy as np\nfrom coursekit import check"),
        Cell("xn", "def xavier_normal(rng, shape):\n    raise NotImplementedError"),
        Cell("xu", "def xavier_uniform(rng, shape):\n    raise NotImplementedError"),
        Cell("check1", 'check("05.1")'),
    ]


def asked(question, given, always, notebook="exercises/05"):
    message = {"do": "check", "notebook": notebook, "question": question, "always": always}
    message["cells"] = [[cell.id, cell.source, cell.hidden] for cell in given]
    said = []
    return json.loads(answer(json.dumps(message), said.append)), [json.loads(event) for event in said]


def test_a_check_runs_what_it_needs_and_reports_each_case():
    reply, said = asked("05.1", sheet_cells(), ["xn", "xu"], "one")
    assert [event["id"] for event in said if event["type"] == "begin"] == ["xn", "xu"]  # a stub needs no NumPy
    report = reply["report"]
    assert not report["right"]
    assert {case["status"] for case in report["cases"]} == {"unwritten"}
    assert sum(report["groups"]) == len(report["cases"])

    given = sheet_cells()
    given[1] = Cell(
        "xn", "def xavier_normal(rng, shape):\n    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)"
    )
    given[2] = Cell(
        "xu", "def xavier_uniform(rng, shape):\n    a = np.sqrt(6 / sum(shape))\n    return rng.uniform(-a, a, shape)"
    )
    reply, said = asked("05.1", given, ["xn", "xu"], "one")
    assert [event["id"] for event in said if event["type"] == "begin"] == ["imports", "xn", "xu"]
    assert reply["report"]["right"], reply["report"]["headline"]


@pytest.mark.parametrize("wrong", load_sheet("05").questions[0].wrong, ids=lambda wrong: wrong.message[:30])
def test_a_known_wrong_answer_gets_its_words(wrong):
    given = [*sheet_cells()[:1], Cell("solved", definitions("05")), Cell("stub", wrong.code), sheet_cells()[3]]
    report = asked("05.1", given, ["solved", "stub"], f"wrong {wrong.message}")[0]["report"]
    assert not report["right"]
    assert wrong.message in json.dumps(report, ensure_ascii=False)


def test_a_question_that_does_not_exist_is_a_sentence():
    assert "05.99" in asked("05.99", sheet_cells(), [], "two")[0]["report"]["problem"]
