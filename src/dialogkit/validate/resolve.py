"""What expressions of a form mean in the rows of a staged table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal

from dialogkit import sql
from dialogkit.errors import FormError
from dialogkit.logic.compile import TODAY
from dialogkit.logic.lists import list_rows
from dialogkit.logic.media import read_media
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.sql_moments import minutes
from dialogkit.logic.terms import Reference
from dialogkit.model.form import Choice, Form
from dialogkit.model.kinds import kind_of
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Kind, Table

#: Kinds that a text can fail to be: then it is an issue.
CAN_MISFIT: Final[frozenset[Kind]] = frozenset(
    {"integer", "decimal", "date", "time", "datetime", "geopoint", "geotrace", "geoshape"}
)
#: Questions that a phone answers with its clock, so that their offset is that of the phone.
_CLOCKS: Final = ("start", "end")


@dataclass(frozen=True)
class Rows:
    """The rows of one table as the rules of one form version see them: its own and those above, each with an alias.

    Args:
        staged: the batch.
        table: the table whose rows are judged.
        form: the version that its submissions were made with.
        media: the files that its logic reads, by name.
        today: SQL of the day on the phone; the day of the pull where the lead of a rule says nothing else.
        language: of labels; None where it is not known.
    """

    staged: Staged
    table: Table
    form: Form
    media: Mapping[str, Path] = field(default_factory=dict)
    today: str = TODAY
    language: str | None = None

    @property
    def source(self) -> str:
        """A FROM clause; `m` is the main table, `t1`, `t2`… the repeats around the rows, from outside in."""
        main, *inner = self._chain
        parts = [f"{sql.name(self.staged.relations[main.name])} m"]
        for depth, table in enumerate(inner, 1):
            relation = sql.name(self.staged.relations[table.name])
            above = f" AND t{depth}._parent_row = t{depth - 1}._row" if depth > 1 else ""
            parts.append(f"JOIN {relation} t{depth} ON t{depth}._submission_id = m._submission_id{above}")
        return " ".join(parts)

    @property
    def own(self) -> str:
        """The alias of the rows themselves."""
        return _alias(len(self._chain) - 1)

    @property
    def row(self) -> str:
        """SQL of the row's place in its submission."""
        return f"{self.own}._row" if self.table.repeat else "''"

    @property
    def at(self) -> str:
        """A path that stands in these rows, of no question."""
        return f"{self.table.repeat}/" if self.table.repeat else ""

    @cached_property
    def offset(self) -> str:
        """SQL of the minutes that the clock of the phone was ahead of UTC, by its own clock."""
        for question in self.form.questions:
            if question.type in _CLOCKS and not self.form.repeat_of(question.path):
                offset = self.reference(question.path, "m").offset
                if offset:
                    return minutes(offset)
        return "0"

    def alias(self, repeat: str) -> str:
        """The alias of the present row of a repeat (`""`: of the submission)."""
        for depth, table in enumerate(self._chain):
            if table.repeat == repeat:
                return _alias(depth)
        raise NotDecidable("a question of a repeat is used from outside it as if it had one answer")

    def relation(self, repeat: str) -> str:
        """The relation of the rows of a repeat, quoted."""
        return sql.name(self.staged.relations[self._table(repeat).name])

    def reference(self, path: str, alias: str) -> Reference:
        """The answer of a question in the row with this alias, in the column of the type that this version gives it."""
        question = self.form.by_path[path]
        columns = self.columns(path)
        if not question.has_answer and not (question.calculation or question.default):
            return Reference("CAST(NULL AS VARCHAR)", "text")  # nobody answers a note
        if not columns:
            raise NotDecidable(f"{question.name} has no answer that is stored")
        kind = kind_of(question, self.form)
        column = next((one for one in columns if one.kind == kind), columns[-1])
        table = self._table(self.form.repeat_of(path))
        beside = [one for one in table.columns if one.kind == "offset" and one.path in (column.path, *column.was)]
        offset = f"{alias}.{sql.name(beside[0].name)}" if beside and column.kind in ("time", "datetime") else ""
        return Reference(f"{alias}.{sql.name(column.name)}", column.kind, offset)

    def items(self, kind: Literal["list", "file"], source: str) -> Sequence[Mapping[str, str]]:
        """The rows of a choice list or of a media file, by column.

        Raises:
            NotDecidable: there is none of this name.
        """
        if kind == "list":
            choices = self.form.choice_lists.get(source, ())
            rows = zip(list_rows(choices), choices, strict=True)
            return [{**row, **self._label(choice)} for row, choice in rows]
        path = self.media.get(source)
        if path is None:
            raise NotDecidable(f"the file {source} is not with the form, or cannot be read")
        try:
            return _file_rows(source, path, path.stat().st_mtime_ns)
        except (OSError, FormError):
            raise NotDecidable(f"the file {source} is not with the form, or cannot be read") from None

    def columns(self, path: str) -> list[Column]:
        """The columns of a question: several where it changed its type between versions."""
        return list(self._table(self.form.repeat_of(path)).of_path.get(path, ()))

    def is_blank(self, path: str) -> str:
        """SQL for whether a question of these rows has no answer; an answer that is not of its type is one."""
        columns = self.columns(path)
        blank = " AND ".join(_is_blank(f"{self.own}.{sql.name(column.name)}", column) for column in columns)
        if not any(column.kind in CAN_MISFIT for column in columns):
            return f"({blank})"
        misfit = f"i.submission_id = m._submission_id AND i.row = {self.row} AND i.path = {sql.text(path)}"
        return f"({blank} AND NOT EXISTS (SELECT 1 FROM {sql.name(self.staged.issues)} i WHERE {misfit}))"

    def no_row(self, repeat: str) -> str:
        """SQL for whether these rows have no row of a repeat directly in them."""
        below = f" AND q._parent_row = {self.own}._row" if self.table.repeat else ""
        return f"NOT EXISTS (SELECT 1 FROM {self.relation(repeat)} q WHERE q._submission_id = m._submission_id{below})"

    def _label(self, choice: Choice) -> Mapping[str, str]:
        """The column `jr:label`: the label on the phone; not there where that depends on an unknown language."""
        labels = set(choice.labels.values())
        told = choice.labels.get(self.language) if self.language is not None else None
        if told is None and len(labels) == 1:
            told = next(iter(labels))
        return {} if told is None else {"jr:label": told}

    @cached_property
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


@lru_cache(maxsize=16)
def _file_rows(name: str, path: Path, _changed: int) -> Sequence[Mapping[str, str]]:
    return read_media(name, path.read_bytes())


def _is_blank(cell: str, column: Column) -> str:
    """Several choices that were sent as blanks are an empty list."""
    return f"coalesce(len({cell}), 0) = 0" if column.kind == "select_multiple" else f"{cell} IS NULL"


def _alias(depth: int) -> str:
    return f"t{depth}" if depth else "m"
