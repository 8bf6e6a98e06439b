"""Columns beside those of questions: offsets, what calculated texts hold, and how many rows a repeat has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dialogkit.model.table import Column, Kind, Table
from dialogkit.normalize.naming import Names
from dialogkit.normalize.values import CONTENT

#: A column by the path of its question and how it is stored.
Key = tuple[str, Kind]

_BESIDE: Final[Mapping[Kind, tuple[Kind, ...]]] = {"time": ("offset",), "datetime": ("offset",), "text": CONTENT}


def with_companions(
    columns: Mapping[Key, Column], inner: Sequence[str], calculated: frozenset[str], names: Names
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The columns of questions, each followed by those beside it; last the numbers of rows of the repeats inside.

    Args:
        columns: of questions, and those beside them that the warehouse has.
        inner: paths of the repeats directly in the table.
        calculated: paths of the questions that any version calculates.
        names: of the table.

    Returns:
        All columns, and those that wait for a batch with content for them: their names must not depend on which of
        them comes first.
    """
    known = {key: column for key, column in columns.items() if column.is_companion}
    done: set[Key] = set()
    every: list[Column] = []
    waiting: list[Column] = []
    for column in columns.values():
        if column.is_companion:
            continue
        every.append(column)
        for key, told in _wanted(column, calculated):
            if key in done:  # of a retyped question
                continue
            done.add(key)
            place = every if key in known or key[1] == "offset" else waiting
            place.append(_kept(known.get(key), told, names))
    for path in inner:
        told = Column(name=f"{path.rsplit('/', 1)[-1]}__rows", path=path, kind="rows", disclosure="none")
        done.add((path, "rows"))
        every.append(_kept(known.get((path, "rows")), told, names))
    every += (column for key, column in known.items() if key not in done)
    return tuple(every), tuple(waiting)


def with_content(table: Table, found: Mapping[str, Sequence[Kind]]) -> Table:
    """The table with columns beside its calculated texts.

    Args:
        table: of a form.
        found: path of a calculated text → the kinds of `values.CONTENT` that a batch has.
    """
    fresh = [column for column in table.waiting if column.kind in found.get(column.path, ())]
    columns: list[Column] = []
    for column in table.columns:
        mine = [one for one in fresh if one.path == column.path] if column.kind == "text" else []
        columns += [column, *mine]
    return replace(table, columns=tuple(columns))


def _wanted(column: Column, calculated: frozenset[str]) -> list[tuple[Key, Column]]:
    kinds = _BESIDE.get(column.kind, ())
    if column.kind == "text" and calculated.isdisjoint((column.path, *column.was)):
        kinds = ()
    return [((column.path, kind), _beside(column, kind)) for kind in kinds]


def _kept(known: Column | None, told: Column, names: Names) -> Column:
    """A column under the name that it has in the warehouse, or under a new one."""
    return replace(told, name=known.name, alias=known.alias) if known else names.named(told)


def _beside(column: Column, kind: Kind) -> Column:
    """A column that is made of the same text, and as much an identifier as that; findings do not read it."""
    return replace(column, name=f"{column.name}__{kind}", kind=kind, concept="", hxl="", list_name="", alias="")
