"""The cells of one level in SQL: which text each column takes, what it becomes, and which rows need a second look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from dialogkit import sql
from dialogkit.model.batch import LIST
from dialogkit.model.form import Form
from dialogkit.model.kinds import kind_of
from dialogkit.model.table import Column, Kind, Table
from dialogkit.normalize.levels import Level
from dialogkit.normalize.values import CONTENT, can_misfit, typed

#: The expression of a row that texts are taken from.
ROW: Final = "answers"


@dataclass(frozen=True)
class Cells:
    """The columns of one table over one batch.

    Args:
        level: of the table.
        forms: every version of the form, oldest first.
    """

    level: Level
    forms: Mapping[str, Form]

    @cached_property
    def asked(self) -> tuple[Column, ...]:
        """Columns of questions for which the batch has texts."""
        asked = (column for column in self.level.table.columns if not column.is_companion)
        return tuple(column for column in asked if self.level.sources(column))

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Column → its name in the temporary table: names of questions could clash with our own there."""
        return {column.name: f"c{number}" for number, column in enumerate(self.level.table.columns)}

    @cached_property
    def beside(self) -> Mapping[str, str]:
        """Column → SQL of a cell made of typed ones and of the same texts: offsets, and numbers of rows."""
        cells = {}
        for column in self.level.table.columns:
            if column.kind == "rows" and column.path in self.level.filled:
                cells[column.name] = self.level.length(ROW, column.path)
            elif column.kind == "offset" and (offset := self._offset(column)):
                cells[column.name] = offset
        return cells

    def text(self, column: Column) -> str:
        """The text that a column takes: of the newest path that has one, in the versions that have its type."""
        return self._texts[column.name]

    def typed(self) -> list[str]:
        """The typed cells with their names in the temporary table."""
        return [f"{self._cell(column)} AS {self.names[column.name]}" for column in self.asked]

    def misfit(self) -> str:
        """Whether a row, whose cells are typed, has a text that is in none of them."""
        lost = [
            f"{self.text(column)} IS NOT NULL AND {self.names[column.name]} IS NULL"
            for column in self.asked
            if self._can_misfit(column)
        ]
        twice = [both for column in self.asked for both, _, _ in self._pairs(column)]
        return " OR ".join(f"({one})" for one in [*lost, *twice]) or "false"

    def checks(self, again: str) -> Iterator[str]:
        """A query for each way in which a text of the relation `again` can be in no cell.

        Each gives `submission_id, table_name, row, path, kind, raw`.
        """
        table = sql.text(self.level.table.name)
        for column in self.asked:
            if self._can_misfit(column):
                text = self.text(column)
                yield (
                    f"SELECT id, {table}, row, {self._path(column)}, {sql.text(column.kind)}, {text} FROM {again} "
                    f"WHERE {text} IS NOT NULL AND ({self._cell(column)}) IS NULL"
                )
            for both, older, path in self._pairs(column):
                yield f"SELECT id, {table}, row, {sql.text(path)}, 'twice', {older} FROM {again} WHERE {both}"

    def finished(self, table: Table) -> list[str]:
        """Every column of the table out of the temporary one; the table may have got columns for content since."""
        return [f"{self._finished(column)} AS {sql.name(column.name)}" for column in table.columns]

    def content(self, calculated: frozenset[str]) -> Iterator[tuple[Column, Kind, str]]:
        """For each calculated text with answers: its column, a kind of content, and SQL of its value."""
        for column in self.asked:
            if column.kind == "text" and not calculated.isdisjoint((column.path, *column.was)):
                for kind in CONTENT:
                    yield column, kind, typed(kind, self.names[column.name])

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        found = {}
        for column in self.asked:
            texts = [self.level.text(ROW, path) for path in self.level.sources(column)]
            text = f"coalesce({', '.join(texts)})" if len(texts) > 1 else texts[0]
            only = self._only(column)
            found[column.name] = f"CASE WHEN {only} THEN {text} END" if only else text
        return found

    def _offset(self, column: Column) -> str:
        """The offset of whichever of its columns a time stands in; empty when the batch has none."""
        bases = [one for one in self.level.table.of_path.get(column.path, ()) if one.name in self._texts]
        bases = [one for one in bases if one.kind in ("time", "datetime")]
        if not bases:
            return ""
        some = " OR ".join(f"{self.names[one.name]} IS NOT NULL" for one in bases)
        text = typed("offset", f"coalesce({', '.join(map(self.text, bases))})")
        return f"CASE WHEN {some} THEN {text} END"

    def _cell(self, column: Column) -> str:
        text = self.text(column)
        cell = typed(column.kind, text)
        # Rows where choices were expected have become their JSON text, which must not be split at its blanks.
        return f"CASE WHEN NOT starts_with({text}, '[') THEN {cell} END" if self._has_rows(column) else cell

    def _can_misfit(self, column: Column) -> bool:
        return can_misfit(column.kind) or self._has_rows(column)

    def _has_rows(self, column: Column) -> bool:
        """Whether the batch has rows where the choices of a select_multiple were expected."""
        if column.kind != "select_multiple":
            return False
        return any(path + LIST in self.level.present for path in self.level.sources(column))

    def _finished(self, column: Column) -> str:
        if column.kind in CONTENT:
            base = next((one for one in self.asked if one.path == column.path and one.kind == "text"), None)
            cell = typed(column.kind, self.names[base.name]) if base else ""
        else:
            cell = self.names[column.name] if column.name in self._texts or column.name in self.beside else ""
        return cell or f"NULL::{column.sql_type}"

    def _path(self, column: Column) -> str:
        """SQL for the path at which the text of a column was found."""
        first, *others = self.level.sources(column)
        found = [f"WHEN {self.level.text(ROW, path)} IS NOT NULL THEN {sql.text(path)}" for path in others]
        return f"CASE WHEN {self.level.text(ROW, first)} IS NOT NULL THEN {sql.text(first)} {' '.join(found)} END"

    def _pairs(self, column: Column) -> Iterator[tuple[str, str, str]]:
        """No version asks a question under two names, but a submission may answer both.

        Gives the condition of that, the text under the older name, and the older path.
        """
        newer, *others = self.level.sources(column)
        before = [self.level.text(ROW, newer)]
        only = self._only(column) if others else ""
        for path in others:
            older = self.level.text(ROW, path)
            both = f"coalesce({', '.join(before)}) IS NOT NULL AND {older} IS NOT NULL"
            yield f"{only} AND {both}" if only else both, older, path
            before.append(older)

    def _only(self, column: Column) -> str:
        """A condition for a question that changed its type: each version fills the column of its own type."""
        family = self.level.table.of_path[column.path]
        if len(family) < 2:
            return ""
        paths = dict.fromkeys(path for one in family for path in (one.path, *one.was))
        kinds: dict[str, Kind] = {
            version: kind_of(question, form)
            for version, form in self.forms.items()
            for question in [next((form.by_path[path] for path in paths if path in form.by_path), None)]
            if question
        }
        latest = list(kinds.values())[-1] if kinds else family[-1].kind
        others = [version for version, kind in kinds.items() if kind != column.kind]
        mine = [version for version, kind in kinds.items() if kind == column.kind]
        if latest == column.kind:  # the latest type also takes versions that nobody knows
            return f"form_version NOT IN ({sql.texts(others)})" if others else ""
        return f"form_version IN ({sql.texts(mine)})"
