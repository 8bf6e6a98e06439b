"""Answers at paths that no known version of the form has: counted, kept, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.model.batch import LIST
from dialogkit.normalize.levels import Level, pointer

#: Paths that are looked for in one pass: more take DuckDB more memory than a landing may have.
_CHUNK: Final = 100


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
        if repeat and not any(repeat in above.filled for above in levels.values()):
            continue  # rows of it stand only where no version has them: they are drift there
        unknown = [place for noted in sorted(set(paths.get(repeat, ())) - level.paths) for place in _places(noted)]
        if unknown:
            _look(db, _rows(repeat, levels, objects), unknown)


def _places(noted: str) -> Iterator[tuple[str, str]]:
    """An unknown path as the manifest notes it, and what a row has there: rows or a text."""
    path = noted.removesuffix(LIST)
    if noted.endswith(LIST):
        yield path, "ARRAY"
    # A key from outside may look like our mark; the writer has marked it once more.
    if not noted.endswith(LIST) or path.endswith(LIST):
        yield path, "VARCHAR"


def _look(db: duckdb.DuckDBPyConnection, rows: str, unknown: Sequence[tuple[str, str]]) -> None:
    """Note what rows have at unknown paths; one list of pointers takes a row apart once for all of them."""
    for first in range(0, len(unknown), _CHUNK):
        paths, shapes = zip(*unknown[first : first + _CHUNK], strict=True)
        pointers = ", ".join(map(pointer, paths))
        db.execute(
            f"INSERT INTO stage_drift SELECT id, row, path, value ->> '$' FROM (SELECT id, row, "
            f"unnest([{sql.texts(paths)}]) AS path, unnest([{sql.texts(shapes)}]) AS shape, "
            f"unnest(json_extract(answers, [{pointers}])) AS value FROM ({rows})) WHERE json_type(value) = shape"
        )


def _rows(repeat: str, levels: Mapping[str, Level], objects: str) -> str:
    """A query that gives `id, row, answers` (JSON) of every row of a level."""
    if not repeat:
        return (
            "SELECT s.submission_id AS id, '' AS row, json_extract(json, '$.answers') AS answers "
            f"FROM {objects} JOIN stage_submissions s ON s.n = CAST(json_extract(json, '$.n') AS BIGINT) "
            "WHERE s.state = 'new'"
        )
    rows = f"TRY_CAST(json_extract(answers, {pointer(repeat)}) AS JSON[])"
    parents = [path for path, level in levels.items() if repeat in level.filled]
    return " UNION ALL ".join(
        "SELECT id, CASE WHEN row = '' THEN '' ELSE row || '/' END || position AS row, answers FROM "
        f"(SELECT id, row, unnest({rows}) AS answers, generate_subscripts({rows}, 1) AS position "
        f"FROM ({_rows(above, levels, objects)}))"
        for above in parents
    )
