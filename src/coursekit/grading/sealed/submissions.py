"""What is known of one submission. `collect` finds them in a folder."""

from __future__ import annotations

import datetime as dt
import pathlib
from dataclasses import dataclass

from ...errors import DataError
from .inside.notebook import read_bytes

__all__ = ["Submission", "clean", "parse_time", "read_bytes"]


@dataclass(frozen=True)
class Submission:
    """One submitted file. `attempts` counts those of its student, graded or not; `late` is what the platform says."""

    student: str
    name: str
    path: pathlib.Path
    file: str
    submitted: dt.datetime
    time_from: str
    attempt: int = 1
    attempts: int = 1
    platform: str = "plain"
    late: bool | None = None

    @property
    def order(self):
        """Sorts the attempts of a student; the last one counts."""
        return self.attempt, self.submitted, self.file


def parse_time(text: str, zone: dt.tzinfo = dt.UTC) -> dt.datetime:
    """An ISO time, such as 2026-03-01T23:59 or 2026-03-01T23:59+01:00; without an offset it is in `zone`."""
    try:
        time = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"{text!r} is not a time; write it as 2026-03-01T23:59+01:00") from None
    return time if time.tzinfo else time.replace(tzinfo=zone)


def clean(text: str) -> str:
    """Text that can be written anywhere: no surrogates, no control characters."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else " " for c in text)[:200]
