"""The levels of an answer tree (the submission, each repeat, repeats in it) as SQL expressions.

Usually a level is a DuckDB struct. Where two of its paths differ only in case, a struct would give the wrong one of
them, silently (landing.md); such a level, and all below it, stays JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dialogkit import sql
from dialogkit.model.batch import LIST
from dialogkit.model.table import Table

_USUAL_LINE: Final = 4 * 1024 * 1024


@dataclass(frozen=True)
class Level:
    """One table's level: how to get an answer's text and a repeat's rows out of the expression of a row.

    Args:
        table: the table that its rows fill.
        children: paths of the repeats directly in it.
        as_json: whether its rows are JSON rather than structs.
    """

    table: Table
    children: tuple[str, ...]
    as_json: bool

    @property
    def paths(self) -> frozenset[str]:
        """Every path that the level knows, as in `Manifest.paths`; a question keeps rows too, as their JSON text."""
        questions = {column.path for column in self.table.columns}
        return frozenset(questions | {path + LIST for path in (*questions, *self.children)})

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


def levels_of(tables: Sequence[Table]) -> dict[str, Level]:
    """The level of each table, by path of the repeat (`""` first)."""
    names = {table.name: table for table in tables}
    levels: dict[str, Level] = {}
    for table in tables:
        children = tuple(other.repeat for other in tables if other.repeat and other.parent == table.name)
        above = levels[names[table.parent].repeat].as_json if table.repeat else False
        # A path that was a question in one version and a repeat in another is a twin of itself.
        every = [*{column.path for column in table.columns}, *children]
        twins = len({path.lower() for path in every}) < len(every)
        levels[table.repeat] = Level(table, children, above or twins)
    return levels


def shape(levels: Mapping[str, Level], repeat: str = "") -> Any:
    """The structure that `json_transform` gives the answers of a level."""
    level = levels[repeat]
    if level.as_json:
        return "JSON"
    inside: dict[str, Any] = {column.path: "VARCHAR" for column in level.table.columns}
    # A repeat of notes alone has nothing to give, and DuckDB takes no empty structure.
    return inside | {child: [shape(levels, child)] for child in level.children} or "JSON"


def read_objects(lines: Path, largest: int) -> str:
    """The table function that reads a batch's lines; DuckDB sets aside memory for the largest of them."""
    size = max(largest + 1024, _USUAL_LINE)
    return f"read_ndjson_objects({sql.text(str(lines))}, maximum_object_size = {size})"


def pointer(path: str) -> str:
    """SQL for the JSON pointer of a full path."""
    return sql.text(f'$."{path}"')
