"""The XLSForm that is uploaded to a server that is not ours: the texts of the workbook, and nothing else of the file.

Written anew from the texts, whatever kind the workbook is: cells with a formula keep the value that they show, and
hidden sheets, comments and the names of the authors stay at home.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final

from openpyxl import Workbook as OpenWorkbook
from openpyxl.cell import WriteOnlyCell

from dialogkit.errors import FormError
from dialogkit.files import sha256_of
from dialogkit.forms.columns import CALCULATION, Column, columns_of
from dialogkit.forms.constants import fill
from dialogkit.forms.workbook import Sheet, Workbook, read_workbook
from dialogkit.model.form import CARRIED_ID, CARRIED_VERSION, Form

_NEEDED: Final[Mapping[Column, str]] = {("type",): "type", ("name",): "name", CALCULATION: "calculation"}
#: Columns of ours that no XForm holds: changing them changes nothing for phones.
_OURS: Final = frozenset({"concept", "disclosure", "hxl", "was"})


def remote_copy(path: Path, constants: Mapping[str, str], carried: Form | None = None) -> Workbook:
    """The workbook at `path` as a server shall have it.

    Args:
        path: a workbook of any kind that is read.
        constants: the texts of the team, by the name of their question.
        carried: the form whose id and version two calculated questions at the end carry; None for a server that
            keeps both by itself.

    Raises:
        FormError: FORM-070, the form has a question of such a name; and what `read_workbook` and `fill` raise.
    """
    workbook = read_workbook(path)
    if carried is None:
        return fill(workbook, constants)
    for name in (CARRIED_ID, CARRIED_VERSION):
        if carried.named(name):
            message = f"The form has a question {name}, and dialogkit adds one of this name for KoboToolbox."
            raise FormError("FORM-070", path.as_posix(), message, "Give that question another name.")
    texts = {**constants, CARRIED_ID: carried.form_id, CARRIED_VERSION: carried.version}
    return fill(_with_rows(workbook, (CARRIED_ID, CARRIED_VERSION)), texts)


def xlsx_bytes(workbook: Workbook) -> bytes:
    """The sheets of a workbook as `.xlsx`, every cell a text."""
    book = OpenWorkbook(write_only=True)
    for name, sheet in workbook.sheets.items():
        page = book.create_sheet(name)
        for row in ({header: header for header in sheet.headers}, *sheet.rows):
            cells = []
            for header in sheet.headers:
                cell = WriteOnlyCell(page, row.get(header))
                if cell.value is not None:
                    # A text that begins with = is no formula.
                    cell.data_type = "s"
                cells.append(cell)
            page.append(cells)
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def content_of(workbook: Workbook, media: Mapping[str, Path]) -> str:
    """A hash that changes when phones meet something else: a text of the sheets, or a file.

    Columns that no XForm holds (concept, disclosure, hxl, was) do not count.
    """
    sheets = {name: _on_phones(sheet) for name, sheet in workbook.sheets.items()}
    files = {name: sha256_of(path) for name, path in media.items()}
    text = json.dumps([sheets, files], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _on_phones(sheet: Sheet) -> list[list[str]]:
    headers = [header for header in sheet.headers if header.lower() not in _OURS]
    return [headers, *([row.get(header, "") for header in headers] for row in sheet.rows)]


def _with_rows(workbook: Workbook, names: tuple[str, ...]) -> Workbook:
    """Calculated questions at the end of the survey sheet, all sections being closed there."""
    survey = workbook.sheet("survey")
    header = {column: name for name, column in columns_of(workbook, "survey").items()}
    headers = [*survey.headers, *(name for column, name in _NEEDED.items() if column not in header)]
    kind, name_of, calculation = (header.get(column, name) for column, name in _NEEDED.items())
    # An empty text stays where nothing is filled in: a form may have no version.
    rows = [{kind: "calculate", name_of: name, calculation: "''"} for name in names]
    sheets = {**workbook.sheets, "survey": Sheet(tuple(headers), (*survey.rows, *rows))}
    return Workbook(workbook.path, sheets, workbook.sheet_names)
