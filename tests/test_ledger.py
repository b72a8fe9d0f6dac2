"""Claims of the ledger are run again and compared with what the book shows: those whose code, data or NumPy changed.

`make claims` runs all of them (COURSEKIT_CLAIMS=all).
"""

import os
from pathlib import Path

import pytest

from coursekit import ledger
from coursekit.errors import DataError

ROOT = Path(__file__).resolve().parent.parent

CLAIMS = ledger.claims()


@pytest.mark.parametrize("claim", [c for c in CLAIMS if not c.slow], ids=lambda c: c.id)
def test_a_claim_comes_out_as_recorded(claim):
    if os.environ.get("COURSEKIT_CLAIMS") != "all" and ledger.unchanged(claim):
        pytest.skip("nothing that it depends on has changed since its numbers were recorded")
    recorded = ledger.read(claim.id[:2])[claim.id]
    again = ledger.run(claim)
    print(f"{claim.id}: {again['numbers']}, {again['seconds']} s")
    assert again["holds"] == recorded["holds"] == claim.reproduces
    assert again["numbers"].keys() == recorded["numbers"].keys()
    for name, value in again["numbers"].items():
        assert value == pytest.approx(recorded["numbers"][name], rel=claim.tolerance, abs=1e-9), name


def test_slow_claims_were_run_and_their_numbers_meet_the_condition():
    for claim in (c for c in CLAIMS if c.slow):
        recorded = ledger.read(claim.id[:2])[claim.id]
        assert claim.holds(recorded["numbers"]) == recorded["holds"] == claim.reproduces, claim.id


def test_a_claim_that_does_not_reproduce_says_why():
    assert all(claim.reproduces or claim.note for claim in CLAIMS)


def test_every_chapter_of_the_ledger_has_claims_and_no_row_is_left_over():
    for chapter in ledger.CHAPTERS:
        ids = [c.id for c in ledger.claims(chapter)]
        assert ids and sorted(ids) == sorted(ledger.read(chapter))


def test_the_table_has_a_row_for_each_claim():
    rows = ledger.table().splitlines()[2:]
    assert len(rows) == len(CLAIMS)
    assert all(row.count("|") == 4 for row in rows)


def test_what_was_never_run_is_an_error_that_says_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_LEDGER", str(tmp_path))
    with pytest.raises(DataError, match=r"python -m coursekit\.ledger 05"):
        ledger.table("05")
    with pytest.raises(DataError, match="the ledger has no chapter '99'"):
        ledger.claims("99")


def test_writing_and_reading_keep_the_numbers(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_LEDGER", str(tmp_path))
    ledger.write("05", {"05.x": {"numbers": {"a": 1.5}, "holds": True}})
    assert ledger.read("05") == {"05.x": {"numbers": {"a": 1.5}, "holds": True}}
    assert [f.name for f in tmp_path.iterdir()] == ["05.json"]


def test_the_page_of_the_ledger_has_every_chapter():
    page = (ROOT / "ledger.md").read_text(encoding="utf-8")
    assert [chapter for chapter in ledger.CHAPTERS if f'ledger.table("{chapter}")' not in page] == []
