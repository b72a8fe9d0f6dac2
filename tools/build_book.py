"""Build the book with warnings as errors: `python tools/build_book.py`.

Chapters are executed through jupyter-cache, which looks at a chapter's own code only. So that no page shows what an
older coursekit computed, everything is executed again when the package has changed.
"""

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
FINGERPRINT = BUILD / "coursekit.sha256"
STATIC = BUILD / "static.sha256"
EXECUTED = BUILD / "executed.sha256"  # of the texts whose code is in jupyter-cache


def fingerprint():
    """One number for all of the package's code and the versions that it runs with."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted([*(ROOT / "src" / "coursekit").rglob("*.py"), ROOT / "constraints.txt"]):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def main():
    """Build, and end with one line that says where the book is or what to look at."""
    start = time.monotonic()
    now = fingerprint()
    if FINGERPRINT.is_file() and FINGERPRINT.read_text() != now:
        print("coursekit has changed since the last build: executing every chapter again.", flush=True)
        shutil.rmtree(BUILD / ".jupyter_cache", ignore_errors=True)
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    FINGERPRINT.write_text(now)
    # Sphinx copies style sheets and scripts only when it writes a page; told of another configuration it writes all.
    static = hashlib.sha256()
    for folder in (ROOT / "_static", ROOT / "src" / "coursekit" / "explorers" / "static"):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            static.update(path.name.encode() + b"\0" + path.read_bytes())
    if not STATIC.is_file() or STATIC.read_text() != static.hexdigest():
        known = BUILD / "html" / ".buildinfo"
        if known.is_file():
            known.write_text(re.sub(r"^config: .*$", "config: another", known.read_text(), flags=re.M))
        STATIC.write_text(static.hexdigest())
    shutil.rmtree(BUILD / "html" / "reports", ignore_errors=True)

    # One BLAS thread: the nets of the course are small, and more threads only wait for each other.
    settings = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    environment = {**os.environ, **settings}
    texts = hashlib.sha256(now.encode())
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("chapters/*.md")]):
        texts.update(path.read_bytes())
    if not EXECUTED.is_file() or EXECUTED.read_text() != texts.hexdigest():
        subprocess.run([sys.executable, "tools/execute_chapters.py"], cwd=ROOT, env=environment)
        EXECUTED.write_text(texts.hexdigest())
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
    lite = [sys.executable, "live/build_lite.py", "--site", "_build/html", "--cache", ".cache/lite"]
    if subprocess.run(lite, cwd=ROOT).returncode not in (0, 3):  # 3: its files could not be had, and it said so
        sys.exit("\nThe book was built, but its notebooks for the browser were not; the message above says why.")
    print(f"\nBuilt in {time.monotonic() - start:.0f} s: _build/html/index.html", flush=True)


if __name__ == "__main__":
    main()
