"""Tables of forms: made when they are first landed, widened when a new version asks more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.model.form import Form
from dialogkit.model.lineage import NO_LINEAGE, Lineage
from dialogkit.model.table import Column, Standing, Table
from dialogkit.warehouse import history
from dialogkit.warehouse.lineage import write_lineage

SCHEMAS = ("accepted", "held", "identifiers")
#: What `ops.columns` says of a column.
COLUMN_FACTS: Final = "column_name, path, kind, concept, disclosure, hxl, list_name, labels, was, alias"
_VERSIONS = "SELECT version FROM ops.forms WHERE form_id = ?"


def standing(db: duckdb.DuckDBPyConnection, form_id: str) -> Standing:
    """What a form has in the warehouse already, and the table names that belong to others."""
    columns: dict[str, list[Column]] = {}
    rows = db.execute(
        f"SELECT repeat, {COLUMN_FACTS} FROM ops.columns WHERE form_id = ? ORDER BY table_name, position",
        [form_id],
    ).fetchall()
    for repeat, *facts in rows:
        columns.setdefault(repeat, []).append(column_of(facts))
    tables = db.execute("SELECT form_id, repeat, table_name FROM ops.tables").fetchall()
    return Standing(
        columns,
        {repeat: name for owner, repeat, name in tables if owner == form_id},
        frozenset(name.lower() for owner, _, name in tables if owner != form_id),  # DuckDB's names have no case
        frozenset(version for (version,) in db.execute(_VERSIONS, [form_id]).fetchall()),
    )


def column_of(facts: Sequence[Any]) -> Column:
    """A column out of a row of `COLUMN_FACTS`."""
    name, path, kind, concept, disclosure, hxl, list_name, labels, was, alias = facts
    earlier = tuple(json.loads(was))
    return Column(name, path, kind, concept, disclosure, hxl, list_name, json.loads(labels), earlier, alias)


def columns_in(table: Table, schema: str) -> tuple[Column, ...]:
    """The columns of a table in one schema: `accepted` has no identifier, `identifiers` nothing else."""
    return {"accepted": table.open_columns, "held": table.columns, "identifiers": table.identifiers}[schema]


def own_columns(table: Table, schema: str) -> Mapping[str, str]:
    """Our own columns of a table in one schema, with their types."""
    if schema == "identifiers":
        return {"_submission_id": "VARCHAR", "_row": "VARCHAR"}
    return table.own_columns


def prepare_tables(db: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Make or widen the tables of a form in every schema. Columns are never taken away."""
    for table in tables:
        for schema in SCHEMAS:
            columns = columns_in(table, schema)
            if schema == "identifiers" and not columns:
                continue
            _make(db, table, schema, columns)
        for column in table.identifiers:
            _seclude(db, table, column)


def refresh_codebook(
    db: duckdb.DuckDBPyConnection, tables: Sequence[Table], forms: Mapping[str, Form], lineage: Lineage = NO_LINEAGE
) -> None:
    """Take over new classes, concepts and labels of a form, in one transaction, when no batch of it is landed.

    Answers of a question that is an identifier now leave `accepted`.
    """
    db.begin()
    try:
        prepare_tables(db, tables)
        write_codebook(db, tables, forms)
        write_lineage(db, tables[0].form_id, lineage)
    except BaseException:
        db.rollback()
        raise
    db.commit()


def write_codebook(db: duckdb.DuckDBPyConnection, tables: Sequence[Table], forms: Mapping[str, Form]) -> None:
    """Replace what `ops.tables`, `ops.columns`, `ops.choices` and `ops.forms` say of one form.

    Versions that only earlier batches knew stay, and so do their choices.
    """
    form_id = tables[0].form_id
    others = db.execute(
        "SELECT version, title, languages FROM ops.forms WHERE form_id = ? ORDER BY position", [form_id]
    ).fetchall()
    choices = db.execute(
        "SELECT list_name, choice, labels FROM ops.choices WHERE form_id = ? ORDER BY position", [form_id]
    ).fetchall()
    for book in ("tables", "columns", "choices", "forms"):
        db.execute(f"DELETE FROM {sql.name('ops', book)} WHERE form_id = ?", [form_id])
    _insert(
        db, "columns", [_column_row(table, column, n) for table in tables for n, column in enumerate(table.columns)]
    )
    _insert(db, "tables", [(form_id, table.name, table.repeat, table.parent) for table in tables])
    labels = _choice_labels(forms)
    labels |= {(name, choice): text for name, choice, text in choices if (name, choice) not in labels}
    _insert(db, "choices", [(form_id, *key, text, n) for n, (key, text) in enumerate(labels.items())])
    versions = [row for row in others if row[0] not in forms]
    versions += [(form.version, form.title, _json(list(form.languages))) for form in forms.values()]
    _insert(db, "forms", [(form_id, *row, n) for n, row in enumerate(versions)])


