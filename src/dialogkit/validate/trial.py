"""Rules tried on tables without rows, so that what is wrong with their SQL is found before data come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from dialogkit.errors import ConfigError
from dialogkit.logic.compile import run_on
from dialogkit.model.staged import Staged
from dialogkit.validate.check import check
from dialogkit.validate.refused import QUERY_TYPE
from dialogkit.validate.rule import Expectation, Rule
from dialogkit.validate.statement import FOUND, placed

#: Any day: there is nothing to judge.
_DAY = date(2000, 1, 1)


def trial(db: duckdb.DuckDBPyConnection, staged: Staged, rules: Sequence[Rule], where: str) -> list[ConfigError]:
    """What keeps rules from running.

    Args:
        db: holds the staged tables, all empty: so an error of DuckDB can quote no answer.
        staged: a batch without submissions.
        rules: of one form, none twice.
        where: the file that they stand in.
    """
    silent = {result.code for result in check(db, staged, rules, today=_DAY).not_evaluated}
    with run_on(db, _DAY):
        told = {rule.code: _why(db, rule) for rule in rules if rule.code in silent and (rule.query or rule.expectation)}
    fix = "Correct it; nothing can be judged by it."
    return [
        ConfigError("CONFIG-056", f"{where}, rule {code}", f"It does not run: {why}", fix)
        for code, why in told.items()
        if why
    ]


def _why(db: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    """What DuckDB says of its SQL; a figure over a whole column has no value where there are no rows."""
    expectation = rule.expectation
    try:
        if expectation is None:
            db.execute(rule.query)
        elif expectation.type == QUERY_TYPE:
            db.execute(f"SELECT _submission_id, _row FROM ({_inlined(expectation)})")
        else:
            db.execute(expectation.view)
    except duckdb.Error as error:
        if f'"{FOUND}" does not have a column' in str(error):
            return "its result must have _submission_id and _row, both as {batch} has them."
        return " ".join(str(error).split("\n\nLINE", maxsplit=1)[0].split())
    return ""


def _inlined(expectation: Expectation) -> str:
    """The query with the rows of its views written out."""
    named = placed(expectation, {text: f"({text})" for text in expectation.others.values()})
    return str(named["unexpected_rows_query"]).format(batch=f"({expectation.view})")
