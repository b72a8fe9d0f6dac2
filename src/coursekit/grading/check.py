"""The student's own check: `check("05.1")` in a notebook cell answers at once.

It runs the public cases of a question on the functions of the notebook that calls it and shows what is right, what is
wrong and why. It needs no threads, signals or processes, so it runs in the browser too. The marks come from the
sealed grader, which runs the same cases with other inputs and shapes.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import dataclasses
import difflib
import functools
import html
import inspect
import io
import sys
import time
import warnings
from dataclasses import dataclass
from types import FrameType, FunctionType

import numpy as np

from ..errors import CourseError
from . import diagnose, rules, words
from .cases import Case, Question, Sheet, load_sheet, public_rng
from .compare import Different, inspect_value

__all__ = ["CaseResult", "CheckResult", "check"]

SLOW_SECONDS = 10.0 if sys.platform == "emscripten" else 2.0  # a browser's first check also imports
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

    def __init__(self, message, *, code="", mistake=None, unwritten=False, name=""):
        super().__init__(message)
        self.code, self.mistake, self.unwritten, self.name = code, mistake, unwritten, name


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
    result, printed = _run(found, names, sheet)
    _session[found.id] = result.points
    progress = _Progress.of(sheet)
    shown.show(_as_text(result, found, progress, printed), _as_html(result, found, progress, printed))
    return result


def report(question: str, namespace: dict) -> dict:
    """What `check` says, as plain values for a page that sets it itself (`coursekit.interactive.cells`)."""
    try:
        sheet, found = _find(question)
    except CourseError as error:
        return {"problem": str(error)}
    result, printed = _run(found, namespace, sheet)
    _session[found.id] = result.points
    return {
        "question": found.id,
        "right": result.passed,
        "headline": _headline(result, found),
        "cases": [{**dataclasses.asdict(case), "worth": _worth(case)} for case in result.cases],
        "groups": [len(group) for group in _folded(result.cases)],
        "notes": _notes(result),
        "printed": printed,
        "seconds": result.seconds,
    }


def _find(question) -> tuple[Sheet, Question]:
    if not isinstance(question, str) or not question.strip():
        raise CourseError(f'There is no question {str(question)[:40]!r}. Write its number in quotes: check("05.1")')
    if "." not in question:
        raise CourseError(
            f"{question.strip()[:40]!r} is no question: a question has the number of its sheet, a dot and its own "
            'number, as in check("05.1")'
        )
    sheet = load_sheet(question.split(".")[0].strip().zfill(2))
    return sheet, sheet[f"{sheet.id}.{question.split('.', 1)[1].strip()}"]


def _run(question: Question, names: dict, sheet: Sheet) -> tuple[CheckResult, str]:
    """Run the public cases. A stop (by the student or the clock) ends the question."""
    printed, results, trials = _Printed(), [], {}
    cases = [case for case in question.cases if not case.hidden]
    start = time.perf_counter()
    for case in cases:
        with contextlib.redirect_stdout(printed), _time_limit(names):
            outcome, trial, stopped = _run_case(case, names, start)
        results.append(outcome)
        if trial is not None:
            trials[case] = trial
        if stopped:
            results += [
                CaseResult(c.name, c.points, "wrong", "not run, because the check was stopped")
                for c in cases[len(results) :]
            ]
            break
    else:
        with contextlib.redirect_stdout(_Printed()), _time_limit(names):
            results = _explained(question, sheet, names, cases, results, trials)
    points = sum(r.points for r in results if r.status == "right")
    seconds = time.perf_counter() - start
    return CheckResult(question.id, points, sum(c.points for c in cases), tuple(results), seconds), printed.getvalue()


def _explained(question, sheet, names, cases, results, trials):
    """The results, with the mistakes that `diagnose` finds, and with whose fault a failure is."""
    try:
        failed = {c: r for c, r in zip(cases, results, strict=True) if r.status == "wrong"}
        said = {c: text for c in failed if (text := _blamed(c, names, sheet))}
        said |= {
            c: text
            for c, r in zip(cases, results, strict=True)
            if r.status == "unwritten" and (text := _leftover(c, names))
        }
        left = {c: t for c, t in trials.items() if c not in said}
        if left:
            said |= diagnose.diagnose(question, sheet, names, left, lambda case, draw: _again(case, names, draw))
        for case in left:
            said.setdefault(case, None)
    except (KeyboardInterrupt, _Stop):
        return results
    new = []
    for case, result in zip(cases, results, strict=True):
        if case in said:
            status = "wrong" if said[case] else result.status
            result = dataclasses.replace(result, mistake=said[case], status=status)
        new.append(result)
    return new


def _again(case, names, draw):
    """The student's answer once more, on another draw: a Trial when the comparator refuses it."""
    _, trial, _ = _run_case(case, names, time.perf_counter(), draw)
    return trial


