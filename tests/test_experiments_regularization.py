"""What chapter 09 says about its experiments."""

import numpy as np
import pytest

import coursekit as ck
from coursekit.errors import RangeError
from coursekit.experiments import regularization as experiment
from coursekit.explorers import regularization as explore
from coursekit.losses import mean_squared_error
from coursekit.plotting import regularization as plot


@pytest.fixture(scope="module")
def heart():
    return experiment.by_heart()


# --- learning by heart ---


def test_shuffled_labels_are_learnt_to_the_last_one_and_help_nothing(heart):
    shuffled = heart["shuffled labels"]
    assert shuffled["train_accuracy"][-1] == 1 and shuffled["accuracy"][-1] < 0.15
    after_100 = shuffled["train_accuracy"][list(shuffled["step"]).index(100)]
    assert 0.4 < after_100 < 0.65  # the prediction says about half


def test_the_shuffled_labels_are_the_same_labels():
    x, y, *_ = experiment.small_clothes()
    assert x.shape == (3000, 196) and abs(x.mean()) < 1e-9
    order = np.random.default_rng(0).permutation(y[:300])
    assert sorted(order) == sorted(y[:300]) and (order == y[:300]).mean() < 0.2


def test_the_loss_on_new_images_rises_again_and_the_accuracy_does_not_fall(heart):
    true = heart["true labels"]
    low = true["loss"].argmin()
    assert true["step"][low] <= 150 and true["loss"][-1] > 1.3 * true["loss"].min()
    assert true["accuracy"][-1] > true["accuracy"][low] - 0.02
    assert true["train_accuracy"][-1] == 1


def test_the_net_of_the_prediction_has_26506_parameters():
    params, _ = experiment.mlp([196, 128, 10]).init(np.random.default_rng(0))
    assert sum(a.size for layer in params.values() for a in layer.values()) == 26506


# --- bias and variance ---


@pytest.mark.parametrize("examples", [15, 30, 100])
def test_bias_variance_and_noise_add_up_to_the_measured_error(examples):
    result = experiment.bias_variance(examples=examples)
    total = result["bias"] + result["variance"] + result["noise"]
    np.testing.assert_allclose(total[:5], result["error"][:5], rtol=0.05)


def test_low_degrees_have_bias_and_high_ones_variance():
    result = experiment.bias_variance(examples=30)
    assert result["bias"][1] > 5 * result["variance"][1]
    assert result["variance"][9] > 50 * abs(result["bias"][9])
    assert result["error"].argmin() == 3


def test_more_points_take_the_variance_away_and_leave_the_bias():
    few, many = (experiment.bias_variance(examples=n) for n in (30, 100))
    np.testing.assert_allclose(few["bias"][:3], many["bias"][:3], rtol=0.05)
    assert many["variance"][9] < few["variance"][9] / 50
    assert 2 < few["variance"][1] / many["variance"][1] < 5  # about 100/30


def test_the_mean_of_many_fits_keeps_a_share_of_the_variance_which_is_given_back():
    rng = np.random.default_rng(0)
    draws = [experiment._unbiased(rng.normal(1.0, 2.0, (5, 40)), np.zeros(40)) for _ in range(400)]
    bias, variance = np.mean(draws, axis=0)
    assert bias == pytest.approx(1.0, abs=0.1) and variance == pytest.approx(4.0, abs=0.1)


def test_a_stronger_penalty_lowers_the_variance_and_raises_the_bias():
    result = experiment.bias_variance_by_strength()
    assert (np.diff(result["variance"]) < 0).all()
    assert (np.diff(result["bias"][-10:]) > 0).all()
    assert 0 < result["sum"].argmin() < len(result["sum"]) - 1


def test_the_variance_of_networks_has_a_peak_and_then_falls_with_the_width():
    result = experiment.widths()
    top = result["variance"].argmax()
    assert result["hidden"][top] == 4
    assert result["variance"][-1] < result["variance"][top] / 2
    assert (np.diff(result["bias"]) < 0).all()
    np.testing.assert_allclose(result["bias"] + result["variance"], result["error"], rtol=1e-9)
    assert (result["train_accuracy"][-3:] > 0.999).all()


