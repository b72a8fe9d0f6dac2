"""What the book needs to be read without a network: its service worker, and a copy of it to unpack.

`tools/book_ext.py` calls `finish` with the finished pages. `sw.js` keeps what is read, as `_static/offline.js` asks it;
the first page gets the sizes of Python and of the copy.
"""

import hashlib
import json
import re
import zipfile
from pathlib import Path

TEMPLATE = Path(__file__).with_name("service_worker.js")
COPY = "training-neural-networks.zip"
PYTHON = re.compile(r"_static/ck/(pyodide-|coursekit-|notebooks/|data/)")
LEFT_OUT = re.compile(r"(lite|_sources|reports)/|_images/social_previews/|sitemap\.xml$|sw\.js$|.*\.zip$|\.")


def names(out):
    """The files of a built book, as seen from its root."""
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def versioned(files):
    """Beginnings of names that carry a digest: all that a reader's copies may keep from an older build."""
    found = set()
    for name in files:
        if m := re.match(
            r"_static/(?:ck/(?:frames/[^/]+/|photos/[^/]+|pyodide-[^/]+/|coursekit-[^/]+\.whl)|book\.\w+\.css)", name
        ):
            found.add(m[0])
    return sorted(found)


def service_worker(out, files):
    """Write `sw.js`."""
    pages = hashlib.sha256()
    for name in files:
        if name.endswith(".html") and not name.startswith("lite/"):
            pages.update((out / name).read_bytes())
    text = TEMPLATE.read_text(encoding="utf-8")
    text = text.replace("@BUILD@", pages.hexdigest()[:12]).replace("@CURRENT@", json.dumps(versioned(files), indent=1))
    (out / "sw.js").write_text(text, encoding="utf-8")


def megabytes(size):
    """A size as people say it."""
    return str(max(1, round(size / 1e6)))


def copy(out, files, first):
    """Write the copy without Python and without the notebooks that run in the browser; returns how large it is.

    The first page comes last, when `first` has been told the size that it names.
    """
    target = out / COPY
    chosen = [name for name in files if not LEFT_OUT.match(name) and not PYTHON.match(name) and name != "intro.html"]

    def add(archive, name):
        entry = zipfile.ZipInfo(f"training-neural-networks/{name}", (1980, 1, 1, 0, 0, 0))
        archive.writestr(entry, (out / name).read_bytes(), zipfile.ZIP_DEFLATED, 6)

    with zipfile.ZipFile(target, "w") as archive:
        for name in chosen:
            add(archive, name)
    first(target.stat().st_size)
    with zipfile.ZipFile(target, "a") as archive:
        add(archive, "intro.html")


def finish(out):
    """Write `sw.js` and the copy, and put their sizes into the first page."""
    files, page = names(out), out / "intro.html"
    python = sum((out / name).stat().st_size for name in files if PYTHON.match(name))

    def first(size):
        before = page.read_text(encoding="utf-8")
        text = re.sub(r'(<div class="ck-offline")[^>]*>', rf'\1 data-python="{megabytes(python)}">', before)
        text = re.sub(r'(<span class="ck-copy-size">)[^<]*', rf"\g<1>{megabytes(size)} MB", text)
        if text != before:
            page.write_text(text, encoding="utf-8")

    if page.is_file():
        copy(out, files, first)
    service_worker(out, files)
