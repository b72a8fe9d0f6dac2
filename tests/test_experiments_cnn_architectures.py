"""What chapter 13 says about its experiments."""

import numpy as np
import pytest

from coursekit import data, zoo
from coursekit.data import weights
from coursekit.errors import RangeError
from coursekit.experiments import cnn_architectures as experiment
from coursekit.experiments.recipes import lenet5 as recipe
from coursekit.explorers import cnn_architectures as explore
from coursekit.layers import Conv2d, Dense, Flatten, MaxPool2d
from coursekit.model import Sequential
from coursekit.plotting import cnn_architectures as plot


@pytest.fixture(scope="module")
def curves():
    c = experiment.accuracy_when_moved()
    return {name: dict(zip(c["right"].tolist(), c[name].tolist(), strict=True)) for name in experiment.NETS}


def test_the_shipped_networks_read_the_sample_as_their_records_say():
    mnist = data.mnist()
    for name, key in experiment.NETS.items():
        right = (experiment.scores(name, mnist.x_test).argmax(axis=1) == mnist.y_test).mean()
        assert right == pytest.approx(weights.record(key)["test_accuracy"], abs=0.004)
    assert weights.record("lenet5_mnist")["test_accuracy"] >= 0.989


def test_the_dense_network_has_as_many_params_as_lenet5():
    sizes = [sum(a.size for p in experiment.trained(name)[1].params.values() for a in p.values())
             for name in experiment.NETS]  # fmt: skip
    assert sizes == [61_706, 61_225]


def test_the_recipe_is_seeded_and_reports_what_it_did():
    small = data.mnist()
    small = data.Dataset(small.x_train[:200], small.y_train[:200], small.x_test[:50], small.y_test[:50],
                         small.classes, "a part")  # fmt: skip
    one, _, record = recipe.train("lenet5_mnist", seed=3, epochs=1, mnist=small)
    again, _, _ = recipe.train("lenet5_mnist", seed=3, epochs=1, mnist=small)
    other, _, _ = recipe.train("lenet5_mnist", seed=4, epochs=1, mnist=small)
    np.testing.assert_array_equal(one["dense_7"]["w"], again["dense_7"]["w"])
    assert not np.array_equal(one["dense_7"]["w"], other["dense_7"]["w"])
    assert record["test_errors"] == round(50 * (1 - record["test_accuracy"]))
    assert (record["seed"], record["epochs"]) == (3, 1)


def test_moving_is_by_whole_pixels_and_fills_with_black():
    image = np.arange(1.0, 13).reshape(3, 4)
    np.testing.assert_array_equal(experiment.moved(image, 1), [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]])
    np.testing.assert_array_equal(experiment.moved(image, -2, 1), [[0, 0, 0, 0], [3, 4, 0, 0], [7, 8, 0, 0]])
    np.testing.assert_array_equal(experiment.moved(image), image)


def test_small_shifts_part_the_networks_and_large_ones_defeat_both(curves):
    lenet, mlp = curves["LeNet-5"], curves["MLP"]
    assert lenet[0] > 0.98 and mlp[0] > 0.95  # "about 99 of 100"
    assert lenet[3] > 0.8 and mlp[3] < 0.65
    assert 0.28 < lenet[6] < 0.4  # "about a third"
    assert 0.13 < mlp[6] < 0.2  # "about one in six"


def test_six_pixels_cost_about_two_percent_of_the_ink():
    x = data.mnist().x_test[:200]
    assert 0.97 < experiment.moved(x, 6).sum() / x.sum() < 0.985


def test_the_default_picture_is_one_that_only_lenet5_reads():
    result = explore.shift.results()
    answers = {name: int(p.argmax()) for name, p in result["probabilities"].items()}
    assert answers["LeNet-5"] == result["digit"] != answers["MLP"]
    for p in result["probabilities"].values():
        assert p.sum() == pytest.approx(1)


def test_maps_move_along_exactly_where_the_step_divides_the_shift():
    for row in experiment.equivariance().values():
        for right in (1, 2, 3, 4):
            assert (row[right] is None) == bool(right % row["step"])
            assert row[right] is None or row[right] < 1e-6


def test_maps_do_not_move_along_between_the_steps():
    net, w = experiment.trained("LeNet-5")
    image = experiment.one_of_each()[6][None, None]
    before = net.activations(w.params, w.state, image)["maxpool2d_5"]
    after = net.activations(w.params, w.state, experiment.moved(image, 2))["maxpool2d_5"]
    for k in (0, 1):
        assert np.abs(after[..., k:] - before[..., : 5 - k]).max() > 0.1 * before.max()


