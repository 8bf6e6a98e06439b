"""What a warehouse that is made anew from its batches takes over from the old one, and whether anything is missing.

Batches tell all but what people decided, and names that have to stay. The old file is open read only for as long as
this takes, which keeps every writer out: nobody can decide something that would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.warehouse.connect import plain_errors

#: Books that give tables and columns their names, and what no landing writes anew.
_NAMES: Final = ("columns", "tables", "choices", "forms", "lineage", "refused_at_server")
_STATES: Final = {"release": "accepted", "drop": "dropped"}
#: How a landing counts what `_STATES` says: a dropped submission that comes again is known already.
_COUNTED: Final = {"release": "accepted", "drop": "already_known"}


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the old warehouse, and the batch that had brought what it was about (empty when unknown).

    `corrections` are ids of those that had changed it by then.
    """

    submission_id: str
    form_id: str
    instance_id: str
    decision: str
    reason: str
    decided_by: str
    decided_at: datetime
    corrections: str
    batch_id: str


@dataclass(frozen=True, slots=True)
class Missing:
    """What the old warehouse has and no batch on disk: submissions, and versions of submissions."""

    submissions: int = 0
    versions: int = 0

    def __bool__(self) -> bool:
        return bool(self.submissions or self.versions)


def carry_names(old: duckdb.DuckDBPyConnection, new: Path) -> None:
    """Copy the books that give names into a new warehouse in which nothing has landed.

    Args:
        old: open for reading.
        new: made and closed.
    """
    with _beside(old, new):
        for book in _NAMES:
            old.execute(f"INSERT INTO {sql.name('fresh', 'ops', book)} BY NAME FROM {sql.name('ops', book)}")


def join_columns(db: duckdb.DuckDBPyConnection, form_id: str, same: Mapping[str, str]) -> None:
    """Let questions that somebody has said to be one since they were landed share the oldest of their columns.

    Args:
        db: the new warehouse, with names carried over and nothing landed.
        form_id: the form.
        same: earlier path of a question → its newest (`model.lineage.Lineage.same`).
    """
    rows = db.execute(
        "SELECT table_name, path, kind FROM ops.columns WHERE form_id = ? ORDER BY table_name, position", [form_id]
    ).fetchall()
    kept: set[tuple[str, str, str]] = set()
    for table, path, kind in rows:
        question = (table, same.get(path, path), kind)
        if question in kept:
            where = "form_id = ? AND table_name = ? AND path = ? AND kind = ?"
            db.execute(f"DELETE FROM ops.columns WHERE {where}", [form_id, table, path, kind])
        kept.add(question)


def landing_order(old: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """When each batch was landed. Landed in this order again, they give the same history."""
    return dict(old.execute("SELECT batch_id, min(landed_at) FROM ops.runs GROUP BY ALL").fetchall())


def decisions(old: duckdb.DuckDBPyConnection) -> list[Decided]:
    """Every decision, oldest first. It was about the last version that was held by then."""
    rows = old.execute(
        """
        SELECT d.submission_id, d.form_id, d.instance_id, d.decision, d.reason, d.decided_by, d.decided_at,
            d.corrections, coalesce(arg_max(v.batch_id, v.valid_from), '')
        FROM ops.decisions d
        LEFT JOIN ops.versions v ON v.form_id = d.form_id AND v.submission_id = d.submission_id
            AND v.instance_id = d.instance_id AND v.state = 'held' AND v.valid_to >= d.decided_at
            AND (v.valid_from <= d.decided_at OR v.valid_to = v.valid_from)
        GROUP BY ALL ORDER BY d.decided_at
        """
    ).fetchall()
    return [Decided(*row) for row in rows]


def write_decisions(db: duckdb.DuckDBPyConnection, some: Sequence[Decided]) -> None:
    """Write decisions before the batch that they are about is landed: the landing then follows them."""
    for one in some:
        db.execute(
            "INSERT INTO ops.decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(one.submission_id, one.form_id, one.instance_id, one.decision, one.reason, one.decided_by),
                *(one.decided_at, one.corrections),
            ],
        )


def date_decisions(db: duckdb.DuckDBPyConnection, some: Sequence[Decided]) -> None:
    """After their batch has landed: until somebody decided, the submission was held, and the landing says so.

    One that breaks no rule any more was not held back this time.
    """
    for one in some:
        facts = {"form": one.form_id, "id": one.submission_id, "instance": one.instance_id, "batch": one.batch_id}
        facts["corrections"] = one.corrections
        decided = (
            "form_id = $form AND submission_id = $id AND coalesce(instance_id, submission_id) = $instance "
            f"AND batch_id = $batch AND valid_to IS NULL AND reason <> '' "
            f"AND state = {sql.text(_STATES[one.decision])} "
            # What was decided before a correction, or after it was taken back, is about another content.
            "AND coalesce((SELECT any_value(c.applied) FROM ops.corrected c WHERE c.form_id = $form "
            "AND c.submission_id = $id), '') = $corrections"
        )
        at = {"at": one.decided_at}
        (held,) = db.execute(
            "INSERT INTO ops.version_rows SELECT * REPLACE ('held' AS state, greatest(valid_from, $at) AS valid_to) "
            f"FROM ops.version_rows WHERE {decided}",
            facts | at,
        ).fetchone() or (0,)
        if not held:
            continue
        db.execute(
            f"UPDATE ops.version_rows SET valid_from = greatest(valid_from, $at), reason = $reason WHERE {decided}",
            facts | at | {"reason": one.reason},
        )
        counted = sql.name(_COUNTED[one.decision])
        db.execute(f"UPDATE ops.runs SET held = held + 1, {counted} = {counted} - 1 WHERE batch_id = ?", [one.batch_id])


def compare(old: duckdb.DuckDBPyConnection, new: Path) -> Missing:
    """What is missing in the new warehouse; batches keep the time when they were first landed."""
    with _beside(old, new):
        old.execute(
            "UPDATE fresh.ops.runs r SET landed_at = o.landed_at FROM ops.runs o "
            "WHERE o.batch_id = r.batch_id AND o.form_id = r.form_id"
        )
        submissions = _missing(old, "form_id, submission_id")
        return Missing(submissions, _missing(old, "form_id, coalesce(instance_id, submission_id)"))


def _missing(old: duckdb.DuckDBPyConnection, key: str) -> int:
    # The tables and not their views: those of `fresh` would be read from the old warehouse.
    (count,) = old.execute(
        f"SELECT count(*) FROM (SELECT {key} FROM ops.version_rows EXCEPT SELECT {key} FROM fresh.ops.version_rows)"
    ).fetchone() or (0,)
    return int(count)


@contextmanager
def _beside(old: duckdb.DuckDBPyConnection, new: Path) -> Iterator[None]:
    with plain_errors(new):
        old.execute(f"ATTACH {sql.text(str(new))} AS fresh")
        try:
            yield
            old.execute("CHECKPOINT fresh")
        finally:
            old.execute("DETACH fresh")


def by_batch(some: Sequence[Decided]) -> Mapping[str, Sequence[Decided]]:
    """Decisions by the batch that they are about."""
    found: dict[str, list[Decided]] = {}
    for one in some:
        found.setdefault(one.batch_id, []).append(one)
    return found
