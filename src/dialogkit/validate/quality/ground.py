"""What quality rules stand on: columns by name, the rows of a batch, and those that were accepted before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import ConfigError
from dialogkit.model.form import Question
from dialogkit.model.staged import Staged
from dialogkit.model.table import MAIN_COLUMNS, Column, Kind, Table
from dialogkit.validate.quality.settings import Settings, near
from dialogkit.validate.quality.texts import FIX, messages
from dialogkit.validate.rule import Rule

#: Concepts of the question for the country, the first that a form has.
_COUNTRY: Final = ("geo.country", "country")
#: Questions that nobody answers: the device, a clock or the form itself does.
UNASKED: Final = frozenset(
    {
        *("start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email"),
        *("audit", "start-geopoint", "background-geopoint", "background-audio", "calculate", "hidden"),
    }
)


@dataclass(frozen=True)
class Past:
    """What the warehouse has of a form before a batch is loaded.

    Args:
        columns: names of the columns of each table in `accepted`.
        fingerprints: whether `ops.fingerprints` is there.
        staged: whether the temporary table `stage_fingerprints` is there.
    """

    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fingerprints: bool = False
    staged: bool = False


NO_PAST: Final = Past()


def past_of(db: duckdb.DuckDBPyConnection, staged: Staged) -> Past:
    """What the warehouse has of the form of a batch."""
    rows = db.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() WHERE database_name = current_database() "
        f"AND schema_name = 'accepted' AND table_name IN ({sql.texts(staged.relations)}) GROUP BY table_name"
    ).fetchall()
    found = db.execute(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE table_name = 'stage_fingerprints' "
        "OR (database_name = current_database() AND (schema_name, table_name) = ('ops', 'fingerprints'))"
    ).fetchall()
    columns = {table: frozenset(names) for table, names in rows}
    return Past(columns, ("fingerprints",) in found, ("stage_fingerprints",) in found)


def total(parts: Sequence[str]) -> str:
    """SQL of a sum, as a tree of halves: DuckDB refuses an expression that is 1,000 deep, and forms are that long."""
    if len(parts) < 2:
        return parts[0] if parts else "0"
    half = len(parts) // 2
    return f"({total(parts[:half])} + {total(parts[half:])})"


@dataclass(frozen=True)
class Ground:
    """One rule over one batch: its settings, and what they name."""

    staged: Staged
    past: Past
    settings: Settings

    @property
    def main(self) -> Table:
        """The table with one row a submission."""
        return self.staged.tables[0]

    @property
    def rows(self) -> str:
        """The new rows of the main table, as a name."""
        return self.relation(self.main)

    def relation(self, table: Table) -> str:
        """The new rows of a table, as a name."""
        return sql.name(self.staged.relations[table.name])

    def refuse(self, code: str, message: str, fix: str) -> ConfigError:
        """The error of settings that do not fit this form."""
        return ConfigError(code, self.settings.where, message, fix)

    def named(self, name: str, kinds: Iterable[Kind] = ()) -> tuple[Table, Column]:
        """The column of a name: `age` of the main table, `person.age` of the repeat `person`.

        Raises:
            ConfigError: CONFIG-073 (no such column), CONFIG-074 (not of these kinds).
        """
        repeat, _, leaf = name.rpartition(".")
        some = {one.repeat.rsplit("/", 1)[-1]: one for one in reversed(self.staged.tables)}
        table = some.get(repeat)
        columns = {column.name: column for column in table.columns} if table else {}
        if table is None or leaf not in columns:
            known = [f"{at}.{one.name}" if at else one.name for at, each in some.items() for one in each.columns]
            raise self.refuse("CONFIG-073", f"The form has no column {name}.", near(name, known))
        if kinds and columns[leaf].kind not in kinds:
            message = f"{name} is of the kind {columns[leaf].kind}."
            raise self.refuse("CONFIG-074", message, f"Name a column of the kind {' or '.join(kinds)}.")
        return table, columns[leaf]

    def of_main(self, name: str, kinds: Iterable[Kind] = ()) -> Column:
        """As `named`, in the main table.

        Raises:
            ConfigError: CONFIG-073, CONFIG-074.
        """
        table, column = self.named(name, kinds)
        if table.repeat:
            raise self.refuse("CONFIG-074", f"{name} stands in a repeat.", "Name a column outside repeats.")
        return column

    def missing(self, what: str, fix: str) -> None:
        """Something that the rule needs is not in the form: nothing to do, unless somebody asked for the rule.

        Raises:
            ConfigError: CONFIG-075.
        """
        if self.settings.asked:
            raise self.refuse("CONFIG-075", f"The rule needs {what}.", fix)

    def typed(self, kind: str) -> Column | None:
        """The column of the main table whose question is of a type (`start`, `end`) or that the settings name."""
        if self.settings.text(kind):
            return self.of_main(self.settings.text(kind), ("datetime",))
        for path, question in self.questions().items():
            column = self.main.by_path.get(path)
            if question.type == kind and column is not None and column.kind == "datetime":
                return column
        return None

    def questions(self) -> dict[str, Question]:
        """Questions by path, over all versions, as the latest has them."""
        return {question.path: question for form in self.staged.forms.values() for question in form.questions}

    def asked(self, table: Table) -> list[Column]:
        """The columns of what somebody answers: no times, devices, calculations, files or places."""
        questions = self.questions()
        return [
            column
            for column in table.columns
            if not column.is_companion
            and column.kind not in ("file", "geopoint", "geotrace", "geoshape")
            and any(questions[path].type not in UNASKED for path in (column.path, *column.was) if path in questions)
        ]

    def enumerator(self) -> tuple[str, str]:
        """Who collected a row of the main table `m`: the SQL, and the name of the column."""
        name = self.settings.text("enumerator")
        if name not in MAIN_COLUMNS:
            name = self.of_main(name, ("text", "select_one", "integer")).name
        return f"nullif(trim(CAST(m.{sql.name(name)} AS VARCHAR)), '')", name

    def country(self) -> Column | None:
        """The column for the country: as the settings name it, else by its concept."""
        if self.settings.text("country"):
            return self.of_main(self.settings.text("country"), ("select_one", "text"))
        found = {column.concept: column for column in self.main.columns if column.kind in ("select_one", "text")}
        return next((found[concept] for concept in _COUNTRY if concept in found), None)

    def population(
        self, table: Table, cells: Mapping[str, str], main: Sequence[str], own: Sequence[str], only: str = ""
    ) -> str:
        """The rows of a batch and, where `accepted` has all that is needed, those that were accepted before.

        Args:
            table: whose rows.
            cells: name → SQL over `m` (main table) and `t` (the table; the same as `m` for the main table).
            main: names of the columns of the main table that the SQL reads.
            own: names of the columns of the table that it reads.
            only: a condition on the rows that were accepted before.

        Returns:
            A query of `id, row, new` and the cells.
        """
        row = "t._row" if table.repeat else "''"
        told = ", ".join(f"{text} AS {name}" for name, text in cells.items())

        def rows(m: str, t: str, new: bool) -> str:
            joined = f"{m} m JOIN {t} t ON t._submission_id = m._submission_id" if table.repeat else f"{m} m"
            return f"SELECT m._submission_id AS id, {row} AS row, {new} AS new, {told} FROM {joined}"

        new = rows(self.rows, self.relation(table), True)
        before = self.past.columns
        known = {*main} <= before.get(self.main.name, set()) and {*own} <= before.get(table.name, set())
        if not known or table.name not in before:
            return new
        old = rows(sql.name("accepted", self.main.name), sql.name("accepted", table.name), False)
        replaced = f"m._submission_id NOT IN (SELECT _submission_id FROM {self.rows})"
        return f"{new} UNION ALL {old} WHERE {replaced}{f' AND {only}' if only else ''}"

    def rule(self, query: str, *, about: Column | None = None, table: Table | None = None) -> Rule:
        """The rule with what it says; `about` is the one question that it is about."""
        name, of = self.settings.name, table or self.main
        question = self.questions().get(about.path) if about else None
        answered = f" WHERE {sql.name(about.name)} IS NOT NULL" if about else ""
        return Rule(
            code=f"QUALITY-{name.upper()}{f':{about.path}' if about else ''}",
            action=self.settings.action,
            path=about.path if about else "",
            table=of.name,
            messages=messages(name, self.staged.form, question),
            fix=FIX,
            query=query,
            judged=f"SELECT _submission_id, {'_row' if of.repeat else sql.text('')} FROM {self.relation(of)}{answered}",
            mostly=self.settings.number("mostly"),
        )
