"""Collecting, a stage of its own: which file of each student counts, and what was passed over and why.

What a file holds comes before what it is called and when it came: does it set the names that the sheet asks for, does
it carry the sheet's checks, is anything written in it? Only among files that are equal in that does the name count,
then the attempt, then the time. Nothing is left out without a line that says so.
"""

from __future__ import annotations

import collections
import datetime as dt
import difflib
import functools
import hashlib
import os
import pathlib
import re
import shutil
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, field, replace

from ...errors import CourseError, DataError
from ..cases import Sheet, load_sheet
from .inside.notebook import MAX_BYTES
from .layouts import Owner, Place, owner
from .look import Seen, look_at, members
from .submissions import Submission, parse_time
from .tables import read_table, same_key

__all__ = ["Collection", "Line", "Trouble", "collect", "find_submissions"]

MAX_FILES = 2000  # of one student
MAX_ATTEMPTS = 200
MAX_DEPTH = 12
MAX_UNPACKED = 8 << 30
MAX_UNPACKED_OF_ONE = 256 << 20  # of one student
MAX_NAME = 240  # bytes of one part of a path
_NOTEBOOK = (".ipynb", ".ipynb.txt", ".ipynb.json", ".json")
_SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "node_modules", "site-packages"}
_LISTS = {"submissions.csv", "submission_metadata.yml", "index.html", "roster.csv", "extensions.csv", "overrides.csv"}
_SUFFIX = re.compile(r"(\.[a-z]{2,6}){1,2}$", re.IGNORECASE)
_PACKED = (".7z", ".rar", ".tar", ".tar.gz", ".tgz", ".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class Line:
    """What became of one file."""

    file: str
    student: str
    name: str
    taken: str  # "taken" or "passed over"
    why: str
    platform: str = ""
    submitted: str = ""
    time_from: str = ""


@dataclass(frozen=True)
class Trouble:
    """Something that a person should look at; with `stops` the command ends with a non-zero status unless accepted."""

    kind: str
    text: str
    stops: bool = True


@dataclass
class Collection:
    """The result of collecting: the attempts that may count, a line for every file, and what to look at."""

    attempts: list[Submission] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    fitting: int = 0
    other_sheets: collections.Counter = field(default_factory=collections.Counter)

    def last(self) -> list[Submission]:
        """The last attempt of each student."""
        found = {s.student: s for s in sorted(self.attempts, key=lambda s: (s.student, s.order))}
        return list(found.values())


@dataclass
class _File:
    file: str
    path: pathlib.Path
    owner: Owner
    seen: Seen = field(default_factory=Seen)
    row: dict = field(default_factory=dict)

    @property
    def written(self):
        return self.seen.written


def collect(
    source, sheet: Sheet | str, roster: dict[str, dict] | None = None, zone: dt.tzinfo = dt.UTC, unpack_to=None
) -> Collection:
    """Look through a folder, or the zip file that a platform gives, for the notebooks of a sheet."""
    source, found = pathlib.Path(source), Collection()
    sheet_id, names, questions = _facts(sheet)
    unpack = _Unpacker(unpack_to)
    try:
        return _collect(source, found, unpack, sheet_id, names, questions, roster or {}, zone)
    finally:
        unpack.close()


def find_submissions(folder, sheet: str) -> list[Submission]:
    """Every attempt in a folder that may count, sorted by student and attempt; DataError when there is none."""
    found = collect(folder, sheet)
    if found.unlisted:
        raise DataError(f"submissions.csv lists {found.unlisted[0]!r}, which is not a file in {str(folder)!r}")
    if not found.attempts:
        raise DataError(f"there are no .ipynb or .zip files in {str(folder)!r}")
    return sorted(found.attempts, key=lambda s: (s.student, s.order))


def _facts(sheet):
    if isinstance(sheet, str):
        try:
            sheet = load_sheet(sheet)
        except CourseError:
            return sheet, (), 0
    return sheet.id, tuple(dict.fromkeys(n for q in sheet.questions for n in q.names)), len(sheet.questions)


def _collect(source, found, unpack, sheet_id, names, questions, roster, zone):
    folder = source
    if source.is_file() and zipfile.is_zipfile(source):
        folder = unpack.all(source, source.stem)
        for name, why in unpack.left_out:
            found.troubles.append(Trouble("unreadable", f"{_shown(name)} in {_shown(source.name)}: {why}"))
    if not folder.is_dir():
        raise DataError(f"there is no folder {str(source)!r}; give the folder, or the zip file, with the submissions")
    known = _known(roster)
    place = Place(folder, frozenset(known))
    listed, note = _listed(folder)
    if note:
        found.troubles.append(Trouble("list", note, False))
    files: list[_File] = []
    alone = functools.cache(lambda: _alone(folder))
    for file, path in _walk(folder, found):
        _sort_in(file, path, place, files, found, unpack, alone)
    by_file = {_path_key(f.file): f for f in files}
    for key, row in listed.items():
        if key in by_file:
            by_file[key].row = row
        else:
            found.unlisted.append(row["file"])
            found.troubles.append(Trouble("list", f"submissions.csv lists {row['file']!r}, which is not there"))
    _contested(files, known, found)
    for f, seen in zip(files, look_at([f.path for f in files], names), strict=True):
        f.seen = seen
    files = [f for f in files if not _no_notebook(f, found)]
    for student, own in sorted(_by_student(files, roster, known, found).items()):
        _choose(student, own, found, sheet_id, names, questions, zone, roster)
    _about_the_class(found, roster, known, sheet_id)
    found.lines.sort(key=lambda line: (line.student, line.file))
    return found


# --- files ------------------------------------------------------------------------------------------------------------


def _walk(folder, found):
    """Every file below the folder, as (path with slashes, path); what is hidden or too deep is left out."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield entry.name, pathlib.Path(entry.path)
            continue
        if entry.name in _SKIPPED_FOLDERS:
            continue
        count, deep = 0, 0
        for base, folders, names in os.walk(entry.path, followlinks=False):
            parts = pathlib.Path(base).relative_to(folder).parts
            inside = [f for f in folders if not f.startswith(".") and f not in _SKIPPED_FOLDERS]
            folders[:] = sorted(inside) if len(parts) < MAX_DEPTH else []
            deep += len(parts) >= MAX_DEPTH and bool(inside)
            for name in sorted(names):
                if name.startswith("."):
                    continue
                count += 1
                if count > MAX_FILES:
                    break
                yield "/".join((*parts, name)), pathlib.Path(base, name)
        if count > MAX_FILES or deep:
            what = f"more than {MAX_FILES} files" if count > MAX_FILES else f"folders more than {MAX_DEPTH} deep"
            found.troubles.append(Trouble("folder", f"{_shown(entry.name)} has {what}; not all were looked at"))
        if count == 0:
            found.troubles.append(
                Trouble("nothing", f"the folder {_shown(entry.name)} is empty: nothing was handed in")
            )


def _alone(folder):
    """Whether nothing was handed in here but what looks like downloads of a platform: then they may be ones."""
    for entry in os.scandir(folder):
        name = entry.name.lower()
        if name.startswith(".") or name in _SKIPPED_FOLDERS or name in _LISTS:
            continue
        if entry.is_dir(follow_symlinks=False) or name.endswith(_NOTEBOOK):
            return False
        if name.endswith(".zip") and not _is_download(list(filter(_is_notebook, members(entry.path, True)[0]))):
            return False
    return True


def _contested(files, known, found):
    """A file whose name can be read as that of two students is nobody's until a person says whose."""
    claimed: dict[str, set[str]] = collections.defaultdict(set)
    for f in files:
        claimed[same_key(f.owner.student)].add(same_key(f.owner.name))
    for f in files:
        if f.row.get("student") or not f.owner.others:
            continue
        others = [o for o in f.owner.others if same_key(o) in known or same_key(o) in claimed]
        if others or len(claimed[same_key(f.owner.student)]) > 1:
            people = " or ".join(map(_shown, dict.fromkeys((f.owner.student, *others, *f.owner.others))))
            text = f"{_shown(f.file)}: the name can be read as that of {people}, so it counts for none of them; say "
            text += "whose it is in submissions.csv (unpack the download for that)"
            found.troubles.append(Trouble("owner", text))
            f.owner = Owner(f.file, f.file, f.owner.platform)


def _sort_in(file, path, place, files, found, unpack, alone):
    parts = tuple(file.split("/"))
    who = owner(parts, place)
    name = parts[-1].lower()
    if len(parts) == 1 and name in _LISTS:
        return
    if name.endswith(_NOTEBOOK):
        files.append(_File(file, path, who))
    elif name.endswith(".zip"):
        _sort_in_zip(file, path, place, files, found, unpack, who, alone)
    else:
        found.lines.append(_over(file, who, _other(name, who)))


def _other(name, who):
    if name.endswith(_PACKED):
        return "packed in a way that is not read: ask for the .ipynb"
    if who.platform == "Blackboard" and name.endswith(".txt"):
        return "Blackboard's own note"
    return "not a notebook"


def _sort_in_zip(file, path, place, files, found, unpack, who, alone):
    if path.is_symlink() or not path.is_file():
        files.append(_File(file, path, who))  # grading says what is wrong with it
        return
    flat = "/" not in file and same_key(_shown(who.student)) not in place.known
    inside, error = members(path, download=flat and who.platform == "plain" and path.stat().st_size > MAX_BYTES)
    notebooks = [m for m in inside if _is_notebook(m)]
    if error or len(notebooks) <= 1:
        if not error and not notebooks:
            found.lines.append(_over(file, who, "a zip file without a notebook"))
        else:
            files.append(_File(file, path, who))
        return
    try:
        download = flat and who.platform == "plain" and _is_download(notebooks)
        if download and alone():
            found.troubles.append(Trouble("owner", f"{_shown(file)} was opened as the download of a platform", False))
        elif download:
            download = False
            text = f"{_shown(file)} looks like the download of a platform, but other work lies beside it: it counts "
            text += f"as that of {_shown(who.student)} alone. If it is one, give the zip file itself to the command"
            found.troubles.append(Trouble("owner", text))
        inner = unpack.all(path, file, None if download else who.student)
    except DataError as error:
        found.lines.append(_over(file, who, str(error)))
        found.troubles.append(Trouble("unreadable", f"{_shown(who.student)}: {_shown(file)}: {error}"))
        return
    for name, why in unpack.left_out:
        found.lines.append(_over(f"{file}/{name}", who, why))
    if download:
        within = Place(inner, place.known)
        for below, where in _walk(inner, found):
            part = tuple(below.split("/"))
            if part[-1].lower().endswith(_NOTEBOOK):
                files.append(_File(f"{file}/{below}", where, owner(part, within)))
            else:
                found.lines.append(_over(f"{file}/{below}", owner(part, within), _other(part[-1].lower(), who)))
        return
    for below, where in _walk(inner, found):
        if below.lower().endswith(_NOTEBOOK):
            files.append(_File(f"{file}/{below}", where, who))


def _is_notebook(member):
    parts = member.replace("\\", "/").split("/")
    hidden = any(p in _SKIPPED_FOLDERS or (p.startswith(".") and p not in (".", "..")) for p in parts)
    return parts[-1].lower().endswith(_NOTEBOOK[:3]) and not hidden


def _is_download(notebooks):
    """Whether the notebooks in a zip file are those of several people, as a platform packs them."""
    place = Place(pathlib.Path("/nowhere"))
    who = [owner(tuple(n.replace("\\", "/").split("/")), place) for n in notebooks]
    return len({w.student for w in who if w.platform != "plain"}) > 1


def _over(file, who, why):
    return Line(_shown(file), _shown(who.student), _shown(who.name), "passed over", why, who.platform)


def _no_notebook(f, found):
    """A .json that is no notebook was never handed in as one."""
    name = f.file.lower()
    if f.seen.error and name.endswith(".json") and not name.endswith(".ipynb.json"):
        found.lines.append(_over(f.file, f.owner, "not a notebook"))
        return True
    return False


def _short(part):
    """A part of a path that every file system takes, and another one for another name."""
    data = part.encode("utf-8", "replace")
    if len(data) <= MAX_NAME:
        return data.decode()
    ending = (_SUFFIX.search(part) or [""])[0]
    digest = hashlib.sha256(data).hexdigest()[:16]
    return data[: MAX_NAME - 40].decode("utf-8", "ignore") + digest + ending


def _stamp(date_time):
    try:
        return dt.datetime(*date_time[:6]).timestamp()
    except (ValueError, OverflowError):  # the month 0, the day 31 of February, the hour 31
        return dt.datetime(1980, 1, 1).timestamp()


class _Unpacker:
    """Unpacks zip files below one folder; plain files only, under the names that they have, made harmless.

    A member that cannot be unpacked is left out and named in `left_out`: one damaged file stops nobody else's.
    """

    def __init__(self, to):
        self._to, self._left = to and pathlib.Path(to), MAX_UNPACKED
        self._of_one: dict[str, int] = collections.defaultdict(lambda: MAX_UNPACKED_OF_ONE)
        self.left_out: list[tuple[str, str]] = []  # of the file that was unpacked last, with the reason

    def all(self, path, name, student: str | None = None) -> pathlib.Path:
        """Unpack a whole file, a platform's or a student's."""
        self.left_out = []
        if self._to is None:
            import atexit
            import tempfile

            self._to = pathlib.Path(tempfile.mkdtemp(prefix="coursekit-unpacked-"))
            atexit.register(shutil.rmtree, self._to, True)
        # Not its name alone: two names may become one here, or one that is too long.
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        target = self._to / f"{re.sub(r'[^A-Za-z0-9-]+', '_', name)[:60]}-{digest}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, mode=0o700)
        try:
            with zipfile.ZipFile(path) as archive:
                for info in archive.infolist():
                    try:
                        self._one(archive, info, target, student)
                    except CourseError:
                        raise
                    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError) as error:
                        self.left_out.append((info.filename, f"it cannot be unpacked: {str(error)[:120]}"))
        except CourseError:
            raise
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
            raise DataError(f"the zip file {str(path)!r} cannot be read: {error}") from None
        return target

    def _one(self, archive, info, target, student):
        parts = [p for p in info.filename.replace("\\", "/").split("/") if p not in ("", ".", "..")]
        link = (info.external_attr >> 16) & 0o170000 not in (0, 0o100000)
        if info.is_dir() or link or not parts or any(p.startswith(".") or p in _SKIPPED_FOLDERS for p in parts):
            return
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            data = b""  # an unusual packing, or encrypted: seen as an empty file
        elif parts[-1].lower().endswith((*_NOTEBOOK, ".zip", ".csv", ".yml")):
            with archive.open(info) as member:
                data = member.read(MAX_BYTES + 1)
        else:
            data = b""
        self._left -= len(data)
        if self._left < 0:
            raise DataError("the zip files hold more than 8 GB")
        if student is not None:
            self._of_one[student] -= len(data)
            if self._of_one[student] < 0:
                raise DataError(f"the zip files of {_shown(student)} hold more than {MAX_UNPACKED_OF_ONE >> 20} MB")
        if len(parts) > MAX_DEPTH:
            raise ValueError(f"it lies more than {MAX_DEPTH} folders deep")
        path = target.joinpath(*map(_short, parts))
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(data)
            stamp = _stamp(info.date_time)
            os.utime(path, (stamp, stamp))

    def close(self):
        """Nothing to do: what is unpacked is needed until the end of the run."""


