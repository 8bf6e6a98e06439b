"""A result on stdout as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from dialogkit.cli.output import rows_as
from dialogkit.cli.parquet import parquet_bytes

COLUMNS = ["country", "n", "topics", "day"]
ROWS: list[tuple[object, ...]] = [("MEX", 1, ["a", "b"], date(2026, 1, 2)), ("=1", None, None, None)]


def test_csv_is_raw_and_codes_of_a_list_stand_as_duckdb_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    rows_as("csv", COLUMNS, ROWS)
    assert capsys.readouterr().out == 'country,n,topics,day\nMEX,1,"[a, b]",2026-01-02\n=1,,,\n'


def test_json_is_a_list_of_objects(capsys: pytest.CaptureFixture[str]) -> None:
    rows_as("json", COLUMNS, ROWS)
    first, second = json.loads(capsys.readouterr().out)
    assert first == {"country": "MEX", "n": 1, "topics": ["a", "b"], "day": "2026-01-02"}
    assert second["n"] is None


def test_a_table_shows_names_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    rows_as("table", COLUMNS, ROWS)
    shown = capsys.readouterr().out
    assert "country" in shown
    assert "[a, b]" in shown


def test_parquet_keeps_types_and_tells_columns_of_one_name_apart(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=UTC)
    rows = [("a", 1, 1.5, True, moment, date(2026, 1, 2), ["x"], {"lat": 1}, None)] * 501
    (tmp_path / "a.parquet").write_bytes(parquet_bytes(["a", "A", "c", "d", "e", "f", "g", "h", "i"], rows))
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        result = db.execute("FROM read_parquet(?)", [str(tmp_path / "a.parquet")])
        assert [column[0] for column in result.description or ()] == ["a", "A_2", "c", "d", "e", "f", "g", "h", "i"]
        found = result.fetchall()
    assert len(found) == 501
    assert found[0] == ("a", 1, 1.5, True, moment, date(2026, 1, 2), ["x"], "{'lat': 1}", None)


def test_parquet_of_no_rows_has_the_columns(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet_bytes(["a"], []))
    with duckdb.connect() as db:
        assert db.execute(
            "SELECT count(*), count(a) FROM read_parquet(?)", [str(tmp_path / "a.parquet")]
        ).fetchone() == (0, 0)
