"""What a chapter shows is what an ordinary call runs: broken on purpose, the call breaks, or the page says so."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import coursekit as ck
from coursekit.experiments import regularization, saliency, transfer_learning

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import shown_code  # noqa: E402

SHOWN = re.compile(r"^```\{literalinclude\} \.\./src/(coursekit/[\w/]+)\.py\n:pyobject: ([\w.]+)\n```", re.M)
PLACES = [
    (page.stem, module.replace("/", "."), name)
    for page in sorted((ROOT / "chapters").glob("*.md"))
    for module, name in SHOWN.findall(page.read_text(encoding="utf-8"))
]
OPTIONS = re.compile(r"^```\{literalinclude\} \.\./src/(coursekit/[\w/]+)\.py\n(.*?)```", re.M | re.S)
X, ONES = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 3.0]]), np.ones((3, 2))


class Ran(Exception):
    """The shown code ran."""


def broken(*args, **keywords):
    """What the shown code is replaced by."""
    from test_shown_code import Ran

    raise Ran


def update(rule):
    """One ordinary update."""
    w = {"w": np.ones(3)}
    return rule.update(w, w, rule.init(w))


def drawn(rule):
    """Weights of a layer as a network draws them."""
    return ck.layers.Dense(3, 2, rule).init(np.random.default_rng(0))


def frozen():
    """A network of two layers, one of them trained."""
    rule = ck.optimizers.by_layer(ck.optimizers.sgd(0.1))
    params = {"dense_0": {"w": np.ones(2)}}
    return rule.update(params, params, rule.init(params))


# The ordinary call of each object that a page shows. `Chapter` pages name plain forms in words; see below.
CALLS = {
    "dense.affine_forward": lambda: ck.layers.Dense(2, 2).forward(
        {"w": np.eye(2), "b": np.zeros(2)}, {}, X, training=True
    ),
    "dense.affine_backward": lambda: ck.layers.Dense(2, 2).backward(ONES, (X, np.eye(2), np.zeros(2))),
    "activations.tanh_backward": lambda: ck.activations.tanh_backward(ONES, ck.activations.tanh_forward(X)[1]),
    "activations.relu_backward": lambda: ck.activations.relu_backward(ONES, ck.activations.relu_forward(X)[1]),
    "activations.sigmoid_backward": lambda: ck.activations.sigmoid_backward(ONES, ck.activations.sigmoid_forward(X)[1]),
    "activations.elu_forward": lambda: ck.activations.elu_forward(X),
    "activations.maxout_backward": lambda: ck.activations.maxout_backward(
        np.ones((3, 1)), ck.activations.maxout_forward(X, 2)[1]
    ),
    "activations.log_softmax": lambda: ck.activations.log_softmax(X),
    "autograd.Tensor.__mul__": lambda: ck.autograd.Tensor(X) * 2.0,
    "autograd.Tensor.tanh": lambda: ck.autograd.Tensor(X).tanh(),
    "losses.softmax_cross_entropy": lambda: ck.losses.softmax_cross_entropy(X, np.array([0, 1, 1])),
    "losses.huber": lambda: ck.losses.huber(X, ONES),
    "preprocessing.Standardizer.fit": lambda: ck.preprocessing.Standardizer().fit(X),
    "preprocessing.Standardizer.transform": lambda: ck.preprocessing.Standardizer().fit(X).transform(X),
    "preprocessing.PCA.transform": lambda: ck.preprocessing.PCA().fit(X).transform(X),
    "initializers.fans": lambda: drawn(ck.initializers.he_normal),
    "initializers.xavier_normal": lambda: drawn(lambda *args, **kw: ck.initializers.xavier_normal(*args, **kw)),
    "initializers.he_normal": lambda: ck.initializers.he_normal(np.random.default_rng(0), (3, 2)),
    "normalization._batch_norm": lambda: ck.layers.BatchNorm(2).forward(
        *ck.layers.BatchNorm(2).init(np.random.default_rng(0), dtype=np.float64), X, training=True
    ),
    "normalization._updated": lambda: ck.layers.BatchNorm(2).forward(
        *ck.layers.BatchNorm(2).init(np.random.default_rng(0), dtype=np.float64), X, training=True
    ),
    "normalization.rms_norm_backward": lambda: ck.normalization.rms_norm_backward(
        np.ones((2, 3)), ck.normalization.rms_norm_forward(np.ones((2, 3)), np.ones(3))[1]
    ),
    "optimizers.orthogonalized": lambda: ck.optimizers.muon(0.1).update(
        np.eye(2), np.eye(2), ck.optimizers.muon(0.1).init(np.eye(2))
    ),
    "curvature.hessian_vector": lambda: ck.curvature.sharpness(lambda w: 2 * w, np.ones(2), np.random.default_rng(0)),
    "augmentation.mixup_loss": lambda: ck.augmentation.mixup_loss(
        ck.losses.softmax_cross_entropy, np.array([1, 0]), 0.5
    ),
    "normalization.local_response_norm_forward": lambda: ck.layers.LocalResponseNorm().forward(
        {}, {}, np.ones((1, 3, 2, 2)), training=True
    ),
    "optimizers.momentum.step": lambda: update(ck.optimizers.momentum(0.1)),
    "optimizers.adam.step": lambda: update(ck.optimizers.adam(0.1)),
    "optimizers.nadam.step": lambda: update(ck.optimizers.nadam(0.1)),
    "schedules.step_decay.__call__": lambda: update(ck.optimizers.sgd(ck.schedules.step_decay(0.1, 0.5, 10))),
    "schedules.cosine.__call__": lambda: update(ck.optimizers.sgd(ck.schedules.cosine(0.1, 10))),
    "schedules.warmup.__call__": lambda: update(ck.optimizers.sgd(ck.schedules.warmup(0.1, 5))),
    "diagnostics.RangeTest.steepest": lambda: (
        ck.diagnostics.RangeTest(
            np.array([0.1, 0.2, 0.3]), np.array([3.0, 2.0, 1.0]), np.array([3.0, 2.0, 1.0])
        ).steepest
    ),
    "experiments.regularization.decompose": lambda: regularization.bias_variance(),
    "experiments.regularization.soft_threshold": lambda: regularization.soft_threshold(np.ones(2), 0.5),
    "regularizers.l1": lambda: update(
        ck.regularizers.regularized(ck.optimizers.sgd(0.1), penalty=lambda params: ck.regularizers.l1(params, 0.1))
    ),
    "regularizers.dropout_backward": lambda: ck.layers.Dropout(0.5).backward(
        ONES, ck.layers.Dropout(0.5).forward({}, {}, X, training=True, rng=np.random.default_rng(0))[1]
    ),
    "search.log_uniform.draw": lambda: ck.search.random(
        {"lr": ck.search.log_uniform(0.1, 1)}, 2, np.random.default_rng(0)
    ),
    "search.log_uniform.around": lambda: ck.search.log_uniform(0.1, 1).around(0.3, 0.5),
    "search.random": lambda: ck.search.random({"lr": ck.search.log_uniform(0.1, 1)}, 2, np.random.default_rng(0)),
    "search.folds": lambda: ck.search.folds(10, 2, np.random.default_rng(0)),
    "diagnostics.update_ratio": lambda: ck.diagnostics.update_ratio({"w": np.ones(2)}, {"w": np.zeros(2)}),
    "diagnostics.gradient_norms": lambda: ck.diagnostics.gradient_norms({"w": np.ones(2)}),
    "layers.residual.Residual.backward": lambda: ck.layers.Residual(ck.layers.ReLU()).backward(
        ONES, ck.layers.Residual(ck.layers.ReLU()).forward({}, {}, X, training=True)[1]
    ),
    "attention.attention_forward": lambda: ck.layers.LookBack(1, 2, 2).forward(
        {"wq": np.eye(2), "wk": np.eye(2)}, {}, np.ones((1, 3, 2)), training=True
    ),
    "zoo.nets.lenet5": lambda: ck.zoo.nets.lenet5(),
    "recurrent.lstm_step_forward": lambda: ck.recurrent.lstm_step_forward(
        np.ones((1, 2)), np.ones((1, 3)), np.ones((1, 3)), np.ones((2, 12)), np.ones((3, 12)), np.ones(12)
    ),
    "recurrent.gru_step_forward": lambda: ck.recurrent.gru_step_forward(
        np.ones((1, 2)), np.ones((1, 3)), np.ones((2, 9)), np.ones((3, 9)), np.ones(9), np.ones(3)
    ),
    "optimizers.ByLayer.update": frozen,
    "experiments.saliency.grad_cam": lambda: saliency.where_it_looked("LeNet-5", 4),
    "experiments.transfer_learning.start": lambda: transfer_learning.fine_tune("digits", "clothes", 10, steps=1),
}


def test_the_pages_show_code():
    assert len(PLACES) > 35


@pytest.mark.parametrize(("page", "module", "name"), PLACES)
def test_the_shown_code_is_what_an_ordinary_call_runs(page, module, name, monkeypatch):
    if name.endswith("_plain"):
        text = (ROOT / "chapters" / f"{page}.md").read_text(encoding="utf-8")
        assert "plain form" in text, (
            f"{page} shows {name}: say in words that it is the plain form, and what runs instead"
        )
        return
    key = f"{module.removeprefix('coursekit.')}.{name}"
    assert key in CALLS, (
        f"{page} shows {key}: add to CALLS in tests/test_shown_code.py the call that a reader makes of it"
    )
    holder = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        holder = getattr(holder, part)

    shown = inspect.getattr_static(holder, last)
    function = shown.fget if isinstance(shown, property) else inspect.unwrap(getattr(shown, "__func__", shown))
    monkeypatch.setattr(function, "__code__", broken.__code__)  # under whatever name it was imported elsewhere
    with pytest.raises(Ran):
        CALLS[key]()


def blocks():
    """Each piece of code that Sphinx takes from the package into a chapter: its place, and its text."""
    for page in sorted((ROOT / "chapters").glob("*.md")):
        for module, options in OPTIONS.findall(page.read_text(encoding="utf-8")):
            given = dict(re.findall(r"^:([\w-]+): (.*)$", options, re.M))
            code = (ROOT / "src" / f"{module}.py").read_text(encoding="utf-8")
            if "pyobject" in given:
                found = ast.parse(code)
                for part in given["pyobject"].split("."):
                    found = next(node for node in found.body if getattr(node, "name", "") == part)
                start = min([found.lineno, *(each.lineno for each in found.decorator_list)])
                code = "\n".join(code.split("\n")[start - 1 : found.end_lineno])
            if "start-after" in given:
                code = code[code.index("\n", code.index(given["start-after"])) + 1 :]
            yield f"{page.stem}-{given.get('pyobject', module)}", code


BLOCKS = dict(blocks())


def test_that_the_blocks_are_found():
    assert len(BLOCKS) >= len({(page, name) for page, _, name in PLACES}) > 35


@pytest.mark.parametrize("place", BLOCKS)
def test_what_is_shown_fits_the_page_and_says_the_formula_once(place):
    code = BLOCKS[place]
    shown = shown_code.fitted(code)
    assert max(map(len, shown.split("\n"))) <= 80, shown
    assert "$" not in shown, shown
    trees = [ast.parse(textwrap.dedent(each)) for each in (code, shown)]
    for tree in trees:
        for node in ast.walk(tree):
            if shown_code.ast_docstring(node) is not None:
                node.body.pop(0)
    assert ast.dump(trees[0]) == ast.dump(trees[1])
    assert shown_code.fitted(shown) == shown


def test_what_would_not_fit_is_put_on_lines_of_its_own():
    code = (
        "def f(x):\n"
        '    r"""Map, $\\alpha x$.\n\n    More words.\n    """\n'
        f"    y = x{' + 1' * 14}  # a comment that leaves the page\n"
        f"    raise ValueError(f'{'word ' * 20}{{x}}')\n"
    )
    shown = shown_code.fitted(code)
    assert '    """Map."""\n    # a comment that leaves the page\n    y = x' in shown
    assert shown.count('            f"') == 2 or shown.count('        f"') == 2
    assert "More" not in shown and max(map(len, shown.split("\n"))) <= 80


def test_a_docstring_gives_its_first_sentence():
    told = {
        "Affine map, $a_b$ and $\\sum x$.": "Affine map.",
        "Logarithm, $\\log x$, without rounding.": "Logarithm, without rounding.",
        "Unit, $x$ for $x > 0$ and $\\alpha$ else (C 2016).": "Unit.",
        "Norm $\\lVert g \\rVert$ of arrays.": "Norm of arrays.",
        "The splits of $k$-fold.\n\nMore.": "The splits of k-fold.",
    }
    assert {text: shown_code.sentence(text) for text in told} == told
