"""coursekit.search: what is drawn, what is kept, two processes on one study, and bad input."""

import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import layers, model, search
from coursekit.errors import CourseError, DivergedError, DTypeError, NotFiniteError, RangeError, ShapeError
from coursekit.optimizers import sgd

SPACE = {
    "rate": search.log_uniform(1e-3, 1e3),
    "decay": search.uniform(-1.0, 0.5),
    "width": search.whole(3, 7),
    "activation": search.choice("tanh", "relu"),
    "seed": [1, 2, 3],
}


def rng(seed=0):
    return np.random.default_rng(seed)


def inside(row, space=SPACE):
    return (
        space["rate"].low <= row["rate"] <= space["rate"].high
        and space["decay"].low <= row["decay"] <= space["decay"].high
        and space["width"].low <= row["width"] <= space["width"].high
        and row["activation"] in ("tanh", "relu")
        and row["seed"] in (1, 2, 3)
    )


# ------------------------------------------------------------------------------------------------ what is drawn


def test_random_settings_lie_inside_the_space_and_have_the_types_they_should():
    rows = search.random(SPACE, 200, rng())
    assert len(rows) == 200 and all(inside(row) for row in rows)
    assert {type(row["rate"]) for row in rows} == {float} == {type(row["decay"]) for row in rows}
    assert {type(row["width"]) for row in rows} == {int}
    assert {row["width"] for row in rows} == {3, 4, 5, 6, 7}
    assert {row["activation"] for row in rows} == {"tanh", "relu"} and {row["seed"] for row in rows} == {1, 2, 3}


def test_every_decade_of_a_log_uniform_range_is_as_likely_as_any_other():
    rows = search.random({"rate": search.log_uniform(1e-3, 1e3)}, 6000, rng())
    counts, _ = np.histogram(np.log10([row["rate"] for row in rows]), bins=6, range=(-3, 3))
    assert np.abs(counts - 1000).max() < 120  # four standard deviations of a binomial count
    rows = search.random({"x": search.uniform(-2.0, 4.0)}, 6000, rng())
    counts, _ = np.histogram([row["x"] for row in rows], bins=6, range=(-2, 4))
    assert np.abs(counts - 1000).max() < 120


def test_the_same_seed_draws_the_same_settings():
    assert search.random(SPACE, 5, rng(1)) == search.random(SPACE, 5, rng(1)) != search.random(SPACE, 5, rng(2))


def test_a_grid_has_all_combinations():
    rows = search.grid(SPACE, points=4)
    assert len(rows) == 4 * 4 * 4 * 2 * 3 == len({tuple(row.values()) for row in rows})
    assert all(inside(row) for row in rows)
    np.testing.assert_allclose(sorted({row["rate"] for row in rows}), [1e-3, 1e-1, 1e1, 1e3], rtol=1e-12)
    np.testing.assert_allclose(sorted({row["decay"] for row in rows}), [-1, -0.5, 0, 0.5], atol=1e-15)
    assert sorted({row["width"] for row in rows}) == [3, 4, 6, 7]


def test_a_grid_of_one_point_is_the_middle():
    (row,) = search.grid({k: SPACE[k] for k in ("rate", "decay", "width")}, points=1)
    assert row == {"rate": 1.0, "decay": -0.25, "width": 5}


@given(
    st.sampled_from([search.uniform, search.log_uniform, search.whole]),
    st.integers(1, 50),
    st.integers(0, 50),
    st.floats(0, 1),
    st.floats(0.01, 0.99),
)
@settings(max_examples=200, deadline=None)
def test_a_narrowed_range_lies_inside_the_old_one_and_holds_the_value(kind, low, more, position, share):
    whole = kind(low, low + more)
    value = low + position * more
    value = round(value) if kind is search.whole else value
    part = whole.around(value, share)
    assert whole.low <= part.low <= part.high <= whole.high
    assert part.low <= value * (1 + 1e-12) and value <= part.high * (1 + 1e-12)
    if kind is search.uniform:
        np.testing.assert_allclose(part.high - part.low, share * more, atol=1e-12)
    if kind is search.log_uniform:
        np.testing.assert_allclose(part.high / part.low, (whole.high / whole.low) ** share)
    if kind is search.whole:
        assert part.high - part.low <= share * more + 2
    assert whole.low <= part.draw(rng()) <= whole.high


