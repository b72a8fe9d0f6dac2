"""What the search page searches: each section of the built pages, with heading, page, kind and words."""

import hashlib
import json
import re
import shutil
from pathlib import Path

from bs4 import BeautifulSoup, Tag

FOLDER = Path(__file__).with_name("search")
ENGINE = "minisearch-7.2.0.js"
LEFT_OUT = ("search.html", "genindex.html", "py-modindex.html", "404.html", "index.html")
NOT_READ = ".headerlink, .eqno, .cell_input, .ck-alt, button, form, .toctree-wrapper, .ck-progress, nav"
BESIDE = ("bibliography.html", "review.html", "instructor_guide.html")
HEAVY = re.compile(r"<(svg|script|style)\b.*?</\1>", re.S)  # most of a page, and nothing to search


def kind(name):
    """What a page is, from its address: the search weighs the kinds."""
    folder = name.partition("/")[0] if "/" in name else ""
    if name in BESIDE:
        return "reference"
    return {"chapters": "chapter", "exercises": "sheet", "reference": "reference"}.get(folder, "page")


def words(tag):
    """The words of a part of a page."""
    return re.sub(r"\s+", " ", tag.get_text(" ")).replace(" .", ".").replace(" ,", ",").strip()


def read_part(html):
    """The part of a page that is searched, as text."""
    start = html.find("<article")
    return HEAVY.sub("", html[start:]) if start >= 0 else ""


def sections(name, html):
    """Yield what each section of a page has, without the sections in it."""
    soup = BeautifulSoup(read_part(html), "html.parser")
    article = soup.select_one("article.bd-article")
    if article is None:
        return
    for tag in article.select(NOT_READ):
        tag.decompose()
    first = article.find("h1")
    page = words(first) if first else name
    # From the inside out: what a section gave is taken out of the one around it.
    found = []
    for section in reversed(article.select("section[id], dl.py > dt[id], dl.glossary > dt[id]")):
        if not isinstance(section, Tag) or section.parent is None:
            continue
        if section.name == "dt":
            body = section.find_next_sibling("dd")
            title = section["id"].removeprefix("coursekit.") if "sig" in section.get("class", []) else words(section)
            text = words(body) if body else ""
            if body:
                body.decompose()
        else:
            heading = section.find(re.compile("^h[1-6]$"))
            title = words(heading) if heading else page
            if heading:
                heading.decompose()
            text = words(section)
        found.append({"at": f"{name}#{section['id']}", "title": title, "page": page, "kind": kind(name), "text": text})
        section.decompose()
    yield from reversed(found)


def copy_scripts(out):
    """Put the scripts of the search page into a built book."""
    target = out / "_static" / "search"
    target.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.iterdir():
        shutil.copy(path, target / path.name)


def write(out, pages, before=None):
    """Write the index of a built book, from {name: html}.

    Returns what is in it, {name: [digest, entries]}. Given as `before` at the next build, it saves reading the pages
    whose text is the same.
    """
    before, kept = before or {}, {}
    for name, html in sorted(pages.items()):
        if name in LEFT_OUT or name.startswith("_"):
            continue
        digest = hashlib.sha256(read_part(html).encode()).hexdigest()
        last = before.get(name)
        kept[name] = last if last and last[0] == digest else [digest, [*sections(name, html)]]
    found = [
        entry for _, entries in kept.values() for entry in entries if entry["text"] or entry["kind"] != "reference"
    ]
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (out / "_static" / "search" / "sections.js").write_text(f"window.courseSections={text};\n", encoding="utf-8")
    return kept
