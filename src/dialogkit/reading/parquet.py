"""Tables as Parquet files: the same data give the same bytes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.files import free_name
from dialogkit.model.table import Table
from dialogkit.reading.selection import rows_of


def write_tables(db: duckdb.DuckDBPyConnection, tables: Iterable[Table], folder: Path) -> list[Path]:
    """One file a table, `<table>.parquet`; one of that name is replaced, other files stay.

    Args:
        db: a snapshot, not shut off.
        tables: to write.
        folder: made when it is not there.

    Raises:
        WarehouseError: the folder cannot be written.
    """
    taken: set[str] = set()
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in tables:
            path = folder / free_name(f"{table.name}.parquet", taken)
            taken.add(path.name.lower())
            _write(db, table, path)
            written.append(path)
    except (OSError, duckdb.IOException):
        # DuckDB's own text is kept out: `from None`.
        raise WarehouseError(
            "WAREHOUSE-057",
            str(folder),
            "The Parquet files cannot be written there.",
            "Free some space, or name a folder that you may write to.",
        ) from None
    return written


def _write(db: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    rows = rows_of(table)
    partial = path.with_name(f".partial-{secrets.token_hex(4)}")
    try:
        db.execute(
            f"COPY ({rows.query} ORDER BY {rows.order}) TO {sql.text(str(partial))} (FORMAT parquet, COMPRESSION zstd)"
        )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
