"""The warehouse as it was at a time: a snapshot for one query, of current and replaced versions, then taken away."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
from filelock import FileLock, Timeout

from dialogkit import sql
from dialogkit.bundled import bundled
from dialogkit.errors import WarehouseError
from dialogkit.model.table import HISTORY_COLUMNS
from dialogkit.warehouse.audit import create_audit
from dialogkit.warehouse.connect import new_file, reading
from dialogkit.warehouse.files_view import create_files
from dialogkit.warehouse.history import check_history
from dialogkit.warehouse.snapshot import BOOKS, accepted_tables, filling, shut_off

#: Beside the snapshots. Each query has a folder of its own in it, locked while it runs.
FOLDER: Final = ".as-of"
_LOCK: Final = ".lock"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_HELD_THEN: Final = (
    "valid_from <= $at AND (valid_to IS NULL OR valid_to > $at)"
    # Its answers were taken away since: it is counted as if it had never come.
    " AND content IS NOT NULL"
)


def time_of(text: str, now: datetime) -> datetime:
    """The time that somebody means by `2026-10-01` (the end of that day in UTC) or by a time with its offset.

    Raises:
        WarehouseError: WAREHOUSE-030, it is neither; WAREHOUSE-031, it is still to come.
    """
    is_day = bool(_DAY.fullmatch(text))
    at = _moment(f"{text}T23:59:59.999999Z" if is_day else text)
    if at is None:
        raise WarehouseError(
            "WAREHOUSE-030",
            "--as-of",
            "This is not a date, and not a time with its offset from UTC.",
            "Write a date (2026-10-01: the end of that day, UTC) or a time such as 2026-10-01T12:00:00Z.",
        )
    # The end of today is still to come, and what is asked for is today so far.
    if at.date() > now.date() if is_day else at > now:
        raise WarehouseError(
            "WAREHOUSE-031", "--as-of", "This time is still to come.", "Leave out --as-of for the newest snapshot."
        )
    return at


@contextmanager
def open_as_of(
    warehouse: Path, snapshots: Path, at: datetime, findings: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables as they were at a time, read only and shut off from every other file.

    Args:
        warehouse: the file that landings write.
        snapshots: the folder of all snapshots; what this needs lies beside them until the block ends.
        at: the time.
        findings: SQL files of the workspace; those that come with dialogkit when None.

    Raises:
        WarehouseError: the warehouse is not there, open elsewhere, has no history yet (WAREHOUSE-033), or nothing
            had come by then (WAREHOUSE-032).
    """
    _check(warehouse, at)
    with _own_folder(snapshots / FOLDER) as folder:
        path = folder / "as-of.duckdb"
        with new_file(path) as db, filling(db, warehouse, findings or bundled("warehouse/findings")):
            _copy(db, at)
        with shut_off(path) as db:
            yield db


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _check(warehouse: Path, at: datetime) -> None:
    with reading(warehouse) as db:
        check_history(db, warehouse.name)
        (first,) = db.execute("SELECT min(valid_from)::VARCHAR FROM ops.versions").fetchone() or (None,)
        if first is None or not db.execute("SELECT 1 FROM ops.versions WHERE valid_from <= ?", [at]).fetchone():
            begins = f"The history begins at {first}." if first else "There is nothing in it yet."
            raise WarehouseError(
                "WAREHOUSE-032", "--as-of", f"Nothing had come at that time. {begins}", "Ask for a later time."
            )


def _copy(db: duckdb.DuckDBPyConnection, at: datetime) -> None:
    facts = {"at": at}
    db.execute(
        "CREATE TEMP TABLE held_then AS SELECT form_id, submission_id, state, reason, valid_to IS NULL AS still "
        f"FROM source.ops.versions WHERE {_HELD_THEN}",
        facts,
    )
    history = _history(db)
    for table, columns in accepted_tables(db).items():
        _copy_table(db, table, {name: name in history.get(table, ()) for name in columns}, at)
    for book in BOOKS:
        chosen = "WHERE landed_at <= $at" if book == "runs" else ""
        db.execute(
            f"CREATE TABLE {sql.name('ops', book)} AS FROM {sql.name('source', 'ops', book)} {chosen}",
            facts if chosen else None,
        )
    # What servers turned away themselves is known as a total of today only, so it is left out.
    db.execute(
        "CREATE TABLE ops.received AS SELECT form_id, state, CASE WHEN state = 'refused' THEN reason ELSE '' END "
        "AS reason, count(*) AS n FROM held_then GROUP BY ALL"
    )
    # Of replaced versions it is no longer known.
    for book, facts_of in (("drift", "form_id, path"), ("issues", "form_id, table_name, path, kind")):
        db.execute(
            f"CREATE TABLE {sql.name('ops', book)} AS SELECT {facts_of}, count(*) AS n "
            f"FROM {sql.name('source', 'ops', book)} d SEMI JOIN (FROM held_then WHERE still) h "
            "ON h.form_id = d.form_id AND h.submission_id = d.submission_id GROUP BY ALL"
        )
    # Files and times of replaced versions are not kept; those of a later version would be the wrong ones.
    accepted = "SELECT form_id, submission_id FROM held_then WHERE still AND state = 'accepted'"
    create_files(db, accepted)
    create_audit(db, accepted)
    db.execute("DROP TABLE held_then")


def _copy_table(db: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, bool], at: datetime) -> None:
    """What of a table is accepted since before `at`, and what was replaced after it.

    Args:
        db: the new file.
        table: its name.
        columns: name → whether the history has it.
        at: the time.
    """
    target = sql.name("accepted", table)
    db.execute(
        f"CREATE TABLE {target} AS SELECT {', '.join(map(sql.name, columns))} "
        f"FROM {sql.name('source', 'accepted', table)} WHERE _submission_id IN (SELECT submission_id FROM held_then "
        "WHERE still AND state = 'accepted' AND form_id = "
        f"(SELECT form_id FROM source.ops.tables WHERE table_name = {sql.text(table)}))"
    )
    if kept := [name for name, known in columns.items() if known]:
        db.execute(
            f"INSERT INTO {target} BY NAME SELECT {', '.join(map(sql.name, kept))} "
            f"FROM {sql.name('source', 'history', table)} WHERE _valid_from <= $at AND _valid_to > $at",
            {"at": at},
        )


def _history(db: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    rows = db.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() "
        "WHERE database_name = 'source' AND schema_name = 'history' GROUP BY table_name"
    ).fetchall()
    return {table: tuple(name for name in columns if name not in HISTORY_COLUMNS) for table, columns in rows}


@contextmanager
def _own_folder(base: Path) -> Iterator[Path]:
    """A folder for this user alone, taken away afterwards; what killed queries left goes too."""
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = base / secrets.token_hex(8)
    mine = FileLock(folder / _LOCK)
    with FileLock(base / _LOCK):
        _sweep(base)
        folder.mkdir(mode=0o700)
        mine.acquire()
    try:
        yield folder
    finally:
        mine.release()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    for folder in base.iterdir():
        if not folder.is_dir():
            continue
        lock = FileLock(folder / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue  # a query that still runs
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
