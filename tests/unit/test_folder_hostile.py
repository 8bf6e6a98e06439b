"""What lies in a folder may be broken, hostile or of another kind: a clear error, or unreadable, and nothing lost."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dialogkit.errors import DialogkitError, NotOnServer, UnexpectedReply
from dialogkit.servers.folder import FolderServer
from dialogkit.servers.folders import central_zip, kobo_xlsx, walk
from tests.builders_folder import (
    ANSWERS,
    FORM,
    ID,
    bare,
    central_files,
    entries,
    fetch_all,
    kobo_row,
    put_central,
    put_instance,
    put_kobo,
    put_workbook,
)


def refused(root: Path, form_id: str = "visit") -> DialogkitError:
    with pytest.raises((NotOnServer, UnexpectedReply)) as error:
        fetch_all(root, form_id=form_id)
    text = str(error.value)
    assert not any(str(value) in text for value in ANSWERS.values() if isinstance(value, str))
    assert str(root) not in text
    return error.value


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path / "away").code == "SERVER-100"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put_instance(outside)
    inside = tmp_path / "inside"
    put_instance(inside)
    (inside / "more").symlink_to(outside)
    assert refused(inside).code == "SERVER-101"


def test_a_deep_folder_ends(tmp_path: Path) -> None:
    (tmp_path / "/".join(["d"] * 18)).mkdir(parents=True)
    assert refused(tmp_path).code == "SERVER-102"


def test_too_many_files_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_instance(tmp_path)
    monkeypatch.setattr(walk, "MAX_FILES", 1)
    assert refused(tmp_path).code == "SERVER-102"


def test_hidden_files_and_forms_are_no_submissions(tmp_path: Path) -> None:
    put_instance(tmp_path)
    (tmp_path / ".data.json").write_text("{", encoding="utf-8")
    (tmp_path / "~$export.xlsx").write_text("lock", encoding="utf-8")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x.json").write_text("{", encoding="utf-8")
    (tmp_path / "form.xml").write_text(
        '<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:head/></h:html>', encoding="utf-8"
    )
    (tmp_path / "asset.json").write_text('{"uid": "a1", "content": {"survey": []}}', encoding="utf-8")
    (tmp_path / "list.json").write_text('[{"uid": "a1"}, 7, null]', encoding="utf-8")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    book = openpyxl.Workbook()
    book.worksheets[0].append(["type", "name"])
    book.save(tmp_path / "form.xlsx")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.png", b"1")
    assert [entry.id for entry in entries(FolderServer("old", tmp_path))] == [ID]


@pytest.mark.parametrize("body", [b"", b"<data", b'<!DOCTYPE a [<!ENTITY b "c">]><a id="visit">&b;</a>', b"\xff\xfe"])
def test_a_broken_instance_is_unreadable_not_deleted(tmp_path: Path, body: bytes) -> None:
    folder = put_instance(tmp_path)
    put_instance(tmp_path, {"name": "B"}, "uuid:2")
    (folder / "submission.xml").write_bytes(body)
    _, fetched = fetch_all(tmp_path)
    assert fetched.unreadable == (ID,)
    assert [one.submission.id for one in fetched.received] == ["uuid:2"]


def test_a_broken_instance_that_nobody_can_name_stops_the_pull(tmp_path: Path) -> None:
    put_instance(tmp_path)
    (tmp_path / "some.xml").write_text("<data", encoding="utf-8")
    error = refused(tmp_path)
    assert (error.code, error.where) == ("SERVER-104", "old, some.xml")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("data.json", b'[{"_uuid": "1", "_submission_time"'),
        ("data.json", b"[" * 100_000),
        ("data.json", b"\xff\xff"),
        ("data.ndjson", b'{"_uuid": '),
        ("export.xlsx", b"PK\x03\x04 no workbook"),
        ("export.xlsx", b""),
        ("visit.zip", b"PK\x03\x04 cut"),
        ("visit.csv", b'SubmissionDate,KEY,FormVersion\n"open'),
        ("visit.csv", b"SubmissionDate,KEY,FormVersion\n1,2\n"),
        ("visit.csv", b"SubmissionDate,KEY,FormVersion\n\xff,2,3\n"),
        ("visit.csv", b"SubmissionDate,KEY,KEY,FormVersion\n1,2,3,4\n"),
    ],
)
def test_a_broken_export_stops_the_pull(tmp_path: Path, name: str, data: bytes) -> None:
    put_instance(tmp_path)
    (tmp_path / name).write_bytes(data)
    error = refused(tmp_path)
    assert (error.code, error.where) == ("SERVER-104", f"old, {name}")


def test_a_cut_archive_and_one_with_a_password_stop_the_pull(tmp_path: Path) -> None:
    file = put_central(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    assert refused(tmp_path).code == "SERVER-104"
    flagged = bytearray(whole)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flagged[flagged.index(mark) + at] |= 1
    file.write_bytes(bytes(flagged))
    assert refused(tmp_path).code == "SERVER-104"


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_central(tmp_path)
    monkeypatch.setattr(central_zip, "MAX_UNPACKED", 100)
    assert refused(tmp_path).code == "SERVER-104"
    (tmp_path / "visit.zip").unlink()
    put_workbook(tmp_path)
    monkeypatch.setattr(kobo_xlsx, "MAX_UNPACKED", 100)
    assert refused(tmp_path).code == "SERVER-104"


def test_members_of_an_archive_are_never_written(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put_central(root, {**central_files(), "../evil.csv": "SubmissionDate,KEY,FormVersion\n"}, media=["../../p.png"])
    server, fetched = fetch_all(root)
    (received,) = fetched.received
    with pytest.raises(NotOnServer):
        b"".join(server.attachment("visit", received.submission, "p.png"))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"visit.zip"}


def test_a_name_that_stands_twice_in_an_archive_is_nobodys(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        put_central(tmp_path, media=["p.png", "p.png"])
    server, fetched = fetch_all(tmp_path)
    (received,) = fetched.received
    assert [file.name for file in received.submission.attachments] == ["p.png"]
    with pytest.raises(NotOnServer) as missing:
        b"".join(server.attachment("visit", received.submission, "p.png"))
    assert missing.value.code == "SERVER-108"


def test_a_file_that_no_folder_has_is_told(tmp_path: Path) -> None:
    put_kobo(tmp_path)
    (tmp_path / "attachments" / bare(ID) / "p.png").unlink()
    server, fetched = fetch_all(tmp_path)
    (received,) = fetched.received
    with pytest.raises(NotOnServer) as missing:
        b"".join(server.attachment("visit", received.submission, "p.png"))
    assert missing.value.code == "SERVER-108"


def test_an_export_that_tells_no_form_needs_a_folder_of_its_name(tmp_path: Path) -> None:
    row = {key: value for key, value in kobo_row().items() if not key.startswith("dialogkit")}
    put_kobo(tmp_path, [row])
    assert refused(tmp_path).code == "SERVER-103"
    (tmp_path / "data.json").unlink()
    put_kobo(tmp_path / "exports", [row])
    put_instance(tmp_path, {"name": "B"}, "uuid:3")
    assert refused(tmp_path).code == "SERVER-103"
    put_kobo(tmp_path / "visit", [row])
    put_kobo(tmp_path / "another", [{**row, "_uuid": "2", "meta/rootUuid": "uuid:2"}])
    assert {entry.id for entry in entries(FolderServer("old", tmp_path))} == {ID, "uuid:3"}


def test_a_row_of_another_form_is_left_out(tmp_path: Path) -> None:
    put_kobo(tmp_path, [kobo_row(), kobo_row({"name": "x"}, "uuid:2", dialogkit_form_id="other")])
    assert [entry.id for entry in entries(FolderServer("old", tmp_path))] == [ID]


def test_a_malformed_row_is_unreadable(tmp_path: Path) -> None:
    put_kobo(tmp_path, [kobo_row(), kobo_row({"g/child": {"not": "rows"}}, "uuid:2")])
    _, fetched = fetch_all(tmp_path)
    assert fetched.unreadable == ("uuid:2",)


def test_half_a_character_is_unreadable_and_in_an_id_stops_the_pull(tmp_path: Path) -> None:
    put_kobo(tmp_path, [kobo_row(), kobo_row({"name": "\ud800"}, "uuid:2")])
    _, fetched = fetch_all(tmp_path)
    assert fetched.unreadable == ("uuid:2",)
    put_kobo(tmp_path, [kobo_row({"name": "x"}, "uuid:\ud800")])
    assert refused(tmp_path).code == "SERVER-104"


def test_an_old_row_without_a_root_keeps_its_own_id(tmp_path: Path) -> None:
    row = kobo_row()
    del row["meta/rootUuid"]
    put_kobo(tmp_path, [row])
    assert [entry.id for entry in entries(FolderServer("old", tmp_path))] == [ID]


def test_answers_that_central_could_not_open_are_sealed(tmp_path: Path) -> None:
    put_central(tmp_path, central_files(status="not decrypted"), media=())
    _, fetched = fetch_all(tmp_path)
    (received,) = fetched.received
    assert (received.submission.sealed, received.submission.answers) == ("no key", {})


def test_without_a_form_headings_mean_nothing(tmp_path: Path) -> None:
    put_central(tmp_path)
    _, fetched = fetch_all(tmp_path, None)
    assert fetched.unreadable == (ID,)


def test_a_question_that_no_version_has_is_kept(tmp_path: Path) -> None:
    files = central_files()
    files["visit.csv"] = files["visit.csv"].replace(",photo,", ",removed,")
    put_central(tmp_path, files)
    _, fetched = fetch_all(tmp_path)
    assert fetched.received[0].submission.answers["removed"] == "p.png"


def relabelled(book: Any) -> None:
    for sheet in book.worksheets:
        for cell in sheet[1]:
            if not str(cell.value).startswith(("_", "dialogkit", "meta/")):
                cell.value = f"What is your {cell.value}?"


def test_a_workbook_of_labels_is_refused_with_the_settings_to_choose(tmp_path: Path) -> None:
    put_workbook(tmp_path, edit=relabelled)
    error = refused(tmp_path)
    assert error.code == "SERVER-106"
    assert "XML values and headers" in error.fix


@pytest.mark.parametrize("value", [1.5, 1e17, True, datetime(2026, 11, 20)])  # noqa: DTZ001 - as a cell has it
def test_numbers_that_lost_how_they_were_typed_are_refused_by_column(tmp_path: Path, value: Any) -> None:
    def edit(book: Any) -> None:
        cell = next(cell for cell in book.worksheets[0][1] if cell.value == "age")
        book.worksheets[0].cell(2, cell.column).value = value

    put_workbook(tmp_path, edit=edit)
    error = refused(tmp_path)
    assert error.code == "SERVER-107"
    assert "column age" in error.where


def test_a_whole_number_in_a_cell_is_its_text(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        cell = next(cell for cell in book.worksheets[0][1] if cell.value == "age")
        book.worksheets[0].cell(2, cell.column).value = 12

    put_workbook(tmp_path, edit=edit)
    _, fetched = fetch_all(tmp_path)
    assert fetched.received[0].submission.answers["g/age"] == "12"


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        sheet = book.worksheets[0]
        sheet.cell(1, sheet.max_column + 1).value = "name"
        sheet.cell(2, sheet.max_column).value = "another"

    put_workbook(tmp_path, edit=edit)
    assert refused(tmp_path).code == "SERVER-107"


def test_a_sheet_that_lies_about_its_size_hides_nothing(tmp_path: Path) -> None:
    file = put_workbook(tmp_path)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    start, _, rest = members[sheet].partition(b'<dimension ref="')
    members[sheet] = start + b'<dimension ref="A1"' + rest.partition(b'"')[2]
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    _, fetched = fetch_all(tmp_path)
    assert fetched.received[0].submission.answers == ANSWERS


@pytest.mark.parametrize(
    "sheet",
    [
        b"<worksheet><sheetData><row><c",
        b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet>&b;</worksheet>',
        b"",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        b'<c r="A1" t="s"><v>99999</v></c></row></sheetData></worksheet>',
    ],
)
def test_a_workbook_that_is_broken_inside_stops_the_pull(tmp_path: Path, sheet: bytes) -> None:
    file = put_workbook(tmp_path)
    put_instance(tmp_path)
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert refused(tmp_path).code == "SERVER-104"


@pytest.mark.parametrize("heading", ["_parent_index", "_index"])
def test_rows_that_belong_nowhere_stop_the_pull(tmp_path: Path, heading: str) -> None:
    def edit(book: Any) -> None:
        sheet = book.worksheets[1]
        cell = next(cell for cell in sheet[1] if cell.value == heading)
        sheet.cell(2, cell.column).value = "?"

    put_workbook(tmp_path, edit=edit)
    assert refused(tmp_path).code == "SERVER-104"


def test_sheets_that_are_below_each_other_end(tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        sheet = book.worksheets[1]
        cell = next(cell for cell in sheet[1] if cell.value == "_parent_table_name")
        for row in (3, 4):
            sheet.cell(row, cell.column).value = "child"

    put_workbook(tmp_path, edit=edit)
    assert refused(tmp_path).code == "SERVER-104"


def test_rows_of_a_repeat_that_belong_to_no_submission_stop_the_pull(tmp_path: Path) -> None:
    files = central_files()
    files["visit-toy.csv"] += f"lost,{ID}/g/child[9],{ID}/g/child[9]/toy[1]\n"
    put_central(tmp_path, files)
    assert refused(tmp_path).code == "SERVER-104"


READERS: list[Callable[[Path], Any]] = [put_kobo, put_instance, put_central, put_workbook]


@pytest.mark.parametrize("put", READERS)
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_anywhere_is_no_traceback(tmp_path: Path, put: Callable[[Path], Any], keep: float) -> None:
    put(tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.suffix in (".json", ".xml", ".zip", ".xlsx"):
            data = file.read_bytes()
            file.write_bytes(data[: int(len(data) * keep)])
    try:
        _, fetched = fetch_all(tmp_path)
    except (NotOnServer, UnexpectedReply) as error:
        assert error.code == "SERVER-104"
    else:
        assert fetched.unreadable == (ID,)


def test_the_body_of_a_row_is_what_the_file_has(tmp_path: Path) -> None:
    put_kobo(tmp_path)
    _, fetched = fetch_all(tmp_path)
    assert json.loads(fetched.received[0].body) == kobo_row()
    assert FORM.form_id == "visit"


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root every file can be read, so the refusal of the system is played."""
    put_instance(tmp_path)

    def denied(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert refused(tmp_path).code == "SERVER-100"


@pytest.mark.parametrize("shape", ["list", "lines"])
def test_a_long_list_is_read_in_pieces(tmp_path: Path, shape: str) -> None:
    rows = [kobo_row({"name": f"{n} " + "x" * (n * 37 % 5000)}, f"uuid:{n}") for n in range(1500)]
    put_kobo(tmp_path, rows, shape=shape)
    assert (tmp_path / "data.json").stat().st_size > 3 * 1024 * 1024
    _, fetched = fetch_all(tmp_path)
    assert [one.submission.answers["name"] for one in fetched.received] == [row["name"] for row in rows]


@pytest.mark.parametrize("behind", ["]", "x", "{}"])
def test_text_behind_the_end_of_a_list_stops_the_pull(tmp_path: Path, behind: str) -> None:
    file = put_kobo(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + behind, encoding="utf-8")
    assert refused(tmp_path).code == "SERVER-104"
