"""What chapter 15 says about its experiments."""

import re
import types
from pathlib import Path

import numpy as np
import pytest

from coursekit import data, zoo
from coursekit.activations import softmax
from coursekit.data import weights
from coursekit.errors import RangeError
from coursekit.experiments import transfer_learning as experiment
from coursekit.explorers import transfer_learning as explore
from coursekit.model import accuracy, predict
from coursekit.plotting import transfer_learning as plot

DIGITS, CLOTHES = "digits 0-4 to 5-9", "clothes A to B"


def gain(task, frozen, size):
    """Mean gain of the shipped table in points, and twice its standard error."""
    mean, error = experiment.gains(experiment.table(task))
    place = experiment.FROZEN_NAMES.index(frozen), experiment.SIZES.index(size)
    return 100 * mean[place], 200 * error[place]


def test_halves_share_no_class_and_have_labels_from_0_to_4():
    digits = data.mnist()
    for name, wanted in (("digits 0-4", range(5)), ("digits 5-9", range(5, 10))):
        x, y, _, y_test = experiment.problem(name)
        assert set(y) == set(y_test) == set(range(5))
        assert len(x) == len(y) == np.isin(digits.y_train, list(wanted)).sum()
        np.testing.assert_array_equal(y + wanted[0], digits.y_train[np.isin(digits.y_train, list(wanted))])
        np.testing.assert_allclose(
            x[0, 0, 5, 6], digits.x_train[digits.y_train == y[0] + wanted[0]][0][10:12, 12:14].mean()
        )
    assert set(experiment.HALVES["clothes A"]) | set(experiment.HALVES["clothes B"]) == set(range(10))
    counts = [len(experiment.problem(name)[1]) for name in ("clothes A", "clothes B", "clothes")]
    assert counts[0] + counts[1] == counts[2]


def test_the_clothes_are_those_that_the_chapter_names():
    names = {half: {data.fashion_mnist().classes[c] for c in classes} for half, classes in experiment.HALVES.items()}
    assert names["clothes A"] == {"T-shirt/top", "pullover", "sandal", "sneaker", "bag"}
    assert names["clothes B"] == {"trouser", "dress", "coat", "shirt", "ankle boot"}


@pytest.mark.parametrize("source", experiment.SOURCES)
def test_shipped_weights_read_what_their_record_says(source):
    _, _, x_test, y_test = experiment.problem(source)
    params = experiment.pretrained(source)
    net = experiment.network(params[experiment.HEAD]["w"].shape[1])
    right = accuracy(predict(net, params, {}, x_test), y_test)
    assert right == pytest.approx(weights.record(experiment.SOURCES[source])["test_accuracy"], abs=0.005)
    assert right > (0.8 if source == "clothes" else 0.94)


def test_the_network_is_sure_of_digits_that_it_never_saw():
    _, _, x_test, _ = experiment.problem("digits 5-9")
    p = softmax(predict(experiment.network(5), experiment.pretrained("digits 0-4"), {}, x_test))
    assert p.max(axis=1).mean() > 0.8


def test_nearly_all_of_the_work_is_in_the_body_and_the_head_has_165_numbers():
    ledger = zoo.cost(experiment.network(5), (1, 14, 14))
    assert ledger.rows[-1].params == 165
    assert ledger.rows[-1].multiply_adds < 0.003 * ledger.multiply_adds


def test_changing_what_was_loaded_does_not_change_what_is_loaded_next():
    first = experiment.pretrained("digits 0-4")
    first["dense_7"]["w"][:] = 0
    assert experiment.pretrained("digits 0-4")["dense_7"]["w"].any()


def test_a_start_has_the_sources_body_and_a_small_fresh_head():
    rng = np.random.default_rng(0)
    params, source = experiment.start("clothes", 5, rng), experiment.pretrained("clothes")
    for name in ("conv2d_0", "conv2d_3", "dense_7"):
        np.testing.assert_array_equal(params[name]["w"], source[name]["w"])
    assert params[experiment.HEAD]["w"].shape == (32, 5)
    fresh = experiment.start(None, 5, np.random.default_rng(0))
    assert not np.array_equal(fresh["conv2d_0"]["w"], source["conv2d_0"]["w"])


