"""Held submissions as the people read them who can correct them: what is wrong and where, never an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

By = Literal["organiser", "country"]


@dataclass(frozen=True, slots=True)
class ToFix:
    """One thing that is wrong with a held submission.

    Args:
        rule: code of the rule.
        path: of the question; empty for the whole submission.
        labels: of the question, by language as the form names them.
        row: place in a repeat (`2`, or `2/1` one repeat deeper); empty outside.
        messages: what the rule says, by language.
    """

    rule: str
    path: str
    labels: Mapping[str, str]
    row: str
    messages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HeldSubmission:
    """A held submission with all that is wrong with it.

    Args:
        group: whose list it is on, as code: a sender's label, or the code of a country; may be empty.
        group_labels: of the group by language; empty where the code is all there is.
        server: name of the server that it came from; empty where it cannot be edited at all: imports, and folders.
        instance_id: of the edition that is held.
        link: where it can be edited; empty where the server has no such page.
        direct: whether the link leads to the submission itself, and not to the list of all.
    """

    submission_id: str
    instance_id: str
    form_id: str
    title: str
    submitted_at: datetime | None
    server: str
    group: str
    group_labels: Mapping[str, str]
    wrong: tuple[ToFix, ...]
    link: str = ""
    direct: bool = False

    def linked(self, link: str, *, direct: bool) -> HeldSubmission:
        """The same with the page on which it can be edited."""
        return replace(self, link=link, direct=direct)


@dataclass(frozen=True)
class FixList:
    """The held submissions of one group, in one language of ours."""

    workspace: str
    made_at: datetime
    by: By
    language: str
    group: str
    group_labels: Mapping[str, str]
    submissions: tuple[HeldSubmission, ...]
