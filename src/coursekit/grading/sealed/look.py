"""What a submitted file holds, read in a process with limits: the grader chooses by that before it looks at names."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass

from .apart import Ended, run_apart
from .inside.notebook import MAX_MEMBERS, code_cells, read_bytes

__all__ = ["Seen", "answers", "look_at", "members", "written_texts"]

_SET = re.compile(r"^(?:async\s+)?(?:def|class)\s+([A-Za-z_]\w*)|^([A-Za-z_]\w*)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_CHECK = re.compile(r"\bcheck\(\s*[\"'](\d\d)\.(\d+)[\"']")
_BATCH = 25
_BOUNDS = {"memory": 512 << 20, "cpu_seconds": 20, "wall_seconds": 120}


@dataclass(frozen=True)
class Seen:
    """A file by its content: graded names that it sets, those with something written, checks of sheets, or why not."""

    names: int = 0
    written: int = 0
    checks: tuple[tuple[str, int], ...] = ()
    error: str = ""

    def fit(self, sheet_id: str, names: int, questions: int) -> int:
        """2: it carries at least half of the sheet; 1: something of it; 0: nothing; -1: it cannot be read."""
        if self.error:
            return -1
        share = max(self.names / max(1, names), dict(self.checks).get(sheet_id, 0) / max(1, questions))
        return 2 if share >= 0.5 else 1 if share > 0 else 0

    @property
    def other_sheet(self) -> str:
        """The sheet of which it carries the most checks."""
        return max(self.checks, key=lambda c: c[1])[0] if self.checks else ""


def look_at(paths: list, names: tuple[str, ...]) -> list[Seen]:
    """What each file holds."""
    found: list[Seen] = []
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        found += _apart(batch, names) or [
            (_apart([one], names) or [Seen(error="it cannot be read")])[0] for one in batch
        ]
    return found


def _apart(batch, names):
    try:
        seen = run_apart(lambda: {"seen": [_look(path, set(names)) for path in batch]}, **_BOUNDS)["seen"]
    except Ended:
        return None
    return [Seen(n, w, tuple((id, count) for id, count in checks), error) for n, w, checks, error in seen]


def _look(path, names):
    try:
        source = "\n".join(code_cells(read_bytes(path))) + "\n"
    except ValueError as error:  # BadNotebook is one
        return 0, 0, [], str(error)
    defined = {a or b for a, b in _SET.findall(source)} & names
    checks: dict[str, set] = {}
    for id, number in _CHECK.findall(source):
        checks.setdefault(id, set()).add(number)
    open_still = _unwritten(source)
    return len(defined), len(defined - open_still), [[id, len(found)] for id, found in sorted(checks.items())], ""


def written_texts(path, ids: tuple[str, ...]) -> dict[str, str]:
    """What a student wrote to questions that a person marks: the text cells from the question's number on."""
    try:
        return run_apart(lambda: {"texts": _texts(path, ids)}, **_BOUNDS)["texts"]
    except Ended:
        return {}


def answers(path, wanted: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """The code cells of a notebook that define a name of each question: {question: code}."""
    try:
        return run_apart(lambda: {"answers": _answers(path, wanted)}, **_BOUNDS)["answers"]
    except Ended:
        return {}


def _answers(path, wanted):
    try:
        cells = [(cell, {a or b for a, b in _SET.findall(cell)}) for cell in code_cells(read_bytes(path))]
    except ValueError:
        return {}
    found = {id: "\n\n".join(cell for cell, sets in cells if sets & set(names)) for id, names in wanted.items()}
    return {id: code[:8000] for id, code in found.items() if code}


def _texts(path, ids):
    try:
        cells = json.loads(read_bytes(path).decode("utf-8-sig"))["cells"]
        found: dict[str, list[str]] = {}
        current = None
        for cell in cells:
            text = cell.get("source", "")
            text = "".join(text) if isinstance(text, list) else text
            if cell.get("cell_type") == "markdown":
                heading = re.search(r"^#+ .*\d\d\.\w", text, re.MULTILINE)
                named = next((id for id in ids if id in text[:300]), None)
                current = named or (None if heading else current)
                if current:
                    found.setdefault(current, []).append(text)
        return {id: "\n\n".join(parts)[:8000] for id, parts in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _unwritten(source):
    """Functions that still raise NotImplementedError, at the top of their body or below what the sheet gives."""
    found, current = set(), None
    for line in source.split("\n"):
        if line[:1] not in ("", " ", "\t", "#", ")"):
            current = line[4:].split("(")[0].strip() if line.startswith("def ") else None
        elif current and line.strip().startswith("raise NotImplementedError"):
            found.add(current)
    return found


def members(path, download: bool = False) -> tuple[list[str], str]:
    """The names of the files in a zip file, and why there are none; read in a process with limits.

    A `download` is a whole class's, and may be larger.
    """
    try:
        result = run_apart(lambda: _members(path, download), **_BOUNDS)
    except Ended as error:
        return [], f"the zip file cannot be read: {error}"
    return result["members"], result["error"]


def _members(path, download):
    try:
        with zipfile.ZipFile(path if download else io.BytesIO(read_bytes(path))) as archive:
            infos = archive.infolist()
    except Exception as error:  # zipfile raises many kinds for damaged files
        return {"members": [], "error": f"the zip file cannot be read: {type(error).__name__}: {str(error)[:120]}"}
    most = MAX_MEMBERS * (20 if download else 1)
    if len(infos) > most:
        return {"members": [], "error": f"the zip file has {len(infos)} members; at most {most}"}
    return {"members": [i.filename for i in infos if not i.is_dir()], "error": ""}
