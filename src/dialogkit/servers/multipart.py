"""A multipart body that is read from disk while it is sent, and can be sent over again."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_PIECE: Final = 256 * 1024


class Multipart:
    """The request that an OpenRosa client sends: the XML, then one part a file.

    Args:
        xml: the submission.
        files: name → content, or where it lies.
    """

    def __init__(self, xml: bytes, files: Mapping[str, bytes | Path]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._parts: list[bytes | Path] = [_head(boundary, "xml_submission_file", "submission.xml", "text/xml"), xml]
        for name, content in files.items():
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            self._parts += [b"\r\n" + _head(boundary, name, name, kind), content]
        self._parts.append(f"\r\n--{boundary}--\r\n".encode())

    def __len__(self) -> int:
        return sum(part.stat().st_size if isinstance(part, Path) else len(part) for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            with part.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece


def _head(boundary: str, name: str, file_name: str, kind: str) -> bytes:
    said = f'form-data; name="{_quoted(name)}"; filename="{_quoted(file_name)}"'
    return f"--{boundary}\r\nContent-Disposition: {said}\r\nContent-Type: {kind}\r\n\r\n".encode()


def _quoted(text: str) -> str:
    """As browsers write it (WHATWG HTML, multipart/form-data encoding)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
