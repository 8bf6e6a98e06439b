"""Audit files of phones: when each question was on the screen, from the batch's files into a temporary table.

Such a file may also hold answers (`old-value`, `new-value`), places, the name of whoever typed, and reasons. None of
it is read here: only the kind of event, the question's path as the form knows it, and two times.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, TextIO

import duckdb

from dialogkit import sql
from dialogkit.model.staged import Staged

#: Where the answer stands that names the file.
AUDIT_PATH: Final = "meta/audit"
#: What ODK Collect calls its events (`AuditEventType`). Anything else may be an answer in the wrong column.
EVENTS: Final = frozenset(
    {
        *("form start", "form exit", "form resume", "form save", "form finalize"),
        *("beginning of form", "question", "group questions", "add repeat", "repeat", "delete repeat", "end screen"),
        *("jump", "save error", "finalize error", "constraint error", "change reason"),
        *("background audio disabled", "background audio enabled", "google play services not available"),
        *("location permissions granted", "location permissions not granted"),
        *("location tracking enabled", "location tracking disabled"),
        *("location providers enabled", "location providers disabled", "Unknown AuditEvent Type"),
    }
)
_COLUMNS: Final = ("event", "node", "start", "end")
_NODE: Final = re.compile(r"/[^/\[\]]+((?:/[^/\[\]]+(?:\[[0-9]{1,6}\])?)+)")
_STEP: Final = re.compile(r"/([^/\[\]]+)(?:\[([0-9]+)\])?")
#: 1 January 2100, in milliseconds.
_LATEST: Final = 4_102_444_800_000
_LINES: Final = 200_000
_LINE: Final = 128 * 1024
_FILE: Final = 64 * 1024 * 1024
_LONGEST_NODE: Final = 1000
#: So many unread lines of a file are named, then their number.
_NAMED: Final = 5
#: Events that go into the table in one statement.
_AT_ONCE: Final = 20_000

#: Number, event, path, row, start and end in milliseconds.
_Event = tuple[int, str, str, str, int, int | None]
#: A submission, the events of its file, and where the file could not be read.
_File = tuple[str, list[_Event], list[str]]
#: Path and row of a node; None when no version of the form has it.
_Place = Callable[[str], tuple[str, str] | None]


class _TooLargeError(Exception):
    """A file is larger than any phone makes one."""


def audit_names(db: duckdb.DuckDBPyConnection, staged: Staged) -> list[tuple[str, str]]:
    """The audit files that answers of the batch name and that have been fetched.

    Args:
        db: with the batch staged.
        staged: the batch.

    Returns:
        Submission id and name of the attachment, one a submission at most.
    """
    column = staged.tables[0].by_path[AUDIT_PATH].name
    return db.execute(
        f"SELECT DISTINCT a.submission_id, a.name FROM stage_attachments a "
        f"JOIN {sql.name(staged.relations[staged.tables[0].name])} m "
        f"ON m._submission_id = a.submission_id AND m.{sql.name(column)} = a.name WHERE a.sha256 <> '' ORDER BY ALL"
    ).fetchall()


def stage_audit(db: duckdb.DuckDBPyConnection, files: Iterable[tuple[str, Path]], staged: Staged) -> None:
    """Fill the temporary table `stage_audit (submission_id, n, event, path, row, began, ended, seconds)`.

    `n` is the event's place in its file. `row` is the repeat row (`2`, `2/1`) as in the tables. `seconds` is NULL where
    the event has no end, or ended before it began because the clock of the phone was set. What cannot be read becomes
    an issue of kind `audit` that says where, never what.

    Args:
        db: with the batch staged (`stage_issues` is there).
        files: submission id and its audit file.
        staged: the batch.
    """
    db.execute(
        "CREATE OR REPLACE TEMP TABLE stage_audit (submission_id VARCHAR, n INTEGER, event VARCHAR, path VARCHAR, "
        "row VARCHAR, began TIMESTAMPTZ, ended TIMESTAMPTZ, seconds DOUBLE)"
    )
    place, main_table = _places(staged), staged.tables[0].name
    waiting: list[_File] = []
    size = 0
    for submission_id, path in files:
        events, unread = _read(path, place)
        waiting.append((submission_id, events, unread))
        size += len(events) + 1
        if size >= _AT_ONCE:
            _insert(db, waiting, main_table)
            waiting, size = [], 0
    _insert(db, waiting, main_table)


def _insert(db: duckdb.DuckDBPyConnection, files: list[_File], main_table: str) -> None:
    """As one JSON text: rows as parameters cost DuckDB ten times as much."""
    texts, numbers = ["VARCHAR"], ["BIGINT"]
    read = "(SELECT unnest(json_transform($files, $shape), max_depth := 2))"
    rows = [
        {"i": id_, **dict(zip("nepxbf", zip(*events, strict=True), strict=True))} for id_, events, _ in files if events
    ]
    shape = {"i": "VARCHAR", "n": numbers, "e": texts, "p": texts, "x": texts, "b": numbers, "f": numbers}
    db.execute(
        "INSERT INTO stage_audit SELECT i, n, e, p, x, make_timestamptz(b * 1000), make_timestamptz(f * 1000), "
        "CASE WHEN f >= b THEN (f - b) / 1000 END FROM (SELECT i, unnest(n) AS n, unnest(e) AS e, unnest(p) AS p, "
        f"unnest(x) AS x, unnest(b) AS b, unnest(f) AS f FROM {read})",
        {"files": json.dumps(rows), "shape": json.dumps([shape])},
    )
    own = f"{sql.text(main_table)}, '', {sql.text(AUDIT_PATH)}, 'audit'"
    unread = [{"i": id_, "u": places} for id_, _, places in files if places]
    db.execute(
        f"INSERT INTO stage_issues SELECT i, {own}, unnest(u) FROM {read}",
        {"files": json.dumps(unread), "shape": json.dumps([{"i": "VARCHAR", "u": texts}])},
    )


def _places(staged: Staged) -> _Place:
    """Nodes are much the same in every file, so each is taken apart once."""
    sections = [section for form in staged.forms.values() for section in form.sections]
    known = {section.path for section in sections}
    known |= {question.path for form in staged.forms.values() for question in form.questions}
    repeats = {section.path for section in sections if section.kind == "repeat"}

    @lru_cache(maxsize=10_000)
    def place(node: str) -> tuple[str, str] | None:
        if not node:
            return "", ""
        found = _NODE.fullmatch(node)
        steps = _STEP.findall(found[1]) if found else []
        path = "/".join(name for name, _ in steps)
        above = ("/".join(name for name, _ in steps[:end]) for end in range(1, len(steps) + 1))
        # Old versions of Collect write a position after every name; only those of repeats count.
        row = "/".join(at for one, (_, at) in zip(above, steps, strict=True) if one in repeats and at)
        return (path, row) if path in known else None

    return place


def _read(path: Path, place: _Place) -> tuple[list[_Event], list[str]]:
    """The events of a file, and where it could not be read."""
    events: list[_Event] = []
    unread: list[int] = []
    rest = ""
    line = 0
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
            # Strict: otherwise a quote that nobody closes swallows the rest without a word.
            rows = csv.reader(_lines(handle), strict=True)
            if not set(_COLUMNS) <= set(header := next(rows, [])):
                return [], ["header"]
            at = [header.index(name) for name in _COLUMNS]
            for number, row in enumerate(rows, start=1):
                line = rows.line_num
                if event := _event(number, row, at, place):
                    events.append(event)
                elif row:
                    unread.append(line)
    except (_TooLargeError, csv.Error):
        # What follows may be in the middle of an answer.
        rest = f"after line {line}"
    except OSError:
        return [], ["file"]
    more = len(unread) - _NAMED
    told = [f"line {number}" for number in unread[:_NAMED]] + ([f"{more} more lines"] if more > 0 else [])
    return events, [*told, rest] if rest else told


def _lines(handle: TextIO) -> Iterator[str]:
    size = 0
    for _ in range(_LINES):
        line = handle.readline(_LINE + 1)
        size += len(line)
        if len(line) > _LINE or size > _FILE:
            raise _TooLargeError
        if not line:
            return
        yield line
    if handle.readline(1):
        raise _TooLargeError


def _event(number: int, row: list[str], at: list[int], place: _Place) -> _Event | None:
    if len(row) <= max(at):
        return None
    event, node, start, end = (row[n] for n in at)
    here = place(node) if len(node) <= _LONGEST_NODE else None
    began, ended = _time(start), _time(end) if end else None
    if event not in EVENTS or here is None or began is None or (end and ended is None):
        return None
    return number, event, *here, began, ended


def _time(text: str) -> int | None:
    if len(text) > 13 or not (text.isascii() and text.isdigit()):
        return None
    return time if (time := int(text)) < _LATEST else None
