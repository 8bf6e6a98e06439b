"""Dates and times as JavaRosa reads and writes them (`org.javarosa.core.model.utils.DateUtils`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from dialogkit.logic.parse import NotDecidable

_INT: Final = re.compile(r"[+-]?\d+")
_DIGITS: Final = re.compile(r"[\d.]*")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Before that Java counts days by another calendar.
_FIRST_YEAR: Final = 1583


@dataclass(frozen=True, slots=True)
class _Clock:
    hour: int
    minute: int
    second: int
    thousandth: int
    offset: timedelta | None = None


def parse_day(text: str, zone: tzinfo) -> datetime | None:
    """The midnight of `2026-11-20`; None where it is no date."""
    parts = [_number(part) for part in text.split("-")]
    if len(parts) != 3 or None in parts:
        return None
    year, month, day = (part or 0 for part in parts)
    try:
        if not _FIRST_YEAR <= year <= 9999:
            raise NotDecidable("a date before 1583 or after 9999 is not counted here as phones count it")
        return datetime(year, month, day, tzinfo=zone)
    except ValueError:
        return None


def parse_moment(text: str, zone: tzinfo) -> datetime | None:
    """A date with or without a time; None where it is neither."""
    day, sign, time = text.partition("T")
    midnight = parse_day(day, zone)
    return _with_time(midnight, time) if midnight and sign else midnight


def parse_time(text: str, today: datetime) -> datetime | None:
    """A time of the day that `today` is on."""
    return _with_time(today, text)


def days_later(zone: tzinfo, days: int) -> datetime:
    """The midnight of the day that is so many days after 1 January 1970."""
    try:
        found = datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=days)
    except OverflowError:
        raise NotDecidable("a number is used as a date that lies beyond the calendar") from None
    if found.year < _FIRST_YEAR:
        raise NotDecidable("a date before 1583 or after 9999 is not counted here as phones count it")
    return found


def of_milliseconds(milliseconds: int, zone: tzinfo) -> datetime:
    """The moment so many milliseconds after the start of 1970 in UTC."""
    try:
        found = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).astimezone(zone)
    except (OverflowError, ValueError):
        raise NotDecidable("a number is used as a date that lies beyond the calendar") from None
    if found.year < _FIRST_YEAR:
        raise NotDecidable("a date before 1583 or after 9999 is not counted here as phones count it")
    return found


def milliseconds(moment: datetime) -> int:
    """How many milliseconds after the start of 1970 in UTC."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def midnight(moment: datetime) -> datetime:
    """The start of its day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def formatted(moment: datetime, pattern: str) -> str:
    """`format-date`: names of days and months are English here, on a phone those of its language."""
    parts = []
    signs = iter(pattern)
    for sign in signs:
        if sign != "%":
            parts.append(sign)
            continue
        directive = next(signs, "")
        if directive not in _SAID:
            raise NotDecidable(f"format-date(): %{directive} is not known to phones")
        parts.append(_SAID[directive](moment))
    return "".join(parts)


_SAID: Final[Mapping[str, Callable[[datetime], str]]] = {
    "%": lambda _: "%",
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year:04}"[2:],
    "m": lambda at: f"{at.month:02}",
    "n": lambda at: f"{at.month}",
    "b": lambda at: _MONTHS[at.month - 1],
    "d": lambda at: f"{at.day:02}",
    "e": lambda at: f"{at.day}",
    "H": lambda at: f"{at.hour:02}",
    "h": lambda at: f"{at.hour}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "3": lambda at: f"{at.microsecond // 1000:03}",
    "a": lambda at: _DAYS[at.weekday()],
    "W": lambda at: f"{_week(at)}",
}


def _week(moment: datetime) -> int:
    """The week of the year as Java counts it where the language is English: from Sunday, the first holds 1 January."""
    first = moment.replace(month=1, day=1)
    shift = (first.weekday() + 1) % 7
    week = (moment.timetuple().tm_yday - 1 + shift) // 7 + 1
    next_shift = (moment.replace(month=12, day=31).weekday() + 1) % 7
    days_left = moment.replace(month=12, day=31).timetuple().tm_yday - moment.timetuple().tm_yday
    return 1 if next_shift < 6 and days_left <= next_shift else week


def _number(text: str) -> int | None:
    return int(text) if _INT.fullmatch(text) else None


def _with_time(day: datetime, text: str) -> datetime | None:
    """The day with a time; an offset in it turns both into the zone of the day."""
    clock = _clock(text)
    if clock is None:
        return None
    local = day.replace(
        hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.thousandth * 1000, fold=0
    )
    if clock.offset is None:
        return local
    try:
        return (local.replace(tzinfo=UTC) + clock.offset).astimezone(day.tzinfo)
    except (OverflowError, ValueError):
        return None


def _clock(text: str) -> _Clock | None:
    offset: timedelta | None = None
    if text.endswith("Z"):
        text, offset = text[:-1], timedelta()
    elif "+" in text or "-" in text:
        sign = "+" if "+" in text else "-"
        text, behind = text.split(sign)[:2]
        hours, _, minutes = behind.partition(":")
        away = (_number(hours), _number(minutes.partition(":")[0] or "0"))
        if away[0] is None or away[1] is None:
            return None
        offset = timedelta(hours=away[0], minutes=away[1]) * (-1 if sign == "+" else 1)
    return _raw_clock(text, offset)


def _raw_clock(text: str, offset: timedelta | None) -> _Clock | None:
    parts = text.split(":")
    hour, minute = (_number(parts[0]), _number(parts[1])) if len(parts) in (2, 3) else (None, None)
    if hour is None or minute is None or not (0 <= hour <= 23 and 0 <= minute <= 59):
        return None
    if len(parts) == 2:
        return _Clock(hour, minute, 0, 0, offset)
    found = _DIGITS.match(parts[2])
    try:
        seconds = float(found.group()) if found else 0.0
    except ValueError:
        return None
    second = int(seconds)
    thousandth = int(1000.0 * seconds - 1000.0 * second)
    return _Clock(hour, minute, second, thousandth, offset) if second <= 59 else None
