"""`mostly`: how many rows may break a rule before it acts."""

from __future__ import annotations

from dialogkit.model.report import Action


def within(violations: int, judged: int, mostly: float) -> bool:
    """Whether a rule holds mostly, as Great Expectations reckons: rows that pass / rows judged >= mostly.

    Args:
        violations: rows that break the rule.
        judged: rows that it applies to: those of its `when` that have the answer; with 0 there is nothing to break.
        mostly: the share that must pass, from 0 to 1.
    """
    return judged <= 0 or (judged - violations) / judged >= mostly


def acts(action: Action, violations: int, judged: int, mostly: float) -> Action:
    """What a rule does in a batch: what it says, or only a note where no more rows break it than `mostly` allows.

    With `mostly` = 1, every violation counts. The rows within the allowance are told all the same.
    """
    tolerated = mostly < 1 and violations > 0 and within(violations, judged, mostly)
    return "note" if tolerated else action
