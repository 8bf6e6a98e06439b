"""Run: pull, land, snapshot, as one thing to do every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dialogkit.errors import DialogkitError
from dialogkit.model.report import Landed
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.manifest import forms_with_batches
from dialogkit.pull.portions import Pulled
from dialogkit.steps.land import land
from dialogkit.steps.pull import Wishes, pull
from dialogkit.warehouse.snapshot import make_snapshot
from dialogkit.workspace import Workspace


@dataclass(frozen=True)
class Ran:
    """What one run did. `failed` is why some forms could not be pulled; all else was done."""

    pulled: tuple[Pulled, ...]
    landed: tuple[Landed, ...]
    snapshot: Path
    failed: DialogkitError | None = None


def run(
    workspace: Workspace, forms: Sequence[str] = (), progress: Progress = SILENT, wishes: Wishes | None = None
) -> Ran:
    """Pull and land what is new, and make a snapshot for readers.

    A server that is down does not keep back what came from others, or came before.

    Raises:
        DialogkitError: as `pull` (when there is nothing at all to land), `land` and `snapshot` do; what was done before
            stays, and the next run goes on.
    """
    pulled: list[Pulled] = []
    failed: DialogkitError | None = None
    try:
        pull(workspace, forms, progress, wishes, pulled.append)
    except DialogkitError as error:
        if not forms_with_batches(workspace.batches):
            raise
        failed = error
    landed = land(workspace, forms, progress)
    path = snapshot(workspace, progress)
    return Ran(tuple(pulled), tuple(landed), path, failed)


def snapshot(workspace: Workspace, progress: Progress = SILENT) -> Path:
    """A new snapshot of the warehouse for readers."""
    progress.step("snapshot")
    findings = workspace.root / "warehouse" / "findings"
    return make_snapshot(workspace.warehouse, workspace.snapshots, findings if findings.is_dir() else None)
