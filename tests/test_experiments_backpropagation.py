"""What chapter 01 says about its experiments."""

import itertools

import numpy as np
import pytest

from coursekit.activations import sigmoid_backward, sigmoid_forward
from coursekit.errors import RangeError
from coursekit.experiments import backpropagation as experiment
from coursekit.explorers import backpropagation as explore
from coursekit.plotting import backpropagation as plot


def mistakes(name, epochs=20):
    return experiment.perceptron(name, epochs)["mistakes"]


def test_the_perceptron_learns_and_in_five_passes_and_or_in_three():
    assert mistakes("AND").argmin() == 5 and not mistakes("AND")[5:].any()
    assert mistakes("OR").argmin() == 3 and not mistakes("OR")[3:].any()


def test_the_perceptron_goes_round_in_a_circle_on_xor():
    assert (mistakes("XOR", 200)[3:] == 4).all()
    passes = [experiment.perceptron("XOR", n) for n in (4, 5, 50)]
    for later in passes[1:]:
        np.testing.assert_array_equal(later["w"], passes[0]["w"])
        assert later["b"] == passes[0]["b"]


def test_the_perceptrons_line_runs_through_no_point():
    for name in experiment.GATES:
        result = experiment.perceptron(name)
        assert np.abs(result["x"] @ result["w"] + result["b"]).min() >= 0.5


def test_the_hand_made_network_computes_xor():
    x, y = experiment.gate("XOR")
    h = np.maximum(0, x @ np.ones((2, 2)) + [0, -1])
    np.testing.assert_array_equal(h @ [1, -2], y)


def by_hand(graph):
    """The whole walk in plain numbers."""
    t = experiment.GRAPHS[graph]["leaves"]
    if graph == "one input, two units":
        e = t["v"] * t["x"] + t["w"] * t["x"] + t["−y"]
        d = 2 * e
        return {"L": 1, "e": d, "s": d, "p": d, "q": d, "v": d * t["x"], "w": d * t["x"], "x": d * (t["v"] + t["w"])}
    if graph == "a bill":
        net, rate = t["a"] * t["n"] + t["o"] * t["m"], t["t"]
        back = {"a": rate * t["n"], "n": rate * t["a"], "o": rate * t["m"], "m": rate * t["o"]}
        return {"L": 1, "v": 1, "d": 1, "s": rate, "t": net, "p": rate, "q": rate} | back
    z = t["w"] * t["x"] + t["b"]
    d = 2 * (max(0, z) + t["−y"])
    dz = d * (z > 0)
    return {"L": 1, "e": d, "a": d, "z": dz, "u": dz, "b": dz, "w": dz * t["x"], "x": dz * t["w"]}


@pytest.mark.parametrize("graph", experiment.GRAPHS)
def test_the_walk_ends_at_the_gradients_worked_out_by_hand(graph):
    assert experiment.walk(graph, experiment.WALK)["grads"] == by_hand(graph)


def test_no_step_of_a_walk_speaks_of_minus_zero():
    texts = [experiment.walk(graph, step)["text"] for graph in experiment.GRAPHS for step in range(experiment.WALK + 1)]
    assert any("= 0" in text for text in texts)
    assert not any("−0" in text for text in texts)


def test_the_walk_fills_in_one_value_a_step_then_goes_back():
    for graph in experiment.GRAPHS:
        states = [experiment.walk(graph, step) for step in range(experiment.WALK + 1)]
        given = len(experiment.GRAPHS[graph]["leaves"])
        assert [len(s["values"]) for s in states[:6]] == list(range(given, given + 6))
        assert all(not s["grads"] for s in states[:6])
        assert states[6]["grads"] == {"L": 1.0}
        assert all(len(a["grads"]) <= len(b["grads"]) for a, b in itertools.pairwise(states))
        assert len({s["text"] for s in states}) == len(states)


