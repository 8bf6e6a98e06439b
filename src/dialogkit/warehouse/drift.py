"""Answers to unknown questions, one entry a path: how many submissions, of which versions, when; never an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from dialogkit import sql


@dataclass(frozen=True, slots=True)
class DriftPath:
    """A path that no known version of a form has.

    Args:
        repeat: the innermost known repeat around it; empty for the main table.
        submissions: how many have an answer there now.
        versions: of the form, by which those submissions were made.
        unknown_versions: those of them that nobody here knows.
        first, last: when they were submitted (when they came, where the server does not say).
        strangers: how many of these submissions have more unknown answers than known ones.
    """

    form_id: str
    path: str
    repeat: str
    submissions: int
    versions: tuple[str, ...]
    unknown_versions: tuple[str, ...]
    first: datetime
    last: datetime
    strangers: int


def unknown_questions(db: duckdb.DuckDBPyConnection) -> int:
    """How many paths of all forms are unknown."""
    (count,) = db.execute("SELECT count(DISTINCT (form_id, path)) FROM ops.drift").fetchone() or (0,)
    return int(count)


def read_drift(db: duckdb.DuckDBPyConnection, forms: Sequence[str] = ()) -> list[DriftPath]:
    """Every unknown path of the forms (of all forms when none is named), the most frequent first."""
    chosen = f"WHERE form_id IN ({sql.texts(forms)})" if forms else ""
    form_ids = db.execute(f"SELECT DISTINCT form_id FROM ops.drift {chosen} ORDER BY ALL").fetchall()
    return [entry for (form_id,) in form_ids for entry in _of_form(db, form_id)]


def known_paths(db: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """Every path that has a column, by form."""
    rows = db.execute("SELECT form_id, list(DISTINCT path) FROM ops.columns GROUP BY ALL").fetchall()
    return {form_id: frozenset(paths) for form_id, paths in rows}


def _of_form(db: duckdb.DuckDBPyConnection, form_id: str) -> list[DriftPath]:
    repeats = [
        repeat
        for (repeat,) in db.execute(
            "SELECT repeat FROM ops.tables WHERE form_id = ? AND repeat <> '' ORDER BY length(repeat) DESC", [form_id]
        ).fetchall()
    ]
    rows = db.execute(
        f"""
        WITH mine AS (SELECT DISTINCT submission_id, path FROM ops.drift WHERE form_id = $form),
        answered AS ({_answered(db, form_id)}),
        told AS (
            SELECT m.submission_id, count(*) > coalesce(any_value(a.n), 0) AS stranger
            FROM mine m LEFT JOIN answered a USING (submission_id) GROUP BY ALL),
        versions AS (SELECT DISTINCT version FROM ops.forms WHERE form_id = $form)
        SELECT m.path, count(*), list_sort(list(DISTINCT coalesce(v.form_version, ''))),
            coalesce(list_sort(list(DISTINCT coalesce(v.form_version, ''))
                FILTER (coalesce(v.form_version, '') NOT IN (FROM versions))), []),
            min(coalesce(v.submitted_at, v.valid_from)), max(coalesce(v.submitted_at, v.valid_from)),
            count(*) FILTER (t.stranger)
        FROM mine m JOIN told t USING (submission_id)
        JOIN ops.versions v ON v.form_id = $form AND v.submission_id = m.submission_id AND v.valid_to IS NULL
        GROUP BY m.path ORDER BY 2 DESC, m.path
        """,
        {"form": form_id},
    ).fetchall()
    return [
        DriftPath(
            form_id,
            path,
            next((repeat for repeat in repeats if path.startswith(repeat + "/")), ""),
            int(count),
            tuple(versions),
            tuple(unknown),
            first,
            last,
            int(strangers),
        )
        for path, count, versions, unknown, first, last, strangers in rows
    ]


def _answered(db: duckdb.DuckDBPyConnection, form_id: str) -> str:
    """A query that gives the number of known main answers of each submission with unknown ones."""
    rows = db.execute(
        """
        SELECT d.schema_name, d.table_name, list(DISTINCT d.column_name ORDER BY d.column_name)
        FROM duckdb_columns() d
        JOIN ops.tables t ON t.table_name = d.table_name AND t.form_id = $form AND t.repeat = ''
        JOIN ops.columns c ON c.form_id = $form AND c.table_name = d.table_name AND c.column_name = d.column_name
        WHERE d.database_name = current_database() AND d.schema_name IN ('accepted', 'held', 'identifiers')
        GROUP BY ALL
        """,
        {"form": form_id},
    ).fetchall()
    counts = [
        f"SELECT _submission_id AS submission_id, list_sum([{', '.join(_is_there(name) for name in columns)}]) AS n "
        f"FROM {sql.name(schema, table)} WHERE _submission_id IN (SELECT submission_id FROM mine)"
        for schema, table, columns in rows
    ]
    if not counts:
        return "SELECT NULL::VARCHAR AS submission_id, 0 AS n WHERE false"
    return f"SELECT submission_id, sum(n) AS n FROM ({' UNION ALL '.join(counts)}) GROUP BY submission_id"


def _is_there(column: str) -> str:
    return f"({sql.name(column)} IS NOT NULL)::INTEGER"
