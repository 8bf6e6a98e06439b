"""What a snapshot says of itself (tables, columns, choices, languages), and clear words for a name that it has not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Final, NamedTuple

import duckdb

from dialogkit import sql
from dialogkit.errors import WarehouseError
from dialogkit.model.table import Column, Table
from dialogkit.warehouse.ddl import COLUMN_FACTS, column_of

#: Code → label by language, in the order of the list.
Choices = Mapping[str, Mapping[str, str]]
_NO_CHOICES: Final[Choices] = {}


class TableFacts(NamedTuple):
    """One table: of a form (`repeat` and `parent` are empty) or of one of its repeats."""

    table: str
    form_id: str
    repeat: str
    parent: str
    rows: int


class Codebook:
    """The codebook of an open snapshot; each part is read once."""

    def __init__(self, db: duckdb.DuckDBPyConnection) -> None:
        self._db = db
        self._choices: dict[str, dict[str, dict[str, Mapping[str, str]]]] = {}

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """Every accepted table by name, parents before their repeats, with the columns that readers see."""
        there = self._columns_there()
        columns: dict[str, list[Column]] = {}
        rows = self._db.execute(
            f"SELECT table_name, {COLUMN_FACTS} FROM ops.columns ORDER BY table_name, position"
        ).fetchall()
        for table, *facts in rows:
            column = column_of(facts)
            if column.name in there.get(table, ()):
                columns.setdefault(table, []).append(column)
        named = self._db.execute(
            "SELECT table_name, form_id, repeat, parent FROM ops.tables "
            "ORDER BY form_id, len(string_split(repeat, '/')), table_name"
        ).fetchall()
        return {
            name: Table(name, form_id, repeat, parent, tuple(columns.get(name, ())))
            for name, form_id, repeat, parent in named
            if name in there
        }

    def facts(self) -> list[TableFacts]:
        """Every table with the number of its rows."""
        return [
            TableFacts(one.name, one.form_id, one.repeat, one.parent, self._count(one)) for one in self.tables.values()
        ]

    def table(self, name: str) -> Table:
        """One table.

        Raises:
            WarehouseError: there is none of that name.
        """
        found = self.tables.get(name)
        if found is None:
            raise WarehouseError(
                "WAREHOUSE-053", name or "table", "There is no table of this name.", _near(name, self.tables)
            )
        return found

    def ancestors(self, table: Table) -> list[Table]:
        """The tables that its rows belong to, nearest first."""
        if not table.parent:
            return []
        above = self.tables[table.parent]
        return [above, *self.ancestors(above)]

    def choices(self, table: Table, column: Column) -> Choices:
        """The choices of a column, of all versions of its form."""
        if table.form_id not in self._choices:
            lists = self._choices[table.form_id] = {}
            rows = self._db.execute(
                "SELECT list_name, choice, labels FROM ops.choices WHERE form_id = ? ORDER BY position", [table.form_id]
            ).fetchall()
            for list_name, choice, labels in rows:
                lists.setdefault(list_name, {})[choice] = json.loads(labels)
        return self._choices[table.form_id].get(column.list_name, _NO_CHOICES)

    def languages(self, form_id: str) -> tuple[str, ...]:
        """The languages of a form as it names them: those of its newest version first, in their order."""
        rows = self._db.execute(
            "SELECT languages FROM ops.forms WHERE form_id = ? ORDER BY position DESC", [form_id]
        ).fetchall()
        return tuple(dict.fromkeys(language for (text,) in rows for language in json.loads(text))) or ("",)

    def language(self, form_id: str, wanted: str) -> str:
        """A language as the form names it.

        Args:
            form_id: of the form.
            wanted: `Français (fr)`, `Français` or `fr`, in any case; the form's first language when empty.

        Raises:
            WarehouseError: the form has no such language.
        """
        languages = self.languages(form_id)
        if not wanted:
            return languages[0]
        for language in languages:
            if wanted.strip().casefold() in _words_for(language):
                return language
        raise WarehouseError("WAREHOUSE-054", form_id, f"The form has no language {wanted}.", _near(wanted, languages))

    def _columns_there(self) -> dict[str, set[str]]:
        rows = self._db.execute(
            "SELECT table_name, list(column_name) FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = 'accepted' GROUP BY table_name"
        ).fetchall()
        return {table: set(names) for table, names in rows}

    def _count(self, table: Table) -> int:
        rows = self._db.execute(f"SELECT count(*) FROM {sql.name('accepted', table.name)}").fetchall()
        return int(rows[0][0])


def said(labels: Mapping[str, str], language: str, otherwise: str = "") -> str:
    """The label in a language; where that is missing, `otherwise`."""
    return labels.get(language) or otherwise


def _words_for(language: str) -> set[str]:
    name, _, code = language.casefold().partition("(")
    return {language.casefold(), name.strip(), code.rstrip(") ")} - {""}


def _near(word: str, known: Iterable[str]) -> str:
    names = [name for name in known if name]
    near = get_close_matches(word, names, n=1) or [name for name in names if name.casefold() == word.casefold()]
    return f"Did you mean {near[0]}?" if near else f"Names here: {', '.join(names[:20]) or 'none'}."
