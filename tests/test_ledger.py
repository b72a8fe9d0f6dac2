"""Claims of the ledger are run again and compared with what the book shows; what they must declare is enforced.

A claim of which neither code, data nor NumPy changed is left out; `make claims` runs all (COURSEKIT_CLAIMS=all).
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from coursekit import ledger
from coursekit.comparison import fair_comparison, one_by_one
from coursekit.errors import DataError, RangeError
from coursekit.ledger import Budget, Claim, Comparison, __main__, _table

ROOT = Path(__file__).resolve().parent.parent

CLAIMS = ledger.claims()


def records(claim):
    return ledger.read(claim.id[:2])[claim.id]


def ids_of(name):
    lines = (ROOT / "tests/data" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("claim", [c for c in CLAIMS if not c.slow], ids=lambda c: c.id)
def test_a_claim_comes_out_as_recorded(claim):
    if os.environ.get("COURSEKIT_CLAIMS") != "all" and ledger.unchanged(claim):
        pytest.skip("nothing that it depends on has changed since its numbers were recorded")
    recorded, again = records(claim), ledger.run(claim)
    print(f"{claim.id}: {again['numbers']}, {again['seconds']} s")
    assert again["verdict"] == recorded["verdict"] == claim.verdict
    assert again["numbers"].keys() == recorded["numbers"].keys()
    for name, value in again["numbers"].items():
        (one, _), (two, spread) = centre(value), centre(recorded["numbers"][name])
        # The spread is 0 for a number; a difference near 0 is known no better.
        assert one == pytest.approx(two, rel=claim.tolerance, abs=max(1e-9, spread), nan_ok=True), name


def centre(values):
    """(mean, standard deviation) of what is finite; (NaN, 0) where all runs diverged."""
    finite = np.ravel(values)[np.isfinite(np.ravel(values))]
    return (finite.mean(), finite.std()) if finite.size else (np.nan, 0.0)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_what_is_recorded_is_what_the_claim_declares(claim):
    recorded = records(claim)
    assert recorded["verdict"] == claim.verdict
    assert len(recorded["seeds"]) == len(claim.seeds)
    if claim.comparison:
        for name, grid in claim.comparison.arms.items():
            arm = recorded["arms"][name]
            assert {key: len(list(values)) for key, values in grid.items()} == {
                k: len(v) for k, v in arm["grid"].items()
            }
            assert not arm["at edge"] or claim.comparison.at_edge, f"{name}: {arm['at edge']}: widen its grid"


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.holds], ids=lambda c: c.id)
def test_the_condition_of_a_claim_can_fail(claim):
    """It is true of the numbers that came; there are others, up to a hundred times off, of which it is not."""
    numbers = {name: np.array(v) if isinstance(v, list) else v for name, v in records(claim)["numbers"].items()}
    means = [centre(value)[0] for value in numbers.values()]
    others = [
        numbers | {name: np.zeros_like(value) + other}
        for name, value in numbers.items()
        for other in (*means, 0.01 * centre(value)[0], 100 * centre(value)[0], -centre(value)[0], 0.0, 1.0, np.nan)
    ]
    others += [{name: np.zeros_like(value) + other for name, value in numbers.items()} for other in (0.0, 1.0, np.nan)]
    with np.errstate(all="ignore"):
        answers = {str(claim.holds(other)) for other in (numbers, *others)}
    assert len(answers) > 1, f"holds= of {claim.id} gives {answers} whatever came out"


def test_every_source_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text(encoding="utf-8"), re.MULTILINE))
    known = keys | {ledger.FOLK, ledger.COURSE}
    left = [(c.id, c.source) for c in CLAIMS if not known.issuperset(c.sources)]
    assert not left, f"references.bib lacks these sources of claims: {left}"


def test_all_claims_together_take_at_most_40_minutes_on_two_cores():
    assert sum(records(claim)["seconds"] for claim in CLAIMS) < 2 * 40 * 60


# What a claim is refused for.


def measured(**row):
    def run(seeds):
        return {"a": np.ones(len(seeds))}

    row = {"measure": run, "text": "It is so.", "kind": "measured", "seeds": range(3), "holds": lambda n: True} | row
    return Claim(id="00.x", source="course", setting="a run", **row)


def takes(*names):
    return eval(f"lambda {', '.join(names)}: {{'a': 1.0}}")


RATES = {"lr": (0.1, 1.0, 10.0)}


def comparison(**changed):
    usual = {
        "first": "a", "second": "b", "arms": {"a": RATES, "b": RATES}, "chosen_on": "validation digits",
        "measured_in": "points", "effect": 1.0, "effect_from": "the paper",
    }  # fmt: skip
    return Comparison(**usual | changed)


def test_a_full_claim_of_each_form_is_accepted():
    measured()
    measured(text="A is better than B.", comparison=comparison(), holds=None, measure=takes("arms", "seeds"))
    budget = Budget(rates=(0.01, 0.1, 1), steps=1000, picture=100)
    measured(text="It never learns.", budget=budget, measure=takes("budget", "seeds"))
    measured(text="It does not learn within 4,000 steps.")
    measured(text="The loss is larger than ln 10.", compares_nothing="ln 10 is a number")
    measured(text="At rate 0.05 A is better.", compares_nothing="both at one rate, as in the source")
    measured(kind="computed", text="A is never better than B.", seeds=(), measure=takes())


@pytest.mark.parametrize(
    "row, message",
    [
        ({"text": "A is better than B."}, "each arm with the grid"),
        ({"text": "A regularizes."}, "each arm with the grid"),
        ({"text": "It does not learn."}, "needs budget="),
        ({"text": "No rate makes it learn: it cannot."}, "needs budget="),
        ({"seeds": (0, 1)}, "three at least"),
        ({"seeds": (), "measure": takes()}, "three at least"),
        ({"measure": takes()}, "does not take seeds"),
        ({"measure": takes("seeds", "arms")}, "takes arms, and the claim declares none"),
        ({"verdict": "cannot tell"}, "without a note"),
        ({"verdict": "perhaps", "note": "x"}, "expected one of holds"),
        ({"kind": "guessed"}, "expected one of measured, computed"),
        ({"kind": ""}, "expected one of measured, computed"),
        ({"text": "A is better.", "compares_nothing": "both at one rate"}, "its text must say so: 'at one rate'"),
        ({"holds": None}, "neither a comparison nor holds"),
    ],
)
def test_a_claim_that_lacks_something_is_refused(row, message):
    with pytest.raises(RangeError, match=message):
        measured(**row)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"arms": {"a": {"lr": (0.1, 1.0)}, "b": RATES}}, "at least three values"),
        ({"arms": {"a": {}, "b": RATES}}, "at least three values"),
        ({"second": "c"}, "names 'c'"),
        ({"effect": 0.0}, "more than at_least"),
        ({"chosen_on": ""}, "one of them is empty"),
    ],
)
def test_a_comparison_that_lacks_something_is_refused(changed, message):
    with pytest.raises(RangeError, match=message):
        comparison(**changed)


@pytest.mark.parametrize(
    "rates, steps, message",
    [
        ((0.1, 10.0), 1000, "three rates or more"),
        ((0.1, 1.0, 5.0), 1000, "over two decades"),
        ((0.1, 1.0, 10.0), 999, "ten times as many: 1000"),
    ],
)
def test_a_budget_that_is_too_small_is_refused(rates, steps, message):
    with pytest.raises(RangeError, match=message):
        Budget(rates, steps, picture=100)


# What a run records, and its verdict.


def arm(lead, noise=1.0):
    """Best at rate 1; the seed's luck is the same for all, the noise is not."""

    def train(lr, seed):
        luck, own = np.random.default_rng(seed).normal(size=2)
        return -abs(np.log10(lr)), lead + 10 * luck + noise * own * (lead > 0) - abs(np.log10(lr))

    return one_by_one(train)


