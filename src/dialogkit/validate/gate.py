"""Great Expectations on DuckDB, over the landing's own connection.

Importing Great Expectations costs three seconds: nothing but the checking of a batch imports this module.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any, Final

import duckdb
import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

from dialogkit.validate.lent import lent
from dialogkit.validate.refused import QUERY_TYPE
from dialogkit.validate.statement import for_sqlalchemy

#: Its loggers quote answers (`Could not convert string '…'`): nothing of them may reach a terminal or a file.
_LOUD: Final = ("great_expectations", "sqlalchemy")
_ROW_TYPES: Final = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
#: Types that judge blanks too; for all others rows without an answer are not judged.
_ON_BLANKS: Final = frozenset({"expect_column_values_to_be_null", "expect_column_values_to_not_be_null"})
_RESULT: Final = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["_submission_id", "_row"],
    "return_unexpected_index_query": True,
}


@dataclass(frozen=True)
class Expected:
    """An expectation over one view or table.

    Args:
        rule: what the verdict is known by.
        relation: the view; a plain name, because Great Expectations does not quote it.
        type, arguments: of Great Expectations.
        judged: counts the rows that an SQL expectation applies to; `{batch}` stands for the relation.
    """

    rule: str
    relation: str
    type: str
    arguments: Mapping[str, Any]
    judged: str = ""


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations says of one rule.

    Args:
        evaluated: false when it raised; nothing else then holds.
        met: whether the rule holds.
        unexpected: rows that break it; 0 for a rule that names no rows.
        rows_query: gives `_submission_id, _row` of those rows; empty for a rule that names none.
        judged: rows that the expectation applies to (those that have the answer, where a blank breaks nothing); 0 for
            a rule that names no rows, and for an SQL one that does not say how to count them.
    """

    evaluated: bool
    met: bool = False
    unexpected: int = 0
    rows_query: str = ""
    judged: int = 0


def types() -> frozenset[str]:
    """Every expectation type that Great Expectations has."""
    return frozenset(list_registered_expectation_implementations())


def names_rows(kind: str) -> bool:
    """Whether an expectation of this type tells which rows break it."""
    return kind == QUERY_TYPE or issubclass(get_expectation_impl(kind), _ROW_TYPES)


def arguments_of(kind: str) -> frozenset[str]:
    """The arguments that this type takes."""
    return frozenset(get_expectation_impl(kind).__fields__)


def build(kind: str, arguments: Mapping[str, Any]) -> Any:
    """The expectation itself.

    Raises:
        ValueError: Great Expectations refuses the arguments; the text says which.
    """
    try:
        with redirect_stdout(io.StringIO()):  # it prints what it thinks of a query
            return get_expectation_impl(kind)(**arguments)
    except (ValueError, TypeError) as error:
        lines = str(error).splitlines()
        raise ValueError("; ".join(line.strip() for line in lines[1:] or lines)) from None


def judge(db: duckdb.DuckDBPyConnection, expected: Sequence[Expected]) -> dict[str, Verdict]:
    """Let Great Expectations evaluate expectations on the temporary tables of a connection.

    Args:
        db: outside any transaction: inside one, an error while one rule runs would fail all that follow.
        expected: any number, over any relations; those of one relation are evaluated together.

    Returns:
        A verdict for each rule.
    """
    if not expected:
        return {}
    verdicts: dict[str, Verdict] = {}
    with _silence(), lent(db) as address:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_sql("staged", connection_string=address, create_temp_table=False)
        for relation in dict.fromkeys(one.relation for one in expected):
            verdicts |= _judge_relation(source, [one for one in expected if one.relation == relation])
    return _with_counts(db, expected, verdicts)


def _with_counts(
    db: duckdb.DuckDBPyConnection, expected: Sequence[Expected], verdicts: Mapping[str, Verdict]
) -> dict[str, Verdict]:
    """Great Expectations does not count the rows that an SQL expectation applies to; several share a count."""
    counts: dict[str, int] = {}
    whole = dict(verdicts)
    for one in expected:
        if one.judged and verdicts[one.rule].evaluated:
            query = one.judged.format(batch=one.relation)
            if query not in counts:
                (counts[query],) = db.execute(query).fetchone() or (0,)
            whole[one.rule] = replace(verdicts[one.rule], judged=counts[query])
    return whole


def _judge_relation(source: Any, expected: Sequence[Expected]) -> dict[str, Verdict]:
    """Rules of one relation share their queries: when some fail, each of those is tried again alone."""
    batch = _batch(source, expected[0].relation)
    verdicts = _validate(batch, expected)
    failed = [one for one in expected if not verdicts[one.rule].evaluated]
    if len(expected) > 1:
        for one in failed:
            verdicts |= _validate(batch, [one])
    return verdicts


def _batch(source: Any, relation: str) -> Any:
    asset = source.add_table_asset(relation, table_name=relation)
    # A batch definition would be kept: Great Expectations then writes down all its assets once more.
    return asset.get_batch(asset.build_batch_request())


def _validate(batch: Any, expected: Sequence[Expected]) -> dict[str, Verdict]:
    built = [build(one.type, {**for_sqlalchemy(one.arguments), "meta": {"rule": one.rule}}) for one in expected]
    results = batch.validate(gx.ExpectationSuite("rules", expectations=built), result_format=_RESULT)
    # They come in another order than they were asked in.
    by_rule = {result.expectation_config.meta["rule"]: result for result in results.results}
    return {one.rule: _verdict(one, by_rule[one.rule]) for one in expected}


def _verdict(one: Expected, result: Any) -> Verdict:
    if _raised(result.exception_info):
        return Verdict(evaluated=False)
    found: Mapping[str, Any] = result.result
    if one.type == QUERY_TYPE:
        query = str(one.arguments["unexpected_rows_query"]).format(batch=one.relation)
        return Verdict(
            True, bool(result.success), int(found["observed_value"]), f"SELECT _submission_id, _row FROM ({query})"
        )
    if not names_rows(one.type):
        return Verdict(True, bool(result.success))
    query = str(found.get("unexpected_index_query") or "").rstrip("; \n")
    rows = f"SELECT _submission_id, _row FROM ({query})" if query else ""
    blanks = 0 if one.type in _ON_BLANKS else int(found.get("missing_count") or 0)
    judged = int(found.get("element_count") or 0) - blanks
    return Verdict(True, bool(result.success), int(found.get("unexpected_count") or 0), rows, judged)


def _raised(info: Mapping[str, Any]) -> bool:
    """Whether an expectation could not be evaluated; the facts stand at the top or under each metric."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(part, Mapping) and part.get("raised_exception") for part in info.values())


@contextmanager
def _silence() -> Iterator[None]:
    """Some of its loggers set a level of their own, so what they say is stopped on its way up."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    before = [logger.propagate for logger in loggers]
    nowhere = logging.NullHandler()
    for logger in loggers:
        logger.propagate = False
        logger.addHandler(nowhere)
    try:
        yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.propagate = propagate
            logger.removeHandler(nowhere)
