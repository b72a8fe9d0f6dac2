"""What chapter 04 says about its experiments."""

import numpy as np
import pytest

from coursekit.errors import RangeError
from coursekit.experiments import preprocessing as experiment
from coursekit.explorers import preprocessing as explore
from coursekit.plotting import preprocessing as plot


@pytest.mark.parametrize("rate", [0.3, 0.9])
def test_the_path_without_a_loop_is_that_of_gradient_descent(rate):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)) * [1, 2, 0.5] + 1, rng.standard_normal(30)
    bowl = experiment.Bowl(x, y)
    lr = rate * 2 / bowl.curvature[-1]
    w, path, loss = np.zeros(3), [], []
    for _ in range(20):
        path.append(w)
        loss.append(((x @ w - y) ** 2).mean() / 2)
        w = w - lr * x.T @ (x @ w - y) / 30
    np.testing.assert_allclose(bowl.path(lr, range(20)), path, atol=1e-10)
    lowest = ((x @ bowl.best - y) ** 2).mean() / 2
    np.testing.assert_allclose(bowl.excess(lr, range(20)), (np.array(loss) - lowest) / (loss[0] - lowest), atol=1e-10)


def test_steps_are_the_first_at_which_the_excess_is_small_enough():
    rng = np.random.default_rng(1)
    bowl = experiment.Bowl(rng.standard_normal((30, 3)) + 1, rng.standard_normal(30))
    lr = 1 / bowl.curvature[-1]
    steps = bowl.steps(lr, share=0.01)
    before, at = bowl.excess(lr, [steps - 1, steps])
    assert at <= 0.01 < before
    assert bowl.steps(2.1 / bowl.curvature[-1]) is None


def test_whitening_takes_one_step_and_centring_and_scaling_do_not_always_help():
    runs = [experiment.quadratic(seed) for seed in range(6)]
    assert {r["whitened"]["steps"] for r in runs} == {1}
    assert 0 < sum(r["centred"]["steps"] > r["raw"]["steps"] for r in runs) < 6
    assert 0 < sum(r["scaled"]["steps"] > r["raw"]["steps"] for r in runs) < 6


def test_with_a_bias_centring_never_makes_the_condition_number_worse():
    rng = np.random.default_rng(2)
    for _ in range(40):
        x = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)) * 10 ** rng.uniform(-2, 2, 4)
        x += rng.uniform(-3, 3, 4)
        raw, centred = (experiment.singular_ratio(experiment.fit(how, x)(x)) for how in ("raw", "centred"))
        assert centred <= raw * (1 + 1e-6)


def test_the_bowls_are_those_of_the_text_and_the_prediction():
    def steps(pair, how):
        return experiment.bowl(pair, how)["steps"]

    for pair in experiment.PAIRS:
        raw, centred, scaled, whitened = (steps(pair, how) for how in experiment.HOW)
        assert raw > 10 * centred > 100 * whitened == 100
        assert centred > 10 * scaled
    assert steps("tumours", "scaled") > 1000  # the prediction says thousands
    assert steps("penguins, mm", "scaled") == steps("penguins, m and mm", "scaled") < 20
    assert steps("penguins, m and mm", "centred") > 100 * steps("penguins, mm", "centred")
    assert experiment.bowl(rate=1.05)["steps"] is None


def test_no_rate_makes_the_raw_wine_net_good():
    raw, scaled = (experiment.wine(how)["test_accuracy"] for how in ("raw", "scaled"))
    assert np.nanmax(raw) < 0.75 < 0.95 < np.nanmax(scaled)


def test_fitting_is_on_the_training_rows():
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((50, 3)) * 3 + 1, rng.standard_normal((20, 3))
    for how in ("centred", "scaled", "whitened"):
        transform = experiment.fit(how, x)
        np.testing.assert_allclose(transform(x).mean(axis=0), 0, atol=1e-12)
        assert np.abs(transform(other).mean(axis=0)).max() > 0.05
    with pytest.raises(RangeError, match="how is 'none', but must be one of"):
        experiment.fit("none", x)


def test_raw_wine_has_one_direction_and_it_is_proline():
    raw, scaled = experiment.wine_plane(False), experiment.wine_plane()
    assert raw["share"][0] > 0.99 and raw["features"][np.abs(raw["first"]).argmax()] == "proline"
    assert scaled["share"][0] < 0.5


def test_fewer_directions_do_not_improve_the_accuracy():
    result = experiment.reconstruct(196)
    np.testing.assert_allclose(result["rebuilt"], result["images"], atol=1e-10)
    accuracy = result["test_accuracy"]
    assert accuracy.max() - accuracy[-1] < 0.02  # two standard errors of 1,000 images are 0.026
    assert accuracy[4] < accuracy[24] < accuracy[-1]


