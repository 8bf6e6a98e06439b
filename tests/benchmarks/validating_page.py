"""The part of the page about validation, and the marks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

Figures = Mapping[str, float]

#: The marks that dialogkit has set itself.
MOST_FOR_PASS: Final = 1.2
MOST_FOR_GATE: Final = 2.0
MOST_MEGABYTES: Final = 600
MOST_BESIDE: Final = 1.2

_LARGE: Final = 1_000_000
_WAYS: Final = {
    "bare": "the bare conditions, one UNION ALL",
    "pass": "the violation table",
    "gate": "the violation table, and Great Expectations as the gate over it",
}
_SETS: Final = {
    "form": "the rules of the form",
    "default": "and the quality rules that need no tuning",
    "whole_form": 'and two rules of people with `scope = "form"`',
    "near": "or `[quality.near]`, within a day",
    "outlier": "or `[quality.outlier]` of two questions",
}


@dataclass(frozen=True)
class Validated:
    """What validation cost.

    Args:
        prepared: how many submissions and rows are staged.
        runs: way → figures, of each round.
        people: with rules of people too.
        beside: seconds for each set of rules, as `validating_gate.beside`.
    """

    prepared: Figures
    runs: Sequence[Mapping[str, Figures]]
    people: Figures
    beside: Figures

    def of(self, way: str, figure: str) -> float:
        """The median of all rounds."""
        return median(run[way][figure] for run in self.runs)

    def times_bare(self, way: str) -> float:
        """The ratio within each round; of these the median."""
        return median(run[way]["cpu"] / run["bare"]["cpu"] for run in self.runs)

    def times_empty(self, rules: str) -> float:
        """How many times as much a batch costs where many are accepted."""
        return self.beside[f"{rules}_full"] / self.beside[f"{rules}_empty"]


def validating_marks(found: Validated) -> Iterator[tuple[str, str, str]]:
    """Rows of the table of marks: the mark, what was measured, whether it holds."""
    marks = (
        (f"the violation table costs at most {MOST_FOR_PASS} times the bare conditions", "pass", MOST_FOR_PASS),
        (f"with the gate over it, at most {MOST_FOR_GATE:.0f} times", "gate", MOST_FOR_GATE),
    )
    large = found.prepared["submissions"] >= _LARGE
    measured: list[tuple[str, str, bool]] = [
        (mark, f"{found.times_bare(way):.2f} times", found.times_bare(way) <= most) for mark, way, most in marks
    ]
    peak = max(found.of(way, "peak") for way in _WAYS)
    measured += [
        (
            f"validation takes less than {MOST_MEGABYTES} MB of memory, Great Expectations included",
            f"{peak:,.0f} MB",
            peak < MOST_MEGABYTES,
        ),
        (
            f"the rules of a form over 100 new submissions beside a million cost at most {MOST_BESIDE} times as "
            "much as beside none",
            f"{found.times_empty('form'):.2f} times",
            found.times_empty("form") <= MOST_BESIDE,
        ),
    ]
    for mark, shown, holds in measured:
        yield (mark, shown, "yes" if holds else "**no**") if large else (mark, "not in this run", "–")


def validating_part(found: Validated) -> Iterator[str]:
    """The section “Validation”."""
    rules, submissions = found.of("bare", "rules"), found.prepared["submissions"]
    yield "## Validation"
    yield ""
    yield (
        f"{rules:.0f} rules of every kind, which the logic of a form makes, over {submissions:,.0f} submissions "
        f"({found.prepared['rows']:,.0f} rows with those of a repeat):"
    )
    yield ""
    yield "| way | CPU s | times bare | peak memory MB |"
    yield "|---|---:|---:|---:|"
    for way, shown in _WAYS.items():
        yield f"| {shown} | {found.of(way, 'cpu'):.2f} | {found.times_bare(way):.2f} | {found.of(way, 'peak'):,.0f} |"
    bare, people = found.of("bare", "cpu"), found.people
    yield (
        f"| the same with {people['rules']:.0f} rules of people, in Great Expectations' own types | "
        f"{people['cpu']:.2f} | {people['cpu'] / bare:.2f} | {people['peak']:,.0f} |"
    )
    yield ""
    yield (
        "A batch is never larger than 100,000: so many are staged as by a landing, and multiplied by SQL into a file "
        "that each process opens, with 200 MB for DuckDB. The bare conditions are those of the same rules, written "
        "into a table of id and rule. One submission in a hundred breaks a rule; of "
        f"{found.of('pass', 'concerned'):,.0f} that answer what was not relevant, every rule of the form's logic is "
        f"judged a second time without those answers ({found.of('pass', 'again'):.2f} s of the pass). The import of "
        "Great Expectations is left out of the seconds, not of the memory. Each is the median of "
        f"{len(found.runs)}, with rules of people of one run."
    )
    yield ""
    yield f"100 new submissions, where {submissions:,.0f} are accepted and where none is:"
    yield ""
    yield "| rules | CPU s beside many | CPU s beside none | times |"
    yield "|---|---:|---:|---:|"
    for name, shown in _SETS.items():
        full, empty = found.beside[f"{name}_full"], found.beside[f"{name}_empty"]
        yield f"| {shown} | {full:.2f} | {empty:.2f} | {full / empty:.2f} |"
    yield ""
    yield (
        "The rules of a form read nothing but the batch. To find copies of earlier submissions, one column of "
        "fingerprints is looked through. Rules that compare with all accepted answers, which only somebody who writes "
        "them turns on, read the columns that they name."
    )
    yield ""
