"""Opens the warehouse: one writer, or readers, and clear words when it is open elsewhere."""

from __future__ import annotations

import re
import shutil
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
#: Where DuckDB puts what does not fit in memory.
SPILL: Final = ".spill"
#: Rows that are compressed together: less than a full batch, so that a full batch goes to its place in the file at once
#: rather than through the log (a quarter less CPU in a landing).
_ROW_GROUP: Final = 61_440
_FULL = re.compile("no space left|quota exceeded|file too large", re.IGNORECASE)
_DAMAGED: Final = "Corrupt database file"
_SETTINGS: Final = ("SET TimeZone = 'UTC'", "SET enable_progress_bar = false")


@contextmanager
def writing(path: Path, *, memory_limit: str = "600MB") -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse for one writer, made and brought up to date when needed.

    Raises:
        WarehouseError: another program has it open, the disk is full, or the file is not a warehouse.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)  # batches, answers and identifiers: for this user alone
    with _connection(path, read_only=False) as db:
        # What a killed landing left there holds answers; nobody else has the file open now.
        shutil.rmtree(path.parent / SPILL, ignore_errors=True)
        db.execute(f"SET memory_limit = {sql.text(memory_limit)}")
        # A batch is smaller than a row group, which is what DuckDB gives to one thread: a second one costs a quarter
        # more CPU and saves no time.
        db.execute("SET threads = 1")
        # Rows have keys, so their order says nothing; not keeping it saves a tenth of a landing's cost.
        db.execute("SET preserve_insertion_order = false")
        with plain_errors(path):
            migrate(db, path.name)
            yield db


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database file, read only.

    Raises:
        WarehouseError: it is not there, or a writer has it open.
    """
    if not path.is_file():
        raise none_yet(path)
    with _connection(path, read_only=True) as db, plain_errors(path):
        # A first landing that was killed may leave a file with nothing in it.
        if not db.execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = 'ops'").fetchone():
            raise none_yet(path)
        yield db


@contextmanager
def new_file(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A fresh database file that both supported versions of DuckDB read."""
    with _connection(path, read_only=False) as db, plain_errors(path):
        yield db


@contextmanager
def _connection(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    # Attached under a name of our own, because a catalog that is named after its file could clash with a schema.
    db = duckdb.connect()
    try:
        for setting in _SETTINGS:
            db.execute(setting)
        # Otherwise what does not fit in memory goes into the folder that somebody happens to be in.
        db.execute(f"SET temp_directory = {sql.text(str(path.parent / SPILL))}")
        options = "READ_ONLY" if read_only else f"STORAGE_VERSION {sql.text(STORAGE)}, ROW_GROUP_SIZE {_ROW_GROUP}"
        with plain_errors(path):
            db.execute(f"ATTACH {sql.text(str(path))} AS dialogkit ({options})")
        db.execute("USE dialogkit")
        yield db
    finally:
        with suppress(duckdb.Error):
            db.close()


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """DuckDB's errors in our words: its own texts may quote answers."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise WarehouseError(
            "WAREHOUSE-004",
            path.name,
            "There was not enough memory for this step.",
            'Allow more with memory_limit = "2GB" in the section [land] of dialogkit.toml.',
        ) from None
    except duckdb.Error as error:
        if not _of_the_file(error):
            raise
        raise _said(path, str(error)) from None


def _of_the_file(error: duckdb.Error) -> bool:
    """Whether an error is about the file or the disk; a commit on a full disk is an error of the transaction."""
    if isinstance(error, duckdb.TransactionException):
        return bool(_FULL.search(str(error)))
    return isinstance(error, duckdb.IOException | duckdb.FatalException) or str(error).startswith(_DAMAGED)


def none_yet(path: Path) -> WarehouseError:
    """Nothing has been landed."""
    return WarehouseError(
        "WAREHOUSE-001", path.name, "There is no warehouse yet.", "Bring and land submissions: dialogkit run"
    )


def _said(path: Path, text: str) -> WarehouseError:
    if "set lock" in text:
        holder = re.search(r"\(PID (\d+)\)", text)
        who = f" (process {holder.group(1)})" if holder else ""
        return WarehouseError(
            "WAREHOUSE-002",
            path.name,
            f"Another program has the warehouse open{who}.",
            "Close it there, then run the command again. To read while others write, use: dialogkit query",
        )
    if _FULL.search(text):
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
        "Bring back a copy. Without one, all but decisions comes back by: dialogkit land --rebuild --accept-loss",
    )
