"""What chapter 05 says about its experiments."""

import numpy as np
import pytest

from coursekit import losses
from coursekit.errors import RangeError
from coursekit.experiments import initialization as experiment
from coursekit.explorers import initialization as explore
from coursekit.gradcheck import gradient_check
from coursekit.plotting import initialization as plot


def test_small_weights_shrink_the_signal_tenfold_a_layer():
    std = experiment.signal(0.01, "tanh")["std"]
    np.testing.assert_allclose(std[1:] / std[:-1], 0.1, rtol=0.15)
    assert 0.3e-10 < std[-1] < 3e-10  # the prediction's right answer


def test_large_weights_saturate_tanh_and_blow_relu_up():
    assert experiment.signal(1.0, "tanh")["saturated"][-1] > 0.7
    assert experiment.signal(1.0, "relu")["std"][-1] > 1e6


def test_the_bands_of_tanh_and_relu_are_where_the_chapter_says():
    tanh, relu = (experiment.signal(std, name)["std"] for std, name in ((0.1, "tanh"), (0.2**0.5 / 10**0.5, "relu")))
    assert 0.1 < tanh[-1] / tanh[0] < 0.9  # still shrinks a little
    assert 0.4 < relu[-1] / relu[0] < 2.5
    assert experiment.signal(0.1, "relu")["std"][-1] < 0.1 * experiment.signal(0.1, "relu")["std"][0]


def test_the_histogram_holds_every_output():
    for activation in ("tanh", "relu", "sigmoid"):
        share = experiment.signal(1.0, activation, depth=3)["share"]
        np.testing.assert_allclose(share.sum(axis=1), 1)


def test_an_unknown_activation_is_refused():
    with pytest.raises(RangeError, match="activation is 'gelu', but must be one of 'tanh', 'relu', 'sigmoid'"):
        experiment.signal(0.1, "gelu")


def last(gain, depth):
    return experiment.training_curve(gain, depth)["loss"][-20:].mean()


def test_two_layers_train_with_almost_any_gain():
    assert max(last(gain, 2) for gain in (0.7, 1.0, 1.41, 2.0)) < 1.5


def test_twenty_relu_layers_train_near_he_and_not_at_xaviers_gain():
    assert last(1.0, 20) > 2.25
    assert last(1.41, 20) < 2.1


def test_a_run_that_diverges_is_nan_from_then_on():
    loss = experiment.training_curve(4.0, 20)["loss"]
    assert np.isnan(loss[-1])
    finite = np.isfinite(loss)
    assert not finite[finite.argmin() :].any()


def test_symmetry_is_kept_or_broken():
    zeros, equal, random = (experiment.symmetry(start) for start in ("zeros", "equal", "random"))
    assert (zeros["distinct"], equal["distinct"], random["distinct"]) == (1, 1, 8)
    assert zeros["gradient"] == 0 and not zeros["weights"].any()
    assert equal["gradient"] > 0
    assert random["loss"][-20:].mean() < equal["loss"][-20:].mean() < zeros["loss"][-20:].mean()


def test_variance_factors_are_those_of_the_formula():
    for row in experiment.variance_factors().values():
        assert row["forward"] == pytest.approx(row["predicted_forward"], rel=0.02)
        assert row["backward"] == pytest.approx(row["predicted_backward"], rel=0.02)
    assert experiment.variance_factors()["standard"]["forward"] == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("run", [experiment.signal, experiment.training_curve, experiment.symmetry])
