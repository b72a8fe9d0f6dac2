"""The errors that coursekit raises.

Every message says three things: what arrived, what was expected and, where it can, what to type. All errors derive
from `CourseError`; each is also the built-in exception that a NumPy user would expect, so `except ValueError` works.
"""

__all__ = [
    "CourseError",
    "DTypeError",
    "DataError",
    "DivergedError",
    "LabelError",
    "NotFiniteError",
    "RangeError",
    "ShapeError",
]


class CourseError(Exception):
    """Base class of every error of this package."""


class ShapeError(CourseError, ValueError):
    """An array has the wrong number of axes or the wrong length along one of them."""


class DTypeError(CourseError, TypeError):
    """An argument has a type or dtype that the function cannot work with."""


class LabelError(CourseError, ValueError):
    """A class label is not a whole number in [0, number of classes)."""


class RangeError(CourseError, ValueError):
    """A setting (a rate, a step size, a count) lies outside the values that make sense."""


class NotFiniteError(CourseError, ValueError):
    """NaN or infinity arrived where only finite numbers mean something."""


class DivergedError(NotFiniteError):
    """Training left the finite numbers; the message names the step and what to try."""


class DataError(CourseError, OSError):
    """A data file is missing, damaged or not known; the message says where it was looked for."""
