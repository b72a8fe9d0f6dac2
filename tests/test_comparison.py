"""Fair comparisons: what is chosen, what is reported, what follows; known cases."""

import numpy as np
import pytest

from coursekit.comparison import fair_comparison, judge, one_by_one, power, two_standard_errors
from coursekit.errors import RangeError, ShapeError
from coursekit.experiments._bench import digits, mlp, pool, searched
from coursekit.optimizers import sgd

GRID = {"lr": [0.1, 1.0, 10.0]}


def table(validation, reported):
    """A method whose scores are looked up by rate; the seed is added to what is reported."""

    def run(settings, seeds):
        rows = [GRID["lr"].index(rate) for rate in settings["lr"].tolist()]
        return np.array(validation)[rows], np.array(reported)[rows] + seeds

    return run


def test_validation_chooses_and_other_data_are_reported():
    fair = fair_comparison(
        {"a": table([1.0, 3.0, 2.0], [70.0, 60.0, 90.0]), "b": table([5.0, 4.0, 3.0], [50.0, 80.0, 80.0])},
        {"a": GRID, "b": GRID}, range(4),
    )  # fmt: skip
    assert fair.chosen == {"a": {"lr": 1.0}, "b": {"lr": 0.1}}  # not those with the best reported score
    assert fair.scores("a").tolist() == [60.0, 61.0, 62.0, 63.0]
    assert fair.gain("a", "b").tolist() == [10.0] * 4  # the seed is in both
    assert fair.at_edge == {"a": [], "b": ["lr"]}


def test_smaller_is_better_with_min_and_a_gain_stays_positive():
    methods = {"a": table([1.0, 3.0, 2.0], [0.5] * 3), "b": table([5.0, 4.0, 3.0], [0.75] * 3)}
    fair = fair_comparison(methods, {"a": GRID, "b": GRID}, range(3), mode="min")
    assert fair.chosen == {"a": {"lr": 0.1}, "b": {"lr": 10.0}}
    assert fair.gain("a", "b").tolist() == [0.25] * 3


def test_a_setting_that_diverges_with_one_seed_is_not_chosen():
    def run(settings, seeds):
        scores = np.where((settings["lr"] == 10.0) & (seeds == 2), np.nan, settings["lr"])
        return scores, scores

    for mode, chosen in (("max", 1.0), ("min", 0.1)):
        fair = fair_comparison({"a": run}, {"a": GRID}, range(3), mode=mode)
        assert fair.chosen["a"] == {"lr": chosen}
    with pytest.raises(RangeError, match="a diverged with some seed at each of its 3 settings"):
        fair_comparison({"a": lambda s, k: (k * np.nan, k * np.nan)}, {"a": GRID}, range(3))


def test_all_settings_and_seeds_arrive_in_one_call():
    calls = []

    def run(settings, seeds):
        calls.append((settings, seeds))
        return seeds * 0.0, seeds * 0.0

    fair_comparison({"a": run}, {"a": {"lr": [0.1, 1.0], "width": [4, 8]}}, (3, 5))
    [(settings, seeds)] = calls
    assert list(zip(settings["lr"].tolist(), settings["width"].tolist(), seeds.tolist(), strict=True)) == [
        (lr, width, seed) for lr in (0.1, 1.0) for width in (4, 8) for seed in (3, 5)
    ]


def test_a_method_without_settings_is_called_with_the_seeds_alone():
    fair = fair_comparison({"a": one_by_one(lambda seed: (0.0, float(seed)))}, {"a": {}}, range(3))
    assert fair.chosen == {"a": {}} and fair.scores("a").tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "changed, error, message",
    [
        ({"seeds": (1,)}, RangeError, "at least two"),
        ({"seeds": (1, 1)}, RangeError, "all different"),
        ({"arms": {"b": GRID}}, ShapeError, "each method needs its grid"),
        ({"methods": {"a": lambda s, k: (k[:2], k)}}, ShapeError, r"expected two of \(9,\)"),
        ({"mode": "best"}, Exception, "mode"),
    ],
)
def test_bad_arguments_are_named(changed, error, message):
    usual = {"methods": {"a": table([1.0, 2.0, 3.0], [1.0] * 3)}, "arms": {"a": GRID}, "seeds": range(3)}
    with pytest.raises(error, match=message):
        fair_comparison(**usual | changed)


def test_two_standard_errors_cover_the_mean_about_19_times_in_20():
    samples = np.random.default_rng(0).normal(size=(2000, 30))
    inside = np.mean([abs(row.mean()) < two_standard_errors(row) for row in samples])
    assert 0.93 < inside < 0.96


def test_power_is_what_a_simulation_of_the_whole_judgement_gives():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=10)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    seen = np.mean([judge(rng.normal(0.9, 1.0, 10), effect=0.9)[0] == "holds" for _ in range(400)])
    assert power(noise, 0.9) == pytest.approx(seen, abs=0.06)
    assert power(noise, 0.0) < 0.06


@pytest.mark.parametrize(
    "mean, effect, at_least, verdict",
    [
        (1.0, 1.0, 0.0, "holds"),
        (1.0, 1.5, 0.9, "cannot tell"),
        (0.1, 1.0, 0.5, "does not hold"),
        (0.0, 1.0, 0.0, "does not hold"),
        (0.0, 0.3, 0.0, "cannot tell"),  # an effect of 0.3 would not have been seen
        (0.6, 1.0, 0.5, "cannot tell"),
        (-1.0, 0.1, 0.0, "does not hold"),  # plainly the other way round, whatever was claimed
        (np.nan, 1.0, 0.0, "cannot tell"),
    ],
)
def test_verdicts(mean, effect, at_least, verdict):
    noise = np.tile([0.5, -0.5], 5)  # two standard errors: 0.33
    found, numbers = judge(noise + mean, effect, at_least)
    assert found == verdict
    assert numbers["2 SE"] == pytest.approx(1 / 3, abs=1e-9) or np.isnan(mean)


def test_an_effect_below_what_is_asked_for_is_an_error():
    with pytest.raises(RangeError, match="larger than what is asked for"):
        judge([1.0, 2.0], effect=0.5, at_least=1.0)


def test_the_search_of_the_workbench_pairs_seeds_and_keeps_the_parts_apart():
    net, rates = mlp([64, 16, 10]), np.array([0.1, 0.1, 1e-9, 1e-9], np.float32)
    settings = {"images": 200, "held_out": 100, "steps": 40, "batch_size": 20}
    found = searched(net, *pool(digits()), sgd(rates), np.array([0, 1, 0, 1]), **settings)
    again = searched(net, *pool(digits()), sgd(rates[:1]), np.array([0]), **settings)
    assert found["test"]["loss"][0] == pytest.approx(again["test"]["loss"][0], rel=1e-4)  # alone as in company
    assert found["test"]["loss"][0] != pytest.approx(found["test"]["loss"][1], rel=1e-4)
    assert (found["validation"]["accuracy"][:2] > 0.5).all() and (found["test"]["accuracy"][2:] < 0.4).all()
    assert (found["last"][:2] < found["last"][2:]).all()
