"""What the last build finished, so that the next one finishes only what has changed.

Mending, searching and packing the pages takes some twenty seconds of processor time, and most builds change one page
or none. Kept are a digest of each file of the finished book, and what the search index has of each page. It lies beside
Sphinx's doctrees, and goes when they go.
"""

import hashlib
import json
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
NOT_OURS = ("lite", "reports")  # made after the pages, by others


def made_with():
    """One number for the sources of the tools."""
    result = hashlib.sha256()
    for path in sorted(path for path in (*TOOLS.glob("*.*"), *TOOLS.glob("search/*")) if path.is_file()):
        result.update(path.name.encode() + b"\0" + path.read_bytes())
    return result.hexdigest()


def files(out):
    """A digest of each file of a built book: a file that is written again as it was has not changed."""
    found = {}
    for path in out.rglob("*"):
        name = path.relative_to(out)
        if name.parts[0] not in NOT_OURS and path.is_file():
            found[name.as_posix()] = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    return found


class Kept:
    """The record of the last build, a JSON file. Without it, or when the tools have changed since, nothing is known."""

    def __init__(self, path):
        self.path = path
        try:
            last = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            last = {}
        self.last = last if isinstance(last, dict) and last.get("tools") == made_with() else {}

    def is_finished(self, out):
        """Tell whether the book is as these tools left it."""
        return self.last.get("files") == files(out)

    def searched(self):
        """What the search index had of each page: {name: [digest, entries]}."""
        return self.last.get("searched", {})

    def keep(self, out, searched):
        """Note that the book is finished, and what `search_index.write` kept."""
        record = {"tools": made_with(), "files": files(out), "searched": searched}
        self.path.write_text(json.dumps(record, separators=(",", ":")), encoding="utf-8")
