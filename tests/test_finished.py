"""A build that has changed nothing finishes no page again."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import finished

book_ext = pytest.importorskip("book_ext", reason="the book's tools are not here")


@pytest.fixture
def book(tmp_path):
    out = tmp_path / "html"
    for name in ("intro.html", "chapters/01.html", "_static/book.css", "lite/index.html"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(name)
    return out


def test_nothing_is_known_before_the_first_build(book, tmp_path):
    kept = finished.Kept(tmp_path / "finished.json")
    assert not kept.is_finished(book) and kept.searched() == {}


def test_a_book_is_finished_until_a_file_of_it_changes(book, tmp_path):
    record = tmp_path / "finished.json"
    finished.Kept(record).keep(book, {"intro.html": ["d1", []]})
    kept = finished.Kept(record)
    assert kept.is_finished(book) and kept.searched() == {"intro.html": ["d1", []]}
    (book / "lite" / "index.html").write_text("made after the pages")
    (book / "intro.html").write_text("intro.html")  # the same once more
    assert kept.is_finished(book)
    (book / "chapters" / "01.html").write_text("chapters/10.html")
    assert not kept.is_finished(book)


@pytest.mark.parametrize("change", [lambda out: (out / "new.html").touch(), lambda out: (out / "intro.html").unlink()])
def test_a_file_that_came_or_went_is_a_change(book, tmp_path, change):
    record = tmp_path / "finished.json"
    finished.Kept(record).keep(book, {})
    change(book)
    assert not finished.Kept(record).is_finished(book)


@pytest.mark.parametrize("name", ["typography.py", "storage_guard.js", "search/search_page.js"])
def test_other_tools_finish_all_pages_again(book, tmp_path, monkeypatch, name):
    tools = tmp_path / "tools"
    (tools / "search").mkdir(parents=True)
    (tools / name).write_text("1")
    monkeypatch.setattr(finished, "TOOLS", tools)
    record = tmp_path / "finished.json"
    finished.Kept(record).keep(book, {"intro.html": ["d1", []]})
    assert finished.Kept(record).is_finished(book)
    (tools / name).write_text("2")
    kept = finished.Kept(record)
    assert not kept.is_finished(book) and kept.searched() == {}


@pytest.mark.parametrize("spoilt", ["", "{", "[]", "7"])
def test_a_spoilt_record_is_none(book, tmp_path, spoilt):
    (tmp_path / "finished.json").write_text(spoilt)
    assert not finished.Kept(tmp_path / "finished.json").is_finished(book)


def test_a_second_build_finishes_no_page_and_a_changed_page_all_that_hangs_on_it(tmp_path, monkeypatch):
    out, doctrees = tmp_path / "html", tmp_path / "doctrees"
    (out / "_static").mkdir(parents=True)
    doctrees.mkdir()
    (out / "_static" / "documentation_options.js").write_text("const O = 1;")
    page = '<html><head>\n<meta charset="utf-8" />\n<title>A &#8212; B</title>\n</head><body><article></article></body>'
    for name in ("intro.html", "404.html"):
        (out / name).write_text(page)
    config = SimpleNamespace(html_favicon="f.svg", html_title="B", root_doc="intro", html_baseurl="https://b.org/")
    env = SimpleNamespace(found_docs={"intro"}, get_domain=lambda name: SimpleNamespace(objects={}))
    builder = SimpleNamespace(format="html")
    app = SimpleNamespace(outdir=out, doctreedir=doctrees, srcdir=tmp_path, config=config, env=env, builder=builder)
    times, slim = [], book_ext.slim_pages.slim
    monkeypatch.setattr(book_ext.slim_pages, "slim", lambda *a: times.append(1) or slim(*a))
    book_ext.on_build_finished(app, None)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert "Content-Security-Policy" in (out / "index.html").read_text() and len(times) == 1
    book_ext.on_build_finished(app, None)
    assert len(times) == 1 and before == {path: path.stat().st_mtime_ns for path in before}
    (out / "intro.html").write_text(page.replace("A", "C"))
    book_ext.on_build_finished(app, None)
    assert len(times) == 2 and "Content-Security-Policy" in (out / "intro.html").read_text()
    book_ext.on_build_finished(app, None)
    assert len(times) == 2