@pytest.mark.parametrize("stage", experiment.STAGES)
def test_feature_maps_have_the_shapes_of_the_ledger_and_the_right_answer(stage):
    rows = {row.name: row.output for row in zoo.cost(zoo.lenet5(), (1, 28, 28)).rows}
    for digit in range(10):
        result = experiment.feature_maps(digit, stage)
        assert result["maps"].shape == rows[experiment.STAGES[stage]]
        assert result["answer"] == digit


def test_an_unknown_stage_is_refused():
    with pytest.raises(RangeError, match="stage is 'pooling 3', but must be one of 'convolution 1'"):
        experiment.feature_maps(7, "pooling 3")


def test_later_stages_are_easier_to_read_for_a_linear_layer():
    shares = list(experiment.probe().values())
    assert shares[0] < shares[1] < shares[3] < shares[5]
    assert shares[0] < 0.82 and shares[-1] > 0.97


def test_the_kernels_of_the_first_layer_make_its_maps():
    result = experiment.first_filters()
    _, w = experiment.trained("LeNet-5")
    x = np.pad(result["image"], 2)
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5))
    maps = np.einsum("hwij,fij->fhw", windows, result["kernels"]) + w.params["conv2d_0"]["b"][:, None, None]
    np.testing.assert_allclose(result["maps"], np.maximum(maps, 0), atol=1e-4)


def test_the_misread_digits_are_misread():
    result = experiment.misread()
    assert result["of"] == 2000 and 8 < result["wrong"] < 24
    np.testing.assert_array_equal(experiment.scores("LeNet-5", result["images"]).argmax(axis=1), result["answers"])
    assert (result["answers"] != result["labels"]).all()


def test_lenet5_of_1998_has_the_papers_counts():
    rows = experiment.lenet5_of_1998()
    assert [row["params"] for row in rows] == [156, 12, 1516, 32, 48120, 10164, 0]
    assert [row["connections"] for row in rows] == [122304, 5880, 151600, 2000, 48120, 10164, 840]
    assert sum(row["params"] for row in rows) == 60_000
    assert sum(row["connections"] for row in rows) == 340_908


def test_c3_sees_three_four_or_six_maps_each_once():
    assert [len(maps) for maps in experiment.C3_SEES] == [3] * 6 + [4] * 9 + [6]
    assert len(set(experiment.C3_SEES)) == 16
    counts = np.bincount([m for maps in experiment.C3_SEES for m in maps])
    assert (counts == 10).all()  # every map of S2 feeds ten


@pytest.mark.parametrize("name", experiment.VARIANTS)
def test_variants_train_and_take_the_digits(name):
    run = experiment.variant(name, examples=200, epochs=1)
    assert len(run["loss"]) == 4 and np.isfinite(run["loss"]).all()


def test_the_variants_are_what_their_names_say():
    kinds = {name: [type(layer).__name__ for layer in make().layers] for name, make in experiment.VARIANTS.items()}
    assert experiment.VARIANTS["today"]() == zoo.lenet5()
    assert "ReLU" not in kinds["tanh"] and kinds["tanh"].count("Tanh") == 4
    assert kinds["mean pool"].count("AvgPool2d") == 2 and kinds["LRN"].count("LocalResponseNorm") == 2
    assert experiment.VARIANTS["overlapping pool"]().layers[2].size == (3, 3)


def test_todays_parts_gain_a_point_or_two_and_the_plan_does_the_rest():
    right = {
        name: [experiment.variant(name, epochs=1, seed=seed)["test_accuracy"] for seed in range(3)]
        for name in ("today", "tanh", "mean pool")
    }
    for name in ("tanh", "mean pool"):
        assert 0 < np.mean(right["today"]) - np.mean(right[name]) < 0.035
        assert min(right[name]) > 0.9


def test_steps_until_counts_from_one_and_says_never():
    assert experiment.steps_until(np.array([3.0, 2, 1, 0]), 1.6, window=2) == 3
    assert experiment.steps_until(np.ones(4), 0.5, window=2) == 5


