"""What chapter 14 says about its experiments."""

import unicodedata

import numpy as np
import pytest

from coursekit.errors import RangeError
from coursekit.experiments import recurrent_networks as experiment
from coursekit.experiments.latch import latch
from coursekit.explorers import recurrent_networks as explore
from coursekit.gradcheck import numerical_gradient
from coursekit.model import stack_runs
from coursekit.plotting import recurrent_networks as plot
from coursekit.recurrent import rnn_forward


@pytest.fixture(scope="module")
def added():
    return experiment.learn_to_add()


def test_sums_are_sums_of_the_numbers_whose_bits_they_show(rng):
    sums = experiment.additions(rng, 50, 12)
    powers = 2 ** np.arange(12)
    first, second = (sums["x"].transpose(2, 0, 1).astype(int) * powers).sum(axis=-1)
    assert ((sums["y"] * powers).sum(axis=1) + 2**12 * sums["carry"][:, -1] == first + second).all()


def test_a_net_without_memory_gets_at_best_62_percent_of_the_bits(added):
    sums = experiment.additions(np.random.default_rng(0), 20000, 8)
    never_a_carry = sums["x"].sum(axis=-1) % 2
    best = (never_a_carry == sums["y"]).mean()
    assert best == pytest.approx(0.5 + (1 - 2**-8) / 8, abs=0.005)
    assert added["memoryless"]["accuracy"] == pytest.approx(best, abs=0.02)


def test_the_rnn_adds_numbers_five_times_as_long_as_it_was_trained_on(added):
    assert added["RNN"]["accuracy"] > 0.99
    assert added["RNN"]["accuracy_long"] > 0.99
    assert added["memoryless"]["accuracy_long"] < 0.56


def test_one_unit_goes_with_the_carry(added):
    result = added["RNN"]
    assert 0.8 < abs(result["carry_correlation"]) <= 1
    assert result["example"]["h"].shape == (40, 8)


def test_names_on_both_lists_are_left_out_and_the_names_read_aloud_are_new_to_the_net():
    female, male = experiment._names()
    assert not set(female) & set(male)
    assert not (set(female) | set(male)) & set(experiment.READ_ALOUD)


def test_reading_the_whole_name_brings_little_over_its_last_letter():
    result = experiment.names()
    assert (result["accuracy"] > 0.75).all() and (result["last_letter"] > 0.75).all()
    assert abs(result["accuracy"].mean() - result["last_letter"].mean()) < 0.05
    assert {name: len(p) for name, p in result["read"].items()} == {name: len(name) for name in experiment.READ_ALOUD}
    assert result["read"]["christina"][-2] < 0.5 < result["read"]["christina"][-1]


def test_dates_are_written_from_what_was_read(rng):
    x, y, written, iso = experiment.some_dates(rng, 200)
    assert x.shape == (200, 21) and y.shape == (200, 10)
    assert (x[:, 11:] == 0).all()
    for text, day, row in zip(written, iso, y, strict=True):
        number, month, year = text.split()
        assert day == f"{year}-{experiment.MONTHS.index(month) + 1:02}-{int(number):02}"
        assert "".join(experiment.ISO[c] for c in row) == day


def test_the_lstm_rewrites_dates_and_the_rnn_loses_the_day():
    rnn, lstm = experiment.dates("RNN"), experiment.dates("LSTM")
    assert lstm["whole"] > 0.7 > 0.5 > rnn["whole"]
    assert rnn["whole"] < 0.5
    assert rnn["characters"] > 0.8
    assert rnn["places"].argmin() == 9
    assert rnn["places"][3] > rnn["places"][9] + 0.2


def test_the_rnn_beats_naive_on_sunspots_and_an_autoregression_is_as_good():
    rmse = experiment.forecast()["rmse"]
    assert (rmse["RNN"] < 0.75 * rmse["naive"]).all()
    assert rmse["linear"] < 1.1 * rmse["RNN"].mean()


def test_a_growing_series_needs_forecasts_of_the_change():
    values, changes = (experiment.forecast("co2", change=c, season=12)["rmse"] for c in (False, True))
    assert (values["RNN"] > 3 * values["naive"]).all()
    assert (changes["RNN"] < 0.5 * changes["naive"]).all()
    assert changes["naive"] == values["naive"]
    assert 0.8 < changes["RNN"].mean() / changes["season"] < 1


