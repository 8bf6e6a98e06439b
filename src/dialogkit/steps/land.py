"""Land: stage and check each batch beside the warehouse, then load it in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from dialogkit.correct.questions import Questions
from dialogkit.forms.versions import known_versions, media_of
from dialogkit.model.batch import SOURCES
from dialogkit.model.correction import Replay
from dialogkit.model.report import Landed
from dialogkit.model.staged import Staged
from dialogkit.normalize.audit import audit_names, stage_audit
from dialogkit.normalize.schema import tables_of
from dialogkit.normalize.sources import stage_sources
from dialogkit.normalize.staging import stage, unstage
from dialogkit.progress import SILENT, Progress
from dialogkit.pull.batches import Batch, batches, folder_name, now, open_batch
from dialogkit.pull.refusals import refusals
from dialogkit.steps.here import forms_here
from dialogkit.steps.ledger import Book, book_of, columns_of
from dialogkit.steps.lineage import lineage_of_form
from dialogkit.validate.check import check
from dialogkit.validate.corrections import correction_rules
from dialogkit.validate.decide import decide, narrow
from dialogkit.validate.rule import Rule
from dialogkit.validate.rules import rules_of
from dialogkit.validate.suites import read_rules_file
from dialogkit.validate.written import written_rules
from dialogkit.warehouse.connect import writing
from dialogkit.warehouse.corrections import standing_of, write_book
from dialogkit.warehouse.ddl import refresh_codebook, standing
from dialogkit.warehouse.load import has_landed, load, write_refusals
from dialogkit.warehouse.unfinished import clear_killed
from dialogkit.workspace import Workspace


def land(workspace: Workspace, forms: Sequence[str] = (), progress: Progress = SILENT) -> list[Landed]:
    """Land every batch that has not been landed, oldest first, and once more what corrections have changed since.

    Raises:
        BatchError: a batch is not whole; those before it are landed.
        RulesNotMet: a rule failed and the workspace says `on_failure = "stop"`; nothing of that batch is loaded.
        WarehouseError: the warehouse is open elsewhere.
    """
    chosen = list(forms) or forms_here(workspace)
    waiting = [path for form_id in chosen for path in batches(workspace.batches, form_id)]
    with writing(workspace.warehouse, memory_limit=workspace.config.land.memory_limit) as db:
        clear_killed(workspace.warehouse)
        fresh = [path for path in waiting if not has_landed(db, path.name)]
        done = land_batches(workspace, db, fresh, progress)
        for form_id in chosen:
            done += land_corrected(workspace, db, form_id)
        told = {landed.form_id for landed in done}
        for form_id in chosen:
            refresh_books(workspace, db, form_id, codebook=form_id not in told)
    return done


def land_batches(
    workspace: Workspace, db: duckdb.DuckDBPyConnection, paths: Sequence[Path], progress: Progress = SILENT
) -> list[Landed]:
    """Land batches into a warehouse that is open for writing, in this order; each in a transaction of its own.

    Raises: as `land`.
    """
    progress.step("land", len(paths))
    done = []
    for path in paths:
        batch = open_batch(path)
        done.append(_land_one(workspace, db, batch, book_of(workspace, batch.manifest.form_id)))
        progress.advance()
    return done


def land_corrected(workspace: Workspace, db: duckdb.DuckDBPyConnection, form_id: str) -> list[Landed]:
    """Land those submissions once more of which the ledger of corrections says something else than when they landed.

    Each is taken from the batch of its current version, on the way of every landing. Killed in between, the next
    landing goes on with those that are left.

    Raises: as `land`.
    """
    book = book_of(workspace, form_id)
    waiting: dict[str, list[str]] = {}
    for one in standing_of(db, form_id, book.keys):
        if one.digest != book.digest(one.submission_id):
            waiting.setdefault(one.batch_id, []).append(one.submission_id)
    done: list[Landed] = []
    stuck: list[str] = []
    for batch_id, ids in waiting.items():
        folder = workspace.batches / folder_name(form_id) / batch_id
        if folder.is_dir():
            done.append(_land_one(workspace, db, open_batch(folder), book, ids))
        else:
            stuck += ids
    write_book(db, form_id, book.entries, book.forced, stuck)
    return done


def refresh_books(workspace: Workspace, db: duckdb.DuckDBPyConnection, form_id: str, *, codebook: bool = True) -> None:
    """What is true of a form without any batch: what servers turned away, and what its versions say of it now.

    Args:
        workspace: where.
        db: the warehouse.
        form_id: the form.
        codebook: take over classes, concepts and labels too, which may change without a new version of the form. A
            landing of the form has just done so.
    """
    if codebook:
        _refresh_codebook(workspace, db, form_id)
    write_refusals(db, form_id, refusals(workspace.batches, form_id))


def _refresh_codebook(workspace: Workspace, db: duckdb.DuckDBPyConnection, form_id: str) -> None:
    versions, here = known_versions(workspace.versions, form_id), standing(db, form_id)
    if versions and here.tables:
        lineage = lineage_of_form(workspace, list(versions.values()))
        refresh_codebook(db, tables_of(list(versions.values()), here, lineage.same), versions, lineage)


def _land_one(
    workspace: Workspace, db: duckdb.DuckDBPyConnection, batch: Batch, book: Book, again: Sequence[str] = ()
) -> Landed:
    manifest = batch.manifest
    form_id = manifest.form_id
    known = known_versions(workspace.versions, form_id)
    # Versions that only the batch knows come first: the last one is the latest.
    forms = {version: form for version, form in batch.forms().items() if version not in known} | known
    lineage = lineage_of_form(workspace, list(forms.values()))
    here = standing(db, form_id)
    replay = book.replay(Questions(forms, lineage.same, columns_of(here)), again)

    def staged_by(how: Replay) -> Staged:
        staged = stage(db, manifest, batch.submissions, forms, here, lineage, how)
        stage_sources(db, _source_files(db, batch))
        stage_audit(db, _audit_files(db, staged, batch), staged)
        return replace(staged, media={one.version: media_of(workspace.versions, one) for one in forms.values()})

    try:
        staged = staged_by(replay)
        rules = _rules(workspace, db, staged)
        if again and any(rule.is_among_rows for rule in rules.on):
            # What was tolerated in its batch, or is there twice, is not so alone: it is judged as when it landed.
            staged = staged_by(replace(replay, beside=True))
            rules = _rules(workspace, db, staged)
        report = check(db, staged, rules.on, today=datetime.fromisoformat(manifest.started_at).date(), off=rules.off)
        if again:
            staged, report = narrow(db, staged, report, again)
        decide(db, staged, report, workspace.config.land.on_failure)
        # A correction holds from now on; the pull was before.
        return load(db, staged, replace(manifest, started_at=now()) if again else manifest, report)
    finally:
        unstage(db)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a batch, and those of its form that people turned off."""

    on: tuple[Rule, ...]
    off: tuple[Rule, ...]


def _rules(workspace: Workspace, db: duckdb.DuckDBPyConnection, staged: Staged) -> _Rules:
    """The rules of the form, of the ledger, of quality and of people for what is staged."""
    file = read_rules_file(workspace.validations / f"{staged.form_id}.toml")
    made, written = rules_of(staged), written_rules(file, staged, db)
    rules = (
        *file.overrides.apply(made),
        *correction_rules(staged),
        *written.quality,
        *written.people,
    )
    return _Rules(rules, file.overrides.off(made))


def _audit_files(db: duckdb.DuckDBPyConnection, staged: Staged, batch: Batch) -> Iterator[tuple[str, Path]]:
    for submission_id, name in audit_names(db, staged):
        yield submission_id, batch.attachment(submission_id, name)


def _source_files(db: duckdb.DuckDBPyConnection, batch: Batch) -> Iterator[tuple[str, Path]]:
    if batch.manifest.origin == "import":
        rows = db.execute("SELECT submission_id FROM stage_attachments WHERE name = ?", [SOURCES]).fetchall()
        for (submission_id,) in rows:
            yield submission_id, batch.attachment(submission_id, SOURCES)
