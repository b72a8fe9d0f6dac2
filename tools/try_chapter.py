"""Try one chapter: `python tools/try_chapter.py 08`.

Its notebooks are made, its cells executed if anything that they load has changed, its page built, and meanwhile the
tests run that belong to it: experiments, quiz, exercise sheet, its places in the course, and the claims of the ledger
of which something changed.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coursekit._chapters import CHAPTERS

ROOT = Path(__file__).resolve().parent.parent
SHARED = ["tests/test_exercises.py", "tests/test_course.py", "tests/test_ledger.py", "tests/test_chapters.py"]


def tests(chapter):
    """Pytest's arguments for the tests of one chapter."""
    name = f"test_experiments_{CHAPTERS[chapter]}"
    own = [f"tests/{name}.py"] if (ROOT / "tests" / f"{name}.py").is_file() else []
    shared = [file for file in SHARED if (ROOT / file).is_file()]
    return [*own, *shared, "-q", "-k", f"{name} or [{chapter}"]


def run(command):
    """Run Python with these arguments: exit status, output, seconds."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout, time.monotonic() - start


def main(chapter):
    """Try it, and end with a line for each part."""
    if chapter not in CHAPTERS:
        sys.exit(f"CHAPTER is {chapter!r}; type one of {', '.join(CHAPTERS)}. For example: make try CHAPTER=08")
    start = time.monotonic()
    code, said, _ = run(["tools/make_notebooks.py"])
    if code:
        sys.exit(said)
    with ThreadPoolExecutor(2) as pool:
        parts = {"tests": pool.submit(run, ["-m", "pytest", *tests(chapter)])}
        if (ROOT / "_build" / "html" / "index.html").is_file():
            parts["page"] = pool.submit(run, ["tools/build_book.py", "--pages-only", "--chapter", chapter])
        results = {title: part.result() for title, part in parts.items()}
    for title, (code, said, seconds) in results.items():
        if code:
            print(f"\n--- {title}\n{said[-6000:]}")
        else:
            last = [line for line in said.splitlines() if "passed" in line or line.startswith(("executed", "Built"))]
            print(f"{title}, {seconds:.0f} s: {'; '.join(last)}")
    if "page" not in results:
        print("page: not built, because there is no book yet; `make book` makes one")
    else:
        print(f"look at _build/html/chapters/{chapter}_{CHAPTERS[chapter]}.html")
    print(f"\nchapter {chapter} took {time.monotonic() - start:.0f} s")
    sys.exit(any(code for code, _, _ in results.values()))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
