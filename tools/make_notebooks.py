"""Make the notebooks: NN_name.ipynb from the MyST text notebook NN_name.md beside it.

    python tools/make_notebooks.py                      write what is out of step
    python tools/make_notebooks.py --check              write nothing; say what is out of step
    python tools/make_notebooks.py --solutions DIR      the instructor's copies of the exercise sheets

A chapter keeps all of its cells. A sheet loses its solutions (`coursekit.grading.sheets`). What only the book can
render is turned into plain Markdown that Jupyter, Colab, VS Code and JupyterLite all show: an admonition becomes a
quotation, a citation becomes text, a file that is included becomes a listing. Anything unknown is an error, so that
no directive is ever left behind. The same source always gives the same bytes; there are no outputs.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import os
import pathlib
import re
import sys
from collections.abc import Callable

from coursekit._atomic import write_atomically
from coursekit.errors import CourseError, DataError

__all__ = ["NotebookError", "build", "main", "plain", "sources"]

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
INSTALL = """\
# In Colab this cell installs coursekit. Where it is there already, nothing happens.
try:
    import coursekit
except ImportError:
    get_ipython().run_line_magic("pip", "install -q 'coursekit @ git+{repository}'")"""

ADMONITIONS = {
    "attention", "caution", "danger", "error", "exercise", "hint", "important", "note", "seealso", "solution", "tip",
    "warning",
}  # fmt: skip
_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,}|:{3,})\s*(?:\{([\w:.-]+)\})?\s*(.*)$")
_ROLE = re.compile(r"\{([a-z][\w:.+-]*)\}`([^`]+)`", re.DOTALL)
_LABELLED_MATH = re.compile(r"\$\$(.*?)\$\$[ \t]*\(([\w:.-]+)\)", re.DOTALL)


class NotebookError(CourseError, ValueError):
    """A text notebook cannot be turned into a notebook; the message names the file and what is wrong."""


def sources(root: pathlib.Path) -> list[pathlib.Path]:
    """The text notebooks of the course: `chapters/*.md` and `exercises/*.md`."""
    return sorted(path for folder in ("chapters", "exercises") for path in (root / folder).glob("*.md"))


def build(path: pathlib.Path, root: pathlib.Path, *, solutions: bool = False) -> str:
    """The text of the notebook of one source; a sheet with its solutions if asked for."""
    jupytext = _library("jupytext")
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    except Exception as error:
        raise NotebookError(f"{path}: not a MyST text notebook: {error}") from error
    if path.parent.name == "exercises":
        from coursekit.grading import sheets
        from coursekit.grading.cases import load_sheet

        sheet = load_sheet(path.name[:2])
        (sheets.instructor if solutions else sheets.student)(notebook, sheet)
    try:
        return _finish(notebook, path, root)
    except NotebookError as error:
        raise NotebookError(f"{path}: {error}") from None


def _library(name):
    try:
        return __import__(name)
    except ImportError as error:
        raise DataError(f"making notebooks needs {name}: pip install 'coursekit[book]'") from error


def _finish(notebook, path, root):
    import nbformat

    page = _Page(path, root)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            page.number_equations(cell.source)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = page.plain(cell.source)
        elif {"remove-input", "hide-input"} & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}
    cells = [cell for cell in notebook.cells if cell.source.strip()]
    code = [i for i, cell in enumerate(cells) if cell.cell_type == "code"]
    if any("coursekit" in cells[i].source for i in code):
        install = INSTALL.format(repository=page.settings["repository"]["url"])
        cells.insert(code[0], nbformat.v4.new_code_cell(install, metadata={"tags": ["hide-input"]}))
    if page.glued:
        example = page.glued[0]
        cells[
            0
        ].source += f"\n\n*In this notebook a number that a cell computes stands under its name, as `{example}`.*"
    if page.cited:
        cells.append(nbformat.v4.new_markdown_cell(page.references()))
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    made = nbformat.v4.new_notebook(cells=cells, metadata=METADATA, nbformat_minor=5)
    nbformat.validate(made)
    return nbformat.writes(made).rstrip("\n") + "\n"


def plain(text: str, path: pathlib.Path, root: pathlib.Path) -> str:
    r"""MyST text as plain Markdown; `path` is the file it stands in.

    >>> here = pathlib.Path("chapters/05_x.md")
    >>> print(plain("```{note}\nUse {math}`x`.\n```", here, pathlib.Path(".")))
    > **Note**
    >
    > Use $x$.
    """
    page = _Page(path, root)
    page.number_equations(text)
    return page.plain(text)


class _Page:
    """What is known about one page while its cells are turned into plain Markdown."""

    def __init__(self, path: pathlib.Path, root: pathlib.Path):
        self.path, self.root = path, root
        self.equations: dict[str, int] = {}
        self.glued: list[str] = []
        self.cited: list[str] = []

    @functools.cached_property
    def settings(self) -> dict:
        """The book's `_config.yml`, the one place that knows where the repository is."""
        return _library("yaml").safe_load((self.root / "_config.yml").read_text(encoding="utf-8"))

    def number_equations(self, text: str) -> None:
        """Number the labelled equations in the order in which they stand."""
        for _, label in _LABELLED_MATH.findall(text):
            self.equations.setdefault(label, len(self.equations) + 1)
        for label in re.findall(
            r"^[`:]{3,}\{math\}[^\n]*\n(?:\s*:\w+:[^\n]*\n)*?\s*:label:\s*(\S+)", text, re.MULTILINE
        ):
            self.equations.setdefault(label, len(self.equations) + 1)

    def plain(self, text: str) -> str:
        """The text without directives, roles, targets and comments."""
        out, prose, lines = [], [], text.split("\n")
        i = 0
        while i < len(lines):
            fence = _FENCE.match(lines[i])
            if not fence:
                prose.append(lines[i])
                i += 1
                continue
            indent, marks, name, argument = fence.groups()
            end = next((j for j in range(i + 1, len(lines)) if _closes(lines[j], marks)), None)
            if end is None:
                raise NotebookError(f"this block is never closed: {lines[i].strip()}")
            block = lines[i : end + 1]
            if name is None and marks[0] == ":":
                raise NotebookError(f"this block has no directive: {lines[i].strip()}")
            out.append(self._prose("\n".join(prose)))
            prose = []
            if name is None:
                out.append("\n".join(block))
            else:
                body = [line.removeprefix(indent) for line in block[1:-1]]
                made = self._directive(name, argument.strip(), body)
                out.append("\n".join(indent + line if line else line for line in made.split("\n")))
            i = end + 1
        out.append(self._prose("\n".join(prose)))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(part for part in out if part is not None)).strip("\n")

    def _prose(self, text: str) -> str | None:
        lines = [line for line in text.split("\n") if not re.match(r"^\(([\w:.-]+)\)=\s*$|^%", line)]
        text = _LABELLED_MATH.sub(lambda m: f"$${m[1].rstrip()} \\tag{{{self.equations[m[2]]}}}$$", "\n".join(lines))
        text = _ROLE.sub(lambda m: self._role(m[1], " ".join(m[2].split())), text)
        return re.sub(r"\]\(((?!\w+:)[^)#\s]+)\.md(#[^)]*)?\)", self._link, text)

    def _link(self, match) -> str:
        target, anchor = match[1], match[2] or ""
        if (self.path.parent / f"{target}.md").resolve().parent.name in ("chapters", "exercises"):
            return f"]({target}.ipynb{anchor})"
        there = os.path.relpath((self.path.parent / target).resolve(), self.root.resolve())
        return f"]({self.settings['html']['baseurl'].rstrip('/')}/{pathlib.PurePath(there).as_posix()}.html{anchor})"

    def _role(self, name: str, content: str) -> str:
        if name.startswith("cite"):
            return self._cite(name, content)
        if name.startswith("glue"):
            key = content.split(":")[0]
            self.glued.append(key)
            return f"`{key}`"
        if name == "math":
            return f"${content}$"
        if name == "eq":
            if content not in self.equations:
                raise NotebookError(f"there is no equation {content}; the labels are {sorted(self.equations)}")
            return f"({self.equations[content]})"
        title = re.match(r"^(.*?)\s*<[^>]*>$", content)
        if name in ("ref", "numref", "doc", "term", "download", "abbr") or name.startswith("py:"):
            if title:
                return f"`{title[1]}`" if name.startswith("py:") else title[1]
            shown = content.lstrip("~!").split(".")[-1] if content.startswith("~") else content
            if name in ("ref", "numref", "doc"):
                shown = re.sub(r"[-_/]+", " ", shown).strip()
            return f"`{shown}`" if name.startswith("py:") else shown
        if name == "row":
            return f"[<sup>ledger</sup>]({self.settings['html']['baseurl'].rstrip('/')}/ledger.html#{content})"
        if name in ("sub", "sup", "kbd"):
            return f"<{name}>{content}</{name}>"
        if name in ("code", "func", "class", "meth", "mod", "file", "command"):
            return f"`{content}`"
        raise NotebookError(f"the role {{{name}}} has no plain form; add it to tools/make_notebooks.py")

    def _directive(self, name: str, argument: str, lines: list[str]) -> str:
        options, body = _options(lines)
        text = "\n".join(body)
        if name in ADMONITIONS or name in ("admonition", "margin", "sidebar", "topic"):
            title = argument if name in ("admonition", "sidebar", "topic") else name.capitalize()
            if name in ("exercise", "solution"):
                title = f"{name.capitalize()}: {argument}" if argument else name.capitalize()
            elif name in ADMONITIONS and argument:
                text = f"{argument}\n{text}"
            if name == "margin":
                title = argument
            if "dropdown" in options.get("class", ""):
                return _details(self._prose(title), self.plain(text))
            head = f"**{self._prose(title.replace('seealso', 'see also'))}**\n\n" if title else ""
            return _quote(head + self.plain(text))
        if name == "dropdown":
            return _details(self._prose(argument), self.plain(text))
        if name in ("figure", "image"):
            picture = f"![{options.get('alt', '')}]({argument})"
            return f"{picture}\n\n*{self.plain(text).strip()}*" if text.strip() else picture
        if name == "math":
            tag = f" \\tag{{{self.equations[options['label']]}}}" if "label" in options else ""
            return f"$$\n{text.strip()}{tag}\n$$"
        if name in ("code", "code-block", "sourcecode"):
            return f"```{argument or 'python'}\n{text}\n```"
        if name == "literalinclude":
            return self._listing(argument, options)
        if name in ("div", "container", "table", "epigraph", "pull-quote", "highlights"):
            return (f"**{self._prose(argument)}**\n\n" if name == "table" and argument else "") + self.plain(text)
        if name == "raw":
            return text if argument == "html" else ""
        if name in ("contents", "tableofcontents", "index", "bibliography"):
            return ""
        if name.startswith("glue"):
            key = argument.split(":")[0]
            return f"*(The output `{key}` of the cell that computes it.)*"
        raise NotebookError(f"the directive {{{name}}} has no plain form; add it to tools/make_notebooks.py")

    def _listing(self, argument: str, options: dict) -> str:
        path = (self.path.parent / argument).resolve()
        if not path.is_file():
            raise NotebookError(f"literalinclude: there is no file {argument}")
        text = path.read_text(encoding="utf-8")
        unknown = set(options) - {"pyobject", "lines", "start-after", "end-before", "language", "caption", "name"} - {
            "linenos", "lineno-match", "emphasize-lines", "class"
        }  # fmt: skip
        if unknown:
            raise NotebookError(f"literalinclude: the options {sorted(unknown)} have no plain form")
        lines = text.splitlines()
        if "pyobject" in options:
            lines = _object(lines, text, options["pyobject"], argument)
        if "lines" in options:
            lines = [lines[i - 1] for i in _numbers(options["lines"], len(lines))]
        for option, after in (("start-after", True), ("end-before", False)):
            if option in options:
                at = next((i for i, line in enumerate(lines) if options[option] in line), None)
                if at is None:
                    raise NotebookError(f"literalinclude: {argument} has no line with {options[option]!r}")
                lines = lines[at + 1 :] if after else lines[:at]
        caption = f"*{options['caption']}*\n\n" if "caption" in options else ""
        return f"{caption}```{options.get('language', 'python')}\n" + "\n".join(lines).strip("\n") + "\n```"

    @functools.cached_property
    def _bibliography(self):
        try:
            from pybtex.database import parse_file
        except ImportError as error:
            raise DataError("citations need pybtex: pip install 'coursekit[book]'") from error
        return parse_file(str(self.root / "references.bib")).entries

    def _entry(self, key):
        if key not in self._bibliography:
            raise NotebookError(f"references.bib has no entry {key}")
        if key not in self.cited:
            self.cited.append(key)
        return self._bibliography[key]

    def _cite(self, name: str, content: str) -> str:
        parts = []
        for key in content.split(","):
            entry = self._entry(key.strip())
            who, year = _authors(entry), entry.fields.get("year", "n.d.")
            parts.append(f"{who} ({year})" if name == "cite:t" else f"{who}, {year}")
        return " and ".join(parts) if name == "cite:t" else f"({'; '.join(parts)})"

    def references(self) -> str:
        """The list of what the page cites."""
        lines = []
        for key in sorted(self.cited):
            fields = self._bibliography[key].fields
            where = fields.get("journal") or fields.get("booktitle") or fields.get("publisher") or ""
            address = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url", "")
            parts = [
                f"{_authors(self._bibliography[key])} ({fields.get('year', 'n.d.')})",
                fields["title"],
                where,
                address,
            ]
            lines.append("* " + ". ".join(re.sub(r"[{}]", "", part) for part in parts if part))
        return "## References\n\n" + "\n".join(lines)