def test_every_number_of_a_walk_can_be_typed_and_is_judged():
    for graph in experiment.GRAPHS:
        end = experiment.walk(graph, experiment.WALK)
        assert all(": right" in line for line in experiment.typed(graph, end["values"], end["grads"]))
        off = ({k: v + 1 for k, v in end[kind].items()} for kind in ("values", "grads"))
        assert all("not yet" in line for line in experiment.typed(graph, *off))
    with pytest.raises(RangeError, match="a name is 'q'"):
        experiment.typed("one unit", {"q": 1.0})


def test_two_gradients_arrive_at_an_input_that_feeds_two_units():
    first, both = (experiment.walk("one input, two units", step)["grads"]["x"] for step in (10, 11))
    assert (first, both) == (-2, -2 + 8)


def test_the_graph_of_the_walk_has_an_arrow_from_every_input_to_every_operation():
    assert experiment.walk("one input, two units")["edges"].count(("x", "p")) == 1
    for graph, plan in experiment.GRAPHS.items():
        edges = experiment.walk(graph)["edges"]
        assert {end for _, end in edges} == set(plan["operations"])
        assert {begin for begin, _ in edges} == set(plan["places"]) - {"L"}


def test_hidden_units_decide_how_many_starts_learn_xor():
    share = {units: (last < 0.01).mean() for units, last in experiment.xor_starts().items()}
    assert share[1] == 0
    assert 0.5 < share[2] < 0.9
    assert share[2] < share[3] < 1
    assert share[4] == share[8] == 1


def test_a_gradient_costs_a_small_multiple_of_a_forward_pass():
    spent = experiment.cost(sizes=(300, 200, 200, 10), examples=200)
    assert spent["parameters"] == 300 * 200 + 200 + 200 * 200 + 200 + 200 * 10 + 10
    assert spent["backward"] < 10 * spent["forward"]
    assert spent["nudging"] == spent["parameters"] * spent["forward"]


def slope(result, low, high):
    """Of the error in the logarithm, between two step sizes."""
    part = (result["steps"] > low * 0.99) & (result["steps"] < high * 1.01)
    return np.polyfit(np.log(result["steps"][part]), np.log(result["error"][part]), 1)[0]


def test_the_error_falls_with_the_square_of_the_step_and_rises_with_its_inverse():
    central, one_sided = (experiment.difference(1e-15, "float64", f) for f in ("central", "one-sided"))
    assert slope(central, 1e-4, 1e-1) == pytest.approx(2, abs=0.1)
    assert slope(one_sided, 1e-6, 1e-1) == pytest.approx(1, abs=0.1)
    assert slope(central, 1e-14, 1e-6) == pytest.approx(-1, abs=0.15)


@pytest.mark.parametrize(
    ("arithmetic", "formula", "low", "high"),
    [
        ("float64", "central", 1e-6, 1e-4),
        ("float64", "one-sided", 1e-9, 1e-7),
        ("float32", "central", 1e-3, 5e-2),
        ("float32", "one-sided", 3e-5, 1e-3),
    ],
)
def test_the_best_step_is_where_the_table_says(arithmetic, formula, low, high):
    result = experiment.difference(1e-15, arithmetic, formula)
    assert low < result["steps"][result["error"].argmin()] < high


def test_the_smallest_step_is_ten_thousand_times_worse_than_the_best():
    error = experiment.difference(1e-14)["error"]
    assert error[-1] > 1e4 * error.min()


def test_the_measured_gradient_is_that_of_the_first_weight():
    result = experiment.difference(1e-5)
    assert result["measured"] == pytest.approx(result["exact"], rel=1e-8)
    assert result["steps"][-1] == 1e-5 and len(result["error"]) == len(result["steps"])
    np.testing.assert_array_equal(result["steps"], np.sort(result["steps"])[::-1])


def test_relu_is_measured_best_with_larger_steps_than_tanh_and_then_meets_a_kink():
    for seed in range(3):
        tanh, relu = (experiment.best_steps(activation, seed=seed) for activation in ("tanh", "relu"))
        best = relu["error"].argmin()
        assert 3e-6 < tanh["steps"][tanh["error"].argmin()] < 1e-4 <= relu["steps"][best] * 1.001 <= 1e-2
        assert relu["error"][best - 1] > 1e3 * relu["error"][best]  # the cliff: one step size larger


