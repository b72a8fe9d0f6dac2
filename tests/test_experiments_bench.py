"""The workbench: one loop, one network, one copy of each data set, and nothing between chapters."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

from coursekit import experiments, plotting
from coursekit.errors import RangeError
from coursekit.experiments import _bench as bench
from coursekit.layers import BatchNorm, Dense, Dropout, Tanh
from coursekit.losses import mean_squared_error, softmax_cross_entropy
from coursekit.model import Sequential, stack_runs
from coursekit.optimizers import adam, momentum, sgd

EXPERIMENTS, PLOTTING = (Path(package.__file__).parent for package in (experiments, plotting))


def _sources(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.py"))}


# --- how the house is built -------------------------------------------------------------------------------------------


def _calls(node):
    functions = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in functions}


def training_loops(source):
    """Lines of the innermost loops that send gradients back and update."""
    loops = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.For, ast.While))]
    train = [loop for loop in loops if "update" in _calls(loop) and _calls(loop) & {"backward", "backward_first"}]
    return [a.lineno for a in train if not any(b is not a and b in [*ast.walk(a)] for b in train)]


def sideways(source, name, chapters):
    """What a chapter's module imports of other chapters of its own room."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1 + name.count("/"):
            found |= {alias.name for alias in node.names} if node.module is None else {node.module.split(".")[0]}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", None) or ""] + [alias.name for alias in node.names]
            found |= {n.split(".")[2] for n in names if n.startswith("coursekit.") and n.count(".") > 1}
    return sorted(found & chapters - {name.removesuffix(".py")})


def test_the_counters_see_what_they_count():
    loop = (
        "def f():\n    for s in range(3):\n        g = net.backward_first(d, c)\n        p, o = rule.update(p, g, o)\n"
    )
    assert training_loops(loop) == [2]
    assert training_loops("for e in range(2):\n    " + loop.replace("\n", "\n    ")) == [3]
    assert training_loops("for s in range(3):\n    seen.update(s)\n") == []
    assert sideways("from .b import mlp\n", "a.py", {"a", "b"}) == ["b"]
    assert sideways("from . import b\n", "a.py", {"a", "b"}) == ["b"]
    assert sideways("def f():\n    from .b import g\n", "a.py", {"a", "b"}) == ["b"]
    assert sideways("from coursekit.experiments.b import mlp\n", "a.py", {"a", "b"}) == ["b"]
    assert sideways("from ._bench import mlp\nfrom ..b import mlp\n", "a.py", {"a", "b"}) == []


def test_hardly_any_experiment_writes_a_training_loop_of_its_own():
    loops = {name: training_loops(source) for name, source in _sources(EXPERIMENTS).items()}
    count = sum(map(len, loops.values()))
    where = ", ".join(f"{name}:{line}" for name, lines in loops.items() for line in lines)
    assert loops["_bench.py"], "the counter no longer sees descend itself"
    assert count <= 5, f"{count} loops train a network: {where}; use descend of experiments/_bench.py"


def test_there_is_one_mlp():
    found = [
        (name, node.lineno)
        for name, source in _sources(EXPERIMENTS).items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and node.name.strip("_") == "mlp"
    ]
    assert [name for name, _ in found] == ["_bench.py"], f"use mlp of experiments/_bench.py in place of {found}"


# The modules of one chapter may use one another.
FAMILIES = (
    {"cnn_architectures", "deep_networks", "moved_digits", "saliency"},
    {"recurrent_networks", "attention", "cells", "free_running", "truncation"},
    {"transfer_learning", "block_rates", "layer_rates", "pretrained"},
)


def family(name):
    return next((names for names in FAMILIES if name.removesuffix(".py") in names), set())


@pytest.mark.parametrize("folder", [EXPERIMENTS, PLOTTING], ids=["experiments", "plotting"])
def test_chapters_import_nothing_from_one_another(folder):
    sources = {name: source for name, source in _sources(folder).items() if "/" not in name}
    chapters = {name.removesuffix(".py") for name in sources if not name.startswith("_")} | {"recipes"}
    found = {name: sideways(source, name, chapters - family(name)) for name, source in sources.items()}
    assert {n: f for n, f in found.items() if f} == {}, "move what two chapters share to _bench.py or _parts.py"


