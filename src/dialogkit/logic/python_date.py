"""The functions over dates and times as JavaRosa has them, in the zone of the phone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from dialogkit.logic.answers import Facts
from dialogkit.logic.dates import days_later, formatted, midnight, milliseconds, of_milliseconds, parse_moment
from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.python_known import Known
from dialogkit.logic.values import Value, to_int, to_text

_DAY: Final = 86_400_000


def _date(facts: Facts, value: Value, keep_time: bool) -> Value:
    """A date of a date, of the number of a day or of a text; empty and NaN stay.

    A text keeps its time in `date()` too, as it does on phones.
    """
    if isinstance(value, datetime):
        return value if keep_time else midnight(value)
    if isinstance(value, bool):
        raise NotDecidable("a yes or no is used as a date: phones stop there")
    if isinstance(value, float):
        return _of_number(facts, value, keep_time)
    return _of_text(facts, value) if value else value


def _of_number(facts: Facts, number: float, keep_time: bool) -> Value:
    if math.isnan(number):
        return number
    _in_range(number)
    if keep_time:
        return of_milliseconds(math.trunc(number * _DAY), facts.zone)
    return days_later(facts.zone, int(to_int(number)))


def _in_range(number: float) -> None:
    if not -(2.0**31) <= number < 2.0**31:
        raise NotDecidable("a number beyond any date is used as a date: phones stop there")


def _of_text(facts: Facts, text: str) -> datetime:
    found = parse_moment(text, facts.zone)
    if found is None:
        raise NotDecidable("a text that is no date is used as a date: phones stop there")
    return found


def _decimal(facts: Facts, value: Value, keep_date: bool) -> Value:
    """Days since 1970 in UTC with their fraction, or the fraction of the local day alone."""
    if isinstance(value, bool):
        raise NotDecidable("a yes or no is used as a date: phones stop there")
    if isinstance(value, float):
        if math.isnan(value):
            return value
        _in_range(value)
        return value if keep_date else value - math.floor(value)
    moment = _of_text(facts, value) if isinstance(value, str) and value else value
    if not isinstance(moment, datetime):
        return moment
    offset = timedelta() if keep_date else moment.utcoffset() or timedelta()
    days = (milliseconds(moment) + offset // timedelta(milliseconds=1)) / _DAY
    return days if keep_date else days - math.floor(days)


def _format(facts: Facts, value: Value, pattern: Value) -> Value:
    moment = _date(facts, value, keep_time=True)
    return formatted(moment, to_text(pattern)) if isinstance(moment, datetime) else ""


DATES: Final[Mapping[str, Known]] = {
    "today": Known(0, 0, lambda facts: facts.day()),
    "now": Known(0, 0, lambda facts: facts.moment()),
    "date": Known(1, 1, lambda facts, value: _date(facts, value, keep_time=False)),
    "date-time": Known(1, 1, lambda facts, value: _date(facts, value, keep_time=True)),
    "decimal-date-time": Known(1, 1, lambda facts, value: _decimal(facts, value, keep_date=True)),
    "decimal-time": Known(1, 1, lambda facts, value: _decimal(facts, value, keep_date=False)),
    "format-date": Known(2, 2, _format),
    "format-date-time": Known(2, 2, _format),
}
