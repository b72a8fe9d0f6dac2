"""A claim is run again when anything has changed that it uses, and only then."""

import ast
import dataclasses
import sys
from pathlib import Path

import pytest
from course_imports import reached

from coursekit import _digests, _uses, ledger

SOURCES = Path(ledger.__file__).parents[1]
QUICK = [each for each in ledger.claims() if ledger.read(each.id[:2]).get(each.id, {}).get("seconds", 9) < 0.3]


def executed(claim):
    """ "module: name" of each definition of the course of which a claim runs a line."""
    found, modules = set(), {module.__file__: name for name, module in sys.modules.items() if _is_ours(module)}

    def note(frame, event, argument):
        code = frame.f_code
        if event == "call" and code.co_filename in modules:
            found.add(f"{modules[code.co_filename]}: {code.co_qualname.partition('.')[0]}")

    sys.setprofile(note)
    try:
        ledger.run(claim)
    finally:
        sys.setprofile(None)
    return {each for each in found if "<" not in each}


def _is_ours(module):
    return (getattr(module, "__file__", None) or "").startswith(str(SOURCES))


@pytest.mark.parametrize("claim", QUICK, ids=lambda claim: claim.id)
def test_all_that_a_claim_runs_is_among_what_it_is_said_to_use(claim):
    said = _uses.used(claim.measure.__module__, claim.measure.__name__)
    machinery = (
        "coursekit.ledger: ",
        "coursekit.ledger._claim: ",
        "coursekit: ",
        "coursekit._uses: ",
        "coursekit._digests: ",
    )
    ran = {each for each in executed(claim) if not each.startswith(machinery) and not each.endswith(": _")}
    assert ran and ran <= said


def test_a_claim_depends_on_itself_on_what_it_uses_and_on_its_data_and_on_nothing_else(monkeypatch):
    claim, neighbour = (next(c for c in ledger.claims("05") if c.id == id) for id in ("05.mnist", "05.symmetry"))
    before = _uses.of_function(claim.measure)
    assert before == _uses.of_function(claim.measure) != _uses.of_function(neighbour.measure)
    definitions, digest = _uses._definitions, _digests.digest

    def changed(where):
        def other(module):
            return tuple(
                dataclasses.replace(each, text="another") if where in (each.where, module) else each
                for each in definitions(module)
            )

        monkeypatch.setattr(_uses, "_definitions", other)
        monkeypatch.setattr(
            _digests, "digest", lambda path, name="": "another" if path.name == where else digest(path, name)
        )
        return _uses.of_function(claim.measure) != before

    own = f"{claim.measure.__module__}: {claim.measure.__name__}"
    for where in (
        own,
        "coursekit.initializers: he_normal",
        "coursekit.losses: softmax_cross_entropy",
        "mnist_small.npz",
    ):
        assert changed(where), where
    beside = f"{neighbour.measure.__module__}: {neighbour.measure.__name__}"
    for where in (beside, "coursekit.layers.recurrent", "coursekit.plotting", "weights_lenet5_mnist.npz"):
        assert not changed(where), where


def test_no_name_of_a_module_is_put_together_while_a_claim_runs():
    """`getattr(activations, name + "_forward")` would use what `_uses` cannot see."""
    modules = {name for claim in ledger.claims() for name in reached(claim.measure.__module__)}
    for module in sorted(modules - {"coursekit", "coursekit._moved", "coursekit.experiments.recipes"}):
        path = _digests.locate(module)
        tree = ast.parse(path.read_bytes())
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        imported = {name for name, (_, within) in _uses._imported(tree, package).items() if not within}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "vars") and node.args:
                first = node.args[0]
                assert not (isinstance(first, ast.Name) and first.id in imported), module


@pytest.mark.parametrize(
    ("text", "refers"),
    [
        ("from . import losses\ndef f(): return losses.huber(1)", {("coursekit.losses", "huber")}),
        ("from .losses import huber as h\ndef f(): return h(1)", {("coursekit.losses", "huber")}),
        ("def f():\n    from .losses import huber\n    return huber(1)", {("coursekit.losses", "huber")}),
        ("import coursekit.losses as l\ndef f(): return l.huber(1)", {("coursekit.losses", "huber")}),
        ("import coursekit as ck\ndef f(): return ck.layers.dense.Dense(1)", {("coursekit.layers.dense", "Dense")}),
        ("from . import losses\ndef f(): return [losses]", {("coursekit.losses", "*")}),
        ("A = 1\ndef f(x): return x.A + A", {("coursekit.some", "A")}),
        ("import numpy as np\ndef f(x): return np.losses(x)", set()),
    ],
)
def test_a_name_is_followed_to_the_module_that_gives_it(tmp_path, monkeypatch, text, refers):
    (tmp_path / "some.py").write_text(text)
    definitions = _uses._definitions_of("coursekit.some", tmp_path / "some.py", 0)
    found = next(each for each in definitions if "f" in each.gives)
    ours = {pair for pair in found.refers if pair[0].startswith("coursekit")}
    assert refers <= ours and bool(refers) == bool(ours)


def test_a_form_that_is_registered_for_a_kind_belongs_to_its_function():
    assert {"coursekit.layers.image: MaxPool2d", "coursekit.layers.recurrent: GRU"} <= _uses.used(
        "coursekit.zoo.costs", "cost"
    )
