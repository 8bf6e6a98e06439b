"""One batch into typed temporary tables: every answer ends in one cell, one issue or one drift row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import NormalizeError
from dialogkit.model.batch import Manifest
from dialogkit.model.correction import Corrected, Replay
from dialogkit.model.form import Form
from dialogkit.model.lineage import NO_LINEAGE, Lineage
from dialogkit.model.staged import Staged
from dialogkit.model.table import Standing, Table
from dialogkit.normalize.cells import Cells
from dialogkit.normalize.correcting import correct_lines, has_any, more_paths, only
from dialogkit.normalize.drift import stage_drift
from dialogkit.normalize.filling import Place, drop_lists, finish, read_lines, second_look, unfold
from dialogkit.normalize.levels import Level, levels_of, read_objects
from dialogkit.normalize.schema import EMPTY, calculated_in, tables_of

_NO_LEDGER: Final = Replay(frozenset(), lambda line: Corrected(line, (), ""))
#: Enough of a content's hash to tell versions of one submission apart.
_HASH: Final = "('0x' || r.content[:16])::UBIGINT"


def stage(  # noqa: PLR0913, PLR0917 - what a batch is typed by comes from as many places
    db: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    lines: Path,
    forms: Mapping[str, Form],
    standing: Standing = EMPTY,
    lineage: Lineage = NO_LINEAGE,
    replay: Replay = _NO_LEDGER,
) -> Staged:
    """Type one batch into temporary tables of `db`, outside any transaction.

    Args:
        db: the warehouse; `ops.versions` tells what is known already.
        manifest: of the batch, whose files have been compared with it.
        lines: its `submissions.ndjson.zst`.
        forms: every version of the form that this workspace knows, oldest first.
        standing: what the form has in the warehouse already.
        lineage: of the form over those versions; renamed questions share a column.
        replay: the corrections ledger, which changes texts before they are typed.

    Raises:
        NormalizeError: the lines are not the canonical ones, or not as many as the manifest says.
    """
    tables = tables_of(list(forms.values()), standing, lineage.same)
    objects = read_objects(lines, manifest.counts["largest_line"])
    if replay.again and not replay.beside:
        objects = only(objects, frozenset(replay.again))
    levels, places = _read(db, manifest, objects, tables, forms)
    received, corrected = objects, dict[str, Corrected]()
    if ids := has_any(db, replay.keys):
        objects, corrected = correct_lines(db, objects, ids, replay)
        manifest = dataclasses.replace(manifest, paths=more_paths(manifest.paths, corrected))
    if objects != received:
        levels, places = _read(db, manifest, objects, tables, forms)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_issues "
        "(submission_id VARCHAR, table_name VARCHAR, row VARCHAR, path VARCHAR, kind VARCHAR, raw VARCHAR)"
    )
    _stage_submissions(db, manifest, again=bool(replay.again))
    for place in places.values():
        if place.table.repeat:
            unfold(db, place, [places[name] for name in place.table.parents])
        second_look(db, place)
    drop_lists(db, places.values())
    calculated = calculated_in(forms.values())
    finished = [finish(db, place, manifest.origin, calculated) for place in places.values()]
    stage_drift(db, objects, manifest.paths, levels)
    relations = {place.table.name: place.relation for place in places.values()}
    return Staged(
        form_id=manifest.form_id,
        batch_id=manifest.batch_id,
        origin=manifest.origin,
        forms=forms,
        tables=tuple(finished),
        relations=relations,
        lineage=lineage,
        corrected=_of_new(db, corrected),
        lines=objects,
        again=bool(replay.again),
    )


def unstage(db: duckdb.DuckDBPyConnection) -> None:
    """Take away every temporary view and table of the last batch."""
    for kind in ("view", "table"):
        names = db.execute(
            f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE temporary AND starts_with({kind}_name, 'stage')"
        ).fetchall()
        for (name,) in names:
            db.execute(f"DROP {kind} {sql.name(name)}")


def _read(
    db: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    objects: str,
    tables: Sequence[Table],
    forms: Mapping[str, Form],
) -> tuple[Mapping[str, Level], Mapping[str, Place]]:
    """Fill `stage_raw` from lines; tells the levels and places that it was made for."""
    db.execute("DROP TABLE IF EXISTS stage_raw")
    levels = levels_of(tables, manifest.paths)
    places = {
        table.name: Place(number, table, Cells(levels[table.repeat], forms)) for number, table in enumerate(tables)
    }
    read_lines(db, objects, f"batch {manifest.batch_id}", levels, places[tables[0].name])
    return levels, places


def _of_new(db: duckdb.DuckDBPyConnection, corrected: Mapping[str, Corrected]) -> dict[str, Corrected]:
    """Without what this batch does not load, because a later one has brought the submission already."""
    if not corrected:
        return {}
    rows = db.execute("SELECT submission_id FROM stage_submissions WHERE state IN ('new', 'refused')").fetchall()
    fresh = {id_ for (id_,) in rows}
    return {id_: one for id_, one in corrected.items() if id_ in fresh}


def _stage_submissions(db: duckdb.DuckDBPyConnection, manifest: Manifest, *, again: bool) -> None:
    (count,) = db.execute("SELECT count(*) FROM stage_raw WHERE id <> ''").fetchone() or (0,)
    if count != manifest.counts["submissions"] and not again:
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
    # What is landed again after a correction has the content that is known.
    known = "false" if again else f"v.batch_id > $batch OR v.content = {_HASH}"
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE stage_submissions AS
        SELECT r.n, r.id AS submission_id, r.instance_id, r.form_version,
            TRY_CAST(nullif(r.submitted_at, '') AS TIMESTAMPTZ) AS submitted_at, {_HASH} AS content,
            CASE WHEN r.n < last.n THEN 'known'
                 WHEN {known} THEN 'known'
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
        {"server": manifest.server} | ({} if again else {"batch": manifest.batch_id}),
    )
    # Only what is new or changed goes on.
    others = "SELECT n FROM stage_submissions WHERE state <> 'new'"
    if db.execute(f"{others} LIMIT 1").fetchone():
        db.execute(f"DELETE FROM stage_raw WHERE n IN ({others})")
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_attachments AS "
        "SELECT id AS submission_id, unnest(attachments, recursive := true) FROM stage_raw WHERE len(attachments) > 0"
    )