def test_the_accuracy_by_directions_is_that_of_least_squares():
    from coursekit import data
    from coursekit.preprocessing import PCA

    clothes = data.fashion_mnist()
    x, x_test = (experiment._smaller(part).astype(float) for part in (clothes.x_train, clothes.x_test))
    pca = PCA(k=10).fit(x)
    z, z_test = (experiment.with_bias(pca.transform(part)) for part in (x, x_test))
    weights = np.linalg.lstsq(z, np.eye(10)[clothes.y_train], rcond=None)[0]
    right = ((z_test @ weights).argmax(axis=1) == clothes.y_test).mean()
    assert experiment.reconstruct(10)["test_accuracy"][9] == pytest.approx(right, abs=0.002)


def test_a_tiny_eps_amplifies_noise_more_than_tenfold_and_a_large_one_less():
    small, large = experiment.whiten_photo(1e-6, 0.05), experiment.whiten_photo(0.1, 0.05)
    assert small["noise_before"] < 0.03  # the prediction says less than 3 %
    assert small["noise_after"] > 10 * small["noise_before"]
    assert large["noise_after"] < 0.5 * small["noise_after"]
    assert experiment.whiten_photo(1e-6, 0.0)["noise_after"] == 0


def test_whitened_inputs_train_faster_and_generalize_worse():
    table = experiment.whitening_generalizes(eps=(1e-6,))
    assert table[1e-6]["loss"] < table["centred"]["loss"]
    assert table[1e-6]["test_accuracy"] < table["centred"]["test_accuracy"] - 0.05


def test_only_centred_pictures_have_a_mean_image():
    flat = {name: result["flatness"] for name, result in experiment.mean_images().items()}
    assert flat["photographs"] < 0.06 < 0.4 < min(flat["digits"], flat["clothes"])


def test_leaks_do_nothing_or_harm_or_invent():
    gaps = {}
    for kind in experiment.LEAKS:
        result = experiment.leak(kind, seeds=100)
        gaps[kind] = (result["all_rows"] - result["train_only"]).mean()
    assert abs(gaps["scaling"]) < 0.01
    assert gaps["whitening"] < -0.01
    assert gaps["choosing features"] > 0.25


@pytest.mark.parametrize("run", [experiment.quadratic, experiment.whiten_photo])
def test_the_seed_decides_everything(run):
    one, again, other = run(seed=3), run(seed=3), run(seed=4)
    assert str(one) == str(again) != str(other)


@pytest.mark.parametrize("name", ["bowl", "reconstruct", "whiten_photo"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()
    assert len(grid) <= 80
    some = grid[:: max(1, len(grid) // 8)]
    assert len({explorer.alt(**settings) for settings in some}) == len(some)


@pytest.mark.parametrize("how", experiment.HOW)
def test_the_bowl_is_drawn_with_equal_scales(how):
    _, surface, _ = plot.bowl(experiment.bowl("tumours", how)).axes
    box = surface.get_window_extent()
    across, up = np.diff(surface.get_xlim())[0], np.diff(surface.get_ylim())[0]
    assert across / box.width == pytest.approx(up / box.height, rel=0.05)


# --- an axis that turns, channels, categories, gaps ---


def test_the_variance_along_an_axis_is_largest_along_the_first_component():
    result = experiment.turning(30.0)
    assert result["variance"] == pytest.approx(np.interp(30.0, result["angles"], result["variances"]))
    values, vectors = np.linalg.eigh(np.cov(result["x"].T, bias=True))
    assert result["variances"].max() == pytest.approx(values[-1], rel=1e-3)
    assert np.degrees(np.arctan2(*np.abs(vectors[::-1, -1]))) == pytest.approx(result["best"], abs=0.5)


def test_dividing_by_one_deviation_is_a_change_of_rate():
    result = experiment.divided(rates=(0.1,), steps=10, images=200)
    assert result["apart"] < 1e-12
    np.testing.assert_array_equal(result["centred"], result["divided"])


def test_one_hot_says_each_mean_and_numbers_do_not():
    result = experiment.categories()
    np.testing.assert_allclose(result["one-hot"]["said"], result["means"])
    for order in ("Adelie 0, Chinstrap 1, Gentoo 2", "Adelie 0, Gentoo 1, Chinstrap 2"):
        assert np.abs(result[order]["said"] - result["means"]).max() > 100


def test_without_gaps_all_ways_are_one():
    result = experiment.gaps(share=0.0, seeds=2)
    for name in ("rows dropped", "filled with 0", "filled with the median"):
        np.testing.assert_allclose(result[name], result["complete"])
