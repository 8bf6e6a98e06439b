"""One `[[rule]]` as written, and the rule that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dialogkit import sql
from dialogkit.logic.compile import TODAY as PULL_DAY
from dialogkit.logic.compile import compile_condition
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Table
from dialogkit.validate import statement
from dialogkit.validate.refused import COMPOUND, QUERY_TYPE, UNIQUE
from dialogkit.validate.resolve import Rows
from dialogkit.validate.rule import Expectation, Rule
from dialogkit.validate.scope import WholeForm
from dialogkit.validate.texts import FIX
from dialogkit.validate.words import listed

_OURS: Final = ("code", "type", "table", "when", "action", "message", "fix", "scope", "by")
_ONE_COLUMN: Final = ("column", "column_A", "column_B")
_COLUMN_LISTS: Final = ("column_list", "column_set")
#: Columns about the submission, beside those of questions.
_ABOUT: Final = ("_form_version", "_submitted_at", "_submitter", "_origin")
#: Types that can be judged over the rows of the whole form and name those of the batch.
OVER_FORM: Final = (QUERY_TYPE, UNIQUE, COMPOUND)


@dataclass(frozen=True)
class Entry:
    """One `[[rule]]`, against the tables of a batch."""

    path: Path
    number: int
    written: Mapping[str, Any]
    whole: WholeForm

    @property
    def code(self) -> str:
        """What the rule is called here, even where it has no code."""
        return str(self.written.get("code") or f"number {self.number}")

    def rule(self) -> Rule:
        """The rule, where it has no problem."""
        arguments = {key: value for key, value in self.arguments.items() if key != "mostly" or not self.as_query}
        if self.as_query:
            arguments = {"unexpected_rows_query": self._query()}
        kind = QUERY_TYPE if self.as_query else self.kind
        return Rule(
            code=self.code,
            action=self.written["action"],
            path=self.named[0].path if self.named else "",
            table=self.table.name,
            messages=self.written["message"],
            fix=self.written.get("fix", FIX),
            expectation=Expectation(
                kind,
                arguments,
                self._view(self.table, self.named),
                self._others(),
                self._judged(),
            ),
            mostly=float(self.written.get("mostly", 1.0)),
        )

    @property
    def kind(self) -> str:
        """The type as written."""
        return str(self.written["type"])

    @property
    def arguments(self) -> dict[str, Any]:
        """What goes to Great Expectations."""
        return {key: value for key, value in self.written.items() if key not in _OURS}

    @property
    def over_form(self) -> bool:
        """Whether it is judged over the rows of the whole form."""
        return bool(self.written.get("scope", "batch") == "form")

    @property
    def as_query(self) -> bool:
        """Whether it runs as SQL: what people wrote, or ours for what Great Expectations has no query of rows for."""
        return self.kind in (QUERY_TYPE, COMPOUND) or (self.over_form and self.kind == UNIQUE)

    @property
    def staged(self) -> Staged:
        """The batch."""
        return self.whole.staged

    @cached_property
    def named(self) -> list[Column]:
        """The columns that its arguments name, in their order."""
        known = {column.name: column for column in self.open(self.table)}
        return [known[name] for name in self.names() if name in known]

    def names(self) -> list[str]:
        """The same as written."""
        names = [self.written[key] for key in _ONE_COLUMN if key in self.written]
        return names + [name for key in _COLUMN_LISTS for name in listed(self.written.get(key))]

    def find(self, wanted: str) -> Table | None:
        """The table of a repeat, by its name or path; the main table for `main` and nothing."""
        if wanted in ("", "main"):
            return self.staged.tables[0]
        for table in self.staged.tables:
            if wanted in (table.name, table.repeat, table.repeat.rsplit("/", 1)[-1]):
                return table
        return None

    @cached_property
    def table(self) -> Table:
        """The table whose rows it judges."""
        return self.find(self.written.get("table", "")) or self.staged.tables[0]

    def open(self, table: Table) -> tuple[Column, ...]:
        """The columns of a table that it may read."""
        return table.open_columns if self.over_form else table.columns

    def written_query(self) -> str:
        """The SQL as written."""
        return str(self.written["unexpected_rows_query"]).rstrip("; \t\r\n\v\f")

    def _query(self) -> str:
        """The query of the rows that break it; over the whole form, only those of the batch."""
        if self.kind == QUERY_TYPE:
            # Over the whole form, accepted submissions may be named too.
            known = "" if self.over_form else self.whole.new
            query = statement.wrapped(statement.place(self.written_query(), {statement.TODAY: PULL_DAY}), known)
        else:
            keys = ", ".join(_braced(sql.name(column.name)) for column in self.named)
            filled = " AND ".join(f"{_braced(sql.name(column.name))} IS NOT NULL" for column in self.named)
            query = f"SELECT * FROM {{batch}} WHERE {filled} QUALIFY count(*) OVER (PARTITION BY {keys}) > 1"
        if not self.over_form:
            return query
        return f"SELECT * FROM ({query}) WHERE _submission_id IN ({self.whole.new})"

    def _judged(self) -> str:
        """Counts the rows that it applies to, where it runs as SQL: of the batch, with the answers that it is about."""
        if not self.as_query:
            return ""
        conditions = [f"{_braced(sql.name(column.name))} IS NOT NULL" for column in self.named]
        if self.over_form:
            conditions.append(f"_submission_id IN ({self.whole.new})")
        return " WHERE ".join(["SELECT count(*) FROM {batch}", *filter(None, [" AND ".join(conditions)])])

    def _by(self) -> list[Column]:
        if self.kind != QUERY_TYPE:
            return self.named
        known = {column.name: column for column in self.table.open_columns}
        return [known[name] for name in listed(self.written.get("by"))]

    def rows(self, table: Table) -> Rows:
        """The rows of a table as the rule sees them."""
        staged = self.whole.rows(self.table, self._by()) if self.over_form else self.staged
        return Rows(staged, table, self.staged.form)

    def _others(self) -> dict[str, str]:
        """What other placeholders of its query stand for."""
        if self.kind != QUERY_TYPE:
            return {}
        names = [name for name in statement.placeholders(self.written_query()) if name != statement.BATCH]
        tables = {name: table for name in names if name != statement.TODAY and (table := self.find(name))}
        return {name: self._view(table, (), judged=False) for name, table in tables.items()}

    def _view(self, table: Table, columns: Sequence[Column], *, judged: bool = True) -> str:
        """The rows of a table: ticks as text, because a list cannot be compared with a set of values.

        A rule over several columns judges rows where all are answered: what Great Expectations counts and what its
        query of rows gives differ on rows with blanks.
        """
        rows = self.rows(table)
        columns_of = self.open(table)
        cells = [
            f"m._submission_id, {rows.row} AS _row",
            *_about(columns_of),
            *(_cell(rows.own, c) for c in columns_of),
        ]
        query = f"SELECT {', '.join(cells)} FROM {rows.source}"
        answered = [f"{rows.own}.{sql.name(column.name)} IS NOT NULL" for column in columns if len(columns) > 1]
        conditions = " AND ".join([*self.when(rows), *answered]) if judged else ""
        return f"{query} WHERE {conditions}" if conditions else query

    def when(self, rows: Rows) -> list[str]:
        """The condition that it is bound to, as SQL; raises NotDecidable."""
        return [compile_condition(self.written["when"], rows)] if self.written.get("when") else []


def _about(columns: Sequence[Column]) -> list[str]:
    """What is known of the submission itself, for rules in SQL; a question of a repeat may have such a name."""
    taken = {column.name.lower() for column in columns}
    return [f"m.{name}" for name in _ABOUT if name not in taken]


def _cell(own: str, column: Column) -> str:
    name = sql.name(column.name)
    cell = f"array_to_string({own}.{name}, ' ')" if column.kind == "select_multiple" else f"{own}.{name}"
    return f"{cell} AS {name}"


def _braced(name: str) -> str:
    return name.replace("{", "{{").replace("}", "}}")
