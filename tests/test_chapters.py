"""Each chapter of the list has all of its parts, and there is no part of a chapter that the list lacks."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit import ledger
from coursekit._chapters import CHAPTERS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "coursekit"
PARTS = {
    "chapters/{number}_{name}.md": "its text",
    "exercises/{number}_{name}.md": "its exercise sheet",
    "exercises/tests/{number}_{name}.py": "the cases of its exercise sheet",
    "src/coursekit/experiments/{name}.py": "its experiments",
    "src/coursekit/plotting/{name}.py": "its pictures",
    "src/coursekit/explorers/{name}.py": "its explorers",
    "src/coursekit/ledger/{name}.py": "its claims",
    "src/coursekit/interactive/quizzes/{number}.json": "its quiz, at least five questions as in 01.json",
    "ledger/{number}.json": "what its claims gave; made by: python -m coursekit.ledger {number}",
}


def text(number):
    return (ROOT / "chapters" / f"{number}_{CHAPTERS[number]}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_chapter_has_all_of_its_parts(number):
    parts = {path.format(number=number, name=CHAPTERS[number]): what for path, what in PARTS.items()}
    missing = [f"{path}: {what.format(number=number)}" for path, what in parts.items() if not (ROOT / path).is_file()]
    assert not missing, f"chapter {number} lacks, and you have to write:\n" + "\n".join(missing)


def test_no_part_belongs_to_a_chapter_that_is_not_in_the_list():
    listed = {f"{number}_{name}" for number, name in CHAPTERS.items()}
    found = {path.stem for folder in ("chapters", "exercises") for path in (ROOT / folder).glob("[0-9]*.md")}
    for stem in sorted(found - listed):
        number, _, name = stem.partition("_")
        pytest.fail(f'{stem}.md has no chapter; write "{number}": "{name}" into CHAPTERS of src/coursekit/_chapters.py')


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_chapter_ends_with_its_quiz(number):
    name = f"chapters/{number}_{CHAPTERS[number]}.md"
    cell = f'```{{code-cell}} ipython3\n:tags: [remove-input]\nquiz("{number}")\n```'
    assert f'quiz("{number}")' in text(number), (
        f"{name} does not ask its quiz; write before its further reading:\n{cell}"
    )
    if "from coursekit import" in text(number):
        assert re.search(r"from coursekit import .*\bquiz\b", text(number)), (
            f"{name}: write `from coursekit import quiz`"
        )


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_quiz_has_five_questions_or_more(number):
    questions = json.loads((PACKAGE / "interactive" / "quizzes" / f"{number}.json").read_text(encoding="utf-8"))
    assert len(questions) >= 5, f"quizzes/{number}.json has {len(questions)} questions; write {5 - len(questions)} more"


@pytest.mark.parametrize("number", CHAPTERS)
def test_the_page_of_the_ledger_has_the_chapters_table(number):
    cell = f'Markdown(ledger.table("{number}"))'
    page = (ROOT / "ledger.md").read_text(encoding="utf-8")
    assert cell in page, (
        f"ledger.md has no part for chapter {number}; write one as for the others, with the cell {cell}"
    )
    assert ledger.claims(number), f"src/coursekit/ledger/{CHAPTERS[number]}.py has no claim"


@pytest.mark.parametrize("number", CHAPTERS)
def test_nothing_of_the_template_is_left(number):
    files = [ROOT / path.format(number=number, name=CHAPTERS[number]) for path in PARTS]
    left = [str(file.relative_to(ROOT)) for file in files if re.search(r"\bWRITE\b", file.read_text(encoding="utf-8"))]
    assert not left, f"search for WRITE, and write, in {', '.join(left)}"


def test_readme_has_todays_table_of_chapters_and_its_pictures():
    done = subprocess.run([sys.executable, "tools/readme.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for picture in re.findall(r"\]\(([^)]+\.webp)\)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / picture).is_file(), f"{picture} is not there; take it with: make build && make pictures"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_new_chapter_passes_the_tests_of_a_chapter(tmp_path):
    for name in ("src", "chapters", "exercises", "ledger", "tools", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "ledger.md", "_config.yml", "references.bib", "pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    following = f"{len(CHAPTERS) + 1:02d}"

    def python(*arguments):
        environment = {"PYTHONPATH": str(tmp_path / "src"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, env=environment
        )

    made = python("tools/new_chapter.py", following, "something_new", "Something new")
    assert made.returncode == 0, made.stdout + made.stderr
    made_files = [str(path) for path in tmp_path.rglob("*something_new.py")]
    style = python("-m", "ruff", "check", *made_files)
    assert len(made_files) == 6 and style.returncode == 0, style.stdout
    tests = ["tests/test_chapters.py", "tests/test_exercises.py", "tests/test_course.py", "tests/test_ledger.py"]
    tests += ["tests/test_experiments_something_new.py"]
    chosen = f"({'[' + following} or something_new) and not template"
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", chosen)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-5000:]
    left = python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_chapters.py", "-k", f"template and [{following}"
    )
    assert f"chapters/{following}_something_new.md" in left.stdout and left.returncode == 1
    again = python("tools/new_chapter.py", following, "something_new", "Something new")
    assert again.returncode == 1 and f"the next chapter is {len(CHAPTERS) + 2:02d}" in again.stderr


def test_no_word_of_the_glossary_and_no_source_stands_twice():
    """Two branches that add the same one merge without a conflict, and then the book does not build."""
    words = re.findall(r"\n\n(\S[^\n]*)\n  ", (ROOT / "glossary.md").read_text(encoding="utf-8").lower())
    sources = re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    for found in (words, sources):
        assert len(found) > 100
        assert sorted({name for name in found if found.count(name) > 1}) == []
