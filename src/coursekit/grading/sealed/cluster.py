"""Grade on a Dask cluster: the same jails, on other machines.

Only over TLS with certificates on both sides, because the key and the students' work travel. Every worker must run
this version of coursekit with the same cases, and must have a jail that holds: one that cuts the student's code from
the network, or a notebook could talk to the scheduler. There is no weak way around that.
"""

from __future__ import annotations

import dataclasses
import json

from ...errors import CourseError
from ..cases import Sheet, load_sheet
from .grade import Item, grade_bytes, grade_item, lost, sheet_version
from .jail import Jail, Limits
from .probe import choose_tier
from .submissions import read_bytes

__all__ = ["dask_runner"]

CHUNK = 4  # one notebook that hangs holds back no more than these
MAX_RESULT = 64 << 20  # of a chunk
NONE = type(None)


def dask_runner(address: str, ca: str | None, certificate: str | None, key: str | None, allow_weak: bool = False):
    """(tier, runner) for `grade_folder`; refuses clusters without TLS, and workers without a jail that holds."""
    if not address.startswith("tls://"):
        raise CourseError(f"scheduler {address!r} is refused: the key and students' work travel, so it must be tls://")
    if not (ca and certificate and key):
        raise CourseError("a scheduler needs --tls-ca, --tls-cert and --tls-key")
    if allow_weak:
        raise CourseError("--allow-weak-jail is refused with a scheduler: a student's code could reach the cluster")
    try:
        from distributed import Client
        from distributed.security import Security
    except ImportError:
        raise CourseError("grading on a cluster needs Dask: pip install distributed") from None
    security = Security(
        tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True
    )  # fmt: skip
    try:
        client = Client(address, security=security, timeout=20, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise CourseError(f"no answer from the scheduler {address}: {error}") from None
    tiers = client.run(_tier)
    if not tiers:
        client.close()
        raise CourseError(f"the scheduler {address} has no workers")
    for worker, (tier, reason) in tiers.items():
        if tier is None:
            client.close()
            raise CourseError(f"worker {worker} is refused, because its jail does not hold: {reason}")
    return sorted({tier for tier, _ in tiers.values()})[-1], _Runner(client, {w: t for w, (t, _) in tiers.items()})


class _Runner:
    """Sends the list of things to do to the cluster, in chunks.

    A chunk that does not come back, or comes back as something else than its records, is sent again notebook by
    notebook. Where one of these does so again, it is recorded as one that could not be graded, and the class goes on.
    """

    def __init__(self, client, tiers):
        self.client, self.tiers = client, tiers

    def __call__(self, todo, done, *, sheet, tier, limits, withhold, jobs):
        from distributed import as_completed

        settings = (sheet.id, sheet_version(sheet), dataclasses.asdict(limits or Limits()), withhold)

        def send(items):
            work = [(read_bytes(item.submission.path), item.key, item.questions) for item in items]
            return self.client.submit(_grade_chunk, settings, work, pure=False, retries=2)

        try:
            far = []
            for item in todo:
                if item.problem is None:
                    far.append(item)
                else:
                    done(item, grade_item(Jail(tier), item, sheet))
            futures = {}
            for start in range(0, len(far), CHUNK):
                futures[send(far[start : start + CHUNK])] = (far[start : start + CHUNK], 1)
            waiting = as_completed(list(futures), loop=self.client.loop, raise_errors=False)
            for future in waiting:
                items, strike = futures.pop(future)
                records = self._result(future, items, sheet)
                for item, record in zip(items, records, strict=True) if records else ():
                    done(item, record)
                for item in items if records is None else ():
                    if strike == 1:
                        again = send([item])
                        futures[again] = ([item], 2)
                        waiting.add(again)
                    else:
                        done(item, lost(item, sheet, tier))
        finally:
            self.client.close()

    def _result(self, future, items, sheet):
        """The records of a chunk; None where it failed, is too large to be fetched, or is none."""
        try:
            if sum(self.client.nbytes([future.key], summary=False).values()) > MAX_RESULT:
                return None
            return read_records(future.result(), items, sheet)
        except CourseError:
            raise  # a worker that has another version, or no jail: that is for the instructor
        except Exception:  # whatever a worker or the transport raises costs this chunk
            return None
        finally:
            future.release()


def read_records(text, items: list[Item], sheet: Sheet) -> list[dict] | None:
    """The records in a worker's answer, one an item; None unless each is one that grading these items can give."""
    if type(text) is not str or len(text) > MAX_RESULT:
        return None
    try:
        records = json.loads(text, parse_constant=_no_number)
        fits = len(records) == len(items) and all(_is_record(r, i, sheet) for r, i in zip(records, items, strict=True))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return records if fits else None


def _no_number(text):
    raise ValueError(text)


def _is_record(record, item, sheet):
    """Whether a record holds the questions asked for, with the sheet's cases and points that these can give."""
    kinds = {
        "error": (str, NONE), "ungraded": (str, NONE), "jail": (str,), "notes": (list,), "questions": (dict,),
        "seconds": (int, float), "cpu": (int, float), "peak_mb": (int,),
    }  # fmt: skip
    return (
        all(type(record[name]) in types for name, types in kinds.items())
        and set(record) <= {*kinds, "shingles"}
        and all(type(n) is int for n in record.get("shingles", []))
        and all(type(note) is str for note in record["notes"])
        and set(record["questions"]) == set(item.questions)
        and all(_is_question(q, sheet[id]) for id, q in record["questions"].items())
    )


def _is_question(found, question):
    cases = found["cases"]
    return (
        len(cases) == len(question.cases)
        and all(_is_case(c, case) for c, case in zip(cases, question.cases, strict=True))
        and found["points"] == sum(c["points"] for c in cases)
        and found["possible"] == question.points
        and all(type(found[name]) is str for name in ("title", "version"))
        and all(type(found.get(name, 0.0)) in (int, float) for name in ("seconds", "spent"))
        and all(type(note) is str for note in found.get("notes", []))
    )


def _is_case(found, case):
    passed = found["status"] == "passed"
    texts = ("status", "message", "summary", "private")
    return (
        (found["name"], found["possible"], found["hidden"]) == (case.name, case.points, case.hidden)
        and found["points"] == (case.points if passed else 0)
        and all(type(found.get(name, "")) is str for name in texts)
        and type(found.get("mistake")) in (str, NONE)
        and all(type(label) is str and type(text) is str for label, text in found.get("facts", ()))
    )


def _tier():
    """The jail of this worker, or None and why there is none."""
    try:
        return choose_tier()[0], ""
    except CourseError as error:
        return None, str(error)


def _grade_chunk(settings, work) -> str:
    """On a worker: grade some notebooks in one jail. The records come back as one JSON text."""
    id, version, limits, withhold = settings
    sheet = load_sheet(id)
    if sheet_version(sheet) != version:
        raise CourseError(f"this worker has other cases of sheet {id} than you; install the same coursekit everywhere")
    with Jail(choose_tier()[0], Limits(**limits), withhold) as jail:
        return json.dumps([grade_bytes(jail, data, sheet, key, questions) for data, key, questions in work])
