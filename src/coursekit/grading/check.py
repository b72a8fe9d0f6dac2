"""The student's own check: `check("05.1")` in a notebook cell answers at once.

It runs the public cases of a question on the functions of the notebook that calls it and shows what is right, what is
wrong and why. It needs no threads, signals or processes, so it runs in the browser too. The marks come from the
sealed grader, which runs the same cases with other inputs and shapes.
"""

from __future__ import annotations

import contextlib
import copy
import html
import inspect
import io
import linecache
import sys
import time
from dataclasses import dataclass
from types import FrameType

import numpy as np

from ..errors import CourseError
from .cases import Case, Question, Sheet, load_sheet, public_rng
from .compare import Different, inspect_value

__all__ = ["CaseResult", "CheckResult", "check"]

SLOW_SECONDS = 2.0
BROWSER_LIMIT_SECONDS = 20.0
_session: dict[str, float] = {}  # points of each question at its last check, for the progress line


@dataclass(frozen=True)
class CaseResult:
    """What one case said: `status` is "right", "wrong" or "unwritten"."""

    name: str
    points: float
    status: str
    message: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    mistake: str | None = None
    code: str = ""

    @property
    def text(self) -> str:
        """Everything the case said, as plain text."""
        lines = [self.message, *(f"{label}: {text}" for label, text in self.facts), self.code]
        if self.mistake:
            lines.append(f"It looks as if {self.mistake}.")
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The result of `check`: it has been shown already, so it prints in one line and shows nothing by itself."""

    question: str
    points: float
    out_of: float
    cases: tuple[CaseResult, ...] = ()
    seconds: float = 0.0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """True when every case is right."""
        return bool(self.cases) and all(case.status == "right" for case in self.cases)

    def __repr__(self):
        return f"<check {self.question}: {self.points:g} of {self.out_of:g} points>"

    def _ipython_display_(self):
        pass


class _Stop(BaseException):
    """Raised in the student's code when its time is up; a BaseException, so that `except Exception` lets it pass."""


class _StudentError(Exception):
    """The student's function raised, or could not be called; the message is ready to be shown."""

    def __init__(self, message, *, code="", mistake=None, unwritten=False):
        super().__init__(message)
        self.code, self.mistake, self.unwritten = code, mistake, unwritten


def check(question: str, namespace: dict | None = None) -> CheckResult:
    """Check your answer to a question, such as `check("05.1")`, and show what is right and what is not.

    Uses the names of the notebook that calls it; pass a dict as `namespace` to check other names. Points are for
    orientation: marks come from the grader, with other inputs.
    """
    names = sys._getframe(1).f_globals if namespace is None else namespace
    shown = _Display()
    try:
        sheet, found = _find(question)
    except CourseError as error:
        result = CheckResult(str(question)[:40], 0, 0, problem=str(error))
        shown.show(_as_text(result), _as_html(result))
        return result
    shown.waiting(found.id)
    result, printed = _run(found, names)
    _session[found.id] = result.points
    progress = _Progress.of(sheet)
    shown.show(_as_text(result, found, progress, printed), _as_html(result, found, progress, printed))
    return result


def _find(question) -> tuple[Sheet, Question]:
    if not isinstance(question, str) or "." not in question:
        raise CourseError(f'There is no question {str(question)[:40]!r}. Write its number in quotes: check("05.1")')
    sheet = load_sheet(question.split(".")[0].strip().zfill(2))
    return sheet, sheet[f"{sheet.id}.{question.split('.', 1)[1].strip()}"]


def _run(question: Question, names: dict) -> tuple[CheckResult, str]:
    """Run the public cases. A stop (by the student or the clock) ends the question."""
    printed, results = _Printed(), []
    cases = [case for case in question.cases if not case.hidden]
    start = time.perf_counter()
    for case in cases:
        with contextlib.redirect_stdout(printed), _time_limit(names):
            outcome, stopped = _run_case(case, names, start)
        results.append(outcome)
        if stopped:
            results += [
                CaseResult(c.name, c.points, "wrong", "not run, because the check was stopped")
                for c in cases[len(results) :]
            ]
            break
    points = sum(r.points for r in results if r.status == "right")
    seconds = time.perf_counter() - start
    return CheckResult(question.id, points, sum(c.points for c in cases), tuple(results), seconds), printed.getvalue()


