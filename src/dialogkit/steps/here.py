"""Which forms a workspace has."""

from __future__ import annotations

from dialogkit.pull.manifest import forms_with_batches
from dialogkit.workspace import Workspace


def forms_here(workspace: Workspace) -> list[str]:
    """The forms of the workspace; one that left dialogkit.toml may still have a batch."""
    return sorted({*workspace.config.forms, *forms_with_batches(workspace.batches)})
