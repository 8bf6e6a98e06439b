"""Findings: which there are, and what they say now."""

from __future__ import annotations

from collections.abc import Sequence

from dialogkit.warehouse.findings import about, result
from dialogkit.warehouse.snapshot import open_snapshot
from dialogkit.workspace import Workspace


def list_findings(workspace: Workspace) -> list[tuple[str, str, str]]:
    """Id, question and base of every finding of the newest snapshot.

    Raises:
        WarehouseError: there is no snapshot yet.
    """
    with open_snapshot(workspace.snapshots) as db:
        return about(db)


def finding(workspace: Workspace, finding_id: str) -> tuple[Sequence[str], list[tuple[object, ...]]]:
    """Columns and rows of one finding in the newest snapshot.

    Raises:
        WarehouseError: there is no snapshot yet, or no finding of this name.
    """
    with open_snapshot(workspace.snapshots) as db:
        return result(db, finding_id)