# --- lists ------------------------------------------------------------------------------------------------------------


def _path_key(text):
    return unicodedata.normalize("NFC", text.replace("\\", "/").removeprefix("./").strip())


def _listed(folder):
    path = folder / "submissions.csv"
    if not path.is_file() or path.is_symlink():
        return {}, ""
    table = read_table(path, ("file", "student"))
    return {_path_key(row["file"]): row for row in table.rows}, table.note


_IDS = ("canvas_id", "sis_id", "login", "moodle_id", "email")


def _known(roster):
    """All ids of the roster, in every spelling, and whom they mean; None where two people share one."""
    known: dict[str, str | None] = {}
    for student, person in roster.items():
        ids = {student, *(person.get(k, "") for k in _IDS)}
        ids |= {person.get("email", "").split("@")[0]}
        for text in {same_key(i) for i in ids if i}:
            known[text] = student if known.get(text, student) == student else None
    for student in roster:
        known[same_key(student)] = student
    return known


def _by_student(files, roster, known, found):
    """The files of each student, under the roster's spelling where there is one."""
    names = collections.Counter(same_key(p.get("name", "")) for p in roster.values() if p.get("name"))
    by_name = {same_key(p["name"]): s for s, p in roster.items() if p.get("name") and names[same_key(p["name"])] == 1}
    groups: dict[str, list[_File]] = collections.defaultdict(list)
    spelt: dict[str, str] = {}
    by_id: set[str] = set()
    only_by_name: dict[tuple[str, str, str, str], None] = {}
    for f in files:
        said = f.row.get("student") or f.owner.student
        key, source = same_key(_shown(said)), "submissions.csv" if f.row.get("student") else f.owner.platform
        student = known.get(key) or by_name.get(key)
        if student is not None:
            by_id.add(source)
        elif (student := by_name.get(same_key(f.owner.name))) is not None:
            only_by_name[source, _shown(said), student, f.owner.name] = None
        else:
            student = spelt.setdefault(key, _shown(said))
        groups[student].append(f)
    _found_by_name(only_by_name, by_id, found)
    for student, own in groups.items():
        ways = {(f.owner.platform, _top(f)) for f in own if not f.row.get("student")}
        spellings = {_shown(f.row.get("student") or f.owner.student) for f in own}
        if len(spellings) > 1 or len({p for p, _ in ways}) > 1 or (len(ways) > 1 and not _counted(own)):
            found.troubles.append(
                Trouble(
                    "collision",
                    f"{student}: files from {', '.join(sorted(_top(f) for f in own)[:6])} are one student's",
                )
            )
    return groups


