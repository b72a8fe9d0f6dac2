"""What chapter 06 says about its experiments."""

import numpy as np
import pytest

import coursekit as ck
from coursekit.errors import RangeError
from coursekit.experiments import batch_normalization as experiment
from coursekit.explorers import batch_normalization as explore
from coursekit.gradcheck import numerical_gradient
from coursekit.plotting import batch_normalization as plot


def end(result):
    return result["loss"][..., -20:].mean(axis=-1)


@pytest.fixture(scope="module")
def sixteen():
    return {norm: experiment.sixteen_scales(norm) for norm in ("none", "batch norm")}


def test_the_plain_net_trains_from_one_or_two_of_sixteen_scales_and_batch_norm_from_most(sixteen):
    plain, normed = ((end(sixteen[norm]) < 1).sum() for norm in ("none", "batch norm"))
    assert plain in (1, 2)
    assert normed >= 12
    assert (plain, normed) == tuple(plot.count_trained(sixteen[norm]) for norm in ("none", "batch norm"))


def test_the_best_scales_with_batch_norm_are_those_around_hes(sixteen):
    best = experiment.SCALES[end(sixteen["batch norm"]).argmin()]
    assert experiment.HE / 5 < best < experiment.HE * 2


def test_a_panel_is_the_training_curve_of_its_scale(sixteen):
    one = experiment.training_curve("batch norm", experiment.SCALES[12], 0.1)
    np.testing.assert_allclose(one["loss"][:20], sixteen["batch norm"]["loss"][12, :20], rtol=1e-3)
    np.testing.assert_allclose(one["signal"], sixteen["batch norm"]["signal"][12], rtol=1e-4)


def test_eps_is_what_stops_the_smallest_scale():
    usual, tiny = (experiment.training_curve("batch norm", 1e-4, eps=eps) for eps in (1e-5, 1e-12))
    assert usual["signal"][-1] < 1e-3 and end(usual) > 1.5
    assert 0.4 < tiny["signal"][-1] < 0.8 and end(tiny) < 1


def test_rate_one_makes_the_plain_net_diverge_and_suits_batch_norm():
    plain, normed = (experiment.rate_curve(norm, 1.0) for norm in ("none", "batch norm"))
    assert np.isnan(end(plain)) or end(plain) > 2
    assert end(normed) < 0.2
    finite = np.isfinite(plain["loss"])
    assert finite.all() or not finite[finite.argmin() :].any()


def test_the_rates_of_a_sweep_are_single_runs():
    sweep = experiment.learning_rates("batch norm")
    k = 5
    assert sweep["last"][k] == pytest.approx(end(experiment.rate_curve("batch norm", sweep["rates"][k])), rel=0.2)


def test_the_mean_of_a_batch_is_off_by_one_over_root_b():
    result = experiment.statistics_noise(8)
    np.testing.assert_allclose(result["mean_error"] * np.sqrt(result["sizes"]), 1, atol=0.1)


def test_in_batches_of_two_only_the_sign_is_left():
    x_hat = experiment.statistics_noise(2)["x_hat"]
    assert (np.abs(np.abs(x_hat) - 1) < 0.02).mean() > 0.95
    spread = [experiment.statistics_noise(n)["x_hat"].std() for n in (2, 8, 32, 128)]
    assert spread == sorted(spread, reverse=True)


def test_the_pairs_of_the_prediction():
    for pair in ([3.0, 7.0], [3.0, 70.0]):
        out, _, _ = ck.normalization.batch_norm_forward(
            np.array(pair)[:, None], np.ones(1), np.zeros(1), {"mean": np.zeros(1), "var": np.ones(1)}, training=True
        )
        np.testing.assert_allclose(out[:, 0], [-1, 1], atol=1e-5)
    assert (np.var([3.0, 7.0]), np.var([3.0, 70.0])) == (4, 1122.25)


def test_a_forgotten_eval_mode_costs_what_the_chapter_says():
    result = experiment.two_modes()
    in_training = result["training"]
    assert result["eval"] == pytest.approx(0.93, abs=0.03) and in_training[2] == pytest.approx(0.30, abs=0.06)  # quiz
    assert in_training[2] < 0.4 < in_training[12] < result["eval"]
    assert abs(in_training[360] - result["eval"]) < 0.03
    assert result["sorted"] < 0.25 < in_training[12]
    assert result["moved"] > 0.01
    early = slice(2, 10)
    assert result["by_step"]["training"][early].mean() > result["by_step"]["eval"][early].mean() + 0.1


def test_noise_after_batch_norm_lies_between_the_two_others():
    result = experiment.noise_race()
    last = {norm: end(run) for norm, run in result.items()}
    assert last["batch norm"] < last["batch norm and noise"] < last["none"]
    assert result["batch norm and noise"]["shift"] > result["none"]["shift"]


def test_noise_has_the_gradient_of_what_it_did():
    layer, rng = experiment.Noise(), np.random.default_rng(0)
    x, dout = rng.standard_normal((2, 5, 3))
    _, cache, _ = layer.forward({}, {}, x, training=True, rng=np.random.default_rng(1))
    dx, _ = layer.backward(dout, cache)
    numeric = numerical_gradient(
        lambda x: (layer.forward({}, {}, x, training=True, rng=np.random.default_rng(1))[0] * dout).sum(), x
    )
    np.testing.assert_allclose(dx, numeric, atol=1e-7)
    out, cache, _ = layer.forward({}, {}, x, training=False)
    assert out is x and layer.backward(dout, cache)[0] is dout


