"""Land: stage and check each batch beside the warehouse, then load it in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from dialogkit.forms.versions import known_versions
from dialogkit.model.batch import SOURCES
from dialogkit.model.report import Landed
from dialogkit.normalize.schema import tables_of
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import stage, unstage
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.pull.manifest import forms_with_batches
from dialogkit.pull.refusals import refusals
from dialogkit.validate.check import check
from dialogkit.validate.decide import decide
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_suite
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.ddl import refresh_codebook, standing
from dialogkit.warehouse.load import has_landed, load, write_refusals
from dialogkit.workspace import Workspace


def land(workspace: Workspace, forms: Sequence[str] = (), progress: Progress = SILENT) -> list[Landed]:
    """Land every batch that has not been landed, oldest first.

    Raises:
        BatchError: a batch is not whole; those before it are landed.
        RulesNotMet: a rule failed and the workspace says `on_failure = "stop"`; nothing of that batch is loaded.
        WarehouseError: the warehouse is open elsewhere.
    """
    # A form that left dialogkit.toml may still have a batch waiting.
    chosen = list(forms) or sorted({*workspace.config.forms, *forms_with_batches(workspace.batches)})
    waiting = [path for form_id in chosen for path in batches(workspace.batches, form_id)]
    done = []
    with writing(workspace.warehouse, memory_limit=workspace.config.land.memory_limit) as db:
        fresh = [path for path in waiting if not has_landed(db, path.name)]
        progress.step("land", len(fresh))
        for path in fresh:
            done.append(_land_one(workspace, db, open_batch(path)))
            progress.advance()
        for form_id in chosen:
            _refresh(workspace, db, form_id)
            write_refusals(db, form_id, refusals(workspace.batches, form_id))
    return done


def _land_one(workspace: Workspace, db: duckdb.DuckDBPyConnection, batch: Batch) -> Landed:
    manifest = batch.manifest
    form_id = manifest.form_id
    known = known_versions(workspace.versions, form_id)
    # Versions that only the batch knows come first: the last one is the latest.
    forms = {version: form for version, form in batch.forms().items() if version not in known} | known
    try:
        staged = stage(db, manifest, batch.submissions, forms, standing(db, form_id))
        stage_sources(db, _source_files(db, batch))
        rules = (*rules_of(staged), *read_suite(workspace.validations / f"{form_id}.toml", staged))
        report = check(db, staged, rules, today=datetime.now(UTC).date())
        decide(db, staged, report, workspace.config.land.on_failure)
        return load(db, staged, manifest, report)
    finally:
        unstage(db)


def _refresh(workspace: Workspace, db: duckdb.DuckDBPyConnection, form_id: str) -> None:
    """Classes and concepts may change without a new version of the form, and no batch may be waiting."""
    versions, here = known_versions(workspace.versions, form_id), standing(db, form_id)
    if versions and here.tables:
        refresh_codebook(db, tables_of(list(versions.values()), here), versions)


def _source_files(db: duckdb.DuckDBPyConnection, batch: Batch) -> Iterator[tuple[str, Path]]:
    if batch.manifest.origin == "import":
        rows = db.execute("SELECT submission_id FROM stage_attachments WHERE name = ?", [SOURCES]).fetchall()
        for (submission_id,) in rows:
            yield submission_id, batch.attachment(submission_id, SOURCES)
