"""What chapter 08 says about its experiments."""

import numpy as np
import pytest

from coursekit.diagnostics import dead_units
from coursekit.errors import RangeError
from coursekit.experiments import learning_rate_and_batch_size as experiment
from coursekit.experiments._bench import mlp
from coursekit.explorers import learning_rate_and_batch_size as explore
from coursekit.interactive.core import Explorer
from coursekit.optimizers import sgd
from coursekit.plotting import learning_rate_and_batch_size as plot
from coursekit.schedules import constant


def test_runs_side_by_side_are_those_that_are_trained_alone():
    settings = {"sizes": (196, 8, 10), "steps": 12, "batch_size": 16, "every": 5}
    together = experiment.fit(sgd(np.array([0.1, 0.7])), runs=2, **settings)
    for i, rate in enumerate((0.1, 0.7)):
        alone = experiment.fit(sgd(rate), **settings)
        np.testing.assert_allclose(alone["loss"][:, 0], together["loss"][:, i], rtol=1e-9)
        np.testing.assert_allclose(alone["held"][:, 0], together["held"][:, i], rtol=1e-9)
    assert list(alone["at"]) == [5, 10]


def test_the_five_fates_come_in_order():
    fates = [experiment.rate(rate)["fate"] for rate in (0.001, 0.01, 1.0, 1.9, 3.16, 31.6)]
    assert fates[:3] == ["too small", "too small", "good"]
    assert fates[4:] == ["too large", "diverges"]
    others = {"rates": np.array([0.1, 1.0, 10.0]), "end": np.array([2.0, 0.4, 1.0])}
    assert [experiment.fate(3.0, end, 2.4, others) for end in (0.5, 0.9, 1.5, 3.0, np.inf)] == [
        "good", "large", "too large", "diverges", "diverges",
    ]  # fmt: skip
    assert experiment.fate(0.1, 2.0, 2.4, others) == "too small"


def test_the_default_rate_hardly_moves_and_the_best_is_about_1():
    slow = experiment.rate(rate=0.001)
    assert slow["end"] > 0.95 * slow["loss"][:20].mean()
    assert 0.3 < slow["rates"][slow["ends"].argmin()] < 2  # the prediction's right answer
    assert slow["ends"].min() < 0.5


def test_too_large_a_rate_kills_the_units():
    x, *_ = experiment.small_mnist()
    net = mlp((196, 32, 10))
    shares = []
    for rate in (1.0, 3.16, 31.6):
        params = experiment.fit(sgd(rate), (196, 32, 10), steps=150, batch_size=32)["params"]
        shares.append(float(dead_units(net.activations(params, {}, x[:1000])["relu_1"])[0]))
    assert shares[0] < 0.1
    assert shares[1] > 0.5
    assert shares[2] == 1


def test_the_batch_size_moves_the_right_side_of_the_valley_and_not_the_left():
    ends = {size: experiment.train_at([0.1, 1.778], batch_size=size, steps=150) for size in (8, 128)}
    assert abs(ends[8][0] - ends[128][0]) < 0.1
    assert ends[8][1] > 3 * ends[128][1]


def test_0_001_is_far_too_small_for_sgd_and_too_small_for_adam_in_a_short_run():
    for row in experiment.folk_rule():
        assert row["best"] > 5e-3
        assert row["folk"] > (5 if row["optimizer"] != "Adam" else 1.5) * row["loss"]


def test_a_longer_training_wants_a_smaller_rate():
    runs = experiment.budgets()
    best = [run["rates"][run["held"].argmin()] for run in runs.values()]
    assert best[0] > best[1] > best[2]


@pytest.mark.parametrize(("optimizer", "layers"), [("SGD", 1), ("momentum", 3), ("Adam", 3)])
def test_the_range_test_brackets_the_usable_rates(optimizer, layers):
    test = experiment.range_test(optimizer, layers)
    rates = [test["steepest"], test["steepest"] / 100, 10 * test["lowest"]]
    good, small, large = experiment.train_at(rates, optimizer, layers) / test["ends"].min()
    assert good < 1.5
    assert min(small, large) > 2


