"""The benchmarks compare what is the same: peers agree with ours, every row runs, the table says what was measured."""

import importlib
import itertools
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import peers, run
from benchmarks.rows import ROWS
from coursekit.convolution import conv2d_backward, conv2d_forward

for name in run.ROW_FILES:
    importlib.import_module(f"benchmarks.{name}")


def test_peers_compute_the_same_convolution():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 3, 6, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)
    out, cache = conv2d_forward(x, w, b)
    dout = rng.normal(size=out.shape)
    np.testing.assert_allclose(peers.conv2d_naive(x, w, b), out, rtol=1e-12)
    for theirs, ours in zip(peers.conv2d_im2col(x, w, b, dout), (out, *conv2d_backward(dout, cache)), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=1e-12)


def test_no_two_rows_are_called_the_same():
    names = [(row.name, row.other) for row in ROWS]
    assert len(set(names)) == len(names)


QUICK = [row for row in ROWS if not row.single and "epoch" not in row.name]


@pytest.mark.parametrize("row", QUICK, ids=lambda row: f"{row.name} / {row.other}")
def test_a_row_runs_on_both_sides(row):
    ours, other = row.make()
    for _ in range(2):
        ours()
        other()


def results(ours, *, share=1.0, at_most=(1.5, 1.0), at_least=None):
    taken = {"ours": ours, "other": 1.0, "turns": 3, "share": share}
    row = {"name": "a", "other": "b", "at_most": at_most, "at_least": at_least, "threads": {"1": taken}}
    return {"blas": ["x"], "numpy": "2", "torch": "2", "load_before": 0.0, "load_after": 0.0, "rows": [row]}


@pytest.mark.parametrize("haswell, unset, kept", [(1.4, 0.9, True), (1.4, 1.1, False), (1.6, 0.9, False)])
def test_the_table_says_whether_a_bound_holds(haswell, unset, kept):
    text = run.table({"Haswell": results(haswell), "unset": results(unset)})
    assert f"{haswell:.2f}" in text and f"{unset:.2f}" in text
    assert text.endswith(f"{int(kept)} of 1 bounds hold. Milliseconds: OPENBLAS_CORETYPE unset, one thread.")
    assert "provisional" not in text


def test_what_we_must_beat_by_far_is_shown_as_a_fraction():
    made = [results(1 / 390, at_most=None, at_least=400), results(1 / 410, at_most=None, at_least=400)]
    text = run.table(dict(zip(("Haswell", "unset"), made, strict=True)))
    assert "1/390" in text and "1/410" in text and "0 of 1 bounds hold" in text


def test_a_disturbed_row_makes_the_table_provisional():
    text = run.table({"Haswell": results(0.5), "unset": results(0.5, share=0.4)})
    assert "0.50 !" in text and "provisional" in text


def test_taking_turns_measures_both():
    calls = []
    tick = itertools.count().__next__
    taken = run.measure(lambda: calls.append("ours"), lambda: calls.append("other"), 0.05, clock=tick)
    assert calls == ["ours"] + ["ours", "other"] * (len(calls) // 2)
    assert taken["turns"] >= 3
    assert (taken["ours"], taken["other"]) == (1, 1)


def test_beside_something_slow_ours_runs_often_enough_to_be_warm():
    calls = []
    taken = run.measure(lambda: calls.append("ours"), lambda: time.sleep(0.03), 0.05, clock=time.perf_counter)
    assert taken["turns"] == 3 and len(calls) == 2 + 3 * 20
    assert taken["other"] >= 0.03 > 100 * taken["ours"]


def test_the_load_test_of_grading_counts_what_it_made(capsys):
    from benchmarks import grade_load
    from coursekit.grading.cases import load_sheet

    cells = grade_load.instructor_cells("05")
    for name, (count, loops) in grade_load.CLASSES.items():
        made = grade_load.spread(grade_load.pattern(cells, name), 100)
        full = load_sheet("05").points
        assert len(made) == 100 and sum(points == full for points, _ in made) == {1: 100, 8: 77}[count] - loops
    assert grade_load.main(["4", "--jobs", "2", "--only", "of all kinds"]) == 0
    assert "| of all kinds | 4 |" in capsys.readouterr().out


def test_the_load_test_of_grading_sees_a_mark_that_is_wrong(monkeypatch, capsys):
    from benchmarks import grade_load

    monkeypatch.setattr(grade_load, "pattern", lambda cells, name: [(1, 17, grade_load.notebook(*cells))])
    assert grade_load.main(["1", "--jobs", "1", "--only", "honest"]) == 1
    assert re.search(r"expected 17, got (?!17)\d", capsys.readouterr().out)
