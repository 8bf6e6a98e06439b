"""Patterns in Java's syntax, matched whole, with a guard against patterns that take for ever.

Source: the documentation of `java.util.regex.Pattern` (Java 17). What Python cannot say the same way is not decidable.
"""

from __future__ import annotations

import re
import re._constants as signs  # type: ignore[import-not-found]  # typeshed does not know the module
import re._parser as reader  # type: ignore[import-not-found]  # typeshed does not know the module
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import duckdb

from dialogkit.logic.parse import NotDecidable
from dialogkit.logic.patterns_java import translated

#: Longest text for a pattern whose time may double with each further sign.
_SHORT: Final = 22
#: Longest text for any pattern in Python's engine.
_LONG: Final = 2_000
_LARGE: Final = 5_000


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern in Java's syntax matches the whole text.

    Raises:
        NotDecidable: phones do not know the pattern, Python cannot say it, or it would take too long.
    """
    found, risky = _compiled(pattern)
    if len(text) <= (_SHORT if risky else _LONG):
        return found.fullmatch(text) is not None
    return _linear(found.pattern, text)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> tuple[re.Pattern[str], bool]:
    """The pattern in Python's syntax, and whether its time may grow beyond all measure."""
    if len(pattern) > _LARGE:
        raise NotDecidable("regex(): the pattern is too long")
    try:
        python = translated(pattern)
        found = re.compile(python)
        return found, _is_risky(reader.parse(python))
    except (re.error, OverflowError, RecursionError):
        raise NotDecidable("regex(): the pattern cannot be read") from None


@lru_cache(maxsize=4096)
def _linear(python: str, text: str) -> bool:
    """The same in DuckDB's engine, which takes time in proportion to the text but knows no look-ahead."""
    try:
        with duckdb.connect() as engine:
            found = engine.execute("SELECT regexp_full_match(?, ?)", [text, f"(?s:{python})"]).fetchone()
    except duckdb.Error:
        raise NotDecidable("regex(): this pattern may take for ever on an answer of this length") from None
    return bool(found and found[0])


def _is_risky(tokens: Iterable[Any], repeated: bool = False) -> bool:
    """Whether something repeated holds something that may be read in several ways."""
    for kind, value in tokens:
        if kind is signs.POSSESSIVE_REPEAT:
            continue
        varies = kind in (signs.MAX_REPEAT, signs.MIN_REPEAT) and value[0] != value[1]
        if repeated and (varies or kind is signs.BRANCH):
            return True
        many = kind in (signs.MAX_REPEAT, signs.MIN_REPEAT) and value[1] > 8
        if any(_is_risky(inner, repeated or many) for inner in _inside(value)):
            return True
    return False


def _inside(value: Any) -> Iterator[Any]:
    """The patterns within a part of a pattern."""
    if isinstance(value, reader.SubPattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _inside(part)
