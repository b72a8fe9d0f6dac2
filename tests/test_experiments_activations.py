"""What chapter 03 says about its experiments."""

import numpy as np
import pytest

from coursekit import activations
from coursekit.errors import DivergedError, RangeError
from coursekit.experiments import activations as experiment
from coursekit.explorers import activations as explore
from coursekit.optimizers import sgd
from coursekit.plotting import activations as plot
from coursekit.training import train


def end(run, last=20):
    return run["loss"][-last:].mean()


def test_shapes_have_the_slopes_of_their_functions():
    for name in experiment.SHAPES:
        result = experiment.shape(name)
        x, value, slope = (result[key] for key in ("x", "value", "slope"))
        numeric = np.gradient(value, x)
        smooth = np.abs(x) > 0.1  # the rectifiers have a corner at 0
        np.testing.assert_allclose(slope[smooth][1:-1], numeric[smooth][1:-1], atol=5e-3)
    assert experiment.shape("sigmoid")["slope"].max() == 0.25
    assert experiment.shape("tanh")["slope"].max() == 1


def test_an_output_is_called_flat_where_the_slope_is_below_a_fifth_of_its_largest():
    for name in ("sigmoid", "tanh"):
        result = experiment.shape(name)
        value, slope = result["value"], result["slope"]
        low, high = experiment.LIMITS[name]
        flat = (value < low + 0.05 * (high - low)) | (value > high - 0.05 * (high - low))
        assert (slope[flat] < 0.2 * slope.max()).all()
        assert (slope[~flat] > 0.18 * slope.max()).all()


def test_the_centred_sigmoid_differs_by_a_half_and_in_nothing_else(rng):
    plain, centred = experiment.LAYERS["sigmoid"](), experiment.LAYERS["sigmoid - 1/2"]()
    x, dout = rng.standard_normal((2, 4, 3))
    (a, cache_a, _), (b, cache_b, _) = (layer.forward({}, {}, x, training=True) for layer in (plain, centred))
    np.testing.assert_allclose(a - b, 0.5, rtol=1e-15)
    np.testing.assert_array_equal(plain.backward(dout, cache_a)[0], centred.backward(dout, cache_b)[0])