def test_cached_arrays_are_read_only_because_only_the_workbench_caches():
    own = [
        (name, node.lineno)
        for name, source in _sources(EXPERIMENTS).items()
        if name != "_bench.py"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in ("cache", "lru_cache")
    ]
    assert own == [], f"write @shared() of experiments/_bench.py in place of functools.cache: {own}"


# --- data -------------------------------------------------------------------------------------------------------------

SETS = {
    "digits": (bench.digits, (1437, 64), 360, 1.0),
    "mnist": (bench.mnist, (10000, 784), 2000, 0.309),
    "mnist_standardized": (bench.mnist_standardized, (10000, 784), 2000, 1.0),
    "small_mnist": (bench.small_mnist, (10000, 196), 2000, 0.281),
    "small_mnist_standardized": (bench.small_mnist_standardized, (10000, 196), 2000, 1.0),
    "small_clothes": (bench.small_clothes, (3000, 196), 1000, 0.331),
}


@pytest.mark.parametrize("name", SETS)
def test_a_data_set_has_the_size_and_the_scale_that_it_promises(name):
    load, shape, tests, std = SETS[name]
    found = load()
    assert found.x.shape == shape and found.x_test.shape == (tests, shape[1])
    assert found.y.shape == shape[:1] and found.y_test.shape == (tests,)
    assert abs(found.x.mean(dtype=np.float64)) < 1e-6
    assert found.x.std(dtype=np.float64) == pytest.approx(std, abs=0.001)
    assert np.abs(found.x_test.mean(dtype=np.float64)) < 0.05  # by the training images' mean
    assert load() is found
    for array in found:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def calls_by_function(folder, name):
    """{"module.function"} of all functions that call one of this name."""
    return {
        f"{path.stem}.{function.name}"
        for path in sorted(folder.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef) and name in _calls(function)
    }


def test_small_digits_have_one_of_two_scales():
    """What makes 14x14 images itself is listed here, with its scale; a new experiment takes them from the workbench."""
    from coursekit.experiments import deep_networks, transfer_learning

    known = {"_bench._rows", "deep_networks.images", "transfer_learning.problem", "preprocessing._smaller"}
    assert calls_by_function(EXPERIMENTS, "shrink") == known
    loads = (bench.small_mnist, bench.small_mnist_standardized, deep_networks.images)
    sets = [*(load()[0] for load in loads), transfer_learning.problem("digits").x]
    scales = [round(float(x.std(dtype=np.float64)), 2) for x in sets]
    assert scales == [0.28, 1.0, 1.0, 0.28]


def test_a_rate_belongs_to_the_scale_of_the_inputs():
    """Inputs s times as large, weights 1/s of theirs: the same path of the first layer at 1/s^2 of the rate."""
    x, y = bench.small_mnist(200)[:2]
    net, s = bench.mlp([196, 10]), 3.56
    params, _ = net.init(np.random.default_rng(0), dtype=np.float64)
    large = {"dense_0": {"w": params["dense_0"]["w"] / s, "b": params["dense_0"]["b"]}}

    def weights(x, params, rate):
        out, cache, _ = net.forward(params, {}, x, training=True)
        return params["dense_0"]["w"] - rate * net.backward(softmax_cross_entropy(out, y)[1], cache)[1]["dense_0"]["w"]

    np.testing.assert_allclose(s * weights(s * x, large, 0.5 / s**2), weights(x, params, 0.5), atol=1e-12)
    assert 12 < 1 / bench.small_mnist().x.std() ** 2 < 13.5


def test_a_small_image_is_the_mean_of_four_pixels():
    image = np.arange(16.0).reshape(1, 4, 4)
    np.testing.assert_array_equal(bench.shrink(image), [[[2.5, 4.5], [10.5, 12.5]]])


def test_fewer_examples_are_the_first_ones_and_more_than_there_are_is_an_error():
    np.testing.assert_array_equal(bench.small_mnist(200).y, bench.small_mnist().y[:200])
    assert abs(bench.small_mnist(200).x.mean()) < 1e-12
    assert bench.small_mnist(200, np.float32).x.dtype == np.float32
    with pytest.raises(RangeError, match="10,000 training images"):
        bench.mnist(10001)


