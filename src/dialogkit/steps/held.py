"""Held submissions: list, show, release, drop."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit.problem import Problem
from dialogkit.steps.run import snapshot
from dialogkit.warehouse import held
from dialogkit.warehouse.connect import reading, writing
from dialogkit.workspace import Workspace


def list_held(workspace: Workspace, forms: Sequence[str] = ()) -> list[held.Held]:
    """Every held submission with the rules that it breaks."""
    with reading(workspace.warehouse) as db:
        return held.list_held(db, forms)


def show_held(workspace: Workspace, submission_id: str) -> list[Problem]:
    """What is wrong with one held submission, and what to do."""
    with reading(workspace.warehouse) as db:
        return held.show_held(db, submission_id)


def decide_held(workspace: Workspace, submission_id: str, decision: str, reason: str, by: str) -> held.Held:
    """Release or drop a held submission and make a new snapshot.

    Args:
        workspace: where.
        submission_id: whole, or its beginning when that is enough.
        decision: `release` or `drop`.
        reason: why; kept in `ops.decisions`.
        by: who; kept in `ops.decisions`.
    """
    act = held.release if decision == "release" else held.drop
    with writing(workspace.warehouse, memory_limit=workspace.config.land.memory_limit) as db:
        decided = act(db, submission_id, reason, by)
    snapshot(workspace)
    return decided