def test_maxout_doubles_the_parameters_of_every_hidden_layer(rng):
    relu, maxout = (experiment.network([7, 5, 4, 3], name).init(rng)[0] for name in ("relu", "maxout"))
    assert experiment.count(relu) == (7 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 3
    assert experiment.count(maxout) == 2 * ((7 + 1) * 5 + (5 + 1) * 4) + (4 + 1) * 3
    wide = experiment.network([784] + [164] * 5 + [10], "relu").init(rng)[0]
    pieces = experiment.network([784] + [100] * 5 + [10], "maxout").init(rng)[0]
    assert experiment.count(wide) == pytest.approx(experiment.count(pieces), rel=0.002)


def test_five_sigmoid_layers_stand_still_with_the_top_one_flat():
    run = experiment.layers_while_training("sigmoid", 5)
    assert run["mean"][-1, 4] < 0.05 and run["saturated"][-1, 4] > 0.9
    assert run["mean"][-1, 3] > 0.6 and (run["saturated"][-1, :4] < 0.05).all()
    np.testing.assert_allclose(run["mean"][-1, :2], run["mean"][0, :2], atol=0.03)
    assert end(run) > 2.28
    few = np.searchsorted(run["step"], 50)
    assert run["mean"][few, 4] < 0.2


def test_one_to_three_sigmoid_layers_learn_and_four_begin_to_climb_out():
    assert max(end(experiment.layers_while_training("sigmoid", depth)) for depth in (1, 2, 3)) < 0.3
    run = experiment.layers_while_training("sigmoid", 4)
    assert run["mean"][:, 3].min() < 0.05 < run["mean"][-1, 3]
    assert end(run) < 2.25


def test_the_centred_sigmoid_learns_with_four_layers_and_is_slow_with_five():
    four, five = (end(experiment.layers_while_training("sigmoid - 1/2", depth)) for depth in (4, 5))
    assert four < 1 and four < five


def test_tanh_and_relu_learn_at_every_depth_of_the_explorer():
    for name in ("tanh", "relu"):
        assert max(end(experiment.layers_while_training(name, depth)) for depth in (1, 5)) < 0.3


def test_saturation_is_measured_for_each_range():
    outputs = np.array([-0.99, -0.46, 0.0, 0.46, 0.99])
    assert experiment._saturated(outputs, "tanh") == 0.4
    assert experiment._saturated(outputs[1:4], "sigmoid - 1/2") == pytest.approx(2 / 3)
    assert experiment._saturated(outputs[2:], "sigmoid") == pytest.approx(2 / 3)
    assert experiment._saturated(outputs, "relu") == 0.6


def test_the_zig_zag_is_complete_with_positive_inputs_and_costs_nothing_at_rate_1():
    positive = [experiment.zigzag(0.0, 1.0, seed=seed) for seed in range(20)]
    centred = [experiment.zigzag(0.5, 1.0, seed=seed) for seed in range(20)]
    assert {run["same"] for run in positive} == {1.0}
    assert 0.3 < np.mean([run["same"] for run in centred]) < 0.7
    ends = [np.mean([run["distance"][-1] for run in runs]) for runs in (positive, centred)]
    assert ends[0] / ends[1] == pytest.approx(1, abs=0.3)
    shown = [experiment.zigzag(offset, 1.0)["distance"][-1] for offset in (0.0, 0.5)]
    assert 0.5 < shown[0] / shown[1] < 1.5  # the two pictures of the prediction


def test_positive_inputs_do_not_stand_the_rate_that_centred_ones_use():
    def last(offset, lr):
        return experiment.zigzag(offset, lr)["distance"][-1]

    assert min(last(0.0, lr) for lr in (2.83, 4.0, 8.0)) > 2.83
    assert last(0.5, 4.0) < 0.01 * min(last(0.0, lr) for lr in (0.5, 0.707, 1.0, 1.41, 2.0))


def test_the_curvatures_in_the_text_are_those_of_the_inputs():
    x = np.random.default_rng(0).uniform(0, 1, (200_000, 2))
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    np.testing.assert_allclose(values, [1 / 12, 7 / 12], rtol=0.02)
    assert vectors[0, 1] * vectors[1, 1] > 0  # the steep direction: both weights alike
    np.testing.assert_allclose(np.linalg.eigvalsh((x - 0.5).T @ (x - 0.5) / len(x)), 1 / 12, rtol=0.02)


def test_one_example_gives_one_sign_and_batches_do_not_mend_it():
    table = experiment.sign_agreement()
    assert table["sigmoid"][1] == table["relu"][1] == 1
    assert table["sigmoid"][64] > 0.85 and table["relu"][64] > 0.7
    assert all(share < 0.6 for name in ("tanh", "sigmoid - 1/2") for share in table[name].values())


def test_ten_layers_learn_with_the_centred_sigmoid_far_sooner():
    runs = experiment.centring(seeds=2)
    assert min(map(end, runs["sigmoid"])) > 1
    assert max(map(end, runs["sigmoid - 1/2"])) < 0.3


def test_a_burst_leaves_first_layer_units_silent_and_no_calm_wakes_them():
    run = experiment.burst(1.38)
    after = run["on"][np.searchsorted(run["step"], 20) :, :32]
    dead = after[0] == 0
    assert dead.mean() > 0.3
    assert (after[:, dead] == 0).all()
    assert run["test_accuracy"] < experiment.burst(0.1)["test_accuracy"] - 0.1


def test_below_a_rate_of_a_half_the_first_layer_keeps_all_its_units():
    for lr in (0.1, 0.211, 0.447):
        assert experiment.burst(lr)["silent"][-1, 0] == 0


def test_leaky_relu_and_elu_recover_although_units_stay_silent():
    runs = {
        name: [experiment.burst(1.38, name, seed=seed) for seed in range(3)] for name in ("relu", "leaky relu", "elu")
    }
    right = {name: np.mean([run["test_accuracy"] for run in rs]) for name, rs in runs.items()}
    assert right["relu"] < right["leaky relu"] < right["elu"]
    silent = {name: np.mean([run["silent"][-1, 0] for run in rs]) for name, rs in runs.items()}
    assert silent["elu"] > 0.6 * silent["relu"]


def test_dead_units_are_rare_at_a_moderate_rate_and_common_at_a_large_one():
    table = experiment.dead_by_rate((0.1, 1.0), seeds=3)
    assert table[0.1]["dead"].mean() < 0.02
    assert table[1.0]["dead"].mean() > 0.4
    assert table[1.0]["test_accuracy"].mean() < table[0.1]["test_accuracy"].mean() - 0.2


def test_where_relu_dies_leaky_relu_diverges():
    x, y, _, _ = experiment.digits()

    def run(name):
        net = experiment.network([64, 100, 100, 10], name)
        rng = np.random.default_rng(0)
        with np.errstate(over="ignore", invalid="ignore"):
            return train(net, x, y, optimizer=sgd(1.4), epochs=4, batch_size=32, rng=rng, progress=False)

    assert 2.2 < np.mean(run("relu").loss[-20:]) < 2.4
    with pytest.raises(DivergedError):
        run("leaky relu")


def test_the_slope_of_leaky_relu_hardly_matters_until_the_net_is_linear():
    result = experiment.leaky_slopes((0.0, 0.01, 0.1, 1.0), seeds=1)["test_accuracy"]
    assert np.ptp(result[:3]) < 0.03 and result[:3].min() > 0.9
    assert result[3] < 0.6


def test_maxout_learns_convex_functions_and_no_others():
    assert experiment.fit_maxout("absolute value", 2)["error"] < 1e-3
    errors = [experiment.fit_maxout("x squared", pieces)["error"] for pieces in (1, 2, 3)]
    assert errors[0] > 2 * errors[1] > 2 * errors[2]
    best = min(experiment.fit_maxout("minus x squared", pieces)["error"] for pieces in (1, 2, 5))
    assert best > 0.5
    result = experiment.fit_maxout("elu", 4)
    np.testing.assert_allclose(result["out"], result["lines"].max(axis=1))


def test_the_mean_output_of_elu_is_nearer_to_zero_than_that_of_relu():
    relu, elu = (experiment.layers_while_training(name, 5, lr=0.05)["mean"][-1] for name in ("relu", "elu"))
    assert (np.abs(elu) < np.abs(relu)).all()


@pytest.mark.parametrize(
    "run", [experiment.layers_while_training, experiment.zigzag, experiment.burst, experiment.fit_maxout]
)
def test_the_seed_decides_everything(run):
    one, again, other = run(), run(), run(seed=1)
    for name, value in one.items():
        np.testing.assert_array_equal(value, again[name])
    assert any(not np.array_equal(value, other[name]) for name, value in one.items())


def test_unknown_settings_are_refused():
    with pytest.raises(RangeError, match="activation is 'swish', but must be one of"):
        experiment.layers_while_training("swish")
    with pytest.raises(RangeError, match="then is 'swish'"):
        experiment.burst(then="swish")
    with pytest.raises(RangeError, match="target is 'sine'"):
        experiment.fit_maxout("sine")
    with pytest.raises(RangeError, match="start is 'Xavier'"):
        experiment.dead_by_rate(start="Xavier")


@pytest.mark.parametrize("name", ["layers", "zigzag", "burst", "maxout"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()[:: max(1, len(explorer.grid()) // 6)]
    texts = {explorer.alt(**settings) for settings in grid}
    assert len(texts) == len(grid) >= 6


def test_a_run_that_diverges_is_drawn_and_described():
    run = experiment.layers_while_training("elu", 5, lr=1.0, gain=3.0, steps=100)
    assert np.isnan(run["loss"][-1])
    assert len(run["step"]) == len(run["mean"])
    assert explore.layers.describe(run).count("diverges after") == 1
    plot.layers(run)


def test_figures_without_an_explorer_say_what_they_show():
    assert "sigmoid: values from 0.018" in plot.shapes([experiment.shape("sigmoid")]).alt
    assert plot.slopes({"slopes": np.array([0.0, 1.0]), "test_accuracy": np.array([[0.5, 0.7], [0.2, 0.2]])}).alt == (
        "Mean test accuracy by slope: 0: 60.0 %, 1: 20.0 %."
    )
    rows = {"a": {"test_accuracy": 0.5, "parameters": 7}, "b": {"test_accuracy": 0.25, "parameters": 8}}
    assert plot.accuracies(rows).alt == "Test accuracy: b 25.0 %, a 50.0 %."


def test_the_parameters_of_maxout_are_those_of_all_its_pieces(rng):
    net = experiment.network([50, 20, 10], "maxout")  # two pieces
    assert experiment.count(net.init(rng)[0]["dense_0"]) == 50 * 40 + 40  # the quiz asks for three


# --- the fold, folklore, gates ---------------------------------------------------------------------------------------


def test_a_fold_that_has_left_the_data_has_no_gradient_at_all():
    results = [experiment.fold(bias) for bias in np.arange(-4, 2.25, 0.25)]
    on = np.array([result["on"].sum() for result in results])
    assert (np.diff(on) >= 0).all() and on[0] == 0 and on[-1] == 80
    for result, count in zip(results, on, strict=True):
        assert (result["gradient"] == 0) == (count == 0)
        np.testing.assert_array_equal(result["on"], result["x"] @ result["w"] + result["bias"] > 0)


def test_without_an_activation_the_borders_are_straight_and_the_spirals_are_not_learnt():
    result = experiment.boundaries(steps=300)
    assert result["none"]["test_accuracy"] < 0.6 < 0.9 < result["relu"]["test_accuracy"]
    for name, pieces in (("none", 1), ("relu", 3)):
        changes = (np.diff(result[name]["winner"], axis=1) != 0).sum(axis=1)
        assert (changes.max() <= 2) == (pieces == 1), name  # a row of a linear net meets each class once at most


def test_a_gated_layer_squares_the_scale_that_relu_passes_on():
    sizes = experiment.gate_response(scales=(0.1, 10.0, 100.0))
    np.testing.assert_allclose(sizes["relu"], [0.1, 10, 100])
    assert sizes["swiglu"][1] > 50 and sizes["swiglu"][2] / sizes["swiglu"][1] == pytest.approx(100, rel=0.1)


def test_gated_nets_have_about_as_many_parameters_as_those_of_relu():
    def parameters(name, width):
        net = experiment.network([784, *[width] * 5, 10], name)
        return experiment.count(net.init(np.random.default_rng(0))[0])

    assert parameters("swiglu", 58) == pytest.approx(parameters("relu", 100), rel=0.02)
    assert parameters("prelu", 100) == parameters("relu", 100) + 500


def test_a_positive_bias_of_one_kills_units_at_a_large_rate():
    table = experiment.folklore(biases=(0.0, 1.0), rates=(0.7,), seeds=1, steps=150)
    assert table[1.0, 0.7]["dead"][0] > table[0.0, 0.7]["dead"][0] + 0.3


def test_selu_has_the_fixed_point_that_its_two_numbers_were_made_for():
    z, width = np.linspace(-12, 12, 400_001, retstep=True)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * width
    out, _ = activations.selu_forward(z)
    assert abs((out * density).sum()) < 1e-9 and abs((out**2 * density).sum() - 1) < 1e-9


def test_selu_layers_bring_other_inputs_back_and_lose_them_where_its_assumptions_fail():
    back = experiment.self_normalizing("inputs of mean 1, std 3", depth=20)
    assert back["std"][0] > 2 and abs(back["std"][-1] - 1) < 0.2 and abs(back["mean"][-1]) < 0.2
    assert experiment.self_normalizing("He's start", depth=20)["std"][-1] > 4
    assert experiment.self_normalizing("half of the weights", depth=20)["std"][-1] < 0.01
    with pytest.raises(RangeError, match="case is 'none'"):
        experiment.self_normalizing("none")


def test_one_layer_has_the_pieces_that_its_lines_cut_and_no_more_than_the_formula_allows():
    for units, most in ((1, 2), (2, 4), (3, 7), (10, 56)):
        r = experiment.regions(units, points=401)
        assert r["most"] == most and r["pieces"] <= most and len(r["corners"]) <= units
    # inside a piece the output is linear: its second differences along the grid vanish
    r = experiment.regions(5, 3)
    value, piece = r["value"], r["piece"]
    inside = (piece[:, :-2] == piece[:, 1:-1]) & (piece[:, 1:-1] == piece[:, 2:])
    assert np.abs(np.diff(value, 2, axis=1)[inside]).max() < 1e-12 < np.abs(np.diff(value, 2, axis=1)[~inside]).max()
    assert r["piece"].max() + 1 == r["pieces"] > 20


def test_each_tent_doubles_the_pieces():
    assert [experiment.tents(k)["pieces"] for k in (1, 2, 3, 6)] == [2, 4, 8, 64]