def test_float32_never_gets_near_float64():
    for seed in range(3):
        coarse = experiment.best_steps(arithmetic="float32", seed=seed)["error"].min()
        assert coarse > 1e4 * experiment.best_steps(seed=seed)["error"].min()


def test_a_sigmoid_layer_leaves_a_quarter_and_relu_all():
    for seed in range(4):
        factor = experiment.gradients_by_layer(depth=12, width=100, seed=seed)["factor"]
        assert 0.2 < factor["sigmoid"] <= 0.25
        assert 0.8 < factor["relu"] < 1.25


def test_ten_sigmoid_layers_leave_about_a_millionth():
    for seed in range(4):
        norms = experiment.gradients_by_layer(depth=10, seed=seed)["sigmoid"]
        assert 3e-7 < norms[0] / norms[-1] < 3e-6


def test_recentred_sigmoids_keep_their_gradients_for_thirty_layers():
    for seed in range(4):
        norms = experiment.gradients_by_layer(depth=30, start="recentred", seed=seed)["sigmoid"]
        assert norms[0] > 0.05 * norms[-1]
        usual = experiment.gradients_by_layer(depth=30, seed=seed)["sigmoid"]
        assert usual[0] < 1e-15 * usual[-1]


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_recentred_sigmoid_network_computes_what_the_tanh_network_computes(depth):
    x = np.random.default_rng(0).standard_normal((7, 64))
    outputs = []
    for activation, start in (("sigmoid", "recentred"), ("tanh", "usual")):
        net, params = experiment._network(activation, depth, 32, start, np.random.default_rng(3))
        params = {name: {k: a.astype(np.float64) for k, a in layer.items()} for name, layer in params.items()}
        outputs.append(net.forward(params, {}, x, training=False)[0])
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5)


def test_the_slope_of_the_sigmoid_is_at_most_a_quarter():
    _, cache = sigmoid_forward(np.linspace(-20, 20, 401))
    local = sigmoid_backward(np.ones(401), cache)
    assert local.max() == 0.25 and local.argmax() == 200


def test_deep_sigmoids_do_not_learn_and_their_first_layers_hardly_move():
    sigmoid, relu, recentred = (
        experiment.train_deep(*settings) for settings in (("sigmoid",), ("relu",), ("sigmoid", 6, "recentred"))
    )
    assert sigmoid["accuracy"] < 0.2 and min(relu["accuracy"], recentred["accuracy"]) > 0.6
    assert sigmoid["moved"][0] < 0.005 < 0.05 < sigmoid["moved"][-1]
    assert relu["moved"].min() > 0.05
    assert experiment.train_deep("sigmoid", 1)["accuracy"] > 0.75  # depth is to blame, not the sigmoid alone


def test_a_deep_run_that_diverges_is_nan_from_then_on():
    result = experiment.train_deep("relu", 20, lr=5.0, steps=30)
    finite = np.isfinite(result["loss"])
    assert not finite[-1] and not finite[finite.argmin() :].any()


@pytest.mark.parametrize(
    ("run", "settings"),
    [
        (experiment.best_steps, {}),
        (experiment.gradients_by_layer, {"depth": 4}),
        (experiment.train_deep, {"depth": 2, "steps": 20}),
        (experiment.xor_starts, {"hidden": (2,), "runs": 3, "steps": 20}),
    ],
)
def test_the_seed_decides_everything(run, settings):
    one, again, other = run(**settings), run(**settings), run(**settings, seed=1)
    for name, value in one.items():
        np.testing.assert_equal(again[name], value)
    assert any(not np.array_equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiment.gate("NAND"), "name is 'NAND', but must be one of 'AND', 'OR', 'XOR'"),
        (lambda: experiment.walk("two units"), "graph is 'two units'"),
        (lambda: experiment.difference(1e-3, "float16"), "arithmetic is 'float16'"),
        (lambda: experiment.difference(1e-3, "float64", "backward"), "formula is 'backward'"),
        (lambda: experiment.gradients_by_layer(depth=1), "depth is 1, but must be at least 2"),
        (lambda: experiment.train_deep("gelu"), "activation is 'gelu'"),
    ],
)
def test_settings_that_do_not_exist_are_refused(call, message):
    with pytest.raises(RangeError, match=message):
        call()


