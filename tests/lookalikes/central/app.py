"""The application: finds who asks, who answers, and tells refusals in the way of the path."""

from __future__ import annotations

import re
import traceback
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from . import csvzip, forms, odata, openrosa, projects, sessions, submissions
from .call import Call, Switchboard
from .problems import Refused, internal, not_found
from .replies import refusal, unchanged
from .sessions import actor_of, actor_of_key
from .store import Store

_SECRET = re.compile(r"(/(key|test)/([^/]+))(/.*)")
_OPENROSA = re.compile(r"/(formList|manifest|submission)$")


class Application:
    """An ASGI application over one store. Each request is answered whole before the next."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._board = Switchboard(
            odata.routes,
            csvzip.routes,
            submissions.routes,
            forms.routes,
            openrosa.routes,
            projects.routes,
            sessions.routes,
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await request.body()
        with self._store.lock:
            reply = self._answer(request, body)
        if request.method == "GET" and reply.status_code == 200:
            tag = reply.headers.get("etag")
            if tag and request.headers.get("if-none-match") == tag:
                reply = unchanged(tag)
        await reply(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        raw = request.scope["raw_path"].decode("latin-1")
        try:
            path = _without_version(raw)
        except Refused as refused:
            return refusal(refused, "json")
        secret = _SECRET.fullmatch(path)
        inner = secret.group(4) if secret else path
        found = self._board.find(request.method, inner)
        kind = found[0].kind if found else "openrosa" if _OPENROSA.search(inner) else "json"
        try:
            call = self._call(request, body, raw)
            if secret:
                self._let_in(call, secret)
            else:
                call.actor = actor_of(self._store, request.headers)
            if found is None:
                return refusal(not_found(), kind)
            call.parts = found[1]
            return found[0].handler(call)
        except Refused as refused:
            return refusal(refused, kind)
        except Exception:  # noqa: BLE001 - a fault of the look-alike: shown to whoever runs the test
            traceback.print_exc()
            return refusal(internal(), kind)

    def _call(self, request: Request, body: bytes, raw: str) -> Call:
        query = dict(parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        origin = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return Call(self._store, request.method, origin, raw, query, request.headers, body)

    def _let_in(self, call: Call, secret: re.Match[str]) -> None:
        call.secret = secret.group(1)
        if secret.group(2) == "key":
            call.actor = actor_of_key(self._store, secret.group(3))
        else:
            call.draft_token = secret.group(3)


def _without_version(path: str) -> str:
    found = re.fullmatch(r"/v(\d+)(/.*)", path)
    if found is None:
        raise Refused(404.2, "Expected an API version (eg /v1) at the start of the request URL.")
    if found.group(1) != "1":
        got = found.group(1)
        raise Refused(404.3, f"Unexpected an API version (accepts: 1) (got: {got}).", {"got": got})
    return found.group(2)