def _blamed(case, names, sheet):
    """A function of another answer that is wrong, and whose fault this failure is."""

    def fails(name):
        for question in sheet.questions:
            mine = [c for c in question.cases if name in c.names and not c.hidden]
            if any(_run_case(c, names, time.perf_counter())[0].status != "right" for c in mine):
                return question.id
        return None

    def passes(other):
        return _run_case(case, other, time.perf_counter())[0].status == "right"

    found = diagnose.blame(case, names, sheet, passes, fails)
    if found is None:
        return None
    return f'{found[0]} fails first: mend it (check("{found[1]}")), then look here again'


def _leftover(case, names):
    """A `raise NotImplementedError` that still stands in a function in which there is code of the student's."""
    for name in case.names:
        function = names.get(name)
        if not isinstance(function, FunctionType):
            continue
        found = _without_raise(function)
        if found is None:
            continue
        lines, other, came = found
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outcome, _, _ = _run_case(case, {**names, name: other}, time.perf_counter())
        unset = outcome.mistake is not None and "has no value here" in outcome.mistake
        if outcome.status == "right" or (outcome.status == "wrong" and not unset and not (came and came[0] is None)):
            where = " and ".join(map(str, lines))
            return (
                f"raise NotImplementedError still stands in {name}, line {where}: delete it where your code is finished"
            )
    return None


def _without_raise(function):
    """The function without its `raise NotImplementedError`, and the lines in which these stood."""
    code = function.__code__
    tree = words.tree_of(code.co_filename)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and _starts(node) == code.co_firstlineno:
            break
    else:
        return None
    lines = []

    class Drop(ast.NodeTransformer):
        def visit_Raise(self, raised):
            what = raised.exc.func if isinstance(raised.exc, ast.Call) else raised.exc
            if isinstance(what, ast.Name) and what.id == "NotImplementedError":
                lines.append(raised.lineno - code.co_firstlineno + 1)
                return ast.copy_location(ast.Pass(), raised)
            return raised

    node = Drop().visit(node)
    if not lines:
        return None
    place = dict(function.__globals__)
    node.decorator_list = []
    exec(compile(ast.fix_missing_locations(ast.Module([node], [])), code.co_filename, "exec"), place)
    made = place[node.name]
    other = FunctionType(made.__code__, function.__globals__, made.__name__, function.__defaults__)
    other.__kwdefaults__ = function.__kwdefaults__
    came: list = []

    def kept(*args, **kwargs):
        came[:] = [other(*args, **kwargs)]
        return came[0]

    return lines, functools.wraps(other)(kept), came


def _starts(node):
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _run_case(case: Case, names: dict, start: float, draw: int = 0):
    """(result, trial, stopped): the trial is there when the comparator refused the answer."""

    def result(status, message="", **more):
        return CaseResult(case.name, case.points, status, message, **more), None, False

    watch = diagnose.Watch()
    try:
        missing = [name for name in case.names if name not in names]
        if missing:
            return result("unwritten", _not_there(missing, names))
        for name in case.names:
            if (reason := rules.refusal(name, names[name], names)) is not None:
                return result("wrong", reason, mistake=_REFUSED)
        case.run({name: _guard(name, names[name], names, watch) for name in case.names}, public_rng(case, draw))
        return result("right")
    except _StudentError as error:
        return result("unwritten" if error.unwritten else "wrong", str(error), code=error.code, mistake=error.mistake)
    except Different as error:
        found, _, _ = result("wrong", error.summary + ".", facts=error.facts, mistake=error.mistake)
        return found, diagnose.Trial(draw, error, watch.calls), False
    except AssertionError as error:
        return result("wrong", str(error) or "the answer is not right")
    except (KeyboardInterrupt, _Stop) as error:
        found, _, _ = result("wrong", *_stopped(error, names, time.perf_counter() - start))
        return found, None, True
    except Exception as error:  # a case met something that it did not foresee
        return _unforeseen(case, error, result, watch, names)


