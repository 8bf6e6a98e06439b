"""One batch into typed temporary tables: every answer ends in one cell, one issue or one drift row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import NormalizeError
from dialogkit.model.batch import Manifest
from dialogkit.model.form import Form
from dialogkit.model.staged import Staged
from dialogkit.model.table import MAIN_COLUMNS, Column, Kind, Standing, Table
from dialogkit.normalize.drift import stage_drift
from dialogkit.normalize.levels import Level, levels_of, read_objects, shape
from dialogkit.normalize.schema import EMPTY, kind_of, tables_of
from dialogkit.normalize.values import can_misfit, typed

_HEAD: Final = {
    "n": "BIGINT",
    "id": "VARCHAR",
    "instance_id": "VARCHAR",
    "form_version": "VARCHAR",
    "submitted_at": "VARCHAR",
    "submitter": "VARCHAR",
    "review_state": "VARCHAR",
    "edited": "BOOLEAN",
    "deleted_at": "VARCHAR",
    "refused": "VARCHAR",
    "sealed": "VARCHAR",
    "content": "VARCHAR",
    "attachments": [{"name": "VARCHAR", "size": "BIGINT", "sha256": "VARCHAR"}],
}


def stage(
    db: duckdb.DuckDBPyConnection,
    manifest: Manifest,
    lines: Path,
    forms: Mapping[str, Form],
    standing: Standing = EMPTY,
) -> Staged:
    """Type one batch into temporary tables of `db`, outside any transaction.

    Args:
        db: the warehouse; `ops.submissions` tells what is known already.
        manifest: of the batch, whose files have been compared with it.
        lines: its `submissions.ndjson.zst`.
        forms: every version of the form that this workspace knows, oldest first.
        standing: what the form has in the warehouse already.

    Raises:
        NormalizeError: the lines are not the canonical ones, or not as many as the manifest says.
    """
    tables = tables_of(list(forms.values()), standing)
    levels = levels_of(tables)
    objects = read_objects(lines, manifest.counts["largest_line"])
    _read_lines(db, objects, f"batch {manifest.batch_id}", levels)
    _stage_submissions(db, manifest)
    relations = {table.name: f"stage_t{number}" for number, table in enumerate(tables)}
    staged = Staged(manifest.form_id, manifest.batch_id, manifest.origin, forms, tables, relations)
    _stage_tables(db, staged, levels)
    _stage_issues(db, staged, levels)
    stage_drift(db, objects, manifest.paths, levels)
    return staged


def unstage(db: duckdb.DuckDBPyConnection) -> None:
    """Take away every temporary table of the last batch."""
    names = db.execute("SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name LIKE 'stage%'").fetchall()
    for (name,) in names:
        db.execute(f"DROP TABLE {sql.name(name)}")


def _read_lines(db: duckdb.DuckDBPyConnection, objects: str, where: str, levels: Mapping[str, Level]) -> None:
    structure = json.dumps(_HEAD | {"answers": shape(levels)})
    try:
        db.execute(
            f"CREATE OR REPLACE TEMP TABLE stage_raw AS SELECT unnest(json_transform(json, ?)) FROM {objects}",
            [structure],
        )
    except duckdb.InvalidInputException:
        # DuckDB's text quotes the line; it must not reach anybody.
        raise NormalizeError(
            "NORMALIZE-001",
            where,
            "The submissions of the batch cannot be read.",
            "Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full",
        ) from None


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
        """
        CREATE OR REPLACE TEMP TABLE stage_submissions AS
        SELECT r.n, r.id AS submission_id, r.instance_id, r.form_version,
            TRY_CAST(nullif(r.submitted_at, '') AS TIMESTAMPTZ) AS submitted_at, r.content,
            CASE WHEN r.n < last.n THEN 'known'
                 WHEN s.batch_id > $batch OR s.content = r.content THEN 'known'
                 WHEN r.refused <> '' THEN 'refused'
                 -- A server takes away only what came from it: another one may have the submission still.
                 WHEN r.deleted_at <> '' AND v.server NOT IN ('', $server) THEN 'known'
                 WHEN r.deleted_at <> '' THEN 'deleted'
                 ELSE 'new' END AS state,
            r.refused AS reason
        FROM stage_raw r
        JOIN (SELECT id, max(n) AS n FROM stage_raw GROUP BY id) last ON last.id = r.id
        LEFT JOIN (SELECT * FROM ops.submissions WHERE form_id = $form) s ON s.submission_id = r.id
        LEFT JOIN (SELECT submission_id, server FROM ops.versions WHERE form_id = $form AND valid_to IS NULL) v
            ON v.submission_id = r.id
        """,
        {"batch": manifest.batch_id, "form": manifest.form_id, "server": manifest.server},
    )
    # Only what is new or changed goes on; the rest needs no typing.
    db.execute("DELETE FROM stage_raw WHERE n IN (SELECT n FROM stage_submissions WHERE state <> 'new')")
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_attachments AS "
        "SELECT id AS submission_id, unnest(attachments, recursive := true) FROM stage_raw WHERE len(attachments) > 0"
    )


def _stage_tables(db: duckdb.DuckDBPyConnection, staged: Staged, levels: Mapping[str, Level]) -> None:
    for table in staged.tables:
        level, relation = levels[table.repeat], staged.relations[table.name]
        if table.repeat:
            parent = next(other for other in staged.tables if other.name == table.parent)
            _unfold(db, levels[parent.repeat], _source(staged, parent), _source(staged, table), table)
        cells = [
            f"{cell} AS {sql.name(column.name)}"
            for column, cell in zip(table.columns, _cells(staged, level), strict=True)
        ]
        own = "_submission_id, _parent_row, _row, _position" if table.repeat else _main_columns(staged)
        columns = ", ".join([own, *cells])
        db.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT {columns} FROM {_source(staged, table)}")


def _unfold(db: duckdb.DuckDBPyConnection, above: Level, source: str, target: str, table: Table) -> None:
    """One row a row of the repeat, with its place; `unnest` beside `generate_subscripts` is the quick way."""
    ids = (
        "_submission_id, _row, form_version" if above.table.repeat else "id AS _submission_id, '' AS _row, form_version"
    )
    rows = above.rows("answers", table.repeat)
    db.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        SELECT _submission_id, _row AS _parent_row,
            CASE WHEN _row = '' THEN '' ELSE _row || '/' END || _position AS _row,
            _position::INTEGER AS _position, form_version, answers
        FROM (SELECT {ids}, unnest({rows}) AS answers, generate_subscripts({rows}, 1) AS _position FROM {source})
        """
    )


