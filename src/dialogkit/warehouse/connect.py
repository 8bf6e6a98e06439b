"""Opens the warehouse: one writer, or readers, and clear words when it is open elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.warehouse.migrate import migrate

#: Written out, so that DuckDB 1.5 and 2.0 both read the file.
STORAGE: Final = "v1.5.0"
_SETTINGS: Final = ("SET TimeZone = 'UTC'", "SET preserve_insertion_order = false", "SET enable_progress_bar = false")


@contextmanager
def writing(path: Path, *, memory_limit: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse for one writer, made and brought up to date when needed.

    Raises:
        WarehouseError: another program has it open, the disk is full, or the file is not a warehouse.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _connection(path, read_only=False) as db:
        db.execute(f"SET memory_limit = {sql.text(memory_limit)}")
        db.execute(f"SET temp_directory = {sql.text(str(path.parent / '.spill'))}")
        migrate(db, path.name)
        with _plain_errors(path):
            yield db


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database file, read only.

    Raises:
        WarehouseError: it is not there, or a writer has it open.
    """
    if not path.is_file():
        raise WarehouseError(
            "WAREHOUSE-001", path.name, "There is no warehouse yet.", "Bring and land submissions: dialogkit run"
        )
    with _connection(path, read_only=True) as db, _plain_errors(path):
        yield db


@contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh database file that both supported versions of DuckDB read."""
    with _connection(path, read_only=False) as db, _plain_errors(path):
        yield db


@contextmanager
def _connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    # Attached under a name of our own, because a catalog that is named after its file could clash with a schema.
    db = duckdb.connect()
    try:
        for setting in _SETTINGS:
            db.execute(setting)
        options = "READ_ONLY" if read_only else f"STORAGE_VERSION {sql.text(STORAGE)}"
        with _plain_errors(path):
            db.execute(f"ATTACH {sql.text(str(path))} AS dialogkit ({options})")
        db.execute("USE dialogkit")
        yield db
    finally:
        with suppress(duckdb.Error):
            db.close()


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    """DuckDB's errors in our words: its own texts may quote answers."""
    try:
        yield
    except duckdb.IOException as error:
        raise _said(path, str(error)) from None
    except duckdb.OutOfMemoryException:
        raise WarehouseError(
            "WAREHOUSE-004",
            path.name,
            "There was not enough memory for this step.",
            'Allow more with memory_limit = "2GB" in the section [land] of dialogkit.toml.',
        ) from None


def _said(path: Path, text: str) -> WarehouseError:
    if "lock" in text.lower():
        holder = re.search(r"\(PID (\d+)\)", text)
        who = f" (process {holder.group(1)})" if holder else ""
        return WarehouseError(
            "WAREHOUSE-002",
            path.name,
            f"Another program has the warehouse open{who}.",
            "Close it there, then run the command again. To read while others write, use: dialogkit query",
        )
    if "no space left" in text.lower() or "disk" in text.lower():
        return WarehouseError(
            "WAREHOUSE-003",
            path.name,
            "The disk is full; nothing of this landing was written.",
            "Free some space, then run the command again: it goes on where it stopped.",
        )
    return WarehouseError(
        "WAREHOUSE-005",
        path.name,
        "The file cannot be read as a warehouse.",
        "Move it away and make it again from the batches: dialogkit land",
    )
