"""Snapshots for readers: a new file with accepted answers only, under a new name, and a pointer to the newest.

Tables are copied into a new file: a copy of the warehouse file itself would take held rows, identifiers and the
text of deleted rows along (landing.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
from filelock import FileLock

from dialogkit import sql
from dialogkit.bundled import bundled
from dialogkit.errors import WarehouseError
from dialogkit.files import sweep, write_whole
from dialogkit.warehouse.audit import create_audit
from dialogkit.warehouse.concepts import create_concepts
from dialogkit.warehouse.connect import new_file, none_yet, plain_errors, reading
from dialogkit.warehouse.files_view import create_files
from dialogkit.warehouse.findings import read_findings, run_findings
from dialogkit.warehouse.views import create_views

_POINTER: Final = "current.txt"
#: So many older snapshots stay, for readers that still have one open.
_KEPT: Final = 2
#: Books that hold no answer and no id.
BOOKS: Final = ("tables", "columns", "choices", "forms", "lineage", "runs")


def make_snapshot(warehouse: Path, folder: Path, findings: Path | None = None) -> Path:
    """A new snapshot of the warehouse; the pointer moves to it when it is whole.

    Args:
        warehouse: the file that landings write.
        folder: of all snapshots.
        findings: SQL files of the workspace; those that come with dialogkit when None.

    Raises:
        WarehouseError: the warehouse is not there or open elsewhere, or a finding cannot be computed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        sweep(folder)
        return _make(warehouse, folder, findings or bundled("warehouse/findings"))


def _make(warehouse: Path, folder: Path, findings: Path) -> Path:
    if not warehouse.is_file():
        raise none_yet(warehouse)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.duckdb"
    partial = folder / f".partial-{path.name}"
    with new_file(partial) as db, filling(db, warehouse, findings):
        _copy(db)
    partial.rename(path)
    write_whole(folder / _POINTER, path.name.encode())
    _forget_old(folder, path)
    return path


@contextmanager
def filling(db: duckdb.DuckDBPyConnection, warehouse: Path, findings: Path) -> Iterator[None]:
    """The block copies `accepted` and `ops` from the database `source`; all else is then made of them."""
    with plain_errors(warehouse):
        db.execute(f"ATTACH {sql.text(str(warehouse))} AS source (READ_ONLY)")
    for schema in ("accepted", "ops"):
        db.execute(f"CREATE SCHEMA {sql.name(schema)}")
    yield
    _comment(db)
    db.execute("DETACH source")
    create_concepts(db)
    create_views(db)
    run_findings(db, read_findings(findings))
    db.execute("CHECKPOINT")


def current_snapshot(folder: Path) -> Path:
    """The newest snapshot.

    Raises:
        WarehouseError: there is none yet.
    """
    with suppress(OSError):
        path = folder / (folder / _POINTER).read_text(encoding="utf-8").strip()
        if path.is_file():
            return path
    raise WarehouseError(
        "WAREHOUSE-009", "warehouse/snapshots", "There is no snapshot yet.", "Bring and land submissions: dialogkit run"
    )


@contextmanager
def open_snapshot(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The newest snapshot, read only and shut off from every other file.

    Raises:
        WarehouseError: there is none yet.
    """
    with shut_off(current_snapshot(folder)) as db:
        yield db


@contextmanager
def shut_off(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database file, read only, from which a statement reaches nothing else."""
    with reading(path) as db:
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        yield db


def accepted_tables(db: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """The tables of `source.accepted` with their columns, without any that a later version classed as an identifier."""
    rows = db.execute(
        """
        SELECT d.table_name, list(d.column_name ORDER BY d.column_index) FROM duckdb_columns() d
        WHERE d.database_name = 'source' AND d.schema_name = 'accepted' AND (d.table_name, d.column_name) NOT IN
            (SELECT (table_name, column_name) FROM source.ops.columns WHERE disclosure = 'direct')
        GROUP BY d.table_name
        """
    ).fetchall()
    return {table: tuple(columns) for table, columns in rows}


def _copy(db: duckdb.DuckDBPyConnection) -> None:
    for table, columns in accepted_tables(db).items():
        db.execute(
            f"CREATE TABLE {sql.name('accepted', table)} AS SELECT {', '.join(map(sql.name, columns))} "
            f"FROM {sql.name('source', 'accepted', table)}"
        )
    for book in BOOKS:
        db.execute(f"CREATE TABLE {sql.name('ops', book)} AS FROM {sql.name('source', 'ops', book)}")
    db.execute(
        """
        CREATE TABLE ops.received AS
        SELECT form_id, state, CASE WHEN state = 'refused' THEN reason ELSE '' END AS reason, count(*) AS n
        FROM source.ops.submissions GROUP BY ALL
        UNION ALL
        SELECT form_id, 'refused', reason, sum(n)::BIGINT FROM source.ops.refused_at_server GROUP BY ALL
        """
    )
    # Which unknown questions were answered, and how often; the answers themselves stay in the warehouse.
    db.execute("CREATE TABLE ops.drift AS SELECT form_id, path, count(*) AS n FROM source.ops.drift GROUP BY ALL")
    # Likewise which answers stand in no column, because they do not fit it.
    db.execute(
        "CREATE TABLE ops.issues AS SELECT form_id, table_name, path, kind, count(*) AS n FROM source.ops.issues "
        "GROUP BY ALL"
    )
    accepted = "SELECT form_id, submission_id FROM source.ops.versions WHERE valid_to IS NULL AND state = 'accepted'"
    create_files(db, accepted)
    create_audit(db, accepted)


def _comment(db: duckdb.DuckDBPyConnection) -> None:
    comments = db.execute(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE database_name = 'source' "
        "AND schema_name = 'accepted' AND comment IS NOT NULL AND (table_name, column_name) NOT IN "
        "(SELECT (table_name, column_name) FROM source.ops.columns WHERE disclosure = 'direct')"
    ).fetchall()
    for table, column, comment in comments:
        db.execute(f"COMMENT ON COLUMN {sql.name('accepted', table)}.{sql.name(column)} IS {sql.text(comment)}")


def _forget_old(folder: Path, newest: Path) -> None:
    others = sorted(path for path in folder.glob("*.duckdb") if path != newest and not path.name.startswith("."))
    for path in others[:-_KEPT]:
        with suppress(OSError):
            path.unlink()
