"""Tables of a form: one main table and one for each repeat, with typed columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

Kind = Literal[
    "text",
    "integer",
    "decimal",
    "date",
    "time",
    "datetime",
    "select_one",
    "select_multiple",
    "geopoint",
    "geotrace",
    "geoshape",
    "file",
    # Columns beside a question's own (`COMPANIONS`).
    "offset",
    "number",
    "day",
    "instant",
    "rows",
]
#: Kinds of columns that stand beside the column of a question or repeat and are made of the same text: the offset
#: from UTC as it was typed; a calculated text as the number, the day or the instant that it is; the number of rows of
#: a repeat (0 where the source says that there are none, NULL where it says nothing).
COMPANIONS: Final = frozenset({"offset", "number", "day", "instant", "rows"})
_POINT: Final = "STRUCT(lat DOUBLE, lon DOUBLE, altitude DOUBLE, accuracy DOUBLE)"

#: DuckDB's type for each kind. Lists keep the order in which choices were ticked.
SQL_TYPES: Final[Mapping[Kind, str]] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "datetime": "TIMESTAMPTZ",
    "select_one": "VARCHAR",
    "select_multiple": "VARCHAR[]",
    "geopoint": _POINT,
    "geotrace": f"{_POINT}[]",
    "geoshape": f"{_POINT}[]",
    "file": "VARCHAR",
    "offset": "VARCHAR",
    "number": "DOUBLE",
    "day": "DATE",
    "instant": "TIMESTAMPTZ",
    "rows": "INTEGER",
}

#: Our own columns of a main table. A question of one of these names takes another name in our tables.
MAIN_COLUMNS: Final[Mapping[str, str]] = {
    "_submission_id": "VARCHAR",
    "_form_version": "VARCHAR",
    "_submitted_at": "TIMESTAMPTZ",
    "_submitter": "VARCHAR",
    "_origin": "VARCHAR",
    "_review_state": "VARCHAR",
    "_edited": "BOOLEAN",
}
#: Our own columns of a repeat table. `_row` is the row's place in its submission: `2`, or `2/1` one repeat deeper.
REPEAT_COLUMNS: Final[Mapping[str, str]] = {
    "_submission_id": "VARCHAR",
    "_parent_row": "VARCHAR",
    "_row": "VARCHAR",
    "_position": "INTEGER",
}
#: Our own columns, beside the others, of tables in the schema `history`: how long a version held.
HISTORY_COLUMNS: Final[Mapping[str, str]] = {"_valid_from": "TIMESTAMPTZ", "_valid_to": "TIMESTAMPTZ"}


@dataclass(frozen=True, slots=True)
class Column:
    """A typed column, filled by the question at `path`.

    Args:
        name: unique in its table, for good.
        path: full path of the question in the newest version that asks it (of the repeat for kind `rows`).
        kind: how it is stored.
        was: earlier paths of the same question (`ops.lineage`), whose answers stand in this column too.
        alias: at most 32 characters, for statistics packages; unique in its table, for good.
    """

    name: str
    path: str
    kind: Kind
    concept: str = ""
    disclosure: str = ""
    hxl: str = ""
    list_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    was: tuple[str, ...] = ()
    alias: str = ""

    @property
    def is_companion(self) -> bool:
        """Whether it stands beside the column of a question or repeat."""
        return self.kind in COMPANIONS

    @property
    def sql_type(self) -> str:
        """DuckDB's type."""
        return SQL_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """The main table of a form (`repeat` is empty) or the table of one repeat.

    Args:
        name: `<form_id>` or `<form_id>__<repeat>`, the same in every schema of the warehouse.
        repeat: full path of the repeat; empty for the main table.
        parent: name of the table that its rows belong to; empty for the main table.
        parents: all such names: a group of one version may be a repeat in another, with this repeat inside.
        waiting: columns beside calculated texts, under their names, that no batch has had content for yet.
    """

    name: str
    form_id: str
    repeat: str
    parent: str
    columns: tuple[Column, ...]
    parents: tuple[str, ...] = ()
    waiting: tuple[Column, ...] = ()

    @property
    def own_columns(self) -> Mapping[str, str]:
        """Our own columns of this table with their types."""
        return REPEAT_COLUMNS if self.repeat else MAIN_COLUMNS

    @property
    def open_columns(self) -> tuple[Column, ...]:
        """Columns that stand in `accepted` (all but identifiers)."""
        return tuple(column for column in self.columns if column.disclosure != "direct")

    @property
    def identifiers(self) -> tuple[Column, ...]:
        """Columns of class `direct`, which stand in the schema `identifiers` only."""
        return tuple(column for column in self.columns if column.disclosure == "direct")

    @cached_property
    def of_path(self) -> Mapping[str, tuple[Column, ...]]:
        """The columns in which answers at a path stand: several where the question changed its type."""
        found: dict[str, tuple[Column, ...]] = {}
        for column in self.columns:
            for path in () if column.is_companion else (*column.was, column.path):
                found[path] = (*found.get(path, ()), column)
        return found

    @cached_property
    def by_path(self) -> Mapping[str, Column]:
        """The question's column of each path, earlier ones too; of a retyped question the latest."""
        return {path: columns[-1] for path, columns in self.of_path.items()}


@dataclass(frozen=True)
class Standing:
    """What a form has in the warehouse already, and what belongs to others; empty for a form that never landed.

    Args:
        columns: by path of the repeat (`""` for the main table); they keep their names for good.
        tables: names by path of the repeat, likewise.
        taken: names of tables of other forms, in lower case.
        versions: of the form, that have landed.
    """

    columns: Mapping[str, Sequence[Column]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset()
