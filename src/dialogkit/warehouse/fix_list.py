"""Held submissions with who sent them, and each thing that is wrong with them; never an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import duckdb

from dialogkit import sql
from dialogkit.model.fix_list import By, HeldSubmission, ToFix
from dialogkit.warehouse.report_facts import labels_by_path
from dialogkit.warehouse.report_groups import choice_labels, country_column, main_table


def held_submissions(db: duckdb.DuckDBPyConnection, forms: Sequence[str], by: By) -> list[HeldSubmission]:
    """Every held submission of the forms (of all when none is named), oldest first, without links.

    Args:
        db: the warehouse.
        forms: form ids.
        by: what tells whose list a submission is on: the label of the key or account that sent it, or its country.
    """
    chosen = f"AND form_id IN ({sql.texts(forms)})" if forms else ""
    rows = db.execute(
        f"SELECT DISTINCT form_id FROM ops.submissions WHERE state = 'held' {chosen} ORDER BY ALL"
    ).fetchall()
    return [one for (form_id,) in rows for one in _of_form(db, form_id, by)]


def _of_form(db: duckdb.DuckDBPyConnection, form_id: str, by: By) -> list[HeldSubmission]:
    group, labels = _group(db, form_id, by)
    wrong = _wrong(db, form_id)
    rows = db.execute(
        f"""
        SELECT v.submission_id, v.instance_id, v.submitted_at, v.server, coalesce({group}, ''),
            (SELECT arg_max(title, position) FROM ops.forms f WHERE f.form_id = v.form_id)
        FROM ops.versions v
        LEFT JOIN {sql.name("held", main_table(db, form_id))} h ON h._submission_id = v.submission_id
        WHERE v.form_id = ? AND v.state = 'held' AND v.valid_to IS NULL ORDER BY v.submitted_at NULLS LAST, 1
        """,
        [form_id],
    ).fetchall()
    return [
        HeldSubmission(
            submission_id,
            instance_id,
            form_id,
            title or form_id,
            submitted_at,
            server,
            # What is not on the list of countries is somebody's own answer.
            name if by == "organiser" or name in labels else "",
            labels.get(name, {}),
            wrong.get(submission_id, ()),
        )
        for submission_id, instance_id, submitted_at, server, name, title in rows
    ]


def _group(db: duckdb.DuckDBPyConnection, form_id: str, by: By) -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """The expression of the group over the main table, and the labels of its values."""
    if by == "organiser":
        return "h._submitter", {}
    column = country_column(db, form_id)
    return (f"h.{sql.name(column.name)}", choice_labels(db, form_id, column.list_name)) if column else ("''", {})


def _wrong(db: duckdb.DuckDBPyConnection, form_id: str) -> dict[str, tuple[ToFix, ...]]:
    """What holds each held submission, in the order of the form."""
    rows = db.execute(
        """
        SELECT v.submission_id, v.rule, v.path, v.row, any_value(r.message), min(c.position)
        FROM ops.violations v
        JOIN ops.submissions s ON s.form_id = v.form_id AND s.submission_id = v.submission_id AND s.state = 'held'
        LEFT JOIN ops.rules r ON r.form_id = v.form_id AND r.rule = v.rule
        LEFT JOIN ops.columns c ON c.form_id = v.form_id AND c.path = v.path AND c.path <> ''
        WHERE v.form_id = ? AND v.action = 'hold'
        GROUP BY v.submission_id, v.rule, v.path, v.row ORDER BY 1, 6 NULLS FIRST, v.path, v.row, v.rule
        """,
        [form_id],
    ).fetchall()
    labels = labels_by_path(db, form_id)
    found: dict[str, list[ToFix]] = {}
    for submission_id, rule, path, row, message, _ in rows:
        one = ToFix(rule, path, labels.get(path, {}), row, json.loads(message or "{}"))
        found.setdefault(submission_id, []).append(one)
    return {submission_id: tuple(some) for submission_id, some in found.items()}
