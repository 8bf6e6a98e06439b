"""An SQLAlchemy dialect over a DuckDB connection that is lent, for Great Expectations.

Only the connection that staged a batch sees its temporary tables, so that one is handed out. Transactions do nothing: a
rollback between two queries would discard what is still to be read (landing.md, "Validation"). duckdb-engine is not
used: it hangs functions of its own on SQLAlchemy's classes, which keeps DuckDB's types alive until the interpreter has
ended, and DuckDB 2 then prints forty lines about it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import duckdb
from sqlalchemy import Connection, pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.types import NullType

_LENT: Final[dict[str, duckdb.DuckDBPyConnection]] = {}
#: Raised by Python's database modules; SQLAlchemy looks for each by name.
_ERRORS: Final = dict.fromkeys(
    ("Error", "DatabaseError", "OperationalError", "ProgrammingError", "IntegrityError", "InterfaceError", "DataError"),
    duckdb.Error,
)


class _Cursor:
    """A result that is read at once: the connection has room for one result only."""

    arraysize, rowcount = 1, -1

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self._rows: list[tuple[Any, ...]] = []
        self.description: Sequence[Any] | None = None

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Run a statement."""
        self._db.execute(statement, list(parameters))
        self.description = self._db.description
        self._rows = self._db.fetchall() if self.description else []

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Forget what is left."""
        self._rows = []


class _Lent:
    """What SQLAlchemy takes for a connection of its own."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db

    def cursor(self) -> _Cursor:
        """A cursor over the lent connection itself: one made by DuckDB would not see temporary tables."""
        return _Cursor(self._db)

    def commit(self) -> None:
        """Nothing: rules are checked outside any transaction."""

    rollback = close = commit


class LentDialect(PGDialect):
    """DuckDB speaks PostgreSQL's SQL; what it has in tables is asked of DuckDB itself."""

    name = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = False
    supports_server_side_cursors = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """What a database module must have."""
        return SimpleNamespace(paramstyle="qmark", apilevel="2.0", threadsafety=1, **_ERRORS)

    @classmethod
    def get_pool_class(cls, url: object) -> type[pool.Pool]:
        """One connection for all."""
        return pool.StaticPool

    def connect(self, *_args: Any, **params: Any) -> Any:
        """The lent connection."""
        return _Lent(_LENT[params["database"]])

    def initialize(self, connection: Connection) -> None:
        """Nothing to ask of the server."""

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **_kw: Any) -> bool:
        """Whether a table or view has this name."""
        found = connection.exec_driver_sql("SELECT 1 FROM duckdb_columns() WHERE table_name = ? LIMIT 1", (table_name,))
        return found.first() is not None

    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **_kw: Any) -> Any:
        """Names of the columns; what type they have is asked by no rule."""
        found = connection.exec_driver_sql(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", (table_name,)
        )
        return [{"name": name, "type": NullType(), "nullable": True, "default": None} for (name,) in found]

    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **_kw: Any) -> Any:
        """None: these are views and temporary tables. PostgreSQL's question would cost more than a rule."""
        return {"constrained_columns": [], "name": None}


registry.register("dialogkit.lent", __name__, "LentDialect")


@contextmanager
def lent(db: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """While it lasts, an address under which SQLAlchemy finds this connection."""
    handle = uuid.uuid4().hex
    _LENT[handle] = db
    try:
        yield f"dialogkit+lent:///{handle}"
    finally:
        del _LENT[handle]
