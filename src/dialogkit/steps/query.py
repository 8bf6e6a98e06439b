"""Query: a question in SQL to the newest snapshot, read only."""

from __future__ import annotations

import duckdb

from dialogkit.errors import WarehouseError
from dialogkit.warehouse.snapshot import open_snapshot
from dialogkit.workspace import Workspace


def query(workspace: Workspace, statement: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and rows of one statement.

    Raises:
        WarehouseError: there is no snapshot, or the statement is not one that a reader may run.
    """
    with open_snapshot(workspace.snapshots) as db:
        try:
            result = db.execute(statement)
            return [column[0] for column in result.description or ()], result.fetchall()
        except duckdb.Error as error:
            raise WarehouseError(
                "WAREHOUSE-010",
                "query",
                _plain(error),
                'See the tables with: dialogkit query "SELECT schema_name, table_name FROM duckdb_tables()"',
            ) from None


def _plain(error: duckdb.Error) -> str:
    """Only errors about the statement itself are quoted: others (casts, for one) quote answers."""
    about_statement = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
    if isinstance(error, about_statement):
        return str(error).split("\n\n", maxsplit=1)[0].strip()
    return f"The statement cannot be run here ({type(error).__name__})."
