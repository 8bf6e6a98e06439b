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
from tests.builders import make_form

TODAY = "DATE '2026-11-20'"
FORM = make_form(
    "f",
    "1",
    [
        ("integer", "n"),
        ("decimal", "x"),
        ("integer", "empty_n"),
        ("text", "t"),
        ("text", "empty_t"),
        ("text", "digits"),
        ("date", "d"),
        ("date", "empty_d"),
        ("select_one", "one", {"choices": ["a", "b"]}),
        ("select_multiple", "ticks", {"choices": ["a", "b", "aa"]}),
        ("select_multiple", "no_ticks", {"choices": ["a"]}),
        ("datetime", "at"),
        ("time", "clock"),
        ("geopoint", "place"),
        ("text", "emoji"),
        ("calculate", "kept", {"calculation": "1"}),
        ("repeat", "r"),
        ("integer", "r/rows_n"),
        ("text", "r/rows_t"),
        ("text", "r/hidden", {"relevant": "${rows_n} > 3"}),
        ("repeat", "none"),
        ("integer", "none/no_rows"),
    ],
)


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
        return self.each(text(compile_tree(bind(expression, self.form, at), self.rows(at), at)), at)

    def holds(self, expression: str, at: str) -> Sequence[bool]:
        """XPath `boolean()` of an expression at a question, in each row."""
        return self.each(boolean(compile_tree(bind(expression, self.form, at), self.rows(at), at)), at)

    def each(self, found: str, at: str) -> Sequence[Any]:
        """What SQL finds at a question, in each row."""
        rows = self.rows(at)
        query = f"SELECT {found}, {rows.row} AS place FROM {rows.source} ORDER BY place"
        return [one for one, _ in self.db.execute(query).fetchall()]


def every_kind() -> Stage:
    """A submission with an answer of each kind, a blank of some, three rows of one repeat and none of another."""
    made = Stage(FORM)
    cells = {
        "n": "5",
        "x": "2.5",
        "t": "'yes'",
        "digits": "'12,5'",
        "d": "DATE '2026-03-01'",
        "one": "'a'",
        "ticks": "['a', 'b', 'aa']",
        "at": "TIMESTAMPTZ '2026-03-01 22:30:15.25+00'",
        "at__offset": "'+03:00'",
        "clock": "TIME '10:20:30'",
        "place": "{'lat': 1, 'lon': -2.5, 'altitude': NULL, 'accuracy': 12345678.5}",
        "emoji": "'a\U0001f600'",
        "kept": "'x'",
    }
    made.put("", cells)
    for number, row in enumerate([{"rows_n": "3", "rows_t": "'a'"}, {}, {"rows_n": "4"}], 1):
        made.put("r", row, str(number))
    return made