def test_ghost_groups_are_batch_norms_of_their_own():
    layer, plain = experiment.GhostBatchNorm(4, size=3), ck.layers.BatchNorm(4)
    rng = np.random.default_rng(0)
    params, state = layer.init(rng, dtype=np.float64)
    x, dout = rng.normal(3, 2, (2, 9, 4))
    out, cache, after = layer.forward(params, state, x, training=True)
    dx, grads = layer.backward(dout, cache)
    parts = [plain.forward(params, state, x[k : k + 3], training=True) for k in (0, 3, 6)]
    backs = [plain.backward(dout[k : k + 3], part[1]) for k, part in zip((0, 3, 6), parts, strict=True)]
    np.testing.assert_allclose(out, np.concatenate([part[0] for part in parts]), rtol=1e-12)
    np.testing.assert_allclose(dx, np.concatenate([back[0] for back in backs]), rtol=1e-9)
    for name in ("gamma", "beta"):
        np.testing.assert_allclose(grads[name], sum(back[1][name] for back in backs), rtol=1e-9)
    for name in ("mean", "var"):
        np.testing.assert_allclose(after[name], np.mean([part[2][name] for part in parts], axis=0), rtol=1e-12)
    _, cache, _ = layer.forward(params, after, x, training=False)
    np.testing.assert_allclose(layer.backward(dout, cache)[0], dout / np.sqrt(after["var"] + 1e-5), rtol=1e-12)


def test_the_walk_on_the_graph_ends_with_the_librarys_gradients():
    walk = experiment.backward_walk()
    x, dout = (np.array(v)[:, None] for v in (walk["x"][0], walk["out"][1]))
    running = {"mean": np.zeros(1), "var": np.ones(1)}
    out, cache, _ = ck.normalization.batch_norm_forward(x, np.array([2.0]), np.array([1.0]), running, training=True)
    dx, dgamma, dbeta = ck.normalization.batch_norm_backward(dout, cache)
    np.testing.assert_allclose(walk["out"][0], out[:, 0], rtol=1e-12)
    np.testing.assert_allclose(walk["x"][1], dx[:, 0], atol=1e-12)
    assert (walk["gamma"][1], walk["beta"][1]) == (pytest.approx(dgamma[0]), pytest.approx(dbeta[0]))


def test_the_seed_decides_everything():
    one, again, other = (experiment.training_curve("batch norm and noise", steps=5, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(one["loss"], again["loss"])
    assert not np.array_equal(one["loss"], other["loss"])


def test_an_unknown_norm_is_refused():
    with pytest.raises(RangeError, match="norm is 'group norm', but must be one of 'none', 'batch norm'"):
        experiment.training_curve("group norm")


@pytest.mark.parametrize("name", ["scale_curve", "rate_curve", "statistics_noise"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()
    texts = {explorer.alt(**settings) for settings in grid[:: max(1, len(grid) // 4)]}
    assert len(texts) >= 4


def test_pictures_say_what_they_show(sixteen):
    assert "No norm ends below a loss of 1 in" in plot.sixteen(list(sixteen.values())).alt
    assert "eval mode" in plot.two_modes(experiment.two_modes()).alt


def test_the_steps_of_the_way_back_end_at_the_gradient_of_the_package():
    x, dout = np.array([[1.0], [2.0], [6.0]]), np.zeros((3, 1))
    dout[1] = 1.0
    start = {"mean": np.zeros(1), "var": np.ones(1)}
    _, cache, _ = ck.normalization.batch_norm_forward(x, np.full(1, 2.0), np.ones(1), start, training=True)
    dx, _, _ = ck.normalization.batch_norm_backward(dout, cache)
    last = experiment.backward_steps(6, example=2)
    np.testing.assert_allclose(sum(last["parts"]["x"]), dx[:, 0], atol=1e-12)
    np.testing.assert_allclose(sum(last["parts"]["centred"]), last["walk"]["centred"][1], atol=1e-12)
    assert set(last["known"].values()) == {2}
    third = experiment.backward_steps(3)
    assert (third["known"]["centred"], third["known"]["var"], third["known"]["x"]) == (1, 2, 0)


@pytest.mark.parametrize("norm, groups", [("layer norm", 1), ("instance norm", 6), ("group norm", 3)])
def test_the_entries_that_share_a_mean_are_those_of_group_norm(norm, groups):
    owner = experiment.shared_statistics(norm, 3)["owner"]
    x = np.random.default_rng(0).standard_normal((4, 6, 5, 1))
    out, _ = ck.normalization.group_norm_forward(x, np.ones(6), np.zeros(6), groups, eps=0.0)
    for number in np.unique(owner):
        assert abs(out[..., 0][owner == number].mean()) < 1e-12 and out[..., 0][owner == number].var() == pytest.approx(
            1
        )


def test_post_norm_has_its_large_gradients_near_the_output_and_pre_norm_has_not():
    post, pre = (experiment.gradients_by_block(place, 16)["norms"] for place in ("post-norm", "pre-norm"))
    assert post[-1] > 3 * post[0] and pre[-1] < 3 * pre[0]
