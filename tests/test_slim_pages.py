"""One style sheet with the rules that some page can use, scripts that wait, and links that follow."""

import sys
from pathlib import Path

import pytest
import tinycss2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import slim_pages  # noqa: E402

WORDS = {"note", "show", "wide", "main"}


def kept(css):
    return slim_pages.keep(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), WORDS)


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        (".note{a:b}", ".note{a:b}"),
        (".gone{a:b}", ""),
        (".note .gone,.note.show{a:b}", ".note.show{a:b}"),
        ("#main>p:not(.gone){a:b}", "#main>p:not(.gone){a:b}"),
        ("html[data-theme=dark] p{a:b}", "html[data-theme=dark] p{a:b}"),
        (".sd-50\\%{a:b}", ".sd-50\\%{a:b}"),
        ("@media print{.gone{a:b}}", ""),
        ("@media print{.gone{a:b}.show{c:d}}", "@media print{.show{c:d}}"),
        ("@font-face{font-family:x}", "@font-face{font-family:x}"),
        (":is(.note,.gone) p{a:b}", ":is(.note,.gone) p{a:b}"),
    ],
)
def test_a_rule_stays_when_a_page_can_hold_what_it_names(css, expected):
    assert kept(css) == expected


@pytest.fixture
def site(tmp_path):
    static = tmp_path / "_static"
    (static / "styles").mkdir(parents=True)
    (static / "basic.css").write_text(".note{a:url(icons/x.svg)}")
    (static / "styles" / "theme.css").write_text('@import "../basic.css";')
    (static / "styles" / "pydata-sphinx-theme.css").write_text(".show{b:url('../fonts/y.woff')}.gone{c:d}")
    (static / "custom.css").write_text(".note{e:f}")
    (static / "theme.js").write_text("element.classList.add('show')")
    (static / "documentation_options.js").write_text("const DOCUMENTATION_OPTIONS = {};\n")
    (tmp_path / "chapters").mkdir()
    text = (
        '<head><link href="../_static/styles/theme.css?digest=1" rel="stylesheet" />\n'
        '<link href="../_static/styles/pydata-sphinx-theme.css" rel="stylesheet" />\n'
        '<link rel="stylesheet" href="../_static/custom.css?v=2" />\n'
        '<link rel="stylesheet" href="../_static/other.css" />\n'
        '<script src="../_static/documentation_options.js"></script><script src="../_static/theme.js"></script>'
        '<script defer src="x.js"></script><script type="module" src="y.mjs"></script></head><p class="note">'
    )
    return tmp_path, text


def slim(out, text):
    (fresh,) = slim_pages.slim(out, {out / "chapters" / "05.html": text}).values()
    return fresh


def test_the_sheets_become_one_in_their_order_and_addresses_are_seen_from_its_place(site):
    out, text = site
    text = slim(out, text)
    (sheet,) = out.glob("_static/book.*.css")
    css = sheet.read_text()
    assert css.index("icons/x.svg") < css.index("fonts/y.woff") < css.index("e:f")
    assert 'url("fonts/y.woff")' in css and "gone" not in css and "@import" not in css
    assert text.count(".css") == 2 and f"../_static/{sheet.name}" in text and "../_static/other.css" in text


def test_scripts_wait_and_the_settings_are_in_the_page(site):
    text = slim(*site)
    assert '<script defer src="../_static/theme.js">' in text
    assert "<script>const DOCUMENTATION_OPTIONS = {};</script>" in text
    assert text.count("defer") == 2


def test_a_second_build_changes_nothing_and_a_new_class_gives_a_new_sheet(site):
    out, text = site
    before = slim(out, text)
    assert slim(out, before) == before
    after = slim(out, before + '<p class="gone">')
    (sheet,) = out.glob("_static/book.*.css")
    assert "gone" in sheet.read_text() and sheet.name in after
    assert sheet.name not in before


def test_a_sheet_that_cannot_be_read_is_an_error():
    with pytest.raises(ValueError, match="cannot be read"):
        kept(".note")


def figure(kind, data, name="f12-photo0"):
    return f'<svg><image id="{name}" width="9" href="data:image/{kind};base64,{data}"/></svg>'


def test_a_large_photo_of_a_figure_becomes_a_file(tmp_path):
    large, small = "QUJD" * 2000, "QUJD" * 20
    page = tmp_path / "chapters" / "12.html"
    text = figure("webp", large) + figure("png", small) + figure("webp", large, "ck-filtered-photo0")
    made = slim_pages.photos(tmp_path, {page: text})[page]
    (photo,) = (tmp_path / "_static/ck/photos").iterdir()
    assert photo.suffix == ".webp" and photo.read_bytes() == b"ABC" * 2000
    assert f'width="9" href="../_static/ck/photos/{photo.name}"' in made
    assert small in made and made.count(large) == 1  # a small one and an explorer's stay where they are


def test_photos_that_no_page_shows_go(tmp_path):
    page = tmp_path / "intro.html"
    old = slim_pages.photos(tmp_path, {page: figure("webp", "QUJD" * 2000)})
    again = slim_pages.photos(tmp_path, old)  # a page that this build did not write again
    assert again == old and len([*(tmp_path / "_static/ck/photos").iterdir()]) == 1
    slim_pages.photos(tmp_path, {page: "<p>"})
    assert not [*(tmp_path / "_static/ck/photos").iterdir()]
