"""One submission in staged tables, to try expressions of its form in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from dialogkit import sql
from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_tree
from dialogkit.logic.terms import boolean, text
from dialogkit.model.form import Form
from dialogkit.model.staged import Staged
from dialogkit.normalize.schema import tables_of
from dialogkit.validate.resolve import Rows

TODAY = "DATE '2026-11-20'"


class Stage:
    """Tables of a form with the rows that are put into them.

    Args:
        form: one version.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        tables = tables_of([form])
        relations = {table.name: table.name for table in tables}
        self.staged = Staged(form.form_id, "b1", "server", {form.version: form}, tables, relations)
        self.db = duckdb.connect()
        self.db.execute("SET TimeZone = 'UTC'")
        for table in tables:
            types = {**table.own_columns, **{one.name: one.sql_type for one in table.columns}}
            heads = ", ".join(f"{sql.name(name)} {kind}" for name, kind in types.items())
            self.db.execute(f"CREATE TABLE {sql.name(table.name)} ({heads})")

    def put(self, repeat: str, cells: Mapping[str, str], row: str = "") -> None:
        """A row of a table; cells are SQL by column."""
        table = next(table for table in self.staged.tables if table.repeat == repeat)
        own = {"_submission_id": "'s1'"}
        if repeat:
            above, _, place = row.rpartition("/")
            own |= {"_row": sql.text(row), "_parent_row": sql.text(above), "_position": place}
        cells = {**own, **cells}
        names, values = ", ".join(map(sql.name, cells)), ", ".join(cells.values())
        self.db.execute(f"INSERT INTO {sql.name(table.name)} ({names}) VALUES ({values})")

    def rows(self, at: str) -> Rows:
        """The rows in which the question at a path stands."""
        table = next(table for table in self.staged.tables if table.repeat == self.form.repeat_of(at))
        return Rows(self.staged, table, self.form, today=TODAY)

    def texts(self, expression: str, at: str) -> Sequence[str]:
        """XPath `string()` of an expression at a question, in each row."""
        rows = self.rows(at)
        found = text(compile_tree(bind(expression, self.form, at), rows, at))
        return self._each(found, rows)

    def holds(self, expression: str, at: str) -> Sequence[bool]:
        """XPath `boolean()` of an expression at a question, in each row."""
        rows = self.rows(at)
        found = boolean(compile_tree(bind(expression, self.form, at), rows, at))
        return self._each(found, rows)

    def _each(self, found: str, rows: Rows) -> Sequence[Any]:
        query = f"SELECT {found}, {rows.row} AS place FROM {rows.source} ORDER BY place"
        return [one for one, _ in self.db.execute(query).fetchall()]
