"""Replaying recorded exchanges against the look-alike, and telling in what its answer differs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import requests

from dialogkit.xml import parse
from tests.lookalikes.kobo import Place

_RECORDED_BASES = ("http://127.0.0.1:8484", "http://localhost:8484", "http://127.0.0.1:8485")
#: What the server made up: uids, uuids, hashes.
_MADE_UP = re.compile(
    r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{40}|[0-9a-f]{32}"
    r"|(?:att|org|af|[aivpu])[0-9A-Za-z]{21})\b"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")
_BASE = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+")
_LINK_ID = re.compile(r"(BASE/(?:\w+/)*)[0-9a-f]{8}\b")


@dataclass
class Got:
    """What the look-alike answered to one recorded request."""

    status: int
    content_type: str
    location: str
    body: bytes


@dataclass
class Replay:
    """One look-alike, and which of its made-up names stands for which recorded one."""

    place: Place
    names: dict[str, str] = field(default_factory=dict)

    def send(self, recording: dict[str, Any]) -> Got:
        """The recorded request, in our names and with credentials in place of REDACTED."""
        request = recording["request"]
        headers = {name: request["headers"][name] for name in _KEPT if name in request["headers"]}
        credentials = self._credentials(recording)
        if credentials is not None:
            headers["Authorization"] = credentials
        path = urlsplit(self.ours(request["path"]))
        reply = requests.request(
            request["method"],
            self.place.url + path.path,
            params=path.query or {key: self.ours(str(value)) for key, value in request.get("query", {}).items()},
            data=self._body(request),
            headers=headers,
            allow_redirects=False,
            timeout=20,
        )
        got = Got(
            reply.status_code, reply.headers.get("Content-Type", ""), reply.headers.get("Location", ""), reply.content
        )
        self._learn(recording["response"], got)
        return got

    def ours(self, text: str) -> str:
        """A recorded text in our names."""
        for base in _RECORDED_BASES:
            text = text.replace(base, self.place.url)
        return _MADE_UP.sub(lambda match: self.names.get(match[0], match[0]), text)

    def _body(self, request: dict[str, Any]) -> bytes | None:
        if "body_base64" in request:
            raw = base64.b64decode(request["body_base64"]).decode("latin-1")
            return self.ours(raw).encode("latin-1")
        body = request.get("body")
        if body is None:
            return None
        return self.ours(body if isinstance(body, str) else json.dumps(body)).encode()

    def _credentials(self, recording: dict[str, Any]) -> str | None:
        scheme, _, _ = recording["request"]["headers"].get("Authorization", "").partition(" ")
        if not scheme:
            return None
        name = recording["response"]["headers"].get("X-KoBoNaUt")
        if name is None and recording["response"]["status"] == 401:
            return _WRONG[scheme] if "malformed" not in recording["name"] else "Token "
        user = self.place.state.users[name or "organiser"]
        if scheme == "Token":
            return f"Token {user.token}"
        return "Basic " + base64.b64encode(f"{user.name}:{user.password}".encode()).decode()

    def _learn(self, response: dict[str, Any], got: Got) -> None:
        body = response.get("body")
        if isinstance(body, (dict, list)) and got.content_type.startswith("application/json"):
            for theirs, ours in _pairs(body, json.loads(got.body)):
                for old, new in zip(_MADE_UP.findall(theirs), _MADE_UP.findall(ours), strict=False):
                    # A submission's uuid comes from the phone: it is the same on both sides.
                    if "-" not in old:
                        self.names.setdefault(old, new)


#: Full of names made up for rows that have none; the web pages use it for their charts.
_UNREAD = ".report_styles"
_KEPT = ("Accept", "Accept-Language", "Content-Type", "X-OpenRosa-Version")
_WRONG = {"Token": "Token 0000", "Basic": "Basic " + base64.b64encode(b"organiser:wrong").decode()}


def _pairs(theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in theirs.keys() & ours.keys():
            yield from _pairs(theirs[key], ours[key])
    elif isinstance(theirs, list) and isinstance(ours, list):
        for one, other in zip(theirs, ours, strict=False):
            yield from _pairs(one, other)
    elif isinstance(theirs, str) and isinstance(ours, str):
        yield theirs, ours


def bare(text: str) -> str:
    """A text without what is made up: addresses, uids, times."""
    text = _TIME.sub("TIME", _MADE_UP.sub("NAME", _BASE.sub("BASE", text)))
    return _LINK_ID.sub(r"\1ID", text)


def differences(recording: dict[str, Any], got: Got, loose: frozenset[str]) -> list[str]:
    """In what an answer differs from the recorded one: status, kind of body, keys, types, and texts that are not
    made up. Where one of the expressions in `loose` fits the place, only keys and types count."""
    response = recording["response"]
    found = [] if got.status == response["status"] else [f"status {got.status}, recorded {response['status']}"]
    recorded_type = response["headers"].get("Content-Type", "").partition(";")[0]
    if got.content_type.partition(";")[0] != recorded_type:
        found.append(f"type {got.content_type!r}, recorded {recorded_type!r}")
    if bare(response["headers"].get("Location", "")) != bare(got.location):
        found.append(f"Location {got.location!r}")
    if found:
        return [*found, got.body[:300].decode("utf-8", "replace")]
    return list(_body_differences(response, recorded_type, got, loose))


def _body_differences(response: dict[str, Any], kind: str, got: Got, loose: frozenset[str]) -> Iterator[str]:
    if "body_truncated" in response:
        yield from _number_differs(response["body_truncated"], got)
    elif isinstance(response.get("body"), (dict, list)):
        yield from _json(response["body"], json.loads(got.body), "", loose)
    elif kind in {"text/xml", "application/xml"} and response.get("body"):
        yield from _xml(parse(response["body"].encode()), parse(got.body), "")
    elif kind == "text/csv" or kind.startswith(("image/", "audio/")):
        recorded = response.get("body")
        raw = recorded.encode() if isinstance(recorded, str) else base64.b64decode(response["body_base64"])
        if raw != got.body:
            yield "the bytes"


def _number_differs(start: str, got: Got) -> Iterator[str]:
    body = json.loads(got.body)
    if not start.startswith(f'{{"count":{body["count"]},'):
        yield "count"
    if len(body["results"]) != min(body["count"], 1000):
        yield "how many results"


def _json(theirs: Any, ours: Any, at: str, loose: frozenset[str]) -> Iterator[str]:
    if at.endswith(_UNREAD):
        return
    if type(theirs) is not type(ours):
        yield f"{at}: {ours!r}, recorded {theirs!r}"
    elif isinstance(theirs, dict):
        if theirs.keys() != ours.keys():
            yield f"{at}: keys +{sorted(ours.keys() - theirs.keys())} -{sorted(theirs.keys() - ours.keys())}"
        for key in theirs.keys() & ours.keys():
            yield from _json(theirs[key], ours[key], f"{at}.{key}", loose)
    elif isinstance(theirs, list):
        yield from _list(theirs, ours, at, loose)
    elif not _is_loose(at, loose) and not _same(theirs, ours):
        yield f"{at}: {ours!r}, recorded {theirs!r}"


def _list(theirs: list[Any], ours: list[Any], at: str, loose: frozenset[str]) -> Iterator[str]:
    if len(theirs) != len(ours) and not _is_loose(at, loose):
        yield f"{at}: {len(ours)} entries, recorded {len(theirs)}"
    for index, (one, other) in enumerate(zip(theirs, ours, strict=False)):
        yield from _json(one, other, f"{at}[{index}]", loose)


def _same(theirs: Any, ours: Any) -> bool:
    return bool(bare(theirs) == bare(ours) if isinstance(theirs, str) else theirs == ours)


def _is_loose(at: str, loose: frozenset[str]) -> bool:
    return any(re.search(key, at) for key in loose)


def _xml(theirs: Element, ours: Element, at: str) -> Iterator[str]:
    if bare(theirs.tag) != bare(ours.tag):
        yield f"{at}: <{ours.tag}>, recorded <{theirs.tag}>"
        return
    at = f"{at}/{theirs.tag.rpartition('}')[2]}"
    if theirs.attrib.keys() != ours.attrib.keys():
        yield f"{at}: attributes {sorted(ours.attrib)}, recorded {sorted(theirs.attrib)}"
    if [bare(one.tag) for one in theirs] != [bare(one.tag) for one in ours]:
        yield f"{at}: {[one.tag for one in ours]}, recorded {[one.tag for one in theirs]}"
        return
    for one, other in zip(theirs, ours, strict=True):
        yield from _xml(one, other, at)
