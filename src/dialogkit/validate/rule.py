"""A rule: what it says, and what is needed to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dialogkit.model.report import Action
from dialogkit.validate.refused import AMONG_ROWS
from dialogkit.validate.texts import FIX

#: Rules of quality that compare a row with those beside it; duplicates are found in a book of the whole form.
_AMONG_ROWS: Final = frozenset(f"QUALITY-{name}" for name in ("NEAR", "DIGITS", "OUTLIER", "BLANKS", "CLUSTER"))


@dataclass(frozen=True)
class Expectation:
    """A rule in Great Expectations' own words: its type and arguments, over the rows that `view` selects.

    Args:
        type, arguments: of Great Expectations.
        view: a query of the rows that `{batch}` stands for, with `_submission_id` and `_row`.
        others: queries of what other placeholders of an SQL rule stand for, by placeholder.
        judged: counts the rows that an SQL rule applies to; `{batch}` stands for the rows of `view`.
    """

    type: str
    arguments: Mapping[str, Any]
    view: str
    others: Mapping[str, str] = field(default_factory=dict)
    judged: str = ""


@dataclass(frozen=True)
class Rule:
    """One expectation of one batch.

    Args:
        code: its identity, such as `FORM-REQUIRED:g_main/country` or `RULE-004`.
        action: what becomes of a submission that breaks it.
        path: the question or repeat that it is about; empty for a rule of the whole submission.
        table: name of the table whose rows it judges.
        messages: by language.
        fix: what to do, in English.
        query: a generated rule: gives submission id and row of what breaks it; empty when nothing can be decided.
        expectation: a rule of `validations/*.toml`.
        mostly: the share of judged rows that must pass; with fewer broken rows than that allows they are only noted
            (validate/threshold.py).
        undecided: why it could not be decided for some or (with no query) all form versions.
        judged: a generated rule: gives the rows that it looks at, as `query` does.
        by_python: versions of the form in which SQL cannot say it: Python judges their submissions one by one.
    """

    code: str
    action: Action
    path: str
    table: str
    messages: Mapping[str, str]
    fix: str = FIX
    query: str = ""
    expectation: Expectation | None = None
    undecided: tuple[str, ...] = field(default=())
    judged: str = ""
    by_python: tuple[str, ...] = field(default=())
    mostly: float = 1.0

    @property
    def is_among_rows(self) -> bool:
        """Whether what it says of a row, or does about it, may depend on other rows of the batch."""
        by_type = self.expectation is not None and self.expectation.type in AMONG_ROWS
        return self.mostly < 1 or by_type or self.code.partition(":")[0] in _AMONG_ROWS
