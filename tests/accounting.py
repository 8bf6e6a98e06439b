"""Every answer of a landed batch in exactly one cell, one issue or one drift row; every cell from an answer.

Written in plain Python over the canonical lines, so that it shares nothing with the SQL that it checks. A message names
a path, never an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from dialogkit import sql
from dialogkit.model.table import COMPANIONS
from dialogkit.pull.batches import Batch
from tests.accounting_values import fits, same_raw

SCHEMAS: Final = ("accepted", "held", "identifiers")

#: Submission, path of its repeat, place of its row, path.
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table in one schema, as `ops.columns` tells it."""

    name: str
    paths: tuple[str, ...]
    kind: str


@dataclass
class _Ledger:
    """Answers of a batch, and how often each was found.

    Args:
        repeats: path of each repeat → path of the repeat above it.
        whole: (submission, row, path) of lists that stand in `ops.drift` as one.
    """

    repeats: Mapping[str, str]
    whole: Collection[tuple[str, str, str]]
    answers: dict[Key, Any] = field(default_factory=dict)
    lists: dict[Key, int] = field(default_factory=dict)
    rows: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    found: dict[Key, int] = field(default_factory=dict)

    def enter(self, submission: str, answers: Mapping[str, Any], level: str = "", row: str = "") -> None:
        """Note every answer of a submission."""
        self.rows.setdefault(level, set()).add((submission, row))
        for path, value in answers.items():
            key = (submission, level, row, path)
            # A repeat may be inside several, in different versions; drift rows were looked at before.
            inside = not level or path.startswith(level + "/")
            nested = isinstance(value, list) and path in self.repeats and inside
            if not nested or (submission, row, path) in self.whole:
                self.answers[key] = value
                continue
            self.lists[key] = len(value)
            for number, inside in enumerate(value, start=1):
                self.enter(submission, inside, path, f"{row}/{number}" if row else str(number))

    def claim(self, keys: Sequence[Key], fits: Callable[[Any], bool], what: str) -> None:
        """A place says that it holds one of these answers."""
        here = [key for key in keys if key in self.answers]
        assert here, f"{keys[0][3]}: {what} without an answer"
        same = [key for key in here if fits(self.answers[key])]
        assert same, f"{keys[0][3]}: {what} with another value than was answered"
        key = next((key for key in same if not self.found.get(key)), same[0])
        self.found[key] = self.found.get(key, 0) + 1

    def settle(self) -> None:
        """Every answer has one place."""
        lost = sorted({key[3] for key in self.answers if not self.found.get(key)})
        twice = sorted({key[3] for key in self.answers if self.found.get(key, 0) > 1})
        assert not lost, f"answers in no place: {lost[:20]}"
        assert not twice, f"answers in more than one place: {twice[:20]}"


def account(db: duckdb.DuckDBPyConnection, batch: Batch) -> int:
    """Check one batch that has been landed; submissions that a later batch has replaced are passed over.

    Args:
        db: the warehouse, open for writing (its identifiers are read).
        batch: of one form, best checked directly after it was landed.

    Returns:
        How many answers were found in their place.

    Raises:
        AssertionError: an answer is nowhere or twice, a cell holds something else; paths only.
    """
    form_id = batch.manifest.form_id
    lines, states = _current(db, batch)
    kept = {key for key, state in states.items() if state in ("accepted", "held")}
    drift = _drift(db, form_id, kept)
    lists = {(submission, row, path) for submission, row, path, raw in drift if raw.startswith("[")}
    ledger = _Ledger(_repeats(db, form_id), lists)
    for submission in kept:
        ledger.enter(submission, lines[submission]["answers"])
    _claim_cells(db, form_id, ledger, states)
    _claim_issues(db, form_id, ledger, kept)
    levels = ("", *ledger.repeats)
    for submission, row, path, raw in drift:
        keys = [(submission, level, row, path) for level in levels]
        here = [key for key in keys if key in ledger.answers]
        ledger.claim(here or keys, lambda value, raw=raw: same_raw(value, raw), "a drift row")
    ledger.settle()
    _nothing_of(db, form_id, states.keys() - kept)
    return len(ledger.answers)


