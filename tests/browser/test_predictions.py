"""Every prediction of every chapter: before the reader commits, nothing that is visible gives its answer away.

The chapters' text is set here without running their code: each prediction is the real one, each other cell a box. The
cover is the page's own script and style sheet.
"""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path

import pytest
from browser_help import lift_covers
from markdown_it import MarkdownIt

import coursekit.interactive
from coursekit.interactive.predict import Prediction

ROOT = Path(__file__).parents[2]
STATIC = Path(coursekit.interactive.__file__).parent / "static"
CHAPTERS = sorted((ROOT / "chapters").glob("*.md"))
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="explorer.css"><link rel="stylesheet" href="predict.css">
<script defer src="memory.js"></script><script defer src="predict.js"></script><script defer src="progress.js"></script>
<style>:root {{ color-scheme: {theme}; }} body {{ max-width: 46rem; margin: 1rem auto; padding: 0 1rem;
font: 16px/1.5 sans-serif; }} html[data-theme=dark] body {{ color: #ddd; background: #14181e; }}</style></head>
<body><main><article>{body}</article></main></body></html>"""


def predictions(chapter):
    module = importlib.import_module(f"coursekit.explorers.{chapter.stem[3:]}")
    return {name: value for name, value in vars(module).items() if isinstance(value, Prediction)}


def set_chapter(chapter) -> str:
    """The chapter as HTML: headings make sections, as Sphinx makes them."""
    known = predictions(chapter)
    text = re.sub(r"\A---\n.*?\n---\n", "", chapter.read_text(encoding="utf-8"), flags=re.S)
    parts = re.split(r"^(#{1,4} [^\n]*|```.*?^```)$", text, flags=re.S | re.M)
    html, depth = [], 0
    markdown = MarkdownIt("commonmark").enable("table")
    for part in parts:
        heading = re.match(r"(#{1,4}) (.*)", part)
        found = re.search(r"^explore\.(predict_\w+)$", part, re.M)
        if heading:
            level = len(heading[1])
            html.append("</section>" * max(0, depth - level + 1))
            html.append(f"<section><h{level}>{heading[2]}</h{level}>")
            depth = level
        elif part.startswith("```") and found:
            html.append(f'<div class="cell">{known[found[1]].html()}</div>')
        elif part.startswith("```{code-cell}"):
            hidden = "remove-input" in part and "glue(" in part
            html.append("" if hidden else '<div class="cell result">A figure, an explorer or an output.</div>')
        elif not part.startswith("```"):
            html.append(markdown.render(part))
    return "".join(html) + "</section>" * depth


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """pages(chapter, theme) -> address of a page with its text and its real predictions."""
    folder = tmp_path_factory.mktemp("chapters")
    for file in STATIC.glob("*.*s"):
        shutil.copy(file, folder)

    def write(chapter, theme="light"):
        file = folder / f"{chapter.stem}-{theme}.html"
        if not file.exists():
            file.write_text(PAGE.format(title=chapter.stem, body=set_chapter(chapter), theme=theme), encoding="utf-8")
        return file.as_uri()

    return write


def clues(asked) -> list[str]:
    """Words whose sight would give the answer away."""
    if asked.is_choice:
        return [asked.answer]
    if asked.is_curve:
        return [asked.right, asked.explanation[:60]]
    return [asked.right, asked.explanation[:60]]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_nothing_visible_gives_an_answer_away(open_page, pages, chapter):
    page = open_page(pages(chapter))
    asked = {value.name: value for value in predictions(chapter).values()}
    boxes = page.locator(".ck-predict[data-covers]").all()
    assert {box.get_attribute("data-name") for box in boxes} == set(asked), "a prediction that no cell shows"
    # In every section that has a prediction: nothing after the first one is to be seen.
    left = page.evaluate("""() => [...document.querySelectorAll(".ck-covering")].flatMap((block) => {
        const later = [];
        for (let next = block.nextElementSibling; next; next = next.nextElementSibling)
            if (next.checkVisibility()) later.push(next.outerHTML.slice(0, 100));
        return later;
    })""")
    assert left == []
    assert page.locator(".ck-covering").count() >= 1
    # And nowhere on the page do the words of the answer stand, outside of the question itself.
    visible = page.evaluate("""() => {
        const article = document.querySelector("article");
        document.querySelectorAll(".ck-predict").forEach((box) => (box.style.visibility = "hidden"));
        return article.innerText;
    }""")
    for name, prediction in asked.items():
        for clue in clues(prediction):
            found = re.search(rf"(?<![\w.,]){re.escape(clue)}(?![\w]|[.,]\d)", visible, re.I) if len(clue) > 3 else None
            assert not found, f"{name}: {visible[max(0, found.start() - 80) : found.end() + 40]!r}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_each_prediction_is_followed_by_its_result_in_its_section(open_page, pages, chapter):
    """What a prediction covers is its result: something must stand after it, in its own section."""
    page = open_page(pages(chapter))
    empty = page.evaluate("""() => [...document.querySelectorAll(".ck-predict[data-covers]")]
        .filter((box) => !box.closest(".cell").nextElementSibling).map((box) => box.dataset.name)""")
    assert empty == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_predictions_fit_and_axe_finds_nothing(open_page, pages, width, theme, request):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for chapter in CHAPTERS:
        page = open_page(pages(chapter, theme), viewport={"width": width, "height": 800})
        lift_covers(page)
        context = {"include": [[".ck-predict"]], "exclude": [[".ck-figure > svg"]]}
        found = axe.Axe().run(page, context=context, options={"preload": False, "resultTypes": ["violations"]})
        assert [f"{v['id']}: {n['html'][:150]}" for v in found.response["violations"] for n in v["nodes"]] == []
        wide = page.evaluate("""() => [...document.querySelectorAll(".ck-predict")]
            .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.dataset.name)""")
        assert wide == []