def _closes(line: str, marks: str) -> bool:
    line = line.strip()
    return len(line) >= len(marks) and set(line) == {marks[0]}


def _options(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    options, i = {}, 0
    if lines and lines[0].strip() == "---":
        end = next((j for j in range(1, len(lines)) if lines[j].strip() == "---"), len(lines) - 1)
        options = {k: str(v) for k, v in (_library("yaml").safe_load("\n".join(lines[1:end])) or {}).items()}
        return options, lines[end + 1 :]
    while i < len(lines) and (match := re.match(r"^\s*:([\w-]+):\s*(.*)$", lines[i])):
        options[match[1]] = match[2].strip()
        i += 1
    return options, lines[i:]


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip("\n").split("\n"))


def _details(title: str, text: str) -> str:
    return f"<details>\n<summary>{title or 'More'}</summary>\n\n{text.strip()}\n\n</details>"


def _object(lines, text, name, path):
    nodes: list[ast.AST] = [ast.parse(text)]
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        nodes = [n for node in nodes for n in node.body if isinstance(n, kinds) and n.name == part]
        if not nodes:
            raise NotebookError(f"literalinclude: {path} defines no {name}")
    first = min([nodes[0].lineno, *(d.lineno for d in nodes[0].decorator_list)])
    return lines[first - 1 : nodes[0].end_lineno]


