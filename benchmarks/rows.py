"""What is measured: a table of `Row`s, each of which makes two functions that do the same work.

A row is a function that is given nothing and returns `(ours, other)`. It is decorated with what it is called and the
most that ours / other may be, with OPENBLAS_CORETYPE set to Haswell and unset. To add one, write one; import its file
in `ROW_FILES` of `run.py` if it is a new file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ROWS: list[Row] = []
FLOOR = "the fewest passes NumPy can make"
NEAR_FLOOR = 1.15


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `at_most` bounds ours / other, (Haswell, unset); `at_least` bounds other / ours, for what we must beat by far.
    Either may be None: then the row is for information. Where NumPy alone takes longer than PyTorch's whole function,
    the other is `FLOOR`, the same numbers by the fewest calls of NumPy that make them, and a row beside it says what
    that floor is to PyTorch. `single` rows are measured with one thread only.
    """

    name: str
    other: str
    make: Callable
    at_most: tuple[float, float] | None = None
    at_least: float | None = None
    single: bool = False


def row(name, *, other="PyTorch", at_most=None, at_least=None, single=False):
    """Put the decorated function into the table."""
    if isinstance(at_most, (int, float)):
        at_most = (at_most, at_most)

    def add(make):
        ROWS.append(Row(name, other, make, at_most, at_least, single))
        return make

    return add
