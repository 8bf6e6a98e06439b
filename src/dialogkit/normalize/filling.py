"""Fills the temporary tables of a batch: one pass over its lines, then one over each repeat, and views over them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.errors import NormalizeError
from dialogkit.model.submission import Origin
from dialogkit.model.table import MAIN_COLUMNS, Kind, Table
from dialogkit.normalize.beside import with_content
from dialogkit.normalize.cells import ROW, Cells
from dialogkit.normalize.levels import Level, shape

_HEAD: Final = {
    "n": "BIGINT",
    "id": "VARCHAR",
    "instance_id": "VARCHAR",
    "form_version": "VARCHAR",
    "submitted_at": "VARCHAR",
    "submitter": "VARCHAR",
    "review_state": "VARCHAR",
    "edited": "BOOLEAN",
    "deleted_at": "VARCHAR",
    "refused": "VARCHAR",
    "sealed": "VARCHAR",
    "content": "VARCHAR",
    "attachments": [{"name": "VARCHAR", "size": "BIGINT", "sha256": "VARCHAR"}],
}
_WIDE: Final = 200
#: Statements with more parts than this take DuckDB long to plan.
_CHUNK: Final = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows of a table stand while a batch is staged.

    Args:
        number: of the table in its form.
        table: the table.
        cells: its cells.
    """

    number: int
    table: Table
    cells: Cells

    @property
    def raw(self) -> str:
        """The temporary table with keys and cells, for a while with the rows of the repeats inside too."""
        return f"stage_raw_{self.number}" if self.table.repeat else "stage_raw"

    @property
    def relation(self) -> str:
        """The view with the columns of the finished table."""
        return f"stage_t{self.number}"

    @property
    def lists(self) -> Mapping[str, str]:
        """Path of each repeat inside that has rows → the column that holds them for a while."""
        return {path: f"list_{number}" for number, path in enumerate(self.cells.level.filled)}

    def filled_from(self, rows: str) -> str:
        """A query of keys and cells; a row with a text that is in no cell keeps its answers in `again`.

        Args:
            rows: a query of keys and `answers`.
        """
        cells, level = self.cells, self.cells.level
        beside = [f"{cell} AS {cells.names[name]}" for name, cell in cells.beside.items()]
        lists = [f"{level.rows(ROW, path)} AS {name}" for path, name in self.lists.items()]
        outer = [f"* EXCLUDE ({ROW})", *beside, *lists, f"CASE WHEN {cells.misfit()} THEN {ROW} END AS again"]
        return f"SELECT {', '.join(outer)} FROM (SELECT {', '.join(['*', *cells.typed()])} FROM ({rows}))"


def read_lines(
    db: duckdb.DuckDBPyConnection, objects: str, where: str, levels: Mapping[str, Level], place: Place
) -> None:
    """Fill the temporary table of the main table, `stage_raw`, from the lines of a batch.

    Raises:
        NormalizeError: NORMALIZE-001, they are not the canonical ones.
    """
    structure = sql.text(json.dumps(_HEAD | {"answers": shape(levels)}))
    rows = f"SELECT unnest(json_transform(json, {structure})) FROM {objects}"
    try:
        db.execute(f"CREATE OR REPLACE TEMP TABLE {place.raw} AS {place.filled_from(rows)}")
    except duckdb.InvalidInputException:
        # DuckDB's text quotes the line; it must not reach anybody.
        raise NormalizeError(
            "NORMALIZE-001",
            where,
            "The submissions of the batch cannot be read.",
            "Take the folder out of warehouse/batches and bring its submissions again: dialogkit pull --full",
        ) from None


def unfold(db: duckdb.DuckDBPyConnection, place: Place, parents: Sequence[Place]) -> None:
    """One row a row of the repeat, with its place; `unnest` beside `generate_subscripts` is the quick way."""
    parts = [
        f"SELECT id, {'row' if parent.table.repeat else repr('')} AS parent_row, unnest({name}) AS {ROW}, "
        f"generate_subscripts({name}, 1)::INTEGER AS position, form_version FROM {parent.raw}"
        for parent in parents
        for path, name in parent.lists.items()
        if path == place.table.repeat
    ]
    nothing = (
        f"SELECT ''::VARCHAR AS id, ''::VARCHAR AS parent_row, NULL::JSON AS {ROW}, 0::INTEGER AS position, "
        "''::VARCHAR AS form_version WHERE false"
    )
    row = "CASE WHEN parent_row = '' THEN '' ELSE parent_row || '/' END || position AS row"
    rows = f"SELECT *, {row} FROM ({' UNION ALL '.join(parts) or nothing})"
    db.execute(f"CREATE OR REPLACE TEMP TABLE {place.raw} AS {place.filled_from(rows)}")


def second_look(db: duckdb.DuckDBPyConnection, place: Place) -> None:
    """Texts that are in no cell of their row become issues. Most rows have none, so only a few are looked at."""
    row = "row" if place.table.repeat else "'' AS row"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE stage_again AS SELECT id, {row}, form_version, again AS {ROW} "
        f"FROM {place.raw} WHERE again IS NOT NULL"
    )
    if db.execute("SELECT 1 FROM stage_again LIMIT 1").fetchone():
        checks = list(place.cells.checks("stage_again"))
        for first in range(0, len(checks), _CHUNK):
            db.execute("INSERT INTO stage_issues " + " UNION ALL ".join(checks[first : first + _CHUNK]))
    db.execute(f"ALTER TABLE {place.raw} DROP COLUMN again")


def drop_lists(db: duckdb.DuckDBPyConnection, places: Iterable[Place]) -> None:
    """Take away the rows of repeats that stand in tables of their own now: they are most of the memory."""
    for place in places:
        for name in place.lists.values():
            db.execute(f"ALTER TABLE {place.raw} DROP COLUMN {name}")


def finish(db: duckdb.DuckDBPyConnection, place: Place, origin: Origin, calculated: frozenset[str]) -> Table:
    """Make the view with the columns of the table, and give the table with columns for content that it has now."""
    table = with_content(place.table, _content(db, place, calculated))
    own = _repeat_columns() if table.repeat else _main_columns(origin)
    columns = ", ".join([own, *place.cells.finished(table)])
    # Every rule binds the whole of a view again, which costs more than the rows of a table with so many columns.
    kind = "TABLE" if len(table.columns) > _WIDE else "VIEW"
    db.execute(f"CREATE OR REPLACE TEMP {kind} {place.relation} AS SELECT {columns} FROM {place.raw}")
    return table


def _content(db: duckdb.DuckDBPyConnection, place: Place, calculated: frozenset[str]) -> dict[str, list[Kind]]:
    """Path of each calculated text → the kinds of content that the batch has for it."""
    asked = list(place.cells.content(calculated))
    if not asked:
        return {}
    counts = ", ".join(f"count({value})" for _, _, value in asked)
    row = db.execute(f"SELECT {counts} FROM {place.raw}").fetchone() or ()
    found: dict[str, list[Kind]] = {}
    for (column, kind, _), count in zip(asked, row, strict=True):
        if count:
            found.setdefault(column.path, []).append(kind)
    return found


def _main_columns(origin: Origin) -> str:
    values = {
        "_submission_id": "id",
        "_submitted_at": "TRY_CAST(nullif(submitted_at, '') AS TIMESTAMPTZ)",
        "_origin": sql.text(origin),
    }
    return ", ".join(f"{values.get(name, name.removeprefix('_'))} AS {name}" for name in MAIN_COLUMNS)


def _repeat_columns() -> str:
    return "id AS _submission_id, parent_row AS _parent_row, row AS _row, position AS _position"
