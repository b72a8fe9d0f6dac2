"""Weights come back as they were kept, damaged files are refused, and each shipped file has a recipe and a record."""

import numpy as np
import pytest

from coursekit import errors
from coursekit.data import _files, weights
from coursekit.experiments import recipes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "RECORDS", tmp_path / "weights.json")
    monkeypatch.setattr(_files, "FOLDER", tmp_path)
    return tmp_path


def test_weights_come_back_to_half_precision_with_their_record(folder):
    rng = np.random.default_rng(0)
    params = {"dense_0": {"w": rng.standard_normal((3, 2)).astype(np.float32), "b": np.zeros(2, np.float32)}}
    state = {"bn": {"steps": np.array(7), "mean": rng.standard_normal(2)}}
    weights.write("tiny", params, state, {"seed": 0, "accuracy": 0.5})
    loaded = weights.load("tiny")
    np.testing.assert_allclose(loaded.params["dense_0"]["w"], params["dense_0"]["w"], rtol=1e-3)
    assert loaded.params["dense_0"]["w"].dtype == np.float32
    assert loaded.state["bn"]["steps"] == 7
    assert loaded.record == {"seed": 0, "accuracy": 0.5}


def test_a_second_file_keeps_the_record_of_the_first(folder):
    for name, seed in [("one", 1), ("two", 2)]:
        weights.write(name, {"w": np.ones(2)}, {}, {"seed": seed})
    assert weights.record("one") == {"seed": 1}


def test_a_damaged_file_is_refused(folder):
    path = weights.write("tiny", {"w": np.ones(2)}, {}, {})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(errors.DataError, match="damaged"):
        weights.load("tiny")


def test_numbers_too_large_for_half_precision_are_refused_and_nothing_is_written(folder):
    with pytest.raises(errors.DataError, match="float16"):
        weights.write("tiny", {"w": np.array([1e6])}, {}, {})
    assert not list(folder.iterdir())


def test_an_unknown_name_is_answered_with_those_that_exist(folder):
    weights.write("tiny", {"w": np.ones(2)}, {}, {})
    with pytest.raises(errors.DataError, match="tiny"):
        weights.load("huge")
    with pytest.raises(errors.DataError, match="no recipe 'huge'"):
        recipes.make("huge")


def test_each_shipped_file_has_a_recipe_and_loads():
    shipped = {path.stem.removeprefix("weights_") for path in _files.FOLDER.glob("weights_*.npz")}
    assert shipped == set(recipes.RECIPES)
    for name in shipped:
        assert weights.load(name).record["seconds"] > 0
