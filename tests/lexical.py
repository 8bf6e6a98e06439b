"""What a text says by its lexical form, in plain Python: nothing is shared with the SQL that types answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from dialogkit.model.submission import Answers


def fits(kind: str, said: str | list[Answers], value: str) -> bool:
    """Whether `value`, a cell as text, is what was said; false where that is not of the lexical form of the kind."""
    if not isinstance(said, str):
        if kind == "rows":
            return value == str(len(said))
        # Rows where a question was expected stand as their JSON text.
        return bool(kind in _AS_TYPED and json.loads(value) == said)
    if kind in _AS_TYPED:
        return value == said
    try:
        return _READ[kind](said, value)
    except (ValueError, OverflowError):
        return False


_AS_TYPED: Final = frozenset({"text", "select_one", "file"})
_INTEGER: Final = r"[+-]?[0-9]+"
_NUMBER: Final = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_ZONE: Final = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"


def _integer(said: str, value: str) -> bool:
    return bool(re.fullmatch(_INTEGER, said)) and int(value) == int(said)


def _number(said: str, value: str) -> bool:
    return bool(re.fullmatch(_NUMBER, said)) and float(value) == float(said)


def _date(said: str, value: str) -> bool:
    return bool(re.fullmatch(_DATE, said)) and value == date.fromisoformat(said).isoformat()


def _day(said: str, value: str) -> bool:
    """JavaRosa stores a calculated date as its midnight in UTC."""
    return _date(said.removesuffix("T00:00:00.000Z"), value)


def _time(said: str, value: str) -> bool:
    found = re.fullmatch(f"({_CLOCK}){_ZONE}?", said)
    return bool(found) and _clock(found[1]) == _clock(value)


def _clock(text: str) -> time:
    return time.fromisoformat(re.sub(r"([.][0-9]{1,6})[0-9]*", lambda part: part[1].ljust(7, "0"), text))


def _zone(text: str) -> timedelta:
    hours, minutes = int(text[1:3] or 0), int(text[3:].lstrip(":") or 0)
    return timedelta() if text == "Z" else (-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)


def _datetime(said: str, value: str) -> bool:
    found = re.fullmatch(f"({_DATE})T({_CLOCK}){_ZONE}", said)
    if not found:
        return False
    offset = _zone(found[5])
    meant = datetime.combine(date.fromisoformat(found[1]), _clock(found[2]), UTC) - offset
    return abs(offset) <= timedelta(hours=16) and _instant(value) == meant


def _instant(text: str) -> datetime:
    """As DuckDB writes it: `2026-11-20 10:00:00.5+00`."""
    day, _, rest = text.partition(" ")
    return datetime.combine(date.fromisoformat(day), _clock(rest.removesuffix("+00")), UTC)


def _offset(said: str, value: str) -> bool:
    found = re.search(f"{_CLOCK}{_ZONE}$", said)
    return bool(found) and found[3] == value


def _several(said: str, value: str) -> bool:
    ticked = json.loads(value)
    return ticked == [part for part in re.split(r"[ \t\r\n\f]+", said) if part]


def _point(said: str, value: str) -> bool:
    return _same_point(said, json.loads(value))


def _same_point(said: str, point: Mapping[str, float | None]) -> bool:
    parts = said.split(" ")
    if not (2 <= len(parts) <= 4 and all(re.fullmatch(_NUMBER, part) for part in parts)):
        return False
    numbers = [float(part) for part in parts]
    stored = [point[name] for name in ("lat", "lon", "altitude", "accuracy")]
    return abs(numbers[0]) <= 90 and abs(numbers[1]) <= 180 and stored == numbers + [None] * (4 - len(numbers))


def _points(said: str, value: str) -> bool:
    parts = [part.strip(" ") for part in said.split(";")]
    parts = parts if parts[-1] else parts[:-1]
    stored = json.loads(value)
    return len(parts) == len(stored) and all(map(_same_point, parts, stored))


def _shape(said: str, value: str) -> bool:
    stored = json.loads(value)
    return _points(said, value) and len(stored) >= 4 and stored[0] == stored[-1]


_READ: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "integer": _integer,
    "decimal": _number,
    "number": _number,
    "date": _date,
    "day": _day,
    "time": _time,
    "datetime": _datetime,
    "instant": _datetime,
    "offset": _offset,
    "select_multiple": _several,
    "geopoint": _point,
    "geotrace": _points,
    "geoshape": _points,
    "rows": lambda _said, _value: False,
}
