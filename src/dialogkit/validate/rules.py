"""The rules that a form itself makes, over all its versions."""

from __future__ import annotations

from dialogkit.model.staged import Staged
from dialogkit.validate.by_version import Versions
from dialogkit.validate.fact_rules import fact_rules
from dialogkit.validate.logic_rules import logic_rules
from dialogkit.validate.rule import Rule


def rules_of(staged: Staged) -> tuple[Rule, ...]:
    """The rules that the versions of the form make for a batch: what they know first, then what their logic says.

    Rules belong to a form version: a submission is judged by the version that it was made with. A blank of an import is
    "not stated in the source": it never breaks a rule (instruments.md 3.6).
    """
    versions = Versions(staged)
    return (*fact_rules(versions), *logic_rules(versions))
