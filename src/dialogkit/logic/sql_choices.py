"""Choice lists and media files of a form in SQL: lookups, labels, and the choices that a filter offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from dialogkit import sql
from dialogkit.logic.bind import bind_filter
from dialogkit.logic.bind_steps import source_of
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.sql_nodes import Many
from dialogkit.logic.terms import Term, boolean, text
from dialogkit.logic.tree import Column, Function, Items, Operation, Tree, trees_in
from dialogkit.model.form import SELECT_TYPES

if TYPE_CHECKING:
    from dialogkit.logic.compile import Place

Kind = Literal["list", "file"]
_QUICK: Final = 64
_MOST: Final = 20_000


def items_set(place: Place, items: Items) -> Many:
    """The rows of a list or file that meet all conditions."""
    rows = place.scope.items(items.kind, items.source)
    read = {part.name for tree in items.filters for part in trees_in(tree) if isinstance(part, Column)}
    columns = sorted(read | ({items.column} if items.column else set()))
    _check_size(rows)
    name = f"i{place.level}"
    inside = _inside(place, name, columns)
    where = []
    for number, tree in enumerate(items.filters):
        where.append(boolean(replace(inside, counted=number == 0).term(tree)))
    value = f"{name}.c{columns.index(items.column)}" if items.column else "''"
    return Many(
        element=lambda: Term(value, "text", raw=value),
        source=_values(rows, columns, name),
        where=where,
        order=[f"{name}.n"],
    )


def _inside(place: Place, name: str, columns: Sequence[str]) -> Place:
    item = {column: f"{name}.c{number}" for number, column in enumerate(columns)}
    return replace(place, item={**item, "#": f"{name}.n"}, level=place.level + 1)


def _check_size(rows: Sequence[Mapping[str, str]]) -> None:
    if len(rows) > _MOST:
        raise NeedsPython("the file has too many rows for SQL")


def _values(rows: Sequence[Mapping[str, str]], columns: Sequence[str], name: str) -> str:
    """An inline relation of the columns that are read, with the number of each row."""
    cells = [
        f"({', '.join([str(number), *(sql.text(row.get(column, '')) for column in columns)])})"
        for number, row in enumerate(rows, 1)
    ]
    heads = ", ".join(["n", *(f"c{number}" for number in range(len(columns)))])
    if not cells:
        nothing = ", ".join(["CAST(NULL AS INTEGER)", *("''" for _ in columns)])
        return f"(SELECT {nothing} WHERE false) {name}({heads})"
    return f"(VALUES {', '.join(cells)}) {name}({heads})"


def looked_up(place: Place, items: Items) -> Term | None:
    """The quick way for `[key = …]` over a short list, where a text is looked up; None where it is not that."""
    match items.filters:
        case (Operation("=", Column(key), value),) | (Operation("=", value, Column(key)),) if items.column:
            pass
        case _:
            return None
    rows = place.scope.items(items.kind, items.source)
    if not 0 < len(rows) <= _QUICK or any(isinstance(part, Column) for part in trees_in(value)):
        return None
    sought = place.term(value) if place.item is None else None
    if sought is None or sought.type != "text":
        return None
    found: dict[str, str] = {}
    for row in rows:
        found.setdefault(row.get(key, ""), row.get(items.column, ""))
    raw = f"[{sql.texts(found.values())}][list_position([{sql.texts(found)}], {text(sought)})]"
    return Term(f"coalesce({raw}, '')", "text", raw=raw)


def label_of(place: Place, value: Tree, path: str) -> Term:
    """`jr:choice-name()`: the label of a code that a question offers; empty where it offers no such code."""
    form = place.scope.form
    question = form.by_path[path]
    if question.type not in SELECT_TYPES:
        return Term("''", "text", literal="")
    kind, source = source_of(form, question.list_name)
    rows = place.scope.items(kind, source)
    if any("${" in row.get("jr:label", "") for row in rows):
        raise NeedsPython("jr:choice-name(): a label holds an answer")
    if not all("jr:label" in row for row in rows):
        raise NotDecidable("jr:choice-name(): the language of the phone is not stored")
    sought = Operation("=", Column("name"), Function("string", (value,)))
    filters = (bind_filter(question, form),) if question.choice_filter.strip() else ()
    return place.term(Items(kind, source, "jr:label", (sought, *filters)))


def offered(place: Place, tree: Tree, kind: Kind, source: str) -> str:
    """SQL of the list of the codes that a choice filter offers in a row.

    Args:
        place: of the rows.
        tree: the filter (`bind_filter`).
        kind: `list` or `file`.
        source: the list or file.
    """
    items = Items(kind, source, "name", (tree,))
    many = items_set(place, items)
    return f"coalesce({many.ordered(many.element().sql)}, [])"
