"""Reads what an OpenRosa server says: lists of forms, pages of instanceIDs, submissions. No network here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, tostring

from dialogkit import xml
from dialogkit.errors import UnexpectedReply


@dataclass(frozen=True, slots=True)
class FormEntry:
    """A form as the server lists it."""

    form_id: str
    name: str
    version: str
    hash: str
    download_url: str
    manifest_url: str = ""


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file of a submission, and where it lies. `hash` is `md5:…` or empty."""

    name: str
    hash: str
    url: str


@dataclass(frozen=True, slots=True)
class Download:
    """A submission as it came: `instance` is its own XML, the rest is what the server adds."""

    instance: bytes
    claimed_id: str
    submitted_at: str
    media: tuple[MediaFile, ...]


def read_form_list(where: str, body: bytes) -> list[FormEntry]:
    """The forms of a `formList`.

    Raises:
        UnexpectedReply: SERVER-008, it is something else.
    """
    root = _root(where, body, "xforms")
    return [
        FormEntry(
            form_id=_text(entry, "formID"),
            name=_text(entry, "name"),
            version=_text(entry, "version"),
            hash=_text(entry, "hash"),
            download_url=_text(entry, "downloadUrl"),
            manifest_url=_text(entry, "manifestUrl"),
        )
        for entry in root
        if xml.local(entry) == "xform"
    ]


def read_ids(where: str, body: bytes) -> tuple[list[str], str]:
    """The instanceIDs of a page, and where the next page starts (empty when the server does not say).

    Raises:
        UnexpectedReply: SERVER-008, it is something else.
    """
    root = _root(where, body, "idChunk")
    listed = _child(root, "idList")
    if listed is None:
        raise _unexpected(where, "The list of submissions has no idList.")
    return [(entry.text or "").strip() for entry in listed if xml.local(entry) == "id"], _text(root, "resumptionCursor")


def read_download(where: str, body: bytes) -> Download:
    """A submission and its files.

    Raises:
        UnexpectedReply: SERVER-008, it is something else, or not whole.
    """
    root = _root(where, body, "submission")
    data = _child(root, "data")
    if data is None or len(data) != 1:
        raise _unexpected(where, "A submission came without its data.")
    instance = data[0]
    instance.tail = None
    return Download(
        instance=tostring(instance, encoding="utf-8"),
        claimed_id=instance.get("instanceID", ""),
        submitted_at=instance.get("submissionDate", ""),
        media=tuple(
            MediaFile(_text(file, "filename"), _text(file, "hash"), _text(file, "downloadUrl"))
            for file in root
            if xml.local(file) == "mediaFile"
        ),
    )


def root_name(where: str, xform: bytes) -> str:
    """The name of the root element of a form's instances, which is part of a download's address.

    Raises:
        UnexpectedReply: SERVER-008, it is not an XForm.
    """
    root = _root(where, xform, "html")
    for model in root.iter("{http://www.w3.org/2002/xforms}model"):
        primary = _child(model, "instance")
        if primary is not None and len(primary):
            return xml.local(primary[0])
    raise _unexpected(where, "The server sent a form without an instance.")


def _root(where: str, body: bytes, name: str) -> Element:
    try:
        root = xml.parse(body)
    except xml.UnsafeXml as error:
        raise _unexpected(where, f"The answer of the server {error}.") from None
    if xml.local(root) != name:
        raise _unexpected(where, f"The server answered something else than {name}: perhaps a page for browsers.")
    return root


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if xml.local(child) == name), None)


def _text(element: Element, name: str) -> str:
    child = _child(element, name)
    return (child.text or "").strip() if child is not None else ""


def _unexpected(where: str, message: str) -> UnexpectedReply:
    return UnexpectedReply("SERVER-008", where, message, "Check that the address is that of a form server; pull again.")


def read_counts(where: str, body: bytes) -> Mapping[str, int]:
    """Reason → how many, as our own server tells it.

    Raises:
        UnexpectedReply: SERVER-008, it is something else.
    """
    try:
        counts = json.loads(body)
        return {str(reason): int(number) for reason, number in counts.items()}
    except (ValueError, AttributeError, TypeError):
        raise _unexpected(where, "The counts of refusals are not readable.") from None


def read_ids_page(where: str, body: bytes) -> tuple[list[str], str]:
    """Ids, and where the next page starts, as our own server tells them.

    Raises:
        UnexpectedReply: SERVER-008, it is something else.
    """
    try:
        page = json.loads(body)
        return [str(one) for one in page["ids"]], str(page["cursor"])
    except (ValueError, KeyError, TypeError):
        raise _unexpected(where, "The list of ids is not readable.") from None
