"""What submissions were before: a row for each version, and the answers of those that were replaced.

A version holds from the time of the pull that brought it until that of the pull that brought the next. Answers of
replaced versions move from `accepted` to `history`; those of held ones stay in their batch only, and identifiers of
replaced versions nowhere. A submission whose newest version refuses loses all of its answers; one that a correction
took out does not, for the correction may be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.model.batch import Manifest
from dialogkit.model.correction import REMOVED
from dialogkit.model.staged import Staged
from dialogkit.model.table import HISTORY_COLUMNS
from dialogkit.warehouse.find import find

#: Submissions that a batch brings anew, and which of them it refuses: queries over what `find_replaced` made.
REPLACED: Final = "SELECT submission_id FROM stage_replaced"
REFUSED: Final = f"{REPLACED} WHERE refused"
#: States of a submission that is still there.
_THERE: Final = ("accepted", "held", "dropped")


def find_replaced(db: duckdb.DuckDBPyConnection) -> int:
    """Note which submissions a batch brings anew, and from when their versions hold; tells how many."""
    db.execute(
        """
        CREATE OR REPLACE TEMP TABLE stage_replaced AS
        SELECT s.submission_id, bool_or(s.state = 'refused' AND s.reason <> $removed) AS refused,
            max(k.valid_from) AS since
        FROM stage_submissions s JOIN stage_known k ON k.submission_id = s.submission_id
        WHERE s.state <> 'known' GROUP BY s.submission_id
        """,
        {"removed": REMOVED},
    )
    (count,) = db.execute("SELECT count(*) FROM stage_replaced").fetchone() or (0,)
    return int(count)


def move_replaced(db: duckdb.DuckDBPyConnection, staged: Staged, at: str) -> None:
    """Copy accepted answers of what is replaced into `history`, and end those versions.

    Nothing of a submission that the batch refuses is copied, and the hashes of what it said go: whoever guesses the
    answers could prove them by a hash.

    Args:
        db: in the transaction of a landing, after `find_replaced`.
        staged: the batch.
        at: the time of the pull. A clock that went back ends a version at its beginning, never before.
    """
    for table in staged.tables:
        _widen(db, table.name)
        db.execute(
            f"INSERT INTO {sql.name('history', table.name)} BY NAME "
            "SELECT a.*, r.since AS _valid_from, greatest(r.since, $at::TIMESTAMPTZ) AS _valid_to "
            f"FROM {sql.name('accepted', table.name)} a "
            "JOIN stage_replaced r ON r.submission_id = a._submission_id WHERE NOT r.refused",
            {"at": at},
        )
    facts = {"at": at, "form": staged.form_id}
    db.execute(
        "UPDATE ops.version_rows SET valid_to = greatest(valid_from, $at::TIMESTAMPTZ) "
        f"WHERE form_id = $form AND valid_to IS NULL AND submission_id IN ({REPLACED})",
        facts,
    )
    db.execute(
        "UPDATE ops.version_rows SET content = NULL, fingerprint = NULL "
        f"WHERE form_id = ? AND submission_id IN ({REFUSED})",
        [staged.form_id],
    )


def write_versions(db: duckdb.DuckDBPyConnection, staged: Staged, manifest: Manifest) -> None:
    """One row for each submission that this batch brought; `ops.submissions` shows those that hold."""
    main = sql.name(staged.relations[staged.tables[0].name])
    db.execute(
        f"""
        INSERT INTO ops.version_rows
        SELECT s.submission_id, $form, nullif(s.instance_id, s.submission_id), s.content, s.form_version,
            s.submitted_at, $origin, coalesce(d.state, s.state), coalesce(d.reason, s.reason), $batch, $server,
            coalesce(m._review_state, ''), coalesce(m._edited, false), greatest($at::TIMESTAMPTZ, r.since), NULL,
            f.fingerprint
        FROM stage_submissions s
        LEFT JOIN stage_decision d ON d.submission_id = s.submission_id AND s.state = 'new'
        LEFT JOIN {main} m ON m._submission_id = s.submission_id
        LEFT JOIN stage_replaced r ON r.submission_id = s.submission_id
        LEFT JOIN stage_fingerprints f ON f.submission_id = s.submission_id
        WHERE s.state <> 'known'
        """,
        {
            "form": staged.form_id,
            "origin": staged.origin,
            "batch": staged.batch_id,
            "server": manifest.server,
            "at": manifest.started_at,
        },
    )


def note_decision(db: duckdb.DuckDBPyConnection, form_id: str, submission_id: str, state: str, reason: str) -> None:
    """Somebody released or dropped a held submission: from now on it is `state`."""
    facts = {"form": form_id, "id": submission_id}
    held = "form_id = $form AND submission_id = $id AND valid_to IS NULL AND state = 'held'"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE decided AS SELECT * REPLACE ($state AS state, $reason AS reason, "
        f"greatest(valid_from, now()) AS valid_from) FROM ops.version_rows WHERE {held}",
        facts | {"state": state, "reason": reason},
    )
    db.execute(f"UPDATE ops.version_rows SET valid_to = greatest(valid_from, now()) WHERE {held}", facts)
    db.execute("INSERT INTO ops.version_rows FROM decided")
    db.execute("DROP TABLE decided")


def check_history(db: duckdb.DuckDBPyConnection, where: str) -> None:
    """For readers, who cannot bring a warehouse up to date.

    Raises:
        WarehouseError: WAREHOUSE-033, it has no history yet.
    """
    newest = "schema_name = 'ops' AND table_name = 'version_rows'"
    if not db.execute(f"SELECT 1 FROM duckdb_tables() WHERE {newest}").fetchone():
        raise WarehouseError(
            "WAREHOUSE-033",
            where,
            "An older dialogkit has written this warehouse.",
            "Bring it up to date with: dialogkit land",
        )


@dataclass(frozen=True, slots=True)
class Current:
    """What a submission is now: its id, form version, review state and the server that it came from."""

    submission_id: str
    form_version: str
    review_state: str
    server: str


def current_of(db: duckdb.DuckDBPyConnection, form_id: str, submission_id: str) -> Current:
    """By its whole id or by its beginning, when that is enough to tell it; refused and deleted ones are not found.

    Raises:
        WarehouseError: WAREHOUSE-034, none or more than one begins so.
    """
    found = find(db, submission_id, form_id=form_id, states=_THERE)
    if len(found) == 1:
        row = db.execute(
            "SELECT submission_id, coalesce(form_version, ''), review_state, server FROM ops.versions "
            "WHERE form_id = ? AND valid_to IS NULL AND submission_id = ?",
            [form_id, found[0].submission_id],
        ).fetchone()
        return Current(*row or ())
    raise WarehouseError(
        "WAREHOUSE-034",
        f"{form_id}, submission {submission_id}",
        "More than one submission begins so." if found else "The warehouse has no submission of this id.",
        "Give the whole id. What is on the server but not here yet comes with: dialogkit run",
    )


def clear(db: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    """Take away the earlier answers of a question that was classed as an identifier only later."""
    if column in _columns(db, "history", table):
        # First, because DuckDB 1.5 alters no table that the same transaction has updated.
        _widen(db, table)
        name = sql.name(column)
        db.execute(f"UPDATE {sql.name('history', table)} SET {name} = NULL WHERE {name} IS NOT NULL")


def _widen(db: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make the history of a table, or add the columns that `accepted` has got since."""
    target, accepted = sql.name("history", table), sql.name("accepted", table)
    known = _columns(db, "history", table)
    if not known:
        own = ", ".join(f"NULL::{kind} AS {name}" for name, kind in HISTORY_COLUMNS.items())
        db.execute(f"CREATE TABLE {target} AS SELECT *, {own} FROM {accepted} LIMIT 0")
        return
    for name, kind in _columns(db, "accepted", table).items():
        if name not in known:
            db.execute(f"ALTER TABLE {target} ADD COLUMN {sql.name(name)} {kind}")


def _columns(db: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    rows = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = ? AND table_name = ? ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return dict(rows)
