"""Reads Central's csv.zip: the main file and those of the repeats in step, one submission in memory at a time."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import IO, Final

from dialogkit.model.submission import Answers
from dialogkit.servers.central.fields import FIRST, INSTANCE_ID, LAST, LAST_OF_REPEAT, Columns, CsvTable, Shape
from dialogkit.servers.central.unzip import BROKEN, open_zip

MAX_UNPACKED: Final = 1024 * 1024 * 1024
#: Signs in a line; the lines of an archive that was made to harm would not fit into memory.
_LONGEST: Final = 16 * 1024 * 1024
_KEY, _SUBMITTER, _STATUS, _REVIEW, _EDITS, _VERSION = (
    LAST.index(name) - len(LAST) for name in ("KEY", "SubmitterName", "Status", "ReviewState", "Edits", "FormVersion")
)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
#: Stands for a carriage return while a row is read: the database behind the server holds no such sign.
_RETURN: Final = "\0"


class NotLosslessError(ValueError):
    """The archive does not say what each submission answered beyond doubt.

    `hopeless`: it is the form, not one submission, so that a smaller archive would not help.
    """

    def __init__(self, *, hopeless: bool = False) -> None:
        super().__init__()
        self.hopeless = hopeless


class TooLargeError(ValueError):
    """The archive unpacks to more than submissions are."""


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One submission of the archive.

    Args:
        id: survives edits.
        instance_id: as it says of itself; empty when it does not.
        status: why Central could not read it; empty when it could.
        doubtful: only the XML can tell what was typed. It reads a carriage return as a line feed unless that was
            written as a number; and the server cuts a point at white space, so that only four numbers are sure.
        review: the review state in Central's words.
        form_version: of its first edition.
        body: its cells as received, as JSON.
    """

    id: str
    instance_id: str
    submitted_at: str
    submitter: str
    status: str
    doubtful: bool
    review: str
    edits: str
    form_version: str
    answers: Answers
    body: bytes


def read_rows(file: IO[bytes], shape: Shape, wanted: Container[str]) -> Iterator[CsvRow]:
    """The wanted submissions of an archive.

    Raises:
        NotLosslessError: a heading, a row or a key that is not as it should be; rows before it are good.
        TooLargeError: it unpacks to too much.
    """
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(open_zip(file))
            members = [one for one in archive.infolist() if one.filename.endswith(".csv") and "/" not in one.filename]
            if sum(one.file_size for one in members) > MAX_UNPACKED:
                raise TooLargeError
            yield from _Reader(shape, [_Sheet(stack, archive, one) for one in members]).rows(wanted)
        except (csv.Error, UnicodeDecodeError, *BROKEN) as error:
            raise NotLosslessError from error


