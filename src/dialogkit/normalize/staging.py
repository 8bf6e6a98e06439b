"""One batch into typed temporary tables: every answer ends in one cell, one issue or one drift row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import NormalizeError
from dialogkit.model.batch import Manifest
from dialogkit.model.form import Form
from dialogkit.model.lineage import NO_LINEAGE, Lineage
from dialogkit.model.staged import Staged
from dialogkit.model.table import Standing
from dialogkit.normalize.cells import Cells
from dialogkit.normalize.drift import stage_drift
from dialogkit.normalize.filling import Place, drop_lists, finish, read_lines, second_look, unfold
from dialogkit.normalize.levels import levels_of, read_objects
from dialogkit.normalize.schema import EMPTY, calculated_in, tables_of

#: Enough of a content's hash to tell versions of one submission apart.
_HASH: Final = "('0x' || r.content[:16])::UBIGINT"


def stage(
    db: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    lines: Path,
    forms: Mapping[str, Form],
    standing: Standing = EMPTY,
    lineage: Lineage = NO_LINEAGE,
) -> Staged:
    """Type one batch into temporary tables of `db`, outside any transaction.

    Args:
        db: the warehouse; `ops.versions` tells what is known already.
        manifest: of the batch, whose files have been compared with it.
        lines: its `submissions.ndjson.zst`.
        forms: every version of the form that this workspace knows, oldest first.
        standing: what the form has in the warehouse already.
        lineage: of the form over those versions; renamed questions share a column.

    Raises:
        NormalizeError: the lines are not the canonical ones, or not as many as the manifest says.
    """
    tables = tables_of(list(forms.values()), standing, lineage.same)
    levels = levels_of(tables, manifest.paths)
    places = {
        table.name: Place(number, table, Cells(levels[table.repeat], forms)) for number, table in enumerate(tables)
    }
    objects = read_objects(lines, manifest.counts["largest_line"])
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_issues "
        "(submission_id VARCHAR, table_name VARCHAR, row VARCHAR, path VARCHAR, kind VARCHAR, raw VARCHAR)"
    )
    read_lines(db, objects, f"batch {manifest.batch_id}", levels, places[tables[0].name])
    _stage_submissions(db, manifest)
    for place in places.values():
        if place.table.repeat:
            unfold(db, place, [places[name] for name in place.table.parents])
        second_look(db, place)
    drop_lists(db, places.values())
    calculated = calculated_in(forms.values())
    finished = [finish(db, place, manifest.origin, calculated) for place in places.values()]
    stage_drift(db, objects, manifest.paths, levels)
    relations = {place.table.name: place.relation for place in places.values()}
    return Staged(manifest.form_id, manifest.batch_id, manifest.origin, forms, tuple(finished), relations, lineage)


def unstage(db: duckdb.DuckDBPyConnection) -> None:
    """Take away every temporary view and table of the last batch."""
    for kind in ("view", "table"):
        names = db.execute(
            f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE temporary AND starts_with({kind}_name, 'stage')"
        ).fetchall()
        for (name,) in names:
            db.execute(f"DROP {kind} {sql.name(name)}")


def _stage_submissions(db: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    (count,) = db.execute("SELECT count(*) FROM stage_raw WHERE id <> ''").fetchone() or (0,)
    if count != manifest.counts["submissions"]:
        raise NormalizeError(
            "NORMALIZE-002",
            f"batch {manifest.batch_id}",
            f"The manifest names {manifest.counts['submissions']} submissions, the file has {count}.",
            "Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full",
        )
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_known AS SELECT submission_id, batch_id, content, server, valid_from "
        "FROM ops.versions WHERE form_id = ? AND valid_to IS NULL AND submission_id IN (SELECT id FROM stage_raw)",
        [manifest.form_id],
    )
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE stage_submissions AS
        SELECT r.n, r.id AS submission_id, r.instance_id, r.form_version,
            TRY_CAST(nullif(r.submitted_at, '') AS TIMESTAMPTZ) AS submitted_at, {_HASH} AS content,
            CASE WHEN r.n < last.n THEN 'known'
                 WHEN v.batch_id > $batch OR v.content = {_HASH} THEN 'known'
                 WHEN r.refused <> '' THEN 'refused'
                 -- A server takes away only what came from it: another one may have the submission still.
                 WHEN r.deleted_at <> '' AND v.server NOT IN ('', $server) THEN 'known'
                 WHEN r.deleted_at <> '' THEN 'deleted'
                 ELSE 'new' END AS state,
            r.refused AS reason
        FROM stage_raw r
        JOIN (SELECT id, max(n) AS n FROM stage_raw GROUP BY id) last ON last.id = r.id
        LEFT JOIN stage_known v ON v.submission_id = r.id
        """,
        {"batch": manifest.batch_id, "server": manifest.server},
    )
    # Only what is new or changed goes on.
    others = "SELECT n FROM stage_submissions WHERE state <> 'new'"
    if db.execute(f"{others} LIMIT 1").fetchone():
        db.execute(f"DELETE FROM stage_raw WHERE n IN ({others})")
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_attachments AS "
        "SELECT id AS submission_id, unnest(attachments, recursive := true) FROM stage_raw WHERE len(attachments) > 0"
    )
