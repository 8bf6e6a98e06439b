"""Puts corrected lines in the place of those of a batch, before anything of them is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.model.correction import Corrected, Replay, bare

#: Lines that the ledger changed.
_LINES: Final = "stage_lines"
_ID: Final = "json_extract_string(json, '$.id')"
_N: Final = "CAST(json_extract(json, '$.n') AS BIGINT)"


def lines_of(db: duckdb.DuckDBPyConnection, objects: str, ids: frozenset[str]) -> list[dict[str, Any]]:
    """The canonical lines of some submissions, in the order of the batch.

    Args:
        db: any connection.
        objects: the table function that reads the batch's lines (`levels.read_objects`).
        ids: with or without `uuid:`.
    """
    wanted = sql.texts(sorted({bare(one) for one in ids}))
    rows = db.execute(
        f"SELECT json::VARCHAR FROM {objects} WHERE regexp_replace({_ID}, '^uuid:', '') IN ({wanted}) ORDER BY {_N}"
    ).fetchall()
    return [json.loads(text) for (text,) in rows]


def only(objects: str, ids: frozenset[str]) -> str:
    """The lines of some submissions, as `read_objects` gives all of them."""
    return f"(SELECT json FROM {objects} WHERE {_ID} IN ({sql.texts(sorted(ids))}))"


def has_any(db: duckdb.DuckDBPyConnection, keys: frozenset[str]) -> frozenset[str]:
    """Which staged submissions are meant by ids without `uuid:`; asked of `stage_raw`, so no line is read for it."""
    if not keys:
        return frozenset()
    rows = db.execute(
        "SELECT DISTINCT id FROM stage_raw WHERE regexp_replace(id, '^uuid:', '') IN (SELECT unnest($keys::VARCHAR[]))",
        {"keys": sorted(keys)},
    ).fetchall()
    return frozenset(id_ for (id_,) in rows)


def correct_lines(
    db: duckdb.DuckDBPyConnection, objects: str, ids: frozenset[str], replay: Replay
) -> tuple[str, dict[str, Corrected]]:
    """Correct the lines of some submissions.

    Returns:
        What reads the lines of the batch with the corrected ones among them, and what the ledger did to the last line
        of each submission.
    """
    every = [(line, replay.correct(line)) for line in lines_of(db, objects, ids)]
    changed = [one.line for line, one in every if one.line != line]
    if changed:
        texts = [json.dumps(line, ensure_ascii=False) for line in changed]
        db.execute(f"CREATE OR REPLACE TEMP TABLE {_LINES} AS SELECT unnest(?::VARCHAR[])::JSON AS json", [texts])
        numbers = ", ".join(str(int(line["n"])) for line in changed)
        objects = f"(SELECT json FROM {objects} WHERE {_N} NOT IN ({numbers}) UNION ALL SELECT json FROM {_LINES})"
    return objects, {one.line["id"]: one for _, one in every}


def more_paths(paths: Mapping[str, list[str]], corrected: Mapping[str, Corrected]) -> dict[str, list[str]]:
    """The paths of a batch, with those that only a correction answers."""
    every = {level: set(some) for level, some in paths.items()}
    for one in corrected.values():
        for level, some in one.added.items():
            every.setdefault(level, set()).update(some)
    return {level: sorted(some) for level, some in every.items()}


def ids_that_begin(db: duckdb.DuckDBPyConnection, objects: str, begins: str) -> set[str]:
    """Ids of a batch that begin so, `uuid:` left aside.

    Args:
        db: any connection.
        objects: as `lines_of`.
        begins: without `uuid:`.
    """
    query = f"SELECT DISTINCT {_ID} FROM {objects} WHERE starts_with(regexp_replace({_ID}, '^uuid:', ''), ?)"
    return {id_ for (id_,) in db.execute(query, [begins]).fetchall()}
