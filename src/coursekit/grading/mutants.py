r"""What a right answer becomes by one change, and what that change is called.

    for mutant in mutants("def f(x, y):\n    return np.sqrt(x) + y"):
        mutant.says, mutant.code            # "np.sqrt is missing in what is returned", <code object>

A student's answer that gives what a mutant gives, on two draws, has that mistake. The tests use the mutants the other
way round: each of them must lose points, or a case is missing.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools

__all__ = ["Mutant", "mutants"]

_OPS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**", ast.MatMult: "@"}
_SWAPS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
}
_CALLS = {
    "mean": ["sum", "max", "median"], "sum": ["mean", "max"], "max": ["min", "mean", "sum"], "min": ["max"],
    "maximum": ["minimum"], "minimum": ["maximum"], "argmax": ["argmin"], "argmin": ["argmax"], "std": ["var"],
    "var": ["std"], "log": ["log2", "log10", "log1p"], "exp": ["expm1"], "sqrt": ["square"], "zeros": ["ones"],
    "abs": ["square"], "standard_normal": ["random"], "log10": ["log"], "nanmin": ["min", "nanmax"],
    "nanargmin": ["argmin", "nanargmax"], "geomspace": ["linspace"], "floor": ["ceil"], "gradient": ["diff"],
    "vstack": ["hstack"],
    "any": ["all"], "all": ["any"], "repeat": ["tile"], "tanh": ["exp"],
}  # fmt: skip
_COMPARE = {ast.Gt: [ast.GtE, ast.Lt], 
    ast.GtE: [ast.Gt, ast.LtE], ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE],
            ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq]}  # fmt: skip
_SIGNS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}


class Mutant:
    """One change of a program: `says` names it, `code` is the changed program, compiled when it is first asked for."""

    def __init__(self, says, tree, path, new):
        self.says, self._tree, self._path, self._new = says, tree, path, new

    @property
    def line(self) -> int:
        """The line of the program on which the change is made, from 1."""
        node = self._tree
        for field, i in self._path:
            node = getattr(node, field) if i is None else getattr(node, field)[i]
        return node.lineno

    @functools.cached_property
    def code(self):
        """The compiled program, or None when the change makes it no program, or one without an end."""
        with _changed(self._tree, self._path, self._new):
            if any(_takes_itself(node) for node in ast.walk(self._tree)):
                return None
            try:
                return compile(self._tree, "<mutant>", "exec")
            except (SyntaxError, ValueError, TypeError, RecursionError):
                return None

    @property
    def text(self) -> str:
        """The changed program."""
        with _changed(self._tree, self._path, self._new):
            return ast.unparse(self._tree)


@functools.lru_cache(maxsize=256)
def mutants(code: str, loops: bool = False) -> tuple[Mutant, ...]:
    """Every mutant of a program, the likeliest mistakes first; of a function with `while` only with `loops`.

    Such a mutant may run for ever, so whoever runs it needs a limit.
    """
    tree = ast.parse(code)
    found, seen = [], set()
    for path, node, where, function in _places(tree):
        for rank, says, new in _at(node, where, function):
            key = path, ast.dump(new)
            if key not in seen and (loops or not any(isinstance(n, ast.While) for n in ast.walk(function))):
                seen.add(key)
                found.append((rank, Mutant(says, tree, path, new)))
    return tuple(mutant for _, mutant in sorted(found, key=lambda pair: pair[0]))


def _takes_itself(node):
    """Whether the node is a list.append(list) or the like: np.stack of a list that holds itself never ends."""
    call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if not (call and node.func.attr in ("append", "extend", "insert") and isinstance(node.func.value, ast.Name)):
        return False
    return any(isinstance(part, ast.Name) and part.id == node.func.value.id for part in node.args)


@contextlib.contextmanager
def _changed(tree, path, new):
    """The tree with another node at this path, put back at the end."""
    node = tree
    for field, i in path[:-1]:
        node = getattr(node, field) if i is None else getattr(node, field)[i]
    field, i = path[-1]
    place = node.__dict__ if i is None else getattr(node, field)
    key = field if i is None else i
    old = place[key]
    place[key] = ast.fix_missing_locations(ast.copy_location(new, old))
    try:
        yield
    finally:
        place[key] = old


def _places(tree):
    """Each node inside a function with its path, where it stands, and its function."""

    def walk(node, path, where, function):
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            function = node
        if isinstance(node, ast.Return):
            where = "what is returned"
        elif isinstance(node, (ast.Assign, ast.AugAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            where = _text(target)
        elif isinstance(node, (ast.If, ast.While)):
            where = "the condition"
        if function is not None and path:
            yield path, node, where, function
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                if field in ("args", "annotation", "returns") and isinstance(node, ast.FunctionDef):
                    continue
                inner = "what the loop runs over" if field == "iter" else where
                yield from walk(value, (*path, (field, None)), inner, function)
            elif isinstance(value, list):
                for i, part in enumerate(value):
                    if isinstance(part, ast.AST):
                        inner = where
                        if isinstance(node, ast.Tuple) and where == "what is returned" and field == "elts":
                            inner = f"value {i + 1} of what is returned"
                        elif isinstance(node, ast.Tuple) and field == "elts" and where.startswith("(") and "," in where:
                            targets = where.strip("()").split(", ")
                            inner = targets[i] if len(targets) == len(node.elts) else where
                        elif (
                            isinstance(node, ast.Dict) and field == "values" and isinstance(node.keys[i], ast.Constant)
                        ):
                            inner = f"{node.keys[i].value!r}"
                        yield from walk(part, (*path, (field, i)), inner, function)

    yield from walk(tree, (), "the function", None)


def _text(node) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 46 else text[:45] + "…"


def _at(node, where, function):
    """The changes of one node: (rank, says, new node)."""
    for kind, rule in _RULES:
        if isinstance(node, kind):
            yield from rule(node, where, function)


def _return(node, where, function):
    value = node.value
    if not isinstance(value, (ast.Tuple, ast.List)) or not 2 <= len(value.elts) <= 5:
        return
    names = _names_of(value, function)
    orders = [p for p in itertools.permutations(range(len(names))) if list(p) != sorted(p)]
    if len(names) == 5:  # a loss and two pairs, as a rule
        orders = [(0, 3, 4, 1, 2), *(o for o in orders if o[0] == 0 or o == (4, 3, 2, 1, 0))]
    for order in orders:
        elts = [value.elts[i] for i in order]
        came = ", ".join(names[i] for i in order)
        says = f"the values come back in the order ({came}); asked for is ({', '.join(names)})"
        yield 0, says, ast.Return(ast.Tuple(elts, ast.Load()))
    for i, part in enumerate(value.elts):
        yield 1, f"only {names[i]} comes back; asked for is ({', '.join(names)})", ast.Return(part)
        if len(names) > 2:
            rest = [e for k, e in enumerate(value.elts) if k != i]
            yield 1, f"{names[i]} does not come back with the others", ast.Return(ast.Tuple(rest, ast.Load()))


def _names_of(value, function):
    """What to call the values of a return: their names, or their places."""
    words = ["the first", "the second", "the third", "the fourth", "the fifth"]
    return [e.id if isinstance(e, ast.Name) else words[i] for i, e in enumerate(value.elts)]


def _assign(node, where, function):
    target = node.targets[0]
    if isinstance(target, ast.Name) and target.id in _known_before(node, function):
        yield 5, f"{target.id} is not changed: a line for it is missing, or has no effect", ast.Pass()
    if not isinstance(target, ast.Tuple):
        yield (
            2,
            f"the sign of {where} is the wrong way round",
            ast.Assign(node.targets, ast.UnaryOp(ast.USub(), node.value), lineno=node.lineno),
        )


def _known_before(node, function):
    known = {a.arg for a in function.args.args} if isinstance(function, ast.FunctionDef) else set()
    for other in ast.walk(function):
        if isinstance(other, ast.Assign) and (other.lineno, other.col_offset) < (node.lineno, node.col_offset):
            for target in other.targets:
                known |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return known


def _augassign(node, where, function):
    yield 5, f"the line that changes {where} ({_OPS.get(type(node.op), '?')}=) is missing", ast.Pass()
    yield (
        3,
        f"= stands where {_OPS.get(type(node.op), '?')}= is meant, for {where}",
        ast.Assign([node.target], node.value, lineno=node.lineno),
    )
    for op in _SWAPS.get(type(node.op), [])[:1]:
        says = f"{_OPS[op]}= stands where {_OPS[type(node.op)]}= is meant, for {where}"
        yield 3, says, ast.AugAssign(node.target, op(), node.value)


def _binop(node, where, function):
    op = _OPS.get(type(node.op))
    if op is None:
        return
    left, right = _text(node.left), _text(node.right)
    for new in _SWAPS[type(node.op)]:
        rank = 3 if (type(node.op), new) in ((ast.Add, ast.Sub), (ast.Sub, ast.Add)) else 6
        says = f"{_OPS[new]} stands where {op} is meant, in {where}"
        if isinstance(node.op, ast.MatMult):
            says = f"* was used where the matrix product @ is meant, in {where}"
        yield rank, says, ast.BinOp(node.left, new(), node.right)
    if isinstance(node.op, (ast.Add, ast.Sub)):
        yield 4, f"the term {right} is missing in {where}", node.left
        rest = node.right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.right)
        yield 4, f"the term {left} is missing in {where}", rest
        if isinstance(node.op, ast.Sub):
            says = f"the difference is the wrong way round, {right} - {left}, in {where}"
            yield 3, says, ast.BinOp(node.right, ast.Sub(), node.left)
    elif isinstance(node.op, (ast.Mult, ast.MatMult)):
        yield 4, f"the factor {right} is missing in {where}", node.left
        yield 4, f"the factor {left} is missing in {where}", node.right
        if isinstance(node.op, ast.MatMult):
            says = f"the factors of a matrix product are the wrong way round in {where}"
            yield 4, says, ast.BinOp(node.right, ast.MatMult(), node.left)
    elif isinstance(node.op, (ast.Div, ast.FloorDiv)):
        yield 4, f"the division by {right} is missing in {where}", node.left
        says = f"the division is the wrong way round in {where}"
        yield 6, says, ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node.op, ast.Pow):
        power = "the square" if right == "2" else f"the power {right}"
        yield 4, f"{power} of {left} is missing in {where}", node.left
        if right != "2":
            yield (
                5,
                f"{left} was squared in place of the power {right}, in {where}",
                ast.BinOp(node.left, ast.Pow(), ast.Constant(2)),
            )
    yield from _brackets(node, where, op, left, right)


def _brackets(node, where, op, left, right):
    """Brackets that are missing or stand too far out, and a step of precedence."""
    tight, loose = (ast.Mult, ast.Div, ast.FloorDiv, ast.MatMult), (ast.Add, ast.Sub)
    if isinstance(node.op, tight):
        if isinstance(node.right, ast.BinOp) and isinstance(node.right.op, loose):
            inner = ast.BinOp(node.left, node.op, node.right.left)
            says = f"brackets are missing around {right} in {where}"
            yield 3, says, ast.BinOp(inner, node.right.op, node.right.right)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, loose):
            inner = ast.BinOp(node.left.right, node.op, node.right)
            yield 3, f"brackets are missing around {left} in {where}", ast.BinOp(node.left.left, node.left.op, inner)
        if isinstance(node.op, ast.Div) and isinstance(node.right, ast.BinOp) and isinstance(node.right.op, ast.Mult):
            inner = ast.BinOp(node.left, ast.Div(), node.right.left)
            says = f"brackets are missing around {right}, so it is multiplied by {_text(node.right.right)}, in {where}"
            yield 3, says, ast.BinOp(inner, ast.Mult(), node.right.right)
    if isinstance(node.op, loose):
        if isinstance(node.left, ast.Call) and len(node.left.args) == 1 and not node.left.keywords:
            name = _text(node.left.func)
            says = f"{right} stands inside {name}(...), not beside it, in {where}"
            inside = ast.BinOp(node.left.args[0], node.op, node.right)
            yield 3, says, ast.Call(node.left.func, [inside], [])
        if isinstance(node.right, ast.BinOp) and isinstance(node.right.op, tight):
            inner = ast.BinOp(node.left, node.op, node.right.left)
            says = f"brackets stand around {left} {op} {_text(node.right.left)} that do not belong there, in {where}"
            yield 6, says, ast.BinOp(inner, node.right.op, node.right.right)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, tight):
            inner = ast.BinOp(node.left.right, node.op, node.right)
            says = f"brackets stand around {_text(node.left.right)} {op} {right} that do not belong there, in {where}"
            yield 6, says, ast.BinOp(node.left.left, node.left.op, inner)


def _call(node, where, function):
    method = isinstance(node.func, ast.Attribute)
    name = node.func.attr if method else getattr(node.func, "id", "")
    is_np = method and isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
    shown = f"np.{name}" if is_np else f"{name}"
    if (is_np or not method) and node.args:
        if len(node.args) == 1 and name not in ("zeros", "ones", "arange", "range", "len", "float", "int"):
            yield 4, f"{shown} is missing in {where}", node.args[0]
        if len(node.args) == 2 and name in ("maximum", "minimum", "max", "min", "where"):
            yield 4, f"{shown} is missing in {where}", node.args[0]
            yield 4, f"{shown} is missing in {where}", node.args[1]
            yield (
                4,
                f"the absolute value was taken in place of {shown}, in {where}",
                ast.Call(_np("abs"), [node.args[0]], []),
            )
        if name == "where" and len(node.args) == 3:
            yield (
                2,
                f"the two branches are the wrong way round in {where}",
                ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords),
            )
            yield 4, f"one formula, {_text(node.args[1])}, was used on both sides in {where}", node.args[1]
            yield 4, f"one formula, {_text(node.args[2])}, was used on both sides in {where}", node.args[2]
        if name == "clip" and len(node.args) == 3:
            yield 4, f"{shown} is missing in {where}", node.args[0]
            yield 4, f"np.sign was used for np.clip in {where}", ast.Call(_np("sign"), [node.args[0]], [])
    elif method and not is_np and name in ("sum", "mean", "max", "min", "cumsum", "round", "astype", "copy"):
        yield 4, f"the {name} of {_text(node.func.value)} is missing in {where}", node.func.value
    for other in _CALLS.get(name, []):
        func = ast.Attribute(node.func.value, other, ast.Load()) if method else ast.Name(other, ast.Load())
        yield 3, f"{other} was taken where {name} is meant, in {where}", ast.Call(func, node.args, node.keywords)
    yield from _keywords(node, where, name)


def _np(name):
    return ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())


def _keywords(node, where, name):
    for i, keyword in enumerate(node.keywords):
        others = [k for j, k in enumerate(node.keywords) if j != i]
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None

        def with_(constant, others=others, keyword=keyword):
            return ast.Call(node.func, node.args, [*others, ast.keyword(keyword.arg, ast.Constant(constant))])

        if keyword.arg == "axis" and isinstance(value, int):
            for axis in {0: [1], 1: [0], -1: [0], 2: [0, 1]}.get(value, []):
                says = f"{name} runs along axis {axis} where axis {value} is meant, in {where}"
                yield 2, says, with_(axis)
            says = f"{name} runs over all entries where only axis {value} is meant, in {where}"
            yield 2, says, ast.Call(node.func, node.args, others)
        elif keyword.arg == "keepdims":
            yield 5, f"keepdims is missing in {where}", ast.Call(node.func, node.args, others)
        elif keyword.arg == "ddof" and value == 1:
            says = f"{name} has N in its denominator where N - 1 is meant (ddof=1), in {where}"
            yield 2, says, ast.Call(node.func, node.args, others)
        elif keyword.arg == "start" and value == 1:
            yield 2, "the count starts at 0 where it starts at 1", with_(0)
    words = {k.arg for k in node.keywords}
    if name in ("var", "std") and "ddof" not in words:
        says = f"{name} has N - 1 in its denominator (ddof=1) where N is meant, in {where}"
        yield 2, says, ast.Call(node.func, node.args, [*node.keywords, ast.keyword("ddof", ast.Constant(1))])
    if name in ("sum", "mean", "max", "min", "std", "var") and not words & {"axis"} and len(node.args) < 2:
        for axis in (0, 1):
            says = f"{name} runs along axis {axis} only, where all entries are meant, in {where}"
            yield 6, says, ast.Call(node.func, node.args, [*node.keywords, ast.keyword("axis", ast.Constant(axis))])


def _attribute(node, where, function):
    if node.attr == "T":
        yield 2, f"{_text(node.value)} was not transposed in {where}", node.value
    if node.attr == "size":
        first = ast.Subscript(ast.Attribute(node.value, "shape", ast.Load()), ast.Constant(0), ast.Load())
        says = f"the number of rows was taken where the number of entries of {_text(node.value)} is meant, in {where}"
        yield 2, says, first
        last = ast.Subscript(ast.Attribute(node.value, "shape", ast.Load()), ast.Constant(1), ast.Load())
        says = (
            f"the number of columns was taken where the number of entries of {_text(node.value)} is meant, in {where}"
        )
        yield 3, says, last


def _name(node, where, function):
    if not isinstance(node.ctx, ast.Load) or not isinstance(function, ast.FunctionDef):
        return
    if where == "what the loop runs over":
        return  # over a list that grows in the loop it would never end
    known = _known_before(node, function)
    if node.id not in known:
        return
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | {a.arg for a in function.args.args}
    for other in sorted(known & used - {node.id}):
        yield 7, f"{other} was used where {node.id} is meant, in {where}", ast.Name(other, ast.Load())
    if node.id.startswith("beta") or node.id in ("momentum", "decay", "rate", "drop", "alpha"):
        says = f"1 - {node.id} was used where {node.id} is meant, in {where}"
        yield 4, says, ast.BinOp(ast.Constant(1), ast.Sub(), node)


def _constant(node, where, function):
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    others = {0: [1], 1: [0, 2], 2: [1, 3, 0.5], 0.5: [1, 2]}.get(value, [value + 1, value - 1, 1])
    if isinstance(value, float) and value not in (0.5, 1.0, 0.0):
        others = [2 * value, value / 2, 0.0, 1.0, 1.1 * value, 0.9 * value]
    for other in others:
        says = f"the number {other:g} stands where {value:g} is meant, in {where}"
        yield 6, says, ast.Constant(other)


def _compare(node, where, function):
    if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
        return
    sign = _SIGNS[type(node.ops[0])]
    for new in _COMPARE[type(node.ops[0])]:
        says = f"{_SIGNS[new]} stands where {sign} is meant: {_text(node.left)} {sign} {_text(node.comparators[0])}"
        yield 4, says, ast.Compare(node.left, [new()], node.comparators)
    if isinstance(node.left, ast.Name):
        size = ast.Call(_np("abs"), [node.left], [])
        yield (
            6,
            f"the absolute value was compared: np.abs({node.left.id})",
            ast.Compare(size, node.ops, node.comparators),
        )


def _unary(node, where, function):
    if isinstance(node.op, ast.USub):
        yield 2, f"the minus before {_text(node.operand)} is missing in {where}", node.operand
    elif isinstance(node.op, (ast.Not, ast.Invert)):
        yield 2, f"the condition {_text(node.operand)} is the wrong way round in {where}", node.operand


def _if(node, where, function):
    says = f"the condition {_text(node.test)} has no effect: its branch is always taken"
    yield 5, says, ast.If(ast.Constant(True), node.body, node.orelse)
    yield 5, f"the branch for {_text(node.test)} is never taken", ast.If(ast.Constant(False), node.body, node.orelse)
    yield (
        3,
        f"the condition {_text(node.test)} is the wrong way round",
        ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse),
    )


def _order(node, where, function):
    """Two rules of which the second would be asked first: neighbouring ifs, or the branches of an elif."""
    for i, (one, two) in enumerate(itertools.pairwise(node.body)):
        if isinstance(one, ast.If) and isinstance(two, ast.If):
            body = [*node.body[:i], two, one, *node.body[i + 2 :]]
            yield 3, _first(one, two), _with(node, body=body)
        elif (
            isinstance(one, ast.If)
            and isinstance(two, ast.Return)
            and isinstance(two.value, ast.IfExp)
            and not one.orelse
        ):
            inner = ast.If(two.value.test, [ast.Return(two.value.body)], [])
            body = [*node.body[:i], inner, one, ast.Return(two.value.orelse), *node.body[i + 2 :]]
            yield 3, _first(one, two.value), _with(node, body=body)


def _elif(node, where, function):
    rest = node.orelse
    if len(rest) == 1 and isinstance(rest[0], ast.If):
        after = ast.If(node.test, node.body, rest[0].orelse)
        yield 3, _first(node, rest[0]), ast.If(rest[0].test, rest[0].body, [after])


def _first(one, two):
    return f"the condition {_text(two.test)} is asked before {_text(one.test)}, which comes first"


def _with(node, **changed):
    fields = {name: value for name, value in ast.iter_fields(node)} | changed
    return ast.copy_location(type(node)(**fields), node)


def _boolean(node, where, function):
    """`and` for `or`, and each part left out."""
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield 4, f"{other} stands where {word} is meant, in {where}", ast.BoolOp(op, node.values)
    for i, part in enumerate(node.values):
        rest = [v for k, v in enumerate(node.values) if k != i]
        left = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield 4, f"the condition {_text(part)} is missing in {where}", left


def _choice(node, where, function):
    yield 3, f"the two branches are the wrong way round in {where}", ast.IfExp(node.test, node.orelse, node.body)
    yield 4, f"the condition {_text(node.test)} has no effect in {where}", node.body
    yield 4, f"the branch for {_text(node.test)} is never taken in {where}", node.orelse


def _loop(node, where, function):
    yield 6, "the loop is never run, or only its last round counts", ast.For(
        node.target, ast.Subscript(_listed(node.iter), ast.Slice(ast.Constant(-1), None, None), ast.Load()), node.body,
        node.orelse, lineno=node.lineno,
    )  # fmt: skip
    for says, lower, upper in (
        ("the first round of the loop is left out", 1, None),
        ("the last round of the loop is left out", None, -1),
    ):
        part = ast.Slice(*(None if end is None else ast.Constant(end) for end in (lower, upper)), None)
        yield (
            5,
            says,
            ast.For(
                node.target,
                ast.Subscript(_listed(node.iter), part, ast.Load()),
                node.body,
                node.orelse,
                lineno=node.lineno,
            ),
        )


def _listed(node):
    return ast.Call(ast.Name("list", ast.Load()), [node], [])


def _break(node, where, function):
    yield 3, "continue stands where break is meant", ast.Continue()
    yield 5, "a break is missing", ast.Pass()


def _continue(node, where, function):
    yield 3, "break stands where continue is meant: the loop ends where it should go on with the next", ast.Break()
    yield 5, "a continue is missing", ast.Pass()


def _subscript(node, where, function):
    if isinstance(node.slice, ast.Slice) and node.slice.lower is None and node.slice.upper is None:
        says = f"{_text(node.value)} is in the order it came in: the reversal {_text(node)} is missing in {where}"
        yield 3, says, node.value


_RULES = [
    (ast.Return, _return),
    (ast.Assign, _assign),
    (ast.AugAssign, _augassign),
    (ast.BinOp, _binop),
    (ast.Call, _call),
    (ast.Attribute, _attribute),
    (ast.Name, _name),
    (ast.Constant, _constant),
    (ast.Compare, _compare),
    (ast.UnaryOp, _unary),
    (ast.If, _if),
    (ast.If, _elif),
    (ast.IfExp, _choice),
    (ast.BoolOp, _boolean),
    ((ast.FunctionDef, ast.For, ast.While), _order),
    (ast.For, _loop),
    (ast.Break, _break),
    (ast.Continue, _continue),
    (ast.Subscript, _subscript),
]
