"""What the book needs to be read without a network."""

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import offline  # noqa: E402


@pytest.fixture
def site(tmp_path):
    """A site with a page, pictures of an explorer, and Python."""
    for name, text in {
        "intro.html": '<div class="ck-offline"><p></p></div><span class="ck-copy-size"></span>',
        "chapters/05_x.html": "<h1>5</h1>",
        "_static/book.0123456789ab.css": "p{}",
        "_static/ck/frames/signal-08784e62add5/0.js": "ckPack()",
        "_static/ck/pyodide-314-abc/python.wasm": "x" * 3_000_000,
        "lite/index.html": "lab",
        "sitemap.xml": "<x/>",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    offline.finish(tmp_path)
    return tmp_path


def test_the_worker_names_what_this_build_has(site):
    text = (site / "sw.js").read_text()
    current = json.loads(re.search(r"const CURRENT = (\[.*?\]);", text, re.S)[1])
    assert current == [
        "_static/book.0123456789ab.css",
        "_static/ck/frames/signal-08784e62add5/",
        "_static/ck/pyodide-314-abc/",
    ]
    assert not re.search(r"@[A-Z]+@", text)


def test_the_copy_has_all_but_python_and_the_first_page_says_how_large_it_is(site):
    with zipfile.ZipFile(site / offline.COPY) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
        first = archive.read("training-neural-networks/intro.html").decode()
    assert names == {
        "intro.html",
        "chapters/05_x.html",
        "_static/book.0123456789ab.css",
        "_static/ck/frames/signal-08784e62add5/0.js",
    }
    assert first == (site / "intro.html").read_text()
    assert 'data-python="3"' in first and 'ck-copy-size">1 MB<' in first


def test_the_same_pages_give_the_same_files(site):
    before = {name: (site / name).read_bytes() for name in ("sw.js", offline.COPY, "intro.html")}
    offline.finish(site)
    assert before == {name: (site / name).read_bytes() for name in before}