def _found_by_name(only_by_name, by_id, found):
    """Whose number the roster does not know, but whose name it does: a typing error where others have theirs."""
    for source in sorted({source for source, *_ in only_by_name}):
        people = sorted(who for place, *who in only_by_name if place == source)
        if source in by_id:
            for said, student, name in people:
                found.troubles.append(
                    Trouble(
                        "found by name",
                        f"{source} says {said}, which is not on the roster; by the name {_shown(name)} it was "
                        f"taken for {student}: is there a typing error?",
                    )
                )
        else:
            said, student, _ = people[0]
            found.troubles.append(
                Trouble(
                    "found by name",
                    f"the roster has no numbers of {source}: its {len(people)} students were found by their names, as "
                    f"{said} is {student}",
                    False,
                )
            )


def _counted(own):
    return all(f.owner.platform in ("Canvas", "Moodle", "Blackboard", "Brightspace", "Gradescope") for f in own)


def _top(f):
    return _shown(f.file.split("/")[0])


def _shown(text):
    """Text that can be written anywhere, and is another for another name: what cannot be seen is spelt out."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)[:200]


# --- the choice -------------------------------------------------------------------------------------------------------


def _named(file, sheet_id):
    return bool(re.search(rf"(?<!\d){sheet_id}(?!\d)", file.split("/")[-1]))


def _choose(student, own, found, sheet_id, names, questions, zone, roster):
    """Which of a student's files may count; the others get a line that says why not."""
    if any("exercises" in f.file.split("/") for f in own):  # a clone of the course
        for f in [f for f in own if "chapters" in f.file.split("/")]:
            own.remove(f)
            found.lines.append(_line(f, student, "a chapter of the course"))
    fit = {id(f): f.seen.fit(sheet_id, len(names), questions) if names or f.seen.error else 1 for f in own}
    best = max((fit[id(f)], f.written > 0) for f in own)
    left = []
    for f in own:
        if (fit[id(f)], f.written > 0) == best:
            left.append(f)
        else:
            found.lines.append(_line(f, student, _why_not(f, fit[id(f)], best, sheet_id)))
    most = max((f.written for f in left if _named(f.file, sheet_id)), default=-1)
    if most >= 0:
        for f in [f for f in left if not _named(f.file, sheet_id) and f.written <= most]:
            left.remove(f)
            found.lines.append(_line(f, student, "another file is named after the sheet, and holds as much"))
    name = roster.get(student, {}).get("name") or next(
        (f.row["name"] for f in left if f.row.get("name")), left[0].owner.name
    )
    attempts = _attempts(student, name, left, zone)
    for s in attempts[:-MAX_ATTEMPTS]:
        found.troubles.append(
            Trouble("attempts", f"{student} has more than {MAX_ATTEMPTS} attempts: {s.file} is left out")
        )
    attempts = attempts[-MAX_ATTEMPTS:]
    found.attempts += [replace(s, attempts=len(attempts)) for s in attempts]
    seen = left[0].seen
    found.fitting += best[0] > 0
    if best[0] == 0:
        found.other_sheets[seen.other_sheet] += 1
        what = (
            f"it carries checks of sheet {seen.other_sheet}"
            if seen.other_sheet
            else "it sets no name that is asked for"
        )
        found.troubles.append(
            Trouble("wrong sheet", f"{student}: {_shown(left[-1].file)} is not sheet {sheet_id}: {what}")
        )
    elif best[0] < 0:
        found.troubles.append(Trouble("unreadable", f"{student}: {_shown(left[-1].file)}: {seen.error}", False))
    for number, s in enumerate(attempts, 1):
        last = number == len(attempts)
        why = "the only file" if len(attempts) == 1 else "the last attempt" if last else "an earlier attempt"
        found.lines.append(
            Line(_shown(s.file), student, s.name, "taken" if last else "passed over", why, s.platform,
                 s.submitted.isoformat(timespec="seconds"), s.time_from)
        )  # fmt: skip


