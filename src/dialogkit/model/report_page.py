"""What the report of a warehouse counts: numbers and labels, never an answer and never an id of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

#: How long held submissions wait: the bucket's first day.
WAITING: Final = (0, 1, 7, 30)
#: What one bar of the trend stands for.
Unit = Literal["run", "day", "week", "month"]
#: A number, or why it is not told: it is under the smallest that is told, or it would tell another one.
Count = int | Literal["fewer", "untold"]
#: By language; also by other names of languages, as the form writes them.
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Often:
    """A rule and how many submissions of a version break it."""

    rule: str
    submissions: int


@dataclass(frozen=True, slots=True)
class Group:
    """Accepted and held submissions that share a sender or a country.

    Args:
        labels: of the group; empty for what nobody said and for the groups that are joined.
        submissions: how many.
        held: how many of them are held.
        often: codes of the rules that most of them break, without how many.
        joined: how many groups stand in this row, when it is the rest of them.
    """

    labels: Texts
    submissions: Count
    held: Count
    often: tuple[str, ...] = ()
    joined: int = 0


@dataclass(frozen=True, slots=True)
class VersionCounts:
    """What became of the submissions of one form version (empty: none is named)."""

    version: str
    states: Mapping[str, int]
    often: tuple[Often, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """One rule: what it says, how often it is broken now, and in how many batches it could be judged.

    Args:
        code: such as `FORM-REQUIRED:g/age` or `RULE-004`.
        action: `hold` or `note`; empty when no landing told.
        path: the question that it is about; empty for the whole submission.
        labels: of that question.
        messages: what it says; empty when it was never broken.
        rows, submissions: that break it now.
        evaluated, failed, undecided: batches in which it was judged, could not be run, could not be decided.
        reason: why not, as it was told last.
    """

    code: str
    action: str
    path: str
    labels: Texts
    messages: Texts
    rows: int = 0
    submissions: int = 0
    evaluated: int = 0
    failed: int = 0
    undecided: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """What came in one run, day, week or month, as it was judged then."""

    begins: date
    accepted: int
    held: int
    refused: int
    violations: int


@dataclass(frozen=True)
class FormCounts:
    """Everything that the report says of one form.

    Args:
        states: how many submissions are accepted, held, refused, deleted, dropped now.
        refused: why, and how many; those that the embedded server itself turned away are among them.
        turned_away: how many of these never reached a batch.
        broken: rules that some submission breaks now, the most frequent first.
        unjudged: rules that could not be judged in every batch.
        quiet: how many other rules were judged, and nothing breaks them.
        countries: None when the form asks for no country from a list.
        waiting: held submissions by how long they wait, one count for each of `WAITING`.
        corrections: entries of the ledger by state.
    """

    form_id: str
    title: str
    states: Mapping[str, int]
    refused: Mapping[str, int]
    turned_away: int
    broken: tuple[RuleCounts, ...]
    unjudged: tuple[RuleCounts, ...]
    quiet: int
    versions: tuple[VersionCounts, ...]
    senders: tuple[Group, ...]
    countries: tuple[Group, ...] | None
    unit: Unit
    trend: tuple[Bar, ...]
    waiting: tuple[int, ...]
    corrections: Mapping[str, int] = field(default_factory=dict)

    @property
    def came(self) -> int:
        """How many submissions ever came."""
        return sum(self.states.values()) + self.turned_away


@dataclass(frozen=True)
class ReportFacts:
    """The whole report: `smallest` is the smallest group whose number is shown."""

    workspace: str
    made_at: datetime
    smallest: int
    forms: tuple[FormCounts, ...]
