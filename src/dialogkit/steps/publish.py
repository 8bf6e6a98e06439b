"""Publish: a release from the newest snapshot, searched for what must not be in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from shutil import rmtree

import duckdb
from filelock import FileLock, Timeout

from dialogkit import sql
from dialogkit.errors import ReleaseRefused
from dialogkit.files import sha256_of
from dialogkit.model.table import COMPANIONS
from dialogkit.publish.release import Release, Request, write_release
from dialogkit.warehouse.connect import reading
from dialogkit.warehouse.snapshot import current_snapshot
from dialogkit.workspace import Workspace

__all__ = ["Release", "identifiers", "publish"]


def publish(workspace: Workspace, *, to: Path | None, sign_off: str | None, today: date) -> Release:
    """Write a release of what was agreed to be published.

    Args:
        workspace: with a snapshot.
        to: the folder; by default `releases/<date>-<n>` with the first n that is free.
        sign_off: who answers for it; None when nobody has signed.
        today: the date that the release bears.

    Raises:
        ReleaseRefused: something stands in the way (the codes say what); no folder is left behind.
        WarehouseError: there is no snapshot yet, or the warehouse is open elsewhere.
    """
    snapshot = current_snapshot(workspace.snapshots)
    try:
        with FileLock(workspace.warehouse.with_name(".publish.lock"), timeout=0), reading(snapshot) as db:
            target = to or _next(workspace.releases, today)
            _clear(target)
            return write_release(
                db,
                Request(
                    target=target,
                    title=workspace.config.workspace.name,
                    licence=workspace.config.publish.licence,
                    smallest_cell=workspace.config.publish.smallest_cell,
                    sign_off=sign_off,
                    today=today,
                    snapshot=snapshot.name,
                    snapshot_sha256=sha256_of(snapshot),
                    identifiers=identifiers(workspace.warehouse),
                ),
            )
    except Timeout:
        raise ReleaseRefused(
            "RELEASE-012", "releases", "Another release is being written.", "Wait until it is done, then publish again."
        ) from None


def identifiers(warehouse: Path) -> dict[str, str]:
    """Every value of an identifier that has landed, with the form and question that it answered.

    Names of instances (`meta/instanceName`) are left out: they are put together from answers, whose own values are
    searched where those are identifiers, and are nothing to hide where they are not.
    """
    found: dict[str, str] = {}
    with reading(warehouse) as db:
        for table, column, where, kind in _columns(db):
            values = f"unnest({sql.name(column)})" if kind.endswith("[]") else sql.name(column)
            for (value,) in db.execute(f"SELECT DISTINCT {values} FROM {sql.name('identifiers', table)}").fetchall():
                if value:
                    found[value] = where
    return found


def _columns(db: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str, str]]:
    yield from db.execute(
        f"""
        SELECT d.table_name, d.column_name, concat(c.form_id, ', ', c.path), d.data_type
        FROM duckdb_columns() d JOIN ops.columns c ON c.table_name = d.table_name AND c.column_name = d.column_name
        WHERE d.database_name = current_database() AND d.schema_name = 'identifiers'
          AND d.data_type IN ('VARCHAR', 'VARCHAR[]') AND c.path <> 'meta/instanceName'
          AND c.kind NOT IN ({sql.texts(sorted(COMPANIONS))})
        ORDER BY ALL
        """
    ).fetchall()


def _next(releases: Path, today: date) -> Path:
    number = 1
    while (releases / f"{today.isoformat()}-{number}").exists():
        number += 1
    return releases / f"{today.isoformat()}-{number}"


def _clear(target: Path) -> None:
    """Take away what a killed run left of this very release."""
    for leftover in target.parent.glob(f".partial-*-{target.name}"):
        rmtree(leftover, ignore_errors=True)
