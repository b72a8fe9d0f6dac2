"""What chapter 10 says about its experiments."""

import numpy as np
import pytest

from coursekit import search
from coursekit.errors import RangeError
from coursekit.experiments import hyperparameter_search as experiment
from coursekit.explorers import hyperparameter_search as explore
from coursekit.plotting import hyperparameter_search as plot


def test_training_side_by_side_is_training_one_after_the_other():
    x, y = experiment.shuffled_digits()
    settings = [
        {"lr": 0.3, "l2": 0.01, "momentum": 0.5, "gain": 2.0},
        {"lr": 1e3, "l2": 0.9, "momentum": 0.9, "gain": 9.0},
        {"lr": 0.05, "l2": 0.0, "momentum": 0.9, "gain": 0.3},
    ]
    together = experiment.scores(experiment.train_all(settings, x[:60], y[:60], steps=15, seed=3), x[:20])
    for i in (0, 2):
        alone = experiment.scores(experiment.train_all([settings[i]], x[:60], y[:60], steps=15, seed=3), x[:20])
        np.testing.assert_allclose(together[i], alone[0], rtol=1e-9)
    assert not np.allclose(together[0], together[2])


def test_every_setting_changes_what_is_learnt():
    x, y = experiment.shuffled_digits()
    usual = {"lr": 0.3, "l2": 0.01, "momentum": 0.5, "gain": 1.0}
    settings = [usual] + [usual | {name: value * 1.3} for name, value in usual.items()]
    scores = experiment.scores(experiment.train_all(settings, x[:60], y[:60], steps=15), x[:20])
    for other in scores[1:]:
        assert np.abs(other - scores[0]).max() > 1e-3


def test_the_l2_penalty_is_that_of_the_library():
    x, y = experiment.shuffled_digits()
    weak, strong = (
        experiment.train_all([{"lr": 0.3, "l2": l2}], x[:60], y[:60], steps=30, hidden=0)["params"]["dense_0"]["w"]
        for l2 in (0.0, 0.3)
    )
    assert np.abs(strong).sum() < 0.5 * np.abs(weak).sum()


def test_one_network_alone_is_not_lucky_and_the_best_of_many_is():
    one, many = (experiment.optimism(tried, 50) for tried in (1, 100))
    assert abs(one["chosen"].mean() - one["fresh"].mean()) < 0.01
    assert 0.91 < many["chosen"].mean() < 0.925  # the prediction's right answer, about 92 %
    assert 0.85 < many["average"] < 0.87  # and its "about 86 %"
    assert many["chosen"].mean() - many["fresh"].mean() > 0.04
    assert many["chosen"].mean() - many["average"] < np.sqrt(np.log(100) / 100)  # eq-10-luck


def test_the_best_of_many_is_lucky_together():
    right = experiment.candidates()
    errors = right - right.mean(axis=1, keepdims=True)
    together = errors.mean(axis=0).var() / (errors**2).mean()  # 0.01 if the hundred erred independently
    assert together > 0.3


def test_luck_falls_with_more_images_and_grows_with_more_networks():
    gap = {
        key: (run := experiment.optimism(*key))["chosen"].mean() - run["fresh"].mean()
        for key in ((100, 20), (100, 200), (100, 1000), (5, 20))
    }
    assert gap[100, 20] > gap[100, 200] > gap[100, 1000] > 0
    assert gap[100, 20] > gap[5, 20]


def test_the_images_that_chose_are_not_among_the_fresh_ones():
    right = experiment.candidates()
    run = experiment.optimism(1, right.shape[1] - 1)
    # One image is left: its accuracy is 0 or 1, and both together give the whole.
    assert set(np.unique(run["fresh"])) <= {0.0, 1.0}
    total = run["chosen"] * (right.shape[1] - 1) + run["fresh"]
    assert all(np.isclose(total[:, None], right.sum(axis=1)).any(axis=1))


def test_between_10_and_30_percent_held_out_it_hardly_matters_and_the_ends_lose():
    run = experiment.held_out()
    fresh = dict(zip(run["shares"], run["fresh"].mean(axis=1), strict=True))
    middle = [fresh[0.1], fresh[0.2], fresh[0.3]]
    assert max(middle) - min(middle) < 0.03
    assert fresh[0.7] < min(middle) - 0.08
    gap = dict(zip(run["shares"], (run["reported"] - run["fresh"]).mean(axis=1), strict=True))
    assert gap[0.05] > gap[0.2] > 0.02


def test_five_folds_scatter_about_half_as_much_as_one_split():
    run = experiment.folds_or_split()
    assert 0.3 < run["folds"].std() / run["split"].std() < 0.6
    assert abs(run["folds"].mean() - run["fresh"].mean()) < 0.02


