"""What a claim must say before it may stand in the ledger: the dataclasses, and what they refuse."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..errors import RangeError

KINDS = ("measured", "computed")
VERDICTS = ("holds", "does not hold", "cannot tell", "not comparable")
# Who a claim is from when no work can be cited: what is said everywhere, and this course itself.
FOLK, COURSE = "folk", "course"

_COMPARES = re.compile(
    r"\b(better|best|worse|worst|faster|slower|sooner|later|higher|lower|larger|smaller|longer|shorter|more|less|fewer"
    r"|than|beats?|ahead|slowest|fastest|furthest|hurts?|outperforms?|helps?|improves?|regulari[sz]es?)\b",
    re.IGNORECASE,
)
_ONE_RATE = re.compile(r"\b(one|same) rate\b", re.IGNORECASE)
_SAYS_RATE = re.compile(
    r"\b(one|same|any|large|larger|first) (first )?rate|\brate (0\.|[1-9]|that)|customary rates", re.IGNORECASE
)
_DENIES = re.compile(r"\b(does not|do not|did not|never|cannot|can not|no rate|nothing|fails?)\b|n't\b", re.IGNORECASE)
_WITHIN = re.compile(r"\bwithin [\d,.]+ (steps|epochs)\b")


@dataclass(frozen=True)
class Comparison:
    """Which methods are compared, over which settings each was searched, and how large an effect is in question.

    Attributes
    ----------
    first, second : the claim is that the first is better
    arms : {method: {setting: values}} the grid of each, at least three values of one setting; handed to `measure`
    chosen_on : the data on which the settings are chosen, in words
    measured_in : the unit of the difference, in words, such as "points of test accuracy"
    effect : the size that the source reports or, where it has none, the smallest that would matter, in that unit
    effect_from : where `effect` is from
    at_least : the claim holds if the difference is above this by more than two standard errors
    mode : "max" if larger scores are better
    nothing_to_choose : for methods without a setting (two ways to ask one trained network): why
    at_edge : why a best setting at the end of its grid is no fault, where one is
    """

    first: str
    second: str
    arms: Mapping[str, Mapping]
    chosen_on: str
    measured_in: str
    effect: float
    effect_from: str
    at_least: float = 0.0
    mode: str = "max"
    nothing_to_choose: str = ""
    at_edge: str = ""

    def __post_init__(self):
        for name in (self.first, self.second):
            if name not in self.arms:
                raise RangeError(f"the comparison names {name!r}, but its arms are {', '.join(self.arms)}")
        for name, grid in self.arms.items():
            if not self.nothing_to_choose and max((len(list(values)) for values in grid.values()), default=0) < 3:
                raise RangeError(
                    f"the arm {name!r} is searched over {dict(grid)}; a fair comparison needs at least three values of "
                    "one setting for each arm, or nothing_to_choose='why there is none'"
                )
        if not self.effect > self.at_least:
            raise RangeError(f"effect is {self.effect}; expected more than at_least, {self.at_least}")
        if not (self.chosen_on and self.measured_in and self.effect_from):
            raise RangeError("a comparison says chosen_on, measured_in and effect_from in words; one of them is empty")


@dataclass(frozen=True)
class Budget:
    """What was spent before saying that something does not happen; handed to `measure`.

    Attributes
    ----------
    rates : learning rates (or strengths) that were tried, at least three, the largest at least 100 times the smallest
    steps : how long, at least ten times `picture`
    picture : the steps of the chapter's figure or explorer
    """

    rates: tuple[float, ...]
    steps: int
    picture: int

    def __post_init__(self):
        rates = tuple(self.rates)
        if len(rates) < 3 or max(rates) < 99.9 * min(rates):
            raise RangeError(
                f"the budget's rates are {rates}; to deny something takes three rates or more, over two decades"
            )
        if self.steps < 10 * self.picture:
            raise RangeError(
                f"the budget is {self.steps} steps and the picture shows {self.picture}; to deny something takes ten "
                f"times as many: {10 * self.picture}"
            )


@dataclass(frozen=True)
class Claim:
    """One row of the ledger.

    Attributes
    ----------
    id : chapter and name, "05.he"
    text : the claim in a sentence
    source : a key of references.bib, or several, or "folk" or "course"
    setting : how it was tried here
    measure : the run; its parameters' names say what it takes of `seeds`, `arms` and `budget`. It returns
        {name: number, or an array with one for each seed}; a comparison returns a `comparison.Fair`, or (Fair, more)
    kind : "measured" (a run that could have come out otherwise) or "computed" (algebra, a count, a simulation of its
        own formula)
    where : the section or figure of the source
    condition : when it holds, in words
    holds : numbers -> bool or one of the verdicts, the condition in code; a comparison needs none
    seeds : the seeds; at least three for what is measured
    comparison : for a claim that compares
    budget : for a claim that denies
    verdict : what comes out; anything but "holds" has a `note` that says why
    threshold_moved : what was asked for or searched at first, where a threshold, an effect or a grid was set after a
        first look
    compares_nothing : why a text with a word such as "larger" needs no rival
    slow : True where a run takes more than a minute; such rows are run by hand, not by every test
    tolerance : by how much a mean may differ from the recorded one on another machine, relative
    """

    id: str
    text: str
    source: str | tuple[str, ...]
    setting: str
    measure: Callable
    kind: str = ""
    where: str = ""
    condition: str = ""
    holds: Callable[[dict], bool | str] | None = None
    seeds: tuple[int, ...] = ()
    comparison: Comparison | None = None
    budget: Budget | None = None
    verdict: str = "holds"
    note: str = ""
    threshold_moved: str = ""
    compares_nothing: str = ""
    slow: bool = False
    tolerance: float = 0.05
    takes: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "seeds", tuple(self.seeds))
        object.__setattr__(self, "takes", tuple(inspect.signature(self.measure).parameters))
        faults = list(_faults(self))
        if faults:
            raise RangeError(f"the claim {self.id} cannot stand in the ledger: {'; '.join(faults)}")

    @property
    def module(self) -> str:
        """The module of `measure`: what a run of the claim executes is what this module imports."""
        return self.measure.__module__

    @property
    def sources(self) -> tuple[str, ...]:
        """`source` as a tuple."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source)


