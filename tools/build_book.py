"""Build the book with warnings as errors: `python tools/build_book.py [--pages-only] [--chapter NN]`.

A chapter is executed again when its own cells have changed, or something that its run loaded (execute_chapters.py). A
page whose text comes from the package, shown code or the reference, is read again by Sphinx, which knows the files.
With `--pages-only` what the pages need for Python in the browser stays as it was; with `--chapter` no other chapter
is executed.
"""

import argparse
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
PACKAGE = ROOT / "src" / "coursekit"


def digest(paths, *words):
    """One number for the names and contents of files and for some words."""
    result = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        result.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return result.hexdigest()


@contextlib.contextmanager
def since_last_time(name, now):
    """Give what `now` was at the last build, None at the first; keep it when what hangs on it is done."""
    stamp = BUILD / f"{name}.sha256"
    yield stamp.read_text() if stamp.is_file() else None
    stamp.write_text(now)


def main(arguments=None):
    """Build, and end with one line that says where the book is or what to look at."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--pages-only", action="store_true", help="leave Python for the browser as it was")
    parser.add_argument("--chapter", default="", help="execute only this chapter, such as 08")
    given = parser.parse_args(arguments)
    start = time.monotonic()
    BUILD.mkdir(exist_ok=True)
    # What the pages are made with, beside their own sources: then every page is read again, and nothing is executed.
    names = ("book_ext", "experiment_links", "formulas", "shown_code", "slim_pages", "typography")
    tools = [ROOT / "tools" / f"{name}.py" for name in names]
    made_with = digest([*tools, ROOT / "constraints.txt"], sys.version)
    with since_last_time("tools", made_with) as before:
        if before not in (None, made_with):
            shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
    # Sphinx copies style sheets and scripts only when it writes a page; told of another configuration it writes all.
    folders = (ROOT / "_static", PACKAGE / "interactive" / "static")
    static = digest(path for folder in folders for path in folder.rglob("*") if path.is_file())
    known = BUILD / "html" / ".buildinfo"
    with since_last_time("static", static) as before:
        if before != static and known.is_file():
            known.write_text(re.sub(r"^config: .*$", "config: another", known.read_text(), flags=re.M))
    shutil.rmtree(BUILD / "html" / "reports", ignore_errors=True)

    # One BLAS thread: the nets of the course are small, and more threads only wait for each other.
    settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment = {**os.environ, **settings}
    subprocess.run(
        [sys.executable, "tools/execute_chapters.py", *filter(None, [given.chapter])], cwd=ROOT, env=environment
    )
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", ".", "-W", "-n", "--keep-going"]
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    if code:
        for report in sorted((BUILD / "html" / "reports").rglob("*.err.log")):
            text = re.sub(r"\x1b\[[0-9;]*m", "", report.read_text(encoding="utf-8"))
            print(f"\n--- {report.relative_to(ROOT)}\n{text[-3000:]}")
        sys.exit(
            "\nThe book was not built: the warnings and errors above count as failures. Mend them and run it again."
        )
    done = f"\nBuilt in {time.monotonic() - start:.0f} s: _build/html/index.html"
    if given.pages_only:
        print(done, flush=True)
        return
    lite = [sys.executable, "live/build_lite.py", "--site", "_build/html", "--cache", ".cache/lite"]
    if subprocess.run(lite, cwd=ROOT).returncode not in (0, 3):  # 3: its files could not be had, and it said so
        sys.exit("\nThe book was built, but its notebooks for the browser were not; the message above says why.")
    print(f"\nBuilt in {time.monotonic() - start:.0f} s: _build/html/index.html", flush=True)


if __name__ == "__main__":
    main()
