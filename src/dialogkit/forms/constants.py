"""The two texts of the team that consent notes show, filled into a workbook."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

from openpyxl import Workbook as OpenWorkbook
from openpyxl import load_workbook
from pyxform.parsing.sheet_headers import clean_text_values
from pyxform.xls2json_backends import get_excel_column_headers

from dialogkit import xml
from dialogkit.errors import FormError
from dialogkit.forms.columns import CALCULATION, columns_of
from dialogkit.forms.workbook import Sheet, Workbook, plain_header, read_workbook

TEAM_CONSTANTS: Final = ("team_contact", "team_server")


def fill(workbook: Workbook, texts: Mapping[str, str]) -> Workbook:
    """The workbook with the calculations of the team constants replaced; a text that is empty leaves the cell.

    Raises:
        FormError: FORM-026, a text holds a character that a form cannot hold.
    """
    wanted = {name: _literal(name, text) for name, text in texts.items() if text.strip()}
    columns = columns_of(workbook, "survey")
    header = {column: name for name, column in columns.items()}
    survey = workbook.sheet("survey")
    rows = [dict(row) for row in survey.rows]
    for row in rows:
        name = row.get(header.get(("name",), ""), "")
        if name in wanted and row.get(header.get(("type",), "")) == "calculate" and CALCULATION in header:
            row[header[CALCULATION]] = wanted[name]
    sheets = {**workbook.sheets, "survey": Sheet(survey.headers, tuple(rows))}
    return Workbook(workbook.path, sheets, workbook.sheet_names)


def workbook_bytes(path: Path, team_contact: str = "", team_server: str = "") -> bytes:
    """The workbook at `path` (.xlsx) with the team constants filled in, everything else as it is.

    Raises:
        FormError: FORM-027 for another kind of file, and what `read_workbook` and `fill` raise.
    """
    filled = fill(read_workbook(path), {"team_contact": team_contact, "team_server": team_server})
    if path.suffix.lower() != ".xlsx":
        fix = "Save the workbook as .xlsx."
        raise FormError("FORM-027", path.as_posix(), "The constants can be filled into .xlsx only.", fix)
    with warnings.catch_warnings():
        # openpyxl warns of styles and footers that it does not know.
        warnings.simplefilter("ignore")
        book = load_workbook(path)
    _write_constants(book, filled)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _write_constants(book: OpenWorkbook, filled: Workbook) -> None:
    sheet = next(book[title] for title in book.sheetnames if title.lower() == "survey" or len(book.sheetnames) == 1)
    column = {meaning: header for header, meaning in columns_of(filled, "survey").items()}
    headers = get_excel_column_headers(plain_header(cell.value) for cell in sheet[1])
    for number, row in enumerate(filled.sheet("survey").rows, start=2):
        if CALCULATION in column and row.get(column.get(("name",), "")) in TEAM_CONSTANTS:
            place = headers.index(column[CALCULATION]) + 1
            sheet.cell(number, place).value = row.get(column[CALCULATION])


def _literal(name: str, text: str) -> str:
    """An XPath string literal. XPath 1.0 has no escape for quotes, so they are joined with concat()."""
    if not xml.writable(text):
        fix = "Write it again as plain text in dialogkit.toml."
        raise FormError("FORM-026", f"workspace.{name}", "The text holds a character that no form can hold.", fix)
    # pyxform turns typographic quotes into straight ones, which would end the literal: do it first.
    plain = clean_text_values(" ".join(text.split()))
    # pyxform looks for ${name} inside literals too.
    parts = [f"'{part}'" for part in plain.replace("${", "$\0{").replace("'", "\0'\0").split("\0") if part]
    parts = ['"\'"' if part == "'''" else part for part in parts]
    return parts[0] if len(parts) == 1 else f"concat({', '.join(parts)})"
