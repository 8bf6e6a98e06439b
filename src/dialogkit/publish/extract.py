"""Extracts: one CSV and one Parquet file a table, the same bytes for the same rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql

_AT_ONCE: Final = 10_000
_PLAIN_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?\Z")
#: A spreadsheet runs a cell that begins with one of these (OWASP, "CSV Injection"), full-width forms included.
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """A value as it stands in a CSV file: blank for none, codes of a list joined by a space, text made safe.

    Text that a spreadsheet would run as a formula gets an apostrophe before it, as OWASP advises; numbers stay.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return safe(" ".join(str(code) for code in value if code is not None))
    return safe(value) if isinstance(value, str) else str(value)


def safe(text: str) -> str:
    """`text` with an apostrophe before it when a spreadsheet would run it, and with LF for every line break.

    A lone CR must not stay: Python's writer does not quote it, and readers take it for the end of a row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith(_RISKY) and not _PLAIN_NUMBER.match(text):
        return "'" + text
    return text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file: UTF-8, a header, lines end with LF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([safe(column) for column in columns])
        lines.writerows([cell(value) for value in row] for row in rows)


def write_extract(db: duckdb.DuckDBPyConnection, query: str, folder: Path, stem: str) -> tuple[Path, Path]:
    """The rows of a sorted query as `<stem>.csv` and `<stem>.parquet`.

    Returns:
        Both paths.
    """
    plain, parquet = folder / f"{stem}.csv", folder / f"{stem}.parquet"
    cursor = db.execute(query)
    write_csv(plain, [column[0] for column in cursor.description or ()], _fetched(cursor))
    # One thread: several would cut the row groups where they happen to be.
    (threads,) = db.execute("SELECT current_setting('threads')").fetchone() or (1,)
    db.execute("SET threads = 1")
    db.execute(f"COPY ({query}) TO {sql.text(str(parquet))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)")
    db.execute(f"SET threads = {int(threads)}")
    return plain, parquet


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterable[Sequence[object]]:
    while rows := cursor.fetchmany(_AT_ONCE):
        yield from rows
