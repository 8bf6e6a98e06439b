"""A page of rows as JSON: each row with the very text that the server sent for it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

#: Fractions stay as they were typed: 1500.50 is not 1500.5.
_DECODER: Final = json.JSONDecoder(parse_float=str)
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def split_rows(body: bytes) -> list[tuple[Any, bytes]]:
    """The items of `results`, each with its own bytes.

    Raises:
        ValueError: it is not whole JSON, or has no such list.
        RecursionError: it is nested too deep.
    """
    scan = _Scan(body.decode("utf-8"))
    scan.sign("{")
    found: list[tuple[Any, bytes]] | None = None
    while True:
        key, _ = scan.value()
        scan.sign(":")
        if key == "results":
            found = scan.items()
        else:
            scan.value()
        if scan.sign(",}") == "}":
            break
    if found is None:
        raise ValueError("no results")
    return found


class _Scan:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def sign(self, allowed: str) -> str:
        at = self._next()
        sign = self._text[at : at + 1]
        if not sign or sign not in allowed:
            raise ValueError("not JSON")
        self._at = at + 1
        return sign

    def value(self) -> tuple[Any, str]:
        begin = self._next()
        found, self._at = _DECODER.raw_decode(self._text, begin)
        return found, self._text[begin : self._at]

    def items(self) -> list[tuple[Any, bytes]]:
        self.sign("[")
        if self._text[self._next()] == "]":
            self.sign("]")
            return []
        items = []
        while True:
            found, text = self.value()
            items.append((found, text.encode()))
            if self.sign(",]") == "]":
                return items

    def _next(self) -> int:
        match = _SPACE.match(self._text, self._at)
        return match.end() if match else self._at
