"""Expressions of forms as SQL mean what they mean on a phone (JavaRosa; landing.md, "Form logic as SQL")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import duckdb
import pytest

from dialogkit.logic.compile import Context, compile_condition, run_on
from dialogkit.logic.parse import NotDecidable, parse
from dialogkit.logic.terms import Reference, text
from dialogkit.model.table import Kind

#: Name → SQL, kind, repeated.
NODES: Mapping[str, tuple[str, Kind, bool]] = {
    "n": ("CAST(5 AS BIGINT)", "integer", False),
    "x": ("CAST(2.5 AS DOUBLE)", "decimal", False),
    "empty_n": ("CAST(NULL AS BIGINT)", "integer", False),
    "t": ("'yes'", "text", False),
    "empty_t": ("CAST(NULL AS VARCHAR)", "text", False),
    "digits": ("'12,5'", "text", False),
    "d": ("DATE '2026-03-01'", "date", False),
    "empty_d": ("CAST(NULL AS DATE)", "date", False),
    "ticks": ("['a', 'b', 'aa']", "select_multiple", False),
    "no_ticks": ("CAST(NULL AS VARCHAR[])", "select_multiple", False),
    "at": ("TIMESTAMPTZ '2026-03-01 10:00:00+00'", "datetime", False),
    "place": ("CAST(NULL AS STRUCT(lat DOUBLE, lon DOUBLE))", "geopoint", False),
    "rows_n": ("CAST([3, NULL, 4] AS BIGINT[])", "integer", True),
    "rows_t": ("['a', NULL, '']", "text", True),
    "no_rows": ("CAST([] AS BIGINT[])", "integer", True),
    "emoji": ("'a\U0001f600'", "text", False),
}


def resolve(name: str) -> Reference:
    if name not in NODES:
        raise NotDecidable(f"{name} is not known")
    return Reference(*NODES[name])


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection, run_on(connection, date(2026, 11, 21)):
        yield connection


def holds(engine: duckdb.DuckDBPyConnection, expression: str) -> object:
    found = engine.execute(f"SELECT {compile_condition(expression, resolve)}").fetchone()
    assert found is not None
    return found[0]


def value(engine: duckdb.DuckDBPyConnection, expression: str) -> object:
    term = Context(resolve, "DATE '2026-11-21'").compile(parse(expression))
    found = engine.execute(f"SELECT {text(term)}").fetchone()
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("${t} = 'yes'", True),
        ("${t} != 'yes'", False),
        ("${empty_t} = ''", True),
        ("${empty_n} = ''", True),
        ("${empty_n} != ''", False),
        ("${n} = ''", False),
        ("${n} != ''", True),
        ("${empty_n} = 0", False),  # '' is not 0: an empty number is compared as text
        ("${empty_n} != 0", True),
        ("${empty_n} = ${empty_n}", True),
        ("${empty_n} = ${n}", False),
        ("${empty_n} = ${empty_t}", True),
        ("number('a') = number('a')", False),  # NaN is not itself
        ("number('a') != number('a')", True),
        ("${empty_n} < 1", False),
        ("${empty_n} >= 0", False),
        ("not(${empty_n} >= 0)", True),
        ("${n} = '5'", True),
        ("${n} = 5.0000000000001", True),  # the tolerance is 1e-12
        ("${n} = 5.00000001", False),
        ("'10' < '9'", False),  # always numeric
        ("'b' > 'a'", False),
        ("${digits} = 12.5", True),  # a comma is a point
        ("'1e3' = 1000", False),  # exponents are no numbers
        ("number(' 7 ') = 7", True),
        ("'+7' = 7", False),
        ("${d} = '2026-03-01'", True),
        ("${d} > '2026-01-01'", False),  # the text of a date is no number
        ("${d} > date('2026-01-01')", True),
        ("${d} <= today()", True),
        ("${empty_d} <= today()", False),
        ("${empty_d} = ''", True),
        ("${d} - date('2026-02-27') = 2", True),
        ("${at} != ''", True),
        ("${place} = ''", True),
        ("${ticks} != ''", True),
        ("${no_ticks} = ''", True),
        ("selected(${ticks}, 'a')", True),
        ("selected(${ticks}, 'c')", False),
        ("selected('adm2 locality exact', ${t})", False),
        ("selected(${no_ticks}, 'a')", False),
        ("count-selected(${ticks}) = 3", True),
        ("count-selected(${no_ticks}) = 0", True),
        ("regex(${t}, 'ye')", False),  # a full match
        ("regex(${t}, '[a-z]{3}')", True),
        ("contains(${t}, 'e') and starts-with(${t}, 'y') and ends-with(${t}, 's')", True),
        ("boolean-from-string('yes')", False),
        ("boolean-from-string('True')", True),
        ("true() = 'no'", True),  # a text that is not empty is true
        ("${n}", True),
        ("${empty_n}", False),
        ("0 or ${empty_t}", False),
        ("${no_rows} = ''", None),
        ("count-non-empty(${rows_t}) = 1", True),
        ("now() = today()", True),
        ("(1 div 0) > 5", True),
        ("(0 div 0) > 5 or (0 div 0) <= 5", False),
    ],
)
def test_a_condition_is_decided_as_on_a_phone(
    engine: duckdb.DuckDBPyConnection, expression: str, expected: bool | None
) -> None:
    if expected is None:
        with pytest.raises(NotDecidable):
            holds(engine, expression)
    else:
        assert holds(engine, expression) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("5 mod 3", "2"),
        ("-5 mod 3", "-2"),  # mod truncates
        ("5 mod 0", "NaN"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-2"),
        ("int(-2.7)", "-2"),
        ("int(-0.3)", "0"),
        ("int(${digits})", "12"),
        ("${x} * 2", "5"),
        ("7 div 2", "3.5"),
        ("${empty_n} + 1", "NaN"),
        ("number('')", "NaN"),
        ("string(${empty_n})", ""),
        ("string(true())", "true"),
        ("concat(${n}, '-', ${x}, ${empty_t}, ${d})", "5-2.52026-03-01"),
        ("${ticks}", "a b aa"),
        ("string-length(${emoji})", "3"),  # Java counts UTF-16 units
        ("string-length(${empty_t})", "0"),
        ("substr('abcdef', 1, 3)", "bc"),  # from 0, the end left out
        ("substr('abcdef', 4)", "ef"),
        ("normalize-space('  a   b ')", "a b"),
        ("coalesce(${empty_t}, 'z')", "z"),
        ("coalesce(${empty_n}, ${n})", "5"),
        ("coalesce(number('a'), 'z')", "z"),
        ("coalesce(${empty_d}, ${d})", "2026-03-01"),
        ("if(${n} > 3, 'big', 'small')", "big"),
        ("if(${empty_n} > 3, 1, 0)", "0"),
        ("if(${t} = 'yes', ${d}, '')", "2026-03-01"),
        ("if(${t} = 'no', ${d}, '')", ""),
        ("format-date(${d}, '%Y-%m-%d %y %n %e')", "2026-03-01 26 3 1"),
        ("format-date(${empty_d}, '%Y')", ""),
        ("int(format-date(today(), '%Y'))", "2026"),
        ("date(0)", "1970-01-01"),
        ("date('x')", ""),
        ("date('2026-03-01T10:00:00.000+01:00')", "2026-03-01"),
        ("once('a')", "a"),
        ("abs(-3)", "3"),
        ("pow(2, 3)", "8"),
        ("count(${rows_n})", "3"),
        ("sum(${rows_n})", "7"),  # empty answers are skipped
        ("sum(${no_rows})", "0"),
        ("max(${rows_n})", "4"),
        ("min(${rows_n})", "3"),
        ("max(2, 9, ${n})", "9"),
        ("count-non-empty(${rows_n})", "2"),
    ],
)
def test_a_value_is_what_a_phone_calculates(engine: duckdb.DuckDBPyConnection, expression: str, expected: str) -> None:
    assert value(engine, expression) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("random() > 0", "random"),
        ("once(uuid())", "uuid"),
        ("pulldata('a', 'b', 'c', ${t}) = 1", "pulldata"),
        ("indexed-repeat(${n}, ${t}, 1) = 1", "place of a row"),
        ("position(..) = 1", "path"),
        ("../n = 5", "path"),
        ("${nobody} = 1", "not known"),
        ("selected-at(${ticks}, 0) = 'a'", "selected-at"),
        ("unheard-of(1)", "unheard-of"),
        ("not(1, 2)", "2 arguments"),
        ("if(1, 2)", "if"),
        ("${rows_n} > 3", "repeat"),
        ("count(${n})", "repeat"),
        ("${at} > now()", "whether it is empty"),
        ("if(${n} = 1, true(), 'x')", "yes or no"),
        ("if(${n} = 1, ${d}, 'x')", "a date"),
        ("regex(${t}, '(?=a)b')", "look-ahead"),
        ("regex(${t}, '[a-z&&[^b]]')", "set of signs"),
        ("regex(${t}, ${t})", "not written out"),
        ("format-date(${d}, '%H')", "%H"),
        ("format-date(${d}, ${t})", "not written out"),
        ("substr(${t}, 0, string-length(${t}))", "substr"),
        ("date(true())", "as a date"),
    ],
)
def test_what_cannot_be_decided_says_why_and_is_never_guessed(expression: str, reason: str) -> None:
    with pytest.raises(NotDecidable) as caught:
        compile_condition(expression, resolve)
    assert reason in caught.value.reason
