"""What chapter 07 says about its experiments."""

import numpy as np
import pytest

from coursekit.errors import RangeError
from coursekit.experiments import optimizers as experiment
from coursekit.explorers import optimizers as explore
from coursekit.interactive.core import Explorer
from coursekit.optimizers import adam, momentum, sgd
from coursekit.plotting import optimizers as plot


@pytest.mark.parametrize("name", experiment.SURFACES)
def test_the_gradient_of_a_surface_is_that_of_its_value(name):
    ground, rng, step = experiment.SURFACES[name], np.random.default_rng(0), 1e-6
    for x, y in rng.uniform(-2, 2, (20, 2)):
        numerical = (
            (ground.value(x + step, y) - ground.value(x - step, y)) / (2 * step),
            (ground.value(x, y + step) - ground.value(x, y - step)) / (2 * step),
        )
        np.testing.assert_allclose(ground.gradient(x, y), numerical, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", experiment.SURFACES)
def test_nothing_near_a_surfaces_minimum_lies_lower(name):
    ground = experiment.SURFACES[name]
    np.testing.assert_allclose(ground.gradient(*ground.minimum), 0, atol=1e-9)
    left, right, bottom, top = ground.view
    x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201))
    assert ground.value(x, y).min() >= ground.value(*ground.minimum) - 1e-12


def test_gradient_descent_multiplies_each_coordinate_of_the_valley_by_its_own_factor():
    path = experiment.paths(rate=0.7, steps=12)["path"]
    k = np.arange(13)
    np.testing.assert_allclose(path[:, 0], -7 * (1 - 0.7 / 10) ** k)
    np.testing.assert_allclose(path[:, 1], 2 * (1 - 0.7 * 2) ** k)


def test_in_the_valley_gradient_descent_is_stable_up_to_rate_1_and_not_beyond():
    assert experiment.paths(rate=0.99)["height"][-1] < experiment.paths(rate=0.99)["height"][0]
    beyond = experiment.paths(rate=1.05, steps=200)
    assert beyond["left"] is not None
    y = beyond["path"][:20, 1]
    np.testing.assert_allclose(y[1:] / y[:-1], -1.1)  # the prediction's number


def test_the_best_rate_of_gradient_descent_in_the_valley_is_two_over_the_sum_of_the_curvatures():
    rates = np.linspace(0.8, 0.999, 60)
    ends = [experiment.paths(rate=rate, steps=100)["height"][-1] for rate in rates]
    assert abs(rates[np.argmin(ends)] - 2 / 2.1) < 0.02


def test_a_path_that_leaves_is_nan_from_then_on():
    result = experiment.paths(rate=3.0)
    gone = np.isnan(result["path"][:, 0])
    assert gone[result["left"] :].all()
    assert not gone[: result["left"]].any()
    assert np.isnan(result["height"][-1])


def test_heights_count_from_the_surfaces_minimum():
    for surface, rate in (("saddle", 0.3), ("two minima", 0.03)):
        path = experiment.landscape(surface, "momentum", rate)
        assert 0 <= path["height"][-1] < 1e-6 < 0.5 < path["height"][0]


def test_a_path_is_what_the_formula_of_momentum_gives():
    path = experiment.paths("valley", "momentum", 0.1, steps=3)["path"]
    w, v = np.array([-7.0, 2.0]), np.zeros(2)
    for point in path[1:]:
        v = 0.9 * v + w * (0.1, 2.0)
        w = w - 0.1 * v
        np.testing.assert_allclose(point, w)


def test_an_unknown_optimizer_surface_or_start_is_refused():
    with pytest.raises(RangeError, match="optimizer is 'adamax', but must be one of 'gradient descent'"):
        experiment.paths("valley", "adamax")
    with pytest.raises(RangeError, match="surface is 'plain'"):
        experiment.paths("plain")
    with pytest.raises(RangeError, match="start is 'A'"):
        experiment.paths("valley", start="A")


def test_each_of_the_nine_gets_far_down_the_valley_at_its_own_rate():
    results = experiment.nine_paths()
    assert [r["optimizer"] for r in results] == list(experiment.NINE)
    assert all(r["height"][-1] < 0.01 * r["height"][0] for r in results)


def test_a_batch_of_one_makes_many_poor_steps_and_the_full_batch_few_good_ones():
    one, all_of_them = experiment.batches(1, 0.03), experiment.batches("all", 0.03)
    assert (len(one["path"]) - 1, len(all_of_them["path"]) - 1) == (1368, 4)  # the prediction's numbers
    assert one["count"] == 342
    assert one["excess"][-1] < 0.05 < 1 < all_of_them["excess"][-1]
    assert one["noise"] > 1
    assert all_of_them["noise"] == 0


