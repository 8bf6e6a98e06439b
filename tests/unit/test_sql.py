"""Names and texts in SQL, proved by DuckDB itself."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialogkit import sql

_ANY = st.text(st.characters(codec="utf-8"), max_size=30)


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as db:
        yield db


@given(value=_ANY)
@example(value="it's")
@example(value="'; DROP TABLE x; --")
@example(value="\\")
@example(value="a\x00b")
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_from_a_literal(duck, value):
    assert duck.execute(f"SELECT {sql.text(value)}").fetchone() == (value,)


@given(value=_ANY.filter(lambda value: value and "\0" not in value))
@example(value='a"b')
@example(value="select")
@example(value="a.b")
@settings(max_examples=200, deadline=None)
def test_any_name_comes_back_from_a_column(duck, value):
    result = duck.execute(f"SELECT {sql.name(value)} FROM (SELECT 1 AS {sql.name(value)})")
    assert [column[0] for column in result.description] == [value]


def test_two_parts_are_a_schema_and_a_table():
    assert sql.name("accepted", 'a "b"') == '"accepted"."a ""b"""'


@pytest.mark.parametrize("parts", [("",), ("a", ""), ("a\0b",)])
def test_what_cannot_be_a_name_is_refused(parts):
    with pytest.raises(ValueError, match="at least one character and no NUL"):
        sql.name(*parts)


def test_a_list_of_texts_stands_in_an_in(duck):
    assert sql.texts(["a", "b'c"]) == "'a', 'b''c'"
    assert duck.execute(f"SELECT 'x' IN ({sql.texts([])})").fetchone() == (None,)
