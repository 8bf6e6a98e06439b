"""The book `ops.files` of a snapshot: which file each answer names, and whether it is here."""

from __future__ import annotations

import duckdb

from dialogkit import sql


def create_files(db: duckdb.DuckDBPyConnection, kept: str) -> None:
    """Make `ops.files (form_id, table_name, submission_id, row, path, name, size, sha256, batch_id, fetched)`.

    One row an answer that names a file; `size`, `sha256` and `batch_id` are NULL where it has not been fetched. The
    files themselves lie in the folder of that batch. Questions of class `direct` have no row: a name of a file may
    hold a name of a person.

    Args:
        db: a new snapshot with its `accepted` tables, and the warehouse attached as `source`.
        kept: a query that gives `form_id, submission_id` of what readers may see and whose files are known.
    """
    db.execute(
        "CREATE TABLE ops.files (form_id VARCHAR, table_name VARCHAR, submission_id VARCHAR, row VARCHAR, "
        "path VARCHAR, name VARCHAR, size BIGINT, sha256 VARCHAR, batch_id VARCHAR, fetched BOOLEAN)"
    )
    columns = db.execute(
        """
        SELECT c.form_id, c.table_name, c.repeat, c.path, c.column_name FROM source.ops.columns c
        JOIN duckdb_columns() d ON d.database_name = current_database() AND d.schema_name = 'accepted'
            AND d.table_name = c.table_name AND d.column_name = c.column_name
        WHERE c.kind = 'file' AND c.disclosure <> 'direct' ORDER BY c.table_name, c.position
        """
    ).fetchall()
    for form_id, table, repeat, path, column in columns:
        form, name, row = sql.text(form_id), sql.name(column), "a._row" if repeat else "''"
        db.execute(
            f"""
            INSERT INTO ops.files
            SELECT {form}, {sql.text(table)}, a._submission_id, {row}, {sql.text(path)}, a.{name},
                f.size, f.sha256, f.batch_id, f.sha256 IS NOT NULL
            FROM {sql.name("accepted", table)} a
            SEMI JOIN ({kept}) k ON k.form_id = {form} AND k.submission_id = a._submission_id
            LEFT JOIN (FROM source.ops.attachments WHERE form_id = {form} AND sha256 <> '') f
                ON f.submission_id = a._submission_id AND f.name = a.{name}
            WHERE a.{name} IS NOT NULL
            """
        )
