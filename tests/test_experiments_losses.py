"""What chapter 02 says about its experiments."""

import json
import math

import numpy as np
import pytest

from coursekit import data, losses
from coursekit.errors import RangeError
from coursekit.experiments import losses as experiment
from coursekit.explorers import losses as explore
from coursekit.gradcheck import gradient_check
from coursekit.interactive.course import questions
from coursekit.plotting import losses as plot

# --- the derivative behind the sigmoid -------------------------------------------------------------------------------


def test_the_gradient_of_the_squared_error_behind_a_sigmoid_is_right():
    rng = np.random.default_rng(0)
    scores, targets = 2 * rng.standard_normal((5, 3)), rng.random((5, 3))
    _, gradient = experiment.sigmoid_squared_error(scores, targets)
    assert gradient_check(lambda s: experiment.sigmoid_squared_error(s, targets)[0], scores, gradient).passed


def test_the_gradient_of_softmax_taken_twice_is_right():
    rng = np.random.default_rng(0)
    scores, labels = 2 * rng.standard_normal((5, 3)), rng.integers(3, size=5)
    _, gradient = experiment.softmax_twice(scores, labels)
    assert gradient_check(lambda s: experiment.softmax_twice(s, labels)[0], scores, gradient).passed


def test_a_unit_that_is_sure_and_wrong_gets_a_five_thousandth_of_the_derivative():
    score = np.log(np.array([[0.0001 / 0.9999]]))  # the prediction's question
    _, squared = experiment.sigmoid_squared_error(score, np.ones((1, 1)))
    _, entropy = losses.sigmoid_cross_entropy(score, np.ones((1, 1)))
    assert squared / entropy == pytest.approx(1 / 5000, rel=1e-3)


def test_the_derivative_of_the_squared_error_behind_a_sigmoid_is_at_most_8_27ths():
    score = np.linspace(-20, 20, 40001)[:, None, None]
    _, d = experiment.sigmoid_squared_error(score, np.zeros((1, 1)))
    assert np.abs(d).max() == pytest.approx(8 / 27, abs=1e-6)
    assert 1 / (1 + np.exp(-score.ravel()[np.abs(d).argmax()])) == pytest.approx(2 / 3, abs=1e-3)


# --- stall -----------------------------------------------------------------------------------------------------------


def test_from_a_wild_start_cross_entropy_learns_and_squared_error_does_not():
    accuracy = experiment.stall(10.0, 0.1)["accuracy"]
    mse, entropy = accuracy["MSE after sigmoid"], accuracy["cross-entropy"]
    np.testing.assert_array_equal(mse[0], entropy[0])  # the same starts
    assert (mse[-1] - mse[0]).max() < 0.05
    assert mse[-1].min() < 0.55
    assert 0.8 < entropy[-1].min() and entropy[-1].max() < 0.9


def test_from_a_calm_start_both_learn():
    for accuracy in experiment.stall(0.1, 0.1)["accuracy"].values():
        assert accuracy[-1].min() > 0.95


def test_a_very_large_rate_rescues_squared_error():
    assert experiment.stall(10.0, 100.0)["accuracy"]["MSE after sigmoid"][-1].min() > 0.93


def test_each_run_is_the_run_that_it_would_be_alone():
    one, three = experiment.stall(1.0, 1.0, steps=30, seeds=1), experiment.stall(1.0, 1.0, steps=30, seeds=3)
    for name, accuracy in one["accuracy"].items():
        np.testing.assert_allclose(accuracy[:, 0], three["accuracy"][name][:, 0], atol=2 / 569)


def test_the_distance_to_the_wrong_side_counts_the_wrong_answers():
    result = experiment.stall(3.0, 0.1, steps=0)
    assert (result["wrong"] > 0).mean() == pytest.approx(1 - result["accuracy"]["cross-entropy"][0, 0])


# --- what a loss has to do -------------------------------------------------------------------------------------------