def test_columns_feed_a_run_axis():
    rows = search.random({"lr": search.log_uniform(1e-3, 0.1), "kind": ["a"]}, 4, rng())
    columns = search.columns(rows)
    assert columns["lr"].shape == (4,) and columns["kind"].tolist() == ["a"] * 4
    optimizer, w = sgd(columns["lr"]), np.ones((4, 2))
    new, _ = optimizer.update(w, w, optimizer.init(w))
    np.testing.assert_array_equal(new[:, 0], [1 - row["lr"] for row in rows])


# ------------------------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("mode, best, last", [("min", 1, 3), ("max", 3, 1)])
def test_the_best_trial_is_the_one_with_the_best_score_and_what_diverged_comes_last(mode, best, last):
    def score(row):
        if row["x"] == 5:
            raise DivergedError("training diverged")
        return {4: math.inf, 6: math.nan, 7: -math.inf}.get(row["x"], row["x"])

    trials = search.evaluate(score, [{"x": x} for x in (4, 2, 5, 3, 6, 1, 7)], mode=mode)
    assert [t.settings["x"] for t in trials] == [4, 2, 5, 3, 6, 1, 7]
    assert trials.best.settings == {"x": best} and trials.best.score == best
    assert [t.settings["x"] for t in trials.ranked[:3]] == [best, 2, last]
    assert math.isnan(trials[2].score)


def test_an_error_of_the_score_itself_is_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        search.evaluate(lambda row: 1 / 0, [{"x": 1}])


def test_coarse_to_fine_gets_closer_than_as_many_random_trials():
    space = {"lr": search.log_uniform(1e-6, 1e3), "decay": search.uniform(0.0, 1.0)}

    def score(row):
        return ((math.log10(row["lr"]) + 2) / 9) ** 2 + (row["decay"] - 0.9) ** 2

    fine, plain = [], []
    for seed in range(40):
        found = search.coarse_to_fine(score, space, trials=10, rounds=4, rng=rng(seed))
        assert len(found) == 40
        fine.append(found.best.score)
        plain.append(search.evaluate(score, search.random(space, 40, rng(seed))).best.score)
    assert np.median(fine) < 0.2 * np.median(plain)


def test_coarse_to_fine_narrows_around_the_best_of_all_rounds():
    seen = []

    def score(row):
        seen.append(row["x"])
        return -abs(row["x"] - 7)

    found = search.coarse_to_fine(
        score, {"x": search.uniform(0, 10)}, trials=6, rounds=3, shrink=0.2, rng=rng(), mode="max"
    )
    for n, length in ((6, 2.0), (12, 0.4)):
        best = min(seen[:n], key=lambda x: abs(x - 7))
        assert all(abs(x - best) <= length for x in seen[n : n + 6])
        assert max(seen[n : n + 6]) - min(seen[n : n + 6]) <= length
    assert found.best.settings["x"] == min(seen, key=lambda x: abs(x - 7))


def test_coarse_to_fine_goes_on_when_a_whole_round_diverged():
    calls = []

    def score(row):
        calls.append(row)
        return math.nan if len(calls) <= 5 else row["x"]

    found = search.coarse_to_fine(score, {"x": search.uniform(0, 1)}, trials=5, rounds=2, rng=rng())
    assert len(found) == 10 and found.best.score == min(row["x"] for row in calls[5:])


@pytest.mark.parametrize("mode", ["min", "max"])
def test_successive_halving_gives_the_better_part_more_and_more(mode):
    sign = 1 if mode == "min" else -1
    rows = [{"x": x} for x in rng().permutation(9)]
    found = search.successive_halving(
        lambda row, budget: sign * (row["x"] + 100 / budget), rows, budget=2, factor=3, mode=mode
    )
    by_budget = {b: sorted(t.settings["x"] for t in found if t.budget == b) for b in (2, 6, 18)}
    assert by_budget == {2: list(range(9)), 6: [0, 1, 2], 18: [0]} and len(found) == 13
    assert found.best.settings == {"x": 0} and found.best.budget == 18