def test_naive_forecasts_are_the_value_before():
    result = experiment.forecast()
    np.testing.assert_array_equal(result["naive"][1:], result["values"][:-1])


def test_the_measured_gradient_is_the_derivative_of_the_last_state():
    result = experiment.gradient_through_time(1.3, steps=6, width=5)
    rng = np.random.default_rng(0)  # the draws of the experiment, in its order
    wh = rng.standard_normal((5, 5))
    wh *= 1.3 / np.abs(np.linalg.eigvals(wh)).max()
    h0 = 0.1 * rng.standard_normal(5)
    x = 0.1 * np.stack([rng.standard_normal(5) for _ in range(6)])
    v = rng.standard_normal(5)

    def loss(h0):
        return rnn_forward(x[None], h0[None], np.eye(5), wh, np.zeros(5))[0][0, -1] @ v

    expected = np.linalg.norm(numerical_gradient(loss, h0)) / np.linalg.norm(v)
    assert result["norm"][-1] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("radius", [0.5, 0.9, 1.1, 2.0])
def test_without_tanh_the_factor_a_step_is_the_radius_and_with_tanh_it_is_less(radius):
    assert experiment.gradient_through_time(radius, "linear")["factor"] == pytest.approx(radius, rel=0.01)
    assert experiment.gradient_through_time(radius, "tanh")["factor"] < radius


def test_with_inputs_of_size_one_a_radius_of_one_and_a_half_still_shrinks():
    factors = [experiment.gradient_through_time(1.5, "tanh", 1.0, seed=s)["factor"] for s in range(5)]
    assert max(factors) < 0.9


def test_the_gradient_of_the_cliff_is_that_of_its_loss():
    result = experiment.cliff(steps=5, points=21)
    far = np.abs(result["weight"] - result["edge"]) > 0.2

    def loss(w):
        last, _ = experiment._self_fed(w, 5, -1.0)
        return ((last - 0.7) ** 2).sum()

    expected = numerical_gradient(loss, result["weight"])
    np.testing.assert_allclose(result["gradient"][far], expected[far], atol=1e-7)


def test_the_loss_falls_off_a_cliff():
    result = experiment.cliff()
    assert (np.diff(result["weight"]) > 0).all()
    left, right = (np.interp(result["edge"] + s, result["weight"], result["loss"]) for s in (-1e-3, 1e-3))
    assert left > 2.5 and right < 0.3
    assert np.abs(result["gradient"]).max() > 1e8


def test_clipping_makes_a_rate_of_three_usable():
    raw, clipped = (experiment.clipping(c) for c in (None, 0.3))
    assert (raw["loss"][-20:].mean(axis=0) > np.log(2)).all()
    assert (clipped["loss"][-20:].mean(axis=0) < 0.05).all()
    assert raw["norm"].max() > 100
    np.testing.assert_array_equal(raw["loss"][0], clipped["loss"][0])


def test_stacks_learn_from_orthogonal_weights_and_not_from_uniform_ones():
    def end(layers, start):
        return experiment.stacked(layers, start)["loss"][-20:].mean(axis=0)

    assert (end(2, "uniform") > 0.6).all() and (end(8, "uniform") > 0.6).all()
    assert (end(1, "orthogonal") < 0.1).all() and (end(2, "orthogonal") < 0.1).all()
    one, two = (experiment.stacked(n)["loss"][:150].mean() for n in (1, 2))
    assert two < one


def test_gradients_through_fresh_cells_stand_in_the_order_of_the_text():
    ends = {name: norm[-1] for name, norm in experiment.gradient_through_cells().items()}
    assert ends["LSTM, bias 0"] < 1e-15 and ends["RNN"] < 1e-15
    assert ends["LSTM, bias 0"] < ends["LSTM, bias 1"] < ends["LSTM, bias 5"]
    assert 1 < ends["LSTM, bias 5"] < 1000


def test_the_first_symbol_is_the_answer_and_the_rest_says_nothing(rng):
    x, y = experiment.delayed_recall(rng, 40, 7, symbols=4)
    assert x.shape == (40, 8, 6)
    assert (x.sum(axis=-1) == 1).all()
    assert (x[:, 0].argmax(axis=-1) == y).all()
    assert (x[:, 1:].argmax(axis=-1) >= 4).all()


