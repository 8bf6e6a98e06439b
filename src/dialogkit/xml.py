"""The one safe XML parser: no entities, no document type, no external files, bounded size and depth."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import XMLParser

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 64
#: An element of three bytes takes a hundred in memory.
MAX_ELEMENTS: Final = 500_000


class UnsafeXml(ValueError):  # noqa: N818 - named by what it is, like the other errors
    """The bytes are not XML that we read; the text says why, without quoting them."""


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Element:
    """The root element of `data`.

    Raises:
        UnsafeXml: cut off or malformed, too large, too deep, with too many elements, or with a document type or an
            entity of its own.
    """
    if len(data) > max_bytes:
        raise UnsafeXml(f"is larger than {max_bytes // (1024 * 1024)} MB")
    parser = XMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException:
        raise UnsafeXml("declares a document type or entities, which are not accepted") from None
    except UnsafeXml:
        raise
    except (ParseError, ValueError, LookupError):
        # ParseError quotes a position only, but ValueError and LookupError (encodings) may quote the input.
        raise UnsafeXml("is not whole, well-formed XML") from None
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


class _Bounded(TreeBuilder):
    """Stops at the limits, before the tree has been built."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH:
            raise UnsafeXml(f"is nested deeper than {MAX_DEPTH} levels")
        if self._elements > MAX_ELEMENTS:
            raise UnsafeXml(f"has more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)