def test_with_more_images_the_gap_closes_from_both_sides():
    result = experiment.learning_curve((30, 300, 3000), steps=300)
    train, new = (result[name].mean(axis=1) for name in ("train_accuracy", "accuracy"))
    assert train[0] == 1 and train[-1] < 0.95
    assert (np.diff(new) > 0).all()


# --- penalties ---


def test_ridge_is_the_minimum_of_error_plus_penalty():
    rng = np.random.default_rng(0)
    x, y = experiment.points(rng, 20)
    w = experiment.ridge(x, y, 0.1)

    def objective(w):
        return mean_squared_error(experiment.features(x) @ w, y)[0] + ck.regularizers.l2(w[1:], 0.1)[0]

    moved = [objective(w + 1e-3 * rng.standard_normal(16)) for _ in range(50)]
    assert objective(w) < min(moved)
    np.testing.assert_allclose(ck.gradcheck.numerical_gradient(objective, w), 0, atol=1e-8)


@pytest.mark.parametrize("strength", [1e-2, 0.1, 1.0])
def test_lasso_meets_the_conditions_of_a_minimum(strength):
    x, y = experiment.points(np.random.default_rng(0), 30)
    w = experiment.lasso(x, y, strength)[0]
    inputs = experiment.features(x)
    gradient = inputs.T @ mean_squared_error(inputs @ w, y)[1]
    on, off = np.flatnonzero(w[1:]) + 1, np.flatnonzero(w[1:] == 0) + 1
    assert abs(gradient[0]) < 1e-4  # the bias is free
    np.testing.assert_allclose(gradient[on], -strength * np.sign(w[on]), atol=1e-4)
    assert (np.abs(gradient[off]) < strength).all()


def test_the_training_error_only_rises_with_the_strength():
    for penalty in ("L1", "L2"):
        assert (np.diff(experiment.fit_curve(penalty, 0.1, 30)["train_curve"]) > -1e-5).all()


def test_l1_makes_zeros_and_l2_none():
    sparse, dense = (experiment.fit_curve(penalty, 0.1, 30) for penalty in ("L1", "L2"))
    assert sparse["zeros"] >= 8 and dense["zeros"] == 0
    assert set(np.argsort(-np.abs(sparse["weights"]))[:2] + 1) == {1, 3}
    assert sparse["validation"] < dense["validation"]


def test_without_a_penalty_the_validation_error_is_far_above_the_training_error():
    weak, strong = (experiment.fit_curve("L2", s, 15) for s in (1e-6, 10))
    assert weak["validation"] > 1000 * weak["train"]
    assert strong["validation"] < 1.3 * strong["train"]
    assert weak["validation_curve"].min() < strong["validation"] / 2


@pytest.mark.parametrize("curvature", [0.5, 4.0])
def test_the_formulas_for_one_weight(curvature):
    grid = np.linspace(-3, 3, 600001)
    for target, strength in ((1.0, 2.0), (0.4, 4.0), (-2.0, 1.0)):
        loss = curvature / 2 * (grid - target) ** 2
        ridge = grid[(loss + strength / 2 * grid**2).argmin()]
        assert ridge == pytest.approx(curvature / (curvature + strength) * target, abs=1e-4)
        lasso = grid[(loss + strength * np.abs(grid)).argmin()]
        assert lasso == pytest.approx(experiment.soft_threshold(target, strength / curvature), abs=1e-4)


def test_l1_through_its_gradient_has_no_zeros_and_through_the_threshold_about_half():
    result = experiment.pixel_weights()
    assert result["L2"]["zeros"] == result["L1, its gradient"]["zeros"] == 0
    assert result["L1, its gradient"]["small"] > 0.3
    assert 0.3 < result["L1, threshold"]["zeros"] < 0.7
    assert result["L1, threshold"]["accuracy"] < result["L2"]["accuracy"]


