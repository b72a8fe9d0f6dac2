"""The book's Sphinx extension: docstrings become reST, modules become pages, what is not documented is reported."""

import ast
import base64
import hashlib
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import book_ext  # noqa: E402

KNOWN = {"relu_forward": "coursekit.activations.relu_forward"}


def rest(text):
    return "\n".join(book_ext.to_rest(text.split("\n"), KNOWN))


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("The rate $x^2$.", "The rate :math:`x^2`."),
        ("$x$s and a$x$", r":math:`x`\ s and a\ :math:`x`"),
        ("an array `x` of floats", "an array ``x`` of floats"),
        ("as `relu_forward` does", "as :py:obj:`relu_forward <coursekit.activations.relu_forward>` does"),
        ("as `relu_forward()` does", "as :py:obj:`relu_forward() <coursekit.activations.relu_forward>` does"),
        ("kept ``$x$`` and :math:`y`", "kept ``$x$`` and :math:`y`"),
        ("the norm |x| of x_ ends", r"the norm \|x\| of x\_ ends"),
        ("$|x|$ and `a_`", ":math:`|x|` and ``a_``"),
        (">>> f('$x$')\n'`y`'", ">>> f('$x$')\n'`y`'"),
    ],
)
def test_that_inline_markup_is_translated(markdown, expected):
    assert rest(markdown) == expected


def test_that_a_table_becomes_a_list_table_with_its_formulas():
    out = rest("| name | formula |\n|---|---|\n| relu | $\\max(0, |x|)$ |\n| | `x|y` |")
    assert out.split("\n") == [
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - name",
        "     - formula",
        "   * - relu",
        "     - :math:`\\max(0, |x|)`",
        "   * - ",
        "     - ``x|y``",
        "",
    ]


def test_that_a_displayed_formula_becomes_a_block():
    assert [line for line in rest("Then\n$$\na = b\n$$\nends.").split("\n") if line] == [
        "Then",
        ".. math::",
        "   a = b",
        "ends.",
    ]
    assert "   a = b" in rest("$$a = b$$").split("\n")


def test_that_code_by_indent_and_by_fence_stays_code():
    assert rest("Like this\n\n    a | b $c$\n\nand on").split("\n") == [
        "Like this", "", "::", "", "    a | b $c$", "", "and on"
    ]  # fmt: skip
    assert ".. code-block:: text" in rest("```\na | b\n```")
    assert "   a | b" in rest("```\na | b\n```").split("\n")


def test_that_a_doctest_after_a_section_gets_a_head_of_its_own():
    text = "Sum.\n\nRaises\n------\nShapeError\n    If it is wrong.\n\n>>> f()\n1"
    assert rest(text).endswith("\nExamples\n--------\n>>> f()\n1")
    assert "Examples" not in rest("Sum.\n\n>>> f()\n1")


def test_that_a_docstring_links_to_what_it_means():
    known = {
        "runs": "coursekit.interactive.code.runs",
        "step": "coursekit.layers.recurrent.step",
        "relu_forward": "coursekit.activations.relu_forward",
    }

    def seen(name, obj=None):
        return book_ext.names_seen_from(name, obj, known)

    assert set(seen("coursekit.losses.huber")) == {"step", "relu_forward"}
    assert set(seen("coursekit.interactive.code.call")) == set(known)
    assert set(seen("coursekit.losses.huber", lambda step: step)) == {"relu_forward"}
    assert "relu_forward" not in seen("coursekit.activations.relu_forward")
    experiment = seen("coursekit.experiments.batch_normalization.rate_curve")
    assert experiment["training_curve"] == "coursekit.experiments.batch_normalization.training_curve"
    assert experiment["mlp"] == "coursekit.experiments._bench.mlp"


def test_that_exported_names_are_read_without_importing():
    assert book_ext.exported(ast.parse('__all__ = ["a", "b"]\n')) == ["a", "b"]
    assert book_ext.exported(ast.parse('__all__: list[str] = ["a"]\n')) == ["a"]
    assert book_ext.exported(ast.parse("x = 1\n")) == []