def test_the_lowest_point_of_the_range_test_may_be_too_large_a_rate():
    test = experiment.range_test("momentum", 3)
    assert experiment.train_at([test["lowest"]], "momentum", 3)[0] > 3 * test["ends"].min()


def test_the_noise_of_a_batch_falls_with_the_root_of_its_size():
    run = experiment.gradient_noise(trained=30, draws=300)
    sizes, ratio = run["sizes"], run["error"] / run["theory"]
    np.testing.assert_allclose(ratio[sizes <= 64], 1, atol=0.1)
    np.testing.assert_allclose(run["error"] / run["corrected"], 1, atol=0.1)
    assert ratio[-1] < 0.6


def test_an_examples_gradient_is_what_a_batch_of_one_gives():
    rows = experiment._example_gradients(0, 0)
    full = experiment.gradient_noise(1, 0)
    spread = np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()) / np.linalg.norm(rows.mean(axis=0))
    assert full["spread"] == pytest.approx(spread)
    assert full["count"] == len(rows) == 1437
    assert np.linalg.matrix_rank(rows[:50]) == 50  # examples differ


def test_training_makes_batches_noisier_relative_to_the_gradient():
    fresh, trained = (experiment.gradient_noise(1, steps) for steps in (0, 300))
    assert trained["spread"] > 3 * fresh["spread"]
    assert fresh["downhill"] > 0.7
    assert abs(trained["downhill"] - 0.5) < 0.15


def test_roughness_falls_with_the_root_of_the_batch_size_and_is_mostly_measuring():
    runs = experiment.roughness()
    scaled = np.array([run["rough"] * size**0.5 for size, run in runs.items()])
    assert scaled.max() / scaled.min() < 1.5
    assert all(run["rough"] > 8 * run["rough_held"] for run in runs.values())


def test_the_floor_is_that_of_the_formula_and_depends_on_rate_over_batch_size():
    for size, curvature in ((1, 1.0), (4, 0.5)):
        run = experiment.noisy_bowl((0.1, 0.3), size, curvature, noise=0.7, steps=300)
        np.testing.assert_allclose(run["floor"], run["theory"], rtol=0.03)
    one, four = experiment.noisy_bowl((0.02,), 1), experiment.noisy_bowl((0.08,), 4)
    assert one["theory"][0] == pytest.approx(four["theory"][0], rel=0.02)
    with pytest.raises(RangeError, match=r"must stay below 2 / curvature = 2"):
        experiment.noisy_bowl((2.0,))


def held(rule, base_rate=0.05, **more):
    return {n: run["held"][-1] for n, run in experiment.scaling(rule, base_rate, **more)["runs"].items()}


def test_at_the_same_rate_updates_count_and_epochs_do_not():
    ends = held("same", 0.1)
    assert ends[8] < ends[32] < ends[128] < ends[512]
    runs = experiment.scaling("same", 0.1)["runs"]
    one = runs[512]["held"][-1]  # after 16 updates
    other = np.interp(16, runs[128]["updates"], runs[128]["held"])
    assert one == pytest.approx(other, abs=0.05)


def test_the_scaled_rates_are_what_the_rule_says():
    rates = {
        rule: [run["rate"] for run in experiment.scaling(rule, 0.02)["runs"].values()] for rule in experiment.RULES
    }
    np.testing.assert_allclose(rates["same"], 0.02)
    np.testing.assert_allclose(rates["square root"], 0.02 * np.array([1, 2, 4, 8]))
    np.testing.assert_allclose(rates["linear"], 0.02 * np.array([1, 4, 16, 64]))
    updates = [len(run["loss"]) for run in experiment.scaling("same", 0.02)["runs"].values()]
    assert updates == [1024, 256, 64, 16]