def _current(db: duckdb.DuckDBPyConnection, batch: Batch) -> tuple[dict[str, Any], dict[str, str]]:
    """The last line of each submission, and the state of those that this batch decided."""
    lines = {line["id"]: line for line in batch.lines()}
    query = "SELECT submission_id, state, batch_id FROM ops.submissions WHERE form_id = ?"
    known = {key: (state, at) for key, state, at in db.execute(query, [batch.manifest.form_id]).fetchall()}
    lost = [key for key in lines if key not in known]
    assert not lost, f"{len(lost)} submissions are in no book"
    mine = {key: known[key][0] for key in lines if known[key][1] == batch.manifest.batch_id}
    return lines, mine


def _repeats(db: duckdb.DuckDBPyConnection, form_id: str) -> dict[str, str]:
    rows = db.execute("SELECT table_name, repeat, parent FROM ops.tables WHERE form_id = ?", [form_id]).fetchall()
    names = {name: repeat for name, repeat, _ in rows}
    return {repeat: names[parent] for _, repeat, parent in rows if repeat}


def _drift(db: duckdb.DuckDBPyConnection, form_id: str, kept: Collection[str]) -> list[tuple[str, str, str, str]]:
    query = "SELECT submission_id, row, path, raw FROM ops.drift WHERE form_id = ?"
    return [row for row in db.execute(query, [form_id]).fetchall() if row[0] in kept]


def _claim_cells(db: duckdb.DuckDBPyConnection, form_id: str, ledger: _Ledger, states: Mapping[str, str]) -> None:
    there = _tables_in_schemas(db)
    for repeat, table, columns in _tables(db, form_id):
        for schema in SCHEMAS:
            present = there.get((schema, table), set())
            here = [column for column in columns if column.name in present]
            if not present:
                continue
            seen = set()
            for submission, row, cells in _rows(db, schema, table, here, inside="_row" in present):
                if (
                    submission not in states
                    or (schema != "identifiers" and states[submission] != schema)
                    or (schema == "identifiers" and states[submission] != "accepted")
                ):
                    assert submission not in states, f"{table}: a row of a submission in another state"
                    continue
                assert (submission, row) not in seen, f"{table}: a row stands twice"
                seen.add((submission, row))
                _claim_row(ledger, (submission, repeat, row), here, cells)
            wanted = {key for key in ledger.rows.get(repeat, ()) if states[key[0]] == schema}
            assert schema == "identifiers" or seen == wanted, f"{schema}.{table}: other rows than were answered"


def _claim_row(ledger: _Ledger, place: tuple[str, str, str], columns: Sequence[_Column], cells: Sequence[Any]) -> None:
    for column, cell in zip(columns, cells, strict=True):
        if cell is None:
            continue
        keys = [(*place, path) for path in column.paths]
        if column.kind == "rows":
            assert cell in [ledger.lists.get(key) for key in keys], f"{column.paths[0]}: another number of rows"
        elif column.kind in COMPANIONS:
            values = [ledger.answers[key] for key in keys if key in ledger.answers]
            same = any(fits(column.kind, cell, value) for value in values)
            assert same, f"{column.paths[0]}: the column {column.kind} holds something else than was answered"
        else:
            ledger.claim(keys, lambda value, k=column.kind, c=cell: fits(k, c, value), "a cell")


def cells_of(db: duckdb.DuckDBPyConnection, form_id: str) -> dict[Key, tuple[str, Any]]:
    """Every filled cell of a form, in every schema: its kind and what stands in it (instants as microseconds)."""
    found: dict[Key, tuple[str, Any]] = {}
    there = _tables_in_schemas(db)
    for repeat, table, columns in _tables(db, form_id):
        for schema in SCHEMAS:
            present = there.get((schema, table), set())
            here = [column for column in columns if column.name in present and column.kind not in COMPANIONS]
            for submission, row, cells in _rows(db, schema, table, here, inside="_row" in present) if present else ():
                for column, cell in zip(here, cells, strict=True):
                    if cell is not None:
                        found[submission, repeat, row, column.paths[0]] = (column.kind, cell)
    return found