def test_random_search_wins_where_one_setting_matters_and_loses_where_all_do():
    few, all_four = (experiment.best_found(k, 3) for k in (1, 4))
    assert few["random"].mean() > 0.95 > 0.7 > few["grid"].mean()
    assert all_four["random"].mean() < 0.9 * all_four["grid"].mean()  # the prediction's right answer
    ends = experiment.best_found(4, 3, middle=False)
    assert ends["grid"].mean() < 0.5 * ends["random"].mean()


def test_the_grids_best_is_the_best_of_all_its_points():
    run = experiment.best_found(2, 4, dims=3, repeats=1, seed=5)
    peak = run["peak"]
    assert run["grid_points"].shape == (16, 2) and run["trials"] == 64
    scores = np.exp(-((run["grid_points"] - peak[:2]) ** 2).sum(axis=1) / (2 * run["width"] ** 2))
    assert run["grid"][0] == pytest.approx(scores.max())


def test_a_grid_of_81_trials_has_3_values_of_a_setting_and_random_search_81():
    run = experiment.best_found(1, 3)  # the prediction's right answer
    assert len(np.unique(run["grid_points"][:, 0])) == 3
    assert len(np.unique(run["random_points"][:, 0])) == 81 == run["trials"]


def test_no_setting_or_a_fraction_of_one_cannot_matter():
    with pytest.raises(RangeError, match="important"):
        experiment.best_found(0)


def test_the_grid_was_lucky_with_the_real_network():
    here, moved = (experiment.network_search(shift=shift) for shift in (0, 0.5))
    assert here["grid"]["best"]["lr"] == pytest.approx(1.0)
    assert abs(here["grid"]["chosen"][1] - here["random"]["chosen"][1]) < 0.03
    assert moved["grid"]["chosen"][1] < moved["random"]["chosen"][1] - 0.1
    assert len(here["random"]["validation"]) == len(here["grid"]["validation"]) == 81


def test_uniform_draws_are_in_the_last_decade_and_log_uniform_ones_everywhere():
    run = experiment.decades(100_000)
    assert run["uniform"].sum() == run["log"].sum() == 100_000
    assert run["uniform"][-1] / 1e5 == pytest.approx(0.9, abs=0.01)
    assert run["uniform"][:3].sum() / 100 == pytest.approx(1, abs=0.4)  # of 1,000: the prediction's right answer
    np.testing.assert_allclose(run["log"] / 1e5, 1 / 6, atol=0.01)


def test_numbers_find_nothing_and_exponents_do():
    number, exponent = (experiment.rounds(scale, 20, 4)["accuracy"].max() for scale in ("uniform", "log"))
    assert number < 0.2 < 0.9 < exponent


def test_too_few_a_round_lose_against_all_at_once():
    def mean(trials, shown):
        return np.mean([experiment.rounds("log", trials, shown, seed=s)["accuracy"].max() for s in range(60)])

    assert mean(4, 4) < mean(16, 1) - 0.02
    assert mean(20, 4) > mean(80, 1)


def test_rounds_shrink_and_stay_inside():
    run = experiment.rounds("log", 10, 4)
    width = np.log10(run["high"] / run["low"])
    np.testing.assert_allclose(width[1:] / width[:-1], 0.4)
    assert (run["low"] >= 1e-3 * (1 - 1e-9)).all() and (run["high"] <= 1e3 * (1 + 1e-9)).all()
    for k in range(4):
        for i, name in enumerate(("lr", "l2")):
            assert (run[name][k] >= run["low"][k, i] - 1e-12).all() and (run[name][k] <= run["high"][k, i]).all()
    assert len(run["accuracy"]) == 4


def test_the_next_range_holds_the_best_so_far():
    for trials in (4, 10):
        run = experiment.rounds("log", trials, 4, seed=4)
        for k in range(1, 4):
            seen = run["accuracy"][:k]
            best = np.unravel_index(seen.argmax(), seen.shape)
            for i, name in enumerate(("lr", "l2")):
                value = run[name][best]
                assert run["low"][k, i] <= value * (1 + 1e-9) and value <= run["high"][k, i] * (1 + 1e-9)


def test_the_map_gives_the_trained_networks_at_its_points_and_values_between_elsewhere():
    surface = experiment.accuracy_map()
    rows = search.grid(experiment.MAP_SPACE, points=len(surface))
    assert surface.size == 361  # as the chapter says
    np.testing.assert_allclose(experiment.look_up(rows, surface), surface.ravel(), atol=1e-9)
    between = experiment.look_up([{"lr": 10 ** (-1 / 6), "l2": 1e-3}], surface)[0]
    low, high = sorted((surface[8, 0], surface[9, 0]))
    assert low <= between <= high