def test_batches_end_at_the_line_of_least_squares():
    result = experiment.batches(16, 0.03, epochs=30)
    np.testing.assert_allclose(result["path"][-100:].mean(axis=0), result["best"], atol=0.03)
    assert (result["excess"] >= -1e-12).all()
    assert result["examples"][-1] == 30 * 342


def test_the_noise_of_a_batch_falls_with_its_size():
    noise = [experiment.batches(size, 0.03, epochs=1)["noise"] for size in (1, 4, 16, 64)]
    ratios = np.array(noise[:-1]) / noise[1:]
    assert (ratios > 1.6).all()
    assert (ratios < 2.8).all()


def test_reach_counts_the_examples_and_says_none_when_it_never_arrives():
    result = experiment.batches(4, 0.03)
    need = experiment.reach(result)
    there = np.searchsorted(result["examples"], need)
    assert result["excess"][there] < 0.1 * result["lowest"] <= result["excess"][there - 1]
    assert experiment.reach(experiment.batches("all", 0.003)) is None


@pytest.mark.parametrize("condition", [10, 100, 1000])
def test_theorys_pair_shrinks_the_distance_as_theory_says(condition):
    result = experiment.momentum_map(condition, steps=400)
    root = condition**0.5
    assert abs(experiment.contraction(result["theory_distance"]) - (root - 1) / (root + 1)) < 0.006
    assert abs(experiment.contraction(result["plain_distance"]) - (condition - 1) / (condition + 1)) < 1e-3


def test_a_pair_of_the_map_has_the_factor_that_it_has_alone():
    result = experiment.momentum_map(100)
    row, column = 40, 30
    rate, decay = result["rates"][column], result["decays"][row]
    alone = experiment.momentum_map(100, rate, decay)["distance"]
    np.testing.assert_allclose(result["map"][row, column], experiment.contraction(alone))


def test_pairs_beyond_the_stability_limit_diverge():
    result = experiment.momentum_map(100)
    rates, decays = np.meshgrid(result["rates"], result["decays"])
    assert (result["map"][rates > 2 + 2 * decays + 0.1] > 1).all()
    inside = (rates < 2 + 2 * decays - 0.1) & (decays < 0.95)
    assert (result["map"][inside] < 1).all()


def test_both_forms_of_nesterov_are_the_same_path_moved_on_by_the_velocity():
    result = experiment.nesterov_in_two_forms()
    np.testing.assert_allclose(result["shifted"], result["library"], atol=1e-12)
    assert np.abs(result["paper"] - result["library"]).max() > 0.1


def test_nesterovs_look_ahead_corrects_the_overshoot_that_momentum_makes():
    result = experiment.look_ahead()
    assert result["ahead"][1] < 0 < result["w"][1]  # the velocity carries across the valley floor
    assert abs(result["nesterov"][1]) < abs(result["ahead"][1]) < abs(result["momentum"][1])


def test_adagrads_steps_shrink_with_the_root_of_their_number_and_never_recover():
    steps = np.arange(1, 1001)
    np.testing.assert_allclose(experiment.step_lengths(np.ones(1000))["AdaGrad"], 0.01 / np.sqrt(steps), rtol=1e-6)
    after = experiment.step_lengths(experiment.cliff())
    assert after["AdaGrad"][-1] < 1e-4
    np.testing.assert_allclose(after["RMSProp"][-1], 0.01, rtol=0.01)
    assert after["AdaDelta"][-1] > 50 * after["AdaDelta"][31]


def test_one_weight_walks_as_the_library_does():
    gradients = np.random.default_rng(0).standard_normal(30)
    rule, w = adam(lambda k: 0.1 / (k + 1)), np.zeros(1)
    state, points = rule.init(w), [0.0]
    for g in gradients:
        w, state = rule.update(w, np.array([g]), state)
        points.append(w[0])
    np.testing.assert_allclose(experiment.one_weight(rule, gradients), points, rtol=1e-12)
    assert experiment.one_weight(sgd(1.0), -np.ones(5), high=2.0)[-1] == 2.0


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.0, 0.9999), (0.99, 0.9)])
def test_adams_corrected_steps_have_the_length_of_the_rate_and_the_others_follow_the_formula(beta1, beta2):
    result = experiment.bias_correction(beta1, beta2)
    t = np.arange(1, 2001)
    np.testing.assert_allclose(result["corrected"], 1, rtol=1e-6)
    np.testing.assert_allclose(result["uncorrected"], (1 - beta1**t) / np.sqrt(1 - beta2**t), rtol=1e-5)