def _faults(claim):
    if claim.kind not in KINDS:
        yield f"its kind is {claim.kind!r}, expected one of {', '.join(KINDS)}"
    if claim.verdict not in VERDICTS:
        yield f"its verdict is {claim.verdict!r}, expected one of {', '.join(VERDICTS)}"
    if claim.verdict != "holds" and not claim.note:
        yield f"it says {claim.verdict!r} without a note that says why"
    if claim.comparison is None and claim.holds is None:
        yield "it has neither a comparison nor holds=, a function from its numbers to True or False"
    for name, given in (("arms", claim.comparison), ("budget", claim.budget), ("seeds", claim.seeds)):
        if (name in claim.takes) != bool(given):
            yield f"its function {'takes' if name in claim.takes else 'does not take'} {name}, and the claim " + (
                f"declares {'them' if name != 'budget' else 'it'}" if given else "declares none"
            )
    if claim.kind == "measured":
        if len(claim.seeds) < 3:
            yield f"it has {len(claim.seeds)} seeds, and what is measured needs three at least"
        if not claim.comparison and not claim.budget and not claim.compares_nothing and _COMPARES.search(claim.text):
            yield (
                f"its text compares ({_COMPARES.search(claim.text)[0]!r}), so it needs comparison=Comparison(...), "
                "each arm with the grid it was searched over and the data it was chosen on, or compares_nothing="
            )
        if _ONE_RATE.search(claim.compares_nothing) and not _SAYS_RATE.search(claim.text):
            yield (
                f"it compares at one rate ({claim.compares_nothing!r}), so its text must say so: 'at one rate', 'at "
                "rate 0.05', 'at a large rate', or search the rates by comparison=Comparison(...)"
            )
        if not claim.budget and _DENIES.search(claim.text) and not _WITHIN.search(claim.text):
            yield (
                f"its text denies ({_DENIES.search(claim.text)[0]!r}), so it needs budget=Budget(rates, steps, "
                "picture), or must say 'within N steps'"
            )
