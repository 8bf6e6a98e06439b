"""What a check and a landing found: counts and codes, never answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Action = Literal["hold", "note"]
#: What became of a rule itself: it was run; it broke; stored answers cannot tell (a value made by chance, say).
State = Literal["evaluated", "failed to run", "not decidable"]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over one batch.

    Args:
        code: such as `RULE-004`.
        action: `hold` keeps the submission back, `note` only tells.
        path: the question that it is about; empty for a rule of the whole table.
        message: plain words, by language (`en` is always there).
        fix: what to do (English).
        evaluated: false when the rule itself could not be run; then it says nothing about the data.
        violations: rows that break it.
        submissions: how many those rows belong to.
        judged: rows that it looked at.
        undecided: why it could not be decided, for some versions of the form or for all; empty when it could.
    """

    code: str
    action: Action
    path: str
    message: dict[str, str]
    fix: str
    evaluated: bool
    violations: int
    submissions: int = 0
    judged: int = 0
    undecided: str = ""

    @property
    def state(self) -> State:
        """What became of the rule."""
        if self.evaluated:
            return "evaluated"
        return "not decidable" if self.undecided else "failed to run"


@dataclass(frozen=True, slots=True)
class Report:
    """All rules over one batch.

    Args:
        results: one for each rule.
        violations: temporary table `submission_id, table_name, row, path, rule, action`, one row a violation.
    """

    results: tuple[RuleResult, ...]
    violations: str = "stage_violations"

    @property
    def noted(self) -> tuple[RuleResult, ...]:
        """Rules that only tell, and had something to tell."""
        return tuple(result for result in self.results if result.action == "note" and result.violations)

    @property
    def not_evaluated(self) -> tuple[RuleResult, ...]:
        """Rules that could not be run."""
        return tuple(result for result in self.results if result.state == "failed to run")

    @property
    def undecided(self) -> int:
        """How many rules stored answers could not decide, in part or at all."""
        return sum(bool(result.undecided) for result in self.results)


#: What is no count.
_NOT_COUNTED = ("not_evaluated", "noted", "undecided", "again")


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of the submissions of one batch.

    `not_evaluated` are rules that could not be run, `noted` those that only tell and had something to tell,
    `undecided` how many rules stored answers could not decide. `again`:
    submissions of earlier batches, landed once more because the ledger of corrections says something else of them now.
    """

    form_id: str
    batch_id: str
    pulled: int
    accepted: int
    held: int
    refused: int
    already_known: int
    deleted: int
    not_evaluated: tuple[RuleResult, ...] = ()
    noted: tuple[RuleResult, ...] = ()
    undecided: int = 0
    again: bool = False

    @property
    def balanced(self) -> bool:
        """Whether every submission ended in exactly one place."""
        return self.pulled == self.accepted + self.held + self.refused + self.already_known + self.deleted

    def as_dict(self) -> dict[str, Any]:
        """The counts by name, as `--json` prints them."""
        return {name: value for name, value in asdict(self).items() if name not in _NOT_COUNTED}