def _run_case(case: Case, names: dict, start: float) -> tuple[CaseResult, bool]:
    def result(status, message="", **more):
        return CaseResult(case.name, case.points, status, message, **more)

    try:
        missing = [name for name in case.names if name not in names]
        if missing:
            what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not defined"
            return result("unwritten", f"{what}. Write what is missing and run its cell, then check again."), False
        case.run({name: _guard(name, names[name], names) for name in case.names}, public_rng(case))
        return result("right"), False
    except _StudentError as error:
        status = "unwritten" if error.unwritten else "wrong"
        return result(status, str(error), code=error.code, mistake=error.mistake), False
    except Different as error:
        return result("wrong", error.summary + ".", facts=error.facts, mistake=error.mistake), False
    except AssertionError as error:
        return result("wrong", str(error) or "the answer is not right"), False
    except (KeyboardInterrupt, _Stop) as error:
        return result("wrong", *_stopped(error, names, time.perf_counter() - start)), True
    except Exception as error:  # a case met something that it did not foresee
        return result("wrong", f"The answer cannot be compared: {type(error).__name__}: {_clip(error)}"), False


def _stopped(error, names, seconds):
    where = _where(error.__traceback__, names)
    by = "You stopped the check" if isinstance(error, KeyboardInterrupt) else "The check stopped itself"
    at = f" Your code was here: {where}" if where else ""
    return (
        f"{by} after {seconds:.0f} s. Does a loop never end, or do loops go where one array operation would do?{at}",
    )


def _guard(name, value, names):
    """A stand-in for a function of the student that gives it copies, and turns what goes wrong into words."""
    if not callable(value):
        return copy.deepcopy(value)
    if inspect.isclass(value):
        return value
    home = getattr(value, "__module__", None)
    if isinstance(home, str) and home.startswith("coursekit."):
        raise _StudentError(f"{name} is the one of {home}. The exercise is to write your own.")

    def call(*args, **kwargs):
        _fits(name, value, args, kwargs)
        given = copy.deepcopy((args, kwargs))
        try:
            out = value(*given[0], **given[1])
        except NotImplementedError:
            raise _StudentError(f"{name} is not written yet.", unwritten=True) from None
        except (KeyboardInterrupt, _Stop):
            raise
        except BaseException as error:  # SystemExit too: the notebook goes on
            raise _StudentError(
                f"{name} raised {type(error).__name__}: {_clip(error)}",
                code=_where(error.__traceback__, names),
                mistake=_usual(error),
            ) from None
        for position, (before, after) in enumerate(zip(args, given[0], strict=True)):
            if not _same(before, after):
                raise _StudentError(
                    f"{name} changes its argument {_parameter(value, position)} ({inspect_value(before)}).",
                    mistake="an operation works in place (+=, *=, x[...] =) on the array that came in",
                )
        return out

    return call


def _fits(name, function, args, kwargs):
    try:
        signature = inspect.signature(function)
        shown = _clip(signature, 120)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        called = ", ".join([*map(_short, args), *(f"{key}={_short(value)}" for key, value in kwargs.items())])
        count = len(signature.parameters)
        raise _StudentError(
            f"{name}{shown} takes {count} argument{'' if count == 1 else 's'}, but the check calls it with "
            f"{len(args) + len(kwargs)}: {name}({called})"
        ) from None


def _parameter(function, position):
    try:
        return list(inspect.signature(function).parameters)[position]
    except (TypeError, ValueError, IndexError):
        return f"number {position + 1}"


def _short(value):
    if isinstance(value, np.random.Generator):
        return "rng"
    if isinstance(value, (tuple, list)) and len(value) < 6 and all(type(v) in (int, float, str) for v in value):
        return repr(value)
    return inspect_value(value)