def test_alexnet_is_split_in_layers_2_4_and_5():
    tables = experiment.who_sees_whom()
    assert [bool(table.all()) for table in tables] == [True, False, True, False, False]
    for table in (tables[1], tables[3], tables[4]):
        f, c = table.shape
        halves = np.kron(np.eye(2, dtype=bool), np.ones((f // 2, c // 2), dtype=bool))
        np.testing.assert_array_equal(table, halves)


def test_published_counts():
    alexnet = zoo.cost(zoo.alexnet(), (3, 227, 227))
    assert alexnet.params == 60_965_224
    assert zoo.cost(experiment.single_tower(zoo.alexnet()), (3, 227, 227)).params == 62_378_344
    assert zoo.cost(zoo.vgg16(), (3, 224, 224)).params == 138_357_544
    later = Sequential(
        [
            *(Conv2d(3, 64, 11, 4, 2), MaxPool2d(3, 2), Conv2d(64, 192, 5, 1, 2), MaxPool2d(3, 2)),
            *(Conv2d(192, 384, 3, 1, 1), Conv2d(384, 256, 3, 1, 1), Conv2d(256, 256, 3, 1, 1), MaxPool2d(3, 2)),
            *(Flatten(), Dense(9216, 4096), Dense(4096, 4096), Dense(4096, 1000)),
        ]
    )
    assert round(zoo.cost(later, (3, 224, 224)).params / 1e6) == 61


@pytest.mark.parametrize("name, image", [("lenet5", (1, 28, 28)), ("alexnet", (3, 227, 227)), ("vgg16", (3, 224, 224))])
def test_params_are_in_dense_layers_and_work_in_convolutions(name, image):
    net = getattr(zoo, name)()
    parts = experiment.costs(net, image)
    book = zoo.cost(net, image)
    for what in ("params", "multiply_adds"):
        assert sum(part[what] for part in parts.values()) == getattr(book, what)
    assert parts["dense layers"]["params"] > 0.85 * book.params
    assert parts["convolutions"]["multiply_adds"] > 0.85 * book.multiply_adds


def test_lrn_holds_down_large_responses_only():
    small, middle, large = (experiment.lrn(scale)["factor"] for scale in (1, 30, 300))
    np.testing.assert_allclose(small, 2**-0.75, rtol=1e-3)
    assert middle.min() < 0.98 * middle.max()
    assert large.min() < 0.3 * large.max()


@pytest.mark.parametrize("size", [3, 5, 7, 9, 11])
def test_a_stack_sees_what_one_large_kernel_sees(size):
    result = experiment.stacked(size, 64)
    assert result["field"] == size
    for field in (result["field_one"], result["field_stack"]):
        rows, columns = np.nonzero(field)
        assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == size
    assert result["params_one"] == 64 * (64 * size**2 + 1)
    assert result["params_stack"] == (size - 1) // 2 * 64 * (64 * 9 + 1)


def test_the_stack_saves_with_equal_channels_and_not_from_three():
    assert round(100 * (experiment.stacked(7)["params_one"] / experiment.stacked(7)["params_stack"] - 1)) == 81
    first = experiment.stacked(7, 3)
    assert first["params_stack"] / first["params_one"] == pytest.approx(8, abs=0.1)  # "about eight times as many"


def test_the_stack_looks_mostly_at_the_middle():
    result = experiment.stacked(11, 64)
    edge = {name: result[name][1, 1:12].mean() / result[name][5:8, 5:8].mean() for name in ("field_one", "field_stack")}
    assert edge["field_one"] > 0.7 and edge["field_stack"] < 0.3


def test_pytorch_makes_the_same_steps():
    timed = experiment.against_pytorch(turns=2, steps=3)
    assert timed["difference"] < 1e-4
    assert timed["ratio"] == pytest.approx(np.median(timed["ours"] / timed["theirs"]))
    assert 0.1 < timed["ratio"] < 10


@pytest.mark.parametrize("name", ["shift", "feature_maps", "stacked"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    some = explorer.grid()[:: max(1, len(explorer.grid()) // 8)]
    assert len({explorer.alt(**settings) for settings in some}) == len(some)


def test_the_ledgers_of_the_chapter_read_weights_that_are_in_the_quiz():
    rows = {row.name: row.params for row in zoo.cost(zoo.alexnet(), (3, 227, 227)).rows}
    assert rows["conv2d_4"] - 256 == 307_200
    vgg = {row.name: row.params for row in zoo.cost(zoo.vgg16(), (3, 224, 224)).rows}
    assert round(vgg["dense_32"] / 1e6) == 103 and vgg["dense_32"] > 40 * vgg["conv2d_28"]


def test_figures_of_the_chapter_have_alternative_text():
    book = zoo.cost(zoo.lenet5(), (1, 28, 28))
    figures = [
        plot.accuracy_when_moved(experiment.accuracy_when_moved(), only=3),
        plot.network_plan(book),
        plot.first_filters(experiment.first_filters()),
        plot.misread(experiment.misread()),
        plot.c3_table(experiment.C3_SEES),
        plot.connections(experiment.who_sees_whom()),
        plot.lrn([experiment.lrn(scale) for scale in (1, 300)]),
        plot.costs({"LeNet-5": experiment.costs(zoo.lenet5(), (1, 28, 28))}),
    ]
    assert all(len(fig.alt) > 30 for fig in figures)


def test_a_variant_at_a_rate_is_the_variant_and_is_judged_on_other_training_digits_too():
    chosen, reported = experiment.variant_at("today", 4e-3, seed=1, examples=300, epochs=1)
    run = experiment.variant("today", examples=300, epochs=1, lr=4e-3, seed=1)
    assert reported == pytest.approx(run["test_accuracy"], abs=1e-6) and 0.2 < chosen < 1 and chosen != reported
