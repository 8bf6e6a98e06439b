"""Reads the rows of a workbook that came from outside: judged in pieces first, then row by row, never all at once."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Final
from xml.parsers import expat

import openpyxl

from dialogkit.errors import ConfigError

#: A program that is given more could run out of memory.
MAX_UNPACKED: Final = 256 * 1024 * 1024
MAX_SIGNS: Final = MAX_UNPACKED
#: As many rows as a sheet has, and more columns and longer texts than a log needs.
MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 100
MAX_TEXT: Final = 1024 * 1024
#: A tag of a few bytes takes hundreds in memory. openpyxl holds one row, or one shared text, at a time, and other parts
#: of a workbook (styles) whole: rows and texts may be many, what one of them or another part has may not.
MAX_HELD: Final = 20_000
MAX_KEPT: Final = 4_000_000
MAX_OTHER: Final = 200_000
#: About 250,000 entries, and half a minute.
MAX_TAGS: Final = 10_000_000
_MANY: Final = ("worksheet", "sst")
#: How deep rows (`worksheet/sheetData/row`) and shared texts stand; what is deeper goes when they are read.
_DEPTH: Final = 3
_PIECE: Final = 1024 * 1024
#: Columns in which a text that is one too many is looked for.
_LOOKED_AT: Final = 2 * MAX_COLUMNS


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that are not empty, with their numbers; a formula gives the value that it shows.

    Raises:
        ConfigError: CORRECT-002, it is no workbook; CORRECT-007, it holds more than a log does.
    """
    try:
        with warnings.catch_warnings():
            # openpyxl warns of styles and other things that are no part of the data.
            warnings.simplefilter("ignore")
            _refuse_bomb(path)
            yield from _limited(path, _texts(path))
    except ConfigError:
        raise
    except Exception:  # noqa: BLE001 - zipfile, expat and openpyxl fail in any way on a file that is broken inside
        raise unreadable(path) from None


def unreadable(path: Path) -> ConfigError:
    """What is said of a file that is no table."""
    return ConfigError(
        "CORRECT-002",
        path.name,
        "It is neither a CSV table in UTF-8 nor a whole workbook (.xlsx).",
        "Save the table as CSV (UTF-8) or as .xlsx, then run the command again.",
    )


def _too_large(path: Path, what: str) -> ConfigError:
    return ConfigError(
        "CORRECT-007",
        path.name,
        f"The workbook holds more than a log of corrections does: {what}.",
        "Copy the rows and columns of the log into a new workbook, or save them as CSV (UTF-8).",
    )


def _refuse_bomb(path: Path) -> None:
    """Go through the parts of the archive in pieces, whatever their names are, before a library holds them."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise _too_large(path, f"it unpacks to more than {MAX_UNPACKED // 1024**2} MB")
        for member in members:
            part = _Part()
            with archive.open(member) as data:
                while not part.over and (piece := data.read(_PIECE)) and part.reads(piece):
                    pass
            if part.over:
                raise _too_large(path, part.over)


class _Part:
    """Counts the tags of one part of a workbook as openpyxl's parser, the same expat, will meet them."""

    def __init__(self) -> None:
        self.over = ""
        self._root, self._depth, self._held, self._kept = "", 0, 0, 0
        self._fed = self._tags = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    def reads(self, piece: bytes) -> bool:
        """Read on; false when it is no XML from here on: then openpyxl gets no further either."""
        try:
            self._parser.Parse(piece, False)
        except expat.ExpatError:
            return False
        self._fed += len(piece)
        # What it has not got past is one tag, which it would read from its beginning with every piece.
        if self._fed - self._parser.CurrentByteIndex > 2 * _PIECE:
            self._stop("a part has a tag without end")
        return True

    def _start(self, tag: str, _attributes: object) -> None:
        self._root = self._root or tag.rpartition(":")[2]
        self._depth += 1
        self._tags += 1
        if self._depth > _DEPTH:
            self._held += 1
        else:
            self._held = 0
            self._kept += 1
        if self._held > MAX_HELD:
            self._stop(f"a row has more than {MAX_HELD} parts")
        elif self._kept > (MAX_KEPT if self._root in _MANY else MAX_OTHER):
            self._stop("too many rows, texts or styles")
        elif self._tags > MAX_TAGS:
            self._stop(f"a sheet has more than {MAX_TAGS} parts")

    def _end(self, _tag: str) -> None:
        self._depth -= 1

    def _entity(self, *_: object) -> None:
        self._stop("a part declares entities")

    def _stop(self, why: str) -> None:
        self.over = self.over or why
        # The rest of the piece is not worth counting.
        self._parser.StartElementHandler = None
        self._parser.EndElementHandler = None


def _texts(path: Path) -> Iterator[Sequence[str]]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book[book.sheetnames[0]]
        # What a sheet says of its own size may be wrong, and would hide columns.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS + 1, max_col=_LOOKED_AT):
            # Up to a row far down there may be a million empty ones.
            yield () if row.count(None) == len(row) else [_text(value) for value in row]
    finally:
        book.close()


def _limited(path: Path, rows: Iterator[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """One text may be shared by all cells of a sheet, so that all together are counted too."""
    total = 0
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise _too_large(path, f"more than {MAX_ROWS} rows")
        if not any(row):
            continue
        if any(row[MAX_COLUMNS:]):
            raise _too_large(path, f"row {number} has more than {MAX_COLUMNS} columns")
        if max(map(len, row)) > MAX_TEXT:
            raise _too_large(path, f"a cell of row {number} has more than {MAX_TEXT} characters")
        total += sum(map(len, row))
        if total > MAX_SIGNS:
            raise _too_large(path, f"more than {MAX_SIGNS} characters")
        yield number, list(row[:MAX_COLUMNS])


def _text(value: object) -> str:
    """A cell as the canonical text of an answer; whole numbers have no `.0`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
