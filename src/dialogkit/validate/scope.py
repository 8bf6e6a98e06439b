"""Rules over the whole form: the rows of a batch together with what is accepted already, each submission once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import duckdb

from dialogkit import sql
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Table


@dataclass(frozen=True)
class WholeForm:
    """Makes temporary views `stage_form_<n>`, only those that a rule asks for.

    Identifiers of accepted submissions stand apart from `accepted`, so these views have no column for them.

    Args:
        db: the warehouse, with the staged tables.
        staged: the batch.
    """

    db: duckdb.DuckDBPyConnection
    staged: Staged
    _made: dict[str, str] = field(default_factory=dict)

    @property
    def new(self) -> str:
        """A query of the submissions of the batch that are judged."""
        return f"SELECT submission_id FROM {sql.name(self.staged.submissions)} WHERE state = 'new'"

    def rows(self, table: Table, by: Sequence[Column]) -> Staged:
        """The batch with relations that hold the rows of the form.

        Args:
            table: whose rows are judged.
            by: of the accepted rows of `table`, only those that have the same values here as a row of the batch: a
                look at few columns of the many rows (a semi-join).
        """
        return replace(self.staged, relations=_Relations(self, table.name, by))

    def relation(self, name: str, by: Sequence[Column] = ()) -> str:
        """The view over one table, made when it is first asked for."""
        table = next(table for table in self.staged.tables if table.name == name)
        staged, accepted = self._staged(table), self._accepted(table, by)
        text = " UNION ALL ".join(filter(None, [staged, accepted]))
        if text not in self._made:
            # Few of the many rows are looked at several times: that they are few is found out once.
            kind = "TABLE" if by and accepted else "VIEW"
            self._made[text] = f"stage_form_{kind.lower()}_{len(self._made)}"
            self.db.execute(f"CREATE OR REPLACE TEMP {kind} {self._made[text]} AS {text}")
        return self._made[text]

    def _staged(self, table: Table) -> str:
        names = ", ".join(map(sql.name, _types(table)))
        return f"SELECT {names} FROM {sql.name(self.staged.relations[table.name])}"

    def _accepted(self, table: Table, by: Sequence[Column]) -> str:
        """Accepted rows that no submission of the batch takes the place of; empty before the first landing."""
        here = self._columns(table)
        if not here:
            return ""
        cells = [
            sql.name(name) if name in here else f"CAST(NULL AS {kind}) AS {sql.name(name)}"
            for name, kind in _types(table).items()
        ]
        accepted = sql.name("accepted", table.name)
        replaced = f"SELECT submission_id FROM {sql.name(self.staged.submissions)} WHERE state <> 'known'"
        rows = f"SELECT {', '.join(cells)} FROM {accepted} WHERE _submission_id NOT IN ({replaced})"
        if not by:
            return rows
        if not {column.name for column in by} <= here:  # a question that no accepted submission has been asked
            return f"{rows} AND false"
        keys = ", ".join(sql.name(column.name) for column in by)
        alike = f"SELECT {keys} FROM {sql.name(self.staged.relations[table.name])}"
        # Only the keys of the many rows are read; all cells only of those that are alike.
        return f"{rows} AND rowid IN (SELECT rowid FROM {accepted} WHERE ({keys}) IN ({alike}))"

    def _columns(self, table: Table) -> set[str]:
        """The columns of the table of accepted rows."""
        found = self.db.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
            "AND schema_name = 'accepted' AND table_name = ?",
            [table.name],
        )
        return {name for (name,) in found.fetchall()}


def _types(table: Table) -> dict[str, str]:
    """The columns of a table without identifiers, with their types."""
    return {**table.own_columns, **{column.name: column.sql_type for column in table.open_columns}}


class _Relations(dict[str, str]):
    """Table name → view, made when it is first looked up: a form has many tables, a rule reads few."""

    def __init__(self, whole: WholeForm, own: str, by: Sequence[Column]) -> None:
        super().__init__()
        self._whole, self._own, self._by = whole, own, by

    def __missing__(self, name: str) -> str:
        self[name] = self._whole.relation(name, self._by if name == self._own else ())
        return self[name]