def _make(db: duckdb.DuckDBPyConnection, table: Table, schema: str, columns: Sequence[Column]) -> None:
    present = {
        name
        for (name,) in db.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = ? AND table_name = ?",
            [schema, table.name],
        ).fetchall()
    }
    target = sql.name(schema, table.name)
    if not present:
        own = [f"{sql.name(name)} {kind}" for name, kind in own_columns(table, schema).items()]
        asked = [f"{sql.name(column.name)} {column.sql_type}" for column in columns]
        db.execute(f"CREATE TABLE {target} ({', '.join(own + asked)})")
    for column in columns:
        if present and column.name not in present:
            db.execute(f"ALTER TABLE {target} ADD COLUMN {sql.name(column.name)} {column.sql_type}")
        label = next(iter(column.labels.values()), "").replace("\0", "")
        # Only where people read: each comment makes DuckDB copy the description of the whole table.
        if label and schema != "held" and column.name not in present:
            db.execute(f"COMMENT ON COLUMN {target}.{sql.name(column.name)} IS {sql.text(label)}")


def _seclude(db: duckdb.DuckDBPyConnection, table: Table, column: Column) -> None:
    """Move the answers of a question that was classed as an identifier only later; those of the history go."""
    open_before = "schema_name = 'accepted' AND table_name = ? AND column_name = ?"
    if not db.execute(f"SELECT 1 FROM duckdb_columns() WHERE {open_before}", [table.name, column.name]).fetchone():
        return
    history.clear(db, table.name, column.name)
    row, name = "_row" if table.repeat else "''", sql.name(column.name)
    target, accepted = sql.name("identifiers", table.name), sql.name("accepted", table.name)
    same = f"_submission_id = a._submission_id AND {target}._row = {'a._row' if table.repeat else row}"
    db.execute(
        f"UPDATE {target} SET {name} = a.{name} FROM {accepted} a WHERE {target}.{same} AND a.{name} IS NOT NULL"
    )
    db.execute(
        f"INSERT INTO {target} (_submission_id, _row, {name}) SELECT _submission_id, {row}, {name} FROM {accepted} "
        f"WHERE {name} IS NOT NULL AND (_submission_id, {row}) NOT IN (SELECT (_submission_id, _row) FROM {target})"
    )
    db.execute(f"UPDATE {accepted} SET {name} = NULL WHERE {name} IS NOT NULL")


def _column_row(table: Table, column: Column, position: int) -> tuple[object, ...]:
    return (
        table.form_id,
        table.name,
        table.repeat,
        column.name,
        column.path,
        column.kind,
        column.concept,
        column.disclosure,
        column.hxl,
        column.list_name,
        _json(dict(column.labels)),
        position,
        _json(list(column.was)),
        column.alias,
    )


def _choice_labels(forms: Mapping[str, Form]) -> dict[tuple[str, str], str]:
    """Choices of all versions: one that a later version took away stays readable."""
    found: dict[tuple[str, str], str] = {}
    for form in forms.values():
        for list_name, choices in form.choice_lists.items():
            for choice in choices:
                found[list_name, choice.name] = _json(dict(choice.labels))
    return found


def _insert(db: duckdb.DuckDBPyConnection, book: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        # One statement for all rows: row by row costs seconds for a long choice list.
        marks = "(" + ", ".join("?" * len(rows[0])) + ")"
        for first in range(0, len(rows), 500):
            some = rows[first : first + 500]
            flat = [value for row in some for value in row]
            db.execute(f"INSERT INTO {sql.name('ops', book)} VALUES {', '.join([marks] * len(some))}", flat)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
