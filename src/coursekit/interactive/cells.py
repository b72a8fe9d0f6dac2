"""Code cells in a page: what a cell needs from above, running it, and what it shows.

`static/ck/worker.mjs` calls `answer` inside Pyodide. A page has one `Session` for its chapter and one for its exercise
sheet; each is a namespace, as a notebook has. Nothing here needs a browser, so the tests run it as it is.

>>> said = []
>>> session = Session()
>>> cells = [Cell("a", "x = 2"), Cell("b", "y = 10"), Cell("c", "x + 1")]
>>> session.run(cells, "c", say=said.append)
True
>>> [event["id"] for event in said if event["type"] == "begin"]  # "b" was not needed
['a', 'c']
>>> said[-2]["text"]
'3'
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import linecache
import os
import re
import sys
import time
import traceback
from dataclasses import dataclass

from .. import _steps
from ..errors import CourseError

__all__ = ["Cell", "Names", "Session", "answer", "names_of"]

MOST_TEXT = 100_000  # characters that one run of a cell may print into the page
_IN_PLACE = {"add", "append", "clear", "discard", "extend", "fill", "insert", "pop", "popitem", "remove", "reverse",
             "setdefault", "shuffle", "sort", "step", "update"}  # fmt: skip
_DRAWS_RANDOM = {"default_rng", "Generator"}


@dataclass(frozen=True)
class Cell:
    """One code cell: its name in the page, its present text, and whether the page shows its output."""

    id: str
    source: str
    hidden: bool = False


@dataclass(frozen=True)
class Names:
    """The names of a cell at the level of the notebook.

    Attributes
    ----------
    makes : those that it binds
    uses : those that it reads and has not bound before, also inside its functions
    changes : those whose value it changes in place, `x[0] = 1` or `x.append(1)`; and `name()` for one that is called or
        handed over, which changes a random generator and nothing else of the course
    random : those of `makes` that are random generators
    """

    makes: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    random: frozenset[str] = frozenset()


@functools.lru_cache(maxsize=1000)
def names_of(source: str) -> Names:
    r"""The names of a cell; of one that is not Python none, since it cannot run.

    >>> names = names_of("for k in range(n):\n    total = total + k\nprint(total)")
    >>> sorted(names.makes), sorted(names.uses)
    (['k', 'total'], ['n', 'print', 'range', 'total'])
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return Names()
    reader = _Reader()
    reader.block(tree.body)
    return Names(*map(frozenset, (reader.makes, reader.uses, reader.changes, reader.random)))