@pytest.mark.parametrize("frozen", experiment.FROZEN[1:])
def test_frozen_layers_do_not_matter_to_the_source_of_the_rest(frozen, monkeypatch):
    """With the first layers frozen, the accuracy depends on them: another body gives another accuracy."""
    one = experiment.fine_tune("digits 0-4", "digits 5-9", 30, frozen, steps=20)
    assert one == experiment.fine_tune("digits 0-4", "digits 5-9", 30, frozen, steps=20)
    assert one != experiment.fine_tune("clothes", "digits 5-9", 30, frozen, steps=20)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(RangeError, match="frozen is 5"):
        experiment.fine_tune("digits 0-4", "digits 5-9", 10, 5)
    with pytest.raises(RangeError, match=r"clothes B has 1,\d+ training images"):
        experiment.fine_tune(None, "clothes B", 5000)
    with pytest.raises(RangeError, match="task is"):
        experiment.table("digits to letters")
    with pytest.raises(RangeError, match="name is"):
        experiment.problem("letters")


def test_the_table_is_what_its_recipe_gives():
    """One column of it, run again; the rest is `make weights`."""
    result, again = experiment.table(DIGITS), experiment.compare(DIGITS, (30,), (6, 9), seeds=2)
    np.testing.assert_allclose(again["scratch"][0], result["scratch"][1, :2], atol=0.03)
    np.testing.assert_allclose(again["transfer"][:, 0], result["transfer"][2:, 1, :2], atol=0.03)
    assert result["scratch"].shape == (len(experiment.SIZES), weights.record("transfer_table")["seeds"])


def test_fine_tuning_on_digits_gains_with_few_images_and_hardly_with_many():
    for size in (10, 30):
        mean, bar = gain(DIGITS, "none", size)
        assert mean > bar
    assert abs(gain(DIGITS, "none", 100)[0]) < 1.5 and abs(gain(DIGITS, "none", 1000)[0]) < 1.5
    assert gain(DIGITS, "none", 10)[0] > gain(DIGITS, "none", 100)[0]  # the prediction's answer


def test_fine_tuning_on_clothes_does_not_gain_even_with_few_images():
    assert all(mean < max(bar, 0) for mean, bar in (gain(CLOTHES, "none", size) for size in experiment.SIZES))
    assert gain(CLOTHES, "none", 10)[0] < 0


def test_the_gain_of_frozen_features_falls_with_data_on_both():
    for task in (DIGITS, CLOTHES):
        few, some, many = (gain(task, "all but the head", size)[0] for size in (10, 100, 1000))
        assert few > 0 > some > many


def test_the_more_is_frozen_the_lower_the_accuracy_with_much_data():
    for task in (DIGITS, CLOTHES):
        means = [gain(task, name, 1000)[0] for name in experiment.FROZEN_NAMES[1:]]
        assert means == sorted(means, reverse=True)
    assert abs(gain(DIGITS, "convolution 1", 1000)[0]) < 1
    assert -3 < gain(DIGITS, "both convolutions", 1000)[0] < 0


def test_unrelated_features_hurt_when_frozen_and_are_forgiven_when_fine_tuned():
    assert gain("clothes to digits", "all but the head", 1000)[0] < -20
    assert gain("digits to clothes", "all but the head", 1000)[0] < -4
    for task in ("clothes to digits", "digits to clothes"):
        assert abs(gain(task, "none", 1000)[0]) < 2.5


def heads(source, target, n):
    return {cut: experiment.head(source, target, cut, n).mean() for cut in experiment.CUTS}


def test_the_worst_cut_for_digits_is_after_the_dense_layer():
    many = heads("digits 0-4", "digits 5-9", 1000)
    assert min(many, key=many.get) == "dense layer"  # the prediction's answer
    assert many["convolution 2"] > many["pixels"] > many["dense layer"]


def test_a_trained_body_leads_an_untrained_one_most_with_few_images():
    for cut in ("convolution 2", "dense layer"):
        lead = [
            experiment.head("digits 0-4", "digits 5-9", cut, n).mean()
            - experiment.head("untrained", "digits 5-9", cut, n).mean()
            for n in (10, 1000)
        ]
        assert lead[0] > 0.08 and lead[0] > lead[1] > 0


def test_no_cut_of_the_clothes_network_beats_the_pixels_with_much_data():
    many = heads("clothes A", "clothes B", 1000)
    assert max(many, key=many.get) == "pixels"


