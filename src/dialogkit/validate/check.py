"""Every rule over the staged tables: a violation table in one pass, then Great Expectations as the gate over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.compile import run_on
from dialogkit.model.report import Report, RuleResult
from dialogkit.model.staged import Staged
from dialogkit.validate import violations
from dialogkit.validate.by_python import ByPython, judge_by_python
from dialogkit.validate.fact_rules import closed
from dialogkit.validate.gate import Expected, Verdict, judge, names_rows
from dialogkit.validate.logic_rules import KINDS
from dialogkit.validate.masked import judge_again, tells_relevance
from dialogkit.validate.rule import Rule
from dialogkit.validate.statement import placed
from dialogkit.validate.threshold import acts
from dialogkit.validate.violations import VIOLATIONS

#: Views that Great Expectations reads; it does not quote their names.
_VIEW: Final = "check_"
#: Stands for all rules that nothing broke: one expectation says so of them together.
_QUIET: Final = "*"


def check(
    db: duckdb.DuckDBPyConnection,
    staged: Staged,
    rules: Sequence[Rule],
    *,
    today: date,
    off: Sequence[Rule] = (),
) -> Report:
    """Judge every new submission of a batch. Writes temporary tables only, outside any transaction.

    Args:
        db: holds the staged tables.
        staged: the batch.
        rules: of the form and of people.
        today: the day of the pull, which `today()` gives where nothing tells the day on the phone.
        off: rules of the form that people turned off: what others rest on is still found out.

    Returns:
        One result a rule. A rule that could not be evaluated says nothing about the data; nothing quotes an answer.
    """
    violations.begin(db)
    generated = [rule for rule in (*rules, *off) if not rule.expectation]
    with run_on(db, today), _views(db, rules) as views:
        by_python = judge_by_python(db, staged, generated)
        failed = _fill(db, staged, generated, by_python)
        db.execute(f"DELETE FROM {VIOLATIONS} WHERE submission_id IN ({closed(staged)}) AND ({_LOGIC})")
        violations.forget(db, [*failed, *(rule.code for rule in off)])
        judged = violations.tolerate(db, generated, by_python.judged)
        verdicts = _suite_verdicts(db, rules, views)
        ran = [rule.code for rule in generated if (rule.query or rule.by_python) and rule.code not in failed]
        verdicts |= _verdicts(db, ran)
    looked_at = _sizes(db, staged)
    counted = violations.counted(db)
    results = []
    for rule in rules:
        unsaid = by_python.undecided.get(rule.code)
        told = replace(rule, undecided=(*rule.undecided, unsaid)) if unsaid else rule
        looked = judged.get(rule.code, looked_at.get(rule.table, 0))
        results.append(_result(told, verdicts.get(rule.code), counted.get(rule.code, (0, 0)), looked))
    violations.forget(db, [result.code for result in results if not result.evaluated])
    return Report(tuple(results), VIOLATIONS)


#: Of a submission that is still encrypted, the logic of the form says nothing.
_LOGIC: Final = " OR ".join(f"starts_with(rule, '{kind}:')" for kind in KINDS)


def _fill(db: duckdb.DuckDBPyConnection, staged: Staged, rules: Sequence[Rule], by_python: ByPython) -> set[str]:
    """What SQL and Python find; submissions that answer what is not relevant are judged a second time by SQL.

    Python knows for itself what is not relevant, and tells it before SQL is asked again.
    """

    def insert(some: Sequence[Rule]) -> set[str]:
        for rule in filter(tells_relevance, some):
            violations.add(db, rule, by_python.broken.get(rule.code, ()))
        return violations.insert_all(db, some)

    failed = insert(rules) | judge_again(db, staged, rules, insert)
    for rule in rules:
        if not tells_relevance(rule):
            violations.add(db, rule, by_python.broken.get(rule.code, ()))
    return failed


@contextmanager
def _views(db: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Iterator[Mapping[str, str]]:
    """Temporary views for the rules of people, one for each text of a view, and one over the violation table."""
    asked = [rule.expectation for rule in rules if rule.expectation]
    texts = dict.fromkeys(text for one in asked for text in (one.view, *one.others.values()))
    views = {text: f"{_VIEW}{number}" for number, text in enumerate(texts, 1)}
    every = {f"SELECT submission_id AS _submission_id, row AS _row, rule FROM {VIOLATIONS}": f"{_VIEW}0", **views}
    for text, name in every.items():
        db.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}")
    try:
        yield views
    finally:
        for name in every.values():
            db.execute(f"DROP VIEW {name}")


def _verdicts(db: duckdb.DuckDBPyConnection, codes: Sequence[str]) -> dict[str, Verdict]:
    """What Great Expectations says of generated rules: one expectation for each that was broken, one for the others."""
    broken = set(violations.counted(db))
    expected = [_no_rows(code, f"rule = {sql.text(code)}") for code in codes if code in broken]
    quiet = [code for code in codes if code not in broken]
    if quiet:
        expected.append(_no_rows(_QUIET, f"rule IN ({sql.texts(quiet)})"))
    verdicts = judge(db, expected)
    together = verdicts.pop(_QUIET, None)
    return verdicts | {code: together for code in quiet if together}


def _no_rows(code: str, condition: str) -> Expected:
    """The expectation that the violation table has no such row."""
    where = condition.replace("{", "{{").replace("}", "}}")
    query = f"SELECT _submission_id, _row FROM {{batch}} WHERE {where}"
    return Expected(code, f"{_VIEW}0", "unexpected_rows_expectation", {"unexpected_rows_query": query})


def _suite_verdicts(
    db: duckdb.DuckDBPyConnection, rules: Sequence[Rule], views: Mapping[str, str]
) -> dict[str, Verdict]:
    """Great Expectations' own expectations; the rows that break one go into the violation table."""
    suite = {rule.code: rule for rule in rules if rule.expectation}
    expected = [
        Expected(code, views[found.view], found.type, placed(found, views), found.judged)
        for code, rule in suite.items()
        if (found := rule.expectation)
    ]
    verdicts = judge(db, expected)
    for code, verdict in verdicts.items():
        broken = verdict.evaluated and verdict.unexpected and verdict.rows_query
        if broken and not violations.insert(db, [_acting(suite[code], verdict)], [verdict.rows_query]):
            verdicts[code] = Verdict(evaluated=False)
    return verdicts


