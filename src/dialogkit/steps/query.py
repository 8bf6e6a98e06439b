"""Query: a question in SQL to the newest snapshot, or to the warehouse as it was at a time, read only."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Final

import duckdb

from dialogkit.errors import WarehouseError
from dialogkit.warehouse.as_of import open_as_of, time_of
from dialogkit.warehouse.snapshot import open_snapshot
from dialogkit.workspace import Workspace

_TABLES: Final = 'See the tables with: dialogkit query "SELECT table_schema, table_name FROM information_schema.tables"'
_ABOUT_STATEMENT: Final = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
_ABOUT_VALUES: Final = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.TypeMismatchException)


def query(workspace: Workspace, statement: str, as_of: str = "") -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and rows of one statement.

    Args:
        workspace: where.
        statement: in SQL.
        as_of: a date (the end of that day in UTC) or a time with its offset; the newest snapshot when empty.

    Raises:
        WarehouseError: there is no snapshot, nothing at that time, or the statement is not one that a reader may run.
    """
    with _opened(workspace, as_of) as db:
        try:
            statements = db.extract_statements(statement)
            if len(statements) != 1:
                told = "There is more than one statement." if statements else "There is no statement."
                raise refused(told, _TABLES if not statements else "Ask one question at a time.")
            result = db.execute(statement)
            return [column[0] for column in result.description or ()], result.fetchall()
        except duckdb.Error as error:
            raise in_words(error) from None


def _opened(workspace: Workspace, as_of: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    if not as_of:
        return open_snapshot(workspace.snapshots)
    own = workspace.root / "warehouse" / "findings"
    at = time_of(as_of, datetime.now(UTC))
    return open_as_of(workspace.warehouse, workspace.snapshots, at, own if own.is_dir() else None)


def in_words(error: duckdb.Error) -> WarehouseError:
    """Only errors about the statement itself are quoted: others (casts, for one) quote answers."""
    if isinstance(error, _ABOUT_STATEMENT):
        said = str(error).split("\n\n", maxsplit=1)[0].strip()
        return refused(said.replace("\n", "\n  "), _TABLES)
    if isinstance(error, _ABOUT_VALUES):
        message = f"A value does not fit what the statement makes of it ({type(error).__name__})."
        return refused(message, "Use try_cast(… AS …) for cast: it leaves empty what does not fit.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return refused("The statement needs more memory than it may have.", "Ask for fewer rows or columns at a time.")
    message = f"The statement cannot be run here ({type(error).__name__})."
    fix = (
        "Only the tables of the snapshot can be read: no files, no settings, no changes. "
        "Where a value cannot be computed with, put TRY(…) around it."
    )
    return refused(message, fix)


def refused(message: str, fix: str) -> WarehouseError:
    """A statement that is not run, and what to do."""
    return WarehouseError("WAREHOUSE-010", "query", message, fix)
