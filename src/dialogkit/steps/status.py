"""Status: what lies where, by form: pulled, landed, held, refused, published."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dialogkit.pull.batches import batches
from dialogkit.pull.certificates import certificates
from dialogkit.pull.manifest import forms_with_batches, read_manifest
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.load import has_landed
from dialogkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of one form.

    Args:
        waiting: submissions in batches that have not been landed.
        on_server: how many the servers had at the last pull; None when no server could tell.
        not_here: how many of these are not here (gone again in between, or not readable).
        without_files: submissions that wait for attachments.
        last_pull: when the last pull ended, ISO 8601; empty before the first.
    """

    form_id: str
    on_server: int | None
    not_here: int
    without_files: int
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
    proofs = {proof.server: proof for proof in certificates(workspace.batches, form_id)}.values()
    told = [proof.server_count for proof in proofs if proof.server_count >= 0]
    return Status(
        form_id=form_id,
        on_server=sum(told) if told else None,
        not_here=sum(len(proof.only_there) for proof in proofs),
        without_files=sum(proof.files_missing for proof in proofs),
        batches=len(paths),
        waiting=sum(manifest.counts["submissions"] for manifest in waiting),
        accepted=states.get("accepted", 0),
        held=states.get("held", 0),
        refused=states.get("refused", 0),
        refused_at_server=turned_away,
        deleted=states.get("deleted", 0),
        dropped=states.get("dropped", 0),
        last_pull=max(
            [*(proof.finished_at for proof in proofs), *(read_manifest(path).finished_at for path in paths[-1:])],
            default="",
        ),
    )
