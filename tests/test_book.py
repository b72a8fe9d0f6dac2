"""The built book as files: links, what pages load, buttons, the reference. The browser's tests are in tests/browser."""

import html
import json
import re
import resource
import subprocess
import sys
import urllib.parse
import zlib
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import book_ext  # noqa: E402
import check_links  # noqa: E402

from coursekit import ledger  # noqa: E402

CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY = CONFIG["repository"]["url"]
# Executed pages: the chapters and the exercise sheets.
NOTEBOOKS = sorted(path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("[ce][hx]*/[0-9]*.md"))


def page(book, name):
    """The HTML of one page."""
    return (book / f"{name}.html").read_text(encoding="utf-8")


class Images(HTMLParser):
    """The pictures of a page with what a screen reader says of them."""

    def __init__(self, text):
        super().__init__()
        self.without_words = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img" and not dict(attrs).get("alt"):
            self.without_words.append(dict(attrs).get("src", "")[:80])


def test_that_every_link_inside_the_book_leads_somewhere_and_nothing_is_loaded_from_elsewhere(book):
    assert check_links.internal_problems(book) == []


def test_that_broken_links_and_foreign_scripts_are_found(tmp_path):
    (tmp_path / "index.html").write_text(
        '<p id="here"><a href="#here">a</a><a href="gone.html">b</a><a href="index.html#gone">c</a>'
        '<script src="https://example.org/x.js"></script><a href="https://example.org">fine</a>'
    )
    (tmp_path / "style.css").write_text(
        "@import 'https://example.org/font.css'; p {background: url(//example.org/x.png)}"
    )
    problems = "\n".join(check_links.internal_problems(tmp_path))
    assert "gone.html does not exist" in problems
    assert "#gone names an anchor" in problems
    assert "loads https://example.org/x.js" in problems
    assert "loads https://example.org/font.css" in problems
    assert "loads //example.org/x.png" in problems
    assert len(problems.splitlines()) == 5


@pytest.mark.parametrize("name", NOTEBOOKS, ids=str)
def test_that_each_notebook_page_has_buttons_that_open_its_own_notebook(book, name):
    text = page(book, name)
    path = urllib.parse.urlsplit(REPOSITORY).path
    assert f"https://colab.research.google.com/github{path}/blob/main/{name}.ipynb" in text
    assert f"{REPOSITORY}/edit/main/{name}.md" in text
    assert (ROOT / f"{name}.ipynb").is_file()


@pytest.mark.parametrize("name", NOTEBOOKS, ids=str)
def test_that_each_notebook_page_was_executed_without_a_traceback(book, name):
    text = page(book, name)
    assert "Traceback" not in text
    if name.parts[0] == "chapters":
        assert "cell_output" in text


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name.parts[0] == "exercises"], ids=str)
def test_that_the_page_of_a_sheet_does_not_show_its_solutions(book, name):
    text = re.sub(r"<[^>]+>", "", page(book, name))
    assert "SOLUTION" not in text
    assert "raise NotImplementedError" in text
    assert "Hint 1 of" in text


@pytest.mark.parametrize("name", NOTEBOOKS, ids=str)
def test_that_every_picture_says_what_it_shows(book, name):
    assert Images(page(book, name)).without_words == []


def test_that_every_formula_is_mathml_in_characters_that_the_font_has(book):
    from fontTools.ttLib import TTFont

    characters, formulas = set(TTFont(ROOT / "_static" / "fonts" / "stix-two-math.woff2").getBestCmap()), 0
    for path in [*book.glob("*.html"), *book.glob("[cer][hxe]*/*.html")]:
        text = path.read_text(encoding="utf-8")
        assert text.count('class="math') == text.count("<math "), path.name
        for formula in re.findall(r"<math .*?</math>", text, re.DOTALL):
            formulas += 1
            words = html.unescape(re.sub(r"<mtext.*?</mtext>|<[^>]+>", "", formula))
            missing = {c for c in words if ord(c) not in characters and not c.isspace()}
            assert not missing, f"{path.name}: {missing} in {words}"
    assert formulas > 1000


def test_that_every_element_of_a_formula_has_the_parts_that_it_needs(book):
    needed = {"msub": 2, "msup": 2, "mfrac": 2, "munder": 2, "mover": 2, "mroot": 2, "msubsup": 3, "munderover": 3}
    for path in [*book.glob("*.html"), *book.glob("[cer][hxe]*/*.html")]:
        for formula in re.findall(r"<math .*?</math>", path.read_text(encoding="utf-8"), re.DOTALL):
            for element in ElementTree.fromstring(formula).iter():
                parts = len(element)
                assert parts == needed.get(element.tag, parts), f"{path.name}: {parts} in <{element.tag}>: {formula}"


