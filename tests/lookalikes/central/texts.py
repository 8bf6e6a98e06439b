"""The XML of a submission as the real server's parser meets it: text comes in pieces, and carriage returns stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, fromstring

#: Stands where a piece of text ends and another begins: at entities, comments and CDATA.
_CUT: Final = "\ue000"
_MARK: Final = _CUT.encode()
_SPECIAL: Final = re.compile(
    rb"(?P<aside><!--.*?-->|<\?.*?\?>)|(?P<apart><!\[CDATA\[.*?\]\]>|&[^;<\s]*;)|<[^>]*>|(?P<return>\r)", re.DOTALL
)
_ROOT: Final = re.compile(rb"<[^?!]")


def element_of(xml: bytes) -> Element:
    """The root element; read its texts with `pieces`."""
    first = _ROOT.search(xml)
    start, end = first.start() if first else 0, xml.rfind(b"<")
    return fromstring(xml[:start] + _SPECIAL.sub(_marked, xml[start:end]) + xml[end:])


def pieces(element: Element) -> Iterator[str]:
    """The pieces of an element's own text."""
    for text in (element.text, *(child.tail for child in element)):
        yield from filter(None, (text or "").split(_CUT))


def _marked(found: re.Match[bytes]) -> bytes:
    if found["return"]:
        return b"&#13;"
    if found["aside"]:
        return _MARK
    return _MARK + found[0] + _MARK if found["apart"] else found[0]
