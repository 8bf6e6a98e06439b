"""A value that SQL reads several times, written and computed once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from zlib import crc32

#: A name or a plain cast costs nothing to write again.
_SIMPLE: Final = re.compile(r'[\w."]{1,80}|CAST\([\w."]{1,60} AS \w+\)')


def let(value: str, body: Callable[[str], str]) -> str:
    """SQL of a body that reads a value several times: the value is written, and computed, once.

    DuckDB takes no subquery inside a lambda: a body with one reads the value each time.
    """
    held = f"v{crc32(value.encode()):08x}"
    made = body(held)
    if _SIMPLE.fullmatch(value) or "(SELECT " in made:
        return body(value)
    return f"list_transform([{value}], lambda {held}: {made})[1]"
