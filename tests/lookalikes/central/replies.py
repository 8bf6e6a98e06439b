"""Answers in Central's form: JSON, OpenRosa's XML, files; with the headers that were recorded."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import orjson
from starlette.responses import Response

from .problems import Refused

_JSON: Final = "application/json; charset=utf-8"
_PRIVATE: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Origin"}
#: Wrong header, unknown key: refused before the real one knows that it speaks OpenRosa.
_BEFORE_OPENROSA: Final = frozenset({400.6, 401.2, 403.1})
_OPENROSA: Final = {
    "Cache-Control": "no-store",
    "Vary": "*",
    "Content-Language": "en",
    "X-OpenRosa-Version": "1.0",
    "X-OpenRosa-Accept-Content-Length": "100000000",
}


def json_bytes(data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except TypeError:  # an integer that is larger than orjson's
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def json_reply(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return raw_json(json_bytes(data), status, headers)


def raw_json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, {"ETag": etag(body), **_PRIVATE, **(headers or {})}, media_type=_JSON)


def success() -> Response:
    return json_reply({"success": True})


def xml_reply(body: bytes) -> Response:
    return Response(body, 200, {"ETag": etag(body), **_PRIVATE}, media_type="application/xml; charset=utf-8")


def openrosa(text: str, status: int = 200) -> Response:
    body = text.encode()
    return Response(body, status, {"ETag": etag(body), **_OPENROSA}, media_type="text/xml; charset=utf-8")


def openrosa_message(text: str, status: int, nature: str = "") -> Response:
    safe = escape(text, {"'": "&#39;", '"': "&quot;"})
    return openrosa(
        '\n  <OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">\n'
        f'    <message nature="{nature}">{safe}</message>\n  </OpenRosaResponse>',
        status,
    )


def openrosa_nothing() -> Response:
    return Response(b"", 204, {"ETag": etag(b""), **_OPENROSA})


def refusal(refused: Refused, kind: str, headers: dict[str, str] | None = None) -> Response:
    """A refusal as the kind of path tells it."""
    if kind == "openrosa":
        reply = openrosa_message(refused.message, refused.status, "error")
        if refused.code in _BEFORE_OPENROSA:
            for name in ("X-OpenRosa-Version", "X-OpenRosa-Accept-Content-Length"):
                del reply.headers[name]
        return reply
    odata = {"OData-Version": "4.0"} if kind == "odata" else {}
    return json_reply(refused.to_json(), refused.status, {**odata, **(headers or {})})


def file_reply(content: bytes, content_type: str, name: str, tag: str, disposition: str = "attachment") -> Response:
    plain = "".join(sign if " " <= sign <= "~" else "-" for sign in name)
    shown = f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {"Content-Disposition": shown, "ETag": tag, **_PRIVATE}
    kind = f"{content_type}; charset=utf-8" if content_type == "text/csv" else content_type
    return Response(content, 200, headers | {"Content-Type": kind})


class CutOff(Response):
    """An answer that ends in the middle: when it returns, uvicorn closes the connection."""

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})


def etag(body: bytes) -> str:
    digest = base64.b64encode(hashlib.sha1(body).digest()).decode()[:27]
    return f'W/"{len(body):x}-{digest}"'


def event_tag(events: list[int]) -> str:
    """The tag of a list of submissions: it changes with their events only."""
    told = hashlib.md5(f"{len(events)}:{sum(events)}".encode()).hexdigest() if events else "0" * 32
    return f'W/"eventhash:{told}"'


def unchanged(tag: str, headers: dict[str, str] | None = None) -> Response:
    return Response(b"", 304, {"ETag": tag, **_PRIVATE, **(headers or {})})
