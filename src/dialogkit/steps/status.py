"""Status: what lies where, by form: pulled, landed, held, refused, published."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dialogkit.pull.batches import batches
from dialogkit.pull.manifest import forms_with_batches, read_manifest
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.load import has_landed
from dialogkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of one form. `waiting` are submissions in batches that have not been landed."""

    form_id: str
    batches: int
    waiting: int
    accepted: int
    held: int
    refused: int
    refused_at_server: int
    deleted: int
    dropped: int
    last_pull: str

    def as_dict(self) -> dict[str, Any]:
        """The counts by name, as `--json` prints them."""
        return asdict(self)


def status(workspace: Workspace) -> list[Status]:
    """One line a form of the workspace, and one a form that left dialogkit.toml and still has batches."""
    others = sorted(forms_with_batches(workspace.batches) - set(workspace.config.forms))
    return [_of(workspace, form_id) for form_id in (*workspace.config.forms, *others)]


def _of(workspace: Workspace, form_id: str) -> Status:
    paths = batches(workspace.batches, form_id)
    states: dict[str, int] = {}
    turned_away = 0
    landed: set[str] = set()
    if workspace.warehouse.is_file():
        with reading(workspace.warehouse) as db:
            states = dict(
                db.execute(
                    "SELECT state, count(*) FROM ops.submissions WHERE form_id = ? GROUP BY 1", [form_id]
                ).fetchall()
            )
            row = db.execute("SELECT sum(n)::BIGINT FROM ops.refused_at_server WHERE form_id = ?", [form_id]).fetchone()
            turned_away = (row[0] if row else 0) or 0
            landed = {path.name for path in paths if has_landed(db, path.name)}
    waiting = [read_manifest(path) for path in paths if path.name not in landed]
    return Status(
        form_id=form_id,
        batches=len(paths),
        waiting=sum(manifest.counts["submissions"] for manifest in waiting),
        accepted=states.get("accepted", 0),
        held=states.get("held", 0),
        refused=states.get("refused", 0),
        refused_at_server=turned_away,
        deleted=states.get("deleted", 0),
        dropped=states.get("dropped", 0),
        last_pull=read_manifest(paths[-1]).finished_at if paths else "",
    )