def test_what_is_shared_is_computed_once_and_nobody_can_write_into_it():
    calls = []

    class Held:
        def __init__(self):
            self.inside = np.zeros(2)

    @bench.shared(maxsize=2)
    def compute(n=3):
        calls.append(n)
        return {"a": np.zeros(n), "b": (np.ones(n), [np.ones((n, 2))]), "c": Held(), "text": "x", "f": np.mean}

    found = compute(3)
    assert compute(3) is found and calls == [3]
    assert compute.__name__ == "compute"
    for array in (found["a"], found["b"][0], found["b"][1][0], found["c"].inside):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


# --- batches and networks ---------------------------------------------------------------------------------------------


def test_a_shuffle_holds_every_example_once():
    x = np.arange(10)
    draw = bench.shuffled(x, 10 * x, 4, np.random.default_rng(0))
    batches = [draw() for _ in range(4)]
    assert all(len(a) == 4 and (b == 10 * a).all() for a, b in batches)
    first, second, third, fourth = (set(a.tolist()) for a, _ in batches)
    assert len(first | second) == len(third | fourth) == 8
    assert [a.tolist() for a, _ in batches[:2]] != [a.tolist() for a, _ in batches[2:]]
    whole = bench.shuffled(x, x, 4, np.random.default_rng(0), rest=True)
    sizes = [len(whole()[0]) for _ in range(6)]
    assert sizes == [4, 4, 2, 4, 4, 2]
    assert len(bench.shuffled(x, x, 50, np.random.default_rng(0))()[0]) == 10


def test_drawn_batches_put_back():
    x = np.arange(3)
    draw = bench.drawn(x, -x, 30, np.random.default_rng(0))
    a, b = draw()
    assert len(a) == 30 and set(a.tolist()) == {0, 1, 2} and (b == -a).all()
    assert not np.array_equal(a, draw()[0])


def test_mlp_puts_its_layers_where_it_says():
    rng = np.random.default_rng(0)
    net = bench.mlp([7, 5, 4, 3], Tanh, before=lambda units: [BatchNorm(units)], after=[Dropout(0.5)])
    kinds = [name.split("_")[0] for name in net.names]
    assert kinds == ["dense", "batchnorm", "tanh", "dropout"] * 2 + ["dense"]
    params, _ = net.init(rng)
    assert [params[n]["w"].shape for n in params if n.startswith("dense")] == [(7, 5), (5, 4), (4, 3)]
    same, other = (
        bench.mlp([7, 5, 3], weights=bench.scaled(2.0), **keywords).init(np.random.default_rng(1), dtype=np.float64)[0]
        for keywords in ({}, {"last": bench.scaled(0.5)})
    )
    np.testing.assert_array_equal(same["dense_0"]["w"], other["dense_0"]["w"])
    np.testing.assert_allclose(same["dense_2"]["w"], 4 * other["dense_2"]["w"])
    assert bench.mlp([7, 3]).names == ("dense_0",)
    w = bench.by_fan_in(3.0)(np.random.default_rng(0), (400, 300), dtype=np.float64)
    assert w.std() == pytest.approx(3 / 20, rel=0.01)


# --- descend ----------------------------------------------------------------------------------------------------------


def _by_hand(net, params, sample, rule, steps):
    losses, memory = [], rule.init(params)
    for _ in range(steps):
        x, y = sample()
        out, cache, _ = net.forward(params, {}, x, training=True)
        value, dout = softmax_cross_entropy(out, y)
        _, grads = net.backward(dout, cache)
        params, memory = rule.update(params, grads, memory)
        losses.append(value)
    return np.array(losses), params


@pytest.mark.parametrize("rule", [sgd(0.1), momentum(0.05), adam(0.01)], ids=lambda rule: type(rule).__name__)
def test_descend_is_the_loop_that_one_would_write(rule):
    x, y, _, _ = bench.digits(np.float64)
    net = bench.mlp([64, 12, 10])
    first, _ = net.init(np.random.default_rng(0), dtype=np.float64)
    before = {name: {key: a.copy() for key, a in part.items()} for name, part in first.items()}
    one, other = (bench.drawn(x, y, 16, np.random.default_rng(1)) for _ in range(2))
    run = bench.descend(net, first, one, rule, steps=30)
    loss, params = _by_hand(net, first, other, rule, 30)
    np.testing.assert_allclose(run.loss, loss, rtol=1e-12)
    for name, part in params.items():
        for key, value in part.items():
            np.testing.assert_allclose(run.params[name][key], value, rtol=1e-9, atol=1e-14)
            np.testing.assert_array_equal(first[name][key], before[name][key])


