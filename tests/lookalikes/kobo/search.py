"""The search language of `?q=`: `field:value`, AND, OR and brackets, over records given as dicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Test = Callable[[Mapping[str, str]], bool]
_TOKEN = re.compile(r"\s*(\(|\)|AND\b|OR\b|[\w.]+:'[^']*'|[\w.]+:\"[^\"]*\"|[^\s()]+)")


def compiled(text: str, plain: str) -> Test:
    """A test for records; words without a field are searched in the field `plain`."""
    tokens = _TOKEN.findall(text)
    test, rest = _either(tokens, plain)
    return test if not rest else lambda _: False


def _either(tokens: list[str], plain: str) -> tuple[Test, list[str]]:
    test, tokens = _both(tokens, plain)
    while tokens and tokens[0] == "OR":
        left = test
        right, tokens = _both(tokens[1:], plain)

        def test(record: Mapping[str, str], left: Test = left, right: Test = right) -> bool:
            return left(record) or right(record)

    return test, tokens


def _both(tokens: list[str], plain: str) -> tuple[Test, list[str]]:
    test, tokens = _one(tokens, plain)
    while tokens and tokens[0] not in {"OR", ")"}:
        left = test
        right, tokens = _one(tokens[1:] if tokens[0] == "AND" else tokens, plain)

        def test(record: Mapping[str, str], left: Test = left, right: Test = right) -> bool:
            return left(record) and right(record)

    return test, tokens


def _one(tokens: list[str], plain: str) -> tuple[Test, list[str]]:
    if tokens and tokens[0] == "(":
        test, rest = _either(tokens[1:], plain)
        return test, rest[1:]
    token = tokens[0] if tokens else ""
    name, colon, value = token.partition(":")
    if not colon:
        return (lambda record: token.lower() in record.get(plain, "").lower()), tokens[1:]
    return _field(name, value.strip("'\"")), tokens[1:]


def _field(name: str, value: str) -> Test:
    if name.endswith("__icontains"):
        key = name.removesuffix("__icontains")
        return lambda record: value.lower() in record.get(key, "").lower()
    if name.endswith("__gte"):
        key = name.removesuffix("__gte")
        return lambda record: record.get(key, "") >= value
    if name.endswith("__lte"):
        key = name.removesuffix("__lte")
        return lambda record: bool(record.get(key)) and record[key] <= value
    return lambda record: record.get(name) == value
