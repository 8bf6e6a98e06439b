"""KoboToolbox's workbook, exported with XML values and headers: one sheet a repeat, rows joined by `_index`."""

from __future__ import annotations

import json
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from dialogkit.errors import UnexpectedReply
from dialogkit.model.form import CARRIED_ID, CARRIED_VERSION, FILE_TYPES, Form
from dialogkit.model.server import FindForm
from dialogkit.model.submission import Submission
from dialogkit.servers.folders.headings import is_part, paths_of
from dialogkit.servers.folders.kobo_json import id_of, is_row, submission_in, wanted
from dialogkit.servers.folders.raw import MAX_UNPACKED, Media, Place, Raw
from dialogkit.servers.kobo.session import text

#: Whole numbers beyond this are not exact in a cell.
_EXACT: Final = 10**15
_ROW: Final = ("_index", "_parent_table_name", "_parent_index")
_SYSTEM: Final = frozenset(
    {"_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "_tags", *_ROW}
)
_POINT: Final = ("_latitude", "_longitude", "_altitude", "_precision")
_MARKS: Final = (CARRIED_ID, CARRIED_VERSION, "__version__", "_version_", "formhub/uuid")


@dataclass
class _Sheet:
    title: str
    headings: list[str]
    #: The rows below each row of the sheet above: (its sheet, its `_index`) → rows.
    below: dict[tuple[str, int], list[dict[str, str]]] = field(default_factory=dict)


def read_kobo_xlsx(place: Place, file: Path) -> Iterator[Raw]:
    """The submissions of the form in a workbook; none when it is no export of data.

    Raises:
        UnexpectedReply: SERVER-103, SERVER-104, SERVER-107.
    """
    try:
        yield from _exported(place, file)
    except (zipfile.BadZipFile, zlib.error, InvalidFileException, SyntaxError, LookupError, ValueError, TypeError):
        # What openpyxl says of a workbook that is broken inside depends on where it is broken.
        raise place.broken(file, "is not a whole workbook") from None


def _exported(place: Place, file: Path) -> Iterator[Raw]:
    book = _open(place, file)
    try:
        sheets = [book[title] for title in book.sheetnames]
        main = sheets[0]
        rows = _rows(main)
        headings = _headings(next(rows, ()))
        if "_index" not in headings or "_uuid" not in headings:
            return
        repeats = [_repeat(place, file, sheet) for sheet in sheets[1:]]
        left = sum(len(some) for sheet in repeats for some in sheet.below.values())
        for values in rows:
            if all(value is None for value in values):
                continue
            cells = _cells(place, file, main.title, headings, values)
            row = {**cells, "_submission_time": cells.get("_submission_time", "").replace(" ", "T", 1)}
            if not is_row(row) or not cells.get("_index", "").isdecimal():
                raise place.broken(file, "has a row without `_uuid` or `_index`")
            tree = {"cells": row, "below": _below(repeats, main.title, int(cells["_index"]), 0)}
            left -= _count(tree)
            if wanted(place, file, row):
                data = json.dumps(tree, ensure_ascii=False).encode()
                yield Raw("workbook", id_of(row), data, file, _media(place, row, tree))
        if left:
            raise place.broken(file, "has rows of a repeat that belong to no submission")
    finally:
        book.close()


def read(raw: Raw, form_id: str, find_form: FindForm) -> Submission:
    """The submission.

    Raises:
        UnexpectedReply: SERVER-106, the headings are labels.
        ValueError: it cannot be read.
    """
    tree = json.loads(raw.data)
    cells = tree["cells"]
    form = find_form(text(cells, CARRIED_VERSION).strip()) or find_form("")
    if form is None:
        raise ValueError("no form to tell the headings by")
    row: dict[str, Any] = {key: cells[key] for key in (*_SYSTEM, *_MARKS) if key in cells and key not in _ROW}
    row["_validation_status"] = {"uid": text(cells, "_validation_status")}
    row |= _answers(tree, form, "")
    row["_attachments"] = [
        {"media_file_basename": name, "download_url": "folder"} for name in _files(row, form)
    ]  # fmt: skip
    return submission_in(row, raw, form_id, lambda _: form)


def labels(place: Place, file: Path, headings: Sequence[str], form: Form) -> UnexpectedReply | None:
    """SERVER-106 when most headings are no questions: then they are labels, and answers are labels too."""
    known = paths_of(form, "", "/")
    asked = [one for one in headings if one not in _SYSTEM and one not in _MARKS and not one.startswith("_")]
    strange = [one for one in asked if one not in known and not is_part(one, known)]
    if len(strange) * 2 <= len(asked):
        return None
    return UnexpectedReply(
        "SERVER-106",
        place.where(file),
        "Most headings of the workbook are no questions of the form: it seems to hold labels.",
        "Export it again from KoboToolbox with: Value and header format “XML values and headers”; Export select_many "
        "questions as “Single and separate columns”; “Store date and number responses as numbers” off.",
    )


def headings_in(raw: Raw) -> list[str]:
    """The headings of the main sheet that have a cell in this row."""
    return list(json.loads(raw.data)["cells"])


def _open(place: Place, file: Path) -> openpyxl.Workbook:
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED:
            raise place.broken(file, "unpacks to more than a workbook of submissions")
    with warnings.catch_warnings():
        # openpyxl warns of styles and other things that are no part of the data.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(file, read_only=True, data_only=True)


def _rows(sheet: Any) -> Iterator[Sequence[object]]:
    # What a sheet says of its own size may be wrong, and would hide columns.
    sheet.reset_dimensions()
    rows: Iterator[Sequence[object]] = sheet.iter_rows(values_only=True)
    return rows


def _headings(values: Sequence[object]) -> list[str]:
    return [str(value).strip() if value is not None else "" for value in values]


def _repeat(place: Place, file: Path, sheet: Any) -> _Sheet:
    rows = _rows(sheet)
    found = _Sheet(sheet.title, _headings(next(rows, ())))
    for values in rows:
        if all(value is None for value in values):
            continue
        cells = _cells(place, file, sheet.title, found.headings, values)
        above, parent = cells.get("_parent_index", ""), cells.get("_parent_table_name", "")
        if not above.isdecimal() or not cells.get("_index", "").isdecimal():
            raise place.broken(file, "has a sheet whose rows do not say where they belong")
        found.below.setdefault((parent, int(above)), []).append(cells)
    return found


def _cells(place: Place, file: Path, title: str, headings: Sequence[str], values: Sequence[object]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for heading, value in zip(headings, values, strict=False):
        of_parent = heading.startswith("_submission_") and heading != "_submission_time"
        if value is None or not heading or of_parent:
            continue
        if heading in cells:
            raise _unclear(place, file, title, heading, "two columns of this name")
        cells[heading] = _as_text(place, file, title, heading, value)
    return cells


def _as_text(place: Place, file: Path, title: str, heading: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if heading.startswith("_") and heading not in _ROW:
        # The server's own columns, and those that it made of a point.
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unclear(place, file, title, heading, "dates or times as numbers, which lost how they were typed")
    if value != int(value) or abs(value) >= _EXACT:
        raise _unclear(place, file, title, heading, "numbers that may not be as they were typed")
    return str(int(value))


def _unclear(place: Place, file: Path, title: str, heading: str, what: str) -> UnexpectedReply:
    return UnexpectedReply(
        "SERVER-107",
        f"{place.where(file)}, sheet {title}, column {heading}",
        f"The column has {what}.",
        "Export it again from KoboToolbox with “Store date and number responses as numbers” off and “Include groups in "
        "headers” on.",
    )


def _below(repeats: Sequence[_Sheet], title: str, index: int, depth: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for sheet in repeats if depth < len(repeats) else ():
        for cells in sheet.below.get((title, index), ()):
            node = {"cells": cells, "below": _below(repeats, sheet.title, int(cells["_index"]), depth + 1)}
            found.setdefault(sheet.title, []).append(node)
    return found


def _count(node: Mapping[str, Any]) -> int:
    """Rows below a row, at any depth."""
    return sum(1 + _count(row) for rows in node["below"].values() for row in rows)


def _answers(node: Mapping[str, Any], form: Form, repeat: str) -> dict[str, Any]:
    known = paths_of(form, repeat, "/")
    answers: dict[str, Any] = {}
    for heading, value in node["cells"].items():
        if heading in known:
            answers[known[heading]] = value
        elif not _made(heading, known):
            # A question of a version that this workspace does not know: kept, and told as drift.
            answers[f"{repeat}/{heading}" if repeat else heading] = value
    for title, rows in node["below"].items():
        path = _repeat_of(form, repeat, title)
        answers[path] = [_answers(row, form, path) for row in rows]
    return answers


def _made(heading: str, known: Mapping[str, str]) -> bool:
    """Whether the export made the column of others: of a point, of a choice, of its own."""
    if heading in _SYSTEM or heading in _MARKS or is_part(heading, known):
        return True
    return heading.startswith("_") and any(heading[1:].removesuffix(part) in known for part in _POINT)


def _repeat_of(form: Form, above: str, title: str) -> str:
    """Sheets have the name of the repeat, cut to what a sheet may have."""
    fits = [path for path in form.repeats if form.repeat_of(path) == above]
    named = [path for path in fits if path.rpartition("/")[2][:31] == title[:31]]
    if len(named) != 1:
        raise ValueError("a sheet that is no repeat of the form")
    return named[0]


def _files(row: Mapping[str, Any], form: Form, repeat: str = "") -> Iterator[str]:
    for path, value in row.items():
        question = form.by_path.get(path)
        if isinstance(value, str) and (path == "meta/audit" or (question and question.type in FILE_TYPES)):
            yield value
        elif isinstance(value, list):
            for below in value:
                if isinstance(below, dict):
                    yield from _files(below, form, path)


def _media(place: Place, row: Mapping[str, str], tree: Mapping[str, Any]) -> tuple[Media, ...]:
    """Files in the folder of the submission that a cell names."""
    there = {**place.media.get(id_of(row).removeprefix("uuid:"), {}), **place.media.get(row["_uuid"], {})}
    named = set(_values(tree)) if there else set()
    return tuple(Media(name, path) for name, path in there.items() if name in named)


def _values(node: Mapping[str, Any]) -> Iterator[str]:
    yield from node["cells"].values()
    for rows in node["below"].values():
        for row in rows:
            yield from _values(row)
