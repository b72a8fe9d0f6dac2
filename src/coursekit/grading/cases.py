"""Graded cases: plain functions in `exercises/tests/NN_name.py`, grouped into questions and sheets.

A case file reads from top to bottom: a title, then for each question its heading and the cases that belong to it.

    TITLE = "Initialization"

    Q1 = question("05.1", title="Xavier", minutes=10, hints=["The variance is 2 / (n_in + n_out)."])

    @case("xavier_normal: the spread of the weights", points=2)
    def spread(xavier_normal, *, rng):
        shape = (int(rng.integers(40, 60)), 100)
        draws = xavier_normal(np.random.default_rng(1), shape)
        expect_shape(draws, shape)

    WRONG = [Wrong("05.1", '''def xavier_normal(rng, shape): ...''', message="fan-out")]
    RIGHT = [Right("05.1", '''def xavier_normal(rng, shape): ...''')]

    MODELS = {"05.1": '''def xavier_normal(rng, shape): ...'''}
    SLIPS = [*slips("05.1", MODELS["05.1"], {("n_in + n_out", "n_in"): "the fan-out was left out"})]

A slip is a wrong answer with its name: where `check` finds that an answer does what a slip does, on two draws, it says
so. A model is the answer that most people would write; `check` also tries what it becomes by one change (`mutants`).

The positional arguments of a case are the names that the student must define; `rng` is the generator from which the
case draws its inputs and shapes. Whoever seeds it decides them: `public_rng` for the student's own check,
`keyed_rng` for marks. A case raises AssertionError when the answer is wrong (`coursekit.grading.compare` does) and
returns nothing when it is right. It never keeps anything between two runs.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import importlib.util
import inspect
import pathlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import DataError, RangeError

__all__ = [
    "Case",
    "MissingName",
    "Question",
    "Right",
    "Sheet",
    "Slip",
    "Wrong",
    "case",
    "keyed_rng",
    "load_sheet",
    "otter_tests",
    "public_rng",
    "question",
    "sheet_ids",
    "slips",
]

_PACKAGE = pathlib.Path(__file__).resolve().parents[1]


class MissingName(AssertionError):
    """The student has not defined a name that the case needs; `.names` lists them."""

    def __init__(self, names: Iterable[str]):
        self.names = tuple(names)
        what = " and ".join(self.names)
        super().__init__(f"{what} {'is' if len(self.names) == 1 else 'are'} not defined; run the cell that defines it")


@dataclass(frozen=True)
class Wrong:
    """A known wrong answer to a question: code in place of the solution, and words that the check must say."""

    question: str
    code: str
    message: str


@dataclass(frozen=True)
class Right:
    """Another right answer to a question: code in place of the solution that must earn all points."""

    question: str
    code: str


@dataclass(frozen=True)
class Slip:
    """A usual wrong answer and its name, a sentence that goes on from "It looks as if"."""

    question: str
    code: str
    says: str


def slips(question: str, model: str, edits: dict[tuple[str, str] | tuple[str, str, str, str], str]) -> list[Slip]:
    """Slips as changes of a model: `{(old, new): says}`; (old, new, old, new) makes two changes.

    Every `old` must stand in the model; all its places are changed.
    """
    found = []
    for edit, says in edits.items():
        code = model
        for old, new in zip(edit[::2], edit[1::2], strict=True):
            if old not in code:
                raise RangeError(f"slip of {question}: {old!r} does not stand in its model")
            code = code.replace(old, new)
        found.append(Slip(question, code, says))
    return found


@dataclass(frozen=True)
class Case:
    """One graded case of a question."""

    name: str
    question: str
    points: float
    hidden: bool
    function: Callable = field(repr=False)
    names: tuple[str, ...]

    def run(self, namespace: dict, rng: np.random.Generator) -> None:
        """Run the case on the student's names in `namespace`; raises AssertionError when the answer is wrong.

        The namespace may hold the functions themselves or stand-ins that call them elsewhere.
        """
        missing = [name for name in self.names if name not in namespace]
        if missing:
            raise MissingName(missing)
        self.function(*(namespace[name] for name in self.names), rng=rng)


@dataclass(frozen=True)
class Question:
    """One question of a sheet with its cases, hints, known wrong answers and alternative right answers."""

    id: str
    title: str
    points: float
    minutes: int
    cases: tuple[Case, ...]
    hints: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    right: tuple[Right, ...]
    slips: tuple[Slip, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the student must define, each name once, in order of first use."""
        return tuple(dict.fromkeys(name for case in self.cases for name in case.names))