def test_halving_spends_a_ninth_and_ends_among_the_best():
    run = experiment.halving()
    assert run["curve"].shape == (32, 32)
    assert (run["cost"], run["full"]) == (112, 1024)
    assert sorted(run["stopped"]) == [1] * 16 + [2] * 8 + [4] * 4 + [8] * 2 + [16, 32]
    assert run["stopped"][run["winner"]] == 32
    last = np.where(np.isfinite(run["curve"][-1]), run["curve"][-1], np.inf)
    assert (last < last[run["winner"]]).sum() < 4


def test_halving_stops_the_worse_half():
    run = experiment.halving()
    first = np.where(np.isfinite(run["curve"][0]), run["curve"][0], np.inf)
    assert first[run["stopped"] > 1].max() <= first[run["stopped"] == 1].min()


def test_a_score_is_a_validation_loss_and_100_where_training_diverged():
    assert experiment.score({"lr": 0.5, "l2": 1e-4}) < 0.6
    assert experiment.score({"lr": 1e3, "l2": 1.0, "momentum": 0.9, "gain": 10.0}) == 100


@pytest.mark.parametrize(
    "run",
    [
        experiment.optimism,
        experiment.best_found,
        experiment.network_search,
        experiment.rounds,
        experiment.decades,
        experiment.halving,
    ],
)
def test_the_seed_decides_everything(run):
    def flat(value):
        if isinstance(value, dict):
            return np.concatenate([flat(part) for part in value.values()])
        if isinstance(value, str):
            return np.zeros(0)
        return np.asarray(value, float).ravel()

    np.testing.assert_array_equal(flat(run()), flat(run()))
    assert not np.array_equal(flat(run()), flat(run(seed=1)))


@pytest.mark.parametrize("name", ["optimism", "budgets", "rounds"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    texts = [explorer.describe(explorer.results(**settings)) for settings in explorer.grid()]
    assert len(set(texts)) == len(texts)


def test_predictions_know_their_answers():
    asked = [explore.predict_few, explore.predict_all, explore.predict_uniform]
    assert [p.answer for p in asked] == ["Grid 3, random 81", "The grid", "About 1"]
    best = explore.predict_best.answer
    assert best.y[0] == pytest.approx(86, abs=1) and best.y[-1] == pytest.approx(92, abs=1)


def test_the_numbers_of_the_quiz_are_right():
    assert (1000 - 100) / (1000 - 0.001) == pytest.approx(0.9, abs=1e-5)
    assert 3**10 == 59049 and 4**3 == 64


def test_the_figure_of_the_search_history_falls():
    fig = plot.history({"random": np.array([3.0, 1.0, np.nan, 2.0]), "Optuna": np.array([2.0, 2.5, 0.5, 0.4])})
    best = fig.axes[0].lines[0].get_ydata()
    assert list(best) == [3, 1, 1, 1]
    assert "Optuna 0.400" in fig.alt


def test_a_search_that_learns_never_repeats_a_setting_and_beats_random_draws():
    for method in experiment.SEARCHES:
        x = experiment.model_search(method, 12, seed=1)["x"]
        assert len(set(x)) == 12 and (x[:3] == experiment.model_search("random", 3, seed=1)["x"]).all()
    process, random = (experiment.best_after(name, 8, range(20)).mean() for name in ("Gaussian process", "random"))
    assert process < random - 0.1


def test_the_scaled_parametrization_is_the_usual_one_at_the_first_width():
    usual, scaled = (experiment.across_width(s, widths=(8, 16), rates=(0.01, 0.02, 0.04), steps=25) for s in (0, 1))
    np.testing.assert_array_equal(usual["ends"][8], scaled["ends"][8])
    assert (usual["ends"][16] != scaled["ends"][16]).all()
    assert "best rates" in plot.across_width([usual, scaled]).alt


def test_hoeffdings_bound_is_kept_and_the_chance_is_that_of_coins():
    one = experiment.misses(0.8, 50)
    assert (one["chance"] <= one["bound"] + 1e-12).all() and 0.5 < one["chance"][0] < 0.7
    coins = np.random.default_rng(0).binomial(50, 0.8, 100_000) / 50
    for by in (0.05, 0.1):
        at = np.abs(one["t"] - by).argmin()
        assert one["chance"][at] == pytest.approx(np.mean(coins >= 0.8 + one["t"][at] - 1e-12), abs=0.006)


def test_the_best_of_many_is_lucky_within_the_bound():
    many = experiment.luck(counts=(1, 10, 100))
    assert abs(many["coins"][0]) < 0.005 and abs(many["networks"][0]) < 0.01
    assert (np.diff(many["coins"]) > 0).all() and (many["coins"][1:] < many["bound"][1:]).all()
    assert (many["networks"][1:] < many["coins"][1:]).all()