def test_only_an_lstm_with_open_forget_gates_learns_a_delay_of_fifty():
    assert (experiment.learn_delay("RNN")["accuracy"] < 0.6).all()
    assert (experiment.learn_delay("LSTM", bias=0.0)["accuracy"] < 0.6).all()
    assert (experiment.learn_delay("LSTM", bias=5.0)["accuracy"] > 0.95).all()


def test_the_plain_rnn_holds_for_200_steps_what_it_learnt_with_short_delays():
    short, long = (experiment.recall("RNN", trained)["recalled"] for trained in (20, 100))
    assert short[200] > 0.95
    assert long[1] > 0.9 and long[10:].max() < 0.6
    assert (experiment.recall("LSTM", 100)["recalled"] > 0.95).all()


def test_the_share_recalled_is_that_of_the_likeliest_symbol():
    result = experiment.recall("GRU", 20, 170, sequences=24)
    surely = (result["right"] > 0.5).mean(axis=0)
    assert (surely <= result["recalled"] + 1e-12).all()
    assert result["at"] == result["recalled"][170]


def test_runs_along_the_run_axis_are_single_runs():
    together = experiment.learn_delay("LSTM", 5, steps=5, seeds=(3, 4))["loss"]
    alone = experiment.learn_delay("LSTM", 5, steps=5, seeds=(3,))["loss"]
    np.testing.assert_allclose(together[:, 0], alone[:, 0], rtol=1e-5)


@pytest.mark.parametrize("source", list(experiment.TEXTS))
def test_the_network_needs_at_least_a_bit_less_than_a_table_of_pairs(source):
    bits = experiment.text_bits(source)
    assert bits["network"] < bits["pairs"] - 1 < bits["guessing"]
    recorded = experiment.weights.record(experiment.TEXTS[source])
    assert bits["network"] == pytest.approx(recorded["test_bits_per_letter"], abs=0.01)
    assert bits["pairs"] == pytest.approx(recorded["bigram_bits_per_letter"], abs=0.01)


def test_pieces_to_learn_from_and_pieces_to_test_on_are_different_and_make_up_the_text():
    _, vocabulary = experiment.writer("char_rnn_korean")
    parts = experiment.pieces("char_rnn_korean", vocabulary)
    numbers = vocabulary.encode(experiment.text_of("char_rnn_korean"))
    assert sum(len(x) for x, _ in parts) == (len(numbers) - 1) // experiment.PIECE
    x, y = parts[2]
    np.testing.assert_array_equal(x[0], numbers[900:1000])
    np.testing.assert_array_equal(y[0], numbers[901:1001])


def test_pairs_are_counted_in_the_part_to_learn_from_alone():
    learn, test = (np.array([[0, 1, 0]]), np.array([[1, 0, 1]])), (np.array([[0]]), np.array([[1]]))
    assert experiment.bigram_bits(learn, test, 2) == pytest.approx(-np.log2(3 / 4))


def test_the_same_draw_writes_the_same_text_and_another_draw_another():
    one, again, other = (experiment.written("Shakespeare", 0.7, seed) for seed in (1, 1, 2))
    assert one["text"] == again["text"] != other["text"]
    assert len(one["text"]) == 420


def test_cold_text_repeats_itself_and_hot_text_misspells():
    cold, mild, hot = (experiment.written("Shakespeare", tau, 1, 1500) for tau in (0.1, 0.6, 1.5))
    distinct = [r["distinct"] for r in (cold, mild, hot)]
    assert distinct[0] < 0.35 < distinct[1] < distinct[2]
    words = experiment._words(cold["text"])[:-1]
    assert distinct[0] == len(set(words)) / len(words)
    assert cold["known"] > 0.97 > hot["known"] + 0.2
    assert mild["known"] > 0.9


def test_korean_letters_come_back_as_blocks():
    result = experiment.written("Korean constitution", 0.3)
    assert result["text"] == unicodedata.normalize("NFC", result["text"])
    assert any("가" <= c <= "힣" for c in result["text"])
    svg = explore.written.picture(source="Korean constitution", temperature=0.3).svg
    assert result["text"].split()[0] in svg


def test_a_picture_of_korean_text_says_nothing_of_missing_glyphs(recwarn):
    explore.written.picture(source="Korean constitution")
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_a_temperature_below_one_sharpens():
    p = experiment.sharpened()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (np.diff(p[:, 0]) < 0).all()
    assert (np.diff(p[:, 1]) > 0).all()


