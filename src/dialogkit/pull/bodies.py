"""The bytes that a server sent, beside the canonical lines of a batch: packed with those lines as their context.

Most of a body stands in its canonical line already, so that a body costs about one byte in a hundred. The file is a
row of portions. A portion is a line of JSON, `{"lines": 150, "bytes": 4711}`, and a zstd frame of so many bytes, whose
dictionary (raw content) is the text of the next so many canonical lines. Unpacked, it is a JSON list with the length
of each body (`null` for a line that has none), a line feed, and the bodies one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import zstandard

BODIES: Final = "received/submissions.portions"

#: A portion is closed at so many bytes of lines and bodies: level 3 does not find its way back much further.
_PORTION: Final = 768 * 1024
_LEVEL: Final = 3
#: The largest window that zstd unpacks without being asked to.
_WIDEST: Final = 27


class Bodies:
    """Writes the bodies of a batch, in the order of its lines."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lines: list[bytes] = []
        self._bodies: list[bytes | None] = []
        self._waiting = 0

    def add(self, line: bytes, body: bytes | None) -> None:
        """The body of one canonical line.

        Args:
            line: as it stands in the file of the lines, with its line feed.
            body: as received; None when nothing of it may be kept.
        """
        self._lines.append(line)
        self._bodies.append(body)
        self._waiting += len(line) + len(body or b"")
        if self._waiting >= _PORTION:
            self._close_portion()

    def end(self) -> None:
        """Write what is waiting."""
        if self._lines:
            self._close_portion()

    def _close_portion(self) -> None:
        lengths = [None if body is None else len(body) for body in self._bodies]
        content = b"\n".join((_compact(lengths), b"".join(body for body in self._bodies if body)))
        context = b"".join(self._lines)
        packer = zstandard.ZstdCompressor(
            dict_data=_dictionary(context), compression_params=_packing(len(context) + len(content))
        )
        frame = packer.compress(content)
        self._file.write(_compact({"lines": len(self._lines), "bytes": len(frame)}) + b"\n" + frame)
        self._lines, self._bodies, self._waiting = [], [], 0


def read_bodies(path: Path, lines: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each canonical line that has a body, and the body, byte for byte.

    Args:
        path: of the file that `Bodies` wrote.
        lines: the canonical lines of the same batch, with their line feeds.
    """
    with path.open("rb") as file:
        while head := file.readline():
            portion = json.loads(head)
            some = list(islice(lines, portion["lines"]))
            unpack = zstandard.ZstdDecompressor(dict_data=_dictionary(b"".join(some)))
            lengths, _, rest = unpack.decompress(file.read(portion["bytes"])).partition(b"\n")
            start = 0
            for line, length in zip(some, json.loads(lengths), strict=True):
                if length is not None:
                    yield line, rest[start : start + length]
                    start += length


def _packing(size: int) -> zstandard.ZstdCompressionParameters:
    """The whole context is in reach, also that of one huge submission."""
    reach = min(size.bit_length(), _WIDEST)
    larger = {"hash_log": min(reach, 22), "chain_log": min(reach, 22)} if size > 2 * _PORTION else {}
    return zstandard.ZstdCompressionParameters.from_level(_LEVEL, window_log=max(reach, 18), **larger)


def _dictionary(context: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(context, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
