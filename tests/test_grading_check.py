"""check(): what a student is told, for every way in which an answer can go wrong."""

import html.parser
import linecache
import signal
import sys
import time

import numpy as np
import pytest

from coursekit.grading import cases
from coursekit.grading.check import CheckResult, check

module = sys.modules["coursekit.grading.check"]

FILE = """
import numpy as np
from coursekit.grading.cases import case, question
from coursekit.grading.compare import expect_equal

TITLE = "Doubling"
Q1 = question("42.1", title="Double", minutes=5)

@case("double: values", points=2)
def values(double, *, rng):
    x = rng.standard_normal((3, 4))
    expect_equal(double(x), 2 * x, what="double(x)", mistakes={"you squared": x**2})

@case("double: lists")
def lists(double, *, rng):
    expect_equal(double([np.ones(2)])[0], np.full(2, 2.0))

@case("double: hidden", points=9, hidden=True)
def hidden(double, *, rng):
    assert False

Q2 = question("42.2", title="Half", minutes=5)

@case("half <b>")
def half_(half, *, rng):
    assert half(4) == 2, "not <i>half</i>"
"""


@pytest.fixture(autouse=True)
def sheet(tmp_path, monkeypatch):
    monkeypatch.setattr(cases, "_folder", lambda: tmp_path)
    monkeypatch.setattr(module, "_session", {})
    (tmp_path / "42_doubling.py").write_text(FILE)


RIGHT = """
def double(x):
    return [2 * part for part in x] if isinstance(x, list) else 2 * x
"""


def notebook(code):
    """The names of a notebook in which `code` was run as a cell."""
    names = {"np": np}
    cell = f"/tmp/ipykernel_1/{abs(hash(code))}.py"
    linecache.cache[cell] = (len(code), None, code.splitlines(True), cell)
    exec(compile(code, cell, "exec"), names)
    return names


@pytest.fixture
def tell(capsys):
    def tell(code, question="42.1"):
        result = check(question, notebook(code))
        shown = capsys.readouterr()
        assert shown.err == ""
        assert "Traceback" not in shown.out
        return result, shown.out

    return tell


def test_a_right_answer_gets_all_public_points(tell):
    result, shown = tell(RIGHT)
    assert result.passed
    assert (result.points, result.out_of) == (3, 3)
    assert "42.1 Double: All right. 3 of 3 points" in shown
    assert "hidden" not in shown
    assert result.seconds < 0.5


def test_a_wrong_value_is_told_with_what_came_and_the_usual_mistake(tell):
    result, shown = tell("def double(x):\n    return [2 * p for p in x] if isinstance(x, list) else x**2")
    assert (result.passed, result.points) == (False, 1)
    assert "✗ double: values (not yet, 2 points)" in shown
    assert "✓ double: lists (right, 1 point)" in shown
    assert "double(x) has a wrong value" in shown
    assert "first difference: index [0, 0]: came" in shown
    assert "It looks as if you squared." in shown


def test_a_missing_name_is_told(tell):
    result, shown = tell("")
    assert "double is not defined" in shown
    assert "Not written yet" in shown
    assert result.points == 0


def test_a_stub_is_not_an_error(tell):
    result, shown = tell("def double(x):\n    raise NotImplementedError")
    assert "double is not written yet" in shown
    assert "○ double: values (to write, 2 points)" in shown
    assert {case.status for case in result.cases} == {"unwritten"}


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("()", "double() takes 0 arguments, but the check calls it with 1: double(float64 array of shape (3, 4))"),
        ("(x, factor)", "double(x, factor) takes 2 arguments, but the check calls it with 1"),
        ("(*, x)", "double(*, x) takes 1 argument, but"),
    ],
)
def test_a_wrong_signature_is_told_with_the_call(tell, signature, words):
    assert words in tell(f"def double{signature}:\n    return 1")[1]


def test_an_optional_argument_more_is_fine(tell):
    assert tell(RIGHT.replace("(x)", "(x, factor=2, **more)"))[0].passed


def test_an_exception_is_told_with_the_students_own_line(tell):
    _, shown = tell(
        "def helper(x):\n    # comment\n    return np.reshape(x, (5, 5))\n\ndef double(x):\n    return helper(x)"
    )
    assert "double (in helper) stops in the middle" in shown
    assert "an array of 2 entries was to be reshaped to (5, 5), which has 25" in shown
    assert "line 3 of helper:  return np.reshape(x, (5, 5))" in shown
    assert "fromnumeric" not in shown


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return doubel(x)", "doubel is misspelt: there is double"),
        ("return None + 1", "something is None"),
        ("return double(x)", "calls itself without an end"),
        ("return np.split(x, 5)", "np.split was asked for 5 parts of one size, and the entries do not go round"),
        ("parts = 7; return np.hsplit(np.ones((2, 4)), parts)", "np.hsplit was asked for 7 parts of one size"),
        (
            "return np.linalg.norm(np.ones((2, 3, 4)), 2)",
            "a norm of a certain order of np.ones((2, 3, 4)), which is (2, 3, 4)",
        ),
        ("return np.linalg.norm(np.ones((2, 3, 4)), axis=(0, 1, 2))", "np.linalg.norm was given more than two axes"),
        ("return (1, 2) + 3", "a tuple and a number were joined with +"),
        ("return 3 in len(x)", "a number was searched with `in`"),
        ("return np.float64(1).data / 2", "the .data of an array or of a NumPy number and a number met at /"),
        ("raise SystemExit", "leave the function with return"),
        ("raise type('Mine', (BaseException,), {})('odd')", "Python reports a mine error, with the words “odd”"),
        ("raise type('Mute', (Exception,), {'__str__': lambda s: 1 / 0})", "Python reports a mute error"),
        ("pass", "a return is missing"),
        ("return type('Odd', (), {'__getattr__': lambda s, n: 1 / 0})()", "is not an array"),
        ("x *= 2; return x", "double changes its argument x (float64 array of shape (3, 4))"),
        ("raise ValueError('<script>' + 'long ' * 1000)", "…"),
    ],
)
def test_what_else_goes_wrong_in_the_students_code_is_put_into_words(tell, body, words):
    result, shown = tell(f"def double(x):\n    {body}")
    assert words in shown
    assert not result.passed
    assert len(shown) < 3000