def _why_not(f, fit, best, sheet_id):
    if fit < 0:
        return f"it cannot be read: {f.seen.error}"
    if fit == best[0]:
        return "nothing is written in it"
    other = f.seen.other_sheet
    return f"it carries checks of sheet {other}" if other and other != sheet_id else "it holds less of the sheet"


def _line(f, student, why):
    return Line(_shown(f.file), student, _shown(f.owner.name), "passed over", why, f.owner.platform)


def _attempts(student, name, files, zone):
    """The files as attempts: in the order of their uploads where the platform counts these, else by time and name."""
    uploads = sorted({f.owner.upload for f in files})
    found = []
    for f in files:
        counted = f.owner.attempt if len(files) == 1 else 0
        attempt = max(uploads.index(f.owner.upload) + 1, counted)
        if f.row.get("submitted"):
            submitted, source = parse_time(f.row["submitted"], zone), "submissions.csv"
        elif f.owner.submitted:
            submitted, source = f.owner.submitted, f.owner.platform
            submitted = submitted if submitted.tzinfo else submitted.replace(tzinfo=zone)
        else:
            submitted, source = _file_time(f.path), "file"
        found.append(
            Submission(
                student, _shown(name), f.path, f.file, submitted, source, attempt, 1, f.owner.platform, f.owner.late
            )
        )
    return sorted(found, key=lambda s: s.order)