class _Reader:
    """Goes through the statements of a cell in order."""

    def __init__(self):
        self.makes, self.uses, self.changes, self.random = set(), set(), set(), set()

    def block(self, statements):
        for statement in statements:
            self.statement(statement)

    def statement(self, node):
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.read(node.iter)
            self.bind(node.target)
            self.block(node.body + node.orelse)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.read(item.context_expr)
                if item.optional_vars:
                    self.bind(item.optional_vars)
            self.block(node.body)
        elif isinstance(node, (ast.If, ast.While)):
            self.read(node.test)
            self.block(node.body + node.orelse)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self.block(node.body)
            for handler in node.handlers:
                self.read(handler.type)
                self.block(handler.body)
            self.block(node.orelse + node.finalbody)
        elif isinstance(node, ast.Assign):
            self.read(node.value)
            for target in node.targets:
                self.bind(target)
                if isinstance(target, ast.Name) and _makes_generator(node.value):
                    self.random.add(target.id)
        elif isinstance(node, ast.AugAssign):
            self.read(node.value)
            root = _root(node.target)
            if root:
                self.use(root)
                self.changes.add(root)
            self.read(node.target)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.makes.add(node.name)  # before its body, which may call it
            self.read(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self.makes.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        else:
            self.read(node)
            for name in ast.walk(node):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    self.makes.add(name.id)

    def bind(self, target):
        """The target of an assignment: a name is made; what a subscript or an attribute belongs to is changed."""
        if isinstance(target, ast.Name):
            self.makes.add(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.bind(part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value)
        else:
            root = _root(target)
            if root:
                self.use(root)
                self.changes.add(root)
            self.read(target)

    def use(self, name):
        if name not in self.makes:
            self.uses.add(name)

    def read(self, node):
        for name in _free(node):
            self.use(name)
        for call in ast.walk(node) if node else ():
            if isinstance(call, ast.NamedExpr):
                self.makes.add(call.target.id)
            if not isinstance(call, ast.Call):
                continue
            if isinstance(call.func, ast.Attribute) and (root := _root(call.func.value)):
                if call.func.attr in _IN_PLACE:
                    self.changes.add(root)
                self.changes.add(f"{root}()")
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                if isinstance(argument, ast.Name):
                    self.changes.add(f"{argument.id}()")


def _root(node):
    """The name that `a.b[c].d` begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _makes_generator(value):
    called = value.func if isinstance(value, ast.Call) else None
    name = getattr(called, "attr", None) or getattr(called, "id", None)
    return name in _DRAWS_RANDOM


def _free(node) -> set[str]:
    """The names that an expression or a definition reads from outside itself."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    inside = set().union(*(_free(child) for child in ast.iter_child_nodes(node))) if node else set()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        own = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        own |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        inside -= own - {name for each in ast.walk(node) if isinstance(each, ast.Global) for name in each.names}
    elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        inside -= {each.id for part in node.generators for each in ast.walk(part.target) if isinstance(each, ast.Name)}
    return inside


class Session:
    """The cells of one notebook that have run in this page, and their names."""

    def __init__(self):
        self.names = {"__name__": "__main__", "display": lambda *values: [self._show(value) for value in values]}
        self._ran: dict[str, str] = {}  # cell -> the source that ran without an error
        self._chains: dict[str, list[str]] = {}  # name -> the cells that made it what it is, in order
        self._say = print

    def needed(self, cells: list[Cell], target: str | None, wanted: frozenset[str] = frozenset()) -> list[Cell]:
        """The cells to run before `target`, so that the names it uses are what they would be from top to bottom.

        Without a target: before the end of the notebook, so that the names `wanted` exist.
        """
        place = next((k for k, cell in enumerate(cells) if cell.id == target), len(cells))
        above = cells[:place]
        need = set(wanted) | (names_of(cells[place].source).uses if target and place < len(cells) else set())
        random = {name for cell in above for name in names_of(cell.source).random}
        users: dict[str | None, frozenset[str]] = {None: frozenset(need)}
        closure: list = []
        for cell in reversed(above):
            names = names_of(cell.source)
            if names.makes & need or _changed(names, random) & need:
                closure.insert(0, cell)
                users[cell.id] = names.uses
                need = (need - names.makes) | names.uses
        stale = {cell.id for cell in closure if self._ran.get(cell.id) != cell.source}
        while True:
            more = self._also(closure, users, random, stale)
            if more <= stale:
                return [cell for cell in closure if cell.id in stale]
            stale |= more

    def _also(self, closure, users, random, stale):
        """The cells that must run again because those of `stale` will."""
        more = set()
        ends = [*((cell.id, k) for k, cell in enumerate(closure)), (None, len(closure))]
        for id, place in ends:
            chains = {name: _chain(closure[:place], name, random) for name in users[id]}
            if any(stale & set(chain) for chain in chains.values()) and id is not None:
                more.add(id)
            if id is not None and id not in stale:
                continue
            for name, chain in chains.items():
                now = self._chains.get(name, [])
                if now != chain[: len(now)]:
                    more.update(chain)
        return more

    def run(self, cells: list[Cell], target: str, say=print, everything: bool = False) -> bool:
        """Run a cell after those above it that it needs; `everything`: after all above it. True if it went well."""
        place = next(k for k, cell in enumerate(cells) if cell.id == target)
        if everything:
            before = [cell for cell in cells[:place] if not cell.hidden or names_of(cell.source).makes]
        else:
            before = self.needed(cells, target)
        return self._run([*before, cells[place]], say)

    def check(self, cells: list[Cell], question: str, always: list[str], say=print) -> dict | None:
        """Check a question after running the cells `always` and what they need; None if one of them fails."""
        from ..grading.cases import load_sheet
        from ..grading.check import report

        try:
            found = load_sheet(question[:2])[question]
        except CourseError as error:
            return {"problem": str(error)}
        wanted = frozenset(name for case in found.cases for name in case.names)
        last = max((k for k, cell in enumerate(cells) if cell.id in always), default=-1)
        cells = cells[: last + 1]
        before = {cell.id for cell in self.needed(cells, None, wanted)}
        for id in always:
            before |= {cell.id for cell in self.needed(cells, id)}
        if not self._run([cell for cell in cells if cell.id in before or cell.id in always], say):
            return None
        return report(question, self.names)

    def draw(self, cells: list[Cell], given: dict, say=print) -> dict:
        """The picture of an explorer with functions of this notebook in it, beside the reference."""
        from .core import find
        from .slots import compared

        explorer = find(given["address"])
        slot = next(each for each in explorer.yours if each.entry == given["entry"])
        if not self._run(self.needed(cells, None, frozenset(slot.functions)), say):
            return {"problem": "The code of your function stops with an error."}
        missing = [name for name in slot.functions if not callable(self.names.get(name))]
        if missing:
            return {"problem": f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not defined."}
        functions = [self.names[name] for name in slot.functions]
        try:
            return compared(explorer, functions, slot.entry, json.loads(given["settings"]), given["prefix"])
        except Exception as error:
            told = _short_traceback(error, "", "")
            mine = [step for step in told["way"] if step["inside"]]
            where = f" In {mine[-1]['inside']}, line {mine[-1]['line']}: {mine[-1]['code']}" if mine else ""
            return {"problem": f"At this setting your function stopped ({told['said']}).{where}"}

    def _run(self, order, say):
        self._say = say
        for done, cell in enumerate(order):
            say({"type": "begin", "id": cell.id, "done": done, "of": len(order)})
            began = time.perf_counter()
            error = self._execute(cell)
            seconds = time.perf_counter() - began
            if error:
                say({"type": "error", "id": cell.id, "last": cell is order[-1], **error})
                return False
            say({"type": "end", "id": cell.id, "seconds": seconds, "last": cell is order[-1]})
        return True

    def _execute(self, cell):
        names = names_of(cell.source)
        file = f"<cell {cell.id}>"
        linecache.cache[file] = (len(cell.source), None, cell.source.splitlines(keepends=True), file)
        self._ran.pop(cell.id, None)
        stream = _Stream(None if cell.hidden else self._print)
        value, failed = None, None
        outputs = contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream)
        with outputs[0], outputs[1], _steps.listening(self._share):
            try:
                value = self._evaluate(cell.source, file)
                if not cell.hidden:
                    self._show(value)
                    self._show_pyplot()
            except BaseException as error:  # SystemExit and KeyboardInterrupt too: the page goes on
                failed = _short_traceback(error, file, cell.source)
        stream.close_page()
        for name in names.makes:
            self._chains[name] = [cell.id]
        for name in names.changes - names.makes:
            if self._is_changed(name):
                self._chains.setdefault(name.removesuffix("()"), []).append(cell.id)
        if failed is None:
            self._ran[cell.id] = cell.source
        return failed

    def _is_changed(self, name):
        """`name()` was used in a call: that changes a random generator, and nothing else of the course."""
        if not name.endswith("()"):
            return True
        return type(self.names.get(name[:-2])).__name__ == "Generator"

    def _evaluate(self, source, file):
        """Run a cell's statements; the value of the last one if it is an expression without a semicolon after it."""
        tree = ast.parse(source, file)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, file, "exec"), self.names)
        return eval(compile(last, file, "eval"), self.names) if last else None

    def _share(self, found):
        """How far a training in the cell has come."""
        self._say({"type": "share", **found})

    def _print(self, text):
        self._say({"type": "text", "text": text})

    def _show(self, value):
        if value is None:
            return
        self.names["_"] = value
        sys.stdout.flush()
        kind, content = _shown(value)
        self._say({"type": kind, "html" if kind == "html" else "text": content, "shown": True})

    def _show_pyplot(self):
        """Pictures that a reader drew with pyplot, as a notebook shows them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        for number in pyplot.get_fignums() if pyplot else []:
            self._show(pyplot.figure(number))
            pyplot.close(number)


def _changed(names, random):
    return {name.removesuffix("()") for name in names.changes if not name.endswith("()") or name[:-2] in random}


def _chain(cells, name, random):
    """The cells that make a name what it is below them, in order."""
    chain = []
    for cell in cells:
        names = names_of(cell.source)
        if name in names.makes:
            chain = [cell.id]
        elif name in _changed(names, random):
            chain.append(cell.id)
    return chain


def _shown(value) -> tuple[str, str]:
    """("html" or "text", content) of a value at the end of a cell."""
    from matplotlib.figure import Figure

    if isinstance(value, Figure) and not hasattr(value, "_repr_mimebundle_"):
        from ..plotting._svg import figure_html

        return "html", figure_html(value, getattr(value, "alt", ""))
    for name in ("_repr_mimebundle_", "_repr_html_"):
        make = getattr(type(value), name, None)
        if make is None:
            continue
        with _as_in_the_book():
            made = make(value)
        page = made.get("text/html") if isinstance(made, dict) else made
        if page:
            return "html", page
    return "text", repr(value)[:MOST_TEXT]


@contextlib.contextmanager
def _as_in_the_book():
    """Explorers give their HTML without widgets; figures are drawn once, since the reader waits."""
    before = os.environ.get("COURSEKIT_BOOK")
    os.environ["COURSEKIT_BOOK"] = "page"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COURSEKIT_BOOK"]


class _Stream(io.TextIOBase):
    """What a cell prints, sent to the page a few times a second and up to a bound."""

    def __init__(self, send):
        self.send, self.text, self.left, self.last = send, "", MOST_TEXT, 0.0

    def writable(self):
        return True

    def write(self, text):
        if self.send is None or self.left <= 0:
            return len(text)
        self.text += text[: self.left]
        self.left -= len(text)
        if self.left <= 0:
            self.text += f"\n… (more than {MOST_TEXT:,} characters; the rest is not shown)\n"
        if time.perf_counter() - self.last > 0.1:
            self.flush()
        return len(text)

    def flush(self):
        if self.send and self.text:
            self.send(self.text)
            self.text, self.last = "", time.perf_counter()

    def close_page(self):
        """Send what is left."""
        self.flush()


def _short_traceback(error, file, source) -> dict:
    """What a reader needs of an error: its kind and words, the line of the cell, and the way there."""
    said = "".join(traceback.TracebackException.from_exception(error).format_exception_only()).strip().splitlines()[-1]
    if isinstance(error, SyntaxError) and error.filename == file:
        return {"said": said, "line": error.lineno, "code": _line(source, error.lineno), "way": []}
    way = []
    for frame in traceback.extract_tb(error.__traceback__):
        cell = re.fullmatch(r"<cell (.+)>", frame.filename)
        if cell:
            inside = "" if frame.name == "<module>" else frame.name
            way.append({"id": cell[1], "line": frame.lineno, "code": frame.line or "", "inside": inside})
    mine = [step for step in way if f"<cell {step['id']}>" == file]
    line = (mine[0] if mine else {"line": None})["line"]
    last = traceback.extract_tb(error.__traceback__)[-1:]
    deep = last[0] if last and not last[0].filename.startswith("<cell") else None
    return {
        "said": said,
        "line": line,
        "code": _line(source, line),
        "way": way,
        "deep": f"{deep.name}, {os.path.basename(deep.filename)}" if deep else "",
    }


def _line(source, number):
    lines = source.splitlines()
    return lines[number - 1].strip() if number and number <= len(lines) else ""


_sessions: dict[str, Session] = {}


def answer(message: str, say) -> str:
    """Do what the page asks, `{"do": "run", "check", "draw" or "forget", "notebook", ...}`; `say` gets each event."""
    given = json.loads(message)
    if given["do"] == "forget":
        _sessions.pop(given["notebook"], None)
        return json.dumps({"ok": True})
    session = _sessions.setdefault(given["notebook"], Session())
    cells = [Cell(*each) for each in given["cells"]]

    def tell(event):
        say(json.dumps(event))

    if given["do"] == "draw":
        return json.dumps({"ok": True, "drawn": session.draw(cells, given, tell)})
    if given["do"] == "check":
        report = session.check(cells, given["question"], given["always"], tell)
        return json.dumps({"ok": report is not None, "report": report})
    return json.dumps({"ok": session.run(cells, given["target"], tell, given.get("everything", False))})
