"""Rebuild: the warehouse made anew from all of its batches, beside the old one, which it then replaces at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.files import sync_folder
from dialogkit.forms.versions import known_versions
from dialogkit.model.report import Landed
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.batches import batches
from dialogkit.pull.manifest import forms_with_batches
from dialogkit.steps.here import forms_here
from dialogkit.steps.land import land_batches, land_corrected, refresh_books
from dialogkit.steps.lineage import lineage_of_form
from dialogkit.warehouse.connect import reading, writing
from dialogkit.warehouse.rebuilt import (
    Decided,
    Missing,
    by_batch,
    carry_names,
    compare,
    date_decisions,
    decisions,
    join_columns,
    landing_order,
    write_decisions,
)
from dialogkit.warehouse.unfinished import alone, at_work, clear, log_of, unfinished
from dialogkit.workspace import Workspace

_GO_ON: Final = "dialogkit land --rebuild --accept-loss"


@dataclass(frozen=True)
class Rebuilt:
    """What came of it.

    Args:
        landed: of each batch.
        decisions: how many were carried over.
        missing: what the old warehouse had and the new one has not.
        aside: where the old file is kept, when it could not be read.
    """

    landed: tuple[Landed, ...]
    decisions: int = 0
    missing: Missing = field(default_factory=Missing)
    aside: Path | None = None


def rebuild(workspace: Workspace, progress: Progress = SILENT, *, accept_loss: bool = False) -> Rebuilt:
    """Land every batch of every form into a new warehouse, which then takes the place of the old one.

    Forms, rules and classes are those of today. Names of tables and columns stay, and so do decisions on held
    submissions. A stop at any point leaves the old warehouse as it was.

    Args:
        workspace: where.
        progress: one step a batch.
        accept_loss: go on when decisions cannot be read, or submissions stand in no batch any more.

    Raises:
        WarehouseError: WAREHOUSE-041, the old warehouse is not there or cannot be read; WAREHOUSE-042, it has what
            stands in no batch; WAREHOUSE-043, somebody else is at work on it; or the disk is full.
        BatchError: a batch is not whole.
    """
    warehouse, new = workspace.warehouse, unfinished(workspace.warehouse)
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with alone(warehouse):
        clear(warehouse)
        try:
            if _readable(warehouse):
                return _from_old(workspace, new, progress, accept_loss=accept_loss)
            return _without_old(workspace, new, progress, accept_loss=accept_loss)
        finally:
            clear(warehouse)


def _from_old(workspace: Workspace, new: Path, progress: Progress, *, accept_loss: bool) -> Rebuilt:
    with reading(workspace.warehouse) as old:
        _refuse_unfinished(workspace.warehouse)
        old.execute(f"SET memory_limit = {sql.text(workspace.config.land.memory_limit)}")
        decided = decisions(old)
        with _written(workspace, new):
            pass
        carry_names(old, new)
        with _written(workspace, new) as db:
            for form_id in forms_here(workspace):
                if versions := list(known_versions(workspace.versions, form_id).values()):
                    join_columns(db, form_id, lineage_of_form(workspace, versions).same)
            landed = _land_all(workspace, db, decided, landing_order(old), progress)
        missing = compare(old, new)
        if missing and not accept_loss:
            raise _incomplete(workspace.warehouse, missing)
        _swap(new, workspace.warehouse)
        return Rebuilt(landed, len(decided), missing)


def _without_old(workspace: Workspace, new: Path, progress: Progress, *, accept_loss: bool) -> Rebuilt:
    warehouse = workspace.warehouse
    if not warehouse.exists() and not forms_with_batches(workspace.batches):
        return Rebuilt(())  # nothing has ever landed here
    if not accept_loss:
        raise _no_decisions(warehouse)
    with _written(workspace, new) as db:
        landed = _land_all(workspace, db, (), {}, progress)
    aside = _kept_aside(warehouse) if warehouse.exists() else None
    _swap(new, warehouse)
    return Rebuilt(landed, aside=aside)


@contextmanager
def _written(workspace: Workspace, new: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with writing(new, memory_limit=workspace.config.land.memory_limit) as db:
        yield db


def _land_all(
    workspace: Workspace,
    db: duckdb.DuckDBPyConnection,
    decided: Sequence[Decided],
    order: Mapping[str, datetime],
    progress: Progress,
) -> tuple[Landed, ...]:
    forms = forms_here(workspace)
    never = datetime.max.replace(tzinfo=UTC)
    paths = sorted(
        (path for form_id in forms for path in batches(workspace.batches, form_id)),
        key=lambda path: (order.get(path.name, never), path.parent.name, path.name),
    )
    about = by_batch(decided)
    here = {path.name for path in paths}
    write_decisions(db, [one for one in decided if one.batch_id not in here])
    progress.step("rebuild", len(paths))
    landed: list[Landed] = []
    for path in paths:
        write_decisions(db, about.get(path.name, ()))
        landed += land_batches(workspace, db, [path], SILENT)
        date_decisions(db, about.get(path.name, ()))
        progress.advance()
    for form_id in forms:
        land_corrected(workspace, db, form_id)
        refresh_books(workspace, db, form_id)
    return tuple(landed)


def _readable(warehouse: Path) -> bool:
    """Whether the old warehouse can be read; it is brought up to date, so that its books are those of the new one."""
    if not warehouse.is_file():
        return False
    try:
        with writing(warehouse) as db:
            db.execute("CHECKPOINT")
    except WarehouseError as error:
        if error.code != "WAREHOUSE-005":
            raise
        return False
    return True


def _swap(new: Path, warehouse: Path) -> None:
    new.replace(warehouse)
    sync_folder(warehouse.parent)


def _kept_aside(warehouse: Path) -> Path:
    """The old file under another name, for whoever can still read something of it."""
    aside = warehouse.with_name(f"{warehouse.stem}-unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.duckdb")
    os.link(warehouse, aside)
    log = log_of(warehouse)
    if log.exists():
        # DuckDB would apply it to whatever file has the name of the old one.
        log.replace(log_of(aside))
    return aside


def _refuse_unfinished(warehouse: Path) -> None:
    if log_of(warehouse).exists():
        raise at_work(warehouse)


def _no_decisions(warehouse: Path) -> WarehouseError:
    what = "cannot be read" if warehouse.exists() else "is not there"
    return WarehouseError(
        "WAREHOUSE-041",
        warehouse.name,
        f"The warehouse {what}: decisions on held submissions stand in no batch and would be lost.",
        f"Bring back a copy. To go on without those decisions (what they released or dropped is held again): {_GO_ON}",
    )


def _incomplete(warehouse: Path, missing: Missing) -> WarehouseError:
    return WarehouseError(
        "WAREHOUSE-042",
        warehouse.name,
        f"The warehouse has {missing.submissions} submissions and {missing.versions} versions that stand in no batch "
        "any more. The old warehouse stays as it is.",
        f"Bring the missing folders back to warehouse/batches, or pull again: dialogkit pull --full. "
        f"To go on without them: {_GO_ON}",
    )
