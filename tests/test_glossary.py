"""Words of the glossary, in the order of the book: where one is first used, the reader is told what it means.

That is so if the first place is marked: with {term}, which leads to the glossary, or set in bold or italics, as a word
is that a sentence defines. What a chapter promises at its head ("After this chapter you can") and headings do not
count.
A line in tests/data/glossary-not-yet.txt is a term of which this is not true yet. Take lines away; add none.
"""

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HIDDEN = re.compile(
    r"\A---\n.*?\n---\n|^```\{(?:code-cell|literalinclude)\}.*?^```$|^```\{admonition\} After this.*?^```$|^#+ [^\n]*$"
    r"|\$\$.*?\$\$(?: \([\w-]+\))?|(?<!\$)\$[^$]+\$|\{cite:\w\}`[^`]*`|\{glue:text\}`[^`]*`|\]\([^)]*\)|^ {4}\S[^\n]*$",
    re.M | re.S,
)
# Words that are also plain English; it is the marked use that the glossary means.
PLAIN = {"unit", "bias", "state", "gate", "head", "layer", "update", "seed", "sequence", "kernel", "cache", "batch"}
PLAIN |= {"channel", "gradient", "density", "perceptron", "loss", "separable", "initialization", "parameter"}
PLAIN |= {"variance (of a method)", "bias (of a method)", "feature"}


def terms():
    text = (ROOT / "glossary.md").read_text(encoding="utf-8")
    body = text[text.index("```{glossary}") :]
    return re.findall(r"^(?!:|```|\s)(.+)\n {2}\S", body, re.M)


@functools.cache
def pages():
    """(chapter, its prose) in the order of the book."""
    return [
        (path.stem, HIDDEN.sub(" ", path.read_text(encoding="utf-8"))) for path in sorted(ROOT.glob("chapters/*.md"))
    ]


def words(term):
    """A pattern for a term and its plural, whatever white space stands in it."""
    name = re.sub(r" \(.*\)", "", term)
    return r"\s+".join(map(re.escape, name.split())) + r"(?:e?s)?"


def first_use(term):
    """(chapter, a few words, whether they are marked) of the first place where a term stands, or None."""
    marked = re.compile(
        rf"\{{term\}}`[^`]*<{re.escape(term)}>`|\{{term\}}`{words(term)}`|(?<!\w)\*{{1,2}}[^*]{{0,30}}\b{words(term)}\b[^*]{{0,30}}\*",
        re.I,
    )
    plain = re.compile(rf"(?<![\w<`-]){words(term)}(?![\w`>-])", re.I)
    for chapter, text in pages():
        found, told = plain.search(text), marked.search(text)
        if told and (term in PLAIN or not found or told.start() <= found.start()):
            return chapter, told[0], True
        if found and term not in PLAIN:
            return chapter, text[max(0, found.start() - 40) : found.end() + 20], False
    return None


def not_yet():
    lines = (ROOT / "tests/data/glossary-not-yet.txt").read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("term", terms())
def test_a_term_is_explained_where_it_is_first_used(term):
    found = first_use(term)
    if found and term not in not_yet():
        chapter, place, told = found
        assert told, f"{chapter}: … {' '.join(place.split())} …: write {{term}}`{term}` there, or explain it before"


def test_every_exception_is_still_needed():
    gone = {term for term in not_yet() if not (found := first_use(term)) or found[2]}
    assert not gone, f"take these lines off tests/data/glossary-not-yet.txt: {sorted(gone)}"


def test_the_order_of_a_first_use_is_seen(monkeypatch):
    text = "A shortcut is used. Here a {term}`shortcut` is explained."
    monkeypatch.setitem(globals(), "pages", lambda: [("01_x", text), ("02_y", "**shortcut**")])
    assert first_use("shortcut")[2] is False
    monkeypatch.setitem(globals(), "pages", lambda: [("01_x", text.replace("A shortcut is used.", ""))])
    assert first_use("shortcut")[2] is True