def test_the_seed_decides_everything(run):
    one, again, other = run(), run(), run(seed=1)
    for name, value in one.items():
        np.testing.assert_array_equal(value, again[name])
    assert any(not np.array_equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("name", ["signal", "training_curve"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    texts = {explorer.alt(**settings) for settings in explorer.grid()[:: max(1, len(explorer.grid()) // 8)]}
    assert len(texts) >= 8


def test_the_comparison_draws_one_line_for_each_seed():
    fig = plot.loss_curves({"a": [{"loss": np.ones(50)}] * 3, "b": [{"loss": np.zeros(50)}]})
    assert len(fig.axes[0].lines) == 1 + 3 + 1


# --- the way back, orthogonal matrices, blocks that add ---


def test_he_forward_and_backward_keep_what_they_promise():
    table = experiment.he_backwards(runs=6)
    for row in table.values():
        for way in ("forward", "backward"):
            assert row[way] == pytest.approx(row[f"predicted_{way}"], rel=0.3)
    assert table["fan_in"]["predicted_backward"] == 50 / 400


def test_deep_sigmoid_units_differ_and_examples_do_not():
    spread = experiment.spread(0.1)
    assert spread["all"][-1] > 0.1 and spread["by_example"][-1] < 1e-4
    tanh = experiment.spread(0.1, "tanh")
    np.testing.assert_allclose(tanh["by_example"], tanh["all"], rtol=0.02)


def test_a_product_of_orthogonal_matrices_stretches_nothing():
    values = experiment.products(depth=5, width=20)
    np.testing.assert_allclose(values["orthogonal"], 1)
    assert values["normal"][0] > 2 and values["normal"][-1] < 1e-3


def test_residual_blocks_double_the_second_moment_unless_told_not_to():
    std = {branch: experiment.residual(4, branch, steps=1)["std"] for branch in experiment.BRANCHES}
    assert std["He"][-1] / std["He"][0] > 4 > std["scaled"][-1] / std["scaled"][0]
    np.testing.assert_array_equal(std["zero"], std["zero"][0])


def test_the_gradients_of_a_residual_net_are_the_measured_ones():
    rng = np.random.default_rng(0)
    shapes = {"in": (64, 5), "a0": (5, 5), "b0": (5, 5), "a1": (5, 5), "b1": (5, 5), "out": (5, 10)}
    params = {name: rng.standard_normal(shape) / 3 for name, shape in shapes.items()}
    x, y = rng.standard_normal((4, 64)), np.array([1, 2, 3, 4])

    def loss(**changed):
        return losses.softmax_cross_entropy(experiment._residual_forward(params | changed, x, 2)[0], y)[0]

    scores, blocks, last = experiment._residual_forward(params, x, 2)
    grads = experiment._residual_backward(params, x, blocks, last, losses.softmax_cross_entropy(scores, y)[1])
    for name in params:
        assert gradient_check(lambda value, name=name: loss(**{name: value}), params[name], grads[name]), name


@pytest.mark.parametrize("std", [0.05, 0.2])
def test_a_product_of_many_matrices_grows_as_its_formula_says(std):
    runs = [experiment.many_matrices(std, depth=40, width=100, seed=seed) for seed in range(5)]
    assert runs[0]["predicted"] == pytest.approx((10 * std) ** 40)
    for run in runs:  # the logarithm of the length scatters by about the root of depth / 2 width
        assert abs(np.log(run["length"] / run["predicted"])) < 2
    alone = experiment.many_matrices(std, depth=1, width=100, vectors=2000)
    assert alone["length"] == pytest.approx(alone["predicted"], rel=0.02)


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2**0.5), ("tanh", 1.593)])
def test_lsuv_gives_every_layer_unit_variance_and_finds_the_gain(activation, gain):
    run = experiment.lsuv(activation)
    np.testing.assert_allclose(run["sums"], 1, rtol=1e-12)
    assert run["weights"][0] == pytest.approx(0.1, rel=0.02)  # standard normal inputs, before any activation
    np.testing.assert_allclose(run["weights"][1:], gain / 10, rtol=0.15)
    with pytest.raises(ValueError, match="activation is 'step'"):
        experiment.lsuv("step")


def test_another_order_of_the_units_changes_nothing_but_the_order():
    run = experiment.renumbered(hidden=8)
    assert run["outputs"] < 1e-14 and run["gradients"] < 1e-14
    assert (run["order"] != np.arange(8)).any() and sorted(run["order"]) == list(range(8))


def test_the_mean_of_two_networks_is_worse_than_either():
    for seeds in ((0, 1), (2, 3)):
        run = experiment.mean_of_two(seeds=seeds)
        assert run["each"].min() > 0.9 > run["mean"]