class _Sheet:
    """One file of the archive, with a look at its next row."""

    def __init__(self, stack: ExitStack, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self.name = member.filename
        # Lines end at \n only: an answer may hold another sign that Python takes for an end.
        text = TextIOWrapper(stack.enter_context(archive.open(member)), "utf-8", newline="\n")
        self._rows = csv.reader(self._lines(stack.enter_context(text)), strict=True)
        self.headings = next(self._rows, [])
        self.head: list[str] | None = None
        self.advance()

    def advance(self) -> None:
        self.has_returns = False
        self.head = next(self._rows, None)
        if self.head is None:
            return
        if len(self.head) != len(self.headings):
            raise NotLosslessError
        if self.has_returns:
            self.head = [cell.replace(_RETURN, "\r") for cell in self.head]

    def _lines(self, text: TextIOWrapper) -> Iterator[str]:
        """The server writes a carriage return without quotes, and Python's reader takes one for the end of a row."""
        while line := text.readline(_LONGEST):
            if len(line) == _LONGEST:
                raise NotLosslessError
            if "\r" in line:
                self.has_returns = True
                yield line.replace("\r", _RETURN)
            else:
                yield line


@dataclass
class _Repeat:
    """A repeat with its file."""

    table: CsvTable
    sheet: _Sheet
    columns: Columns
    cells: list[dict[str, str]] = field(default_factory=list)


class _Reader:
    def __init__(self, shape: Shape, sheets: Sequence[_Sheet]) -> None:
        mains = [one for one in sheets if one.headings[:1] == [FIRST] and tuple(one.headings[-len(LAST) :]) == LAST]
        if len(mains) != 1 or len(set(mains[0].headings)) != len(mains[0].headings):
            raise NotLosslessError(hopeless=True)
        self._main = mains[0]
        self._columns = _columns(shape.tables[""], self._main.headings[1 : -len(LAST)], 1)
        own = next((heading for heading, path in shape.tables[""].text.items() if path == INSTANCE_ID), "")
        self._doubtful = False
        self._own_id = self._main.headings.index(own) if own else None
        self._repeats = _assigned(shape, [one for one in sheets if one is not self._main])

    def rows(self, wanted: Container[str]) -> Iterator[CsvRow]:
        while (row := self._main.head) is not None:
            self._doubtful = False
            answers = self._answers(self._main, row, self._columns)
            self._add_repeats(row[_KEY], answers)
            self._main.advance()
            if row[_KEY] in wanted:
                yield self._row(row, answers)
        if any(one.sheet.head is not None for one in self._repeats):
            raise NotLosslessError

    def _add_repeats(self, key: str, answers: dict[str, str | list[Answers]]) -> None:
        """Take the rows of this submission from each file: they come in the order of the main file."""
        rows: dict[str, dict[str, dict[str, str | list[Answers]]]] = {"": {key: answers}}
        for one in self._repeats:
            one.cells = []
            parents = rows[one.table.parent]
            mine = rows[one.table.path] = {}
            while (row := one.sheet.head) is not None and (parent := parents.get(row[-2])) is not None:
                if not row[-1].startswith(row[-2] + one.table.below) or row[-1] in mine:
                    raise NotLosslessError
                mine[row[-1]] = found = self._answers(one.sheet, row, one.columns)
                below = parent.setdefault(one.table.path, [])
                if isinstance(below, list):
                    below.append(found)
                one.cells.append(dict(zip(one.sheet.headings, row, strict=True)))
                one.sheet.advance()

    def _answers(self, sheet: _Sheet, row: Sequence[str], columns: Columns) -> dict[str, str | list[Answers]]:
        """The answers in the row that is next in a sheet; notes when it is in doubt."""
        self._doubtful |= sheet.has_returns
        answers: dict[str, str | list[Answers]] = {
            path: row[at] for at, path in columns.plain if row[at] and not row[at].isspace()
        }
        for at, path in columns.points:
            point = row[at : at + 4]
            if text := " ".join(point).rstrip():
                answers[path] = text
                self._doubtful |= not all(map(_NUMBER.fullmatch, point))
        return answers

    def _row(self, row: list[str], answers: Answers) -> CsvRow:
        cells = dict(zip(self._main.headings, row, strict=True))
        # Which phone it was is nobody's business here.
        del cells["DeviceID"]
        kept = {"submission": cells, "repeats": {one.table.path: one.cells for one in self._repeats if one.cells}}
        body = json.dumps(kept, ensure_ascii=False)
        return CsvRow(
            id=row[_KEY],
            instance_id="" if self._own_id is None else row[self._own_id].strip(),
            submitted_at=row[0],
            submitter=row[_SUBMITTER],
            status=row[_STATUS],
            doubtful=self._doubtful,
            review=row[_REVIEW],
            edits=row[_EDITS],
            form_version=row[_VERSION],
            answers=answers,
            body=body.encode(),
        )


def _columns(table: CsvTable, headings: Sequence[str], first: int) -> Columns:
    found = table.columns(headings)
    if found is None:
        raise NotLosslessError(hopeless=True)
    return Columns(
        tuple((at + first, path) for at, path in found.plain), tuple((at + first, path) for at, path in found.points)
    )


def _assigned(shape: Shape, sheets: Sequence[_Sheet]) -> list[_Repeat]:
    """The repeats with their files, parents before children."""
    found = {}
    for sheet in sheets:
        fits = [
            (path, columns)
            for path in shape.repeats
            if path not in found and (columns := _fits(shape.tables[path], sheet)) is not None
        ]
        if len(fits) > 1:
            fits = [(path, columns) for path, columns in fits if _holds(shape.tables[path], sheet)]
        if not fits:
            raise NotLosslessError(hopeless=True)
        # Empty files of the same headings may change places.
        path, columns = fits[0]
        if len(fits) > 1 and sheet.head is not None:
            raise NotLosslessError(hopeless=True)
        found[path] = _Repeat(shape.tables[path], sheet, columns)
    if len(found) != len(shape.repeats):
        raise NotLosslessError(hopeless=True)
    return [found[path] for path in shape.repeats]


def _fits(table: CsvTable, sheet: _Sheet) -> Columns | None:
    if tuple(sheet.headings[-2:]) != LAST_OF_REPEAT or not re.search(
        rf"-{re.escape(table.name)}(~\d+)?\.csv$", sheet.name
    ):
        return None
    return table.columns(sheet.headings[:-2])


def _holds(table: CsvTable, sheet: _Sheet) -> bool:
    """Whether the key of the first row says that it is of this repeat."""
    if sheet.head is None:
        return True
    above, key = sheet.head[-2:]
    in_parent = not table.parent or re.sub(r"\[\d+\]", "", above).endswith("/" + table.parent)
    return in_parent and key.startswith(above + table.below)
