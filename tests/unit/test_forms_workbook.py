"""What is opened as a workbook, and what is refused with which words."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dialogkit.errors import FormError
from dialogkit.forms import workbook as module
from dialogkit.forms.build import build_form
from dialogkit.forms.workbook import read_workbook


def xlsx(rows: list[list[object]], title: str = "survey") -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


SMALL = xlsx([["type", "name", "label"], ["text", "a", "A"], [None], ["integer", "b", "B"]])


def refused(path: Path) -> FormError:
    with pytest.raises(FormError) as caught:
        read_workbook(path)
    return caught.value


def test_a_cell_keeps_its_text_and_a_number_has_no_decimals(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(xlsx([["type", "name", "label"], ["text", 1, "l’été\u00a0?"], ["text", 1.0, True]]))
    rows = read_workbook(path).sheet("survey").rows
    assert rows[0] == {"type": "text", "name": "1", "label": "l’été\u00a0?"}
    assert rows[1] == {"type": "text", "name": "1", "label": "TRUE"}


def test_an_empty_row_stays_so_that_rows_have_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(SMALL)
    assert [bool(row) for row in read_workbook(path).sheet("survey").rows] == [True, False, True]


def test_the_content_decides_and_not_the_ending(tmp_path: Path) -> None:
    path = tmp_path / "renamed.xls"
    path.write_bytes(SMALL)
    assert build_form(path).form.by_path.keys() == {"a", "b"}


def test_a_csv_workbook_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"\xef\xbb\xbfsurvey\n,type,name,label\n,text,a,A\nnotes\n,x\n,y\nsettings\n,form_id\n,f1\n")
    form = build_form(path).form
    assert (form.form_id, list(form.by_path)) == ("f1", ["a"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "none.xlsx")
    assert (error.code, error.exit_code) == ("FORM-001", 4)
    assert "none.xlsx" in error.where


def test_a_folder_is_not_a_workbook(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "FORM-001"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("empty.xlsx", b"", "FORM-002"),
        ("blank.md", b" \n\n", "FORM-002"),
        ("page.xlsx", b"<!DOCTYPE html><html><body>Log in</body></html>", "FORM-005"),
        ("page.xls", b"\xef\xbb\xbf  <html>", "FORM-005"),
        ("xform.xlsx", b"<?xml version='1.0'?><h:html/>", "FORM-005"),
        ("random.xlsx", b"\x00\x01\x02\x03" * 100, "FORM-006"),
        ("text.xlsx", b"type,name,label\n", "FORM-006"),
        ("words.docx", b"hello", "FORM-006"),
        ("cut.xlsx", SMALL[:-200], "FORM-006"),
        ("broken.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "FORM-006"),
        ("notable.md", b"# Only words\n\nnothing else\n", "FORM-006"),
        ("latin.md", "| survey | type |\n| | é |".encode("latin-1"), "FORM-006"),
        ("latin.csv", "survey,,,,\n,é,b,c,d\n".encode("latin-1"), "FORM-006"),
    ],
)
def test_what_is_not_a_workbook_is_refused_with_its_own_code(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert refused(path).code == code


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    error = refused(path)
    assert error.code == "FORM-006"
    assert "OpenDocument" in error.problem.fix


def test_a_protected_workbook_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le"))
    assert refused(path).code == "FORM-007"


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f.xlsx"
    path.write_bytes(SMALL)
    monkeypatch.setattr(module, "MAX_BYTES", len(SMALL) - 1)
    assert refused(path).code == "FORM-003"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as entry:
            for _ in range(160):
                entry.write(b"\0" * 1024 * 1024)
    assert path.stat().st_size < 1024 * 1024
    assert refused(path).code == "FORM-004"


@pytest.mark.parametrize("kind", ["xlsx", "md"])
def test_two_columns_with_one_header_are_refused_with_the_sheet(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"f.{kind}"
    if kind == "xlsx":
        path.write_bytes(xlsx([["type", "name", "label", "label"], ["text", "a", "A", "B"]]))
    else:
        path.write_text("| survey | type | name | label | label |\n| | text | a | A | B |\n")
    error = refused(path)
    assert error.code == "FORM-017"
    assert error.where.endswith("survey, row 1")
    assert "label" in error.problem.message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), ending=st.sampled_from(module.KINDS))
@example(data=b"PK\x03\x04", ending=".xlsx")
@example(data=b"| survey | jr |\n| | a |\n", ending=".md")
@example(data=b"survey,,,,\n,type,name,jr,x:jr\n,text,a,b,c\n", ending=".csv")
def test_any_bytes_build_or_are_refused_and_nothing_else(tmp_path: Path, data: bytes, ending: str) -> None:
    path = tmp_path / f"f{ending}"
    path.write_bytes(data)
    try:
        built = build_form(path)
    except FormError as error:
        assert error.code.startswith("FORM-")
    else:
        assert built.form.form_id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(SMALL)), at=st.integers(0, len(SMALL) - 1), value=st.integers(0, 255))
def test_a_damaged_workbook_builds_or_is_refused_and_nothing_else(
    tmp_path: Path, cut: int, at: int, value: int
) -> None:
    path = tmp_path / "f.xlsx"
    damaged = bytearray(SMALL)
    damaged[at] = value
    for data in (SMALL[:cut], bytes(damaged)):
        path.write_bytes(data)
        try:
            build_form(path)
        except FormError as error:
            assert error.code.startswith("FORM-")
