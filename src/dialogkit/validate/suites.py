"""Rules of people: `validations/<form_id>.toml`, in Great Expectations' own types and arguments."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialogkit import sql
from dialogkit.errors import ConfigError
from dialogkit.logic.compile import compile_condition
from dialogkit.logic.parse import NotDecidable
from dialogkit.model.staged import Staged
from dialogkit.model.table import Column, Table
from dialogkit.validate import gate
from dialogkit.validate.resolve import Rows
from dialogkit.validate.rule import Expectation, Rule
from dialogkit.validate.texts import FIX, LANGUAGES

_OURS: Final = ("code", "type", "table", "when", "action", "message", "fix")
_ONE_COLUMN: Final = ("column", "column_A", "column_B")
_COLUMN_LISTS: Final = ("column_list", "column_set")
#: Arguments that every type takes and that lose rows, hide errors or do nothing here.
_REFUSED: Final[Mapping[str, str]] = {
    "row_condition": "Write it as when: its own condition is left out of the query of rows.",
    "condition_parser": "Leave it out; write the condition as when.",
    **dict.fromkeys(
        ("id", "meta", "notes", "result_format", "catch_exceptions", "rendered_content", "windows", "description"),
        "Leave it out: dialogkit sets it itself.",
    ),
    "ignore_row_if": "Leave it out: a rule over several columns judges rows where all of them are answered.",
    "severity": "Leave it out: action says what a violation does.",
}
_AS_QUERY: Final = (
    'Write it as type = "unexpected_rows_expectation" with unexpected_rows_query = '
    "\"SELECT * FROM {batch} WHERE NOT regexp_full_match(name, '…')\" (double the braces of the pattern)."
)

_AS_UNIQUE: Final = (
    'Write it as type = "unexpected_rows_expectation" with unexpected_rows_query = '
    '"SELECT * FROM {batch} QUALIFY count(*) OVER (PARTITION BY a, b) > 1".'
)
_BY_FORM: Final = "Leave it out: the form's own types are checked as FORM-TYPE."
#: Types that Great Expectations cannot evaluate on DuckDB, or whose rows it cannot name there, and the way out.
NOT_HERE: Final[Mapping[str, str]] = {
    "expect_compound_columns_to_be_unique": _AS_UNIQUE,
    "expect_column_values_to_be_of_type": _BY_FORM,
    "expect_column_values_to_be_in_type_list": _BY_FORM,
    "expect_column_values_to_not_be_outliers": "Write it as expect_column_value_z_scores_to_be_less_than.",
    **dict.fromkeys(
        (
            "expect_column_values_to_be_increasing",
            "expect_column_values_to_be_decreasing",
            "expect_column_values_to_match_strftime_format",
            "expect_column_values_to_be_dateutil_parseable",
            "expect_column_values_to_be_json_parseable",
            "expect_column_values_to_match_json_schema",
        ),
        _AS_QUERY,
    ),
    **{
        f"expect_column_values_to_{negation}match_{pattern}{several}": _AS_QUERY
        for negation in ("", "not_")
        for pattern in ("regex", "like_pattern")
        for several in ("", "_list")
    },
}


def read_suite(path: Path, staged: Staged) -> tuple[Rule, ...]:
    """The rules of a file for this batch; none when there is no such file.

    Raises:
        ConfigError: CONFIG-020 (the file), CONFIG-021 (a key of ours), CONFIG-022 (unknown type), CONFIG-023
            (arguments), CONFIG-024 (table or column), CONFIG-025 (a type that names no rows on DuckDB), CONFIG-026
            (a rule that names no rows may only be a note), CONFIG-027 (`when`), CONFIG-028 (a code used twice).
    """
    if not path.is_file():
        return ()
    rules: dict[str, Rule] = {}
    for number, table in enumerate(_read(path), 1):
        rule = _Entry(path, number, table, staged).rule()
        if rule.code in rules:
            raise _refusal(
                "CONFIG-028", path, rule.code, "The code is used twice.", "Give each rule a code of its own."
            )
        rules[rule.code] = rule
    return tuple(rules.values())


def _read(path: Path) -> list[Mapping[str, Any]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("CONFIG-020", str(path), f"This is not a TOML file: {error}.", "Correct it there.") from None
    rules = data.pop("rule", [])
    if data or not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        message = "The file may hold nothing but rules, each under [[rule]]."
        raise ConfigError("CONFIG-020", str(path), message, "Take out everything else.")
    return rules


def _refusal(code: str, path: Path, rule: str, message: str, fix: str) -> ConfigError:
    return ConfigError(code, f"{path}, rule {rule}", message, fix)


@dataclass(frozen=True)
class _Entry:
    """One `[[rule]]` as written."""

    path: Path
    number: int
    written: Mapping[str, Any]
    staged: Staged

    @property
    def code(self) -> str:
        return str(self.written.get("code") or f"number {self.number}")

    @property
    def arguments(self) -> dict[str, Any]:
        return {key: value for key, value in self.written.items() if key not in _OURS}

    def refuse(self, code: str, message: str, fix: str) -> ConfigError:
        return _refusal(code, self.path, self.code, message, fix)

    def rule(self) -> Rule:
        self._check_ours()
        self._check_type()
        table = self._table()
        columns = self._columns(table)
        self._check_arguments()
        return Rule(
            code=self.code,
            action=self.written["action"],
            path=columns[0].path if columns else "",
            table=table.name,
            messages=self.written["message"],
            fix=self.written.get("fix", FIX),
            expectation=Expectation(self.written["type"], self.arguments, self._view(table, columns)),
        )

    def _check_ours(self) -> None:
        for key in ("code", "type", "action"):
            if not isinstance(self.written.get(key), str) or not self.written[key]:
                raise self.refuse("CONFIG-021", f"It has no {key}.", f'Write {key} = "…".')
        if self.written["action"] not in ("hold", "note"):
            raise self.refuse("CONFIG-021", "The action is not known.", 'Write action = "hold" or action = "note".')
        said = self.written.get("message")
        if not isinstance(said, dict) or "en" not in said or not said.keys() <= set(LANGUAGES):
            raise self.refuse("CONFIG-021", "It has no message.", 'Write message.en = "…", message.fr and message.es.')
        if not all(isinstance(self.written.get(key, ""), str) for key in ("when", "table", "fix")):
            raise self.refuse("CONFIG-021", "when, table and fix are texts.", "Put them in quotation marks.")

    def _check_type(self) -> None:
        kind = self.written["type"]
        if kind not in gate.types():
            raise self.refuse("CONFIG-022", f"{kind} is not a type of Great Expectations.", _near(kind, gate.types()))
        if kind in NOT_HERE:
            raise self.refuse("CONFIG-025", f"{kind} does not work on DuckDB.", NOT_HERE[kind])
        if self.written["action"] == "hold" and not gate.names_rows(kind):
            fix = 'Write action = "note", or a type that judges each row.'
            raise self.refuse("CONFIG-026", f"{kind} does not say which submissions break it.", fix)

    def _table(self) -> Table:
        wanted = self.written.get("table", "")
        for table in self.staged.tables:
            if wanted in (table.name, table.repeat, table.repeat.rsplit("/", 1)[-1]):
                return table
        names = [table.repeat.rsplit("/", 1)[-1] for table in self.staged.tables[1:]]
        raise self.refuse("CONFIG-024", f"The form has no repeat {wanted}.", _near(wanted, names))

    def _columns(self, table: Table) -> list[Column]:
        names = [self.written[key] for key in _ONE_COLUMN if key in self.written]
        names += [name for key in _COLUMN_LISTS for name in _list(self.written.get(key))]
        known = {column.name: column for column in table.columns}
        for name in names:
            if name not in known:
                fix = f"{_near(str(name), known)} A question of a repeat needs table = the repeat's name."
                raise self.refuse("CONFIG-024", f"{name} is not a column of {table.name}.", fix)
        return [known[name] for name in names]

    def _check_arguments(self) -> None:
        kind = self.written["type"]
        for key in self.arguments:
            if key in _REFUSED:
                raise self.refuse("CONFIG-023", f"{key} may not be set.", _REFUSED[key])
            if key not in gate.arguments_of(kind):
                raise self.refuse("CONFIG-023", f"{kind} has no argument {key}.", _near(key, gate.arguments_of(kind)))
        try:
            gate.build(kind, self.arguments)
        except ValueError as error:
            fix = f"See {kind} in the gallery of Great Expectations."
            raise self.refuse("CONFIG-023", f"Great Expectations refuses it: {error}.", fix) from None

    def _view(self, table: Table, columns: Sequence[Column]) -> str:
        """The rows that the rule judges: ticks as text, because a list cannot be compared with a set of values.

        A rule over several columns judges rows where all are answered: what Great Expectations counts and what its
        query of rows gives differ on rows with blanks.
        """
        rows = Rows(self.staged, table, self.staged.form)
        cells = [f"m._submission_id, {rows.row} AS _row", *(_cell(rows.own, column) for column in table.columns)]
        query = f"SELECT {', '.join(cells)} FROM {rows.source}"
        answered = [f"{rows.own}.{sql.name(column.name)} IS NOT NULL" for column in columns if len(columns) > 1]
        conditions = " AND ".join([*self._when(rows), *answered])
        return f"{query} WHERE {conditions}" if conditions else query

    def _when(self, rows: Rows) -> list[str]:
        if not self.written.get("when"):
            return []
        try:
            return [compile_condition(self.written["when"], rows.resolve)]
        except NotDecidable as error:
            fix = "Write it as in a form, over questions of this form that have answers."
            raise self.refuse("CONFIG-027", f"when cannot be decided: {error.reason}.", fix) from None


def _cell(own: str, column: Column) -> str:
    name = sql.name(column.name)
    cell = f"array_to_string({own}.{name}, ' ')" if column.kind == "select_multiple" else f"{own}.{name}"
    return f"{cell} AS {name}"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _near(word: str, known: Sequence[str] | Mapping[str, Any] | frozenset[str]) -> str:
    found = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {found[0]}?" if found else "Correct the name."