def test_that_every_icon_on_the_pages_is_in_the_small_font(book):
    from fontTools.ttLib import TTFont

    css = (book / "_static/styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    code_points = {}
    for selectors, code in re.findall(r'((?:\.fa-[\w-]+(?::before)?,?)+)\{content:"\\([0-9a-f]+)"\}', css):
        code_points |= {name: int(code, 16) for name in re.findall(r"\.(fa-[\w-]+)", selectors)}
    assert len(code_points) > 1000
    fonts = {}
    for style in ("solid", "brands"):
        font = TTFont(ROOT / "_static" / "fonts" / f"icons-{style}.woff")
        fonts[style] = set(font.getBestCmap())
    used = set()
    for path in [book / "index.html", book / "search.html", *(book / f"{name}.html" for name in NOTEBOOKS)]:
        used |= set(re.findall(r'class="[^"]*\b(fa-[\w-]+)[^"]*"', path.read_text(encoding="utf-8")))
    missing = {icon for icon in used & set(code_points) if code_points[icon] not in fonts["solid"] | fonts["brands"]}
    assert not missing


def inventory(book):
    """The names that the reference documents, from Sphinx's own list."""
    data = (book / "objects.inv").read_bytes()
    body = zlib.decompress(data.split(b"\n", 4)[4]).decode()
    return {line.split(" ")[0] for line in body.splitlines() if " py:" in line}


def test_that_the_reference_has_every_public_name_with_its_source(book):
    documented = inventory(book)
    assert {"coursekit.activations.relu_forward", "coursekit.filters.sobel_x", "coursekit.data.mnist"} <= documented
    modules = book_ext.public_modules()
    for module, tree in modules.items():
        elsewhere = book_ext.imported_from_public(tree, module, modules) | book_ext.assigned(tree)
        for name in set(book_ext.exported(tree, module)) - elsewhere:
            assert f"{module}.{name}" in documented
    assert 'href="../_modules/coursekit/activations.html#' in page(book, "reference/coursekit.activations")


def test_that_docstrings_show_formulas_and_tables_and_not_their_markup(book):
    text = page(book, "reference/coursekit.activations")
    visible = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)
    visible = re.sub(r'<(span|div) class="math[^>]*>.*?</\1>', "", visible, flags=re.DOTALL)
    visible = re.sub(r"<[^>]+>", "", visible)
    assert "$" not in visible
    assert "|---" not in visible
    assert "`" not in visible
    assert text.count('class="math') > 15


def test_that_no_page_shows_markup_that_was_not_rendered(book):
    marks = re.compile(r"\{(?:code-cell|admonition|cite|glue|term|figure|math|doc|ref)[:\w]*\}`|:::\{|```\{")
    for path in [*book.glob("*.html"), *book.glob("chapters/*.html"), *book.glob("exercises/*.html")]:
        text = re.sub(r"<(script|style|pre|code)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not marks.search(text), f"{path.name}: {marks.search(text)[0]}"


def test_that_every_entry_of_the_bibliography_is_cited_somewhere():
    keys = re.findall(r"^@\w+\{(\w+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(keys) == len(set(keys)) > 0
    text = "".join(path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("[ce][hx]*/*.md")])
    cited = {key.strip() for group in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in group.split(",")}
    assert sorted(set(keys) - cited) == []


def test_that_the_repository_is_named_in_one_place_of_each_tool():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert project.count(REPOSITORY) == 1
    assert f'Repository = "{REPOSITORY}"' in project
    assert (ROOT / "_config.yml").read_text(encoding="utf-8").count(REPOSITORY) == 1
    for notebook in (path.with_suffix(".ipynb") for path in NOTEBOOKS):
        text = "".join("".join(cell["source"]) for cell in json.loads((ROOT / notebook).read_text())["cells"])
        for address in re.findall(r"git\+(https://[^'\"\s]+)", text):
            assert address == REPOSITORY


@pytest.mark.slow
def test_that_an_unchanged_book_is_not_built_again(book):
    before = {path: path.stat().st_mtime_ns for path in book.glob("chapters/*.html")}
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "tools/build_book.py"], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    end = resource.getrusage(resource.RUSAGE_CHILDREN)  # processor time: a busy machine must not fail the test
    assert end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime < 20
    assert "Executing notebook" not in done.stdout
    assert "0 added, 0 changed, 0 removed" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in book.glob("chapters/*.html")} == before


def test_that_the_ledger_page_shows_a_table_with_every_row(book):
    page = (book / "ledger.html").read_text(encoding="utf-8")
    assert "| claim |" not in page, "the table is shown as plain text"
    assert page.count("<tr") >= sum(len(ledger.claims(chapter)) for chapter in ledger.CHAPTERS)
