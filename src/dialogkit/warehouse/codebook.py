"""What the codebook of a snapshot says of the tables that stand in it: columns, kinds, choices, languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

#: Labels of a choice by language.
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A column of `accepted` that a question fills."""

    name: str
    kind: str
    list_name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A table of `accepted` as it stands.

    Args:
        columns: every column, our own too, in their order.
        asked: those that questions fill, by name, in the same order.
    """

    form_id: str
    name: str
    columns: tuple[str, ...]
    asked: Mapping[str, Asked]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name a row of it."""
        return tuple(name for name in ("_submission_id", "_row") if name in self.columns)

    def of_kind(self, *kinds: str) -> tuple[Asked, ...]:
        """Columns of these kinds, in their order."""
        return tuple(column for column in self.asked.values() if column.kind in kinds)


def shown_tables(db: duckdb.DuckDBPyConnection) -> tuple[Shown, ...]:
    """The tables of `accepted` with a column that a question fills.

    Only columns that really stand there count: the codebook also has those of class `direct`.
    """
    rows = db.execute(
        """
        SELECT d.table_name, any_value(c.form_id), list(d.column_name ORDER BY d.column_index),
            list((c.column_name, c.kind, c.list_name) ORDER BY d.column_index) FILTER (c.column_name IS NOT NULL)
        FROM duckdb_columns() d
        LEFT JOIN ops.columns c ON c.table_name = d.table_name AND c.column_name = d.column_name
        WHERE d.database_name = current_database() AND d.schema_name = 'accepted'
        GROUP BY d.table_name HAVING count(c.column_name) > 0 ORDER BY d.table_name
        """
    ).fetchall()
    return tuple(
        Shown(form_id, table, tuple(columns), {name: Asked(name, kind, listed) for name, kind, listed in asked})
        for table, form_id, columns, asked in rows
    )


def shown_choices(db: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, Labels]]:
    """Choices of all versions, in the order of the lists: (form, list) → code → labels."""
    found: dict[tuple[str, str], dict[str, Labels]] = {}
    for form_id, list_name, choice, labels in db.execute(
        "SELECT form_id, list_name, choice, labels::VARCHAR FROM ops.choices ORDER BY form_id, position"
    ).fetchall():
        found.setdefault((form_id, list_name), {})[choice] = json.loads(labels)
    return found


def shown_languages(db: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """The languages of each form, those of its first version first; `("",)` for a form that names none."""
    found: dict[str, dict[str, None]] = {}
    for form_id, languages in db.execute(
        "SELECT form_id, languages::VARCHAR FROM ops.forms ORDER BY form_id, position"
    ).fetchall():
        found.setdefault(form_id, {}).update(dict.fromkeys(json.loads(languages)))
    return {form_id: tuple(languages) or ("",) for form_id, languages in found.items()}
