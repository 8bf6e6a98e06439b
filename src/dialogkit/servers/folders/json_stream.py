"""The values of a long JSON list, or of a file with one value after another, with little of it in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dialogkit.xml import MAX_BYTES

_CHUNK: Final = 1024 * 1024
#: Fractions stay as they were typed: 1500.50 is not 1500.5.
_DECODER: Final = json.JSONDecoder(parse_float=str)
_HALF: Final = object()
_BETWEEN: Final = re.compile(r"[\s,]*")


def values(file: Path) -> Iterator[tuple[Any, bytes]]:
    """Each value with its own text: the items of a list, or the values that follow each other (one a line).

    Raises:
        ValueError: it is no JSON, ends early, or one value is larger than any submission.
        RecursionError: it is nested too deep.
    """
    with file.open(encoding="utf-8-sig") as text:
        buffer = text.read(_CHUNK).lstrip()
        in_list = buffer.startswith("[")
        at, more = int(in_list), True
        while True:
            at = _skip(buffer, at)
            closed = in_list and buffer[at : at + 1] == "]"
            value, end = (None, at) if closed else _value(buffer, at)
            # What ends with the buffer may go on: `12` may be the first half of 1234.
            if end >= len(buffer) - 1 and more:
                piece = text.read(max(_CHUNK, len(buffer)))
                buffer, at, more = buffer[at:] + piece, 0, bool(piece)
                if len(buffer) > 2 * MAX_BYTES:
                    raise ValueError("too large")
            elif closed or (at >= len(buffer) and not in_list):
                if buffer[at + 1 :].strip():
                    raise ValueError("text behind the end")
                return
            elif value is _HALF:
                raise ValueError("no value")
            else:
                yield value, buffer[at:end].encode()
                at = end


def _skip(buffer: str, at: int) -> int:
    found = _BETWEEN.match(buffer, at)
    return found.end() if found else at


def _value(buffer: str, at: int) -> tuple[Any, int]:
    """The value at a place and its end; one that is not whole ends where the buffer does."""
    try:
        return _DECODER.raw_decode(buffer, at)
    except json.JSONDecodeError:
        return _HALF, len(buffer)