def test_that_a_package_leaves_to_its_modules_what_they_document():
    tree = ast.parse("from .public import a\nfrom ._private import b\nfrom . import c\n")
    modules = {"pkg": tree, "pkg.public": None, "pkg.c": None}
    assert book_ext.imported_from_public(tree, "pkg", modules) == {"a", "c"}
    assert book_ext.imported_from_public(tree, "pkg.beside", modules) == {"a", "c"}
    assert book_ext.imported_from_public(tree, "elsewhere", modules) == set()


@pytest.mark.parametrize(("what", "reported"), [("function", True), ("class", True), ("attribute", False)])
def test_that_a_public_name_without_a_docstring_is_a_warning(what, reported, monkeypatch):
    said = []
    monkeypatch.setattr(book_ext.logger, "warning", lambda text, *args: said.append(text % args))
    app = types.SimpleNamespace(known_names={})
    book_ext.on_docstring(app, what, "coursekit.x.f", None, None, [])
    assert bool(said) is reported
    said.clear()
    book_ext.on_docstring(app, what, "coursekit.x.f", None, None, ["Documented."])
    assert not said


def test_that_bibliography_labels_name_authors_and_year():
    from pybtex.database import parse_string

    entry = "@article{{{key}, author = {{{author}}}, year = {{{year}}}, title = {{T}}}}\n"
    people = [("a", "He, K. and Sun, J.", 2015), ("b", "A, B and C, D and E, F", 2020), ("c", "Pan, A.", 2001)]
    people.append(("d", "Pan, B.", 2001))
    data = parse_string("".join(entry.format(key=k, author=a, year=y) for k, a, y in people), "bibtex")
    labels = list(book_ext.AuthorYearLabels().format_labels(list(data.entries.values())))
    assert labels == ["He and Sun 2015", "A et al. 2020", "Pan 2001", "Pan 2001b"]


PAGE = """<html><head>
<meta charset="utf-8"><script>mode = "dark";</script><script src="a.js"></script>
<script type="application/json">{"x": 1}</script></head><body>
<button onclick="window.print()">Print</button></body></html>"""


def test_that_a_page_names_its_inline_scripts_by_hash_and_no_other():
    page = book_ext.with_policy(PAGE)
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    for code in ('mode = "dark";', "window.print()"):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.count("sha256-") == 2
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_that_a_second_build_writes_the_same_policy():
    once = book_ext.with_policy(PAGE)
    assert book_ext.with_policy(once) == once
    assert once.count("Content-Security-Policy") == 1


def test_that_the_page_at_the_root_leads_to_the_cover_and_names_an_icon():
    config = types.SimpleNamespace(
        html_title="Nets & more",
        root_doc="cover",
        html_baseurl="https://example.org/book/",
        html_favicon="pics/mark.svg",
    )
    page = book_ext.first_page(config)
    assert "<title>Nets &amp; more</title>" in page and 'content="0; url=cover.html"' in page
    assert '<link rel="icon" href="_static/mark.svg">' in page
    assert '<link rel="canonical" href="https://example.org/book/cover.html">' in page


@pytest.mark.parametrize(
    ("added", "removed", "kept"), [(set(), set(), True), ({"a"}, set(), False), (set(), {"a"}, False)]
)
def test_that_listings_of_source_are_dropped_when_a_page_comes_or_goes(added, removed, kept, tmp_path):
    listing = tmp_path / "_modules" / "coursekit" / "dense.html"
    listing.parent.mkdir(parents=True)
    listing.write_text("<nav>all pages</nav>")
    book_ext.list_sources_anew(types.SimpleNamespace(outdir=tmp_path), None, added, {"b"}, removed)
    assert listing.exists() == kept


@pytest.mark.parametrize(
    ("page", "address"), [("intro.html", "reference/a.html#b"), ("chapters/05_x.html", "../reference/a.html#b")]
)
def test_an_explorer_links_to_its_experiment_from_a_page_at_the_root_too(page, address):
    assert f'<a href="{address}">' in book_ext.mended(page, '<a href="../reference/a.html#b">signal</a>')


