"""Write-back: corrections that were made here are sent to the server that the submissions came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dialogkit.errors import DialogkitError
from dialogkit.problem import Problem
from dialogkit.steps.correct import Listed, list_corrections
from dialogkit.steps.review import Plan, Wish, plan_review
from dialogkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Push:
    """What can be sent of a form: a plan for each submission, and why some cannot."""

    plans: tuple[Plan, ...]
    problems: tuple[Problem, ...]


def plan_push(workspace: Workspace, form_id: str) -> Push:
    """What would be sent; nothing is asked of the server. After the next pull such an entry is `at the source`.

    Args:
        workspace: where.
        form_id: of the form.

    Returns:
        A plan of `steps.review` for each submission with corrections that were made. Those that a server does not take
        (rows of repeats, removed submissions, imports) are told as problems, and stay as they are.
    """
    wanted: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for one in list_corrections(workspace, [form_id]):
        if one.state != "applied":
            continue
        if one.entry.row or not one.entry.question:
            problems.append(_stays(one))
        else:
            wanted.setdefault(one.entry.uuid, {})[one.entry.question] = one.entry.new_value
    plans: list[Plan] = []
    for submission_id, changes in wanted.items():
        try:
            plans.append(plan_review(workspace, form_id, [submission_id], Wish(changes=changes)))
        except DialogkitError as error:
            problems += [*error.problems, error.problem]
    return Push(tuple(plans), tuple(problems))


def changes_of(push: Push) -> Iterator[tuple[str, str, str]]:
    """What would be sent, in words: submission, question, and its length; never an answer."""
    for plan in push.plans:
        for change in plan.changes:
            yield change.submission_id, change.what, change.after


def _stays(one: Listed) -> Problem:
    what = f"row {one.entry.row} of a repeat" if one.entry.row else "a whole submission"
    return Problem(
        "CORRECT-006",
        "note",
        f"{one.form_id}, submission {one.entry.uuid}",
        f"Correction {one.entry.id} is about {what}, which no server takes from here.",
        "It stays in the ledger and is made at every landing.",
    )