def test_with_the_usual_betas_uncorrected_steps_are_three_to_seven_times_too_long():
    lengths = experiment.bias_correction()["uncorrected"]
    assert 3 < lengths[0] < 3.2
    assert 6.5 < lengths.max() < 6.6
    assert (lengths[:100] > 3).all()


def test_adam_without_correction_helps_at_a_small_rate_and_harms_at_a_large_one():
    small, large = experiment.early_loss(0.001), experiment.early_loss(0.01, 0.9999)
    assert small["uncorrected"].mean() < 0.8 * small["corrected"].mean()
    assert large["uncorrected"].mean() > 1.5 * large["corrected"].mean()


def end(result, name):
    return result[name][-3 * result["every"] :].mean()


def test_adam_goes_to_the_worst_point_with_a_short_memory_and_amsgrad_to_the_best():
    result = experiment.adversary()
    assert end(result, "Adam") > 0.95
    assert end(result, "AMSGrad") < -0.95
    assert all(np.abs(result[name]).max() <= 1 for name in ("Adam", "AMSGrad"))


def test_adams_memory_must_outlast_the_gap_between_rare_gradients():
    assert end(experiment.adversary(10, 3), "Adam") < -0.9
    assert end(experiment.adversary(3.42, 10), "Adam") > 0.9
    assert end(experiment.adversary(100, 10), "Adam") < -0.7


def test_l2_under_adam_decays_by_the_size_of_the_gradients_and_adamw_does_not():
    left = experiment.decayed(runs=400)
    np.testing.assert_allclose(left["AdamW"], left["promised"], atol=0.02)
    np.testing.assert_allclose(left["Adam with L2"][0], left["promised"], atol=0.02)
    assert left["Adam with L2"][1] < 0.01


def test_each_optimizer_keeps_zero_to_three_numbers_a_parameter():
    net = experiment.mlp([7, 5, 3])
    params, _ = net.init(np.random.default_rng(0))
    count = 7 * 5 + 5 + 5 * 3 + 3
    kept = {name: number / count for name, number in experiment.memory(params).items()}
    assert kept == {
        "gradient descent": 0,
        "momentum": 1,
        "Nesterov": 1,
        "AdaGrad": 1,
        "RMSProp": 1,
        "AdaDelta": 2,
        "Adam": 2,
        "AMSGrad": 3,
        "AdamW": 2,
        "Nadam": 2,
    }


def test_gradient_descent_leaves_a_saddle_in_the_logarithm_of_the_distance_and_adam_at_once():
    plain = [experiment.escape_steps("gradient descent", d) for d in (1e-2, 1e-4, 1e-6)]
    np.testing.assert_allclose(np.diff(plain), np.log(100) / np.log(1.1), atol=1)
    assert max(experiment.escape_steps("Adam", d) for d in (1e-2, 1e-4, 1e-6)) < 10


def test_on_the_ridge_nobody_moves_until_there_is_noise():
    assert all(experiment.escape_steps(name, 0.0, most=200) is None for name in experiment.NINE)
    assert all(experiment.escape_steps(name, 0.0, noise=0.01) for name in experiment.NINE)


def test_momentum_rolls_out_of_the_shallow_minimum_and_gradient_descent_does_not():
    deep, shallow = experiment.SURFACES["two minima"].minimum[0], 0.913
    for rate in (0.003, 0.03, 0.3):
        gradient_descent = experiment.landscape("two minima", "gradient descent", rate)["path"][-1]
        assert gradient_descent[0] > shallow - 0.01
    momentum = experiment.landscape("two minima", "momentum", 0.03)["path"][-1]
    np.testing.assert_allclose(momentum, (deep, 0), atol=0.01)


def test_the_share_of_minima_is_that_of_the_gaussian_orthogonal_ensemble():
    np.testing.assert_allclose(experiment.share_of_minima(1), 0.5, atol=0.02)
    np.testing.assert_allclose(experiment.share_of_minima(2), (2 - 2**0.5) / 4, atol=0.01)


def test_networks_trained_together_are_those_trained_alone():
    x, y = experiment.small_mnist()
    rules = {name: experiment.OPTIMIZERS[name](0.01) for name in ("gradient descent", "Adam", "Nadam")}
    settings = {"steps": 8, "batch_size": 20, "seed": 3}
    together, params = experiment.train_together(rules, [196, 6, 10], x, y, **settings)
    for i, (name, rule) in enumerate(rules.items()):
        alone, own = experiment.train_together({name: rule}, [196, 6, 10], x, y, **settings)
        np.testing.assert_allclose(together[name], alone[name], rtol=1e-4)
        np.testing.assert_allclose(params["dense_0"]["w"][i], own["dense_0"]["w"][0], atol=1e-5)
    assert together["Adam"][-1] < together["Adam"][0]


