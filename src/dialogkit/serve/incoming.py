"""Reads a multipart request piece by piece: files go to disk as they come, only the XML stays in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from dialogkit.files import safe_name
from dialogkit.serve.declined import Declined
from dialogkit.serve.facts import FILES, StoredFile

MAX_XML: Final = 5 * 1024 * 1024
MAX_REQUEST: Final = 100 * 1024 * 1024
MAX_PARTS: Final = 500
_MAX_HEADER: Final = 8 * 1024
_XML_PART: Final = "xml_submission_file"
_INCOMPLETE_PART: Final = "*isIncomplete*"


@dataclass
class Upload:
    """What one request brought. `folder` holds its files under `files/`; the receiver takes it away afterwards."""

    folder: Path
    xml: bytes = b""
    files: dict[str, StoredFile] = field(default_factory=dict)
    incomplete: bool = False


async def read_upload(content_type: str, pieces: AsyncIterator[bytes], folder: Path, limit: int) -> Upload:
    """The parts of a request.

    Args:
        content_type: header of the request.
        pieces: its body as it comes.
        folder: does not exist yet; made when the first file comes.
        limit: bytes of the whole body.

    Raises:
        Declined: 400 not whole or not multipart, 413 too large.
    """
    parts = _Parts(Upload(folder))
    parser = _parser(content_type, parts)
    size = 0
    try:
        async for piece in pieces:
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            parser.write(piece)
    except FormParserError:
        raise Declined(400, "The request is not a well-formed multipart form.") from None
    finally:
        parts.close()
    if not parts.ended:
        raise Declined(400, "The request was cut off on its way. Send it again.")
    if not parts.has_xml:
        raise Declined(400, f"The request has no part named {_XML_PART}.")
    return parts.upload


def too_large(limit: int) -> Declined:
    """The answer to a request above the limit."""
    return Declined(413, f"The submission is larger than {limit // (1024 * 1024)} MB, the most that this server takes.")


def _parser(content_type: str, parts: _Parts) -> MultipartParser:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind.lower() != b"multipart/form-data" or not boundary:
        raise Declined(400, "A submission is sent as multipart/form-data.")
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_headers_finished": parts.headers_finished,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
        )
    except FormParserError:
        raise Declined(400, "The request is not a well-formed multipart form.") from None


class _Parts:
    """The callbacks of the parser, with the part that is being read."""

    def __init__(self, upload: Upload) -> None:
        self.upload, self.ended, self.has_xml = upload, False, False
        self._count = 0
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._disposition = b""
        self._take: Callable[[bytes], None] = _ignore
        self._done: Callable[[], None] = _nothing
        self._open: BinaryIO | None = None

    def begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise Declined(413, f"The request has more than {MAX_PARTS} parts.")
        self._disposition = b""

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._grow(self._header[0], data[start:end])

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(self._header[1], data[start:end])

    def header_end(self) -> None:
        name, value = (bytes(text) for text in self._header)
        if name.lower() == b"content-disposition":
            self._disposition = value
        self._header = (bytearray(), bytearray())

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        file_name = options.get(b"filename", b"").decode(errors="replace")
        if name == _XML_PART:
            self._begin_xml()
        elif name == _INCOMPLETE_PART:
            self._begin_incomplete()
        elif b"filename" in options:
            self._begin_file(safe_name(file_name))
        else:
            self._take, self._done = _ignore, _nothing

    def data(self, data: bytes, start: int, end: int) -> None:
        self._take(data[start:end])

    def end(self) -> None:
        self._done()
        self._take, self._done = _ignore, _nothing

    def finish(self) -> None:
        self.ended = True

    def close(self) -> None:
        if self._open is not None:
            self._open.close()

    @staticmethod
    def _grow(text: bytearray, piece: bytes) -> None:
        text += piece
        if len(text) > _MAX_HEADER:
            raise Declined(400, "The request has a part with a header that is too long.")

    def _begin_xml(self) -> None:
        if self.has_xml:
            raise Declined(400, f"The request has more than one part named {_XML_PART}.")
        self.has_xml, held = True, bytearray()

        def take(piece: bytes) -> None:
            held.extend(piece)
            if len(held) > MAX_XML:
                raise Declined(413, f"The answers are larger than {MAX_XML // (1024 * 1024)} MB.")

        def done() -> None:
            self.upload.xml = bytes(held)

        self._take, self._done = take, done

    def _begin_incomplete(self) -> None:
        held = bytearray()

        def take(piece: bytes) -> None:
            held.extend(piece[: 16 - len(held)])

        def done() -> None:
            self.upload.incomplete = held.strip().lower() == b"yes"

        self._take, self._done = take, done

    def _begin_file(self, name: str) -> None:
        if not name:
            raise Declined(400, "The request has a file without a usable name.")
        if name in self.upload.files:
            raise Declined(400, "The request has two files of one name.")
        folder = self.upload.folder / FILES
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._open = (folder / name).open("xb")
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)

        def take(piece: bytes) -> None:
            file.write(piece)
            sha256.update(piece)
            md5.update(piece)

        def done() -> None:
            size = file.tell()
            file.close()
            self.upload.files[name] = StoredFile(name, size, sha256.hexdigest(), md5.hexdigest())

        self._take, self._done = take, done


def _ignore(piece: bytes) -> None:
    """A part that is neither the XML nor a file: read and thrown away."""


def _nothing() -> None:
    """Such a part leaves nothing behind."""