def test_linear_scaling_holds_up_to_a_limit_and_the_root_lags_behind():
    linear, root = held("linear", 0.02), held("square root", 0.02)
    assert abs(linear[128] / linear[8] - 1) < 0.05
    assert root[128] > 1.5 * root[8]
    assert held("linear", 0.1)[512] > 2 * held("linear", 0.1)[8]


def test_schedules_are_nine_and_start_and_end_where_they_should():
    run = experiment.schedule(rate=0.4)
    assert tuple(run["rates"]) == experiment.SCHEDULES
    for name, rates in run["rates"].items():
        assert rates.max() == pytest.approx(0.4, rel=1e-3)
        assert (rates[-1] < 0.11 * 0.4) == (name != "constant")
    exponential = run["rates"]["exponential"].mean() / 0.4
    assert exponential == pytest.approx(0.2, abs=0.03)  # "about a fifth of the way"


def test_decay_wants_a_larger_rate_and_then_wins_and_loses_at_a_small_one():
    table = experiment.best_of_each(rates=(0.1, 0.2, 0.4, 0.8), seeds=(0, 1))
    decays = [row for name, row in table.items() if name != "constant"]
    assert max(row["loss"] for row in decays) < table["constant"]["loss"]
    assert min(row["rate"] for row in decays) > table["constant"]["rate"]
    assert table["exponential"]["losses"][0] > 1.5 * table["constant"]["losses"][0]


def test_warm_up_rescues_a_fragile_start_and_costs_a_little_at_a_good_one():
    def last(name, gain):
        return np.array([experiment.warm_up(gain=gain, seed=seed)[name][-20:].mean() for seed in range(4)])

    assert (last("with", 2.0) < 0.6).all()
    assert (last("without", 2.0) > 1).sum() >= 3
    assert 0 < last("with", 1.0).mean() - last("without", 1.0).mean() < 0.1


def test_the_longest_step_grows_from_a_fragile_start_and_shrinks_from_a_good_one():
    for seed in range(3):
        fragile, good = (experiment.longest_step(gain=gain, at=(0, 60), seed=seed) for gain in (2.0, 1.0))
        assert fragile[0] < 0.7 < fragile[60]
        assert good[0] > 2 > good[60] > 0.6


def test_a_constant_schedule_is_the_rate_itself():
    settings = {"sizes": (196, 8, 10), "steps": 5, "batch_size": 16}
    np.testing.assert_array_equal(
        experiment.fit(sgd(0.3), **settings)["loss"], experiment.fit(sgd(constant(0.3)), **settings)["loss"]
    )


@pytest.mark.parametrize(
    "run",
    [experiment.rate, experiment.gradient_noise, experiment.noisy_bowl, experiment.schedule, experiment.range_test],
)
def test_the_seed_decides_everything(run):
    def flat(result):
        return [v for value in result.values() for v in (value.values() if isinstance(value, dict) else [value])]

    one, again, other = flat(run()), flat(run()), flat(run(seed=1))
    for value, same in zip(one, again, strict=True):
        np.testing.assert_array_equal(value, same)
    assert any(not np.array_equal(value, different) for value, different in zip(one, other, strict=True))


