"""Answers in SQL: one value of a row, and sets of nodes over the rows of other repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dialogkit.logic import sql_number as numbers
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.sql_java import java_double
from dialogkit.logic.sql_let import let
from dialogkit.logic.sql_moments import minutes, of_instant
from dialogkit.logic.sql_scope import Scope
from dialogkit.logic.terms import Reference, Term, boolean, is_empty, number, text, text_literal

_PLACES: Final = ("lat", "lon", "altitude", "accuracy")


@dataclass(frozen=True)
class Many:
    """A set of nodes.

    Args:
        element: the value of one of them.
        source, where: the rows, as a FROM clause with conditions.
        order: of the document.
        conditional: whether one of them may be not relevant, though its row is: only relevant ones count.
    """

    element: Callable[[], Term]
    source: str
    where: Sequence[str]
    order: Sequence[str]
    conditional: bool = False

    def select(self, found: str) -> str:
        """A subquery."""
        where = f" WHERE {' AND '.join(self.where)}" if self.where else ""
        return f"(SELECT {found} FROM {self.source}{where})"

    def ordered(self, found: str) -> str:
        """A list of a value of each, in the order of the document."""
        return self.select(f"list({found} ORDER BY {', '.join(self.order)})")


def read(scope: Scope, path: str, alias: str) -> Term:
    """The term of a question in a row; a group or a row has no text of its own."""
    if path not in scope.form.by_path:
        return text_literal("")
    reference = scope.reference(path, alias)
    found = replace(_of_value(reference), computed=scope.form.by_path[path].type == "calculate")
    return replace(found, day=scope.today) if found.type == "time" else found


def _of_value(found: Reference) -> Term:
    """The term of a stored value. A text is as it was typed, with blanks around it."""
    value = found.sql
    if found.kind in ("integer", "decimal"):
        return Term(value, "number", blank=True, whole=found.kind == "integer", finite=True)
    if found.kind in ("date", "time", "datetime"):
        return _of_clock(found)
    return _of_text(found)


def _of_clock(found: Reference) -> Term:
    if found.kind == "datetime":
        return of_instant(found.sql, found.offset)
    if found.kind == "date":
        return Term(found.sql, "date", blank=True)
    return Term(found.sql, "time", blank=True, offset=minutes(found.offset) if found.offset else "0")


def _of_text(found: Reference) -> Term:
    value = found.sql
    match found.kind:
        case "select_multiple":
            joined = f"array_to_string({value}, ' ')"
            return Term(f"coalesce({joined}, '')", "text", raw=joined, ticks=value)
        case "geopoint":
            return _written(value, _point)
        case "geotrace" | "geoshape":
            points = f"array_to_string(list_transform({value}, lambda point: {_point('point')}), '; ')"
            return Term(f"coalesce({points}, '')", "text", raw=points)
    return Term(f"coalesce({value}, '')", "text", raw=value, one=found.kind == "select_one")


def _written(value: str, write: Callable[[str], str]) -> Term:
    raw = let(value, lambda held: f"CASE WHEN {held} IS NOT NULL THEN {write(held)} END")
    return Term(f"coalesce({raw}, '')", "text", raw=raw)


def _point(point: str) -> str:
    """A place as JavaRosa writes it: always four numbers, 0 for what was not measured."""
    return " || ' ' || ".join(let(f"coalesce({point}.{part}, 0)", java_double) for part in _PLACES)


def one_of(many: Many, *, first: bool = False) -> Term:
    """A set that is used as one value: empty where there is no node.

    Several nodes are an error of type on a phone, which no phone gets past: they read as empty here.

    Args:
        many: the set.
        first: take the first of several instead.
    """
    element = many.element()
    pick = f"arg_min({{}}, {many.order[-1]})" if first else "CASE WHEN count(*) = 1 THEN any_value({}) END"

    def chosen(value: str) -> str:
        return many.select(pick.format(value))

    if element.type == "cases":
        raise NeedsPython("a set of values of several types is used as one value")
    if element.type == "text":
        raw = chosen(element.raw or element.sql)
        ticks = chosen(element.ticks) if element.ticks else ""
        return Term(f"coalesce({raw}, '')", "text", raw=raw, one=element.one, ticks=ticks)
    offset = f"coalesce({chosen(element.offset)}, 0)" if element.offset not in ("", "0") else element.offset
    return replace(element, sql=chosen(element.sql), blank=True, literal=None, offset=offset)


def aggregate(name: str, sets: Sequence[Many], before: Sequence[Term]) -> Term:
    """A function over the nodes of a set.

    Args:
        name: of the function.
        sets: one set; two of `weighted-checklist`.
        before: the arguments before the set.
    """
    many = sets[0]
    if many.conditional and name in ("count", "concat", "join"):
        raise NeedsPython(f"{name}() goes through questions that may be not relevant in a row that is")
    if name == "count":
        return Term(many.select("count(*)"), "number", whole=True, finite=True)
    if len(sets) > 1:
        raise NeedsPython(f"{name}() goes through two sets side by side")
    whole = _counted(name, many, before) or _added(name, many)
    if whole is None and name in ("concat", "join"):
        mark = text(before[0]) if before else "''"
        texts = many.ordered(text(many.element()))
        whole = Term(f"coalesce(array_to_string({texts}, {mark}), '')", "text")
    if whole is None:
        raise NotDecidable(f"{name}() does not take a set of nodes")
    return whole


def _counted(name: str, many: Many, before: Sequence[Term]) -> Term | None:
    element = many.element()
    if name == "count-non-empty":
        return Term(many.select(f"count(*) FILTER (NOT {is_empty(element)})"), "number", whole=True, finite=True)
    if name == "checklist":
        found = many.select(f"count(*) FILTER ({boolean(element)})")
        return Term(let(found, lambda count: _within(before, count)), "boolean")
    return None


def _added(name: str, many: Many) -> Term | None:
    element = many.element()
    value = number(element)
    if name == "sum":
        return Term(f"coalesce({many.select(f'sum({value})')}, 0)", "number", finite=True)
    if name == "min":
        return Term(many.select(f"min({value})"), "number", finite=element.finite)
    if name == "max":
        return Term(numbers.largest(many.select(f"max({value})")), "number", finite=element.finite)
    return None


def _within(limits: Sequence[Term], count: str) -> str:
    return numbers.checklist(limits[0], limits[1], count).sql
