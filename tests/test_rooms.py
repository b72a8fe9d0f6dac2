"""Which part of the package may know which: arrows point down, and the chapters do not know one another.

explorers -> plotting -> (nothing of the course's experiments) ; explorers -> experiments -> maths -> _checks -> errors
"""

import ast
from pathlib import Path

from course_imports import imports

import coursekit
from coursekit._chapters import CHAPTERS

PACKAGE = Path(coursekit.__file__).parent
COURSE = {"experiments", "explorers", "grading", "interactive", "ledger", "plotting"}
# Drawing needs constants and pure functions of the experiment that it draws: the same chapter's only.
ALLOWED: set[tuple[str, str]] = set()
"""Arrows that are still there although they may not be. Take lines away; add none."""


def modules():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows():
    """(from, to) for every import in the package, wherever it stands; names without "coursekit."."""
    known = modules()
    for name, path in known.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for target in imports(node, ".".join(filter(None, ["coursekit", package]))):
                short = target.removeprefix("coursekit").removeprefix(".")
                if short and short in known and short != name:
                    yield name, short


def room(name):
    return name.split(".")[0]


def chapter(name):
    """The chapter that a module of experiments, plotting, explorers or ledger belongs to, or None."""
    parts = name.split(".")
    own = len(parts) == 2 and parts[0] in ("experiments", "plotting", "explorers", "ledger")
    return parts[1] if own and parts[1] in CHAPTERS.values() else None


def forbidden(source, target):
    """Why an import may not be, or None."""
    if (source, target) in ALLOWED:
        return None
    if source and room(source) not in COURSE and room(target) in COURSE:
        return "the maths knows nothing of the course"
    if room(source) == "experiments" and room(target) in COURSE - {"experiments"}:
        return "an experiment computes; it draws nothing and knows no slider"
    if room(source) == "plotting" and room(target) in COURSE - {"experiments", "plotting"}:
        return "a picture is drawn from a result; it knows no slider"
    if room(source) == "plotting" and room(target) == "experiments" and chapter(source) != chapter(target):
        return "a picture knows its own chapter's experiment only"
    if room(source) == "interactive" and chapter(target):
        return "the engine knows no chapter"
    if room(source) == "interactive" and room(target) in ("explorers", "ledger"):
        return "the engine stands below the declarations"
    if room(source) == "grading" and room(target) in ("experiments", "explorers", "ledger", "plotting"):
        return "grading knows the maths, not the book"
    if chapter(source) and chapter(target) and chapter(source) != chapter(target):
        return "a chapter knows no other chapter"
    return None


def test_no_module_imports_what_it_may_not_know():
    found = sorted(
        {f"{source} imports {target}: {why}" for source, target in arrows() if (why := forbidden(source, target))}
    )
    assert not found, "\n".join(found)


def test_each_exception_is_still_needed():
    gone = ALLOWED - set(arrows())
    assert not gone, f"take these lines out of ALLOWED: {sorted(gone)}"


def test_a_forbidden_arrow_is_seen():
    for source, target in [
        ("losses", "experiments.losses"),
        ("data.weights", "plotting._style"),
        ("experiments.losses", "plotting.losses"),
        ("experiments._bench", "explorers.losses"),
        ("plotting.losses", "interactive.core"),
        ("plotting.losses", "experiments.optimizers"),
        ("interactive.core", "experiments.losses"),
        ("interactive.core", "explorers"),
        ("grading.check", "experiments.losses"),
        ("experiments.losses", "experiments.optimizers"),
        ("explorers.losses", "plotting.optimizers"),
    ]:
        assert forbidden(source, target), (source, target)
    for source, target in [
        ("experiments.losses", "losses"),
        ("explorers.losses", "plotting.losses"),
        ("plotting.losses", "experiments.losses"),
        ("experiments.losses", "experiments._bench"),
        ("explorers.losses", "interactive"),
        ("ledger.losses", "experiments.losses"),
    ]:
        assert forbidden(source, target) is None, (source, target)


def test_the_imports_are_found():
    found = set(arrows())
    assert {
        ("explorers.losses", "experiments.losses"),
        ("experiments.losses", "optimizers"),
        ("optimizers", "_checks"),
    } <= found


def later(name, path):
    """(line, module) for each import inside a function, and whether a sentence stands at it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            for target in imports(node, ".".join(filter(None, ["coursekit", package]))):
                above, line = lines[node.lineno - 2].strip(), lines[node.lineno - 1]
                yield target.removeprefix("coursekit."), node.lineno, "#" in line or above.startswith("#")


def test_modules_that_need_one_another_say_why():
    """A circle can only be closed by an import inside a function, and only where a comment there says why."""
    known = modules()
    knows: dict[str, set] = {name: set() for name in known}
    for source, target in arrows():
        if not source.startswith(f"{target}."):  # `from . import x` is an import of x
            knows[source].add(target)

    def reached(start):
        found, left = set(), [start]
        while left:
            new = knows[left.pop()] - found
            found |= new
            left += new
        return found

    circles = {name for name in known if name in reached(name)}
    assert circles, "none is found: the test sees nothing"
    wrong = [
        f"{known[name]}:{line}: it imports {target}, which imports it: say why in a comment at the import, "
        "or take what both need to a module below them"
        for name in sorted(circles)
        for target, line, explained in later(name, known[name])
        if target in known and name in reached(target) and not explained
    ]
    assert not wrong, "\n".join(sorted(set(wrong)))