def _numbers(text, count):
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        yield from range(int(low or 1), (int(high or count) if "-" in part else int(low)) + 1)


def _authors(entry) -> str:
    names = [" ".join([*person.prelast_names, *person.last_names]) for person in entry.persons.get("author", [])]
    if not names:
        return entry.fields.get("organization", entry.key)
    names = [re.sub(r"[{}]", "", name) for name in names]
    return names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)


def main(arguments: list[str] | None = None, say: Callable = print) -> int:
    """The command line; gives 0 when all is in step, 1 when something is not, 2 when a source is at fault."""
    parser = argparse.ArgumentParser(prog="python tools/make_notebooks.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "paths", nargs="*", type=pathlib.Path, help="text notebooks; all of the course if none is named"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when something is out of step")
    parser.add_argument("--solutions", type=pathlib.Path, metavar="DIR", help="write sheets with solutions to DIR")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("."), help="the repository (default: here)")
    settings = parser.parse_args(arguments)
    if not (settings.root / "_config.yml").is_file():
        say(
            f"{settings.root.resolve()} is not the course's repository: it has no _config.yml. Go there, or use --root."
        )
        return 2
    every = sources(settings.root)
    paths = settings.paths or [p for p in every if not settings.solutions or p.parent.name == "exercises"]
    faults, stale = 0, []
    for path in paths:
        target = settings.solutions / f"{path.stem}.ipynb" if settings.solutions else path.with_suffix(".ipynb")
        try:
            text = build(path, settings.root, solutions=settings.solutions is not None)
        except (CourseError, OSError) as error:
            say(str(error))
            faults += 1
            continue
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            continue
        stale.append(target)
        if not settings.check:
            _write(target, text)
            say(f"wrote {target}")
    if not settings.paths and not settings.solutions:
        twins = {path.with_suffix(".ipynb") for path in every}
        for folder in ("chapters", "exercises"):
            for path in sorted(set((settings.root / folder).glob("*.ipynb")) - twins):
                say(f"{path} has no source {path.with_suffix('.md').name}: remove it, or write its source")
                faults += 1
    if settings.check and stale:
        say(f"out of step: {', '.join(map(str, stale))}; run: python tools/make_notebooks.py")
    return 2 if faults else int(settings.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