def test_the_share_of_wrong_answers_is_level_nearly_everywhere_and_cross_entropy_is_not():
    result = experiment.staircase()
    assert 0.8 < result["flat"] < 1
    assert (np.diff(result["cross_entropy"]) != 0).all()
    turns = np.diff(np.sign(np.diff(result["cross_entropy"])))
    assert (turns != 0).sum() == 1  # one valley
    lowest = result["cross_entropy"].argmin()
    assert 0.3 * len(result["threshold"]) < lowest < 0.7 * len(result["threshold"])  # the fit has found it


def test_a_constant_guess_costs_the_entropy_of_the_labels():
    t = data.tables("breast").y
    p = t.mean()
    loss, gradient = losses.sigmoid_cross_entropy(np.full(len(t), math.log(p / (1 - p))), t)
    assert loss == pytest.approx(-p * math.log(p) - (1 - p) * math.log(1 - p))
    assert gradient.sum() == pytest.approx(0, abs=1e-12)


def test_a_likelihood_in_larger_units_is_lower_by_the_logarithm_of_1000():
    g, kg, t = (experiment.normal_nll(unit) for unit in ("g", "kg", "t"))
    assert g - kg == pytest.approx(math.log(1000))
    assert kg - t == pytest.approx(math.log(1000))
    assert t < 0 < kg
    mass = data.tables("penguins").x[:, 3].astype(float) / 1000
    density = np.exp(-((mass - mass.mean()) ** 2) / (2 * mass.var())) / np.sqrt(2 * np.pi * mass.var())
    assert kg == pytest.approx(-np.log(density).mean())


def test_the_shapes_are_those_of_the_formulas():
    result = experiment.shapes()
    s, (values, slopes) = result["score"], (result["losses"], result["slopes"])
    np.testing.assert_allclose(values["squared error"], (s - 1) ** 2)
    np.testing.assert_allclose(values["hinge"], np.maximum(0, 1 - s), atol=1e-12)
    np.testing.assert_allclose(values["cross-entropy"], np.log1p(np.exp(-s)))
    for name, value in values.items():
        inner = np.abs(s - 1) > 0.05  # the hinge has a corner at 1
        numeric = np.gradient(value, s)
        np.testing.assert_allclose(slopes[name][inner], numeric[inner], atol=0.03)
    for name in ("hinge", "cross-entropy"):
        assert np.abs(slopes[name]).max() <= 1


# --- outliers --------------------------------------------------------------------------------------------------------


def test_one_mass_with_an_extra_zero_turns_the_line_of_least_squares_and_not_hubers():
    lines = experiment.outlier(40.0, 0.5)["lines"]
    assert lines["clean"][0] > 0.04
    assert lines["MSE"][0] < 0  # the prediction's right answer
    assert lines["Huber"][0] == pytest.approx(lines["clean"][0], rel=0.05)


def test_the_lines_of_least_squares_are_the_exact_ones():
    result = experiment.outlier(20.0, 0.5)
    exact = np.polyfit(result["flipper"], result["mass"], 1)
    np.testing.assert_allclose(result["lines"]["MSE"], exact, rtol=1e-6)
    np.testing.assert_allclose(experiment.outlier(result["true_mass"])["lines"]["MSE"], result["lines"]["clean"])


@pytest.mark.parametrize("mass", [0.0, 6.0, 40.0])
@pytest.mark.parametrize("delta", [0.1, 0.5, 10.0])
def test_hubers_line_is_where_the_gradient_vanishes(mass, delta):
    result = experiment.outlier(mass, delta)
    slope, offset = result["lines"]["Huber"]
    pull = np.clip(slope * result["flipper"] + offset - result["mass"], -delta, delta)
    spread = result["flipper"].std()
    assert abs(pull.mean()) < 2e-3
    assert abs((pull * (result["flipper"] - result["flipper"].mean())).mean() / spread) < 2e-3