def _acting(rule: Rule, verdict: Verdict) -> Rule:
    """The rule with what it does in this batch: within what `mostly` allows it only tells."""
    return replace(rule, action=acts(rule.action, verdict.unexpected, verdict.judged, rule.mostly))


def _sizes(db: duckdb.DuckDBPyConnection, staged: Staged) -> dict[str, int]:
    """Rows of each table."""
    sizes = {}
    for name, relation in staged.relations.items():
        (sizes[name],) = db.execute(f"SELECT count(*) FROM {sql.name(relation)}").fetchone() or (0,)
    return sizes


def _result(rule: Rule, verdict: Verdict | None, counted: tuple[int, int], judged: int) -> RuleResult:
    """A verdict and the violation table that do not agree are no evaluation."""
    found, submissions = counted
    by_row = rule.expectation is None or names_rows(rule.expectation.type)
    evaluated = verdict is not None and verdict.evaluated
    if verdict and evaluated and by_row:
        evaluated = found == verdict.unexpected
    action = _acting(rule, verdict).action if verdict and evaluated and rule.expectation else rule.action
    fix = rule.fix
    if not evaluated:
        fix = f"Not decided: {'; '.join(rule.undecided)}" if rule.undecided else "The rule itself failed: correct it."
    return RuleResult(
        code=rule.code,
        action=action,
        path=rule.path,
        message=dict(rule.messages),
        fix=fix,
        evaluated=evaluated,
        violations=(found if by_row else int(bool(verdict and not verdict.met))) if evaluated else 0,
        submissions=submissions if evaluated else 0,
        judged=verdict.judged if verdict and rule.expectation else judged,
        undecided="; ".join(rule.undecided),
    )
