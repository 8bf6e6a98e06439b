"""What must hold of any landing: where answers end, that order and borders do not matter, that casts are not kind."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.forms.versions import keep_version
from dialogkit.model.form import BuiltForm, Form
from dialogkit.model.server import Received
from dialogkit.model.submission import Answers
from dialogkit.normalize.values import CONTENT
from dialogkit.pull.batches import Batch, batches, open_batch
from dialogkit.pull.writer import new_batch
from dialogkit.steps.land import land
from dialogkit.warehouse.connect import writing
from dialogkit.workspace import Workspace, open_workspace
from tests.builders import land_batch
from tests.lexical import fits

#: Schema and table → rows; a row is the names of its filled columns with their values as text.
Content = Mapping[str, "list[tuple[tuple[str, str], ...]]"]

#: Differ from run to run: when, and in which batch.
_VOLATILE: Final = frozenset({"batch_id", "landed_at", "valid_from", "valid_to", "_valid_from", "_valid_to"})


@dataclass
class World:
    """A workspace with one form.

    Args:
        root: its folder.
        forms: the versions, oldest first.
        known: whether the workspace knows them before anything lands; otherwise only the batches bring them.
        judged: whether the whole step `land` runs, with all rules; otherwise everything is accepted.
    """

    root: Path
    forms: Sequence[Form]
    known: bool = True
    judged: bool = True
    landed: list[Batch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        (self.root / "dialogkit.toml").write_text("")
        self.workspace: Workspace = open_workspace(self.root)
        for form in self.forms if self.known else ():
            keep_version(self.workspace.versions, BuiltForm(form, b"<x/>"))

    @property
    def form_id(self) -> str:
        return self.forms[-1].form_id

    def deliver(self, some: Sequence[Received]) -> None:
        """One batch through the real writer, landed."""
        by_version = {form.version: form for form in self.forms}
        with new_batch(self.workspace.batches, self.form_id, "server", "field") as writer:
            for one in some:
                writer.add(one, by_version.get(one.submission.form_version, self.forms[-1]))
        self.landed.append(open_batch(batches(self.workspace.batches, self.form_id)[-1]))
        self.land()

    def land(self) -> None:
        """`dialogkit land`, or staging and loading alone."""
        if self.judged:
            land(self.workspace, [self.form_id])
            return
        with self.opened() as db:
            for batch in self.landed:
                if not db.execute("SELECT 1 FROM ops.runs WHERE batch_id = ?", [batch.folder.name]).fetchone():
                    land_batch(db, batch, *(self.forms if self.known else ()))

    def opened(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """The warehouse."""
        return writing(self.workspace.warehouse)

    def content(self, *schemas: str) -> Content:
        """All that the warehouse says; of some schemas when they are named."""
        with self.opened() as db:
            return content(db, *schemas)


@contextmanager
def worlds() -> Iterator[Callable[..., World]]:
    """Makes workspaces in a folder that goes away."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        made: list[World] = []

        def make(forms: Sequence[Form], **facts: bool) -> World:
            made.append(World(Path(folder) / f"w{len(made)}", forms, **facts))
            return made[-1]

        yield make


def content(db: duckdb.DuckDBPyConnection, *schemas: str) -> Content:
    """Every row of every table, without the order of rows and columns, empty cells and what differs from run to run."""
    tables = db.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary AND schema_name <> 'main' ORDER BY ALL"
    ).fetchall()
    found: dict[str, list[tuple[tuple[str, str], ...]]] = {}
    for schema, table in tables:
        if (schema, table) in (("ops", "runs"), ("ops", "rule_results"), ("ops", "migrations")) or (
            schemas and schema not in schemas
        ):
            continue
        result = db.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {sql.name(schema, table)}")
        names = [column[0] for column in result.description]
        rows = [
            tuple((name, cell) for name, cell in zip(names, row, strict=True) if cell is not None)
            for row in result.fetchall()
        ]
        kept = sorted(tuple(sorted(pair for pair in row if pair[0] not in _volatile(row))) for row in rows)
        if kept:
            found[f"{schema}.{table}"] = kept
    return found


def _volatile(row: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """Columns beside a calculated text stand where they came to stand when a text first had that content."""
    late = any(("kind", kind) in row for kind in CONTENT)
    return _VOLATILE | {"position"} if late else _VOLATILE


def differences(one: Content, other: Content, most: int = 3) -> list[str]:
    """What stands in one and not in the other, a few rows of each table."""
    told = []
    for table in sorted({*one, *other}):
        here, there = one.get(table, []), other.get(table, [])
        if here != there:
            told.append(f"{table}: {len(here)} and {len(there)} rows")
            told += [f"  only first:  {dict(row)}" for row in here if row not in there][:most]
            told += [f"  only second: {dict(row)}" for row in there if row not in here][:most]
    return told


def nothing(told: Sequence[str]) -> None:
    """Nothing was found; otherwise all of it is said (tests print made-up answers only)."""
    assert not told, "\n" + "\n".join(told)


# --- where each answer stands


def walked(answers: Answers, above: str = "") -> Iterator[tuple[str, str, str | list[Answers]]]:
    """Row, path and value of every answer at every depth, rows of repeats by their place (`2/1`)."""
    for path, value in answers.items():
        yield above, path, value
        if not isinstance(value, str):
            for number, row in enumerate(value, start=1):
                yield from walked(row, f"{above}/{number}" if above else str(number))


@dataclass(frozen=True)
class Cell:
    """A filled cell: which column and row, and its value as text."""

    table: str
    column: str
    path: str
    was: tuple[str, ...]
    kind: str
    submission: str
    row: str
    value: str


def cells(db: duckdb.DuckDBPyConnection) -> Iterator[Cell]:
    """Every filled cell of a question in `accepted`, `held` and `identifiers`."""
    present = set(db.execute("SELECT schema_name, table_name, column_name FROM duckdb_columns()").fetchall())
    book = db.execute("SELECT table_name, column_name, path, kind, was FROM ops.columns ORDER BY ALL").fetchall()
    for table, column, path, kind, was in book:
        earlier = tuple(json.loads(was or "[]"))
        for schema in ("accepted", "held", "identifiers"):
            if (schema, table, column) not in present:
                continue
            row = "_row" if (schema, table, "_row") in present else "''"
            name = sql.name(column)
            rows = db.execute(
                f"SELECT _submission_id, {row}, {_AS_JSON.get(kind, '{}::VARCHAR').format(name)} "
                f"FROM {sql.name(schema, table)} WHERE {name} IS NOT NULL"
            ).fetchall()
            for submission, place, value in rows:
                yield Cell(table, column, path, earlier, kind, submission, place, value)


_AS_JSON: Final = dict.fromkeys(("select_multiple", "geopoint", "geotrace", "geoshape"), "to_json({})::VARCHAR")


def too_kind(db: duckdb.DuckDBPyConnection, some: Sequence[Received]) -> list[str]:
    """Cells whose value is not what their text says by its lexical form, and cells without a text."""
    texts: dict[tuple[str, str, str], str | list[Answers]] = {
        (one.submission.id, row, path): value for one in some for row, path, value in walked(one.submission.answers)
    }
    told = []
    for cell in cells(db):
        said = [texts[key] for path in (cell.path, *cell.was) if (key := (cell.submission, cell.row, path)) in texts]
        if not any(fits(cell.kind, one, cell.value) for one in said):
            told.append(
                f"{cell.table}.{cell.column} ({cell.kind}), row {cell.row!r}: {said!r:.200} → {cell.value!r:.200}"
            )
    return told
