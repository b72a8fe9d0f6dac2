"""Sheets: what is cut for the student, what stays for the instructor, and which sources are refused."""

import nbformat
import pytest

from coursekit.errors import CourseError
from coursekit.grading.cases import Case, Question, Sheet
from coursekit.grading.sheets import cut, instructor, student, uncut

WHOLE = '''def double(x):
    """Twice x."""
    # BEGIN SOLUTION
    y = x + x

    return y
    # END SOLUTION'''
GAP = """import numpy as np
def f(x):
    for _ in range(3):
        # BEGIN SOLUTION: x = ...
        x = np.sqrt(x)
        # END SOLUTION
    return x"""
OPEN = """# BEGIN SOLUTION: define g(x)
def g(x):
    return x
# END SOLUTION"""


def run(code):
    names = {}
    exec(code, names)
    return names


def test_the_body_is_cut_and_signature_and_docstring_stay():
    assert cut(WHOLE) == 'def double(x):\n    """Twice x."""\n    # Your code here\n    raise NotImplementedError'
    with pytest.raises(NotImplementedError):
        run(cut(WHOLE))["double"](1)


def test_a_gap_is_cut_at_its_own_indent_and_keeps_its_words_and_what_follows():
    assert cut(GAP).split("\n")[3:] == [
        "        # Your code here: x = ...",
        "        raise NotImplementedError",
        "    return x",
    ]
    with pytest.raises(NotImplementedError):
        run(cut(GAP))["f"](1)


def test_a_function_that_is_to_be_written_from_nothing_leaves_a_cell_that_runs():
    assert cut(OPEN) == "# Your code here: define g(x)"
    assert "g" not in run(cut(OPEN))


def test_two_solutions_in_one_cell_are_both_cut():
    assert cut(f"{OPEN}\n{WHOLE}\n{OPEN}").count("Your code here") == 3
    assert "y = x + x" not in cut(f"{OPEN}\n{WHOLE}")


def test_the_instructors_copy_has_the_solution_and_no_marks():
    assert run(uncut(WHOLE))["double"](4) == 8
    assert run(uncut(GAP))["f"](256.0) == 2
    assert "SOLUTION" not in uncut(WHOLE) + uncut(GAP) + uncut(OPEN)


def test_a_cell_without_marks_stays_as_it_is():
    assert cut("x = 1\n\ny = 2") == uncut("x = 1\n\ny = 2") == "x = 1\n\ny = 2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("# BEGIN SOLUTION\nx = 1", "END SOLUTION is missing"),
        ("x = 1\n# END SOLUTION", "do not pair up"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "do not pair up"),
        ("#BEGIN SOLUTION\nx = 1\n#END SOLUTION", "is no mark"),
        ("# begin solution\nx = 1\n# end solution", "is no mark"),
        ("x = 1  # BEGIN SOLUTION please\nx = 2\n", "is no mark"),
        ("if x:\n# BEGIN SOLUTION\n    y = 1\n# END SOLUTION", "is not Python"),
    ],
)
def test_marks_at_fault_are_refused_so_that_no_solution_slips_through(code, words):
    with pytest.raises(CourseError, match=words):
        cut(code)


def question(id, points, hints=()):
    case = Case("c", id, points, False, print, ("double",))
    return Question(id, "Title", points, 7, (case,), tuple(hints), (), ())


SHEET = Sheet("42", "Doubling", (question("42.1", 1, ["First.", "Second."]), question("42.2", 3)))


def source(*cells):
    v4 = nbformat.v4
    made = [v4.new_code_cell(c[1:]) if c.startswith(">") else v4.new_markdown_cell(c) for c in cells]
    return v4.new_notebook(cells=made)


CELLS = ["# Exercise sheet 42: Doubling\n\nText.", "## 42.1\n\nWrite it.", ">" + WHOLE, '>check("42.1")', "## 42.2",
         ">x = 1", ">result = check('42.2')"]  # fmt: skip


def test_the_students_notebook_has_points_minutes_stubs_checks_and_hints():
    notebook = source(*CELLS)
    student(notebook, SHEET)
    texts = [cell.source for cell in notebook.cells]
    assert texts[0].startswith("# Exercise sheet 42: Doubling\n\n*2 questions, 4 points, about 14 minutes.*\n\n")
    assert "NumPy and the cells of this notebook alone" in texts[0]
    assert texts[0].endswith("\n\nText.")
    assert texts[1] == "## 42.1 Title\n\n*1 point, about 7 minutes.*\n\nWrite it."
    assert texts[2] == cut(WHOLE)
    assert texts[3] == 'check("42.1")'
    assert texts[4].count("<details>") == texts[4].count("</details>") == 2
    assert texts[4].index("Hint 1 of 2") < texts[4].index("First.") < texts[4].index("Hint 2 of 2")
    assert texts[5] == "## 42.2 Title\n\n*3 points, about 7 minutes.*"
    assert texts[7:] == ["result = check('42.2')"]


def test_the_instructors_notebook_differs_in_the_solutions_only():
    theirs, ours = source(*CELLS), source(*CELLS)
    student(theirs, SHEET)
    instructor(ours, SHEET)
    changed = [i for i, (a, b) in enumerate(zip(theirs.cells, ours.cells, strict=True)) if a.source != b.source]
    assert changed == [2]
    assert ours.cells[2].source == uncut(WHOLE)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (CELLS[:4], r"headings \['42.1'\] and lacks"),
        (CELLS[:3] + CELLS[4:], r"checks of \['42.1'\]"),
        ([*CELLS, '>check("42.1")'], "stands twice"),
        ([*CELLS, '>check("42.7")'], "no question"),
        ([*CELLS, "## 42.7"], "no question '42.7'"),
        ([CELLS[0], *CELLS[4:], *CELLS[1:4]], "headings"),
        (["No title.", *CELLS[1:]], "must begin with a title"),
    ],
)
def test_a_source_that_does_not_fit_its_cases_is_refused(cells, words):
    with pytest.raises(CourseError, match=words):
        student(source(*cells), SHEET)
