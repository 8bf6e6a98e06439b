"""What the versions of a form did to its questions (`ops.lineage`), and the paths that answers came with."""

from __future__ import annotations

import duckdb

from dialogkit.model.lineage import Lineage


def write_lineage(db: duckdb.DuckDBPyConnection, form_id: str, lineage: Lineage) -> None:
    """Replace the rows of a form by these; the caller holds the transaction.

    What stayed as it was has no row: that there is none says so.
    """
    db.execute("DELETE FROM ops.lineage WHERE form_id = ?", [form_id])
    steps = [step for step in lineage.steps if step.fate != "same" or step.detail]
    columns = [
        [step.position for step in steps],
        *([getattr(step, name) for step in steps] for name in ("version", "path", "fate", "was", "detail", "because")),
    ]
    # One statement for all: a form of 905 columns and ten versions has thousands of rows.
    listed = ", ".join(f"unnest(?::{kind}[])" for kind in ("INTEGER", *["VARCHAR"] * 6))
    db.execute(f"INSERT INTO ops.lineage SELECT ?, {listed}", [form_id, *columns])


def answered_paths(db: duckdb.DuckDBPyConnection, form_id: str) -> list[str]:
    """Every path that answers of a form came with, those that no known version asks included.

    None in a warehouse that an older dialogkit wrote: it says only after the next landing.
    """
    if not db.execute("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'ops' AND table_name = 'lineage'").fetchone():
        return []
    rows = db.execute(
        "SELECT path FROM ops.drift WHERE form_id = $form UNION SELECT path FROM ops.columns WHERE form_id = $form "
        "UNION SELECT unnest(from_json(was, '[\"VARCHAR\"]')) FROM ops.columns WHERE form_id = $form ORDER BY ALL",
        {"form": form_id},
    ).fetchall()
    return [path for (path,) in rows]