@pytest.mark.parametrize(
    ("page", "address"), [("chapters/05_x", "../ledger.html#05.he"), ("intro", "ledger.html#05.he")]
)
def test_that_the_name_of_a_row_becomes_a_link_to_the_ledger(page, address):
    settings = types.SimpleNamespace(env=types.SimpleNamespace(docname=page))
    inliner = types.SimpleNamespace(document=types.SimpleNamespace(settings=settings))
    [link], problems = book_ext.LedgerRow()("row", "{row}`05.he`", "05.he", 1, inliner)
    assert (link["refuri"], link.astext(), problems) == (address, "ledger", [])


def test_a_picture_says_how_wide_it_must_be_on_a_phone():
    picture = '<svg viewBox="0 0 400 200"><text style="font-size:8px"></text></svg>'
    page = f'<div class="ck-figure" style="background:#fff" role="img">{picture}</div>'
    text = book_ext.PICTURE.sub(book_ext.readable, page)
    assert 'style="background:#fff;--phone:560px" role="img"' in text
    assert book_ext.PICTURE.sub(book_ext.readable, text) == text
    view = f'<figure class="ck-view"><div class="ck-picture" role="img">{picture}</div></figure>'
    assert book_ext.PICTURE.sub(book_ext.readable, view).startswith(
        '<figure class="ck-view" style=";--phone:560px"><div'
    )


def test_a_title_is_said_once_and_a_chapter_has_its_number():
    title = "<title>{} &#8212; Book</title>"
    for name, here, expected in (
        ("intro.html", "Book", "Book"),
        ("chapters/07_x.html", "Optimizers", "7 Optimizers &#8212; Book"),
        ("chapters/07_x.html", "7 Optimizers", "7 Optimizers &#8212; Book"),
        ("notation.html", "Notation", "Notation &#8212; Book"),
    ):
        text = book_ext.TITLE.sub(lambda match, name=name: book_ext.titled(match, name), title.format(here))
        assert text == f"<title>{expected}</title>"


def test_a_cell_of_a_card_says_the_head_of_its_column():
    head, row = "<thead><tr><th>claim</th><th>came out</th></tr></thead>", "<tr><td>a</td><td>b</td></tr>"
    text = book_ext.as_cards(f'<table class="table">{head}{row}</table>')
    assert '<td data-head="claim">a</td><td data-head="came out">b</td>' in text
    assert 'class="table cards"' in text


def test_a_citation_after_its_names_gives_the_year_only():
    def cited(before, who, year="2015"):
        return (
            f'{before} <span class="bibtex-citation" id="id1">[<a href="b.html#id2" title="x">{who}, {year}</a>]</span>'
        )

    for before, who, shown in (
        ("as He and colleagues", "He et al.", "2015"),
        ("Glorot and Bengio", "Glorot and Bengio", "2015"),
        ("by Kingma", "Kingma", "2015"),
        ("The rule", "He et al.", "He et al., 2015"),
        ("Lu and colleagues", "He et al.", "He et al., 2015"),
    ):
        text = book_ext.mended("chapters/01_x.html", cited(before, who))
        assert f'title="x">{shown}</a>]' in text and text.startswith(before)
        assert book_ext.mended("chapters/01_x.html", text) == text


def test_titles_of_explorers_are_headings_below_the_last_one():
    page = '<h1>A</h1><p class="ck-title" id="a">x</p><h2>B</h2><h3>C</h3><p class="ck-title" id="b">y</p>'
    text = book_ext.mended("chapters/01_x.html", page)
    assert '<p class="ck-title" role="heading" aria-level="2" id="a">' in text
    assert '<p class="ck-title" role="heading" aria-level="4" id="b">' in text
    assert book_ext.mended("chapters/01_x.html", text) == text


@pytest.mark.parametrize("name", ["chapters/01_x.html", "reference/coursekit.losses.html", "search.html"])
def test_a_page_that_is_mended_again_stays_as_it_is(name):
    page = (
        '<html><head>\n<meta charset="utf-8" />\n<title>Losses &#8212; The book</title>\n</head><body>'
        '<p>It takes 5 ms - "fast".</p><figure class="ck-view"><svg viewBox="0 0 300 90"><text font-size="8"/></svg>'
        "</figure></body></html>"
    )
    once = book_ext.with_policy(book_ext.mended(name, page))
    assert once != page
    assert book_ext.with_policy(book_ext.mended(name, once)) == once