def test_a_large_delta_makes_huber_least_squares():
    lines = experiment.outlier(40.0, 40.0)["lines"]
    np.testing.assert_allclose(lines["Huber"], lines["MSE"], rtol=1e-6)


def test_pull_is_twice_the_error_under_mse_and_at_most_delta_under_huber():
    result = experiment.outlier(40.0, 0.5)
    assert result["pull"]["MSE"] == pytest.approx(2 * result["error"]["MSE"])
    assert result["pull"]["MSE"] > 60
    assert result["pull"]["Huber"] == 0.5


def test_a_wrong_flipper_length_ruins_both_lines():
    lines = experiment.leverage()
    assert lines["clean"][0] > 0.04
    assert abs(lines["MSE"][0]) < 0.001 and abs(lines["Huber"][0]) < 0.001


def test_typing_errors_ruin_mse_and_leave_huber():
    clean, dirty = experiment.typing_errors(0.0), experiment.typing_errors(0.05)
    assert clean["Huber"] == pytest.approx(clean["MSE"], rel=0.01)
    assert dirty["MSE"] > 1.4 * clean["MSE"]
    assert dirty["Huber"] < 1.05 * clean["Huber"]
    with pytest.raises(RangeError, match="share is 2"):
        experiment.typing_errors(2)


def test_a_penguin_far_on_the_right_side_moves_squared_error_only():
    near, far = experiment.far_point(50.0), experiment.far_point(200.0)
    assert near["wrong"]["squared error"] < 10 < 60 < far["wrong"]["squared error"]
    for loss in ("cross-entropy", "hinge"):
        assert abs(far["wrong"][loss] - near["wrong"][loss]) <= 1
        assert far["pull"][loss] < 1e-3
    assert far["pull"]["squared error"] > 5


def test_a_penguin_with_the_wrong_label_pulls_with_at_most_1_on_the_two():
    pull = experiment.far_point(200.0, "Adelie")["pull"]
    assert pull["squared error"] > 5
    assert pull["cross-entropy"] <= 1 and pull["hinge"] <= 1
    with pytest.raises(RangeError, match="species is 'Gentoo'"):
        experiment.far_point(200.0, "Gentoo")


def test_the_boundary_of_squared_error_is_that_of_least_squares():
    result = experiment.far_point(120.0)
    columns = np.column_stack([result["x"], np.ones(len(result["x"]))])
    exact = np.linalg.lstsq(columns, 2.0 * result["y"] - 1, rcond=None)[0]
    np.testing.assert_allclose(result["lines"]["squared error"], exact, rtol=1e-3)


def test_lines_and_counts_agree():
    result = experiment.far_point(80.0)
    for name, (a, b, c) in result["lines"].items():
        score = result["x"][:-1] @ [a, b] + c
        assert result["wrong"][name] == ((score > 0) != result["y"][:-1]).sum()


# --- large scores ----------------------------------------------------------------------------------------------------


def test_the_limits_of_exp_are_the_logarithms_of_the_dtypes_largest_numbers():
    for name, limit in experiment.limits().items():
        dtype = np.dtype(name).type
        assert limit["overflow"] == pytest.approx(math.log(float(np.finfo(dtype).max)), abs=0.01)
        with np.errstate(all="ignore"):
            assert np.isfinite(np.exp(dtype(limit["overflow"])))
            assert np.isinf(np.exp(np.nextafter(dtype(limit["overflow"]), dtype(1000))))
            assert np.exp(dtype(limit["underflow"])) > 0
            assert np.exp(np.nextafter(dtype(limit["underflow"]), dtype(-1000))) == 0
    assert explore.predict_limit.answer == 88.7


def test_the_digit_is_a_1_that_is_taken_for_a_9():
    scores, label = experiment._digit_scores()
    assert (label, int(scores.argmax())) == (1, 9)