def test_a_trial_with_more_budget_ranks_before_better_ones_with_less():
    found = search.successive_halving(lambda row, budget: row["x"] + budget, [{"x": x} for x in (3, 1, 2)], budget=1)
    assert [(t.settings["x"], t.budget) for t in found.ranked] == [(1, 2), (1, 1), (2, 1), (3, 1)]


def test_successive_halving_drops_what_diverged_first():
    found = search.successive_halving(
        lambda row, budget: math.nan if row["x"] == 0 else row["x"], [{"x": x} for x in (0, 3, 2)], budget=1
    )
    assert [t.settings["x"] for t in found] == [0, 3, 2, 2]


def test_a_search_finds_a_learning_rate_that_trains_a_network():
    x = rng().standard_normal((80, 4))
    y = (x[:, 0] > x[:, 1]).astype(int)
    net = model.Sequential([layers.Dense(4, 2)])

    def score(row):
        history = model.train(
            net, x[:60], y[:60], optimizer=sgd(row["lr"]), epochs=5, batch_size=20, rng=rng(), progress=False
        )
        scores = model.predict(net, history.params, history.state, x[60:])
        return model.accuracy(scores, y[60:])

    trials = search.evaluate(score, search.random({"lr": search.log_uniform(1e-6, 10)}, 12, rng()), mode="max")
    assert trials.best.score > 0.9 > trials.ranked[-1].score


# ------------------------------------------------------------------------------------------------------- Optuna


def parabola(row):
    if row["x"] < -4:
        raise NotFiniteError("diverged")
    return (row["x"] - 1) ** 2 + (row["kind"] == "b") + abs(row["n"] - 2) + math.log10(row["lr"]) ** 2


OPTUNA_SPACE = {
    "x": search.uniform(-5, 5),
    "kind": ["a", "b"],
    "n": search.whole(0, 5),
    "lr": search.log_uniform(1e-3, 1e3),
}


def test_optuna_searches_the_space_and_goes_on_where_it_stopped(tmp_path):
    def go(trials, seed):
        return search.optuna_search(
            parabola, OPTUNA_SPACE, trials=trials, study="s", rng=rng(seed), storage=tmp_path / "s.db"
        )

    first, again, more = go(5, 0), go(5, 1), go(30, 2)
    assert first == again == more[:5] and len(more) == 30
    for trial in more:
        row = trial.settings
        assert -5 <= row["x"] <= 5 and row["kind"] in "ab" and row["n"] in range(6) and 1e-3 <= row["lr"] <= 1e3
        if row["x"] < -4:
            assert math.isnan(trial.score)
        else:
            np.testing.assert_allclose(trial.score, parabola(row))
    assert more.best.score == min(trial.score for trial in more if math.isfinite(trial.score)) < first.best.score


def test_optuna_can_look_for_the_largest_score_and_learns_from_what_it_saw(tmp_path):
    found = search.optuna_search(
        lambda row: -((row["x"] - 3) ** 2),
        {"x": search.uniform(-50, 50)},
        trials=40,
        study="s",
        rng=rng(),
        storage=tmp_path / "s.db",
        mode="max",
    )
    early, late = ([abs(t.settings["x"] - 3) for t in part] for part in (found[:10], found[-10:]))
    assert np.median(late) < np.median(early) / 2 and found.best.score == max(t.score for t in found)


