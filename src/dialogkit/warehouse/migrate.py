"""Brings the warehouse to the newest layout: each numbered SQL file runs once, in order."""

from __future__ import annotations

from typing import Final

import duckdb

from dialogkit.bundled import bundled
from dialogkit.errors import WarehouseError

_BOOK: Final = "CREATE TABLE IF NOT EXISTS main.migrations (name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"


def migrate(db: duckdb.DuckDBPyConnection, where: str) -> None:
    """Run the migrations that this file has not seen, each in a transaction.

    Raises:
        WarehouseError: a newer dialogkit has written the file.
    """
    files = {path.name: path for path in sorted(bundled("warehouse/migrations").glob("*.sql"))}
    db.execute(_BOOK)
    done = {name for (name,) in db.execute("SELECT name FROM main.migrations").fetchall()}
    if done - set(files):
        raise WarehouseError(
            "WAREHOUSE-006", where, "A newer dialogkit has written this warehouse.", "Install the newest dialogkit."
        )
    for name, path in files.items():
        if name not in done:
            db.begin()
            db.execute(path.read_text(encoding="utf-8"))
            db.execute("INSERT INTO main.migrations VALUES (?, now())", [name])
            db.commit()