def test_the_naive_loss_fails_first_then_softmax_and_log_and_log_sum_exp_never():
    for dtype in experiment.DTYPES:
        result = experiment.overflow(dtype=dtype)
        good = {name: int(np.isfinite(loss).sum()) for name, loss in result["losses"].items()}
        assert good["naive"] < good["softmax, then log"] < good["log-sum-exp"] == len(result["scales"])
    top = experiment._digit_scores()[0].max()
    naive = experiment.overflow(dtype="float32")
    last = naive["scales"][np.isfinite(naive["losses"]["naive"])].max()
    assert last * top < experiment.limits()["float32"]["overflow"] < 1.05 * last * top


def test_the_first_picture_is_one_in_which_the_naive_formula_fails():
    result = explore.overflow.results()
    assert np.isnan(result["probabilities"]["naive"]).any()
    assert not np.isfinite(result["now"]["naive"])
    assert result["probabilities"]["safe"].sum() == pytest.approx(1)


def test_where_all_work_all_agree():
    result = experiment.overflow(2.0, "float64")
    np.testing.assert_allclose(result["probabilities"]["naive"], result["probabilities"]["safe"])
    assert result["now"]["naive"] == pytest.approx(result["now"]["log-sum-exp"])


# --- networks and labels ---------------------------------------------------------------------------------------------


def test_at_a_common_small_rate_cross_entropy_is_far_ahead():
    few = {"examples": 1000, "epochs": 2}
    entropy, squared = (experiment.on_mnist(loss, 0.1, **few) for loss in ("cross-entropy", "MSE after sigmoid"))
    assert entropy > squared + 0.2
    assert math.isnan(experiment.on_mnist("MSE on scores", 1000.0, **few))
    assert experiment.on_mnist("MSE after sigmoid", 0.01, "Adam", **few) > squared + 0.2


def test_an_unknown_loss_or_optimizer_is_refused():
    with pytest.raises(RangeError, match="loss is 'accuracy'"):
        experiment.on_mnist("accuracy")
    with pytest.raises(RangeError, match="optimizer is 'adam', but must be one of 'SGD', 'Adam'"):
        experiment.on_mnist(optimizer="adam")


def test_softmax_twice_cannot_go_below_its_floor():
    result = experiment.twice(steps=150)
    floor = -math.log(math.e / (math.e + 9))
    assert floor == pytest.approx(1.4612, abs=5e-5)
    assert result["twice"]["loss"].min() > floor > 1 > result["once"]["loss"][-1]
    assert result["once"]["loss"][0] == pytest.approx(math.log(10))
    assert result["once"]["test_accuracy"] > result["twice"]["test_accuracy"] + 0.03


def test_softmax_over_labels_is_never_right_on_days_with_several():
    result = experiment.weather()
    assert result["counts"].sum() == pytest.approx(1)
    assert result["threshold"]["softmax"] > 0.5
    np.testing.assert_array_equal(result["right_by_count"]["softmax"][2:], 0)
    assert result["right_by_count"]["sigmoid"][2:].min() > 0.25
    assert result["right"]["sigmoid"] > result["right"]["softmax"] + 0.05
    np.testing.assert_allclose(result["outputs"]["softmax"].sum(axis=1), 1)
    for name in ("sigmoid", "softmax"):
        assert result["right"][name] == pytest.approx((result["counts"] * result["right_by_count"][name]).sum())


# --- explorers, pictures, quiz ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "run",
    [
        lambda: experiment.stall(1.0, 0.1, steps=20),
        experiment.outlier,
        experiment.far_point,
        experiment.typing_errors,
        experiment.overflow,
    ],
)
def test_the_same_call_gives_the_same_numbers(run):
    def flat(thing):
        if isinstance(thing, dict):
            return [x for part in thing.values() for x in flat(part)]
        return [np.asarray(thing)]

    for one, again in zip(flat(run()), flat(run()), strict=True):
        np.testing.assert_array_equal(one, again)


