"""Expressions of forms as SQL mean what they mean on a phone (JavaRosa, asked by tests/oracle; docs/logic.md)."""

from __future__ import annotations

import pytest

from dialogkit.logic.bind import bind
from dialogkit.logic.compile import compile_tree
from dialogkit.logic.terms import is_told
from tests.logic_rows import Stage, every_kind


@pytest.fixture(scope="module")
def stage() -> Stage:
    return every_kind()


def holds(stage: Stage, expression: str) -> bool:
    (found,) = stage.holds(expression, "n")
    return found


def value(stage: Stage, expression: str) -> str:
    (found,) = stage.texts(expression, "n")
    return found


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
        ("${place} != ''", True),
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
        ("${no_rows} = ''", True),  # no node at all is an empty text
        ("selected(${one}, 'a') and not(selected(${one}, 'b'))", True),
        ("selected(${t}, ' yes ')", True),
        ("selected(${t}, '')", False),
        ("count(${rows_n}) = 3 and count(${r}) = 3 and count(${none}) = 0", True),
        ("${at} > now()", False),  # days: 2026-03-02 on the phone, against 2026-11-20
        ("${at} = '2026-03-02'", True),
        ("decimal-date-time(${at}) < 20513.95 and decimal-date-time(${at}) > 20513.9", True),
        ("if(${n} = 5, true(), 'x')", True),
        ("if(${n} = 1, ${d}, 'x') = 'x'", True),
        ("max(-5, -3) > -1", True),  # JavaRosa starts at the smallest number above 0
        ("checklist(1, 2, true(), '') and not(checklist(2, -1, true(), ''))", True),
        ("weighted-checklist(1, 2, true(), 1.5, false(), 9)", True),
        ("indexed-repeat(${rows_n}, ${r}, 3) = 4", True),
        ("indexed-repeat(${rows_n}, ${r}, 0) = 3", True),  # what is no place is the first
        ("indexed-repeat(${rows_n}, ${r}, 9) = ''", True),
        ("/data/r[rows_n > 3]/rows_n = 4", True),
        ("/data/r[position() = 3]/rows_n = 4", True),
        ("count-non-empty(${rows_t}) = 1", True),
        ("now() = today()", True),
        ("(1 div 0) > 5", True),
        ("(0 div 0) > 5 or (0 div 0) <= 5", False),
    ],
)
def test_a_condition_is_decided_as_on_a_phone(stage: Stage, expression: str, expected: bool) -> None:
    assert holds(stage, expression) is expected


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
def test_a_value_is_what_a_phone_calculates(stage: Stage, expression: str, expected: str) -> None:
    assert value(stage, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("string(3000000000)", "3.0E9"),
        ("string(1234567.5)", "1234567.5"),
        ("string(12345678.5)", "1.23456785E7"),
        ("string(0.0001)", "1.0E-4"),
        ("string(1 div 0)", "Infinity"),
        ("string(-1 div 0)", "-Infinity"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("number('1-2')", "NaN"),
        ("round(2.345, 2)", "2.35"),
        ("round(1250, -2)", "1300"),
        ("round(-1250, -2)", "-1200"),
        ("-7 mod 3", "-1"),
        ("substr('hello', -3, -1)", "ll"),
        ("substr(${t}, 0, string-length(${t}) - 1)", "ye"),
        ("selected-at('a  b c', 1)", "b"),
        ("selected-at(${ticks}, 2)", "aa"),
        ("selected-at(${ticks}, 3)", ""),
        ("selected-at(${place}, 1)", "-2.5"),
        ("${place}", "1.0 -2.5 0.0 1.23456785E7"),
        (
            "format-date('2026-03-01T10:20:30.345Z', '%Y %y %m %n %d %e %H %h %M %S %3')",
            "2026 26 03 3 01 1 10 10 20 30 345",
        ),
        ("format-date-time(${at}, '%Y-%m-%d %H:%M:%S.%3')", "2026-03-02 01:30:15.250"),
        ("format-date-time(${clock}, '%H:%M')", "10:20"),
        ("format-date(${d}, '%H')", "00"),
        ("format-date-time(20000.7, '%Y-%m-%d %H:%M')", "2024-10-04 16:48"),
        ("decimal-date-time('2026-03-01T10:20:30.345+03:00')", "20513.305906770835"),
        ("decimal-time(${at})", "0.06267650462905294"),
        ("date('2026-02-02') + 1", "20487"),
        ("date(20000.7)", "2024-10-04"),
        ("string(now())", "2026-11-20"),
        ("normalize-space('  a   b ')", "a b"),
        ("substring-before('a-b', '')", ""),
        ("substring-before('a-b', '-')", "a"),
        ("substring-after('a-b', '-')", "b"),
        ("substring-after('a-b', '+')", ""),
        ("substring-after('xay', indexed-repeat(${rows_t}, ${r}, 1))", "y"),
        ("selected-at(join(' ', ${rows_n}), count(${r}) - 2)", "4"),
        ("weighted-checklist(sum(${rows_n}), sum(${rows_n}), true(), 3 + 4)", "true"),
        ("substr('abcdef', sum(${rows_n}) - 5, count(${r}) + 1)", "cd"),
        ("translate('abc', 'ab', 'x')", "xc"),
        ("join(',', 'a', 2, true())", "a,2,true"),
        ("join('-', ${rows_n})", "3--4"),
        ("concat(${rows_n})", "34"),
        ("sqrt(-1)", "NaN"),
        ("string(log(0))", "-Infinity"),
        ("if(true(), ${empty_n}, 2)", ""),
        ("coalesce(${empty_n}, 'z')", "z"),
    ],
)
def test_texts_numbers_and_dates_are_written_as_java_writes_them(stage: Stage, expression: str, expected: str) -> None:
    assert value(stage, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"), [("{}", "Infinity"), ("-{}", "-Infinity"), ("1 div {}", "0"), ("{} > 1", "true")]
)
def test_more_digits_than_a_number_has_are_infinite(stage: Stage, expression: str, expected: str) -> None:
    assert value(stage, expression.format("9" * 400)) == expected


def test_an_expression_of_a_row_reads_its_own_row_and_its_place(stage: Stage) -> None:
    assert stage.texts("concat(${rows_n}, '/', position(..), '/', count(${r}), '/', ${n})", "r/rows_t") == [
        "3/1/1/5",
        "/2/1/5",
        "4/3/1/5",
    ]
    assert stage.texts("indexed-repeat(${rows_n}, ${r}, position(..) - 1)", "r/rows_t") == ["3", "3", ""]


def test_once_keeps_the_stored_value(stage: Stage) -> None:
    assert stage.texts("once('new')", "kept") == ["x"]


@pytest.mark.parametrize(
    ("expression", "at", "told"),
    [
        ("once(uuid())", "kept", True),
        ("once(uuid())", "empty_t", False),
        ("if(${n} = 5, 'x', once(uuid()))", "empty_t", True),
        ("if(${n} = 5, once(uuid()), 'x')", "empty_t", False),
        ("if(${n} = 5, once(uuid()), 'x')", "kept", True),
        ("${n} + 1", "kept", True),
    ],
)
def test_what_chance_made_once_is_told_where_it_was_kept(stage: Stage, expression: str, at: str, told: bool) -> None:
    term = compile_tree(bind(expression, stage.form, at), stage.rows(at), at)
    assert stage.each(is_told(term), at) == [told]
