"""The code cells of the finished pages: which notebook cell each is, the buttons above it, the chapter's exercises.

`fill` runs when Sphinx has written the pages. A page's cells are those of the notebook beside its source, in the same
order; each gets the cell's id, so that `static/cells.js` can find its text and keep what the reader makes of it. The
notebooks lie under `_static/ck/notebooks/`: a page loads its own when a cell is first run or edited.
"""

from __future__ import annotations

import ast
import hashlib
import html
import json
import re
from pathlib import Path

from ..errors import CourseError
from .cells import names_of

__all__ = ["fill", "marked"]

CELL = re.compile(r'<div class="(?P<classes>cell(?: [^"]*)?)"(?: data-cell="[^"]*")?(?: data-torch)?>\n')
INPUT = re.compile(
    r'<div class="cell_input docutils container">\s*<div[^>]*><div class="highlight"><pre>(.*?)</pre>', re.S
)
ADDED = re.compile(r"<!--ck-cells-->.*?<!--/ck-cells-->", re.S)
QUESTION = re.compile(
    r"<h2>(?P<id>\d\d\.\d+) (?P<title>.*?)<a class=\"headerlink\".*?<p><em>(?P<worth>[^<]*)</em></p>", re.S
)
INSTALL = "# In Colab this cell installs coursekit."
BUTTONS = (
    '<div class="ck-bar"><button type="button" data-do="run">Run</button>'
    '<button type="button" data-do="edit">Edit</button></div>'
)
COLAB = (
    '<div class="ck-bar ck-torch"><a href="{colab}">Run in Colab</a> '
    "<span>PyTorch does not run in a browser.</span></div>"
)


def fill(out: Path, source: Path, live: dict | None) -> list[str]:
    """Mark the cells of the pages of chapters and sheets in the built book `out`; without `live` none has a button.

    A page that is not in step with its notebook stays as it is; returns one sentence for each such page.
    """
    complaints = []
    for folder in ("chapters", "exercises"):
        for page in sorted((out / folder).glob("*.html")):
            notebook = source / folder / f"{page.stem}.ipynb"
            if not notebook.is_file():
                continue
            text = page.read_text(encoding="utf-8")
            sheet = out / "exercises" / page.name
            questions = _questions(sheet.read_text(encoding="utf-8")) if sheet.is_file() and live else []
            try:
                fresh = marked(text, notebook, live, questions if folder == "chapters" else [])
            except CourseError as error:
                complaints.append(str(error))
                continue
            if live:
                target = out / "_static" / "ck" / "notebooks" / folder / notebook.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(notebook.read_bytes())
            if fresh != text:
                page.write_text(fresh, encoding="utf-8")
    return complaints


def marked(text: str, notebook: Path, live: dict | None, questions: list[dict]) -> str:
    """A page with its cells marked, and with buttons if it has `live`; marking it again changes nothing."""
    text = ADDED.sub("", text)
    content = notebook.read_bytes()
    code = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
    folder, name = notebook.parent.name, notebook.stem
    if folder == "chapters" and code and _source(code[0]).startswith(INSTALL):
        code = code[1:]  # the page is made from the text notebook, which has no such cell
    torch = _needs_torch(code)
    colab = re.search(r'href="(https://colab\.research\.google\.com/[^"]*)"', text)
    pieces, last, cells = [], 0, iter(code)
    for match in CELL.finditer(text):
        cell = next(cells, None)
        block = text[match.start() : _end(text, match.start())]
        shown = INPUT.search(block)
        if cell is None or (shown and _plain(shown[1]) != _source(cell).strip()):
            raise CourseError(
                f"{folder}/{name}: the page's cells are not those of its notebook; type make notebooks, and build again"
            )
        needs = cell["id"] in torch
        start = f'<div class="{match["classes"]}" data-cell="{cell["id"]}"{" data-torch" if needs else ""}>\n'
        bar, after = "", ""
        if live and shown and not _source(cell).startswith(INSTALL):
            bar = _added(COLAB.format(colab=colab[1]) if needs and colab else BUTTONS)
            if _is_setup(cell) and "<details" not in block:
                bar = _added(f'<details class="ck-setup"><summary>Set-up: {_imports(cell)}</summary>') + bar
                after = _added("</details>")
        inner = block[match.end() - match.start() : -len("</div>")]
        pieces += [text[last : match.start()], start, bar, inner, after, "</div>"]
        last = match.start() + len(block)
    text = "".join([*pieces, text[last:]])
    if not live:
        return text
    info = {
        "notebook": f"{folder}/{name}",
        "file": f"notebooks/{folder}/{name}.ipynb?{hashlib.sha256(content).hexdigest()[:8]}",
        "live": live,
    }
    if questions:
        text = _with_exercises(text, name, questions)
    data = _added(f'<div hidden class="ck-cells" data-cells="{html.escape(json.dumps(info))}"></div>')
    return text.replace("</article>", f"{data}</article>", 1)


def _added(piece):
    """A piece of a page that the next marking takes away again."""
    return f"<!--ck-cells-->{piece}<!--/ck-cells-->"


def _with_exercises(text, name, questions):
    """The list of the sheet's questions at the end of "Write it yourself"."""
    start = text.find('<section id="write-it-yourself">')
    if start < 0:
        return text
    rows = "".join(
        f'<li><button type="button" data-do="exercise" data-question="{each["id"]}" aria-expanded="false">'
        f'<span class="ck-number">{each["id"]}</span> {each["title"]}</button>'
        f'<span class="ck-worth">{each["worth"]}</span></li>'
        for each in questions
    )
    end = _end(text, start, "section") - len("</section>")
    block = _added(
        f'<div class="ck-exercises" data-sheet="../exercises/{name}.html">'
        "<p>Or write it here. Each exercise opens in its place; what you type is kept in this browser, here and on the "
        f'sheet alike.</p><ul>{rows}</ul><p class="ck-actions"><button type="button" data-do="download">'
        'Download my notebook</button></p><p class="ck-state" role="status"></p></div>'
    )
    return text[:end] + block + text[end:]


def _questions(sheet):
    return [match.groupdict() for match in QUESTION.finditer(sheet)]


def _end(text, start, tag="div"):
    """Where the element that begins at `start` ends."""
    depth = 0
    for match in re.compile(rf"<(/?){tag}\b[^>]*>").finditer(text, start):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.end()
    raise CourseError(f"a page has a <{tag}> that never ends: {text[start : start + 60]!r}")


def _source(cell):
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _plain(pre):
    return html.unescape(re.sub(r"<[^>]+>", "", pre)).strip()


def _is_setup(cell):
    """Whether a cell holds imports only."""
    try:
        body = ast.parse(_source(cell)).body
    except SyntaxError:
        return False
    return bool(body) and all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in body)


def _imports(cell):
    """The first names of what a cell imports: "numpy, coursekit"."""
    modules = []
    for node in ast.parse(_source(cell)).body:
        modules += [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return "import " + ", ".join(dict.fromkeys(module.split(".")[0] for module in modules))


def _needs_torch(code):
    """The ids of the cells that import PyTorch or use it."""
    names = ((cell["id"], names_of(_source(cell))) for cell in code)
    return {id for id, each in names if "torch" in each.makes | each.uses}