def test_changing_an_array_inside_a_list_is_noticed_and_does_not_reach_the_case(tell):
    _, shown = tell(RIGHT + "\nold = double\ndef double(x):\n    if isinstance(x, list): x[0] += 1\n    return old(x)")
    assert "✗ double: lists" in shown
    assert "double changes its argument x (list of length 1)" in shown


def test_the_answer_of_coursekit_itself_is_no_answer(tell):
    assert "is the one of coursekit.losses" in tell("from coursekit.losses import huber as double")[1]


def test_a_name_that_is_no_function_is_told(tell):
    assert "the name double was given to a value" in tell("double = 3")[1]


def interrupted(seconds, code):
    def stop(*args):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return check("42.1", notebook(code))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_endless_loop_can_be_interrupted_and_says_where_it_was(capsys):
    result = interrupted(0.2, "def double(x):\n    i = 0\n    while True:\n        i += 1\n")
    shown = capsys.readouterr().out
    assert "You stopped the check after 0 s" in shown
    assert "of double:" in shown
    assert "Traceback" not in shown
    assert "not run, because the check was stopped" in shown
    assert result.points == 0


def test_where_nothing_can_interrupt_an_endless_loop_is_stopped_by_the_clock(tell, monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "emscripten")
    monkeypatch.setattr(module, "BROWSER_LIMIT_SECONDS", 0.2)
    start = time.perf_counter()
    tracer = sys.gettrace()
    _, shown = tell(
        "def double(x):\n    while True:\n        try:\n            x = x\n        except Exception: pass\n"
    )
    assert time.perf_counter() - start < 2
    assert "The check stopped itself after 0 s" in shown
    assert tell(RIGHT)[0].passed
    assert sys.gettrace() is tracer


def test_slow_code_gets_a_hint(tell, monkeypatch):
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.05)
    assert (
        "can one array operation"
        in tell("import time\n" + RIGHT.replace("return", "time.sleep(0.1); return"))[1].lower()
    )
    assert "one array operation" not in tell(RIGHT)[1]


def test_what_the_students_code_prints_is_kept_and_bounded(tell):
    _, shown = tell(RIGHT.replace("return", "print('<look>', 'y' * 50); return"))
    assert "Your code printed:" in shown
    assert shown.count("<look>") == 2
    _, shown = tell(RIGHT.replace("return", "print('z' * 10**6); return"))
    assert len(shown) < 4000


def test_the_progress_of_the_sheet_grows_with_each_question(tell):
    assert "Sheet 42: 0 of 4 points" in tell("", "42.2")[1]
    assert "Sheet 42: 3 of 4 points" in tell(RIGHT)[1]
    assert "Sheet 42: 4 of 4 points" in tell("def half(x):\n    return x / 2", "42.2")[1]
    assert "Sheet 42: 1 of 4 points" in tell("def double(x): return x")[1]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("42.9", "42.1, 42.2"),
        ("99.1", "the sheets are: 42"),
        (42.1, "in quotes"),
        ("42", 'check("05.1")'),
        ("06", "'06' is no question: a question has the number of its sheet, a dot"),
        ("", "in quotes"),
        (None, "in quotes"),
        ("../x.1", "the sheets are: 42"),
        ("abc.1", "two digits"),
    ],
)
def test_an_unknown_question_is_answered_in_words(question, words, capsys):
    result = check(question, {})
    assert words in capsys.readouterr().out
    assert not result.passed


def test_the_names_are_those_of_the_notebook_that_calls():
    names = notebook(RIGHT + "\nfrom coursekit.grading.check import check\nresult = check('42.1')")
    assert names["result"].passed


def test_check_comes_from_coursekit_itself():
    import coursekit

    assert coursekit.check is check


def test_the_result_is_quiet_in_a_notebook_and_short_elsewhere(tell):
    result, _ = tell(RIGHT)
    assert repr(result) == "<check 42.1: 3 of 3 points>"
    assert result._ipython_display_() is None


class Reader(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(monkeypatch):
    shown = []
    monkeypatch.setattr(module._Display, "show", lambda self, text, html: shown.append(html))

    def page(code, question="42.1"):
        check(question, notebook(code))
        return Reader(shown[-1])

    return page


def test_the_html_says_the_same_and_nothing_of_the_student_is_markup(page):
    read = page("def double(x):\n    print('</pre><script>')\n    raise ValueError('<img src=x onerror=alert(1)>')")
    assert not read.open
    assert read.tags <= {"div", "strong", "span", "table", "tr", "td", "code", "pre"}
    assert "<img src=x onerror=alert(1)>" in read.text
    assert "</pre><script>" in read.text
    read = page("def half(x):\n    return x", "42.2")
    assert "not <i>half</i>" in read.text
    assert "half <b>" in read.text
    assert "42.9" not in read.text
    assert "no question '<b>'" in page("", "42.<b>").text.replace("42.", "")


def test_the_html_has_the_table_of_facts(page):
    read = page("def double(x):\n    return x[0]")
    assert {"table", "td"} <= read.tags
    assert "double(x) has the wrong shape" in read.text
    assert "float64 array of shape (4,)" in read.text


def test_a_result_without_cases_has_not_passed():
    assert not CheckResult("42.1", 0, 0).passed
