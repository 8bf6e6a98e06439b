"""A multi-sector needs assessment: the rows of its export (a sheet a repeat) as submissions of its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import duckdb
import openpyxl

from dialogkit.forms.build import build_form
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Submission
from tests.accounting import cells_of
from tests.corpus.material import CORPUS, Set

FOLDER: Final = CORPUS / "msna"
#: Which heading of the main sheet a row of a repeat names: `uuid`, and its place among those of the same `uuid`.
_UUID: Final = "uuid"
Row = Mapping[str, Any]


@cache
def form() -> BuiltForm:
    """The form."""
    return build_form(FOLDER / "REACH_2024_MSNA-kobo-tool_draft_v11.xlsx")


@cache
def sheets() -> Mapping[str, tuple[Row, ...]]:
    """Sheet → its rows, by heading."""
    book = openpyxl.load_workbook(FOLDER / "dummy_raw_data.xlsx", read_only=True, data_only=True)
    found = {}
    for sheet in book:
        sheet.reset_dimensions()
        headings, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title] = tuple(dict(zip(headings, row, strict=True)) for row in rows)
    book.close()
    return found


def path_of(title: str) -> str:
    """The repeat that a sheet has the rows of; empty for the main sheet."""
    return next((path for path in form().form.repeats if path.rpartition("/")[2] == title), "")


@cache
def asked(title: str) -> Mapping[str, str]:
    """Heading of a sheet → path: the question of that name, else a path that no version has."""
    here, repeat = form().form, path_of(title)
    names = {question.name: question.path for question in here.questions if here.repeat_of(question.path) == repeat}
    headings = [heading for heading in sheets()[title][0] if not is_tick(here, heading)]
    return {one: names.get(one, f"{repeat}/{one}" if repeat else one) for one in headings}


def is_tick(here: Form, heading: str) -> bool:
    """Whether a column says of one choice whether it was ticked."""
    name, slash, _ = heading.partition("/")
    return bool(slash) and any(question.type == "select_multiple" for question in here.named(name))


def msna_set() -> Set:
    """The whole export."""
    below: dict[tuple[str, str], list[Row]] = {}
    titles = [title for title in sheets() if path_of(title)]
    for title in titles:
        for row in sheets()[title]:
            below.setdefault((title, row[_UUID]), []).append(row)
    received = []
    for row in sheets()["main"]:
        answers = dict(_answers("main", row))
        for title in titles:
            rows = [dict(_answers(title, one)) for one in below.get((title, row[_UUID]), ())]
            answers |= {path_of(title): rows} if rows else {}
        received.append(Received(_submission(row[_UUID], answers), b"a row of an export"))
    return Set("msna", (form(),), tuple(received))


def _answers(title: str, row: Row) -> Iterator[tuple[str, str]]:
    for heading, path in asked(title).items():
        if row[heading] is not None:
            yield path, as_text(row[heading])


def as_text(value: object) -> str:
    """A cell as it would have been typed."""
    return repr(value) if isinstance(value, float) else str(value)


def _submission(key: str, answers: Any) -> Submission:
    submission_id = f"uuid:{key}"
    return Submission(submission_id, submission_id, "msna", "", "2024-08-01T00:00:00.000Z", answers=answers)


@cache
def places(title: str) -> tuple[tuple[str, str], ...]:
    """Submission and row of each line of a sheet."""
    counted: dict[str, int] = {}
    found = []
    for row in sheets()[title]:
        counted[row[_UUID]] = counted.get(row[_UUID], 0) + 1
        found.append((f"uuid:{row[_UUID]}", str(counted[row[_UUID]]) if path_of(title) else ""))
    return tuple(found)


def landed_lists(db: duckdb.DuckDBPyConnection, title: str) -> dict[str, dict[tuple[str, str], list[str]]]:
    """Name of a select_multiple → submission and row → the choices, as they were landed."""
    repeat, found = path_of(title), dict[str, dict[tuple[str, str], list[str]]]()
    for (submission, level, row, path), (kind, cell) in cells_of(db, "msna").items():
        if level == repeat and kind == "select_multiple":
            found.setdefault(path.rpartition("/")[2], {})[submission, row] = cell
    return found
