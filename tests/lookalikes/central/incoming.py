"""The XML of a submission as it comes in: whom it belongs to, which files it expects; and XML made from answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape, quoteattr

from .definition import Definition, Field
from .problems import missing

_ROOT = re.compile(rb"<(?![?!])[^>]*>")
_ATTRIBUTE = re.compile(r'\b(id|version)="([^"]*)"')


@dataclass(frozen=True)
class Incoming:
    """What a submission says of itself; `root` is None where the XML is broken."""

    form_id: str
    version: str
    instance_id: str
    deprecated_id: str
    name: str | None
    key: str
    media: tuple[str, ...]
    root: Element | None


def read_incoming(xml: bytes) -> Incoming:
    """As much of `xml` as can be read.

    Raises:
        Refused: it names no form.
    """
    try:
        root = fromstring(xml)
    except ParseError:
        return _read_broken(xml)
    if not root.get("id"):
        raise missing("form ID xml attribute")
    meta = _child(root, "meta")
    media = [file.text or "" for each in root if _tag(each) == "media" for file in each]
    return Incoming(
        form_id=root.get("id", ""),
        version=root.get("version", ""),
        instance_id=(_text(meta, "instanceID") or root.get("instanceID", "")).strip(),
        deprecated_id=_text(meta, "deprecatedID").strip(),
        name=_text(meta, "instanceName") or None,
        key=_text(root, "base64EncryptedKey") if root.get("encrypted") == "yes" else "",
        media=tuple(media),
        root=root,
    )


def expected_files(incoming: Incoming, definition: Definition) -> list[str]:
    """Names of the files that the submission is to have, in order, each once."""
    if incoming.key:
        return [*incoming.media, "submission.xml.enc"]
    if incoming.root is None or not definition.binary:
        return []
    found = (text for field in definition.binary for text in _texts(incoming.root, field.path))
    return list(dict.fromkeys(text for text in found if text))


def write_xml(
    definition: Definition, answers: Mapping[str, Any], instance_id: str, *, deprecated_id: str = "", version: str = ""
) -> bytes:
    """The instance of canonical answers, as a phone would write it: in the order of the form, blanks empty."""
    top = (
        '<data xmlns:orx="http://openrosa.org/xforms" '
        f"id={quoteattr(definition.form_id)} version={quoteattr(version or definition.version)}>"
    )
    meta = f"<instanceID>{escape(instance_id)}</instanceID>"
    if deprecated_id:
        meta += f"<deprecatedID>{escape(deprecated_id)}</deprecatedID>"
    body = "".join(_write(child, answers) for child in definition.root.children.values() if child.name != "meta")
    more = "".join(
        f"<{name}>{escape(answers[f'meta/{name}'])}</{name}>"
        for name in ("audit", "instanceName")
        if f"meta/{name}" in answers
    )
    return f"{top}{body}<meta>{more}{meta}</meta></data>".encode()


def _write(field: Field, answers: Mapping[str, Any]) -> str:
    path = "/".join(field.path)
    if field.type == "repeat":
        rows = answers.get(path, ())
        return "".join(f"<{field.name}>{_inside(field, row)}</{field.name}>" for row in rows)
    inside = _inside(field, answers) if field.children else escape(str(answers.get(path, "")))
    return f"<{field.name}>{inside}</{field.name}>" if inside else f"<{field.name}/>"


def _inside(field: Field, answers: Mapping[str, Any]) -> str:
    return "".join(_write(child, answers) for child in field.children.values())


def _read_broken(xml: bytes) -> Incoming:
    """A phone's half file still says which form it is of."""
    top = _ROOT.search(xml)
    found = dict(_ATTRIBUTE.findall(top.group().decode("utf-8", "replace"))) if top else {}
    if not found.get("id"):
        raise missing("form ID xml attribute")
    return Incoming(found["id"], found.get("version", ""), "", "", None, "", (), None)


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((each for each in element if _tag(each) == name), None)


def _text(element: Element | None, name: str) -> str:
    found = _child(element, name) if element is not None else None
    return (found.text or "") if found is not None else ""


def _texts(element: Element, path: tuple[str, ...]) -> Iterator[str]:
    for child in element:
        if _tag(child) == path[0]:
            if len(path) == 1:
                yield child.text or ""
            else:
                yield from _texts(child, path[1:])
