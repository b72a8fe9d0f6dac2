"""Grade a folder of notebooks. The cases run here; the students' code runs in jails.

One file of results a submission, written atomically: a run that was killed goes on where it was, and nothing is
lost or counted twice. A submission that cannot be read gets a record that says so, and never stops the others.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import fcntl
import functools
import hashlib
import hmac
import inspect
import json
import pathlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ... import __version__
from ..._atomic import write_atomically
from ...errors import CourseError, DataError, RangeError
from ..cases import Case, MissingName, Question, Sheet, keyed_rng, public_rng
from ..compare import Different
from .apart import Ended, Overrun, allow, run_apart
from .jail import Jail, JailError, Limits, safe_parts
from .session import PATIENCE, NotANotebook, Session, StudentError
from .similarity import fingerprint
from .submissions import Submission, read_bytes
from .workers import Workers

__all__ = ["grade_bytes", "grade_folder", "load_records", "read_key"]

# One sentence for every failure: the kind of a failure, chosen by the student's code, would tell an input bit by bit.
HIDDEN = "A hidden case failed: the same task, with other inputs."


# --- one submission ---------------------------------------------------------------------------------------------------


def grade_bytes(jail: Jail, data: bytes, sheet: Sheet, key: bytes | None, only: Iterable[str] | None = None) -> dict:
    """Grade one notebook file, question by question (`only` these); the record as a plain dict.

    Without a key the cases get the public inputs of `check`, and the hidden ones are left out.

    Each question has a process of its own on the grader's side too, because what a student sends decides what it costs
    to read and to compare (`apart`).
    """
    started = time.monotonic()
    record: dict = {"error": None, "ungraded": None, "questions": {}, "jail": jail.tier}
    notes: dict[str, None] = {}
    session = Session(jail, data)
    found = _apart(session, lambda: _read(session))
    if "cells" in found:
        session.take_contents(found)
        record["shingles"] = found["shingles"]
    else:
        record["error"] = found.get("bad") or f"the file cannot be read: {found['ended']}"
    lost = 0
    for question in sheet.questions if key is not None else map(_public, sheet.questions):
        if only is not None and question.id not in only:
            continue
        if record["error"] is not None:
            record["questions"][question.id] = _nothing(question, record["error"])
            continue
        if lost < MAX_LOST:
            verdict = _apart(session, functools.partial(_grade_question, session, question, key))
        if "ended" in verdict:
            lost += 1
            text = f"could not be graded: {verdict['ended']}"
            record["questions"][question.id] = _nothing(question, text, "ungraded")
            record["ungraded"] = f"{record['ungraded']}, {question.id}" if record["ungraded"] else question.id
            notes[f"{question.id} {text}"] = None
            continue
        record["questions"][question.id] = verdict["question"] | {"notes": verdict["notes"]}
        notes.update(dict.fromkeys(verdict["notes"]))
    record.update(cpu=round(session.cpu, 3), peak_mb=session.peak_kb >> 10)
    _name_follow_ons(record, sheet)
    record["notes"] = list(notes)[:20]
    record["seconds"] = round(time.monotonic() - started, 3)
    return record


def _name_follow_ons(record, sheet):
    """Say in which question a name is asked for that the answer to another one misses: one slip, two questions."""
    whose = {name: question.id for question in sheet.questions for name in question.names}
    for id, question in record["questions"].items():
        for case in question["cases"]:
            missed = re.search(r"NameError: name '(\w+)' is not defined", case.get("message") or "")
            if case["status"] == "error" and missed and whose.get(missed[1], id) != id:
                said = f"{missed[1]} belongs to {whose[missed[1]]}: mend that first, and look here again."
                case["message"] = f"{case['message']}\n{said}"


def _public(question):
    cases = tuple(case for case in question.cases if not case.hidden)
    return replace(question, cases=cases, points=sum(case.points for case in cases))


MAX_LOST = 2  # questions of a submission that may end the grader's process twice each; the rest is then left


def _apart(session: Session, work: Callable[[], dict]) -> dict:
    """`work` in a process of its own; with {"ended": why} when that process dies twice, or by its own limits."""
    limits = session.limits
    bounds: dict[str, Any] = {
        "memory": limits.case_memory,
        "cpu_seconds": CASE_SECONDS + limits.question_seconds,
        "wall_seconds": 2 * PATIENCE * limits.question_seconds + 120,
    }

    def job():
        try:
            return {**work(), "session": session.remember()}
        except JailError as error:
            return {"jail": str(error)}

    for strike in (1, 2):
        try:
            result = run_apart(job, **bounds)
        except Ended as error:
            session.jail.reap()
            if error.ours or strike == 2:
                return {"ended": f"what came back could not be handled ({error})"}
        else:
            if "jail" in result:
                raise JailError(result["jail"])
            session.recall(result.pop("session"))
            return result
    raise AssertionError("not reached")


def _read(session: Session) -> dict:
    try:
        session.read_cells()
    except NotANotebook as error:
        return {"bad": str(error)}
    finally:
        session.stop()
    return {**session.contents(), "shingles": fingerprint(session.cells or [])}


def _grade_question(session: Session, question: Question, key: bytes | None) -> dict:
    """The better of two tries: with the cells that the answer needs, and, unless that earns all points, with all cells.

    The first is fast, and an answer that breaks everything (patches NumPy, floods the grader, ends the process) costs
    only its own question. The second is there for cells that depend on each other in ways that cannot be seen; what
    did not end in time is not tried again.
    """
    started, own, limit = time.monotonic(), time.process_time(), session.limits.question_seconds
    notes: dict[str, str] = {}
    unneeded = session.not_needed(question.names)
    cases = _try(session, question, key, unneeded, limit, notes)
    spent, left = session.spent, limit - session.spent
    status = {c["status"] for c in cases}
    if unneeded and left > 0 and status != {"passed"} and "time" not in status:
        again = _try(session, question, key, frozenset(), left, notes)
        spent += session.spent
        cases = max(again, cases, key=lambda cs: sum(c["points"] for c in cs))  # the first when they are equal
    found = _question(question, cases, time.monotonic() - started, spent + time.process_time() - own)
    return {"question": found, "notes": list(notes)[:20]}


def _try(
    session, question: Question, key: bytes | None, without: frozenset[int], seconds: float, notes: dict
) -> list[dict]:
    results = {}
    with session.question(without, seconds):
        # Visible cases first: what a hidden case sends can then not come back in the words of a visible one.
        for case in sorted(question.cases, key=lambda c: c.hidden):
            said = _run(session, case, key)
            results[case] = {
                "name": case.name,
                "possible": case.points,
                "points": case.points if said.status == "passed" else 0,
                "hidden": case.hidden,
                "status": said.status,
                "message": _clip(_text(said), 4000),
                "summary": _clip(said.message, 2000),
                "facts": said.facts,
                "mistake": said.mistake,
                "private": _clip(said.private, 4000),
            }
        found = (session.killed, session.suspected, session.errors, session.missing)
        notes.update(dict.fromkeys(_clip(text) for kind in found for text in kind.values()))
    return [results[case] for case in question.cases]


CASE_SECONDS = 5.0  # of the grader's own processor time for a case, more than a hundred times what one takes


@dataclass(frozen=True)
class Said:
    """What a case said: for the student, and, with the inputs that only the key gives, for the instructor."""

    status: str
    message: str
    facts: tuple = ()
    mistake: str | None = None
    private: str = ""


def _run(session: Session, case: Case, key: bytes | None) -> Said:
    """Run a case with the key's inputs. Where it fails, the student is told what the public inputs give.

    So a number that was expected is shown only where everybody may know it.
    """
    said = _run_once(session, case, public_rng(case) if key is None else keyed_rng(key, case))
    if key is None:
        return said
    if said.status != "wrong" or case.hidden:
        return said
    public = _run_once(session, case, public_rng(case))
    if public.status == "passed":
        public = Said("wrong", "right with the inputs of check, wrong with those of the grader", (), None)
    elif public.status != "wrong":
        public = Said("wrong", said.message.partition("\n")[0], (), said.mistake)
    mistake = public.mistake or said.mistake
    return replace(public, status="wrong", mistake=mistake, private=said.private or said.message)


def _run_once(session: Session, case: Case, rng) -> Said:
    hung = session.slow.intersection(case.names)
    if hung:
        return Said("time", f"not run, because {' and '.join(sorted(hung))} did not end in time before")
    session.hurry(case.names)
    try:
        allow(CASE_SECONDS)
        case.run(session.namespace(case.names), rng)
    except Overrun:
        return Said("time", "what came back takes too long to be read or compared")
    except MissingName as error:
        trouble = session.trouble()
        return Said("missing", str(error) + (f"\nThe notebook had trouble: {trouble}" if trouble else ""))
    except StudentError as error:
        return Said(error.kind, str(error))
    except Different as error:
        facts = tuple((str(label), _clip(str(text))) for label, text in error.facts)[:10]
        return Said("wrong", _clip(error.summary), facts, error.mistake and _clip(error.mistake), str(error))
    except AssertionError as error:
        return Said("wrong", str(error) or "the answer is wrong")
    except JailError:
        raise
    except MemoryError:
        return Said("wrong", "what came back is too large to be compared")
    except Exception as error:  # the case stumbled over what came back: of another type, shape or length than asked
        return Said("wrong", f"the returned value cannot be used: {type(error).__name__}: {str(error)[:300]}")
    finally:
        allow(0)
    return Said("passed", "passed")


def _text(said: Said) -> str:
    lines = [said.message, *(f"  {label + ':':<18} {text}" for label, text in said.facts)]
    return "\n".join([*lines, f"  It looks as if {said.mistake}."] if said.mistake else lines)


def _nothing(question: Question, reason: str, status: str = "unread") -> dict:
    cases = [
        {"name": c.name, "possible": c.points, "points": 0, "hidden": c.hidden, "status": status, "message": reason}
        for c in question.cases
    ]
    return _question(question, cases, 0.0)


def _question(question, cases, seconds, spent=0.0):
    """The record of a question; `spent` are the seconds that its limit is about, with those of the grader itself."""
    return {
        "title": question.title,
        "points": sum(c["points"] for c in cases),
        "possible": question.points,
        "cases": cases,
        "seconds": round(seconds, 3),
        "spent": round(spent, 3),
        "version": "",
    }


def _clip(text, length=600):
    return text if len(text) <= length else text[: length - 1] + "…"


def public_message(case: dict) -> str:
    """What a student may read about a case: of a hidden one only that it failed."""
    if case["hidden"] and case["status"] not in ("unread", "ungraded"):
        return "passed" if case["status"] == "passed" else HIDDEN
    return case["message"]


# --- a folder ---------------------------------------------------------------------------------------------------------


def read_key(path) -> bytes:
    """The instructor's key: the bytes of a file that nobody else has."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise DataError(f"there is no key file {str(path)!r}; make one with: coursekit make-key {path}")
    key = path.read_bytes().strip()
    if len(key) < 16:
        raise RangeError(
            f"the key in {str(path)!r} has {len(key)} bytes; at least 16 are needed: coursekit make-key FILE"
        )
    return key