_REFUSED = (
    "something is used that the grader does not have: it has NumPy and the cells of this notebook, and nothing else"
)


def _unforeseen(case, error, result, watch, names):
    """The answer is of a kind that the case did not expect."""
    for name in case.names:
        if not callable(names[name]) and "not callable" in str(error):
            return result(
                "wrong",
                f"{name} is {inspect_value(names[name])}, not a function.",
                mistake=f"the name {name} was given to a value in some cell: run the cell with its def again",
            )
    values = [f"{name} gave {inspect_value(out)}" for name, _, out in watch.calls[-1:]]
    if not values:
        return result("wrong", f"{' and '.join(case.names)} cannot be used as the task asks.")
    return result("wrong", f"The answer cannot be compared: {values[0]}, which is not of the kind that was asked for.")


def _not_there(missing, names):
    what = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not defined"
    own = [n for n, v in names.items() if isinstance(v, FunctionType) and v.__globals__ is names]
    like = difflib.get_close_matches(missing[0], own, 1, 0.7) or [n for n in own if missing[0] in n or n in missing[0]]
    hint = f" There is {like[0]}: the check looks for {missing[0]}." if like else ""
    return f"{what}.{hint} Write what is missing and run its cell, then check again."


def _stopped(error, names, seconds):
    where = _where(error.__traceback__, names)
    by = "You stopped the check" if isinstance(error, KeyboardInterrupt) else "The check stopped itself"
    at = f" Your code was here: {where}" if where else ""
    return (
        f"{by} after {seconds:.0f} s. Does a loop never end, or do loops go where one array operation would do?{at}",
    )


def _guard(name, value, names, watch=None):
    """A stand-in for a function of the student that gives it copies, and turns what goes wrong into words."""
    if not callable(value):
        return copy.deepcopy(value)
    if inspect.isclass(value):
        return value

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
            said = words.explain(name, error, names)
            raise _StudentError(said.message, code=said.code, mistake=said.mistake, name=name) from None
        for position, (before, after) in enumerate(zip(args, given[0], strict=True)):
            if not _same(before, after):
                raise _StudentError(
                    f"{name} changes its argument {_parameter(value, position)} ({inspect_value(before)}).",
                    mistake=_in_place(before),
                    name=name,
                )
        if watch is not None:
            watch.calls.append((name, _by_name(value, args, kwargs), out))
        return out

    return call


def _in_place(value):
    if isinstance(value, (dict, list)):
        return f"the {type(value).__name__} that came in is written to, or an array in it: make a new one"
    return (
        "an operation works in place (+=, *=, x[...] =) on the array that came in: the caller's array changes with it"
    )


def _by_name(function, args, kwargs):
    """The arguments of a call by the names of the parameters."""
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {**{f"argument {i + 1}": value for i, value in enumerate(args)}, **kwargs}


def _fits(name, function, args, kwargs):
    try:
        signature = inspect.signature(function)
        shown = words.clip(signature, 120)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        called = ", ".join([*map(_short, args), *(f"{key}={_short(value)}" for key, value in kwargs.items())])
        count, gives = len(signature.parameters), len(args) + len(kwargs)
        raise _StudentError(
            f"{name}{shown} takes {count} argument{'' if count == 1 else 's'}, but the check calls it with "
            f"{gives}: {name}({called})",
            mistake=f"the line with def {name} is not the one that the task asks for",
            name=name,
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


def _same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (bool, int, float, complex, str, np.generic)):  # one in a list can be replaced
        return type(a) is type(b) and bool(a == b or (a != a and b != b))
    return True  # a generator is meant to change


def _where(traceback, names) -> str:
    """The deepest line of the student's own code: the frame whose globals are the notebook's names."""
    frame, _, line = words.place(traceback, names)
    return words.line_of(frame.f_code, line) if frame is not None else ""


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
