"""What a student's exception means, in the words of the task: its names, their shapes, and what to change.

NumPy says "operands could not be broadcast together with shapes (6,9) (6,)". The traceback knows which expression that
was, the frame what its names held, so `explain` can say "scores is (6, 9), scores.max(axis=1) is (6,)".
"""

from __future__ import annotations

import ast
import difflib
import itertools
import linecache
import re
from dataclasses import dataclass

import numpy as np

__all__ = ["Explained", "explain", "place", "tree_of"]


@dataclass(frozen=True)
class Explained:
    """An exception in words: where the code stopped, its line, and the mistake if it is known."""

    message: str
    code: str
    mistake: str | None


def explain(name: str, error: BaseException, names: dict) -> Explained:
    """Say why the student's function `name` raised `error`; `names` are the globals of the notebook."""
    frame, lasti, line = place(error.__traceback__, names)
    if frame is None:
        return Explained(f"{name} cannot be run", "", _mistake(error, None, name) or _fallback(error))
    code = frame.f_code
    inside = "" if code.co_name in (name, "<lambda>") or code.co_name.startswith("<") else f" (in {code.co_name})"
    at = line_of(code, line)
    site = Site(frame, lasti, line)
    mistake = _mistake(error, site, name)
    if mistake is None:
        return Explained(f"{name}{inside} stops in the middle: {_fallback(error)}.", at, None)
    return Explained(f"{name}{inside} stops in the middle.", at, mistake)


