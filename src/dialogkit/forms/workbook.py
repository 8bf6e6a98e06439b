"""Opens a workbook of any kind as rows of text, and says in plain words why a file is not one."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

import xlrd
from openpyxl import load_workbook
from pyxform.constants import SUPPORTED_SHEET_NAMES, SURVEY
from pyxform.xls2json_backends import (
    csv_to_dict,
    get_excel_column_headers,
    get_excel_rows,
    xls_value_to_unicode,
    xlsx_value_to_str,
)

from dialogkit.errors import FormError
from dialogkit.forms.markdown import read_tables

MAX_BYTES: Final = 25 * 1024 * 1024
MAX_UNPACKED: Final = 150 * 1024 * 1024
KINDS: Final = (".xlsx", ".xlsm", ".xls", ".csv", ".md")

_NBSP: Final = "\u00a0"
_BOM: Final = b"\xef\xbb\xbf"
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Sheet:
    """A sheet as text: its headers, and a dict a row. `rows[0]` is row 2 of the spreadsheet; empty rows stay."""

    headers: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Workbook:
    """The XLSForm sheets of a file by their lower-case name, with the texts exactly as they stand in the cells."""

    path: Path
    sheets: Mapping[str, Sheet]
    sheet_names: tuple[str, ...]

    def sheet(self, name: str) -> Sheet:
        """The sheet of this name, empty where the workbook has none."""
        return self.sheets.get(name, Sheet((), ()))

    def for_pyxform(self) -> dict[str, Any]:
        """A new workbook dict as `pyxform.xls2xform.convert` takes it."""
        given: dict[str, Any] = {"sheet_names": list(self.sheet_names), "fallback_form_name": self.path.stem}
        for name, sheet in self.sheets.items():
            given[name] = [{key: _plain(value) for key, value in row.items()} for row in sheet.rows]
            given[f"{name}_header"] = [dict.fromkeys(sheet.headers)] if sheet.headers else []
        return given


class _SameHeaderError(Exception):
    def __init__(self, sheet: str, header: str) -> None:
        self.sheet, self.header = sheet, header
        super().__init__(header)


def read_workbook(path: Path) -> Workbook:
    """The workbook at `path` (`.xlsx`, `.xlsm`, `.xls`, `.csv` or `.md`; the content decides, not the ending).

    Raises:
        FormError: FORM-001 to FORM-007, each with what the file is instead of a workbook.
    """
    data = _bytes(path)
    return _open(path, data, _reader(path, data))


def _bytes(path: Path) -> bytes:
    where = path.as_posix()
    try:
        if path.stat().st_size > MAX_BYTES:
            fix = "Take pictures and unused sheets out of the workbook, and try again."
            raise FormError("FORM-003", where, f"The file is larger than {MAX_BYTES // 1024**2} MB.", fix)
        data = path.read_bytes()
    except OSError as error:
        message = f"The file cannot be read ({error.strerror})."
        raise FormError("FORM-001", where, message, "Check its name and its permissions.") from None
    if not data.strip():
        raise FormError("FORM-002", where, "The file is empty.", "Save the workbook again, or name the right file.")
    return data


def _reader(path: Path, data: bytes) -> Callable[[bytes], dict[str, Any]]:
    where = path.as_posix()
    start = data[:2048].removeprefix(_BOM).lstrip().lower()
    if data.startswith(_ZIP):
        _refuse_odd_zip(where, data)
        return _read_xlsx
    if data.startswith(_OLE):
        if _LOCKED in data:
            fix = "Open it, take the password away, save it as .xlsx and try again."
            raise FormError("FORM-007", where, "The workbook is protected by a password.", fix)
        return _read_xls
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"<head")):
        fix = "Download the workbook itself: often the page of a login or of a preview was saved instead."
        raise FormError("FORM-005", where, "The file is a web page or XML, not a workbook.", fix)
    if path.suffix.lower() == ".md":
        return _read_markdown
    if path.suffix.lower() == ".csv":
        return _read_csv
    raise _not_a_workbook(where)


def _refuse_odd_zip(where: str, data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise _not_a_workbook(where, "It may have been cut off on its way.") from None
    if unpacked > MAX_UNPACKED:
        message = f"The workbook unpacks to more than {MAX_UNPACKED // 1024**2} MB."
        raise FormError("FORM-004", where, message, "Copy its sheets into a new workbook, and try again.")
    if "[Content_Types].xml" not in names:
        raise _not_a_workbook(where, "If it is an OpenDocument file, save it as .xlsx.")


def _open(path: Path, data: bytes, reader: Callable[[bytes], dict[str, Any]]) -> Workbook:
    where = path.as_posix()
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles, footers and other things of a workbook that are no part of a form.
            warnings.simplefilter("ignore")
            found = reader(data)
    except _SameHeaderError as error:
        message = f"Two columns have the same header: {error.header}."
        fix = "Rename or remove one of the two columns; keep the one that is filled."
        raise FormError("FORM-017", f"{where}, {error.sheet}, row 1", message, fix) from None
    except Exception as error:  # noqa: BLE001 - three libraries read files of people here and fail in any way
        raise _not_a_workbook(where, f"It may be damaged ({type(error).__name__}).") from None
    sheets = {name: _sheet(found, name) for name in found if name in SUPPORTED_SHEET_NAMES}
    return Workbook(path, sheets, tuple(map(str, found["sheet_names"])))


def _not_a_workbook(where: str, more: str = "") -> FormError:
    fix = f"{more} Save the workbook as .xlsx and try again. Kinds that are read: {', '.join(KINDS)}.".strip()
    return FormError("FORM-006", where, "The file is not a workbook.", fix)


def _sheet(found: Mapping[str, Any], name: str) -> Sheet:
    header_row = found.get(f"{name}_header") or [{}]
    headers = tuple(header for header in header_row[0] if header)
    rows = ({key: value for key, value in row.items() if key and value} for row in found[name])
    return Sheet(headers, tuple(rows))


def _read_xlsx(data: bytes) -> dict[str, Any]:
    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    try:
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        return _read_sheets(sheets, lambda sheet: sheet.rows, lambda cell: xlsx_value_to_str(cell.value))
    finally:
        book.close()


def _read_xls(data: bytes) -> dict[str, Any]:
    # xlrd writes its warnings to standard output, where results belong.
    book = xlrd.open_workbook(file_contents=data, logfile=StringIO())
    try:
        sheets = {sheet.name: sheet for sheet in book.sheets()}
        return _read_sheets(
            sheets,
            lambda sheet: sheet.get_rows(),
            lambda cell: xls_value_to_unicode(cell.value, cell.ctype, book.datemode),
        )
    finally:
        book.release_resources()


def _read_sheets(
    sheets: Mapping[str, Any], rows_of: Callable[[Any], Any], as_text: Callable[[Any], str]
) -> dict[str, Any]:
    def text(cell: Any, _row: int, _header: str) -> str:
        # pyxform turns U+00A0 into a space; the form keeps what the workbook says.
        return cell.value.strip() if isinstance(cell.value, str) else as_text(cell)

    found: dict[str, Any] = {"sheet_names": list(sheets)}
    for title, sheet in sheets.items():
        name = title.lower()
        if name not in SUPPORTED_SHEET_NAMES:
            if len(sheets) > 1:
                continue
            name = SURVEY
        rows = iter(rows_of(sheet))
        headers = _headers(title, [plain_header(cell.value) for cell in next(rows, ())])
        found[name] = get_excel_rows(headers, rows, text)
        found[f"{name}_header"] = [{header: None for header in headers if header}]
    return found


def _read_csv(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = csv_to_dict(data.removeprefix(_BOM))
    return found


def _read_markdown(data: bytes) -> dict[str, Any]:
    tables = read_tables(data.removeprefix(_BOM).decode("utf-8"))
    found: dict[str, Any] = {"sheet_names": list(tables)}
    for title, (headers, rows) in tables.items():
        name = SURVEY if len(tables) == 1 else title.lower()
        found[name] = rows
        found[f"{name}_header"] = [dict.fromkeys(_headers(title, headers))]
    return found


def _headers(sheet: str, cells: Sequence[str | None]) -> list[str | None]:
    twice = next((cell for place, cell in enumerate(cells) if cell and cell in cells[:place]), None)
    if twice:
        raise _SameHeaderError(sheet, twice)
    headers: list[str | None] = get_excel_column_headers(cells)
    return headers


def plain_header(value: object) -> str | None:
    """The header in a cell, as pyxform reads it."""
    return None if value is None else _plain(str(value))


def _plain(value: str) -> str:
    return value.replace(_NBSP, " ")


def numbered(sheet: Sheet) -> Sequence[tuple[int, Mapping[str, str]]]:
    """The rows of a sheet with their numbers in the spreadsheet."""
    return list(enumerate(sheet.rows, start=2))
