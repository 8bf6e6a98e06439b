"""When each question was on the screen, for readers of a snapshot."""

from __future__ import annotations

import duckdb


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
