"""A text as it was typed → a typed value, in SQL. The lexical form is checked first: DuckDB's casts are too kind.

`TRY_CAST` alone takes '12.6' as 13, and '1_000', ' 12 ', 'nan', 'infinity' and 'epoch' as values (landing.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dialogkit import sql
from dialogkit.model.table import Kind

#: No place on earth is further from UTC than 14 hours.
_ZONE: Final = r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
_NUMBER: Final = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
#: As a number, but never too large to be one.
_PLACE: Final = r"[+-]?([0-9]{1,9}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?"

_POINT: Final = f"{_PLACE} {_PLACE}( {_PLACE}( {_PLACE})?)?"
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LINE: Final = f" *{_POINT} *(; *{_POINT} *)*(; *)?"
#: As JavaRosa stores a calculated date.
_MIDNIGHT: Final = "T00:00:00[.]000Z"

#: The form that a text must have, whole, before it is cast.
_FORMS: Final[Mapping[Kind, str]] = {
    "integer": r"[+-]?[0-9]{1,19}",
    "decimal": _NUMBER,
    "date": _DAY,
    "time": f"{_CLOCK}{_ZONE}?",
    # Without its offset a time is not a point in time: it stays an issue rather than a guess.
    "datetime": f"{_DAY}T{_CLOCK}{_ZONE}",
    "geopoint": _POINT,
    "geotrace": _LINE,
    "geoshape": _LINE,
}
#: Columns beside a calculated text: NULL where the text is not of that form. The text itself stays.
_CONTENT: Final[Mapping[Kind, str]] = {
    "number": _NUMBER,
    "day": f"{_DAY}({_MIDNIGHT})?",
    "instant": f"{_DAY}T{_CLOCK}{_ZONE}",
}
#: Kinds of columns that a calculated text may have beside it.
CONTENT: Final = tuple(_CONTENT)


def typed(kind: Kind, text: str) -> str:
    """SQL for the typed value of the SQL expression `text`; NULL where it is NULL or not of its type."""
    if kind in _READ:
        return _READ[kind](text)
    checked = f"WHEN regexp_full_match({text}, {sql.text({**_FORMS, **_CONTENT}[kind])}) THEN {_CASTS[kind](text)} END"
    return f"CASE {_QUICK.get(kind, '').replace('{text}', text)} {checked}"


def can_misfit(kind: Kind) -> bool:
    """Whether a text can fail to be of this kind, so that it becomes an issue."""
    return kind in _FORMS


def _choices(text: str) -> str:
    # The quick way where one plain space stands between the choices, as phones write them.
    odd = f"regexp_matches({text}, '^\\s|\\s$|\\s\\s|[\\t\\r\\n]|^$')"
    careful = f"list_filter(string_split_regex({text}, '\\s+'), lambda choice: choice <> '')"
    return f"CASE WHEN {odd} THEN {careful} ELSE string_split({text}, ' ') END"


def _offset(text: str) -> str:
    """The offset from UTC as typed; phones write six characters, so most need no regular expression."""
    return (
        f"CASE WHEN ends_with({text}, 'Z') THEN 'Z' WHEN {text}[-3:-3] = ':' AND {text}[-6:-6] IN ('+', '-') "
        f"THEN {text}[-6:] ELSE nullif(regexp_extract({text}, {sql.text(_ZONE + '$')}), '') END"
    )


def _whole(text: str) -> str:
    return f"TRY_CAST({text} AS BIGINT)"


def _day(text: str) -> str:
    day = f"TRY_CAST({text}[:10] AS DATE)"
    return f"CASE WHEN {day} >= DATE '0001-01-01' THEN {day} END"


def _clock(text: str) -> str:
    return f"TRY_CAST(regexp_extract({text}, {sql.text('^' + _CLOCK)}) AS TIME)"


def _instant(text: str) -> str:
    # DuckDB 1.5 takes an offset only after seconds.
    with_seconds = f"regexp_replace({text}, 'T([0-9:]{{5}})([Z+-])', 'T\\1:00\\2')"
    at = f"coalesce(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST({with_seconds} AS TIMESTAMPTZ))"
    # In UTC too it must be in a year of four digits: nothing outside of DuckDB knows others.
    years = "TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00'"
    return f"CASE WHEN {at} BETWEEN {years} THEN {at} END"


def _finite(text: str) -> str:
    return f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"


def _point(text: str) -> str:
    part = [f"TRY_CAST(nullif(split_part({text}, ' ', {place}), '') AS DOUBLE)" for place in (1, 2, 3, 4)]
    value = f"{{'lat': {part[0]}, 'lon': {part[1]}, 'altitude': {part[2]}, 'accuracy': {part[3]}}}"
    return f"CASE WHEN {part[0]} BETWEEN -90 AND 90 AND {part[1]} BETWEEN -180 AND 180 THEN {value} END"


def _points(text: str) -> str:
    """A list of points; one that is none spoils all."""
    points = f"list_transform(string_split(rtrim({text}, '; '), ';'), lambda p: {_point('trim(p)')})"
    return f"CASE WHEN NOT list_bool_or(list_transform({points}, lambda q: q IS NULL)) THEN {points} END"


#: Kinds that every text fits.
_READ: Final[Mapping[Kind, Callable[[str], str]]] = {
    "text": str,
    "select_one": str,
    "file": str,
    "select_multiple": _choices,
    "offset": _offset,
}
#: What becomes of a text that has the form of its kind.
_CASTS: Final[Mapping[Kind, Callable[[str], str]]] = {
    "integer": _whole,
    "decimal": _finite,
    "number": _finite,
    "date": _day,
    "day": _day,
    "time": _clock,
    "datetime": _instant,
    "instant": _instant,
    "geopoint": _point,
    "geotrace": _points,
    "geoshape": _points,
}
#: Branches before the form is checked: what a cast gives back as it was typed needs no regular expression, and a
#: calculated midnight in UTC is a day.
_QUICK: Final[Mapping[Kind, str]] = {
    "integer": "WHEN TRY_CAST({text} AS BIGINT)::VARCHAR = {text} THEN TRY_CAST({text} AS BIGINT)",
    "date": "WHEN length({text}) = 10 AND TRY_CAST({text} AS DATE)::VARCHAR = {text} THEN TRY_CAST({text} AS DATE)",
    "instant": f"WHEN regexp_matches({{text}}, '{_MIDNIGHT}$') THEN NULL",
}
