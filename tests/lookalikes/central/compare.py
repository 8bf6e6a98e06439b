"""How an answer of the look-alike differs from a recorded one: all but what the server makes up must be the same."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree.ElementTree import fromstring

import requests

#: What a server makes up anew each time is compared by its shape.
_MADE_UP: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<time>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<origin>"),
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b"), "<digest>"),
    (re.compile(r"(?<!uuid:)(?<!uuid%3A)\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\[encrypted:[^\]]+\]"), "<suffix>"),
    (re.compile(r"/(key|test)/[^/]+/"), r"/\1/<secret>/"),
    (re.compile(r"skiptoken=[\w%]+"), "skiptoken=<cursor>"),
    (re.compile(r"\bMII[\w+/]{300,}={0,2}"), "<public key>"),
    (re.compile(r"base64RsaPublicKey=\"[^\"]+\""), "<public key>"),
)
#: A text, or nothing, of which only the presence counts.
_SECRETS: Final = frozenset({"token", "csrf", "draftToken"})
#: Findings of pyxform and ODK Validate, which change with their versions.
_WORDING: Final = frozenset({"error"})
_HEADERS: Final = ("Content-Type", "Content-Disposition", "Location", "X-OpenRosa-Version")
_SORTED: Final = frozenset({"verbs"})


def differences(recorded: dict[str, Any], reply: requests.Response, ids: Mapping[str, str]) -> Iterator[str]:
    """One line for each difference. `ids`: those of the recordings → those that the look-alike made up."""
    if recorded["status"] != reply.status_code:
        yield f"status: {recorded['status']} was recorded, {reply.status_code} came: {reply.text[:300]}"
        return
    theirs, ours = recorded["headers"], reply.headers
    for name in _HEADERS:
        if _plain(theirs.get(name, "")) != _plain(ours.get(name, "")):
            yield f"header {name}: {theirs.get(name)} was recorded, {ours.get(name)} came"
    if _kind_of_tag(theirs.get("ETag")) != _kind_of_tag(ours.get("ETag")):
        yield f"header ETag: {theirs.get('ETag')} was recorded, {ours.get('ETag')} came"
    if recorded["status"] == 200 and theirs.get("OData-Version") != ours.get("OData-Version"):
        yield f"header OData-Version: {theirs.get('OData-Version')} was recorded"
    yield from _bodies(_content(recorded), reply.content, theirs.get("Content-Type", ""), ids)


def same_content(recorded: dict[str, Any], reply: requests.Response) -> list[str]:
    """As `differences`, for the body only: of the first data set, whose JSON was kept as JSON."""
    body = recorded.get("body")
    theirs = json.dumps(body).encode() if isinstance(body, dict | list) else _content(recorded)
    return list(_bodies(theirs, reply.content, recorded["headers"]["Content-Type"], {}))


def _content(recorded: dict[str, Any]) -> bytes:
    if "body_base64" in recorded:
        return base64.b64decode(recorded["body_base64"])
    return (recorded.get("body") or "").encode()


def _bodies(theirs: bytes, ours: bytes, kind: str, ids: Mapping[str, str]) -> Iterator[str]:
    for recorded, made in ids.items():
        # Back to what was recorded, so that the order and the number of ids count.
        ours = ours.replace(made.encode(), recorded.encode())
    if kind.startswith("application/json"):
        yield from _jsons(json.loads(theirs), json.loads(ours), "")
    elif kind.startswith("application/zip"):
        yield from _zips(theirs, ours)
    elif kind.startswith("text/csv"):
        yield from _tables(theirs.decode(), ours.decode(), "csv")
    elif b"<h:html" in theirs:
        yield from _forms(theirs, ours)
    elif kind.startswith(("text/", "application/xml")):
        yield from _texts(theirs.decode(), ours.decode())
    elif theirs != ours:
        yield f"body: {len(theirs)} bytes were recorded, {len(ours)} others came"


def _jsons(theirs: Any, ours: Any, at: str) -> Iterator[str]:
    name = at.rpartition(".")[2]
    if name in _SECRETS or name in _WORDING:
        if type(theirs) is not type(ours):
            yield f"{at}: {type(theirs)} was recorded, {type(ours)} came"
    elif isinstance(theirs, dict) and isinstance(ours, dict):
        yield from _objects(theirs, ours, at)
    elif isinstance(theirs, list) and isinstance(ours, list):
        yield from _lists(*((sorted(theirs), sorted(ours)) if name in _SORTED else (theirs, ours)), at)
    elif _value(theirs) != _value(ours):
        yield f"{at}: {theirs!r} was recorded, {ours!r} came"


def _objects(theirs: dict[str, Any], ours: dict[str, Any], at: str) -> Iterator[str]:
    if theirs.keys() != ours.keys():
        yield f"{at}: only recorded {theirs.keys() - ours.keys()}, only here {ours.keys() - theirs.keys()}"
    for key in theirs.keys() & ours.keys():
        yield from _jsons(theirs[key], ours[key], f"{at}.{key}")


def _lists(theirs: list[Any], ours: list[Any], at: str) -> Iterator[str]:
    if len(theirs) != len(ours):
        yield f"{at}: {len(theirs)} were recorded, {len(ours)} came"
    for place, (one, other) in enumerate(zip(theirs, ours, strict=False)):
        yield from _jsons(one, other, f"{at}[{place}]")


def _value(value: Any) -> Any:
    return _plain(value) if isinstance(value, str) else (type(value) is bool, value)


def _zips(theirs: bytes, ours: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(theirs)) as one, zipfile.ZipFile(io.BytesIO(ours)) as other:
        if sorted(one.namelist()) != sorted(other.namelist()):
            yield f"files: {sorted(one.namelist())} were recorded, {sorted(other.namelist())} came"
            return
        for name in set(one.namelist()):
            if name.endswith(".csv"):
                yield from _tables(one.read(name).decode(), other.read(name).decode(), name)
            elif one.read(name) != other.read(name):
                yield f"{name}: other bytes"


def _tables(theirs: str, ours: str, name: str) -> Iterator[str]:
    one, other = (list(csv.reader(io.StringIO(_plain(text)))) for text in (theirs, ours))
    if len(one) != len(other):
        yield f"{name}: {len(one)} lines were recorded, {len(other)} came"
    for place, (recorded, came) in enumerate(zip(one, other, strict=False)):
        if recorded != came:
            yield f"{name}, line {place + 1}: {recorded} was recorded, {came} came"


def _forms(theirs: bytes, ours: bytes) -> Iterator[str]:
    """pyxform's wording of an XForm changes with its version; the elements are the same."""
    one, other = ([element.tag for element in fromstring(text).iter()] for text in (theirs, ours))
    if one != other:
        yield f"form: {len(one)} elements were recorded, {len(other)} came"


def _texts(theirs: str, ours: str) -> Iterator[str]:
    # What is sealed is sealed anew for the look-alike's key.
    one, other = (re.sub(r"(<base64Encrypted\w+>)[^<]+", r"\1", _plain(text)) for text in (theirs, ours))
    if one != other:
        yield f"text: {one!r} was recorded, {other!r} came"


def _plain(text: str) -> str:
    for pattern, instead in _MADE_UP:
        text = pattern.sub(instead, text)
    return text


def _kind_of_tag(tag: str | None) -> str:
    if not tag:
        return "none"
    if "eventhash:" in tag:
        return "no events" if tag.endswith(f'{"0" * 32}"') else "events"
    return "weak" if tag.startswith("W/") else "strong"