def _file_time(path):
    try:
        return dt.datetime.fromtimestamp(os.lstat(path).st_mtime, dt.UTC)
    except (OSError, ValueError, OverflowError):  # a time before the year 1 or after 9999
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


# --- the class --------------------------------------------------------------------------------------------------------


def _about_the_class(found, roster, known, sheet_id):
    have = {s.student for s in found.attempts}
    only_other: dict[str, list[Line]] = collections.defaultdict(list)
    for line in found.lines:
        key = same_key(line.student)
        student = known.get(key) or line.student
        if line.taken == "passed over" and student not in have and line.why != "Blackboard's own note":
            only_other[student].append(line)
    for student, lines in sorted(only_other.items()):
        what = ", ".join(f"{line.file} ({line.why})" for line in lines[:3])
        found.troubles.append(Trouble("nothing to grade", f"{student} handed in {what}: no notebook"))
    for s in found.last():
        if s.platform == "plain" and "/" not in s.file and _named(s.file, sheet_id) and s.student not in roster:
            found.troubles.append(Trouble("owner", f"{_shown(s.file)}: whose is it? The name is that of the sheet"))
    if roster:
        absent = [s for s in roster if s not in have]
        for student in sorted(have - set(roster)):
            ids = {i: s for s in absent for i in (s, *(roster[s].get(k, "") for k in _IDS)) if i}
            close = difflib.get_close_matches(student, ids, 1, 0.7)
            like = f"; is it {ids[close[0]]}, who has handed in nothing?" if close else ""
            found.troubles.append(Trouble("not on the roster", f"{student}{like}"))
        for student in sorted(absent):
            found.troubles.append(
                Trouble("no submission", f"{student} {roster[student].get('name', '')}".strip(), False)
            )
