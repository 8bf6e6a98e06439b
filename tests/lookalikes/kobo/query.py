"""The part of Mongo's query language that a client of KoboToolbox uses, over the rows of one form."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from tests.lookalikes.kobo.rows import Row, Rows

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def select(rows: Rows, query: dict[str, Any]) -> list[int]:
    """The numbers of the rows that match, in order. Ranges of `_id` and `$in` never look at every row."""
    rest = dict(query)
    numbers = _by_number(rows, rest)
    if not rest:
        return numbers
    return [number for number in numbers if matches(rows.by_number[number], rest)]


def _by_number(rows: Rows, rest: dict[str, Any]) -> list[int]:
    asked = rest.get("_id")
    if isinstance(asked, int) and not isinstance(asked, bool):
        asked = {"$in": [asked]}
    if not isinstance(asked, dict) or not asked:
        return list(rows.numbers)
    if set(asked) == {"$in"}:
        del rest["_id"]
        wanted = {number for number in asked["$in"] if isinstance(number, int) and number in rows.by_number}
        return sorted(wanted)
    if set(asked) <= set(_ORDERED) and all(isinstance(bound, int) for bound in asked.values()):
        del rest["_id"]
        return _range(rows, asked)
    return list(rows.numbers)


def _range(rows: Rows, asked: dict[str, int]) -> list[int]:
    lows = [(bound, name == "$gte") for name, bound in asked.items() if name in {"$gt", "$gte"}]
    highs = [(bound, name == "$lte") for name, bound in asked.items() if name in {"$lt", "$lte"}]
    low = max(lows, key=lambda one: (one[0], not one[1]), default=None)
    return rows.between(low, min(highs, default=None))


def matches(row: Row, query: dict[str, Any]) -> bool:
    """Whether a row fulfils every condition; what Mongo would refuse or not know matches nothing."""
    for key, asked in query.items():
        if key == "$and":
            fits = all(matches(row, one) for one in asked)
        elif key == "$or":
            fits = any(matches(row, one) for one in asked)
        elif isinstance(asked, dict):
            fits = all(_fits(row.value(key), name, operand) for name, operand in asked.items())
        else:
            fits = _same(row.value(key), asked)
        if not fits:
            return False
    return True


def _fits(value: Any, name: str, operand: Any) -> bool:
    if name in _ORDERED:
        # Seen: a text is never compared with a number or with {"$date": …}; such a query finds nothing.
        comparable = isinstance(value, (int, str)) and type(value) is type(operand)
        return comparable and _ORDERED[name](value, operand)
    if name == "$in":
        return any(_same(value, one) for one in operand)
    if name == "$eq":
        return _same(value, operand)
    if name == "$ne":
        return not _same(value, operand)
    if name == "$exists":
        return (value is not None) is bool(operand)
    return False


def _same(value: Any, asked: Any) -> bool:
    return type(value) is type(asked) and bool(value == asked)


def arranged(rows: Rows, numbers: list[int], sort: dict[str, int]) -> list[int]:
    """The numbers in the order of `sort`; rows without the key come first, as in Mongo."""
    for key, direction in reversed(sort.items()):
        if key == "_id":
            numbers = sorted(numbers, reverse=direction < 0)
            continue

        def rank(number: int, key: str = key) -> tuple[bool, str]:
            value = rows.by_number[number].value(key)
            return (value is not None, "" if value is None else str(value))

        numbers = sorted(numbers, key=rank, reverse=direction < 0)
    return numbers
