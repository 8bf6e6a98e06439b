"""Held submissions: listed with their reasons, released or dropped by a person who says why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.problem import Problem
from dialogkit.warehouse import history
from dialogkit.warehouse.find import find
from dialogkit.warehouse.load import WITH_ANSWERS, drop_rows

#: What to do about a note that says nothing of its own: it holds nothing, so there is nothing to release.
_NOTED: Final = "It holds nothing. Where the answer is wrong, correct it on the server or with dialogkit correct add."


@dataclass(frozen=True, slots=True)
class Held:
    """A held submission: its id, form, version, when it came, and the rules that it breaks."""

    submission_id: str
    form_id: str
    form_version: str
    submitted_at: str
    rules: tuple[str, ...]


def list_held(db: duckdb.DuckDBPyConnection, forms: Sequence[str] = ()) -> list[Held]:
    """Every held submission of the forms (of all forms when none is named), oldest first."""
    chosen = f"AND s.form_id IN ({sql.texts(forms)})" if forms else ""
    rows = db.execute(
        f"""
        SELECT s.submission_id, s.form_id, s.form_version, s.submitted_at::VARCHAR,
            list_sort(list(DISTINCT v.rule) FILTER (v.rule IS NOT NULL))
        FROM ops.submissions s
        LEFT JOIN ops.violations v ON v.submission_id = s.submission_id AND v.form_id = s.form_id AND v.action = 'hold'
        WHERE s.state = 'held' {chosen} GROUP BY ALL ORDER BY s.form_id, 4, 1
        """
    ).fetchall()
    return [Held(id_, form, version, at or "", tuple(rules or ())) for id_, form, version, at, rules in rows]


def show_held(db: duckdb.DuckDBPyConnection, submission_id: str) -> list[Problem]:
    """Every rule that a held submission breaks, with what to do; never an answer.

    Raises:
        WarehouseError: no held submission has this id.
    """
    held = _find(db, submission_id)
    rows = db.execute(
        """
        SELECT v.rule, v.action, v.path, v.row, any_value(r.message), any_value(r.fix)
        FROM ops.violations v LEFT JOIN ops.rules r ON r.form_id = v.form_id AND r.rule = v.rule
        WHERE v.submission_id = ? AND v.form_id = ? GROUP BY ALL ORDER BY v.action, v.path, v.row, v.rule
        """,
        [held.submission_id, held.form_id],
    ).fetchall()
    return [_problem(held, row) for row in rows]


def release(db: duckdb.DuckDBPyConnection, submission_id: str, reason: str, by: str) -> Held:
    """Accept a held submission as it is.

    Raises:
        WarehouseError: no held submission has this id.
    """
    held = _find(db, submission_id)
    with _one_transaction(db):
        for table in _tables(db, held.form_id):
            _move(db, table, held.submission_id)
        _decided(db, held, "release", reason, by)
    return held


def drop(db: duckdb.DuckDBPyConnection, submission_id: str, reason: str, by: str) -> Held:
    """Take a held submission out of the warehouse; its batch keeps what was received.

    Raises:
        WarehouseError: no held submission has this id.
    """
    held = _find(db, submission_id)
    with _one_transaction(db):
        drop_rows(db, _tables(db, held.form_id), sql.text(held.submission_id))
        for book in WITH_ANSWERS:
            db.execute(
                f"DELETE FROM {sql.name('ops', book)} WHERE form_id = ? AND submission_id = ?",
                [held.form_id, held.submission_id],
            )
        _decided(db, held, "drop", reason, by)
    return held


def _find(db: duckdb.DuckDBPyConnection, submission_id: str) -> Held:
    """By its whole id or by its beginning, when that is enough to tell it."""
    found = find(db, submission_id, states=("held",))
    if len(found) == 1:
        (one,) = found
        return next(held for held in list_held(db, [one.form_id]) if held.submission_id == one.submission_id)
    raise WarehouseError(
        "WAREHOUSE-008",
        f"submission {submission_id}",
        "More than one held submission begins so." if found else "No held submission has this id.",
        "See the held submissions with: dialogkit held list",
    )


def _problem(held: Held, violation: tuple[str, str, str, str, str | None, str | None]) -> Problem:
    rule, action, path, row, message, fix = violation
    # A rule about the rows of a repeat may name no question of it.
    place = ", ".join(filter(None, [path, f"row {row}" if row else ""])) or "whole submission"
    if action != "hold" and "SUBMISSION" in (fix or "SUBMISSION"):
        fix = _NOTED
    return Problem(
        code=rule.partition(":")[0],
        severity="held" if action == "hold" else "note",
        where=f"{held.form_id}, submission {held.submission_id}, {place}",
        message=json.loads(message)["en"] if message else "The rule is no longer there.",
        fix=(fix or 'dialogkit held release SUBMISSION --reason "…"').replace("SUBMISSION", held.submission_id),
    )


def _tables(db: duckdb.DuckDBPyConnection, form_id: str) -> list[str]:
    return [name for (name,) in db.execute("SELECT table_name FROM ops.tables WHERE form_id = ?", [form_id]).fetchall()]


def _move(db: duckdb.DuckDBPyConnection, table: str, submission_id: str) -> None:
    for schema in ("accepted", "identifiers"):
        names = [
            name
            for (name,) in db.execute(
                "SELECT column_name FROM duckdb_columns() WHERE schema_name = $schema AND table_name = $table "
                # A question that is an identifier now may still have a column in accepted.
                "AND NOT ($schema = 'accepted' AND column_name IN (SELECT column_name FROM ops.columns "
                "WHERE table_name = $table AND disclosure = 'direct'))",
                {"schema": schema, "table": table},
            ).fetchall()
        ]
        if not names:
            continue
        here = {
            name
            for (name,) in db.execute(
                "SELECT column_name FROM duckdb_columns() WHERE schema_name = 'held' AND table_name = ?", [table]
            ).fetchall()
        }
        values = ", ".join(sql.name(name) if name in here else "''" for name in names)
        target = ", ".join(sql.name(name) for name in names)
        said = [sql.name(name) for name in names if name not in ("_submission_id", "_row")]
        filled = f" AND coalesce({', '.join(f'{name}::VARCHAR' for name in said)}) IS NOT NULL"
        db.execute(
            f"INSERT INTO {sql.name(schema, table)} ({target}) SELECT {values} FROM {sql.name('held', table)} "
            f"WHERE _submission_id = ?{filled if schema == 'identifiers' else ''}",
            [submission_id],
        )
    drop_rows(db, [table], sql.text(submission_id), ("held",))


def _decided(db: duckdb.DuckDBPyConnection, held: Held, decision: str, reason: str, by: str) -> None:
    state = "accepted" if decision == "release" else "dropped"
    db.execute(
        "INSERT INTO ops.decisions SELECT submission_id, form_id, instance_id, ?, ?, ?, now(), coalesce(c.applied, '') "
        "FROM ops.submissions LEFT JOIN ops.corrected c USING (submission_id, form_id) "
        "WHERE submission_id = ? AND form_id = ?",
        [decision, reason, by, held.submission_id, held.form_id],
    )
    history.note_decision(db, held.form_id, held.submission_id, state, reason)


@contextmanager
def _one_transaction(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    db.begin()
    try:
        yield
    except BaseException:
        db.rollback()
        raise
    db.commit()
