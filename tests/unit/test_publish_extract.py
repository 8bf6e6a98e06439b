"""How a value stands in a CSV file, and names for statistics packages."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogkit.bundled import bundled
from dialogkit.model.table import COMPANIONS, SQL_TYPES
from dialogkit.publish.deidentify import small_countries
from dialogkit.publish.extract import cell, safe, write_csv
from dialogkit.publish.gate import folded, parts, phrases, search
from dialogkit.publish.variables import alias, read_extracts


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        ("", ""),
        (0, "0"),
        (-3, "-3"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (time(3, 4), "03:04:00"),
        (["a", "b"], "a b"),
        ([], ""),
        (["=x", "b"], "'=x b"),
        ("plain", "plain"),
        ("-3", "-3"),
        ("-3.50", "-3.50"),
        ("-3+1", "'-3+1"),
        ("=1+1", "'=1+1"),
        ("+33", "'+33"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\n=1"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
    ],
)  # fmt: skip
def test_a_cell_is_plain_and_never_a_formula(value: object, written: str) -> None:
    assert cell(value) == written


@given(st.text())
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(text: str) -> None:
    written = safe(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert written in (lines, "'" + lines)
    if written[:1] in ("=", "+", "-", "@", "\t", "\r", "\n"):
        assert float(written) <= 0


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2)))
def test_a_csv_file_gives_back_the_cells_that_were_written(rows: list[list[str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        write_csv(path, ["a", "b"], rows)
        with path.open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file)) == [["a", "b"], *([safe(value) for value in row] for row in rows)]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("country", "country"),
        ("_audit", "audit"),
        ("g/a-b.c", "g_a_b_c"),
        ("1st", "v_1st"),
        ("é", "v"),
        ("a" * 40, "a" * 32),
    ],
)
def test_an_alias_fits_statistics_packages(name: str, short: str) -> None:
    assert alias(name, set()) == short


@given(st.lists(st.text(min_size=1, max_size=50), max_size=30))
def test_aliases_are_short_plain_and_never_twice(names: list[str]) -> None:
    taken: set[str] = {"record"}
    found = [alias(name, taken) for name in names]
    assert len({one.lower() for one in found}) == len(found)
    for one in found:
        assert len(one) <= 32
        assert one.isascii()
        assert one.replace("_", "a").isalnum()
        assert one[0].isalpha()


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({}, []),
        ({"KEN": 5, "UGA": 9}, []),
        ({"KEN": 2, "UGA": 9}, ["KEN", "UGA"]),
        ({"KEN": 2, "TZA": 3, "UGA": 9}, ["KEN", "TZA"]),
        ({"KEN": 1, "TZA": 1, "UGA": 9, "ZMB": 20}, ["KEN", "TZA", "UGA"]),
        ({"KEN": 1}, ["KEN"]),
    ],
)
def test_a_blanked_country_is_hidden_among_enough_others(counts: dict[str, int], hidden: list[str]) -> None:
    assert small_countries(counts, 5) == hidden


def test_lines_and_sentences_are_searched_in_pieces() -> None:
    assert parts("- Signed off by: Ana") == ["Signed off by", "Ana"]
    assert parts("| a | b |") == ["", " a ", " b ", ""]
    assert phrases("<5 of 20 dialogues; not shown") == ["of", "dialogues", "not shown"]


def test_a_search_sees_through_case_spaces_and_composed_letters(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("told by ANDRE\u0301   Diallo\n", encoding="utf-8")
    (problem,) = search(tmp_path, {"Andr\u00e9 diallo": "form, name"}, [])
    assert (problem.code, problem.where) == ("RELEASE-006", "a.md")
    assert folded("  A\u0301 b ") == "\u00e1 b"


def test_values_under_four_characters_are_not_searched(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Ana", encoding="utf-8")
    assert search(tmp_path, {"Ana": "form, name"}, []) == []


def test_every_kind_of_column_is_judged_before_it_is_published():
    """What stands beside a column is never published; places are not, whatever their class."""
    with duckdb.connect() as db:
        for name in ("001_first.sql", "002_history.sql", "003_lineage.sql"):
            db.execute((bundled("warehouse/migrations") / name).read_text(encoding="utf-8"))
        for number, kind in enumerate(SQL_TYPES):
            name = f"c{number}"
            row = ["f", "f", "", name, name, kind, "org.x", "none", "", "", "{}", number, "[]", name]
            db.execute(f"INSERT INTO ops.columns VALUES ({', '.join('?' * 14)})", row)
        (extract,) = read_extracts(db, ["f"])
    published = {variable.kind for variable in extract.published}
    assert published == set(SQL_TYPES) - COMPANIONS - {"file", "geopoint", "geotrace", "geoshape"}
