"""Functions of XForms expressions over texts, in SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import duckdb

from dialogkit import sql
from dialogkit.logic.parse import NeedsPython
from dialogkit.logic.sql_let import let
from dialogkit.logic.terms import BLANKS, Term, is_empty, number, text

#: Number of arguments, fewest and most, and the maker of the term.
Maker = tuple[int, int, Callable[..., Term]]


def _texts(template: str) -> Callable[..., Term]:
    return lambda *terms: Term(template.format(*(text(term) for term in terms)), "text")


def _yes_or_no(template: str) -> Callable[..., Term]:
    return lambda *terms: Term(template.format(*(text(term) for term in terms)), "boolean")


def _string_length(value: Term) -> Term:
    """Java counts UTF-16 units: a sign beyond the basic plane, such as an emoji, counts twice."""

    def counted(held: str) -> str:
        beyond = rf"length(regexp_replace({held}, '[^\x{{10000}}-\x{{10FFFF}}]', '', 'g'))"
        return f"length({held}) + CASE WHEN strlen({held}) = length({held}) THEN 0 ELSE {beyond} END"

    return Term(f"({let(text(value), counted)})", "number", whole=True, finite=True)


def selected(ticked: Term, choice: Term) -> Term:
    """Whether a choice is among those of a text with blanks between them."""
    name = (choice.literal or "").strip()
    plain = choice.type == "text" and name and " " not in name
    if plain and ticked.ticks:
        return Term(f"coalesce(list_contains({ticked.ticks}, {sql.text(name)}), false)", "boolean")
    if plain and ticked.one:
        # A code that should be one may be several: then it is looked for among them, as phones do.
        several = f"(contains({ticked.raw}, ' ') AND contains(' ' || {ticked.raw} || ' ', {sql.text(f' {name} ')}))"
        return Term(f"coalesce({ticked.raw} = {sql.text(name)} OR {several}, false)", "boolean")
    if choice.literal is not None:
        return Term(f"contains(' ' || {text(ticked)} || ' ', {sql.text(f' {name} ')})", "boolean")
    return Term(f"contains(' ' || {text(ticked)} || ' ', ' ' || trim({text(choice)}, {BLANKS}) || ' ')", "boolean")


def _choices(ticked: Term) -> str:
    return ticked.ticks or f"list_filter(string_split({text(ticked)}, ' '), lambda choice: choice <> '')"


def _count_selected(ticked: Term) -> Term:
    return Term(f"coalesce(len({_choices(ticked)}), 0)", "number", whole=True, finite=True)


def _selected_at(ticked: Term, place: Term) -> Term:
    at = _place_of(place)
    found = let(at, lambda held: f"CASE WHEN {held} >= 0 THEN ({_choices(ticked)})[{held} + 1] END")
    return Term(f"coalesce({found}, '')", "text")


def _place_of(term: Term) -> str:
    """A number as Java makes an `int` of it: NaN is 0, the largest stays the largest."""
    if term.whole and term.literal is not None:
        return term.sql
    if term.whole:
        return f"coalesce({term.sql}, 0)"
    return f"CAST(least(greatest(coalesce(trunc({number(term)}), 0), -2147483648), 2147483647) AS BIGINT)"


def _substr(value: Term, start: Term, end: Term | None = None) -> Term:
    """Places count from 0, from the end where they are below 0; the end is left out."""
    places = [_place_of(term) for term in (start, end) if term]
    if all(place.isdigit() for place in places):
        first, *last = map(int, places)
        length = f", {max(last[0] - first, 0)}" if last else ""
        return Term(f"substring({text(value)}, {first + 1}{length})", "text")

    def cut(held: str) -> str:
        first, *last = [
            let(
                place,
                lambda at: (
                    f"least(greatest(CASE WHEN {at} < 0 THEN length({held}) + {at} ELSE {at} END, 0), length({held}))"
                ),
            )
            for place in places
        ]
        if not last:
            return f"substring({held}, {first} + 1)"
        return let(first, lambda at: f"substring({held}, {at} + 1, greatest({last[0]} - {at}, 0))")

    return Term(let(text(value), cut), "text")


def _before(value: Term, mark: Term) -> Term:
    def cut(held: str) -> str:
        return let(f"strpos({held}, {text(mark)})", lambda at: f"left({held}, greatest({at} - 1, 0))")

    return Term(let(text(value), cut), "text")


def _after(value: Term, mark: Term) -> Term:
    def cut(held: str) -> str:
        rest = f"substring({held}, strpos({held}, {text(mark)}) + length({text(mark)}))"
        return f"CASE WHEN contains({held}, {text(mark)}) THEN {rest} ELSE '' END"

    return Term(let(text(value), cut), "text")


def _regex(value: Term, pattern: Term) -> Term:
    if pattern.literal is None:
        raise NeedsPython("regex() has a pattern that is not written out")
    _check_pattern(pattern.literal)
    empty = is_empty(value)
    matches = f"regexp_full_match({value.raw or text(value)}, {sql.text(pattern.literal)})"
    if value.raw and empty != "false":
        matches = f"coalesce(regexp_full_match({value.raw}, {sql.text(pattern.literal)}), false)"
        if _matches_nothing(pattern.literal):
            matches = f"({empty} OR {matches})"
    return Term(matches, "boolean")


@cache
def _check_pattern(written: str) -> None:
    """A pattern in Java's syntax must mean the same in RE2, DuckDB's engine."""
    if "&&" in written or re.search(r"(?<!\\)\[[^\]\\]*(?:\\.[^\]\\]*)*\[", written):
        raise NeedsPython("regex(): a set of signs within a set means something else in our engine")
    if re.search(r"\\[bBC]|\{,", written) or ("(?i" in written and not written.isascii()):
        raise NeedsPython("regex(): the pattern means something else in our engine")
    try:
        _matches_nothing(written)
    except duckdb.Error:
        raise NeedsPython("regex(): our engine does not know this pattern (look-ahead, for example)") from None


@cache
def _matches_nothing(pattern: str) -> bool:
    with duckdb.connect() as engine:
        found = engine.execute("SELECT regexp_full_match('', ?)", [pattern]).fetchone()
    return bool(found and found[0])


TEXT_FUNCTIONS: Final[Mapping[str, Maker]] = {
    "boolean-from-string": (1, 1, _yes_or_no("(lower({0}) IN ('1', 'true'))")),
    "string": (1, 1, lambda term: Term(text(term), "text", literal=term.literal if term.type == "text" else None)),
    "string-length": (1, 1, _string_length),
    "contains": (2, 2, _yes_or_no("contains({0}, {1})")),
    "starts-with": (2, 2, _yes_or_no("starts_with({0}, {1})")),
    "ends-with": (2, 2, _yes_or_no("ends_with({0}, {1})")),
    "substr": (2, 3, _substr),
    "substring-before": (2, 2, _before),
    "substring-after": (2, 2, _after),
    "translate": (3, 3, _texts("translate({0}, {1}, {2})")),
    "normalize-space": (1, 1, _texts(r"trim(regexp_replace({0}, '\s+', ' ', 'g'))")),
    "regex": (2, 2, _regex),
    "selected": (2, 2, selected),
    "is-selected": (2, 2, selected),
    "count-selected": (1, 1, _count_selected),
    "selected-at": (2, 2, _selected_at),
}
