"""What `${name}` means in the rows of a staged table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dialogkit import sql
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.terms import Reference
from dialogkit.model.form import Form
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Table


@dataclass(frozen=True)
class Rows:
    """The rows of one table as the rules of one form version see them: its own and those above, each with an alias.

    Args:
        staged: the batch.
        table: the table whose rows are judged.
        form: the version that its submissions were made with.
    """

    staged: Staged
    table: Table
    form: Form

    @property
    def source(self) -> str:
        """A FROM clause; `m` is the main table, `t1`, `t2`… the repeats around the rows, from outside in."""
        main, *inner = self._chain()
        parts = [f"{sql.name(self.staged.relations[main.name])} m"]
        for depth, table in enumerate(inner, 1):
            relation = sql.name(self.staged.relations[table.name])
            above = f" AND t{depth}._parent_row = t{depth - 1}._row" if depth > 1 else ""
            parts.append(f"JOIN {relation} t{depth} ON t{depth}._submission_id = m._submission_id{above}")
        return " ".join(parts)

    @property
    def own(self) -> str:
        """The alias of the rows themselves."""
        return alias(len(self._chain()) - 1)

    @property
    def row(self) -> str:
        """SQL of the row's place in its submission."""
        return f"t{len(self._chain()) - 1}._row" if self.table.repeat else "''"

    def resolve(self, name: str) -> Reference:
        """The column of a question of this form version, or the list of its values in a repeat that is not around.

        Raises:
            NotDecidable: no question, several, or one without stored answers has this name.
        """
        named = self.form.named(name)
        if len(named) != 1 or not named[0].has_answer:
            raise NotDecidable(f"{name} is not the name of one question with an answer")
        path = named[0].path
        columns = self.columns(path)
        if len(columns) != 1:
            raise NotDecidable(f"{name} changed its type between versions of the form")
        table = self._table(self.form.repeat_of(path))
        chain = self._chain()
        if table in chain:
            return Reference(f"{alias(chain.index(table))}.{sql.name(columns[0].name)}", columns[0].kind)
        return Reference(self._values(table, columns[0]), columns[0].kind, repeated=True)

    def columns(self, path: str) -> list[Column]:
        """The columns of a question: several where it changed its type between versions."""
        return list(self._table(self.form.repeat_of(path)).of_path.get(path, ()))

    def is_blank(self, path: str) -> str:
        """SQL for whether a question of these rows has no answer; an answer that is not of its type is one."""
        own = alias(len(self._chain()) - 1)
        return " AND ".join(f"{own}.{sql.name(column.name)} IS NULL" for column in self.columns(path))

    def no_row(self, repeat: str) -> str:
        """SQL for whether these rows have no row of a repeat directly in them."""
        inner = sql.name(self.staged.relations[self._table(repeat).name])
        depth = len(self._chain()) - 1
        below = f" AND q._parent_row = {alias(depth)}._row" if depth else ""
        return f"NOT EXISTS (SELECT 1 FROM {inner} q WHERE q._submission_id = m._submission_id{below})"

    def _values(self, table: Table, column: Column) -> str:
        """A list of the values of another repeat, within the innermost row that both stand in."""
        chain = self._chain()
        shared = max(depth for depth, above in enumerate(chain) if not above.repeat or _is_above(above, table))
        within = f" AND starts_with(q._row, {alias(shared)}._row || '/')" if shared else ""
        relation = sql.name(self.staged.relations[table.name])
        return (
            f"coalesce((SELECT list(q.{sql.name(column.name)}) FROM {relation} q "
            f"WHERE q._submission_id = m._submission_id{within}), [])"
        )

    def _chain(self) -> list[Table]:
        """The main table, then the repeats around the rows, from outside in, their own last."""
        return list(reversed(list(self._upwards())))

    def _upwards(self) -> Iterator[Table]:
        table = self.table
        while table.repeat:
            yield table
            # As this version nests them: a group of one version may be a repeat in another.
            table = self._table(self.form.repeat_of(table.repeat))
        yield table

    def _table(self, repeat: str) -> Table:
        return next(table for table in self.staged.tables if table.repeat == repeat)


def alias(depth: int) -> str:
    """The alias of the table at a depth of the chain."""
    return f"t{depth}" if depth else "m"


def _is_above(above: Table, table: Table) -> bool:
    return table.repeat.startswith(above.repeat + "/")