def _stage_issues(db: duckdb.DuckDBPyConnection, staged: Staged, levels: Mapping[str, Level]) -> None:
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_issues "
        "(submission_id VARCHAR, table_name VARCHAR, row VARCHAR, path VARCHAR, kind VARCHAR, raw VARCHAR)"
    )
    for table in staged.tables:
        level = levels[table.repeat]
        submission, row = ("_submission_id", "_row") if table.repeat else ("id", "''")
        source, name = _source(staged, table), sql.text(table.name)
        lost = _lost(db, staged, level)
        checks = [
            f"SELECT {submission}, {name}, {row}, {sql.text(column.path)}, {sql.text(column.kind)}, {text} "
            f"FROM {source} WHERE {text} IS NOT NULL AND ({cell}) IS NULL{_only(staged, level.table, column)}"
            for column, cell in zip(table.columns, _cells(staged, level), strict=True)
            if column.name in lost
            for text in [level.text("answers", column.path)]
        ]
        for first in range(0, len(checks), 100):
            db.execute("INSERT INTO stage_issues " + " UNION ALL ".join(checks[first : first + 100]))


def _lost(db: duckdb.DuckDBPyConnection, staged: Staged, level: Level) -> set[str]:
    """Columns with fewer values than there were texts: only those need a second look, and most columns lose none."""
    columns = [column for column in level.table.columns if can_misfit(column.kind)]
    if not columns:
        return set()
    texts = ", ".join(f"count({level.text('answers', column.path)})" for column in columns)
    cells = ", ".join(f"count({sql.name(column.name)})" for column in columns)
    typed_in = sql.name(staged.relations[level.table.name])
    before = db.execute(f"SELECT {texts} FROM {_source(staged, level.table)}").fetchone() or ()
    after = db.execute(f"SELECT {cells} FROM {typed_in}").fetchone() or ()
    return {column.name for column, had, has in zip(columns, before, after, strict=True) if had != has}


def _source(staged: Staged, table: Table) -> str:
    """The temporary table that holds the untyped answers of a table's level."""
    return f"{staged.relations[table.name]}_raw" if table.repeat else "stage_raw"


def _main_columns(staged: Staged) -> str:
    values = {
        "_submission_id": "id",
        "_submitted_at": "TRY_CAST(nullif(submitted_at, '') AS TIMESTAMPTZ)",
        "_origin": sql.text(staged.origin),
    }
    return ", ".join(f"{values.get(name, name.removeprefix('_'))} AS {name}" for name in MAIN_COLUMNS)


def _cells(staged: Staged, level: Level) -> list[str]:
    cells = []
    for column in level.table.columns:
        cell = typed(column.kind, level.text("answers", column.path))
        only = _only(staged, level.table, column)
        cells.append(f"CASE WHEN true{only} THEN {cell} END" if only else cell)
    return cells


def _only(staged: Staged, table: Table, column: Column) -> str:
    """A condition for a question that changed its type: each version fills the column of its own type."""
    if sum(other.path == column.path for other in table.columns) < 2:
        return ""
    kinds: dict[str, Kind] = {
        version: kind_of(question, form)
        for version, form in staged.forms.items()
        if (question := form.by_path.get(column.path))
    }
    latest = list(kinds.values())[-1] if kinds else table.by_path[column.path].kind
    others = [version for version, kind in kinds.items() if kind != column.kind]
    mine = [version for version, kind in kinds.items() if kind == column.kind]
    if latest == column.kind:  # the latest type also takes versions that nobody knows
        return f" AND form_version NOT IN ({sql.texts(others)})" if others else ""
    return f" AND form_version IN ({sql.texts(mine)})"
