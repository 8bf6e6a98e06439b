"""The levels of an answer tree (the submission, each repeat, repeats in it) as SQL expressions.

Usually a level is a DuckDB struct of the paths that the batch has. Where two of them differ only in case, a struct
would give the wrong one, silently (landing.md); such a level, and all below it, stays JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialogkit import sql
from dialogkit.model.batch import LIST
from dialogkit.model.table import Column, Table

_USUAL_LINE: Final = 4 * 1024 * 1024


@dataclass(frozen=True)
class Level:
    """One table's level: how to get an answer's text and a repeat's rows out of the expression of a row.

    Args:
        table: the table that its rows fill.
        children: paths of the repeats directly in it, in any version.
        present: paths that the batch has at this level, as in `Manifest.paths`.
        as_json: whether its rows are JSON rather than structs.
    """

    table: Table
    children: tuple[str, ...]
    present: frozenset[str]
    as_json: bool

    @property
    def paths(self) -> frozenset[str]:
        """Every path that the level knows, as in `Manifest.paths`; a question keeps rows too, as their JSON text."""
        questions = self.table.by_path
        return frozenset({*questions} | {path + LIST for path in (*questions, *self.children)})

    @property
    def filled(self) -> tuple[str, ...]:
        """Children that have rows in the batch."""
        return tuple(path for path in self.children if path + LIST in self.present)

    def has(self, path: str) -> bool:
        """Whether any submission of the batch has something at the path of a question."""
        return path in self.present or (path + LIST in self.present and path not in self.children)

    def sources(self, column: Column) -> tuple[str, ...]:
        """The paths of a question's column that the batch has, newest first."""
        return tuple(path for path in (column.path, *reversed(column.was)) if self.has(path))

    def text(self, row: str, path: str) -> str:
        """SQL for the text of an answer of the row expression `row`."""
        if path in self.children:
            return f"CASE WHEN json_type({row}, {pointer(path)}) = 'VARCHAR' THEN {row} ->> {pointer(path)} END"
        if self.as_json:
            return f"json_extract_string({row}, {pointer(path)})"
        return f"{row}.{sql.name(path)}"

    def rows(self, row: str, repeat: str) -> str:
        """SQL for the list of rows of a repeat."""
        if self.as_json:
            return f"TRY_CAST(json_extract({row}, {pointer(repeat)}) AS JSON[])"
        return f"{row}.{sql.name(repeat)}"

    def length(self, row: str, repeat: str) -> str:
        """SQL for the number of rows of a repeat; NULL where the source says nothing of it."""
        if self.as_json:
            of_list = f"json_type({row}, {pointer(repeat)}) = 'ARRAY'"
            return f"CASE WHEN {of_list} THEN json_array_length({row}, {pointer(repeat)})::INTEGER END"
        return f"len({row}.{sql.name(repeat)})::INTEGER"


def levels_of(tables: Sequence[Table], paths: Mapping[str, Sequence[str]]) -> dict[str, Level]:
    """The level of each table, by path of the repeat (`""` first).

    Args:
        tables: of a form, parents before children.
        paths: every path of the batch by level, from its manifest.
    """
    json: set[str] = set()
    levels: dict[str, Level] = {}
    for table in tables:
        children = tuple(other.repeat for other in tables if other.repeat and table.name in other.parents)
        present = frozenset(paths.get(table.repeat, ()))
        questions = {path for path in table.by_path if {path, path + LIST} & present}
        # A path that is a question here and a repeat there is a twin of itself.
        every = [*questions, *(path for path in children if {path, path + LIST} & present)]
        if len({path.lower() for path in every}) < len(every) or not json.isdisjoint(table.parents):
            json.add(table.name)
        levels[table.repeat] = Level(table, children, present, table.name in json)
    return levels


def shape(levels: Mapping[str, Level], repeat: str = "") -> Any:
    """The structure that `json_transform` gives the answers of a level."""
    level = levels[repeat]
    if level.as_json:
        return "JSON"
    inside: dict[str, Any] = {path: "VARCHAR" for path in level.table.by_path if level.has(path)}
    # A repeat of notes alone has nothing to give, and DuckDB takes no empty structure.
    return inside | {child: [shape(levels, child)] for child in level.filled} or "JSON"


def read_objects(lines: Path, largest: int) -> str:
    """The table function that reads a batch's lines; DuckDB sets aside memory for the largest of them."""
    size = max(largest + 1024, _USUAL_LINE)
    return f"read_ndjson_objects({sql.text(str(lines))}, maximum_object_size = {size})"


def pointer(path: str) -> str:
    """SQL for the JSON pointer of a full path, which is one key; keys from outside may hold anything."""
    return sql.text("/" + path.replace("~", "~0").replace("/", "~1"))