def test_descend_gives_state_and_loss_and_chance_where_they_belong():
    x, y, _, _ = bench.digits()
    net = bench.mlp([64, 12, 10], before=lambda units: [BatchNorm(units)], after=[Dropout(0.5)])
    rng = np.random.default_rng(0)
    params, state = net.init(rng)
    target = np.eye(10, dtype=np.float32)[y]
    sample = bench.drawn(x, target, 32, rng)
    seen = []
    run = bench.descend(
        net, params, sample, sgd(0.1), steps=5, state=state, rng=rng, loss=mean_squared_error,
        watch=lambda now: seen.append(now.state["batchnorm_1"]["mean"].copy()) or None,
    )  # fmt: skip
    assert run.loss.shape == (5,) and run.loss.dtype == np.float64
    np.testing.assert_array_equal(run.state["batchnorm_1"]["mean"], seen[-1])
    assert not np.array_equal(seen[0], seen[-1])


def test_watch_sees_every_step_and_may_end_the_training():
    x, y, _, _ = bench.digits(np.float64)
    net = bench.mlp([64, 10])
    params, _ = net.init(np.random.default_rng(0), dtype=np.float64)
    seen = []

    def watch(now):
        seen.append((now.step, float(now.loss), softmax_cross_entropy(now.out, y)[0]))
        step = now.params["dense_0"]["w"] - now.before["dense_0"]["w"]
        np.testing.assert_allclose(step, -0.5 * now.grads["dense_0"]["w"], atol=1e-15)
        return now.step == 4

    run = bench.descend(net, params, lambda: (x, y), sgd(0.5), steps=10, watch=watch, moves=True)
    assert [step for step, _, _ in seen] == [1, 2, 3, 4]
    assert [loss for _, loss, _ in seen] == run.loss.tolist() == [float(again) for _, _, again in seen]
    np.testing.assert_array_equal(
        params["dense_0"]["w"], net.init(np.random.default_rng(0), dtype=np.float64)[0]["dense_0"]["w"]
    )
    without = []
    bench.descend(net, params, lambda: (x, y), sgd(0.5), steps=1, watch=lambda now: without.append(now.before))
    assert without == [None]


def test_a_run_that_leaves_the_finite_numbers_is_nan_from_there_and_warns_nobody():
    x, y, _, _ = bench.digits(np.float64)
    net = bench.mlp([64, 16, 10])
    first, _ = net.init(np.random.default_rng(0), dtype=np.float64)

    def train(rule, start):
        watched = []
        sample = bench.drawn(x, y, 32, np.random.default_rng(1))
        run = bench.descend(net, start, sample, rule, steps=40, watch=lambda now: watched.append(now.step))
        return run, watched

    run, watched = train(sgd(1e200), first)
    made = np.isfinite(run.loss).sum()
    assert run.loss.shape == (40,) and 0 < made < 40 and watched == [*range(1, made + 1)]
    assert np.isnan(run.loss[made:]).all()
    side_by_side, watched = train(sgd(np.array([0.1, 1e200])), stack_runs([first, first]))
    assert side_by_side.loss.shape == (40, 2) and watched == [*range(1, 41)]
    assert np.isfinite(side_by_side.loss[:, 0]).all()
    assert np.isnan(side_by_side.loss[-1, 1])
    tame, _ = train(sgd(0.1), first)
    np.testing.assert_allclose(side_by_side.loss[:, 0], tame.loss, rtol=1e-9)


def test_no_steps_are_no_losses():
    layer = Dense(3, 2)
    params, _ = layer.init(np.random.default_rng(0))
    run = bench.descend(layer, params, lambda: 1 / 0, sgd(0.1), steps=0)
    assert run.loss.shape == (0,)
    np.testing.assert_array_equal(run.params["w"], params["w"])


def test_the_workbench_says_what_everything_is():
    for name, thing in vars(bench).items():
        if getattr(thing, "__module__", None) == bench.__name__ and not name.startswith("_"):
            assert inspect.getdoc(thing), name
    assert isinstance(bench.mlp([2, 1]), Sequential)
