"""The functions of XForms expressions as SQL. Each takes terms and gives a term."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.terms import Term, boolean, day, is_empty, list_of, number, text

#: Why these cannot be decided on stored data, or not here.
UNDECIDABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("random", "uuid"), "its value is made by chance on the phone"),
    **dict.fromkeys(
        ("pulldata", "instance", "jr:choice-name", "jr:itext"), "it needs a file or a list that is not read here"
    ),
    **dict.fromkeys(("position", "indexed-repeat", "selected-at", "current"), "it needs the place of a row"),
}
_DIRECTIVES: Final[Mapping[str, str]] = {"Y": "%Y", "y": "%y", "m": "%m", "n": "%-m", "d": "%d", "e": "%-d"}


def call(name: str, arguments: Sequence[Term]) -> Term:
    """The term of a function over its arguments.

    Raises:
        NotDecidable: the function is not known, not decidable, or takes other arguments.
    """
    if name in UNDECIDABLE:
        raise NotDecidable(f"{name}(): {UNDECIDABLE[name]}")
    known = _FUNCTIONS.get(name)
    if known is None:
        raise NotDecidable(f"{name}() is not known here")
    fewest, most, make = known
    if not fewest <= len(arguments) <= most:
        raise NotDecidable(f"{name}() has {len(arguments)} arguments")
    return make(*arguments)


def _texts(template: str) -> Callable[..., Term]:
    return lambda *terms: Term(template.format(*(text(term) for term in terms)), "text")


def _yes_or_no(template: str) -> Callable[..., Term]:
    return lambda *terms: Term(template.format(*(text(term) for term in terms)), "boolean")


def _numbers(template: str) -> Callable[..., Term]:
    return lambda *terms: Term(template.format(*(number(term) for term in terms)), "number")


def _string_length(value: Term) -> Term:
    """Java counts UTF-16 units: a sign beyond the basic plane, such as an emoji, counts twice."""
    plain = text(value)
    beyond = rf"length(regexp_replace({plain}, '[^\x{{10000}}-\x{{10FFFF}}]', '', 'g'))"
    return Term(
        f"CAST(length({plain}) + CASE WHEN strlen({plain}) = length({plain}) THEN 0 ELSE {beyond} END AS DOUBLE)",
        "number",
    )


def _selected(ticked: Term, choice: Term) -> Term:
    return Term(f"contains(' ' || {text(ticked)} || ' ', ' ' || trim({text(choice)}) || ' ')", "boolean")


def _count_selected(ticked: Term) -> Term:
    return Term(rf"CAST(len(regexp_extract_all({text(ticked)}, '\S+')) AS DOUBLE)", "number")


def _regex(value: Term, pattern: Term) -> Term:
    return Term(f"regexp_full_match({text(value)}, {sql.text(_pattern(pattern))})", "boolean")


def _pattern(pattern: Term) -> str:
    """A pattern in Java's syntax that means the same in RE2, DuckDB's engine."""
    written = pattern.literal
    if written is None:
        raise NotDecidable("regex() has a pattern that is not written out")
    if "&&" in written or re.search(r"(?<!\\)\[[^\]\\]*(?:\\.[^\]\\]*)*\[(?!:)", written):
        raise NotDecidable("regex(): a set of signs within a set means something else in our engine")
    try:
        with duckdb.connect() as engine:
            engine.execute("SELECT regexp_full_match('', ?)", [written])
    except duckdb.Error:
        raise NotDecidable("regex(): our engine does not know this pattern (look-ahead, for example)") from None
    return written


def _format_date(value: Term, pattern: Term) -> Term:
    if pattern.literal is None:
        raise NotDecidable("format-date() has a pattern that is not written out")
    parts = []
    for sign, plain in re.findall(r"%(.?)|([^%]+)", pattern.literal):
        if not plain and sign not in _DIRECTIVES:
            raise NotDecidable(f"format-date(): %{sign} is not known here")
        parts.append(plain or _DIRECTIVES[sign])
    return Term(f"coalesce(strftime({day(value)}, {sql.text(''.join(parts))}), '')", "text")


def _substr(value: Term, *places: Term) -> Term:
    """Places count from 0, the end is left out; only places that are written out are read."""
    found = [re.fullmatch(r"CAST\((\d+) AS DOUBLE\)", place.sql) for place in places]
    start, *end = [int(place.group(1)) for place in found if place]
    if len(end) + 1 != len(places):
        raise NotDecidable("substr() has a place that is not a number written out")
    length = f", {max(end[0] - start, 0)}" if end else ""
    return Term(f"substring({text(value)}, {start + 1}{length})", "text")


def _coalesce(first: Term, second: Term) -> Term:
    if first.type == second.type == "date":
        return Term(f"coalesce({first.sql}, {second.sql})", "date")
    return Term(f"CASE WHEN {_nothing(first)} THEN {text(second)} ELSE {text(first)} END", "text")


def _nothing(term: Term) -> str:
    return f"({term.sql} IS NULL)" if term.type == "number" else is_empty(term)


def _count_non_empty(nodes: Term) -> Term:
    return Term(f"CAST(len(list_filter({list_of(nodes, is_empty)}, lambda x: NOT x)) AS DOUBLE)", "number")


def _over_rows(function: str) -> Callable[..., Term]:
    """A function over the rows of a repeat (empty answers are skipped) or over several values."""

    def make(*terms: Term) -> Term:
        one = len(terms) == 1
        values = list_of(terms[0], number) if one else f"[{', '.join(number(term) for term in terms)}]"
        return Term(f"{function}({values})", "number")

    return make


_FUNCTIONS: Final[Mapping[str, tuple[int, int, Callable[..., Term]]]] = {
    "true": (0, 0, lambda: Term("true", "boolean")),
    "false": (0, 0, lambda: Term("false", "boolean")),
    "not": (1, 1, lambda term: Term(f"(NOT {boolean(term)})", "boolean")),
    "boolean": (1, 1, lambda term: Term(boolean(term), "boolean")),
    "boolean-from-string": (1, 1, _yes_or_no("(lower({0}) IN ('1', 'true'))")),
    "string": (1, 1, _texts("{0}")),
    "number": (1, 1, _numbers("{0}")),
    "int": (1, 1, _numbers("trunc({0})")),
    "round": (1, 1, _numbers("floor({0} + 0.5)")),
    "abs": (1, 1, _numbers("abs({0})")),
    "pow": (2, 2, _numbers("pow({0}, {1})")),
    "date": (1, 1, lambda term: Term(day(term), "date")),
    "format-date": (2, 2, _format_date),
    "once": (1, 1, lambda term: term),
    "coalesce": (2, 2, _coalesce),
    "concat": (1, 99, lambda *terms: Term(f"concat({', '.join(text(term) for term in terms)})", "text")),
    "string-length": (1, 1, _string_length),
    "contains": (2, 2, _yes_or_no("contains({0}, {1})")),
    "starts-with": (2, 2, _yes_or_no("starts_with({0}, {1})")),
    "ends-with": (2, 2, _yes_or_no("ends_with({0}, {1})")),
    "substr": (2, 3, _substr),
    "normalize-space": (1, 1, _texts(r"trim(regexp_replace({0}, '\s+', ' ', 'g'))")),
    "regex": (2, 2, _regex),
    "selected": (2, 2, _selected),
    "count-selected": (1, 1, _count_selected),
    "count": (1, 1, lambda nodes: Term(f"CAST(len({list_of(nodes, is_empty)}) AS DOUBLE)", "number")),
    "count-non-empty": (1, 1, _count_non_empty),
    "sum": (1, 1, lambda nodes: Term(f"coalesce(list_sum({list_of(nodes, number)}), 0)", "number")),
    "min": (1, 99, _over_rows("list_min")),
    "max": (1, 99, _over_rows("list_max")),
}