def rows_of_tables(db: duckdb.DuckDBPyConnection, form_id: str) -> set[tuple[str, str, str]]:
    """Submission, path of the repeat, place: every row of a form that is accepted or held."""
    return {
        (submission, repeat, row)
        for repeat, table, _ in _tables(db, form_id)
        for schema in ("accepted", "held")
        for submission, row, _ in _rows(db, schema, table, (), inside=bool(repeat))
    }


def _claim_issues(db: duckdb.DuckDBPyConnection, form_id: str, ledger: _Ledger, kept: Collection[str]) -> None:
    repeats = dict(db.execute("SELECT table_name, repeat FROM ops.tables WHERE form_id = ?", [form_id]).fetchall())
    query = "SELECT submission_id, table_name, row, path, raw FROM ops.issues WHERE form_id = ?"
    for submission, table, row, path, raw in db.execute(query, [form_id]).fetchall():
        if submission in kept:
            key = (submission, repeats[table], row, path)
            ledger.claim([key], lambda value, raw=raw: same_raw(value, raw), "an issue")


def _nothing_of(db: duckdb.DuckDBPyConnection, form_id: str, gone: Collection[str]) -> None:
    """Refused, deleted and dropped submissions have no word anywhere."""
    if not gone:
        return
    there = _tables_in_schemas(db)
    for _, table, _ in _tables(db, form_id):
        for schema in SCHEMAS:
            if (schema, table) in there:
                ids = db.execute(f"SELECT _submission_id FROM {sql.name(schema, table)}").fetchall()
                assert gone.isdisjoint(one for (one,) in ids), f"{schema}.{table}: a submission that must not be here"
    for book in ("issues", "drift"):
        ids = db.execute(f"SELECT submission_id FROM ops.{book} WHERE form_id = ?", [form_id]).fetchall()
        assert gone.isdisjoint(one for (one,) in ids), f"ops.{book}: a submission that must not be here"


def _tables(db: duckdb.DuckDBPyConnection, form_id: str) -> Iterator[tuple[str, str, list[_Column]]]:
    """Path of the repeat, name, columns of each table."""
    rows = db.execute(
        "SELECT table_name, column_name, path, kind, was FROM ops.columns WHERE form_id = ? ORDER BY position",
        [form_id],
    ).fetchall()
    columns: dict[str, list[_Column]] = {}
    for table, name, path, kind, was in rows:
        columns.setdefault(table, []).append(_Column(name, (path, *json.loads(was)), kind))
    query = "SELECT repeat, table_name FROM ops.tables WHERE form_id = ?"
    for repeat, table in db.execute(query, [form_id]).fetchall():
        yield repeat, table, columns.get(table, [])


def _tables_in_schemas(db: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], set[str]]:
    """Schema and table → its columns."""
    found: dict[tuple[str, str], set[str]] = {}
    query = "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE database_name = current_database()"
    for schema, table, column in db.execute(query).fetchall():
        if schema in SCHEMAS:
            found.setdefault((schema, table), set()).add(column)
    return found


def _rows(
    db: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Sequence[_Column], *, inside: bool
) -> Iterator[tuple[str, str, Sequence[Any]]]:
    cells = [_shown(column) for column in columns]
    chosen = ", ".join(["_submission_id", "_row" if inside else "''", *cells])
    result = db.execute(f"SELECT {chosen} FROM {sql.name(schema, table)}")
    while some := result.fetchmany(500):
        for row in some:
            yield row[0], row[1], row[2:]


def _shown(column: _Column) -> str:
    """A cell as something that Python compares without a library of time zones."""
    name = sql.name(column.name)
    if column.kind in ("datetime", "instant"):
        return f"epoch_us({name})"
    return f"{name}::VARCHAR" if column.kind in ("date", "day", "time") else name