# --- weight decay ---


def test_weight_decay_is_the_l2_penalty_for_sgd():
    assert experiment.sgd_both_ways() < 1e-12


def test_adam_decays_weights_with_large_gradients_less_and_adamw_all_alike():
    paths = experiment.decay_paths()
    assert np.ptp(paths["SGD, L2"][-1]) < 0.01 and np.ptp(paths["AdamW"][-1]) < 1e-6
    small, middle, large = paths["Adam, L2"][-1]
    assert small < 0.3 < 0.8 < middle < large


def test_both_strengths_have_a_best_value_inside_their_range():
    grids = {"Adam, L2": [1e-3, 7e-3, 0.1], "AdamW": [0.1, 1.0, 10.0]}
    for result in experiment.adam_decays(grids, runs=2).values():
        assert result["loss"].mean(axis=1).argmin() == 1


# --- dropout ---


def test_the_two_dropouts_are_one_network():
    assert max(experiment.two_dropouts(rate=0.3).values()) < 1e-12


def test_a_step_moves_scaling_at_test_time_less_by_the_square_of_what_is_kept():
    rng, rate, lr = np.random.default_rng(0), 0.5, 0.1
    h, dout, w = rng.standard_normal((6, 4)), rng.standard_normal((6, 3)), rng.standard_normal((4, 3))
    mask = rng.random(h.shape) >= rate
    inverted = -lr * (h * mask / (1 - rate)).T @ dout
    v = w / (1 - rate)  # the same function without scaling in training
    classic = (1 - rate) * (v - lr * (h * mask).T @ dout) - w
    np.testing.assert_allclose(classic, (1 - rate) ** 2 * inverted, rtol=1e-12)


def test_dropout_lowers_the_loss_on_new_images_and_too_much_of_it_underfits():
    none, half, most = (experiment.dropout_curve(rate) for rate in (0.0, 0.5, 0.9))
    assert half["loss"][-1] < none["loss"][-1] < most["loss"][-1]
    assert none["train_loss"][-1] < half["train_loss"][-1] < most["train_loss"][-1]


def test_with_1000_images_the_run_has_not_begun_to_overfit():
    none, half = (experiment.dropout_curve(rate, 1000) for rate in (0.0, 0.5))
    assert none["loss"][-1] < 1.1 * none["loss"].min()
    assert half["loss"][-1] > 0.95 * none["loss"][-1]


def test_dropout_costs_with_100_digits_and_saves_with_300():
    result = experiment.dropout_by_size((100, 300), runs=3)
    saved = (result["plain"]["loss"] - result["dropout"]["loss"]).mean(axis=1)
    assert saved[0] < 0.02 < saved[1]


def test_a_forgotten_factor_hurts_the_loss_and_hardly_the_accuracy():
    modes = experiment.dropout_modes()
    assert modes["not_scaled"][1] > 3 * modes["eval"][1]
    assert abs(modes["not_scaled"][0] - modes["eval"][0]) < 0.02
    assert modes["left_on"][0] < modes["eval"][0] - 0.01
    assert modes["masks"][-1, 1] < modes["eval"][1] and modes["masks"][-1, 0] > modes["eval"][0] - 0.01


# --- early stopping ---


def test_patience_of_the_quiz():
    losses = [5, 4, 3, 3.5, 3.2, 2.9, 3, 3.1, 3.2]
    assert experiment.stop_early(losses, 2) == (5, 3)
    assert experiment.stop_early(losses, 3) == (9, 6)


def test_what_is_kept_is_never_later_than_the_stop_and_the_best_until_then():
    for images in (20, 100, 300):
        for wait in (1, 5, 25):
            result = experiment.stopping(wait, images, "B")
            seen = result["losses"][: result["stopped"]]
            assert result["best"] == seen.argmin() + 1
            assert result["stopped"] == min(result["best"] + wait, 50)