@pytest.mark.parametrize("name", [name for name, value in vars(explore).items() if isinstance(value, Explorer)])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()[:: max(1, len(explorer.grid()) // 6)]
    assert len({explorer.alt(**settings) for settings in grid}) == len(grid) >= 6
    assert len(explorer.grid()) <= 60


def test_every_figure_of_the_chapter_has_alternative_text():
    figures = (
        plot.noisy_bowl(experiment.noisy_bowl(steps=30, runs=20)),
        plot.roughness(experiment.roughness(steps=20)),
        plot.shapes(experiment.schedule()["rates"]),
        plot.warm_up([experiment.warm_up(steps=30)]),
        plot.adam_warm_up({"pre-norm": [experiment.adam_warm_up("pre-norm", blocks=1, steps=25)]}),
        plot.adam_best_rates({64: [experiment.adam_best_rate(64, examples=256)]}),
    )
    assert all(len(figure.alt) > 40 for figure in figures)


def test_unknown_names_are_refused():
    for call in (
        lambda: experiment.sweep("Nadam"),
        lambda: experiment.scaling("cubic"),
        lambda: experiment.batch_sizes(axis="hours"),
        lambda: experiment.schedule("cubic"),
        lambda: experiment.gradient_noise(3),
    ):
        with pytest.raises(RangeError, match="must be one of"):
            call()


def test_the_schedules_of_the_quiz():
    assert experiment.schedules.cosine(1.0, 10_000)(9) > 0.999
    assert experiment.schedules.cosine(0.4, 1000)(250) == pytest.approx(0.2 * (1 + 2**-0.5))


def test_accumulated_batches_are_one_but_not_with_batch_norm():
    assert experiment.accumulated()["difference"] < 1e-12 < 0.01 < experiment.accumulated()["moved"]
    assert experiment.accumulated(norm=True)["difference"] > 1e-3


def test_an_average_of_weights_removes_the_noise_of_a_large_constant_rate():
    for seed in range(2):
        run = experiment.averages("0.99", 0.8, seed=seed)
        assert run["average"][-1] < 0.9 * run["weights"][-3:].mean()
    short, long = (experiment.averages(decay, 0.4)["average"] for decay in ("0.9", "0.998"))
    assert long[2] > 1.3 * short[2]  # a long memory is late


@pytest.mark.parametrize("rate", ["0.3", "0.4"])
def test_the_sharpness_stops_at_two_over_the_rate_and_a_small_rate_never_gets_there(rate):
    run, small = experiment.edge(rate, seed=1), experiment.edge("0.05", seed=1)
    assert run["sharpness"][0] < 0.9 * run["limit"]
    assert run["sharpness"][-20:].mean() == pytest.approx(run["limit"], rel=0.05)
    assert run["limit"] < small["sharpness"].max() < small["limit"]


def test_warm_up_lets_adam_use_larger_rates():
    with_it, without = (experiment.adam_warm_up(blocks=4, warm=w, rates=(0.01, 0.05), steps=100) for w in (30, 0))
    assert with_it["ends"][1] < without["ends"][1] - 0.5


def test_the_hilly_loss_has_the_slope_and_the_curvatures_that_it_says():
    w, step = np.linspace(-4, 4, 2001), 1e-5
    (up, up_slope), (down, down_slope) = experiment.hilly(w + step), experiment.hilly(w - step)
    np.testing.assert_allclose((up - down) / (2 * step), experiment.hilly(w)[1], atol=1e-8)
    curvature = (up_slope - down_slope) / (2 * step)
    assert -2.001 < curvature.min() < -1.99 and 3.99 < curvature.max() < experiment.STEEPEST + 1e-3


@pytest.mark.parametrize("plan", experiment.ARRIVING)
def test_the_mean_squared_gradient_keeps_below_the_bound_of_the_theorem(plan):
    run = experiment.arrival(plan, at=(50, 3000))
    assert (run["measured"] < run["bound"]).all()
    quiet = experiment.arrival(plan, at=(50, 3000), batch_size=100)
    assert (quiet["measured"] < quiet["bound"]).all() and (quiet["bound"] < run["bound"]).all()


def test_only_the_rates_of_robbins_and_monro_go_on_falling():
    runs = {plan: experiment.arrival(plan)["measured"] for plan in experiment.ARRIVING}
    assert runs["simple"][2] < 0.65 * runs["simple"][1]
    assert runs["constant"][2] > 0.75 * runs["constant"][1] and runs["exponential"][2] > 0.999 * runs["exponential"][1]
    floor = experiment.arrival("constant")["bound"][-1]
    assert floor == pytest.approx(4 * 0.1, rel=0.03)  # the curvature times the rate, at noise 1
    assert runs["constant"][2] > floor / 4  # with a quarter of the curvature the bound would be broken
