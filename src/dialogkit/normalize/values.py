"""A text as it was typed → a typed value, in SQL. The lexical form is checked first: DuckDB's casts are too kind.

`TRY_CAST` alone takes '12.6' as 13, and '1_000', ' 12 ', 'nan', 'infinity' and 'epoch' as values (landing.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dialogkit import sql
from dialogkit.model.table import Kind

_ZONE: Final = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_NUMBER: Final = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
#: As a number, but never too large to be one.
_PLACE: Final = r"[+-]?([0-9]{1,9}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?"

#: The form that a text must have, whole, before it is cast.
_FORMS: Final[Mapping[Kind, str]] = {
    "integer": r"[+-]?[0-9]{1,19}",
    "decimal": _NUMBER,
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "time": f"{_CLOCK}{_ZONE}?",
    # Without its offset a time is not a point in time: it stays an issue rather than a guess.
    "datetime": f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}{_ZONE}",
    "geopoint": f"{_PLACE} {_PLACE}( {_PLACE}( {_PLACE})?)?",
}


def typed(kind: Kind, text: str) -> str:
    """SQL for the typed value of the SQL expression `text`; NULL where it is NULL or not of its type."""
    if kind in ("text", "select_one", "file"):
        return text
    if kind == "select_multiple":
        # The quick way where one plain space stands between the choices, as phones write them.
        odd = f"regexp_matches({text}, '^\\s|\\s$|\\s\\s|[\\t\\r\\n]')"
        careful = f"string_split_regex(trim({text}, E' \\t\\r\\n'), '\\s+')"
        return f"CASE WHEN {odd} THEN {careful} ELSE string_split({text}, ' ') END"
    return f"CASE WHEN regexp_full_match({text}, {sql.text(_FORMS[kind])}) THEN {_cast(kind, text)} END"


def can_misfit(kind: Kind) -> bool:
    """Whether a text can fail to be of this kind."""
    return kind in _FORMS


def _cast(kind: Kind, text: str) -> str:
    if kind == "integer":
        return f"TRY_CAST({text} AS BIGINT)"
    if kind == "decimal":
        return _finite(text)
    if kind == "date":
        return f"TRY_CAST({text} AS DATE)"
    if kind == "time":
        return f"TRY_CAST(regexp_extract({text}, {sql.text('^' + _CLOCK)}) AS TIME)"
    if kind == "datetime":
        # DuckDB 1.5 takes an offset only after seconds.
        with_seconds = f"regexp_replace({text}, 'T([0-9:]{{5}})([Z+-])', 'T\\1:00\\2')"
        return f"coalesce(TRY_CAST({text} AS TIMESTAMPTZ), TRY_CAST({with_seconds} AS TIMESTAMPTZ))"
    return _point(text)


def _finite(text: str) -> str:
    return f"CASE WHEN isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"


def _point(text: str) -> str:
    part = [f"TRY_CAST(nullif(split_part({text}, ' ', {place}), '') AS DOUBLE)" for place in (1, 2, 3, 4)]
    value = f"{{'lat': {part[0]}, 'lon': {part[1]}, 'altitude': {part[2]}, 'accuracy': {part[3]}}}"
    return f"CASE WHEN {part[0]} BETWEEN -90 AND 90 AND {part[1]} BETWEEN -180 AND 180 THEN {value} END"