def place(traceback, names):
    """Frame, instruction and line of the deepest of the student's own code; (None, 0, 0) when there is none."""
    found = (None, 0, 0)
    while traceback is not None:
        if traceback.tb_frame.f_globals is names:
            found = (traceback.tb_frame, traceback.tb_lasti, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def line_of(code, line: int) -> str:
    """Where the code stopped, in words: the line of its function, and what stands there."""
    source = linecache.getline(code.co_filename, line).strip()
    return f"line {line - code.co_firstlineno + 1} of {code.co_name}" + (f":  {clip(source, 120)}" if source else "")


def tree_of(filename: str):
    """The syntax tree of the cell with this file name, or None."""
    try:
        return ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return None


class Site:
    """The expression that raised, with what its parts held."""

    def __init__(self, frame, lasti, line):
        self.frame, self.line = frame, line
        self.node = self._find(lasti)

    def _find(self, lasti):
        tree = tree_of(self.frame.f_code.co_filename)
        if tree is None:
            return None
        where = next(itertools.islice(self.frame.f_code.co_positions(), lasti // 2, None), None)
        if where is None:
            return None
        start, end, column, end_column = where
        best = None
        for node in ast.walk(tree):
            here = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
            if here == (start, end) and (node.col_offset, node.end_col_offset) == (column, end_column):
                best = node  # the innermost of those that span the same text
        return best

    def text(self, node=None) -> str:
        """The source of an expression, on one line."""
        node = self.node if node is None else node
        return clip(" ".join(ast.unparse(node).split()), 60) if node is not None else ""

    def value(self, node):
        """What an expression holds; None when that cannot be found out without calling the student's own code."""
        for part in ast.walk(node):
            if isinstance(part, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
                return None
            if isinstance(part, ast.Call) and not self._harmless(part.func):
                return None
        try:
            code = compile(ast.Expression(node), "<part>", "eval")
            with np.errstate(all="ignore"):
                return eval(code, dict(self.frame.f_globals), dict(self.frame.f_locals))
        except Exception:
            return None

    def _harmless(self, function):
        root = function
        while isinstance(root, (ast.Attribute, ast.Subscript, ast.Call)):
            root = root.func if isinstance(root, ast.Call) else root.value
        if isinstance(function, ast.Name):
            return function.id in ("len", "range", "int", "float", "abs", "max", "min", "sum", "tuple", "list")
        if not isinstance(root, ast.Name):
            return isinstance(root, ast.BinOp | ast.UnaryOp)
        held = self.frame.f_locals.get(root.id, self.frame.f_globals.get(root.id))
        return held is np or isinstance(held, np.ndarray)

    def parts(self) -> list[tuple[str, object]]:
        """The operands or arguments, each with its text and value."""
        node = self.node
        if isinstance(node, ast.BinOp):
            nodes = [node.left, node.right]
        elif isinstance(node, ast.AugAssign):
            nodes = [node.target, node.value]
        elif isinstance(node, ast.Compare):
            nodes = [node.left, *node.comparators]
        elif isinstance(node, ast.Subscript):
            nodes = [node.value, node.slice]
        elif isinstance(node, ast.Assign):
            nodes = [node.targets[0], node.value]
        elif isinstance(node, ast.Call):
            owner = node.func.value if isinstance(node.func, ast.Attribute) else None
            nodes = [owner] if owner is not None and isinstance(self.value(owner), np.ndarray) else []
            for argument in node.args:
                nodes += argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument]
        else:
            return []
        return [(self.text(_loaded(n)), self.value(_loaded(n))) for n in nodes]

    def arrays(self):
        """Those of the parts that are arrays: (text, shape)."""
        return [(text, np.shape(v)) for text, v in self.parts() if isinstance(v, (np.ndarray, np.generic))]

    def named(self, shape, taken=()) -> str | None:
        """A local name that holds an array of this shape."""
        for name, value in self.frame.f_locals.items():
            if isinstance(value, np.ndarray) and value.shape == shape and name not in taken:
                return name
        return None


def _loaded(node):
    """The node as one that is read."""
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return ast.parse(ast.unparse(node), mode="eval").body
    return node


def clip(value, length=300) -> str:
    """At most `length` characters of a value's text, even of one that cannot be written."""
    try:
        text = str(value)
    except Exception:
        text = "(no message)"
    return text if len(text) <= length else text[: length - 1] + "…"


# --- what is wrong ----------------------------------------------------------------------------------------------------


def _mistake(error, site, name):
    text = clip(error, 600)
    for kinds, rule in _RULES:
        if isinstance(error, kinds):
            said = rule(error, text, site, name)
            if said:
                return said
    return None


_RAW = re.compile(r"Error|Traceback|could not be broadcast|operands|gufunc|ufunc|dtype")


def _fallback(error):
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).replace("Error", "").strip().lower()
    text = clip(error, 160)
    said = f", with the words “{text}”" if text and not _RAW.search(text) else ""
    return f"Python reports {_a(kind)} error{said}" if kind else f"Python cannot go on{said}"


def _a(word):
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def _shape(numbers: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", numbers))


def _is(pairs):
    return ", ".join(f"{text} is {shape if shape != () else 'a single number'}" for text, shape in pairs)


def _two(site, shapes):
    """The two arrays that do not fit, with the names they have in the code; made from the message if need be."""
    found = site.arrays() if site else []
    if len(found) >= 2:
        return found[:2]
    named, taken = [], []
    for shape in shapes:
        name = site.named(shape, taken) if site else None
        taken.append(name)
        named.append((name or "an array", shape))
    return named


def _matmul(error, text, site, name):
    hit = re.search(r"shapes (\([\d,]*\)) and (\([\d,]*\)) not aligned", text)
    if not (hit or "matmul" in text or "core dimension" in text):
        return None
    if "does not have enough dimensions" in text:
        pairs = site.arrays() if site else []
        parts = site.parts() if site else []
        single = next((t for t, v in parts if v is not None and np.ndim(v) == 0), None)
        return f"{single or 'a single number'} is a number, and @ needs arrays: * multiplies by a number" + (
            f" ({_is(pairs)})" if pairs else ""
        )
    pairs = _two(site, [_shape(g) for g in hit.groups()] if hit else [])
    if len(pairs) < 2:
        sizes = re.search(r"size (\d+) is different from (\d+)", text)
        inner = f": the inner sizes {sizes[2]} and {sizes[1]} must agree" if sizes else ""
        return f"the two arrays of a matrix product do not fit{inner}"
    (left, a), (right, b) = pairs
    inner = a[-1], b[-2] if len(b) > 1 else b[-1]
    said = f"a matrix product does not fit: {_is(pairs)}: the inner sizes {inner[0]} and {inner[1]} must agree"
    if len(a) == len(b) == 2:
        ways = []
        if a[0] == b[0]:
            ways.append(f"{_bracket(left)}.T")
        if a[1] == b[1]:
            ways.append(f"{_bracket(right)}.T")
        if b[1] == a[0] and not ways:
            ways.append("the other order")
        if ways:
            said += f". They would with {' or '.join(ways)}"
    return said


def _bracket(text):
    return text if re.fullmatch(r"[\w.\[\]]+", text) else f"({text})"


def _broadcast(error, text, site, name):
    into = re.search(r"input array from shape (\([\d,]*\)) into shape (\([\d,]*\))", text)
    if into:
        came, room = _shape(into[1]), _shape(into[2])
        return f"an array of shape {came} was put into a place of shape {room}"
    output = re.search(r"output operand with shape (\([\d,]*\)) doesn't match the broadcast shape (\([\d,]*\))", text)
    if output:
        place, result = _shape(output[1]), _shape(output[2])
        target = site.text(site.node.target) if site and isinstance(site.node, ast.AugAssign) else "the left side"
        return f"{target} is {place}, and what is put into it is {result}: it does not fit there"
    if "could not be broadcast" not in text and "shape mismatch" not in text:
        return None
    shapes = [_shape(g) for g in re.findall(r"\([\d,]*\)", text)]
    pairs = _two(site, shapes[:2])
    if len(pairs) < 2:
        return "two arrays of shapes that do not fit met in one operation"
    (_, a), (_, b) = pairs
    if len(a) > 2 or len(b) > 2 or not (a and b):
        return f"two shapes do not fit: {_is(pairs)}. Sizes are compared from the right, and each pair must agree"
    said = f"two shapes do not fit: {_is(pairs)}: from the right, {a[-1]} meets {b[-1]}"
    if a[-1] == b[-1] or 1 in (a[-1], b[-1]):
        said = f"two shapes do not fit: {_is(pairs)}: {a[0]} meets {b[0]}"
    for (big, one), (small, flat) in ((pairs[0], pairs[1]), (pairs[1], pairs[0])):
        if len(one) == 2 and len(flat) == 1 and one[0] == flat[0]:
            way = (
                "keepdims=True keeps" if re.search(r"axis|mean|sum|max|min|std|var|norm", small) else "[:, None] makes"
            )
            return f"{said}. {small} has one number for each row of {big}: {way} it a column, ({flat[0]}, 1)"
    if isinstance(getattr(site, "node", None), ast.BinOp) and isinstance(site.node.op, ast.Mult):
        if len(a) == len(b) == 2 and (a[1] == b[0] or a[0] == b[0] or a[1] == b[1]):
            return f"{said}. * works entry by entry; the matrix product is @"
    return said


def _truth(error, text, site, name):
    if "truth value of an array" not in text:
        return None
    return (
        "an if, and, or, max, min or abs comparison got a whole array, which has as many answers as entries: "
        "np.where, np.maximum, np.minimum or a mask works entry by entry"
    )


def _name(error, text, site, function):
    missing = getattr(error, "name", None) or (re.search(r"'(\w+)'", text) or ["", ""])[1]
    if isinstance(error, UnboundLocalError):
        return f"on this path nothing gives {missing} a value: the line that would is in another branch, or comes later"
    code = site.frame.f_code if site else None
    own = list(code.co_varnames) if code else []
    arguments = own[: code.co_argcount] if code else []
    if missing in ("torch", "tf", "scipy", "sp", "sklearn", "jax"):
        return f"{missing} is used, which the notebook does not import and the grader does not have: use NumPy"
    if missing in ("math", "plt", "pd", "random"):
        return f"{missing} was not imported"
    like = difflib.get_close_matches(missing, own + [n for n in (site.frame.f_globals if site else ())], 1, 0.75)
    if like:
        return f"{missing} is misspelt: there is {like[0]}"
    if missing in ("self",):
        return "self stands in a function that is no method of a class"
    if missing in dir(np) and missing not in arguments:
        return f"{missing} is a name of NumPy: np.{missing}"
    return (
        f"{missing} has no value here: no line of {code.co_name if code else function} gives it one, it is not among "
        f"the arguments ({', '.join(arguments)}), and no cell that was run defines it"
    )


def _none(error, text, site, name):
    if "NoneType" not in text:
        return None
    part = None
    if site:
        part = next((t for t, v in site.parts() if v is None and re.fullmatch(r"\w+", t)), None)
    what = f"{part} is None" if part and part in site.frame.f_locals else "something is None"
    return f"{what}: it comes from a function without a return, or from a method that works in place"


def _index(error, text, site, name):
    hit = re.search(r"index (-?\d+) is out of bounds for axis (\d+) with size (\d+)", text)
    if hit:
        i, axis, size = hit.groups()
        array = f"{site.text(site.node.value)}" if site and isinstance(site.node, ast.Subscript) else "the array"
        return (
            f"an index runs too far: {array} has {size} entries along axis {axis}, 0 to {int(size) - 1}, and entry {i} "
            "was asked for (is it the size of another axis, or counted from 1?)"
        )
    hit = re.search(r"array is (\d)-dimensional, but (\d) were indexed", text)
    if hit:
        array = f"{site.text(site.node.value)}" if site and isinstance(site.node, ast.Subscript) else "the array"
        return f"{array} has {hit[1]} axis or axes, and {hit[2]} indices were given"
    hit = re.search(r"boolean index did not match.*?size of axis is (\d+).*?boolean axis is (\d+)", text)
    if hit:
        return f"a mask of length {hit[2]} was used on an axis of length {hit[1]}"
    if "out of range" in text:
        what = "a tuple" if "tuple" in text else "a list" if "list" in text else "a sequence"
        return f"an index runs past the end of {what}: one loop too many, or i + 1 at the last i"
    if "valid indices" in text or "arrays used as indices" in text or "integer scalar" in text:
        return "an index is no whole number: a float or a list of floats stands in square brackets"
    if "invalid index to scalar" in text:
        return "a single number was indexed as if it were an array"
    return None


def _calls(error, text, site, name):
    hit = re.search(r"Cannot interpret '(.*?)' as a data type", text)
    if hit:
        call = site.text(site.node.func) if site and isinstance(site.node, ast.Call) else "the function"
        return (
            f"the sizes of {call} were given one by one, as MATLAB and torch take them: NumPy takes the shape as one "
            f"tuple, {call}((n, m)), and reads {hit[1]} as a dtype"
        )
    hit = re.search(r"'(dim|keepdim|unbiased)' is an invalid keyword|unexpected keyword argument '(\w+)'", text)
    if hit:
        word = hit[1] or hit[2]
        known = {"dim": "axis", "keepdim": "keepdims", "unbiased": "ddof=1", "correction": "ddof", "device": "nothing"}
        if word in known:
            return f"{word}= is PyTorch's word; NumPy's is {known[word]}"
        return f"{_called(site)} has no argument that is called {word}"
    if "not callable" in text:
        kind = (re.search(r"'([\w.]+)' object is not callable", text) or ["", "value"])[1]
        text_of = site.text(site.node.func) if site and isinstance(site.node, ast.Call) else "a value"
        hint = " (is a * missing before the bracket?)" if kind in ("float", "int") or "float" in kind else ""
        if "ndarray" in kind:
            hint = ": NumPy's arrays are indexed with square brackets, x[i]"
        if text_of.endswith((".shape", ".size", ".T", ".ndim", ".dtype")):
            hint = ": it is a property, without brackets"
        return f"{text_of} is {_kind(kind)} and was called like a function{hint}"
    hit = re.search(r"missing (\d+) required (?:positional|keyword-only) arguments?: (.*)", text)
    if hit:
        return f"{_called(site)} was called without {hit[2].replace(chr(39), '')}"
    hit = re.search(r"takes (?:from )?(\d+)(?: to (\d+))? positional arguments? but (\d+)", text)
    if hit:
        return f"{_called(site)} was called with {hit[3]} arguments and takes {hit[2] or hit[1]}"
    return None


def _called(site):
    if site and isinstance(site.node, ast.Call):
        return site.text(site.node.func)
    return "a function"


def _kind(kind):
    words = {
        "numpy.ndarray": "an array", "ndarray": "an array", "float": "a number", "int": "a number", "tuple": "a tuple",
        "list": "a list", "dict": "a dict", "str": "a text", "NoneType": "None", "numpy.float64": "a number",
        "function": "a function", "builtin_function_or_method": "a function (its brackets are missing)",
        "memoryview": "the .data of an array or of a NumPy number",
        "method": "a method (its brackets are missing)", "bool": "True or False", "numpy.int64": "a number",
    }  # fmt: skip
    return words.get(kind, f"something of type {kind}")


_TORCH = {
    "t": ".T", "permute": ".transpose", "view": ".reshape", "clone": ".copy", "detach": "nothing", "numpy": "nothing",
    "cat": "np.concatenate", "unsqueeze": "[:, None]", "item": "float(...)", "softmax": "exp, sum",
    "relu": "np.maximum",
    "randn": "standard_normal", "rand": "random", "norm": "np.linalg.norm", "numel": ".size", "dim": ".ndim",
    "float": ".astype(float)", "long": ".astype(int)", "pow": "**", "sub_": "a new array", "add_": "a new array",
    "scatter_": "an index", "gather": "an index", "tensor": "np.array", "log_softmax": "exp and sum", "mm": "@",
    "randint": "integers",
}  # fmt: skip


def _attribute(error, text, site, name):
    hit = re.search(r"'([\w.]+)' object has no attribute '(\w+)'|module '([\w.]+)' has no attribute '(\w+)'", text)
    if not hit:
        return None
    kind, word = hit[1] or f"module {hit[3]}", hit[2] or hit[4]
    if "Generator" in kind:
        known = {"randn": "standard_normal", "rand": "random", "randint": "integers", "seed": None}
        way = known.get(word)
        return f"rng is a generator, which has no {word}: " + (
            f"its name there is {way}"
            if way
            else "it has standard_normal, normal, uniform, random, integers, permutation"
        )
    if word in _TORCH:
        return f"{word} is PyTorch's; with NumPy it is {_TORCH[word]}"
    if hit[3]:
        like = difflib.get_close_matches(word, dir(np), 1)
        return f"{hit[3]} has no {word}" + (f": there is {like[0]}" if like and hit[3] == "numpy" else "")
    if word == "append":
        return f"append was asked of {_kind(kind)}: only a list has it"
    return f"{word} was asked of {_kind(kind)}, which has no such thing"


def _types(error, text, site, name):
    hit = re.search(r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'", text)
    if hit or "bitwise_xor" in text:
        if "bitwise_xor" in text or hit[1].startswith("^"):
            return "^ was used for a power: in Python it is **"
        if hit[1].startswith("&") or hit[1].startswith("|"):
            return "& or | binds before a comparison: each comparison needs brackets"
        pairs = [(t, v) for t, v in (site.parts() if site else []) if v is not None and not isinstance(v, (int, float))]
        odd = next((t for t, v in pairs if isinstance(v, (tuple, list, dict, str))), None)
        kind = next((k for k in hit.groups()[1:] if k in ("tuple", "list", "dict", "str", "function")), None)
        what = (
            f"{odd} is {_kind(type(dict(pairs)[odd]).__name__)}" if odd else f"there is {_kind(kind)}" if kind else None
        )
        if what:
            return f"{what} where a number or an array is meant, at {hit[1].strip(':')}"
        return f"{_kind(hit[2])} and {_kind(hit[3])} met at {hit[1].strip(':')}, which cannot be"
    if "bitwise" in text or "invert" in text:
        return "~, & and | work on masks of True and False, and there are floats"
    if "boolean subtract" in text or "boolean negative" in text:
        return "a mask of True and False was subtracted or negated: multiply by it, or use ~"
    if "Cannot cast ufunc" in text:
        return "an in-place operation (+=, -=, *=) puts floats into an array of whole numbers: start from floats"
    hit = re.search(r"argument of type '([\w.]+)' is not (?:iterable|a container)", text)
    if hit:
        return f"{_kind(hit[1])} was searched with `in`, which needs several values"
    if "not iterable" in text:
        kind = (re.search(r"'([\w.]+)' object is not iterable|non-iterable ([\w.]+) object", text) or ["", "", ""])[1:]
        return (
            f"{_kind(next((k for k in kind if k), 'value'))} was taken apart or looped over, which needs several values"
        )
    hit = re.search(r"cannot unpack non-iterable ([\w.]+) object", text)
    if hit:
        return f"{_kind(hit[1])} was taken apart into several names: only one value came"
    hit = re.search(r"'([\w.]+)' object is not subscriptable", text)
    if hit:
        return f"{_kind(hit[1])} was indexed with square brackets"
    if "does not support item assignment" in text:
        return "a tuple or a number was written into: make an array first"
    if "only length-1 arrays" in text or "0-dimensional arrays can be converted" in text:
        return (
            "a whole array stands where a single number is needed (float(...), int(...), math.sqrt, range or an index)"
        )
    hit = re.search(r'can only concatenate (\w+) \(not "([\w.]+)"\)', text)
    if hit:
        return f"{_kind(hit[1])} and {_kind(hit[2])} were joined with +"
    if "can't multiply sequence" in text:
        return "a list or tuple was multiplied by a number: np.array makes an array of it"
    if "list indices must be" in text or "tuple indices must be" in text:
        return "a list or tuple was indexed like an array, with [i, j] or a mask: np.array makes an array of it"
    if "unhashable" in text:
        return "an array or list was put into a set or used as a key: tuple(...) of it can be"
    if "has no len()" in text:
        return "len was asked of a single number"
    if "bad operand type" in text:
        kind = (re.search(r"'([\w.]+)'", text) or ["", "value"])[1]
        return f"- or abs was put before {_kind(kind)}"
    if "cannot be interpreted as an integer" in text or "expected a sequence of integers" in text:
        return "a float, or an array, stands where a whole number is needed (range, a shape, a count): // in place of /"
    if "not supported between instances" in text:
        return "two things of different kinds were compared (<, >), such as a list and a number"
    return None


def _values(error, text, site, name):
    hit = re.search(r"not enough values to unpack \(expected (\d+), got (\d+)\)", text)
    more = re.search(r"too many values to unpack \(expected (\d+)", text)
    if hit or more:
        names = site.text(site.node) if site and isinstance(site.node, (ast.Tuple, ast.Name)) else ""
        what = f" ({names})" if names else ""
        value = None
        if site and site.node is not None:
            for node in ast.walk(tree_of(site.frame.f_code.co_filename) or ast.Module([], [])):
                if isinstance(node, ast.Assign) and node.targets[0] is not None and node.lineno == site.line:
                    value = site.text(node.value)
        came = f"{hit[2]} came" if hit else "more came"
        return f"{(hit or more)[1]} names stand on the left{what}, and {came}" + (f" from {value}" if value else "")
    hit = re.search(r"cannot reshape array of size (\d+) into shape (\([\d,\s]*\))", text)
    if hit:
        shape = _shape(hit[2])
        return f"an array of {hit[1]} entries was to be reshaped to {shape}, which has {int(np.prod(shape))}"
    hit = re.search(r"axis (-?\d+) is out of bounds for array of dimension (\d+)", text)
    if hit:
        array = ""
        if site and isinstance(site.node, ast.Call):
            array = site.text(site.node.func.value) if isinstance(site.node.func, ast.Attribute) else ""
        return (
            f"axis {hit[1]} was asked of {array or 'an array'} with {hit[2]} ax{'i' if hit[2] == '1' else 'e'}s, "
            "which are counted from 0"
        )
    hit = re.search(r"must have same number of dimensions.*index 0 has (\d+).*index 1 has (\d+)", text)
    if hit:
        pairs = site.arrays() if site else []
        return (
            f"arrays with {hit[1]} and {hit[2]} axes were to be joined"
            + (f": {_is(pairs)}" if pairs else "")
            + ". b[None, :] makes a row of b; np.vstack puts b under the rows, np.column_stack beside them"
        )
    if "concatenation axis must match" in text or "must have same shape" in text or "must match exactly" in text:
        pairs = site.arrays() if site else []
        return "arrays whose other axes differ were to be joined" + (f": {_is(pairs)}" if pairs else "")
    if "inhomogeneous" in text or "setting an array element with a sequence" in text:
        return "an array was put where one number belongs, or arrays of different shapes into one array"
    if "must be square" in text:
        pairs = site.arrays() if site else []
        return "a square matrix is needed" + (f", and {_is(pairs[:1])}" if pairs else "")
    if "does not result in an equal division" in text:
        return _uneven(site)
    if "Improper number of dimensions to norm" in text:
        return _norm(site)
    if "Singular matrix" in text:
        return "a matrix without an inverse was inverted"
    if "dimensions" in text and "numpy" in type(error).__module__ and "Last 2" in text:
        return "a matrix is needed, and an array with fewer axes came"
    if "low >= high" in text or "high - low" in text:
        return "the lower limit of the draws is not below the upper one"
    if "probabilities do not sum" in text:
        return "the probabilities do not add up to 1"
    if "zero-size array" in text or "empty sequence" in text or "arg is an empty" in text:
        return "a slice or mask is empty: nothing is left to take the smallest, largest or mean of"
    if "must be a sequence of" in text or "shape mismatch" in text:
        return "the shapes do not fit together"
    return None


def _uneven(site):
    """np.split (also hsplit, vsplit) with a number of parts that does not divide the entries."""
    parts = site.parts() if site and isinstance(site.node, ast.Call) else []
    count = next((v for _, v in parts if isinstance(v, (int, np.integer))), None)
    equal = "parts of one size" if count is None else f"{count} parts of one size"
    name, array = next(((n, v) for n, v in parts if isinstance(v, np.ndarray) and v.ndim > 1), ("", None))
    if count and array is not None and array.shape[0] % count and array.shape[-1] % count == 0:
        return (
            f"{_called(site)} cut axis 0 of {name}, which is {array.shape}: the last axis has {array.shape[-1]} "
            f"entries, and can be cut into {equal} with axis={array.ndim - 1}"
        )
    return (
        f"{_called(site)} was asked for {equal}, and the entries do not go round: np.array_split lets the sizes of the "
        "parts differ by 1"
    )


def _norm(site):
    """np.linalg.norm with an order, or with more than two axes, of an array that is no vector and no matrix."""
    call = site.node if site and isinstance(site.node, ast.Call) else None
    if call and any(keyword.arg == "axis" for keyword in call.keywords):
        return f"{_called(site)} was given more than two axes: the root of (x**2).sum(axis=...) takes any number"
    arrays = site.arrays() if call else []
    which = f" of {arrays[0][0]}, which is {arrays[0][1]}" if arrays else ""
    return (
        f"{_called(site)} was asked for a norm of a certain order{which}: with an order it takes a vector or a matrix "
        "alone, and of a matrix the order 2 is the largest singular value. Without the order it takes all entries "
        "together"
    )


def _others(error, text, site, name):
    if isinstance(error, RecursionError):
        return "the function calls itself without an end"
    if isinstance(error, ZeroDivisionError):
        if site and isinstance(site.node, ast.BinOp):
            return f"{site.text(site.node.right)} is 0, and something was divided by it"
        return "something was divided by 0"
    if isinstance(error, KeyError):
        parts = site.parts() if site else []
        held = next((v for _, v in parts if isinstance(v, dict)), None)
        keys = f"; its keys are {', '.join(map(repr, held))}" if held else ""
        return f"a dict has no key {clip(text, 40)}{keys}"
    if isinstance(error, ImportError):
        module = getattr(error, "name", None) or "a module"
        return f"{module} is imported, which is not there: the grader has NumPy alone"
    if isinstance(error, SystemExit):
        return "exit() or quit() ends the program: leave the function with return"
    if isinstance(error, MemoryError):
        return "an array is far too large for the memory"
    if isinstance(error, OverflowError):
        return "a number became too large (exp or a power of a large number)"
    if isinstance(error, StopIteration):
        return "next() was called at the end of an iterator"
    if isinstance(error, AssertionError):
        return "an assert of your own fails" + (f": {clip(text, 80)}" if text and not _RAW.search(text) else "")
    return None


_RULES = [
    (NameError, _name),
    (Exception, _none),
    ((ValueError, TypeError), _matmul),
    (ValueError, _broadcast),
    ((ValueError, TypeError), _truth),
    ((IndexError, TypeError), _index),
    ((TypeError, AttributeError), _calls),
    (AttributeError, _attribute),
    (TypeError, _types),
    (Exception, _values),
    (BaseException, _others),
]
