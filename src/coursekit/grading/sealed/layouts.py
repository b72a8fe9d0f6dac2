"""Whose file is it? One function a platform: it reads the names that this platform gives to what it lets you download.

Canvas            doejane_LATE_4242_9001_05-2.ipynb          flat; also names of groups with `_`
Moodle            Jane Doe_123_assignsubmission_file/x.ipynb, or flat: Jane Doe_123_assignsubmission_file_x.ipynb
Blackboard        Sheet 5_jdoe_attempt_2026-03-01-22-10-05_x.ipynb
Brightspace       12345-67890 - Jane Doe - Mar 1, 2026 1010 PM/x.ipynb, or flat with the file's name at the end
Gradescope        submission_123456/x.ipynb, with submission_metadata.yml beside the folders
GitHub Classroom  assignment-login/x.ipynb, clones with one name in front
plain             ann.ipynb, ann/x.ipynb
"""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import re
from dataclasses import dataclass

__all__ = ["Owner", "Place", "owner"]

_NUMBERS = re.compile(r"(?<=_)(\d+)_(\d+)(?=_)")
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<student>\d+)_assignsubmission_(?P<plugin>file|onlinetext)(?:_(?P<file>.*))?$")
_BLACKBOARD = re.compile(
    r"(?P<task>.+?)_(?P<student>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)?$", re.DOTALL
)
_MOODLE_ID = re.compile(r"_(\d+)(?=_assignsubmission_(?:file|onlinetext))")
_BRIGHTSPACE = re.compile(
    r"(?P<student>\d+)-(?P<id>\d+) ?- ?(?P<name>.+?) ?- ?"
    r"(?P<time>[A-Z][a-z]{2,8} \d{1,2}, \d{4} \d{3,4} [AP]M)(?: ?- ?(?P<file>.+))?$"
)
_GRADESCOPE = re.compile(r"submission_(?P<id>\d+)$")
_SUFFIXES = re.compile(r"(\.(ipynb|zip|txt|json|py|pdf|html|7z|rar|tar|gz))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Owner:
    """To whom a file belongs, as its platform says it. `upload` grows with each upload, where the platform counts.

    People choose their displayed names and the names of their files, and these can look like a platform's: `others`
    are the students whose the file would be if another part of its name were the platform's.
    """

    student: str
    name: str
    platform: str
    upload: int = 0
    attempt: int = 0
    late: bool | None = None
    submitted: dt.datetime | None = None  # without a zone: the platform's local time
    others: tuple[str, ...] = ()


class Place:
    """What is known of a whole download: its Gradescope metadata, the name that GitHub Classroom puts in front."""

    def __init__(self, folder: pathlib.Path, known: frozenset[str] = frozenset()):
        self.known = known  # ids that the roster knows
        self.gradescope = _gradescope(folder / "submission_metadata.yml")
        self.prefix = _prefix(folder, known)


def owner(parts: tuple[str, ...], place: Place) -> Owner:
    """The owner of the file whose path below the folder has these parts."""
    top, flat = parts[0], len(parts) == 1
    for read in (
        _gradescope_owner,
        _moodle if flat else _moodle_folder,
        _brightspace,
        _blackboard,
        _canvas if flat else _github,
    ):
        found = read(top, place)
        if found is not None:
            return found
    name = _SUFFIXES.sub("", top) if flat else top
    return Owner(name or top, name or top, "plain")


def _canvas(top, place):
    stem = _SUFFIXES.sub("", top)
    pairs = [(m.start(), m[1], m[2]) for start in range(len(stem)) if (m := _NUMBERS.match(stem, start))]
    if not pairs:
        return None
    # The names of groups hold numbers too: the roster decides, else the first two numbers that are long enough.
    likely = [p for p in pairs if p[1] in place.known] or [p for p in pairs if min(len(p[1]), len(p[2])) >= 3] or pairs
    start, student, upload = likely[0]
    long = [p[1] for p in pairs if p[1] in place.known or min(len(p[1]), len(p[2])) >= 3]
    name = stem[: start - 1]
    late = name.endswith("_LATE")
    file = stem[start + len(student) + len(upload) + 2 :]
    counted = re.search(r"-([1-9]\d{0,2})$", file)
    attempt = int(counted[1]) if counted else 0
    return Owner(
        student, name.removesuffix("_LATE"), "Canvas", int(upload), attempt, late,
        others=_others(long, student),
    )  # fmt: skip


def _others(students, chosen):
    return tuple(s for s in dict.fromkeys(students) if s != chosen)


def _moodle(top, place):
    match = _MOODLE.match(top)
    if not match:
        return None
    return Owner(match["student"], match["name"], "Moodle", others=_others(_MOODLE_ID.findall(top), match["student"]))


def _moodle_folder(top, place):
    """The name of a folder ends with what Moodle adds, so the last number is Moodle's."""
    numbers = list(_MOODLE_ID.finditer(top))
    return Owner(numbers[-1][1], top[: numbers[-1].start()], "Moodle") if numbers else None


def _blackboard(top, place):
    match = _BLACKBOARD.match(top)
    if not match:
        return None
    try:
        time = dt.datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S")
    except ValueError:  # the month 13
        return None
    return Owner(match["student"], match["student"], "Blackboard", submitted=time)


def _brightspace(top, place):
    match = _BRIGHTSPACE.match(top)
    if not match:
        return None
    words = match["time"].split()
    hour = words[3].zfill(4)
    for month in ("%B", "%b"):
        try:
            time = dt.datetime.strptime(
                f"{' '.join(words[:3])} {hour[:2]}:{hour[2:]} {words[4]}", f"{month} %d, %Y %I:%M %p"
            )
        except ValueError:
            continue
        return Owner(match["student"], match["name"], "Brightspace", int(match["id"]), submitted=time)
    return None


def _gradescope_owner(top, place):
    match = _GRADESCOPE.match(top)
    if not match:
        return None
    student, name, time = place.gradescope.get(top, (top, top, None))
    return Owner(student, name, "Gradescope", int(match["id"]), submitted=time)


def _github(top, place):
    if place.prefix and top.startswith(place.prefix) and len(top) > len(place.prefix):
        login = top[len(place.prefix) :]
        return Owner(login, login, "GitHub Classroom")
    return None


def _prefix(folder, known):
    """What all clones have in front of their owners' names: `05-init-` of `05-init-ann`, `05-init-bob-x`."""
    try:
        names = [e.name for e in os.scandir(folder) if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")]
    except OSError:
        return ""
    clones = [n for n in names if (folder / n / ".git").exists() or (folder / n / ".github").exists()]
    chosen = clones if len(clones) > 1 else names
    if len(chosen) > 1:
        prefix = os.path.commonprefix(chosen)  # noqa: RUF071  of names, letter by letter
        prefix = prefix[: prefix.rfind("-") + 1]
        if len(prefix) > 2 and (len(clones) > 1 or any(n.removeprefix(prefix).casefold() in known for n in chosen)):
            return prefix
    for name in chosen:
        for i, c in enumerate(name):
            if c == "-" and name[i + 1 :].casefold() in known:
                return name[: i + 1]
    return ""


def _gradescope(path):
    """{folder: (student, name, time)} from Gradescope's list of an export."""
    if not path.is_file() or path.is_symlink() or path.stat().st_size > 20 << 20:
        return {}
    found, current, fields = {}, None, {}
    for line in [*path.read_text(encoding="utf-8", errors="replace").splitlines(), "end:"]:
        if match := re.match(r"['\"]?(\S+?)['\"]?:\s*$", line):
            if current:
                found[current] = (
                    fields.get("sid") or fields.get("email") or fields.get("name") or current,
                    fields.get("name") or current,
                    _time(fields.get("created_at", "")),
                )
            current, fields = match[1], {}
        elif match := re.match(r"\s+(?:- )?:(name|sid|email|created_at): ?(.*)$", line):
            fields.setdefault(match[1], match[2].strip().strip("'\""))
    return found


def _time(text):
    match = re.match(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", text)
    try:
        zone = (match[3] or "+00:00").replace("Z", "+00:00") if match else ""
        return dt.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}") if match else None
    except ValueError:  # the month 13
        return None