def compared(lead, noise=1.0, effect=1.0, **row):
    def run(arms, seeds):
        return fair_comparison({"a": arm(lead, noise), "b": arm(0)}, arms, seeds)

    usual = {"text": "A is better.", "comparison": comparison(effect=effect), "holds": None, "seeds": range(8)}
    return ledger.run(measured(measure=run, **usual | row))


def test_a_comparison_records_the_search_and_the_paired_difference():
    record = compared(2.0)
    assert record["arms"]["a"] == {"grid": {"lr": [0.1, 1.0, 10.0]}, "chosen": {"lr": 1.0}, "at edge": []}
    assert record["difference"]["mean"] == pytest.approx(np.mean(record["numbers"]["difference"]))
    assert 0 < record["difference"]["2 SE"] < 1.5  # the luck that both share, of standard deviation 10, is gone
    assert record["seeds"] == list(range(8)) and len(record["numbers"]["a"]) == 8


def test_the_verdicts_follow_from_difference_noise_and_claimed_effect():
    assert compared(2.0, effect=2.0)["verdict"] == "holds"
    assert compared(1e-6, noise=0.2)["verdict"] == "does not hold"  # an effect of 1 would have been seen
    assert compared(1e-6, noise=10.0)["verdict"] == "cannot tell"  # it would not
    assert compared(2.0, verdict="not comparable", note="another data set")["verdict"] == "not comparable"


