"""Exercise sheets: the source holds the solutions, and the student's notebook is cut from it.

`exercises/NN_name.md` is a MyST text notebook that runs from top to bottom. In its code cells

    def he_normal(rng, shape):
        # BEGIN SOLUTION: std = ...
        std = np.sqrt(2 / fan_in(shape))
        # END SOLUTION
        return std * rng.standard_normal(shape)

marks what the student is to write; the words after the colon stay as a comment. Inside a function the lines become
`raise NotImplementedError`; at the left margin, where a whole function is to be written, only the comment is left.
A heading `## 05.1` gets the question's title, points and minutes, and the cell with `check("05.1")` is followed by the
hints. Points, minutes and hints stand with the cases, in `exercises/tests/NN_name.py`.
"""

from __future__ import annotations

import re

from ..errors import CourseError
from .cases import Question, Sheet

__all__ = ["SheetError", "cut", "instructor", "student", "uncut"]

_BEGIN = re.compile(r"^(\s*)# BEGIN SOLUTION(?::\s*(.*))?$")
_END = re.compile(r"^(\s*)# END SOLUTION$")
_HEADING = re.compile(r"^## (\d\d\.\d+)[ \t]*$", re.MULTILINE)


_RULES = (
    "*The marks are given with Python, NumPy and the cells of this notebook alone. An answer that uses SciPy, PyTorch, "
    "the course's own functions or a file beside the notebook earns none.*"
)


class SheetError(CourseError, ValueError):
    """The source of a sheet is at fault; the message says where."""


def cut(code: str) -> str:
    r"""A code cell without its solutions.

    >>> print(cut("def f(x):\n    # BEGIN SOLUTION\n    y = 2 * x\n    # END SOLUTION\n    return y"))
    def f(x):
        # Your code here
        raise NotImplementedError
        return y
    """
    kept = []
    for line, part in _marked(code):
        if part == "keep":
            kept.append(line)
        elif part == "begin":
            ((indent, words),) = _BEGIN.findall(line)
            kept.append(f"{indent}# Your code here{': ' + words if words else ''}")
            if indent:
                kept.append(f"{indent}raise NotImplementedError")
    text = "\n".join(kept)
    try:
        compile(text, "<sheet>", "exec")
    except SyntaxError as error:
        raise SheetError(f"without its solution this cell is not Python ({error.msg}):\n{text}") from None
    return text


def uncut(code: str) -> str:
    """A code cell with its solutions, without the marks."""
    return "\n".join(line for line, part in _marked(code) if part in ("keep", "solution"))


def _marked(code):
    """Each line with its part: "keep", "begin", "solution" or "end"."""
    inside = False
    for line in code.split("\n"):
        begin, end = _BEGIN.match(line), _END.match(line)
        if (begin and inside) or (end and not inside):
            raise SheetError(f"BEGIN SOLUTION and END SOLUTION do not pair up at {line.strip()!r} in:\n{code}")
        yield line, "begin" if begin else "end" if end else "solution" if inside else "keep"
        inside = bool(begin) or (inside and not end)
    if inside:
        raise SheetError(f"END SOLUTION is missing in:\n{code}")
    for word in re.findall(r"#\s*(?:BEGIN|END)\s+SOLUTION.*", code, re.IGNORECASE):
        if not (_BEGIN.match(word) or _END.match(word)):
            raise SheetError(f"{word!r} is no mark; write '# BEGIN SOLUTION: words' and '# END SOLUTION'")


def student(notebook, sheet: Sheet) -> None:
    """Turn the notebook of a sheet's source into the student's notebook, in place."""
    _fill(notebook, sheet, cut)


def instructor(notebook, sheet: Sheet) -> None:
    """Turn the notebook of a sheet's source into the instructor's notebook, in place."""
    _fill(notebook, sheet, uncut)


def _fill(notebook, sheet, solve):
    import nbformat

    left = {question.id: question for question in sheet.questions}
    headed, cells = [], []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            headed += _HEADING.findall(cell.source)
            cell.source = _HEADING.sub(lambda match: _heading(sheet[match[1]]), cell.source)
        elif cell.cell_type == "code":
            cell.source = solve(cell.source)
            for id in re.findall(r"\bcheck\([\"'](\d\d\.\d+)[\"']\)", cell.source):
                question = left.pop(id, None)
                if question is None:
                    raise SheetError(f'check("{id}") stands twice in sheet {sheet.id}, or is no question of it')
                if question.hints:
                    cells.append(nbformat.v4.new_markdown_cell(_hints(question)))
    ids = [question.id for question in sheet.questions]
    if left or headed != ids:
        raise SheetError(
            f"sheet {sheet.id} has the questions {ids}; its source has the headings {headed} and lacks the checks of "
            f"{list(left)}: each question needs a line '## {ids[0]}' and a cell check(\"{ids[0]}\")"
        )
    _summary(cells[0], sheet)
    notebook.cells = cells


def _summary(cell, sheet):
    count, minutes = len(sheet.questions), sum(question.minutes for question in sheet.questions)
    line = f"*{count} question{'s' * (count != 1)}, {sheet.points:g} points, about {minutes} minutes.*"
    first, _, rest = cell.source.partition("\n")
    if not first.startswith("# "):
        raise SheetError(f"sheet {sheet.id} must begin with a title, '# Exercise sheet {sheet.id}: {sheet.title}'")
    cell.source = f"{first}\n\n{line}\n\n{_RULES}\n{rest}"


def _heading(question: Question) -> str:
    points = f"{question.points:g} point{'s' * (question.points != 1)}"
    return f"## {question.id} {question.title}\n\n*{points}, about {question.minutes} minutes.*"


def _hints(question: Question) -> str:
    count = len(question.hints)
    return "\n\n".join(
        f"<details>\n<summary>Hint{f' {i} of {count}' if count > 1 else ''}</summary>\n\n{hint}\n\n</details>"
        for i, hint in enumerate(question.hints, 1)
    )