def test_heads_see_the_same_images_whatever_the_body():
    result = experiment.heads(cut="pixels", n=30)
    for name in ("related", "other", "untrained"):
        np.testing.assert_array_equal(result[name], result["pixels"])


def test_what_is_learnt_for_scaling_comes_from_the_training_rows():
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(3, 2, (50, 4)), rng.normal(9, 5, (20, 4))
    scaled, scaled_test = experiment.unit(x, x_test)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled_test, (x_test - x.mean(axis=0)) / x.std())


def test_a_fast_body_forgets_and_a_slow_one_does_not():
    slow, fast = (experiment.rates(rate, 30) for rate in (0.001, 0.1))
    assert slow["source"][0] == fast["source"][0] > 0.97
    assert slow["source"][-1] > 0.97 and fast["source"][-1] < 0.8
    assert min(slow["target"][-1], fast["target"][-1]) > 0.6


def test_exchanged_ink_and_paper_make_the_network_blind():
    _, _, x_test, y_test = experiment.problem("digits 0-4")
    net, params = experiment.network(5), experiment.pretrained("digits 0-4")
    assert (
        accuracy(predict(net, params, {}, 1 - x_test), y_test)
        < 0.5
        < 0.98
        < accuracy(predict(net, params, {}, x_test), y_test)
    )


@pytest.mark.parametrize(
    "run",
    [
        lambda seed: experiment.rates(0.05, 30, steps=10, seed=seed),
        lambda seed: {"a": experiment.fine_tune(None, "digits 5-9", 10, steps=10, seed=seed)},
    ],
)
def test_the_seed_decides_everything(run):
    one, again, other = run(0), run(0), run(1)
    for name, value in one.items():
        np.testing.assert_array_equal(value, again[name])
    assert any(not np.array_equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("name", ["heads", "table", "rates"])
def test_explorers_say_what_they_show(name):
    explorer = getattr(explore, name)
    grid = explorer.grid()[:: max(1, len(explorer.grid()) // 6)]
    assert len({explorer.alt(**settings) for settings in grid}) == len(grid)


def test_the_explorers_verdict_follows_the_error():
    settings = {"task": DIGITS, "frozen": "all but the head", "size": 1000}
    assert "transfer hurts" in explore.table.alt(**settings)
    assert "transfer helps" in explore.table.alt(**settings | {"frozen": "none", "size": 30})
    assert "no clear difference" in explore.table.alt(**settings | {"frozen": "convolution 1"})


def test_gains_are_drawn_with_their_numbers_in_words():
    result = experiment.table(DIGITS)
    fig = plot.gains([result | {"transfer": result["transfer"][:1]}])
    assert f"{gain(DIGITS, 'none', 10)[0]:+.1f} with 10" in fig.alt


def test_the_sheets_dense_network_shows_negative_transfer(capsys):
    """The sheet says so; its solution is run."""
    sheet = (Path(__file__).parents[1] / "exercises" / "15_transfer_learning.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```{code-cell} ipython3\n(.*?)```", sheet, flags=re.DOTALL))
    passed = types.SimpleNamespace(passed=True)
    exec(code.replace("import check, data", "import data"), {"check": lambda question: passed})
    said = dict(re.findall(r"^(.+?) ([\d.]+)%$", capsys.readouterr().out, flags=re.MULTILINE))
    assert float(said["fine-tuned"]) < float(said["from scratch"]) - 5
    assert float(said["0 to 4 after"]) < float(said["0 to 4 before"])


def test_falling_rates_fall_and_one_rate_is_by_layer_with_the_same_everywhere():
    from coursekit.experiments import layer_rates

    falling = layer_rates.rates("falling rates", 0.1, ["a", "b", "c", "head"])
    assert falling == pytest.approx({"a": 0.1 / 2.6**2, "b": 0.1 / 2.6, "c": 0.1, "head": 0.1})
    assert set(layer_rates.rates("one rate", 0.1, falling).values()) == {0.1}
    assert layer_rates.tuned("one rate", 0.02, 3, steps=20) == pytest.approx(
        experiment.tuned("digits 0-4", "digits 5-9", 30, lr=0.02, steps=20, seed=3, batch_size=30)
    )
