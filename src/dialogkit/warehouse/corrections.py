"""What the books say of the ledger: which entries a submission was landed with, and what became of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, cast

import duckdb

from dialogkit import sql
from dialogkit.model.correction import REMOVED, Entry, Outcome, State, bare
from dialogkit.model.staged import Staged

#: Current versions of which a correction can change anything: those whose answers stand in their batch.
_THERE: Final = f"(state IN ('accepted', 'held', 'dropped') OR state = 'refused' AND reason = {sql.text(REMOVED)})"
#: States of an entry that is in force and did not change the submission when that was landed.
_SETTLED: Final = ("at the source", "conflict", "superseded", "no place")
#: Places of columns in `ops.corrections`.
_ID, _PATH, _AT, _STATE, _BATCH = 2, 4, 10, 13, 14


@dataclass(frozen=True, slots=True)
class Standing:
    """A current version: its id, the batch that brought it, the entries that it was landed with.

    `digest` is of all of them, `applied` are the ids of those that changed it.
    """

    submission_id: str
    batch_id: str
    digest: str
    applied: str


def note_corrected(db: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Note what the ledger did to what this batch brings.

    Args:
        db: in the transaction that loads the batch.
        staged: the batch.
    """
    brought = "form_id = ? AND submission_id IN (SELECT submission_id FROM stage_submissions WHERE state <> 'known')"
    for book in ("corrected", "corrections"):
        db.execute(f"DELETE FROM {sql.name('ops', book)} WHERE {brought}", [staged.form_id])
    here = {id_: one for id_, one in staged.corrected.items() if one.line["refused"] in ("", REMOVED)}
    _fill(db, "corrected", [(staged.form_id, id_, one.digest, one.applied) for id_, one in here.items() if one.digest])
    rows = [_row(staged.form_id, id_, it, staged.batch_id) for id_, one in here.items() for it in one.outcomes]
    _fill(db, "corrections", rows)


def standing_of(db: duckdb.DuckDBPyConnection, form_id: str, keys: Iterable[str]) -> list[Standing]:
    """The current versions of submissions that the ledger speaks of (`keys`, without `uuid:`), or spoke of before."""
    rows = db.execute(
        f"""
        SELECT v.submission_id, v.batch_id, coalesce(c.digest, ''), coalesce(c.applied, '') FROM ops.versions v
        LEFT JOIN (FROM ops.corrected WHERE form_id = $form) c ON c.submission_id = v.submission_id
        WHERE v.form_id = $form AND v.valid_to IS NULL AND {_THERE} AND v.submission_id IN (
            SELECT unnest($ids::VARCHAR[]) UNION ALL SELECT submission_id FROM ops.corrected WHERE form_id = $form)
        ORDER BY v.batch_id, v.submission_id
        """,
        {"form": form_id, "ids": [id_ for key in sorted(set(keys)) for id_ in (key, f"uuid:{key}")]},
    ).fetchall()
    return [Standing(*row) for row in rows]


def states_of(db: duckdb.DuckDBPyConnection, form_id: str) -> dict[str, State]:
    """What became of each entry, by its id, as the book says."""
    return dict(db.execute("SELECT id, state FROM ops.corrections WHERE form_id = ?", [form_id]).fetchall())


def write_book(
    db: duckdb.DuckDBPyConnection,
    form_id: str,
    entries: Sequence[Entry],
    forced: Collection[str],
    stuck: Collection[str] = (),
) -> None:
    """Bring the book up to date with entries that no landing has met; it is left alone when nothing changes.

    Args:
        db: the warehouse, outside a transaction.
        form_id: the form.
        entries: all of the ledger.
        forced: ids of the entries that ask for something and were not undone.
        stuck: ids of submissions whose batch is not here, so that what the ledger says of them now cannot be made.
    """
    query = "SELECT * REPLACE (corrected_at::VARCHAR AS corrected_at) FROM ops.corrections WHERE form_id = ?"
    before = {row[_ID]: row for row in db.execute(query, [form_id]).fetchall()}
    if not (entries or before):
        return
    there = {bare(one.submission_id): one for one in standing_of(db, form_id, [entry.key for entry in entries])}
    after = []
    for entry in entries:
        one = there.get(entry.key)
        known = before.get(entry.id)
        state = _state(entry, entry.id in forced, one, known, one is not None and one.submission_id in stuck)
        after.append(_told(form_id, entry, state, one, known))
    facts = [(*row[:_AT], *row[_AT + 1 :]) for row in after]
    if sorted(facts) == sorted((*row[:_AT], *row[_AT + 1 :]) for row in before.values()):
        return
    db.begin()
    try:
        db.execute("DELETE FROM ops.corrections WHERE form_id = ?", [form_id])
        _fill(db, "corrections", after)
    except BaseException:
        with suppress(duckdb.Error):
            db.rollback()
        raise
    db.commit()


def _state(
    entry: Entry, is_forced: bool, standing: Standing | None, known: tuple[str, ...] | None, is_stuck: bool
) -> State:
    """What became of an entry: as the landing of its submission found it, unless something else is certain."""
    state, batch = (known[_STATE], known[_BATCH]) if known else ("waiting", "")
    if not entry.changes:
        return "kept"
    if standing is None:
        return "no place" if is_forced else "undone"
    is_made = entry.id in standing.applied.split()
    if is_stuck and is_made != is_forced and not (is_forced and batch and state in _SETTLED):
        return "no batch"
    if not is_forced:
        return "undone"
    if state == "no batch":
        return "applied" if is_made else "waiting"
    return "waiting" if state in ("kept", "undone", "no place") and not batch else cast("State", state)


def _told(
    form_id: str, entry: Entry, state: State, standing: Standing | None, known: tuple[str, ...] | None
) -> tuple[str, ...]:
    """The row of an entry in the book."""
    path, batch = (known[_PATH], known[_BATCH]) if known else (entry.question, "")
    if standing is None:
        # Deleted or refused: nothing of what it said stays in the books.
        entry = replace(entry, old_value="", new_value="")
        batch = "" if state == "no place" else batch
    submission_id = standing.submission_id if standing else entry.uuid
    return _row(form_id, submission_id, Outcome(entry, path, state), batch)


def _row(form_id: str, submission_id: str, outcome: Outcome, batch_id: str) -> tuple[str, ...]:
    """A row of `ops.corrections`, every value as text."""
    one = outcome.entry
    return (
        *(form_id, submission_id, one.id, one.row, outcome.path or one.question, one.issue, one.old_value),
        *(one.new_value, one.change_type, one.by, one.at, one.why, one.undoes, outcome.state, batch_id),
    )


def _fill(db: duckdb.DuckDBPyConnection, book: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Rows of texts in one statement: one by one they would cost more than the landing."""
    if rows:
        columns = ", ".join("unnest(?::VARCHAR[])" for _ in rows[0])
        db.execute(
            f"INSERT INTO {sql.name('ops', book)} SELECT {columns}", [list(one) for one in zip(*rows, strict=True)]
        )
