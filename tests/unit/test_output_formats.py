"""A result on stdout as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from click import unstyle

from dialogkit.cli.output import rows_as, table
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


ID = "uuid:0123abcd-0123-4567-89ab-0123456789ab"


@pytest.mark.parametrize(("width", "lines"), [(100, False), (70, False), (40, True)])
def test_an_id_is_never_cut_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, lines: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    why = "a text of several words that has to be wrapped here"
    table(["submission", "why"], [[ID, why]])
    shown = unstyle(capsys.readouterr().out)
    assert ID in shown
    assert (f"submission: {ID}\n" in shown) == lines
    assert lines or max(map(len, shown.splitlines())) <= width
    assert all(word in shown.split() for word in why.split())


def test_a_table_in_a_pipe_is_as_wide_as_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    table(["a", "b"], [["x" * 300, "y z " * 100], ["é", "中文"]])
    shown = capsys.readouterr().out
    assert "x" * 300 in shown
    assert ("y z " * 100).strip() in shown
    assert len([line for line in shown.splitlines() if line.strip()]) == 4
