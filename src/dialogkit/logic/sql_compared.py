"""Comparisons of XPath in SQL: never NULL, as plain as the types allow."""

from __future__ import annotations

from typing import Final

from dialogkit import sql
from dialogkit.logic.terms import Term, boolean, by_case, day, is_empty, known_day, number, text, to_number

_DATES: Final = ("date", "moment", "time")
_CLOSE: Final = "1e-12"


def compare(operator: str, left: Term, right: Term) -> str:
    """XPath `<`, `<=`, `>`, `>=`: always of numbers; a date is the number of its day."""
    if left.type in _DATES and right.type in _DATES:
        return f"coalesce({day(left)} {operator} {day(right)}, false)"
    return f"coalesce({_plain(left)} {operator} {_plain(right)}, false)"


def _plain(term: Term) -> str:
    return term.sql if term.whole else number(term)


def equal(left: Term, right: Term) -> str:
    """XPath `=`: by boolean, else by number with a tolerance, else by text."""
    if left.type == "cases":
        return by_case(left, lambda one: equal(one, right))
    if right.type == "cases":
        return by_case(right, lambda one: equal(left, one))
    types = {left.type, right.type}
    if "boolean" in types:
        return f"({boolean(left)} = {boolean(right)})"
    if "number" in types:
        return _numbers(left, right) if left.type == "number" else _numbers(right, left)
    if left.type in _DATES and right.type in _DATES:
        return (
            f"({day(left)} IS NOT DISTINCT FROM {day(right)})"
            if left.blank and right.blank
            else (f"coalesce({day(left)} = {day(right)}, false)")
        )
    return _texts(left, right) if left.literal is None else _texts(right, left)


def _numbers(left: Term, right: Term) -> str:
    """A number and something else; a question without answer is the text `''`, compared as a text."""
    if right.type == "text" and right.literal is not None:
        known = to_number(right.literal)
        if known is None:
            return is_empty(left) if right.literal == "" else "false"
    both_empty = ""
    if left.blank and (right.type == "text" or right.blank):
        empty = is_empty(right)
        both_empty = "" if empty == "false" else f"({is_empty(left)} AND {empty})"
    if left.whole and right.whole:
        same = f"coalesce({left.sql} = {right.sql}, false)"
    else:
        same = f"coalesce(abs({number(left)} - {number(right)}) < {_CLOSE}, false)"
    return f"({same} OR {both_empty})" if both_empty else same


def _texts(left: Term, right: Term) -> str:
    """A text or date, and a text that may be a literal."""
    if right.literal is None or right.type != "text":
        return f"({text(left)} = {text(right)})"
    if right.literal == "":
        return is_empty(left)
    if left.type in _DATES:
        found = known_day(right.literal)
        return f"coalesce({day(left)} = DATE '{found.isoformat()}', false)" if found else "false"
    return f"coalesce({left.raw or left.sql} = {sql.text(right.literal)}, false)"
