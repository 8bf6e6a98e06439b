"""Run: pull, land, snapshot, as one thing to do every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogkit.model.report import Landed
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.portions import Pulled
from dialogkit.steps.land import land
from dialogkit.steps.pull import Wishes, pull
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import Workspace


@dataclass(frozen=True)
class Ran:
    """What one run did."""

    pulled: tuple[Pulled, ...]
    landed: tuple[Landed, ...]
    snapshot: Path


def run(
    workspace: Workspace, forms: Sequence[str] = (), progress: Progress = SILENT, wishes: Wishes | None = None
) -> Ran:
    """Pull and land what is new, and make a snapshot for readers.

    Raises:
        DialogkitError: as `pull`, `land` and `snapshot` do; what was done before stays, and the next run goes on.
    """
    pulled = pull(workspace, forms, progress, wishes)
    landed = land(workspace, forms, progress)
    path = snapshot(workspace, progress)
    return Ran(tuple(pulled), tuple(landed), path)


def snapshot(workspace: Workspace, progress: Progress = SILENT) -> Path:
    """A new snapshot of the warehouse for readers."""
    progress.step("snapshot")
    findings = workspace.root / "warehouse" / "findings"
    return make_snapshot(workspace.warehouse, workspace.snapshots, findings if findings.is_dir() else None)
