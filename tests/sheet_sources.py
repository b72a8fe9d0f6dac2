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


def definitions(id):
    """The cells that only import and define: what an answer needs of the sheet."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    return "\n\n".join(cell for cell in solved_cells(id) if all(isinstance(n, kinds) for n in ast.parse(cell).body))