@pytest.mark.parametrize("name", ["stall", "outlier", "far_point", "overflow"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    some = explorer.grid()[:: max(1, len(explorer.grid()) // 8)]
    texts = {explorer.alt(**settings) for settings in some}
    assert len(texts) == len(some) >= 8


@pytest.mark.parametrize(
    "settings", [{"mass": 40.0}, {"mass": 4.0}, {"mass": 0.0, "delta": 40.0}], ids=lambda s: str(s["mass"])
)
def test_the_outlier_is_drawn_inside_the_picture(settings):
    axes = explore.outlier(**settings).axes[0]
    low, high = axes.get_ylim()
    (marker,) = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert low - 1 <= float(np.squeeze(marker.get_ydata())) <= high


def test_figures_without_an_explorer_have_a_text():
    floor = 1.4612
    for fig in (
        plot.staircase(experiment.staircase(points=50)),
        plot.shapes(experiment.shapes(points=21)),
        plot.twice(experiment.twice(steps=5), floor),
    ):
        assert len(fig.alt) > 60


def test_numbers_in_the_quiz_are_right():
    text = json.dumps(questions("02"))
    p, t = 0.999, 0.0
    assert "is about 0.002" in text and 2 * (p - t) * p * (1 - p) == pytest.approx(0.002, abs=5e-5)
    assert "p (1 - p), and that is about 0.001" in text and p * (1 - p) == pytest.approx(0.001, abs=5e-6)
    assert "ln 10 = 2.3026" in text and math.log(10) == pytest.approx(2.3026, abs=5e-5)
    assert "stops at 20.7" in text and -math.log(1e-9) == pytest.approx(20.7, abs=0.05)
    assert "about 104 below" in text
    assert experiment.limits()["float32"]["underflow"] == pytest.approx(-104, abs=0.1)


# --- likelihood, softmax, distributions ------------------------------------------------------------------------------


def test_the_likelihood_is_the_densities_multiplied_and_least_at_the_mean():
    result = experiment.likelihood(3.5)
    assert result["now"] == pytest.approx(-np.log(np.prod(result["density"])))
    assert result["means"][result["nll"].argmin()] == pytest.approx(result["best"], abs=0.025)
    area = np.trapezoid(result["bell"], result["axis"])
    assert area == pytest.approx(1, abs=0.02)
    curvature = np.diff(result["nll"], 2) / np.diff(result["means"])[0] ** 2
    np.testing.assert_allclose(curvature, 5 / 0.5**2, rtol=1e-6)  # a parabola: N over sigma squared


def test_the_picture_of_softmax_shows_the_gradient_of_the_loss():
    result = experiment.softmax_scores(1.0, 2.0, 0.0)
    np.testing.assert_allclose(result["gradient"], result["p"] - result["y"])
    assert result["gradient"].sum() == pytest.approx(0, abs=1e-15)
    assert result["loss"] == pytest.approx(-np.log(result["p"][0]))
    lifted = experiment.softmax_scores(2.0, 3.0, 1.0)
    np.testing.assert_allclose(lifted["p"], result["p"])
    np.testing.assert_allclose(result["p"], [0.24, 0.67, 0.09], atol=0.006)  # the prediction's numbers
    assert -result["gradient"].min() == pytest.approx(0.76, abs=0.005)
    assert np.abs(result["gradient"]).argmax() == 0


def test_weights_find_more_of_the_rare_class_and_raise_more_alarms():
    rare = experiment.rare(seeds=2, steps=300)
    assert (rare["weighted"]["found"] >= rare["plain"]["found"]).all()
    assert rare["weighted"]["alarms"].mean() >= rare["plain"]["alarms"].mean()
    mixed = 0.06 * rare["plain"]["found"] + 0.94 * (1 - rare["plain"]["alarms"])
    np.testing.assert_allclose(rare["plain"]["accuracy"], mixed)


def test_smoothed_targets_bound_the_confidence():
    result = experiment.smoothing(0.3, images=200, steps=150, seeds=1)
    assert result["confidence"][0] < 0.8 and result["accuracy"][0] > 0.5
