"""The ledger as a table that others read and write: cleaningtools' columns first, as CSV or as a workbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from dialogkit.correct.ledger import COLUMNS, csv_text, read_csv
from dialogkit.correct.workbook import read_rows, unreadable
from dialogkit.errors import ConfigError
from dialogkit.files import write_whole

#: What every log of cleaningtools has.
NEEDED: Final = COLUMNS[:6]
#: Columns of an export, in this order.
EXPORTED: Final = (*COLUMNS, "form", "state")
#: A workbook holds no more.
_MAX_CELL: Final = 32_767
#: A cell that a spreadsheet would compute; the same behind apostrophes is what we wrote ourselves.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")


def read_table(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a log with their number in the file: column → text. Other columns than ours are passed over.

    Raises:
        ConfigError: CORRECT-002, it is neither a CSV table in UTF-8 nor a workbook; CORRECT-003, a column is missing;
            CORRECT-007, a workbook holds more than a log does.
    """
    rows = read_rows(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    number, head = next(rows, (1, []))
    names = [text.strip().lower() for text in head]
    if missing := [name for name in NEEDED if names.count(name) != 1]:
        raise ConfigError(
            "CORRECT-003",
            f"{path.name}, row {number}",
            f"Columns that are missing, or stand twice: {', '.join(missing)}.",
            f"The first row names the columns: {', '.join(NEEDED)}.",
        )
    known = [(place, name) for place, name in enumerate(names) if name in EXPORTED]
    found = (
        (line, {name: cells[place] if place < len(cells) else "" for place, name in known}) for line, cells in rows
    )
    return [(line, row) for line, row in found if any(row.values())]


def write_table(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows as CSV or, when the name ends in `.xlsx`, as a workbook. No cell of either is a formula.

    Raises:
        ConfigError: CORRECT-004, a workbook cannot hold a text of this length.
    """
    cells = [[row[name] for name in EXPORTED] for row in rows]
    if path.suffix.lower() == ".xlsx":
        if any(len(text) > _MAX_CELL for row in cells for text in row):
            message = f"An answer is longer than the {_MAX_CELL} characters that a cell of a workbook holds."
            raise ConfigError("CORRECT-004", path.name, message, "Name a file that ends in .csv.")
        data = _workbook_bytes([list(EXPORTED), *cells])
    else:
        data = csv_text(EXPORTED, [[_inert(text) for text in row] for row in cells]).encode()
    write_whole(path, data, mode=0o600)


def _csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        rows = read_csv(path)
    except ConfigError:
        raise unreadable(path) from None
    for line, cells in rows:
        yield line, [_as_it_was(text) for text in cells]


def _inert(text: str) -> str:
    """A text that no spreadsheet computes: with an apostrophe before what would be a formula. Numbers stay."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _as_it_was(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _workbook_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("corrections")
    for row in rows:
        cells = []
        for text in row:
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub(" ", text))
            # A text that begins with = is no formula.
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    written = BytesIO()
    book.save(written)
    return written.getvalue()
