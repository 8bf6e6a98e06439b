"""A rule: what it says, and what is needed to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialogkit.model.report import Action
from dialogkit.validate.texts import FIX


@dataclass(frozen=True)
class Expectation:
    """A rule in Great Expectations' own words: its type and arguments, over the rows that `view` selects."""

    type: str
    arguments: Mapping[str, Any]
    view: str


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
        undecided: why it could not be decided for some or (with no query) all form versions.
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
