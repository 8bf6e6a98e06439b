"""Concepts across forms: the long view of all answers, one row a submission, one row a dialogue (findings.md R1-R3).

Everything here is a view over `accepted`, so that a finding reads the same columns whatever forms have landed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.bundled import data_file
from dialogkit.warehouse.bases import BASES

#: Column of `concepts.records` → the concept that fills it.
RECORD_CONCEPTS: Final[Mapping[str, str]] = {
    "country": "geo.country",
    "dialogue_code": "event.code",
    "record_kind": "meta.record_kind",
    "parent_code": "event.parent_code",
    "date_filled": "meta.date_filled",
    "gate": "consent.gate",
    "adult": "consent.adult",
    "consent_basis": "consent.basis",
    "consent_publish": "consent.publish_anon",
    "consent_quotes": "consent.quotes",
    "consent_map": "consent.map_precision",
    "risk": "consent.risk",
    "final_choice": "consent.final_choice",
    "source_ref": "meta.source_ref",
    "more_detail": "meta.more_detail",
    "date_start": "event.date_start",
    "has_barriers": "event.has_barriers",
    "has_recs": "event.has_recs",
    "has_outputs": "event.has_outputs",
    "has_followups": "event.has_followups",
}
_DATES: Final = ("date_filled", "date_start")


_ANSWER_TYPES: Final[Mapping[str, str]] = {
    "concept": "VARCHAR",
    "form_id": "VARCHAR",
    "table_name": "VARCHAR",
    "submission_id": "VARCHAR",
    "row": "VARCHAR",
    "position": "INTEGER",
    "value": "VARCHAR",
    "number": "DOUBLE",
    "day": "DATE",
}


@dataclass(frozen=True, slots=True)
class _Column:
    form_id: str
    table: str
    repeat: str
    name: str
    kind: str
    concept: str


def create_concepts(db: duckdb.DuckDBPyConnection) -> None:
    """Make the schema `concepts` anew from what `ops.columns` says of the tables in `accepted`.

    Args:
        db: a snapshot that is being written, with `accepted` and `ops` filled. Columns of class `direct` are not
            read, should one be there.
    """
    db.execute("DROP SCHEMA IF EXISTS concepts CASCADE")
    db.execute("CREATE SCHEMA concepts")
    columns = _columns(db)
    _reference(db)
    db.execute(f"CREATE VIEW concepts.answers AS {_answers(columns)}")
    db.execute(f"CREATE VIEW concepts.raw_records AS {_records(db, columns)}")
    for statement in BASES:
        db.execute(statement)


def _columns(db: duckdb.DuckDBPyConnection) -> list[_Column]:
    """Columns with a concept that stand in `accepted`, the latest of a retyped question first."""
    rows = db.execute(
        """
        SELECT c.form_id, c.table_name, c.repeat, c.column_name, c.kind, c.concept
        FROM ops.columns c JOIN duckdb_columns() d
          ON d.database_name = current_database() AND d.schema_name = 'accepted'
          AND d.table_name = c.table_name AND d.column_name = c.column_name
        WHERE c.concept <> '' AND c.disclosure <> 'direct'
        ORDER BY c.form_id, c.table_name, c.position DESC
        """
    ).fetchall()
    return [_Column(*row) for row in rows]


def _answers(columns: Sequence[_Column]) -> str:
    """One row a code: lists taken apart, blanks left out."""
    types = ", ".join(f"NULL::{kind} AS {sql.name(name)}" for name, kind in _ANSWER_TYPES.items())
    empty = f"SELECT {types} WHERE false"
    return " UNION ALL ".join([empty, *(_answer(column) for column in columns)])


def _answer(column: _Column) -> str:
    place = "_row, _position" if column.repeat else "'', 0"
    asked = sql.name(column.name)
    value = {"select_multiple": f"unnest({asked})", "geopoint": f"concat_ws(' ', {asked}.lat, {asked}.lon)"}
    day = f"TRY_CAST({asked} AS DATE)" if column.kind in ("date", "datetime") else "NULL::DATE"
    typed = column.kind in ("integer", "decimal", "select_one", "text")
    number = f"TRY_CAST({asked} AS DOUBLE)" if typed else "NULL::DOUBLE"
    return (
        f"SELECT {sql.text(column.concept)}, {sql.text(column.form_id)}, {sql.text(column.table)}, _submission_id, "
        f"{place}, {value.get(column.kind, f'CAST({asked} AS VARCHAR)')}, "
        f"CASE WHEN isfinite({number}) THEN {number} END, {day} "
        f"FROM {sql.name('accepted', column.table)} WHERE {asked} IS NOT NULL"
    )


def _records(db: duckdb.DuckDBPyConnection, columns: Sequence[_Column]) -> str:
    """One row an accepted submission; NULL where its form does not ask."""
    forms = db.execute(
        """
        SELECT DISTINCT c.form_id, c.table_name FROM ops.columns c JOIN duckdb_tables() t
          ON t.database_name = current_database() AND t.schema_name = 'accepted' AND t.table_name = c.table_name
        WHERE c.repeat = '' ORDER BY ALL
        """
    ).fetchall()
    names = ", ".join(f"NULL::{'DATE' if name in _DATES else 'VARCHAR'} AS {name}" for name in RECORD_CONCEPTS)
    empty = (
        "SELECT ''::VARCHAR AS form_id, ''::VARCHAR AS submission_id, ''::VARCHAR AS origin, "
        f"NULL::TIMESTAMPTZ AS submitted_at, {names} WHERE false"
    )
    return " UNION ALL ".join([empty, *(_record(form_id, table, columns) for form_id, table in forms)])


def _record(form_id: str, table: str, columns: Sequence[_Column]) -> str:
    mine = [column for column in columns if column.table == table and not column.repeat]
    values = ", ".join(_value(name, concept, mine) for name, concept in RECORD_CONCEPTS.items())
    return (
        f"SELECT {sql.text(form_id)}, _submission_id, _origin, _submitted_at, {values} "
        f"FROM {sql.name('accepted', table)}"
    )


def _value(name: str, concept: str, columns: Sequence[_Column]) -> str:
    kind = "DATE" if name in _DATES else "VARCHAR"
    found = [f"TRY_CAST({sql.name(column.name)} AS {kind})" for column in columns if column.concept == concept]
    return f"coalesce({', '.join(found)})" if found else f"NULL::{kind}"


def _reference(db: duckdb.DuckDBPyConnection) -> None:
    """Reference data and labels as tables: barrier → family, country → point, code of a concept → label."""
    for name, types in {
        "barriers": "{'barrier': 'VARCHAR', 'family': 'VARCHAR', 'phases': 'VARCHAR'}",
        "countries": "{'country': 'VARCHAR', 'name': 'VARCHAR', 'lat': 'DOUBLE', 'lon': 'DOUBLE'}",
    }.items():
        file = sql.text(str(data_file(f"{name}.csv")))
        db.execute(
            f"CREATE TABLE {sql.name('concepts', name)} AS FROM read_csv({file}, header = true, columns = {types})"
        )
    db.execute("CREATE TABLE concepts.labels (concept VARCHAR, code VARCHAR, label VARCHAR)")
    labels = list(_labels(db))
    if labels:
        marks = ", ".join(["(?, ?, ?)"] * len(labels))
        db.execute(f"INSERT INTO concepts.labels VALUES {marks}", [part for row in labels for part in row])


def _labels(db: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, str]]:
    """One label for each code of a concept: English where the form has it, otherwise its first language."""
    rows = db.execute(
        """
        SELECT c.concept, o.choice, arg_max(o.labels::VARCHAR, o.form_id)
        FROM (SELECT DISTINCT form_id, list_name, concept FROM ops.columns WHERE concept <> '' AND list_name <> '') c
        JOIN ops.choices o ON o.form_id = c.form_id AND o.list_name = c.list_name
        GROUP BY c.concept, o.choice ORDER BY ALL
        """
    ).fetchall()
    for concept, code, labels in rows:
        by_language: dict[str, str] = json.loads(labels)
        english = (text for language, text in by_language.items() if language == "en" or language.endswith("(en)"))
        yield concept, code, next(english, next(iter(by_language.values()), "")) or code