@dataclass(frozen=True)
class Sheet:
    """An exercise sheet: "05", its title and its questions."""

    id: str
    title: str
    questions: tuple[Question, ...]

    @property
    def points(self) -> float:
        """What the whole sheet is worth."""
        return sum(question.points for question in self.questions)

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case of every question, in order."""
        return tuple(case for question in self.questions for case in question.cases)

    def __getitem__(self, id: str) -> Question:
        """The question with this id: `sheet["05.1"]`."""
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise RangeError(f"sheet {self.id} has no question {id!r}; it has {known}")


def case(name: str, *, points: float = 1, hidden: bool = False) -> Callable:
    """Mark a plain function as a graded case. The function itself comes back.

    A hidden case is not run by the student's `check`, only by the grader.
    """

    def mark(function):
        parameters = inspect.signature(function).parameters.values()
        names = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        rest = [p.name for p in parameters if p.kind is not p.POSITIONAL_OR_KEYWORD]
        if not names or rest != ["rng"]:
            raise TypeError(
                f"case {name!r} has the signature {function.__name__}{inspect.signature(function)}; expected the "
                "student's names and a keyword-only rng: def spread(xavier, *, rng)"
            )
        function.case = Case(name, "", points, hidden, function, names)
        return function

    return mark


def question(id: str, *, title: str, minutes: int, hints: Iterable[str] = ()) -> Question:
    """Head the cases that follow it in the file. Its points are the sum of theirs."""
    return Question(id, title, 0, minutes, (), tuple(hints), (), ())


def public_rng(case: Case, draw: int = 0) -> np.random.Generator:
    """The generator of the student's own check: the same in every run and on every machine.

    Points come from draw 0; the others are for a diagnosis, which has to fit more than once.
    """
    return _rng(hashlib.sha256(_label(case) + (f"\0{draw}".encode() if draw else b"")).digest())


def keyed_rng(key: bytes, case: Case) -> np.random.Generator:
    """The generator for marks: nobody without the instructor's key can tell which inputs and shapes it gives."""
    if not isinstance(key, bytes) or len(key) < 16:
        raise RangeError("key must be at least 16 bytes; try secrets.token_bytes(32)")
    return _rng(hmac.new(key, _label(case), hashlib.sha256).digest())


def _label(case):
    return f"coursekit\0{case.question}\0{case.name}".encode()


def _rng(digest):
    return np.random.default_rng(np.random.SeedSequence(int.from_bytes(digest, "big")))


def _folder() -> pathlib.Path:
    """Where the case files lie: `exercises/tests` of a checkout, `coursekit/_exercises` of an installed wheel."""
    checkout = _PACKAGE.parents[1] / "exercises" / "tests"
    return (
        checkout
        if (_PACKAGE.parents[1] / "pyproject.toml").is_file() and checkout.is_dir()
        else _PACKAGE / "_exercises"
    )


def sheet_ids() -> list[str]:
    """The sheets there are: `["05", ...]`."""
    return sorted(path.name[:2] for path in _folder().glob("[0-9][0-9]_*.py"))


def load_sheet(id: str) -> Sheet:
    """The sheet "05" with its questions and cases. Read once for each version of its file."""
    if not isinstance(id, str) or not re.fullmatch(r"\d\d", id):
        raise RangeError(f"sheet is {id!r}; expected two digits in quotes, such as '05'")
    paths = sorted(_folder().glob(f"{id}_*.py"))
    if not paths:
        raise DataError(f"there is no sheet {id!r}; the sheets are: {', '.join(sheet_ids()) or 'none'}")
    if len(paths) > 1:
        raise DataError(f"sheet {id!r} has more than one case file: {', '.join(path.name for path in paths)}")
    return _read_sheet(id, paths[0], paths[0].stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _read_sheet(id: str, path: pathlib.Path, _version: int) -> Sheet:
    spec = importlib.util.spec_from_file_location(f"coursekit_exercises_{path.stem}", path)
    assert spec and spec.loader, f"{path} is no Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return _sheet(id, path.name, vars(module))


def _sheet(id, filename, names):
    questions = []
    for value in names.values():  # a module remembers its names in the order of their definition
        if isinstance(value, Question):
            questions.append(value)
        elif isinstance(getattr(value, "case", None), Case) and inspect.isfunction(value):
            if not questions:
                raise RangeError(f"{filename}: case {value.case.name!r} stands before the first question(...)")
            head = questions[-1]
            found = replace(value.case, question=head.id)
            questions[-1] = replace(head, points=head.points + found.points, cases=(*head.cases, found))
    ids = [q.id for q in questions]
    labels = [(c.question, c.name) for q in questions for c in q.cases]
    wrong, right, slip = names.get("WRONG", []), names.get("RIGHT", []), names.get("SLIPS", [])
    models = names.get("MODELS", {})
    for what, bad in {
        "question ids do not all begin with the sheet's id": [i for i in ids if not re.fullmatch(rf"{id}\.\d+", i)],
        "questions twice": [i for i in ids if ids.count(i) > 1],
        "cases twice (two names, or one function name used again)": [x for x in labels if labels.count(x) > 1],
        "questions without a case": [q.id for q in questions if not q.cases],
        "answers to an unknown question": [a.question for a in (*wrong, *right, *slip) if a.question not in ids]
        + [id for id in models if id not in ids],
    }.items():
        if bad:
            raise RangeError(f"{filename}: {what}: {', '.join(map(str, dict.fromkeys(bad)))}")
    return Sheet(
        id,
        names["TITLE"],
        tuple(
            replace(
                q,
                wrong=tuple(a for a in wrong if a.question == q.id),
                right=tuple(a for a in right if a.question == q.id),
                slips=tuple(a for a in slip if a.question == q.id),
                models=(*((models[q.id],) if q.id in models else ()), *(a.code for a in right if a.question == q.id)),
            )
            for q in questions
        ),
    )


def otter_tests(question: Question, test_case: Callable) -> dict:
    """The cases of a question as otter-grader's exception-based tests, by name.

    Otter reads one file a question. Four lines make it, `tests/05.1.py` for question 05.1:

        from otter.test_files import test_case
        from coursekit.grading.cases import load_sheet, otter_tests
        OK_FORMAT, name = False, "05.1"
        globals().update(otter_tests(load_sheet("05")["05.1"], test_case))

    Otter looks up every argument in the student's notebook, `rng` too, so the functions given to it have none.
    """
    return {
        f"case_{i}": test_case(name=c.name, points=c.points, hidden=c.hidden)(_without_rng(c))
        for i, c in enumerate(question.cases, 1)
    }


def _without_rng(case):
    def run(**names):
        case.run({name: value for name, value in names.items() if value is not None}, public_rng(case))

    run.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in case.names]
    )
    return run
