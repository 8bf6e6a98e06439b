"""SQL expressions with their XPath type, and the conversions of XPath between types.

Semantics measured against JavaRosa, the engine of ODK Collect (`tests/oracle`; docs/logic.md): an empty node is the
text `''`, NaN is NULL, text to number accepts a comma and rejects exponents, a date is the number of its day.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from dialogkit import sql
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.sql_java import java_text
from dialogkit.logic.sql_let import let
from dialogkit.model.table import Kind

#: `moment` is a date with time, as the clock of the phone showed it (TIMESTAMP); `time` the time of the day only.
#: `cases` is one of several values of different types; `untold`, only among them, a value that is not stored.
Type = Literal["text", "number", "boolean", "date", "moment", "time", "cases", "untold"]

_NUMBER: Final = r"^-?([0-9]+[.]?[0-9]*|[.][0-9]+)$"
#: As Java writes what a calculation gave: `3.0E9` is a number there, in an answer that was typed it is none.
_COMPUTED: Final = r"^-?([0-9]+[.]?[0-9]*(E-?[0-9]+)?|[.][0-9]+)$"
#: What Java's `trim()` takes away and is likely to occur.
BLANKS: Final = "' ' || chr(9) || chr(10) || chr(13)"


@dataclass(frozen=True, slots=True)
class Reference:
    """A stored answer in SQL.

    Args:
        sql: a column or a literal; NULL (or `''`) where there is no answer.
        kind: how it is stored.
        offset: of a time: SQL of its offset from UTC as typed.
    """

    sql: str
    kind: Kind
    offset: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """An SQL expression.

    Args:
        sql: its text. A text or boolean is never NULL.
        type: its XPath type.
        blank: NULL stands for the text `''` (a question without answer); otherwise for NaN.
        literal: the text of a text literal, the digits of a number; None for everything else.
        raw: of a text: the same, but NULL may stand for `''`, for plain comparisons.
        whole: of a number: a BIGINT.
        finite: of a number: never infinite.
        one: of a text: the code of one choice.
        computed: of a text: what a calculation gave.
        ticks: of the text of a select_multiple: the list.
        offset: of a moment or time: SQL of the minutes that it is ahead of UTC.
        day: of a time: SQL of the day on the phone; of a moment: whether its time is unknown (`now()`).
        cases: of `cases`: conditions with values; the last condition is `true`.
        reason: of `untold`: why it is not decidable.
    """

    sql: str
    type: Type
    blank: bool = False
    literal: str | None = None
    raw: str = ""
    whole: bool = False
    finite: bool = False
    one: bool = False
    computed: bool = False
    ticks: str = ""
    offset: str = ""
    day: str = ""
    cases: tuple[tuple[str, Term], ...] = ()
    reason: str = ""


def by_case(term: Term, convert: Callable[[Term], str]) -> str:
    """A conversion of each of several cases.

    Raises:
        NotDecidable: one of them is not stored.
    """
    for _, one in term.cases:
        if one.type == "untold":
            raise NotDecidable(one.reason)
    *some, (_, last) = term.cases
    whens = " ".join(f"WHEN {condition} THEN {convert(one)}" for condition, one in some)
    return f"CASE {whens} ELSE {convert(last)} END"


def is_told(term: Term) -> str:
    """Whether a value is decidable in a row: not where it comes to a case that is not stored."""
    if not any(one.type == "untold" for _, one in term.cases):
        return "true"
    *some, (_, last) = [(condition, str(one.type != "untold").lower()) for condition, one in term.cases]
    return f"CASE {' '.join(f'WHEN {condition} THEN {told}' for condition, told in some)} ELSE {last} END"


def text_literal(value: str) -> Term:
    """A text as it is."""
    return Term(sql.text(value), "text", literal=value, raw=sql.text(value))


def number_literal(value: float) -> Term:
    """A number as it is."""
    if value.is_integer() and abs(value) < 2**31:
        return Term(f"{int(value)}", "number", literal=repr(value), whole=True, finite=True)
    if math.isinf(value):  # more digits than a number has: infinite in Java too
        return Term("CAST('inf' AS DOUBLE)", "number", literal=repr(value))
    return Term(f"CAST({value!r} AS DOUBLE)", "number", literal=repr(value), finite=True)


def to_number(text: str) -> float | None:
    """XPath `number()` of a text that is known; None is NaN."""
    plain = text.replace(",", ".").strip()
    return float(plain) if re.fullmatch(_NUMBER[1:-1], plain, re.ASCII) else None


def text(term: Term) -> str:
    """XPath `string()`."""
    match term.type:
        case "cases":
            return by_case(term, text)
        case "boolean":
            return f"CASE WHEN {term.sql} THEN 'true' ELSE 'false' END"
        case "date" | "moment" | "time":
            return f"coalesce(CAST({day(term)} AS VARCHAR), '{'' if term.blank else 'NaN'}')"
        case "number":
            empty = sql.text("" if term.blank else "NaN")
            if term.whole:
                return f"coalesce(CAST({term.sql} AS VARCHAR), {empty})"
            return f"coalesce({let(term.sql, java_text)}, {empty})"
    return term.sql


def number(term: Term) -> str:
    """XPath `number()`, a DOUBLE."""
    match term.type:
        case "cases":
            return by_case(term, number)
        case "boolean":
            return f"CAST({term.sql} AS DOUBLE)"
        case "date" | "moment" | "time":
            return f"CAST({day(term)} - DATE '1970-01-01' AS DOUBLE)"
        case "text" if term.literal is not None:
            value = to_number(term.literal)
            return "CAST(NULL AS DOUBLE)" if value is None else f"CAST({value!r} AS DOUBLE)"
        case "text":
            return number_of(term.raw or term.sql, computed=term.computed)
    return f"CAST({term.sql} AS DOUBLE)" if term.whole else term.sql


def number_of(value: str, *, computed: bool = False) -> str:
    """The number that SQL of a text is (one that a phone `computed`, or one that was typed); NULL where it is none."""
    pattern = sql.text(_COMPUTED if computed else _NUMBER)
    return f"TRY_CAST(regexp_extract(replace(trim({value}, {BLANKS}), ',', '.'), {pattern}) AS DOUBLE)"


def boolean(term: Term) -> str:
    """XPath `boolean()`."""
    match term.type:
        case "cases":
            return by_case(term, boolean)
        case "date" | "moment" | "time":
            return f"({term.sql} IS NOT NULL)"
        case "number" if term.whole:
            return f"coalesce({term.sql} <> 0, false)"
        case "number":
            return f"coalesce(abs({term.sql}) > 1e-12, false)"
        case "text":
            return f"coalesce({term.raw or term.sql} <> '', false)"
    return term.sql


def day(term: Term) -> str:
    """The day of a date, moment or time; NULL where it is none."""
    if term.type == "time":
        if not term.day:
            raise NotDecidable("a time is read as a day, and the day on the phone is not known")
        return f"CASE WHEN {term.sql} IS NOT NULL THEN {term.day} END"
    return f"CAST({term.sql} AS DATE)" if term.type == "moment" else term.sql


def is_empty(term: Term) -> str:
    """Whether the text of a value is empty."""
    match term.type:
        case "cases":
            return by_case(term, is_empty)
        case "text" if term.literal is not None:
            return "true" if term.literal == "" else "false"
        case "text":
            return f"coalesce({term.raw or term.sql}, '') = ''" if term.raw else f"({term.sql} = '')"
        case "boolean":
            return "false"
    return f"({term.sql} IS NULL)" if term.blank else "false"


def is_nothing(term: Term) -> str:
    """Whether `coalesce()` passes over a value: an empty text, or NaN."""
    if term.type == "cases":
        return by_case(term, is_nothing)
    return is_empty(term) if term.type in ("text", "boolean") else f"({term.sql} IS NULL)"


def choose(cases: list[tuple[str, Term]]) -> Term:
    """One of several values: of one type where that says the same."""
    flat = [
        (_both(condition, inner), one) for condition, term in cases for inner, one in term.cases or (("true", term),)
    ]
    types = {(one.type, one.blank, one.offset, one.day) for _, one in flat}
    if len(types) == 1 and flat[0][1].type in ("text", "boolean", "number", "date", "moment", "time"):
        first = flat[0][1]
        whole = all(one.whole for _, one in flat)
        shown = Term("", "cases", cases=tuple(flat))
        plain = by_case(shown, (lambda one: one.sql) if whole or first.type != "number" else number)
        finite = all(one.finite for _, one in flat)
        return Term(plain, first.type, first.blank, whole=whole, finite=finite, offset=first.offset, day=first.day)
    return Term("", "cases", cases=tuple(flat))


def _both(outer: str, inner: str) -> str:
    if inner == "true":
        return outer
    return inner if outer == "true" else f"({outer} AND {inner})"


def known_day(text: str) -> date | None:
    """The day of a text that is a date as written by phones; None where it is none."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
