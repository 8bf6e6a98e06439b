"""Which snapshot a path means; the warehouse file itself is not for readers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from os import PathLike
from pathlib import Path
from typing import Final

import duckdb

from dialogkit.errors import ConfigError, WarehouseError
from dialogkit.warehouse.snapshot import current_snapshot, shut_off
from dialogkit.workspace import open_workspace

#: What a snapshot holds that is read here.
_BOOKS: Final = frozenset({"tables", "columns", "choices", "forms", "received"})
#: Schemas of the warehouse file that no snapshot has.
_CLOSED: Final = frozenset({"held", "identifiers"})


def snapshot_at(path: Path) -> Path:
    """The file to read.

    Args:
        path: of a workspace or a folder in it, of a folder of snapshots, or of one snapshot.

    Raises:
        ConfigError: the folder is in no workspace.
        WarehouseError: nothing is there, there is no snapshot yet, or the path is the warehouse file itself.
    """
    if _is(path.is_file):
        _check_place(path)
        return path
    if not _is(path.is_dir):
        raise WarehouseError(
            "WAREHOUSE-052",
            str(path),
            "There is no such folder or file.",
            "Name the folder of a workspace, its folder warehouse/snapshots, or one file in it.",
        )
    with suppress(WarehouseError):
        return current_snapshot(path)
    return current_snapshot(open_workspace(path).snapshots)


def at_home(path: str | PathLike[str]) -> Path:
    """The path with `~` for somebody's home; left as it is where nobody has one."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def _is(asked: Callable[[], bool]) -> bool:
    """No file system takes a name of any length."""
    try:
        return asked()
    except OSError:
        return False


def open_shut_off(stack: ExitStack, path: Path) -> duckdb.DuckDBPyConnection:
    """A snapshot, read only and shut off from every other file, until the stack is closed.

    Raises:
        WarehouseError: it is the warehouse file (or a copy of it), or no snapshot at all.
    """
    try:
        db = stack.enter_context(shut_off(path))
    except WarehouseError as error:
        # What those say is meant for the warehouse.
        if error.code in {"WAREHOUSE-001", "WAREHOUSE-005"}:
            raise _no_snapshot(path) from None
        raise
    except duckdb.Error:  # a file of another kind, which DuckDB 2 tries to read all the same
        raise _no_snapshot(path) from None
    _check(db, path)
    return db


def _check(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    rows = db.execute("SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()")
    if _CLOSED & {schema for (schema,) in rows.fetchall()}:
        raise _the_warehouse(path)
    books = db.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'ops'"
    )
    if _BOOKS - {table for (table,) in books.fetchall()}:
        raise _no_snapshot(path)


def _check_place(path: Path) -> None:
    """The warehouse of a workspace is not even opened: a landing that begins meanwhile would find it taken."""
    with suppress(ConfigError):
        warehouse = open_workspace(path.parent).warehouse
        if warehouse.exists() and path.samefile(warehouse):
            raise _the_warehouse(path)


def _the_warehouse(path: Path) -> WarehouseError:
    return WarehouseError(
        "WAREHOUSE-050",
        path.name,
        "This is the warehouse itself, with identifiers and held submissions; it is not for readers.",
        'Open the folder of the workspace, dialogkit.open("FOLDER"), or a file in its warehouse/snapshots.',
    )


def _no_snapshot(path: Path) -> WarehouseError:
    return WarehouseError(
        "WAREHOUSE-051",
        path.name,
        "This file is not a snapshot, or another version of dialogkit made it.",
        "Make a new snapshot: dialogkit run",
    )
