"""Grade a folder of notebooks. The cases run here; the students' code runs in jails.

One file of results a submission, written atomically: a run that was killed goes on where it was, and nothing is
lost or counted twice. A submission that cannot be read gets a record that says so, and never stops the others.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import inspect
import json
import pathlib
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ... import __version__
from ..._atomic import write_atomically
from ...errors import CourseError, DataError, RangeError
from ..cases import Case, MissingName, Question, Sheet, keyed_rng
from .jail import Jail, JailError, Limits, safe_parts
from .session import NotANotebook, Session, StudentError
from .similarity import fingerprint
from .submissions import Submission, read_bytes

__all__ = ["grade_bytes", "grade_folder", "load_records", "read_key"]

HIDDEN = {
    "wrong": "A hidden case found a wrong value.",
    "error": "Your code raised an exception in a hidden case.",
    "time": "Your code took too long in a hidden case.",
    "died": "Your code ended its process in a hidden case.",
    "forged": "Your code wrote to the grader in a hidden case.",
    "missing": "A hidden case needs a name that your notebook does not define.",
    "passed": "passed",
}


# --- one submission ---------------------------------------------------------------------------------------------------


def grade_bytes(jail: Jail, data: bytes, sheet: Sheet, key: bytes, only: Iterable[str] | None = None) -> dict:
    """Grade one notebook file, question by question (`only` these); the record as a plain dict."""
    started = time.monotonic()
    record: dict = {"error": None, "questions": {}, "jail": jail.tier}
    notes: dict[str, None] = {}
    with Session(jail, data) as session:
        try:
            session.read_cells()
            record["shingles"] = fingerprint(session.cells)
        except NotANotebook as error:
            record["error"] = str(error)
        for question in sheet.questions:
            if only is not None and question.id not in only:
                continue
            if record["error"] is not None:
                record["questions"][question.id] = _nothing(question, record["error"])
                continue
            record["questions"][question.id] = _grade_question(session, question, key)
            found = (session.killed, session.suspected, session.errors, session.missing)
            notes.update(dict.fromkeys(_clip(text) for kind in found for text in kind.values()))
        record.update(cpu=round(session.cpu, 3), peak_mb=session.peak_kb >> 10)
    record["notes"] = list(notes)[:20]
    record["seconds"] = round(time.monotonic() - started, 3)
    return record


def _grade_question(session: Session, question: Question, key: bytes) -> dict:
    """The better of two tries: with the cells that the answer needs, and, unless that earns all points, with all cells.

    The first is fast, and an answer that breaks everything (patches NumPy, floods the grader, ends the process) costs
    only its own question. The second is there for cells that depend on each other in ways that cannot be seen.
    """
    started, limit = time.monotonic(), session.limits.question_seconds
    unneeded = session.not_needed(question.names)
    cases = _try(session, question, key, unneeded, limit)
    left = started + limit - time.monotonic()
    if unneeded and left > 0 and any(c["status"] != "passed" for c in cases):
        again = _try(session, question, key, frozenset(), left)
        cases = max(again, cases, key=lambda cs: sum(c["points"] for c in cs))  # the first when they are equal
    return _question(question, cases, time.monotonic() - started)


def _try(session: Session, question: Question, key: bytes, without: frozenset[int], seconds: float) -> list[dict]:
    results = {}
    with session.question(without, seconds):
        # Visible cases first: what a hidden case sends can then not come back in the words of a visible one.
        for case in sorted(question.cases, key=lambda c: c.hidden):
            status, message = _run(session, case, key)
            results[case] = {
                "name": case.name,
                "possible": case.points,
                "points": case.points if status == "passed" else 0,
                "hidden": case.hidden,
                "status": status,
                "message": _clip(message, 4000),
            }
    return [results[case] for case in question.cases]


def _run(session: Session, case: Case, key: bytes) -> tuple[str, str]:
    """The status of a case, and what to say about it."""
    try:
        case.run(session.namespace(case.names), keyed_rng(key, case))
    except MissingName as error:
        trouble = session.trouble()
        return "missing", str(error) + (f"\nThe notebook had trouble: {trouble}" if trouble else "")
    except StudentError as error:
        return error.kind, str(error)
    except AssertionError as error:
        return "wrong", str(error) or "the answer is wrong"
    except JailError:
        raise
    except Exception as error:  # the case stumbled over what came back: of another type, shape or length than asked
        return "wrong", f"the returned value cannot be used: {type(error).__name__}: {str(error)[:300]}"
    return "passed", "passed"


def _nothing(question: Question, reason: str) -> dict:
    cases = [
        {"name": c.name, "possible": c.points, "points": 0, "hidden": c.hidden, "status": "unread", "message": reason}
        for c in question.cases
    ]
    return _question(question, cases, 0.0)


def _question(question, cases, seconds):
    return {
        "title": question.title,
        "points": sum(c["points"] for c in cases),
        "possible": question.points,
        "cases": cases,
        "seconds": round(seconds, 3),
        "version": "",
    }


def _clip(text, length=600):
    return text if len(text) <= length else text[: length - 1] + "…"


def public_message(case: dict) -> str:
    """What a student may read about a case: of a hidden one only the kind of its failure."""
    if case["hidden"] and case["status"] != "unread":
        return HIDDEN.get(case["status"], HIDDEN["wrong"])
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


def sheet_version(sheet: Sheet) -> str:
    """Changes when the cases of the sheet change."""
    digest = hashlib.sha256(__version__.encode())
    for file in sorted({inspect.getsourcefile(case.function) for case in sheet.cases}):
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
) -> dict[str, dict]:
    """Grade every submission; the records by file name.

    What `out` holds already is kept when neither the file, nor the key, nor the cases have changed. `regrade` names
    questions to run again; all others are then kept as they are. `runner(jobs, work, done)` replaces the threads.
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
        key_id = hashlib.sha256(b"coursekit key\0" + key).hexdigest()[:16]
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
            fits = old is not None and {k: old.get(k) for k in identity} == identity
            done_before = old["questions"] if fits else {}
            again = [
                q.id
                for q in sheet.questions
                if q.id not in done_before or (q.id in regrade if regrade else done_before[q.id]["version"] != version)
            ]
            if again:
                todo.append(Item(submission, path, identity, again, old if fits else None, problem))
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
            fresh["graded"] = old["graded"] + 1
            fresh.update(item.identity, when=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
            record = _about(fresh, item.submission)
            _write_record(item.path, record)
            records[item.submission.file] = record
            progress(item.submission, record)

        (runner or _threads)(todo, done, sheet=sheet, tier=tier, limits=limits, withhold=withhold, key=key, jobs=jobs)
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


def grade_item(jail: Jail, item: Item, sheet: Sheet, key: bytes) -> dict:
    """Grade one item of `grade_folder`'s list."""
    problem = item.problem
    if problem is None:
        try:
            return grade_bytes(jail, read_bytes(item.submission.path), sheet, key, item.questions)
        except ValueError as error:
            problem = str(error)
    questions = {id: _nothing(sheet[id], problem) for id in item.questions}
    return {
        "error": problem,
        "questions": questions,
        "notes": [],
        "jail": jail.tier,
        "seconds": 0.0,
        "cpu": 0.0,
        "peak_mb": 0,
    }


def _threads(todo, done, *, sheet, tier, limits, withhold, key, jobs):
    """Work through the list with `jobs` threads, each with a jail of its own."""
    work: queue.SimpleQueue = queue.SimpleQueue()
    results: queue.SimpleQueue = queue.SimpleQueue()
    for item in todo:
        work.put(item)
    stop = threading.Event()

    def run():
        jail = Jail(tier, limits, withhold)
        try:
            while not stop.is_set():
                try:
                    item = work.get_nowait()
                except queue.Empty:
                    return
                results.put((item, _with_fresh_jail(jail, item, sheet, key)))
        except BaseException as error:  # handed to the thread that waits
            results.put((None, error))
        finally:
            jail.close()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(jobs, len(todo)))]
    for thread in threads:
        thread.start()
    try:
        for _ in todo:
            item, result = results.get()
            if item is None:
                raise result
            done(item, result)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _with_fresh_jail(jail, item, sheet, key):
    """Grade; when the jail itself fails, once more in a new one."""
    for attempt in (1, 2):
        try:
            if not jail.running:
                jail.start()
            return grade_item(jail, item, sheet, key)
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