def last(rate, layers=1):
    losses = experiment.on_mnist(rate, layers)["loss"]
    return {name: np.nan_to_num(loss[-20:].mean(), nan=np.inf) for name, loss in losses.items()}


def test_at_rate_001_adam_is_far_ahead_and_at_rate_1_gradient_descent_is():
    small, large = last(0.01), last(1.0)
    assert small["gradient descent"] > 4 * small["Adam"]
    assert min(large, key=large.get) == "gradient descent"
    assert large["Adam"] > 2


def test_at_their_best_rates_the_eight_are_close_to_each_other():
    result = experiment.sweep()
    best = {name: losses.min() for name, losses in result["loss"].items()}
    assert max(best.values()) < 2 * min(best.values())
    rates = {name: result["rates"][losses.argmin()] for name, losses in result["loss"].items()}
    assert rates["gradient descent"] > 5 * rates["Adam"]


def test_experiments_give_the_same_numbers_twice():
    first, second = experiment.on_mnist(0.1), experiment.on_mnist(0.1)
    for name in first["loss"]:
        np.testing.assert_array_equal(first["loss"][name], second["loss"][name])
    np.testing.assert_array_equal(experiment.batches(4)["path"], experiment.batches(4)["path"])
    assert not np.array_equal(experiment.batches(4, seed=1)["path"], experiment.batches(4)["path"])