WORKER = """
import os, sys, time
from pathlib import Path
import numpy as np
from coursekit.search import optuna_search, uniform

folder, name, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def score(settings):
    with open(folder / f"{name}.log", "a") as log:
        log.write(repr(settings["x"]) + "\\n")
    time.sleep(0.05)
    return (settings["x"] - 1) ** 2

(folder / f"{name}.ready").touch()
while len(list(folder.glob("*.ready"))) < 2:
    time.sleep(0.005)
space = {"x": uniform(-5, 5)}
trials = optuna_search(score, space, trials=20, study="s", rng=np.random.default_rng(seed), storage=folder / "s.db")
(folder / f"{name}.result").write_text(repr(sorted(t.settings["x"] for t in trials)))
"""


def start(folder, name, seed):
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, "-c", WORKER, str(folder), name, str(seed)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def lines(path):
    return [float(line) for line in path.read_text().split()] if path.exists() else []


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def test_two_processes_share_one_study(tmp_path):
    workers = [start(tmp_path, "a", 1), start(tmp_path, "b", 2)]
    for worker in workers:
        finish(worker)
    a, b = lines(tmp_path / "a.log"), lines(tmp_path / "b.log")
    assert len(a) >= 3 and len(b) >= 3, "both did their part"
    assert 20 <= len(a) + len(b) <= 21 and not set(a) & set(b), "together they did what was asked for, nothing twice"
    results = [eval((tmp_path / f"{name}.result").read_text()) for name in "ab"]
    assert max(results, key=len) == sorted(a + b), "and know each other's trials"


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_study_survives_the_death_of_one_of_its_processes(tmp_path):
    victim, survivor = start(tmp_path, "a", 1), start(tmp_path, "b", 2)
    deadline = time.monotonic() + 60
    while not lines(tmp_path / "a.log") and time.monotonic() < deadline:
        time.sleep(0.01)
    victim.kill()
    victim.communicate()
    finish(survivor)
    done = eval((tmp_path / "b.result").read_text())
    assert len(done) == 20 and set(lines(tmp_path / "b.log")) <= set(done)


def test_an_error_of_the_score_ends_the_search_and_leaves_the_study_usable(tmp_path):
    def go(score):
        return search.optuna_search(
            score, {"x": search.uniform(0, 1)}, trials=3, study="s", rng=rng(), storage=tmp_path / "s.db"
        )

    with pytest.raises(ZeroDivisionError):
        go(lambda row: 1 / 0)
    trials = go(lambda row: row["x"])
    assert len(trials) == 3 and all(trial.score == trial.settings["x"] for trial in trials)


def test_trials_that_diverged_count_and_rank_last(tmp_path):
    calls = []

    def score(row):
        calls.append(row)
        return math.nan if len(calls) % 2 else row["x"]

    trials = search.optuna_search(
        score, {"x": search.uniform(0, 1)}, trials=6, study="s", rng=rng(), storage=tmp_path / "s.db"
    )
    assert [trial.settings for trial in trials] == calls and len(calls) == 6
    assert [math.isnan(trial.score) for trial in trials.ranked] == [False] * 3 + [True] * 3


def test_a_database_that_another_process_is_making_is_waited_for(tmp_path, monkeypatch):
    import optuna

    create, failures = optuna.create_study, ["table studies already exists", "UNIQUE constraint failed"]

    def busy(**kwargs):
        if failures:
            raise RuntimeError(failures.pop())
        return create(**kwargs)

    monkeypatch.setattr(optuna, "create_study", busy)
    trials = search.optuna_search(
        lambda row: row["x"], {"x": [1]}, trials=1, study="s", rng=rng(), storage=tmp_path / "s.db"
    )
    assert len(trials) == 1 and not failures


def test_without_optuna_one_is_told_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(CourseError, match=r'Optuna, which is not installed; type pip install "coursekit\[search\]"'):
        search.optuna_search(parabola, OPTUNA_SPACE, trials=1, study="s", rng=rng())


def test_a_study_that_cannot_be_joined_is_named(tmp_path):
    def go(mode, storage):
        return search.optuna_search(
            lambda row: 1.0, {"x": [1]}, trials=1, study="s", rng=rng(), storage=storage, mode=mode
        )

    go("min", tmp_path / "s.db")
    with pytest.raises(CourseError, match=r"the study 's' in sqlite:.*s\.db was made to minimize, not to maximize"):
        go("max", tmp_path / "s.db")
    with pytest.raises(CourseError, match=r"the study 's' in sqlite:.*nowhere.* could not be opened: "):
        go("min", tmp_path / "nowhere" / "s.db")


