"""Expressions computed in Python as JavaRosa computes them (every value here was asked of JavaRosa 5.1)."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dialogkit.logic.answers import Facts, Row
from dialogkit.logic.bind import bind
from dialogkit.logic.evaluate import evaluate
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.values import Value, java_text
from dialogkit.model.form import Form, Question
from tests.logic_answers import ANSWERS, FACTS, NOW, told, value


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1 div 3", "0.3333333333333333"),
        ("5.0", "5"),
        ("1000000 * 1000000", "1000000000000"),
        ("12345678901234567890", "1.2345678901234567E19"),
        ("0.00001", "1.0E-5"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1 div 0", "Infinity"),
        ("-1 div 0", "-Infinity"),
        ("0 div 0", ""),
        ("-10 mod 3", "-1"),
        ("10 mod -3", "1"),
        ("round(-2.5)", "-2"),
        ("round(2.345, 2)", "2.35"),
        ("round(1234, -2)", "1200"),
        ("int(-2.7)", "-2"),
        ("'1,5' + 1", "2.5"),
        ("'1e3' + 1", ""),
        ("'' = 0", "0"),
        ("'1' = '1.0'", "0"),
        ("1 = '1.0'", "1"),
        ("'b' > 'a'", "0"),
        ("'10' > '9'", "1"),
        ("if('false', 1, 2)", "1"),
        ("boolean-from-string('yes')", "0"),
        ("true()", "1"),
        ("${day}", "2026-11-20T00:00:00.000Z"),
        ("${day} + 1", "20778"),
        ("today() - ${day}", "0"),
        ("now()", "2026-11-20T10:11:12.345Z"),
        ("${at}", "2026-03-28T23:30:00.000Z"),
        ("${point}", "1.5 36.8 10.0 5.0"),
        ("-(-3)", "3"),
        ("pow(-8, 1 div 3)", ""),
        ("pow(0, -1)", "Infinity"),
        ("sqrt(-1)", ""),
        ("log(0)", "-Infinity"),
        ("exp(1000)", "Infinity"),
        ("max(-3, -2)", "0"),
        ("min('', 4)", "4"),
        ("version()", "7"),
        ("once('new')", "new"),
        ("coalesce('', ${i})", "7"),
    ],
)
def test_a_calculation_stores_what_a_phone_stores(expression: str, text: str) -> None:
    assert told(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("string-length('😀é')", "3"),
        ("substr('abcd', 1, 2)", "b"),
        ("substr('abcd', -2)", "cd"),
        ("substr('😀b', 2)", "b"),
        ("translate('abc', 'ab', 'x')", "xc"),
        ("normalize-space('  a   b ')", "a b"),
        ("contains('', '')", "1"),
        ("substring-before('a-b', '-')", "a"),
        ("substring-after('a-b', '-')", "b"),
        ("substring-after('ab', '-')", ""),
        ("join('-', 'a', 2, true())", "a-2-true"),
        ("selected(${ticked}, ' plum ')", "1"),
        ("selected(${ticked}, 'plu')", "0"),
        ("count-selected('no yes nowhere yes')", "4"),
        ("selected-at(${ticked}, 1)", "plum"),
        ("selected-at(${ticked}, 2)", ""),
        ("digest('a', 'SHA-1', 'hex')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("digest('', 'MD5')", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("base64-decode('YWI=')", "ab"),
        ("base64-decode('YWI')", ""),
        ("checklist(1, 2, true(), 0, 'x')", "1"),
        ("weighted-checklist(2, 3, 'x', 1.5, true(), 1)", "1"),
        ("format-date(${at}, '%Y-%m-%d %n %y %b %e %a %W %%')", "2026-03-28 3 26 Mar 28 Sat 13 %"),
        ("format-date-time(${at}, '%H:%M:%S.%3 %h')", "23:30:00.000 23"),
        ("format-date('', '%Y')", ""),
        ("decimal-date-time('1970-01-02T12:00:00.000Z')", "1.5"),
        ("decimal-time('1970-01-02T12:00:00.000Z')", "0.5"),
        ("date-time(1.5)", "1970-01-02T12:00:00.000Z"),
        ("date(1.5)", "1970-01-02T00:00:00.000Z"),
        ("abs(date-time(1.5))", "1.5"),
        ("abs(${at})", "20540"),
        ("area(${point})", "0"),
        ("distance('1 2 0 0', '1 3 0 0')", "111301.8"),
        ("geofence('0.5 0.5 0 0', ${point})", "0"),
    ],
)
def test_functions_give_what_phones_give(expression: str, text: str) -> None:
    assert told(expression)[: len(text) or None] == text


def test_a_signed_message_is_given_only_if_the_signature_is_of_the_key() -> None:
    secret = Ed25519PrivateKey.from_private_bytes(bytes(32))
    key = b64encode(secret.public_key().public_bytes_raw()).decode()
    signed = b64encode(secret.sign(b"a message") + b"a message").decode()
    changed = b64encode(secret.sign(b"a message") + b"b message").decode()
    assert told(f"extract-signed('{signed}', '{key}')") == "a message"
    assert told(f"extract-signed('{changed}', '{key}')") == ""
    assert told("extract-signed('AAAA', 'AAAA')") == ""


def test_dates_are_those_of_the_zone_of_the_phone() -> None:
    nairobi = Facts(NOW.astimezone(timezone(timedelta(hours=3))))
    late = Facts(datetime(2026, 11, 20, 23, 0, tzinfo=timezone(timedelta(hours=3))))
    assert told("${at}", nairobi) == "2026-03-29T02:30:00.000+03:00"
    assert told("string(${at})", nairobi) == "2026-03-29"
    assert told("today()", late) == "2026-11-20T00:00:00.000+03:00"


def test_where_no_day_is_known_today_is_not_decidable() -> None:
    with pytest.raises(NotDecidable, match="today"):
        value("today()", facts=Facts())
    assert told("today()", Facts(today=date(2026, 1, 2))) == "2026-01-02T00:00:00.000Z"
    with pytest.raises(NotDecidable, match="now"):
        value("now()", facts=Facts(today=date(2026, 1, 2)))


@pytest.mark.parametrize(
    "expression",
    [
        "${x} + 1",
        "random()",
        "uuid()",
        "property('deviceid')",
        "nothing-known(1)",
        "substr('a')",
        "selected(${i}, '7')",
        "selected(${ticked}, 7)",
        "sum(3)",
        "date('no date')",
        "date(true())",
        "date(99999999999)",
        "format-date(today(), '%B')",
        "digest('a', 'MD4')",
        "area('1 2')",
        "distance('x', 'y')",
        "weighted-checklist(1, 2, true())",
        "instance('nowhere')/root/item[name = 'a']/label",
    ],
)
def test_what_a_phone_stops_at_or_chance_decides_is_not_decidable(expression: str) -> None:
    with pytest.raises(NotDecidable):
        value(expression)


def test_chance_that_is_not_asked_for_does_no_harm() -> None:
    assert told("if(1 = 1, 'a', random())") == "a"
    assert told("1 = 1 or random() > 0.5") == "1"
    root = Row.of({**ANSWERS, "c": "kept"})
    assert value("once(uuid())", row=root) == "kept"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1e7, "1.0E7"),
        (9999999.0, "9999999.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (-1234.5, "-1234.5"),
        (-0.0, "-0.0"),
        (123456789.25, "1.2345678925E8"),
    ],
)
def test_numbers_are_written_as_java_writes_them(number: float, text: str) -> None:
    assert java_text(number) == text


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        ("text", "  x  ", "x"),
        ("integer", "007", 7.0),
        ("integer", "12.6", ""),
        ("integer", "9999999999", ""),
        ("integer", "٣", 3.0),
        ("decimal", "1e3", 1000.0),
        ("decimal", "1,5", ""),
        ("date", "2026-02-30", ""),
        ("date", "20261120", ""),
        ("datetime", "2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("time", "25:00", ""),
        ("time", "10:30:15.5", datetime(2026, 11, 20, 10, 30, 15, 500_000, tzinfo=UTC)),
        ("geopoint", "1", "1.0 0.0 0.0 0.0"),
        ("geopoint", "x", ""),
        ("geotrace", "1 2;3 4", "1.0 2.0 0.0 0.0; 3.0 4.0 0.0 0.0"),
        ("select_multiple", "no  yes", "no yes"),
    ],
)
def test_an_answer_is_read_by_its_type(kind: str, given: str, read: Value) -> None:
    form = Form("f", "1", "F", (), "", (Question("q", "q", kind),), (), {})
    assert evaluate(bind("${q}", form, "q"), form, Row.of({"q": given}), FACTS, "q") == read