def _usual(error):
    if isinstance(error, RecursionError):
        return "the function calls itself without an end"
    if isinstance(error, (TypeError, AttributeError)) and "NoneType" in str(error):
        return "something is None: a function without a return, or an array method that works in place"
    if isinstance(error, NameError):
        return "a name is misspelt, or the cell that defines it was not run"
    return None


def _same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return True  # numbers cannot change, and a generator is meant to


def _where(traceback, names) -> str:
    """The deepest line of the student's own code: the frame whose globals are the notebook's names."""
    found = None
    while traceback is not None:
        if traceback.tb_frame.f_globals is names:
            found = (traceback.tb_frame.f_code, traceback.tb_lineno)
        traceback = traceback.tb_next
    if found is None:
        return ""
    code, line = found
    source = linecache.getline(code.co_filename, line).strip()
    return f"line {line - code.co_firstlineno + 1} of {code.co_name}" + (f":  {_clip(source, 120)}" if source else "")


def _clip(value, length=300) -> str:
    try:
        text = str(value)
    except Exception:
        text = "(no message)"
    return text if len(text) <= length else text[: length - 1] + "…"


class _Printed(io.StringIO):
    """Keeps what the student's code prints, up to a bound."""

    def write(self, text):
        room = 2000 - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


@contextlib.contextmanager
def _time_limit(names, seconds: float | None = None):
    """Stop the student's code after some seconds, where a notebook cannot interrupt its kernel: in the browser.

    It works by tracing the lines of the notebook's own functions, so it costs time; elsewhere nothing is traced.
    """
    seconds = BROWSER_LIMIT_SECONDS if seconds is None and sys.platform == "emscripten" else seconds
    if seconds is None:
        yield
        return
    end = time.perf_counter() + seconds

    def lines(frame: FrameType, event, arg):
        if time.perf_counter() > end:
            raise _Stop
        return lines

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: lines if frame.f_globals is names else None)
    try:
        yield
    finally:
        sys.settrace(before)


@dataclass(frozen=True)
class _Progress:
    points: float
    out_of: float
    title: str
    marks: tuple[tuple[str, float], ...]  # question, share of its points

    @classmethod
    def of(cls, sheet: Sheet) -> _Progress:
        public = {q.id: sum(c.points for c in q.cases if not c.hidden) for q in sheet.questions}
        earned = {id: _session.get(id, 0) for id in public}
        return cls(
            sum(earned.values()),
            sum(public.values()),
            f"Sheet {sheet.id}",
            tuple((id, earned[id] / public[id] if public[id] else 0) for id in public),
        )

    @property
    def line(self) -> str:
        return f"{self.title}: {self.points:g} of {self.out_of:g} points in this session"


_WORDS = {"right": "right", "wrong": "not yet", "unwritten": "to write"}
_SIGNS = {"right": "✓", "wrong": "✗", "unwritten": "○"}
_COLOURS = {"right": "#1a7f37", "wrong": "#c2410c", "unwritten": "#6b7280"}


def _worth(case: CaseResult) -> str:
    return f"{_WORDS[case.status]}, {case.points:g} point{'s' * (case.points != 1)}"


def _headline(result: CheckResult, question: Question) -> str:
    if result.passed:
        verdict = "All right."
    elif all(case.status == "unwritten" for case in result.cases):
        verdict = "Not written yet."
    else:
        right = sum(case.status == "right" for case in result.cases)
        verdict = f"{right} of {len(result.cases)} cases right."
    return f"{question.id} {question.title}: {verdict} {result.points:g} of {result.out_of:g} points"


def _notes(result: CheckResult) -> list[str]:
    if result.seconds > SLOW_SECONDS:
        return [
            f"This took {result.seconds:.1f} s; a fraction of a second is usual. "
            "Can one array operation do the loop's work?"
        ]
    return []


def _folded(cases):
    """The cases, with one line for several that stop for the same reason."""
    groups: list[list[CaseResult]] = []
    for case in cases:
        if (
            groups
            and case.status != "right"
            and groups[-1][0].text == case.text
            and groups[-1][0].status == case.status
        ):
            groups[-1].append(case)
        else:
            groups.append([case])
    return groups


