"""How a chapter shows code of the package: 80 columns wide, and of a docstring the first sentence.

The formula stands typeset above the code, so the docstring's own is left out, with its tables and examples; they are in
the reference. The code does what the package's does: `tests/test_shown_code.py` compares the syntax trees.
"""

import ast
import io
import re
import subprocess
import sys
import textwrap
import tokenize

WIDTH = 80
SIMPLE = re.compile(r"\$([\w/(). <>=-]+)\$")
FORMULA = re.compile(r"\s*(?P<mark>[,:]?)\s*\$[^$]+\$")


def fitted(text, width=WIDTH):
    """Return code as a page shows it: a function or a class, or some statements of one."""
    lines = textwrap.dedent(text).strip("\n").split("\n")
    lines = _with_short_docstring(lines, width)
    lines = _comments_above(lines, width)
    lines = _formatted("\n".join(lines), width).rstrip("\n").split("\n")
    return "\n".join(piece for line in lines for piece in _split_string(line, width))


def sentence(docstring):
    r"""Return the first sentence of a docstring without its formulas: these stand above the code.

    >>> sentence(r"Gradient of tanh: $\partial L / \partial x$.")
    'Gradient of tanh.'
    """
    text = SIMPLE.sub(r"\1", " ".join(docstring.split("\n\n")[0].split()))
    found = FORMULA.search(text)
    if not found:
        return text
    before, rest = text[: found.start()], text[found.end() :]
    if not found["mark"] and re.search("[,:]", before):  # in the middle of a clause: without the clause
        before, rest = re.split("[,:]", before)[0], "."
    return before + (rest if "$" not in rest else ".")


def _with_short_docstring(lines, width):
    body = ast.parse("\n".join(lines)).body
    first = body[0].body[0] if len(body) == 1 and ast_docstring(body[0]) is not None else None
    if first is None:
        return lines
    indent = " " * first.col_offset
    made = textwrap.wrap(f'"""{sentence(ast_docstring(body[0]))}"""', width - len(indent))
    if len(made) > 1:
        made[-1] = made[-1].removesuffix('"""')
        made.append('"""')
    return [*lines[: first.lineno - 1], *(indent + line for line in made), *lines[first.end_lineno :]]


def ast_docstring(node):
    """Return the docstring of a node, None where it can have none."""
    return ast.get_docstring(node) if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else None


def _comments_above(lines, width):
    """Put a comment that does not fit beside its line above it."""
    out = list(lines)
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
        row, column = token.start
        if token.type == tokenize.COMMENT and len(lines[row - 1]) > width:
            line = lines[row - 1]
            indent = " " * (len(line) - len(line.lstrip()))
            told = textwrap.wrap(token.string[1:].strip(), width - len(indent) - 2)
            code = [line[:column].rstrip()] if line[:column].strip() else []
            out[row - 1] = "\n".join([*(f"{indent}# {each}" for each in told), *code])
    return "\n".join(out).split("\n")


def _formatted(code, width):
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(width), "-"]
    done = subprocess.run(command, input=code, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"ruff cannot format code that a page shows: {done.stderr.strip()}")
    return done.stdout


def _split_string(line, width):
    """Cut a string that is alone on a line, and too long, at a space outside of its braces."""
    found = re.fullmatch(r'(\s*)(f?)"((?:[^"\\]|\\.)*)"(,?)', line)
    if len(line) <= width or not found:
        return [line]
    indent, kind, text, comma = found.groups()
    spaces = [m.end() for m in re.finditer(" ", text) if text[: m.end()].count("{") == text[: m.end()].count("}")]
    cut = max((at for at in spaces if at <= width - len(indent) - len(kind) - 2), default=None)
    if cut is None:
        return [line]
    return [f'{indent}{kind}"{text[:cut]}"', *_split_string(f'{indent}{kind}"{text[cut:]}"{comma}', width)]
