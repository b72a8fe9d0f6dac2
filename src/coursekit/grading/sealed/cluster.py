"""Grade on a Dask cluster: the same jails, on other machines.

Only over TLS with certificates on both sides, because the key and the students' work travel. Every worker must run
this version of coursekit with the same cases, and must have a jail that holds: one that cuts the student's code from
the network, or a notebook could talk to the scheduler. There is no weak way around that.
"""

from __future__ import annotations

import dataclasses

from ...errors import CourseError
from ..cases import load_sheet
from .grade import grade_bytes, grade_item, sheet_version
from .jail import Jail, Limits
from .probe import choose_tier
from .submissions import read_bytes

__all__ = ["dask_runner"]

CHUNK = 4  # one notebook that hangs holds back no more than these


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
    """Sends the list of things to do to the cluster, in chunks."""

    def __init__(self, client, tiers):
        self.client, self.tiers = client, tiers

    def __call__(self, todo, done, *, sheet, tier, limits, withhold, jobs):
        from distributed import as_completed

        try:
            far = []
            for item in todo:
                if item.problem is None:
                    far.append(item)
                else:
                    done(item, grade_item(Jail(tier), item, sheet))
            chunks = [far[i : i + CHUNK] for i in range(0, len(far), CHUNK)]
            settings = (sheet.id, sheet_version(sheet), dataclasses.asdict(limits or Limits()), withhold)
            futures = {}
            for chunk in chunks:
                work = [(read_bytes(item.submission.path), item.key, item.questions) for item in chunk]
                futures[self.client.submit(_grade_chunk, settings, work, pure=False, retries=2)] = chunk
            for future, records in as_completed(futures, loop=self.client.loop, with_results=True):
                for item, record in zip(futures[future], records, strict=True):
                    done(item, record)
        finally:
            self.client.close()


def _tier():
    """The jail of this worker, or None and why there is none."""
    try:
        return choose_tier()[0], ""
    except CourseError as error:
        return None, str(error)


def _grade_chunk(settings, work) -> list[dict]:
    """On a worker: grade some notebooks in one jail."""
    id, version, limits, withhold = settings
    sheet = load_sheet(id)
    if sheet_version(sheet) != version:
        raise CourseError(f"this worker has other cases of sheet {id} than you; install the same coursekit everywhere")
    with Jail(choose_tier()[0], Limits(**limits), withhold) as jail:
        return [grade_bytes(jail, data, sheet, key, questions) for data, key, questions in work]
