"""A request as the endpoints want it: who asks, what they may, parameters, body; and the shapes of refusals."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from tests.lookalikes.kobo.asset import ANONYMOUS, Asset
from tests.lookalikes.kobo.shown import Shown
from tests.lookalikes.kobo.state import State, User

PAGE = (
    '<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>KoboToolbox</title>\n  </head>\n'
    "  <body></body>\n</html>\n"
)
NO_CREDENTIALS = "Authentication credentials were not provided."
FORBIDDEN = "You do not have permission to perform this action."


class Refused(Exception):  # noqa: N818 - named by what it is
    """The answer is a refusal."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if not isinstance(body, str) else {"detail": body}
        self.headers = headers or {}

    def response(self) -> Response:
        return answer(self.body, self.status, self.headers)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON; `None` is an empty body."""
    content = b"" if body is None else orjson.dumps(body)
    return Response(content, status, headers, media_type="application/json" if content else None)


def broken(*, html: bool = False) -> Response:
    """What an error inside the server looks like."""
    return HTMLResponse(PAGE, 500) if html else answer({"error": "Server Error (500)"}, 500)


def unknown_page() -> Response:
    return PlainTextResponse("Resource not found (404)", 404, media_type="text/html")


def identified(state: State, header: str | None) -> User | None:
    """Who the header Authorization names; None: nobody.

    Raises:
        Refused: it names nobody that exists.
    """
    scheme, _, rest = (header or "").partition(" ")
    sign_in = {"WWW-Authenticate": "Session"}
    if scheme == "Token":
        if not rest.strip():
            raise Refused(401, "Invalid token header. No credentials provided.", sign_in)
        found = next((user for user in state.users.values() if user.token == rest), None)
        if found is None:
            raise Refused(401, "Invalid token.", sign_in)
        return found
    if scheme == "Basic":
        name, _, password = base64.b64decode(rest).decode().partition(":")
        user = state.users.get(name)
        if user is None or user.password != password:
            raise Refused(401, "Invalid username/password.", sign_in)
        return user
    return None


class Asking:
    """One request to the API."""

    def __init__(self, request: Request, state: State) -> None:
        self.request = request
        self.state = state
        self.user = identified(state, request.headers.get("authorization"))
        self.name = self.user.name if self.user else ANONYMOUS
        self.query = dict(parse_qsl(request.url.query, keep_blank_values=True))
        self.shown = Shown(state, self.query.get("format", ""))

    def __getitem__(self, name: str) -> str:
        return str(self.request.path_params[name])

    def must_be_somebody(self) -> User:
        if self.user is None:
            raise Refused(401, NO_CREDENTIALS, {"WWW-Authenticate": "Session"})
        return self.user

    def asset(self, right: str = "view_asset") -> Asset:
        """The form in the path. Who may not view it is told that it does not exist.

        Raises:
            Refused: 404, or 403 where it may be viewed but not this.
        """
        asset = self.state.assets.get(self["asset"])
        if asset is None or not asset.can(self.name, "view_asset"):
            raise Refused(404, "Not found.")
        if right.startswith("view_") and not asset.can(self.name, right):
            raise Refused(404, "Not found.")
        if not asset.can(self.name, right):
            if self.user is None:
                self.must_be_somebody()
            raise Refused(403, FORBIDDEN)
        return asset

    async def body(self) -> dict[str, Any]:
        """The body, sent as JSON, as a form or as multipart; files are `UploadFile`."""
        kind = self.request.headers.get("content-type", "")
        if kind.startswith("application/json"):
            try:
                found = orjson.loads(await self.request.body() or b"{}")
            except orjson.JSONDecodeError:
                raise Refused(400, "JSON parse error") from None
            return found if isinstance(found, dict) else {"": found}
        return dict(await self.request.form())

    def page(self, count: int, default: int, largest: int) -> tuple[int, int, str | None, str | None]:
        """Where the page starts and ends, and the links to the next and the one before.

        Raises:
            Refused: a start or limit that is no positive number.
        """
        limit = min(self._positive("limit", default, 1, "A positive integer is required"), largest)
        # Seen: `offset` moves the links, and of forms (not of data) the results as well.
        start = self._positive("start" if "start" in self.query else "offset", 0, 0, "A positive integer is required.")
        after = self._link(limit, start + limit) if start + limit < count else None
        before = self._link(limit, max(start - limit, 0)) if start else None
        return start, start + limit, after, before

    def _positive(self, name: str, default: int, least: int, text: str) -> int:
        asked = self.query.get(name, str(default))
        if not asked.isdigit() or int(asked) < least:
            raise Refused(400, {name: text})
        return int(asked)

    def _link(self, limit: int, start: int) -> str:
        query = {key: value for key, value in self.query.items() if key != "start"}
        if "limit" in query or "page_size" in query:
            query["limit"] = str(limit)
        if start:
            query["start"] = str(start)
        return f"{self.state.base}{self.request.url.path}?{urlencode(sorted(query.items()))}"
