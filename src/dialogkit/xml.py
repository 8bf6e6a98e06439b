"""The one safe XML parser: no entities, no document type, no external files, bounded size and depth."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 64
#: Every tag begins with one: a few bytes of it take a hundred in memory, so they are counted before anything is read.
MAX_TAGS: Final = 500_000


class UnsafeXml(ValueError):  # noqa: N818 - named by what it is, like the other errors
    """The bytes are not XML that we read; the text says why, without quoting them."""


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Element:
    """The root element of `data`.

    Raises:
        UnsafeXml: cut off or malformed, too large, too deep, with too many tags, or with a document type or an
            entity of its own.
    """
    if len(data) > max_bytes:
        raise UnsafeXml(f"is larger than {max_bytes // (1024 * 1024)} MB")
    if data.count(b"<") > MAX_TAGS:
        raise UnsafeXml(f"has more than {MAX_TAGS} tags")
    try:
        root: Element = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise UnsafeXml("declares a document type or entities, which are not accepted") from None
    except (ParseError, ValueError, LookupError):
        # ParseError quotes a position only, but ValueError and LookupError (encodings) may quote the input.
        raise UnsafeXml("is not whole, well-formed XML") from None
    _limit_depth(root)
    return root


def local(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def writable(value: str) -> bool:
    """Whether XML 1.0 can hold every character of `value`."""
    return all(
        sign in "\t\n\r" or "\x20" <= sign <= "\ud7ff" or "\ue000" <= sign <= "\ufffd" or sign >= "\U00010000"
        for sign in value
    )


def _limit_depth(root: Element) -> None:
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for element in level for child in element]
        if not level:
            return
    raise UnsafeXml(f"is nested deeper than {MAX_DEPTH} levels")
