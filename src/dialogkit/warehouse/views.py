"""Views of a snapshot for analysts: choices as columns, places as text, labels in place of codes (docs/tables.md)."""

from __future__ import annotations

import duckdb

from dialogkit import sql
from dialogkit.warehouse.codebook import shown_choices, shown_languages, shown_tables
from dialogkit.warehouse.view_geo import geo_view
from dialogkit.warehouse.view_labels import create_labels
from dialogkit.warehouse.view_split import split_view


def create_views(db: duckdb.DuckDBPyConnection) -> None:
    """Make `split.*`, `geo.*` and `labels_<language>.*` of what stands in `accepted`.

    Args:
        db: a snapshot that is being written, with `accepted`, `ops.columns`, `ops.choices` and `ops.forms` filled and
            nothing else attached.
    """
    tables, choices = shown_tables(db), shown_choices(db)
    split = {table.name: split_view(db, table, choices) for table in tables if table.of_kind("select_multiple")}
    geo = {table.name: text for table in tables if (text := geo_view(table))}
    for schema, queries in (("split", split), ("geo", geo)):
        db.execute(f"CREATE SCHEMA {sql.name(schema)}")
        for name, query in queries.items():
            db.execute(f"CREATE VIEW {sql.name(schema, name)} AS {query}")
    create_labels(db, tables, choices, shown_languages(db))