EXPLORERS = [name for name in explore.__all__ if isinstance(getattr(explore, name), Explorer)]


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_explorer_draws_its_corners_and_says_what_it_shows(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()
    said = set()
    for point in (grid[0], explorer.settings(), grid[-1], grid[len(grid) // 2 - 1]):
        text = explorer.alt(**point)
        said.add(text)
        assert "nan" not in text.split()
    assert len(said) > 1


def test_the_alternative_text_of_a_path_that_left_says_when():
    text = explore.valley.alt(optimizer="gradient descent", rate=1.69)
    assert "leaves for infinity at step" in text
    assert "After 50 steps it is at" in explore.valley.alt(rate=0.0949)


def test_every_optimizer_has_a_look():
    assert set(experiment.NINE) <= set(plot.LOOKS)
    assert len({plot.LOOKS[name] for name in experiment.NINE}) == len(experiment.NINE)


@pytest.mark.parametrize("decay, push", [(0.9, 0.04), (0.9, 0.2), (0.97, 1.0)])
def test_an_underdamped_spring_shrinks_by_the_root_of_the_momentum_whatever_the_curvature(decay, push):
    run = experiment.spring(decay, push)
    assert run["kind"] == "underdamped"
    np.testing.assert_allclose(np.abs(run["roots"]), decay**0.5)
    w, rule = np.array([1.0]), momentum(push, decay)
    state = rule.init(w)
    for distance in run["distance"][1:]:
        w, state = rule.update(w, w, state)  # curvature 1: the gradient is w
        assert w[0] == pytest.approx(distance, abs=1e-12)


def test_the_two_forms_of_momentum_agree_while_the_rate_is_constant_and_not_when_it_changes():
    same, changed = (experiment.momentum_in_two_forms(rates) for rates in ((0.1,) * 30, (0.1,) * 15 + (0.01,) * 15))
    np.testing.assert_allclose(same["inside"], same["outside"], atol=1e-12)
    assert np.abs(changed["inside"] - changed["outside"]).max() > 0.1


def test_adam_by_hand_is_the_packages():
    rule, w = adam(0.1), np.zeros(2)
    state = rule.init(w)
    for row in experiment.adam_by_hand():
        w, state = rule.update(w, row["g"], state)
        np.testing.assert_allclose(row["w"], w, atol=1e-12)
        np.testing.assert_allclose(row["v"], state["v"], atol=1e-15)


def test_the_balls_arrows_add_up_to_its_next_step():
    here, there = experiment.ball(5), experiment.ball(6)
    np.testing.assert_allclose(here["at"] + here["velocity"] + here["push"], there["at"])
    path = experiment.walk(momentum(0.1, 0.9), experiment.SURFACES["valley"].gradient, (-7.0, 2.0), 24)
    np.testing.assert_allclose(here["path"], path, atol=1e-12)


def test_newton_schulz_lifts_the_small_singular_values():
    runs = [experiment.newton_schulz(k) for k in range(6)]
    assert runs[0]["after"][-1] < 0.02 and runs[5]["after"].min() > 0.6 and runs[5]["after"].max() < 1.25
    np.testing.assert_allclose(runs[0]["after"], runs[0]["before"], atol=1e-12)


def test_clipping_makes_a_larger_rate_usable_and_the_four_of_today_have_pictures():
    run = experiment.clipped((None, 1.0), rates=(1.0,), steps=80, seeds=(0,))["loss"]
    assert run[1.0][0] < 1 < run[None][0]
    figures = (
        plot.today(experiment.sweep_today(rates=(0.001, 0.01), steps=25, seeds=(0,))),
        plot.clipped(experiment.clipped((None, 1.0), rates=(0.1, 1.0), steps=25, seeds=(0,))),
    )
    assert all(len(figure.alt) > 40 for figure in figures)


@pytest.mark.parametrize("surface", list(experiment.SURFACES))
def test_second_derivatives_are_the_slopes_of_the_gradient(surface, h=1e-6):
    for x, y in ((0.3, -0.7), (-1.2, 0.4)):
        gradient = experiment.SURFACES[surface].gradient
        slopes = [
            np.subtract(gradient(x + dx, y + dy), gradient(x - dx, y - dy)) / (2 * h) for dx, dy in ((h, 0), (0, h))
        ]
        np.testing.assert_allclose(
            experiment.SECOND_DERIVATIVES[surface](x, y), np.transpose(slopes), rtol=1e-6, atol=1e-6
        )


def test_newton_needs_one_step_on_a_quadratic_and_walks_to_a_saddle():
    np.testing.assert_allclose(experiment.newton("valley", "(-7, 2)", steps=1)["path"][1], (0, 0), atol=1e-14)
    np.testing.assert_allclose(experiment.newton("saddle", "A")["path"][-1], (0, 0), atol=1e-10)
    curved = experiment.newton("Rosenbrock", "A", steps=7)
    assert curved["height"][-1] < 1e-12 and curved["height"][2] > 100 > curved["height"][0]


@pytest.mark.parametrize("share", [1e-4, 0.5])
def test_line_search_takes_the_first_rate_that_falls_as_far_as_armijo_asks(share):
    run = experiment.line_search("valley", "(-7, 2)", first=3.0, share=share, steps=20)
    for here, there, rate, tries in zip(run["path"], run["path"][1:], run["rates"], run["tries"], strict=False):
        gradient = np.array([here[0] / 10, 2 * here[1]])
        np.testing.assert_allclose(there, here - rate * gradient, rtol=1e-12)
        assert rate == 3.0 / 2 ** (tries - 1)

        def falls_enough(eta, here=here, gradient=gradient):
            (x, y), (a, b) = here, here - eta * gradient
            return a**2 / 20 + b**2 <= x**2 / 20 + y**2 - share * eta * (gradient @ gradient)

        assert falls_enough(rate) and (tries == 1 or not falls_enough(2 * rate))
    assert run["tries"].max() > 1


def test_line_search_needs_fewer_steps_than_the_best_constant_rate_but_more_losses():
    run, fixed = experiment.line_search(), experiment.paths(rate=2 / 2.1, steps=100)
    steps, constant = ((r["height"] < 1e-6).argmax() for r in (run, fixed))
    assert 0 < steps < constant < run["tries"][:steps].sum()
    with pytest.raises(ValueError, match=r"share is 1\.5"):
        experiment.line_search(share=1.5)


def test_a_step_of_yogi_is_that_of_the_paper():
    rule = experiment.yogi(0.1, 0.9, 0.99, 1e-3)
    w, m, v = rule.step(1.0, 2.0, 0.1, 1, 0.5, 1.0)  # v below g^2: up by a hundredth of it
    assert (m, v) == pytest.approx((0.65, 1.04)) and w == pytest.approx(1 - 0.1 * 0.65 / (1.04**0.5 + 1e-3))
    w, m, v = rule.step(w, 0.5, 0.1, 2, m, v)  # v above g^2: down by a hundredth of it
    assert (m, v) == pytest.approx((0.635, 1.0375)) and w == pytest.approx(
        1 - 0.065 / (1.04**0.5 + 1e-3) - 0.0635 / (1.0375**0.5 + 1e-3)
    )
    path = experiment.one_weight(experiment.yogi(0.1), np.array([1.0, 0.0]))  # and it runs like any other rule
    assert path[1] == pytest.approx(-0.1 * 0.1 / (0.001**0.5 + 1e-3))


@pytest.mark.parametrize("every", [10, 30])
def test_yogi_goes_the_right_way_with_a_memory_that_is_too_short_for_adam(every):
    for memory in (2, 10):
        assert experiment.yogi_on_the_adversary(memory, every) < 0 < experiment.adversary_drift(memory, every)
