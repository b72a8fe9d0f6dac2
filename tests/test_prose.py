"""The words that CONTRIBUTING.md asks for instead of others: what reads as a translation does not come back.

A line in tests/data/prose-not-yet.txt is a place that still has such words. Take lines away; add none.
"""

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"^```\{(?:code-cell|literalinclude)\}.*?^```$|^---\n.*?^---$", re.M | re.S)
PAGES = [
    *sorted(ROOT.glob("chapters/*.md")),
    *sorted(ROOT.glob("exercises/[0-9]*.md")),
    *(ROOT / name for name in ("intro.md", "glossary.md", "notation.md", "why.md", "instructor_guide.md", "ledger.md")),
    *sorted((ROOT / "src/coursekit/interactive/quizzes").glob("*.json")),
    *sorted((ROOT / "src/coursekit/explorers").glob("*.py")),
    *sorted((ROOT / "exercises/tests").glob("*.py")),  # what check() says
    *sorted((ROOT / "src/coursekit/grading").glob("*.py")),
]


@functools.cache
def word_list():
    """{phrase: what to write instead} from the table under "Words" in CONTRIBUTING.md."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n## Words\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.M)
    return {phrase: instead for phrases, instead in rows[1:] for phrase in phrases.split(" / ")}


@functools.cache
def pattern(phrase):
    """A phrase as a regular expression: any white space, "…" for up to three words, at the borders of words."""
    words = [re.escape(word) if word != "…" else r"(?:[\w'’$\\-]+\s+){0,3}?" for word in phrase.split()]
    joined = re.sub(r"\\s\+(?=\Z)", "", r"\s+".join(words)).replace(r"{0,3}?\s+", r"{0,3}?")
    return re.compile(rf"(?<!\w){joined}(?!\w)", re.I)


def prose(path):
    """A page without its code; of Python and JSON all."""
    text = path.read_text(encoding="utf-8")
    return CODE.sub("", text) if path.suffix == ".md" else text


@functools.cache
def found(path):
    text = prose(path)
    return [phrase for phrase in word_list() if pattern(phrase).search(text)]


@functools.cache
def not_yet():
    lines = (ROOT / "tests/data/prose-not-yet.txt").read_text(encoding="utf-8").splitlines()
    return {tuple(line.split(": ", 1)) for line in lines if line and not line.startswith("#")}


def test_the_word_list_is_read_and_finds_its_phrases():
    words = word_list()
    assert len(words) > 40
    for phrase in words:
        assert pattern(phrase).search(f"It is {phrase.replace('…', 'the mean')}, they say.".replace(" ", "\n")), phrase
    assert pattern("take … off").search("we take the whole mean off now") and not pattern("put out").search(
        "output out"
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_keeps_to_the_word_list(path):
    name, words = str(path.relative_to(ROOT)), word_list()
    new = [phrase for phrase in found(path) if (name, phrase) not in not_yet()]
    assert not new, "; ".join(f"for “{phrase}” write {words[phrase]}" for phrase in new)


@functools.cache
def machine_numbers(path):
    """Numbers that stand in prose as a program writes them: glued with a format in e, or typed outside of code."""
    text = prose(path)
    words = re.sub(r"(?<!\})`[^`]+`", "", text)
    return re.findall(r"\{glue:text\}`\w+:[^`]*e`", text) + re.findall(r"(?<![\w.{])\d+(?:\.\d+)?e-\d+(?!\w)", words)


@pytest.mark.parametrize("path", [path for path in PAGES if path.suffix == ".md"], ids=lambda path: path.stem)
def test_no_number_in_prose_is_written_as_a_program_writes_it(path):
    name = str(path.relative_to(ROOT))
    new = [number for number in machine_numbers(path) if (name, number) not in not_yet()]
    assert not new, f"{new}: glue written(...) of coursekit.interactive.course, or write $10^{{-5}}$"


@pytest.mark.parametrize("path", sorted(ROOT.glob("chapters/*.md")), ids=lambda path: path.stem)
def test_a_chapter_is_read_in_75_minutes(path):
    """At 120 words a minute, which is slow, and three seconds for a line of code."""
    text = path.read_text(encoding="utf-8")
    code = sum(len(cell.splitlines()) for cell in CODE.findall(text))
    minutes = len(CODE.sub("", text).split()) / 120 + 3 * code / 60
    assert minutes < 75, f"{path.name} takes {minutes:.0f} minutes: fold something in a box, or split the chapter"


def test_every_line_of_the_exceptions_is_still_needed():
    left = {
        (str(path.relative_to(ROOT)), phrase) for path in PAGES for phrase in [*found(path), *machine_numbers(path)]
    }
    assert sorted(not_yet() - left) == [], "these are mended: take their lines off tests/data/prose-not-yet.txt"