def test_the_two_runs_of_the_explorer_mislead_in_two_ways():
    def kept(*settings):
        result = experiment.stopping(*settings)
        return result["test"][result["best"] - 1] / result["test"].min(), result["best"]

    hasty, late = kept(1, 20, "A"), kept(20, 20, "B")
    assert hasty[0] > 1.2 and hasty[1] < 8
    assert late[0] > 1.15 and late[1] > 40
    assert max(kept(5, 300, run)[0] for run in experiment.RUNS) < 1.02


def test_few_validation_images_make_a_rough_curve():
    curves = experiment.validation_curves(12, seed=1)
    rough = {n: np.abs(np.diff(curves[n][10:], axis=0)).mean() for n in (20, 300)}
    assert rough[20] > 1.5 * rough[300]


def test_patience_5_is_better_than_1_and_20_no_better_than_5():
    result = experiment.patience_table()
    loss = dict(zip(result["patience"].tolist(), result["test"], strict=True))
    assert loss[5] < 0.95 * loss[1] and loss[20] >= loss[5]
    assert (np.diff(result["epochs"]) > 0).all()
    assert result["lowest"] < result["test"].min() and result["last"] > result["test"].max()


# --- ensembles ---


@pytest.mark.parametrize("kind", experiment.KINDS)
def test_the_error_of_the_mean_is_the_members_less_their_variance(kind):
    for size in (1, 7, 20):
        members, together, variance = experiment.ensemble(size, kind)["squared"]
        assert members - variance == pytest.approx(together, abs=1e-12)
    result = experiment.ensemble(20, kind)
    accuracy, loss = result["members"].mean(axis=0)
    assert result["together"][-1, 0] > accuracy + 0.01 and result["together"][-1, 1] < loss


def test_twenty_starts_are_74_percent_right_on_average_and_little_more_together():
    result = experiment.ensemble(20, "other starts")
    assert round(100 * result["members"][:, 0].mean()) == 74  # the prediction says so
    assert 0.74 < result["together"][-1, 0] < 0.8


def test_members_on_bootstrap_samples_are_worse_and_disagree_more():
    starts, bags = (experiment.ensemble(20, kind) for kind in experiment.KINDS[:2])
    assert bags["members"][:, 0].mean() < starts["members"][:, 0].mean()
    assert bags["squared"][2] > 2 * starts["squared"][2]


def test_an_ensemble_can_be_wrong_where_two_of_three_members_are_right():
    p = ck.regularizers.average_predictions([np.array([[a, 1 - a]]) for a in (0.6, 0.6, 0.1)])
    assert p[0, 0] == pytest.approx(13 / 30) and round(p[0, 0], 2) == 0.43


# --- all ---


def test_the_seed_decides_everything():
    one, again = (experiment.train_nets([196, 8, 10], *experiment.small_clothes()[:2], optimizer=ck.optimizers.adam(),
                                        steps=5, batch_size=20, seed=3, runs=2)[1] for _ in range(2))  # fmt: skip
    np.testing.assert_array_equal(one["dense_0"]["w"], again["dense_0"]["w"])
    assert not np.array_equal(one["dense_0"]["w"][0], one["dense_0"]["w"][1])


def test_one_run_of_many_is_the_run_alone():
    x, y, *_ = experiment.small_clothes()
    _, both, _ = experiment.train_nets(
        [196, 8, 10], np.stack([x[:60], x[60:120]]), np.stack([y[:60], y[60:120]]), optimizer=ck.optimizers.sgd(0.1),
        steps=20, batch_size=20, seed=0, runs=2,
    )  # fmt: skip
    _, alone, _ = experiment.train_nets(
        [196, 8, 10], x[:60], y[:60], optimizer=ck.optimizers.sgd(0.1), steps=20, batch_size=20, seed=0, runs=2
    )
    np.testing.assert_allclose(both["dense_0"]["w"][0], alone["dense_0"]["w"][0], rtol=1e-9)


