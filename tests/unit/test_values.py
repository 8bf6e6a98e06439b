"""Text as it was typed → typed values, on real DuckDB: one row for each trap of landing.md."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import duckdb
import pytest

from dialogkit import sql
from dialogkit.model.table import SQL_TYPES
from dialogkit.normalize.values import can_misfit, typed


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        yield db


def value_of(duck, kind, text):
    return duck.execute(f"SELECT {typed(kind, 't')} FROM (SELECT {sql.text(text)} AS t)").fetchone()[0]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "12", 12),
        ("integer", "-3", -3),
        ("integer", "+3", 3),
        ("integer", "007", 7),
        ("integer", "9223372036854775807", 9223372036854775807),
        ("integer", "9223372036854775808", None),
        ("integer", "12.6", None),
        ("integer", "12.0", None),
        ("integer", "1e3", None),
        ("integer", "1_000", None),
        ("integer", "0x1F", None),
        ("integer", " 12 ", None),
        ("integer", "12\n", None),
        ("integer", "١٢", None),
        ("integer", "true", None),
        ("decimal", "1.50", 1.5),
        ("decimal", ".5", 0.5),
        ("decimal", "5.", 5.0),
        ("decimal", "1e3", 1000.0),
        ("decimal", "1E-7", 1e-7),
        ("decimal", "nan", None),
        ("decimal", "infinity", None),
        ("decimal", "1e400", None),
        ("decimal", "1,5", None),
        ("decimal", "1_000.5", None),
        ("decimal", " 1.5", None),
        ("decimal", ".", None),
        ("date", "2026-11-20", date(2026, 11, 20)),
        ("date", "2026-02-29", None),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("date", "epoch", None),
        ("date", "infinity", None),
        ("date", "2026-1-2", None),
        ("date", "2026-11-20T10:00:00", None),
        ("date", "20/11/2026", None),
        ("time", "10:30:00.000+02:00", time(10, 30)),
        ("time", "10:30", time(10, 30)),
        ("time", "25:00", None),
        ("time", "10:30 pm", None),
        ("datetime", "2026-11-20T10:00:00.000+02:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("datetime", "2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("datetime", "2026-11-20T10:00+05:30", datetime(2026, 11, 20, 4, 30, tzinfo=UTC)),
        ("datetime", "2026-11-20T10:00:00-0800", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        ("datetime", "2026-11-20T10:00:00-08", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        ("datetime", "2026-11-20T10:00:00", None),
        ("datetime", "2026-11-20 10:00:00Z", None),
        ("datetime", "2026-11-20T24:30:00Z", None),
        ("datetime", "epoch", None),
        ("geopoint", "1.5 -2.25 10 4.5", {"lat": 1.5, "lon": -2.25, "altitude": 10.0, "accuracy": 4.5}),
        ("geopoint", "1.5 2", {"lat": 1.5, "lon": 2.0, "altitude": None, "accuracy": None}),
        ("geopoint", "1.5 2 3", {"lat": 1.5, "lon": 2.0, "altitude": 3.0, "accuracy": None}),
        ("geopoint", "1.0E-5 2 0 0", {"lat": 1e-5, "lon": 2.0, "altitude": 0.0, "accuracy": 0.0}),
        ("geopoint", "90 180 0 0", {"lat": 90.0, "lon": 180.0, "altitude": 0.0, "accuracy": 0.0}),
        ("geopoint", "90.1 0 0 0", None),
        ("geopoint", "0 -180.5 0 0", None),
        ("geopoint", "1.5", None),
        ("geopoint", "1.5  2", None),
        ("geopoint", "1 2 3 4 5", None),
        ("geopoint", "1 2 1e400 4", None),
        ("geopoint", "1 2; 3 4", None),
        ("select_multiple", "a b", ["a", "b"]),
        ("select_multiple", " b\n a\t", ["b", "a"]),
        ("select_multiple", "a  b", ["a", "b"]),
        ("select_multiple", "a", ["a"]),
        ("select_multiple", "b a b", ["b", "a", "b"]),
        ("text", "  as it is ", "  as it is "),
        ("select_one", "mex ", "mex "),
        ("file", "a.jpg", "a.jpg"),
    ],
)
def test_a_text_becomes_a_value_or_an_issue(duck, kind, text, value):
    assert value_of(duck, kind, text) == value
    if value is None:
        assert can_misfit(kind)


@pytest.mark.parametrize("zone", ["Asia/Manila", "America/Mexico_City", "UTC"])
def test_a_time_is_the_same_whatever_the_zone_of_the_machine(zone):
    with duckdb.connect() as db:
        db.execute(f"SET TimeZone = '{zone}'")
        seconds = f"epoch({typed('datetime', sql.text('2026-11-20T10:00:00+02:00'))})"
        assert db.execute(f"SELECT {seconds}").fetchone()[0] == datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("kind", [kind for kind in SQL_TYPES if kind != "rows"])
def test_no_answer_is_no_value(duck, kind):
    assert duck.execute(f"SELECT {typed(kind, 't')} FROM (SELECT NULL::VARCHAR AS t)").fetchone()[0] is None
