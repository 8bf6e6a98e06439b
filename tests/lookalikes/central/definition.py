"""What a form asks, read from its XForm: fields with types, tables, media, version, key."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from xml.etree.ElementTree import Element, ParseError, fromstring

from .problems import missing

_XFORMS = "{http://www.w3.org/2002/xforms}"
_MEDIA = re.compile(r"jr://(file-csv|file|images|audio|video)/([^\"'<>]+)")
_MEDIA_TYPES = {"images": "image", "audio": "audio", "video": "video"}


@dataclass(frozen=True)
class Field:
    """One field or section; the root has an empty path."""

    path: tuple[str, ...]
    type: str
    multiple: bool = False
    children: dict[str, Field] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path[-1]

    @cached_property
    def key(self) -> str:
        """Its name in OData."""
        return odata_name(self.name)

    def walk(self) -> Iterator[Field]:
        """All that is inside it, in the order of the form."""
        for child in self.children.values():
            yield child
            yield from child.walk()

    def to_json(self, *, odata: bool) -> dict[str, object]:
        names = [odata_name(name) for name in self.path] if odata else list(self.path)
        return {
            "path": "/" + "/".join(names),
            "name": names[-1],
            "type": self.type,
            "binary": True if self.type == "binary" else None,
            "selectMultiple": True if self.multiple else None,
        }


@dataclass(frozen=True)
class Definition:
    """One edition of a form."""

    form_id: str
    version: str
    name: str
    xml: bytes
    root: Field
    media: tuple[tuple[str, str], ...]
    public_key: str

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(self.root.walk())

    @cached_property
    def repeats(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.type == "repeat")

    @cached_property
    def binary(self) -> tuple[Field, ...]:
        return tuple(each for each in self.fields if each.type == "binary")

    def digest(self, algorithm: str) -> str:
        return hashlib.new(algorithm, self.xml).hexdigest()


def odata_name(name: str) -> str:
    """A name as OData allows it."""
    clean = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return clean if re.match(r"[A-Za-z_]", clean) else f"_{clean}"


def read_definition(xml: bytes) -> Definition:
    """The form in `xml`.

    Raises:
        Refused: it is not an XForm with an id.
    """
    try:
        document = fromstring(xml)
    except ParseError:
        raise missing("formId") from None
    instance = document.find(f".//{_XFORMS}model/{_XFORMS}instance")
    if instance is None or not len(instance) or not instance[0].get("id"):
        raise missing("formId")
    top = instance[0]
    submission = document.find(f".//{_XFORMS}model/{_XFORMS}submission")
    title = document.find(".//{http://www.w3.org/1999/xhtml}title")
    return Definition(
        form_id=top.get("id", ""),
        version=top.get("version", ""),
        name=(title.text or "") if title is not None else "",
        xml=xml,
        root=_read_fields(document, top),
        media=_media(xml),
        public_key=submission.get("base64RsaPublicKey", "") if submission is not None else "",
    )


def with_version(xml: bytes, version: str) -> bytes:
    """The same form with another version."""
    text = xml.decode()
    top = re.search(r"<instance>\s*<([^>]*)>", text)
    if top is None:
        raise missing("formId")
    attributes = re.sub(r'\s+version="[^"]*"', "", top.group(1))
    return (text[: top.start(1)] + f'{attributes} version="{version}"' + text[top.end(1) :]).encode()


def with_key(xml: bytes, public_key: str) -> bytes:
    """The same form, to be encrypted for `public_key`."""
    tag = f'<submission base64RsaPublicKey="{public_key}"/></model>'
    return xml.decode().replace("</model>", tag, 1).encode()


def _read_fields(document: Element, top: Element) -> Field:
    types = {bind.get("nodeset", ""): bind.get("type", "") for bind in document.iter(f"{_XFORMS}bind")}
    repeats = {each.get("nodeset", "") for each in document.iter(f"{_XFORMS}repeat")}
    multiple = {each.get("ref", "") for each in document.iter(f"{_XFORMS}select")}

    def read(element: Element, path: tuple[str, ...], xpath: str) -> Field:
        children: dict[str, Field] = {}
        for child in element:
            name = child.tag.rpartition("}")[2]
            # A repeat stands there twice: as a template and as its first row.
            if name not in children:
                children[name] = read(child, (*path, name), f"{xpath}/{name}")
        if xpath in repeats:
            return Field(path, "repeat", children=children)
        if children:
            return Field(path, "structure", children=children)
        return Field(path, types.get(xpath) or "unknown", xpath in multiple)

    return read(top, (), "/" + top.tag.rpartition("}")[2])


def _media(xml: bytes) -> tuple[tuple[str, str], ...]:
    found = {name: _MEDIA_TYPES.get(kind, "file") for kind, name in _MEDIA.findall(xml.decode())}
    return tuple(sorted(found.items()))