@pytest.mark.parametrize("name", ["walk", "difference", "gradients"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()
    texts = [explorer.alt(**settings) for settings in grid[:: max(1, len(grid) // 12)]]
    assert len(set(texts)) == len(texts) >= 12


def test_figures_say_what_they_show():
    gates = [experiment.perceptron(name) for name in experiment.GATES]
    assert plot.perceptrons(gates).alt.count("0 of 4 wrong") == 2
    plane = experiment.plane(lambda points: points.sum(axis=1))
    assert plane["value"].shape == (41, 41)
    np.testing.assert_allclose(plane["value"], plane["x"] + plane["y"])
    assert "0.50" in plot.xor_network([0.5, 0.01], plane, *experiment.gate("XOR")).alt


# --- a ball, two modes, what is kept, 16 bits ---


def test_the_ball_stays_nears_or_leaves_as_one_minus_twice_the_rate():
    for rate in (0.1, 0.5, 0.9, 1.0, 1.1):
        w = experiment.ball(rate)["w"]
        np.testing.assert_allclose(w, -2 * (1 - 2 * rate) ** np.arange(9), atol=1e-12)


def test_both_modes_give_the_measured_derivatives():
    sizes, rng = (6, 5, 3), np.random.default_rng(0)
    result = experiment.jacobian(sizes)
    weights = [rng.standard_normal((6, 5)) / np.sqrt(6), rng.standard_normal((5, 3)) / np.sqrt(5)]
    x, eps = rng.standard_normal(6), 1e-6

    def output(x):
        for w in weights:
            x = np.tanh(x @ w)
        return x

    measured = np.stack([(output(x + eps * v) - output(x - eps * v)) / (2 * eps) for v in np.eye(6)], axis=1)
    np.testing.assert_allclose(result["forward"], measured, atol=1e-9)
    np.testing.assert_allclose(result["reverse"], measured, atol=1e-9)
    assert result["multiplications"] == {"forward": 6 * 45, "reverse": 3 * 45}


def test_what_is_kept_grows_with_the_batch_and_the_parameters_do_not():
    one, many = experiment.kept(1), experiment.kept(50)
    assert one["parameters"] == many["parameters"] and many["kept"] == 50 * one["kept"]
    assert one["kept"] == 784 + 3 * (100 + 100)  # the inputs, and for each hidden layer its outputs and its mask


def test_scaling_moves_a_gradient_into_the_range_of_float16():
    shares = experiment.underflow()
    assert shares[1.0]["zero"] > 0.05 and shares[2.0**16] == {"zero": 0.0, "infinite": 0.0}
    assert shares[2.0**24]["infinite"] > 0.05


def test_a_scale_for_each_array_keeps_a_gradient_in_8_bits():
    lost = experiment.short_gradient()
    assert lost["float8 E4M3"][0] > lost["float8 E5M2"][0] > lost["float16"][0] > 0.05
    assert max(own for _, own in lost.values()) < 0.001 and lost["bfloat16"] == (0, 0)


def test_short_products_change_little_and_stored_short_weights_are_those_of_a_grid():
    exact = experiment.short_products("float32", steps=30)
    short = experiment.short_products("float8", steps=30)
    assert 0 < np.abs(short["loss"] - exact["loss"]).max() < 0.2 and short["loss"][-5:].mean() < 0.7 * short["loss"][0]
    stored = experiment.short_products("float8, and weights stored so", steps=30)
    assert stored["moved"] < 0.5 < exact["moved"]
    with pytest.raises(RangeError, match="numbers is 'float4'"):
        experiment.short_products("float4")


def test_the_predictions_of_the_walk_are_the_graphs_gradients():
    assert explore.predict_back.answer == experiment.walk("one unit", experiment.WALK)["grads"]["w"]
    assert explore.predict_paths.answer == experiment.walk("one input, two units", experiment.WALK)["grads"]["x"]
