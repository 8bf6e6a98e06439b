"""The sentence behind each value of an import: from the batch's files into a temporary table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dialogkit.errors import NormalizeError

_KEYS = ("row", "path", "how", "coded_by", "source_sentence", "source_ref")


def stage_sources(db: duckdb.DuckDBPyConnection, files: Iterable[tuple[str, Path]]) -> None:
    """Fill the temporary table `stage_sources (submission_id, row, path, how, coded_by, source_sentence, source_ref)`.

    Args:
        db: with `stage_submissions` staged.
        files: submission id and its file of sources (a JSON list of objects with the keys above), imports only.

    Raises:
        NormalizeError: a file is not such a list.
    """
    columns = ", ".join(f"{name} VARCHAR" for name in ("submission_id", *_KEYS))
    db.execute(f"CREATE OR REPLACE TEMP TABLE stage_sources ({columns})")
    for submission_id, path in files:
        try:
            rows = [[submission_id, *(str(row[key]) for key in _KEYS)] for row in json.loads(path.read_bytes())]
        except (OSError, ValueError, KeyError, TypeError):
            raise NormalizeError(
                "NORMALIZE-003",
                f"submission {submission_id}",
                "Its list of sources cannot be read.",
                "Import it again: dialogkit import",
            ) from None
        if rows:
            db.executemany("INSERT INTO stage_sources VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
