"""When each question was on the screen: from the staged batch into the warehouse, and from there into snapshots."""

from __future__ import annotations

import duckdb


def write_audit(db: duckdb.DuckDBPyConnection, form_id: str) -> None:
    """Insert the temporary table `stage_audit` into `ops.audit`, without submissions that were dropped.

    Args:
        db: in the transaction of a landing; earlier rows of submissions that it brings anew are gone already.
        form_id: of the batch.
    """
    db.execute(
        "INSERT INTO ops.audit SELECT submission_id, ?, * EXCLUDE (submission_id) FROM stage_audit "
        "WHERE submission_id IN (SELECT submission_id FROM stage_decision WHERE state <> 'dropped')",
        [form_id],
    )


def create_audit(db: duckdb.DuckDBPyConnection, kept: str) -> None:
    """Make `ops.audit` and the view `ops.question_times` of a snapshot.

    They name questions of class `direct` too: how long such a question was open says nothing of what was answered.

    Args:
        db: a new snapshot, with the warehouse attached as `source`.
        kept: a query that gives `form_id, submission_id` of what readers may see.
    """
    db.execute(
        f"CREATE TABLE ops.audit AS SELECT a.* FROM source.ops.audit a SEMI JOIN ({kept}) k "
        "ON k.form_id = a.form_id AND k.submission_id = a.submission_id"
    )
    db.execute(
        "CREATE VIEW ops.question_times AS SELECT form_id, submission_id, path, row, sum(seconds) AS seconds, "
        "count(*) AS visits FROM ops.audit WHERE event = 'question' GROUP BY ALL"
    )