def test_unknown_settings_are_refused():
    with pytest.raises(RangeError, match="penalty is 'L3', but must be one of 'L2', 'L1'"):
        experiment.fit_curve("L3")
    with pytest.raises(RangeError, match="kind"):
        experiment.ensemble(3, "votes")


@pytest.mark.parametrize("name", ["fit_curve", "bias_variance", "dropout_curve", "stopping", "ensemble"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()
    texts = {explorer.alt(**settings) for settings in grid[:: max(1, len(grid) // 4)]}
    assert len(texts) >= 4


def test_pictures_say_what_they_show(heart):
    assert "shuffled labels: 100% of the training images" in plot.by_heart(heart).alt
    assert "AdamW: 0.22, 0.22, 0.22" in plot.decay_paths(experiment.decay_paths()).alt


def test_the_error_peaks_where_there_are_as_many_features_as_examples():
    for examples in (50, 100):
        run = experiment.double_descent(examples, 0.2)
        peak = run["features"][np.where(run["features"] > 30, run["test"], 0).argmax()]
        assert peak == pytest.approx(examples, rel=0.3)
        assert run["train"][run["features"] > 1.5 * examples].max() == 0
    more = {n: experiment.double_descent(n, 0.2) for n in (50, 100)}
    at = list(more[100]["features"]).index(100)
    assert more[100]["test"][at] > more[50]["test"][at] + 0.1  # more data, a larger error


def test_shifts_help_where_images_are_shifted_and_mixup_changes_the_training():
    lr, seeds = [0.003, 0.003], np.array([0, 1])
    runs = {kind: experiment.train_with(kind, 1, lr, seeds, steps=150)["test"] for kind in ("nothing", "shifts")}
    assert (runs["shifts"]["moved"] > runs["nothing"]["moved"] + 0.05).all()
    for kind, amount in (("mirrors", 0), ("mixup", 0.4), ("label smoothing", 0.1)):
        other = experiment.train_with(kind, amount, lr, seeds, steps=60)["test"]
        assert other["accuracy"].min() > 0.5 and (other["loss"] != runs["nothing"]["loss"]).all()


def test_a_mask_silences_about_its_share():
    kept = [np.concatenate(experiment.mask(0.8, k)["kept"]) for k in range(60)]
    assert np.mean(kept) == pytest.approx(0.2, abs=0.05)


def test_wrong_labels_make_the_error_rise_and_right_ones_do_not():
    settings = {"rates": (0.003,) * 2, "hidden": 64, "epochs": 60, "examples": 200}
    wrong, right = (experiment.by_epoch(noise, **settings) for noise in (0.4, 0.0))
    rise, fall = experiment.second_fall(wrong["test"])
    assert (rise > 0.05).all() and (fall < rise).all()
    assert (experiment.second_fall(right["test"])[0] < 0.03).all()
    assert (right["known"] < 60).all() and (wrong["known"] > right["known"]).all()
    assert wrong["train"].shape == wrong["test"].shape == (len(wrong["epoch"]), 2)
    assert wrong["epoch"][0] == 1 and wrong["epoch"][-1] == 60


def test_a_second_fall_is_measured_from_the_top_after_the_lowest_error():
    falls_once = np.array([0.9, 0.5, 0.2, 0.2])
    twice = np.array([0.9, 0.3, 0.6, 0.35])
    rise, fall = experiment.second_fall(np.stack([falls_once, twice], axis=1))
    np.testing.assert_allclose(rise, [0, 0.3])
    np.testing.assert_allclose(fall, [0, 0.25])


def test_descent_from_zero_ends_at_the_shortest_of_all_exact_solutions():
    for seed in range(3):
        ends = experiment.smallest_norm(seed=seed)
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((10, 30)), rng.standard_normal(10)
        shortest = np.linalg.pinv(x) @ y
        assert ends["from 0"]["length"] == pytest.approx(np.linalg.norm(shortest), rel=1e-9)
        assert ends["from 0"]["distance"] < 1e-9
        assert ends["from elsewhere"]["error"] < 1e-9 and ends["from elsewhere"]["distance"] > 1
        unseen = (np.eye(30) - np.linalg.pinv(x) @ x) @ rng.standard_normal(30)  # what the other start keeps
        assert ends["from elsewhere"]["distance"] == pytest.approx(np.linalg.norm(unseen), rel=1e-6)
        assert ends["Adam, from 0"]["error"] < 1e-3 < 0.1 < ends["Adam, from 0"]["distance"]
    with pytest.raises(ValueError, match="unknowns is 10"):
        experiment.smallest_norm(unknowns=10)


def test_descent_follows_the_loss_with_the_squared_gradient_one_order_better():
    apart = np.array(list(experiment.finite_steps((0.04, 0.02, 0.01)).values()))
    np.testing.assert_allclose(apart[:-1, 0] / apart[1:, 0], 2, rtol=0.1)
    np.testing.assert_allclose(apart[:-1, 1] / apart[1:, 1], 4, rtol=0.1)


# --- priors ---


@pytest.mark.parametrize(("spread", "examples"), [(0.1, 20), (0.3, 20), (0.3, 80)])
def test_the_strength_of_the_prior_is_the_one_that_predicts_best(spread, examples):
    run = experiment.strength_from_prior(spread, examples, sets=200)
    assert run["predicted"] == pytest.approx(2 * 0.3**2 / (examples * spread**2))
    assert abs(np.log(run["best"] / run["predicted"])) <= 0.58  # one stop of the slider, a factor of 1.78
    with pytest.raises(RangeError, match="spread is 0"):
        experiment.strength_from_prior(0)


def test_penalties_are_priors_of_pytorch():
    torch = pytest.importorskip("torch")
    n, tau, b, w = 50, 0.3, 0.2, np.random.default_rng(0).standard_normal((4, 3))
    for prior, penalty, strength in (
        (torch.distributions.Normal(0.0, tau), ck.regularizers.l2, 1 / (n * tau**2)),
        (torch.distributions.Laplace(0.0, b), ck.regularizers.l1, 1 / (n * b)),
    ):
        theirs = torch.tensor(w, requires_grad=True)
        (-prior.log_prob(theirs).sum() / n).backward()
        np.testing.assert_allclose(penalty(w, strength)[1], theirs.grad.numpy(), rtol=1e-6)


# --- a second task ---


def test_two_heads_have_the_gradients_of_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, y, other = rng.standard_normal((3, 5, 4)), rng.integers(0, 3, (3, 5)), rng.standard_normal((3, 7, 4))
    odd, shapes = rng.integers(0, 2, (3, 7)), ((4, 6), (6, 3), (6, 1))
    params = [rng.standard_normal((3, *shape)) for shape in shapes]
    loss, grads = experiment.two_heads(x, y, other, odd, *params, 0.7)
    w, head, head_other = tensors = [torch.tensor(p, requires_grad=True) for p in params]
    first = torch.nn.functional.cross_entropy((torch.tanh(torch.tensor(x) @ w) @ head).reshape(15, 3),
                                              torch.tensor(y).reshape(15))  # fmt: skip
    scores = torch.tanh(torch.tensor(other) @ w) @ head_other
    second = torch.nn.functional.binary_cross_entropy_with_logits(scores[..., 0], torch.tensor(odd).double())
    total = 3 * (first + 0.7 * second)  # theirs are means over the three runs, ours a sum
    total.backward()
    assert loss == pytest.approx(total.item())
    for ours, theirs in zip(grads, tensors, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy(), atol=1e-12)


def test_a_related_second_task_helps_and_one_from_a_coin_does_not():
    settings = {"rates": (1.0,), "seeds": range(6), "steps": 120}
    alone, parity, random = (experiment.second_task(name, **settings)["accuracy"].mean() for name in experiment.TASKS)
    assert parity > alone > random - 0.005
    with pytest.raises(ValueError, match="task is 'even'"):
        experiment.second_task("even")
