"""The sources of the exercise sheets, for the tests that run answers."""

import ast
from pathlib import Path

import jupytext

from coursekit.grading import sheets

ROOT = Path(__file__).parents[1]


def source(id):
    """The file of a sheet."""
    return next((ROOT / "exercises").glob(f"{id}_*.md"))


def solved_cells(id):
    """The code cells of a sheet, solutions and all."""
    return [sheets.uncut(c.source) for c in jupytext.read(source(id), fmt="md:myst").cells if c.cell_type == "code"]


def solution(question):
    """The functions of a question as its sheet has them, and the numbers of the lines that a student writes."""
    lines = []
    for cell in jupytext.read(source(question.id[:2]), fmt="md:myst").cells:
        if cell.cell_type == "code" and _defines(sheets.uncut(cell.source), question.names):
            lines += [pair for pair in sheets._marked(cell.source) if pair[1] in ("keep", "solution")]
    code = "\n".join(line for line, _ in lines)
    return code, {i for i, (_, part) in enumerate(lines, 1) if part == "solution"}


def _defines(code, names):
    return any(isinstance(node, ast.FunctionDef) and node.name in names for node in ast.parse(code).body)


def definitions(id):
    """The cells that only import and define: what an answer needs of the sheet."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return "\n\n".join(cell for cell in solved_cells(id) if all(isinstance(n, kinds) for n in ast.parse(cell).body))
