"""Whether a cell is what the text of an answer says, in plain Python."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

_BLANKS: Final = re.compile(r"[ \t\r\n\f]+")
_ZONE: Final = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def same_raw(value: Any, raw: str) -> bool:
    """Whether the raw text of an issue or a drift row is the answer; lists stand as their JSON."""
    return raw == value if isinstance(value, str) else _same_json(raw, value)


def _same_json(text: str, value: Any) -> bool:
    try:
        return bool(json.loads(text) == value)
    except ValueError:
        return False


def fits(kind: str, cell: Any, answer: Any) -> bool:
    """Whether a cell is what the text of the answer says.

    Args:
        kind: of the column.
        cell: instants as microseconds since 1970, dates and times of day as text, all else as DuckDB gives it.
        answer: a text, or a list where a question was answered with rows.
    """
    if not isinstance(answer, str):
        # Rows where a question was expected stand as their JSON text.
        return isinstance(cell, str) and _same_json(cell, answer)
    try:
        return _READ.get(kind, _as_text)(cell, answer)
    except ValueError:
        return False


def _as_text(cell: Any, answer: str) -> bool:
    return bool(cell == answer)


def _as_list(cell: Any, answer: str) -> bool:
    return list(cell) == [choice for choice in _BLANKS.split(answer) if choice]


def _as_day(cell: str, answer: str) -> bool:
    return date.fromisoformat(cell) == date.fromisoformat(answer[:10])


def _as_time(cell: str, answer: str) -> bool:
    here, said = (datetime.combine(_EPOCH, time.fromisoformat(text)) for text in (cell, _ZONE.sub("", answer)))
    return abs(here - said) <= timedelta(microseconds=1)


def _as_instant(cell: int, answer: str) -> bool:
    said = datetime.fromisoformat(answer)
    # Without an offset it is no instant.
    return said.tzinfo is not None and abs(cell - round((said - _EPOCH) / timedelta(microseconds=1))) <= 1


def _as_point(cell: Mapping[str, float | None], answer: str) -> bool:
    numbers = [float(part) for part in _BLANKS.split(answer.strip())]
    here = [cell[part] for part in ("lat", "lon", "altitude", "accuracy")]
    return here == numbers + [None] * (4 - len(numbers))


def _as_points(cell: Sequence[Mapping[str, float | None]], answer: str) -> bool:
    said = [part for part in answer.split(";") if part.strip()]
    return len(said) == len(cell) and all(_as_point(one, text) for one, text in zip(cell, said, strict=True))


_READ: Final[Mapping[str, Callable[[Any, str], bool]]] = {
    "integer": lambda cell, answer: bool(cell == int(answer)),
    "decimal": lambda cell, answer: bool(cell == float(answer)),
    "number": lambda cell, answer: bool(cell == float(answer)),
    "date": _as_day,
    "day": _as_day,
    "time": _as_time,
    "datetime": _as_instant,
    "instant": _as_instant,
    "offset": lambda cell, answer: answer.endswith(cell),
    "select_multiple": _as_list,
    "geopoint": _as_point,
    "geotrace": _as_points,
    "geoshape": _as_points,
}