def test_the_numbers_of_quiz_and_predictions_are_right():
    assert 3 * 16 + 16 * 16 + 16 == 320
    assert 1.1**100 == pytest.approx(13781, abs=1)
    assert 0.9**100 == pytest.approx(0.0000266, abs=1e-7)
    assert 0.9**22 == pytest.approx(0.1, abs=0.005)
    second = experiment.sharpened(temperatures=(1.0, 4.0))[:, 1]
    np.testing.assert_allclose(second, [0.245, 0.326], atol=0.005)
    sigmoid = 1 / (1 + np.exp(-np.array([1.0, 5.0])))
    np.testing.assert_allclose(sigmoid, [0.73, 0.993], atol=0.002)


@pytest.mark.parametrize("name", ["gradient", "recall", "written"])
def test_every_explorer_draws_its_corners_and_says_its_numbers(name):
    explorer = getattr(explore, name)
    for settings in (explorer.grid()[0], explorer.grid()[-1]):
        picture = explorer.picture(**settings)
        assert len(picture.svg) < 40_000
        assert any(c.isdigit() for c in picture.alt)


def test_lines_are_cut_to_the_width_of_the_picture():
    lines = plot.lay_out("word " * 40 + "\n\n\n\nend", 30, 8)
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 30


@pytest.mark.parametrize(
    "call",
    [
        lambda: experiment.recall("transformer"),
        lambda: experiment.recall("RNN", 50),
        lambda: experiment.gradient_through_time(activation="relu"),
        lambda: experiment.written("Goethe"),
        lambda: experiment.learn_delay("transformer"),
        lambda: experiment.dates("transformer"),
        lambda: experiment.stacked(1, "zeros"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_known_ones(call):
    with pytest.raises(RangeError):
        call()


def test_start_gives_every_seed_its_own_network():
    net = experiment.Sequential([experiment.RNN(2, 3)])
    params = experiment._start(net, (0, 1))
    one = stack_runs([net.init(np.random.default_rng(1))[0]])
    np.testing.assert_array_equal(params["rnn_0"]["wh"][1], one["rnn_0"]["wh"][0])
    assert not np.array_equal(params["rnn_0"]["wh"][0], params["rnn_0"]["wh"][1])


def test_a_truncated_layer_hands_on_the_state_and_stops_the_gradient():
    from coursekit.experiments.truncation import InPieces
    from coursekit.layers import RNN

    layer, rng = RNN(3, 4), np.random.default_rng(0)
    params, _ = layer.init(rng, dtype=np.float64)
    x, dout = rng.normal(size=(2, 6, 3)), np.zeros((2, 6, 4))
    dout[:, -1] = 1
    out, cache, _ = layer.forward(params, {}, x, training=True)
    dx, grads = layer.backward(dout, cache)
    whole, in_two = InPieces(layer, 6), InPieces(layer, 3)
    for cut in (whole, in_two):
        cut_out, cut_cache, _ = cut.forward(params, {}, x, training=True)
        np.testing.assert_allclose(cut_out, out)
        cut_dx, cut_grads = cut.backward(dout, cut_cache)
        if cut is whole:
            np.testing.assert_allclose(cut_dx, dx)
            np.testing.assert_allclose(cut_grads["wh"], grads["wh"])
    np.testing.assert_allclose(cut_dx[:, 3:], dx[:, 3:])
    assert not cut_dx[:, :3].any()


def test_the_alignment_is_a_weighting_of_what_was_read_and_the_dates_are_right():
    from coursekit.experiments import attention

    for date in attention.WRITTEN_SO:
        result = attention.alignment(date)
        assert result["weights"].shape == (10, 11)
        np.testing.assert_allclose(result["weights"].sum(axis=1), 1)
    assert attention.alignment("7 Mar 1987")["wrote"] == "1987-03-07"
    assert len({explore.alignment.alt(**s) for s in explore.alignment.grid()}) == len(attention.WRITTEN_SO)


def test_a_unit_of_the_lstm_counts_the_letters_of_the_line():
    from coursekit.experiments import cells

    last = len(cells.WORD) - 1
    result = cells.lstm_unit(last)
    np.testing.assert_allclose(result["cells"], result["learnt"])  # nothing held: what the network itself did
    steps = np.diff(result["cells"])
    assert (steps > 0.7).all() and (steps < 1.1).all()  # "about 1 is written at each letter"
    assert result["cell"] == pytest.approx(result["f"] * result["before"] + result["i"] * result["g"])
    assert np.nanmax(np.abs(cells.lstm_unit(last, forget="0")["cells"])) <= 1
    assert np.nanmax(cells.lstm_unit(last, forget="0.5")["cells"]) <= 2
    assert not cells.lstm_unit(last, write="0")["cells"].any()
    assert np.isnan(cells.lstm_unit(2)["cells"]).sum() == last - 2


def test_a_unit_of_the_gru_follows_the_formula_and_the_layer():
    from coursekit.experiments import cells
    from coursekit.recurrent import gru_forward

    reader, last = cells._reader(), len(cells.NAMES[0]) - 1
    for name in cells.NAMES:
        result = cells.gru_unit(last, name)
        padded = [reader["letters"].index(c) for c in name.rjust(reader["longest"])]
        cell = reader["cell"]
        out, _ = gru_forward(reader["table"][padded][None], np.zeros((1, 8)), cell["wx"], cell["wh"], cell["b"])
        np.testing.assert_allclose(result["states"], out[0, -len(name) :, result["unit"]], atol=1e-12)
        assert result["n"] == pytest.approx(np.tanh(result["own"] + result["r"] * result["others"]))
        assert result["state"] == pytest.approx(result["z"] * result["before"] + (1 - result["z"]) * result["n"])
    assert not cells.gru_unit(last, update="1")["states"].any()  # kept for ever: it stays where it began
    held = cells.gru_unit(4, update="0.5")
    assert held["z"] == 0.5 and np.isnan(held["states"]).sum() == last - 4


def test_what_the_text_says_of_the_unit_of_the_gru():
    from coursekit.experiments import cells

    last = len(cells.NAMES[0]) - 1
    assert cells.gru_unit(last, "christina")["woman"] > 0.95 > 0.2 > cells.gru_unit(last, "christian")["woman"]
    assert cells.gru_unit(last, "christian", update="1")["woman"] > 0.5
    assert cells.gru_unit(0)["lean"] > 0 and cells.gru_unit(0)["accuracy"] > 0.75


def test_steps_are_stretched_between_the_powers_of_radius_and_singular_value():
    for matrix in experiment.MATRICES:
        for slope in (0.0, 0.5, 1.0):
            r = experiment.stretched(matrix, slope)
            k = np.arange(1, 11)
            assert (r["most"] <= r["singular"] ** k * (1 + 1e-9)).all()
            assert (r["most"] >= r["radius"] ** k - 1e-6).all()
            assert np.linalg.norm(r["step"], axis=0).max() == pytest.approx(r["singular"], rel=1e-2)
    ordinary, example = (experiment.stretched(m) for m in experiment.MATRICES)
    assert ordinary["singular"] > 1 > ordinary["radius"]
    assert example["radius"] < 1e-6 and example["most"][1] < 1e-12
    assert experiment.stretched("all eigenvalues 0", 0.0)["radius"] == pytest.approx(3)


def test_free_running_goes_on_from_true_text_and_counts_words():
    from coursekit.experiments import free_running

    result = free_running.spelling(4, seed=1)
    assert result["true"] == 1.0 and result["known"].shape == (free_running.PARTS,)
    assert ((0.5 < result["known"]) & (result["known"] < 1)).all()

    class Letters:
        def decode(self, row):
            return "".join(row)

    rows = [list("x the cat zzq y"), list("a the b")]
    assert free_running._known(rows, Letters(), {"the", "cat"}) == pytest.approx(3 / 4)


def test_where_the_chain_is_cut_the_first_symbol_gets_no_gradient():
    from coursekit.experiments import truncation

    assert truncation.first_gradient(11, delay=32) == 0.0
    assert truncation.first_gradient(33, delay=32) > 1e-6


def test_a_latch_keeps_the_side_of_its_start_and_a_weight_below_one_forgets_it():
    kept, forgot = (latch(w, noise=0.0, steps=200) for w in (2.0, 0.9))
    rest = kept["paths"][:, -1]
    assert np.array_equal(np.sign(rest), np.sign(kept["paths"][:, 0]))
    np.testing.assert_allclose(rest, np.tanh(2 * rest), atol=1e-12)
    np.testing.assert_allclose(kept["slope"], 2 / np.cosh(2 * rest) ** 2, atol=1e-12)
    assert np.abs(forgot["paths"][:, -1]).max() < 1e-8