def test_a_run_that_would_have_missed_the_effect_in_question_cannot_tell_whatever_came_out():
    record = compared(2.0, effect=0.2)
    assert record["difference"]["mean"] > record["difference"]["2 SE"] and record["difference"]["power"] < 0.8
    assert record["verdict"] == "cannot tell"


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.comparison], ids=lambda c: c.id)
def test_a_compared_row_would_have_seen_the_effect_that_it_declares(claim):
    weak = records(claim)["difference"]["power"] < ledger.POWER
    assert not weak or claim.verdict in ("cannot tell", "not comparable"), "give it more seeds, or 'cannot tell'"


def test_a_function_that_ran_other_settings_than_declared_is_an_error():
    def run(arms, seeds):
        return fair_comparison({"a": arm(1), "b": arm(0)}, {"a": RATES, "b": {"lr": [0.1, 1.0]}}, seeds)

    with pytest.raises(DataError, match="hand `arms` on as it came"):
        ledger.run(measured(measure=run, text="A is better.", comparison=comparison(), holds=None))


def test_a_function_that_ran_in_another_mode_than_declared_is_an_error():
    with pytest.raises(DataError, match="declares mode='min', but ran with mode='max'"):
        compared(2.0, comparison=comparison(mode="min"))


def test_fresh_seeds_are_new_and_not_fewer():
    assert ledger.fresh_seeds(measured(seeds=range(7)))["seeds"] == list(range(1006, 1013))
    assert len(ledger.fresh_seeds(measured(seeds=range(3)), 5)["seeds"]) == 5
    assert ledger.fresh_seeds(measured(kind="computed", seeds=(), measure=takes())) is None


# The files and the page.


def test_every_chapter_of_the_ledger_has_claims_and_no_row_is_left_over():
    for chapter in ledger.CHAPTERS:
        ids = [c.id for c in ledger.claims(chapter)]
        assert ids and sorted(ids) == sorted(ledger.read(chapter)), f"run: python -m coursekit.ledger {chapter}"