# ---------------------------------------------------------------------------------------------------- bad input

X = {"x": search.uniform(0, 1)}
ROWS = [{"x": 1.0}]
BAD = {
    "an empty range": (lambda: search.uniform(1, 0), RangeError, r"uniform\(low=1, high=0\) is empty"),
    "an infinite range": (lambda: search.uniform(0, math.inf), RangeError, "high is inf"),
    "the logarithm of 0": (lambda: search.log_uniform(0, 1), RangeError, r"low is 0, .* in \(0, inf\)"),
    "half a unit": (lambda: search.whole(1, 2.5), DTypeError, "high is float 2.5, but must be a whole number"),
    "nothing to choose": (lambda: search.choice(), ShapeError, r"choice\(\) has no options"),
    "an empty list": (lambda: search.grid({"x": []}), ShapeError, r"choice\(\) has no options"),
    "no space": (lambda: search.grid({}), ShapeError, "space is a dict; expected ranges by name"),
    "a space of numbers": (lambda: search.random([1, 2], 3, rng()), ShapeError, "space is a list"),
    "a range of one number": (lambda: search.grid({"x": 3}), DTypeError, r"space\['x'\] is int 3, but must be a list"),
    "no points": (lambda: search.grid(X, 0), RangeError, "points is 0, but must be at least 1"),
    "no trials": (lambda: search.random(X, 0, rng()), RangeError, "trials is 0"),
    "no generator": (lambda: search.random(X, 3, 0), DTypeError, "rng is int 0, but must be a generator"),
    "no settings": (
        lambda: search.evaluate(len, []),
        ShapeError,
        "settings is a list; expected a list of dicts with one",
    ),
    "one setting": (lambda: search.evaluate(len, {"x": 1}), ShapeError, "settings is a dict; expected a list of dicts"),
    "settings of two kinds": (
        lambda: search.columns([{"x": 1}, {"y": 1}]),
        ShapeError,
        "settings differ in their names: x and y",
    ),
    "a mode that is none": (lambda: search.evaluate(len, ROWS, mode="best"), RangeError, "mode is 'best'"),
    "a score that is none": (
        lambda: search.evaluate(lambda row: None, ROWS),
        DTypeError,
        "score returned NoneType None, but must return a number",
    ),
    "a score for each run": (
        lambda: search.evaluate(lambda row: np.ones(3), ROWS),
        DTypeError,
        r"score returned float64 array of shape \(3,\)",
    ),
    "nothing but divergence": (
        lambda: search.evaluate(lambda row: math.nan, ROWS * 3).best,
        NotFiniteError,
        "all 3 trials diverged; try a range of smaller learning rates",
    ),
    "the best of nothing": (lambda: search.Trials().best, ShapeError, "nothing has been tried"),
    "no rounds": (
        lambda: search.coarse_to_fine(len, X, trials=3, rounds=0, rng=rng()),
        RangeError,
        "rounds is 0",
    ),
    "a range that does not shrink": (
        lambda: search.coarse_to_fine(len, X, trials=3, rounds=1, rng=rng(), shrink=1),
        RangeError,
        r"shrink is 1, .* in \(0, 1\)",
    ),
    "no budget": (lambda: search.successive_halving(len, ROWS, budget=0), RangeError, "budget is 0"),
    "no halving": (lambda: search.successive_halving(len, ROWS, budget=1, factor=1), RangeError, "factor is 1"),
    "no trials for Optuna": (
        lambda: search.optuna_search(len, X, trials=0, study="s", rng=rng()),
        RangeError,
        "trials is 0",
    ),
    "no seed for Optuna": (
        lambda: search.optuna_search(len, X, trials=1, study="s", rng=None),
        DTypeError,
        "rng is NoneType None",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, error, message = BAD[name]
    with pytest.raises(error, match=message):
        call()
    assert not list(tmp_path.iterdir()), "no half-made study is left"


# ------------------------------------------------------------------------------------------- held out, and folds


@pytest.mark.parametrize(
    ("count", "share", "size"), [(10, 0.2, 2), (100, 0.2, 20), (7, 0.2, 1), (2, 0.9, 1), (3, 0.01, 1)]
)
def test_a_split_holds_a_share_out_and_leaves_something_to_train_on(count, share, size):
    kept, held = search.split(count, share, rng())
    assert len(held) == size and len(kept) == count - size
    assert sorted([*kept, *held]) == list(range(count))


def test_every_example_is_held_out_in_exactly_one_fold():
    parts = search.folds(23, 5, rng())
    assert sorted(len(held) for _, held in parts) == [4, 4, 5, 5, 5]
    assert sorted(np.concatenate([held for _, held in parts])) == list(range(23))
    for kept, held in parts:
        assert sorted([*kept, *held]) == list(range(23))


def test_splits_and_folds_are_random_and_the_seed_decides_them():
    for draw in (lambda seed: search.split(50, 0.2, rng(seed))[1], lambda seed: search.folds(50, 5, rng(seed))[0][1]):
        np.testing.assert_array_equal(draw(1), draw(1))
        assert not np.array_equal(draw(1), draw(2))
        assert not np.array_equal(draw(1), np.sort(draw(1)))


def test_splits_and_folds_refuse_what_makes_no_sense():
    with pytest.raises(RangeError, match="k is 6, but there are only 5 examples"):
        search.folds(5, 6, rng())
    for share in (0, 1, 1.5):
        with pytest.raises(RangeError, match="held_out"):
            search.split(10, share, rng())
    for call in (lambda: search.folds(5, 1, rng()), lambda: search.split(1, 0.5, rng())):
        with pytest.raises(RangeError):
            call()
    with pytest.raises(DTypeError):
        search.split(10, 0.2, np.random)


def test_a_study_that_is_started_again_repeats_no_setting_and_is_the_unbroken_one(tmp_path):
    def some(trials, name):
        return search.optuna_search(
            parabola, OPTUNA_SPACE, trials=trials, study="s", rng=rng(), storage=tmp_path / f"{name}.db"
        )

    some(4, "broken"), some(9, "broken")
    broken, whole = some(14, "broken"), some(14, "whole")
    settings = [tuple(trial.settings.values()) for trial in broken]
    assert len(set(settings)) == len(settings)
    assert settings == [tuple(trial.settings.values()) for trial in whole]


def test_a_changed_space_is_refused_in_a_sentence(tmp_path):
    keywords = {"trials": 2, "study": "s", "rng": rng(), "storage": tmp_path / "s.db"}
    search.optuna_search(lambda settings: 1.0, {"a": ["x", "y"]}, **keywords)
    for space in ({"a": ["x", "y", "z"]}, {"a": ["x", "y"], "b": search.uniform(0, 1)}, {"b": search.uniform(0, 1)}):
        with pytest.raises(CourseError, match=r"^the study 's' was begun with another space: .* differ\. Take"):
            search.optuna_search(lambda settings: 1.0, space, **keywords | {"trials": 5, "rng": rng()})


def test_arguments_of_a_study_are_looked_at_first(tmp_path):
    with pytest.raises(DTypeError, match=r"^score is float 1\.0, but must be a function of the settings$"):
        search.optuna_search(1.0, OPTUNA_SPACE, trials=2, study="s", rng=rng(), storage=tmp_path / "s.db")
    with pytest.raises(DTypeError, match=r"^study is int 3, but must be a name"):
        search.optuna_search(parabola, OPTUNA_SPACE, trials=2, study=3, rng=rng(), storage=tmp_path / "s.db")
    with pytest.raises(DTypeError, match=r"^storage is int 3, but must be a file's name"):
        search.optuna_search(parabola, OPTUNA_SPACE, trials=2, study="s", rng=rng(), storage=3)
    assert not list(tmp_path.iterdir())
