"""Run notebook cells as IPython would, as far as honest notebooks need it, without IPython.

Magics, shell lines and `?` are taken out, the body of `%%time` and `%%capture` is run, other cell magics drop their
cell. An import of something that is not there is noted and the cell goes on, so that `import torch` in the first cell
costs nothing but itself. `await` at the top of a cell works.
"""

import ast
import dis
import inspect
import re
import types

RUN_BODY = {"time", "capture", "prun"}
ELSEWHERE = {"python", "python2", "python3", "pypy", "script"}  # magics that run their cell in another process
MAGIC = re.compile(
    r"^(?P<indent>\s*)(?P<assign>[A-Za-z_][\w, .\[\]'\"]*=\s*)?(?P<mark>%{1,2}|!{1,2}|\?{1,2})(?P<rest>.*)$"
)
HELP = re.compile(r"^(?P<indent>\s*)[%\w.*\[\]]+\?{1,2}\s*;?$")
TIMED = re.compile(r"^(time|prun)\s+(?P<code>[^-\s].*)$")


def parse(source):
    """The syntax tree of a cell, after its IPython lines have been rewritten; line numbers stay."""
    name = _cell_magic(source)
    if name is not None:
        if name not in RUN_BODY:
            return ast.parse("")
        source = re.sub(r"%%.*", "", source, count=1)
    lines, seen = source.split("\n"), set()
    while True:
        try:
            return compile(
                "\n".join(lines),
                "<cell>",
                "exec",
                ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
        except SyntaxError as error:
            # Only lines at which Python itself stumbles are rewritten, so `%` inside a string or a sum is safe.
            for number in (error.lineno, (error.lineno or 1) - 1):
                if number and number not in seen and number <= len(lines):
                    new = _without_magic(lines[number - 1])
                    if new is not None:
                        seen.add(number)
                        lines[number - 1] = new
                        _drop_continuation(lines, number - 1, source)
                        break
            else:
                raise


def _cell_magic(source):
    """The name of the magic that a cell begins with, or None."""
    stripped = source.lstrip()
    return (stripped[2:].split(None, 1) or [""])[0] if stripped.startswith("%%") else None


def _without_magic(line):
    """A line of Python in place of a line of IPython; None if it is not one."""
    found = MAGIC.match(line)
    if found:
        timed = TIMED.match(found["rest"]) if found["mark"] == "%" else None
        if timed:
            return found["indent"] + (found["assign"] or "") + timed["code"]
        return found["indent"] + (found["assign"] + "None" if found["assign"] else "pass")
    found = HELP.match(line)
    return found["indent"] + "pass" if found else None


def _drop_continuation(lines, index, source):
    """`!pip install a` may go on in the next line, after a backslash."""
    original = source.split("\n")
    while index + 1 < len(lines) and index < len(original) and original[index].endswith("\\"):
        index += 1
        lines[index] = ""


def run(source, namespace, filename, missing):
    """Run a cell in `namespace`; imports that fail, and a magic that runs it elsewhere, are appended to `missing`."""
    tree = parse(source)
    if (name := _cell_magic(source)) in ELSEWHERE:
        missing.append(f"%%{name} runs its cell in another process: the notebook knows nothing of what it defines")
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    future = 0
    for statement in tree.body:
        module = ast.Module([statement], [])
        code = compile(module, filename, "exec", flags | future, dont_inherit=True)
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            import __future__

            for alias in statement.names:
                future |= getattr(__future__, alias.name).compiler_flag
        try:
            if code.co_flags & inspect.CO_COROUTINE:
                _await(eval(code, namespace))
            else:
                exec(code, namespace)
        except ImportError as error:
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                raise
            missing.append(str(error)[:200])


def _await(coroutine):
    """Run a coroutine. Those that wait for nothing (JupyterLite's `await piplite.install(...)`) need no event loop."""
    import asyncio

    asyncio.run(coroutine)


def links(source):
    """Two lists of names: those that a cell may set, and those that it may use, its functions included.

    "*" stands for every name. A cell that does not parse sets nothing and uses nothing.
    """
    try:
        code = compile(parse(source), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], []
    sets, uses, changes = set(), set(), False
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_NAME", "STORE_GLOBAL", "DELETE_NAME"):
            sets.add(step.argval)
        changes |= step.opname in ("STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR")
    if "import *" in source:
        sets.add("*")
    todo = [code]
    while todo:
        part = todo.pop()
        todo += [c for c in part.co_consts if isinstance(c, types.CodeType)]
        uses |= {s.argval for s in dis.get_instructions(part) if s.opname in ("LOAD_NAME", "LOAD_GLOBAL")}
    if changes:  # `Net.step = ...` sets something of whatever the cell uses
        sets |= {s.argval for s in dis.get_instructions(code) if s.opname == "LOAD_NAME"}
    return sorted(sets), sorted(uses)


def endless(source):
    """The names of functions in a cell with a loop that cannot end by its own words; "" for a loop outside of any.

    That is a `while` whose condition nothing in its body can change, without break, return, raise or yield. It is
    no verdict: such code only gets less time before it is stopped.
    """
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = set()
    for statement in tree.body:
        whose = getattr(statement, "name", "")
        if any(isinstance(node, ast.While) and _no_way_out(node) for node in ast.walk(statement)):
            found.add(whose)
    return sorted(found)


def _no_way_out(loop):
    names = {n.id for n in ast.walk(loop.test) if isinstance(n, ast.Name)}
    allowed = (ast.Name, ast.Constant, ast.Compare, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Load, ast.cmpop,
               ast.operator, ast.boolop, ast.unaryop)  # fmt: skip
    if not all(isinstance(n, allowed) for n in ast.walk(loop.test)):
        return False
    if not names and not (isinstance(loop.test, ast.Constant) and loop.test.value):
        return False
    for part in (n for statement in loop.body for n in ast.walk(statement)):
        if isinstance(part, (ast.Break, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await, ast.Global)):
            return False
        if isinstance(part, ast.Name) and part.id in names and not isinstance(part.ctx, ast.Load):
            return False
        if names and isinstance(part, (ast.Call, ast.Attribute, ast.Subscript)):
            if names & {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}:
                return False
    return True
