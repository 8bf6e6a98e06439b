"""Functions of XForms that read the form, the row, sets of nodes, or only one of their arguments, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from dialogkit.logic import sql_functions as functions
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.sql_nodes import aggregate, read
from dialogkit.logic.terms import Term, boolean, choose, is_empty, number, number_literal, text_literal
from dialogkit.logic.tree import Function, Nodes

if TYPE_CHECKING:
    from dialogkit.logic.compile import Place

#: Functions that take nothing but a set of nodes.
OVER_SETS: Final = frozenset({"count", "count-non-empty", "sum"})
#: Functions that take a set of nodes or several values: which of their arguments may be the set.
MAYBE_SETS: Final[Mapping[str, tuple[int, ...]]] = {
    "min": (0,),
    "max": (0,),
    "concat": (0,),
    "join": (1,),
    "checklist": (2,),
    "weighted-checklist": (2, 3),
}


def over_values(place: Place, tree: Function) -> Term:
    """A function over values."""
    terms = [place.term(argument) for argument in tree.arguments]
    if tree.name == "concat":
        return functions.joined(terms)
    if tree.name == "join" and terms:
        return functions.joined(terms[1:], terms[0])
    if not terms and place.at and tree.name in ("string-length", "normalize-space"):
        terms = [_own(place)]
    return functions.call(tree.name, terms, place.scope.offset)


def over_sets(place: Place, tree: Function) -> Term | None:
    """A function over a set of nodes; None where it is given values that it takes as well."""
    if tree.name in OVER_SETS:
        return _over_set(place, tree)
    which = MAYBE_SETS.get(tree.name, ())
    if not which or len(tree.arguments) != which[-1] + 1:
        return None
    sets = [many for one in which if (many := place.many(tree.arguments[one]))]
    if len(sets) < len(which):
        return None
    return aggregate(tree.name, sets, [place.term(one) for one in tree.arguments[: which[0]]])


def _over_set(place: Place, tree: Function) -> Term:
    if len(tree.arguments) != 1:
        raise NotDecidable(f"{tree.name}() takes one set of nodes")
    (argument,) = tree.arguments
    many = place.many(argument)
    if many:
        return aggregate(tree.name, [many], [])
    if not isinstance(argument, Nodes):
        raise NotDecidable(f"{tree.name}() takes a set of nodes, and this is a value")
    return _of_one(place, tree.name, argument)


def _of_one(place: Place, name: str, nodes: Nodes) -> Term:
    """A function over a set of one node; a row counts itself."""
    if name == "count":
        own = place.scope.form.by_path.get(nodes.path)
        if own and own.relevant.strip():
            raise NeedsPython("count() asks whether one question is relevant")
        return number_literal(1.0)
    term = place.term(nodes)
    if name == "sum":
        return Term(f"coalesce({number(term)}, 0)", "number", finite=True)
    return Term(f"CAST(NOT {is_empty(term)} AS BIGINT)", "number", whole=True, finite=True)


def _own(place: Place) -> Term:
    """The stored answer of the question that the expression belongs to."""
    return read(place.scope, place.at, place.scope.alias(place.scope.form.repeat_of(place.at)))


def _if(place: Place, tree: Function) -> Term:
    if len(tree.arguments) != 3:
        raise NotDecidable("if() takes a condition and two values")
    judged, then, otherwise = tree.arguments
    return choose([(boolean(place.term(judged)), place.term(then)), ("true", place.term(otherwise))])


def _coalesce(place: Place, tree: Function) -> Term:
    if len(tree.arguments) != 2:
        raise NotDecidable("coalesce() takes two values")
    return choose(functions.first_of(place.term(tree.arguments[0]), place.term(tree.arguments[1])))


def _once(place: Place, tree: Function) -> Term:
    if len(tree.arguments) != 1:
        raise NotDecidable("once() takes one value")
    if not place.at:
        return place.term(tree.arguments[0])
    own = _own(place)
    try:
        made = place.term(tree.arguments[0])
    except NeedsPython:
        raise
    except NotDecidable as refusal:
        made = Term("", "untold", reason=refusal.reason)
    return choose([(f"NOT {is_empty(own)}", own), ("true", made)])


def _today(place: Place, tree: Function) -> Term:
    today = place.scope.today
    if not today:
        raise NotDecidable(f"{tree.name}(): the day on the phone is not known")
    if tree.name == "today":
        return Term(today, "date")
    return Term(f"CAST({today} AS TIMESTAMP)", "moment", day="unknown time", offset=place.scope.offset)


def _version(place: Place, _: Function) -> Term:
    return text_literal(place.scope.form.version)


SPECIAL: Final[Mapping[str, Callable[[Place, Function], Term]]] = {
    "if": _if,
    "coalesce": _coalesce,
    "once": _once,
    "today": _today,
    "now": _today,
    "version": _version,
}
