"""SQL expressions with their XPath type, and the conversions of XPath between types.

Semantics measured against JavaRosa, the engine of ODK Collect (landing.md, "Form logic as SQL"): an empty node is `''`,
NULL stands for NaN, text to number accepts a comma and rejects exponents, a date is the number of its day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dialogkit import sql
from dialogkit.logic.parse import NotDecidable
from dialogkit.model.table import Kind

#: `opaque` is a stored value whose text we do not have back: only whether it is empty can be said.
Type = Literal["text", "number", "boolean", "date", "opaque"]

_NUMBER: Final = sql.text(r"^-?([0-9]+[.]?[0-9]*|[.][0-9]+)$")
#: A date, or the date as written of a date with time: a calculated date is stored with the midnight of the phone.
_DAY: Final = sql.text(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?$")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a name means in SQL.

    Args:
        sql: a column or a literal; NULL (or `''`) where there is no answer. For a repeated node the list of its values.
        kind: how its answers are stored.
        repeated: whether it names a node of a repeat from outside: then it is a list.
    """

    sql: str
    kind: Kind
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """An SQL expression.

    Args:
        sql: its text. A text or boolean is never NULL; NULL is NaN for a number, empty for a date or an opaque value.
        type: its XPath type.
        node: whether it is a question: an empty number of a question is `''`, not NaN.
        kind: for a list of values of a repeated node, the kind of its values; empty otherwise.
        literal: the text of a text literal; None for everything else.
    """

    sql: str
    type: Type
    node: bool = False
    kind: Kind | None = None
    literal: str | None = None


_TYPES: Final[Mapping[Kind, Type]] = {
    "text": "text",
    "select_one": "text",
    "file": "text",
    "select_multiple": "text",
    "integer": "number",
    "decimal": "number",
    "date": "date",
    "time": "opaque",
    "datetime": "opaque",
    "geopoint": "opaque",
}


def of_reference(reference: Reference) -> Term:
    """The term of a name."""
    if reference.repeated:
        return Term(reference.sql, _TYPES[reference.kind], node=True, kind=reference.kind)
    return of_value(reference.sql, reference.kind)


def of_value(value: str, kind: Kind) -> Term:
    """The term of one stored value."""
    if kind == "select_multiple":
        return Term(f"coalesce(array_to_string({value}, ' '), '')", "text", node=True)
    if _TYPES[kind] == "text":
        return Term(f"coalesce({value}, '')", "text", node=True)
    return Term(f"CAST({value} AS DOUBLE)" if kind == "integer" else value, _TYPES[kind], node=True)


def single(term: Term) -> Term:
    """The term, which must be one value: a bare reference to a repeated node is an error of type."""
    if term.kind is not None:
        raise NotDecidable("a question of a repeat is used from outside it as if it had one answer")
    if term.type == "opaque":
        raise NotDecidable("of a time, a date with time or a place only whether it is empty can be said")
    return term


def text(term: Term) -> str:
    """XPath `string()`."""
    term = single(term)
    if term.type == "boolean":
        return f"CASE WHEN {term.sql} THEN 'true' ELSE 'false' END"
    if term.type == "date":
        return f"coalesce(strftime({term.sql}, '%Y-%m-%d'), '')"
    if term.type == "number":
        whole = f"regexp_replace(CAST({term.sql} + 0 AS VARCHAR), '[.]0$', '')"
        return f"coalesce({whole}, {sql.text('' if term.node else 'NaN')})"
    return term.sql


def number(term: Term) -> str:
    """XPath `number()`."""
    term = single(term)
    if term.type == "boolean":
        return f"CAST({term.sql} AS DOUBLE)"
    if term.type == "date":
        return f"CAST({term.sql} - DATE '1970-01-01' AS DOUBLE)"
    if term.type == "text":
        return f"TRY_CAST(regexp_extract(replace(trim({term.sql}), ',', '.'), {_NUMBER}) AS DOUBLE)"
    return term.sql


def boolean(term: Term) -> str:
    """XPath `boolean()`."""
    term = single(term)
    if term.type == "number":
        return f"coalesce({term.sql} <> 0, false)"
    if term.type == "date":
        return f"({term.sql} IS NOT NULL)"
    return f"({term.sql} <> '')" if term.type == "text" else term.sql


def day(term: Term) -> str:
    """A date of a date, of its text, or of the number of its day; NULL where it is none."""
    term = single(term)
    if term.type == "number":
        return f"DATE '1970-01-01' + CAST(floor({term.sql}) AS INTEGER)"
    if term.type == "boolean":
        raise NotDecidable("a yes or no is used as a date")
    return term.sql if term.type == "date" else f"TRY_CAST(regexp_extract({term.sql}, {_DAY}, 1) AS DATE)"


def is_empty(term: Term) -> str:
    """Whether a node holds nothing: the one question that may be asked of every kind."""
    if term.type in ("opaque", "date") or (term.type == "number" and term.node):
        return f"({term.sql} IS NULL)"
    return f"({text(term)} = '')"


def equal(left: Term, right: Term) -> str:
    """XPath `=`: by boolean, else by number with a tolerance, else by text."""
    for one, other in ((left, right), (right, left)):
        if other.literal == "" and one.type in ("opaque", "date") and one.kind is None:
            return is_empty(one)
    types = {single(left).type, single(right).type}
    if "boolean" in types:
        return f"({boolean(left)} = {boolean(right)})"
    if "number" in types:
        close = f"coalesce(abs({number(left)} - {number(right)}) < 1e-12, false)"
        empty = [is_empty(term) for term in (left, right) if term.type == "number" and term.node]
        # An empty number of a question is the text '': then both are compared as texts.
        return f"CASE WHEN {' OR '.join(empty)} THEN {_same_text(left, right)} ELSE {close} END" if empty else close
    return f"({text(left)} = {text(right)})"


def _same_text(left: Term, right: Term) -> str:
    """The comparison where one side, a question, is empty: equal only if the other is an empty node or text as well."""
    sides = [is_empty(term) for term in (left, right) if term.type != "number" or term.node]
    return f"({' AND '.join(sides)})" if len(sides) == 2 else "false"


def list_of(term: Term, convert: Callable[[Term], str]) -> str:
    """The list of the values of a repeated node, each converted."""
    if term.kind is None:
        raise NotDecidable("it counts the rows of a repeat, and this is not a question of one")
    return f"list_transform({term.sql}, lambda x: {convert(of_value('x', term.kind))})"