def _as_text(result, question=None, progress=None, printed="") -> str:
    if question is None:
        return result.problem
    lines = [_headline(result, question)]
    for group in _folded(result.cases):
        lines += [f"  {_SIGNS[case.status]} {case.name} ({_worth(case)})" for case in group]
        lines += [f"      {line}" for line in group[0].text.splitlines()]
    lines += _notes(result)
    if printed:
        lines += ["  Your code printed:", *(f"      {line}" for line in printed.splitlines()[:20])]
    return "\n".join([*lines, progress.line])


def _as_html(result, question=None, progress=None, printed="") -> str:
    e = html.escape
    box = 'style="border-left:4px solid {};padding:.4em .9em;margin:.3em 0;line-height:1.45;max-width:52em"'
    if question is None:
        return f"<div {box.format(_COLOURS['wrong'])}>{e(result.problem)}</div>"
    colour = _COLOURS["right" if result.passed else "wrong"]
    if result.cases and all(case.status == "unwritten" for case in result.cases):
        colour = _COLOURS["unwritten"]
    out = [f'<div class="coursekit-check" {box.format(colour)}>', f"<strong>{e(_headline(result, question))}</strong>"]
    for group in _folded(result.cases):
        for case in group:
            mark = f'<span style="color:{_COLOURS[case.status]};font-weight:bold">{_SIGNS[case.status]}</span>'
            out.append(
                f'<div style="margin-top:.35em">{mark} {e(case.name)} '
                f'<span style="opacity:.7">({_worth(case)})</span></div>'
            )
        out.append(_details(group[0], e))
    out += [f'<div style="margin-top:.35em">{e(note)}</div>' for note in _notes(result)]
    if printed:
        text = e("\n".join(printed.splitlines()[:20]))
        out.append(f'<div style="margin-top:.35em">Your code printed:</div><pre style="margin:0 1.4em">{text}</pre>')
    bars = "".join(
        f'<span title="{e(id)}: {share:.0%}" style="display:inline-block;width:2.2em;height:.5em;margin-right:2px;'
        f'background:linear-gradient(90deg,{_COLOURS["right"]} {share:.0%},#9ca3af55 {share:.0%})"></span>'
        for id, share in progress.marks
    )
    out.append(f'<div style="margin-top:.6em;font-size:.9em">{bars} {e(progress.line)}</div></div>')
    return "".join(out)


def _details(case, e):
    if case.status == "right" or not case.text:
        return ""
    cell = "text-align:left;vertical-align:top;"
    rows = "".join(
        f'<tr style="background:none"><td style="{cell}padding:0 1em 0 0;opacity:.7;white-space:nowrap">{e(label)}</td>'
        f'<td style="{cell}padding:0"><code style="background:none">{e(text)}</code></td></tr>'
        for label, text in case.facts
    )
    parts = [f"<div>{e(case.message)}</div>"]
    if rows:
        parts.append(f'<table style="margin:.2em 0;border:none;border-collapse:collapse">{rows}</table>')
    if case.code:
        parts.append(f'<div><code style="background:none">{e(case.code)}</code></div>')
    if case.mistake:
        parts.append(f"<div>It looks as if <strong>{e(case.mistake)}</strong>.</div>")
    return f'<div style="margin-left:1.4em">{"".join(parts)}</div>'


class _Display:
    """Shows text and HTML in a notebook, text elsewhere. In a notebook one output is replaced by the next."""

    def __init__(self):
        self._handle = None
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        self._rich = shell is not None and shell.__class__.__name__ != "TerminalInteractiveShell"

    def waiting(self, id):
        if self._rich:
            from IPython.display import DisplayHandle

            text = f"Checking {id}. If this does not end, interrupt the kernel (■)."
            self._handle = DisplayHandle()
            self._handle.display({"text/plain": text, "text/html": f"<div>{text}</div>"}, raw=True)

    def show(self, text, page):
        if not self._rich:
            print(text)
            return
        from IPython.display import display

        data = {"text/plain": text, "text/html": page}
        if self._handle is None:
            display(data, raw=True)
        else:
            self._handle.update(data, raw=True)
