"""The functions of XForms expressions over values, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialogkit.logic import sql_moments as moments
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.refusals import refused, wrong_number
from dialogkit.logic.sql_number import NUMBER_FUNCTIONS
from dialogkit.logic.sql_text import TEXT_FUNCTIONS, Maker
from dialogkit.logic.terms import Term, boolean, is_nothing, text

#: Why these are not said in SQL; Python computes them.
PYTHON_ONLY: Final[Mapping[str, str]] = {
    **dict.fromkeys(("area", "enclosed-area", "distance", "geofence"), "the last digit of SQL's sines may differ"),
    "digest": "it knows more algorithms and encodings than SQL",
    "base64-decode": "SQL refuses what Java reads",
    "extract-signed": "SQL cannot check a signature",
}


def _true() -> Term:
    return Term("true", "boolean")


def _false() -> Term:
    return Term("false", "boolean")


_OTHERS: Final[Mapping[str, Maker]] = {
    "true": (0, 0, _true),
    "false": (0, 0, _false),
    "not": (1, 1, lambda term: Term(f"(NOT {boolean(term)})", "boolean")),
    "boolean": (1, 1, lambda term: Term(boolean(term), "boolean")),
    "depend": (1, 99, lambda term, *_: term),
}
#: By functions over values alone: name → fewest arguments, most, and the maker of the term.
FUNCTIONS: Final[Mapping[str, Maker]] = {**_OTHERS, **TEXT_FUNCTIONS, **NUMBER_FUNCTIONS}
#: Functions over dates, which also take the offset of the phone.
DATES: Final[Mapping[str, Maker]] = {
    "date": (1, 1, moments.to_date),
    "date-time": (1, 1, moments.to_moment),
    "decimal-date-time": (1, 1, moments.decimal_date_time),
    "decimal-time": (1, 1, moments.decimal_time),
    "format-date": (2, 2, moments.format_date),
    "format-date-time": (2, 2, moments.format_date),
}


def call(name: str, arguments: Sequence[Term], offset: str) -> Term:
    """The term of a function over its arguments.

    Args:
        name: of the function.
        arguments: each one value.
        offset: SQL of the minutes that the clock of the phone is ahead of UTC.

    Raises:
        NotDecidable: the function is not known, not decidable, or takes other arguments.
        NeedsPython: SQL cannot say it.
    """
    if name in PYTHON_ONLY:
        raise NeedsPython(f"{name}(): {PYTHON_ONLY[name]}")
    known = FUNCTIONS.get(name) or DATES.get(name)
    if known is None:
        raise NotDecidable(refused(name))
    fewest, most, make = known
    if not fewest <= len(arguments) <= most:
        raise NotDecidable(wrong_number(name, len(arguments)))
    return make(*arguments, offset) if name in DATES else make(*arguments)


def joined(parts: Sequence[Term], mark: Term | None = None) -> Term:
    """The texts of values, one after the other."""
    values = [text(part) for part in parts]
    if mark is None:
        return Term(f"({' || '.join(values)})" if values else "''", "text")
    between = f" || {text(mark)} || "
    return Term(f"({between.join(values)})" if values else "''", "text")


def first_of(one: Term, other: Term) -> list[tuple[str, Term]]:
    """The cases of `coalesce()`."""
    return [(f"NOT {is_nothing(one)}", one), ("true", other)]
