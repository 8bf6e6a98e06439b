"""Dates and times of expressions in SQL: what a phone reads in them, and how it writes them.

JavaRosa holds a date as midnight on the phone, a date with time as an instant, and a time as that time of today. The
clock of the phone is taken from the offset that it wrote into the answer itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from dialogkit import sql
from dialogkit.logic.parse import NeedsPython, NotDecidable
from dialogkit.logic.sql_let import let
from dialogkit.logic.terms import Term, by_case, known_day, number, text_literal
from dialogkit.logic.terms import day as day_of

_MINUTE: Final = "CAST(60000000 AS BIGINT)"
_ISO: Final = sql.text(
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
    "(Z|[+-][0-9]{2}(:[0-9]{2})?)?)?$"
)


def minutes(offset: str) -> str:
    """SQL of the minutes ahead of UTC that the text of an offset says: `Z`, `+05:30`, `+0530`, `-03`."""
    sign = f"CASE WHEN {offset}[1] = '-' THEN -1 ELSE 1 END"
    digits = f"replace({offset}, ':', '')"
    hours, rest = f"CAST({digits}[2:3] AS INTEGER)", f"coalesce(TRY_CAST(nullif({digits}[4:5], '') AS INTEGER), 0)"
    return f"CASE WHEN coalesce({offset}, 'Z') IN ('Z', '') THEN 0 ELSE {sign} * (60 * {hours} + {rest}) END"


def of_instant(value: str, offset: str) -> Term:
    """The moment of a TIMESTAMPTZ on the clock of the phone that wrote it with this offset."""
    ahead = minutes(offset) if offset else "0"
    return Term(f"make_timestamp(epoch_us({value}) + {_MINUTE} * ({ahead}))", "moment", blank=True, offset=ahead)


def to_date(term: Term, offset: str) -> Term:
    """`date()`: of a date, of its text, or of the number of its day. The text of a moment stays a moment."""
    match term.type:
        case "cases":
            raise NeedsPython("a date is made of a value that may be of several types")
        case "number":
            days = number(term)
            made = f"CASE WHEN abs({days}) < 3e6 THEN DATE '1970-01-01' + CAST(trunc({days}) AS INTEGER) END"
            return Term(let(days, lambda held: made.replace(days, held)), "date", blank=term.blank)
        case "boolean":
            raise NotDecidable("a yes or no is used as a date")
        case "untold":
            raise NotDecidable(term.reason)
        case "text":
            return _of_text(term, offset)
        case "moment" | "time":
            return Term(day_of(term), "date", blank=term.blank)
    return term


def to_moment(term: Term, offset: str) -> Term:
    """`date-time()`, and what `format-date-time()` reads: the time of the day stays."""
    if term.type == "number":
        micros = f"CAST(trunc(86400000 * {number(term)}) AS BIGINT) * 1000 + {_MINUTE} * ({offset})"
        return Term(f"make_timestamp({micros})", "moment", blank=term.blank, offset=offset)
    if term.type in ("moment", "time"):
        return term
    return to_date(term, offset)


def _of_text(term: Term, offset: str) -> Term:
    if term.literal is not None:
        found = known_day(term.literal)
        if found:
            return Term(f"DATE '{found.isoformat()}'", "date", literal=term.literal)
        if "T" not in term.literal:
            return Term("CAST(NULL AS DATE)", "date", blank=True)

    def read(value: str) -> str:
        iso = f"regexp_matches({value}, {_ISO})"
        clock = f"regexp_extract(replace({value}, 'T', ' '), '^([^ ]+( [0-9:.]+)?)', 1)"
        full = f"CASE WHEN length({clock}) = 16 THEN {clock} || ':00' ELSE {clock} END"
        return f"CASE WHEN {iso} THEN TRY_CAST({full} AS TIMESTAMP) END"

    ahead = minutes(f"nullif(regexp_extract({term.sql}, 'T.*?(Z|[+-][0-9:]+)$', 1), '')")
    ahead = f"CASE WHEN regexp_matches({term.sql}, 'T.*(Z|[+-][0-9:]+)$') THEN {ahead} ELSE {offset} END"
    return Term(let(term.sql, read), "moment", blank=True, offset=ahead)


def decimal_date_time(term: Term, offset: str) -> Term:
    """`decimal-date-time()`: days since 1970 in UTC, with their fraction."""
    if term.type == "number":
        return Term(number(term), "number")
    moment = _with_time(to_moment(term, offset))
    if moment.type == "date":
        days = f"(CAST({moment.sql} - DATE '1970-01-01' AS DOUBLE) * 86400000 - 60000 * ({offset})) / 86400000.0"
        return Term(f"CAST({days} AS DOUBLE)", "number", blank=moment.blank)
    micros = f"(epoch_us({_stamp(moment)}) - {_MINUTE} * ({moment.offset or offset}))"
    return Term(f"(CAST({micros} // 1000 AS DOUBLE) / 86400000.0::DOUBLE)", "number", blank=moment.blank)


def decimal_time(term: Term, offset: str) -> Term:
    """`decimal-time()`: the fraction of the day on the phone."""
    if term.type == "number":
        return Term(let(number(term), lambda n: f"({n} - floor({n}))"), "number")
    moment = _with_time(to_moment(term, offset))
    if moment.type == "date":
        return Term(f"CASE WHEN {moment.sql} IS NOT NULL THEN CAST(0 AS DOUBLE) END", "number", blank=moment.blank)
    if moment.type == "time":
        raise NeedsPython("decimal-time() of a time of today")
    days = f"(CAST(epoch_us({moment.sql}) // 1000 AS DOUBLE) / 86400000.0::DOUBLE)"
    return Term(let(days, lambda n: f"({n} - floor({n}))"), "number", blank=moment.blank)


def with_fraction(term: Term) -> str:
    """The number of days of a date with the fraction of the day, as `pow()`, `abs()` and the like read it."""
    moment = _with_time(term)
    if moment.type == "date":
        return number(term)
    return f"(CAST(epoch_us({_stamp(moment)}) // 1000 AS DOUBLE) / 86400000.0::DOUBLE)"


def _stamp(moment: Term) -> str:
    return f"({day_of(moment)} + {moment.sql})" if moment.type == "time" else moment.sql


def _with_time(term: Term) -> Term:
    if term.type == "moment" and term.day:
        raise NotDecidable("the time at which the phone asked what time it is, is not stored")
    return term


def _part(pattern: str) -> Callable[[str], str]:
    return lambda at: f"strftime({at}, '{pattern}')"


#: Names of months and days.
_SPOKEN: Final = frozenset("ab")
#: How each sign after % is written, of a TIMESTAMP or DATE.
_DAYS: Final[Mapping[str, Callable[[str], str]]] = {
    "Y": _part("%Y"),
    "y": _part("%y"),
    "m": _part("%m"),
    "n": _part("%-m"),
    "d": _part("%d"),
    "e": _part("%-d"),
}
_CLOCK: Final[Mapping[str, Callable[[str], str]]] = {
    "H": _part("%H"),
    "h": lambda at: f"CAST(hour({at}) AS VARCHAR)",
    "M": _part("%M"),
    "S": _part("%S"),
    "3": lambda at: f"lpad(CAST((epoch_us({at}) // 1000) % 1000 AS VARCHAR), 3, '0')",
}


def format_date(value: Term, pattern: Term, offset: str) -> Term:
    """`format-date()` and `format-date-time()`, by a pattern that is written out."""
    if pattern.literal is None:
        raise NeedsPython("format-date() has a pattern that is not written out")
    if value.type == "cases":
        parts = [(condition, format_date(one, pattern, offset)) for condition, one in value.cases]
        return Term(by_case(Term("", "cases", cases=tuple(parts)), lambda one: one.sql), "text")
    if value.type == "text" and value.literal == "":
        return text_literal("")
    moment = to_moment(value, offset)
    signs = re.findall(r"%(.?)|([^%]+)", pattern.literal)
    if any(sign in _CLOCK for sign, plain in signs if not plain):
        moment = _with_time(moment)
    elif moment.type == "time" or moment.day:
        moment = Term(day_of(moment), "date", blank=True)
    return Term(let(_stamp(moment), lambda at: _written(at, signs, moment.type)), "text")


def _written(at: str, signs: list[tuple[str, str]], kind: str) -> str:
    parts = []
    for sign, plain in signs:
        if not plain and sign in _SPOKEN:
            raise NotDecidable(f"format-date(): %{sign} is written in the language of the phone, which is not stored")
        if not plain and sign != "%" and sign not in _DAYS and sign not in _CLOCK:
            raise NeedsPython(f"format-date(): %{sign} is not known in SQL")
        if plain or sign == "%":
            parts.append(sql.text(plain or "%"))
        elif sign in _DAYS:
            parts.append(_DAYS[sign](at))
        else:
            parts.append(_CLOCK[sign](f"CAST({at} AS TIMESTAMP)" if kind == "date" else at))
    return f"coalesce({' || '.join(parts) or repr('')}, '')"
