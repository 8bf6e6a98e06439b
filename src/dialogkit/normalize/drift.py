"""Answers at paths that no known version of the form has: counted, kept, never dropped."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from dialogkit import sql
from dialogkit.model.batch import LIST
from dialogkit.normalize.levels import Level, pointer


def stage_drift(
    db: duckdb.DuckDBPyConnection, objects: str, paths: Mapping[str, list[str]], levels: Mapping[str, Level]
) -> None:
    """Fill the temporary table `stage_drift (submission_id, row, path, raw)`.

    Args:
        db: with `stage_submissions` staged.
        objects: the table function that reads the batch's lines (`levels.read_objects`).
        paths: every path in the batch by level, from its manifest; a batch without unknown paths costs nothing.
        levels: the known levels. An unknown repeat is one drift row, its rows as JSON text.
    """
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_drift (submission_id VARCHAR, row VARCHAR, path VARCHAR, raw VARCHAR)"
    )
    for repeat, level in levels.items():
        for noted in sorted(set(paths.get(repeat, ())) - level.paths):
            path, shape = noted.removesuffix(LIST), "ARRAY" if noted.endswith(LIST) else "VARCHAR"
            db.execute(
                f"INSERT INTO stage_drift SELECT id, row, {sql.text(path)}, "
                f"json_extract_string(answers, {pointer(path)}) FROM ({_rows(repeat, levels, objects)}) "
                f"WHERE json_type(answers, {pointer(path)}) = '{shape}'"
            )


def _rows(repeat: str, levels: Mapping[str, Level], objects: str) -> str:
    """A query that gives `id, row, answers` (JSON) of every row of a level."""
    if not repeat:
        return (
            "SELECT s.submission_id AS id, '' AS row, json_extract(json, '$.answers') AS answers "
            f"FROM {objects} JOIN stage_submissions s ON s.n = CAST(json_extract(json, '$.n') AS BIGINT) "
            "WHERE s.state = 'new'"
        )
    above = next(path for path, level in levels.items() if repeat in level.children)
    rows = f"TRY_CAST(json_extract(answers, {pointer(repeat)}) AS JSON[])"
    return (
        "SELECT id, CASE WHEN row = '' THEN '' ELSE row || '/' END || position AS row, answers FROM "
        f"(SELECT id, row, unnest({rows}) AS answers, generate_subscripts({rows}, 1) AS position "
        f"FROM ({_rows(above, levels, objects)}))"
    )
