"""The ledger of a form on disk: one CSV file, append-only, written whole under a lock."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock

from dialogkit.errors import ConfigError
from dialogkit.files import sweep, write_whole
from dialogkit.model.correction import CHANGE_TYPES, Entry
from dialogkit.problem import Problem

#: Columns of the file: cleaningtools' six first.
COLUMNS: Final = tuple(one.name for one in fields(Entry))
#: What an id looks like.
ID: Final = re.compile(r"[0-9a-z]{4,40}")
_FIX: Final = "Bring back a copy of the file; entries are added with dialogkit correct, never changed by hand."
#: An answer may be longer than what Python's reader takes by itself.
_LONGEST: Final = 64 * 1024 * 1024


def read_ledger(path: Path) -> list[Entry]:
    """Every entry, oldest first; none when there is no file.

    Raises:
        ConfigError: CORRECT-001, the file is not a ledger; with all that is wrong, by line.
    """
    if not path.exists():
        return []
    rows = list(read_csv(path))
    if not rows or tuple(rows[0][1]) != COLUMNS:
        raise _damaged(path, [_problem(path, 1, f"The columns must be: {', '.join(COLUMNS)}.")])
    entries: list[Entry] = []
    problems: list[Problem] = []
    known: dict[str, str] = {}
    for line, cells in rows[1:]:
        if wrong := _wrong(cells, known):
            problems.append(_problem(path, line, wrong))
            continue
        entries.append(Entry(*cells))
        known[entries[-1].id] = entries[-1].key
    if problems:
        raise _damaged(path, problems)
    return entries


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Keep others out of the ledgers while one is read, judged and added to; a killed run leaves no lock behind."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / ".lock"):
        sweep(folder)
        if not (folder / ".gitignore").exists():
            # A workspace of an older dialogkit does not keep the folder out of git, and it holds answers.
            write_whole(folder / ".gitignore", b"*\n")
        yield


def append(path: Path, entries: Sequence[Entry]) -> None:
    """Add entries in the block of `changing`: a reader, or a kill, sees all of them or none."""
    every = [*read_ledger(path), *entries]
    write_whole(path, csv_text(COLUMNS, map(astuple, every)).encode(), mode=0o600)


def read_csv(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file with the number of the line on which each ends; empty ones are left out.

    Raises:
        ConfigError: CORRECT-001, it is not UTF-8 or no table.
    """
    before = csv.field_size_limit(_LONGEST)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [(reader.line_num, cells) for cells in reader if any(cells)]
    except (UnicodeDecodeError, csv.Error):
        raise _damaged(path, [_problem(path, 1, "The file is not a CSV table in UTF-8.")]) from None
    finally:
        csv.field_size_limit(before)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A CSV table; one line feed ends a line, so that the same rows give the same bytes everywhere."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def new_id(taken: Container[str]) -> str:
    """A short name for an entry that no other has."""
    while (one := secrets.token_hex(4)) in taken:
        pass
    return one


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def is_time(text: str) -> bool:
    """Whether a text is a point in time, with its offset."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _wrong(cells: Sequence[str], known: Mapping[str, str]) -> str:
    """What is wrong with a line, or `""`; `known`: ids above it → of which submission."""
    if len(cells) != len(COLUMNS):
        return f"The line has {len(cells)} cells; {len(COLUMNS)} are needed."
    entry = Entry(*cells)
    wrong = {
        "The id is not one of ours, or stands twice.": not ID.fullmatch(entry.id) or entry.id in known,
        f"change_type must be one of {', '.join(CHANGE_TYPES)}.": entry.change_type not in CHANGE_TYPES,
        "The time is not a date and time with its offset.": not is_time(entry.at),
        "It undoes no entry above it of this submission.": bool(entry.undoes) and known.get(entry.undoes) != entry.key,
        "The uuid is empty.": not entry.key,
    }
    return next((text for text, holds in wrong.items() if holds), "")


def _problem(path: Path, line: int, message: str) -> Problem:
    return Problem("CORRECT-001", "error", f"{path.parent.name}/{path.name}, line {line}", message, _FIX)


def _damaged(path: Path, problems: Sequence[Problem]) -> ConfigError:
    last = problems[-1]
    return ConfigError(last.code, last.where, last.message, last.fix, tuple(problems[:-1]))
