"""A workbook that comes from outside is refused by what it holds before a library holds it."""

from __future__ import annotations

import resource
import time
import zipfile
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from dialogkit.correct import workbook
from dialogkit.correct.workbook import read_rows
from dialogkit.errors import ConfigError

SHEET = "xl/worksheets/sheet1.xml"


def book(path: Path, *rows: tuple[object, ...]) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def spoilt(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """A workbook in one part of which some bytes were replaced."""
    source = zipfile.ZipFile(book(path, ("a",)))
    out = BytesIO()
    with source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            data = source.read(name)
            assert name != part or old in data
            target.writestr(name, data.replace(old, new, 1) if name == part else data)
    path.write_bytes(out.getvalue())
    return path


def refused(path: Path, code: str = "CORRECT-007") -> str:
    with pytest.raises(ConfigError) as caught:
        list(read_rows(path))
    assert caught.value.code == code
    return caught.value.message


def test_rows_that_are_empty_are_left_out_and_keep_their_number(tmp_path):
    path = book(tmp_path / "a.xlsx", ("a", 1), (None, ""), ("b", 2.0))
    assert list(read_rows(path)) == [(1, ["a", "1", *[""] * 98]), (3, ["b", "2", *[""] * 98])]


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        (SHEET, b"</sheetData>", b"<row>" + b"<c/>" * 2_000_000 + b"</row></sheetData>", "a row has more than"),
        ("xl/styles.xml", b"</cellXfs>", b"<xf/>" * 200_001 + b"</cellXfs>", "styles"),
        ("xl/theme/theme1.xml", b"<?xml", b"<a b='" + b"x" * 4_000_000 + b"'/><?xml", "a tag without end"),
        (SHEET, b"<worksheet", b'<!DOCTYPE a [<!ENTITY e "e">]><worksheet', "entities"),
    ],
)
def test_few_bytes_that_become_much_are_refused_without_being_held(tmp_path, part, old, new, said):
    path = spoilt(tmp_path / "a.xlsx", part, old, new)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert said in refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert time.process_time() - started < 5


def test_columns_texts_rows_and_all_together_have_limits(tmp_path, monkeypatch):
    assert list(read_rows(book(tmp_path / "a.xlsx", ("x",) * 100)))
    assert "columns" in refused(book(tmp_path / "b.xlsx", ("x",) * 101))
    path = book(tmp_path / "c.xlsx", ("a",), ("bcd",), ("efg",))
    for limit, value, said in (
        ("MAX_TEXT", 2, "a cell of row 2"),
        ("MAX_ROWS", 2, "more than 2 rows"),
        ("MAX_UNPACKED", 2, "it unpacks to more"),
        ("MAX_TAGS", 2, "a sheet has more than 2 parts"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(workbook, limit, value)
            assert said in refused(path)


def test_all_texts_together_have_a_limit_as_many_cells_may_share_one(tmp_path, monkeypatch):
    path = book(tmp_path / "a.xlsx", *[("x" * 1000,) * 10] * 10)
    assert len(list(read_rows(path))) == 10
    monkeypatch.setattr(workbook, "MAX_SIGNS", 60_000)
    assert "characters" in refused(path)


def test_a_row_far_down_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_ROWS", 1000)
    path = spoilt(tmp_path / "a.xlsx", SHEET, b'<row r="1"', b'<row r="99999999999999"')
    assert "rows" in refused(path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no workbook", b"uuid,question\n"])
def test_what_is_no_workbook_is_said_to_be_none(tmp_path, data):
    (tmp_path / "a.xlsx").write_bytes(data)
    refused(tmp_path / "a.xlsx", "CORRECT-002")
