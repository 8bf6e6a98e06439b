"""Every rule over the staged tables: a violation table in one pass, then Great Expectations as the gate over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import islice
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.compile import run_on
from dialogkit.model.report import Report, RuleResult
from dialogkit.model.staged import Staged
from dialogkit.validate.gate import Expected, Verdict, judge, names_rows
from dialogkit.validate.rule import Rule

VIOLATIONS: Final = "stage_violations"
#: Views that Great Expectations reads; it does not quote their names.
_VIEW: Final = "check_"
_CHUNK: Final = 50


def check(db: duckdb.DuckDBPyConnection, staged: Staged, rules: Sequence[Rule], *, today: date) -> Report:
    """Judge every new submission of a batch. Writes temporary tables only, outside any transaction.

    Args:
        db: holds the staged tables.
        staged: the batch.
        rules: of the form and of people.
        today: the day of the pull, which `today()` gives in rules: the same when it is landed again.

    Returns:
        One result a rule. A rule that could not be evaluated says nothing about the data; nothing quotes an answer.
    """
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE {VIOLATIONS} (submission_id VARCHAR, table_name VARCHAR, row VARCHAR, "
        "path VARCHAR, rule VARCHAR, action VARCHAR)"
    )
    with run_on(db, today), _views(db, rules) as views:
        failed = _violations(db, [rule for rule in rules if rule.query])
        verdicts = _suite_verdicts(db, rules, views)
        generated = [rule for rule in rules if rule.query and rule.code not in failed]
        verdicts |= judge(db, [_over_table(rule) for rule in generated])
    counted = _counted(db)
    results = tuple(_result(rule, verdicts.get(rule.code), counted.get(rule.code, 0)) for rule in rules)
    silent = [result.code for result in results if not result.evaluated]
    db.execute(f"DELETE FROM {VIOLATIONS} WHERE rule IN ({sql.texts(silent)})")
    return Report(results, VIOLATIONS)


def _violations(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> set[str]:
    """Fill the violation table by chunks of rules; where a chunk fails, rule by rule. Gives the codes that failed."""
    failed: set[str] = set()
    rest = iter(rules)
    while chunk := list(islice(rest, _CHUNK)):
        if _insert(db, chunk):
            continue
        failed |= {rule.code for rule in chunk if not _insert(db, [rule])}
    return failed


def _insert(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], queries: Sequence[str] = ()) -> bool:
    parts = [
        f"SELECT v.id, {sql.text(rule.table)}, coalesce(v.row, ''), {sql.text(rule.path)}, {sql.text(rule.code)}, "
        f"{sql.text(rule.action)} FROM ({query}) AS v(id, row)"
        for rule, query in zip(rules, queries or [rule.query for rule in rules], strict=True)
    ]
    try:
        db.execute(f"INSERT INTO {VIOLATIONS} " + " UNION ALL ".join(parts))
    except duckdb.Error:  # its text may quote an answer: only that the rule failed is told
        return False
    return True


@contextmanager
def _views(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Iterator[Mapping[str, str]]:
    """Temporary views for the rules of people, one for each text of a view, and one over the violation table."""
    texts = dict.fromkeys(rule.expectation.view for rule in rules if rule.expectation)
    views = {text: f"{_VIEW}{number}" for number, text in enumerate(texts, 1)}
    every = {f"SELECT submission_id AS _submission_id, row AS _row, rule FROM {VIOLATIONS}": f"{_VIEW}0", **views}
    for text, name in every.items():
        db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}")
    try:
        yield views
    finally:
        for name in every.values():
            db.execute(f"DROP VIEW {name}")


def _over_table(rule: Rule) -> Expected:
    """The expectation that the violation table has no row of this rule."""
    code = sql.text(rule.code).replace("{", "{{").replace("}", "}}")
    query = f"SELECT _submission_id, _row FROM {{batch}} WHERE rule = {code}"
    return Expected(rule.code, f"{_VIEW}0", "unexpected_rows_expectation", {"unexpected_rows_query": query})


def _suite_verdicts(
    db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], views: Mapping[str, str]
) -> dict[str, Verdict]:
    """Great Expectations' own expectations; the rows that break one go into the violation table."""
    suite = {rule.code: rule for rule in rules if rule.expectation}
    expected = [
        Expected(code, views[found.view], found.type, found.arguments)
        for code, rule in suite.items()
        if (found := rule.expectation)
    ]
    verdicts = judge(db, expected)
    for code, verdict in verdicts.items():
        broken = verdict.evaluated and not verdict.met and verdict.rows_query
        if broken and not _insert(db, [suite[code]], [verdict.rows_query]):
            verdicts[code] = Verdict(evaluated=False)
    return verdicts


def _counted(db: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(db.execute(f"SELECT rule, count(*) FROM {VIOLATIONS} GROUP BY rule").fetchall())


def _result(rule: Rule, verdict: Verdict | None, counted: int) -> RuleResult:
    """A verdict and the violation table that do not agree are no evaluation."""
    by_row = rule.expectation is None or names_rows(rule.expectation.type)
    evaluated = verdict is not None and verdict.evaluated
    if verdict and evaluated and by_row:
        evaluated = counted == (0 if verdict.met else verdict.unexpected)
    violations = counted if by_row else int(bool(verdict and not verdict.met))
    fix = rule.fix
    if not evaluated:
        fix = f"Not decided: {'; '.join(rule.undecided)}" if rule.undecided else "The rule itself failed: correct it."
    return RuleResult(
        rule.code, rule.action, rule.path, dict(rule.messages), fix, evaluated, violations if evaluated else 0
    )