def own_key(key: bytes, student: str, data: bytes) -> bytes:
    """A key for one student and one attempt: what one hand-in's feedback tells is of no use for the next."""
    words = b"coursekit own\0" + student.encode("utf-8", "replace") + b"\0" + hashlib.sha256(data).digest()
    return hmac.new(key, words, hashlib.sha256).digest()


def sheet_version(sheet: Sheet) -> str:
    """Changes when the cases of the sheet change."""
    digest = hashlib.sha256(__version__.encode())
    for file in sorted({inspect.getfile(case.function) for case in sheet.cases}):
        digest.update(pathlib.Path(file).read_bytes())
    return digest.hexdigest()[:16]


def grade_folder(
    submissions: list[Submission],
    sheet: Sheet,
    key: bytes,
    out,
    *,
    tier: str,
    jobs: int = 1,
    limits: Limits | None = None,
    regrade: Iterable[str] = (),
    progress: Callable[[Submission, dict], None] = lambda submission, record: None,
    runner: Callable | None = None,
    own_inputs: bool = False,
) -> dict[str, dict]:
    """Grade every submission; the records by file name.

    What `out` holds already is kept when neither the file, nor the key, nor the cases have changed. `regrade` names
    questions to run again; all others are then kept as they are. With `own_inputs` each student and attempt gets inputs
    of its own. `runner(todo, done, ...)` replaces the processes of this machine.
    """
    for id in regrade:
        sheet[id]  # says which questions there are
    out = pathlib.Path(out)
    folder = out / "results"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(out):
        for left in folder.glob("*.tmp"):
            left.unlink()  # of a run that was killed in the middle of a write
        version = sheet_version(sheet)
        name = b"own " if own_inputs else b""
        key_id = hashlib.sha256(b"coursekit key\0" + name + key).hexdigest()[:16]
        records, todo = {}, []
        for submission in submissions:
            path = folder / _file_name(submission)
            old = _load(path)
            data, problem = b"", None
            try:
                data = read_bytes(submission.path)
            except ValueError as error:
                problem = str(error)
            sha = hashlib.sha256(data).hexdigest() if problem is None else f"unreadable: {problem}"
            identity = {"sha256": sha, "key": key_id, "sheet": sheet.id}
            fits = {k: (old or {}).get(k) for k in identity} == identity
            done_before = old["questions"] if old is not None and fits else {}
            again = [
                q.id
                for q in sheet.questions
                if q.id not in done_before or (q.id in regrade if regrade else done_before[q.id]["version"] != version)
            ]
            if again:
                own = own_key(key, submission.student, data) if own_inputs else key
                todo.append(Item(submission, path, identity, again, old if fits else None, problem, own))
            else:
                records[submission.file] = _about(old, submission)
                _write_record(path, records[submission.file])
                progress(submission, records[submission.file])
        withhold = safe_parts(name for q in sheet.questions for name in q.names)

        def done(item, fresh):
            for id in fresh["questions"]:
                fresh["questions"][id]["version"] = version
            old = item.old or {"questions": {}, "graded": 0}
            questions = {**old["questions"], **fresh["questions"]}
            fresh["questions"] = {q.id: questions[q.id] for q in sheet.questions}
            kept = [n for id, q in questions.items() if id not in item.questions for n in q.get("notes", ())]
            fresh["notes"] = list(dict.fromkeys([*fresh["notes"], *kept]))[:20]
            fresh["graded"] = old["graded"] + 1
            fresh.update(item.identity, when=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
            record = _about(fresh, item.submission)
            _write_record(item.path, record)
            records[item.submission.file] = record
            progress(item.submission, record)

        (runner or _processes)(todo, done, sheet=sheet, tier=tier, limits=limits, withhold=withhold, jobs=jobs)
        return {s.file: records[s.file] for s in submissions}


@dataclass(frozen=True)
class Item:
    """One entry of the list of things to do: these questions of this submission."""

    submission: Submission
    path: pathlib.Path
    identity: dict
    questions: list[str]
    old: dict | None
    problem: str | None
    key: bytes


def grade_item(jail: Jail, item: Item, sheet: Sheet) -> dict:
    """Grade one item of `grade_folder`'s list."""
    problem = item.problem
    if problem is None:
        try:
            return grade_bytes(jail, read_bytes(item.submission.path), sheet, item.key, item.questions)
        except ValueError as error:
            problem = str(error)
    return _empty(item, sheet, jail.tier, problem)


def _processes(todo, done, *, sheet, tier, limits, withhold, jobs):
    """Work through the list with `jobs` processes, each with a jail of its own, forked from this one.

    Nothing that a student sent is looked at in this process: what arrives is a record, a JSON text of bounded
    size. A worker that dies is replaced; a submission with which two have died is recorded as one that could not be
    graded.
    """
    jail = Jail(tier, limits, withhold)
    waiting, deaths = collections.deque(range(len(todo))), collections.Counter()
    with Workers(lambda n: _with_fresh_jail(jail, todo[n], sheet), jail.close, min(jobs, len(todo))) as workers:
        left = len(todo)
        while left:
            while waiting and workers.give(waiting[0]):
                waiting.popleft()
            number, record = workers.next()
            if record is None:
                deaths[number] += 1
                if deaths[number] < 2:
                    waiting.append(number)
                    continue
                record = lost(todo[number], sheet, tier)
            left -= 1
            done(todo[number], record)


def lost(item: Item, sheet: Sheet, tier: str) -> dict:
    """The record of what could not be graded, because whoever graded it ended twice."""
    reason = "could not be graded: the grader's process ended with it, twice"
    return {
        **_empty(item, sheet, tier, reason, "ungraded"),
        "error": None,
        "ungraded": ", ".join(item.questions),
        "notes": [reason],
    }


def _empty(item, sheet, tier, reason, status="unread"):
    return {
        "error": reason,
        "ungraded": None,
        "questions": {id: _nothing(sheet[id], reason, status) for id in item.questions},
        "notes": [],
        "jail": tier,
        "seconds": 0.0,
        "cpu": 0.0,
        "peak_mb": 0,
    }


def _with_fresh_jail(jail, item, sheet):
    """Grade; when the jail itself fails, once more in a new one."""
    for attempt in (1, 2):
        try:
            if not jail.running:
                jail.start()
            return grade_item(jail, item, sheet)
        except JailError:
            jail.close()
            if attempt == 2:
                raise
    raise AssertionError("not reached")


# --- files ------------------------------------------------------------------------------------------------------------


def load_records(out) -> list[dict]:
    """Every record of a grading folder."""
    return [r for p in sorted(pathlib.Path(out, "results").glob("*.json")) if (r := _load(p)) is not None]


def safe_name(text: str) -> str:
    """A file name for any text: readable, and never the same for two texts."""
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", text)[:60].strip("_")
    return f"{readable or 'x'}-{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


def _file_name(submission):
    return safe_name(f"{submission.student}/{submission.file}") + ".json"


def _about(record, submission):
    return {
        **record,
        "student": submission.student,
        "name": submission.name,
        "file": submission.file.encode("utf-8", "replace").decode(),
        "attempt": submission.attempt,
        "submitted": submission.submitted.isoformat(timespec="seconds"),
        "time_from": submission.time_from,
        "attempts": submission.attempts,
        "platform": submission.platform,
        "platform_late": submission.late,
        "points": sum(q["points"] for q in record["questions"].values()),
        "possible": sum(q["possible"] for q in record["questions"].values()),
    }


def _write_record(path, record):
    text = json.dumps(record, indent=1, sort_keys=True)
    with contextlib.suppress(OSError):
        if path.read_text(encoding="utf-8") == text:
            return
    write_atomically(path, text)


def _load(path) -> dict | None:
    """A record; None when there is none, or when it is not whole (then the submission is graded again)."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return record if isinstance(record["questions"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _locked(out):
    """Refuse a second grader on the same folder."""
    with open(out / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CourseError(
                f"another coursekit grade is writing to {str(out)!r}; wait for it, or choose another --out"
            ) from None
        yield