def test_the_tables_have_a_row_for_each_claim_and_the_totals_count_it():
    rows = [row for chapter in ledger.CHAPTERS for row in ledger.table(chapter).splitlines() if "<a id=" in row]
    assert len(rows) == len(CLAIMS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert sum(sum(kind.values()) for kind in ledger.counts().values()) == len(CLAIMS)
    assert f" {sum(c.kind == 'measured' for c in CLAIMS)} |" in ledger.summary().splitlines()[2]


def test_a_compared_row_shows_grid_choice_split_seeds_spread_and_verdict():
    claim = measured(
        text="A is better.", comparison=comparison(), holds=None, threshold_moved="2 points at first",
        measure=takes("arms", "seeds"),
    )  # fmt: skip
    row = _table.markdown([(claim, compared(2.0, effect=2.0))], ROOT / "references.bib")
    wanted = ("Measured", "lr 0.1, 1, 10, best lr 1", "Chosen on validation digits", "8 seeds", "±", "**holds**",
              "would be seen", "Set after a first look", "this course")  # fmt: skip
    assert [part for part in wanted if part not in row] == []


def test_sources_are_named_from_the_bibliography():
    authors = _table._authors(ROOT / "references.bib")
    assert authors["glorot2010"] == "Glorot and Bengio 2010"
    assert authors["he2015"] == "He et al. 2015"
    assert [name for name in authors.values() if re.search(r"[{}\\]", name)] == []


def test_what_was_never_run_is_an_error_that_says_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_LEDGER", str(tmp_path))
    with pytest.raises(DataError, match=r"python -m coursekit\.ledger 05"):
        ledger.table("05")
    with pytest.raises(DataError, match="the ledger has no chapter '99'"):
        ledger.claims("99")


def test_an_installed_package_says_that_a_clone_is_needed_and_makes_no_folder(monkeypatch, tmp_path):
    place = tmp_path / "lib/site-packages/coursekit/ledger"
    place.mkdir(parents=True)
    monkeypatch.delenv("COURSEKIT_LEDGER", raising=False)
    monkeypatch.setattr(ledger, "__file__", str(place / "__init__.py"))
    for call in (lambda: ledger.table("05"), lambda: ledger.write("05", {})):
        with pytest.raises(DataError, match="clone the repository"):
            call()
    assert [p.name for p in tmp_path.rglob("ledger")] == ["ledger"]


def test_writing_and_reading_keep_the_numbers(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_LEDGER", str(tmp_path))
    ledger.write("05", {"05.x": {"numbers": {"a": 1.5}, "verdict": "holds"}})
    assert ledger.read("05") == {"05.x": {"numbers": {"a": 1.5}, "verdict": "holds"}}
    assert [f.name for f in tmp_path.iterdir()] == ["05.json"]


def test_the_command_names_what_it_does_not_know(capsys):
    assert __main__.main(["99"]) == 1
    assert __main__.main(["07.nothing"]) == 1
    assert "no claim '07.nothing'; those of chapter 07: 07.momentum" in capsys.readouterr().err


def test_the_page_of_the_ledger_has_every_chapter():
    page = (ROOT / "ledger.md").read_text(encoding="utf-8")
    assert [chapter for chapter in ledger.CHAPTERS if f'ledger.table("{chapter}")' not in page] == []
    assert "ledger.summary()" in page


# The sentences of the chapters.

ABSOLUTE = re.compile(
    r"\b(never|does not|do not|cannot|no rate|any rate|always|(it|they) reproduces?|reproduces here|impossible|proves?"
    r"|guarantees?|without exception|far (better|worse)|(every|all|each) (seeds?|runs?)"
    r"|(all|none) of the (seeds|runs))\b",
    re.IGNORECASE,
)
ROW = re.compile(r"\{row\}`([\w.-]+)`")


PROSE = {"note", "tip", "warning", "important", "admonition", "dropdown", "hint", "caution", "seealso"}


def sentences(path):
    """Prose of a chapter, a sentence a line, without front matter, cells, listings and formulas."""
    kept, hidden = [], ""
    for line in path.read_text(encoding="utf-8").split("\n---\n", 1)[-1].splitlines():
        fence = re.match(r"(`{3,}|:{3,}|\$\$)(?:\{(\w+))?", line)
        if hidden:
            hidden = "" if line.startswith(hidden) else hidden
        elif fence and not (fence[1] == "$$" and line.count("$$") > 1):
            hidden = "" if fence[2] in PROSE or line.strip() == fence[1] != "$$" else fence[1]
            kept.append("")
        else:
            kept.append(line)
    for paragraph in re.split(r"\n\s*\n|\n(?=[*#|>\d:])", "\n".join(kept)):
        yield from re.split(r"(?<=[.!?:])\**\)? (?=[A-Z*\"“(\[{$`])", " ".join(paragraph.split()))


def absolute_sentences():
    for path in sorted((ROOT / "chapters").glob("*.md")):
        for sentence in sentences(path):
            if ABSOLUTE.search(sentence):
                yield f"{path.stem[:2]}: {sentence}"


def test_an_absolute_word_about_a_run_has_a_row():
    """A sentence with such a word names its row, {row}`05.deep-relu`, or is on the list of those about no run."""
    listed = set(ids_of("not-about-runs.txt"))
    found = list(absolute_sentences())
    unmarked = [s for s in found if not ROW.search(s) and s not in listed]
    assert unmarked == [], (
        "soften these, give each its row as {row}`NN.name`, or, if it is about no run of a network, add the line to "
        "tests/data/not-about-runs.txt"
    )


def test_a_row_that_a_chapter_names_is_there_and_says_what_the_sentence_says():
    by_id = {c.id: c for c in CLAIMS}
    for path in sorted((ROOT / "chapters").glob("*.md")):
        for sentence in sentences(path):
            for id in ROW.findall(sentence):
                assert id in by_id, f"{path.name}: there is no row {id}"
                claim = by_id[id]
                assert not (re.search(r"it reproduces", sentence, re.IGNORECASE) and claim.verdict != "holds"), (
                    f"{path.name}: {sentence}: the row's verdict is {claim.verdict!r}"
                )
