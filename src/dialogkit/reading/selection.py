"""Which columns of which tables stand in a result, under which names, and the SQL that gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dialogkit import sql
from dialogkit.model.table import Column, Table

#: The parts of a point, each a column of its own in a frame.
_POINT: Final = ("lat", "lon", "altitude", "accuracy")
#: With the longest part, an alias stays within the 32 characters of statistics packages.
_POINT_ALIAS: Final = 32 - len("__accuracy")


@dataclass(frozen=True)
class Field:
    """One column of a table or join. `column` is None for a column of ours; `table` is where it comes from."""

    name: str
    table: Table
    column: Column | None = None


@dataclass(frozen=True)
class Cell:
    """One column of a frame: its name, the SQL expression behind it, and the field that it shows.

    Args:
        part: of a point (`lat`); empty for a whole field.
    """

    name: str
    expression: str
    field: Field
    part: str = ""


@dataclass(frozen=True)
class Rows:
    """Rows to read: a query, the fields that it has, and the order that makes them the same every time."""

    query: str
    fields: tuple[Field, ...]
    order: str


def rows_of(table: Table) -> Rows:
    """The rows of one table."""
    fields = _fields(table)
    chosen = ", ".join(sql.name(field.name) for field in fields)
    return Rows(f"SELECT {chosen} FROM {sql.name('accepted', table.name)}", fields, _order(table))


def joined(table: Table, above: Sequence[Table]) -> Rows:
    """The rows of a repeat, each with the answers of the rows that it belongs to.

    A name of a table above that is taken already is led by the name of that table: `visit__age`.

    Args:
        table: of the repeat.
        above: its ancestors, nearest first.
    """
    taken: set[str] = set()
    fields, chosen, source = [], [], f"{sql.name('accepted', table.name)} AS t0"
    for number, one in enumerate((table, *above)):
        if number:
            # A repeat may be inside fewer others in some version: the submission is known from the row itself.
            on = f"t{number}._submission_id = t0._submission_id"
            if one.repeat:
                on += f" AND t{number}._row = t{number - 1}._parent_row"
            source += f" LEFT JOIN {sql.name('accepted', one.name)} AS t{number} ON {on}"
        for field in _fields(one):
            if number and field.column is None and field.name in table.own_columns:
                continue  # the key, which the nearer table has too
            name = _unlike(field.name, taken, f"{one.name}__{field.name}" if number else field.name)
            fields.append(Field(name, one, field.column))
            chosen.append(f"t{number}.{sql.name(field.name)} AS {sql.name(name)}")
    return Rows(f"SELECT {', '.join(chosen)} FROM {source}", tuple(fields), _order(table))


def cells_of(rows: Rows, *, aliases: bool) -> tuple[Cell, ...]:
    """The columns of a frame; a point becomes four of them."""
    taken: set[str] = set()
    return tuple(
        Cell(_unlike(name, taken, name), expression, field, part)
        for field in rows.fields
        for name, expression, part in _parts(field, aliases=aliases)
    )


def _fields(table: Table) -> tuple[Field, ...]:
    own = (Field(name, table) for name in table.own_columns)
    return (*own, *(Field(column.name, table, column) for column in table.columns))


def _parts(field: Field, *, aliases: bool) -> Iterable[tuple[str, str, str]]:
    short = field.column.alias if aliases and field.column else ""
    name, expression = short or field.name, sql.name(field.name)
    if field.column is None or field.column.kind != "geopoint":
        return [(name, expression, "")]
    stem = short[:_POINT_ALIAS] or name
    return [(f"{stem}__{part}", f"struct_extract({expression}, {sql.text(part)})", part) for part in _POINT]


def _order(table: Table) -> str:
    """By submission, and in it by the place of the row: `2/10` comes after `2/9`."""
    return "_submission_id" + (", string_split(_row, '/')::INTEGER[]" if table.repeat else "")


def _unlike(name: str, taken: set[str], otherwise: str) -> str:
    """A name that no other has, compared without case as DuckDB does; notes it in `taken`."""
    number, free = 1, name if name.lower() not in taken else otherwise
    while free.lower() in taken:
        number += 1
        free = f"{otherwise}_{number}"
    taken.add(free.lower())
    return free
